/* Checking a store:
 *  - a sound one; orphans, a pending anchor, names that are nobody's: notes, no faults
 *  - each thing that can be damaged: the fault is told by its key, and where the content still is somewhere it is repaired
 *    from there, and the store is sound afterwards; where it is not, that is told, and nothing is changed
 *  - an index is brought back only if no newer one is known, and never over one that somebody has signed
 *  - what the public sees: the same index, one that caches may have, an old one, another one, a clip
 *  - what a probe left behind is removed by a repair only
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

/* ── damage ── */

typedef struct
{
  const char *name;
  char *(*damage) (Lab *lab); /* returns the key that must be told */
  const char *what;           /* part of what is said of it */
  const char *source;         /* part of where it is repaired from; NULL: it cannot be */
  gboolean is_cold;           /* by a home that has seen nothing */
  gboolean has_mirror;
} Case;

static char *
lose_second_name (Lab *lab)
{
  char *key = lab_key_prefixed (lab->live);
  lab_remove (lab, key);
  return key;
}

static char *
damage_first_name (Lab *lab)
{
  char *key = lab_key (lab->live);
  lab_append (lab, key);
  return key;
}

static char *
empty_superseded (Lab *lab)
{
  char *key = lab_key (lab->superseded);
  lab_write (lab, key, "");
  return key;
}

static char *
lose_both_names (Lab *lab)
{
  g_autofree char *second = lose_second_name (lab);
  char *key = lab_key (lab->live);
  lab_remove (lab, key);
  return key;
}

static char *
damage_both_names (Lab *lab)
{
  g_autofree char *second = lab_key_prefixed (lab->live);
  lab_truncate (lab, second);
  return damage_first_name (lab);
}

static char *
lose_archived_manifest (Lab *lab)
{
  char *key = lab_key (lab->archived);
  g_autofree char *second = lab_key_prefixed (lab->archived);
  lab_remove (lab, key);
  lab_remove (lab, second);
  return key;
}

static char *
archive_key (Lab *lab)
{
  return g_strdup_printf ("scorevision/archive/%s.json", sv_hash_hex (lab->archive));
}

static char *
lose_archive (Lab *lab)
{
  char *key = archive_key (lab);
  lab_remove (lab, key);
  return key;
}

static char *
damage_archive (Lab *lab)
{
  char *key = archive_key (lab);
  lab_append (lab, key);
  return key;
}

static char *
lose_index (Lab *lab)
{
  lab_remove (lab, SV_INDEX_OBJECT);
  return g_strdup (SV_INDEX_OBJECT);
}

static char *
damage_index (Lab *lab)
{
  lab_append (lab, SV_INDEX_OBJECT);
  return g_strdup (SV_INDEX_OBJECT);
}

static void
go_back (SvIndex *index)
{
  index->sequence--;
}

static char *
roll_index_back (Lab *lab)
{
  world_resign_index (lab->world, lab->world->operator, go_back);
  return g_strdup (SV_INDEX_OBJECT);
}

static void
go_forward (SvIndex *index)
{
  index->sequence += 10;
}

static char *
sign_index_by_stranger (Lab *lab)
{
  world_resign_index (lab->world, lab->world->stranger, go_forward);
  return g_strdup (SV_INDEX_OBJECT);
}

static char *
sign_low_index_by_stranger (Lab *lab)
{
  world_resign_index (lab->world, lab->world->stranger, go_back);
  return g_strdup (SV_INDEX_OBJECT);
}

static char *
lose_index_that_is_old (Lab *lab)
{
  g_autofree char *text = g_strdup_printf ("sv1 manifest %s 9", lab->live);
  world_commit (lab->world, lab->world->operator, text);
  return lose_index (lab);
}

static void
change_entry (SvIndex *index)
{
  SvIndexEntry *entry = g_ptr_array_index (index->entries, 0);
  entry->start_block++;
  index->sequence++;
}

static char *
contradict_manifest (Lab *lab)
{
  world_resign_index (lab->world, lab->world->operator, change_entry);
  return lab_key (lab->live);
}

static char *
damage_clip (Lab *lab)
{
  lab_append (lab, lab->clip_key);
  return g_strdup (lab->clip_key);
}

static char *
damage_shard (Lab *lab)
{
  lab_write (lab, lab->shard_key, "{\"a\":2}\n");
  return g_strdup (lab->shard_key);
}

static char *
cut_shard (Lab *lab)
{
  lab_truncate (lab, lab->shard_key);
  return g_strdup (lab->shard_key);
}

