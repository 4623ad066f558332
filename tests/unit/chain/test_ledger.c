/* What is the ledger's own: its clock, its pool, its file.
 *
 * the clock   - blocks that have become due are made with the times at which they were due
 *             - a long pause is made up for, and parents link up over the batches
 *             - without a block time nothing becomes due
 *             - a clock that went back makes no blocks
 * the pool    - extrinsics wait for the next block and keep their order of arrival
 *             - with instant seal each has its block at once
 *             - a nonce that was taken in between is a conflict; the nonces of waiting ones count
 *             - a bad signature is refused at the door
 *             - other subnets on the same ledger do not see it
 * reorg       - drops blocks and extrinsics, changes hashes, leaves finalized blocks, frees nonces, makes the branch longer
 *             - what waits of a signer who lost an extrinsic goes too, what others wait for stays
 *             - a finalized block is never dropped; more than there is, or zero blocks, is refused
 * the file    - absent, directory, empty, foreign, text, truncated, overwritten inside, newer: each refused with its code
 *             - making one where a file is: refused, and the file untouched
 *             - removed while open: noticed
 *             - no owner: an error; permits given twice are there once
 */
#include <string.h>

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "base/error.h"
#include "base/file.h"
#include "base/rfc3339.h"
#include "ledger_fixture.h"

#define HOUR_MS (3600 * 1000)

/* Changes the file behind the ledger's back. */
static void
run_sql (const LedgerFixture *fixture, const char *sql)
{
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (fixture->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
}

static SvBlock
read_block (LedgerFixture *fixture, guint64 number)
{
  g_autoptr (GError) error = NULL;
  SvBlock block = { 0 };
  gboolean known = sv_chain_block (fixture->chain, number, &block, &error);
  g_assert_no_error (error);
  g_assert_true (known);
  return block;
}

static void
assert_texts (LedgerFixture *fixture, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) texts = g_string_new (NULL);
  g_autoptr (GPtrArray) all = sv_chain_commitments (fixture->chain, 0, ledger_fixture_head (fixture).best.number, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < all->len; i++)
  {
    const SvExtrinsic *extrinsic = all->pdata[i];
    g_string_append_printf (texts, "%s%" G_GUINT64_FORMAT ".%u %s", i ? ", " : "", extrinsic->block, extrinsic->index,
                            extrinsic->text);
  }
  g_assert_cmpstr (texts->str, ==, expected);
}

static SvPreparedExtrinsic *
submit (LedgerFixture *fixture, const SvKeypair *keypair, const char *text)
{
  g_autoptr (GError) error = NULL;
  SvPreparedExtrinsic *prepared = sv_chain_prepare_commitment (fixture->chain, keypair, text, SV_PREPARE_DEFAULT, &error);
  g_assert_no_error (error);
  gboolean submitted = sv_chain_submit (fixture->chain, prepared, &error);
  g_assert_no_error (error);
  g_assert_true (submitted);
  return prepared;
}

static void
submit_text (LedgerFixture *fixture, const SvKeypair *keypair, const char *text)
{
  sv_prepared_extrinsic_free (submit (fixture, keypair, text));
}

/* ── the clock ── */

static void
due_blocks_have_the_times_at_which_they_were_due (void)
{
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, HOUR_MS);
  run_sql (&fixture, "UPDATE block SET time_ms = time_ms - 12600000"); /* three and a half hours */
  SvBlock genesis = read_block (&fixture, 0);
  SvHead head = ledger_fixture_head (&fixture);
  g_assert_cmpuint (head.best.number, ==, 3);
  g_assert_cmpuint (head.finalized.number, ==, 0);
  for (guint64 number = 1; number <= 3; number++)
    g_assert_cmpint (read_block (&fixture, number).time_ms, ==, genesis.time_ms + (gint64)number * HOUR_MS);
  ledger_fixture_tear_down (&fixture);
}

static void
a_long_pause_is_made_up_for (void)
{
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, HOUR_MS);
  run_sql (&fixture, "UPDATE block SET time_ms = time_ms - 3600000 * 120000 - 1800000");
  g_assert_cmpuint (ledger_fixture_head (&fixture).best.number, ==, 120000);
  for (guint64 number = 49999; number <= 50002; number++)
    g_assert_cmpstr (read_block (&fixture, number).parent, ==, read_block (&fixture, number - 1).hash);
  ledger_fixture_tear_down (&fixture);
}

