/* Copying a store:
 *  - everything is there afterwards and sound, clips only when asked for; the same again copies nothing
 *  - what is missing or of another size is copied again; what is damaged and as long as before only with verify
 *  - one name of a manifest is enough; a manifest that is gone altogether holds the index back, and the rest is copied; so do
 *    a damaged archive and a broken chain of statements
 *  - a statement that the target has with other content ends it; after a rotation the retired one's index is replaced
 *  - damaged clips and shards are left out, and the index is written
 *  - the target's index: older, the same, newer, another of the same sequence, a stranger's, another chain's, garbage, one
 *    of a version of tomorrow
 *  - from a public address: what the index names; what it refuses to give could not be read, and is not damaged
 *  - a source whose index is none that a reader takes; an empty one; one that only runners write to; one store twice
 */
#include "base/error.h"
#include "base/hash.h"
#include "store_lab.h"

typedef struct
{
  gboolean with_private;
  gboolean verify;
} Flags;

static SvObjectStore *
open_store (Lab *lab, const char *leaf)
{
  GError *error = NULL;
  g_autofree char *path = world_path (lab->world, leaf);
  g_autofree char *url = g_strconcat ("file:", path, NULL);
  SvObjectStore *store = sv_object_store_open (url, lab->world->config, &error);
  g_assert_no_error (error);
  return store;
}

static SvMirrorReport *
try_mirror (Lab *lab, SvObjectStore *from, SvObjectStore *to, Flags flags, GError **error)
{
  SvMirrorOptions options = { .with_private = flags.with_private, .verify = flags.verify };
  return sv_store_mirror (lab->world->config, lab->world->chain, from, to, &options, error);
}

static SvMirrorReport *
mirror (Lab *lab, SvObjectStore *to, Flags flags)
{
  GError *error = NULL;
  SvMirrorReport *report = try_mirror (lab, lab->world->store, to, flags, &error);
  g_assert_no_error (error);
  return report;
}

static gboolean
has (SvObjectStore *store, const char *key)
{
  return sv_object_store_head (store, key, NULL, NULL);
}

static void
write_to (SvObjectStore *store, const char *key, GBytes *bytes)
{
  GError *error = NULL;
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  g_autofree char *etag = sv_object_store_put (store, key, bytes, &options, &error);
  g_assert_no_error (error);
  g_assert_nonnull (etag);
}

static void
write_text (SvObjectStore *store, const char *key, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  write_to (store, key, bytes);
}

static void
assert_same (SvObjectStore *a, SvObjectStore *b, const char *key)
{
  g_autoptr (GBytes) of_a = lab_read (a, key);
  g_autoptr (GBytes) of_b = lab_read (b, key);
  g_assert_true (g_bytes_equal (of_a, of_b));
}

static void
assert_sound (Lab *lab, SvObjectStore *store)
{
  GError *error = NULL;
  SvStoreCheckOptions options = { .without_clips = TRUE };
  g_autoptr (SvStoreCheck) check = sv_store_check_new (lab->world->config, lab->world->chain, store, &options, &error);
  g_assert_no_error (error);
  gboolean done = sv_store_check_run (check, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  g_assert_cmpuint (lab_left (check), ==, 0);
}

static void
test_all (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvObjectStore) to = open_store (lab, "to");
  g_autoptr (SvMirrorReport) first = mirror (lab, to, (Flags){ 0 });
  g_assert_cmpuint (first->copied, ==, 6 + 1 + 3 + 1 + 1); /* manifests, archive, statements, shard, index */
  g_assert_cmpuint (first->present, ==, 0);
  g_assert_cmpuint (first->n_private, ==, 1);
  g_assert_cmpint (first->index, ==, SV_MIRRORED_WRITTEN);
  g_assert_true (first->is_listed);
  g_assert_false (has (to, lab->clip_key));
  assert_sound (lab, to);

  g_autoptr (SvMirrorReport) again = mirror (lab, to, (Flags){ 0 });
  g_assert_cmpuint (again->copied, ==, 0);
  g_assert_cmpuint (again->present, ==, 12);
  g_assert_cmpint (again->index, ==, SV_MIRRORED_SAME);

  g_autoptr (SvMirrorReport) private = mirror (lab, to, (Flags){ .with_private = TRUE });
  g_assert_cmpuint (private->copied, ==, 1);
  assert_same (lab->world->store, to, lab->clip_key);
  assert_sound (lab, to);
}

