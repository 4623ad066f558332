/* Records and segments. A segment is to the history what a page is to a book: written once, then only read, so that any number
 * of pictures on any number of threads share it without locks. */
#include "bindings/record.h"

#include <string.h>

#include "base/text_hash.h"

/* ── records ── */

static char *
committed_window (const char *text)
{
  if (!sv_text_is_ours (text))
    return NULL;
  g_autoptr (SvCommitmentText) parsed = sv_commitment_text_parse (text, strlen (text), NULL);
  return parsed && !parsed->is_withdrawal ? g_strdup (parsed->window_id) : NULL;
}

SvRecord *
sv_record_new (guint64 block, guint index, const char *hash, const char *signer, const char *text, gboolean succeeded)
{
  SvRecord *record = g_atomic_rc_box_new0 (SvRecord);
  record->block = block;
  record->index = index;
  record->succeeded = succeeded;
  g_strlcpy (record->hash, hash, sizeof record->hash);
  record->signer = g_strdup (signer);
  record->text = g_strdup (text);
  record->proof = sv_proof_format (block, hash);
  record->window_id = succeeded ? committed_window (text) : NULL;
  return record;
}

static void
clear_record (gpointer data)
{
  SvRecord *record = data;
  g_free (record->signer);
  g_free (record->text);
  g_free (record->proof);
  g_free (record->window_id);
}

void
sv_record_unref (SvRecord *record)
{
  g_atomic_rc_box_release_full (record, clear_record);
}

static guint
hash_place (gconstpointer data)
{
  const SvRecord *record = data;
  return sv_text_hash (record->hash) ^ (guint)record->block;
}

static gboolean
equal_place (gconstpointer a, gconstpointer b)
{
  const SvRecord *left = a, *right = b;
  return left->block == right->block && strcmp (left->hash, right->hash) == 0;
}

SvStoredCommitment *
sv_record_to_stored (const SvRecord *record)
{
  SvStoredCommitment *row = g_new0 (SvStoredCommitment, 1);
  row->block = record->block;
  row->index = record->index;
  row->succeeded = record->succeeded;
  g_strlcpy (row->hash, record->hash, sizeof row->hash);
  row->signer = g_strdup (record->signer);
  row->text = g_strdup (record->text);
  return row;
}

/* ── segments ── */

struct SvSegment
{
  GPtrArray *records;    /* owns references; the tables borrow from it */
  GHashTable *by_place;  /* set of SvRecord */
  GHashTable *by_signer; /* signer -> GPtrArray of SvRecord */
  GHashTable *by_window; /* window_id -> set of signers */
};

static void
index_record (SvSegment *segment, SvRecord *record)
{
  g_hash_table_add (segment->by_place, record);
  GPtrArray *own = g_hash_table_lookup (segment->by_signer, record->signer);
  if (!own)
  {
    own = g_ptr_array_new ();
    g_hash_table_insert (segment->by_signer, record->signer, own);
  }
  g_ptr_array_add (own, record);
  if (!record->window_id)
    return;
  GHashTable *signers = g_hash_table_lookup (segment->by_window, record->window_id);
  if (!signers)
  {
    signers = g_hash_table_new (sv_text_hash, g_str_equal);
    g_hash_table_insert (segment->by_window, record->window_id, signers);
  }
  g_hash_table_add (signers, record->signer);
}

static SvSegment *
new_empty (void)
{
  SvSegment *segment = g_atomic_rc_box_new0 (SvSegment);
  segment->records = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_record_unref);
  segment->by_place = g_hash_table_new (hash_place, equal_place);
  segment->by_signer = g_hash_table_new_full (sv_text_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
  segment->by_window = g_hash_table_new_full (sv_text_hash, g_str_equal, NULL, (GDestroyNotify)g_hash_table_unref);
  return segment;
}

static void
add (SvSegment *segment, SvRecord *record)
{
  g_ptr_array_add (segment->records, g_atomic_rc_box_acquire (record));
  index_record (segment, record);
}

SvSegment *
sv_segment_new (const GPtrArray *records, guint first, guint end)
{
  SvSegment *segment = new_empty ();
  for (guint i = first; i < end; i++)
    add (segment, records->pdata[i]);
  return segment;
}

static void
add_all (SvSegment *segment, const SvSegment *source, guint64 from_block)
{
  for (guint i = 0; i < source->records->len; i++)
  {
    SvRecord *record = source->records->pdata[i];
    if (record->block >= from_block)
      add (segment, record);
  }
}

SvSegment *
sv_segment_merge (const SvSegment *a, const SvSegment *b, guint64 from_block)
{
  SvSegment *segment = new_empty ();
  add_all (segment, a, from_block);
  add_all (segment, b, from_block);
  return segment;
}

SvSegment *
sv_segment_ref (SvSegment *segment)
{
  return g_atomic_rc_box_acquire (segment);
}

static void
clear_segment (gpointer data)
{
  SvSegment *segment = data;
  g_hash_table_unref (segment->by_place);
  g_hash_table_unref (segment->by_signer);
  g_hash_table_unref (segment->by_window);
  g_ptr_array_unref (segment->records);
}

void
sv_segment_unref (SvSegment *segment)
{
  g_atomic_rc_box_release_full (segment, clear_segment);
}

guint
sv_segment_length (const SvSegment *segment)
{
  return segment->records->len;
}

const SvRecord *
sv_segment_get (const SvSegment *segment, guint i)
{
  return segment->records->pdata[i];
}

const SvRecord *
sv_segment_find (const SvSegment *segment, guint64 block, const char hash[SV_BLOCK_HASH_TEXT])
{
  SvRecord wanted = { .block = block };
  memcpy (wanted.hash, hash, sizeof wanted.hash);
  return g_hash_table_lookup (segment->by_place, &wanted);
}

const GPtrArray *
sv_segment_by_signer (const SvSegment *segment, const char *signer)
{
  return g_hash_table_lookup (segment->by_signer, signer);
}

void
sv_segment_add_signers (const SvSegment *segment, const char *window_id, GHashTable *signers)
{
  GHashTable *own = g_hash_table_lookup (segment->by_window, window_id);
  GHashTableIter each;
  gpointer signer;
  if (!own)
    return;
  g_hash_table_iter_init (&each, own);
  while (g_hash_table_iter_next (&each, &signer, NULL))
    g_hash_table_add (signers, signer);
}