static char *
lose_statement (Lab *lab)
{
  lab_remove (lab, "scorevision/signers/2.json");
  return g_strdup ("scorevision/signers/2.json");
}

static char *
lose_first_statements (Lab *lab)
{
  lab_remove (lab, "scorevision/signers/1.json");
  return lose_statement (lab);
}

static char *
damage_statement (Lab *lab)
{
  lab_append (lab, "scorevision/signers/2.json");
  return g_strdup ("scorevision/signers/2.json");
}

static char *
exchange_statement (Lab *lab)
{
  lab_write (lab, "scorevision/signers/1.json", "{\"n\":1,\"previous\":null}");
  return g_strdup ("scorevision/signers/1.json");
}

static char *
misnumber_statement (Lab *lab)
{
  g_autoptr (GBytes) bytes = lab_read (lab->world->store, "scorevision/signers/1.json");
  world_set_object (lab->world, "scorevision/signers/2.json", bytes);
  return g_strdup ("scorevision/signers/2.json");
}

static char *
fork_statements (Lab *lab)
{
  g_free (lab_put_statement (lab, 1, NULL));
  return g_strdup ("scorevision/signers/1.json");
}

static char *
damage_last_statement (Lab *lab)
{
  lab_truncate (lab, "scorevision/signers/3.json");
  return g_strdup ("scorevision/signers/3.json");
}

static const Case cases[] = {
  { "second-name-missing", lose_second_name, "missing: the index names it for window w1", "its other name" },
  { "first-name-damaged", damage_first_name, "damaged: its content hashes to", "its other name" },
  { "superseded-emptied", empty_superseded, "damaged: its content hashes to", "its other name" },
  { "both-names-missing", lose_both_names, "missing", "this home's cache" },
  { "both-names-damaged", damage_both_names, "damaged", "this home's cache" },
  { "both-names-damaged-mirror", damage_both_names, "damaged", "http://", .is_cold = TRUE, .has_mirror = TRUE },
  { "both-names-lost-for-good", lose_both_names, "missing", NULL, .is_cold = TRUE },
  { "archived-manifest-missing", lose_archived_manifest, "missing", "http://", .has_mirror = TRUE },
  { "archive-missing", lose_archive, "missing: it holds entries", "http://", .has_mirror = TRUE },
  { "archive-damaged", damage_archive, "damaged", "http://", .has_mirror = TRUE },
  { "index-missing", lose_index, "missing: the index of sequence 4", "this home's memory" },
  { "index-missing-mirror", lose_index, "missing: the index of sequence 4", "http://", .has_mirror = TRUE },
  { "index-damaged", damage_index, "end of file expected", "this home's memory" },
  { "index-damaged-cold", damage_index, "end of file expected", NULL, .is_cold = TRUE },
  { "index-damaged-cold-mirror", damage_index, "end of file expected", "http://", .is_cold = TRUE, .has_mirror = TRUE },
  { "index-rolled-back", roll_index_back, "rollback", "this home's memory" },
  { "index-by-stranger", sign_index_by_stranger, "not a trusted signer", NULL },
  { "index-by-stranger-low", sign_low_index_by_stranger, "not a trusted signer", "this home's memory" },
  { "index-anchored-above", lose_index_that_is_old, "missing: the index of sequence 9", NULL },
  { "entry-contradicts", contradict_manifest, "differ in start_block", NULL },
  { "clip-damaged", damage_clip, "damaged", NULL, .has_mirror = TRUE },
  { "shard-damaged", damage_shard, "damaged", NULL },
  { "shard-cut", cut_shard, "its line is cut short", NULL },
  { "statement-missing", lose_statement, "missing: the statements from 2 to 2", "http://", .has_mirror = TRUE },
  { "statement-missing-for-good", lose_statement, "missing: the statements from 2 to 2", NULL },
  { "statements-missing", lose_first_statements, "missing: the statements from 1 to 2", "http://", .has_mirror = TRUE },
  { "statement-damaged", damage_statement, "statement", "http://", .has_mirror = TRUE },
  { "statement-exchanged", exchange_statement, "its signature is wrong", "http://", .has_mirror = TRUE },
  { "statement-of-another-history", fork_statements, "is not the one that the next", NULL, .has_mirror = TRUE },
  { "last-statement-damaged", damage_last_statement, "statement", NULL, .has_mirror = TRUE },
  { "statement-misnumbered", misnumber_statement, "its field n is not the number", "http://", .has_mirror = TRUE },
};

