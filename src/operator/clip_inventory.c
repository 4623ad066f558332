/* Adding goes: labels, probe, hash, object, registration together with the ground truth. Each step may be repeated, so a
 * command that was killed is completed by running it again; what is stored but not registered is never handed out. */
#include "operator/clip_inventory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rfc3339.h"
#include "operator/clip_probe.h"

#define LABEL_MAX 32

static gboolean
label_is_valid (const char *text)
{
  if (text == NULL || !g_ascii_isalnum (*text) || strlen (text) > LABEL_MAX)
    return FALSE;
  return text[strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static gboolean
check_label (const char *what, const char *text, GError **error)
{
  if (label_is_valid (text))
    return TRUE;
  g_autofree char *shown = g_strescape (text == NULL ? "" : text, NULL);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s \"%.64s\": [a-z0-9][a-z0-9_-]{0,31} is expected, such as \"football\"",
               what, shown);
  return FALSE;
}

static gboolean
check_labels (const SvClipLabels *labels, GError **error)
{
  return check_label ("sport", labels->sport, error) && check_label ("scenario", labels->scenario, error) &&
         check_label ("challenge type", labels->challenge_type, error);
}

char *
sv_clip_key (const char *hash)
{
  return g_strconcat ("private/clips/", sv_hash_hex (hash), NULL);
}

/* ── storing ── */

static gboolean
look_at (const char *path, struct stat *status, GError **error)
{
  if (stat (path, status) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, errno == ENOENT ? SV_ERROR_NOT_FOUND : SV_ERROR_FAILED, "clip %s: %s", path,
               g_strerror (errno));
  return FALSE;
}

static gboolean
is_same_content (const struct stat *a, const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* *@is_stored is FALSE also for an object of another size: it was damaged, and is written anew. */
static gboolean
find_object (SvObjectStore *store, const char *key, guint64 size, gboolean *is_stored, GError **error)
{
  guint64 stored_size = 0;
  g_autoptr (GError) failure = NULL;
  *is_stored = sv_object_store_head (store, key, &stored_size, &failure) && stored_size == size;
  if (failure == NULL || g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* The name is the hash of what was probed; a file that changed meanwhile must not get that name. */
static gboolean
put_object (SvObjectStore *store, const char *key, const char *path, const struct stat *before, GError **error)
{
  SvPutOptions options = { .condition = SV_PUT_ALWAYS,
                           .content_type = "application/octet-stream",
                           .cache_control = SV_CACHE_IMMUTABLE };
  struct stat after;
  if (!sv_object_store_put_file (store, key, path, &options, error) || !look_at (path, &after, error))
    return FALSE;
  if (is_same_content (before, &after))
    return TRUE;
  if (sv_object_store_delete (store, key, error))
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT, "clip %s changed while it was added; add it again when it is finished",
                 path);
  return FALSE;
}

static gboolean
store_object (SvObjectStore *store, const char *hash, const char *path, const struct stat *before, GError **error)
{
  g_autofree char *key = sv_clip_key (hash);
  gboolean is_stored;
  if (!find_object (store, key, (guint64)before->st_size, &is_stored, error))
    return FALSE;
  return is_stored || put_object (store, key, path, before, error);
}

/* ── registering ── */

/* NULL without an error where it is not registered. */
static SvClip *
find_registered (SvState *state, const char *hash, GError **error)
{
  g_autoptr (GPtrArray) clips = sv_state_list_clips (state, error);
  for (guint i = 0; clips != NULL && i < clips->len; i++)
    if (strcmp (((SvClip *)clips->pdata[i])->hash, hash) == 0)
      return g_ptr_array_steal_index (clips, i);
  return NULL;
}

static gboolean
is_labelled (const SvClip *clip, const SvClipLabels *labels)
{
  return strcmp (clip->sport, labels->sport) == 0 && strcmp (clip->scenario, labels->scenario) == 0 &&
         strcmp (clip->challenge_type, labels->challenge_type) == 0;
}

static SvClip *
make_clip (const char *hash, guint64 bytes, const SvClipFacts *facts, const SvClipLabels *labels)
{
  SvClip *clip = g_new0 (SvClip, 1);
  clip->hash = g_strdup (hash);
  clip->bytes = bytes;
  clip->duration_ms = facts->duration_ms;
  clip->fps = facts->fps;
  clip->width = facts->width;
  clip->height = facts->height;
  clip->sport = g_strdup (labels->sport);
  clip->scenario = g_strdup (labels->scenario);
  clip->challenge_type = g_strdup (labels->challenge_type);
  clip->ground_truth = g_strdup (labels->ground_truth);
  clip->added_ms = sv_clock_ms ();
  return clip;
}

static gboolean
put_ground_truth (SvState *state, SvClip *known, const SvClipLabels *labels, GError **error)
{
  if (labels->ground_truth == NULL)
    return TRUE;
  known->has_ground_truth = TRUE;
  return sv_state_put_ground_truth (state, known->hash, labels->ground_truth, error);
}

SvClip *
sv_clip_add (SvObjectStore *store, SvState *state, const char *path, const SvClipLabels *labels, gboolean *was_registered,
             GError **error)
{
  struct stat before;
  SvClipFacts facts;
  if (!check_labels (labels, error) || !look_at (path, &before, error) || !sv_clip_probe (path, &facts, error))
    return NULL;
  g_autofree char *hash = sv_hash_file (path, error);
  if (hash == NULL || !store_object (store, hash, path, &before, error))
    return NULL;
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvClip) known = find_registered (state, hash, &failure);
  if (failure != NULL)
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return NULL;
  }
  if (was_registered != NULL)
    *was_registered = known != NULL;
  if (known != NULL && is_labelled (known, labels))
    return put_ground_truth (state, known, labels, error) ? g_steal_pointer (&known) : NULL;
  g_autoptr (SvClip) clip = make_clip (hash, (guint64)before.st_size, &facts, labels);
  clip->has_ground_truth = labels->ground_truth != NULL || (known != NULL && known->has_ground_truth);
  return sv_state_put_clip (state, clip, error) ? g_steal_pointer (&clip) : NULL;
}

/* ── removing ── */

/* An object without a registration is what a removal leaves that was killed half-way: deleting it completes that. */
gboolean
sv_clip_remove (SvObjectStore *store, SvState *state, const char *hash, gboolean delete_object, GError **error)
{
  g_autofree char *key = sv_clip_key (hash);
  g_autoptr (GError) failure = NULL;
  gboolean was_registered = sv_state_remove_clip (state, hash, &failure);
  gboolean is_stored = !was_registered && delete_object && g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND) &&
                       sv_object_store_head (store, key, NULL, NULL);
  if (!was_registered && !is_stored)
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  return !delete_object || sv_object_store_delete (store, key, error);
}
