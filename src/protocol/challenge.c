/* The answer of the Challenge API: written by the server, read by the runner, which trusts nothing in it. Reading checks every
 * field's form and bounds every string; sv_challenge_agrees() then holds the values against what was asked and against the
 * verified manifest and binding. The address of the clip is only checked to be printable here: where the runner may connect is
 * the HTTP client's rule. */
#include "protocol/challenge.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "protocol/fields.h"

#include <string.h>

#define MAX_URL 4096
#define MAX_FPS 1000.0
#define MAX_SIDE 65536 /* pixels */

void
sv_challenge_free (SvChallenge *challenge)
{
  if (challenge == NULL)
    return;
  g_free (challenge->clip_url);
  g_free (challenge->element_id);
  g_free (challenge->window_id);
  g_free (challenge->sport);
  g_free (challenge->scenario);
  g_free (challenge->challenge_type);
  g_free (challenge->manifest_hash);
  g_free (challenge->challenge_id);
  g_free (challenge->clip_hash);
  g_free (challenge->chute_slug);
  g_free (challenge->chute_id);
  g_free (challenge->hf_revision);
  g_free (challenge->draw_commit);
  g_free (challenge);
}

void
sv_issue_record_free (SvIssueRecord *record)
{
  if (record == NULL)
    return;
  g_free (record->asker);
  g_free (record->miner);
  g_free (record->window_id);
  g_free (record->manifest_hash);
  g_free (record->element_id);
  g_free (record->clip_hash);
  g_free (record->nonce);
  g_free (record);
}

static json_t *
meta_to_json (const SvChallenge *challenge)
{
  json_t *meta = json_object (), *resolution = json_object ();

  json_object_set_new (resolution, "width", sv_json_integer (challenge->width));
  json_object_set_new (resolution, "height", sv_json_integer (challenge->height));
  json_object_set_new (meta, "duration_ms", sv_json_integer (challenge->duration_ms));
  json_object_set_new (meta, "fps", json_real (challenge->fps));
  json_object_set_new (meta, "resolution", resolution);
  json_object_set_new (meta, "sport", json_string (challenge->sport));
  json_object_set_new (meta, "scenario", json_string (challenge->scenario));
  json_object_set_new (meta, "challenge_type", json_string (challenge->challenge_type));
  return meta;
}

json_t *
sv_challenge_to_json (const SvChallenge *challenge)
{
  json_t *json = json_object ();

  json_object_set_new (json, "clip_url", json_string (challenge->clip_url));
  json_object_set_new (json, "element_id", json_string (challenge->element_id));
  json_object_set_new (json, "window_id", json_string (challenge->window_id));
  json_object_set_new (json, "meta", meta_to_json (challenge));
  json_object_set_new (json, "manifest_hash", json_string (challenge->manifest_hash));
  json_object_set_new (json, "expiry_block", sv_json_integer (challenge->expiry_block));
  json_object_set_new (json, "challenge_id", json_string (challenge->challenge_id));
  json_object_set_new (json, "block", sv_json_integer (challenge->block));
  json_object_set_new (json, "commitment_finalized", json_boolean (challenge->commitment_finalized));
  json_object_set_new (json, "clip_hash", json_string (challenge->clip_hash));
  json_object_set_new (json, "clip_bytes", sv_json_integer (challenge->clip_bytes));
  json_object_set_new (json, "chute_slug", json_string (challenge->chute_slug));
  json_object_set_new (json, "chute_id", json_string (challenge->chute_id));
  json_object_set_new (json, "hf_revision", json_string (challenge->hf_revision));
  json_object_set_new (json, "seed", sv_json_integer (challenge->seed));
  json_object_set_new (json, "draw_commit", json_string (challenge->draw_commit));
  return json;
}

static guint64
read_integer (const SvScope *scope, const char *key)
{
  guint64 value = 0;
  sv_scope_integer (scope, key, SV_REQUIRED, &value);
  return value;
}

static guint
read_side (const SvScope *scope, const char *key)
{
  guint64 value = read_integer (scope, key);

  if (value >= 1 && value <= MAX_SIDE)
    return (guint)value;
  sv_scope_fault (scope, key, "is not a number of pixels from 1 to %d", MAX_SIDE);
  return 0;
}

static gboolean
is_url (const char *text)
{
  gsize length = strnlen (text, MAX_URL + 1);

  for (gsize i = 0; i < length; i++)
  {
    if (!g_ascii_isgraph (text[i]))
      return FALSE;
  }
  return length >= 1 && length <= MAX_URL;
}

static gboolean
is_any_hash (const char *text)
{
  g_autofree char *hash = sv_hash_normalize (text);
  return hash != NULL;
}

static const SvForm url = { is_url, "an address of at most 4096 printable characters" };
static const SvForm any_hash = { is_any_hash, "sha256: and 64 lower-case hex digits" };

