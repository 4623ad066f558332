/* Cases: bound nonce and seed against values computed with Python's hashlib and json; that every part enters; that the hash
 * enters in its stored form; which clip a seed draws, at the bounds; shares of draws; elements that doubles cannot serve. */
#include "sample.h"

#include "protocol/challenge.h"

#include "base/hash.h"

#include <float.h>

#define BASE "https://api.example"
#define NONCE "1761177600000000000"
#define ELEMENT "PlayerDetect_v1@1.0"
#define PROOF "19000:0x0000000000000000000000000000000000000000000000000000000000000001"
#define LARGEST_SEED (G_GUINT64_CONSTANT (1) << 53) - 1

static void
assert_nonce (char *nonce, const char *expected)
{
  g_assert_cmpstr (nonce, ==, expected);
  g_free (nonce);
}

static void
test_bound_nonce_is_as_others_compute_it (void)
{
  assert_nonce (sv_bound_nonce (BASE, 44, ALICE, NONCE, ELEMENT, BOB, "scorevision-lynx", PROOF),
                "83f94458-a75e-48a1-9910-2c72490a7d8a");
  assert_nonce (sv_bound_nonce (BASE, 44, ALICE, NONCE, ELEMENT, ALICE, NULL, PROOF), "8a346e3a-ca2b-4b47-9b18-45c9c10a3deb");
  assert_nonce (sv_bound_nonce (BASE, 44, ALICE, NONCE, ELEMENT, ALICE, "", "\"\\/\xc3\xa9"),
                "aabfa8ab-e66d-4568-b713-a5856d0fb73d");
}

static void
test_every_part_enters_the_bound_nonce (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  char *const nonces[] = {
    sv_bound_nonce (BASE, 44, ALICE, NONCE, ELEMENT, BOB, "slug", PROOF),
    sv_bound_nonce (BASE "x", 44, ALICE, NONCE, ELEMENT, BOB, "slug", PROOF),
    sv_bound_nonce (BASE, 45, ALICE, NONCE, ELEMENT, BOB, "slug", PROOF),
    sv_bound_nonce (BASE, 44, BOB, NONCE, ELEMENT, BOB, "slug", PROOF),
    sv_bound_nonce (BASE, 44, ALICE, "1761177600000000001", ELEMENT, BOB, "slug", PROOF),
    sv_bound_nonce (BASE, 44, ALICE, NONCE, "BallDetect_v1@1.0", BOB, "slug", PROOF),
    sv_bound_nonce (BASE, 44, ALICE, NONCE, ELEMENT, ALICE, "slug", PROOF),
    sv_bound_nonce (BASE, 44, ALICE, NONCE, ELEMENT, BOB, "", PROOF),
    sv_bound_nonce (BASE, 44, ALICE, NONCE, ELEMENT, BOB, "slug", NULL),
  };

  for (gsize i = 0; i < G_N_ELEMENTS (nonces); i++)
    g_assert_true (g_hash_table_add (seen, nonces[i]));
}

static void
test_no_nonce_is_bound_to_what_is_not_utf8 (void)
{
  assert_nonce (sv_bound_nonce (BASE, 44, ALICE, NONCE, ELEMENT, BOB, "slug", "\xff"), "");
}

static void
make_key (guint8 key[32])
{
  for (guint8 i = 0; i < 32; i++)
    key[i] = i;
}

static void
test_seed_is_as_others_compute_it (void)
{
  guint8 key[32];
  make_key (key);
  g_autofree char *commit = sv_draw_commit (key);

  g_assert_cmpuint (sv_draw_seed (key, HASH_A, ELEMENT, ALICE, BOB, NONCE), ==, G_GUINT64_CONSTANT (7435031936732627));
  g_assert_cmpuint (sv_draw_seed (key, HASH_A, ELEMENT, ALICE, BOB, "1761177600000000001"), ==,
                    G_GUINT64_CONSTANT (7219769058450196));
  g_assert_cmpuint (sv_draw_seed (key, HEX_A, ELEMENT, ALICE, BOB, NONCE), ==, G_GUINT64_CONSTANT (7435031936732627));
  g_assert_cmpstr (commit, ==, "sha256:630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd");
}

