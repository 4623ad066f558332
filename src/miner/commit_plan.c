/* Planning collects what is known of each element, then lists all that is missing at once: a miner who has to run the command
 * four times to learn of four missing values is badly served. */
#include <math.h>
#include <string.h>

#include "base/authored.h"
#include "base/error.h"
#include "base/file.h"
#include "base/identifiers.h"
#include "base/schema.h"
#include "miner/commit_plan.h"

#define MAX_FILE_SIZE (1024 * 1024)

/* What is known so far of one element; strings are owned. */
typedef struct
{
  SvBinding binding;
  gboolean has_cap;
  gboolean is_bound; /* by --bind */
  gboolean is_in_file;
  double service_rate_fps;
} Draft;

static void
draft_free (gpointer data)
{
  Draft *draft = data;
  sv_binding_clear (&draft->binding);
  g_free (draft);
}

static Draft *
find_draft (GPtrArray *drafts, const char *element_id)
{
  for (guint i = 0; i < drafts->len; i++)
  {
    Draft *draft = g_ptr_array_index (drafts, i);
    if (strcmp (draft->binding.element_id, element_id) == 0)
      return draft;
  }
  return NULL;
}

/* A value that a stronger source gave stays. */
static void
take (char **field, const char *value)
{
  if (*field == NULL && value != NULL && *value != '\0')
    *field = g_strdup (value);
}

/* ── the list of elements ── */

static gboolean
add_element (GPtrArray *drafts, const char *item, const SvManifest *manifest, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (item, ":", 2);
  const char *element_id = g_strstrip (parts[0]);
  const SvElement *element = sv_element_id_is_valid (element_id) ? sv_manifest_find_element (manifest, element_id) : NULL;
  if (element == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "element %s is not in window %s; see `sv miner elements`", element_id,
                 manifest->window_id);
    return FALSE;
  }
  if (find_draft (drafts, element_id) != NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "element %s is named twice in --elements", element_id);
    return FALSE;
  }
  Draft *draft = g_new0 (Draft, 1);
  draft->binding.element_id = g_strdup (element_id);
  draft->service_rate_fps = element->service_rate_fps;
  take (&draft->binding.hf_revision, parts[1] != NULL ? g_strstrip (parts[1]) : NULL);
  g_ptr_array_add (drafts, draft);
  return TRUE;
}

static GPtrArray *
read_elements (const SvCommitRequest *request, const SvManifest *manifest, GError **error)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func (draft_free);
  for (gsize i = 0; request->elements != NULL && request->elements[i] != NULL; i++)
    if (*request->elements[i] != '\0' && !add_element (drafts, request->elements[i], manifest, error))
      return NULL;
  if (drafts->len > 0)
    return g_steal_pointer (&drafts);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "no element is named; give --elements A,B (see `sv miner elements`)");
  return NULL;
}

/* ── --bind ── */

static gboolean
take_cap (Draft *draft, const char *text, const char *where, GError **error)
{
  if (draft->has_cap)
    return TRUE;
  if (!sv_cap_parse (text, &draft->binding.cap_milli))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "%s: cap `%s` is not frames per second (more than 0, at most three decimals, as in 25 or 12.5)", where, text);
    return FALSE;
  }
  draft->has_cap = TRUE;
  return TRUE;
}

static gboolean
apply_bind (GPtrArray *drafts, const char *bind, GError **error)
{
  g_auto (GStrv) sides = g_strsplit (bind, "=", 2);
  g_auto (GStrv) values = g_strsplit (sides[0] != NULL && sides[1] != NULL ? sides[1] : "", ",", -1);
  guint n = g_strv_length (values);
  if (n < 3 || n > 4)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--bind %s: expected ELEMENT=revision,slug,chute_id[,cap]", bind);
    return FALSE;
  }
  Draft *draft = find_draft (drafts, sides[0]);
  if (draft == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--bind names %s, which is not in --elements", sides[0]);
    return FALSE;
  }
  if (draft->is_bound)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--bind names %s twice", sides[0]);
    return FALSE;
  }
  draft->is_bound = TRUE;
  if (*values[0] != '\0')
    g_clear_pointer (&draft->binding.hf_revision, g_free);
  take (&draft->binding.hf_revision, values[0]);
  take (&draft->binding.chute_slug, values[1]);
  take (&draft->binding.chute_id, values[2]);
  return n == 3 || take_cap (draft, values[3], "--bind", error);
}

/* ── the bindings file ── */

