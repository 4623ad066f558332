/* Inside the Subtensor chain: single values of its state. */
#pragma once

#include "chain/subtensor/extrinsic.h"
#include "chain/subtensor/subtensor.h"

/* The storage key of a plain value. Returns: (transfer full). */
char *sv_state_key (const SvMetadata *metadata, const char *pallet, const char *entry,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The storage key of a map's value under this netuid, and under an account or a second number where the map has two keys.
 * Returns: (transfer full). */
char *sv_state_netuid_key (const SvSubtensor *subtensor, const SvMetadata *metadata, const char *pallet, const char *entry,
                           GBytes *second, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An account as a key. SV_ERROR_USAGE for what is no address. Returns: (transfer full). */
GBytes *sv_state_account (const char *address, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The value under a key at a block: *@value is NULL where there is none. @is_gone (may be NULL: then it is SV_ERROR_UNREACHABLE
 * naming the block) tells that the block's state is gone. Returns: (transfer full). */
gboolean sv_state_read (SvSubtensor *subtensor, const char *key, const SvBlock *at, GBytes **value, gboolean *is_gone,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The values under several keys (element-type char*) at a final block, NULL where there is none: what trust rests on, so where
 * a second endpoint is configured and answers, it has to say the same (SV_ERROR_VERIFY). @what names them in messages. Returns:
 * (transfer full) (element-type GBytes). */
GPtrArray *sv_state_read_agreed (SvSubtensor *subtensor, const char *what, const GPtrArray *keys, const SvBlock *at,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An account's slot, CommitmentOf, at the best block. */
gboolean sv_state_registration (SvSubtensor *subtensor, const char *address, gboolean *found, SvRegistration *registration,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum
{
  SV_MARK_NONE, /* the account never committed */
  SV_MARK_AT,
  SV_MARK_GONE, /* the block's state is gone */
} SvMark;

/* The block of the account's last commitment up to block @at. */
gboolean sv_state_last_commitment (SvSubtensor *subtensor, const char *address, guint64 at, SvMark *kind, guint64 *block,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The block at a height, by what is known of the head where that is it. */
gboolean sv_state_block (SvSubtensor *subtensor, guint64 number, SvBlock *block, GError **error) G_GNUC_WARN_UNUSED_RESULT;
