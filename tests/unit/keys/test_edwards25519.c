/* Cases, each against libsodium byte by byte: what is read as a point, of random bytes, of non-canonical encodings and of all
 * points of small order, for Ed25519 and ristretto255; what encodes a point of ristretto255 and what does not; sums,
 * differences, doubles and negatives of points with and without a component of small order; which orders are small; s·B + k·A
 * for random scalars and for edges (0, 1, L-1, L, 2^253-1, single bits), with A of prime order, of small order and mixed,
 * summed one after the other and, where the processor can, eight at a time. */
#include "keys/edwards25519.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "crafted_signature.h"
#include "keys/edwards25519_terms.h"

#define N_RANDOM 500

static const guint8 neutral[32] = { 1 };
static const guint8 order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                  0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };

/* libsodium adds the neutral element to whatever it can read, and writes the only encoding. */
static gboolean
is_the_encoding (const guint8 bytes[32])
{
  guint8 again[32];
  return crypto_core_ed25519_add (again, bytes, neutral) == 0 && memcmp (again, bytes, 32) == 0;
}

/* Of 1.0.18 the highest bit has to be seen beside it. */
static gboolean
is_the_ristretto_encoding (const guint8 bytes[32])
{
  return (bytes[31] & 0x80) == 0 && crypto_core_ristretto255_is_valid_point (bytes) == 1;
}

/* @expected and nothing near it encodes the point, whichever of the four that are one point of ristretto255 stands for it. */
static void
assert_ristretto (const SvEdwardsPoint *point, const guint8 expected[32])
{
  SvEdwardsPoint turned = *point, quarter;
  guint8 bytes[32], i = (guint8)randombytes_uniform (32);
  sv_torsion_point (2, bytes);
  g_assert_true (sv_edwards_decode (&quarter, bytes));
  for (guint n = 0; n < 4; n++)
  {
    memcpy (bytes, expected, 32);
    g_assert_true (sv_ristretto_is_encoding (bytes, &turned));
    for (guint bit = 0; bit < 8; bit++)
    {
      bytes[i] = (guint8)(expected[i] ^ 1 << bit);
      g_assert_false (sv_ristretto_is_encoding (bytes, &turned));
    }
    sv_edwards_add (&turned, &turned, &quarter, 0);
  }
}

/* @bytes as a number, negated: the other root. */
static void
negate_bytes (guint8 bytes[32])
{
  SvFe25519 a;
  sv_fe25519_decode (&a, bytes);
  sv_fe25519_negate (&a, &a);
  sv_fe25519_encode (bytes, &a);
}

static void
read_both (const guint8 bytes[32])
{
  SvEdwardsPoint point;
  guint8 again[32];
  g_assert_true (sv_edwards_decode (&point, bytes) == is_the_encoding (bytes));
  if (is_the_encoding (bytes))
  {
    sv_edwards_encode (again, &point);
    g_assert_cmpmem (again, 32, bytes, 32);
  }
  g_assert_true (sv_ristretto_decode (&point, bytes) == is_the_ristretto_encoding (bytes));
  if (is_the_ristretto_encoding (bytes))
  {
    assert_ristretto (&point, bytes);
    memcpy (again, bytes, 32);
    negate_bytes (again);
    g_assert_true (sv_ristretto_is_encoding (again, &point) == sodium_is_zero (bytes, 32));
  }
}

static void
test_encodings (void)
{
  guint8 bytes[32];
  for (guint low = 0; low < 256; low++)
    for (guint kind = 0; kind < 4; kind++)
    {
      memset (bytes, kind & 1 ? 0xff : 0, 32); /* 0 … 255, and 2^255-256 … 2^255-1: p is 2^255-19 */
      bytes[0] = (guint8)low;
      bytes[31] = (guint8)((kind & 1 ? 0x7f : 0) | (kind & 2 ? 0x80 : 0));
      read_both (bytes);
    }
  for (guint i = 0; i < SV_N_TORSION; i++)
    for (guint sign = 0; sign < 2; sign++)
    {
      sv_torsion_point (i, bytes);
      bytes[31] ^= (guint8)(sign << 7);
      read_both (bytes);
    }
  for (guint n = 0; n < N_RANDOM; n++)
  {
    randombytes_buf (bytes, 32);
    read_both (bytes);
    bytes[31] &= 0x7f;
    bytes[0] &= 0xfe;
    read_both (bytes);
    crypto_core_ristretto255_random (bytes);
    read_both (bytes);
  }
}

