#include <string.h>

#include "s3_gateway.h"
#include "store/s3_request.h"

/* The public part is what docs/protocol.md section 3 calls public. */
#define POLICY                                                                                                                 \
  "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":[\"s3:GetObject\"],"        \
  "\"Resource\":[\"arn:aws:s3:::%s/scorevision/*\"]}]}"

static gboolean
put_bucket (SvS3Store *store, const SvS3Pair *query, const char *text, GError **error)
{
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));
  SvS3Request request = {
    .method = "PUT", .query = query, .n_query = query != NULL ? 1 : 0, .body = body, .max_bytes = 65536, .answers_in_xml = TRUE
  };
  g_auto (SvS3Answer) answer = { 0 };
  if (!sv_s3_perform (store, &request, &answer, error))
    return FALSE;
  if (!sv_s3_is_success (&answer))
    sv_s3_set_error (store, &request, &answer, error);
  return sv_s3_is_success (&answer);
}

gboolean
s3_bucket_make (const SvConfig *config, const char *bucket, GError **error)
{
  static const SvS3Pair policy = { "policy", "" };
  g_autofree char *url = g_strconcat ("s3://", bucket, NULL);
  g_autofree char *text = g_strdup_printf (POLICY, bucket);
  g_autoptr (SvObjectStore) store = sv_object_store_open (url, config, error);
  return store != NULL && put_bucket ((SvS3Store *)store, NULL, "", error) &&
         put_bucket ((SvS3Store *)store, &policy, text, error);
}
