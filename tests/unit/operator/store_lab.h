/* A store with one of everything, for the tests of checking and copying: live, superseded and archived manifests, statements,
 * a clip, a shard; and a copy of it that is served over HTTP, as a public mirror. */
#pragma once

#include "folder_server.h"
#include "operator/store_check.h"
#include "operator/store_mirror.h"
#include "world.h"

typedef struct
{
  World *world;
  char *live; /* hashes of manifests */
  char *superseded;
  char *archived;
  char *archive; /* hash */
  char *clip_key;
  char *shard_key;
  gboolean counts_clips; /* in checks: the clips that the manifests name are missing, unless a test puts them there */
} Lab;

Lab *lab_new (void);
/* The same on a chain whose blocks are final when @finality more are there. */
Lab *lab_new_on (guint64 finality);
void lab_free (Lab *lab);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Lab, lab_free)

/* "scorevision/manifests/{hex}.json", or with "sha256:". Returns: (transfer full). */
char *lab_key (const char *hash);
char *lab_key_prefixed (const char *hash);

/* Puts statement @n, which introduces a new account, and returns its hash (transfer full). */
char *lab_put_statement (Lab *lab, guint n, const char *previous, const SvKeypair *keypair);

/* Adds or retires an account, as `sv manifest signers` does. */
void lab_change_signer (SvPublisher *publisher, gboolean is_addition, const SvKeypair *named);

/* The object gets more, other or no bytes. */
void lab_append (Lab *lab, const char *key);
void lab_truncate (Lab *lab, const char *key);
void lab_write (Lab *lab, const char *key, const char *text);
void lab_remove (Lab *lab, const char *key);
gboolean lab_has (Lab *lab, const char *key);
GBytes *lab_read (SvObjectStore *store, const char *key);
void lab_delete (SvObjectStore *store, const char *key);

/* A checked store; aborts where the check itself fails. @config NULL: the world's. Returns: (transfer full). */
SvStoreCheck *lab_check (Lab *lab, const SvConfig *config);
void lab_repair (SvStoreCheck *check);

/* (transfer none) the fault of a key, or NULL. */
const SvStoreFault *lab_fault (SvStoreCheck *check, const char *key);

/* The fault of @key is there, and says @what. */
void lab_assert_told (SvStoreCheck *check, const char *key, const char *what);
guint lab_left (SvStoreCheck *check);
gboolean lab_has_note (SvStoreCheck *check, const char *part);

/* Copies the store to the world's folder @leaf, clips included, and opens the copy. Returns: (transfer full). */
SvObjectStore *lab_copy (Lab *lab, const char *leaf);

/* A server of that folder. */
FolderServer *lab_serve (Lab *lab, const char *leaf);
