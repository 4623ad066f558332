/* What every engine behind state.h must do.
 *
 * Clips
 *  1. put, replace, list by hash, remove; removing what is not registered is not found; the version grows with each change
 *     (test_tasks.c has the ground truth, test_keys.c the keys)
 * Admission (test_admission.c has the rates)
 *  2. issued records have ids 1, 2, 3 … in the order of requests, and are read back whole, all or by window, until told to
 * stop; what is new of a window that was asked for while it had nothing new is found; names that are as long and end alike are
 * apart
 *  3. a nonce, or an X-Nonce, is accepted once per asker: in one batch, in a later one, through another handle
 *  4. other askers have nonces of their own; a missing X-Nonce is never a replay
 *  5. without a record no id is used; a batch of none is nothing
 *  6. recent nonces are told in the order in which they were admitted, with what belongs to them as it was asked, from the time
 *     asked for; what was refused is not told
 *  7. of processes that race with the same nonces each nonce is admitted once, and ids have no gaps and no doubles
 *  8. what was acknowledged before a kill is there, and only whole batches are
 * Windows
 *  9. of a closed window nothing is admitted, and nothing else of such a request is recorded, but a replay is told as one;
 * others go on; closing tells the last id, 0 for none, and again the same
 * 10. while processes admit, closing tells the last id that any of them got, or ever will
 *     ids that are raised are raised for every handle, at once and for good; they never go back
 * The chain
 * 11. a checkpoint is not found, then found; commitments are listed in chain order from a block
 * 12. the checkpoint only moves forward; a refused one writes nothing
 * 13. one that begins earlier, or beyond a gap, begins anew
 * 14. chains are apart by genesis and netuid; forgetting one leaves the other
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "refusal.h"
#include "scratch.h"
#include "state_fixture.h"

/* ── clips ── */

static SvClip
clip_of (const char *hash, const char *scenario)
{
  return (SvClip){ .hash = (char *)hash,
                   .bytes = 2147483648,
                   .duration_ms = 30000,
                   .fps = 29.97,
                   .width = 1920,
                   .height = 1080,
                   .sport = (char *)"football",
                   .scenario = (char *)scenario,
                   .challenge_type = (char *)"football",
                   .added_ms = 1761177600123 };
}

static void
assert_clips (SvState *state, const char *expected)
{
  GError *error = NULL;
  g_autoptr (GString) found = g_string_new (NULL);
  g_autoptr (GPtrArray) clips = sv_state_list_clips (state, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < clips->len; i++)
  {
    const SvClip *clip = clips->pdata[i];
    g_string_append_printf (found, "%s:%s ", clip->hash, clip->scenario);
  }
  g_assert_cmpstr (found->str, ==, expected);
}

static guint64
clips_version (SvState *state)
{
  guint64 version;
  must (sv_state_clips_version (state, &version, &error));
  return version;
}

static void
test_clips (StateFixture *f)
{
  SvClip b = clip_of ("sha256:bb", "match"), a = clip_of ("sha256:aa", "match"), other = clip_of ("sha256:aa", "training");
  guint64 empty = clips_version (f->state);
  assert_clips (f->state, "");
  must (sv_state_put_clip (f->state, &b, &error));
  must (sv_state_put_clip (f->state, &a, &error));
  assert_clips (f->state, "sha256:aa:match sha256:bb:match ");
  guint64 added = clips_version (f->state);
  g_assert_cmpuint (added, >, empty);

  must (sv_state_put_clip (f->state, &other, &error));
  assert_clips (f->state, "sha256:aa:training sha256:bb:match ");
  guint64 replaced = clips_version (f->state);
  g_assert_cmpuint (replaced, >, added);

  must (sv_state_remove_clip (f->state, "sha256:aa", &error));
  g_assert_cmpuint (clips_version (f->state), >, replaced);
  assert_fails (sv_state_remove_clip (f->state, "sha256:aa", refusal), SV_ERROR_NOT_FOUND);
  assert_clips (f->state, "sha256:bb:match ");

  g_autoptr (SvState) another = open_state (f->url);
  g_autoptr (GPtrArray) clips = sv_state_list_clips (another, NULL);
  const SvClip *read = clips->pdata[0];
  g_assert_cmpuint (read->bytes, ==, b.bytes);
  g_assert_cmpuint (read->duration_ms, ==, 30000);
  g_assert_cmpfloat (read->fps, ==, 29.97);
  g_assert_cmpuint (read->width, ==, 1920);
  g_assert_cmpuint (read->height, ==, 1080);
  g_assert_cmpstr (read->sport, ==, "football");
  g_assert_cmpstr (read->challenge_type, ==, "football");
  g_assert_cmpint (read->added_ms, ==, b.added_ms);
  g_assert_cmpuint (clips_version (another), ==, clips_version (f->state));
}

