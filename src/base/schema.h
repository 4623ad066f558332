/* Reading the fields of a JSON object with a place for every fault. An SvScope is an object together with the pointer that
 * leads to it and the list that faults go to; the readers below report an absent, mistyped or out-of-range field there and
 * return FALSE or NULL, so that a check can go on and find all faults in one pass. */
#pragma once

#include "base/faults.h"
#include "base/json.h"

typedef enum
{
  SV_OPTIONAL, /* absent or null is fine, and returns FALSE or NULL without a fault */
  SV_REQUIRED, /* absent or null is a fault */
} SvPresence;

typedef struct
{
  const json_t *json; /* (transfer none) always an object after a successful sv_scope_init() */
  char *pointer;      /* "" at the top, else "/elements/2" */
  SvFaults *faults;   /* (transfer none) */
} SvScope;

/* FALSE, with a fault, when @json is not an object. Clear it in either case. */
gboolean sv_scope_init (SvScope *scope, const json_t *json, const char *pointer, SvFaults *faults);
void sv_scope_clear (SvScope *scope);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvScope, sv_scope_clear)

/* The object in field @key, as a scope of its own. */
gboolean sv_scope_object (const SvScope *scope, const char *key, SvPresence presence, SvScope *child);

/* (transfer none) the string in field @key; NUL characters inside are a fault. */
const char *sv_scope_string (const SvScope *scope, const char *key, SvPresence presence);

/* A finite number with @min <= value <= @max. */
gboolean sv_scope_number (const SvScope *scope, const char *key, SvPresence presence, double min, double max, double *value);

/* An integer from 0 to SV_JSON_MAX_INTEGER. */
gboolean sv_scope_integer (const SvScope *scope, const char *key, SvPresence presence, guint64 *value);

gboolean sv_scope_boolean (const SvScope *scope, const char *key, SvPresence presence, gboolean *value);

/* (transfer none) the array in field @key, of @min to @max items. */
const json_t *sv_scope_array (const SvScope *scope, const char *key, SvPresence presence, gsize min, gsize max);

/* Adds a fault at field @key of the scope (NULL: at the object itself). */
void sv_scope_fault (const SvScope *scope, const char *key, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Warns about each field whose name is not in the NULL-terminated @known. */
void sv_scope_warn_unknown (const SvScope *scope, const char *const *known);

/* "/elements" + "id" -> "/elements/id", escaped as RFC 6901 says. Returns: (transfer full). */
char *sv_pointer_key (const char *pointer, const char *key);
char *sv_pointer_index (const char *pointer, gsize index);
