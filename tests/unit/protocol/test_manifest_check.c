/* The rules of a manifest (docs/protocol.md section 2), each with what passes and what does not. A case takes the valid sample,
 * sets one field, and expects no fault, or exactly one at a place with words that say what to do.
 *
 * Cases:
 *  - authored content: what passes, what fails, what is warned about
 *  - stored content: what passes, what fails
 *  - all faults of a document are found in one pass
 *  - limits on the number of elements and the sum of weights */
#include "sample.h"

typedef struct
{
  const char *pointer; /* the field that is set */
  const char *value;   /* to this JSON; NULL removes it */
  const char *fault_at;
  const char *message; /* part of the fault; NULL: there is none */
} Case;

#define E "/elements/0"

static const Case authored_passes[] = {
  { "/version", "1.3" },
  { "/window_id", "\"a.b_c-9\"" },
  { "/start_block", NULL },
  { "/start_block", "null" },
  { "/start_block", "0" },
  { "/start_block", "199" },
  { "/expiry_block", "9007199254740991" },
  { "/issuers", NULL },
  { "/issuers/0", "\"" BOB "\"" },
  { "/pgt_recipe_hash", NULL },
  { "/pgt_recipe_hash", "\"" HEX_A "\"" },
  { "/tee", NULL },
  { "/tee/trusted_share_gamma", NULL },
  { "/tee/trusted_share_gamma", "0" },
  { "/tee/trusted_share_gamma", "1" },
  { E "/id", "\"ns/Detect-Person\"" },
  { E "/clips", "[]" },
  { E "/clips/1/hash", "\"" HEX_A "\"" },
  { E "/clips/0/weight", "1e-9" },
  { E "/preproc/fps", "0.5" },
  { E "/preproc/norm", "\"rgb-255\"" },
  { E "/preproc/norm", "\"none\"" },
  { E "/metrics/pillars", "{\"a\":1}" },
  { E "/metrics/pillars", "{\"a\":1,\"b\":0}" },
  { E "/metrics/pillars", "{\"a\":0.1,\"b\":0.2,\"c\":0.7}" },
  { E "/metrics/pillars/iou", "0.7000000009" },
  { E "/pgt_recipe_hash", NULL },
  { E "/baseline_theta", "0" },
  { E "/baseline_theta", "1" },
  { E "/delta_floor", "0" },
  { E "/beta", "0" },
  { E "/salt", NULL },
  { E "/salt", "{}" },
  { E "/salt/offsets", "[]" },
  { E "/telemetry", NULL },
  { E "/telemetry", "[]" },
  { E "/challenge_type", NULL },
  { E "/weight", NULL },
  { E "/weight", "0.25" },
  { E "/window_block", NULL },
  { E "/track", NULL },
  { E "/objects", NULL },
  { E "/objects", "[]" },
};

