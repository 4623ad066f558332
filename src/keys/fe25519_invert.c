/* The inverse, by a greatest common divisor. As a power, a^(p-2), it would be 254 squarings one after the other, which take
 * more than twice the time.
 *
 * Bernstein and Yang's division steps (https://gcd.cr.yp.to/safegcd-20190413.pdf) take an odd f, a g, and a number delta. A
 * step halves g where it is even. Otherwise it makes it even first, by adding f; and where delta is positive, it has before
 * that made g the new f, -f the new g, and negated delta. Then it adds 1 to delta. From f = p, which is prime, and g between 0
 * and p, steps lead to f = 1 or -1, and g = 0.
 *
 * What the next 62 steps do can be seen on the lowest 62 bits of f and g, and it is linear: a matrix of whole numbers, divided
 * by 2^62. So 62 steps are made in registers, and their matrix is applied to the long numbers: to f and g, and to d and e,
 * which are kept such that d·a is f and e·a is g modulo p. Then 1/a is d or -d. That takes nine rounds, by
 * chance eight. From a delta of 1/2 (rather than 1) numbers of 256 bits take at most 590 steps, ten rounds; the bound is by
 * Pieter Wuille's analysis (https://github.com/sipa/safegcd-bounds). */
#include "keys/fe25519.h"

#define N_LIMBS 5
#define LIMB_BITS 62
#define LIMB_MASK ((G_GUINT64_CONSTANT (1) << LIMB_BITS) - 1)
#define INVERSE_OF_19 G_GUINT64_CONSTANT (0x86bca1af286bca1b) /* modulo 2^64 */

typedef __int128 Wide;

/* Limbs of 62 bits, least significant first. The highest one has the sign. */
typedef struct
{
  gint64 limb[N_LIMBS];
} Long;

/* f becomes (u·f + v·g) / 2^62, g becomes (q·f + r·g) / 2^62. |u| + |v| and |q| + |r| are at most 2^62. */
typedef struct
{
  gint64 u, v, q, r;
} Matrix;

/* Makes 62 steps. @minus_delta is rounded down, from a half: -1 at first, below 0 where delta is positive, and negated by ~.
 *
 * Whether f and g are swapped is as good as random, and the processor would guess wrong every other time: so a mask decides. */
static Matrix
make_steps (gint64 *minus_delta, guint64 f, guint64 g)
{
  guint64 u = 1, v = 0, q = 0, r = 1;
  gint64 eta = *minus_delta;
  guint left = LIMB_BITS;
  for (;;)
  {
    guint n_halvings = (guint)__builtin_ctzll (g | G_GUINT64_CONSTANT (1) << left);
    g >>= n_halvings; /* the matrix is kept times 2^62 / 2^left, so its other row grows instead */
    u <<= n_halvings;
    v <<= n_halvings;
    eta -= n_halvings;
    left -= n_halvings;
    if (left == 0)
      break;
    guint64 swap = (guint64)(eta >> 63), old_u = u, old_v = v, sum = g + f, difference = g - f;
    eta ^= (gint64)swap;
    f ^= (f ^ g) & swap;
    u ^= (u ^ q) & swap;
    v ^= (v ^ r) & swap;
    g = sum ^ ((sum ^ difference) & swap);
    q += (old_u ^ swap) - swap;
    r += (old_v ^ swap) - swap;
  }
  *minus_delta = eta;
  return (Matrix){ (gint64)u, (gint64)v, (gint64)q, (gint64)r };
}

/* (u·x + v·y) / 2^62 modulo p. So that 2^62 divides it, a multiple of p is added, which is 2^255 - 19. Of f and g that
 * multiple is 0, and the result is the very quotient. Of others the largest absolute value grows by less than p. */
static Long
combine (gint64 u, const Long *x, gint64 v, const Long *y)
{
  Long sum;
  Wide column = (Wide)u * x->limb[0] + (Wide)v * y->limb[0];
  guint64 m = ((guint64)column * INVERSE_OF_19) & LIMB_MASK;
  column = (column - (Wide)m * 19) >> LIMB_BITS;
  for (guint i = 1; i < N_LIMBS; i++)
  {
    column += (Wide)u * x->limb[i] + (Wide)v * y->limb[i];
    if (i == N_LIMBS - 1)
      column += (Wide)m << (255 - LIMB_BITS * i);
    sum.limb[i - 1] = (gint64)((guint64)column & LIMB_MASK);
    column >>= LIMB_BITS;
  }
  sum.limb[N_LIMBS - 1] = (gint64)column;
  return sum;
}

static gboolean
is_zero (const Long *x)
{
  return (x->limb[0] | x->limb[1] | x->limb[2] | x->limb[3] | x->limb[4]) == 0;
}

static Long
read_long (const SvFe25519 *a)
{
  guint64 word[4];
  sv_fe25519_encode ((guint8 *)word, a);
  for (guint i = 0; i < 4; i++)
    word[i] = GUINT64_FROM_LE (word[i]);
  return (Long){ {
      (gint64)(word[0] & LIMB_MASK),
      (gint64)((word[0] >> 62 | word[1] << 2) & LIMB_MASK),
      (gint64)((word[1] >> 60 | word[2] << 4) & LIMB_MASK),
      (gint64)((word[2] >> 58 | word[3] << 6) & LIMB_MASK),
      (gint64)(word[3] >> 56),
  } };
}

/* Gives @x, or -@x. Ten rounds leave it between -11p and 11p, so with 16p added it is positive and below 2^260. */
static void
write_long (SvFe25519 *a, const Long *x, gboolean negate)
{
  static const gint64 p16[N_LIMBS] = { -16 * 19, 0, 0, 0, 16 << 7 };
  guint64 limb[N_LIMBS];
  gint64 carry = 0;
  for (guint i = 0; i < N_LIMBS; i++)
  {
    carry += p16[i] + (negate ? -x->limb[i] : x->limb[i]);
    limb[i] = (guint64)carry & LIMB_MASK;
    carry >>= LIMB_BITS;
  }
  guint64 top = limb[3] >> 18 | limb[4] << 44;
  a->limb[0] = (limb[0] & SV_FE25519_LIMB_MASK) + 19 * (top >> SV_FE25519_LIMB_BITS);
  a->limb[1] = (limb[0] >> 51 | limb[1] << 11) & SV_FE25519_LIMB_MASK;
  a->limb[2] = (limb[1] >> 40 | limb[2] << 22) & SV_FE25519_LIMB_MASK;
  a->limb[3] = (limb[2] >> 29 | limb[3] << 33) & SV_FE25519_LIMB_MASK;
  a->limb[4] = top & SV_FE25519_LIMB_MASK;
}

void
sv_fe25519_invert (SvFe25519 *inverse, const SvFe25519 *a)
{
  static const Long p = { { LIMB_MASK - 18, LIMB_MASK, LIMB_MASK, LIMB_MASK, 0x7f } };
  Long f = p, g = read_long (a), d = { { 0 } }, e = { { 1 } };
  gint64 minus_delta = -1;
  while (!is_zero (&g))
  {
    Matrix m = make_steps (&minus_delta, (guint64)f.limb[0], (guint64)g.limb[0]);
    Long old_f = f, old_d = d;
    f = combine (m.u, &old_f, m.v, &g);
    g = combine (m.q, &old_f, m.r, &g);
    d = combine (m.u, &old_d, m.v, &e);
    e = combine (m.q, &old_d, m.r, &e);
  }
  write_long (inverse, &d, f.limb[N_LIMBS - 1] < 0);
}
