/* Drives `sv manifest publish` and `rollback` of the built sv, on a terminal and without one.
 *
 *  asking   - what would be published is shown with what changes, then one question; before the answer nothing is written
 *           - "no", or the end of input, is 6, and nothing was done
 *           - nothing is asked where nothing changes, in a dry run, or with --yes; they show the changes, too
 *           - with --json the question is on the terminal and standard output has one document, with the changes
 *           - without a terminal it is 2 and says --yes
 *           - what has changed while the question was open is not what was agreed to: 6
 *  rebuild  - an index whose signer does not count any more is replaced after the same one question, which says what is lost;
 *             also where the manifest itself is live already
 *  changes  - the first manifest; a further window against the active one; what is replaced; a rollback
 *           - many are not all shown, and long ones are cut
 */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sv_process.h"

typedef struct
{
  char *home;
  char *settings[3];
} Fixture;

#define SV(fixture, ...) run_sv ((fixture)->home, (const char *const *)(fixture)->settings, __VA_ARGS__)

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->home = g_dir_make_tmp ("sv-cli-publish-XXXXXX", NULL);
  fixture->settings[0] = g_strdup ("SCOREVISION_STORE=file:store");
  g_free (expect_out (SV (fixture, "chain create --block-time 0"), 0));
  json_t *key = expect_json (SV (fixture, "key new --json"));
  fixture->settings[1] =
      g_strconcat ("SCOREVISION_MANIFEST_SIGNERS=", json_string_value (json_object_get (key, "account")), NULL);
  json_decref (key);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  remove_tree (fixture->home);
  for (gsize i = 0; i < G_N_ELEMENTS (fixture->settings); i++)
    g_free (fixture->settings[i]);
  g_free (fixture->home);
}

static void
assert_says (const char *text, const char *wanted)
{
  if (!strstr (text, wanted))
    g_error ("expected \"%s\" in \"%s\"", wanted, text);
}

static void
assert_says_not (const char *text, const char *unwanted)
{
  if (strstr (text, unwanted))
    g_error ("did not expect \"%s\" in \"%s\"", unwanted, text);
}

/* FILE with a window and its clips, in the home. */
static void
author (Fixture *fixture, const char *file, const char *window_id, guint64 start, guint64 expiry, guint n_clips)
{
  g_autoptr (GString) clips = g_string_new (NULL);
  for (guint i = 0; i < n_clips; i++)
    g_string_append_printf (clips, " --clip sha256:%064u", 1000 * n_clips + i);
  g_free (expect_out (SV (fixture,
                          "manifest create --template football --window-id %s --start-block %" G_GUINT64_FORMAT
                          " --expiry-block %" G_GUINT64_FORMAT " %s -o %s",
                          window_id, start, expiry, clips->str, file),
                      0));
}

static char *
publish (Fixture *fixture, const char *words)
{
  json_t *json = expect_json (SV (fixture, "manifest publish %s --yes --json", words));
  char *hash = g_strdup (json_string_value (json_object_get (json, "manifest_hash")));
  json_decref (json);
  return hash;
}

/* ── a terminal ── */

typedef struct
{
  pid_t pid;
  int terminal;
  GString *shown;
} Talk;

