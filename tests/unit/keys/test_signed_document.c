/* Cases: what is created can be opened, and has the protocol's form; each check alone fails what breaks only it; for each pair
 * of neighbouring checks a document that breaks both is reported by the first; nothing but the signature field is left out of
 * what is signed; chain identities; of a large document nothing is parsed before account and signature are known to be right.
 */
#include <glib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/schema.h"
#include "keys/signed_document.h"

#define GENESIS "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03"
#define NOW G_GINT64_CONSTANT (1761177600123) /* 2025-10-23T00:00:00.123Z */

static const SvChainId our_chain = { GENESIS, 44 };
static const SvChainId other_chain = { GENESIS, 45 };
static SvKeypair *signer;

/* What is wrong with a document, each breaking one check, in the order of the checks. */
typedef enum
{
  SIZE,
  HASH,
  JSON,
  CANONICAL,
  TYPE,
  CHAIN,
  SCHEMA,
  TRUST,
  SIGNATURE,
  N_CHECKS,
} Check;

static const char *const messages[N_CHECKS] = {
  "larger than the limit", "the bytes have the hash",      "doc:1:", "not canonical JSON", "/type", "/chain", "/title",
  "not a trusted signer",  "/signature: not the signature"
};

static const SvErrorCode codes[N_CHECKS] = { SV_ERROR_MALFORMED, SV_ERROR_VERIFY,    SV_ERROR_MALFORMED,
                                             SV_ERROR_MALFORMED, SV_ERROR_MALFORMED, SV_ERROR_VERIFY,
                                             SV_ERROR_MALFORMED, SV_ERROR_VERIFY,    SV_ERROR_VERIFY };

static void
check_title (const json_t *document, SvFaults *faults)
{
  g_auto (SvScope) scope = { 0 };
  if (sv_scope_init (&scope, document, "", faults))
    sv_scope_string (&scope, "title", SV_REQUIRED);
}

static gboolean
is_signer (const char *address, gpointer data)
{
  return strcmp (address, data) == 0;
}

static SvDocumentRules
rules_for_signer (void)
{
  return (SvDocumentRules){ .type = "manifest",
                            .chain = &our_chain,
                            .max_size = 4096,
                            .check_schema = check_title,
                            .is_trusted = is_signer,
                            .trust_data = (gpointer)sv_keypair_address (signer) };
}

static SvSignedDocument *
create (const char *type, const SvChainId *chain, gboolean has_title, const SvKeypair *keypair)
{
  g_autoptr (json_t) content = json_pack ("{s:f}", "number", 1.5);
  g_autoptr (GError) error = NULL;
  if (has_title)
    json_object_set_new (content, "title", json_string ("t"));
  SvSignedDocument *document = sv_signed_document_create (content, type, chain, keypair, NOW, &error);
  g_assert_no_error (error);
  return document;
}

/* The canonical bytes with their signature spoiled, spread out, and cut short, as @broken says. */
static GBytes *
spoil (const SvSignedDocument *document, const gboolean broken[N_CHECKS])
{
  g_autofree char *text = sv_json_canonical_string (document->json);
  if (broken[SIGNATURE])
  {
    char *digit = strstr (text, "\"ed25519:") + strlen ("\"ed25519:");
    *digit = *digit == '0' ? '1' : '0';
  }
  if (broken[CANONICAL])
  {
    char *spread = g_strconcat ("{ ", text + 1, NULL);
    g_free (text);
    text = spread;
  }
  return g_bytes_new (text, strlen (text) - (broken[JSON] ? 1 : 0));
}

