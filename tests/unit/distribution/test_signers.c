/* Trusted signers:
 *  - none configured, an item that is nothing, all of them revoked: errors that tell what to do
 *  - accounts with and without "ss58:"; `!ACCOUNT` takes one away
 *  - chain:owner is the subnet's owner; without a chain it is an error
 *  - a changed owner has to be accepted once; where accounts are listed, his revocations and anchors do not count before, and
 *    those of the one before him do for good
 *  - what the owner revokes counts from the finalized head on, in both forms of text, for good, also without a chain
 *  - nobody else can revoke
 */
#include "base/file.h"
#include "distribution/reader_memory.h"
#include "world.h"

static SvSigners *
load (const World *world, SvChain *chain, const char *setting, GError **error)
{
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", setting);
  return sv_signers_load (world->config, chain, FALSE, error);
}

static SvSigners *
load_well (const World *world, SvChain *chain, const char *setting)
{
  GError *error = NULL;
  SvSigners *signers = load (world, chain, setting, &error);
  g_assert_no_error (error);
  return signers;
}

static gboolean
trusts (SvSigners *signers, const SvKeypair *keypair)
{
  return sv_signers_trust (sv_keypair_address (keypair), signers);
}

static void
test_bad_settings (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_assert_null (load (world, world->chain, "", &error));
  world_assert_error (&error, SV_ERROR_USAGE, "SCOREVISION_MANIFEST_SIGNERS");
  g_assert_null (load (world, world->chain, "chain:owners", &error));
  world_assert_error (&error, SV_ERROR_USAGE, "`chain:owners`");
  g_autofree char *only_revoked = g_strconcat ("!", sv_keypair_address (world->operator), NULL);
  g_assert_null (load (world, world->chain, only_revoked, &error));
  world_assert_error (&error, SV_ERROR_USAGE, "no signer");
  g_autofree char *contradiction = g_strconcat (sv_keypair_address (world->operator), ",", only_revoked, NULL);
  g_autoptr (SvSigners) nobody = load_well (world, world->chain, contradiction);
  g_assert_false (trusts (nobody, world->operator));
  g_assert_false (sv_signers_check_some_left (nobody, &error));
  world_assert_error (&error, SV_ERROR_VERIFY, "revoked");
  g_assert_null (sv_reader_new (world->config, world->chain, NULL, &error));
  world_assert_error (&error, SV_ERROR_VERIFY, "revoked");
}

static void
test_list (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *list = g_strdup_printf ("ss58:%s, %s, !%s", sv_keypair_address (world->operator),
                                           sv_keypair_address (world->owner), sv_keypair_address (world->owner));
  g_autoptr (SvSigners) signers = load_well (world, world->chain, list);
  g_assert_true (trusts (signers, world->operator));
  g_assert_false (trusts (signers, world->owner));
  g_assert_false (trusts (signers, world->stranger));
  g_assert_cmpuint (g_strv_length ((char **)sv_signers_accounts (signers)), ==, 1);
}

static void
test_owner (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autoptr (SvSigners) signers = load_well (world, world->chain, "chain:owner");
  g_assert_true (trusts (signers, world->owner));
  g_assert_null (load (world, NULL, "chain:owner", &error));
  world_assert_error (&error, SV_ERROR_UNREACHABLE, "chain:owner");
}

static void
test_changed_owner (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  {
    g_autoptr (SvMemory) memory = sv_memory_open (world->config, sv_chain_id (world->chain), &error);
    g_assert_true (sv_memory_remember_owner (memory, sv_keypair_address (world->stranger), FALSE, &error));
  }
  g_assert_null (load (world, world->chain, "chain:owner", &error));
  world_assert_error (&error, SV_ERROR_POLICY, "--accept-owner");
  g_autoptr (SvSigners) accepted = sv_signers_load (world->config, world->chain, TRUE, &error);
  g_assert_no_error (error);
  g_assert_true (trusts (accepted, world->owner));
  g_assert_false (trusts (accepted, world->stranger));
  g_autoptr (SvSigners) afterwards = load_well (world, world->chain, "chain:owner");
  g_assert_true (trusts (afterwards, world->owner));
}

static void
remember_owner (const World *world, const SvKeypair *owner, const SvKeypair *revoked)
{
  const char *const accounts[] = { sv_keypair_address (revoked), NULL };
  GError *error = NULL;
  g_autoptr (SvMemory) memory = sv_memory_open (world->config, sv_chain_id (world->chain), &error);
  g_assert_true (sv_memory_remember_owner (memory, sv_keypair_address (owner), FALSE, &error));
  g_assert_true (sv_memory_remember_revoked (memory, sv_keypair_address (owner), accounts, &error));
  g_assert_no_error (error);
}

