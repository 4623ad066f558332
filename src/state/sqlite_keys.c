/* Draw keys and secrets of the deployment: made by whoever asks first, the same for all. */
#include <sodium.h>
#include <string.h>

#include "state/sqlite_state.h"

/* *@found is FALSE where there is none yet. */
static gboolean
read_key (SvSqliteState *state, const char *kind, const char *name, guint8 key[SV_STATE_KEY_SIZE], gboolean *found,
          GError **error)
{
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT key FROM secrets WHERE kind = ? AND name = ?", error);
  if (query == NULL)
    return FALSE;
  sv_sqlite_bind_text (query, 1, kind);
  sv_sqlite_bind_text (query, 2, name);
  if (!sv_sqlite_step (state, query, found, error))
    return FALSE;
  gboolean ok = !*found || sqlite3_column_bytes (query, 0) == SV_STATE_KEY_SIZE;
  if (ok && *found)
    memcpy (key, sqlite3_column_blob (query, 0), SV_STATE_KEY_SIZE);
  sqlite3_reset (query);
  return ok || sv_state_fail_key (&state->base, name, error);
}

static gboolean
insert_key (SvSqliteState *state, const char *kind, const char *name, const guint8 key[SV_STATE_KEY_SIZE], GError **error)
{
  sqlite3_stmt *insert = sv_sqlite_statement (state, "INSERT INTO secrets (kind, name, key) VALUES (?, ?, ?)", error);
  if (insert == NULL)
    return FALSE;
  sv_sqlite_bind_text (insert, 1, kind);
  sv_sqlite_bind_text (insert, 2, name);
  sqlite3_bind_blob (insert, 3, key, SV_STATE_KEY_SIZE, SQLITE_STATIC);
  gboolean ok = sv_sqlite_run (state, insert, error);
  sqlite3_clear_bindings (insert);
  return ok;
}

/* In a transaction, so that a key that is not there is made by nobody else meanwhile. */
static gboolean
make_keys (SvSqliteState *state, const char *kind, const char *const *names, gsize n, guint8 (*keys)[SV_STATE_KEY_SIZE],
           GError **error)
{
  for (gsize i = 0; i < n; i++)
  {
    gboolean found;
    if (!read_key (state, kind, names[i], keys[i], &found, error))
      return FALSE;
    if (found)
      continue;
    randombytes_buf (keys[i], SV_STATE_KEY_SIZE);
    if (!insert_key (state, kind, names[i], keys[i], error))
      return FALSE;
  }
  return TRUE;
}

/* Mostly all are there, and nobody need wait for the one who writes. */
static gboolean
keys_of (SvState *base, const char *kind, const char *const *names, gsize n, guint8 (*keys)[SV_STATE_KEY_SIZE], GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  gboolean found = TRUE;
  for (gsize i = 0; i < n && found; i++)
    if (!read_key (state, kind, names[i], keys[i], &found, error))
      return FALSE;
  if (found)
    return TRUE;
  return sv_sqlite_begin (state, error) && sv_sqlite_end (state, make_keys (state, kind, names, n, keys, error), error);
}

gboolean
sv_sqlite_draw_keys (SvState *state, const char *const *manifest_hashes, gsize n, guint8 (*keys)[SV_STATE_KEY_SIZE],
                     GError **error)
{
  return keys_of (state, "draw", manifest_hashes, n, keys, error);
}

gboolean
sv_sqlite_find_draw_key (SvState *base, const char *manifest_hash, guint8 key[SV_STATE_KEY_SIZE], gboolean *found,
                         GError **error)
{
  return read_key ((SvSqliteState *)base, "draw", manifest_hash, key, found, error);
}

gboolean
sv_sqlite_secret (SvState *state, const char *name, guint8 key[SV_STATE_KEY_SIZE], GError **error)
{
  return keys_of (state, "secret", &name, 1, (guint8 (*)[SV_STATE_KEY_SIZE])key, error);
}
