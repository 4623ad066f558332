/* What may be put in the place of an index:
 *  - none, an index, garbage, a damaged index: the condition under which it is replaced, by a file store and by an S3 server
 *  - a document of a later version, signed rightly, or in a way that this one does not know; a signed one that is no index;
 *    also large ones; what is too large to be read: never
 *  - a large index of this version that is damaged: replaced
 *  - whatever an S3 server says but "there is none": never, and nothing is taken for an answer without an ETag
 */
#include <string.h>

#include "../store/s3_world.h"
#include "base/rfc3339.h"
#include "operator/store_index_place.h"
#include "refusal.h"
#include "scratch.h"

#define LARGE ((gsize)300 * 1024)

typedef struct
{
  char *home;
  SvConfig *config;
  SvObjectStore *store;
  SvKeypair *keypair;
} Place;

static void
place_clear (Place *place)
{
  sv_object_store_free (place->store);
  sv_config_free (place->config);
  sv_keypair_free (place->keypair);
  scratch_remove (place->home);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static Place
place_new (void)
{
  GError *error = NULL;
  Place place = { .home = scratch_new (), .config = sv_config_new () };
  g_autofree char *url = g_strconcat ("file:", place.home, "/store", NULL);
  place.store = sv_object_store_open (url, place.config, &error);
  g_assert_no_error (error);
  place.keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  return place;
}

static void
set (SvObjectStore *store, GBytes *bytes)
{
  GError *error = NULL;
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  g_free (sv_object_store_put (store, SV_INDEX_KEY, bytes, &options, &error));
  g_assert_no_error (error);
}

static void
set_text (SvObjectStore *store, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  set (store, bytes);
}

/* An index of @version, with a member of @size bytes that no version knows yet where there is a size. */
static GBytes *
sign_index (const Place *place, const char *type, const char *version, gsize size)
{
  GError *error = NULL;
  SvChainId chain = { .netuid = 44 };
  memset (chain.genesis, '0', sizeof chain.genesis - 1);
  chain.genesis[1] = 'x';
  g_autoptr (SvIndex) index = sv_index_new (&chain);
  index->sequence = 50;
  index->updated_at = g_strdup ("2025-10-23T00:00:00Z");
  g_autoptr (SvSignedDocument) first = sv_index_sign (index, place->keypair, sv_clock_ms (), &error);
  g_assert_no_error (error);
  g_autoptr (json_t) content = json_loadb (g_bytes_get_data (first->bytes, NULL), g_bytes_get_size (first->bytes), 0, NULL);
  json_object_set_new (content, "version", json_string (version));
  g_autofree char *filling = g_strnfill (size, 'x');
  if (size > 0)
    json_object_set_new (content, "new", json_string (filling));
  g_autoptr (SvSignedDocument) document =
      sv_signed_document_create (content, type, &chain, place->keypair, sv_clock_ms (), &error);
  g_assert_no_error (error);
  return g_bytes_ref (document->bytes);
}

/* The same with @from replaced by @to, which is as long. */
static GBytes *
change_bytes (GBytes *bytes, const char *from, const char *to)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  char *changed = g_memdup2 (data, length);
  char *found = memmem (changed, length, from, strlen (from));
  memcpy (found, to, strlen (to));
  return g_bytes_new_take (changed, length);
}

/* What is put is put over what was read, and not over anything else. */
static void
assert_replaced (SvObjectStore *store, gboolean is_index)
{
  GError *error = NULL;
  g_auto (SvIndexPlace) there = { 0 };
  gboolean is_read = sv_index_place_read (store, &there, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  g_assert_true ((there.index != NULL) == is_index);
  const SvPutOptions options = sv_index_place_put_options (&there);
  g_autoptr (GBytes) new = g_bytes_new_static ("new", 3);
  set_text (store, "somebody else's");
  assert_fails (sv_object_store_put (store, SV_INDEX_KEY, new, &options, refusal) != NULL, SV_ERROR_CONFLICT);
}

static void
assert_left (SvObjectStore *store)
{
  g_auto (SvIndexPlace) there = { 0 };
  assert_fails_saying (sv_index_place_read (store, &there, refusal), SV_ERROR_POLICY, "remove it by hand");
}

static void
test_replaced (void)
{
  g_auto (Place) place = place_new ();
  assert_replaced (place.store, FALSE);
  static const char *const garbage[] = { "", "{\"version\":", "<html>", "{}", "[]", "{\"version\":\"2.0\"}" };
  for (gsize i = 0; i < G_N_ELEMENTS (garbage); i++)
  {
    set_text (place.store, garbage[i]);
    assert_replaced (place.store, FALSE);
  }
  g_autoptr (GBytes) index = sign_index (&place, "index", SV_INDEX_VERSION, 0);
  set (place.store, index);
  assert_replaced (place.store, TRUE);
  g_autoptr (GBytes) damaged = change_bytes (index, "\"sequence\":50", "\"sequence\":51");
  set (place.store, damaged);
  assert_replaced (place.store, FALSE);
  g_autoptr (GBytes) large = sign_index (&place, "index", SV_INDEX_VERSION, LARGE);
  g_autoptr (GBytes) large_damaged = change_bytes (large, "xxx", "xyx");
  set (place.store, large_damaged);
  assert_replaced (place.store, FALSE);
}

static void
test_left (void)
{
  g_auto (Place) place = place_new ();
  const gsize sizes[] = { 0, LARGE };
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
  {
    g_autoptr (GBytes) newer = sign_index (&place, "index", "2.0", sizes[i]);
    set (place.store, newer);
    assert_left (place.store);
    g_autoptr (GBytes) signed_otherwise = change_bytes (newer, "\"signature\":\"ed25519:", "\"signature\":\"mldsa44:");
    set (place.store, signed_otherwise);
    assert_left (place.store);
    g_autoptr (GBytes) no_index = sign_index (&place, "manifest", SV_INDEX_VERSION, sizes[i]);
    set (place.store, no_index);
    assert_left (place.store);
  }
  g_autofree char *spaces = g_strnfill (SV_INDEX_MAX_SIZE + 1, ' ');
  set_text (place.store, spaces);
  assert_left (place.store);
}

static void
assert_no_answer (S3World *world, char *answer, SvErrorCode code, const char *part)
{
  g_auto (SvIndexPlace) there = { 0 };
  const char *const script[] = { answer, NULL };
  world->script = script;
  assert_fails_saying (sv_index_place_read (world->store, &there, refusal), (gint)code, part);
  g_assert_null (there.bytes);
  world->script = NULL;
  g_free (answer);
}

/* There is an index all the time, and it can be written. */
static void
test_bucket (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  set_text (world->store, "{}");
  assert_no_answer (world, s3_error_text (403, "AccessDenied"), SV_ERROR_POLICY, "so it is not replaced: store s3://bucket");
  assert_no_answer (world, s3_error_text (400, "InvalidToken"), SV_ERROR_USAGE, "so it is not replaced: store s3://bucket");
  assert_no_answer (world, s3_error_text (404, "NoSuchBucket"), SV_ERROR_USAGE, "so it is not replaced: store s3://bucket");
  assert_no_answer (world, s3_answer_text (200, NULL, "{}"), SV_ERROR_UNREACHABLE, "ETag");
  assert_replaced (world->store, FALSE);
  g_hash_table_remove_all (world->objects);
  assert_replaced (world->store, FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store-index-place/replaced", test_replaced);
  g_test_add_func ("/store-index-place/left", test_left);
  g_test_add_func ("/store-index-place/bucket", test_bucket);
  return g_test_run ();
}
