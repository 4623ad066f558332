/* Cases: sums, differences, negatives, products, squares and encodings of random and of edge numbers (0, 1, p-1, p, p+18, all
 * bits, the largest limbs that each function allows) against a schoolbook in bytes; inverses of a million random numbers, and
 * of more edges (single bits, small numbers, the negatives and inverses of these) against the power p-2; roots of squares and
 * of others; what the constants are. */
#include "keys/fe25519.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

#define N_RANDOM 2000
#define N_INVERSES 1000000

/* ---- the schoolbook: 32 bytes, little-endian, any number below 2^256 ---- */

static void
reduce_columns (guint64 columns[64], guint8 out[32])
{
  for (guint round = 0; round < 4; round++)
  {
    for (guint i = 0; i < 63; i++)
    {
      columns[i + 1] += columns[i] >> 8;
      columns[i] &= 0xff;
    }
    for (guint i = 32; i < 64; i++) /* 2^256 is 38 */
    {
      columns[i - 32] += 38 * columns[i];
      columns[i] = 0;
    }
  }
  guint64 top = columns[31] >> 7; /* 2^255 is 19 */
  columns[31] &= 0x7f;
  columns[0] += 19 * top;
  for (guint i = 0; i < 31; i++)
  {
    columns[i + 1] += columns[i] >> 8;
    columns[i] &= 0xff;
  }
  guint8 less_p[32]; /* + 19 - 2^255 */
  guint64 carry = 19;
  for (guint i = 0; i < 32; i++)
  {
    carry += columns[i];
    less_p[i] = (guint8)carry;
    out[i] = (guint8)columns[i];
    carry >>= 8;
  }
  if ((less_p[31] & 0x80) != 0)
  {
    less_p[31] &= 0x7f;
    memcpy (out, less_p, 32);
  }
}

static void
book_multiply (guint8 out[32], const guint8 a[32], const guint8 b[32])
{
  guint64 columns[64] = { 0 };
  for (guint i = 0; i < 32; i++)
    for (guint j = 0; j < 32; j++)
      columns[i + j] += (guint64)a[i] * b[j];
  reduce_columns (columns, out);
}

/* a + factor·b */
static void
book_add (guint8 out[32], const guint8 a[32], const guint8 b[32], guint64 factor)
{
  guint64 columns[64] = { 0 };
  for (guint i = 0; i < 32; i++)
    columns[i] = a[i] + factor * b[i];
  reduce_columns (columns, out);
}

static void
book_subtract (guint8 out[32], const guint8 a[32], const guint8 b[32])
{
  guint8 minus_one[32];
  memset (minus_one, 0xff, 32);
  minus_one[0] = 0xec;
  minus_one[31] = 0x7f;
  book_multiply (minus_one, minus_one, b);
  book_add (out, a, minus_one, 1);
}

/* ---- comparing ---- */

static void
assert_bytes (const SvFe25519 *a, const guint8 expected[32], gboolean tight)
{
  guint8 bytes[32];
  sv_fe25519_encode (bytes, a);
  g_assert_cmpmem (bytes, 32, expected, 32);
  for (guint i = 0; tight && i < 5; i++)
    g_assert_cmpuint (a->limb[i], <, (G_GUINT64_CONSTANT (1) << 51) + (1 << 13));
}

/* Two numbers, and the same as bytes. */
static void
compare (const SvFe25519 *a, const guint8 a_bytes[32], const SvFe25519 *b, const guint8 b_bytes[32], gboolean are_sums)
{
  guint8 expected[32];
  SvFe25519 c;
  book_multiply (expected, a_bytes, b_bytes);
  sv_fe25519_multiply (&c, a, b);
  assert_bytes (&c, expected, TRUE);
  book_multiply (expected, a_bytes, a_bytes);
  sv_fe25519_square (&c, a);
  assert_bytes (&c, expected, TRUE);
  if (!are_sums)
    return;
  book_add (expected, a_bytes, b_bytes, 1);
  sv_fe25519_add (&c, a, b);
  assert_bytes (&c, expected, FALSE);
  book_subtract (expected, a_bytes, b_bytes);
  sv_fe25519_subtract (&c, a, b);
  assert_bytes (&c, expected, FALSE);
  sv_fe25519_negate (&c, a);
  book_subtract (expected, (const guint8[32]){ 0 }, a_bytes);
  assert_bytes (&c, expected, TRUE);
}

