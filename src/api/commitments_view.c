/* GET /api/commitments?hotkey&window_id: who has bound himself to what in the open windows, with proofs that anybody can check
 * on the chain. A chute_id that several hotkeys have in force in one window is marked: folding does not judge whose it is
 * (docs/protocol.md section 6). */
#include <string.h>

#include "api/asker.h"
#include "base/identifiers.h"

#define MAX_STATES 2048
#define MAX_RIVALS 16 /* per binding: of n hotkeys with one chute each would name all the others, n² in all */
#define CACHE_CONTROL "public, max-age=5"

typedef struct
{
  const SvSnapshot *snapshot;
  const char *hotkey; /* or NULL: all */
  json_t *list;
  gboolean is_cut;
} View;

/* chute_id -> the first MAX_RIVALS + 1 hotkeys (GPtrArray, borrowed strings) that have it in force in the window. */
static GHashTable *
find_chute_owners (const View *view, const SvIndexEntry *entry, const GPtrArray *hotkeys)
{
  GHashTable *owners = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
  for (guint i = 0; i < hotkeys->len; i++)
  {
    gpointer hotkey = g_ptr_array_index (hotkeys, i), value;
    const SvFold *fold =
        sv_bindings_fold_at_head (view->snapshot->bindings, hotkey, entry->window_id, entry->start_block, entry->expiry_block);
    GHashTableIter iter;
    g_hash_table_iter_init (&iter, fold->bound);
    while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      SvBoundElement *bound = value;
      GPtrArray *list = g_hash_table_lookup (owners, bound->binding.chute_id);
      if (list == NULL)
        g_hash_table_insert (owners, bound->binding.chute_id, list = g_ptr_array_new ());
      gboolean is_there = list->len > 0 && g_ptr_array_index (list, list->len - 1) == hotkey; /* he binds it twice */
      if (!is_there && list->len <= MAX_RIVALS)
        g_ptr_array_add (list, hotkey);
    }
  }
  return owners;
}

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
  const SvFold *fold =
      sv_bindings_fold_at_head (view->snapshot->bindings, hotkey, entry->window_id, entry->start_block, entry->expiry_block);
  json_t *state = sv_fold_to_json (fold, hotkey, entry->expiry_block);
  mark_rivals (state, owners, hotkey);
  json_object_set_new (state, "proofs", list_proofs (fold));
  json_object_set_new (state, "void", list_void_texts (fold));
  json_array_append_new (view->list, state);
}

static void
add_window (View *view, const SvIndexEntry *entry)
{
  g_autoptr (GPtrArray) hotkeys = sv_bindings_hotkeys (view->snapshot->bindings, entry->window_id);
  g_autoptr (GHashTable) owners = find_chute_owners (view, entry, hotkeys);
  for (guint i = 0; i < hotkeys->len; i++)
  {
    const char *hotkey = g_ptr_array_index (hotkeys, i);
    if (view->hotkey == NULL || strcmp (hotkey, view->hotkey) == 0)
      add_state (view, entry, owners, hotkey);
  }
}

/* A window is shown while its commitments are followed. FALSE when the one that was asked for is not. */
static gboolean
add_windows (View *view, const char *window_id)
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
    add_window (view, entry);
  }
  return found;
}

static SvReply *
check_parameters (const SvExchange *exchange, const char *hotkey, const char *window_id)
{
  static const char *const names[] = { "hotkey", "window_id", NULL };
  guint8 key[SV_PUBLIC_KEY_SIZE];
  json_t *body = NULL;
  const char *field = sv_parameters_repeated (exchange->target->parameters, names);
  if (field != NULL)
    body = sv_error_body ("invalid_request", "%s is given more than once", field);
  else if (hotkey != NULL && !sv_ss58_decode (hotkey, key))
    body = sv_error_body ("invalid_request", "%s is malformed; it must be an SS58 address", field = "hotkey");
  else if (window_id != NULL && !sv_window_id_is_valid (window_id))
    body = sv_error_body ("invalid_request", "%s is malformed; it must be a window id", field = "window_id");
  if (body == NULL)
    return NULL;
  json_object_set_new (body, "field", json_string (field));
  return sv_reply_json (400, "invalid_request", body);
}

SvReply *
sv_handle_commitments (SvExchange *exchange)
{
  const char *hotkey = sv_pairs_find (exchange->target->parameters, "hotkey", FALSE);
  const char *window_id = sv_pairs_find (exchange->target->parameters, "window_id", FALSE);
  SvReply *reply = check_parameters (exchange, hotkey, window_id);
  if (reply != NULL)
    return reply;
  g_autoptr (SvSnapshot) snapshot = sv_board_get (exchange->service->board);
  if (snapshot->bindings == NULL || snapshot->catalog == NULL)
    return sv_reply_chain_unavailable ("it has not been read yet");

  g_autoptr (json_t) list = json_array ();
  View view = { .snapshot = snapshot, .hotkey = hotkey, .list = list };
  if (!add_windows (&view, window_id))
    return sv_reply_error (404, "no_active_window", "Window %s is not open: it is unknown, or over", window_id);
  const SvHead *head = sv_bindings_head (snapshot->bindings);
  json_t *body = json_object ();
  json_object_set_new (body, "block", sv_json_integer (head->best.number));
  json_object_set_new (body, "finalized_block", sv_json_integer (head->finalized.number));
  json_object_set (body, "commitments", list);
  json_object_set_new (body, "truncated", json_boolean (view.is_cut));
  reply = sv_reply_json (200, "listed", body);
  sv_reply_set (reply, "Cache-Control", CACHE_CONTROL);
  return reply;
}
