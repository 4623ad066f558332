/* Manifest index (docs/protocol.md section 4): which manifests are live, which were superseded, and in what order the
 * operator said so. Pure: no I/O, no clock. */
#pragma once

#include "protocol/manifest.h"

#define SV_INDEX_MAX_SIZE (16 * 1024 * 1024)
#define SV_INDEX_VERSION "1.0"
#define SV_DEFAULT_OVERLAP 10 /* blocks */

typedef struct
{
  char *hash;
  char *window_id;
  guint64 start_block;
  guint64 expiry_block;
  guint64 active_from;
  guint64 added_sequence;
  char *published_at;
  char *published_by; /* bare address */
  gboolean is_superseded;
  char *superseded_by; /* hash, or NULL */
  guint64 superseded_at_block;
  json_t *elements_summary;
} SvIndexEntry;

typedef struct
{
  SvSignedDocument *document; /* NULL for one being built; without its `json`, whose values stand here */
  SvChainId chain;
  guint64 sequence;
  char *updated_at;
  char *newest;                /* hash of the manifest most recently created, or NULL */
  char *archive;               /* hash of the newest archive, or NULL */
  char *current_manifest_hash; /* or NULL; never trusted over the rules of windows */
  GPtrArray *entries;          /* (element-type SvIndexEntry) live, by ascending expiry_block */
  GPtrArray *superseded;       /* (element-type SvIndexEntry) in the order they were replaced */
} SvIndex;

SvIndex *sv_index_new (const SvChainId *chain); /* empty, sequence 0: what there is before the first publication */
void sv_index_free (SvIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvIndex, sv_index_free)

void sv_index_check (const json_t *json, SvFaults *faults);

/* Opens a stored index through sv_signed_document_open(). Returns: (transfer full). */
SvIndex *sv_index_open (GBytes *bytes, const SvChainId *chain, SvTrustFunc is_trusted, gpointer trust_data,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Signs @index as its next version: the caller has set sequence, updated_at and the rest. Returns: (transfer full). */
SvSignedDocument *sv_index_sign (const SvIndex *index, const SvKeypair *keypair, gint64 signed_at,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) the live entry of a window, or NULL. */
const SvIndexEntry *sv_index_find_live (const SvIndex *index, const char *window_id);

/* (transfer none) the live entry with the hash, else the latest superseded one, or NULL. */
const SvIndexEntry *sv_index_find_hash (const SvIndex *index, const char *hash);

/* (transfer none) the live entry of a window, else the latest superseded one, or NULL. */
const SvIndexEntry *sv_index_find_window (const SvIndex *index, const char *window_id);

/* The greatest expiry among the other windows' live entries below @expiry_block, else @current_block (section 2). */
guint64 sv_index_default_start (const SvIndex *index, const char *window_id, guint64 expiry_block, guint64 current_block);

typedef struct
{
  guint64 finalized_block; /* the publisher's finalized head */
  guint64 best_block;      /* for current_manifest_hash */
  guint64 overlap;         /* blocks that the replaced entry stays in force */
  gboolean supersede;      /* replace the window's live entry */
  gboolean is_new;         /* the manifest is newly created: `newest` becomes its hash (FALSE for a rollback) */
  gboolean is_archived;    /* an archive has entries of the window: it was used before */
  gint64 now;              /* Unix milliseconds, for published_at and updated_at */
} SvIndexChange;

/* Adds an entry for the signed @manifest: checks that its window is not over, that windows of live entries do not overlap, that
 * the window has no live entry (or, with supersede, that start and expiry are kept) and was never used before (superseding
 * apart), that a new manifest's `previous` is @index->newest; moves the replaced entry to `superseded`, sets sequence,
 * updated_at, newest and current_manifest_hash. The index is changed only on success. SV_ERROR_CONFLICT for a live entry, a
 * used window, the live manifest itself, a `previous` that somebody else's publication has overtaken; SV_ERROR_NOT_FOUND for
 * supersede without a live entry; SV_ERROR_POLICY for the rest. */
gboolean sv_index_add (SvIndex *index, const SvManifest *manifest, const SvIndexChange *change,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds an entry of another index, whose order and blocks are not to be relied on, in the state in which it stands there: as the
 * next change, and with no block of the future (above @finalized_block) but that of its window. The caller has verified its
 * manifest. SV_ERROR_CONFLICT for a second live entry of a window, SV_ERROR_POLICY for windows that overlap. */
gboolean sv_index_adopt (SvIndex *index, const SvIndexEntry *entry, guint64 finalized_block,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `elements_summary`: exactly the user's four keys per element, in manifest order. Returns: (transfer full). */
json_t *sv_manifest_summary (const SvManifest *manifest);

/* An entry must agree with its manifest in window, start, expiry, signer and summary; else SV_ERROR_VERIFY naming what
 * differs (mix and match). */
gboolean sv_index_entry_agrees (const SvIndexEntry *entry, const SvManifest *manifest,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
