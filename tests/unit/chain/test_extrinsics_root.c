/* The extrinsics root of a block.
 *
 *  - lists of many lengths, of extrinsics below and above 32 bytes, have the roots that another implementation gives them, in
 *    both layouts
 *  - layouts differ from the first extrinsic of more than 32 bytes on
 *  - a root of either layout is that of its list, and not of one in which an extrinsic is missing, added, changed, cut, put
 *    twice or in another's place, wherever
 *  - a bit more or less in the root is another root
 *  - an extrinsic in place of its hash, and a hash in place of its extrinsic, are told apart
 *  - the largest list that is read from a node has a root, too
 *  - the hash of the extrinsics in a row stands for that list, and for no other way to cut the row, nor for extrinsics that do
 *    not say how long they are; what a root is the hash of is no such row
 */
#include "chain/subtensor/extrinsics_root.h"

#include <string.h>

#include "base/hash.h"

#define LARGEST 100000

/* The list of @n extrinsics of @length bytes that the roots below are of. */
static GPtrArray *
make_list (guint n, gsize length)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  for (guint i = 0; i < n; i++)
  {
    guint8 *bytes = g_malloc (length + 1);
    for (gsize j = 0; j < length; j++)
      bytes[j] = (guint8)(7 * i + 13 * j + (i >> 8) + 1);
    g_ptr_array_add (list, g_bytes_new_take (bytes, length));
  }
  return list;
}

static void
assert_root (const GPtrArray *list, SvTrieLayout layout, const char *expected)
{
  guint8 root[32];
  sv_extrinsics_root (list, layout, root);
  g_autofree char *hex = sv_hex_encode (root, sizeof root);
  g_assert_cmpstr (hex, ==, expected);
}

static void
test_none (void)
{
  static const char *const expected = "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314";
  g_autoptr (GPtrArray) list = make_list (0, 0);
  assert_root (list, SV_TRIE_V0, expected);
  assert_root (list, SV_TRIE_V1, expected);
}

