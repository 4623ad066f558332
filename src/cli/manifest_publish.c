/* sv manifest publish and rollback. A person is shown what changes and asked once, before anything is written. What was shown
 * goes along as what was agreed to, so that nothing else is published where the index changed while the question was open. */
#include "cli/manifest_publish.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "cli/index_rebuild.h"
#include "cli/manifest_show.h"
#include "cli/table.h"
#include "operator/anchoring.h"
#include "operator/clip_inventory.h"

#define BLOCK "%" G_GUINT64_FORMAT
#define SHOWN_DIFFERENCES 40 /* more is read better with `sv manifest diff` */

static char *opt_overlap, *opt_to_hash;
static gboolean opt_strict, opt_supersede, opt_dry_run, opt_accept_owner, opt_replace, opt_single_publisher, opt_rebuild;

#define PUBLISH_OPTIONS                                                                                                        \
  { "overlap", 0, 0, G_OPTION_ARG_STRING, &opt_overlap, "blocks that a replaced manifest stays in force (10)", "N" },          \
      { "dry-run", 0, 0, G_OPTION_ARG_NONE, &opt_dry_run, "show what would be done, and write nothing", NULL },                \
      { "replace-commitment",                                                                                                  \
        0,                                                                                                                     \
        0,                                                                                                                     \
        G_OPTION_ARG_NONE,                                                                                                     \
        &opt_replace,                                                                                                          \
        "anchor also where another program's time-locked commitment is lost by it",                                            \
        NULL },                                                                                                                \
      { "single-publisher",                                                                                                    \
        0,                                                                                                                     \
        0,                                                                                                                     \
        G_OPTION_ARG_NONE,                                                                                                     \
        &opt_single_publisher,                                                                                                 \
        "nobody else writes to the store: for S3 servers that know no conditional puts",                                       \
        NULL },                                                                                                                \
  {                                                                                                                            \
    "accept-owner", 0, 0, G_OPTION_ARG_NONE, &opt_accept_owner, "take a changed owner of the subnet for the right one", NULL   \
  }

const GOptionEntry sv_manifest_publish_options[] = {
  { "supersede", 0, 0, G_OPTION_ARG_NONE, &opt_supersede, "replace the window's live manifest", NULL },
  { "strict", 0, 0, G_OPTION_ARG_NONE, &opt_strict, "refuse unknown fields instead of warning about them", NULL },
  { "rebuild-index", 0, 0, G_OPTION_ARG_NONE, &opt_rebuild, "go on without the index of a signer who was revoked or retired",
    NULL },
  PUBLISH_OPTIONS,
  G_OPTION_ENTRY_NULL,
};

const GOptionEntry sv_manifest_rollback_options[] = {
  { "to-hash", 0, 0, G_OPTION_ARG_STRING, &opt_to_hash, "the earlier manifest to make live again", "HASH" },
  PUBLISH_OPTIONS,
  G_OPTION_ENTRY_NULL,
};

void
sv_manifest_print_faults (const SvContext *context, const SvAuthoredManifest *authored, gboolean is_strict, FILE *stream)
{
  for (guint i = 0; i < authored->faults->items->len; i++)
  {
    const SvFault *fault = authored->faults->items->pdata[i];
    gboolean is_error = is_strict || !fault->is_warning;
    g_autofree char *line = sv_places_describe (authored->places, fault);
    g_autofree char *shown = sv_printable (line);
    g_autofree char *label = sv_styled (is_error ? "error:" : "warning:", is_error ? SV_STYLE_RED : SV_STYLE_YELLOW,
                                        context->use_color && stream == stdout);
    fprintf (stream, "%s %s\n", label, shown);
  }
}

/* ── as JSON ── */

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

/* NULL where the manifest to compare with cannot be had. Returns: (transfer full). */
static GPtrArray *
find_differences (const SvPublication *publication)
{
  if (publication->compared == NULL)
    return g_ptr_array_new ();
  return publication->compared_content != NULL ? sv_manifest_diff (publication->compared_content, publication->content) : NULL;
}

