/* One request and its answer: libcurl with the limits that it does not have.
 *
 * Addresses are judged where the socket is opened, on the address that will really be connected to, so a name that resolves to
 * one thing for a check and to another for the connection gains nothing; and once more before each request, because an old
 * connection may be used again under a stricter policy. Under that policy no proxy is used: it would connect in our place.
 *
 * The body is counted after decompression, chunk by chunk (libcurl hands out at most 16 KiB at a time), so a small answer that
 * expands without end is cut off at the limit. libcurl also unpacks what was not asked for, and Brotli and Zstandard keep up to
 * 16 and 128 MiB of what they unpacked, as the sender chooses: all but gzip and deflate, which keep 32 KiB, are refused by
 * their header. Bodies of answers other than 2xx are for messages only, and bounded apart. */
#include "base/http_hop.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/curl_library.h"
#include "base/error.h"
#include "base/file.h"
#include "base/http_address.h"
#include "base/http_tls.h"

#define MAX_HEADER_BYTES (64 * 1024)
#define MIN_OTHER_BODY (64 * 1024) /* a reason may be longer than what was asked for */
#define MAX_OTHER_BODY (1024 * 1024)
#define DEFAULT_CONNECT_MS 10000
#define DEFAULT_STALL_MS 15000
#define PAUSE_PART_US 50000 /* after which a pause looks whether it is given up */

typedef struct curl_slist CurlList;

static void
curl_list_free (CurlList *list)
{
  sv_curl ()->slist_free_all (list);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CurlList, curl_list_free)

