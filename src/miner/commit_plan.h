/* From what a miner says to a complete commitment text. What the command line does not say comes, in this order, from --bind,
 * `ELEMENT:revision` in the list, and the bindings file (docs/protocol.md section 6); caps that nobody gave share what remains
 * of the total in proportion to the elements' service rates. */
#pragma once

#include "protocol/commitment.h"
#include "protocol/manifest.h"

typedef struct
{
  const char *const *elements;  /* "ELEMENT" or "ELEMENT:revision"; NULL-terminated */
  const char *const *binds;     /* "ELEMENT=revision,slug,chute_id[,cap]"; NULL-terminated or NULL */
  const char *bindings_path;    /* a YAML or JSON file with `bindings:` as in the State Layout */
  gboolean bindings_path_given; /* by the user: it must then exist */
  const char *service_cap;      /* "45", or NULL */
} SvCommitRequest;

/* SV_ERROR_USAGE listing everything that is missing or malformed, each on its own line; SV_ERROR_POLICY when the caps exceed
 * the total. @fold is the present state, whose other elements keep their caps. Returns: (transfer full). */
SvCommitmentText *sv_commit_plan (const SvCommitRequest *request, const SvManifest *manifest, const SvFold *fold,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a withdrawal, which needs the element ids only. Returns: (transfer full). */
SvCommitmentText *sv_withdraw_plan (const SvCommitRequest *request, const SvManifest *manifest,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
