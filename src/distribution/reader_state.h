/* What the files of the reader share; nobody outside distribution/ includes this. */
#pragma once

#include "distribution/chain_anchor.h"
#include "distribution/mirrors.h"
#include "distribution/reader.h"
#include "distribution/reader_memory.h"

#define SV_INDEX_KEY "scorevision/index.json"

struct SvReader
{
  const SvConfig *config;
  SvChain *chain; /* or NULL */
  SvChainId id;
  gboolean accept_owner;
  SvMemory *memory;
  SvMirrors *mirrors;

  /* Read from the chain anew whenever the finalized head has moved. */
  SvSigners *signers;
  SvAnchor *anchor; /* of the trusted signers the one with the greatest sequence, or NULL */
  gboolean has_anchor;
  guint64 trust_block; /* the finalized block at which signers and anchor were read */

  /* The index that the last fetch accepted, so that a poll can tell that nothing changed. */
  char *last_hash;
  char *last_signer;
  guint64 last_sequence;
  char **etags; /* per mirror: the ETag under which it had that index, or NULL */
};

/* Brings signers and anchor up to the chain's finalized head. While the chain does not answer, what was read last stays. */
gboolean sv_reader_refresh_trust (SvReader *reader, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For a publisher, whose reader has one store: the verified index and its ETag, or, where nothing was ever published, an empty
 * index and NULL. A store whose index is gone is SV_ERROR_VERIFY. Returns: (transfer full) both. */
gboolean sv_fetch_index_for_update (SvReader *reader, SvIndex **index, char **etag, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What was verified once lies in $SCOREVISION_HOME/cache/FOLDER under its hash. */
#define SV_CACHE_MANIFESTS "manifests"
#define SV_CACHE_ARCHIVE "archive"

/* The bytes with that hash, or NULL. Returns: (transfer full). */
GBytes *sv_cache_read (const SvReader *reader, const char *folder, const char *hash, gsize max_size);
void sv_cache_write (const SvReader *reader, const char *folder, const char *hash, GBytes *bytes);

/* "scorevision/archive/{hex}.json". Returns: (transfer full). */
char *sv_archive_key (const char *hash);

/* One archive by hash (stored form), opened. Returns: (transfer full). */
SvIndex *sv_fetch_archive (SvReader *reader, const char *hash, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "scorevision/manifests/{hex}.json". Returns: (transfer full). */
char *sv_manifest_key (const char *hash);
