/* How a ledger's blocks come to be.
 *
 * There is no block-making process: blocks become due with the clock, and whoever looks at the ledger makes the due ones first,
 * each with the time at which it was due. So everyone sees the chain that a running node would have made. After a long pause
 * there may be hundreds of thousands of them; they are made in transactions of at most DUE_BATCH blocks, so that no other
 * process waits long for its turn and a killed one loses little.
 *
 * Waiting extrinsics go into the next block that is made, whoever makes it. A block's hash is BLAKE2b-256 over the canonical
 * JSON of its number, parent, time, extrinsics' hashes and the salt of its branch. A reorganisation draws a new salt, so that
 * the blocks of the new branch differ from those they replace. */
#include "chain/ledger_blocks.h"

#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rfc3339.h"
#include "chain/ledger_extrinsic.h"
#include "chain/ledger_schema.h"

#define DUE_BATCH 50000
#define MAX_ADVANCE 1000000

/* ── reading ── */

#define SELECT_BLOCK                                                                                                           \
  "SELECT b.number, b.hash, coalesce(p.hash, '" SV_LEDGER_NO_PARENT "'), b.time_ms"                                            \
  " FROM block b LEFT JOIN block p ON p.number = b.number - 1 "

static gboolean
take_block (SvLedger *ledger, sqlite3_stmt *statement, SvBlock *block, GError **error)
{
  block->number = (guint64)sqlite3_column_int64 (statement, 0);
  block->time_ms = sqlite3_column_int64 (statement, 3);
  return (sv_ledger_column_hash (statement, 1, block->hash) && sv_ledger_column_hash (statement, 2, block->parent)) ||
         sv_ledger_damaged (ledger, "a block has no hash", error);
}

gboolean
sv_ledger_read_block (SvLedger *ledger, guint64 number, SvBlock *block, gboolean *found, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (ledger, SELECT_BLOCK "WHERE b.number = ?", error);
  if (!statement)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64)number);
  return sv_ledger_step (ledger, statement, found, error) && (!*found || take_block (ledger, statement, block, error));
}

gboolean
sv_ledger_read_tip (SvLedger *ledger, SvBlock *block, GError **error)
{
  gboolean found;
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (ledger, SELECT_BLOCK "ORDER BY b.number DESC LIMIT 1", error);
  if (!statement || !sv_ledger_step (ledger, statement, &found, error))
    return FALSE;
  return found ? take_block (ledger, statement, block, error) : sv_ledger_damaged (ledger, "it has no blocks", error);
}

static gboolean
read_branch (SvLedger *ledger, char branch[SV_BLOCK_HASH_TEXT], GError **error)
{
  gboolean row;
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (ledger, "SELECT branch FROM ledger", error);
  if (!statement || !sv_ledger_step (ledger, statement, &row, error))
    return FALSE;
  return (row && sv_ledger_column_hash (statement, 0, branch)) || sv_ledger_damaged (ledger, "it has no branch", error);
}

/* ── appending, inside a write transaction ── */

/* Moves the waiting extrinsics into block @number and adds their hashes to @hashes, as the items of a JSON array. */
static gboolean
include_waiting (SvLedger *ledger, guint64 number, GString *hashes, GError **error)
{
  gboolean row = TRUE;
  g_autoptr (sqlite3_stmt) move =
      sv_ledger_prepare (ledger,
                         "INSERT INTO extrinsic SELECT ?, row_number() OVER (ORDER BY arrival) - 1, hash, netuid, signer,"
                         " nonce, text, bytes FROM pool",
                         error);
  g_autoptr (sqlite3_stmt) list = move ? sv_ledger_prepare (ledger, "SELECT hash FROM pool ORDER BY arrival", error) : NULL;
  g_autoptr (sqlite3_stmt) empty = list ? sv_ledger_prepare (ledger, "DELETE FROM pool", error) : NULL;
  if (!empty)
    return FALSE;
  while (row)
  {
    if (!sv_ledger_step (ledger, list, &row, error))
      return FALSE;
    if (row)
      g_string_append_printf (hashes, "%s\"%s\"", hashes->len ? "," : "", (const char *)sqlite3_column_text (list, 0));
  }
  sqlite3_reset (list);
  sqlite3_bind_int64 (move, 1, (gint64)number);
  return sv_ledger_run (ledger, move, error) && sv_ledger_run (ledger, empty, error);
}

/* The text below is canonical JSON as it stands: sorted keys, hex and integers below 2^53 only. */
static void
hash_block (SvBlock *block, const char *extrinsics, const char *branch)
{
  g_autofree char *text = g_strdup_printf ("{\"branch\":\"%s\",\"extrinsics\":[%s],\"number\":%" G_GUINT64_FORMAT
                                           ",\"parent\":\"%s\",\"time\":%" G_GINT64_FORMAT "}",
                                           branch, extrinsics, block->number, block->parent, block->time_ms);
  sv_ledger_hash (text, strlen (text), block->hash);
}

