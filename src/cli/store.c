/* sv store: checking a store and copying it to another. */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/store_print.h"

/* ── check ── */

static gboolean opt_repair, opt_without_clips, opt_single_publisher;

#define SINGLE_PUBLISHER_OPTION                                                                                                \
  {                                                                                                                            \
    "single-publisher", 0, 0, G_OPTION_ARG_NONE, &opt_single_publisher,                                                        \
        "nobody else publishes: for servers without conditional puts", NULL                                                    \
  }

static const GOptionEntry check_options[] = {
  { "repair", 0, 0, G_OPTION_ARG_NONE, &opt_repair, "bring back what can be; asks on a terminal, elsewhere needs --yes", NULL },
  { "without-clips", 0, 0, G_OPTION_ARG_NONE, &opt_without_clips, "the store is a copy without challenge clips: miss none",
    NULL },
  SINGLE_PUBLISHER_OPTION,
  G_OPTION_ENTRY_NULL,
};

/* Said before anything is read, since reading may take hours. */
static gboolean
check_can_ask (const SvContext *context, GError **error)
{
  if (!opt_repair || context->yes || (isatty (STDIN_FILENO) && isatty (STDERR_FILENO)))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "--repair asks before it changes anything; where there is no terminal to ask "
               "on, confirm with --yes");
  return FALSE;
}

static gboolean
check_can_list (const SvObjectStore *store, GError **error)
{
  if (sv_object_store_check_writable (store, NULL))
    return TRUE;
  const char *url = sv_object_store_url (store);
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "%s is read over HTTP and cannot be listed, so not be checked: copy it with `sv store mirror %s file:PATH` and "
               "check the copy with `sv store check --store file:PATH --without-clips`",
               url, url);
  return FALSE;
}

static gboolean
repair (SvContext *context, SvStoreCheck *check, const SvObjectStore *store, GError **error)
{
  guint n = sv_store_check_n_remedies (check);
  if (!opt_repair || n == 0)
    return TRUE;
  const SvStoreReport *report = sv_store_check_report (check);
  for (guint i = 0; i < report->faults->len && !context->yes; i++)
  {
    const SvStoreFault *fault = report->faults->pdata[i];
    fprintf (stderr, "%s\n  %s\n", fault->key, fault->what);
  }
  g_autofree char *question =
      g_strdup_printf ("Try to repair %u object%s in %s", n, n == 1 ? "" : "s", sv_object_store_url (store));
  gboolean done = sv_context_confirm (context, question, error) && sv_store_check_repair (check, error);
  sv_clear_progress (context);
  return done;
}

static int
run_check (SvContext *context, int argc, char **argv, GError **error)
{
  SvChain *chain;
  if (!sv_check_arguments (argc, 0, 0, "sv store check [--repair]", error) || !check_can_ask (context, error))
    return 1;
  SvObjectStore *store = sv_context_store (context, error);
  if (store == NULL || !check_can_list (store, error) || !sv_context_chain_if_reachable (context, &chain, error))
    return 1;
  if (opt_single_publisher)
    sv_object_store_assume_single_writer (store);
  SvStoreCheckOptions options = {
    .without_clips = opt_without_clips, .probe_patience_ms = SV_PROBE_PATIENCE_MS, .progress = sv_draw_progress, .data = context
  };
  g_autoptr (SvStoreCheck) check = sv_store_check_new (context->config, chain, store, &options, error);
  gboolean is_read = check != NULL && sv_store_check_run (check, error);
  sv_clear_progress (context);
  if (!is_read || !repair (context, check, store, error))
    return 1;
  const SvStoreReport *report = sv_store_check_report (check);
  sv_print_store_report (context, store, report);
  guint n_unreachable;
  guint left = sv_store_report_left (report, &n_unreachable);
  if (left == 0)
    return 0;
  return left == n_unreachable ? 5 : 3;
}

/* ── mirror ── */

static gboolean opt_private, opt_verify;

