/* Commitments found in blocks and in storage. A block of a busy chain has hundreds of extrinsics and hardly ever one of ours,
 * so the usual one is passed over as far as its call's two indexes and no further. */
#include "chain/subtensor/extrinsic.h"

#include <string.h>

#include "base/error.h"
#include "chain/subtensor/commitment_fields.h"
#include "chain/subtensor/newtype.h"
#include "chain/subtensor/value.h"

#define SIGNED_VERSION_4 0x84

void
sv_commitment_call_clear (SvCommitmentCall *call)
{
  g_clear_pointer (&call->text, g_free);
}

void
sv_registration_clear (SvRegistration *registration)
{
  g_clear_pointer (&registration->text, g_free);
}

/* ── the envelope ── */

/* FALSE for an address that is no account's own: this runtime looks it up, and only the lookup's answer would be the signer. */
static gboolean
read_account (const SvMetadata *metadata, guint32 type, SvScaleReader *reader, guint8 signer[SV_PUBLIC_KEY_SIZE])
{
  if (!sv_newtype_is_byte_array (metadata, type, SV_PUBLIC_KEY_SIZE))
  {
    sv_scale_fail (reader, "the signer's account has a type that is not known here");
    return FALSE;
  }
  const guint8 *account = sv_scale_take (reader, SV_PUBLIC_KEY_SIZE);
  if (account != NULL)
    memcpy (signer, account, SV_PUBLIC_KEY_SIZE);
  return account != NULL;
}

static gboolean
read_address (const SvMetadata *metadata, SvScaleReader *reader, guint8 signer[SV_PUBLIC_KEY_SIZE])
{
  guint32 type = sv_metadata_address_type (metadata);
  const SvType *address = sv_newtype_under (metadata, type);
  if (address == NULL || address->kind != SV_TYPE_VARIANT)
    return read_account (metadata, type, reader, signer);
  const SvVariant *form = sv_type_variant_at (address, sv_scale_u8 (reader));
  if (form == NULL)
    sv_scale_fail (reader, "the signer's address has a form that the runtime does not know");
  else if (strcmp (form->name, "Id") == 0 && form->n_fields == 1)
    return read_account (metadata, form->fields[0].type, reader, signer);
  for (guint i = 0; form != NULL && i < form->n_fields; i++)
    sv_value_skip (metadata, form->fields[i].type, reader);
  return FALSE;
}

static void
skip_extensions (const SvMetadata *metadata, SvScaleReader *reader)
{
  guint n;
  const SvExtension *extensions = sv_metadata_extensions (metadata, &n);
  for (guint i = 0; i < n; i++)
    sv_value_skip (metadata, extensions[i].type, reader);
}

/* ── the call ── */

static void
read_netuid (const SvMetadata *metadata, guint32 type, SvScaleReader *reader, guint16 *netuid)
{
  guint64 value = sv_newtype_read_integer (metadata, type, reader);
  if (value > G_MAXUINT16)
    sv_scale_fail (reader, "netuid is more than 65535");
  *netuid = (guint16)value;
}

static void
read_arguments (const SvMetadata *metadata, const SvVariant *variant, SvScaleReader *reader, SvCommitmentCall *call)
{
  gboolean has_netuid = FALSE, has_info = FALSE;
  for (guint i = 0; i < variant->n_fields; i++)
  {
    const SvField *field = &variant->fields[i];
    if (!has_netuid && g_strcmp0 (field->name, "netuid") == 0)
    {
      has_netuid = TRUE;
      read_netuid (metadata, field->type, reader, &call->netuid);
    }
    else if (!has_info && g_strcmp0 (field->name, "info") == 0)
    {
      has_info = TRUE;
      sv_commitment_fields_read (metadata, field->type, reader, &call->text, &call->reveal_round);
    }
    else
      sv_value_skip (metadata, field->type, reader);
  }
  if (!has_netuid || !has_info)
    sv_scale_fail (reader, "set_commitment has other arguments than netuid and info");
}

