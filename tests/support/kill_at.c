/* Kills the program at one of its durable steps, for tests of what a crash leaves behind. Loaded with LD_PRELOAD, it counts
 * every call that changes a file or makes a change durable; the program has no part in this. At the chosen step a write is cut
 * in half first, and nothing else of the step happens, so that looping over the steps shows every state a kill can leave.
 *
 * SV_KILL_CONTROL names a file of two 32-bit numbers in host order, mapped by program and test alike: the steps counted so
 * far, and the step to die at (0: none). A test arms a server that is already running by writing the second. */
#undef _FILE_OFFSET_BITS /* both pwrite and pwrite64 are defined here, each under its own name */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct
{
  _Atomic uint32_t count;
  _Atomic uint32_t target;
} Control;

static Control *control;

__attribute__ ((constructor)) static void
map_control (void)
{
  const char *path = getenv ("SV_KILL_CONTROL");
  int fd = path != NULL ? open (path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0)
    return;
  void *memory = mmap (NULL, sizeof (Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close (fd);
  control = memory != MAP_FAILED ? memory : NULL;
}

static int
is_due (void)
{
  if (control == NULL)
    return 0;
  uint32_t step = atomic_fetch_add (&control->count, 1) + 1;
  return step == atomic_load (&control->target);
}

static int
is_file (int fd)
{
  struct stat status;
  return fstat (fd, &status) == 0 && S_ISREG (status.st_mode);
}

static void
die (const char *step)
{
  dprintf (STDERR_FILENO, "killed at %s\n", step);
  kill (getpid (), SIGKILL);
  for (;;)
    pause ();
}

#define REAL(name) ((__typeof__ (&name))dlsym (RTLD_NEXT, #name))

/* A step that changes what a name leads to, or makes a change durable. */
#define STEP(name, parameters, ...)                                                                                            \
  int name parameters                                                                                                          \
  {                                                                                                                            \
    if (is_due ())                                                                                                             \
      die (#name);                                                                                                             \
    return REAL (name) (__VA_ARGS__);                                                                                          \
  }

STEP (rename, (const char *from, const char *to), from, to)
STEP (renameat, (int from_fd, const char *from, int to_fd, const char *to), from_fd, from, to_fd, to)
STEP (renameat2, (int from_fd, const char *from, int to_fd, const char *to, unsigned flags), from_fd, from, to_fd, to, flags)
STEP (link, (const char *from, const char *to), from, to)
STEP (linkat, (int from_fd, const char *from, int to_fd, const char *to, int flags), from_fd, from, to_fd, to, flags)
STEP (unlink, (const char *path), path)
STEP (unlinkat, (int fd, const char *path, int flags), fd, path, flags)
STEP (mkdir, (const char *path, mode_t mode), path, mode)
STEP (fsync, (int fd), fd)
STEP (fdatasync, (int fd), fd)
STEP (ftruncate, (int fd, off_t length), fd, length)
STEP (ftruncate64, (int fd, off64_t length), fd, length)

/* A write to a file, half of which arrives. */
#define WRITE(name, parameters, half, ...)                                                                                     \
  ssize_t name parameters                                                                                                      \
  {                                                                                                                            \
    if (is_file (fd) && is_due ())                                                                                             \
    {                                                                                                                          \
      if (REAL (name) half < 0)                                                                                                \
        perror (#name);                                                                                                        \
      die (#name);                                                                                                             \
    }                                                                                                                          \
    return REAL (name) (__VA_ARGS__);                                                                                          \
  }

WRITE (write, (int fd, const void *data, size_t length), (fd, data, length / 2), fd, data, length)
WRITE (pwrite, (int fd, const void *data, size_t length, off_t at), (fd, data, length / 2, at), fd, data, length, at)
WRITE (pwrite64, (int fd, const void *data, size_t length, off64_t at), (fd, data, length / 2, at), fd, data, length, at)
WRITE (writev, (int fd, const struct iovec *pieces, int n), (fd, pieces, n / 2), fd, pieces, n)
