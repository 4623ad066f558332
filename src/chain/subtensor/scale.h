/* SCALE (Simple Concatenated Aggregate Little-Endian, the codec of Substrate): a bounds-checked cursor over bytes from outside,
 * and a writer. A reader keeps its first fault: from then on every read gives zeros and moves nothing, so that a caller may
 * read a whole structure and ask once. */
#pragma once

#include <glib.h>

typedef struct
{
  const guint8 *data; /* borrowed */
  gsize length;
  gsize offset;
  const char *fault; /* static text; NULL while all is well */
} SvScaleReader;

SvScaleReader sv_scale_reader (const void *data, gsize length);
/* Notes @fault unless there is one already. */
void sv_scale_fail (SvScaleReader *reader, const char *fault);
gsize sv_scale_left (const SvScaleReader *reader);

guint8 sv_scale_u8 (SvScaleReader *reader);
guint16 sv_scale_u16 (SvScaleReader *reader);
guint32 sv_scale_u32 (SvScaleReader *reader);
guint64 sv_scale_u64 (SvScaleReader *reader);
/* A bool; anything but 0 and 1 is a fault. */
gboolean sv_scale_bool (SvScaleReader *reader);
/* A compact integer up to 2^64-1 in its shortest form; a longer form or a larger number is a fault. */
guint64 sv_scale_compact (SvScaleReader *reader);
/* A compact length of items of at least @item_size bytes each (0: items may be empty): more than the bytes left can hold, or
 * more than 2^24, is a fault. */
gsize sv_scale_length (SvScaleReader *reader, gsize item_size);
/* (transfer none) the next @length bytes, or NULL on a fault. */
const guint8 *sv_scale_take (SvScaleReader *reader, gsize length);
/* A byte vector: (transfer none). */
const guint8 *sv_scale_bytes (SvScaleReader *reader, gsize *length);
/* A text: UTF-8 without NUL. Returns: (transfer full), "" on a fault. */
char *sv_scale_text (SvScaleReader *reader);

/* SV_ERROR_MALFORMED "WHAT: FAULT at byte N" for a fault or for bytes left over. */
gboolean sv_scale_finish (const SvScaleReader *reader, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same without asking for the end. */
gboolean sv_scale_check (const SvScaleReader *reader, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void sv_scale_put_u8 (GByteArray *out, guint8 value);
void sv_scale_put_u16 (GByteArray *out, guint16 value);
void sv_scale_put_u32 (GByteArray *out, guint32 value);
void sv_scale_put_u64 (GByteArray *out, guint64 value);
void sv_scale_put_compact (GByteArray *out, guint64 value);
/* With its length before it. */
void sv_scale_put_bytes (GByteArray *out, const void *data, gsize length);
/* As it is. */
void sv_scale_put_raw (GByteArray *out, const void *data, gsize length);
