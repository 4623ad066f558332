/* sv manifest: the operator's commands. Here are those that write (create, validate, publish, rollback) and the table; those
 * that only read are in manifest_show.c. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "cli/commands.h"
#include "cli/manifest_show.h"
#include "cli/table.h"
#include "operator/anchoring.h"
#include "operator/authoring.h"
#include "operator/clip_inventory.h"
#include "operator/templates.h"

#define BLOCK "%" G_GUINT64_FORMAT

static char *opt_template, *opt_window_id, *opt_expiry_block, *opt_start_block, *opt_output, *opt_overlap, *opt_to_hash;
static char **opt_clips;
static gboolean opt_strict, opt_supersede, opt_dry_run, opt_accept_owner, opt_replace, opt_single_publisher;

/* *@value keeps its default where the option was not given. */
static gboolean
parse_integer_option (const char *name, const char *text, guint64 *value, GError **error)
{
  if (text == NULL || sv_integer_parse (text, value))
    return TRUE;
  g_autofree char *shown = sv_text_printable (text);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s %s: not a whole number from 0 to 9007199254740991", name, shown);
  return FALSE;
}

/* ── create ── */

static const GOptionEntry create_options[] = {
  { "template", 0, 0, G_OPTION_ARG_STRING, &opt_template, "football or cricket", "NAME" },
  { "window-id", 0, 0, G_OPTION_ARG_STRING, &opt_window_id, "the window's id, used once; by custom its day", "W" },
  { "expiry-block", 0, 0, G_OPTION_ARG_STRING, &opt_expiry_block, "the first block after the window", "N" },
  { "start-block", 0, 0, G_OPTION_ARG_STRING, &opt_start_block, "the window's first block (default: filled in when published)",
    "N" },
  { "clip", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_clips, "a challenge clip, for all elements or for one; may be repeated",
    "[ELEMENT:]HASH[=WEIGHT]" },
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &opt_output, "write to FILE, which must not exist (default: standard output)",
    "FILE" },
  G_OPTION_ENTRY_NULL,
};

static gboolean
check_create_options (GError **error)
{
  const char *missing = NULL;
  if (opt_template == NULL)
    missing = "--template";
  else if (opt_window_id == NULL)
    missing = "--window-id";
  else if (opt_expiry_block == NULL)
    missing = "--expiry-block";
  if (missing == NULL)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s is needed; see `sv manifest create --help`", missing);
  return FALSE;
}

static gboolean
parse_clips (GPtrArray *clips, GError **error)
{
  for (char **text = opt_clips; text != NULL && *text != NULL; text++)
  {
    SvTemplateClip *clip = sv_template_clip_parse (*text, error);
    if (clip == NULL)
      return FALSE;
    g_ptr_array_add (clips, clip);
  }
  return TRUE;
}

static int
write_created (const SvContext *context, const char *text, GError **error)
{
  if (opt_output != NULL && !sv_file_create (opt_output, text, strlen (text), 0644, error))
  {
    g_prefix_error (error, "no file is ever overwritten (choose another --output, or move it away): ");
    return 1;
  }
  if (context->as_json)
    sv_print_json (json_pack ("{s:s?,s:s}", "file", opt_output, "text", text));
  else if (opt_output == NULL)
    fputs (text, stdout);
  else
    printf ("wrote %s\nnext: edit it, then `sv manifest validate %s` and `sv manifest publish %s`\n", opt_output, opt_output,
            opt_output);
  return 0;
}

static int
run_create (SvContext *context, int argc, char **argv, GError **error)
{
  g_autoptr (GPtrArray) clips = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_template_clip_free);
  SvTemplateValues values = {
    .name = opt_template, .window_id = opt_window_id, .has_start_block = opt_start_block != NULL, .clips = clips
  };
  if (!sv_check_arguments (argc, 0, 0, "sv manifest create --template NAME --window-id W --expiry-block N", error) ||
      !check_create_options (error) ||
      !parse_integer_option ("--expiry-block", opt_expiry_block, &values.expiry_block, error) ||
      !parse_integer_option ("--start-block", opt_start_block, &values.start_block, error) || !parse_clips (clips, error))
    return 1;
  g_autofree char *text = sv_template_fill (&values, error);
  return text != NULL ? write_created (context, text, error) : 1;
}

/* ── validate ── */

