/* Appending to a GString without a call where there is room: what is written with each request consists of many short pieces.
 */
#pragma once

#include <glib.h>
#include <string.h>

static inline void
sv_string_append (GString *string, const char *text, gsize length)
{
  if (length >= string->allocated_len - string->len)
  {
    g_string_append_len (string, text, (gssize)length);
    return;
  }
  memcpy (string->str + string->len, text, length);
  string->len += length;
  string->str[string->len] = '\0';
}

#define sv_string_append_literal(string, literal) sv_string_append (string, "" literal, sizeof literal - 1)
