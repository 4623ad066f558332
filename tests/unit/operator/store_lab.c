#include "store_lab.h"

#include "base/hash.h"
#include "base/rfc3339.h"
#include "operator/clip_inventory.h"
#include "operator/signers_publish.h"

static char *archive_hash; /* for take_first(), which has no data */

static void
put (Lab *lab, const char *key, GBytes *bytes)
{
  world_set_object (lab->world, key, bytes);
}

static GBytes *
bytes_of (const char *text)
{
  return g_bytes_new (text, strlen (text));
}

/* ── the archive ── */

static void
take_first (SvIndex *index)
{
  g_ptr_array_remove_index (index->entries, 0);
  g_free (index->archive);
  index->archive = g_strdup (archive_hash);
  index->sequence++;
}

/* The first live entry goes into an archive, as a publisher does it long after its window. */
static void
archive_first (Lab *lab)
{
  GError *error = NULL;
  g_autoptr (GBytes) index = world_index_bytes (lab->world);
  g_autoptr (json_t) json =
      sv_json_parse ("index", g_bytes_get_data (index, NULL), g_bytes_get_size (index), SV_INDEX_MAX_SIZE, &error);
  g_assert_no_error (error);
  json_t *entry = json_array_get (json_object_get (json, "manifests"), 0);
  g_autoptr (json_t) archive =
      json_pack ("{s:s,s:[O],s:[],s:n}", "version", SV_INDEX_VERSION, "manifests", entry, "superseded", "previous");
  g_autoptr (GBytes) bytes = sv_json_canonical (archive, &error);
  g_assert_no_error (error);
  lab->archive = sv_hash_gbytes (bytes);
  archive_hash = lab->archive;
  g_autofree char *key = g_strdup_printf ("scorevision/archive/%s.json", sv_hash_hex (lab->archive));
  put (lab, key, bytes);
  world_resign_index (lab->world, lab->world->operator, take_first);
}

/* ── statements, clip, shard ── */

char *
lab_put_statement (Lab *lab, guint n, const char *previous, const SvKeypair *keypair)
{
  GError *error = NULL;
  g_autofree char *key = g_strdup_printf ("scorevision/signers/%u.json", n);
  g_autoptr (SvKeypair) added = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autofree char *account = g_strconcat ("ss58:", sv_keypair_address (added), NULL);
  g_autoptr (json_t) content = json_pack ("{s:f,s:s?,s:[{s:s,s:f}],s:[]}", "n", (double)n, "previous", previous, "add",
                                          "account", account, "from_block", 0.0, "retire");
  g_autoptr (SvSignedDocument) document =
      sv_signed_document_create (content, "signers", sv_chain_id (lab->world->chain), keypair, sv_clock_ms (), &error);
  g_assert_no_error (error);
  put (lab, key, document->bytes);
  return g_strdup (document->hash);
}

void
lab_change_signer (SvPublisher *publisher, gboolean is_addition, const SvKeypair *named)
{
  GError *error = NULL;
  const SvSignerRequest request = { .is_addition = is_addition, .account = sv_keypair_address (named) };
  g_autoptr (SvSignerPublication) publication = sv_publish_signer (publisher, &request, &error);
  g_assert_no_error (error);
  g_assert_nonnull (publication);
}

static void
put_clip_and_shard (Lab *lab)
{
  g_autoptr (GBytes) clip = bytes_of ("what a clip is does not matter here");
  g_autofree char *clip_hash = sv_hash_gbytes (clip);
  lab->clip_key = sv_clip_key (clip_hash);
  put (lab, lab->clip_key, clip);
  g_autoptr (GBytes) shard = bytes_of ("{\"a\":1}\n");
  g_autofree char *shard_hash = sv_hash_bytes ("{\"a\":1}", strlen ("{\"a\":1}"));
  lab->shard_key = g_strdup_printf ("scorevision/shards/w1/%s/12-%s.jsonl", sv_keypair_address (lab->world->stranger),
                                    sv_hash_hex (shard_hash));
  put (lab, lab->shard_key, shard);
}

Lab *
lab_new (void)
{
  return lab_new_on (0);
}

Lab *
lab_new_on (guint64 finality)
{
  Lab *lab = g_new0 (Lab, 1);
  lab->world = world_new (finality);
  lab->archived = world_publish (lab->world, "w0", 0, 10, "1", FALSE);
  lab->superseded = world_publish (lab->world, "w1", 10, 1000, "1", FALSE);
  lab->live = world_publish (lab->world, "w1", 10, 1000, "2", TRUE);
  archive_first (lab);
  g_autofree char *first = lab_put_statement (lab, 1, NULL, lab->world->operator);
  g_autofree char *second = lab_put_statement (lab, 2, first, lab->world->operator);
  g_free (lab_put_statement (lab, 3, second, lab->world->operator));
  put_clip_and_shard (lab);
  return lab;
}