static const struct
{
  guint n;
  gsize length;
  SvTrieLayout layout;
  const char *root;
} known[] = {
  { 1, 0, SV_TRIE_V0, "8077a6c7a347a74bf93a813cad4edc5e1b53566593dac5e6b19f7b48c365842b" },
  { 17, 0, SV_TRIE_V0, "354952bc1a6374e442e70ff036d35a8421bac27551c8302db8afc399cd3f344a" },
  { 1, 4, SV_TRIE_V0, "859570a8fd9202314dc0e5dce6b49892b8c717541a78bebd9d4f372549a44b65" },
  { 2, 4, SV_TRIE_V0, "c285e63f09b2b91cd7a689787e29caf574216056647a9fe4ae83ab76b97e25e7" },
  { 15, 4, SV_TRIE_V0, "cbe0c21f9a95361594c40268c47748cb2876f6bb006836bf761d42c409e7c237" },
  { 16, 4, SV_TRIE_V0, "78cb85173f14cb3f722541f9e2db318ec39d9e29b059db97d0bd26ba7a9e810f" },
  { 17, 4, SV_TRIE_V0, "a8eaaf5ab0311f229c591590bc52c1878b1b2d7bb9487e6029a5f13507e4fc73" },
  { 64, 4, SV_TRIE_V0, "e4259940b17c10a1fc5280ea01b2f1f7aae0d26170f59a10188dfa60592c907a" },
  { 65, 4, SV_TRIE_V0, "f970169367a8a4e36fe9d8bfc2ba56a4e0d2034c45af614d55baf95df774e216" },
  { 256, 4, SV_TRIE_V0, "149a8c4f6f8cf87088f5275567ce3d88a59ff6b99601711ef250b22853585e11" },
  { 300, 4, SV_TRIE_V0, "1969a2a6a381659217b5e0c5dd44c2e2aa7c5d88ba0b36cd83f10520c8c15038" },
  { 16385, 4, SV_TRIE_V0, "2afec255678789ceb5cc4468f413cbe617b3cd61f3a8a8f81c6fda34ffb83714" },
  { 1, 31, SV_TRIE_V0, "fbd1889af1c0ca881f28e387af2890c3c2fd78b80be3332790d9097c7346b9e1" },
  { 17, 31, SV_TRIE_V0, "904d81ef8620ca1e118cae1f1214dfd3b17d8e76e36b29e30d8830d9915909a3" },
  { 1, 32, SV_TRIE_V0, "92136139c242875acc3a6a83283c56254b1eac562bbe39d77a1e502a2ef3c0b7" },
  { 17, 32, SV_TRIE_V0, "5ae41d410afc69918cc03c84652a4c2a3085f346aae184aac5dc1f5f12455db6" },
  { 1, 33, SV_TRIE_V0, "48a3ad68a39318e6636d01d3031a736bec6bc3bd7a868a8ba1230a54a96a945c" },
  { 1, 33, SV_TRIE_V1, "a3dca351dab25eef5833bbd73aa34702a8be0b0d8081974a89ea07b0cb0115c7" },
  { 17, 33, SV_TRIE_V0, "1edb0b384ce24e9ab3ca29c0ab595888adc24992fddc67abe52ae5d96117fdb0" },
  { 17, 33, SV_TRIE_V1, "eb7077a364a767ba3a3c0ad7ca4fbd115443f39ccdd9af592ce691c10cef8d8e" },
  { 1, 100, SV_TRIE_V0, "f64631bbd0f0572bf7e0912c212c06a456602dca2686f0067fb20c70cfa36f02" },
  { 1, 100, SV_TRIE_V1, "18423c435bd27183d526c474446419046646c349781ce99f7dbcc702483b2c28" },
  { 2, 100, SV_TRIE_V0, "98658b79c671f8526ff56da7ad21490e38e769d25bb2a9c9704bd14eb0bb8fd5" },
  { 2, 100, SV_TRIE_V1, "f2e94d56550d4025c538270fb7221402f9b3acc319160b8542276e04456e1f4e" },
  { 15, 100, SV_TRIE_V0, "c3c85b789720501a9c66fe6dd9c93195209d3406b068c6156efd9616c63cc736" },
  { 15, 100, SV_TRIE_V1, "29bfc53cd337121e3701fc2a6c9b44946d91431c350c7e61a0a812bd8b8c3408" },
  { 16, 100, SV_TRIE_V0, "f25f4657e1880d0b984b710b0a75271f30099504a25495e7080b426193015e46" },
  { 16, 100, SV_TRIE_V1, "8219f2d0832c46f3ffca05b8975dbae7ad59550f20a2580469c69dc56d64f830" },
  { 17, 100, SV_TRIE_V0, "71411f35516aa91b35cee9b8649fa96ca3e43bd315239164d1bbc22c1a318a81" },
  { 17, 100, SV_TRIE_V1, "4863e5609a1173f962c2a78718e60a122da824822129feab52a617164daaccce" },
  { 64, 100, SV_TRIE_V0, "244d153a60e05a83f9328c4982e749d85a5beaeb5489065e03ecdde1208b31dc" },
  { 64, 100, SV_TRIE_V1, "139f143b999f1d552981fbe89ac1897330927ad01496ef8d9ff83f760d495379" },
  { 65, 100, SV_TRIE_V0, "9cd30c9ce1322cd3f70d796a081b100a18c6ab2a41c1047ceb7aa1e234b59e67" },
  { 65, 100, SV_TRIE_V1, "029a061685c2ad1082e023dba475509f4cbf7e9f4d7445697c0e710735232054" },
  { 256, 100, SV_TRIE_V0, "cd617acdffcd2e8ed1fddc1905b9fa42ebfd45a0e1ed836f49a533a8975e7f8b" },
  { 256, 100, SV_TRIE_V1, "684458fd542e90d1bd91211f614491f8dc1cb496ae5dfa2ce8ae2d46c446f215" },
  { 300, 100, SV_TRIE_V0, "23f34a408b16a2185aac8f36ea02232983c5c5e9f2b2fd916ed5485eaacb4754" },
  { 300, 100, SV_TRIE_V1, "b9dac42734c33e6b70231be8c42eaeda9f0b64c43a34acf72a7f8580062a56dd" },
  { 16385, 100, SV_TRIE_V0, "c3006db5809f2dde3c4c13f65c4e012858d0ad71dcedfcd2fd9436ffdd11de6d" },
  { 16385, 100, SV_TRIE_V1, "e3928ffe8f79a9c5edbe9fb7709e1795ac16bbbaf0bcd9e017f3d4037166e94f" },
};

