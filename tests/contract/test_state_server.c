/* What an engine that is a server promises when that fails. Engines without one skip this.
 *
 *  1. after a restart of the server the next call goes on; while it is down each call says so; nothing acknowledged is lost
 *  2. a leader whose session was ended, and who has not noticed, does not write over his successor's picture
 *  3. connections that are cut anywhere lose nothing acknowledged, and issue nothing twice
 *  4. a wrong password, a missing database, missing rights, a newer or foreign schema are told plainly, without the password
 *  5. a long run leaves a table of bounded size
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "refusal.h"
#include "scratch.h"
#include "state_fixture.h"

static const SvAdmissionRules wide = { .limit = 100000000, .window_ms = 60000, .remember_ms = 120000 };

static SvIssueRecord
record_of (const char *window_id)
{
  return (SvIssueRecord){ .asker = (char *)"5A",
                          .miner = (char *)"5M",
                          .window_id = (char *)window_id,
                          .manifest_hash = (char *)"sha256:aa",
                          .element_id = (char *)"E",
                          .clip_hash = (char *)"sha256:cc",
                          .seed = 7,
                          .nonce = (char *)"n",
                          .block = 5,
                          .time_ms = 1000 };
}

/* The id, or 0 where it was not admitted; *@outcome tells why. */
static guint64
issue (SvState *state, const char *nonce, const char *window_id, SvAdmissionOutcome *outcome)
{
  SvIssueRecord record = record_of (window_id);
  SvAdmission admission = { .asker = "5A", .nonce = nonce, .client_id = "", .now_ms = 1000, .record = &record };
  must (sv_state_admit (state, &wide, &admission, 1, &error));
  *outcome = admission.outcome;
  return admission.outcome == SV_ADMITTED ? record.challenge_id : 0;
}

static gboolean
leads (SvState *state, const char *task)
{
  gboolean yes = FALSE;
  must (sv_state_lead (state, task, &yes, &error));
  return yes;
}

static gboolean
is_without_server (StateFixture *f)
{
  if (f->server == NULL)
    g_test_skip ("this engine has no server");
  return f->server == NULL;
}

static void
test_restart (StateFixture *f)
{
  guint64 version;
  SvAdmissionOutcome outcome;
  if (is_without_server (f))
    return;
  g_autoptr (SvState) other = open_state (f->url);
  g_assert_cmpuint (issue (f->state, "n1", "w", &outcome), ==, 1);
  g_assert_true (leads (f->state, "chain"));
  postgres_server_stop (f->server);
  assert_fails (sv_state_clips_version (f->state, &version, refusal), SV_ERROR_UNREACHABLE);
  assert_fails (sv_state_clips_version (f->state, &version, refusal), SV_ERROR_UNREACHABLE);
  postgres_server_restart (f->server);
  g_assert_true (leads (other, "chain")); /* he has not tried in between, and need not wait */
  gint64 deadline = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  while (!sv_state_clips_version (f->state, &version, NULL))
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
  g_assert_false (leads (f->state, "chain"));
  issue (f->state, "n1", "w", &outcome);
  g_assert_cmpint (outcome, ==, SV_REPLAYED_NONCE);
  g_assert_cmpuint (issue (f->state, "n2", "w", &outcome), ==, 2);
  postgres_server_stop (f->server);
  postgres_server_restart (f->server);
  g_assert_cmpuint (issue (f->state, "n3", "w", &outcome), ==, 3); /* a restart that nobody noticed costs nothing */
}

static const SvChainId finney = { .genesis = "0xaa", .netuid = 44 };

static gboolean
share (SvState *state, guint64 best, GError **error)
{
  g_autoptr (SvSharedChain) picture = sv_shared_chain_new ();
  picture->best.number = best;
  return sv_state_share_chain (state, &finney, picture, error);
}

