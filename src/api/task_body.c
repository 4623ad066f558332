/* An element is looked for in the index, which names all of its windows, past ones too: so a client that asks between two
 * windows is told that, and is not given a clip of something else. Only for an element that no window here has ever had any
 * clip will do. */
#include "api/task_body.h"

#include <sodium.h>

#include "api/asker.h"
#include "api/clip_link.h"
#include "protocol/window.h"

/* Of lost clips there are few, so going on from where chance has led is fair enough. */
const SvClip *
sv_task_draw_clip (const SvSnapshot *snapshot)
{
  guint n = snapshot->clips != NULL ? snapshot->clips->list->len : 0;
  guint first = n > 0 ? randombytes_uniform (n) : 0;
  const SvClip *clip = NULL;
  for (guint i = 0; i < n && clip == NULL; i++)
    clip = sv_snapshot_clip (snapshot, ((const SvClip *)snapshot->clips->list->pdata[(first + i) % n])->hash);
  return clip;
}

guint64
sv_task_seed (void)
{
  guint64 seed;
  randombytes_buf (&seed, sizeof seed);
  return seed & SV_JSON_MAX_INTEGER;
}

static gboolean
has_element (const SvIndexEntry *entry, const char *element_id)
{
  gsize i;
  json_t *element;
  json_array_foreach (entry->elements_summary, i, element)
  {
    if (g_strcmp0 (json_string_value (json_object_get (element, "id")), element_id) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Of the windows that name the element, by expiry, the first in force. *@is_named: some window does, in force or not. */
static const SvIndexEntry *
find_window (const SvSnapshot *snapshot, const char *element_id, guint64 block, gboolean *is_named)
{
  *is_named = FALSE;
  const GPtrArray *entries = snapshot->catalog != NULL && element_id != NULL ? snapshot->catalog->index->entries : NULL;
  for (guint i = 0; entries != NULL && i < entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (entries, i);
    if (!has_element (entry, element_id))
      continue;
    *is_named = TRUE;
    if (sv_entry_in_force (entry, block) && g_hash_table_contains (snapshot->catalog->manifests, entry->hash))
      return entry;
  }
  return NULL;
}

SvReply *
sv_task_draw (const SvService *service, const SvSnapshot *snapshot, const char *element_id, gint64 now_ms, SvTaskDraw *draw)
{
  gboolean is_named;
  const char *fault = sv_board_chain_fault (service->board, snapshot, now_ms);
  guint64 block = fault == NULL ? sv_bindings_head (snapshot->bindings)->best.number : 0;
  *draw = (SvTaskDraw){ .entry = find_window (snapshot, element_id, block, &is_named), .seed = sv_task_seed () };
  if (fault != NULL && (is_named || (element_id != NULL && snapshot->catalog == NULL)))
    return sv_reply_chain_unavailable (fault);
  if (is_named && draw->entry == NULL)
    return sv_reply_error (404, "no_active_window", "No evaluation window active for this element_id");
  if (is_named)
  {
    const SvServedManifest *served = g_hash_table_lookup (snapshot->catalog->manifests, draw->entry->hash);
    const SvElement *element = sv_manifest_find_element (served->manifest, element_id);
    const SvManifestClip *drawn = element != NULL ? sv_draw_clip (element, draw->seed) : NULL;
    draw->clip = drawn != NULL ? sv_snapshot_clip (snapshot, drawn->hash) : NULL;
  }
  else
    draw->clip = sv_task_draw_clip (snapshot);
  return draw->clip != NULL ? NULL : sv_task_reply_no_clip ();
}

json_t *
sv_task_body (const SvService *service, const SvClip *clip, guint64 seed, gint64 now_ms)
{
  g_autofree char *url = sv_clip_links_url (service->clip_links, clip->hash, now_ms);
  json_t *task = json_object ();
  json_object_set_new (task, "video_url", json_string (url));
  json_object_set_new (task, "fps", json_real (clip->fps));
  json_object_set_new (task, "challenge_type", sv_json_string_or_null (clip->challenge_type));
  json_object_set_new (task, "seed", sv_json_integer (seed));
  return task;
}

SvReply *
sv_task_reply_no_clip (void)
{
  return sv_reply_error (503, "no_challenge",
                         "No clip can be handed out: none is registered here, or the drawn one is not in the store");
}
