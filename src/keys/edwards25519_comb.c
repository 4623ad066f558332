/* s·B + k·A with combs of both points.
 *
 * A scalar is written in signed digits of four bits, from -7 to 8. The digits at bits 0, 8, 16, … and those at bits 4, 12, 20,
 * … each belong to a tooth of the comb, 2^0, 2^8, 2^16, … times the point; the sum of the latter is doubled four times, and
 * these are all doublings there are. Of every tooth the multiples up to eight are kept: per key that is 32·8 points, 30 KiB.
 * The base point's comb is one for all keys, so it is larger: digits of eight bits, 32·128 points, 480 KiB, and no doublings.
 *
 * So there are always 96 points to be added, whichever the digits, which suits a processor that adds eight at a time
 * (edwards25519_ifma.c). One after the other, without those of digits that are 0, it is a twentieth slower than a comb of a
 * quarter of the size with fifteen doublings and digits of which most are 0. */
#include <string.h>

#include "keys/edwards25519.h"
#include "keys/edwards25519_steps.h"
#include "keys/edwards25519_terms.h"

#define N_TEETH SV_EDWARDS_COMB_TEETH
#define N_MULTIPLES SV_EDWARDS_COMB_MULTIPLES
#define N_BASE_MULTIPLES 128
#define TOOTH_BITS 8

G_STATIC_ASSERT (N_TEETH *TOOTH_BITS == 256);
G_STATIC_ASSERT (SV_EDWARDS_HIGH_TERMS == N_TEETH && SV_EDWARDS_N_TERMS == 3 * N_TEETH);

static const SvEdwardsAddend neutral = { { { 1 } }, { { 1 } }, { { 0 } } };

/* ---- combs ---- */

/* Divides by Z, with one inversion for all: @products[i] is the product of all Z up to that of @points[i]. */
static void
make_addends (SvEdwardsAddend *addends, const SvEdwardsPoint *points, gsize n)
{
  g_autofree SvFe25519 *products = g_new (SvFe25519, n);
  SvFe25519 inverse, z_inverse, x, y, d;
  products[0] = points[0].z;
  for (gsize i = 1; i < n; i++)
    sv_fe25519_multiply (&products[i], &products[i - 1], &points[i].z);
  sv_fe25519_invert (&inverse, &products[n - 1]);
  for (gsize i = n; i-- > 0;)
  {
    z_inverse = inverse;
    if (i > 0)
      sv_fe25519_multiply (&z_inverse, &inverse, &products[i - 1]);
    sv_fe25519_multiply (&inverse, &inverse, &points[i].z);
    sv_fe25519_multiply (&x, &points[i].x, &z_inverse);
    sv_fe25519_multiply (&y, &points[i].y, &z_inverse);
    sv_fe25519_add (&addends[i].y_plus_x, &y, &x);
    sv_fe25519_tighten (&addends[i].y_plus_x);
    sv_fe25519_subtract (&addends[i].y_minus_x, &y, &x);
    sv_fe25519_tighten (&addends[i].y_minus_x);
    sv_fe25519_multiply (&d, &x, &sv_fe25519_2d);
    sv_fe25519_multiply (&addends[i].xy2d, &d, &y);
  }
}

/* @addends[tooth·n_multiples + i] is (i+1)·2^(8·tooth)·@point; @n_multiples is a power of two, 256 at most. */
static void
make_comb (SvEdwardsAddend *addends, gsize n_multiples, const SvEdwardsPoint *point)
{
  g_autofree SvEdwardsPoint *points = g_new (SvEdwardsPoint, N_TEETH * n_multiples);
  SvEdwardsPoint first = *point;
  for (gsize tooth = 0; tooth < N_TEETH; tooth++)
  {
    SvEdwardsPoint *multiples = points + tooth * n_multiples;
    multiples[0] = first;
    for (gsize i = 1; i < n_multiples; i++)
      sv_edwards_add (&multiples[i], &multiples[i - 1], &multiples[0], 0);
    first = multiples[n_multiples - 1];
    for (gsize n = n_multiples; n < 1 << TOOTH_BITS; n *= 2)
      sv_edwards_double (&first, &first);
  }
  make_addends (addends, points, N_TEETH * n_multiples);
}

void
sv_edwards_comb_init (SvEdwardsComb *comb, const SvEdwardsPoint *point)
{
  make_comb (comb->tooth[0], SV_EDWARDS_COMB_MULTIPLES, point);
}

