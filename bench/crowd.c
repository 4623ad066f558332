/* A crowd for the Challenge API to keep in memory: clips in a store, and miners with a commitment each, put straight into a
 * ledger's blocks.
 *   usage: crowd clips STORE_FOLDER N              prints their hashes
 *          crowd miners WINDOW ELEMENT N N_ASKERS  prints HOTKEY=PROOF of N_ASKERS of them, whose keys go into the wallet
 * The configured database registers the clips, the configured chain, a ledger, takes the commitments: a hundred a block, as if
 * they had come over a while. What is signed and stored is what `sv clip add` and `sv miner commit` would have left. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "base/rfc3339.h"
#include "chain/ledger_extrinsic.h"
#include "keys/keypair.h"
#include "protocol/commitment.h"
#include "rounds.h"
#include "state/state.h"

#define CLIP_BYTES 4096
#define A_BLOCK 100
#define FILE_MODE 0600

/* ── clips ── */

static void
add_clip (SvState *state, const char *store)
{
  guint8 content[CLIP_BYTES];
  g_autoptr (GError) error = NULL;
  randombytes_buf (content, sizeof content);
  g_autofree char *hash = sv_hash_bytes (content, sizeof content);
  g_autofree char *folder = g_build_filename (store, "private", "clips", NULL);
  g_autofree char *path = g_build_filename (folder, sv_hash_hex (hash), NULL);
  const SvClip clip = { .hash = hash,
                        .bytes = sizeof content,
                        .duration_ms = 5000,
                        .fps = 25,
                        .width = 1280,
                        .height = 720,
                        .sport = (char *)"football",
                        .scenario = (char *)"match",
                        .challenge_type = (char *)"football",
                        .added_ms = sv_clock_ms () };
  if (!sv_directory_make (folder, 0700, &error) || !sv_file_write (path, content, sizeof content, FILE_MODE, &error) ||
      !sv_state_put_clip (state, &clip, &error))
    bench_fail ("%s", error->message);
  printf ("%s\n", hash);
}

static void
add_clips (const SvConfig *config, const char *store, guint64 n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvState) state = sv_state_open (config, &error);
  if (state == NULL)
    bench_fail ("%s", error->message);
  for (guint64 i = 0; i < n; i++)
    add_clip (state, store);
}

/* ── miners ── */

typedef struct
{
  const SvConfig *config;
  SvChain *chain;
  const char *window;
  const char *element;
  guint64 n;
  guint64 n_askers;
  GPtrArray *askers;       /* names of those whose proof is to be shown … */
  GPtrArray *asker_proofs; /* … and the hashes of their extrinsics, in the same order */
  guint64 n_done;
} Crowd;

static char *
make_text (const Crowd *crowd)
{
  guint8 random[16];
  randombytes_buf (random, sizeof random);
  g_autofree char *hex = sv_hex_encode (random, sizeof random);
  g_autofree char *slug = g_strdup_printf ("bench-chute-%" G_GUINT64_FORMAT, crowd->n_done);
  g_autofree char *id = g_strdup_printf ("%.8s-%.4s-4%.3s-8%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17, hex + 20);
  g_autoptr (SvCommitmentText) text = sv_commitment_text_new (FALSE, crowd->window, 25000);
  sv_commitment_text_add (text, crowd->element, "rev-1", slug, id, 25000);
  return sv_commitment_text_format (text);
}

/* Every miner is as likely to ask: the askers are spread over all blocks. */
static gboolean
is_asker (const Crowd *crowd)
{
  return crowd->n_done % (crowd->n / crowd->n_askers) == 0 && crowd->askers->len < crowd->n_askers;
}

static gboolean
keep_asker (Crowd *crowd, const SvKeypair *keypair, const char *hash, GError **error)
{
  char *name = g_strdup_printf ("crowd-%u", crowd->askers->len);
  g_autofree char *path =
      g_build_filename (sv_config_get (crowd->config, "BITTENSOR_WALLET_PATH"), "default", "hotkeys", name, NULL);
  g_ptr_array_add (crowd->askers, name);
  g_ptr_array_add (crowd->asker_proofs, g_strdup (hash));
  return sv_keyfile_create (path, keypair, error);
}

static gboolean
put_into_pool (SvLedger *ledger, GBytes *bytes, const SvKeypair *keypair, const char *text, const char *hash, GError **error)
{
  g_autoptr (sqlite3_stmt) insert = sv_ledger_prepare (
      ledger, "INSERT INTO pool (hash, netuid, signer, nonce, text, bytes) VALUES (?, ?, ?, 0, ?, ?)", error);
  if (insert == NULL)
    return FALSE;
  sqlite3_bind_text (insert, 1, hash, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (insert, 2, ledger->base.id.netuid);
  sqlite3_bind_text (insert, 3, sv_keypair_address (keypair), -1, SQLITE_STATIC);
  sqlite3_bind_text (insert, 4, text, -1, SQLITE_STATIC);
  sqlite3_bind_blob64 (insert, 5, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), SQLITE_STATIC);
  return sv_ledger_run (ledger, insert, error);
}

static gboolean
add_miner (SvLedger *ledger, Crowd *crowd, GError **error)
{
  char hash[SV_BLOCK_HASH_TEXT];
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autofree char *text = make_text (crowd);
  g_autoptr (GBytes) bytes = sv_ledger_extrinsic_sign (&ledger->base.id, keypair, text, 0, error);
  if (bytes == NULL)
    return FALSE;
  sv_ledger_hash (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), hash);
  if (is_asker (crowd) && !keep_asker (crowd, keypair, hash, error))
    return FALSE;
  crowd->n_done++;
  return put_into_pool (ledger, bytes, keypair, text, hash, error);
}

