/* A reader's memory (docs/protocol.md section 4): what this home has already seen of a chain's manifests, so that a store or a
 * network cannot show it something older. Files in $SCOREVISION_HOME/memory, shared by all processes of the home:
 *
 *   genesis.json                      endpoint -> the genesis first seen there
 *   {genesis}-{netuid}/reader.json    highest sequence and hash per signer, accounts revoked by each accepted owner, the
 *                                     accepted owner, last active manifest, a finalized block
 *   {genesis}-{netuid}/index.json     the bytes of the last verified index
 *   {genesis}-{netuid}/index-{account}.json  those of the last one by each signer, for when another one's does not count any
 * more {genesis}-{netuid}/signers.jsonl  statements on signers (signers_memory.h)
 *
 * Every change is made under a lock, on values read anew, and written as a whole file; nothing is written that is there
 * already. A damaged file is an error, never an empty memory: forgetting is what an attacker would want. */
#pragma once

#include "chain/chain.h"
#include "protocol/manifest_index.h"

typedef struct SvMemory SvMemory;

typedef struct
{
  guint64 sequence;
  char *hash; /* of the index with that sequence */
} SvRememberedIndex;

/* Opens the memory for one chain and reads it; an absent one is empty. Returns: (transfer full). */
SvMemory *sv_memory_open (const SvConfig *config, const SvChainId *chain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_memory_free (SvMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvMemory, sv_memory_free)

/* Reads again what other processes may have written. */
gboolean sv_memory_reload (SvMemory *memory, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Of the accounts that @is_trusted: the highest sequence, and (transfer none) its index's hash. FALSE when none is known. */
gboolean sv_memory_highest (const SvMemory *memory, SvTrustFunc is_trusted, gpointer data, guint64 *sequence,
                            const char **hash);

/* Remembers a verified index. SV_ERROR_VERIFY when this signer's index of the same sequence is known with another hash. */
gboolean sv_memory_remember_index (SvMemory *memory, const SvIndex *index, SvTrustFunc is_trusted, gpointer data,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The bytes of the last verified index, or NULL without an error if there is none. Returns: (transfer full). */
GBytes *sv_memory_last_index (const SvMemory *memory, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same of the account with the highest sequence of those that @is_trusted. Returns: (transfer full). */
GBytes *sv_memory_last_index_of (const SvMemory *memory, SvTrustFunc is_trusted, gpointer data,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) or NULL: hash of the last verified active manifest. */
const char *sv_memory_active (const SvMemory *memory);
gboolean sv_memory_remember_active (SvMemory *memory, const char *hash, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) accounts that accepted owners of the subnet revoked, NULL-terminated; they are remembered for good. @owner is
 * the accepted one. */
const char *const *sv_memory_revoked (const SvMemory *memory);
gboolean sv_memory_remember_revoked (SvMemory *memory, const char *owner, const char *const *accounts,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) the subnet owner that was accepted, or NULL. Remembering takes the first one; only with @may_change another
 * one in his place, so what is remembered afterwards may be another than @address. */
const char *sv_memory_owner (const SvMemory *memory);
gboolean sv_memory_remember_owner (SvMemory *memory, const char *address, gboolean may_change,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) of reader.json, for messages. */
const char *sv_memory_path (const SvMemory *memory);

/* The last finalized block that was remembered, 0 for none: the block at which statements on signers are judged without a
 * chain. It only rises. */
guint64 sv_memory_finalized (const SvMemory *memory);
gboolean sv_memory_remember_finalized (SvMemory *memory, guint64 block, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The genesis first seen at the configured endpoint: remembers it the first time, and is SV_ERROR_VERIFY when the chain is
 * another one now. Where SCOREVISION_GENESIS is set that alone counts. */
gboolean sv_memory_check_genesis (const SvConfig *config, const SvChainId *chain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Which chain documents must be for: @chain's; with NULL the pinned or first seen genesis of the configured endpoint. */
gboolean sv_memory_chain_id (const SvConfig *config, const SvChain *chain, SvChainId *id,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
