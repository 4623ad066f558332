/* Damage and repair of a store:
 *  - each thing that can be damaged: the fault is told by its key, and where the content still is somewhere it is repaired
 *    from there, and the store is sound afterwards; where it is not, that is told, and nothing is changed
 *  - an index is brought back only if no newer one is known, and never over one that somebody has signed
 *  - of two signed histories of signers neither is touched
 *  - an index that somebody else puts right meanwhile stays
 *  - everything at once, from a mirror; nothing of the index without a chain
 */
#include "base/error.h"
#include "base/hash.h"
#include "store_lab.h"

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
  g_free (lose_second_name (lab));
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
  lab_remove (lab, SV_INDEX_KEY);
  return g_strdup (SV_INDEX_KEY);
}

static char *
damage_index (Lab *lab)
{
  lab_append (lab, SV_INDEX_KEY);
  return g_strdup (SV_INDEX_KEY);
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
  return g_strdup (SV_INDEX_KEY);
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
  return g_strdup (SV_INDEX_KEY);
}

static char *
sign_low_index_by_stranger (Lab *lab)
{
  world_resign_index (lab->world, lab->world->stranger, go_back);
  return g_strdup (SV_INDEX_KEY);
}

static char *
write_index_of_tomorrow (Lab *lab)
{
  lab_write (lab, SV_INDEX_KEY, "{\"version\":\"2.0\",\"sequence\":1,\"signature\":\"of tomorrow\"}");
  return g_strdup (SV_INDEX_KEY);
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
  g_autoptr (GBytes) bytes = lab_read (lab->world->store, "scorevision/signers/1.json");
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  char *digit = strstr (text, "\"from_block\":0") + strlen ("\"from_block\":");
  *digit = '7';
  lab_write (lab, "scorevision/signers/1.json", text);
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
  g_free (lab_put_statement (lab, 1, NULL, lab->world->stranger));
  return g_strdup ("scorevision/signers/1.json");
}

static char *
lose_last_statement (Lab *lab)
{
  lab_remove (lab, "scorevision/signers/3.json");
  return g_strdup ("scorevision/signers/3.json");
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
  { "index-of-tomorrow", write_index_of_tomorrow, "not canonical", NULL },
  { "index-anchored-above", lose_index_that_is_old, "missing: the index of sequence 9", NULL },
  { "entry-contradicts", contradict_manifest, "differ in start_block", NULL },
  { "clip-damaged", damage_clip, "damaged", NULL, .has_mirror = TRUE },
  { "shard-damaged", damage_shard, "damaged", NULL },
  { "shard-cut", cut_shard, "its line is cut short", NULL },
  { "statement-missing", lose_statement, "missing: the statements from 2 to 2", "this home's memory" },
  { "statement-missing-cold", lose_statement, "missing: the statements from 2 to 2", NULL, .is_cold = TRUE },
  { "statement-missing-cold-mirror", lose_statement, "a later one is", "http://", .is_cold = TRUE, .has_mirror = TRUE },
  { "statements-missing", lose_first_statements, "missing: the statements from 1 to 2", "this home's memory" },
  { "statements-missing-cold-mirror", lose_first_statements, "from 1 to 2", "http://", .is_cold = TRUE, .has_mirror = TRUE },
  { "statement-damaged", damage_statement, "statement", "this home's memory" },
  { "statement-damaged-cold-mirror", damage_statement, "statement", "http://", .is_cold = TRUE, .has_mirror = TRUE },
  { "statement-exchanged", exchange_statement, "not the signature of", "this home's memory" },
  { "statement-of-another-history", fork_statements, "than the one that this home knows", NULL, .has_mirror = TRUE },
  { "statement-of-another-history-cold", fork_statements, "is not the one that the next", NULL, .is_cold = TRUE },
  { "last-statement-missing", lose_last_statement, "and this home knows them", "this home's memory" },
  { "last-statement-damaged", damage_last_statement, "statement", "this home's memory" },
  { "last-statement-damaged-cold", damage_last_statement, "statement", NULL, .is_cold = TRUE, .has_mirror = TRUE },
  { "statement-misnumbered", misnumber_statement, "its field n is not the number", "this home's memory" },
};

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
  if (!one->is_cold)
    sv_store_check_free (lab_check (lab, config));
  g_autoptr (SvObjectStore) copy = lab_copy (lab, "copy/scorevision-copy");
  lab_delete (copy, lab->clip_key); /* the copy is public below */
  FolderServer *server = one->has_mirror ? lab_serve (lab, "copy/scorevision-copy") : NULL;
  if (server != NULL)
    sv_config_set (config, "R2_PUBLIC_URL", folder_server_url (server));

  g_autofree char *key = one->damage (lab);
  g_autoptr (GBytes) before = lab_has (lab, key) ? lab_read (lab->world->store, key) : NULL;
  g_autoptr (SvStoreCheck) check = lab_check (lab, config);
  lab_assert_told (check, key, one->what);
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
  sv_store_check_free (lab_check (lab, NULL));
  lab_remove (lab, SV_INDEX_KEY);
  SvStoreCheckOptions options = { .without_clips = TRUE };
  g_autoptr (SvStoreCheck) check = sv_store_check_new (world->config, NULL, world->store, &options, &error);
  g_assert_no_error (error);
  gboolean done = sv_store_check_run (check, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  lab_repair (check);
  const SvStoreFault *fault = lab_fault (check, SV_INDEX_KEY);
  g_assert_null (fault->repaired_from);
  g_assert_nonnull (strstr (fault->advice, "the chain cannot be asked"));
  g_assert_false (lab_has (lab, SV_INDEX_KEY));
}

