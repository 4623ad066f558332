/* Checking a store:
 *  - a sound one; orphans, a pending anchor, names that are nobody's, statements without effect: notes, no
 *    faults
 *  - what the public sees: the same index, one that caches may have, an old one, another one, a clip
 *  - what a probe left behind is removed by a repair only
 *  - clips that live manifests name and the store has lost, until their windows are over
 *  - more of everything than is kept: counted and told
 *  - an empty store; one that only runners write to
 */
#include "base/error.h"
#include "base/hash.h"
#include "base/rfc3339.h"
#include "store_lab.h"

static void
test_sound (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvStoreCheck) check = lab_check (lab, NULL);
  const SvStoreReport *report = sv_store_check_report (check);
  g_assert_cmpuint (report->faults->len, ==, 0);
  g_assert_cmpuint (report->tallies[SV_STORE_INDEX].objects, ==, 1);
  g_assert_cmpuint (report->tallies[SV_STORE_MANIFEST].objects, ==, 6);
  g_assert_cmpuint (report->tallies[SV_STORE_ARCHIVE].objects, ==, 1);
  g_assert_cmpuint (report->tallies[SV_STORE_SIGNERS].objects, ==, 3);
  g_assert_cmpuint (report->tallies[SV_STORE_CLIP].objects, ==, 1);
  g_assert_cmpuint (report->tallies[SV_STORE_SHARD].objects, ==, 1);
  g_assert_cmpuint (report->tallies[SV_STORE_OTHER].objects, ==, 0);
  g_assert_cmpuint (report->sequence, ==, 4);
  g_assert_cmpuint (report->orphans, ==, 0);
  g_assert_cmpuint (sv_store_check_n_remedies (check), ==, 0);
  g_assert_true (lab_has_note (check, "is not anchored on the chain (pending)"));
}

/* An anchor that was just made needs nobody to do anything. */
static void
test_anchor_on_its_way (void)
{
  g_autoptr (Lab) lab = lab_new_on (5);
  g_autofree char *text = g_strdup_printf ("sv1 manifest %s 4", lab->live);
  world_commit (lab->world, lab->world->operator, text);
  g_autofree char *note =
      g_strdup_printf ("its anchor is in block %" G_GUINT64_FORMAT ", not final yet", world_head (lab->world).best.number);
  g_autoptr (SvStoreCheck) early = lab_check (lab, NULL);
  g_assert_true (lab_has_note (early, note));
  g_assert_false (lab_has_note (early, "publish it again"));
  world_advance (lab->world, 20);
  g_autoptr (SvStoreCheck) late = lab_check (lab, NULL);
  g_assert_false (lab_has_note (late, "anchor"));
}

static void
test_notes (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_autofree char *orphan = sv_hash_bytes ("{}", 2);
  g_autofree char *key = lab_key (orphan);
  lab_write (lab, key, "{}"); /* whatever it is: nobody asks for it */
  lab_write (lab, "scorevision/manifests/readme.txt", "hello");
  lab_write (lab, "scorevision/signers/0.json", "{}");
  g_autoptr (SvStoreCheck) check = lab_check (lab, NULL);
  g_assert_cmpuint (lab_left (check), ==, 0);
  g_assert_cmpuint (sv_store_check_report (check)->orphans, ==, 1);
  g_assert_true (lab_has_note (check, "1 object that no index names"));
  g_assert_true (lab_has_note (check, "scorevision/manifests/readme.txt"));
  g_assert_true (lab_has_note (check, "scorevision/signers/0.json"));
  lab_repair (check);
  g_assert_true (lab_has (lab, key));
  g_assert_true (lab_has (lab, "scorevision/manifests/readme.txt"));
}

static void
test_statement_without_effect (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (GBytes) third = lab_read (lab->world->store, "scorevision/signers/3.json");
  g_autofree char *hash = sv_hash_gbytes (third);
  g_free (lab_put_statement (lab, 4, hash, lab->world->stranger));
  g_autoptr (SvStoreCheck) check = lab_check (lab, NULL);
  g_assert_cmpuint (lab_left (check), ==, 0);
  g_assert_true (lab_has_note (check, "1 statement on signers is without effect after number 3"));
}

/* ── the public side ── */

typedef struct
{
  Lab *lab;
  SvObjectStore *copy;
  FolderServer *server;
  SvConfig *config;
  char *index_at;
} Outside;

static void
outside_init (Outside *outside)
{
  outside->lab = lab_new ();
  outside->copy = lab_copy (outside->lab, "public");
  lab_delete (outside->copy, outside->lab->clip_key);
  outside->server = lab_serve (outside->lab, "public");
  outside->config = world_config (outside->lab->world, "home");
  sv_config_set (outside->config, "R2_PUBLIC_URL", folder_server_url (outside->server));
  outside->index_at = g_strconcat (folder_server_url (outside->server), "/" SV_INDEX_KEY, NULL);
}