static const GOptionEntry mirror_options[] = {
  { "private", 0, 0, G_OPTION_ARG_NONE, &opt_private, "also the challenge clips, into a store that is not public", NULL },
  { "verify", 0, 0, G_OPTION_ARG_NONE, &opt_verify, "read what is there already, and copy anew what is damaged", NULL },
  SINGLE_PUBLISHER_OPTION,
  G_OPTION_ENTRY_NULL,
};

static SvMirrorReport *
mirror (SvContext *context, SvObjectStore *from, SvObjectStore *to, GError **error)
{
  SvChain *chain;
  if (!sv_context_chain_if_reachable (context, &chain, error))
    return NULL;
  if (opt_single_publisher)
    sv_object_store_assume_single_writer (to);
  SvMirrorOptions options = {
    .with_private = opt_private, .verify = opt_verify, .progress = sv_draw_progress, .data = context
  };
  SvMirrorReport *report = sv_store_mirror (context->config, chain, from, to, &options, error);
  sv_clear_progress (context);
  return report;
}

static int
run_mirror (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 1, 2, "sv store mirror [FROM] TO", error))
    return 1;
  g_autoptr (SvObjectStore) named = argc == 2 ? sv_object_store_open (argv[0], context->config, error) : NULL;
  SvObjectStore *from = argc == 2 ? named : sv_context_store (context, error);
  g_autoptr (SvObjectStore) to = from != NULL ? sv_object_store_open (argv[argc - 1], context->config, error) : NULL;
  g_autoptr (SvMirrorReport) report = to != NULL ? mirror (context, from, to, error) : NULL;
  if (report == NULL)
    return 1;
  sv_print_mirror_report (context, from, to, report);
  if (report->faults->len == 0)
    return 0;
  return report->faults->len == sv_mirror_report_n_unreachable (report) ? 5 : 3;
}

const SvCommand sv_store_commands[] = {
  { .group = "store",
    .name = "check",
    .usage = "[--repair]",
    .summary = "check every object of a store, and repair what can be",
    .details =
        "Every object of SCOREVISION_STORE is read and hashed; the index is verified as readers do it, and every manifest and "
        "archive that it names must be there and agree with it, and so must the clips of windows that are not over (not in a "
        "copy made without them: --without-clips). Where R2_PUBLIC_URL is set, the index there must be this one, "
        "and no challenge clip may be readable there.\n\n"
        "--repair brings back manifests, archives and statements from their other name, this home's cache or R2_PUBLIC_URL, "
        "and "
        "the index from R2_PUBLIC_URL or this home's memory, provided no newer one is known. Only verified content is written; "
        "nothing is deleted but what a probe of the server left behind. A repair that was interrupted is run again.\n\n"
        "Exit status: 0 sound, or repaired; 3 faults are left; 4 there is nothing in the store; 5 something cannot be read.",
    .example =
        "  sv store check\n  sv store check --repair --yes\n  sv store check --store file:/srv/mirror --without-clips --json",
    .options = check_options,
    .run = run_check },
  { .group = "store",
    .name = "mirror",
    .usage = "[FROM] TO",
    .summary = "copy a store to another, each object verified on its way",
    .details =
        "FROM and TO are stores, as SCOREVISION_STORE is one; FROM is that setting where only TO is named, and may be a public "
        "address. What is there already with the right size is not copied again, so an interrupted copy is run again. The "
        "index comes last, and an index in TO that is newer is never replaced.\n\n"
        "Challenge clips stay out unless --private asks for them. From a public address, which cannot be listed, what the "
        "index "
        "names is copied.\n\n"
        "Exit status: 0 everything is there; 3 something was not copied because it is damaged; 5 because it could not be read, "
        "run it again; 6 the index in TO is newer.",
    .example = "  sv store mirror file:/mnt/backup/scorevision --private\n"
               "  sv store mirror https://manifests.example.org file:/srv/mirror",
    .options = mirror_options,
    .run = run_mirror },
  { .group = NULL },
};
