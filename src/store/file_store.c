/* The embedded object store: one file per object under one directory, so that any web server can publish it.
 *
 * Layout below the root: the keys themselves, and two names that no key can have ("~" is not in a key's alphabet): `.~lock`,
 * on which every change holds an flock(2) while it checks its condition and renames, and `.~incoming/`, where content is
 * written and synced before it is renamed to its key. So a reader, who takes no lock, sees the old object or the new one, and
 * what a killed writer leaves behind is never listed; a later writer removes it when it is an hour old.
 *
 * An ETag is the hex SHA-256 of the content, computed when it is read: nothing beside the file can go out of step with it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "store/file_tree.h"

#define COPY_SIZE (256 * 1024)

static SvObjectStore *
file_open (const char *url, const SvConfig *config, GError **error)
{
  const char *path = url + strlen (sv_file_store_engine.scheme);
  gboolean names_host = g_str_has_prefix (path, "//") && path[2] != '/';
  if (*path == '\0' || names_host)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "store \"%s\": file:PATH is expected, such as file:/srv/scorevision", url);
    return NULL;
  }
  SvFileStore *store = g_new0 (SvFileStore, 1);
  g_autofree char *expanded = sv_path_expand (path);
  store->base.engine = &sv_file_store_engine;
  store->root = g_canonicalize_filename (expanded, NULL);
  store->base.url = g_strconcat (sv_file_store_engine.scheme, store->root, NULL);
  return &store->base;
}

static void
file_close (SvObjectStore *base)
{
  SvFileStore *store = (SvFileStore *)base;
  g_free (store->root);
  g_free (store->base.url);
  g_free (store);
}

/* Objects are replaced, never changed, so the size that the status told stays true. */
static GBytes *
read_whole (int fd, gsize size)
{
  g_autofree guint8 *data = g_malloc (size + 1);
  for (gsize have = 0; have < size;)
  {
    gssize got = read (fd, data + have, size - have);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
    {
      errno = got == 0 ? EIO : errno;
      return NULL;
    }
    have += (gsize)got;
  }
  return g_bytes_new_take (g_steal_pointer (&data), size);
}

static gboolean
check_size (const SvObjectStore *base, const char *key, gint64 size, guint64 max_size, GError **error)
{
  if ((guint64)size <= max_size)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
               "%s in store %s has %" G_GINT64_FORMAT " bytes, more than %" G_GUINT64_FORMAT, key, base->url, size, max_size);
  return FALSE;
}

static SvObject *
file_get (SvObjectStore *base, const char *key, const SvGetOptions *options, gboolean *unchanged, GError **error)
{
  const SvFileStore *store = (const SvFileStore *)base;
  struct stat status;
  int fd = sv_tree_open_object (store, key, &status, error);
  if (fd < 0)
    return NULL;
  if (!check_size (base, key, status.st_size, options->max_size, error))
  {
    close (fd);
    return NULL;
  }
  g_autoptr (GBytes) bytes = read_whole (fd, (gsize)status.st_size);
  int errnum = errno;
  close (fd);
  if (bytes == NULL)
  {
    sv_tree_set_error (store, key, SV_TREE_READ, errnum, error);
    return NULL;
  }
  guint8 digest[SV_SHA256_SIZE];
  sv_sha256 (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), digest);
  g_autofree char *etag = sv_hex_encode (digest, sizeof digest);
  *unchanged = g_strcmp0 (etag, options->known_etag) == 0;
  if (*unchanged)
    return NULL;
  SvObject *object = g_new0 (SvObject, 1);
  object->bytes = g_steal_pointer (&bytes);
  object->etag = g_steal_pointer (&etag);
  return object;
}

static gboolean
copy_to (const SvFileStore *store, const char *key, int source, int fd, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (COPY_SIZE);
  for (;;)
  {
    gssize got = read (source, buffer, COPY_SIZE);
    if (got < 0 && errno == EINTR)
      continue;
    if (got == 0)
      return TRUE;
    if (got < 0)
    {
      sv_tree_set_error (store, key, SV_TREE_READ, errno, error);
      return FALSE;
    }
    if (!sv_write_all (fd, buffer, (gsize)got))
    {
      g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "%s of store %s cannot be written where it is wanted: %s", key,
                   store->base.url, g_strerror (errno));
      return FALSE;
    }
  }
}

static gboolean
file_get_file (SvObjectStore *base, const char *key, int fd, guint64 max_size, GError **error)
{
  const SvFileStore *store = (const SvFileStore *)base;
  struct stat status;
  int source = sv_tree_open_object (store, key, &status, error);
  if (source < 0)
    return FALSE;
  gboolean ok = check_size (base, key, status.st_size, max_size, error) && copy_to (store, key, source, fd, error);
  close (source);
  return ok;
}

