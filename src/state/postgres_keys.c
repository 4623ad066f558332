/* Draw keys and secrets of the deployment: made by whoever asks first, the same for all. Any number of them is one parameter,
 * an array; the text that holds new ones on their way to libpq is zeroed, as they are secret. */
#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "state/postgres_state.h"

#define HEX_SIZE (2 * SV_STATE_KEY_SIZE + 1)

/* A row for each name, in their order; null where there is no key. */
static const char read_keys[] = "SELECT encode(key, 'hex') FROM unnest($2::text[]) WITH ORDINALITY AS asked (name, place)"
                                " LEFT JOIN scorevision.secrets ON kind = $1 AND secrets.name = asked.name ORDER BY place";

/* In order, so that two who add the same names do not wait for each other. */
static const char add_keys[] = "INSERT INTO scorevision.secrets (kind, name, key) SELECT $1, name, decode(hex, 'hex') FROM"
                               " unnest($2::text[], $3::text[]) AS fresh (name, hex) ORDER BY name ON CONFLICT DO NOTHING";

typedef struct
{
  const char *kind;
  const char *const *names;
  gsize n;
  guint8 (*keys)[SV_STATE_KEY_SIZE];
  GString *list; /* of the names, as an array's text */
} Asked;

static void
asked_clear (Asked *asked)
{
  g_string_free (asked->list, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Asked, asked_clear)

static Asked
ask_for (const char *kind, const char *const *names, gsize n, guint8 (*keys)[SV_STATE_KEY_SIZE])
{
  Asked asked = { kind, names, n, keys, g_string_new (NULL) };
  for (gsize i = 0; i < n; i++)
    sv_postgres_array_add (asked.list, names[i]);
  sv_postgres_array_end (asked.list);
  return asked;
}

static gboolean
take_key (SvPostgresState *state, const char *name, const char *hex, guint8 key[SV_STATE_KEY_SIZE], GError **error)
{
  gsize length = 0;
  if (sodium_hex2bin (key, SV_STATE_KEY_SIZE, hex, strlen (hex), NULL, &length, NULL) == 0 && length == SV_STATE_KEY_SIZE)
    return TRUE;
  return sv_state_fail_key (&state->base, name, error);
}

/* *@missing: the first name that has no key; NULL: all have one. */
static gboolean
take_keys (SvPostgresState *state, const PGresult *rows, const Asked *asked, const char **missing, GError **error)
{
  *missing = NULL;
  for (gsize i = 0; i < asked->n; i++)
  {
    const char *hex = sv_postgres_value (rows, (int)i, 0);
    if (hex != NULL && !take_key (state, asked->names[i], hex, asked->keys[i], error))
      return FALSE;
    if (hex == NULL && *missing == NULL)
      *missing = asked->names[i];
  }
  return TRUE;
}

static gboolean
find_keys (SvPostgresState *state, const Asked *asked, const char **missing, GError **error)
{
  const SvPostgresQuery query = { .sql = read_keys, .n = 2, .values = { asked->kind, asked->list->str } };
  g_autoptr (PGresult) rows = sv_postgres_ask (state, &query, error);
  return rows != NULL && take_keys (state, rows, asked, missing, error);
}

/* The text of an array of @n new keys, in memory that does not move. */
static GString *
make_fresh (gsize n)
{
  GString *array = g_string_sized_new (n * (HEX_SIZE + 3) + 2);
  for (gsize i = 0; i < n; i++)
  {
    guint8 fresh[SV_STATE_KEY_SIZE];
    char hex[HEX_SIZE];
    randombytes_buf (fresh, sizeof fresh);
    sodium_bin2hex (hex, sizeof hex, fresh, sizeof fresh);
    sv_postgres_array_add (array, hex);
    sodium_memzero (fresh, sizeof fresh);
    sodium_memzero (hex, sizeof hex);
  }
  sv_postgres_array_end (array);
  return array;
}

/* One for each name: those that are there already stay. The second statement sees, too, what somebody else has committed
 * meanwhile; what is read is on the server's disk when the round is over. */
static gboolean
add_and_find_keys (SvPostgresState *state, const Asked *asked, const char **missing, GError **error)
{
  GString *fresh = make_fresh (asked->n);
  const SvPostgresQuery queries[] = {
    { .sql = add_keys, .n = 3, .values = { asked->kind, asked->list->str, fresh->str } },
    { .sql = read_keys, .n = 2, .values = { asked->kind, asked->list->str } },
  };
  PGresult *results[G_N_ELEMENTS (queries)];
  gboolean ok = sv_postgres_ready (state, error) && sv_postgres_round (state, queries, G_N_ELEMENTS (queries), results, error);
  sodium_memzero (fresh->str, fresh->allocated_len);
  g_string_free (fresh, TRUE);
  if (!ok)
    return FALSE;
  ok = take_keys (state, results[1], asked, missing, error);
  sv_postgres_clear (results, G_N_ELEMENTS (queries));
  return ok;
}

static gboolean
keys_of (SvPostgresState *state, const Asked *asked, GError **error)
{
  const char *missing;
  if (!find_keys (state, asked, &missing, error))
    return FALSE;
  if (missing == NULL)
    return TRUE;
  if (!add_and_find_keys (state, asked, &missing, error))
    return FALSE;
  if (missing != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "database %s: the key %s was removed while it was made", state->base.url,
                 missing);
  return missing == NULL;
}

gboolean
sv_postgres_draw_keys (SvState *state, const char *const *manifest_hashes, gsize n, guint8 (*keys)[SV_STATE_KEY_SIZE],
                       GError **error)
{
  g_auto (Asked) asked = ask_for ("draw", manifest_hashes, n, keys);
  return keys_of ((SvPostgresState *)state, &asked, error);
}

gboolean
sv_postgres_find_draw_key (SvState *state, const char *manifest_hash, guint8 key[SV_STATE_KEY_SIZE], gboolean *found,
                           GError **error)
{
  const char *missing = NULL;
  g_auto (Asked) asked = ask_for ("draw", &manifest_hash, 1, (guint8 (*)[SV_STATE_KEY_SIZE])key);
  gboolean ok = find_keys ((SvPostgresState *)state, &asked, &missing, error);
  *found = ok && missing == NULL;
  return ok;
}

gboolean
sv_postgres_secret (SvState *state, const char *name, guint8 key[SV_STATE_KEY_SIZE], GError **error)
{
  g_auto (Asked) asked = ask_for ("secret", &name, 1, (guint8 (*)[SV_STATE_KEY_SIZE])key);
  return keys_of ((SvPostgresState *)state, &asked, error);
}
