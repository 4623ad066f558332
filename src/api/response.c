/* Writing answers. All that an answer has in memory goes into one buffer, so that it leaves by one system call. */
#include "api/response.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/identifiers.h"
#include "base/string_append.h"

static const char *
status_text (guint status)
{
  static const struct
  {
    guint status;
    const char *text;
  } texts[] = {
    { 200, "OK" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 304, "Not Modified" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 422, "Unprocessable Content" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 505, "HTTP Version Not Supported" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (texts[i].status == status)
      return texts[i].text;
  return "Status";
}

static void
append_number (GString *out, guint64 number)
{
  char digits[SV_INTEGER_TEXT_SIZE];
  gsize length = sv_integer_write (number, digits);
  sv_string_append (out, digits, length);
}

static void
append_header (GString *out, const char *name, const char *value)
{
  sv_string_append (out, name, strlen (name));
  sv_string_append_literal (out, ": ");
  sv_string_append (out, value, strlen (value));
  sv_string_append_literal (out, "\r\n");
}

/* The names are the protocol's, whatever the locale. */
static void
append_date (GString *out, gint64 now_s)
{
  static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
  static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
  static _Thread_local gint64 written_s = -1;
  static _Thread_local char line[48];
  if (written_s != now_s)
  {
    struct tm tm;
    time_t time = (time_t)now_s;
    gmtime_r (&time, &tm);
    g_snprintf (line, sizeof line, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday], tm.tm_mday,
                months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    written_s = now_s;
  }
  sv_string_append (out, line, strlen (line));
}

static gboolean
has_length (guint status)
{
  return status != 204 && status != 304;
}

void
sv_response_write (GString *out, const SvReply *reply, const SvResponseContext *context)
{
  sv_string_append_literal (out, "HTTP/1.1 ");
  append_number (out, reply->status);
  sv_string_append_literal (out, " ");
  const char *reason = status_text (reply->status);
  sv_string_append (out, reason, strlen (reason));
  sv_string_append_literal (out, "\r\n");
  append_date (out, context->now_s);
  for (guint i = 0; i < reply->n_headers; i++)
    append_header (out, reply->headers[i].name, reply->headers[i].value);
  if (context->request_id != NULL)
    append_header (out, "X-Request-Id", context->request_id);
  sv_string_append_literal (out, "X-Content-Type-Options: nosniff\r\n");
  if (context->is_last)
    sv_string_append_literal (out, "Connection: close\r\n");
  else if (context->is_old)
    sv_string_append_literal (out, "Connection: keep-alive\r\n");
  if (has_length (reply->status))
  {
    sv_string_append_literal (out, "Content-Length: ");
    append_number (out, reply->body != NULL ? reply->length : reply->size);
    sv_string_append_literal (out, "\r\n");
  }
  sv_string_append_literal (out, "\r\n");
  if (reply->body != NULL && !context->is_head && !context->is_apart && has_length (reply->status))
    sv_string_append (out, reply->body, reply->length);
}
