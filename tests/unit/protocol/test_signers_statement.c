/* Statements on signers:
 *  - a signed one opens with its values; the next one follows it, and only it
 *  - each rule of the form is told with its place
 *  - an unknown field is a warning
 *  - another chain, another type, bytes that are not canonical, a signature that is not right, too large: refused
 */
#include "base/error.h"
#include "protocol/signers_statement.h"

#include "sample.h"

static SvSignersStatement *
sign (const SvSignersStatement *last, gboolean is_addition, const char *account, guint64 from_block)
{
  GError *error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  const SvSignerChange change = { (char *)account, from_block };
  SvSignersStatement *statement =
      sv_signers_statement_sign (last, is_addition, &change, &chain, keypair, 1761177600000, &error);
  g_assert_no_error (error);
  return statement;
}

/* The document, to be changed. */
static json_t *
json_of (const SvSignersStatement *statement)
{
  gsize length;
  const void *data = g_bytes_get_data (statement->document->bytes, &length);
  json_t *json = sv_json_parse ("statement", data, length, SV_SIGNERS_MAX_SIZE, NULL);
  g_assert_nonnull (json);
  return json;
}

static void
test_chain_of_two (void)
{
  GError *error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvSignersStatement) first = sign (NULL, TRUE, ALICE, 7);
  g_autoptr (SvSignersStatement) second = sign (first, FALSE, BOB, 9);
  g_autoptr (SvSignersStatement) opened = sv_signers_statement_open (second->document->bytes, &chain, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (opened->number, ==, 2);
  g_assert_cmpstr (opened->previous, ==, first->document->hash);
  g_assert_cmpuint (opened->add->len, ==, 0);
  g_assert_cmpuint (opened->retire->len, ==, 1);
  const SvSignerChange *change = opened->retire->pdata[0];
  g_assert_cmpstr (change->account, ==, BOB);
  g_assert_cmpuint (change->from_block, ==, 9);
  g_assert_true (sv_signers_statement_follows (first, NULL, NULL));
  g_assert_true (sv_signers_statement_follows (opened, first, NULL));
}

static void
assert_does_not_follow (const SvSignersStatement *statement, const SvSignersStatement *last, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (sv_signers_statement_follows (statement, last, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_VERIFY);
  g_assert_nonnull (strstr (error->message, part));
}

static void
test_does_not_follow (void)
{
  g_autoptr (SvSignersStatement) first = sign (NULL, TRUE, ALICE, 7);
  g_autoptr (SvSignersStatement) other = sign (NULL, TRUE, BOB, 7);
  g_autoptr (SvSignersStatement) second = sign (first, FALSE, BOB, 9);
  assert_does_not_follow (second, other, "/previous");
  assert_does_not_follow (second, NULL, "/n: is 2 where 1 belongs");
  assert_does_not_follow (first, first, "/n: is 1 where 2 belongs");
  assert_does_not_follow (second, second, "/n: is 2 where 3 belongs");
}

static void
test_rules (void)
{
  static const struct
  {
    const char *pointer, *value, *at, *part;
  } cases[] = {
    { "/n", "0", "/n", "first statement" },
    { "/n", "1.5", "/n", "integer" },
    { "/n", "9007199254740992", "/n", "" },
    { "/n", "1", "/previous", "must be null" },
    { "/previous", "null", "/previous", "" },
    { "/previous", "\"sha256:12\"", "/previous", "" },
    { "/previous", "\"" HEX_A "\"", "/previous", "" },
    { "/add", "{}", "/add", "" },
    { "/add", NULL, "/add", "" },
    { "/retire", NULL, "/retire", "" },
    { "/add/0", "7", "/add/0", "" },
    { "/add/0/account", "\"5F\"", "/add/0/account", "not an account" },
    { "/add/0/account", NULL, "/add/0/account", "" },
    { "/add/0/from_block", "-1", "/add/0/from_block", "" },
    { "/add/0/from_block", NULL, "/add/0/from_block", "" },
    { "/retire/0/account", "\"" ALICE "\"", "/retire/0/account", "twice" },
    { "/type", "\"index\"", "/type", "" },
    { "/signature", "\"no\"", "/signature", "" },
  };
  g_autoptr (SvSignersStatement) first = sign (NULL, TRUE, ALICE, 7);
  g_autoptr (SvSignersStatement) second = sign (first, TRUE, ALICE, 7);
  g_autoptr (json_t) right = json_of (second);
  sample_set (right, "/retire/0", "{\"account\":\"ss58:" BOB "\",\"from_block\":5}");
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (json_t) json = json_deep_copy (right);
    g_autoptr (SvFaults) faults = sv_faults_new ();
    sample_set (json, cases[i].pointer, cases[i].value);
    sv_signers_statement_check (json, faults);
    sample_assert_fault (faults, cases[i].at, cases[i].part);
  }
}

