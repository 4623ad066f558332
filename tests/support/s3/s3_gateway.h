/* A real S3 server in processes of its own that end with this one (tests/support/s3/gateway), and buckets on it. */
#pragma once

#include "base/config.h"

typedef struct S3Gateway S3Gateway;

/* NULL where there can be none here; *@reason (transfer full) then says why. @folder is the server's. */
S3Gateway *s3_gateway_start (const char *folder, char **reason);
void s3_gateway_stop (S3Gateway *gateway);

/* (transfer none) "http://127.0.0.1:PORT". */
const char *s3_gateway_endpoint (const S3Gateway *gateway);

/* Sets endpoint and access key. */
void s3_gateway_configure (const S3Gateway *gateway, SvConfig *config);

/* Makes a bucket on the server that @config names, in which scorevision/… is readable for everybody, and nothing else. */
gboolean s3_bucket_make (const SvConfig *config, const char *bucket, GError **error) G_GNUC_WARN_UNUSED_RESULT;