static json_t *
diff_to_json (const SvPublication *publication)
{
  g_autoptr (GPtrArray) differences = find_differences (publication);
  json_t *json = json_object ();
  json_object_set_new (json, "before", sv_json_string_or_null (publication->compared));
  json_object_set_new (json, "differences", differences != NULL ? sv_differences_to_json (differences) : json_null ());
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
  json_object_set_new (json, "diff", diff_to_json (publication));
  json_object_set_new (json, "rebuilt_index", sv_index_rebuild_to_json (publication->rebuild));
  json_object_set_new (json, "anchor", anchoring_to_json (anchoring));
  sv_print_json (json);
}

/* ── for people ── */

/* A rollback takes the old document as it is. */
static gboolean
signs_anew (const SvPublication *publication)
{
  return !publication->is_unchanged && opt_to_hash == NULL;
}

static void
print_title (const SvContext *context, const char *text, FILE *stream)
{
  g_autofree char *title = sv_styled (text, SV_STYLE_BOLD, context->use_color);
  fprintf (stream, "%s\n", title);
}

static void
print_window (const SvPublication *publication, FILE *stream)
{
  fprintf (stream, "window      %s, blocks " BLOCK " to " BLOCK ", in force from " BLOCK "\n", publication->window_id,
           publication->start_block, publication->expiry_block, MAX (publication->start_block, publication->active_from));
}

static void
print_replaced (const SvPublication *publication, FILE *stream)
{
  if (publication->replaced != NULL)
    fprintf (stream, "replaces    %s, in force until block " BLOCK "\n", publication->replaced, publication->replaced_until);
}

static void
print_changes (const SvContext *context, const SvPublication *publication, FILE *stream)
{
  const char *which = publication->replaced != NULL ? "what it replaces" : "the active manifest";
  g_autoptr (GPtrArray) differences = find_differences (publication);
  if (publication->compared == NULL)
    fprintf (stream, "changes     nothing to compare with: %s\n",
             publication->previous == NULL ? "the first manifest" : "no manifest is active now");
  else if (differences == NULL)
    fprintf (stream, "changes     not known: %s, %s, cannot be read now\n", which, publication->compared);
  else
  {
    fprintf (stream, "changes     against %s, %s:\n", which, publication->compared);
    sv_print_differences (differences, SHOWN_DIFFERENCES, stream, context->use_color);
  }
}

/* What a person is asked about. */
static void
print_preview (const SvContext *context, const SvPublication *preview)
{
  sv_index_rebuild_print_preview (preview->rebuild, stderr);
  print_title (context, preview->is_unchanged ? "live already, not signed again" : "would be published", stderr);
  print_window (preview, stderr);
  print_replaced (preview, stderr);
  if (!preview->is_unchanged)
    print_changes (context, preview, stderr);
}

/* What is public from here on, before the anchor is waited for. Who was asked has seen the changes. */
static void
print_publication (const SvContext *context, const SvPublication *publication)
{
  const char *done = opt_dry_run ? "would be published" : "published";
  print_title (context, publication->is_unchanged ? "live already, not signed again" : done, stdout);
  print_window (publication, stdout);
  printf ("manifest    %s%s\n", publication->manifest_hash,
          opt_dry_run && signs_anew (publication) ? " (another in the end: it depends on the time of signing)" : "");
  printf ("previous    %s\n", publication->previous != NULL ? publication->previous : "none: the first one");
  print_replaced (publication, stdout);
  printf ("index       sequence " BLOCK "\n", publication->added_sequence);
  sv_index_rebuild_print (publication->rebuild);
  if (!publication->is_unchanged && (opt_dry_run || context->yes))
    print_changes (context, publication, stdout);
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
  if (!sv_parse_integer_option ("--overlap", opt_overlap, &session->options.overlap, error))
    return FALSE;
  session->keypair = sv_wallet_load (context->config, error);
  SvObjectStore *store = session->keypair != NULL ? sv_context_writable_store (context, error) : NULL;
  SvChain *chain = store != NULL ? sv_context_chain (context, error) : NULL;
  if (chain == NULL)
    return FALSE;
  SvReaderOptions options = { .accept_owner = opt_accept_owner };
  if (opt_single_publisher)
    sv_object_store_assume_single_writer (store);
  session->publisher = sv_publisher_new (context->config, chain, store, session->keypair, &options, error);
  if (session->publisher != NULL && opt_rebuild)
    sv_publisher_allow_rebuild (session->publisher);
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
    sv_say (stderr,
            "warning: clip %s is not in store %s: no challenge is handed out where it is drawn; add it with `sv clip add`\n",
            hash, sv_object_store_url (store));
    return;
  }
}