/* A cap has at most three decimals, in a file as on the chain. */
static void
take_file_cap (Draft *draft, const SvScope *scope)
{
  double cap;
  if (!sv_scope_number (scope, "service_cap_fps", SV_OPTIONAL, 0.001, 1e9, &cap) || draft->has_cap)
    return;
  double milli = round (cap * 1000.0);
  if (fabs (cap * 1000.0 - milli) > 1e-4)
    sv_scope_fault (scope, "service_cap_fps", "has more than three decimals");
  draft->binding.cap_milli = (guint64)milli;
  draft->has_cap = TRUE;
}

static void
apply_file_binding (GPtrArray *drafts, const json_t *item, const char *pointer, SvFaults *faults)
{
  g_auto (SvScope) scope = { 0 };
  if (!sv_scope_init (&scope, item, pointer, faults))
    return;
  const char *element_id = sv_scope_string (&scope, "element_id", SV_REQUIRED);
  Draft *draft = element_id != NULL ? find_draft (drafts, element_id) : NULL;
  if (draft == NULL)
    return;
  if (draft->is_in_file)
    sv_scope_fault (&scope, "element_id", "%s is there twice", element_id);
  draft->is_in_file = TRUE;
  take (&draft->binding.hf_revision, sv_scope_string (&scope, "hf_revision", SV_OPTIONAL));
  take (&draft->binding.chute_slug, sv_scope_string (&scope, "chute_slug", SV_OPTIONAL));
  take (&draft->binding.chute_id, sv_scope_string (&scope, "chute_id", SV_OPTIONAL));
  take_file_cap (draft, &scope);
}

static gboolean
report_faults (const SvFaults *faults, const SvPlaces *places, GError **error)
{
  if (faults->n_errors == 0)
    return TRUE;
  g_autoptr (GString) lines = g_string_new (NULL);
  for (guint i = 0; i < faults->items->len; i++)
  {
    g_autofree char *line = sv_places_describe (places, g_ptr_array_index (faults->items, i));
    g_string_append_printf (lines, "%s%s", i > 0 ? "\n" : "", line);
  }
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s", lines->str);
  return FALSE;
}

static gboolean
apply_file (GPtrArray *drafts, const SvCommitRequest *request, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = sv_file_read (request->bindings_path, MAX_FILE_SIZE, &local);
  if (bytes == NULL && !request->bindings_path_given && g_error_matches (local, SV_ERROR, SV_ERROR_NOT_FOUND))
    return TRUE;
  if (bytes == NULL)
  {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  g_autoptr (SvPlaces) places = NULL;
  g_autoptr (json_t) json = sv_authored_parse (request->bindings_path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                                               MAX_FILE_SIZE, &places, error);
  if (json == NULL)
    return FALSE;
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_auto (SvScope) scope = { 0 };
  const json_t *bindings =
      sv_scope_init (&scope, json, "", faults) ? sv_scope_array (&scope, "bindings", SV_REQUIRED, 0, 1024) : NULL;
  gsize index;
  const json_t *item;
  json_array_foreach ((json_t *)bindings, index, item)
  {
    g_autofree char *pointer = sv_pointer_index ("/bindings", index);
    apply_file_binding (drafts, item, pointer, faults);
  }
  return report_faults (faults, places, error);
}

/* ── what is still missing, or wrong ── */

static void
check_field (GString *problems, const Draft *draft, const char *name, const char *value, gboolean (*is_valid) (const char *),
             const char *form)
{
  if (value == NULL)
    g_string_append_printf (problems, "\n  %s: %s is missing", draft->binding.element_id, name);
  else if (!is_valid (value))
    g_string_append_printf (problems, "\n  %s: %s `%s` is not %s", draft->binding.element_id, name, value, form);
}

static gboolean
check_complete (const GPtrArray *drafts, const SvCommitRequest *request, GError **error)
{
  g_autoptr (GString) problems = g_string_new (NULL);
  guint64 total;
  if (request->service_cap == NULL)
    g_string_append (problems, "\n  --service-cap-fps is missing: frames per second served in all, as in 45 or 12.5");
  else if (!sv_cap_parse (request->service_cap, &total))
    g_string_append_printf (problems, "\n  --service-cap-fps `%s` is not frames per second, as in 45 or 12.5",
                            request->service_cap);
  gsize of_caps = problems->len;
  for (guint i = 0; i < drafts->len; i++)
  {
    const Draft *draft = g_ptr_array_index (drafts, i);
    check_field (problems, draft, "hf_revision", draft->binding.hf_revision, sv_hf_revision_is_valid,
                 "a revision ([A-Za-z0-9][A-Za-z0-9._/-]*)");
    check_field (problems, draft, "chute_slug", draft->binding.chute_slug, sv_chute_slug_is_valid,
                 "a slug (lower-case letters, digits, hyphens)");
    check_field (problems, draft, "chute_id", draft->binding.chute_id, sv_chute_id_is_valid, "a lower-case UUID");
  }
  if (problems->len == 0)
    return TRUE;
  g_autofree char *advice =
      problems->len > of_caps
          ? g_strdup_printf ("\nGive --bind ELEMENT=revision,slug,chute_id[,cap] or write it to %s", request->bindings_path)
          : g_strdup ("");
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "the commitment is not complete:%s%s", problems->str, advice);
  return FALSE;
}