/* A point of prime order, or neutral where @kind is 0, plus that many times a point of order eight. */
static void
draw_point (guint kind, guint torsion, guint8 encoded[32])
{
  guint8 small[32];
  sv_torsion_point (torsion, small);
  memcpy (encoded, neutral, 32);
  if (kind != 0)
    crypto_core_ed25519_random (encoded);
  g_assert_cmpint (crypto_core_ed25519_add (encoded, encoded, small), ==, 0);
}

static void
decode (SvEdwardsPoint *point, const guint8 encoded[32])
{
  g_assert_true (sv_edwards_decode (point, encoded));
}

static void
assert_point (const SvEdwardsPoint *point, const guint8 expected[32])
{
  guint8 encoded[32];
  SvFe25519 xy, zt;
  sv_edwards_encode (encoded, point);
  g_assert_cmpmem (encoded, 32, expected, 32);
  sv_fe25519_multiply (&xy, &point->x, &point->y);
  sv_fe25519_multiply (&zt, &point->z, &point->t);
  g_assert_true (sv_fe25519_equal (&xy, &zt));
}

static void
compare_sums (const guint8 a_bytes[32], const guint8 b_bytes[32])
{
  SvEdwardsPoint a, b, c;
  guint8 expected[32];
  decode (&a, a_bytes);
  decode (&b, b_bytes);
  crypto_core_ed25519_add (expected, a_bytes, b_bytes);
  sv_edwards_add (&c, &a, &b, 0);
  assert_point (&c, expected);
  crypto_core_ed25519_sub (expected, a_bytes, b_bytes);
  sv_edwards_add (&c, &a, &b, 1);
  assert_point (&c, expected);
  crypto_core_ed25519_add (expected, a_bytes, a_bytes);
  sv_edwards_double (&c, &a);
  assert_point (&c, expected);
  crypto_core_ed25519_sub (expected, neutral, a_bytes);
  sv_edwards_negate (&c, &a);
  assert_point (&c, expected);
}

static void
test_sums (void)
{
  guint8 a[32], b[32];
  for (guint n = 0; n < 4 * SV_N_TORSION * SV_N_TORSION; n++)
  {
    draw_point (n & 1, n / 4 % SV_N_TORSION, a);
    draw_point (n & 2, n / 4 / SV_N_TORSION, b);
    compare_sums (a, b);
    compare_sums (a, a);
  }
}

static void
test_small_orders (void)
{
  for (guint n = 0; n < 2 * SV_N_TORSION; n++)
  {
    guint8 bytes[32];
    SvEdwardsPoint point;
    draw_point (n % 2, n / 2, bytes);
    decode (&point, bytes);
    g_assert_true (sv_edwards_has_small_order (&point) == (n % 2 == 0));
  }
}

/* libsodium multiplies points of prime order only; what is of small order repeats after eight. */
static void
expect_product (guint8 expected[32], const guint8 k[32], const guint8 prime_part[32], guint torsion, const guint8 s[32])
{
  guint8 part[32], small[32];
  sv_torsion_point (torsion * (k[0] & 7), small);
  memcpy (expected, neutral, 32);
  if (crypto_scalarmult_ed25519_base_noclamp (part, s) == 0)
    crypto_core_ed25519_add (expected, expected, part);
  if (memcmp (prime_part, neutral, 32) != 0 && crypto_scalarmult_ed25519_noclamp (part, k, prime_part) == 0)
    crypto_core_ed25519_add (expected, expected, part);
  crypto_core_ed25519_add (expected, expected, small);
}

/* By every way of summing that there is here, each in turn the one that sv_edwards_multiply() takes somewhere. */
static void
assert_product (const guint8 k[32], const SvEdwardsComb *comb, const guint8 s[32], const guint8 expected[32],
                void (*assert_is) (const SvEdwardsPoint *, const guint8 *))
{
  SvEdwardsTerms terms;
  SvEdwardsPoint product;
  SvEdwardsSumTerms vector_sum = sv_edwards_vector_sum ();
  sv_edwards_multiply (&product, k, comb, s);
  assert_is (&product, expected);
  sv_edwards_find_terms (&terms, k, comb, s);
  sv_edwards_sum_terms (&product, &terms);
  assert_is (&product, expected);
  if (vector_sum == NULL)
    return;
  vector_sum (&product, &terms);
  assert_is (&product, expected);
}

