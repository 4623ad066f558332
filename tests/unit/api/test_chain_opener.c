/* Opening a chain that may not be there yet. What opens it is a script; what it opens is a ledger.
 *
 * one that answers at once         handed out to all who ask, known from then on
 * one that is away                 no error; failed at once for who asks, tried on, handed out when it answers
 * one that takes too long          is not waited for; what it answers later counts
 * what waiting does not mend       is an error at the start: a setting, another genesis, a ledger that cannot be opened
 * another chain later              refused as long as it is another: than the pinned one, than the one first seen, than the one
 * before pauses                           grow no longer than the longest; the end does not wait for them which chain known
 * before it answers where it is pinned one that goes away again         between two who ask: tried on */
#include "api/chain_opener.h"

#include <string.h>

#include "chain/ledger.h"
#include "refusal.h"
#include "scratch.h"

#define DEADLINE_US (20 * G_TIME_SPAN_SECOND)
#define AN_HOUR_MS 3600000

enum
{
  ANSWERS = -1, /* else an SvErrorCode */
};

/* What the next attempts find. */
static struct
{
  GMutex lock;
  GCond changed;
  int outcome;
  gboolean is_held; /* attempts wait */
  guint n_attempts;
  SvConfig *ledger; /* that is opened */
} script;

typedef struct
{
  char *directory;
  SvConfig *config;
  SvConfig *ledgers[2];
  SvChainId ids[2];
  SvChainOpening opening;
} World;

static SvChain *
open_by_script (const SvConfig *config, GError **error)
{
  g_mutex_lock (&script.lock);
  script.n_attempts++;
  g_cond_broadcast (&script.changed);
  while (script.is_held)
    g_cond_wait (&script.changed, &script.lock);
  SvChain *chain = script.outcome == ANSWERS ? sv_chain_open (script.ledger, error) : NULL;
  if (script.outcome != ANSWERS)
    g_set_error (error, SV_ERROR, script.outcome, "by the script, attempt %u", script.n_attempts);
  g_mutex_unlock (&script.lock);
  return chain;
}

static void
find_from_now_on (int outcome, SvConfig *ledger)
{
  g_mutex_lock (&script.lock);
  script.outcome = outcome;
  script.ledger = ledger;
  script.is_held = FALSE;
  g_cond_broadcast (&script.changed);
  g_mutex_unlock (&script.lock);
}

static void
hold_attempts (void)
{
  g_mutex_lock (&script.lock);
  script.is_held = TRUE;
  g_mutex_unlock (&script.lock);
}

static guint
count_attempts (void)
{
  g_mutex_lock (&script.lock);
  guint n = script.n_attempts;
  g_mutex_unlock (&script.lock);
  return n;
}

static void
await_attempts (guint n)
{
  gint64 end = g_get_monotonic_time () + DEADLINE_US;
  g_mutex_lock (&script.lock);
  while (script.n_attempts < n)
    if (!g_cond_wait_until (&script.changed, &script.lock, end))
      g_error ("expected %u attempts, and there were %u", n, script.n_attempts);
  g_mutex_unlock (&script.lock);
}

static void
await_contact (SvChainOpener *opener, SvChainContact contact)
{
  gint64 end = g_get_monotonic_time () + DEADLINE_US;
  while (sv_chain_opener_contact (opener) != contact)
  {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (1000);
  }
}

static void
make_ledger (World *world, guint i)
{
  g_autoptr (GError) error = NULL;
  const char *const nobody[] = { NULL };
  SvLedgerParameters parameters = { .permits = nobody, .finality = 3 };
  g_autofree char *name = g_strdup_printf ("%u.sqlite", i);
  g_autofree char *path = scratch_path (world->directory, name);
  g_autofree char *url = g_strconcat ("ledger:", path, NULL);
  gboolean made = sv_ledger_create (path, &parameters, &error);
  g_assert_no_error (error);
  g_assert_true (made);
  world->ledgers[i] = sv_config_new ();
  sv_config_set (world->ledgers[i], "BITTENSOR_SUBTENSOR_ENDPOINT", url);
  g_autoptr (SvChain) chain = sv_chain_open (world->ledgers[i], &error);
  g_assert_no_error (error);
  world->ids[i] = *sv_chain_id (chain);
}

