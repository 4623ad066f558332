/* Names that many records share (accounts, manifests, elements, clips) stand in a table of their own, so that a record takes
 * some eighty bytes, a million of them less than 100 MB of $TMPDIR.
 *
 * Two lines agree where their ranges overlap if they have the same records there. What is kept of a line is its range; its
 * closing words are compared as they stand. */
#include "validator/issued_book.h"

#include <sqlite3.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

#define CACHE_KIB "4096"
#define MAX_NAMES_CACHED 65536

enum
{
  INSERT_NAME,
  FIND_NAME,
  INSERT_RECORD,
  FIND_RECORD,
  COUNT_RECORDS,
  INSERT_LINE,
  OVERLAPPING,
  COVERING,
  LINES,
  N_STATEMENTS
};

#define RECORD_COLUMNS                                                                                                         \
  "id,(SELECT name FROM names WHERE rowid=asker),(SELECT name FROM names WHERE rowid=miner),"                                  \
  "(SELECT name FROM names WHERE rowid=manifest),(SELECT name FROM names WHERE rowid=element),"                                \
  "(SELECT name FROM names WHERE rowid=clip),seed,nonce,block,time FROM records WHERE window=?1"

static const char *const statement_texts[N_STATEMENTS] = {
  [INSERT_NAME] = "INSERT INTO names(name) VALUES(?)",
  [FIND_NAME] = "SELECT rowid FROM names WHERE name=?",
  [INSERT_RECORD] = "INSERT OR IGNORE INTO records(window,id,asker,miner,manifest,element,clip,seed,nonce,block,time)"
                    " VALUES(?,?,?,?,?,?,?,?,?,?,?)",
  [FIND_RECORD] = "SELECT " RECORD_COLUMNS " AND id=?2",
  [COUNT_RECORDS] = "SELECT count(*) FROM records WHERE window=? AND id BETWEEN ? AND ?",
  [INSERT_LINE] = "INSERT INTO lines(window,first,last,hash,file,closing) VALUES(?,?,?,?,?,?)",
  [OVERLAPPING] = "SELECT first,last,hash,file,closing FROM lines WHERE window=?1 AND first<=?3 AND last>=?2",
  [COVERING] = "SELECT 1 FROM lines WHERE window=?1 AND first<=?2 AND last>=?2 LIMIT 1",
  [LINES] = "SELECT first,last FROM lines WHERE window=? ORDER BY first",
};

struct SvIssuedBook
{
  sqlite3 *database;
  sqlite3_stmt *statements[N_STATEMENTS];
  GHashTable *names; /* name -> gint64, some of them */
};

static gboolean
fail (SvIssuedBook *book, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED,
               "the audit's temporary database: %s; is there room in the temporary folder (TMPDIR)?",
               sqlite3_errmsg (book->database));
  return FALSE;
}

SvIssuedBook *
sv_issued_book_new (GError **error)
{
  static const char *const schema = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-" CACHE_KIB ";"
                                    "CREATE TABLE names(name TEXT UNIQUE);"
                                    "CREATE TABLE records(window INT, id INT, asker INT, miner INT, manifest INT, element INT, "
                                    "clip INT, seed INT, nonce TEXT,"
                                    " block INT, time INT, PRIMARY KEY(window,id)) WITHOUT ROWID;"
                                    "CREATE TABLE lines(window INT, first INT, last INT, hash TEXT, file TEXT, closing TEXT);"
                                    "CREATE INDEX lines_first ON lines(window,first);"
                                    "BEGIN";
  g_autoptr (SvIssuedBook) book = g_new0 (SvIssuedBook, 1);
  book->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gboolean ok =
      sqlite3_open ("", &book->database) == SQLITE_OK && sqlite3_exec (book->database, schema, NULL, NULL, NULL) == SQLITE_OK;
  for (int i = 0; ok && i < N_STATEMENTS; i++)
    ok = sqlite3_prepare_v2 (book->database, statement_texts[i], -1, &book->statements[i], NULL) == SQLITE_OK;
  if (ok)
    return g_steal_pointer (&book);
  fail (book, error);
  return NULL;
}

void
sv_issued_book_free (SvIssuedBook *book)
{
  if (book == NULL)
    return;
  for (int i = 0; i < N_STATEMENTS; i++)
    sqlite3_finalize (book->statements[i]);
  sqlite3_close (book->database);
  g_hash_table_unref (book->names);
  g_free (book);
}

static gboolean
run (SvIssuedBook *book, sqlite3_stmt *statement, GError **error)
{
  gboolean done = sqlite3_step (statement) == SQLITE_DONE;
  sqlite3_reset (statement);
  return done || fail (book, error);
}

