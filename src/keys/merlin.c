/* Merlin on STROBE-128. Of STROBE there is what Merlin uses: absorbing data (AD) and notes about data (meta-AD), squeezing
 * (PRF), and overwriting with a secret (KEY). Each operation notes in the state where it began and what it was, so that no two
 * sequences of operations look alike. */
#include "keys/merlin.h"

#include <sodium.h>
#include <string.h>

#define RATE 166 /* bytes between two permutations, for 128 bits of security */
#define RANDOM_SIZE 32

enum
{
  FLAG_INBOUND = 1,
  FLAG_APPLICATION = 2,
  FLAG_CIPHER = 4,
  FLAG_META = 16,

  OPERATION_AD = FLAG_APPLICATION,
  OPERATION_META_AD = FLAG_META | FLAG_APPLICATION,
  OPERATION_PRF = FLAG_INBOUND | FLAG_APPLICATION | FLAG_CIPHER,
  OPERATION_KEY = FLAG_APPLICATION | FLAG_CIPHER,
};

/* ---- STROBE ---- */

static void
permute (SvMerlin *strobe)
{
  strobe->state[strobe->position] ^= strobe->begin;
  strobe->state[strobe->position + 1] ^= 0x04;
  strobe->state[RATE + 1] ^= 0x80;
  sv_keccak_f1600 (strobe->state);
  strobe->position = 0;
  strobe->begin = 0;
}

static inline void
step (SvMerlin *strobe)
{
  if (++strobe->position == RATE)
    permute (strobe);
}

static void
absorb (SvMerlin *strobe, const guint8 *data, gsize length)
{
  for (gsize i = 0; i < length; i++)
  {
    strobe->state[strobe->position] ^= data[i];
    step (strobe);
  }
}

static void
begin_operation (SvMerlin *strobe, guint8 flags)
{
  guint8 mark[2] = { strobe->begin, flags };
  strobe->begin = strobe->position + 1;
  absorb (strobe, mark, sizeof mark);
  if ((flags & FLAG_CIPHER) != 0 && strobe->position != 0)
    permute (strobe);
}

/* A note about the data that follows: a label, and behind it, as part of the same operation, the length. */
static void
meta (SvMerlin *strobe, const char *label, gsize length)
{
  guint32 size = GUINT32_TO_LE ((guint32)length);
  begin_operation (strobe, OPERATION_META_AD);
  absorb (strobe, (const guint8 *)label, strlen (label));
  absorb (strobe, (const guint8 *)&size, sizeof size);
}

static void
squeeze (SvMerlin *strobe, guint8 *out, gsize length)
{
  begin_operation (strobe, OPERATION_PRF);
  for (gsize i = 0; i < length; i++)
  {
    out[i] = strobe->state[strobe->position];
    strobe->state[strobe->position] = 0;
    step (strobe);
  }
}

static void
key (SvMerlin *strobe, const guint8 *secret, gsize length)
{
  begin_operation (strobe, OPERATION_KEY);
  for (gsize i = 0; i < length; i++)
  {
    strobe->state[strobe->position] = secret[i];
    step (strobe);
  }
}

/* ---- Merlin ---- */

void
sv_merlin_init (SvMerlin *transcript, const char *label)
{
  static const char version[] = "STROBEv1.0.2", protocol[] = "Merlin v1.0";
  static const guint8 header[] = { 1, RATE + 2, 1, 0, 1, 96 };
  *transcript = (SvMerlin){ 0 };
  memcpy (transcript->state, header, sizeof header);
  memcpy (transcript->state + sizeof header, version, sizeof version - 1);
  sv_keccak_f1600 (transcript->state);
  begin_operation (transcript, OPERATION_META_AD);
  absorb (transcript, (const guint8 *)protocol, strlen (protocol));
  sv_merlin_append (transcript, "dom-sep", label, strlen (label));
}

void
sv_merlin_append (SvMerlin *transcript, const char *label, const void *message, gsize length)
{
  meta (transcript, label, length);
  begin_operation (transcript, OPERATION_AD);
  absorb (transcript, message, length);
}

void
sv_merlin_challenge (SvMerlin *transcript, const char *label, guint8 *out, gsize length)
{
  meta (transcript, label, length);
  squeeze (transcript, out, length);
}

void
sv_merlin_witness (const SvMerlin *transcript, const char *label, const guint8 *witness, gsize witness_length, guint8 *out,
                   gsize length)
{
  g_auto (SvMerlin) fork = *transcript;
  guint8 fresh[RANDOM_SIZE];
  guint32 size = GUINT32_TO_LE ((guint32)length);
  meta (&fork, label, witness_length);
  key (&fork, witness, witness_length);

  randombytes_buf (fresh, sizeof fresh);
  begin_operation (&fork, OPERATION_META_AD);
  absorb (&fork, (const guint8 *)"rng", 3);
  key (&fork, fresh, sizeof fresh);
  sodium_memzero (fresh, sizeof fresh);

  begin_operation (&fork, OPERATION_META_AD);
  absorb (&fork, (const guint8 *)&size, sizeof size);
  squeeze (&fork, out, length);
}

void
sv_merlin_clear (SvMerlin *transcript)
{
  sodium_memzero (transcript, sizeof *transcript);
}
