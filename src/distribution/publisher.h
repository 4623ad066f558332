/* The writing side of distribution (docs/protocol.md section 3): manifest objects, and the index by compare-and-swap. A
 * publisher reads the index from the store that it writes to, with every check of a reader: it never builds on what it cannot
 * verify. Used by one thread at a time; any number of publishers may work on one store. */
#pragma once

#include "distribution/reader.h"

typedef struct SvPublisher SvPublisher;

/* All borrowed. A keypair that the configuration does not trust as a signer is SV_ERROR_POLICY naming the setting: nobody
 * would accept what it signs. Returns: (transfer full). */
SvPublisher *sv_publisher_new (const SvConfig *config, SvChain *chain, SvObjectStore *store, const SvKeypair *keypair,
                               const SvReaderOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_publisher_free (SvPublisher *publisher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvPublisher, sv_publisher_free)

/* (transfer none) reads from the publisher's store. */
SvReader *sv_publisher_reader (SvPublisher *publisher);
SvChain *sv_publisher_chain (SvPublisher *publisher);
const SvKeypair *sv_publisher_keypair (SvPublisher *publisher);
const SvConfig *sv_publisher_config (SvPublisher *publisher);

/* The index as it is now; empty (sequence 0) before the first publication. Returns: (transfer full). */
SvIndex *sv_publisher_read_index (SvPublisher *publisher, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stores the manifest's bytes under both of its names, unless they are there. */
gboolean sv_publisher_put_manifest (SvPublisher *publisher, const SvManifest *manifest,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Changes @index (verified, as it is now) for its next version, storing what it will name. *@changed stays FALSE where nothing
 * has to change. Called again, with the newer index, when somebody else's change came first. */
typedef gboolean (*SvIndexEdit) (SvIndex *index, gboolean *changed, gpointer data, GError **error);

/* Reads, edits, signs and swaps the index until it goes through. What expired long before the finalized head goes into the
 * archive with it. Returns: (transfer full) the index as it is afterwards. */
SvIndex *sv_publisher_update_index (SvPublisher *publisher, SvIndexEdit edit, gpointer data,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
