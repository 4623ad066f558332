/* Reading manifests (docs/protocol.md sections 1 to 5): fetch, verify, remember, cache. Everything that comes out has passed
 * every check. A reader is used by one thread at a time.
 *
 * It reads from R2_PUBLIC_URL (one or more), else from the `file:` store; keeps verified manifests in
 * $SCOREVISION_HOME/cache, and its memory (highest sequence and last verified index per chain and signer, revocations,
 * statements on signers) in $SCOREVISION_HOME/memory. */
#pragma once

#include "chain/chain.h"
#include "distribution/signers.h"
#include "protocol/manifest_archive.h"
#include "protocol/window.h"
#include "store/object_store.h"

typedef struct SvReader SvReader;

typedef struct
{
  gboolean accept_owner; /* take a changed owner of the subnet */
  gboolean trust_nobody; /* go on also where every account that the setting names is revoked, with nobody trusted */
} SvReaderOptions;

/* @config and @chain are borrowed; the chain gives identity, `chain:owner` and the anchor. NULL: none can be reached; then
 * documents must be for the pinned or first seen genesis, and there is no check for a freeze. @options may be NULL. Returns:
 * (transfer full). */
SvReader *sv_reader_new (const SvConfig *config, SvChain *chain, const SvReaderOptions *options,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Gives a reader that was made without one its chain, the one that sv_reader_chain_id() names: from here on trust and anchor
 * are read there. */
void sv_reader_set_chain (SvReader *reader, SvChain *chain);

/* The same as sv_reader_new(), reading from @store (borrowed) instead: what a publisher does with the store that he writes to.
 */
SvReader *sv_reader_new_for_store (const SvConfig *config, SvChain *chain, const SvReaderOptions *options, SvObjectStore *store,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_reader_free (SvReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvReader, sv_reader_free)

/* (transfer none) the chain and subnet whose documents it reads. */
const SvChainId *sv_reader_chain_id (const SvReader *reader);

/* An SvTrustFunc: whether indexes and manifests of @address are to be used, as far as is known since the last fetch. Who holds
 * on to a document asks again, since a signer can be retired and revoked. */
gboolean sv_reader_trusts (const char *address, gpointer reader);

/* An SvTrustFunc: the same for a manifest that a verified index lists, whose signer may be retired. */
gboolean sv_reader_honours (const char *address, gpointer reader);

/* (transfer none) what the trust comes from; until the next call of the reader. */
const SvSigners *sv_reader_signers (const SvReader *reader);

/* From here on the reader judges as if the accounts were revoked; nothing is remembered of it. For who is about to revoke them.
 */
void sv_reader_assume_revoked (SvReader *reader, const char *const *accounts);

/* (transfer none) accounts that the chain's owner has revoked, as far as this home remembers; NULL-terminated; until the next
 * call of the reader. */
const char *const *sv_reader_revoked (const SvReader *reader);

typedef enum
{
  SV_FETCH_NORMAL,
  SV_FETCH_BYPASS_CACHES, /* reads past caches on the way */
} SvFetchMode;

/* Reads statements on signers, without the index. A store that does not answer is no error. */
gboolean sv_reader_update_signers (SvReader *reader, SvFetchMode mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The index, verified and not older than the reader's memory. SV_ERROR_NOT_FOUND before the first publication (naming
 * `sv manifest publish`); SV_ERROR_VERIFY for a rollback, an equivocation, a freeze (also an index that is gone), or any check
 * of section 1; SV_ERROR_MALFORMED also for an answer that is too large, too slow or broken off. Returns: (transfer full). */
SvIndex *sv_fetch_index (SvReader *reader, SvFetchMode mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a watcher: *@index is NULL when nothing changed since this reader's last fetch. */
gboolean sv_poll_index (SvReader *reader, SvFetchMode mode, SvIndex **index, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The last index that this home has verified, from memory, for when the origin fails; NULL without an error if none. Its signer
 * may have been retired since; where he was revoked it is the last one of another who counts. */
SvIndex *sv_remembered_index (SvReader *reader, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the bytes with that hash lie in this home, so that nobody has to be asked for them. */
gboolean sv_has_cached_manifest (const SvReader *reader, const char *hash);

/* A manifest by hash (stored form), from cache or store, after statements on signers. One of a retired signer must stand in the
 * index or its archives. Returns: (transfer full). */
SvManifest *sv_fetch_manifest (SvReader *reader, const char *hash, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, and checks that it agrees with its index entry. Returns: (transfer full). */
SvManifest *sv_fetch_entry_manifest (SvReader *reader, const SvIndexEntry *entry, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for who passes judgement by it: *@is_refused tells a manifest that was had, and is refused for what it is, from one
 * that the mirrors do not give, of which nothing is known. */
SvManifest *sv_judge_entry_manifest (SvReader *reader, const SvIndexEntry *entry, gboolean *is_refused,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Everything in the archives of @index (docs/protocol.md section 4), as one index without document; empty where it names none.
 * Each archive is read from cache or store and checked by its hash. Only who asks about windows that are long over needs it: it
 * grows with history. One that cannot be had is SV_ERROR_UNREACHABLE, one that is not to be used SV_ERROR_VERIFY or
 * SV_ERROR_MALFORMED; a history is never one with a hole. Returns: (transfer full). */
SvIndex *sv_fetch_history (SvReader *reader, const SvIndex *index, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The manifest active at @block; where the index cannot be had or is refused, the last verified active one as long as it has
 * not expired (with a log line). SV_ERROR_NOT_FOUND when no window is active, naming the next. Returns: (transfer full). */
SvManifest *sv_get_current_manifest (SvReader *reader, guint64 block, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same with the index that it was found by, for who has more to ask of it: (transfer full) in *@index, NULL where the last
 * verified manifest had to do and after an error. */
SvManifest *sv_get_current (SvReader *reader, guint64 block, SvIndex **index, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum
{
  SV_ANCHORED,
  SV_ANCHOR_PENDING,
  SV_UNANCHORED,
} SvAnchorState;

const char *sv_anchor_state_name (SvAnchorState state);

/* Whether the manifest of @entry stands on the chain (section 5). */
gboolean sv_anchor_state (SvReader *reader, const SvIndex *index, const SvIndexEntry *entry, SvAnchorState *state,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
