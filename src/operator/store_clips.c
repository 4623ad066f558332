/* Clips that are missing. An object that is lost cannot be listed, and no name in the index tells of it: only the manifests say
 * which clips are drawn. Those of windows that are over are asked for by nobody, so nobody misses them. */
#include <string.h>

#include "base/error.h"
#include "operator/clip_inventory.h"
#include "operator/store_check_state.h"
#include "protocol/window.h"

#define ADVICE                                                                                                                 \
  "whoever draws it gets no challenge: `sv clip add FILE` with the clip's file, which a copy made with --private has, too; a " \
  "copy that was made without --private is checked with --without-clips"

static void
note_clip (SvStoreCheck *check, const char *hash, const char *window_id)
{
  GPtrArray *windows = g_hash_table_lookup (check->wanted_clips, hash);
  if (windows == NULL)
  {
    windows = g_ptr_array_new_null_terminated (0, g_free, TRUE);
    g_hash_table_insert (check->wanted_clips, g_strdup (hash), windows);
  }
  if (!g_ptr_array_find_with_equal_func (windows, window_id, g_str_equal, NULL))
    g_ptr_array_add (windows, g_strdup (window_id));
}

void
sv_store_note_clips (SvStoreCheck *check, const SvIndexEntry *entry, const SvManifest *manifest)
{
  if (check->options.without_clips || sv_entry_expired (entry, sv_signers_block (sv_reader_signers (check->reader))))
    return;
  for (gsize i = 0; i < manifest->n_elements; i++)
    for (gsize j = 0; j < manifest->elements[i].n_clips; j++)
      note_clip (check, manifest->elements[i].clips[j].hash, entry->window_id);
}

static gboolean
check_clip (SvStoreCheck *check, const char *hash, const GPtrArray *windows, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *key = sv_clip_key (hash);
  if (sv_object_store_head (check->store, key, NULL, &failure))
    return TRUE;
  if (!g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  g_autofree char *names = g_strjoinv (", ", (char **)windows->pdata);
  g_autofree char *what = g_strdup_printf ("missing: the manifest%s of window%s %s name%s it", windows->len == 1 ? "" : "s",
                                           windows->len == 1 ? "" : "s", names, windows->len == 1 ? "s" : "");
  sv_store_add_fault (check, SV_STORE_CLIP, key, what, ADVICE);
  return TRUE;
}

gboolean
sv_store_check_clips (SvStoreCheck *check, GError **error)
{
  g_autoptr (GList) hashes = g_list_sort (g_hash_table_get_keys (check->wanted_clips), (GCompareFunc)strcmp);
  for (const GList *at = hashes; at != NULL; at = at->next)
    if (!check_clip (check, at->data, g_hash_table_lookup (check->wanted_clips, at->data), error))
      return FALSE;
  return TRUE;
}
