/* What somebody may have meant who has mistyped the name of a setting or a command. */
#include <string.h>

#include "base/config.h"

#define MAX_WORD 64

static guint
smallest (guint a, guint b, guint c)
{
  return MIN (a, MIN (b, c));
}

/* Edit distance in which swapping two neighbours costs one, without regard to case; both words are at most MAX_WORD long. */
static guint
edit_distance (const char *a, const char *b)
{
  gsize n = strlen (a), m = strlen (b);
  guint rows[MAX_WORD + 1][MAX_WORD + 1];
  for (gsize i = 0; i <= n; i++)
    rows[i][0] = (guint)i;
  for (gsize j = 0; j <= m; j++)
    rows[0][j] = (guint)j;
  for (gsize i = 1; i <= n; i++)
    for (gsize j = 1; j <= m; j++)
    {
      char x = g_ascii_tolower (a[i - 1]), y = g_ascii_tolower (b[j - 1]);
      rows[i][j] = smallest (rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (x != y));
      if (i > 1 && j > 1 && x == g_ascii_tolower (b[j - 2]) && y == g_ascii_tolower (a[i - 2]))
        rows[i][j] = MIN (rows[i][j], rows[i - 2][j - 2] + 1);
    }
  return rows[n][m];
}

const char *
sv_nearest_word (const char *word, const char *const *candidates)
{
  gsize length = strlen (word);
  if (length == 0 || length > MAX_WORD)
    return NULL;
  const char *best = NULL;
  guint best_distance = (guint)MAX (1, length / 3) + 1;
  for (; *candidates != NULL; candidates++)
  {
    if (strlen (*candidates) > MAX_WORD)
      continue;
    guint distance = edit_distance (word, *candidates);
    if (distance < best_distance)
    {
      best = *candidates;
      best_distance = distance;
    }
  }
  return best;
}
