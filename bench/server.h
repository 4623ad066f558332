/* Servers that are started, measured and stopped. */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct
{
  pid_t pid;
  guint port;
  double ready; /* seconds from its start until /readyz was 200 */
} BenchServer;

/* Runs @command (words) on processor @core, standard error into @log, and waits until /readyz on 127.0.0.1:@port answers 200. A
 * server that ends, or is not ready within a minute, ends the program. */
BenchServer bench_server_start (char **command, guint core, guint port, const char *log);
/* By SIGTERM; anything but exit status 0 ends the program. */
void bench_server_stop (BenchServer *server);

typedef struct
{
  double rss_mib;
  double pss_mib; /* shared pages by the number of processes that share them */
} BenchMemory;

BenchMemory bench_server_memory (pid_t pid);

/* GETs @path over a connection of its own. Returns: the status, 0 where there is no connection. */
guint bench_get (guint port, const char *path);
