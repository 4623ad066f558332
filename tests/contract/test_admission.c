/* How every engine of the state limits rates.
 *
 *  1. the limit is reached exactly; the answer tells when the oldest request leaves the window, rounded up to seconds, at least
 *     one; at that time one more is admitted
 *  2. a refused request is not recorded: its nonce is free, and no id is used
 *  3. a replay is judged before the rate, and costs nothing
 *  4. askers do not count against each other
 *  5. client ids share their asker's limit: a quiet one gets its share back from a busy one, also if it was refused first
 *  6. no more than 16 client ids have shares of their own; a limit below their number still serves them
 *  7. in a long random run the outcome is that of a slow, obvious model, through two handles
 *  8. processes together admit no more than the limit
 *  9. old nonces are removed bit by bit, and may then be used again
 * 10. other rules hold from the next request on, for what was asked before, too
 * 11. a clock that was far ahead and is set back locks nobody out; one that is a little back does not widen the window
 */
#include <string.h>

#include "scratch.h"
#include "state_fixture.h"

static const SvAdmissionRules rules = { .limit = 4, .window_ms = 60000, .remember_ms = 120000 };

static guint nonce_number;

static SvAdmission
try_as (SvState *state, const SvAdmissionRules *by, const char *asker, const char *client_id, gint64 now_ms, const char *nonce)
{
  SvAdmission admission = { .asker = asker, .nonce = nonce, .client_id = client_id, .now_ms = now_ms };
  must (sv_state_admit (state, by, &admission, 1, &error));
  return admission;
}

/* With a nonce never used before. */
static SvAdmission
try_at (SvState *state, const char *asker, const char *client_id, gint64 now_ms)
{
  char nonce[32];
  g_snprintf (nonce, sizeof nonce, "n%u", nonce_number++);
  return try_as (state, &rules, asker, client_id, now_ms, nonce);
}

static void
assert_admitted (SvAdmission admission)
{
  g_assert_cmpint (admission.outcome, ==, SV_ADMITTED);
  g_assert_cmpuint (admission.retry_after_s, ==, 0);
}

static void
assert_limited (SvAdmission admission, guint retry_after_s)
{
  g_assert_cmpint (admission.outcome, ==, SV_RATE_LIMITED);
  g_assert_cmpuint (admission.retry_after_s, ==, retry_after_s);
}

static void
test_limit (StateFixture *f)
{
  assert_admitted (try_at (f->state, "5A", "", 1000));
  for (guint i = 0; i < 3; i++)
    assert_admitted (try_at (f->state, "5A", "", 31000));
  assert_limited (try_at (f->state, "5A", "", 31000), 30);
  assert_limited (try_at (f->state, "5A", "", 31001), 30);
  assert_limited (try_at (f->state, "5A", "", 32000), 29);
  assert_limited (try_at (f->state, "5A", "", 60999), 1);
  assert_admitted (try_at (f->state, "5A", "", 61000));
  assert_limited (try_at (f->state, "5A", "", 61000), 30);
}

static void
test_refused_costs_nothing (StateFixture *f)
{
  for (guint i = 0; i < 4; i++)
    assert_admitted (try_at (f->state, "5A", "", 1000));
  SvIssueRecord record = { .asker = (char *)"5A",
                           .miner = (char *)"5M",
                           .window_id = (char *)"w",
                           .manifest_hash = (char *)"h",
                           .element_id = (char *)"e",
                           .clip_hash = (char *)"c",
                           .nonce = (char *)"mine" };
  SvAdmission admission = {
    .asker = "5A", .nonce = "mine", .x_nonce = "mine", .client_id = "", .now_ms = 2000, .record = &record
  };
  must (sv_state_admit (f->state, &rules, &admission, 1, &error));
  assert_limited (admission, 59);
  g_assert_cmpuint (record.challenge_id, ==, 0);
  admission.now_ms = 61000;
  must (sv_state_admit (f->state, &rules, &admission, 1, &error));
  assert_admitted (admission);
  g_assert_cmpuint (record.challenge_id, ==, 1);
}

