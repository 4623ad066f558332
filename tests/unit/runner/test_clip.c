/* Fetching clips.
 *
 *  - what hashes to what was drawn is kept in a file, which goes away with it
 *  - another hash, more bytes than announced, another status: an error, and no file stays
 *  - an address that is not ours: loopback, link-local, other schemes, a redirect from ours to a stranger's
 *  - own origins: the settings that count, and never a host with the miner's slug in it
 */
#include "runner/clip.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/hash.h"
#include "refusal.h"
#include "tiny_server.h"

#define CLIP "the bytes of a clip"

static gboolean
serve_clip (TinyServer *server, int fd, const char *request, gpointer data)
{
  if (g_str_has_prefix (request, "GET /clip "))
    tiny_send_text (fd, "HTTP/1.1 200 OK\r\nContent-Length: 19\r\nConnection: close\r\n\r\n" CLIP);
  else if (g_str_has_prefix (request, "GET /moved "))
    tiny_send_text (fd,
                    "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:9/clip\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  else if (g_str_has_prefix (request, "GET /cut "))
    tiny_send_text (fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n" CLIP);
  else
    tiny_send_text (fd, "HTTP/1.1 410 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  return FALSE;
}

typedef struct
{
  const char *folder; /* where temporary files go, all in it from the test */
  TinyServer *server;
  SvHttpClient *http;
  char *origin;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_get_tmp_dir ();
  fixture->server = tiny_server_new (serve_clip, NULL);
  fixture->http = sv_http_client_new ();
  fixture->origin = tiny_server_url (fixture->server, "");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  sv_http_client_free (fixture->http);
  tiny_server_free (fixture->server);
  g_free (fixture->origin);
}

static SvFetchedClip *
fetch (Fixture *fixture, const char *path, const char *hash, guint64 max_bytes, GError **error)
{
  g_autofree char *url = g_strconcat (fixture->origin, path, NULL);
  const char *own_origins[] = { fixture->origin, NULL };
  return sv_fetch_clip (fixture->http, own_origins, url, hash, max_bytes, error);
}

static guint
files_left (Fixture *fixture)
{
  guint n = 0;
  g_autoptr (GDir) folder = g_dir_open (fixture->folder, 0, NULL);
  while (g_dir_read_name (folder) != NULL)
    n++;
  return n;
}

static void
the_clip_that_was_drawn_is_kept (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = sv_hash_bytes (CLIP, strlen (CLIP)), *content = NULL;
  g_autoptr (SvFetchedClip) clip = fetch (fixture, "/clip", hash, strlen (CLIP), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (clip->bytes, ==, strlen (CLIP));
  g_assert_true (g_file_get_contents (clip->path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, CLIP);
  g_assert_cmpuint (files_left (fixture), ==, 0); /* a runner that is killed now leaves nothing */
}

static void
other_bytes_are_refused (Fixture *fixture, gconstpointer data)
{
  g_autofree char *hash = sv_hash_bytes (CLIP, strlen (CLIP)), *other = sv_hash_bytes ("", 0);
  assert_fails_saying (fetch (fixture, "/clip", other, strlen (CLIP), refusal), SV_ERROR_VERIFY, hash);
  assert_fails (fetch (fixture, "/clip", hash, strlen (CLIP) - 1, refusal), SV_ERROR_POLICY);
  assert_fails (fetch (fixture, "/cut", hash, 1000, refusal), SV_ERROR_UNREACHABLE);
  assert_fails_saying (fetch (fixture, "/gone", hash, 1000, refusal), SV_ERROR_UNREACHABLE, "status 410");
  g_assert_cmpuint (files_left (fixture), ==, 0);
}

static void
strangers_addresses_are_refused (Fixture *fixture, gconstpointer data)
{
  static const char *const urls[] = { "http://127.0.0.1:9/clip",
                                      "https://127.0.0.1:9/clip",
                                      "http://169.254.169.254/latest",
                                      "https://[::1]/clip",
                                      "https://10.0.0.1/clip",
                                      "file:///etc/passwd",
                                      "gopher://x/",
                                      "clip.mp4",
                                      "" };
  const char *own_origins[] = { fixture->origin, NULL };
  for (gsize i = 0; i < G_N_ELEMENTS (urls); i++)
  {
    g_autoptr (GError) error = NULL;
    g_assert_null (sv_fetch_clip (fixture->http, own_origins, urls[i], NULL, 0, &error));
    if (error->domain != SV_ERROR || (error->code != SV_ERROR_POLICY && error->code != SV_ERROR_USAGE))
      g_error ("%s: %s", urls[i], error->message);
  }
  assert_fails (fetch (fixture, "/moved", NULL, 0, refusal), SV_ERROR_POLICY);
  g_assert_cmpuint (files_left (fixture), ==, 0);
}

static void
no_room_is_said (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  assert_fails_saying (fetch (fixture, "/clip", NULL, 0, refusal), SV_ERROR_FAILED, "no room for the clip");
  g_assert_cmpint (g_mkdir (fixture->folder, 0700), ==, 0);
}

static void
own_origins_are_those_of_the_settings (void)
{
  static const struct
  {
    const char *template, *expected;
  } cases[] = { { "https://{slug}.chutes.ai", "http://127.0.0.1:1 https://cdn.example http://s3.example:9000" },
                { "http://127.0.0.1:7/{slug}",
                  "http://127.0.0.1:1 https://cdn.example http://s3.example:9000 http://127.0.0.1:7" } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (SvConfig) config = sv_config_new ();
    sv_config_set (config, "SCOREVISION_API", "http://127.0.0.1:1/");
    sv_config_set (config, "R2_PUBLIC_URL", "https://CDN.example:443/bucket");
    sv_config_set (config, "S3_ENDPOINT", "http://s3.example:9000");
    sv_config_set (config, "CHUTES_MINER_BASE_URL_TEMPLATE", cases[i].template);
    sv_config_set (config, "CHUTES_API_URL", "");
    g_auto (GStrv) origins = sv_own_origins (config);
    g_autofree char *joined = g_strjoinv (" ", origins);
    if (strcmp (joined, cases[i].expected) != 0)
      g_error ("expected %s, got %s", cases[i].expected, joined);
  }
}

#define ADD(name) g_test_add ("/clip/" #name, Fixture, NULL, set_up, name, tear_down)

int
main (int argc, char **argv)
{
  char folder[] = "/tmp/sv-test-XXXXXX";
  g_assert_nonnull (g_mkdtemp (folder));
  g_setenv ("TMPDIR", folder, TRUE); /* before GLib looks for it */
  g_test_init (&argc, &argv, NULL);
  ADD (the_clip_that_was_drawn_is_kept);
  ADD (other_bytes_are_refused);
  ADD (strangers_addresses_are_refused);
  ADD (no_room_is_said);
  g_test_add_func ("/clip/own_origins_are_those_of_the_settings", own_origins_are_those_of_the_settings);
  int status = g_test_run ();
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  return status;
}
