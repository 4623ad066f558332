/* Keep-alive connections that are driven as fast as their server answers, or by a clock. */
#pragma once

#include "watch.h"

#define BENCH_STATUS_MAX 599

/* Sends @requests (strings) over @n connections to 127.0.0.1:@port, one at a time on each, and waits for all answers.
 * @answers gets a BenchAnswer for each. @statuses, BENCH_STATUS_MAX + 1 of them, counts the answers by status;
 * with NULL one that is not 200 ends the program and is shown. Returns: seconds. */
double bench_drive (guint port, guint n, const GPtrArray *requests, GArray *answers, guint *statuses);

/* The same, but the requests come by a clock, @per_second of them, whether or not the server has answered the ones before: one
 * that finds all @n connections busy waits for one. A latency counts from when its request was due, so that a stall is seen by
 * all who would have come in it. @watch, if there is one, is told where the client was kept from waking.
 * Returns: when the clock began, bench_now(). */
double bench_drive_at (guint port, guint n, const GPtrArray *requests, double per_second, GArray *answers, guint *statuses,
                       BenchWatch *watch);

/* Returns: (transfer full) the latencies of @answers, in seconds. */
GArray *bench_latencies (const GArray *answers);

/* A connection for each of @requests, which has had its answer and is kept; from several addresses of loopback, so that no
 * limit for one address ends it. Where the server takes no more, that ends it. Returns: (transfer full) their descriptors. */
GArray *bench_open_idle (guint port, const GPtrArray *requests);
/* How many of them the server still holds; closes all. */
guint bench_close_idle (GArray *descriptors);