/* ── admission ── */

static const SvAdmissionRules wide = { .limit = 1000000, .window_ms = 60000, .remember_ms = 120000 };

static SvIssueRecord
record_of (const char *window_id, guint64 seed)
{
  return (SvIssueRecord){ .asker = (char *)"5Asker",
                          .miner = (char *)"5Miner",
                          .window_id = (char *)window_id,
                          .manifest_hash = (char *)"sha256:aa",
                          .element_id = (char *)"PlayerDetect_v1@1.0",
                          .clip_hash = (char *)"sha256:cc",
                          .seed = seed,
                          .nonce = (char *)"1761177600000000000",
                          .block = 9007199254740991,
                          .time_ms = 1761177600001 };
}

static gboolean
note_record (const SvIssueRecord *record, gpointer data)
{
  GString *found = data;
  g_string_append_printf (found, "%" G_GUINT64_FORMAT ":%s ", record->challenge_id, record->window_id);
  return TRUE;
}

static void
assert_issued (SvState *state, const char *window_id, const char *expected)
{
  g_autoptr (GString) found = g_string_new (NULL);
  must (sv_state_list_issued (state, window_id, 0, note_record, found, &error));
  g_assert_cmpstr (found->str, ==, expected);
}

static gboolean
check_record (const SvIssueRecord *record, gpointer data)
{
  const SvIssueRecord *expected = data;
  g_assert_cmpuint (record->challenge_id, ==, 1);
  g_assert_cmpstr (record->asker, ==, expected->asker);
  g_assert_cmpstr (record->miner, ==, expected->miner);
  g_assert_cmpstr (record->window_id, ==, expected->window_id);
  g_assert_cmpstr (record->manifest_hash, ==, expected->manifest_hash);
  g_assert_cmpstr (record->element_id, ==, expected->element_id);
  g_assert_cmpstr (record->clip_hash, ==, expected->clip_hash);
  g_assert_cmpuint (record->seed, ==, expected->seed);
  g_assert_cmpstr (record->nonce, ==, expected->nonce);
  g_assert_cmpuint (record->block, ==, expected->block);
  g_assert_cmpint (record->time_ms, ==, expected->time_ms);
  return FALSE;
}

static void
test_issue_log (StateFixture *f)
{
  assert_issued (f->state, NULL, "");
  SvIssueRecord records[] = { record_of ("w1", 9007199254740991), record_of ("w2", 2), record_of ("w1", 3),
                              record_of ("w1", 4) };
  SvAdmission batch[] = { { .asker = "5Asker", .nonce = "n1", .client_id = "", .now_ms = 1000, .record = &records[0] },
                          { .asker = "5Asker", .nonce = "n2", .client_id = "", .now_ms = 1000, .record = &records[1] },
                          { .asker = "5Asker", .nonce = "n3", .client_id = "", .now_ms = 1001, .record = &records[2] } };
  must (sv_state_admit (f->state, &wide, batch, 3, &error));
  for (guint i = 0; i < 3; i++)
  {
    g_assert_cmpint (batch[i].outcome, ==, SV_ADMITTED);
    g_assert_cmpuint (records[i].challenge_id, ==, i + 1);
  }
  SvAdmission next = { .asker = "5Asker", .nonce = "n4", .client_id = "", .now_ms = 1002, .record = &records[3] };
  must (sv_state_admit (f->state, &wide, &next, 1, &error));
  assert_issued (f->state, "w1", "1:w1 3:w1 4:w1 ");
  assert_issued (f->state, "w2", "2:w2 ");
  assert_issued (f->state, "w3", "");
  assert_issued (f->state, NULL, "1:w1 2:w2 3:w1 4:w1 ");
  must (sv_state_list_issued (f->state, NULL, 0, check_record, &records[0], &error));
}

