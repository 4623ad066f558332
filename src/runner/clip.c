#include "runner/clip.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"

#define CLIP_TIMEOUT_MS (10 * 60 * 1000)
#define MAX_REDIRECTS 3

static void
add_origin (GPtrArray *origins, const char *url)
{
  char *origin = url != NULL ? sv_url_origin (url, NULL) : NULL;
  if (origin != NULL)
    g_ptr_array_add (origins, origin);
}

static void
add_origins_of (GPtrArray *origins, const SvConfig *config, const char *setting)
{
  g_auto (GStrv) urls = sv_config_get_list (config, setting);
  for (gsize i = 0; urls[i] != NULL; i++)
    add_origin (origins, urls[i]);
}

char **
sv_own_origins (const SvConfig *config)
{
  GPtrArray *origins = g_ptr_array_new ();
  add_origins_of (origins, config, "SCOREVISION_API");
  add_origins_of (origins, config, "R2_PUBLIC_URL");
  add_origins_of (origins, config, "S3_ENDPOINT");
  add_origins_of (origins, config, "CHUTES_API_URL");
  /* A slug in the host name is the miner's choice, so such a host is not ours. */
  const char *template = sv_config_get (config, "CHUTES_MINER_BASE_URL_TEMPLATE");
  const char *path = template != NULL && strstr (template, "://") != NULL ? strchr (strstr (template, "://") + 3, '/') : NULL;
  g_autofree char *host = path != NULL ? g_strndup (template, (gsize)(path - template)) : g_strdup (template);
  if (host != NULL && strchr (host, '{') == NULL)
    add_origin (origins, host);
  g_ptr_array_add (origins, NULL);
  return (char **)g_ptr_array_free (origins, FALSE);
}

void
sv_fetched_clip_free (SvFetchedClip *clip)
{
  if (clip == NULL)
    return;
  if (clip->fd >= 0)
    close (clip->fd);
  g_free (clip->path);
  g_free (clip->hash);
  g_free (clip);
}

static gboolean
download (SvHttpClient *http, const char *const *own_origins, const char *url, guint64 max_bytes, int fd, GError **error)
{
  SvHttpRequest request = { .url = url,
                            .sink_fd = fd,
                            .limits = { .max_bytes = max_bytes,
                                        .total_timeout_ms = CLIP_TIMEOUT_MS,
                                        .connect_timeout_ms = 10000,
                                        .stall_timeout_ms = 15000,
                                        .max_redirects = MAX_REDIRECTS,
                                        .policy = SV_HTTP_PUBLIC_ADDRESS,
                                        .own_origins = own_origins } };
  g_autoptr (SvHttpResponse) response = sv_http_perform (http, &request, error);
  if (response == NULL)
    return FALSE;
  if (response->status == 200)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "the clip's address answered with status %u", response->status);
  return FALSE;
}

SvFetchedClip *
sv_fetch_clip (SvHttpClient *http, const char *const *own_origins, const char *url, const char *hash, guint64 max_bytes,
               GError **error)
{
  g_autoptr (SvFetchedClip) clip = g_new0 (SvFetchedClip, 1);
  g_autoptr (GError) local = NULL;
  g_autofree char *name = NULL;
  clip->fd = g_file_open_tmp ("sv-clip-XXXXXX", &name, &local);
  if (clip->fd < 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "no room for the clip: %s", local->message);
    return NULL;
  }
  unlink (name);
  fcntl (clip->fd, F_SETFD, FD_CLOEXEC); /* it is held while the evaluator runs */
  clip->path = g_strdup_printf ("/proc/self/fd/%d", clip->fd);
  guint64 limit = max_bytes > 0 ? MIN (max_bytes, SV_CLIP_MAX_BYTES) : SV_CLIP_MAX_BYTES;
  gboolean fetched = download (http, own_origins, url, limit, clip->fd, error);
  clip->bytes = (guint64)MAX (lseek (clip->fd, 0, SEEK_END), 0);
  clip->hash = fetched ? sv_hash_file (clip->path, error) : NULL;
  if (clip->hash == NULL)
    return NULL;
  if (hash == NULL || strcmp (hash, clip->hash) == 0)
    return g_steal_pointer (&clip);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "the clip hashes to %s, not to %s that was drawn; it was not used", clip->hash,
               hash);
  return NULL;
}
