/* Each K of a window, for its closing line: a manifest that was superseded may have been drawn by, too. */
#include "api/issue_files.h"

#include <sodium.h>
#include <string.h>

static void
key_free (gpointer key)
{
  sv_issued_key_free (key);
}

static gboolean
add_keys (SvState *state, const GPtrArray *entries, const char *window_id, GHashTable *seen, GPtrArray *keys, GError **error)
{
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = entries->pdata[i];
    guint8 key[32];
    gboolean found = FALSE;
    if (strcmp (entry->window_id, window_id) != 0 || !g_hash_table_add (seen, entry->hash))
      continue;
    if (!sv_state_find_draw_key (state, entry->hash, key, &found, error))
      return FALSE;
    if (found)
      g_ptr_array_add (keys, sv_issued_key_new (entry->hash, key));
    sodium_memzero (key, sizeof key);
  }
  return TRUE;
}

GPtrArray *
sv_issue_files_keys (SvState *state, const SvIndex *index, const char *window_id, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (key_free);
  return add_keys (state, index->entries, window_id, seen, keys, error) &&
                 add_keys (state, index->superseded, window_id, seen, keys, error)
             ? g_steal_pointer (&keys)
             : NULL;
}
