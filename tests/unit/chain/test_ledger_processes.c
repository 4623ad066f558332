/* One ledger, many processes.
 *
 *  - processes that submit and advance at once: every extrinsic is there once, nonces and indexes have no gaps, parents link up
 *  - processes that make a ledger at once: one succeeds, the others are told that it exists
 *  - a process killed while it advances by many blocks: all of them are there or none, and the next one goes on
 *  - a process that may not write the file: refused with what to do
 */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "ledger_fixture.h"

#define PROCESSES 6
#define ROUNDS 12

/* Runs @work in a child, which leaves with its result as status. */
static pid_t
start_child (int (*work) (const LedgerFixture *fixture, int number), const LedgerFixture *fixture, int number)
{
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    _exit (work (fixture, number));
  return child;
}

static int
wait_for_child (pid_t child)
{
  int status = 0;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -WTERMSIG (status);
}

/* A connection must not be carried over a fork, so the parent closes its own first. */
static void
set_up_closed (LedgerFixture *fixture)
{
  ledger_fixture_set_up (fixture, 0);
  g_clear_pointer (&fixture->chain, sv_chain_free);
}

static void
assert_chain_is_whole (const LedgerFixture *fixture, guint64 head_number)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvChain) chain = ledger_fixture_open (fixture, "44");
  SvBlock parent, block;
  g_assert_true (sv_chain_block (chain, 0, &parent, &error));
  for (guint64 number = 1; number <= head_number; number++, parent = block)
  {
    g_assert_true (sv_chain_block (chain, number, &block, &error));
    g_assert_no_error (error);
    g_assert_cmpstr (block.parent, ==, parent.hash);
  }
}

static guint64
head_number (const LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvChain) chain = ledger_fixture_open (fixture, "44");
  SvHead head;
  g_assert_true (sv_chain_head (chain, &head, &error));
  g_assert_no_error (error);
  return head.best.number;
}

/* ── at once ── */

/* With its own key, and with one that all share, where a conflict is retried like a user would. */
static gboolean
commit_once (SvChain *chain, const SvKeypair *keypair, const char *text)
{
  for (int attempt = 0; attempt < 200; attempt++)
  {
    g_autoptr (GError) error = NULL;
    g_autoptr (SvPreparedExtrinsic) prepared = sv_chain_prepare_commitment (chain, keypair, text, SV_PREPARE_DEFAULT, &error);
    if (prepared && sv_chain_submit (chain, prepared, &error))
      return TRUE;
    if (!g_error_matches (error, SV_ERROR, SV_ERROR_CONFLICT))
      return FALSE;
  }
  return FALSE;
}

static int
submit_and_advance (const LedgerFixture *fixture, int number)
{
  g_autoptr (SvChain) chain = ledger_fixture_open (fixture, "44");
  g_autoptr (SvKeypair) own = sv_keypair_generate (SV_SCHEME_ED25519);
  for (int round = 0; round < ROUNDS; round++)
  {
    g_autofree char *text = g_strdup_printf ("%d.%d", number, round);
    if (!commit_once (chain, own, text) || !commit_once (chain, fixture->miner, text) || !sv_ledger_advance (chain, 1, 0, NULL))
      return 1;
  }
  return 0;
}

static void
processes_share_a_ledger (void)
{
  g_autoptr (GError) error = NULL;
  LedgerFixture fixture = { 0 };
  pid_t children[PROCESSES];
  set_up_closed (&fixture);
  for (int i = 0; i < PROCESSES; i++)
    children[i] = start_child (submit_and_advance, &fixture, i);
  for (int i = 0; i < PROCESSES; i++)
    g_assert_cmpint (wait_for_child (children[i]), ==, 0);

  g_assert_cmpuint (head_number (&fixture), ==, 3 * PROCESSES * ROUNDS);
  assert_chain_is_whole (&fixture, 3 * PROCESSES * ROUNDS);
  g_autoptr (SvChain) chain = ledger_fixture_open (&fixture, "44");
  g_autoptr (GPtrArray) all = sv_chain_commitments (chain, 0, G_MAXUINT64, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (all->len, ==, 2 * PROCESSES * ROUNDS);
  ledger_fixture_tear_down (&fixture);
}

static int
create_second (const LedgerFixture *fixture, int number)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (fixture->directory, "second.sqlite", NULL);
  SvLedgerParameters parameters = { .finality = 3 };
  if (sv_ledger_create (path, &parameters, &error))
    return 0;
  return g_error_matches (error, SV_ERROR, SV_ERROR_CONFLICT) ? 6 : 1;
}

