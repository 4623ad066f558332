/* Headers as RPC gives them.
 *
 *  - the first block of a real runtime, and headers with other numbers and digests, have the hashes that nodes and another
 *    implementation give them, and their extrinsics root is told
 *  - a digest that says that the runtime changed is noticed; a longer item that begins with the same byte is not one
 *  - the same number in short and in long form is the same header; one bit anywhere makes another
 *  - refused: a part missing, too short, too long, not hex, without 0x, of another type; too many and too large digest items
 */
#include "chain/subtensor/header.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "refusal.h"

#define A32(digit) "0x" digit digit digit digit digit digit digit digit /* of eight digits each */
#define ZEROS A32 ("00000000")
#define PARENT A32 ("11111111")
#define STATE A32 ("22222222")
#define EXTRINSICS A32 ("33333333")
#define AURA "0x066175726120a73aad2300000000"
#define SEAL_64                                                                                                                \
  "abababababababababababababababababababababababababababababababab"                                                           \
  "abababababababababababababababababababababababababababababababab"

static json_t *
make (const char *parent, const char *number, const char *state, const char *extrinsics, const char *logs)
{
  g_autofree char *text =
      g_strdup_printf ("{\"parentHash\":\"%s\",\"number\":\"%s\",\"stateRoot\":\"%s\",\"extrinsicsRoot\":\"%s\","
                       "\"digest\":{\"logs\":%s}}",
                       parent, number, state, extrinsics, logs);
  json_t *json = json_loads (text, 0, NULL);
  g_assert_nonnull (json);
  return json;
}

