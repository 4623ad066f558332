#include "base/text_hash.h"

#include <string.h>

#define FACTOR G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)

/* Each step can be undone, so texts of one length that differ in one word never have the same 64 bits. */
static guint64
mix (guint64 hash, guint64 word)
{
  hash = (hash ^ word) * FACTOR;
  return hash ^ hash >> 29;
}

guint
sv_text_hash (gconstpointer text)
{
  const char *at = text;
  gsize left = strlen (at);
  guint64 hash = left, word;
  for (; left >= sizeof word; at += sizeof word, left -= sizeof word)
  {
    memcpy (&word, at, sizeof word);
    hash = mix (hash, word);
  }
  word = 0;
  if (at != text && left > 0) /* with what precedes it, as a whole word */
    memcpy (&word, at + left - sizeof word, sizeof word);
  else
    memcpy (&word, at, left);
  hash = mix (hash, word);
  return (guint)(hash ^ hash >> 32);
}
