/* sv miner: what the windows want, and committing to serve it. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "base/rfc3339.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "distribution/element_catalog.h"
#include "miner/commit_plan.h"
#include "miner/commitments.h"

#define INCLUSION_TIMEOUT_MS (5 * 60 * 1000)
#define FINALITY_TIMEOUT_MS (10 * 60 * 1000)

/* ── elements ── */

static char *opt_window;
static gboolean opt_all;

static const GOptionEntry elements_options[] = {
  { "window", 0, 0, G_OPTION_ARG_STRING, &opt_window, "current (default), upcoming, or a window id", "WINDOW" },
  { "all", 0, 0, G_OPTION_ARG_NONE, &opt_all, "with --window upcoming: every upcoming window, not just the next", NULL },
  G_OPTION_ENTRY_NULL,
};

static void
print_window_heading (const SvWindowSummary *summary)
{
  g_autofree char *left = summary->ms_left > 0 ? sv_duration_format ((gint64)summary->ms_left) : NULL;
  gboolean is_upcoming = summary->state == SV_WINDOW_UPCOMING;
  printf ("window %s  %s  blocks %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ", now %" G_GUINT64_FORMAT "\n",
          summary->manifest->window_id, sv_window_state_name (summary->state), summary->start_block, summary->expiry_block,
          summary->block);
  printf ("%s in %" G_GUINT64_FORMAT " blocks%s%s\n", is_upcoming ? "starts" : "expires", summary->blocks_left,
          left != NULL ? ", about " : "", left != NULL ? left : "");
  printf ("manifest %s\n\n", summary->manifest->hash);
}

static void
add_element_row (SvTable *table, const SvElement *element)
{
  char number[32];
  sv_table_add (table, element->id);
  sv_json_format_number (element->service_rate_fps, number);
  sv_table_add (table, number);
  sv_json_format_number (element->baseline_theta, number);
  sv_table_add (table, number);
  sv_json_format_number (element->beta, number);
  sv_table_add (table, number);
  sv_table_printf (table, "%zu", element->n_clips);
  g_autofree char *telemetry = g_strjoinv (", ", element->telemetry);
  sv_table_add (table, *telemetry != '\0' ? telemetry : "-");
}

static void
print_window (const SvWindowSummary *summary, gboolean use_color)
{
  static const char *const headers[] = { "ELEMENT", "RATE fps", "θ", "β", "CLIPS", "TELEMETRY", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT,  SV_COLUMN_RIGHT, SV_COLUMN_RIGHT,
                                      SV_COLUMN_RIGHT, SV_COLUMN_RIGHT, SV_COLUMN_ELASTIC };
  print_window_heading (summary);
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  for (gsize i = 0; i < summary->manifest->n_elements; i++)
    add_element_row (table, &summary->manifest->elements[i]);
  sv_table_print (table, use_color);
}

static GPtrArray *
windows_asked_for (SvContext *context, SvReader *reader, guint64 block, GError **error)
{
  const char *scope = opt_window != NULL ? opt_window : "current";
  if (strcmp (scope, "current") == 0)
    return sv_list_elements (reader, context->chain, SV_SCOPE_CURRENT, block, error);
  if (strcmp (scope, "upcoming") == 0)
    return sv_list_elements (reader, context->chain, opt_all ? SV_SCOPE_ALL_UPCOMING : SV_SCOPE_UPCOMING, block, error);
  if (!sv_window_id_is_valid (scope))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--window takes current, upcoming, or a window id");
    return NULL;
  }
  SvWindowSummary *summary = sv_summarize_window (reader, context->chain, scope, block, error);
  if (summary == NULL)
    return NULL;
  GPtrArray *windows = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_window_summary_free);
  g_ptr_array_add (windows, summary);
  return windows;
}

static void
print_windows_json (const GPtrArray *windows)
{
  json_t *list = json_array ();
  for (guint i = 0; i < windows->len; i++)
    json_array_append_new (list, sv_window_summary_to_json (g_ptr_array_index (windows, i)));
  sv_print_json (json_pack ("{s:o}", "windows", list));
}

