/* Opens the chain for all who need it, and waits where it cannot be reached: a server starts without it, and its watchers take
 * it up when it answers. All chains that one opener gives are one chain, whose genesis is the pinned one, else the one first
 * seen at the endpoint (docs/protocol.md section 4), else that of the first answer. */
#pragma once

#include "chain/chain.h"

typedef struct SvChainOpener SvChainOpener;

typedef enum
{
  SV_CHAIN_ANSWERS,
  SV_CHAIN_AWAY,    /* it cannot be reached or used */
  SV_CHAIN_REFUSED, /* it answers, and is another chain, or lies */
} SvChainContact;

/* How it is opened. Pauses between attempts double from the first to the longest. */
typedef struct
{
  SvChain *(*open) (const SvConfig *config, GError **error);
  guint patience_ms; /* how long sv_chain_opener_new() waits for the first attempt */
  guint first_pause_ms;
  guint longest_pause_ms;
} SvChainOpening;

#define SV_CHAIN_OPENING_DEFAULT                                                                                               \
  {                                                                                                                            \
    .open = sv_chain_open, .patience_ms = 10000, .first_pause_ms = 1000, .longest_pause_ms = 30000                             \
  }

/* Begins to open it on a thread of its own, and waits for the outcome a while. What waiting does not mend (a wrong setting,
 * another genesis, a ledger that cannot be opened) is an error; a node that does not answer is none. @config is borrowed;
 * @opening may be NULL for the default. Returns: (transfer full). */
SvChainOpener *sv_chain_opener_new (const SvConfig *config, const SvChainOpening *opening,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Waits for the attempt that is under way. */
void sv_chain_opener_free (SvChainOpener *opener);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvChainOpener, sv_chain_opener_free)

/* An open chain; any thread. While there is none this fails at once, by the fault of the last attempt. Returns: (transfer
 * full).
 */
SvChain *sv_chain_opener_open (SvChainOpener *opener, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How the last attempt went; any thread. */
SvChainContact sv_chain_opener_contact (SvChainOpener *opener);

/* Which chain it opens; FALSE as long as nobody can tell. Any thread. */
gboolean sv_chain_opener_id (SvChainOpener *opener, SvChainId *id);
