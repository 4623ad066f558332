/* How long a disk keeps somebody waiting who writes one page and has it made durable, while others use the disk too. */
#pragma once

#include <glib.h>

typedef struct BenchDisk BenchDisk;

/* Begins to write a page of @file, fifty times a second, in a thread of its own. */
BenchDisk *bench_disk_watch (const char *file);

/* Ends that, and removes the file. Returns: for how many seconds the disk stood still. */
double bench_disk_end (BenchDisk *disk);
