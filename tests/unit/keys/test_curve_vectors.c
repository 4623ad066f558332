/* Cases, each with published data, so that the curve does not stand on libsodium's word alone: signatures of RFC 8032, section
 * 7.1 (all but the one of 1,023 bytes); the multiples of ristretto255's generator and what encodes nothing, of RFC 9496,
 * appendices A.1 and A.2; the eight points of small order, with the order of each. */
#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "base/hash.h"
#include "crafted_signature.h"
#include "keys/edwards25519.h"
#include "keys/prepared_key.h"

static void
read_hex (const char *hex, guint8 *bytes, gsize size)
{
  g_assert_true (sv_hex_decode (hex, FALSE, bytes, size));
}

/* ---- RFC 8032 ---- */

#define MAX_MESSAGE 64

static const struct
{
  const char *public_key, *message, *signature;
} signatures[] = {
  { "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e"
    "7a100b" },
  { "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612"
    "bb0c00" },
  { "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea"
    "1ec40a" },
  { "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa5"
    "4ca49f",
    "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef11773"
    "31a704" },
};

static void
test_rfc_8032 (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (signatures); i++)
  {
    guint8 public_key[SV_PUBLIC_KEY_SIZE], message[MAX_MESSAGE], signature[SV_SIGNATURE_SIZE];
    gsize length = strlen (signatures[i].message) / 2;
    read_hex (signatures[i].public_key, public_key, sizeof public_key);
    read_hex (signatures[i].message, message, length);
    read_hex (signatures[i].signature, signature, sizeof signature);
    g_autoptr (SvPreparedKey) key = sv_prepared_key_new (SV_SCHEME_ED25519, public_key);
    g_assert_nonnull (key);
    g_assert_true (sv_prepared_key_verify (key, message, length, signature));
    g_assert_true (sv_verify_unprepared (SV_SCHEME_ED25519, public_key, message, length, signature));
    signature[i] ^= 1;
    g_assert_false (sv_prepared_key_verify (key, message, length, signature));
  }
}

/* ---- RFC 9496 ---- */

static const char *const multiples[] = {
  "0000000000000000000000000000000000000000000000000000000000000000",
  "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
  "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
  "94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
  "da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57",
  "e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e",
  "f64746d3c92b13050ed8d80236a7f0007c3b3f962f5ba793d19a601ebb1df403",
  "44f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d",
  "903293d8f2287ebe10e2374dc1a53e0bc887e592699f02d077d5263cdd55601c",
  "02622ace8f7303a31cafc63f8fc48fdc16e1c8c8d234b2f0d6685282a9076031",
  "20706fd788b2720a1ed2a5dad4952b01f413bcf0e7564de8cdc816689e2db95f",
  "bce83f8ba5dd2fa572864c24ba1810f9522bc6004afe95877ac73241cafdab42",
  "e4549ee16b9aa03099ca208c67adafcafa4c3f3e4e5303de6026e3ca8ff84460",
  "aa52e000df2e16f55fb1032fc33bc42742dad6bd5a8fc0be0167436c5948501f",
  "46376b80f409b29dc2b5f6f0c52591990896e5716f41477cd30085ab7f10301e",
  "e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e",
};

/* n·B is n times the generator as read, and also k·B + s·B for every k + s = n. */
static void
test_rfc_9496_multiples (void)
{
  guint8 bytes[32];
  SvEdwardsPoint generator, sum, product;
  g_autofree SvEdwardsComb *comb = g_new (SvEdwardsComb, 1);
  read_hex (multiples[0], bytes, sizeof bytes);
  g_assert_true (sv_ristretto_decode (&sum, bytes));
  read_hex (multiples[1], bytes, sizeof bytes);
  g_assert_true (sv_ristretto_decode (&generator, bytes));
  sv_edwards_comb_init (comb, &generator);
  for (guint n = 0; n < G_N_ELEMENTS (multiples); n++)
  {
    read_hex (multiples[n], bytes, sizeof bytes);
    g_assert_true (sv_ristretto_is_encoding (bytes, &sum));
    sv_edwards_add (&sum, &sum, &generator, 0);
    for (guint k = 0; k <= n; k++)
    {
      sv_edwards_multiply (&product, (const guint8[32]){ (guint8)k }, comb, (const guint8[32]){ (guint8)(n - k) });
      g_assert_true (sv_ristretto_is_encoding (bytes, &product));
    }
  }
}

