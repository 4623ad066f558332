/* The ledger as a chain: the questions of chain.h, answered from the file. A ledger extrinsic always succeeds, nothing on a
 * ledger is ever unreadable, owner and permits are the same at every block. One file may serve several subnets: what is
 * returned is of the configured one. */
#include "chain/ledger.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "chain/ledger_blocks.h"
#include "chain/ledger_pool.h"

#define SCHEME "ledger:"
#define MAX_NETUID 65535

/* ── opening ── */

gboolean
sv_chain_is_ledger (const SvChain *chain)
{
  return chain->engine == &sv_ledger_engine;
}

static gboolean
ledger_takes (const char *url)
{
  return g_str_has_prefix (url, SCHEME);
}

char *
sv_ledger_path (const char *url, GError **error)
{
  if (!url || !g_str_has_prefix (url, SCHEME) || !url[strlen (SCHEME)])
  {
    g_autofree char *shown = sv_config_mask (url ? url : "");
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "'%s' names no ledger: BITTENSOR_SUBTENSOR_ENDPOINT must be ledger:PATH",
                 shown);
    return NULL;
  }
  return sv_path_expand (url + strlen (SCHEME));
}

static void
ledger_close (SvChain *chain)
{
  SvLedger *ledger = (SvLedger *)chain;
  sv_ledger_file_close (ledger);
  g_free (chain->url);
  g_free (ledger);
}

static SvChain *
ledger_open (const char *url, const SvConfig *config, GError **error)
{
  guint64 netuid;
  g_autofree char *path = sv_ledger_path (url, error);
  if (!path || !sv_config_get_integer (config, "SCOREVISION_NETUID", 0, MAX_NETUID, &netuid, error))
    return NULL;
  SvLedger *ledger = g_new0 (SvLedger, 1);
  ledger->base.engine = &sv_ledger_engine;
  ledger->base.url = g_strdup (url);
  ledger->base.id.netuid = (guint)netuid;
  ledger->path = g_steal_pointer (&path);
  if (sv_ledger_file_open (ledger, error))
    return &ledger->base;
  ledger_close (&ledger->base);
  return NULL;
}

/* ── blocks ── */

static guint64
ledger_block_time_ms (SvChain *chain)
{
  return ((SvLedger *)chain)->block_time_ms;
}

/* A file is looked at for next to nothing. */
static guint
ledger_poll_interval_ms (SvChain *chain)
{
  return (guint)CLAMP (((SvLedger *)chain)->block_time_ms / 24, 100, 1000);
}

static char *
ledger_runtime (SvChain *chain)
{
  return NULL;
}

static gboolean
read_head (SvLedger *ledger, gpointer data, GError **error)
{
  SvHead *head = data;
  gboolean found;
  if (!sv_ledger_read_tip (ledger, &head->best, error))
    return FALSE;
  guint64 finalized = head->best.number - MIN (head->best.number, ledger->finality);
  return sv_ledger_read_block (ledger, finalized, &head->finalized, &found, error) &&
         (found || sv_ledger_damaged (ledger, "blocks are missing", error));
}

static gboolean
ledger_head (SvChain *chain, SvHead *head, GError **error)
{
  SvLedger *ledger = (SvLedger *)chain;
  return sv_ledger_make_due (ledger, error) && sv_ledger_read (ledger, read_head, head, error);
}

static gboolean
ledger_block (SvChain *chain, guint64 number, SvBlock *block, GError **error)
{
  SvLedger *ledger = (SvLedger *)chain;
  gboolean found;
  if (!sv_ledger_make_due (ledger, error) || !sv_ledger_read_block (ledger, number, block, &found, error))
    return FALSE;
  if (!found)
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "ledger %s has no block %" G_GUINT64_FORMAT " yet", ledger->path, number);
  return found;
}

/* ── extrinsics ── */

#define SELECT_EXTRINSIC "SELECT block, position, hash, signer, text FROM extrinsic "

