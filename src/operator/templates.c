/* The marked places of a template are whole lines: `window_id:`, `expiry_block:` and `# start_block:` at the margin, and
 * `clips: []` under each `- id:`. Replacing lines keeps every comment as its author wrote it; that the result is a valid
 * manifest is checked afterwards by the same rules as any other. */
#include "operator/templates.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/identifiers.h"

void
sv_template_clip_free (SvTemplateClip *clip)
{
  if (clip == NULL)
    return;
  g_free (clip->element_id);
  g_free (clip->hash);
  g_free (clip);
}

/* ── --clip ── */

static gboolean
parse_weight (const char *text, double *weight)
{
  char *end;
  *weight = 1;
  if (text == NULL)
    return TRUE;
  if (!g_ascii_isdigit (*text))
    return FALSE;
  *weight = g_ascii_strtod (text, &end);
  return *end == '\0' && isfinite (*weight) && *weight > 0;
}

/* A hash may hold a colon itself ("sha256:…"), so the whole is tried before the part behind the first one. */
static gboolean
parse_target (const char *text, SvTemplateClip *clip)
{
  clip->hash = sv_hash_normalize (text);
  if (clip->hash != NULL)
    return TRUE;
  const char *colon = strchr (text, ':');
  if (colon == NULL)
    return FALSE;
  clip->element_id = g_strndup (text, (gsize)(colon - text));
  clip->hash = sv_hash_normalize (colon + 1);
  return clip->hash != NULL && sv_element_id_is_valid (clip->element_id);
}

SvTemplateClip *
sv_template_clip_parse (const char *text, GError **error)
{
  const char *equals = strrchr (text, '=');
  g_autofree char *target = equals != NULL ? g_strndup (text, (gsize)(equals - text)) : g_strdup (text);
  SvTemplateClip *clip = g_new0 (SvTemplateClip, 1);
  if (parse_target (target, clip) && parse_weight (equals != NULL ? equals + 1 : NULL, &clip->weight))
    return clip;
  sv_template_clip_free (clip);
  g_autofree char *shown = sv_text_printable (text);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "--clip %s: not [ELEMENT:]HASH[=WEIGHT], where HASH is a clip's SHA-256 (as `sv clip list` shows it) and WEIGHT "
               "is above 0",
               shown);
  return NULL;
}

/* ── lines ── */

static void
append_clips (GString *out, const char *indent, const char *element_id, const SvTemplateValues *values)
{
  gsize length = out->len;
  g_string_append_printf (out, "%sclips:\n", indent);
  gsize empty = out->len;
  for (guint i = 0; values->clips != NULL && i < values->clips->len; i++)
  {
    const SvTemplateClip *clip = values->clips->pdata[i];
    char weight[32];
    if (clip->element_id != NULL && g_strcmp0 (clip->element_id, element_id) != 0)
      continue;
    sv_json_format_number (clip->weight, weight);
    g_string_append_printf (out, "%s  - hash: %s\n%s    weight: %s\n", indent, clip->hash, indent, weight);
  }
  if (out->len > empty)
    return;
  g_string_truncate (out, length);
  g_string_append_printf (out, "%sclips: []\n", indent);
}

static void
append_line (GString *out, const char *line, char **element_id, const SvTemplateValues *values)
{
  gsize spaces = strspn (line, " ");
  g_autofree char *indent = g_strndup (line, spaces);
  const char *rest = line + spaces;
  if (g_str_has_prefix (line, "window_id:"))
    g_string_append_printf (out, "window_id: \"%s\"\n", values->window_id);
  else if (g_str_has_prefix (line, "expiry_block:"))
    g_string_append_printf (out, "expiry_block: %" G_GUINT64_FORMAT "\n", values->expiry_block);
  else if (g_str_has_prefix (line, "# start_block:") && values->has_start_block)
    g_string_append_printf (out, "start_block: %" G_GUINT64_FORMAT "\n", values->start_block);
  else if (strcmp (rest, "clips: []") == 0)
    append_clips (out, indent, *element_id, values);
  else
    g_string_append_printf (out, "%s\n", line);
  if (!g_str_has_prefix (rest, "- id: "))
    return;
  g_free (*element_id);
  *element_id = g_strstrip (g_strdup (rest + strlen ("- id: ")));
}

static char *
fill_lines (const char *text, const SvTemplateValues *values)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *element_id = NULL;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (line[1] != NULL || **line != '\0') /* the last line feed ends a line, it does not begin one */
      append_line (out, *line, &element_id, values);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* ── the whole ── */

static const SvTemplate *
find_template (const char *name, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);
  for (const SvTemplate *template = sv_templates; template->name != NULL; template ++)
  {
    if (strcmp (template->name, name) == 0)
      return template;
    g_string_append_printf (known, "%s%s", known->len > 0 ? ", " : "", template->name);
  }
  g_autofree char *shown = sv_text_printable (name);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "there is no template %s; there are: %s", shown, known->str);
  return NULL;
}

static gboolean
check_clip_elements (const SvTemplateValues *values, const json_t *json, GError **error)
{
  g_autoptr (SvManifest) manifest = sv_manifest_from_authored (json, error);
  if (manifest == NULL)
    return FALSE;
  for (guint i = 0; values->clips != NULL && i < values->clips->len; i++)
  {
    const SvTemplateClip *clip = values->clips->pdata[i];
    if (clip->element_id == NULL || sv_manifest_find_element (manifest, clip->element_id) != NULL)
      continue;
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--clip: the template %s has no element %s", values->name, clip->element_id);
    return FALSE;
  }
  return TRUE;
}

/* Values of the command line can break the manifest's rules: an expiry before the start, a clip named twice. Lines of what is
 * not written anywhere yet would tell nobody anything. */
static gboolean
check_result (const SvTemplateValues *values, const char *text, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  g_autoptr (SvAuthoredManifest) authored = sv_authored_manifest_read ("the manifest", bytes, &local);
  if (authored != NULL && sv_authored_manifest_check (authored, TRUE, &local) &&
      check_clip_elements (values, authored->json, &local))
    return TRUE;
  g_autoptr (GRegex) place = g_regex_new ("^the manifest(:\\d+)*: ", G_REGEX_MULTILINE, 0, NULL);
  g_autofree char *message = g_regex_replace_literal (place, local->message, -1, 0, "", 0, NULL);
  g_set_error_literal (error, SV_ERROR, SV_ERROR_USAGE, message);
  return FALSE;
}

char *
sv_template_fill (const SvTemplateValues *values, GError **error)
{
  const SvTemplate *template = find_template (values->name, error);
  if (template == NULL)
    return NULL;
  if (!sv_window_id_is_valid (values->window_id))
  {
    g_autofree char *shown = sv_text_printable (values->window_id);
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "`%s` is not a window id: 1 to 64 of letters, digits, `.`, `_` and `-`, the first a letter or digit", shown);
    return NULL;
  }
  g_autofree char *text = fill_lines (template->text, values);
  return check_result (values, text, error) ? g_steal_pointer (&text) : NULL;
}