static void
test_replay_before_rate (StateFixture *f)
{
  assert_admitted (try_as (f->state, &rules, "5A", "", 1000, "mine"));
  for (guint i = 0; i < 20; i++)
    g_assert_cmpint (try_as (f->state, &rules, "5A", "", 1000, "mine").outcome, ==, SV_REPLAYED_NONCE);
  for (guint i = 0; i < 3; i++)
    assert_admitted (try_at (f->state, "5A", "", 1000));
  assert_limited (try_at (f->state, "5A", "", 1000), 60);
  g_assert_cmpint (try_as (f->state, &rules, "5A", "", 1000, "mine").outcome, ==, SV_REPLAYED_NONCE);
}

static void
test_askers_apart (StateFixture *f)
{
  for (guint i = 0; i < 4; i++)
    assert_admitted (try_at (f->state, "5A", "", 1000));
  assert_limited (try_at (f->state, "5A", "", 1000), 60);
  for (guint i = 0; i < 4; i++)
    assert_admitted (try_at (f->state, "5B", "", 1000));
}

static void
test_fair_shares (StateFixture *f)
{
  for (guint i = 0; i < 4; i++)
    assert_admitted (try_at (f->state, "5A", "busy", 1000 + 1000 * i));
  assert_limited (try_at (f->state, "5A", "quiet", 5000), 56); /* the whole limit is used; but it has been seen now */
  assert_limited (try_at (f->state, "5A", "busy", 61000), 1);  /* three are left, its share is two */
  assert_admitted (try_at (f->state, "5A", "quiet", 61000));
  assert_limited (try_at (f->state, "5A", "busy", 62000), 1);
  assert_admitted (try_at (f->state, "5A", "quiet", 62000));
  assert_limited (try_at (f->state, "5A", "quiet", 63000), 58);
  assert_admitted (try_at (f->state, "5A", "busy", 63000));
}

static void
test_many_clients (StateFixture *f)
{
  for (guint i = 0; i < 40; i++)
  {
    char client_id[16];
    g_snprintf (client_id, sizeof client_id, "c%u", i);
    SvAdmission admission = try_at (f->state, "5A", client_id, 1000);
    g_assert_cmpint (admission.outcome, ==, i < 4 ? SV_ADMITTED : SV_RATE_LIMITED);
  }
  SvAdmissionRules many = { .limit = 1000, .window_ms = 60000, .remember_ms = 120000 };
  guint n_shared = 0;
  for (guint i = 0; i < 200; i++) /* c16 to c39 share the seventeenth part: floor (1000 / 17) */
  {
    char client_id[16], nonce[16];
    g_snprintf (client_id, sizeof client_id, "c%u", 16 + i % 24);
    g_snprintf (nonce, sizeof nonce, "shared%u", i);
    n_shared += try_as (f->state, &many, "5A", client_id, 2000, nonce).outcome == SV_ADMITTED;
  }
  g_assert_cmpuint (n_shared, ==, 1000 / 17);
}

static void
test_other_rules (StateFixture *f)
{
  SvAdmissionRules shorter = { .limit = 4, .window_ms = 1000, .remember_ms = 120000 };
  SvAdmissionRules higher = { .limit = 6, .window_ms = 60000, .remember_ms = 120000 };
  for (guint i = 0; i < 4; i++)
    assert_admitted (try_at (f->state, "5A", "", 1000));
  assert_limited (try_at (f->state, "5A", "", 3000), 58);
  assert_admitted (try_as (f->state, &shorter, "5A", "", 3000, "shorter"));
  assert_limited (try_at (f->state, "5A", "", 3000), 58);
  assert_admitted (try_as (f->state, &higher, "5A", "", 3000, "higher"));
  assert_limited (try_as (f->state, &higher, "5A", "", 3000, "higher still"), 58);
}

/* ── against a model ── */

typedef struct
{
  guint asker;
  char bucket[16];
  gint64 time_ms;
} Seen;

typedef struct
{
  GArray *admitted; /* of Seen */
  GArray *seen;     /* of Seen: every request that was no replay, by its bucket */
} Model;

static guint
count_admitted (const Model *model, guint asker, const char *bucket, gint64 after_ms)
{
  guint n = 0;
  for (guint i = 0; i < model->admitted->len; i++)
  {
    const Seen *seen = &g_array_index (model->admitted, Seen, i);
    n += seen->asker == asker && seen->time_ms > after_ms && (bucket == NULL || strcmp (seen->bucket, bucket) == 0);
  }
  return n;
}

