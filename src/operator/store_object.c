/* Names and content of objects. Most objects are small and read into memory; clips are not, so these are hashed in place where
 * the store is a folder, else through the spool. A shard's name is the hash of its line, which ends with a newline that the
 * hash leaves out. */
#include "operator/store_object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "keys/ss58.h"
#include "protocol/challenge.h"
#include "protocol/issued.h"
#include "protocol/shard.h"

#define OTHER_MAX_SIZE (G_GUINT64_CONSTANT (1) << 30)
#define HEX_DIGITS (2 * SV_SHA256_SIZE)

/* ── names ── */

const char *
sv_store_kind_name (SvStoreKind kind)
{
  static const char *const names[] = {
    [SV_STORE_INDEX] = "index",     [SV_STORE_MANIFEST] = "manifests", [SV_STORE_ARCHIVE] = "archives",
    [SV_STORE_SIGNERS] = "signers", [SV_STORE_ISSUED] = "issued",      [SV_STORE_SHARD] = "shards",
    [SV_STORE_CLIP] = "clips",      [SV_STORE_PROBE] = "probes",       [SV_STORE_OTHER] = "others",
    [SV_STORE_PUBLIC] = "public",
  };
  return names[kind];
}

/* Takes 64 hex digits followed by @suffix and nothing else. */
static gboolean
read_hash (const char *text, const char *suffix, SvStoreName *name)
{
  guint8 digest[SV_SHA256_SIZE];
  g_autofree char *hex = g_strndup (text, HEX_DIGITS);
  if (strlen (hex) != HEX_DIGITS || strcmp (text + HEX_DIGITS, suffix) != 0 ||
      !sv_hex_decode (hex, FALSE, digest, sizeof digest))
    return FALSE;
  g_snprintf (name->hash, sizeof name->hash, SV_HASH_PREFIX "%s", hex);
  return TRUE;
}

static gboolean
is_manifest (const char *rest, SvStoreName *name)
{
  return read_hash (g_str_has_prefix (rest, SV_HASH_PREFIX) ? rest + strlen (SV_HASH_PREFIX) : rest, ".json", name);
}

static gboolean
is_archive (const char *rest, SvStoreName *name)
{
  return read_hash (rest, ".json", name);
}

static gboolean
is_statement (const char *rest, SvStoreName *name)
{
  g_autofree char *digits = g_str_has_suffix (rest, ".json") ? g_strndup (rest, strlen (rest) - strlen (".json")) : NULL;
  return digits != NULL && sv_integer_parse (digits, &name->number) && name->number > 0;
}

/* Takes "{first}-{last}" and the suffix of a file, or "{first}" and that of a signpost. */
static gboolean
read_range (char *leaf, SvStoreName *name)
{
  gboolean is_file = g_str_has_suffix (leaf, ".jsonl");
  if (!is_file && !g_str_has_suffix (leaf, ".json"))
    return FALSE;
  *strrchr (leaf, '.') = '\0';
  char *dash = strchr (leaf, '-');
  if ((dash != NULL) != is_file)
    return FALSE;
  if (is_file)
    *dash = '\0';
  return sv_integer_parse (leaf, &name->first) && name->first > 0 &&
         (!is_file || (sv_integer_parse (dash + 1, &name->last) && name->last >= name->first));
}

/* {window_id}/{first}-{last}.jsonl, {window_id}/{first}.json */
static gboolean
is_issued (const char *rest, SvStoreName *name)
{
  g_auto (GStrv) parts = g_strsplit (rest, "/", 3);
  if (g_strv_length (parts) != 2 || !sv_window_id_is_valid (parts[0]) || !read_range (parts[1], name))
    return FALSE;
  g_strlcpy (name->window_id, parts[0], sizeof name->window_id);
  return TRUE;
}

/* {window_id}/{validator}/{block}-{hex}.jsonl */
static gboolean
is_shard (const char *rest, SvStoreName *name)
{
  guint64 block;
  g_auto (GStrv) parts = g_strsplit (rest, "/", 4);
  if (g_strv_length (parts) != 3 || !(sv_window_id_is_valid (parts[0]) || strcmp (parts[0], "_legacy") == 0))
    return FALSE;
  g_autofree char *account = sv_account_normalize (parts[1]);
  char *dash = strchr (parts[2], '-');
  if (account == NULL || dash == NULL)
    return FALSE;
  *dash = '\0';
  return sv_integer_parse (parts[2], &block) && read_hash (dash + 1, ".jsonl", name);
}

static gboolean
is_clip (const char *rest, SvStoreName *name)
{
  return read_hash (rest, "", name);
}

static gboolean
is_any (const char *rest, SvStoreName *name)
{
  return TRUE;
}

