/* Adding a file is two puts, each of an object that must not be there yet: the signpost, by whose name there can be one only,
 * and then the file. So of two publishers, one of whom has not noticed yet that he does not lead any more, one decides where
 * the file ends, and the other one's records up to there are the same, since ids are given in the order of commits. A kill
 * between the two leaves a signpost without a file, which says exactly what has to be written.
 *
 * A state that was restored from a backup would give the same ids to other records. So before anything is added the last record
 * that is public is held against the state's. */
#include "api/issue_files.h"

#include <string.h>

#include "base/error.h"
#include "base/identifiers.h"
#include "base/rfc3339.h"
#include "base/thread_priority.h"
#include "protocol/object_keys.h"

#define RECORDS_AT_ONCE 1000                /* that are read: a page of PostgreSQL's, a millisecond of SQLite's */
#define REST 20                             /* for so many times as long as it works, the processor is others' */
#define REST_LATE 1                         /* the same where records have waited for two intervals */
#define MAX_ID_TO_RAISE (SV_ISSUED_END / 2) /* half of all ids are left, at least */

/* ── its pace ── */

/* In bursts of many files, every few seconds, publishing would take a quarter or a tenth of a busy server, and requests would
 * queue. There is an interval of time for it. So it goes slowly, and faster where records wait for longer than that. */
guint
sv_issue_files_rest (gint64 waited_us, gint64 interval_us)
{
  gint64 late_us = waited_us > interval_us ? waited_us - interval_us : 0;
  return REST - (guint)((REST - REST_LATE) * MIN (late_us, interval_us) / interval_us);
}

/* ── records of the state ── */

typedef struct
{
  GPtrArray *records;
  guint64 last;
  guint max;
} Collection;

#define N_TEXTS 7

static void
list_texts (SvIssueRecord *record, char **texts[N_TEXTS])
{
  char **const all[N_TEXTS] = { &record->asker,      &record->miner,     &record->window_id, &record->manifest_hash,
                                &record->element_id, &record->clip_hash, &record->nonce };
  memcpy (texts, all, sizeof all);
}

/* In one block with its texts, but for those that @before has as well: a file has thousands of records, which say much the
 * same, and all are freed together. NULL in @before: there is none. */
static SvIssueRecord *
copy_record (const SvIssueRecord *record, SvIssueRecord *before)
{
  SvIssueRecord copied = *record;
  char **texts[N_TEXTS], **known[N_TEXTS];
  gsize sizes[N_TEXTS], size = sizeof copied;
  list_texts (&copied, texts);
  list_texts (before != NULL ? before : &copied, known);
  for (gsize i = 0; i < N_TEXTS; i++)
  {
    gboolean is_known = before != NULL && strcmp (*texts[i], *known[i]) == 0;
    sizes[i] = is_known ? 0 : strlen (*texts[i]) + 1;
    size += sizes[i];
  }
  SvIssueRecord *copy = g_malloc (size);
  char *end = (char *)(copy + 1);
  for (gsize i = 0; i < N_TEXTS; end += sizes[i++])
    *texts[i] = sizes[i] == 0 ? *known[i] : memcpy (end, *texts[i], sizes[i]);
  *copy = copied;
  return copy;
}

static gboolean
collect (const SvIssueRecord *record, gpointer data)
{
  Collection *collection = data;
  if (record->challenge_id > collection->last)
    return FALSE;
  GPtrArray *records = collection->records;
  g_ptr_array_add (records, copy_record (record, records->len > 0 ? records->pdata[records->len - 1] : NULL));
  return records->len < collection->max;
}

/* Each time with a snapshot of its own, so that none is held while it rests, for which SQLite's log would have to grow: ids are
 * in the order of commits, so nothing can appear before what was read. */
