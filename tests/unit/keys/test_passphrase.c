/* Cases: the variable's name; values as btcli keeps them, and what is none; a terminal: nothing typed is shown, new passphrases
 * are asked twice and must agree, an interrupted question gives the terminal its echo back, a secret is asked for as well; no
 * terminal: the message names the variable. */
#include "keys/passphrase.h"

#include <glib.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "keys/keypair.h"

#define SEED "0x9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define KEY_PATH "/w/.x/hotkeys/my-key"
#define VARIABLE "BT_PW__W__X_HOTKEYS_MY-KEY"

static void
test_name_of_the_variable (void)
{
  g_autofree char *variable = sv_passphrase_variable (KEY_PATH);
  g_assert_cmpstr (variable, ==, VARIABLE);
}

static void
assert_value (const char *value, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_setenv (VARIABLE, value, TRUE);
  g_autoptr (SvSecret) passphrase = sv_passphrase_get (KEY_PATH, SV_PASSPHRASE_OPEN, &error);
  g_unsetenv (VARIABLE);
  g_assert_no_error (error);
  g_assert_cmpstr ((char *)passphrase, ==, expected);
}

/* The values were made by a few lines of Python. */
static void
test_values_of_the_variable (void)
{
  assert_value ("ITstIjI8K3c3MCosLQ==", "correct horse");
  assert_value ("ITstIjI8K3c3MCosLQ==\n", "correct horse");
  assert_value ("I3QvMSQsLz8tPis6aDs8KjF5OixtNUIlIjwwdCs4NjF/Izc6eDEpIjFrKj9zNjkqDT0kKys1PTwyc3+U+w==",
                "a passphrase that is longer than the name of its variable, ä");
}

static void
assert_wrong (const char *value, SvPassphraseUse use, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_setenv (VARIABLE, value, TRUE);
  g_assert_null (sv_passphrase_get (KEY_PATH, use, &error));
  g_unsetenv (VARIABLE);
  g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
  g_assert_nonnull (strstr (error->message, message));
}

static void
test_values_that_are_none (void)
{
  assert_wrong ("", SV_PASSPHRASE_OPEN, VARIABLE ": not a passphrase as btcli keeps it");
  assert_wrong ("correct horse", SV_PASSPHRASE_OPEN, VARIABLE ": not a passphrase as btcli keeps it");
  assert_wrong ("gICAgA==", SV_PASSPHRASE_OPEN, VARIABLE ": not a passphrase as btcli keeps it");
  assert_wrong ("ITstLQ==", SV_PASSPHRASE_NEW, "fewer than 6 bytes");
}

/* ---- a terminal ---- */

/* In a process with a terminal of its own: the status tells whether @expected came out, or, for NULL, @message. */
static void
child (SvPassphraseUse use, const char *expected, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvSecret) passphrase = sv_passphrase_get (KEY_PATH, use, &error);
  gboolean right = expected != NULL ? g_strcmp0 ((char *)passphrase, expected) == 0
                                    : error != NULL && strstr (error->message, message) != NULL;
  if (!right)
    fprintf (stderr, "%s\n", error != NULL ? error->message : "another passphrase");
  _exit (right ? 0 : 1);
}

/* Reads until @wanted was shown. */
static void
wait_for (int terminal, GString *shown, const char *wanted)
{
  while (strstr (shown->str, wanted) == NULL)
  {
    char piece[256];
    gssize n = read (terminal, piece, sizeof piece);
    if (n <= 0)
      g_error ("\"%s\" did not come; the terminal showed \"%s\"", wanted, shown->str);
    g_string_append_len (shown, piece, n);
  }
}

/* Answers each question of @pid with the answer in its place; returns its wait status. */
static int
answer (pid_t pid, int terminal, const char *const *dialogue, GString *shown, struct termios *after)
{
  int status = 0;
  for (gsize i = 0; dialogue[i] != NULL; i += 2)
  {
    wait_for (terminal, shown, dialogue[i]);
    g_assert_cmpint (write (terminal, dialogue[i + 1], strlen (dialogue[i + 1])), ==, (gssize)strlen (dialogue[i + 1]));
  }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (tcgetattr (terminal, after), ==, 0);
  close (terminal);
  return status;
}

static int
talk (SvPassphraseUse use, const char *expected, const char *message, const char *const *dialogue, GString *shown,
      struct termios *after)
{
  int terminal = -1;
  pid_t pid = forkpty (&terminal, NULL, NULL, NULL);
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    child (use, expected, message);
  return answer (pid, terminal, dialogue, shown, after);
}

