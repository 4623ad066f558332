/* The hash of texts.
 *
 * equal texts: whatever follows them, wherever they lie
 * others: each length; each byte at each place, in whole words and in the rest */
#include <glib.h>
#include <string.h>

#include "base/text_hash.h"

#define LENGTH 19 /* two words and a rest */

static void
test_equal_texts_are_equal (void)
{
  for (gsize length = 0; length <= LENGTH; length++)
  {
    g_autofree char *text = g_strnfill (length, 'a');
    for (gsize at = 0; at < 8; at++)
    {
      char there[LENGTH + 16];
      memset (there, 'x', sizeof there);
      memcpy (there + at, text, length + 1);
      g_assert_cmpuint (sv_text_hash (there + at), ==, sv_text_hash (text));
    }
  }
}

static void
test_lengths_differ (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  for (gsize length = 0; length <= 4 * LENGTH; length++)
  {
    g_autofree char *text = g_strnfill (length, 'a');
    g_assert_true (g_hash_table_add (seen, GUINT_TO_POINTER (sv_text_hash (text))));
  }
}

static void
test_bytes_differ (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  for (gsize at = 0; at < LENGTH; at++)
    for (guint byte = 1; byte < 256; byte++)
    {
      g_autofree char *text = g_strnfill (LENGTH, 'a');
      text[at] = (char)byte;
      g_assert_true (g_hash_table_add (seen, GUINT_TO_POINTER (sv_text_hash (text))) || byte == 'a');
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/text-hash/" #test, test)
  ADD (test_equal_texts_are_equal);
  ADD (test_lengths_differ);
  ADD (test_bytes_differ);
  return g_test_run ();
}