static GHashTable *
active_buckets (const Model *model, guint asker, gint64 after_ms)
{
  GHashTable *active = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < model->seen->len; i++)
  {
    const Seen *seen = &g_array_index (model->seen, Seen, i);
    if (seen->asker == asker && seen->time_ms > after_ms)
      g_hash_table_add (active, (gpointer)seen->bucket);
  }
  return active;
}

static gboolean
model_admits (Model *model, const SvAdmissionRules *by, guint asker, const char *client_id, gint64 now_ms)
{
  gint64 after_ms = now_ms - (gint64)by->window_ms;
  g_autoptr (GHashTable) active = active_buckets (model, asker, after_ms);
  guint n_own = g_hash_table_size (active) - g_hash_table_contains (active, "+");
  gboolean has_own = g_hash_table_contains (active, client_id) || n_own < 16;
  Seen now = { .asker = asker, .time_ms = now_ms };
  g_strlcpy (now.bucket, has_own ? client_id : "+", sizeof now.bucket);
  g_hash_table_add (active, now.bucket);
  guint share = MAX (by->limit / g_hash_table_size (active), 1);
  gboolean admits =
      count_admitted (model, asker, NULL, after_ms) < by->limit && count_admitted (model, asker, now.bucket, after_ms) < share;
  g_clear_pointer (&active, g_hash_table_unref);
  g_array_append_val (model->seen, now);
  if (admits)
    g_array_append_val (model->admitted, now);
  return admits;
}

#define MODEL_BATCH 8

/* @n random requests in one batch, the first of them the @first of all. How many were admitted. */
static guint
compare_batch (SvState *state, Model *model, guint first, guint n, gint64 *now_ms)
{
  SvAdmissionRules by = { .limit = 20, .window_ms = 1000, .remember_ms = 2000 };
  SvAdmission batch[MODEL_BATCH];
  gboolean expected[MODEL_BATCH];
  char client_ids[MODEL_BATCH][16], nonces[MODEL_BATCH][16], askers[MODEL_BATCH][8];
  guint n_admitted = 0;
  for (guint i = 0; i < n; i++)
  {
    guint number = (guint)g_test_rand_int_range (0, 2);
    gint32 n_clients = (first + i) / 250 % 2 == 0 ? 4 : 24;
    *now_ms += g_test_rand_int_range (0, 10) == 0 ? g_test_rand_int_range (0, 400) : g_test_rand_int_range (0, 20);
    g_snprintf (client_ids[i], sizeof client_ids[i], "c%d", g_test_rand_int_range (0, n_clients));
    g_snprintf (nonces[i], sizeof nonces[i], "n%u", first + i);
    g_snprintf (askers[i], sizeof askers[i], "5%u", number);
    expected[i] = model_admits (model, &by, number, client_ids[i], *now_ms);
    batch[i] = (SvAdmission){ .asker = askers[i], .nonce = nonces[i], .client_id = client_ids[i], .now_ms = *now_ms };
  }
  must (sv_state_admit (state, &by, batch, n, &error));
  for (guint i = 0; i < n; i++)
  {
    if ((batch[i].outcome == SV_ADMITTED) != expected[i] || (!expected[i] && batch[i].retry_after_s != 1))
      g_error ("request %u of %s at %" G_GINT64_FORMAT ": outcome %d, retry after %u s, but the model %s", first + i,
               client_ids[i], batch[i].now_ms, batch[i].outcome, batch[i].retry_after_s, expected[i] ? "admits" : "refuses");
    n_admitted += expected[i];
  }
  return n_admitted;
}

static void
test_model (StateFixture *f)
{
  Model model = { g_array_new (FALSE, FALSE, sizeof (Seen)), g_array_new (FALSE, FALSE, sizeof (Seen)) };
  g_autoptr (SvState) other = open_state (f->url);
  guint n_admitted = 0, n = 0;
  gint64 now_ms = 1000000;
  for (guint i = 0; i < 2000; i += n)
  {
    n = (guint)g_test_rand_int_range (1, MODEL_BATCH + 1);
    n_admitted += compare_batch (i % 3 == 0 ? other : f->state, &model, i, n, &now_ms);
  }
  g_assert_cmpuint (n_admitted, >, 300);
  g_assert_cmpuint (n_admitted, <, 1700);
  g_array_unref (model.admitted);
  g_array_unref (model.seen);
}

/* ── processes ── */

#define N_PROCESSES 5

typedef struct
{
  const char *url;
  guint number;
} Asking;

