/* A text is written in fields of one variant: BigRaw where there is one, else the Raws. Any runtime that has BigRaw takes a
 * field of any length there, so that the last piece needs no Raw of its own. */
#include "chain/subtensor/commitment_fields.h"

#include <string.h>

#include "base/error.h"
#include "chain/subtensor/newtype.h"
#include "chain/subtensor/value.h"
#include "protocol/commitment.h"

#define BIG_RAW "BigRaw"
#define BIG_RAW_SIZE 512 /* a bound of the pallet's code, which metadata does not tell */
#define RAW "Raw"

/* (transfer none) the type Data, NULL where CommitmentInfo has another shape than a list of it. */
static const SvType *
data_type (const SvMetadata *metadata, guint32 info_type)
{
  const SvType *list = sv_newtype_under (metadata, info_type);
  const SvType *data = list != NULL && list->kind == SV_TYPE_SEQUENCE ? sv_metadata_type (metadata, list->item) : NULL;
  return data != NULL && data->kind == SV_TYPE_VARIANT ? data : NULL;
}

static gboolean
is_plain (const SvMetadata *metadata, const SvVariant *variant)
{
  const char *digits = g_str_has_prefix (variant->name, RAW) ? variant->name + strlen (RAW) : "";
  gboolean named = strcmp (variant->name, BIG_RAW) == 0 || (*digits != '\0' && digits[strspn (digits, "0123456789")] == '\0');
  return named && variant->n_fields == 1 && sv_newtype_is_bytes (metadata, variant->fields[0].type);
}

/* ── writing ── */

/* (transfer none) BigRaw, NULL where the runtime has none. */
static const SvVariant *
big_raw (const SvMetadata *metadata, const SvType *data)
{
  const SvVariant *big = sv_type_variant (data, BIG_RAW);
  if (big == NULL || !is_plain (metadata, big))
    return NULL;
  return sv_newtype_under (metadata, big->fields[0].type)->kind == SV_TYPE_SEQUENCE ? big : NULL;
}

/* (transfer none) the Raw of exactly @length bytes. */
static const SvVariant *
raw_of (const SvMetadata *metadata, const SvType *data, gsize length)
{
  g_autofree char *name = g_strdup_printf (RAW "%" G_GSIZE_FORMAT, length);
  const SvVariant *raw = sv_type_variant (data, name);
  gboolean fits = raw != NULL && raw->n_fields == 1 && sv_newtype_is_byte_array (metadata, raw->fields[0].type, length);
  return fits ? raw : NULL;
}

static gsize
largest_field (const SvMetadata *metadata, const SvType *data)
{
  gsize largest = 0;
  if (big_raw (metadata, data) != NULL)
    return BIG_RAW_SIZE;
  for (guint i = 0; i < data->n_variants; i++)
  {
    const SvVariant *variant = &data->variants[i];
    const SvType *bytes = is_plain (metadata, variant) ? sv_newtype_under (metadata, variant->fields[0].type) : NULL;
    if (bytes != NULL && bytes->kind == SV_TYPE_ARRAY)
      largest = MAX (largest, bytes->length);
  }
  return largest;
}

static guint64
max_fields (const SvMetadata *metadata)
{
  SvConstant constant;
  if (!sv_metadata_constant (metadata, "Commitments", "MaxFields", &constant, NULL))
    return 0;
  SvScaleReader reader = sv_scale_reader (constant.bytes, constant.length);
  guint64 value = sv_newtype_read_integer (metadata, constant.type, &reader);
  return reader.fault == NULL && sv_scale_left (&reader) == 0 ? value : 0;
}

/* At most MaxFields of them, and at most what is read again. */
static gsize
max_text (const SvMetadata *metadata, gsize field_size)
{
  guint64 n = MIN (max_fields (metadata), SV_COMMITMENT_MAX_TEXT);
  return MIN (n * field_size, SV_COMMITMENT_MAX_TEXT);
}

gsize
sv_commitment_fields_max_text (const SvMetadata *metadata, guint32 info_type)
{
  const SvType *data = data_type (metadata, info_type);
  return data != NULL ? max_text (metadata, largest_field (metadata, data)) : 0;
}

static gboolean
takes_no_text (GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "this chain's Commitments pallet takes no text in a form that is known here; a newer version of sv is needed");
  return FALSE;
}