/* Edge encodings; the last is random. */
static void
draw (guint which, guint8 bytes[32])
{
  static const guint8 from_the_end_of_p[] = { 0xec, 0xed, 0xee, 0xff }; /* p-1, p, p+1, p+18 */
  memset (bytes, 0, 32);
  if (which < 3)
    bytes[0] = (guint8)which;
  else if (which < 7)
  {
    memset (bytes, 0xff, 32);
    bytes[0] = from_the_end_of_p[which - 3];
    bytes[31] = 0x7f;
  }
  else if (which < 15)
    bytes[31 - (which - 7) * 4] = 0x40;
  else
    randombytes_buf (bytes, 32);
  bytes[31] &= 0x7f;
}

static void
test_numbers (void)
{
  for (guint n = 0; n < 16 * 16 + N_RANDOM; n++)
  {
    guint8 a_bytes[32], b_bytes[32];
    SvFe25519 a, b;
    draw (n < 256 ? n % 16 : 15, a_bytes);
    draw (n < 256 ? n / 16 : 15, b_bytes);
    sv_fe25519_decode (&a, a_bytes);
    sv_fe25519_decode (&b, b_bytes);
    compare (&a, a_bytes, &b, b_bytes, TRUE);
    a_bytes[31] |= 0x80; /* is not read */
    sv_fe25519_decode (&b, a_bytes);
    g_assert_true (sv_fe25519_equal (&a, &b));
  }
}

/* Each limb is the largest one allowed, or 0. */
static void
test_largest_limbs (void)
{
  static const guint64 largest[] = { (G_GUINT64_CONSTANT (1) << 53) - 76, (G_GUINT64_CONSTANT (1) << 54) - 1 };
  for (guint n = 0; n < 32 * 32; n++)
    for (guint kind = 0; kind < 2; kind++)
    {
      SvFe25519 a, b;
      guint8 a_bytes[32], b_bytes[32];
      for (guint i = 0; i < 5; i++)
      {
        a.limb[i] = n >> i & 1 ? largest[kind] : 0;
        b.limb[i] = n >> (5 + i) & 1 ? largest[kind] : 0;
      }
      guint64 columns[2][64] = { { 0 } };
      for (guint i = 0; i < 5; i++)
        for (guint bit = 0; bit < 54; bit++)
        {
          guint at = 51 * i + bit;
          columns[0][at / 8] += (a.limb[i] >> bit & 1) << at % 8;
          columns[1][at / 8] += (b.limb[i] >> bit & 1) << at % 8;
        }
      reduce_columns (columns[0], a_bytes);
      reduce_columns (columns[1], b_bytes);
      assert_bytes (&a, a_bytes, FALSE);
      compare (&a, a_bytes, &b, b_bytes, kind == 0);
    }
}

/* The inverse's definition, a^(p-2): all bits of p-2, which is 2^255-21, are set but those at 2 and 4. */
static void
invert_by_power (SvFe25519 *inverse, const SvFe25519 *a)
{
  SvFe25519 power = *a;
  for (guint bit = 254; bit-- > 0;)
  {
    sv_fe25519_square (&power, &power);
    if (bit != 2 && bit != 4)
      sv_fe25519_multiply (&power, &power, a);
  }
  *inverse = power;
}

static void
compare_inverses (const SvFe25519 *a)
{
  SvFe25519 inverse, by_power;
  guint8 expected[32];
  invert_by_power (&by_power, a);
  sv_fe25519_encode (expected, &by_power);
  sv_fe25519_invert (&inverse, a);
  assert_bytes (&inverse, expected, TRUE);
}

/* The same for -@a. */
static void
compare_inverses_of_both (const SvFe25519 *a)
{
  SvFe25519 negated;
  compare_inverses (a);
  sv_fe25519_negate (&negated, a);
  compare_inverses (&negated);
}

static void
test_inverses_at_edges (void)
{
  SvFe25519 a;
  guint8 bytes[32];
  for (guint i = 0; i < 15; i++)
  {
    draw (i, bytes);
    sv_fe25519_decode (&a, bytes);
    compare_inverses (&a);
  }
  for (guint64 i = 0; i < 1000; i++)
  {
    compare_inverses_of_both (&(SvFe25519){ { i } });
    compare_inverses_of_both (&(SvFe25519){ { 0, i << 11 } }); /* in the second of the limbs that it computes with */
  }
  for (guint bit = 0; bit < 255; bit++)
  {
    SvFe25519 below = sv_fe25519_zero;
    a = sv_fe25519_zero;
    a.limb[bit / 51] = G_GUINT64_CONSTANT (1) << bit % 51;
    compare_inverses_of_both (&a);
    for (guint i = 0; i < bit; i++)
      below.limb[i / 51] |= G_GUINT64_CONSTANT (1) << i % 51;
    compare_inverses_of_both (&below);
    sv_fe25519_invert (&a, &a);
    compare_inverses_of_both (&a);
  }
  for (guint pattern = 0; pattern < 32; pattern++)
  {
    for (guint i = 0; i < 5; i++)
      a.limb[i] = pattern >> i & 1 ? (G_GUINT64_CONSTANT (1) << 54) - 1 : 0;
    compare_inverses (&a);
  }
}

