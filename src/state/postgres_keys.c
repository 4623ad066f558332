/* Draw keys and secrets of the deployment: made by whoever asks first, the same for all. */
#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "state/postgres_state.h"

#define KEY_SIZE 32
#define READ_KEY "SELECT encode(key, 'hex') FROM scorevision.secrets WHERE kind = $1 AND name = $2"

static gboolean
take_key (SvPostgresState *state, const PGresult *result, guint8 key[KEY_SIZE], gboolean *found, GError **error)
{
  gsize length = 0;
  *found = sv_pq ()->ntuples (result) > 0;
  if (!*found)
    return TRUE;
  const char *hex = sv_pq ()->getvalue (result, 0, 0);
  if (sodium_hex2bin (key, KEY_SIZE, hex, strlen (hex), NULL, &length, NULL) == 0 && length == KEY_SIZE)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "database %s: a key in it is damaged; restore it from a backup",
               state->base.url);
  return FALSE;
}

static gboolean
find_key (SvState *base, const char *kind, const char *name, guint8 key[KEY_SIZE], gboolean *found, GError **error)
{
  SvPostgresState *state = (SvPostgresState *)base;
  const SvPostgresQuery query = { .sql = READ_KEY, .n = 2, .values = { kind, name } };
  g_autoptr (PGresult) result = sv_postgres_ask (state, &query, error);
  return result != NULL && take_key (state, result, key, found, error);
}

/* Two statements, two transactions: what was committed meanwhile by somebody else is seen by the second. */
static gboolean
make_key (SvPostgresState *state, const char *kind, const char *name, GError **error)
{
  guint8 fresh[KEY_SIZE];
  char hex[2 * KEY_SIZE + 1];
  randombytes_buf (fresh, sizeof fresh);
  sodium_bin2hex (hex, sizeof hex, fresh, sizeof fresh);
  const SvPostgresQuery insert = { .sql = "INSERT INTO scorevision.secrets (kind, name, key) VALUES ($1, $2, decode($3, 'hex'))"
                                          " ON CONFLICT DO NOTHING",
                                   .n = 3,
                                   .values = { kind, name, hex } };
  gboolean ok = sv_postgres_change (state, &insert, NULL, error);
  sodium_memzero (fresh, sizeof fresh);
  sodium_memzero (hex, sizeof hex);
  return ok;
}

static gboolean
key_of (SvState *base, const char *kind, const char *name, guint8 key[KEY_SIZE], GError **error)
{
  gboolean found;
  if (!find_key (base, kind, name, key, &found, error))
    return FALSE;
  if (found)
    return TRUE;
  if (!make_key ((SvPostgresState *)base, kind, name, error) || !find_key (base, kind, name, key, &found, error))
    return FALSE;
  if (!found)
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "database %s: the key %s was removed while it was made", base->url, name);
  return found;
}

gboolean
sv_postgres_draw_key (SvState *state, const char *manifest_hash, guint8 key[32], GError **error)
{
  return key_of (state, "draw", manifest_hash, key, error);
}

gboolean
sv_postgres_find_draw_key (SvState *state, const char *manifest_hash, guint8 key[32], gboolean *found, GError **error)
{
  return find_key (state, "draw", manifest_hash, key, found, error);
}

gboolean
sv_postgres_secret (SvState *state, const char *name, guint8 key[32], GError **error)
{
  return key_of (state, "secret", name, key, error);
}
