/* The identifiers of docs/protocol.md section 1. Each check takes any string (NULL is invalid) and bounds its length and its
 * bytes, so a valid identifier is safe in a log line. Window ids, chute slugs and chute ids are safe as a path part, element
 * ids as a path: no part of them is empty, "." or "..". An hf_revision is never a path: it may hold "//" and "/../". */
#pragma once

#include <glib.h>

#define SV_WINDOW_ID_MAX 64 /* bytes */

gboolean sv_window_id_is_valid (const char *text);
gboolean sv_element_id_is_valid (const char *text);
gboolean sv_hf_revision_is_valid (const char *text);
gboolean sv_chute_slug_is_valid (const char *text);
gboolean sv_chute_id_is_valid (const char *text);

/* A cap: frames per second, > 0, at most three decimals, no leading zero, no exponent, below 10^9. @milli is the value in
 * thousandths, so that sums of caps are exact. */
gboolean sv_cap_parse (const char *text, guint64 *milli);

/* 25000 -> "25", 12500 -> "12.5". Returns: (transfer full). */
char *sv_cap_format (guint64 milli);

/* A decimal integer from 0 to 2^53 - 1 without sign, leading zero or space. */
gboolean sv_integer_parse (const char *text, guint64 *value);

#define SV_INTEGER_TEXT_SIZE 21 /* of the greatest guint64, with its NUL */

/* Writes @value in decimal. Returns its length, without the NUL. */
gsize sv_integer_write (guint64 value, char text[SV_INTEGER_TEXT_SIZE]);
