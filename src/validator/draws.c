/* Two passes over a window's log: reading it into the book, since the keys come last, then drawing each challenge again.
 *
 * What this cannot see: whether K was chosen at random, and whether the server answered with what it recorded. The first is why
 * K's hash goes out with every answer, before anybody knows what it will draw; the second is what shards are for. */
#include "validator/draws.h"

#include <string.h>

#include "base/error.h"

#define MAX_FAULTS_KEPT 10000

typedef struct
{
  SvReader *reader;
  const SvIndex *index;
  const SvIndexEntry *entry;
  SvDraws *draws;
  SvIssuedSummary summary;
  GHashTable *manifests; /* hash -> SvManifest, NULL for one that is refused */
  GHashTable *counts;    /* hash -> SvDrawsOfManifest, borrowed */
  GError *failure;       /* a manifest that cannot be had */
} Audit;

const char *
sv_draws_verdict_name (SvDrawsVerdict verdict)
{
  static const char *const names[] = {
    [SV_DRAWS_RIGHT] = "right",           [SV_DRAWS_WRONG] = "wrong",           [SV_DRAWS_CONTRADICTED] = "contradicted",
    [SV_DRAWS_UNREADABLE] = "unreadable", [SV_DRAWS_NOT_CLOSED] = "not closed",
  };
  return names[verdict];
}

static void
fault_free (gpointer data)
{
  SvDrawFault *fault = data;
  g_free (fault->detail);
  g_free (fault);
}

static void
key_free (gpointer data)
{
  SvDrawsOfManifest *key = data;
  g_free (key->manifest_hash);
  g_free (key->draw_commit);
  g_free (key);
}

void
sv_draws_free (SvDraws *draws)
{
  if (draws == NULL)
    return;
  g_free (draws->window_id);
  g_free (draws->detail);
  g_ptr_array_unref (draws->keys);
  g_ptr_array_unref (draws->faults);
  g_free (draws);
}

static void
manifest_free (gpointer manifest)
{
  sv_manifest_free (manifest);
}

static void
audit_clear (Audit *audit)
{
  sv_issued_summary_clear (&audit->summary);
  g_clear_pointer (&audit->manifests, g_hash_table_unref);
  g_clear_pointer (&audit->counts, g_hash_table_unref);
  g_clear_error (&audit->failure);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Audit, audit_clear)

static void G_GNUC_PRINTF (4, 5) add_fault (Audit *audit, guint64 id, const char *reason, const char *format, ...)
{
  va_list arguments;
  audit->draws->n_wrong++;
  if (audit->draws->faults->len >= MAX_FAULTS_KEPT)
    return;
  SvDrawFault *fault = g_new0 (SvDrawFault, 1);
  va_start (arguments, format);
  fault->detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fault->challenge_id = id;
  fault->reason = reason;
  g_ptr_array_add (audit->draws->faults, fault);
}

/* ── one record ── */

/* (transfer none) *@manifest is NULL for one that is not a verified one of this window. FALSE where it cannot be had. */
static gboolean
find_manifest (Audit *audit, const char *hash, const SvManifest **manifest)
{
  gboolean is_refused = FALSE;
  gpointer known;
  if (g_hash_table_lookup_extended (audit->manifests, hash, NULL, &known))
  {
    *manifest = known;
    return TRUE;
  }
  const SvIndexEntry *entry = sv_index_find_hash (audit->index, hash);
  *manifest = NULL;
  if (entry == NULL || strcmp (entry->window_id, audit->entry->window_id) != 0)
    return TRUE;
  SvManifest *found = sv_judge_entry_manifest (audit->reader, entry, &is_refused, &audit->failure);
  if (found == NULL && audit->failure != NULL && !is_refused)
    return FALSE;
  g_clear_error (&audit->failure);
  *manifest = found;
  g_hash_table_insert (audit->manifests, g_strdup (hash), found);
  return TRUE;
}

/* (transfer none) what is counted of a manifest of the window, or of one that the closing line names. */
static SvDrawsOfManifest *
find_count (Audit *audit, const char *hash)
{
  SvDrawsOfManifest *count = g_hash_table_lookup (audit->counts, hash);
  if (count != NULL)
    return count;
  count = g_new0 (SvDrawsOfManifest, 1);
  count->manifest_hash = g_strdup (hash);
  g_ptr_array_add (audit->draws->keys, count);
  g_hash_table_insert (audit->counts, count->manifest_hash, count);
  return count;
}

/* Draws it again. */
static void
check_draw (Audit *audit, const SvIssueRecord *record, const SvElement *element, const SvIssuedKey *key)
{
  guint64 seed =
      sv_draw_seed (key->key, record->manifest_hash, record->element_id, record->asker, record->miner, record->nonce);
  const SvManifestClip *clip = sv_draw_clip (element, seed);
  if (seed != record->seed)
    add_fault (audit, record->challenge_id, "seed",
               "its seed is %" G_GUINT64_FORMAT "; K gives %" G_GUINT64_FORMAT " for its element, asker, miner and nonce",
               record->seed, seed);
  else if (clip == NULL || strcmp (clip->hash, record->clip_hash) != 0)
    add_fault (audit, record->challenge_id, "clip", "its clip is %s; its seed draws %s", record->clip_hash,
               clip != NULL ? clip->hash : "none, since the element has no clips");
}

