/* Indexes that tests start from, grown by the changes that publishing makes. */
#pragma once

#include "sample.h"

#include "protocol/manifest_index.h"

#define NOW 1761177600000 /* 2025-10-23T00:00:00Z */

static inline SvIndex *
empty_index (void)
{
  const SvChainId chain = sample_chain ();
  return sv_index_new (&chain);
}

static inline SvIndexChange
change_at (guint64 finalized, guint64 best)
{
  return (SvIndexChange){ .finalized_block = finalized, .best_block = best, .overlap = 10, .is_new = TRUE, .now = NOW };
}

static inline void
add (SvIndex *index, const SvManifest *manifest, const SvIndexChange *change)
{
  GError *error = NULL;
  gboolean added = sv_index_add (index, manifest, change, &error);
  g_assert_no_error (error);
  g_assert_true (added);
}

/* A manifest of that window which follows the newest one. @beta tells manifests of one window apart. */
static inline SvManifest *
next_manifest (const SvIndex *index, const char *window_id, guint64 start_block, guint64 expiry_block, const char *beta)
{
  g_autoptr (json_t) authored = sample_authored (window_id, start_block, expiry_block);
  sample_set (authored, "/elements/0/beta", beta);
  return sample_sign (authored, index->newest);
}

static inline char *
print_index (const SvIndex *index)
{
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (SvSignedDocument) document = sv_index_sign (index, keypair, NOW, NULL);
  g_assert_nonnull (document);
  return sv_json_canonical_string (document->json);
}

/* Sequence 3: w1 [100, 200) first as one manifest, superseded at 120 by another; w2 [200, 300). */
static inline SvIndex *
sample_index (void)
{
  SvIndex *index = empty_index ();
  SvIndexChange change = change_at (110, 112);
  g_autoptr (SvManifest) first = next_manifest (index, "w1", 100, 200, "1");
  add (index, first, &change);
  g_autoptr (SvManifest) next_window = next_manifest (index, "w2", 200, 300, "1");
  add (index, next_window, &change);
  change = change_at (120, 122);
  change.supersede = TRUE;
  g_autoptr (SvManifest) second = next_manifest (index, "w1", 100, 200, "2");
  add (index, second, &change);
  return index;
}

static inline const SvIndexEntry *
entry_at (const GPtrArray *entries, guint i)
{
  g_assert_cmpuint (i, <, entries->len);
  return g_ptr_array_index (entries, i);
}
