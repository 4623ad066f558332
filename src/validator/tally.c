/* One row per validator and challenge, replaced only by a lower hash. A shard without a challenge (legacy, or a line that is no
 * shard) has a key of its own. Nothing here must survive, so the database has no journal and no syncs. */
#include <sqlite3.h>
#include <string.h>

#include "base/error.h"
#include "validator/tally.h"

#define CACHE_KIB "1024"

enum
{
  INSERT_SHARD,
  INSERT_CHUTE,
  N_STATEMENTS
};

static const char *const statement_texts[N_STATEMENTS] = {
  [INSERT_SHARD] = "INSERT INTO shards(key,hash,verdict,rule,reason,detail,source,unchecked) VALUES(?,?,?,?,?,?,?,?)"
                   " ON CONFLICT(key) DO UPDATE SET hash=excluded.hash,verdict=excluded.verdict,rule=excluded.rule,"
                   " reason=excluded.reason,detail=excluded.detail,source=excluded.source,unchecked=excluded.unchecked"
                   " WHERE excluded.hash<shards.hash",
  [INSERT_CHUTE] = "INSERT OR IGNORE INTO chutes(window,chute,hotkey) VALUES(?,?,?)",
};

struct SvTally
{
  sqlite3 *database;
  sqlite3_stmt *statements[N_STATEMENTS];
  guint64 n_added;
};

static gboolean
fail (SvTally *tally, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "the audit's temporary database: %s; is there room in the temporary folder?",
               sqlite3_errmsg (tally->database));
  return FALSE;
}

SvTally *
sv_tally_new (GError **error)
{
  static const char *const schema =
      "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-" CACHE_KIB ";"
      "CREATE TABLE shards(key TEXT PRIMARY KEY, hash TEXT, verdict INT, rule INT, reason TEXT, detail TEXT, source TEXT,"
      " unchecked INT);"
      "CREATE TABLE chutes(window TEXT, chute TEXT, hotkey TEXT, PRIMARY KEY(window,chute,hotkey)) WITHOUT ROWID;"
      "BEGIN";
  g_autoptr (SvTally) tally = g_new0 (SvTally, 1);
  if (sqlite3_open ("", &tally->database) != SQLITE_OK || sqlite3_exec (tally->database, schema, NULL, NULL, NULL) != SQLITE_OK)
  {
    fail (tally, error);
    return NULL;
  }
  for (int i = 0; i < N_STATEMENTS; i++)
    if (sqlite3_prepare_v2 (tally->database, statement_texts[i], -1, &tally->statements[i], NULL) != SQLITE_OK)
    {
      fail (tally, error);
      return NULL;
    }
  return g_steal_pointer (&tally);
}

void
sv_tally_free (SvTally *tally)
{
  if (tally == NULL)
    return;
  for (int i = 0; i < N_STATEMENTS; i++)
    sqlite3_finalize (tally->statements[i]);
  sqlite3_close (tally->database);
  g_free (tally);
}

static gboolean
run (SvTally *tally, sqlite3_stmt *statement, GError **error)
{
  gboolean done = sqlite3_step (statement) == SQLITE_DONE;
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
  return done || fail (tally, error);
}

static char *
key_of (SvTally *tally, const SvShard *shard)
{
  if (shard == NULL || shard->is_legacy || shard->challenge_id == NULL)
    return g_strdup_printf ("#%" G_GUINT64_FORMAT, tally->n_added);
  return g_strdup_printf ("%s/%s", shard->document->signed_by, shard->challenge_id);
}

gboolean
sv_tally_add (SvTally *tally, const SvShard *shard, const char *hash, const SvShardJudgement *judgement, const char *source,
              GError **error)
{
  sqlite3_stmt *insert = tally->statements[INSERT_SHARD];
  tally->n_added++;
  g_autofree char *key = key_of (tally, shard);
  gboolean unchecked = judgement->verdict == SV_SHARD_ACCEPTED && judgement->issue == SV_ISSUE_UNCHECKED;
  sqlite3_bind_text (insert, 1, key, -1, SQLITE_STATIC);
  sqlite3_bind_text (insert, 2, hash, -1, SQLITE_STATIC);
  sqlite3_bind_int (insert, 3, (int)judgement->verdict);
  sqlite3_bind_int (insert, 4, (int)judgement->rule);
  sqlite3_bind_text (insert, 5, judgement->reason, -1, SQLITE_STATIC);
  sqlite3_bind_text (insert, 6, judgement->detail, -1, SQLITE_STATIC);
  sqlite3_bind_text (insert, 7, source, -1, SQLITE_STATIC);
  sqlite3_bind_int (insert, 8, unchecked);
  return run (tally, insert, error);
}

