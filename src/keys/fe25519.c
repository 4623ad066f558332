/* The field's functions that are called rarely: encodings, and the root, which is a power. */
#include "keys/fe25519.h"

#include <string.h>

const SvFe25519 sv_fe25519_zero = { { 0 } };
const SvFe25519 sv_fe25519_one = { { 1 } };
const SvFe25519 sv_fe25519_d = { { 0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff } };
const SvFe25519 sv_fe25519_2d = { { 0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff } };
const SvFe25519 sv_fe25519_sqrt_m1 = { { 0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e,
                                         0x2b8324804fc1d } };

/* ---- encodings, and what is asked of them ---- */

static guint64
load (const guint8 *bytes)
{
  guint64 word;
  memcpy (&word, bytes, sizeof word);
  return GUINT64_FROM_LE (word);
}

void
sv_fe25519_decode (SvFe25519 *a, const guint8 bytes[SV_FE25519_SIZE])
{
  a->limb[0] = load (bytes) & SV_FE25519_LIMB_MASK;
  a->limb[1] = load (bytes + 6) >> 3 & SV_FE25519_LIMB_MASK;
  a->limb[2] = load (bytes + 12) >> 6 & SV_FE25519_LIMB_MASK;
  a->limb[3] = load (bytes + 19) >> 1 & SV_FE25519_LIMB_MASK;
  a->limb[4] = load (bytes + 24) >> 12 & SV_FE25519_LIMB_MASK;
}

/* What is carried out of the highest limb comes back times 19. */
static void
carry_around (guint64 limb[5])
{
  for (guint i = 0; i < 4; i++)
  {
    limb[i + 1] += limb[i] >> SV_FE25519_LIMB_BITS;
    limb[i] &= SV_FE25519_LIMB_MASK;
  }
  limb[0] += 19 * (limb[4] >> SV_FE25519_LIMB_BITS);
  limb[4] &= SV_FE25519_LIMB_MASK;
}

void
sv_fe25519_tighten (SvFe25519 *a)
{
  carry_around (a->limb);
}

void
sv_fe25519_negate (SvFe25519 *negated, const SvFe25519 *a)
{
  sv_fe25519_subtract (negated, &sv_fe25519_zero, a);
  carry_around (negated->limb);
}

/* After two rounds the number is below 2^255, in limbs of 51 bits: the second can bring at most 19 into a limb that the first
 * has emptied that far. It is at most p - 1 or it has one p too many, which shows as a carry out of bit 255 when 19 is added.
 */
static void
reduce (guint64 limb[5])
{
  carry_around (limb);
  carry_around (limb);
  guint64 over = 19;
  for (guint i = 0; i < 5; i++)
    over = (limb[i] + over) >> SV_FE25519_LIMB_BITS;
  limb[0] += 19 * over;
  for (guint i = 0; i < 4; i++)
  {
    limb[i + 1] += limb[i] >> SV_FE25519_LIMB_BITS;
    limb[i] &= SV_FE25519_LIMB_MASK;
  }
  limb[4] &= SV_FE25519_LIMB_MASK;
}

void
sv_fe25519_encode (guint8 bytes[SV_FE25519_SIZE], const SvFe25519 *a)
{
  guint64 limb[5];
  memcpy (limb, a->limb, sizeof limb);
  reduce (limb);
  const guint64 words[4] = {
    GUINT64_TO_LE (limb[0] | limb[1] << 51),
    GUINT64_TO_LE (limb[1] >> 13 | limb[2] << 38),
    GUINT64_TO_LE (limb[2] >> 26 | limb[3] << 25),
    GUINT64_TO_LE (limb[3] >> 39 | limb[4] << 12),
  };
  memcpy (bytes, words, sizeof words);
}

gboolean
sv_fe25519_is_zero (const SvFe25519 *a)
{
  guint64 limb[5];
  memcpy (limb, a->limb, sizeof limb);
  reduce (limb);
  return (limb[0] | limb[1] | limb[2] | limb[3] | limb[4]) == 0;
}

