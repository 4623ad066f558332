/* Bytes of a connection as they come: whatever they are, reading a head ends, within them; a complete one is not refused nor
 * taken for complete when a part of it is missing; and its target is either decoded or has a fault with a name. */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "api/http.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_span (SvSpan span, const SvRequestHead *head)
{
  g_assert_true (span.at <= head->length && span.length <= head->length - span.at);
}

static void
check_complete (const char *bytes, gsize size, const SvRequestHead *head)
{
  SvTarget target = { .parameters = sv_pairs_new_borrowing () };
  g_assert_true (head->length >= strlen ("A / HTTP/1.0\r\n\r\n") && head->length <= size &&
                 memcmp (bytes + head->length - 4, "\r\n\r\n", 4) == 0);
  g_assert_true (head->n_fields <= SV_FIELDS_MAX && head->minor <= 1 && head->method.length > 0);
  check_span (head->method, head);
  check_span (head->target, head);
  for (guint i = 0; i < head->n_fields; i++)
  {
    check_span (head->fields[i].name, head);
    check_span (head->fields[i].value, head);
    g_assert_null (memchr (bytes + head->fields[i].value.at, '\n', head->fields[i].value.length));
  }
  g_autofree char *text = g_memdup2 (bytes, head->length);
  const char *reason = sv_target_decode (&target, text + head->target.at, head->target.length);
  g_assert_true (reason != NULL || target.path[0] == '/');
  g_array_unref (target.parameters);
}

/* @choice tells where a complete head is cut. */
static void
check_part (const char *bytes, const SvRequestHead *head, guint8 choice)
{
  SvRequestHead part;
  gsize length = (gsize)head->length * choice / 256;
  g_autofree char *cut = g_memdup2 (bytes, length);
  g_assert_cmpint (sv_request_head_parse (cut, length, &part), ==, SV_HEAD_INCOMPLETE);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static SvRequestHead head;
  const char *bytes = (const char *)data;
  switch (sv_request_head_parse (bytes, size, &head))
  {
  case SV_HEAD_COMPLETE:
    check_complete (bytes, size, &head);
    for (guint i = 0; i < 4; i++)
      check_part (bytes, &head, (guint8)(data[size - 1 - i] * 31 + i * 67));
    break;
  case SV_HEAD_REFUSED:
    g_assert_true (head.status >= 400 && head.fault != NULL);
    break;
  case SV_HEAD_INCOMPLETE:
    g_assert_true (size <= SV_HEAD_MAX + 64);
    break;
  }
  return 0;
}
