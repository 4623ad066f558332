/* sv miner commit: committing on the chain to serve elements of a window. */
#include "cli/miner_commit.h"

#include <stdio.h>

#include "base/error.h"
#include "base/identifiers.h"
#include "bindings/receipts.h"
#include "cli/table.h"
#include "miner/commit_plan.h"
#include "miner/commitments.h"

#define INCLUSION_TIMEOUT_MS (5 * 60 * 1000)
#define FINALITY_TIMEOUT_MS (10 * 60 * 1000)

static char *opt_window_id, *opt_elements, *opt_service_cap, *opt_bindings;
static char **opt_bind;
static gboolean opt_withdraw, opt_dry_run, opt_no_wait, opt_replace;

const GOptionEntry sv_miner_commit_options[] = {
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

int
sv_miner_run_commit (SvContext *context, int argc, char **argv, GError **error)
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
