/* sv runner: challenges in, signed shards out. */
#include <signal.h>
#include <stdio.h>

#include "base/error.h"
#include "base/identifiers.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "runner/runner.h"
#include "runner/settings.h"

#define PAUSE_AFTER_FAILURE_S 10
#define STEP_WIDTH 79 /* what is written over must not wrap */

static gboolean opt_once;
static char **opt_miners;
static char *opt_count, *opt_element, *opt_slug;
static guint64 wanted_count; /* 0: until stopped */

static const GOptionEntry runner_options[] = {
  { "once", 0, 0, G_OPTION_ARG_NONE, &opt_once, "run one challenge", NULL },
  { "count", 0, 0, G_OPTION_ARG_STRING, &opt_count, "run N challenges", "N" },
  { "miner", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_miners, "run this miner's commitments; repeatable (default: one's own)",
    "HOTKEY" },
  { "element", 0, 0, G_OPTION_ARG_STRING, &opt_element, "only this element (default: the next in rotation)", "E" },
  { "slug", 0, 0, G_OPTION_ARG_STRING, &opt_slug, "only bindings to this chute; the chute of legacy tasks", "S" },
  G_OPTION_ENTRY_NULL,
};

static volatile sig_atomic_t is_ended;

static void
on_signal (int signal_number)
{
  is_ended = 1;
}

static gboolean
is_cancelled (void)
{
  return is_ended;
}

static void
show_step (const char *text, gpointer data)
{
  const SvContext *context = data;
  g_autofree char *shown = sv_printable (text);
  if (!context->is_terminal)
    return;
  g_autofree char *cut = g_utf8_substring (shown, 0, MIN (g_utf8_strlen (shown, -1), STEP_WIDTH));
  fprintf (stderr, "\r\033[K%s", cut);
}

static void
clear_step (const SvContext *context)
{
  if (context->is_terminal)
    fprintf (stderr, "\r\033[K");
}

static void
print_metrics (const SvShard *shard)
{
  const char *name;
  json_t *value;
  json_object_foreach (shard->metrics, name, value)
  {
    g_autofree char *shown = sv_printable (name);
    printf ("  %-10s %.3f\n", shown, json_number_value (value));
  }
  if (shard->has_score)
    printf ("  composite  %.3f\n", shard->composite_score);
}

static void
print_run (const SvRun *run)
{
  const SvShard *shard = run->shard;
  g_autofree char *id = sv_printable (shard->challenge_id);
  if (shard->is_legacy)
    printf ("legacy task %s on chute %s\n", id, shard->chute_slug);
  else
    printf ("challenge %s: %s in window %s, miner %s (%s)\n", shard->challenge_id, shard->element_id, shard->window_id,
            shard->miner_hotkey, shard->is_self ? "self" : "public");
  if (shard->draw_commit != NULL)
    printf ("  drawn by   %s (draw_commit)\n", shard->draw_commit);
  if (shard->has_p95)
    printf ("  p95        %.0f ms, RTF %.3f: gate %s\n", shard->p95_latency_ms, shard->rtf,
            shard->latency_pass ? "passed" : "failed");
  print_metrics (shard);
  if (shard->error != NULL)
  {
    g_autofree char *shown = sv_printable (shard->error);
    printf ("  error      %s\n", shown);
  }
  printf ("  shard      %s\n", run->key);
  fflush (stdout);
}

static gboolean
check_options (char ***miners, GError **error)
{
  if ((opt_count != NULL && (opt_once || !sv_integer_parse (opt_count, &wanted_count) || wanted_count == 0)))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "give --once, or --count N with N > 0, or neither to run until stopped");
    return FALSE;
  }
  if (opt_once)
    wanted_count = 1;
  if ((opt_element != NULL && !sv_element_id_is_valid (opt_element)) ||
      (opt_slug != NULL && !sv_chute_slug_is_valid (opt_slug)))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s is not well formed", opt_element != NULL ? "--element" : "--slug");
    return FALSE;
  }
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; opt_miners != NULL && opt_miners[i] != NULL; i++)
  {
    char *account = sv_account_normalize (opt_miners[i]);
    if (account == NULL)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--miner %s is not an account", opt_miners[i]);
      return FALSE;
    }
    g_ptr_array_add (list, account);
  }
  g_ptr_array_add (list, NULL);
  g_ptr_array_set_free_func (list, NULL);
  *miners = (char **)g_ptr_array_free (g_steal_pointer (&list), FALSE);
  return TRUE;
}

