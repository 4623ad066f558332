/* The clip watcher: asks the store, off the ways of requests, whether it still has the clips that can be drawn. The registry
 * tells that a clip was added once, not that it is there: an object that somebody has deleted would be handed out by a link to
 * nothing, and the miner be blamed. One that cannot be asked for counts as there; what was seen last stays.
 *
 * A step asks for a while and goes on where it ended, so that a slow bucket keeps nobody from stopping the server. */
#include <string.h>

#include "api/watching.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/rfc3339.h"
#include "base/text_hash.h"
#include "store/object_store.h"

#define ASK_AGAIN_US (600 * G_USEC_PER_SEC)
#define ASK_FOR_LOST_US (10 * G_USEC_PER_SEC) /* of these there are few, and somebody may just be bringing them back */
#define ASK_AFTER_FAULT_US (30 * G_USEC_PER_SEC)
#define STEP_US (2 * G_USEC_PER_SEC)

struct SvClipWatch
{
  SvBoard *board;
  SvObjectStore *store;
  GHashTable *asked;    /* hash -> gint64: when (monotonic) */
  GHashTable *lost;     /* hashes; the board has a copy */
  gint64 not_before_us; /* after a fault of the store */
  char *lost_fault;
  char *store_fault;
};

SvClipWatch *
sv_clip_watch_new (const SvConfig *config, SvBoard *board, GError **error)
{
  SvObjectStore *store = sv_object_store_open (sv_config_get (config, "SCOREVISION_STORE"), config, error);
  if (store == NULL)
    return NULL;
  SvClipWatch *watch = g_new0 (SvClipWatch, 1);
  watch->board = board;
  watch->store = store;
  watch->asked = g_hash_table_new_full (sv_text_hash, g_str_equal, g_free, g_free);
  watch->lost = g_hash_table_new_full (sv_text_hash, g_str_equal, g_free, NULL);
  return watch;
}

void
sv_clip_watch_free (SvClipWatch *watch)
{
  if (watch == NULL)
    return;
  sv_object_store_free (watch->store);
  g_hash_table_unref (watch->asked);
  g_hash_table_unref (watch->lost);
  g_free (watch->lost_fault);
  g_free (watch->store_fault);
  g_free (watch);
}

static gboolean
is_due (const SvClipWatch *watch, const char *hash, gint64 now_us)
{
  const gint64 *asked_us = g_hash_table_lookup (watch->asked, hash);
  gboolean is_lost = g_hash_table_contains (watch->lost, hash);
  return asked_us == NULL || now_us - *asked_us >= (is_lost ? ASK_FOR_LOST_US : ASK_AGAIN_US);
}

/* *@has_changed is set where the store has lost it, or has it again. FALSE where the store does not say. */
static gboolean
ask_for (SvClipWatch *watch, const char *hash, gboolean *has_changed, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *key = g_strconcat ("private/clips/", sv_hash_hex (hash), NULL);
  gint64 now_us = g_get_monotonic_time ();
  gboolean is_there = sv_object_store_head (watch->store, key, NULL, &failure);
  g_hash_table_replace (watch->asked, g_strdup (hash), g_memdup2 (&now_us, sizeof now_us));
  if (!is_there && !g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    watch->not_before_us = now_us + ASK_AFTER_FAULT_US;
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (is_there && g_hash_table_remove (watch->lost, hash))
    *has_changed = TRUE;
  if (!is_there && g_hash_table_add (watch->lost, g_strdup (hash)))
    *has_changed = TRUE;
  return TRUE;
}

static gboolean
is_unregistered (gpointer hash, gpointer value, gpointer clips)
{
  return !g_hash_table_contains (((const SvClipTable *)clips)->by_hash, hash);
}

static void
publish (SvClipWatch *watch)
{
  GHashTable *copy = g_hash_table_new_full (sv_text_hash, g_str_equal, g_free, NULL);
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer hash = NULL;
  g_hash_table_iter_init (&iter, watch->lost);
  while (g_hash_table_iter_next (&iter, &hash, NULL))
    g_hash_table_add (copy, g_strdup (hash));
  if (g_hash_table_size (watch->lost) > 0)
    g_set_error (&error, SV_ERROR, SV_ERROR_NOT_FOUND,
                 "clips that are registered here are not in store %s (%u, among them %s): nobody gets a challenge with them; "
                 "bring them back by `sv clip add FILE`, or take them out by `sv clip remove HASH`",
                 sv_object_store_url (watch->store), g_hash_table_size (watch->lost), (const char *)hash);
  sv_board_publish_lost_clips (watch->board, copy);
  sv_watch_report ("clips in the store", error, &watch->lost_fault);
}

void
sv_clip_watch_step (gboolean is_demanded, gpointer data)
{
  SvClipWatch *watch = data;
  gint64 began_us = g_get_monotonic_time ();
  g_autoptr (SvSnapshot) snapshot = sv_board_get (watch->board);
  g_autoptr (GError) error = NULL;
  if (snapshot->clips == NULL || began_us < watch->not_before_us)
    return;
  (void)g_hash_table_foreach_remove (watch->asked, is_unregistered, snapshot->clips);
  gboolean has_changed = g_hash_table_foreach_remove (watch->lost, is_unregistered, snapshot->clips) > 0;
  const GPtrArray *clips = snapshot->clips->list;
  for (guint i = 0; i < clips->len && error == NULL && g_get_monotonic_time () - began_us < STEP_US; i++)
  {
    const char *hash = ((const SvClip *)clips->pdata[i])->hash;
    if (is_due (watch, hash, began_us) && !ask_for (watch, hash, &has_changed, &error))
      break;
  }
  sv_watch_report ("asking the store for clips", error, &watch->store_fault);
  if (error == NULL)
    sv_board_saw_store (watch->board, sv_clock_ms ());
  if (has_changed)
    publish (watch);
}
