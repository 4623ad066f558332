/* `sv serve`: the Challenge API in the foreground, until SIGTERM or SIGINT; SIGHUP reads the configuration again. All three are
 * blocked before any thread exists, and one thread takes them, so that who stops a server that is still starting does not wait
 * for what it waits for. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/config_check.h"
#include "api/succession.h"
#include "base/error.h"
#include "base/http_client.h"
#include "base/log.h"
#include "base/log_library.h"
#include "cli/commands.h"
#include "cli/serve_check.h"
#include "cli/service_manager.h"

#define PATIENCE_MS 5000 /* with servers that are being asked for something when this one is to stop */

static gboolean opt_check_config;

static const GOptionEntry serve_options[] = {
  { "check-config", 0, 0, G_OPTION_ARG_NONE, &opt_check_config, "check all settings and what they lead to; serve nothing",
    NULL },
  G_OPTION_ENTRY_NULL,
};

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

static const char *
what_it_does (const char *windows)
{
  return strcmp (windows, SV_WINDOWS_NOT_READ) != 0 ? "Serving challenges" : "Waiting for the manifest index (see the log)";
}

static void
announce (const SvConfig *config, const SvServer *server)
{
  g_autofree char *windows = sv_server_windows (server);
  g_autofree char *chain = sv_config_get_shown (config, "BITTENSOR_SUBTENSOR_ENDPOINT");
  g_autofree char *store = sv_config_get_shown (config, "SCOREVISION_STORE");
  g_autofree char *database = sv_config_get_shown (config, "SCOREVISION_DATABASE");
  sv_log ("info", "listening", "version", SV_VERSION, "url", sv_server_url (server), "chain", chain, "store", store, "database",
          database, "windows", windows, NULL);
  g_autofree char *state = g_strdup_printf ("READY=1\nSTATUS=%s at %s", what_it_does (windows), sv_server_url (server));
  sv_tell_service_manager (state);
}

static void
greet (const SvContext *context, const SvServer *server)
{
  g_autofree char *windows = sv_server_windows (server);
  announce (context->config, server);
  if (context->is_terminal)
    fprintf (stderr, "%s at %s; Ctrl-C finishes what is in flight and stops.\n", what_it_does (windows),
             sv_server_url (server));
  if (context->as_json)
    sv_print_json (json_pack ("{s:s}", "url", sv_server_url (server)));
  fflush (stdout);
}

/* ── signals ── */

typedef struct
{
  sigset_t set;
  gboolean is_terminal;
  GAsyncQueue *received; /* numbers, in the order of their coming */
  gint is_serving;       /* atomic: something may be in flight, and gets a while */
  gint is_stopping;      /* atomic */
} Signals;

/* SIGHUP also says that the terminal was closed in which the server was started: then nobody is there any more who wants it. */
static gboolean
is_reload (const Signals *signals, int number)
{
  return number == SIGHUP && !(signals->is_terminal && !isatty (STDERR_FILENO));
}

/* The first one to say so. */
static void
begin_to_stop (Signals *signals, int number)
{
  if (!g_atomic_int_compare_and_exchange (&signals->is_stopping, FALSE, TRUE))
    return;
  sv_log ("info", "stopping", "signal", number == SIGTERM ? "SIGTERM" : number == SIGINT ? "SIGINT" : "SIGHUP", NULL);
  sv_tell_service_manager ("STOPPING=1\nSTATUS=Finishing what is in flight");
  sv_http_give_up_after (g_atomic_int_get (&signals->is_serving) ? PATIENCE_MS : 0);
}

static gpointer
take_signals (gpointer data)
{
  Signals *signals = data;
  int number;
  while (sigwait (&signals->set, &number) == 0)
  {
    if (!is_reload (signals, number))
      begin_to_stop (signals, number);
    g_async_queue_push (signals->received, GINT_TO_POINTER (number));
  }
  return NULL;
}

/* Lives as long as the process, since its thread does. */
static Signals *
begin_to_take_signals (const SvContext *context)
{
  static Signals signals;
  signals.is_terminal = context->is_terminal;
  signals.received = g_async_queue_new ();
  sigemptyset (&signals.set);
  sigaddset (&signals.set, SIGTERM);
  sigaddset (&signals.set, SIGINT);
  sigaddset (&signals.set, SIGHUP);
  pthread_sigmask (SIG_BLOCK, &signals.set, NULL);
  g_thread_unref (g_thread_new ("signals", take_signals, &signals));
  return &signals;
}

/* Waits for one. FALSE: it is to stop. Of several wishes to reload one is enough. */
static gboolean
await_reload (Signals *signals)
{
  gpointer number = g_async_queue_pop (signals->received);
  while (number != NULL && !g_atomic_int_get (&signals->is_stopping))
    number = g_async_queue_try_pop (signals->received);
  return !g_atomic_int_get (&signals->is_stopping);
}

/* While a new server becomes ready, who wants to stop need not wait for it, nor who has corrected the file meanwhile. */
static gboolean
is_given_up (gpointer data)
{
  return g_async_queue_length (((const Signals *)data)->received) > 0;
}

