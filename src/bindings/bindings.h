/* Bindings: an immutable picture of the subnet's commitments between two blocks, from which every question about who has bound
 * himself to what is answered in memory (docs/protocol.md section 6 and 7). Made by the follower, shared by counted reference,
 * read by any thread. */
#pragma once

#include "chain/chain.h"
#include "protocol/proof.h"
#include "state/state.h"

typedef struct SvBindings SvBindings;

SvBindings *sv_bindings_ref (SvBindings *bindings);
void sv_bindings_unref (SvBindings *bindings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvBindings, sv_bindings_unref)

/* The head this picture was taken at; its commitments are those of blocks from_block … head.best.number. */
const SvHead *sv_bindings_head (const SvBindings *bindings);
guint64 sv_bindings_from_block (const SvBindings *bindings);

/* TRUE when the block's content could not be read. */
gboolean sv_bindings_is_unreadable (const SvBindings *bindings, guint64 block);
/* The lowest unreadable block in the range, or G_MAXUINT64. */
guint64 sv_bindings_first_unreadable (const SvBindings *bindings, guint64 first, guint64 last);

guint sv_bindings_count_unreadable (const SvBindings *bindings);
/* The unreadable blocks, for people: see sv_bindings_list_blocks(). "" when there are none. Returns: (transfer full). */
char *sv_bindings_list_unreadable (const SvBindings *bindings);
/* Ascending block numbers (guint64) as "100-240, 251"; of many stretches the first ones, and how many blocks there are in all.
 * Returns: (transfer full). */
char *sv_bindings_list_blocks (const GArray *blocks);

/* The extrinsic of a proof among the indexed ones. FALSE when the block lies outside the picture (then nothing is known);
 * otherwise *@extrinsic says found, not found or unreadable. Its strings live as long as @bindings. */
gboolean sv_bindings_find (const SvBindings *bindings, const SvProof *proof, SvProofExtrinsic *extrinsic);

/* Folded state of a hotkey for a window at @at_block (at most the head). Returns: (transfer full). */
SvFold *sv_bindings_fold (const SvBindings *bindings, const char *hotkey, const char *window_id, guint64 start_block,
                          guint64 expiry_block, guint64 at_block);

/* The same at the head, computed once per picture, hotkey and window and kept with the picture. (transfer none) */
const SvFold *sv_bindings_fold_at_head (SvBindings *bindings, const char *hotkey, const char *window_id, guint64 start_block,
                                        guint64 expiry_block);

/* Bare addresses with at least one successful `sv1 commit` text of the window. Returns: (transfer container). */
GPtrArray *sv_bindings_hotkeys (const SvBindings *bindings, const char *window_id);

/* Whether the hotkey has a successful `sv1 commit` text for a window that passes @test, and how many hotkeys have. */
typedef gboolean (*SvWindowTest) (const char *window_id, gpointer data);
gboolean sv_bindings_has_committed (const SvBindings *bindings, const char *hotkey, SvWindowTest test, gpointer data);
guint sv_bindings_count_committed (const SvBindings *bindings, SvWindowTest test, gpointer data);

/* Hotkeys other than @hotkey that have @chute_id in force in the window at the head. Returns: (transfer full) NULL-terminated.
 */
char **sv_bindings_chute_rivals (SvBindings *bindings, const char *hotkey, const char *chute_id, const char *window_id,
                                 guint64 start_block, guint64 expiry_block);
