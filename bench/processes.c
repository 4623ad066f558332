#include "processes.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rounds.h"

static double
seconds (const struct timeval *time)
{
  return (double)time->tv_sec + (double)time->tv_usec * 1e-6;
}

BenchProcess
bench_run (char **command)
{
  pid_t pid;
  int status;
  struct rusage usage;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_addopen (&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  double began = bench_now ();
  int code = posix_spawnp (&pid, command[0], &actions, NULL, command, environ);
  if (code != 0)
    bench_fail ("%s: %s", command[0], g_strerror (code));
  while (wait4 (pid, &status, 0, &usage) < 0 && errno == EINTR)
    ;
  double elapsed = bench_now () - began;
  posix_spawn_file_actions_destroy (&actions);
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    bench_fail ("%s did not end with exit status 0", command[0]);
  return (BenchProcess){ elapsed, seconds (&usage.ru_utime) + seconds (&usage.ru_stime), usage.ru_maxrss };
}
