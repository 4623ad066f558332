/* What changed between two manifests.
 *
 * Cases:
 *  - nothing, for equal content, whatever publishing filled in and in whatever order elements and clips stand
 *  - a top-level field; a field inside an element, by its path; an optional field that comes or goes
 *  - elements that come and go; clips by hash; window before elements, elements by id */
#include "sample.h"

#define PLAYER "PlayerDetect_v1@1.0"

static GPtrArray *
diff_after (const char *pointer, const char *value)
{
  g_autoptr (json_t) before = sample_authored ("w", 100, 200);
  g_autoptr (json_t) after = json_deep_copy (before);
  sample_set (after, pointer, value);
  return sv_manifest_diff (before, after);
}

static void
assert_difference (const GPtrArray *differences, guint i, int kind, const char *element_id, const char *path,
                   const char *before, const char *after)
{
  g_assert_cmpuint (i, <, differences->len);
  const SvManifestDifference *difference = g_ptr_array_index (differences, i);
  g_assert_cmpint ((int)difference->kind, ==, kind);
  g_assert_cmpstr (difference->element_id, ==, element_id);
  g_assert_cmpstr (difference->path, ==, path);
  g_assert_cmpstr (difference->before, ==, before);
  g_assert_cmpstr (difference->after, ==, after);
}

static void
equal_content_has_no_difference (void)
{
  g_autoptr (json_t) authored = sample_authored ("w", 100, 200);
  g_autoptr (SvManifest) first = sample_sign (authored, NULL);
  g_autoptr (SvManifest) second = sample_sign (authored, HASH_A);
  g_autoptr (GPtrArray) signed_differences = sv_manifest_diff (first->json, second->json);
  g_assert_cmpuint (signed_differences->len, ==, 0);
  g_autoptr (GPtrArray) order_differences = sv_manifest_diff (authored, first->json);
  g_assert_cmpuint (order_differences->len, ==, 0);

  g_autoptr (json_t) swapped = json_deep_copy (authored);
  sample_set (swapped, "/elements/0/clips",
              "[{\"hash\":\"" HASH_A "\",\"weight\":2.5},{\"hash\":\"" HASH_B "\",\"weight\":1}]");
  g_autoptr (GPtrArray) clip_differences = sv_manifest_diff (authored, swapped);
  g_assert_cmpuint (clip_differences->len, ==, 0);
}

static void
window_fields_are_compared (void)
{
  g_autoptr (GPtrArray) expiry = diff_after ("/expiry_block", "250");
  g_assert_cmpuint (expiry->len, ==, 1);
  assert_difference (expiry, 0, SV_DIFF_WINDOW, NULL, "expiry_block", "200", "250");
  g_autoptr (GPtrArray) gamma = diff_after ("/tee/trusted_share_gamma", "0.5");
  g_assert_cmpuint (gamma->len, ==, 1);
  assert_difference (gamma, 0, SV_DIFF_WINDOW, NULL, "tee.trusted_share_gamma", "0.2", "0.5");
  g_autoptr (GPtrArray) window = diff_after ("/window_id", "\"v\"");
  assert_difference (window, 0, SV_DIFF_WINDOW, NULL, "window_id", "\"w\"", "\"v\"");
}

static void
element_fields_are_compared_by_path (void)
{
  g_autoptr (GPtrArray) pillar = diff_after ("/elements/0/metrics/pillars/iou", "0.65");
  g_assert_cmpuint (pillar->len, ==, 1);
  assert_difference (pillar, 0, SV_DIFF_CHANGED, PLAYER, "metrics.pillars.iou", "0.7", "0.65");
  g_autoptr (GPtrArray) gone = diff_after ("/elements/0/salt", NULL);
  g_assert_cmpuint (gone->len, ==, 1);
  assert_difference (gone, 0, SV_DIFF_CHANGED, PLAYER, "salt", "{\"offsets\":[0,1],\"strides\":[1,2]}", NULL);
  g_autoptr (GPtrArray) new_field = diff_after ("/elements/0/foo", "[1.50]");
  g_assert_cmpuint (new_field->len, ==, 1);
  assert_difference (new_field, 0, SV_DIFF_CHANGED, PLAYER, "foo", NULL, "[1.5]");
}

static void
elements_come_and_go (void)
{
  g_autoptr (json_t) before = sample_authored ("w", 100, 200);
  g_autoptr (json_t) after = json_deep_copy (before);
  sample_set (after, "/expiry_block", "250");
  sample_set (after, "/elements/1/id", "\"Zebra\"");
  sample_set (after, "/elements/0/beta", "2");
  g_autoptr (GPtrArray) differences = sv_manifest_diff (before, after);
  g_assert_cmpuint (differences->len, ==, 4);
  assert_difference (differences, 0, SV_DIFF_WINDOW, NULL, "expiry_block", "200", "250");
  assert_difference (differences, 1, SV_DIFF_REMOVED, "BallDetect_v1@1.0", NULL, "θ 0.7, β 1.4, fps 30, clips 0", NULL);
  assert_difference (differences, 2, SV_DIFF_CHANGED, PLAYER, "beta", "1", "2");
  assert_difference (differences, 3, SV_DIFF_ADDED, "Zebra", NULL, NULL, "θ 0.7, β 1.4, fps 30, clips 0");
}

static void
clips_are_told_apart_by_hash (void)
{
  g_autoptr (GPtrArray) differences =
      diff_after ("/elements/0/clips", "[{\"hash\":\"" HASH_C "\",\"weight\":1},{\"hash\":\"" HASH_A "\",\"weight\":3}]");
  g_assert_cmpuint (differences->len, ==, 3);
  assert_difference (differences, 0, SV_DIFF_CHANGED, PLAYER, "clips", "clip " HASH_A " weight 2.5",
                     "clip " HASH_A " weight 3");
  assert_difference (differences, 1, SV_DIFF_CHANGED, PLAYER, "clips", "clip " HASH_B " weight 1", NULL);
  assert_difference (differences, 2, SV_DIFF_CHANGED, PLAYER, "clips", NULL, "clip " HASH_C " weight 1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/manifest-diff/equal-content-has-no-difference", equal_content_has_no_difference);
  g_test_add_func ("/manifest-diff/window-fields-are-compared", window_fields_are_compared);
  g_test_add_func ("/manifest-diff/element-fields-are-compared-by-path", element_fields_are_compared_by_path);
  g_test_add_func ("/manifest-diff/elements-come-and-go", elements_come_and_go);
  g_test_add_func ("/manifest-diff/clips-are-told-apart-by-hash", clips_are_told_apart_by_hash);
  return g_test_run ();
}
