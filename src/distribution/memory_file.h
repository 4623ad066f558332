/* The JSON files in $SCOREVISION_HOME/memory: how they are read, written and locked. */
#pragma once

#include "base/json.h"

#define SV_MEMORY_FILE_MODE 0600

/* The JSON object in @path; NULL without an error where the file is absent. Returns: (transfer full). */
json_t *sv_memory_file_read (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean sv_memory_file_write (const char *path, const json_t *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sets SV_ERROR_MALFORMED that names the file, the @cause, and what a person can do. */
void sv_memory_file_set_damaged (const char *path, const char *cause, GError **error);

/* Takes the lock, making its folder where it is absent. Returns the descriptor to close, or -1. */
int sv_memory_file_lock (const char *lock_path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
