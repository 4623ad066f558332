/* The field of 2^255-19, for verifying signatures: everything in it is public, and nothing here runs in constant time. So no
 * secret may come near it; signing and making keys are libsodium's.
 *
 * A number is five limbs of 51 bits in 64, least significant first, so that sums need no carry. What a function takes and gives
 * is said in these terms, and each allows the one before:
 *
 * - tight: every limb is below 2^51 + 2^13, as in products and decoded numbers;
 * - sum: every limb is at most 2^53 - 76, as in two or three tight numbers added;
 * - loose: every limb is below 2^54, which is what may be multiplied.
 *
 * A number has several spellings; its encoding is the only one, and comparisons are made by it.
 * Source: RFC 7748, section 4.1; RFC 9496. */
#pragma once

#include <glib.h>

#define SV_FE25519_SIZE 32
#define SV_FE25519_LIMB_BITS 51
#define SV_FE25519_LIMB_MASK ((G_GUINT64_CONSTANT (1) << SV_FE25519_LIMB_BITS) - 1)

typedef struct
{
  guint64 limb[5];
} SvFe25519;

extern const SvFe25519 sv_fe25519_zero, sv_fe25519_one;
extern const SvFe25519 sv_fe25519_d;       /* of the curve: -121665/121666 */
extern const SvFe25519 sv_fe25519_2d;      /* 2d */
extern const SvFe25519 sv_fe25519_sqrt_m1; /* the even root of -1 */

/* Gives a tight number, of the lowest 255 bits: p and what is above it are read as they are. */
void sv_fe25519_decode (SvFe25519 *a, const guint8 bytes[SV_FE25519_SIZE]);

/* Takes a loose number; gives the one below p. */
void sv_fe25519_encode (guint8 bytes[SV_FE25519_SIZE], const SvFe25519 *a);

/* Each takes loose numbers. A number is negative when its encoding is odd. */
gboolean sv_fe25519_is_zero (const SvFe25519 *a);
gboolean sv_fe25519_is_negative (const SvFe25519 *a);
gboolean sv_fe25519_equal (const SvFe25519 *a, const SvFe25519 *b);

/* Takes a loose number, makes a tight one of it. */
void sv_fe25519_tighten (SvFe25519 *a);

/* Takes a sum, gives a tight number. */
void sv_fe25519_negate (SvFe25519 *negated, const SvFe25519 *a);

/* 1/@a, and 0 for 0. Takes a loose number, gives a tight one. */
void sv_fe25519_invert (SvFe25519 *inverse, const SvFe25519 *a);

/* TRUE where @u/@v is a square; @root is then its root that is not negative, otherwise that of @u/@v times the root of -1 (0
 * where either is 0, and FALSE where only @v is). Takes loose numbers, gives a tight one. RFC 9496, section 4.2. */
gboolean sv_fe25519_sqrt_ratio (SvFe25519 *root, const SvFe25519 *u, const SvFe25519 *v);

/* Of two tight numbers, or of a tight one and two tight ones added: a sum. Of two sums: a loose number. */
static inline void
sv_fe25519_add (SvFe25519 *sum, const SvFe25519 *a, const SvFe25519 *b)
{
  for (guint i = 0; i < 5; i++)
    sum->limb[i] = a->limb[i] + b->limb[i];
}

/* Takes sums, gives a loose number: 4p, limb by limb, keeps every limb from falling below zero. */
static inline void
sv_fe25519_subtract (SvFe25519 *difference, const SvFe25519 *a, const SvFe25519 *b)
{
  difference->limb[0] = a->limb[0] + 4 * (SV_FE25519_LIMB_MASK - 18) - b->limb[0];
  for (guint i = 1; i < 5; i++)
    difference->limb[i] = a->limb[i] + 4 * SV_FE25519_LIMB_MASK - b->limb[i];
}

/* Takes the five columns of a product, gives a tight number. The highest carry out of them is at most 2^59.4, and 19 times that
 * fits into 64 bits; so do the others, below 2^63.3. Written out, because gcc keeps arrays of such numbers in memory. */
