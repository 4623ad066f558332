/* Cases: defaults and how they follow other settings; the order of the layers; where a value came from; the file's grammar and
 * its mistakes; unknown names with the nearest known one; numbers, booleans, lists; what is masked; the nearest word. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/config.h"
#include "base/error.h"

static char *directory, *path;

/* A clean environment, so that the tester's own settings do not matter. */
static void
clear_environment (void)
{
  gsize n;
  const SvSetting *settings = sv_settings (&n);
  for (gsize i = 0; i < n; i++)
    g_unsetenv (settings[i].name);
}

static void
write_conf (const char *text)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_setenv ("SCOREVISION_CONFIG", path, TRUE);
}

static SvConfig *
load (void)
{
  g_autoptr (GError) error = NULL;
  SvConfig *config = sv_config_load (&error);
  g_assert_no_error (error);
  return config;
}

static void
assert_load_fails (SvErrorCode code, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvConfig) config = sv_config_load (&error);
  g_assert_null (config);
  g_assert_error (error, SV_ERROR, (int)code);
  if (strstr (error->message, message) == NULL)
    g_error ("expected \"%s\" in \"%s\"", message, error->message);
}

static void
assert_conf_fails (const char *text, const char *message)
{
  write_conf (text);
  assert_load_fails (SV_ERROR_USAGE, message);
  clear_environment ();
}

static void
test_defaults (void)
{
  static const char *const cases[][2] = {
    { "BITTENSOR_SUBTENSOR_ENDPOINT", "ledger:~/.score/ledger.sqlite" },
    { "SCOREVISION_STORE", "file:~/.score/store" },
    { "SCOREVISION_RESULTS_STORE", "file:~/.score/store" },
    { "SCOREVISION_DATABASE", "sqlite:~/.score/state.sqlite" },
    { "SCOREVISION_API", "http://127.0.0.1:8080" },
    { "S3_REGION", "auto" },
    { "SCOREVISION_LISTEN", "127.0.0.1:8080" },
    { "SCOREVISION_RATE_LIMIT", "60/60s" },
    { "SCOREVISION_CHAIN_MAX_LAG", "120" },
    { "CHUTES_MINER_BASE_URL_TEMPLATE", "https://{slug}.chutes.ai" },
    { "CHUTES_MINER_PREDICT_ENDPOINT", "predict" },
    { "BITTENSOR_WALLET_PATH", "~/.bittensor/wallets" },
    { "BITTENSOR_WALLET_COLD", "default" },
    { "BITTENSOR_WALLET_HOT", "default" },
    { "SCOREVISION_HOME", "~/.score" },
    { "SCOREVISION_NETUID", "44" },
    { "SCOREVISION_MANIFEST_SIGNERS", NULL },
    { "SCOREVISION_VALIDATORS", NULL },
    { "R2_PUBLIC_URL", NULL },
  };
  g_autoptr (SvConfig) config = sv_config_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_assert_cmpstr (sv_config_get (config, cases[i][0]), ==, cases[i][1]);
    g_assert_cmpstr (sv_config_origin (config, cases[i][0]), ==, cases[i][1] != NULL ? "default" : "unset");
  }
}

/* What the table says of a default that follows another setting is what it is when nothing is set. */
static void
test_table_agrees_with_defaults (void)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  gsize n;
  const SvSetting *settings = sv_settings (&n);
  for (gsize i = 0; i < n; i++)
    if (settings[i].fallback != NULL)
      g_assert_cmpstr (sv_config_get (config, settings[i].name), ==, settings[i].fallback);
}

static void
test_secrets_have_no_flag (void)
{
  gsize n;
  const SvSetting *settings = sv_settings (&n);
  for (gsize i = 0; i < n; i++)
    g_assert_false (settings[i].is_secret && settings[i].flag != NULL);
}

