/* Files of the memory are safeguards: they are written whole, and a damaged one is never taken for an absent one. */
#include "distribution/memory_file.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"

#define MEMORY_MAX_SIZE (1024 * 1024)

void
sv_memory_file_set_damaged (const char *path, const char *cause, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
               "%s is damaged (%s). It guards against old manifests being shown again: bring it back from a backup, or, if you "
               "trust what the store shows now, remove it",
               path, cause);
}

json_t *
sv_memory_file_read (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = sv_file_read (path, MEMORY_MAX_SIZE, &local);
  if (bytes == NULL && g_error_matches (local, SV_ERROR, SV_ERROR_NOT_FOUND))
    return NULL;
  json_t *json = NULL;
  if (bytes != NULL)
    json = sv_json_parse (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), MEMORY_MAX_SIZE, &local);
  if (json != NULL && json_is_object (json))
    return json;
  if (json != NULL)
    sv_memory_file_set_damaged (path, "not a JSON object", error);
  else if (g_error_matches (local, SV_ERROR, SV_ERROR_MALFORMED))
    sv_memory_file_set_damaged (path, local->message, error);
  else
    g_propagate_error (error, g_steal_pointer (&local));
  json_decref (json);
  return NULL;
}

gboolean
sv_memory_file_write (const char *path, const json_t *json, GError **error)
{
  g_autofree char *text = sv_json_pretty (json);
  return sv_file_write (path, text, strlen (text), SV_MEMORY_FILE_MODE, error);
}

int
sv_memory_file_lock (const char *lock_path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (lock_path);
  return sv_directory_make (folder, 0700, error) ? sv_file_lock (lock_path, error) : -1;
}