static void
without_a_block_time_nothing_becomes_due (void)
{
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, 0);
  run_sql (&fixture, "UPDATE block SET time_ms = 0");
  g_assert_cmpuint (ledger_fixture_head (&fixture).best.number, ==, 0);
  g_assert_cmpuint (sv_chain_block_time_ms (fixture.chain), ==, 0);
  ledger_fixture_tear_down (&fixture);
}

static void
a_clock_that_went_back_makes_no_blocks (void)
{
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, HOUR_MS);
  run_sql (&fixture, "UPDATE block SET time_ms = time_ms + 36000000");
  g_assert_cmpuint (ledger_fixture_head (&fixture).best.number, ==, 0);
  ledger_fixture_advance (&fixture, 1, 0);
  g_assert_cmpint (read_block (&fixture, 1).time_ms, >=, read_block (&fixture, 0).time_ms);
  ledger_fixture_tear_down (&fixture);
}

/* ── the pool ── */

static void
waiting_extrinsics_keep_their_order (void)
{
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, HOUR_MS);
  submit_text (&fixture, fixture.miner, "a");
  submit_text (&fixture, fixture.owner, "b");
  submit_text (&fixture, fixture.miner, "c");
  assert_texts (&fixture, "");
  ledger_fixture_advance (&fixture, 2, 0);
  assert_texts (&fixture, "1.0 a, 1.1 b, 1.2 c");
  run_sql (&fixture, "UPDATE block SET time_ms = time_ms - 9000000"); /* two and a half hours */
  submit_text (&fixture, fixture.owner, "d");
  run_sql (&fixture, "UPDATE block SET time_ms = time_ms - 9000000");
  g_assert_cmpuint (ledger_fixture_head (&fixture).best.number, ==, 7);
  assert_texts (&fixture, "1.0 a, 1.1 b, 1.2 c, 5.0 d");
  ledger_fixture_tear_down (&fixture);
}

static void
instant_seal_gives_each_its_block (void)
{
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, 0);
  submit_text (&fixture, fixture.miner, "a");
  submit_text (&fixture, fixture.miner, "b");
  assert_texts (&fixture, "1.0 a, 2.0 b");
  ledger_fixture_tear_down (&fixture);
}