static const Case authored_fails[] = {
  { "/version", NULL, "/version", "missing" },
  { "/version", "\"1.4\"", "/version", "\"1.3\"" },
  { "/version", "1.4", "/version", "string" },
  { "/window_id", NULL, "/window_id", "missing" },
  { "/window_id", "\"../up\"", "/window_id", "not a window id" },
  { "/window_id", "\"\"", "/window_id", "not a window id" },
  { "/window_id", "20251023", "/window_id", "string" },
  { "/start_block", "-1", "/start_block", "integer" },
  { "/start_block", "1.5", "/start_block", "integer" },
  { "/start_block", "\"100\"", "/start_block", "integer" },
  { "/start_block", "200", "/expiry_block", "200 is not after start_block 200" },
  { "/start_block", "201", "/expiry_block", "not after" },
  { "/expiry_block", NULL, "/expiry_block", "missing" },
  { "/expiry_block", "0", "/expiry_block", "is 0" },
  { "/expiry_block", "9007199254740992", "/expiry_block", "integer" },
  { "/previous", "null", "/previous", "remove it" },
  { "/previous", "\"" HASH_A "\"", "/previous", "remove it" },
  { "/type", "\"manifest\"", "/type", "remove it" },
  { "/chain", "{}", "/chain", "remove it" },
  { "/signed_by", "\"ss58:" ALICE "\"", "/signed_by", "remove it" },
  { "/signed_at", "\"2025-10-23T00:00:00Z\"", "/signed_at", "remove it" },
  { "/signature", "\"x\"", "/signature", "remove it" },
  { "/issuers", "[]", "/issuers", "at least 1" },
  { "/issuers", "\"" ALICE "\"", "/issuers", "array" },
  { "/issuers/0", "\"5Grw\"", "/issuers/0", "not an account" },
  { "/issuers/0", "5", "/issuers/0", "not an account" },
  { "/pgt_recipe_hash", "\"sha256:ab\"", "/pgt_recipe_hash", "not a hash" },
  { "/pgt_recipe_hash", "5", "/pgt_recipe_hash", "string" },
  { "/tee", "1", "/tee", "object" },
  { "/tee/trusted_share_gamma", "1.01", "/tee/trusted_share_gamma", "at most 1" },
  { "/tee/trusted_share_gamma", "-0.01", "/tee/trusted_share_gamma", "at least 0" },
  { "/elements", NULL, "/elements", "missing" },
  { "/elements", "[]", "/elements", "at least 1" },
  { "/elements", "{}", "/elements", "array" },
  { "/elements/0", "null", "/elements/0", "object" },
  { E "/id", NULL, E "/id", "missing" },
  { E "/id", "\"a//b\"", E "/id", "not an element id" },
  { E "/id", "\"../../etc\"", E "/id", "not an element id" },
  { E "/id", "\"BallDetect_v1@1.0\"", "/elements/1/id", "unique" },
  { E "/clips", NULL, E "/clips", "missing" },
  { E "/clips", "{}", E "/clips", "array" },
  { E "/clips/0", "\"" HASH_A "\"", E "/clips/0", "object" },
  { E "/clips/0/hash", NULL, E "/clips/0/hash", "missing" },
  { E "/clips/0/hash", "\"sha256:zz\"", E "/clips/0/hash", "not a hash" },
  { E "/clips/0/hash", "\"" HASH_A "\"", E "/clips/1/hash", "second time" },
  { E "/clips/0/weight", NULL, E "/clips/0/weight", "missing" },
  { E "/clips/0/weight", "0", E "/clips/0/weight", "greater than 0" },
  { E "/clips/0/weight", "-1", E "/clips/0/weight", "at least 0" },
  { E "/clips/0/weight", "\"1\"", E "/clips/0/weight", "number" },
  { E "/preproc", NULL, E "/preproc", "missing" },
  { E "/preproc/fps", NULL, E "/preproc/fps", "missing" },
  { E "/preproc/fps", "0", E "/preproc/fps", "greater than 0" },
  { E "/preproc/resize_long", NULL, E "/preproc/resize_long", "missing" },
  { E "/preproc/resize_long", "0", E "/preproc/resize_long", "greater" },
  { E "/preproc/resize_long", "0.5", E "/preproc/resize_long", "integer" },
  { E "/preproc/norm", NULL, E "/preproc/norm", "missing" },
  { E "/preproc/norm", "\"bgr\"", E "/preproc/norm", "rgb-255" },
  { E "/metrics", NULL, E "/metrics", "missing" },
  { E "/metrics/pillars", NULL, E "/metrics/pillars", "missing" },
  { E "/metrics/pillars", "{}", E "/metrics/pillars", "at least one pillar" },
  { E "/metrics/pillars", "{\"\":1}", E "/metrics/pillars/", "name" },
  { E "/metrics/pillars/iou", "0.65", E "/metrics/pillars", "weights sum to 0.95, not 1" },
  { E "/metrics/pillars/iou", "0.700000002", E "/metrics/pillars", "not 1" },
  { E "/metrics/pillars/iou", "-0.7", E "/metrics/pillars/iou", "at least 0" },
  { E "/metrics/pillars/iou", "\"0.7\"", E "/metrics/pillars/iou", "number" },
  { E "/latency_p95_ms", NULL, E "/latency_p95_ms", "missing" },
  { E "/latency_p95_ms", "0", E "/latency_p95_ms", "greater than 0" },
  { E "/service_rate_fps", NULL, E "/service_rate_fps", "missing" },
  { E "/service_rate_fps", "0", E "/service_rate_fps", "greater than 0" },
  { E "/pgt_recipe_hash", "\"x\"", E "/pgt_recipe_hash", "not a hash" },
  { E "/baseline_theta", NULL, E "/baseline_theta", "missing" },
  { E "/baseline_theta", "1.5", E "/baseline_theta", "at most 1" },
  { E "/baseline_theta", "-0.5", E "/baseline_theta", "at least 0" },
  { E "/delta_floor", NULL, E "/delta_floor", "missing" },
  { E "/delta_floor", "-1", E "/delta_floor", "at least 0" },
  { E "/beta", NULL, E "/beta", "missing" },
  { E "/beta", "-1", E "/beta", "at least 0" },
  { E "/salt", "[]", E "/salt", "object" },
  { E "/salt/offsets", "1", E "/salt/offsets", "array" },
  { E "/salt/offsets/1", "-1", E "/salt/offsets/1", "integer of at least 0" },
  { E "/salt/offsets/1", "\"1\"", E "/salt/offsets/1", "integer" },
  { E "/salt/strides/0", "0", E "/salt/strides/0", "integer of at least 1" },
  { E "/salt/strides/0", "1.5", E "/salt/strides/0", "integer" },
  { E "/telemetry", "\"x\"", E "/telemetry", "array" },
  { E "/telemetry/0", "\"\"", E "/telemetry/0", "string" },
  { E "/telemetry/0", "1", E "/telemetry/0", "string" },
  { E "/challenge_type", "0", E "/challenge_type", "string" },
  { E "/weight", "-1", E "/weight", "at least 0" },
  { E "/weight", "\"1\"", E "/weight", "number" },
  { E "/window_block", "1.5", E "/window_block", "integer" },
  { E "/track", "[]", E "/track", "string" },
  { E "/objects", "\"player\"", E "/objects", "array" },
  { E "/objects/0", "null", E "/objects/0", "string" },
};