static void
assert_dialogue (SvPassphraseUse use, const char *expected, const char *message, const char *const *dialogue)
{
  g_autoptr (GString) shown = g_string_new (NULL);
  struct termios after;
  int status = talk (use, expected, message, dialogue, shown, &after);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_null (strstr (shown->str, "horse"));
  g_assert_true ((after.c_lflag & ECHO) != 0);
}

static void
test_questions_on_a_terminal (void)
{
  static const char *const once[] = { "Passphrase of " KEY_PATH ": ", "correct horse\n", NULL };
  static const char *const twice[] = { "New passphrase of " KEY_PATH ": ", "correct horse\n",
                                       "Once more, the passphrase of " KEY_PATH ": ", "correct horse\n", NULL };
  static const char *const differing[] = { "New passphrase of ", "correct horse\n", "Once more, ", "correct  horse\n", NULL };
  static const char *const nothing[] = { "Passphrase of ", "\x04", NULL };
  static const char *const brief[] = { "New passphrase of ", "horse\n", "Once more, ", "horse\n", NULL };
  g_autofree char *line = g_strnfill (1025, 'x');
  line[1024] = '\n'; /* the longest */
  const char *const longest[] = { "Passphrase of ", line, NULL };
  g_autofree char *more = g_strconcat ("x", line, NULL);
  const char *const too_long[] = { "Passphrase of ", more, NULL };
  g_autofree char *expected = g_strndup (line, 1024);
  assert_dialogue (SV_PASSPHRASE_OPEN, expected, NULL, longest);
  assert_dialogue (SV_PASSPHRASE_OPEN, NULL, "or one of more than 1024 bytes", too_long);
  assert_dialogue (SV_PASSPHRASE_OPEN, "correct horse", NULL, once);
  assert_dialogue (SV_PASSPHRASE_NEW, "correct horse", NULL, twice);
  assert_dialogue (SV_PASSPHRASE_NEW, NULL, "the two passphrases differ", differing);
  assert_dialogue (SV_PASSPHRASE_OPEN, NULL, "no passphrase was given", nothing);
  assert_dialogue (SV_PASSPHRASE_NEW, NULL, "fewer than 6 bytes", brief);
}

static void
test_a_secret_typed_on_a_terminal (void)
{
  static const char *const dialogue[] = { "Seed, phrase or private key (it will not be shown): ", SEED "\n", NULL };
  g_autoptr (GString) shown = g_string_new (NULL);
  struct termios after;
  int terminal = -1;
  pid_t pid = forkpty (&terminal, NULL, NULL, NULL);
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
  {
    SvKeyImport import = { 0 };
    g_autoptr (SvKeypair) keypair = sv_key_import (NULL, &import, NULL);
    _exit (keypair != NULL ? 0 : 1);
  }
  int status = answer (pid, terminal, dialogue, shown, &after);
  g_assert_cmpint (status, ==, 0);
  g_assert_null (strstr (shown->str, "9d61"));
  g_assert_true ((after.c_lflag & ECHO) != 0);
}

static void
test_an_interrupted_question (void)
{
  static const char *const dialogue[] = { "Passphrase of ", "corr\x03", NULL };
  g_autoptr (GString) shown = g_string_new (NULL);
  struct termios after;
  int status = talk (SV_PASSPHRASE_OPEN, NULL, "", dialogue, shown, &after);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGINT);
  g_assert_true ((after.c_lflag & ECHO) != 0);
}

static void
test_without_a_terminal (void)
{
  int status = 0;
  pid_t pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
  {
    setsid ();
    child (SV_PASSPHRASE_OPEN, NULL, "put it into the environment variable " VARIABLE ",");
  }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/passphrase/name-of-the-variable", test_name_of_the_variable);
  g_test_add_func ("/passphrase/values-of-the-variable", test_values_of_the_variable);
  g_test_add_func ("/passphrase/values-that-are-none", test_values_that_are_none);
  g_test_add_func ("/passphrase/questions-on-a-terminal", test_questions_on_a_terminal);
  g_test_add_func ("/passphrase/a-secret-typed-on-a-terminal", test_a_secret_typed_on_a_terminal);
  g_test_add_func ("/passphrase/an-interrupted-question", test_an_interrupted_question);
  g_test_add_func ("/passphrase/without-a-terminal", test_without_a_terminal);
  return g_test_run ();
}
