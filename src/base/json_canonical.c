/* Writing JSON: canonical (RFC 8785) and for people. One walk does both; they differ in spaces and in the order of keys. The
 * writer refuses what our own reader would refuse, so that nothing is signed that cannot be read again. Whether bytes are
 * canonical is found out by the same walk, which then compares with them what it would write: every document is asked that
 * when it is read, and an index of many MiB must not be written out for it. */
#include "base/json.h"

#include <string.h>

#include "base/error.h"

typedef struct
{
  GString *out;         /* or NULL: nothing is written, but compared with @expected */
  const char *expected; /* what is still to come */
  gsize n_expected;
  gboolean is_pretty;
  guint depth;
  GError **error;
} Writer;

typedef struct
{
  const char *text;
  gsize length;
  const json_t *value;
} Member;

static gboolean write_value (Writer *writer, const json_t *value);

static gboolean
fail (Writer *writer, const char *reason)
{
  g_set_error (writer->error, SV_ERROR, SV_ERROR_MALFORMED, "cannot write JSON: %s", reason);
  return FALSE;
}

/* FALSE without an error when it is not what was expected. */
static gboolean
put (Writer *writer, const char *text, gsize length)
{
  if (writer->out != NULL)
  {
    g_string_append_len (writer->out, text, (gssize)length);
    return TRUE;
  }
  if (length > writer->n_expected || memcmp (text, writer->expected, length) != 0)
    return FALSE;
  writer->expected += length;
  writer->n_expected -= length;
  return TRUE;
}

static gboolean
put_byte (Writer *writer, char c)
{
  return put (writer, &c, 1);
}

/* By UTF-16 code units, as RFC 8785 wants it. UTF-8 bytes give the same order but for one thing: characters beyond U+FFFF are
 * surrogates (D800…DFFF) in UTF-16 and so come before U+E000…U+FFFF, whose first bytes are EE and EF, although their own first
 * byte is F0 or more. Strings that differ do so first in a leading byte, or in a following one under equal leading bytes. */
static int
compare_utf16 (const Member *a, const Member *b)
{
  gsize shared = MIN (a->length, b->length);
  gsize i = 0;
  guint8 x, y;

  while (i < shared && a->text[i] == b->text[i])
    i++;
  if (i == shared)
    return a->length < b->length ? -1 : a->length > b->length;
  x = (guint8)a->text[i];
  y = (guint8)b->text[i];
  if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0))
    return x >= 0xf0 ? -1 : 1;
  return x < y ? -1 : 1;
}

static int
compare_members (const void *a, const void *b)
{
  return compare_utf16 (a, b);
}

