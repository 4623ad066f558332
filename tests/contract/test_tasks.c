/* Tasks and ground truth, as every engine of the state must keep them.
 *
 *  1. tasks and challenges take their ids from one sequence; a task is read back whole, by another handle, too
 *  2. a refused request leaves no task and uses no id
 *  3. an unknown id is no task
 *  4. completing: by its asker only; the first time counts; another's and an unknown one are not found, and stay as they are
 *  5. tasks older than SV_TASK_KEPT_MS go as new ones come, a few at a time; the others stay; those of a clock that has been
 *     set back since go, too
 *  6. ground truth is put, replaced and removed; it needs a registered clip, is told by the list, and goes with the clip; each
 *     change is a change of the clips
 *  7. a clip and its ground truth are registered in one step; registering it again without one leaves what there is
 */
#include "refusal.h"
#include "state_fixture.h"

#define NOW_MS G_GINT64_CONSTANT (1761177600000)

static const SvAdmissionRules wide = { .limit = 1000000, .window_ms = 60000, .remember_ms = 120000 };

static SvAdmission
ask (SvState *state, const char *nonce, gint64 now_ms, SvIssueRecord *record, SvTaskRecord *task)
{
  SvAdmission admission = { .asker = "5A", .nonce = nonce, .client_id = "", .now_ms = now_ms, .record = record, .task = task };
  must (sv_state_admit (state, &wide, &admission, 1, &error));
  return admission;
}

static SvTaskRecord
task_at (gint64 now_ms)
{
  return (SvTaskRecord){ .asker = (char *)"5A", .clip_hash = (char *)"sha256:cc", .issued_ms = now_ms };
}

static guint64
issue_task (SvState *state, gint64 now_ms)
{
  static guint number;
  g_autofree char *nonce = g_strdup_printf ("task%u", number++);
  SvTaskRecord task = task_at (now_ms);
  g_assert_cmpint (ask (state, nonce, now_ms, NULL, &task).outcome, ==, SV_ADMITTED);
  return task.id;
}

static SvTaskRecord *
find_task (SvState *state, guint64 id)
{
  SvTaskRecord *task = NULL;
  must (sv_state_find_task (state, id, &task, &error));
  return task;
}

static gboolean
has_task (SvState *state, guint64 id)
{
  g_autoptr (SvTaskRecord) task = find_task (state, id);
  return task != NULL;
}

static guint64
issue_challenge (SvState *state, const char *nonce)
{
  SvIssueRecord record = { .asker = (char *)"5A",
                           .miner = (char *)"5M",
                           .window_id = (char *)"w",
                           .manifest_hash = (char *)"h",
                           .element_id = (char *)"e",
                           .clip_hash = (char *)"c",
                           .nonce = (char *)nonce };
  g_assert_cmpint (ask (state, nonce, NOW_MS, &record, NULL).outcome, ==, SV_ADMITTED);
  return record.challenge_id;
}

static void
test_ids (StateFixture *f)
{
  guint64 ids[5];
  ids[0] = issue_task (f->state, NOW_MS);
  ids[1] = issue_challenge (f->state, "n1");
  g_autoptr (SvState) another = open_state (f->url);
  ids[2] = issue_challenge (another, "n2");
  ids[3] = issue_task (another, NOW_MS + 1);
  ids[4] = issue_challenge (f->state, "n3");
  for (gsize i = 1; i < G_N_ELEMENTS (ids); i++)
    g_assert_cmpuint (ids[i], >, ids[i - 1]);

  g_autoptr (SvTaskRecord) task = find_task (f->state, ids[3]);
  g_assert_nonnull (task);
  g_assert_cmpuint (task->id, ==, ids[3]);
  g_assert_cmpstr (task->asker, ==, "5A");
  g_assert_cmpstr (task->clip_hash, ==, "sha256:cc");
  g_assert_cmpint (task->issued_ms, ==, NOW_MS + 1);
  g_assert_cmpint (task->completed_ms, ==, 0);
  g_assert_false (has_task (f->state, ids[1]));
  g_assert_false (has_task (f->state, ids[4] + 1));
  g_assert_false (has_task (f->state, G_MAXUINT64));
}

