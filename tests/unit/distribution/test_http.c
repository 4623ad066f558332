/* Reading over HTTP:
 *  - index and manifest come from the public address, by the keys that the user's client asks for
 *  - a cache on the way that shows an old index is by-passed once, before anything is refused
 *  - a poll costs two requests, for the index and the next statement on signers; one that a cache calls absent is found
 *  - a server that says "too fast" is asked again; a statement that it does not give at all makes nobody untrusted
 *  - statements are read through caches, but for where they end
 *  - of several mirrors a silent one costs patience, not the answer
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/tiny_server.h"
#include "world.h"

/* A public address in front of the world's store, behind a cache that may hold an old index. */
typedef struct
{
  World *world;
  GBytes *cached_index;      /* or NULL */
  gboolean hides_statements; /* a cache has learnt that there are none */
  guint n_bypassed;
  guint n_statements_bypassed;
  guint n_busy; /* so often statements are refused: too many requests */
} Cdn;

static void
send_object (int fd, GBytes *bytes)
{
  g_autofree char *head =
      g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n", g_bytes_get_size (bytes));
  if (tiny_send_text (fd, head))
    (void)!tiny_send (fd, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static gboolean
answer (TinyServer *server, int fd, const char *request, gpointer data)
{
  Cdn *cdn = data;
  gboolean bypasses = strstr (request, "Cache-Control: no-cache") != NULL;
  g_autofree char *key = g_strndup (request + strlen ("GET /"), strcspn (request + strlen ("GET /"), " "));
  g_autofree char *path = g_build_filename (cdn->world->root, "store", key, NULL);
  g_autofree char *content = NULL;
  gsize length;
  cdn->n_bypassed += bypasses && strcmp (key, "scorevision/index.json") == 0;
  gboolean is_statement = strstr (key, "/signers/") != NULL;
  cdn->n_statements_bypassed += bypasses && is_statement;
  if (is_statement && cdn->n_busy > 0)
  {
    cdn->n_busy--;
    tiny_send_text (fd, "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
    return FALSE;
  }
  g_autoptr (GBytes) bytes = NULL;
  if (cdn->cached_index != NULL && !bypasses && strcmp (key, "scorevision/index.json") == 0)
    bytes = g_bytes_ref (cdn->cached_index);
  else if ((bypasses || !cdn->hides_statements || !is_statement) && g_file_get_contents (path, &content, &length, NULL))
    bytes = g_bytes_new (content, length);
  if (bytes != NULL)
    send_object (fd, bytes);
  else
    tiny_send_text (fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  return FALSE;
}

static void
test_reads (void)
{
  g_autoptr (World) world = world_new (0);
  Cdn cdn = { .world = world };
  g_autoptr (TinyServer) server = tiny_server_new (answer, &cdn);
  g_autofree char *url = tiny_server_url (server, "");
  sv_config_set (world->config, "R2_PUBLIC_URL", url);
  GError *error = NULL;
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_assert_null (sv_get_current_manifest (reader, 0, &error));
  world_assert_error (&error, SV_ERROR_NOT_FOUND, "sv manifest publish");
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (SvManifest) manifest = sv_get_current_manifest (reader, 5, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (manifest->hash, ==, hash);
}

static void
test_stale_cache (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *first = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_assert_nonnull (first);
  g_autoptr (GBytes) old = world_index_bytes (world);
  g_autofree char *second = world_publish (world, "w2", 100, 200, "1", FALSE);
  g_assert_nonnull (second);
  Cdn cdn = { .world = world };
  g_autoptr (TinyServer) server = tiny_server_new (answer, &cdn);
  g_autofree char *url = tiny_server_url (server, "");
  sv_config_set (world->config, "R2_PUBLIC_URL", url);
  GError *error = NULL;
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (index);
  g_assert_cmpuint (cdn.n_bypassed, ==, 0);
  cdn.cached_index = old;
  g_autoptr (SvIndex) again = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (again->sequence, ==, 2);
  g_assert_cmpuint (cdn.n_bypassed, ==, 1);
  world_set_index_bytes (world, old); /* not the cache's fault now */
  g_assert_null (sv_fetch_index (reader, SV_FETCH_NORMAL, &error));
  world_assert_error (&error, SV_ERROR_VERIFY, "rollback");
  g_assert_cmpuint (cdn.n_bypassed, ==, 2);
}

static void
next_sequence (SvIndex *index)
{
  index->sequence++;
}

static void
test_statements (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_assert_nonnull (hash);
  Cdn cdn = { .world = world, .hides_statements = TRUE };
  g_autoptr (TinyServer) server = tiny_server_new (answer, &cdn);
  g_autofree char *url = tiny_server_url (server, "");
  sv_config_set (world->config, "R2_PUBLIC_URL", url);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (index->sequence, ==, 1);
  guint before = tiny_server_n_requests (server);
  g_autoptr (SvIndex) unchanged = NULL;
  g_assert_true (sv_poll_index (reader, SV_FETCH_NORMAL, &unchanged, &error));
  g_assert_null (unchanged);
  g_assert_cmpuint (tiny_server_n_requests (server), ==, before + 2);

  const SvSignerChange change = { (char *)sv_keypair_address (world->stranger), 0 };
  g_autoptr (SvSignersStatement) statement =
      sv_signers_statement_sign (NULL, TRUE, &change, sv_chain_id (world->chain), world->operator, 1761177600000, &error);
  world_set_object (world, "scorevision/signers/1.json", statement->document->bytes);
  world_resign_index (world, world->stranger, next_sequence);
  g_autoptr (SvIndex) by_stranger = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (by_stranger->document->signed_by, ==, sv_keypair_address (world->stranger));
}

/* The operator adds @named after @last. Returns: (transfer full). */
static SvSignersStatement *
add_signer (World *world, const SvSignersStatement *last, const SvKeypair *named)
{
  GError *error = NULL;
  const SvSignerChange change = { (char *)sv_keypair_address (named), 0 };
  SvSignersStatement *statement =
      sv_signers_statement_sign (last, TRUE, &change, sv_chain_id (world->chain), world->operator, 1761177600000, &error);
  g_assert_no_error (error);
  g_autofree char *key = g_strdup_printf ("scorevision/signers/%" G_GUINT64_FORMAT ".json", statement->number);
  world_set_object (world, key, statement->document->bytes);
  return statement;
}

static void
test_busy_server (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  g_autoptr (SvSignersStatement) first = add_signer (world, NULL, world->stranger);
  g_assert_nonnull (first);
  world_resign_index (world, world->stranger, next_sequence);
  Cdn cdn = { .world = world, .n_busy = G_MAXUINT };
  g_autoptr (TinyServer) server = tiny_server_new (answer, &cdn);
  g_autofree char *url = tiny_server_url (server, "");
  sv_config_set (world->config, "R2_PUBLIC_URL", url);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_assert_null (sv_fetch_index (reader, SV_FETCH_NORMAL, &error));
  world_assert_error (&error, SV_ERROR_UNREACHABLE, "HTTP 429");
  cdn.n_busy = 2;
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (index->document->signed_by, ==, sv_keypair_address (world->stranger));
}

static void
test_many_statements (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  g_autoptr (SvSignersStatement) last = NULL;
  for (guint i = 0; i < 20; i++)
  {
    g_autoptr (SvKeypair) named = sv_keypair_generate (SV_SCHEME_ED25519);
    SvSignersStatement *next = add_signer (world, last, named);
    g_clear_pointer (&last, sv_signers_statement_free);
    last = next;
  }
  Cdn cdn = { .world = world };
  g_autoptr (TinyServer) server = tiny_server_new (answer, &cdn);
  g_autofree char *url = tiny_server_url (server, "");
  sv_config_set (world->config, "R2_PUBLIC_URL", url);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_BYPASS_CACHES, &error);
  g_assert_no_error (error);
  g_assert_nonnull (index);
  g_assert_cmpuint (sv_signers_fold_last_effective (sv_signers_fold (sv_reader_signers (reader))), ==, 20);
  g_assert_cmpuint (cdn.n_statements_bypassed, ==, 2); /* the first, and where they end */
}

/* A listening socket that nobody accepts on: connections are made and never answered. */
static char *
silent_url (int *listener)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  *listener = socket (AF_INET, SOCK_STREAM, 0);
  g_assert_cmpint (bind (*listener, (struct sockaddr *)&address, length), ==, 0);
  g_assert_cmpint (listen (*listener, 16), ==, 0);
  g_assert_cmpint (getsockname (*listener, (struct sockaddr *)&address, &length), ==, 0);
  return g_strdup_printf ("http://127.0.0.1:%u", ntohs (address.sin_port));
}

static void
test_silent_mirror (void)
{
  g_autoptr (World) world = world_new (0);
  int listener;
  g_autofree char *silent = silent_url (&listener);
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autofree char *list = g_strdup_printf ("%s,%s", silent, sv_config_get (world->config, "SCOREVISION_STORE"));
  sv_config_set (world->config, "R2_PUBLIC_URL", list);
  GError *error = NULL;
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvManifest) manifest = sv_get_current_manifest (reader, 5, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (manifest->hash, ==, hash);
  close (listener);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/reads index and manifest", test_reads);
  g_test_add_func ("/http/by-passes a stale cache once", test_stale_cache);
  g_test_add_func ("/http/asks for the next statement on signers", test_statements);
  g_test_add_func ("/http/asks a busy server again", test_busy_server);
  g_test_add_func ("/http/reads statements through caches", test_many_statements);
  g_test_add_func ("/http/does not wait for a silent mirror", test_silent_mirror);
  return g_test_run ();
}