void
lab_free (Lab *lab)
{
  world_free (lab->world);
  char *const texts[] = { lab->live, lab->superseded, lab->archived, lab->archive, lab->clip_key, lab->shard_key };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_free (lab);
}

/* ── objects ── */

char *
lab_key (const char *hash)
{
  return g_strdup_printf ("scorevision/manifests/%s.json", sv_hash_hex (hash));
}

char *
lab_key_prefixed (const char *hash)
{
  return g_strdup_printf ("scorevision/manifests/%s.json", hash);
}

GBytes *
lab_read (SvObjectStore *store, const char *key)
{
  GError *error = NULL;
  SvGetOptions options = { .max_size = SV_INDEX_MAX_SIZE };
  g_autoptr (SvObject) object = sv_object_store_get (store, key, &options, NULL, &error);
  g_assert_no_error (error);
  return g_bytes_ref (object->bytes);
}

void
lab_delete (SvObjectStore *store, const char *key)
{
  GError *error = NULL;
  gboolean done = sv_object_store_delete (store, key, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

void
lab_append (Lab *lab, const char *key)
{
  g_autoptr (GBytes) bytes = lab_read (lab->world->store, key);
  g_autoptr (GByteArray) more = g_bytes_unref_to_array (g_bytes_ref (bytes));
  g_byte_array_append (more, (const guint8 *)"x", 1);
  g_autoptr (GBytes) now = g_bytes_new (more->data, more->len);
  put (lab, key, now);
}

void
lab_truncate (Lab *lab, const char *key)
{
  g_autoptr (GBytes) bytes = lab_read (lab->world->store, key);
  g_autoptr (GBytes) now = g_bytes_new_from_bytes (bytes, 0, g_bytes_get_size (bytes) - 1);
  put (lab, key, now);
}

void
lab_write (Lab *lab, const char *key, const char *text)
{
  g_autoptr (GBytes) bytes = bytes_of (text);
  put (lab, key, bytes);
}

void
lab_remove (Lab *lab, const char *key)
{
  world_remove_object (lab->world, key);
}

gboolean
lab_has (Lab *lab, const char *key)
{
  return sv_object_store_head (lab->world->store, key, NULL, NULL);
}

/* ── checking ── */

SvStoreCheck *
lab_check (Lab *lab, const SvConfig *config)
{
  GError *error = NULL;
  World *world = lab->world;
  SvStoreCheckOptions options = { .without_clips = !lab->counts_clips };
  SvStoreCheck *check =
      sv_store_check_new (config != NULL ? config : world->config, world->chain, world->store, &options, &error);
  g_assert_no_error (error);
  gboolean done = sv_store_check_run (check, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  return check;
}

void
lab_repair (SvStoreCheck *check)
{
  GError *error = NULL;
  gboolean done = sv_store_check_repair (check, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

const SvStoreFault *
lab_fault (SvStoreCheck *check, const char *key)
{
  const SvStoreReport *report = sv_store_check_report (check);
  for (guint i = 0; i < report->faults->len; i++)
  {
    const SvStoreFault *fault = report->faults->pdata[i];
    if (g_str_equal (fault->key, key))
      return fault;
  }
  return NULL;
}

void
lab_assert_told (SvStoreCheck *check, const char *key, const char *what)
{
  const SvStoreFault *fault = lab_fault (check, key);
  if (fault == NULL || strstr (fault->what, what) == NULL)
    g_error ("%s: expected the fault \"%s\", got \"%s\"", key, what, fault != NULL ? fault->what : "none");
}

guint
lab_left (SvStoreCheck *check)
{
  guint n_unreachable;
  return sv_store_report_left (sv_store_check_report (check), &n_unreachable);
}

gboolean
lab_has_note (SvStoreCheck *check, const char *part)
{
  const SvStoreReport *report = sv_store_check_report (check);
  for (guint i = 0; i < report->notes->len; i++)
    if (strstr (report->notes->pdata[i], part) != NULL)
      return TRUE;
  return FALSE;
}

/* ── copies ── */

SvObjectStore *
lab_copy (Lab *lab, const char *leaf)
{
  GError *error = NULL;
  World *world = lab->world;
  g_autofree char *path = world_path (world, leaf);
  g_autofree char *url = g_strconcat ("file:", path, NULL);
  SvObjectStore *copy = sv_object_store_open (url, world->config, &error);
  g_assert_no_error (error);
  SvMirrorOptions options = { .with_private = TRUE };
  g_autoptr (SvConfig) config = world_config (world, "copying-home");
  g_autoptr (SvMirrorReport) report = sv_store_mirror (config, world->chain, world->store, copy, &options, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (report->faults->len, ==, 0);
  return copy;
}

FolderServer *
lab_serve (Lab *lab, const char *leaf)
{
  g_autofree char *path = world_path (lab->world, leaf);
  return folder_server_new (path);
}
