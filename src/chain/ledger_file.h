/* Inside the ledger: the SQLite file and its transactions, shared by the ledger's own files (ledger*.c) only. */
#pragma once

#include <sqlite3.h>

#include "chain/engine.h"
#include "chain/ledger.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3_stmt, sqlite3_finalize)

#define SV_LEDGER_MAX_TEXT 16384 /* bytes of one commitment text */

typedef struct
{
  SvChain base;
  sqlite3 *db;
  char *path;
  /* as the file was made: these never change */
  guint64 block_time_ms;
  guint64 finality;
  char *owner; /* or NULL */
  char **permits;
} SvLedger;

/* Opens an existing file and checks that it is a whole ledger; fills in everything but base.engine, url and netuid. */
gboolean sv_ledger_file_open (SvLedger *ledger, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_ledger_file_close (SvLedger *ledger);

/* Sets @error from the connection's last failure (SV_ERROR_UNREACHABLE, with path and what to do) and returns FALSE. */
gboolean sv_ledger_fail (SvLedger *ledger, GError **error);
/* The same for content that no ledger of ours could hold. */
gboolean sv_ledger_damaged (SvLedger *ledger, const char *what, GError **error);

/* Returns: (transfer full), NULL on error. */
sqlite3_stmt *sv_ledger_prepare (SvLedger *ledger, const char *sql, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* *@row tells whether there is one. */
gboolean sv_ledger_step (SvLedger *ledger, sqlite3_stmt *statement, gboolean *row, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A statement without rows. */
gboolean sv_ledger_run (SvLedger *ledger, sqlite3_stmt *statement, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs @work in one transaction: what it reads is one state of the chain, what it writes is there whole or not at all. */
typedef gboolean (*SvLedgerWork) (SvLedger *ledger, gpointer data, GError **error);
gboolean sv_ledger_read (SvLedger *ledger, SvLedgerWork work, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_ledger_write (SvLedger *ledger, SvLedgerWork work, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Copies a "0x…" hash out of a column; FALSE when it does not hold one. */
gboolean sv_ledger_column_hash (sqlite3_stmt *statement, int column, char hash[SV_BLOCK_HASH_TEXT]);
