/* Lines of the issue log from outside. What parses is signed here, since no mutated line has a valid signature; one that opens
 * keeps its promises: records ascend within its range and are found, and written again its names and records are what they
 * were, since there is one way to write them. The bytes are a file and a signpost, too. */
#include "protocol/issued.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static const SvChainId chain = { .genesis = "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03",
                                 .netuid = 44 };

static json_t *
parse (GBytes *bytes)
{
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  return sv_json_parse ("line", data, length, SV_ISSUED_LINE_MAX_SIZE, NULL);
}

/* @json is what @line was read from. */
static void
check_line (const SvIssuedLine *line, const json_t *json, const SvKeypair *keypair)
{
  guint64 before = 0;
  for (guint i = 0; i < line->records->len; i++)
  {
    const SvIssueRecord *record = line->records->pdata[i];
    g_assert_true (record->challenge_id > before && record->challenge_id >= line->first && record->challenge_id <= line->last);
    g_assert_true (sv_issued_find (line, record->challenge_id) == record);
    before = record->challenge_id;
  }
  g_assert_true (line->is_closing == (line->last == SV_ISSUED_END));
  g_autoptr (SvSignedDocument) again = sv_issued_sign (line, &chain, keypair, 0, NULL);
  g_assert_nonnull (again);
  g_autoptr (json_t) written = parse (again->bytes);
  g_assert_true (sv_json_equal (json_object_get (written, "names"), json_object_get (json, "names")));
  g_assert_true (sv_json_equal (json_object_get (written, "records"), json_object_get (json, "records")));
  g_autoptr (SvIssuedLine) opened = sv_issued_open (again->bytes, &chain, NULL, NULL, NULL);
  g_assert_true (opened != NULL && opened->records->len == line->records->len);
  for (guint i = 0; i < line->records->len; i++)
    g_assert_true (sv_issue_record_equal (opened->records->pdata[i], line->records->pdata[i]));
}

static void
cut_file (GBytes *bytes)
{
  gsize offset = 0;
  guint64 last;
  g_autoptr (GBytes) line = NULL;
  while ((line = sv_issued_next_line (bytes, &offset, NULL)) != NULL)
    g_clear_pointer (&line, g_bytes_unref);
  g_assert_true (offset <= g_bytes_get_size (bytes));
  g_assert_true (!sv_issued_signpost_read (bytes, 1, &last, NULL) || (last >= 1 && last <= SV_ISSUED_END));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static const guint8 seed[32] = { 1 };
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  cut_file (bytes);
  g_autoptr (json_t) json = sv_json_parse ("fuzz", data, size, SV_ISSUED_LINE_MAX_SIZE, NULL);
  if (json == NULL)
    return 0;
  g_autoptr (SvFaults) faults = sv_faults_new ();
  sv_issued_check (json, faults);
  if (!json_is_object (json))
    return 0;
  g_autoptr (SvKeypair) keypair = sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
  g_autoptr (SvSignedDocument) document = sv_signed_document_create (json, "issued", &chain, keypair, 0, NULL);
  g_autoptr (SvIssuedLine) line = document != NULL ? sv_issued_open (document->bytes, &chain, NULL, NULL, NULL) : NULL;
  if (line != NULL)
    check_line (line, json, keypair);
  return 0;
}
