/* s·B + k·A with combs of both points.
 *
 * A scalar is written in signed odd digits of some bits, of which most are 0 (its non-adjacent form of width w: one in w+1 is
 * not). The digit at bit i belongs to tooth i/16 of the comb, 2^(16·(i/16)) times the point, and to step i%16; so all digits of
 * a step are added between two doublings, and 15 doublings are all there are. Per key that is 16·4 points, 7.5 KiB, and some 50
 * additions. Half the teeth with twice the multiples were no faster, half the points some 5 % slower, and twice the points 5 %
 * faster. The base point's comb is one for all keys, so it is larger: 16·128 points, 240 KiB, made in 0.8 ms, and some 25
 * additions. With a quarter of the points there were 6 additions more, and a verification took 5 % longer. */
#include <string.h>

#include "keys/edwards25519.h"
#include "keys/edwards25519_steps.h"

#define N_TEETH SV_EDWARDS_COMB_TEETH
#define N_STEPS (256 / N_TEETH)
#define N_BASE_MULTIPLES 128
#define WIDTH 4 /* digits ±1 … ±7 */
#define BASE_WIDTH 9

G_STATIC_ASSERT (SV_EDWARDS_COMB_MULTIPLES == 1 << (WIDTH - 2));
G_STATIC_ASSERT (N_BASE_MULTIPLES == 1 << (BASE_WIDTH - 2));

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
    sv_fe25519_subtract (&addends[i].y_minus_x, &y, &x);
    sv_fe25519_multiply (&d, &x, &sv_fe25519_2d);
    sv_fe25519_multiply (&addends[i].xy2d, &d, &y);
  }
}

/* @addends[tooth·n_multiples + i] is (2i+1)·2^(N_STEPS·tooth)·@point. */
static void
make_comb (SvEdwardsAddend *addends, gsize n_multiples, const SvEdwardsPoint *point)
{
  g_autofree SvEdwardsPoint *points = g_new (SvEdwardsPoint, N_TEETH * n_multiples);
  SvEdwardsPoint first = *point, twice;
  for (gsize tooth = 0; tooth < N_TEETH; tooth++)
  {
    SvEdwardsPoint *multiples = points + tooth * n_multiples;
    sv_edwards_double (&twice, &first);
    multiples[0] = first;
    for (gsize i = 1; i < n_multiples; i++)
      sv_edwards_add (&multiples[i], &multiples[i - 1], &twice, 0);
    first = twice;
    for (guint i = 1; i < N_STEPS; i++)
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

/* Of each step the digits that are not 0: which addend, and whether it is subtracted. */
typedef struct
{
  struct
  {
    const SvEdwardsAddend *addend;
    guint subtract;
  } digit[2 * N_TEETH];
  guint n;
} Step;

/* Of hundreds of keys the combs lie in no near cache. All that a product will ask for is known before its first step. */
static inline void
prefetch (const SvEdwardsAddend *addend)
{
  __builtin_prefetch (&addend->y_plus_x);
  __builtin_prefetch (&addend->y_minus_x.limb[3]);
  __builtin_prefetch (&addend->xy2d.limb[4]);
}

static void
add_digits (Step steps[N_STEPS], const guint8 scalar[SV_EDWARDS_SCALAR_SIZE], guint width, const SvEdwardsAddend *comb,
            gsize n_multiples)
{
  guint64 words[5] = { 0 };
  memcpy (words, scalar, SV_EDWARDS_SCALAR_SIZE);
  for (guint i = 0; i < 4; i++)
    words[i] = GUINT64_FROM_LE (words[i]);
  guint carry = 0;
  for (guint i = 0; i < 256;)
  {
    guint64 bits = words[i / 64] >> i % 64;
    if (i % 64 > 64 - width)
      bits |= words[i / 64 + 1] << (64 - i % 64);
    guint window = ((guint)bits & ((1U << width) - 1)) + carry;
    if ((window & 1) == 0) /* also where a carry runs on */
    {
      i++;
      continue;
    }
    carry = window >> (width - 1); /* then the digit is window - 2^width */
    guint size = carry ? (1U << width) - window : window;
    Step *step = &steps[i % N_STEPS];
    const SvEdwardsAddend *addend = comb + i / N_STEPS * n_multiples + size / 2;
    prefetch (addend);
    step->digit[step->n].addend = addend;
    step->digit[step->n++].subtract = carry;
    i += width;
  }
}

/* ---- the product ---- */

void
sv_edwards_multiply (SvEdwardsPoint *product, const guint8 k[SV_EDWARDS_SCALAR_SIZE], const SvEdwardsComb *comb,
                     const guint8 s[SV_EDWARDS_SCALAR_SIZE])
{
  Step steps[N_STEPS];
  SvEdwardsPoint point;
  SvEdwardsSum sum = { sv_fe25519_zero, sv_fe25519_one, sv_fe25519_one, sv_fe25519_one }; /* the neutral element */
  for (guint i = 0; i < N_STEPS; i++)
    steps[i].n = 0;
  add_digits (steps, k, WIDTH, comb->tooth[0], SV_EDWARDS_COMB_MULTIPLES);
  add_digits (steps, s, BASE_WIDTH, base_comb (), N_BASE_MULTIPLES);
  for (guint i = N_STEPS; i-- > 0;)
  {
    for (guint j = 0; j < steps[i].n; j++)
    {
      const SvEdwardsAddend *addend = steps[i].digit[j].addend;
      guint subtract = steps[i].digit[j].subtract;
      sv_edwards_finish (&point, &sum);
      sv_edwards_add_step (&sum, &point, &point.z, subtract ? &addend->y_minus_x : &addend->y_plus_x,
                           subtract ? &addend->y_plus_x : &addend->y_minus_x, &addend->xy2d, subtract);
    }
    if (i > 0)
    {
      sv_edwards_finish_xyz (&point, &sum);
      sv_edwards_double_step (&sum, &point.x, &point.y, &point.z);
    }
  }
  sv_edwards_finish (product, &sum);
}
