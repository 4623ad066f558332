/* Cases, each by a prepared key and as libsodium (or sv_sr25519_verify()) judges it: signatures of messages of all lengths, and
 * with every bit of key and signature changed; scalars at the edges and times L more; R and keys that are no points, of small
 * order, or not in their only encoding; keys and R with a component of small order, where the equation holds with the cofactor
 * and, by chance, without it; the neutral element as a key. */
#include "keys/prepared_key.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "crafted_signature.h"

static const SvScheme schemes[] = { SV_SCHEME_ED25519, SV_SCHEME_SR25519 };

static const guint8 order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                  0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };

typedef struct
{
  SvScheme scheme;
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  guint8 signature[SV_SIGNATURE_SIZE];
  guint8 message[300];
  gsize length;
} Case;

/* What both say. */
static gboolean
judge (const Case *one)
{
  g_autoptr (SvPreparedKey) key = sv_prepared_key_new (one->scheme, one->public_key);
  gboolean unprepared = sv_verify_unprepared (one->scheme, one->public_key, one->message, one->length, one->signature);
  gboolean prepared = key != NULL && sv_prepared_key_verify (key, one->message, one->length, one->signature);
  g_assert_true (prepared == unprepared);
  return prepared;
}

/* The same for a key that has been prepared. */
static gboolean
judge_by (const SvPreparedKey *key, const Case *one)
{
  gboolean unprepared = sv_verify_unprepared (one->scheme, one->public_key, one->message, one->length, one->signature);
  gboolean prepared = sv_prepared_key_verify (key, one->message, one->length, one->signature);
  g_assert_true (prepared == unprepared);
  return prepared;
}

static void
draw_case (Case *one, SvScheme scheme, gsize length, guint key_torsion, guint signature_torsion)
{
  SvCraft craft = { .scheme = scheme,
                    .key_torsion = key_torsion,
                    .signature_torsion = signature_torsion,
                    .message = one->message,
                    .length = length };
  one->scheme = scheme;
  one->length = length;
  randombytes_buf (one->message, sizeof one->message);
  crypto_core_ed25519_scalar_random (craft.a);
  crypto_core_ed25519_scalar_random (craft.r);
  sv_craft_signature (&craft, one->public_key, one->signature);
}

static void
test_messages_of_every_length (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    for (gsize length = 0; length < sizeof ((Case *)0)->message; length++)
    {
      Case one;
      draw_case (&one, schemes[i], length, 0, 0);
      g_assert_true (judge (&one));
      one.message[length]++;
      one.length = length + 1;
      g_assert_false (judge (&one));
    }
}

static void
test_every_bit_counts (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
  {
    Case one;
    draw_case (&one, schemes[i], 19, 0, 0);
    for (guint bit = 0; bit < 8 * SV_SIGNATURE_SIZE; bit++)
    {
      one.signature[bit / 8] ^= (guint8)(1 << bit % 8);
      g_assert_false (judge (&one));
      one.signature[bit / 8] ^= (guint8)(1 << bit % 8);
    }
    for (guint bit = 0; bit < 8 * SV_PUBLIC_KEY_SIZE; bit++)
    {
      one.public_key[bit / 8] ^= (guint8)(1 << bit % 8);
      g_assert_false (judge (&one));
      one.public_key[bit / 8] ^= (guint8)(1 << bit % 8);
    }
    g_assert_true (judge (&one));
  }
}

static void
add_order (guint8 scalar[32], guint times)
{
  guint carry = 0;
  for (guint i = 0; i < 32; i++)
  {
    carry += scalar[i] + times * order[i];
    scalar[i] = (guint8)carry;
    carry >>= 8;
  }
}

/* s + n·L for every n that fits, with and without the mark of sr25519; and 0, L-1, L, L+1 and all bits. */
static void
test_scalars (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
  {
    Case good;
    draw_case (&good, schemes[i], 19, 0, 0);
    g_autoptr (SvPreparedKey) key = sv_prepared_key_new (good.scheme, good.public_key);
    for (guint n = 0; n < 16; n++)
    {
      Case one = good;
      one.signature[63] &= 0x7f;
      add_order (one.signature + 32, n);
      g_assert_true (judge_by (key, &one) == (n == 0 && schemes[i] == SV_SCHEME_ED25519));
      one.signature[63] |= 0x80;
      g_assert_true (judge_by (key, &one) == (n == 0 && schemes[i] == SV_SCHEME_SR25519));
    }
    for (gint around = -1; around <= 1; around++)
      for (guint times = 0; times < 3; times++)
      {
        Case one = good;
        memset (one.signature + 32, 0, 32);
        add_order (one.signature + 32, times);
        one.signature[32] = (guint8)(one.signature[32] + around);
        g_assert_false (judge_by (key, &one));
        one.signature[63] |= 0x80;
        g_assert_false (judge_by (key, &one));
        memset (one.signature + 32, 0xff, 32);
        g_assert_false (judge_by (key, &one));
      }
  }
}