gboolean
sv_tally_note_chute (SvTally *tally, const char *window_id, const char *chute_id, const char *hotkey, gboolean *is_new,
                     GError **error)
{
  sqlite3_stmt *insert = tally->statements[INSERT_CHUTE];
  sqlite3_bind_text (insert, 1, window_id, -1, SQLITE_STATIC);
  sqlite3_bind_text (insert, 2, chute_id, -1, SQLITE_STATIC);
  sqlite3_bind_text (insert, 3, hotkey, -1, SQLITE_STATIC);
  if (!run (tally, insert, error))
    return FALSE;
  *is_new = sqlite3_changes (tally->database) > 0;
  return TRUE;
}

void
sv_tally_counts_clear (SvTallyCounts *counts)
{
  json_decref (counts->reasons);
  *counts = (SvTallyCounts){ 0 };
}

static gboolean
count_verdicts (SvTally *tally, SvTallyCounts *counts, GError **error)
{
  sqlite3_stmt *rows = NULL;
  guint64 total = 0;
  int status = sqlite3_prepare_v2 (tally->database,
                                   "SELECT verdict,reason,count(*),sum(unchecked) FROM shards GROUP BY verdict,reason"
                                   " ORDER BY verdict,reason",
                                   -1, &rows, NULL);
  while (status == SQLITE_OK && sqlite3_step (rows) == SQLITE_ROW)
  {
    int verdict = sqlite3_column_int (rows, 0);
    const char *reason = (const char *)sqlite3_column_text (rows, 1);
    guint64 n = (guint64)sqlite3_column_int64 (rows, 2);
    total += n;
    counts->by_verdict[verdict] += n;
    counts->issue_unchecked += (guint64)sqlite3_column_int64 (rows, 3);
    if (g_strcmp0 (reason, "unreadable") == 0)
      counts->unreadable += n;
    if (reason == NULL)
      continue;
    g_autofree char *label = g_strdup_printf ("%s: %s", sv_shard_verdict_name ((SvShardVerdict)verdict), reason);
    json_object_set_new (counts->reasons, label, sv_json_integer (n));
  }
  counts->duplicates = tally->n_added - total;
  gboolean done = sqlite3_finalize (rows) == SQLITE_OK && status == SQLITE_OK;
  return done || fail (tally, error);
}

gboolean
sv_tally_count (SvTally *tally, SvTallyCounts *counts, GError **error)
{
  *counts = (SvTallyCounts){ .reasons = json_object () };
  if (!count_verdicts (tally, counts, error))
    return FALSE;
  sqlite3_stmt *rows = NULL;
  int status = sqlite3_prepare_v2 (
      tally->database, "SELECT count(*) FROM (SELECT 1 FROM chutes GROUP BY window,chute HAVING count(*)>1)", -1, &rows, NULL);
  if (status == SQLITE_OK && sqlite3_step (rows) == SQLITE_ROW)
    counts->shared_chutes = (guint64)sqlite3_column_int64 (rows, 0);
  gboolean done = sqlite3_finalize (rows) == SQLITE_OK && status == SQLITE_OK;
  return done || fail (tally, error);
}

gboolean
sv_tally_visit (SvTally *tally, guint limit, SvVisitTallied visit, gpointer data, GError **error)
{
  g_autofree char *query = g_strdup_printf ("SELECT source,verdict,rule,reason,detail FROM shards WHERE verdict IN (%d,%d)"
                                            " ORDER BY rowid LIMIT %u",
                                            SV_SHARD_REJECTED, SV_SHARD_UNDECIDED, limit);
  sqlite3_stmt *rows = NULL;
  int status = sqlite3_prepare_v2 (tally->database, query, -1, &rows, NULL);
  while (status == SQLITE_OK && sqlite3_step (rows) == SQLITE_ROW)
    visit ((const char *)sqlite3_column_text (rows, 0), sv_shard_verdict_name ((SvShardVerdict)sqlite3_column_int (rows, 1)),
           (guint)sqlite3_column_int (rows, 2), (const char *)sqlite3_column_text (rows, 3),
           (const char *)sqlite3_column_text (rows, 4), data);
  gboolean done = sqlite3_finalize (rows) == SQLITE_OK && status == SQLITE_OK;
  return done || fail (tally, error);
}
