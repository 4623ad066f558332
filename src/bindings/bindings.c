/* Pictures of who has bound himself to what. A picture is a head and a reference to a record set; a new head without new
 * commitments costs one small allocation, whatever the length of the history. The set holds the history as a few segments (see
 * history.c), so a look-up asks each of them, newest last.
 *
 * Folds at the head are kept with the set, not with the picture: a fold looks at nothing but the texts, and all texts of a set
 * lie at or below every head it is shown under. Hotkeys without any record share one empty fold per window, so that asking for
 * keys that cost nothing to make does not fill the memory. */
#include "bindings/bindings.h"

#include <string.h>

#include "base/text_hash.h"
#include "bindings/record_set.h"

struct SvRecordSet
{
  guint64 from_block;
  GPtrArray *segments; /* of SvSegment */
  GArray *unreadable;  /* of guint64, ascending */
  GMutex lock;
  GHashTable *folds; /* under @lock: FoldKey -> SvFold */
};

struct SvBindings
{
  SvHead head;
  SvRecordSet *set;
};

/* What a fold at the head is of. */
typedef struct
{
  char *hotkey;
  char *window_id;
  guint64 start_block;
  guint64 expiry_block;
} FoldKey;

static guint
hash_fold_key (gconstpointer data)
{
  const FoldKey *key = data;
  return sv_text_hash (key->hotkey) ^ sv_text_hash (key->window_id) * 31 ^ (guint)key->start_block ^ (guint)key->expiry_block;
}

static gboolean
equal_fold_keys (gconstpointer a, gconstpointer b)
{
  const FoldKey *left = a, *right = b;
  return left->start_block == right->start_block && left->expiry_block == right->expiry_block &&
         strcmp (left->hotkey, right->hotkey) == 0 && strcmp (left->window_id, right->window_id) == 0;
}

static FoldKey *
copy_fold_key (const FoldKey *key)
{
  FoldKey *copy = g_memdup2 (key, sizeof *key);
  copy->hotkey = g_strdup (key->hotkey);
  copy->window_id = g_strdup (key->window_id);
  return copy;
}

static void
free_fold_key (gpointer data)
{
  FoldKey *key = data;
  g_free (key->hotkey);
  g_free (key->window_id);
  g_free (key);
}

/* ── record sets ── */

SvRecordSet *
sv_record_set_new (guint64 from_block, const GPtrArray *segments, const GArray *unreadable)
{
  SvRecordSet *set = g_atomic_rc_box_new0 (SvRecordSet);
  set->from_block = from_block;
  set->segments = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_segment_unref);
  for (guint i = 0; i < segments->len; i++)
    g_ptr_array_add (set->segments, sv_segment_ref (segments->pdata[i]));
  set->unreadable = g_array_copy ((GArray *)unreadable);
  g_mutex_init (&set->lock);
  set->folds = g_hash_table_new_full (hash_fold_key, equal_fold_keys, free_fold_key, (GDestroyNotify)sv_fold_free);
  return set;
}

SvRecordSet *
sv_record_set_ref (SvRecordSet *set)
{
  return g_atomic_rc_box_acquire (set);
}

static void
clear_set (gpointer data)
{
  SvRecordSet *set = data;
  g_hash_table_unref (set->folds);
  g_mutex_clear (&set->lock);
  g_array_unref (set->unreadable);
  g_ptr_array_unref (set->segments);
}

void
sv_record_set_unref (SvRecordSet *set)
{
  g_atomic_rc_box_release_full (set, clear_set);
}

/* ── pictures ── */

SvBindings *
sv_bindings_new (const SvHead *head, SvRecordSet *set)
{
  SvBindings *bindings = g_atomic_rc_box_new0 (SvBindings);
  bindings->head = *head;
  bindings->set = sv_record_set_ref (set);
  return bindings;
}

SvBindings *
sv_bindings_ref (SvBindings *bindings)
{
  return g_atomic_rc_box_acquire (bindings);
}

static void
clear_bindings (gpointer data)
{
  sv_record_set_unref (((SvBindings *)data)->set);
}

void
sv_bindings_unref (SvBindings *bindings)
{
  if (bindings)
    g_atomic_rc_box_release_full (bindings, clear_bindings);
}

SvRecordSet *
sv_bindings_record_set (const SvBindings *bindings)
{
  return bindings->set;
}

const SvHead *
sv_bindings_head (const SvBindings *bindings)
{
  return &bindings->head;
}

