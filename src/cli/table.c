/* Tables: cells are collected first, so that each column can be as wide as its widest cell; printing then takes from the
 * elastic columns what the terminal does not have. Widths are counted in characters, which is right for what we print. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/program_name.h"
#include "cli/table.h"

#define HELP_WIDTH 80 /* wherever it is read, so that help is the same on paper and in a small window */
#define GAP 2
#define NARROWEST 8 /* an elastic column never gets narrower */

struct SvTable
{
  const char *const *headers;
  const SvColumn *columns;
  guint n_columns;
  GPtrArray *cells;   /* of char, row by row */
  GArray *row_styles; /* of SvStyle */
};

SvTable *
sv_table_new (const char *const *headers, const SvColumn *columns)
{
  SvTable *table = g_new0 (SvTable, 1);
  table->headers = headers;
  table->columns = columns;
  table->n_columns = g_strv_length ((char **)headers);
  g_assert (table->n_columns > 0);
  table->cells = g_ptr_array_new_with_free_func (g_free);
  table->row_styles = g_array_new (FALSE, TRUE, sizeof (SvStyle));
  return table;
}

void
sv_table_free (SvTable *table)
{
  if (table == NULL)
    return;
  g_ptr_array_unref (table->cells);
  g_array_unref (table->row_styles);
  g_free (table);
}

char *
sv_printable (const char *text)
{
  GString *out = g_string_new (NULL);
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
  {
    gunichar c = g_utf8_get_char (p);
    GUnicodeType type = g_unichar_type (c);
    if (type == G_UNICODE_CONTROL)
      g_string_append_printf (out, "\\x%02x", c);
    else if (type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR)
      g_string_append_printf (out, "\\u%04x", c);
    else
      g_string_append_unichar (out, c);
  }
  return g_string_free (out, FALSE);
}

void
sv_table_add (SvTable *table, const char *text)
{
  if (table->cells->len % table->n_columns == 0)
  {
    SvStyle plain = SV_STYLE_PLAIN;
    g_array_append_val (table->row_styles, plain);
  }
  g_ptr_array_add (table->cells, sv_printable (text));
}

void
sv_table_printf (SvTable *table, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  sv_table_add (table, text);
}

void
sv_table_style_row (SvTable *table, SvStyle style)
{
  if (table->row_styles->len > 0)
    g_array_index (table->row_styles, SvStyle, table->row_styles->len - 1) = style;
}

char *
sv_styled (const char *text, SvStyle style, gboolean use_color)
{
  static const char *const codes[] = {
    [SV_STYLE_PLAIN] = "",         [SV_STYLE_BOLD] = "\033[1m",    [SV_STYLE_DIM] = "\033[2m",
    [SV_STYLE_GREEN] = "\033[32m", [SV_STYLE_YELLOW] = "\033[33m", [SV_STYLE_RED] = "\033[31m",
  };
  if (!use_color || style == SV_STYLE_PLAIN)
    return g_strdup (text);
  return g_strconcat (codes[style], text, "\033[0m", NULL);
}

char *
sv_short_hash (const char *hash)
{
  if (hash == NULL || !sv_hash_is_valid (hash))
    return g_strdup (hash != NULL ? hash : "");
  const char *hex = sv_hash_hex (hash);
  return g_strdup_printf (SV_HASH_PREFIX "%.8s…%s", hex, hex + 60);
}