static int
run_elements (SvContext *context, int argc, char **argv, GError **error)
{
  SvReader *reader = sv_context_reader (context, error);
  SvHead head;
  if (reader == NULL || !sv_check_arguments (argc, 0, 0, "sv miner elements [--window WINDOW] [--all]", error) ||
      !sv_chain_head (context->chain, &head, error))
    return 1;
  g_autoptr (GPtrArray) windows = windows_asked_for (context, reader, head.best.number, error);
  if (windows == NULL)
    return 1;
  if (context->as_json)
    print_windows_json (windows);
  else if (windows->len == 0)
    printf ("No %s window at block %" G_GUINT64_FORMAT ". See all of them with `sv manifest list`.\n",
            opt_window != NULL ? opt_window : "current", head.best.number);
  for (guint i = 0; i < windows->len && !context->as_json; i++)
  {
    if (i > 0)
      putchar ('\n');
    print_window (g_ptr_array_index (windows, i), context->use_color);
  }
  return windows->len > 0 ? 0 : 4;
}

/* ── manifest ── */

static char *opt_hash, *opt_output;

static const GOptionEntry manifest_options[] = {
  { "hash", 0, 0, G_OPTION_ARG_STRING, &opt_hash, "which manifest (required)", "sha256:…" },
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &opt_output, "also write its bytes to a file", "FILE" },
  G_OPTION_ENTRY_NULL,
};

static int
run_manifest (SvContext *context, int argc, char **argv, GError **error)
{
  g_autofree char *hash = opt_hash != NULL ? sv_hash_normalize (opt_hash) : NULL;
  if (hash == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "give the manifest's hash: sv miner manifest --hash sha256:…");
    return 1;
  }
  SvReader *reader = sv_context_reader_alone (context, error);
  g_autoptr (SvManifest) manifest = reader != NULL ? sv_fetch_manifest (reader, hash, error) : NULL;
  if (manifest == NULL)
    return 1;
  gsize length;
  const void *data = g_bytes_get_data (manifest->document->bytes, &length);
  if (opt_output != NULL && !sv_file_write (opt_output, data, length, 0644, error))
    return 1;
  if (context->as_json)
  {
    sv_print_json (json_incref (manifest->json));
    return 0;
  }
  printf ("manifest %s\nverified: hash, canonical form, chain, schema, signer %s, signature\n\n", hash,
          manifest->document->signed_by);
  SvHead head;
  g_autoptr (SvWindowSummary) summary =
      context->chain != NULL && sv_chain_head (context->chain, &head, NULL)
          ? sv_summarize_window (reader, context->chain, manifest->window_id, head.best.number, NULL)
          : NULL;
  if (summary != NULL && strcmp (summary->manifest->hash, hash) == 0)
    print_window (summary, context->use_color);
  else
    printf ("window %s: not the live manifest of its window; see `sv manifest list`, or read it with --json\n",
            manifest->window_id);
  return 0;
}

/* ── commit ── */

static char *opt_window_id, *opt_elements, *opt_service_cap, *opt_bindings;
static char **opt_bind;
static gboolean opt_withdraw, opt_dry_run, opt_no_wait, opt_replace;

static const GOptionEntry commit_options[] = {
  { "window-id", 0, 0, G_OPTION_ARG_STRING, &opt_window_id, "the window (required)", "WINDOW" },
  { "elements", 0, 0, G_OPTION_ARG_STRING, &opt_elements, "comma list of ELEMENT or ELEMENT:revision (required)", "A,B" },
  { "service-cap-fps", 0, 0, G_OPTION_ARG_STRING, &opt_service_cap, "frames per second served in all", "N" },
  { "bind", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_bind, "one element's binding; repeatable",
    "ELEMENT=revision,slug,chute_id[,cap]" },
  { "bindings", 0, 0, G_OPTION_ARG_FILENAME, &opt_bindings, "file with bindings (default: bindings.yaml in the home)", "FILE" },
  { "withdraw", 0, 0, G_OPTION_ARG_NONE, &opt_withdraw, "withdraw the elements; only before the window starts", NULL },
  { "dry-run", 0, 0, G_OPTION_ARG_NONE, &opt_dry_run, "check all that can be checked and show the text, submit nothing", NULL },
  { "no-wait", 0, 0, G_OPTION_ARG_NONE, &opt_no_wait, "end once a block holds it, without waiting for that block to be final",
    NULL },
  { "replace-commitment", 0, 0, G_OPTION_ARG_NONE, &opt_replace,
    "also where another program's time-locked commitment is lost by it", NULL },
  G_OPTION_ENTRY_NULL,
};

