/* A proof on the first line, and under it the text of the extrinsic it names. Every verdict has a name and a sentence, and only
 * a binding of the fold is ever proved. */
#include "protocol/proof.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

#define WINDOW "2025-10-23"

static void
judge (const char *proof, const char *text, const char *element_id, const char *slug)
{
  const SvChainText chain_text = { .block = 19000, .text = text, .proof = proof };
  const SvProofExtrinsic extrinsic = { .found = TRUE, .succeeded = TRUE, .signer = "miner", .text = text };
  g_autoptr (SvFold) fold = sv_fold (WINDOW, 20000, 27200, &chain_text, 1, 20000);
  const SvProofQuestion question = {
    .proof = proof,
    .hotkey = "miner",
    .window_id = WINDOW,
    .element_id = element_id,
    .chute_slug = slug,
    .element_in_manifest = TRUE,
    .asker_known = TRUE,
    .extrinsic = &extrinsic,
    .fold = fold,
  };
  const SvBoundElement *bound = NULL;
  const SvProofVerdict verdict = sv_proof_judge (&question, &bound);
  g_autofree char *sentence = sv_proof_explain (&question, verdict);

  g_assert_nonnull (sentence);
  g_assert_nonnull (sv_proof_verdict_name (verdict));
  g_assert_true ((bound != NULL) == (verdict == SV_PROOF_VALID));
  g_assert_true (bound == NULL || g_hash_table_lookup (fold->bound, element_id) == bound);
}

static void
write_again (const char *text)
{
  SvProof proof;
  if (!sv_proof_parse (text, &proof))
    return;
  g_autofree char *written = sv_proof_format (proof.block, proof.hash);
  g_assert_cmpstr (written, ==, text);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autofree char *input = g_strndup ((const char *)data, size);
  char *text = strchr (input, '\n');
  if (text != NULL)
    *text++ = '\0';
  write_again (input);
  judge (input, text != NULL ? text : "", "PlayerDetect_v1@1.0", NULL);
  judge (input, text != NULL ? text : "", "A", "lynx");
  return 0;
}
