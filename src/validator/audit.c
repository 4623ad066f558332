/* The world of an audit. Everything that rules ask again and again is kept, within bounds: the index, one picture of all
 * commitments since the first window, the last manifests. What was looked up for one shard is not looked up for the next.
 *
 * Windows of long ago stand in the index's archives. They, and the commitments of their time, are read for the first shard that
 * needs them: an audit of this week's shards does not pay for history. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "bindings/follower.h"
#include "validator/audit.h"

#define MAX_DIFFERENT 20 /* draw_commits that are told of one by one */
#define MAX_MANIFESTS 64 /* kept at a time; a run over many windows reads them again */

struct SvAudit
{
  SvChain *chain;   /* borrowed */
  SvReader *reader; /* borrowed */
  SvIndex *index;
  SvIndex *history; /* what is in the archives; NULL until it is needed, or if it cannot be had */
  gboolean has_tried_history;
  SvValidators *validators;
  SvState *state; /* or NULL */
  SvFollower *follower;
  guint64 from_block; /* of the commitments that were read */
  gboolean cannot_reach_back;
  SvBindings *bindings;
  GHashTable *manifests; /* hash -> SvManifest */
  SvTally *tally;
  SvIssueAudit *issued;
  SvDrawCommits draw_commits;
  GError *failure; /* of a question that has no place for one */
  guint64 n_lines;
  SvAuditProgress progress; /* or NULL */
  gpointer progress_data;
};

void
sv_audit_free (SvAudit *audit)
{
  if (audit == NULL)
    return;
  g_clear_pointer (&audit->index, sv_index_free);
  g_clear_pointer (&audit->history, sv_index_free);
  g_clear_pointer (&audit->validators, sv_validators_free);
  g_clear_pointer (&audit->bindings, sv_bindings_unref);
  g_clear_pointer (&audit->follower, sv_follower_free);
  g_clear_pointer (&audit->state, sv_state_free);
  g_clear_pointer (&audit->manifests, g_hash_table_unref);
  g_clear_pointer (&audit->tally, sv_tally_free);
  g_clear_pointer (&audit->issued, sv_issue_audit_free);
  g_ptr_array_unref (audit->draw_commits.different);
  g_clear_error (&audit->failure);
  g_free (audit);
}

/* ── reading the world ── */

static guint64
earliest_block (const SvIndex *index)
{
  guint64 earliest = G_MAXUINT64;
  const GPtrArray *lists[] = { index->entries, index->superseded };
  for (gsize l = 0; l < G_N_ELEMENTS (lists); l++)
    for (guint i = 0; i < lists[l]->len; i++)
      earliest = MIN (earliest, ((SvIndexEntry *)g_ptr_array_index (lists[l], i))->start_block);
  return earliest == G_MAXUINT64 || earliest < SV_COMMIT_EARLIEST ? 0 : earliest - SV_COMMIT_EARLIEST;
}

static gboolean
read_commitments (SvAudit *audit, guint64 from_block, GError **error)
{
  sv_follower_set_from (audit->follower, from_block);
  if (!sv_follower_step (audit->follower, audit->progress, audit->progress_data, error))
    return FALSE;
  g_clear_pointer (&audit->bindings, sv_bindings_unref);
  audit->bindings = sv_follower_bindings (audit->follower);
  audit->from_block = from_block;
  return TRUE;
}

/* What was read is kept in the state, so that the next audit reads only what is new; without a state it is read every time. */
static void
start_following (SvAudit *audit, const SvConfig *config)
{
  g_autoptr (GError) no_state = NULL;
  guint64 version;
  audit->state = sv_state_open (config, &no_state);
  if (audit->state != NULL && !sv_state_clips_version (audit->state, &version, &no_state)) /* a server that is not there */
    g_clear_pointer (&audit->state, sv_state_free);
  if (audit->state == NULL)
    sv_log ("warning", "commitments are not kept for the next audit", "reason", no_state->message, NULL);
  audit->follower = sv_follower_new (audit->chain, audit->state);
}

