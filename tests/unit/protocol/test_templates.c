/* The shipped templates validate as they are, without a warning, and are safe to publish by mistake: their window is over. */
#include "sample.h"

#include "base/file.h"

static void
templates_validate (void)
{
  static const char *const names[] = { "football", "cricket" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
  {
    g_autoptr (GError) error = NULL;
    g_autoptr (SvPlaces) places = NULL;
    g_autoptr (SvFaults) faults = sv_faults_new ();
    g_autofree char *path = g_strdup_printf ("%s/manifests/templates/%s.yaml", SV_SOURCE_ROOT, names[i]);
    g_autoptr (GBytes) bytes = sv_file_read (path, SV_MANIFEST_MAX_SIZE, &error);
    g_assert_no_error (error);
    g_autoptr (json_t) json = sv_authored_parse (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                                                 SV_MANIFEST_MAX_SIZE, &places, &error);
    g_assert_no_error (error);
    sv_manifest_check_authored (json, faults);
    g_assert_cmpfloat (json_number_value (json_object_get (json, "expiry_block")), ==, 1);
    for (guint k = 0; k < faults->items->len; k++)
    {
      g_autofree char *line = sv_places_describe (places, g_ptr_array_index (faults->items, k));
      g_error ("%s", line);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/templates/validate", templates_validate);
  return g_test_run ();
}
