/* The points of edwards25519, and products of them by public scalars, for verifying signatures. Nothing here runs in constant
 * time: no secret may come near it (keys/fe25519.h).
 *
 * Verifying asks for s·B + k·A, with B the base point. Who verifies often by the same A makes a comb of it once: A, 2^8·A,
 * 2^16·A, …, 2^248·A, of each some multiples. A product then takes 4 doublings in place of 252 (keys/edwards25519_comb.c).
 * Sources: RFC 8032, section 5.1; RFC 9496; Hisil and others, "Twisted Edwards Curves Revisited" (2008). */
#pragma once

#include "keys/fe25519.h"

#define SV_EDWARDS_POINT_SIZE 32
#define SV_EDWARDS_SCALAR_SIZE 32

/* x = X/Z, y = Y/Z, x·y = T/Z; each tight. */
typedef struct
{
  SvFe25519 x, y, z, t;
} SvEdwardsPoint;

/* As a sum or a difference is computed: x = E/G, y = H/F. Each loose. */
typedef struct
{
  SvFe25519 e, f, g, h;
} SvEdwardsSum;

/* A point that is only added to others: y+x, y-x and 2d·x·y, each tight. */
typedef struct
{
  SvFe25519 y_plus_x, y_minus_x, xy2d;
} SvEdwardsAddend;

/* ---- encodings ---- */

/* Each FALSE for what is no encoding, among it every encoding that is not the only one of its point. For Ed25519, points of
 * every order are read; for ristretto255 the neutral element, too. */
gboolean sv_edwards_decode (SvEdwardsPoint *point, const guint8 bytes[SV_EDWARDS_POINT_SIZE]) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_ristretto_decode (SvEdwardsPoint *point, const guint8 bytes[SV_EDWARDS_POINT_SIZE]) G_GNUC_WARN_UNUSED_RESULT;

void sv_edwards_encode (guint8 bytes[SV_EDWARDS_POINT_SIZE], const SvEdwardsPoint *point);

/* TRUE where @bytes are the point's encoding, for points that ristretto255 has (those read, and sums of them). */
gboolean sv_ristretto_is_encoding (const guint8 bytes[SV_EDWARDS_POINT_SIZE],
                                   const SvEdwardsPoint *point) G_GNUC_WARN_UNUSED_RESULT;

/* ---- the group ---- */

void sv_edwards_negate (SvEdwardsPoint *negated, const SvEdwardsPoint *point);

/* Eight times the point is the neutral element. */
gboolean sv_edwards_has_small_order (const SvEdwardsPoint *point);

/* The sum of @a and @b, or, with @subtract 1 rather than 0, their difference. */
void sv_edwards_add (SvEdwardsPoint *sum, const SvEdwardsPoint *a, const SvEdwardsPoint *b, guint subtract);
void sv_edwards_double (SvEdwardsPoint *twice, const SvEdwardsPoint *point);

/* ---- products ---- */

#define SV_EDWARDS_COMB_TEETH 32
#define SV_EDWARDS_COMB_MULTIPLES 8 /* once to eight times each */

typedef struct
{
  SvEdwardsAddend tooth[SV_EDWARDS_COMB_TEETH][SV_EDWARDS_COMB_MULTIPLES];
} SvEdwardsComb;

/* Costs as much as one and a half verifications without it. */
void sv_edwards_comb_init (SvEdwardsComb *comb, const SvEdwardsPoint *point);

/* s·B + k·A, for @comb of A. Both scalars are numbers below 2^253, little-endian; of a point whose order is not B's, @k times
 * it is exact, too. The first call in a process makes the base point's comb. */
void sv_edwards_multiply (SvEdwardsPoint *product, const guint8 k[SV_EDWARDS_SCALAR_SIZE], const SvEdwardsComb *comb,
                          const guint8 s[SV_EDWARDS_SCALAR_SIZE]);
