/* Authoring:
 *  - a file's faults are all listed, each with file, line and column; one alone stands by itself
 *  - warnings are faults only when strict; the report as JSON
 *  - what is no document, and what is no file
 * Templates:
 *  - each of them, filled in, is valid and has the values; comments stay
 *  - window ids that YAML would read as something else stay strings
 *  - clips for all elements, for one, with weights; clip arguments that are wrong
 *  - unknown template and element, an expiry before the start, a clip named twice
 */
#include <glib/gstdio.h>

#include "base/error.h"
#include "operator/authoring.h"
#include "operator/templates.h"

#include <string.h>

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void
assert_error (GError **error, SvErrorCode code, const char *part)
{
  g_assert_error (*error, SV_ERROR, (gint)code);
  if (strstr ((*error)->message, part) == NULL)
    g_error ("expected a message with \"%s\", got \"%s\"", part, (*error)->message);
  g_clear_error (error);
}

static SvAuthoredManifest *
read_text (const char *text)
{
  GError *error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  SvAuthoredManifest *authored = sv_authored_manifest_read ("m.yaml", bytes, &error);
  g_assert_no_error (error);
  return authored;
}

static SvTemplateValues
football (GPtrArray *clips)
{
  return (SvTemplateValues){ .name = "football", .window_id = "2025-10-23", .expiry_block = 1000, .clips = clips };
}

static char *
fill (const SvTemplateValues *values)
{
  GError *error = NULL;
  char *text = sv_template_fill (values, &error);
  g_assert_no_error (error);
  return text;
}

static void
assert_not_filled (const SvTemplateValues *values, const char *part)
{
  GError *error = NULL;
  g_assert_null (sv_template_fill (values, &error));
  g_assert_null (strstr (error->message, "the manifest:")); /* no file has such lines */
  assert_error (&error, SV_ERROR_USAGE, part);
}

static char *
replace (const char *text, const char *from, const char *to)
{
  g_auto (GStrv) parts = g_strsplit (text, from, 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  return g_strjoinv (to, parts);
}

/* ── faults ── */

static void
test_faults (void)
{
  GError *error = NULL;
  SvTemplateValues values = football (NULL);
  g_autofree char *good = fill (&values);
  g_autofree char *one_fault = replace (good, "baseline_theta: 0.78", "baseline_theta: 7");
  g_autofree char *two_faults = replace (one_fault, "expiry_block: 1000", "expiry_block: soon");
  g_autoptr (SvAuthoredManifest) one = read_text (one_fault);
  g_autoptr (SvAuthoredManifest) two = read_text (two_faults);
  g_assert_false (sv_authored_manifest_check (one, FALSE, &error));
  g_assert_true (g_str_has_prefix (error->message, "m.yaml:"));
  assert_error (&error, SV_ERROR_MALFORMED, "elements[0].baseline_theta");
  g_assert_false (sv_authored_manifest_check (two, FALSE, &error));
  g_assert_nonnull (strstr (error->message, "m.yaml: 2 faults"));
  g_assert_nonnull (strstr (error->message, "expiry_block"));
  assert_error (&error, SV_ERROR_MALFORMED, "elements[0].baseline_theta");
}

static void
test_strict (void)
{
  GError *error = NULL;
  SvTemplateValues values = football (NULL);
  g_autofree char *good = fill (&values);
  g_autofree char *unknown = g_strconcat (good, "colour: blue\n", NULL);
  g_autoptr (SvAuthoredManifest) authored = read_text (unknown);
  g_assert_true (sv_authored_manifest_check (authored, FALSE, &error));
  g_assert_no_error (error);
  g_assert_false (sv_authored_manifest_check (authored, TRUE, &error));
  assert_error (&error, SV_ERROR_MALFORMED, "colour");
  g_autoptr (json_t) lenient = sv_authored_manifest_report (authored, FALSE);
  g_autoptr (json_t) strict = sv_authored_manifest_report (authored, TRUE);
  g_assert_true (json_is_true (json_object_get (lenient, "valid")));
  g_assert_cmpuint (json_array_size (json_object_get (lenient, "warnings")), ==, 1);
  g_assert_true (json_is_false (json_object_get (strict, "valid")));
  g_assert_cmpuint (json_array_size (json_object_get (strict, "errors")), ==, 1);
}

static void
test_no_document (void)
{
  GError *error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("a: [", 4);
  g_assert_null (sv_authored_manifest_read ("m.yaml", bytes, &error));
  assert_error (&error, SV_ERROR_MALFORMED, "m.yaml:2:1: flow sequence");
  g_assert_null (sv_authored_manifest_load ("/nowhere/m.yaml", &error));
  assert_error (&error, SV_ERROR_NOT_FOUND, "/nowhere/m.yaml");
  g_assert_null (sv_authored_manifest_load ("/", &error));
  assert_error (&error, SV_ERROR_MALFORMED, "/");
}

/* ── templates ── */

static void
test_all_templates (void)
{
  guint n = 0;
  for (const SvTemplate *template = sv_templates; template->name != NULL; template ++, n++)
  {
    SvTemplateValues values = {
      .name = template->name, .window_id = "2025-10-23", .expiry_block = 2000, .has_start_block = TRUE, .start_block = 1000
    };
    g_autofree char *text = fill (&values);
    g_autoptr (SvAuthoredManifest) authored = read_text (text);
    g_autoptr (SvManifest) manifest = sv_manifest_from_authored (authored->json, NULL);
    g_assert_cmpstr (manifest->window_id, ==, "2025-10-23");
    g_assert_cmpuint (manifest->start_block, ==, 1000);
    g_assert_cmpuint (manifest->expiry_block, ==, 2000);
    g_assert_nonnull (strstr (text, "# The share of weight"));
  }
  g_assert_cmpuint (n, ==, 2);
}

static void
test_window_ids_stay_strings (void)
{
  static const char *const window_ids[] = { "123", "1.5", "true", "null", "0x10", "2025-10-23", "1e3" };
  for (gsize i = 0; i < G_N_ELEMENTS (window_ids); i++)
  {
    SvTemplateValues values = football (NULL);
    values.window_id = window_ids[i];
    g_autofree char *text = fill (&values);
    g_autoptr (SvAuthoredManifest) authored = read_text (text);
    g_assert_cmpstr (json_string_value (json_object_get (authored->json, "window_id")), ==, window_ids[i]);
  }
  SvTemplateValues values = football (NULL);
  values.window_id = "x\"\nversion: 7";
  assert_not_filled (&values, "not a window id");
}

static GPtrArray *
parse_clips (const char *const *texts)
{
  GError *error = NULL;
  GPtrArray *clips = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_template_clip_free);
  for (; *texts != NULL; texts++)
  {
    g_ptr_array_add (clips, sv_template_clip_parse (*texts, &error));
    g_assert_no_error (error);
  }
  return clips;
}