static void
test_engines_follow_home (void)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  sv_config_set (config, "SCOREVISION_HOME", "/srv/score");
  g_autofree char *home = sv_config_home_path (config, NULL);
  g_autofree char *leaf = sv_config_home_path (config, "bindings.yaml");
  g_assert_cmpstr (sv_config_get (config, "BITTENSOR_SUBTENSOR_ENDPOINT"), ==, "ledger:/srv/score/ledger.sqlite");
  g_assert_cmpstr (sv_config_get (config, "SCOREVISION_STORE"), ==, "file:/srv/score/store");
  g_assert_cmpstr (sv_config_get (config, "SCOREVISION_DATABASE"), ==, "sqlite:/srv/score/state.sqlite");
  g_assert_cmpstr (sv_config_origin (config, "SCOREVISION_STORE"), ==, "default");
  g_assert_cmpstr (home, ==, "/srv/score");
  g_assert_cmpstr (leaf, ==, "/srv/score/bindings.yaml");
}

static void
test_home_is_expanded (void)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  g_autofree char *leaf = sv_config_home_path (config, "x");
  g_autofree char *expected = g_build_filename (g_get_home_dir (), ".score", "x", NULL);
  g_assert_cmpstr (leaf, ==, expected);
}

static void
test_results_store_follows_file_stores_only (void)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  sv_config_set (config, "SCOREVISION_STORE", "file:/a");
  g_assert_cmpstr (sv_config_get (config, "SCOREVISION_RESULTS_STORE"), ==, "file:/a");
  sv_config_set (config, "SCOREVISION_STORE", "s3://a");
  g_assert_null (sv_config_get (config, "SCOREVISION_RESULTS_STORE"));
}

static void
test_bucket_alone_is_the_store (void)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  sv_config_set (config, "R2_BUCKET", "clips");
  g_assert_cmpstr (sv_config_get (config, "SCOREVISION_STORE"), ==, "s3://clips");
  g_assert_cmpstr (sv_config_origin (config, "SCOREVISION_STORE"), ==, "flag (R2_BUCKET)");
  sv_config_set (config, "SCOREVISION_STORE", "file:/a");
  g_assert_cmpstr (sv_config_get (config, "SCOREVISION_STORE"), ==, "file:/a");
}

static void
test_either_name_of_the_public_url (void)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  sv_config_set (config, "R2_BUCKET_PUBLIC_URL", "https://b.example");
  g_assert_cmpstr (sv_config_get (config, "R2_PUBLIC_URL"), ==, "https://b.example");
  g_assert_cmpstr (sv_config_origin (config, "R2_PUBLIC_URL"), ==, "flag (R2_BUCKET_PUBLIC_URL)");
  sv_config_set (config, "R2_PUBLIC_URL", "https://a.example");
  g_assert_cmpstr (sv_config_get (config, "R2_PUBLIC_URL"), ==, "https://a.example");
}

static void
test_api_follows_listen (void)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  sv_config_set (config, "SCOREVISION_LISTEN", "127.0.0.1:9999");
  g_assert_cmpstr (sv_config_get (config, "SCOREVISION_API"), ==, "http://127.0.0.1:9999");
}

static void
test_flag_over_environment_over_file (void)
{
  write_conf ("SCOREVISION_NETUID = 1\n");
  g_autofree char *in_file = g_strconcat (path, ":1", NULL);
  g_autoptr (SvConfig) from_file = load ();
  g_assert_cmpstr (sv_config_get (from_file, "SCOREVISION_NETUID"), ==, "1");
  g_assert_cmpstr (sv_config_origin (from_file, "SCOREVISION_NETUID"), ==, in_file);
  g_assert_cmpstr (sv_config_get (from_file, "SCOREVISION_CONFIG"), ==, path);

  g_setenv ("SCOREVISION_NETUID", "2", TRUE);
  g_autoptr (SvConfig) config = load ();
  g_assert_cmpstr (sv_config_get (config, "SCOREVISION_NETUID"), ==, "2");
  g_assert_cmpstr (sv_config_origin (config, "SCOREVISION_NETUID"), ==, "environment");
  sv_config_set (config, "SCOREVISION_NETUID", "3");
  g_assert_cmpstr (sv_config_get (config, "SCOREVISION_NETUID"), ==, "3");
  g_assert_cmpstr (sv_config_origin (config, "SCOREVISION_NETUID"), ==, "flag");
  clear_environment ();
}

