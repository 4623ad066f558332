/* Whole processes, from their start to their end. */
#pragma once

#include <glib.h>

typedef struct
{
  double elapsed;    /* seconds */
  double cpu;        /* seconds, of user and system */
  glong max_rss_kib; /* the most memory that it had at a time */
} BenchProcess;

/* Runs @command (words) with standard output to /dev/null; anything but exit status 0 ends the program. */
BenchProcess bench_run (char **command);
