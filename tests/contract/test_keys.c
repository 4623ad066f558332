/* Draw keys and secrets, as every engine of the state must keep them.
 *
 *  1. a draw key is made once per manifest, and never changed: another handle sees the same; manifests have keys of their own
 *  2. in one call some may be there and others not, and one may be named twice; the keys come in the order asked for
 *  3. more manifests than a statement has parameters are one call
 *  4. of handles that ask at once for the same ones, each other way round, all get the same
 *  5. a key that was told is there after a kill
 *  6. one that nobody has asked for is not found, and none is made by looking for it
 *  7. a secret is made once, too, apart from draw keys
 *  8. one that is damaged is named, and is no reason not to tell others
 */
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "refusal.h"
#include "scratch.h"
#include "state_fixture.h"

typedef guint8 Key[SV_STATE_KEY_SIZE];

#define draw_keys(state, names, keys) must (sv_state_draw_keys (state, names, G_N_ELEMENTS (names), keys, &error))

static void
assert_same (const Key a, const Key b)
{
  g_assert_cmpmem (a, sizeof (Key), b, sizeof (Key));
}

static void
assert_apart (const Key a, const Key b)
{
  g_assert_cmpint (memcmp (a, b, sizeof (Key)), !=, 0);
}

static gboolean
find (SvState *state, const char *hash, Key key)
{
  gboolean found;
  must (sv_state_find_draw_key (state, hash, key, &found, &error));
  return found;
}

static void
test_made_once (StateFixture *f)
{
  const char *const names[] = { "sha256:aa", "sha256:bb" };
  Key first[2], again[2], elsewhere[2];
  g_autoptr (SvState) another = open_state (f->url);
  draw_keys (f->state, names, first);
  draw_keys (f->state, names, again);
  draw_keys (another, names, elsewhere);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
  {
    assert_same (first[i], again[i]);
    assert_same (first[i], elsewhere[i]);
  }
  assert_apart (first[0], first[1]);
}

static void
test_mixed (StateFixture *f)
{
  const char *const some[] = { "sha256:cc", "sha256:aa" };
  const char *const all[] = { "sha256:aa", "sha256:\"b\\b\"", "sha256:dd", "sha256:cc", "sha256:dd", "sha256:aa" };
  Key before[2], keys[6], found;
  draw_keys (f->state, some, before);
  draw_keys (f->state, all, keys);
  assert_same (keys[0], before[1]);
  assert_same (keys[3], before[0]);
  assert_same (keys[2], keys[4]);
  assert_same (keys[0], keys[5]);
  assert_apart (keys[1], keys[2]);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
  {
    g_assert_true (find (f->state, all[i], found));
    assert_same (keys[i], found);
  }
  must (sv_state_draw_keys (f->state, NULL, 0, NULL, &error));
}

/* ── many ── */

#define MANY 70000 /* PostgreSQL's statements have at most 65,535 parameters, SQLite's 32,766 */

/* (transfer full) @n hashes from the first one on, or down from the last. */
static char **
make_hashes (guint n, gboolean is_down)
{
  char **hashes = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    hashes[i] = g_strdup_printf ("sha256:%064u", is_down ? n - 1 - i : i);
  return hashes;
}

static gboolean
is_new_key (GHashTable *seen, const Key key)
{
  return g_hash_table_add (seen, g_bytes_new (key, sizeof (Key)));
}

static void
test_many (StateFixture *f)
{
  g_auto (GStrv) hashes = make_hashes (MANY, FALSE);
  g_autofree Key *keys = g_new0 (Key, MANY), *again = g_new0 (Key, MANY);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
  must (sv_state_draw_keys (f->state, (const char *const *)hashes, MANY, keys, &error));
  for (guint i = 0; i < MANY; i++)
    g_assert_true (is_new_key (seen, keys[i]));
  g_autoptr (SvState) another = open_state (f->url);
  must (sv_state_draw_keys (another, (const char *const *)hashes, MANY, again, &error));
  g_assert_cmpmem (keys, MANY * sizeof (Key), again, MANY * sizeof (Key));
}

/* ── at once ── */

#define N_PROCESSES 4
#define N_ROUNDS 10
#define N_RACED 1000

typedef struct
{
  const char *url;
  guint number;
  int begin[2]; /* pipes: all begin when the first one is closed … */
  int results;  /* … and write what they got */
} Racer;

/* Connects, and waits for the others. */
static SvState *
await_race (const Racer *racer)
{
  Key none;
  char nothing;
  SvState *state = open_state (racer->url);
  g_assert_false (find (state, "sha256:none", none));
  close (racer->begin[1]);
  g_assert_cmpint (read (racer->begin[0], &nothing, 1), ==, 0);
  return state;
}

/* Rounds of names that nobody has asked for yet; the result is a hash of all keys. */
static int
race (gpointer data)
{
  const Racer *racer = data;
  gboolean is_down = racer->number % 2 == 1;
  g_autofree Key *keys = g_new0 (Key, N_RACED);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (SvState) state = await_race (racer);
  for (guint round = 0; round < N_ROUNDS; round++)
  {
    g_auto (GStrv) hashes = make_hashes (N_RACED, is_down);
    for (guint i = 0; i < N_RACED; i++)
      hashes[i][strlen ("sha256:")] = (char)('a' + round);
    must (sv_state_draw_keys (state, (const char *const *)hashes, N_RACED, keys, &error));
    for (guint i = 0; i < N_RACED; i++)
      g_checksum_update (sum, keys[is_down ? N_RACED - 1 - i : i], sizeof (Key));
  }
  const char *text = g_checksum_get_string (sum);
  return write (racer->results, text, strlen (text)) == (gssize)strlen (text) ? 0 : 1;
}