static void
test_repeated (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvObjectStore) to = lab_copy (lab, "to");
  g_autofree char *live = lab_key (lab->live);
  g_autofree char *superseded = lab_key_prefixed (lab->superseded);
  g_autoptr (GBytes) shard = g_bytes_new_static ("{\"a\":3}\n", 8); /* as long as the right one */
  lab_delete (to, live);
  write_text (to, superseded, "cut sh");
  write_to (to, lab->shard_key, shard);
  g_autoptr (SvMirrorReport) measured = mirror (lab, to, (Flags){ 0 });
  g_assert_cmpuint (measured->copied, ==, 2);
  assert_same (lab->world->store, to, live);
  assert_same (lab->world->store, to, superseded);
  g_autoptr (GBytes) kept = lab_read (to, lab->shard_key);
  g_assert_true (g_bytes_equal (kept, shard));
  g_autoptr (SvMirrorReport) verified = mirror (lab, to, (Flags){ .verify = TRUE });
  g_assert_cmpuint (verified->copied, ==, 1);
  assert_same (lab->world->store, to, lab->shard_key);
}

static const SvMirrorFault *
find_fault (const SvMirrorReport *report, const char *key)
{
  for (guint i = 0; i < report->faults->len; i++)
  {
    const SvMirrorFault *fault = report->faults->pdata[i];
    if (g_str_equal (fault->key, key))
      return fault;
  }
  g_error ("no fault is told of %s", key);
}

static void
test_one_name (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvObjectStore) to = open_store (lab, "to");
  g_autofree char *live = lab_key (lab->live);
  g_autofree char *superseded = lab_key_prefixed (lab->superseded);
  lab_remove (lab, live);
  lab_append (lab, superseded);
  g_autoptr (SvMirrorReport) report = mirror (lab, to, (Flags){ 0 });
  g_assert_cmpuint (report->faults->len, ==, 0);
  g_assert_cmpint (report->index, ==, SV_MIRRORED_WRITTEN);
  g_assert_true (has (to, live));
  assert_sound (lab, to);
}

static void
assert_held_back (Lab *lab, const char *key)
{
  g_autoptr (SvObjectStore) to = open_store (lab, "to");
  g_autoptr (SvMirrorReport) report = mirror (lab, to, (Flags){ 0 });
  g_assert_cmpuint (strlen (find_fault (report, key)->what), >, 0);
  g_assert_cmpuint (report->faults->len, ==, 1);
  g_assert_cmpint (report->index, ==, SV_MIRRORED_HELD_BACK);
  g_assert_false (has (to, SV_INDEX_KEY));
  g_assert_true (has (to, lab->shard_key));
}

static void
test_lost_manifest (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_autofree char *live = lab_key (lab->live);
  g_autofree char *prefixed = lab_key_prefixed (lab->live);
  lab_append (lab, live);
  lab_remove (lab, prefixed);
  assert_held_back (lab, live);
}

static void
test_lost_archive (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_autofree char *key = g_strdup_printf ("scorevision/archive/%s.json", sv_hash_hex (lab->archive));
  lab_append (lab, key);
  assert_held_back (lab, key);
}

static void
test_lost_statement (void)
{
  g_autoptr (Lab) lab = lab_new ();
  lab_remove (lab, "scorevision/signers/2.json");
  assert_held_back (lab, "scorevision/signers/2.json");
}

static void
test_broken_statements (void)
{
  g_autoptr (Lab) lab = lab_new ();
  lab_append (lab, "scorevision/signers/1.json");
  assert_held_back (lab, "scorevision/signers/1.json");
}

static void
test_forked_statements (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_free (lab_put_statement (lab, 3, lab->live, lab->world->stranger)); /* a hash, but none of a statement */
  assert_held_back (lab, "scorevision/signers/3.json");
}