static gboolean
read_world (SvAudit *audit, const SvConfig *config, GError **error)
{
  audit->validators = sv_validators_new (config, error);
  if (audit->validators == NULL)
  {
    if (error == NULL || *error == NULL)
      g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                   "an audit needs the validator list; set SCOREVISION_VALIDATORS to accounts or chain:permit");
    return FALSE;
  }
  audit->index = sv_fetch_index (audit->reader, SV_FETCH_NORMAL, error);
  if (audit->index == NULL)
    return FALSE;
  start_following (audit, config);
  if (!read_commitments (audit, earliest_block (audit->index), error))
    return FALSE;
  audit->issued = sv_issue_audit_new (audit->reader, NULL, NULL, error);
  if (audit->issued == NULL)
    return FALSE;
  audit->tally = sv_tally_new (error);
  return audit->tally != NULL;
}

SvAudit *
sv_audit_new (const SvConfig *config, SvChain *chain, SvReader *reader, SvAuditProgress progress, gpointer data, GError **error)
{
  g_autoptr (SvAudit) audit = g_new0 (SvAudit, 1);
  GError *local = NULL;
  audit->chain = chain;
  audit->reader = reader;
  audit->progress = progress;
  audit->progress_data = data;
  audit->draw_commits.different = g_ptr_array_new_with_free_func (g_free);
  audit->manifests = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)sv_manifest_free);
  if (read_world (audit, config, &local))
    return g_steal_pointer (&audit);
  g_propagate_error (error, local);
  return NULL;
}

/* ── what the rules ask ── */

static gboolean
is_validator (gpointer data, const char *address, guint64 block, gboolean *unreadable)
{
  SvAudit *audit = data;
  if (!sv_validators_refresh (audit->validators, audit->chain, block, NULL))
  {
    *unreadable = TRUE;
    return FALSE;
  }
  return sv_validators_contain (audit->validators, address);
}

/* What is in the archives, or NULL. It is tried once: whoever may write shards must not be able to hold the audit up. */
static const SvIndex *
get_history (SvAudit *audit)
{
  g_autoptr (GError) error = NULL;
  if (audit->has_tried_history)
    return audit->history;
  audit->has_tried_history = TRUE;
  audit->history = sv_fetch_history (audit->reader, audit->index, &error);
  if (audit->history == NULL)
    sv_log ("warning", "shards of windows in the archive are undecided", "reason", error->message, NULL);
  return audit->history;
}

static SvManifest *
read_manifest (SvAudit *audit, const SvIndexEntry *entry, gboolean *unreadable)
{
  gboolean is_refused;
  SvManifest *manifest = sv_judge_entry_manifest (audit->reader, entry, &is_refused, NULL);
  if (manifest == NULL)
  {
    *unreadable = !is_refused; /* a mirror that lies must not get a shard rejected */
    return NULL;
  }
  if (g_hash_table_size (audit->manifests) >= MAX_MANIFESTS)
    g_hash_table_remove_all (audit->manifests);
  g_hash_table_insert (audit->manifests, g_strdup (entry->hash), manifest);
  return manifest;
}

static const SvManifest *
find_manifest (gpointer data, const char *hash, guint64 block, gboolean *in_force, gboolean *unreadable)
{
  SvAudit *audit = data;
  const SvIndexEntry *judged = NULL;
  const SvIndex *where = sv_index_find_hash (audit->index, hash) != NULL ? audit->index : get_history (audit);
  const SvIndexEntry *entry = where != NULL ? sv_index_find_hash (where, hash) : NULL;
  *unreadable = where == NULL;
  if (entry == NULL)
    return NULL;
  *in_force = sv_window_judge (where, hash, block, &judged) == SV_WINDOW_SERVES;
  SvManifest *manifest = g_hash_table_lookup (audit->manifests, hash);
  return manifest != NULL ? manifest : read_manifest (audit, entry, unreadable);
}

static gboolean
window_is_over (SvAudit *audit, const char *text, guint64 block)
{
  g_autofree char *window_id = text != NULL ? sv_commitment_text_window (text) : NULL;
  if (window_id == NULL)
    return FALSE;
  const SvIndex *where = sv_index_find_window (audit->index, window_id) != NULL ? audit->index : get_history (audit);
  return where != NULL && sv_window_is_over (where, window_id, block);
}

/* Commitments of windows in the archive lie before those that were read at first. */
static gboolean
reach_back (SvAudit *audit, guint64 first)
{
  g_autoptr (GError) error = NULL;
  if (first >= audit->from_block)
    return TRUE;
  if (audit->cannot_reach_back)
    return FALSE;
  if (read_commitments (audit, first, &error))
    return TRUE;
  audit->cannot_reach_back = TRUE;
  sv_log ("warning", "shards of windows in the archive are undecided", "reason", error->message, NULL);
  return FALSE;
}

