/* What the files of the PostgreSQL engine share: the connection, which is made when it is needed and made again when it broke;
 * rounds of prepared statements in pipeline mode; errors. */
#pragma once

#include "state/engine.h"
#include "state/postgres_library.h"
#include "state/request_memory.h"

typedef struct
{
  SvState base;           /* its url has no password */
  char *conninfo;         /* the URL as it was given: may hold a password, and goes to libpq only */
  gint64 next_attempt_us; /* no connection is tried before; monotonic */
  GError *fault;          /* why the last attempt failed */

  /* What ends with the connection. */
  PGconn *connection;     /* NULL: there is none */
  GHashTable *statements; /* SQL literal -> name of the prepared statement */
  GHashTable *leads;      /* the set of tasks whose lock this session has */
  /* What postgres_requests.c has read of the log of requests; nothing while @memory is NULL. */
  SvRequestMemory *memory;
  SvAdmissionRules rules; /* that @memory is for */
  gint64 last_request;    /* seq of the last row that was read, or written */
} SvPostgresState;

#define SV_POSTGRES_PARAMETERS_MAX 12

/* One statement with its parameters in text form; NULL is null. */
typedef struct
{
  const char *sql; /* a literal: prepared once per connection */
  int n;
  const char *values[SV_POSTGRES_PARAMETERS_MAX];
} SvPostgresQuery;

/* postgres_tls.c */

/* TRUE where a host is another machine and nobody has said whether TLS is wanted. */
gboolean sv_postgres_is_open_to_others (const PQconninfoOption *options);
/* Tells it in the log, once in this process. */
void sv_postgres_warn_of_open_network (const char *conninfo, const char *shown);

/* postgres_connection.c */

/* Makes sure that there is a connection to a database of our form. SV_ERROR_UNREACHABLE where there is none to be had; attempts
 * follow one another with a pause, in which the last reason is told again. */
gboolean sv_postgres_ready (SvPostgresState *state, GError **error);
void sv_postgres_disconnect (SvPostgresState *state);

/* postgres_round.c */

/* Sends all queries at once and waits for all results, which go to @results (transfer full); NULL where nobody wants them. On
 * failure no result is there, and an open transaction was rolled back. Without BEGIN among them they are one transaction. */
gboolean sv_postgres_round (SvPostgresState *state, const SvPostgresQuery *queries, guint n, PGresult **results,
                            GError **error);

/* Connects where that is needed and runs one query by itself. Returns: (transfer full). */
PGresult *sv_postgres_ask (SvPostgresState *state, const SvPostgresQuery *query, GError **error);
/* The same without the rows. *@n_rows (may be NULL): how many it changed. */
gboolean sv_postgres_change (SvPostgresState *state, const SvPostgresQuery *query, guint64 *n_rows, GError **error);

/* Decimal text of a parameter, in @buffer. */
typedef struct
{
  char text[24];
} SvPostgresNumber;
const char *sv_postgres_number (SvPostgresNumber *buffer, gint64 value);

/* NULL and "" told apart: NULL for null. (transfer none) / (transfer full). */
const char *sv_postgres_value (const PGresult *result, int row, int column);
char *sv_postgres_text (const PGresult *result, int row, int column);
gint64 sv_postgres_integer (const PGresult *result, int row, int column);

/* Adds an element to the text form of an array; begins with an empty string, and sv_postgres_array_end() closes it. */
void sv_postgres_array_add (GString *array, const char *value);
void sv_postgres_array_add_integer (GString *array, gint64 value);
const char *sv_postgres_array_end (GString *array);

void sv_postgres_clear (PGresult **results, guint n);

/* postgres_error.c */

/* Always FALSE: an error of the server's, by its SQLSTATE. */
gboolean sv_postgres_fail (SvPostgresState *state, const PGresult *result, GError **error);
/* Always FALSE: an error of the connection, and what libpq says of it. */
gboolean sv_postgres_fail_connection (SvPostgresState *state, const char *what, GError **error);

/* postgres_migrations.c: in a connection that was just made. */
gboolean sv_postgres_migrate (SvPostgresState *state, GError **error);