static const GOptionEntry validate_options[] = {
  { "strict", 0, 0, G_OPTION_ARG_NONE, &opt_strict, "refuse unknown fields, too", NULL },
  G_OPTION_ENTRY_NULL,
};

static gboolean
is_error (const SvFault *fault)
{
  return opt_strict || !fault->is_warning;
}

static void
print_faults (const SvContext *context, const SvAuthoredManifest *authored, FILE *stream)
{
  for (guint i = 0; i < authored->faults->items->len; i++)
  {
    const SvFault *fault = authored->faults->items->pdata[i];
    g_autofree char *line = sv_places_describe (authored->places, fault);
    g_autofree char *shown = sv_printable (line);
    g_autofree char *label =
        sv_styled (is_error (fault) ? "error:" : "warning:", is_error (fault) ? SV_STYLE_RED : SV_STYLE_YELLOW,
                   context->use_color && stream == stdout);
    fprintf (stream, "%s %s\n", label, shown);
  }
}

static guint
count_errors (const SvAuthoredManifest *authored)
{
  return authored->faults->n_errors + (opt_strict ? authored->faults->n_warnings : 0);
}

/* What is no fault, but easily overlooked. */
static void
print_without_clips (const json_t *manifest)
{
  gsize i;
  json_t *element;
  json_array_foreach (json_object_get (manifest, "elements"), i,
                      element) if (json_array_size (json_object_get (element, "clips")) == 0)
  {
    g_autofree char *id = sv_printable (json_string_value (json_object_get (element, "id")));
    printf ("note: %s has no clips: it is announced, not served\n", id);
  }
}

static int
run_validate (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 1, 1, "sv manifest validate FILE [--strict]", error))
    return 1;
  g_autoptr (SvAuthoredManifest) authored = sv_authored_manifest_load (argv[0], error);
  if (authored == NULL)
    return 1;
  guint n_errors = count_errors (authored);
  if (context->as_json)
    sv_print_json (sv_authored_manifest_report (authored, opt_strict));
  else
  {
    print_faults (context, authored, stdout);
    if (n_errors == 0)
    {
      print_without_clips (authored->json);
      printf ("%s is valid\n", authored->name);
    }
    else
      printf ("%s: %u fault%s\n", authored->name, n_errors, n_errors == 1 ? "" : "s");
  }
  return n_errors == 0 ? 0 : 3;
}

/* ── publish and rollback ── */

#define PUBLISH_OPTIONS                                                                                                        \
  { "single-publisher",                                                                                                        \
    0,                                                                                                                         \
    0,                                                                                                                         \
    G_OPTION_ARG_NONE,                                                                                                         \
    &opt_single_publisher,                                                                                                     \
    "nobody else writes to the store: for S3 servers that know no conditional puts",                                           \
    NULL },                                                                                                                    \
      { "overlap", 0, 0, G_OPTION_ARG_STRING, &opt_overlap, "blocks that a replaced manifest stays in force (10)", "N" },      \
      { "dry-run", 0, 0, G_OPTION_ARG_NONE, &opt_dry_run, "show what would be done, and write nothing", NULL },                \
      { "replace-commitment",                                                                                                  \
        0,                                                                                                                     \
        0,                                                                                                                     \
        G_OPTION_ARG_NONE,                                                                                                     \
        &opt_replace,                                                                                                          \
        "anchor also where another program's time-locked commitment is lost by it",                                            \
        NULL },                                                                                                                \
  {                                                                                                                            \
    "accept-owner", 0, 0, G_OPTION_ARG_NONE, &opt_accept_owner, "take a changed owner of the subnet for chain:owner", NULL     \
  }

