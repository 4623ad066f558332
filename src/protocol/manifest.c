/* A manifest's life: authored content is normalized into the one form that can be stored, signed, opened again by its hash,
 * and read into a struct that the rest of the program asks. What the fields must look like stands in manifest_check.c; here
 * everything has passed those rules already, so reading a value cannot fail.
 *
 * The struct owns its strings but keeps the JSON beside them: it is what was signed, and holds the fields that are only
 * carried through. */
#include "protocol/manifest.h"

#include "base/hash.h"
#include "protocol/signed_fields.h"

#include <stdlib.h>
#include <string.h>

static const char *const signed_fields[] = { SV_SIGNED_FIELD_NAMES, NULL };

static void
element_clear (SvElement *element)
{
  g_free (element->id);
  for (gsize i = 0; i < element->n_clips; i++)
    g_free (element->clips[i].hash);
  g_free (element->clips);
  for (gsize i = 0; i < element->n_pillars; i++)
    g_free (element->pillars[i].name);
  g_free (element->pillars);
  g_free (element->pgt_recipe_hash);
  g_strfreev (element->telemetry);
}

void
sv_manifest_free (SvManifest *manifest)
{
  if (manifest == NULL)
    return;
  for (gsize i = 0; i < manifest->n_elements; i++)
    element_clear (&manifest->elements[i]);
  g_free (manifest->elements);
  g_clear_pointer (&manifest->document, sv_signed_document_free);
  json_decref (manifest->json);
  g_free (manifest->hash);
  g_free (manifest->window_id);
  g_free (manifest->previous);
  g_strfreev (manifest->issuers);
  g_free (manifest);
}

static double
get_number (const json_t *object, const char *key)
{
  return json_number_value (json_object_get (object, key));
}

static const char *
get_string (const json_t *object, const char *key)
{
  return json_string_value (json_object_get (object, key));
}

static int
compare_clips (const void *a, const void *b)
{
  return strcmp (((const SvManifestClip *)a)->hash, ((const SvManifestClip *)b)->hash);
}

static int
compare_pillars (const void *a, const void *b)
{
  return strcmp (((const SvPillar *)a)->name, ((const SvPillar *)b)->name);
}

static void
read_clips (SvElement *element, const json_t *clips)
{
  element->n_clips = json_array_size (clips);
  if (element->n_clips == 0)
    return;
  element->clips = g_new0 (SvManifestClip, element->n_clips);
  for (gsize i = 0; i < element->n_clips; i++)
  {
    const json_t *clip = json_array_get (clips, i);
    element->clips[i].hash = g_strdup (get_string (clip, "hash"));
    element->clips[i].weight = get_number (clip, "weight");
  }
  qsort (element->clips, element->n_clips, sizeof *element->clips, compare_clips);
}

static void
read_pillars (SvElement *element, json_t *pillars)
{
  const char *name;
  json_t *weight;
  gsize i = 0;
  element->n_pillars = json_object_size (pillars);
  element->pillars = g_new0 (SvPillar, element->n_pillars);
  json_object_foreach (pillars, name, weight)
  {
    element->pillars[i].name = g_strdup (name);
    element->pillars[i++].weight = json_number_value (weight);
  }
  qsort (element->pillars, element->n_pillars, sizeof *element->pillars, compare_pillars);
}

static char **
read_strings (const json_t *array)
{
  g_autoptr (GPtrArray) strings = g_ptr_array_new ();
  for (gsize i = 0; i < json_array_size (array); i++)
    g_ptr_array_add (strings, g_strdup (json_string_value (json_array_get (array, i))));
  g_ptr_array_add (strings, NULL);
  return (char **)g_ptr_array_steal (strings, NULL);
}

static void
read_element (SvElement *element, const json_t *json, const char *default_recipe)
{
  const char *recipe = get_string (json, "pgt_recipe_hash");
  element->id = g_strdup (get_string (json, "id"));
  element->json = json;
  element->latency_p95_ms = get_number (json, "latency_p95_ms");
  element->service_rate_fps = get_number (json, "service_rate_fps");
  element->baseline_theta = get_number (json, "baseline_theta");
  element->delta_floor = get_number (json, "delta_floor");
  element->beta = get_number (json, "beta");
  element->pgt_recipe_hash = g_strdup (recipe != NULL ? recipe : default_recipe);
  element->telemetry = read_strings (json_object_get (json, "telemetry"));
  read_clips (element, json_object_get (json, "clips"));
  read_pillars (element, json_object_get (json_object_get (json, "metrics"), "pillars"));
}

