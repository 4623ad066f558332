/* Object store: named bytes with an ETag, put conditionally. One interface, chosen by one URL: `file:PATH` (embedded),
 * `s3://BUCKET`, or `http(s)://…` (read-only, a public URL). Callers may rely on: a reader sees the whole object or none; two
 * conditional puts never both succeed; a put that returned is durable. An SvObjectStore is used by one thread at a time; any
 * number may be open on one place. Keys are relative paths of [A-Za-z0-9._:@-] parts joined by "/", never "." or "..". */
#pragma once

#include <glib.h>

#include "base/config.h"

typedef struct SvObjectStore SvObjectStore;

typedef struct
{
  GBytes *bytes;
  char *etag; /* opaque, without quotes; NULL where the server gives none */
} SvObject;

void sv_object_free (SvObject *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvObject, sv_object_free)

typedef enum
{
  SV_PUT_ALWAYS,
  SV_PUT_IF_ABSENT,  /* If-None-Match: * */
  SV_PUT_IF_MATCHES, /* If-Match: the ETag */
  SV_PUT_ONCE,       /* the key is the content's own name, so whoever comes second loses nothing: an object that is there
                        already is SV_ERROR_CONFLICT, or silently replaced by the same where a server knows no conditions */
} SvPutCondition;

typedef struct
{
  SvPutCondition condition;
  const char *etag; /* for SV_PUT_IF_MATCHES */
  const char *content_type;
  const char *cache_control;
} SvPutOptions;

#define SV_CACHE_IMMUTABLE "public, max-age=31536000, immutable"
#define SV_CACHE_INDEX "public, max-age=15, must-revalidate"

/* Opens a store by URL. @config gives credentials and endpoints to engines that need them. SV_ERROR_USAGE for an unknown
 * scheme; schemes are written in lower case. A `file:` store's directory is made when first written. Returns: (transfer full).
 */
SvObjectStore *sv_object_store_open (const char *url, const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_object_store_free (SvObjectStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvObjectStore, sv_object_store_free)

/* SV_ERROR_POLICY for a store that can only be read: to be said before anything is asked of it. */
gboolean sv_object_store_check_writable (const SvObjectStore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

const char *sv_object_store_url (const SvObjectStore *store);

/* SV_ERROR_NOT_FOUND where there is none, SV_ERROR_MALFORMED where it is larger than @max_size. With @known_etag equal to the
 * object's, *@unchanged is set and NULL returned without an error. @bypass_caches asks caches on the way for a fresh answer. */
typedef struct
{
  gsize max_size;
  const char *known_etag; /* or NULL */
  gboolean bypass_caches;
  gboolean is_raced; /* others are asked, too: a server that wants to be left alone is not waited for */
} SvGetOptions;

SvObject *sv_object_store_get (SvObjectStore *store, const char *key, const SvGetOptions *options, gboolean *unchanged,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* *@size may be NULL; FALSE with SV_ERROR_NOT_FOUND where there is none. */
gboolean sv_object_store_head (SvObjectStore *store, const char *key, guint64 *size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SV_ERROR_CONFLICT when the condition does not hold; SV_ERROR_POLICY on a read-only store. Returns the new ETag. */
char *sv_object_store_put (SvObjectStore *store, const char *key, GBytes *bytes, const SvPutOptions *options,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same from a file of any size. */
gboolean sv_object_store_put_file (SvObjectStore *store, const char *key, const char *path, const SvPutOptions *options,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes an object of any size up to @max_size to @fd, where that stands; errors as for getting. What has been written when it
 * fails is part of an object, or nothing. */
gboolean sv_object_store_get_file (SvObjectStore *store, const char *key, int fd, guint64 max_size,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An absent object is a success. */
gboolean sv_object_store_delete (SvObjectStore *store, const char *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Calls @visit for every key below @prefix (a folder, or "" for all) in ascending byte order until it returns FALSE.
 * Read-only HTTP stores cannot list: SV_ERROR_POLICY. */
typedef gboolean (*SvVisitKey) (const char *key, guint64 size, gpointer data);
gboolean sv_object_store_list (SvObjectStore *store, const char *prefix, SvVisitKey visit, gpointer data,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The local path of an object of a `file:` store, NULL for other engines: what `sv serve` streams from. Returns: (transfer
 * full). */
char *sv_object_store_local_path (const SvObjectStore *store, const char *key);

/* A URL by which anybody can GET the object for @seconds (1 to 604800) from now on; NULL without an error for engines that have
 * none. Arithmetic only: any thread may call it while another uses the store. Returns: (transfer full). */
char *sv_object_store_presign (const SvObjectStore *store, const char *key, guint seconds, GError **error);

/* The user vouches that nobody else writes to this store: where its server knows no conditional puts, a condition is then
 * looked at before the put, which is no promise. Without effect on engines that keep theirs. */
void sv_object_store_assume_single_writer (SvObjectStore *store);

/* FALSE for a key that no engine takes. */
gboolean sv_object_key_is_valid (const char *key);
