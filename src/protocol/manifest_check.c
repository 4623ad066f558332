/* Rules of a whole manifest, in its two forms: authored (by a person, who may leave out what publishing fills in) and stored
 * (signed, in the one form that its hash names). Both walk the same rules, so that what validates can be published and read
 * again; rules of one element lie in element_check.c. */
#include "protocol/element_check.h"
#include "protocol/manifest.h"
#include "protocol/signed_fields.h"

#include "base/hash.h"
#include "base/identifiers.h"

#define MAX_ISSUERS 64

static const char *const manifest_fields[] = { SV_SIGNED_FIELD_NAMES, "version",  "window_id", "start_block",
                                               "expiry_block",        "previous", "issuers",   "elements",
                                               "pgt_recipe_hash",     "tee",      NULL };

static void
check_version (const SvScope *manifest, SvContentForm form)
{
  const json_t *version = json_object_get (manifest->json, "version");
  if (form == SV_CONTENT_AUTHORED && json_is_number (version) && json_number_value (version) == 1.3)
    return; /* YAML without quotes */
  const char *text = sv_scope_string (manifest, "version", SV_REQUIRED);
  if (text != NULL && g_strcmp0 (text, SV_MANIFEST_VERSION) != 0)
    sv_scope_fault (manifest, "version", "is \"%s\"; this program knows version \"%s\"", text, SV_MANIFEST_VERSION);
}

static void
check_window_id (const SvScope *manifest)
{
  const char *id = sv_scope_string (manifest, "window_id", SV_REQUIRED);
  if (id != NULL && !sv_window_id_is_valid (id))
    sv_scope_fault (manifest, "window_id",
                    "\"%s\" is not a window id: 1 to 64 letters, digits, '.', '_' and '-', such as 2025-10-23", id);
}

static void
check_blocks (const SvScope *manifest, SvContentForm form)
{
  guint64 start = 0, expiry = 0;
  const SvPresence presence = form == SV_CONTENT_STORED ? SV_REQUIRED : SV_OPTIONAL;
  const gboolean has_start = sv_scope_integer (manifest, "start_block", presence, &start);
  const gboolean has_expiry = sv_scope_integer (manifest, "expiry_block", SV_REQUIRED, &expiry);
  if (has_expiry && expiry == 0)
    sv_scope_fault (manifest, "expiry_block", "is 0; set the block at which the window ends");
  else if (has_start && has_expiry && expiry <= start)
    sv_scope_fault (manifest, "expiry_block",
                    "%" G_GUINT64_FORMAT " is not after start_block %" G_GUINT64_FORMAT "; the window would be empty", expiry,
                    start);
}

static void
check_published_fields (const SvScope *manifest, SvContentForm form)
{
  if (form == SV_CONTENT_AUTHORED)
  {
    sv_signed_fields_refuse (manifest);
    if (json_object_get (manifest->json, "previous") != NULL)
      sv_scope_fault (manifest, "previous", "is filled in by publishing; remove it");
    return;
  }
  sv_signed_fields_check (manifest, "manifest");
  if (json_object_get (manifest->json, "previous") == NULL)
    sv_scope_fault (manifest, "previous", "is missing; it is a hash, or null for the first manifest of a chain");
  sv_content_check_hash (manifest, "previous", SV_OPTIONAL, form);
}

static void
check_issuers (const SvScope *manifest)
{
  const json_t *issuers = sv_scope_array (manifest, "issuers", SV_OPTIONAL, 1, MAX_ISSUERS);
  for (gsize i = 0; i < json_array_size (issuers); i++)
  {
    const char *text = json_string_value (json_array_get (issuers, i));
    g_autofree char *address = text != NULL ? sv_account_normalize (text) : NULL;
    if (address != NULL)
      continue;
    g_autofree char *at = sv_pointer_key (manifest->pointer, "issuers");
    g_autofree char *pointer = sv_pointer_index (at, i);
    sv_faults_add (manifest->faults, pointer, "is not an account (an SS58 address of network 42, with or without \"ss58:\")");
  }
}

/* One pass for both rules about ids: they are unique, and stored ones ascend. @last is the id before. */
static void
check_element_id (const json_t *element, const char *pointer, SvContentForm form, GHashTable *seen, const char **last,
                  SvFaults *faults)
{
  const char *id = json_string_value (json_object_get (element, "id"));
  if (id == NULL)
    return;
  g_autofree char *at = sv_pointer_key (pointer, "id");
  if (!g_hash_table_add (seen, (gpointer)id))
    sv_faults_add (faults, at, "\"%s\" is the id of an element before this one; ids are unique", id);
  else if (form == SV_CONTENT_STORED && *last != NULL && g_strcmp0 (*last, id) > 0)
    sv_faults_add (faults, at, "\"%s\" stands after \"%s\"; stored elements are sorted by id", id, *last);
  *last = id;
}

static void
check_elements (const SvScope *manifest, SvContentForm form)
{
  const json_t *elements = sv_scope_array (manifest, "elements", SV_REQUIRED, 1, SV_MANIFEST_MAX_ELEMENTS);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *at = sv_pointer_key (manifest->pointer, "elements");
  const char *last = NULL;
  for (gsize i = 0; i < json_array_size (elements); i++)
  {
    const json_t *element = json_array_get (elements, i);
    g_autofree char *pointer = sv_pointer_index (at, i);
    sv_element_check (element, pointer, form, manifest->faults);
    check_element_id (element, pointer, form, seen, &last, manifest->faults);
  }
}

static void
check_tee (const SvScope *manifest)
{
  static const char *const fields[] = { "trusted_share_gamma", NULL };
  double gamma;
  g_auto (SvScope) tee = { 0 };
  if (!sv_scope_object (manifest, "tee", SV_OPTIONAL, &tee))
    return;
  (void)sv_scope_number (&tee, "trusted_share_gamma", SV_OPTIONAL, 0, 1, &gamma);
  sv_scope_warn_unknown (&tee, fields);
}

static void
check_manifest (const json_t *json, SvContentForm form, SvFaults *faults)
{
  g_auto (SvScope) manifest = { 0 };
  if (!sv_scope_init (&manifest, json, "", faults))
    return;
  check_version (&manifest, form);
  check_window_id (&manifest);
  check_blocks (&manifest, form);
  check_published_fields (&manifest, form);
  check_issuers (&manifest);
  sv_content_check_hash (&manifest, "pgt_recipe_hash", SV_OPTIONAL, form);
  check_elements (&manifest, form);
  check_tee (&manifest);
  sv_scope_warn_unknown (&manifest, manifest_fields);
}

void
sv_manifest_check_authored (const json_t *json, SvFaults *faults)
{
  check_manifest (json, SV_CONTENT_AUTHORED, faults);
}

void
sv_manifest_check_stored (const json_t *json, SvFaults *faults)
{
  check_manifest (json, SV_CONTENT_STORED, faults);
}