static char **
read_issuers (const json_t *issuers, const char *signed_by)
{
  g_autoptr (GPtrArray) accounts = g_ptr_array_new ();
  for (gsize i = 0; i < json_array_size (issuers); i++)
    g_ptr_array_add (accounts, sv_account_normalize (json_string_value (json_array_get (issuers, i))));
  if (accounts->len == 0 && signed_by != NULL)
    g_ptr_array_add (accounts, g_strdup (signed_by));
  g_ptr_array_add (accounts, NULL);
  return (char **)g_ptr_array_steal (accounts, NULL);
}

/* @json has passed the rules. */
static SvManifest *
manifest_read (json_t *json, const char *signed_by)
{
  SvManifest *manifest = g_new0 (SvManifest, 1);
  const json_t *start = json_object_get (json, "start_block");
  const json_t *elements = json_object_get (json, "elements");
  const char *recipe = get_string (json, "pgt_recipe_hash");
  manifest->json = json_incref (json);
  manifest->window_id = g_strdup (get_string (json, "window_id"));
  manifest->has_start_block = json_is_number (start);
  manifest->start_block = (guint64)json_number_value (start);
  manifest->expiry_block = (guint64)get_number (json, "expiry_block");
  manifest->previous = g_strdup (get_string (json, "previous"));
  manifest->issuers = read_issuers (json_object_get (json, "issuers"), signed_by);
  manifest->n_elements = json_array_size (elements);
  manifest->elements = g_new0 (SvElement, manifest->n_elements);
  for (gsize i = 0; i < manifest->n_elements; i++)
    read_element (&manifest->elements[i], json_array_get (elements, i), recipe);
  return manifest;
}

static void
normalize_hash (json_t *object, const char *key)
{
  const char *text = get_string (object, key);
  g_autofree char *hash = text != NULL ? sv_hash_normalize (text) : NULL;
  if (hash != NULL)
    json_object_set_new (object, key, json_string (hash));
}

static void
normalize_issuers (json_t *issuers)
{
  for (gsize i = 0; i < json_array_size (issuers); i++)
  {
    g_autofree char *address = sv_account_normalize (json_string_value (json_array_get (issuers, i)));
    g_autofree char *text = sv_account_document_form (address);
    json_array_set_new (issuers, i, json_string (text));
  }
}

static int
compare_elements (const void *a, const void *b)
{
  return strcmp (get_string (*(json_t *const *)a, "id"), get_string (*(json_t *const *)b, "id"));
}

static json_t *
sort_elements (const json_t *elements)
{
  const gsize n = json_array_size (elements);
  g_autofree json_t **order = g_new (json_t *, n);
  json_t *sorted = json_array ();
  for (gsize i = 0; i < n; i++)
    order[i] = json_array_get (elements, i);
  qsort (order, n, sizeof *order, compare_elements);
  for (gsize i = 0; i < n; i++)
    json_array_append (sorted, order[i]);
  return sorted;
}

static void
normalize_element (json_t *element)
{
  json_t *clips = json_object_get (element, "clips");
  normalize_hash (element, "pgt_recipe_hash");
  for (gsize i = 0; i < json_array_size (clips); i++)
    normalize_hash (json_array_get (clips, i), "hash");
}

json_t *
sv_manifest_normalize (const json_t *authored, GError **error)
{
  g_autoptr (SvFaults) faults = sv_faults_new ();
  sv_manifest_check_authored (authored, faults);
  if (!sv_faults_check (faults, "manifest", error))
    return NULL;

  json_t *json = json_deep_copy (authored);
  json_t *elements = json_object_get (json, "elements");
  for (gsize i = 0; i < json_array_size (elements); i++)
    normalize_element (json_array_get (elements, i));
  json_object_set_new (json, "elements", sort_elements (elements));
  json_object_set_new (json, "version", json_string (SV_MANIFEST_VERSION));
  normalize_hash (json, "pgt_recipe_hash");
  normalize_issuers (json_object_get (json, "issuers"));
  if (json_is_null (json_object_get (json, "start_block")))
    json_object_del (json, "start_block"); /* `start_block:` with nothing after it is the same as none */
  return json;
}

SvManifest *
sv_manifest_from_authored (const json_t *authored, GError **error)
{
  g_autoptr (json_t) json = sv_manifest_normalize (authored, error);
  return json != NULL ? manifest_read (json, NULL) : NULL;
}

