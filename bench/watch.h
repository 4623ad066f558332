/* Whether the machine itself keeps its pace while something is measured on it. A part of a virtual machine may at any moment be
 * given to others: a processor does the same work more slowly, or not at all for some milliseconds; a disk does not answer. */
#pragma once

#include <glib.h>

typedef struct
{
  double due;     /* when the request should have been sent, bench_now() */
  double latency; /* from then until its answer came, seconds */
} BenchAnswer;

typedef struct BenchWatch BenchWatch;

/* Begins to watch, until the program ends: the processor @core, on which a bare verification runs a hundred times a second, by
 * the processor time that it takes; and the disk that @file is on, to which a page is written two hundred times a second. The
 * file is removed at once. Says so on standard error where the system does not let one of them be watched. */
BenchWatch *bench_watch_new (guint core, const char *file);

/* What is judged: from when until when, what a verification took before, and what share of what can be done was asked for (0
 * where nobody asks before he is answered). */
typedef struct
{
  double from;
  double until;
  double pace; /* bench_watch_pace() */
  double load;
} BenchStretch;

/* Notes that all stood still, as somebody has noticed who wanted to be woken in between. */
void bench_watch_note_halt (BenchWatch *watch, double from, double until);

/* Returns: the processor time that a verification took between the two, in seconds; the median. */
double bench_watch_pace (BenchWatch *watch, double from, double until);

/* Adds the latencies, in seconds, of those @answers to @latencies that were due while the machine kept its pace: in whole
 * tenths of a second in which nothing stood still, and verifications took between 1/1.15 and 1.15 of the stretch's pace; and
 * not in those after one in which it faltered, as long as what has queued up takes at that load. Returns: seconds in which that
 * was so. */
double bench_watch_steady (BenchWatch *watch, const BenchStretch *stretch, const GArray *answers, GArray *latencies);