/* ── caps ── */

static guint64
caps_bound_elsewhere (const GPtrArray *drafts, const SvFold *fold)
{
  guint64 sum = 0;
  GHashTableIter iter;
  gpointer id, value;
  g_hash_table_iter_init (&iter, fold->bound);
  while (g_hash_table_iter_next (&iter, &id, &value))
    if (find_draft ((GPtrArray *)drafts, id) == NULL)
      sum += ((SvBoundElement *)value)->binding.cap_milli;
  return sum;
}

/* What remains of the total is shared by those without a cap, in proportion to their service rates, rounded down. */
static gboolean
share_caps (const GPtrArray *drafts, guint64 total, guint64 elsewhere, GError **error)
{
  guint64 given = elsewhere;
  double rates = 0;
  for (guint i = 0; i < drafts->len; i++)
  {
    const Draft *draft = g_ptr_array_index (drafts, i);
    given += draft->has_cap ? draft->binding.cap_milli : 0;
    rates += draft->has_cap ? 0 : draft->service_rate_fps;
  }
  for (guint i = 0; i < drafts->len && given <= total; i++)
  {
    Draft *draft = g_ptr_array_index (drafts, i);
    if (!draft->has_cap)
      draft->binding.cap_milli = (guint64)((double)(total - given) * draft->service_rate_fps / rates);
    if (draft->binding.cap_milli == 0)
      given = G_MAXUINT64;
  }
  if (given <= total)
    return TRUE;
  g_autofree char *total_text = sv_cap_format (total), *elsewhere_text = sv_cap_format (elsewhere);
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "the caps do not fit into --service-cap-fps %s%s%s%s; raise it or give smaller caps", total_text,
               elsewhere > 0 ? " (elements bound already take " : "", elsewhere > 0 ? elsewhere_text : "",
               elsewhere > 0 ? ")" : "");
  return FALSE;
}

/* ── the two plans ── */

SvCommitmentText *
sv_commit_plan (const SvCommitRequest *request, const SvManifest *manifest, const SvFold *fold, GError **error)
{
  g_autoptr (GPtrArray) drafts = read_elements (request, manifest, error);
  if (drafts == NULL)
    return NULL;
  for (gsize i = 0; request->binds != NULL && request->binds[i] != NULL; i++)
    if (!apply_bind (drafts, request->binds[i], error))
      return NULL;
  if (!apply_file (drafts, request, error) || !check_complete (drafts, request, error))
    return NULL;
  guint64 total = 0;
  if (!sv_cap_parse (request->service_cap, &total) || !share_caps (drafts, total, caps_bound_elsewhere (drafts, fold), error))
    return NULL;
  SvCommitmentText *text = sv_commitment_text_new (FALSE, manifest->window_id, total);
  for (guint i = 0; i < drafts->len; i++)
  {
    const SvBinding *b = &((Draft *)g_ptr_array_index (drafts, i))->binding;
    sv_commitment_text_add (text, b->element_id, b->hf_revision, b->chute_slug, b->chute_id, b->cap_milli);
  }
  return text;
}

SvCommitmentText *
sv_withdraw_plan (const SvCommitRequest *request, const SvManifest *manifest, GError **error)
{
  g_autoptr (GPtrArray) drafts = read_elements (request, manifest, error);
  if (drafts == NULL)
    return NULL;
  SvCommitmentText *text = sv_commitment_text_new (TRUE, manifest->window_id, 0);
  for (guint i = 0; i < drafts->len; i++)
    sv_commitment_text_add (text, ((Draft *)g_ptr_array_index (drafts, i))->binding.element_id, NULL, NULL, NULL, 0);
  return text;
}
