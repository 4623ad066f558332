/* Times of documents. Reading takes exactly the one form that the protocol knows, "YYYY-MM-DDTHH:MM:SS[.fraction]Z", for the
 * years 1 to 9999; a fraction of up to nine digits is cut to milliseconds. There are no leap seconds in it. */
#include "base/rfc3339.h"

#include <string.h>

#define MS_PER_SECOND G_GINT64_CONSTANT (1000)
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define MS_PER_HOUR (60 * MS_PER_MINUTE)
#define MS_PER_DAY (24 * MS_PER_HOUR)

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z */
#define EARLIEST_MS G_GINT64_CONSTANT (-62135596800000)
#define LATEST_MS G_GINT64_CONSTANT (253402300799999)

gint64
sv_clock_ms (void)
{
  return g_get_real_time () / 1000;
}

static char *
format_time (gint64 unix_ms, gboolean is_whole)
{
  gint64 ms = CLAMP (unix_ms, EARLIEST_MS, LATEST_MS);
  gint64 fraction = ((ms % MS_PER_SECOND) + MS_PER_SECOND) % MS_PER_SECOND;
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc ((ms - fraction) / MS_PER_SECOND);
  g_autofree char *seconds = NULL;

  seconds = g_strdup_printf ("%04d-%02d-%02dT%02d:%02d:%02d", g_date_time_get_year (time), g_date_time_get_month (time),
                             g_date_time_get_day_of_month (time), g_date_time_get_hour (time), g_date_time_get_minute (time),
                             g_date_time_get_second (time));
  if (fraction == 0 && !is_whole)
    return g_strconcat (seconds, "Z", NULL);
  return g_strdup_printf ("%s.%03dZ", seconds, (int)fraction);
}

char *
sv_time_format (gint64 unix_ms)
{
  return format_time (unix_ms, FALSE);
}

char *
sv_time_format_whole (gint64 unix_ms)
{
  return format_time (unix_ms, TRUE);
}

/* Every 'd' of @form is a digit, everything else is itself. */
static gboolean
has_form (const char *text, const char *form)
{
  for (; *form != '\0'; form++, text++)
    if (*form == 'd' ? !g_ascii_isdigit (*text) : *text != *form)
      return FALSE;
  return TRUE;
}

static int
digits (const char *text, int n)
{
  int value = 0;

  for (int i = 0; i < n; i++)
    value = value * 10 + (text[i] - '0');
  return value;
}

/* "Z", or "." and 1 to 9 digits and "Z". */
static gboolean
parse_fraction (const char *text, int *ms)
{
  gsize n;

  *ms = 0;
  if (strcmp (text, "Z") == 0)
    return TRUE;
  if (*text++ != '.')
    return FALSE;
  n = strspn (text, "0123456789");
  if (n < 1 || n > 9 || strcmp (text + n, "Z") != 0)
    return FALSE;
  for (gsize i = 0; i < 3; i++)
    *ms = *ms * 10 + (i < n ? text[i] - '0' : 0);
  return TRUE;
}

gboolean
sv_time_parse (const char *text, gint64 *unix_ms)
{
  static const char form[] = "dddd-dd-ddTdd:dd:dd";
  g_autoptr (GDateTime) time = NULL;
  int ms = 0;

  if (text == NULL || !has_form (text, form) || !parse_fraction (text + strlen (form), &ms))
    return FALSE;
  if (digits (text, 4) == 0)
    return FALSE;
  /* NULL for the 30th of February and its like */
  time = g_date_time_new_utc (digits (text, 4), digits (text + 5, 2), digits (text + 8, 2), digits (text + 11, 2),
                              digits (text + 14, 2), digits (text + 17, 2));
  if (time == NULL)
    return FALSE;
  *unix_ms = g_date_time_to_unix (time) * MS_PER_SECOND + ms;
  return TRUE;
}

char *
sv_duration_format (gint64 ms)
{
  static const struct
  {
    gint64 ms;
    const char *name;
  } units[] = { { MS_PER_DAY, "d" }, { MS_PER_HOUR, "h" }, { MS_PER_MINUTE, "min" }, { MS_PER_SECOND, "s" } };
  const gsize last = G_N_ELEMENTS (units) - 1;
  gsize i = 0;
  gint64 more;

  if (ms < MS_PER_SECOND)
    return g_strdup ("0 s");
  while (ms < units[i].ms)
    i++;
  more = i < last ? ms % units[i].ms / units[i + 1].ms : 0;
  if (more == 0)
    return g_strdup_printf ("%" G_GINT64_FORMAT " %s", ms / units[i].ms, units[i].name);
  return g_strdup_printf ("%" G_GINT64_FORMAT " %s %" G_GINT64_FORMAT " %s", ms / units[i].ms, units[i].name, more,
                          units[i + 1].name);
}
