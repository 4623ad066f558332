/* What the promises of stores are tried on, shared by the files of that suite. */
#pragma once

#include "folder_server.h"
#include "s3_gateway.h"
#include "store/object_store.h"

typedef struct
{
  char *folder;
  FolderServer *server;
  char *write_url;
  char *read_url;
  SvObjectStore *writer;
  SvObjectStore *reader;
} Fixture;

/* A setting for the engines, with the S3 server and a home of this suite. Returns: (transfer full). */
SvConfig *store_config (void);
SvObjectStore *open_store (const char *url);

/* Short forms, which must succeed. */
char *put (SvObjectStore *store, const char *key, const char *text);
SvObject *get (SvObjectStore *store, const char *key);
void assert_content (SvObjectStore *store, const char *key, const char *expected);
char *put_as (SvObjectStore *store, const char *key, const char *text, SvPutCondition condition, const char *etag,
              GError **error);
void assert_list (SvObjectStore *store, const char *prefix, guint at_most, const char *expected);
char *large_content (gsize length);

/* What the S3 engine alone promises (store_s3.c). */
typedef struct
{
  const char *name;
  void (*run) (Fixture *fixture);
} S3Promise;

const S3Promise *s3_promises (gsize *n_promises);
