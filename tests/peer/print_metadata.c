/* For metadata.test.mjs: reads questions from standard input, one a line, and prints the answer to each on its line, or "error:
 * " and the reason. All bytes are bare hex; "-" is none, and stands for no bytes too. usage: print_metadata METADATA_FILE
 *
 *   value TYPE BYTES              bytes passed over, and the value as JSON
 *   entry PALLET ENTRY            PREFIX IS_OPTIONAL VALUE_TYPE DEFAULT, and HASHER:TYPE of each key
 *   key PALLET ENTRY KEY…         the storage key, and each key as it is found in there
 *   constant PALLET NAME          TYPE BYTES
 *   call PALLET NAME              PALLET_INDEX CALL_INDEX
 *   names PALLET INDEX            of the pallet, and its call, event and error of that index
 *   docs PALLET INDEX             of that error
 *   types                         how many
 *   extrinsic                     ADDRESS CALL SIGNATURE, whether 4 and 5 are taken, IDENTIFIER:TYPE:ADDITIONAL of extensions
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "chain/subtensor/storage_key.h"
#include "chain/subtensor/value.h"

typedef struct
{
  const SvMetadata *metadata;
  char **words; /* those after the first */
  guint n_words;
} Question;

static GBytes *
bytes_of (const char *hex)
{
  gsize length = strcmp (hex, "-") == 0 ? 0 : strlen (hex) / 2;
  guint8 *bytes = g_malloc (length + 1);
  if (length > 0 && !sv_hex_decode (hex, FALSE, bytes, length))
    g_error ("\"%s\" is not hex", hex);
  return g_bytes_new_take (bytes, length);
}

static void
print_bytes (const void *data, gsize length)
{
  g_autofree char *hex = sv_hex_encode (data, length);
  printf (" %s", length > 0 ? hex : "-");
}

static guint32
number_of (const char *word)
{
  return (guint32)g_ascii_strtoull (word, NULL, 10);
}