/* What a process that runs can be told anew is the file; flags stay, and so does a copy of what was before. */
static void
test_loading_again (void)
{
  g_autoptr (GError) error = NULL;
  write_conf ("SCOREVISION_NETUID = 1\nSCOREVISION_LISTEN = :1\n");
  g_autoptr (SvConfig) config = load ();
  sv_config_set (config, "SCOREVISION_LISTEN", ":2");
  g_autoptr (SvConfig) copy = sv_config_copy (config);
  write_conf ("# one line more\nSCOREVISION_NETUID = 3\nSCOREVISION_LISTEN = :4\n");
  g_autoptr (SvConfig) again = sv_config_read_again (config);
  g_assert_true (sv_config_check (again, &error));
  g_autofree char *second_line = g_strconcat (path, ":2", NULL);
  g_assert_cmpstr (sv_config_get (again, "SCOREVISION_NETUID"), ==, "3");
  g_assert_cmpstr (sv_config_origin (again, "SCOREVISION_NETUID"), ==, second_line);
  g_assert_cmpstr (sv_config_get (again, "SCOREVISION_LISTEN"), ==, ":2");
  g_assert_cmpstr (sv_config_get (again, "SCOREVISION_API"), ==, "http://:2");
  g_assert_cmpstr (sv_config_get (copy, "SCOREVISION_NETUID"), ==, "1");
  g_assert_cmpstr (sv_config_origin (copy, "SCOREVISION_NETUID"), ==, sv_config_origin (config, "SCOREVISION_NETUID"));
  g_assert_cmpstr (sv_config_origin (copy, "SCOREVISION_LISTEN"), ==, "flag");
  clear_environment ();
}

