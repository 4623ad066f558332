/* Inside the Subtensor chain: what its files share. */
#pragma once

#include "chain/engine.h"
#include "chain/subtensor/header.h"
#include "chain/subtensor/metadata.h"
#include "chain/subtensor/nodes.h"
#include "chain/subtensor/runtimes.h"

/* The runtimes that a head goes with. */
typedef struct
{
  SvRuntime *after_final; /* that executes the block after the finalized one; NULL: not known */
  SvRuntime *of_best;     /* that executed the best block, and so wrote its state */
  SvRuntime *next;        /* that will execute the next block */
} SvHeadRuntimes;

typedef struct
{
  SvChain base;
  SvNodes nodes;
  char *cache; /* folder, in the home */
  SvRuntimes runtimes;
  guint8 genesis[32];
  gboolean has_head;
  SvHead head;                        /* as read last */
  char tip_final[SV_BLOCK_HASH_TEXT]; /* the node's own finalized block then; the head's may be a lower one (heads.c) */
  gboolean tips_unknown;              /* the node did not know a tip that it had named a moment before */
  SvHeadRuntimes runtimes_of_head;
  guint64 tip;                       /* the block whose body was read last, */
  char tip_hash[SV_BLOCK_HASH_TEXT]; /* and its hash, which the next one has to follow on; "" when none is known */
} SvSubtensor;

/* ── heads.c ── */

gboolean sv_subtensor_block (SvChain *chain, guint64 number, SvBlock *block, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_subtensor_head (SvChain *chain, SvHead *head, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The runtime that executed a block, and so wrote its state; NULL with *@is_gone where no endpoint can tell any more. */
SvRuntime *sv_subtensor_runtime_of (SvSubtensor *subtensor, guint64 number, const char *hash, gboolean *is_gone,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── commitments.c ── */

GPtrArray *sv_subtensor_commitments (SvChain *chain, guint64 first, guint64 last, GArray **unreadable,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_subtensor_find_extrinsic (SvChain *chain, guint64 block, const char *hash, SvExtrinsic **found,
                                      gboolean *unreadable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Looks for it in the blocks from @first to @last, both of which there must be. */
gboolean sv_subtensor_find_between (SvSubtensor *subtensor, guint64 first, guint64 last, const char *hash, SvExtrinsic **found,
                                    gboolean *unreadable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The successful ones of one account that have a text; *@unreadable only where something of that account's may be. Returns:
 * (transfer full) (element-type SvExtrinsic). */
GPtrArray *sv_subtensor_commitments_by (SvSubtensor *subtensor, const char *address, guint64 first, guint64 last,
                                        GArray **unreadable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── account_commitments.c ── */

GPtrArray *sv_subtensor_account_commitments (SvChain *chain, const char *address, guint64 first, guint64 last,
                                             GArray **unreadable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── slots.c: state of the subnet ── */

GPtrArray *sv_subtensor_slots (SvChain *chain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_subtensor_anchor_text (SvChain *chain, const char *address, guint64 at_block, char **text,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_subtensor_owner (SvChain *chain, char **owner, GError **error) G_GNUC_WARN_UNUSED_RESULT;
char **sv_subtensor_permits (SvChain *chain, guint64 block, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── submit.c ── */

SvPreparedExtrinsic *sv_subtensor_prepare_commitment (SvChain *chain, const SvKeypair *keypair, const char *text,
                                                      SvPrepareFlags flags, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_subtensor_earliest_commitment (SvChain *chain, const char *address, gsize length, guint64 *block,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_subtensor_submit (SvChain *chain, const SvPreparedExtrinsic *prepared, GError **error) G_GNUC_WARN_UNUSED_RESULT;
