/* The audit, of shards in a small world: one window, one miner bound to one element, one validator. Rules one by one are the
 * business of the protocol's tests; here is what an audit asks of chain, index and list, and how it reads.
 *
 * verdicts - accepted, self, rejected for each thing the world knows (validator, manifest, proof, binding), not final, legacy
 *          - a proof from after the shard's block proves nothing
 *          - lines that are no shard: garbage, another chain's, tampered
 * counting - of one validator and challenge the lowest hash counts, in whatever order, and the same line twice counts once
 *          - two hotkeys on one chute are counted
 * reading  - files, folders, stores, windows; empty lines, no newline at the end
 *          - lines longer than a shard may be are one rejection each, at any length around the buffer's
 *          - an object too large for a shard file does not stop the audit
 *          - twenty thousand lines take no more memory than two thousand
 * refusing - no validator list, no source
 */
#include "audit_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "refusal.h"

/* gcc says it by a macro, clang by a feature. */
#ifdef __has_feature
#define HAS_FEATURE(name) __has_feature (name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined __SANITIZE_ADDRESS__ || HAS_FEATURE(address_sanitizer)
#define KEEPS_WHAT_IS_FREED TRUE
#else
#define KEEPS_WHAT_IS_FREED FALSE
#endif

/* ── verdicts ── */

static void
a_good_shard_is_accepted (Fixture *fixture, gconstpointer data)
{
  g_autofree char *line = good_line (fixture);
  add_line (fixture, line);
  assert_counted (fixture, "accepted 1\n0 duplicates, 1 unchecked, 0 shared, 1 lines");
}

static void
a_shard_of_the_miner_himself_is_self (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SvShard) shard = good_shard (fixture);
  shard->is_self = TRUE;
  g_autofree char *line = sign (fixture, shard, fixture->miner);
  add_line (fixture, line);
  assert_counted (fixture, "self 1\n0 duplicates, 0 unchecked, 0 shared, 1 lines");
}

static void
assert_judged (Fixture *fixture, const SvShard *shard, const SvKeypair *signer, const char *expected)
{
  g_autofree char *line = sign (fixture, shard, signer), *text = NULL;
  start_audit (fixture);
  add_line (fixture, line);
  text = counted (fixture);
  if (strstr (text, expected) == NULL)
    g_error ("expected \"%s\" in \"%s\"", expected, text);
}

static void
what_the_world_contradicts_is_rejected (Fixture *fixture, gconstpointer data)
{
  const SvKeypair *validator = fixture->world->operator;
  g_autofree char *other_window = commit (fixture, fixture->miner, "2025-10-24");
  world_advance (fixture->world, 10);
  g_autoptr (SvShard) shard = good_shard (fixture);
  assert_judged (fixture, shard, fixture->world->stranger, "rejected 2 not_a_validator");
  shard->block = START - 1;
  assert_judged (fixture, shard, validator, "rejected 3 ");
  shard->block = BLOCK;
  set_text (&shard->manifest_hash, HASH_C);
  assert_judged (fixture, shard, validator, "rejected 3 ");
  set_text (&shard->manifest_hash, fixture->manifest->hash);
  set_text (&shard->clip_hash, HASH_C);
  assert_judged (fixture, shard, validator, "rejected 4 ");
  set_text (&shard->clip_hash, HASH_A);
  set_text (&shard->commitment_proof, other_window);
  assert_judged (fixture, shard, validator, "rejected 5 ");
  set_text (&shard->commitment_proof, fixture->proof);
  set_text (&shard->miner_hotkey, sv_keypair_address (fixture->world->stranger));
  assert_judged (fixture, shard, validator, "rejected 5 ");
  set_text (&shard->miner_hotkey, sv_keypair_address (fixture->miner));
  set_text (&shard->chute_slug, "orca");
  assert_judged (fixture, shard, validator, "rejected 6 ");
  set_text (&shard->chute_slug, "lynx");
  shard->composite_score = 0.99;
  assert_judged (fixture, shard, validator, "rejected 12 ");
}

static void
a_later_commitment_proves_nothing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SvKeypair) late = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autofree char *proof = commit (fixture, late, WINDOW);
  world_advance (fixture->world, 10);
  g_autoptr (SvShard) shard = good_shard (fixture);
  set_text (&shard->miner_hotkey, sv_keypair_address (late));
  set_text (&shard->commitment_proof, proof);
  assert_judged (fixture, shard, fixture->world->operator, "rejected 5 ");
  shard->block = 51;
  assert_judged (fixture, shard, fixture->world->operator, "accepted 1");
}

