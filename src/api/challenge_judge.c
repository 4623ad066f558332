/* Judging a challenge request. Each step either passes or ends with an outcome; the steps stand in the protocol's order. For an
 * asker who is not known nothing is looked up: his case ends at the proof, at the latest. */
#include "api/challenge_judge.h"

#include <string.h>

#include "api/asker.h"
#include "api/clip_link.h"

/* A case on its way. */
typedef struct
{
  const SvService *service;
  const SvSnapshot *snapshot;
  const SvChallengeCase *asked;
  SvOutcome *outcome;
  guint64 block;
  const SvIndexEntry *entry;
  const SvServedManifest *served;
  const SvElement *element; /* NULL where the manifest has no such element */
  SvProofExtrinsic extrinsic;
  const SvBoundElement *bound;
} Case;

static gboolean
end_with (Case *c, SvReply *reply)
{
  c->outcome->kind = SV_OUTCOME_REPLY;
  c->outcome->reply = reply;
  return FALSE;
}

static gboolean
check_chain (Case *c)
{
  const char *fault = sv_board_chain_fault (c->service->board, c->snapshot, c->asked->now_ms);
  if (fault != NULL)
    return end_with (c, sv_reply_chain_unavailable (fault));
  c->block = sv_bindings_head (c->snapshot->bindings)->best.number;
  return TRUE;
}

/* ── window ── */

static gboolean
end_without_window (Case *c)
{
  const SvIndexEntry *entry =
      c->snapshot->catalog != NULL
          ? sv_index_find_hash (sv_catalog_of_hash (c->snapshot->catalog, c->asked->manifest_hash), c->asked->manifest_hash)
          : NULL;
  if (c->asked->is_known && !c->asked->index_was_read && (entry == NULL || entry->is_superseded))
  {
    c->outcome->kind = SV_OUTCOME_READ_INDEX;
    return FALSE;
  }
  return end_with (c, sv_reply_error (404, "no_active_window", "No evaluation window active for manifest_hash"));
}

SvReply *
sv_challenge_expired (const char *window_id, guint64 expiry_block, guint64 block)
{
  json_t *body = sv_error_body ("window_expired", "Evaluation window expired at block %" G_GUINT64_FORMAT, expiry_block);
  json_object_set_new (body, "expired_at_block", sv_json_integer (expiry_block));
  json_object_set_new (body, "current_block", sv_json_integer (MAX (block, expiry_block)));
  json_object_set_new (body, "window_id", json_string (window_id));
  return sv_reply_json (410, "window_expired", body);
}

static gboolean
check_window (Case *c)
{
  const SvCatalog *catalog = c->snapshot->catalog;
  if (catalog == NULL)
    return end_without_window (c);
  const SvIndex *entries = sv_catalog_of_hash (catalog, c->asked->manifest_hash);
  switch (sv_window_judge (entries, c->asked->manifest_hash, c->block, &c->entry))
  {
  case SV_WINDOW_UNKNOWN:
    return end_without_window (c);
  case SV_WINDOW_OVER:
    return end_with (c, sv_challenge_expired (c->entry->window_id, c->entry->expiry_block, c->block));
  case SV_WINDOW_SERVES:
    break;
  }
  c->served = g_hash_table_lookup (catalog->manifests, c->asked->manifest_hash);
  if (c->served == NULL) /* in the index, but it could not be fetched or does not verify */
    return end_without_window (c);
  c->element = sv_manifest_find_element (c->served->manifest, c->asked->request->element_id);
  return TRUE;
}

/* ── binding ── */

/* Ends with the outcome when the chain has to be read first, or could not be. A block outside the picture holds no extrinsic
 * that counts; but of one above it nothing is known as long as the chain does not answer. */
static gboolean
find_extrinsic (Case *c)
{
  SvProof proof;
  if (!c->asked->is_known || c->element == NULL || !sv_proof_parse (c->asked->request->commitment_proof, &proof) ||
      sv_bindings_find (c->snapshot->bindings, &proof, &c->extrinsic))
    return TRUE;
  c->extrinsic = (SvProofExtrinsic){ 0 };
  if (proof.block <= c->block)
    return TRUE;
  if (!c->asked->chain_was_read)
  {
    c->outcome->kind = SV_OUTCOME_READ_CHAIN;
    return FALSE;
  }
  return sv_board_chain_seen_ms (c->service->board) >= c->asked->now_ms ||
         end_with (c, sv_reply_chain_unavailable ("the block of the proof could not be looked up"));
}

static gboolean
is_proof_window_over (const Case *c)
{
  char window_id[SV_WINDOW_ID_MAX + 1];
  return c->extrinsic.found && sv_commitment_text_window_into (c->extrinsic.text, window_id) &&
         sv_window_is_over (sv_catalog_of_window (c->snapshot->catalog, window_id), window_id, c->block);
}

static SvReply *
reply_missing_commitment (const Case *c, const SvProofQuestion *question, SvProofVerdict verdict)
{
  g_autofree char *message = sv_proof_explain (question, verdict);
  g_autofree char *hotkey = sv_account_document_form (question->hotkey);
  json_t *body = sv_error_body ("missing_commitment", "%s", message);
  json_object_set_new (body, "hotkey", json_string (hotkey));
  json_object_set_new (body, "window_id", json_string (c->entry->window_id));
  json_object_set_new (body, "reason", json_string (sv_proof_verdict_name (verdict)));
  return sv_reply_json (412, sv_proof_verdict_name (verdict), body);
}

static guint64
earliest_commitment (const SvIndexEntry *entry)
{
  return entry->start_block > SV_COMMIT_EARLIEST ? entry->start_block - SV_COMMIT_EARLIEST : 0;
}

