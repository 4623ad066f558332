/* The form of a ledger's extrinsics: canonical JSON {"call","chain","nonce","signature","signer"}, the signature over the
 * canonical form of the rest. A reader takes exactly this form and no other field, so that the same extrinsic has one
 * encoding and one hash. */
#include "chain/ledger_extrinsic.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

#define CALL_NAME "set_commitment"
#define MAX_SIZE (6 * SV_LEDGER_MAX_TEXT + 4096) /* a control character of the text is six bytes of JSON */

void
sv_ledger_extrinsic_clear (SvLedgerExtrinsic *extrinsic)
{
  g_clear_pointer (&extrinsic->signer, g_free);
  g_clear_pointer (&extrinsic->text, g_free);
}

void
sv_ledger_hash (const void *data, gsize length, char hash[SV_BLOCK_HASH_TEXT])
{
  guint8 digest[SV_BLAKE2B_256_SIZE];
  sv_blake2b_256 (data, length, digest);
  g_autofree char *hex = sv_hex_encode (digest, sizeof digest);
  g_snprintf (hash, SV_BLOCK_HASH_TEXT, "0x%s", hex);
}

GBytes *
sv_ledger_extrinsic_sign (const SvChainId *chain, const SvKeypair *keypair, const char *text, guint64 nonce, GError **error)
{
  g_autofree char *signer = sv_account_document_form (sv_keypair_address (keypair));
  g_autoptr (json_t) json = json_pack ("{s:{s:s, s:s}, s:o, s:o, s:s}", "call", "name", CALL_NAME, "text", text, "chain",
                                       sv_chain_id_to_json (chain), "nonce", sv_json_integer (nonce), "signer", signer);
  if (!json)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "a commitment text must be UTF-8");
    return NULL;
  }
  g_autoptr (GBytes) unsigned_bytes = sv_json_canonical (json, error);
  if (!unsigned_bytes)
    return NULL;
  g_autofree char *signature =
      sv_keypair_sign (keypair, g_bytes_get_data (unsigned_bytes, NULL), g_bytes_get_size (unsigned_bytes));
  json_object_set_new (json, "signature", json_string (signature));
  return sv_json_canonical (json, error);
}

static gboolean
malformed (GError **error, const char *what)
{
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "extrinsic: %s", what);
  return FALSE;
}

static json_t *
parse_canonical (GBytes *bytes, GError **error)
{
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  g_autoptr (json_t) json = sv_json_parse ("extrinsic", data, size, MAX_SIZE, error);
  if (!json)
    return NULL;
  g_autoptr (GBytes) canonical = sv_json_canonical (json, error);
  if (!canonical)
    return NULL;
  if (!g_bytes_equal (canonical, bytes))
  {
    malformed (error, "it is not canonical JSON");
    return NULL;
  }
  return g_steal_pointer (&json);
}

/* ── one function per rule ── */

static gboolean
check_fields (const json_t *json, GError **error)
{
  static const char *const names[] = { "call", "chain", "nonce", "signature", "signer" };
  gboolean exact = json_is_object (json) && json_object_size (json) == G_N_ELEMENTS (names);
  for (gsize i = 0; exact && i < G_N_ELEMENTS (names); i++)
    exact = json_object_get (json, names[i]) != NULL;
  return exact || malformed (error, "it must have exactly the fields call, chain, nonce, signature and signer");
}

static gboolean
read_text (const json_t *call, char **text, GError **error)
{
  const json_t *name = json_object_get (call, "name"), *value = json_object_get (call, "text");
  if (json_object_size (call) != 2 || !json_is_string (name) || !json_is_string (value) ||
      strcmp (json_string_value (name), CALL_NAME) != 0)
    return malformed (error, "call: it must be {\"name\":\"" CALL_NAME "\",\"text\":…}");
  gsize length = json_string_length (value);
  if (length == 0 || length > SV_LEDGER_MAX_TEXT)
    return malformed (error, "call.text: it must have 1 to " G_STRINGIFY (SV_LEDGER_MAX_TEXT) " bytes");
  if (memchr (json_string_value (value), 0, length))
    return malformed (error, "call.text: it holds a NUL character");
  *text = g_strdup (json_string_value (value));
  return TRUE;
}

static gboolean
check_chain (const json_t *json, const SvChainId *chain, GError **error)
{
  SvChainId named;
  if (!sv_chain_id_from_json (json, &named))
    return malformed (error, "chain: it must be {\"genesis\":\"0x…\",\"netuid\":N}");
  if (sv_chain_id_equal (&named, chain))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "extrinsic: it is for chain %s, netuid %u; this one is %s, netuid %u: sign it anew for this chain",
               named.genesis, named.netuid, chain->genesis, chain->netuid);
  return FALSE;
}

static gboolean
read_nonce (const json_t *json, guint64 *nonce, GError **error)
{
  double value = json_number_value (json);
  if (!json_is_number (json) || value < 0 || value > (double)SV_JSON_MAX_INTEGER || value != (double)(guint64)value)
    return malformed (error, "nonce: it must be an integer from 0 to 2^53 - 1");
  *nonce = (guint64)value;
  return TRUE;
}

static gboolean
read_signer (const json_t *json, char **signer, GError **error)
{
  *signer = json_is_string (json) ? sv_account_normalize (json_string_value (json)) : NULL;
  return *signer || malformed (error, "signer: it must be an account");
}

static gboolean
check_signature (const json_t *json, const char *signer, GError **error)
{
  g_autofree char *signature = g_strdup (json_string_value (json_object_get (json, "signature")));
  g_autoptr (json_t) rest = json_copy ((json_t *)json);
  json_object_del (rest, "signature");
  g_autoptr (GBytes) bytes = sv_json_canonical (rest, error);
  if (!bytes)
    return FALSE;
  if (signature &&
      sv_signature_verify (signer, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), signature, SV_SIGNATURE_DOCUMENT))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "extrinsic: the signature is not %s's", signer);
  return FALSE;
}

gboolean
sv_ledger_extrinsic_open (const SvChainId *chain, GBytes *bytes, SvLedgerExtrinsic *extrinsic, GError **error)
{
  memset (extrinsic, 0, sizeof *extrinsic);
  g_autoptr (json_t) json = parse_canonical (bytes, error);
  if (!json)
    return FALSE;
  sv_ledger_hash (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), extrinsic->hash);
  return check_fields (json, error) && read_text (json_object_get (json, "call"), &extrinsic->text, error) &&
         check_chain (json_object_get (json, "chain"), chain, error) &&
         read_nonce (json_object_get (json, "nonce"), &extrinsic->nonce, error) &&
         read_signer (json_object_get (json, "signer"), &extrinsic->signer, error) &&
         check_signature (json, extrinsic->signer, error);
}
