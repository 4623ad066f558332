/* Rules of `elements[]`: one function per field, each adding its own fault and going on, so that an author sees everything at
 * once. Values that a later version may add are warned about, never refused. */
#include "protocol/element_check.h"

#include "base/hash.h"
#include "base/identifiers.h"

#include <math.h>
#include <string.h>

#define PILLAR_SUM_TOLERANCE 1e-9

static const char *const element_fields[] = {
  "id",          "clips", "preproc", "metrics",   "latency_p95_ms", "service_rate_fps", "pgt_recipe_hash", "baseline_theta",
  "delta_floor", "beta",  "salt",    "telemetry", "challenge_type", "weight",           "window_block",    "track",
  "objects",     NULL
};

void
sv_content_check_hash (const SvScope *scope, const char *key, SvPresence presence, SvContentForm form)
{
  const char *text = sv_scope_string (scope, key, presence);
  if (text == NULL || sv_hash_is_valid (text))
    return;
  g_autofree char *hash = sv_hash_normalize (text);
  if (hash == NULL)
    sv_scope_fault (scope, key, "\"%s\" is not a hash: \"sha256:\" and 64 lower-case hex digits", text);
  else if (form == SV_CONTENT_STORED)
    sv_scope_fault (scope, key, "lacks the prefix \"sha256:\"");
}

/* The reader's own limits include their bounds. */
static gboolean
read_positive (const SvScope *scope, const char *key, double *value)
{
  if (!sv_scope_number (scope, key, SV_REQUIRED, 0, G_MAXDOUBLE, value))
    return FALSE;
  if (*value > 0)
    return TRUE;
  sv_scope_fault (scope, key, "must be greater than 0");
  return FALSE;
}

static void
check_id (const SvScope *element)
{
  const char *id = sv_scope_string (element, "id", SV_REQUIRED);
  if (id != NULL && !sv_element_id_is_valid (id))
    sv_scope_fault (element, "id", "\"%s\" is not an element id like PlayerDetect_v1@1.0 (at most 128 bytes)", id);
}

/* Two spellings of one hash are one clip. */
static void
check_clip_is_new (const SvScope *clip, GHashTable *seen)
{
  const char *text = json_string_value (json_object_get (clip->json, "hash"));
  g_autofree char *hash = text != NULL ? sv_hash_normalize (text) : NULL;
  if (hash == NULL)
    return;
  if (!g_hash_table_add (seen, g_strdup (hash)))
    sv_scope_fault (clip, "hash", "names the clip %s a second time in this element", hash);
}

static void
check_clip (const json_t *json, const char *pointer, SvContentForm form, GHashTable *seen, double *total, SvFaults *faults)
{
  static const char *const fields[] = { "hash", "weight", NULL };
  double weight;
  g_auto (SvScope) clip = { 0 };
  if (!sv_scope_init (&clip, json, pointer, faults))
    return;
  sv_content_check_hash (&clip, "hash", SV_REQUIRED, form);
  check_clip_is_new (&clip, seen);
  if (read_positive (&clip, "weight", &weight))
    *total += weight;
  sv_scope_warn_unknown (&clip, fields);
}

static void
check_clips (const SvScope *element, SvContentForm form)
{
  const json_t *clips = sv_scope_array (element, "clips", SV_REQUIRED, 0, G_MAXSIZE);
  if (clips == NULL)
    return;
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *at = sv_pointer_key (element->pointer, "clips");
  double total = 0;
  for (gsize i = 0; i < json_array_size (clips); i++)
  {
    g_autofree char *pointer = sv_pointer_index (at, i);
    check_clip (json_array_get (clips, i), pointer, form, seen, &total, element->faults);
  }
  if (!isfinite (total))
    sv_scope_fault (element, "clips", "weights sum to more than a number can hold");
}

static void
check_norm (const SvScope *preproc)
{
  static const char *const norms[] = { "rgb-01", "rgb-255", "none", NULL };
  const char *norm = sv_scope_string (preproc, "norm", SV_REQUIRED);
  if (norm != NULL && !g_strv_contains (norms, norm))
    sv_scope_fault (preproc, "norm", "\"%s\" is none of \"rgb-01\", \"rgb-255\" and \"none\"", norm);
}

static void
check_preproc (const SvScope *element)
{
  static const char *const fields[] = { "fps", "resize_long", "norm", NULL };
  double fps;
  guint64 pixels;
  g_auto (SvScope) preproc = { 0 };
  if (!sv_scope_object (element, "preproc", SV_REQUIRED, &preproc))
    return;
  (void)read_positive (&preproc, "fps", &fps);
  if (sv_scope_integer (&preproc, "resize_long", SV_REQUIRED, &pixels) && pixels == 0)
    sv_scope_fault (&preproc, "resize_long", "is 0; it is the longer side in pixels and must be greater");
  check_norm (&preproc);
  sv_scope_warn_unknown (&preproc, fields);
}

