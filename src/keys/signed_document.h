/* Signed documents (docs/protocol.md section 1): JSON objects with `type`, `chain`, `signed_by`, `signed_at` and `signature`,
 * stored as canonical JSON. The signature is over the canonical form of the document without `signature`. */
#pragma once

#include "base/faults.h"
#include "base/json.h"
#include "keys/keypair.h"

/* Which chain and subnet a document is for. */
typedef struct
{
  char genesis[67]; /* "0x" + 64 lower-case hex digits */
  guint netuid;
} SvChainId;

gboolean sv_chain_id_equal (const SvChainId *a, const SvChainId *b);
json_t *sv_chain_id_to_json (const SvChainId *chain);
gboolean sv_chain_id_from_json (const json_t *json, SvChainId *chain);

/* TRUE when the account's signature counts for this kind of document. */
typedef gboolean (*SvTrustFunc) (const char *address, gpointer data);

typedef struct
{
  const char *type;       /* "manifest", "index", "signers", "shard", "issued" */
  const SvChainId *chain; /* NULL: any chain (tools that only show a document) */
  gsize max_size;
  const char *hash;                                                /* stored form; NULL where the name is not a hash */
  void (*check_schema) (const json_t *document, SvFaults *faults); /* may be NULL */
  SvTrustFunc is_trusted;                                          /* NULL: any signer; the caller judges afterwards */
  gpointer trust_data;
} SvDocumentRules;

typedef struct
{
  json_t *json;     /* the whole document, `signature` included */
  GBytes *bytes;    /* as stored */
  char *hash;       /* "sha256:…" of @bytes */
  char *signed_by;  /* bare address */
  gint64 signed_at; /* Unix milliseconds */
} SvSignedDocument;

void sv_signed_document_free (SvSignedDocument *document);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSignedDocument, sv_signed_document_free)

/* Checks in the protocol's order (size, hash, JSON, canonical, type, chain, schema, trust, signature) and returns nothing
 * before all have passed. @what names the document in messages ("manifest sha256:ab…"). Format faults are SV_ERROR_MALFORMED,
 * the others SV_ERROR_VERIFY. Returns: (transfer full). */
SvSignedDocument *sv_signed_document_open (const char *what, GBytes *bytes, const SvDocumentRules *rules,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sets `type`, `chain`, `signed_by`, `signed_at` (Unix milliseconds, written to the second) and `signature` in a copy of
 * @content. Returns: (transfer full). */
SvSignedDocument *sv_signed_document_create (const json_t *content, const char *type, const SvChainId *chain,
                                             const SvKeypair *keypair, gint64 signed_at,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Verifies signature of any JSON object with `signed_by` and `signature`, nothing else. */
gboolean sv_signed_document_verify_signature (const json_t *document) G_GNUC_WARN_UNUSED_RESULT;
