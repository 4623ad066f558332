/* Admission: replays, rate limits and the recording of requests, for a batch in one transaction.
 *
 * `requests` holds what was admitted, as long as nonces are remembered (which is at least the rate window). Each row has its
 * position among its asker's, and among its bucket's, counted up without gaps; and its time never goes back inside an asker.
 * So the number of requests in the window is the difference of two positions, and both are found by an index: the cost of an
 * admission does not depend on the limit. Nonces are times, so the index that begins with them grows at its end, whoever asks:
 * a batch of many askers touches few pages. `buckets` holds the client ids seen by asker, refused ones included.
 *
 * Rows that nobody needs are removed from the old end, twice as many a batch as it may add, so no batch pays for a long pause.
 */
#include "state/rate.h"
#include "state/sqlite_state.h"

typedef struct
{
  gint64 time_ms;
  gint64 position;
} Place;

/* What is known of one request while it is judged. */
typedef struct
{
  SvAdmission *admission;
  const SvAdmissionRules *rules;
  gint64 asker;
  gint64 now_ms;    /* the request's time, but not before the asker's last */
  gint64 cutoff_ms; /* what was at or before this time has left the window */
  const char *bucket;
  gboolean opens_bucket; /* it was not active */
  guint n_buckets;       /* active ones, this one included */
  SvRateCount asker_count;
  SvRateCount bucket_count;
  gint64 position; /* the last ones given, 0 for none */
  gint64 bucket_position;
} Case;

/* ── old rows ── */

/* A time far ahead comes from a clock that has been set back since; it would count for ever. */
static gboolean
remove_old (SvSqliteState *state, const SvAdmissionRules *rules, gint64 now_ms, gsize n, GError **error)
{
  sqlite3_stmt *change = sv_sqlite_statement (state,
                                              "DELETE FROM requests WHERE id IN (SELECT id FROM requests ORDER BY id LIMIT ?)"
                                              " AND (time_ms < ? OR time_ms > ?)",
                                              error);
  if (change == NULL)
    return FALSE;
  sqlite3_bind_int64 (change, 1, (gint64)(2 * n + 16));
  sqlite3_bind_int64 (change, 2, now_ms - (gint64)rules->remember_ms);
  sqlite3_bind_int64 (change, 3, now_ms + (gint64)rules->remember_ms);
  return sv_sqlite_run (state, change, error);
}

static gboolean
remove_from_future (SvSqliteState *state, Case *c, GError **error)
{
  static const char *const changes[] = { "DELETE FROM requests WHERE asker = ? AND time_ms > ?",
                                         "DELETE FROM buckets WHERE asker = ? AND seen_ms > ?" };
  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
  {
    sqlite3_stmt *change = sv_sqlite_statement (state, changes[i], error);
    if (change == NULL)
      return FALSE;
    sqlite3_bind_int64 (change, 1, c->asker);
    sqlite3_bind_int64 (change, 2, c->admission->now_ms);
    if (!sv_sqlite_run (state, change, error))
      return FALSE;
  }
  return TRUE;
}

/* ── the asker ── */

static gboolean
insert_asker (SvSqliteState *state, const char *account, gint64 *id, GError **error)
{
  sqlite3_stmt *insert = sv_sqlite_statement (state, "INSERT INTO askers (account) VALUES (?)", error);
  if (insert == NULL)
    return FALSE;
  sv_sqlite_bind_text (insert, 1, account);
  if (!sv_sqlite_run (state, insert, error))
    return FALSE;
  *id = sqlite3_last_insert_rowid (state->db);
  return TRUE;
}

