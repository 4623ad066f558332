/* `sv serve`: the Challenge API in the foreground, until SIGTERM or SIGINT. Both are blocked before any thread exists, so that
 * this thread alone receives them, by waiting. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "api/server.h"
#include "base/error.h"
#include "base/log.h"
#include "base/log_library.h"
#include "cli/commands.h"

/* Every connection is a file; what the system allows is taken. */
static void
raise_file_limit (void)
{
  struct rlimit files;
  if (getrlimit (RLIMIT_NOFILE, &files) != 0)
    return;
  files.rlim_cur = files.rlim_max;
  setrlimit (RLIMIT_NOFILE, &files);
}

static void
announce (const SvContext *context, const SvServer *server)
{
  const SvConfig *config = context->config;
  g_autofree char *windows = sv_server_windows (server);
  g_autofree char *chain = sv_config_get_shown (config, "BITTENSOR_SUBTENSOR_ENDPOINT");
  g_autofree char *store = sv_config_get_shown (config, "SCOREVISION_STORE");
  g_autofree char *database = sv_config_get_shown (config, "SCOREVISION_DATABASE");
  sv_log ("info", "listening", "url", sv_server_url (server), "chain", chain, "store", store, "database", database, "windows",
          windows, NULL);
  if (context->is_terminal)
    fprintf (stderr, "Serving challenges at %s; Ctrl-C finishes what is in flight and stops.\n", sv_server_url (server));
  if (context->as_json)
    sv_print_json (json_pack ("{s:s}", "url", sv_server_url (server)));
  fflush (stdout);
}

/* Where the log is read by programs the reason is an event like all others, else the line that any command ends with. */
static int
fail_to_start (const SvContext *context, GError **error)
{
  int status = sv_error_exit_status (*error);
  if (sv_log_format () != SV_LOG_JSON)
    return status;
  sv_log ("error", "not started", "reason", (*error)->message, NULL);
  if (context->as_json)
    sv_print_json (json_pack ("{s:{s:i,s:s}}", "error", "exit_status", status, "message", (*error)->message));
  g_clear_error (error);
  return status;
}

static int
run_serve (SvContext *context, int argc, char **argv, GError **error)
{
  int received;
  sigset_t signals;
  if (!sv_check_arguments (argc, 0, 0, "", error))
    return 2;
  sigemptyset (&signals);
  sigaddset (&signals, SIGTERM);
  sigaddset (&signals, SIGINT);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
  raise_file_limit ();
  sv_log_take_library_messages ();
  g_autoptr (SvServer) server = sv_server_start (context->config, NULL, error);
  if (server == NULL)
    return fail_to_start (context, error);
  announce (context, server);
  sigwait (&signals, &received);
  sv_log ("info", "stopping", "signal", received == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
  g_clear_pointer (&server, sv_server_stop);
  sv_log ("info", "stopped", NULL);
  return 0;
}

const SvCommand sv_serve_commands[] = {
  {
      .group = "serve",
      .usage = "",
      .summary = "run the Challenge API",
      .details = "Listens on SCOREVISION_LISTEN and answers until SIGTERM or Ctrl-C, which finish what is in flight.\n"
                 "Clips come from SCOREVISION_STORE (file: or s3:) and from the clips registered with `sv clip add`;\n"
                 "manifests are trusted as SCOREVISION_MANIFEST_SIGNERS says. Behind a proxy set SCOREVISION_API to the\n"
                 "public URL and SCOREVISION_TRUSTED_PROXIES to the proxy's address. /openapi.json describes the API,\n"
                 "/readyz tells whether it can serve, /metrics has numbers for Prometheus.",
      .example = "  sv serve --listen 127.0.0.1:8080 --signers 5F…\n"
                 "  SCOREVISION_VALIDATORS=chain:permit sv serve --listen :8080 --api https://api.example.org",
      .run = run_serve,
  },
  { .group = NULL },
};
