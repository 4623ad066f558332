/* Issue logs in the check and the copying of stores:
 *  - logs of a live and of an archived window are sound, and are copied; the same again copies nothing
 *  - from a public address, which cannot be listed
 *  - a line of a stranger, of another range, cut short: told, and neither it nor what follows is copied
 *  - a file that is missing; a signpost that is missing
 *  - a window that nobody knows
 *  - what the target has differently stays, and is told
 */
#include "base/error.h"
#include "base/hash.h"
#include "protocol/issued.h"
#include "store_lab.h"

/* The account that the lab's manifests name as their issuer. */
static SvKeypair *
issuer (void)
{
  guint8 seed[32];
  gboolean ok = sv_hex_decode ("e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a", FALSE, seed, sizeof seed);
  g_assert_true (ok);
  return sv_keypair_from_seed (seed, SV_SCHEME_SR25519);
}

static void
add_record (SvIssuedLine *line, guint64 id)
{
  static const char hash[] = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  SvIssueRecord *record = g_new0 (SvIssueRecord, 1);
  record->challenge_id = id;
  record->asker = g_strdup ("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
  record->miner = g_strdup (record->asker);
  record->window_id = g_strdup (line->window_id);
  record->manifest_hash = g_strdup (hash);
  record->element_id = g_strdup ("Serve@1");
  record->clip_hash = g_strdup (hash);
  record->nonce = g_strdup ("1761177600000000000");
  g_ptr_array_add (line->records, record);
}

/* A file of one line, with a record under its last id unless it closes the log. */
static void
write_file (Lab *lab, const char *window_id, guint64 first, guint64 last, const SvKeypair *keypair)
{
  GError *error = NULL;
  g_autofree char *key = sv_issued_key (window_id, first, last);
  g_autoptr (SvIssuedLine) line = sv_issued_line_new (window_id, first, last);
  line->is_closing = last == SV_ISSUED_END;
  if (!line->is_closing)
    add_record (line, last);
  g_autoptr (SvSignedDocument) document = sv_issued_sign (line, sv_chain_id (lab->world->chain), keypair, 0, &error);
  g_assert_no_error (error);
  g_autofree char *text = g_strdup_printf ("%.*s\n", (int)g_bytes_get_size (document->bytes),
                                           (const char *)g_bytes_get_data (document->bytes, NULL));
  lab_write (lab, key, text);
}

static void
write_signpost (Lab *lab, const char *window_id, guint64 first, guint64 last)
{
  g_autofree char *key = sv_issued_signpost_key (window_id, first);
  g_autoptr (GBytes) bytes = sv_issued_signpost_write (last);
  world_set_object (lab->world, key, bytes);
}

static void
add_file (Lab *lab, const char *window_id, guint64 first, guint64 last)
{
  g_autoptr (SvKeypair) keypair = issuer ();
  write_file (lab, window_id, first, last, keypair);
  write_signpost (lab, window_id, first, last);
}

/* Two files and the closing line of w1, and one file of w0, which is archived. */
static Lab *
lab_with_logs (void)
{
  Lab *lab = lab_new ();
  add_file (lab, "w0", 1, 3);
  add_file (lab, "w1", 1, 10);
  add_file (lab, "w1", 11, 20);
  add_file (lab, "w1", 21, SV_ISSUED_END);
  return lab;
}

#define N_OBJECTS 8

static SvObjectStore *
open_at (Lab *lab, const char *scheme, const char *place)
{
  GError *error = NULL;
  g_autofree char *url = g_strconcat (scheme, place, NULL);
  SvObjectStore *store = sv_object_store_open (url, lab->world->config, &error);
  g_assert_no_error (error);
  return store;
}

static SvObjectStore *
open_copy (Lab *lab)
{
  g_autofree char *path = world_path (lab->world, "to");
  return open_at (lab, "file:", path);
}

static SvMirrorReport *
copy (Lab *lab, SvObjectStore *from, SvObjectStore *to)
{
  GError *error = NULL;
  SvMirrorOptions options = { 0 };
  SvMirrorReport *report = sv_store_mirror (lab->world->config, lab->world->chain, from, to, &options, &error);
  g_assert_no_error (error);
  return report;
}

static void
assert_copy_has (Lab *lab, SvObjectStore *to, const char *window_id, guint64 first, guint64 last, gboolean expected)
{
  g_autofree char *file = sv_issued_key (window_id, first, last);
  g_autofree char *signpost = sv_issued_signpost_key (window_id, first);
  g_assert_true (sv_object_store_head (to, file, NULL, NULL) == expected);
  g_assert_true (sv_object_store_head (to, signpost, NULL, NULL) == expected);
}

static gboolean
has_fault (const SvMirrorReport *report, const char *key, const char *what)
{
  for (guint i = 0; i < report->faults->len; i++)
  {
    const SvMirrorFault *fault = report->faults->pdata[i];
    if (strcmp (fault->key, key) == 0 && strstr (fault->what, what) != NULL)
      return TRUE;
  }
  return FALSE;
}

static void
assert_nothing_wrong (Lab *lab)
{
  g_autoptr (SvStoreCheck) check = lab_check (lab, NULL);
  g_assert_cmpuint (sv_store_check_report (check)->tallies[SV_STORE_ISSUED].objects, ==, N_OBJECTS);
  g_assert_cmpuint (sv_store_check_report (check)->tallies[SV_STORE_ISSUED].faults, ==, 0);
}

static void
test_sound (void)
{
  g_autoptr (Lab) lab = lab_with_logs ();
  g_autoptr (SvObjectStore) to = open_copy (lab);
  assert_nothing_wrong (lab);
  g_autoptr (SvMirrorReport) first = copy (lab, lab->world->store, to);
  g_assert_cmpuint (first->faults->len, ==, 0);
  assert_copy_has (lab, to, "w0", 1, 3, TRUE);
  assert_copy_has (lab, to, "w1", 1, 10, TRUE);
  assert_copy_has (lab, to, "w1", 11, 20, TRUE);
  assert_copy_has (lab, to, "w1", 21, SV_ISSUED_END, TRUE);
  g_autoptr (SvMirrorReport) second = copy (lab, lab->world->store, to);
  g_assert_cmpuint (second->copied, ==, 0);
  g_assert_cmpuint (second->faults->len, ==, 0);
}

static void
test_public_address (void)
{
  g_autoptr (Lab) lab = lab_with_logs ();
  g_autoptr (SvObjectStore) copied = lab_copy (lab, "copy");
  g_assert_nonnull (copied);
  FolderServer *server = lab_serve (lab, "copy");
  g_autoptr (SvObjectStore) from = open_at (lab, folder_server_url (server), "");
  g_autoptr (SvObjectStore) to = open_copy (lab);
  g_autoptr (SvMirrorReport) report = copy (lab, from, to);
  g_assert_false (report->is_listed);
  assert_copy_has (lab, to, "w0", 1, 3, TRUE);
  assert_copy_has (lab, to, "w1", 21, SV_ISSUED_END, TRUE);
  folder_server_free (server);
}

/* The second file of w1 is spoilt. */
static void
assert_told (Lab *lab, const char *key, const char *what)
{
  g_autoptr (SvObjectStore) to = open_copy (lab);
  g_autoptr (SvStoreCheck) check = lab_check (lab, NULL);
  lab_assert_told (check, key, what);
  g_autoptr (SvMirrorReport) report = copy (lab, lab->world->store, to);
  g_assert_true (has_fault (report, key, what));
  g_assert_cmpint (report->index, ==, SV_MIRRORED_WRITTEN);
  assert_copy_has (lab, to, "w1", 1, 10, TRUE);
  assert_copy_has (lab, to, "w1", 11, 20, FALSE);
  assert_copy_has (lab, to, "w1", 21, SV_ISSUED_END, FALSE);
}

static void
test_stranger (void)
{
  g_autoptr (Lab) lab = lab_with_logs ();
  g_autofree char *key = sv_issued_key ("w1", 11, 20);
  write_file (lab, "w1", 11, 20, lab->world->stranger);
  assert_told (lab, key, "not a trusted signer");
}

static void
test_other_range (void)
{
  g_autoptr (Lab) lab = lab_with_logs ();
  g_autofree char *key = sv_issued_key ("w1", 11, 20), *other = sv_issued_key ("w1", 1, 10);
  g_autoptr (GBytes) bytes = lab_read (lab->world->store, other);
  world_set_object (lab->world, key, bytes);
  assert_told (lab, key, "ids 1 to 10");
}

static void
test_cut_short (void)
{
  g_autoptr (Lab) lab = lab_with_logs ();
  g_autofree char *key = sv_issued_key ("w1", 11, 20);
  lab_write (lab, key, "{\"type\":\"iss");
  assert_told (lab, key, "cut short");
}

static void
test_missing (void)
{
  g_autoptr (Lab) lab = lab_with_logs ();
  g_autofree char *file = sv_issued_key ("w1", 11, 20), *signpost = sv_issued_signpost_key ("w1", 11);
  lab_remove (lab, file);
  g_autoptr (SvStoreCheck) without_file = lab_check (lab, NULL);
  lab_assert_told (without_file, file, "missing");

  add_file (lab, "w1", 11, 20);
  lab_remove (lab, signpost);
  g_autoptr (SvStoreCheck) without_signpost = lab_check (lab, NULL);
  lab_assert_told (without_signpost, "scorevision/issued/w1", "2 of its files are not found");
}

static void
test_unknown_window (void)
{
  g_autoptr (Lab) lab = lab_with_logs ();
  g_autoptr (SvObjectStore) to = open_copy (lab);
  add_file (lab, "w9", 1, 3);
  g_autoptr (SvStoreCheck) check = lab_check (lab, NULL);
  lab_assert_told (check, "scorevision/issued/w9", "have this window");
  g_autoptr (SvMirrorReport) report = copy (lab, lab->world->store, to);
  g_assert_true (has_fault (report, "scorevision/issued/w9", "cannot be verified"));
  assert_copy_has (lab, to, "w9", 1, 3, FALSE);
  assert_copy_has (lab, to, "w1", 1, 10, TRUE);
}

static void
test_other_in_target (void)
{
  g_autoptr (Lab) lab = lab_with_logs ();
  g_autoptr (SvObjectStore) to = open_copy (lab);
  g_autofree char *key = sv_issued_key ("w1", 11, 20);
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  g_autoptr (GBytes) other = g_bytes_new_static ("other\n", 6);
  g_autofree char *etag = sv_object_store_put (to, key, other, &options, NULL);
  g_assert_nonnull (etag);
  g_autoptr (SvMirrorReport) report = copy (lab, lab->world->store, to);
  g_assert_true (has_fault (report, key, "is not replaced"));
  g_autoptr (GBytes) kept = lab_read (to, key);
  g_assert_true (g_bytes_equal (kept, other));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store-issued/sound", test_sound);
  g_test_add_func ("/store-issued/public-address", test_public_address);
  g_test_add_func ("/store-issued/stranger", test_stranger);
  g_test_add_func ("/store-issued/other-range", test_other_range);
  g_test_add_func ("/store-issued/cut-short", test_cut_short);
  g_test_add_func ("/store-issued/missing", test_missing);
  g_test_add_func ("/store-issued/unknown-window", test_unknown_window);
  g_test_add_func ("/store-issued/other-in-target", test_other_in_target);
  return g_test_run ();
}