static gboolean
file_head (SvObjectStore *base, const char *key, guint64 *size, GError **error)
{
  struct stat status;
  int fd = sv_tree_open_object ((const SvFileStore *)base, key, &status, error);
  if (fd < 0)
    return FALSE;
  close (fd);
  *size = (guint64)status.st_size;
  return TRUE;
}

/* One name in a folder. A folder's ends in "/", so that sorting names sorts keys: "a-b" < "a/b" < "a0". */
typedef struct
{
  char *name;
  guint64 size;
} Entry;

static void
entry_clear (gpointer data)
{
  g_free (((Entry *)data)->name);
}

static int
entry_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Entry *)a)->name, ((const Entry *)b)->name);
}

/* Plain files and folders whose names can stand in a key; links, devices and what is being written are passed over. */
static GArray *
read_folder (DIR *stream)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (entries, entry_clear);
  for (struct dirent *found; (found = readdir (stream)) != NULL;)
  {
    struct stat status;
    if (!sv_object_key_is_valid (found->d_name) || fstatat (dirfd (stream), found->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !(S_ISREG (status.st_mode) || S_ISDIR (status.st_mode)))
      continue;
    Entry entry = { g_strconcat (found->d_name, S_ISDIR (status.st_mode) ? "/" : NULL, NULL), (guint64)status.st_size };
    g_array_append_val (entries, entry);
  }
  g_array_sort (entries, entry_compare);
  return entries;
}

typedef struct
{
  const SvFileStore *store;
  SvVisitKey visit;
  gpointer data;
  gboolean is_stopped;
} Walk;

static gboolean walk_folder (Walk *walk, int folder, const char *prefix, GError **error);

static gboolean
walk_entry (Walk *walk, int folder, const char *prefix, const Entry *entry, GError **error)
{
  g_autofree char *key = g_strconcat (prefix, entry->name, NULL);
  if (!g_str_has_suffix (key, "/"))
  {
    if (sv_object_key_is_valid (key))
      walk->is_stopped = !walk->visit (key, entry->size, walk->data);
    return TRUE;
  }
  g_autofree char *folder_key = g_strndup (key, strlen (key) - 1);
  if (!sv_object_key_is_valid (folder_key)) /* too deep for any key, and for our descriptors */
    return TRUE;
  g_autofree char *name = g_strndup (entry->name, strlen (entry->name) - 1);
  int below = sv_tree_open_folder (folder, name);
  if (below < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
    return TRUE; /* gone since it was read */
  if (below < 0)
  {
    sv_tree_set_error (walk->store, key, SV_TREE_READ, errno, error);
    return FALSE;
  }
  return walk_folder (walk, below, key, error);
}

/* Takes @folder. */
static gboolean
walk_folder (Walk *walk, int folder, const char *prefix, GError **error)
{
  DIR *stream = fdopendir (folder);
  if (stream == NULL)
  {
    sv_tree_set_error (walk->store, prefix, SV_TREE_READ, errno, error);
    close (folder);
    return FALSE;
  }
  g_autoptr (GArray) entries = read_folder (stream);
  gboolean ok = TRUE;
  for (guint i = 0; i < entries->len && ok && !walk->is_stopped; i++)
    ok = walk_entry (walk, dirfd (stream), prefix, &g_array_index (entries, Entry, i), error);
  closedir (stream);
  return ok;
}

static gboolean
file_list (SvObjectStore *base, const char *prefix, SvVisitKey visit, gpointer data, GError **error)
{
  Walk walk = { (const SvFileStore *)base, visit, data, FALSE };
  g_autofree char *folder_key = *prefix == '\0' ? g_strdup ("") : g_strconcat (prefix, "/", NULL);
  g_autoptr (GError) failure = NULL;
  int folder = sv_tree_open_parent (walk.store, folder_key, SV_TREE_READ, &failure);
  if (folder >= 0)
    return walk_folder (&walk, folder, folder_key, error);
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* NULL for a path that leads through a symbolic link, so that streaming from it follows none either. */
static char *
file_local_path (const SvObjectStore *base, const char *key)
{
  const SvFileStore *store = (const SvFileStore *)base;
  struct stat status;
  g_autoptr (GError) failure = NULL;
  int fd = sv_tree_open_object (store, key, &status, &failure);
  if (fd >= 0)
    close (fd);
  else if (g_error_matches (failure, SV_ERROR, SV_ERROR_POLICY))
    return NULL;
  return g_build_filename (store->root, key, NULL);
}

const SvStoreEngine sv_file_store_engine = {
  .scheme = "file:",
  .is_read_only = FALSE,
  .open = file_open,
  .close = file_close,
  .get = file_get,
  .head = file_head,
  .get_file = file_get_file,
  .put = sv_file_store_put,
  .put_file = sv_file_store_put_file,
  .remove = sv_file_store_remove,
  .list = file_list,
  .local_path = file_local_path,
};
