/* The public side: what anybody gets at R2_PUBLIC_URL. Its index may be as old as caches allow and no older, and what is
 * private must not be there: a bucket that is made public as a whole shows its clips to everyone. */
#include <string.h>

#include "base/error.h"
#include "base/http_client.h"
#include "base/rfc3339.h"
#include "operator/store_check_state.h"

#define PUBLIC_LAG_MS 60000 /* the index's max-age of 15 s, and clocks that differ */
#define TIMEOUT_MS 15000

char **
sv_store_public_urls (const SvConfig *config)
{
  g_auto (GStrv) urls = sv_config_get_list (config, "R2_PUBLIC_URL");
  return urls[0] != NULL ? g_steal_pointer (&urls) : sv_config_get_list (config, "R2_BUCKET_PUBLIC_URL");
}

/* ── the index ── */

static void G_GNUC_PRINTF (2, 3) note_outside (SvStoreCheck *check, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_ptr_array_add (check->seen_outside, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

/* An index that is older than it may be. */
static void
judge_older (SvStoreCheck *check, const char *url, const char *at, guint64 sequence)
{
  gint64 updated_at;
  gboolean is_fresh = sv_time_parse (check->index->updated_at, &updated_at) && sv_clock_ms () - updated_at < PUBLIC_LAG_MS;
  if (is_fresh)
  {
    note_outside (check, "%s still shows the index of sequence %" G_GUINT64_FORMAT "; caches may for some seconds", url,
                  sequence);
    return;
  }
  g_autofree char *what =
      g_strdup_printf ("shows the index of sequence %" G_GUINT64_FORMAT "; the store has had %" G_GUINT64_FORMAT " since %s",
                       sequence, check->index->sequence, check->index->updated_at);
  sv_store_add_fault (check, SV_STORE_PUBLIC, at, what,
                      "let caches keep scorevision/index.json for 15 seconds only and purge it now, or bring that mirror up to "
                      "date with `sv store mirror`");
}

/* A newer one may have been published since the store was read. */
static gboolean
is_newer (SvStoreCheck *check, const SvIndex *seen)
{
  g_autoptr (GError) ignored = NULL;
  if (seen->sequence <= check->index->sequence)
    return FALSE;
  g_autoptr (SvIndex) now = sv_fetch_index (check->reader, SV_FETCH_BYPASS_CACHES, &ignored);
  return now == NULL || seen->sequence > now->sequence;
}

static void
compare_index (SvStoreCheck *check, const char *url, const char *at, GBytes *bytes)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvIndex) seen = sv_index_open (bytes, &check->index->chain, sv_reader_trusts, check->reader, &failure);
  if (seen == NULL)
    sv_store_add_fault (check, SV_STORE_PUBLIC, at, failure->message,
                        "see that R2_PUBLIC_URL leads to the operator's own store, and purge its caches");
  else if (g_bytes_equal (bytes, check->index->document->bytes))
    note_outside (check, "%s shows the same index, of sequence %" G_GUINT64_FORMAT, url, seen->sequence);
  else if (seen->sequence < check->index->sequence)
    judge_older (check, url, at, seen->sequence);
  else if (seen->sequence > check->index->sequence && !is_newer (check, seen))
    note_outside (check, "%s shows an index that was published during this check", url);
  else
  {
    g_autofree char *what =
        g_strdup_printf ("shows another index, of sequence %" G_GUINT64_FORMAT "; the store has that of %" G_GUINT64_FORMAT,
                         seen->sequence, check->index->sequence);
    sv_store_add_fault (
        check, SV_STORE_PUBLIC, at, what,
        "see that SCOREVISION_STORE is the store behind R2_PUBLIC_URL, and that nobody publishes to two stores");
  }
}

static void
check_public_index (SvStoreCheck *check, SvObjectStore *public, const char *url)
{
  SvGetOptions options = { .max_size = SV_INDEX_MAX_SIZE };
  g_autoptr (GError) failure = NULL;
  g_autofree char *at = g_strconcat (url, "/", SV_INDEX_KEY, NULL);
  g_autoptr (SvObject) object = sv_object_store_get (public, SV_INDEX_KEY, &options, NULL, &failure);
  if (object != NULL)
  {
    compare_index (check, url, at, object->bytes);
    return;
  }
  gboolean is_unreachable = g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE);
  SvStoreFault *fault =
      sv_store_add_fault (check, SV_STORE_PUBLIC, at, failure->message,
                          is_unreachable ? "see that the server answers, and that R2_PUBLIC_URL is its address"
                                         : "make what lies below scorevision/ public, and see that R2_PUBLIC_URL leads there");
  fault->is_unreachable = is_unreachable;
}

/* ── clips ── */

static gboolean
is_refused (const SvHttpResponse *response)
{
  return response->status == 401 || response->status == 403 || response->status == 404 || response->status == 410;
}

/* A page that says no with status 200 has another size than the clip. */
static gboolean
is_the_clip (const SvHttpResponse *response, guint64 clip_size)
{
  const char *length = sv_http_response_header (response, "content-length");
  guint64 size;
  return length == NULL || !g_ascii_string_to_unsigned (length, 10, 0, G_MAXINT64, &size, NULL) || size == clip_size;
}

static void
check_clip_is_private (SvStoreCheck *check, const char *url)
{
  if (check->clip_key == NULL)
    return;
  g_autofree char *at = g_strconcat (url, "/", check->clip_key, NULL);
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  SvHttpRequest request = { .method = "HEAD", .url = at, .limits = SV_HTTP_LIMITS_DEFAULT };
  request.limits.total_timeout_ms = TIMEOUT_MS;
  request.limits.max_redirects = 3;
  g_autoptr (SvHttpResponse) response = sv_http_perform (client, &request, &failure);
  if (response == NULL)
    note_outside (check, "whether clips are private at %s cannot be told: %s", url, sv_message_without (failure->message, at));
  else if (response->status != 200 && !is_refused (response))
    note_outside (check, "whether clips are private at %s cannot be told: it answers with HTTP %u", url, response->status);
  else if (response->status == 200 && is_the_clip (response, check->clip_size))
    sv_store_add_fault (check, SV_STORE_PUBLIC, at, "a challenge clip can be read by everybody",
                        "make only scorevision/ public: a bucket policy that allows reading scorevision/* alone, or a bucket "
                        "or rule of the CDN that refuses private/*; then draw new clips, since these may be known");
}

void
sv_store_check_public (SvStoreCheck *check)
{
  g_auto (GStrv) urls = sv_store_public_urls (check->config);
  for (char **url = urls; *url != NULL; url++)
  {
    g_autoptr (GError) failure = NULL;
    g_autoptr (SvObjectStore) public = sv_object_store_open (*url, check->config, &failure);
    if (public == NULL)
    {
      sv_store_add_fault (check, SV_STORE_PUBLIC, *url, failure->message, "correct R2_PUBLIC_URL");
      continue;
    }
    if (check->index != NULL)
      check_public_index (check, public, sv_object_store_url (public));
    if (g_str_has_prefix (sv_object_store_url (public), "http"))
      check_clip_is_private (check, sv_object_store_url (public));
  }
}