SvStoreName
sv_store_name_read (const char *key)
{
  static const struct
  {
    const char *prefix;
    SvStoreKind kind;
    gboolean (*matches) (const char *rest, SvStoreName *name);
  } kinds[] = {
    { "scorevision/manifests/", SV_STORE_MANIFEST, is_manifest },
    { "scorevision/archive/", SV_STORE_ARCHIVE, is_archive },
    { SV_SIGNERS_PREFIX, SV_STORE_SIGNERS, is_statement },
    { "scorevision/issued/", SV_STORE_ISSUED, is_issued },
    { "scorevision/shards/", SV_STORE_SHARD, is_shard },
    { "private/clips/", SV_STORE_CLIP, is_clip },
    { "private/probe/", SV_STORE_PROBE, is_any },
  };
  if (strcmp (key, SV_INDEX_KEY) == 0)
    return (SvStoreName){ .kind = SV_STORE_INDEX };
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
  {
    SvStoreName name = { .kind = kinds[i].kind };
    if (g_str_has_prefix (key, kinds[i].prefix) && kinds[i].matches (key + strlen (kinds[i].prefix), &name))
      return name;
  }
  return (SvStoreName){ .kind = SV_STORE_OTHER };
}

SvPutOptions
sv_store_put_options (SvStoreKind kind)
{
  SvPutOptions options = { .condition = SV_PUT_ALWAYS,
                           .content_type = "application/json",
                           .cache_control = SV_CACHE_IMMUTABLE };
  if (kind == SV_STORE_CLIP)
    options.content_type = "application/octet-stream";
  else if (kind == SV_STORE_SHARD || kind == SV_STORE_ISSUED)
    options.content_type = "application/x-ndjson";
  else if (kind == SV_STORE_INDEX || kind == SV_STORE_SIGNERS)
    options.cache_control = SV_CACHE_INDEX;
  return options;
}

static guint64
max_size (SvStoreKind kind)
{
  switch (kind)
  {
  case SV_STORE_INDEX:
  case SV_STORE_ARCHIVE:
    return SV_INDEX_MAX_SIZE;
  case SV_STORE_MANIFEST:
    return SV_MANIFEST_MAX_SIZE;
  case SV_STORE_SIGNERS:
    return SV_SIGNERS_MAX_SIZE;
  case SV_STORE_SHARD:
    return SV_SHARD_MAX_SIZE + 1;
  case SV_STORE_CLIP:
    return SV_CLIP_MAX_BYTES;
  case SV_STORE_ISSUED:
    return SV_ISSUED_FILE_MAX_SIZE;
  default:
    return OTHER_MAX_SIZE;
  }
}

/* ── the spool ── */

SvSpool *
sv_spool_new (const SvConfig *config, GError **error)
{
  g_autofree char *folder = sv_config_home_path (config, "cache");
  if (!sv_directory_make (folder, 0755, error))
    return NULL;
  g_autofree char *name = g_build_filename (folder, ".sv-tmp-XXXXXX", NULL);
  int fd = mkostemp (name, O_CLOEXEC);
  if (fd < 0 || unlink (name) != 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED,
                 "no temporary file can be made in %s: %s; check that folder, or set "
                 "SCOREVISION_HOME to another one",
                 folder, g_strerror (errno));
    if (fd >= 0)
      close (fd);
    return NULL;
  }
  SvSpool *spool = g_new0 (SvSpool, 1);
  spool->fd = fd;
  g_snprintf (spool->path, sizeof spool->path, "/proc/self/fd/%d", fd);
  return spool;
}

void
sv_spool_free (SvSpool *spool)
{
  if (spool == NULL)
    return;
  close (spool->fd);
  g_free (spool);
}

static gboolean
empty_spool (SvSpool *spool, GError **error)
{
  if (ftruncate (spool->fd, 0) == 0 && lseek (spool->fd, 0, SEEK_SET) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "a temporary file cannot be emptied: %s", g_strerror (errno));
  return FALSE;
}

/* ── content ── */

static gboolean
check_hash (const char *found, const char *expected, GError **error)
{
  if (strcmp (found, expected) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "its content hashes to %s, which is not what its name says", found);
  return FALSE;
}

static gboolean
check_shard_bytes (GBytes *bytes, const char *expected, GError **error)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  if (length == 0 || data[length - 1] != '\n')
  {
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "its line is cut short");
    return FALSE;
  }
  g_autofree char *found = sv_hash_bytes (data, length - 1);
  return check_hash (found, expected, error);
}

static gboolean
check_bytes (const SvStoreName *name, GBytes *bytes, GError **error)
{
  if (*name->hash == '\0')
    return TRUE;
  if (name->kind == SV_STORE_SHARD)
    return check_shard_bytes (bytes, name->hash, error);
  g_autofree char *found = sv_hash_gbytes (bytes);
  return check_hash (found, name->hash, error);
}

static gboolean
check_file (const SvStoreName *name, const char *path, GError **error)
{
  if (*name->hash == '\0')
    return TRUE;
  if (name->kind == SV_STORE_SHARD)
  {
    g_autoptr (GBytes) bytes = sv_file_read (path, SV_SHARD_MAX_SIZE + 1, error);
    return bytes != NULL && check_shard_bytes (bytes, name->hash, error);
  }
  g_autofree char *found = sv_hash_file (path, error);
  return found != NULL && check_hash (found, name->hash, error);
}

