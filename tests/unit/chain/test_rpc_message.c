/* Cases: what the errors of nodes mean (lost state, too large, no batches, busy, none of these); what an answer to a batch
 * becomes; that an answer with one fault leaves nothing behind; and words and codes of errors in all their forms. */
#include <string.h>

#include "base/error.h"
#include "chain/subtensor/rpc_message.h"

static void
test_what_errors_mean (void)
{
  static const struct
  {
    gint64 code;
    const char *words;
    SvRpcKind alone;
    SvRpcKind of_batch;
  } cases[] = {
    { 4003, "State already discarded for 0x11", SV_RPC_GONE, SV_RPC_GONE },
    { 4003, "Client error: UnknownBlock: State already discarded for 0x11", SV_RPC_GONE, SV_RPC_GONE },
    { 4003, "Client error: Api called for an unknown Block: Header was not found in the database: 0x11", SV_RPC_UNKNOWN,
      SV_RPC_UNKNOWN },
    { -32000, "UnknownBlock: Expect block number from id: 0x11", SV_RPC_UNKNOWN, SV_RPC_UNKNOWN },
    { 4000, "Client error: UnknownBlock", SV_RPC_UNKNOWN, SV_RPC_UNKNOWN },
    { -32603, "Unknown error occured: Client(UnknownBlock(\"State already discarded for Hash(0x11)\"))", SV_RPC_GONE,
      SV_RPC_GONE },
    { -32000, "api called for an invalid Block", SV_RPC_UNKNOWN, SV_RPC_UNKNOWN },
    { -32000, "missing trie node 11 (path )", SV_RPC_GONE, SV_RPC_GONE },
    { 1, "Block 0x11 not found", SV_RPC_UNKNOWN, SV_RPC_UNKNOWN },
    { -32801, "Block not found", SV_RPC_UNKNOWN, SV_RPC_UNKNOWN },
    { -32010, "Server is busy", SV_RPC_BUSY, SV_RPC_BUSY },
    { 4003, "Client error: Execution failed: Runtime panicked", SV_RPC_ERROR, SV_RPC_ERROR },
    { 4003, "Client error: rate limit exceeded", SV_RPC_ERROR, SV_RPC_ERROR },
    { 1010, "Invalid Transaction: rate limit exceeded", SV_RPC_ERROR, SV_RPC_ERROR },
    { 1012, "Transaction is temporarily banned: unknown block", SV_RPC_ERROR, SV_RPC_ERROR },
    { -32601, "Method not found", SV_RPC_ERROR, SV_RPC_NO_BATCH },
    { -32600, "Invalid request", SV_RPC_ERROR, SV_RPC_NO_BATCH },
    { -32700, "Parse error", SV_RPC_ERROR, SV_RPC_NO_BATCH },
    { -32005, "Batched requests are not supported by this server", SV_RPC_ERROR, SV_RPC_NO_BATCH },
    { 0, "batch is disabled", SV_RPC_ERROR, SV_RPC_NO_BATCH },
    { -32010, "The batch request was too large: Exceeded max limit of 10", SV_RPC_TOO_LARGE, SV_RPC_TOO_LARGE },
    { -32011, "The batch response was too large", SV_RPC_TOO_LARGE, SV_RPC_TOO_LARGE },
    { -32000, "batch request count exceeded limit of 100", SV_RPC_TOO_LARGE, SV_RPC_TOO_LARGE },
    { -32008, "Response is too big", SV_RPC_TOO_LARGE, SV_RPC_TOO_LARGE },
    { -32702, "Response is too big", SV_RPC_TOO_LARGE, SV_RPC_TOO_LARGE },
    { -32005, "limit exceeded", SV_RPC_BUSY, SV_RPC_BUSY },
    { -32004, "", SV_RPC_BUSY, SV_RPC_BUSY },
    { -32004, "Method not supported", SV_RPC_ERROR, SV_RPC_ERROR },
    { -32009, "Server is busy, try again later", SV_RPC_BUSY, SV_RPC_BUSY },
    { -32999, "RPC rate limit", SV_RPC_BUSY, SV_RPC_BUSY },
    { -32000, "Batch rate limit exceeded", SV_RPC_BUSY, SV_RPC_BUSY },
    { 429, "slow down", SV_RPC_BUSY, SV_RPC_BUSY },
    { 0, "Too Many Requests", SV_RPC_BUSY, SV_RPC_BUSY },
    { -32603, "Internal error", SV_RPC_ERROR, SV_RPC_ERROR },
    { 0, "", SV_RPC_ERROR, SV_RPC_ERROR },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_test_message ("%d %s", (int)cases[i].code, cases[i].words);
    g_assert_cmpint (sv_rpc_error_kind (cases[i].code, cases[i].words, FALSE), ==, cases[i].alone);
    g_assert_cmpint (sv_rpc_error_kind (cases[i].code, cases[i].words, TRUE), ==, cases[i].of_batch);
  }
}