static void
one_of_several_makers_succeeds (void)
{
  LedgerFixture fixture = { 0 };
  pid_t children[PROCESSES];
  int made = 0, refused = 0;
  set_up_closed (&fixture);
  for (int i = 0; i < PROCESSES; i++)
    children[i] = start_child (create_second, &fixture, i);
  for (int i = 0; i < PROCESSES; i++)
  {
    int status = wait_for_child (children[i]);
    made += status == 0;
    refused += status == 6;
  }
  g_assert_cmpint (made, ==, 1);
  g_assert_cmpint (refused, ==, PROCESSES - 1);
  ledger_fixture_tear_down (&fixture);
}

/* ── killed ── */

#define MANY 20000

static int
advance_for_ever (const LedgerFixture *fixture, int number)
{
  g_autoptr (SvChain) chain = ledger_fixture_open (fixture, "44");
  while (sv_ledger_advance (chain, MANY, 0, NULL))
    ;
  return 1;
}

/* Waits until the child has committed something, and is somewhere in the middle of the next advance. */
static void
wait_for_blocks (const LedgerFixture *fixture, guint64 more_than)
{
  gint64 deadline = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;
  while (head_number (fixture) <= more_than)
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
}

static void
a_killed_advance_is_whole_or_absent (void)
{
  LedgerFixture fixture = { 0 };
  set_up_closed (&fixture);
  for (int round = 0; round < 5; round++)
  {
    guint64 before = head_number (&fixture);
    pid_t child = start_child (advance_for_ever, &fixture, round);
    wait_for_blocks (&fixture, before);
    g_assert_cmpint (kill (child, SIGKILL), ==, 0);
    g_assert_cmpint (wait_for_child (child), ==, -SIGKILL);
    g_assert_cmpuint (head_number (&fixture) % MANY, ==, 0);
  }
  guint64 head = head_number (&fixture);
  fixture.chain = ledger_fixture_open (&fixture, "44");
  ledger_fixture_advance (&fixture, 1, 0);
  g_assert_cmpuint (head_number (&fixture), ==, head + 1);
  ledger_fixture_tear_down (&fixture);
}

/* ── read-only ── */

static int
open_as_somebody_else (const LedgerFixture *fixture, int number)
{
  g_autoptr (GError) error = NULL;
  if (geteuid () == 0 && (setgid (65534) != 0 || setuid (65534) != 0))
    return 1;
  g_autoptr (SvChain) chain = sv_chain_open (fixture->config, &error);
  return !chain && g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE) && strstr (error->message, fixture->path) &&
                 strstr (error->message, "write access")
             ? 0
             : 1;
}

static void
a_read_only_ledger_is_refused_with_what_to_do (void)
{
  LedgerFixture fixture = { 0 };
  set_up_closed (&fixture);
  g_assert_cmpint (chmod (fixture.path, 0444), ==, 0);
  g_assert_cmpint (chmod (fixture.directory, 0555), ==, 0);
  g_assert_cmpint (wait_for_child (start_child (open_as_somebody_else, &fixture, 0)), ==, 0);
  g_assert_cmpint (chmod (fixture.directory, 0755), ==, 0);
  ledger_fixture_tear_down (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ledger-processes/share-a-ledger", processes_share_a_ledger);
  g_test_add_func ("/ledger-processes/one-of-several-makers-succeeds", one_of_several_makers_succeeds);
  g_test_add_func ("/ledger-processes/a-killed-advance-is-whole-or-absent", a_killed_advance_is_whole_or_absent);
  g_test_add_func ("/ledger-processes/a-read-only-ledger-is-refused", a_read_only_ledger_is_refused_with_what_to_do);
  return g_test_run ();
}
