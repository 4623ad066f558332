#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rounds.h"

#define READY_SECONDS 60
#define POLL_US 500

static pid_t
start (char **command, guint core, const char *log)
{
  pid_t pid = fork ();
  if (pid < 0)
    bench_fail ("%s: %s", command[0], g_strerror (errno));
  if (pid > 0)
    return pid;
  prctl (PR_SET_PDEATHSIG, SIGTERM); /* it ends with a measurement that fails */
  int fd = open (log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (fd < 0 || dup2 (fd, STDERR_FILENO) < 0)
    _exit (126);
  bench_pin (core);
  execvp (command[0], command);
  _exit (127);
}

static int
open_connection (guint port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((guint16)port) };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect (fd, (struct sockaddr *)(gpointer)&address, sizeof address) == 0)
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
}

guint
bench_get (guint port, const char *path)
{
  char answer[64];
  int fd = open_connection (port);
  if (fd < 0)
    return 0;
  g_autofree char *request = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path);
  gssize n = send (fd, request, strlen (request), MSG_NOSIGNAL) > 0 ? recv (fd, answer, sizeof answer - 1, MSG_WAITALL) : 0;
  close (fd);
  answer[MAX (n, 0)] = '\0';
  return g_str_has_prefix (answer, "HTTP/1.1 ") ? (guint)atoi (answer + strlen ("HTTP/1.1 ")) : 0;
}

BenchServer
bench_server_start (char **command, guint core, guint port, const char *log)
{
  if (bench_get (port, "/readyz") != 0)
    bench_fail ("something listens on port %u already", port);
  double began = bench_now ();
  BenchServer server = { .pid = start (command, core, log), .port = port };
  while (bench_get (port, "/readyz") != 200)
  {
    if (waitpid (server.pid, NULL, WNOHANG) != 0 || bench_now () - began > READY_SECONDS)
      bench_fail ("%s does not become ready; see %s", command[0], log);
    g_usleep (POLL_US);
  }
  server.ready = bench_now () - began;
  return server;
}

void
bench_server_stop (BenchServer *server)
{
  int status;
  kill (server->pid, SIGTERM);
  while (waitpid (server->pid, &status, 0) < 0)
    if (errno != EINTR)
      bench_fail ("the server was not started here");
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    bench_fail ("the server did not end with exit status 0");
}

static double
field_mib (const char *text, const char *name)
{
  const char *field = strstr (text, name);
  return field != NULL ? g_ascii_strtod (field + strlen (name), NULL) / 1024 : 0;
}

BenchMemory
bench_server_memory (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/smaps_rollup", (int)pid);
  g_autofree char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    bench_fail ("%s cannot be read", path);
  return (BenchMemory){ field_mib (text, "\nRss:"), field_mib (text, "\nPss:") };
}
