/* Folding: the only way from a hotkey's texts on the chain to the bindings that are in force.
 *
 * A text is judged on the state folded so far and has its whole effect or none, so the fold is a loop of "is there a reason
 * against this text? else apply it". Judging (why_void and the rules it calls) only reads; applying cannot fail. That is what
 * lets sv_fold_preview() tell a miner beforehand what the chain's readers will say of his text.
 *
 * Sums of caps are in thousandths and exact. They cannot overflow: what is bound never exceeds a total (< 10^12), and one text
 * of at most 16 KiB adds fewer than 16,384 caps of < 10^12 to that before it is judged. */
#include "protocol/commitment.h"

#include "base/identifiers.h"
#include "base/json.h"
#include "base/text_hash.h"
#include "keys/ss58.h"

#include <string.h>

static void
bound_element_free (gpointer data)
{
  SvBoundElement *bound = data;
  sv_binding_clear (&bound->binding);
  g_free (bound->proof);
  g_free (bound);
}

static void
verdict_free (gpointer data)
{
  SvTextVerdict *verdict = data;
  g_free (verdict->proof);
  g_free (verdict->void_reason);
  g_free (verdict);
}

static SvFold *
fold_new (const char *window_id)
{
  SvFold *fold = g_new0 (SvFold, 1);
  fold->window_id = g_strdup (window_id);
  fold->bound = g_hash_table_new_full (sv_text_hash, g_str_equal, g_free, bound_element_free);
  fold->withdrawn = g_hash_table_new_full (sv_text_hash, g_str_equal, g_free, g_free);
  fold->verdicts = g_ptr_array_new_with_free_func (verdict_free);
  return fold;
}

void
sv_fold_free (SvFold *fold)
{
  if (fold == NULL)
    return;
  g_free (fold->window_id);
  g_hash_table_unref (fold->bound);
  g_hash_table_unref (fold->withdrawn);
  g_ptr_array_unref (fold->verdicts);
  g_free (fold);
}

static char *
why_withdrawn_unbound (const SvFold *fold, const SvCommitmentText *text)
{
  for (guint i = 0; text->is_withdrawal && i < text->bindings->len; i++)
  {
    const SvBinding *binding = g_ptr_array_index (text->bindings, i);
    if (!g_hash_table_contains (fold->bound, binding->element_id))
      return g_strdup_printf ("withdraws element %s, which is not bound", binding->element_id);
  }
  return NULL;
}

static char *
why_out_of_time (guint64 start_block, guint64 expiry_block, guint64 block)
{
  guint64 earliest = start_block > SV_COMMIT_EARLIEST ? start_block - SV_COMMIT_EARLIEST : 0;

  if (block < earliest)
    return g_strdup_printf ("at block %" G_GUINT64_FORMAT ", before commitments for the window count (block %" G_GUINT64_FORMAT
                            ")",
                            block, earliest);
  if (block >= expiry_block)
    return g_strdup_printf ("at block %" G_GUINT64_FORMAT ", when the window had expired (block %" G_GUINT64_FORMAT ")", block,
                            expiry_block);
  return NULL;
}

/* From the start on, elements can only be added. */
static char *
why_frozen (const SvFold *fold, const SvCommitmentText *text, guint64 start_block, guint64 block)
{
  if (block < start_block)
    return NULL;
  if (text->is_withdrawal)
    return g_strdup_printf ("withdraws at block %" G_GUINT64_FORMAT ", after the window's start (block %" G_GUINT64_FORMAT ")",
                            block, start_block);
  for (guint i = 0; i < text->bindings->len; i++)
  {
    const SvBinding *binding = g_ptr_array_index (text->bindings, i);
    if (g_hash_table_contains (fold->bound, binding->element_id))
      return g_strdup_printf ("names element %s, which is bound already, at block %" G_GUINT64_FORMAT
                              ", after the window's start (block %" G_GUINT64_FORMAT ")",
                              binding->element_id, block, start_block);
  }
  return NULL;
}

/* Of all the elements that would be bound after @text. */
static guint64
sum_of_caps_after (const SvFold *fold, const SvCommitmentText *text)
{
  guint64 sum = 0;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, fold->bound);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    sum += ((const SvBoundElement *)value)->binding.cap_milli;
  for (guint i = 0; i < text->bindings->len; i++)
  {
    const SvBinding *binding = g_ptr_array_index (text->bindings, i);
    const SvBoundElement *replaced = g_hash_table_lookup (fold->bound, binding->element_id);
    sum += binding->cap_milli - (replaced != NULL ? replaced->binding.cap_milli : 0);
  }
  return sum;
}

static char *
why_over_total (const SvFold *fold, const SvCommitmentText *text)
{
  if (text->is_withdrawal)
    return NULL;
  guint64 sum = sum_of_caps_after (fold, text);
  if (sum <= text->total_cap_milli)
    return NULL;

  g_autofree char *caps = sv_cap_format (sum);
  g_autofree char *total = sv_cap_format (text->total_cap_milli);
  return g_strdup_printf ("the caps of all elements bound after it sum to %s fps, above its total of %s fps", caps, total);
}

/* The first rule that @text breaks, in words; NULL when it takes effect. */
static char *
why_void (const SvFold *fold, const SvCommitmentText *text, guint64 start_block, guint64 expiry_block, guint64 block)
{
  char *reason = why_withdrawn_unbound (fold, text);
  if (reason == NULL)
    reason = why_out_of_time (start_block, expiry_block, block);
  if (reason == NULL)
    reason = why_frozen (fold, text, start_block, block);
  if (reason == NULL)
    reason = why_over_total (fold, text);
  return reason;
}

