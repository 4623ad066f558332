/* Histories of statements on signers, as stores and mirrors show them:
 *  - what is no right next statement changes nothing, and is not remembered
 *  - a mirror cannot take back, nor hide from another one; what is remembered outlives the process, and is shared by all of a
 * home
 *  - two histories that trusted accounts vouch for are an equivocation; what nobody vouches for any more gives way
 *  - a setting that begins later in the history
 *  - a history ends at its limits, whoever signed it; a stolen key's costs nobody the index, and makes room when revoked
 *  - without a chain the last final block that was seen counts
 */
#include <glib/gstdio.h>

#include "base/file.h"
#include "statements.h"

/* ── wrong statements ── */

static GBytes *
changed (const World *world, const SvSignersStatement *statement, const char *field, json_t *value, const SvKeypair *keypair,
         const char *type, guint netuid)
{
  SvChainId chain = *sv_chain_id (world->chain);
  chain.netuid = netuid;
  g_autoptr (json_t) json = statement_json (statement);
  json_object_set_new (json, field, value);
  g_autoptr (SvSignedDocument) document = sv_signed_document_create (json, type, &chain, keypair, sv_clock_ms (), NULL);
  g_assert_nonnull (document);
  return g_bytes_ref (document->bytes);
}

static void
assert_no_effect (World *world, const char *what, guint64 number, GBytes *bytes)
{
  put_at (world, number, bytes);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  refuses (reader, sv_keypair_address (world->stranger));
  if (n_remembered (world) != 0)
    g_error ("%s was remembered", what);
  take_away (world, number);
}

static void
test_wrong (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = publish (world);
  resign (world, world->stranger);
  const SvKeypair *operator= world->operator;
  guint netuid = sv_chain_id (world->chain)->netuid;
  g_autoptr (SvSignersStatement) right = sign (world, operator, NULL, "add", 0, world->stranger);
  g_autoptr (SvSignersStatement) second = sign (world, operator, right, "add", 0, world->stranger);
  g_autoptr (SvSignersStatement) own = sign (world, world->stranger, NULL, "add", 0, world->stranger);
  assert_no_effect (world, "a gap", 2, second->document->bytes);
  assert_no_effect (world, "another number", 1, second->document->bytes);
  assert_no_effect (world, "a stranger's", 1, own->document->bytes);
  g_autoptr (GBytes) previous = changed (world, right, "previous", json_string (hash), operator, "signers", netuid);
  assert_no_effect (world, "another previous", 1, previous);
  g_autoptr (GBytes) chain = changed (world, right, "n", sv_json_integer (1), operator, "signers", netuid + 1);
  assert_no_effect (world, "another chain's", 1, chain);
  g_autoptr (GBytes) type = changed (world, right, "n", sv_json_integer (1), operator, "manifest", netuid);
  assert_no_effect (world, "another type", 1, type);
  g_autoptr (GBytes) rubbish = g_bytes_new_static ("<html>", 6);
  assert_no_effect (world, "no JSON", 1, rubbish);
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (right->document->bytes, 0, 200);
  assert_no_effect (world, "cut short", 1, cut);
  g_autofree char *many = g_strnfill (SV_SIGNERS_MAX_SIZE + 1, ' ');
  g_autoptr (GBytes) large = g_bytes_new (many, SV_SIGNERS_MAX_SIZE + 1);
  assert_no_effect (world, "too large", 1, large);
  put_at (world, 1, right->document->bytes);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
}

/* ── mirrors ── */

/* A second store with what the first one holds now; both are read. Returns it as a world to put things into. */
static World
add_mirror (World *world)
{
  GError *error = NULL;
  g_autofree char *from = world_path (world, "store"), *to = world_path (world, "mirror");
  g_autofree char *command = g_strdup_printf ("cp -r %s %s", from, to);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, &error));
  g_autofree char *url = g_strdup_printf ("file:%s", to);
  g_autofree char *both = g_strdup_printf ("file:%s,%s", from, url);
  sv_config_set (world->config, "R2_PUBLIC_URL", both);
  World mirror = *world;
  mirror.store = sv_object_store_open (url, world->config, &error);
  g_assert_no_error (error);
  return mirror;
}

