/* What a server makes of conditional puts. Some ignore the headers and overwrite, and of those that know If-Match Ceph compares
 * the bare ETag where R2 and AWS want it in quotes. "Two conditional puts never both succeed" would be a lie on the first kind,
 * so before the first conditional put of a process it is tried out, on an object of a random name that is removed afterwards:
 * whether a second If-None-Match is refused, and in which form If-Match lets the present ETag pass and refuses an old one.
 * After each step the object must still be the one that was put last: else somebody has removed it, and nothing is learned.
 *
 * A good answer is kept for a day in $SCOREVISION_HOME/cache, by endpoint and bucket. A server that is replaced by a stricter
 * one is noticed at once (s3_put.c), one that is replaced by a laxer one after a day at most. A bad answer leads people to give
 * up a protection, so it must come twice, and is kept by this process only: one error of a proxy must not last a day. */
#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "store/s3_request.h"

#define MAX_ANSWER (1024 * 1024)
#define MAX_MEMORY (64 * 1024)
#define KEPT_MS (24 * 60 * 60 * 1000)
#define NAME_BYTES 16

/* ---- what is there ---- */

SvS3Verdict
sv_s3_compare (SvS3Store *store, const char *key, const char *marker, const char *etag, char **now, GError **error)
{
  SvS3Request request = { .method = "HEAD", .key = key, .max_bytes = 1 };
  g_auto (SvS3Answer) answer = { 0 };
  *now = NULL;
  if (!sv_s3_perform (store, &request, &answer, error))
    return SV_S3_IS_UNKNOWN;
  if (answer.http->status == 404)
    return SV_S3_IS_NOT_SO;
  if (!sv_s3_is_success (&answer))
  {
    sv_s3_set_error (store, &request, &answer, error);
    return SV_S3_IS_UNKNOWN;
  }
  *now = sv_http_etag (answer.http);
  gboolean has_marker = marker == NULL || g_strcmp0 (sv_http_response_header (answer.http, SV_S3_MARKER), marker) == 0;
  gboolean has_etag = etag == NULL || g_strcmp0 (*now, etag) == 0;
  return has_marker && has_etag ? SV_S3_IS_SO : SV_S3_IS_NOT_SO;
}

/* ---- memory ---- */

static gboolean
is_fresh (const SvS3Conditions *conditions)
{
  gint64 now_ms = sv_clock_ms ();
  return conditions->probed_ms > 0 && conditions->probed_ms <= now_ms && now_ms - conditions->probed_ms < KEPT_MS;
}

static gboolean
keeps_all (const SvS3Conditions *conditions)
{
  return conditions->keeps_absent && conditions->match != SV_S3_MATCH_NONE;
}

static const char *const form_names[] = { [SV_S3_MATCH_QUOTED] = "quoted", [SV_S3_MATCH_BARE] = "bare" };

/* What is not there, makes no sense or is no good answer was never remembered. */
static void
recall (SvS3Store *store)
{
  g_autoptr (GBytes) bytes = sv_file_read (store->memory_path, MAX_MEMORY, NULL);
  if (bytes == NULL)
    return;
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  g_autoptr (json_t) memory = sv_json_parse (store->memory_path, data, length, MAX_MEMORY, NULL);
  const char *form = json_string_value (json_object_get (memory, "if_match"));
  const json_t *absent = json_object_get (memory, "if_none_match"), *probed = json_object_get (memory, "probed_ms");
  SvS3Conditions conditions = { .probed_ms = (gint64)json_number_value (probed), .keeps_absent = json_is_true (absent) };
  for (guint i = SV_S3_MATCH_QUOTED; i < G_N_ELEMENTS (form_names); i++)
    if (g_strcmp0 (form, form_names[i]) == 0)
      conditions.match = (SvS3MatchForm)i;
  if (keeps_all (&conditions) && is_fresh (&conditions))
    store->conditions = conditions;
}

