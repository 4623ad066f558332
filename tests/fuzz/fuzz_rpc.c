/* The answer of a node, which may be hostile: the first byte says how many calls it is for, from number 7 on. Whatever it
 * holds, it is refused whole, or each reply is what its kind says; and the words of errors can be printed. */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "chain/subtensor/rpc_message.h"

#define MAX_CALLS 4
#define FIRST_ID 7

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_reply (const SvRpcReply *reply)
{
  gboolean is_error = reply->kind != SV_RPC_NOTHING && reply->kind != SV_RPC_RESULT;
  g_assert_true ((reply->result != NULL) == (reply->kind == SV_RPC_RESULT));
  g_assert_true ((reply->text != NULL) == is_error);
  g_assert_true (reply->limit == 0 || reply->kind == SV_RPC_TOO_LARGE);
  g_assert_true (is_error || reply->code == 0);
  for (const char *p = reply->text; p != NULL && *p != '\0'; p++)
    g_assert_false (g_ascii_iscntrl (*p));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_auto (SvRpcReply) whole = { 0 };
  g_autoptr (GError) error = NULL;
  if (size == 0)
    return 0;
  g_autoptr (GArray) replies = sv_rpc_replies_new (data[0] % MAX_CALLS + 1);
  gboolean ok = sv_rpc_read_answer (data + 1, size - 1, FIRST_ID, replies, &whole, &error);

  g_assert_true (ok == (error == NULL));
  g_assert_true (ok || whole.kind == SV_RPC_NOTHING);
  g_assert_true (whole.kind == SV_RPC_NOTHING || replies->len > 1);
  check_reply (&whole);
  for (guint i = 0; i < replies->len; i++)
  {
    const SvRpcReply *reply = &g_array_index (replies, SvRpcReply, i);
    g_assert_true (reply->kind == SV_RPC_NOTHING || (ok && whole.kind == SV_RPC_NOTHING));
    check_reply (reply);
  }
  return 0;
}
