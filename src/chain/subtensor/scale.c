#include "chain/subtensor/scale.h"

#include <string.h>

#include "base/error.h"

#define MAX_LENGTH (1 << 24)

/* Every integer's two low bits tell how it is written: in one byte, two, four, or as many as the first byte says. */
#define MODE_BITS 2
#define MODE_MASK 3
#define MODE_TWO_BYTES 1
#define MODE_FOUR_BYTES 2
#define MODE_BIG 3

static const char ends_early[] = "ends too early";
static const char not_shortest[] = "a compact integer is not in its shortest form";

SvScaleReader
sv_scale_reader (const void *data, gsize length)
{
  return (SvScaleReader){ .data = length > 0 ? data : (const guint8 *)"", .length = length };
}

void
sv_scale_fail (SvScaleReader *reader, const char *fault)
{
  if (reader->fault == NULL)
    reader->fault = fault;
}

gsize
sv_scale_left (const SvScaleReader *reader)
{
  return reader->length - reader->offset;
}

const guint8 *
sv_scale_take (SvScaleReader *reader, gsize length)
{
  const guint8 *taken = reader->data + reader->offset;
  if (length > sv_scale_left (reader))
    sv_scale_fail (reader, ends_early);
  if (reader->fault != NULL)
    return NULL;
  reader->offset += length;
  return taken;
}

/* A little-endian integer of 1 to 8 bytes. */
static guint64
read_integer (SvScaleReader *reader, gsize size)
{
  const guint8 *bytes = sv_scale_take (reader, size);
  guint64 value = 0;
  for (gsize i = 0; bytes != NULL && i < size; i++)
    value |= (guint64)bytes[i] << (8 * i);
  return value;
}

guint8
sv_scale_u8 (SvScaleReader *reader)
{
  return (guint8)read_integer (reader, 1);
}

guint16
sv_scale_u16 (SvScaleReader *reader)
{
  return (guint16)read_integer (reader, 2);
}

guint32
sv_scale_u32 (SvScaleReader *reader)
{
  return (guint32)read_integer (reader, 4);
}

guint64
sv_scale_u64 (SvScaleReader *reader)
{
  return read_integer (reader, 8);
}

gboolean
sv_scale_bool (SvScaleReader *reader)
{
  guint8 value = sv_scale_u8 (reader);
  if (value <= 1)
    return value;
  sv_scale_fail (reader, "a bool is neither 0 nor 1");
  return FALSE;
}

static guint64
read_big_compact (SvScaleReader *reader, guint8 first)
{
  gsize size = (gsize)(first >> MODE_BITS) + 4;
  if (size > sizeof (guint64))
  {
    sv_scale_fail (reader, "a compact integer is larger than 2^64-1");
    return 0;
  }
  guint64 value = read_integer (reader, size);
  guint64 least = size == 4 ? G_GUINT64_CONSTANT (1) << 30 : G_GUINT64_CONSTANT (1) << (8 * (size - 1));
  if (value < least)
    sv_scale_fail (reader, not_shortest);
  return value;
}

static guint64
read_compact (SvScaleReader *reader)
{
  guint8 first = sv_scale_u8 (reader);
  guint64 value = first >> MODE_BITS;
  switch (first & MODE_MASK)
  {
  case MODE_TWO_BYTES:
    value |= (guint64)sv_scale_u8 (reader) << 6;
    if (value < 1 << 6)
      sv_scale_fail (reader, not_shortest);
    return value;
  case MODE_FOUR_BYTES:
    value |= read_integer (reader, 3) << 6;
    if (value < 1 << 14)
      sv_scale_fail (reader, not_shortest);
    return value;
  case MODE_BIG:
    return read_big_compact (reader, first);
  default:
    return value;
  }
}

guint64
sv_scale_compact (SvScaleReader *reader)
{
  gsize start = reader->offset;
  guint64 value = read_compact (reader);
  if (reader->fault == NULL)
    return value;
  reader->offset = start;
  return 0;
}

gsize
sv_scale_length (SvScaleReader *reader, gsize item_size)
{
  gsize start = reader->offset;
  guint64 length = sv_scale_compact (reader);
  if (length > MAX_LENGTH)
    sv_scale_fail (reader, "a length is more than 2^24");
  else if (item_size > 0 && length > sv_scale_left (reader) / item_size)
    sv_scale_fail (reader, "a length is more than the bytes left can hold");
  if (reader->fault == NULL)
    return (gsize)length;
  reader->offset = start;
  return 0;
}

const guint8 *
sv_scale_bytes (SvScaleReader *reader, gsize *length)
{
  *length = sv_scale_length (reader, 1);
  return sv_scale_take (reader, *length);
}

char *
sv_scale_text (SvScaleReader *reader)
{
  gsize length;
  const guint8 *bytes = sv_scale_bytes (reader, &length);
  if (bytes == NULL)
    return g_strdup ("");
  if (g_utf8_validate_len ((const char *)bytes, length, NULL))
    return g_strndup ((const char *)bytes, length);
  sv_scale_fail (reader, "a text is not UTF-8, or has a NUL in it");
  return g_strdup ("");
}

gboolean
sv_scale_check (const SvScaleReader *reader, const char *what, GError **error)
{
  if (reader->fault == NULL)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: %s at byte %" G_GSIZE_FORMAT, what, reader->fault, reader->offset);
  return FALSE;
}

gboolean
sv_scale_finish (const SvScaleReader *reader, const char *what, GError **error)
{
  if (!sv_scale_check (reader, what, error))
    return FALSE;
  if (sv_scale_left (reader) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: %" G_GSIZE_FORMAT " bytes too many at byte %" G_GSIZE_FORMAT, what,
               sv_scale_left (reader), reader->offset);
  return FALSE;
}

static void
put_integer (GByteArray *out, guint64 value, gsize size)
{
  guint8 bytes[sizeof (guint64)];
  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8)(value >> (8 * i));
  g_byte_array_append (out, bytes, (guint)size);
}

void
sv_scale_put_u8 (GByteArray *out, guint8 value)
{
  put_integer (out, value, 1);
}

void
sv_scale_put_u16 (GByteArray *out, guint16 value)
{
  put_integer (out, value, 2);
}

void
sv_scale_put_u32 (GByteArray *out, guint32 value)
{
  put_integer (out, value, 4);
}

void
sv_scale_put_u64 (GByteArray *out, guint64 value)
{
  put_integer (out, value, 8);
}

static void
put_big_compact (GByteArray *out, guint64 value)
{
  gsize size = 4;
  while (size < sizeof (guint64) && value >> (8 * size) != 0)
    size++;
  put_integer (out, (size - 4) << MODE_BITS | MODE_BIG, 1);
  put_integer (out, value, size);
}

void
sv_scale_put_compact (GByteArray *out, guint64 value)
{
  if (value < 1 << 6)
    put_integer (out, value << MODE_BITS, 1);
  else if (value < 1 << 14)
    put_integer (out, value << MODE_BITS | MODE_TWO_BYTES, 2);
  else if (value < 1 << 30)
    put_integer (out, value << MODE_BITS | MODE_FOUR_BYTES, 4);
  else
    put_big_compact (out, value);
}

void
sv_scale_put_raw (GByteArray *out, const void *data, gsize length)
{
  g_assert (length <= G_MAXUINT);
  if (length > 0)
    g_byte_array_append (out, data, (guint)length);
}

void
sv_scale_put_bytes (GByteArray *out, const void *data, gsize length)
{
  sv_scale_put_compact (out, length);
  sv_scale_put_raw (out, data, length);
}
