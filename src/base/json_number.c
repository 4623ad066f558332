/* Numbers as ECMAScript writes them (ECMA-262, Number::toString), which is how RFC 8785 writes them.
 *
 * The shortest digits that read back as the number are found by asking printf() for 15, 16 and 17 of them and strtod() whether
 * they are enough: a double that has a decimal form of 15 digits or fewer gives exactly that form, with zeros at the end, at
 * 15. Two things escape this. Subnormals carry fewer digits than 15, so the search begins at one there. Below a power of two
 * the gap to the next double is half the gap above, so the nearest decimal can lie outside while its upper neighbour still
 * reads back; that one is tried too.
 *
 * Most numbers that people and clocks write have a few decimals only, and are found without printf(): where m / 10^k, with m
 * below 10^15, is the number, m is its digits. Both are exact and a division is rounded as reading is, so these digits read
 * back; and no other 15 or fewer do. The smallest k gives the shortest.
 *
 * The locale may change printf()'s decimal point, so digits are collected without looking at it, and read back as an integer
 * with an exponent. */
#include "base/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/identifiers.h"

#define MAX_DIGITS 17
#define MAX_FEW_DECIMALS 6
#define EXACT_LIMIT 1e15

typedef struct
{
  char digits[MAX_DIGITS + 1]; /* NUL-terminated; without zeros at the end once trimmed */
  int n_digits;
  int point; /* the value is 0.DIGITS × 10^point */
} Decimal;

static void
decimal_round (Decimal *decimal, double number, int n_digits)
{
  char text[64];
  const char *p = text;
  int n = 0;

  snprintf (text, sizeof text, "%.*e", n_digits - 1, number);
  for (; *p != 'e'; p++)
    if (g_ascii_isdigit (*p) && n < MAX_DIGITS)
      decimal->digits[n++] = *p;
  decimal->digits[n] = '\0';
  decimal->n_digits = n;
  decimal->point = (int)strtol (p + 1, NULL, 10) + 1;
}

/* The next decimal above of as many digits. */
static void
decimal_increment (Decimal *decimal)
{
  int i = decimal->n_digits - 1;

  while (i >= 0 && decimal->digits[i] == '9')
    decimal->digits[i--] = '0';
  if (i >= 0)
  {
    decimal->digits[i]++;
    return;
  }
  decimal->digits[0] = '1';
  decimal->point++;
}

static gboolean
decimal_reads_back (const Decimal *decimal, double number)
{
  char text[64];

  snprintf (text, sizeof text, "%se%d", decimal->digits, decimal->point - decimal->n_digits);
  return strtod (text, NULL) == number;
}

static void
decimal_trim (Decimal *decimal)
{
  while (decimal->n_digits > 1 && decimal->digits[decimal->n_digits - 1] == '0')
    decimal->digits[--decimal->n_digits] = '\0';
}

/* FALSE where the number has more than a few decimals. */
static gboolean
decimal_of_few (Decimal *decimal, double number)
{
  double power = 10;

  for (int k = 1; k <= MAX_FEW_DECIMALS && number * power < EXACT_LIMIT; k++, power *= 10)
  {
    double digits = nearbyint (number * power);
    if (digits / power != number)
      continue;
    decimal->n_digits = g_snprintf (decimal->digits, sizeof decimal->digits, "%" G_GUINT64_FORMAT, (guint64)digits);
    decimal->point = decimal->n_digits - k;
    return TRUE;
  }
  return FALSE;
}

static void
decimal_shortest (Decimal *decimal, double number)
{
  int unused;
  gboolean is_power_of_two = frexp (number, &unused) == 0.5;
  int n_digits = number < DBL_MIN ? 1 : DBL_DIG;

  for (; n_digits <= MAX_DIGITS; n_digits++)
  {
    decimal_round (decimal, number, n_digits);
    if (n_digits == MAX_DIGITS || decimal_reads_back (decimal, number))
      break;
    if (!is_power_of_two)
      continue;
    decimal_increment (decimal);
    if (decimal_reads_back (decimal, number))
      break;
  }
  decimal_trim (decimal);
}

static char *
put_zeros (char *out, int n)
{
  for (; n > 0; n--)
    *out++ = '0';
  return out;
}

static char *
put_digits (char *out, const Decimal *decimal, int from, int to)
{
  memcpy (out, decimal->digits + from, (gsize)(to - from));
  return out + (to - from);
}

static char *
put_exponent (char *out, const Decimal *decimal)
{
  out = put_digits (out, decimal, 0, 1);
  if (decimal->n_digits > 1)
  {
    *out++ = '.';
    out = put_digits (out, decimal, 1, decimal->n_digits);
  }
  return out + sprintf (out, "e%+d", decimal->point - 1);
}

/* The five cases of Number::toString, in its order; n = point, k = n_digits. */
static void
put_decimal (char *out, const Decimal *decimal)
{
  int n = decimal->point;
  int k = decimal->n_digits;

  if (k <= n && n <= 21)
    out = put_zeros (put_digits (out, decimal, 0, k), n - k);
  else if (0 < n && n <= 21)
  {
    out = put_digits (out, decimal, 0, n);
    *out++ = '.';
    out = put_digits (out, decimal, n, k);
  }
  else if (-6 < n && n <= 0)
  {
    *out++ = '0';
    *out++ = '.';
    out = put_digits (put_zeros (out, -n), decimal, 0, k);
  }
  else
    out = put_exponent (out, decimal);
  *out = '\0';
}

void
sv_json_format_number (double number, char *buffer)
{
  Decimal decimal;

  g_assert (isfinite (number));
  if (fabs (number) <= (double)SV_JSON_MAX_INTEGER && number == (double)(gint64)number)
  {
    if (number < 0) /* which -0 is not */
      *buffer++ = '-';
    sv_integer_write ((guint64)fabs (number), buffer);
    return;
  }
  if (signbit (number))
    *buffer++ = '-';
  if (!decimal_of_few (&decimal, fabs (number)))
    decimal_shortest (&decimal, fabs (number));
  put_decimal (buffer, &decimal);
}
