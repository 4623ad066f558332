/* The validation report. Rules stand in protocol/, places come from base/authored; here they meet. */
#include "operator/authoring.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define READ_PIECE 65536

SvAuthoredManifest *
sv_authored_manifest_read (const char *name, GBytes *bytes, GError **error)
{
  g_autoptr (SvAuthoredManifest) authored = g_new0 (SvAuthoredManifest, 1);
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  authored->name = g_strdup (name);
  authored->json = sv_authored_parse (name, data, length, SV_MANIFEST_MAX_SIZE, &authored->places, error);
  if (authored->json == NULL)
    return NULL;
  authored->faults = sv_faults_new ();
  sv_manifest_check_authored (authored->json, authored->faults);
  return g_steal_pointer (&authored);
}

/* Reads one byte more than is allowed at most; the parser then says what is too long. */
static GBytes *
read_standard_input (GError **error)
{
  g_autoptr (GByteArray) text = g_byte_array_new ();
  guint8 piece[READ_PIECE];
  ssize_t n = 1;
  while (n > 0 && text->len <= SV_MANIFEST_MAX_SIZE)
  {
    n = read (STDIN_FILENO, piece, sizeof piece);
    if (n > 0)
      g_byte_array_append (text, piece, (guint)n);
    else if (n < 0 && errno == EINTR)
      n = 1;
  }
  if (n >= 0)
    return g_byte_array_free_to_bytes (g_steal_pointer (&text));
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "standard input cannot be read: %s", g_strerror (errno));
  return NULL;
}

SvAuthoredManifest *
sv_authored_manifest_load (const char *path, GError **error)
{
  gboolean is_input = strcmp (path, "-") == 0;
  g_autoptr (GBytes) bytes = is_input ? read_standard_input (error) : sv_file_read (path, SV_MANIFEST_MAX_SIZE, error);
  return bytes != NULL ? sv_authored_manifest_read (is_input ? "standard input" : path, bytes, error) : NULL;
}

void
sv_authored_manifest_free (SvAuthoredManifest *authored)
{
  if (authored == NULL)
    return;
  g_free (authored->name);
  json_decref (authored->json);
  g_clear_pointer (&authored->places, sv_places_free);
  g_clear_pointer (&authored->faults, sv_faults_free);
  g_free (authored);
}

static gboolean
counts (const SvFault *fault, gboolean strict)
{
  return strict || !fault->is_warning;
}

gboolean
sv_authored_manifest_check (const SvAuthoredManifest *authored, gboolean strict, GError **error)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  guint n = 0;
  for (guint i = 0; i < authored->faults->items->len; i++)
  {
    const SvFault *fault = authored->faults->items->pdata[i];
    if (!counts (fault, strict))
      continue;
    g_autofree char *line = sv_places_describe (authored->places, fault);
    g_string_append_printf (lines, "%s%s", n++ > 0 ? "\n" : "", line);
  }
  if (n == 0)
    return TRUE;
  if (n == 1)
    g_set_error_literal (error, SV_ERROR, SV_ERROR_MALFORMED, lines->str);
  else
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: %u faults\n%s", authored->name, n, lines->str);
  return FALSE;
}

static json_t *
fault_to_json (const SvAuthoredManifest *authored, const SvFault *fault)
{
  guint line, column;
  g_autofree char *path = sv_pointer_to_path (fault->pointer);
  sv_places_find (authored->places, fault->pointer, &line, &column);
  json_t *json = json_object ();
  json_object_set_new (json, "line", sv_json_integer (line));
  json_object_set_new (json, "column", sv_json_integer (column));
  json_object_set_new (json, "path", json_string (path));
  json_object_set_new (json, "message", json_string (fault->message));
  return json;
}

json_t *
sv_authored_manifest_report (const SvAuthoredManifest *authored, gboolean strict)
{
  json_t *errors = json_array ();
  json_t *warnings = json_array ();
  for (guint i = 0; i < authored->faults->items->len; i++)
  {
    const SvFault *fault = authored->faults->items->pdata[i];
    json_array_append_new (counts (fault, strict) ? errors : warnings, fault_to_json (authored, fault));
  }
  json_t *report = json_object ();
  json_object_set_new (report, "file", json_string (authored->name));
  json_object_set_new (report, "valid", json_boolean (json_array_size (errors) == 0));
  json_object_set_new (report, "errors", errors);
  json_object_set_new (report, "warnings", warnings);
  return report;
}