GPtrArray *
sv_issue_files_records (const SvIssueFiles *files, const char *window_id, guint64 first, guint64 last, guint max,
                        GError **error)
{
  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func (g_free);
  Collection collection = { records, last, 0 };
  guint64 after = first - 1;
  while (records->len == collection.max && collection.max < max)
  {
    collection.max = MIN (max, records->len + RECORDS_AT_ONCE);
    if (!sv_state_list_issued (files->state, window_id, after, collect, &collection, error))
      return NULL;
    if (records->len > 0)
      after = ((const SvIssueRecord *)records->pdata[records->len - 1])->challenge_id;
    sv_thread_pause (files->rest);
  }
  return g_steal_pointer (&records);
}

/* ── objects ── */

static gboolean
put_once (const SvIssueFiles *files, const char *key, GBytes *bytes, const char *content_type, GError **error)
{
  const SvPutOptions options = { .condition = SV_PUT_IF_ABSENT,
                                 .content_type = content_type,
                                 .cache_control = SV_CACHE_IMMUTABLE };
  g_autofree char *etag = sv_object_store_put (files->store, key, bytes, &options, error);
  return etag != NULL;
}

static gboolean
put_signpost (const SvIssueFiles *files, const char *window_id, guint64 first, guint64 last, GError **error)
{
  g_autofree char *key = sv_issued_signpost_key (window_id, first);
  g_autoptr (GBytes) bytes = sv_issued_signpost_write (last);
  return put_once (files, key, bytes, "application/json", error);
}

/* Takes @text. Whoever has put it before has put the same records. */
static gboolean
put_file (const SvIssueFiles *files, const char *window_id, guint64 first, guint64 last, GString *text, GError **error)
{
  g_autofree char *key = sv_issued_key (window_id, first, last);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = g_string_free_to_bytes (text);
  if (put_once (files, key, bytes, "application/x-ndjson", &failure) || g_error_matches (failure, SV_ERROR, SV_ERROR_CONFLICT))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
append_line (const SvIssueFiles *files, const SvIssuedLine *line, GString *text, GError **error)
{
  gsize length;
  g_autoptr (SvSignedDocument) document = sv_issued_sign (line, files->chain, files->keypair, sv_clock_ms (), error);
  if (document == NULL)
    return FALSE;
  const char *data = g_bytes_get_data (document->bytes, &length);
  g_string_append_len (text, data, (gssize)length);
  g_string_append_c (text, '\n');
  return TRUE;
}

/* Lines of so many records as one can hold; each ends where the next one begins, the last with the file. */
static gboolean
write_records (const SvIssueFiles *files, const char *window_id, guint64 first, guint64 last, const GPtrArray *records,
               GError **error)
{
  guint64 line_first = first;
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < records->len;)
  {
    guint end = MIN (i + SV_ISSUED_LINE_MAX_RECORDS, records->len);
    guint64 line_last = end < records->len ? ((const SvIssueRecord *)records->pdata[end - 1])->challenge_id : last;
    g_autoptr (SvIssuedLine) line = sv_issued_line_new (window_id, line_first, line_last);
    g_ptr_array_set_free_func (line->records, NULL); /* they are borrowed */
    for (; i < end; i++)
      g_ptr_array_add (line->records, records->pdata[i]);
    if (!append_line (files, line, text, error))
      return FALSE;
    sv_thread_pause (files->rest);
    line_first = line_last + 1;
  }
  return put_file (files, window_id, first, last, g_steal_pointer (&text), error);
}

static gboolean
write_closing (const SvIssueFiles *files, const char *window_id, guint64 first, guint64 last_id, const GPtrArray *keys,
               GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (SvIssuedLine) line = sv_issued_line_new (window_id, first, SV_ISSUED_END);
  line->is_closing = TRUE;
  line->last_id = last_id;
  for (guint i = 0; i < keys->len; i++)
  {
    const SvIssuedKey *key = keys->pdata[i];
    g_ptr_array_add (line->keys, sv_issued_key_new (key->manifest_hash, key->key));
  }
  return append_line (files, line, text, error) &&
         put_file (files, window_id, first, SV_ISSUED_END, g_steal_pointer (&text), error);
}

/* ── where the log ends ── */