static void
test_known (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
  {
    g_autoptr (GPtrArray) list = make_list (known[i].n, known[i].length);
    assert_root (list, known[i].layout, known[i].root);
  }
}

static void
test_layouts (void)
{
  static const gsize lengths[] = { 0, 1, 31, 32, 33, 64, 5000 };
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
  {
    guint8 v0[32], v1[32];
    g_autoptr (GPtrArray) list = make_list (17, 8);
    g_autoptr (GPtrArray) one = make_list (1, lengths[i]);
    g_ptr_array_add (list, g_bytes_ref (one->pdata[0]));
    sv_extrinsics_root (list, SV_TRIE_V0, v0);
    sv_extrinsics_root (list, SV_TRIE_V1, v1);
    g_assert_cmpint (memcmp (v0, v1, sizeof v0) != 0, ==, lengths[i] > 32);
  }
}

/* ── other lists ── */

static GBytes *
changed (GBytes *bytes)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  guint8 *copy = g_memdup2 (data, length);
  copy[length - 1] ^= 1;
  return g_bytes_new_take (copy, length);
}

static void
leave_out (GPtrArray *list, guint i)
{
  g_ptr_array_remove_index (list, i);
}

static void
put_twice (GPtrArray *list, guint i)
{
  g_ptr_array_insert (list, (gint)i, g_bytes_ref (list->pdata[i]));
}

static void
add (GPtrArray *list, guint i)
{
  g_ptr_array_insert (list, (gint)i, g_bytes_new_static ("another one", 11));
}

static void
put (GPtrArray *list, guint i, GBytes *bytes)
{
  g_bytes_unref (list->pdata[i]);
  list->pdata[i] = bytes;
}

static void
change (GPtrArray *list, guint i)
{
  put (list, i, changed (list->pdata[i]));
}

static void
cut (GPtrArray *list, guint i)
{
  put (list, i, g_bytes_new_from_bytes (list->pdata[i], 0, g_bytes_get_size (list->pdata[i]) - 1));
}

static void
empty (GPtrArray *list, guint i)
{
  put (list, i, g_bytes_new (NULL, 0));
}

static void
swap (GPtrArray *list, guint i)
{
  guint other = (i + 1) % list->len;
  gpointer kept = list->pdata[i];
  list->pdata[i] = list->pdata[other];
  list->pdata[other] = kept;
}

static void
put_its_hash (GPtrArray *list, guint i)
{
  gsize length;
  guint8 hash[32];
  const void *data = g_bytes_get_data (list->pdata[i], &length);
  sv_blake2b_256 (data, length, hash);
  put (list, i, g_bytes_new (hash, sizeof hash));
}

static void
assert_only_this (guint n, gsize length, SvTrieLayout layout)
{
  static void (*const changes[]) (GPtrArray * list, guint i) = { leave_out, put_twice, add,  change,
                                                                 cut,       empty,     swap, put_its_hash };
  guint8 root[32];
  g_autoptr (GPtrArray) list = make_list (n, length);
  sv_extrinsics_root (list, layout, root);
  g_assert_true (sv_extrinsics_root_matches (list, root));
  for (guint i = 0; i < n; i++)
    for (gsize k = 0; k < G_N_ELEMENTS (changes); k++)
    {
      g_autoptr (GPtrArray) other = make_list (n, length);
      changes[k](other, i);
      g_assert_false (sv_extrinsics_root_matches (other, root));
    }
}

static void
test_other_lists (void)
{
  static const guint counts[] = { 2, 16, 17, 70 };
  static const gsize lengths[] = { 4, 32, 33, 150 };
  for (gsize i = 0; i < G_N_ELEMENTS (counts); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (lengths); j++)
    {
      assert_only_this (counts[i], lengths[j], SV_TRIE_V0);
      assert_only_this (counts[i], lengths[j], SV_TRIE_V1);
    }
}