static void
a_nonce_taken_in_between_is_a_conflict (void)
{
  g_autoptr (GError) error = NULL;
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, HOUR_MS);
  g_autoptr (SvPreparedExtrinsic) late =
      sv_chain_prepare_commitment (fixture.chain, fixture.miner, "late", SV_PREPARE_DEFAULT, &error);
  g_assert_no_error (error);
  submit_text (&fixture, fixture.miner, "first");
  g_assert_false (sv_chain_submit (fixture.chain, late, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
  submit_text (&fixture, fixture.miner, "second");
  ledger_fixture_advance (&fixture, 1, 0);
  submit_text (&fixture, fixture.miner, "third");
  ledger_fixture_advance (&fixture, 1, 0);
  assert_texts (&fixture, "1.0 first, 1.1 second, 2.0 third");
  ledger_fixture_tear_down (&fixture);
}

static void
a_bad_signature_is_refused_at_the_door (void)
{
  g_autoptr (GError) error = NULL;
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, 0);
  g_autoptr (SvPreparedExtrinsic) prepared =
      sv_chain_prepare_commitment (fixture.chain, fixture.miner, "hello", SV_PREPARE_DEFAULT, &error);
  g_assert_no_error (error);
  g_autofree char *text = g_strndup (g_bytes_get_data (prepared->bytes, NULL), g_bytes_get_size (prepared->bytes));
  memcpy (strstr (text, "hello"), "hullo", 5);
  g_bytes_unref (prepared->bytes);
  prepared->bytes = g_bytes_new (text, strlen (text));
  g_assert_false (sv_chain_submit (fixture.chain, prepared, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_VERIFY);
  assert_texts (&fixture, "");
  ledger_fixture_tear_down (&fixture);
}

static void
other_subnets_do_not_see_it (void)
{
  g_autoptr (GError) error = NULL;
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, 0);
  g_autoptr (SvPreparedExtrinsic) ours = submit (&fixture, fixture.miner, "sv1 manifest ours");
  g_autoptr (SvChain) other = ledger_fixture_open (&fixture, "45");
  g_autoptr (GPtrArray) seen = sv_chain_commitments (other, 0, 10, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (seen->len, ==, 0);
  g_autoptr (SvExtrinsic) found = NULL;
  g_autofree char *anchor = NULL;
  g_assert_true (sv_chain_find_extrinsic (other, 1, ours->hash, &found, NULL, &error));
  g_assert_null (found);
  g_assert_true (sv_chain_anchor_text (other, sv_keypair_address (fixture.miner), 10, &anchor, &error));
  g_assert_null (anchor);
  g_assert_false (sv_chain_submit (other, ours, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_VERIFY);
  ledger_fixture_tear_down (&fixture);
}

/* ── reorganisation ── */

static void
a_reorganisation_replaces_the_last_blocks (void)
{
  g_autoptr (GError) error = NULL;
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, 0);
  submit_text (&fixture, fixture.miner, "kept");
  ledger_fixture_advance (&fixture, 4, 0);
  g_autoptr (SvPreparedExtrinsic) lost = submit (&fixture, fixture.miner, "lost");
  SvHead before = ledger_fixture_head (&fixture);
  g_assert_cmpuint (before.best.number, ==, 6);
  SvBlock fork = read_block (&fixture, 4), dropped = read_block (&fixture, 5);
  ledger_fixture_advance (&fixture, 1, 2);
  SvHead after = ledger_fixture_head (&fixture);
  g_assert_cmpuint (after.best.number, ==, 7);
  g_assert_cmpstr (read_block (&fixture, 3).hash, ==, before.finalized.hash);
  g_assert_cmpstr (read_block (&fixture, 4).hash, ==, fork.hash);
  g_assert_cmpstr (read_block (&fixture, 5).hash, !=, dropped.hash);
  g_assert_cmpstr (read_block (&fixture, 5).parent, ==, fork.hash);
  g_assert_cmpstr (read_block (&fixture, 6).hash, !=, before.best.hash);
  assert_texts (&fixture, "1.0 kept");
  g_assert_true (sv_chain_submit (fixture.chain, lost, &error)); /* its nonce is free again */
  assert_texts (&fixture, "1.0 kept, 8.0 lost");
  ledger_fixture_tear_down (&fixture);
}

static void
what_waits_without_its_predecessor_goes_too (void)
{
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, HOUR_MS);
  ledger_fixture_advance (&fixture, 4, 0);
  submit_text (&fixture, fixture.miner, "included");
  ledger_fixture_advance (&fixture, 1, 0);
  submit_text (&fixture, fixture.miner, "waits after it");
  submit_text (&fixture, fixture.owner, "somebody else's");
  ledger_fixture_advance (&fixture, 1, 1);
  assert_texts (&fixture, "5.0 somebody else's");
  submit_text (&fixture, fixture.miner, "anew");
  ledger_fixture_advance (&fixture, 1, 0);
  assert_texts (&fixture, "5.0 somebody else's, 7.0 anew");
  ledger_fixture_tear_down (&fixture);
}

static void
assert_advance_refused (LedgerFixture *fixture, guint64 n, guint64 reorg, int code)
{
  g_autoptr (GError) error = NULL;
  SvHead before = ledger_fixture_head (fixture);
  g_assert_false (sv_ledger_advance (fixture->chain, n, reorg, &error));
  g_assert_error (error, SV_ERROR, code);
  g_assert_cmpstr (ledger_fixture_head (fixture).best.hash, ==, before.best.hash);
}

