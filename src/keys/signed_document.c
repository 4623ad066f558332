/* Signed documents. sv_signed_document_open() is a row of checks in the protocol's order, each a function of its own, so that
 * the first thing wrong is what is reported and nothing of a document is used before all have passed. The cheap checks stand
 * before the signature, which costs most.
 *
 * Bytes must be canonical, so a document has one byte string, one hash and one thing that was signed. */
#include "keys/signed_document.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rfc3339.h"
#include "base/schema.h"

void
sv_signed_document_free (SvSignedDocument *document)
{
  if (document == NULL)
    return;
  json_decref (document->json);
  g_clear_pointer (&document->bytes, g_bytes_unref);
  g_free (document->hash);
  g_free (document->signed_by);
  g_free (document);
}

/* ---- the checks, in order ---- */

static gboolean
check_size (const char *what, GBytes *bytes, const SvDocumentRules *rules, GError **error)
{
  if (g_bytes_get_size (bytes) <= rules->max_size)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: larger than the limit of %" G_GSIZE_FORMAT " bytes", what,
               rules->max_size);
  return FALSE;
}

static gboolean
check_hash (const char *what, const char *hash, const SvDocumentRules *rules, GError **error)
{
  if (rules->hash == NULL || strcmp (rules->hash, hash) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s: the bytes have the hash %s, not %s", what, hash, rules->hash);
  return FALSE;
}

static gboolean
check_canonical (const char *what, GBytes *bytes, const json_t *json, GError **error)
{
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  if (sv_json_is_canonical (json, data, length))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: the bytes are not canonical JSON (RFC 8785)", what);
  return FALSE;
}

static gboolean
check_type (const char *what, const json_t *json, const SvDocumentRules *rules, GError **error)
{
  const json_t *type = json_object_get (json, "type");
  if (json_is_string (type) && strlen (rules->type) == json_string_length (type) &&
      strcmp (json_string_value (type), rules->type) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: /type: not a document of type \"%s\"", what, rules->type);
  return FALSE;
}

static gboolean
check_chain (const char *what, const json_t *json, const SvDocumentRules *rules, GError **error)
{
  SvChainId chain;
  if (!sv_chain_id_from_json (json_object_get (json, "chain"), &chain))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: /chain: expected {\"genesis\": \"0x…\", \"netuid\": N}", what);
    return FALSE;
  }
  if (rules->chain == NULL || sv_chain_id_equal (rules->chain, &chain))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "%s: /chain: is for subnet %u of chain %s, not for subnet %u of chain %s; check --netuid, --chain "
               "(BITTENSOR_SUBTENSOR_ENDPOINT) or the store",
               what, chain.netuid, chain.genesis, rules->chain->netuid, rules->chain->genesis);
  return FALSE;
}

/* The fields that every signed document has. */
static void
check_common_fields (SvSignedDocument *document, SvFaults *faults)
{
  g_auto (SvScope) scope = { 0 };
  if (!sv_scope_init (&scope, document->json, "", faults))
    return;
  const char *signed_by = sv_scope_string (&scope, "signed_by", SV_REQUIRED);
  const char *signed_at = sv_scope_string (&scope, "signed_at", SV_REQUIRED);
  const char *signature = sv_scope_string (&scope, "signature", SV_REQUIRED);
  guint8 bytes[SV_SIGNATURE_SIZE];
  SvScheme scheme;

  document->signed_by = sv_account_normalize (signed_by);
  if (signed_by != NULL && document->signed_by == NULL)
    sv_scope_fault (&scope, "signed_by", "not an account (an SS58 address of network 42)");
  if (signed_at != NULL && !sv_time_parse (signed_at, &document->signed_at))
    sv_scope_fault (&scope, "signed_at", "not a time (RFC 3339, UTC)");
  if (signature != NULL && !sv_signature_parse (signature, SV_SIGNATURE_DOCUMENT, bytes, &scheme))
    sv_scope_fault (&scope, "signature", "not a signature (\"ed25519:\" or \"sr25519:\", as its last byte says, and 128 hex)");
}

static gboolean
check_schema (const char *what, SvSignedDocument *document, const SvDocumentRules *rules, GError **error)
{
  g_autoptr (SvFaults) faults = sv_faults_new ();
  check_common_fields (document, faults);
  if (rules->check_schema != NULL)
    rules->check_schema (document->json, faults);
  return sv_faults_check (faults, what, error);
}

static gboolean
check_trust (const char *what, const char *signed_by, const SvDocumentRules *rules, GError **error)
{
  if (rules->is_trusted == NULL || rules->is_trusted (signed_by, rules->trust_data))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s: signed by %s, which is not a trusted signer", what, signed_by);
  return FALSE;
}

/* What is signed is the document without its member `signature`. The bytes are canonical, so that is all but one stretch of
 * them; where the stretch occurs again, in an object further in, the caller must write the document anew. Returns: (transfer
 * full) or NULL. */
static GBytes *
cut_signature (GBytes *bytes, const char *signature)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  g_autofree char *member = g_strdup_printf (",\"signature\":\"%s\"", signature);
  gsize member_length = strlen (member);
  const char *found = memmem (data, length, member, member_length);
  if (found == NULL)
    return NULL;
  const char *rest = found + member_length;
  gsize rest_length = length - (gsize)(rest - data);
  if (memmem (rest, rest_length, member, member_length) != NULL)
    return NULL;
  GByteArray *cut = g_byte_array_sized_new ((guint)length);
  g_byte_array_append (cut, (const guint8 *)data, (guint)(found - data));
  g_byte_array_append (cut, (const guint8 *)rest, (guint)rest_length);
  return g_byte_array_free_to_bytes (cut);
}