static gboolean
refuse_state (const SvIssueFiles *files, const char *window_id, guint64 id, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "the issue log of window %s in %s goes up to challenge %" G_GUINT64_FORMAT
               ", which the state does not have like that: SCOREVISION_DATABASE is an older copy or another database. Nothing "
               "is added to this log; bring the right database back",
               window_id, sv_object_store_url (files->store), id);
  return FALSE;
}

static gboolean
check_record (const SvIssueFiles *files, const SvIssueRecord *public, GError **error)
{
  guint64 id = public->challenge_id;
  g_autoptr (GPtrArray) ours = sv_issue_files_records (files, public->window_id, id, id, 1, error);
  if (ours == NULL)
    return FALSE;
  return (ours->len == 1 && sv_issue_record_equal (ours->pdata[0], public)) ||
         refuse_state (files, public->window_id, id, error);
}

/* Of a window that is over; also where it was closed before the state was restored. */
static gboolean
close_state (const SvIssueFiles *files, const char *window_id, const GPtrArray *keys, guint64 *last_id, GError **error)
{
  if (keys != NULL)
    return sv_state_close_window (files->state, window_id, last_id, error);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "the issue log of window %s in %s is closed, although the window is not over: look at it with `sv store check`",
               window_id, sv_object_store_url (files->store));
  return FALSE;
}

static gboolean
check_line (const SvIssueFiles *files, const SvIssuedLine *line, const GPtrArray *keys, GError **error)
{
  guint64 last_id;
  if (!line->is_closing)
    return line->records->len == 0 || check_record (files, line->records->pdata[line->records->len - 1], error);
  if (!close_state (files, line->window_id, keys, &last_id, error))
    return FALSE;
  return last_id == line->last_id || refuse_state (files, line->window_id, line->last_id, error);
}

/* (transfer full) the last line of a file. */
static SvIssuedLine *
read_last_line (const SvIssueFiles *files, GBytes *bytes, GError **error)
{
  gsize offset = 0;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) last = NULL;
  for (GBytes *line; (line = sv_issued_next_line (bytes, &offset, &failure)) != NULL;)
  {
    g_clear_pointer (&last, g_bytes_unref);
    last = line;
  }
  if (failure == NULL && last != NULL)
    return sv_issued_open (last, files->chain, NULL, NULL, error);
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s", failure != NULL ? failure->message : "the file is empty");
  return NULL;
}

static gboolean
check_file (const SvIssueFiles *files, const char *key, GBytes *bytes, const GPtrArray *keys, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvIssuedLine) line = read_last_line (files, bytes, &failure);
  if (line != NULL)
    return check_line (files, line, keys, error);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s/%s is no issue log of ours: %s; look at it with `sv store check`",
               sv_object_store_url (files->store), key, failure->message);
  return FALSE;
}

/* What a signpost says and nobody has written yet. */
static gboolean
complete_file (const SvIssueFiles *files, const char *window_id, guint64 first, guint64 last, const GPtrArray *keys,
               GError **error)
{
  guint64 last_id;
  if (last == SV_ISSUED_END)
    return close_state (files, window_id, keys, &last_id, error) &&
           (last_id < first || refuse_state (files, window_id, first - 1, error)) &&
           write_closing (files, window_id, first, last_id, keys, error);
  g_autoptr (GPtrArray) records = sv_issue_files_records (files, window_id, first, last, SV_ISSUED_FILE_MAX_RECORDS, error);
  if (records == NULL)
    return FALSE;
  const SvIssueRecord *final = records->len > 0 ? records->pdata[records->len - 1] : NULL;
  if (final == NULL || final->challenge_id != last)
    return refuse_state (files, window_id, last, error);
  return write_records (files, window_id, first, last, records, error);
}

static gboolean
read_signpost (SvObjectStore *store, const char *window_id, guint64 first, guint64 *last, GError **error)
{
  const SvGetOptions small = { .max_size = SV_ISSUED_SIGNPOST_MAX_SIZE };
  g_autofree char *key = sv_issued_signpost_key (window_id, first);
  g_autoptr (SvObject) object = sv_object_store_get (store, key, &small, NULL, error);
  return object != NULL && sv_issued_signpost_read (object->bytes, first, last, error);
}