static void
what_is_not_final_is_undecided (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SvShard) shard = good_shard (fixture);
  shard->block = world_head (fixture->world).finalized.number + 1;
  assert_judged (fixture, shard, fixture->world->operator, "undecided 0 not_final");
  shard->block--;
  assert_judged (fixture, shard, fixture->world->operator, "accepted 1");
}

/* @content of its objects is what the store says the manifest is; NULL: there are none. */
static void
assert_undecided_with_manifest (Fixture *fixture, const char *home, GBytes *content)
{
  g_autoptr (SvConfig) other = world_config (fixture->world, home); /* with no copy in its cache */
  g_autofree char *key = g_strdup_printf ("scorevision/manifests/%s.json", strchr (fixture->manifest->hash, ':') + 1);
  g_autofree char *alias = g_strdup_printf ("scorevision/manifests/%s.json", fixture->manifest->hash);
  g_autofree char *line = good_line (fixture);
  sv_config_set (other, "SCOREVISION_VALIDATORS", sv_keypair_address (fixture->world->operator));
  world_remove_object (fixture->world, key);
  world_remove_object (fixture->world, alias);
  if (content != NULL)
    world_set_object (fixture->world, key, content);
  g_autoptr (SvReader) reader = world_reader (fixture->world, other);
  sv_audit_free (fixture->audit);
  fixture->audit = sv_audit_new (other, fixture->world->chain, reader, NULL, NULL, NULL);
  add_line (fixture, line);
  g_autofree char *text = counted (fixture);
  g_assert_nonnull (strstr (text, "undecided 0 unreadable"));
  sv_audit_free (g_steal_pointer (&fixture->audit));
}

static void
a_manifest_that_cannot_be_read_decides_nothing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) lie = g_bytes_new_static ("{}", 2);
  assert_undecided_with_manifest (fixture, "of-a-withheld-one", NULL);
  assert_undecided_with_manifest (fixture, "of-a-false-one", lie);
}

static void
what_is_no_shard_is_rejected_by_rule_1 (Fixture *fixture, gconstpointer data)
{
  static const char *const lines[] = { "garbage", "{}", "[]", "null", "\xff\xfe", " " };
  const SvChainId elsewhere = sample_chain ();
  g_autoptr (SvShard) shard = good_shard (fixture);
  g_autoptr (SvSignedDocument) foreign = sv_shard_sign (shard, &elsewhere, fixture->world->operator, 1761177601000, NULL);
  g_autofree char *tampered = good_line (fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    add_line (fixture, lines[i]);
  g_autofree char *line = g_strndup (g_bytes_get_data (foreign->bytes, NULL), g_bytes_get_size (foreign->bytes));
  add_line (fixture, line);
  char *score = strstr (tampered, "\"seed\":") + 7;
  *score = *score == '9' ? '8' : '9';
  add_line (fixture, tampered);
  g_autofree char *text = counted (fixture);
  g_assert_true (g_str_has_prefix (text, "rejected 8\n"));
  g_assert_null (strstr (text, "rejected 2"));
}

/* ── counting ── */

static void
the_lowest_hash_counts_in_any_order (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SvShard) shard = good_shard (fixture);
  g_autofree char *accepted = sign (fixture, shard, fixture->world->operator);
  shard->composite_score = 0.99; /* rejected */
  g_autofree char *rejected = sign (fixture, shard, fixture->world->operator);
  g_autofree char *a = sv_hash_bytes (accepted, strlen (accepted)), *r = sv_hash_bytes (rejected, strlen (rejected));
  const char *wins = strcmp (a, r) < 0 ? "accepted 1\n1 duplicates" : "rejected 1\nrejected 12 composite_score\n1 duplicates";
  const char *const orders[][2] = { { accepted, rejected }, { rejected, accepted } };
  for (gsize i = 0; i < G_N_ELEMENTS (orders); i++)
  {
    start_audit (fixture);
    add_line (fixture, orders[i][0]);
    add_line (fixture, orders[i][1]);
    g_autofree char *text = counted (fixture);
    if (!g_str_has_prefix (text, wins))
      g_error ("expected %s, got %s", wins, text);
  }
}