static SvExtrinsic *
take_extrinsic (SvLedger *ledger, sqlite3_stmt *statement, GError **error)
{
  g_autoptr (SvExtrinsic) extrinsic = g_new0 (SvExtrinsic, 1);
  extrinsic->block = (guint64)sqlite3_column_int64 (statement, 0);
  extrinsic->index = (guint)sqlite3_column_int64 (statement, 1);
  extrinsic->signer = g_strdup ((const char *)sqlite3_column_text (statement, 3));
  extrinsic->text = g_strdup ((const char *)sqlite3_column_text (statement, 4));
  extrinsic->succeeded = TRUE;
  if (sv_ledger_column_hash (statement, 2, extrinsic->hash) && extrinsic->signer && extrinsic->text)
    return g_steal_pointer (&extrinsic);
  sv_ledger_damaged (ledger, "an extrinsic is not whole", error);
  return NULL;
}

/* Takes all rows of @statement. */
static GPtrArray *
take_extrinsics (SvLedger *ledger, sqlite3_stmt *statement, GArray **unreadable, GError **error)
{
  gboolean row;
  g_autoptr (GPtrArray) commitments = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  while (TRUE)
  {
    if (!sv_ledger_step (ledger, statement, &row, error))
      return NULL;
    if (!row)
      break;
    SvExtrinsic *extrinsic = take_extrinsic (ledger, statement, error);
    if (!extrinsic)
      return NULL;
    g_ptr_array_add (commitments, extrinsic);
  }
  if (unreadable)
    *unreadable = g_array_new (FALSE, FALSE, sizeof (guint64));
  return g_steal_pointer (&commitments);
}

static GPtrArray *
ledger_commitments (SvChain *chain, guint64 first, guint64 last, GArray **unreadable, GError **error)
{
  SvLedger *ledger = (SvLedger *)chain;
  g_autoptr (sqlite3_stmt) statement =
      sv_ledger_prepare (ledger, SELECT_EXTRINSIC "WHERE netuid = ? AND block BETWEEN ? AND ? ORDER BY block, position", error);
  if (!statement)
    return NULL;
  sqlite3_bind_int64 (statement, 1, chain->id.netuid);
  sqlite3_bind_int64 (statement, 2, (gint64)MIN (first, G_MAXINT64));
  sqlite3_bind_int64 (statement, 3, (gint64)MIN (last, G_MAXINT64));
  return take_extrinsics (ledger, statement, unreadable, error);
}

static GPtrArray *
ledger_account_commitments (SvChain *chain, const char *address, guint64 first, guint64 last, GArray **unreadable,
                            GError **error)
{
  SvLedger *ledger = (SvLedger *)chain;
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (
      ledger, SELECT_EXTRINSIC "WHERE netuid = ? AND signer = ? AND block BETWEEN ? AND ? ORDER BY block, position", error);
  if (!statement)
    return NULL;
  sqlite3_bind_int64 (statement, 1, chain->id.netuid);
  sqlite3_bind_text (statement, 2, address, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 3, (gint64)MIN (first, G_MAXINT64));
  sqlite3_bind_int64 (statement, 4, (gint64)MIN (last, G_MAXINT64));
  return take_extrinsics (ledger, statement, unreadable, error);
}

static SvSlot *
slot_of (SvExtrinsic *extrinsic)
{
  SvSlot *slot = g_new0 (SvSlot, 1);
  slot->account = g_steal_pointer (&extrinsic->signer);
  slot->text = g_steal_pointer (&extrinsic->text);
  slot->block = extrinsic->block;
  return slot;
}

static GPtrArray *
ledger_slots (SvChain *chain, GError **error)
{
  SvLedger *ledger = (SvLedger *)chain;
  if (!sv_ledger_make_due (ledger, error))
    return NULL;
  g_autoptr (sqlite3_stmt) statement =
      sv_ledger_prepare (ledger,
                         SELECT_EXTRINSIC "AS x WHERE netuid = ?1 AND NOT EXISTS (SELECT 1 FROM extrinsic AS later WHERE"
                                          " later.netuid = ?1 AND later.signer = x.signer AND"
                                          " (later.block, later.position) > (x.block, x.position)) ORDER BY signer",
                         error);
  if (!statement)
    return NULL;
  sqlite3_bind_int64 (statement, 1, chain->id.netuid);
  g_autoptr (GPtrArray) last = take_extrinsics (ledger, statement, NULL, error);
  if (!last)
    return NULL;
  GPtrArray *slots = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_slot_free);
  for (guint i = 0; i < last->len; i++)
    g_ptr_array_add (slots, slot_of (last->pdata[i]));
  return slots;
}

