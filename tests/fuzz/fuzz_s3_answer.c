/* The XML of an S3 server, which may be anybody: whatever it holds, each reader takes it or says no, and what it takes is in
 * order and can be printed. */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "store/s3_answer.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_printable (const char *text)
{
  for (const char *p = text; p != NULL && *p != '\0'; p++)
    g_assert_false (g_ascii_iscntrl (*p));
}

static void
check_page (const char *data, size_t size)
{
  g_auto (SvS3Page) page = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean ok = sv_s3_read_page (data, size, &page, &error);
  g_assert_true (ok == (error == NULL) && ok == (page.entries != NULL));
  for (guint i = 0; ok && i < page.entries->len; i++)
    g_assert_nonnull (g_array_index (page.entries, SvS3Entry, i).key);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *)data;
  g_auto (SvS3Fault) fault = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean is_fault = sv_s3_read_fault (text, size, &fault);
  g_assert_true (is_fault == (fault.code != NULL));
  check_printable (fault.code);
  check_printable (fault.message);
  check_printable (fault.region);
  check_page (text, size);
  g_autofree char *id = sv_s3_read_upload_id (text, size, &error);
  g_assert_true ((id != NULL) == (error == NULL));
  g_assert_false (is_fault && sv_s3_is_completion (text, size));
  return 0;
}