/* ── SIGHUP ── */

/* Every fault, so that one edit is enough. */
static gboolean
check_form (const SvConfig *config)
{
  g_autoptr (GPtrArray) results = sv_config_check_form (config);
  for (guint i = 0; i < results->len; i++)
  {
    const SvCheckResult *result = results->pdata[i];
    if (result->outcome == SV_CHECK_WRONG)
      sv_log ("error", "configuration", "setting", result->setting, "origin", sv_check_result_origin (result, config), "reason",
              result->message, NULL);
  }
  return sv_check_results_status (results) == 0;
}

/* That somebody has sent another signal meanwhile is no fault. */
static void
refuse_reload (const GError *error, gboolean is_fault)
{
  sv_log (is_fault ? "error" : "info", "not reloaded", "reason",
          error != NULL ? error->message : "the settings named above are wrong", "now", "the configuration from before goes on",
          NULL);
  sv_tell_service_manager (
      "READY=1\nSTATUS=Not reloaded: the new configuration is wrong, see the log; the one from before goes on");
}

/* What flags have set stays; the file is read again, and taken as a whole or not at all. */
static void
reload (const SvConfig *started_with, Signals *signals, SvSuccession *succession)
{
  g_autoptr (GError) error = NULL;
  sv_log ("info", "reloading", NULL);
  sv_tell_service_manager ("RELOADING=1\nSTATUS=Reading the configuration again");
  g_autoptr (SvConfig) config = sv_config_read_again (started_with);
  if (!check_form (config) || !sv_succession_replace (succession, config, is_given_up, signals, &error))
  {
    refuse_reload (error, !is_given_up (signals));
    return;
  }
  gboolean is_set = sv_set_log_format (config, NULL);
  g_assert (is_set); /* its form has been checked */
  sv_log ("info", "reloaded", "file", sv_config_get (config, "SCOREVISION_CONFIG"), NULL);
  announce (config, sv_succession_server (succession));
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
  if (!sv_check_arguments (argc, 0, 0, "sv serve [--check-config]", error))
    return 2;
  if (opt_check_config)
    return sv_check_serve (context);
  if (!sv_config_check (context->config, error) || !sv_set_log_format (context->config, error))
    return 2;
  Signals *signals = begin_to_take_signals (context);
  raise_file_limit ();
  sv_log_take_library_messages ();
  g_autoptr (SvSuccession) succession = sv_succession_start (context->config, NULL, error);
  if (succession == NULL)
    return fail_to_start (context, error);
  g_atomic_int_set (&signals->is_serving, TRUE);
  if (!g_atomic_int_get (&signals->is_stopping))
    greet (context, sv_succession_server (succession));
  while (await_reload (signals))
    reload (context->config, signals, succession);
  g_clear_pointer (&succession, sv_succession_stop);
  sv_log ("info", "stopped", NULL);
  return 0;
}

const SvCommand sv_serve_commands[] = {
  {
      .group = "serve",
      .usage = "[--check-config]",
      .summary = "run the Challenge API",
      .details =
          "Listens on SCOREVISION_LISTEN and answers until SIGTERM or Ctrl-C, which finish what is in flight.\n"
          "Clips come from SCOREVISION_STORE (file: or s3:) and from the clips registered with `sv clip add`;\n"
          "manifests are trusted as SCOREVISION_MANIFEST_SIGNERS says. What is handed out is recorded in\n"
          "SCOREVISION_DATABASE: sqlite:PATH, or postgresql://…, which any number of servers share. Behind a proxy\n"
          "set SCOREVISION_API to the public URL and SCOREVISION_TRUSTED_PROXIES to the proxy's address. With a hotkey\n"
          "that the manifest's issuers name it publishes the issue log. /openapi.json describes the API, /readyz tells\n"
          "whether it can serve, /metrics has numbers for Prometheus.\n\n"
          "A chain, a store or a database that cannot be reached is waited for: the server starts without it, /readyz\n"
          "says what is missing, and what needs it is answered 503 until it is there. Another chain than the pinned one,\n"
          "or the one first seen at the endpoint, is never answered by.\n\n"
          "SIGHUP reads sv.conf again. It is checked as a whole: where something is wrong, the log says what and where,\n"
          "and the configuration from before goes on; else it takes effect without refusing or losing a request.\n"
          "Options and environment variables stay as they were at the start.\n\n"
          "--check-config checks every setting that the server reads, and asks chain, store and database for a sign\n"
          "of life. It ends with 0 when the server would start, and with 2 (or another status that is not 0) when a\n"
          "setting is wrong. What cannot be reached now is a warning and no fault, since it may be back in a minute.",
      .example = "  sv serve --listen 127.0.0.1:8080 --signers 5F…\n"
                 "  sv serve --check-config --json\n"
                 "  SCOREVISION_VALIDATORS=chain:permit sv serve --listen :8080 --api https://api.example.org",
      .options = serve_options,
      .run = run_serve,
      .is_judge = TRUE,
  },
  { .group = NULL },
};
