/* sv manifest signers: who may sign manifests, and changing that. Without a verb it shows; add, retire and revoke change. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "operator/revocation.h"
#include "operator/signers_publish.h"

#define BLOCK "%" G_GUINT64_FORMAT
#define FINALITY_TIMEOUT_MS (10 * 60 * 1000)
#define USAGE "sv manifest signers [add|retire ACCOUNT [--from-block N] | revoke ACCOUNT…]"

static char *opt_from_block;
static gboolean opt_dry_run, opt_accept_owner, opt_replace, opt_no_wait, opt_single_publisher;

static const GOptionEntry options[] = {
  { "from-block", 0, 0, G_OPTION_ARG_STRING, &opt_from_block,
    "add, retire: the first block at which it counts (default: the last final one)", "N" },
  { "dry-run", 0, 0, G_OPTION_ARG_NONE, &opt_dry_run, "show what would be done, and write nothing", NULL },
  { "no-wait", 0, 0, G_OPTION_ARG_NONE, &opt_no_wait, "revoke: end once a block holds it, without waiting for that to be final",
    NULL },
  { "replace-commitment", 0, 0, G_OPTION_ARG_NONE, &opt_replace,
    "revoke: also where another program's time-locked commitment is lost by it", NULL },
  { "single-publisher", 0, 0, G_OPTION_ARG_NONE, &opt_single_publisher,
    "add, retire: nobody else writes to the store: for S3 servers that know no conditional puts", NULL },
  { "accept-owner", 0, 0, G_OPTION_ARG_NONE, &opt_accept_owner, "take a changed owner of the subnet for chain:owner", NULL },
  G_OPTION_ENTRY_NULL,
};

/* ── arguments ── */

static char *
parse_account (const char *text, GError **error)
{
  char *account = sv_account_normalize (text);
  if (account != NULL)
    return account;
  g_autofree char *shown = sv_text_printable (text);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s is not an account: an address like 5F…, as `sv key show` prints it", shown);
  return NULL;
}

static gboolean
parse_from_block (SvSignerRequest *request, GError **error)
{
  request->has_from_block = opt_from_block != NULL;
  return sv_parse_integer_option ("--from-block", opt_from_block, &request->from_block, error);
}

/* ── list ── */

/* "statement 2 by 5F…, from block 120" */
static char *
describe_reason (const SvSigner *signer)
{
  switch (signer->why)
  {
  case SV_WHY_SETTING:
    return g_strdup ("named by SCOREVISION_MANIFEST_SIGNERS");
  case SV_WHY_OWNER:
    return g_strdup ("the subnet's owner");
  case SV_WHY_ADDED:
    return g_strdup_printf ("added by statement " BLOCK " of %s", signer->statement, signer->by);
  case SV_WHY_RETIRED:
    return g_strdup_printf ("retired by statement " BLOCK " of %s", signer->statement, signer->by);
  case SV_WHY_REVOKED_BY_OWNER:
    return g_strdup ("revoked by the subnet's owner");
  case SV_WHY_REVOKED_BY_SETTING:
    return g_strdup ("revoked by SCOREVISION_MANIFEST_SIGNERS");
  default:
    return g_strdup ("");
  }
}

static gboolean
has_block (const SvSigner *signer)
{
  return signer->why == SV_WHY_ADDED || signer->why == SV_WHY_RETIRED;
}

static gboolean
signed_index (const SvSigner *signer, const SvIndex *index)
{
  return index != NULL && strcmp (index->document->signed_by, signer->account) == 0;
}