guint64
sv_bindings_from_block (const SvBindings *bindings)
{
  return bindings->set->from_block;
}

/* ── unreadable blocks ── */

guint64
sv_bindings_first_unreadable (const SvBindings *bindings, guint64 first, guint64 last)
{
  const GArray *unreadable = bindings->set->unreadable;
  for (guint i = 0; i < unreadable->len; i++)
  {
    guint64 block = g_array_index (unreadable, guint64, i);
    if (block >= first && block <= last)
      return block;
  }
  return G_MAXUINT64;
}

#define LISTED 8 /* stretches of unreadable blocks that are named */

/* The end of the stretch of consecutive numbers that begins at place @i. */
static guint
stretch_end (const GArray *blocks, guint i)
{
  while (i + 1 < blocks->len && g_array_index (blocks, guint64, i + 1) == g_array_index (blocks, guint64, i) + 1)
    i++;
  return i;
}

char *
sv_bindings_list_blocks (const GArray *blocks)
{
  GString *list = g_string_new (NULL);
  guint i = 0;
  for (guint n = 0; i < blocks->len && n < LISTED; n++)
  {
    guint end = stretch_end (blocks, i);
    g_string_append_printf (list, "%s%" G_GUINT64_FORMAT, n > 0 ? ", " : "", g_array_index (blocks, guint64, i));
    if (end > i)
      g_string_append_printf (list, "-%" G_GUINT64_FORMAT, g_array_index (blocks, guint64, end));
    i = end + 1;
  }
  if (i < blocks->len)
    g_string_append_printf (list, " and others, %u in all", blocks->len);
  return g_string_free (list, FALSE);
}

guint
sv_bindings_count_unreadable (const SvBindings *bindings)
{
  return bindings->set->unreadable->len;
}

char *
sv_bindings_list_unreadable (const SvBindings *bindings)
{
  return sv_bindings_list_blocks (bindings->set->unreadable);
}

gboolean
sv_bindings_is_unreadable (const SvBindings *bindings, guint64 block)
{
  return sv_bindings_first_unreadable (bindings, block, block) == block && block != G_MAXUINT64;
}

/* ── proofs ── */

static const SvRecord *
find_record (const SvRecordSet *set, guint64 block, const char hash[SV_BLOCK_HASH_TEXT])
{
  const SvRecord *record = NULL;
  for (guint i = set->segments->len; i > 0 && !record; i--)
    record = sv_segment_find (set->segments->pdata[i - 1], block, hash);
  return record;
}

gboolean
sv_bindings_find (const SvBindings *bindings, const SvProof *proof, SvProofExtrinsic *extrinsic)
{
  memset (extrinsic, 0, sizeof *extrinsic);
  if (proof->block < bindings->set->from_block || proof->block > bindings->head.best.number)
    return FALSE;
  extrinsic->unreadable = sv_bindings_is_unreadable (bindings, proof->block);
  const SvRecord *record = find_record (bindings->set, proof->block, proof->hash);
  if (!record)
    return TRUE;
  extrinsic->found = TRUE;
  extrinsic->unreadable = FALSE;
  extrinsic->succeeded = record->succeeded;
  extrinsic->signer = record->signer;
  extrinsic->text = record->text;
  return TRUE;
}

/* ── folds ── */

/* The successful texts of a hotkey, in chain order. */
static GArray *
collect_texts (const SvRecordSet *set, const char *hotkey)
{
  GArray *texts = g_array_new (FALSE, FALSE, sizeof (SvChainText));
  for (guint i = 0; i < set->segments->len; i++)
  {
    const GPtrArray *own = sv_segment_by_signer (set->segments->pdata[i], hotkey);
    for (guint j = 0; own && j < own->len; j++)
    {
      const SvRecord *record = own->pdata[j];
      SvChainText text = { record->block, record->index, record->text, record->proof };
      if (record->succeeded)
        g_array_append_val (texts, text);
    }
  }
  return texts;
}

SvFold *
sv_bindings_fold (const SvBindings *bindings, const char *hotkey, const char *window_id, guint64 start_block,
                  guint64 expiry_block, guint64 at_block)
{
  g_autoptr (GArray) texts = collect_texts (bindings->set, hotkey);
  return sv_fold (window_id, start_block, expiry_block, (const SvChainText *)texts->data, texts->len, at_block);
}

static gboolean
has_records (const SvRecordSet *set, const char *hotkey)
{
  for (guint i = 0; i < set->segments->len; i++)
    if (sv_segment_by_signer (set->segments->pdata[i], hotkey))
      return TRUE;
  return FALSE;
}

