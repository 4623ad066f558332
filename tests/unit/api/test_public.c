/* What everybody may read.
 *
 * commitments: filters, proofs, rivals, void texts, malformed parameters
 * public tree: cache headers, both names of a manifest, ETag, If-None-Match, Range, If-Range, HEAD; what is absent; nothing
 * private */
#include <string.h>

#include "base/hash.h"
#include "world.h"

#define DEADLINE_US (20 * G_TIME_SPAN_SECOND)

/* ── commitments ── */

static json_t *
find_state (const Answer *answer, const char *hotkey, const char *window_id)
{
  gsize i;
  json_t *state;
  g_autofree char *account = sv_account_document_form (hotkey);
  json_array_foreach (json_object_get (answer->json, "commitments"), i,
                      state) if (g_strcmp0 (json_string_value (json_object_get (state, "miner_hotkey")), account) == 0 &&
                                 g_strcmp0 (json_string_value (json_object_get (state, "window_id")), window_id) ==
                                     0) return state;
  return NULL;
}

static json_t *
find_binding (const json_t *state, const char *element_id)
{
  gsize i;
  json_t *binding;
  json_array_foreach (json_object_get (state, "bindings"), i,
                      binding) if (g_strcmp0 (json_string_value (json_object_get (binding, "element_id")), element_id) ==
                                   0) return binding;
  return NULL;
}

static void
test_commitments_list (World *world, gconstpointer unused)
{
  world_start (world);
  const char *miner = sv_keypair_address (world->miner);
  g_auto (Answer) all = world_get (world, "/api/commitments");
  assert_answer (&all, 200, NULL, NULL);
  g_assert_null (find_state (&all, miner, "old"));
  g_assert_nonnull (find_state (&all, miner, "next"));
  g_assert_nonnull (find_state (&all, sv_keypair_address (world->rival), "now"));
  g_autofree char *target = g_strdup_printf ("/api/commitments?hotkey=%s&window_id=now", miner);
  g_auto (Answer) one = world_get (world, target);
  g_assert_cmpuint (json_array_size (json_object_get (one.json, "commitments")), ==, 1);
  const json_t *state = find_state (&one, miner, "now");
  const json_t *binding = find_binding (state, "Serve@1");
  g_assert_cmpstr (json_string_value (json_object_get (binding, "commitment_proof")), ==, world->proof);
  g_autofree char *rival = sv_account_document_form (sv_keypair_address (world->rival));
  const json_t *shared_with = json_object_get (binding, "chute_shared_with");
  g_assert_cmpuint (json_array_size (shared_with), ==, 1);
  g_assert_cmpstr (json_string_value (json_array_get (shared_with, 0)), ==, rival);
  g_assert_null (find_binding (state, "Gone@1"));
}

/* The answer must not grow with the square of the hotkeys. */
static void
test_commitments_name_a_few_rivals (World *world, gconstpointer unused)
{
  world_start (world);
  for (guint i = 0; i < 20; i++)
  {
    g_autoptr (SvKeypair) rival = sv_keypair_generate (SV_SCHEME_ED25519);
    g_free (world_commit (world, rival,
                          "sv1 commit now 2\nServe@1 rev slug-two 87f7d0c5-0000-4000-8000-000000000001 1\n"
                          "Empty@1 rev slug-two 87f7d0c5-0000-4000-8000-000000000001 1"));
  }
  g_autofree char *block = g_strdup_printf ("\"block\":%" G_GUINT64_FORMAT, world_head (world));
  world_await (world, block);
  g_auto (Answer) answer = world_get (world, "/api/commitments?window_id=now");
  gsize i, j;
  json_t *state, *binding;
  g_assert_cmpuint (json_array_size (json_object_get (answer.json, "commitments")), ==, 22);
  json_array_foreach (json_object_get (answer.json, "commitments"), i, state)
  {
    const char *own = json_string_value (json_object_get (state, "miner_hotkey"));
    json_array_foreach (json_object_get (state, "bindings"), j, binding)
    {
      const json_t *others = json_object_get (binding, "chute_shared_with");
      g_assert_cmpuint (json_array_size (others), ==, 16);
      for (gsize k = 0; k < 16; k++)
        g_assert_cmpstr (json_string_value (json_array_get (others, k)), !=, own);
    }
  }
}