static gboolean
find_asker (SvSqliteState *state, const char *account, gint64 *id, GError **error)
{
  const gint64 *known = g_hash_table_lookup (state->asker_ids, account);
  if (known != NULL)
  {
    *id = *known;
    return TRUE;
  }
  gboolean has_row;
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT id FROM askers WHERE account = ?", error);
  if (query == NULL)
    return FALSE;
  sv_sqlite_bind_text (query, 1, account);
  if (!sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  if (has_row)
  {
    *id = sqlite3_column_int64 (query, 0);
    sqlite3_reset (query);
  }
  else if (!insert_asker (state, account, id, error))
    return FALSE;
  g_hash_table_insert (state->asker_ids, g_strdup (account), g_memdup2 (id, sizeof *id));
  return TRUE;
}

static gboolean
read_place (SvSqliteState *state, sqlite3_stmt *query, Place *place, GError **error)
{
  gboolean has_row;
  if (!sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  *place = (Place){ 0, 0 };
  if (has_row)
    *place = (Place){ sqlite3_column_int64 (query, 0), sqlite3_column_int64 (query, 1) };
  sqlite3_reset (query);
  return TRUE;
}

static gboolean
last_of_asker (SvSqliteState *state, const Case *c, Place *last, GError **error)
{
  sqlite3_stmt *query = sv_sqlite_statement (state,
                                             "SELECT time_ms, position FROM requests WHERE asker = ?"
                                             " ORDER BY time_ms DESC, position DESC LIMIT 1",
                                             error);
  if (query == NULL)
    return FALSE;
  sqlite3_bind_int64 (query, 1, c->asker);
  return read_place (state, query, last, error);
}

static gboolean
first_of_asker (SvSqliteState *state, const Case *c, Place *first, GError **error)
{
  sqlite3_stmt *query = sv_sqlite_statement (state,
                                             "SELECT time_ms, position FROM requests WHERE asker = ? AND time_ms > ?"
                                             " ORDER BY time_ms, position LIMIT 1",
                                             error);
  if (query == NULL)
    return FALSE;
  sqlite3_bind_int64 (query, 1, c->asker);
  sqlite3_bind_int64 (query, 2, c->cutoff_ms);
  return read_place (state, query, first, error);
}

static SvRateCount
count_between (const Place *first, const Place *last)
{
  if (first->position == 0)
    return (SvRateCount){ 0, 0 };
  return (SvRateCount){ (guint64)MAX (last->position - first->position + 1, 0), first->time_ms };
}

/* Fills in all that concerns the asker as a whole. */
static gboolean
count_asker (SvSqliteState *state, Case *c, GError **error)
{
  Place last, first;
  gint64 now_ms = c->admission->now_ms;
  if (!find_asker (state, c->admission->asker, &c->asker, error) || !last_of_asker (state, c, &last, error))
    return FALSE;
  if (last.time_ms > now_ms + (gint64)c->rules->remember_ms &&
      (!remove_from_future (state, c, error) || !last_of_asker (state, c, &last, error)))
    return FALSE;
  c->now_ms = MAX (now_ms, last.time_ms);
  c->cutoff_ms = c->now_ms - (gint64)c->rules->window_ms;
  c->position = last.position;
  if (!first_of_asker (state, c, &first, error))
    return FALSE;
  c->asker_count = count_between (&first, &last);
  return TRUE;
}

static gboolean
is_replay (SvSqliteState *state, const Case *c, gboolean *replayed, GError **error)
{
  sqlite3_stmt *query = sv_sqlite_statement (state,
                                             "SELECT 1 FROM requests WHERE asker = ?1 AND nonce = ?2 UNION ALL"
                                             " SELECT 1 FROM requests WHERE asker = ?1 AND x_nonce = ?3 LIMIT 1",
                                             error);
  if (query == NULL)
    return FALSE;
  sqlite3_bind_int64 (query, 1, c->asker);
  sv_sqlite_bind_text (query, 2, c->admission->nonce);
  sv_sqlite_bind_text (query, 3, c->admission->x_nonce);
  if (!sv_sqlite_step (state, query, replayed, error))
    return FALSE;
  sqlite3_reset (query);
  return TRUE;
}

/* ── the bucket inside the asker's ── */

/* A client id that is not active yet opens a bucket of its own while there are fewer than 16, else it goes into the shared
 * one. */
static gboolean
choose_bucket (SvSqliteState *state, Case *c, GError **error)
{
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT name FROM buckets WHERE asker = ? AND seen_ms > ?", error);
  if (query == NULL)
    return FALSE;
  sqlite3_bind_int64 (query, 1, c->asker);
  sqlite3_bind_int64 (query, 2, c->cutoff_ms);
  guint n_own = 0;
  gboolean is_active = FALSE, is_shared_active = FALSE;
  for (gboolean has_row = TRUE; has_row;)
  {
    if (!sv_sqlite_step (state, query, &has_row, error))
      return FALSE;
    const char *name = has_row ? (const char *)sqlite3_column_text (query, 0) : SV_RATE_SHARED_BUCKET;
    gboolean is_shared = g_str_equal (name, SV_RATE_SHARED_BUCKET);
    n_own += !is_shared;
    is_shared_active |= has_row && is_shared;
    is_active |= g_str_equal (name, c->admission->client_id);
  }
  gboolean goes_shared = !is_active && n_own >= SV_RATE_BUCKETS_MAX;
  c->bucket = goes_shared ? SV_RATE_SHARED_BUCKET : c->admission->client_id;
  c->opens_bucket = goes_shared ? !is_shared_active : !is_active;
  c->n_buckets = n_own + is_shared_active + c->opens_bucket;
  return TRUE;
}

static gboolean
bucket_place (SvSqliteState *state, const Case *c, const char *sql, gint64 after_ms, Place *place, GError **error)
{
  sqlite3_stmt *query = sv_sqlite_statement (state, sql, error);
  if (query == NULL)
    return FALSE;
  sqlite3_bind_int64 (query, 1, c->asker);
  sv_sqlite_bind_text (query, 2, c->bucket);
  sqlite3_bind_int64 (query, 3, after_ms);
  return read_place (state, query, place, error);
}

#define BUCKET_PLACE "SELECT time_ms, bucket_position FROM requests WHERE asker = ? AND bucket = ? AND time_ms > ?"

static gboolean
count_bucket (SvSqliteState *state, Case *c, GError **error)
{
  Place last, first;
  if (!choose_bucket (state, c, error) ||
      !bucket_place (state, c, BUCKET_PLACE " ORDER BY time_ms DESC, bucket_position DESC LIMIT 1", G_MININT64, &last, error) ||
      !bucket_place (state, c, BUCKET_PLACE " ORDER BY time_ms, bucket_position LIMIT 1", c->cutoff_ms, &first, error))
    return FALSE;
  c->bucket_position = last.position;
  c->bucket_count = count_between (&first, &last);
  return TRUE;
}

static gboolean
forget_inactive_buckets (SvSqliteState *state, const Case *c, GError **error)
{
  sqlite3_stmt *change = sv_sqlite_statement (state, "DELETE FROM buckets WHERE asker = ? AND seen_ms <= ?", error);
  if (change == NULL)
    return FALSE;
  sqlite3_bind_int64 (change, 1, c->asker);
  sqlite3_bind_int64 (change, 2, c->cutoff_ms);
  return sv_sqlite_run (state, change, error);
}

static gboolean
touch_bucket (SvSqliteState *state, const Case *c, GError **error)
{
  if (c->opens_bucket && !forget_inactive_buckets (state, c, error))
    return FALSE;
  sqlite3_stmt *change = sv_sqlite_statement (state,
                                              "INSERT INTO buckets (asker, name, seen_ms) VALUES (?, ?, ?)"
                                              " ON CONFLICT (asker, name) DO UPDATE SET seen_ms = excluded.seen_ms",
                                              error);
  if (change == NULL)
    return FALSE;
  sqlite3_bind_int64 (change, 1, c->asker);
  sv_sqlite_bind_text (change, 2, c->bucket);
  sqlite3_bind_int64 (change, 3, c->now_ms);
  return sv_sqlite_run (state, change, error);
}

/* ── the decision ── */

static gboolean
insert_request (SvSqliteState *state, const Case *c, GError **error)
{
  sqlite3_stmt *insert = sv_sqlite_statement (state,
                                              "INSERT INTO requests (asker, nonce, x_nonce, client_id, bucket, time_ms,"
                                              " position, bucket_position) VALUES (?,?,?,?,?,?,?,?)",
                                              error);
  if (insert == NULL)
    return FALSE;
  sqlite3_bind_int64 (insert, 1, c->asker);
  sv_sqlite_bind_text (insert, 2, c->admission->nonce);
  sv_sqlite_bind_text (insert, 3, c->admission->x_nonce);
  sv_sqlite_bind_text (insert, 4, c->admission->client_id);
  sv_sqlite_bind_text (insert, 5, c->bucket);
  sqlite3_bind_int64 (insert, 6, c->now_ms);
  sqlite3_bind_int64 (insert, 7, c->position + 1);
  sqlite3_bind_int64 (insert, 8, c->bucket_position + 1);
  return sv_sqlite_run (state, insert, error);
}

static gboolean
record_request (SvSqliteState *state, const Case *c, GError **error)
{
  SvIssueRecord *record = c->admission->record;
  return insert_request (state, c, error) && (record == NULL || sv_sqlite_insert_issued (state, record, error));
}

static gboolean
is_too_late (SvSqliteState *state, const SvAdmission *admission, gboolean *is_closed, GError **error)
{
  *is_closed = FALSE;
  return admission->record == NULL || sv_sqlite_window_is_closed (state, admission->record->window_id, is_closed, error);
}

static gboolean
admit_one (SvSqliteState *state, Case *c, GError **error)
{
  gboolean replayed, is_closed;
  SvAdmission *admission = c->admission;
  if (!count_asker (state, c, error) || !is_replay (state, c, &replayed, error))
    return FALSE;
  admission->outcome = SV_REPLAYED_NONCE;
  if (replayed)
    return TRUE;
  if (!is_too_late (state, admission, &is_closed, error))
    return FALSE;
  admission->outcome = SV_WINDOW_CLOSED;
  if (is_closed)
    return TRUE;
  if (!count_bucket (state, c, error) || !touch_bucket (state, c, error))
    return FALSE;
  admission->retry_after_s = sv_rate_retry_after (c->rules, c->now_ms, &c->asker_count, &c->bucket_count, c->n_buckets);
  admission->outcome = admission->retry_after_s > 0 ? SV_RATE_LIMITED : SV_ADMITTED;
  return admission->outcome == SV_RATE_LIMITED || record_request (state, c, error);
}

static gboolean
admit_all (SvSqliteState *state, const SvAdmissionRules *rules, SvAdmission *batch, gsize n, GError **error)
{
  if (n > 0 && !remove_old (state, rules, batch[n - 1].now_ms, n, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
  {
    Case c = { .admission = &batch[i], .rules = rules };
    batch[i].retry_after_s = 0;
    if (!admit_one (state, &c, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
sv_sqlite_admit (SvState *base, const SvAdmissionRules *rules, SvAdmission *batch, gsize n, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  return sv_sqlite_begin (state, error) && sv_sqlite_end (state, admit_all (state, rules, batch, n, error), error);
}

gboolean
sv_sqlite_recent_nonces (SvState *base, gint64 since_ms, SvVisitNonce visit, gpointer data, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  sqlite3_stmt *query = sv_sqlite_statement (state,
                                             "SELECT account, nonce, x_nonce, client_id, time_ms FROM requests"
                                             " JOIN askers ON askers.id = requests.asker WHERE time_ms >= ?"
                                             " ORDER BY requests.id",
                                             error);
  if (query == NULL)
    return FALSE;
  sqlite3_bind_int64 (query, 1, since_ms);
  for (;;)
  {
    gboolean has_row;
    if (!sv_sqlite_step (state, query, &has_row, error))
      return FALSE;
    if (!has_row)
      return TRUE;
    visit ((const char *)sqlite3_column_text (query, 0), (const char *)sqlite3_column_text (query, 1),
           (const char *)sqlite3_column_text (query, 2), (const char *)sqlite3_column_text (query, 3),
           sqlite3_column_int64 (query, 4), data);
  }
}
