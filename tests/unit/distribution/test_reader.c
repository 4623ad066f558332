/* Reading the index:
 *  - before the first publication: not found, naming the command; an index that vanished says so
 *  - a verified one comes back; tampered bytes, an untrusted signer, another chain's index are refused
 *  - rollback, equivocation and freeze are refused in words; a fresh home cannot know of a rollback, but of a freeze
 *  - a removed signer's memory and anchor do not count
 *  - the anchor in the owner's slot counts also where the owner is no trusted signer, unless revoked
 *  - the remembered index stays readable when the store fails
 *  - a poll tells that nothing changed, and still refuses what a new anchor or revocation makes wrong
 * With mirrors:
 *  - the highest index that verifies is taken, whatever the others say; two of one sequence are an equivocation
 *  - all mirrors failing tells the most telling error
 */
#include <glib/gstdio.h>

#include "base/file.h"
#include "world.h"

static SvIndex *
fetch (SvReader *reader)
{
  GError *error = NULL;
  SvIndex *index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  return index;
}

static void
assert_refused (SvReader *reader, SvErrorCode code, const char *part)
{
  GError *error = NULL;
  g_assert_null (sv_fetch_index (reader, SV_FETCH_NORMAL, &error));
  world_assert_error (&error, code, part);
}

static void
publish (World *world, const char *window_id, guint64 start_block)
{
  g_autofree char *hash = world_publish (world, window_id, start_block, start_block + 100, "1", FALSE);
  g_assert_nonnull (hash);
}