static gboolean
cut_is_signed (GBytes *cut, const char *signed_by, const char *signature)
{
  gsize length;
  const void *data = g_bytes_get_data (cut, &length);
  return sv_signature_verify (signed_by, data, length, signature, SV_SIGNATURE_DOCUMENT);
}

static gboolean
wrong_signature (const char *what, const char *signed_by, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s: /signature: not the signature of %s over this document", what, signed_by);
  return FALSE;
}

static gboolean
check_signature (const char *what, const SvSignedDocument *document, GError **error)
{
  const char *signature = json_string_value (json_object_get (document->json, "signature"));
  g_autoptr (GBytes) cut = cut_signature (document->bytes, signature);
  gboolean is_right =
      cut != NULL ? cut_is_signed (cut, document->signed_by, signature) : sv_signed_document_verify_signature (document->json);
  return is_right || wrong_signature (what, document->signed_by, error);
}

/* ---- large documents ---- */

/* Parsed, a document takes up to fifty times its size in memory, so of a large one nothing is parsed before its bytes are known
 * to be signed by somebody who is trusted: a mirror can make up what it likes, it cannot make a reader build it. */
#define MAX_PARSED_UNSIGNED (256 * 1024)

static gboolean
check_large (const char *what, GBytes *bytes, const SvDocumentRules *rules, GError **error)
{
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  if (length <= MAX_PARSED_UNSIGNED)
    return TRUE;
  g_autofree char *signer = sv_json_find_string (data, length, "signed_by");
  g_autofree char *signature = sv_json_find_string (data, length, "signature");
  g_autofree char *address = signer != NULL ? sv_account_normalize (signer) : NULL;
  if (address == NULL || signature == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
                 "%s: %" G_GSIZE_FORMAT " bytes in which no account and signature are found: not a signed document", what,
                 length);
    return FALSE;
  }
  if (!check_trust (what, address, rules, error))
    return FALSE;
  g_autoptr (GBytes) cut = cut_signature (bytes, signature);
  return (cut != NULL && cut_is_signed (cut, address, signature)) || wrong_signature (what, address, error);
}

SvSignedDocument *
sv_signed_document_open (const char *what, GBytes *bytes, const SvDocumentRules *rules, GError **error)
{
  if (!check_size (what, bytes, rules, error))
    return NULL;
  g_autoptr (SvSignedDocument) document = g_new0 (SvSignedDocument, 1);
  document->bytes = g_bytes_ref (bytes);
  document->hash = sv_hash_gbytes (bytes);
  if (!check_hash (what, document->hash, rules, error) || !check_large (what, bytes, rules, error))
    return NULL;
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  document->json = sv_json_parse (what, data, length, rules->max_size, error);
  if (document->json == NULL)
    return NULL;
  if (!check_canonical (what, bytes, document->json, error) || !check_type (what, document->json, rules, error) ||
      !check_chain (what, document->json, rules, error) || !check_schema (what, document, rules, error) ||
      !check_trust (what, document->signed_by, rules, error) || !check_signature (what, document, error))
    return NULL;
  return g_steal_pointer (&document);
}

/* ---- signing ---- */

/* What is signed: the canonical form without `signature`. */
static GBytes *
signed_bytes (const json_t *json, GError **error)
{
  g_autoptr (json_t) content = json_copy ((json_t *)json);
  if (!json_is_object (content))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "only a JSON object can be signed");
    return NULL;
  }
  json_object_del (content, "signature");
  return sv_json_canonical (content, error);
}

gboolean
sv_signed_document_verify_signature (const json_t *json)
{
  const char *signed_by = json_string_value (json_object_get (json, "signed_by"));
  const char *signature = json_string_value (json_object_get (json, "signature"));
  g_autofree char *address = sv_account_normalize (signed_by);
  if (address == NULL || signature == NULL)
    return FALSE;
  g_autoptr (GBytes) bytes = signed_bytes (json, NULL);
  if (bytes == NULL)
    return FALSE;
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  return sv_signature_verify (address, data, length, signature, SV_SIGNATURE_DOCUMENT);
}

static void
set_string (json_t *json, const char *key, char *value)
{
  json_object_set_new (json, key, json_string (value));
  g_free (value);
}

SvSignedDocument *
sv_signed_document_create (const json_t *content, const char *type, const SvChainId *chain, const SvKeypair *keypair,
                           gint64 signed_at, GError **error)
{
  g_autoptr (SvSignedDocument) document = g_new0 (SvSignedDocument, 1);
  document->signed_at = signed_at - signed_at % 1000;
  document->signed_by = g_strdup (sv_keypair_address (keypair));
  document->json = json_deep_copy (content);
  json_object_set_new (document->json, "type", json_string (type));
  json_object_set_new (document->json, "chain", sv_chain_id_to_json (chain));
  set_string (document->json, "signed_by", sv_account_document_form (document->signed_by));
  set_string (document->json, "signed_at", sv_time_format (document->signed_at));

  g_autoptr (GBytes) to_sign = signed_bytes (document->json, error);
  if (to_sign == NULL)
    return NULL;
  gsize length;
  const void *data = g_bytes_get_data (to_sign, &length);
  set_string (document->json, "signature", sv_keypair_sign (keypair, data, length));

  document->bytes = sv_json_canonical (document->json, error);
  if (document->bytes == NULL)
    return NULL;
  document->hash = sv_hash_gbytes (document->bytes);
  return g_steal_pointer (&document);
}
