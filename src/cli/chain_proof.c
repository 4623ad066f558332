/* sv chain proof: what a commitment proof points to, and what that binds. The extrinsic comes from the chain; whether its
 * bindings are in force needs the window's first and last block, so it is told where an index can be read, and otherwise said
 * to be open. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/identifiers.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "bindings/account_fold.h"
#include "cli/commands.h"
#include "cli/table.h"

/* What there is to tell about one proof. */
typedef struct
{
  const char *proof;
  SvExtrinsic *extrinsic;
  SvBlock block;
  SvHead head;
  SvCommitmentText *text; /* NULL: not a commitment of ours, or not well formed */
  char *text_fault;       /* why it is not well formed; NULL for other families */
  gboolean has_window;    /* the index knows it: the next are set */
  guint64 start_block;
  guint64 expiry_block;
  SvFold *fold;      /* of the signer for the window, at the head; or NULL */
  char *open_reason; /* why the fold is NULL */
} Explanation;

static void
explanation_clear (Explanation *explanation)
{
  sv_extrinsic_free (explanation->extrinsic);
  g_clear_pointer (&explanation->text, sv_commitment_text_free);
  g_clear_pointer (&explanation->fold, sv_fold_free);
  g_free (explanation->text_fault);
  g_free (explanation->open_reason);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Explanation, explanation_clear)

/* ── finding ── */

static gboolean
parse_proof (const char *text, SvProof *proof, GError **error)
{
  g_autofree char *shown = sv_printable (text);
  if (sv_proof_parse (text, proof))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s is no proof; it has the form BLOCK:0x…, with 64 lower-case hex digits",
               shown);
  return FALSE;
}

static gboolean
find_extrinsic (SvChain *chain, const SvProof *proof, Explanation *explanation, GError **error)
{
  gboolean unreadable = FALSE;
  if (!sv_chain_head (chain, &explanation->head, error) || !sv_chain_block (chain, proof->block, &explanation->block, error) ||
      !sv_chain_find_extrinsic (chain, proof->block, proof->hash, &explanation->extrinsic, &unreadable, error))
    return FALSE;
  if (explanation->extrinsic != NULL)
    return TRUE;
  if (unreadable)
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "block %" G_GUINT64_FORMAT " cannot be read here any more; set BITTENSOR_SUBTENSOR_FALLBACK to an archive "
                 "endpoint",
                 proof->block);
  else
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
                 "block %" G_GUINT64_FORMAT
                 " of %s holds no commitment %s for netuid %u: it was never included, a reorganisation "
                 "dropped it, or it is another call (one inside a batch or a proxy does not count)",
                 proof->block, sv_chain_url (chain), proof->hash, sv_chain_id (chain)->netuid);
  return FALSE;
}

static void
read_text (Explanation *explanation)
{
  g_autoptr (GError) fault = NULL;
  const char *text = explanation->extrinsic->text;
  if (!g_str_has_prefix (text, "sv1 commit") && !g_str_has_prefix (text, "sv1 withdraw"))
    return;
  explanation->text = sv_commitment_text_parse (text, strlen (text), &fault);
  explanation->text_fault = fault != NULL ? g_strdup (fault->message) : NULL;
}

/* ── whether it is in force ── */

static gboolean
read_window (SvContext *context, Explanation *explanation, GError **error)
{
  SvReader *reader = sv_context_reader (context, error);
  g_autoptr (SvIndex) index = reader != NULL ? sv_fetch_index (reader, SV_FETCH_NORMAL, error) : NULL;
  if (index == NULL)
    return FALSE;
  const char *window_id = explanation->text->window_id;
  const SvIndexEntry *entry = sv_index_find_window (index, window_id);
  g_autoptr (SvIndex) history = entry == NULL ? sv_fetch_history (reader, index, error) : NULL;
  if (entry == NULL && history == NULL)
    return FALSE;
  if (entry == NULL && (entry = sv_index_find_window (history, window_id)) == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "window %s is not in the manifest index", window_id);
    return FALSE;
  }
  explanation->has_window = TRUE;
  explanation->start_block = entry->start_block;
  explanation->expiry_block = entry->expiry_block;
  return TRUE;
}

