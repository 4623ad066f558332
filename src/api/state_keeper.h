/* The state keeper: whether the state can be used, and what a server needs of it before it serves (the key of clip links, the
 * nonces that are remembered). A server starts without its database, answers 503 as long as it is not there, and goes on by
 * itself. */
#pragma once

#include "api/admission.h"
#include "api/board.h"
#include "base/config.h"

typedef struct SvStateKeeper SvStateKeeper;

/* Looks at once, then every second. The board is told what he sees. @board, @memory and @clip_key
 * (SV_CLIP_LINK_KEY_SIZE bytes) are borrowed, the last two filled in before the
 * keeper is ready, and nobody else's before. Fails where the setting is wrong or the database holds what it must not; one that
 * cannot be reached, or refuses, is logged. Returns: (transfer full). */
SvStateKeeper *sv_state_keeper_new (const SvConfig *config, SvBoard *board, const SvAdmissionRules *rules,
                                    SvAdmissionMemory *memory, guint8 *clip_key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_state_keeper_free (SvStateKeeper *keeper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvStateKeeper, sv_state_keeper_free)

/* Why nothing can be answered that needs the state (static, for people); NULL when it can, or there is no @keeper. Any
 * thread. */
const char *sv_state_keeper_fault (SvStateKeeper *keeper);

/* It was read once, whatever it is like now. Any thread. */
gboolean sv_state_keeper_is_ready (SvStateKeeper *keeper);
