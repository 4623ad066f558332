/* The published issue log (docs/protocol.md section 7): which challenges were handed out, as signed JSON lines. A line holds
 * every record of its window from `first` to `last`, so it proves what is in it as well as what is not. Lines stand in files,
 * whose names are found by signposts. Pure. */
#pragma once

#include "protocol/challenge.h"

#define SV_ISSUED_LINE_MAX_SIZE (256 * 1024)
#define SV_ISSUED_LINE_MAX_RECORDS 256
#define SV_ISSUED_FILE_MAX_LINES 32
#define SV_ISSUED_FILE_MAX_SIZE (SV_ISSUED_FILE_MAX_LINES * (SV_ISSUED_LINE_MAX_SIZE + 1))
#define SV_ISSUED_FILE_MAX_RECORDS (SV_ISSUED_FILE_MAX_LINES * SV_ISSUED_LINE_MAX_RECORDS)
#define SV_ISSUED_MAX_KEYS 1024
#define SV_ISSUED_END SV_JSON_MAX_INTEGER /* `last` of the closing line: no id comes after it */
#define SV_ISSUED_SIGNPOST_MAX_SIZE 64

/* The K that a manifest's challenges were drawn by. */
typedef struct
{
  char *manifest_hash;
  guint8 key[32];
} SvIssuedKey;

SvIssuedKey *sv_issued_key_new (const char *manifest_hash, const guint8 key[32]);
void sv_issued_key_free (SvIssuedKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvIssuedKey, sv_issued_key_free)

typedef struct
{
  SvSignedDocument *document; /* without its `json`, whose values stand here; NULL for one being built */
  char *window_id;
  guint64 first;
  guint64 last;
  GPtrArray *records; /* (element-type SvIssueRecord) by ascending id; of an opened line their texts are the line's */
  GPtrArray *names;   /* of an opened line: (element-type utf8) what its records refer to, accounts bare */
  gboolean is_closing;
  guint64 last_id; /* of the closing line: of the window's last record, 0 where there is none */
  GPtrArray *keys; /* of the closing line: (element-type SvIssuedKey) */
} SvIssuedLine;

/* Without records and keys. Returns: (transfer full). */
SvIssuedLine *sv_issued_line_new (const char *window_id, guint64 first, guint64 last);
void sv_issued_line_free (SvIssuedLine *line);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvIssuedLine, sv_issued_line_free)

void sv_issued_check (const json_t *json, SvFaults *faults);

/* TRUE for 19 digits. */
gboolean sv_issued_nonce_is_valid (const char *text);

/* What a reader would refuse is not signed: SV_ERROR_FAILED. Returns: (transfer full), to be stored with a newline after it;
 * without its `hash` and `json`, which nobody asks for. */
SvSignedDocument *sv_issued_sign (const SvIssuedLine *line, const SvChainId *chain, const SvKeypair *keypair, gint64 signed_at,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens a line, without its newline, through sv_signed_document_open(). @is_trusted may be NULL. Returns: (transfer full). */
SvIssuedLine *sv_issued_open (GBytes *bytes, const SvChainId *chain, SvTrustFunc is_trusted, gpointer trust_data,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) the record, or NULL where the line has none of that id. */
const SvIssueRecord *sv_issued_find (const SvIssuedLine *line, guint64 challenge_id);

/* (transfer none) the manifest's among @keys (element-type SvIssuedKey), or NULL. */
const SvIssuedKey *sv_issued_find_key (const GPtrArray *keys, const char *manifest_hash);

/* TRUE where both have the same values in every field. */
gboolean sv_issue_record_equal (const SvIssueRecord *a, const SvIssueRecord *b);

/* Cuts the next line out of a file, from @offset on, which is moved behind its newline. NULL without an error at the end;
 * SV_ERROR_MALFORMED for a line that is cut short or too long. Returns: (transfer full). */
GBytes *sv_issued_next_line (GBytes *file, gsize *offset, GError **error);

/* The signpost of a file that begins with some id says with which one it ends. (transfer full) */
GBytes *sv_issued_signpost_write (guint64 last);
gboolean sv_issued_signpost_read (GBytes *bytes, guint64 first, guint64 *last, GError **error) G_GNUC_WARN_UNUSED_RESULT;