/* After a failure the loop goes on, but not at once. */
static void
pause_after_failure (void)
{
  for (guint i = 0; i < PAUSE_AFTER_FAILURE_S * 20 && !is_ended; i++)
    g_usleep (50000);
}

/* Runs until the count is reached; without one, until a signal. In the loop a failed run is logged and the next one tried. */
static int
run_all (SvContext *context, SvRunner *runner, json_t *shards, GError **error)
{
  for (guint64 done = 0; !is_ended && (wanted_count == 0 || done < wanted_count);)
  {
    g_autoptr (GError) failure = NULL;
    g_autoptr (SvRun) run = sv_runner_once (runner, &failure);
    clear_step (context);
    if (run == NULL && wanted_count > 0)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return 1;
    }
    if (run == NULL)
    {
      sv_log ("error", "run failed", "message", failure->message, NULL);
      pause_after_failure ();
      continue;
    }
    done++;
    if (!context->as_json)
      print_run (run);
    else if (wanted_count > 0)
      json_array_append (shards, run->shard->document->json);
  }
  return 0;
}

/* Which endpoint is asked decides what the shards are worth, so nobody gets the legacy one without being told. */
static void
note_legacy (const SvConfig *config)
{
  const char *value = sv_config_get (config, "SCOREVISION_USE_CHALLENGE_V3");
  g_autofree char *shown = sv_printable (value);
  fprintf (stderr, "note: legacy endpoint, since SCOREVISION_USE_CHALLENGE_V3 is `%s`; 1 asks the manifest-aware one\n", shown);
}

static int
run_runner (SvContext *context, int argc, char **argv, GError **error)
{
  g_auto (GStrv) miners = NULL;
  if (!sv_check_arguments (argc, 0, 0, "sv runner [--once|--count N]", error) || !check_options (&miners, error) ||
      !sv_runner_check_settings (context->config, error))
    return 1;
  gboolean is_v3 = sv_config_get_boolean (context->config, "SCOREVISION_USE_CHALLENGE_V3");
  SvChain *chain = sv_context_chain (context, error);
  SvReader *reader = chain != NULL && is_v3 ? sv_context_reader (context, error) : NULL;
  if (chain == NULL || (is_v3 && reader == NULL))
    return 1;
  if (!is_v3)
    note_legacy (context->config);
  SvRunnerOptions options = { .miners = (const char *const *)miners,
                              .element = opt_element,
                              .slug = opt_slug,
                              .on_step = show_step,
                              .data = context,
                              .is_cancelled = is_cancelled };
  g_autoptr (SvRunner) runner = sv_runner_new (context->config, chain, reader, &options, error);
  if (runner == NULL)
    return 1;
  struct sigaction action = { .sa_handler = on_signal };
  sigaction (SIGTERM, &action, NULL);
  sigaction (SIGINT, &action, NULL);
  json_t *shards = json_array ();
  int status = run_all (context, runner, shards, error);
  if (context->as_json && (error == NULL || *error == NULL))
    sv_print_json (json_pack ("{s:o}", "shards", shards));
  else
    json_decref (shards);
  return status;
}

const SvCommand sv_runner_commands[] = {
  { "runner", NULL, "[--once|--count N] [--miner HOTKEY] [--element E] [--slug S]",
    "run challenges on chutes, write signed shards",
    "With SCOREVISION_USE_CHALLENGE_V3=1 it asks the manifest-aware endpoint, quoting the commitment's proof; otherwise the "
    "legacy\n"
    "one, so that a setting is enough to go back. Without --once or --count it runs until SIGTERM, and finishes what it has "
    "begun.\n"
    "A chute that fails gives a shard with an error; the runner itself goes on.",
    "  SCOREVISION_USE_CHALLENGE_V3=1 sv runner --once --api http://127.0.0.1:8080\n"
    "  sv runner --count 10 --miner 5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX",
    runner_options, run_runner },
  { NULL },
};