void
sv_http_hop_clear (SvHttpHop *hop)
{
  sv_url_clear (&hop->url);
  g_clear_pointer (&hop->first_address, g_free);
  sv_http_body_clear (&hop->body);
  g_clear_pointer (&hop->headers, g_hash_table_unref);
  g_clear_error (&hop->refusal);
}
void
sv_http_hop_init (SvHttpHop *hop, const SvHttpRequest *request, CURL *curl)
{
  hop->request = request;
  hop->curl = curl;
  sv_http_body_init (&hop->body);
  hop->headers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

/* Notes why the transfer must end; the first reason stays. Returns 0, which libcurl takes for "stop". */
static gsize
refuse (SvHttpHop *hop, SvErrorCode code, const char *why)
{
  if (hop->refusal == NULL)
    g_set_error (&hop->refusal, SV_ERROR, code, "%s: %s", hop->url.shown, why);
  return 0;
}

guint
sv_http_hop_status (const SvHttpHop *hop)
{
  long status = 0;
  sv_curl ()->easy_getinfo (hop->curl, CURLINFO_RESPONSE_CODE, &status);
  return (guint)status;
}

char *
sv_http_hop_address (const SvHttpHop *hop)
{
  char *address = NULL;
  sv_curl ()->easy_getinfo (hop->curl, CURLINFO_PRIMARY_IP, &address);
  return g_strdup (address);
}

static gboolean
is_success (guint status)
{
  return status >= 200 && status <= 299;
}

static guint
stall_ms (const SvHttpHop *hop)
{
  guint ms = hop->request->limits.stall_timeout_ms;
  return ms != 0 ? ms : DEFAULT_STALL_MS;
}

/* ---- addresses ---- */

/* Host and port are those of one of our own origins. */
static gboolean
is_own (const SvHttpHop *hop)
{
  const char *const *origins = hop->request->limits.own_origins;
  if (origins == NULL || hop->is_redirected)
    return FALSE;
  for (; *origins != NULL; origins++)
  {
    g_auto (SvUrl) own = { 0 };
    if (sv_url_parse (*origins, &own, NULL) && strcmp (own.authority, hop->url.authority) == 0)
      return TRUE;
  }
  return FALSE;
}

/* A server of our own configuration may be anywhere; it must not send us about the networks we are in. */
static gboolean
redirect_is_allowed (SvHttpHop *hop, const char *address, SvAddressKind kind)
{
  if (!hop->is_redirected || kind == SV_ADDRESS_PUBLIC || g_strcmp0 (address, hop->first_address) == 0)
    return TRUE;
  return refuse (hop, SV_ERROR_POLICY, "refused the redirect to here: it is a private or local address") != 0;
}

static gboolean
address_is_allowed (SvHttpHop *hop, const char *address, SvAddressKind kind)
{
  if (hop->request->limits.policy == SV_HTTP_ANY_ADDRESS)
    return redirect_is_allowed (hop, address, kind);
  if (!hop->url.is_https && kind != SV_ADDRESS_LOOPBACK)
    return refuse (hop, SV_ERROR_POLICY, "http is allowed on this machine only; https is needed") != 0;
  if (kind != SV_ADDRESS_PUBLIC && !is_own (hop))
    return refuse (
               hop, SV_ERROR_POLICY,
               "refused: it leads to a private or local address; if it is yours, name its host and port in a setting of your "
               "own, such as SCOREVISION_API, R2_PUBLIC_URL or CHUTES_MINER_BASE_URL_TEMPLATE") != 0;
  return TRUE;
}

static curl_socket_t
on_open_socket (void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
  SvHttpHop *hop = data;
  char text[SV_ADDRESS_TEXT_SIZE];
  sv_address_text (&address->addr, text);
  if (!address_is_allowed (hop, text, sv_address_kind (&address->addr)))
    return CURL_SOCKET_BAD;
  return socket (address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int
on_before_request (void *data, char *remote, char *local, int remote_port, int local_port)
{
  SvHttpHop *hop = data;
  SvAddressKind kind = SV_ADDRESS_PRIVATE;
  if (!sv_address_kind_of_text (remote, &kind))
    kind = SV_ADDRESS_PRIVATE;
  return address_is_allowed (hop, remote, kind) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* ---- the answer ---- */

static void
add_header (SvHttpHop *hop, const char *line, const char *colon)
{
  g_autofree char *raw = g_strndup (line, (gsize)(colon - line));
  g_autofree char *value = g_strdup (colon + 1);
  char *name = g_ascii_strdown (g_strstrip (raw), -1);
  const char *before = g_hash_table_lookup (hop->headers, name);
  g_strstrip (value);
  char *joined = before != NULL ? g_strconcat (before, ", ", value, NULL) : g_strdup (value);
  g_hash_table_replace (hop->headers, name, joined);
}

/* @allowed ends with NULL; an absent header is fine. */
static gboolean
has_one_of (const SvHttpHop *hop, const char *name, const char *const *allowed)
{
  const char *value = g_hash_table_lookup (hop->headers, name);
  gboolean ok = value == NULL || *value == '\0';
  for (; !ok && *allowed != NULL; allowed++)
    ok = g_ascii_strcasecmp (value, *allowed) == 0;
  return ok;
}

static gboolean
is_packed_as_asked (const SvHttpHop *hop)
{
  static const char *const encodings[] = { "gzip", "x-gzip", "deflate", "identity", NULL };
  static const char *const transfers[] = { "chunked", "identity", NULL };
  return has_one_of (hop, "content-encoding", encodings) && has_one_of (hop, "transfer-encoding", transfers);
}

static size_t
on_header (char *data, size_t size, size_t count, void *user)
{
  SvHttpHop *hop = user;
  gsize length = size * count;
  hop->header_bytes += length;
  if (hop->header_bytes > MAX_HEADER_BYTES)
    return refuse (hop, SV_ERROR_POLICY, "endless data: the answer's headers are larger than 64 KiB");
  if (hop->has_all_headers)
    return length;

  g_autofree char *line = g_strndup (data, length);
  const char *colon = strchr (line, ':');
  if (g_str_has_prefix (line, "HTTP/"))
    g_hash_table_remove_all (hop->headers); /* what came before was provisional */
  else if (*line == '\r' || *line == '\n')
    hop->has_all_headers = sv_http_hop_status (hop) >= 200;
  else if (colon != NULL && g_ascii_isgraph (*line))
    add_header (hop, line, colon);
  if (!is_packed_as_asked (hop))
    return refuse (hop, SV_ERROR_POLICY, "the answer is compressed in a way that was not asked for");
  return length;
}

static gsize
keep (SvHttpHop *hop, const char *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  return sv_http_body_append (&hop->body, data, length, &error) ? length : refuse (hop, SV_ERROR_FAILED, error->message);
}

static gsize
write_to_sink (SvHttpHop *hop, const char *data, gsize length)
{
  if (sv_write_all (hop->request->sink_fd, data, length))
    return length;
  return refuse (hop, SV_ERROR_FAILED, g_strerror (errno));
}

static size_t
on_body (char *data, size_t size, size_t count, void *user)
{
  SvHttpHop *hop = user;
  gsize length = size * count;
  gboolean is_wanted = is_success (sv_http_hop_status (hop));
  guint64 limit = hop->request->limits.max_bytes;
  if (!is_wanted)
    limit = CLAMP (limit, MIN_OTHER_BODY, MAX_OTHER_BODY);
  if (length > limit - hop->body_length)
  {
    g_autofree char *why = g_strdup_printf ("endless data: the answer is larger than %" G_GUINT64_FORMAT " bytes", limit);
    return refuse (hop, SV_ERROR_POLICY, why);
  }
  hop->body_length += length;
  return is_wanted && hop->request->sink_fd > 0 ? write_to_sink (hop, data, length) : keep (hop, data, length);
}

static _Atomic gint64 given_up_us; /* monotonic; 0: never */
static _Thread_local const gint *given_up_with;

void
sv_http_give_up_after (guint after_ms)
{
  gint64 at_us = g_get_monotonic_time () + (gint64)after_ms * 1000, before_us = given_up_us;
  while ((before_us == 0 || at_us < before_us) && !atomic_compare_exchange_weak (&given_up_us, &before_us, at_us))
    ;
}

gboolean
sv_http_is_given_up (void)
{
  gint64 at_us = given_up_us;
  return (at_us != 0 && g_get_monotonic_time () >= at_us) || (given_up_with != NULL && g_atomic_int_get (given_up_with));
}

void
sv_http_give_up_with (const gint *flag)
{
  given_up_with = flag;
}

void
sv_http_pause (guint ms)
{
  gint64 left_us, end_us = g_get_monotonic_time () + (gint64)ms * 1000;
  while (!sv_http_is_given_up () && (left_us = end_us - g_get_monotonic_time ()) > 0)
    g_usleep ((gulong)MIN (left_us, PAUSE_PART_US));
}

/* libcurl asks at least once a second. Counted is what came over the network, before it is unpacked. An answer of which nothing
 * has come yet is left to the stall time. */
static int
on_progress (void *data, curl_off_t total, curl_off_t received, curl_off_t to_send, curl_off_t sent)
{
  SvHttpHop *hop = data;
  gint64 elapsed_ms = (g_get_monotonic_time () - hop->start) / 1000;
  gboolean is_begun = hop->header_bytes > 0;
  if (sv_http_is_given_up ())
  {
    refuse (hop, SV_ERROR_UNREACHABLE, "given up, because this server is being stopped");
    return 1;
  }
  if (!is_begun || elapsed_ms < stall_ms (hop) || received * 1000 >= elapsed_ms * (gint64)hop->request->limits.min_rate)
    return 0;
  g_autofree char *why = g_strdup_printf ("slow transfer: less than %u bytes a second came in %" G_GINT64_FORMAT " s",
                                          hop->request->limits.min_rate, elapsed_ms / 1000);
  refuse (hop, hop->request->limits.distrusts_server ? SV_ERROR_POLICY : SV_ERROR_UNREACHABLE, why);
  return 1;
}

/* ---- the request ---- */

const char *
sv_http_request_method (const SvHttpRequest *request)
{
  return request->method != NULL ? request->method : "GET";
}

static gboolean
has_name (const char *header, const char *name)
{
  gsize length = strlen (name);
  return g_ascii_strncasecmp (header, name, length) == 0 && header[length] == ':';
}

/* The few headers that say nothing about who asks. */
static gboolean
is_harmless (const char *header)
{
  return has_name (header, "Accept") || has_name (header, "Range") || has_name (header, "If-None-Match");
}

static CurlList *
make_headers (const SvHttpHop *hop)
{
  gboolean has_type = FALSE;
  CurlList *list = sv_curl ()->slist_append (NULL, "Expect:"); /* no waiting for "100 Continue" */
  for (const char *const *header = hop->request->headers; header != NULL && *header != NULL; header++)
  {
    has_type = has_type || has_name (*header, "Content-Type");
    if (!hop->is_foreign || is_harmless (*header))
      list = sv_curl ()->slist_append (list, *header);
  }
  return has_type ? list : sv_curl ()->slist_append (list, "Content-Type:"); /* libcurl would say it is a form */
}

/* libcurl has been told how long the body is, so one that ends early would leave the server waiting. */
static size_t
on_send (char *data, size_t size, size_t count, void *user)
{
  SvHttpHop *hop = user;
  const SvHttpRequest *request = hop->request;
  gsize wanted = (gsize)MIN (size * count, request->source_length - hop->source_sent);
  gssize got;
  do
    got = pread (request->source_fd, data, wanted, (off_t)(request->source_offset + hop->source_sent));
  while (got < 0 && errno == EINTR);
  if (got < 0 || (got == 0 && wanted > 0))
  {
    refuse (hop, SV_ERROR_FAILED, got < 0 ? g_strerror (errno) : "the file that is sent has become shorter");
    return CURL_READFUNC_ABORT;
  }
  hop->source_sent += (guint64)got;
  return (size_t)got;
}

/* Where a connection that was kept turns out to be closed, libcurl sends the body again from its beginning. */
static int
on_rewind (void *user, curl_off_t offset, int origin)
{
  SvHttpHop *hop = user;
  if (origin != SEEK_SET || offset < 0)
    return CURL_SEEKFUNC_FAIL;
  hop->source_sent = (guint64)offset;
  return CURL_SEEKFUNC_OK;
}

static void
set_source (SvHttpHop *hop)
{
  hop->source_sent = 0;
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_UPLOAD, 1L);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)hop->request->source_length);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_READFUNCTION, on_send);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_READDATA, hop);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_SEEKFUNCTION, on_rewind);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_SEEKDATA, hop);
}