static void
admit_of (SvState *state, const char *window_id, const char *nonce)
{
  SvIssueRecord record = record_of (window_id, 1);
  SvAdmission admission = { .asker = "5Asker", .nonce = nonce, .client_id = "", .now_ms = 1000, .record = &record };
  must (sv_state_admit (state, &wide, &admission, 1, &error));
  g_assert_cmpint (admission.outcome, ==, SV_ADMITTED);
}

static void
assert_issued_after (SvState *state, guint64 after_id, const char *expected)
{
  g_autoptr (GString) found = g_string_new (NULL);
  must (sv_state_list_issued (state, "idle", after_id, note_record, found, &error));
  g_assert_cmpstr (found->str, ==, expected);
}

static void
test_idle_window (StateFixture *f)
{
  g_autoptr (SvState) reader = open_state (f->url);
  admit_of (f->state, "idle", "n1");
  for (guint i = 0; i < 3; i++)
  {
    admit_of (f->state, "busy", i == 0 ? "n2" : i == 1 ? "n3" : "n4");
    assert_issued_after (reader, 1, "");
  }
  assert_issued_after (reader, 3, "");
  assert_issued_after (reader, 0, "1:idle ");
  admit_of (f->state, "idle", "n5");
  admit_of (f->state, "busy", "n6");
  assert_issued_after (reader, 3, "5:idle ");
  assert_issued_after (reader, 1, "5:idle ");
  assert_issued_after (reader, 5, "");
  assert_issued_after (reader, 0, "1:idle 5:idle ");
}

static void
test_names_that_end_alike (StateFixture *f)
{
  static const char *const windows[] = { "first-window", "other-window", "first-window", "other-window" };
  SvIssueRecord records[G_N_ELEMENTS (windows)];
  SvAdmission batch[G_N_ELEMENTS (windows)];
  for (gsize i = 0; i < G_N_ELEMENTS (windows); i++)
  {
    records[i] = record_of (windows[i], i);
    batch[i] = (SvAdmission){
      .asker = "5Asker", .nonce = i % 2 == 0 ? "n1" : "n2", .client_id = "", .now_ms = 1000, .record = &records[i]
    };
    if (i >= 2)
      batch[i].asker = records[i].asker = (char *)"6Asker";
  }
  must (sv_state_admit (f->state, &wide, batch, G_N_ELEMENTS (batch), &error));
  for (gsize i = 0; i < G_N_ELEMENTS (batch); i++)
    g_assert_cmpint (batch[i].outcome, ==, SV_ADMITTED);
  assert_issued (f->state, "first-window", "1:first-window 3:first-window ");
  assert_issued (f->state, "other-window", "2:other-window 4:other-window ");
}

static SvAdmissionOutcome
ask (SvState *state, const char *asker, const char *nonce, const char *x_nonce)
{
  SvAdmission admission = { .asker = asker, .nonce = nonce, .x_nonce = x_nonce, .client_id = "", .now_ms = 1000 };
  must (sv_state_admit (state, &wide, &admission, 1, &error));
  return admission.outcome;
}

static void
test_replays (StateFixture *f)
{
  SvAdmission batch[] = { { .asker = "5A", .nonce = "n1", .x_nonce = "x1", .client_id = "", .now_ms = 1000 },
                          { .asker = "5A", .nonce = "n1", .x_nonce = "x2", .client_id = "", .now_ms = 1000 },
                          { .asker = "5A", .nonce = "n2", .x_nonce = "x1", .client_id = "", .now_ms = 1000 },
                          { .asker = "5A", .nonce = "n2", .x_nonce = "x2", .client_id = "", .now_ms = 1000 } };
  must (sv_state_admit (f->state, &wide, batch, 4, &error));
  g_assert_cmpint (batch[0].outcome, ==, SV_ADMITTED);
  g_assert_cmpint (batch[1].outcome, ==, SV_REPLAYED_NONCE);
  g_assert_cmpint (batch[2].outcome, ==, SV_REPLAYED_NONCE);
  g_assert_cmpint (batch[3].outcome, ==, SV_ADMITTED);

  g_autoptr (SvState) another = open_state (f->url);
  g_assert_cmpint (ask (f->state, "5A", "n1", NULL), ==, SV_REPLAYED_NONCE);
  g_assert_cmpint (ask (another, "5A", "n1", NULL), ==, SV_REPLAYED_NONCE);
  g_assert_cmpint (ask (another, "5A", "n3", "x1"), ==, SV_REPLAYED_NONCE);
  g_assert_cmpint (ask (another, "5A", "x1", "n1"), ==, SV_ADMITTED);
}