static void
test_race (StateFixture *f)
{
  int begin[2], ends[2];
  pid_t children[N_PROCESSES];
  char text[N_PROCESSES][64];
  g_assert_cmpint (pipe (begin), ==, 0);
  g_assert_cmpint (pipe (ends), ==, 0);
  for (guint i = 0; i < N_PROCESSES; i++)
    children[i] = child_start (race, &(Racer){ f->url, i, { begin[0], begin[1] }, ends[1] });
  close (begin[1]);
  for (guint i = 0; i < N_PROCESSES; i++)
    g_assert_cmpint (child_wait (children[i]), ==, 0);
  for (guint i = 0; i < N_PROCESSES; i++)
  {
    g_assert_cmpint (read (ends[0], text[i], sizeof text[i]), ==, sizeof text[i]);
    g_assert_cmpmem (text[i], sizeof text[i], text[0], sizeof text[0]);
  }
  close (begin[0]);
  close (ends[0]);
  close (ends[1]);
}

/* ── a kill ── */

static int
tell_key_and_wait (gpointer data)
{
  const Racer *racer = data;
  const char *const names[] = { "sha256:aa", "sha256:bb" };
  Key keys[2];
  g_autoptr (SvState) state = open_state (racer->url);
  draw_keys (state, names, keys);
  if (write (racer->results, keys, sizeof keys) != sizeof keys)
    return 1;
  pause ();
  return 0;
}

static void
test_kill (StateFixture *f)
{
  int ends[2];
  Key told[2], found;
  g_assert_cmpint (pipe (ends), ==, 0);
  pid_t child = child_start (tell_key_and_wait, &(Racer){ .url = f->url, .results = ends[1] });
  g_assert_cmpint (read (ends[0], told, sizeof told), ==, sizeof told);
  kill (child, SIGKILL);
  g_assert_cmpint (child_wait (child), ==, 128 + SIGKILL);
  g_assert_true (find (f->state, "sha256:aa", found));
  assert_same (found, told[0]);
  g_assert_true (find (f->state, "sha256:bb", found));
  assert_same (found, told[1]);
  close (ends[0]);
  close (ends[1]);
}

/* ── looking only, secrets, failing ── */

static void
test_finding (StateFixture *f)
{
  const char *const names[] = { "sha256:aa" };
  Key made[1], found;
  g_autoptr (SvState) another = open_state (f->url);
  g_assert_false (find (f->state, "sha256:aa", found));
  g_assert_false (find (f->state, "sha256:aa", found));
  draw_keys (f->state, names, made);
  g_assert_true (find (another, "sha256:aa", found));
  assert_same (made[0], found);
  g_assert_false (find (another, "sha256:bb", found));
}

static void
test_secrets (StateFixture *f)
{
  const char *const names[] = { "clip-token" };
  Key drawn[1], secret, again, other;
  g_autoptr (SvState) another = open_state (f->url);
  must (sv_state_secret (f->state, "clip-token", secret, &error));
  must (sv_state_secret (another, "clip-token", again, &error));
  must (sv_state_secret (another, "other", other, &error));
  draw_keys (f->state, names, drawn);
  assert_same (secret, again);
  assert_apart (secret, other);
  assert_apart (secret, drawn[0]);
}

/* What another program does to the database. */
static void
damage_key (const StateFixture *f, const char *name)
{
  sqlite3 *db;
  g_autofree char *literal =
      g_strconcat (f->server != NULL ? "'\\x00' WHERE name = '" : "x'00' WHERE name = '", name, "'", NULL);
  g_autofree char *sql = g_strconcat ("UPDATE ", f->server != NULL ? "scorevision." : "", "secrets SET key = ", literal, NULL);
  if (f->server != NULL)
  {
    g_free (postgres_server_sql (f->server, f->database, sql));
    return;
  }
  g_assert_cmpint (sqlite3_open (f->url + strlen ("sqlite:"), &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

static void
test_damage (StateFixture *f)
{
  const char *const names[] = { "sha256:aa", "sha256:bb", "sha256:cc" }, *const others[] = { "sha256:aa", "sha256:cc" };
  Key before[3], none[3] = { 0 }, keys[3], found;
  gboolean is_found;
  draw_keys (f->state, names, before);
  damage_key (f, "sha256:bb");
  assert_fails_saying (sv_state_draw_keys (f->state, names, G_N_ELEMENTS (names), keys, refusal), SV_ERROR_MALFORMED,
                       "its key of sha256:bb is damaged; restore");
  g_assert_cmpmem (keys, sizeof keys, none, sizeof none);
  assert_fails_saying (sv_state_find_draw_key (f->state, "sha256:bb", found, &is_found, refusal), SV_ERROR_MALFORMED,
                       "sha256:bb");
  draw_keys (f->state, others, keys);
  assert_same (keys[0], before[0]);
  assert_same (keys[1], before[2]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  state_promise_add ("draw keys are made once", test_made_once);
  state_promise_add ("some are there and others not", test_mixed);
  state_promise_add ("many draw keys in one call", test_many);
  state_promise_add ("who asks at once gets the same", test_race);
  state_promise_add ("a key that was told survives a kill", test_kill);
  state_promise_add ("looking for a key makes none", test_finding);
  state_promise_add ("secrets are apart from draw keys", test_secrets);
  state_promise_add ("a damaged key is named, and is its manifest's alone", test_damage);
  return state_promises_run ();
}