static void
assert_told (SvStoreCheck *check, const char *key, const char *what)
{
  const SvStoreFault *fault = lab_fault (check, key);
  if (fault == NULL || strstr (fault->what, what) == NULL)
    g_error ("%s: expected the fault \"%s\", got \"%s\"", key, what, fault != NULL ? fault->what : "none");
}

/* What cannot be repaired stays as it is. */
static void
assert_left (Lab *lab, SvStoreCheck *check, const char *key, GBytes *before)
{
  const SvStoreFault *fault = lab_fault (check, key);
  g_autoptr (GBytes) after = lab_has (lab, key) ? lab_read (lab->world->store, key) : NULL;
  g_assert_null (fault->repaired_from);
  g_assert_cmpuint (strlen (fault->advice), >, 0);
  g_assert_true ((before == NULL) == (after == NULL));
  g_assert_true (before == NULL || g_bytes_equal (before, after));
}

/* A second look finds nothing left. */
static void
assert_repaired (Lab *lab, SvStoreCheck *check, const char *key, const char *source, const SvConfig *config)
{
  const SvStoreFault *fault = lab_fault (check, key);
  if (fault->repaired_from == NULL || strstr (fault->repaired_from, source) == NULL)
    g_error ("%s: expected to be repaired from %s, got %s (%s)", key, source, fault->repaired_from, fault->advice);
  g_assert_cmpuint (lab_left (check), ==, 0);
  g_autoptr (SvStoreCheck) again = lab_check (lab, config);
  g_assert_cmpuint (sv_store_check_report (again)->faults->len, ==, 0);
  for (int kind = 0; kind < SV_STORE_N_KINDS; kind++)
  {
    g_assert_cmpuint (sv_store_check_report (check)->tallies[kind].objects, ==,
                      sv_store_check_report (again)->tallies[kind].objects);
    g_assert_cmpuint (sv_store_check_report (check)->tallies[kind].bytes, ==,
                      sv_store_check_report (again)->tallies[kind].bytes);
  }
}

static void
test_damage (gconstpointer data)
{
  const Case *one = data;
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvConfig) config = world_config (lab->world, one->is_cold ? "cold-home" : "home");
  g_autoptr (SvStoreCheck) warm = one->is_cold ? NULL : lab_check (lab, config);
  g_autoptr (SvObjectStore) copy = lab_copy (lab, "copy/scorevision-copy");
  lab_delete (copy, lab->clip_key); /* the copy is public below */
  FolderServer *server = one->has_mirror ? lab_serve (lab, "copy/scorevision-copy") : NULL;
  if (server != NULL)
    sv_config_set (config, "R2_PUBLIC_URL", folder_server_url (server));

  g_autofree char *key = one->damage (lab);
  g_autoptr (GBytes) before = lab_has (lab, key) ? lab_read (lab->world->store, key) : NULL;
  g_autoptr (SvStoreCheck) check = lab_check (lab, config);
  assert_told (check, key, one->what);
  g_autoptr (GBytes) unchanged = lab_has (lab, key) ? lab_read (lab->world->store, key) : NULL;
  g_assert_true (before == NULL ? unchanged == NULL : g_bytes_equal (before, unchanged));
  lab_repair (check);
  if (one->source != NULL)
    assert_repaired (lab, check, key, one->source, config);
  else
    assert_left (lab, check, key, before);
  if (server != NULL)
    folder_server_free (server);
}

/* Everything at once, after which only the copy and the home's memory are left. */
static void
test_all_at_once (void)
{
  g_autoptr (Lab) lab = lab_new ();
  g_autoptr (SvConfig) config = world_config (lab->world, "cold-home");
  g_autoptr (SvObjectStore) copy = lab_copy (lab, "copy");
  lab_delete (copy, lab->clip_key);
  FolderServer *server = lab_serve (lab, "copy");
  sv_config_set (config, "R2_PUBLIC_URL", folder_server_url (server));
  char *(*const damages[]) (Lab *) = { damage_index, lose_both_names,  lose_archived_manifest,
                                       lose_archive, empty_superseded, lose_first_statements };
  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++)
    g_free (damages[i](lab));
  g_autoptr (SvStoreCheck) check = lab_check (lab, config);
  g_assert_cmpuint (lab_left (check), >, 0);
  lab_repair (check);
  g_assert_cmpuint (lab_left (check), ==, 0);
  g_autoptr (SvStoreCheck) again = lab_check (lab, config);
  g_assert_cmpuint (sv_store_check_report (again)->faults->len, ==, 0);
  folder_server_free (server);
}

