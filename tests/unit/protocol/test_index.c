/* The manifest index as a document (docs/protocol.md section 4).
 *
 * Cases:
 *  - the user's fields and ours; it opens again with all its values; another chain or signer is refused
 *  - each rule of the document, passing and failing; unknown fields are warnings; nothing faulty is signed
 *  - an entry must agree with its manifest in every field */
#include "sample_index.h"

#include "base/error.h"

static json_t *
sample_index_json (void)
{
  g_autoptr (SvIndex) index = sample_index ();
  g_autofree char *text = print_index (index);
  return sample_json (text);
}

static void
document_has_the_users_fields (void)
{
  g_autoptr (json_t) json = sample_index_json ();
  const json_t *entry = json_array_get (json_object_get (json, "manifests"), 0);
  const json_t *summary = json_object_get (entry, "elements_summary");
  g_autofree char *item = sv_json_canonical_string (json_array_get (summary, 0));
  g_assert_cmpstr (json_string_value (json_object_get (json, "version")), ==, "1.0");
  g_assert_cmpstr (json_string_value (json_object_get (json, "current_manifest_hash")), ==,
                   json_string_value (json_object_get (entry, "hash")));
  g_assert_cmpstr (json_string_value (json_object_get (entry, "window_id")), ==, "w1");
  g_assert_cmpfloat (json_number_value (json_object_get (entry, "expiry_block")), ==, 200);
  g_assert_cmpstr (json_string_value (json_object_get (entry, "published_at")), ==, "2025-10-23T00:00:00Z");
  g_assert_true (g_str_has_prefix (json_string_value (json_object_get (entry, "published_by")), "ss58:5"));
  g_assert_cmpuint (json_array_size (summary), ==, 2);
  g_assert_cmpstr (item, ==, "{\"baseline_theta\":0.7,\"beta\":1.4,\"id\":\"BallDetect_v1@1.0\",\"service_rate_fps\":30}");
}

static gboolean
trust_nobody (const char *address, gpointer data)
{
  return FALSE;
}