static void
test_askers_apart (StateFixture *f)
{
  g_assert_cmpint (ask (f->state, "5A", "n1", "x1"), ==, SV_ADMITTED);
  g_assert_cmpint (ask (f->state, "5B", "n1", "x1"), ==, SV_ADMITTED);
  g_assert_cmpint (ask (f->state, "5A", "n2", NULL), ==, SV_ADMITTED);
  g_assert_cmpint (ask (f->state, "5A", "n3", NULL), ==, SV_ADMITTED);
}

static void
test_without_record (StateFixture *f)
{
  g_assert_cmpint (ask (f->state, "5A", "n1", NULL), ==, SV_ADMITTED);
  SvIssueRecord record = record_of ("w1", 1);
  SvAdmission admission = { .asker = "5A", .nonce = "n2", .client_id = "", .now_ms = 1000, .record = &record };
  must (sv_state_admit (f->state, &wide, &admission, 1, &error));
  g_assert_cmpuint (record.challenge_id, ==, 1);
  must (sv_state_admit (f->state, &wide, NULL, 0, &error));
  assert_issued (f->state, NULL, "1:w1 ");
}

static void
note_nonce (const char *asker, const char *nonce, const char *x_nonce, const char *client_id, gint64 time_ms, gpointer data)
{
  g_string_append_printf (data, "%s/%s/%s/%s/%" G_GINT64_FORMAT " ", asker, nonce, x_nonce == NULL ? "-" : x_nonce, client_id,
                          time_ms);
}

static void
test_recent_nonces (StateFixture *f)
{
  SvAdmission batch[] = { { .asker = "5A", .nonce = "n1", .x_nonce = "x1", .client_id = "", .now_ms = 1000 },
                          { .asker = "5B", .nonce = "n2", .client_id = "c", .now_ms = 2000 },
                          { .asker = "5A", .nonce = "n3", .client_id = "d", .now_ms = 3000 },
                          { .asker = "5A", .nonce = "n4", .client_id = "d", .now_ms = 2500 } };
  SvAdmission refused = { .asker = "5A", .nonce = "n5", .client_id = "e", .now_ms = 3000 };
  SvAdmissionRules narrow = { .limit = 1, .window_ms = 60000, .remember_ms = 120000 };
  must (sv_state_admit (f->state, &wide, batch, G_N_ELEMENTS (batch), &error));
  must (sv_state_admit (f->state, &narrow, &refused, 1, &error));
  g_assert_cmpint (refused.outcome, ==, SV_RATE_LIMITED);
  g_assert_cmpint (ask (f->state, "5A", "n1", NULL), ==, SV_REPLAYED_NONCE);
  g_autoptr (GString) all = g_string_new (NULL), some = g_string_new (NULL);
  must (sv_state_recent_nonces (f->state, 0, note_nonce, all, &error));
  must (sv_state_recent_nonces (f->state, 2000, note_nonce, some, &error));
  g_assert_cmpstr (all->str, ==, "5A/n1/x1//1000 5B/n2/-/c/2000 5A/n3/-/d/3000 5A/n4/-/d/2500 ");
  g_assert_cmpstr (some->str, ==, "5B/n2/-/c/2000 5A/n3/-/d/3000 5A/n4/-/d/2500 ");
}

/* ── admission by processes ── */

#define N_PROCESSES 6
#define N_NONCES 60

