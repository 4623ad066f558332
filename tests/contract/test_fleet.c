/* What every engine behind state.h promises to several instances that share it.
 *
 * Leadership
 *  1. one handle leads a task at a time; another task is another matter; freed, or killed with its process, it is another's
 * The shared chain
 *  2. what the leader shares is what others read, with the index up to its final block, or without it; an
 *     unchanged picture has its version
 *  3. only the leader shares, and only what the stored index agrees with; forgetting the index takes the picture with it
 *  4. a wish is counted, and is met when the leader says so
 *  5. processes that open an empty database together all find it ready
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "refusal.h"
#include "scratch.h"
#include "state_fixture.h"

/* ── leadership ── */

static gboolean
leads (SvState *state, const char *task)
{
  gboolean yes = FALSE;
  must (sv_state_lead (state, task, &yes, &error));
  return yes;
}

typedef struct
{
  const char *url;
  int ready; /* a pipe */
} Holder;

static int
lead_for_ever (gpointer data)
{
  const Holder *holder = data;
  g_autoptr (SvState) state = open_state (holder->url);
  if (!leads (state, "chain") || write (holder->ready, "x", 1) != 1)
    return 1;
  for (;;)
    pause ();
}

static void
await_leading (SvState *state, const char *task)
{
  gint64 deadline = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  while (!leads (state, task))
  {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (10000);
  }
}

static void
test_leadership (StateFixture *f)
{
  g_autoptr (SvState) other = open_state (f->url), third = open_state (f->url);
  g_assert_true (leads (f->state, "chain"));
  g_assert_true (leads (f->state, "chain"));
  g_assert_false (leads (other, "chain"));
  g_assert_true (leads (other, "issue-log"));
  g_assert_false (leads (f->state, "issue-log"));
  g_clear_pointer (&other, sv_state_free);
  await_leading (third, "issue-log");
  g_assert_false (leads (third, "chain"));
  g_autoptr (SvState) again = open_state (f->url);
  g_assert_false (leads (again, "issue-log")); /* whoever comes back has what he had no more */
}

static void
test_leader_is_killed (StateFixture *f)
{
  int ends[2];
  char byte;
  g_assert_cmpint (pipe (ends), ==, 0);
  Holder holder = { f->url, ends[1] };
  pid_t child = child_start (lead_for_ever, &holder);
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 1);
  g_assert_false (leads (f->state, "chain"));
  kill (child, SIGKILL);
  child_wait (child);
  await_leading (f->state, "chain");
  close (ends[0]);
  close (ends[1]);
}

/* ── the shared chain ── */

static const SvChainId finney = { .genesis = "0xaa", .netuid = 44 };

static void
add_commitment (GPtrArray *list, guint64 block, const char *text)
{
  SvStoredCommitment *commitment = g_new0 (SvStoredCommitment, 1);
  commitment->block = block;
  commitment->index = 3;
  g_strlcpy (commitment->hash, "0xcc", sizeof commitment->hash);
  commitment->signer = g_strdup ("5M");
  commitment->text = g_strdup (text);
  commitment->succeeded = TRUE;
  g_ptr_array_add (list, commitment);
}

static gboolean
index_to (SvState *state, guint64 from_block, guint64 number, GError **error)
{
  SvCheckpoint checkpoint = { from_block, number, "0xbb" };
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_stored_commitment_free);
  add_commitment (list, number, "final");
  return sv_state_append_commitments (state, &finney, &checkpoint, list, error);
}

static SvSharedChain *
make_picture (guint64 final_block)
{
  static const char *const permits[] = { "5V", "5W", NULL };
  SvSharedChain *shared = sv_shared_chain_new ();
  guint64 gone = 111;
  shared->generation = 1761177600000001;
  shared->content = 4;
  shared->best = (SvSharedBlock){ 120, "0x120", 1761177600123 };
  shared->finalized = (SvSharedBlock){ 115, "0x115", 1761177500123 };
  shared->from_block = 100;
  shared->final_block = final_block;
  shared->permits = g_strdupv ((char **)permits);
  shared->permits_block = 115;
  g_array_append_val (shared->unreadable, gone);
  add_commitment (shared->open, 118, "sv1 commit \"w\"\n\\E");
  return shared;
}

static void
assert_picture (const SvSharedChain *shared)
{
  const SvStoredCommitment *open = shared->open->pdata[0];
  g_assert_cmpint (shared->generation, ==, 1761177600000001);
  g_assert_cmpuint (shared->content, ==, 4);
  g_assert_cmpuint (shared->best.number, ==, 120);
  g_assert_cmpstr (shared->best.hash, ==, "0x120");
  g_assert_cmpint (shared->best.time_ms, ==, 1761177600123);
  g_assert_cmpuint (shared->finalized.number, ==, 115);
  g_assert_cmpuint (shared->from_block, ==, 100);
  g_assert_cmpstr (shared->permits[1], ==, "5W");
  g_assert_cmpuint (shared->permits_block, ==, 115);
  g_assert_cmpuint (g_array_index (shared->unreadable, guint64, 0), ==, 111);
  g_assert_cmpuint (open->block, ==, 118);
  g_assert_cmpuint (open->index, ==, 3);
  g_assert_cmpstr (open->hash, ==, "0xcc");
  g_assert_cmpstr (open->signer, ==, "5M");
  g_assert_cmpstr (open->text, ==, "sv1 commit \"w\"\n\\E");
  g_assert_true (open->succeeded);
}

