/* Whether a history of statements on signers has room for one more (docs/protocol.md section 2, "Rotation"). */
#pragma once

#include "distribution/signers.h"

/* Without any one account readers shall have to read no more than this for nothing, lest a stolen key that is revoked later
 * takes up a history for good. */
#define SV_SIGNERS_MAX_FRUITLESS (SV_SIGNERS_MAX_STATEMENTS / 4)
#define SV_SIGNERS_MAX_FRUITLESS_SIZE (SV_SIGNERS_HISTORY_MAX_SIZE / 4) /* bytes */

/* @history (element-type SvSignersStatement) is what the store holds, @next would come after it. SV_ERROR_POLICY, with what to
 * do, where readers would not take it, where it would have no effect as there is no place for whom it adds, or where it would
 * vouch for more statements without effect than that: now, or once an account other than @next's signer is revoked. */
gboolean sv_signers_check_room (const SvSigners *signers, const GPtrArray *history, const SvSignersStatement *next,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
