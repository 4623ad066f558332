/* The audit of shards whose window is long over and in the archive of the index:
 *  - they are judged as before, whatever the verdict, down to the chutes that several hotkeys share
 *  - today's shards do without the archive
 *  - an archive that cannot be had decides nothing, nor do commitments of their time that cannot be read
 */
#include <unistd.h>

#include "audit_fixture.h"
#include "chain/engine.h"

/* The fixture's window moves into the archive, and a new one begins. Its hash, (transfer full). */
static char *
let_time_pass (Fixture *fixture)
{
  World *world = fixture->world;
  world_advance (world, 200 + SV_ARCHIVE_AFTER);
  guint64 head = world_head (world).best.number;
  return world_publish (world, "2025-12-01", head, head + 1000, "1", FALSE);
}

static char *
judge_all (Fixture *fixture, char **lines)
{
  start_audit (fixture);
  for (gsize i = 0; lines[i] != NULL; i++)
    add_line (fixture, lines[i]);
  return counted (fixture);
}

/* A shard of the fixture's window for each way to be judged, all of different challenges. */
static char **
varied_lines (Fixture *fixture)
{
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();
  g_autofree char *other_window = commit (fixture, fixture->miner, "2025-10-24");
  static const char *const fields[] = { "",      "chute_slug", "clip_hash", "manifest_hash", "commitment_proof",
                                        "block", "miner",      "score" };
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
  {
    g_autoptr (SvShard) shard = good_shard (fixture);
    g_autofree char *id = g_strdup_printf ("%" G_GSIZE_FORMAT, 1000 + i), *line = NULL;
    set_text (&shard->challenge_id, id);
    if (strcmp (fields[i], "chute_slug") == 0)
      set_text (&shard->chute_slug, "orca");
    if (strcmp (fields[i], "clip_hash") == 0)
      set_text (&shard->clip_hash, HASH_C);
    if (strcmp (fields[i], "manifest_hash") == 0)
      set_text (&shard->manifest_hash, HASH_C);
    if (strcmp (fields[i], "commitment_proof") == 0)
    {
      set_text (&shard->commitment_proof, other_window);
      shard->block = world_head (fixture->world).best.number;
    }
    if (strcmp (fields[i], "block") == 0)
      shard->block = START - 1;
    if (strcmp (fields[i], "miner") == 0)
      set_text (&shard->miner_hotkey, sv_keypair_address (fixture->world->stranger));
    if (strcmp (fields[i], "score") == 0)
      shard->composite_score = 0.99;
    line = sign (fixture, shard, fixture->world->operator);
    g_strv_builder_add (lines, line);
  }
  return g_strv_builder_end (lines);
}

static void
archived_shards_are_judged_as_before (Fixture *fixture, gconstpointer data)
{
  g_auto (GStrv) lines = varied_lines (fixture);
  g_free (commit (fixture, fixture->world->stranger, WINDOW)); /* shares the chute */
  world_advance (fixture->world, 10);
  g_autofree char *before = judge_all (fixture, lines);
  g_assert_nonnull (strstr (before, "accepted 1"));
  g_assert_nonnull (strstr (before, "1 shared"));
  g_assert_nonnull (strstr (before, "rejected 5 proof_wrong_window"));
  g_free (let_time_pass (fixture));
  g_autofree char *after = judge_all (fixture, lines);
  g_assert_cmpstr (after, ==, before);
}

/* The file in which this home would keep the newest archive. */
static char *
archive_path (Fixture *fixture, const char *folder)
{
  GError *error = NULL;
  g_autoptr (SvIndex) index = sv_fetch_index (fixture->reader, SV_FETCH_BYPASS_CACHES, &error);
  g_assert_no_error (error);
  return g_strdup_printf ("%s/%s/%s.json", fixture->world->root, folder, sv_hash_hex (index->archive));
}

static void
shards_of_today_do_without_the_archive (Fixture *fixture, gconstpointer data)
{
  GError *error = NULL;
  g_autofree char *hash = let_time_pass (fixture);
  g_autofree char *cached = archive_path (fixture, "home/cache/archive");
  g_autofree char *old_line = good_line (fixture);
  sv_manifest_free (fixture->manifest);
  fixture->manifest = sv_fetch_manifest (fixture->reader, hash, &error);
  g_assert_no_error (error);
  g_free (fixture->proof);
  fixture->proof = commit (fixture, fixture->miner, "2025-12-01");
  g_autoptr (SvShard) shard = good_shard (fixture);
  shard->block = world_head (fixture->world).best.number;
  world_advance (fixture->world, 10);
  g_autofree char *line = sign (fixture, shard, fixture->world->operator);
  start_audit (fixture);
  add_line (fixture, line);
  assert_counted (fixture, "accepted 1\n0 duplicates, 1 unchecked, 0 shared, 1 lines");
  g_assert_false (g_file_test (cached, G_FILE_TEST_EXISTS));
  add_line (fixture, old_line);
  g_assert_true (g_file_test (cached, G_FILE_TEST_EXISTS));
}

static void
an_archive_that_is_gone_decides_nothing (Fixture *fixture, gconstpointer data)
{
  g_autofree char *line = good_line (fixture);
  g_free (let_time_pass (fixture));
  g_autofree char *stored = archive_path (fixture, "store/scorevision/archive");
  g_assert_cmpint (unlink (stored), ==, 0);
  start_audit (fixture);
  add_line (fixture, line);
  g_autofree char *text = counted (fixture);
  g_assert_nonnull (strstr (text, "undecided 0 unreadable"));
}

static GPtrArray *
cannot_tell_commitments (SvChain *chain, guint64 first, guint64 last, GArray **unreadable, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "it does not answer");
  return NULL;
}

static void
commitments_that_are_gone_decide_nothing (Fixture *fixture, gconstpointer data)
{
  g_autofree char *line = good_line (fixture), *before = NULL, *after = NULL;
  g_free (let_time_pass (fixture));
  start_audit (fixture);
  SvChainEngine silent = sv_ledger_engine;
  silent.commitments = cannot_tell_commitments;
  fixture->world->chain->engine = &silent;
  add_line (fixture, line);
  fixture->world->chain->engine = &sv_ledger_engine;
  before = counted (fixture);
  g_assert_nonnull (strstr (before, "undecided 0 unreadable"));
  start_audit (fixture); /* the next one tries again */
  add_line (fixture, line);
  after = counted (fixture);
  g_assert_nonnull (strstr (after, "accepted 1"));
}

#define ADD(name) g_test_add ("/audit/archive/" #name, Fixture, NULL, set_up, name, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (archived_shards_are_judged_as_before);
  ADD (shards_of_today_do_without_the_archive);
  ADD (an_archive_that_is_gone_decides_nothing);
  ADD (commitments_that_are_gone_decide_nothing);
  return g_test_run ();
}