static void
test_hiding_mirror (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  resign (world, world->stranger);
  World mirror = add_mirror (world);
  g_autoptr (SvSignersStatement) first = say (&mirror, world->operator, NULL, "add", 0, world->stranger);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  say_so (&mirror, world->operator, first, "add", 0, world->owner);
  put_at (world, 1, first->document->bytes);
  accepts (reader);
  g_assert_cmpuint (n_remembered (world), ==, 2);
  sv_object_store_free (mirror.store);
}

static void
test_two_faces (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  World mirror = add_mirror (world);
  g_autoptr (SvSignersStatement) one = say (world, world->operator, NULL, "add", 0, world->stranger);
  g_autoptr (SvSignersStatement) other = say (&mirror, world->operator, NULL, "add", 0, world->owner);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  refuses (reader, one->document->hash);
  refuses (reader, other->document->hash);
  g_assert_cmpuint (n_remembered (world), ==, 0);
  sv_object_store_free (mirror.store);
}

static void
test_other_history (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  say_so (world, world->operator, NULL, "add", 0, world->stranger);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  g_autoptr (SvSignersStatement) other = say (world, world->operator, NULL, "add", 0, world->owner);
  say_so (world, world->operator, other, "add", 0, world->owner);
  refuses (reader, "equivocation");
  say_so (world, world->owner, other, "add", 0, world->owner);
  accepts (reader); /* whoever nobody trusts can claim what he likes */
  g_assert_cmpuint (n_remembered (world), ==, 1);
}

/* A mirror that puts another's statement before a right one makes nobody guilty, and keeps nobody from the index. */
static void
test_exchanged (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  g_autoptr (SvSignersStatement) first = say (world, world->operator, NULL, "add", 0, world->owner);
  g_autoptr (SvSignersStatement) forged = sign (world, world->stranger, NULL, "add", 0, world->stranger);
  say_so (world, world->operator, first, "add", 0, world->stranger);
  put_at (world, 1, forged->document->bytes);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  g_assert_cmpuint (n_remembered (world), ==, 0);
  put_at (world, 1, first->document->bytes);
  accepts (reader);
  g_assert_cmpuint (n_remembered (world), ==, 2);
}

static void
test_taken_back (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  g_autoptr (SvSignersStatement) first = say (world, world->operator, NULL, "add", 0, world->stranger);
  say_so (world, world->stranger, first, "retire", 0, world->operator);
  g_autoptr (GBytes) retired_index = world_index_bytes (world);
  resign (world, world->stranger);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  take_away (world, 1);
  take_away (world, 2);
  accepts (reader);
  g_autoptr (SvReader) later = world_reader (world, world->config);
  accepts (later);
  world_set_index_bytes (world, retired_index);
  refuses (later, sv_keypair_address (world->operator));
}

/* Once the remembered one's signer is revoked, nobody vouches for it: the history that a trusted account goes on with counts.
 */
static void
test_gives_way (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  set_trust (world, world->operator, ",", world->owner);
  say_so (world, world->operator, NULL, "retire", 0, world->owner);
  {
    g_autoptr (SvReader) reader = world_reader (world, world->config);
    accepts (reader);
    g_assert_false (sv_reader_trusts (sv_keypair_address (world->owner), reader));
  }
  set_trust (world, world->owner, ",!", world->operator);
  say_so (world, world->owner, NULL, "add", 0, world->stranger);
  resign (world, world->stranger);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_assert_true (sv_reader_trusts (sv_keypair_address (world->owner), reader));
  accepts (reader);
  g_assert_cmpuint (n_remembered (world), ==, 1);
  g_assert_true (sv_reader_trusts (sv_keypair_address (world->stranger), reader));
}

/* ── other histories ── */