static void
go_on (SvIndex *index)
{
  index->sequence++;
}

/* The copy has the index of the one who has retired since; a stranger's would stay. */
static void
test_rotation (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  World *world = lab->world;
  g_autoptr (SvObjectStore) to = lab_copy (lab, "to");
  {
    g_autoptr (SvPublisher) old = world_publisher (world, world->config, world->operator);
    lab_change_signer (old, TRUE, world->stranger);
    g_autoptr (SvPublisher) new = world_publisher (world, world->config, world->stranger);
    lab_change_signer (new, FALSE, world->operator);
  }
  g_autoptr (SvMirrorReport) report = mirror (lab, to, (Flags){ 0 });
  g_assert_cmpint (report->index, ==, SV_MIRRORED_WRITTEN);
  g_assert_cmpuint (report->copied, ==, 2 + 1); /* statements, index */
  assert_sound (lab, to);

  world_resign_index (world, world->owner, go_on);
  g_autoptr (GBytes) foreign = world_index_bytes (world);
  g_autoptr (GBytes) ours = lab_read (to, SV_INDEX_KEY);
  world_set_index_bytes (world, ours);
  write_to (to, SV_INDEX_KEY, foreign);
  g_assert_null (try_mirror (lab, world->store, to, (Flags){ 0 }, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "who is not trusted here");
}

/* A number is a name, so the target's own statement under it is another history. */
static void
test_other_statements (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvObjectStore) to = lab_copy (lab, "to");
  g_free (lab_put_statement (lab, 3, NULL, lab->world->stranger));
  g_autoptr (GBytes) other = lab_read (lab->world->store, "scorevision/signers/3.json");
  g_autoptr (GBytes) ours = lab_read (to, "scorevision/signers/3.json");
  write_to (to, "scorevision/signers/3.json", other);
  write_to (lab->world->store, "scorevision/signers/3.json", ours);
  g_autoptr (SvMirrorReport) report = try_mirror (lab, lab->world->store, to, (Flags){ 0 }, &error);
  g_assert_null (report);
  world_assert_error (&error, SV_ERROR_CONFLICT, "is another statement than in file:");
  g_autoptr (GBytes) kept = lab_read (to, "scorevision/signers/3.json");
  g_assert_true (g_bytes_equal (kept, other));
}

static void
test_left_out (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvObjectStore) to = open_store (lab, "to");
  lab_append (lab, lab->clip_key);
  lab_append (lab, lab->shard_key);
  lab_write (lab, "scorevision/notes.txt", "nobody's");
  lab_write (lab, "private/probe/x", "a probe's");
  g_autoptr (SvMirrorReport) report = mirror (lab, to, (Flags){ .with_private = TRUE });
  g_assert_cmpuint (report->faults->len, ==, 2);
  find_fault (report, lab->clip_key);
  find_fault (report, lab->shard_key);
  g_assert_cmpuint (report->n_others, ==, 2);
  g_assert_cmpint (report->index, ==, SV_MIRRORED_WRITTEN);
  g_assert_false (has (to, lab->clip_key));
  g_assert_false (has (to, "scorevision/notes.txt"));
  assert_sound (lab, to);
}

/* ── the target's index ── */

static void
go_back (SvIndex *index)
{
  index->sequence--;
}

static void
go_forward (SvIndex *index)
{
  index->sequence++;
}

static void
update (SvIndex *index)
{
  g_free (index->updated_at);
  index->updated_at = g_strdup ("2025-10-23T00:00:00Z");
}

/* @to gets the source's index as it is after @change. */
static void
give_index (Lab *lab, SvObjectStore *to, const SvKeypair *keypair, void (*change) (SvIndex *index))
{
  g_autoptr (GBytes) ours = world_index_bytes (lab->world);
  world_resign_index (lab->world, keypair, change);
  g_autoptr (GBytes) other = world_index_bytes (lab->world);
  write_to (to, SV_INDEX_KEY, other);
  world_set_index_bytes (lab->world, ours);
}

