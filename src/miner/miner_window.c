#include "miner/miner_window.h"

#include <string.h>

#include "base/error.h"
#include "bindings/account_fold.h"
#include "bindings/receipts.h"

void
sv_miner_window_free (SvMinerWindow *window)
{
  if (window == NULL)
    return;
  sv_manifest_free (window->manifest);
  sv_fold_free (window->fold);
  g_free (window);
}

/* ── the present state ── */

gboolean
sv_miner_window_refresh (SvMinerWindow *window, GError **error)
{
  SvFold *fold = sv_chain_head (window->chain, &window->head, error)
                     ? sv_account_fold_read (window->chain, sv_keypair_address (window->keypair), window->manifest->window_id,
                                             window->start_block, window->expiry_block, window->head.best.number, error)
                     : NULL;
  if (fold == NULL)
    return FALSE;
  g_clear_pointer (&window->fold, sv_fold_free);
  window->fold = fold;
  return TRUE;
}

static void
set_unknown_window (const SvIndex *index, const char *window_id, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);
  for (guint i = 0; i < index->entries->len; i++)
    g_string_append_printf (known, "%s%s", i > 0 ? ", " : "",
                            ((SvIndexEntry *)g_ptr_array_index (index->entries, i))->window_id);
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "window %s is not in the index; it has %s", window_id,
               known->len > 0 ? known->str : "no windows yet");
}

SvMinerWindow *
sv_miner_window_open (const SvConfig *config, SvChain *chain, SvReader *reader, const SvKeypair *keypair, const char *window_id,
                      GError **error)
{
  if (!sv_receipts_check_owner (config, window_id, sv_keypair_address (keypair), error))
    return NULL;
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, error);
  if (index == NULL)
    return NULL;
  const SvIndexEntry *entry = sv_index_find_live (index, window_id);
  if (entry == NULL)
  {
    set_unknown_window (index, window_id, error);
    return NULL;
  }
  g_autoptr (SvMinerWindow) window = g_new0 (SvMinerWindow, 1);
  window->config = config;
  window->chain = chain;
  window->keypair = keypair;
  window->start_block = entry->start_block;
  window->expiry_block = entry->expiry_block;
  window->manifest = sv_fetch_entry_manifest (reader, entry, error);
  if (window->manifest == NULL || !sv_miner_window_refresh (window, error))
    return NULL;
  if (window->head.best.number >= window->expiry_block)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "window %s was over at block %" G_GUINT64_FORMAT " (now %" G_GUINT64_FORMAT
                 "); see `sv miner elements --window upcoming`",
                 window_id, window->expiry_block, window->head.best.number);
    return NULL;
  }
  return g_steal_pointer (&window);
}

/* ── checks before submitting ── */

static gboolean
binding_is_in_force (const SvFold *fold, const SvBinding *binding)
{
  const SvBoundElement *bound = g_hash_table_lookup (fold->bound, binding->element_id);
  return bound != NULL && strcmp (bound->binding.hf_revision, binding->hf_revision) == 0 &&
         strcmp (bound->binding.chute_slug, binding->chute_slug) == 0 &&
         strcmp (bound->binding.chute_id, binding->chute_id) == 0 && bound->binding.cap_milli == binding->cap_milli;
}

/* The text's own elements are withdrawn already. */
static gboolean
is_withdrawn (const SvFold *fold, const SvCommitmentText *text)
{
  for (guint i = 0; i < text->bindings->len; i++)
    if (!g_hash_table_contains (fold->withdrawn, ((SvBinding *)g_ptr_array_index (text->bindings, i))->element_id))
      return FALSE;
  return TRUE;
}

gboolean
sv_commit_is_in_force (const SvMinerWindow *window, const SvCommitmentText *text)
{
  if (text->is_withdrawal)
    return is_withdrawn (window->fold, text);
  if (window->fold->total_cap_milli != text->total_cap_milli)
    return FALSE;
  for (guint i = 0; i < text->bindings->len; i++)
    if (!binding_is_in_force (window->fold, g_ptr_array_index (text->bindings, i)))
      return FALSE;
  return TRUE;
}

