/* A shard is rejected only by what an issuer has signed: a line whose range has the shard's id in it and whose records have
 * not. Whatever a mirror keeps back leaves ids uncovered, and their shards unchecked. Where the issuer himself has signed two
 * different things, his log of that window proves nothing any more, for nobody and against nobody. */
#include "validator/issue_audit.h"

#include <string.h>

#include "base/error.h"
#include "base/identifiers.h"

#define MAX_FAULTS_KEPT 20

struct SvIssueAudit
{
  SvReader *reader;
  SvIssuedBook *book;
  GHashTable *windows; /* id -> SvIssueWindow */
  SvIssueProgress progress;
  gpointer progress_data;
};

typedef struct
{
  SvIssueAudit *audit;
  SvIssueWindow *window;
  guint64 n_records;
} Reading;

static void
window_free (gpointer data)
{
  SvIssueWindow *window = data;
  g_free (window->window_id);
  g_free (window->contradiction);
  g_ptr_array_unref (window->faults);
  g_clear_pointer (&window->keys, g_ptr_array_unref);
  g_free (window);
}

SvIssueAudit *
sv_issue_audit_new (SvReader *reader, SvIssueProgress progress, gpointer data, GError **error)
{
  g_autoptr (SvIssueAudit) audit = g_new0 (SvIssueAudit, 1);
  audit->reader = reader;
  audit->progress = progress;
  audit->progress_data = data;
  audit->windows = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, window_free);
  audit->book = sv_issued_book_new (error);
  return audit->book != NULL ? g_steal_pointer (&audit) : NULL;
}

void
sv_issue_audit_free (SvIssueAudit *audit)
{
  if (audit == NULL)
    return;
  g_clear_pointer (&audit->book, sv_issued_book_free);
  g_hash_table_unref (audit->windows);
  g_free (audit);
}

SvIssuedBook *
sv_issue_audit_book (SvIssueAudit *audit)
{
  return audit->book;
}

/* ── reading ── */

static gboolean
take_line (const SvIssuedLine *line, const char *file, gpointer data, GError **error)
{
  Reading *reading = data;
  g_autofree char *other = NULL;
  if (!sv_issued_book_add (reading->audit->book, line, file, &other, error))
    return FALSE;
  reading->n_records += line->records->len;
  if (reading->audit->progress != NULL)
    reading->audit->progress (line->window_id, reading->n_records, reading->audit->progress_data);
  if (other == NULL || reading->window->contradiction != NULL)
    return TRUE;
  reading->window->contradiction =
      g_strdup_printf ("%s (signed by %s) contradicts %s: keep both, they prove it, and ask the operator which of the two is "
                       "to count",
                       file, line->document->signed_by, other);
  return TRUE;
}

/* A store's message begins with the object's key and ends with the store, which together are @file. */
static gboolean
says_where (const char *message, const char *file)
{
  g_autofree char *key = g_strndup (message, strcspn (message, ": "));
  return strstr (message, file) != NULL || (strchr (key, '/') != NULL && g_str_has_suffix (file, key));
}

static void
take_fault (const char *file, const GError *fault, gpointer data)
{
  SvIssueWindow *window = ((Reading *)data)->window;
  window->n_faults++;
  if (window->faults->len < MAX_FAULTS_KEPT)
    g_ptr_array_add (window->faults, says_where (fault->message, file) ? g_strdup (fault->message)
                                                                       : g_strdup_printf ("%s: %s", file, fault->message));
}

static gboolean
read_window (SvIssueAudit *audit, SvIssueWindow *window, const SvManifest *manifest, GError **error)
{
  static const SvIssuedVisitor visitor = { .line = take_line, .fault = take_fault };
  Reading reading = { .audit = audit, .window = window };
  if (manifest != NULL)
    return sv_read_issued_log (audit->reader, manifest, &visitor, &reading, error);
  window->n_faults = 1;
  g_ptr_array_add (window->faults, g_strdup ("the window's manifest, which names the issuers, cannot be read"));
  return TRUE;
}

const SvIssueWindow *
sv_issue_audit_known (SvIssueAudit *audit, const char *window_id)
{
  return g_hash_table_lookup (audit->windows, window_id);
}

const SvIssueWindow *
sv_issue_audit_window (SvIssueAudit *audit, const char *window_id, const SvManifest *manifest, GError **error)
{
  SvIssueWindow *window = g_hash_table_lookup (audit->windows, window_id);
  if (window != NULL)
    return window;
  window = g_new0 (SvIssueWindow, 1);
  window->window_id = g_strdup (window_id);
  window->faults = g_ptr_array_new_with_free_func (g_free);
  g_hash_table_insert (audit->windows, window->window_id, window);
  g_auto (SvIssuedSummary) summary = { 0 };
  if (!read_window (audit, window, manifest, error) || !sv_issued_book_sum (audit->book, window_id, &summary, error))
    return NULL;
  window->keys = g_steal_pointer (&summary.keys);
  return window;
}

static int
compare_windows (gconstpointer a, gconstpointer b)
{
  const SvIssueWindow *x = *(const SvIssueWindow *const *)a, *y = *(const SvIssueWindow *const *)b;
  return strcmp (x->window_id, y->window_id);
}

GPtrArray *
sv_issue_audit_windows (const SvIssueAudit *audit)
{
  GHashTableIter iter;
  gpointer window;
  GPtrArray *windows = g_ptr_array_new ();
  g_hash_table_iter_init (&iter, audit->windows);
  while (g_hash_table_iter_next (&iter, NULL, &window))
    g_ptr_array_add (windows, window);
  g_ptr_array_sort (windows, compare_windows);
  return windows;
}

/* ── asking ── */

static gboolean
is_same_challenge (const SvShard *shard, const SvIssueRecord *record)
{
  return strcmp (record->asker, shard->document->signed_by) == 0 && strcmp (record->miner, shard->miner_hotkey) == 0 &&
         strcmp (record->element_id, shard->element_id) == 0 && strcmp (record->clip_hash, shard->clip_hash) == 0 &&
         record->seed == shard->seed;
}

char *
sv_issue_window_draw_commit (const SvIssueWindow *window, const SvShard *shard)
{
  const SvIssuedKey *key = window->contradiction == NULL ? sv_issued_find_key (window->keys, shard->manifest_hash) : NULL;
  return key != NULL ? sv_draw_commit (key->key) : NULL;
}

gboolean
sv_issue_audit_judge (SvIssueAudit *audit, const SvIssueWindow *window, const SvShard *shard, SvIssueStatus *status,
                      GError **error)
{
  guint64 id = 0;
  gboolean is_covered = FALSE;
  g_autoptr (SvIssueRecord) record = NULL;
  *status = SV_ISSUE_DISPUTED;
  if (window->contradiction != NULL)
    return TRUE;
  *status = SV_ISSUE_CONTRADICTED;
  if (!sv_integer_parse (shard->challenge_id, &id))
    return TRUE;
  if (!sv_issued_book_find (audit->book, shard->window_id, id, &is_covered, &record, error))
    return FALSE;
  if (!is_covered)
    *status = SV_ISSUE_UNCHECKED;
  else if (record != NULL && is_same_challenge (shard, record))
    *status = SV_ISSUE_CONFIRMED;
  return TRUE;
}
