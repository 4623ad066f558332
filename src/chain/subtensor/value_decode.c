/* Values decoded to JSON. */
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "chain/subtensor/value_walk.h"

#define MAX_INTEGER_SIZE 32
#define N_WORDS (MAX_INTEGER_SIZE / 4)
#define BILLION 1000000000

/* What an object takes in memory, counted in plain values. */
#define OBJECT_COST 8

static json_t *decode (SvValueWalk *walk, guint32 id);

/* Divides by 10^9 in place. Returns: the remainder. */
static guint32
divide (guint32 words[N_WORDS])
{
  guint64 remainder = 0;
  for (int i = N_WORDS - 1; i >= 0; i--)
  {
    guint64 part = remainder << 32 | words[i];
    words[i] = (guint32)(part / BILLION);
    remainder = part % BILLION;
  }
  return (guint32)remainder;
}

static gboolean
is_zero (const guint32 words[N_WORDS])
{
  guint32 all = 0;
  for (guint i = 0; i < N_WORDS; i++)
    all |= words[i];
  return all == 0;
}

/* Digits from the last on, nine at a time. */
static json_t *
decimal_string (guint32 words[N_WORDS], gboolean is_negative)
{
  char digits[10 * N_WORDS + 2];
  char *start = digits + sizeof digits;
  while (!is_zero (words))
  {
    guint32 part = divide (words);
    for (guint i = 0; i < 9 && (part != 0 || !is_zero (words)); i++)
    {
      *--start = (char)('0' + part % 10);
      part /= 10;
    }
  }
  if (is_negative)
    *--start = '-';
  return json_stringn_nocheck (start, (gsize)(digits + sizeof digits - start));
}

static void
negate (guint32 words[N_WORDS])
{
  guint64 carry = 1;
  for (guint i = 0; i < N_WORDS; i++)
  {
    carry += (guint32)~words[i];
    words[i] = (guint32)carry;
    carry >>= 32;
  }
}

static json_t *
integer_json (const guint8 *bytes, gsize size, gboolean is_signed)
{
  guint32 words[N_WORDS];
  guint8 wide[MAX_INTEGER_SIZE];
  gboolean is_negative = is_signed && (bytes[size - 1] & 0x80) != 0;
  memset (wide, is_negative ? 0xff : 0, sizeof wide);
  memcpy (wide, bytes, size);
  for (guint i = 0; i < N_WORDS; i++)
    words[i] = wide[4 * i] | (guint32)wide[4 * i + 1] << 8 | (guint32)wide[4 * i + 2] << 16 | (guint32)wide[4 * i + 3] << 24;
  if (is_negative)
    negate (words);
  guint64 low = words[0] | (guint64)words[1] << 32;
  guint32 high[N_WORDS] = { 0 };
  memcpy (high, words + 2, sizeof words - 8);
  if (!is_zero (high) || low > SV_JSON_MAX_INTEGER)
    return decimal_string (words, is_negative);
  return json_real (is_negative ? -(double)low : (double)low);
}

static json_t *
hex_json (const guint8 *bytes, gsize length)
{
  g_autofree char *digits = sv_hex_encode (bytes, length);
  g_autofree char *text = g_strconcat ("0x", digits, NULL);
  return json_string_nocheck (text);
}

static json_t *
decode_named (SvValueWalk *walk, const SvField *fields, guint n_fields)
{
  g_autoptr (json_t) object = json_object ();
  sv_value_spend (walk, OBJECT_COST);
  for (guint i = 0; i < n_fields; i++)
  {
    json_t *value = decode (walk, fields[i].type);
    if (value == NULL)
      return NULL;
    json_object_set_new_nocheck (object, fields[i].name, value);
  }
  return g_steal_pointer (&object);
}

static json_t *
decode_unnamed (SvValueWalk *walk, const SvField *fields, guint n_fields)
{
  g_autoptr (json_t) array = json_array ();
  sv_value_spend (walk, OBJECT_COST);
  for (guint i = 0; i < n_fields; i++)
  {
    json_t *value = decode (walk, fields[i].type);
    if (value == NULL)
      return NULL;
    json_array_append_new (array, value);
  }
  return g_steal_pointer (&array);
}

static gboolean
are_named (const SvField *fields, guint n_fields)
{
  for (guint i = 0; i < n_fields; i++)
  {
    if (fields[i].name == NULL)
      return FALSE;
  }
  return TRUE;
}

/* Of a composite or a variant. */
static json_t *
decode_fields (SvValueWalk *walk, const SvField *fields, guint n_fields)
{
  if (n_fields == 0)
    return json_null ();
  if (are_named (fields, n_fields))
    return decode_named (walk, fields, n_fields);
  return n_fields == 1 ? decode (walk, fields[0].type) : decode_unnamed (walk, fields, n_fields);
}