static gboolean
fold_window (SvContext *context, Explanation *explanation, GError **error)
{
  explanation->fold =
      sv_account_fold_read (context->chain, explanation->extrinsic->signer, explanation->text->window_id,
                            explanation->start_block, explanation->expiry_block, explanation->head.best.number, error);
  return explanation->fold != NULL;
}

static void
judge_force (SvContext *context, Explanation *explanation)
{
  g_autoptr (GError) reason = NULL;
  if (explanation->text == NULL)
    return;
  if (!read_window (context, explanation, &reason) || !fold_window (context, explanation, &reason))
    explanation->open_reason = g_strdup (reason->message);
}

static gboolean
is_over (const Explanation *explanation)
{
  return explanation->has_window && explanation->head.best.number >= explanation->expiry_block;
}

static SvProofVerdict
judge_element (const Explanation *explanation, const char *element_id)
{
  const SvBoundElement *bound;
  SvProofExtrinsic extrinsic = { .found = TRUE,
                                 .succeeded = explanation->extrinsic->succeeded,
                                 .signer = explanation->extrinsic->signer,
                                 .text = explanation->extrinsic->text };
  SvProofQuestion question = { .proof = explanation->proof,
                               .hotkey = explanation->extrinsic->signer,
                               .window_id = explanation->text->window_id,
                               .element_id = element_id,
                               .element_in_manifest = TRUE,
                               .asker_known = TRUE,
                               .extrinsic = &extrinsic,
                               .proof_window_over = is_over (explanation),
                               .fold = explanation->fold };
  return sv_proof_judge (&question, &bound);
}

/* (transfer none) why folding made this text void, or NULL. */
static const char *
find_void_reason (const Explanation *explanation)
{
  for (guint i = 0; explanation->fold != NULL && i < explanation->fold->verdicts->len; i++)
  {
    const SvTextVerdict *verdict = g_ptr_array_index (explanation->fold->verdicts, i);
    if (strcmp (verdict->proof, explanation->proof) == 0)
      return verdict->void_reason;
  }
  return NULL;
}

/* ── telling ── */

static gboolean
is_final (const Explanation *explanation)
{
  return explanation->extrinsic->block <= explanation->head.finalized.number;
}

static json_t *
element_to_json (const Explanation *explanation, const SvBinding *binding)
{
  json_t *element = json_pack ("{s:s,s:s?,s:s?,s:s?}", "element_id", binding->element_id, "hf_revision", binding->hf_revision,
                               "chute_slug", binding->chute_slug, "chute_id", binding->chute_id);
  if (!explanation->text->is_withdrawal)
    json_object_set_new (element, "service_cap_fps", json_real ((double)binding->cap_milli / 1000));
  json_object_set_new (element, "verdict",
                       explanation->fold != NULL
                           ? json_string (sv_proof_verdict_name (judge_element (explanation, binding->element_id)))
                           : json_null ());
  return element;
}

static json_t *
commitment_to_json (const Explanation *explanation)
{
  json_t *elements = json_array ();
  for (guint i = 0; i < explanation->text->bindings->len; i++)
    json_array_append_new (elements, element_to_json (explanation, g_ptr_array_index (explanation->text->bindings, i)));
  return json_pack ("{s:s,s:s,s:o,s:s?,s:s?}", "operation", explanation->text->is_withdrawal ? "withdraw" : "commit",
                    "window_id", explanation->text->window_id, "elements", elements, "void_reason",
                    find_void_reason (explanation), "open_reason", explanation->open_reason);
}

static void
print_json (const Explanation *explanation)
{
  const SvExtrinsic *extrinsic = explanation->extrinsic;
  g_autofree char *signer = sv_account_document_form (extrinsic->signer);
  g_autofree char *time = explanation->block.time_ms > 0 ? sv_time_format (explanation->block.time_ms) : NULL;
  sv_print_json (json_pack ("{s:s,s:o,s:s,s:s?,s:o,s:s,s:s,s:s,s:b,s:s?,s:b,s:o,s:o}", "proof", explanation->proof, "block",
                            sv_json_integer (extrinsic->block), "block_hash", explanation->block.hash, "block_time", time,
                            "extrinsic_index", sv_json_integer (extrinsic->index), "signer", signer, "call", "set_commitment",
                            "text", extrinsic->text, "succeeded", extrinsic->succeeded, "failure", extrinsic->failure,
                            "finalized", is_final (explanation), "head", sv_json_integer (explanation->head.best.number),
                            "commitment", explanation->text != NULL ? commitment_to_json (explanation) : json_null ()));
}