static void
document_opens_again_with_all_its_values (void)
{
  GError *error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (SvIndex) index = sample_index ();
  g_free (index->archive);
  index->archive = g_strdup (HASH_C);
  g_autoptr (SvSignedDocument) document = sv_index_sign (index, keypair, NOW, &error);
  g_assert_no_error (error);
  g_autoptr (SvIndex) opened = sv_index_open (document->bytes, &chain, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (opened->sequence, ==, 3);
  g_assert_cmpstr (opened->archive, ==, HASH_C);
  g_assert_cmpstr (opened->newest, ==, index->newest);
  g_assert_cmpstr (opened->updated_at, ==, "2025-10-23T00:00:00Z");
  g_assert_true (sv_chain_id_equal (&opened->chain, &chain));
  g_assert_cmpstr (opened->document->signed_by, ==, sv_keypair_address (keypair));
  g_assert_cmpstr (entry_at (opened->entries, 0)->published_by, ==, sv_keypair_address (keypair));
  g_assert_true (entry_at (opened->superseded, 0)->is_superseded);
  g_assert_false (entry_at (opened->entries, 0)->is_superseded);
  g_autofree char *before = print_index (index);
  g_autofree char *after = print_index (opened);
  g_assert_cmpstr (before, ==, after);
}

static void
foreign_or_altered_documents_do_not_open (void)
{
  const SvChainId chain = sample_chain ();
  SvChainId other_chain = sample_chain ();
  other_chain.netuid = 1;
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (SvIndex) index = sample_index ();
  g_autoptr (SvSignedDocument) document = sv_index_sign (index, keypair, NOW, NULL);
  g_autoptr (GError) wrong_chain = NULL;
  g_assert_null (sv_index_open (document->bytes, &other_chain, NULL, NULL, &wrong_chain));
  g_assert_error (wrong_chain, SV_ERROR, SV_ERROR_VERIFY);
  g_autoptr (GError) untrusted = NULL;
  g_assert_null (sv_index_open (document->bytes, &chain, trust_nobody, NULL, &untrusted));
  g_assert_error (untrusted, SV_ERROR, SV_ERROR_VERIFY);
  g_autoptr (GError) altered_error = NULL;
  sample_set (document->json, "/sequence", "4");
  g_autoptr (GBytes) altered = sv_json_canonical (document->json, NULL);
  g_assert_null (sv_index_open (altered, &chain, NULL, NULL, &altered_error));
  g_assert_error (altered_error, SV_ERROR, SV_ERROR_VERIFY);
}

typedef struct
{
  const char *pointer;
  const char *value;
  const char *fault_at; /* NULL: none */
  const char *message;
} Case;

#define LIVE "/manifests/0"
#define OLD "/superseded/0"

static const Case cases[] = {
  { "/newest", "null" },
  { "/archive", "\"" HASH_A "\"" },
  { "/current_manifest_hash", "null" },
  { "/manifests", "[]" },
  { "/superseded", "[]" },
  { "/sequence", "4" },
  { "/manifests/1/start_block", "250" },
  { "/version", NULL, "/version", "missing" },
  { "/version", "\"2.0\"", "/version", "\"1.0\"" },
  { "/type", "\"manifest\"", "/type", "not \"index\"" },
  { "/chain", NULL, "/chain", "missing" },
  { "/signed_by", NULL, "/signed_by", "missing" },
  { "/signed_at", NULL, "/signed_at", "missing" },
  { "/signature", NULL, "/signature", "missing" },
  { "/updated_at", NULL, "/updated_at", "missing" },
  { "/updated_at", "\"2025-10-23\"", "/updated_at", "UTC time" },
  { "/newest", "\"x\"", "/newest", "not a hash" },
  { "/archive", "\"x\"", "/archive", "not a hash" },
  { "/current_manifest_hash", "\"" HEX_A "\"", "/current_manifest_hash", "prefix" },
  { "/manifests", NULL, "/manifests", "missing" },
  { "/manifests", "{}", "/manifests", "array" },
  { "/superseded", NULL, "/superseded", "missing" },
  { LIVE, "1", LIVE, "object" },
  { LIVE "/hash", NULL, LIVE "/hash", "missing" },
  { LIVE "/hash", "\"" HEX_A "\"", LIVE "/hash", "prefix" },
  { LIVE "/window_id", NULL, LIVE "/window_id", "missing" },
  { LIVE "/window_id", "\"..\"", LIVE "/window_id", "not a window id" },
  { LIVE "/window_id", "\"w2\"", "/manifests/1", "second live entry of window w2" },
  { LIVE "/start_block", NULL, LIVE "/start_block", "missing" },
  { LIVE "/start_block", "200", LIVE "/expiry_block", "not after" },
  { LIVE "/expiry_block", NULL, LIVE "/expiry_block", "missing" },
  { LIVE "/expiry_block", "201", "/manifests/1", "before the window before it ends" },
  { LIVE "/expiry_block", "301", "/manifests/1", "ascending" },
  { LIVE "/active_from", NULL, LIVE "/active_from", "missing" },
  { LIVE "/active_from", "-1", LIVE "/active_from", "integer" },
  { LIVE "/added_sequence", NULL, LIVE "/added_sequence", "missing" },
  { LIVE "/added_sequence", "0", LIVE "/added_sequence", "between 1" },
  { LIVE "/added_sequence", "4", LIVE "/added_sequence", "between 1" },
  { LIVE "/added_sequence", "2", "/manifests/1/added_sequence", "another entry" },
  { LIVE "/added_sequence", "1", OLD "/added_sequence", "another entry" },
  { LIVE "/published_at", NULL, LIVE "/published_at", "missing" },
  { LIVE "/published_at", "\"now\"", LIVE "/published_at", "UTC time" },
  { LIVE "/published_by", NULL, LIVE "/published_by", "missing" },
  { LIVE "/published_by", "\"ss58:x\"", LIVE "/published_by", "not an account" },
  { LIVE "/superseded_by", "\"" HASH_A "\"", LIVE, "superseded" },
  { LIVE "/superseded_at_block", "5", LIVE, "superseded" },
  { LIVE "/elements_summary", NULL, LIVE "/elements_summary", "missing" },
  { LIVE "/elements_summary", "[]", LIVE "/elements_summary", "at least 1" },
  { LIVE "/elements_summary/0", "[]", LIVE "/elements_summary/0", "object" },
  { LIVE "/elements_summary/0/id", NULL, LIVE "/elements_summary/0/id", "missing" },
  { LIVE "/elements_summary/0/id", "\"a b\"", LIVE "/elements_summary/0/id", "not an element id" },
  { LIVE "/elements_summary/0/beta", "\"1\"", LIVE "/elements_summary/0/beta", "number" },
  { LIVE "/elements_summary/0/baseline_theta", NULL, LIVE "/elements_summary/0/baseline_theta", "missing" },
  { LIVE "/elements_summary/0/service_rate_fps", "-1", LIVE "/elements_summary/0/service_rate_fps", "at least 0" },
  { OLD "/superseded_by", NULL, OLD "/superseded_by", "missing" },
  { OLD "/superseded_by", "\"x\"", OLD "/superseded_by", "not a hash" },
  { OLD "/superseded_at_block", NULL, OLD "/superseded_at_block", "missing" },
};

static void
each_rule_of_the_document_is_checked (void)
{
  g_autoptr (json_t) valid = sample_index_json ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (json_t) json = json_deep_copy (valid);
    g_autoptr (SvFaults) faults = sv_faults_new ();
    sample_set (json, cases[i].pointer, cases[i].value);
    sv_index_check (json, faults);
    g_test_message ("%s = %s", cases[i].pointer, cases[i].value != NULL ? cases[i].value : "(removed)");
    if (cases[i].fault_at != NULL)
      sample_assert_fault (faults, cases[i].fault_at, cases[i].message);
    else
      g_assert_cmpuint (faults->items->len, ==, 0);
  }
}

