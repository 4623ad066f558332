/* The sum that a product s·B + k·A comes down to: 96 points out of two combs, the first third of them sixteen-fold. It is made
 * one after the other, or eight at a time where the processor can. Only the files of edwards25519 and their tests include it.
 */
#pragma once

#include "keys/edwards25519.h"

#define SV_EDWARDS_HIGH_TERMS 32 /* which count sixteen-fold */
#define SV_EDWARDS_N_TERMS 96

/* Borrows its addends from the combs. */
typedef struct
{
  const SvEdwardsAddend *addend[SV_EDWARDS_N_TERMS];
  guint8 subtract[SV_EDWARDS_N_TERMS]; /* 1 or 0 */
} SvEdwardsTerms;

typedef void (*SvEdwardsSumTerms) (SvEdwardsPoint *sum, const SvEdwardsTerms *terms);

/* As sv_edwards_multiply() takes them. */
void sv_edwards_find_terms (SvEdwardsTerms *terms, const guint8 k[SV_EDWARDS_SCALAR_SIZE], const SvEdwardsComb *comb,
                            const guint8 s[SV_EDWARDS_SCALAR_SIZE]);

void sv_edwards_sum_terms (SvEdwardsPoint *sum, const SvEdwardsTerms *terms);

/* Eight at a time. Returns: (nullable) NULL where compiler or processor has no AVX-512 IFMA. */
SvEdwardsSumTerms sv_edwards_vector_sum (void);

/* To be called by way of sv_edwards_vector_sum() only. */
void sv_edwards_sum_terms_ifma (SvEdwardsPoint *sum, const SvEdwardsTerms *terms);