const SvFold *
sv_bindings_fold_at_head (SvBindings *bindings, const char *hotkey, const char *window_id, guint64 start_block,
                          guint64 expiry_block)
{
  SvRecordSet *set = bindings->set;
  const char *whose = has_records (set, hotkey) ? hotkey : "";
  const FoldKey key = { (char *)whose, (char *)window_id, start_block, expiry_block };
  g_mutex_lock (&set->lock);
  SvFold *fold = g_hash_table_lookup (set->folds, &key);
  g_mutex_unlock (&set->lock);
  if (fold)
    return fold;

  /* Folded outside the lock; where two threads did, the first one's stays. */
  g_autoptr (SvFold) fresh = sv_bindings_fold (bindings, whose, window_id, start_block, expiry_block, G_MAXUINT64);
  g_mutex_lock (&set->lock);
  fold = g_hash_table_lookup (set->folds, &key);
  if (!fold)
  {
    fold = g_steal_pointer (&fresh);
    g_hash_table_insert (set->folds, copy_fold_key (&key), fold);
  }
  g_mutex_unlock (&set->lock);
  return fold;
}

/* ── a window's hotkeys ── */

static gint
compare_addresses (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
sv_bindings_hotkeys (const SvBindings *bindings, const char *window_id)
{
  const GPtrArray *segments = bindings->set->segments;
  g_autoptr (GHashTable) signers = g_hash_table_new (sv_text_hash, g_str_equal);
  for (guint i = 0; i < segments->len; i++)
    sv_segment_add_signers (segments->pdata[i], window_id, signers);
  GPtrArray *hotkeys = g_ptr_array_new ();
  GHashTableIter each;
  gpointer signer;
  g_hash_table_iter_init (&each, signers);
  while (g_hash_table_iter_next (&each, &signer, NULL))
    g_ptr_array_add (hotkeys, signer);
  g_ptr_array_sort (hotkeys, compare_addresses);
  return hotkeys;
}

gboolean
sv_bindings_has_committed (const SvBindings *bindings, const char *hotkey, SvWindowTest test, gpointer data)
{
  const GPtrArray *segments = bindings->set->segments;
  for (guint i = segments->len; i-- > 0;)
  {
    const GPtrArray *own = sv_segment_by_signer (segments->pdata[i], hotkey);
    for (guint j = own != NULL ? own->len : 0; j-- > 0;)
    {
      const SvRecord *record = own->pdata[j];
      if (record->window_id != NULL && test (record->window_id, data))
        return TRUE;
    }
  }
  return FALSE;
}

guint
sv_bindings_count_committed (const SvBindings *bindings, SvWindowTest test, gpointer data)
{
  const GPtrArray *segments = bindings->set->segments;
  g_autoptr (GHashTable) signers = g_hash_table_new (sv_text_hash, g_str_equal);
  for (guint i = 0; i < segments->len; i++)
    for (guint j = 0; j < sv_segment_length (segments->pdata[i]); j++)
    {
      const SvRecord *record = sv_segment_get (segments->pdata[i], j);
      if (record->window_id != NULL && test (record->window_id, data))
        g_hash_table_add (signers, record->signer);
    }
  return g_hash_table_size (signers);
}

static gboolean
binds_chute (const SvFold *fold, const char *chute_id)
{
  GHashTableIter each;
  gpointer bound;
  g_hash_table_iter_init (&each, fold->bound);
  while (g_hash_table_iter_next (&each, NULL, &bound))
    if (strcmp (((const SvBoundElement *)bound)->binding.chute_id, chute_id) == 0)
      return TRUE;
  return FALSE;
}

char **
sv_bindings_chute_rivals (SvBindings *bindings, const char *hotkey, const char *chute_id, const char *window_id,
                          guint64 start_block, guint64 expiry_block)
{
  g_autoptr (GStrvBuilder) rivals = g_strv_builder_new ();
  g_autoptr (GPtrArray) hotkeys = sv_bindings_hotkeys (bindings, window_id);
  for (guint i = 0; i < hotkeys->len; i++)
  {
    const char *other = hotkeys->pdata[i];
    if (strcmp (other, hotkey) != 0 &&
        binds_chute (sv_bindings_fold_at_head (bindings, other, window_id, start_block, expiry_block), chute_id))
      g_strv_builder_add (rivals, other);
  }
  return g_strv_builder_end (rivals);
}
