/* For numbers.test.mjs: reads JSON texts from standard input, one a line, and prints the canonical form of each on its line, or
 * "error: " and the reason. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

#define MAX_SIZE (1024 * 1024)

static void
print_canonical (const char *line, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) value = sv_json_parse ("line", line, length, MAX_SIZE, &error);
  g_autoptr (GBytes) canonical = value != NULL ? sv_json_canonical (value, &error) : NULL;

  if (canonical == NULL)
    printf ("error: %s\n", error->message);
  else
  {
    fwrite (g_bytes_get_data (canonical, NULL), 1, g_bytes_get_size (canonical), stdout);
    putchar ('\n');
  }
}

int
main (void)
{
  char *line = NULL;
  size_t size = 0;
  ssize_t length;

  while ((length = getline (&line, &size, stdin)) > 0)
    print_canonical (line, (gsize)length - (line[length - 1] == '\n'));
  free (line);
  return ferror (stdin) || fflush (stdout) != 0;
}
