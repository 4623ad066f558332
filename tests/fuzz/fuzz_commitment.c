/* Texts of one hotkey, parted by lines of "---", folded at growing blocks. Whatever they are: what parses is written and read
 * as the same, caps never exceed the total, no element is bound and withdrawn, and the preview of each text is its verdict. */
#include "protocol/commitment.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

#define WINDOW "2025-10-23"
#define START 20000
#define EXPIRY 27200
#define MAX_TEXTS 16

static void
write_and_read_again (const char *text)
{
  g_autoptr (SvCommitmentText) parsed = sv_commitment_text_parse (text, strlen (text), NULL);
  if (parsed == NULL)
    return;
  g_autofree char *written = sv_commitment_text_format (parsed);
  g_autoptr (SvCommitmentText) again = sv_commitment_text_parse (written, strlen (written), NULL);
  g_assert_nonnull (again);
  g_autofree char *rewritten = sv_commitment_text_format (again);
  g_assert_cmpstr (rewritten, ==, written);
  for (guint i = 0; i < parsed->bindings->len; i++)
    g_assert_true (sv_commitment_text_names (text, ((const SvBinding *)parsed->bindings->pdata[i])->element_id));
}

static void
check_state (const SvFold *fold)
{
  g_autoptr (GPtrArray) ids = sv_fold_element_ids (fold);
  guint64 sum = 0;
  for (guint i = 0; i < ids->len; i++)
  {
    const SvBoundElement *bound = g_hash_table_lookup (fold->bound, ids->pdata[i]);
    sum += bound->binding.cap_milli;
    g_assert_false (g_hash_table_contains (fold->withdrawn, ids->pdata[i]));
  }
  g_assert_cmpuint (sum, <=, fold->total_cap_milli);
}

static void
check_preview (const SvChainText *texts, gsize place)
{
  g_autofree char *window_id = sv_commitment_text_window (texts[place].text);
  if (g_strcmp0 (window_id, WINDOW) != 0)
    return;
  g_autoptr (SvFold) before = sv_fold (WINDOW, START, EXPIRY, texts, place, G_MAXUINT64);
  g_autoptr (SvFold) after = sv_fold (WINDOW, START, EXPIRY, texts, place + 1, G_MAXUINT64);
  g_autofree char *preview = sv_fold_preview (before, START, EXPIRY, texts[place].text, texts[place].block);
  const SvTextVerdict *verdict = after->verdicts->pdata[after->verdicts->len - 1];
  g_assert_cmpstr (preview, ==, verdict->void_reason);
  check_state (after);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autofree char *input = g_strndup ((const char *)data, size);
  g_auto (GStrv) parts = g_strsplit (input, "\n---\n", MAX_TEXTS);
  SvChainText texts[MAX_TEXTS] = { 0 };
  gsize n = g_strv_length (parts);

  g_autoptr (SvCommitmentText) raw = sv_commitment_text_parse ((const char *)data, size, NULL);
  g_assert_true (raw == NULL || memchr (data, 0, size) == NULL);
  for (gsize i = 0; i < n; i++)
  {
    texts[i] = (SvChainText){ .block = START - 4 + i, .text = parts[i], .proof = "p" };
    write_and_read_again (parts[i]);
    check_preview (texts, i);
  }
  return 0;
}
