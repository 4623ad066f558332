/* Cases: predictions that pass, at every limit; then each rule broken alone: no object, no frames, too many frames, an id
 * beyond the clip, an id twice, too many boxes, each number of a box missing, mistyped or too large. */
#include "base/error.h"
#include "protocol/predictions.h"

#define BOX "{\"x1\":0,\"y1\":0,\"x2\":1,\"y2\":1,\"cls_id\":0,\"conf\":1}"

static void
assert_check (const char *text, guint64 max_frames, const char *fault)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) json = sv_json_parse ("test", text, strlen (text), 1 << 20, &error);
  g_assert_no_error (error);
  gboolean passed = sv_predictions_check (json, max_frames, &error);
  if (fault == NULL)
  {
    g_assert_no_error (error);
    g_assert_true (passed);
    return;
  }
  g_assert_false (passed);
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  if (strstr (error->message, fault) == NULL)
    g_error ("%s: expected %s", error->message, fault);
}

static char *
frame_with_boxes (guint n)
{
  GString *text = g_string_new ("{\"frames\":[{\"frame_id\":0,\"boxes\":[");
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s" BOX, i > 0 ? "," : "");
  g_string_append (text, "]}]}");
  return g_string_free (text, FALSE);
}

static void
test_what_passes (void)
{
  g_autofree char *full = frame_with_boxes (SV_PREDICTIONS_MAX_BOXES);
  assert_check ("{\"frames\":[]}", 1, NULL);
  assert_check ("{\"frames\":[{\"frame_id\":1,\"boxes\":[" BOX "]},{\"frame_id\":0,\"boxes\":[]}]}", 2, NULL);
  assert_check (full, 1, NULL);
}

static void
test_each_rule_broken_alone (void)
{
  g_autofree char *over = frame_with_boxes (SV_PREDICTIONS_MAX_BOXES + 1);
  assert_check ("[]", 1, "/predictions");
  assert_check ("{}", 1, "/predictions/frames");
  assert_check ("{\"frames\":[{\"frame_id\":0,\"boxes\":[]},{\"frame_id\":1,\"boxes\":[]}]}", 1, "/predictions/frames");
  assert_check ("{\"frames\":[{\"frame_id\":1,\"boxes\":[]}]}", 1, "there is no frame 1");
  assert_check ("{\"frames\":[{\"frame_id\":0,\"boxes\":[]},{\"frame_id\":0,\"boxes\":[]}]}", 2, "is there twice");
  assert_check ("{\"frames\":[{\"frame_id\":0}]}", 1, "/predictions/frames/0/boxes");
  assert_check (over, 1, "/predictions/frames/0/boxes");
}

static void
test_each_number_of_a_box_counts (void)
{
  static const char *const names[] = { "x1", "y1", "x2", "y2", "cls_id", "conf" };
  static const char *const values[] = { "null", "\"1\"", "1e10", "-1e10" };
  for (gsize n = 0; n < G_N_ELEMENTS (names); n++)
    for (gsize v = 0; v < G_N_ELEMENTS (values); v++)
    {
      g_autoptr (GString) box = g_string_new (BOX);
      g_autofree char *key = g_strdup_printf ("\"%s\":", names[n]), *with = g_strconcat (key, values[v], NULL);
      g_autofree char *zero = g_strconcat (key, "0", NULL), *one = g_strconcat (key, "1", NULL);
      g_string_replace (box, strstr (box->str, zero) != NULL ? zero : one, with, 1);
      g_autofree char *text = g_strdup_printf ("{\"frames\":[{\"frame_id\":0,\"boxes\":[%s]}]}", box->str);
      g_autofree char *place = g_strconcat ("/predictions/frames/0/boxes/0/", names[n], NULL);
      assert_check (text, 1, place);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/predictions/what passes", test_what_passes);
  g_test_add_func ("/predictions/each rule broken alone", test_each_rule_broken_alone);
  g_test_add_func ("/predictions/each number of a box counts", test_each_number_of_a_box_counts);
  return g_test_run ();
}