static SvHeader
read_header (const json_t *json)
{
  g_autoptr (GError) error = NULL;
  SvHeader header;
  gboolean is_read = sv_header_from_json (json, &header, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  return header;
}

static void
assert_header (const json_t *json, guint64 number, const char *hash, gboolean changes_runtime)
{
  SvHeader header = read_header (json);
  g_assert_cmpuint (header.number, ==, number);
  g_assert_cmpstr (header.hash, ==, hash);
  g_assert_cmpstr (header.parent, ==, json_string_value (json_object_get (json, "parentHash")));
  g_assert_cmpint (header.changes_runtime, ==, changes_runtime);
  g_autofree char *root = sv_hex_encode (header.extrinsics_root, sizeof header.extrinsics_root);
  g_assert_cmpstr (root, ==, json_string_value (json_object_get (json, "extrinsicsRoot")) + 2);
}

static void
test_hashes (void)
{
  g_autoptr (json_t) first = make (A32 ("45454545"), "0x00000001", ZEROS,
                                   "0x8b86fe1981f5796379f4606b92312d4b34bf51826dc89f4db929230e0ba0fb1d", "[\"" AURA "\"]");
  g_autoptr (json_t) none = make (PARENT, "0x3fff", STATE, EXTRINSICS, "[]");
  g_autoptr (json_t) three =
      make (PARENT, "0x4c4b40", STATE, EXTRINSICS, "[\"" AURA "\",\"0x08\",\"0x05617572610101" SEAL_64 "\"]");
  assert_header (first, 1, "0x4462a87e097f37aee96feacd353cf04aa8b8d94bb5e92d69669994dcaa723939", FALSE);
  assert_header (none, 16383, "0x891f8f329fa6b2dae4b9eb135afdf9afdcb5bf335484f9b8c1c5c57099842fd3", FALSE);
  assert_header (three, 5000000, "0xb3006c8e3809ca5b6c8c649bb5aff89a265ec094a2b4abc7ae9732bd507061fb", TRUE);
}

static void
test_changed_runtime (void)
{
  g_autoptr (json_t) longer = make (PARENT, "0x1", STATE, EXTRINSICS, "[\"0x0808\"]");
  g_autoptr (json_t) last = make (PARENT, "0x1", STATE, EXTRINSICS, "[\"" AURA "\",\"0x08\"]");
  g_assert_false (read_header (longer).changes_runtime);
  g_assert_true (read_header (last).changes_runtime);
}

static void
test_same_and_other (void)
{
  g_autoptr (json_t) shorter = make (PARENT, "0xa1", STATE, EXTRINSICS, "[\"" AURA "\"]");
  g_autoptr (json_t) longer = make (PARENT, "0x000000A1", STATE, EXTRINSICS, "[\"" AURA "\"]");
  json_t *const others[] = {
    make (ZEROS, "0xa1", STATE, EXTRINSICS, "[\"" AURA "\"]"),
    make (PARENT, "0xa2", STATE, EXTRINSICS, "[\"" AURA "\"]"),
    make (PARENT, "0xa1", ZEROS, EXTRINSICS, "[\"" AURA "\"]"),
    make (PARENT, "0xa1", STATE, ZEROS, "[\"" AURA "\"]"),
    make (PARENT, "0xa1", STATE, EXTRINSICS, "[]"),
    make (PARENT, "0xa1", STATE, EXTRINSICS, "[\"" AURA "\",\"" AURA "\"]"),
  };
  SvHeader one = read_header (shorter), same = read_header (longer);
  g_assert_cmpstr (one.hash, ==, same.hash);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
  {
    SvHeader other = read_header (others[i]);
    g_assert_cmpstr (one.hash, !=, other.hash);
    json_decref (others[i]);
  }
}

static void
assert_refused (const char *key, json_t *value)
{
  SvHeader header;
  g_autoptr (json_t) json = make (PARENT, "0x1", STATE, EXTRINSICS, "[]");
  if (value != NULL)
    json_object_set_new (json, key, value);
  else
    json_object_del (json, key);
  assert_fails_saying (sv_header_from_json (json, &header, refusal), SV_ERROR_MALFORMED, key);
}

static void
test_refused_hashes (void)
{
  static const char *const keys[] = { "parentHash", "stateRoot", "extrinsicsRoot" };
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
  {
    assert_refused (keys[i], NULL);
    assert_refused (keys[i], json_null ());
    assert_refused (keys[i], json_real (1));
    assert_refused (keys[i], json_string (""));
    assert_refused (keys[i], json_string ("0x"));
    assert_refused (keys[i], json_string (STATE "2"));
    assert_refused (keys[i], json_string (STATE "22"));
    assert_refused (keys[i], json_string (&STATE[2]));
    assert_refused (keys[i], json_stringn (STATE "\0", sizeof STATE));
    assert_refused (keys[i], json_string (A32 ("2222222g")));
  }
}

static void
test_refused_numbers (void)
{
  static const char *const numbers[] = {
    "", "0x", "1", "0xg", "0x 1", "0x-1", "0x00000000000000001", "0x1 ", "0x100000000", "0x20000000000000", "0xffffffffffffffff"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    assert_refused ("number", json_string (numbers[i]));
  assert_refused ("number", NULL);
  assert_refused ("number", json_real (1));
}

static json_t *
digest_of (json_t *item, guint n)
{
  json_t *logs = json_array ();
  for (guint i = 0; i < n; i++)
    json_array_append (logs, item);
  json_decref (item);
  return json_pack ("{s:o}", "logs", logs);
}

static void
test_refused_digests (void)
{
  static const char *const items[] = { "", "0x", "08", "0x8", "0x0g" };
  g_autofree char *zeros = g_strnfill (2 * 65537, '0');
  g_autofree char *too_large = g_strconcat ("0x", zeros, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (items); i++)
    assert_refused ("digest", digest_of (json_string (items[i]), 1));
  assert_refused ("digest", NULL);
  assert_refused ("digest", json_array ());
  assert_refused ("digest", digest_of (json_null (), 1));
  assert_refused ("digest", digest_of (json_string ("0x00"), 65));
  assert_refused ("digest", digest_of (json_string (too_large), 1));

  g_autoptr (json_t) most = make (PARENT, "0x1", STATE, EXTRINSICS, "[]");
  too_large[2 + 2 * 65536] = '\0';
  json_object_set_new (most, "digest", digest_of (json_string (too_large), 64));
  read_header (most);
}

static void
test_refused_values (void)
{
  SvHeader header;
  g_autoptr (json_t) array = json_array (), null = json_null ();
  assert_fails (sv_header_from_json (array, &header, refusal), SV_ERROR_MALFORMED);
  assert_fails (sv_header_from_json (null, &header, refusal), SV_ERROR_MALFORMED);
  assert_fails (sv_header_from_json (NULL, &header, refusal), SV_ERROR_MALFORMED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/header/hashes", test_hashes);
  g_test_add_func ("/header/changed-runtime", test_changed_runtime);
  g_test_add_func ("/header/same-and-other", test_same_and_other);
  g_test_add_func ("/header/refused-hashes", test_refused_hashes);
  g_test_add_func ("/header/refused-numbers", test_refused_numbers);
  g_test_add_func ("/header/refused-digests", test_refused_digests);
  g_test_add_func ("/header/refused-values", test_refused_values);
  return g_test_run ();
}