static void
assert_refused (Lab *lab, SvObjectStore *to, SvErrorCode code, const char *part)
{
  GError *error = NULL;
  g_autofree char *live = lab_key (lab->live);
  g_autoptr (GBytes) before = lab_read (to, SV_INDEX_KEY);
  g_autoptr (SvMirrorReport) report = try_mirror (lab, lab->world->store, to, (Flags){ 0 }, &error);
  g_assert_null (report);
  world_assert_error (&error, code, part);
  g_autoptr (GBytes) after = lab_read (to, SV_INDEX_KEY);
  g_assert_true (g_bytes_equal (before, after));
  g_assert_false (has (to, live));
}

static void
test_target_index (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (Lab) other = lab_new (); /* of another chain */
  World *world = lab->world;
  g_autoptr (SvObjectStore) to = open_store (lab, "to");
  give_index (lab, to, world->operator, go_forward);
  assert_refused (lab, to, SV_ERROR_POLICY, "has the index of sequence 5, which is newer than that of file:");
  give_index (lab, to, world->operator, update);
  assert_refused (lab, to, SV_ERROR_VERIFY, "equivocation");
  give_index (lab, to, world->stranger, go_back);
  assert_refused (lab, to, SV_ERROR_POLICY, "not trusted here");
  g_autoptr (GBytes) foreign = world_index_bytes (other->world);
  write_to (to, SV_INDEX_KEY, foreign);
  assert_refused (lab, to, SV_ERROR_POLICY, "of another chain or subnet");
  assert_refused (lab, to, SV_ERROR_POLICY, "check --netuid, --chain");

  write_text (to, SV_INDEX_KEY, "{\"version\":\"2.0\",\"sequence\":1,\"signature\":\"of tomorrow\"}");
  assert_refused (lab, to, SV_ERROR_POLICY, "nothing was copied: scorevision/index.json in file:");

  write_text (to, SV_INDEX_KEY, "{\"version\":");
  g_autoptr (SvMirrorReport) over_garbage = mirror (lab, to, (Flags){ 0 });
  g_assert_cmpint (over_garbage->index, ==, SV_MIRRORED_WRITTEN);
  assert_same (world->store, to, SV_INDEX_KEY);
  give_index (lab, to, world->operator, go_back);
  g_autoptr (SvMirrorReport) over_older = mirror (lab, to, (Flags){ 0 });
  g_assert_cmpint (over_older->index, ==, SV_MIRRORED_WRITTEN);
  assert_same (world->store, to, SV_INDEX_KEY);
}

/* ── sources ── */

static void
test_public_source (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvObjectStore) copy = lab_copy (lab, "public");
  FolderServer *server = lab_serve (lab, "public");
  g_autoptr (SvObjectStore) from = sv_object_store_open (folder_server_url (server), lab->world->config, &error);
  g_assert_no_error (error);
  g_autoptr (SvObjectStore) to = open_store (lab, "to");
  g_autoptr (SvMirrorReport) report = try_mirror (lab, from, to, (Flags){ .with_private = TRUE }, &error);
  g_assert_no_error (error);
  g_assert_false (report->is_listed);
  g_assert_cmpuint (report->faults->len, ==, 0);
  g_assert_cmpuint (report->copied, ==, 6 + 1 + 3 + 1); /* neither shard nor clip */
  assert_sound (lab, to);
  g_autoptr (SvMirrorReport) again = try_mirror (lab, from, to, (Flags){ 0 }, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (again->copied, ==, 0);

  lab_delete (copy, SV_INDEX_KEY);
  g_autoptr (SvMirrorReport) none = try_mirror (lab, from, to, (Flags){ 0 }, &error);
  g_assert_null (none);
  world_assert_error (&error, SV_ERROR_VERIFY, "nothing was copied: freeze: the index is gone");
  g_autoptr (SvMirrorReport) back = try_mirror (lab, to, from, (Flags){ 0 }, &error);
  g_assert_null (back);
  world_assert_error (&error, SV_ERROR_POLICY, "can only be read");
  folder_server_free (server);
}