static void
check_record (Audit *audit, const SvIssueRecord *record, const SvManifest *manifest)
{
  const SvIndexEntry *judged;
  const SvElement *element = sv_manifest_find_element (manifest, record->element_id);
  const SvIssuedKey *key = sv_issued_find_key (audit->summary.keys, record->manifest_hash);
  find_count (audit, record->manifest_hash)->n_records++;
  if (sv_window_judge (audit->index, record->manifest_hash, record->block, &judged) != SV_WINDOW_SERVES)
    add_fault (audit, record->challenge_id, "block", "manifest %s is not in force at its block %" G_GUINT64_FORMAT,
               record->manifest_hash, record->block);
  else if (element == NULL)
    add_fault (audit, record->challenge_id, "element", "element %s is not in manifest %s", record->element_id,
               record->manifest_hash);
  else if (key == NULL)
    add_fault (audit, record->challenge_id, "key", "the closing line has no K of manifest %s", record->manifest_hash);
  else
    check_draw (audit, record, element, key);
}

static gboolean
visit_record (const SvIssueRecord *record, gpointer data)
{
  Audit *audit = data;
  const SvManifest *manifest;
  audit->draws->n_records++;
  if (!find_manifest (audit, record->manifest_hash, &manifest))
    return FALSE;
  if (manifest != NULL)
    check_record (audit, record, manifest);
  else
    add_fault (audit, record->challenge_id, "manifest", "%s is no verified manifest of window %s", record->manifest_hash,
               audit->entry->window_id);
  return TRUE;
}

/* ── one window ── */

static void
set_verdict (SvDraws *draws, SvDrawsVerdict verdict, char *detail)
{
  draws->verdict = verdict;
  draws->detail = detail;
}

/* Whether the log is whole and closed; else the verdict says what it lacks. */
static gboolean
is_whole (Audit *audit, const SvIssueWindow *window)
{
  SvDraws *draws = audit->draws;
  if (window->contradiction != NULL)
    set_verdict (draws, SV_DRAWS_CONTRADICTED, g_strdup (window->contradiction));
  else if (audit->summary.gap == 0 && audit->summary.is_closed)
    return TRUE;
  else if (window->n_faults > 0 || audit->summary.is_closed)
    set_verdict (draws, SV_DRAWS_UNREADABLE,
                 g_strdup_printf ("from challenge %" G_GUINT64_FORMAT " on its log cannot be read: %s; try again, or read from "
                                  "another mirror (R2_PUBLIC_URL)",
                                  audit->summary.gap,
                                  window->faults->len > 0 ? (const char *)window->faults->pdata[0] : "there is a gap"));
  else
    set_verdict (
        draws, SV_DRAWS_NOT_CLOSED,
        g_strdup ("it is over, but its closing line is not public yet: the operator's server writes it when it runs with "
                  "an issuer's hotkey; try again later"));
  return FALSE;
}

static void
add_keys (Audit *audit)
{
  for (guint i = 0; i < audit->summary.keys->len; i++)
  {
    const SvIssuedKey *key = audit->summary.keys->pdata[i];
    find_count (audit, key->manifest_hash)->draw_commit = sv_draw_commit (key->key);
  }
}

static gboolean
audit_records (Audit *audit, SvIssuedBook *book, GError **error)
{
  SvDraws *draws = audit->draws;
  add_keys (audit);
  if (audit->summary.last_id != audit->summary.closing_last_id)
    add_fault (audit, 0, "last_id",
               "the closing line says that challenge %" G_GUINT64_FORMAT
               " is the last; the last in the log is %" G_GUINT64_FORMAT,
               audit->summary.closing_last_id, audit->summary.last_id);
  if (!sv_issued_book_visit (book, draws->window_id, visit_record, audit, error))
    return FALSE;
  if (audit->failure != NULL)
    set_verdict (draws, SV_DRAWS_UNREADABLE, g_strdup (audit->failure->message));
  else
    draws->verdict = draws->n_wrong > 0 ? SV_DRAWS_WRONG : SV_DRAWS_RIGHT;
  return TRUE;
}

static const SvIssueWindow *
read_log (Audit *audit, SvIssueAudit *issued, GError **error)
{
  gboolean is_refused;
  g_autoptr (SvManifest) manifest = sv_judge_entry_manifest (audit->reader, audit->entry, &is_refused, NULL);
  return sv_issue_audit_window (issued, audit->entry->window_id, manifest, error);
}

SvDraws *
sv_draws_audit (SvIssueAudit *issued, SvReader *reader, const SvIndex *index, const SvIndexEntry *entry,
                guint64 finalized_block, GError **error)
{
  g_autoptr (SvDraws) draws = g_new0 (SvDraws, 1);
  draws->window_id = g_strdup (entry->window_id);
  draws->keys = g_ptr_array_new_with_free_func (key_free);
  draws->faults = g_ptr_array_new_with_free_func (fault_free);
  if (!sv_entry_expired (entry, finalized_block))
  {
    set_verdict (draws, SV_DRAWS_NOT_CLOSED,
                 g_strdup_printf ("it ends at block %" G_GUINT64_FORMAT
                                  ", and the chain is final up to block %" G_GUINT64_FORMAT ": K is published after that",
                                  entry->expiry_block, finalized_block));
    return g_steal_pointer (&draws);
  }
  g_auto (Audit) audit = { .reader = reader, .index = index, .entry = entry, .draws = draws };
  audit.manifests = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, manifest_free);
  audit.counts = g_hash_table_new (g_str_hash, g_str_equal);
  const SvIssueWindow *window = read_log (&audit, issued, error);
  if (window == NULL || !sv_issued_book_sum (sv_issue_audit_book (issued), entry->window_id, &audit.summary, error))
    return NULL;
  draws->n_records = audit.summary.n_records;
  if (!is_whole (&audit, window))
    return g_steal_pointer (&draws);
  draws->n_records = 0;
  return audit_records (&audit, sv_issue_audit_book (issued), error) ? g_steal_pointer (&draws) : NULL;
}
