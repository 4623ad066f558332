/* A list of faults. Messages are cleaned when they are added, since they may quote the document; pointers stay as they are, so
 * that places can be looked up by them, and are cleaned where they are shown. */
#include "base/faults.h"

#include "base/error.h"

/* A hostile document of 4 MiB can hold a million faults; nobody reads more than some. Beyond this they are only counted. */
#define MAX_KEPT 1000

static void
fault_free (gpointer data)
{
  SvFault *fault = data;

  g_free (fault->pointer);
  g_free (fault->message);
  g_free (fault);
}

SvFaults *
sv_faults_new (void)
{
  SvFaults *faults = g_new0 (SvFaults, 1);

  faults->items = g_ptr_array_new_with_free_func (fault_free);
  return faults;
}

void
sv_faults_free (SvFaults *faults)
{
  if (faults == NULL)
    return;
  g_ptr_array_unref (faults->items);
  g_free (faults);
}

G_GNUC_PRINTF (4, 0)
static void
add (SvFaults *faults, gboolean is_warning, const char *pointer, const char *format, va_list args)
{
  /* An error is always kept while it is the first one, so that sv_faults_check() has something to say. */
  gboolean is_kept = faults->items->len < MAX_KEPT || (!is_warning && faults->n_errors == 0);

  if (is_warning)
    faults->n_warnings++;
  else
    faults->n_errors++;
  if (!is_kept)
    return;

  g_autofree char *message = g_strdup_vprintf (format, args);
  SvFault *fault = g_new0 (SvFault, 1);
  fault->pointer = g_strdup (pointer);
  fault->message = sv_text_printable (message);
  fault->is_warning = is_warning;
  g_ptr_array_add (faults->items, fault);
}

void
sv_faults_add (SvFaults *faults, const char *pointer, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  add (faults, FALSE, pointer, format, args);
  va_end (args);
}

void
sv_faults_warn (SvFaults *faults, const char *pointer, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  add (faults, TRUE, pointer, format, args);
  va_end (args);
}

static const SvFault *
first_error (const SvFaults *faults)
{
  for (guint i = 0; i < faults->items->len; i++)
  {
    const SvFault *fault = faults->items->pdata[i];
    if (!fault->is_warning)
      return fault;
  }
  return NULL;
}

gboolean
sv_faults_check (const SvFaults *faults, const char *what, GError **error)
{
  const SvFault *first = first_error (faults);
  g_autofree char *pointer = NULL;
  g_autofree char *more = NULL;

  if (first == NULL)
    return TRUE;
  pointer = sv_text_printable (first->pointer);
  more = faults->n_errors > 1
             ? g_strdup_printf (" (and %u more fault%s)", faults->n_errors - 1, faults->n_errors == 2 ? "" : "s")
             : g_strdup ("");
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: %s%s%s%s", what, pointer, *pointer != '\0' ? ": " : "", first->message,
               more);
  return FALSE;
}
