/* Whether one store can be copied to the other at all, which is found out before anything is read. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "operator/store_mirror_state.h"

/* Where a path leads, however it is spelled: what of it is not there yet cannot lead elsewhere. Returns: (transfer full). */
static char *
resolve (const char *path)
{
  g_autofree char *real = realpath (path, NULL);
  if (real != NULL)
    return g_strdup (real);
  g_autofree char *parent = g_path_get_dirname (path);
  if (strcmp (parent, path) == 0)
    return g_strdup (path);
  g_autofree char *above = resolve (parent);
  g_autofree char *leaf = g_path_get_basename (path);
  return g_build_filename (above, leaf, NULL);
}

/* The folder of a `file:` store, else the URL. Returns: (transfer full). */
static char *
place_of (const SvObjectStore *store)
{
  const char *url = sv_object_store_url (store);
  return g_str_has_prefix (url, "file:") ? resolve (url + strlen ("file:")) : g_strdup (url);
}

static gboolean
lies_in (const char *place, const char *folder)
{
  g_autofree char *below = g_str_has_suffix (folder, "/") ? g_strdup (folder) : g_strconcat (folder, "/", NULL);
  return *folder == '/' && g_str_has_prefix (place, below);
}

/* A copy within its source would be copied, too, and a source within its copy be taken for a part of it. */
static gboolean
check_apart (const SvMirror *mirror, GError **error)
{
  g_autofree char *from = place_of (mirror->from), *to = place_of (mirror->to);
  if (strcmp (from, to) == 0)
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s cannot be copied to itself; name another store",
                 sv_object_store_url (mirror->to));
  else if (lies_in (to, from) || lies_in (from, to))
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "one of the stores %s and %s lies within the other; name one that is apart",
                 sv_object_store_url (mirror->from), sv_object_store_url (mirror->to));
  else
    return TRUE;
  return FALSE;
}

/* A target that is no folder would only be found when something is written. */
static gboolean
check_is_folder (const SvObjectStore *store, GError **error)
{
  const char *url = sv_object_store_url (store);
  struct stat status;
  if (!g_str_has_prefix (url, "file:") || stat (url + strlen ("file:"), &status) != 0 || S_ISDIR (status.st_mode))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "store %s is not a directory; name one, or a path that is free", url);
  return FALSE;
}

gboolean
sv_mirror_check_stores (const SvMirror *mirror, GError **error)
{
  const char *to = sv_object_store_url (mirror->to);
  if (!check_apart (mirror, error) || !check_is_folder (mirror->from, error) || !check_is_folder (mirror->to, error))
    return FALSE;
  if (!sv_object_store_check_writable (mirror->to, NULL))
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY, "%s can only be read; name a store that is written, such as file:PATH", to);
  else
    return TRUE;
  return FALSE;
}
