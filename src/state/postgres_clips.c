/* The registered clips and their ground truth. Every change also raises counters.clips, in the same statement, so that a server
 * sees by one cheap query whether it must read them again. The clip's row is locked before the counter's by everybody. */
#include "base/error.h"
#include "state/postgres_state.h"

/* Where the statement before it, `changed`, has a row. */
#define RAISE_VERSION " UPDATE scorevision.counters SET value = value + 1 WHERE name = 'clips' AND EXISTS (SELECT FROM changed)"

gboolean
sv_postgres_put_clip (SvState *base, const SvClip *clip, GError **error)
{
  SvPostgresNumber bytes, duration_ms, width, height, added_ms;
  char fps[G_ASCII_DTOSTR_BUF_SIZE];
  const SvPostgresQuery query = {
    .sql = "WITH changed AS (INSERT INTO scorevision.clips (hash, bytes, duration_ms, fps, width, height, sport, scenario,"
           " challenge_type, added_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (hash) DO UPDATE SET"
           " bytes = excluded.bytes, duration_ms = excluded.duration_ms, fps = excluded.fps, width = excluded.width,"
           " height = excluded.height, sport = excluded.sport, scenario = excluded.scenario,"
           " challenge_type = excluded.challenge_type, added_ms = excluded.added_ms RETURNING hash),"
           " truth AS (INSERT INTO scorevision.ground_truth (clip_hash, json) SELECT hash, $11::text FROM changed"
           " WHERE $11::text IS NOT NULL ON CONFLICT (clip_hash) DO UPDATE SET json = excluded.json)" RAISE_VERSION,
    .n = 11,
    .values = { clip->hash, sv_postgres_number (&bytes, (gint64)clip->bytes),
                sv_postgres_number (&duration_ms, (gint64)clip->duration_ms), g_ascii_dtostr (fps, sizeof fps, clip->fps),
                sv_postgres_number (&width, clip->width), sv_postgres_number (&height, clip->height), clip->sport,
                clip->scenario, clip->challenge_type, sv_postgres_number (&added_ms, clip->added_ms), clip->ground_truth }
  };
  return sv_postgres_change ((SvPostgresState *)base, &query, NULL, error);
}

static gboolean
fail_unregistered (const char *hash, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "clip %s is not registered; `sv clip list` shows those that are", hash);
  return FALSE;
}

gboolean
sv_postgres_remove_clip (SvState *base, const char *hash, GError **error)
{
  guint64 n_rows;
  const SvPostgresQuery query = {
    .sql = "WITH changed AS (DELETE FROM scorevision.clips WHERE hash = $1 RETURNING 1)" RAISE_VERSION,
    .n = 1,
    .values = { hash }
  };
  if (!sv_postgres_change ((SvPostgresState *)base, &query, &n_rows, error))
    return FALSE;
  return n_rows > 0 || fail_unregistered (hash, error);
}

static SvClip *
read_clip (const PGresult *result, int row)
{
  SvClip *clip = g_new0 (SvClip, 1);
  clip->hash = sv_postgres_text (result, row, 0);
  clip->bytes = (guint64)sv_postgres_integer (result, row, 1);
  clip->duration_ms = (guint64)sv_postgres_integer (result, row, 2);
  clip->fps = g_ascii_strtod (sv_pq ()->getvalue (result, row, 3), NULL);
  clip->width = (guint)sv_postgres_integer (result, row, 4);
  clip->height = (guint)sv_postgres_integer (result, row, 5);
  clip->sport = sv_postgres_text (result, row, 6);
  clip->scenario = sv_postgres_text (result, row, 7);
  clip->challenge_type = sv_postgres_text (result, row, 8);
  clip->added_ms = sv_postgres_integer (result, row, 9);
  clip->has_ground_truth = *sv_pq ()->getvalue (result, row, 10) == 't';
  return clip;
}

GPtrArray *
sv_postgres_list_clips (SvState *base, GError **error)
{
  static const SvPostgresQuery query = { .sql = "SELECT hash, bytes, duration_ms, fps, width, height, sport, scenario,"
                                                " challenge_type, added_ms, EXISTS (SELECT FROM scorevision.ground_truth"
                                                " WHERE clip_hash = hash) FROM scorevision.clips ORDER BY hash COLLATE \"C\"" };
  g_autoptr (PGresult) result = sv_postgres_ask ((SvPostgresState *)base, &query, error);
  if (result == NULL)
    return NULL;
  GPtrArray *clips = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_clip_free);
  for (int row = 0; row < sv_pq ()->ntuples (result); row++)
    g_ptr_array_add (clips, read_clip (result, row));
  return clips;
}

gboolean
sv_postgres_clips_version (SvState *base, guint64 *version, GError **error)
{
  static const SvPostgresQuery query = { .sql = "SELECT value FROM scorevision.counters WHERE name = 'clips'" };
  g_autoptr (PGresult) result = sv_postgres_ask ((SvPostgresState *)base, &query, error);
  if (result == NULL)
    return FALSE;
  *version = sv_pq ()->ntuples (result) > 0 ? (guint64)sv_postgres_integer (result, 0, 0) : 0;
  return TRUE;
}

/* ── ground truth ── */

gboolean
sv_postgres_put_ground_truth (SvState *base, const char *clip_hash, const char *json, GError **error)
{
  guint64 n_rows;
  const SvPostgresQuery put = { .sql = "WITH changed AS (INSERT INTO scorevision.ground_truth (clip_hash, json)"
                                       " SELECT hash, $2 FROM scorevision.clips WHERE hash = $1 FOR KEY SHARE"
                                       " ON CONFLICT (clip_hash) DO UPDATE SET json = excluded.json RETURNING 1)" RAISE_VERSION,
                                .n = 2,
                                .values = { clip_hash, json } };
  const SvPostgresQuery remove = { .sql = "WITH changed AS (SELECT hash FROM scorevision.clips WHERE hash = $1 FOR KEY SHARE),"
                                          " gone AS (DELETE FROM scorevision.ground_truth USING changed"
                                          " WHERE clip_hash = hash)" RAISE_VERSION,
                                   .n = 1,
                                   .values = { clip_hash } };
  if (!sv_postgres_change ((SvPostgresState *)base, json != NULL ? &put : &remove, &n_rows, error))
    return FALSE;
  return n_rows > 0 || fail_unregistered (clip_hash, error);
}

gboolean
sv_postgres_ground_truth (SvState *base, const char *clip_hash, char **json, GError **error)
{
  const SvPostgresQuery query = { .sql = "SELECT json FROM scorevision.ground_truth WHERE clip_hash = $1",
                                  .n = 1,
                                  .values = { clip_hash } };
  g_autoptr (PGresult) result = sv_postgres_ask ((SvPostgresState *)base, &query, error);
  if (result == NULL)
    return FALSE;
  *json = sv_pq ()->ntuples (result) > 0 ? sv_postgres_text (result, 0, 0) : NULL;
  return TRUE;
}