static void
print_text (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  printf ("\n");
  for (char **line = lines; *line != NULL; line++)
  {
    g_autofree char *shown = sv_printable (*line);
    printf ("  %s\n", shown);
  }
  printf ("\n");
}

static void
print_extrinsic (const Explanation *explanation)
{
  const SvExtrinsic *extrinsic = explanation->extrinsic;
  g_autofree char *time =
      explanation->block.time_ms > 0 ? sv_time_format (explanation->block.time_ms) : g_strdup ("time not known any more");
  printf ("block       %" G_GUINT64_FORMAT "  %s  %s\n", extrinsic->block, explanation->block.hash, time);
  printf ("extrinsic   %u  %s\n", extrinsic->index, extrinsic->hash);
  printf ("signer      %s\n", extrinsic->signer);
  printf ("call        set_commitment, %s\n", extrinsic->succeeded ? "succeeded" : "failed: it binds nothing");
  if (extrinsic->failure != NULL)
    printf ("failure     %s\n", extrinsic->failure);
  if (is_final (explanation))
    printf ("finalized   yes\n");
  else
    printf ("finalized   not yet: the finalized head is %" G_GUINT64_FORMAT "\n", explanation->head.finalized.number);
  print_text (extrinsic->text);
}

static void
print_element (const SvContext *context, const Explanation *explanation, const SvBinding *binding)
{
  g_autofree char *cap = sv_cap_format (binding->cap_milli);
  g_autofree char *what = explanation->text->is_withdrawal
                              ? g_strdup_printf ("withdraws %s", binding->element_id)
                              : g_strdup_printf ("binds %s to %s (chute %s, revision %s, %s fps)", binding->element_id,
                                                 binding->chute_slug, binding->chute_id, binding->hf_revision, cap);
  if (explanation->fold == NULL)
  {
    printf ("%s\n", what);
    return;
  }
  SvProofVerdict verdict = judge_element (explanation, binding->element_id);
  gboolean holds = verdict == SV_PROOF_VALID;
  g_autofree char *state = sv_styled (holds ? "in force" : sv_proof_verdict_name (verdict),
                                      holds ? SV_STYLE_GREEN : SV_STYLE_YELLOW, context->use_color);
  printf ("%s: %s\n", what, state);
}

static void
print_commitment (const SvContext *context, const Explanation *explanation)
{
  if (explanation->text_fault != NULL)
    printf ("It is not well formed, so it binds nothing: %s\n", explanation->text_fault);
  else if (explanation->text == NULL)
    printf ("It is not a commitment to elements, so it binds nothing.\n");
  if (explanation->text == NULL)
    return;
  printf ("For window %s, by block %" G_GUINT64_FORMAT ":\n", explanation->text->window_id, explanation->head.best.number);
  for (guint i = 0; i < explanation->text->bindings->len; i++)
    print_element (context, explanation, g_ptr_array_index (explanation->text->bindings, i));
  const char *void_reason = find_void_reason (explanation);
  if (void_reason != NULL)
    printf ("The text is void: it %s.\n", void_reason);
  if (explanation->open_reason != NULL)
    printf ("Whether that is in force cannot be told here: %s\n", explanation->open_reason);
}

static int
run_proof (SvContext *context, int argc, char **argv, GError **error)
{
  SvProof proof;
  g_auto (Explanation) explanation = { 0 };
  if (!sv_check_arguments (argc, 1, 1, "sv chain proof BLOCK:HASH", error) || !parse_proof (argv[0], &proof, error) ||
      sv_context_chain (context, error) == NULL || !find_extrinsic (context->chain, &proof, &explanation, error))
    return 1;
  explanation.proof = argv[0];
  read_text (&explanation);
  judge_force (context, &explanation);
  if (context->as_json)
  {
    print_json (&explanation);
    return 0;
  }
  print_extrinsic (&explanation);
  print_commitment (context, &explanation);
  return 0;
}

const SvCommand sv_chain_proof_commands[] = {
  { "chain", "proof", "BLOCK:HASH", "explain a proof: who signed what, and what it binds",
    "Whether the bindings are in force is told where the manifest index can be read, by the state at the head.",
    "  sv chain proof 123450:0x5f0c…", NULL, run_proof },
  { NULL },
};
