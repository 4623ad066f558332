#include "s3_world.h"

#include <string.h>

#include "scratch.h"

#define BUCKET "/bucket/"

typedef struct
{
  char *content;
  char *etag;
  char *marker;
} Object;

static void
object_free (gpointer data)
{
  Object *object = data;
  g_free (object->content);
  g_free (object->etag);
  g_free (object->marker);
  g_free (object);
}

char *
s3_answer_text (guint status, const char *headers, const char *body)
{
  return g_strdup_printf ("HTTP/1.1 %u x\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen (body),
                          headers != NULL ? headers : "", body);
}

char *
s3_error_text (guint status, const char *code)
{
  g_autofree char *body = g_strdup_printf (
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>%s</Code><Message>A message &amp; more</Message></Error>", code);
  return s3_answer_text (status, "Content-Type: application/xml\r\n", body);
}

static void
send_text (const S3World *world, int fd, const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, world->keeps_connections ? "Connection: close\r\n" : "\n\n\n", 2);
  g_autofree char *whole = g_strjoinv ("", parts);
  tiny_send_text (fd, whole);
}

static void
send_answer (const S3World *world, int fd, char *answer)
{
  send_text (world, fd, answer);
  g_free (answer);
}

/* Returns: (transfer full) the value of a header, or NULL. */
static char *
header_of (const char *request, const char *name)
{
  g_autofree char *start = g_strdup_printf ("\r\n%s: ", name);
  const char *found = strstr (request, start);
  if (found == NULL)
    return NULL;
  found += strlen (start);
  return g_strndup (found, strcspn (found, "\r\n"));
}

static void
store_object (S3World *world, const char *path, const char *content, const char *marker)
{
  Object *object = g_new0 (Object, 1);
  object->content = g_strdup (content);
  object->etag = g_strdup_printf ("%032u", ++world->n_versions);
  object->marker = g_strdup (marker);
  g_hash_table_replace (world->objects, g_strdup (path), object);
}

static gboolean
is_condition_met (S3World *world, const char *request, const Object *present)
{
  g_autofree char *absent = header_of (request, "If-None-Match"), *match = header_of (request, "If-Match");
  if (absent != NULL && !world->ignores_absent && present != NULL)
    return FALSE;
  if (match == NULL || world->ignores_match)
    return TRUE;
  g_autofree char *quoted = present != NULL ? g_strdup_printf ("\"%s\"", present->etag) : NULL;
  return present != NULL && strcmp (match, world->wants_bare ? present->etag : quoted) == 0;
}

static gboolean
take_one (guint *count)
{
  gboolean has_one = *count > 0;
  *count -= has_one;
  return has_one;
}

static gboolean
is_due (guint *n_until)
{
  gboolean is_last = *n_until == 1;
  *n_until -= *n_until > 0;
  return is_last;
}

/* FALSE when nothing was answered. */
static gboolean
answer_put (S3World *world, int fd, const char *request, const char *path)
{
  const Object *present = g_hash_table_lookup (world->objects, path);
  gboolean is_conditional = strstr (request, "\r\nIf-") != NULL;
  if (take_one (&world->n_lost_requests))
  {
    if (world->intruder != NULL)
      store_object (world, path, world->intruder, NULL);
    return FALSE;
  }
  if (is_due (&world->n_puts_until_unknown) || (is_conditional && world->knows_no_conditions))
  {
    send_answer (world, fd, s3_error_text (501, "NotImplemented"));
    return TRUE;
  }
  if (!is_condition_met (world, request, present))
  {
    send_answer (world, fd, s3_error_text (412, "PreconditionFailed"));
    return TRUE;
  }
  g_autofree char *marker = header_of (request, SV_S3_MARKER);
  store_object (world, path, strstr (request, "\r\n\r\n") + 4, marker);
  if (take_one (&world->n_lost_answers))
    return FALSE;
  const Object *stored = g_hash_table_lookup (world->objects, path);
  g_autofree char *etag = g_strdup_printf ("ETag: \"%s\"\r\n", stored->etag);
  if (is_due (&world->n_puts_until_removed))
    g_hash_table_remove (world->objects, path);
  send_answer (world, fd, s3_answer_text (200, etag, ""));
  return TRUE;
}

static void
answer_get (S3World *world, int fd, const char *path, gboolean is_head)
{
  const Object *object = g_hash_table_lookup (world->objects, path);
  if (object == NULL && is_head)
    send_text (world, fd, "HTTP/1.1 404 x\r\nConnection: close\r\n\r\n");
  else if (object == NULL)
    send_answer (world, fd, s3_error_text (404, "NoSuchKey"));
  if (object == NULL)
    return;
  g_autofree char *marker = object->marker != NULL ? g_strdup_printf (SV_S3_MARKER ": %s\r\n", object->marker) : g_strdup ("");
  g_autofree char *headers = g_strdup_printf ("ETag: \"%s\"\r\n%s", object->etag, marker);
  g_autofree char *answer = s3_answer_text (200, headers, object->content);
  if (is_head)
    strstr (answer, "\r\n\r\n")[4] = '\0';
  send_text (world, fd, answer);
}