/* 0 … 18 and p-1 … p+18, of either sign, in place of R and of the key; the first ones of both rows are of small order. */
static void
test_encodings_at_the_edges (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
  {
    Case good;
    draw_case (&good, schemes[i], 19, 0, 0);
    g_autoptr (SvPreparedKey) key = sv_prepared_key_new (good.scheme, good.public_key);
    for (guint n = 0; n < 4 * 20; n++)
    {
      guint8 edge[32];
      memset (edge, n & 1 ? 0xff : 0, 32);
      edge[0] = (guint8)((n & 1 ? 0xec : 0) + n / 4);
      edge[31] = (guint8)((n & 1 ? 0x7f : 0) | (n & 2 ? 0x80 : 0));
      Case one = good;
      memcpy (one.signature, edge, 32);
      g_assert_false (judge_by (key, &one));
      one = good;
      memcpy (one.public_key, edge, 32);
      g_assert_false (judge (&one));
    }
  }
}

/* By a key of small order, R = s·B minus one of eight points: whoever takes such keys takes one of these for any message. And
 * with a key of prime order and r = 0, R is of small order itself and the equation holds. */
static void
test_small_orders (void)
{
  for (guint i = 0; i < SV_N_TORSION; i++)
  {
    guint8 small[32];
    sv_torsion_point (i, small);
    g_assert_null (sv_prepared_key_new (SV_SCHEME_ED25519, small));
    for (guint j = 0; j < SV_N_TORSION; j++)
    {
      Case one;
      draw_case (&one, SV_SCHEME_ED25519, 19, 0, j);
      memcpy (one.public_key, small, 32);
      g_assert_false (judge (&one));
    }
    Case one = { .scheme = SV_SCHEME_ED25519, .length = 19 };
    SvCraft craft = { .scheme = SV_SCHEME_ED25519, .signature_torsion = i, .message = one.message, .length = one.length };
    crypto_core_ed25519_scalar_random (craft.a);
    sv_craft_signature (&craft, one.public_key, one.signature);
    g_assert_cmpmem (one.signature, 32, small, 32);
    g_assert_false (judge (&one));
  }
}

/* Without the cofactor, k·(a·B + T) + R + T' is s·B where k·T + T' happens to be neutral, which depends on k, and so on the
 * message. */
static void
test_mixed_orders (void)
{
  guint n_accepted = 0, n_refused = 0;
  for (guint n = 0; n < 8 * SV_N_TORSION * SV_N_TORSION; n++)
  {
    guint key_torsion = n % SV_N_TORSION, signature_torsion = n / SV_N_TORSION % SV_N_TORSION;
    Case one;
    draw_case (&one, SV_SCHEME_ED25519, 19, key_torsion, signature_torsion);
    gboolean is_accepted = judge (&one);
    if (key_torsion == 0)
      g_assert_true (is_accepted == (signature_torsion == 0));
    else
      *(is_accepted ? &n_accepted : &n_refused) += 1;
  }
  g_assert_cmpuint (n_accepted, >, 0); /* else 448 draws have missed a chance of an eighth and more */
  g_assert_cmpuint (n_refused, >, 0);
}

static void
test_neutral_key (void)
{
  Case one = { .scheme = SV_SCHEME_SR25519, .length = 19 };
  g_assert_null (sv_prepared_key_new (SV_SCHEME_SR25519, one.public_key));
  crypto_core_ed25519_scalar_random (one.signature + 32);
  (void)crypto_scalarmult_ristretto255_base (one.signature, one.signature + 32);
  one.signature[63] |= 0x80;
  g_assert_false (judge (&one));
}

/* R = 0 is the encoding of the neutral element: with r = 0 it is what a signature has, and it is taken as the unprepared
 * function does. */
static void
test_neutral_r (void)
{
  Case one = { .scheme = SV_SCHEME_SR25519, .length = 19 };
  SvCraft craft = { .scheme = SV_SCHEME_SR25519, .message = one.message, .length = one.length };
  crypto_core_ed25519_scalar_random (craft.a);
  sv_craft_signature (&craft, one.public_key, one.signature);
  g_assert_true (sodium_is_zero (one.signature, 32));
  g_assert_true (judge (&one));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (sodium_init () < 0)
    return 1;
  g_test_add_func ("/prepared-key/messages-of-every-length", test_messages_of_every_length);
  g_test_add_func ("/prepared-key/every-bit-counts", test_every_bit_counts);
  g_test_add_func ("/prepared-key/scalars", test_scalars);
  g_test_add_func ("/prepared-key/encodings-at-the-edges", test_encodings_at_the_edges);
  g_test_add_func ("/prepared-key/small-orders", test_small_orders);
  g_test_add_func ("/prepared-key/mixed-orders", test_mixed_orders);
  g_test_add_func ("/prepared-key/neutral-key", test_neutral_key);
  g_test_add_func ("/prepared-key/neutral-r", test_neutral_r);
  return g_test_run ();
}