static json_t *
decode_variant (SvValueWalk *walk, const SvType *type)
{
  const SvVariant *variant = sv_value_read_variant (walk, type);
  sv_value_spend (walk, OBJECT_COST);
  json_t *content = variant != NULL ? decode_fields (walk, variant->fields, variant->n_fields) : NULL;
  if (content == NULL)
    return NULL;
  json_t *object = json_object ();
  json_object_set_new_nocheck (object, variant->name, content);
  return object;
}

static json_t *
decode_items (SvValueWalk *walk, guint32 item, guint64 n)
{
  const SvType *type = sv_metadata_type (walk->metadata, item);
  if (type->kind == SV_TYPE_PRIMITIVE && type->primitive == SV_PRIMITIVE_U8)
  {
    const guint8 *bytes = sv_scale_take (walk->reader, n);
    return bytes != NULL ? hex_json (bytes, n) : NULL;
  }
  g_autoptr (json_t) array = json_array ();
  sv_value_spend (walk, OBJECT_COST);
  for (guint64 i = 0; i < n && walk->reader->fault == NULL; i++)
  {
    json_t *value = decode (walk, item);
    if (value == NULL)
      return NULL;
    json_array_append_new (array, value);
  }
  return walk->reader->fault == NULL ? g_steal_pointer (&array) : NULL;
}

static json_t *
decode_str (SvValueWalk *walk)
{
  gsize length;
  const char *text = sv_value_take_str (walk, &length);
  return text != NULL ? json_stringn_nocheck (text, length) : NULL;
}

static json_t *
decode_char (SvValueWalk *walk)
{
  char text[6];
  gunichar character = sv_value_read_char (walk);
  if (walk->reader->fault != NULL)
    return NULL;
  return json_stringn_nocheck (text, (gsize)g_unichar_to_utf8 (character, text));
}

static json_t *
decode_primitive (SvValueWalk *walk, const SvType *type)
{
  if (type->primitive == SV_PRIMITIVE_BOOL)
    return json_boolean (sv_scale_bool (walk->reader));
  if (type->primitive == SV_PRIMITIVE_CHAR)
    return decode_char (walk);
  if (type->primitive == SV_PRIMITIVE_STR)
    return decode_str (walk);
  gsize size = sv_value_primitive_size (type->primitive);
  const guint8 *bytes = sv_scale_take (walk->reader, size);
  return bytes != NULL ? integer_json (bytes, size, type->primitive >= SV_PRIMITIVE_I8) : NULL;
}

/* A compact of nothing is nothing. */
static json_t *
decode_compact (SvValueWalk *walk, const SvType *type)
{
  guint8 number[16];
  if (type->is_empty)
    return decode (walk, type->item);
  sv_value_read_compact (walk, type, number);
  return walk->reader->fault == NULL ? integer_json (number, sizeof number, FALSE) : NULL;
}

static gboolean
bit_at (const SvBits *bits, gsize place)
{
  gsize width = 8 * bits->unit;
  gsize in_unit = bits->is_msb_first ? width - 1 - place % width : place % width;
  gsize byte = place / width * bits->unit + in_unit / 8;
  return bits->bytes[byte] >> (in_unit % 8) & 1;
}

static json_t *
decode_bits (SvValueWalk *walk, const SvType *type)
{
  SvBits bits = sv_value_take_bits (walk, type);
  if (bits.bytes == NULL)
    return NULL;
  g_autofree char *digits = g_malloc (bits.n_bits + 1);
  for (gsize i = 0; i < bits.n_bits; i++)
    digits[i] = bit_at (&bits, i) ? '1' : '0';
  return json_stringn_nocheck (digits, bits.n_bits);
}

static json_t *
decode_content (SvValueWalk *walk, const SvType *type)
{
  switch (type->kind)
  {
  case SV_TYPE_COMPOSITE:
    return decode_fields (walk, type->fields, type->n_fields);
  case SV_TYPE_TUPLE:
    return decode_unnamed (walk, type->fields, type->n_fields);
  case SV_TYPE_VARIANT:
    return decode_variant (walk, type);
  case SV_TYPE_SEQUENCE:
    return decode_items (walk, type->item, sv_value_read_length (walk, type));
  case SV_TYPE_ARRAY:
    return decode_items (walk, type->item, type->length);
  case SV_TYPE_PRIMITIVE:
    return decode_primitive (walk, type);
  case SV_TYPE_COMPACT:
    return decode_compact (walk, type);
  case SV_TYPE_BIT_SEQUENCE:
    return decode_bits (walk, type);
  }
  return NULL;
}

static json_t *
decode (SvValueWalk *walk, guint32 id)
{
  const SvType *type = sv_value_enter (walk, id);
  json_t *value = type != NULL ? decode_content (walk, type) : NULL;
  sv_value_leave (walk);
  if (walk->reader->fault == NULL)
    return value;
  json_decref (value);
  return NULL;
}

json_t *
sv_value_decode (const SvMetadata *metadata, guint32 type, SvScaleReader *reader)
{
  SvValueWalk walk = sv_value_walk (metadata, reader);
  return decode (&walk, type);
}
