/* A page takes a disk a fraction of a millisecond, and behind half a megabyte of others one or two. One that takes longer than
 * STILL_SECONDS has met a disk that did nothing for anybody. What is found is the least: a halt that begins and ends between
 * two pages is not seen, and of the others only what is left of them when the page comes. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "rounds.h"

#define PAGE_SIZE 4096
#define PERIOD_US 20000
#define STILL_SECONDS 0.005

struct BenchDisk
{
  char *file;
  int fd;
  GThread *thread;
  gint is_over; /* atomic */
  double stood_still;
};

static double
write_page (int fd)
{
  static const char page[PAGE_SIZE];
  double began = bench_now ();
  if (pwrite (fd, page, sizeof page, 0) != (gssize)sizeof page || fdatasync (fd) != 0)
    bench_fail ("a page cannot be written: %s", g_strerror (errno));
  return bench_now () - began;
}

static gpointer
run (gpointer data)
{
  BenchDisk *disk = data;
  while (!g_atomic_int_get (&disk->is_over))
  {
    double seconds = write_page (disk->fd);
    if (seconds > STILL_SECONDS)
      disk->stood_still += seconds;
    g_usleep (PERIOD_US);
  }
  return NULL;
}

BenchDisk *
bench_disk_watch (const char *file)
{
  BenchDisk *disk = g_new0 (BenchDisk, 1);
  disk->file = g_strdup (file);
  disk->fd = open (file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (disk->fd < 0)
    bench_fail ("%s: %s", file, g_strerror (errno));
  write_page (disk->fd);
  disk->thread = g_thread_new ("disk", run, disk);
  return disk;
}

double
bench_disk_end (BenchDisk *disk)
{
  g_atomic_int_set (&disk->is_over, 1);
  g_thread_join (disk->thread);
  close (disk->fd);
  unlink (disk->file);
  double stood_still = disk->stood_still;
  g_free (disk->file);
  g_free (disk);
  return stood_still;
}
