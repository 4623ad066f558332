/* TLS is libcurl's and OpenSSL's. libcurl alone looks at no environment variable for certificates, its program does: whoever
 * has a proxy with a certificate of his own authority knows those, and Debian's folder of certificates counts beside that file.
 */
#include "base/http_tls.h"

#include <glib.h>
#include <string.h>

#include "base/curl_library.h"

void
sv_http_tls_set_authorities (CURL *curl)
{
  static const char *const variables[] = { "CURL_CA_BUNDLE", "SSL_CERT_FILE" };
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
  {
    const char *file = g_getenv (variables[i]);
    if (file == NULL || *file == '\0')
      continue;
    sv_curl ()->easy_setopt (curl, CURLOPT_CAINFO, file);
    return;
  }
}

const char *
sv_http_tls_explain (CURLcode code, const char *message)
{
  if (code == CURLE_SSL_CACERT_BADFILE)
    return "the file that CURL_CA_BUNDLE or SSL_CERT_FILE names cannot be read, or has no certificates in PEM form";
  if (code == CURLE_PEER_FAILED_VERIFICATION &&
      (strstr (message, "self-signed") != NULL || strstr (message, "local issuer") != NULL))
    return "its certificate is self-signed, or by an authority that is not known here; if that is yours, name the file with "
           "the "
           "authority's certificate in the environment variable SSL_CERT_FILE";
  if (code != CURLE_SSL_CONNECT_ERROR)
    return NULL;
  if (strstr (message, "wrong version number") != NULL || strstr (message, "unexpected TLS packet") != NULL)
    return "no TLS is spoken at this port; if the server is meant, its address begins with http://, or has another port";
  if (strstr (message, "SSL_ERROR_SYSCALL") != NULL)
    return "the connection ended before there was TLS: it was cut, or no TLS is spoken at this port, whose address then begins "
           "with http://";
  return NULL;
}
