/* Times: RFC 3339, UTC, "Z" (docs/protocol.md section 1). In memory: milliseconds since 1970-01-01T00:00:00Z. */
#pragma once

#include <glib.h>

gint64 sv_clock_ms (void);

/* "2025-10-23T00:00:00Z"; with milliseconds only where they are not zero. Times outside the years 1 to 9999 are shown as the
 * nearest inside, since an estimate of a far block's time may lie anywhere. Returns: (transfer full). */
char *sv_time_format (gint64 unix_ms);

/* The same with milliseconds always, so that lines of a log have one form. Returns: (transfer full). */
char *sv_time_format_whole (gint64 unix_ms);

/* Exactly "YYYY-MM-DDTHH:MM:SSZ" or with a fraction of 1 to 9 digits, which is cut to milliseconds. NULL is invalid. */
gboolean sv_time_parse (const char *text, gint64 *unix_ms);

/* "2 d 3 h", "3 h 12 min", "45 s": at most two units, for people; "0 s" for what is less than a second. Returns: (transfer
 * full). */
char *sv_duration_format (gint64 ms);
