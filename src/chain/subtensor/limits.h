/* Inside the Subtensor chain: what would make the commitments pallet refuse a text. */
#pragma once

#include "chain/subtensor/subtensor.h"

/* SV_ERROR_POLICY for an account that is not registered on the subnet, naming the command that does it. */
gboolean sv_limits_check_registered (SvSubtensor *subtensor, const char *address, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SV_ERROR_POLICY where the account's slot holds a time-locked commitment that is not revealed yet, naming the round. */
gboolean sv_limits_check_slot (SvSubtensor *subtensor, const char *address, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The first block that takes a text of @length bytes: the one after the best, unless the pallet's rate limit (older runtimes)
 * or its space per epoch (newer ones) stands against it. SV_ERROR_POLICY for more bytes than any epoch has. */
gboolean sv_limits_earliest (SvSubtensor *subtensor, const char *address, gsize length, guint64 *block,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
