/* What the PostgreSQL engine does without a server; tests/contract has the rest.
 *
 *  1. both schemes open, connecting to nothing; a URL that libpq does not take is refused, and its password not shown
 *  2. where nobody listens each call says so and what to do, without the password; the next ones within the pause, too
 *  3. where the way to a server may be without TLS
 *  4. arrays in text form
 *  5. the shared picture as text: broken ones are refused
 */
#include "state/postgres_state.h"

#include <string.h>

#include "refusal.h"
#include "state/shared_chain.h"

static SvState *
try_open (const char *url, GError **error)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  sv_config_set (config, "SCOREVISION_DATABASE", url);
  return sv_state_open (config, error);
}

static void
test_urls (void)
{
  static const char *const good[] = { "postgresql://u:secret@h/db?sslmode=verify-full", "postgres://h:1,g:2/db",
                                      "postgresql:///db?host=/run/postgresql" };
  static const char *const bad[] = { "postgresql://u:sec/ret@h/db",   "postgresql://u:sec@cret@h/db",
                                     "postgresql://u:se%zzcret@h/db", "postgresql:db",
                                     "postgresql://u:secret@h:0/db",  "postgresql://h/db?passwort=secret" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
  {
    GError *error = NULL;
    sv_state_free (try_open (good[i], &error));
    g_assert_no_error (error);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
  {
    g_autoptr (GError) error = NULL;
    g_assert_null (try_open (bad[i], &error));
    g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
    g_assert_nonnull (strstr (error->message, "postgresql://USER@HOST"));
    g_assert_null (strstr (error->message, "secret"));
    g_assert_null (strstr (error->message, "cret@"));
    g_assert_null (strstr (error->message, "sec/"));
  }
}

static void
test_open_networks (void)
{
  static const struct
  {
    const char *url;
    gboolean is_open;
  } cases[] = {
    { "postgresql://u@db.example.org/sv", TRUE },
    { "postgresql://u@10.0.0.5/sv?sslmode=prefer", TRUE },
    { "postgresql://u@localhost,db.example.org/sv", TRUE },
    { "postgresql://u@localhost/sv?hostaddr=10.0.0.5", TRUE },
    { "postgresql://u@db.example.org/sv?sslmode=verify-full", FALSE },
    { "postgresql://u@db.example.org/sv?sslmode=disable", FALSE },
    { "postgresql://u@localhost/sv", FALSE },
    { "postgresql://u@127.0.0.1:5432/sv", FALSE },
    { "postgresql://u@[::1]/sv", FALSE },
    { "postgresql:///sv?host=/run/postgresql", FALSE },
    { "postgresql:///sv", FALSE },
  };
  GError *error = NULL;
  g_unsetenv ("PGSSLMODE");
  g_assert_true (sv_pq_load (&error));
  g_assert_no_error (error);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    PQconninfoOption *options = sv_pq ()->conninfoParse (cases[i].url, NULL);
    g_assert_cmpint (sv_postgres_is_open_to_others (options), ==, cases[i].is_open);
    sv_pq ()->conninfoFree (options);
  }
}

static void
test_nobody_listens (void)
{
  guint64 version;
  GError *error = NULL;
  g_autofree char *first = NULL;
  g_autoptr (SvState) state = try_open ("postgresql://u:secret@127.0.0.1:1/db", &error);
  g_assert_no_error (error);
  for (int i = 0; i < 3; i++)
  {
    g_autoptr (GError) fault = NULL;
    g_assert_false (sv_state_clips_version (state, &version, &fault));
    g_assert_error (fault, SV_ERROR, SV_ERROR_UNREACHABLE);
    g_assert_nonnull (strstr (fault->message, "check that PostgreSQL runs"));
    g_assert_null (strstr (fault->message, "secret"));
    if (first != NULL)
      g_assert_cmpstr (fault->message, ==, first);
    g_free (first);
    first = g_strdup (fault->message);
  }
}

static void
test_arrays (void)
{
  g_autoptr (GString) empty = g_string_new (NULL), texts = g_string_new (NULL), numbers = g_string_new (NULL);
  static const char *const values[] = { "a", "", NULL, "NULL", "q\"b\\c,{} '" };
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    sv_postgres_array_add (texts, values[i]);
  sv_postgres_array_add_integer (numbers, -1);
  sv_postgres_array_add_integer (numbers, G_MAXINT64);
  g_assert_cmpstr (sv_postgres_array_end (empty), ==, "{}");
  g_assert_cmpstr (sv_postgres_array_end (texts), ==, "{\"a\",\"\",NULL,\"NULL\",\"q\\\"b\\\\c,{} '\"}");
  g_assert_cmpstr (sv_postgres_array_end (numbers), ==, "{-1,9223372036854775807}");
}

static void
test_shared_text (void)
{
  static const char *const bad[] = { "", "{", "[]", "{}", "{\"content\":1}", "null" };
  GError *error = NULL;
  g_autoptr (SvSharedChain) empty = sv_shared_chain_new ();
  g_autofree char *text = sv_shared_chain_to_text (empty);
  g_autoptr (SvSharedChain) read = sv_shared_chain_from_text (text, &error);
  g_assert_no_error (error);
  g_assert_null (read->permits);
  g_assert_cmpuint (read->open->len, ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_fails (sv_shared_chain_from_text (bad[i], refusal), SV_ERROR_UNREACHABLE);
  g_auto (GStrv) parts = g_strsplit (text, "\"number\":0", 2);
  g_autofree char *wrong = g_strjoinv ("\"number\":\"0\"", parts);
  assert_fails (sv_shared_chain_from_text (wrong, refusal), SV_ERROR_UNREACHABLE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/postgres-state/urls", test_urls);
  g_test_add_func ("/postgres-state/open-networks", test_open_networks);
  g_test_add_func ("/postgres-state/nobody-listens", test_nobody_listens);
  g_test_add_func ("/postgres-state/arrays", test_arrays);
  g_test_add_func ("/postgres-state/shared-text", test_shared_text);
  return g_test_run ();
}
