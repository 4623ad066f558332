#include "ledger_fixture.h"

#include <unistd.h>

#include <glib/gstdio.h>

#include "base/error.h"

void
ledger_fixture_set_up (LedgerFixture *fixture, guint64 block_time_ms)
{
  g_autoptr (GError) error = NULL;
  fixture->directory = g_dir_make_tmp ("sv-ledger-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->directory, "ledger.sqlite", NULL);
  fixture->miner = sv_keypair_generate (SV_SCHEME_ED25519);
  fixture->owner = sv_keypair_generate (SV_SCHEME_ED25519);
  const char *const permits[] = { sv_keypair_address (fixture->miner), NULL };
  SvLedgerParameters parameters = { .owner = sv_keypair_address (fixture->owner),
                                    .permits = permits,
                                    .block_time_ms = block_time_ms,
                                    .finality = FIXTURE_FINALITY };
  gboolean made = sv_ledger_create (fixture->path, &parameters, &error);
  g_assert_no_error (error);
  g_assert_true (made);
  fixture->config = sv_config_new ();
  g_autofree char *url = g_strconcat ("ledger:", fixture->path, NULL);
  sv_config_set (fixture->config, "BITTENSOR_SUBTENSOR_ENDPOINT", url);
  fixture->chain = sv_chain_open (fixture->config, &error);
  g_assert_no_error (error);
}

void
remove_test_directory (const char *directory)
{
  g_autoptr (GDir) entries = g_dir_open (directory, 0, NULL);
  const char *name;
  while (entries && (name = g_dir_read_name (entries)))
  {
    g_autofree char *path = g_build_filename (directory, name, NULL);
    g_remove (path);
  }
  g_rmdir (directory);
}

void
ledger_fixture_tear_down (LedgerFixture *fixture)
{
  g_clear_pointer (&fixture->chain, sv_chain_free);
  g_clear_pointer (&fixture->config, sv_config_free);
  g_clear_pointer (&fixture->miner, sv_keypair_free);
  g_clear_pointer (&fixture->owner, sv_keypair_free);
  remove_test_directory (fixture->directory);
  g_clear_pointer (&fixture->path, g_free);
  g_clear_pointer (&fixture->directory, g_free);
}

SvChain *
ledger_fixture_open (const LedgerFixture *fixture, const char *netuid)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvConfig) config = sv_config_new ();
  sv_config_set (config, "BITTENSOR_SUBTENSOR_ENDPOINT", sv_config_get (fixture->config, "BITTENSOR_SUBTENSOR_ENDPOINT"));
  sv_config_set (config, "SCOREVISION_NETUID", netuid);
  SvChain *chain = sv_chain_open (config, &error);
  g_assert_no_error (error);
  return chain;
}

SvExtrinsic *
ledger_fixture_commit (LedgerFixture *fixture, const SvKeypair *keypair, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvPreparedExtrinsic) prepared =
      sv_chain_prepare_commitment (fixture->chain, keypair, text, SV_PREPARE_DEFAULT, &error);
  g_assert_no_error (error);
  gboolean submitted = sv_chain_submit (fixture->chain, prepared, &error);
  g_assert_no_error (error);
  g_assert_true (submitted);
  SvExtrinsic *included = sv_chain_await_inclusion (fixture->chain, prepared, 5000, NULL, NULL, &error);
  g_assert_no_error (error);
  return included;
}

void
ledger_fixture_advance (LedgerFixture *fixture, guint64 n, guint64 reorg)
{
  g_autoptr (GError) error = NULL;
  gboolean advanced = sv_ledger_advance (fixture->chain, n, reorg, &error);
  g_assert_no_error (error);
  g_assert_true (advanced);
}

SvHead
ledger_fixture_head (LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  SvHead head = { 0 };
  gboolean known = sv_chain_head (fixture->chain, &head, &error);
  g_assert_no_error (error);
  g_assert_true (known);
  return head;
}