/* postgres_clips.c */
gboolean sv_postgres_put_clip (SvState *state, const SvClip *clip, GError **error);
gboolean sv_postgres_remove_clip (SvState *state, const char *hash, GError **error);
GPtrArray *sv_postgres_list_clips (SvState *state, GError **error);
gboolean sv_postgres_clips_version (SvState *state, guint64 *version, GError **error);
gboolean sv_postgres_put_ground_truth (SvState *state, const char *clip_hash, const char *json, GError **error);
gboolean sv_postgres_ground_truth (SvState *state, const char *clip_hash, char **json, GError **error);

/* postgres_keys.c */
gboolean sv_postgres_draw_keys (SvState *state, const char *const *manifest_hashes, gsize n, guint8 (*keys)[SV_STATE_KEY_SIZE],
                                GError **error);
gboolean sv_postgres_find_draw_key (SvState *state, const char *manifest_hash, guint8 key[SV_STATE_KEY_SIZE], gboolean *found,
                                    GError **error);
gboolean sv_postgres_secret (SvState *state, const char *name, guint8 key[SV_STATE_KEY_SIZE], GError **error);

/* postgres_admission.c */
gboolean sv_postgres_admit (SvState *state, const SvAdmissionRules *rules, SvAdmission *batch, gsize n, GError **error);
gboolean sv_postgres_try_admission (SvState *state, GError **error);

/* postgres_requests.c */

/* Makes the memory for @rules and reads the log into it, where that was not done yet. Nothing is locked for that. */
gboolean sv_postgres_remember_requests (SvPostgresState *state, const SvAdmissionRules *rules, GError **error);
/* Reads what others have added since, page by page. */
gboolean sv_postgres_read_requests (SvPostgresState *state, GError **error);
/* The query for one page, to be asked in a round with others, and what is done with its rows. *@has_all is FALSE where there
 * may be more of them. */
SvPostgresQuery sv_postgres_requests_query (const SvPostgresState *state, SvPostgresNumber *last);
void sv_postgres_take_requests (SvPostgresState *state, const PGresult *rows, gboolean *has_all);
void sv_postgres_forget_requests (SvPostgresState *state);
gboolean sv_postgres_recent_nonces (SvState *state, gint64 since_ms, SvVisitNonce visit, gpointer data, GError **error);

/* postgres_issue.c */
gboolean sv_postgres_list_issued (SvState *state, const char *window_id, guint64 after_id, SvVisitIssue visit, gpointer data,
                                  GError **error);
gboolean sv_postgres_close_window (SvState *state, const char *window_id, guint64 *last_id, GError **error);
gboolean sv_postgres_raise_ids (SvState *state, guint64 last_id, GError **error);

/* postgres_tasks.c */

/* What is asked before @n_new tasks are written, the last of them at @now_ms. */
SvPostgresQuery sv_postgres_remove_old_tasks (guint n_new, gint64 now_ms, SvPostgresNumber numbers[3]);
gboolean sv_postgres_find_task (SvState *state, guint64 id, SvTaskRecord **task, GError **error);
gboolean sv_postgres_complete_task (SvState *state, guint64 id, const char *asker, gint64 now_ms, gboolean *found,
                                    GError **error);

/* postgres_chain.c */
gboolean sv_postgres_checkpoint (SvState *state, const SvChainId *chain, SvCheckpoint *checkpoint, gboolean *found,
                                 GError **error);
gboolean sv_postgres_append_commitments (SvState *state, const SvChainId *chain, const SvCheckpoint *checkpoint,
                                         const GPtrArray *commitments, GError **error);
GPtrArray *sv_postgres_list_commitments (SvState *state, const SvChainId *chain, guint64 from_block, GError **error);
gboolean sv_postgres_forget_chain (SvState *state, const SvChainId *chain, GError **error);
/* A row of: block, position, hash, signer, text, succeeded. */
GPtrArray *sv_postgres_read_commitments (const PGresult *result);

/* postgres_lead.c */
gboolean sv_postgres_lead (SvState *state, const char *task, gboolean *leads, GError **error);
/* The key of the task's advisory lock. */
gint64 sv_postgres_lock_key (const char *task);

/* postgres_shared.c */
gboolean sv_postgres_share_chain (SvState *state, const SvChainId *chain, const SvSharedChain *shared, GError **error);
gboolean sv_postgres_shared_chain (SvState *state, const SvChainId *chain, SvSharedStatus *status, SvSharedChain **shared,
                                   GError **error);
gboolean sv_postgres_wish_chain (SvState *state, const SvChainId *chain, guint64 *wish, GError **error);
