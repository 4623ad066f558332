/* What parses is written canonically, reads back as the same value, and is written the same again; a string that is looked for
 * in the canonical text is the one that the parsed value has. What does not parse can be searched all the same. */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"

#define MAX_SIZE (64 * 1024)

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_search (const json_t *value, GBytes *canonical)
{
  gsize length;
  const void *text = g_bytes_get_data (canonical, &length);
  g_autofree char *found = sv_json_find_string (text, length, "a");
  const json_t *member = json_object_get (value, "a");
  g_autofree char *expected = json_is_string (member) ? sv_json_canonical_string (member) : NULL;
  g_autofree char *quoted = found != NULL ? g_strdup_printf ("\"%s\"", found) : NULL;
  if (expected == NULL || strlen (expected) <= 1024)
    g_assert_cmpstr (quoted, ==, expected);
  g_assert_true (sv_json_is_canonical (value, text, length));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_free (sv_json_find_string (data, size, "a"));
  g_autoptr (json_t) value = sv_json_parse ("input", data, size, MAX_SIZE, NULL);
  g_autoptr (json_t) again = NULL;
  g_autoptr (GBytes) canonical = NULL;
  g_autoptr (GBytes) canonical_again = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;
  const void *text;

  if (value == NULL)
    return 0;
  canonical = sv_json_canonical (value, &error);
  g_assert_no_error (error);
  text = g_bytes_get_data (canonical, &length);
  again = sv_json_parse ("canonical", text, length, length, &error);
  g_assert_no_error (error);
  g_assert_true (sv_json_equal (value, again));
  canonical_again = sv_json_canonical (again, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (canonical, canonical_again));
  check_search (again, canonical);
  return 0;
}
