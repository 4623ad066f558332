/* Documents written by people: YAML 1.2 core schema or JSON, one document, no aliases, merge keys or tags. Reading gives the
 * JSON value and remembers the line and column of every node, so that a fault found later by pointer can be shown in place. */
#pragma once

#include "base/faults.h"
#include "base/json.h"

typedef struct SvPlaces SvPlaces;

void sv_places_free (SvPlaces *places);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvPlaces, sv_places_free)

/* Reads @length bytes (at most @max_size). @name is the file name used in messages. YAML numbers become reals under the rules
 * of sv_json_parse() (integers must be exact), plain scalars follow the core schema (null, true, false, numbers, strings).
 * Every error (SV_ERROR_MALFORMED) reads "NAME:LINE:COLUMN: what is wrong". Returns: (transfer full). */
json_t *sv_authored_parse (const char *name, const void *data, gsize length, gsize max_size, SvPlaces **places,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One line for a person: "manifest.yaml:14:9: elements[2].metrics.pillars: weights sum to 0.95, not 1". A pointer to a field
 * that is missing is placed at the nearest parent there is. Returns: (transfer full). */
char *sv_places_describe (const SvPlaces *places, const SvFault *fault);

/* Line and column (from 1) of @pointer or its nearest parent. */
void sv_places_find (const SvPlaces *places, const char *pointer, guint *line, guint *column);

/* "/elements/2/metrics" -> "elements[2].metrics". Returns: (transfer full). */
char *sv_pointer_to_path (const char *pointer);