static void
outside_clear (Outside *outside)
{
  sv_object_store_free (outside->copy);
  folder_server_free (outside->server);
  sv_config_free (outside->config);
  lab_free (outside->lab);
  g_free (outside->index_at);
}

static void
test_public_same (void)
{
  Outside outside;
  outside_init (&outside);
  g_autoptr (SvStoreCheck) check = lab_check (outside.lab, outside.config);
  g_assert_cmpuint (lab_left (check), ==, 0);
  g_assert_true (lab_has_note (check, "shows the same index, of sequence 4"));
  outside_clear (&outside);
}

/* Caches still have the index of the one who has retired. */
static void
test_public_rotation (void)
{
  Outside outside;
  outside_init (&outside);
  World *world = outside.lab->world;
  {
    g_autoptr (SvPublisher) old = world_publisher (world, world->config, world->operator);
    lab_change_signer (old, TRUE, world->stranger);
    g_autoptr (SvPublisher) new = world_publisher (world, world->config, world->stranger);
    lab_change_signer (new, FALSE, world->operator);
  }
  g_autoptr (SvStoreCheck) check = lab_check (outside.lab, outside.config);
  g_assert_cmpuint (lab_left (check), ==, 0);
  g_assert_true (lab_has_note (check, "still shows the index of sequence 4"));
  outside_clear (&outside);
}

static void
update_now (SvIndex *index)
{
  index->sequence++;
  g_free (index->updated_at);
  index->updated_at = sv_time_format (sv_clock_ms ());
}

static void
update_long_ago (SvIndex *index)
{
  index->sequence++;
  g_free (index->updated_at);
  index->updated_at = g_strdup ("2025-10-23T00:00:00Z");
}

static void
test_public_older (void)
{
  Outside outside;
  outside_init (&outside);
  world_resign_index (outside.lab->world, outside.lab->world->operator, update_now);
  g_autoptr (SvStoreCheck) fresh = lab_check (outside.lab, outside.config);
  g_assert_cmpuint (lab_left (fresh), ==, 0);
  g_assert_true (lab_has_note (fresh, "still shows the index of sequence 4"));
  world_resign_index (outside.lab->world, outside.lab->world->operator, update_long_ago);
  g_autoptr (SvStoreCheck) stale = lab_check (outside.lab, outside.config);
  lab_assert_told (stale, outside.index_at, "shows the index of sequence 4; the store has had 6");
  outside_clear (&outside);
}

static void
go_forward (SvIndex *index)
{
  index->sequence += 10;
}

static void
put_index_outside (Outside *outside, GBytes *bytes)
{
  GError *error = NULL;
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  g_autofree char *etag = sv_object_store_put (outside->copy, SV_INDEX_KEY, bytes, &options, &error);
  g_assert_no_error (error);
  g_assert_nonnull (etag);
}

static void
test_public_other (void)
{
  Outside outside;
  outside_init (&outside);
  World *world = outside.lab->world;
  g_autoptr (GBytes) ours = world_index_bytes (world);
  world_resign_index (world, world->operator, go_forward);
  g_autoptr (GBytes) newer = world_index_bytes (world);
  world_resign_index (world, world->stranger, NULL);
  g_autoptr (GBytes) strange = world_index_bytes (world);
  world_set_index_bytes (world, ours);
  put_index_outside (&outside, newer);
  g_autoptr (SvStoreCheck) ahead = lab_check (outside.lab, outside.config);
  lab_assert_told (ahead, outside.index_at, "shows another index, of sequence 14; the store has that of 4");
  put_index_outside (&outside, strange);
  g_autoptr (SvStoreCheck) untrusted = lab_check (outside.lab, outside.config);
  lab_assert_told (untrusted, outside.index_at, "not a trusted signer");
  lab_delete (outside.copy, SV_INDEX_KEY);
  g_autoptr (SvStoreCheck) absent = lab_check (outside.lab, outside.config);
  lab_assert_told (absent, outside.index_at, "no such object");
  outside_clear (&outside);
}

static void
test_public_clip (void)
{
  GError *error = NULL;
  Outside outside;
  outside_init (&outside);
  g_autoptr (GBytes) clip = lab_read (outside.lab->world->store, outside.lab->clip_key);
  g_autofree char *at = g_strconcat (folder_server_url (outside.server), "/", outside.lab->clip_key, NULL);
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  g_autofree char *etag = sv_object_store_put (outside.copy, outside.lab->clip_key, clip, &options, &error);
  g_assert_no_error (error);
  g_assert_nonnull (etag);
  g_autoptr (SvStoreCheck) exposed = lab_check (outside.lab, outside.config);
  lab_assert_told (exposed, at, "a challenge clip can be read by everybody");
  g_assert_cmpuint (sv_store_check_n_remedies (exposed), ==, 0);

  g_autoptr (GBytes) page = g_bytes_new_static ("please log in", 13);
  g_autofree char *page_etag = sv_object_store_put (outside.copy, outside.lab->clip_key, page, &options, &error);
  g_assert_no_error (error);
  g_assert_nonnull (page_etag);
  g_autoptr (SvStoreCheck) hidden = lab_check (outside.lab, outside.config);
  g_assert_cmpuint (lab_left (hidden), ==, 0);
  outside_clear (&outside);
}

