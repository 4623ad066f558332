/* A terminal that no longer shows what is typed is a trap for its user, so echo comes back whichever way this ends: signals
 * that would end or stop the program are held up until the terminal is as it was, and then have their usual effect. */
#include "keys/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

typedef struct
{
  struct sigaction actions[G_N_ELEMENTS (held_signals)]; /* as they were */
  sigset_t mask;                                         /* as it was */
  sigset_t waiting;                                      /* while we wait for the terminal */
} Signals;

static void
note_signal (int number)
{
  caught = number;
}

/* They stay blocked but for the time of a ppoll(), so that none can come between a look at `caught` and waiting. */
static void
hold_signals (Signals *signals)
{
  struct sigaction action = { .sa_handler = note_signal };
  sigset_t held;
  sigemptyset (&action.sa_mask);
  sigemptyset (&held);
  for (gsize i = 0; i < G_N_ELEMENTS (held_signals); i++)
    sigaddset (&held, held_signals[i]);
  caught = 0;
  pthread_sigmask (SIG_BLOCK, &held, &signals->mask);
  signals->waiting = signals->mask;
  for (gsize i = 0; i < G_N_ELEMENTS (held_signals); i++)
  {
    sigdelset (&signals->waiting, held_signals[i]);
    sigaction (held_signals[i], &action, &signals->actions[i]);
  }
}

static void
let_signals_go (const Signals *signals)
{
  for (gsize i = 0; i < G_N_ELEMENTS (held_signals); i++)
    sigaction (held_signals[i], &signals->actions[i], NULL);
  pthread_sigmask (SIG_SETMASK, &signals->mask, NULL);
  if (caught != 0)
    raise (caught);
}

/* One byte of a line that is whole, or -1 at the end, on an error, and when a signal came. */
static int
read_byte (int terminal, const Signals *signals)
{
  struct pollfd wanted = { .fd = terminal, .events = POLLIN };
  guint8 byte;
  while (caught == 0 && ppoll (&wanted, 1, NULL, &signals->waiting) < 0)
    if (errno != EINTR)
      return -1;
  return caught == 0 && read (terminal, &byte, 1) == 1 ? byte : -1;
}

/* Bytes up to the end of the line. FALSE when there is none, when it is too long, or when a signal came. */
static gboolean
read_line (int terminal, const Signals *signals, SvSecret *line)
{
  gsize length = 0;
  int byte;
  sodium_memzero (line, MAX_PASSPHRASE + 1);
  while ((byte = read_byte (terminal, signals)) >= 0 && byte != '\n' && byte != '\r')
  {
    if (length < MAX_PASSPHRASE)
      line[length] = (guint8)byte;
    length++;
  }
  return byte >= 0 && length <= MAX_PASSPHRASE;
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
  Signals signals;
  struct termios shown, hidden;
  gboolean ok;
  if (tcgetattr (terminal, &shown) != 0)
    return FALSE;
  hidden = shown;
  hidden.c_lflag = (hidden.c_lflag & ~(tcflag_t)(ECHO | ECHOE | ECHOK)) | ECHONL | ICANON | ISIG;
  do
  {
    hold_signals (&signals);
    tcsetattr (terminal, TCSAFLUSH, &hidden);
    show (terminal, question);
    ok = read_line (terminal, &signals, answer);
    tcsetattr (terminal, TCSAFLUSH, &shown);
    let_signals_go (&signals);
  } while (!ok && caught == SIGTSTP); /* asked again when the program goes on */
  return ok;
}

SvSecret *
sv_secret_ask (int terminal, const char *question)
{
  g_autoptr (SvSecret) line = sv_secret_alloc (MAX_PASSPHRASE + 1);
  return ask_without_echo (terminal, question, line) ? g_steal_pointer (&line) : NULL;
}

static gboolean
ask (int terminal, const char *path, const char *what, SvSecret *answer, GError **error)
{
  g_autofree char *printable = sv_text_printable (path);
  g_autofree char *question = g_strdup_printf ("%s of %s: ", what, printable);
  if (ask_without_echo (terminal, question, answer))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s: no passphrase was given, or one of more than %d bytes", path,
               MAX_PASSPHRASE);
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

static gint never_asks; /* atomic */

void
sv_passphrase_never_ask (void)
{
  g_atomic_int_set (&never_asks, 1);
}

static SvSecret *
find_passphrase (const char *path, SvPassphraseUse use, GError **error)
{
  g_autofree char *variable = sv_passphrase_variable (path);
  const char *value = g_getenv (variable);
  if (value != NULL)
    return read_variable (variable, value, error);
  int terminal = g_atomic_int_get (&never_asks) ? -1 : open ("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
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
