/* Cases: exit and HTTP status of each code, of no error, of another domain; text made printable: control and formatting
 * characters, broken UTF-8, length; faults: order, counting, warnings, the message of a check, a flood of them */
#include <glib.h>
#include <string.h>

#include "base/error.h"
#include "base/faults.h"

static void
test_statuses (void)
{
  static const struct
  {
    SvErrorCode code;
    int exit_status;
    guint http_status;
  } cases[] = {
    { SV_ERROR_FAILED, 1, 500 },   { SV_ERROR_USAGE, 2, 400 },     { SV_ERROR_MALFORMED, 3, 400 },
    { SV_ERROR_VERIFY, 3, 401 },   { SV_ERROR_NOT_FOUND, 4, 404 }, { SV_ERROR_UNREACHABLE, 5, 503 },
    { SV_ERROR_CONFLICT, 6, 409 }, { SV_ERROR_POLICY, 6, 403 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (GError) error = g_error_new_literal (SV_ERROR, cases[i].code, "x");
    g_assert_cmpint (sv_error_exit_status (error), ==, cases[i].exit_status);
    g_assert_cmpuint (sv_error_http_status (error), ==, cases[i].http_status);
  }
}

static void
test_statuses_of_what_is_not_ours (void)
{
  g_autoptr (GError) foreign = g_error_new_literal (G_FILE_ERROR, G_FILE_ERROR_NOENT, "x");
  g_autoptr (GError) unknown = g_error_new_literal (SV_ERROR, 1000, "x");

  g_assert_cmpint (sv_error_exit_status (NULL), ==, 0);
  g_assert_cmpint (sv_error_exit_status (foreign), ==, 1);
  g_assert_cmpuint (sv_error_http_status (foreign), ==, 500);
  g_assert_cmpint (sv_error_exit_status (unknown), ==, 1);
  g_assert_cmpuint (sv_error_http_status (unknown), ==, 500);
}

static void
assert_printable (const char *text, const char *expected)
{
  g_autofree char *printable = sv_text_printable (text);

  g_assert_cmpstr (printable, ==, expected);
}

static void
test_printable (void)
{
  g_autofree char *exact = g_strnfill (200, 'a');
  g_autofree char *longer = g_strnfill (201, 'a');
  g_autofree char *cut = g_strconcat (exact, "…", NULL);

  assert_printable ("", "");
  assert_printable ("Zürich 😀 \"x\"", "Zürich 😀 \"x\"");
  assert_printable ("a\nb\x1b[2J\x7f", "a\\u000ab\\u001b[2J\\u007f");
  assert_printable ("\xc2\x9b"
                    "1m",
                    "\\u009b1m");
  assert_printable ("a\u202egpj\u200b\u2028", "a\\u202egpj\\u200b\\u2028");
  assert_printable ("a\xff"
                    "b",
                    "a\ufffdb");
  assert_printable (exact, exact);
  assert_printable (longer, cut);
}

static const SvFault *
fault_at (const SvFaults *faults, guint i)
{
  g_assert_cmpuint (i, <, faults->items->len);
  return faults->items->pdata[i];
}

static void
test_faults_keep_their_order (void)
{
  g_autoptr (SvFaults) faults = sv_faults_new ();

  sv_faults_add (faults, "/a", "is %d", 1);
  sv_faults_warn (faults, "/b", "is %s", "odd");
  sv_faults_add (faults, "", "is broken");
  g_assert_cmpuint (faults->n_errors, ==, 2);
  g_assert_cmpuint (faults->n_warnings, ==, 1);
  g_assert_cmpstr (fault_at (faults, 0)->pointer, ==, "/a");
  g_assert_cmpstr (fault_at (faults, 0)->message, ==, "is 1");
  g_assert_false (fault_at (faults, 0)->is_warning);
  g_assert_cmpstr (fault_at (faults, 1)->message, ==, "is odd");
  g_assert_true (fault_at (faults, 1)->is_warning);
  g_assert_cmpstr (fault_at (faults, 2)->pointer, ==, "");
}

static void
assert_check (const SvFaults *faults, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (sv_faults_check (faults, "index", &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_check (void)
{
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (sv_faults_check (faults, "index", &error));
  sv_faults_warn (faults, "/x", "is not a known field");
  g_assert_true (sv_faults_check (faults, "index", &error));
  g_assert_no_error (error);
  sv_faults_add (faults, "/a\n", "is missing");
  assert_check (faults, "index: /a\\u000a: is missing");
  sv_faults_add (faults, "", "is broken");
  assert_check (faults, "index: /a\\u000a: is missing (and 1 more fault)");
  g_assert_false (sv_faults_check (faults, "index", NULL));
}

static void
test_check_of_the_document_itself (void)
{
  g_autoptr (SvFaults) faults = sv_faults_new ();

  sv_faults_add (faults, "", "must be an object, not null");
  assert_check (faults, "index: must be an object, not null");
}

static void
test_messages_cannot_be_forged (void)
{
  g_autoptr (SvFaults) faults = sv_faults_new ();

  sv_faults_add (faults, "", "the id \"%s\" is there twice", "a\nlevel=info");
  g_assert_cmpstr (fault_at (faults, 0)->message, ==, "the id \"a\\u000alevel=info\" is there twice");
}

static void
test_a_flood_is_counted_but_not_kept (void)
{
  g_autoptr (SvFaults) faults = sv_faults_new ();

  for (guint i = 0; i < 5000; i++)
    sv_faults_warn (faults, "/w", "is not a known field");
  g_assert_true (sv_faults_check (faults, "index", NULL));
  sv_faults_add (faults, "/a", "is missing");
  sv_faults_add (faults, "/b", "is missing");
  g_assert_cmpuint (faults->n_warnings, ==, 5000);
  g_assert_cmpuint (faults->n_errors, ==, 2);
  g_assert_cmpuint (faults->items->len, <, 1100);
  assert_check (faults, "index: /a: is missing (and 1 more fault)");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/statuses", test_statuses);
  g_test_add_func ("/error/statuses-of-what-is-not-ours", test_statuses_of_what_is_not_ours);
  g_test_add_func ("/error/printable", test_printable);
  g_test_add_func ("/faults/keep-their-order", test_faults_keep_their_order);
  g_test_add_func ("/faults/check", test_check);
  g_test_add_func ("/faults/check-of-the-document-itself", test_check_of_the_document_itself);
  g_test_add_func ("/faults/messages-cannot-be-forged", test_messages_cannot_be_forged);
  g_test_add_func ("/faults/a-flood-is-counted-but-not-kept", test_a_flood_is_counted_but_not_kept);
  return g_test_run ();
}
