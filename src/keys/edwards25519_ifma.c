/* The sum of many points, eight at a time: a register of 512 bits has a limb of eight numbers, and two instructions (AVX-512
 * IFMA) multiply these by eight others and add the low or the high 52 bits of the products. Each of the eight lanes sums twelve
 * points of its own; at the end the lanes are added. The formulas are those of edwards25519_steps.h.
 *
 * A number is five limbs of 51 bits, as in fe25519.h, but a limb that is multiplied has to be below 2^52. So sums are carried
 * at once, and all numbers here are tight. Only this file is compiled for such processors, so whatever it defines is its own.
 */
#include <immintrin.h>
#include <string.h>

#include "keys/edwards25519_terms.h"

#define N_LANES 8
#define N_LIMBS 5

/* Eight numbers, each tight. */
typedef struct
{
  __m512i limb[N_LIMBS];
} Numbers;

/* x = X/Z, y = Y/Z, x·y = T/Z. */
typedef struct
{
  Numbers x, y, z, t;
} Points;

/* y+x, y-x, 2d·x·y. */
typedef struct
{
  Numbers y_plus_x, y_minus_x, xy2d;
} Addends;

/* ---- numbers ---- */

static inline __m512i
all_lanes (guint64 word)
{
  return _mm512_set1_epi64 ((long long)word);
}

static inline __m512i
add (__m512i a, __m512i b)
{
  return _mm512_add_epi64 (a, b);
}

/* 19·a */
static inline __m512i
times_19 (__m512i a)
{
  return add (add (_mm512_slli_epi64 (a, 4), _mm512_slli_epi64 (a, 1)), a);
}

/* Each limb's carry goes into the next one, all at once. Limbs below 2^61 give carries below 2^10, and the highest one, whose
 * carry comes back times 19, is below 2^58, which gives less than 19·2^7: so a tight number. */
static inline Numbers
carry (Numbers a)
{
  const __m512i mask = all_lanes (SV_FE25519_LIMB_MASK);
  __m512i over[N_LIMBS];
  for (guint i = 0; i < N_LIMBS; i++)
  {
    over[i] = _mm512_srli_epi64 (a.limb[i], SV_FE25519_LIMB_BITS);
    a.limb[i] = _mm512_and_si512 (a.limb[i], mask);
  }
  a.limb[0] = _mm512_madd52lo_epu64 (a.limb[0], over[4], all_lanes (19));
  for (guint i = 1; i < N_LIMBS; i++)
    a.limb[i] = add (a.limb[i], over[i - 1]);
  return a;
}

static inline Numbers
sum (Numbers a, Numbers b)
{
  for (guint i = 0; i < N_LIMBS; i++)
    a.limb[i] = add (a.limb[i], b.limb[i]);
  return carry (a);
}

/* 2p - a, limb by limb: below 2^52, so it may be multiplied as it is. */
static inline __m512i
limb_of_2p (guint i)
{
  return all_lanes (2 * (SV_FE25519_LIMB_MASK - (i == 0 ? 18 : 0)));
}

static inline Numbers
difference (Numbers a, Numbers b)
{
  for (guint i = 0; i < N_LIMBS; i++)
    a.limb[i] = _mm512_sub_epi64 (add (a.limb[i], limb_of_2p (i)), b.limb[i]);
  return carry (a);
}

/* A product of two limbs is low + 2^52·high, and the next column stands for 2^51: so highs count twice there. Nine columns come
 * of it; the upper ones come back times 19. With limbs below 2^52 a column has at most five lows and twice five highs, each
 * below 2^52; in all no more than 15·2^52 + 19·15·2^52 < 2^61. Of the highest two columns the one has five lows and twice four
 * highs, the other only one high twice: 13·2^52 + 19·2·2^52 < 2^58. */
