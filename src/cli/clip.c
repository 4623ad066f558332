/* sv clip: the challenge clips that this deployment hands out. */
#include <stdio.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "operator/clip_inventory.h"
#include "protocol/ground_truth.h"

static json_t *
clip_to_json (const SvClip *clip)
{
  g_autofree char *added_at = sv_time_format (clip->added_ms);
  json_t *resolution = json_object ();
  json_object_set_new (resolution, "width", sv_json_integer (clip->width));
  json_object_set_new (resolution, "height", sv_json_integer (clip->height));
  json_t *json = json_object ();
  json_object_set_new (json, "hash", json_string (clip->hash));
  json_object_set_new (json, "bytes", sv_json_integer (clip->bytes));
  json_object_set_new (json, "duration_ms", sv_json_integer (clip->duration_ms));
  json_object_set_new (json, "fps", json_real (clip->fps));
  json_object_set_new (json, "resolution", resolution);
  json_object_set_new (json, "sport", json_string (clip->sport));
  json_object_set_new (json, "scenario", json_string (clip->scenario));
  json_object_set_new (json, "challenge_type", json_string (clip->challenge_type));
  json_object_set_new (json, "added_at", json_string (added_at));
  json_object_set_new (json, "has_ground_truth", json_boolean (clip->has_ground_truth));
  return json;
}

/* ── add ── */

static char *opt_sport;
static char *opt_scenario;
static char *opt_challenge_type;
static char *opt_ground_truth;

static const GOptionEntry add_options[] = {
  { "sport", 0, 0, G_OPTION_ARG_STRING, &opt_sport, "such as football", "SPORT" },
  { "scenario", 0, 0, G_OPTION_ARG_STRING, &opt_scenario, "such as match", "SCENARIO" },
  { "challenge-type", 0, 0, G_OPTION_ARG_STRING, &opt_challenge_type, "such as football", "TYPE" },
  { "ground-truth", 0, 0, G_OPTION_ARG_FILENAME, &opt_ground_truth, "annotations of the clip, at most 16 MiB", "FILE.json" },
  G_OPTION_ENTRY_NULL,
};

static void
print_added (const SvClip *clip, const char *path, gboolean was_registered)
{
  char fps[32];
  sv_json_format_number (clip->fps, fps);
  g_autofree char *name = sv_printable (path);
  printf ("%s %s\n", was_registered ? "was registered already:" : "registered", name);
  printf ("%u × %u, %s fps, %" G_GUINT64_FORMAT " ms, %" G_GUINT64_FORMAT " bytes; %s, %s, %s%s\n\n", clip->width, clip->height,
          fps, clip->duration_ms, clip->bytes, clip->sport, clip->scenario, clip->challenge_type,
          clip->has_ground_truth ? "; with ground truth" : "");
  sv_say (stdout,
          "for an element of a manifest (or give it to `sv manifest create` with --clip):\n\n    clips:\n      - hash: %s\n"
          "        weight: 1\n",
          clip->hash);
}

static gboolean
check_add (int argc, GError **error)
{
  if (!sv_check_arguments (argc, 1, 1, "sv clip add FILE --sport S --scenario X --challenge-type T [--ground-truth FILE.json]",
                           error))
    return FALSE;
  const struct
  {
    const char *flag;
    const char *value;
  } needed[] = { { "--sport", opt_sport }, { "--scenario", opt_scenario }, { "--challenge-type", opt_challenge_type } };
  for (gsize i = 0; i < G_N_ELEMENTS (needed); i++)
    if (needed[i].value == NULL)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                   "%s is missing; usage: sv clip add FILE --sport S --scenario X "
                   "--challenge-type T",
                   needed[i].flag);
      return FALSE;
    }
  return TRUE;
}