static void
check_pillar_sum (const SvScope *metrics, double sum)
{
  char text[32];
  if (fabs (sum - 1.0) <= PILLAR_SUM_TOLERANCE)
    return;
  g_snprintf (text, sizeof text, "%.10g", sum);
  sv_scope_fault (metrics, "pillars", "weights sum to %s, not 1", text);
}

static void
check_pillars (const SvScope *metrics)
{
  const char *name;
  json_t *value;
  double sum = 0;
  gboolean all_read = TRUE;
  g_auto (SvScope) pillars = { 0 };
  if (!sv_scope_object (metrics, "pillars", SV_REQUIRED, &pillars))
    return;
  json_object_foreach ((json_t *)pillars.json, name, value)
  {
    double weight = 0;
    if (*name == '\0')
      sv_scope_fault (&pillars, name, "a pillar needs a name");
    all_read &= sv_scope_number (&pillars, name, SV_REQUIRED, 0, G_MAXDOUBLE, &weight);
    sum += weight;
  }
  if (json_object_size (pillars.json) == 0)
    sv_scope_fault (metrics, "pillars", "is empty; name at least one pillar, with weights that sum to 1");
  else if (all_read) /* else the sum would only repeat the fault */
    check_pillar_sum (metrics, sum);
}

static void
check_metrics (const SvScope *element)
{
  static const char *const fields[] = { "pillars", NULL };
  g_auto (SvScope) metrics = { 0 };
  if (!sv_scope_object (element, "metrics", SV_REQUIRED, &metrics))
    return;
  check_pillars (&metrics);
  sv_scope_warn_unknown (&metrics, fields);
}

static void
check_numbers (const SvScope *element)
{
  double value;
  (void)read_positive (element, "latency_p95_ms", &value);
  (void)read_positive (element, "service_rate_fps", &value);
  (void)sv_scope_number (element, "baseline_theta", SV_REQUIRED, 0, 1, &value);
  (void)sv_scope_number (element, "delta_floor", SV_REQUIRED, 0, G_MAXDOUBLE, &value);
  (void)sv_scope_number (element, "beta", SV_REQUIRED, 0, G_MAXDOUBLE, &value);
}

static void
check_salt_numbers (const SvScope *salt, const char *key, double least)
{
  const json_t *numbers = sv_scope_array (salt, key, SV_OPTIONAL, 0, G_MAXSIZE);
  g_autofree char *at = sv_pointer_key (salt->pointer, key);
  for (gsize i = 0; i < json_array_size (numbers); i++)
  {
    const json_t *item = json_array_get (numbers, i);
    const double value = json_number_value (item);
    if (json_is_number (item) && value >= least && value <= (double)SV_JSON_MAX_INTEGER && floor (value) == value)
      continue;
    g_autofree char *pointer = sv_pointer_index (at, i);
    sv_faults_add (salt->faults, pointer, "is not an integer of at least %g", least);
  }
}

static void
check_salt (const SvScope *element)
{
  static const char *const fields[] = { "offsets", "strides", NULL };
  g_auto (SvScope) salt = { 0 };
  if (!sv_scope_object (element, "salt", SV_OPTIONAL, &salt))
    return;
  check_salt_numbers (&salt, "offsets", 0);
  check_salt_numbers (&salt, "strides", 1); /* a stride of 0 would show one frame for ever */
  sv_scope_warn_unknown (&salt, fields);
}

static void
check_strings (const SvScope *element, const char *key)
{
  const json_t *strings = sv_scope_array (element, key, SV_OPTIONAL, 0, G_MAXSIZE);
  g_autofree char *at = sv_pointer_key (element->pointer, key);
  for (gsize i = 0; i < json_array_size (strings); i++)
  {
    const json_t *item = json_array_get (strings, i);
    const gsize length = json_string_length (item);
    if (length > 0 && memchr (json_string_value (item), '\0', length) == NULL)
      continue;
    g_autofree char *pointer = sv_pointer_index (at, i);
    sv_faults_add (element->faults, pointer, "is not a string with something in it");
  }
}

/* No rule of ours reads these; a wrong type is still more likely a slip than an intention. */
static void
check_carried_through (const SvScope *element)
{
  double weight;
  guint64 block;
  (void)sv_scope_string (element, "challenge_type", SV_OPTIONAL);
  (void)sv_scope_number (element, "weight", SV_OPTIONAL, 0, G_MAXDOUBLE, &weight);
  (void)sv_scope_integer (element, "window_block", SV_OPTIONAL, &block);
  (void)sv_scope_string (element, "track", SV_OPTIONAL);
  check_strings (element, "objects");
}

void
sv_element_check (const json_t *json, const char *pointer, SvContentForm form, SvFaults *faults)
{
  g_auto (SvScope) element = { 0 };
  if (!sv_scope_init (&element, json, pointer, faults))
    return;
  check_id (&element);
  check_clips (&element, form);
  check_preproc (&element);
  check_metrics (&element);
  check_numbers (&element);
  sv_content_check_hash (&element, "pgt_recipe_hash", SV_OPTIONAL, form);
  check_salt (&element);
  check_strings (&element, "telemetry");
  check_carried_through (&element);
  sv_scope_warn_unknown (&element, element_fields);
}
