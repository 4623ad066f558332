/* Inside the ledger: the form of its extrinsics (docs/protocol.md section 6). */
#pragma once

#include "chain/ledger_file.h"

typedef struct
{
  char hash[SV_BLOCK_HASH_TEXT];
  char *signer; /* bare address */
  char *text;
  guint64 nonce;
} SvLedgerExtrinsic;

void sv_ledger_extrinsic_clear (SvLedgerExtrinsic *extrinsic);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvLedgerExtrinsic, sv_ledger_extrinsic_clear)

/* The signed bytes. Returns: (transfer full). */
GBytes *sv_ledger_extrinsic_sign (const SvChainId *chain, const SvKeypair *keypair, const char *text, guint64 nonce,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads and checks: canonical JSON of exactly this form (SV_ERROR_MALFORMED), for this chain, with a good signature
 * (SV_ERROR_VERIFY). */
gboolean sv_ledger_extrinsic_open (const SvChainId *chain, GBytes *bytes, SvLedgerExtrinsic *extrinsic,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "0x" + BLAKE2b-256 of the bytes. */
void sv_ledger_hash (const void *data, gsize length, char hash[SV_BLOCK_HASH_TEXT]);