/* *@text: (transfer full), NULL where none is given. */
static gboolean
read_ground_truth (char **text, GError **error)
{
  if (opt_ground_truth == NULL)
    return TRUE;
  g_autofree char *name = sv_printable (opt_ground_truth);
  g_autoptr (GBytes) bytes = sv_file_read (opt_ground_truth, SV_GROUND_TRUTH_MAX_SIZE, error);
  if (bytes == NULL)
  {
    g_prefix_error (error, "--ground-truth: ");
    return FALSE;
  }
  *text = sv_ground_truth_parse (name, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), error);
  return *text != NULL;
}

static int
run_add (SvContext *context, int argc, char **argv, GError **error)
{
  g_autofree char *ground_truth = NULL;
  gboolean ok = check_add (argc, error) && read_ground_truth (&ground_truth, error);
  SvObjectStore *store = ok ? sv_context_writable_store (context, error) : NULL;
  if (store == NULL)
    return 1;
  guint64 version;
  g_autoptr (SvState) state = sv_state_open (context->config, error);
  if (state == NULL || !sv_state_clips_version (state, &version, error)) /* before a large file goes into the store in vain */
    return 1;
  SvClipLabels labels = { opt_sport, opt_scenario, opt_challenge_type, ground_truth };
  gboolean was_registered;
  g_autoptr (SvClip) clip = sv_clip_add (store, state, argv[0], &labels, &was_registered, error);
  if (clip == NULL)
    return 1;
  if (context->as_json)
  {
    json_t *json = clip_to_json (clip);
    json_object_set_new (json, "was_registered", json_boolean (was_registered));
    sv_print_json (json);
  }
  else
    print_added (clip, argv[0], was_registered);
  return 0;
}

/* ── list ── */

static void
print_json_list (const GPtrArray *clips)
{
  json_t *list = json_array ();
  for (guint i = 0; i < clips->len; i++)
    json_array_append_new (list, clip_to_json (clips->pdata[i]));
  json_t *document = json_object ();
  json_object_set_new (document, "clips", list);
  sv_print_json (document);
}

/* No table: the whole hash, which goes into manifests, fills a line of its own. */
static void
print_clip (const SvClip *clip, gboolean use_color)
{
  char fps[32];
  sv_json_format_number (clip->fps, fps);
  g_autofree char *added_at = sv_time_format (clip->added_ms / 1000 * 1000);
  g_autofree char *hash = sv_styled (clip->hash, SV_STYLE_BOLD, use_color);
  g_autofree char *labels = g_strdup_printf ("%s, %s, %s", clip->sport, clip->scenario, clip->challenge_type);
  g_autofree char *shown = sv_printable (labels);
  printf ("%s\n  %u × %u, %s fps, %.1f s, %.2f MB; %s%s; added %s\n", hash, clip->width, clip->height, fps,
          (double)clip->duration_ms / 1000, (double)clip->bytes / 1e6, shown,
          clip->has_ground_truth ? "; with ground truth" : "", added_at);
}

static void
print_list (const GPtrArray *clips, gboolean use_color)
{
  if (clips->len == 0)
  {
    sv_say (stdout, "no clip is registered; `sv clip add FILE --sport S --scenario X --challenge-type T` adds one\n");
    return;
  }
  for (guint i = 0; i < clips->len; i++)
    print_clip (clips->pdata[i], use_color);
}

static int
run_list (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 0, 0, "sv clip list", error))
    return 1;
  g_autoptr (SvState) state = sv_state_open (context->config, error);
  g_autoptr (GPtrArray) clips = state == NULL ? NULL : sv_state_list_clips (state, error);
  if (clips == NULL)
    return 1;
  if (context->as_json)
    print_json_list (clips);
  else
    print_list (clips, context->use_color);
  return 0;
}

/* ── remove ── */

static gboolean opt_delete_object;
static gboolean opt_ground_truth_only;

static const GOptionEntry remove_options[] = {
  { "delete-object", 0, 0, G_OPTION_ARG_NONE, &opt_delete_object, "also delete the clip itself from the store", NULL },
  { "ground-truth-only", 0, 0, G_OPTION_ARG_NONE, &opt_ground_truth_only, "remove its ground truth, and leave the clip", NULL },
  G_OPTION_ENTRY_NULL,
};