/* The sample's elements are out of order; a case sets one field of the signed and therefore sorted form. */
static const Case stored_fails[] = {
  { "/version", "1.3", "/version", "string" },
  { "/start_block", NULL, "/start_block", "missing" },
  { "/start_block", "null", "/start_block", "null" },
  { "/start_block", "300", "/expiry_block", "not after" },
  { "/previous", NULL, "/previous", "missing" },
  { "/previous", "\"x\"", "/previous", "not a hash" },
  { "/previous", "\"" HEX_A "\"", "/previous", "prefix" },
  { "/type", NULL, "/type", "missing" },
  { "/type", "\"index\"", "/type", "not \"manifest\"" },
  { "/chain", NULL, "/chain", "missing" },
  { "/chain/genesis", "\"0x12\"", "/chain", "genesis" },
  { "/signed_by", NULL, "/signed_by", "missing" },
  { "/signed_by", "\"ss58:5\"", "/signed_by", "not an account" },
  { "/signed_at", NULL, "/signed_at", "missing" },
  { "/signed_at", "\"yesterday\"", "/signed_at", "UTC time" },
  { "/signature", NULL, "/signature", "missing" },
  { "/signature", "\"ed25519:00\"", "/signature", "not a signature" },
  { "/pgt_recipe_hash", "\"" HEX_A "\"", "/pgt_recipe_hash", "prefix" },
  { "/elements/1/clips/1/hash", "\"" HEX_A "\"", "/elements/1/clips/1/hash", "prefix" },
  { "/elements/0/id", "\"Zebra\"", "/elements/1/id", "sorted by id" },
  { "/elements/0/id", "\"PlayerDetect_v1@1.0\"", "/elements/1/id", "unique" },
  { "/elements/0/beta", "-1", "/elements/0/beta", "at least 0" },
};

static const Case warned[] = {
  { "/foo", "1", "/foo" },
  { E "/foo", "1", E "/foo" },
  { E "/clips/0/foo", "1", E "/clips/0/foo" },
  { E "/preproc/foo", "1", E "/preproc/foo" },
  { E "/metrics/foo", "1", E "/metrics/foo" },
  { E "/salt/foo", "1", E "/salt/foo" },
  { "/tee/foo", "1", "/tee/foo" },
};

static void
authored_content_passes (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (authored_passes); i++)
  {
    const Case *c = &authored_passes[i];
    g_autoptr (json_t) json = sample_authored ("2025-10-23", 100, 200);
    g_autoptr (SvFaults) faults = sv_faults_new ();
    sample_set (json, c->pointer, c->value);
    sv_manifest_check_authored (json, faults);
    for (guint k = 0; k < faults->items->len; k++)
      g_error ("%s = %s: unexpected fault: %s", c->pointer, c->value != NULL ? c->value : "(removed)",
               ((SvFault *)g_ptr_array_index (faults->items, k))->message);
  }
}

static void
authored_content_fails (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (authored_fails); i++)
  {
    const Case *c = &authored_fails[i];
    g_autoptr (json_t) json = sample_authored ("2025-10-23", 100, 200);
    g_autoptr (SvFaults) faults = sv_faults_new ();
    sample_set (json, c->pointer, c->value);
    sv_manifest_check_authored (json, faults);
    g_test_message ("%s = %s", c->pointer, c->value != NULL ? c->value : "(removed)");
    sample_assert_fault (faults, c->fault_at, c->message);
  }
}

