/* What it takes to open signed documents, by what nobody can do without: one Ed25519 verification and one SHA-256 of the same
 * bytes by libsodium, and the parsing of their JSON by Jansson alone.
 *   usage: documents STORE_FOLDER SMALL_HASH LARGE_STORE_FOLDER LARGE_HASH
 * Manifests are read from the cache of the configured home, where the first reading puts them; the index of the large store is
 * opened from memory. All of it on one processor, in rounds that alternate the three, by the processor's time. */
#include <malloc.h>
#include <sodium.h>
#include <unistd.h>

#include "base/hash.h"
#include "distribution/reader.h"
#include "rounds.h"

#define MIB (1024.0 * 1024.0)

typedef struct
{
  guint8 public_key[crypto_sign_PUBLICKEYBYTES];
  guint8 signature[crypto_sign_BYTES];
  GBytes *bytes;
  guint at_once; /* so that a round is long enough for the clock */
  guint rounds;
} Document;

/* Opens it as the program does, or ends the benchmark. */
typedef void (*Open) (const Document *document, gpointer data);

static void
make_document (Document *document, GBytes *bytes, guint at_once, guint rounds)
{
  guint8 secret_key[crypto_sign_SECRETKEYBYTES];
  crypto_sign_keypair (document->public_key, secret_key);
  crypto_sign_detached (document->signature, NULL, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), secret_key);
  document->bytes = bytes;
  document->at_once = at_once;
  document->rounds = rounds;
}

static void
verify_bare (const Document *document)
{
  gsize length;
  guint8 hash[crypto_hash_sha256_BYTES];
  const guint8 *data = g_bytes_get_data (document->bytes, &length);
  crypto_hash_sha256 (hash, data, length);
  if (crypto_sign_verify_detached (document->signature, data, length, document->public_key) != 0)
    bench_fail ("a signature does not verify");
}

static void
parse_bare (const Document *document)
{
  gsize length;
  json_error_t problem;
  const char *data = g_bytes_get_data (document->bytes, &length);
  json_t *json = json_loadb (data, length, JSON_DECODE_INT_AS_REAL, &problem);
  if (json == NULL)
    bench_fail ("%s", problem.text);
  json_decref (json);
}

typedef struct
{
  GArray *bare;       /* rate by the rate of bare verifications and hashes */
  GArray *parse;      /* time by that of parsing */
  GArray *per_second; /* as seen here */
  GArray *mib;        /* a second, as seen here */
} Figures;

static void
measure_round (const Document *document, Open open, gpointer data, Figures *figures)
{
  double start = bench_clock (CLOCK_PROCESS_CPUTIME_ID);
  for (guint i = 0; i < document->at_once; i++)
    verify_bare (document);
  double verified = bench_clock (CLOCK_PROCESS_CPUTIME_ID);
  for (guint i = 0; i < document->at_once; i++)
    parse_bare (document);
  double parsed = bench_clock (CLOCK_PROCESS_CPUTIME_ID);
  for (guint i = 0; i < document->at_once; i++)
    open (document, data);
  double opened = bench_clock (CLOCK_PROCESS_CPUTIME_ID) - parsed;
  bench_rounds_add (figures->bare, (verified - start) / opened);
  bench_rounds_add (figures->parse, opened / (parsed - verified));
  bench_rounds_add (figures->per_second, document->at_once / opened);
  bench_rounds_add (figures->mib, (double)g_bytes_get_size (document->bytes) / MIB * document->at_once / opened);
}

static void
print_figure (const char *name, const char *part, GArray *rounds)
{
  g_autofree char *full = g_strdup_printf ("%s-%s", name, part);
  bench_print (full, rounds);
}

static void
measure (const char *name, const Document *document, Open open, gpointer data)
{
  Figures figures = { bench_rounds_new (), bench_rounds_new (), bench_rounds_new (), bench_rounds_new () };
  open (document, data); /* warms the caches */
  for (guint round = 0; round < document->rounds; round++)
    measure_round (document, open, data, &figures);
  print_figure (name, "bare", figures.bare);
  print_figure (name, "parse", figures.parse);
  print_figure (name, "per-second", figures.per_second);
  print_figure (name, "mib", figures.mib);
}

