/* sv validator: what shards are worth. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/validator_draws.h"
#include "validator/audit.h"

#define SHOWN 20         /* rejected and undecided shards that are listed for people */
#define SHOWN_JSON 10000 /* and in the JSON document */

static char *opt_window_id;
static gboolean opt_draws;

static const GOptionEntry audit_options[] = {
  { "window-id", 0, 0, G_OPTION_ARG_STRING, &opt_window_id, "only shards that lie under this window, or its draws", "WINDOW" },
  { "draws", 0, 0, G_OPTION_ARG_NONE, &opt_draws, "draw every challenge of a window that is over again", NULL },
  G_OPTION_ENTRY_NULL,
};

static void
print_shard (const char *source, const char *verdict, guint rule, const char *reason, const char *detail, gpointer data)
{
  g_autofree char *shown = sv_printable (detail);
  g_autofree char *where = sv_printable (source);
  printf ("  %s\n    %s", where, verdict);
  if (rule > 0)
    printf (" by rule %u", rule);
  printf (" (%s): %s\n", reason, shown);
}

static void
append_shard (const char *source, const char *verdict, guint rule, const char *reason, const char *detail, gpointer data)
{
  json_t *item = json_object ();
  json_object_set_new (item, "source", json_string (source));
  json_object_set_new (item, "verdict", json_string (verdict));
  json_object_set_new (item, "rule", rule > 0 ? sv_json_integer (rule) : json_null ());
  json_object_set_new (item, "reason", json_string (reason));
  json_object_set_new (item, "detail", sv_json_string_or_null (detail));
  json_array_append_new (data, item);
}

/* ── issue logs ── */

static json_t *
issue_logs_to_json (SvAudit *audit)
{
  json_t *array = json_array ();
  g_autoptr (GPtrArray) windows = sv_issue_audit_windows (sv_audit_issued (audit));
  for (guint i = 0; i < windows->len; i++)
  {
    const SvIssueWindow *window = windows->pdata[i];
    json_t *item = json_object (), *faults = json_array ();
    for (guint f = 0; f < window->faults->len; f++)
      json_array_append_new (faults, json_string (window->faults->pdata[f]));
    json_object_set_new (item, "window_id", json_string (window->window_id));
    json_object_set_new (item, "contradiction", sv_json_string_or_null (window->contradiction));
    json_object_set_new (item, "faults", faults);
    json_array_append_new (array, item);
  }
  return array;
}

static void
print_issue_logs (SvAudit *audit)
{
  g_autoptr (GPtrArray) windows = sv_issue_audit_windows (sv_audit_issued (audit));
  for (guint i = 0; i < windows->len; i++)
  {
    const SvIssueWindow *window = windows->pdata[i];
    g_autofree char *contradiction = window->contradiction != NULL ? sv_printable (window->contradiction) : NULL;
    if (contradiction != NULL)
      printf ("the issue log of window %s contradicts itself, its shards are undecided:\n  %s\n", window->window_id,
              contradiction);
    if (window->n_faults > 0)
      printf ("the issue log of window %s cannot be read in full (%" G_GUINT64_FORMAT
              " fault%s), what it lacks is unchecked:\n",
              window->window_id, window->n_faults, window->n_faults == 1 ? "" : "s");
    for (guint f = 0; f < window->faults->len; f++)
    {
      g_autofree char *fault = sv_printable (window->faults->pdata[f]);
      printf ("  %s\n", fault);
    }
  }
}

static json_t *
draw_commits_to_json (const SvAudit *audit)
{
  const SvDrawCommits *commits = sv_audit_draw_commits (audit);
  json_t *item = json_object (), *different = json_array ();
  for (guint i = 0; i < commits->different->len; i++)
    json_array_append_new (different, json_string (commits->different->pdata[i]));
  json_object_set_new (item, "same", sv_json_integer (commits->n_same));
  json_object_set_new (item, "different", sv_json_integer (commits->n_different));
  json_object_set_new (item, "details", different);
  return item;
}

static void
print_draw_commits (const SvAudit *audit)
{
  const SvDrawCommits *commits = sv_audit_draw_commits (audit);
  if (commits->n_same + commits->n_different == 0)
    return;
  printf ("draw_commit: %" G_GUINT64_FORMAT " as the K that was published, %" G_GUINT64_FORMAT " different\n", commits->n_same,
          commits->n_different);
  for (guint i = 0; i < commits->different->len; i++)
  {
    g_autofree char *shown = sv_printable (commits->different->pdata[i]);
    printf ("  %s\n", shown);
  }
  if (commits->n_different > 0)
    puts ("  either the operator has changed K, or who signed wrote down what he was not given: ask both, and compare\n"
          "  with the shards of other validators");
}

/* ── the report ── */

