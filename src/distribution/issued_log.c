/* The log is followed from id 1 on: a signpost says where the next file ends, the file is read, and after its last id stands
 * the next signpost. Nothing has to be listed, which a public address cannot do.
 *
 * A signpost is not signed and is believed only as far as it leads to a file whose lines are signed for just that range. So all
 * that a mirror can do is keep files back, which leaves ids uncovered; a chain of signposts that lead to nothing is given up
 * after a few. All mirrors are read to their end, because one may have what another lacks, and because two logs that contradict
 * each other are seen only by who reads both. */
#include "distribution/issued_log.h"

#include <string.h>

#include "base/error.h"
#include "distribution/reader_state.h"

#define MAX_FAULTS 8 /* of one mirror: then it is left */
#define PATIENCE_US (90 * G_USEC_PER_SEC)

typedef struct
{
  SvReader *reader;
  const SvManifest *manifest;
  const SvIssuedVisitor *visitor;
  gpointer data;
  guint mirror;
  char *file; /* where the reading is */
  guint n_faults;
  GError *failure; /* of the visitor */
} Reading;

/* ── one file ── */

static gboolean
is_issuer (const char *address, gpointer issuers)
{
  return g_strv_contains (issuers, address);
}

static gboolean
check_place (const SvIssuedLine *line, const SvManifest *manifest, guint64 first, guint64 last, GError **error)
{
  if (strcmp (line->window_id, manifest->window_id) != 0)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "a line is of window %s, not %s", line->window_id, manifest->window_id);
  else if (line->first != first || line->last > last)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "a line is of ids %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " where those from %" G_GUINT64_FORMAT
                 " to %" G_GUINT64_FORMAT " belong",
                 line->first, line->last, first, last);
  else
    return TRUE;
  return FALSE;
}

gboolean
sv_issued_file_read (GBytes *bytes, const SvManifest *manifest, const SvChainId *chain, guint64 first, guint64 last,
                     SvVisitIssuedLine visit, gpointer data, GError **error)
{
  gsize offset = 0;
  while (first <= last)
  {
    g_autoptr (GError) failure = NULL;
    g_autoptr (GBytes) text = sv_issued_next_line (bytes, &offset, &failure);
    if (text == NULL && failure == NULL)
      g_set_error (&failure, SV_ERROR, SV_ERROR_MALFORMED, "it ends before id %" G_GUINT64_FORMAT, first);
    g_autoptr (SvIssuedLine) line = text != NULL ? sv_issued_open (text, chain, is_issuer, manifest->issuers, &failure) : NULL;
    if (line == NULL || !check_place (line, manifest, first, last, &failure))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    if (!visit (line, data, error))
      return FALSE;
    first = line->last + 1;
  }
  if (offset == g_bytes_get_size (bytes))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "something follows after its last line");
  return FALSE;
}

/* ── one mirror ── */

static SvMirrorAnswer *
ask (const Reading *reading, const char *key, gsize max_size, gboolean bypass_caches)
{
  const SvMirrorQuestion question = { .key = key, .options = { .max_size = max_size, .bypass_caches = bypass_caches } };
  SvMirrorTalk *talk = sv_mirror_talk_new (reading->reader->mirrors);
  sv_mirror_talk_ask (talk, reading->mirror, &question);
  SvMirrorAnswer *answer = sv_mirror_talk_next (talk, g_get_monotonic_time () + PATIENCE_US);
  sv_mirror_talk_free (talk);
  return answer;
}

/* (transfer full) the object's bytes; where it is, is noted for messages. */
static GBytes *
fetch (Reading *reading, const char *key, gsize max_size, gboolean bypass_caches, GError **error)
{
  g_autoptr (SvMirrorAnswer) answer = ask (reading, key, max_size, bypass_caches);
  g_free (reading->file);
  reading->file = answer != NULL ? g_strdup_printf ("%s/%s", answer->url, key) : g_strdup (key);
  if (answer != NULL && answer->object != NULL)
    return g_bytes_ref (answer->object->bytes);
  if (answer != NULL && answer->error != NULL)
    g_propagate_error (error, g_steal_pointer (&answer->error));
  else
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "there was no answer");
  return NULL;
}

/* *@last is 0 where the log ends. That there is no signpost may be what a cache knows from before there was one. */
static gboolean
read_signpost (Reading *reading, guint64 first, guint64 *last, GError **error)
{
  g_autofree char *key = sv_issued_signpost_key (reading->manifest->window_id, first);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = fetch (reading, key, SV_ISSUED_SIGNPOST_MAX_SIZE, FALSE, &failure);
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_clear_error (&failure);
    bytes = fetch (reading, key, SV_ISSUED_SIGNPOST_MAX_SIZE, TRUE, &failure);
  }
  *last = 0;
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    return TRUE;
  if (bytes != NULL)
    return sv_issued_signpost_read (bytes, first, last, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
visit_line (const SvIssuedLine *line, gpointer data, GError **error)
{
  Reading *reading = data;
  if (reading->visitor->line (line, reading->file, reading->data, &reading->failure))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "given up");
  return FALSE;
}

/* A mirror that does not answer is not asked again. */
static void
tell_fault (Reading *reading, const GError *fault)
{
  reading->n_faults += g_error_matches (fault, SV_ERROR, SV_ERROR_UNREACHABLE) ? MAX_FAULTS : 1;
  if (reading->failure == NULL)
    reading->visitor->fault (reading->file, fault, reading->data);
}

static void
read_file (Reading *reading, guint64 first, guint64 last)
{
  g_autoptr (GError) fault = NULL;
  g_autofree char *key = sv_issued_key (reading->manifest->window_id, first, last);
  g_autoptr (GBytes) bytes = fetch (reading, key, SV_ISSUED_FILE_MAX_SIZE, FALSE, &fault);
  if (bytes != NULL)
    (void)!sv_issued_file_read (bytes, reading->manifest, &reading->reader->id, first, last, visit_line, reading, &fault);
  if (fault != NULL)
    tell_fault (reading, fault);
}

static void
read_mirror (Reading *reading)
{
  guint64 last = 0;
  reading->n_faults = 0;
  for (guint64 first = 1; first <= SV_ISSUED_END && reading->n_faults < MAX_FAULTS && reading->failure == NULL;)
  {
    g_autoptr (GError) fault = NULL;
    if (!read_signpost (reading, first, &last, &fault))
      tell_fault (reading, fault);
    if (fault != NULL || last == 0)
      return;
    read_file (reading, first, last);
    first = last + 1;
  }
}

gboolean
sv_read_issued_log (SvReader *reader, const SvManifest *manifest, const SvIssuedVisitor *visitor, gpointer data, GError **error)
{
  Reading reading = { .reader = reader, .manifest = manifest, .visitor = visitor, .data = data };
  guint n_mirrors = sv_mirrors_count (reader->mirrors);
  for (; reading.mirror < n_mirrors && reading.failure == NULL; reading.mirror++)
    read_mirror (&reading);
  g_free (reading.file);
  if (reading.failure == NULL)
    return TRUE;
  g_propagate_error (error, reading.failure);
  return FALSE;
}