/* ---- answers ---- */

static const SvRpcReply *
reply_at (const GArray *replies, guint i)
{
  return &g_array_index (replies, SvRpcReply, i);
}

/* The answer to calls from number 10 on. */
static gboolean
read_text (const char *text, GArray *replies, SvRpcReply *whole, GError **error)
{
  return sv_rpc_read_answer (text, strlen (text), 10, replies, whole, error);
}

static void
test_replies_find_their_calls (void)
{
  g_autoptr (GArray) replies = sv_rpc_replies_new (4);
  g_auto (SvRpcReply) whole = { 0 };
  g_autoptr (GError) error = NULL;
  g_assert_true (read_text ("[{\"jsonrpc\":\"2.0\",\"id\":13,\"result\":null},"
                            "{\"jsonrpc\":\"2.0\",\"id\":11,\"error\":{\"code\":-32000,\"message\":\"no\"}},"
                            "{\"jsonrpc\":\"2.0\",\"id\":10,\"result\":\"0x\",\"more\":1}]",
                            replies, &whole, &error));
  g_assert_no_error (error);
  g_assert_cmpint (whole.kind, ==, SV_RPC_NOTHING);
  g_assert_cmpstr (json_string_value (reply_at (replies, 0)->result), ==, "0x");
  g_assert_cmpint (reply_at (replies, 1)->kind, ==, SV_RPC_ERROR);
  g_assert_cmpint (reply_at (replies, 1)->code, ==, -32000);
  g_assert_cmpint (reply_at (replies, 2)->kind, ==, SV_RPC_NOTHING);
  g_assert_true (json_is_null (reply_at (replies, 3)->result));
}

static void
test_one_fault_spoils_the_whole_answer (void)
{
  static const struct
  {
    const char *second;
    const char *in_message;
  } cases[] = {
    { "7", "an object was expected" },
    { "{\"id\":11,\"result\":1}", "\"jsonrpc\" is not \"2.0\"" },
    { "{\"jsonrpc\":2.0,\"id\":11,\"result\":1}", "\"jsonrpc\" is not \"2.0\"" },
    { "{\"jsonrpc\":\"2.0\",\"result\":1}", "its \"id\" is none that was asked" },
    { "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":1}", "its \"id\" is none that was asked" },
    { "{\"jsonrpc\":\"2.0\",\"id\":12,\"result\":1}", "its \"id\" is none that was asked" },
    { "{\"jsonrpc\":\"2.0\",\"id\":10.5,\"result\":1}", "its \"id\" is none that was asked" },
    { "{\"jsonrpc\":\"2.0\",\"id\":1e300,\"result\":1}", "its \"id\" is none that was asked" },
    { "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"message\":\"\"}}", "its \"id\" is none that was asked" },
    { "{\"jsonrpc\":\"2.0\",\"id\":10,\"result\":1}", "two answers have the same \"id\"" },
    { "{\"jsonrpc\":\"2.0\",\"id\":11}", "neither \"result\" nor \"error\"" },
    { "{\"jsonrpc\":\"2.0\",\"id\":11,\"result\":null,\"error\":{}}", "both \"result\" and \"error\"" },
    { "{\"jsonrpc\":\"2.0\",\"id\":11,\"error\":null}", "\"error\" is not an object" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (GArray) replies = sv_rpc_replies_new (2);
    g_auto (SvRpcReply) whole = { 0 };
    g_autoptr (GError) error = NULL;
    g_autofree char *text = g_strdup_printf ("[{\"jsonrpc\":\"2.0\",\"id\":10,\"result\":1},%s]", cases[i].second);
    g_test_message ("%s", cases[i].second);
    g_assert_false (read_text (text, replies, &whole, &error));
    g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
    g_assert_nonnull (strstr (error->message, cases[i].in_message));
    g_assert_cmpint (reply_at (replies, 0)->kind, ==, SV_RPC_NOTHING);
  }
}

