/* How a `file:` store is changed: write and sync in .~incoming/, take the lock, check the condition, rename, sync the folder.
 * Conditional and unconditional changes take the same lock, so a compare-and-swap never overlooks a plain put. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "store/file_tree.h"

#define LOCK_NAME ".~lock"
#define INCOMING_NAME ".~incoming"
#define STALE_AFTER_S 3600
#define COPY_SIZE (1 << 20)

/* Content on its way to a key. */
typedef struct
{
  const SvFileStore *store;
  const char *key;
  int root;
  int incoming; /* the folder */
  int fd;
  char *name; /* in @incoming; NULL once renamed */
} Upload;

static void
upload_clear (Upload *upload)
{
  if (upload->name != NULL && upload->incoming >= 0)
    unlinkat (upload->incoming, upload->name, 0);
  g_clear_pointer (&upload->name, g_free);
  int *const fds[] = { &upload->fd, &upload->incoming, &upload->root };
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    if (*fds[i] >= 0)
      close (*fds[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Upload, upload_clear)

static gboolean
upload_fail (const Upload *upload, int errnum, GError **error)
{
  sv_tree_set_error (upload->store, upload->key, SV_TREE_WRITE, errnum == ENOENT ? EIO : errnum, error);
  return FALSE;
}

/* A writer touches its file with every write, so what has been still for an hour has lost its writer. */
static void
remove_stale (int incoming)
{
  int copy = dup (incoming);
  DIR *stream = copy < 0 ? NULL : fdopendir (copy);
  if (stream == NULL)
  {
    if (copy >= 0)
      close (copy);
    return;
  }
  time_t now = time (NULL);
  for (struct dirent *found; (found = readdir (stream)) != NULL;)
  {
    struct stat status;
    if (fstatat (incoming, found->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR (status.st_mode) &&
        status.st_mtime < now - STALE_AFTER_S)
      unlinkat (incoming, found->d_name, 0);
  }
  closedir (stream);
}

static gboolean
upload_begin (Upload *upload, GError **error)
{
  upload->root = sv_tree_open_root (upload->store, SV_TREE_WRITE, error);
  if (upload->root < 0)
    return FALSE;
  if (mkdirat (upload->root, INCOMING_NAME, 0700) != 0 && errno != EEXIST)
    return upload_fail (upload, errno, error);
  upload->incoming = sv_tree_open_folder (upload->root, INCOMING_NAME);
  if (upload->incoming < 0)
    return upload_fail (upload, errno, error);
  remove_stale (upload->incoming);
  guint8 unique[16]; /* not GLib's generator, which goes on alike in a parent and its forked children */
  randombytes_buf (unique, sizeof unique);
  g_autofree char *name = sv_hex_encode (unique, sizeof unique);
  upload->fd =
      openat (upload->incoming, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, sv_tree_mode (upload->key));
  if (upload->fd < 0)
    return upload_fail (upload, errno, error);
  upload->name = g_steal_pointer (&name);
  return TRUE;
}

static gboolean
upload_write (Upload *upload, const guint8 *data, gsize length, GError **error)
{
  return sv_write_all (upload->fd, data, length) ? TRUE : upload_fail (upload, errno, error);
}

static gboolean
upload_copy (Upload *upload, int source, const char *path, GError **error)
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
      g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "%s cannot be read: %s", path, g_strerror (errno));
      return FALSE;
    }
    if (!upload_write (upload, buffer, (gsize)got, error))
      return FALSE;
  }
}

/* The lock on all changes of the store; closing the descriptor releases it. -1 on error. */
static int
take_lock (const SvFileStore *store, int root, GError **error)
{
  int fd = openat (root, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
  int result = fd;
  while (fd >= 0 && (result = flock (fd, LOCK_EX)) != 0 && errno == EINTR)
    ;
  if (result >= 0)
    return fd;
  sv_tree_set_error (store, LOCK_NAME, SV_TREE_WRITE, errno, error);
  if (fd >= 0)
    close (fd);
  return -1;
}

static gboolean
conflict (const Upload *upload, const char *what, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT, "%s in store %s %s", upload->key, upload->store->base.url, what);
  return FALSE;
}