static SvManifest *
manifest_from_document (SvSignedDocument *document)
{
  SvManifest *manifest = manifest_read (document->json, document->signed_by);
  manifest->hash = g_strdup (document->hash);
  manifest->document = document;
  return manifest;
}

SvManifest *
sv_manifest_open (GBytes *bytes, const char *hash, const SvChainId *chain, SvTrustFunc is_trusted, gpointer trust_data,
                  GError **error)
{
  const SvDocumentRules rules = { .type = "manifest",
                                  .chain = chain,
                                  .max_size = SV_MANIFEST_MAX_SIZE,
                                  .hash = hash,
                                  .check_schema = sv_manifest_check_stored,
                                  .is_trusted = is_trusted,
                                  .trust_data = trust_data };
  g_autofree char *what = hash != NULL ? g_strdup_printf ("manifest %s", hash) : g_strdup ("manifest");
  SvSignedDocument *document = sv_signed_document_open (what, bytes, &rules, error);
  return document != NULL ? manifest_from_document (document) : NULL;
}

void
sv_manifest_drop_json (SvManifest *manifest)
{
  for (gsize i = 0; i < manifest->n_elements; i++)
    manifest->elements[i].json = NULL;
  g_clear_pointer (&manifest->json, json_decref);
  if (manifest->document == NULL)
    return;
  g_clear_pointer (&manifest->document->json, json_decref);
  g_clear_pointer (&manifest->document->bytes, g_bytes_unref);
}

/* What was filled in can still break a rule: a start that publishing found may lie behind the authored expiry, and the added
 * fields may carry the document over the size that readers accept. */
static gboolean
check_signed (const SvSignedDocument *document, GError **error)
{
  const gsize size = g_bytes_get_size (document->bytes);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  if (size > SV_MANIFEST_MAX_SIZE)
    sv_faults_add (faults, "", "is %" G_GSIZE_FORMAT " bytes when stored; readers accept at most %d", size,
                   SV_MANIFEST_MAX_SIZE);
  sv_manifest_check_stored (document->json, faults);
  return sv_faults_check (faults, "manifest", error);
}

SvManifest *
sv_manifest_sign (const json_t *authored, guint64 start_block, const char *previous, const SvChainId *chain,
                  const SvKeypair *keypair, gint64 signed_at, GError **error)
{
  g_autoptr (json_t) json = sv_manifest_normalize (authored, error);
  if (json == NULL)
    return NULL;
  if (json_object_get (json, "start_block") == NULL)
    json_object_set_new (json, "start_block", sv_json_integer (start_block));
  json_object_set_new (json, "previous", sv_json_string_or_null (previous));

  g_autoptr (SvSignedDocument) document = sv_signed_document_create (json, "manifest", chain, keypair, signed_at, error);
  if (document == NULL || !check_signed (document, error))
    return NULL;
  return manifest_from_document (g_steal_pointer (&document));
}

gboolean
sv_verify_manifest_signature (const SvManifest *manifest)
{
  return manifest->document != NULL && sv_signed_document_verify_signature (manifest->json);
}

static int
compare_id_with_element (const void *id, const void *element)
{
  return strcmp (id, ((const SvElement *)element)->id);
}

const SvElement *
sv_manifest_find_element (const SvManifest *manifest, const char *element_id)
{
  return bsearch (element_id, manifest->elements, manifest->n_elements, sizeof *manifest->elements, compare_id_with_element);
}

static int
compare_hash_with_clip (const void *hash, const void *clip)
{
  return strcmp (hash, ((const SvManifestClip *)clip)->hash);
}

gboolean
sv_element_has_clip (const SvElement *element, const char *clip_hash)
{
  return element->n_clips > 0 &&
         bsearch (clip_hash, element->clips, element->n_clips, sizeof *element->clips, compare_hash_with_clip) != NULL;
}

gboolean
sv_manifest_same_content (const SvManifest *stored, const json_t *authored)
{
  g_autoptr (json_t) theirs = sv_manifest_normalize (authored, NULL);
  if (theirs == NULL)
    return FALSE;
  g_autoptr (json_t) ours = json_copy (stored->json); /* shallow: only top-level fields are taken out */
  for (gsize i = 0; signed_fields[i] != NULL; i++)
    json_object_del (ours, signed_fields[i]);
  json_object_del (ours, "previous");
  if (json_object_get (theirs, "start_block") == NULL)
    json_object_del (ours, "start_block");
  return sv_json_equal (ours, theirs);
}