static void
test_public_gone (void)
{
  guint n_unreachable;
  Outside outside;
  outside_init (&outside);
  g_autofree char *url = g_strconcat (folder_server_url (outside.server), "/status/503/", NULL);
  sv_config_set (outside.config, "R2_PUBLIC_URL", url);
  g_autoptr (SvStoreCheck) check = lab_check (outside.lab, outside.config);
  g_assert_cmpuint (sv_store_report_left (sv_store_check_report (check), &n_unreachable), ==, 1);
  g_assert_cmpuint (n_unreachable, ==, 1);
  g_assert_true (lab_has_note (check, "whether clips are private"));
  outside_clear (&outside);
}

/* ── the rest ── */

static void
test_probes (void)
{
  g_autoptr (Lab) lab = lab_new ();
  lab_write (lab, "private/probe/0123456789abcdef", "x");
  g_autoptr (SvStoreCheck) check = lab_check (lab, NULL);
  g_assert_cmpuint (lab_left (check), ==, 0);
  g_assert_true (lab_has_note (check, "left behind by a probe"));
  g_assert_true (lab_has (lab, "private/probe/0123456789abcdef"));
  g_assert_cmpuint (sv_store_check_n_remedies (check), ==, 1);
  lab_repair (check);
  g_assert_false (lab_has (lab, "private/probe/0123456789abcdef"));
  g_assert_cmpuint (sv_store_check_report (check)->tallies[SV_STORE_PROBE].repaired, ==, 1);
  g_assert_false (lab_has_note (check, "left behind by a probe"));
}

/* The sample's manifests name two clips, which lie nowhere. */
static void
test_lost_clips (void)
{
  g_autoptr (Lab) lab = lab_new ();
  lab->counts_clips = TRUE;
  g_autoptr (SvStoreCheck) check = lab_check (lab, NULL);
  g_assert_cmpuint (lab_left (check), ==, 2);
  g_assert_cmpuint (sv_store_check_report (check)->tallies[SV_STORE_CLIP].faults, ==, 2);
  g_assert_cmpuint (sv_store_check_n_remedies (check), ==, 0);
  g_autofree char *hex = g_strnfill (64, 'a');
  g_autofree char *key = g_strconcat ("private/clips/", hex, NULL);
  lab_assert_told (check, key, "missing: the manifest of window w1 names it");
  lab_repair (check);
  g_assert_cmpuint (lab_left (check), ==, 2);
}

/* What is over nobody draws from. */
static void
test_lost_clips_of_the_past (void)
{
  g_autoptr (Lab) lab = lab_new ();
  lab->counts_clips = TRUE;
  world_advance (lab->world, 1000);
  g_autoptr (SvStoreCheck) check = lab_check (lab, NULL);
  g_assert_cmpuint (lab_left (check), ==, 0);
}

static void
test_empty (void)
{
  GError *error = NULL;
  g_autoptr (World) world = world_new (0);
  SvStoreCheckOptions options = { .without_clips = TRUE };
  g_autoptr (SvStoreCheck) check = sv_store_check_new (world->config, world->chain, world->store, &options, &error);
  g_assert_no_error (error);
  g_assert_false (sv_store_check_run (check, &error));
  world_assert_error (&error, SV_ERROR_NOT_FOUND, "there is nothing in store file:");
}

/* Its home knows an index, which is elsewhere. */
static void
test_results_store (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  sv_store_check_free (lab_check (lab, NULL));
  g_autofree char *path = world_path (lab->world, "results");
  g_autofree char *url = g_strconcat ("file:", path, NULL);
  g_autoptr (SvObjectStore) results = sv_object_store_open (url, lab->world->config, &error);
  g_autoptr (GBytes) shard = lab_read (lab->world->store, lab->shard_key);
  SvPutOptions put = { .condition = SV_PUT_ALWAYS };
  g_autofree char *etag = sv_object_store_put (results, lab->shard_key, shard, &put, &error);
  g_assert_no_error (error);
  g_assert_nonnull (etag);
  SvStoreCheckOptions options = { .without_clips = TRUE };
  g_autoptr (SvStoreCheck) check = sv_store_check_new (lab->world->config, lab->world->chain, results, &options, &error);
  g_assert_no_error (error);
  g_assert_true (sv_store_check_run (check, &error));
  g_assert_cmpuint (lab_left (check), ==, 0);
  g_assert_true (lab_has_note (check, "as in a store that runners write to"));
}