/* TRUE when the slot's text binds the chute in this window. */
static gboolean
slot_binds (const SvSlot *slot, const char *window_id, const char *chute_id)
{
  g_autoptr (SvCommitmentText) text =
      slot->text != NULL ? sv_commitment_text_parse (slot->text, strlen (slot->text), NULL) : NULL;
  if (text == NULL || text->is_withdrawal || strcmp (text->window_id, window_id) != 0)
    return FALSE;
  for (guint i = 0; i < text->bindings->len; i++)
    if (strcmp (((SvBinding *)g_ptr_array_index (text->bindings, i))->chute_id, chute_id) == 0)
      return TRUE;
  return FALSE;
}

/* "hotkey, hotkey", "" where nobody else binds the chute. */
static char *
rivals_of (const SvMinerWindow *window, const GPtrArray *slots, const char *chute_id)
{
  g_autoptr (GPtrArray) rivals = g_ptr_array_new ();
  for (guint i = 0; i < slots->len; i++)
  {
    const SvSlot *slot = g_ptr_array_index (slots, i);
    if (strcmp (slot->account, sv_keypair_address (window->keypair)) != 0 &&
        slot_binds (slot, window->manifest->window_id, chute_id))
      g_ptr_array_add (rivals, slot->account);
  }
  g_ptr_array_add (rivals, NULL);
  return g_strjoinv (", ", (char **)rivals->pdata);
}

static gboolean
is_named_before (const SvCommitmentText *text, guint at)
{
  const char *chute_id = ((SvBinding *)g_ptr_array_index (text->bindings, at))->chute_id;
  for (guint i = 0; i < at; i++)
    if (strcmp (((SvBinding *)g_ptr_array_index (text->bindings, i))->chute_id, chute_id) == 0)
      return TRUE;
  return FALSE;
}

char **
sv_commit_rivals (SvMinerWindow *window, const SvCommitmentText *text, GError **error)
{
  g_autoptr (GPtrArray) slots = sv_chain_slots (window->chain, error);
  if (slots == NULL)
    return NULL;
  GPtrArray *lines = g_ptr_array_new ();
  for (guint i = 0; i < text->bindings->len && !text->is_withdrawal; i++)
  {
    if (is_named_before (text, i)) /* several elements may be served by one chute */
      continue;
    const SvBinding *binding = g_ptr_array_index (text->bindings, i);
    g_autofree char *list = rivals_of (window, slots, binding->chute_id);
    if (*list != '\0')
      g_ptr_array_add (lines, g_strdup_printf ("%s: %s", binding->chute_id, list));
  }
  g_ptr_array_add (lines, NULL);
  return (char **)g_ptr_array_free (lines, FALSE);
}

static gboolean
check_anchor_slot (const SvMinerWindow *window, GError **error)
{
  g_autofree char *anchor = NULL;
  if (!sv_chain_anchor_text (window->chain, sv_keypair_address (window->keypair), window->head.best.number, &anchor, error))
    return FALSE;
  if (anchor == NULL)
    return TRUE;
  g_set_error (
      error, SV_ERROR, SV_ERROR_POLICY,
      "hotkey %s holds the anchor of the manifests on the chain, which a commitment would overwrite; mine with another "
      "hotkey (--hotkey NAME)",
      sv_keypair_address (window->keypair));
  return FALSE;
}

gboolean
sv_commit_check (const SvMinerWindow *window, const SvCommitmentText *text, GError **error)
{
  if (!check_anchor_slot (window, error))
    return FALSE;
  g_autofree char *written = sv_commitment_text_format (text);
  g_autofree char *reason =
      sv_fold_preview (window->fold, window->start_block, window->expiry_block, written, window->head.best.number + 1);
  if (reason == NULL)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "this would be void on the chain: %s (window %s starts at block %" G_GUINT64_FORMAT
               ", expires at %" G_GUINT64_FORMAT ", now %" G_GUINT64_FORMAT ")%s",
               reason, window->manifest->window_id, window->start_block, window->expiry_block, window->head.best.number,
               window->head.best.number + 1 >= window->start_block
                   ? "; `sv miner commitments` shows what is bound, `sv miner elements --window upcoming` the next window"
                   : "");
  return FALSE;
}
