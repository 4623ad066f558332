/* sv clip: the challenge clips that this deployment hands out. */
#include <stdio.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "operator/clip_inventory.h"

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
  return json;
}

/* ── add ── */

static char *opt_sport;
static char *opt_scenario;
static char *opt_challenge_type;

static const GOptionEntry add_options[] = {
  { "sport", 0, 0, G_OPTION_ARG_STRING, &opt_sport, "such as football", "SPORT" },
  { "scenario", 0, 0, G_OPTION_ARG_STRING, &opt_scenario, "such as match", "SCENARIO" },
  { "challenge-type", 0, 0, G_OPTION_ARG_STRING, &opt_challenge_type, "such as football", "TYPE" },
  G_OPTION_ENTRY_NULL,
};

static void
print_added (const SvClip *clip, const char *path, gboolean was_registered)
{
  char fps[32];
  sv_json_format_number (clip->fps, fps);
  g_autofree char *name = sv_printable (path);
  printf ("%s %s\n", was_registered ? "was registered already:" : "registered", name);
  printf ("%u × %u, %s fps, %" G_GUINT64_FORMAT " ms, %" G_GUINT64_FORMAT " bytes; %s, %s, %s\n\n", clip->width, clip->height,
          fps, clip->duration_ms, clip->bytes, clip->sport, clip->scenario, clip->challenge_type);
  printf ("for an element of a manifest (or give it to `sv manifest create` with --clip):\n\n    clips:\n      - hash: %s\n"
          "        weight: 1\n",
          clip->hash);
}

static gboolean
check_add (int argc, GError **error)
{
  if (!sv_check_arguments (argc, 1, 1, "sv clip add FILE --sport S --scenario X --challenge-type T", error))
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

static int
run_add (SvContext *context, int argc, char **argv, GError **error)
{
  SvObjectStore *store = check_add (argc, error) ? sv_context_writable_store (context, error) : NULL;
  if (store == NULL)
    return 1;
  guint64 version;
  g_autoptr (SvState) state = sv_state_open (context->config, error);
  if (state == NULL || !sv_state_clips_version (state, &version, error)) /* before a large file goes into the store in vain */
    return 1;
  SvClipLabels labels = { opt_sport, opt_scenario, opt_challenge_type };
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
  printf ("%s\n  %u × %u, %s fps, %.1f s, %.2f MB; %s; added %s\n", hash, clip->width, clip->height, fps,
          (double)clip->duration_ms / 1000, (double)clip->bytes / 1e6, shown, added_at);
}

static void
print_list (const GPtrArray *clips, gboolean use_color)
{
  if (clips->len == 0)
  {
    printf ("no clip is registered; `sv clip add FILE --sport S --scenario X --challenge-type T` adds one\n");
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

static const GOptionEntry remove_options[] = {
  { "delete-object", 0, 0, G_OPTION_ARG_NONE, &opt_delete_object, "also delete the clip itself from the store", NULL },
  G_OPTION_ENTRY_NULL,
};

static void
print_removed (const SvContext *context, const char *hash)
{
  if (!context->as_json)
  {
    printf ("%s %s\n", opt_delete_object ? "removed and deleted" : "removed", hash);
    return;
  }
  json_t *json = json_object ();
  json_object_set_new (json, "hash", json_string (hash));
  json_object_set_new (json, "object_deleted", json_boolean (opt_delete_object));
  sv_print_json (json);
}

static int
run_remove (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 1, 1, "sv clip remove HASH [--delete-object]", error))
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
  if (state == NULL || !sv_clip_remove (store, state, hash, opt_delete_object, error))
    return 1;
  print_removed (context, hash);
  return 0;
}

const SvCommand sv_clip_commands[] = {
  { .group = "clip",
    .name = "add",
    .usage = "FILE --sport S --scenario X --challenge-type T",
    .summary = "store a challenge clip and register it",
    .details =
        "The clip is probed (mp4, mov, matroska or webm, at most 2 GiB, read to its end), stored under its content hash\n"
        "below private/clips/, and registered with what is handed out beside it. Adding it again changes nothing, or the\n"
        "labels. It prints the lines for the manifest's elements[].clips.",
    .example = "  sv clip add match-0042.mp4 --sport football --scenario match --challenge-type football",
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
    .usage = "HASH [--delete-object]",
    .summary = "take a clip out of the register",
    .details = "While a manifest in force names the clip, draws that fall on it are answered with `no_challenge`.\n"
               "Deleting asks first on a terminal; elsewhere it needs --yes.",
    .example = "  sv clip remove sha256:4f2a…9c01 --delete-object",
    .options = remove_options,
    .run = run_remove },
  { .group = NULL },
};
