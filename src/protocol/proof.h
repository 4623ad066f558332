/* Commitment proofs (docs/protocol.md section 6): "{block_number}:{extrinsic_hash}", and the judgement of what one proves.
 * Pure. */
#pragma once

#include "protocol/commitment.h"

typedef struct
{
  guint64 block;
  char hash[67]; /* "0x" + 64 lower-case hex digits */
} SvProof;

/* FALSE for anything but decimal without leading zero, ':', 0x and 64 lower-case hex digits. */
gboolean sv_proof_parse (const char *text, SvProof *proof) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: (transfer full). */
char *sv_proof_format (guint64 block, const char *extrinsic_hash);

/* Verdicts in the order in which the first that holds is named (section 7, 412). */
typedef enum
{
  SV_PROOF_VALID = 0,
  SV_PROOF_MISSING,
  SV_PROOF_MALFORMED,
  SV_PROOF_UNKNOWN_ELEMENT,
  SV_PROOF_UNKNOWN,
  SV_PROOF_WRONG_HOTKEY,
  SV_PROOF_EXPIRED,
  SV_PROOF_WRONG_WINDOW,
  SV_PROOF_WRONG_ELEMENT,
  SV_PROOF_WITHDRAWN,
  SV_PROOF_NOT_IN_FORCE,
  SV_PROOF_WRONG_SLUG,
  SV_PROOF_UNREADABLE, /* chain state needed is gone: neither valid nor invalid */
} SvProofVerdict;

const char *sv_proof_verdict_name (SvProofVerdict verdict); /* "missing", "wrong_hotkey", … */

/* The extrinsic that a proof names, as the chain has it. */
typedef struct
{
  gboolean found;      /* on the chain, at that block, by that hash, a top-level set_commitment for this netuid */
  gboolean unreadable; /* the block's state is gone: @found says nothing */
  gboolean succeeded;
  const char *signer; /* bare address */
  const char *text;
} SvProofExtrinsic;

typedef struct
{
  const char *proof;  /* as received, or NULL */
  const char *hotkey; /* whose binding is quoted */
  const char *window_id;
  const char *element_id;
  const char *chute_slug; /* that the runner will call, or NULL */
  gboolean element_in_manifest;
  gboolean asker_known;
  const SvProofExtrinsic *extrinsic; /* NULL where the proof is missing or malformed */
  gboolean proof_window_over;        /* the window that the extrinsic's text names is over */
  gboolean fold_is_open;             /* a block that the fold needs cannot be read: it says nothing for sure */
  const SvFold *fold;                /* of @hotkey and @window_id at the block asked about */
} SvProofQuestion;

/* (out) @bound: (transfer none) the binding proved, when SV_PROOF_VALID. */
SvProofVerdict sv_proof_judge (const SvProofQuestion *question, const SvBoundElement **bound);

/* One sentence for people: "Miner has no commitment for element … in window …". Returns: (transfer full). */
char *sv_proof_explain (const SvProofQuestion *question, SvProofVerdict verdict);
