/* The embedded chain: a SQLite file whose blocks advance with the clock or by hand (docs/protocol.md section 6). */
#pragma once

#include "chain/chain.h"

typedef struct
{
  const char *owner;          /* bare address, or NULL: unset */
  const char *const *permits; /* bare addresses, NULL-terminated */
  guint64 block_time_ms;      /* 0: instant seal, a block per extrinsic or per `sv chain advance` */
  guint64 finality;           /* blocks between head and finalized head */
} SvLedgerParameters;

/* The file that a `ledger:PATH` URL names, "~/" expanded; SV_ERROR_USAGE for any other URL. Returns: (transfer full). */
char *sv_ledger_path (const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the file (SV_ERROR_CONFLICT when it is there) with a genesis of 32 random bytes. */
gboolean sv_ledger_create (const char *path, const SvLedgerParameters *parameters, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends @n blocks now. With @reorg > 0 the last @reorg blocks (never finalized ones: SV_ERROR_POLICY) are dropped first,
 * together with the extrinsics in them, and the new branch is longer than the old one by @n. */
gboolean sv_ledger_advance (SvChain *chain, guint64 n, guint64 reorg, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE when the open chain is a ledger. */
gboolean sv_chain_is_ledger (const SvChain *chain);