static void
test_one_error_answers_a_batch (void)
{
  g_autoptr (GArray) replies = sv_rpc_replies_new (2);
  g_auto (SvRpcReply) whole = { 0 };
  g_assert_true (
      read_text ("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32010,\"message\":\"The batch request was too "
                 "large\",\"data\":\"Exceeded max limit of 25\"}}",
                 replies, &whole, NULL));
  g_assert_cmpint (whole.kind, ==, SV_RPC_TOO_LARGE);
  g_assert_cmpuint (whole.limit, ==, 25);
  g_assert_cmpint (reply_at (replies, 0)->kind, ==, SV_RPC_NOTHING);
}

/* ---- errors ---- */

static void
assert_error (const char *error_text, gint64 code, const char *words)
{
  g_autoptr (GArray) replies = sv_rpc_replies_new (1);
  g_auto (SvRpcReply) whole = { 0 };
  g_autofree char *text = g_strdup_printf ("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":%s}", error_text);
  g_test_message ("%s", text);
  g_assert_true (read_text (text, replies, &whole, NULL));
  g_assert_cmpint (reply_at (replies, 0)->code, ==, code);
  g_assert_cmpstr (reply_at (replies, 0)->text, ==, words);
}

static void
test_errors_have_many_forms (void)
{
  assert_error ("{\"code\":-32000,\"message\":\"no\"}", -32000, "no");
  assert_error ("{\"code\":-32000,\"message\":\"no\",\"data\":null}", -32000, "no");
  assert_error ("{\"code\":-32000,\"message\":\"no\",\"data\":\"why\"}", -32000, "no: why");
  assert_error ("{\"code\":-32000,\"message\":\"no\",\"data\":{\"b\":[1,true],\"a\":\"\"}}", -32000,
                "no: {\"a\":\"\",\"b\":[1,true]}");
  assert_error ("{\"message\":\"Method not found: x\"}", 0, "Method not found: x");
  assert_error ("{\"code\":\"-32000\"}", 0, "(without a message)");
  assert_error ("{\"code\":1e300,\"message\":\"no\"}", 0, "no");
  assert_error ("{\"code\":0.5,\"message\":\"no\"}", 0, "no");
  assert_error ("\"no\"", 0, "no");
  assert_error ("{\"code\":1,\"message\":\"\\u009b31m\\u202e\"}", 1, "\\u009b31m\\u202e");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rpc-message/what-errors-mean", test_what_errors_mean);
  g_test_add_func ("/rpc-message/replies-find-their-calls", test_replies_find_their_calls);
  g_test_add_func ("/rpc-message/one-fault-spoils-the-whole", test_one_fault_spoils_the_whole_answer);
  g_test_add_func ("/rpc-message/one-error-answers-a-batch", test_one_error_answers_a_batch);
  g_test_add_func ("/rpc-message/errors-have-many-forms", test_errors_have_many_forms);
  return g_test_run ();
}