/* Without it the next process asks again; that is no reason to fail. */
static void
remember (const SvS3Store *store)
{
  const SvS3Conditions *conditions = &store->conditions;
  g_autofree char *text = g_strdup_printf ("{\"if_match\":\"%s\",\"if_none_match\":true,\"probed_ms\":%" G_GINT64_FORMAT "}\n",
                                           form_names[conditions->match], conditions->probed_ms);
  g_autoptr (GError) failure = NULL;
  if (!sv_file_write (store->memory_path, text, strlen (text), 0600, &failure))
    sv_log ("warning", "what the store makes of conditional puts is not remembered", "reason", failure->message, NULL);
}

/* ---- the probe ---- */

typedef struct
{
  SvS3Store *store;
  char *key;
  guint n_puts;
  gboolean may_exist;
  gboolean is_disturbed; /* the object was not what was put last */
  char *etag;            /* of the present content */
  char *marker;          /* of the present content; NULL: there is none */
} Probe;

static void
probe_clear (Probe *probe)
{
  g_free (probe->key);
  g_free (probe->etag);
  g_free (probe->marker);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Probe, probe_clear)

typedef enum
{
  PASSED,
  REFUSED,
  UNSUPPORTED, /* it does not know the header */
  FAILED,      /* with an error */
} Outcome;

static Outcome
fail_to_tell (const Probe *probe, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "store %s: what %s makes of conditional puts could not be tried out, because it did not answer every time; "
               "run the command again",
               probe->store->base.url, probe->store->endpoint);
  return FAILED;
}

/* @outcome, if the object is what was put last: another one, or none, says nothing of conditions. That goes for a put that was
 * carried out although it was refused, too: it was sent twice. */
static Outcome
if_undisturbed (Probe *probe, Outcome outcome, GError **error)
{
  g_autofree char *now = NULL;
  SvS3Verdict verdict = sv_s3_compare (probe->store, probe->key, probe->marker, NULL, &now, error);
  if (verdict == SV_S3_IS_UNKNOWN)
    return FAILED;
  if (verdict == (probe->marker != NULL ? SV_S3_IS_SO : SV_S3_IS_NOT_SO))
    return outcome;
  probe->is_disturbed = probe->may_exist = TRUE;
  g_set_error (
      error, SV_ERROR, SV_ERROR_UNREACHABLE,
      "store %s: what %s makes of conditional puts could not be tried out, because the object for that, %s, was not what "
      "had been put there last; see that nobody cleans up below private/probe/, and run the command again",
      probe->store->base.url, probe->store->endpoint, probe->key);
  return FAILED;
}

static Outcome
take_success (Probe *probe, const SvS3Answer *answer, const char *marker, GError **error)
{
  g_free (probe->etag);
  g_free (probe->marker);
  probe->marker = g_strdup (marker);
  probe->etag = sv_http_etag (answer->http);
  if (probe->etag != NULL)
    return if_undisturbed (probe, PASSED, error);
  sv_s3_set_foreign_error (probe->store, "it names no ETag", error);
  return FAILED;
}

static Outcome
try_put (Probe *probe, const char *name, const char *value, GError **error)
{
  g_autofree char *content = g_strdup_printf ("%s-%u", strrchr (probe->key, '/') + 1, ++probe->n_puts);
  g_autoptr (GBytes) body = g_bytes_new (content, strlen (content));
  const SvS3Pair headers[] = { { name, value }, { SV_S3_MARKER, content } };
  SvS3Request request = { .method = "PUT",
                          .key = probe->key,
                          .headers = headers,
                          .n_headers = G_N_ELEMENTS (headers),
                          .body = body,
                          .max_bytes = MAX_ANSWER,
                          .answers_in_xml = TRUE };
  g_auto (SvS3Answer) answer = { 0 };
  gboolean is_answered = sv_s3_perform (probe->store, &request, &answer, error);
  probe->may_exist = probe->may_exist || answer.is_doubtful || sv_s3_is_success (&answer);
  if (!is_answered)
    return FAILED;
  if (answer.is_doubtful)
    return fail_to_tell (probe, error);
  if (sv_s3_is_success (&answer))
    return take_success (probe, &answer, content, error);
  if (sv_s3_is_refusal (&request, &answer))
    return if_undisturbed (probe, REFUSED, error);
  if (answer.http->status == 501)
    return UNSUPPORTED;
  sv_s3_set_error (probe->store, &request, &answer, error);
  return FAILED;
}

