/* What became of a block's extrinsics.
 *
 *  - success and failure by extrinsic; other events, other phases and topics are passed over; without an event: unknown
 *  - a pallet's error by name, with and without docs; one that the metadata does not know by its numbers; names in each other
 *  - older runtimes write an error of a pallet in one byte
 *  - what a node makes up for a terminal is made harmless
 *  - refused: two outcomes of one extrinsic, of an extrinsic that is not there, of none; cut anywhere; bytes too many
 */
#include "chain/subtensor/events.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "refusal.h"
#include "small_metadata.h"

#define EXTRINSIC(n) "00" n "000000"
#define INFO "0400" /* weight and class */
#define NO_TOPICS "00"
#define SUCCESS(n) EXTRINSIC (n) "0000" INFO NO_TOPICS
#define FAILURE(n, why) EXTRINSIC (n) "0001" why INFO NO_TOPICS
#define ACCOUNT "1111111111111111111111111111111111111111111111111111111111111111"
#define NEW_ACCOUNT(n) EXTRINSIC (n) "0003" ACCOUNT NO_TOPICS
#define COMMITMENT(n) EXTRINSIC (n) "12002c00" ACCOUNT "08" ACCOUNT ACCOUNT
#define AT_THE_END                                                                                                             \
  "01"                                                                                                                         \
  "0003" ACCOUNT NO_TOPICS

static SvMetadata *metadata;

static GByteArray *
bytes_of (const char *hex)
{
  GByteArray *out = g_byte_array_new ();
  g_byte_array_set_size (out, (guint)strlen (hex) / 2);
  g_assert_true (sv_hex_decode (hex, FALSE, out->data, out->len));
  return out;
}

static void
read_events (const char *hex, guint n, SvBlockOutcomes *outcomes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) events = bytes_of (hex);
  gboolean is_read = sv_events_read_outcomes (metadata, events->data, events->len, n, outcomes, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  g_assert_cmpuint (outcomes->n, ==, n);
}

static void
test_outcomes (void)
{
  g_auto (SvBlockOutcomes) outcomes = { 0 };
  read_events ("1c" AT_THE_END SUCCESS ("00") NEW_ACCOUNT ("02") COMMITMENT ("02") SUCCESS ("02") FAILURE ("01", "02")
                   AT_THE_END,
               4, &outcomes);
  g_assert_cmpint (outcomes.outcomes[0], ==, SV_OUTCOME_SUCCESS);
  g_assert_cmpint (outcomes.outcomes[1], ==, SV_OUTCOME_FAILURE);
  g_assert_cmpint (outcomes.outcomes[2], ==, SV_OUTCOME_SUCCESS);
  g_assert_cmpint (outcomes.outcomes[3], ==, SV_OUTCOME_UNKNOWN);
  g_assert_null (outcomes.failures[0]);
  g_assert_cmpstr (outcomes.failures[1], ==, "BadOrigin");
  g_assert_null (outcomes.failures[2]);
  g_assert_null (outcomes.failures[3]);
}

static void
test_block_without_events (void)
{
  g_auto (SvBlockOutcomes) outcomes = { 0 };
  read_events ("00", 0, &outcomes);
}

static void
assert_failure (const char *dispatch_error, const char *words)
{
  g_auto (SvBlockOutcomes) outcomes = { 0 };
  g_autofree char *hex = g_strconcat ("04" EXTRINSIC ("00") "0001", dispatch_error, INFO NO_TOPICS, NULL);
  read_events (hex, 1, &outcomes);
  g_assert_cmpstr (outcomes.failures[0], ==, words);
}

static void
test_failures (void)
{
  assert_failure ("00", "Other");
  assert_failure ("031201000000", "Commitments.AccountNotAllowedCommit: Account is not allowed to make commitments");
  assert_failure ("031203000000", "Commitments.SpaceLimitExceeded");
  assert_failure ("0312ff000000", "error 255 of pallet 18, which this chain's metadata does not name");
  assert_failure ("036301000000", "error 1 of pallet 99, which this chain's metadata does not name");
  assert_failure ("0705", "Token.Frozen");
}

