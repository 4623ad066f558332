/* The thread that publishes the issue log.
 *
 * Of windows that all have many records to be published none waits until another has no more. */
#include <glib/gstdio.h>

#include "protocol/issued.h"
#include "world.h"

#define DEADLINE_US (60 * G_TIME_SPAN_SECOND)
#define N_FILES 9 /* of each window: more than it has in a turn */
#define N_RECORDS ((guint64)N_FILES * SV_ISSUED_FILE_MAX_RECORDS)

static void
give_hotkey (World *world)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = sv_wallet_hotkey_path (world->config);
  g_assert_true (sv_keyfile_create (path, world->operator_key, &error));
  g_assert_no_error (error);
}

/* A file of records of the window. */
static void
issue_file (const World *world, SvState *state, const char *window_id, const char *manifest_hash, guint64 first_id)
{
  static SvAdmission batch[SV_ISSUED_FILE_MAX_RECORDS];
  static SvIssueRecord records[SV_ISSUED_FILE_MAX_RECORDS];
  static char nonces[SV_ISSUED_FILE_MAX_RECORDS][32];
  const SvAdmissionRules wide = { .limit = 10000000, .window_ms = 60000, .remember_ms = 120000 };
  char *account = (char *)sv_keypair_address (world->miner);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (batch); i++)
  {
    g_snprintf (nonces[i], sizeof nonces[i], "1761%015" G_GUINT64_FORMAT, first_id + i);
    records[i] = (SvIssueRecord){ .asker = account,
                                  .miner = account,
                                  .window_id = (char *)window_id,
                                  .manifest_hash = (char *)manifest_hash,
                                  .element_id = (char *)"Serve@1",
                                  .clip_hash = world->clip_hash,
                                  .nonce = nonces[i],
                                  .time_ms = 1000 };
    batch[i] = (SvAdmission){
      .asker = account, .nonce = nonces[i], .client_id = "", .now_ms = (gint64)first_id, .record = &records[i]
    };
  }
  g_assert_true (sv_state_admit (state, &wide, batch, G_N_ELEMENTS (batch), &error));
  g_assert_no_error (error);
  g_assert_cmpuint (records[0].challenge_id, ==, first_id);
}

/* When the window's signpost of this id was written, in nanoseconds; waits for it. */
static gint64
written_ns (const World *world, const char *window_id, guint64 first)
{
  GStatBuf status;
  gint64 deadline = g_get_monotonic_time () + DEADLINE_US;
  g_autofree char *path =
      g_strdup_printf ("%s/store/scorevision/issued/%s/%" G_GUINT64_FORMAT ".json", world->directory, window_id, first);
  while (g_stat (path, &status) != 0)
  {
    if (g_get_monotonic_time () > deadline)
      g_error ("%s is not there", path);
    g_usleep (10000);
  }
  return (gint64)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
}

static void
test_windows_take_turns (World *world, gconstpointer unused)
{
  give_hotkey (world);
  sv_config_set (world->config, "SCOREVISION_ISSUE_INTERVAL", "1");
  world_populate (world);
  SvState *state = world_open_state (world);
  for (guint64 id = 1; id <= 2 * N_RECORDS; id += SV_ISSUED_FILE_MAX_RECORDS)
    if (id <= N_RECORDS)
      issue_file (world, state, "old", world->old_manifest, id);
    else
      issue_file (world, state, "now", world->now_manifest, id);
  sv_state_free (state);
  world_start (world);
  gint64 old_begins = written_ns (world, "old", 1), old_is_closed = written_ns (world, "old", N_RECORDS + 1);
  gint64 now_begins = written_ns (world, "now", 1);
  gint64 now_ends = written_ns (world, "now", 2 * N_RECORDS - SV_ISSUED_FILE_MAX_RECORDS + 1);
  g_assert_cmpint (now_begins, <, old_is_closed);
  g_assert_cmpint (old_begins, <, now_ends);
}

static void
set_up (World *world, gconstpointer unused)
{
  world_set_up (world, 0);
}

static void
tear_down (World *world, gconstpointer unused)
{
  world_tear_down (world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/api/issue-publisher/windows take turns", World, NULL, set_up, test_windows_take_turns, tear_down);
  return g_test_run ();
}
