/* Drives the built sv. Cases of `sv key`: new keys are shown and never overwritten; schemes; show never tells the secret;
 * seeds, phrases and private keys come from files and standard input only; encrypted files; signatures over bytes and over
 * canonical JSON; exit statuses. Cases of `sv config show`: values, origins, masked secrets, unknown names. Cases of --json: it
 * holds also for what goes wrong before the command is run. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

#define SEED_DIGITS "abf8e5bdbe30c65656c0a3cbd181ff8a56294a69dfedd27982aace4a76909115"
#define SEED "0x" SEED_DIGITS
#define PHRASE_START "bottom drive obey"
#define PHRASE PHRASE_START " lake curtain smoke basket hold race lonely fit walk"
#define SR_ADDRESS "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY" /* sr25519, PHRASE//Alice */
#define ADDRESS "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu"

static char *directory;

typedef struct
{
  int status;
  char *out;
  char *err;
} Result;

static void
result_clear (Result *result)
{
  g_free (result->out);
  g_free (result->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Result, result_clear)

/* Runs `sv` with the words of @arguments and @input on standard input, in an environment that holds @setting only. */
static Result
sv_with (const char *setting, const char *input, const char *arguments)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree char *home = g_strconcat ("HOME=", directory, NULL);
  char *environment[] = { home, (char *)"PATH=/usr/bin:/bin", (char *)setting, NULL };
  g_autofree char *line = g_strconcat ("sv ", arguments, NULL);
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) error = NULL;
  Result result = { 0 };

  g_assert_true (g_shell_parse_argv (line, NULL, &argv, NULL));
  g_free (argv[0]);
  argv[0] = g_strdup (g_getenv ("SV"));
  g_subprocess_launcher_set_environ (launcher, environment);
  g_subprocess_launcher_set_cwd (launcher, directory);
  g_autoptr (GSubprocess) process = g_subprocess_launcher_spawnv (launcher, (const char *const *)argv, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_communicate_utf8 (process, input, NULL, &result.out, &result.err, &error));
  g_assert_true (g_subprocess_get_if_exited (process));
  result.status = g_subprocess_get_exit_status (process);
  return result;
}

static Result
sv (const char *arguments)
{
  return sv_with (NULL, "", arguments);
}

static void
assert_fails (const char *input, const char *arguments, int status, const char *message)
{
  g_auto (Result) result = sv_with (NULL, input, arguments);
  g_test_message ("sv %s", arguments);
  g_assert_cmpint (result.status, ==, status);
  g_assert_cmpstr (result.out, ==, "");
  if (strstr (result.err, message) == NULL)
    g_error ("expected \"%s\" in \"%s\"", message, result.err);
  g_assert_null (strstr (result.err, SEED_DIGITS));
  g_assert_null (strstr (result.err, PHRASE_START));
}

static char *
path_of (const char *name)
{
  return g_build_filename (directory, name, NULL);
}

static void
write_file (const char *name, const char *content, int mode)
{
  g_autofree char *path = path_of (name);
  g_assert_true (g_file_set_contents_full (path, content, -1, G_FILE_SET_CONTENTS_CONSISTENT, mode, NULL));
  g_assert_cmpint (g_chmod (path, mode), ==, 0);
}

static char *
read_file (const char *name)
{
  g_autofree char *path = path_of (name);
  char *content = NULL;
  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  return content;
}

