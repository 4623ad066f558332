/* Absolute http and https URLs, taken apart once. */
#pragma once

#include <glib.h>

typedef struct
{
  char *text;      /* what is sent: normalised, without fragment */
  char *origin;    /* "https://example.org": lower case, default port dropped */
  char *authority; /* "example.org:443": lower case, always with the port */
  char *shown;     /* for messages: origin and path, without the query, printable and bounded */
  gboolean is_https;
  gboolean is_loopback; /* the host is "localhost" or a literal loopback address */
} SvUrl;

/* SV_ERROR_USAGE for what is not an absolute http or https URL, or has user information in it: the message does not repeat it,
 * because a password may be in it. */
gboolean sv_url_parse (const char *text, SvUrl *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for @reference, which may be relative, as found in an answer of @base. */
gboolean sv_url_resolve (const SvUrl *base, const char *reference, SvUrl *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void sv_url_clear (SvUrl *url);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvUrl, sv_url_clear)