static void
show_block (guint64 best_block, gpointer data)
{
  const SvContext *context = data;
  if (context->is_terminal)
    fprintf (stderr, "\r\033[Kwaiting for inclusion, head at block %" G_GUINT64_FORMAT " ", best_block);
}

static void
show_final (guint64 finalized_block, gpointer data)
{
  const SvContext *context = data;
  if (context->is_terminal)
    fprintf (stderr, "\r\033[Kincluded; waiting until it is final, finalized block %" G_GUINT64_FORMAT " ", finalized_block);
}

static SvCommitmentText *
plan (SvContext *context, const SvMinerWindow *window, GError **error)
{
  g_auto (GStrv) elements = g_strsplit (opt_elements != NULL ? opt_elements : "", ",", -1);
  g_autofree char *fallback = sv_config_home_path (context->config, "bindings.yaml");
  SvCommitRequest request = { .elements = (const char *const *)elements,
                              .binds = (const char *const *)opt_bind,
                              .bindings_path = opt_bindings != NULL ? opt_bindings : fallback,
                              .bindings_path_given = opt_bindings != NULL,
                              .service_cap = opt_service_cap };
  return opt_withdraw ? sv_withdraw_plan (&request, window->manifest, error)
                      : sv_commit_plan (&request, window->manifest, window->fold, error);
}

static json_t *
commit_result (const SvMinerWindow *window, char **texts, char **proofs)
{
  json_t *json = sv_fold_to_json (window->fold, sv_keypair_address (window->keypair), window->expiry_block);
  json_t *list = json_array ();
  for (gsize i = 0; texts != NULL && texts[i] != NULL; i++)
    json_array_append_new (list, json_string (texts[i]));
  json_object_set_new (json, "texts", list);
  list = json_array ();
  for (gsize i = 0; proofs != NULL && proofs[i] != NULL; i++)
    json_array_append_new (list, json_string (proofs[i]));
  json_object_set_new (json, "proofs", list);
  return json;
}

static void
print_bindings (SvContext *context, const SvFold *fold)
{
  static const char *const headers[] = { "ELEMENT", "REVISION", "CHUTE", "CAP fps", "PROOF", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT, SV_COLUMN_ELASTIC, SV_COLUMN_ELASTIC, SV_COLUMN_RIGHT,
                                      SV_COLUMN_ELASTIC };
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  g_autoptr (GPtrArray) ids = sv_fold_element_ids (fold);
  for (guint i = 0; i < ids->len; i++)
  {
    const SvBoundElement *bound = g_hash_table_lookup (fold->bound, g_ptr_array_index (ids, i));
    g_autofree char *cap = sv_cap_format (bound->binding.cap_milli);
    sv_table_add (table, bound->binding.element_id);
    sv_table_add (table, bound->binding.hf_revision);
    sv_table_add (table, bound->binding.chute_slug);
    sv_table_add (table, cap);
    sv_table_add (table, bound->proof);
  }
  sv_table_print (table, context->use_color);
}

static void
warn_of_rivals (SvContext *context, SvMinerWindow *window, const SvCommitmentText *text)
{
  g_auto (GStrv) rivals = sv_commit_rivals (window, text, NULL);
  for (gsize i = 0; rivals != NULL && rivals[i] != NULL; i++)
    fprintf (stderr, "warning: another hotkey has this chute in force in window %s: %s\n", window->manifest->window_id,
             rivals[i]);
}

