/* Keep-alive connections that are driven as fast as their server answers. */
#pragma once

#include <glib.h>

/* Sends @requests (strings) over @n connections to 127.0.0.1:@port, one at a time on each, and waits for all answers. An answer
 * that is not 200 ends the program and is shown. @latencies, of doubles in seconds, gets each answer's. Returns: seconds. */
double bench_drive (guint port, guint n, const GPtrArray *requests, GArray *latencies);