static void
test_says_nothing (void)
{
  g_autoptr (SvSignersStatement) statement = sign (NULL, TRUE, ALICE, 7);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_autoptr (json_t) json = json_of (statement);
  sample_set (json, "/add", "[]");
  sv_signers_statement_check (json, faults);
  sample_assert_fault (faults, "", "adds and retires nobody");
}

static void
test_unknown_fields (void)
{
  g_autoptr (SvSignersStatement) statement = sign (NULL, TRUE, ALICE, 7);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_autoptr (json_t) json = json_of (statement);
  sample_set (json, "/note", "\"new machine\"");
  sample_set (json, "/add/0/why", "\"new machine\"");
  sv_signers_statement_check (json, faults);
  g_assert_cmpuint (faults->n_errors, ==, 0);
  g_assert_cmpuint (faults->n_warnings, ==, 2);
}

static void
assert_refused (GBytes *bytes, SvErrorCode code, const char *part)
{
  g_autoptr (GError) error = NULL;
  const SvChainId chain = sample_chain ();
  g_assert_null (sv_signers_statement_open (bytes, &chain, &error));
  g_assert_error (error, SV_ERROR, (gint)code);
  g_assert_nonnull (strstr (error->message, part));
}

/* Canonical, with the old signature. */
static GBytes *
changed_bytes (const SvSignersStatement *statement, const char *pointer, const char *value)
{
  g_autoptr (json_t) json = json_of (statement);
  sample_set (json, pointer, value);
  GBytes *bytes = sv_json_canonical (json, NULL);
  g_assert_nonnull (bytes);
  return bytes;
}

static void
test_wrong_documents (void)
{
  g_autoptr (SvSignersStatement) statement = sign (NULL, TRUE, ALICE, 7);
  g_autoptr (GBytes) later = changed_bytes (statement, "/add/0/from_block", "8");
  assert_refused (later, SV_ERROR_VERIFY, "/signature");
  g_autoptr (GBytes) netuid = changed_bytes (statement, "/chain/netuid", "45");
  assert_refused (netuid, SV_ERROR_VERIFY, "/chain");
  g_autoptr (GBytes) type = changed_bytes (statement, "/type", "\"manifest\"");
  assert_refused (type, SV_ERROR_MALFORMED, "/type");
  g_autoptr (GString) spaced = g_string_new_len (g_bytes_get_data (statement->document->bytes, NULL),
                                                 (gssize)g_bytes_get_size (statement->document->bytes));
  g_string_append_c (spaced, '\n');
  g_autoptr (GBytes) not_canonical = g_bytes_new (spaced->str, spaced->len);
  assert_refused (not_canonical, SV_ERROR_MALFORMED, "canonical");
  g_autofree char *long_note = g_strnfill (SV_SIGNERS_MAX_SIZE, 'x');
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", long_note);
  g_autoptr (GBytes) large = changed_bytes (statement, "/note", quoted);
  assert_refused (large, SV_ERROR_MALFORMED, "larger than the limit");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signers_statement/opens what was signed", test_chain_of_two);
  g_test_add_func ("/signers_statement/knows what follows", test_does_not_follow);
  g_test_add_func ("/signers_statement/tells each broken rule in its place", test_rules);
  g_test_add_func ("/signers_statement/refuses one that says nothing", test_says_nothing);
  g_test_add_func ("/signers_statement/warns of unknown fields", test_unknown_fields);
  g_test_add_func ("/signers_statement/refuses wrong documents", test_wrong_documents);
  return g_test_run ();
}
