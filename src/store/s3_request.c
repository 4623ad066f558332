/* Sending and sending again. A request is repeated where the server says that it failed or is too busy (5xx but 501, 429,
 * RequestTimeout), where two conditional puts met (409), and where no answer came: at most five times, after waiting a random
 * time up to 0.25, 0.5, 1, 2 seconds, or as long as Retry-After says, and for about thirty seconds in all, plus what the
 * transfer itself may take; an answer that drips is no answer. Each try is signed anew, with its own time.
 *
 * What is repeated may have been carried out already. For reading, deleting and plain puts that is all the same; for the others
 * the answer tells (is_doubtful), and s3_put.c finds out.
 *
 * Nothing is ever sent to where a redirect leads: it would carry credentials to whoever answered. */
#include "store/s3_request.h"

#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "store/http_etag.h"

#define MAX_TRIES 5
#define MAX_WAITING_MS 30000
#define FIRST_DELAY_MS 250
#define STALL_TIMEOUT_MS 10000
#define FILE_TIMEOUT_MS (60 * 60 * 1000)
#define SLOWEST_BYTES_PER_MS 64
#define MIN_RATE 1024 /* bytes a second of an answer, as over plain HTTP (http_store.c) */
#define MAX_HEADERS 16
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* A request on its way. */
typedef struct
{
  SvS3Store *store;
  const SvS3Request *request;
  char *path;
  char *hash;
  gint64 deadline_ms; /* no try begins later */
  guint try_timeout_ms;
  gint64 sink_start; /* -1: the sink cannot be rewound */
  guint n_tries;
} Work;

static void
work_clear (Work *work)
{
  g_free (work->path);
  g_free (work->hash);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

void
sv_s3_answer_clear (SvS3Answer *answer)
{
  g_clear_pointer (&answer->http, sv_http_response_free);
  sv_s3_fault_clear (&answer->fault);
  answer->is_doubtful = FALSE;
}

gboolean
sv_s3_is_success (const SvS3Answer *answer)
{
  return answer->http != NULL && answer->http->status >= 200 && answer->http->status <= 299 && answer->fault.code == NULL;
}

/* ---- one try ---- */

static char *
payload_hash (const SvS3Request *request)
{
  if (request->source_fd > 0)
    return g_strdup (request->source_hash);
  if (request->body == NULL)
    return g_strdup (EMPTY_HASH);
  g_autofree char *hash = sv_hash_gbytes (request->body);
  return g_strdup (sv_hash_hex (hash));
}

/* Cache-Control may be changed on the way by those whom it concerns, so it is not signed. */
static gboolean
is_signed (const SvS3Pair *header)
{
  return g_ascii_strcasecmp (header->name, "Cache-Control") != 0;
}

static GPtrArray *
make_headers (const Work *work, const SvS3Message *message)
{
  const SvS3Request *request = work->request;
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; i < request->n_headers; i++)
    g_ptr_array_add (lines, g_strdup_printf ("%s: %s", request->headers[i].name, request->headers[i].value));
  if (work->store->signer != NULL)
  {
    g_autofree char *date = sv_s3_date (message->time_ms);
    g_autofree char *authorization = sv_s3_authorization (work->store->signer, message);
    g_ptr_array_add (lines, g_strconcat ("x-amz-date: ", date, NULL));
    g_ptr_array_add (lines, g_strconcat ("x-amz-content-sha256: ", work->hash, NULL));
    g_ptr_array_add (lines, g_strconcat ("Authorization: ", authorization, NULL));
  }
  g_ptr_array_add (lines, NULL);
  return lines;
}

/* Where something is sent, time goes by before there is anything to measure, and some servers answer space by space while they
 * put parts together. */
static gboolean
is_reading (const SvS3Request *request)
{
  return strcmp (request->method, "GET") == 0 || strcmp (request->method, "HEAD") == 0;
}