/* ── asking ── */

/* What is published: an authored manifest, or an earlier one again. */
typedef struct
{
  const json_t *authored;
  const char *hash;
} Subject;

static SvPublication *
make_publication (Session *session, const Subject *subject, const SvPublishOptions *options, GError **error)
{
  return subject->authored != NULL ? sv_publish_manifest (session->publisher, subject->authored, options, error)
                                   : sv_rollback_manifest (session->publisher, subject->hash, options, error);
}

/* (transfer full) without its mark. */
static char *
write_question (const SvPublication *preview)
{
  g_autoptr (GString) text = g_string_new (NULL);
  if (preview->rebuild != NULL)
    g_string_append_printf (text, "Replace the index by one with the %u kept and without the %u dropped entries",
                            preview->rebuild->kept->len, preview->rebuild->dropped->len);
  if (preview->rebuild != NULL && !preview->is_unchanged)
    g_string_append (text, ", and ");
  if (preview->replaced != NULL)
    g_string_append_printf (text, "%s the live manifest %s of window %s", preview->rebuild != NULL ? "replace" : "Replace",
                            preview->replaced, preview->window_id);
  else if (!preview->is_unchanged)
    g_string_append_printf (text, "%s the manifest of window %s", preview->rebuild != NULL ? "publish" : "Publish",
                            preview->window_id);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
ask (SvContext *context, const SvPublication *preview, GError **error)
{
  g_autofree char *question = write_question (preview);
  if (sv_context_can_ask ())
    print_preview (context, preview);
  return sv_context_confirm (context, question, error);
}

/* *@agreed is what was shown and agreed to; NULL where nobody is asked. Where nothing is to change there is no question, and
 * nothing but that is agreed to. */
static gboolean
agree (SvContext *context, Session *session, const Subject *subject, SvPublication **agreed, GError **error)
{
  *agreed = NULL;
  if (context->yes || opt_dry_run)
    return TRUE;
  SvPublishOptions options = session->options;
  options.dry_run = TRUE;
  *agreed = make_publication (session, subject, &options, error);
  if (*agreed == NULL)
    return FALSE;
  gboolean changes_nothing = (*agreed)->is_unchanged && (*agreed)->rebuild == NULL;
  return changes_nothing || ask (context, *agreed, error);
}

static int
publish (SvContext *context, Session *session, const Subject *subject, GError **error)
{
  g_autoptr (SvPublication) agreed = NULL;
  if (!agree (context, session, subject, &agreed, error))
    return 1;
  session->options.agreed = agreed;
  g_autoptr (SvPublication) publication = make_publication (session, subject, &session->options, error);
  return publication != NULL ? finish_publication (context, session->publisher, publication, error) : 1;
}

/* ── the commands ── */

int
sv_manifest_run_publish (SvContext *context, int argc, char **argv, GError **error)
{
  g_auto (Session) session = { 0 };
  if (!sv_check_arguments (
          argc, 1, 1, "sv manifest publish FILE [--supersede] [--overlap N] [--strict] [--dry-run] [--rebuild-index]", error))
    return 1;
  g_autoptr (SvAuthoredManifest) authored = sv_authored_manifest_load (argv[0], error);
  if (authored == NULL || !sv_authored_manifest_check (authored, opt_strict, error))
    return 1;
  sv_manifest_print_faults (context, authored, opt_strict, stderr);
  if (!open_session (context, &session, error))
    return 1;
  warn_of_missing_clips (context->store, authored->json);
  const Subject subject = { .authored = authored->json };
  return publish (context, &session, &subject, error);
}

int
sv_manifest_run_rollback (SvContext *context, int argc, char **argv, GError **error)
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
  if (!open_session (context, &session, error))
    return 1;
  const Subject subject = { .hash = hash };
  return publish (context, &session, &subject, error);
}
