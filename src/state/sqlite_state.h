/* What the files of the SQLite engine share: the connection, its cached statements, its transactions, its errors. */
#pragma once

#include <sqlite3.h>

#include "state/engine.h"
#include "state/issue_row.h"
#include "state/request_memory.h"

typedef struct SvSqliteCheckpointer SvSqliteCheckpointer;

/* A name that was asked for lately (sqlite_names.c). */
typedef struct
{
  const char *name; /* of the dictionary; NULL: none */
  gint64 id;
} SvSqliteRecentName;

#define SV_SQLITE_RECENT_NAMES 256

typedef struct
{
  SvState base;
  char *path;
  sqlite3 *db;
  GHashTable *statements;  /* SQL literal -> sqlite3_stmt */
  GHashTable *names;       /* name -> its id as a pointer; names are never removed */
  GHashTable *names_by_id; /* owns the names */
  SvSqliteRecentName recent_names[SV_SQLITE_RECENT_NAMES];
  /* What sqlite_requests.c has read of the log of requests; nothing while @memory is NULL. */
  SvRequestMemory *memory;
  SvAdmissionRules rules;             /* that @memory is for */
  gint64 last_request;                /* id of the last row that was read */
  gint64 oldest_ms;                   /* time of the oldest row, when it was last looked at */
  guint64 last_id;                    /* the last id given to a challenge or a task */
  gint64 last_window;                 /* sqlite_issue.c: id of the window's name whose row is known to be there */
  GHashTable *gaps;                   /* sqlite_issue.c: id of a window's name -> ids where it has no records */
  GHashTable *leads;                  /* task -> descriptor of the file whose lock this handle has */
  SvSqliteCheckpointer *checkpointer; /* NULL before the first admission */
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

/* sqlite_checkpoint.c */
/* From now on commits of this handle leave it to a thread to carry the log over into the file. Once is enough. */
void sv_sqlite_checkpointer_start (SvSqliteState *state);
void sv_sqlite_checkpointer_stop (SvSqliteState *state);

/* sqlite_clips.c */
gboolean sv_sqlite_put_clip (SvState *state, const SvClip *clip, GError **error);
gboolean sv_sqlite_remove_clip (SvState *state, const char *hash, GError **error);
GPtrArray *sv_sqlite_list_clips (SvState *state, GError **error);
gboolean sv_sqlite_clips_version (SvState *state, guint64 *version, GError **error);

/* sqlite_keys.c */
gboolean sv_sqlite_draw_keys (SvState *state, const char *const *manifest_hashes, gsize n, guint8 (*keys)[SV_STATE_KEY_SIZE],
                              GError **error);
gboolean sv_sqlite_find_draw_key (SvState *state, const char *manifest_hash, guint8 key[SV_STATE_KEY_SIZE], gboolean *found,
                                  GError **error);
gboolean sv_sqlite_secret (SvState *state, const char *name, guint8 key[SV_STATE_KEY_SIZE], GError **error);

/* sqlite_names.c: accounts, hashes and ids that many rows hold, by number. */
/* *@id: of @name, given on first use, in a transaction. */
gboolean sv_sqlite_name_id (SvSqliteState *state, const char *name, gint64 *id, GError **error);
/* *@id is 0 where the name was never used. */
gboolean sv_sqlite_find_name (SvSqliteState *state, const char *name, gint64 *id, GError **error);
/* (transfer none) the name, as long as no transaction fails; NULL with @error set. */
const char *sv_sqlite_name (SvSqliteState *state, gint64 id, GError **error);
/* After a failed transaction. */
void sv_sqlite_forget_names (SvSqliteState *state);

/* sqlite_requests.c: the log of requests. */
/* In a transaction: reads what was written since the last time, so that @state->memory and @state->last_id hold it. */
gboolean sv_sqlite_read_requests (SvSqliteState *state, const SvAdmissionRules *rules, GError **error);
/* Adds one request to what sv_sqlite_write_requests() is to write. */
gboolean sv_sqlite_log_request (SvSqliteState *state, GString *log, const SvRequest *request, GError **error);
/* In the same transaction: one row, with @state->last_id; and removes old rows, a few at a time. */
gboolean sv_sqlite_write_requests (SvSqliteState *state, const GString *log, gint64 now_ms, GError **error);
/* After a failed transaction. */
void sv_sqlite_forget_requests (SvSqliteState *state);
gboolean sv_sqlite_put_ground_truth (SvState *state, const char *clip_hash, const char *json, GError **error);
gboolean sv_sqlite_ground_truth (SvState *state, const char *clip_hash, char **json, GError **error);

/* sqlite_tasks.c */
gboolean sv_sqlite_insert_task (SvSqliteState *state, SvTaskRecord *task, GError **error);
gboolean sv_sqlite_find_task (SvState *state, guint64 id, SvTaskRecord **task, GError **error);
gboolean sv_sqlite_complete_task (SvState *state, guint64 id, const char *asker, gint64 now_ms, gboolean *found,
                                  GError **error);

gboolean sv_sqlite_recent_nonces (SvState *state, gint64 since_ms, SvVisitNonce visit, gpointer data, GError **error);

/* sqlite_admission.c */
gboolean sv_sqlite_admit (SvState *state, const SvAdmissionRules *rules, SvAdmission *batch, gsize n, GError **error);
gboolean sv_sqlite_try_admission (SvState *state, GError **error);

/* sqlite_issue.c */
/* The issue records of a transaction on their way. */
typedef struct
{
  SvIssueRow row;
  SvSqliteRecentName names[SV_ISSUE_ROW_NAMES]; /* of the last record, from which they are borrowed; NULL: none */
} SvSqliteIssues;

void sv_sqlite_issues_init (SvSqliteIssues *issues);
void sv_sqlite_issues_clear (SvSqliteIssues *issues);
/* Gives the record the next id, and puts it to those that sv_sqlite_write_issues() is to write. Its names live until then. */
gboolean sv_sqlite_insert_issued (SvSqliteState *state, SvSqliteIssues *issues, SvIssueRecord *record, GError **error);
/* The same for a record that is in numbers already (issue_row.h). */
gboolean sv_sqlite_append_issue (SvSqliteState *state, SvSqliteIssues *issues, gint64 *numbers, const char *nonce,
                                 GError **error);
/* In the same transaction: whatever has not been written yet. */
gboolean sv_sqlite_write_issues (SvSqliteState *state, SvSqliteIssues *issues, GError **error);

GHashTable *sv_sqlite_gaps_new (void);
gboolean sv_sqlite_list_issued (SvState *state, const char *window_id, guint64 after_id, SvVisitIssue visit, gpointer data,
                                GError **error);
/* *@last_id: of the window, an id of names; 0 where there is none. */
gboolean sv_sqlite_last_issued (SvSqliteState *state, gint64 window, guint64 *last_id, GError **error);

/* sqlite_issue_gather.c */
/* In the transaction of the migration: from `single_issued`, which has a row for each record, into `issued`. */
gboolean sv_sqlite_gather_issued (SvSqliteState *state, GError **error);

/* sqlite_windows.c */
gboolean sv_sqlite_raise_ids (SvState *state, guint64 last_id, GError **error);
gboolean sv_sqlite_close_window (SvState *state, const char *window_id, guint64 *last_id, GError **error);
gboolean sv_sqlite_window_is_closed (SvSqliteState *state, const char *window_id, gboolean *is_closed, GError **error);

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