/* What the chain would refuse now, as the run without --dry-run finds it: of several texts only the first can be asked for. */
static gboolean
check_taken (const SvMinerWindow *window, char **texts, GError **error)
{
  SvPrepareFlags flags = opt_replace ? SV_PREPARE_REPLACE : SV_PREPARE_DEFAULT;
  g_autoptr (SvPreparedExtrinsic) prepared =
      texts[0] != NULL ? sv_chain_prepare_commitment (window->chain, window->keypair, texts[0], flags, error) : NULL;
  return texts[0] == NULL || prepared != NULL;
}

static int
dry_run (SvContext *context, const SvMinerWindow *window, const SvCommitmentText *text, GError **error)
{
  gboolean nothing_to_do = sv_commit_is_in_force (window, text);
  g_auto (GStrv) texts = nothing_to_do ? g_new0 (char *, 1) : sv_commit_texts (text, sv_chain_max_text (window->chain), error);
  if (texts == NULL || (!nothing_to_do && !sv_commit_check (window, text, error)) || !check_taken (window, texts, error))
    return 1;
  if (context->as_json)
    sv_print_json (commit_result (window, texts, NULL));
  else if (nothing_to_do)
    printf ("All of this is in force already; nothing would be submitted.\n");
  for (gsize i = 0; texts[i] != NULL && !context->as_json; i++)
    printf ("%s\n\n", texts[i]);
  if (!context->as_json && g_strv_length (texts) > 1)
    printf ("%u commitments, since a text has room for %zu bytes. Where the chain takes the next\n"
            "only later, run the same command again then.\n",
            g_strv_length (texts), sv_chain_max_text (window->chain));
  if (!context->as_json && !nothing_to_do)
    printf ("This is what would go on the chain, signed by %s. Nothing was submitted.\n", sv_keypair_address (window->keypair));
  return 0;
}

static void
print_proofs (const SvMinerWindow *window, char **proofs)
{
  for (gsize i = 0; proofs != NULL && proofs[i] != NULL; i++)
    printf ("%s for window %s: proof %s\n", opt_withdraw ? "withdrawn" : "committed", window->manifest->window_id, proofs[i]);
}

static void
print_committed (SvContext *context, const SvMinerWindow *window, char **proofs)
{
  g_autofree char *path = sv_receipts_path (context->config, window->manifest->window_id);
  print_proofs (window, proofs);
  if (g_hash_table_size (window->fold->bound) == 0)
  {
    printf ("Nothing is bound any more in this window.\n");
    return;
  }
  printf ("\n");
  print_bindings (context, window->fold);
  printf ("\nReceipts: %s\n", path);
}

static int
submit (SvContext *context, SvMinerWindow *window, const SvCommitmentText *text, GError **error)
{
  gboolean nothing_to_do = sv_commit_is_in_force (window, text);
  /* A chain that makes blocks on demand only would never come to an end. */
  gboolean finalizes = sv_chain_block_time_ms (window->chain) > 0;
  SvCommitWait wait = { .on_block = show_block,
                        .on_final = show_final,
                        .data = context,
                        .timeout_ms = INCLUSION_TIMEOUT_MS,
                        .finality_timeout_ms = finalizes && !opt_no_wait ? FINALITY_TIMEOUT_MS : 0,
                        .flags = opt_replace ? SV_PREPARE_REPLACE : SV_PREPARE_DEFAULT };
  g_auto (GStrv) proofs = NULL;
  gboolean done = sv_commit_element_set (window, text, &wait, &proofs, error);
  if (context->is_terminal)
    fprintf (stderr, "\r\033[K");
  if (!done && !context->as_json)
    print_proofs (window, proofs); /* of the parts that are on the chain all the same */
  fflush (stdout);
  if (!done)
    return 1;
  if (context->as_json)
  {
    sv_print_json (commit_result (window, NULL, proofs));
    return 0;
  }
  if (nothing_to_do)
    printf ("All of this is in force already; nothing was submitted.\n");
  print_committed (context, window, proofs);
  return 0;
}

