/* The chain: blocks, the commitments in them, who owns the subnet, who may validate. One interface, chosen by one URL:
 * `ledger:PATH` (SQLite, embedded). Callers may rely on: numbers are heights from 0; best never lies below finalized; a
 * finalized block never changes; what this interface returns has been checked for the configured subnet (netuid), top-level
 * calls only (docs/protocol.md section 6). An SvChain is used by one thread at a time; any number may be open on one ledger,
 * in any number of processes. */
#pragma once

#include "base/config.h"
#include "keys/signed_document.h"

#define SV_BLOCK_HASH_TEXT 67 /* "0x" + 64 hex digits + NUL */

typedef struct SvChain SvChain;

typedef struct
{
  guint64 number;
  char hash[SV_BLOCK_HASH_TEXT];
  char parent[SV_BLOCK_HASH_TEXT];
  gint64 time_ms; /* Unix milliseconds */
} SvBlock;

typedef struct
{
  SvBlock best;
  SvBlock finalized;
} SvHead;

/* A set_commitment of this subnet, as included in a block. */
typedef struct
{
  guint64 block;
  guint index;                   /* of the extrinsic in its block */
  char hash[SV_BLOCK_HASH_TEXT]; /* BLAKE2b-256 of the encoded extrinsic */
  char *signer;                  /* bare address */
  char *text;                    /* what it put on the chain; only texts without NUL are returned */
  gboolean succeeded;
} SvExtrinsic;

void sv_extrinsic_free (SvExtrinsic *extrinsic);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvExtrinsic, sv_extrinsic_free)

/* Opens the chain that BITTENSOR_SUBTENSOR_ENDPOINT names, for SCOREVISION_NETUID, and compares its genesis with
 * SCOREVISION_GENESIS where that is set (SV_ERROR_VERIFY). An absent ledger is SV_ERROR_NOT_FOUND naming `sv chain create`.
 * Returns: (transfer full). */
SvChain *sv_chain_open (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_chain_free (SvChain *chain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvChain, sv_chain_free)

/* (transfer none) genesis and netuid. */
const SvChainId *sv_chain_id (const SvChain *chain);
const char *sv_chain_url (const SvChain *chain);

/* Expected time between blocks in milliseconds, for wall-time estimates; 0 where blocks are made only on demand (instant
 * seal). */
guint64 sv_chain_block_time_ms (SvChain *chain);

gboolean sv_chain_head (SvChain *chain, SvHead *head, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The block at height @number on the best chain; SV_ERROR_NOT_FOUND above the head. */
gboolean sv_chain_block (SvChain *chain, guint64 number, SvBlock *block, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The commitments of the blocks from @first to @last on the best chain, in chain order (failed ones too). @unreadable, if not
 * NULL, receives the numbers (guint64) of blocks whose content is gone. Returns: (transfer full) (element-type SvExtrinsic). */
GPtrArray *sv_chain_commitments (SvChain *chain, guint64 first, guint64 last, GArray **unreadable,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The extrinsic of a proof. *@found is NULL where the block does not hold it (and *@unreadable is FALSE). */
gboolean sv_chain_find_extrinsic (SvChain *chain, guint64 block, const char *hash, SvExtrinsic **found, gboolean *unreadable,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The last successful text of an account that begins with "sv1 manifest " or "sv1 revoke" (the anchor slot; section 5) at or
 * below @at_block. Returns: (transfer full) the text, or NULL without an error when there is none. */
gboolean sv_chain_anchor_text (SvChain *chain, const char *address, guint64 at_block, char **text,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The subnet owner's hotkey at the finalized head; a zero or unset owner is SV_ERROR_VERIFY. Returns: (transfer full). */
char *sv_chain_owner (SvChain *chain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The accounts that hold a validator permit at @block. Returns: (transfer full) NULL-terminated. */
char **sv_chain_permits (SvChain *chain, guint64 block, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A signed set_commitment, ready to be submitted. Submitting the same one twice puts it on the chain once. */
typedef struct
{
  GBytes *bytes;
  char hash[SV_BLOCK_HASH_TEXT];
  char *signer;
  guint64 prepared_at; /* best block when it was made: inclusion is looked for from here on */
  guint64 valid_until; /* last block that may include it; G_MAXUINT64 where it never expires */
} SvPreparedExtrinsic;

void sv_prepared_extrinsic_free (SvPreparedExtrinsic *prepared);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvPreparedExtrinsic, sv_prepared_extrinsic_free)

/* Checks what would make the chain refuse (SV_ERROR_POLICY with what to do) and signs. Returns: (transfer full). */
SvPreparedExtrinsic *sv_chain_prepare_commitment (SvChain *chain, const SvKeypair *keypair, const char *text,
                                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Hands it to the chain. One that is waiting or included already is a success. */
gboolean sv_chain_submit (SvChain *chain, const SvPreparedExtrinsic *prepared, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Waits until a block from @from on holds the extrinsic @hash, following blocks; SV_ERROR_UNREACHABLE when @timeout_ms has
 * passed, SV_ERROR_FAILED when it was included and failed. @progress (may be NULL) is told each new best block. Returns:
 * (transfer full). */
SvExtrinsic *sv_chain_await_inclusion (SvChain *chain, const char *hash, guint64 from, guint timeout_ms,
                                       void (*progress) (guint64 best_block, gpointer data), gpointer data,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Longest commitment text that the chain takes, in bytes. */
gsize sv_chain_max_text (SvChain *chain);
