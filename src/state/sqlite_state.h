/* What the files of the SQLite engine share: the connection, its cached statements, its transactions, its errors. */
#pragma once

#include <sqlite3.h>

#include "state/engine.h"

typedef struct
{
  SvState base;
  char *path;
  sqlite3 *db;
  GHashTable *statements; /* SQL literal -> sqlite3_stmt */
  GHashTable *asker_ids;  /* account -> GINT row id; rows of askers are never removed */
  GHashTable *leads;      /* task -> descriptor of the file whose lock this handle has */
} SvSqliteState;

/* sqlite_database.c */
gboolean sv_sqlite_open (SvSqliteState *state, GError **error);
void sv_sqlite_close (SvSqliteState *state);

/* (transfer none) the statement of @sql, a string literal, prepared once and reset. */
sqlite3_stmt *sv_sqlite_statement (SvSqliteState *state, const char *sql, GError **error);

/* One step. *@has_row tells a row from the end; at the end, and on an error, the statement is reset. Who stops before the end
 * resets it himself, since an open statement holds its snapshot. */
gboolean sv_sqlite_step (SvSqliteState *state, sqlite3_stmt *statement, gboolean *has_row, GError **error);

/* Runs a statement that returns no rows. */
gboolean sv_sqlite_run (SvSqliteState *state, sqlite3_stmt *statement, GError **error);

/* BEGIN IMMEDIATE: whatever is read afterwards stays true until the end. */
gboolean sv_sqlite_begin (SvSqliteState *state, GError **error);

/* Commits when @ok, else rolls back; FALSE with @error set in that case, too. */
gboolean sv_sqlite_end (SvSqliteState *state, gboolean ok, GError **error);

/* Always FALSE: makes an error of the connection's last one. */
gboolean sv_sqlite_fail (SvSqliteState *state, int code, GError **error);

/* NULL binds null. The text must live until the statement was run. */
void sv_sqlite_bind_text (sqlite3_stmt *statement, int index, const char *text);
char *sv_sqlite_column_text (sqlite3_stmt *statement, int column);

/* sqlite_clips.c */
gboolean sv_sqlite_put_clip (SvState *state, const SvClip *clip, GError **error);
gboolean sv_sqlite_remove_clip (SvState *state, const char *hash, GError **error);
GPtrArray *sv_sqlite_list_clips (SvState *state, GError **error);
gboolean sv_sqlite_clips_version (SvState *state, guint64 *version, GError **error);

/* sqlite_admission.c */
gboolean sv_sqlite_admit (SvState *state, const SvAdmissionRules *rules, SvAdmission *batch, gsize n, GError **error);
gboolean sv_sqlite_recent_nonces (SvState *state, gint64 since_ms, SvVisitNonce visit, gpointer data, GError **error);

/* sqlite_issue.c */
gboolean sv_sqlite_insert_issued (SvSqliteState *state, SvIssueRecord *record, GError **error);
gboolean sv_sqlite_list_issued (SvState *state, const char *window_id, guint64 after_id, SvVisitIssue visit, gpointer data,
                                GError **error);

/* sqlite_chain.c */
gboolean sv_sqlite_checkpoint (SvState *state, const SvChainId *chain, SvCheckpoint *checkpoint, gboolean *found,
                               GError **error);
gboolean sv_sqlite_append_commitments (SvState *state, const SvChainId *chain, const SvCheckpoint *checkpoint,
                                       const GPtrArray *commitments, GError **error);
GPtrArray *sv_sqlite_list_commitments (SvState *state, const SvChainId *chain, guint64 from_block, GError **error);
gboolean sv_sqlite_forget_chain (SvState *state, const SvChainId *chain, GError **error);

/* sqlite_lead.c */
GHashTable *sv_sqlite_leads_new (void);
gboolean sv_sqlite_lead (SvState *state, const char *task, gboolean *leads, GError **error);

/* sqlite_shared.c */
gboolean sv_sqlite_share_chain (SvState *state, const SvChainId *chain, const SvSharedChain *shared, GError **error);
gboolean sv_sqlite_shared_chain (SvState *state, const SvChainId *chain, SvSharedStatus *status, SvSharedChain **shared,
                                 GError **error);
gboolean sv_sqlite_wish_chain (SvState *state, const SvChainId *chain, guint64 *wish, GError **error);