static const char *const no_encodings[] = {
  /* not below p */
  "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  /* negative */
  "0100000000000000000000000000000000000000000000000000000000000000",
  "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
  "c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562",
  "c940e5a4404157cfb1628b108db051a8d439e1a421394ec4ebccb9ec92a8ac78",
  "47cfc5497c53dc8e61c91d17fd626ffb1c49e2bca94eed052281b510b1117a24",
  "f1c6165d33367351b0da8f6e4511010c68174a03b6581212c71c0e1d026c3c72",
  "87260f7a2f12495118360f02c26a470f450dadf34a413d21042b43b9d93e1309",
  /* x² is no square */
  "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
  "4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f",
  "de6a7b00deadc788eb6b6c8d20c0ae96c2f2019078fa604fee5b87d6e989ad7b",
  "bcab477be20861e01e4a0e295284146a510150d9817763caf1a6f4b422d67042",
  "2a292df7e32cababbd9de088d1d1abec9fc0440f637ed2fba145094dc14bea08",
  "f4a9e534fc0d216c44b218fa0c42d99635a0127ee2e53c712f70609649fdff22",
  "8268436f8c4126196cf64b3c7ddbda90746a378625f9813dd9b8457077256731",
  "2810e5cbc2cc4d4eece54f61c6f69758e289aa7ab440b3cbeaa21995c2f4232b",
  /* x·y is negative */
  "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
  "a45fdc55c76448c049a1ab33f17023edfb2be3581e9c7aade8a6125215e04220",
  "d483fe813c6ba647ebbfd3ec41adca1c6130c2beeee9d9bf065c8d151c5f396e",
  "8a2e1d30050198c65a54483123960ccc38aef6848e1ec8f5f780e8523769ba32",
  "32888462f8b486c68ad7dd9610be5192bbeaf3b443951ac1a8118419d9fa097b",
  "227142501b9d4355ccba290404bde41575b037693cef1f438c47f8fbf35d1165",
  "5c37cc491da847cfeb9281d407efc41e15144c876e0170b499a96a22ed31e01e",
  "445425117cb8c90edcbc7c1cc0e74f747f2c1efa5630a967c64f287792a48a4b",
  /* s is -1, and y would be 0 */
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static void
test_rfc_9496_no_encodings (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (no_encodings); i++)
  {
    guint8 bytes[32];
    SvEdwardsPoint point;
    read_hex (no_encodings[i], bytes, sizeof bytes);
    g_assert_false (sv_ristretto_decode (&point, bytes));
    g_assert_null (sv_prepared_key_new (SV_SCHEME_SR25519, bytes));
  }
}

/* ---- small orders ---- */

static const struct
{
  const char *encoding;
  guint order;
} small_points[] = {
  { "0100000000000000000000000000000000000000000000000000000000000000", 1 },
  { "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 2 },
  { "0000000000000000000000000000000000000000000000000000000000000000", 4 },
  { "0000000000000000000000000000000000000000000000000000000000000080", 4 },
  { "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", 8 },
  { "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", 8 },
  { "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", 8 },
  { "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", 8 },
};

static void
test_small_orders (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (small_points); i++)
  {
    guint8 bytes[32], encoded[32], neutral[32];
    SvEdwardsPoint point, sum;
    read_hex (small_points[i].encoding, bytes, sizeof bytes);
    read_hex (small_points[0].encoding, neutral, sizeof neutral);
    g_assert_true (sv_edwards_decode (&point, bytes));
    g_assert_true (sv_edwards_has_small_order (&point));
    g_assert_null (sv_prepared_key_new (SV_SCHEME_ED25519, bytes));
    sum = point;
    for (guint n = 1; n <= small_points[i].order; n++)
    {
      sv_edwards_encode (encoded, &sum);
      g_assert_true ((memcmp (encoded, neutral, 32) == 0) == (n == small_points[i].order));
      sv_edwards_add (&sum, &sum, &point, 0);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (sodium_init () < 0)
    return 1;
  g_test_add_func ("/curve-vectors/rfc-8032", test_rfc_8032);
  g_test_add_func ("/curve-vectors/rfc-9496-multiples", test_rfc_9496_multiples);
  g_test_add_func ("/curve-vectors/rfc-9496-no-encodings", test_rfc_9496_no_encodings);
  g_test_add_func ("/curve-vectors/small-orders", test_small_orders);
  return g_test_run ();
}
