/* Manifest indexes from outside. What parses is signed here, since no mutated document has a valid signature; an index that
 * opens is asked at many blocks, and must survive being written and read again. */
#include "protocol/manifest_archive.h"
#include "protocol/window.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static const SvChainId chain = { .genesis = "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03",
                                 .netuid = 44 };

static void
ask (const SvIndex *index, const SvIndexEntry *entry, guint64 block)
{
  guint64 from;
  const SvIndexEntry *found = NULL;
  const SvIndexEntry *active = sv_window_active (index, block);
  g_autoptr (GPtrArray) upcoming = sv_window_all_upcoming (index, block);
  g_assert_true (sv_window_upcoming (index, block) == (upcoming->len > 0 ? upcoming->pdata[0] : NULL));
  g_assert_true (active == NULL || sv_entry_in_force (active, block));
  if (sv_entry_in_force (entry, block))
    g_assert_cmpint (sv_window_judge (index, entry->hash, block, &found), ==, SV_WINDOW_SERVES);
  g_assert_nonnull (sv_window_state_name (sv_window_state (index, entry, block)));
  (void)sv_window_is_over (index, entry->window_id, block);
  (void)sv_window_follow_from (index, block, &from);
}

static void
ask_at_each_edge (const SvIndex *index, const GPtrArray *entries)
{
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (entries, i);
    const guint64 edges[] = { entry->start_block, entry->active_from, entry->expiry_block, entry->superseded_at_block };
    for (guint k = 0; k < G_N_ELEMENTS (edges); k++)
      ask (index, entry, edges[k]);
    g_assert_nonnull (sv_index_find_hash (index, entry->hash));
  }
}

static void
write_and_read_again (const SvIndex *index, const SvKeypair *keypair)
{
  g_autoptr (SvSignedDocument) document = sv_index_sign (index, keypair, 0, NULL);
  g_assert_nonnull (document);
  g_autoptr (SvIndex) again = sv_index_open (document->bytes, &chain, NULL, NULL, NULL);
  g_assert_nonnull (again);
  g_assert_cmpuint (again->entries->len, ==, index->entries->len);
  g_assert_cmpuint (again->superseded->len, ==, index->superseded->len);
}

/* What may stand in an index may stand in an archive. */
static void
archive_all (SvIndex *index)
{
  guint n_live = index->entries->len, n_superseded = index->superseded->len;
  g_autofree char *before = g_strdup (index->archive);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = sv_index_take_archivable (index, G_MAXUINT64, NULL, &error);
  g_assert_no_error (error);
  if (bytes == NULL)
  {
    g_assert_cmpuint (n_live + n_superseded, ==, 0);
    return;
  }
  g_autoptr (SvIndex) archive = sv_archive_open (bytes, index->archive, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (archive->entries->len, ==, n_live);
  g_assert_cmpuint (archive->superseded->len, ==, n_superseded);
  g_assert_cmpstr (archive->archive, ==, before);
  g_assert_cmpuint (index->entries->len + index->superseded->len, ==, 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static const guint8 seed[32] = { 1 };
  g_autoptr (json_t) json = sv_json_parse ("fuzz", data, size, SV_INDEX_MAX_SIZE, NULL);
  if (json == NULL)
    return 0;
  g_autoptr (SvFaults) faults = sv_faults_new ();
  sv_index_check (json, faults);
  if (!json_is_object (json))
    return 0;
  g_autoptr (SvKeypair) keypair = sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
  g_autoptr (SvSignedDocument) document = sv_signed_document_create (json, "index", &chain, keypair, 0, NULL);
  g_autoptr (SvIndex) index = document != NULL ? sv_index_open (document->bytes, &chain, NULL, NULL, NULL) : NULL;
  if (index == NULL)
    return 0;
  ask_at_each_edge (index, index->entries);
  ask_at_each_edge (index, index->superseded);
  write_and_read_again (index, keypair);
  archive_all (index);
  return 0;
}
