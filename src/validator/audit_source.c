/* Where shards are read from: streams of JSON lines, files, folders, stores. Lines are cut out of a buffer of fixed size. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/object_store.h"
#include "validator/audit.h"

#define BUFFER_SIZE (SV_SHARD_MAX_SIZE + 4096)
#define MAX_OBJECT_SIZE (64 * 1024 * 1024)
#define MAX_DEPTH 16
#define SHARD_PREFIX "scorevision/shards"

/* ── streams ── */

typedef struct
{
  SvAudit *audit;
  const char *name;
  guint64 line_number;
  gboolean is_skipping; /* the rest of a line that was too long */
} Lines;

static gboolean
judge (Lines *lines, const char *line, gsize length, GError **error)
{
  lines->line_number++;
  if (length == 0)
    return TRUE;
  g_autofree char *source = g_strdup_printf ("%s:%" G_GUINT64_FORMAT, lines->name, lines->line_number);
  return sv_audit_line (lines->audit, line, length, source, error);
}

/* Judges the whole lines in the buffer and moves the rest to its start. A line that fills the buffer is judged as it stands,
 * too long to be a shard, and what follows of it is passed over. */
static gboolean
consume (Lines *lines, char *buffer, gsize *filled, gboolean at_end, GError **error)
{
  char *start = buffer, *end = buffer + *filled, *newline;
  while (start < end && (newline = memchr (start, '\n', (gsize)(end - start))) != NULL)
  {
    if (!lines->is_skipping && !judge (lines, start, (gsize)(newline - start), error))
      return FALSE;
    lines->is_skipping = FALSE;
    start = newline + 1;
  }
  gboolean is_full = start == buffer && *filled == BUFFER_SIZE;
  if ((at_end || is_full) && start < end)
  {
    if (!lines->is_skipping && !judge (lines, start, (gsize)(end - start), error))
      return FALSE;
    lines->is_skipping = is_full;
    start = end;
  }
  *filled = (gsize)(end - start);
  memmove (buffer, start, *filled);
  return TRUE;
}

gboolean
sv_audit_stream (SvAudit *audit, int fd, const char *name, GError **error)
{
  Lines lines = { .audit = audit, .name = name };
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);
  gsize filled = 0;
  for (;;)
  {
    ssize_t n = read (fd, buffer + filled, BUFFER_SIZE - filled);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "%s cannot be read: %s", name, g_strerror (errno));
      return FALSE;
    }
    filled += (gsize)n;
    if (!consume (&lines, buffer, &filled, n == 0, error))
      return FALSE;
    if (n == 0)
      return TRUE;
  }
}

/* ── files and folders ── */

static gboolean
audit_file (SvAudit *audit, const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
  {
    g_set_error (error, SV_ERROR, errno == ENOENT ? SV_ERROR_NOT_FOUND : SV_ERROR_UNREACHABLE, "%s cannot be read: %s", path,
                 g_strerror (errno));
    return FALSE;
  }
  gboolean done = sv_audit_stream (audit, fd, path, error);
  close (fd);
  return done;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static gboolean
is_wanted (const char *path, const char *window_id)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  return g_str_has_suffix (path, ".jsonl") && (window_id == NULL || g_strv_contains ((const char *const *)parts, window_id));
}

/* A plain file that lay in a folder a moment ago. Who may write there must not be able to stop the audit, nor to lead it
 * elsewhere: a pipe does not hold it up, a link is not followed, and what cannot be read is counted. */
static gboolean
audit_found_file (SvAudit *audit, const char *path, GError **error)
{
  struct stat status;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0)
    return errno == ENOENT || sv_audit_unreadable (audit, g_strerror (errno), path, error);
  gboolean is_plain = fstat (fd, &status) == 0 && S_ISREG (status.st_mode);
  gboolean done = is_plain ? sv_audit_stream (audit, fd, path, error)
                           : sv_audit_reject (audit, "it is not a regular file any more", path, error);
  close (fd);
  return done;
}

static gboolean audit_found (SvAudit *audit, const char *path, const char *window_id, guint depth, GError **error);

