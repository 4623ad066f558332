/* sv chain create, status, advance: the embedded chain, and how any chain stands. (sv chain proof: chain_proof.c.) */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/identifiers.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "chain/ledger.h"
#include "cli/commands.h"
#include "cli/table.h"

#define DEFAULT_BLOCK_TIME "12s"
#define DEFAULT_FINALITY 3
#define SHORTEST_BLOCK_TIME_MS 10
#define LONGEST_BLOCK_TIME_MS (24 * 3600 * 1000)
#define MAX_FINALITY 100000

static void
print_field (const char *name, const char *value)
{
  printf ("%-12s%s\n", name, value);
}

static void G_GNUC_PRINTF (2, 3) print_fieldf (const char *name, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *value = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  print_field (name, value);
}

static json_t *
accounts_to_json (const char *const *accounts)
{
  json_t *list = json_array ();
  for (; accounts != NULL && *accounts != NULL; accounts++)
  {
    g_autofree char *account = sv_account_document_form (*accounts);
    json_array_append_new (list, json_string (account));
  }
  return list;
}

static json_t *
account_or_null (const char *address)
{
  g_autofree char *account = address != NULL ? sv_account_document_form (address) : NULL;
  return sv_json_string_or_null (account);
}

static char *
describe_block_time (guint64 ms)
{
  if (ms == 0)
    return g_strdup ("on demand: a block for each commitment and by `sv chain advance`");
  if (ms % 1000 == 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " s", ms / 1000);
  return g_strdup_printf ("%" G_GUINT64_FORMAT " ms", ms);
}

/* ── create ── */

static char *opt_owner, *opt_block_time;
static char **opt_permits;
static int opt_finality = DEFAULT_FINALITY;

static const GOptionEntry create_options[] = {
  { "owner", 0, 0, G_OPTION_ARG_STRING, &opt_owner, "the subnet owner's hotkey, what chain:owner means (default: none)",
    "ACCOUNT" },
  { "permit", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_permits, "an account with a validator permit, for chain:permit; repeatable",
    "ACCOUNT" },
  { "block-time", 0, 0, G_OPTION_ARG_STRING, &opt_block_time,
    "time between blocks, as 12s (default) or 500ms; 0: a block for each commitment", "TIME" },
  { "finality", 0, 0, G_OPTION_ARG_INT, &opt_finality, "blocks between the head and the finalized head (default 3)", "N" },
  G_OPTION_ENTRY_NULL,
};

static gboolean
parse_block_time (const char *text, guint64 *ms, GError **error)
{
  gboolean is_ms = g_str_has_suffix (text, "ms");
  gboolean is_s = !is_ms && g_str_has_suffix (text, "s");
  g_autofree char *digits = g_strndup (text, strlen (text) - (is_ms ? 2 : is_s ? 1 : 0));
  guint64 number;
  if (sv_integer_parse (digits, &number) && number <= LONGEST_BLOCK_TIME_MS && (is_ms || is_s || number == 0))
  {
    *ms = number * (is_s ? 1000 : 1);
    if (*ms == 0 || (*ms >= SHORTEST_BLOCK_TIME_MS && *ms <= LONGEST_BLOCK_TIME_MS))
      return TRUE;
  }
  g_autofree char *shown = sv_printable (text);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "--block-time %s: it takes seconds or milliseconds from 10ms to 86400s, as 12s or 500ms, or 0", shown);
  return FALSE;
}

