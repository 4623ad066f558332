/* The front of every chain: one URL names the engine, the rest is a call through its table. What all engines share stands here
 * once: the pinned genesis, ownership of results, and waiting for inclusion, which needs nothing but heads and proofs. */
#include "chain/chain.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "chain/engine.h"
#include "keys/ss58.h"

/* How often a waiting caller looks: ten times a block, but neither a busy loop nor slower than people expect. */
#define SHORTEST_WAIT_MS 20
#define LONGEST_WAIT_MS 1000

static const SvChainEngine *const engines[] = { &sv_ledger_engine };

static const SvChainEngine *
find_engine (const char *url)
{
  for (gsize i = 0; i < G_N_ELEMENTS (engines); i++)
    if (g_str_has_prefix (url, engines[i]->scheme))
      return engines[i];
  return NULL;
}

static gboolean
check_genesis (const SvChain *chain, const SvConfig *config, GError **error)
{
  const char *pinned = sv_config_get (config, "SCOREVISION_GENESIS");
  if (!pinned || g_ascii_strcasecmp (pinned, chain->id.genesis) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "%s is another chain: its genesis is %s, but SCOREVISION_GENESIS (%s) pins %s; correct the endpoint or the pin",
               chain->url, chain->id.genesis, sv_config_origin (config, "SCOREVISION_GENESIS"), pinned);
  return FALSE;
}

SvChain *
sv_chain_open (const SvConfig *config, GError **error)
{
  const char *url = sv_config_get (config, "BITTENSOR_SUBTENSOR_ENDPOINT");
  if (!url)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "no chain is configured: set BITTENSOR_SUBTENSOR_ENDPOINT, for example to ledger:/var/lib/scorevision/chain");
    return NULL;
  }
  const SvChainEngine *engine = find_engine (url);
  if (!engine)
  {
    g_autofree char *shown = sv_config_mask (url);
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "BITTENSOR_SUBTENSOR_ENDPOINT (%s): '%s' is no chain that this build can speak to; it takes ledger:PATH",
                 sv_config_origin (config, "BITTENSOR_SUBTENSOR_ENDPOINT"), shown);
    return NULL;
  }
  g_autoptr (SvChain) chain = engine->open (url, config, error);
  if (!chain || !check_genesis (chain, config, error))
    return NULL;
  return g_steal_pointer (&chain);
}

void
sv_chain_free (SvChain *chain)
{
  if (chain)
    chain->engine->close (chain);
}

void
sv_extrinsic_free (SvExtrinsic *extrinsic)
{
  if (!extrinsic)
    return;
  g_free (extrinsic->signer);
  g_free (extrinsic->text);
  g_free (extrinsic);
}

void
sv_prepared_extrinsic_free (SvPreparedExtrinsic *prepared)
{
  if (!prepared)
    return;
  g_clear_pointer (&prepared->bytes, g_bytes_unref);
  g_free (prepared->signer);
  g_free (prepared);
}

const SvChainId *
sv_chain_id (const SvChain *chain)
{
  return &chain->id;
}

const char *
sv_chain_url (const SvChain *chain)
{
  return chain->url;
}

guint64
sv_chain_block_time_ms (SvChain *chain)
{
  return chain->engine->block_time_ms (chain);
}

gboolean
sv_chain_head (SvChain *chain, SvHead *head, GError **error)
{
  return chain->engine->head (chain, head, error);
}

gboolean
sv_chain_block (SvChain *chain, guint64 number, SvBlock *block, GError **error)
{
  return chain->engine->block (chain, number, block, error);
}

GPtrArray *
sv_chain_commitments (SvChain *chain, guint64 first, guint64 last, GArray **unreadable, GError **error)
{
  return chain->engine->commitments (chain, first, last, unreadable, error);
}

gboolean
sv_chain_find_extrinsic (SvChain *chain, guint64 block, const char *hash, SvExtrinsic **found, gboolean *unreadable,
                         GError **error)
{
  return chain->engine->find_extrinsic (chain, block, hash, found, unreadable, error);
}

gboolean
sv_chain_anchor_text (SvChain *chain, const char *address, guint64 at_block, char **text, GError **error)
{
  return chain->engine->anchor_text (chain, address, at_block, text, error);
}

