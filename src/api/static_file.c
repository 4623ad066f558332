/* Static files. The ETag is made of inode, time of change and size: objects of a store are replaced by rename and never
 * changed in place, so another content has another inode or another time. */
#include "api/static_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/identifiers.h"

static char *
make_etag (const struct stat *status)
{
  guint64 changed_ns = (guint64)status->st_mtim.tv_sec * 1000000000 + (guint64)status->st_mtim.tv_nsec;
  return g_strdup_printf ("\"%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x\"",
                          (guint64)status->st_ino, changed_ns, (guint64)status->st_size);
}

/* If-None-Match compares weakly: "W/" does not count. */
static gboolean
list_has_etag (const char *list, const char *etag)
{
  g_auto (GStrv) items = g_strsplit (list, ",", -1);
  for (char **item = items; *item != NULL; item++)
  {
    const char *text = g_strstrip (*item);
    if (strcmp (text, "*") == 0 || strcmp (g_str_has_prefix (text, "W/") ? text + 2 : text, etag) == 0)
      return TRUE;
  }
  return FALSE;
}

gboolean
sv_range_parse (const char *text, guint64 size, gboolean *satisfiable, guint64 *first, guint64 *last)
{
  guint64 from = 0, to = 0;
  if (!g_str_has_prefix (text, "bytes=") || strchr (text, ',') != NULL)
    return FALSE;
  g_auto (GStrv) ends = g_strsplit (text + strlen ("bytes="), "-", 3);
  if (g_strv_length (ends) != 2 || (*ends[0] == '\0' && *ends[1] == '\0'))
    return FALSE;
  if ((*ends[0] != '\0' && !sv_integer_parse (ends[0], &from)) || (*ends[1] != '\0' && !sv_integer_parse (ends[1], &to)))
    return FALSE;
  if (*ends[0] != '\0' && *ends[1] != '\0' && to < from)
    return FALSE;
  if (*ends[0] == '\0') /* the last so many bytes */
  {
    *satisfiable = to > 0 && size > 0;
    *first = size - MIN (to, size);
    *last = size - 1;
    return TRUE;
  }
  *satisfiable = from < size;
  *first = from;
  *last = *ends[1] == '\0' ? size - 1 : MIN (to, size - 1);
  return TRUE;
}

static const char *
sniff_type (int fd)
{
  guint8 head[12] = { 0 };
  if (pread (fd, head, sizeof head, 0) < (gssize)sizeof head)
    return "application/octet-stream";
  if (memcmp (head + 4, "ftyp", 4) == 0)
    return "video/mp4";
  if (memcmp (head, "\x1a\x45\xdf\xa3", 4) == 0)
    return "video/x-matroska";
  return "application/octet-stream";
}

static SvReply *
reply_range (const SvFileRequest *request, const char *etag, guint64 size)
{
  gboolean satisfiable = FALSE;
  guint64 first = 0, last = 0;
  gboolean applies = request->range != NULL && (request->if_range == NULL || strcmp (request->if_range, etag) == 0);
  if (!applies || !sv_range_parse (request->range, size, &satisfiable, &first, &last))
  {
    SvReply *whole = sv_reply_empty (200, "sent");
    whole->size = size;
    return whole;
  }
  SvReply *reply = satisfiable ? sv_reply_empty (206, "sent_range") : sv_reply_empty (416, "range_not_satisfiable");
  g_autofree char *content_range =
      satisfiable ? g_strdup_printf ("bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, first, last, size)
                  : g_strdup_printf ("bytes */%" G_GUINT64_FORMAT, size);
  sv_reply_set (reply, "Content-Range", content_range);
  reply->offset = satisfiable ? first : 0;
  reply->size = satisfiable ? last - first + 1 : 0;
  return reply;
}

SvReply *
sv_static_file_reply (const char *path, const SvFileRequest *request)
{
  struct stat status;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0 || fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
  {
    if (fd >= 0)
      close (fd);
    return NULL;
  }
  g_autofree char *etag = make_etag (&status);
  const char *type = request->content_type != NULL ? request->content_type : sniff_type (fd);
  gboolean is_unchanged = request->if_none_match != NULL && list_has_etag (request->if_none_match, etag);
  SvReply *reply = is_unchanged ? sv_reply_empty (304, "not_modified") : reply_range (request, etag, (guint64)status.st_size);
  if (reply->size > 0)
    reply->fd = fd;
  else
    close (fd);
  sv_reply_set (reply, "ETag", etag);
  sv_reply_set (reply, "Cache-Control", request->cache_control);
  sv_reply_set (reply, "Accept-Ranges", "bytes");
  if (reply->status == 200 || reply->status == 206)
    sv_reply_set (reply, "Content-Type", type);
  return reply;
}