/* Exits with how many of ten requests were admitted. */
static int
ask_often (gpointer data)
{
  const Asking *asking = data;
  g_autoptr (SvState) state = open_state (asking->url);
  SvAdmissionRules by = { .limit = 23, .window_ms = 60000, .remember_ms = 120000 };
  int n_admitted = 0;
  for (guint i = 0; i < 10; i++)
  {
    char nonce[32];
    g_snprintf (nonce, sizeof nonce, "p%u-%u", asking->number, i);
    n_admitted += try_as (state, &by, "5A", "", 1000, nonce).outcome == SV_ADMITTED;
  }
  return n_admitted;
}

static void
test_processes (StateFixture *f)
{
  pid_t children[N_PROCESSES];
  int n_admitted = 0;
  for (guint i = 0; i < N_PROCESSES; i++)
  {
    Asking asking = { f->url, i };
    children[i] = child_start (ask_often, &asking);
  }
  for (guint i = 0; i < N_PROCESSES; i++)
    n_admitted += child_wait (children[i]);
  g_assert_cmpint (n_admitted, ==, 23);
}

/* ── time ── */

static void
count_nonce (const char *asker, const char *nonce, const char *x_nonce, const char *client_id, gint64 time_ms, gpointer data)
{
  ++*(guint *)data;
}

static guint
n_remembered (SvState *state)
{
  guint n = 0;
  must (sv_state_recent_nonces (state, 0, count_nonce, &n, &error));
  return n;
}

static void
test_old_nonces (StateFixture *f)
{
  SvAdmissionRules by = { .limit = 1000, .window_ms = 60000, .remember_ms = 120000 };
  for (guint i = 0; i < 100; i++)
  {
    g_autofree char *nonce = g_strdup_printf ("old%u", i);
    g_assert_cmpint (try_as (f->state, &by, "5A", "", 1000, nonce).outcome, ==, SV_ADMITTED);
  }
  g_assert_cmpint (try_as (f->state, &by, "5A", "", 121000, "old0").outcome, ==, SV_REPLAYED_NONCE);
  g_assert_cmpuint (n_remembered (f->state), ==, 100);

  g_assert_cmpint (try_as (f->state, &by, "5A", "", 121001, "new").outcome, ==, SV_ADMITTED);
  guint after_one = n_remembered (f->state);
  g_assert_cmpuint (after_one, <, 101);
  g_assert_cmpuint (after_one, >, 50); /* one request does not pay for a hundred */
  for (guint i = 0; i < 20; i++)
    assert_admitted (try_at (f->state, "5B", "", 121001 + 60000 * i));
  g_assert_cmpint (try_as (f->state, &by, "5A", "", 121001 + 60000 * 20, "old0").outcome, ==, SV_ADMITTED);
  g_assert_cmpuint (n_remembered (f->state), <, 10);
}

#define YEAR_MS (G_GINT64_CONSTANT (365) * 24 * 3600 * 1000)

static void
test_clock (StateFixture *f)
{
  for (guint i = 0; i < 4; i++)
    assert_admitted (try_at (f->state, "5A", "", 1000 + YEAR_MS));
  for (guint i = 0; i < 4; i++)
    assert_admitted (try_at (f->state, "5A", "", 2000));
  assert_limited (try_at (f->state, "5A", "", 2000), 60);

  for (guint i = 0; i < 4; i++)
    assert_admitted (try_at (f->state, "5B", "", 30000));
  assert_limited (try_at (f->state, "5B", "", 29000), 60);
  assert_admitted (try_at (f->state, "5B", "", 90000));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  state_promise_add ("the limit is reached exactly", test_limit);
  state_promise_add ("a refused request costs nothing", test_refused_costs_nothing);
  state_promise_add ("a replay is judged before the rate", test_replay_before_rate);
  state_promise_add ("askers are apart", test_askers_apart);
  state_promise_add ("a busy client leaves a quiet one its share", test_fair_shares);
  state_promise_add ("many clients", test_many_clients);
  state_promise_add ("other rules hold at once", test_other_rules);
  state_promise_add ("a long run agrees with a model", test_model);
  state_promise_add ("processes together keep the limit", test_processes);
  state_promise_add ("old nonces go bit by bit", test_old_nonces);
  state_promise_add ("a clock that is set back", test_clock);
  return state_promises_run ();
}