static void
assert_text (const char *json, const char *words)
{
  g_autoptr (json_t) dispatch_error = json_loads (json, JSON_DECODE_ANY, NULL);
  g_autofree char *text = sv_dispatch_error_text (metadata, dispatch_error);
  g_assert_nonnull (dispatch_error);
  g_assert_cmpstr (text, ==, words);
}

static void
test_texts (void)
{
  assert_text ("{\"Module\":{\"index\":18,\"error\":3}}", "Commitments.SpaceLimitExceeded");
  assert_text ("{\"Module\":{\"index\":18,\"error\":\"0x03\"}}", "Commitments.SpaceLimitExceeded");
  assert_text ("{\"Module\":{\"index\":18,\"error\":\"0x\"}}", "Module");
  assert_text ("{\"Module\":{\"index\":18,\"error\":300}}", "Module");
  assert_text ("{\"Module\":{\"index\":256,\"error\":3}}", "Module");
  assert_text ("{\"Module\":{\"index\":-1,\"error\":3}}", "Module");
  assert_text ("{\"Module\":null}", "Module");
  assert_text ("{\"Trie\":{\"InvalidStateRoot\":null}}", "Trie.InvalidStateRoot");
  assert_text ("{\"A\":{\"B\":{\"C\":{\"D\":{\"E\":null}}}}}", "A.B.C.D");
  assert_text ("{\"A\":{\"B\":1,\"C\":2}}", "A");
  assert_text ("{\"\\u001b[2J\":null}", "\\u001b[2J");
  assert_text ("null", "for a reason that the chain does not tell");
  assert_text ("[]", "for a reason that the chain does not tell");
}

static void
assert_refused (const char *hex, const char *words)
{
  SvBlockOutcomes outcomes;
  g_autoptr (GByteArray) events = bytes_of (hex);
  assert_fails_saying (sv_events_read_outcomes (metadata, events->data, events->len, 2, &outcomes, refusal), SV_ERROR_MALFORMED,
                       words);
  g_assert_cmpuint (outcomes.n, ==, 0);
  g_assert_null (outcomes.outcomes);
}

static void
test_refused (void)
{
  assert_refused ("08" SUCCESS ("00") SUCCESS ("00"), "two outcomes");
  assert_refused ("08" FAILURE ("01", "02") SUCCESS ("01"), "two outcomes");
  assert_refused ("04" SUCCESS ("02"), "belongs to no extrinsic");
  assert_refused ("0401"
                  "0000" INFO NO_TOPICS,
                  "belongs to no extrinsic");
  assert_refused ("0403"
                  "0000" INFO NO_TOPICS,
                  "a phase that the runtime does not know");
  assert_refused ("04" EXTRINSIC ("00") "6300" NO_TOPICS, "System.Events");
  assert_refused ("04" SUCCESS ("00") "00", "System.Events");
  assert_refused ("", "System.Events");
}

static void
test_cut (void)
{
  SvBlockOutcomes outcomes;
  g_autoptr (GByteArray) events = bytes_of ("0c" FAILURE ("01", "031201000000") COMMITMENT ("00") SUCCESS ("00"));
  for (gsize length = 0; length < events->len; length++)
    assert_fails (sv_events_read_outcomes (metadata, events->data, length, 2, &outcomes, refusal), SV_ERROR_MALFORMED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  metadata = small_metadata_new (&(SmallRuntime){ 0 });
  g_test_add_func ("/events/outcomes", test_outcomes);
  g_test_add_func ("/events/block-without-events", test_block_without_events);
  g_test_add_func ("/events/failures", test_failures);
  g_test_add_func ("/events/texts", test_texts);
  g_test_add_func ("/events/refused", test_refused);
  g_test_add_func ("/events/cut", test_cut);
  int status = g_test_run ();
  sv_metadata_unref (metadata);
  return status;
}
