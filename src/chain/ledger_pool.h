/* Inside the ledger: from a text to a waiting extrinsic. */
#pragma once

#include "chain/ledger_file.h"

SvPreparedExtrinsic *sv_ledger_prepare_commitment (SvChain *chain, const SvKeypair *keypair, const char *text,
                                                   SvPrepareFlags flags, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_ledger_submit (SvChain *chain, const SvPreparedExtrinsic *prepared, GError **error) G_GNUC_WARN_UNUSED_RESULT;
