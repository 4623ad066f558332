/* sv validator audit --draws: which windows, and what is said of them. */
#include "cli/validator_draws.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/table.h"
#include "validator/draws.h"

#define SHOWN 20           /* wrong records that are listed for people, per window */
#define PROGRESS_EACH 8192 /* records */

void
sv_show_issue_progress (const char *window_id, guint64 n_records, gpointer data)
{
  const SvContext *context = data;
  static guint64 shown;
  if (!context->is_terminal || n_records / PROGRESS_EACH == shown / PROGRESS_EACH)
    return;
  shown = n_records;
  fprintf (stderr, "\r\033[Kreading the issue log of window %s, %" G_GUINT64_FORMAT " records ", window_id, n_records);
}

static void
draws_free (gpointer draws)
{
  sv_draws_free (draws);
}

/* ── for programs ── */

static json_t *
keys_to_json (const SvDraws *draws)
{
  json_t *array = json_array ();
  for (guint i = 0; i < draws->keys->len; i++)
  {
    const SvDrawsOfManifest *key = draws->keys->pdata[i];
    json_t *item = json_object ();
    json_object_set_new (item, "manifest_hash", json_string (key->manifest_hash));
    json_object_set_new (item, "draw_commit", sv_json_string_or_null (key->draw_commit));
    json_object_set_new (item, "records", sv_json_integer (key->n_records));
    json_array_append_new (array, item);
  }
  return array;
}

static json_t *
faults_to_json (const SvDraws *draws)
{
  json_t *array = json_array ();
  for (guint i = 0; i < draws->faults->len; i++)
  {
    const SvDrawFault *fault = draws->faults->pdata[i];
    json_t *item = json_object ();
    json_object_set_new (item, "challenge_id", fault->challenge_id > 0 ? sv_json_integer (fault->challenge_id) : json_null ());
    json_object_set_new (item, "reason", json_string (fault->reason));
    json_object_set_new (item, "detail", json_string (fault->detail));
    json_array_append_new (array, item);
  }
  return array;
}

static void
print_json (const GPtrArray *all, guint64 finalized_block)
{
  json_t *windows = json_array (), *document = json_object ();
  for (guint i = 0; i < all->len; i++)
  {
    const SvDraws *draws = all->pdata[i];
    json_t *item = json_object ();
    json_object_set_new (item, "window_id", json_string (draws->window_id));
    json_object_set_new (item, "verdict", json_string (sv_draws_verdict_name (draws->verdict)));
    json_object_set_new (item, "detail", sv_json_string_or_null (draws->detail));
    json_object_set_new (item, "records", sv_json_integer (draws->n_records));
    json_object_set_new (item, "wrong", sv_json_integer (draws->n_wrong));
    json_object_set_new (item, "keys", keys_to_json (draws));
    json_object_set_new (item, "faults", faults_to_json (draws));
    json_array_append_new (windows, item);
  }
  json_object_set_new (document, "finalized_block", sv_json_integer (finalized_block));
  json_object_set_new (document, "windows", windows);
  sv_print_json (document);
}

/* ── for people ── */

static void
print_table (const SvContext *context, const GPtrArray *all)
{
  static const char *const headers[] = { "WINDOW", "RECORDS", "WRONG", "DRAWS", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT, SV_COLUMN_RIGHT, SV_COLUMN_RIGHT, SV_COLUMN_LEFT };
  static const SvStyle styles[] = { [SV_DRAWS_RIGHT] = SV_STYLE_GREEN,
                                    [SV_DRAWS_WRONG] = SV_STYLE_RED,
                                    [SV_DRAWS_CONTRADICTED] = SV_STYLE_RED,
                                    [SV_DRAWS_UNREADABLE] = SV_STYLE_YELLOW,
                                    [SV_DRAWS_NOT_CLOSED] = SV_STYLE_DIM };
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  for (guint i = 0; i < all->len; i++)
  {
    const SvDraws *draws = all->pdata[i];
    sv_table_add (table, draws->window_id);
    sv_table_printf (table, "%" G_GUINT64_FORMAT, draws->n_records);
    sv_table_printf (table, "%" G_GUINT64_FORMAT, draws->n_wrong);
    sv_table_add (table, sv_draws_verdict_name (draws->verdict));
    sv_table_style_row (table, styles[draws->verdict]);
  }
  sv_table_print (table, context->use_color);
}

static void
print_faults (const SvDraws *draws)
{
  for (guint i = 0; i < draws->faults->len && i < SHOWN; i++)
  {
    const SvDrawFault *fault = draws->faults->pdata[i];
    if (fault->challenge_id > 0)
      printf ("  challenge %" G_GUINT64_FORMAT " (%s): %s\n", fault->challenge_id, fault->reason, fault->detail);
    else
      printf ("  (%s): %s\n", fault->reason, fault->detail);
  }
  if (draws->n_wrong > SHOWN)
    printf ("  and %" G_GUINT64_FORMAT " more; --json lists them\n", draws->n_wrong - SHOWN);
}