static void
print_removed (const SvContext *context, const char *hash)
{
  if (!context->as_json)
  {
    const char *what = opt_delete_object ? "removed and deleted" : "removed";
    printf ("%s %s\n", opt_ground_truth_only ? "removed the ground truth of" : what, hash);
    return;
  }
  json_t *json = json_object ();
  json_object_set_new (json, "hash", json_string (hash));
  json_object_set_new (json, "object_deleted", json_boolean (opt_delete_object));
  json_object_set_new (json, "ground_truth_only", json_boolean (opt_ground_truth_only));
  sv_print_json (json);
}

static gboolean
check_remove (int argc, GError **error)
{
  if (!sv_check_arguments (argc, 1, 1, "sv clip remove HASH [--delete-object | --ground-truth-only]", error))
    return FALSE;
  if (!opt_delete_object || !opt_ground_truth_only)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "--delete-object removes the clip, and --ground-truth-only leaves it: give one of them");
  return FALSE;
}

static int
run_remove (SvContext *context, int argc, char **argv, GError **error)
{
  if (!check_remove (argc, error))
    return 1;
  g_autofree char *hash = sv_hash_normalize (argv[0]);
  if (hash == NULL)
  {
    g_autofree char *shown = sv_printable (argv[0]);
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "\"%s\" is not a hash: sha256: and 64 hex digits are expected, as `sv clip "
                 "list` shows them",
                 shown);
    return 1;
  }
  SvObjectStore *store = opt_delete_object ? sv_context_writable_store (context, error) : NULL;
  g_autofree char *question = g_strdup_printf ("Delete clip %s from the store", hash);
  if (opt_delete_object && (store == NULL || !sv_context_confirm (context, question, error)))
    return 1;
  g_autoptr (SvState) state = sv_state_open (context->config, error);
  if (state == NULL || !(opt_ground_truth_only ? sv_state_put_ground_truth (state, hash, NULL, error)
                                               : sv_clip_remove (store, state, hash, opt_delete_object, error)))
    return 1;
  print_removed (context, hash);
  return 0;
}

const SvCommand sv_clip_commands[] = {
  { .group = "clip",
    .name = "add",
    .usage = "FILE --sport S --scenario X --challenge-type T [--ground-truth FILE.json]",
    .summary = "store a challenge clip and register it",
    .details =
        "The clip is probed (mp4, mov, matroska or webm, at most 2 GiB, read to its end), stored under its content hash\n"
        "below private/clips/, and registered with what is handed out beside it. Adding it again changes nothing, or the\n"
        "labels and the ground truth. It prints the lines for the manifest's elements[].clips.\n\n"
        "The ground truth is what the server tells an asker who has completed his task with the clip:\n"
        "    {\"annotations\": [{\"bbox\": [x1, y1, x2, y2], \"class\": \"ball\", \"frame_idx\": 0}]}\n"
        "with `label` for `class`, `polygon` (a list of points [x, y]) and further fields where you have them.",
    .example = "  sv clip add match-0042.mp4 --sport football --scenario match --challenge-type football\n"
               "  sv clip add match-0042.mp4 --sport football --scenario match --challenge-type football"
               " --ground-truth match-0042.json",
    .options = add_options,
    .run = run_add },
  { .group = "clip",
    .name = "list",
    .usage = "",
    .summary = "show the registered clips",
    .example = "  sv clip list\n  sv clip list --json",
    .run = run_list },
  { .group = "clip",
    .name = "remove",
    .usage = "HASH [--delete-object | --ground-truth-only]",
    .summary = "take a clip out of the register",
    .details = "While a manifest in force names the clip, draws that fall on it are answered with `no_challenge`.\n"
               "Its ground truth goes with it. Deleting asks first on a terminal; elsewhere it needs --yes.",
    .example = "  sv clip remove sha256:4f2a…9c01 --delete-object",
    .options = remove_options,
    .run = run_remove },
  { .group = NULL },
};
