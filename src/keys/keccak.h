/* The permutation Keccak-f[1600] (FIPS 202), which STROBE is made of; libsodium has no part of it. */
#pragma once

#include <glib.h>

#define SV_KECCAK_STATE_SIZE 200

/* Permutes the state, in constant time. The bytes are the lanes in little-endian order. */
void sv_keccak_f1600 (guint8 state[SV_KECCAK_STATE_SIZE]);
