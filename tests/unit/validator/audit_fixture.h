/* A small world to audit in: one window, one miner bound to one element, one validator, and shards that are good in it. */
#pragma once

#include "../protocol/shard_sample.h"
#include "base/hash.h"
#include "validator/audit.h"
#include "world.h"

#define WINDOW "2025-10-23"
#define START 20
#define BLOCK 30

typedef struct
{
  World *world;
  SvReader *reader;
  SvKeypair *miner;
  SvManifest *manifest;
  char *proof;
  SvAudit *audit;
} Fixture;

static inline char *
commit (Fixture *fixture, const SvKeypair *keypair, const char *window_id)
{
  g_autofree char *text =
      g_strdup_printf ("sv1 commit %s 45\nPlayerDetect_v1@1.0 player-v1 lynx " SAMPLE_CHUTE_ID " 25", window_id);
  world_commit (fixture->world, keypair, text);
  guint64 block = world_head (fixture->world).best.number;
  g_autoptr (GPtrArray) found = sv_chain_commitments (fixture->world->chain, block, block, NULL, NULL);
  g_assert_cmpuint (found->len, ==, 1);
  return sv_proof_format (block, ((SvExtrinsic *)g_ptr_array_index (found, 0))->hash);
}

static inline void
start_audit (Fixture *fixture)
{
  GError *error = NULL;
  g_clear_pointer (&fixture->audit, sv_audit_free);
  fixture->audit = sv_audit_new (fixture->world->config, fixture->world->chain, fixture->reader, NULL, NULL, &error);
  g_assert_no_error (error);
}

static inline void
set_up (Fixture *fixture, gconstpointer data)
{
  GError *error = NULL;
  fixture->world = world_new (3);
  fixture->miner = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autofree char *hash = world_publish (fixture->world, WINDOW, START, 200, "1", FALSE);
  fixture->proof = commit (fixture, fixture->miner, WINDOW);
  world_advance (fixture->world, 50 - world_head (fixture->world).best.number);
  sv_config_set (fixture->world->config, "SCOREVISION_VALIDATORS", sv_keypair_address (fixture->world->operator));
  fixture->reader = world_reader (fixture->world, fixture->world->config);
  fixture->manifest = sv_fetch_manifest (fixture->reader, hash, &error);
  g_assert_no_error (error);
  start_audit (fixture);
}

static inline void
tear_down (Fixture *fixture, gconstpointer data)
{
  sv_audit_free (fixture->audit);
  sv_manifest_free (fixture->manifest);
  sv_reader_free (fixture->reader);
  sv_keypair_free (fixture->miner);
  g_free (fixture->proof);
  world_free (fixture->world);
}

/* ── shards ── */

static inline void
set_text (char **field, const char *value)
{
  g_free (*field);
  *field = g_strdup (value);
}

static inline SvShard *
good_shard (Fixture *fixture)
{
  SvShard *shard = sample_shard (fixture->manifest);
  set_text (&shard->miner_hotkey, sv_keypair_address (fixture->miner));
  set_text (&shard->commitment_proof, fixture->proof);
  shard->block = BLOCK;
  return shard;
}

static inline char *
sign (Fixture *fixture, const SvShard *shard, const SvKeypair *signer)
{
  GError *error = NULL;
  g_autoptr (SvSignedDocument) document =
      sv_shard_sign (shard, sv_chain_id (fixture->world->chain), signer, 1761177601000, &error);
  g_assert_no_error (error);
  gsize length;
  const char *data = g_bytes_get_data (document->bytes, &length);
  return g_strndup (data, length);
}

static inline char *
good_line (Fixture *fixture)
{
  g_autoptr (SvShard) shard = good_shard (fixture);
  return sign (fixture, shard, fixture->world->operator);
}

static inline void
add_line (Fixture *fixture, const char *line)
{
  GError *error = NULL;
  gboolean done = sv_audit_line (fixture->audit, line, strlen (line), "test:1", &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

static inline void
note_reason (const char *source, const char *verdict, guint rule, const char *reason, const char *detail, gpointer data)
{
  g_string_append_printf (data, "%s %u %s\n", verdict, rule, reason);
}

/* "accepted 1, rejected 2, …" with what was not accepted, one line each. */
static inline char *
counted (Fixture *fixture)
{
  GError *error = NULL;
  g_auto (SvTallyCounts) counts = { 0 };
  GString *text = g_string_new (NULL);
  gboolean done = sv_tally_count (sv_audit_tally (fixture->audit), &counts, &error) &&
                  sv_tally_visit (sv_audit_tally (fixture->audit), 100, note_reason, text, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  for (int v = SV_SHARD_LEGACY; v >= 0; v--)
    if (counts.by_verdict[v] > 0)
    {
      g_autofree char *line =
          g_strdup_printf ("%s %" G_GUINT64_FORMAT "\n", sv_shard_verdict_name ((SvShardVerdict)v), counts.by_verdict[v]);
      g_string_prepend (text, line);
    }
  g_string_append_printf (text,
                          "%" G_GUINT64_FORMAT " duplicates, %" G_GUINT64_FORMAT " unchecked, %" G_GUINT64_FORMAT
                          " shared, %" G_GUINT64_FORMAT " lines",
                          counts.duplicates, counts.issue_unchecked, counts.shared_chutes, sv_audit_lines (fixture->audit));
  return g_string_free (text, FALSE);
}

static inline void
assert_counted (Fixture *fixture, const char *expected)
{
  g_autofree char *text = counted (fixture);
  g_assert_cmpstr (text, ==, expected);
}