static void
finalized_blocks_are_never_dropped (void)
{
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, 0);
  assert_advance_refused (&fixture, 1, 1, SV_ERROR_POLICY); /* genesis */
  ledger_fixture_advance (&fixture, 2, 0);
  assert_advance_refused (&fixture, 1, 3, SV_ERROR_POLICY);
  ledger_fixture_advance (&fixture, 8, 0);
  assert_advance_refused (&fixture, 1, FIXTURE_FINALITY + 1, SV_ERROR_POLICY);
  assert_advance_refused (&fixture, 0, 1, SV_ERROR_USAGE);
  assert_advance_refused (&fixture, 1000001, 0, SV_ERROR_USAGE);
  assert_advance_refused (&fixture, 1, G_MAXUINT64, SV_ERROR_USAGE);
  ledger_fixture_advance (&fixture, 1, FIXTURE_FINALITY);
  ledger_fixture_tear_down (&fixture);
}

/* ── the file ── */

static void
assert_open_fails (const LedgerFixture *fixture, int code, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvChain) chain = sv_chain_open (fixture->config, &error);
  SvHead head;
  if (chain) /* damage deep inside shows at the first look */
    g_assert_false (sv_chain_head (chain, &head, &error));
  g_assert_error (error, SV_ERROR, code);
  g_assert_nonnull (strstr (error->message, fixture->path));
  g_assert_nonnull (strstr (error->message, says));
}

static void
replace_content (LedgerFixture *fixture, const void *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&fixture->chain, sv_chain_free);
  g_assert_true (sv_file_write (fixture->path, data, length, 0644, &error));
  g_assert_no_error (error);
}

static void
files_that_are_no_ledger_are_refused (void)
{
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, 0);
  replace_content (&fixture, "", 0);
  assert_open_fails (&fixture, SV_ERROR_UNREACHABLE, "sv chain create");
  replace_content (&fixture, "this is no database, whatever its name says", 43);
  assert_open_fails (&fixture, SV_ERROR_UNREACHABLE, "sv chain create");
  g_assert_cmpint (g_remove (fixture.path), ==, 0);
  run_sql (&fixture, "CREATE TABLE theirs (a)");
  assert_open_fails (&fixture, SV_ERROR_UNREACHABLE, "another program");
  g_assert_cmpint (g_remove (fixture.path), ==, 0);
  assert_open_fails (&fixture, SV_ERROR_NOT_FOUND, "sv chain create");
  g_assert_cmpint (g_mkdir (fixture.path, 0755), ==, 0);
  assert_open_fails (&fixture, SV_ERROR_UNREACHABLE, "regular file");
  ledger_fixture_tear_down (&fixture);
}

static void
a_damaged_ledger_is_refused (void)
{
  g_autoptr (GError) error = NULL;
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, 0);
  g_clear_pointer (&fixture.chain, sv_chain_free);
  g_autoptr (GBytes) whole = sv_file_read (fixture.path, 1 << 24, &error);
  g_assert_no_error (error);
  gsize size;
  const guint8 *data = g_bytes_get_data (whole, &size);
  replace_content (&fixture, data, size - 4096);
  assert_open_fails (&fixture, SV_ERROR_UNREACHABLE, "damaged");
  replace_content (&fixture, data, 100);
  assert_open_fails (&fixture, SV_ERROR_UNREACHABLE, "damaged");
  g_autofree guint8 *scribbled = g_memdup2 (data, size);
  memset (scribbled + 4096, 0x5a, size - 4096);
  replace_content (&fixture, scribbled, size);
  assert_open_fails (&fixture, SV_ERROR_UNREACHABLE, "damaged");
  replace_content (&fixture, data, size);
  run_sql (&fixture, "PRAGMA user_version = 99");
  assert_open_fails (&fixture, SV_ERROR_UNREACHABLE, "format 99");
  replace_content (&fixture, data, size);
  run_sql (&fixture, "UPDATE ledger SET genesis = '0x12'");
  assert_open_fails (&fixture, SV_ERROR_UNREACHABLE, "genesis");
  replace_content (&fixture, data, size);
  run_sql (&fixture, "DROP TABLE block");
  assert_open_fails (&fixture, SV_ERROR_UNREACHABLE, "damaged");
  ledger_fixture_tear_down (&fixture);
}

