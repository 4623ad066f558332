/* What lies in a store (docs/protocol.md section 3): which kind of object a key is, what its name promises of its content, and
 * whether the content keeps that promise. */
#pragma once

#include "protocol/manifest_archive.h"
#include "protocol/object_keys.h"
#include "protocol/signers_statement.h"
#include "store/object_store.h"

typedef enum
{
  SV_STORE_INDEX,
  SV_STORE_MANIFEST,
  SV_STORE_ARCHIVE,
  SV_STORE_SIGNERS,
  SV_STORE_ISSUED,
  SV_STORE_SHARD,
  SV_STORE_CLIP,
  SV_STORE_PROBE,  /* what a probe of the server's conditional puts has left behind */
  SV_STORE_OTHER,  /* a name that is nobody's */
  SV_STORE_PUBLIC, /* no object: what the public sees of them */
} SvStoreKind;

#define SV_STORE_N_KINDS (SV_STORE_PUBLIC + 1)

/* "manifests", "clips"… */
const char *sv_store_kind_name (SvStoreKind kind);

/* How much is remembered of what a listing shows, of each sort of thing: a hostile one has no end. No operator has as many
 * statements on signers, and where there are more faults the first ones tell what has happened. */
#define SV_STORE_MAX_KEPT 20000

typedef struct
{
  SvStoreKind kind;
  char hash[72];      /* stored form, where the name is the content's hash; else empty */
  guint64 number;     /* of a statement of signers */
  char window_id[72]; /* of an issue log … */
  guint64 first;      /* … the first id of the file, or of the one that the signpost leads to … */
  guint64 last;       /* … and the file's last; 0 for a signpost */
} SvStoreName;

SvStoreName sv_store_name_read (const char *key);

/* How objects of a kind are put: content type and cache header of section 3, written in any case. */
SvPutOptions sv_store_put_options (SvStoreKind kind);

/* A file without a name in $SCOREVISION_HOME/cache, for objects that are too large for memory: gone with the process, however
 * that ends. */
typedef struct
{
  int fd;
  char path[32]; /* by which it can be opened again, by this process only */
} SvSpool;

SvSpool *sv_spool_new (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_spool_free (SvSpool *spool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSpool, sv_spool_free)

/* Fetches an object into the spool, instead of what was there, and holds it against its name: SV_ERROR_VERIFY where the hash is
 * another one. Errors are those of sv_object_store_get_file(). @size may be NULL. */
gboolean sv_spool_fetch (SvSpool *spool, SvObjectStore *store, const char *key, const SvStoreName *name, guint64 *size,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Holds an object against its name: TRUE when it is sound, and where the name is no hash when it can be read. */
gboolean sv_store_verify (SvSpool *spool, SvObjectStore *store, const char *key, const SvStoreName *name,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A small object's bytes; held against @hash unless that is NULL or empty. Returns: (transfer full). */
GBytes *sv_store_get (SvObjectStore *store, const char *key, const char *hash, gsize max_size,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the store says that there is no such object. */
gboolean sv_store_is_absent (SvObjectStore *store, const char *key);

/* An archive of the index, opened; its `archive` is the one before it. Returns: (transfer full). */
SvIndex *sv_store_get_archive (SvObjectStore *store, const char *hash, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Statement @number, opened. Whether its signer may sign it is for the history before it to tell. Returns: (transfer full). */
SvSignersStatement *sv_store_get_statement (SvObjectStore *store, const SvChainId *chain, guint64 number,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) @message without the name of an object or store at its beginning, where that is said anyway. */
const char *sv_message_without (const char *message, const char *name);

/* "1.4 MB". Returns: (transfer full). */
char *sv_bytes_shown (guint64 bytes);
