/* Admission in memory.
 *
 * nonces: once per asker, query nonce and X-Nonce apart; a replay costs nothing; forgotten after the remembered time; also
 * where the asker was a stranger first rate: sliding window, retry after; client ids share the limit; many client ids share one
 * bucket strangers are bounded, known askers are not; many threads agree on one winner per nonce the setting */
#include "api/admission.h"

#include "base/error.h"
#include "state/rate.h"

#define START 1761177600000

static SvAdmissionMemory *
make (guint limit, guint64 window_ms)
{
  SvAdmissionRules rules = { .limit = limit, .window_ms = window_ms, .remember_ms = MAX (window_ms, 120000) };
  return sv_admission_new (&rules, 64);
}

static SvAdmissionVerdict
admit_as (SvAdmissionMemory *memory, const char *asker, const char *nonce, const char *x_nonce, const char *client, gint64 at,
          guint *retry_after)
{
  SvAdmissionRequest request = {
    .asker = asker, .nonce = nonce, .x_nonce = x_nonce, .client_id = client, .time_ms = START + at
  };
  return sv_admission_admit (memory, &request, retry_after);
}

static SvAdmissionVerdict
admit (SvAdmissionMemory *memory, const char *nonce, gint64 at)
{
  guint retry_after;
  return admit_as (memory, "alice", nonce, NULL, NULL, at, &retry_after);
}

/* Others ask now and then, from @from to @until. */
static void
pass_time (SvAdmissionMemory *memory, gint64 from, gint64 until)
{
  guint retry;
  for (gint64 at = from; at <= until; at += 5000)
    admit_as (memory, "carol", "1", NULL, NULL, at, &retry);
}

static void
test_a_nonce_is_good_once_per_asker (void)
{
  guint retry;
  g_autoptr (SvAdmissionMemory) memory = make (10, 60000);
  g_assert_cmpint (admit (memory, "1", 0), ==, SV_ADMISSION_OK);
  g_assert_cmpint (admit (memory, "1", 1), ==, SV_ADMISSION_REPLAYED);
  g_assert_cmpint (admit_as (memory, "bob", "1", NULL, NULL, 2, &retry), ==, SV_ADMISSION_OK);
  pass_time (memory, 5000, 115000);
  g_assert_cmpint (admit (memory, "1", 119999), ==, SV_ADMISSION_REPLAYED);
  g_assert_cmpint (admit_as (memory, "alice", "2", "1", NULL, 120000, &retry), ==, SV_ADMISSION_OK);
  g_assert_cmpint (admit_as (memory, "alice", "3", "1", NULL, 120001, &retry), ==, SV_ADMISSION_REPLAYED);
  pass_time (memory, 125000, 165000);
  g_assert_cmpint (admit (memory, "1", 165001), ==, SV_ADMISSION_OK); /* three eighths of the remembered time later */
}

static void
test_a_stranger_who_has_become_known_may_not_replay (void)
{
  guint retry;
  g_autoptr (SvAdmissionMemory) memory = make (10, 60000);
  SvAdmissionRequest request = { .asker = "alice", .nonce = "1", .time_ms = START, .is_stranger = TRUE };
  g_assert_cmpint (sv_admission_admit (memory, &request, &retry), ==, SV_ADMISSION_OK);
  g_assert_cmpint (admit (memory, "1", 1), ==, SV_ADMISSION_REPLAYED);
  g_assert_cmpint (admit (memory, "2", 1), ==, SV_ADMISSION_OK);
  request.nonce = "2";
  g_assert_true (sv_admission_is_replay (memory, &request));
  g_assert_cmpint (sv_admission_admit (memory, &request, &retry), ==, SV_ADMISSION_REPLAYED);
}