static void
test_commitments_show_void_texts (World *world, gconstpointer unused)
{
  world_start (world);
  g_autofree char *proof = world_commit (world, world->miner, "sv1 withdraw now\nServe@1");
  gint64 deadline = g_get_monotonic_time () + DEADLINE_US;
  for (gboolean shown = FALSE; !shown; g_usleep (10000))
  {
    g_auto (Answer) answer = world_get (world, "/api/commitments?window_id=now");
    const json_t *state = find_state (&answer, sv_keypair_address (world->miner), "now");
    const json_t *item = json_array_get (json_object_get (state, "void"), 0);
    shown = g_strcmp0 (json_string_value (json_object_get (item, "commitment_proof")), proof) == 0 &&
            json_is_string (json_object_get (item, "reason"));
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
  }
}

static void
test_commitments_parameters (World *world, gconstpointer unused)
{
  world_start (world);
  const char *field[][2] = { { "/api/commitments?hotkey=nobody", "hotkey" },
                             { "/api/commitments?window_id=..", "window_id" },
                             { "/api/commitments?window_id=now&window_id=now", "window_id" } };
  for (guint i = 0; i < G_N_ELEMENTS (field); i++)
  {
    g_auto (Answer) answer = world_get (world, field[i][0]);
    assert_answer (&answer, 400, "invalid_request", NULL);
    g_assert_cmpstr (answer_string (&answer, "field"), ==, field[i][1]);
  }
  g_auto (Answer) over = world_get (world, "/api/commitments?window_id=old");
  assert_answer (&over, 404, "no_active_window", NULL);
}

/* ── public tree ── */

static void
test_public_tree (World *world, gconstpointer unused)
{
  world_start (world);
  g_auto (Answer) index = world_get (world, "/scorevision/index.json");
  g_assert_cmpuint (index.status, ==, 200);
  g_autofree char *cache = answer_header (&index, "Cache-Control");
  g_assert_cmpstr (cache, ==, "public, max-age=15, must-revalidate");
  g_autofree char *target = g_strdup_printf ("/scorevision/manifests/%s.json", sv_hash_hex (world->now_manifest));
  g_autofree char *alias = g_strdup_printf ("/scorevision/manifests/%s.json", world->now_manifest);
  g_autofree char *escaped = g_strdup_printf ("/scorevision/manifests/sha256%%3A%s.json", sv_hash_hex (world->now_manifest));
  g_auto (Answer) manifest = world_get (world, target);
  g_autofree char *hash = sv_hash_bytes (manifest.body, manifest.length);
  g_assert_cmpstr (hash, ==, world->now_manifest);
  g_autofree char *immutable = answer_header (&manifest, "Cache-Control");
  g_assert_cmpstr (immutable, ==, "public, max-age=31536000, immutable");
  world_expect_status (world, "GET", alias, NULL, 200);
  world_expect_status (world, "GET", escaped, NULL, 200);
}

