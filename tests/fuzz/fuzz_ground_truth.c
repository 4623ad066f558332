/* What is taken as ground truth is taken again in its canonical form, and stays as it is. */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/ground_truth.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *canonical = sv_ground_truth_parse ("input", data, size, NULL);
  if (canonical == NULL)
    return 0;
  g_autoptr (GError) error = NULL;
  g_autofree char *again = sv_ground_truth_parse ("canonical", canonical, strlen (canonical), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (again, ==, canonical);
  return 0;
}
