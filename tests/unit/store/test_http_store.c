/* What is particular to a store read over HTTP; what every store does is in tests/contract/test_store.c.
 *
 *  1. a trailing slash of the URL does not matter; a path is kept
 *  2. a known ETag is asked with (304), and caches are by-passed only when that was asked for
 *  3. a server that ignores If-None-Match but names the same ETag: unchanged all the same
 *  4. a weak ETag is read without its mark; one without quotes, or none, is no ETag
 *  5. 404 is not found; 204, 206, 302 to nowhere and 304 that nobody asked for are malformed; every other status is
 *     unreachable; each is named
 *  6. redirects without end are malformed; a server that is gone is unreachable
 */
#include <string.h>

#include "folder_server.h"
#include "refusal.h"
#include "scratch.h"
#include "store/object_store.h"

typedef struct
{
  char *folder;
  FolderServer *server;
  SvObjectStore *store;
} Fixture;

static SvObjectStore *
open_below (Fixture *f, const char *path)
{
  GError *error = NULL;
  g_autofree char *url = g_strconcat (folder_server_url (f->server), path, NULL);
  g_autoptr (SvConfig) config = sv_config_new ();
  SvObjectStore *store = sv_object_store_open (url, config, &error);
  g_assert_no_error (error);
  return store;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = scratch_new ();
  g_autofree char *object = scratch_path (f->folder, "object");
  g_assert_true (g_file_set_contents (object, "content", -1, NULL));
  f->server = folder_server_new (f->folder);
  f->store = open_below (f, "");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  sv_object_store_free (f->store);
  if (f->server != NULL)
    folder_server_free (f->server);
  scratch_remove (f->folder);
}

static SvObject *
get (SvObjectStore *store, const char *key, const char *known_etag, gboolean bypass_caches, gboolean *unchanged, GError **error)
{
  SvGetOptions options = { .max_size = 1000, .known_etag = known_etag, .bypass_caches = bypass_caches };
  return sv_object_store_get (store, key, &options, unchanged, error);
}

static char *
etag_of (Fixture *f, const char *key)
{
  GError *error = NULL;
  g_autoptr (SvObject) object = get (f->store, key, NULL, FALSE, NULL, &error);
  g_assert_no_error (error);
  return g_strdup (object->etag);
}

static void
test_url (Fixture *f, gconstpointer data)
{
  static const char *const paths[] = { "", "/", "//" };
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
  {
    GError *error = NULL;
    g_autoptr (SvObjectStore) store = open_below (f, paths[i]);
    g_autoptr (SvObject) object = get (store, "object", NULL, FALSE, NULL, &error);
    g_assert_no_error (error);
    g_assert_nonnull (object);
    g_assert_cmpstr (sv_object_store_url (store), ==, folder_server_url (f->server));
    g_assert_null (sv_object_store_local_path (store, "object"));
  }
  g_autoptr (SvObjectStore) deeper = open_below (f, "/status");
  assert_fails_saying (get (deeper, "503", NULL, FALSE, NULL, refusal), SV_ERROR_UNREACHABLE, "HTTP 503");
}

static void
test_conditional (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  gboolean unchanged;
  g_autofree char *etag = etag_of (f, "object");
  g_autofree char *plain = folder_server_last_cache_control (f->server);
  g_assert_cmpstr (plain, ==, "");
  g_assert_null (get (f->store, "object", etag, TRUE, &unchanged, &error));
  g_assert_no_error (error);
  g_assert_true (unchanged);
  g_assert_cmpuint (folder_server_last_status (f->server), ==, 304);
  g_autofree char *bypassing = folder_server_last_cache_control (f->server);
  g_assert_cmpstr (bypassing, ==, "no-cache");
}

static void
test_ignored_condition (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  gboolean unchanged;
  g_assert_null (get (f->store, "ignore-etag", "same", FALSE, &unchanged, &error));
  g_assert_no_error (error);
  g_assert_true (unchanged);
  g_assert_cmpuint (folder_server_last_status (f->server), ==, 200);
}

static void
test_etags (Fixture *f, gconstpointer data)
{
  g_autofree char *weak = etag_of (f, "etag/weak"), *bare = etag_of (f, "etag/bare"), *none = etag_of (f, "etag/none");
  g_assert_cmpstr (weak, ==, "x");
  g_assert_null (bare);
  g_assert_null (none);
}

static void
test_statuses (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *key;
    int code;
  } answers[] = { { "status/204", SV_ERROR_MALFORMED },   { "status/304", SV_ERROR_MALFORMED },
                  { "status/206", SV_ERROR_MALFORMED },   { "status/302", SV_ERROR_MALFORMED },
                  { "status/400", SV_ERROR_UNREACHABLE }, { "status/403", SV_ERROR_NOT_FOUND },
                  { "status/500", SV_ERROR_UNREACHABLE } };
  assert_fails (get (f->store, "status/404", NULL, FALSE, NULL, refusal), SV_ERROR_NOT_FOUND);
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++)
  {
    const char *key = answers[i].key;
    g_autofree char *shown = g_strconcat ("HTTP ", key + strlen ("status/"), NULL);
    assert_fails_saying (get (f->store, key, NULL, FALSE, NULL, refusal), answers[i].code, shown);
    assert_fails (sv_object_store_head (f->store, key, NULL, refusal), answers[i].code);
  }
}

static void
test_busy (Fixture *f, gconstpointer data)
{
  static const char *const keys[] = { "busy/2", "busy/-1" };
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
  {
    GError *error = NULL;
    g_autoptr (SvObject) object = get (f->store, keys[i], NULL, FALSE, NULL, &error);
    g_assert_no_error (error);
    g_assert_nonnull (object);
  }
  SvGetOptions raced = { .max_size = 1000, .is_raced = TRUE };
  assert_fails_saying (sv_object_store_get (f->store, "busy/1", &raced, NULL, refusal), SV_ERROR_UNREACHABLE, "HTTP 429");
  assert_fails_saying (get (f->store, "busy/100", NULL, FALSE, NULL, refusal), SV_ERROR_UNREACHABLE, "asked too fast");
}

static void
test_bad_server (Fixture *f, gconstpointer data)
{
  assert_fails (get (f->store, "redirect", NULL, FALSE, NULL, refusal), SV_ERROR_MALFORMED);
  folder_server_free (g_steal_pointer (&f->server));
  assert_fails (get (f->store, "object", NULL, FALSE, NULL, refusal), SV_ERROR_UNREACHABLE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  const struct
  {
    const char *path;
    void (*run) (Fixture *fixture, gconstpointer data);
  } cases[] = {
    { "/http-store/a trailing slash does not matter", test_url },
    { "/http-store/conditional requests", test_conditional },
    { "/http-store/a server that ignores the condition", test_ignored_condition },
    { "/http-store/etags", test_etags },
    { "/http-store/statuses", test_statuses },
    { "/http-store/a server that is busy", test_busy },
    { "/http-store/a bad server", test_bad_server },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add (cases[i].path, Fixture, NULL, set_up, cases[i].run, tear_down);
  return g_test_run ();
}
