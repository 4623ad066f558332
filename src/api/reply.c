/* Answers. JSON bodies are canonical, so that equal answers are equal bytes. */
#include "api/reply.h"

#include <string.h>
#include <unistd.h>

void
sv_reply_free (SvReply *reply)
{
  if (reply == NULL)
    return;
  for (guint i = 0; i < reply->n_headers; i++)
    if (reply->headers[i].is_owned)
      g_free ((char *)reply->headers[i].value);
  if (reply->shared != NULL)
    g_bytes_unref (reply->shared);
  else if (!reply->is_lent)
    g_free (reply->body);
  if (reply->fd >= 0)
    close (reply->fd);
  g_free (reply);
}

SvReply *
sv_reply_empty (guint status, const char *label)
{
  SvReply *reply = g_new0 (SvReply, 1);
  reply->status = status;
  reply->label = label;
  reply->fd = -1;
  sv_reply_set_static (reply, "Cache-Control", "no-store");
  return reply;
}

SvReply *
sv_reply_text (guint status, const char *label, const char *content_type, const char *text)
{
  SvReply *reply = sv_reply_empty (status, label);
  reply->body = g_strdup (text);
  reply->length = strlen (text);
  sv_reply_set_static (reply, "Content-Type", content_type);
  return reply;
}

SvReply *
sv_reply_take_json (guint status, const char *label, char *body, gsize length)
{
  SvReply *reply = sv_reply_empty (status, label);
  reply->body = body;
  reply->length = length;
  sv_reply_set_static (reply, "Content-Type", "application/json");
  return reply;
}

SvReply *
sv_reply_share_json (guint status, const char *label, GBytes *body)
{
  gsize length;
  char *text = (char *)g_bytes_get_data (body, &length);
  SvReply *reply = sv_reply_take_json (status, label, text, length);
  reply->shared = g_bytes_ref (body);
  return reply;
}

SvReply *
sv_reply_lend_json (guint status, const char *label, const char *body, gsize length)
{
  SvReply *reply = sv_reply_take_json (status, label, (char *)body, length);
  reply->is_lent = TRUE;
  return reply;
}

SvReply *
sv_reply_json (guint status, const char *label, json_t *json)
{
  char *body = sv_json_canonical_string (json);
  json_decref (json);
  return sv_reply_take_json (status, label, body, strlen (body));
}

static json_t *
make_error_body (const char *error, char *message)
{
  json_t *body = json_object ();
  g_autofree char *valid = g_utf8_make_valid (message, -1); /* it may quote what was sent */
  json_object_set_new (body, "error", json_string (error));
  json_object_set_new (body, "message", json_string (valid));
  g_free (message);
  return body;
}

json_t *
sv_error_body (const char *error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  json_t *body = make_error_body (error, g_strdup_vprintf (format, args));
  va_end (args);
  return body;
}

SvReply *
sv_reply_error (guint status, const char *error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  json_t *body = make_error_body (error, g_strdup_vprintf (format, args));
  va_end (args);
  return sv_reply_json (status, error, body);
}

static SvReplyHeader *
find_header (SvReply *reply, const char *name)
{
  guint i = 0;
  while (i < reply->n_headers && g_ascii_strcasecmp (reply->headers[i].name, name) != 0)
    i++;
  g_assert (i < SV_REPLY_HEADERS_MAX);
  reply->n_headers = MAX (reply->n_headers, i + 1);
  SvReplyHeader *header = &reply->headers[i];
  if (header->is_owned)
    g_free ((char *)header->value);
  *header = (SvReplyHeader){ .name = name };
  return header;
}

void
sv_reply_set (SvReply *reply, const char *name, const char *value)
{
  char *copy = g_strdelimit (g_strdup (value), "\r\n", ' '); /* nobody's value begins a header of its own */
  SvReplyHeader *header = find_header (reply, name);
  header->value = copy;
  header->is_owned = TRUE;
}

void
sv_reply_set_static (SvReply *reply, const char *name, const char *value)
{
  find_header (reply, name)->value = value;
}

void
sv_reply_set_retry_after (SvReply *reply, guint seconds)
{
  g_autofree char *text = g_strdup_printf ("%u", seconds);
  sv_reply_set (reply, "Retry-After", text);
}
