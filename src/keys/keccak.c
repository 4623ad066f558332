/* Keccak-f[1600]. The lanes are worked on as 64-bit numbers; the state itself stays bytes, because STROBE adds single bytes to
 * it. There are no branches and no table look-ups that depend on the state, which may hold a secret. The loops are unrolled,
 * because so the rotations are by constants and the lanes in registers: that is three times as fast. */
#include "keys/keccak.h"

#include <sodium.h>
#include <string.h>

#define N_ROUNDS 24
#define N_LANES 25

static const guint64 round_constants[N_ROUNDS] = {
  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
  0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
  0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
  0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

/* The way of the steps rho and pi through the lanes: from lane 1 on, each lane moves to the next place that is named here, and
 * is rotated by so much on the way. */
static const guint8 places[N_LANES - 1] = { 10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                            15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1 };
static const guint8 rotations[N_LANES - 1] = { 1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                               27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44 };

static inline guint64
rotate (guint64 value, guint by)
{
  return value << by | value >> (64 - by);
}

static inline void
theta (guint64 lanes[N_LANES])
{
  guint64 columns[5];
#pragma GCC unroll 5
  for (guint x = 0; x < 5; x++)
    columns[x] = lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20];
#pragma GCC unroll 5
  for (guint x = 0; x < 5; x++)
  {
    guint64 mixed = columns[(x + 4) % 5] ^ rotate (columns[(x + 1) % 5], 1);
#pragma GCC unroll 5
    for (guint y = 0; y < N_LANES; y += 5)
      lanes[x + y] ^= mixed;
  }
}

static inline void
rho_and_pi (guint64 lanes[N_LANES])
{
  guint64 moving = lanes[1];
#pragma GCC unroll 24
  for (guint i = 0; i < N_LANES - 1; i++)
  {
    guint64 next = lanes[places[i]];
    lanes[places[i]] = rotate (moving, rotations[i]);
    moving = next;
  }
}

static inline void
chi (guint64 lanes[N_LANES])
{
#pragma GCC unroll 5
  for (guint y = 0; y < N_LANES; y += 5)
  {
    guint64 row[5];
    memcpy (row, lanes + y, sizeof row);
#pragma GCC unroll 5
    for (guint x = 0; x < 5; x++)
      lanes[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
  }
}

static void
swap_bytes (guint64 lanes[N_LANES])
{
  for (guint i = 0; i < N_LANES; i++)
    lanes[i] = GUINT64_FROM_LE (lanes[i]);
}

void
sv_keccak_f1600 (guint8 state[SV_KECCAK_STATE_SIZE])
{
  guint64 lanes[N_LANES];
  memcpy (lanes, state, sizeof lanes);
  swap_bytes (lanes);
  for (guint round = 0; round < N_ROUNDS; round++)
  {
    theta (lanes);
    rho_and_pi (lanes);
    chi (lanes);
    lanes[0] ^= round_constants[round];
  }
  swap_bytes (lanes);
  memcpy (state, lanes, sizeof lanes);
  sodium_memzero (lanes, sizeof lanes);
}