static int
run_commit (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 0, 0, "sv miner commit --window-id W --elements A,B --service-cap-fps N", error))
    return 1;
  if (opt_window_id == NULL || !sv_window_id_is_valid (opt_window_id))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "give the window: --window-id 2025-10-23 (see `sv miner elements --window upcoming`)");
    return 1;
  }
  g_autoptr (SvKeypair) keypair = sv_wallet_load (context->config, error);
  SvReader *reader = keypair != NULL ? sv_context_reader (context, error) : NULL;
  g_autoptr (SvMinerWindow) window =
      reader != NULL ? sv_miner_window_open (context->config, context->chain, reader, keypair, opt_window_id, error) : NULL;
  g_autoptr (SvCommitmentText) text = window != NULL ? plan (context, window, error) : NULL;
  if (text == NULL)
    return 1;
  warn_of_rivals (context, window, text);
  return opt_dry_run ? dry_run (context, window, text, error) : submit (context, window, text, error);
}

/* ── commitments ── */

static gboolean opt_refresh;
static char *opt_list_window;

static const GOptionEntry commitments_options[] = {
  { "window-id", 0, 0, G_OPTION_ARG_STRING, &opt_list_window, "only this window", "WINDOW" },
  { "refresh", 0, 0, G_OPTION_ARG_NONE, &opt_refresh, "make the receipts anew from the API's public list and the chain", NULL },
  G_OPTION_ENTRY_NULL,
};

static gboolean
refresh_entry (SvContext *context, const SvIndexEntry *entry, const char *hotkey, GError **error)
{
  g_autoptr (SvFold) fold = sv_refresh_commitments (context->config, context->chain, hotkey, entry->window_id,
                                                    entry->start_block, entry->expiry_block, error);
  return fold != NULL && sv_receipts_write (context->config, fold, hotkey, entry->expiry_block, error);
}

/* Every window of the index that is not over, or the one named. */
static gboolean
refresh_windows (SvContext *context, const char *hotkey, GError **error)
{
  SvReader *reader = sv_context_reader (context, error);
  SvHead head;
  if (reader == NULL || !sv_chain_head (context->chain, &head, error))
    return FALSE;
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, error);
  if (index == NULL)
    return FALSE;
  guint refreshed = 0;
  for (guint i = 0; i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (index->entries, i);
    gboolean wanted =
        opt_list_window != NULL ? strcmp (entry->window_id, opt_list_window) == 0 : !sv_entry_expired (entry, head.best.number);
    if (!wanted)
      continue;
    if (!refresh_entry (context, entry, hotkey, error))
      return FALSE;
    refreshed++;
  }
  if (refreshed > 0 || opt_list_window == NULL)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "window %s is not in the index; see `sv manifest list`", opt_list_window);
  return FALSE;
}

static void
add_receipt_rows (SvTable *table, const SvReceipts *receipts)
{
  for (guint i = 0; i < receipts->bound->len; i++)
  {
    const SvBoundElement *bound = g_ptr_array_index (receipts->bound, i);
    g_autofree char *cap = sv_cap_format (bound->binding.cap_milli);
    sv_table_add (table, receipts->window_id);
    sv_table_add (table, bound->binding.element_id);
    sv_table_add (table, bound->binding.hf_revision);
    sv_table_add (table, bound->binding.chute_slug);
    sv_table_add (table, cap);
    sv_table_add (table, bound->proof);
  }
}

static json_t *
read_receipts_json (const SvConfig *config, const char *window_id)
{
  g_autofree char *path = sv_receipts_path (config, window_id);
  g_autoptr (GBytes) bytes = sv_file_read (path, 4 * 1024 * 1024, NULL);
  return bytes != NULL ? sv_json_parse (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), 4 * 1024 * 1024, NULL)
                       : NULL;
}

