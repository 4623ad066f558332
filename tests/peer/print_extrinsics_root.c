/* For extrinsics_root.test.mjs: reads lists of extrinsics from standard input, one a line, each extrinsic in bare hex and with
 * a comma after it, and prints the list's roots in layouts V0 and V1 on its line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "chain/subtensor/extrinsics_root.h"

static GBytes *
bytes_of (const char *hex)
{
  gsize length = strlen (hex) / 2;
  guint8 *bytes = g_malloc (length + 1);
  if (!sv_hex_decode (hex, FALSE, bytes, length))
    g_error ("\"%.80s\" is not hex", hex);
  return g_bytes_new_take (bytes, length);
}

static GPtrArray *
list_of (char *line)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  for (char *end; (end = strchr (line, ',')) != NULL; line = end + 1)
  {
    *end = '\0';
    g_ptr_array_add (list, bytes_of (line));
  }
  return list;
}

static char *
root_of (const GPtrArray *list, SvTrieLayout layout)
{
  guint8 root[32];
  sv_extrinsics_root (list, layout, root);
  if (!sv_extrinsics_root_matches (list, root))
    g_error ("a list of %u does not match its own root", list->len);
  return sv_hex_encode (root, sizeof root);
}

int
main (void)
{
  g_autofree char *line = NULL;
  size_t size = 0;
  while (getline (&line, &size, stdin) > 0)
  {
    g_autoptr (GPtrArray) list = list_of (line);
    g_autofree char *v0 = root_of (list, SV_TRIE_V0), *v1 = root_of (list, SV_TRIE_V1);
    printf ("%s %s\n", v0, v1);
  }
  return ferror (stdin) || fflush (stdout) != 0;
}