static void
become_sv (Fixture *fixture, const char *words, const char *out)
{
  g_autofree char *line = g_strconcat ("sv ", words, NULL), *home = g_strconcat ("HOME=", fixture->home, NULL);
  char *environment[] = { home, fixture->settings[0], fixture->settings[1], NULL };
  g_auto (GStrv) argv = NULL;
  if (!g_shell_parse_argv (line, NULL, &argv, NULL) || chdir (fixture->home) != 0)
    _exit (100);
  if (out != NULL && dup2 (open (out, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO) < 0)
    _exit (101);
  execve (g_getenv ("SV"), argv, environment);
  _exit (102);
}

/* Starts sv on a terminal of its own; its standard output is the file @out, if that is not NULL. */
static Talk
start (Fixture *fixture, const char *words, const char *out)
{
  Talk talk = { .shown = g_string_new (NULL) };
  talk.pid = forkpty (&talk.terminal, NULL, NULL, NULL);
  g_assert_cmpint (talk.pid, >=, 0);
  if (talk.pid == 0)
    become_sv (fixture, words, out);
  return talk;
}

/* FALSE when the terminal was closed. */
static gboolean
read_more (Talk *talk)
{
  char piece[4096];
  gssize n = read (talk->terminal, piece, sizeof piece);
  if (n > 0)
    g_string_append_len (talk->shown, piece, n);
  return n > 0 || (n < 0 && errno == EINTR);
}

static void
wait_for (Talk *talk, const char *wanted)
{
  while (strstr (talk->shown->str, wanted) == NULL)
    if (!read_more (talk))
      g_error ("\"%s\" did not come; the terminal showed \"%s\"", wanted, talk->shown->str);
}

/* Types @answer, waits for the end, expects this exit status. Returns: (transfer full) all that was shown. */
static char *
finish (Talk talk, const char *answer, int status)
{
  int ended = 0;
  if (answer != NULL)
    g_assert_cmpint (write (talk.terminal, answer, strlen (answer)), ==, (gssize)strlen (answer));
  while (read_more (&talk))
    ;
  g_assert_cmpint (waitpid (talk.pid, &ended, 0), ==, talk.pid);
  close (talk.terminal);
  if (!WIFEXITED (ended) || WEXITSTATUS (ended) != status)
    g_error ("expected exit status %d, not %d; the terminal showed \"%s\"", status, WEXITSTATUS (ended), talk.shown->str);
  return g_string_free (talk.shown, FALSE);
}

/* Runs sv on a terminal, where it asks @question, and answers. */
static char *
converse (Fixture *fixture, const char *words, const char *question, const char *answer, int status)
{
  Talk talk = start (fixture, words, NULL);
  wait_for (&talk, question);
  return finish (talk, answer, status);
}

static gboolean
has_store (Fixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->home, "store", NULL);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* ── asking ── */

#define PUBLISH_W1 "Publish the manifest of window w1? [y/N]"

static void
test_yes (Fixture *fixture, gconstpointer data)
{
  author (fixture, "w1.yaml", "w1", 0, 100, 1);
  Talk talk = start (fixture, "manifest publish w1.yaml", NULL);
  wait_for (&talk, PUBLISH_W1);
  assert_says (talk.shown->str, "would be published");
  assert_says (talk.shown->str, "w1, blocks 0 to 100");
  assert_says (talk.shown->str, "nothing to compare with: the first manifest");
  g_assert_false (has_store (fixture));
  g_autofree char *shown = finish (talk, "y\n", 0);
  assert_says (shown, "anchor      sequence 1");
  g_assert_null (strstr (strstr (shown, PUBLISH_W1) + strlen (PUBLISH_W1), "[y/N]")); /* asked once */
  g_free (expect_out (SV (fixture, "manifest show w1"), 0));
}

static void
test_no (Fixture *fixture, gconstpointer data)
{
  static const char *const answers[] = { "n\n", "\n", "what?\n", "\x04" };
  author (fixture, "w1.yaml", "w1", 0, 100, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++)
  {
    g_autofree char *shown = converse (fixture, "manifest publish w1.yaml", PUBLISH_W1, answers[i], 6);
    assert_says (shown, "nothing was done: not confirmed");
    g_assert_false (has_store (fixture));
  }
}

static void
test_nothing_to_ask (Fixture *fixture, gconstpointer data)
{
  author (fixture, "w1.yaml", "w1", 0, 100, 1);
  g_autofree char *dry = finish (start (fixture, "manifest publish w1.yaml --dry-run", NULL), NULL, 0);
  assert_says (dry, "the first manifest");
  assert_says_not (dry, "[y/N]");
  g_assert_false (has_store (fixture));
  g_autofree char *yes = finish (start (fixture, "manifest publish w1.yaml --yes", NULL), NULL, 0);
  assert_says (yes, "the first manifest");
  assert_says_not (yes, "[y/N]");
  g_autofree char *again = finish (start (fixture, "manifest publish w1.yaml", NULL), NULL, 0);
  assert_says (again, "live already, not signed again");
  assert_says_not (again, "[y/N]");
  g_free (expect_out (SV (fixture, "manifest publish w1.yaml"), 0)); /* nor without a terminal */
}

static void
test_json (Fixture *fixture, gconstpointer data)
{
  author (fixture, "w1.yaml", "w1", 0, 100, 1);
  g_autofree char *out = g_build_filename (fixture->home, "out.json", NULL), *text = NULL;
  g_autofree char *first = publish (fixture, "w1.yaml");
  author (fixture, "better.yaml", "w1", 0, 100, 2);
  Talk talk = start (fixture, "manifest publish better.yaml --supersede --json", out);
  wait_for (&talk, "[y/N]");
  assert_says (talk.shown->str, "clips: clip sha256:");
  g_free (finish (talk, "y\n", 0));
  g_assert_true (g_file_get_contents (out, &text, NULL, NULL));
  json_t *json = json_loads (text, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (json);
  const json_t *diff = json_object_get (json, "diff");
  g_assert_cmpstr (json_string_value (json_object_get (json, "status")), ==, "published");
  g_assert_cmpstr (json_string_value (json_object_get (diff, "before")), ==, first);
  g_assert_cmpuint (json_array_size (json_object_get (diff, "differences")), >=, 3); /* one clip goes, two come */
  json_decref (json);
}

static void
test_no_terminal (Fixture *fixture, gconstpointer data)
{
  author (fixture, "w1.yaml", "w1", 0, 100, 1);
  expect_failure (SV (fixture, "manifest publish w1.yaml"), 2, "Publish the manifest of window w1: confirm with --yes");
  g_assert_false (has_store (fixture));
}

static void
test_changed_meanwhile (Fixture *fixture, gconstpointer data)
{
  author (fixture, "w1.yaml", "w1", 0, 100, 1);
  g_autofree char *first = publish (fixture, "w1.yaml");
  author (fixture, "ours.yaml", "w1", 0, 100, 2);
  author (fixture, "theirs.yaml", "w1", 0, 100, 3);
  Talk talk = start (fixture, "manifest publish ours.yaml --supersede", NULL);
  wait_for (&talk, "[y/N]");
  assert_says (talk.shown->str, first);
  g_autofree char *theirs = publish (fixture, "theirs.yaml --supersede");
  g_autofree char *shown = finish (talk, "y\n", 6);
  assert_says (shown, "nothing was published: since you were asked the live manifest of window w1 is");
  assert_says (shown, theirs);
  g_autofree char *current = expect_out (SV (fixture, "manifest current"), 0);
  assert_says (current, theirs);

  /* The same command shows what it does now. */
  g_autofree char *again = converse (fixture, "manifest publish ours.yaml --supersede", "[y/N]", "y\n", 0);
  assert_says (again, theirs);
}

/* ── rebuilding ── */

/* w1 by the wallet that stays, and the index with w2 by one that is crossed out. */
static void
cross_out_last_signer (Fixture *fixture)
{
  json_t *key = expect_json (SV (fixture, "key new --hotkey other --json"));
  const char *other = json_string_value (json_object_get (key, "account"));
  g_autofree char *before = g_steal_pointer (&fixture->settings[1]);
  author (fixture, "w1.yaml", "w1", 0, 100, 1);
  author (fixture, "w2.yaml", "w2", 100, 200, 1);
  fixture->settings[1] = g_strdup_printf ("%s,%s", before, other);
  g_free (publish (fixture, "w1.yaml"));
  g_free (publish (fixture, "w2.yaml --hotkey other"));
  g_free (fixture->settings[1]);
  fixture->settings[1] = g_strdup_printf ("%s,!%s", before, other);
  json_decref (key);
}

static void
test_rebuild (Fixture *fixture, gconstpointer data)
{
  static const char *const question = "Replace the index by one with the 1 kept and without the 1 dropped entries? [y/N]";
  cross_out_last_signer (fixture);
  expect_failure (SV (fixture, "manifest publish w1.yaml --yes"), 3, "--rebuild-index");
  expect_failure (SV (fixture, "manifest publish w1.yaml --rebuild-index"), 2, "confirm with --yes");
  g_autofree char *dry = finish (start (fixture, "manifest publish w1.yaml --rebuild-index --dry-run", NULL), NULL, 0);
  assert_says (dry, "1 entries kept, 1 dropped");
  assert_says_not (dry, "[y/N]");
  g_autofree char *refused = converse (fixture, "manifest publish w1.yaml --rebuild-index", question, "n\n", 6);
  assert_says (refused, "is not built on, and replaced");
  assert_says (refused, "kept        window w1");
  assert_says (refused, "dropped     window w2");
  expect_failure (SV (fixture, "manifest list"), 3, "not a trusted signer");
  g_autofree char *done = converse (fixture, "manifest publish w1.yaml --rebuild-index", question, "y\n", 0);
  assert_says (done, "live already, not signed again");
  assert_says_not (strstr (done, question) + strlen (question), "[y/N]");
  g_autofree char *list = expect_out (SV (fixture, "manifest list"), 0);
  assert_says (list, "w1");
  assert_says_not (list, "w2");
  g_autofree char *again = finish (start (fixture, "manifest publish w1.yaml --rebuild-index", NULL), NULL, 0);
  assert_says_not (again, "[y/N]"); /* there is nothing to rebuild any more */
}

static void
test_rebuild_and_publish (Fixture *fixture, gconstpointer data)
{
  cross_out_last_signer (fixture);
  g_autofree char *shown = converse (fixture, "manifest publish w2.yaml --rebuild-index",
                                     "1 dropped entries, and publish the manifest of window w2? [y/N]", "y\n", 0);
  assert_says (shown, "against the active manifest");
  json_t *list = expect_json (SV (fixture, "manifest list --json"));
  g_assert_cmpuint (json_array_size (json_object_get (list, "manifests")), ==, 2);
  json_decref (list);
}

/* ── changes ── */

static void
test_what_is_compared (Fixture *fixture, gconstpointer data)
{
  author (fixture, "w1.yaml", "w1", 0, 100, 1);
  author (fixture, "w2.yaml", "w2", 100, 200, 1);
  author (fixture, "better.yaml", "w2", 100, 200, 2);
  g_autofree char *first = publish (fixture, "w1.yaml");
  g_autofree char *next = converse (fixture, "manifest publish w2.yaml", "window w2? [y/N]", "y\n", 0);
  g_autofree char *active = g_strdup_printf ("against the active manifest, %s", first);
  assert_says (next, active);
  assert_says (next, "~ window_id: \"w1\" -> \"w2\"");
  json_t *shown = expect_json (SV (fixture, "manifest show w2 --json"));
  json_decref (shown);
  g_autofree char *replacing = converse (fixture, "manifest publish better.yaml --supersede", "Replace the live", "y\n", 0);
  assert_says (replacing, "against what it replaces");
  assert_says (replacing, "+ clips: clip sha256:");
  assert_says_not (replacing, "window_id");

  json_t *list = expect_json (SV (fixture, "manifest list --json"));
  g_autofree char *old = NULL;
  for (gsize i = 0; i < json_array_size (json_object_get (list, "manifests")); i++)
  {
    const json_t *entry = json_array_get (json_object_get (list, "manifests"), i);
    if (strcmp (json_string_value (json_object_get (entry, "state")), "SUPERSEDED") == 0)
      old = g_strdup (json_string_value (json_object_get (entry, "hash")));
  }
  json_decref (list);
  g_assert_nonnull (old);
  g_autofree char *words = g_strdup_printf ("manifest rollback --to-hash %s", old);
  g_autofree char *back = converse (fixture, words, "Replace the live", "y\n", 0);
  assert_says (back, "- clips: clip sha256:");
}

static void
test_no_active (Fixture *fixture, gconstpointer data)
{
  author (fixture, "w1.yaml", "w1", 0, 10, 1);
  author (fixture, "w2.yaml", "w2", 100, 200, 1);
  g_free (publish (fixture, "w1.yaml"));
  g_free (expect_out (SV (fixture, "chain advance 20"), 0));
  g_autofree char *shown = converse (fixture, "manifest publish w2.yaml", "[y/N]", "n\n", 6);
  assert_says (shown, "no manifest is active now");
}

static void
test_many (Fixture *fixture, gconstpointer data)
{
  author (fixture, "w1.yaml", "w1", 0, 100, 1);
  g_free (publish (fixture, "w1.yaml"));
  author (fixture, "many.yaml", "w1", 0, 100, 100);
  g_autofree char *path = g_build_filename (fixture->home, "many.yaml", NULL), *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_autofree char *long_text = g_strnfill (5000, 'x');
  g_autofree char *with_long = g_strdup_printf ("%s\naaa: %s\n", text, long_text);
  g_assert_true (g_file_set_contents (path, with_long, -1, NULL));
  g_autofree char *shown = converse (fixture, "manifest publish many.yaml --supersede", "[y/N]", "n\n", 6);
  assert_says (shown, "more differences; `sv manifest diff` shows them all");
  assert_says (shown, "+ aaa: \"xxxx");
  assert_says (shown, "xxxx…");
  g_assert_cmpuint (strlen (shown), <, 16000);
  g_autofree char *whole = expect_out (SV (fixture, "manifest diff active many.yaml"), 0);
  assert_says (whole, long_text);
  assert_says_not (whole, "more differences");
}

#define ADD(name, function) g_test_add ("/cli/publish/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("shows, asks, and does it", test_yes);
  ADD ("does nothing without a yes", test_no);
  ADD ("does not ask where there is nothing to ask", test_nothing_to_ask);
  ADD ("keeps one document on standard output", test_json);
  ADD ("needs --yes without a terminal", test_no_terminal);
  ADD ("does only what was agreed to", test_changed_meanwhile);
  ADD ("asks once before an index is rebuilt", test_rebuild);
  ADD ("rebuilds and publishes after one question", test_rebuild_and_publish);
  ADD ("compares with what is active or replaced", test_what_is_compared);
  ADD ("says that none is active", test_no_active);
  ADD ("shows many changes in short", test_many);
  return g_test_run ();
}