/* *@number is 0 where there is no such name and none is to be made. */
static gboolean
find_name (SvIssuedBook *book, const char *name, gboolean is_made, gint64 *number, GError **error)
{
  const gint64 *cached = g_hash_table_lookup (book->names, name);
  *number = cached != NULL ? *cached : 0;
  if (cached != NULL)
    return TRUE;
  sqlite3_stmt *find = book->statements[FIND_NAME];
  sqlite3_bind_text (find, 1, name, -1, SQLITE_STATIC);
  int status = sqlite3_step (find);
  *number = status == SQLITE_ROW ? sqlite3_column_int64 (find, 0) : 0;
  sqlite3_reset (find);
  if (status != SQLITE_ROW && status != SQLITE_DONE)
    return fail (book, error);
  if (*number == 0 && !is_made)
    return TRUE;
  if (*number == 0)
  {
    sqlite3_bind_text (book->statements[INSERT_NAME], 1, name, -1, SQLITE_STATIC);
    if (!run (book, book->statements[INSERT_NAME], error))
      return FALSE;
    *number = sqlite3_last_insert_rowid (book->database);
  }
  if (g_hash_table_size (book->names) >= MAX_NAMES_CACHED)
    g_hash_table_remove_all (book->names);
  g_hash_table_insert (book->names, g_strdup (name), g_memdup2 (number, sizeof *number));
  return TRUE;
}

/* ── records ── */

static SvIssueRecord *
read_record (sqlite3_stmt *row, const char *window_id)
{
  SvIssueRecord *record = g_new0 (SvIssueRecord, 1);
  record->challenge_id = (guint64)sqlite3_column_int64 (row, 0);
  record->window_id = g_strdup (window_id);
  record->asker = g_strdup ((const char *)sqlite3_column_text (row, 1));
  record->miner = g_strdup ((const char *)sqlite3_column_text (row, 2));
  record->manifest_hash = g_strdup ((const char *)sqlite3_column_text (row, 3));
  record->element_id = g_strdup ((const char *)sqlite3_column_text (row, 4));
  record->clip_hash = g_strdup ((const char *)sqlite3_column_text (row, 5));
  record->seed = (guint64)sqlite3_column_int64 (row, 6);
  record->nonce = g_strdup ((const char *)sqlite3_column_text (row, 7));
  record->block = (guint64)sqlite3_column_int64 (row, 8);
  record->time_ms = sqlite3_column_int64 (row, 9);
  return record;
}

static gboolean
find_record (SvIssuedBook *book, const char *window_id, gint64 window, guint64 id, SvIssueRecord **record, GError **error)
{
  sqlite3_stmt *find = book->statements[FIND_RECORD];
  sqlite3_bind_int64 (find, 1, window);
  sqlite3_bind_int64 (find, 2, (gint64)id);
  int status = sqlite3_step (find);
  *record = status == SQLITE_ROW ? read_record (find, window_id) : NULL;
  sqlite3_reset (find);
  return status == SQLITE_ROW || status == SQLITE_DONE || fail (book, error);
}

