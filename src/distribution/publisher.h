/* The writing side of distribution (docs/protocol.md section 3): manifest objects, and the index by compare-and-swap. A
 * publisher reads the index from the store that it writes to, with every check of a reader: it never builds on what it cannot
 * verify. Used by one thread at a time; any number of publishers may work on one store. */
#pragma once

#include "distribution/reader.h"

typedef struct SvPublisher SvPublisher;

/* All borrowed. Statements on signers in the store are read first. A keypair that is no trusted signer by them and the
 * configuration is SV_ERROR_POLICY saying why: nobody would accept what it signs. Returns: (transfer full). */
SvPublisher *sv_publisher_new (const SvConfig *config, SvChain *chain, SvObjectStore *store, const SvKeypair *keypair,
                               const SvReaderOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_publisher_free (SvPublisher *publisher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvPublisher, sv_publisher_free)

/* (transfer none) reads from the publisher's store. */
SvReader *sv_publisher_reader (SvPublisher *publisher);
SvChain *sv_publisher_chain (SvPublisher *publisher);
const SvKeypair *sv_publisher_keypair (SvPublisher *publisher);
const SvConfig *sv_publisher_config (SvPublisher *publisher);

/* What became of an index that could not be built on. Counted. */
typedef struct
{
  char *reason;           /* why not */
  guint64 above_sequence; /* the highest sequence of signers who count, as this home or the chain know it */
  GPtrArray *kept;    /* of char *: "window W, manifest H (live or not, blocks)", ": …" where it was not verified before */
  GPtrArray *dropped; /* of char *: "window W, manifest H (live or not, blocks): why", or "archive H: why" */
} SvIndexRebuild;

/* NULL for NULL. Returns: (transfer full). */
SvIndexRebuild *sv_index_rebuild_ref (const SvIndexRebuild *rebuild);
void sv_index_rebuild_unref (SvIndexRebuild *rebuild);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvIndexRebuild, sv_index_rebuild_unref)

/* From here on an index in the store that is not verified (its signer was revoked, say) is replaced by one of what verifies by
 * itself, instead of being refused. */
void sv_publisher_allow_rebuild (SvPublisher *publisher);

/* From here on the index in the store is built on also where its signer was retired since (not revoked), if it is the very one
 * that this home has verified last, and nothing newer is known. */
void sv_publisher_allow_retired (SvPublisher *publisher);

/* (transfer none) what the last reading or change made of an index that did not verify; NULL where it verified as it was. A
 * reading after a change leaves it. */
const SvIndexRebuild *sv_publisher_rebuild (const SvPublisher *publisher);

/* The index as it is now; empty (sequence 0) before the first publication. Returns: (transfer full). */
SvIndex *sv_publisher_read_index (SvPublisher *publisher, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stores the manifest's bytes under both of its names, unless they are there. */
gboolean sv_publisher_put_manifest (SvPublisher *publisher, const SvManifest *manifest,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) the last statement on signers in the store, on top of which the next one is made, or NULL; as of the last
 * sv_reader_update_signers(). */
const SvSignersStatement *sv_publisher_last_statement (const SvPublisher *publisher);

/* All of them from the first on. Returns: (transfer container) (element-type SvSignersStatement). */
GPtrArray *sv_publisher_statements (const SvPublisher *publisher);

/* Puts a statement on signers where there is none with its number (else SV_ERROR_CONFLICT), and before it what the store lacks
 * of those that this home remembers: without them nobody could read it. */
gboolean sv_publisher_put_statement (SvPublisher *publisher, const SvSignersStatement *statement,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Waits a random while, longer each time, before another try. */
void sv_publisher_pause (guint attempt);

/* Changes @index (verified, as it is now) for its next version, storing what it will name. *@changed stays FALSE where nothing
 * has to change. Called again, with the newer index, when somebody else's change came first. */
typedef gboolean (*SvIndexEdit) (SvIndex *index, gboolean *changed, gpointer data, GError **error);

/* Reads, edits, signs and swaps the index until it goes through. What expired long before the finalized head goes into the
 * archive with it. Returns: (transfer full) the index as it is afterwards. */
SvIndex *sv_publisher_update_index (SvPublisher *publisher, SvIndexEdit edit, gpointer data,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
