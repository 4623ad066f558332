/* Who has bound himself to what in the open windows, with proofs that anybody can check on the chain. A chute_id that several
 * hotkeys have in force in one window is marked: folding does not judge whose it is (docs/protocol.md section 6). Whose chute
 * is whose is found out once per picture and window, by folding all that has been committed for it. */
#include "api/commitment_list.h"

#include <string.h>

#include "base/identifiers.h"

#define MAX_STATES 2048
#define MAX_RIVALS 16 /* per binding: of n hotkeys with one chute each would name all the others, n² in all */

/* A window that was asked for. */
typedef struct
{
  GPtrArray *hotkeys;  /* with a commitment for it, sorted; borrowed strings */
  GHashTable *members; /* the same as a set */
  GHashTable *owners;  /* chute_id -> the first MAX_RIVALS + 1 hotkeys (GPtrArray) that have it in force */
} Window;

struct SvCommitmentList
{
  SvSnapshot *snapshot;
  GHashTable *windows; /* SvIndexEntry -> Window */
};

typedef struct
{
  const SvSnapshot *snapshot;
  const char *hotkey; /* or NULL: all */
  json_t *list;
  gboolean is_cut;
} View;

/* ── the windows of a picture ── */

static void
free_window (gpointer data)
{
  Window *window = data;
  g_hash_table_unref (window->owners);
  g_hash_table_unref (window->members);
  g_ptr_array_unref (window->hotkeys);
  g_free (window);
}

static const SvFold *
fold_of (const SvSnapshot *snapshot, const SvIndexEntry *entry, const char *hotkey)
{
  return sv_bindings_fold_at_head (snapshot->bindings, hotkey, entry->window_id, entry->start_block, entry->expiry_block);
}

static void
add_owner (GHashTable *owners, const char *chute_id, gpointer hotkey)
{
  GPtrArray *list = g_hash_table_lookup (owners, chute_id);
  if (list == NULL)
    g_hash_table_insert (owners, (gpointer)chute_id, list = g_ptr_array_new ());
  gboolean is_there = list->len > 0 && g_ptr_array_index (list, list->len - 1) == hotkey; /* he binds it twice */
  if (!is_there && list->len <= MAX_RIVALS)
    g_ptr_array_add (list, hotkey);
}

static Window *
make_window (const SvSnapshot *snapshot, const SvIndexEntry *entry)
{
  Window *window = g_new0 (Window, 1);
  window->hotkeys = sv_bindings_hotkeys (snapshot->bindings, entry->window_id);
  window->members = g_hash_table_new (g_str_hash, g_str_equal);
  window->owners = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
  for (guint i = 0; i < window->hotkeys->len; i++)
  {
    GHashTableIter iter;
    gpointer hotkey = g_ptr_array_index (window->hotkeys, i), bound;
    g_hash_table_add (window->members, hotkey);
    g_hash_table_iter_init (&iter, fold_of (snapshot, entry, hotkey)->bound);
    while (g_hash_table_iter_next (&iter, NULL, &bound))
      add_owner (window->owners, ((const SvBoundElement *)bound)->binding.chute_id, hotkey);
  }
  return window;
}

static const Window *
find_window (SvCommitmentList *list, const SvIndexEntry *entry)
{
  Window *window = g_hash_table_lookup (list->windows, entry);
  if (window == NULL)
    g_hash_table_insert (list->windows, (gpointer)entry, window = make_window (list->snapshot, entry));
  return window;
}

/* ── one answer ── */

static void
mark_rivals (json_t *state, GHashTable *owners, const char *hotkey)
{
  gsize i;
  json_t *binding;
  json_array_foreach (json_object_get (state, "bindings"), i, binding)
  {
    const GPtrArray *list = g_hash_table_lookup (owners, json_string_value (json_object_get (binding, "chute_id")));
    json_t *shared_with = json_array ();
    for (guint j = 0; list != NULL && j < list->len && json_array_size (shared_with) < MAX_RIVALS; j++)
    {
      const char *other = g_ptr_array_index (list, j);
      g_autofree char *account = sv_account_document_form (other);
      if (strcmp (other, hotkey) != 0)
        json_array_append_new (shared_with, json_string (account));
    }
    json_object_set_new (binding, "chute_shared_with", shared_with);
  }
}

