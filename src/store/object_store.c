/* Dispatch of object_store.h to an engine chosen by the URL's scheme. What holds for every engine is checked here once: that a
 * key is one, and that nobody writes to a read-only store. A further engine is a line in `engines`. */
#include "store/object_store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/engine.h"

#define KEY_MAX 1024
#define PART_MAX 255

static const SvStoreEngine *const engines[] = {
  &sv_file_store_engine,
  &sv_http_store_engine,
  &sv_https_store_engine,
  &sv_s3_store_engine,
};

void
sv_object_free (SvObject *object)
{
  if (object == NULL)
    return;
  g_bytes_unref (object->bytes);
  g_free (object->etag);
  g_free (object);
}

/* The length of the part at @text if it is one: [A-Za-z0-9._:@-]{1,255}, neither "." nor ".."; else 0. */
static gsize
part_length (const char *text)
{
  gsize length = 0;
  while (g_ascii_isalnum (text[length]) || (text[length] != '\0' && strchr ("._:@-", text[length]) != NULL))
    length++;
  if (length > PART_MAX || (length <= 2 && strspn (text, ".") >= length))
    return 0;
  return length;
}

gboolean
sv_object_key_is_valid (const char *key)
{
  if (key == NULL || strnlen (key, KEY_MAX + 1) > KEY_MAX)
    return FALSE;
  for (;;)
  {
    gsize length = part_length (key);
    if (length == 0)
      return FALSE;
    if (key[length] == '\0')
      return TRUE;
    if (key[length] != '/')
      return FALSE;
    key += length + 1;
  }
}

static gboolean
check_key (const SvObjectStore *store, const char *key, GError **error)
{
  if (sv_object_key_is_valid (key))
    return TRUE;
  g_autofree char *shown = g_strescape (key == NULL ? "" : key, NULL);
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
               "store %s: \"%.200s\" is not an object key: a relative path of [A-Za-z0-9._:@-] parts is expected", store->url,
               shown);
  return FALSE;
}

gboolean
sv_object_store_check_writable (const SvObjectStore *store, GError **error)
{
  if (!store->engine->is_read_only)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "store %s can only be read; set SCOREVISION_STORE to the store that is written, such as file:PATH", store->url);
  return FALSE;
}

static gboolean
check_change (const SvObjectStore *store, const char *key, GError **error)
{
  return check_key (store, key, error) && sv_object_store_check_writable (store, error);
}

SvObjectStore *
sv_object_store_open (const char *url, const SvConfig *config, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (engines); i++)
    if (g_str_has_prefix (url, engines[i]->scheme))
      return engines[i]->open (url, config, error);
  g_autofree char *masked = sv_config_mask (url);
  g_autofree char *shown = g_strescape (masked, NULL);
  g_set_error (
      error, SV_ERROR, SV_ERROR_USAGE,
      "\"%.200s\" is not a store: file:PATH and s3://BUCKET are written and read, http(s)://HOST/PATH is read (in lower "
      "case)",
      shown);
  return NULL;
}

void
sv_object_store_free (SvObjectStore *store)
{
  if (store != NULL)
    store->engine->close (store);
}

const char *
sv_object_store_url (const SvObjectStore *store)
{
  return store->url;
}

SvObject *
sv_object_store_get (SvObjectStore *store, const char *key, const SvGetOptions *options, gboolean *unchanged, GError **error)
{
  gboolean ignored;
  if (unchanged == NULL)
    unchanged = &ignored;
  *unchanged = FALSE;
  if (!check_key (store, key, error))
    return NULL;
  return store->engine->get (store, key, options, unchanged, error);
}

gboolean
sv_object_store_head (SvObjectStore *store, const char *key, guint64 *size, GError **error)
{
  guint64 ignored;
  return check_key (store, key, error) && store->engine->head (store, key, size == NULL ? &ignored : size, error);
}

char *
sv_object_store_put (SvObjectStore *store, const char *key, GBytes *bytes, const SvPutOptions *options, GError **error)
{
  if (!check_change (store, key, error))
    return NULL;
  return store->engine->put (store, key, bytes, options, error);
}

gboolean
sv_object_store_put_file (SvObjectStore *store, const char *key, const char *path, const SvPutOptions *options, GError **error)
{
  return check_change (store, key, error) && store->engine->put_file (store, key, path, options, error);
}

gboolean
sv_object_store_get_file (SvObjectStore *store, const char *key, int fd, guint64 max_size, GError **error)
{
  return check_key (store, key, error) && store->engine->get_file (store, key, fd, max_size, error);
}

gboolean
sv_object_store_delete (SvObjectStore *store, const char *key, GError **error)
{
  return check_change (store, key, error) && store->engine->remove (store, key, error);
}

gboolean
sv_object_store_list (SvObjectStore *store, const char *prefix, SvVisitKey visit, gpointer data, GError **error)
{
  g_autofree char *folder = g_strdup (prefix);
  if (g_str_has_suffix (folder, "/"))
    folder[strlen (folder) - 1] = '\0';
  if (*prefix != '\0' && !check_key (store, folder, error))
    return FALSE;
  return store->engine->list (store, folder, visit, data, error);
}

char *
sv_object_store_local_path (const SvObjectStore *store, const char *key)
{
  if (store->engine->local_path == NULL || !sv_object_key_is_valid (key))
    return NULL;
  return store->engine->local_path (store, key);
}

char *
sv_object_store_presign (const SvObjectStore *store, const char *key, guint seconds, GError **error)
{
  if (store->engine->presign == NULL || !check_key (store, key, error))
    return NULL;
  return store->engine->presign (store, key, seconds, error);
}

void
sv_object_store_assume_single_writer (SvObjectStore *store)
{
  if (store->engine->assume_single_writer != NULL)
    store->engine->assume_single_writer (store);
}

int
sv_store_open_source (const char *path, guint64 *size, GError **error)
{
  int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat status;
  if (fd < 0)
    g_set_error (error, SV_ERROR, errno == ENOENT ? SV_ERROR_NOT_FOUND : SV_ERROR_FAILED, "%s cannot be read: %s", path,
                 g_strerror (errno));
  else if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
  {
    if (size != NULL)
      *size = (guint64)status.st_size;
    return fd;
  }
  else
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s is not a plain file", path);
    close (fd);
  }
  return -1;
}
