/* Points: encodings, and the group's own operation. The curve is -x² + y² = 1 + d·x²·y², and its addition is complete: no pair
 * of points needs a case of its own. */
#include "keys/edwards25519.h"

#include <string.h>

#include "keys/edwards25519_steps.h"

#define SIGN_BIT 0x80

/* ---- encodings ---- */

/* TRUE for the spelling below p. */
static gboolean
is_canonical (const guint8 bytes[SV_FE25519_SIZE])
{
  SvFe25519 a;
  guint8 spelled[SV_FE25519_SIZE];
  sv_fe25519_decode (&a, bytes);
  sv_fe25519_encode (spelled, &a);
  return memcmp (spelled, bytes, sizeof spelled) == 0;
}

/* x² = (y² - 1) / (d·y² + 1). With x = 0 there is no negative one. */
gboolean
sv_edwards_decode (SvEdwardsPoint *point, const guint8 bytes[SV_EDWARDS_POINT_SIZE])
{
  guint8 y_bytes[SV_FE25519_SIZE];
  SvFe25519 yy, u, v;
  gboolean is_negative = (bytes[SV_FE25519_SIZE - 1] & SIGN_BIT) != 0;
  memcpy (y_bytes, bytes, sizeof y_bytes);
  y_bytes[SV_FE25519_SIZE - 1] &= (guint8)~SIGN_BIT;
  if (!is_canonical (y_bytes))
    return FALSE;
  sv_fe25519_decode (&point->y, y_bytes);
  sv_fe25519_square (&yy, &point->y);
  sv_fe25519_subtract (&u, &yy, &sv_fe25519_one);
  sv_fe25519_multiply (&v, &yy, &sv_fe25519_d);
  sv_fe25519_add (&v, &v, &sv_fe25519_one);
  if (!sv_fe25519_sqrt_ratio (&point->x, &u, &v) || (is_negative && sv_fe25519_is_zero (&point->x)))
    return FALSE;
  if (is_negative)
    sv_fe25519_negate (&point->x, &point->x);
  point->z = sv_fe25519_one;
  sv_fe25519_multiply (&point->t, &point->x, &point->y);
  return TRUE;
}

void
sv_edwards_encode (guint8 bytes[SV_EDWARDS_POINT_SIZE], const SvEdwardsPoint *point)
{
  SvFe25519 inverse, x, y;
  sv_fe25519_invert (&inverse, &point->z);
  sv_fe25519_multiply (&x, &point->x, &inverse);
  sv_fe25519_multiply (&y, &point->y, &inverse);
  sv_fe25519_encode (bytes, &y);
  if (sv_fe25519_is_negative (&x))
    bytes[SV_FE25519_SIZE - 1] |= SIGN_BIT;
}

/* RFC 9496, section 4.3.1, with its names. */
gboolean
sv_ristretto_decode (SvEdwardsPoint *point, const guint8 bytes[SV_EDWARDS_POINT_SIZE])
{
  SvFe25519 s, ss, u1, u2, u1_squared, u2_squared, v, w, root, den_x, den_y;
  if (!is_canonical (bytes) || (bytes[0] & 1) != 0)
    return FALSE;
  sv_fe25519_decode (&s, bytes);
  sv_fe25519_square (&ss, &s);
  sv_fe25519_subtract (&u1, &sv_fe25519_one, &ss);
  sv_fe25519_add (&u2, &sv_fe25519_one, &ss);
  sv_fe25519_square (&u1_squared, &u1);
  sv_fe25519_square (&u2_squared, &u2);
  sv_fe25519_multiply (&v, &sv_fe25519_d, &u1_squared);
  sv_fe25519_add (&v, &v, &u2_squared);
  sv_fe25519_negate (&v, &v); /* -d·u1² - u2² */
  sv_fe25519_multiply (&w, &v, &u2_squared);
  gboolean was_square = sv_fe25519_sqrt_ratio (&root, &sv_fe25519_one, &w);
  sv_fe25519_multiply (&den_x, &root, &u2);
  sv_fe25519_multiply (&den_y, &root, &den_x);
  sv_fe25519_multiply (&den_y, &den_y, &v);
  sv_fe25519_add (&s, &s, &s);
  sv_fe25519_multiply (&point->x, &s, &den_x);
  if (sv_fe25519_is_negative (&point->x))
    sv_fe25519_negate (&point->x, &point->x);
  sv_fe25519_multiply (&point->y, &u1, &den_y);
  point->z = sv_fe25519_one;
  sv_fe25519_multiply (&point->t, &point->x, &point->y);
  return was_square && !sv_fe25519_is_negative (&point->t) && !sv_fe25519_is_zero (&point->y);
}