/* Appends @n blocks on top of @tip; block k (from 1) has the time @first_ms + (k - 1) × @step_ms. */
static gboolean
append (SvLedger *ledger, const SvBlock *tip, guint64 n, gint64 first_ms, gint64 step_ms, GError **error)
{
  char branch[SV_BLOCK_HASH_TEXT];
  SvBlock block = *tip;
  g_autoptr (GString) extrinsics = g_string_new (NULL);
  g_autoptr (sqlite3_stmt) insert = sv_ledger_prepare (ledger, "INSERT INTO block VALUES (?, ?, ?)", error);
  if (!insert || !read_branch (ledger, branch, error) || !include_waiting (ledger, tip->number + 1, extrinsics, error))
    return FALSE;
  for (guint64 k = 0; k < n; k++)
  {
    block.number++;
    memcpy (block.parent, block.hash, sizeof block.parent);
    block.time_ms = MAX (block.time_ms, first_ms + (gint64)k * step_ms);
    hash_block (&block, extrinsics->str, branch);
    g_string_truncate (extrinsics, 0);
    sqlite3_bind_int64 (insert, 1, (gint64)block.number);
    sqlite3_bind_text (insert, 2, block.hash, -1, SQLITE_STATIC);
    sqlite3_bind_int64 (insert, 3, block.time_ms);
    if (!sv_ledger_run (ledger, insert, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
sv_ledger_seal (SvLedger *ledger, GError **error)
{
  SvBlock tip;
  return sv_ledger_read_tip (ledger, &tip, error) && append (ledger, &tip, 1, sv_clock_ms (), 0, error);
}

/* ── by the clock ── */

static guint64
count_due (const SvLedger *ledger, const SvBlock *tip, gint64 now)
{
  return now > tip->time_ms ? (guint64)(now - tip->time_ms) / ledger->block_time_ms : 0;
}

static gboolean
append_due (SvLedger *ledger, gpointer data, GError **error)
{
  const gint64 *now = data;
  SvBlock tip;
  if (!sv_ledger_read_tip (ledger, &tip, error))
    return FALSE;
  guint64 n = MIN (count_due (ledger, &tip, *now), DUE_BATCH);
  gint64 step = (gint64)ledger->block_time_ms;
  return n == 0 || append (ledger, &tip, n, tip.time_ms + step, step, error);
}

gboolean
sv_ledger_make_due (SvLedger *ledger, GError **error)
{
  gint64 now = sv_clock_ms ();
  SvBlock tip;
  while (ledger->block_time_ms > 0)
  {
    if (!sv_ledger_read_tip (ledger, &tip, error))
      return FALSE;
    if (count_due (ledger, &tip, now) == 0)
      break;
    if (!sv_ledger_write (ledger, append_due, &now, error))
      return FALSE;
  }
  return TRUE;
}

/* ── by hand ── */

typedef struct
{
  guint64 n;
  guint64 reorg;
} Advance;

static gboolean
check_not_final (SvLedger *ledger, const SvBlock *tip, guint64 reorg, GError **error)
{
  guint64 open_blocks = MIN (tip->number, ledger->finality);
  if (reorg <= open_blocks)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "ledger %s: a reorganisation of %" G_GUINT64_FORMAT
               " blocks would drop finalized ones; at head %" G_GUINT64_FORMAT " with finality %" G_GUINT64_FORMAT
               " it can drop at most %" G_GUINT64_FORMAT,
               ledger->path, reorg, tip->number, ledger->finality, open_blocks);
  return FALSE;
}

static gboolean
run_for_block (SvLedger *ledger, const char *sql, guint64 number, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (ledger, sql, error);
  if (!statement)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64)number);
  return sv_ledger_run (ledger, statement, error);
}

static gboolean
change_branch (SvLedger *ledger, GError **error)
{
  guint8 salt[32];
  char branch[SV_BLOCK_HASH_TEXT];
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (ledger, "UPDATE ledger SET branch = ?", error);
  if (!statement)
    return FALSE;
  randombytes_buf (salt, sizeof salt);
  sv_ledger_hash (salt, sizeof salt, branch);
  sqlite3_bind_text (statement, 1, branch, -1, SQLITE_STATIC);
  return sv_ledger_run (ledger, statement, error);
}

/* Drops the blocks after @last with their extrinsics. What still waits of a signer who lost one is dropped too: its nonce would
 * have no predecessor. */
static gboolean
drop_after (SvLedger *ledger, guint64 last, GError **error)
{
  return run_for_block (ledger, "DELETE FROM pool WHERE signer IN (SELECT signer FROM extrinsic WHERE block > ?)", last,
                        error) &&
         run_for_block (ledger, "DELETE FROM extrinsic WHERE block > ?", last, error) &&
         run_for_block (ledger, "DELETE FROM block WHERE number > ?", last, error) && change_branch (ledger, error);
}

static gboolean
advance (SvLedger *ledger, gpointer data, GError **error)
{
  const Advance *wanted = data;
  SvBlock tip;
  if (!sv_ledger_read_tip (ledger, &tip, error) || !check_not_final (ledger, &tip, wanted->reorg, error))
    return FALSE;
  if (wanted->reorg > 0)
  {
    gboolean found;
    guint64 last = tip.number - wanted->reorg;
    if (!drop_after (ledger, last, error) || !sv_ledger_read_block (ledger, last, &tip, &found, error))
      return FALSE;
    if (!found)
      return sv_ledger_damaged (ledger, "blocks are missing", error);
  }
  return append (ledger, &tip, wanted->n + wanted->reorg, sv_clock_ms (), 0, error);
}

static gboolean
check_amount (guint64 n, guint64 reorg, GError **error)
{
  if (n > 0 && n <= MAX_ADVANCE && reorg <= MAX_ADVANCE)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "a ledger advances by 1 to %d blocks at a time, not by %" G_GUINT64_FORMAT,
               MAX_ADVANCE, n);
  return FALSE;
}

gboolean
sv_ledger_advance (SvChain *chain, guint64 n, guint64 reorg, GError **error)
{
  Advance wanted = { .n = n, .reorg = reorg };
  if (!sv_chain_is_ledger (chain))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s is not a ledger: its blocks are made by its own nodes",
                 sv_chain_url (chain));
    return FALSE;
  }
  SvLedger *ledger = (SvLedger *)chain;
  return check_amount (n, reorg, error) && sv_ledger_make_due (ledger, error) &&
         sv_ledger_write (ledger, advance, &wanted, error);
}