static gboolean
answer_value (const Question *question, GError **error)
{
  guint32 type = number_of (question->words[0]);
  g_autoptr (GBytes) bytes = bytes_of (question->words[1]);
  SvScaleReader skipped = sv_scale_reader (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  SvScaleReader decoded = skipped;
  sv_value_skip (question->metadata, type, &skipped);
  g_autoptr (json_t) value = sv_value_decode (question->metadata, type, &decoded);
  if (!sv_scale_check (&skipped, "skip", error) || !sv_scale_check (&decoded, "decode", error))
    return FALSE;
  g_assert (skipped.offset == decoded.offset);
  g_autofree char *text = sv_json_canonical_string (value);
  printf (" %" G_GSIZE_FORMAT " %s", skipped.offset, text);
  return TRUE;
}

static gboolean
answer_entry (const Question *question, GError **error)
{
  const SvStorageEntry *entry = sv_metadata_storage (question->metadata, question->words[0], question->words[1], error);
  if (entry == NULL)
    return FALSE;
  printf (" %s %d %u", entry->prefix, entry->is_optional, entry->value_type);
  print_bytes (entry->default_bytes, entry->default_length);
  for (guint i = 0; i < entry->n_keys; i++)
    printf (" %u:%u", entry->hashers[i], entry->key_types[i]);
  return TRUE;
}

static void
print_part (GBytes *part)
{
  if (part != NULL)
    print_bytes (g_bytes_get_data (part, NULL), g_bytes_get_size (part));
  else
    printf (" none");
}

static gboolean
answer_key (const Question *question, GError **error)
{
  const SvStorageEntry *entry = sv_metadata_storage (question->metadata, question->words[0], question->words[1], error);
  if (entry == NULL)
    return FALSE;
  guint n_keys = question->n_words - 2;
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  for (guint i = 0; i < n_keys; i++)
    g_ptr_array_add (keys, bytes_of (question->words[i + 2]));
  g_autofree char *key = sv_storage_key (entry, (const GBytes *const *)keys->pdata, n_keys);
  printf (" %s", key);
  for (guint i = 0; i < n_keys; i++)
  {
    g_autoptr (GBytes) part = sv_storage_key_part (question->metadata, entry, key, i);
    print_part (part);
  }
  return TRUE;
}

static gboolean
answer_constant (const Question *question, GError **error)
{
  SvConstant constant;
  if (!sv_metadata_constant (question->metadata, question->words[0], question->words[1], &constant, error))
    return FALSE;
  printf (" %u", constant.type);
  print_bytes (constant.bytes, constant.length);
  return TRUE;
}

static gboolean
answer_call (const Question *question, GError **error)
{
  SvCallInfo call;
  if (!sv_metadata_call (question->metadata, question->words[0], question->words[1], &call, error))
    return FALSE;
  printf (" %u %u", call.pallet, call.call->index);
  return TRUE;
}

static void
print_name (const SvVariant *variant)
{
  printf (" %s", variant != NULL ? variant->name : "-");
}

static gboolean
answer_names (const Question *question, GError **error)
{
  guint8 pallet = (guint8)number_of (question->words[0]);
  guint8 index = (guint8)number_of (question->words[1]);
  const char *name = sv_metadata_pallet_name (question->metadata, pallet);
  printf (" %s", name != NULL ? name : "-");
  print_name (sv_metadata_call_at (question->metadata, pallet, index));
  print_name (sv_metadata_event_at (question->metadata, pallet, index));
  print_name (sv_metadata_error_at (question->metadata, pallet, index));
  return TRUE;
}

static gboolean
answer_docs (const Question *question, GError **error)
{
  const SvVariant *variant =
      sv_metadata_error_at (question->metadata, (guint8)number_of (question->words[0]), (guint8)number_of (question->words[1]));
  printf (" %s", variant != NULL ? variant->docs : "-");
  return TRUE;
}

static gboolean
answer_types (const Question *question, GError **error)
{
  printf (" %u", sv_metadata_n_types (question->metadata));
  return TRUE;
}

static gboolean
answer_extrinsic (const Question *question, GError **error)
{
  const SvMetadata *metadata = question->metadata;
  guint n;
  const SvExtension *extensions = sv_metadata_extensions (metadata, &n);
  printf (" %u %u %u %d %d", sv_metadata_address_type (metadata), sv_metadata_call_type (metadata),
          sv_metadata_signature_type (metadata), sv_metadata_takes_extrinsic (metadata, 4),
          sv_metadata_takes_extrinsic (metadata, 5));
  for (guint i = 0; i < n; i++)
    printf (" %s:%u:%u", extensions[i].identifier, extensions[i].type, extensions[i].additional_type);
  return TRUE;
}

static const struct
{
  const char *name;
  guint n_words; /* at least */
  gboolean (*answer) (const Question *question, GError **error);
} kinds[] = {
  { "value", 2, answer_value },       { "entry", 2, answer_entry }, { "key", 2, answer_key },
  { "constant", 2, answer_constant }, { "call", 2, answer_call },   { "names", 2, answer_names },
  { "docs", 2, answer_docs },         { "types", 0, answer_types }, { "extrinsic", 0, answer_extrinsic },
};

/* Answers begin with a space where they have words. */
static void
answer_line (const SvMetadata *metadata, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  guint n_words = g_strv_length (words);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
  {
    Question question = { .metadata = metadata, .words = words + 1, .n_words = n_words - 1 };
    if (g_strcmp0 (words[0], kinds[i].name) != 0 || question.n_words < kinds[i].n_words)
      continue;
    if (!kinds[i].answer (&question, &error))
      printf (" error: %s", error->message);
    putchar ('\n');
    return;
  }
  g_error ("\"%s\" is no question", line);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *data = NULL;
  gsize length;
  char *line = NULL;
  size_t size = 0;
  ssize_t n;
  if (argc != 2 || !g_file_get_contents (argv[1], &data, &length, &error))
    g_error ("usage: print_metadata METADATA_FILE (%s)", error != NULL ? error->message : "no file");
  g_autoptr (SvMetadata) metadata = sv_metadata_parse (data, length, &error);
  if (metadata == NULL)
    g_error ("%s: %s", argv[1], error->message);
  while ((n = getline (&line, &size, stdin)) > 0)
  {
    line[n - (line[n - 1] == '\n')] = '\0';
    answer_line (metadata, line);
  }
  free (line);
  return ferror (stdin) || fflush (stdout) != 0;
}
