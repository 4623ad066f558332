/* A terminal that no longer shows what is typed is a trap for its user, so echo comes back whichever way this ends: signals
 * that would end or stop the program are held up until the terminal is as it was, and then have their usual effect. */
#include "keys/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"

#define MAX_PASSPHRASE 1024
#define MIN_NEW_LENGTH 6 /* btcli's */

char *
sv_passphrase_variable (const char *path)
{
  g_autofree char *upper = g_utf8_validate (path, -1, NULL) ? g_utf8_strup (path, -1) : g_ascii_strup (path, -1);
  return g_strconcat ("BT_PW_", g_strdelimit (upper, "/.", '_'), NULL);
}

/* ---- environment ---- */

static SvSecret *
read_variable (const char *variable, const char *value, GError **error)
{
  gsize length = 0, size = strlen (value);
  g_autoptr (SvSecret) passphrase = sv_secret_alloc (size + 1);
  gboolean is_base64 =
      sodium_base642bin (passphrase, size, value, size, " \n", &length, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
  for (gsize i = 0; i < length; i++)
    passphrase[i] ^= (guint8)variable[i % strlen (variable)];
  if (is_base64 && length > 0 && g_utf8_validate ((char *)passphrase, (gssize)length, NULL))
    return g_steal_pointer (&passphrase);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "%s: not a passphrase as btcli keeps it (base64 of the passphrase XOR the variable's name)", variable);
  return NULL;
}

/* ---- terminal ---- */

static const int held_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };
static volatile sig_atomic_t caught;

static void
note_signal (int number)
{
  caught = number;
}

static void
hold_signals (struct sigaction before[G_N_ELEMENTS (held_signals)])
{
  struct sigaction action = { .sa_handler = note_signal }; /* without SA_RESTART: read() has to come back */
  sigemptyset (&action.sa_mask);
  caught = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (held_signals); i++)
    sigaction (held_signals[i], &action, &before[i]);
}

static void
let_signals_go (const struct sigaction before[G_N_ELEMENTS (held_signals)])
{
  for (gsize i = 0; i < G_N_ELEMENTS (held_signals); i++)
    sigaction (held_signals[i], &before[i], NULL);
  if (caught != 0)
    raise (caught);
}

/* Bytes up to the end of the line. FALSE when there is none, or when a signal came. */
static gboolean
read_line (int terminal, SvSecret *line)
{
  gsize length = 0;
  for (;;)
  {
    guint8 byte;
    gssize n = read (terminal, &byte, 1);
    if (n < 0 && errno == EINTR && caught == 0)
      continue;
    if (n <= 0)
      return FALSE;
    if (byte == '\n' || byte == '\r')
      break;
    if (length < MAX_PASSPHRASE)
      line[length++] = byte;
  }
  line[length] = '\0';
  return TRUE;
}

static void
show (int terminal, const char *text)
{
  gssize written = write (terminal, text, strlen (text));
  (void)written; /* who cannot see the question will not answer it */
}

static gboolean
ask_without_echo (int terminal, const char *question, SvSecret *answer)
{
  struct sigaction before[G_N_ELEMENTS (held_signals)];
  struct termios shown, hidden;
  gboolean ok;
  if (tcgetattr (terminal, &shown) != 0)
    return FALSE;
  hidden = shown;
  hidden.c_lflag = (hidden.c_lflag & ~(tcflag_t)(ECHO | ECHOE | ECHOK)) | ECHONL | ICANON | ISIG;
  do
  {
    hold_signals (before);
    tcsetattr (terminal, TCSAFLUSH, &hidden);
    show (terminal, question);
    ok = read_line (terminal, answer);
    tcsetattr (terminal, TCSAFLUSH, &shown);
    let_signals_go (before);
  } while (!ok && caught == SIGTSTP); /* asked again when the program goes on */
  return ok;
}

static gboolean
ask (int terminal, const char *path, const char *what, SvSecret *answer, GError **error)
{
  g_autofree char *printable = sv_text_printable (path);
  g_autofree char *question = g_strdup_printf ("%s of %s: ", what, printable);
  if (ask_without_echo (terminal, question, answer))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s: no passphrase was given", path);
  return FALSE;
}

static gboolean
confirm_new (int terminal, const char *path, const SvSecret *passphrase, GError **error)
{
  g_autoptr (SvSecret) again = sv_secret_alloc (MAX_PASSPHRASE + 1);
  if (!ask (terminal, path, "Once more, the passphrase", again, error))
    return FALSE;
  if (sodium_memcmp (passphrase, again, MAX_PASSPHRASE + 1) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s: the two passphrases differ; nothing was written", path);
  return FALSE;
}

static SvSecret *
ask_terminal (int terminal, const char *path, SvPassphraseUse use, GError **error)
{
  g_autoptr (SvSecret) passphrase = sv_secret_alloc (MAX_PASSPHRASE + 1);
  if (!ask (terminal, path, use == SV_PASSPHRASE_NEW ? "New passphrase" : "Passphrase", passphrase, error) ||
      (use == SV_PASSPHRASE_NEW && !confirm_new (terminal, path, passphrase, error)))
    return NULL;
  return g_steal_pointer (&passphrase);
}

/* ---- either ---- */

static SvSecret *
find_passphrase (const char *path, SvPassphraseUse use, GError **error)
{
  g_autofree char *variable = sv_passphrase_variable (path);
  const char *value = g_getenv (variable);
  if (value != NULL)
    return read_variable (variable, value, error);
  int terminal = open ("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "%s: there is no terminal to ask for the passphrase of this key file on; put it into the environment variable "
                 "%s, as base64 of the passphrase XOR the variable's name",
                 path, variable);
    return NULL;
  }
  SvSecret *passphrase = ask_terminal (terminal, path, use, error);
  close (terminal);
  return passphrase;
}

SvSecret *
sv_passphrase_get (const char *path, SvPassphraseUse use, GError **error)
{
  g_autoptr (SvSecret) passphrase = find_passphrase (path, use, error);
  if (passphrase == NULL || use == SV_PASSPHRASE_OPEN || strlen ((char *)passphrase) >= MIN_NEW_LENGTH)
    return g_steal_pointer (&passphrase);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s: a passphrase of fewer than %d bytes protects nothing", path,
               MIN_NEW_LENGTH);
  return NULL;
}