static const SvEdwardsAddend *
base_comb (void)
{
  static SvEdwardsAddend addends[N_TEETH * N_BASE_MULTIPLES];
  static gsize is_made;
  if (g_once_init_enter (&is_made))
  {
    guint8 y_is_4_5[SV_EDWARDS_POINT_SIZE];
    SvEdwardsPoint base;
    memset (y_is_4_5, 0x66, sizeof y_is_4_5);
    y_is_4_5[0] = 0x58;
    if (!sv_edwards_decode (&base, y_is_4_5))
      g_error ("the base point is not on the curve");
    make_comb (addends, N_BASE_MULTIPLES, &base);
    g_once_init_leave (&is_made, 1);
  }
  return addends;
}

/* ---- scalars ---- */

/* Of hundreds of keys the combs lie in no near cache. All that a product will ask for is known before its first addition. */
static inline void
prefetch (const SvEdwardsAddend *addend)
{
  __builtin_prefetch (&addend->y_plus_x);
  __builtin_prefetch (&addend->y_minus_x.limb[3]);
  __builtin_prefetch (&addend->xy2d.limb[4]);
}

/* Takes @bits, which with what was carried are at most 2^@width; gives the carry into the next digit. */
static inline guint
set_term (SvEdwardsTerms *terms, guint i, guint bits, guint width, const SvEdwardsAddend *multiples)
{
  guint negative = bits > 1U << (width - 1);
  guint size = negative ? (1U << width) - bits : bits;
  terms->addend[i] = size == 0 ? &neutral : &multiples[size - 1];
  terms->subtract[i] = (guint8)negative;
  prefetch (terms->addend[i]);
  return negative;
}

/* Nothing is carried out of the highest digits: scalars are below 2^253. */
void
sv_edwards_find_terms (SvEdwardsTerms *terms, const guint8 k[SV_EDWARDS_SCALAR_SIZE], const SvEdwardsComb *comb,
                       const guint8 s[SV_EDWARDS_SCALAR_SIZE])
{
  const SvEdwardsAddend *base = base_comb ();
  guint k_carry = 0, s_carry = 0;
  for (guint i = 0; i < N_TEETH; i++)
  {
    k_carry = set_term (terms, N_TEETH + i, (k[i] & 15) + k_carry, 4, comb->tooth[i]);
    k_carry = set_term (terms, i, (k[i] >> 4) + k_carry, 4, comb->tooth[i]);
    s_carry = set_term (terms, 2 * N_TEETH + i, s[i] + s_carry, 8, base + i * N_BASE_MULTIPLES);
  }
}

/* ---- the sum ---- */

static inline void
add_term (SvEdwardsSum *sum, const SvEdwardsAddend *addend, guint subtract)
{
  SvEdwardsPoint point;
  if (addend == &neutral)
    return;
  sv_edwards_finish (&point, sum);
  sv_edwards_add_step (sum, &point, &point.z, subtract ? &addend->y_minus_x : &addend->y_plus_x,
                       subtract ? &addend->y_plus_x : &addend->y_minus_x, &addend->xy2d, subtract);
}

void
sv_edwards_sum_terms (SvEdwardsPoint *result, const SvEdwardsTerms *terms)
{
  SvEdwardsSum sum = { sv_fe25519_zero, sv_fe25519_one, sv_fe25519_one, sv_fe25519_one }; /* the neutral element */
  for (guint i = 0; i < SV_EDWARDS_HIGH_TERMS; i++)
    add_term (&sum, terms->addend[i], terms->subtract[i]);
  for (guint i = 0; i < 4; i++)
  {
    sv_edwards_finish_xyz (result, &sum);
    sv_edwards_double_step (&sum, &result->x, &result->y, &result->z);
  }
  for (guint i = SV_EDWARDS_HIGH_TERMS; i < SV_EDWARDS_N_TERMS; i++)
    add_term (&sum, terms->addend[i], terms->subtract[i]);
  sv_edwards_finish (result, &sum);
}

SvEdwardsSumTerms
sv_edwards_vector_sum (void)
{
#ifdef SV_EDWARDS_IFMA
  if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512ifma"))
    return sv_edwards_sum_terms_ifma;
#endif
  return NULL;
}

void
sv_edwards_multiply (SvEdwardsPoint *product, const guint8 k[SV_EDWARDS_SCALAR_SIZE], const SvEdwardsComb *comb,
                     const guint8 s[SV_EDWARDS_SCALAR_SIZE])
{
  SvEdwardsTerms terms;
  SvEdwardsSumTerms vector_sum = sv_edwards_vector_sum ();
  sv_edwards_find_terms (&terms, k, comb, s);
  if (vector_sum != NULL)
    vector_sum (product, &terms);
  else
    sv_edwards_sum_terms (product, &terms);
}
