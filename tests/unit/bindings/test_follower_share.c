/* One follower reads the chain and shares it, another builds its picture from that.
 *
 *  1. the reader knows what the leader knows, final and open, failed and unreadable, and asks the chain for nothing
 *  2. what the leader has not shared yet is not there; an unchanged head shares the old picture's records
 *  3. who becomes the leader goes on from the checkpoint, reading only what is new
 *  4. a new leader whose chain is behind shares nothing until it has caught up
 *  5. without the lead nothing is shared; whoever fails so begins anew when he leads again
 *  6. one without a chain reads what is shared, and leads once it is given its chain
 *  7. in a long random run with reorganisations and changes of the leader the reader's picture is the leader's
 */
#include "bindings/follower.h"

#include <string.h>

#include "bindings/record_set.h"
#include "fake_chain.h"
#include "refusal.h"
#include "scratch.h"

typedef struct
{
  SvState *state;
  SvFollower *follower;
} Instance;

typedef struct
{
  char *folder;
  SvConfig *config;
  FakeChain *chain;
  Instance one, two;
} Fleet;

static const SvSharing nothing_more = { 0 };

static Instance
instance_new (Fleet *fleet, FakeChain *chain)
{
  GError *error = NULL;
  SvState *state = sv_state_open (fleet->config, &error);
  g_assert_no_error (error);
  return (Instance){ state, sv_follower_new (&chain->base, state) };
}

static void
instance_free (Instance *instance)
{
  g_clear_pointer (&instance->follower, sv_follower_free);
  g_clear_pointer (&instance->state, sv_state_free);
}

static void
set_up (Fleet *fleet)
{
  fleet->folder = scratch_new ();
  g_autofree char *url = g_strdup_printf ("sqlite:%s/state.sqlite", fleet->folder);
  fleet->config = sv_config_new ();
  sv_config_set (fleet->config, "SCOREVISION_DATABASE", url);
  fleet->chain = fake_chain_new (3);
  fleet->one = instance_new (fleet, fleet->chain);
  fleet->two = instance_new (fleet, fleet->chain);
}

static void
tear_down (Fleet *fleet)
{
  instance_free (&fleet->one);
  instance_free (&fleet->two);
  sv_chain_free (&fleet->chain->base);
  sv_config_free (fleet->config);
  scratch_remove (fleet->folder);
}

static gboolean
leads (Instance *instance)
{
  GError *error = NULL;
  gboolean yes = FALSE;
  g_assert_true (sv_state_lead (instance->state, "chain", &yes, &error));
  g_assert_no_error (error);
  return yes;
}

