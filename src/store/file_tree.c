#include "store/file_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/sha256.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const char *
advice (int errnum)
{
  switch (errnum)
  {
  case ENOSPC:
  case EDQUOT:
    return "free some space and run the same command again";
  case EROFS:
    return "mount its file system writable, or name another store";
  case EACCES:
  case EPERM:
    return "check who owns its directory, and the directory's mode";
  case EFBIG:
    return "raise the limit on file sizes (ulimit -f)";
  case EXDEV:
    return "keep the whole store on one file system";
  case EMFILE:
  case ENFILE:
    return "raise the limit on open files (ulimit -n)";
  default:
    return "check its disk and run the same command again";
  }
}

static void
set_unreachable (const SvFileStore *store, SvTreeUse use, int errnum, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "store %s cannot be %s: %s; %s", store->base.url,
               use == SV_TREE_READ ? "read" : "written", g_strerror (errnum), advice (errnum));
}

void
sv_tree_set_error (const SvFileStore *store, const char *key, SvTreeUse use, int errnum, GError **error)
{
  gboolean is_in_the_way = errnum == ENOTDIR || errnum == EISDIR || errnum == EEXIST;
  if (errnum == ELOOP)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "%s: a part of this path in store %s is a symbolic link or no plain file, which a store does not follow", key,
                 store->base.url);
  else if (errnum == ENOENT || (is_in_the_way && use == SV_TREE_READ))
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "%s: no such object in store %s", key, store->base.url);
  else if (is_in_the_way)
    g_set_error (
        error, SV_ERROR, SV_ERROR_CONFLICT,
        "%s: in store %s something else has this name, or a part of it: a folder where an object should be, or the reverse",
        key, store->base.url);
  else
    set_unreachable (store, use, errnum, error);
}

static int
open_root_for_writing (const SvFileStore *store, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (!sv_directory_make (store->root, 0755, &failure))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "store %s cannot be made: %s", store->base.url, failure->message);
    return -1;
  }
  int fd = open (store->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    set_unreachable (store, SV_TREE_WRITE, errno, error);
  return fd;
}

int
sv_tree_open_root (const SvFileStore *store, SvTreeUse use, GError **error)
{
  int fd = open (store->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0)
    return fd;
  if (errno == ENOENT && use == SV_TREE_WRITE)
    return open_root_for_writing (store, error);
  if (errno == ENOENT)
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "store %s has nothing in it yet: its directory does not exist",
                 store->base.url);
  else if (errno == ENOTDIR)
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "store %s is not a directory; name one, or a path that is free",
                 store->base.url);
  else
    set_unreachable (store, use, errno, error);
  return -1;
}

int
sv_tree_open_folder (int folder, const char *name)
{
  int fd = openat (folder, name, FOLDER_FLAGS);
  if (fd >= 0 || errno != ENOTDIR)
    return fd;
  struct stat status;
  errno = fstatat (folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK (status.st_mode) ? ELOOP : ENOTDIR;
  return -1;
}

/* Whoever made the folder may have died before it was durable, so its parent is synced in any case. */
static int
make_folder (int parent, const char *name, guint mode)
{
  if (mkdirat (parent, name, mode) != 0 && errno != EEXIST)
    return -1;
  if (fsync (parent) != 0)
    return -1;
  return sv_tree_open_folder (parent, name);
}

guint
sv_tree_mode (const char *key)
{
  return g_str_has_prefix (key, "private/") ? 0600 : 0644;
}

int
sv_tree_open_parent (const SvFileStore *store, const char *key, SvTreeUse use, GError **error)
{
  int folder = sv_tree_open_root (store, use, error);
  guint mode = sv_tree_mode (key) == 0600 ? 0700 : 0755;
  for (const char *slash; folder >= 0 && (slash = strchr (key, '/')) != NULL; key = slash + 1)
  {
    g_autofree char *name = g_strndup (key, (gsize)(slash - key));
    int next = use == SV_TREE_WRITE ? make_folder (folder, name, mode) : sv_tree_open_folder (folder, name);
    int errnum = errno;
    close (folder);
    if (next < 0)
      sv_tree_set_error (store, key, use, errnum, error);
    folder = next;
  }
  return folder;
}

const char *
sv_tree_leaf (const char *key)
{
  const char *slash = strrchr (key, '/');
  return slash == NULL ? key : slash + 1;
}

int
sv_tree_open_object (const SvFileStore *store, const char *key, struct stat *status, GError **error)
{
  int folder = sv_tree_open_parent (store, key, SV_TREE_READ, error);
  if (folder < 0)
    return -1;
  int fd = openat (folder, sv_tree_leaf (key), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  int errnum = fd < 0 ? errno : 0;
  close (folder);
  if (errnum == 0 && fstat (fd, status) != 0)
    errnum = errno;
  if (errnum == 0 && !S_ISREG (status->st_mode))
    errnum = S_ISDIR (status->st_mode) ? EISDIR : ELOOP;
  if (errnum == 0)
    return fd;
  if (fd >= 0)
    close (fd);
  sv_tree_set_error (store, key, SV_TREE_READ, errnum, error);
  return -1;
}

char *
sv_tree_etag (int fd)
{
  g_autofree guint8 *buffer = g_malloc (1 << 16);
  SvSha256 hashing;
  sv_sha256_init (&hashing);
  for (off_t offset = 0;;)
  {
    gssize got = pread (fd, buffer, 1 << 16, offset);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return NULL;
    if (got == 0)
      break;
    sv_sha256_update (&hashing, buffer, (gsize)got);
    offset += got;
  }
  guint8 digest[SV_SHA256_SIZE];
  sv_sha256_final (&hashing, digest);
  return sv_hex_encode (digest, sizeof digest);
}
