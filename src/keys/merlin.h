/* Merlin transcripts (version 1.0, on STROBE-128 version 1.0.2): a protocol's messages go in one after the other under labels,
 * and challenges that depend on all of them come out. sr25519 signs and derives keys with them. */
#pragma once

#include "keys/keccak.h"

typedef struct
{
  guint8 state[SV_KECCAK_STATE_SIZE];
  guint8 position; /* of the next byte */
  guint8 begin;    /* where the current operation began, plus one */
} SvMerlin;

/* Begins a transcript of the protocol that @label names. */
void sv_merlin_init (SvMerlin *transcript, const char *label);

void sv_merlin_append (SvMerlin *transcript, const char *label, const void *message, gsize length);

/* Fills @out with a challenge; the transcript goes on behind it. */
void sv_merlin_challenge (SvMerlin *transcript, const char *label, guint8 *out, gsize length);

/* Fills @out with bytes that nobody can guess who lacks @witness (a secret) or fresh random bytes, and that differ for each
 * transcript; the transcript stays as it is. */
void sv_merlin_witness (const SvMerlin *transcript, const char *label, const guint8 *witness, gsize witness_length, guint8 *out,
                        gsize length);

/* Every transcript is wiped at the end: a secret may have gone in. */
void sv_merlin_clear (SvMerlin *transcript);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvMerlin, sv_merlin_clear)