static json_t *
signer_to_json (const SvSigner *signer, const SvIndex *index)
{
  static const char *const reasons[] = {
    NULL, "setting", "owner", "added", "retired", "revoked_by_owner", "revoked_by_setting"
  };
  json_t *json = json_object ();
  json_object_set_new (json, "account", json_string (signer->account));
  json_object_set_new (json, "state", json_string (sv_signer_state_name (signer->state)));
  json_object_set_new (json, "reason", sv_json_string_or_null (reasons[signer->why]));
  json_object_set_new (json, "statement", has_block (signer) ? sv_json_integer (signer->statement) : json_null ());
  json_object_set_new (json, "by", sv_json_string_or_null (signer->by));
  json_object_set_new (json, "from_block", has_block (signer) ? sv_json_integer (signer->from_block) : json_null ());
  json_object_set_new (json, "until", signer->has_until ? sv_json_integer (signer->until) : json_null ());
  json_object_set_new (json, "signed_index", json_boolean (signed_index (signer, index)));
  return json;
}

static void
print_list_json (const SvSigners *signers, GPtrArray *list, const SvIndex *index, const GError *fault)
{
  json_t *accounts = json_array ();
  for (guint i = 0; i < list->len; i++)
    json_array_append_new (accounts, signer_to_json (list->pdata[i], index));
  json_t *json = json_object ();
  json_object_set_new (json, "block", sv_json_integer (sv_signers_block (signers)));
  json_object_set_new (json, "statements", sv_json_integer (sv_signers_fold_last_effective (sv_signers_fold (signers))));
  json_object_set_new (json, "signers", accounts);
  json_object_set_new (json, "index_sequence", index != NULL ? sv_json_integer (index->sequence) : json_null ());
  json_object_set_new (json, "index_signed_by", sv_json_string_or_null (index != NULL ? index->document->signed_by : NULL));
  json_object_set_new (json, "index_fault", sv_json_string_or_null (fault != NULL ? fault->message : NULL));
  sv_print_json (json);
}

static void
add_block (SvTable *table, gboolean has_one, guint64 block)
{
  if (has_one)
    sv_table_printf (table, BLOCK, block);
  else
    sv_table_add (table, "");
}

static void
add_row (SvTable *table, const SvSigner *signer, const SvIndex *index)
{
  static const SvStyle styles[] = { [SV_SIGNER_UNKNOWN] = SV_STYLE_DIM,
                                    [SV_SIGNER_TRUSTED] = SV_STYLE_GREEN,
                                    [SV_SIGNER_COMING] = SV_STYLE_PLAIN,
                                    [SV_SIGNER_RETIRED] = SV_STYLE_YELLOW,
                                    [SV_SIGNER_REVOKED] = SV_STYLE_RED };
  g_autofree char *reason = describe_reason (signer);
  sv_table_add (table, signer->account);
  sv_table_printf (table, "%s%s", sv_signer_state_name (signer->state), signed_index (signer, index) ? " *" : "");
  add_block (table, has_block (signer), signer->from_block);
  add_block (table, signer->has_until, signer->until);
  sv_table_add (table, reason);
  sv_table_style_row (table, styles[signer->state]);
}

static void
print_list (const SvContext *context, const SvSigners *signers, GPtrArray *list, const SvIndex *index, const GError *fault)
{
  static const char *const headers[] = { "ACCOUNT", "STATE", "FROM", "UNTIL", "WHY", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT, SV_COLUMN_LEFT, SV_COLUMN_RIGHT, SV_COLUMN_RIGHT, SV_COLUMN_ELASTIC };
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  for (guint i = 0; i < list->len; i++)
    add_row (table, list->pdata[i], index);
  printf ("at block " BLOCK ", " BLOCK " statement%s\n\n", sv_signers_block (signers),
          sv_signers_fold_last_effective (sv_signers_fold (signers)),
          sv_signers_fold_last_effective (sv_signers_fold (signers)) == 1 ? "" : "s");
  sv_table_print (table, context->use_color);
  if (index != NULL)
    printf ("\n* signed the index, sequence " BLOCK "\n", index->sequence);
  else
  {
    g_autofree char *shown = sv_printable (fault->message);
    printf ("\nno index: %s\n", shown);
  }
}

/* Also where nobody is trusted any more: then above all one wants to know why, and to revoke others. */
static SvReader *
open_reader (SvContext *context, GError **error)
{
  const SvReaderOptions reader_options = { .accept_owner = opt_accept_owner, .trust_nobody = TRUE };
  SvChain *chain = sv_context_chain (context, error);
  return chain != NULL ? sv_reader_new (context->config, chain, &reader_options, error) : NULL;
}