/* 0: no terminal, nothing is cut. */
static guint
terminal_width (void)
{
  struct winsize size;
  if (!isatty (STDOUT_FILENO) || ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
    return 0;
  return size.ws_col;
}

static void
measure (const SvTable *table, guint *widths)
{
  for (guint c = 0; c < table->n_columns; c++)
    widths[c] = (guint)g_utf8_strlen (table->headers[c], -1);
  for (guint i = 0, c = 0; i < table->cells->len; i++, c = c + 1 < table->n_columns ? c + 1 : 0)
    widths[c] = MAX (widths[c], (guint)g_utf8_strlen (table->cells->pdata[i], -1));
}

/* Takes the characters that do not fit from the widest elastic column, again and again. */
static void
shrink (const SvTable *table, guint *widths, guint available)
{
  guint total = GAP * (table->n_columns - 1);
  for (guint c = 0; c < table->n_columns; c++)
    total += widths[c];
  while (available > 0 && total > available)
  {
    guint *widest = NULL;
    for (guint c = 0; c < table->n_columns; c++)
      if (table->columns[c] == SV_COLUMN_ELASTIC && widths[c] > NARROWEST && (widest == NULL || widths[c] > *widest))
        widest = &widths[c];
    if (widest == NULL)
      return;
    (*widest)--;
    total--;
  }
}

static void
append_cell (GString *line, const char *text, guint width, SvColumn column, gboolean is_last)
{
  glong length = g_utf8_strlen (text, -1);
  g_autofree char *cut = NULL;
  if (length > (glong)width)
  {
    g_autofree char *head = g_utf8_substring (text, 0, width - 1);
    cut = g_strconcat (head, "…", NULL);
    text = cut;
    length = width;
  }
  guint padding = width - (guint)length;
  if (column == SV_COLUMN_RIGHT)
    g_string_append_printf (line, "%*s", (int)padding, "");
  g_string_append (line, text);
  if (column != SV_COLUMN_RIGHT && !is_last)
    g_string_append_printf (line, "%*s", (int)padding, "");
  if (!is_last)
    g_string_append_printf (line, "%*s", GAP, "");
}

static void
print_row (const SvTable *table, const char *const *cells, const guint *widths, SvStyle style, gboolean use_color)
{
  g_autoptr (GString) line = g_string_new (NULL);
  for (guint c = 0; c < table->n_columns; c++)
    append_cell (line, cells[c], widths[c], table->columns[c], c + 1 == table->n_columns);
  g_autofree char *styled = sv_styled (line->str, style, use_color);
  puts (styled);
}

void
sv_table_print (const SvTable *table, gboolean use_color)
{
  g_autofree guint *widths = g_new0 (guint, table->n_columns);
  measure (table, widths);
  shrink (table, widths, terminal_width ());
  print_row (table, table->headers, widths, SV_STYLE_BOLD, use_color);
  for (guint row = 0; row * table->n_columns + table->n_columns <= table->cells->len; row++)
    print_row (table, (const char *const *)table->cells->pdata + row * table->n_columns, widths,
               g_array_index (table->row_styles, SvStyle, row), use_color);
}

/* ── text ── */

void
sv_say (FILE *stream, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *named = sv_program_text (text);
  fputs (named, stream);
}

void
sv_print_wrapped (const char *text, guint at, guint indent)
{
  g_autofree char *named = sv_program_text (text);
  g_auto (GStrv) words = g_strsplit_set (named, " \n", -1);
  guint column = at;
  gboolean is_first = TRUE;
  for (gsize i = 0; words[i] != NULL; i++)
  {
    guint width = (guint)g_utf8_strlen (words[i], -1);
    if (width == 0)
      continue;
    if (!is_first && column + 1 + width > HELP_WIDTH)
    {
      printf ("\n%*s", (int)indent, "");
      column = indent;
    }
    else if (!is_first)
    {
      putchar (' ');
      column++;
    }
    fputs (words[i], stdout);
    column += width;
    is_first = FALSE;
  }
  putchar ('\n');
}

void
sv_print_paragraphs (const char *text)
{
  g_auto (GStrv) paragraphs = g_strsplit (text, "\n\n", -1);
  for (gsize i = 0; paragraphs[i] != NULL; i++)
  {
    if (i > 0)
      putchar ('\n');
    if (*paragraphs[i] == ' ')
      sv_say (stdout, "%s\n", paragraphs[i]);
    else
      sv_print_wrapped (paragraphs[i], 0, 0);
  }
}
