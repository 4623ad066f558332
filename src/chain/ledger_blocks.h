/* Inside the ledger: how blocks come to be. */
#pragma once

#include "chain/ledger_file.h"

/* Makes the blocks that have become due since the last one. Everything that looks at the chain calls it first. */
gboolean sv_ledger_make_due (SvLedger *ledger, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends one block of now with all waiting extrinsics; inside a write transaction. */
gboolean sv_ledger_seal (SvLedger *ledger, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Block by number; *@found is FALSE above the head. */
gboolean sv_ledger_read_block (SvLedger *ledger, guint64 number, SvBlock *block, gboolean *found,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_ledger_read_tip (SvLedger *ledger, SvBlock *block, GError **error) G_GNUC_WARN_UNUSED_RESULT;