static void
test_shared_chain (StateFixture *f)
{
  SvSharedStatus status = { 0 };
  g_autoptr (SvState) other = open_state (f->url);
  g_autoptr (SvSharedChain) none = NULL, read = NULL, again = NULL, next = NULL, shortened = NULL, written = make_picture (110);
  must (sv_state_shared_chain (other, &finney, &status, &none, &error));
  g_assert_null (none);
  g_assert_cmpint (status.age_ms, ==, G_MAXINT64);

  g_assert_true (leads (f->state, "chain"));
  must (index_to (f->state, 90, 105, &error));
  must (index_to (f->state, 90, 110, &error));
  written->age_ms = 5000;
  must (sv_state_share_chain (f->state, &finney, written, &error));
  must (index_to (f->state, 90, 112, &error)); /* later than the picture */
  must (sv_state_shared_chain (other, &finney, &status, &read, &error));
  assert_picture (read);
  g_assert_cmpuint (read->final->len, ==, 2);
  g_assert_cmpint (status.age_ms, >=, 5000);
  g_assert_cmpint (status.age_ms, <, 65000);

  written->age_ms = 0;
  must (sv_state_share_chain (f->state, &finney, written, &error));
  must (sv_state_shared_chain (other, &finney, &status, &again, &error));
  g_assert_null (again);
  g_assert_cmpint (status.age_ms, <, 60000);

  written->best.number++;
  written->final_block = 112;
  must (sv_state_share_chain (f->state, &finney, written, &error));
  status.generation = written->generation;
  status.final_block = 110;
  must (sv_state_shared_chain (other, &finney, &status, &next, &error));
  g_assert_cmpuint (next->best.number, ==, 121);
  g_assert_cmpuint (next->final->len, ==, 1);

  SvSharedStatus short_status = { .skips_index = TRUE };
  must (sv_state_shared_chain (other, &finney, &short_status, &shortened, &error));
  g_assert_cmpuint (shortened->best.number, ==, 121);
  g_assert_cmpuint (shortened->open->len, ==, 1);
  g_assert_cmpuint (shortened->final->len, ==, 0);
}

static void
test_sharing_is_fenced (StateFixture *f)
{
  SvSharedStatus status = { 0 };
  g_autoptr (SvState) other = open_state (f->url);
  g_autoptr (SvSharedChain) picture = make_picture (110), none = NULL;
  assert_fails (sv_state_share_chain (f->state, &finney, picture, refusal), SV_ERROR_CONFLICT);
  g_assert_true (leads (f->state, "chain"));
  assert_fails (sv_state_share_chain (other, &finney, picture, refusal), SV_ERROR_CONFLICT);
  assert_fails (sv_state_share_chain (f->state, &finney, picture, refusal), SV_ERROR_CONFLICT); /* there is no such index */
  must (index_to (f->state, 101, 130, &error));
  assert_fails (sv_state_share_chain (f->state, &finney, picture, refusal), SV_ERROR_CONFLICT); /* it begins too late */
  must (index_to (f->state, 100, 109, &error));
  assert_fails (sv_state_share_chain (f->state, &finney, picture, refusal), SV_ERROR_CONFLICT); /* it ends too early */
  must (index_to (f->state, 100, 110, &error));
  must (sv_state_share_chain (f->state, &finney, picture, &error));
  must (sv_state_forget_chain (f->state, &finney, &error));
  must (sv_state_shared_chain (other, &finney, &status, &none, &error));
  g_assert_null (none);
}

static void
test_wishes (StateFixture *f)
{
  guint64 wish;
  SvSharedStatus status = { 0 };
  g_autoptr (SvSharedChain) picture = make_picture (0);
  g_autoptr (SvState) other = open_state (f->url);
  must (sv_state_wish_chain (other, &finney, &wish, &error));
  must (sv_state_wish_chain (other, &finney, &wish, &error));
  g_assert_cmpuint (wish, ==, 2);
  must (sv_state_shared_chain (f->state, &finney, &status, NULL, &error));
  g_assert_cmpuint (status.wished, ==, 2);
  g_assert_cmpuint (status.answered, ==, 0);
  g_assert_true (leads (f->state, "chain"));
  picture->answered = status.wished;
  must (sv_state_share_chain (f->state, &finney, picture, &error));
  must (sv_state_shared_chain (other, &finney, &status, NULL, &error));
  g_assert_cmpuint (status.answered, ==, 2);
}

/* ── beginning ── */

static int
begin (gpointer url)
{
  guint64 version;
  g_autoptr (SvState) state = open_state (url);
  must (sv_state_clips_version (state, &version, &error));
  return version == 0 ? 0 : 1;
}

static void
test_migrations_race (StateFixture *f)
{
  pid_t children[8];
  for (guint i = 0; i < G_N_ELEMENTS (children); i++)
    children[i] = child_start (begin, f->url);
  for (guint i = 0; i < G_N_ELEMENTS (children); i++)
    g_assert_cmpint (child_wait (children[i]), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  state_promise_add ("one leads", test_leadership);
  state_promise_add ("a killed leader leads no more", test_leader_is_killed);
  state_promise_add ("the chain is shared", test_shared_chain);
  state_promise_add ("only the leader shares", test_sharing_is_fenced);
  state_promise_add ("wishes", test_wishes);
  state_promise_add ("processes begin together", test_migrations_race);
  return state_promises_run ();
}
