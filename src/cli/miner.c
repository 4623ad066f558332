/* sv miner: what the windows want, and the receipts of what was committed; miner_commit.c commits. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "base/rfc3339.h"
#include "bindings/receipts.h"
#include "cli/commands.h"
#include "cli/miner_commit.h"
#include "cli/table.h"
#include "distribution/element_catalog.h"

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
    sv_say (stdout, "No %s window at block %" G_GUINT64_FORMAT ". See all of them with `sv manifest list`.\n",
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
    sv_say (stdout, "window %s: not the live manifest of its window; see `sv manifest list`, or read it with --json\n",
            manifest->window_id);
  return 0;
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
    sv_say (stdout, "\nProofs in full: --json. What one says: `sv chain proof BLOCK:HASH`.\n");
  }
  else
    sv_say (stdout,
            "No receipts of hotkey %s. Commit with `sv miner commit`, or find earlier commitments with\n"
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
    sv_miner_commit_options, sv_miner_run_commit },
  { "miner", "commitments", "[list] [--window-id W] [--refresh]", "show the receipts of this hotkey's commitments",
    "With --refresh the receipts are made anew: the Challenge API's public list says which proofs to look up, and each is "
    "checked\n"
    "on the chain.",
    "  sv miner commitments --refresh", commitments_options, run_commitments },
  { NULL },
};