static gboolean
check_text (const char *text, gsize max, GError **error)
{
  gsize length = strlen (text);
  if (length == 0 || !g_utf8_validate (text, -1, NULL))
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "a commitment text must be UTF-8 and not empty");
  else if (length > max)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "the text has %" G_GSIZE_FORMAT " bytes; this chain takes at most %" G_GSIZE_FORMAT ": split it", length, max);
  else
    return TRUE;
  return FALSE;
}

static gboolean
put_field (const SvMetadata *metadata, const SvType *data, const char *piece, gsize length, GByteArray *out, GError **error)
{
  const SvVariant *big = big_raw (metadata, data);
  const SvVariant *raw = big == NULL ? raw_of (metadata, data, length) : NULL;
  if (big != NULL)
  {
    sv_scale_put_u8 (out, big->index);
    sv_scale_put_bytes (out, piece, length);
    return TRUE;
  }
  if (raw == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "this chain's commitments have no field of %" G_GSIZE_FORMAT " bytes; a newer version of sv is needed",
                 length);
    return FALSE;
  }
  sv_scale_put_u8 (out, raw->index);
  sv_scale_put_raw (out, piece, length);
  return TRUE;
}

gboolean
sv_commitment_fields_put (const SvMetadata *metadata, guint32 info_type, const char *text, GByteArray *out, GError **error)
{
  const SvType *data = data_type (metadata, info_type);
  gsize length = strlen (text), size = data != NULL ? largest_field (metadata, data) : 0;
  gsize max = max_text (metadata, size);
  if (size == 0 || max == 0)
    return takes_no_text (error);
  if (!check_text (text, max, error))
    return FALSE;
  sv_scale_put_compact (out, (length + size - 1) / size);
  for (gsize at = 0; at < length; at += size)
    if (!put_field (metadata, data, text + at, MIN (size, length - at), out, error))
      return FALSE;
  return TRUE;
}

/* ── reading ── */

static void
read_plain (const SvMetadata *metadata, const SvVariant *variant, SvScaleReader *reader, GByteArray *joined)
{
  gsize length;
  const guint8 *bytes = sv_newtype_read_bytes (metadata, variant->fields[0].type, reader, &length);
  if (length > 0 && joined->len <= SV_COMMITMENT_MAX_TEXT)
    g_byte_array_append (joined, bytes, (guint)length);
}

/* A field that is no text: passed over, but for the round at which it is to be revealed. */
static void
read_other (const SvMetadata *metadata, const SvVariant *variant, SvScaleReader *reader, guint64 *reveal_round)
{
  for (guint i = 0; i < variant->n_fields; i++)
  {
    const SvField *field = &variant->fields[i];
    if (g_strcmp0 (field->name, "reveal_round") != 0)
    {
      sv_value_skip (metadata, field->type, reader);
      continue;
    }
    guint64 round = sv_newtype_read_integer (metadata, field->type, reader);
    *reveal_round = MAX (*reveal_round, round);
  }
}

/* FALSE for a field that is no text. */
static gboolean
read_field (const SvMetadata *metadata, const SvType *data, SvScaleReader *reader, GByteArray *joined, guint64 *reveal_round)
{
  const SvVariant *variant = sv_type_variant_at (data, sv_scale_u8 (reader));
  gboolean plain = variant != NULL && is_plain (metadata, variant);
  if (plain)
    read_plain (metadata, variant, reader, joined);
  else if (variant != NULL)
    read_other (metadata, variant, reader, reveal_round);
  else
    sv_scale_fail (reader, "a commitment's field has a variant that the runtime does not know");
  return plain;
}

void
sv_commitment_fields_read (const SvMetadata *metadata, guint32 info_type, SvScaleReader *reader, char **text,
                           guint64 *reveal_round)
{
  const SvType *data = data_type (metadata, info_type);
  g_autoptr (GByteArray) joined = g_byte_array_new ();
  *text = NULL;
  *reveal_round = 0;
  if (data == NULL)
    sv_scale_fail (reader, "the runtime's CommitmentInfo has a form that is not known here");
  gsize n = sv_scale_length (reader, 1);
  gboolean is_text = n > 0;
  for (gsize i = 0; i < n && reader->fault == NULL; i++)
    is_text &= read_field (metadata, data, reader, joined, reveal_round);
  is_text = is_text && reader->fault == NULL && joined->len <= SV_COMMITMENT_MAX_TEXT;
  if (is_text && joined->len == 0)
    *text = g_strdup ("");
  else if (is_text && g_utf8_validate ((const char *)joined->data, (gssize)joined->len, NULL))
    *text = g_strndup ((const char *)joined->data, joined->len);
}