static int
list_receipts (SvContext *context, const char *hotkey, GError **error)
{
  static const char *const headers[] = { "WINDOW", "ELEMENT", "REVISION", "CHUTE", "CAP fps", "PROOF", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT,    SV_COLUMN_LEFT,  SV_COLUMN_ELASTIC,
                                      SV_COLUMN_ELASTIC, SV_COLUMN_RIGHT, SV_COLUMN_ELASTIC };
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  g_autoptr (json_t) list = json_array ();
  g_auto (GStrv) windows = sv_receipts_windows (context->config);
  guint shown = 0;
  for (gsize i = 0; windows[i] != NULL; i++)
  {
    if (opt_list_window != NULL && strcmp (windows[i], opt_list_window) != 0)
      continue;
    g_autoptr (SvReceipts) receipts = sv_receipts_read (context->config, windows[i], hotkey, error);
    if (receipts == NULL)
      return 1;
    add_receipt_rows (table, receipts);
    json_array_append_new (list, read_receipts_json (context->config, windows[i]));
    shown++;
  }
  if (context->as_json)
    sv_print_json (json_pack ("{s:O}", "commitments", list));
  else if (shown > 0)
  {
    sv_table_print (table, context->use_color);
    printf ("\nProofs in full: --json. What one says: `sv chain proof BLOCK:HASH`.\n");
  }
  else
    printf ("No receipts of hotkey %s. Commit with `sv miner commit`, or find earlier commitments with\n"
            "`sv miner commitments --refresh`.\n",
            hotkey);
  return 0;
}

static int
run_commitments (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 0, 1, "sv miner commitments [list] [--refresh]", error))
    return 1;
  if (argc == 1 && strcmp (argv[0], "list") != 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "`sv miner commitments` knows `list` only");
    return 1;
  }
  if (opt_list_window != NULL && !sv_window_id_is_valid (opt_list_window))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--window-id is not a window id, as in 2025-10-23");
    return 1;
  }
  g_autoptr (SvKeypair) keypair = sv_wallet_load (context->config, error);
  if (keypair == NULL || (opt_refresh && !refresh_windows (context, sv_keypair_address (keypair), error)))
    return 1;
  return list_receipts (context, sv_keypair_address (keypair), error);
}

const SvCommand sv_miner_commands[] = {
  { "miner", "elements", "[--window current|upcoming|WINDOW] [--all]", "show a window's elements: rates, θ, β, clips",
    "Reads the signed index and the manifest it names, checks both, and prints each element of the window.",
    "  sv miner elements --window upcoming", elements_options, run_elements },
  { "miner", "manifest", "--hash sha256:… [-o FILE]", "download and verify one manifest",
    "Keeps the verified manifest in the home's cache, so that later commands work offline from it.",
    "  sv miner manifest --hash sha256:4f2a… --json", manifest_options, run_manifest },
  { "miner", "commit", "--window-id W --elements A,B --service-cap-fps N [--bind …]… [--dry-run]",
    "commit on the chain to serve elements of a window",
    "What the command line does not say (revision, chute slug, chute id, cap) comes from --bind, from ELEMENT:revision in the\n"
    "list, or from the bindings file, which looks like this:\n\n"
    "  bindings:\n"
    "    - element_id: PlayerDetect_v1@1.0\n"
    "      hf_revision: player-v1\n"
    "      chute_slug: scorevision-turbovision-hfuser-lynx\n"
    "      chute_id: 87f7d0c5-0000-4000-8000-000000000000\n"
    "      service_cap_fps: 25\n\n"
    "Caps not given share what remains of the total in proportion to the elements' service rates. What the protocol would "
    "make\n"
    "void is refused beforehand, with the reason. Running the same command again commits nothing twice.",
    "  sv miner commit --window-id 2025-10-23 --elements PlayerDetect_v1@1.0,BallDetect_v1@1.0 --service-cap-fps 45\n"
    "  sv miner commit --withdraw --window-id 2025-10-23 --elements PlayerDetect_v1@1.0",
    commit_options, run_commit },
  { "miner", "commitments", "[list] [--window-id W] [--refresh]", "show the receipts of this hotkey's commitments",
    "With --refresh the receipts are made anew: the Challenge API's public list says which proofs to look up, and each is "
    "checked\n"
    "on the chain.",
    "  sv miner commitments --refresh", commitments_options, run_commitments },
  { NULL },
};
