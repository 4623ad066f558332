/* The issue log in the store:
 *  - the end of an empty log, of one with files, of a closed one
 *  - more records than a line has become lines of one file, which follow on each other
 *  - two publishers: who comes second is told, and finds the end; nothing overlaps, nothing is written twice
 *  - a signpost without its file: the file is written, of records and of the closing line
 *  - a state that lacks the last public record, or has another, is refused; so is a closed log of a window that is not over
 *  - publishing rests less the longer records have waited
 *  - the fence: another state gives no id that is public, whoever published it, and nothing of a window whose log is closed;
 *    a signpost that leads to the end of all ids, or one that cannot be read, lets nothing through
 */
#include "api/issue_files.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/rfc3339.h"
#include "protocol/object_keys.h"

#include "scratch.h"

#define ACCOUNT "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define MINER "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
#define WINDOW "2025-10-23"

static const SvChainId chain = { .genesis = "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03",
                                 .netuid = 44 };

typedef struct
{
  char *folder;
  SvConfig *config;
  SvKeypair *keypair;
  SvIssueFiles files;
  guint n_issued; /* nonces */
} Fixture;

static SvState *
open_state (Fixture *f, const char *leaf)
{
  GError *error = NULL;
  g_autofree char *url = g_strdup_printf ("sqlite:%s/%s", f->folder, leaf);
  sv_config_set (f->config, "SCOREVISION_DATABASE", url);
  SvState *state = sv_state_open (f->config, &error);
  g_assert_no_error (error);
  return state;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  static const guint8 seed[32] = { 7 };
  GError *error = NULL;
  f->folder = scratch_new ();
  f->config = sv_config_new ();
  f->keypair = sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
  g_autofree char *url = g_strdup_printf ("file:%s/store", f->folder);
  f->files = (SvIssueFiles){ .state = open_state (f, "state"), .keypair = f->keypair, .chain = &chain };
  f->files.store = sv_object_store_open (url, f->config, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  sv_state_free (f->files.state);
  sv_object_store_free (f->files.store);
  sv_keypair_free (f->keypair);
  sv_config_free (f->config);
  scratch_remove (f->folder);
}

static SvAdmissionOutcome
try_to_issue (Fixture *f, SvState *state, const char *window_id)
{
  static const SvAdmissionRules wide = { .limit = 1000000, .window_ms = 60000, .remember_ms = 120000 };
  GError *error = NULL;
  g_autofree char *nonce = g_strdup_printf ("17611776%011u", f->n_issued);
  g_autofree char *clip = g_strdup_printf ("sha256:%064u", f->n_issued++ / 3 % 4);
  SvIssueRecord record = { .asker = (char *)ACCOUNT,
                           .miner = (char *)(f->n_issued % 3 == 0 ? ACCOUNT : MINER),
                           .window_id = (char *)window_id,
                           .manifest_hash = (char *)"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                           .element_id = (char *)"E@1",
                           .clip_hash = clip,
                           .nonce = nonce };
  SvAdmission admission = { .asker = ACCOUNT, .nonce = nonce, .client_id = "", .now_ms = 1000, .record = &record };
  gboolean done = sv_state_admit (state, &wide, &admission, 1, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  return admission.outcome;
}

static void
issue (Fixture *f, SvState *state, guint n, const char *window_id)
{
  for (guint i = 0; i < n; i++)
    g_assert_cmpint (try_to_issue (f, state, window_id), ==, SV_ADMITTED);
}

static GPtrArray *
records_of (const SvIssueFiles *files, guint64 first)
{
  GError *error = NULL;
  GPtrArray *records = sv_issue_files_records (files, WINDOW, first, SV_ISSUED_END, SV_ISSUED_FILE_MAX_RECORDS, &error);
  g_assert_no_error (error);
  return records;
}

static guint64
find_end (const SvIssueFiles *files, const GPtrArray *keys)
{
  GError *error = NULL;
  guint64 next = 0;
  gboolean done = sv_issue_files_find_end (files, WINDOW, keys, &next, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  return next;
}

static void
assert_refused (const SvIssueFiles *files, const GPtrArray *keys, const char *part)
{
  guint64 next;
  g_autoptr (GError) error = NULL;
  g_assert_false (sv_issue_files_find_end (files, WINDOW, keys, &next, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_VERIFY);
  g_assert_nonnull (strstr (error->message, part));
}

static void
add (const SvIssueFiles *files, guint64 first)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) records = records_of (files, first);
  gboolean done = sv_issue_files_add (files, WINDOW, first, records, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

/* Lines and records of a file; its lines follow on each other, and its records, which come and go with several texts, are the
 * state's. */
static guint
count_records (const Fixture *f, guint64 first, guint64 last, guint *n_lines)
{
  gsize offset = 0;
  guint n = 0;
  SvGetOptions options = { .max_size = SV_ISSUED_FILE_MAX_SIZE };
  g_autofree char *key = sv_issued_key (WINDOW, first, last);
  g_autoptr (SvObject) object = sv_object_store_get (f->files.store, key, &options, NULL, NULL);
  g_assert_nonnull (object);
  for (GBytes *text; (text = sv_issued_next_line (object->bytes, &offset, NULL)) != NULL; (*n_lines)++)
  {
    GError *error = NULL;
    g_autoptr (SvIssuedLine) line = sv_issued_open (text, &chain, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (line->first, ==, first);
    g_autoptr (GPtrArray) ours = records_of (&f->files, first);
    for (guint i = 0; i < line->records->len; i++)
      g_assert_true (sv_issue_record_equal (line->records->pdata[i], ours->pdata[i]));
    first = line->last + 1;
    n += line->records->len;
    g_bytes_unref (text);
  }
  g_assert_cmpuint (first, ==, last + 1);
  return n;
}

static void
remove_object (Fixture *f, char *key)
{
  g_assert_true (sv_object_store_delete (f->files.store, key, NULL));
  g_free (key);
}

static void
test_files (Fixture *f, gconstpointer data)
{
  guint n_lines = 0;
  g_assert_cmpuint (find_end (&f->files, NULL), ==, 1);
  issue (f, f->files.state, 3, "another");
  issue (f, f->files.state, SV_ISSUED_LINE_MAX_RECORDS + 2, WINDOW);
  add (&f->files, 1);
  guint64 last = 3 + SV_ISSUED_LINE_MAX_RECORDS + 2;
  g_assert_cmpuint (count_records (f, 1, last, &n_lines), ==, SV_ISSUED_LINE_MAX_RECORDS + 2);
  g_assert_cmpuint (n_lines, ==, 2);
  g_assert_cmpuint (find_end (&f->files, NULL), ==, last + 1);
  issue (f, f->files.state, 1, WINDOW);
  add (&f->files, last + 1);
  g_assert_cmpuint (find_end (&f->files, NULL), ==, last + 2);
}

static void
test_two_publishers (Fixture *f, gconstpointer data)
{
  guint n_lines = 0;
  g_autoptr (GError) error = NULL;
  issue (f, f->files.state, 2, WINDOW);
  g_autoptr (GPtrArray) late = records_of (&f->files, 1);
  issue (f, f->files.state, 2, WINDOW);
  add (&f->files, 1);
  g_assert_false (sv_issue_files_add (&f->files, WINDOW, 1, late, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
  g_autofree char *overlapping = sv_issued_key (WINDOW, 1, 2);
  g_assert_false (sv_object_store_head (f->files.store, overlapping, NULL, NULL));
  g_assert_cmpuint (find_end (&f->files, NULL), ==, 5);
  g_assert_cmpuint (count_records (f, 1, 4, &n_lines), ==, 4);
}

static void
test_signpost_alone (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  guint n_lines = 0;
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  issue (f, f->files.state, 3, WINDOW);
  add (&f->files, 1);
  issue (f, f->files.state, 1, WINDOW);
  remove_object (f, sv_issued_key (WINDOW, 1, 3));
  g_assert_cmpuint (find_end (&f->files, NULL), ==, 4);
  g_assert_cmpuint (count_records (f, 1, 3, &n_lines), ==, 3);

  add (&f->files, 4);
  gboolean done = sv_issue_files_close (&f->files, WINDOW, 5, 4, keys, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  remove_object (f, sv_issued_key (WINDOW, 5, SV_ISSUED_END));
  g_assert_cmpuint (find_end (&f->files, keys), ==, SV_ISSUED_END + 1);
  g_assert_cmpuint (count_records (f, 5, SV_ISSUED_END, &n_lines), ==, 0);
  g_assert_cmpuint (find_end (&f->files, keys), ==, SV_ISSUED_END + 1);
  assert_refused (&f->files, NULL, "although the window is not over");
}

static void
test_other_state (Fixture *f, gconstpointer data)
{
  issue (f, f->files.state, 2, WINDOW);
  add (&f->files, 1);
  g_autoptr (SvState) older = open_state (f, "older");
  SvIssueFiles files = f->files;
  files.state = older;
  assert_refused (&files, NULL, "SCOREVISION_DATABASE is an older copy");
  issue (f, older, 2, WINDOW); /* the same ids, for others */
  assert_refused (&files, NULL, "SCOREVISION_DATABASE is an older copy");
  remove_object (f, sv_issued_key (WINDOW, 1, 2));
  g_autoptr (SvState) empty = open_state (f, "empty");
  files.state = empty;
  assert_refused (&files, NULL, "SCOREVISION_DATABASE is an older copy");
}

static void
fence (const SvIssueFiles *files)
{
  GError *error = NULL;
  gboolean done = sv_issue_files_fence (files->store, files->state, WINDOW, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

static void
test_fence (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  g_autoptr (SvState) another = open_state (f, "another");
  SvIssueFiles files = { f->files.store, another, f->keypair, &chain };
  fence (&files); /* nothing is public yet */
  issue (f, f->files.state, 3, WINDOW);
  add (&f->files, 1);
  remove_object (f, sv_issued_key (WINDOW, 1, 3)); /* he was killed before he wrote it */
  fence (&files);
  issue (f, another, 1, WINDOW);
  g_autoptr (GPtrArray) records = records_of (&files, 1);
  g_assert_cmpuint (((const SvIssueRecord *)records->pdata[0])->challenge_id, ==, 4);
  assert_refused (&files, NULL, "SCOREVISION_DATABASE is an older copy");

  g_assert_cmpuint (find_end (&f->files, NULL), ==, 4);
  GError *error = NULL;
  gboolean done = sv_issue_files_close (&f->files, WINDOW, 4, 3, keys, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  fence (&files);
  g_assert_cmpint (try_to_issue (f, another, WINDOW), ==, SV_WINDOW_CLOSED);
  g_assert_cmpint (try_to_issue (f, another, "another"), ==, SV_ADMITTED);
}

static void
test_fence_shut (Fixture *f, gconstpointer data)
{
  static const char *const texts[] = { "{\"last\":9007199254740990}", "{\"last\":0}", "<html>" };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
  {
    g_autoptr (GError) error = NULL;
    const SvPutOptions options = { .condition = SV_PUT_ALWAYS };
    g_autoptr (GBytes) bytes = g_bytes_new_static (texts[i], strlen (texts[i]));
    g_autofree char *key = sv_issued_signpost_key (WINDOW, 1);
    g_autofree char *etag = sv_object_store_put (f->files.store, key, bytes, &options, &error);
    g_assert_no_error (error);
    g_assert_nonnull (etag);
    g_assert_false (sv_issue_files_fence (f->files.store, f->files.state, WINDOW, &error));
    g_assert_nonnull (error);
  }
  issue (f, f->files.state, 1, "another"); /* no id was used up */
  GError *error = NULL;
  g_autoptr (GPtrArray) issued = sv_issue_files_records (&f->files, "another", 1, SV_ISSUED_END, 2, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (((const SvIssueRecord *)issued->pdata[0])->challenge_id, ==, 1);
}

static void
test_rest (void)
{
  static const struct
  {
    gint64 waited_us;
    guint rest;
  } cases[] = { { -1000, 20 }, { 0, 20 },   { 1000, 20 }, { 1250, 16 },     { 1500, 11 },
                { 1999, 2 },   { 2000, 1 }, { 5000, 1 },  { G_MAXINT64, 1 } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (sv_issue_files_rest (cases[i].waited_us, 1000), ==, cases[i].rest);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/issue-files/rest", test_rest);
  g_test_add ("/issue-files/files", Fixture, NULL, set_up, test_files, tear_down);
  g_test_add ("/issue-files/two-publishers", Fixture, NULL, set_up, test_two_publishers, tear_down);
  g_test_add ("/issue-files/signpost-alone", Fixture, NULL, set_up, test_signpost_alone, tear_down);
  g_test_add ("/issue-files/other-state", Fixture, NULL, set_up, test_other_state, tear_down);
  g_test_add ("/issue-files/fence", Fixture, NULL, set_up, test_fence, tear_down);
  g_test_add ("/issue-files/fence-shut", Fixture, NULL, set_up, test_fence_shut, tear_down);
  return g_test_run ();
}