static gboolean
ledger_find_extrinsic (SvChain *chain, guint64 block, const char *hash, SvExtrinsic **found, gboolean *unreadable,
                       GError **error)
{
  SvLedger *ledger = (SvLedger *)chain;
  gboolean row;
  *found = NULL;
  if (unreadable)
    *unreadable = FALSE;
  if (!sv_ledger_make_due (ledger, error))
    return FALSE;
  g_autoptr (sqlite3_stmt) statement =
      sv_ledger_prepare (ledger, SELECT_EXTRINSIC "WHERE hash = ? AND block = ? AND netuid = ?", error);
  if (!statement)
    return FALSE;
  sqlite3_bind_text (statement, 1, hash, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 2, (gint64)MIN (block, G_MAXINT64));
  sqlite3_bind_int64 (statement, 3, chain->id.netuid);
  if (!sv_ledger_step (ledger, statement, &row, error))
    return FALSE;
  if (row)
    *found = take_extrinsic (ledger, statement, error);
  return !row || *found;
}

static gboolean
ledger_anchor_text (SvChain *chain, const char *address, guint64 at_block, char **text, GError **error)
{
  SvLedger *ledger = (SvLedger *)chain;
  gboolean row;
  *text = NULL;
  g_autoptr (sqlite3_stmt) statement =
      sv_ledger_prepare (ledger,
                         "SELECT text FROM extrinsic WHERE netuid = ? AND signer = ? AND block <= ?"
                         " AND (substr(text, 1, 13) = 'sv1 manifest ' OR substr(text, 1, 10) = 'sv1 revoke')"
                         " ORDER BY block DESC, position DESC LIMIT 1",
                         error);
  if (!statement)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, chain->id.netuid);
  sqlite3_bind_text (statement, 2, address, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 3, (gint64)MIN (at_block, G_MAXINT64));
  if (!sv_ledger_step (ledger, statement, &row, error))
    return FALSE;
  if (row)
    *text = g_strdup ((const char *)sqlite3_column_text (statement, 0));
  return TRUE;
}

/* ── the subnet ── */

static gboolean
ledger_owner (SvChain *chain, char **owner, GError **error)
{
  *owner = g_strdup (((SvLedger *)chain)->owner);
  return TRUE;
}

static char **
ledger_permits (SvChain *chain, guint64 block, GError **error)
{
  return g_strdupv (((SvLedger *)chain)->permits);
}

/* A ledger has neither rate nor space limits. */
static gboolean
ledger_earliest_commitment (SvChain *chain, const char *address, gsize length, guint64 *block, GError **error)
{
  SvLedger *ledger = (SvLedger *)chain;
  SvHead head;
  if (!ledger_head (&ledger->base, &head, error))
    return FALSE;
  *block = head.best.number + 1;
  return TRUE;
}

static gsize
ledger_max_text (SvChain *chain)
{
  return SV_LEDGER_MAX_TEXT;
}

const SvChainEngine sv_ledger_engine = {
  .takes = ledger_takes,
  .open = ledger_open,
  .close = ledger_close,
  .block_time_ms = ledger_block_time_ms,
  .poll_interval_ms = ledger_poll_interval_ms,
  .runtime = ledger_runtime,
  .head = ledger_head,
  .block = ledger_block,
  .commitments = ledger_commitments,
  .find_extrinsic = ledger_find_extrinsic,
  .account_commitments = ledger_account_commitments,
  .slots = ledger_slots,
  .anchor_text = ledger_anchor_text,
  .owner = ledger_owner,
  .permits = ledger_permits,
  .prepare_commitment = sv_ledger_prepare_commitment,
  .earliest_commitment = ledger_earliest_commitment,
  .submit = sv_ledger_submit,
  .max_text = ledger_max_text,
};