static int
run_list (SvContext *context, GError **error)
{
  GError *fault = NULL;
  g_autoptr (SvReader) reader = open_reader (context, error);
  if (reader == NULL || !sv_reader_update_signers (reader, SV_FETCH_BYPASS_CACHES, error))
    return 1;
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &fault);
  if (g_error_matches (fault, SV_ERROR, SV_ERROR_UNREACHABLE)) /* there may be statements that this home has not seen */
  {
    g_propagate_error (error, fault);
    return 1;
  }
  const SvSigners *signers = sv_reader_signers (reader);
  g_autoptr (GPtrArray) list = sv_signers_fold_list (sv_signers_fold (signers), sv_signers_block (signers));
  if (context->as_json)
    print_list_json (signers, list, index, fault);
  else
    print_list (context, signers, list, index, fault);
  g_clear_error (&fault);
  return 0;
}

/* ── add and retire ── */

static void
print_change_json (const SvSignerRequest *request, const SvSignerPublication *publication)
{
  const char *status = publication->was_there ? "unchanged" : "published";
  json_t *json = json_object ();
  json_object_set_new (json, "status", json_string (request->dry_run ? "dry_run" : status));
  json_object_set_new (json, "account", json_string (request->account));
  json_object_set_new (json, "change", json_string (request->is_addition ? "add" : "retire"));
  json_object_set_new (json, "from_block", sv_json_integer (publication->from_block));
  json_object_set_new (json, "unchanged", json_boolean (publication->was_there));
  json_object_set_new (json, "n", publication->was_there ? json_null () : sv_json_integer (publication->number));
  json_object_set_new (json, "hash", sv_json_string_or_null (publication->hash));
  json_object_set_new (json, "index_signed_again",
                       publication->resigned > 0 ? sv_json_integer (publication->resigned) : json_null ());
  json_object_set_new (json, "index_needs_another_signer", json_boolean (publication->owns_index));
  json_object_set_new (json, "index_fault", sv_json_string_or_null (publication->index_fault));
  sv_print_json (json);
}

static void
print_index_lines (const SvSignerRequest *request, const SvSignerPublication *publication)
{
  if (publication->resigned > 0)
    printf ("index       %s again by this wallet, sequence " BLOCK "; its next `sv manifest publish` anchors it\n",
            request->dry_run ? "would be signed" : "signed", publication->resigned);
  if (publication->owns_index)
    printf ("index       signed by %s: from block " BLOCK " on readers refuse it. Before that another signer must publish, or "
            "run this command, too\n",
            request->account, publication->from_block);
  if (publication->index_fault != NULL)
    printf ("index       not signed again: %s\n", publication->index_fault);
}

static void
print_change (const SvContext *context, const SvSignerRequest *request, const SvSignerPublication *publication)
{
  const char *state = request->is_addition ? "a trusted signer" : "retired, or revoked,";
  if (publication->was_there)
    printf ("%s is %s already; no statement was made\n", request->account, state);
  else
  {
    const char *verb = request->is_addition ? "added" : "retired";
    g_autofree char *done = request->dry_run ? g_strdup_printf ("would be %s", verb) : g_strdup (verb);
    g_autofree char *title = sv_styled (done, SV_STYLE_BOLD, context->use_color);
    printf ("%s\naccount     %s, from block " BLOCK "\nstatement   " BLOCK ", %s%s\n", title, request->account,
            publication->from_block, publication->number, publication->hash,
            request->dry_run ? " (another in the end: it depends on the time of signing)" : "");
  }
  print_index_lines (request, publication);
}

