/* Cases: what passes, unknown fields and all; then each rule broken alone, with its place; what is no JSON, or too long, also
 * when it is only its canonical form that is. */
#include <string.h>

#include "base/error.h"
#include "protocol/ground_truth.h"

#define BALL "{\"bbox\":[1,2,3.5,-4],\"class\":\"ball\",\"frame_idx\":0}"

static void
assert_parsed (const char *text, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *canonical = sv_ground_truth_parse ("truth.json", text, strlen (text), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (canonical, ==, expected);
}

static void
assert_refused (const char *text, const char *fault)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (sv_ground_truth_parse ("truth.json", text, strlen (text), &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  if (!g_str_has_prefix (error->message, "truth.json") || strstr (error->message, fault) == NULL)
    g_error ("%.200s: expected %s", error->message, fault);
}

static void
assert_annotation_refused (const char *annotation, const char *fault)
{
  g_autofree char *text = g_strdup_printf ("{\"annotations\":[" BALL ",%s]}", annotation);
  assert_refused (text, fault);
}

static void
test_what_passes (void)
{
  assert_parsed ("{\"annotations\":[" BALL "]}", "{\"annotations\":[" BALL "]}");
  assert_parsed ("{ \"source\": \"hand\", \"annotations\": [{\"frame_idx\": 7, \"label\": \"player\", \"bbox\": [0, 0, 1, 1],\n"
                 "\"polygon\": [[0, 0], [1.5, 1]], \"team\": {\"id\": 2}, \"class\": null}]}",
                 "{\"annotations\":[{\"bbox\":[0,0,1,1],\"class\":null,\"frame_idx\":7,\"label\":\"player\","
                 "\"polygon\":[[0,0],[1.5,1]],\"team\":{\"id\":2}}],\"source\":\"hand\"}");
  assert_parsed ("{\"annotations\":[{\"bbox\":[0,0,1,1],\"class\":\"x\",\"frame_idx\":1,\"polygon\":null}]}",
                 "{\"annotations\":[{\"bbox\":[0,0,1,1],\"class\":\"x\",\"frame_idx\":1,\"polygon\":null}]}");
}

static void
test_each_rule_broken_alone (void)
{
  assert_refused ("[]", "object");
  assert_refused ("{}", "/annotations");
  assert_refused ("{\"annotations\":[]}", "/annotations");
  assert_refused ("{\"annotations\":{}}", "/annotations");
  assert_annotation_refused ("7", "/annotations/1");
  assert_annotation_refused ("{\"class\":\"x\",\"frame_idx\":1}", "/annotations/1/bbox");
  assert_annotation_refused ("{\"bbox\":[1,2,3],\"class\":\"x\",\"frame_idx\":1}", "/annotations/1/bbox");
  assert_annotation_refused ("{\"bbox\":[1,2,3,4,5],\"class\":\"x\",\"frame_idx\":1}", "/annotations/1/bbox");
  assert_annotation_refused ("{\"bbox\":[1,2,\"3\",4],\"class\":\"x\",\"frame_idx\":1}", "/annotations/1/bbox/2");
  assert_annotation_refused ("{\"bbox\":[1,2,3,1e10],\"class\":\"x\",\"frame_idx\":1}", "/annotations/1/bbox/3");
  assert_annotation_refused ("{\"bbox\":[1,2,3,4],\"frame_idx\":1}", "/annotations/1: a class or a label");
  assert_annotation_refused ("{\"bbox\":[1,2,3,4],\"class\":\"\",\"frame_idx\":1}", "/annotations/1: a class or a label");
  assert_annotation_refused ("{\"bbox\":[1,2,3,4],\"class\":7,\"frame_idx\":1}", "/annotations/1/class");
  assert_annotation_refused ("{\"bbox\":[1,2,3,4],\"class\":\"x\"}", "/annotations/1/frame_idx");
  assert_annotation_refused ("{\"bbox\":[1,2,3,4],\"class\":\"x\",\"frame_idx\":-1}", "/annotations/1/frame_idx");
  assert_annotation_refused ("{\"bbox\":[1,2,3,4],\"class\":\"x\",\"frame_idx\":0.5}", "/annotations/1/frame_idx");
  assert_annotation_refused ("{\"bbox\":[1,2,3,4],\"class\":\"x\",\"frame_idx\":1,\"polygon\":7}", "/annotations/1/polygon");
  assert_annotation_refused ("{\"bbox\":[1,2,3,4],\"class\":\"x\",\"frame_idx\":1,\"polygon\":[[0,0],[1]]}",
                             "/annotations/1/polygon/1");
  assert_annotation_refused ("{\"bbox\":[1,2,3,4],\"class\":\"x\",\"frame_idx\":1,\"polygon\":[[0,0],[1,null]]}",
                             "/annotations/1/polygon/1/1");
}

static void
test_what_is_no_json_or_too_long (void)
{
  assert_refused ("", "truth.json");
  assert_refused ("{\"annotations\":[" BALL "]", "truth.json");
  assert_refused ("{\"annotations\":[" BALL "],\"annotations\":[]}", "truth.json");
  g_autofree char *spaces = g_strnfill (SV_GROUND_TRUTH_MAX_SIZE, ' ');
  g_autofree char *with_spaces = g_strconcat ("{\"annotations\":[" BALL "]}", spaces, NULL);
  assert_refused (with_spaces, "truth.json");
  g_autoptr (GString) numbers = g_string_new ("{\"annotations\":[" BALL "],\"x\":[0");
  for (guint i = 0; i < 900000; i++)
    g_string_append (numbers, ",1e20");
  g_string_append (numbers, "]}");
  assert_refused (numbers->str, "canonical");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ground-truth/what passes", test_what_passes);
  g_test_add_func ("/ground-truth/each rule broken alone", test_each_rule_broken_alone);
  g_test_add_func ("/ground-truth/no JSON, or too long", test_what_is_no_json_or_too_long);
  return g_test_run ();
}
