/* JSON: strict reading (docs/protocol.md section 1) and canonical writing (RFC 8785). Values are Jansson's; every number
 * that we read or make is a real, because canonical JSON knows doubles only. */
#pragma once

#include <glib.h>
#include <jansson.h>

#define SV_JSON_MAX_DEPTH 64
#define SV_JSON_MAX_CONTAINERS (512 * 1024)                       /* objects and arrays of one text */
#define SV_JSON_MAX_VALUES (4 * 1024 * 1024)                      /* values of one text */
#define SV_JSON_MAX_INTEGER G_GUINT64_CONSTANT (9007199254740991) /* 2^53 - 1 */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_t, json_decref)

/* Reads one JSON text. Refused with SV_ERROR_MALFORMED and the place (line:column): more than @max_size bytes, duplicate
 * keys, NUL bytes (\u0000 is fine in values, not in keys), invalid UTF-8, lone surrogates, integer literals that no double
 * holds exactly, numbers that overflow, nesting deeper than SV_JSON_MAX_DEPTH, anything after the value, and more objects,
 * arrays and values than any document of ours has: 16 MiB of "{}," would take more than a gigabyte of memory. @what names the
 * input in messages. Returns: (transfer full). */
json_t *sv_json_parse (const char *what, const void *data, gsize length, gsize max_size,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The string that a member of the outermost object has, found without reading the text as a whole. The text must be canonical
 * to be searched rightly; nothing of it has been checked, and the string is as it stands there, escapes included. Returns:
 * (transfer full), NULL where there is none or it is longer than 1 KiB. */
char *sv_json_find_string (const void *data, gsize length, const char *key);

/* The canonical form (RFC 8785) of @value, without a trailing newline. Fails (SV_ERROR_MALFORMED) for integers beyond 2^53 - 1,
 * which can only come from our own code (NaN and infinities do not even get into a value: json_real() gives NULL for them), and
 * for nesting deeper than SV_JSON_MAX_DEPTH, which nobody could read again (a document put inside another is nested deeper than
 * it was). Returns: (transfer full). */
GBytes *sv_json_canonical (const json_t *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether @data is the canonical form of @value, without writing that out. FALSE for a value that has none. */
gboolean sv_json_is_canonical (const json_t *value, const void *data, gsize length) G_GNUC_WARN_UNUSED_RESULT;

/* The canonical form as a NUL-terminated string, for printing and for values known to be writable (aborts otherwise). */
char *sv_json_canonical_string (const json_t *value);

/* Indented by two spaces, keys in the order they were added; for people. Aborts where sv_json_canonical() fails. Returns:
 * (transfer full), with trailing newline. */
char *sv_json_pretty (const json_t *value);

/* ECMAScript's Number::toString: the shortest digits that read back as @number, which is finite. @buffer holds at least 32
 * bytes. */
void sv_json_format_number (double number, char *buffer);

/* Equal as JSON values: 5 and 5.0 are the same number, key order does not matter. */
gboolean sv_json_equal (const json_t *a, const json_t *b);

/* (transfer full) a real holding the integer, which must be at most SV_JSON_MAX_INTEGER. */
json_t *sv_json_integer (guint64 value);

/* FALSE where @json, which may be NULL, is no integer from 0 to SV_JSON_MAX_INTEGER. */
gboolean sv_json_get_integer (const json_t *json, guint64 *value);

/* (transfer full) a JSON string or, for NULL, null. */
json_t *sv_json_string_or_null (const char *text);