static void
stored_content_passes (void)
{
  g_autoptr (SvManifest) first = sample_manifest ("2025-10-23", 100, 200, NULL);
  g_autoptr (SvManifest) second = sample_manifest ("2025-10-24", 200, 300, first->hash);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  sv_manifest_check_stored (first->json, faults);
  sv_manifest_check_stored (second->json, faults);
  g_assert_cmpuint (faults->items->len, ==, 0);
}

static void
stored_content_fails (void)
{
  g_autoptr (SvManifest) manifest = sample_manifest ("2025-10-23", 100, 200, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (stored_fails); i++)
  {
    const Case *c = &stored_fails[i];
    g_autoptr (json_t) json = json_deep_copy (manifest->json);
    g_autoptr (SvFaults) faults = sv_faults_new ();
    sample_set (json, c->pointer, c->value);
    sv_manifest_check_stored (json, faults);
    g_test_message ("%s = %s", c->pointer, c->value != NULL ? c->value : "(removed)");
    sample_assert_fault (faults, c->fault_at, c->message);
  }
}

static void
unknown_fields_are_warnings (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (warned); i++)
  {
    g_autoptr (json_t) json = sample_authored ("2025-10-23", 100, 200);
    g_autoptr (SvFaults) faults = sv_faults_new ();
    sample_set (json, warned[i].pointer, warned[i].value);
    sv_manifest_check_authored (json, faults);
    g_assert_cmpuint (faults->n_errors, ==, 0);
    g_assert_cmpuint (faults->n_warnings, ==, 1);
    g_assert_cmpstr (((SvFault *)g_ptr_array_index (faults->items, 0))->pointer, ==, warned[i].fault_at);
  }
}

static void
all_faults_are_found_at_once (void)
{
  g_autoptr (json_t) json = sample_authored ("2025-10-23", 100, 200);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  sample_set (json, "/version", NULL);
  sample_set (json, "/elements/0/beta", "-1");
  sample_set (json, "/elements/1/preproc/norm", "1");
  sv_manifest_check_authored (json, faults);
  g_assert_cmpuint (faults->n_errors, ==, 3);
}

static void
something_else_than_an_object_is_one_fault (void)
{
  static const char *const texts[] = { "[]", "null", "1", "\"x\"" };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
  {
    g_autoptr (json_t) json = sample_json (texts[i]);
    g_autoptr (SvFaults) faults = sv_faults_new ();
    sv_manifest_check_authored (json, faults);
    sample_assert_fault (faults, "", "object");
  }
}

static void
element_count_is_limited (void)
{
  g_autoptr (json_t) json = sample_authored ("2025-10-23", 100, 200);
  json_t *elements = json_object_get (json, "elements");
  while (json_array_size (elements) < SV_MANIFEST_MAX_ELEMENTS)
  {
    json_t *element = json_deep_copy (json_array_get (elements, 1));
    g_autofree char *id = g_strdup_printf ("E%zu", json_array_size (elements));
    json_object_set_new (element, "id", json_string (id));
    json_array_append_new (elements, element);
  }
  g_autoptr (SvFaults) at_limit = sv_faults_new ();
  sv_manifest_check_authored (json, at_limit);
  g_assert_cmpuint (at_limit->items->len, ==, 0);

  g_autoptr (SvFaults) over = sv_faults_new ();
  json_array_append (elements, json_array_get (elements, 1));
  sv_manifest_check_authored (json, over);
  sample_assert_fault (over, "/elements", "at most 1024");
}

static void
clip_weights_must_have_a_finite_sum (void)
{
  g_autoptr (json_t) json = sample_authored ("2025-10-23", 100, 200);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  sample_set (json, E "/clips/0/weight", "1e308");
  sample_set (json, E "/clips/1/weight", "1e308");
  sv_manifest_check_authored (json, faults);
  sample_assert_fault (faults, E "/clips", "more than a number can hold");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/manifest/authored-content-passes", authored_content_passes);
  g_test_add_func ("/manifest/authored-content-fails", authored_content_fails);
  g_test_add_func ("/manifest/stored-content-passes", stored_content_passes);
  g_test_add_func ("/manifest/stored-content-fails", stored_content_fails);
  g_test_add_func ("/manifest/unknown-fields-are-warnings", unknown_fields_are_warnings);
  g_test_add_func ("/manifest/all-faults-are-found-at-once", all_faults_are_found_at_once);
  g_test_add_func ("/manifest/something-else-than-an-object-is-one-fault", something_else_than_an_object_is_one_fault);
  g_test_add_func ("/manifest/element-count-is-limited", element_count_is_limited);
  g_test_add_func ("/manifest/clip-weights-must-have-a-finite-sum", clip_weights_must_have_a_finite_sum);
  return g_test_run ();
}
