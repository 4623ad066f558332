/* For extrinsics.test.mjs: reads questions from standard input, one a line, and prints the answer to each on its line, or
 * "error: " and the reason. All bytes are bare hex; "-" is none.
 *   usage: print_extrinsics METADATA_FILE
 *
 *   call NETUID TEXT                   the call
 *   payload CONTEXT CALL               what is signed; CONTEXT is SPEC TRANSACTION_VERSION GENESIS NONCE PERIOD BLOCK HASH
 *   sign SCHEME SEED CONTEXT CALL      the extrinsic, and its hash
 *   read EXTRINSIC                     "none", or SIGNER NETUID ROUND TEXT
 *   registration VALUE                 BLOCK ROUND TEXT
 *   events N VALUE                     the outcomes, tabs between them
 *   header JSON                        NUMBER HASH PARENT CHANGES_RUNTIME */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "chain/subtensor/events.h"
#include "chain/subtensor/extrinsic.h"
#include "chain/subtensor/header.h"

#define MAX_WORDS 12

typedef struct
{
  const SvMetadata *metadata;
  char **words; /* those after the first */
  guint n_words;
} Question;

static guint64
number_of (const char *word)
{
  return g_ascii_strtoull (word, NULL, 10);
}

static GBytes *
bytes_of (const char *hex)
{
  gsize length = strlen (hex) / 2;
  guint8 *bytes = g_malloc (length + 1);
  if (!sv_hex_decode (hex, FALSE, bytes, length))
    g_error ("\"%s\" is not hex", hex);
  return g_bytes_new_take (bytes, length);
}

static void
print_hex (const void *data, gsize length)
{
  g_autofree char *hex = sv_hex_encode (data, length);
  fputs (hex, stdout);
}

static void
print_text (const char *text)
{
  if (text != NULL)
    print_hex (text, strlen (text));
  else
    putchar ('-');
}

static SvExtrinsicContext
context_of (char **words)
{
  SvExtrinsicContext context = {
    .spec_version = (guint32)number_of (words[0]),
    .transaction_version = (guint32)number_of (words[1]),
    .nonce = number_of (words[3]),
    .era_period = number_of (words[4]),
    .era_block = number_of (words[5]),
  };
  if (!sv_hex_decode (words[2], FALSE, context.genesis_hash, 32) || !sv_hex_decode (words[6], FALSE, context.era_hash, 32))
    g_error ("a hash is not 64 hex digits");
  return context;
}

