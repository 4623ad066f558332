/* The log of requests: a row for each batch, added at the end; what replays and rates need of it is in memory.
 *
 * A row holds the batch's requests in the order in which they were judged, refused ones included (but no replays), because a
 * client that was refused counts as seen. So whoever reads the rows one after the other comes to the memory that the process
 * had which wrote them. Under a transaction's lock nobody else writes: a process reads what others have added since its last
 * batch, judges, and adds its own row.
 *
 * The row also tells the last id that was given to a challenge or a task. The newest row is therefore never removed: it is
 * written before old ones are looked for; others are, from the old end, when all that they hold is forgotten: at most OLD_ROWS
 * a batch, so none pays for a long pause.
 *
 * A request is text: asker (an id of names), time, lengths of nonce, X-Nonce and client id, -1 for none, each followed by a
 * space; then the three themselves. A refused one has no nonce. */
#include <string.h>

#include "base/error.h"
#include "base/identifiers.h"
#include "state/sqlite_state.h"

#define OLD_ROWS 16

/* ── reading ── */

/* A part of a row that has not been read yet. */
typedef struct
{
  const char *at;
  const char *end;
} Rest;

static gboolean
take_number (Rest *rest, gint64 *number)
{
  gboolean is_negative = rest->at < rest->end && *rest->at == '-';
  const char *at = rest->at + (is_negative ? 1 : 0);
  const char *first = at;
  gint64 value = 0;
  for (; at < rest->end && g_ascii_isdigit (*at) && at - first < 18; at++)
    value = value * 10 + (*at - '0');
  if (at == first || at == rest->end || *at != ' ')
    return FALSE;
  *number = is_negative ? -value : value;
  rest->at = at + 1;
  return TRUE;
}

/* NULL in *@text for a length of -1. */
static gboolean
take_text (Rest *rest, gint64 length, GString *buffer, gsize *offset)
{
  if (length < -1 || length > rest->end - rest->at)
    return FALSE;
  *offset = buffer->len;
  g_string_append_len (buffer, rest->at, MAX (length, 0));
  g_string_append_c (buffer, '\0');
  rest->at += MAX (length, 0);
  return TRUE;
}

/* What happens to each request that is read. */
typedef void (*TakeRequest) (SvSqliteState *state, const SvRequest *request, gpointer data);

typedef struct
{
  TakeRequest take;
  gpointer data;
  GString *buffer; /* for the texts of one request, which the log does not end with NUL */
} Reading;

static gboolean
read_request (SvSqliteState *state, Rest *rest, const Reading *reading, GError **error)
{
  gint64 asker, time_ms, lengths[3];
  gsize offsets[3];
  gboolean ok = take_number (rest, &asker) && take_number (rest, &time_ms);
  g_string_truncate (reading->buffer, 0);
  for (gsize i = 0; ok && i < G_N_ELEMENTS (lengths); i++)
    ok = take_number (rest, &lengths[i]);
  for (gsize i = 0; ok && i < G_N_ELEMENTS (lengths); i++)
    ok = take_text (rest, lengths[i], reading->buffer, &offsets[i]);
  if (!ok || lengths[2] < 0)
    return sv_sqlite_fail (state, SQLITE_CORRUPT, error);
  const char *texts = reading->buffer->str;
  SvRequest request = { .asker = sv_sqlite_name (state, asker, error),
                        .nonce = lengths[0] < 0 ? NULL : texts + offsets[0],
                        .x_nonce = lengths[1] < 0 ? NULL : texts + offsets[1],
                        .client_id = texts + offsets[2],
                        .now_ms = time_ms };
  if (request.asker == NULL)
    return FALSE;
  reading->take (state, &request, reading->data);
  return TRUE;
}