static SvSignerPublication *
change_signer (SvContext *context, const SvSignerRequest *request, GError **error)
{
  const SvReaderOptions reader_options = { .accept_owner = opt_accept_owner };
  g_autoptr (SvKeypair) keypair = sv_wallet_load (context->config, error);
  SvObjectStore *store = keypair != NULL ? sv_context_writable_store (context, error) : NULL;
  SvChain *chain = store != NULL ? sv_context_chain (context, error) : NULL;
  if (chain == NULL)
    return NULL;
  if (opt_single_publisher)
    sv_object_store_assume_single_writer (store);
  g_autoptr (SvPublisher) publisher = sv_publisher_new (context->config, chain, store, keypair, &reader_options, error);
  if (publisher == NULL)
    return NULL;
  g_autofree char *question =
      g_strdup_printf ("Retire %s as a signer of manifests, so that no index of it counts any more", request->account);
  if (!request->is_addition && !request->dry_run && !sv_context_confirm (context, question, error))
    return NULL;
  return sv_publish_signer (publisher, request, error);
}

static int
run_change (SvContext *context, gboolean is_addition, int argc, char **argv, GError **error)
{
  SvSignerRequest request = { .is_addition = is_addition, .dry_run = opt_dry_run };
  if (!sv_check_arguments (argc, 1, 1, USAGE, error) || !parse_from_block (&request, error))
    return 1;
  g_autofree char *account = parse_account (argv[0], error);
  if (account == NULL)
    return 1;
  request.account = account;
  g_autoptr (SvSignerPublication) publication = change_signer (context, &request, error);
  if (publication == NULL)
    return 1;
  if (context->as_json)
    print_change_json (&request, publication);
  else
    print_change (context, &request, publication);
  return 0;
}

/* ── revoke ── */

static void
print_revocation_json (char **accounts, const SvRevocation *revocation)
{
  const char *status = revocation->was_there ? "unchanged" : "revoked";
  json_t *json = json_object ();
  json_t *list = json_array ();
  for (; *accounts != NULL; accounts++)
    json_array_append_new (list, json_string (*accounts));
  json_object_set_new (json, "status", json_string (opt_dry_run ? "dry_run" : status));
  json_object_set_new (json, "accounts", list);
  json_object_set_new (json, "text", json_string (revocation->text));
  json_object_set_new (json, "block", revocation->block > 0 ? sv_json_integer (revocation->block) : json_null ());
  json_object_set_new (json, "extrinsic", revocation->block > 0 ? json_string (revocation->extrinsic) : json_null ());
  json_object_set_new (json, "final", json_boolean (revocation->is_final));
  json_object_set_new (json, "signer_left", json_boolean (revocation->has_signer));
  sv_print_json (json);
}

static void
print_next_steps (const SvRevocation *revocation)
{
  if (!revocation->is_final)
    puts ("It counts once that block is final.");
  puts ("Its index and its live manifests are not accepted any more.");
  if (revocation->has_signer)
    puts ("next: with the wallet of a signer who is left, `sv manifest publish FILE --rebuild-index`, for each open window");
  else
    puts (
        "next: no signer is left here; everybody has to name a new one in SCOREVISION_MANIFEST_SIGNERS, and that one publishes "
        "by `sv manifest publish FILE --rebuild-index`");
}

static void
print_revocation (const SvContext *context, const SvRevocation *revocation)
{
  const char *done = opt_dry_run ? "would be revoked, by" : "revoked, by";
  g_autofree char *title = sv_styled (revocation->was_there ? "revoked already, by" : done, SV_STYLE_BOLD, context->use_color);
  g_auto (GStrv) lines = g_strsplit (revocation->text, "\n", -1);
  printf ("%s\n", title);
  for (gsize i = 0; lines[i] != NULL; i++)
    printf ("%-12s%s\n", i == 0 ? "text" : "", lines[i]);
  if (revocation->block > 0)
    printf ("block       " BLOCK ", extrinsic %s\n", revocation->block, revocation->extrinsic);
  if (!opt_dry_run)
    print_next_steps (revocation);
}

static char **
parse_accounts (int argc, char **argv, GError **error)
{
  g_autoptr (GStrvBuilder) accounts = g_strv_builder_new ();
  for (int i = 0; i < argc; i++)
  {
    g_autofree char *account = parse_account (argv[i], error);
    if (account == NULL)
      return NULL;
    g_strv_builder_add (accounts, account);
  }
  return g_strv_builder_end (accounts);
}

