/* A body stays in memory while it is as small as honest ones mostly are; a larger one goes on in a file without a name and is
 * mapped in the end. So what several servers send at once, each up to its limit, takes no memory before somebody reads it, and
 * whoever reads the answers one after the other has one of them in memory at a time. */
#include "base/http_body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define MAX_IN_MEMORY (256 * 1024)
#define TEMPORARY_NAME "sv-answer-XXXXXX"

void
sv_http_body_init (SvHttpBody *body)
{
  *body = (SvHttpBody){ .bytes = g_byte_array_new () };
}

void
sv_http_body_clear (SvHttpBody *body)
{
  g_clear_pointer (&body->bytes, g_byte_array_unref);
  if (body->is_in_file)
    close (body->file);
  body->is_in_file = FALSE;
}

static gboolean
fail (GError **error)
{
  int cause = errno;
  g_set_error (
      error, SV_ERROR, SV_ERROR_FAILED,
      "an answer of more than 256 KiB needs a temporary file, and there can be none in %s: %s; make room there, or set "
      "TMPDIR to another folder",
      g_get_tmp_dir (), g_strerror (cause));
  return FALSE;
}

/* Moves what there is into a new file. */
static gboolean
move_to_file (SvHttpBody *body, GError **error)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), TEMPORARY_NAME, NULL);
  body->file = mkostemp (path, O_CLOEXEC);
  if (body->file < 0)
    return fail (error);
  body->is_in_file = TRUE;
  if (unlink (path) != 0 || !sv_write_all (body->file, body->bytes->data, body->bytes->len))
    return fail (error);
  g_clear_pointer (&body->bytes, g_byte_array_unref);
  return TRUE;
}

gboolean
sv_http_body_append (SvHttpBody *body, const char *data, gsize length, GError **error)
{
  if (!body->is_in_file && body->bytes->len + length > MAX_IN_MEMORY && !move_to_file (body, error))
    return FALSE;
  if (body->is_in_file)
    return sv_write_all (body->file, data, length) ? TRUE : fail (error);
  g_byte_array_append (body->bytes, (const guint8 *)data, (guint)length);
  return TRUE;
}

GBytes *
sv_http_body_take (SvHttpBody *body, GError **error)
{
  if (!body->is_in_file)
  {
    GBytes *bytes = g_byte_array_free_to_bytes (body->bytes);
    body->bytes = g_byte_array_new ();
    return bytes;
  }
  g_autoptr (GError) local = NULL;
  g_autoptr (GMappedFile) mapped = g_mapped_file_new_from_fd (body->file, FALSE, &local);
  if (mapped != NULL)
    return g_mapped_file_get_bytes (mapped);
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "an answer in a temporary file cannot be read again: %s", local->message);
  return NULL;
}
