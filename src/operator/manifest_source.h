/* What a person may name where a manifest is meant: a hash, a window's id, a file, or "active". */
#pragma once

#include "distribution/reader.h"
#include "operator/authoring.h"

typedef struct
{
  char *title;          /* for people: "active (window 2025-10-23, sha256:…)" */
  json_t *json;         /* the content, authored or stored */
  SvManifest *manifest; /* the same, read; `hash` is NULL for an authored file */
} SvManifestSource;

/* Finds the reader when it is needed: a file is read without chain or store. */
typedef SvReader *(*SvNeedReader) (gpointer data, GError **error);

typedef struct
{
  SvNeedReader need_reader;
  SvChain *(*need_chain) (gpointer data, GError **error);
  gpointer data;
} SvSourceEngines;

/* Everything that is not a file is verified. Returns: (transfer full). */
SvManifestSource *sv_manifest_source_load (const char *name, const SvSourceEngines *engines,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_manifest_source_free (SvManifestSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvManifestSource, sv_manifest_source_free)