static void
print_details (const SvDraws *draws)
{
  printf ("\nWindow %s\n", draws->window_id);
  if (draws->detail != NULL)
  {
    g_autofree char *detail = sv_printable (draws->detail);
    printf ("  %s\n", detail);
  }
  for (guint i = 0; i < draws->keys->len; i++)
  {
    const SvDrawsOfManifest *key = draws->keys->pdata[i];
    printf ("  manifest %s, %" G_GUINT64_FORMAT " challenges\n    draw_commit %s\n", key->manifest_hash, key->n_records,
            key->draw_commit != NULL ? key->draw_commit : "unknown: no K was published");
  }
  print_faults (draws);
}

static void
print_report (const SvContext *context, const GPtrArray *all)
{
  gboolean has_keys = FALSE;
  print_table (context, all);
  for (guint i = 0; i < all->len; i++)
  {
    print_details (all->pdata[i]);
    has_keys |= ((const SvDraws *)all->pdata[i])->keys->len > 0;
  }
  if (has_keys)
    puts ("\nEach draw_commit must be the one that the answers had. Runners note it in their shards: `sv validator audit "
          "SOURCE`\n"
          "compares, and shows each that differs.");
}

static int
exit_status (const GPtrArray *all)
{
  guint n[SV_DRAWS_NOT_CLOSED + 1] = { 0 };
  for (guint i = 0; i < all->len; i++)
    n[((const SvDraws *)all->pdata[i])->verdict]++;
  if (n[SV_DRAWS_WRONG] + n[SV_DRAWS_CONTRADICTED] > 0)
    return 3;
  if (n[SV_DRAWS_UNREADABLE] > 0)
    return 5;
  return n[SV_DRAWS_NOT_CLOSED] > 0 ? 4 : 0;
}

/* ── which windows ── */

typedef struct
{
  SvReader *reader;
  SvIssueAudit *issued;
  guint64 finalized_block;
  GPtrArray *all; /* of SvDraws */
} Run;

static gboolean
audit_entry (Run *run, const SvIndex *index, const SvIndexEntry *entry, GError **error)
{
  SvDraws *draws = sv_draws_audit (run->issued, run->reader, index, entry, run->finalized_block, error);
  if (draws != NULL)
    g_ptr_array_add (run->all, draws);
  return draws != NULL;
}

/* One that is named may be over so long that it stands in the archives. */
static gboolean
audit_named (Run *run, const SvIndex *index, const char *window_id, GError **error)
{
  const SvIndexEntry *entry = sv_index_find_live (index, window_id);
  if (entry != NULL)
    return audit_entry (run, index, entry, error);
  g_autoptr (SvIndex) history = sv_fetch_history (run->reader, index, error);
  if (history == NULL)
    return FALSE;
  entry = sv_index_find_live (history, window_id);
  if (entry != NULL)
    return audit_entry (run, history, entry, error);
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "there is no window %s; `sv manifest list --all` shows them", window_id);
  return FALSE;
}

static gboolean
audit_all (Run *run, const SvIndex *index, GError **error)
{
  for (guint i = 0; i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = index->entries->pdata[i];
    if (sv_entry_expired (entry, run->finalized_block) && !audit_entry (run, index, entry, error))
      return FALSE;
  }
  if (run->all->len > 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
               "no window of the index is over at the finalized block %" G_GUINT64_FORMAT
               ": draws can be audited when K is public, after a window's expiry; `sv manifest list` shows when that is",
               run->finalized_block);
  return FALSE;
}

int
sv_audit_draws (SvContext *context, const char *window_id, GError **error)
{
  SvHead head = { 0 };
  SvReader *reader = sv_context_reader (context, error);
  if (reader == NULL || !sv_chain_head (context->chain, &head, error))
    return 1;
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (draws_free);
  g_autoptr (SvIssueAudit) issued = sv_issue_audit_new (reader, sv_show_issue_progress, context, error);
  g_autoptr (SvIndex) index = issued != NULL ? sv_fetch_index (reader, SV_FETCH_NORMAL, error) : NULL;
  if (index == NULL)
    return 1;
  Run run = { .reader = reader, .issued = issued, .finalized_block = head.finalized.number, .all = all };
  gboolean done = window_id != NULL ? audit_named (&run, index, window_id, error) : audit_all (&run, index, error);
  if (context->is_terminal)
    fprintf (stderr, "\r\033[K");
  if (!done)
    return 1;
  if (context->as_json)
    print_json (all, head.finalized.number);
  else
    print_report (context, all);
  return exit_status (all);
}