static void
test_later_setting (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  g_autoptr (SvSignersStatement) first = say (world, world->operator, NULL, "add", 0, world->stranger);
  resign (world, world->owner);
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", sv_keypair_address (world->stranger));
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  refuses (reader, sv_keypair_address (world->owner));
  g_assert_cmpuint (n_remembered (world), ==, 0);
  say_so (world, world->stranger, first, "add", 0, world->owner);
  accepts (reader);
  g_assert_cmpuint (n_remembered (world), ==, 2);
}

/* Without the care that a store takes of each object. */
static void
write_file (const char *path, GBytes *bytes)
{
  GError *error = NULL;
  gboolean done = g_file_set_contents_full (path, g_bytes_get_data (bytes, NULL), (gssize)g_bytes_get_size (bytes),
                                            G_FILE_SET_CONTENTS_NONE, 0644, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

/* Statements one after the other, all by @keypair, with a field that makes them as large as may be where @is_large. Returns the
 * last. */
static SvSignersStatement *
say_many (World *world, const SvKeypair *keypair, guint n, gboolean is_large)
{
  SvSignersStatement *last = NULL;
  const SvChainId *chain = sv_chain_id (world->chain);
  g_autofree char *note = g_strnfill (is_large ? SV_SIGNERS_MAX_SIZE - 1024 : 0, 'x');
  g_autofree char *folder = world_path (world, "store/scorevision/signers");
  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  for (guint i = 1; i <= n; i++)
  {
    g_autoptr (SvSignersStatement) plain = sign (world, keypair, last, "add", 0, world->stranger);
    g_autoptr (GBytes) bytes = changed (world, plain, "note", json_string (note), keypair, "signers", chain->netuid);
    g_autofree char *path = g_strdup_printf ("%s/%u.json", folder, i);
    write_file (path, bytes);
    sv_signers_statement_free (last);
    last = sv_signers_statement_open (bytes, chain, NULL);
    g_assert_nonnull (last);
  }
  return last;
}

static void
test_nobodys_end (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvSignersStatement) last = say_many (world, world->stranger, SV_SIGNERS_MAX_STATEMENTS, FALSE);
  say_so (world, world->operator, last, "add", 0, world->owner);
  accepts (reader);
  g_assert_cmpuint (n_remembered (world), ==, 0);
}

/* A stolen key signs on and on: what is beyond the limits is not seen, and what is within is no history once it is revoked. */
static void
check_stolen (guint n, gboolean is_large)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  set_trust (world, world->operator, ",", world->owner);
  g_autoptr (SvSignersStatement) last = say_many (world, world->owner, n, is_large);
  say_so (world, world->operator, last, "add", 0, world->owner);
  {
    g_autoptr (SvReader) reader = world_reader (world, world->config);
    accepts (reader);
    guint n_read = n_remembered (world);
    g_assert_cmpuint (n_read, <, n + 1);
    g_assert_cmpuint (n_read, >, n / 2);
    accepts (reader);
    g_assert_cmpuint (n_remembered (world), ==, n_read);
  }
  set_trust (world, world->operator, ",!", world->owner);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  say_so (world, world->operator, NULL, "add", 0, world->stranger);
  resign (world, world->stranger);
  accepts (reader);
  g_assert_cmpuint (n_remembered (world), ==, 1);
}

static void
test_stolen_end (void)
{
  check_stolen (SV_SIGNERS_MAX_STATEMENTS, FALSE);
}

static void
test_stolen_large_end (void)
{
  check_stolen (SV_SIGNERS_HISTORY_MAX_SIZE / SV_SIGNERS_MAX_SIZE + 20, TRUE);
}

/* The signer is revoked after the operator has signed on top: who is new reads on to that one. */
static void
test_stolen_before_operators (void)
{
  g_autoptr (World) world = world_new (0);
  publish_window (world);
  set_trust (world, world->operator, ",!", world->owner);
  g_autoptr (SvSignersStatement) last = say_many (world, world->owner, 60, TRUE);
  say_so (world, world->operator, last, "add", 0, world->stranger);
  resign (world, world->stranger);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  g_assert_cmpuint (n_remembered (world), ==, 61);
}

