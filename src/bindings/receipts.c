/* Receipts on disk. The file is for people and for the runner: it is read strictly all the same, because its proofs and slugs
 * decide where work goes. It is written whole or not at all. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/identifiers.h"
#include "bindings/receipts.h"
#include "protocol/fields.h"

#define MAX_SIZE (4 * 1024 * 1024)

void
sv_receipts_free (SvReceipts *receipts)
{
  if (receipts == NULL)
    return;
  g_free (receipts->miner_hotkey);
  g_free (receipts->window_id);
  g_ptr_array_unref (receipts->bound);
  g_free (receipts);
}

char *
sv_receipts_path (const SvConfig *config, const char *window_id)
{
  g_autofree char *leaf = g_strdup_printf ("commitments/%s.json", window_id);
  return sv_config_home_path (config, leaf);
}

/* ── reading ── */

static gboolean
read_cap (const SvScope *scope, const char *key, guint64 *milli)
{
  double cap;
  if (!sv_scope_number (scope, key, SV_REQUIRED, 0, 1e9, &cap))
    return FALSE;
  *milli = (guint64)(cap * 1000.0 + 0.5);
  return TRUE;
}

static SvBoundElement *
read_bound (const json_t *json, const char *pointer, SvFaults *faults)
{
  g_auto (SvScope) scope = { 0 };
  guint before = faults->n_errors;
  if (!sv_scope_init (&scope, json, pointer, faults))
    return NULL;
  g_autofree char *element_id = sv_field_text (&scope, "element_id", SV_REQUIRED, &sv_form_element_id);
  g_autofree char *revision = sv_field_text (&scope, "hf_revision", SV_REQUIRED, &sv_form_hf_revision);
  g_autofree char *slug = sv_field_text (&scope, "chute_slug", SV_REQUIRED, &sv_form_chute_slug);
  g_autofree char *chute_id = sv_field_text (&scope, "chute_id", SV_REQUIRED, &sv_form_chute_id);
  g_autofree char *proof_text = sv_field_text (&scope, "commitment_proof", SV_REQUIRED, &sv_form_proof);
  guint64 cap_milli = 0;
  SvProof proof;
  if (!read_cap (&scope, "service_cap_fps", &cap_milli) || faults->n_errors > before || !sv_proof_parse (proof_text, &proof))
    return NULL;
  SvBoundElement *bound = g_new0 (SvBoundElement, 1);
  bound->binding = (SvBinding){ .element_id = g_steal_pointer (&element_id),
                                .hf_revision = g_steal_pointer (&revision),
                                .chute_slug = g_steal_pointer (&slug),
                                .chute_id = g_steal_pointer (&chute_id),
                                .cap_milli = cap_milli };
  bound->proof = g_steal_pointer (&proof_text);
  bound->committed_at_block = proof.block;
  return bound;
}

static void
bound_free (gpointer data)
{
  SvBoundElement *bound = data;
  sv_binding_clear (&bound->binding);
  g_free (bound->proof);
  g_free (bound);
}

static int
compare_bound (gconstpointer a, gconstpointer b)
{
  const SvBoundElement *const *x = a, *const *y = b;
  return strcmp ((*x)->binding.element_id, (*y)->binding.element_id);
}

static SvReceipts *
receipts_from_json (const json_t *json, SvFaults *faults)
{
  g_auto (SvScope) scope = { 0 };
  if (!sv_scope_init (&scope, json, "", faults))
    return NULL;
  g_autoptr (SvReceipts) receipts = g_new0 (SvReceipts, 1);
  receipts->bound = g_ptr_array_new_with_free_func (bound_free);
  receipts->miner_hotkey = sv_field_account (&scope, "miner_hotkey");
  receipts->window_id = sv_field_text (&scope, "window_id", SV_REQUIRED, &sv_form_window_id);
  sv_scope_integer (&scope, "expires_at_block", SV_REQUIRED, &receipts->expires_at_block);
  read_cap (&scope, "service_cap_fps", &receipts->total_cap_milli);
  const json_t *bindings = sv_scope_array (&scope, "bindings", SV_REQUIRED, 0, 1024);
  gsize index;
  const json_t *item;
  json_array_foreach ((json_t *)bindings, index, item)
  {
    g_autofree char *pointer = sv_pointer_index ("/bindings", index);
    SvBoundElement *bound = read_bound (item, pointer, faults);
    if (bound != NULL)
      g_ptr_array_add (receipts->bound, bound);
  }
  g_ptr_array_sort (receipts->bound, compare_bound);
  return faults->n_errors == 0 ? g_steal_pointer (&receipts) : NULL;
}

