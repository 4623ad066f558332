/* Words of text, against a byte at a time.
 *
 * ranges: each byte at each place, beside bytes that a carry or borrow would reach        stretches: each length and end */
#include <glib.h>
#include <string.h>

#include "base/words.h"

static const struct
{
  guint8 first, last;
} ranges[] = { { 'a', 'f' }, { '0', '9' }, { ' ', '~' }, { ',', '~' }, { 0, 0x7f }, { 0x7f, 0x7f }, { 0, 0 } };

static const guint8 neighbours[] = { 0, 'a', 0x7f, 0x80, 0xff };

static void
assert_in_range (const guint8 bytes[SV_WORD_SIZE], guint8 first, guint8 last)
{
  guint8 found[SV_WORD_SIZE];
  guint64 word = sv_word_in_range (sv_word_read ((const char *)bytes), first, last);
  memcpy (found, &word, sizeof found);
  for (gsize i = 0; i < SV_WORD_SIZE; i++)
    g_assert_cmphex (found[i], ==, bytes[i] >= first && bytes[i] <= last ? 0x80 : 0);
}

static void
test_each_byte_at_each_place (void)
{
  for (gsize r = 0; r < G_N_ELEMENTS (ranges); r++)
    for (gsize n = 0; n < G_N_ELEMENTS (neighbours); n++)
      for (gsize at = 0; at < SV_WORD_SIZE; at++)
        for (guint byte = 0; byte < 256; byte++)
        {
          guint8 bytes[SV_WORD_SIZE];
          memset (bytes, neighbours[n], sizeof bytes);
          bytes[at] = (guint8)byte;
          assert_in_range (bytes, ranges[r].first, ranges[r].last);
        }
}

static void
test_stretches (void)
{
  char text[4 * SV_WORD_SIZE];
  for (gsize length = 0; length <= sizeof text; length++)
    for (gsize end = 0; end <= length; end++)
    {
      memset (text, 'a', sizeof text);
      if (end < length)
        text[end] = ' ';
      gsize whole = end / SV_WORD_SIZE * SV_WORD_SIZE;
      g_assert_cmpuint (sv_words_in_range (text, length, 'a', 'z'), ==,
                        end == length && length >= SV_WORD_SIZE ? length : whole);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/words/" #test, test)
  ADD (test_each_byte_at_each_place);
  ADD (test_stretches);
  return g_test_run ();
}