static void
apply_withdrawal (SvFold *fold, const SvCommitmentText *text, const char *proof)
{
  for (guint i = 0; i < text->bindings->len; i++)
  {
    const SvBinding *binding = g_ptr_array_index (text->bindings, i);
    g_hash_table_remove (fold->bound, binding->element_id);
    g_hash_table_insert (fold->withdrawn, g_strdup (binding->element_id), g_strdup (proof));
  }
}

static void
apply_commit (SvFold *fold, const SvCommitmentText *text, const SvChainText *at)
{
  fold->total_cap_milli = text->total_cap_milli;
  for (guint i = 0; i < text->bindings->len; i++)
  {
    const SvBinding *binding = g_ptr_array_index (text->bindings, i);
    SvBoundElement *bound = g_new0 (SvBoundElement, 1);
    sv_binding_copy (&bound->binding, binding);
    bound->proof = g_strdup (at->proof);
    bound->committed_at_block = at->block;
    g_hash_table_replace (fold->bound, g_strdup (binding->element_id), bound);
    g_hash_table_remove (fold->withdrawn, binding->element_id);
  }
}

/* Returns: (transfer full) the reason against it, or NULL. */
static char *
fold_one (SvFold *fold, guint64 start_block, guint64 expiry_block, const SvChainText *at)
{
  g_autoptr (GError) malformed = NULL;
  g_autoptr (SvCommitmentText) text = sv_commitment_text_parse (at->text, strlen (at->text), &malformed);
  if (text == NULL)
    return g_strdup (malformed->message);

  char *reason = why_void (fold, text, start_block, expiry_block, at->block);
  if (reason == NULL && text->is_withdrawal)
    apply_withdrawal (fold, text, at->proof);
  else if (reason == NULL)
    apply_commit (fold, text, at);
  return reason;
}

SvFold *
sv_fold (const char *window_id, guint64 start_block, guint64 expiry_block, const SvChainText *texts, gsize n_texts,
         guint64 at_block)
{
  SvFold *fold = fold_new (window_id);

  for (gsize i = 0; i < n_texts && texts[i].block <= at_block; i++)
  {
    g_autofree char *named = sv_commitment_text_window (texts[i].text);
    if (g_strcmp0 (named, window_id) != 0)
      continue;
    SvTextVerdict *verdict = g_new0 (SvTextVerdict, 1);
    verdict->proof = g_strdup (texts[i].proof);
    verdict->void_reason = fold_one (fold, start_block, expiry_block, &texts[i]);
    g_ptr_array_add (fold->verdicts, verdict);
  }
  return fold;
}

char *
sv_fold_preview (const SvFold *fold, guint64 start_block, guint64 expiry_block, const char *text, guint64 block)
{
  g_autoptr (GError) malformed = NULL;
  g_autoptr (SvCommitmentText) parsed = sv_commitment_text_parse (text, strlen (text), &malformed);

  if (parsed == NULL)
    return g_strdup (malformed->message);
  if (strcmp (parsed->window_id, fold->window_id) != 0)
    return g_strdup_printf ("is for window %s, not %s", parsed->window_id, fold->window_id);
  return why_void (fold, parsed, start_block, expiry_block, block);
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
sv_fold_element_ids (const SvFold *fold)
{
  GPtrArray *ids = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, fold->bound);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_ptr_array_add (ids, key);
  g_ptr_array_sort (ids, compare_ids);
  return ids;
}

static json_t *
cap_to_json (guint64 milli)
{
  return json_real ((double)milli / 1000.0);
}

static json_t *
bound_to_json (const SvBoundElement *bound)
{
  json_t *json = json_object ();
  json_object_set_new (json, "element_id", json_string (bound->binding.element_id));
  json_object_set_new (json, "hf_revision", json_string (bound->binding.hf_revision));
  json_object_set_new (json, "chute_slug", json_string (bound->binding.chute_slug));
  json_object_set_new (json, "chute_id", json_string (bound->binding.chute_id));
  json_object_set_new (json, "service_cap_fps", cap_to_json (bound->binding.cap_milli));
  json_object_set_new (json, "commitment_proof", json_string (bound->proof));
  return json;
}

json_t *
sv_fold_to_json (const SvFold *fold, const char *hotkey, guint64 expiry_block)
{
  json_t *json = json_object (), *ids = json_array (), *bindings = json_array ();
  g_autoptr (GPtrArray) sorted = sv_fold_element_ids (fold);
  g_autofree char *account = sv_account_document_form (hotkey);
  guint64 latest = 0;

  for (guint i = 0; i < sorted->len; i++)
  {
    const char *id = g_ptr_array_index (sorted, i);
    const SvBoundElement *bound = g_hash_table_lookup (fold->bound, id);
    json_array_append_new (ids, json_string (id));
    json_array_append_new (bindings, bound_to_json (bound));
    latest = MAX (latest, bound->committed_at_block);
  }
  json_object_set_new (json, "miner_hotkey", json_string (account));
  json_object_set_new (json, "window_id", json_string (fold->window_id));
  json_object_set_new (json, "element_ids", ids);
  json_object_set_new (json, "bindings", bindings);
  json_object_set_new (json, "service_cap_fps", cap_to_json (fold->total_cap_milli));
  json_object_set_new (json, "committed_at_block", sorted->len > 0 ? sv_json_integer (latest) : json_null ());
  json_object_set_new (json, "expires_at_block", sv_json_integer (expiry_block));
  return json;
}