static gboolean
may_anchor (const SvSigners *signers, const SvKeypair *keypair)
{
  return g_strv_contains (sv_signers_anchorers (signers), sv_keypair_address (keypair));
}

/* The chain's owner, whether a node made him up or not, is another than the accepted one. */
static void
test_changed_owner_of_list (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvKeypair) before = sv_keypair_generate (SV_SCHEME_ED25519);
  const char *operator= sv_keypair_address (world->operator);
  g_autofree char *both = g_strdup_printf ("%s,%s", operator, sv_keypair_address (world->stranger));
  g_autofree char *text = g_strdup_printf ("sv1 revoke\n%s", operator);
  GError *error = NULL;
  remember_owner (world, before, world->stranger);
  world_commit (world, world->owner, text);
  for (guint i = 0; i < 2; i++)
  {
    g_autoptr (SvSigners) signers = load_well (world, world->chain, both);
    g_assert_true (trusts (signers, world->operator));
    g_assert_false (trusts (signers, world->stranger));
    g_assert_false (may_anchor (signers, world->owner));
    g_assert_true (sv_signers_check_some_left (signers, &error));
  }
  g_autoptr (SvSigners) accepted = sv_signers_load (world->config, world->chain, TRUE, &error);
  g_assert_no_error (error);
  g_assert_false (trusts (accepted, world->operator));
  g_assert_false (trusts (accepted, world->stranger));
  g_assert_true (may_anchor (accepted, world->owner));
  g_assert_false (sv_signers_check_some_left (accepted, &error));
  g_assert_nonnull (strstr (error->message, "reader.json"));
  world_assert_error (&error, SV_ERROR_VERIFY, sv_keypair_address (world->owner));
}

static void
check_revocation (const char *first_line)
{
  g_autoptr (World) world = world_new (3);
  g_autofree char *both = g_strdup_printf ("%s,%s", sv_keypair_address (world->operator), sv_keypair_address (world->stranger));
  g_autofree char *text = g_strdup_printf ("%s\n%s", first_line, sv_keypair_address (world->operator));
  world_commit (world, world->owner, text);
  world_advance (world, 2);
  {
    g_autoptr (SvSigners) not_final = load_well (world, world->chain, both);
    g_assert_true (trusts (not_final, world->operator));
  }
  world_advance (world, 1);
  {
    g_autoptr (SvSigners) final = load_well (world, world->chain, both);
    g_assert_false (trusts (final, world->operator));
    g_assert_true (trusts (final, world->stranger));
  }
  world_commit (world, world->owner, "sv1 revoke"); /* an owner cannot take it back */
  world_advance (world, 5);
  g_autoptr (SvSigners) for_good = load_well (world, world->chain, both);
  g_assert_false (trusts (for_good, world->operator));
  sv_config_set (world->config, "SCOREVISION_GENESIS", sv_chain_id (world->chain)->genesis);
  g_autoptr (SvSigners) offline = load_well (world, NULL, both);
  g_assert_false (trusts (offline, world->operator));
  g_assert_true (trusts (offline, world->stranger));
}

static void
test_revocation (void)
{
  check_revocation ("sv1 revoke");
  check_revocation ("sv1 manifest sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 7");
}

static void
test_others_cannot_revoke (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *text = g_strdup_printf ("sv1 revoke\n%s", sv_keypair_address (world->operator));
  world_commit (world, world->stranger, text);
  world_commit (world, world->operator, text);
  g_autoptr (SvSigners) signers = load_well (world, world->chain, sv_keypair_address (world->operator));
  g_assert_true (trusts (signers, world->operator));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signers/refuses settings that trust nobody", test_bad_settings);
  g_test_add_func ("/signers/reads the list", test_list);
  g_test_add_func ("/signers/asks the chain for the owner", test_owner);
  g_test_add_func ("/signers/needs a changed owner accepted", test_changed_owner);
  g_test_add_func ("/signers/needs a changed owner accepted before he can revoke", test_changed_owner_of_list);
  g_test_add_func ("/signers/hears the owner's revocations", test_revocation);
  g_test_add_func ("/signers/hears nobody else's", test_others_cannot_revoke);
  return g_test_run ();
}
