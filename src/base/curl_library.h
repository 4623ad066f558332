/* libcurl's functions, loaded when the first of them is needed: `sv_curl ()->easy_perform (handle)`. For the files of the HTTP
 * client only. */
#pragma once

#include <curl/curl.h>

#define SV_CURL_FUNCTIONS(f)                                                                                                   \
  f (global_init) f (version_info) f (free) f (slist_append) f (slist_free_all) f (easy_init) f (easy_cleanup) f (easy_reset)  \
      f (easy_setopt) f (easy_getinfo) f (easy_perform) f (easy_strerror) f (url) f (url_cleanup) f (url_set) f (url_get)      \
          f (url_strerror)

typedef struct
{
#define SV_CURL_MEMBER(name) typeof (&curl_##name) name;
  SV_CURL_FUNCTIONS (SV_CURL_MEMBER)
#undef SV_CURL_MEMBER
} SvCurl;

/* (transfer none) any thread; never NULL. */
const SvCurl *sv_curl (void);
