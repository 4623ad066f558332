/* Waiting for an extrinsic on a chain that a test makes up.
 *
 * inclusion - a block that cannot be read now is no proof that nothing was committed: it is read again, and while it cannot be,
 *             nobody is told that the extrinsic has expired
 *           - what cannot be read for a moment is waited for
 * finality  - a reorganisation that moves the extrinsic to another block is followed, however far the chain has come meanwhile
 *           - while a block that may hold it cannot be read, nobody is told that the extrinsic is gone
 */
#include <string.h>

#include "base/error.h"
#include "chain/engine.h"

#define TIMEOUT_MS 5000
#define NOWHERE G_MAXUINT64

typedef struct
{
  SvChain base;
  guint64 best, final;
  guint64 holder;       /* the block with the extrinsic, or NOWHERE */
  guint64 gone;         /* a block that cannot be read, or NOWHERE */
  guint n_heads;        /* asked for */
  guint readable_after; /* heads, from when on it can be read; 0: never */
  guint failures;       /* that come before commitments are told */
} Chain;

static char *
hash_of (void)
{
  return g_strdup_printf ("0x%064d", 7);
}

static guint64
block_time_ms (SvChain *base)
{
  return 0;
}

static gboolean
head (SvChain *base, SvHead *head, GError **error)
{
  Chain *chain = (Chain *)base;
  chain->n_heads++;
  if (chain->readable_after > 0 && chain->n_heads > chain->readable_after)
    chain->gone = NOWHERE;
  *head = (SvHead){ .best.number = chain->best, .finalized.number = chain->final };
  g_snprintf (head->best.hash, sizeof head->best.hash, "0x%064" G_GINT64_MODIFIER "x", chain->best);
  g_snprintf (head->finalized.hash, sizeof head->finalized.hash, "0x%064" G_GINT64_MODIFIER "x", chain->final);
  return TRUE;
}

static GPtrArray *
commitments (SvChain *base, guint64 first, guint64 last, GArray **unreadable, GError **error)
{
  Chain *chain = (Chain *)base;
  if (chain->failures > 0)
  {
    chain->failures--;
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "reorganised while it was read");
    return NULL;
  }
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (guint64));
  if (chain->gone >= first && chain->gone <= last)
    g_array_append_val (gone, chain->gone);
  if (chain->holder >= first && chain->holder <= last && chain->holder != chain->gone)
  {
    g_autofree char *hash = hash_of ();
    SvExtrinsic *extrinsic = g_new0 (SvExtrinsic, 1);
    extrinsic->block = chain->holder;
    g_strlcpy (extrinsic->hash, hash, sizeof extrinsic->hash);
    extrinsic->succeeded = TRUE;
    g_ptr_array_add (found, extrinsic);
  }
  if (unreadable)
    *unreadable = g_steal_pointer (&gone);
  return found;
}

static gboolean
find_extrinsic (SvChain *base, guint64 block, const char *hash, SvExtrinsic **found, gboolean *unreadable, GError **error)
{
  g_autoptr (GArray) gone = NULL;
  g_autoptr (GPtrArray) all = commitments (base, block, block, &gone, error);
  *found = NULL;
  if (!all)
    return FALSE;
  if (all->len > 0)
    *found = g_ptr_array_steal_index (all, 0);
  if (unreadable)
    *unreadable = !*found && gone->len > 0;
  return TRUE;
}

static const SvChainEngine engine = {
  .block_time_ms = block_time_ms, .head = head, .commitments = commitments, .find_extrinsic = find_extrinsic
};

static Chain
make_chain (guint64 final, guint64 best, guint64 holder, guint64 gone)
{
  return (Chain){
    .base = { .engine = &engine, .url = (char *)"made:up" }, .final = final, .best = best, .holder = holder, .gone = gone
  };
}

static SvExtrinsic *
await_inclusion (Chain *chain, guint64 valid_until, guint timeout_ms, GError **error)
{
  SvPreparedExtrinsic prepared = { .prepared_at = 10, .valid_until = valid_until };
  g_autofree char *hash = hash_of ();
  g_strlcpy (prepared.hash, hash, sizeof prepared.hash);
  return sv_chain_await_inclusion (&chain->base, &prepared, timeout_ms, NULL, NULL, error);
}