static void
set_up (World *world, gconstpointer unused)
{
  world->directory = scratch_new ();
  world->config = sv_config_new ();
  g_autofree char *home = scratch_path (world->directory, "home");
  sv_config_set (world->config, "SCOREVISION_HOME", home);
  sv_config_set (world->config, "BITTENSOR_SUBTENSOR_ENDPOINT", "wss://node.example");
  for (guint i = 0; i < G_N_ELEMENTS (world->ledgers); i++)
    make_ledger (world, i);
  world->opening =
      (SvChainOpening){ .open = open_by_script, .patience_ms = AN_HOUR_MS, .first_pause_ms = 1, .longest_pause_ms = 2 };
  script.n_attempts = 0;
  find_from_now_on (ANSWERS, world->ledgers[0]);
}

static void
tear_down (World *world, gconstpointer unused)
{
  for (guint i = 0; i < G_N_ELEMENTS (world->ledgers); i++)
    sv_config_free (world->ledgers[i]);
  sv_config_free (world->config);
  scratch_remove (world->directory);
}

static SvChainOpener *
start (World *world)
{
  g_autoptr (GError) error = NULL;
  SvChainOpener *opener = sv_chain_opener_new (world->config, &world->opening, &error);
  g_assert_no_error (error);
  g_assert_nonnull (opener);
  return opener;
}

static void
assert_opens (SvChainOpener *opener, const SvChainId *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvChain) chain = sv_chain_opener_open (opener, &error);
  g_assert_no_error (error);
  g_assert_true (sv_chain_id_equal (sv_chain_id (chain), id));
}

/* ── the tests ── */

static void
test_one_that_answers_is_handed_out_to_all_who_ask (World *world, gconstpointer unused)
{
  SvChainId id;
  g_autoptr (SvChainOpener) opener = start (world);
  g_assert_cmpint (sv_chain_opener_contact (opener), ==, SV_CHAIN_ANSWERS);
  g_assert_true (sv_chain_opener_id (opener, &id));
  g_assert_true (sv_chain_id_equal (&id, &world->ids[0]));
  assert_opens (opener, &world->ids[0]);
  g_assert_cmpuint (count_attempts (), ==, 1); /* it was opened already */
  assert_opens (opener, &world->ids[0]);
  assert_opens (opener, &world->ids[0]);
}

static void
test_one_that_is_away_is_tried_on (World *world, gconstpointer unused)
{
  SvChainId id;
  find_from_now_on (SV_ERROR_UNREACHABLE, NULL);
  g_autoptr (SvChainOpener) opener = start (world);
  g_assert_cmpint (sv_chain_opener_contact (opener), ==, SV_CHAIN_AWAY);
  g_assert_false (sv_chain_opener_id (opener, &id));
  assert_fails_saying (sv_chain_opener_open (opener, refusal), SV_ERROR_UNREACHABLE, "by the script");
  await_attempts (4);
  find_from_now_on (ANSWERS, world->ledgers[0]);
  await_contact (opener, SV_CHAIN_ANSWERS);
  assert_opens (opener, &world->ids[0]);
}

static void
test_who_asks_meanwhile_is_not_kept_waiting (World *world, gconstpointer unused)
{
  find_from_now_on (SV_ERROR_UNREACHABLE, NULL);
  g_autoptr (SvChainOpener) opener = start (world);
  hold_attempts ();
  await_attempts (count_attempts () + 1);
  assert_fails (sv_chain_opener_open (opener, refusal), SV_ERROR_UNREACHABLE);
  g_assert_cmpint (sv_chain_opener_contact (opener), ==, SV_CHAIN_AWAY);
  find_from_now_on (ANSWERS, world->ledgers[0]);
  await_contact (opener, SV_CHAIN_ANSWERS);
}

static void
test_one_that_takes_too_long_is_taken_when_it_answers (World *world, gconstpointer unused)
{
  world->opening.patience_ms = 10;
  hold_attempts ();
  g_autoptr (SvChainOpener) opener = start (world);
  g_assert_cmpint (sv_chain_opener_contact (opener), ==, SV_CHAIN_AWAY);
  assert_fails_saying (sv_chain_opener_open (opener, refusal), SV_ERROR_UNREACHABLE, "wss://node.example: no answer");
  find_from_now_on (ANSWERS, world->ledgers[0]);
  await_contact (opener, SV_CHAIN_ANSWERS);
  assert_opens (opener, &world->ids[0]);
}

static void
test_what_waiting_does_not_mend_is_an_error (World *world, gconstpointer unused)
{
  static const int codes[] = { SV_ERROR_USAGE, SV_ERROR_VERIFY, SV_ERROR_MALFORMED, SV_ERROR_NOT_FOUND, SV_ERROR_FAILED };
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
  {
    find_from_now_on (codes[i], NULL);
    assert_fails_saying (sv_chain_opener_new (world->config, &world->opening, refusal), codes[i], "by the script");
  }
  sv_config_set (world->config, "BITTENSOR_SUBTENSOR_ENDPOINT", "ledger:/nonexistent/ledger.sqlite");
  find_from_now_on (SV_ERROR_UNREACHABLE, NULL);
  assert_fails (sv_chain_opener_new (world->config, &world->opening, refusal), SV_ERROR_UNREACHABLE);
}

