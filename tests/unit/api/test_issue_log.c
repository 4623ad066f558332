/* The issue log's writer.
 *
 * many who wait share transactions, each gets an id of its own and its own outcome; what nobody waits for is written before the
 * log closes; where the state cannot be written, all who wait are told */
#include "api/issue_log.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

#define N_THREADS 8
#define N_EACH 100

typedef struct
{
  char *directory;
  SvConfig *config;
  SvAdmissionRules rules;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  fixture->directory = g_dir_make_tmp ("sv-issue-log-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->config = sv_config_new ();
  g_autofree char *url = g_strdup_printf ("sqlite:%s/state.sqlite", fixture->directory);
  sv_config_set (fixture->config, "SCOREVISION_DATABASE", url);
  fixture->rules = (SvAdmissionRules){ .limit = 1000000, .window_ms = 60000, .remember_ms = 120000 };
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  const char *leaves[] = { "state.sqlite", "state.sqlite-wal", "state.sqlite-shm" };
  for (guint i = 0; i < G_N_ELEMENTS (leaves); i++)
  {
    g_autofree char *path = g_build_filename (fixture->directory, leaves[i], NULL);
    g_remove (path);
  }
  g_rmdir (fixture->directory);
  g_free (fixture->directory);
  sv_config_free (fixture->config);
}

static SvState *
open_state (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  SvState *state = sv_state_open (fixture->config, &error);
  g_assert_no_error (error);
  return state;
}

static SvIssueEntry *
make_entry (guint serial, gboolean with_record)
{
  SvIssueEntry *entry = g_new0 (SvIssueEntry, 1);
  entry->asker = g_strdup ("asker");
  entry->nonce = g_strdup_printf ("%u", serial);
  entry->client_id = g_strdup ("");
  entry->now_ms = 1761177600000;
  if (!with_record)
    return entry;
  SvIssueRecord *record = entry->record = g_new0 (SvIssueRecord, 1);
  record->asker = g_strdup ("asker");
  record->miner = g_strdup ("miner");
  record->window_id = g_strdup ("now");
  record->manifest_hash = g_strdup ("sha256:00");
  record->element_id = g_strdup ("E@1");
  record->clip_hash = g_strdup ("sha256:11");
  record->nonce = g_strdup (entry->nonce);
  record->time_ms = entry->now_ms;
  return entry;
}

/* One who waits. */
typedef struct
{
  GMutex lock;
  GCond came;
  SvIssueEntry *entry;
} Waiter;

static void
take (SvIssueEntry *entry, gpointer data)
{
  Waiter *waiter = data;
  g_mutex_lock (&waiter->lock);
  waiter->entry = entry;
  g_cond_signal (&waiter->came);
  g_mutex_unlock (&waiter->lock);
}

static SvIssueEntry *
submit_and_wait (SvIssueLog *log, SvIssueEntry *entry)
{
  Waiter waiter = { 0 };
  g_mutex_init (&waiter.lock);
  g_cond_init (&waiter.came);
  entry->done = take;
  entry->data = &waiter;
  sv_issue_log_submit (log, entry);
  g_mutex_lock (&waiter.lock);
  while (waiter.entry == NULL)
    g_cond_wait (&waiter.came, &waiter.lock);
  g_mutex_unlock (&waiter.lock);
  g_mutex_clear (&waiter.lock);
  g_cond_clear (&waiter.came);
  return waiter.entry;
}

typedef struct
{
  SvIssueLog *log;
  guint first;
  guint64 ids[N_EACH];
} Client;

static gpointer
run_client (gpointer data)
{
  Client *client = data;
  for (guint i = 0; i < N_EACH; i++)
  {
    g_autoptr (SvIssueEntry) entry = submit_and_wait (client->log, make_entry (client->first + i, TRUE));
    g_assert_true (entry->is_durable);
    g_assert_cmpint (entry->outcome, ==, SV_ADMITTED);
    client->ids[i] = entry->record->challenge_id;
  }
  return NULL;
}

static void
test_many_share_transactions (Fixture *fixture, gconstpointer unused)
{
  Client clients[N_THREADS];
  GThread *threads[N_THREADS];
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autoptr (SvIssueLog) log = sv_issue_log_new (open_state (fixture), &fixture->rules);
  for (guint i = 0; i < N_THREADS; i++)
  {
    clients[i] = (Client){ .log = log, .first = i * N_EACH };
    threads[i] = g_thread_new ("client", run_client, &clients[i]);
  }
  for (guint i = 0; i < N_THREADS; i++)
  {
    g_thread_join (threads[i]);
    for (guint j = 0; j < N_EACH; j++)
      g_assert_true (g_hash_table_add (seen, &clients[i].ids[j]));
  }
  const SvIssueLogCounts *counts = sv_issue_log_counts (log);
  g_assert_cmpuint (counts->batches.sum, ==, N_THREADS * N_EACH);
  g_assert_cmpuint (sv_histogram_count (&counts->batches), <=, N_THREADS * N_EACH);
  g_assert_cmpuint (sv_histogram_count (&counts->durations), ==, sv_histogram_count (&counts->batches));
  g_assert_cmpuint (counts->n_failed, ==, 0);
}

static void
test_a_replay_in_the_same_batch_is_told_to_the_second (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (SvIssueLog) log = sv_issue_log_new (open_state (fixture), &fixture->rules);
  sv_issue_log_submit (log, make_entry (7, FALSE));
  g_autoptr (SvIssueEntry) entry = submit_and_wait (log, make_entry (7, TRUE));
  g_assert_true (entry->is_durable);
  g_assert_cmpint (entry->outcome, ==, SV_REPLAYED_NONCE);
}

static void
count_nonce (const char *asker, const char *nonce, const char *x_nonce, const char *client_id, gint64 time_ms, gpointer data)
{
  (*(guint *)data)++;
}

static void
test_closing_writes_what_nobody_waits_for (Fixture *fixture, gconstpointer unused)
{
  guint n = 0;
  g_autoptr (GError) error = NULL;
  SvIssueLog *log = sv_issue_log_new (open_state (fixture), &fixture->rules);
  for (guint i = 0; i < 5000; i++)
    sv_issue_log_submit (log, make_entry (i, FALSE));
  sv_issue_log_free (log);
  g_autoptr (SvState) state = open_state (fixture);
  g_assert_true (sv_state_recent_nonces (state, 0, count_nonce, &n, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 5000);
}

static void
test_a_state_that_cannot_be_written_is_told (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (SvIssueLog) log = sv_issue_log_new (open_state (fixture), &fixture->rules);
  g_autoptr (SvIssueEntry) before = submit_and_wait (log, make_entry (1, TRUE));
  g_assert_true (before->is_durable);
  sqlite3 *database;
  g_autofree char *path = g_build_filename (fixture->directory, "state.sqlite", NULL);
  g_assert_cmpint (sqlite3_open (path, &database), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (database, "DROP TABLE requests", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (database);
  g_autoptr (SvIssueEntry) after = submit_and_wait (log, make_entry (2, TRUE));
  g_assert_false (after->is_durable);
  const SvIssueLogCounts *counts = sv_issue_log_counts (log);
  g_assert_cmpuint (counts->n_failed, ==, 1);
}

static void
change_database (Fixture *fixture, const char *sql)
{
  sqlite3 *database;
  g_autofree char *path = g_build_filename (fixture->directory, "state.sqlite", NULL);
  g_assert_cmpint (sqlite3_open (path, &database), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (database, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (database);
}

/* Whoever asks whether it can be written is told so, and that it can be again, though nobody wants anything written. */
static void
test_a_fault_is_told_until_it_is_over (Fixture *fixture, gconstpointer unused)
{
  gint64 deadline = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  g_autoptr (SvIssueLog) log = sv_issue_log_new (open_state (fixture), &fixture->rules);
  g_assert_null (sv_issue_log_fault (log));
  change_database (fixture, "ALTER TABLE issued RENAME TO gone");
  g_autoptr (SvIssueEntry) failed = submit_and_wait (log, make_entry (1, TRUE));
  g_assert_false (failed->is_durable);
  g_assert_nonnull (sv_issue_log_fault (log));
  change_database (fixture, "ALTER TABLE gone RENAME TO issued");
  for (; sv_issue_log_fault (log) != NULL; g_usleep (10000))
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
  g_autoptr (SvIssueEntry) after = submit_and_wait (log, make_entry (1, TRUE));
  g_assert_true (after->is_durable);
  g_assert_cmpuint (after->record->challenge_id, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add ("/api/issue-log/" #test, Fixture, NULL, set_up, test, tear_down)
  ADD (test_many_share_transactions);
  ADD (test_a_replay_in_the_same_batch_is_told_to_the_second);
  ADD (test_closing_writes_what_nobody_waits_for);
  ADD (test_a_state_that_cannot_be_written_is_told);
  ADD (test_a_fault_is_told_until_it_is_over);
  return g_test_run ();
}
