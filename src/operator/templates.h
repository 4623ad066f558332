/* Manifest templates: manifests/templates/ of the source, built into the program. Filling one in replaces text in marked
 * places, so that its comments reach the author. */
#pragma once

#include "operator/authoring.h"

typedef struct
{
  const char *name; /* "football" */
  const char *text;
} SvTemplate;

/* Ended by a NULL name. */
extern const SvTemplate sv_templates[];

typedef struct
{
  char *element_id; /* NULL: every element */
  char *hash;
  double weight;
} SvTemplateClip;

void sv_template_clip_free (SvTemplateClip *clip);

/* "[ELEMENT:]HASH[=WEIGHT]"; SV_ERROR_USAGE for anything else. Returns: (transfer full). */
SvTemplateClip *sv_template_clip_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  const char *name;
  const char *window_id;
  guint64 expiry_block;
  gboolean has_start_block;
  guint64 start_block;
  GPtrArray *clips; /* (element-type SvTemplateClip) */
} SvTemplateValues;

/* The filled-in text, which is a valid manifest. An unknown template, an element that it does not have, or values that break a
 * rule are SV_ERROR_USAGE. Returns: (transfer full). */
char *sv_template_fill (const SvTemplateValues *values, GError **error) G_GNUC_WARN_UNUSED_RESULT;
