/* What an engine behind object_store.h provides. A further store is a file that fills this table, and a line in
 * object_store.c. */
#pragma once

#include "store/object_store.h"

typedef struct
{
  const char *scheme; /* "file:" */
  gboolean is_read_only;
  SvObjectStore *(*open) (const char *url, const SvConfig *config, GError **error);
  void (*close) (SvObjectStore *store);
  SvObject *(*get) (SvObjectStore *store, const char *key, const SvGetOptions *options, gboolean *unchanged, GError **error);
  gboolean (*head) (SvObjectStore *store, const char *key, guint64 *size, GError **error);
  char *(*put) (SvObjectStore *store, const char *key, GBytes *bytes, const SvPutOptions *options, GError **error);
  gboolean (*put_file) (SvObjectStore *store, const char *key, const char *path, const SvPutOptions *options, GError **error);
  gboolean (*get_file) (SvObjectStore *store, const char *key, int fd, guint64 max_size, GError **error);
  gboolean (*remove) (SvObjectStore *store, const char *key, GError **error);
  gboolean (*list) (SvObjectStore *store, const char *prefix, SvVisitKey visit, gpointer data, GError **error);
  char *(*local_path) (const SvObjectStore *store, const char *key);                             /* or NULL */
  char *(*presign) (const SvObjectStore *store, const char *key, guint seconds, GError **error); /* or NULL; any thread */
  void (*assume_single_writer) (SvObjectStore *store);                                           /* or NULL */
} SvStoreEngine;

/* Opens a file to be stored, which a person has named, so a symbolic link to it is followed; -1 with SV_ERROR_NOT_FOUND,
 * SV_ERROR_MALFORMED for what is no plain file, SV_ERROR_FAILED. @size may be NULL. */
int sv_store_open_source (const char *path, guint64 *size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The first member of every engine's own struct. */
struct SvObjectStore
{
  const SvStoreEngine *engine;
  char *url;
};

extern const SvStoreEngine sv_file_store_engine;
extern const SvStoreEngine sv_http_store_engine;
extern const SvStoreEngine sv_https_store_engine;
extern const SvStoreEngine sv_s3_store_engine;