static SvExtrinsic *
included_at (guint64 block)
{
  g_autofree char *hash = hash_of ();
  SvExtrinsic *extrinsic = g_new0 (SvExtrinsic, 1);
  extrinsic->block = block;
  g_strlcpy (extrinsic->hash, hash, sizeof extrinsic->hash);
  extrinsic->succeeded = TRUE;
  return extrinsic;
}

/* ── inclusion ── */

static void
test_unreadable_is_no_expiry (void)
{
  g_autoptr (GError) error = NULL;
  Chain chain = make_chain (100, 102, 20, 20);
  g_assert_null (await_inclusion (&chain, 73, 50, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_assert_nonnull (strstr (error->message, "block 20 cannot be read"));
}

static void
test_unreadable_is_read_again (void)
{
  g_autoptr (GError) error = NULL;
  Chain chain = make_chain (100, 102, 20, 20);
  chain.readable_after = 1;
  g_autoptr (SvExtrinsic) found = await_inclusion (&chain, 73, TIMEOUT_MS, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (found->block, ==, 20);
}

static void
test_failing_is_waited_for (void)
{
  g_autoptr (GError) error = NULL;
  Chain chain = make_chain (18, 22, 20, NOWHERE);
  chain.failures = 2;
  g_autoptr (SvExtrinsic) found = await_inclusion (&chain, 73, TIMEOUT_MS, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (found->block, ==, 20);
}

static void
test_expiry (void)
{
  g_autoptr (GError) error = NULL;
  Chain chain = make_chain (100, 102, NOWHERE, NOWHERE);
  g_assert_null (await_inclusion (&chain, 73, TIMEOUT_MS, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
}

/* ── finality ── */

static void
test_moved_extrinsic_is_found (void)
{
  static const guint64 moved_to[] = { 101, 99, 107 };
  for (gsize i = 0; i < G_N_ELEMENTS (moved_to); i++)
  {
    g_autoptr (GError) error = NULL;
    g_autoptr (SvExtrinsic) extrinsic = included_at (100);
    Chain chain = make_chain (110, 112, moved_to[i], NOWHERE);
    gboolean done = sv_chain_await_finality (&chain.base, &extrinsic, TIMEOUT_MS, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_true (done);
    g_assert_cmpuint (extrinsic->block, ==, moved_to[i]);
  }
}

static void
test_dropped_extrinsic_is_told (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvExtrinsic) extrinsic = included_at (100);
  Chain chain = make_chain (110, 112, NOWHERE, NOWHERE);
  g_assert_false (sv_chain_await_finality (&chain.base, &extrinsic, TIMEOUT_MS, NULL, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
}

static void
test_unreadable_is_no_drop (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvExtrinsic) extrinsic = included_at (100);
  Chain chain = make_chain (110, 112, 100, 100);
  g_assert_false (sv_chain_await_finality (&chain.base, &extrinsic, 50, NULL, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_clear_error (&error);
  chain.readable_after = chain.n_heads + 1;
  g_assert_true (sv_chain_await_finality (&chain.base, &extrinsic, TIMEOUT_MS, NULL, NULL, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/await/inclusion/unreadable-is-no-expiry", test_unreadable_is_no_expiry);
  g_test_add_func ("/await/inclusion/unreadable-is-read-again", test_unreadable_is_read_again);
  g_test_add_func ("/await/inclusion/failing-is-waited-for", test_failing_is_waited_for);
  g_test_add_func ("/await/inclusion/expiry", test_expiry);
  g_test_add_func ("/await/finality/moved-extrinsic-is-found", test_moved_extrinsic_is_found);
  g_test_add_func ("/await/finality/dropped-extrinsic-is-told", test_dropped_extrinsic_is_told);
  g_test_add_func ("/await/finality/unreadable-is-no-drop", test_unreadable_is_no_drop);
  return g_test_run ();
}
