/* sv manifest: the operator's commands. Here are those for authoring (create, validate) and the table; those that publish are
 * in manifest_publish.c, those that only read in manifest_show.c. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/manifest_publish.h"
#include "cli/manifest_show.h"
#include "cli/table.h"
#include "operator/authoring.h"
#include "operator/templates.h"

static char *opt_template, *opt_window_id, *opt_expiry_block, *opt_start_block, *opt_output;
static char **opt_clips;
static gboolean opt_strict;

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
    sv_say (stdout, "wrote %s\nnext: edit it, then `sv manifest validate %s` and `sv manifest publish %s`\n", opt_output,
            opt_output, opt_output);
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
      !sv_parse_integer_option ("--expiry-block", opt_expiry_block, &values.expiry_block, error) ||
      !sv_parse_integer_option ("--start-block", opt_start_block, &values.start_block, error) || !parse_clips (clips, error))
    return 1;
  g_autofree char *text = sv_template_fill (&values, error);
  return text != NULL ? write_created (context, text, error) : 1;
}

/* ── validate ── */

static const GOptionEntry validate_options[] = {
  { "strict", 0, 0, G_OPTION_ARG_NONE, &opt_strict, "refuse unknown fields, too", NULL },
  G_OPTION_ENTRY_NULL,
};

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
    sv_manifest_print_faults (context, authored, opt_strict, stdout);
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

/* ── the table ── */

const SvCommand sv_manifest_commands[] = {
  { "manifest", "create", "--template NAME --window-id W --expiry-block N [--clip HASH]… [-o FILE]",
    "write a manifest from a template, to be edited", "The template's comments explain each field and stay in the file.",
    "  sv manifest create --template football --window-id 2025-10-23 --expiry-block 123456 -o manifest.yaml", create_options,
    run_create },
  { "manifest", "validate", "FILE [--strict]", "list everything wrong with a manifest, in its place",
    "FILE is YAML or JSON; - is standard input. Exit status 3 when there is a fault.", "  sv manifest validate manifest.yaml",
    validate_options, run_validate },
  { "manifest", "publish", "FILE [--supersede] [--overlap N] [--strict] [--dry-run] [--rebuild-index]",
    "sign a manifest, make it public, anchor it",
    "Shows what changes against the active manifest, or the one that is replaced, and asks; where there is no terminal it "
    "needs --yes. Then it signs the manifest, stores it, adds it to the index and anchors it on the chain. The wallet's hotkey "
    "signs, and must be a trusted signer (`sv manifest signers`). Running the same command again does what is missing, nothing "
    "twice, and asks nothing.\n\n"
    "A second manifest for a window needs --supersede; the replaced one stays in force for --overlap blocks, while caches "
    "learn of the new one.\n\n"
    "--rebuild-index goes on after the index's signer was revoked, or retired without a successor: a new index of what this "
    "home has verified and what verifies by itself replaces it. It shows what is kept and dropped, and asks.",
    "  sv manifest publish manifest.yaml --dry-run\n  sv manifest publish manifest.yaml", sv_manifest_publish_options,
    sv_manifest_run_publish },
  { "manifest", "rollback", "--to-hash HASH [--overlap N] [--dry-run]", "make an earlier manifest of a window live again",
    "The window must not have expired. History is added to, never rewritten. It shows what changes and asks first on a "
    "terminal; elsewhere it needs --yes.",
    "  sv manifest rollback --to-hash sha256:4f2a…", sv_manifest_rollback_options, sv_manifest_run_rollback },
  { "manifest", "list", "[--all]", "show the windows of the index and their states",
    "ACTIVE: what readers use now. IN FORCE: replaced, but still accepted during the overlap. UPCOMING, EXPIRED,\n"
    "SUPERSEDED: what the words say. Hashes in full and times are in --json. Windows of long ago are in the archive, and\n"
    "shown with --all.",
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
