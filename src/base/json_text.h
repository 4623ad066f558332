/* Canonical JSON (RFC 8785) written straight, for texts whose fields are known beforehand and that are needed for each request:
 * whoever writes puts brackets, commas, and the keys in their order, himself. Nothing is allocated while the text fits into the
 * caller's buffer. */
#pragma once

#include <glib.h>
#include <string.h>

typedef struct
{
  char *text; /* without a NUL at its end */
  gsize length;
  gsize size;
  gboolean is_owned; /* @text is not the caller's buffer any more */
  gboolean is_valid; /* FALSE when some string was not UTF-8 */
} SvJsonText;

void sv_json_text_init (SvJsonText *json, char *buffer, gsize size);
/* Makes room for @length bytes more at once. */
void sv_json_text_reserve (SvJsonText *json, gsize length);
/* Frees what was allocated. */
void sv_json_text_clear (SvJsonText *json);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvJsonText, sv_json_text_clear)

/* As it is: punctuation and keys. */
static inline void
sv_json_text_raw (SvJsonText *json, const char *text, gsize length)
{
  if (length > json->size - json->length)
    sv_json_text_reserve (json, length);
  memcpy (json->text + json->length, text, length);
  json->length += length;
}
#define sv_json_text_literal(json, literal) sv_json_text_raw (json, "" literal, sizeof literal - 1)

/* In quotes, with escapes. */
void sv_json_text_string (SvJsonText *json, const char *text);
/* At most SV_JSON_MAX_INTEGER. */
void sv_json_text_integer (SvJsonText *json, guint64 value);
void sv_json_text_number (SvJsonText *json, double value);

/* [ "…", "…" ] as one call. */
void sv_json_text_strings (SvJsonText *json, const char *const *strings, gsize n);
