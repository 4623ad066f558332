/* An extrinsic of version 4 is its length ‖ 0x84 ‖ address ‖ signature ‖ extensions ‖ call. */
#include "chain/subtensor/extrinsic.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "chain/subtensor/commitment_fields.h"
#include "chain/subtensor/extrinsic_extensions.h"
#include "chain/subtensor/newtype.h"
#include "chain/subtensor/value.h"

#define SIGNED_VERSION_4 0x84
#define MAX_SIGNED_SIZE 256 /* longer payloads are hashed before they are signed */

static gboolean
needs_newer (const char *what, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "this chain %s; a newer version of sv is needed", what);
  return FALSE;
}

/* ── the call ── */

static const SvField *
info_field (const SvCallInfo *call)
{
  for (guint i = 0; i < call->call->n_fields; i++)
    if (g_strcmp0 (call->call->fields[i].name, "info") == 0)
      return &call->call->fields[i];
  return NULL;
}

static gboolean
put_argument (const SvMetadata *metadata, const SvField *field, guint16 netuid, const char *text, GByteArray *out,
              GError **error)
{
  if (g_strcmp0 (field->name, "info") == 0)
    return sv_commitment_fields_put (metadata, field->type, text, out, error);
  gboolean known = g_strcmp0 (field->name, "netuid") == 0 ? sv_newtype_put_integer (metadata, field->type, netuid, out)
                                                          : sv_value_is_empty (metadata, field->type);
  return known || needs_newer ("wants an argument in set_commitment that is not known here", error);
}

GBytes *
sv_commitment_call (const SvMetadata *metadata, guint16 netuid, const char *text, GError **error)
{
  SvCallInfo call;
  g_autoptr (GByteArray) out = g_byte_array_new ();
  if (!sv_metadata_call (metadata, "Commitments", "set_commitment", &call, error))
    return NULL;
  sv_scale_put_u8 (out, call.pallet);
  sv_scale_put_u8 (out, call.call->index);
  if (info_field (&call) == NULL)
  {
    needs_newer ("has a set_commitment without info", error);
    return NULL;
  }
  for (guint i = 0; i < call.call->n_fields; i++)
    if (!put_argument (metadata, &call.call->fields[i], netuid, text, out, error))
      return NULL;
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

gsize
sv_commitment_max_text (const SvMetadata *metadata)
{
  SvCallInfo call;
  const SvField *info = sv_metadata_call (metadata, "Commitments", "set_commitment", &call, NULL) ? info_field (&call) : NULL;
  return info != NULL ? sv_commitment_fields_max_text (metadata, info->type) : 0;
}

/* ── what is signed ── */

static void
put_bytes (GByteArray *out, GBytes *bytes)
{
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  sv_scale_put_raw (out, data, length);
}

/* The payload, and in @extra what the extensions put into the extrinsic. */
static GBytes *
make_payload (const SvMetadata *metadata, const SvExtrinsicContext *context, GBytes *call, GByteArray *extra, GError **error)
{
  g_autoptr (GByteArray) payload = g_byte_array_new (), additional = g_byte_array_new ();
  if (!sv_metadata_takes_extrinsic (metadata, 4))
  {
    needs_newer ("does not take extrinsics of version 4 any more", error);
    return NULL;
  }
  if (!sv_extensions_put (metadata, context, extra, additional, error))
    return NULL;
  put_bytes (payload, call);
  sv_scale_put_raw (payload, extra->data, extra->len);
  sv_scale_put_raw (payload, additional->data, additional->len);
  if (payload->len <= MAX_SIGNED_SIZE)
    return g_byte_array_free_to_bytes (g_steal_pointer (&payload));
  guint8 digest[SV_BLAKE2B_256_SIZE];
  sv_blake2b_256 (payload->data, payload->len, digest);
  return g_bytes_new (digest, sizeof digest);
}

GBytes *
sv_extrinsic_payload (const SvMetadata *metadata, const SvExtrinsicContext *context, GBytes *call, GError **error)
{
  g_autoptr (GByteArray) extra = g_byte_array_new ();
  return make_payload (metadata, context, call, extra, error);
}

/* ── the signed extrinsic ── */

/* Writes the index of the variant @name, whose content is @size bytes that follow. */
static gboolean
put_variant (const SvMetadata *metadata, const SvType *type, const char *name, gsize size, GByteArray *out)
{
  const SvVariant *variant = sv_type_variant (type, name);
  if (variant == NULL || variant->n_fields != 1 || !sv_newtype_is_byte_array (metadata, variant->fields[0].type, size))
    return FALSE;
  sv_scale_put_u8 (out, variant->index);
  return TRUE;
}

static gboolean
put_address (const SvMetadata *metadata, const SvKeypair *keypair, GByteArray *out, GError **error)
{
  guint32 type = sv_metadata_address_type (metadata);
  const SvType *address = sv_newtype_under (metadata, type);
  gboolean known = sv_newtype_is_byte_array (metadata, type, SV_PUBLIC_KEY_SIZE); /* the bare account */
  if (address != NULL && address->kind == SV_TYPE_VARIANT)
    known = put_variant (metadata, address, "Id", SV_PUBLIC_KEY_SIZE, out);
  if (!known)
    return needs_newer ("writes a signer's address in a form that is not known here", error);
  sv_scale_put_raw (out, sv_keypair_public_key (keypair), SV_PUBLIC_KEY_SIZE);
  return TRUE;
}

static gboolean
put_signature (const SvMetadata *metadata, const SvKeypair *keypair, GBytes *payload, GByteArray *out, GError **error)
{
  gsize length;
  const void *data = g_bytes_get_data (payload, &length);
  guint8 signature[SV_SIGNATURE_SIZE];
  const SvType *type = sv_newtype_under (metadata, sv_metadata_signature_type (metadata));
  const char *name = sv_keypair_scheme (keypair) == SV_SCHEME_ED25519 ? "Ed25519" : "Sr25519";
  if (type == NULL || type->kind != SV_TYPE_VARIANT || !put_variant (metadata, type, name, sizeof signature, out))
    return needs_newer ("writes a signature in a form that is not known here", error);
  sv_keypair_sign_raw (keypair, data, length, signature);
  sv_scale_put_raw (out, signature, sizeof signature);
  return TRUE;
}

GBytes *
sv_extrinsic_sign (const SvMetadata *metadata, const SvExtrinsicContext *context, GBytes *call, const SvKeypair *keypair,
                   GError **error)
{
  g_autoptr (GByteArray) extra = g_byte_array_new (), body = g_byte_array_new (), out = g_byte_array_new ();
  g_autoptr (GBytes) payload = make_payload (metadata, context, call, extra, error);
  sv_scale_put_u8 (body, SIGNED_VERSION_4);
  if (payload == NULL || !put_address (metadata, keypair, body, error) ||
      !put_signature (metadata, keypair, payload, body, error))
    return NULL;
  sv_scale_put_raw (body, extra->data, extra->len);
  put_bytes (body, call);
  sv_scale_put_bytes (out, body->data, body->len);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

void
sv_extrinsic_hash (const void *data, gsize length, char hash[67])
{
  guint8 digest[SV_BLAKE2B_256_SIZE];
  sv_blake2b_256 (data, length, digest);
  g_autofree char *hex = sv_hex_encode (digest, sizeof digest);
  g_snprintf (hash, 67, "0x%s", hex);
}