static int
race (gpointer data)
{
  g_autoptr (SvState) state = open_state (data);
  for (guint i = 0; i < N_NONCES; i++)
  {
    g_autofree char *nonce = g_strdup_printf ("n%u", i);
    SvIssueRecord record = record_of (nonce, i);
    SvAdmission admission = { .asker = "5A", .nonce = nonce, .client_id = "", .now_ms = 1000, .record = &record };
    must (sv_state_admit (state, &wide, &admission, 1, &error));
  }
  return 0;
}

typedef struct
{
  guint64 last_id;
  GHashTable *windows;
} Tally;

static gboolean
tally_record (const SvIssueRecord *record, gpointer data)
{
  Tally *tally = data;
  g_assert_cmpuint (record->challenge_id, ==, tally->last_id + 1);
  tally->last_id = record->challenge_id;
  g_assert_true (g_hash_table_add (tally->windows, g_strdup (record->window_id)));
  return TRUE;
}

static Tally
tally_of (SvState *state)
{
  Tally tally = { 0, g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  must (sv_state_list_issued (state, NULL, 0, tally_record, &tally, &error));
  return tally;
}

static void
test_race (StateFixture *f)
{
  pid_t children[N_PROCESSES];
  for (int i = 0; i < N_PROCESSES; i++)
    children[i] = child_start (race, f->url);
  for (int i = 0; i < N_PROCESSES; i++)
    g_assert_cmpint (child_wait (children[i]), ==, 0);
  Tally tally = tally_of (f->state);
  g_assert_cmpuint (tally.last_id, ==, N_NONCES);
  g_hash_table_unref (tally.windows);
}

#define BATCH 8

typedef struct
{
  const char *url;
  const char *run; /* keeps nonces of several writers apart */
  int acknowledge; /* a pipe */
} Writer;

/* Admits batches for ever and tells the last id of each once it is acknowledged. */
static int
admit_for_ever (gpointer data)
{
  const Writer *writer = data;
  g_autoptr (SvState) state = open_state (writer->url);
  for (guint n = 0;; n += BATCH)
  {
    SvAdmission batch[BATCH] = { 0 };
    SvIssueRecord records[BATCH];
    char nonces[BATCH][64];
    for (guint i = 0; i < BATCH; i++)
    {
      g_snprintf (nonces[i], sizeof nonces[i], "%s-%u", writer->run, n + i);
      records[i] = record_of (nonces[i], i);
      batch[i] = (SvAdmission){ .asker = "5A", .nonce = nonces[i], .client_id = "", .now_ms = 1000, .record = &records[i] };
    }
    must (sv_state_admit (state, &wide, batch, BATCH, &error));
    guint64 id = records[BATCH - 1].challenge_id;
    if (write (writer->acknowledge, &id, sizeof id) != sizeof id)
      return 1;
  }
}

static guint64
last_acknowledged (int fd)
{
  guint64 id = 0, next;
  while (read (fd, &next, sizeof next) == sizeof next)
    id = next;
  return id;
}

static guint64
kill_a_writer (const Writer *template, guint after_us)
{
  int ends[2];
  guint64 first;
  g_assert_cmpint (pipe (ends), ==, 0);
  Writer writer = *template;
  writer.acknowledge = ends[1];
  pid_t child = child_start (admit_for_ever, &writer);
  close (ends[1]);
  g_assert_cmpint (read (ends[0], &first, sizeof first), ==, sizeof first);
  g_usleep (after_us);
  kill (child, SIGKILL);
  g_assert_cmpint (child_wait (child), ==, 128 + SIGKILL);
  guint64 last = MAX (first, last_acknowledged (ends[0]));
  close (ends[0]);
  return last;
}

static void
test_kill (StateFixture *f)
{
  for (guint i = 0; i < 10; i++)
  {
    g_autofree char *run = g_strdup_printf ("run%u", i);
    Writer writer = { .url = f->url, .run = run };
    guint64 acknowledged = kill_a_writer (&writer, (guint)g_test_rand_int_range (0, 5000));
    Tally tally = tally_of (f->state);
    g_assert_cmpuint (tally.last_id, >=, acknowledged);
    g_assert_cmpuint (tally.last_id % BATCH, ==, 0);
    g_hash_table_unref (tally.windows);
  }
}

/* ── closed windows ── */

static guint64
close_window (SvState *state, const char *window_id)
{
  guint64 last_id = G_MAXUINT64;
  must (sv_state_close_window (state, window_id, &last_id, &error));
  return last_id;
}

static SvAdmissionOutcome
issue (SvState *state, const char *window_id, const char *nonce, guint64 *id)
{
  SvIssueRecord record = record_of (window_id, 1);
  SvAdmission admission = { .asker = "5A", .nonce = nonce, .client_id = "", .now_ms = 1000, .record = &record };
  must (sv_state_admit (state, &wide, &admission, 1, &error));
  *id = record.challenge_id;
  return admission.outcome;
}

static void
test_trial (StateFixture *f)
{
  guint64 id;
  must (sv_state_try_admission (f->state, &error));
  issue (f->state, "w", "n1", &id);
  g_assert_cmpuint (id, ==, 1);
  must (sv_state_try_admission (f->state, &error));
  issue (f->state, "w", "n2", &id);
  g_assert_cmpuint (id, ==, 2);
  g_assert_cmpuint (close_window (f->state, "w"), ==, 2);
}

static void
test_closed_window (StateFixture *f)
{
  guint64 id;
  g_autoptr (SvState) another = open_state (f->url);
  g_assert_cmpuint (close_window (f->state, "empty"), ==, 0);
  g_assert_cmpint (issue (f->state, "w1", "n1", &id), ==, SV_ADMITTED);
  g_assert_cmpint (issue (f->state, "w2", "n2", &id), ==, SV_ADMITTED);
  g_assert_cmpuint (close_window (another, "w1"), ==, 1);
  g_assert_cmpint (issue (f->state, "w1", "n3", &id), ==, SV_WINDOW_CLOSED);
  g_assert_cmpint (issue (another, "w1", "n3", &id), ==, SV_WINDOW_CLOSED);
  g_assert_cmpint (issue (f->state, "empty", "n3", &id), ==, SV_WINDOW_CLOSED);
  g_assert_cmpint (issue (f->state, "w1", "n1", &id), ==, SV_REPLAYED_NONCE);
  g_assert_cmpuint (id, ==, 0);
  g_assert_cmpint (issue (f->state, "w2", "n3", &id), ==, SV_ADMITTED); /* the nonce was not used up */
  g_assert_cmpint (ask (f->state, "5A", "n4", NULL), ==, SV_ADMITTED);
  g_assert_cmpuint (close_window (f->state, "w1"), ==, 1);
  g_assert_cmpuint (close_window (f->state, "w2"), ==, id);
  assert_issued (f->state, "w1", "1:w1 ");
}

typedef struct
{
  const char *url;
  guint number;
  int tells; /* a pipe */
} Issuer;

#define MAX_ISSUED 20000 /* far more than are issued before anybody closes */

/* Admits until the window is closed; tells each id. */
static void
test_raise_ids (StateFixture *f)
{
  guint64 id;
  g_autoptr (SvState) other = open_state (f->url);
  must (sv_state_raise_ids (f->state, 0, &error));
  g_assert_cmpint (issue (f->state, "w", "n1", &id), ==, SV_ADMITTED);
  g_assert_cmpuint (id, ==, 1);
  g_assert_cmpint (issue (other, "w", "n2", &id), ==, SV_ADMITTED);
  g_assert_cmpuint (id, ==, 2);
  must (sv_state_raise_ids (other, 1000, &error));
  must (sv_state_raise_ids (other, 500, &error));
  g_assert_cmpint (issue (f->state, "w", "n3", &id), ==, SV_ADMITTED);
  g_assert_cmpuint (id, ==, 1001);
  must (sv_state_raise_ids (f->state, 1000, &error));
  g_autoptr (SvState) fresh = open_state (f->url);
  g_assert_cmpint (issue (fresh, "w", "n4", &id), ==, SV_ADMITTED);
  g_assert_cmpuint (id, ==, 1002);
  g_assert_cmpint (issue (other, "w", "n5", &id), ==, SV_ADMITTED);
  g_assert_cmpuint (id, ==, 1003);
  g_assert_cmpint (issue (fresh, "w", "n1", &id), ==, SV_REPLAYED_NONCE);
}

static int
issue_until_closed (gpointer data)
{
  const Issuer *issuer = data;
  g_autoptr (SvState) state = open_state (issuer->url);
  for (guint n = 0; n < MAX_ISSUED; n++)
  {
    guint64 id;
    g_autofree char *nonce = g_strdup_printf ("%u-%u", issuer->number, n);
    SvAdmissionOutcome outcome = issue (state, "w", nonce, &id);
    if (outcome != SV_ADMITTED)
      return outcome == SV_WINDOW_CLOSED ? 0 : 1;
    if (write (issuer->tells, &id, sizeof id) != sizeof id)
      return 2;
  }
  return 3;
}

static void
test_closing_race (StateFixture *f)
{
  enum
  {
    N_ISSUERS = 3,
    N_BEFORE = 20
  };
  int ends[2];
  guint64 id, greatest = 0;
  pid_t children[N_ISSUERS];
  g_assert_cmpint (pipe (ends), ==, 0);
  for (guint i = 0; i < N_ISSUERS; i++)
  {
    Issuer issuer = { .url = f->url, .number = i, .tells = ends[1] };
    children[i] = child_start (issue_until_closed, &issuer);
  }
  close (ends[1]);
  for (guint i = 0; i < N_BEFORE; i++)
  {
    g_assert_cmpint (read (ends[0], &id, sizeof id), ==, sizeof id);
    greatest = MAX (greatest, id);
  }
  guint64 last_id = close_window (f->state, "w");
  while (read (ends[0], &id, sizeof id) == sizeof id)
    greatest = MAX (greatest, id);
  close (ends[0]);
  for (guint i = 0; i < N_ISSUERS; i++)
    g_assert_cmpint (child_wait (children[i]), ==, 0);
  g_assert_cmpuint (greatest, ==, last_id);
  g_assert_cmpuint (close_window (f->state, "w"), ==, last_id);
}

/* ── the chain ── */

static const SvChainId finney = { .genesis = "0xaa", .netuid = 44 };

static void
add_commitment (GPtrArray *list, guint64 block, guint index, gboolean succeeded)
{
  SvStoredCommitment *commitment = g_new0 (SvStoredCommitment, 1);
  commitment->block = block;
  commitment->index = index;
  g_snprintf (commitment->hash, sizeof commitment->hash, "0x%064x", index);
  commitment->signer = g_strdup ("5Miner");
  commitment->text = g_strdup ("sv1 commit w 45\nE r s c 25");
  commitment->succeeded = succeeded;
  g_ptr_array_add (list, commitment);
}

/* One commitment in the last block. */
static gboolean
append (SvState *state, const SvChainId *chain, guint64 from_block, guint64 number, GError **error)
{
  SvCheckpoint checkpoint = { from_block, number, "0xbb" };
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_stored_commitment_free);
  add_commitment (list, number, 7, TRUE);
  return sv_state_append_commitments (state, chain, &checkpoint, list, error);
}