static json_t *
parse (const char *text)
{
  json_t *json = json_loads (text, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (json);
  return json;
}

/* The string in @key of the JSON that `sv` prints. Returns: (transfer full). */
static char *
string_of (const char *arguments, const char *key)
{
  g_auto (Result) result = sv (arguments);
  g_assert_cmpint (result.status, ==, 0);
  json_t *json = parse (result.out);
  char *value = g_strdup (json_string_value (json_object_get (json, key)));
  json_decref (json);
  return value;
}

static void
test_new_key_is_shown_and_kept (void)
{
  g_auto (Result) made = sv ("key new --hotkey new");
  g_autofree char *content = read_file (".bittensor/wallets/default/hotkeys/new");
  g_autofree char *account = string_of ("key show --hotkey new --json", "account");
  g_assert_cmpint (made.status, ==, 0);
  g_assert_nonnull (strstr (made.out, account));
  g_assert_nonnull (strstr (made.out, "/.bittensor/wallets/default/hotkeys/new\n"));
  g_assert_nonnull (strstr (made.out, "sv miner elements"));

  assert_fails ("", "key new --hotkey new", 6, "no key is ever overwritten");
  g_autofree char *after = read_file (".bittensor/wallets/default/hotkeys/new");
  g_assert_cmpstr (after, ==, content);
}

static void
test_new_key_goes_where_the_settings_say (void)
{
  g_autofree char *path = string_of ("key new --wallet-path w --wallet cold --hotkey hot --json", "path");
  g_autofree char *content = read_file ("w/cold/hotkeys/hot");
  g_assert_cmpstr (path, ==, "w/cold/hotkeys/hot");
  g_assert_true (g_str_has_prefix (content, "{\"accountId\""));
}

static void
test_schemes_of_new_keys (void)
{
  g_auto (Result) result = sv ("key new --hotkey scheme --scheme ed25519");
  g_assert_cmpint (result.status, ==, 0);
  g_autofree char *made = string_of ("key new --hotkey sr --scheme sr25519 --json", "scheme");
  g_autofree char *shown = string_of ("key show --hotkey sr --json", "scheme");
  g_autofree char *usual = string_of ("key show --hotkey scheme --json", "scheme");
  g_assert_cmpstr (made, ==, "sr25519");
  g_assert_cmpstr (shown, ==, "sr25519");
  g_assert_cmpstr (usual, ==, "ed25519");
  assert_fails ("", "key new --hotkey s --scheme rsa", 2, "--scheme is ed25519 or sr25519");
  assert_fails ("", "key new --hotkey ../s", 2, "may not be a path");
  assert_fails ("", "key new s", 2, "too many arguments");
}

static void
test_show_never_tells_the_secret (void)
{
  g_auto (Result) imported = sv_with (NULL, SEED "\n", "key import - --hotkey shown");
  g_auto (Result) text = sv ("key show --hotkey shown");
  g_auto (Result) json = sv ("key show --hotkey shown --json");
  g_assert_cmpint (imported.status, ==, 0);
  g_assert_nonnull (strstr (text.out, ADDRESS));
  g_assert_null (strstr (imported.out, SEED_DIGITS));
  g_assert_null (strstr (text.out, SEED_DIGITS));
  g_assert_null (strstr (json.out, SEED_DIGITS));
  assert_fails ("", "key show --hotkey absent", 4, "sv key new --wallet default --hotkey absent");
  assert_fails ("", "key show --wallet defualt --hotkey shown", 4, "choose one that is there with --wallet (default)");
}

static void
test_seeds_come_from_files (void)
{
  write_file ("seed", SEED "\n", 0600);
  g_autofree char *account = string_of ("key import seed --hotkey from-file --json", "account");
  g_assert_cmpstr (account, ==, ADDRESS);
  assert_fails ("", "key import seed --hotkey from-file", 6, "no key is ever overwritten");
  write_file ("seed", SEED "\n", 0644);
  assert_fails ("", "key import seed --hotkey open", 6, "chmod 600");
  assert_fails ("", "key import absent --hotkey absent", 4, "absent");
  assert_fails (SEED "00", "key import - --hotkey absent", 3, "not a seed");
  assert_fails ("", "key import", 2, "an argument is missing");
}

/* The account of the secret on standard input. Returns: (transfer full). */
static char *
import_of (const char *secret, const char *arguments)
{
  g_autofree char *line = g_strconcat ("key import - --json ", arguments, NULL);
  g_auto (Result) result = sv_with (NULL, secret, line);
  g_assert_cmpint (result.status, ==, 0);
  g_assert_null (strstr (result.out, "bottom"));
  json_t *json = parse (result.out);
  char *account = g_strdup (json_string_value (json_object_get (json, "account")));
  json_decref (json);
  return account;
}

static void
test_phrases (void)
{
  g_autofree char *usual = import_of (PHRASE "//Alice\n", "--hotkey phrase --account ss58:" SR_ADDRESS);
  g_autofree char *ed25519 = import_of (PHRASE "//Alice\n", "--hotkey phrase-ed25519 --scheme ed25519");
  g_assert_cmpstr (usual, ==, SR_ADDRESS);
  g_assert_cmpstr (ed25519, ==, ADDRESS);
  assert_fails (PHRASE, "key import - --hotkey p --account " SR_ADDRESS, 3, "does not give the account " SR_ADDRESS);
  assert_fails (PHRASE_START " lakes curtain smoke basket hold race lonely fit walk", "key import - --hotkey p", 3,
                "standard input: word 4 of the phrase");
  assert_fails (PHRASE "/Alice", "key import - --hotkey p --scheme ed25519", 6, "step 1 of the derivation path is soft");
  assert_fails ("", "key import - --hotkey p --account 5F", 2, "--account is not an SS58 address");
  assert_fails ("", "key import - --hotkey p --scheme rsa", 2, "--scheme is ed25519 or sr25519");
}

static void
test_encrypted_files (void)
{
  static const char variable[] = "BT_PW_W_DEFAULT_HOTKEYS_BOX", passphrase[] = "correct horse";
  char masked[sizeof passphrase] = "";
  for (gsize i = 0; i < strlen (passphrase); i++)
    masked[i] = passphrase[i] ^ variable[i];
  g_autofree char *value = g_base64_encode ((guint8 *)masked, strlen (passphrase));
  g_autofree char *setting = g_strconcat (variable, "=", value, NULL);
  g_auto (Result) made = sv_with (setting, "", "key new --scheme sr25519 --encrypt --wallet-path w --hotkey box --json");
  g_autofree char *content = read_file ("w/default/hotkeys/box");
  g_assert_cmpint (made.status, ==, 0);
  g_assert_true (g_str_has_prefix (content, "$NACL"));
  g_auto (Result) shown = sv_with (setting, "", "key show --wallet-path w --hotkey box --json");
  g_assert_cmpstr (shown.out, ==, made.out);
}

static void
test_seed_as_argument_is_refused_and_not_repeated (void)
{
  assert_fails ("", "key import " SEED "//path --hotkey argument", 2, "does not belong on a command line");
  assert_fails ("", "key import " SEED_DIGITS " --hotkey argument", 2, "does not belong on a command line");
  assert_fails ("", "key import " PHRASE, 2, "does not belong on a command line");
  assert_fails ("", "key import '" PHRASE "//Alice'", 2, "does not belong on a command line");
  assert_fails ("", "key import " SEED " --hotkey argument", 2, "does not belong on a command line");
}

static void
test_signature_over_bytes (void)
{
  g_auto (Result) made = sv_with (NULL, SEED, "key import - --hotkey signer");
  g_assert_cmpint (made.status, ==, 0);
  write_file ("message", "any\nbytes", 0644);
  g_auto (Result) of_file = sv ("key sign message --hotkey signer");
  g_auto (Result) of_input = sv_with (NULL, "any\nbytes", "key sign - --hotkey signer");
  g_assert_cmpint (of_file.status, ==, 0);
  g_assert_cmpstr (of_file.out, ==, of_input.out);

  g_strchomp (of_file.out);
  g_autofree char *verify = g_strconcat ("key verify --account " ADDRESS " --signature ", of_file.out, " ", NULL);
  g_autofree char *right = g_strconcat (verify, "message", NULL);
  g_autofree char *from_input = g_strconcat (verify, "-", NULL);
  g_auto (Result) valid = sv (right);
  g_assert_cmpint (valid.status, ==, 0);
  g_assert_cmpstr (valid.out, ==, "valid: signed by " ADDRESS "\n");
  assert_fails ("other bytes", from_input, 3, "not " ADDRESS "'s over this content");
}

static void
test_signature_of_an_sr25519_key (void)
{
  g_autofree char *account = import_of (PHRASE "//Alice", "--hotkey sr-signer");
  g_auto (Result) signature = sv_with (NULL, "message", "key sign - --hotkey sr-signer");
  g_assert_cmpint (signature.status, ==, 0);
  g_assert_true (g_str_has_prefix (signature.out, "sr25519:"));
  g_strchomp (signature.out);
  g_autofree char *verify = g_strconcat ("key verify --account ", account, " --json --signature ", signature.out, " -", NULL);
  g_autofree char *by_another = g_strconcat ("key verify --account " ADDRESS " --signature ", signature.out, " -", NULL);
  g_auto (Result) valid = sv_with (NULL, "message", verify);
  json_t *json = parse (valid.out);
  g_assert_cmpint (valid.status, ==, 0);
  g_assert_cmpstr (json_string_value (json_object_get (json, "scheme")), ==, "sr25519");
  json_decref (json);
  assert_fails ("message", by_another, 3, "not " ADDRESS "'s over this content");
}

static void
test_signature_over_canonical_json (void)
{
  g_auto (Result) made = sv_with (NULL, SEED, "key import - --hotkey json");
  g_assert_cmpint (made.status, ==, 0);
  g_auto (Result) spread = sv_with (NULL, "{ \"b\": 1.0, \"a\": 2 }\n", "key sign --canonical-json - --hotkey json");
  g_auto (Result) canonical = sv_with (NULL, "{\"a\":2,\"b\":1}", "key sign - --hotkey json");
  g_assert_cmpint (spread.status, ==, 0);
  g_assert_cmpstr (spread.out, ==, canonical.out);
  assert_fails ("{\"a\":1,\"a\":1}", "key sign --canonical-json - --hotkey json", 3, "standard input:1:");

  g_strchomp (spread.out);
  g_autofree char *verify =
      g_strconcat ("key verify --canonical-json --json - --account ss58:" ADDRESS " --signature ", spread.out, NULL);
  g_auto (Result) valid = sv_with (NULL, "{\"b\":1,\n\"a\":2}", verify);
  g_assert_cmpint (valid.status, ==, 0);
  json_t *json = parse (valid.out);
  g_assert_true (json_is_true (json_object_get (json, "valid")));
  json_decref (json);
}

static void
test_wrong_use_of_verify (void)
{
  g_autofree char *zeros = g_strnfill (128, '0');
  g_autofree char *no_account = g_strconcat ("key verify --signature ", zeros, " -", NULL);
  g_autofree char *bad_account = g_strconcat ("key verify --account 5F --signature ", zeros, " -", NULL);
  g_autofree char *absent = g_strconcat ("key verify --account " ADDRESS " --signature ", zeros, " absent", NULL);
  zeros[126] = '8';
  g_autofree char *sr25519 = g_strconcat ("key verify --account " ADDRESS " --signature ", zeros, " -", NULL);
  assert_fails ("", no_account, 2, "--account and --signature are needed");
  assert_fails ("", bad_account, 2, "--account is not an SS58 address");
  assert_fails ("", "key verify --account " ADDRESS " --signature 00 -", 2, "--signature is not 64 bytes");
  assert_fails ("", absent, 4, "absent");
  assert_fails ("", sr25519, 3, "not " ADDRESS "'s over this content");
}

/* (transfer none) the setting of that name in the output of `sv config show --json`. */
static const json_t *
setting_of (const json_t *shown, const char *name)
{
  const json_t *settings = json_object_get (shown, "settings");
  for (gsize i = 0; i < json_array_size (settings); i++)
    if (strcmp (json_string_value (json_object_get (json_array_get (settings, i), "name")), name) == 0)
      return json_array_get (settings, i);
  return NULL;
}

static void
assert_setting (const json_t *shown, const char *name, const char *value, const char *origin)
{
  const json_t *setting = setting_of (shown, name);
  g_assert_cmpstr (json_string_value (json_object_get (setting, "value")), ==, value);
  g_assert_cmpstr (json_string_value (json_object_get (setting, "origin")), ==, origin);
}

static void
test_config_shows_values_and_origins (void)
{
  g_auto (Result) result = sv_with ("CHUTES_API_KEY=cpk_secret", "", "config show --json --netuid 7");
  g_assert_cmpint (result.status, ==, 0);
  json_t *shown = parse (result.out);
  assert_setting (shown, "SCOREVISION_NETUID", "7", "flag");
  assert_setting (shown, "CHUTES_API_KEY", "****", "environment");
  assert_setting (shown, "SCOREVISION_HOME", "~/.score", "default");
  assert_setting (shown, "SCOREVISION_VALIDATORS", NULL, "unset");
  json_decref (shown);

  g_auto (Result) table = sv_with ("CHUTES_API_KEY=cpk_secret", "", "config show");
  g_assert_cmpint (table.status, ==, 0);
  g_assert_nonnull (strstr (table.out, "****"));
  g_assert_null (strstr (table.out, "cpk_secret"));
}

static void
test_config_names_unknown_settings (void)
{
  g_auto (Result) result = sv_with ("SCOREVISION_NETUIT=7", "", "config show");
  g_assert_cmpint (result.status, ==, 2);
  g_assert_nonnull (strstr (result.err, "did you mean SCOREVISION_NETUID?"));
}

/* Expects status 2 and one document on standard output that says so. */
static void
assert_json_of_wrong_usage (const char *setting, const char *arguments, const char *message)
{
  g_auto (Result) result = sv_with (setting, "", arguments);
  json_t *document = json_loads (result.out, 0, NULL);
  const json_t *error = json_object_get (document, "error");
  g_assert_cmpint (result.status, ==, 2);
  g_assert_cmpfloat (json_number_value (json_object_get (error, "exit_status")), ==, 2);
  g_assert_nonnull (strstr (json_string_value (json_object_get (error, "message")), message));
  g_assert_nonnull (strstr (result.err, message));
  json_decref (document);
}

static void
test_json_of_wrong_usage (void)
{
  assert_json_of_wrong_usage (NULL, "key show --no-such-option --json", "--no-such-option");
  assert_json_of_wrong_usage (NULL, "key sho --json", "did you mean `sv key show`?");
  assert_json_of_wrong_usage (NULL, "kee show --json", "did you mean `sv key`?");
  assert_json_of_wrong_usage ("SCOREVISION_NETUIT=7", "config show --json", "SCOREVISION_NETUID");
}

/* Removes what the tests made. */
static void
remove_tree (const char *path)
{
  g_autoptr (GDir) entries = g_dir_open (path, 0, NULL);
  const char *name;
  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL)
  {
    g_autofree char *entry = g_build_filename (path, name, NULL);
    remove_tree (entry);
  }
  g_remove (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  directory = g_dir_make_tmp ("sv-key-XXXXXX", NULL);
  g_test_add_func ("/key/new-key-is-shown-and-kept", test_new_key_is_shown_and_kept);
  g_test_add_func ("/key/new-key-goes-where-the-settings-say", test_new_key_goes_where_the_settings_say);
  g_test_add_func ("/key/schemes-of-new-keys", test_schemes_of_new_keys);
  g_test_add_func ("/key/show-never-tells-the-secret", test_show_never_tells_the_secret);
  g_test_add_func ("/key/seeds-come-from-files", test_seeds_come_from_files);
  g_test_add_func ("/key/phrases", test_phrases);
  g_test_add_func ("/key/encrypted-files", test_encrypted_files);
  g_test_add_func ("/key/seed-as-argument-is-refused", test_seed_as_argument_is_refused_and_not_repeated);
  g_test_add_func ("/key/signature-over-bytes", test_signature_over_bytes);
  g_test_add_func ("/key/signature-of-an-sr25519-key", test_signature_of_an_sr25519_key);
  g_test_add_func ("/key/signature-over-canonical-json", test_signature_over_canonical_json);
  g_test_add_func ("/key/wrong-use-of-verify", test_wrong_use_of_verify);
  g_test_add_func ("/config/shows-values-and-origins", test_config_shows_values_and_origins);
  g_test_add_func ("/config/names-unknown-settings", test_config_names_unknown_settings);
  g_test_add_func ("/json/of-wrong-usage", test_json_of_wrong_usage);
  int status = g_test_run ();
  remove_tree (directory);
  g_free (directory);
  return status;
}
