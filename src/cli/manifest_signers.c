/* sv manifest signers: who may sign manifests, and changing that. Without a verb it shows; add, retire and revoke change. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/signers_print.h"
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
    sv_signers_print_json (signers, list, index, fault);
  else
    sv_signers_print (signers, list, index, fault, context->use_color);
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
    sv_say (stdout, "index       %s again by this wallet, sequence " BLOCK "; its next `sv manifest publish` anchors it\n",
            request->dry_run ? "would be signed" : "signed", publication->resigned);
  if (publication->owns_index)
    sv_say (stdout,
            "index       signed by %s: from block " BLOCK
            " on readers refuse it. Before that publish with the wallet of another "
            "signer, or have it sign the index again: `sv manifest signers retire %s --hotkey OTHER`\n",
            request->account, publication->from_block, request->account);
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

/* (transfer full) without its mark: what becomes of the index is part of it. */
static char *
write_retire_question (const SvSignerRequest *request, const SvSignerPublication *preview)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, "Retire %s as a signer of manifests, so that no index of it counts from block " BLOCK " on",
                          request->account, preview->from_block);
  if (preview->owns_index)
    g_string_append (text, ", the present one neither unless another signer has published by then");
  else if (preview->resigned > 0)
    g_string_append_printf (text, ", and sign the present one again by this wallet, as sequence " BLOCK, preview->resigned);
  else if (preview->index_fault != NULL)
    g_string_append_printf (text, " (the present one cannot be signed again: %s)", preview->index_fault);
  return sv_printable (text->str);
}

/* Every check comes before the question; where no statement is to be made there is none. */
static gboolean
agree_to_retire (SvContext *context, SvPublisher *publisher, const SvSignerRequest *request, GError **error)
{
  SvSignerRequest dry_request = *request;
  dry_request.dry_run = TRUE;
  g_autoptr (SvSignerPublication) preview = sv_publish_signer (publisher, &dry_request, error);
  if (preview == NULL || preview->was_there)
    return preview != NULL;
  g_autofree char *question = write_retire_question (request, preview);
  return sv_context_confirm (context, question, error);
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
  gboolean asks = !request->is_addition && !request->dry_run && !context->yes;
  if (publisher == NULL || (asks && !agree_to_retire (context, publisher, request, error)))
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

static json_t *
windows_to_json (const SvRevocation *revocation)
{
  json_t *list = json_array ();
  for (char **window = revocation->windows; *window != NULL; window++)
    json_array_append_new (list, json_string (*window));
  return list;
}

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
  json_object_set_new (json, "index_fault",
                       sv_json_string_or_null (revocation->index_error != NULL ? revocation->index_error->message : NULL));
  json_object_set_new (json, "refused_windows", windows_to_json (revocation));
  sv_print_json (json);
}

/* One that cannot be read now may be in order. */
static gboolean
is_index_refused (const SvRevocation *revocation)
{
  return g_error_matches (revocation->index_error, SV_ERROR, SV_ERROR_VERIFY) ||
         g_error_matches (revocation->index_error, SV_ERROR, SV_ERROR_MALFORMED);
}

static void
print_effects (const SvRevocation *revocation)
{
  g_autofree char *windows = g_strjoinv (", ", revocation->windows);
  if (revocation->index_error != NULL)
  {
    g_autofree char *reason = sv_printable (revocation->index_error->message);
    printf ("index       %s: %s\n", is_index_refused (revocation) ? "refused by readers" : "not known", reason);
  }
  if (*windows != '\0')
    printf ("manifests   refused by readers: the live one of %s\n", windows);
  if (!opt_dry_run && !revocation->is_final)
    puts ("It counts once that block is final.");
}

/* Nothing where nothing is to be done. */
static void
print_next_steps (const SvRevocation *revocation)
{
  g_autofree char *windows = g_strjoinv (", ", revocation->windows);
  const char *who = "with the wallet of a signer who is left";
  if (!revocation->has_signer)
  {
    puts ("Nobody is left who can publish.");
    printf ("next: name a new account in SCOREVISION_MANIFEST_SIGNERS, on every machine; ");
    who = "then with its wallet";
  }
  else if (is_index_refused (revocation) || *windows != '\0')
    printf ("next: ");
  else
    return;
  if (*windows != '\0')
    sv_say (stdout, "%s, `sv manifest publish FILE --supersede` for window %s\n", who, windows);
  else
    sv_say (
        stdout,
        "%s, `sv manifest publish FILE --rebuild-index` for each open window, and --rebuild-index --supersede where it says "
        "that the index keeps another manifest of it\n",
        who);
}

