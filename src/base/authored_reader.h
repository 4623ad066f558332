/* The pieces of the reader of authored documents; for base/ only. */
#pragma once

#include "base/authored.h"

/* A place is a node of a tree of the document's own shape: as small as the document, however long its keys and deep its
 * nesting, while a table of pointers would not be. */
typedef struct SvPlace SvPlace;

/* (transfer full) without a parent, else (transfer none) to it. @key is NULL for the root and for items of an array. */
SvPlace *sv_place_new (SvPlace *parent, const char *key, guint line, guint column);
void sv_place_free (SvPlace *place);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvPlace, sv_place_free)

/* Takes @root. Returns: (transfer full). */
SvPlaces *sv_places_new (const char *name, SvPlace *root);

/* Sets "NAME:LINE:COLUMN: …" (SV_ERROR_MALFORMED). Returns FALSE. */
gboolean sv_authored_fail (GError **error, const char *name, guint line, guint column, const char *format, ...)
    G_GNUC_PRINTF (5, 6);

/* The places of a JSON text that sv_json_parse() has read. Returns: (transfer full). */
SvPlace *sv_authored_json_places (const char *text, gsize length);

/* Reads YAML, which is valid UTF-8 without control characters. Returns: (transfer full) the value and, in @place, the tree. */
json_t *sv_authored_yaml_parse (const char *name, const char *text, gsize length, SvPlace **place, GError **error);