static SvProofVerdict
judge_proof (gpointer data, const SvShard *shard, const SvManifest *manifest, SvBinding *binding_copy)
{
  SvAudit *audit = data;
  SvProof proof;
  SvProofExtrinsic extrinsic = { 0 };
  guint64 first = manifest->start_block > SV_COMMIT_EARLIEST ? manifest->start_block - SV_COMMIT_EARLIEST : 0;
  if (!reach_back (audit, first) || sv_bindings_first_unreadable (audit->bindings, first, shard->block) != G_MAXUINT64)
    return SV_PROOF_UNREADABLE;
  /* A block that the picture does not hold lies before every window's commitments: nothing in it can be in force. */
  if (sv_proof_parse (shard->commitment_proof, &proof) && proof.block <= shard->block)
    (void)sv_bindings_find (audit->bindings, &proof, &extrinsic);
  g_autoptr (SvFold) fold = sv_bindings_fold (audit->bindings, shard->miner_hotkey, manifest->window_id, manifest->start_block,
                                              manifest->expiry_block, shard->block);
  SvProofQuestion question = { .proof = shard->commitment_proof,
                               .hotkey = shard->miner_hotkey,
                               .window_id = shard->window_id,
                               .element_id = shard->element_id,
                               .element_in_manifest = TRUE,
                               .asker_known = TRUE,
                               .extrinsic = &extrinsic,
                               .proof_window_over = window_is_over (audit, extrinsic.text, shard->block),
                               .fold = fold };
  const SvBoundElement *bound = NULL;
  SvProofVerdict verdict = sv_proof_judge (&question, &bound);
  if (verdict == SV_PROOF_VALID)
    sv_binding_copy (binding_copy, &bound->binding);
  return verdict;
}

/* The window's live manifest names the issuers. It is not kept with the others: these are let go when there are many, and the
 * shard in hand is being judged by one of them. */
static const SvIssueWindow *
read_issue_window (SvAudit *audit, const char *window_id)
{
  gboolean is_refused;
  const SvIndexEntry *entry = sv_index_find_live (audit->index, window_id);
  if (entry == NULL && audit->history != NULL)
    entry = sv_index_find_live (audit->history, window_id);
  g_autoptr (SvManifest) manifest = entry != NULL ? sv_judge_entry_manifest (audit->reader, entry, &is_refused, NULL) : NULL;
  return sv_issue_audit_window (audit->issued, window_id, manifest, &audit->failure);
}

/* What fails here is the temporary database, and ends the audit. */
static SvIssueStatus
find_issue (gpointer data, const SvShard *shard)
{
  SvAudit *audit = data;
  SvIssueStatus status = SV_ISSUE_DISPUTED;
  const SvIssueWindow *window = sv_issue_audit_known (audit->issued, shard->window_id);
  if (window == NULL)
    window = read_issue_window (audit, shard->window_id);
  if (window == NULL || !sv_issue_audit_judge (audit->issued, window, shard, &status, &audit->failure))
    return SV_ISSUE_DISPUTED;
  return status;
}

/* ── one line ── */

/* Counts hotkeys that have the shard's chute in force in its window, once per miner, chute and window. */
static gboolean
note_chute (SvAudit *audit, const SvShard *shard, GError **error)
{
  gboolean is_new;
  if (!sv_tally_note_chute (audit->tally, shard->window_id, shard->chute_id, shard->miner_hotkey, &is_new, error))
    return FALSE;
  const SvIndexEntry *entry = is_new ? sv_index_find_live (audit->index, shard->window_id) : NULL;
  if (is_new && entry == NULL && audit->history != NULL)
    entry = sv_index_find_live (audit->history, shard->window_id);
  if (entry == NULL)
    return TRUE;
  g_auto (GStrv) rivals = sv_bindings_chute_rivals (audit->bindings, shard->miner_hotkey, shard->chute_id, shard->window_id,
                                                    entry->start_block, entry->expiry_block);
  for (gsize i = 0; rivals[i] != NULL; i++)
    if (!sv_tally_note_chute (audit->tally, shard->window_id, shard->chute_id, rivals[i], &is_new, error))
      return FALSE;
  return TRUE;
}

/* Nobody can tell from one shard alone who is wrong: the operator, who changed K after the answer, or the validator, who wrote
 * something else than he was given. So a shard that differs is told of, and stays what it is. */