static void
set_method_and_body (SvHttpHop *hop)
{
  const char *method = sv_http_request_method (hop->request);
  gsize length = 0;
  const void *data = hop->request->body != NULL ? g_bytes_get_data (hop->request->body, &length) : NULL;
  gboolean sends_body = hop->request->body != NULL || strcmp (method, "POST") == 0 || strcmp (method, "PUT") == 0;
  if (hop->request->source_fd > 0)
    set_source (hop);
  else if (sends_body)
  {
    sv_curl ()->easy_setopt (hop->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    sv_curl ()->easy_setopt (hop->curl, CURLOPT_POSTFIELDS, data != NULL ? data : "");
  }
  if (strcmp (method, "HEAD") == 0)
    sv_curl ()->easy_setopt (hop->curl, CURLOPT_NOBODY, 1L);
  else
    sv_curl ()->easy_setopt (hop->curl, CURLOPT_CUSTOMREQUEST, method);
}

static void
set_limits (const SvHttpHop *hop, gint64 remaining_ms)
{
  const SvHttpLimits *limits = &hop->request->limits;
  guint connect_ms = limits->connect_timeout_ms != 0 ? limits->connect_timeout_ms : DEFAULT_CONNECT_MS;
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_TIMEOUT_MS, (long)remaining_ms);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_LOW_SPEED_TIME, (long)((stall_ms (hop) + 999) / 1000));
  if (limits->policy == SV_HTTP_PUBLIC_ADDRESS || hop->url.is_loopback)
    sv_curl ()->easy_setopt (hop->curl, CURLOPT_PROXY, "");
}