static gboolean
print_bytes (GBytes *bytes)
{
  if (bytes != NULL)
    print_hex (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return bytes != NULL;
}

static gboolean
answer_call (const Question *question, GError **error)
{
  g_autoptr (GBytes) text = bytes_of (question->words[1]);
  g_autofree char *string = g_strndup (g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  g_autoptr (GBytes) call = sv_commitment_call (question->metadata, (guint16)number_of (question->words[0]), string, error);
  return print_bytes (call);
}

static gboolean
answer_payload (const Question *question, GError **error)
{
  SvExtrinsicContext context = context_of (question->words);
  g_autoptr (GBytes) call = bytes_of (question->words[7]);
  g_autoptr (GBytes) payload = sv_extrinsic_payload (question->metadata, &context, call, error);
  return print_bytes (payload);
}

static gboolean
answer_sign (const Question *question, GError **error)
{
  SvScheme scheme = strcmp (question->words[0], "sr25519") == 0 ? SV_SCHEME_SR25519 : SV_SCHEME_ED25519;
  SvExtrinsicContext context = context_of (question->words + 2);
  g_autoptr (GBytes) seed = bytes_of (question->words[1]), call = bytes_of (question->words[9]);
  g_autoptr (SvKeypair) keypair = sv_keypair_from_seed (g_bytes_get_data (seed, NULL), scheme);
  g_autoptr (GBytes) extrinsic = sv_extrinsic_sign (question->metadata, &context, call, keypair, error);
  char hash[67];
  if (!print_bytes (extrinsic))
    return FALSE;
  sv_extrinsic_hash (g_bytes_get_data (extrinsic, NULL), g_bytes_get_size (extrinsic), hash);
  printf (" %s", hash);
  return TRUE;
}

static gboolean
answer_read (const Question *question, GError **error)
{
  gboolean is_one;
  g_auto (SvCommitmentCall) call = { 0 };
  g_autoptr (GBytes) bytes = bytes_of (question->words[0]);
  if (!sv_extrinsic_read_commitment (question->metadata, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &is_one,
                                     &call, error))
    return FALSE;
  if (!is_one)
  {
    fputs ("none", stdout);
    return TRUE;
  }
  print_hex (call.signer, sizeof call.signer);
  printf (" %u %" G_GUINT64_FORMAT " ", call.netuid, call.reveal_round);
  print_text (call.text);
  return TRUE;
}

static gboolean
answer_registration (const Question *question, GError **error)
{
  g_auto (SvRegistration) registration = { 0 };
  g_autoptr (GBytes) bytes = bytes_of (question->words[0]);
  if (!sv_registration_decode (question->metadata, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &registration,
                               error))
    return FALSE;
  printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " ", registration.block, registration.reveal_round);
  print_text (registration.text);
  return TRUE;
}

static gboolean
answer_events (const Question *question, GError **error)
{
  static const char *const names[] = { "unknown", "success", "failure" };
  g_auto (SvBlockOutcomes) outcomes = { 0 };
  g_autoptr (GBytes) bytes = bytes_of (question->words[1]);
  if (!sv_events_read_outcomes (question->metadata, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                                (guint)number_of (question->words[0]), &outcomes, error))
    return FALSE;
  for (guint i = 0; i < outcomes.n; i++)
    printf ("%s%s", i > 0 ? "\t" : "", outcomes.failures[i] != NULL ? outcomes.failures[i] : names[outcomes.outcomes[i]]);
  return TRUE;
}

static gboolean
answer_header (const Question *question, GError **error)
{
  SvHeader header;
  g_autoptr (json_t) json = json_loads (question->words[0], 0, NULL);
  if (!sv_header_from_json (json, &header, error))
    return FALSE;
  printf ("%" G_GUINT64_FORMAT " %s %s %d", header.number, header.hash, header.parent, header.changes_runtime);
  return TRUE;
}

static const struct
{
  const char *name;
  guint n_words;
  gboolean (*answer) (const Question *question, GError **error);
} kinds[] = {
  { "call", 2, answer_call },     { "payload", 8, answer_payload },           { "sign", 10, answer_sign },
  { "read", 1, answer_read },     { "registration", 1, answer_registration }, { "events", 2, answer_events },
  { "header", 1, answer_header },
};

static void
answer (const SvMetadata *metadata, const char *line)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = g_strsplit (line, " ", MAX_WORDS);
  Question question = { metadata, words + 1, g_strv_length (words) - 1 };
  gsize kind = 0;
  while (kind < G_N_ELEMENTS (kinds) && strcmp (kinds[kind].name, words[0]) != 0)
    kind++;
  if (kind == G_N_ELEMENTS (kinds) || question.n_words != kinds[kind].n_words)
    g_error ("\"%.80s\" is no question", line);
  if (!kinds[kind].answer (&question, &error))
    printf ("error: %s", error->message);
  putchar ('\n');
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *content = NULL, *line = NULL;
  gsize content_length = 0;
  size_t size = 0;
  ssize_t length;
  if (argc != 2 || !g_file_get_contents (argv[1], &content, &content_length, NULL))
    g_error ("usage: print_extrinsics METADATA_FILE");
  g_autoptr (SvMetadata) metadata = sv_metadata_parse (content, content_length, &error);
  if (metadata == NULL)
    g_error ("%s: %s", argv[1], error->message);
  while ((length = getline (&line, &size, stdin)) > 0)
  {
    g_strchomp (line);
    answer (metadata, line);
  }
  return ferror (stdin) || fflush (stdout) != 0;
}
