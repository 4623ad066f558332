/* For s3_signature.test.mjs: reads requests from standard input, one JSON object a line, and prints for each the target that is
 * sent and, for the header form, the Authorization header, with a tab between them. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/s3_signature.h"

static const char *
text (const json_t *object, const char *name)
{
  return json_string_value (json_object_get (object, name));
}

/* [["name", "value"], …]; what it returns points into @list. */
static SvS3Pair *
read_pairs (const json_t *list, gsize *n_pairs)
{
  *n_pairs = json_array_size (list);
  SvS3Pair *pairs = g_new0 (SvS3Pair, *n_pairs + 1);
  for (gsize i = 0; i < *n_pairs; i++)
  {
    const json_t *pair = json_array_get (list, i);
    pairs[i] = (SvS3Pair){ json_string_value (json_array_get (pair, 0)), json_string_value (json_array_get (pair, 1)) };
  }
  return pairs;
}

static void
print_signed (const json_t *request)
{
  SvS3Message message = { .method = text (request, "method"),
                          .host = text (request, "host"),
                          .path = text (request, "path"),
                          .payload_hash = text (request, "payload_hash"),
                          .time_ms = json_integer_value (json_object_get (request, "time_ms")) };
  g_autofree SvS3Pair *query = read_pairs (json_object_get (request, "query"), &message.n_query);
  g_autofree SvS3Pair *headers = read_pairs (json_object_get (request, "headers"), &message.n_headers);
  guint seconds = (guint)json_integer_value (json_object_get (request, "seconds"));
  message.query = query;
  message.headers = headers;
  g_autoptr (SvS3Signer) signer = sv_s3_signer_new (text (request, "id"), text (request, "secret"), text (request, "region"));
  g_autofree char *target = seconds > 0 ? sv_s3_presigned_target (signer, &message, seconds) : sv_s3_target (&message);
  g_autofree char *authorization = seconds > 0 ? g_strdup ("") : sv_s3_authorization (signer, &message);
  printf ("%s\t%s\n", target, authorization);
}

int
main (void)
{
  char *line = NULL;
  size_t size = 0;

  while (getline (&line, &size, stdin) > 0)
  {
    json_t *request = json_loads (line, 0, NULL);
    if (request == NULL)
      return 2;
    print_signed (request);
    json_decref (request);
  }
  free (line);
  return ferror (stdin) || fflush (stdout) != 0;
}