/* Without the chain nobody can tell which index is the newest. */
static void
test_no_chain (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  World *world = lab->world;
  g_autoptr (SvStoreCheck) warm = lab_check (lab, NULL);
  lab_remove (lab, SV_INDEX_OBJECT);
  SvStoreCheckOptions options = { 0 };
  g_autoptr (SvStoreCheck) check = sv_store_check_new (world->config, NULL, world->store, &options, &error);
  g_assert_no_error (error);
  gboolean done = sv_store_check_run (check, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  lab_repair (check);
  const SvStoreFault *fault = lab_fault (check, SV_INDEX_OBJECT);
  g_assert_null (fault->repaired_from);
  g_assert_nonnull (strstr (fault->advice, "the chain cannot be asked"));
  g_assert_false (lab_has (lab, SV_INDEX_OBJECT));
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
  outside->index_at = g_strconcat (folder_server_url (outside->server), "/" SV_INDEX_OBJECT, NULL);
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
  assert_told (stale, outside.index_at, "shows the index of sequence 4; the store has had 6");
  outside_clear (&outside);
}

static void
put_index_outside (Outside *outside, GBytes *bytes)
{
  GError *error = NULL;
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  g_autofree char *etag = sv_object_store_put (outside->copy, SV_INDEX_OBJECT, bytes, &options, &error);
  g_assert_no_error (error);
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
  assert_told (ahead, outside.index_at, "shows another index, of sequence 14; the store has that of 4");
  put_index_outside (&outside, strange);
  g_autoptr (SvStoreCheck) untrusted = lab_check (outside.lab, outside.config);
  assert_told (untrusted, outside.index_at, "not a trusted signer");
  lab_delete (outside.copy, SV_INDEX_OBJECT);
  g_autoptr (SvStoreCheck) absent = lab_check (outside.lab, outside.config);
  assert_told (absent, outside.index_at, "no such object");
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
  g_autoptr (SvStoreCheck) exposed = lab_check (outside.lab, outside.config);
  assert_told (exposed, at, "a challenge clip can be read by everybody");
  g_assert_cmpuint (sv_store_check_n_remedies (exposed), ==, 0);

  g_autoptr (GBytes) page = g_bytes_new_static ("please log in", 13);
  g_autofree char *page_etag = sv_object_store_put (outside.copy, outside.lab->clip_key, page, &options, &error);
  g_assert_no_error (error);
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

static void
test_empty (void)
{
  GError *error = NULL;
  g_autoptr (World) world = world_new (0);
  SvStoreCheckOptions options = { 0 };
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
  g_autoptr (SvStoreCheck) warm = lab_check (lab, NULL);
  g_autofree char *path = world_path (lab->world, "results");
  g_autofree char *url = g_strconcat ("file:", path, NULL);
  g_autoptr (SvObjectStore) results = sv_object_store_open (url, lab->world->config, &error);
  g_autoptr (GBytes) shard = lab_read (lab->world->store, lab->shard_key);
  SvPutOptions put = { .condition = SV_PUT_ALWAYS };
  g_autofree char *etag = sv_object_store_put (results, lab->shard_key, shard, &put, &error);
  SvStoreCheckOptions options = { 0 };
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
  SvStoreCheckOptions options = { 0 };
  g_autoptr (SvStoreCheck) check = sv_store_check_new (world->config, world->chain, world->store, &options, &error);
  g_assert_no_error (error);
  g_assert_true (sv_store_check_run (check, &error));
  g_assert_cmpuint (lab_left (check), ==, 0);
  g_assert_true (lab_has_note (check, "nothing has been published"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store-check/sound", test_sound);
  g_test_add_func ("/store-check/notes", test_notes);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autofree char *path = g_strconcat ("/store-check/damage/", cases[i].name, NULL);
    g_test_add_data_func (path, &cases[i], test_damage);
  }
  g_test_add_func ("/store-check/all-at-once", test_all_at_once);
  g_test_add_func ("/store-check/no-chain", test_no_chain);
  g_test_add_func ("/store-check/public/same", test_public_same);
  g_test_add_func ("/store-check/public/older", test_public_older);
  g_test_add_func ("/store-check/public/other", test_public_other);
  g_test_add_func ("/store-check/public/clip", test_public_clip);
  g_test_add_func ("/store-check/public/gone", test_public_gone);
  g_test_add_func ("/store-check/probes", test_probes);
  g_test_add_func ("/store-check/empty", test_empty);
  g_test_add_func ("/store-check/results-store", test_results_store);
  g_test_add_func ("/store-check/never-published", test_never_published);
  return g_test_run ();
}
