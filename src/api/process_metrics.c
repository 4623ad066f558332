/* Read from /proc when somebody asks; what cannot be read there is left out. */
#include "api/process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/exposition.h"

#define STARTED 20 /* of the fields of /proc/self/stat behind the command's name, from 1: since boot, in ticks */

static void
write_build (GString *out)
{
  sv_metrics_write_family (out, "sv_build_info", "gauge", "Always 1; the label tells the version.");
  sv_metrics_write_value (out, "sv_build_info", 1, "version", SV_VERSION, NULL);
}

static void
write_cpu (GString *out)
{
  struct timespec used;
  if (clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used) == 0)
    sv_metrics_write_sample (out, "process_cpu_seconds_total", "counter", "Processor time, of user and system.",
                             (double)used.tv_sec + (double)used.tv_nsec * 1e-9);
}

static void
write_memory (GString *out)
{
  unsigned long size, resident;
  g_autofree char *text = NULL;
  double page = (double)sysconf (_SC_PAGESIZE);
  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL) || sscanf (text, "%lu %lu", &size, &resident) != 2)
    return;
  sv_metrics_write_sample (out, "process_resident_memory_bytes", "gauge", "Memory in use.", (double)resident * page);
  sv_metrics_write_sample (out, "process_virtual_memory_bytes", "gauge", "Address space in use.", (double)size * page);
}

/* New kernels tell the number without a walk. 0: it cannot be read. */
static guint64
count_files (void)
{
  struct stat facts;
  guint64 n = 0;
  if (stat ("/proc/self/fd", &facts) == 0 && facts.st_size > 0)
    return (guint64)facts.st_size;
  DIR *folder = opendir ("/proc/self/fd");
  if (folder == NULL)
    return 0;
  for (const struct dirent *entry = readdir (folder); entry != NULL; entry = readdir (folder))
    n += entry->d_name[0] != '.' ? 1 : 0;
  closedir (folder);
  return n - 1; /* the folder itself */
}

static void
write_files (GString *out)
{
  struct rlimit files;
  guint64 n = count_files ();
  if (n > 0)
    sv_metrics_write_sample (out, "process_open_fds", "gauge", "Open files, connections among them.", (double)n);
  if (getrlimit (RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
    sv_metrics_write_sample (out, "process_max_fds", "gauge", "Files that may be open.", (double)files.rlim_cur);
}

/* Ticks after boot at which the process was started; the command's name may have spaces and brackets in it. */
static gboolean
read_start (guint64 *ticks)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents ("/proc/self/stat", &text, NULL, NULL) || strrchr (text, ')') == NULL)
    return FALSE;
  g_auto (GStrv) fields = g_strsplit (strrchr (text, ')') + 1, " ", STARTED + 2);
  return g_strv_length (fields) > STARTED && g_ascii_string_to_unsigned (fields[STARTED], 10, 0, G_MAXUINT64, ticks, NULL);
}

static void
write_start (GString *out)
{
  guint64 ticks, booted_s;
  g_autofree char *text = NULL;
  const char *line = NULL;
  if (read_start (&ticks) && g_file_get_contents ("/proc/stat", &text, NULL, NULL))
    line = strstr (text, "\nbtime ");
  if (line == NULL)
    return;
  booted_s = g_ascii_strtoull (line + strlen ("\nbtime "), NULL, 10);
  sv_metrics_write_sample (out, "process_start_time_seconds", "gauge", "When the process was started (Unix time).",
                           (double)booted_s + (double)ticks / (double)sysconf (_SC_CLK_TCK));
}

void
sv_process_metrics_write (GString *out)
{
  write_build (out);
  write_cpu (out);
  write_memory (out);
  write_files (out);
  write_start (out);
}
