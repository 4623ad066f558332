/* The evaluator is a child in a process group of its own, fed and drained by one poll loop, so that neither a full pipe nor a
 * child that never ends can hold the runner. When its time is over the whole group is killed. Its standard error is the
 * runner's, for whoever debugs it. */
#include "runner/evaluator.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/schema.h"
#include "protocol/latency.h"

typedef struct
{
  pid_t pid;
  int input, output; /* our ends; -1 when closed */
} Child;

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
become_evaluator (char **argv, int input, int output)
{
  setpgid (0, 0);
  signal (SIGPIPE, SIG_DFL);
  dup2 (input, STDIN_FILENO);
  dup2 (output, STDOUT_FILENO);
  execvp (argv[0], argv);
  _exit (127);
}

static gboolean
start (char **argv, Child *child, GError **error)
{
  int in[2] = { -1, -1 }, out[2] = { -1, -1 };
  if (pipe2 (in, O_CLOEXEC) != 0 || pipe2 (out, O_CLOEXEC) != 0 || (child->pid = fork ()) < 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "the evaluator cannot be started: %s", g_strerror (errno));
    for (int i = 0; i < 2; i++)
    {
      close_fd (&in[i]);
      close_fd (&out[i]);
    }
    return FALSE;
  }
  if (child->pid == 0)
    become_evaluator (argv, in[0], out[1]);
  setpgid (child->pid, child->pid);
  close (in[0]);
  close (out[1]);
  child->input = in[1];
  child->output = out[0];
  fcntl (child->input, F_SETFL, O_NONBLOCK);
  fcntl (child->output, F_SETFL, O_NONBLOCK);
  return TRUE;
}

static void
feed (Child *child, const char *data, gsize length, gsize *sent)
{
  ssize_t n = write (child->input, data + *sent, length - *sent);
  if (n > 0)
    *sent += (gsize)n;
  if (*sent == length || (n < 0 && errno != EAGAIN && errno != EINTR))
    close_fd (&child->input);
}

static void
drain (Child *child, GByteArray *output)
{
  guint8 piece[16384];
  ssize_t n = read (child->output, piece, sizeof piece);
  if (n > 0)
    g_byte_array_append (output, piece, (guint)n);
  else if (n == 0 || (errno != EAGAIN && errno != EINTR))
    close_fd (&child->output);
}

/* Until the child has closed its output. NULL, or what went wrong. */
static const char *
converse (Child *child, const char *data, gsize length, const SvEvaluator *evaluator, GByteArray *output)
{
  gint64 deadline = g_get_monotonic_time () + (gint64)evaluator->timeout_ms * 1000;
  gsize sent = 0;
  while (child->output >= 0)
  {
    gint64 left = (deadline - g_get_monotonic_time ()) / 1000;
    struct pollfd fds[] = { { .fd = child->output, .events = POLLIN }, { .fd = child->input, .events = POLLOUT } };
    if (left <= 0)
      return "took too long";
    if (poll (fds, 2, (int)MIN (left, 1000)) < 0 && errno != EINTR)
      return "cannot be waited for";
    if (fds[0].revents != 0)
      drain (child, output);
    if (child->input >= 0 && fds[1].revents != 0)
      feed (child, data, length, &sent);
    if (output->len > evaluator->max_output)
      return "printed too much";
  }
  return NULL;
}

/* Output is closed, but the child may still be there: it gets the rest of its time. */
static int
reap (pid_t pid, gboolean must_end)
{
  int status = 0;
  for (guint waited = 0; !must_end && waited < 2000; waited += 10)
  {
    if (waitpid (pid, &status, WNOHANG) == pid)
      return status;
    g_usleep (10000);
  }
  kill (-pid, SIGKILL);
  kill (pid, SIGKILL);
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  return status;
}

static gboolean
run (char **argv, const SvEvaluator *evaluator, GBytes *input, GByteArray *output, GError **error)
{
  Child child = { .input = -1, .output = -1 };
  gsize length;
  const char *data = g_bytes_get_data (input, &length);
  if (!start (argv, &child, error))
    return FALSE;
  const char *problem = converse (&child, data, length, evaluator, output);
  close_fd (&child.input);
  close_fd (&child.output);
  int status = reap (child.pid, problem != NULL);
  if (problem != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "the evaluator %s", problem);
  else if (WIFEXITED (status) && WEXITSTATUS (status) == 127)
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "the evaluator %s cannot be run; check SCOREVISION_EVALUATOR", argv[0]);
  else if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "the evaluator ended with %s %d", WIFEXITED (status) ? "status" : "signal",
                 WIFEXITED (status) ? WEXITSTATUS (status) : WTERMSIG (status));
  else
    return TRUE;
  return FALSE;
}

static json_t *
read_metrics (const GByteArray *output, const SvEvaluator *evaluator, const SvElement *element, GError **error)
{
  g_autoptr (json_t) json = sv_json_parse ("the evaluator's output", output->data, output->len, evaluator->max_output, error);
  if (json == NULL)
    return NULL;
  json_t *metrics = json_object_get (json, "metrics");
  double score;
  if (sv_score_weighted (metrics, element, &score))
    return json_incref (metrics);
  g_autoptr (GString) pillars = g_string_new (NULL);
  for (gsize i = 0; i < element->n_pillars; i++)
    g_string_append_printf (pillars, "%s%s", i > 0 ? ", " : "", element->pillars[i].name);
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
               "the evaluator's metrics are not exactly the pillars of %s (%s), each a number from 0 to 1", element->id,
               pillars->str);
  return NULL;
}

json_t *
sv_evaluate (const SvEvaluator *evaluator, const json_t *input, const SvElement *element, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_auto (GStrv) argv = NULL;
  if (!g_shell_parse_argv (evaluator->command, NULL, &argv, &local))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "SCOREVISION_EVALUATOR cannot be read as a command: %s", local->message);
    return NULL;
  }
  g_autoptr (GBytes) bytes = sv_json_canonical (input, error);
  g_autoptr (GByteArray) output = g_byte_array_new ();
  if (bytes == NULL || !run (argv, evaluator, bytes, output, error))
    return NULL;
  return read_metrics (output, evaluator, element, error);
}
