/* The commitments of a single account, found without reading the whole subnet: the state names the account's last commitment,
 * and the state before that one the one before it. What was found in final blocks is remembered. */
#include <string.h>

#include "base/error.h"
#include "chain/subtensor/account_memory.h"
#include "chain/subtensor/state.h"

/* What was found of an account from @first on. */
typedef struct
{
  const char *address;
  guint64 first, final;
  GPtrArray *found;    /* (element-type SvExtrinsic) */
  GArray *gone;        /* of guint64 */
  gboolean knows_past; /* the state named the last commitment before @first, */
  guint64 past;        /* which is this; 0 for none */
  gboolean has_mark;   /* and the last one up to @final, */
  guint64 mark;        /* which is this */
} Search;

static void
search_init (Search *search, const char *address, guint64 first, guint64 final)
{
  *search = (Search){ .address = address,
                      .first = first,
                      .final = final,
                      .found = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free),
                      .gone = g_array_new (FALSE, FALSE, sizeof (guint64)) };
}

static void
search_clear (Search *search)
{
  g_clear_pointer (&search->found, g_ptr_array_unref);
  g_clear_pointer (&search->gone, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Search, search_clear)

static void
prepend (GPtrArray *earlier, GPtrArray *found)
{
  for (guint i = 0; i < earlier->len; i++)
    g_ptr_array_insert (found, (gint)i, earlier->pdata[i]);
  g_ptr_array_set_free_func (earlier, NULL);
  g_ptr_array_set_size (earlier, 0);
}

/* Puts the account's successful commitments of [@first, @last] before those found. */
static gboolean
find_in_blocks (SvSubtensor *subtensor, Search *search, guint64 first, guint64 last, GError **error)
{
  g_autoptr (GArray) unreadable = NULL;
  g_autoptr (GPtrArray) own = sv_subtensor_commitments_by (subtensor, search->address, first, last, &unreadable, error);
  if (!own)
    return FALSE;
  prepend (own, search->found);
  g_array_prepend_vals (search->gone, unreadable->data, unreadable->len);
  return TRUE;
}

static void
note_mark (Search *search, guint64 mark)
{
  if (!search->has_mark && mark <= search->final)
  {
    search->has_mark = TRUE;
    search->mark = mark;
  }
  search->knows_past = mark < search->first;
  search->past = mark;
}

/* Goes from mark to mark. Where a state is gone, what is left is read block by block. */
static gboolean
follow_marks (SvSubtensor *subtensor, Search *search, guint64 last, GError **error)
{
  for (guint64 at = last;;)
  {
    guint64 mark;
    SvMark kind;
    if (!sv_state_last_commitment (subtensor, search->address, at, &kind, &mark, error))
      return FALSE;
    if (kind == SV_MARK_GONE)
      return find_in_blocks (subtensor, search, search->first, at, error);
    note_mark (search, kind == SV_MARK_NONE ? 0 : mark);
    if (kind == SV_MARK_NONE || mark < search->first || mark == 0)
      return TRUE;
    if (!find_in_blocks (subtensor, search, mark, mark, error))
      return FALSE;
    if (mark == search->first)
      return TRUE;
    at = mark - 1;
  }
}

static void
keep_between (GPtrArray *extrinsics, guint64 first, guint64 last)
{
  for (guint i = extrinsics->len; i > 0; i--)
  {
    const SvExtrinsic *extrinsic = extrinsics->pdata[i - 1];
    if (extrinsic->block < first || extrinsic->block > last)
      g_ptr_array_remove_index (extrinsics, i - 1);
  }
}

/* Goes on from what is remembered. A node that lied when it was read must not be believed for ever: where the state names
 * another commitment as the last one of that time, all is read again. */
static gboolean
search_account (SvSubtensor *subtensor, SvAccountMemory *memory, Search *search, guint64 last, GError **error)
{
  guint64 first = search->first;
  gboolean goes_on = memory->is_there && memory->from <= first && first <= memory->to + 1;
  if (goes_on)
    search->first = memory->to + 1;
  if (search->first <= last && !follow_marks (subtensor, search, last, error))
    return FALSE;
  if (goes_on && memory->has_mark && search->knows_past && search->past != memory->mark)
  {
    guint64 final = search->final;
    const char *address = search->address;
    search_clear (search);
    search_init (search, address, first, final);
    goes_on = FALSE;
    if (!follow_marks (subtensor, search, last, error))
      return FALSE;
  }
  if (goes_on)
    prepend (memory->extrinsics, search->found);
  else
    memory->from = first;
  return TRUE;
}

GPtrArray *
sv_subtensor_account_commitments (SvChain *chain, const char *address, guint64 first, guint64 last, GArray **unreadable,
                                  GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  g_auto (SvAccountMemory) memory = { 0 };
  g_auto (Search) search = { 0 };
  guint64 final = MIN (last, subtensor->head.finalized.number);
  sv_account_memory_load (&memory, subtensor->cache, &chain->id, address);
  search_init (&search, address, first, final);
  if (!search_account (subtensor, &memory, &search, last, error))
    return NULL;
  if (search.gone->len == 0 && search.first <= final)
  {
    memory.to = final;
    memory.has_mark = search.has_mark;
    memory.mark = search.mark;
    sv_account_memory_save (&memory, &chain->id, address, search.found);
  }
  keep_between (search.found, first, last);
  if (unreadable)
    *unreadable = g_steal_pointer (&search.gone);
  return g_steal_pointer (&search.found);
}