static char *
parse_account (const char *option, const char *text, GError **error)
{
  char *address = sv_account_normalize (text);
  g_autofree char *shown = sv_printable (text);
  if (address == NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s %s: this is no account; see yours with `sv key show`", option, shown);
  return address;
}

static char **
parse_permits (GError **error)
{
  g_autoptr (GStrvBuilder) permits = g_strv_builder_new ();
  for (char **permit = opt_permits; permit != NULL && *permit != NULL; permit++)
  {
    g_autofree char *address = parse_account ("--permit", *permit, error);
    if (address == NULL)
      return NULL;
    g_strv_builder_add (permits, address);
  }
  return g_strv_builder_end (permits);
}

static gboolean
check_finality (GError **error)
{
  if (opt_finality >= 0 && opt_finality <= MAX_FINALITY)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--finality takes 0 to %d blocks", MAX_FINALITY);
  return FALSE;
}

static void
print_created (const SvContext *context, const char *path, const SvLedgerParameters *parameters)
{
  const SvChainId *id = sv_chain_id (context->chain);
  if (context->as_json)
  {
    sv_print_json (json_pack ("{s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "path", path, "endpoint", sv_chain_url (context->chain),
                              "genesis", id->genesis, "block_time_ms", sv_json_integer (parameters->block_time_ms), "finality",
                              sv_json_integer (parameters->finality), "owner", account_or_null (parameters->owner), "permits",
                              accounts_to_json (parameters->permits)));
    return;
  }
  g_autofree char *block_time = describe_block_time (parameters->block_time_ms);
  print_field ("ledger", path);
  print_field ("genesis", id->genesis);
  print_field ("block time", block_time);
  sv_say (stdout,
          "\nNext: sv manifest create --help as its operator, sv miner elements as a miner, sv chain status to look at it.\n");
}

static int
run_create (SvContext *context, int argc, char **argv, GError **error)
{
  SvLedgerParameters parameters = { 0 };
  if (!sv_check_arguments (argc, 0, 0, "sv chain create [--owner A] [--permit A]… [--block-time 12s] [--finality 3]", error) ||
      !parse_block_time (opt_block_time != NULL ? opt_block_time : DEFAULT_BLOCK_TIME, &parameters.block_time_ms, error) ||
      !check_finality (error))
    return 1;
  g_autofree char *path = sv_ledger_path (sv_config_get (context->config, "BITTENSOR_SUBTENSOR_ENDPOINT"), error);
  if (path == NULL)
    return 1;
  g_autofree char *owner = opt_owner != NULL ? parse_account ("--owner", opt_owner, error) : NULL;
  if (opt_owner != NULL && owner == NULL)
    return 1;
  g_auto (GStrv) permits = parse_permits (error);
  if (permits == NULL)
    return 1;
  parameters.owner = owner;
  parameters.permits = (const char *const *)permits;
  parameters.finality = (guint64)opt_finality;
  if (!sv_ledger_create (path, &parameters, error) || sv_context_chain (context, error) == NULL)
    return 1;
  print_created (context, path, &parameters);
  return 0;
}

/* ── status ── */

typedef struct
{
  SvHead head;
  guint64 block_time_ms;
  char *fallback; /* or NULL, as it may be shown */
  char *runtime;  /* or NULL */
  gint64 age_ms;  /* of the head; below 0: its time is ahead of this machine's clock */
  char *owner;    /* or NULL */
  char **permits;
} Status;

static void
status_clear (Status *status)
{
  g_free (status->fallback);
  g_free (status->runtime);
  g_free (status->owner);
  g_strfreev (status->permits);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Status, status_clear)

static gboolean
read_status (SvChain *chain, Status *status, GError **error)
{
  if (!sv_chain_head (chain, &status->head, error) || !sv_chain_find_owner (chain, &status->owner, error))
    return FALSE;
  status->permits = sv_chain_permits (chain, status->head.finalized.number, error);
  status->runtime = sv_chain_runtime (chain);
  status->block_time_ms = sv_chain_block_time_ms (chain);
  status->age_ms = sv_clock_ms () - status->head.best.time_ms;
  return status->permits != NULL;
}

static json_t *
block_to_json (const SvBlock *block)
{
  g_autofree char *time = sv_time_format (block->time_ms);
  return json_pack ("{s:o,s:s,s:s}", "number", sv_json_integer (block->number), "hash", block->hash, "time", time);
}

static void
note_fallback (const SvConfig *config, Status *status)
{
  const char *fallback = sv_config_get (config, "BITTENSOR_SUBTENSOR_FALLBACK");
  status->fallback = fallback != NULL ? sv_config_mask (fallback) : NULL;
}

static void
print_status_json (SvChain *chain, const Status *status)
{
  const SvChainId *id = sv_chain_id (chain);
  sv_print_json (
      json_pack ("{s:s,s:s?,s:s,s:s?,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "endpoint", sv_chain_url (chain), "fallback",
                 status->fallback, "genesis", id->genesis, "runtime", status->runtime, "netuid", sv_json_integer (id->netuid),
                 "head", block_to_json (&status->head.best), "finalized", block_to_json (&status->head.finalized), "lag",
                 sv_json_integer (status->head.best.number - status->head.finalized.number), "head_age_ms",
                 json_real ((double)status->age_ms), "block_time_ms", sv_json_integer (status->block_time_ms), "owner",
                 account_or_null (status->owner), "permits", accounts_to_json ((const char *const *)status->permits)));
}

/* A block may be dated a little ahead, and clocks differ; a lot of it is said. */
static char *
describe_age (gint64 age_ms)
{
  g_autofree char *duration = sv_duration_format (ABS (age_ms));
  if (age_ms > -1000)
    return g_strconcat (duration, " ago", NULL);
  return g_strconcat (duration, " ahead of this machine's clock", NULL);
}

static void
print_status (SvChain *chain, const Status *status)
{
  const SvHead *head = &status->head;
  g_autofree char *age = describe_age (status->age_ms);
  g_autofree char *block_time = describe_block_time (status->block_time_ms);
  print_field ("endpoint", sv_chain_url (chain));
  if (status->fallback != NULL)
    print_field ("fallback", status->fallback);
  print_field ("genesis", sv_chain_id (chain)->genesis);
  if (status->runtime != NULL)
    print_field ("runtime", status->runtime);
  print_fieldf ("netuid", "%u", sv_chain_id (chain)->netuid);
  print_fieldf ("head", "%" G_GUINT64_FORMAT "  %s  %s", head->best.number, head->best.hash, age);
  print_fieldf ("finalized", "%" G_GUINT64_FORMAT "  %s  %" G_GUINT64_FORMAT " behind", head->finalized.number,
                head->finalized.hash, head->best.number - head->finalized.number);
  print_field ("block time", block_time);
  /* On a live chain every subnet has one; a ledger is made with or without. */
  const char *nobody = status->runtime != NULL ? "none: is SCOREVISION_NETUID right?" : "-";
  print_field ("owner", status->owner != NULL ? status->owner : nobody);
  print_field ("permits", status->permits[0] != NULL ? status->permits[0] : "-");
  for (char **permit = status->permits; *permit != NULL && permit[1] != NULL; permit++)
    print_field ("", permit[1]);
}

static int
run_status (SvContext *context, int argc, char **argv, GError **error)
{
  g_auto (Status) status = { 0 };
  if (!sv_check_arguments (argc, 0, 0, "sv chain status", error) || sv_context_chain (context, error) == NULL ||
      !read_status (context->chain, &status, error))
    return 1;
  note_fallback (context->config, &status);
  if (context->as_json)
    print_status_json (context->chain, &status);
  else
    print_status (context->chain, &status);
  return 0;
}

/* ── advance ── */

static gint64 opt_reorg;

static const GOptionEntry advance_options[] = {
  { "reorg", 0, 0, G_OPTION_ARG_INT64, &opt_reorg,
    "drop the last K blocks first, with the commitments in them, and grow another branch", "K" },
  G_OPTION_ENTRY_NULL,
};

static gboolean
parse_advance (int argc, char **argv, guint64 *n, GError **error)
{
  *n = 1;
  if (!sv_check_arguments (argc, 0, 1, "sv chain advance [N] [--reorg K]", error))
    return FALSE;
  if (opt_reorg >= 0 && (argc == 0 || sv_integer_parse (argv[0], n)))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "sv chain advance [N] [--reorg K]: N and K are numbers of blocks");
  return FALSE;
}