static void
assert_chain (SvState *state, const SvChainId *chain, guint64 from_block, const char *expected)
{
  GError *failure = NULL;
  SvCheckpoint checkpoint = { 0 };
  gboolean found;
  must (sv_state_checkpoint (state, chain, &checkpoint, &found, &error));
  g_autoptr (GString) seen = g_string_new (found ? NULL : "none");
  if (found)
    g_string_append_printf (seen, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT " %s:", checkpoint.from_block, checkpoint.number,
                            checkpoint.hash);
  g_autoptr (GPtrArray) list = sv_state_list_commitments (state, chain, from_block, &failure);
  g_assert_no_error (failure);
  for (guint i = 0; i < list->len; i++)
  {
    const SvStoredCommitment *commitment = list->pdata[i];
    g_string_append_printf (seen, " %" G_GUINT64_FORMAT "/%u", commitment->block, commitment->index);
  }
  g_assert_cmpstr (seen->str, ==, expected);
}

static void
test_commitments (StateFixture *f)
{
  assert_chain (f->state, &finney, 0, "none");
  SvCheckpoint checkpoint = { 100, 110, "0xbb" };
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_stored_commitment_free);
  add_commitment (list, 105, 10, TRUE);
  add_commitment (list, 105, 2, FALSE);
  add_commitment (list, 101, 3, TRUE);
  must (sv_state_append_commitments (f->state, &finney, &checkpoint, list, &error));
  must (append (f->state, &finney, 100, 120, &error));
  assert_chain (f->state, &finney, 0, "100-120 0xbb: 101/3 105/2 105/10 120/7");
  assert_chain (f->state, &finney, 105, "100-120 0xbb: 105/2 105/10 120/7");

  g_autoptr (SvState) another = open_state (f->url);
  g_autoptr (GPtrArray) read = sv_state_list_commitments (another, &finney, 105, NULL);
  const SvStoredCommitment *failed = read->pdata[0], *good = read->pdata[1];
  g_assert_false (failed->succeeded);
  g_assert_true (good->succeeded);
  g_assert_cmpstr (good->hash, ==, "0x000000000000000000000000000000000000000000000000000000000000000a");
  g_assert_cmpstr (good->signer, ==, "5Miner");
  g_assert_cmpstr (good->text, ==, "sv1 commit w 45\nE r s c 25");
}