static void
test_lost_lead (StateFixture *f)
{
  SvSharedStatus status = { 0 };
  g_autoptr (SvSharedChain) read = NULL;
  g_autoptr (GError) lost = NULL;
  if (is_without_server (f))
    return;
  g_autoptr (SvState) next = open_state (f->url);
  g_assert_true (leads (f->state, "chain"));
  must (share (f->state, 1, &error));
  g_assert_false (leads (next, "chain"));
  g_free (postgres_server_sql (f->server, f->database,
                               "SELECT pg_terminate_backend (pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND"
                               " database = (SELECT oid FROM pg_database WHERE datname = current_database ())"));
  g_assert_true (leads (next, "chain"));
  must (share (next, 2, &error));
  g_assert_false (share (f->state, 3, &lost));
  g_assert_error (lost, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_assert_false (leads (f->state, "chain"));
  assert_fails (share (f->state, 3, refusal), SV_ERROR_CONFLICT);
  must (sv_state_shared_chain (next, &finney, &status, &read, &error));
  g_assert_cmpuint (read->best.number, ==, 2);
}

typedef struct
{
  int listener;
  guint port;
} Relay;

/* Passes what comes on one side to the other; FALSE at an end. */
static gboolean
pass (int from, int to, gssize *left)
{
  char buffer[512];
  gssize n = read (from, buffer, (gsize)MIN (*left, (gssize)sizeof buffer));
  if (n <= 0 || write (to, buffer, (gsize)n) != n)
    return FALSE;
  *left -= n;
  return *left > 0;
}

static void
relay_one (int client, guint port, gssize left)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons ((guint16)port),
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  int to = socket (AF_INET, SOCK_STREAM, 0);
  g_assert_cmpint (connect (to, (struct sockaddr *)&address, sizeof address), ==, 0);
  struct pollfd ends[] = { { .fd = client, .events = POLLIN }, { .fd = to, .events = POLLIN } };
  gboolean goes_on = TRUE;
  while (goes_on && poll (ends, 2, -1) > 0)
    goes_on = (!ends[0].revents || pass (client, to, &left)) && (!ends[1].revents || pass (to, client, &left));
  close (client);
  close (to);
}

/* Each connection lives for so many bytes, more or less. */
static int
relay (gpointer data)
{
  const Relay *relay = data;
  prctl (PR_SET_PDEATHSIG, SIGKILL); /* it would keep the server's input open */
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  for (;;)
  {
    int client = accept (relay->listener, NULL, NULL);
    if (client < 0)
      return 1;
    relay_one (client, relay->port, g_rand_int_range (random, 6000, 40000));
  }
}

static guint
listen_somewhere (int *listener)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  *listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (*listener, (struct sockaddr *)&address, sizeof address), ==, 0);
  g_assert_cmpint (listen (*listener, 16), ==, 0);
  g_assert_cmpint (getsockname (*listener, (struct sockaddr *)&address, &length), ==, 0);
  return ntohs (address.sin_port);
}

typedef struct
{
  GHashTable *windows; /* of what is in the log: each record has a window of its own */
  guint64 last;
} Log;

static gboolean
note_issued (const SvIssueRecord *record, gpointer data)
{
  Log *log = data;
  g_assert_cmpuint (record->challenge_id, ==, log->last + 1);
  log->last = record->challenge_id;
  g_assert_true (g_hash_table_insert (log->windows, g_strdup (record->window_id), GUINT_TO_POINTER ((guint)log->last)));
  return TRUE;
}

#define N_CUT 100

/* One batch of four; each nonce is its record's window. TRUE: acknowledged. */
static gboolean
admit_four (SvState *state, guint number, GHashTable *acknowledged)
{
  char names[4][24];
  SvIssueRecord records[4];
  SvAdmission batch[4];
  for (guint i = 0; i < 4; i++)
  {
    g_snprintf (names[i], sizeof names[i], "r%u-%u", number, i);
    records[i] = record_of (names[i]);
    batch[i] = (SvAdmission){ .asker = "5A", .nonce = names[i], .client_id = "", .now_ms = 1000, .record = &records[i] };
  }
  g_autoptr (GError) error = NULL;
  if (!sv_state_admit (state, &wide, batch, 4, &error))
  {
    g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
    return FALSE;
  }
  for (guint i = 0; i < 4; i++)
    if (batch[i].outcome == SV_ADMITTED)
      g_hash_table_insert (acknowledged, g_strdup (names[i]), GUINT_TO_POINTER ((guint)records[i].challenge_id));
    else
      g_assert_cmpint (batch[i].outcome, ==, SV_REPLAYED_NONCE); /* of a batch whose answer was lost */
  return TRUE;
}

static void
assert_all_in_log (SvState *state, GHashTable *acknowledged)
{
  GHashTableIter iter;
  gpointer name, id;
  Log log = { g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL), 0 };
  must (sv_state_list_issued (state, NULL, 0, note_issued, &log, &error));
  g_hash_table_iter_init (&iter, acknowledged);
  while (g_hash_table_iter_next (&iter, &name, &id))
    g_assert_true (g_hash_table_lookup (log.windows, name) == id);
  g_hash_table_unref (log.windows);
}