/* (transfer none) the call set_commitment, where these are its indexes. */
static const SvVariant *
commitment_call_at (const SvMetadata *metadata, guint8 pallet, guint8 index)
{
  if (g_strcmp0 (sv_metadata_pallet_name (metadata, pallet), "Commitments") != 0)
    return NULL;
  const SvVariant *call = sv_metadata_call_at (metadata, pallet, index);
  return call != NULL && strcmp (call->name, "set_commitment") == 0 ? call : NULL;
}

static gboolean
read_signed (const SvMetadata *metadata, SvScaleReader *reader, SvCommitmentCall *call)
{
  gboolean has_signer = read_address (metadata, reader, call->signer);
  sv_value_skip (metadata, sv_metadata_signature_type (metadata), reader);
  skip_extensions (metadata, reader);
  guint8 pallet = sv_scale_u8 (reader), index = sv_scale_u8 (reader);
  gboolean is_whole = has_signer && reader->fault == NULL;
  const SvVariant *found = is_whole ? commitment_call_at (metadata, pallet, index) : NULL;
  if (found != NULL)
    read_arguments (metadata, found, reader, call);
  return found != NULL;
}

gboolean
sv_extrinsic_read_commitment (const SvMetadata *metadata, const void *data, gsize length, gboolean *is_one,
                              SvCommitmentCall *call, GError **error)
{
  SvScaleReader reader = sv_scale_reader (data, length);
  memset (call, 0, sizeof *call);
  *is_one = FALSE;
  if (sv_scale_compact (&reader) != sv_scale_left (&reader))
    sv_scale_fail (&reader, "its length is not the one it says");
  if (reader.fault == NULL && sv_scale_u8 (&reader) != SIGNED_VERSION_4 && reader.fault == NULL)
    return TRUE;
  *is_one = read_signed (metadata, &reader, call);
  if (*is_one ? sv_scale_finish (&reader, "extrinsic", error) : sv_scale_check (&reader, "extrinsic", error))
    return TRUE;
  *is_one = FALSE;
  sv_commitment_call_clear (call);
  return FALSE;
}

/* ── the storage ── */

static void
read_registration (const SvMetadata *metadata, const SvType *type, SvScaleReader *reader, SvRegistration *registration)
{
  gboolean has_block = FALSE, has_info = FALSE;
  for (guint i = 0; i < type->n_fields; i++)
  {
    const SvField *field = &type->fields[i];
    if (!has_block && g_strcmp0 (field->name, "block") == 0)
    {
      has_block = TRUE;
      registration->block = sv_newtype_read_integer (metadata, field->type, reader);
    }
    else if (!has_info && g_strcmp0 (field->name, "info") == 0)
    {
      has_info = TRUE;
      sv_commitment_fields_read (metadata, field->type, reader, &registration->text, &registration->reveal_round);
    }
    else
      sv_value_skip (metadata, field->type, reader);
  }
  if (!has_block || !has_info)
    sv_scale_fail (reader, "it has no block or no info");
}

gboolean
sv_registration_decode (const SvMetadata *metadata, const void *data, gsize length, SvRegistration *registration,
                        GError **error)
{
  SvScaleReader reader = sv_scale_reader (data, length);
  memset (registration, 0, sizeof *registration);
  const SvStorageEntry *entry = sv_metadata_storage (metadata, "Commitments", "CommitmentOf", error);
  if (entry == NULL)
    return FALSE;
  const SvType *type = sv_metadata_type (metadata, entry->value_type);
  if (type != NULL && type->kind == SV_TYPE_COMPOSITE)
    read_registration (metadata, type, &reader, registration);
  else
    sv_scale_fail (&reader, "it has a form that is not known here");
  if (sv_scale_finish (&reader, "Commitments.CommitmentOf", error))
    return TRUE;
  sv_registration_clear (registration);
  return FALSE;
}
