/* Making receipts anew. The API's public list tells which proofs to look up; what they bind is read from the chain and folded
 * here, by the same rules as everywhere, so that nothing the API says is believed. The list names all texts of the window, void
 * ones and withdrawals too, since a fold of some of them is another fold; and a binding that the list does not show is dropped,
 * since a list that leaves out a withdrawal would otherwise bring back what was withdrawn. */
#include <string.h>

#include "base/error.h"
#include "base/http_client.h"
#include "base/json.h"
#include "bindings/account_fold.h"
#include "bindings/receipts.h"

#define MAX_LIST_SIZE (16 * 1024 * 1024)
#define MAX_PROOFS 4096

/* ── what the API lists ── */

static char *
list_url (const SvConfig *config, const char *hotkey, const char *window_id, GError **error)
{
  g_auto (GStrv) bases = sv_config_get_list (config, "SCOREVISION_API");
  if (bases[0] == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "SCOREVISION_API is not set; give the Challenge API's address with --api http://HOST:PORT");
    return NULL;
  }
  g_autofree char *origin = sv_url_origin (bases[0], error);
  return origin != NULL ? g_strdup_printf ("%s/api/commitments?hotkey=%s&window_id=%s", origin, hotkey, window_id) : NULL;
}

static json_t *
fetch_list (const char *url, GError **error)
{
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  SvHttpRequest request = { .url = url, .limits = SV_HTTP_LIMITS_DEFAULT };
  request.limits.max_bytes = MAX_LIST_SIZE;
  g_autoptr (SvHttpResponse) response = sv_http_perform (client, &request, error);
  if (response == NULL)
  {
    g_prefix_error (error, "the Challenge API (SCOREVISION_API, --api) does not answer: ");
    return NULL;
  }
  if (response->status != 200)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "the Challenge API's list of commitments answered with status %u",
                 response->status);
    return NULL;
  }
  return sv_json_parse ("the Challenge API's list of commitments", g_bytes_get_data (response->body, NULL),
                        g_bytes_get_size (response->body), MAX_LIST_SIZE, error);
}

static int
compare_proofs (gconstpointer a, gconstpointer b)
{
  const SvProof *x = a, *y = b;
  if (x->block != y->block)
    return x->block < y->block ? -1 : 1;
  return strcmp (x->hash, y->hash);
}

static void
add_proof (GArray *proofs, const json_t *text)
{
  SvProof proof;
  if (!sv_proof_parse (json_string_value (text), &proof) || proofs->len >= MAX_PROOFS)
    return;
  for (guint i = 0; i < proofs->len; i++)
    if (compare_proofs (&g_array_index (proofs, SvProof, i), &proof) == 0)
      return;
  g_array_append_val (proofs, proof);
}

/* Every proof in the list, each once. */
static GArray *
proofs_in_list (const json_t *list)
{
  GArray *proofs = g_array_new (FALSE, FALSE, sizeof (SvProof));
  gsize i, j;
  const json_t *commitment, *item;
  json_array_foreach (json_object_get (list, "commitments"), i, commitment)
  {
    json_array_foreach (json_object_get (commitment, "bindings"), j, item)
        add_proof (proofs, json_object_get (item, "commitment_proof"));
    json_array_foreach (json_object_get (commitment, "proofs"), j, item) add_proof (proofs, item);
  }
  g_array_sort (proofs, compare_proofs);
  return proofs;
}

static gboolean
list_shows (const json_t *list, const char *element_id, const char *proof)
{
  gsize i, j;
  const json_t *commitment, *binding;
  json_array_foreach (json_object_get (list, "commitments"), i, commitment)
      json_array_foreach (json_object_get (commitment, "bindings"), j, binding)
  {
    if (g_strcmp0 (json_string_value (json_object_get (binding, "element_id")), element_id) == 0 &&
        g_strcmp0 (json_string_value (json_object_get (binding, "commitment_proof")), proof) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
drop_what_the_list_does_not_show (SvFold *fold, const json_t *list)
{
  GHashTableIter iter;
  gpointer element_id, bound;
  g_hash_table_iter_init (&iter, fold->bound);
  while (g_hash_table_iter_next (&iter, &element_id, &bound))
    if (!list_shows (list, element_id, ((SvBoundElement *)bound)->proof))
      g_hash_table_iter_remove (&iter);
}

/* ── what the chain says of them ── */

static int
compare_extrinsics (gconstpointer a, gconstpointer b)
{
  const SvExtrinsic *x = *(SvExtrinsic *const *)a, *y = *(SvExtrinsic *const *)b;
  if (x->block != y->block)
    return x->block < y->block ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

static GPtrArray *
look_up (SvChain *chain, const GArray *proofs, const char *hotkey, GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  for (guint i = 0; i < proofs->len; i++)
  {
    const SvProof *proof = &g_array_index (proofs, SvProof, i);
    g_autoptr (SvExtrinsic) extrinsic = NULL;
    gboolean unreadable = FALSE;
    if (!sv_chain_find_extrinsic (chain, proof->block, proof->hash, &extrinsic, &unreadable, error))
      return NULL;
    if (unreadable)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                   "block %" G_GUINT64_FORMAT " cannot be read any more on %s; set BITTENSOR_SUBTENSOR_FALLBACK to an archive "
                   "endpoint",
                   proof->block, sv_chain_url (chain));
      return NULL;
    }
    if (extrinsic != NULL && extrinsic->succeeded && strcmp (extrinsic->signer, hotkey) == 0)
      g_ptr_array_add (found, g_steal_pointer (&extrinsic));
  }
  g_ptr_array_sort (found, compare_extrinsics);
  return g_steal_pointer (&found);
}

SvFold *
sv_refresh_commitments (const SvConfig *config, SvChain *chain, const char *hotkey, const char *window_id, guint64 start_block,
                        guint64 expiry_block, GError **error)
{
  g_autofree char *url = list_url (config, hotkey, window_id, error);
  if (url == NULL)
    return NULL;
  g_autoptr (json_t) list = fetch_list (url, error);
  if (list == NULL)
    return NULL;
  SvHead head;
  if (!sv_chain_head (chain, &head, error))
    return NULL;
  g_autoptr (GArray) proofs = proofs_in_list (list);
  g_autoptr (GPtrArray) extrinsics = look_up (chain, proofs, hotkey, error);
  if (extrinsics == NULL)
    return NULL;
  SvFold *fold = sv_account_fold_of (extrinsics, window_id, start_block, expiry_block, head.best.number);
  drop_what_the_list_does_not_show (fold, list);
  return fold;
}
