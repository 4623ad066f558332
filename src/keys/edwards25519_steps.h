/* The steps of the group's operation, inline, because a product of points is a thousand of them. Only the files of edwards25519
 * include it. */
#pragma once

#include "keys/edwards25519.h"

/* The point without its T, for doubling, which does not ask for it. */
static inline void
sv_edwards_finish_xyz (SvEdwardsPoint *point, const SvEdwardsSum *sum)
{
  sv_fe25519_multiply (&point->x, &sum->e, &sum->f);
  sv_fe25519_multiply (&point->y, &sum->g, &sum->h);
  sv_fe25519_multiply (&point->z, &sum->f, &sum->g);
}

static inline void
sv_edwards_finish (SvEdwardsPoint *point, const SvEdwardsSum *sum)
{
  sv_edwards_finish_xyz (point, sum);
  sv_fe25519_multiply (&point->t, &sum->e, &sum->h);
}

/* The paper's formulas for a = -1; E, F, G and H are those of section 3.3 with F and H negated, which negates all coordinates.
 */
static inline void
sv_edwards_double_step (SvEdwardsSum *sum, const SvFe25519 *x, const SvFe25519 *y, const SvFe25519 *z)
{
  SvFe25519 xx, yy, zz2, xy;
  sv_fe25519_square (&xx, x);
  sv_fe25519_square (&yy, y);
  sv_fe25519_square (&zz2, z);
  sv_fe25519_add (&zz2, &zz2, &zz2);
  sv_fe25519_add (&xy, x, y);
  sv_fe25519_square (&xy, &xy);
  sv_fe25519_add (&sum->h, &xx, &yy);
  sv_fe25519_subtract (&sum->e, &xy, &sum->h);
  sv_fe25519_subtract (&sum->g, &yy, &xx);
  sv_fe25519_add (&zz2, &zz2, &xx);
  sv_fe25519_subtract (&sum->f, &zz2, &yy);
}

/* To @point one is added of which @plus is y+x, @minus y-x and @t2d 2d·x·y (each loose, and multiplied by its Z); @zz is the
 * product of both Z, tight. With @subtract 1 it is subtracted: then whoever calls gives @plus and @minus the other way round.
 */
static inline void
sv_edwards_add_step (SvEdwardsSum *sum, const SvEdwardsPoint *point, const SvFe25519 *zz, const SvFe25519 *plus,
                     const SvFe25519 *minus, const SvFe25519 *t2d, guint subtract)
{
  SvFe25519 a, b, c, d;
  sv_fe25519_subtract (&a, &point->y, &point->x);
  sv_fe25519_multiply (&a, &a, minus);
  sv_fe25519_add (&b, &point->y, &point->x);
  sv_fe25519_multiply (&b, &b, plus);
  sv_fe25519_multiply (&c, &point->t, t2d);
  sv_fe25519_add (&d, zz, zz);
  sv_fe25519_subtract (&sum->e, &b, &a);
  sv_fe25519_add (&sum->h, &b, &a);
  sv_fe25519_subtract (subtract ? &sum->g : &sum->f, &d, &c);
  sv_fe25519_add (subtract ? &sum->f : &sum->g, &d, &c);
}