static gboolean
add_some (SvLedger *ledger, gpointer data, GError **error)
{
  Crowd *crowd = data;
  for (guint i = 0; i < A_BLOCK && crowd->n_done < crowd->n; i++)
    if (!add_miner (ledger, crowd, error))
      return FALSE;
  return TRUE;
}

static void
show_askers (const Crowd *crowd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (sqlite3_stmt) query =
      sv_ledger_prepare ((SvLedger *)crowd->chain, "SELECT block FROM extrinsic WHERE hash = ?", &error);
  for (guint i = 0; query != NULL && i < crowd->askers->len; i++)
  {
    gboolean row;
    const char *hash = crowd->asker_proofs->pdata[i];
    sqlite3_bind_text (query, 1, hash, -1, SQLITE_STATIC);
    if (!sv_ledger_step ((SvLedger *)crowd->chain, query, &row, &error) || !row)
      break;
    printf ("%s=%" G_GINT64_FORMAT ":%s\n", (char *)crowd->askers->pdata[i], (gint64)sqlite3_column_int64 (query, 0), hash);
    sqlite3_reset (query);
  }
  if (error != NULL)
    bench_fail ("%s", error->message);
}

static void
add_miners (Crowd *crowd)
{
  g_autoptr (GError) error = NULL;
  crowd->chain = sv_chain_open (crowd->config, &error);
  if (crowd->chain == NULL)
    bench_fail ("%s", error->message);
  if (!sv_chain_is_ledger (crowd->chain))
    bench_fail ("%s is no ledger", sv_chain_url (crowd->chain));
  crowd->askers = g_ptr_array_new ();
  crowd->asker_proofs = g_ptr_array_new ();
  while (crowd->n_done < crowd->n)
    if (!sv_ledger_write ((SvLedger *)crowd->chain, add_some, crowd, &error) || !sv_ledger_advance (crowd->chain, 1, 0, &error))
      bench_fail ("%s", error->message);
  show_askers (crowd);
  sv_chain_free (crowd->chain);
}

int
main (int argc, char **argv)
{
  guint64 n, n_askers;
  g_autoptr (GError) error = NULL;
  g_autoptr (SvConfig) config = sodium_init () >= 0 ? sv_config_load (&error) : NULL;
  if (error != NULL)
    bench_fail ("%s", error->message);
  if (argc == 4 && strcmp (argv[1], "clips") == 0 && sv_integer_parse (argv[3], &n))
    add_clips (config, argv[2], n);
  else if (argc == 6 && strcmp (argv[1], "miners") == 0 && sv_integer_parse (argv[4], &n) &&
           sv_integer_parse (argv[5], &n_askers) && n_askers >= 1 && n >= n_askers)
    add_miners (&(Crowd){ .config = config, .window = argv[2], .element = argv[3], .n = n, .n_askers = n_askers });
  else
    bench_fail ("usage: crowd clips STORE_FOLDER N, or crowd miners WINDOW ELEMENT N N_ASKERS");
  return 0;
}