/* No reader would take what a retired signer has signed, so it is not brought back. */
static void
test_retired (void)
{
  g_autoptr (Lab) lab = lab_new ();
  World *world = lab->world;
  g_autoptr (SvConfig) config = world_config (world, "another-home");
  sv_store_check_free (lab_check (lab, config));
  {
    g_autoptr (SvPublisher) old = world_publisher (world, world->config, world->operator);
    lab_change_signer (old, TRUE, world->stranger);
    g_autoptr (SvPublisher) new = world_publisher (world, world->config, world->stranger);
    lab_change_signer (new, FALSE, world->operator);
  }
  lab_remove (lab, SV_INDEX_KEY);
  g_autoptr (SvStoreCheck) check = lab_check (lab, config);
  lab_assert_told (check, SV_INDEX_KEY, "missing: the index of sequence 4");
  lab_repair (check);
  const SvStoreFault *fault = lab_fault (check, SV_INDEX_KEY);
  g_assert_null (fault->repaired_from);
  g_assert_nonnull (strstr (fault->advice, "--rebuild-index"));
  g_assert_false (lab_has (lab, SV_INDEX_KEY));
}

typedef struct
{
  Lab *lab;
  GBytes *newer;
} Meanwhile;

static void
publish_meanwhile (guint64 objects, guint64 bytes, const char *key, gpointer data)
{
  const Meanwhile *meanwhile = data;
  if (g_str_equal (key, SV_INDEX_KEY) && !lab_has (meanwhile->lab, key))
    world_set_index_bytes (meanwhile->lab->world, meanwhile->newer);
}

static void
test_repaired_meanwhile (void)
{
  GError *error = NULL;
  g_autoptr (Lab) lab = lab_new ();
  World *world = lab->world;
  sv_store_check_free (lab_check (lab, NULL));
  world_resign_index (world, world->operator, go_forward);
  g_autoptr (GBytes) newer = world_index_bytes (world);
  lab_remove (lab, SV_INDEX_KEY);
  Meanwhile meanwhile = { lab, newer };
  SvStoreCheckOptions options = { .without_clips = TRUE, .progress = publish_meanwhile, .data = &meanwhile };
  g_autoptr (SvStoreCheck) check = sv_store_check_new (world->config, world->chain, world->store, &options, &error);
  g_assert_no_error (error);
  gboolean done = sv_store_check_run (check, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  lab_assert_told (check, SV_INDEX_KEY, "missing");
  lab_repair (check);
  g_assert_cmpuint (lab_left (check), ==, 0);
  g_autoptr (GBytes) now = world_index_bytes (world);
  g_assert_true (g_bytes_equal (now, newer));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autofree char *path = g_strconcat ("/store-repair/damage/", cases[i].name, NULL);
    g_test_add_data_func (path, &cases[i], test_damage);
  }
  g_test_add_func ("/store-repair/all-at-once", test_all_at_once);
  g_test_add_func ("/store-repair/meanwhile", test_repaired_meanwhile);
  g_test_add_func ("/store-repair/no-chain", test_no_chain);
  g_test_add_func ("/store-repair/retired", test_retired);
  return g_test_run ();
}
