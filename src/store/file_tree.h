/* The folder tree of a `file:` store, walked one part at a time without following a symbolic link below its root: whoever can
 * plant a link in the store cannot make us read or write elsewhere. */
#pragma once

#include <sys/stat.h>

#include "store/engine.h"

typedef struct
{
  SvObjectStore base;
  char *root; /* absolute; may itself be a symbolic link, since the operator named it */
} SvFileStore;

typedef enum
{
  SV_TREE_READ,
  SV_TREE_WRITE,
} SvTreeUse;

/* Turns an errno of reading or writing @key into an error that says what to do. */
void sv_tree_set_error (const SvFileStore *store, const char *key, SvTreeUse use, int errnum, GError **error);

/* The root's descriptor, or -1. SV_TREE_WRITE makes it where it is missing. */
int sv_tree_open_root (const SvFileStore *store, SvTreeUse use, GError **error);

/* The folder @name in @folder, or -1 with errno; a symbolic link is ELOOP. */
int sv_tree_open_folder (int folder, const char *name);

/* The folder that holds @key's last part, or -1. SV_TREE_WRITE makes what is missing and makes the way there durable. */
int sv_tree_open_parent (const SvFileStore *store, const char *key, SvTreeUse use, GError **error);

/* (transfer none) the last part of @key. */
const char *sv_tree_leaf (const char *key);

/* Objects below private/ are for the owner only, whatever the umask. */
guint sv_tree_mode (const char *key);

/* The object's file, open for reading, with its status; or -1. */
int sv_tree_open_object (const SvFileStore *store, const char *key, struct stat *status, GError **error);

/* The ETag of an open file's content: hex of its SHA-256. NULL with errno. */
char *sv_tree_etag (int fd);

/* Writing, in file_store_put.c: the engine's functions of these names. */
char *sv_file_store_put (SvObjectStore *store, const char *key, GBytes *bytes, const SvPutOptions *options, GError **error);
gboolean sv_file_store_put_file (SvObjectStore *store, const char *key, const char *path, const SvPutOptions *options,
                                 GError **error);
gboolean sv_file_store_remove (SvObjectStore *store, const char *key, GError **error);