gboolean
sv_fe25519_is_negative (const SvFe25519 *a)
{
  guint64 limb[5];
  memcpy (limb, a->limb, sizeof limb);
  reduce (limb);
  return (limb[0] & 1) != 0;
}

gboolean
sv_fe25519_equal (const SvFe25519 *a, const SvFe25519 *b)
{
  guint8 left[SV_FE25519_SIZE], right[SV_FE25519_SIZE];
  sv_fe25519_encode (left, a);
  sv_fe25519_encode (right, b);
  return memcmp (left, right, sizeof left) == 0;
}

/* ---- the root ---- */

/* @a to the power of 2^@n. */
static void
square_times (SvFe25519 *power, const SvFe25519 *a, guint n)
{
  SvFe25519 x = *a;
  for (guint i = 0; i < n; i++)
    sv_fe25519_square (&x, &x);
  *power = x;
}

/* @a to the power of 2^(n+m) - 1, from those of 2^n - 1 and 2^m - 1. */
static void
lengthen (SvFe25519 *power, const SvFe25519 *of_n, guint m, const SvFe25519 *of_m)
{
  SvFe25519 shifted;
  square_times (&shifted, of_n, m);
  sv_fe25519_multiply (power, &shifted, of_m);
}

/* @a to the power of (p-5)/8, which is 2^252 - 3. */
static void
raise_for_root (SvFe25519 *power, const SvFe25519 *a)
{
  SvFe25519 a2, a9, a11, n5, n10, n20, n40, n50, n100, n200, n250;
  sv_fe25519_square (&a2, a);
  square_times (&a9, &a2, 2);
  sv_fe25519_multiply (&a9, &a9, a);
  sv_fe25519_multiply (&a11, &a9, &a2);
  sv_fe25519_square (&n5, &a11);
  sv_fe25519_multiply (&n5, &n5, &a9); /* 22 + 9 = 2^5 - 1 */
  lengthen (&n10, &n5, 5, &n5);
  lengthen (&n20, &n10, 10, &n10);
  lengthen (&n40, &n20, 20, &n20);
  lengthen (&n50, &n40, 10, &n10);
  lengthen (&n100, &n50, 50, &n50);
  lengthen (&n200, &n100, 100, &n100);
  lengthen (&n250, &n200, 50, &n50);
  lengthen (power, &n250, 2, a); /* 2^252 - 4 + 1 */
}

/* The candidate is u·v³·(u·v⁷)^((p-5)/8); its square times v is u, -u, or either times the root of -1. */
gboolean
sv_fe25519_sqrt_ratio (SvFe25519 *root, const SvFe25519 *u, const SvFe25519 *v)
{
  SvFe25519 v3, uv3, uv7, power, x, check, minus_u, minus_ui;
  sv_fe25519_square (&v3, v);
  sv_fe25519_multiply (&v3, &v3, v);
  sv_fe25519_multiply (&uv3, &v3, u);
  sv_fe25519_square (&uv7, &v3);
  sv_fe25519_multiply (&uv7, &uv7, v);
  sv_fe25519_multiply (&uv7, &uv7, u);
  raise_for_root (&power, &uv7);
  sv_fe25519_multiply (&x, &power, &uv3);

  sv_fe25519_square (&check, &x);
  sv_fe25519_multiply (&check, &check, v);
  sv_fe25519_multiply (&minus_u, u, &sv_fe25519_one); /* tight */
  gboolean is_root = sv_fe25519_equal (&check, &minus_u);
  sv_fe25519_negate (&minus_u, &minus_u);
  sv_fe25519_multiply (&minus_ui, &minus_u, &sv_fe25519_sqrt_m1);
  gboolean is_turned_root = sv_fe25519_equal (&check, &minus_u);
  if (is_turned_root || sv_fe25519_equal (&check, &minus_ui))
    sv_fe25519_multiply (&x, &x, &sv_fe25519_sqrt_m1);
  *root = x;
  if (sv_fe25519_is_negative (&x))
    sv_fe25519_negate (root, &x);
  return is_root || is_turned_root;
}
