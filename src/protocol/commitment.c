/* The text of a commitment, read and written to the letter.
 *
 *   sv1 commit WINDOW TOTAL_CAP                  sv1 withdraw WINDOW
 *   ELEMENT REVISION SLUG CHUTE_ID CAP           ELEMENT
 *   …                                            …
 *
 * Single spaces, LF between lines, none at the end: so two readers cannot see different things in one text, and what was
 * formatted parses to the same. Anybody can put any text on the chain, so a text is checked for size and for ASCII before
 * anything else is done with it, and messages quote at most QUOTED characters of it.
 *
 * What a text does to a hotkey's bindings is fold.c's business. */
#include "protocol/commitment.h"

#include "base/error.h"
#include "base/identifiers.h"

#include <string.h>

#define FAMILY "sv1 "
#define COMMIT "sv1 commit "
#define WITHDRAW "sv1 withdraw "
#define QUOTED 64

void
sv_binding_clear (SvBinding *binding)
{
  g_free (binding->element_id);
  g_free (binding->hf_revision);
  g_free (binding->chute_slug);
  g_free (binding->chute_id);
  *binding = (SvBinding){ 0 };
}

void
sv_binding_copy (SvBinding *to, const SvBinding *from)
{
  SvBinding copy = {
    .element_id = g_strdup (from->element_id),
    .hf_revision = g_strdup (from->hf_revision),
    .chute_slug = g_strdup (from->chute_slug),
    .chute_id = g_strdup (from->chute_id),
    .cap_milli = from->cap_milli,
  };
  sv_binding_clear (to);
  *to = copy;
}

static void
binding_free (gpointer data)
{
  sv_binding_clear (data);
  g_free (data);
}

SvCommitmentText *
sv_commitment_text_new (gboolean is_withdrawal, const char *window_id, guint64 total_cap_milli)
{
  SvCommitmentText *text = g_new0 (SvCommitmentText, 1);
  text->is_withdrawal = is_withdrawal;
  text->window_id = g_strdup (window_id);
  text->total_cap_milli = is_withdrawal ? 0 : total_cap_milli;
  text->bindings = g_ptr_array_new_with_free_func (binding_free);
  return text;
}

void
sv_commitment_text_add (SvCommitmentText *text, const char *element_id, const char *hf_revision, const char *chute_slug,
                        const char *chute_id, guint64 cap_milli)
{
  SvBinding *binding = g_new0 (SvBinding, 1);
  binding->element_id = g_strdup (element_id);
  if (!text->is_withdrawal)
  {
    binding->hf_revision = g_strdup (hf_revision);
    binding->chute_slug = g_strdup (chute_slug);
    binding->chute_id = g_strdup (chute_id);
    binding->cap_milli = cap_milli;
  }
  g_ptr_array_add (text->bindings, binding);
}

void
sv_commitment_text_free (SvCommitmentText *text)
{
  if (text == NULL)
    return;
  g_free (text->window_id);
  g_ptr_array_unref (text->bindings);
  g_free (text);
}

gboolean
sv_text_is_ours (const char *text)
{
  return text != NULL && g_str_has_prefix (text, FAMILY);
}

gboolean
sv_commitment_text_window_into (const char *text, char window_id[SV_WINDOW_ID_MAX + 1])
{
  const char *window = NULL;
  if (text != NULL && g_str_has_prefix (text, COMMIT))
    window = text + strlen (COMMIT);
  else if (text != NULL && g_str_has_prefix (text, WITHDRAW))
    window = text + strlen (WITHDRAW);
  gsize length = window != NULL ? strcspn (window, " \n") : 0;
  if (length == 0 || length > SV_WINDOW_ID_MAX)
    return FALSE;

  memcpy (window_id, window, length);
  window_id[length] = '\0';
  return sv_window_id_is_valid (window_id);
}

char *
sv_commitment_text_window (const char *text)
{
  char window_id[SV_WINDOW_ID_MAX + 1];
  return sv_commitment_text_window_into (text, window_id) ? g_strdup (window_id) : NULL;
}

gboolean
sv_commitment_text_names (const char *text, const char *element_id)
{
  gsize length = strlen (element_id);
  for (const char *line = strchr (text, '\n'); line != NULL; line = strchr (line + 1, '\n'))
  {
    if (strncmp (line + 1, element_id, length) == 0 && strchr (" \n", line[1 + length]) != NULL)
      return TRUE;
  }
  return FALSE;
}

static gboolean G_GNUC_PRINTF (3, 4) fault (GError **error, guint line, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "commitment text: line %u: %s", line, reason);
  return FALSE;
}

static gboolean
check_bytes (const char *text, gsize length, GError **error)
{
  guint line = 1;

  if (length > SV_COMMITMENT_MAX_TEXT)
    return fault (error, 1, "the text has %" G_GSIZE_FORMAT " bytes; at most %d are read", length, SV_COMMITMENT_MAX_TEXT);
  for (gsize i = 0; i < length; i++)
  {
    if (text[i] == '\n')
      line++;
    else if (!g_ascii_isprint (text[i]))
      return fault (error, line, "byte 0x%02x is not printable ASCII", (guint)(guchar)text[i]);
  }
  return TRUE;
}