static const GOptionEntry publish_options[] = {
  { "supersede", 0, 0, G_OPTION_ARG_NONE, &opt_supersede, "replace the window's live manifest", NULL },
  { "strict", 0, 0, G_OPTION_ARG_NONE, &opt_strict, "refuse unknown fields instead of warning about them", NULL },
  PUBLISH_OPTIONS,
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry rollback_options[] = {
  { "to-hash", 0, 0, G_OPTION_ARG_STRING, &opt_to_hash, "the earlier manifest to make live again", "HASH" },
  PUBLISH_OPTIONS,
  G_OPTION_ENTRY_NULL,
};

static json_t *
anchoring_to_json (const SvAnchoring *anchoring)
{
  if (anchoring == NULL)
    return json_null ();
  json_t *json = json_object ();
  json_object_set_new (json, "hash", json_string (anchoring->hash));
  json_object_set_new (json, "sequence", sv_json_integer (anchoring->sequence));
  json_object_set_new (json, "was_there", json_boolean (anchoring->was_there));
  json_object_set_new (json, "block", anchoring->was_there ? json_null () : sv_json_integer (anchoring->block));
  json_object_set_new (json, "extrinsic", anchoring->was_there ? json_null () : json_string (anchoring->extrinsic));
  return json;
}

static void
print_publication_json (const SvPublication *publication, const SvAnchoring *anchoring)
{
  const char *status = publication->is_unchanged ? "unchanged" : "published";
  json_t *json = json_object ();
  json_object_set_new (json, "status", json_string (opt_dry_run ? "dry_run" : status));
  json_object_set_new (json, "manifest_hash", json_string (publication->manifest_hash));
  json_object_set_new (json, "window_id", json_string (publication->window_id));
  json_object_set_new (json, "start_block", sv_json_integer (publication->start_block));
  json_object_set_new (json, "expiry_block", sv_json_integer (publication->expiry_block));
  json_object_set_new (json, "active_from", sv_json_integer (publication->active_from));
  json_object_set_new (json, "sequence", sv_json_integer (publication->added_sequence));
  json_object_set_new (json, "previous", sv_json_string_or_null (publication->previous));
  json_object_set_new (json, "unchanged", json_boolean (publication->is_unchanged));
  json_object_set_new (json, "replaced", sv_json_string_or_null (publication->replaced));
  json_object_set_new (json, "replaced_until",
                       publication->replaced != NULL ? sv_json_integer (publication->replaced_until) : json_null ());
  json_object_set_new (json, "anchor", anchoring_to_json (anchoring));
  sv_print_json (json);
}

/* A rollback takes the old document as it is. */
static gboolean
signs_anew (const SvPublication *publication)
{
  return !publication->is_unchanged && opt_to_hash == NULL;
}

/* What is public from here on, before the anchor is waited for. */
static void
print_publication (const SvContext *context, const SvPublication *publication)
{
  const char *done = opt_dry_run ? "would be published" : "published";
  g_autofree char *title =
      sv_styled (publication->is_unchanged ? "live already, not signed again" : done, SV_STYLE_BOLD, context->use_color);
  puts (title);
  printf ("window      %s, blocks " BLOCK " to " BLOCK ", in force from " BLOCK "\n", publication->window_id,
          publication->start_block, publication->expiry_block, MAX (publication->start_block, publication->active_from));
  printf ("manifest    %s%s\n", publication->manifest_hash,
          opt_dry_run && signs_anew (publication) ? " (another in the end: it depends on the time of signing)" : "");
  printf ("previous    %s\n", publication->previous != NULL ? publication->previous : "none: the first one");
  if (publication->replaced != NULL)
    printf ("replaces    %s, in force until block " BLOCK "\n", publication->replaced, publication->replaced_until);
  printf ("index       sequence " BLOCK "\n", publication->added_sequence);
  fflush (stdout);
}

static void
print_steps (const SvPublication *publication)
{
  if (publication->is_unchanged)
    puts ("steps       put the manifest's objects and the anchor where they are missing");
  else
    printf ("steps       put the manifest under both names, swap the index, anchor `sv1 manifest %s " BLOCK "`\n",
            publication->newest, publication->added_sequence);
}

static void
print_anchoring (const SvAnchoring *anchoring)
{
  if (anchoring->was_there)
    printf ("anchor      there already, with sequence " BLOCK "\n", anchoring->sequence);
  else
    printf ("anchor      sequence " BLOCK " in block " BLOCK ", extrinsic %s\n", anchoring->sequence, anchoring->block,
            anchoring->extrinsic);
}

static int
finish_publication (SvContext *context, SvPublisher *publisher, const SvPublication *publication, GError **error)
{
  g_autoptr (SvAnchoring) anchoring = NULL;
  if (!context->as_json)
    print_publication (context, publication);
  if (!opt_dry_run && context->is_terminal)
    fprintf (stderr, "waiting for the anchor to be included…");
  if (!opt_dry_run)
    anchoring = sv_anchor_publication (publisher, publication, opt_replace ? SV_PREPARE_REPLACE : SV_PREPARE_DEFAULT, error);
  if (!opt_dry_run && context->is_terminal)
    fprintf (stderr, "\r\033[K");
  if (!opt_dry_run && anchoring == NULL)
    return 1;
  if (context->as_json)
    print_publication_json (publication, anchoring);
  else if (opt_dry_run)
    print_steps (publication);
  else
    print_anchoring (anchoring);
  return 0;
}

/* What both commands need: a keypair, and a publisher that it is trusted with. */
typedef struct
{
  SvKeypair *keypair;
  SvPublisher *publisher;
  SvPublishOptions options;
} Session;

static void
session_clear (Session *session)
{
  g_clear_pointer (&session->publisher, sv_publisher_free);
  g_clear_pointer (&session->keypair, sv_keypair_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Session, session_clear)

static gboolean
open_session (SvContext *context, Session *session, GError **error)
{
  session->options = (SvPublishOptions){ .supersede = opt_supersede, .overlap = SV_DEFAULT_OVERLAP, .dry_run = opt_dry_run };
  if (!parse_integer_option ("--overlap", opt_overlap, &session->options.overlap, error))
    return FALSE;
  session->keypair = sv_wallet_load (context->config, error);
  SvChain *chain = session->keypair != NULL ? sv_context_chain (context, error) : NULL;
  SvObjectStore *store = chain != NULL ? sv_context_store (context, error) : NULL;
  if (store == NULL)
    return FALSE;
  if (opt_single_publisher)
    sv_object_store_assume_single_writer (store);
  SvReaderOptions options = { .accept_owner = opt_accept_owner };
  session->publisher = sv_publisher_new (context->config, chain, store, session->keypair, &options, error);
  return session->publisher != NULL;
}

/* A clip that is not in the store cannot be handed out. Only a warning: it may be added until the window starts. */
static void
warn_of_missing_clips (SvObjectStore *store, const json_t *manifest)
{
  gsize i, j;
  json_t *element, *clip;
  json_array_foreach (json_object_get (manifest, "elements"), i, element)
      json_array_foreach (json_object_get (element, "clips"), j, clip)
  {
    g_autoptr (GError) error = NULL;
    g_autofree char *hash = sv_hash_normalize (json_string_value (json_object_get (clip, "hash")));
    g_autofree char *key = hash != NULL ? sv_clip_key (hash) : NULL;
    if (key == NULL || sv_object_store_head (store, key, NULL, &error) ||
        !g_error_matches (error, SV_ERROR, SV_ERROR_NOT_FOUND))
      continue;
    fprintf (stderr,
             "warning: clip %s is not in store %s: no challenge is handed out where it is drawn; add it with `sv clip add`\n",
             hash, sv_object_store_url (store));
    return;
  }
}

/* What replaces a live manifest asks first. @preview is the dry run of it. */
static gboolean
confirm_replacement (SvContext *context, const SvPublication *preview, GError **error)
{
  if (preview->is_unchanged || preview->replaced == NULL)
    return TRUE;
  g_autofree char *question =
      g_strdup_printf ("Replace the live manifest %s of window %s", preview->replaced, preview->window_id);
  return sv_context_confirm (context, question, error);
}

static gboolean
confirm_publish (SvContext *context, Session *session, const json_t *authored, GError **error)
{
  if (context->yes || opt_dry_run || !opt_supersede)
    return TRUE;
  SvPublishOptions options = session->options;
  options.dry_run = TRUE;
  g_autoptr (SvPublication) preview = sv_publish_manifest (session->publisher, authored, &options, error);
  return preview != NULL && confirm_replacement (context, preview, error);
}

static gboolean
confirm_rollback (SvContext *context, Session *session, const char *hash, GError **error)
{
  if (context->yes || opt_dry_run)
    return TRUE;
  SvPublishOptions options = session->options;
  options.dry_run = TRUE;
  g_autoptr (SvPublication) preview = sv_rollback_manifest (session->publisher, hash, &options, error);
  return preview != NULL && confirm_replacement (context, preview, error);
}

static int
run_publish (SvContext *context, int argc, char **argv, GError **error)
{
  g_auto (Session) session = { 0 };
  if (!sv_check_arguments (argc, 1, 1, "sv manifest publish FILE [--supersede] [--overlap N] [--strict] [--dry-run]", error))
    return 1;
  g_autoptr (SvAuthoredManifest) authored = sv_authored_manifest_load (argv[0], error);
  if (authored == NULL || !sv_authored_manifest_check (authored, opt_strict, error))
    return 1;
  print_faults (context, authored, stderr);
  if (!open_session (context, &session, error))
    return 1;
  warn_of_missing_clips (context->store, authored->json);
  if (!confirm_publish (context, &session, authored->json, error))
    return 1;
  g_autoptr (SvPublication) publication = sv_publish_manifest (session.publisher, authored->json, &session.options, error);
  return publication != NULL ? finish_publication (context, session.publisher, publication, error) : 1;
}

static int
run_rollback (SvContext *context, int argc, char **argv, GError **error)
{
  g_auto (Session) session = { 0 };
  if (!sv_check_arguments (argc, 0, 0, "sv manifest rollback --to-hash HASH [--overlap N] [--dry-run]", error))
    return 1;
  g_autofree char *hash = opt_to_hash != NULL ? sv_hash_normalize (opt_to_hash) : NULL;
  if (hash == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--to-hash needs a manifest hash, as `sv manifest list --json` shows it");
    return 1;
  }
  if (!open_session (context, &session, error) || !confirm_rollback (context, &session, hash, error))
    return 1;
  g_autoptr (SvPublication) publication = sv_rollback_manifest (session.publisher, hash, &session.options, error);
  return publication != NULL ? finish_publication (context, session.publisher, publication, error) : 1;
}

/* ── the table ── */

const SvCommand sv_manifest_commands[] = {
  { "manifest", "create", "--template NAME --window-id W --expiry-block N [--clip HASH]… [-o FILE]",
    "write a manifest from a template, to be edited", "The template's comments explain each field and stay in the file.",
    "  sv manifest create --template football --window-id 2025-10-23 --expiry-block 123456 -o manifest.yaml", create_options,
    run_create },
  { "manifest", "validate", "FILE [--strict]", "list everything wrong with a manifest, in its place",
    "FILE is YAML or JSON; - is standard input. Exit status 3 when there is a fault.", "  sv manifest validate manifest.yaml",
    validate_options, run_validate },
  { "manifest", "publish", "FILE [--supersede] [--overlap N] [--strict] [--dry-run]",
    "sign a manifest, make it public, anchor it",
    "Signs the manifest, stores it, adds it to the index and anchors it on the chain. The wallet's hotkey signs, and must be "
    "among SCOREVISION_MANIFEST_SIGNERS. Running the same command again does what is\n"
    "missing and nothing twice. A second manifest for a window needs --supersede; the replaced one stays in force for\n"
    "--overlap blocks, while caches learn of the new one. Replacing asks first on a terminal; elsewhere it needs --yes.",
    "  sv manifest publish manifest.yaml --dry-run\n  sv manifest publish manifest.yaml", publish_options, run_publish },
  { "manifest", "rollback", "--to-hash HASH [--overlap N] [--dry-run]", "make an earlier manifest of a window live again",
    "The window must not have expired. History is added to, never rewritten. It asks first on a terminal; elsewhere it needs "
    "--yes.",
    "  sv manifest rollback --to-hash sha256:4f2a…", rollback_options, run_rollback },
  { "manifest", "list", "", "show the windows of the index and their states",
    "ACTIVE: what readers use now. IN FORCE: replaced, but still accepted during the overlap. UPCOMING, EXPIRED,\n"
    "SUPERSEDED: what the words say. Hashes in full and times are in --json.",
    "  sv manifest list", sv_manifest_list_options, sv_manifest_run_list },
  { "manifest", "current", "[--require-anchor]", "show the active manifest, and whether it is anchored",
    "anchored: it stands in the history that the chain's anchor names. pending: it is newer than the anchor. unanchored: it "
    "is\n"
    "neither; with --require-anchor that is an error.",
    "  sv manifest current --require-anchor", sv_manifest_current_options, sv_manifest_run_current },
  { "manifest", "show", "[HASH|WINDOW|FILE|active]", "show a manifest, verified unless it is a file",
    "With --json the whole document, else a summary. Without an argument the active one.", "  sv manifest show active --json",
    sv_manifest_source_options, sv_manifest_run_show },
  { "manifest", "diff", "A B", "show what changed between two manifests",
    "Each of A and B is a hash, a window's id, a file, or `active`.", "  sv manifest diff active manifest.yaml",
    sv_manifest_source_options, sv_manifest_run_diff },
  { NULL },
};