static gboolean
write_escape (Writer *writer, guint8 c)
{
  static const char short_forms[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
  char text[8];

  if (c == '"' || c == '\\')
    g_snprintf (text, sizeof text, "\\%c", c);
  else if (c < sizeof short_forms && short_forms[c] != 0)
    g_snprintf (text, sizeof text, "\\%c", short_forms[c]);
  else
    g_snprintf (text, sizeof text, "\\u%04x", c);
  return put (writer, text, strlen (text));
}

static gboolean
write_string (Writer *writer, const char *text, gsize length)
{
  gsize start = 0;

  if (!put_byte (writer, '"'))
    return FALSE;
  for (gsize i = 0; i < length; i++)
  {
    guint8 c = (guint8)text[i];

    if (c >= 0x20 && c != '"' && c != '\\')
      continue;
    if (!put (writer, text + start, i - start) || !write_escape (writer, c))
      return FALSE;
    start = i + 1;
  }
  return put (writer, text + start, length - start) && put_byte (writer, '"');
}

/* Jansson holds no NaN and no infinity; json_real() of one is NULL. */
static gboolean
write_number (Writer *writer, const json_t *value)
{
  const json_int_t max = (json_int_t)SV_JSON_MAX_INTEGER;
  char text[32];

  if (json_is_integer (value) && (json_integer_value (value) > max || json_integer_value (value) < -max))
    return fail (writer, "an integer lies beyond 2^53 - 1");
  sv_json_format_number (json_number_value (value), text);
  return put (writer, text, strlen (text));
}

static gboolean
write_line (Writer *writer)
{
  if (!writer->is_pretty)
    return TRUE;
  if (!put_byte (writer, '\n'))
    return FALSE;
  for (guint i = 0; i < writer->depth; i++)
    if (!put (writer, "  ", 2))
      return FALSE;
  return TRUE;
}

static gboolean
open_container (Writer *writer, char bracket)
{
  if (++writer->depth > SV_JSON_MAX_DEPTH)
    return fail (writer, "nesting is deeper than " G_STRINGIFY (SV_JSON_MAX_DEPTH));
  return put_byte (writer, bracket);
}

static gboolean
close_container (Writer *writer, char bracket, gboolean is_empty)
{
  writer->depth--;
  return (is_empty || write_line (writer)) && put_byte (writer, bracket);
}

static gboolean
write_array (Writer *writer, const json_t *array)
{
  gsize n = json_array_size (array);

  if (!open_container (writer, '['))
    return FALSE;
  for (gsize i = 0; i < n; i++)
  {
    if ((i > 0 && !put_byte (writer, ',')) || !write_line (writer) || !write_value (writer, json_array_get (array, i)))
      return FALSE;
  }
  return close_container (writer, ']', n == 0);
}

/* Returns: (transfer container) the members, sorted unless they are for people. What was read from canonical bytes stands in
 * order already. */
static GArray *
collect_members (const Writer *writer, const json_t *object)
{
  json_t *mutable = (json_t *)object; /* iterating changes nothing */
  GArray *members = g_array_sized_new (FALSE, FALSE, sizeof (Member), (guint)json_object_size (object));
  gboolean is_sorted = TRUE;

  for (void *iter = json_object_iter (mutable); iter != NULL; iter = json_object_iter_next (mutable, iter))
  {
    Member member = { json_object_iter_key (iter), json_object_iter_key_len (iter), json_object_iter_value (iter) };
    if (members->len > 0 && compare_utf16 (&g_array_index (members, Member, members->len - 1), &member) > 0)
      is_sorted = FALSE;
    g_array_append_val (members, member);
  }
  if (!writer->is_pretty && !is_sorted)
    g_array_sort (members, compare_members);
  return members;
}

static gboolean
write_object (Writer *writer, const json_t *object)
{
  g_autoptr (GArray) members = collect_members (writer, object);

  if (!open_container (writer, '{'))
    return FALSE;
  for (guint i = 0; i < members->len; i++)
  {
    const Member *member = &g_array_index (members, Member, i);

    if ((i > 0 && !put_byte (writer, ',')) || !write_line (writer) || !write_string (writer, member->text, member->length))
      return FALSE;
    if (!put (writer, ": ", writer->is_pretty ? 2 : 1) || !write_value (writer, member->value))
      return FALSE;
  }
  return close_container (writer, '}', members->len == 0);
}

static gboolean
write_value (Writer *writer, const json_t *value)
{
  switch (json_typeof (value))
  {
  case JSON_OBJECT:
    return write_object (writer, value);
  case JSON_ARRAY:
    return write_array (writer, value);
  case JSON_STRING:
    return write_string (writer, json_string_value (value), json_string_length (value));
  case JSON_INTEGER:
  case JSON_REAL:
    return write_number (writer, value);
  case JSON_TRUE:
    return put (writer, "true", 4);
  case JSON_FALSE:
    return put (writer, "false", 5);
  case JSON_NULL:
    return put (writer, "null", 4);
  }
  g_assert_not_reached ();
}

GBytes *
sv_json_canonical (const json_t *value, GError **error)
{
  Writer writer = { .out = g_string_new (NULL), .error = error };

  if (write_value (&writer, value))
    return g_string_free_to_bytes (writer.out);
  g_string_free (writer.out, TRUE);
  return NULL;
}

gboolean
sv_json_is_canonical (const json_t *value, const void *data, gsize length)
{
  Writer writer = { .expected = data, .n_expected = length };

  return write_value (&writer, value) && writer.n_expected == 0;
}

/* For values that are known to be writable. */
static char *
write_string_or_abort (const json_t *value, gboolean is_pretty)
{
  g_autoptr (GError) error = NULL;
  Writer writer = { .out = g_string_new (NULL), .is_pretty = is_pretty, .error = &error };

  if (!write_value (&writer, value))
    g_error ("%s", error->message);
  if (is_pretty)
    g_string_append_c (writer.out, '\n');
  return g_string_free (writer.out, FALSE);
}

char *
sv_json_canonical_string (const json_t *value)
{
  return write_string_or_abort (value, FALSE);
}

char *
sv_json_pretty (const json_t *value)
{
  return write_string_or_abort (value, TRUE);
}