/* Defaults in place of a file that somebody is just replacing would be another chain and another store. */
static void
test_loading_again_without_the_file (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_build_filename (directory, ".config", "scorevision", NULL);
  g_autofree char *own = g_build_filename (folder, "sv.conf", NULL);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (own, "SCOREVISION_NETUID = 1\n", -1, NULL));
  g_autoptr (SvConfig) config = load ();
  g_assert_cmpstr (sv_config_get (config, "SCOREVISION_NETUID"), ==, "1");
  g_assert_cmpint (g_unlink (own), ==, 0);
  g_autoptr (SvConfig) again = sv_config_read_again (config);
  g_assert_false (sv_config_check (again, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
  g_assert_nonnull (strstr (error->message, own));
  g_rmdir (folder);
  g_autofree char *parent = g_path_get_dirname (folder);
  g_rmdir (parent);
}

/* One edit is to be enough. */
static void
test_all_faults_at_once (void)
{
  g_autoptr (GError) error = NULL;
  write_conf ("SCOREVISION_FOO = 1\nnonsense\nSCOREVISION_NETUID = 1\nSCOREVISION_NETUID = 2\n");
  g_setenv ("SCOREVISION_STOR", "file:x", TRUE);
  g_autoptr (SvConfig) config = sv_config_read ();
  g_assert_false (sv_config_check (config, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
  g_autofree char *expected =
      g_strdup_printf ("environment: unknown setting SCOREVISION_STOR; did you mean SCOREVISION_STORE?\n"
                       "%s:1: unknown setting SCOREVISION_FOO; `sv config show` lists all\n"
                       "%s:2: expected `KEY = value`, a [heading] or a # comment\n"
                       "%s:4: SCOREVISION_NETUID is already set in line 3",
                       path, path, path);
  g_assert_cmpstr (error->message, ==, expected);
  g_assert_cmpuint (sv_config_faults (config)->len, ==, 4);
  g_assert_cmpstr (sv_config_get (config, "SCOREVISION_NETUID"), ==, "1");
  clear_environment ();
  g_unsetenv ("SCOREVISION_STOR");
}

static void
test_empty_value_is_none (void)
{
  write_conf ("SCOREVISION_NETUID = 1\nR2_PUBLIC_URL =\n");
  g_setenv ("SCOREVISION_NETUID", "", TRUE);
  g_autoptr (SvConfig) config = load ();
  sv_config_set (config, "SCOREVISION_NETUID", "");
  g_assert_cmpstr (sv_config_get (config, "SCOREVISION_NETUID"), ==, "1");
  g_assert_null (sv_config_get (config, "R2_PUBLIC_URL"));
  clear_environment ();
}

static void
test_grammar_of_the_file (void)
{
  write_conf ("# comment\n; comment\n\n[store]\r\n  S3_REGION=eu # x = y\r\n"
              "\tCHUTES_API_KEY =  a = b  \nSCOREVISION_NETUID = 7");
  g_autofree char *origin = g_strconcat (path, ":7", NULL);
  g_autoptr (SvConfig) config = load ();
  g_assert_cmpstr (sv_config_get (config, "S3_REGION"), ==, "eu # x = y");
  g_assert_cmpstr (sv_config_get (config, "CHUTES_API_KEY"), ==, "a = b");
  g_assert_cmpstr (sv_config_origin (config, "SCOREVISION_NETUID"), ==, origin);
  clear_environment ();
}

static void
test_mistakes_in_the_file (void)
{
  assert_conf_fails ("\nSCOREVISION_STOR = file:/a\n",
                     "sv.conf:2: unknown setting SCOREVISION_STOR; did you mean SCOREVISION_STORE?");
  assert_conf_fails ("entirely_different = 1\n", "sv.conf:1: unknown setting entirely_different; `sv config show`");
  assert_conf_fails ("S3_REGION = a\nS3_REGION = b\n", "sv.conf:2: S3_REGION is already set in line 1");
  assert_conf_fails ("S3_REGION =\nS3_REGION = b\n", "sv.conf:2: S3_REGION is already set in line 1");
  assert_conf_fails ("S3_REGION\n", "sv.conf:1: expected `KEY = value`");
  assert_conf_fails ("= x\n", "sv.conf:1: expected `KEY = value`");
  assert_conf_fails ("[store\n", "sv.conf:1: expected `KEY = value`");
  assert_conf_fails ("SCOREVISION_CONFIG = /x\n", "sv.conf:1: SCOREVISION_CONFIG names this file");
  assert_conf_fails ("S3_REGION = \xff\n", "not valid UTF-8");
}

static void
test_file_that_is_not_there (void)
{
  g_setenv ("SCOREVISION_CONFIG", "/nonexistent/sv.conf", TRUE);
  assert_load_fails (SV_ERROR_USAGE, "/nonexistent/sv.conf");
  clear_environment ();
}

static void
test_file_that_is_too_big (void)
{
  g_autofree char *text = g_strnfill (1024 * 1024 + 1, '#');
  write_conf (text);
  assert_load_fails (SV_ERROR_USAGE, path);
  clear_environment ();
}

static void
test_unknown_environment_variable (void)
{
  g_setenv ("SCOREVISION_MANIFEST_SIGNER", "x", TRUE);
  assert_load_fails (SV_ERROR_USAGE, "environment: unknown setting SCOREVISION_MANIFEST_SIGNER; did you mean "
                                     "SCOREVISION_MANIFEST_SIGNERS?");
  g_unsetenv ("SCOREVISION_MANIFEST_SIGNER");
}

static void
test_other_programs_variables_do_not_matter (void)
{
  g_setenv ("R2_SOMETHING", "x", TRUE);
  g_setenv ("SCOREVISION_SHARED", "x", TRUE);
  g_autoptr (SvConfig) config = load ();
  g_assert_nonnull (config);
  g_unsetenv ("R2_SOMETHING");
  g_unsetenv ("SCOREVISION_SHARED");
}

static void
test_environment_must_be_text (void)
{
  g_setenv ("S3_REGION", "\xff", TRUE);
  assert_load_fails (SV_ERROR_USAGE, "environment: the value of S3_REGION is not valid UTF-8");
  clear_environment ();
}

static void
assert_integer_fails (const char *value)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  g_autoptr (GError) error = NULL;
  guint64 number;
  sv_config_set (config, "SCOREVISION_NETUID", value);
  g_assert_false (sv_config_get_integer (config, "SCOREVISION_NETUID", 1, 65535, &number, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
  g_assert_nonnull (strstr (error->message, "SCOREVISION_NETUID (flag): expected a number from 1 to 65535"));
}

static void
test_integers (void)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  guint64 number = 0;
  g_assert_true (sv_config_get_integer (config, "SCOREVISION_NETUID", 44, 44, &number, NULL));
  g_assert_cmpuint (number, ==, 44);
  assert_integer_fails ("0");
  assert_integer_fails ("65536");
  assert_integer_fails ("-1");
  assert_integer_fails ("1e3");
  assert_integer_fails ("44 ");
  assert_integer_fails ("99999999999999999999");
}

static void
test_booleans (void)
{
  static const char *const yes[] = { "1", "true", "True" };
  static const char *const no[] = { "0", "TRUE", "yes", "false", " 1" };
  g_autoptr (SvConfig) config = sv_config_new ();
  g_assert_false (sv_config_get_boolean (config, "SCOREVISION_USE_CHALLENGE_V3"));
  for (gsize i = 0; i < G_N_ELEMENTS (yes); i++)
  {
    sv_config_set (config, "SCOREVISION_USE_CHALLENGE_V3", yes[i]);
    g_assert_true (sv_config_get_boolean (config, "SCOREVISION_USE_CHALLENGE_V3"));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (no); i++)
  {
    sv_config_set (config, "SCOREVISION_USE_CHALLENGE_V3", no[i]);
    g_assert_false (sv_config_get_boolean (config, "SCOREVISION_USE_CHALLENGE_V3"));
  }
}

static void
test_lists (void)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  g_auto (GStrv) none = sv_config_get_list (config, "SCOREVISION_VALIDATORS");
  g_assert_cmpuint (g_strv_length (none), ==, 0);
  sv_config_set (config, "SCOREVISION_VALIDATORS", " a, b ,,c,");
  g_auto (GStrv) list = sv_config_get_list (config, "SCOREVISION_VALIDATORS");
  const char *const expected[] = { "a", "b", "c", NULL };
  g_assert_cmpstrv (list, expected);
}

static void
assert_shown (const char *name, const char *value, const char *expected)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  sv_config_set (config, name, value);
  g_autofree char *shown = sv_config_get_shown (config, name);
  g_assert_cmpstr (shown, ==, expected);
}

static void
test_secrets_are_masked (void)
{
  assert_shown ("CHUTES_API_KEY", "cpk_1", "****");
  assert_shown ("CHUTES_API_KEY", "", NULL);
  assert_shown ("R2_WRITE_ACCESS_KEY_ID", "id", "****");
  assert_shown ("R2_WRITE_SECRET_ACCESS_KEY", "s", "****");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://u:p@h:5432/db", "postgresql://u:****@h:5432/db");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://u:p@ss@h:5432/db", "postgresql://****");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://u:p@ss/w@h/db", "postgresql://****");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://u@b:p@h/db", "postgresql://****");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://u:p/w@h/db?user=a@b", "postgresql://****");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://u:p?w@h/db", "postgresql://****");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://u:1?w@h/db", "postgresql://****");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://[::1]:5/db?user=a@b", "postgresql://[::1]:5/db?user=a@b");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://h:1,g:2/db?user=a@b", "postgresql://h:1,g:2/db?user=a@b");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://u:p@h/db?user=a@b", "postgresql://u:****@h/db?user=a@b");
  assert_shown ("SCOREVISION_DATABASE", "postgresql:///db?user=u&password=p&x=1", "postgresql:///db?user=u&password=****&x=1");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://u@h/db", "postgresql://u@h/db");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://u:p/s?#s@h/db", "postgresql://****");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://h:5432/db", "postgresql://h:5432/db");
  assert_shown ("SCOREVISION_DATABASE", "postgresql://?host=h password=p dbname=d",
                "postgresql://?host=h password=**** dbname=d");
  assert_shown ("SCOREVISION_API", "http://127.0.0.1:8080/a:b@c", "http://127.0.0.1:8080/a:b@c");
  assert_shown ("R2_PUBLIC_URL", "https://a:p@x/1,https://b:q@y,https://z", "https://a:****@x/1,https://b:****@y,https://z");
  assert_shown ("BITTENSOR_SUBTENSOR_ENDPOINT", "wss://n/rpc?net=f&ApiKey=k&x-token=t#f",
                "wss://n/rpc?net=f&ApiKey=****&x-token=****");
  assert_shown ("SCOREVISION_EVALUATOR", "score --model=large", "score --model=large");
}

static void
test_nearest_word (void)
{
  static const char *const words[] = { "publish", "validate", "list", "show", NULL };
  g_assert_cmpstr (sv_nearest_word ("publsh", words), ==, "publish");
  g_assert_cmpstr (sv_nearest_word ("pubilsh", words), ==, "publish");
  g_assert_cmpstr (sv_nearest_word ("SHOW", words), ==, "show");
  g_assert_cmpstr (sv_nearest_word ("lst", words), ==, "list");
  g_assert_null (sv_nearest_word ("frobnicate", words));
  g_assert_null (sv_nearest_word ("", words));
  g_autofree char *long_word = g_strnfill (10000, 'a');
  g_assert_null (sv_nearest_word (long_word, words));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  directory = g_dir_make_tmp ("sv-config-XXXXXX", NULL);
  path = g_build_filename (directory, "sv.conf", NULL);
  g_setenv ("HOME", directory, TRUE);
  clear_environment ();
  g_unsetenv ("SCOREVISION_SHARED");
  g_test_add_func ("/config/defaults", test_defaults);
  g_test_add_func ("/config/table-agrees-with-defaults", test_table_agrees_with_defaults);
  g_test_add_func ("/config/secrets-have-no-flag", test_secrets_have_no_flag);
  g_test_add_func ("/config/engines-follow-home", test_engines_follow_home);
  g_test_add_func ("/config/home-is-expanded", test_home_is_expanded);
  g_test_add_func ("/config/results-store-follows-file-stores-only", test_results_store_follows_file_stores_only);
  g_test_add_func ("/config/bucket-alone-is-the-store", test_bucket_alone_is_the_store);
  g_test_add_func ("/config/either-name-of-the-public-url", test_either_name_of_the_public_url);
  g_test_add_func ("/config/api-follows-listen", test_api_follows_listen);
  g_test_add_func ("/config/flag-over-environment-over-file", test_flag_over_environment_over_file);
  g_test_add_func ("/config/loading-again", test_loading_again);
  g_test_add_func ("/config/loading-again-without-the-file", test_loading_again_without_the_file);
  g_test_add_func ("/config/empty-value-is-none", test_empty_value_is_none);
  g_test_add_func ("/config/grammar-of-the-file", test_grammar_of_the_file);
  g_test_add_func ("/config/mistakes-in-the-file", test_mistakes_in_the_file);
  g_test_add_func ("/config/file-that-is-not-there", test_file_that_is_not_there);
  g_test_add_func ("/config/file-that-is-too-big", test_file_that_is_too_big);
  g_test_add_func ("/config/unknown-environment-variable", test_unknown_environment_variable);
  g_test_add_func ("/config/other-programs-variables", test_other_programs_variables_do_not_matter);
  g_test_add_func ("/config/environment-must-be-text", test_environment_must_be_text);
  g_test_add_func ("/config/integers", test_integers);
  g_test_add_func ("/config/booleans", test_booleans);
  g_test_add_func ("/config/lists", test_lists);
  g_test_add_func ("/config/all-faults-at-once", test_all_faults_at_once);
  g_test_add_func ("/config/secrets-are-masked", test_secrets_are_masked);
  g_test_add_func ("/config/nearest-word", test_nearest_word);
  int status = g_test_run ();
  g_unlink (path);
  g_rmdir (directory);
  g_free (path);
  g_free (directory);
  return status;
}
