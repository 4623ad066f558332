/* Any bytes as a signed document: they open or give an error. Any JSON object as the content of one: what we sign, we open. */
#include "base/json.h"
#include "keys/signed_document.h"

#define MAX_SIZE (1024 * 1024)

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static const SvChainId chain = { "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03", 44 };

static void
sign_and_open (const json_t *content)
{
  static const guint8 seed[32] = { 1 };
  SvDocumentRules rules = { .type = "manifest", .chain = &chain, .max_size = 8 * MAX_SIZE };
  g_autoptr (SvKeypair) keypair = sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
  g_autoptr (SvSignedDocument) signed_now = sv_signed_document_create (content, "manifest", &chain, keypair, 0, NULL);
  if (signed_now == NULL)
    return;
  rules.hash = signed_now->hash;
  g_autoptr (SvSignedDocument) opened = sv_signed_document_open ("document", signed_now->bytes, &rules, NULL);
  g_assert_nonnull (opened);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  SvDocumentRules rules = { .type = "manifest", .max_size = MAX_SIZE };
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (SvSignedDocument) document = sv_signed_document_open ("document", bytes, &rules, NULL);
  g_assert_true (document == NULL || sv_signed_document_verify_signature (document->json));
  g_autoptr (json_t) content = sv_json_parse ("content", data, size, MAX_SIZE, NULL);
  if (content != NULL)
    sign_and_open (content);
  return 0;
}