static void
refuse_and_take (World *world, SvChainOpener *opener)
{
  find_from_now_on (ANSWERS, world->ledgers[1]);
  await_contact (opener, SV_CHAIN_REFUSED);
  assert_fails_saying (sv_chain_opener_open (opener, refusal), SV_ERROR_VERIFY, "another chain");
  find_from_now_on (ANSWERS, world->ledgers[0]);
  await_contact (opener, SV_CHAIN_ANSWERS);
  assert_opens (opener, &world->ids[0]);
}

static void
test_another_chain_than_the_one_first_seen_is_refused (World *world, gconstpointer unused)
{
  sv_chain_opener_free (start (world));
  find_from_now_on (SV_ERROR_UNREACHABLE, NULL);
  g_autoptr (SvChainOpener) opener = start (world);
  refuse_and_take (world, opener);
  find_from_now_on (ANSWERS, world->ledgers[1]);
  assert_fails (sv_chain_opener_new (world->config, &world->opening, refusal), SV_ERROR_VERIFY);
}

static void
test_a_pinned_chain_is_known_before_it_answers_and_no_other_is_taken (World *world, gconstpointer unused)
{
  SvChainId id;
  sv_config_set (world->config, "SCOREVISION_GENESIS", world->ids[0].genesis);
  find_from_now_on (SV_ERROR_UNREACHABLE, NULL);
  g_autoptr (SvChainOpener) opener = start (world);
  g_assert_true (sv_chain_opener_id (opener, &id));
  g_assert_true (sv_chain_id_equal (&id, &world->ids[0]));
  refuse_and_take (world, opener);
}

static void
test_who_asks_later_gets_no_other_chain (World *world, gconstpointer unused)
{
  g_autoptr (SvChainOpener) opener = start (world);
  assert_opens (opener, &world->ids[0]);
  find_from_now_on (ANSWERS, world->ledgers[1]);
  assert_fails_saying (sv_chain_opener_open (opener, refusal), SV_ERROR_VERIFY, "another chain");
  refuse_and_take (world, opener);
}

static void
test_one_that_goes_away_again_is_tried_on (World *world, gconstpointer unused)
{
  g_autoptr (SvChainOpener) opener = start (world);
  assert_opens (opener, &world->ids[0]);
  find_from_now_on (SV_ERROR_UNREACHABLE, NULL);
  assert_fails (sv_chain_opener_open (opener, refusal), SV_ERROR_UNREACHABLE);
  await_attempts (4);
  find_from_now_on (ANSWERS, world->ledgers[0]);
  await_contact (opener, SV_CHAIN_ANSWERS);
  assert_opens (opener, &world->ids[0]);
}

/* Doubled each time, the thirtieth pause would be of days. */
static void
test_pauses_are_bounded (World *world, gconstpointer unused)
{
  find_from_now_on (SV_ERROR_UNREACHABLE, NULL);
  SvChainOpener *opener = start (world);
  await_attempts (30);
  sv_chain_opener_free (opener);
}

static void
test_the_end_does_not_wait_for_a_pause (World *world, gconstpointer unused)
{
  world->opening.first_pause_ms = world->opening.longest_pause_ms = AN_HOUR_MS;
  find_from_now_on (SV_ERROR_UNREACHABLE, NULL);
  SvChainOpener *opener = start (world);
  sv_chain_opener_free (opener);
  g_assert_cmpuint (count_attempts (), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add ("/chain-opener/" #name, World, NULL, set_up, test_##name, tear_down)
  ADD (one_that_answers_is_handed_out_to_all_who_ask);
  ADD (one_that_is_away_is_tried_on);
  ADD (who_asks_meanwhile_is_not_kept_waiting);
  ADD (one_that_takes_too_long_is_taken_when_it_answers);
  ADD (what_waiting_does_not_mend_is_an_error);
  ADD (another_chain_than_the_one_first_seen_is_refused);
  ADD (a_pinned_chain_is_known_before_it_answers_and_no_other_is_taken);
  ADD (who_asks_later_gets_no_other_chain);
  ADD (one_that_goes_away_again_is_tried_on);
  ADD (pauses_are_bounded);
  ADD (the_end_does_not_wait_for_a_pause);
#undef ADD
  return g_test_run ();
}
