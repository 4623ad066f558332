/* The dictionary of names: accounts, windows, hashes of manifests and clips, elements. All are known ones, so their number is
 * bounded by what was committed and published. They are never removed, so what was read once stays true, unless the transaction
 * that made a name fails.
 *
 * A request with its record has seven of them. What a record says as the one before does is not looked for at all
 * (sqlite_issue.c); the rest, accounts and clips that take turns, is looked for first where a name that ends like it was last,
 * which is found without hashing all of it. Names that share a place push each other out: of 80 accounts in turn too many did
 * with 64 places. */
#include "state/sqlite_state.h"

#include <string.h>

#define ENDING 4 /* bytes */

static SvSqliteRecentName *
place_of (SvSqliteState *state, const char *name)
{
  gsize length = strlen (name);
  guint32 place = (guint32)length;
  for (gsize i = length - MIN (length, ENDING); i < length; i++)
    place = 31 * place + (guint8)name[i];
  return &state->recent_names[place % SV_SQLITE_RECENT_NAMES];
}

/* What is known of @name in memory: its id, 0 for nothing. */
static gint64
known_id (SvSqliteState *state, const char *name)
{
  gpointer copy, id;
  SvSqliteRecentName *recent = place_of (state, name);
  if (recent->name != NULL && strcmp (recent->name, name) == 0)
    return recent->id;
  if (!g_hash_table_lookup_extended (state->names, name, &copy, &id))
    return 0;
  *recent = (SvSqliteRecentName){ copy, (gint64)GPOINTER_TO_SIZE (id) };
  return recent->id;
}

static void
remember (SvSqliteState *state, gint64 id, const char *name)
{
  char *copy = g_strdup (name);
  g_hash_table_insert (state->names, copy, GSIZE_TO_POINTER (id));
  g_hash_table_replace (state->names_by_id, GSIZE_TO_POINTER (id), copy);
}

gboolean
sv_sqlite_find_name (SvSqliteState *state, const char *name, gint64 *id, GError **error)
{
  *id = known_id (state, name);
  if (*id != 0)
    return TRUE;
  gboolean has_row;
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT id FROM names WHERE name = ?", error);
  if (query == NULL)
    return FALSE;
  sv_sqlite_bind_text (query, 1, name);
  if (!sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  if (!has_row)
    return TRUE;
  *id = sqlite3_column_int64 (query, 0);
  sqlite3_reset (query);
  remember (state, *id, name);
  return TRUE;
}

gboolean
sv_sqlite_name_id (SvSqliteState *state, const char *name, gint64 *id, GError **error)
{
  if (!sv_sqlite_find_name (state, name, id, error))
    return FALSE;
  if (*id != 0)
    return TRUE;
  sqlite3_stmt *insert = sv_sqlite_statement (state, "INSERT INTO names (name) VALUES (?)", error);
  if (insert == NULL)
    return FALSE;
  sv_sqlite_bind_text (insert, 1, name);
  if (!sv_sqlite_run (state, insert, error))
    return FALSE;
  *id = sqlite3_last_insert_rowid (state->db);
  remember (state, *id, name);
  return TRUE;
}

const char *
sv_sqlite_name (SvSqliteState *state, gint64 id, GError **error)
{
  const char *known = g_hash_table_lookup (state->names_by_id, GSIZE_TO_POINTER (id));
  if (known != NULL)
    return known;
  gboolean has_row;
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT name FROM names WHERE id = ?", error);
  if (query == NULL)
    return NULL;
  sqlite3_bind_int64 (query, 1, id);
  if (!sv_sqlite_step (state, query, &has_row, error))
    return NULL;
  const char *name = has_row ? (const char *)sqlite3_column_text (query, 0) : NULL;
  if (name == NULL)
    sv_sqlite_fail (state, SQLITE_CORRUPT, error);
  else
    remember (state, id, name);
  sqlite3_reset (query);
  return g_hash_table_lookup (state->names_by_id, GSIZE_TO_POINTER (id));
}

void
sv_sqlite_forget_names (SvSqliteState *state)
{
  memset (state->recent_names, 0, sizeof state->recent_names);
  g_hash_table_remove_all (state->names);
  g_hash_table_remove_all (state->names_by_id);
}