/* A subnet that nobody owns has the account of 32 zero bytes, to which no secret key is known. */
static gboolean
is_zero_key (const char *address)
{
  static const guint8 zero[SV_PUBLIC_KEY_SIZE];
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  return sv_ss58_decode (address, public_key) && memcmp (public_key, zero, sizeof zero) == 0;
}

char *
sv_chain_owner (SvChain *chain, GError **error)
{
  g_autofree char *owner = chain->engine->owner (chain, error);
  if (owner == NULL || !is_zero_key (owner))
    return g_steal_pointer (&owner);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "the subnet's owner on %s is the zero key, that is nobody: name accounts instead of chain:owner", chain->url);
  return NULL;
}

char **
sv_chain_permits (SvChain *chain, guint64 block, GError **error)
{
  return chain->engine->permits (chain, block, error);
}

SvPreparedExtrinsic *
sv_chain_prepare_commitment (SvChain *chain, const SvKeypair *keypair, const char *text, GError **error)
{
  return chain->engine->prepare_commitment (chain, keypair, text, error);
}

gboolean
sv_chain_submit (SvChain *chain, const SvPreparedExtrinsic *prepared, GError **error)
{
  return chain->engine->submit (chain, prepared, error);
}

gsize
sv_chain_max_text (SvChain *chain)
{
  return chain->engine->max_text (chain);
}

/* ── waiting for inclusion ── */

/* Looks at the blocks from @first to the head. Those up to the finalized one need not be looked at again (*@next), the others
 * do: a reorganisation may move the extrinsic. */
static gboolean
look_for (SvChain *chain, const char *hash, const SvHead *head, guint64 *next, SvExtrinsic **found, GError **error)
{
  for (guint64 number = *next; number <= head->best.number; number++)
  {
    gboolean unreadable = FALSE;
    if (!sv_chain_find_extrinsic (chain, number, hash, found, &unreadable, error))
      return FALSE;
    if (*found)
      return TRUE;
  }
  *next = MAX (*next, head->finalized.number + 1);
  return TRUE;
}

static SvExtrinsic *
judge_included (SvExtrinsic *extrinsic, GError **error)
{
  if (extrinsic->succeeded)
    return extrinsic;
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED,
               "extrinsic %s was included in block %" G_GUINT64_FORMAT
               " but failed there: the chain refused it; see why with `sv chain proof %" G_GUINT64_FORMAT ":%s`",
               extrinsic->hash, extrinsic->block, extrinsic->block, extrinsic->hash);
  sv_extrinsic_free (extrinsic);
  return NULL;
}

static void
wait_a_little (SvChain *chain, gint64 deadline)
{
  gint64 wait_us = CLAMP (sv_chain_block_time_ms (chain) / 10, SHORTEST_WAIT_MS, LONGEST_WAIT_MS) * 1000;
  gint64 left_us = deadline - g_get_monotonic_time ();
  if (left_us > 0)
    g_usleep ((gulong)MIN (wait_us, left_us));
}

SvExtrinsic *
sv_chain_await_inclusion (SvChain *chain, const char *hash, guint64 from, guint timeout_ms,
                          void (*progress) (guint64 best_block, gpointer data), gpointer data, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + (gint64)timeout_ms * 1000;
  char seen[SV_BLOCK_HASH_TEXT] = "";
  for (;;)
  {
    SvHead head;
    g_autoptr (SvExtrinsic) found = NULL;
    if (!sv_chain_head (chain, &head, error))
      return NULL;
    if (strcmp (head.best.hash, seen) != 0)
    {
      if (!look_for (chain, hash, &head, &from, &found, error))
        return NULL;
      if (found)
        return judge_included (g_steal_pointer (&found), error);
      g_strlcpy (seen, head.best.hash, sizeof seen);
      if (progress)
        progress (head.best.number, data);
    }
    if (g_get_monotonic_time () >= deadline)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                   "extrinsic %s was not included within %u s (the head is block %" G_GUINT64_FORMAT
                   "); it may still be: run the same command again",
                   hash, timeout_ms / 1000, head.best.number);
      return NULL;
    }
    wait_a_little (chain, deadline);
  }
}