/* ── what is opened ── */

static void
open_manifest (const Document *document, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = sv_hash_gbytes (document->bytes);
  g_autoptr (SvManifest) manifest = sv_fetch_manifest (data, hash, &error);
  if (manifest == NULL)
    bench_fail ("%s", error->message);
}

static SvIndex *
read_index (const Document *document, SvReader *reader, const SvChainId *chain)
{
  g_autoptr (GError) error = NULL;
  SvIndex *index = sv_index_open (document->bytes, chain, sv_reader_trusts, reader, &error);
  if (index == NULL)
    bench_fail ("%s", error->message);
  return index;
}

typedef struct
{
  SvReader *reader;
  const SvChainId *chain;
} IndexTrust;

static void
open_index (const Document *document, gpointer data)
{
  const IndexTrust *trust = data;
  sv_index_free (read_index (document, trust->reader, trust->chain));
}

/* ── the world ── */

static GBytes *
read_object (const char *store, const char *leaf)
{
  char *data;
  gsize length;
  g_autofree char *path = g_build_filename (store, "scorevision", leaf, NULL);
  if (!g_file_get_contents (path, &data, &length, NULL))
    bench_fail ("%s cannot be read", path);
  return g_bytes_new_take (data, length);
}

static GBytes *
read_manifest (const char *store, const char *hash)
{
  g_autofree char *leaf = g_strdup_printf ("manifests/%s.json", sv_hash_hex (hash));
  return read_object (store, leaf);
}

static SvReader *
open_reader (SvConfig *config, SvChain *chain, const char *store)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *url = g_strconcat ("file:", store, NULL);
  sv_config_set (config, "SCOREVISION_STORE", url);
  SvReader *reader = sv_reader_new (config, chain, NULL, &error);
  if (reader == NULL)
    bench_fail ("%s", error->message);
  return reader;
}

static void
print_one (const char *name, double value)
{
  g_autoptr (GArray) rounds = bench_rounds_new ();
  bench_rounds_add (rounds, value);
  bench_print (name, rounds);
}

/* Of this process, in blocks large and small. */
static double
memory_in_use (void)
{
  struct mallinfo2 use = mallinfo2 ();
  return (double)(use.uordblks + use.hblkhd);
}

static void
measure_memory (const Document *document, const IndexTrust *trust)
{
  double before = memory_in_use ();
  g_autoptr (SvIndex) index = read_index (document, trust->reader, trust->chain);
  double held = memory_in_use () - before;
  print_one ("index-entries", index->entries->len);
  print_one ("index-size-mib", (double)g_bytes_get_size (document->bytes) / MIB);
  print_one ("index-held-mib", held / MIB);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Document small, large, index;
  if (argc != 5 || sodium_init () < 0)
    bench_fail ("usage: documents STORE_FOLDER SMALL_HASH LARGE_STORE_FOLDER LARGE_HASH");
  g_autoptr (SvConfig) config = sv_config_load (&error);
  g_autoptr (SvChain) chain = config != NULL ? sv_chain_open (config, &error) : NULL;
  if (chain == NULL)
    bench_fail ("%s", error->message);
  bench_pin ((guint)sysconf (_SC_NPROCESSORS_ONLN) - 1);
  make_document (&small, read_manifest (argv[1], argv[2]), 200, 21);
  make_document (&large, read_manifest (argv[3], argv[4]), 5, 11);
  make_document (&index, read_object (argv[3], "index.json"), 1, 11);
  SvReader *small_reader = open_reader (config, chain, argv[1]);
  measure ("manifest", &small, open_manifest, small_reader);
  sv_reader_free (small_reader);
  g_autoptr (SvReader) reader = open_reader (config, chain, argv[3]);
  IndexTrust trust = { reader, sv_chain_id (chain) };
  measure ("large", &large, open_manifest, reader);
  measure ("index", &index, open_index, &trust);
  measure_memory (&index, &trust);
  return 0;
}
