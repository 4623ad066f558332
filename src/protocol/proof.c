/* Commitment proofs: their form, and the judgement of what one proves.
 *
 * The verdicts are a total order, so sv_proof_judge() is a list of questions of which the first that is answered badly wins.
 * They come in two groups: what the extrinsic itself says (up to wrong_element), and what folding made of it. A proof names
 * one extrinsic, and of it the position among the fold's verdicts is what tells before from after: two texts of one block are
 * told apart too.
 *
 * A text that names a window but breaks a rule of form is a commitment text all the same: it was void, and the answer is
 * not_in_force, as for any other void text, rather than unknown. */
#include "protocol/proof.h"

#include "base/hash.h"
#include "base/identifiers.h"

#include <string.h>

#define HASH_LENGTH 66 /* "0x" and 64 digits */
#define MAX_DIGITS 16  /* of 2^53 - 1 */

gboolean
sv_proof_parse (const char *text, SvProof *proof)
{
  const char *colon = text != NULL ? memchr (text, ':', strnlen (text, MAX_DIGITS + 1)) : NULL;
  if (colon == NULL)
    return FALSE;

  const char *hash = colon + 1;
  gsize n_digits = (gsize)(colon - text);
  char block[MAX_DIGITS + 1];
  memcpy (block, text, n_digits);
  block[n_digits] = '\0';
  if (!sv_integer_parse (block, &proof->block) || strnlen (hash, HASH_LENGTH + 1) != HASH_LENGTH ||
      memcmp (hash, "0x", 2) != 0 || !sv_hash_is_bare (hash + 2))
    return FALSE;
  memcpy (proof->hash, hash, HASH_LENGTH + 1);
  return TRUE;
}

char *
sv_proof_format (guint64 block, const char *extrinsic_hash)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%s", block, extrinsic_hash);
}

static const char *const verdict_names[] = {
  [SV_PROOF_VALID] = "valid",
  [SV_PROOF_MISSING] = "missing",
  [SV_PROOF_MALFORMED] = "malformed",
  [SV_PROOF_UNKNOWN_ELEMENT] = "unknown_element",
  [SV_PROOF_UNKNOWN] = "unknown",
  [SV_PROOF_WRONG_HOTKEY] = "wrong_hotkey",
  [SV_PROOF_EXPIRED] = "expired",
  [SV_PROOF_WRONG_WINDOW] = "wrong_window",
  [SV_PROOF_WRONG_ELEMENT] = "wrong_element",
  [SV_PROOF_WITHDRAWN] = "withdrawn",
  [SV_PROOF_NOT_IN_FORCE] = "not_in_force",
  [SV_PROOF_WRONG_SLUG] = "wrong_slug",
  [SV_PROOF_UNREADABLE] = "unreadable",
};

const char *
sv_proof_verdict_name (SvProofVerdict verdict)
{
  g_return_val_if_fail ((gsize)verdict < G_N_ELEMENTS (verdict_names), "unknown");
  return verdict_names[verdict];
}

/* Place of a text among those folded, or -1 for one that the fold does not hold (it is of a later block). */
static int
find_verdict (const SvFold *fold, const char *proof)
{
  for (guint i = 0; i < fold->verdicts->len; i++)
  {
    const SvTextVerdict *verdict = g_ptr_array_index (fold->verdicts, i);
    if (strcmp (verdict->proof, proof) == 0)
      return (int)i;
  }
  return -1;
}

/* The proof's text is a withdrawal of the element that took effect, or the element is not bound and was withdrawn by a later
 * text. */
static gboolean
is_withdrawn (const SvProofQuestion *question)
{
  int own = find_verdict (question->fold, question->proof);
  if (own < 0)
    return FALSE;

  const SvTextVerdict *verdict = g_ptr_array_index (question->fold->verdicts, (guint)own);
  if (g_str_has_prefix (question->extrinsic->text, "sv1 withdraw ") && verdict->void_reason == NULL)
    return TRUE;
  const char *withdrawal = g_hash_table_lookup (question->fold->withdrawn, question->element_id);
  return withdrawal != NULL && find_verdict (question->fold, withdrawal) > own;
}

/* From the proof's form to the extrinsic. */
static SvProofVerdict
judge_existence (const SvProofQuestion *question)
{
  SvProof proof;
  const SvProofExtrinsic *extrinsic = question->extrinsic;

  if (question->proof == NULL || *question->proof == '\0')
    return SV_PROOF_MISSING;
  if (!sv_proof_parse (question->proof, &proof))
    return SV_PROOF_MALFORMED;
  if (!question->element_in_manifest)
    return SV_PROOF_UNKNOWN_ELEMENT;
  if (!question->asker_known || extrinsic == NULL)
    return SV_PROOF_UNKNOWN;
  if (extrinsic->unreadable)
    return SV_PROOF_UNREADABLE;
  if (!extrinsic->found || !extrinsic->succeeded)
    return SV_PROOF_UNKNOWN;
  return SV_PROOF_VALID;
}