static void
test_other_roots (void)
{
  guint8 root[32];
  g_autoptr (GPtrArray) list = make_list (5, 40);
  sv_extrinsics_root (list, SV_TRIE_V0, root);
  for (guint bit = 0; bit < 8 * sizeof root; bit++)
  {
    root[bit / 8] ^= (guint8)(1u << bit % 8);
    g_assert_false (sv_extrinsics_root_matches (list, root));
    root[bit / 8] ^= (guint8)(1u << bit % 8);
  }
  g_assert_true (sv_extrinsics_root_matches (list, root));
}

static void
test_largest (void)
{
  guint8 root[32];
  g_autoptr (GPtrArray) list = make_list (LARGEST, 40);
  sv_extrinsics_root (list, SV_TRIE_V1, root);
  g_assert_true (sv_extrinsics_root_matches (list, root));
  leave_out (list, LARGEST - 1);
  g_assert_false (sv_extrinsics_root_matches (list, root));
}

static void
row_hash (const char *row, gsize length, guint8 root[32])
{
  sv_blake2b_256 (row, length, root);
}

/* Lengths are compact: 0x0c is 3, 0x10 is 4, 0x14 is 5. */
static void
test_in_a_row (void)
{
  guint8 root[32];
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  row_hash ("\x0c\x04"
            "ab"
            "\x10\x84"
            "cde",
            9, root);
  g_ptr_array_add (list, g_bytes_new ("\x0c\x04"
                                      "ab",
                                      4));
  g_assert_false (sv_extrinsics_root_matches (list, root));
  g_ptr_array_add (list, g_bytes_new ("\x10\x84"
                                      "cde",
                                      5));
  g_assert_true (sv_extrinsics_root_matches (list, root));
  swap (list, 0);
  g_assert_false (sv_extrinsics_root_matches (list, root));

  g_ptr_array_set_size (list, 0); /* the same bytes, cut elsewhere */
  g_ptr_array_add (list, g_bytes_new ("\x0c\x04"
                                      "ab"
                                      "\x10",
                                      5));
  g_ptr_array_add (list, g_bytes_new ("\x84"
                                      "cde",
                                      4));
  g_assert_false (sv_extrinsics_root_matches (list, root));
}

static gboolean
is_a_row (const char *bytes, gsize length)
{
  guint8 root[32];
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  row_hash (bytes, length, root);
  g_ptr_array_add (list, g_bytes_new (bytes, length));
  return sv_extrinsics_root_matches (list, root);
}

/* Else a node could pass off what a root is the hash of as other extrinsics. */
static void
test_row_is_no_root (void)
{
  static const guint8 formats[] = { 0x04, 0x84, 0x05, 0x45, 0x85 };
  static const guint8 others[] = { 0x00, 0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0x80, 0xff };
  char root_of_many[33] = { (char)0x80 };
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  guint8 root[32];
  sv_extrinsics_root (list, SV_TRIE_V0, root);
  g_ptr_array_add (list, g_bytes_new ("", 1)); /* a zero is what an empty trie is encoded as */
  g_assert_false (sv_extrinsics_root_matches (list, root));
  for (gsize i = 0; i < sizeof formats; i++)
  {
    root_of_many[1] = (char)formats[i];
    g_assert_true (is_a_row (root_of_many, sizeof root_of_many));
  }
  for (gsize i = 0; i < sizeof others; i++)
  {
    root_of_many[1] = (char)others[i];
    g_assert_false (is_a_row (root_of_many, sizeof root_of_many));
  }
  g_assert_false (is_a_row ("\x81\x00\x11", 3)); /* of two, and its beginning only */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/extrinsics-root/none", test_none);
  g_test_add_func ("/extrinsics-root/known", test_known);
  g_test_add_func ("/extrinsics-root/layouts", test_layouts);
  g_test_add_func ("/extrinsics-root/other-lists", test_other_lists);
  g_test_add_func ("/extrinsics-root/other-roots", test_other_roots);
  g_test_add_func ("/extrinsics-root/largest", test_largest);
  g_test_add_func ("/extrinsics-root/in-a-row", test_in_a_row);
  g_test_add_func ("/extrinsics-root/row-is-no-root", test_row_is_no_root);
  return g_test_run ();
}