/* Opens a document in which everything that @broken says is wrong. */
static SvSignedDocument *
open_broken (const gboolean broken[N_CHECKS], GError **error)
{
  g_autoptr (SvKeypair) stranger = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (SvSignedDocument) document =
      create (broken[TYPE] ? "index" : "manifest", broken[CHAIN] ? &other_chain : &our_chain, !broken[SCHEMA],
              broken[TRUST] ? stranger : signer);
  g_autoptr (GBytes) bytes = spoil (document, broken);
  g_autofree char *hash = broken[HASH] ? sv_hash_bytes ("other", 5) : sv_hash_gbytes (bytes);
  SvDocumentRules rules = rules_for_signer ();
  rules.hash = hash;
  if (broken[SIZE])
    rules.max_size = g_bytes_get_size (bytes) - 1;
  return sv_signed_document_open ("doc", bytes, &rules, error);
}

static void
assert_reported (const gboolean broken[N_CHECKS], Check by)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvSignedDocument) document = open_broken (broken, &error);
  g_assert_null (document);
  g_assert_error (error, SV_ERROR, (int)codes[by]);
  g_assert_true (g_str_has_prefix (error->message, "doc"));
  if (strstr (error->message, messages[by]) == NULL)
    g_error ("expected \"%s\" in \"%s\"", messages[by], error->message);
}