static SvReceipts *
read_file (const char *path, const char *window_id, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = sv_file_read (path, MAX_SIZE, &local);
  if (bytes == NULL && g_error_matches (local, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_set_error (
        error, SV_ERROR, SV_ERROR_NOT_FOUND,
        "there are no receipts for window %s; commit with `sv miner commit --window-id %s …`, or, if you have committed "
        "already, run `sv miner commitments --refresh --window-id %s`",
        window_id, window_id, window_id);
    return NULL;
  }
  if (bytes == NULL)
  {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  g_autoptr (json_t) json = sv_json_parse (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), MAX_SIZE, &local);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_autoptr (SvReceipts) receipts = json != NULL ? receipts_from_json (json, faults) : NULL;
  if (receipts != NULL || (json != NULL && sv_faults_check (faults, path, &local)))
    return g_steal_pointer (&receipts);
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
               "%s; make the receipts anew with `sv miner commitments --refresh --window-id %s`", local->message, window_id);
  return NULL;
}

SvReceipts *
sv_receipts_read (const SvConfig *config, const char *window_id, const char *hotkey, GError **error)
{
  g_return_val_if_fail (sv_window_id_is_valid (window_id), NULL);
  g_autofree char *path = sv_receipts_path (config, window_id);
  g_autoptr (SvReceipts) receipts = read_file (path, window_id, error);
  if (receipts == NULL)
    return NULL;
  if (strcmp (receipts->miner_hotkey, hotkey) != 0 || strcmp (receipts->window_id, window_id) != 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                 "%s holds the receipts of hotkey %s for window %s, not those of %s; give each hotkey its own SCOREVISION_HOME",
                 path, receipts->miner_hotkey, receipts->window_id, hotkey);
    return NULL;
  }
  return g_steal_pointer (&receipts);
}

/* ── writing ── */

gboolean
sv_receipts_check_owner (const SvConfig *config, const char *window_id, const char *hotkey, GError **error)
{
  g_autoptr (GError) local = NULL;
  sv_receipts_free (sv_receipts_read (config, window_id, hotkey, &local));
  if (!g_error_matches (local, SV_ERROR, SV_ERROR_CONFLICT))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

gboolean
sv_receipts_write (const SvConfig *config, const SvFold *fold, const char *hotkey, guint64 expiry_block, GError **error)
{
  if (!sv_receipts_check_owner (config, fold->window_id, hotkey, error))
    return FALSE;
  g_autofree char *path = sv_receipts_path (config, fold->window_id);
  if (g_hash_table_size (fold->bound) == 0)
  {
    if (unlink (path) == 0 || errno == ENOENT || errno == ENOTDIR)
      return TRUE;
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "%s tells of bindings that are gone, and cannot be removed: %s", path,
                 g_strerror (errno));
    return FALSE;
  }
  g_autoptr (json_t) json = sv_fold_to_json (fold, hotkey, expiry_block);
  g_autofree char *text = sv_json_pretty (json);
  return sv_file_write (path, text, strlen (text), 0600, error);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

char **
sv_receipts_windows (const SvConfig *config)
{
  g_autofree char *path = sv_config_home_path (config, "commitments");
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  GPtrArray *names = g_ptr_array_new ();
  for (const char *leaf; dir != NULL && (leaf = g_dir_read_name (dir)) != NULL;)
  {
    g_autofree char *window_id = g_str_has_suffix (leaf, ".json") ? g_strndup (leaf, strlen (leaf) - 5) : NULL;
    if (window_id != NULL && sv_window_id_is_valid (window_id))
      g_ptr_array_add (names, g_steal_pointer (&window_id));
  }
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (names, FALSE);
}

/* ── choosing ── */

const SvBoundElement *
sv_receipts_find (const SvReceipts *receipts, const char *element_id)
{
  for (guint i = 0; i < receipts->bound->len; i++)
  {
    const SvBoundElement *bound = g_ptr_array_index (receipts->bound, i);
    if (strcmp (bound->binding.element_id, element_id) == 0)
      return bound;
  }
  return NULL;
}