static void
test_looking_for_a_replay_changes_nothing (void)
{
  g_autoptr (SvAdmissionMemory) memory = make (10, 60000);
  SvAdmissionRequest request = { .asker = "alice", .nonce = "1", .time_ms = START };
  g_assert_false (sv_admission_is_replay (memory, &request));
  g_assert_false (sv_admission_is_replay (memory, &request));
  g_assert_cmpint (admit (memory, "1", 0), ==, SV_ADMISSION_OK);
  g_assert_true (sv_admission_is_replay (memory, &request));
}

static void
test_the_window_slides (void)
{
  guint retry = 0;
  g_autoptr (SvAdmissionMemory) memory = make (2, 60000);
  g_assert_cmpint (admit (memory, "1", 0), ==, SV_ADMISSION_OK);
  g_assert_cmpint (admit (memory, "2", 10000), ==, SV_ADMISSION_OK);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (admit (memory, "1", 11000), ==, SV_ADMISSION_REPLAYED);
  g_assert_cmpint (admit_as (memory, "alice", "3", NULL, NULL, 15500, &retry), ==, SV_ADMISSION_LIMITED);
  g_assert_cmpuint (retry, ==, 45);
  g_assert_cmpint (admit (memory, "3", 59999), ==, SV_ADMISSION_LIMITED);
  g_assert_cmpint (admit (memory, "3", 60000), ==, SV_ADMISSION_OK); /* a refused request did not use its nonce up */
  g_assert_cmpint (admit (memory, "4", 69999), ==, SV_ADMISSION_LIMITED);
  g_assert_cmpint (admit (memory, "4", 70000), ==, SV_ADMISSION_OK);
}

static guint
count_admitted (SvAdmissionMemory *memory, const char *client, guint tries, gint64 at)
{
  static guint serial;
  guint n = 0, retry;
  for (guint i = 0; i < tries; i++)
  {
    g_autofree char *nonce = g_strdup_printf ("%u", serial++);
    n += admit_as (memory, "alice", nonce, NULL, client, at, &retry) == SV_ADMISSION_OK ? 1 : 0;
  }
  return n;
}

static void
test_a_busy_client_leaves_a_quiet_one_its_share (void)
{
  g_autoptr (SvAdmissionMemory) memory = make (100, 60000);
  g_assert_cmpuint (count_admitted (memory, "quiet", 1, 0), ==, 1);
  g_assert_cmpuint (count_admitted (memory, "busy", 90, 1), ==, 50);
  g_assert_cmpuint (count_admitted (memory, "quiet", 90, 2), ==, 49);
  g_assert_cmpuint (count_admitted (memory, "busy", 1, 3), ==, 0);
  g_assert_cmpuint (count_admitted (memory, "quiet", 120, 60003), ==, 100); /* busy was not seen for a window's time */
}

static void
test_many_clients_share_the_last_bucket (void)
{
  g_autoptr (SvAdmissionMemory) memory = make (170, 60000);
  for (guint i = 0; i < SV_RATE_BUCKETS_MAX; i++)
  {
    g_autofree char *client = g_strdup_printf ("own-%u", i);
    g_assert_cmpuint (count_admitted (memory, client, 1, 0), ==, 1);
  }
  guint shared = 0;
  for (guint i = 0; i < 30; i++)
  {
    g_autofree char *client = g_strdup_printf ("further-%u", i);
    shared += count_admitted (memory, client, 1, 1);
  }
  g_assert_cmpuint (shared, ==, 10); /* 170 / 17 */
}