static void
test_absent (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_refused (reader, SV_ERROR_NOT_FOUND, "sv manifest publish");
  publish (world, "w1", 0);
  g_autoptr (SvIndex) index = fetch (reader);
  g_assert_cmpuint (index->sequence, ==, 1);
  g_assert_nonnull (sv_index_find_live (index, "w1"));
  world_remove_object (world, "scorevision/index.json");
  assert_refused (reader, SV_ERROR_VERIFY, "freeze: the index is gone");
  GError *error = NULL;
  g_autoptr (SvIndex) remembered = sv_remembered_index (reader, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (remembered->sequence, ==, 1);
}

static void
test_no_place_to_read (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  sv_config_set (world->config, "SCOREVISION_STORE", "https://example.org/store");
  g_assert_null (sv_reader_new (world->config, world->chain, NULL, &error));
  world_assert_error (&error, SV_ERROR_USAGE, "R2_PUBLIC_URL");
}

static void
test_tampered (void)
{
  g_autoptr (World) world = world_new (0);
  publish (world, "w1", 0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (GBytes) good = world_index_bytes (world);
  gsize length;
  const char *data = g_bytes_get_data (good, &length);
  g_autofree char *bad = g_strndup (data, length);
  char *window = strstr (bad, "\"w1\"");
  window[2] = '7';
  g_autoptr (GBytes) changed = g_bytes_new (bad, length);
  world_set_index_bytes (world, changed);
  assert_refused (reader, SV_ERROR_VERIFY, "signature");
  g_autoptr (GBytes) cut = g_bytes_new (data, length / 2);
  world_set_index_bytes (world, cut);
  assert_refused (reader, SV_ERROR_MALFORMED, "index");
}

static void
test_untrusted_signer (void)
{
  g_autoptr (World) world = world_new (0);
  publish (world, "w1", 0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  world_resign_index (world, world->stranger, NULL);
  assert_refused (reader, SV_ERROR_VERIFY, sv_keypair_address (world->stranger));
}

static void
test_other_chain (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (World) other = world_new (0);
  publish (other, "w1", 0);
  g_autoptr (GBytes) bytes = world_index_bytes (other);
  world_set_index_bytes (world, bytes);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_refused (reader, SV_ERROR_VERIFY, "chain");
}

static void
test_rollback (void)
{
  g_autoptr (World) world = world_new (0);
  publish (world, "w1", 0);
  g_autoptr (GBytes) first = world_index_bytes (world);
  publish (world, "w2", 100);
  g_autoptr (GBytes) second = world_index_bytes (world);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = fetch (reader);
  g_assert_nonnull (index);
  world_set_index_bytes (world, first);
  assert_refused (reader, SV_ERROR_VERIFY, "rollback");
  g_autoptr (SvReader) later = world_reader (world, world->config);
  assert_refused (later, SV_ERROR_VERIFY, "rollback");
  g_autoptr (SvConfig) fresh_home = world_config (world, "fresh");
  g_autoptr (SvReader) fresh = world_reader (world, fresh_home);
  g_autoptr (SvIndex) believed = fetch (fresh);
  g_assert_cmpuint (believed->sequence, ==, 1);
  world_set_index_bytes (world, second);
  g_autoptr (SvIndex) again = fetch (reader);
  g_assert_cmpuint (again->sequence, ==, 2);
}

static void
change_time (SvIndex *index)
{
  g_free (index->updated_at);
  index->updated_at = g_strdup ("2001-01-01T00:00:00Z");
}

static void
test_equivocation (void)
{
  g_autoptr (World) world = world_new (0);
  publish (world, "w1", 0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = fetch (reader);
  g_assert_nonnull (index);
  world_resign_index (world, world->operator, change_time);
  assert_refused (reader, SV_ERROR_VERIFY, "equivocation");
}

static void
anchor (World *world, const SvKeypair *keypair, guint64 sequence)
{
  g_autofree char *text = g_strdup_printf ("sv1 manifest sha256:%064d %" G_GUINT64_FORMAT, 7, sequence);
  world_commit (world, keypair, text);
}

static void
test_freeze (void)
{
  g_autoptr (World) world = world_new (2);
  publish (world, "w1", 0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  anchor (world, world->stranger, 9);
  world_advance (world, 2);
  g_autoptr (SvIndex) strangers_do_not_count = fetch (reader);
  g_assert_nonnull (strangers_do_not_count);
  anchor (world, world->operator, 1);
  world_advance (world, 2);
  g_autoptr (SvIndex) just_anchored = fetch (reader);
  g_assert_nonnull (just_anchored);
  anchor (world, world->operator, 2);
  world_advance (world, 1);
  g_autoptr (SvIndex) not_final = fetch (reader);
  g_assert_nonnull (not_final);
  world_advance (world, 1);
  assert_refused (reader, SV_ERROR_VERIFY, "freeze");
  g_autoptr (SvConfig) fresh_home = world_config (world, "fresh");
  g_autoptr (SvReader) fresh = world_reader (world, fresh_home);
  assert_refused (fresh, SV_ERROR_VERIFY, "freeze");
}

static void
test_owner_anchors (void)
{
  g_autoptr (World) world = world_new (0);
  publish (world, "w1", 0);
  anchor (world, world->owner, 2);
  {
    g_autoptr (SvReader) reader = world_reader (world, world->config);
    assert_refused (reader, SV_ERROR_VERIFY, "freeze");
  }
  g_autofree char *signers =
      g_strdup_printf ("%s,!%s", sv_keypair_address (world->operator), sv_keypair_address (world->owner));
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", signers);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = fetch (reader);
  g_assert_nonnull (index);
}

/* A lost key signed a sequence beyond all others and anchored it; without it in the setting all goes on. */
static void
set_huge_sequence (SvIndex *index)
{
  index->sequence = SV_JSON_MAX_INTEGER;
}

static void
test_fast_forward_recovery (void)
{
  g_autoptr (World) world = world_new (0);
  publish (world, "w1", 0);
  g_autoptr (GBytes) good = world_index_bytes (world);
  g_autofree char *both = g_strdup_printf ("%s,%s", sv_keypair_address (world->operator), sv_keypair_address (world->stranger));
  g_autofree char *removed = g_strdup_printf ("%s,!%s", both, sv_keypair_address (world->stranger));
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", both);
  {
    g_autoptr (SvReader) reader = world_reader (world, world->config);
    world_resign_index (world, world->stranger, set_huge_sequence);
    anchor (world, world->stranger, SV_JSON_MAX_INTEGER);
    g_autoptr (SvIndex) huge = fetch (reader);
    g_assert_nonnull (huge);
    world_set_index_bytes (world, good);
    assert_refused (reader, SV_ERROR_VERIFY, "rollback");
  }
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", removed);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = fetch (reader);
  g_assert_cmpuint (index->sequence, ==, 1);
}

/* ── polling ── */

static SvIndex *
poll (SvReader *reader)
{
  GError *error = NULL;
  SvIndex *index = NULL;
  gboolean done = sv_poll_index (reader, SV_FETCH_NORMAL, &index, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  return index;
}

static void
test_poll (void)
{
  g_autoptr (World) world = world_new (0);
  publish (world, "w1", 0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) first = poll (reader);
  g_assert_cmpuint (first->sequence, ==, 1);
  g_assert_null (poll (reader));
  g_assert_null (poll (reader));
  publish (world, "w2", 100);
  g_autoptr (SvIndex) second = poll (reader);
  g_assert_cmpuint (second->sequence, ==, 2);
  g_assert_null (poll (reader));
}

static void
assert_poll_refused (SvReader *reader, const char *part)
{
  GError *error = NULL;
  SvIndex *index = NULL;
  g_assert_false (sv_poll_index (reader, SV_FETCH_NORMAL, &index, &error));
  g_assert_null (index);
  world_assert_error (&error, SV_ERROR_VERIFY, part);
}

static void
test_poll_hears_anchor_and_revocation (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *both = g_strdup_printf ("%s,%s", sv_keypair_address (world->operator), sv_keypair_address (world->stranger));
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", both);
  publish (world, "w1", 0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) first = poll (reader);
  g_assert_nonnull (first);
  anchor (world, world->operator, 2);
  assert_poll_refused (reader, "freeze");
  g_autofree char *revocation = g_strdup_printf ("sv1 revoke\n%s", sv_keypair_address (world->operator));
  world_commit (world, world->owner, revocation);
  assert_poll_refused (reader, "not a trusted signer");
}

/* ── mirrors ── */

static char *
mirror_url (const World *world, const char *name)
{
  return g_strdup_printf ("file:%s/%s", world->root, name);
}

static void
set_mirror_index (const World *world, const char *name, GBytes *bytes)
{
  g_autofree char *path = g_strdup_printf ("%s/%s/scorevision/index.json", world->root, name);
  GError *error = NULL;
  gboolean done = sv_file_write (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), 0644, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

static void
use_mirrors (const World *world)
{
  g_autofree char *one = mirror_url (world, "one");
  g_autofree char *two = mirror_url (world, "two");
  g_autofree char *three = mirror_url (world, "three");
  g_autofree char *list = g_strjoin (",", one, two, three, NULL);
  sv_config_set (world->config, "R2_PUBLIC_URL", list);
}

static void
test_mirrors_highest (void)
{
  g_autoptr (World) world = world_new (0);
  use_mirrors (world);
  publish (world, "w1", 0);
  g_autoptr (GBytes) first = world_index_bytes (world);
  publish (world, "w2", 100);
  g_autoptr (GBytes) second = world_index_bytes (world);
  g_autoptr (GBytes) junk = g_bytes_new_static ("{}", 2);
  set_mirror_index (world, "one", first);
  set_mirror_index (world, "two", second);
  set_mirror_index (world, "three", junk);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = poll (reader);
  g_assert_cmpuint (index->sequence, ==, 2);
  g_assert_null (poll (reader));
  set_mirror_index (world, "two", first); /* now all are behind what was seen */
  assert_poll_refused (reader, "rollback");
  set_mirror_index (world, "three", second);
  g_autoptr (SvIndex) again = fetch (reader);
  g_assert_cmpuint (again->sequence, ==, 2);
}

static void
test_mirrors_equivocation (void)
{
  g_autoptr (World) world = world_new (0);
  use_mirrors (world);
  publish (world, "w1", 0);
  g_autoptr (GBytes) one = world_index_bytes (world);
  world_resign_index (world, world->operator, change_time);
  g_autoptr (GBytes) other = world_index_bytes (world);
  set_mirror_index (world, "one", one);
  set_mirror_index (world, "three", other);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_refused (reader, SV_ERROR_VERIFY, "equivocation");
}

static void
test_mirrors_failing (void)
{
  g_autoptr (World) world = world_new (0);
  use_mirrors (world);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_refused (reader, SV_ERROR_NOT_FOUND, "published");
  g_autoptr (GBytes) junk = g_bytes_new_static ("{}", 2);
  set_mirror_index (world, "two", junk);
  assert_refused (reader, SV_ERROR_MALFORMED, "/two");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reader/says when nothing was published, or the index is gone", test_absent);
  g_test_add_func ("/reader/needs a place to read from", test_no_place_to_read);
  g_test_add_func ("/reader/refuses tampered bytes", test_tampered);
  g_test_add_func ("/reader/refuses an untrusted signer", test_untrusted_signer);
  g_test_add_func ("/reader/refuses another chain's index", test_other_chain);
  g_test_add_func ("/reader/refuses a rollback", test_rollback);
  g_test_add_func ("/reader/refuses an equivocation", test_equivocation);
  g_test_add_func ("/reader/refuses a freeze", test_freeze);
  g_test_add_func ("/reader/heeds an anchor of the owner", test_owner_anchors);
  g_test_add_func ("/reader/recovers from a lost key's fast-forward", test_fast_forward_recovery);
  g_test_add_func ("/reader/polls", test_poll);
  g_test_add_func ("/reader/hears of anchors and revocations while polling", test_poll_hears_anchor_and_revocation);
  g_test_add_func ("/reader/takes the highest of its mirrors", test_mirrors_highest);
  g_test_add_func ("/reader/tells an equivocation between mirrors", test_mirrors_equivocation);
  g_test_add_func ("/reader/tells the most telling error of its mirrors", test_mirrors_failing);
  return g_test_run ();
}
