/* Text looked at eight bytes at a time, for what is read whole with each request: a byte at a time would be most of the work.
 */
#pragma once

#include <glib.h>
#include <string.h>

#define SV_WORD_SIZE sizeof (guint64)
#define SV_WORD_ONES (G_MAXUINT64 / 255)
#define SV_WORD_TOPS (SV_WORD_ONES << 7)

static inline guint64
sv_word_read (const char *text)
{
  guint64 word;
  memcpy (&word, text, sizeof word);
  return word;
}

/* The top bit of each byte that is one of @first … @last, both ASCII, and no other bit. */
static inline guint64
sv_word_in_range (guint64 word, guint8 first, guint8 last)
{
  guint64 low = word & ~SV_WORD_TOPS; /* so that no sum carries into the next byte */
  guint64 from_first = low + SV_WORD_ONES * (0x80u - first), above_last = low + SV_WORD_ONES * (0x7fu - last);
  return from_first & ~above_last & ~word & SV_WORD_TOPS;
}

/* How many bytes from the beginning of @text are @first … @last, by whole words: @length where all are, else perhaps some too
 * few. A rest is looked at as a word, with what precedes it. */
static inline gsize
sv_words_in_range (const char *text, gsize length, guint8 first, guint8 last)
{
  gsize n = 0;
  if (length < SV_WORD_SIZE)
    return 0;
  for (gsize end = length - SV_WORD_SIZE; n < length; n += SV_WORD_SIZE)
    if (sv_word_in_range (sv_word_read (text + MIN (n, end)), first, last) != SV_WORD_TOPS)
      return n;
  return length;
}