static gboolean
find_last (const SvIssueFiles *files, const char *window_id, guint64 first, const GPtrArray *keys, guint64 *last,
           GError **error)
{
  const SvGetOptions large = { .max_size = SV_ISSUED_FILE_MAX_SIZE };
  g_autoptr (GError) failure = NULL;
  if (!read_signpost (files->store, window_id, first, last, error))
    return FALSE;
  g_autofree char *key = sv_issued_key (window_id, first, *last);
  g_autoptr (SvObject) file = sv_object_store_get (files->store, key, &large, NULL, &failure);
  if (file != NULL)
    return check_file (files, key, file->bytes, keys, error);
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    return complete_file (files, window_id, first, *last, keys, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
visit_key (const char *key, guint64 size, gpointer data)
{
  guint64 *greatest = data, first;
  const char *name = strrchr (key, '/') + 1;
  g_autofree char *digits = g_str_has_suffix (name, ".json") ? g_strndup (name, strlen (name) - strlen (".json")) : NULL;
  if (digits != NULL && sv_integer_parse (digits, &first))
    *greatest = MAX (*greatest, first);
  return TRUE;
}

/* The greatest first id that has a signpost, 0 where there is none. */
static gboolean
find_last_signpost (SvObjectStore *store, const char *window_id, guint64 *first, GError **error)
{
  g_autofree char *folder = g_strconcat (SV_ISSUED_PREFIX, window_id, NULL);
  *first = 0;
  return sv_object_store_list (store, folder, visit_key, first, error);
}

gboolean
sv_issue_files_find_end (const SvIssueFiles *files, const char *window_id, const GPtrArray *keys, guint64 *next, GError **error)
{
  guint64 first, last = 0;
  if (!find_last_signpost (files->store, window_id, &first, error) ||
      (first > 0 && !find_last (files, window_id, first, keys, &last, error)))
    return FALSE;
  *next = last + 1;
  return TRUE;
}

gboolean
sv_issue_files_public_end (SvObjectStore *store, const char *window_id, guint64 *next, GError **error)
{
  guint64 first, last = 0;
  if (!find_last_signpost (store, window_id, &first, error) ||
      (first > 0 && !read_signpost (store, window_id, first, &last, error)))
    return FALSE;
  *next = last + 1;
  return TRUE;
}

/* ── before challenges are handed out ── */

/* Where the signpost leads is asked, not what is in the file: the signpost comes first, and who put it writes the file, or
 * another does. One that leads so far that hardly an id is left is nobody's honest work. */
gboolean
sv_issue_files_fence (SvObjectStore *store, SvState *state, const char *window_id, GError **error)
{
  guint64 first, last, own_last;
  if (!find_last_signpost (store, window_id, &first, error))
    return FALSE;
  if (first == 0)
    return TRUE;
  if (!read_signpost (store, window_id, first, &last, error))
    return FALSE;
  if (last == SV_ISSUED_END && !sv_state_close_window (state, window_id, &own_last, error))
    return FALSE;
  if (last == SV_ISSUED_END)
    last = first - 1;
  if (last <= MAX_ID_TO_RAISE)
    return sv_state_raise_ids (state, last, error);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "the issue log of window %s in %s goes up to id %" G_GUINT64_FORMAT
               ", which no server has come to: look at it with `sv store check`",
               window_id, sv_object_store_url (store), last);
  return FALSE;
}

/* ── adding to it ── */

gboolean
sv_issue_files_add (const SvIssueFiles *files, const char *window_id, guint64 first, const GPtrArray *records, GError **error)
{
  guint64 last = ((const SvIssueRecord *)records->pdata[records->len - 1])->challenge_id;
  return put_signpost (files, window_id, first, last, error) && write_records (files, window_id, first, last, records, error);
}

gboolean
sv_issue_files_close (const SvIssueFiles *files, const char *window_id, guint64 first, guint64 last_id, const GPtrArray *keys,
                      GError **error)
{
  return put_signpost (files, window_id, first, SV_ISSUED_END, error) &&
         write_closing (files, window_id, first, last_id, keys, error);
}