/* What the extrinsic says: who, which window, which elements. */
static SvProofVerdict
judge_content (const SvProofQuestion *question)
{
  const SvProofExtrinsic *extrinsic = question->extrinsic;
  char window_id[SV_WINDOW_ID_MAX + 1];

  if (!sv_commitment_text_window_into (extrinsic->text, window_id))
    return SV_PROOF_UNKNOWN;
  if (g_strcmp0 (extrinsic->signer, question->hotkey) != 0)
    return SV_PROOF_WRONG_HOTKEY;
  if (question->proof_window_over)
    return SV_PROOF_EXPIRED;
  if (strcmp (window_id, question->window_id) != 0)
    return SV_PROOF_WRONG_WINDOW;
  if (!sv_commitment_text_names (extrinsic->text, question->element_id))
    return SV_PROOF_WRONG_ELEMENT;
  return SV_PROOF_VALID;
}

SvProofVerdict
sv_proof_judge (const SvProofQuestion *question, const SvBoundElement **bound)
{
  SvProofVerdict verdict = judge_existence (question);

  *bound = NULL;
  if (verdict == SV_PROOF_VALID)
    verdict = judge_content (question);
  if (verdict != SV_PROOF_VALID)
    return verdict;
  if (question->fold_is_open)
    return SV_PROOF_UNREADABLE;
  if (question->fold == NULL)
    return SV_PROOF_NOT_IN_FORCE;
  if (is_withdrawn (question))
    return SV_PROOF_WITHDRAWN;

  const SvBoundElement *found = g_hash_table_lookup (question->fold->bound, question->element_id);
  if (found == NULL || strcmp (found->proof, question->proof) != 0)
    return SV_PROOF_NOT_IN_FORCE;
  if (question->chute_slug != NULL && strcmp (question->chute_slug, found->binding.chute_slug) != 0)
    return SV_PROOF_WRONG_SLUG;
  *bound = found;
  return SV_PROOF_VALID;
}

static char *
explain_not_in_force (const SvProofQuestion *question)
{
  int place = question->fold != NULL ? find_verdict (question->fold, question->proof) : -1;
  if (place < 0)
    return g_strdup_printf ("the commitment %s had not been made yet at that block", question->proof);

  const SvTextVerdict *verdict = g_ptr_array_index (question->fold->verdicts, (guint)place);
  if (verdict->void_reason != NULL)
    return g_strdup_printf ("the commitment %s is void: %s", question->proof, verdict->void_reason);
  return g_strdup_printf ("another commitment has replaced %s", question->proof);
}

static char *
explain_detail (const SvProofQuestion *question, SvProofVerdict verdict)
{
  const char *proof = question->proof;
  g_autofree char *window_id = question->extrinsic != NULL ? sv_commitment_text_window (question->extrinsic->text) : NULL;

  switch (verdict)
  {
  case SV_PROOF_VALID:
    return g_strdup ("the proof is valid");
  case SV_PROOF_MISSING:
    return g_strdup ("no commitment proof was given");
  case SV_PROOF_MALFORMED:
    return g_strdup ("the commitment proof has not the form {block_number}:0x{64 lower-case hex digits}");
  case SV_PROOF_UNKNOWN_ELEMENT:
    return g_strdup ("the manifest has no such element");
  case SV_PROOF_UNKNOWN:
    return g_strdup_printf ("no successful commitment %s is known", proof);
  case SV_PROOF_WRONG_HOTKEY:
    return g_strdup_printf ("the commitment %s is another hotkey's", proof);
  case SV_PROOF_EXPIRED:
    return g_strdup_printf ("the commitment %s is for window %s, which is over", proof, window_id);
  case SV_PROOF_WRONG_WINDOW:
    return g_strdup_printf ("the commitment %s is for window %s", proof, window_id);
  case SV_PROOF_WRONG_ELEMENT:
    return g_strdup_printf ("the commitment %s does not name this element", proof);
  case SV_PROOF_WITHDRAWN:
    return g_strdup_printf ("the element was withdrawn (commitment %s)", proof);
  case SV_PROOF_NOT_IN_FORCE:
    return explain_not_in_force (question);
  case SV_PROOF_WRONG_SLUG:
    return g_strdup_printf ("the commitment %s names another chute than %s", proof, question->chute_slug);
  case SV_PROOF_UNREADABLE:
    return g_strdup_printf ("the chain's state at the block of %s cannot be read", proof);
  }
  g_return_val_if_reached (NULL);
}

char *
sv_proof_explain (const SvProofQuestion *question, SvProofVerdict verdict)
{
  g_autofree char *detail = explain_detail (question, verdict);

  if (verdict == SV_PROOF_VALID || verdict == SV_PROOF_UNREADABLE)
    return g_strdup_printf ("Miner's commitment for element %s in window %s: %s", question->element_id, question->window_id,
                            detail);
  return g_strdup_printf ("Miner has no commitment for element %s in window %s: %s", question->element_id, question->window_id,
                          detail);
}