static inline Numbers
product (Numbers a, Numbers b)
{
  __m512i low[2 * N_LIMBS], high[2 * N_LIMBS];
  for (guint k = 0; k < 2 * N_LIMBS; k++)
    low[k] = high[k] = _mm512_setzero_si512 ();
  for (guint i = 0; i < N_LIMBS; i++)
    for (guint j = 0; j < N_LIMBS; j++)
    {
      low[i + j] = _mm512_madd52lo_epu64 (low[i + j], a.limb[i], b.limb[j]);
      high[i + j + 1] = _mm512_madd52hi_epu64 (high[i + j + 1], a.limb[i], b.limb[j]);
    }
  for (guint k = 0; k < 2 * N_LIMBS; k++)
    low[k] = add (low[k], add (high[k], high[k]));
  for (guint k = 0; k < N_LIMBS; k++)
    a.limb[k] = add (low[k], times_19 (low[k + N_LIMBS]));
  return carry (a);
}

/* ---- points ---- */

static inline Points
finish (Numbers e, Numbers f, Numbers g, Numbers h)
{
  return (Points){ .x = product (e, f), .y = product (g, h), .z = product (f, g), .t = product (e, h) };
}

static inline Numbers
choose (__mmask8 which, Numbers a, Numbers b)
{
  for (guint i = 0; i < N_LIMBS; i++)
    a.limb[i] = _mm512_mask_blend_epi64 (which, a.limb[i], b.limb[i]);
  return a;
}

/* What is subtracted is added with x negated. */
static inline Points
add_addends (Points points, Addends addends, __mmask8 subtract)
{
  Numbers plus = choose (subtract, addends.y_plus_x, addends.y_minus_x);
  Numbers minus = choose (subtract, addends.y_minus_x, addends.y_plus_x), t2d = addends.xy2d;
  for (guint i = 0; i < N_LIMBS; i++)
    t2d.limb[i] = _mm512_mask_sub_epi64 (t2d.limb[i], subtract, limb_of_2p (i), t2d.limb[i]);
  Numbers a = product (difference (points.y, points.x), minus);
  Numbers b = product (sum (points.y, points.x), plus);
  Numbers c = product (points.t, t2d);
  Numbers d = sum (points.z, points.z);
  return finish (difference (b, a), difference (d, c), sum (d, c), sum (b, a));
}

static inline Points
twice (Points points)
{
  Numbers xx = product (points.x, points.x), yy = product (points.y, points.y), zz = product (points.z, points.z);
  Numbers xy = sum (points.x, points.y), h = sum (xx, yy), g = difference (yy, xx);
  return finish (difference (product (xy, xy), h), difference (sum (zz, zz), g), g, h);
}

/* ---- the lanes ---- */

/* Eight rows of eight words become columns. */
static inline void
transpose (__m512i row[N_LANES])
{
  __m512i pair[N_LANES], even[N_LANES / 2], odd[N_LANES / 2];
  for (guint i = 0; i < N_LANES; i += 2)
  {
    pair[i] = _mm512_unpacklo_epi64 (row[i], row[i + 1]);
    pair[i + 1] = _mm512_unpackhi_epi64 (row[i], row[i + 1]);
  }
  for (guint i = 0; i < 2; i++) /* of words 0 and 4 of four rows, then 2 and 6; odd words likewise */
  {
    even[2 * i] = _mm512_shuffle_i64x2 (pair[4 * i], pair[4 * i + 2], 0x88);
    even[2 * i + 1] = _mm512_shuffle_i64x2 (pair[4 * i], pair[4 * i + 2], 0xdd);
    odd[2 * i] = _mm512_shuffle_i64x2 (pair[4 * i + 1], pair[4 * i + 3], 0x88);
    odd[2 * i + 1] = _mm512_shuffle_i64x2 (pair[4 * i + 1], pair[4 * i + 3], 0xdd);
  }
  for (guint i = 0; i < 2; i++)
  {
    row[2 * i] = _mm512_shuffle_i64x2 (even[i], even[i + 2], 0x88);
    row[2 * i + 4] = _mm512_shuffle_i64x2 (even[i], even[i + 2], 0xdd);
    row[2 * i + 1] = _mm512_shuffle_i64x2 (odd[i], odd[i + 2], 0x88);
    row[2 * i + 5] = _mm512_shuffle_i64x2 (odd[i], odd[i + 2], 0xdd);
  }
}