static void
compare_products (const guint8 k[32], guint kind, guint torsion, const guint8 s[32])
{
  guint8 prime_part[32], a_bytes[32], small[32], expected[32];
  SvEdwardsPoint a;
  g_autofree SvEdwardsComb *comb = g_new (SvEdwardsComb, 1);
  draw_point (kind, 0, prime_part);
  sv_torsion_point (torsion, small);
  crypto_core_ed25519_add (a_bytes, prime_part, small);
  decode (&a, a_bytes);
  sv_edwards_comb_init (comb, &a);
  expect_product (expected, k, prime_part, torsion, s);
  assert_product (k, comb, s, expected, assert_point);
}

/* The last kind is random. */
static void
draw_scalar (guint which, guint8 scalar[32])
{
  memset (scalar, 0, 32);
  if (which < 2)
    scalar[0] = (guint8)which;
  else if (which < 4)
  {
    memcpy (scalar, order, 32);
    scalar[0] -= (guint8)(which - 2);
  }
  else if (which < 6)
  {
    memset (scalar, which == 4 ? 0xff : 0xaa, 32);
    scalar[31] &= 0x1f;
  }
  else if (which < 38)
    scalar[which - 6] = (guint8)(which - 6 == 31 ? 0x10 : 0x80);
  else
    crypto_core_ed25519_scalar_random (scalar);
}

static void
test_products (void)
{
  guint8 k[32], s[32];
  for (guint i = 0; i < 39; i++)
    for (guint j = 0; j < 39; j++)
    {
      draw_scalar (i, k);
      draw_scalar (j, s);
      compare_products (k, (i + j) % 8, (i + j) / 2 % SV_N_TORSION, s);
    }
  for (guint n = 0; n < N_RANDOM; n++)
  {
    draw_scalar (38, k);
    draw_scalar (38, s);
    compare_products (k, n % 16, n % SV_N_TORSION, s);
  }
}

static void
test_ristretto_products (void)
{
  g_autofree SvEdwardsComb *comb = g_new (SvEdwardsComb, 1);
  for (guint n = 0; n < N_RANDOM; n++)
  {
    guint8 a_bytes[32], k[32], s[32], left[32], right[32], expected[32];
    SvEdwardsPoint a;
    crypto_core_ristretto255_random (a_bytes);
    draw_scalar (n < 39 ? n : 38, k);
    draw_scalar (n >= 39 && n < 78 ? n - 39 : 38, s);
    (void)crypto_scalarmult_ristretto255_base (left, s); /* of 0 and L: zeros, which are the neutral element */
    (void)!crypto_scalarmult_ristretto255 (right, k, a_bytes);
    g_assert_cmpint (crypto_core_ristretto255_add (expected, left, right), ==, 0);
    g_assert_true (sv_ristretto_decode (&a, a_bytes));
    sv_edwards_comb_init (comb, &a);
    assert_product (k, comb, s, expected, assert_ristretto);
  }
}

/* What no point encodes to: p in place of 0, and 1, by which the points of order four would fulfil the equation. Another
 * point's encoding is none, either, and that of the negative least of all. */
static void
test_ristretto_no_encodings (void)
{
  static const guint8 one[32] = { 1 }, zero[32] = { 0 };
  guint8 p[32], bytes[32], negative[32];
  SvEdwardsPoint point;
  memset (p, 0xff, 32);
  p[0] = 0xed;
  p[31] = 0x7f;
  for (guint i = 0; i < SV_N_TORSION; i += 2)
  {
    sv_torsion_point (i, bytes);
    decode (&point, bytes);
    g_assert_true (sv_ristretto_is_encoding (zero, &point));
    g_assert_false (sv_ristretto_is_encoding (p, &point));
    g_assert_false (sv_ristretto_is_encoding (one, &point));
  }
  for (guint n = 0; n < N_RANDOM; n++)
  {
    crypto_core_ristretto255_random (bytes);
    crypto_core_ristretto255_sub (negative, zero, bytes);
    g_assert_true (sv_ristretto_decode (&point, bytes));
    g_assert_false (sv_ristretto_is_encoding (negative, &point));
    g_assert_false (sv_ristretto_is_encoding (zero, &point));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (sodium_init () < 0)
    return 1;
  g_test_add_func ("/edwards25519/encodings", test_encodings);
  g_test_add_func ("/edwards25519/sums", test_sums);
  g_test_add_func ("/edwards25519/small-orders", test_small_orders);
  g_test_add_func ("/edwards25519/products", test_products);
  g_test_add_func ("/edwards25519/ristretto-no-encodings", test_ristretto_no_encodings);
  g_test_add_func ("/edwards25519/ristretto-products", test_ristretto_products);
  return g_test_run ();
}