/* Two that want to be the first. */
static gboolean
probe_absent (Probe *probe, gboolean *is_kept, GError **error)
{
  Outcome first = try_put (probe, "If-None-Match", "*", error);
  Outcome second = first == PASSED ? try_put (probe, "If-None-Match", "*", error) : first;
  *is_kept = first == PASSED && second == REFUSED;
  return second != FAILED;
}

static char *
in_form (SvS3MatchForm form, const char *etag)
{
  return form == SV_S3_MATCH_QUOTED ? g_strdup_printf ("\"%s\"", etag) : g_strdup (etag);
}

/* The present ETag passes, and is refused once it is an old one. */
static gboolean
probe_form (Probe *probe, SvS3MatchForm form, gboolean *is_kept, GError **error)
{
  g_autofree char *present = in_form (form, probe->etag);
  Outcome first = try_put (probe, "If-Match", present, error);
  Outcome second = first == PASSED ? try_put (probe, "If-Match", present, error) : first;
  *is_kept = first == PASSED && second == REFUSED;
  return second != FAILED;
}

static gboolean
probe_match (Probe *probe, SvS3MatchForm *match, GError **error)
{
  static const SvS3MatchForm forms[] = { SV_S3_MATCH_QUOTED, SV_S3_MATCH_BARE };
  *match = SV_S3_MATCH_NONE;
  for (gsize i = 0; i < G_N_ELEMENTS (forms) && *match == SV_S3_MATCH_NONE && probe->etag != NULL; i++)
  {
    gboolean is_kept;
    if (!probe_form (probe, forms[i], &is_kept, error))
      return FALSE;
    if (is_kept)
      *match = forms[i];
  }
  return TRUE;
}

static void
remove_object (Probe *probe)
{
  g_autoptr (GError) failure = NULL;
  if (!sv_object_store_delete (&probe->store->base, probe->key, &failure))
    sv_log ("warning", "the object that conditional puts were tried out on is left behind", "key", probe->key, "reason",
            failure->message, NULL);
}

static gboolean
run_probe (SvS3Store *store, SvS3Conditions *found, gboolean *is_disturbed, GError **error)
{
  g_auto (Probe) probe = { .store = store };
  guint8 name[NAME_BYTES];
  randombytes_buf (name, sizeof name);
  g_autofree char *hex = sv_hex_encode (name, sizeof name);
  probe.key = g_strconcat ("private/probe/", hex, NULL);
  *found = (SvS3Conditions){ .probed_ms = sv_clock_ms () };
  gboolean ok = probe_absent (&probe, &found->keeps_absent, error) && probe_match (&probe, &found->match, error);
  if (probe.may_exist)
    remove_object (&probe);
  *is_disturbed = probe.is_disturbed;
  return ok;
}

/* What is bad or disturbed gets another chance. */
static gboolean
probe_twice (SvS3Store *store, GError **error)
{
  SvS3Conditions found;
  gboolean is_disturbed;
  g_autoptr (GError) first = NULL;
  gboolean ok = run_probe (store, &found, &is_disturbed, &first);
  if (!ok && !is_disturbed)
  {
    g_propagate_error (error, g_steal_pointer (&first));
    return FALSE;
  }
  if ((!ok || !keeps_all (&found)) && !run_probe (store, &found, &is_disturbed, error))
    return FALSE;
  store->conditions = found;
  return TRUE;
}

gboolean
sv_s3_learn_conditions (SvS3Store *store, gboolean is_doubted, GError **error)
{
  if (!is_doubted && is_fresh (&store->conditions))
    return TRUE;
  if (!is_doubted)
    recall (store);
  if (!is_doubted && is_fresh (&store->conditions))
    return TRUE;
  if (!probe_twice (store, error))
    return FALSE;
  if (keeps_all (&store->conditions))
    remember (store);
  return TRUE;
}