static void
test_refused (StateFixture *f)
{
  guint64 first = issue_task (f->state, NOW_MS);
  g_assert_cmpint (ask (f->state, "again", NOW_MS, NULL, NULL).outcome, ==, SV_ADMITTED);
  SvTaskRecord task = task_at (NOW_MS);
  g_assert_cmpint (ask (f->state, "again", NOW_MS, NULL, &task).outcome, ==, SV_REPLAYED_NONCE);
  g_assert_cmpuint (task.id, ==, 0);
  g_assert_false (has_task (f->state, first + 1));
}

static gboolean
complete (SvState *state, guint64 id, const char *asker, gint64 now_ms)
{
  gboolean found = FALSE;
  must (sv_state_complete_task (state, id, asker, now_ms, &found, &error));
  return found;
}

static gint64
completed_ms (SvState *state, guint64 id)
{
  g_autoptr (SvTaskRecord) task = find_task (state, id);
  g_assert_nonnull (task);
  return task->completed_ms;
}

static void
test_completing (StateFixture *f)
{
  guint64 id = issue_task (f->state, NOW_MS), other = issue_task (f->state, NOW_MS);
  g_assert_false (complete (f->state, id, "5B", NOW_MS + 1));
  g_assert_cmpint (completed_ms (f->state, id), ==, 0);
  g_assert_true (complete (f->state, id, "5A", NOW_MS + 2));
  g_assert_true (complete (f->state, id, "5A", NOW_MS + 3));
  g_assert_false (complete (f->state, other + 1, "5A", NOW_MS + 3));
  g_autoptr (SvState) another = open_state (f->url);
  g_assert_cmpint (completed_ms (another, id), ==, NOW_MS + 2);
  g_assert_cmpint (completed_ms (another, other), ==, 0);
}

static void
test_old_tasks (StateFixture *f)
{
  guint64 old[20];
  for (gsize i = 0; i < G_N_ELEMENTS (old); i++)
    old[i] = issue_task (f->state, NOW_MS);
  guint64 young = issue_task (f->state, NOW_MS + SV_TASK_KEPT_MS);
  g_assert_true (has_task (f->state, old[0])); /* at that age they are still kept */

  issue_task (f->state, NOW_MS + SV_TASK_KEPT_MS + 1);
  g_assert_false (has_task (f->state, old[0]));
  g_assert_true (has_task (f->state, old[19])); /* one request does not pay for all */
  for (guint i = 0; i < 20; i++)
    issue_task (f->state, NOW_MS + SV_TASK_KEPT_MS + 1);
  for (gsize i = 0; i < G_N_ELEMENTS (old); i++)
    g_assert_false (has_task (f->state, old[i]));
  g_assert_true (has_task (f->state, young));
}

static void
test_clock_set_back (StateFixture *f)
{
  guint64 ahead = issue_task (f->state, NOW_MS + 10 * SV_TASK_KEPT_MS);
  guint64 id = issue_task (f->state, NOW_MS);
  g_assert_false (has_task (f->state, ahead));
  g_assert_true (has_task (f->state, id));
}

/* ── ground truth ── */

static SvClip
clip_of (const char *hash, const char *ground_truth)
{
  return (SvClip){ .hash = (char *)hash,
                   .bytes = 1,
                   .duration_ms = 1000,
                   .fps = 25,
                   .width = 640,
                   .height = 360,
                   .sport = (char *)"football",
                   .scenario = (char *)"match",
                   .challenge_type = (char *)"football",
                   .ground_truth = (char *)ground_truth };
}

static void
assert_truth (SvState *state, const char *hash, const char *expected)
{
  g_autofree char *json = NULL;
  must (sv_state_ground_truth (state, hash, &json, &error));
  g_assert_cmpstr (json, ==, expected);
  g_autoptr (GPtrArray) clips = sv_state_list_clips (state, NULL);
  g_assert_nonnull (clips);
  for (guint i = 0; i < clips->len; i++)
  {
    const SvClip *clip = clips->pdata[i];
    g_assert_null (clip->ground_truth);
    if (g_str_equal (clip->hash, hash))
      g_assert_cmpint (clip->has_ground_truth, ==, expected != NULL);
  }
}