static void
the_same_line_twice_counts_once (Fixture *fixture, gconstpointer data)
{
  g_autofree char *line = good_line (fixture);
  const char *const lines[] = { line, line, "garbage", "garbage" };
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    add_line (fixture, lines[i]);
  g_autofree char *text = counted (fixture);
  g_assert_true (g_str_has_prefix (text, "accepted 1\nrejected 2\n"));
  g_assert_nonnull (strstr (text, "1 duplicates"));
}

static void
two_hotkeys_on_one_chute_are_counted (Fixture *fixture, gconstpointer data)
{
  g_autofree char *line = good_line (fixture);
  g_free (commit (fixture, fixture->world->stranger, WINDOW));
  start_audit (fixture);
  add_line (fixture, line);
  add_line (fixture, line);
  assert_counted (fixture, "accepted 1\n1 duplicates, 1 unchecked, 1 shared, 2 lines");
}

/* ── reading ── */

static void
audit_text (Fixture *fixture, const char *text)
{
  GError *error = NULL;
  g_autofree char *path = world_path (fixture->world, "lines.jsonl");
  g_file_set_contents (path, text, -1, NULL);
  gboolean done = sv_audit_source (fixture->audit, path, NULL, fixture->world->config, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

static void
empty_lines_and_a_missing_newline_are_no_faults (Fixture *fixture, gconstpointer data)
{
  g_autofree char *line = good_line (fixture);
  g_autofree char *text = g_strdup_printf ("\n\n%s\n\n%s", line, line);
  audit_text (fixture, text);
  assert_counted (fixture, "accepted 1\n1 duplicates, 1 unchecked, 0 shared, 2 lines");
}

static void
a_line_too_long_is_one_rejection (Fixture *fixture, gconstpointer data)
{
  static const gsize lengths[] = { SV_SHARD_MAX_SIZE + 1,    SV_SHARD_MAX_SIZE + 4095, SV_SHARD_MAX_SIZE + 4096,
                                   SV_SHARD_MAX_SIZE + 4097, 3 * SV_SHARD_MAX_SIZE,    8 * 1024 * 1024 };
  g_autofree char *line = good_line (fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
  {
    g_autofree char *filling = g_strnfill (lengths[i], 'x');
    g_autofree char *first = g_strdup_printf ("%s\n%s\n", filling, line), *last = g_strdup_printf ("%s\n%s", line, filling);
    const char *const texts[] = { first, last };
    for (gsize t = 0; t < G_N_ELEMENTS (texts); t++)
    {
      start_audit (fixture);
      audit_text (fixture, texts[t]);
      assert_counted (fixture, "accepted 1\nrejected 1\nrejected 1 signature\n0 duplicates, 1 unchecked, 0 shared, 2 lines");
    }
  }
}

static void
put (Fixture *fixture, const char *window_id, const char *name, const char *data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  g_autofree char *key = g_strdup_printf ("scorevision/shards/%s/v/%s", window_id, name);
  world_set_object (fixture->world, key, bytes);
}

static void
audit_whole (Fixture *fixture, const char *source, const char *window_id)
{
  GError *error = NULL;
  start_audit (fixture);
  gboolean done = sv_audit_source (fixture->audit, source, window_id, fixture->world->config, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

static void
stores_and_folders_are_read_by_window (Fixture *fixture, gconstpointer data)
{
  g_autofree char *line = good_line (fixture), *folder = world_path (fixture->world, "store");
  const char *const sources[] = { sv_config_get (fixture->world->config, "SCOREVISION_STORE"), folder };
  put (fixture, WINDOW, "1-a.jsonl", line, strlen (line));
  put (fixture, "2025-10-24", "1-b.jsonl", "garbage\n", strlen ("garbage\n"));
  put (fixture, WINDOW, "notes.txt", "not for us", strlen ("not for us"));
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
  {
    audit_whole (fixture, sources[i], NULL);
    g_assert_cmpuint (sv_audit_lines (fixture->audit), ==, 2);
    audit_whole (fixture, sources[i], WINDOW);
    assert_counted (fixture, "accepted 1\n0 duplicates, 1 unchecked, 0 shared, 1 lines");
  }
}

static void
a_folder_too_deep_does_not_stop_the_audit (Fixture *fixture, gconstpointer data)
{
  g_autofree char *line = good_line (fixture), *folder = world_path (fixture->world, "store");
  put (fixture, "0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0", "1-a.jsonl", line, strlen (line));
  put (fixture, WINDOW, "2-b.jsonl", line, strlen (line));
  audit_whole (fixture, folder, NULL);
  assert_counted (fixture, "accepted 1\nrejected 1\nrejected 1 signature\n0 duplicates, 1 unchecked, 0 shared, 2 lines");
}

static void
what_cannot_be_read_is_undecided (Fixture *fixture, gconstpointer data)
{
  GError *error = NULL;
  start_audit (fixture);
  g_assert_true (sv_audit_unreadable (fixture->audit, "Permission denied", "1-a.jsonl", &error));
  g_assert_no_error (error);
  assert_counted (fixture, "undecided 1\nundecided 0 unreadable\n0 duplicates, 0 unchecked, 0 shared, 1 lines");
}

static void
an_object_too_large_does_not_stop_the_audit (Fixture *fixture, gconstpointer data)
{
  g_autofree char *line = good_line (fixture);
  gsize size = 65 * 1024 * 1024;
  g_autofree char *large = g_malloc0 (size);
  put (fixture, WINDOW, "1-a.jsonl", large, size);
  put (fixture, WINDOW, "2-b.jsonl", line, strlen (line));
  audit_whole (fixture, sv_config_get (fixture->world->config, "SCOREVISION_STORE"), NULL);
  assert_counted (fixture, "accepted 1\nrejected 1\nrejected 1 signature\n0 duplicates, 1 unchecked, 0 shared, 2 lines");
}

static gsize
resident_bytes (void)
{
  gsize pages = 0;
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint (sscanf (text, "%*u %zu", &pages), ==, 1);
  return pages * (gsize)sysconf (_SC_PAGESIZE);
}

static void
memory_does_not_grow_with_the_lines (Fixture *fixture, gconstpointer data)
{
  if (KEEPS_WHAT_IS_FREED)
  {
    g_test_skip ("AddressSanitizer keeps what is freed");
    return;
  }
  g_autofree char *filling = g_strnfill (4000, 'x');
  for (guint i = 0; i < 2000; i++)
    add_line (fixture, filling);
  gsize before = resident_bytes ();
  for (guint i = 0; i < 20000; i++) /* 80 MB of lines */
    add_line (fixture, filling);
  g_assert_cmpuint (resident_bytes (), <, before + 8 * 1024 * 1024);
}

/* ── refusing ── */

static void
what_is_missing_is_named (Fixture *fixture, gconstpointer data)
{
  World *world = fixture->world;
  g_autofree char *gone = world_path (world, "gone.jsonl");
  assert_fails (sv_audit_source (fixture->audit, gone, NULL, world->config, refusal), SV_ERROR_NOT_FOUND);
  assert_fails (sv_audit_source (fixture->audit, "nonsense:x", NULL, world->config, refusal), SV_ERROR_USAGE);
  sv_config_set (world->config, "SCOREVISION_VALIDATORS", "");
  assert_fails_saying (sv_audit_new (world->config, world->chain, fixture->reader, NULL, NULL, refusal), SV_ERROR_USAGE,
                       "SCOREVISION_VALIDATORS");
}

#define ADD(name) g_test_add ("/audit/" #name, Fixture, NULL, set_up, name, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (a_good_shard_is_accepted);
  ADD (a_shard_of_the_miner_himself_is_self);
  ADD (what_the_world_contradicts_is_rejected);
  ADD (a_later_commitment_proves_nothing);
  ADD (what_is_not_final_is_undecided);
  ADD (a_manifest_that_cannot_be_read_decides_nothing);
  ADD (what_is_no_shard_is_rejected_by_rule_1);
  ADD (the_lowest_hash_counts_in_any_order);
  ADD (the_same_line_twice_counts_once);
  ADD (two_hotkeys_on_one_chute_are_counted);
  ADD (empty_lines_and_a_missing_newline_are_no_faults);
  ADD (a_line_too_long_is_one_rejection);
  ADD (stores_and_folders_are_read_by_window);
  ADD (an_object_too_large_does_not_stop_the_audit);
  ADD (a_folder_too_deep_does_not_stop_the_audit);
  ADD (what_cannot_be_read_is_undecided);
  ADD (memory_does_not_grow_with_the_lines);
  ADD (what_is_missing_is_named);
  return g_test_run ();
}