static SvHttpResponse *
try_once (const Work *work, GError **error)
{
  const SvS3Request *request = work->request;
  SvS3Pair headers[MAX_HEADERS];
  SvS3Message message = { .method = request->method,
                          .host = work->store->host,
                          .path = work->path,
                          .query = request->query,
                          .n_query = request->n_query,
                          .headers = headers,
                          .payload_hash = work->hash,
                          .time_ms = sv_clock_ms () };
  g_assert (request->n_headers <= MAX_HEADERS);
  for (gsize i = 0; i < request->n_headers; i++)
    if (is_signed (&request->headers[i]))
      headers[message.n_headers++] = request->headers[i];
  g_autofree char *target = sv_s3_target (&message);
  g_autofree char *url = g_strconcat (work->store->endpoint, target, NULL);
  g_autoptr (GPtrArray) lines = make_headers (work, &message);
  SvHttpRequest http = { .method = request->method,
                         .url = url,
                         .headers = (const char *const *)lines->pdata,
                         .body = request->body,
                         .source_fd = request->source_fd,
                         .source_offset = request->source_offset,
                         .source_length = request->source_length,
                         .sink_fd = request->sink_fd,
                         .takes_redirects = TRUE };
  http.limits = (SvHttpLimits)SV_HTTP_LIMITS_DEFAULT;
  http.limits.max_bytes = request->max_bytes;
  http.limits.total_timeout_ms = work->try_timeout_ms;
  http.limits.stall_timeout_ms = STALL_TIMEOUT_MS;
  http.limits.min_rate = is_reading (request) ? MIN_RATE : 0;
  return sv_http_perform (work->store->client, &http, error);
}

/* ---- and again? ---- */

static gboolean
is_one_of (const char *code, const char *const *codes)
{
  for (; code != NULL && *codes != NULL; codes++)
    if (strcmp (code, *codes) == 0)
      return TRUE;
  return FALSE;
}

/* The server failed; it may have done what was asked. */
static gboolean
is_failure (const SvS3Answer *answer)
{
  static const char *const codes[] = { "InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", NULL };
  guint status = answer->http->status;
  return (status >= 500 && status != 501) || is_one_of (answer->fault.code, codes);
}

static gboolean
is_worth_repeating (const SvS3Answer *answer)
{
  static const char *const codes[] = { "ConditionalRequestConflict", "OperationAborted", NULL };
  return is_failure (answer) || answer->http->status == 429 || is_one_of (answer->fault.code, codes);
}

/* Whatever was written to the sink before is taken back. */
static gboolean
rewind_sink (const Work *work)
{
  int fd = work->request->sink_fd;
  return fd <= 0 || (work->sink_start >= 0 && lseek (fd, work->sink_start, SEEK_SET) == work->sink_start &&
                     ftruncate (fd, work->sink_start) == 0);
}

/* FALSE when it is time to give up. */
static gboolean
wait_for_next_try (Work *work, const SvS3Answer *answer, const char *reason)
{
  const SvS3Clock *clock = &work->store->clock;
  gint64 delay = (gint64)(clock->jitter (clock->data) * (FIRST_DELAY_MS << (work->n_tries - 1)));
  delay = MAX (delay, answer->http != NULL ? sv_http_retry_after_ms (answer->http) : 0);
  gboolean is_over = work->n_tries >= MAX_TRIES || clock->now_ms (clock->data) + delay > work->deadline_ms;
  if (is_over || sv_http_is_given_up () || !rewind_sink (work))
    return FALSE;
  if (work->n_tries == 1)
    sv_log ("warning", "the store is asked again", "store", work->store->base.url, "endpoint", work->store->endpoint, "method",
            work->request->method, "reason", reason, NULL);
  clock->sleep_ms (clock->data, delay);
  return TRUE;
}

/* ---- the answer ---- */

static void
read_fault (const SvS3Request *request, SvS3Answer *answer)
{
  gsize length;
  const char *data = g_bytes_get_data (answer->http->body, &length);
  gboolean is_good = answer->http->status >= 200 && answer->http->status <= 299;
  if (length > 0 && (!is_good || request->answers_in_xml))
    sv_s3_read_fault (data, length, &answer->fault);
}

