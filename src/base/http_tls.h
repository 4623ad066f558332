/* Whose certificates are believed, and what to do where one is not. For the files of the HTTP client only. */
#pragma once

#include <curl/curl.h>

/* The file with certificates that CURL_CA_BUNDLE or SSL_CERT_FILE names, as for curl's program. The system's stay trusted. */
void sv_http_tls_set_authorities (CURL *curl);

/* Returns: (transfer none) (nullable) what a person can do about a transfer that ended with @code and libcurl's @message; NULL
 * where libcurl's own words are the best ones. */
const char *sv_http_tls_explain (CURLcode code, const char *message);