static void
set_callbacks (SvHttpHop *hop)
{
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_OPENSOCKETDATA, hop);
  if (hop->request->limits.policy == SV_HTTP_PUBLIC_ADDRESS || hop->is_redirected)
  {
    sv_curl ()->easy_setopt (hop->curl, CURLOPT_PREREQFUNCTION, on_before_request);
    sv_curl ()->easy_setopt (hop->curl, CURLOPT_PREREQDATA, hop);
  }
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_HEADERFUNCTION, on_header);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_HEADERDATA, hop);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_WRITEFUNCTION, on_body);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_WRITEDATA, hop);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_ERRORBUFFER, hop->message);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_NOPROGRESS, 0L);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_XFERINFODATA, hop);
}

/* Something came that was not, or not yet, a whole answer. */
static gboolean
has_begun_to_answer (const SvHttpHop *hop, CURLcode code)
{
  curl_off_t first_byte_us = 0;
  sv_curl ()->easy_getinfo (hop->curl, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
  return hop->header_bytes > 0 || (first_byte_us > 0 && code != CURLE_GOT_NOTHING);
}

/* Our own reason, or libcurl's. Its text may quote what the server sent. */
static gboolean
report (SvHttpHop *hop, CURLcode code, GError **error)
{
  if (hop->refusal != NULL)
  {
    g_propagate_error (error, g_steal_pointer (&hop->refusal));
    return FALSE;
  }
  const char *reason = hop->message[0] != '\0' ? hop->message : sv_curl ()->easy_strerror (code);
  if (code == CURLE_COULDNT_RESOLVE_PROXY)
    reason = sv_curl ()->easy_strerror (code); /* the proxy's URL may hold a password */
  const char *tls = sv_http_tls_explain (code, hop->message);
  if (tls != NULL)
    reason = tls;
  g_autofree char *printable = g_strdup (reason);
  for (char *p = printable; *p != '\0'; p++)
    if (!g_ascii_isprint (*p))
      *p = '?';
  if (!hop->request->limits.distrusts_server || !has_begun_to_answer (hop, code))
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "%s: %s", hop->url.shown, printable);
  else
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY, "%s: %s: %s", hop->url.shown,
                 code == CURLE_OPERATION_TIMEDOUT ? "slow transfer" : "broken answer", printable);
  return FALSE;
}

gboolean
sv_http_hop_run (SvHttpHop *hop, const char *encodings, gint64 deadline, GError **error)
{
  hop->start = g_get_monotonic_time ();
  gint64 remaining_ms = (deadline - hop->start) / 1000;
  if (remaining_ms <= 0)
    return report (hop, CURLE_OPERATION_TIMEDOUT, error);
  g_autoptr (CurlList) headers = make_headers (hop);
  sv_curl ()->easy_reset (hop->curl);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_URL, hop->url.text);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_PROTOCOLS_STR, "http,https");
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_FOLLOWLOCATION, 0L);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_NOSIGNAL, 1L);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_USERAGENT, "scorevision/" SV_VERSION);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_ACCEPT_ENCODING, encodings);
  sv_curl ()->easy_setopt (hop->curl, CURLOPT_HTTPHEADER, headers);
  sv_http_tls_set_authorities (hop->curl);
  set_method_and_body (hop);
  set_limits (hop, remaining_ms);
  set_callbacks (hop);
  CURLcode code = sv_curl ()->easy_perform (hop->curl);
  return code == CURLE_OK ? TRUE : report (hop, code, error);
}