static int
run_advance (SvContext *context, int argc, char **argv, GError **error)
{
  guint64 n;
  SvHead head;
  if (!parse_advance (argc, argv, &n, error) || sv_context_chain (context, error) == NULL ||
      !sv_ledger_advance (context->chain, n, (guint64)opt_reorg, error) || !sv_chain_head (context->chain, &head, error))
    return 1;
  if (context->as_json)
    sv_print_json (json_pack ("{s:o,s:o}", "head", block_to_json (&head.best), "finalized", block_to_json (&head.finalized)));
  else
    printf ("head %" G_GUINT64_FORMAT ", finalized %" G_GUINT64_FORMAT "\n", head.best.number, head.finalized.number);
  return 0;
}

const SvCommand sv_chain_commands[] = {
  { "chain", "create", "[--owner A] [--permit A]… [--block-time 12s] [--finality 3]", "make an embedded chain (ledger:PATH)",
    "The ledger is one file, where BITTENSOR_SUBTENSOR_ENDPOINT says. It needs no node: its blocks advance with the clock,\n"
    "whoever looks at it. It is never overwritten.",
    "  sv chain create --owner 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY --block-time 2s", create_options, run_create },
  { "chain", "status", "", "show the chain, its runtime, head, finality, owner and permits",
    "Owner and permits are those of the finalized head.", "  sv chain status\n  sv chain status --chain finney --netuid 44",
    NULL, run_status },
  { "chain", "advance", "[N] [--reorg K]", "make N blocks of the embedded chain now (default 1)",
    "With --reorg K the last K blocks, none of them final, are dropped together with their commitments, as in the worst\n"
    "reorganisation of a real chain; the new branch is longer than the old one by N.",
    "  sv chain advance 5\n  sv chain advance --reorg 2", advance_options, run_advance },
  { NULL },
};
