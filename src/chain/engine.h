/* What an engine behind chain.h provides: one function per question. A further chain is a file that fills this table, and a
 * line in chain.c. What all engines share (pinned genesis, sanity of heads, waiting) is in chain.c. */
#pragma once

#include "chain/chain.h"

typedef struct
{
  gboolean (*takes) (const char *url); /* TRUE for the URLs that are this engine's */
  SvChain *(*open) (const char *url, const SvConfig *config, GError **error);
  void (*close) (SvChain *chain);
  guint64 (*block_time_ms) (SvChain *chain);
  guint (*poll_interval_ms) (SvChain *chain);
  char *(*runtime) (SvChain *chain);
  gboolean (*head) (SvChain *chain, SvHead *head, GError **error);
  gboolean (*block) (SvChain *chain, guint64 number, SvBlock *block, GError **error);
  GPtrArray *(*commitments) (SvChain *chain, guint64 first, guint64 last, GArray **unreadable, GError **error);
  gboolean (*find_extrinsic) (SvChain *chain, guint64 block, const char *hash, SvExtrinsic **found, gboolean *unreadable,
                              GError **error);
  GPtrArray *(*account_commitments) (SvChain *chain, const char *address, guint64 first, guint64 last, GArray **unreadable,
                                     GError **error);
  GPtrArray *(*slots) (SvChain *chain, GError **error);
  gboolean (*anchor_text) (SvChain *chain, const char *address, guint64 at_block, char **text, GError **error);
  gboolean (*owner) (SvChain *chain, char **owner, GError **error);
  char **(*permits) (SvChain *chain, guint64 block, GError **error);
  SvPreparedExtrinsic *(*prepare_commitment) (SvChain *chain, const SvKeypair *keypair, const char *text, SvPrepareFlags flags,
                                              GError **error);
  gboolean (*earliest_commitment) (SvChain *chain, const char *address, gsize length, guint64 *block, GError **error);
  gboolean (*submit) (SvChain *chain, const SvPreparedExtrinsic *prepared, GError **error);
  gsize (*max_text) (SvChain *chain);
} SvChainEngine;

/* The first member of every engine's own struct. */
struct SvChain
{
  const SvChainEngine *engine;
  SvChainId id;
  char *url;     /* as it may be shown */
  SvBlock final; /* the highest finalized block seen */
  gboolean has_final;
};

extern const SvChainEngine sv_ledger_engine;
extern const SvChainEngine sv_subtensor_engine;