/* Takes @folder. */
static gboolean
audit_names (SvAudit *audit, GDir *folder, const char *path, const char *window_id, guint depth, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  for (const char *name; (name = g_dir_read_name (folder)) != NULL;)
    g_ptr_array_add (names, g_build_filename (path, name, NULL));
  g_dir_close (folder);
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    if (!audit_found (audit, g_ptr_array_index (names, i), window_id, depth, error))
      return FALSE;
  return TRUE;
}

static gboolean
audit_found (SvAudit *audit, const char *path, const char *window_id, guint depth, GError **error)
{
  struct stat status;
  g_autoptr (GError) refused = NULL;
  if (lstat (path, &status) != 0)
    return TRUE;
  if (S_ISREG (status.st_mode))
    return !is_wanted (path, window_id) || audit_found_file (audit, path, error);
  if (!S_ISDIR (status.st_mode))
    return TRUE;
  if (depth > MAX_DEPTH)
    return sv_audit_reject (audit, "the folder lies too deep to hold shards", path, error);
  GDir *folder = g_dir_open (path, 0, &refused);
  return folder != NULL ? audit_names (audit, folder, path, window_id, depth + 1, error)
                        : sv_audit_unreadable (audit, refused->message, path, error);
}

static gboolean
audit_folder (SvAudit *audit, const char *path, const char *window_id, GError **error)
{
  g_autoptr (GError) refused = NULL;
  GDir *folder = g_dir_open (path, 0, &refused);
  if (folder != NULL)
    return audit_names (audit, folder, path, window_id, 1, error);
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "folder %s cannot be read: %s", path, refused->message);
  return FALSE;
}

/* ── stores ── */

typedef struct
{
  SvAudit *audit;
  SvObjectStore *store;
  const char *window_id;
  GError *error;
} StoreVisit;

/* The bytes of an object, through the same line reader as a file. */
static gboolean
audit_bytes (SvAudit *audit, GBytes *bytes, const char *key, GError **error)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  Lines lines = { .audit = audit, .name = key };
  for (const char *end = data + length; data < end;)
  {
    const char *newline = memchr (data, '\n', (gsize)(end - data));
    gsize line = (gsize)((newline != NULL ? newline : end) - data);
    if (!judge (&lines, data, line, error))
      return FALSE;
    data += line + 1;
  }
  return TRUE;
}

static gboolean
visit_object (const char *key, guint64 size, gpointer data)
{
  StoreVisit *visit = data;
  if (!is_wanted (key, visit->window_id))
    return TRUE;
  SvGetOptions options = { .max_size = MAX_OBJECT_SIZE };
  g_autoptr (GError) refused = NULL;
  g_autoptr (SvObject) object = sv_object_store_get (visit->store, key, &options, NULL, &refused);
  if (object != NULL)
    return audit_bytes (visit->audit, object->bytes, key, &visit->error);
  /* Whoever may write shards must not be able to stop the audit with something that is none. */
  if (g_error_matches (refused, SV_ERROR, SV_ERROR_MALFORMED))
    return sv_audit_reject (visit->audit, refused->message, key, &visit->error);
  if (g_error_matches (refused, SV_ERROR, SV_ERROR_NOT_FOUND)) /* removed since it was listed */
    return TRUE;
  return sv_audit_unreadable (visit->audit, refused->message, key, &visit->error);
}

static gboolean
audit_store (SvAudit *audit, const char *url, const char *window_id, const SvConfig *config, GError **error)
{
  g_autoptr (SvObjectStore) store = sv_object_store_open (url, config, error);
  if (store == NULL)
    return FALSE;
  StoreVisit visit = { .audit = audit, .store = store, .window_id = window_id };
  gboolean done = sv_object_store_list (store, SHARD_PREFIX, visit_object, &visit, error);
  if (visit.error == NULL)
    return done;
  g_clear_error (error);
  g_propagate_error (error, visit.error);
  return FALSE;
}

gboolean
sv_audit_source (SvAudit *audit, const char *source, const char *window_id, const SvConfig *config, GError **error)
{
  if (strcmp (source, "-") == 0)
    return sv_audit_stream (audit, STDIN_FILENO, "standard input", error);
  g_autofree char *scheme = g_uri_parse_scheme (source);
  if (scheme != NULL)
    return audit_store (audit, source, window_id, config, error);
  if (g_file_test (source, G_FILE_TEST_IS_DIR))
    return audit_folder (audit, source, window_id, error);
  return audit_file (audit, source, error);
}
