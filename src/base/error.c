/* One table maps every code to its exit status and HTTP status; the enum's order is the table's order. */
#include "base/error.h"

static const struct
{
  int exit_status;
  guint http_status;
} outcomes[] = {
  [SV_ERROR_FAILED] = { 1, 500 },   [SV_ERROR_USAGE] = { 2, 400 },     [SV_ERROR_MALFORMED] = { 3, 400 },
  [SV_ERROR_VERIFY] = { 3, 401 },   [SV_ERROR_NOT_FOUND] = { 4, 404 }, [SV_ERROR_UNREACHABLE] = { 5, 503 },
  [SV_ERROR_CONFLICT] = { 6, 409 }, [SV_ERROR_POLICY] = { 6, 403 },
};

#define PRINTABLE_MAX_CHARS 200

G_DEFINE_QUARK (sv - error - quark, sv_error)

static gboolean
is_ours (const GError *error)
{
  return error->domain == SV_ERROR && error->code >= 0 && (gsize)error->code < G_N_ELEMENTS (outcomes);
}

int
sv_error_exit_status (const GError *error)
{
  if (error == NULL)
    return 0;
  return is_ours (error) ? outcomes[error->code].exit_status : 1;
}

guint
sv_error_http_status (const GError *error)
{
  return error != NULL && is_ours (error) ? outcomes[error->code].http_status : 500;
}

char *
sv_text_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_new (NULL);
  gsize n_chars = 0;

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
  {
    gunichar c = g_utf8_get_char (p);

    if (n_chars++ == PRINTABLE_MAX_CHARS)
    {
      g_string_append (out, "…");
      break;
    }
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || g_unichar_type (c) == G_UNICODE_FORMAT || c == 0x2028 || c == 0x2029)
      g_string_append_printf (out, "\\u%04x", c);
    else
      g_string_append_unichar (out, c);
  }
  return g_string_free (out, FALSE);
}
