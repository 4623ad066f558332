/* Manifests from outside: any bytes as JSON from the wire and as a document written by a person. No mutated document has a
 * valid signature, so what parses is signed here, to get past that check to everything that reads values. */
#include "protocol/manifest.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static void
read_stored (const json_t *json)
{
  static const SvChainId chain = { .genesis = "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03",
                                   .netuid = 44 };
  static const guint8 seed[32] = { 1 };
  g_autoptr (SvKeypair) keypair = sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
  g_autoptr (SvSignedDocument) document = sv_signed_document_create (json, "manifest", &chain, keypair, 0, NULL);
  g_autoptr (SvManifest) manifest =
      document != NULL ? sv_manifest_open (document->bytes, document->hash, &chain, NULL, NULL, NULL) : NULL;
  if (manifest == NULL)
    return;
  g_assert_true (sv_verify_manifest_signature (manifest));
  for (gsize i = 0; i < manifest->n_elements; i++)
    g_assert_true (sv_manifest_find_element (manifest, manifest->elements[i].id) == &manifest->elements[i]);
}

static void
read_authored (const json_t *json)
{
  g_autoptr (SvFaults) faults = sv_faults_new ();
  sv_manifest_check_authored (json, faults);
  g_autoptr (SvManifest) manifest = sv_manifest_from_authored (json, NULL);
  g_assert_true ((manifest != NULL) == (faults->n_errors == 0));
  if (manifest == NULL)
    return;
  g_assert_true (sv_manifest_same_content (manifest, json));
  g_autoptr (GPtrArray) differences = sv_manifest_diff (manifest->json, manifest->json);
  g_assert_cmpuint (differences->len, ==, 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (SvPlaces) places = NULL;
  g_autoptr (json_t) wire = sv_json_parse ("fuzz", data, size, SV_MANIFEST_MAX_SIZE, NULL);
  g_autoptr (json_t) authored = sv_authored_parse ("fuzz", data, size, SV_MANIFEST_MAX_SIZE, &places, NULL);
  if (wire != NULL)
  {
    g_autoptr (SvFaults) faults = sv_faults_new ();
    sv_manifest_check_stored (wire, faults);
    if (json_is_object (wire))
      read_stored (wire);
  }
  if (authored != NULL)
    read_authored (authored);
  return 0;
}