static SvBindings *
lead (Instance *instance)
{
  GError *error = NULL;
  g_assert_true (leads (instance));
  gboolean ok = sv_follower_lead (instance->follower, &nothing_more, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  return sv_follower_bindings (instance->follower);
}

static SvBindings *
read_shared (Instance *instance)
{
  GError *error = NULL;
  SvSharedStatus status;
  g_autoptr (SvSharedChain) shared = NULL;
  gboolean ok = sv_follower_read (instance->follower, &status, &shared, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  return sv_follower_bindings (instance->follower);
}

static void
test_reader_knows_the_same (void)
{
  Fleet f;
  set_up (&f);
  g_autoptr (SvBindings) nothing = read_shared (&f.two);
  g_assert_null (nothing);
  const SvExtrinsic *final = fake_chain_include (f.chain, ALICE, "final", TRUE);
  fake_chain_grow (f.chain, 5);
  guint64 gone = fake_chain_head (f.chain);
  g_array_append_val (f.chain->unreadable, gone);
  const SvExtrinsic *above = fake_chain_include (f.chain, BOB, "above the unreadable one", TRUE);
  fake_chain_grow (f.chain, 5);
  const SvExtrinsic *open = fake_chain_include (f.chain, BOB, "failed", FALSE);
  g_autoptr (SvBindings) written = lead (&f.one);
  f.chain->n_calls = 0;
  g_autoptr (SvBindings) picture = read_shared (&f.two);
  g_assert_cmpuint (f.chain->n_calls, ==, 0);
  g_assert_true (knows (picture, final) && knows (picture, above) && knows (picture, open));
  g_assert_true (sv_bindings_is_unreadable (picture, gone));
  g_assert_cmpuint (sv_bindings_head (picture)->best.number, ==, fake_chain_head (f.chain));
  g_assert_cmpstr (sv_bindings_head (picture)->finalized.hash, ==, sv_bindings_head (written)->finalized.hash);

  fake_chain_grow (f.chain, 1);
  g_autoptr (SvBindings) same = read_shared (&f.two);
  g_assert_true (same == picture);
  sv_bindings_unref (lead (&f.one));
  g_autoptr (SvBindings) next = read_shared (&f.two);
  g_assert_true (sv_bindings_record_set (next) == sv_bindings_record_set (picture));
  g_assert_cmpuint (sv_bindings_head (next)->best.number, ==, fake_chain_head (f.chain));
  tear_down (&f);
}

static void
test_next_leader_goes_on (void)
{
  Fleet f;
  set_up (&f);
  const SvExtrinsic *final = fake_chain_include (f.chain, ALICE, "final", TRUE);
  fake_chain_grow (f.chain, 600);
  sv_bindings_unref (lead (&f.one));
  sv_bindings_unref (read_shared (&f.two));
  g_assert_false (leads (&f.two));
  instance_free (&f.one);
  const SvExtrinsic *fresh = fake_chain_include (f.chain, BOB, "fresh", TRUE);
  f.chain->n_blocks_read = 0;
  g_autoptr (SvBindings) picture = lead (&f.two);
  g_assert_true (knows (picture, final) && knows (picture, fresh));
  g_assert_cmpuint (f.chain->n_blocks_read, ==, 4);
  tear_down (&f);
}

static void
test_leader_behind (void)
{
  Fleet f;
  FakeChain *behind = fake_chain_new (3);
  set_up (&f);
  fake_chain_grow (f.chain, 10);
  fake_chain_grow (behind, 10);
  sv_bindings_unref (lead (&f.one));
  fake_chain_grow (f.chain, 2);
  sv_bindings_unref (lead (&f.one));
  instance_free (&f.one);
  f.one = instance_new (&f, behind);
  fake_chain_grow (behind, 1);
  behind->final = f.chain->final; /* only the best block is behind */
  g_assert_true (leads (&f.one));
  assert_fails (sv_follower_lead (f.one.follower, &nothing_more, NULL, NULL, refusal), SV_ERROR_UNREACHABLE);
  g_autoptr (SvBindings) kept = read_shared (&f.two);
  g_assert_cmpuint (sv_bindings_head (kept)->best.number, ==, fake_chain_head (f.chain));
  fake_chain_grow (behind, 1);
  sv_bindings_unref (lead (&f.one));
  tear_down (&f);
  sv_chain_free (&behind->base);
}

static void
test_without_the_lead (void)
{
  Fleet f;
  set_up (&f);
  fake_chain_grow (f.chain, 10);
  assert_fails (sv_follower_lead (f.one.follower, &nothing_more, NULL, NULL, refusal), SV_ERROR_CONFLICT);
  g_assert_null (sv_follower_bindings (f.one.follower));
  g_autoptr (SvBindings) none = read_shared (&f.two);
  g_assert_null (none);
  g_autoptr (SvBindings) picture = lead (&f.one);
  g_assert_cmpuint (sv_bindings_head (picture)->best.number, ==, fake_chain_head (f.chain));
  tear_down (&f);
}

/* ── a long run ── */

static void
change_chain (FakeChain *chain, guint step)
{
  g_autofree char *text = g_strdup_printf ("text %u", step);
  gint32 what = g_test_rand_int_range (0, 10);
  if (what < 2 && fake_chain_head (chain) > chain->final + 1)
    fake_chain_drop (chain, 1);
  if (what < 6)
    fake_chain_include (chain, what % 2 ? ALICE : BOB, text, what != 5);
  else
    fake_chain_grow (chain, (guint64)g_test_rand_int_range (1, 4));
}

static void
assert_same (const FakeChain *chain, SvBindings *leader, SvBindings *reader)
{
  g_assert_cmpstr (sv_bindings_head (leader)->best.hash, ==, sv_bindings_head (reader)->best.hash);
  g_assert_cmpuint (sv_bindings_from_block (leader), ==, sv_bindings_from_block (reader));
  for (guint i = 0; i < chain->extrinsics->len; i++)
    g_assert_cmpint (knows (leader, chain->extrinsics->pdata[i]), ==, knows (reader, chain->extrinsics->pdata[i]));
}

static void
test_without_a_chain (void)
{
  Fleet f;
  set_up (&f);
  g_clear_pointer (&f.two.follower, sv_follower_free);
  f.two.follower = sv_follower_new_without_chain (sv_chain_id (&f.chain->base), f.two.state);
  g_autoptr (SvBindings) nothing = read_shared (&f.two);
  g_assert_null (nothing);
  fake_chain_include (f.chain, ALICE, "read by the leader", TRUE);
  fake_chain_grow (f.chain, 5);
  g_autoptr (SvBindings) written = lead (&f.one);
  g_autoptr (SvBindings) picture = read_shared (&f.two);
  assert_same (f.chain, written, picture);
  instance_free (&f.one);
  fake_chain_include (f.chain, BOB, "read by itself", TRUE);
  sv_follower_set_chain (f.two.follower, &f.chain->base);
  g_autoptr (SvBindings) own = lead (&f.two);
  f.one = instance_new (&f, f.chain);
  g_autoptr (SvBindings) others = read_shared (&f.one);
  g_assert_cmpuint (sv_bindings_head (own)->best.number, ==, fake_chain_head (f.chain));
  assert_same (f.chain, own, others);
  tear_down (&f);
}

static void
test_long_run (void)
{
  Fleet f;
  set_up (&f);
  Instance *leader = &f.one, *reader = &f.two;
  fake_chain_grow (f.chain, 5);
  for (guint i = 0; i < 400; i++)
  {
    change_chain (f.chain, i);
    if (i % 50 == 49)
    {
      Instance *swapped = leader;
      instance_free (leader);
      *leader = instance_new (&f, f.chain);
      leader = reader;
      reader = swapped;
      fake_chain_grow (f.chain, 2); /* what was dropped last may have been shared */
    }
    if (i % 60 == 59)
      sv_follower_set_from (leader->follower, (guint64)g_test_rand_int_range (0, 20));
    g_autoptr (SvBindings) written = lead (leader);
    if (i % 3 == 0)
      continue;
    g_autoptr (SvBindings) picture = read_shared (reader);
    assert_same (f.chain, written, picture);
  }
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/follower-share/the reader knows the same", test_reader_knows_the_same);
  g_test_add_func ("/follower-share/the next leader goes on", test_next_leader_goes_on);
  g_test_add_func ("/follower-share/a leader that is behind", test_leader_behind);
  g_test_add_func ("/follower-share/without the lead", test_without_the_lead);
  g_test_add_func ("/follower-share/without a chain", test_without_a_chain);
  g_test_add_func ("/follower-share/a long run", test_long_run);
  return g_test_run ();
}
