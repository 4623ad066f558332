/* Tables and colours for people. Columns are as wide as their content; where the terminal is narrower, the columns marked
 * elastic give way, cut with "…". Without a terminal nothing is cut. Text from outside is printed with control characters
 * escaped. */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct SvTable SvTable;

typedef enum
{
  SV_COLUMN_LEFT,
  SV_COLUMN_RIGHT,   /* numbers */
  SV_COLUMN_ELASTIC, /* left-aligned, gives way first */
} SvColumn;

/* @headers is NULL-terminated and borrowed for the table's life; @columns has as many. */
SvTable *sv_table_new (const char *const *headers, const SvColumn *columns);
void sv_table_free (SvTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvTable, sv_table_free)

/* One cell after the other, row by row; the printf form copies. */
void sv_table_add (SvTable *table, const char *text);
void sv_table_printf (SvTable *table, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Prints to standard output. */
void sv_table_print (const SvTable *table, gboolean use_color);

typedef enum
{
  SV_STYLE_PLAIN,
  SV_STYLE_BOLD,
  SV_STYLE_DIM,
  SV_STYLE_GREEN,
  SV_STYLE_YELLOW,
  SV_STYLE_RED,
} SvStyle;

/* The style that the whole last added row gets. */
void sv_table_style_row (SvTable *table, SvStyle style);

/* @text with ANSI codes around it when @use_color. Returns: (transfer full). */
char *sv_styled (const char *text, SvStyle style, gboolean use_color);

/* "sha256:4f2a…9c01": for tables; --json and details show all of it. Returns: (transfer full). */
char *sv_short_hash (const char *hash);

/* printf() for text that shows commands: with the name that this program was called by. */
void sv_say (FILE *stream, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Prints a paragraph no wider than 80 columns: its first line goes on at column @at, the others begin at column @indent. */
void sv_print_wrapped (const char *text, guint at, guint indent);

/* The same for several paragraphs, divided by empty lines; one that begins with a space is printed as it is. */
void sv_print_paragraphs (const char *text);

/* Control characters as \xNN. Returns: (transfer full). */
char *sv_printable (const char *text);