static void
test_busy_source (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvObjectStore) copy = lab_copy (lab, "public");
  g_assert_nonnull (copy);
  FolderServer *server = lab_serve (lab, "public");
  g_autoptr (SvObjectStore) from = sv_object_store_open (folder_server_url (server), lab->world->config, &error);
  g_assert_no_error (error);
  g_autoptr (SvObjectStore) to = open_store (lab, "to");
  folder_server_refuse (server, "/scorevision/signers/2.json");
  g_autoptr (SvMirrorReport) report = try_mirror (lab, from, to, (Flags){ 0 }, &error);
  g_assert_no_error (error);
  g_assert_cmpint (report->index, ==, SV_MIRRORED_HELD_BACK);
  g_assert_cmpuint (report->faults->len, ==, 1);
  g_assert_cmpuint (sv_mirror_report_n_unreachable (report), ==, 1);
  folder_server_refuse (server, NULL);
  g_autoptr (SvMirrorReport) again = try_mirror (lab, from, to, (Flags){ 0 }, &error);
  g_assert_no_error (error);
  g_assert_cmpint (again->index, ==, SV_MIRRORED_WRITTEN);
  folder_server_free (server);
}

static void
test_bad_sources (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvObjectStore) to = open_store (lab, "to");
  g_autoptr (SvObjectStore) empty = open_store (lab, "empty");
  g_autoptr (SvMirrorReport) of_empty = try_mirror (lab, empty, to, (Flags){ 0 }, &error);
  g_assert_null (of_empty);
  world_assert_error (&error, SV_ERROR_NOT_FOUND, "there is nothing in file:");
  g_autoptr (SvObjectStore) same = open_store (lab, "store");
  g_autoptr (SvMirrorReport) of_itself = try_mirror (lab, same, lab->world->store, (Flags){ 0 }, &error);
  g_assert_null (of_itself);
  world_assert_error (&error, SV_ERROR_USAGE, "to itself");
  lab_append (lab, SV_INDEX_KEY);
  g_autoptr (SvMirrorReport) of_damaged = try_mirror (lab, lab->world->store, to, (Flags){ 0 }, &error);
  g_assert_null (of_damaged);
  world_assert_error (&error, SV_ERROR_MALFORMED, "nothing was copied: ");
  g_assert_false (has (to, lab->shard_key));
}

static void
test_results_source (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvObjectStore) results = open_store (lab, "results");
  g_autoptr (SvObjectStore) to = open_store (lab, "to");
  g_autoptr (GBytes) shard = lab_read (lab->world->store, lab->shard_key);
  write_to (results, lab->shard_key, shard);
  g_autoptr (SvMirrorReport) report = try_mirror (lab, results, to, (Flags){ 0 }, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (report->copied, ==, 1);
  g_assert_cmpint (report->index, ==, SV_MIRRORED_NO_INDEX);
  assert_same (results, to, lab->shard_key);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store-mirror/all", test_all);
  g_test_add_func ("/store-mirror/repeated", test_repeated);
  g_test_add_func ("/store-mirror/one-name", test_one_name);
  g_test_add_func ("/store-mirror/lost-manifest", test_lost_manifest);
  g_test_add_func ("/store-mirror/lost-archive", test_lost_archive);
  g_test_add_func ("/store-mirror/lost-statement", test_lost_statement);
  g_test_add_func ("/store-mirror/broken-statements", test_broken_statements);
  g_test_add_func ("/store-mirror/forked-statements", test_forked_statements);
  g_test_add_func ("/store-mirror/other-statements", test_other_statements);
  g_test_add_func ("/store-mirror/rotation", test_rotation);
  g_test_add_func ("/store-mirror/left-out", test_left_out);
  g_test_add_func ("/store-mirror/target-index", test_target_index);
  g_test_add_func ("/store-mirror/public-source", test_public_source);
  g_test_add_func ("/store-mirror/busy-source", test_busy_source);
  g_test_add_func ("/store-mirror/bad-sources", test_bad_sources);
  g_test_add_func ("/store-mirror/results-source", test_results_source);
  return g_test_run ();
}