/* Encoding (RFC 9496, section 4.3.2) takes a root; whether @bytes encode the point takes an inverse only. Of the four points
 * that are one in ristretto255 it takes that of which neither x·y nor x is negative, and the encoding is the root of
 * (1-y)/(1+y) that is not negative. The others are (-x, -y) and, with i the root of -1, (iy, ix) and (-iy, -ix). */
gboolean
sv_ristretto_is_encoding (const guint8 bytes[SV_EDWARDS_POINT_SIZE], const SvEdwardsPoint *point)
{
  SvFe25519 s, z_inverse, x, xy, y, left, right;
  if (!is_canonical (bytes) || (bytes[0] & 1) != 0)
    return FALSE;
  sv_fe25519_decode (&s, bytes);
  if (sv_fe25519_is_zero (&point->t)) /* the neutral element, whose four points have x or y 0 */
    return sv_fe25519_is_zero (&s);
  sv_fe25519_invert (&z_inverse, &point->z);
  x = point->x;
  y = point->y;
  sv_fe25519_multiply (&xy, &point->t, &z_inverse);
  if (sv_fe25519_is_negative (&xy))
  {
    sv_fe25519_multiply (&x, &point->y, &sv_fe25519_sqrt_m1);
    sv_fe25519_multiply (&y, &point->x, &sv_fe25519_sqrt_m1);
  }
  sv_fe25519_multiply (&x, &x, &z_inverse);
  if (sv_fe25519_is_negative (&x))
    sv_fe25519_negate (&y, &y);
  sv_fe25519_square (&s, &s);
  sv_fe25519_add (&left, &point->z, &y);
  sv_fe25519_multiply (&left, &left, &s);
  sv_fe25519_subtract (&right, &point->z, &y);
  return sv_fe25519_equal (&left, &right);
}

/* ---- the group ---- */

void
sv_edwards_negate (SvEdwardsPoint *negated, const SvEdwardsPoint *point)
{
  *negated = *point;
  sv_fe25519_negate (&negated->x, &point->x);
  sv_fe25519_negate (&negated->t, &point->t);
}

void
sv_edwards_double (SvEdwardsPoint *twice, const SvEdwardsPoint *point)
{
  SvEdwardsSum sum;
  sv_edwards_double_step (&sum, &point->x, &point->y, &point->z);
  sv_edwards_finish (twice, &sum);
}

/* Twice a point of small order has the order 1, 2 or 4, and these are the points where x or y is 0. */
gboolean
sv_edwards_has_small_order (const SvEdwardsPoint *point)
{
  SvEdwardsPoint twice;
  sv_edwards_double (&twice, point);
  return sv_fe25519_is_zero (&twice.x) || sv_fe25519_is_zero (&twice.y);
}

void
sv_edwards_add (SvEdwardsPoint *sum, const SvEdwardsPoint *a, const SvEdwardsPoint *b, guint subtract)
{
  SvEdwardsSum parts;
  SvFe25519 plus, minus, t2d, zz;
  sv_fe25519_add (&plus, &b->y, &b->x);
  sv_fe25519_subtract (&minus, &b->y, &b->x);
  sv_fe25519_multiply (&t2d, &b->t, &sv_fe25519_2d);
  sv_fe25519_multiply (&zz, &a->z, &b->z);
  sv_edwards_add_step (&parts, a, &zz, subtract ? &minus : &plus, subtract ? &plus : &minus, &t2d, subtract);
  sv_edwards_finish (sum, &parts);
}