static gboolean
insert_record (SvIssuedBook *book, gint64 window, const SvIssueRecord *record, GError **error)
{
  const char *const names[] = { record->asker, record->miner, record->manifest_hash, record->element_id, record->clip_hash };
  sqlite3_stmt *insert = book->statements[INSERT_RECORD];
  sqlite3_bind_int64 (insert, 1, window);
  sqlite3_bind_int64 (insert, 2, (gint64)record->challenge_id);
  for (int i = 0; i < (int)G_N_ELEMENTS (names); i++)
  {
    gint64 number;
    if (!find_name (book, names[i], TRUE, &number, error))
      return FALSE;
    sqlite3_bind_int64 (insert, i + 3, number);
  }
  sqlite3_bind_int64 (insert, 8, (gint64)record->seed);
  sqlite3_bind_text (insert, 9, record->nonce, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (insert, 10, (gint64)record->block);
  sqlite3_bind_int64 (insert, 11, record->time_ms);
  return run (book, insert, error);
}

/* ── lines ── */

/* What a closing line says beside its range; NULL for another one. Returns: (transfer full). */
static char *
closing_words (const SvIssuedLine *line)
{
  if (!line->is_closing)
    return NULL;
  json_t *keys = json_object ();
  for (guint i = 0; i < line->keys->len; i++)
  {
    const SvIssuedKey *key = line->keys->pdata[i];
    g_autofree char *hex = sv_hex_encode (key->key, sizeof key->key);
    json_object_set_new (keys, key->manifest_hash, json_string (hex));
  }
  g_autoptr (json_t) words = json_object ();
  json_object_set_new (words, "last_id", sv_json_integer (line->last_id));
  json_object_set_new (words, "keys", keys);
  return sv_json_canonical_string (words);
}

/* Whether what is known from @first to @last is what @line has there. */
static gboolean
compare_range (SvIssuedBook *book, gint64 window, const SvIssuedLine *line, guint64 first, guint64 last, gboolean *agrees,
               GError **error)
{
  guint64 n = 0;
  *agrees = TRUE;
  for (guint i = 0; i < line->records->len && *agrees; i++)
  {
    const SvIssueRecord *record = line->records->pdata[i];
    g_autoptr (SvIssueRecord) known = NULL;
    if (record->challenge_id < first || record->challenge_id > last)
      continue;
    n++;
    if (!find_record (book, line->window_id, window, record->challenge_id, &known, error))
      return FALSE;
    *agrees = known != NULL && sv_issue_record_equal (known, record);
  }
  sqlite3_stmt *count = book->statements[COUNT_RECORDS];
  sqlite3_bind_int64 (count, 1, window);
  sqlite3_bind_int64 (count, 2, (gint64)first);
  sqlite3_bind_int64 (count, 3, (gint64)last);
  gboolean ok = sqlite3_step (count) == SQLITE_ROW;
  *agrees = *agrees && ok && (guint64)sqlite3_column_int64 (count, 0) == n;
  sqlite3_reset (count);
  return ok || fail (book, error);
}

/* *@is_known: the very same line is there. */
static gboolean
compare_lines (SvIssuedBook *book, gint64 window, const SvIssuedLine *line, const char *words, gboolean *is_known,
               char **contradicted, GError **error)
{
  sqlite3_stmt *rows = book->statements[OVERLAPPING];
  sqlite3_bind_int64 (rows, 1, window);
  sqlite3_bind_int64 (rows, 2, (gint64)line->first);
  sqlite3_bind_int64 (rows, 3, (gint64)line->last);
  int status = SQLITE_DONE;
  gboolean ok = TRUE;
  while (ok && !*is_known && *contradicted == NULL && (status = sqlite3_step (rows)) == SQLITE_ROW)
  {
    gboolean agrees = TRUE;
    guint64 first = MAX (line->first, (guint64)sqlite3_column_int64 (rows, 0));
    guint64 last = MIN (line->last, (guint64)sqlite3_column_int64 (rows, 1));
    const char *other_words = (const char *)sqlite3_column_text (rows, 4);
    *is_known = g_strcmp0 ((const char *)sqlite3_column_text (rows, 2), line->document->hash) == 0;
    if (!*is_known)
      ok = compare_range (book, window, line, first, last, &agrees, error);
    if (!agrees || (words != NULL && other_words != NULL && strcmp (words, other_words) != 0))
      *contradicted = g_strdup ((const char *)sqlite3_column_text (rows, 3));
  }
  sqlite3_reset (rows);
  return ok && (status == SQLITE_ROW || status == SQLITE_DONE || fail (book, error));
}

static gboolean
insert_line (SvIssuedBook *book, gint64 window, const SvIssuedLine *line, const char *file, const char *words, GError **error)
{
  for (guint i = 0; i < line->records->len; i++)
    if (!insert_record (book, window, line->records->pdata[i], error))
      return FALSE;
  sqlite3_stmt *insert = book->statements[INSERT_LINE];
  sqlite3_bind_int64 (insert, 1, window);
  sqlite3_bind_int64 (insert, 2, (gint64)line->first);
  sqlite3_bind_int64 (insert, 3, (gint64)line->last);
  sqlite3_bind_text (insert, 4, line->document->hash, -1, SQLITE_STATIC);
  sqlite3_bind_text (insert, 5, file, -1, SQLITE_STATIC);
  sqlite3_bind_text (insert, 6, words, -1, SQLITE_STATIC);
  return run (book, insert, error);
}

gboolean
sv_issued_book_add (SvIssuedBook *book, const SvIssuedLine *line, const char *file, char **contradicted, GError **error)
{
  gint64 window;
  gboolean is_known = FALSE;
  g_autofree char *words = closing_words (line);
  *contradicted = NULL;
  if (!find_name (book, line->window_id, TRUE, &window, error) ||
      !compare_lines (book, window, line, words, &is_known, contradicted, error))
    return FALSE;
  return is_known || *contradicted != NULL || insert_line (book, window, line, file, words, error);
}

/* ── asking ── */

gboolean
sv_issued_book_find (SvIssuedBook *book, const char *window_id, guint64 challenge_id, gboolean *is_covered,
                     SvIssueRecord **record, GError **error)
{
  gint64 window;
  *record = NULL;
  if (!find_name (book, window_id, FALSE, &window, error))
    return FALSE;
  sqlite3_stmt *covering = book->statements[COVERING];
  sqlite3_bind_int64 (covering, 1, window);
  sqlite3_bind_int64 (covering, 2, (gint64)challenge_id);
  int status = sqlite3_step (covering);
  *is_covered = status == SQLITE_ROW;
  sqlite3_reset (covering);
  if (status != SQLITE_ROW && status != SQLITE_DONE)
    return fail (book, error);
  return !*is_covered || find_record (book, window_id, window, challenge_id, record, error);
}

void
sv_issued_summary_clear (SvIssuedSummary *summary)
{
  g_clear_pointer (&summary->keys, g_ptr_array_unref);
  *summary = (SvIssuedSummary){ 0 };
}

static void
key_free (gpointer key)
{
  sv_issued_key_free (key);
}

static void
read_words (const char *words, SvIssuedSummary *summary)
{
  const char *hash;
  json_t *hex;
  g_autoptr (json_t) json = sv_json_parse ("closing line", words, strlen (words), SV_ISSUED_LINE_MAX_SIZE, NULL);
  summary->is_closed = TRUE;
  summary->closing_last_id = (guint64)json_number_value (json_object_get (json, "last_id"));
  json_object_foreach (json_object_get (json, "keys"), hash, hex)
  {
    guint8 key[32];
    if (sv_hex_decode (json_string_value (hex), FALSE, key, sizeof key))
      g_ptr_array_add (summary->keys, sv_issued_key_new (hash, key));
  }
}

static gboolean
sum_lines (SvIssuedBook *book, gint64 window, SvIssuedSummary *summary, GError **error)
{
  guint64 next = 1;
  int status;
  sqlite3_stmt *rows = book->statements[LINES];
  sqlite3_bind_int64 (rows, 1, window);
  while ((status = sqlite3_step (rows)) == SQLITE_ROW && (guint64)sqlite3_column_int64 (rows, 0) <= next)
    next = MAX (next, (guint64)sqlite3_column_int64 (rows, 1) + 1);
  sqlite3_reset (rows);
  summary->gap = next > SV_ISSUED_END ? 0 : next;
  return status == SQLITE_ROW || status == SQLITE_DONE || fail (book, error);
}

/* One value, or two, of the window. */
static gboolean
sum_records (SvIssuedBook *book, gint64 window, SvIssuedSummary *summary, GError **error)
{
  sqlite3_stmt *row = NULL;
  const char *sql = "SELECT (SELECT count(*) FROM records WHERE window=?1),(SELECT max(id) FROM records WHERE window=?1),"
                    "(SELECT closing FROM lines WHERE window=?1 AND closing IS NOT NULL LIMIT 1)";
  gboolean ok = sqlite3_prepare_v2 (book->database, sql, -1, &row, NULL) == SQLITE_OK &&
                sqlite3_bind_int64 (row, 1, window) == SQLITE_OK && sqlite3_step (row) == SQLITE_ROW;
  if (ok)
  {
    summary->n_records = (guint64)sqlite3_column_int64 (row, 0);
    summary->last_id = (guint64)sqlite3_column_int64 (row, 1);
    if (sqlite3_column_type (row, 2) != SQLITE_NULL)
      read_words ((const char *)sqlite3_column_text (row, 2), summary);
  }
  sqlite3_finalize (row);
  return ok || fail (book, error);
}

gboolean
sv_issued_book_sum (SvIssuedBook *book, const char *window_id, SvIssuedSummary *summary, GError **error)
{
  gint64 window;
  *summary = (SvIssuedSummary){ .keys = g_ptr_array_new_with_free_func (key_free) };
  return find_name (book, window_id, FALSE, &window, error) && sum_lines (book, window, summary, error) &&
         sum_records (book, window, summary, error);
}

gboolean
sv_issued_book_visit (SvIssuedBook *book, const char *window_id, SvVisitIssued visit, gpointer data, GError **error)
{
  gint64 window;
  sqlite3_stmt *rows = NULL;
  if (!find_name (book, window_id, FALSE, &window, error))
    return FALSE;
  int status = sqlite3_prepare_v2 (book->database, "SELECT " RECORD_COLUMNS " ORDER BY id", -1, &rows, NULL);
  if (status == SQLITE_OK)
    status = sqlite3_bind_int64 (rows, 1, window);
  for (gboolean goes_on = TRUE; goes_on && status != SQLITE_ERROR && (status = sqlite3_step (rows)) == SQLITE_ROW;)
  {
    g_autoptr (SvIssueRecord) record = read_record (rows, window_id);
    goes_on = visit (record, data);
  }
  sqlite3_finalize (rows);
  return status == SQLITE_ROW || status == SQLITE_DONE || fail (book, error);
}
