/* The operator's clips in store and state.
 *
 *  1. adding stores the clip below private/clips/ by its hash, and registers what it is
 *  2. adding it again changes nothing; with other labels it replaces them; from another file it is the same clip
 *  3. labels are [a-z0-9][a-z0-9_-]{0,31}
 *  4. what is no clip is neither stored nor registered
 *  5. a half-done add (stored, or stored damaged, but not registered) is completed by the same call
 *  6. removing takes it out of the register, and with the object out of the store; nothing there is not found
 *  7. a half-done removal is completed by the same call
 *  8. ground truth comes with the clip, also for one that is registered already; adding without one leaves it; it goes with the
 *     clip
 */
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "operator/clip_inventory.h"
#include "refusal.h"
#include "scratch.h"

typedef struct
{
  char *folder;
  char *clip;
  char *hash;
  char *key;
  char *stored; /* where the object lies */
  SvObjectStore *store;
  SvState *state;
} Fixture;

static const SvClipLabels labels = { "football", "match", "football", NULL };

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvConfig) config = sv_config_new ();
  f->folder = scratch_new ();
  f->clip = scratch_path (f->folder, "clip.mp4");
  g_autofree char *line = g_strdup_printf ("ffmpeg -nostdin -v error -f lavfi -i testsrc=size=64x48:rate=10:duration=1"
                                           " -pix_fmt yuv420p -c:v libx264 %s",
                                           f->clip);
  int status;
  g_assert_true (g_spawn_command_line_sync (line, NULL, NULL, &status, &error));
  g_assert_cmpint (status, ==, 0);
  g_autofree char *store_url = g_strdup_printf ("file:%s/store", f->folder);
  g_autofree char *state_url = g_strdup_printf ("sqlite:%s/state.sqlite", f->folder);
  sv_config_set (config, "SCOREVISION_DATABASE", state_url);
  f->store = sv_object_store_open (store_url, config, &error);
  g_assert_no_error (error);
  f->state = sv_state_open (config, &error);
  g_assert_no_error (error);
  f->hash = sv_hash_file (f->clip, &error);
  g_assert_no_error (error);
  f->key = sv_clip_key (f->hash);
  f->stored = sv_object_store_local_path (f->store, f->key);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  sv_object_store_free (f->store);
  sv_state_free (f->state);
  g_free (f->clip);
  g_free (f->hash);
  g_free (f->key);
  g_free (f->stored);
  scratch_remove (f->folder);
}

static SvClip *
add (Fixture *f, const char *path, const SvClipLabels *by, gboolean *was_registered)
{
  GError *error = NULL;
  SvClip *clip = sv_clip_add (f->store, f->state, path, by, was_registered, &error);
  g_assert_no_error (error);
  return clip;
}

static void
assert_registered (Fixture *f, guint n)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) clips = sv_state_list_clips (f->state, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (clips->len, ==, n);
}