static void
test_cuts (StateFixture *f)
{
  Relay cutting;
  guint n_failed = 0;
  guint64 version;
  if (is_without_server (f))
    return;
  guint port = listen_somewhere (&cutting.listener);
  cutting.port = postgres_server_port (f->server);
  pid_t child = child_start (relay, &cutting);
  close (cutting.listener);
  g_autofree char *url = g_strdup_printf ("postgresql://sv:test-password@127.0.0.1:%u/%s", port, f->database);
  g_autoptr (SvState) state = open_state (url);
  g_autoptr (GHashTable) acknowledged = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gint64 deadline = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  must (sv_state_clips_version (f->state, &version, &error)); /* the tables are made */
  for (guint i = 0; i < N_CUT; i++)
    while (!admit_four (state, i, acknowledged))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, deadline);
      g_usleep (10000);
      n_failed++;
    }
  kill (child, SIGKILL);
  child_wait (child);
  g_assert_cmpuint (n_failed, >, 5);
  g_assert_cmpuint (g_hash_table_size (acknowledged), >, N_CUT);
  assert_all_in_log (f->state, acknowledged);
}

static void
assert_refused_url (const char *url, const char *says)
{
  guint64 version;
  g_autoptr (GError) error = NULL;
  g_autoptr (SvState) state = open_state (url);
  g_assert_false (sv_state_clips_version (state, &version, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_assert_nonnull (strstr (error->message, says));
  g_assert_null (strstr (error->message, "secret"));
  g_assert_null (strstr (error->message, "test-password"));
}

static void
test_refusals (StateFixture *f)
{
  if (is_without_server (f))
    return;
  guint port = postgres_server_port (f->server);
  g_autofree char *wrong = g_strdup_printf ("postgresql://sv:secret@127.0.0.1:%u/%s", port, f->database);
  g_autofree char *missing = g_strdup_printf ("postgres://sv:test-password@127.0.0.1:%u/nowhere", port);
  g_autofree char *closed = g_strdup_printf ("postgresql://sv:secret@127.0.0.1:1/%s", f->database);
  g_autofree char *foreign = postgres_server_database (f->server, "foreign_rights");
  assert_refused_url (wrong, "check user and password");
  assert_refused_url (missing, "make the database");
  assert_refused_url (closed, "check that PostgreSQL runs");
  g_free (postgres_server_sql (f->server, "foreign_rights", "ALTER DATABASE foreign_rights OWNER TO admin"));
  assert_refused_url (foreign, "give the role its rights");
  g_free (postgres_server_sql (f->server, "foreign_rights", "CREATE SCHEMA scorevision AUTHORIZATION sv"));
  g_autoptr (SvState) granted = open_state (foreign);
  guint64 version;
  must (sv_state_clips_version (granted, &version, &error));
  g_free (postgres_server_sql (f->server, "foreign_rights", "UPDATE scorevision.form SET version = 1000"));
  assert_refused_url (foreign, "newer sv");
  g_free (postgres_server_sql (f->server, "foreign_rights", "DROP TABLE scorevision.form"));
  assert_refused_url (foreign, "another program");
}

#define LONG_BATCH 256

static void
admit_many (SvState *state, guint number, gint64 now_ms)
{
  char nonces[LONG_BATCH][24], askers[LONG_BATCH][8];
  SvAdmission batch[LONG_BATCH];
  for (guint i = 0; i < LONG_BATCH; i++)
  {
    g_snprintf (nonces[i], sizeof nonces[i], "%u", number * LONG_BATCH + i);
    g_snprintf (askers[i], sizeof askers[i], "5%u", i % 100);
    batch[i] = (SvAdmission){ .asker = askers[i], .nonce = nonces[i], .client_id = "", .now_ms = now_ms };
  }
  must (sv_state_admit (state, &wide, batch, LONG_BATCH, &error));
}

/* Rows come and go at one rate; vacuum is asked for where a server would do it by itself meanwhile. */
static void
test_bounded_size (StateFixture *f)
{
  if (is_without_server (f))
    return;
  guint64 first_size = 0, last_size = 0;
  for (guint i = 0; i < 600; i++)
  {
    admit_many (f->state, i, 1000000 + i * 1000);
    if (i % 100 != 99)
      continue;
    g_free (postgres_server_sql (f->server, f->database, "VACUUM scorevision.requests"));
    g_autofree char *size =
        postgres_server_sql (f->server, f->database, "SELECT pg_total_relation_size('scorevision.requests')");
    last_size = g_ascii_strtoull (size, NULL, 10);
    if (i == 299)
      first_size = last_size;
  }
  g_assert_cmpuint (first_size, >, 0);
  g_assert_cmpuint (last_size, <=, first_size + first_size / 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  state_promise_add ("a server restarts", test_restart);
  state_promise_add ("a lead that was lost", test_lost_lead);
  state_promise_add ("connections are cut", test_cuts);
  state_promise_add ("what is refused is told", test_refusals);
  state_promise_add ("the log of requests stays small", test_bounded_size);
  return state_promises_run ();
}
