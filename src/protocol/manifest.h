/* Manifest: the signed rules of one evaluation window (docs/protocol.md section 2). Pure: no I/O, no clock. */
#pragma once

#include "base/authored.h"
#include "keys/signed_document.h"

#define SV_MANIFEST_VERSION "1.3"
#define SV_MANIFEST_MAX_SIZE (4 * 1024 * 1024)
#define SV_MANIFEST_MAX_ELEMENTS 1024

typedef struct
{
  char *hash; /* "sha256:…" */
  double weight;
} SvManifestClip;

typedef struct
{
  char *name;
  double weight;
} SvPillar;

typedef struct
{
  char *id;
  SvManifestClip *clips; /* sorted by hash */
  gsize n_clips;
  SvPillar *pillars; /* sorted by name */
  gsize n_pillars;
  double latency_p95_ms;
  double service_rate_fps;
  double baseline_theta;
  double delta_floor;
  double beta;
  char *pgt_recipe_hash; /* the element's, or the manifest's default, or NULL */
  char **telemetry;      /* required telemetry keys; NULL-terminated, never NULL */
  const json_t *json;    /* (transfer none) the element itself, for what is carried through */
} SvElement;

typedef struct
{
  SvSignedDocument *document; /* NULL for one that was only authored */
  json_t *json;
  char *hash; /* NULL for one that was only authored */
  char *window_id;
  gboolean has_start_block;
  guint64 start_block;
  guint64 expiry_block;
  char *previous;      /* or NULL */
  char **issuers;      /* bare addresses; `signed_by` alone where the manifest has none; NULL-terminated */
  SvElement *elements; /* sorted by id */
  gsize n_elements;
} SvManifest;

void sv_manifest_free (SvManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvManifest, sv_manifest_free)

/* Every rule of section 2 for authored content (`start_block` and `previous` may be absent; signed-document fields must be);
 * unknown fields are warnings. */
void sv_manifest_check_authored (const json_t *json, SvFaults *faults);

/* The same for a stored manifest: `start_block`, `previous` and the signed-document fields are there, elements sorted by id. */
void sv_manifest_check_stored (const json_t *json, SvFaults *faults);

/* Brings authored content into stored order: version 1.3 as a string, elements sorted by id. Works on a copy. Returns:
 * (transfer full), or NULL with the first fault when the content breaks a rule. */
json_t *sv_manifest_normalize (const json_t *authored, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads the values out of content that has been checked or is checked here. Returns: (transfer full). */
SvManifest *sv_manifest_from_authored (const json_t *authored, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens a stored manifest through sv_signed_document_open(). @hash may be NULL. Returns: (transfer full). */
SvManifest *sv_manifest_open (GBytes *bytes, const char *hash, const SvChainId *chain, SvTrustFunc is_trusted,
                              gpointer trust_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets go of the JSON and the bytes of an opened manifest, which are most of its memory, for who needs its values only: the
 * fields `json` and `document->bytes` are NULL from then on. */
void sv_manifest_drop_json (SvManifest *manifest);

/* Signs authored content. @start_block and @previous (or NULL) are what publishing fills in; an authored start_block goes
 * before
 * @start_block. Returns: (transfer full). */
SvManifest *sv_manifest_sign (const json_t *authored, guint64 start_block, const char *previous, const SvChainId *chain,
                              const SvKeypair *keypair, gint64 signed_at, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The user's name for the check of signature alone; sv_manifest_open() makes it and all others. */
gboolean sv_verify_manifest_signature (const SvManifest *manifest) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) or NULL. */
const SvElement *sv_manifest_find_element (const SvManifest *manifest, const char *element_id);
gboolean sv_element_has_clip (const SvElement *element, const char *clip_hash);

/* TRUE when both have the same authored content: everything but what publishing fills in (`start_block` where @authored does
 * not give it, `previous`, and the signed-document fields). */
gboolean sv_manifest_same_content (const SvManifest *stored, const json_t *authored);

/* What is different between two manifests, as a person would review it. */
typedef struct
{
  enum
  {
    SV_DIFF_WINDOW,  /* a top-level field */
    SV_DIFF_ADDED,   /* an element that only the second has */
    SV_DIFF_REMOVED, /* an element that only the first has */
    SV_DIFF_CHANGED, /* a field of an element that both have */
  } kind;
  char *element_id; /* NULL for SV_DIFF_WINDOW */
  char *path;       /* "metrics.pillars.iou", "clips"; NULL for added and removed */
  char *before;     /* for people; NULL where there was none */
  char *after;
} SvManifestDifference;

void sv_manifest_difference_free (SvManifestDifference *difference);

/* Returns: (transfer full) (element-type SvManifestDifference), in the order window, then elements by id. Signed-document
 * fields and `previous` are left out; clips are told apart by hash ("clip sha256:ab… weight 1"). Both sides
 * have passed the rules; an authored one is normalized first, or its spellings show as differences. */
GPtrArray *sv_manifest_diff (const json_t *before, const json_t *after);
