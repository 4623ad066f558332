/* Logs go to standard error, one event a line, as logfmt or JSON (SCOREVISION_LOG). Values are quoted and control characters
 * escaped, so that nothing from outside can forge a line. Never log secrets or query strings. */
#pragma once

#include <glib.h>

typedef enum
{
  SV_LOG_LOGFMT,
  SV_LOG_JSON,
} SvLogFormat;

void sv_log_set_format (SvLogFormat format);
SvLogFormat sv_log_format (void);

/* sv_log ("info", "published", "window", "2025-10-23", "sequence", "12", NULL): level, event, then pairs of strings; a NULL
 * key ends the list, a NULL value is left out. In JSON the values of fields that are numbers in every event (log.c) are
 * numbers. Thread-safe; a line is written by one write(2). */
void sv_log (const char *level, const char *event, ...) G_GNUC_NULL_TERMINATED;

/* The same line appended to @lines, for those who write many at once: by sv_log_write(), before SV_LOG_LINES_MAX is exceeded,
 * so that the lines of several threads and processes do not mix in a pipe (PIPE_BUF). */
#define SV_LOG_LINES_MAX 4096
void sv_log_append (GString *lines, const char *level, const char *event, ...) G_GNUC_NULL_TERMINATED;
void sv_log_write (const char *lines, gsize length);