static void
test_public_tree_conditions (World *world, gconstpointer unused)
{
  world_start (world);
  const char *target = "/scorevision/index.json";
  g_auto (Answer) whole = world_get (world, target);
  g_autofree char *etag = answer_header (&whole, "ETag");
  g_autofree char *if_none_match = g_strdup_printf ("If-None-Match: \"other\", W/%s\r\n", etag);
  g_auto (Answer) same = world_request (world, "GET", target, if_none_match);
  g_assert_cmpuint (same.status, ==, 304);
  g_assert_cmpuint (same.length, ==, 0);
  g_auto (Answer) head = world_request (world, "HEAD", target, NULL);
  g_assert_cmpuint (head.status, ==, 200);
  g_assert_cmpuint (head.length, ==, 0);
  g_autofree char *length = answer_header (&head, "Content-Length");
  g_assert_cmpuint (g_ascii_strtoull (length, NULL, 10), ==, whole.length);
  g_auto (Answer) part = world_request (world, "GET", target, "Range: bytes=2-5\r\n");
  g_assert_cmpuint (part.status, ==, 206);
  g_assert_cmpmem (part.body, part.length, whole.body + 2, 4);
  g_auto (Answer) tail = world_request (world, "GET", target, "Range: bytes=-3\r\n");
  g_assert_cmpmem (tail.body, tail.length, whole.body + whole.length - 3, 3);
  g_autofree char *changed = g_strdup ("Range: bytes=2-5\r\nIf-Range: \"other\"\r\n");
  world_expect_status (world, "GET", target, changed, 200);
  g_auto (Answer) outside = world_request (world, "GET", target, "Range: bytes=99999999-\r\n");
  g_assert_cmpuint (outside.status, ==, 416);
  g_autofree char *range = answer_header (&outside, "Content-Range");
  g_assert_true (g_str_has_prefix (range, "bytes */"));
  world_advance (world, 1);
  g_free (world_publish (world, "later", 2000, 3000, "1"));
  g_auto (Answer) newer = world_request (world, "GET", target, if_none_match);
  g_assert_cmpuint (newer.status, ==, 200);
}

/* A cache may keep that there is no next statement on signers as long as it keeps the index, and nothing else that is absent.
 */
static void
test_absent (World *world, gconstpointer unused)
{
  world_start (world);
  g_auto (Answer) statement = world_request (world, "GET", "/scorevision/signers/1.json", NULL);
  g_assert_cmpuint (statement.status, ==, 404);
  g_autofree char *kept = answer_header (&statement, "Cache-Control");
  g_assert_cmpstr (kept, ==, "public, max-age=15, must-revalidate");
  g_auto (Answer) archive = world_request (world, "GET", "/scorevision/archive/1.json", NULL);
  g_assert_cmpuint (archive.status, ==, 404);
  g_autofree char *not_kept = answer_header (&archive, "Cache-Control");
  g_assert_cmpstr (not_kept, ==, "no-store");
}

static void
test_nothing_private_is_public (World *world, gconstpointer unused)
{
  world_start (world);
  const char *hex = sv_hash_hex (world->clip_hash);
  g_autofree char *direct = g_strdup_printf ("/private/clips/%s", hex);
  g_autofree char *climbing = g_strdup_printf ("/scorevision/../private/clips/%s", hex);
  g_autofree char *escaped = g_strdup_printf ("/scorevision/%%2e%%2e/private/clips/%s", hex);
  g_autofree char *bare = g_strdup_printf ("/clips/%s", hex);
  world_expect_status (world, "GET", direct, NULL, 404);
  world_expect_status (world, "GET", climbing, NULL, 404);
  world_expect_status (world, "GET", escaped, NULL, 404);
  world_expect_status (world, "GET", "/scorevision/", NULL, 404);
  world_expect_status (world, "GET", "/scorevision/manifests", NULL, 404);
  world_expect_status (world, "GET", bare, NULL, 403);
}

/* ── */

static void
set_up (World *world, gconstpointer unused)
{
  world_set_up (world, 0);
}

static void
tear_down (World *world, gconstpointer unused)
{
  world_tear_down (world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add ("/api/public/" #test, World, NULL, set_up, test, tear_down)
  ADD (test_commitments_list);
  ADD (test_commitments_name_a_few_rivals);
  ADD (test_commitments_show_void_texts);
  ADD (test_commitments_parameters);
  ADD (test_public_tree);
  ADD (test_public_tree_conditions);
  ADD (test_absent);
  ADD (test_nothing_private_is_public);
  return g_test_run ();
}
