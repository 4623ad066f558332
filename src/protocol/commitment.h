/* Commitments (docs/protocol.md section 6): the text a miner puts on the chain, and the folding of a hotkey's texts into the
 * bindings that are in force. Pure: no I/O, no clock. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "base/identifiers.h"

#define SV_COMMITMENT_MAX_TEXT 16384 /* bytes we read of any one text; chains hold far less */
#define SV_COMMIT_EARLIEST 14400     /* blocks before start_block from which texts count */

typedef struct
{
  char *element_id;
  char *hf_revision; /* these four are NULL in a withdrawal */
  char *chute_slug;
  char *chute_id;
  guint64 cap_milli; /* thousandths of a frame per second */
} SvBinding;

/* Frees the strings of a binding and zeroes it, not the binding itself. */
void sv_binding_clear (SvBinding *binding);
/* Replaces what @to holds by a copy of @from. */
void sv_binding_copy (SvBinding *to, const SvBinding *from);

typedef struct
{
  gboolean is_withdrawal;
  char *window_id;
  guint64 total_cap_milli; /* 0 in a withdrawal */
  GPtrArray *bindings;     /* (element-type SvBinding), in the text's order */
} SvCommitmentText;

SvCommitmentText *sv_commitment_text_new (gboolean is_withdrawal, const char *window_id, guint64 total_cap_milli);
void sv_commitment_text_add (SvCommitmentText *text, const char *element_id, const char *hf_revision, const char *chute_slug,
                             const char *chute_id, guint64 cap_milli);
void sv_commitment_text_free (SvCommitmentText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvCommitmentText, sv_commitment_text_free)

/* TRUE for texts that begin with "sv1 "; others are somebody else's business. */
gboolean sv_text_is_ours (const char *text);

/* The window that a commitment text's first line names, whether or not the rest of the text has the right form; NULL for any
 * other text. Returns: (transfer full). */
char *sv_commitment_text_window (const char *text);

/* The same without an allocation; FALSE for any other text. */
gboolean sv_commitment_text_window_into (const char *text, char window_id[SV_WINDOW_ID_MAX + 1]) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE when a line after the first begins with @element_id, whether or not the text has the right form. */
gboolean sv_commitment_text_names (const char *text, const char *element_id);

/* Reads `sv1 commit …` or `sv1 withdraw …` to the letter (single spaces, LF, no trailing newline, ASCII, no element named
 * twice, at least one element). SV_ERROR_MALFORMED with line number and reason. Returns: (transfer full). */
SvCommitmentText *sv_commitment_text_parse (const char *text, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: (transfer full). */
char *sv_commitment_text_format (const SvCommitmentText *text);

/* One text as it stands on the chain. */
typedef struct
{
  guint64 block;
  guint index;       /* of the extrinsic in its block */
  const char *text;  /* (transfer none) */
  const char *proof; /* (transfer none) "{block}:0x…" */
} SvChainText;

typedef struct
{
  SvBinding binding;
  char *proof; /* of the text that made it */
  guint64 committed_at_block;
} SvBoundElement;

/* What became of each text, in the order given. */
typedef struct
{
  char *proof;
  char *void_reason; /* NULL when it took effect; else why not, for people */
} SvTextVerdict;

/* State of one hotkey for one window at one block. */
typedef struct
{
  char *window_id;
  guint64 total_cap_milli; /* 0 when nothing was committed */
  GHashTable *bound;       /* element_id -> SvBoundElement, in force */
  GHashTable *withdrawn;   /* element_id -> proof of the withdrawal, for elements not bound now */
  GPtrArray *verdicts;     /* (element-type SvTextVerdict) of the texts that concern this window */
} SvFold;

void sv_fold_free (SvFold *fold);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvFold, sv_fold_free)

/* Folds @texts (of one hotkey, in chain order; texts of other windows and families are skipped, ours that do not parse are
 * skipped too unless they name this window) up to and including @at_block. Returns: (transfer full), never NULL. */
SvFold *sv_fold (const char *window_id, guint64 start_block, guint64 expiry_block, const SvChainText *texts, gsize n_texts,
                 guint64 at_block);

/* What folding would say of one more text at @block: NULL when it would take effect, else the reason. Returns: (transfer full).
 */
char *sv_fold_preview (const SvFold *fold, guint64 start_block, guint64 expiry_block, const char *text, guint64 block);

/* Element ids of @fold->bound, sorted. Returns: (transfer container). */
GPtrArray *sv_fold_element_ids (const SvFold *fold);

/* The user's State Layout: miner_hotkey, window_id, element_ids, bindings, service_cap_fps, committed_at_block (of the latest
 * binding), expires_at_block; each binding with its `commitment_proof`. Returns: (transfer full). */
json_t *sv_fold_to_json (const SvFold *fold, const char *hotkey, guint64 expiry_block);
