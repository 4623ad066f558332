/* What the files of the reader share; nobody outside distribution/ includes this. */
#pragma once

#include "distribution/chain_anchor.h"
#include "distribution/mirrors.h"
#include "distribution/publisher.h"
#include "distribution/reader.h"
#include "distribution/reader_memory.h"
#include "protocol/object_keys.h"

struct SvReader
{
  const SvConfig *config;
  SvChain *chain; /* or NULL */
  SvChainId id;
  SvReaderOptions options;
  SvMemory *memory;
  SvMirrors *mirrors;

  /* Read from the chain anew whenever the finalized head has moved, or a statement on signers has come. */
  SvSigners *signers;
  gboolean has_new_statements;
  char **assumed_revoked; /* (sv_reader_assume_revoked()), or NULL */
  SvAnchor *anchor;       /* of the trusted signers the one with the greatest sequence, or NULL */
  gboolean has_anchor;
  guint64 trust_block; /* the finalized block at which signers and anchor were read */

  /* The index that the last fetch accepted, so that a poll can tell that nothing changed. */
  char *last_hash;
  char *last_signer;
  guint64 last_sequence;
  gboolean has_statements; /* those on signers have been read, as every reading of the index does */
  char *last_refusal;      /* why a mirror was refused, as was told last */
  char **etags;            /* per mirror: the ETag under which it had that index, or NULL */

  /* Statements on signers that no remembered one vouches for yet. */
  GPtrArray **tails;      /* per mirror: what it has shown after the statements that count */
  GError **unread;        /* per mirror: why its statements could not be read to their end the last time */
  char *statements_fault; /* what was last said in the log of a mirror's statements */
};

/* Brings signers and anchor up to the chain's finalized head. While the chain does not answer, what was read last stays. */
gboolean sv_reader_refresh_trust (SvReader *reader, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, and what other processes have written counts at once, also where the chain does not answer: revocations above all.
 */
gboolean sv_reader_refresh (SvReader *reader, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer full) as the reader's options want them. */
SvSigners *sv_reader_load_signers (const SvReader *reader, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The question that goes with every reading of the index: the statement after the last that counts; @key (transfer full) goes
 * with it. */
SvMirrorQuestion sv_statements_question (const SvReader *reader, SvFetchMode mode, char **key);

/* Takes the answers to it (those in @answers with the number @question), reads on where a mirror has more, and remembers what
 * somebody trusted vouches for. SV_ERROR_VERIFY for an equivocation; what is merely wrong is only told of in the log. */
gboolean sv_statements_take (SvReader *reader, SvFetchMode mode, const GPtrArray *answers, guint question,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_statements_forget_tails (SvReader *reader);

/* Of an index that is refused since nobody trusted signed it: where the mirror's statements could not be read to their end, one
 * of them may have added that signer, and then nothing was verified, and nothing is wrong with the index either. */
void sv_statements_excuse (SvReader *reader, guint mirror, GBytes *index, GError **error);

/* (transfer container) the statements that count, and after them those of @mirror. */
GPtrArray *sv_statements_shown (const SvReader *reader, guint mirror);

/* (transfer none) the last of these; NULL where there is none. */
const SvSignersStatement *sv_statements_last (const SvReader *reader, guint mirror);

/* For a publisher, whose reader has one store: the verified index and its ETag, or, where nothing was ever published, an empty
 * index and NULL. A store whose index is gone is SV_ERROR_VERIFY. Returns: (transfer full) both. */
gboolean sv_fetch_index_for_update (SvReader *reader, SvIndex **index, char **etag, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same where that index cannot be built on any more, because its signer was revoked or retired: a new one of what the
 * last verified one lists, and of what is over and it alone lists, as far as manifests verify by themselves, with a sequence
 * above any that a signer who counts has used. *@rebuild is NULL where the index verifies as it is. Returns: (transfer full)
 * all three. */
gboolean sv_rebuild_index (SvReader *reader, SvIndex **index, char **etag, SvIndexRebuild **rebuild,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same where its signer was retired since: the index in the store as it is, if this home has verified it, when he was
 * trusted still, and knows of none that is newer; else FALSE. Returns: (transfer full) both. */
gboolean sv_fetch_retired_index (SvReader *reader, SvIndex **index, char **etag);

/* What lies in a publisher's store, whoever signed it, and its ETag: (transfer full) both; the index is NULL where it is
 * absent, or no index of this chain. */
gboolean sv_read_listed_index (SvReader *reader, SvIndex **listed, char **etag, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What was verified once lies in $SCOREVISION_HOME/cache/FOLDER under its hash. */
#define SV_CACHE_MANIFESTS "manifests"
#define SV_CACHE_ARCHIVE "archive"

/* The bytes with that hash, or NULL. Returns: (transfer full). */
GBytes *sv_cache_read (const SvReader *reader, const char *folder, const char *hash, gsize max_size);
void sv_cache_write (const SvReader *reader, const char *folder, const char *hash, GBytes *bytes);

/* One archive by hash (stored form), opened. Returns: (transfer full). */
SvIndex *sv_fetch_archive (SvReader *reader, const char *hash, GError **error) G_GNUC_WARN_UNUSED_RESULT;