static void
assert_stored (Fixture *f)
{
  GError *error = NULL;
  g_autofree char *hash = sv_hash_file (f->stored, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (hash, ==, f->hash);
}

static void
test_add (Fixture *f, gconstpointer data)
{
  gboolean was_registered = TRUE;
  g_autoptr (SvClip) clip = add (f, f->clip, &labels, &was_registered);
  g_assert_false (was_registered);
  g_autofree char *expected = g_strconcat ("private/clips/", f->hash + strlen ("sha256:"), NULL);
  g_assert_cmpstr (f->key, ==, expected);
  assert_stored (f);
  g_assert_cmpstr (clip->hash, ==, f->hash);
  g_assert_cmpuint (clip->width, ==, 64);
  g_assert_cmpuint (clip->height, ==, 48);
  g_assert_cmpfloat (clip->fps, ==, 10);
  g_assert_cmpuint (clip->duration_ms, ==, 1000);
  g_assert_cmpstr (clip->sport, ==, "football");
  g_assert_cmpstr (clip->scenario, ==, "match");
  g_assert_cmpstr (clip->challenge_type, ==, "football");
  assert_registered (f, 1);
}

static void
test_add_again (Fixture *f, gconstpointer data)
{
  guint64 before, after;
  gboolean was_registered;
  SvClipLabels others = { "football", "training", "football", NULL };
  g_autoptr (SvClip) first = add (f, f->clip, &labels, NULL);
  g_assert_true (sv_state_clips_version (f->state, &before, NULL));
  g_autoptr (SvClip) again = add (f, f->clip, &labels, &was_registered);
  g_assert_true (was_registered);
  g_assert_true (sv_state_clips_version (f->state, &after, NULL));
  g_assert_cmpuint (after, ==, before);
  g_assert_cmpint (again->added_ms, ==, first->added_ms);

  g_autofree char *copy = scratch_path (f->folder, "copy");
  g_assert_cmpint (link (f->clip, copy), ==, 0);
  g_autoptr (SvClip) relabelled = add (f, copy, &others, &was_registered);
  g_assert_true (was_registered);
  g_assert_cmpstr (relabelled->hash, ==, f->hash);
  g_assert_cmpstr (relabelled->scenario, ==, "training");
  assert_registered (f, 1);
}

static void
test_labels (Fixture *f, gconstpointer data)
{
  static const char *const good[] = { "a", "0", "ice-hockey", "a_b", "abcdefghijklmnopqrstuvwxyz012345" };
  static const char *const bad[] = { "", "Football", "-a", "_a", "a b", "a/b", "é", "abcdefghijklmnopqrstuvwxyz0123456", NULL };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
  {
    SvClipLabels by = { good[i], good[i], good[i], NULL };
    sv_clip_free (add (f, f->clip, &by, NULL));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
  {
    SvClipLabels sport = { bad[i], "a", "a", NULL }, scenario = { "a", bad[i], "a", NULL }, type = { "a", "a", bad[i], NULL };
    assert_fails_saying (sv_clip_add (f->store, f->state, f->clip, &sport, NULL, refusal), SV_ERROR_USAGE, "sport");
    assert_fails_saying (sv_clip_add (f->store, f->state, f->clip, &scenario, NULL, refusal), SV_ERROR_USAGE, "scenario");
    assert_fails_saying (sv_clip_add (f->store, f->state, f->clip, &type, NULL, refusal), SV_ERROR_USAGE, "challenge type");
  }
}

static gboolean
count_key (const char *key, guint64 size, gpointer data)
{
  ++*(guint *)data;
  return TRUE;
}

static void
test_no_clip (Fixture *f, gconstpointer data)
{
  g_autofree char *text = scratch_path (f->folder, "text.mp4");
  g_autofree char *missing = scratch_path (f->folder, "missing.mp4");
  g_assert_true (g_file_set_contents (text, "text", -1, NULL));
  assert_fails (sv_clip_add (f->store, f->state, text, &labels, NULL, refusal), SV_ERROR_MALFORMED);
  assert_fails (sv_clip_add (f->store, f->state, missing, &labels, NULL, refusal), SV_ERROR_NOT_FOUND);
  guint n_stored = 0;
  g_assert_true (sv_object_store_list (f->store, "", count_key, &n_stored, NULL));
  g_assert_cmpuint (n_stored, ==, 0);
  assert_registered (f, 0);
}

static void
test_half_added (Fixture *f, gconstpointer data)
{
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  g_assert_true (sv_object_store_put_file (f->store, f->key, f->clip, &options, NULL));
  sv_clip_free (add (f, f->clip, &labels, NULL));
  assert_registered (f, 1);
  assert_stored (f);

  g_assert_cmpint (truncate (f->stored, 100), ==, 0);
  sv_clip_free (add (f, f->clip, &labels, NULL));
  assert_stored (f);
}

static void
test_remove (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  assert_fails (sv_clip_remove (f->store, f->state, f->hash, FALSE, refusal), SV_ERROR_NOT_FOUND);
  assert_fails (sv_clip_remove (f->store, f->state, f->hash, TRUE, refusal), SV_ERROR_NOT_FOUND);
  sv_clip_free (add (f, f->clip, &labels, NULL));
  g_assert_true (sv_clip_remove (f->store, f->state, f->hash, FALSE, &error));
  g_assert_no_error (error);
  assert_registered (f, 0);
  assert_stored (f);

  sv_clip_free (add (f, f->clip, &labels, NULL));
  g_assert_true (sv_clip_remove (f->store, f->state, f->hash, TRUE, &error));
  g_assert_no_error (error);
  assert_registered (f, 0);
  g_assert_false (g_file_test (f->stored, G_FILE_TEST_EXISTS));
}

static void
test_half_removed (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  sv_clip_free (add (f, f->clip, &labels, NULL));
  g_assert_true (sv_state_remove_clip (f->state, f->hash, NULL));
  assert_fails (sv_clip_remove (f->store, f->state, f->hash, FALSE, refusal), SV_ERROR_NOT_FOUND);
  g_assert_true (sv_clip_remove (f->store, f->state, f->hash, TRUE, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (f->stored, G_FILE_TEST_EXISTS));
}

static void
assert_truth (Fixture *f, const char *expected)
{
  GError *error = NULL;
  g_autofree char *json = NULL;
  g_assert_true (sv_state_ground_truth (f->state, f->hash, &json, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (json, ==, expected);
}

static void
test_ground_truth (Fixture *f, gconstpointer data)
{
  const SvClipLabels with = { "football", "match", "football", "{\"annotations\":[1]}" };
  const SvClipLabels replaced = { "football", "match", "football", "{\"annotations\":[2]}" };
  const SvClipLabels relabelled = { "football", "training", "football", NULL };
  const struct
  {
    const SvClipLabels *by;
    const char *truth; /* afterwards */
  } steps[] = { { &labels, NULL },
                { &with, with.ground_truth },
                { &replaced, replaced.ground_truth },
                { &labels, replaced.ground_truth },
                { &relabelled, replaced.ground_truth },
                { &with, with.ground_truth } };
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
  {
    g_autoptr (SvClip) clip = add (f, f->clip, steps[i].by, NULL);
    g_assert_cmpint (clip->has_ground_truth, ==, steps[i].truth != NULL);
    assert_truth (f, steps[i].truth);
    assert_registered (f, 1);
  }
  g_assert_true (sv_clip_remove (f->store, f->state, f->hash, FALSE, NULL));
  assert_truth (f, NULL);
  g_autoptr (SvClip) anew = add (f, f->clip, &with, NULL);
  g_assert_true (anew->has_ground_truth);
  assert_truth (f, with.ground_truth);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  const struct
  {
    const char *path;
    void (*run) (Fixture *fixture, gconstpointer data);
  } cases[] = {
    { "/clip-inventory/add", test_add },
    { "/clip-inventory/add again", test_add_again },
    { "/clip-inventory/labels", test_labels },
    { "/clip-inventory/what is no clip", test_no_clip },
    { "/clip-inventory/half added", test_half_added },
    { "/clip-inventory/remove", test_remove },
    { "/clip-inventory/half removed", test_half_removed },
    { "/clip-inventory/ground truth", test_ground_truth },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add (cases[i].path, Fixture, NULL, set_up, cases[i].run, tear_down);
  return g_test_run ();
}
