/* Signing and submitting. A signer's extrinsics are numbered from 0 without gaps, waiting ones included: whoever took a number
 * first has it, and the other is told to sign anew. The same bytes again are a success, so a program that died between
 * submitting and hearing of it just submits again. With instant seal the extrinsic and its block are one transaction. */
#include "chain/ledger_pool.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "chain/ledger_blocks.h"
#include "chain/ledger_extrinsic.h"

static gboolean
read_next_nonce (SvLedger *ledger, const char *signer, guint64 *nonce, GError **error)
{
  gboolean row;
  g_autoptr (sqlite3_stmt) statement =
      sv_ledger_prepare (ledger,
                         "SELECT coalesce(max(nonce) + 1, 0) FROM (SELECT max(nonce) AS nonce FROM extrinsic"
                         " WHERE signer = ?1 UNION ALL SELECT max(nonce) FROM pool WHERE signer = ?1)",
                         error);
  if (!statement)
    return FALSE;
  sqlite3_bind_text (statement, 1, signer, -1, SQLITE_STATIC);
  if (!sv_ledger_step (ledger, statement, &row, error))
    return FALSE;
  *nonce = (guint64)sqlite3_column_int64 (statement, 0);
  return TRUE;
}

/* ── preparing ── */

static gboolean
check_text (const char *text, GError **error)
{
  gsize length = strlen (text);
  if (length >= 1 && length <= SV_LEDGER_MAX_TEXT)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "the commitment text has %" G_GSIZE_FORMAT " bytes, a ledger takes 1 to %d: split it into several commitments",
               length, SV_LEDGER_MAX_TEXT);
  return FALSE;
}

typedef struct
{
  const char *signer;
  guint64 nonce;
  SvBlock tip;
} NextPlace;

static gboolean
read_next_place (SvLedger *ledger, gpointer data, GError **error)
{
  NextPlace *place = data;
  return read_next_nonce (ledger, place->signer, &place->nonce, error) && sv_ledger_read_tip (ledger, &place->tip, error);
}

SvPreparedExtrinsic *
sv_ledger_prepare_commitment (SvChain *chain, const SvKeypair *keypair, const char *text, SvPrepareFlags flags, GError **error)
{
  SvLedger *ledger = (SvLedger *)chain;
  NextPlace place = { .signer = sv_keypair_address (keypair) };
  if (!check_text (text, error) || !sv_ledger_make_due (ledger, error) ||
      !sv_ledger_read (ledger, read_next_place, &place, error))
    return NULL;
  g_autoptr (GBytes) bytes = sv_ledger_extrinsic_sign (&chain->id, keypair, text, place.nonce, error);
  if (!bytes)
    return NULL;
  SvPreparedExtrinsic *prepared = g_new0 (SvPreparedExtrinsic, 1);
  sv_ledger_hash (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), prepared->hash);
  prepared->bytes = g_steal_pointer (&bytes);
  prepared->signer = g_strdup (place.signer);
  prepared->prepared_at = place.tip.number;
  prepared->valid_until = G_MAXUINT64;
  return prepared;
}

/* ── submitting ── */

typedef struct
{
  const SvLedgerExtrinsic *extrinsic;
  GBytes *bytes;
} Submission;

static gboolean
is_known (SvLedger *ledger, const char *hash, gboolean *known, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      sv_ledger_prepare (ledger, "SELECT 1 FROM pool WHERE hash = ?1 UNION ALL SELECT 1 FROM extrinsic WHERE hash = ?1", error);
  if (!statement)
    return FALSE;
  sqlite3_bind_text (statement, 1, hash, -1, SQLITE_STATIC);
  return sv_ledger_step (ledger, statement, known, error);
}

static gboolean
check_nonce (SvLedger *ledger, const SvLedgerExtrinsic *extrinsic, GError **error)
{
  guint64 next;
  if (!read_next_nonce (ledger, extrinsic->signer, &next, error))
    return FALSE;
  if (extrinsic->nonce == next)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
               "the extrinsic has nonce %" G_GUINT64_FORMAT ", the next one of %s is %" G_GUINT64_FORMAT
               ": another one of this account came in between; run the command again",
               extrinsic->nonce, extrinsic->signer, next);
  return FALSE;
}

static gboolean
put_into_pool (SvLedger *ledger, const Submission *submission, GError **error)
{
  const SvLedgerExtrinsic *extrinsic = submission->extrinsic;
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (
      ledger, "INSERT INTO pool (hash, netuid, signer, nonce, text, bytes) VALUES (?, ?, ?, ?, ?, ?)", error);
  if (!statement)
    return FALSE;
  sqlite3_bind_text (statement, 1, extrinsic->hash, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 2, ledger->base.id.netuid);
  sqlite3_bind_text (statement, 3, extrinsic->signer, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 4, (gint64)extrinsic->nonce);
  sqlite3_bind_text (statement, 5, extrinsic->text, -1, SQLITE_STATIC);
  sqlite3_bind_blob64 (statement, 6, g_bytes_get_data (submission->bytes, NULL), g_bytes_get_size (submission->bytes),
                       SQLITE_STATIC);
  return sv_ledger_run (ledger, statement, error);
}

static gboolean
take_in (SvLedger *ledger, gpointer data, GError **error)
{
  const Submission *submission = data;
  gboolean known;
  if (!is_known (ledger, submission->extrinsic->hash, &known, error))
    return FALSE;
  if (known)
    return TRUE;
  return check_nonce (ledger, submission->extrinsic, error) && put_into_pool (ledger, submission, error) &&
         (ledger->block_time_ms > 0 || sv_ledger_seal (ledger, error));
}

gboolean
sv_ledger_submit (SvChain *chain, const SvPreparedExtrinsic *prepared, GError **error)
{
  SvLedger *ledger = (SvLedger *)chain;
  g_auto (SvLedgerExtrinsic) extrinsic = { 0 };
  Submission submission = { .extrinsic = &extrinsic, .bytes = prepared->bytes };
  return sv_ledger_extrinsic_open (&chain->id, prepared->bytes, &extrinsic, error) && sv_ledger_make_due (ledger, error) &&
         sv_ledger_write (ledger, take_in, &submission, error);
}