/* Half of them have long runs of equal bits. */
static void
test_inverses_of_random_numbers (void)
{
  SvFe25519 a, inverse, product;
  guint64 limbs[5];
  for (guint n = 0; n < N_INVERSES; n++)
  {
    randombytes_buf (limbs, sizeof limbs);
    for (guint i = 0; i < 5; i++)
      a.limb[i] = n % 2 == 0 ? limbs[i] >> 10 : limbs[i] % 3 * SV_FE25519_LIMB_MASK;
    sv_fe25519_invert (&inverse, &a);
    sv_fe25519_multiply (&product, &inverse, &a);
    g_assert_true (sv_fe25519_equal (&product, sv_fe25519_is_zero (&a) ? &sv_fe25519_zero : &sv_fe25519_one));
    if (n % 64 == 0)
      compare_inverses (&a);
  }
}

/* root² · v is u where u/v is a square, otherwise u times the root of -1. */
static void
assert_root (const SvFe25519 *u, const SvFe25519 *v, gboolean is_square)
{
  SvFe25519 root, check, expected = *u;
  g_assert_true (sv_fe25519_sqrt_ratio (&root, u, v) == is_square);
  g_assert_false (sv_fe25519_is_negative (&root));
  sv_fe25519_square (&check, &root);
  sv_fe25519_multiply (&check, &check, v);
  if (!is_square)
    sv_fe25519_multiply (&expected, u, &sv_fe25519_sqrt_m1);
  g_assert_true (sv_fe25519_equal (&check, &expected));
}

static void
test_roots (void)
{
  SvFe25519 root, two = { { 2 } };
  for (guint n = 0; n < N_RANDOM / 10; n++)
  {
    guint8 bytes[32];
    SvFe25519 a, u, v;
    randombytes_buf (bytes, 32);
    sv_fe25519_decode (&a, bytes);
    randombytes_buf (bytes, 32);
    sv_fe25519_decode (&v, bytes);
    sv_fe25519_square (&u, &a);
    sv_fe25519_multiply (&u, &u, &v);
    assert_root (&u, &v, TRUE);
    sv_fe25519_negate (&u, &u);
    assert_root (&u, &v, TRUE); /* -1 is a square */
    sv_fe25519_multiply (&u, &u, &two);
    assert_root (&u, &v, FALSE); /* 2 is none */
  }
  g_assert_true (sv_fe25519_sqrt_ratio (&root, &sv_fe25519_zero, &two));
  g_assert_true (sv_fe25519_is_zero (&root));
  g_assert_false (sv_fe25519_sqrt_ratio (&root, &two, &sv_fe25519_zero));
  g_assert_true (sv_fe25519_is_zero (&root));
}

static void
test_constants (void)
{
  SvFe25519 a, b, minus_one;
  sv_fe25519_negate (&minus_one, &sv_fe25519_one);
  sv_fe25519_multiply (&a, &sv_fe25519_d, &(SvFe25519){ { 121666 } });
  sv_fe25519_negate (&b, &(SvFe25519){ { 121665 } });
  g_assert_true (sv_fe25519_equal (&a, &b));
  sv_fe25519_add (&a, &sv_fe25519_d, &sv_fe25519_d);
  g_assert_true (sv_fe25519_equal (&a, &sv_fe25519_2d));
  sv_fe25519_square (&a, &sv_fe25519_sqrt_m1);
  g_assert_true (sv_fe25519_equal (&a, &minus_one));
  g_assert_false (sv_fe25519_is_negative (&sv_fe25519_sqrt_m1));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (sodium_init () < 0)
    return 1;
  g_test_add_func ("/fe25519/numbers", test_numbers);
  g_test_add_func ("/fe25519/largest-limbs", test_largest_limbs);
  g_test_add_func ("/fe25519/inverses-at-edges", test_inverses_at_edges);
  g_test_add_func ("/fe25519/inverses-of-random-numbers", test_inverses_of_random_numbers);
  g_test_add_func ("/fe25519/roots", test_roots);
  g_test_add_func ("/fe25519/constants", test_constants);
  return g_test_run ();
}