static gboolean
end_unreadable (Case *c, guint64 block)
{
  g_autofree char *fault =
      g_strdup_printf ("block %" G_GUINT64_FORMAT ", which may hold commitments of the window, cannot be read any more", block);
  return end_with (c, sv_reply_chain_unavailable (fault));
}

static gboolean
check_binding (Case *c)
{
  if (!find_extrinsic (c))
    return FALSE;
  const SvChallengeRequest *request = c->asked->request;
  SvProofQuestion question = { .proof = request->commitment_proof,
                               .hotkey = c->asked->miner,
                               .window_id = c->entry->window_id,
                               .element_id = request->element_id,
                               .chute_slug = request->chute_slug,
                               .element_in_manifest = c->element != NULL,
                               .asker_known = c->asked->is_known,
                               .extrinsic = &c->extrinsic,
                               .proof_window_over = is_proof_window_over (c) };
  if (c->asked->is_known)
    question.fold = sv_bindings_fold_at_head (c->snapshot->bindings, c->asked->miner, c->entry->window_id,
                                              c->entry->start_block, c->entry->expiry_block);
  guint64 unreadable = sv_bindings_first_unreadable (c->snapshot->bindings, earliest_commitment (c->entry), c->block);
  question.fold_is_open = unreadable != G_MAXUINT64;
  SvProofVerdict verdict = sv_proof_judge (&question, &c->bound);
  if (verdict == SV_PROOF_UNREADABLE)
    return end_unreadable (c, unreadable);
  return verdict == SV_PROOF_VALID || end_with (c, reply_missing_commitment (c, &question, verdict));
}

/* ── draw ── */

static void
write_challenge (const Case *c, const SvClip *clip, guint64 seed)
{
  const SvBinding *binding = &c->bound->binding;
  g_autofree char *clip_url = sv_clip_links_url (c->service->clip_links, clip->hash, c->asked->now_ms);
  const SvChallenge challenge = {
    .clip_url = clip_url,
    .element_id = c->element->id,
    .window_id = c->entry->window_id,
    .duration_ms = clip->duration_ms,
    .fps = clip->fps,
    .width = clip->width,
    .height = clip->height,
    .sport = clip->sport,
    .scenario = clip->scenario,
    .challenge_type = clip->challenge_type,
    .manifest_hash = (char *)c->asked->request->manifest_hash,
    .expiry_block = c->entry->expiry_block,
    .block = c->block,
    .commitment_finalized = c->bound->committed_at_block <= sv_bindings_head (c->snapshot->bindings)->finalized.number,
    .clip_hash = clip->hash,
    .clip_bytes = clip->bytes,
    .chute_slug = binding->chute_slug,
    .chute_id = binding->chute_id,
    .hf_revision = binding->hf_revision,
    .seed = seed,
    .draw_commit = c->served->draw_commit,
  };
  sv_challenge_write (&challenge, c->outcome->buffer, SV_CHALLENGE_TEXT_USUAL_SIZE, &c->outcome->answer);
}

/* As g_strlcpy(), which takes a byte at a time. */
static void
copy_text (char *place, gsize size, const char *text)
{
  gsize length = MIN (strlen (text), size - 1);
  memcpy (place, text, length);
  place[length] = '\0';
}

/* What the request has said is borrowed from it, the rest is copied. */
static void
write_record (const Case *c, const SvClip *clip, guint64 seed)
{
  SvOutcome *outcome = c->outcome;
  outcome->expiry_block = c->entry->expiry_block;
  copy_text (outcome->window_id, sizeof outcome->window_id, c->entry->window_id);
  copy_text (outcome->clip_hash, sizeof outcome->clip_hash, clip->hash);
  outcome->record = (SvIssueRecord){ .asker = (char *)c->asked->request->validator_hotkey,
                                     .miner = (char *)c->asked->miner,
                                     .window_id = outcome->window_id,
                                     .manifest_hash = (char *)c->asked->manifest_hash,
                                     .element_id = (char *)c->asked->request->element_id,
                                     .clip_hash = outcome->clip_hash,
                                     .seed = seed,
                                     .nonce = (char *)c->asked->request->nonce,
                                     .block = c->block,
                                     .time_ms = c->asked->now_ms };
}

static void
draw (Case *c)
{
  const SvChallengeRequest *request = c->asked->request;
  guint64 seed = sv_draw_seed_by (c->served->draw_key, c->asked->manifest_hash, request->element_id, request->validator_hotkey,
                                  c->asked->miner, request->nonce);
  const SvManifestClip *drawn = sv_draw_clip (c->element, seed);
  const SvClip *clip = drawn != NULL ? sv_snapshot_clip (c->snapshot, drawn->hash) : NULL;
  if (clip == NULL)
  {
    end_with (c, sv_reply_error (503, "no_challenge",
                                 drawn == NULL ? "Element %s has no clips in this window"
                                               : "The clip drawn for element %s is not registered here, or not in the store",
                                 request->element_id));
    return;
  }
  c->outcome->kind = SV_OUTCOME_ISSUE;
  write_challenge (c, clip, seed);
  write_record (c, clip, seed);
}

void
sv_challenge_judge (const SvService *service, const SvSnapshot *snapshot, const SvChallengeCase *asked, SvOutcome *outcome)
{
  Case c = { .service = service, .snapshot = snapshot, .asked = asked, .outcome = outcome };
  *outcome = (SvOutcome){ .buffer = outcome->buffer };
  if (check_chain (&c) && check_window (&c) && check_binding (&c))
    draw (&c);
}