static void
a_ledger_is_never_overwritten (void)
{
  g_autoptr (GError) error = NULL;
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, 0);
  SvLedgerParameters parameters = { .finality = 3 };
  g_assert_false (sv_ledger_create (fixture.path, &parameters, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
  g_autoptr (SvChain) again = ledger_fixture_open (&fixture, "44");
  g_assert_cmpstr (sv_chain_id (again)->genesis, ==, sv_chain_id (fixture.chain)->genesis);
  ledger_fixture_tear_down (&fixture);
}

static void
a_file_removed_while_open_is_noticed (void)
{
  g_autoptr (GError) error = NULL;
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, 0);
  g_assert_cmpint (g_remove (fixture.path), ==, 0);
  g_assert_false (sv_ledger_advance (fixture.chain, 1, 0, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  ledger_fixture_tear_down (&fixture);
}

static void
no_owner_is_an_error_and_permits_are_there_once (void)
{
  g_autoptr (GError) error = NULL;
  LedgerFixture fixture = { 0 };
  ledger_fixture_set_up (&fixture, 0);
  g_autofree char *path = g_build_filename (fixture.directory, "second.sqlite", NULL);
  g_autofree char *url = g_strconcat ("ledger:", path, NULL);
  const char *const permits[] = { "b", "a", "b", NULL };
  SvLedgerParameters parameters = { .permits = permits };
  g_assert_true (sv_ledger_create (path, &parameters, &error));
  sv_config_set (fixture.config, "BITTENSOR_SUBTENSOR_ENDPOINT", url);
  g_autoptr (SvChain) chain = sv_chain_open (fixture.config, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_chain_id (chain)->genesis, !=, sv_chain_id (fixture.chain)->genesis);
  g_auto (GStrv) read = sv_chain_permits (chain, 0, &error);
  g_autofree char *joined = g_strjoinv (" ", read);
  g_assert_cmpstr (joined, ==, "b a");
  g_assert_null (sv_chain_owner (chain, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_VERIFY);
  ledger_fixture_tear_down (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ledger/clock/due-blocks-have-the-times-at-which-they-were-due",
                   due_blocks_have_the_times_at_which_they_were_due);
  g_test_add_func ("/ledger/clock/a-long-pause-is-made-up-for", a_long_pause_is_made_up_for);
  g_test_add_func ("/ledger/clock/without-a-block-time-nothing-becomes-due", without_a_block_time_nothing_becomes_due);
  g_test_add_func ("/ledger/clock/a-clock-that-went-back-makes-no-blocks", a_clock_that_went_back_makes_no_blocks);
  g_test_add_func ("/ledger/pool/waiting-extrinsics-keep-their-order", waiting_extrinsics_keep_their_order);
  g_test_add_func ("/ledger/pool/instant-seal-gives-each-its-block", instant_seal_gives_each_its_block);
  g_test_add_func ("/ledger/pool/a-nonce-taken-in-between-is-a-conflict", a_nonce_taken_in_between_is_a_conflict);
  g_test_add_func ("/ledger/pool/a-bad-signature-is-refused-at-the-door", a_bad_signature_is_refused_at_the_door);
  g_test_add_func ("/ledger/pool/other-subnets-do-not-see-it", other_subnets_do_not_see_it);
  g_test_add_func ("/ledger/reorg/replaces-the-last-blocks", a_reorganisation_replaces_the_last_blocks);
  g_test_add_func ("/ledger/reorg/what-waits-without-its-predecessor-goes-too", what_waits_without_its_predecessor_goes_too);
  g_test_add_func ("/ledger/reorg/finalized-blocks-are-never-dropped", finalized_blocks_are_never_dropped);
  g_test_add_func ("/ledger/file/files-that-are-no-ledger-are-refused", files_that_are_no_ledger_are_refused);
  g_test_add_func ("/ledger/file/a-damaged-ledger-is-refused", a_damaged_ledger_is_refused);
  g_test_add_func ("/ledger/file/a-ledger-is-never-overwritten", a_ledger_is_never_overwritten);
  g_test_add_func ("/ledger/file/removed-while-open-is-noticed", a_file_removed_while_open_is_noticed);
  g_test_add_func ("/ledger/file/no-owner-and-permits", no_owner_is_an_error_and_permits_are_there_once);
  return g_test_run ();
}