static SvRevocation *
revoke_accounts (SvContext *context, char **accounts, GError **error)
{
  g_autoptr (SvKeypair) keypair = sv_wallet_load (context->config, error);
  g_autoptr (SvReader) reader = keypair != NULL ? open_reader (context, error) : NULL;
  g_autofree char *named = g_strjoinv (", ", accounts);
  g_autofree char *question = g_strdup_printf ("Revoke %s for good, and everything signed by it", named);
  if (reader == NULL || (!opt_dry_run && !sv_context_confirm (context, question, error)))
    return NULL;
  /* A chain that makes blocks on demand only would never come to an end. */
  gboolean waits = sv_chain_block_time_ms (context->chain) > 0 && !opt_no_wait;
  const SvAnchorSlot slot = { .config = context->config, .chain = context->chain, .reader = reader, .keypair = keypair };
  const SvRevokeOptions revoke_options = { .flags = opt_replace ? SV_PREPARE_REPLACE : SV_PREPARE_DEFAULT,
                                           .dry_run = opt_dry_run,
                                           .finality_timeout_ms = waits ? FINALITY_TIMEOUT_MS : 0 };
  if (context->is_terminal && !opt_dry_run)
    fprintf (stderr, "waiting for the chain…");
  SvRevocation *revocation = sv_revoke_signers (&slot, (const char *const *)accounts, &revoke_options, error);
  if (context->is_terminal && !opt_dry_run)
    fprintf (stderr, "\r\033[K");
  return revocation;
}

static int
run_revoke (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 1, G_MAXUINT16, USAGE, error))
    return 1;
  g_auto (GStrv) accounts = parse_accounts (argc, argv, error);
  g_autoptr (SvRevocation) revocation = accounts != NULL ? revoke_accounts (context, accounts, error) : NULL;
  if (revocation == NULL)
    return 1;
  if (context->as_json)
    print_revocation_json (accounts, revocation);
  else
    print_revocation (context, revocation);
  return 0;
}

/* ── the verb ── */

static int
run_signers (SvContext *context, int argc, char **argv, GError **error)
{
  if (argc == 0)
    return run_list (context, error);
  if (strcmp (argv[0], "add") == 0)
    return run_change (context, TRUE, argc - 1, argv + 1, error);
  if (strcmp (argv[0], "retire") == 0)
    return run_change (context, FALSE, argc - 1, argv + 1, error);
  if (strcmp (argv[0], "revoke") == 0)
    return run_revoke (context, argc - 1, argv + 1, error);
  g_autofree char *shown = sv_text_printable (argv[0]);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "there is no `signers %s`; usage: " USAGE, shown);
  return 1;
}

const SvCommand sv_manifest_signers_commands[] = {
  { "manifest", "signers", "[add|retire ACCOUNT [--from-block N] | revoke ACCOUNT…]",
    "show who may sign manifests, and change it",
    "Without a verb: every account that the setting, statements and revocations name, its state at the last final block, "
    "since\n"
    "when and why; * marks who signed the present index.\n\n"
    "add and retire publish a statement, signed by the wallet's hotkey, which must be a signer itself. A retired signer's\n"
    "manifests stay valid where the index lists them, and its index is signed again by the wallet; so retire the old key with\n"
    "the new one's wallet. Retiring asks first on a terminal; elsewhere it needs --yes. Running it again does what is "
    "missing.\n\n"
    "revoke is for a key that was lost or stolen: the subnet's owner names it on the chain, for good, and nothing signed by "
    "it\n"
    "counts any more, nor by accounts that it alone has added. It asks first, too.",
    "  sv manifest signers\n"
    "  sv manifest signers add 5FHneW46…\n"
    "  sv manifest signers retire 5GrwvaEF… --from-block 123456 --hotkey new\n"
    "  sv manifest signers revoke 5GrwvaEF… --hotkey owner",
    options, run_signers },
  { NULL },
};
