/* What parses is written canonically, reads back as the same value, and is written the same again. */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

#define MAX_SIZE (64 * 1024)

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
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
  return 0;
}
