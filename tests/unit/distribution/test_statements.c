/* Statements on signers, as a reader sees them:
 *  - an added account's index is accepted, at once or from its block on; a poll notices it, too; its anchor counts
 *  - a retired account's index is refused from its block on; its manifests stay where a trusted index lists them, and only
 * there
 *  - revoked, on the chain or in the setting: its manifests go, too, and who was introduced through it alone; who was twice
 * stays
 *  - a revoked signer's memory does not count, however far it went; what was verified before him goes on being used
 */
#include "statements.h"

/* ── adding ── */

static void
test_add (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  resign (world, world->stranger);
  refuses (reader, sv_keypair_address (world->stranger));
  say_so (world, world->operator, NULL, "add", 0, world->stranger);
  GError *error = NULL;
  g_autoptr (SvIndex) index = NULL;
  g_assert_true (sv_poll_index (reader, SV_FETCH_NORMAL, &index, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (index->sequence, ==, 2);
  g_assert_cmpuint (n_remembered (world), ==, 1);
}

static void
test_add_later (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  say_so (world, world->operator, NULL, "add", 5, world->stranger);
  resign (world, world->stranger);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  world_advance (world, 4);
  refuses (reader, sv_keypair_address (world->stranger));
  world_advance (world, 1);
  accepts (reader);
}

/* What nobody vouches for yet is not remembered with what counts. */
static void
test_pending_is_not_remembered (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  g_autoptr (SvSignersStatement) first = say (world, world->operator, NULL, "add", 0, world->stranger);
  say_so (world, world->owner, first, "add", 0, world->owner);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  g_assert_cmpuint (n_remembered (world), ==, 1);
  accepts (reader);
  g_assert_cmpuint (n_remembered (world), ==, 1);
}

/* The added account's anchor guards from a freeze like any other signer's. */
static void
test_added_anchor (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = publish (world);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autofree char *text = g_strdup_printf ("sv1 manifest %s 7", hash);
  world_commit (world, world->stranger, text);
  accepts (reader);
  say_so (world, world->operator, NULL, "add", 0, world->stranger);
  refuses (reader, "freeze");
}

/* ── retiring ── */

static void
assert_manifest (SvReader *reader, const char *hash, gboolean is_expected)
{
  GError *error = NULL;
  g_autoptr (SvManifest) manifest = sv_fetch_manifest (reader, hash, &error);
  if (is_expected)
    g_assert_no_error (error);
  else
    world_assert_error (&error, SV_ERROR_VERIFY, "");
  g_assert_true ((manifest != NULL) == is_expected);
}

static void
test_retire (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = publish (world);
  g_autoptr (SvSignersStatement) first = say (world, world->operator, NULL, "add", 0, world->stranger);
  say_so (world, world->stranger, first, "retire", 5, world->operator);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  world_advance (world, 5);
  refuses (reader, sv_keypair_address (world->operator));
  g_autoptr (GBytes) old_index = world_index_bytes (world);
  resign (world, world->stranger);
  accepts (reader);

  GError *error = NULL;
  g_autoptr (SvManifest) active = sv_get_current_manifest (reader, 6, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (active->hash, ==, hash);
  assert_manifest (reader, hash, TRUE);
  world_set_index_bytes (world, old_index);
  refuses (reader, sv_keypair_address (world->operator));
  g_autoptr (SvManifest) last = sv_get_current_manifest (reader, 6, &error); /* the last verified one stays */
  g_assert_no_error (error);
  g_assert_cmpstr (last->hash, ==, hash);
}

static void
test_retired_and_not_listed (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  GError *error = NULL;
  g_autofree char *hash = publish (world);
  g_autoptr (json_t) authored = world_authored ("w2", 1000, 2000, "1");
  g_autoptr (SvManifest) hidden =
      sv_manifest_sign (authored, 0, NULL, sv_chain_id (world->chain), world->operator, sv_clock_ms (), &error);
  g_assert_no_error (error);
  g_autofree char *key = g_strdup_printf ("scorevision/manifests/%s.json", hidden->hash + strlen ("sha256:"));
  world_set_object (world, key, hidden->document->bytes);
  accepts (reader);
  assert_manifest (reader, hidden->hash, TRUE);
  g_autoptr (SvSignersStatement) first = say (world, world->operator, NULL, "add", 0, world->stranger);
  say_so (world, world->stranger, first, "retire", 0, world->operator);
  resign (world, world->stranger);
  accepts (reader);
  assert_manifest (reader, hidden->hash, FALSE);
  assert_manifest (reader, hash, TRUE);
}

/* The index vouches for what its archives list, too. */
static void
test_retired_and_archived (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  world_advance (world, 100 + SV_ARCHIVE_AFTER);
  g_free (world_publish (world, "w2", 100, 100000, "1", FALSE));
  g_autoptr (SvSignersStatement) first = say (world, world->operator, NULL, "add", 0, world->stranger);
  say_so (world, world->stranger, first, "retire", 0, world->operator);
  resign (world, world->stranger);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_null (sv_index_find_hash (index, hash));
  assert_manifest (reader, hash, TRUE);

  g_autofree char *key = g_strdup_printf ("scorevision/archive/%s.json", index->archive + strlen ("sha256:"));
  world_remove_object (world, key);
  g_autoptr (SvConfig) elsewhere = world_config (world, "elsewhere");
  g_autoptr (SvReader) other = world_reader (world, elsewhere);
  g_assert_null (sv_fetch_manifest (other, hash, &error));
  world_assert_error (&error, SV_ERROR_UNREACHABLE, "cannot be told whether it is listed");
}

/* An index that the retired one signed first does not come back as the newest of who stays. */
static void
test_retired_memory_counts (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  g_autoptr (SvSignersStatement) first = say (world, world->operator, NULL, "add", 0, world->stranger);
  resign (world, world->stranger);
  g_autoptr (GBytes) old = world_index_bytes (world);
  resign (world, world->operator);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  say_so (world, world->stranger, first, "retire", 0, world->operator);
  world_set_index_bytes (world, old);
  refuses (reader, "rollback");
}

/* ── revoking ── */

static void
test_revoked_by_owner (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = publish (world);
  set_trust (world, world->operator, ",", world->stranger);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  say_so (world, world->stranger, NULL, "retire", 0, world->operator);
  resign (world, world->stranger);
  accepts (reader);
  assert_manifest (reader, hash, TRUE);
  revoke_on_chain (world, world->operator);
  accepts (reader);
  assert_manifest (reader, hash, FALSE);
  g_assert_false (sv_reader_honours (sv_keypair_address (world->operator), reader));
}

static void
test_introduced_through_revoked (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  g_autoptr (SvSignersStatement) first = say (world, world->operator, NULL, "add", 0, world->stranger);
  resign (world, world->stranger);
  set_trust (world, world->operator, ",", world->owner);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  revoke_on_chain (world, world->operator);
  refuses (reader, sv_keypair_address (world->stranger));
  say_so (world, world->owner, first, "add", 0, world->stranger);
  accepts (reader);
  g_assert_cmpuint (n_remembered (world), ==, 2);
}

static void
test_revoked_by_setting (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = publish (world);
  g_autoptr (SvSignersStatement) first = say (world, world->operator, NULL, "add", 0, world->stranger);
  say_so (world, world->owner, first, "add", 0, world->stranger);
  resign (world, world->stranger);
  set_trust (world, world->owner, ",!", world->operator);
  g_autoptr (SvReader) twice = world_reader (world, world->config);
  accepts (twice);
  assert_manifest (twice, hash, FALSE);
  take_away (world, 2);
  g_autoptr (SvConfig) other = world_config (world, "other");
  sv_config_set (other, "SCOREVISION_MANIFEST_SIGNERS", sv_config_get (world->config, "SCOREVISION_MANIFEST_SIGNERS"));
  g_autoptr (SvReader) once = world_reader (world, other);
  refuses (once, sv_keypair_address (world->stranger));
}

/* The last account of the setting goes: whom it alone has introduced is not served any more either. */
static void
test_all_revoked (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  say_so (world, world->operator, NULL, "add", 0, world->stranger);
  resign (world, world->stranger);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  revoke_on_chain (world, world->operator);
  refuses (reader, "revoked");
  g_assert_false (sv_reader_honours (sv_keypair_address (world->stranger), reader));
}

static void
far_ahead (SvIndex *index)
{
  index->sequence = SV_JSON_MAX_INTEGER;
}

static void
test_fast_forward (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  say_so (world, world->operator, NULL, "add", 0, world->stranger);
  g_autoptr (GBytes) before = world_index_bytes (world);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  world_resign_index (world, world->stranger, far_ahead);
  accepts (reader);
  world_set_index_bytes (world, before);
  refuses (reader, "rollback");
  revoke_on_chain (world, world->stranger);
  accepts (reader);
}

/* The store still shows the thief's index: what was verified before it goes on being used. */
static void
test_before_the_thief (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = publish (world);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  say_so (world, world->operator, NULL, "add", 0, world->stranger);
  world_resign_index (world, world->stranger, far_ahead);
  accepts (reader);
  revoke_on_chain (world, world->stranger);
  refuses (reader, sv_keypair_address (world->stranger));
  g_autoptr (SvIndex) index = sv_remembered_index (reader, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (index->sequence, ==, 1);
  g_assert_cmpstr (index->document->signed_by, ==, sv_keypair_address (world->operator));
  g_autoptr (SvManifest) manifest = sv_get_current_manifest (reader, 6, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (manifest->hash, ==, hash);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/statements/add", test_add);
  g_test_add_func ("/statements/add from a block on", test_add_later);
  g_test_add_func ("/statements/that are pending are not remembered", test_pending_is_not_remembered);
  g_test_add_func ("/statements/let an added one's anchor count", test_added_anchor);
  g_test_add_func ("/statements/retire from a block on", test_retire);
  g_test_add_func ("/statements/keep of a retired one what is listed", test_retired_and_not_listed);
  g_test_add_func ("/statements/keep of a retired one what is archived", test_retired_and_archived);
  g_test_add_func ("/statements/keep a retired one's memory", test_retired_memory_counts);
  g_test_add_func ("/statements/end with the owner's revocation", test_revoked_by_owner);
  g_test_add_func ("/statements/do not introduce through a revoked one", test_introduced_through_revoked);
  g_test_add_func ("/statements/end with the setting's revocation", test_revoked_by_setting);
  g_test_add_func ("/statements/end when all are revoked", test_all_revoked);
  g_test_add_func ("/statements/recover from a thief's sequence", test_fast_forward);
  g_test_add_func ("/statements/leave what was verified before the thief", test_before_the_thief);
  return g_test_run ();
}