static void
test_clips (void)
{
  const char *const texts[] = { HEX_A, "BallDetect_v1@1.0:sha256:" HEX_B "=2.5", NULL };
  g_autoptr (GPtrArray) clips = parse_clips (texts);
  SvTemplateValues values = football (clips);
  g_autofree char *text = fill (&values);
  g_autoptr (SvAuthoredManifest) authored = read_text (text);
  g_autoptr (SvManifest) manifest = sv_manifest_from_authored (authored->json, NULL);
  const SvElement *player = sv_manifest_find_element (manifest, "PlayerDetect_v1@1.0");
  const SvElement *ball = sv_manifest_find_element (manifest, "BallDetect_v1@1.0");
  g_assert_cmpuint (player->n_clips, ==, 1);
  g_assert_true (sv_element_has_clip (player, "sha256:" HEX_A));
  g_assert_cmpuint (ball->n_clips, ==, 2);
  g_assert_cmpfloat (ball->clips[0].weight, ==, 1);
  g_assert_cmpfloat (ball->clips[1].weight, ==, 2.5);
}

static void
test_wrong_clips (void)
{
  static const char *const wrong[] = { "",
                                       "abc",
                                       HEX_A "=",
                                       HEX_A "=0",
                                       HEX_A "=-1",
                                       HEX_A "=x",
                                       HEX_A "=inf",
                                       HEX_A "=1e999",
                                       ":" HEX_A,
                                       "a b:" HEX_A,
                                       "PlayerDetect_v1@1.0:abc",
                                       "sha512:" HEX_A "0" };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
  {
    GError *error = NULL;
    g_assert_null (sv_template_clip_parse (wrong[i], &error));
    assert_error (&error, SV_ERROR_USAGE, "--clip");
  }
}

static void
test_wrong_values (void)
{
  SvTemplateValues values = football (NULL);
  values.name = "chess";
  assert_not_filled (&values, "cricket, football");
  values = football (NULL);
  values.has_start_block = TRUE;
  values.start_block = 1000;
  assert_not_filled (&values, "expiry_block");
  const char *const unknown[] = { "Nobody@1.0:" HEX_A, NULL };
  g_autoptr (GPtrArray) unknown_clips = parse_clips (unknown);
  values = football (unknown_clips);
  assert_not_filled (&values, "Nobody@1.0");
  const char *const twice[] = { HEX_A, HEX_A, NULL };
  g_autoptr (GPtrArray) twice_clips = parse_clips (twice);
  values = football (twice_clips);
  assert_not_filled (&values, "clips");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/authoring/lists every fault in its place", test_faults);
  g_test_add_func ("/authoring/refuses warnings when strict", test_strict);
  g_test_add_func ("/authoring/tells what is no document", test_no_document);
  g_test_add_func ("/templates/are valid when filled in", test_all_templates);
  g_test_add_func ("/templates/keep window ids as strings", test_window_ids_stay_strings);
  g_test_add_func ("/templates/take clips", test_clips);
  g_test_add_func ("/templates/refuse wrong clips", test_wrong_clips);
  g_test_add_func ("/templates/refuse wrong values", test_wrong_values);
  return g_test_run ();
}
