/* Changing signers where the store holds many statements:
 *  - nothing is signed on top of what a thief has signed on and on, but by himself; once he is revoked it can be removed, and
 * its numbers are free
 *  - nor on top of nobody's; a few of them are no matter
 *  - nor where an addition has no effect, or no reader takes another statement
 */
#include "base/error.h"
#include "operator/signers_room.h"
#include "signers_fixture.h"

/* @n statements by @keypair after those in the store, each adding the account @named, or each another where it is NULL. */
static void
sign_many (World *world, SvPublisher *publisher, const SvKeypair *keypair, guint n, const SvKeypair *named)
{
  GError *error = NULL;
  const SvChainId *chain = sv_chain_id (world->chain);
  g_assert_true (sv_reader_update_signers (sv_publisher_reader (publisher), SV_FETCH_BYPASS_CACHES, &error));
  const SvSignersStatement *before = sv_publisher_last_statement (publisher);
  g_autoptr (SvSignersStatement) last = NULL;
  for (guint i = 0; i < n; i++)
  {
    g_autoptr (SvKeypair) other = sv_keypair_generate (SV_SCHEME_ED25519);
    const SvSignerChange item = { (char *)sv_keypair_address (named != NULL ? named : other), 0 };
    SvSignersStatement *next = sv_signers_statement_sign (last != NULL ? last : before, TRUE, &item, chain, keypair, 0, &error);
    g_assert_no_error (error);
    g_autofree char *key = statement_key (next->number);
    world_set_object (world, key, next->document->bytes);
    sv_signers_statement_free (last);
    last = next;
  }
}

static void
remove_from (World *world, guint64 first, guint64 last)
{
  for (guint64 n = first; n <= last; n++)
  {
    g_autofree char *key = statement_key (n);
    world_remove_object (world, key);
  }
}

#define MANY (SV_SIGNERS_MAX_FRUITLESS + 1)

static void
test_on_top_of_a_thief (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  say (publisher, "add", world->stranger);
  sign_many (world, publisher, world->stranger, MANY, world->stranger);
  refused (publisher, "add", world->owner, SV_ERROR_POLICY, "are by 5");
  refused (publisher, "add", world->owner, SV_ERROR_POLICY, "revoke it first");
  g_autoptr (SvConfig) home = world_config (world, "strangers");
  g_autoptr (SvPublisher) own = world_publisher (world, home, world->stranger);
  g_autoptr (SvSignerPublication) preview = try_change (own, "add", world->owner, TRUE, NULL);
  g_assert_nonnull (preview);
  revoke_on_chain (world, world->stranger);
  refused (publisher, "add", world->owner, SV_ERROR_POLICY, "scorevision/signers/2.json and all with higher numbers");
  remove_from (world, 2, MANY + 1);
  g_autoptr (SvSignerPublication) second = change (publisher, "add", world->owner);
  g_assert_cmpuint (second->number, ==, 2);
  g_autoptr (SvConfig) fresh = world_config (world, "fresh");
  g_autoptr (SvReader) reader = world_reader (world, fresh);
  g_assert_true (sv_reader_update_signers (reader, SV_FETCH_NORMAL, NULL));
  g_assert_true (sv_reader_trusts (sv_keypair_address (world->owner), reader));
}

static void
test_on_top_of_nobodys (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  sign_many (world, publisher, world->stranger, MANY, world->stranger);
  refused (publisher, "add", world->owner, SV_ERROR_POLICY, "that nobody trusted has signed");
  remove_from (world, MANY, MANY);
  g_autoptr (SvSignerPublication) next = change (publisher, "add", world->owner);
  g_assert_cmpuint (next->number, ==, MANY);
}

static void
test_no_room (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  sign_many (world, publisher, world->operator, SV_SIGNERS_MAX_TRUSTED - 1, NULL);
  refused (publisher, "add", world->owner, SV_ERROR_POLICY, "64 accounts are signers already");
  sign_many (world, publisher, world->operator, SV_SIGNERS_MAX_STATEMENTS - SV_SIGNERS_MAX_TRUSTED + 1, world->operator);
  refused (publisher, "add", world->owner, SV_ERROR_POLICY, "no room for another");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signers_room/builds on no thief's", test_on_top_of_a_thief);
  g_test_add_func ("/signers_room/builds on nobody's that are many", test_on_top_of_nobodys);
  g_test_add_func ("/signers_room/says where there is no room", test_no_room);
  return g_test_run ();
}