static void
test_without_chain (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  publish_window (world);
  say_so (world, world->operator, NULL, "add", 50, world->stranger);
  resign (world, world->stranger);
  sv_config_set (world->config, "SCOREVISION_GENESIS", sv_chain_id (world->chain)->genesis);
  {
    g_autoptr (SvReader) online = world_reader (world, world->config);
    refuses (online, sv_keypair_address (world->stranger));
    g_autoptr (SvReader) offline = sv_reader_new (world->config, NULL, NULL, &error);
    g_assert_no_error (error);
    refuses (offline, sv_keypair_address (world->stranger));
    world_advance (world, 50);
    accepts (online);
  }
  g_autoptr (SvReader) offline = sv_reader_new (world->config, NULL, NULL, &error);
  g_assert_no_error (error);
  accepts (offline);
}

/* Another process of the home has come further, or has seen another history. */
static void
test_shared_memory (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autoptr (SvSigners) signers = sv_signers_load (world->config, world->chain, FALSE, &error);
  const SvSignerRoots *roots = sv_signers_roots (signers);
  const SvChainId *id = sv_chain_id (world->chain);
  g_autoptr (SvSignersStatement) first = sign (world, world->operator, NULL, "add", 0, world->stranger);
  g_autoptr (SvSignersStatement) second = sign (world, world->operator, first, "add", 0, world->owner);
  g_autoptr (SvSignersStatement) other = sign (world, world->operator, NULL, "add", 0, world->owner);
  g_autoptr (GPtrArray) both = g_ptr_array_new ();
  g_autoptr (GPtrArray) one = g_ptr_array_new ();
  g_autoptr (GPtrArray) fork = g_ptr_array_new ();
  g_ptr_array_add (both, first);
  g_ptr_array_add (both, second);
  g_ptr_array_add (one, first);
  g_ptr_array_add (fork, other);
  g_assert_true (sv_signers_memory_write (world->config, id, roots, both, &error));
  g_assert_true (sv_signers_memory_write (world->config, id, roots, one, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_remembered (world), ==, 2);
  g_assert_false (sv_signers_memory_write (world->config, id, roots, fork, &error));
  world_assert_error (&error, SV_ERROR_VERIFY, "equivocation");
  g_assert_cmpuint (n_remembered (world), ==, 2);
}

static void
test_damaged_memory (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  publish_window (world);
  say_so (world, world->operator, NULL, "add", 0, world->stranger);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  accepts (reader);
  const SvChainId *id = sv_chain_id (world->chain);
  g_autofree char *leaf = g_strdup_printf ("home/memory/%s-%u/signers.jsonl", id->genesis + 2, id->netuid);
  g_autofree char *path = world_path (world, leaf);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (sv_file_write (path, "{}\n", 3, 0600, &error));
  g_assert_null (sv_reader_new (world->config, world->chain, NULL, &error));
  world_assert_error (&error, SV_ERROR_MALFORMED, "damaged");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/statements/have no effect when wrong", test_wrong);
  g_test_add_func ("/statements/are heard from any mirror", test_hiding_mirror);
  g_test_add_func ("/statements/of two faces are an equivocation", test_two_faces);
  g_test_add_func ("/statements/of another history are an equivocation", test_other_history);
  g_test_add_func ("/statements/behind an exchanged one accuse nobody", test_exchanged);
  g_test_add_func ("/statements/cannot be taken back", test_taken_back);
  g_test_add_func ("/statements/give way once nobody vouches for them", test_gives_way);
  g_test_add_func ("/statements/may begin before the setting", test_later_setting);
  g_test_add_func ("/statements/end where nobody's are too many", test_nobodys_end);
  g_test_add_func ("/statements/end where a stolen key's are too many", test_stolen_end);
  g_test_add_func ("/statements/end where a stolen key's are too large", test_stolen_large_end);
  g_test_add_func ("/statements/of a revoked key lead to the operator's", test_stolen_before_operators);
  g_test_add_func ("/statements/are judged at the last final block without a chain", test_without_chain);
  g_test_add_func ("/statements/are shared by processes", test_shared_memory);
  g_test_add_func ("/statements/are missed when the memory is damaged", test_damaged_memory);
  return g_test_run ();
}