static void
read_meta (const SvScope *scope, SvChallenge *challenge)
{
  g_auto (SvScope) meta = { 0 }, resolution = { 0 };

  if (!sv_scope_object (scope, "meta", SV_REQUIRED, &meta))
    return;
  challenge->duration_ms = read_integer (&meta, "duration_ms");
  if (sv_scope_number (&meta, "fps", SV_REQUIRED, 0, MAX_FPS, &challenge->fps) && challenge->fps <= 0)
    sv_scope_fault (&meta, "fps", "is not above 0");
  challenge->sport = sv_field_text (&meta, "sport", SV_REQUIRED, &sv_form_label);
  challenge->scenario = sv_field_text (&meta, "scenario", SV_REQUIRED, &sv_form_label);
  challenge->challenge_type = sv_field_text (&meta, "challenge_type", SV_REQUIRED, &sv_form_label);
  if (!sv_scope_object (&meta, "resolution", SV_REQUIRED, &resolution))
    return;
  challenge->width = read_side (&resolution, "width");
  challenge->height = read_side (&resolution, "height");
}

static void
read_fields (const SvScope *scope, SvChallenge *challenge)
{
  challenge->clip_url = sv_field_text (scope, "clip_url", SV_REQUIRED, &url);
  challenge->element_id = sv_field_text (scope, "element_id", SV_REQUIRED, &sv_form_element_id);
  challenge->window_id = sv_field_text (scope, "window_id", SV_REQUIRED, &sv_form_window_id);
  read_meta (scope, challenge);
  challenge->manifest_hash = sv_field_text (scope, "manifest_hash", SV_REQUIRED, &any_hash);
  challenge->expiry_block = read_integer (scope, "expiry_block");
  challenge->challenge_id = sv_field_text (scope, "challenge_id", SV_REQUIRED, &sv_form_challenge_id);
  challenge->block = read_integer (scope, "block");
  sv_scope_boolean (scope, "commitment_finalized", SV_REQUIRED, &challenge->commitment_finalized);
  challenge->clip_hash = sv_field_text (scope, "clip_hash", SV_REQUIRED, &sv_form_hash);
  challenge->clip_bytes = read_integer (scope, "clip_bytes");
  if (challenge->clip_bytes == 0)
    sv_scope_fault (scope, "clip_bytes", "is not above 0");
  challenge->chute_slug = sv_field_text (scope, "chute_slug", SV_REQUIRED, &sv_form_chute_slug);
  challenge->chute_id = sv_field_text (scope, "chute_id", SV_REQUIRED, &sv_form_chute_id);
  challenge->hf_revision = sv_field_text (scope, "hf_revision", SV_REQUIRED, &sv_form_hf_revision);
  challenge->seed = read_integer (scope, "seed");
  challenge->draw_commit = sv_field_text (scope, "draw_commit", SV_REQUIRED, &sv_form_hash);
}

SvChallenge *
sv_challenge_from_json (const json_t *json, GError **error)
{
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_autoptr (SvChallenge) challenge = g_new0 (SvChallenge, 1);
  g_auto (SvScope) scope = { 0 };

  if (sv_scope_init (&scope, json, "", faults))
    read_fields (&scope, challenge);
  return sv_faults_check (faults, "challenge", error) ? g_steal_pointer (&challenge) : NULL;
}

static gboolean
agree (const char *field, const char *answered, const char *expected, GError **error)
{
  if (g_strcmp0 (answered, expected) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "challenge: %s is %s; expected %s", field, answered, expected);
  return FALSE;
}

static gboolean
agree_on_window (const SvChallenge *challenge, const SvManifest *manifest, GError **error)
{
  if (!agree ("window_id", challenge->window_id, manifest->window_id, error))
    return FALSE;
  if (challenge->expiry_block != manifest->expiry_block)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "challenge: expiry_block is %" G_GUINT64_FORMAT "; expected %" G_GUINT64_FORMAT, challenge->expiry_block,
                 manifest->expiry_block);
    return FALSE;
  }
  if (challenge->block < manifest->start_block || challenge->block >= manifest->expiry_block)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "challenge: block %" G_GUINT64_FORMAT " lies outside window %s",
                 challenge->block, manifest->window_id);
    return FALSE;
  }
  return TRUE;
}

static gboolean
agree_on_clip (const SvChallenge *challenge, const SvManifest *manifest, GError **error)
{
  const SvElement *element = sv_manifest_find_element (manifest, challenge->element_id);

  if (element != NULL && sv_element_has_clip (element, challenge->clip_hash))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "challenge: clip_hash %s is not among the clips of element %s in the manifest",
               challenge->clip_hash, challenge->element_id);
  return FALSE;
}

gboolean
sv_challenge_agrees (const SvChallenge *challenge, const SvManifest *manifest, const char *manifest_hash_as_sent,
                     const char *element_id, const SvBinding *binding, GError **error)
{
  return agree ("manifest_hash", challenge->manifest_hash, manifest_hash_as_sent, error) &&
         agree_on_window (challenge, manifest, error) && agree ("element_id", challenge->element_id, element_id, error) &&
         agree ("chute_slug", challenge->chute_slug, binding->chute_slug, error) &&
         agree ("chute_id", challenge->chute_id, binding->chute_id, error) &&
         agree ("hf_revision", challenge->hf_revision, binding->hf_revision, error) &&
         agree_on_clip (challenge, manifest, error);
}