/* Uploads in parts: the parts themselves are not kept. */
static void
answer_upload (S3World *world, int fd, const char *method, const char *path, const char *query, const char *request)
{
  g_autofree char *upload = g_strconcat (path, "#upload", NULL);
  const Object *begun = g_hash_table_lookup (world->objects, upload);
  g_autofree char *marker = header_of (request, SV_S3_MARKER);
  if (strcmp (method, "POST") == 0 && strcmp (query, "uploads=") == 0)
  {
    store_object (world, upload, "", marker);
    send_answer (world, fd,
                 s3_answer_text (200, NULL,
                                 "<InitiateMultipartUploadResult><UploadId>up+load/1</UploadId>"
                                 "</InitiateMultipartUploadResult>"));
  }
  else if (begun == NULL)
    send_answer (world, fd, s3_error_text (404, "NoSuchUpload"));
  else if (strcmp (method, "PUT") == 0)
    send_answer (world, fd, s3_answer_text (200, "ETag: \"part\"\r\n", ""));
  else if (strcmp (method, "DELETE") == 0)
  {
    g_hash_table_remove (world->objects, upload);
    send_answer (world, fd, s3_answer_text (204, NULL, ""));
  }
  else
  {
    store_object (world, path, strstr (request, "\r\n\r\n") + 4, begun->marker);
    g_hash_table_remove (world->objects, upload);
    if (!take_one (&world->n_lost_completions))
      send_answer (world, fd, s3_answer_text (200, NULL, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"));
  }
}

static gboolean
answer (TinyServer *server, int fd, const char *request, gpointer data)
{
  S3World *world = data;
  char *line = g_strndup (request, strcspn (request, "\r"));
  g_auto (GStrv) words = g_strsplit (line, " ", 3);
  line[strlen (line) - strlen (" HTTP/1.1")] = '\0';
  g_ptr_array_add (world->requests, line);
  g_auto (GStrv) target = g_strsplit (words[1], "?", 2);
  if (world->script != NULL && *world->script != NULL)
  {
    g_autofree char *said = g_strdup (*world->script++); /* the test may be done with it before it is all sent */
    tiny_send_text (fd, said);
  }
  else if (target[1] != NULL && strstr (target[1], "upload") != NULL)
    answer_upload (world, fd, words[0], target[0], target[1], request);
  else if (strcmp (words[0], "PUT") == 0)
    return answer_put (world, fd, request, target[0]) && world->keeps_connections;
  else if (strcmp (words[0], "DELETE") == 0)
  {
    g_hash_table_remove (world->objects, target[0]);
    send_answer (world, fd, s3_answer_text (204, NULL, ""));
  }
  else
    answer_get (world, fd, target[0], strcmp (words[0], "HEAD") == 0);
  return world->keeps_connections;
}

/* ── the clock ── */

static gint64
world_now (gpointer data)
{
  return ((S3World *)data)->now_ms;
}

static void
world_sleep (gpointer data, gint64 ms)
{
  S3World *world = data;
  world->now_ms += ms;
  world->longest_sleep_ms = MAX (world->longest_sleep_ms, ms);
  world->n_sleeps++;
}

static double
world_jitter (gpointer data)
{
  return 0.999;
}

/* ── life ── */

SvObjectStore *
s3_world_open (S3World *world, GError **error)
{
  const SvS3Clock clock = { world_now, world_sleep, world_jitter, world };
  SvObjectStore *store = sv_object_store_open ("s3://bucket", world->config, error);
  if (store != NULL)
    sv_s3_store_set_clock (store, &clock);
  return store;
}

S3World *
s3_world_new (void)
{
  GError *error = NULL;
  S3World *world = g_new0 (S3World, 1);
  world->home = scratch_new ();
  world->requests = g_ptr_array_new_with_free_func (g_free);
  world->objects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, object_free);
  world->server = tiny_server_new (answer, world);
  g_autofree char *url = tiny_server_url (world->server, "");
  world->config = sv_config_new ();
  sv_config_set (world->config, "SCOREVISION_HOME", world->home);
  sv_config_set (world->config, "S3_ENDPOINT", url);
  sv_config_set (world->config, "R2_WRITE_ACCESS_KEY_ID", "key");
  sv_config_set (world->config, "R2_WRITE_SECRET_ACCESS_KEY", "hush-4711");
  world->store = s3_world_open (world, &error);
  g_assert_no_error (error);
  return world;
}

void
s3_world_free (S3World *world)
{
  sv_object_store_free (world->store);
  tiny_server_free (world->server);
  sv_config_free (world->config);
  g_ptr_array_unref (world->requests);
  g_hash_table_unref (world->objects);
  scratch_remove (world->home);
  g_free (world);
}

const char *
s3_world_content (S3World *world, const char *key)
{
  g_autofree char *path = g_strconcat (BUCKET, key, NULL);
  const Object *object = g_hash_table_lookup (world->objects, path);
  return object != NULL ? object->content : NULL;
}

guint
s3_world_n_requests (S3World *world, const char *beginning)
{
  guint n = 0;
  for (guint i = 0; i < world->requests->len; i++)
    n += g_str_has_prefix (world->requests->pdata[i], beginning);
  return n;
}