static void
test_every_part_enters_the_seed (void)
{
  guint8 key[32], other[32] = { 1 };
  make_key (key);
  const guint64 seed = sv_draw_seed (key, HASH_A, ELEMENT, ALICE, BOB, NONCE);

  g_assert_cmpuint (sv_draw_seed (other, HASH_A, ELEMENT, ALICE, BOB, NONCE), !=, seed);
  g_assert_cmpuint (sv_draw_seed (key, HASH_B, ELEMENT, ALICE, BOB, NONCE), !=, seed);
  g_assert_cmpuint (sv_draw_seed (key, HASH_A, "BallDetect_v1@1.0", ALICE, BOB, NONCE), !=, seed);
  g_assert_cmpuint (sv_draw_seed (key, HASH_A, ELEMENT, BOB, BOB, NONCE), !=, seed);
  g_assert_cmpuint (sv_draw_seed (key, HASH_A, ELEMENT, ALICE, ALICE, NONCE), !=, seed);
}

static char clip_names[4][2] = { "a", "b", "c", "d" };

static void
assert_draws (const double *weights, gsize n, guint64 seed, const char *expected)
{
  SvManifestClip clips[4] = { 0 };
  for (gsize i = 0; i < n; i++)
    clips[i] = (SvManifestClip){ .hash = clip_names[i], .weight = weights[i] };
  const SvElement element = { .clips = clips, .n_clips = n };
  const SvManifestClip *drawn = sv_draw_clip (&element, seed);
  g_assert_cmpstr (drawn != NULL ? drawn->hash : NULL, ==, expected);
}

static void
test_seed_draws_the_first_clip_beyond_its_share (void)
{
  const double weights[] = { 1, 2, 1 };
  const guint64 quarter = G_GUINT64_CONSTANT (1) << 51;

  assert_draws (weights, 3, 0, "a");
  assert_draws (weights, 3, quarter - 1, "a");
  assert_draws (weights, 3, quarter, "b");
  assert_draws (weights, 3, 3 * quarter - 1, "b");
  assert_draws (weights, 3, 3 * quarter, "c");
  assert_draws (weights, 3, LARGEST_SEED, "c");
  assert_draws (weights, 1, LARGEST_SEED, "a");
}

static void
test_element_without_clips_draws_none (void)
{
  assert_draws (NULL, 0, 1, NULL);
}

/* Thirds are not exact in binary; whatever the rounding, the largest seed stays inside. */
static void
test_every_seed_draws_a_clip (void)
{
  const double thirds[] = { 0.1, 0.1, 0.1 }, huge[] = { DBL_MAX, DBL_MAX }, tiny[] = { 4.9e-324, 4.9e-324, 4.9e-324 };

  assert_draws (thirds, 3, LARGEST_SEED, "c");
  assert_draws (huge, 2, 0, "b");
  assert_draws (huge, 2, LARGEST_SEED, "b");
  assert_draws (tiny, 3, 0, "a");
  assert_draws (tiny, 3, LARGEST_SEED, "c");
}

static void
test_clips_are_drawn_in_proportion (void)
{
  g_autoptr (SvManifest) manifest = sample_manifest ("2025-10-23", 100, 200, NULL);
  const SvElement *element = sv_manifest_find_element (manifest, ELEMENT);
  guint8 key[32];
  guint n_first = 0;

  make_key (key);
  g_assert_cmpstr (element->clips[0].hash, ==, HASH_A);
  for (guint i = 0; i < 7000; i++)
  {
    g_autofree char *nonce = g_strdup_printf ("17611776%011u", i);
    const guint64 seed = sv_draw_seed (key, manifest->hash, element->id, ALICE, BOB, nonce);
    g_assert_cmpuint (seed, <=, LARGEST_SEED);
    n_first += sv_draw_clip (element, seed) == &element->clips[0];
  }
  /* 2.5 of 3.5 is 5000 of 7000; the nonces are fixed, so the count is too */
  g_assert_cmpuint (n_first, >, 4850);
  g_assert_cmpuint (n_first, <, 5150);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/draw/bound nonce is as others compute it", test_bound_nonce_is_as_others_compute_it);
  g_test_add_func ("/draw/every part enters the bound nonce", test_every_part_enters_the_bound_nonce);
  g_test_add_func ("/draw/no nonce is bound to what is not UTF-8", test_no_nonce_is_bound_to_what_is_not_utf8);
  g_test_add_func ("/draw/seed is as others compute it", test_seed_is_as_others_compute_it);
  g_test_add_func ("/draw/every part enters the seed", test_every_part_enters_the_seed);
  g_test_add_func ("/draw/seed draws the first clip beyond its share", test_seed_draws_the_first_clip_beyond_its_share);
  g_test_add_func ("/draw/element without clips draws none", test_element_without_clips_draws_none);
  g_test_add_func ("/draw/every seed draws a clip", test_every_seed_draws_a_clip);
  g_test_add_func ("/draw/clips are drawn in proportion", test_clips_are_drawn_in_proportion);
  return g_test_run ();
}