/* For the client an answer beyond its limits is refused by policy; where an object was asked for it is one that is too large,
 * and where not, then no answer of S3. Takes @failure. */
static gboolean
report_transfer (const Work *work, GError *failure, GError **error)
{
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_POLICY))
    failure->code = work->request->answers_in_xml ? SV_ERROR_UNREACHABLE : SV_ERROR_MALFORMED;
  g_set_error (error, SV_ERROR, failure->code, "store %s: %s%s%s", work->store->base.url, failure->message,
               failure->code == SV_ERROR_UNREACHABLE ? "; check the network, and that the server is where the setting says: "
                                                     : "",
               failure->code == SV_ERROR_UNREACHABLE ? work->store->endpoint_setting : "");
  g_error_free (failure);
  return FALSE;
}

/* TRUE when there is nothing to repeat: *@failure tells whether there was an answer. */
static gboolean
is_settled (Work *work, SvS3Answer *answer, GError **failure)
{
  gboolean was_doubtful = answer->is_doubtful;
  sv_s3_answer_clear (answer);
  g_clear_error (failure);
  answer->is_doubtful = was_doubtful;
  work->n_tries++;
  answer->http = try_once (work, failure);
  if (answer->http == NULL)
  {
    gboolean is_lost = g_error_matches (*failure, SV_ERROR, SV_ERROR_UNREACHABLE);
    answer->is_doubtful = answer->is_doubtful || is_lost;
    return !is_lost || !wait_for_next_try (work, answer, (*failure)->message);
  }
  read_fault (work->request, answer);
  answer->is_doubtful = answer->is_doubtful || is_failure (answer);
  if (!is_worth_repeating (answer))
    return TRUE;
  g_autofree char *reason =
      g_strdup_printf ("HTTP %u %s", answer->http->status, answer->fault.code != NULL ? answer->fault.code : "");
  return !wait_for_next_try (work, answer, reason);
}

static void
set_times (Work *work)
{
  const SvS3Request *request = work->request;
  guint64 sent = request->source_fd > 0 ? request->source_length : request->body != NULL ? g_bytes_get_size (request->body) : 0;
  guint64 transfer_ms = MIN (sent / SLOWEST_BYTES_PER_MS + request->max_bytes / SLOWEST_BYTES_PER_MS, FILE_TIMEOUT_MS);
  work->try_timeout_ms = request->sink_fd > 0 ? FILE_TIMEOUT_MS : MAX_WAITING_MS + (guint)transfer_ms;
  work->deadline_ms = work->store->clock.now_ms (work->store->clock.data) + work->try_timeout_ms;
  work->sink_start = request->sink_fd > 0 ? (gint64)lseek (request->sink_fd, 0, SEEK_CUR) : -1;
}

gboolean
sv_s3_perform (SvS3Store *store, const SvS3Request *request, SvS3Answer *answer, GError **error)
{
  g_auto (Work) work = { .store = store, .request = request };
  GError *failure = NULL;
  memset (answer, 0, sizeof *answer);
  work.path =
      request->key != NULL ? g_strconcat ("/", store->bucket, "/", request->key, NULL) : g_strconcat ("/", store->bucket, NULL);
  work.hash = payload_hash (request);
  set_times (&work);
  while (!is_settled (&work, answer, &failure))
    ;
  return failure == NULL || report_transfer (&work, failure, error);
}

/* ---- the clock ---- */

static gint64
real_now (gpointer unused)
{
  return g_get_monotonic_time () / 1000;
}

static void
real_sleep (gpointer unused, gint64 ms)
{
  sv_http_pause ((guint)ms);
}

static double
real_jitter (gpointer unused)
{
  return randombytes_uniform (1000) / 1000.0;
}

void
sv_s3_store_set_clock (SvObjectStore *base, const SvS3Clock *clock)
{
  static const SvS3Clock real = { real_now, real_sleep, real_jitter, NULL };
  ((SvS3Store *)base)->clock = clock != NULL ? *clock : real;
}