static void
test_right_document_opens (void)
{
  const gboolean broken[N_CHECKS] = { FALSE };
  g_autoptr (GError) error = NULL;
  g_autoptr (SvSignedDocument) document = open_broken (broken, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (document->signed_by, ==, sv_keypair_address (signer));
  g_assert_cmpint (document->signed_at, ==, NOW - 123);
  g_autofree char *hash = sv_hash_gbytes (document->bytes);
  g_assert_cmpstr (document->hash, ==, hash);
}

static void
test_each_check_alone (void)
{
  for (int check = 0; check < N_CHECKS; check++)
  {
    gboolean broken[N_CHECKS] = { FALSE };
    broken[check] = TRUE;
    assert_reported (broken, (Check)check);
  }
}

static void
test_first_of_two_neighbours_is_reported (void)
{
  for (int check = 0; check + 1 < N_CHECKS; check++)
  {
    gboolean broken[N_CHECKS] = { FALSE };
    broken[check] = broken[check + 1] = TRUE;
    assert_reported (broken, (Check)check);
  }
}

static void
test_first_of_all_is_reported (void)
{
  for (int first = 0; first < N_CHECKS; first++)
  {
    gboolean broken[N_CHECKS] = { FALSE };
    for (int check = first; check < N_CHECKS; check++)
      broken[check] = TRUE;
    assert_reported (broken, (Check)first);
  }
}

static void
test_created_form (void)
{
  g_autoptr (SvSignedDocument) document = create ("manifest", &our_chain, TRUE, signer);
  g_autofree char *text = g_strndup (g_bytes_get_data (document->bytes, NULL), g_bytes_get_size (document->bytes));
  g_autofree char *expected = g_strdup_printf (
      "{\"chain\":{\"genesis\":\"" GENESIS "\",\"netuid\":44},\"number\":1.5,\"signature\":\"%s\","
      "\"signed_at\":\"2025-10-23T00:00:00Z\",\"signed_by\":\"ss58:%s\",\"title\":\"t\",\"type\":\"manifest\"}",
      json_string_value (json_object_get (document->json, "signature")), sv_keypair_address (signer));
  g_assert_cmpstr (text, ==, expected);
}

static void
test_creating_leaves_the_content_alone (void)
{
  g_autoptr (json_t) content = json_pack ("{s:s,s:s}", "title", "t", "signature", "old");
  g_autoptr (SvSignedDocument) document = sv_signed_document_create (content, "manifest", &our_chain, signer, NOW, NULL);
  g_assert_true (sv_signed_document_verify_signature (document->json));
  g_assert_cmpuint (json_object_size (content), ==, 2);
  g_assert_cmpstr (json_string_value (json_object_get (content, "signature")), ==, "old");
}

static void
test_only_objects_are_signed (void)
{
  g_autoptr (json_t) content = json_array ();
  g_autoptr (GError) error = NULL;
  g_assert_null (sv_signed_document_create (content, "manifest", &our_chain, signer, NOW, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_false (sv_signed_document_verify_signature (content));
}

/* Opens the document after @key has been set to @value (taken; NULL removes it), signed again when @signs. */
static void
assert_changed_is_refused (const char *key, json_t *value, SvErrorCode code, const char *message)
{
  g_autoptr (SvSignedDocument) document = create ("manifest", &our_chain, TRUE, signer);
  g_autoptr (GError) error = NULL;
  SvDocumentRules rules = rules_for_signer ();
  if (value != NULL)
    json_object_set_new (document->json, key, value);
  else
    json_object_del (document->json, key);
  g_autoptr (GBytes) bytes = sv_json_canonical (document->json, NULL);
  g_autoptr (SvSignedDocument) opened = sv_signed_document_open ("doc", bytes, &rules, &error);
  g_assert_null (opened);
  g_assert_error (error, SV_ERROR, (int)code);
  if (strstr (error->message, message) == NULL)
    g_error ("expected \"%s\" in \"%s\"", message, error->message);
}

static void
test_common_fields_are_checked (void)
{
  static const char *const keys[] = { "signed_by", "signed_at", "signature" };
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
  {
    assert_changed_is_refused (keys[i], NULL, SV_ERROR_MALFORMED, keys[i]);
    assert_changed_is_refused (keys[i], json_real (7), SV_ERROR_MALFORMED, keys[i]);
    assert_changed_is_refused (keys[i], json_string ("x"), SV_ERROR_MALFORMED, keys[i]);
  }
  assert_changed_is_refused ("type", NULL, SV_ERROR_MALFORMED, "/type");
  assert_changed_is_refused ("type", json_real (7), SV_ERROR_MALFORMED, "/type");
  assert_changed_is_refused ("type", json_stringn ("manifest\0x", 10), SV_ERROR_MALFORMED, "/type");
  assert_changed_is_refused ("chain", NULL, SV_ERROR_MALFORMED, "/chain");
  assert_changed_is_refused ("chain", json_string (GENESIS), SV_ERROR_MALFORMED, "/chain");
}

static void
test_every_field_is_signed (void)
{
  assert_changed_is_refused ("signed_at", json_string ("2025-10-23T00:00:01Z"), SV_ERROR_VERIFY, "/signature");
  assert_changed_is_refused ("title", json_string ("u"), SV_ERROR_VERIFY, "/signature");
  assert_changed_is_refused ("added", json_true (), SV_ERROR_VERIFY, "/signature");
  assert_changed_is_refused ("number", NULL, SV_ERROR_VERIFY, "/signature");
}

/* What is signed is cut out of the stored bytes, so what looks like a signature further in must stay. */
static void
test_only_the_outermost_signature_is_left_out (void)
{
  g_autofree char *other = sv_keypair_sign (signer, "other", 5);
  g_autoptr (json_t) content =
      json_pack ("{s:s,s:{s:s,s:s},s:s}", "title", "t", "inner", "a", "b", "signature", other, "last", ",\"signature\":\"x\"");
  g_autoptr (SvSignedDocument) document = sv_signed_document_create (content, "manifest", &our_chain, signer, NOW, NULL);
  SvDocumentRules rules = rules_for_signer ();
  g_autoptr (SvSignedDocument) opened = sv_signed_document_open ("doc", document->bytes, &rules, NULL);
  g_assert_nonnull (opened);

  json_t *inner = json_object_get (document->json, "inner");
  json_object_set (inner, "signature", json_object_get (document->json, "signature"));
  g_autoptr (GBytes) changed = sv_json_canonical (document->json, NULL);
  g_autoptr (GError) error = NULL;
  g_assert_null (sv_signed_document_open ("doc", changed, &rules, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_VERIFY);
}

static void
test_both_forms_of_the_signer_are_read (void)
{
  g_autoptr (json_t) content = json_pack ("{s:s,s:s}", "title", "t", "signed_by", sv_keypair_address (signer));
  g_autofree char *bytes = sv_json_canonical_string (content);
  g_autofree char *signature = sv_keypair_sign (signer, bytes, strlen (bytes));
  json_object_set_new (content, "signature", json_string (signature));
  g_assert_true (sv_signed_document_verify_signature (content));
  json_object_set_new (content, "title", json_string ("u"));
  g_assert_false (sv_signed_document_verify_signature (content));
}

static void
test_documents_of_sr25519_keys (void)
{
  guint8 bytes[SV_SIGNATURE_SIZE] = { [63] = 0x80 };
  g_autofree char *forged = sv_signature_format (bytes, SV_SCHEME_SR25519);
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (SV_SCHEME_SR25519);
  g_autoptr (SvSignedDocument) document = create ("manifest", &our_chain, FALSE, keypair);
  g_autoptr (GError) error = NULL;
  SvDocumentRules rules = { .type = "manifest", .max_size = 4096 };
  g_autoptr (SvSignedDocument) opened = sv_signed_document_open ("doc", document->bytes, &rules, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (opened->signed_by, ==, sv_keypair_address (keypair));
  g_assert_true (g_str_has_prefix (json_string_value (json_object_get (opened->json, "signature")), "sr25519:"));
  assert_changed_is_refused ("signature", json_string (forged), SV_ERROR_VERIFY, "not the signature of");
}

static void
test_rules_that_are_left_out (void)
{
  g_autoptr (SvKeypair) stranger = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (SvSignedDocument) document = create ("manifest", &other_chain, FALSE, stranger);
  g_autoptr (GError) error = NULL;
  SvDocumentRules rules = { .type = "manifest", .max_size = 4096 };
  g_autoptr (SvSignedDocument) opened = sv_signed_document_open ("doc", document->bytes, &rules, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (opened->signed_by, ==, sv_keypair_address (stranger));
}

static void
assert_no_chain_id (const char *text)
{
  SvChainId chain;
  g_autoptr (json_t) json = sv_json_parse ("chain", text, strlen (text), 1024, NULL);
  g_assert_nonnull (json);
  g_assert_false (sv_chain_id_from_json (json, &chain));
}

static void
test_chain_ids (void)
{
  SvChainId chain;
  g_autoptr (json_t) json = sv_chain_id_to_json (&our_chain);
  g_assert_true (sv_chain_id_from_json (json, &chain));
  g_assert_true (sv_chain_id_equal (&chain, &our_chain));
  g_assert_false (sv_chain_id_equal (&chain, &other_chain));
  chain.genesis[65] ^= 1;
  g_assert_false (sv_chain_id_equal (&chain, &our_chain));

  g_assert_false (sv_chain_id_from_json (NULL, &chain));
  assert_no_chain_id ("{\"genesis\":\"" GENESIS "\"}");
  assert_no_chain_id ("{\"netuid\":44}");
  assert_no_chain_id ("{\"genesis\":\"" GENESIS "\",\"netuid\":44,\"name\":\"finney\"}");
  assert_no_chain_id ("{\"genesis\":\"" GENESIS "\",\"netuid\":\"44\"}");
  assert_no_chain_id ("{\"genesis\":\"" GENESIS "\",\"netuid\":-1}");
  assert_no_chain_id ("{\"genesis\":\"" GENESIS "\",\"netuid\":1.5}");
  assert_no_chain_id ("{\"genesis\":\"" GENESIS "\",\"netuid\":65536}");
  assert_no_chain_id ("{\"genesis\":\"" GENESIS "00\",\"netuid\":44}");
  assert_no_chain_id ("{\"genesis\":\"0x2F0555CC76FC2840A25A6EA3B9637146806F1F44B090C175FFDE2A7E5AB36C03\",\"netuid\":44}");
  assert_no_chain_id ("{\"genesis\":\"002f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c\",\"netuid\":44}");
  assert_no_chain_id ("[]");
}

/* ---- large documents ---- */

static SvSignedDocument *
create_large (const SvKeypair *keypair)
{
  json_t *rows = json_array ();
  for (guint i = 0; i < 100000; i++)
    json_array_append_new (rows, sv_json_integer (i));
  g_autoptr (json_t) content = json_pack ("{s:s, s:o}", "title", "t", "rows", rows);
  g_autoptr (GError) error = NULL;
  SvSignedDocument *document = sv_signed_document_create (content, "manifest", &our_chain, keypair, NOW, &error);
  g_assert_no_error (error);
  return document;
}

static SvSignedDocument *
open_large (const char *text, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  SvDocumentRules rules = rules_for_signer ();
  rules.max_size = 16 * 1024 * 1024;
  return sv_signed_document_open ("doc", bytes, &rules, error);
}

static void
assert_large_refused (const char *text, SvErrorCode code, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvSignedDocument) document = open_large (text, &error);
  g_assert_null (document);
  g_assert_error (error, SV_ERROR, (int)code);
  if (strstr (error->message, part) == NULL)
    g_error ("expected \"%s\" in \"%s\"", part, error->message);
}

static char *
text_of (const SvSignedDocument *document)
{
  return g_strndup (g_bytes_get_data (document->bytes, NULL), g_bytes_get_size (document->bytes));
}

/* The texts are broken besides, each in a way that only shows when it is parsed. */
static void
test_large_documents (void)
{
  g_autoptr (SvKeypair) stranger = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (SvSignedDocument) right = create_large (signer), strange = create_large (stranger);
  g_autofree char *text = text_of (right), *strange_text = text_of (strange);
  g_autoptr (GError) error = NULL;
  g_autoptr (SvSignedDocument) opened = open_large (text, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (opened->signed_by, ==, sv_keypair_address (signer));

  char *comma = strstr (text, ",17,");
  *comma = ' ';
  assert_large_refused (text, SV_ERROR_VERIFY, "/signature: not the signature of");
  *comma = ',';
  strstr (strange_text, ",17,")[0] = ' ';
  assert_large_refused (strange_text, SV_ERROR_VERIFY, "not a trusted signer");
  char *name = strstr (text, "\"signed_by\"");
  name[1] = 'x';
  assert_large_refused (text, SV_ERROR_MALFORMED, "not a signed document");
  name[1] = 's';
  g_autofree char *longer = g_strconcat (text, " ", NULL); /* signed or not: these are not the bytes that were signed */
  assert_large_refused (longer, SV_ERROR_VERIFY, "/signature");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signer = sv_keypair_generate (SV_SCHEME_ED25519);
  g_test_add_func ("/signed-document/right-document-opens", test_right_document_opens);
  g_test_add_func ("/signed-document/each-check-alone", test_each_check_alone);
  g_test_add_func ("/signed-document/first-of-two-neighbours", test_first_of_two_neighbours_is_reported);
  g_test_add_func ("/signed-document/first-of-all", test_first_of_all_is_reported);
  g_test_add_func ("/signed-document/created-form", test_created_form);
  g_test_add_func ("/signed-document/creating-leaves-the-content-alone", test_creating_leaves_the_content_alone);
  g_test_add_func ("/signed-document/only-objects-are-signed", test_only_objects_are_signed);
  g_test_add_func ("/signed-document/common-fields-are-checked", test_common_fields_are_checked);
  g_test_add_func ("/signed-document/every-field-is-signed", test_every_field_is_signed);
  g_test_add_func ("/signed-document/only-the-outermost-signature", test_only_the_outermost_signature_is_left_out);
  g_test_add_func ("/signed-document/both-forms-of-the-signer", test_both_forms_of_the_signer_are_read);
  g_test_add_func ("/signed-document/documents-of-sr25519-keys", test_documents_of_sr25519_keys);
  g_test_add_func ("/signed-document/rules-that-are-left-out", test_rules_that_are_left_out);
  g_test_add_func ("/signed-document/chain-ids", test_chain_ids);
  g_test_add_func ("/signed-document/large-documents", test_large_documents);
  int status = g_test_run ();
  sv_keypair_free (signer);
  return status;
}