static gboolean
print_json (SvAudit *audit, const SvTallyCounts *counts, GError **error)
{
  g_autoptr (json_t) shards = json_array ();
  if (!sv_tally_visit (sv_audit_tally (audit), SHOWN_JSON, append_shard, shards, error))
    return FALSE;
  json_t *verdicts = json_object ();
  for (int v = 0; v <= SV_SHARD_LEGACY; v++)
    json_object_set_new (verdicts, sv_shard_verdict_name ((SvShardVerdict)v), sv_json_integer (counts->by_verdict[v]));
  json_t *document = json_object ();
  json_object_set_new (document, "lines", sv_json_integer (sv_audit_lines (audit)));
  json_object_set_new (document, "finalized_block", sv_json_integer (sv_audit_finalized_block (audit)));
  json_object_set_new (document, "verdicts", verdicts);
  json_object_set (document, "reasons", counts->reasons);
  g_autofree char *unreadable = sv_audit_unreadable_blocks (audit);
  json_object_set_new (document, "unreadable_blocks", json_string (unreadable));
  json_object_set_new (document, "duplicates", sv_json_integer (counts->duplicates));
  json_object_set_new (document, "issue_unchecked", sv_json_integer (counts->issue_unchecked));
  json_object_set_new (document, "issue_confirmed",
                       sv_json_integer (counts->by_verdict[SV_SHARD_ACCEPTED] - counts->issue_unchecked));
  json_object_set_new (document, "issue_logs", issue_logs_to_json (audit));
  json_object_set_new (document, "draw_commits", draw_commits_to_json (audit));
  json_object_set_new (document, "shared_chutes", sv_json_integer (counts->shared_chutes));
  json_object_set (document, "not_accepted", shards);
  sv_print_json (document);
  return TRUE;
}

static void
print_counts (SvContext *context, const SvTallyCounts *counts)
{
  static const char *const headers[] = { "VERDICT", "SHARDS", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT, SV_COLUMN_RIGHT };
  static const SvStyle styles[] = { [SV_SHARD_ACCEPTED] = SV_STYLE_GREEN,
                                    [SV_SHARD_REJECTED] = SV_STYLE_RED,
                                    [SV_SHARD_SELF] = SV_STYLE_PLAIN,
                                    [SV_SHARD_UNDECIDED] = SV_STYLE_YELLOW,
                                    [SV_SHARD_LEGACY] = SV_STYLE_DIM };
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  for (int v = 0; v <= SV_SHARD_LEGACY; v++)
  {
    if (v == SV_SHARD_LEGACY && counts->by_verdict[v] == 0)
      continue;
    sv_table_add (table, sv_shard_verdict_name ((SvShardVerdict)v));
    sv_table_printf (table, "%" G_GUINT64_FORMAT, counts->by_verdict[v]);
    if (counts->by_verdict[v] > 0)
      sv_table_style_row (table, styles[v]);
  }
  sv_table_print (table, context->use_color);
}

static void
print_notes (SvAudit *audit, const SvTallyCounts *counts)
{
  const char *reason;
  json_t *n;
  json_object_foreach (counts->reasons, reason, n) printf ("  %.0f %s\n", json_number_value (n), reason);
  printf ("%" G_GUINT64_FORMAT " line%s read, finalized block %" G_GUINT64_FORMAT "\n", sv_audit_lines (audit),
          sv_audit_lines (audit) == 1 ? "" : "s", sv_audit_finalized_block (audit));
  if (sv_audit_lines (audit) == 0)
    puts ("nothing was audited: there is no shard; runners write them to SCOREVISION_RESULTS_STORE");
  if (counts->duplicates > 0)
    printf ("%" G_GUINT64_FORMAT " more stand for a challenge that another shard stands for\n", counts->duplicates);
  guint64 n_accepted = counts->by_verdict[SV_SHARD_ACCEPTED];
  if (n_accepted > 0)
    printf ("issue log: %" G_GUINT64_FORMAT " confirmed, %" G_GUINT64_FORMAT " unchecked%s\n",
            n_accepted - counts->issue_unchecked, counts->issue_unchecked,
            counts->issue_unchecked > 0 ? ": no published issue log covers their challenges (yet)" : "");
  print_draw_commits (audit);
  print_issue_logs (audit);
  g_autofree char *unreadable = sv_audit_unreadable_blocks (audit);
  if (*unreadable != '\0')
    printf ("blocks that cannot be read any more: %s; shards that depend on them are undecided until\n"
            "BITTENSOR_SUBTENSOR_FALLBACK names an archive endpoint\n",
            unreadable);
  if (counts->shared_chutes > 0)
    printf ("chutes bound by several hotkeys in one window: %" G_GUINT64_FORMAT "\n", counts->shared_chutes);
}