static void
test_strangers_are_bounded (void)
{
  guint full = 0, retry;
  g_autoptr (SvAdmissionMemory) memory = make (10, 60000);
  for (guint i = 0; i < 1000; i++)
  {
    g_autofree char *asker = g_strdup_printf ("stranger-%u", i);
    SvAdmissionRequest request = { .asker = asker, .nonce = "1", .time_ms = START, .is_stranger = TRUE };
    full += sv_admission_admit (memory, &request, &retry) == SV_ADMISSION_FULL ? 1 : 0;
  }
  g_assert_cmpuint (full, >=, 1000 - 64);
  g_assert_cmpuint (sv_admission_size (memory), ==, 1000 - full);
  for (guint i = 0; i < 1000; i++)
  {
    g_autofree char *asker = g_strdup_printf ("known-%u", i);
    g_assert_cmpint (admit_as (memory, asker, "1", NULL, NULL, 0, &retry), ==, SV_ADMISSION_OK);
  }
  for (gint64 at = 0; at < 10000000; at += 60000) /* long after, all that was remembered is gone */
    admit (memory, "1", at);
  for (guint i = 0; i < 1000; i++)
  {
    g_autofree char *asker = g_strdup_printf ("known-%u", i);
    g_assert_cmpint (admit_as (memory, asker, "1", NULL, NULL, 10000000, &retry), ==, SV_ADMISSION_OK);
  }
  g_assert_cmpuint (sv_admission_size (memory), <, 1100);
}

static void
test_what_a_restart_remembers_counts (void)
{
  g_autoptr (SvAdmissionMemory) memory = make (2, 60000);
  SvAdmissionRequest request = { .asker = "alice", .nonce = "1", .x_nonce = "x", .client_id = "", .time_ms = START };
  sv_admission_remember (memory, &request);
  sv_admission_remember (memory, &request);
  g_assert_cmpint (admit (memory, "1", 1), ==, SV_ADMISSION_REPLAYED);
  g_assert_cmpint (admit (memory, "2", 1), ==, SV_ADMISSION_OK);
  g_assert_cmpint (admit (memory, "3", 1), ==, SV_ADMISSION_LIMITED);
}

typedef struct
{
  SvAdmissionMemory *memory;
  gint won;
} Race;

static gpointer
run_race (gpointer data)
{
  Race *race = data;
  for (guint i = 0; i < 2000; i++)
  {
    g_autofree char *nonce = g_strdup_printf ("%u", i);
    if (admit (race->memory, nonce, i) == SV_ADMISSION_OK)
      g_atomic_int_inc (&race->won);
  }
  return NULL;
}

static void
test_of_many_threads_one_wins_each_nonce (void)
{
  GThread *threads[4];
  g_autoptr (SvAdmissionMemory) memory = make (100000, 60000);
  Race race = { memory, 0 };
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("race", run_race, &race);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (race.won, ==, 2000);
}

static void
test_the_setting (void)
{
  SvAdmissionRules rules;
  const char *bad[] = {
    "", "60", "60/", "/60s", "0/60s", "60/0s", "60/60", "60/60x", "-1/60s", "60/60s/1", "1e3/60s", "60/25h"
  };
  g_assert_true (sv_admission_rules_parse ("RATE", "60/60s", &rules, NULL));
  g_assert_cmpuint (rules.limit, ==, 60);
  g_assert_cmpuint (rules.window_ms, ==, 60000);
  g_assert_cmpuint (rules.remember_ms, ==, 120000);
  g_assert_true (sv_admission_rules_parse ("RATE", "1000/1h", &rules, NULL));
  g_assert_cmpuint (rules.remember_ms, ==, 3600000);
  g_assert_true (sv_admission_rules_parse ("RATE", "5/2m", &rules, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
  {
    g_autoptr (GError) error = NULL;
    g_assert_false (sv_admission_rules_parse ("RATE", bad[i], &rules, &error));
    g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/api/admission/" #test, test)
  ADD (test_a_nonce_is_good_once_per_asker);
  ADD (test_a_stranger_who_has_become_known_may_not_replay);
  ADD (test_looking_for_a_replay_changes_nothing);
  ADD (test_the_window_slides);
  ADD (test_a_busy_client_leaves_a_quiet_one_its_share);
  ADD (test_many_clients_share_the_last_bucket);
  ADD (test_strangers_are_bounded);
  ADD (test_what_a_restart_remembers_counts);
  ADD (test_of_many_threads_one_wins_each_nonce);
  ADD (test_the_setting);
  return g_test_run ();
}
