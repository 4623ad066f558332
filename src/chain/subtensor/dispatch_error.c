/* A DispatchError in words. A pallet's own error comes as two numbers, Module { index, error }, whose name and docs are in the
 * metadata; the others are names in each other: {"Token": {"FundsUnavailable": null}}. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "chain/subtensor/events.h"

#define MAX_NAMES 4

/* The error's index: the first byte of what was one byte in older runtimes and is four today. */
static gboolean
read_error_index (const json_t *value, guint8 *index)
{
  const char *hex = json_string_value (value);
  double number = json_number_value (value);
  if (hex != NULL && g_str_has_prefix (hex, "0x"))
  {
    g_autofree char *first = g_strndup (hex + 2, 2);
    return sv_hex_decode (first, FALSE, index, 1);
  }
  *index = (guint8)CLAMP (number, 0, G_MAXUINT8);
  return json_is_number (value) && *index == number;
}

static char *
module_error_text (const SvMetadata *metadata, const json_t *module)
{
  const json_t *index = json_object_get (module, "index");
  double pallet = json_number_value (index);
  guint8 number;
  if (!json_is_number (index) || pallet < 0 || pallet > G_MAXUINT8 ||
      !read_error_index (json_object_get (module, "error"), &number))
    return g_strdup ("Module");
  const char *name = sv_metadata_pallet_name (metadata, (guint8)pallet);
  const SvVariant *known = sv_metadata_error_at (metadata, (guint8)pallet, number);
  if (name == NULL || known == NULL)
    return g_strdup_printf ("error %u of pallet %u, which this chain's metadata does not name", number, (guint)pallet);
  return g_strdup_printf ("%s.%s%s%s", name, known->name, *known->docs != '\0' ? ": " : "", known->docs);
}

/* Appends the names of variants in each other. */
static void
append_names (const json_t *value, GString *out)
{
  for (guint i = 0; i < MAX_NAMES && json_is_object (value) && json_object_size (value) == 1; i++)
  {
    void *member = json_object_iter ((json_t *)value);
    if (out->len > 0)
      g_string_append_c (out, '.');
    g_string_append (out, json_object_iter_key (member));
    value = json_object_iter_value (member);
  }
}

char *
sv_dispatch_error_text (const SvMetadata *metadata, const json_t *dispatch_error)
{
  const json_t *module = json_object_get (dispatch_error, "Module");
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree char *of_module = json_is_object (module) ? module_error_text (metadata, module) : NULL;
  append_names (dispatch_error, names);
  if (names->len == 0)
    g_string_append (names, "for a reason that the chain does not tell");
  return sv_text_printable (of_module != NULL ? of_module : names->str);
}