static void
assert_version_grew (SvState *state, guint64 *version)
{
  guint64 before = *version;
  must (sv_state_clips_version (state, version, &error));
  g_assert_cmpuint (*version, >, before);
}

static void
test_ground_truth (StateFixture *f)
{
  guint64 version = 0;
  SvClip a = clip_of ("sha256:aa", NULL), b = clip_of ("sha256:bb", NULL);
  assert_fails (sv_state_put_ground_truth (f->state, "sha256:aa", "{}", refusal), SV_ERROR_NOT_FOUND);
  assert_fails (sv_state_put_ground_truth (f->state, "sha256:aa", NULL, refusal), SV_ERROR_NOT_FOUND);
  must (sv_state_put_clip (f->state, &a, &error));
  must (sv_state_put_clip (f->state, &b, &error));
  assert_truth (f->state, "sha256:aa", NULL);
  assert_version_grew (f->state, &version);
  must (sv_state_put_ground_truth (f->state, "sha256:aa", "{\"annotations\":[1]}", &error));
  assert_version_grew (f->state, &version);
  must (sv_state_put_ground_truth (f->state, "sha256:aa", "{\"annotations\":[2,\"é \\\\ '\"]}", &error));
  g_autoptr (SvState) another = open_state (f->url);
  assert_truth (another, "sha256:aa", "{\"annotations\":[2,\"é \\\\ '\"]}");
  assert_truth (another, "sha256:bb", NULL);

  assert_version_grew (f->state, &version);
  must (sv_state_put_ground_truth (f->state, "sha256:aa", NULL, &error));
  assert_version_grew (f->state, &version);
  must (sv_state_put_ground_truth (f->state, "sha256:aa", NULL, &error));
  assert_truth (another, "sha256:aa", NULL);

  must (sv_state_put_ground_truth (f->state, "sha256:aa", "{}", &error));
  must (sv_state_remove_clip (f->state, "sha256:aa", &error));
  assert_truth (another, "sha256:aa", NULL);
  must (sv_state_put_clip (f->state, &a, &error));
  assert_truth (another, "sha256:aa", NULL);
}

static void
test_one_step (StateFixture *f)
{
  SvClip with = clip_of ("sha256:aa", "{\"annotations\":[1]}"), without = clip_of ("sha256:aa", NULL);
  must (sv_state_put_clip (f->state, &with, &error));
  assert_truth (f->state, "sha256:aa", "{\"annotations\":[1]}");
  must (sv_state_put_clip (f->state, &without, &error));
  assert_truth (f->state, "sha256:aa", "{\"annotations\":[1]}");
  with.ground_truth = (char *)"{\"annotations\":[2]}";
  must (sv_state_put_clip (f->state, &with, &error));
  assert_truth (f->state, "sha256:aa", "{\"annotations\":[2]}");
}

/* 16 MiB, the most that `sv clip add` takes. */
static void
test_large_truth (StateFixture *f)
{
  SvClip clip = clip_of ("sha256:aa", NULL);
  g_autofree char *text = g_strnfill (16 << 20, 'a');
  text[0] = text[(16 << 20) - 1] = '"';
  must (sv_state_put_clip (f->state, &clip, &error));
  must (sv_state_put_ground_truth (f->state, "sha256:aa", text, &error));
  g_autofree char *read = NULL;
  must (sv_state_ground_truth (f->state, "sha256:aa", &read, &error));
  g_assert_true (g_str_equal (read, text));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  state_promise_add ("tasks and challenges have ids of one sequence", test_ids);
  state_promise_add ("a refused request leaves no task", test_refused);
  state_promise_add ("a task is completed by its asker, once", test_completing);
  state_promise_add ("old tasks go bit by bit", test_old_tasks);
  state_promise_add ("tasks of a clock set back", test_clock_set_back);
  state_promise_add ("ground truth", test_ground_truth);
  state_promise_add ("a clip and its ground truth in one step", test_one_step);
  state_promise_add ("a large ground truth", test_large_truth);
  return state_promises_run ();
}
