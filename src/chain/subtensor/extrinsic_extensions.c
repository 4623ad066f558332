/* Each extension has two parts, and each part is one of a few things that are known here; its type in the metadata must have
 * the shape of that thing. An extension that is not in the table must be empty in both: many only check, and new ones appear
 * with new runtimes, but one that wants data would make an extrinsic without it unreadable. */
#include "chain/subtensor/extrinsic_extensions.h"

#include <string.h>

#include "base/error.h"
#include "chain/subtensor/newtype.h"
#include "chain/subtensor/value.h"

#define MIN_PERIOD 4
#define MAX_PERIOD 65536

typedef enum
{
  PART_EMPTY,
  PART_SPEC_VERSION,
  PART_TRANSACTION_VERSION,
  PART_GENESIS_HASH,
  PART_ERA,
  PART_ERA_HASH,
  PART_NONCE,
  PART_NO_TIP,
  PART_DISABLED, /* CheckMetadataHash's mode: the first variant, which has this name */
  PART_NONE,     /* an Option without a value */
} Part;

static const struct
{
  const char *identifier;
  Part extra;
  Part additional;
} known[] = {
  { "CheckSpecVersion", PART_EMPTY, PART_SPEC_VERSION },
  { "CheckTxVersion", PART_EMPTY, PART_TRANSACTION_VERSION },
  { "CheckGenesis", PART_EMPTY, PART_GENESIS_HASH },
  { "CheckMortality", PART_ERA, PART_ERA_HASH },
  { "CheckEra", PART_ERA, PART_ERA_HASH },
  { "CheckNonce", PART_NONCE, PART_EMPTY },
  { "ChargeTransactionPayment", PART_NO_TIP, PART_EMPTY },
  { "CheckMetadataHash", PART_DISABLED, PART_NONE },
};

/* ── the era ── */

/* A mortal era of more than 4096 blocks can begin only at every such block. */
static guint64
era_step (guint64 period)
{
  return MAX (period >> 12, 1);
}

static gboolean
check_era (const SvExtrinsicContext *context, GError **error)
{
  guint64 period = context->era_period;
  if (period == 0)
    return TRUE;
  if (period < MIN_PERIOD || period > MAX_PERIOD || (period & (period - 1)) != 0)
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "an era of %" G_GUINT64_FORMAT " blocks: it must be a power of two from 4 to 65536", period);
  else if (context->era_block % era_step (period) != 0)
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "an era of %" G_GUINT64_FORMAT " blocks cannot begin at block %" G_GUINT64_FORMAT
                 ": it must be a multiple of %" G_GUINT64_FORMAT,
                 period, context->era_block, era_step (period));
  else
    return TRUE;
  return FALSE;
}

/* Immortal is the one byte 0. A mortal era is two: the period's power of two less one in the lowest four bits, above them the
 * place in the period at which it begins, in steps. */
static void
put_era (const SvExtrinsicContext *context, GByteArray *out)
{
  guint64 period = context->era_period;
  if (period == 0)
  {
    sv_scale_put_u8 (out, 0);
    return;
  }
  guint16 power = (guint16)g_bit_nth_lsf ((gulong)period, -1);
  guint16 phase = (guint16)(context->era_block % period / era_step (period));
  sv_scale_put_u16 (out, (guint16)((power - 1) | phase << 4));
}

/* ── parts ── */

static gboolean
put_u32 (const SvMetadata *metadata, guint32 type, guint32 value, GByteArray *out)
{
  const SvType *under = sv_newtype_under (metadata, type);
  gboolean is_u32 = under != NULL && under->kind == SV_TYPE_PRIMITIVE && under->primitive == SV_PRIMITIVE_U32;
  if (is_u32)
    sv_scale_put_u32 (out, value);
  return is_u32;
}

static gboolean
put_hash (const SvMetadata *metadata, guint32 type, const guint8 hash[32], GByteArray *out)
{
  gboolean is_hash = sv_newtype_is_byte_array (metadata, type, 32);
  if (is_hash)
    sv_scale_put_raw (out, hash, 32);
  return is_hash;
}

static gboolean
put_compact (const SvMetadata *metadata, guint32 type, guint64 value, GByteArray *out)
{
  const SvType *under = sv_newtype_under (metadata, type);
  return under != NULL && under->kind == SV_TYPE_COMPACT && sv_newtype_put_integer (metadata, type, value, out);
}

/* TRUE for a variant type whose variant 0 has this name and no content. */
static gboolean
begins_with (const SvMetadata *metadata, guint32 type, const char *name)
{
  const SvType *under = sv_newtype_under (metadata, type);
  const SvVariant *first = under != NULL && under->kind == SV_TYPE_VARIANT ? sv_type_variant_at (under, 0) : NULL;
  return first != NULL && first->n_fields == 0 && strcmp (first->name, name) == 0;
}

static gboolean
put_first (const SvMetadata *metadata, guint32 type, const char *name, GByteArray *out)
{
  if (!begins_with (metadata, type, name))
    return FALSE;
  sv_scale_put_u8 (out, 0);
  return TRUE;
}

static gboolean
put_part (const SvMetadata *metadata, guint32 type, Part part, const SvExtrinsicContext *context, GByteArray *out)
{
  switch (part)
  {
  case PART_EMPTY:
    return sv_value_is_empty (metadata, type);
  case PART_SPEC_VERSION:
    return put_u32 (metadata, type, context->spec_version, out);
  case PART_TRANSACTION_VERSION:
    return put_u32 (metadata, type, context->transaction_version, out);
  case PART_GENESIS_HASH:
    return put_hash (metadata, type, context->genesis_hash, out);
  case PART_ERA:
    put_era (context, out);
    return begins_with (metadata, type, "Immortal");
  case PART_ERA_HASH:
    return put_hash (metadata, type, context->era_period == 0 ? context->genesis_hash : context->era_hash, out);
  case PART_NONCE:
    return put_compact (metadata, type, context->nonce, out);
  case PART_NO_TIP:
    return put_compact (metadata, type, 0, out);
  case PART_DISABLED:
    return put_first (metadata, type, "Disabled", out);
  case PART_NONE:
    return put_first (metadata, type, "None", out);
  }
  return FALSE;
}

static gboolean
put_extension (const SvMetadata *metadata, const SvExtension *extension, const SvExtrinsicContext *context, GByteArray *extra,
               GByteArray *additional, GError **error)
{
  Part in_extrinsic = PART_EMPTY, besides = PART_EMPTY;
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (strcmp (known[i].identifier, extension->identifier) == 0)
    {
      in_extrinsic = known[i].extra;
      besides = known[i].additional;
    }
  if (put_part (metadata, extension->type, in_extrinsic, context, extra) &&
      put_part (metadata, extension->additional_type, besides, context, additional))
    return TRUE;
  g_autofree char *name = sv_text_printable (extension->identifier);
  g_set_error (
      error, SV_ERROR, SV_ERROR_UNREACHABLE,
      "this chain wants the transaction extension %s in a form that is not known here; a newer version of sv is needed", name);
  return FALSE;
}

gboolean
sv_extensions_put (const SvMetadata *metadata, const SvExtrinsicContext *context, GByteArray *extra, GByteArray *additional,
                   GError **error)
{
  guint n;
  const SvExtension *extensions = sv_metadata_extensions (metadata, &n);
  if (!check_era (context, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!put_extension (metadata, &extensions[i], context, extra, additional, error))
      return FALSE;
  return TRUE;
}