static gboolean
print_report (SvContext *context, SvAudit *audit, const SvTallyCounts *counts, GError **error)
{
  guint64 others = counts->by_verdict[SV_SHARD_REJECTED] + counts->by_verdict[SV_SHARD_UNDECIDED];
  print_counts (context, counts);
  print_notes (audit, counts);
  if (others == 0)
    return TRUE;
  printf ("\nNot accepted:\n");
  if (!sv_tally_visit (sv_audit_tally (audit), SHOWN, print_shard, NULL, error))
    return FALSE;
  if (others > SHOWN)
    printf ("  and %" G_GUINT64_FORMAT " more; --json lists them\n", others - SHOWN);
  return TRUE;
}

/* A store that was named and is not there is a typing error; the results store may be one that no shard has come to yet. */
static gboolean
check_store_is_there (const char *source, GError **error)
{
  g_autofree char *path = g_str_has_prefix (source, "file:") ? sv_path_expand (source + strlen ("file:")) : NULL;
  if (path == NULL || g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "%s cannot be read: there is no such folder", source);
  return FALSE;
}

/* The sources named, else the results store. */
static gboolean
read_sources (SvContext *context, SvAudit *audit, int argc, char **argv, GError **error)
{
  for (int i = 0; i < argc; i++)
    if (!check_store_is_there (argv[i], error) || !sv_audit_source (audit, argv[i], opt_window_id, context->config, error))
      return FALSE;
  if (argc > 0)
    return TRUE;
  const char *store = sv_config_get (context->config, "SCOREVISION_RESULTS_STORE");
  if (store == NULL)
    store = sv_config_get (context->config, "SCOREVISION_STORE");
  if (store != NULL)
    return sv_audit_source (audit, store, opt_window_id, context->config, error);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "name what to audit: sv validator audit FILE, or set SCOREVISION_RESULTS_STORE");
  return FALSE;
}

static void
show_progress (guint64 block, guint64 head, gpointer data)
{
  const SvContext *context = data;
  if (context->is_terminal)
    fprintf (stderr, "\r\033[Kreading the chain's commitments, block %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " ", block,
             head);
}

static void
end_progress (const SvContext *context)
{
  if (context->is_terminal)
    fprintf (stderr, "\r\033[K");
}

static SvAudit *
open_audit (SvContext *context, GError **error)
{
  SvReader *reader = sv_context_reader (context, error);
  SvAudit *audit =
      reader != NULL ? sv_audit_new (context->config, context->chain, reader, show_progress, context, error) : NULL;
  end_progress (context);
  return audit;
}

static int
run_audit (SvContext *context, int argc, char **argv, GError **error)
{
  if (opt_draws)
    return sv_check_arguments (argc, 0, 0,
                               "sv validator audit --draws [--window-id W]; shards are held against K without --draws", error)
               ? sv_audit_draws (context, opt_window_id, error)
               : 1;
  g_autoptr (SvAudit) audit = open_audit (context, error);
  if (audit == NULL || !read_sources (context, audit, argc, argv, error))
    return 1;
  end_progress (context); /* shards of long ago make it read on */
  g_auto (SvTallyCounts) counts = { 0 };
  if (!sv_tally_count (sv_audit_tally (audit), &counts, error) ||
      !(context->as_json ? print_json (audit, &counts, error) : print_report (context, audit, &counts, error)))
    return 1;
  if (counts.by_verdict[SV_SHARD_REJECTED] + sv_audit_draw_commits (audit)->n_different > 0 ||
      sv_audit_has_contradiction (audit))
    return 3;
  return counts.unreadable > 0 ? 5 : 0;
}

const SvCommand sv_validator_commands[] = {
  { "validator", "audit", "[SOURCE…] [--window-id W] [--draws]", "check shards: which count, which do not, and why",
    "A SOURCE is a file of JSON lines, a folder, a store (file:PATH), or - for standard input; without one the results store "
    "is\n"
    "read. Every shard is checked by the twelve rules of the protocol in their order, and the first that fails is named.\n\n"
    "With --draws no shards are read: every challenge of a window that is over (of all such windows, without --window-id) is\n"
    "drawn again with the K that the operator published after the window, and each that differs is named.\n\n"
    "Exit status: 0 nothing rejected or unreadable, 3 something rejected, or an issue log that contradicts itself or shards, "
    "5\n"
    "something unreadable, 2 no validator list; with --draws 0 all right, 3 something wrong, or a log that contradicts itself, "
    "5\n"
    "something unreadable, 4 not closed yet.",
    "  sv validator audit file:/srv/results --validators chain:permit\n"
    "  sv validator audit shards.jsonl --json\n"
    "  sv validator audit --draws --window-id 2025-10-23",
    audit_options, run_audit },
  { NULL },
};
