/* The chain: blocks, the commitments in them, who owns the subnet, who may validate. One interface, chosen by one URL:
 * `ledger:PATH` (SQLite, embedded), or a Subtensor node: `finney`, `test`, `wss://…`, `https://…`. Callers may rely on: numbers
 * are heights from 0; best never lies below finalized; a finalized block never changes; what this interface returns has been
 * checked for the configured subnet (netuid), top-level calls only (docs/protocol.md section 6). An SvChain is used by one
 * thread at a time; any number may be open on one chain, in any number of processes. */
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
  gint64 time_ms; /* Unix milliseconds; 0 where the chain cannot tell any more (the block's state is gone) */
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
  char *text;                    /* what it put on the chain, without NUL */
  gboolean succeeded;
  char *failure; /* why it did not, in words; NULL where it did, or where the chain does not say */
} SvExtrinsic;

void sv_extrinsic_free (SvExtrinsic *extrinsic);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvExtrinsic, sv_extrinsic_free)

/* Whether BITTENSOR_SUBTENSOR_ENDPOINT names a chain, and SCOREVISION_GENESIS is a hash, without asking anybody;
 * SV_ERROR_USAGE. */
gboolean sv_chain_check_endpoint (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_chain_check_pin (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the chain that BITTENSOR_SUBTENSOR_ENDPOINT names, for SCOREVISION_NETUID, and compares its genesis with
 * SCOREVISION_GENESIS where that is set (SV_ERROR_VERIFY). An absent ledger is SV_ERROR_NOT_FOUND naming `sv chain create`; a
 * node that does not answer is SV_ERROR_UNREACHABLE. Returns: (transfer full). */
SvChain *sv_chain_open (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_chain_free (SvChain *chain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvChain, sv_chain_free)

/* (transfer none) genesis and netuid. */
const SvChainId *sv_chain_id (const SvChain *chain);
const char *sv_chain_url (const SvChain *chain);

/* Expected time between blocks in milliseconds, for wall-time estimates; 0 where blocks are made only on demand (instant
 * seal). */
guint64 sv_chain_block_time_ms (SvChain *chain);

/* How often it pays to look for a new head, in milliseconds: often enough to be early, rarely enough for a public endpoint. */
guint sv_chain_poll_interval_ms (SvChain *chain);

/* What the node runs, for people: "node-subtensor 424, transactions 1, metadata 16"; NULL for a ledger. Returns: (transfer
 * full). */
char *sv_chain_runtime (SvChain *chain);

/* A head whose finalized block lies below one that was seen before is SV_ERROR_UNREACHABLE; another finalized block at a height
 * seen before is SV_ERROR_VERIFY. Whether a head is too old, or dated into the future, the caller judges. */
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

/* The successful commitments of one account in the blocks from @first to @last, in chain order (on a Subtensor chain found by
 * following the account's last-commitment mark backwards, where state is kept, and else by reading the blocks). @unreadable as
 * above. Returns: (transfer full) (element-type SvExtrinsic). */
GPtrArray *sv_chain_account_commitments (SvChain *chain, const char *address, guint64 first, guint64 last, GArray **unreadable,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What an account has committed last, as the chain's slot for it holds it. */
typedef struct
{
  char *account; /* bare address */
  guint64 block;
  char *text; /* NULL: something that is no text (another program's) */
} SvSlot;

void sv_slot_free (SvSlot *slot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSlot, sv_slot_free)

/* Every account's slot of the subnet at the best head. Returns: (transfer full) (element-type SvSlot). */
GPtrArray *sv_chain_slots (SvChain *chain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The anchor slot of an account at @at_block (section 5): on a ledger its last text that begins with "sv1 manifest " or
 * "sv1 revoke", on a Subtensor chain what its slot holds, if it is such a text. Returns: (transfer full) the text, or NULL
 * without an error when there is none. */
gboolean sv_chain_anchor_text (SvChain *chain, const char *address, guint64 at_block, char **text,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The subnet owner's hotkey at the finalized head; *@owner is NULL where nobody owns it (an unset owner, or the zero key).
 * Returns: (transfer full) the owner. */
gboolean sv_chain_find_owner (SvChain *chain, char **owner, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, where nobody is SV_ERROR_VERIFY. Returns: (transfer full). */
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

typedef enum
{
  SV_PREPARE_DEFAULT = 0,
  SV_PREPARE_REPLACE = 1 << 0, /* also where the slot holds a time-locked commitment not yet revealed, which is lost then */
} SvPrepareFlags;

/* Checks what would make the chain refuse and signs. SV_ERROR_POLICY with what to do; SV_ERROR_UNREACHABLE where only waiting
 * helps (see sv_chain_earliest_commitment()). Returns: (transfer full). */
SvPreparedExtrinsic *sv_chain_prepare_commitment (SvChain *chain, const SvKeypair *keypair, const char *text,
                                                  SvPrepareFlags flags, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The first block that would take a text of @length bytes from the account, by the chain's rate or space limit. */
gboolean sv_chain_earliest_commitment (SvChain *chain, const char *address, gsize length, guint64 *block,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Hands it to the chain. One that is waiting or included already is a success; one that the chain will never take any more
 * (expired, its place taken by another) is SV_ERROR_CONFLICT: prepare it anew. */
gboolean sv_chain_submit (SvChain *chain, const SvPreparedExtrinsic *prepared, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Waits until a block holds the extrinsic, following blocks; SV_ERROR_UNREACHABLE when @timeout_ms has passed,
 * SV_ERROR_CONFLICT when no block may hold it any more, SV_ERROR_FAILED when it was included and failed. @progress (may be
 * NULL) is told each new best block. Returns: (transfer full). */
SvExtrinsic *sv_chain_await_inclusion (SvChain *chain, const SvPreparedExtrinsic *prepared, guint timeout_ms,
                                       void (*progress) (guint64 best_block, gpointer data), gpointer data,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Waits until the block that holds the extrinsic is finalized and returns it as it is there: a reorganisation may have moved it
 * (*@extrinsic is replaced then) or dropped it (SV_ERROR_CONFLICT). SV_ERROR_UNREACHABLE when @timeout_ms has passed. @progress
 * (may be NULL) is told each new finalized block. */
gboolean sv_chain_await_finality (SvChain *chain, SvExtrinsic **extrinsic, guint timeout_ms,
                                  void (*progress) (guint64 finalized_block, gpointer data), gpointer data,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Longest commitment text that the chain takes, in bytes. */
gsize sv_chain_max_text (SvChain *chain);
