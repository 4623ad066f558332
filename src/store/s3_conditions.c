/* What a server makes of conditional puts. Some ignore the headers and overwrite, and of those that know If-Match Ceph compares
 * the bare ETag where R2 and AWS want it in quotes. "Two conditional puts never both succeed" would be a lie on the first kind,
 * so before the first conditional put of a process it is tried out, on an object of a random name that is removed afterwards:
 * whether a second If-None-Match is refused, and in which form If-Match lets the present ETag pass and refuses an old one.
 *
 * The answer is kept for a day in $SCOREVISION_HOME/cache, by endpoint and bucket. A server that is replaced by a stricter one
 * is noticed at once (s3_put.c), one that is replaced by a laxer one after a day at most. */
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

static const char *const form_names[] = {
  [SV_S3_MATCH_NONE] = "none", [SV_S3_MATCH_QUOTED] = "quoted", [SV_S3_MATCH_BARE] = "bare"
};

/* What is not there or makes no sense was never remembered. */
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
  for (guint i = 0; i < G_N_ELEMENTS (form_names); i++)
    if (g_strcmp0 (form, form_names[i]) == 0)
    {
      conditions.match = (SvS3MatchForm)i;
      if (json_is_boolean (absent) && is_fresh (&conditions))
        store->conditions = conditions;
    }
}

/* Without it the next process asks again; that is no reason to fail. */
static void
remember (const SvS3Store *store)
{
  const SvS3Conditions *conditions = &store->conditions;
  g_autofree char *text =
      g_strdup_printf ("{\"if_match\":\"%s\",\"if_none_match\":%s,\"probed_ms\":%" G_GINT64_FORMAT "}\n",
                       form_names[conditions->match], conditions->keeps_absent ? "true" : "false", conditions->probed_ms);
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
  char *etag; /* of the present content */
} Probe;

static void
probe_clear (Probe *probe)
{
  g_free (probe->key);
  g_free (probe->etag);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Probe, probe_clear)

typedef enum
{
  PASSED,
  REFUSED,
  FAILED, /* with an error */
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

/* A put that was carried out although it was refused was sent twice, and says nothing of conditions. */
static Outcome
take_refusal (const Probe *probe, const char *marker, GError **error)
{
  g_autofree char *now = NULL;
  switch (sv_s3_compare (probe->store, probe->key, marker, NULL, &now, error))
  {
  case SV_S3_IS_SO:
    return fail_to_tell (probe, error);
  case SV_S3_IS_NOT_SO:
    return REFUSED;
  case SV_S3_IS_UNKNOWN:
    break;
  }
  return FAILED;
}

static Outcome
take_success (Probe *probe, const SvS3Answer *answer, GError **error)
{
  g_free (probe->etag);
  probe->etag = sv_http_etag (answer->http);
  if (probe->etag != NULL)
    return PASSED;
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
    return take_success (probe, &answer, error);
  if (sv_s3_is_refusal (&request, &answer))
    return take_refusal (probe, content, error);
  if (answer.http->status == 501) /* it does not know the header */
    return REFUSED;
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
run_probe (SvS3Store *store, GError **error)
{
  g_auto (Probe) probe = { .store = store };
  guint8 name[NAME_BYTES];
  randombytes_buf (name, sizeof name);
  g_autofree char *hex = sv_hex_encode (name, sizeof name);
  probe.key = g_strconcat ("private/probe/", hex, NULL);
  SvS3Conditions found = { .probed_ms = sv_clock_ms () };
  gboolean ok = probe_absent (&probe, &found.keeps_absent, error) && probe_match (&probe, &found.match, error);
  if (probe.may_exist)
    remove_object (&probe);
  if (ok)
    store->conditions = found;
  return ok;
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
  if (!run_probe (store, error))
    return FALSE;
  remember (store);
  return TRUE;
}
