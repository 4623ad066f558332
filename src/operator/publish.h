/* Publishing and rolling back (docs/protocol.md sections 3 to 5): manifest objects, then the index, then the anchor. Each step
 * may be the last one before a crash; the same command run again does what is missing and nothing twice. */
#pragma once

#include "distribution/publisher.h"

/* What was, or with dry_run would be, published. */
typedef struct
{
  char *manifest_hash;
  char *window_id;
  guint64 start_block;
  guint64 expiry_block;
  guint64 active_from;
  guint64 added_sequence;   /* of the index that first had it */
  char *newest;             /* the manifest most recently created, which is what an anchor of this index names */
  char *previous;           /* the manifest before it in the hash chain, or NULL */
  char *replaced;           /* the manifest that it replaces, or NULL */
  guint64 replaced_until;   /* first block at which that one is not in force any more */
  gboolean is_unchanged;    /* it was live already: nothing was signed */
  json_t *content;          /* the manifest */
  char *compared;           /* what it is to be compared with: the manifest that it replaces, else the active one, or NULL */
  json_t *compared_content; /* NULL where there is none, or it cannot be had */
  SvIndexRebuild *rebuild;  /* what becomes of the index in the store where it does not verify; NULL where it does */
} SvPublication;

void sv_publication_free (SvPublication *publication);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvPublication, sv_publication_free)

typedef struct
{
  gboolean supersede;
  guint64 overlap; /* blocks that a replaced manifest stays in force */
  gboolean dry_run;
  /* What a dry run has said and a person has agreed to, or NULL. Where it has become something else meanwhile (another manifest
   * is active or live, other blocks, an index that loses something else) nothing is written: SV_ERROR_CONFLICT. */
  const SvPublication *agreed;
} SvPublishOptions;

/* Publishes authored content that has passed its rules: objects and index. sv_anchor_publication() is the step that follows.
 * Returns: (transfer full). */
SvPublication *sv_publish_manifest (SvPublisher *publisher, const json_t *authored, const SvPublishOptions *options,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes an earlier manifest of an unexpired window (stored form of its hash) the live one again. Returns: (transfer full). */
SvPublication *sv_rollback_manifest (SvPublisher *publisher, const char *hash, const SvPublishOptions *options,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