static gboolean
check_absent (const Upload *upload, int folder, GError **error)
{
  struct stat status;
  if (fstatat (folder, sv_tree_leaf (upload->key), &status, AT_SYMLINK_NOFOLLOW) == 0)
    return conflict (upload, "exists already", error);
  return errno == ENOENT ? TRUE : upload_fail (upload, errno, error);
}

static gboolean
check_matches (const Upload *upload, int folder, const char *etag, GError **error)
{
  int fd = openat (folder, sv_tree_leaf (upload->key), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return conflict (upload, "is gone since it was read; read it again", error);
  if (fd < 0)
    return upload_fail (upload, errno, error);
  g_autofree char *now = sv_tree_etag (fd);
  int errnum = errno;
  close (fd);
  if (now == NULL)
    return upload_fail (upload, errnum, error);
  return g_strcmp0 (now, etag) == 0 ? TRUE : conflict (upload, "has changed since it was read; read it again", error);
}

static gboolean
check_condition (const Upload *upload, int folder, const SvPutOptions *options, GError **error)
{
  if (options->condition == SV_PUT_IF_ABSENT || options->condition == SV_PUT_ONCE)
    return check_absent (upload, folder, error);
  if (options->condition == SV_PUT_IF_MATCHES)
    return check_matches (upload, folder, options->etag, error);
  return TRUE;
}

/* Under the lock. Takes @folder. */
static gboolean
upload_settle (Upload *upload, int folder, const SvPutOptions *options, GError **error)
{
  gboolean ok = check_condition (upload, folder, options, error);
  if (ok && renameat (upload->incoming, upload->name, folder, sv_tree_leaf (upload->key)) != 0)
    ok = upload_fail (upload, errno, error);
  else if (ok)
  {
    g_clear_pointer (&upload->name, g_free);
    ok = fsync (folder) == 0 ? TRUE : upload_fail (upload, errno, error);
  }
  close (folder);
  return ok;
}

static gboolean
upload_finish (Upload *upload, const SvPutOptions *options, GError **error)
{
  if (fsync (upload->fd) != 0)
    return upload_fail (upload, errno, error);
  int lock = take_lock (upload->store, upload->root, error);
  if (lock < 0)
    return FALSE;
  int folder = sv_tree_open_parent (upload->store, upload->key, SV_TREE_WRITE, error);
  gboolean ok = folder >= 0 && upload_settle (upload, folder, options, error);
  close (lock);
  return ok;
}

char *
sv_file_store_put (SvObjectStore *store, const char *key, GBytes *bytes, const SvPutOptions *options, GError **error)
{
  g_auto (Upload) upload = { (const SvFileStore *)store, key, -1, -1, -1, NULL };
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  if (!upload_begin (&upload, error) || !upload_write (&upload, data, length, error) ||
      !upload_finish (&upload, options, error))
    return NULL;
  guint8 digest[SV_SHA256_SIZE];
  sv_sha256 (data, length, digest);
  return sv_hex_encode (digest, sizeof digest);
}

gboolean
sv_file_store_put_file (SvObjectStore *store, const char *key, const char *path, const SvPutOptions *options, GError **error)
{
  int source = sv_store_open_source (path, NULL, error);
  if (source < 0)
    return FALSE;
  g_auto (Upload) upload = { (const SvFileStore *)store, key, -1, -1, -1, NULL };
  gboolean ok =
      upload_begin (&upload, error) && upload_copy (&upload, source, path, error) && upload_finish (&upload, options, error);
  close (source);
  return ok;
}

gboolean
sv_file_store_remove (SvObjectStore *base, const char *key, GError **error)
{
  const SvFileStore *store = (const SvFileStore *)base;
  g_autoptr (GError) failure = NULL;
  int folder = sv_tree_open_parent (store, key, SV_TREE_READ, &failure);
  if (folder < 0 && g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    return TRUE;
  if (folder < 0)
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  int root = sv_tree_open_root (store, SV_TREE_WRITE, error);
  int lock = root < 0 ? -1 : take_lock (store, root, error);
  gboolean ok = lock >= 0;
  if (ok && ((unlinkat (folder, sv_tree_leaf (key), 0) != 0 && errno != ENOENT) || fsync (folder) != 0))
  {
    sv_tree_set_error (store, key, SV_TREE_WRITE, errno, error);
    ok = FALSE;
  }
  const int fds[] = { lock, root, folder };
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    if (fds[i] >= 0)
      close (fds[i]);
  return ok;
}