/* An addend is fifteen limbs in a row: eight of them from the first, eight up to the last. */
static inline Addends
load (const SvEdwardsAddend *const addend[N_LANES])
{
  G_STATIC_ASSERT (sizeof (SvEdwardsAddend) == 3 * N_LIMBS * sizeof (guint64));
  __m512i first[N_LANES], last[N_LANES];
  for (guint i = 0; i < N_LANES; i++)
  {
    first[i] = _mm512_loadu_si512 (addend[i]);
    last[i] = _mm512_loadu_si512 ((const guint64 *)(gconstpointer)addend[i] + 7);
  }
  transpose (first);
  transpose (last);
  return (Addends){ .y_plus_x.limb = { first[0], first[1], first[2], first[3], first[4] },
                    .y_minus_x.limb = { first[5], first[6], first[7], last[1], last[2] },
                    .xy2d.limb = { last[3], last[4], last[5], last[6], last[7] } };
}

static inline Points
add_terms (Points points, const SvEdwardsTerms *terms, guint first)
{
  guint64 subtract;
  memcpy (&subtract, terms->subtract + first, sizeof subtract);
  __mmask8 mask = (__mmask8)((subtract * G_GUINT64_CONSTANT (0x0102040810204080)) >> 56);
  return add_addends (points, load (terms->addend + first), mask);
}

static inline Numbers
move (Numbers a, __m512i lanes)
{
  for (guint i = 0; i < N_LIMBS; i++)
    a.limb[i] = _mm512_permutexvar_epi64 (lanes, a.limb[i]);
  return a;
}

/* To each lane the one that is @distance away. */
static inline Points
add_lanes (Points points, guint distance)
{
  Numbers d2;
  const __m512i lanes = _mm512_xor_si512 (_mm512_set_epi64 (7, 6, 5, 4, 3, 2, 1, 0), all_lanes (distance));
  for (guint i = 0; i < N_LIMBS; i++)
    d2.limb[i] = all_lanes (sv_fe25519_2d.limb[i]);
  Numbers minus = difference (points.y, points.x), plus = sum (points.y, points.x);
  Numbers a = product (minus, move (minus, lanes)), b = product (plus, move (plus, lanes));
  Numbers c = product (product (points.t, d2), move (points.t, lanes));
  Numbers d = product (points.z, move (points.z, lanes));
  d = sum (d, d);
  return finish (difference (b, a), difference (d, c), sum (d, c), sum (b, a));
}

static inline Points
neutral (void)
{
  Points points;
  for (guint i = 0; i < N_LIMBS; i++)
  {
    points.x.limb[i] = points.t.limb[i] = _mm512_setzero_si512 ();
    points.y.limb[i] = points.z.limb[i] = all_lanes (i == 0);
  }
  return points;
}

static inline void
take_first_lane (SvFe25519 *a, Numbers numbers)
{
  for (guint i = 0; i < N_LIMBS; i++)
    a->limb[i] = (guint64)_mm_cvtsi128_si64 (_mm512_castsi512_si128 (numbers.limb[i]));
}

void
sv_edwards_sum_terms_ifma (SvEdwardsPoint *result, const SvEdwardsTerms *terms)
{
  Points points = neutral ();
  for (guint i = 0; i < SV_EDWARDS_HIGH_TERMS; i += N_LANES)
    points = add_terms (points, terms, i);
  for (guint i = 0; i < 4; i++)
    points = twice (points);
  for (guint i = SV_EDWARDS_HIGH_TERMS; i < SV_EDWARDS_N_TERMS; i += N_LANES)
    points = add_terms (points, terms, i);
  for (guint distance = N_LANES / 2; distance > 0; distance /= 2)
    points = add_lanes (points, distance);
  take_first_lane (&result->x, points.x);
  take_first_lane (&result->y, points.y);
  take_first_lane (&result->z, points.z);
  take_first_lane (&result->t, points.t);
}