static gboolean
read_row (SvSqliteState *state, sqlite3_stmt *query, int column, const Reading *reading, GError **error)
{
  const char *log = sqlite3_column_blob (query, column); /* NULL where it is empty */
  Rest rest = { log, log != NULL ? log + sqlite3_column_bytes (query, column) : NULL };
  while (rest.at < rest.end)
    if (!read_request (state, &rest, reading, error))
      return FALSE;
  return TRUE;
}

static void
recall (SvSqliteState *state, const SvRequest *request, gpointer limit)
{
  sv_request_memory_recall (state->memory, *(const guint *)limit, request);
}

static gboolean
read_rows (SvSqliteState *state, sqlite3_stmt *query, const Reading *reading, GError **error)
{
  for (;;)
  {
    gboolean has_row;
    if (!sv_sqlite_step (state, query, &has_row, error))
      return FALSE;
    if (!has_row)
      return TRUE;
    state->last_request = sqlite3_column_int64 (query, 0);
    state->last_id = (guint64)sqlite3_column_int64 (query, 1);
    if (!read_row (state, query, 2, reading, error))
    {
      sqlite3_reset (query);
      return FALSE;
    }
  }
}

gboolean
sv_sqlite_read_requests (SvSqliteState *state, const SvAdmissionRules *rules, GError **error)
{
  if (state->memory != NULL && (state->rules.window_ms != rules->window_ms || state->rules.remember_ms != rules->remember_ms))
    sv_sqlite_forget_requests (state);
  if (state->memory == NULL)
    state->memory = sv_request_memory_new (rules);
  state->rules = *rules;
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT id, last_id, log FROM requests WHERE id > ? ORDER BY id", error);
  if (query == NULL)
    return FALSE;
  sqlite3_bind_int64 (query, 1, state->last_request);
  g_autoptr (GString) buffer = g_string_new (NULL);
  guint limit = rules->limit;
  Reading reading = { recall, &limit, buffer };
  return read_rows (state, query, &reading, error);
}

void
sv_sqlite_forget_requests (SvSqliteState *state)
{
  g_clear_pointer (&state->memory, sv_request_memory_free);
  state->last_request = 0;
  state->oldest_ms = 0;
  state->last_id = 0;
  state->last_window = 0;
}

/* ── writing ── */

static void
append_number (GString *log, gint64 number)
{
  char digits[SV_INTEGER_TEXT_SIZE];
  if (number < 0)
    g_string_append_c (log, '-');
  gsize length = sv_integer_write ((guint64)ABS (number), digits);
  digits[length] = ' ';
  g_string_append_len (log, digits, (gssize)length + 1);
}

