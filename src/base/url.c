/* URLs are parsed by libcurl and nobody else, and libcurl is later given what it made of them, so that the host that we judge
 * and the host that it connects to cannot differ. */
#include "base/url.h"

#include <string.h>

#include "base/curl_library.h"
#include "base/error.h"
#include "base/http_address.h"
#include "base/http_client.h"

#define MAX_SHOWN 256

static void
handle_free (CURLU *handle)
{
  sv_curl ()->url_cleanup (handle);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CURLU, handle_free)

void
sv_url_clear (SvUrl *url)
{
  g_free (url->text);
  g_free (url->origin);
  g_free (url->authority);
  g_free (url->shown);
  memset (url, 0, sizeof *url);
}

/* Returns: (transfer full) NULL when the URL has no such part. */
static char *
get_part (CURLU *handle, CURLUPart part, guint flags)
{
  char *value = NULL;
  if (sv_curl ()->url_get (handle, part, &value, flags) != CURLUE_OK)
    return NULL;
  char *copy = g_strdup (value);
  sv_curl ()->free (value);
  return copy;
}

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "not an absolute http or https URL: %s", why);
  return FALSE;
}

static gboolean
check_no_user (CURLU *handle, GError **error)
{
  g_autofree char *user = get_part (handle, CURLUPART_USER, 0);
  g_autofree char *password = get_part (handle, CURLUPART_PASSWORD, 0);
  return user == NULL && password == NULL ? TRUE : refuse (error, "user name and password do not belong in it");
}

static gboolean
check_host (const char *host, GError **error)
{
  if (host == NULL || *host == '\0')
    return refuse (error, "it has no host");
  for (const char *p = host; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("-._:[]%~", *p) == NULL)
      return refuse (error, "its host is not a name or address (write other alphabets as xn--…)");
  return TRUE;
}

static gboolean
is_loopback_host (const char *host)
{
  g_autofree char *address = g_str_has_prefix (host, "[") ? g_strndup (host + 1, strcspn (host + 1, "]")) : g_strdup (host);
  SvAddressKind kind;
  return strcmp (host, "localhost") == 0 || (sv_address_kind_of_text (address, &kind) && kind == SV_ADDRESS_LOOPBACK);
}

static char *
describe (const char *origin, const char *path)
{
  g_autofree char *whole = g_strconcat (origin, path, NULL);
  if (strlen (whole) > MAX_SHOWN)
    memcpy (whole + MAX_SHOWN - 3, "...", 4);
  for (char *p = whole; *p != '\0'; p++)
    if (!g_ascii_isgraph (*p))
      *p = '?';
  return g_steal_pointer (&whole);
}

static gboolean
take_apart (CURLU *handle, SvUrl *url, GError **error)
{
  g_autofree char *scheme = get_part (handle, CURLUPART_SCHEME, 0);
  if (scheme == NULL || (g_ascii_strcasecmp (scheme, "http") != 0 && g_ascii_strcasecmp (scheme, "https") != 0))
    return refuse (error, "its scheme is another");
  g_autofree char *raw_host = get_part (handle, CURLUPART_HOST, 0);
  if (!check_no_user (handle, error) || !check_host (raw_host, error))
    return FALSE;
  sv_curl ()->url_set (handle, CURLUPART_FRAGMENT, NULL, 0);

  g_autofree char *host = g_ascii_strdown (raw_host, -1);
  g_autofree char *port = get_part (handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  g_autofree char *path = get_part (handle, CURLUPART_PATH, 0);
  url->is_https = g_ascii_strcasecmp (scheme, "https") == 0;
  url->is_loopback = is_loopback_host (host);
  const char *name = url->is_https ? "https" : "http";
  gboolean is_default = strcmp (port, url->is_https ? "443" : "80") == 0;
  url->text = get_part (handle, CURLUPART_URL, 0);
  url->authority = g_strconcat (host, ":", port, NULL);
  url->origin = is_default ? g_strconcat (name, "://", host, NULL) : g_strconcat (name, "://", url->authority, NULL);
  url->shown = describe (url->origin, path);
  return TRUE;
}

static gboolean
parse (const char *base, const char *text, SvUrl *url, GError **error)
{
  g_autoptr (CURLU) handle = sv_curl ()->url ();
  memset (url, 0, sizeof *url);
  if (handle == NULL || (base != NULL && sv_curl ()->url_set (handle, CURLUPART_URL, base, 0) != CURLUE_OK))
    return refuse (error, "it cannot be read");
  CURLUcode code = sv_curl ()->url_set (handle, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK)
    return refuse (error, sv_curl ()->url_strerror (code));
  return take_apart (handle, url, error);
}

gboolean
sv_url_parse (const char *text, SvUrl *url, GError **error)
{
  memset (url, 0, sizeof *url);
  if (text == NULL || strstr (text, "://") == NULL)
    return refuse (error, "it does not begin with https:// (or http://)");
  return parse (NULL, text, url, error);
}

gboolean
sv_url_resolve (const SvUrl *base, const char *reference, SvUrl *url, GError **error)
{
  return parse (base->text, reference, url, error);
}

char *
sv_url_origin (const char *text, GError **error)
{
  g_auto (SvUrl) url = { 0 };
  return sv_url_parse (text, &url, error) ? g_steal_pointer (&url.origin) : NULL;
}

char *
sv_url_escape (const char *text)
{
  GString *escaped = g_string_new (NULL);
  for (const guint8 *p = (const guint8 *)text; *p != '\0'; p++)
    if (g_ascii_isalnum (*p) || strchr ("-._~", *p) != NULL)
      g_string_append_c (escaped, (char)*p);
    else
      g_string_append_printf (escaped, "%%%02X", *p);
  return g_string_free (escaped, FALSE);
}