/* What fails here and is no fault of the store is the file system of the temporary file. */
static void
explain_failure (GError **error)
{
  if (g_error_matches (*error, SV_ERROR, SV_ERROR_FAILED))
    g_prefix_error (error, "see that there is room for the largest clip in $SCOREVISION_HOME/cache: ");
}

gboolean
sv_spool_fetch (SvSpool *spool, SvObjectStore *store, const char *key, const SvStoreName *name, guint64 *size, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (!empty_spool (spool, error))
    return FALSE;
  if (!sv_object_store_get_file (store, key, spool->fd, max_size (name->kind), &failure) ||
      !check_file (name, spool->path, &failure))
  {
    explain_failure (&failure);
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  off_t end = lseek (spool->fd, 0, SEEK_END);
  if (size != NULL)
    *size = end > 0 ? (guint64)end : 0;
  return TRUE;
}

/* Nothing is asked for past caches: what has a hash for a name, or a number, never changes. */
GBytes *
sv_store_get (SvObjectStore *store, const char *key, const char *hash, gsize max, GError **error)
{
  SvGetOptions options = { .max_size = max };
  g_autoptr (SvObject) object = sv_object_store_get (store, key, &options, NULL, error);
  if (object == NULL)
    return NULL;
  g_autofree char *found = sv_hash_gbytes (object->bytes);
  if (hash != NULL && *hash != '\0' && !check_hash (found, hash, error))
    return NULL;
  return g_bytes_ref (object->bytes);
}

gboolean
sv_store_is_absent (SvObjectStore *store, const char *key)
{
  g_autoptr (GError) failure = NULL;
  return !sv_object_store_head (store, key, NULL, &failure) && g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND);
}

/* In place in a folder: only hashed, so nothing has to be copied. */
static gboolean
verify_large (SvSpool *spool, SvObjectStore *store, const char *key, const SvStoreName *name, GError **error)
{
  g_autofree char *path = sv_object_store_local_path (store, key);
  guint64 size;
  if (path == NULL)
    return sv_spool_fetch (spool, store, key, name, NULL, error);
  if (!sv_object_store_head (store, key, &size, error))
    return FALSE;
  g_autofree char *found = size <= max_size (name->kind) ? sv_hash_file (path, error) : NULL;
  if (size <= max_size (name->kind))
    return found != NULL && (*name->hash == '\0' || check_hash (found, name->hash, error));
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "it has %" G_GUINT64_FORMAT " bytes, more than such an object can have",
               size);
  return FALSE;
}

gboolean
sv_store_verify (SvSpool *spool, SvObjectStore *store, const char *key, const SvStoreName *name, GError **error)
{
  if (name->kind == SV_STORE_CLIP)
    return verify_large (spool, store, key, name, error);
  g_autoptr (GBytes) bytes = sv_store_get (store, key, NULL, max_size (name->kind), error);
  return bytes != NULL && check_bytes (name, bytes, error);
}

/* ── archives and statements ── */

SvIndex *
sv_store_get_archive (SvObjectStore *store, const char *hash, GError **error)
{
  g_autofree char *key = sv_archive_key (hash);
  g_autoptr (GBytes) bytes = sv_store_get (store, key, hash, SV_INDEX_MAX_SIZE, error);
  return bytes != NULL ? sv_archive_open (bytes, hash, error) : NULL;
}

/* That there is none may be what a cache knows from before there was one. */
static GBytes *
get_past_caches (SvObjectStore *store, const char *key, GError **error)
{
  SvGetOptions options = { .max_size = SV_SIGNERS_MAX_SIZE, .bypass_caches = TRUE };
  g_autoptr (SvObject) object = sv_object_store_get (store, key, &options, NULL, error);
  return object != NULL ? g_bytes_ref (object->bytes) : NULL;
}

SvSignersStatement *
sv_store_get_statement (SvObjectStore *store, const SvChainId *chain, guint64 number, GError **error)
{
  g_autofree char *key = sv_signers_key (number);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = sv_store_get (store, key, NULL, SV_SIGNERS_MAX_SIZE, &failure);
  if (bytes == NULL && g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    bytes = get_past_caches (store, key, error);
  else if (bytes == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  g_autoptr (SvSignersStatement) statement = bytes != NULL ? sv_signers_statement_open (bytes, chain, error) : NULL;
  if (statement == NULL || statement->number == number)
    return g_steal_pointer (&statement);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "its field n is not the number in its name");
  return NULL;
}

/* ── for people ── */

const char *
sv_message_without (const char *message, const char *name)
{
  gsize length = strlen (name);
  return strncmp (message, name, length) == 0 && strncmp (message + length, ": ", 2) == 0 ? message + length + 2 : message;
}

char *
sv_bytes_shown (guint64 bytes)
{
  static const char *const units[] = { "kB", "MB", "GB", "TB" };
  double value = (double)bytes / 1000;
  gsize unit = 0;
  if (bytes < 1000)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " B", bytes);
  for (; value >= 999.95 && unit + 1 < G_N_ELEMENTS (units); unit++)
    value /= 1000;
  return g_strdup_printf ("%.1f %s", value, units[unit]);
}