/* Words of a line, which single spaces separate. */
static char **
split_words (const char *line, guint number, guint expected, const char *form, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  guint n = g_strv_length (words);

  if (n == 0)
  {
    fault (error, number, "is empty; every line after the first names an element, and none follows the last");
    return NULL;
  }
  for (guint i = 0; i < n; i++)
  {
    if (*words[i] != '\0')
      continue;
    fault (error, number, "words are separated by exactly one space, with none before or after");
    return NULL;
  }
  if (n != expected)
  {
    fault (error, number, "has %u words; expected \"%s\"", n, form);
    return NULL;
  }
  return g_steal_pointer (&words);
}

static gboolean
check_word (gboolean valid, guint number, const char *name, const char *word, GError **error)
{
  return valid || fault (error, number, "%s \"%.*s\" is not well formed", name, QUOTED, word);
}

static SvCommitmentText *
parse_first_line (const char *line, GError **error)
{
  gboolean is_withdrawal = g_str_has_prefix (line, WITHDRAW);
  guint64 total = 0;

  if (!is_withdrawal && !g_str_has_prefix (line, COMMIT))
  {
    fault (error, 1, "begins with neither \"%s\" nor \"%s\"", COMMIT, WITHDRAW);
    return NULL;
  }
  g_auto (GStrv) words =
      is_withdrawal ? split_words (line, 1, 3, WITHDRAW "WINDOW", error) : split_words (line, 1, 4, COMMIT "WINDOW CAP", error);
  if (words == NULL || !check_word (sv_window_id_is_valid (words[2]), 1, "window_id", words[2], error))
    return NULL;
  if (!is_withdrawal && !check_word (sv_cap_parse (words[3], &total), 1, "cap", words[3], error))
    return NULL;
  return sv_commitment_text_new (is_withdrawal, words[2], total);
}

static gboolean
parse_withdrawn (SvCommitmentText *text, const char *line, guint number, GError **error)
{
  g_auto (GStrv) words = split_words (line, number, 1, "ELEMENT", error);

  if (words == NULL || !check_word (sv_element_id_is_valid (words[0]), number, "element_id", words[0], error))
    return FALSE;
  sv_commitment_text_add (text, words[0], NULL, NULL, NULL, 0);
  return TRUE;
}

static gboolean
parse_bound (SvCommitmentText *text, const char *line, guint number, GError **error)
{
  guint64 cap = 0;
  g_auto (GStrv) words = split_words (line, number, 5, "ELEMENT REVISION SLUG CHUTE_ID CAP", error);

  if (words == NULL || !check_word (sv_element_id_is_valid (words[0]), number, "element_id", words[0], error) ||
      !check_word (sv_hf_revision_is_valid (words[1]), number, "hf_revision", words[1], error) ||
      !check_word (sv_chute_slug_is_valid (words[2]), number, "chute_slug", words[2], error) ||
      !check_word (sv_chute_id_is_valid (words[3]), number, "chute_id", words[3], error) ||
      !check_word (sv_cap_parse (words[4], &cap), number, "cap", words[4], error))
    return FALSE;
  sv_commitment_text_add (text, words[0], words[1], words[2], words[3], cap);
  return TRUE;
}

static gboolean
check_named_once (const SvCommitmentText *text, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < text->bindings->len; i++)
  {
    const SvBinding *binding = g_ptr_array_index (text->bindings, i);
    if (!g_hash_table_add (seen, binding->element_id))
      return fault (error, i + 2, "element %s is named twice", binding->element_id);
  }
  return TRUE;
}

SvCommitmentText *
sv_commitment_text_parse (const char *bytes, gsize length, GError **error)
{
  if (!check_bytes (bytes, length, error))
    return NULL;

  g_autofree char *whole = g_strndup (bytes, length);
  g_auto (GStrv) lines = g_strsplit (whole, "\n", -1);
  g_autoptr (SvCommitmentText) text = parse_first_line (lines[0] != NULL ? lines[0] : "", error);
  if (text == NULL)
    return NULL;
  if (lines[1] == NULL)
  {
    fault (error, 1, "names no element; one line each must follow");
    return NULL;
  }
  for (guint i = 1; lines[i] != NULL; i++)
  {
    if (!(text->is_withdrawal ? parse_withdrawn : parse_bound) (text, lines[i], i + 1, error))
      return NULL;
  }
  return check_named_once (text, error) ? g_steal_pointer (&text) : NULL;
}

char *
sv_commitment_text_format (const SvCommitmentText *text)
{
  GString *out = g_string_new (text->is_withdrawal ? WITHDRAW : COMMIT);

  g_string_append (out, text->window_id);
  if (!text->is_withdrawal)
  {
    g_autofree char *total = sv_cap_format (text->total_cap_milli);
    g_string_append_printf (out, " %s", total);
  }
  for (guint i = 0; i < text->bindings->len; i++)
  {
    const SvBinding *binding = g_ptr_array_index (text->bindings, i);
    g_string_append_printf (out, "\n%s", binding->element_id);
    if (text->is_withdrawal)
      continue;
    g_autofree char *cap = sv_cap_format (binding->cap_milli);
    g_string_append_printf (out, " %s %s %s %s", binding->hf_revision, binding->chute_slug, binding->chute_id, cap);
  }
  return g_string_free (out, FALSE);
}