/* A publisher that was killed before its first index has left manifests. */
static void
test_never_published (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (World) world = world_new (0);
  g_autofree char *key = lab_key (lab->live);
  g_autoptr (GBytes) bytes = lab_read (lab->world->store, key);
  world_set_object (world, key, bytes);
  SvStoreCheckOptions options = { .without_clips = TRUE };
  g_autoptr (SvStoreCheck) check = sv_store_check_new (world->config, world->chain, world->store, &options, &error);
  g_assert_no_error (error);
  g_assert_true (sv_store_check_run (check, &error));
  g_assert_cmpuint (lab_left (check), ==, 0);
  g_assert_true (lab_has_note (check, "nothing has been published"));
}

/* Everything that is kept by name, more of it than is kept: the rest is counted, and what is sound is no fault for all that. */
static void
test_more_than_kept (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  World *world = lab->world;
  SvStoreCheckOptions options = { .max_kept = 3, .without_clips = TRUE };
  g_autoptr (SvStoreCheck) sound = sv_store_check_new (world->config, world->chain, world->store, &options, &error);
  g_assert_no_error (error);
  gboolean is_read = sv_store_check_run (sound, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  g_assert_cmpuint (lab_left (sound), ==, 0);

  char *const hashes[] = { lab->live, lab->superseded, lab->archived };
  for (guint i = 0; i < 5; i++)
  {
    g_autofree char *probe = g_strdup_printf ("private/probe/%u", i);
    lab_write (lab, probe, "x");
    g_autofree char *key = i % 2 == 0 ? lab_key (hashes[i / 2]) : lab_key_prefixed (hashes[i / 2]);
    lab_append (lab, key);
  }
  g_autoptr (SvStoreCheck) check = sv_store_check_new (world->config, world->chain, world->store, &options, &error);
  g_assert_no_error (error);
  is_read = sv_store_check_run (check, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  const SvStoreReport *report = sv_store_check_report (check);
  g_assert_cmpuint (report->faults->len, ==, 3);
  g_assert_cmpuint (report->tallies[SV_STORE_MANIFEST].faults, ==, 5);
  g_assert_cmpuint (lab_left (check), ==, 5);
  g_assert_true (lab_has_note (check, "2 faults or more are not listed"));
  g_assert_true (lab_has_note (check, "5 left behind by a probe"));
  lab_repair (check);
  g_assert_cmpuint (report->tallies[SV_STORE_PROBE].repaired, ==, 3);
  g_assert_true (lab_has_note (check, "2 left behind by a probe"));
  g_assert_true (lab_has (lab, "private/probe/4"));
  g_assert_cmpuint (lab_left (check), >=, 2);
}

/* None of those that are there is judged by what lies between them. */
static void
test_too_many_statements (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  World *world = lab->world;
  g_free (lab_put_statement (lab, 9, lab->live, world->operator));
  SvStoreCheckOptions options = { .max_kept = 3, .without_clips = TRUE };
  g_autoptr (SvStoreCheck) check = sv_store_check_new (world->config, world->chain, world->store, &options, &error);
  g_assert_no_error (error);
  gboolean is_read = sv_store_check_run (check, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  lab_assert_told (check, "scorevision/signers/", "more statements on signers than can be true");
  g_assert_cmpuint (lab_left (check), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store-check/sound", test_sound);
  g_test_add_func ("/store-check/anchor-on-its-way", test_anchor_on_its_way);
  g_test_add_func ("/store-check/notes", test_notes);
  g_test_add_func ("/store-check/statement-without-effect", test_statement_without_effect);
  g_test_add_func ("/store-check/public/same", test_public_same);
  g_test_add_func ("/store-check/public-rotation", test_public_rotation);
  g_test_add_func ("/store-check/public/older", test_public_older);
  g_test_add_func ("/store-check/public/other", test_public_other);
  g_test_add_func ("/store-check/public/clip", test_public_clip);
  g_test_add_func ("/store-check/public/gone", test_public_gone);
  g_test_add_func ("/store-check/probes", test_probes);
  g_test_add_func ("/store-check/lost-clips", test_lost_clips);
  g_test_add_func ("/store-check/lost-clips/of-the-past", test_lost_clips_of_the_past);
  g_test_add_func ("/store-check/more-than-kept", test_more_than_kept);
  g_test_add_func ("/store-check/too-many-statements", test_too_many_statements);
  g_test_add_func ("/store-check/empty", test_empty);
  g_test_add_func ("/store-check/results-store", test_results_store);
  g_test_add_func ("/store-check/never-published", test_never_published);
  return g_test_run ();
}