static void
print_revocation (const SvContext *context, const SvRevocation *revocation)
{
  const char *done = opt_dry_run ? "would be revoked" : "revoked";
  g_autofree char *title = sv_styled (revocation->was_there ? "revoked already" : done, SV_STYLE_BOLD, context->use_color);
  g_auto (GStrv) lines = g_strsplit (revocation->text, "\n", -1);
  printf ("%s\n", title);
  for (gsize i = 0; lines[i] != NULL; i++)
    printf ("%-12s%s\n", i == 0 ? "text" : "", lines[i]);
  if (revocation->block > 0)
    printf ("block       " BLOCK ", extrinsic %s\n", revocation->block, revocation->extrinsic);
  print_effects (revocation);
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

/* (transfer full) without its mark: what is lost by it is part of it. */
static char *
write_revoke_question (char **accounts, const SvRevocation *preview)
{
  g_autofree char *named = g_strjoinv (", ", accounts);
  g_autofree char *windows = g_strjoinv (", ", preview->windows);
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, "Revoke %s for good, and everything signed by it", named);
  if (is_index_refused (preview))
    g_string_append (text, ", so that readers refuse the present index until another is published");
  else if (*windows != '\0')
    g_string_append_printf (text, ", so that readers refuse the live manifest of %s", windows);
  if (!preview->has_signer)
    g_string_append (text, "; nobody is left then who can publish, until a new account is named in "
                           "SCOREVISION_MANIFEST_SIGNERS on every machine");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Every check comes before the question; *@done is what there is to say where nothing is to be asked. */
static gboolean
agree_to_revoke (SvContext *context, const SvAnchorSlot *slot, char **accounts, SvRevocation **done, GError **error)
{
  const SvRevokeOptions dry_run = { .dry_run = TRUE };
  g_autoptr (SvRevocation) preview = sv_revoke_signers (slot, (const char *const *)accounts, &dry_run, error);
  if (preview == NULL)
    return FALSE;
  if (preview->was_there)
  {
    *done = g_steal_pointer (&preview);
    return TRUE;
  }
  g_autofree char *question = write_revoke_question (accounts, preview);
  return sv_context_confirm (context, question, error);
}

static SvRevocation *
revoke_accounts (SvContext *context, char **accounts, GError **error)
{
  g_autoptr (SvKeypair) keypair = sv_wallet_load (context->config, error);
  g_autoptr (SvReader) reader = keypair != NULL ? open_reader (context, error) : NULL;
  if (reader == NULL)
    return NULL;
  /* A chain that makes blocks on demand only would never come to an end. */
  gboolean waits = sv_chain_block_time_ms (context->chain) > 0 && !opt_no_wait;
  const SvAnchorSlot slot = { .config = context->config, .chain = context->chain, .reader = reader, .keypair = keypair };
  SvRevocation *revocation = NULL;
  gboolean asks = !opt_dry_run && !context->yes;
  if (asks && (!agree_to_revoke (context, &slot, accounts, &revocation, error) || revocation != NULL))
    return revocation;
  const SvRevokeOptions revoke_options = { .flags = opt_replace ? SV_PREPARE_REPLACE : SV_PREPARE_DEFAULT,
                                           .dry_run = opt_dry_run,
                                           .finality_timeout_ms = waits ? FINALITY_TIMEOUT_MS : 0 };
  if (context->is_terminal && !opt_dry_run)
    fprintf (stderr, "waiting for the chain…");
  revocation = sv_revoke_signers (&slot, (const char *const *)accounts, &revoke_options, error);
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
    "the new one's wallet. Who retires himself and has signed the index needs --from-block, at least 10 blocks after the\n"
    "best one, so that another can publish before. Retiring asks first on a terminal; elsewhere it needs --yes. Running it\n"
    "again does what is missing, also where readers have no index because its signer was retired.\n\n"
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