static void
compare_draw_commit (SvAudit *audit, const SvShard *shard, const char *source)
{
  SvDrawCommits *commits = &audit->draw_commits;
  const SvIssueWindow *window = sv_issue_audit_known (audit->issued, shard->window_id);
  g_autofree char *published = window != NULL ? sv_issue_window_draw_commit (window, shard) : NULL;
  if (published == NULL || shard->draw_commit == NULL)
    return;
  if (strcmp (published, shard->draw_commit) == 0)
  {
    commits->n_same++;
    return;
  }
  commits->n_different++;
  if (commits->different->len < MAX_DIFFERENT)
    g_ptr_array_add (commits->different,
                     g_strdup_printf ("%s, signed by %s: the answer had draw_commit %s; the K that was "
                                      "published of manifest %s has %s",
                                      source, shard->document->signed_by, shard->draw_commit, shard->manifest_hash, published));
}

gboolean
sv_audit_reject (SvAudit *audit, const char *detail, const char *source, GError **error)
{
  g_auto (SvShardJudgement)
      judgement = { .verdict = SV_SHARD_REJECTED, .rule = 1, .reason = "signature", .detail = g_strdup (detail) };
  audit->n_lines++;
  return sv_tally_add (audit->tally, NULL, "", &judgement, source, error);
}

gboolean
sv_audit_unreadable (SvAudit *audit, const char *detail, const char *source, GError **error)
{
  g_auto (SvShardJudgement) judgement = { .verdict = SV_SHARD_UNDECIDED, .reason = "unreadable", .detail = g_strdup (detail) };
  audit->n_lines++;
  return sv_tally_add (audit->tally, NULL, "", &judgement, source, error);
}

gboolean
sv_audit_line (SvAudit *audit, const char *line, gsize length, const char *source, GError **error)
{
  g_auto (SvShardJudgement) judgement = { 0 };
  g_autoptr (GError) refused = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (line, length);
  g_autoptr (SvShard) shard = sv_shard_open (bytes, sv_chain_id (audit->chain), &refused);
  audit->n_lines++;
  if (shard == NULL)
    judgement = (SvShardJudgement){
      .verdict = SV_SHARD_REJECTED, .rule = 1, .reason = "signature", .detail = g_strdup (refused->message)
    };
  else
  {
    SvShardContext context = { .data = audit,
                               .finalized_block = sv_bindings_head (audit->bindings)->finalized.number,
                               .is_validator = is_validator,
                               .find_manifest = find_manifest,
                               .judge_proof = judge_proof,
                               .find_issue = find_issue };
    sv_shard_judge (shard, &context, &judgement);
  }
  if (audit->failure != NULL)
  {
    g_propagate_error (error, g_steal_pointer (&audit->failure));
    return FALSE;
  }
  if (judgement.verdict == SV_SHARD_ACCEPTED && !note_chute (audit, shard, error))
    return FALSE;
  if (judgement.verdict == SV_SHARD_ACCEPTED && judgement.issue == SV_ISSUE_CONFIRMED)
    compare_draw_commit (audit, shard, source);
  g_autofree char *hash = shard != NULL ? g_strdup (shard->document->hash) : sv_hash_gbytes (bytes);
  return sv_tally_add (audit->tally, shard, hash, &judgement, source, error);
}

SvTally *
sv_audit_tally (SvAudit *audit)
{
  return audit->tally;
}

SvIssueAudit *
sv_audit_issued (SvAudit *audit)
{
  return audit->issued;
}

const SvDrawCommits *
sv_audit_draw_commits (const SvAudit *audit)
{
  return &audit->draw_commits;
}

gboolean
sv_audit_has_contradiction (const SvAudit *audit)
{
  gboolean found = FALSE;
  g_autoptr (GPtrArray) windows = sv_issue_audit_windows (audit->issued);
  for (guint i = 0; i < windows->len && !found; i++)
    found = ((const SvIssueWindow *)windows->pdata[i])->contradiction != NULL;
  return found;
}

guint64
sv_audit_lines (const SvAudit *audit)
{
  return audit->n_lines;
}

char *
sv_audit_unreadable_blocks (const SvAudit *audit)
{
  return sv_bindings_list_unreadable (audit->bindings);
}

guint64
sv_audit_finalized_block (const SvAudit *audit)
{
  return sv_bindings_head (audit->bindings)->finalized.number;
}
