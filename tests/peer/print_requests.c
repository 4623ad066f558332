/* For requests.test.mjs: reads requests from standard input, each as hex on a line, and prints how the server reads each as
 * JSON on its line: {"method", "target", "headers", "length", "body"}, {"status", "fault"}, or {} for one that is not complete.
 */
#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/request_head.h"
#include "base/hash.h"

/* As hex, because what is sent is no text. */
static json_t *
span_hex (const guint8 *bytes, SvSpan span)
{
  g_autofree char *hex = sv_hex_encode (bytes + span.at, span.length);
  return json_string (hex);
}

static json_t *
describe (const guint8 *bytes, const SvRequestHead *head)
{
  json_t *headers = json_array ();
  for (guint i = 0; i < head->n_fields; i++)
  {
    json_array_append_new (headers, span_hex (bytes, head->fields[i].name));
    json_array_append_new (headers, span_hex (bytes, head->fields[i].value));
  }
  return json_pack ("{s:o, s:o, s:o, s:i, s:I, s:b}", "method", span_hex (bytes, head->method), "target",
                    span_hex (bytes, head->target), "headers", headers, "length", (int)head->length, "body",
                    (json_int_t)head->body_bytes, "keep_alive", head->is_keep_alive);
}

static void
print_request (const char *line)
{
  SvRequestHead head;
  gsize length = strlen (line) / 2;
  g_autofree guint8 *bytes = g_malloc (length + 1);
  g_assert_true (length == 0 || sv_hex_decode (line, TRUE, bytes, length));
  g_autofree char *exact = g_memdup2 (bytes, length); /* so that a byte too far is seen by the sanitizers */
  SvHeadVerdict verdict = sv_request_head_parse (exact, length, &head);
  json_t *json = verdict == SV_HEAD_COMPLETE  ? describe (bytes, &head)
                 : verdict == SV_HEAD_REFUSED ? json_pack ("{s:i, s:s}", "status", (int)head.status, "fault", head.fault)
                                              : json_object ();
  g_autofree char *text = json_dumps (json, JSON_COMPACT);
  puts (text);
  json_decref (json);
}

int
main (void)
{
  char *line = NULL;
  size_t size = 0;
  ssize_t length;

  while ((length = getline (&line, &size, stdin)) > 0)
  {
    line[strcspn (line, "\n")] = '\0';
    print_request (line);
  }
  free (line);
  return ferror (stdin) || fflush (stdout) != 0;
}
