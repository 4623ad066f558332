/* What is read, as YAML or as JSON, can be written as canonical JSON, which reads back as the same value and has a place for
 * every node. */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "base/authored.h"
#include "base/schema.h"

#define MAX_SIZE (64 * 1024)

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Asks for the place of @value's members, too. */
static void
find_places (const SvPlaces *places, json_t *value, const char *pointer)
{
  guint line = 0;
  guint column = 0;
  const char *key;
  json_t *member;
  gsize i;

  sv_places_find (places, pointer, &line, &column);
  g_assert_true (line > 0 && column > 0);
  json_object_foreach (value, key, member)
  {
    g_autofree char *child = sv_pointer_key (pointer, key);
    find_places (places, member, child);
  }
  json_array_foreach (value, i, member)
  {
    g_autofree char *child = sv_pointer_index (pointer, i);
    find_places (places, member, child);
  }
}

static void
check_document (const char *name, const void *data, gsize size)
{
  g_autoptr (SvPlaces) places = NULL;
  g_autoptr (json_t) value = sv_authored_parse (name, data, size, MAX_SIZE, &places, NULL);
  g_autoptr (json_t) again = NULL;
  g_autoptr (GBytes) canonical = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;
  const void *text;

  if (value == NULL)
    return;
  find_places (places, value, "");
  canonical = sv_json_canonical (value, &error);
  g_assert_no_error (error);
  text = g_bytes_get_data (canonical, &length);
  again = sv_json_parse ("canonical", text, length, length, &error);
  g_assert_no_error (error);
  g_assert_true (sv_json_equal (value, again));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  check_document ("input.yaml", data, size);
  check_document ("input.json", data, size);
  return 0;
}