/* Texts without effect, with the reason, so that a miner can see what became of his. */
static json_t *
list_void_texts (const SvFold *fold)
{
  json_t *list = json_array ();
  for (guint i = 0; i < fold->verdicts->len; i++)
  {
    const SvTextVerdict *verdict = g_ptr_array_index (fold->verdicts, i);
    if (verdict->void_reason == NULL)
      continue;
    json_t *item = json_object ();
    json_object_set_new (item, "commitment_proof", json_string (verdict->proof));
    json_object_set_new (item, "reason", json_string (verdict->void_reason));
    json_array_append_new (list, item);
  }
  return list;
}

/* All texts of the window in chain order, those without effect and withdrawals too, so that anybody can fold them anew. */
static json_t *
list_proofs (const SvFold *fold)
{
  json_t *list = json_array ();
  for (guint i = 0; i < fold->verdicts->len; i++)
    json_array_append_new (list, json_string (((SvTextVerdict *)g_ptr_array_index (fold->verdicts, i))->proof));
  return list;
}

static void
add_state (View *view, const SvIndexEntry *entry, GHashTable *owners, const char *hotkey)
{
  if (json_array_size (view->list) >= MAX_STATES)
  {
    view->is_cut = TRUE;
    return;
  }
  const SvFold *fold = fold_of (view->snapshot, entry, hotkey);
  json_t *state = sv_fold_to_json (fold, hotkey, entry->expiry_block);
  mark_rivals (state, owners, hotkey);
  json_object_set_new (state, "proofs", list_proofs (fold));
  json_object_set_new (state, "void", list_void_texts (fold));
  json_array_append_new (view->list, state);
}

static void
add_window (View *view, const SvIndexEntry *entry, const Window *window)
{
  if (view->hotkey != NULL)
  {
    if (g_hash_table_contains (window->members, view->hotkey))
      add_state (view, entry, window->owners, view->hotkey);
    return;
  }
  for (guint i = 0; i < window->hotkeys->len; i++)
    add_state (view, entry, window->owners, g_ptr_array_index (window->hotkeys, i));
}

/* A window is shown while its commitments are followed. FALSE when the one that was asked for is not. */
static gboolean
add_windows (View *view, SvCommitmentList *list, const char *window_id)
{
  const GPtrArray *entries = view->snapshot->catalog->index->entries;
  guint64 block = sv_bindings_head (view->snapshot->bindings)->best.number;
  gboolean found = window_id == NULL;
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (entries, i);
    if (sv_entry_expired (entry, block) || (window_id != NULL && strcmp (entry->window_id, window_id) != 0))
      continue;
    found = TRUE;
    add_window (view, entry, find_window (list, entry));
  }
  return found;
}

GBytes *
sv_commitment_list_write (SvCommitmentList *list, const char *hotkey, const char *window_id)
{
  g_autoptr (json_t) states = json_array ();
  View view = { .snapshot = list->snapshot, .hotkey = hotkey, .list = states };
  if (!add_windows (&view, list, window_id))
    return NULL;
  const SvHead *head = sv_bindings_head (list->snapshot->bindings);
  g_autoptr (json_t) body = json_object ();
  json_object_set_new (body, "block", sv_json_integer (head->best.number));
  json_object_set_new (body, "finalized_block", sv_json_integer (head->finalized.number));
  json_object_set (body, "commitments", states);
  json_object_set_new (body, "truncated", json_boolean (view.is_cut));
  char *text = sv_json_canonical_string (body);
  return g_bytes_new_take (text, strlen (text));
}

/* ── life ── */

SvCommitmentList *
sv_commitment_list_new (SvSnapshot *snapshot)
{
  SvCommitmentList *list = g_new0 (SvCommitmentList, 1);
  list->snapshot = snapshot;
  list->windows = g_hash_table_new_full (NULL, NULL, NULL, free_window);
  return list;
}

void
sv_commitment_list_free (SvCommitmentList *list)
{
  if (list == NULL)
    return;
  g_hash_table_unref (list->windows);
  sv_snapshot_unref (list->snapshot);
  g_free (list);
}

gboolean
sv_commitment_list_is_of (const SvCommitmentList *list, const SvSnapshot *snapshot)
{
  return list->snapshot->bindings == snapshot->bindings && list->snapshot->catalog == snapshot->catalog;
}