gboolean
sv_sqlite_log_request (SvSqliteState *state, GString *log, const SvRequest *request, GError **error)
{
  gint64 asker;
  const char *texts[] = { request->nonce, request->x_nonce, request->client_id };
  gssize lengths[G_N_ELEMENTS (texts)];
  if (!sv_sqlite_name_id (state, request->asker, &asker, error))
    return FALSE;
  append_number (log, asker);
  append_number (log, request->now_ms);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
  {
    lengths[i] = texts[i] != NULL ? (gssize)strlen (texts[i]) : -1;
    append_number (log, lengths[i]);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (texts[i] != NULL)
      g_string_append_len (log, texts[i], lengths[i]);
  return TRUE;
}

/* A time far ahead comes from a clock that has been set back since. The row that was just written is never old. */
static gboolean
is_old (const SvSqliteState *state, gint64 time_ms, gint64 now_ms)
{
  return time_ms < now_ms - (gint64)state->rules.remember_ms || time_ms > now_ms + (gint64)state->rules.remember_ms;
}

static gboolean
look_at_oldest (SvSqliteState *state, GError **error)
{
  gboolean has_row;
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT time_ms FROM requests ORDER BY id LIMIT 1", error);
  if (query == NULL || !sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  state->oldest_ms = has_row ? sqlite3_column_int64 (query, 0) : 0;
  sqlite3_reset (query);
  return TRUE;
}

static gboolean
remove_old (SvSqliteState *state, gint64 now_ms, GError **error)
{
  if (!is_old (state, state->oldest_ms, now_ms))
    return TRUE;
  sqlite3_stmt *change = sv_sqlite_statement (state,
                                              "DELETE FROM requests WHERE id IN (SELECT id FROM requests ORDER BY id LIMIT ?)"
                                              " AND (time_ms < ? OR time_ms > ?)",
                                              error);
  if (change == NULL)
    return FALSE;
  sqlite3_bind_int64 (change, 1, OLD_ROWS);
  sqlite3_bind_int64 (change, 2, now_ms - (gint64)state->rules.remember_ms);
  sqlite3_bind_int64 (change, 3, now_ms + (gint64)state->rules.remember_ms);
  return sv_sqlite_run (state, change, error) && look_at_oldest (state, error);
}

gboolean
sv_sqlite_write_requests (SvSqliteState *state, const GString *log, gint64 now_ms, GError **error)
{
  sqlite3_stmt *insert = sv_sqlite_statement (state, "INSERT INTO requests (last_id, time_ms, log) VALUES (?, ?, ?)", error);
  if (insert == NULL)
    return FALSE;
  sqlite3_bind_int64 (insert, 1, (gint64)state->last_id);
  sqlite3_bind_int64 (insert, 2, now_ms);
  sqlite3_bind_blob64 (insert, 3, log->str, log->len, SQLITE_STATIC);
  if (!sv_sqlite_run (state, insert, error))
    return FALSE;
  state->last_request = sqlite3_last_insert_rowid (state->db);
  return remove_old (state, now_ms, error);
}

/* ── the counter of ids ── */

static gboolean
read_last_id (SvSqliteState *state, guint64 *last_id, GError **error)
{
  gboolean has_row;
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT last_id FROM requests ORDER BY id DESC LIMIT 1", error);
  if (query == NULL || !sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  *last_id = has_row ? (guint64)sqlite3_column_int64 (query, 0) : 0;
  sqlite3_reset (query);
  return TRUE;
}

/* A row without requests, which whoever admits next reads as he reads all that others have added. */
static gboolean
raise_last_id (SvSqliteState *state, guint64 last_id, GError **error)
{
  guint64 current;
  if (!read_last_id (state, &current, error))
    return FALSE;
  if (current >= last_id)
    return TRUE;
  sqlite3_stmt *insert = sv_sqlite_statement (state, "INSERT INTO requests (last_id, time_ms, log) VALUES (?, 0, x'')", error);
  if (insert == NULL)
    return FALSE;
  sqlite3_bind_int64 (insert, 1, (gint64)last_id);
  return sv_sqlite_run (state, insert, error);
}

gboolean
sv_sqlite_raise_ids (SvState *base, guint64 last_id, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  return sv_sqlite_begin (state, error) &&
         sv_sqlite_end (state, raise_last_id (state, MIN (last_id, G_MAXINT64), error), error);
}

/* ── what is remembered ── */

typedef struct
{
  gint64 since_ms;
  SvVisitNonce visit;
  gpointer data;
} Visit;

static void
visit_nonce (SvSqliteState *state, const SvRequest *request, gpointer data)
{
  const Visit *visit = data;
  if (request->nonce != NULL && request->now_ms >= visit->since_ms)
    visit->visit (request->asker, request->nonce, request->x_nonce, request->client_id, request->now_ms, visit->data);
}

gboolean
sv_sqlite_recent_nonces (SvState *base, gint64 since_ms, SvVisitNonce visit, gpointer data, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  g_autoptr (GString) buffer = g_string_new (NULL);
  Visit each = { since_ms, visit, data };
  Reading reading = { visit_nonce, &each, buffer };
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT log FROM requests WHERE time_ms >= ? ORDER BY id", error);
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
    if (!read_row (state, query, 0, &reading, error))
    {
      sqlite3_reset (query);
      return FALSE;
    }
  }
}