static inline void
sv_fe25519_carry (SvFe25519 *product, unsigned __int128 r0, unsigned __int128 r1, unsigned __int128 r2, unsigned __int128 r3,
                  unsigned __int128 r4)
{
  r1 += (guint64)(r0 >> SV_FE25519_LIMB_BITS);
  r2 += (guint64)(r1 >> SV_FE25519_LIMB_BITS);
  r3 += (guint64)(r2 >> SV_FE25519_LIMB_BITS);
  r4 += (guint64)(r3 >> SV_FE25519_LIMB_BITS);
  guint64 low = ((guint64)r0 & SV_FE25519_LIMB_MASK) + 19 * (guint64)(r4 >> SV_FE25519_LIMB_BITS);
  product->limb[0] = low & SV_FE25519_LIMB_MASK;
  product->limb[1] = ((guint64)r1 & SV_FE25519_LIMB_MASK) + (low >> SV_FE25519_LIMB_BITS);
  product->limb[2] = (guint64)r2 & SV_FE25519_LIMB_MASK;
  product->limb[3] = (guint64)r3 & SV_FE25519_LIMB_MASK;
  product->limb[4] = (guint64)r4 & SV_FE25519_LIMB_MASK;
}

/* Takes loose numbers, gives a tight one. What leaves the five columns at the top comes back times 19. */
static inline void
sv_fe25519_multiply (SvFe25519 *product, const SvFe25519 *a, const SvFe25519 *b)
{
  typedef unsigned __int128 wide;
  const guint64 a0 = a->limb[0], a1 = a->limb[1], a2 = a->limb[2], a3 = a->limb[3], a4 = a->limb[4];
  const guint64 b0 = b->limb[0], b1 = b->limb[1], b2 = b->limb[2], b3 = b->limb[3], b4 = b->limb[4];
  const guint64 c1 = 19 * b1, c2 = 19 * b2, c3 = 19 * b3, c4 = 19 * b4;
  wide r0 = (wide)a0 * b0 + (wide)a1 * c4 + (wide)a2 * c3 + (wide)a3 * c2 + (wide)a4 * c1;
  wide r1 = (wide)a0 * b1 + (wide)a1 * b0 + (wide)a2 * c4 + (wide)a3 * c3 + (wide)a4 * c2;
  wide r2 = (wide)a0 * b2 + (wide)a1 * b1 + (wide)a2 * b0 + (wide)a3 * c4 + (wide)a4 * c3;
  wide r3 = (wide)a0 * b3 + (wide)a1 * b2 + (wide)a2 * b1 + (wide)a3 * b0 + (wide)a4 * c4;
  wide r4 = (wide)a0 * b4 + (wide)a1 * b3 + (wide)a2 * b2 + (wide)a3 * b1 + (wide)a4 * b0;
  sv_fe25519_carry (product, r0, r1, r2, r3, r4);
}

/* Takes a loose number, gives a tight one. */
static inline void
sv_fe25519_square (SvFe25519 *square, const SvFe25519 *a)
{
  typedef unsigned __int128 wide;
  const guint64 a0 = a->limb[0], a1 = a->limb[1], a2 = a->limb[2], a3 = a->limb[3], a4 = a->limb[4];
  const guint64 d0 = 2 * a0, d1 = 2 * a1, d2 = 2 * a2, c3 = 19 * a3, c4 = 19 * a4;
  wide r0 = (wide)a0 * a0 + (wide)d1 * c4 + (wide)d2 * c3;
  wide r1 = (wide)d0 * a1 + (wide)d2 * c4 + (wide)a3 * c3;
  wide r2 = (wide)d0 * a2 + (wide)a1 * a1 + (wide)(2 * a3) * c4;
  wide r3 = (wide)d0 * a3 + (wide)d1 * a2 + (wide)a4 * c4;
  wide r4 = (wide)d0 * a4 + (wide)d1 * a3 + (wide)a2 * a2;
  sv_fe25519_carry (square, r0, r1, r2, r3, r4);
}
