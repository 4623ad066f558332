/* Changing signers:
 *  - add: the statement is in the store, and counts; the same again says nothing
 *  - retire: the index is signed again by who retires; the same again says nothing; who retires himself is told of his index,
 *    and must leave others the time to sign it
 *  - the index of one who is retired is signed again by a home that has verified it; another is told of --rebuild-index
 *  - refused: a wallet that was retired, a revoked account, nobody left, a stranger to retire
 *  - several at once: each statement on top of the other; on top of one that nobody trusts, too
 *  - what lies in a statement's place and is none is named; what the store has lost is put there again
 *  - dry run: says the same and writes nothing
 * Revoking:
 *  - by the owner alone, who is named otherwise; the text goes on with all accounts, and the index that still counts
 *  - what the chain refuses for now, and what is too long for it
 *  - a thief's index is not anchored, but the one before it that this home knows; the same again commits nothing
 */
#include "base/error.h"
#include "chain/engine.h"
#include "operator/anchoring.h"
#include "signers_fixture.h"

/* ── add and retire ── */

static void
test_add (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (SvSignerPublication) preview = try_change (publisher, "add", world->stranger, TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (preview->number, ==, 1);
  g_assert_false (has_statement (world, 1));
  g_autoptr (SvSignerPublication) first = change (publisher, "add", world->stranger);
  g_assert_cmpuint (first->number, ==, 1);
  g_assert_true (has_statement (world, 1));
  g_autoptr (SvSignerPublication) again = change (publisher, "add", world->stranger);
  g_assert_true (again->was_there);
  g_assert_false (has_statement (world, 2));
  g_autoptr (SvConfig) fresh = world_config (world, "fresh");
  g_autoptr (SvPublisher) added = world_publisher (world, fresh, world->stranger);
  g_assert_nonnull (added);
}

static void
test_retire (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (SvPublisher) old = world_publisher (world, world->config, world->operator);
  say (old, "add", world->stranger);
  g_autoptr (SvConfig) home = world_config (world, "new-home");
  g_autoptr (SvPublisher) new = world_publisher (world, home, world->stranger);
  g_autoptr (SvSignerPublication) retired = change (new, "retire", world->operator);
  g_assert_cmpuint (retired->number, ==, 2);
  g_assert_cmpuint (retired->resigned, ==, 2);
  g_autoptr (SvConfig) fresh = world_config (world, "fresh");
  g_autoptr (SvIndex) index = read_index (world, fresh);
  g_assert_cmpstr (index->document->signed_by, ==, sv_keypair_address (world->stranger));
  g_assert_nonnull (sv_index_find_hash (index, hash));
  g_autoptr (SvSignerPublication) again = change (new, "retire", world->operator);
  g_assert_true (again->was_there);
  g_assert_cmpuint (again->resigned, ==, 0);
  GError *error = NULL;
  g_assert_null (sv_publisher_new (world->config, world->chain, world->store, world->operator, NULL, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "retired");
}

static void
test_retires_himself (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  say (publisher, "add", world->stranger);
  guint64 from_block = world_head (world).best.number + SV_RETIRE_NOTICE;
  SvSignerRequest request = { .account = sv_keypair_address (world->operator), .has_from_block = TRUE };
  request.from_block = from_block - 1;
  g_assert_null (sv_publish_signer (publisher, &request, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "would leave readers without one");
  g_assert_false (has_statement (world, 2));
  request.from_block = from_block;
  g_autoptr (SvSignerPublication) retired = sv_publish_signer (publisher, &request, &error);
  g_assert_no_error (error);
  g_assert_true (retired->owns_index);
  g_assert_cmpuint (retired->from_block, ==, from_block);
  refused (publisher, "add", world->owner, SV_ERROR_POLICY, "has retired the wallet's hotkey");
  g_autoptr (SvConfig) home = world_config (world, "new-home");
  g_autoptr (SvPublisher) other = world_publisher (world, home, world->stranger);
  g_autoptr (SvSignerPublication) again = sv_publish_signer (other, &request, &error);
  g_assert_no_error (error);
  g_assert_true (again->was_there);
  g_assert_cmpuint (again->resigned, ==, 2);
  world_advance (world, SV_RETIRE_NOTICE + 5);
  g_autoptr (SvIndex) index = read_index (world, home);
  g_assert_nonnull (sv_index_find_hash (index, hash));
}

/* Nobody has signed the index in time. */
static void
test_retired_before (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  say (publisher, "add", world->stranger);
  const SvSignerRequest request = { .account = sv_keypair_address (world->operator), .has_from_block = TRUE, .from_block = 20 };
  g_autoptr (SvSignerPublication) retired = sv_publish_signer (publisher, &request, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (retired->number, ==, 2);
  world_advance (world, 25);
  g_autoptr (SvConfig) fresh = world_config (world, "fresh");
  g_autoptr (SvPublisher) stranger = world_publisher (world, fresh, world->stranger);
  refused (stranger, "retire", world->operator, SV_ERROR_VERIFY, "`sv manifest publish FILE --rebuild-index`");
  g_autoptr (SvPublisher) known = world_publisher (world, world->config, world->stranger);
  g_autoptr (SvSignerPublication) again = change (known, "retire", world->operator);
  g_assert_true (again->was_there);
  g_assert_cmpuint (again->resigned, ==, 2);
  g_autoptr (SvIndex) index = read_index (world, fresh);
  g_assert_cmpstr (index->document->signed_by, ==, sv_keypair_address (world->stranger));
  g_assert_nonnull (sv_index_find_hash (index, hash));
}

/* What he signs after his time is not what this home has verified. */
static void
test_retired_goes_on (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_assert_nonnull (hash);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  say (publisher, "add", world->stranger);
  const SvSignerRequest request = { .account = sv_keypair_address (world->operator), .has_from_block = TRUE, .from_block = 20 };
  g_autoptr (SvSignerPublication) retired = sv_publish_signer (publisher, &request, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (retired->number, ==, 2);
  g_autoptr (SvIndex) index = read_index (world, world->config);
  world_advance (world, 25);
  index->sequence++;
  g_autoptr (SvSignedDocument) late = sv_index_sign (index, world->operator, 0, &error);
  g_assert_no_error (error);
  world_set_object (world, "scorevision/index.json", late->bytes);
  g_autoptr (SvPublisher) known = world_publisher (world, world->config, world->stranger);
  refused (known, "retire", world->operator, SV_ERROR_VERIFY, "--rebuild-index");
}

/* Who is leaving signs nobody's index again: that would last as long as he does. */
static void
test_leaves_after_another (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_assert_nonnull (hash);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  say (publisher, "add", world->stranger);
  say (publisher, "add", world->owner);
  const SvSignerRequest request = { .account = sv_keypair_address (world->operator), .has_from_block = TRUE, .from_block = 20 };
  g_autoptr (SvSignerPublication) retired = sv_publish_signer (publisher, &request, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (retired->number, ==, 3);
  world_advance (world, 25);
  g_autoptr (SvPublisher) next = world_publisher (world, world->config, world->stranger);
  g_autoptr (SvSignerPublication) leaving = change (next, "retire", world->stranger);
  g_assert_cmpuint (leaving->number, ==, 4);
  g_assert_cmpuint (leaving->resigned, ==, 0);
  g_assert_nonnull (leaving->index_fault);
}

static void
test_refused (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  refused (publisher, "retire", world->operator, SV_ERROR_POLICY, "no account would be trusted");
  refused (publisher, "retire", world->stranger, SV_ERROR_NOT_FOUND, "is no signer");
  GError *error = NULL;
  const SvSignerRequest later = { TRUE, sv_keypair_address (world->stranger), TRUE, 50, FALSE };
  g_autoptr (SvSignerPublication) coming = sv_publish_signer (publisher, &later, &error);
  g_assert_no_error (error);
  g_assert_false (coming->was_there);
  refused (publisher, "retire", world->operator, SV_ERROR_POLICY, "no account would be trusted");
  revoke_on_chain (world, world->stranger);
  refused (publisher, "add", world->stranger, SV_ERROR_POLICY, "revoked");
  g_assert_false (has_statement (world, 2));
}

/* Who is to retire later has no right to sign statements any more: nobody could go on with them. */
static void
test_last_one_with_rights (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  say (publisher, "add", world->stranger);
  const SvSignerRequest later = { FALSE, sv_keypair_address (world->stranger), TRUE, 1000, FALSE };
  g_autoptr (SvSignerPublication) leaving = sv_publish_signer (publisher, &later, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (leaving->number, ==, 2);
  refused (publisher, "retire", world->operator, SV_ERROR_POLICY, "no account would be trusted");
}

static void
test_on_top_of_each_other (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvConfig) home = world_config (world, "second-home");
  g_autoptr (SvPublisher) one = world_publisher (world, world->config, world->operator);
  g_autoptr (SvPublisher) two = world_publisher (world, home, world->operator);
  say (one, "add", world->stranger);
  g_autoptr (SvSignerPublication) second = change (two, "add", world->owner);
  g_assert_cmpuint (second->number, ==, 2);
  g_autoptr (SvKeypair) thief = sv_keypair_generate (SV_SCHEME_ED25519);
  const SvSignerChange item = { (char *)sv_keypair_address (thief), 0 };
  g_autofree char *next_key = statement_key (3);
  GError *error = NULL;
  g_assert_true (sv_reader_update_signers (sv_publisher_reader (one), SV_FETCH_BYPASS_CACHES, &error));
  g_autoptr (SvSignersStatement) foreign =
      sv_signers_statement_sign (sv_publisher_last_statement (one), TRUE, &item, sv_chain_id (world->chain), thief, 0, NULL);
  world_set_object (world, next_key, foreign->document->bytes);
  g_autoptr (SvSignerPublication) third = change (one, "retire", world->owner);
  g_assert_cmpuint (third->number, ==, 4);
  g_autoptr (SvConfig) fresh = world_config (world, "fresh");
  g_autoptr (SvReader) reader = world_reader (world, fresh);
  g_assert_true (sv_reader_update_signers (reader, SV_FETCH_BYPASS_CACHES, &error));
  g_assert_true (sv_reader_trusts (sv_keypair_address (world->stranger), reader));
  g_assert_false (sv_reader_trusts (sv_keypair_address (world->owner), reader));
  g_assert_false (sv_reader_trusts (sv_keypair_address (thief), reader));
}

static void
test_rubbish_in_place (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (GBytes) rubbish = g_bytes_new_static ("{}", 2);
  g_autofree char *key = statement_key (1);
  world_set_object (world, key, rubbish);
  refused (publisher, "add", world->stranger, SV_ERROR_CONFLICT, "remove it");
  world_remove_object (world, key);
  say (publisher, "add", world->stranger);
}

static void
test_lost_statements (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  say (publisher, "add", world->stranger);
  g_autofree char *key = statement_key (1);
  world_remove_object (world, key);
  say (publisher, "add", world->owner);
  g_assert_true (has_statement (world, 1));
  g_assert_true (has_statement (world, 2));
  g_autoptr (GBytes) rubbish = g_bytes_new_static ("{}", 2);
  world_set_object (world, key, rubbish);
  refused (publisher, "retire", world->owner, SV_ERROR_VERIFY, key);
  g_assert_false (has_statement (world, 3));
}

/* ── revoke ── */

static char *
owner_text (World *world)
{
  GError *error = NULL;
  char *text = NULL;
  SvHead head = world_head (world);
  g_assert_true (sv_chain_anchor_text (world->chain, sv_keypair_address (world->owner), head.best.number, &text, &error));
  g_assert_no_error (error);
  return text;
}

static void
test_revoke (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_assert_null (revoke_one (world, reader, world->operator, world->stranger, FALSE, &error));
  world_assert_error (&error, SV_ERROR_POLICY, sv_keypair_address (world->owner));
  g_autoptr (SvRevocation) preview = revoke_one (world, reader, world->owner, world->stranger, TRUE, &error);
  g_assert_no_error (error);
  g_assert_null (owner_text (world));
  g_autoptr (SvRevocation) first = revoke_one (world, reader, world->owner, world->stranger, FALSE, &error);
  g_assert_no_error (error);
  g_autofree char *expected = g_strdup_printf ("sv1 manifest %s 1\n%s", hash, sv_keypair_address (world->stranger));
  g_autofree char *text = owner_text (world);
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpstr (preview->text, ==, expected);
  g_assert_true (first->has_signer);
  g_autoptr (SvRevocation) again = revoke_one (world, reader, world->owner, world->stranger, FALSE, &error);
  g_assert_no_error (error);
  g_assert_true (again->was_there);
  g_assert_cmpuint (again->block, ==, 0);
  g_autoptr (SvReader) later = world_reader (world, world->config);
  g_autoptr (SvRevocation) last = revoke_one (world, later, world->owner, world->operator, FALSE, &error);
  g_assert_no_error (error);
  g_assert_false (last->has_signer);
  g_autofree char *both =
      g_strdup_printf ("sv1 revoke\n%s\n%s", sv_keypair_address (world->stranger), sv_keypair_address (world->operator));
  g_autofree char *now = owner_text (world);
  g_assert_cmpstr (now, ==, both);
}

static SvPreparedExtrinsic *
take_nothing_now (SvChain *chain, const SvKeypair *keypair, const char *text, SvPrepareFlags flags, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "the rate limit");
  return NULL;
}

static gboolean
earliest_at_nine (SvChain *chain, const char *address, gsize length, guint64 *block, GError **error)
{
  *block = 9;
  return TRUE;
}

#define LINE 49 /* a line feed and an address */

static void
test_revoke_later (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  SvChainEngine busy = sv_ledger_engine;
  busy.prepare_commitment = take_nothing_now;
  busy.earliest_commitment = earliest_at_nine;
  world->chain->engine = &busy;
  g_assert_null (revoke_one (world, reader, world->owner, world->operator, FALSE, &error));
  world_assert_error (&error, SV_ERROR_UNREACHABLE, "run the same command again after block 8: the rate limit");
  world->chain->engine = &sv_ledger_engine;
  g_autoptr (GString) text = g_string_new ("sv1 revoke");
  while (text->len + 2 * LINE <= sv_chain_max_text (world->chain))
  {
    g_autoptr (SvKeypair) lost = sv_keypair_generate (SV_SCHEME_ED25519);
    g_string_append_printf (text, "\n%s", sv_keypair_address (lost));
  }
  world_commit (world, world->owner, text->str);
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_assert_nonnull (hash);
  g_autoptr (SvRevocation) alone = revoke_one (world, reader, world->owner, world->stranger, FALSE, &error);
  g_assert_no_error (error);
  g_string_append_printf (text, "\n%s", sv_keypair_address (world->stranger));
  g_assert_cmpstr (alone->text, ==, text->str); /* no room for the index */
  g_assert_null (revoke_one (world, reader, world->owner, world->operator, FALSE, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "revoked accounts");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signers_publish/adds, once", test_add);
  g_test_add_func ("/signers_publish/retires, and signs the index again", test_retire);
  g_test_add_func ("/signers_publish/tells who retires himself", test_retires_himself);
  g_test_add_func ("/signers_publish/signs the index of one who is retired", test_retired_before);
  g_test_add_func ("/signers_publish/signs no index with the wallet that retires", test_leaves_after_another);
  g_test_add_func ("/signers_publish/signs no index that a retired one has made since", test_retired_goes_on);
  g_test_add_func ("/signers_publish/refuses", test_refused);
  g_test_add_func ("/signers_publish/keeps somebody with rights", test_last_one_with_rights);
  g_test_add_func ("/signers_publish/builds on what is there", test_on_top_of_each_other);
  g_test_add_func ("/signers_publish/names rubbish in its place", test_rubbish_in_place);
  g_test_add_func ("/signers_publish/puts back what the store has lost", test_lost_statements);
  g_test_add_func ("/signers_publish/revokes as the owner", test_revoke);
  g_test_add_func ("/signers_publish/tells when the chain takes a revocation", test_revoke_later);
  return g_test_run ();
}