static void
unknown_fields_are_warnings (void)
{
  static const char *const pointers[] = { "/foo", LIVE "/foo", OLD "/foo", LIVE "/elements_summary/0/foo" };
  g_autoptr (json_t) valid = sample_index_json ();
  for (gsize i = 0; i < G_N_ELEMENTS (pointers); i++)
  {
    g_autoptr (json_t) json = json_deep_copy (valid);
    g_autoptr (SvFaults) faults = sv_faults_new ();
    sample_set (json, pointers[i], "1");
    sv_index_check (json, faults);
    g_assert_cmpuint (faults->n_errors, ==, 0);
    g_assert_cmpuint (faults->n_warnings, ==, 1);
    g_assert_cmpstr (((SvFault *)g_ptr_array_index (faults->items, 0))->pointer, ==, pointers[i]);
  }
}

static void
what_breaks_a_rule_is_not_signed (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (SvIndex) index = sample_index ();
  index->sequence = 0;
  g_assert_null (sv_index_sign (index, keypair, NOW, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
}

static void
entry_must_agree_with_its_manifest (void)
{
  static const struct
  {
    const char *pointer, *value, *field;
  } differences[] = {
    { "/hash", "\"" HASH_A "\"", "hash" },
    { "/window_id", "\"w8\"", "window_id" },
    { "/start_block", "101", "start_block" },
    { "/expiry_block", "199", "expiry_block" },
    { "/published_by", "\"ss58:" BOB "\"", "published_by" },
    { "/elements_summary/1/beta", "3", "elements_summary" },
    { "/elements_summary/1", NULL, "elements_summary" },
    { "/elements_summary/1/foo", "3", "elements_summary" },
  };
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (SvIndex) index = empty_index ();
  g_autoptr (SvManifest) manifest = next_manifest (index, "w1", 100, 200, "2");
  const SvIndexChange change = change_at (110, 112);
  add (index, manifest, &change);
  g_autofree char *text = print_index (index);
  for (gsize i = 0; i < G_N_ELEMENTS (differences); i++)
  {
    g_autoptr (GError) error = NULL;
    g_autoptr (json_t) json = sample_json (text);
    sample_set (json_array_get (json_object_get (json, "manifests"), 0), differences[i].pointer, differences[i].value);
    g_autoptr (SvSignedDocument) document = sv_signed_document_create (json, "index", &chain, keypair, NOW, &error);
    g_assert_no_error (error);
    g_autoptr (SvIndex) other = sv_index_open (document->bytes, &chain, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_false (sv_index_entry_agrees (entry_at (other->entries, 0), manifest, &error));
    g_assert_error (error, SV_ERROR, SV_ERROR_VERIFY);
    g_autofree char *part = g_strdup_printf ("differ in %s;", differences[i].field);
    g_assert_nonnull (strstr (error->message, part));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/index/document-has-the-users-fields", document_has_the_users_fields);
  g_test_add_func ("/index/document-opens-again-with-all-its-values", document_opens_again_with_all_its_values);
  g_test_add_func ("/index/foreign-or-altered-documents-do-not-open", foreign_or_altered_documents_do_not_open);
  g_test_add_func ("/index/each-rule-of-the-document-is-checked", each_rule_of_the_document_is_checked);
  g_test_add_func ("/index/unknown-fields-are-warnings", unknown_fields_are_warnings);
  g_test_add_func ("/index/what-breaks-a-rule-is-not-signed", what_breaks_a_rule_is_not_signed);
  g_test_add_func ("/index/entry-must-agree-with-its-manifest", entry_must_agree_with_its_manifest);
  return g_test_run ();
}