static void
test_checkpoint_forward (StateFixture *f)
{
  must (append (f->state, &finney, 100, 110, &error));
  assert_fails (append (f->state, &finney, 100, 110, refusal), SV_ERROR_CONFLICT);
  assert_fails (append (f->state, &finney, 100, 109, refusal), SV_ERROR_CONFLICT);
  assert_chain (f->state, &finney, 0, "100-110 0xbb: 110/7");
  must (append (f->state, &finney, 100, 111, &error));
  must (append (f->state, &finney, 112, 113, &error));
  assert_chain (f->state, &finney, 0, "100-113 0xbb: 110/7 111/7 113/7");
}

static void
test_checkpoint_anew (StateFixture *f)
{
  must (append (f->state, &finney, 100, 110, &error));
  must (append (f->state, &finney, 50, 60, &error));
  assert_chain (f->state, &finney, 0, "50-60 0xbb: 60/7");
  must (append (f->state, &finney, 70, 80, &error));
  assert_chain (f->state, &finney, 0, "70-80 0xbb: 80/7");
}

static void
test_chains_apart (StateFixture *f)
{
  SvChainId other_genesis = { .genesis = "0xbb", .netuid = 44 }, other_netuid = { .genesis = "0xaa", .netuid = 45 };
  must (append (f->state, &finney, 100, 110, &error));
  must (append (f->state, &other_genesis, 1, 2, &error));
  assert_chain (f->state, &other_netuid, 0, "none");
  assert_chain (f->state, &finney, 0, "100-110 0xbb: 110/7");
  must (sv_state_forget_chain (f->state, &finney, &error));
  must (sv_state_forget_chain (f->state, &finney, &error));
  assert_chain (f->state, &finney, 0, "none");
  assert_chain (f->state, &other_genesis, 0, "1-2 0xbb: 2/7");
}

/* ── running ── */

static const struct
{
  const char *name;
  StatePromise run;
} promises[] = {
  { "clips", test_clips },
  { "issued records count up and are read back", test_issue_log },
  { "what is new of an idle window is found beside a busy one", test_idle_window },
  { "names that end alike are apart", test_names_that_end_alike },
  { "a nonce is accepted once", test_replays },
  { "askers have nonces of their own", test_askers_apart },
  { "without a record no id is used", test_without_record },
  { "recent nonces", test_recent_nonces },
  { "racing processes admit each nonce once", test_race },
  { "what was acknowledged survives a kill", test_kill },
  { "of a closed window nothing is admitted", test_closed_window },
  { "a trial leaves nothing behind", test_trial },
  { "closing tells the last id of all who admit", test_closing_race },
  { "ids that are raised never go back", test_raise_ids },
  { "commitments in chain order", test_commitments },
  { "the checkpoint only moves forward", test_checkpoint_forward },
  { "an index without holes begins anew", test_checkpoint_anew },
  { "chains are apart", test_chains_apart },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize p = 0; p < G_N_ELEMENTS (promises); p++)
    state_promise_add (promises[p].name, promises[p].run);
  return state_promises_run ();
}
