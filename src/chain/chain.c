/* The front of every chain: one URL names the engine, the rest is a call through its table. What all engines share stands here
 * once: the pinned genesis, ownership of results, and what no head may be. (Waiting: await.c.) */
#include "chain/chain.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "chain/engine.h"
#include "keys/ss58.h"

static const SvChainEngine *const engines[] = { &sv_ledger_engine, &sv_subtensor_engine };

static const SvChainEngine *
find_engine (const char *url)
{
  for (gsize i = 0; i < G_N_ELEMENTS (engines); i++)
    if (engines[i]->takes (url))
      return engines[i];
  return NULL;
}

/* A typing error in the pin is no word about the chain. */
gboolean
sv_chain_check_pin (const SvConfig *config, GError **error)
{
  const char *pinned = sv_config_get (config, "SCOREVISION_GENESIS");
  guint8 genesis[32];
  if (!pinned || (g_str_has_prefix (pinned, "0x") && strlen (pinned) == 2 + 2 * sizeof genesis &&
                  sv_hex_decode (pinned + 2, TRUE, genesis, sizeof genesis)))
    return TRUE;
  g_autofree char *shown = sv_text_printable (pinned);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "SCOREVISION_GENESIS (%s): \"%s\" is no genesis hash, which is 0x and 64 hex digits; `sv chain status` shows it",
               sv_config_origin (config, "SCOREVISION_GENESIS"), shown);
  return FALSE;
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

gboolean
sv_chain_check_endpoint (const SvConfig *config, GError **error)
{
  const char *url = sv_config_get (config, "BITTENSOR_SUBTENSOR_ENDPOINT");
  g_autofree char *shown = url ? sv_config_mask (url) : NULL;
  if (!url)
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "no chain is configured: set BITTENSOR_SUBTENSOR_ENDPOINT, for example to finney, or to "
                 "ledger:/var/lib/scorevision/chain");
  else if (!find_engine (url))
    g_set_error (
        error, SV_ERROR, SV_ERROR_USAGE,
        "BITTENSOR_SUBTENSOR_ENDPOINT (%s): '%s' is no chain; it takes ledger:PATH, finney, test, wss://HOST or https://HOST",
        sv_config_origin (config, "BITTENSOR_SUBTENSOR_ENDPOINT"), shown);
  return url && find_engine (url);
}

SvChain *
sv_chain_open (const SvConfig *config, GError **error)
{
  if (!sv_chain_check_endpoint (config, error) || !sv_chain_check_pin (config, error))
    return NULL;
  const char *url = sv_config_get (config, "BITTENSOR_SUBTENSOR_ENDPOINT");
  g_autoptr (SvChain) chain = find_engine (url)->open (url, config, error);
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
  g_free (extrinsic->failure);
  g_free (extrinsic);
}

void
sv_slot_free (SvSlot *slot)
{
  if (!slot)
    return;
  g_free (slot->account);
  g_free (slot->text);
  g_free (slot);
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

guint
sv_chain_poll_interval_ms (SvChain *chain)
{
  return chain->engine->poll_interval_ms (chain);
}

char *
sv_chain_runtime (SvChain *chain)
{
  return chain->engine->runtime (chain);
}

/* ── heads ── */

/* What was final stays final, and a node that has not come as far cannot tell what happened since. */
static gboolean
check_final (SvChain *chain, const SvBlock *final, GError **error)
{
  if (chain->has_final && final->number < chain->final.number)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "%s is behind: its finalized block is %" G_GUINT64_FORMAT ", and block %" G_GUINT64_FORMAT
                 " was final already; wait until it has caught up, or use another endpoint",
                 chain->url, final->number, chain->final.number);
    return FALSE;
  }
  if (chain->has_final && final->number == chain->final.number && strcmp (final->hash, chain->final.hash) != 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "%s contradicts itself: finalized block %" G_GUINT64_FORMAT
                 " was %s and is %s now; do not trust this endpoint, use another one",
                 chain->url, final->number, chain->final.hash, final->hash);
    return FALSE;
  }
  chain->final = *final;
  chain->has_final = TRUE;
  return TRUE;
}

gboolean
sv_chain_head (SvChain *chain, SvHead *head, GError **error)
{
  return chain->engine->head (chain, head, error) && check_final (chain, &head->finalized, error);
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

GPtrArray *
sv_chain_account_commitments (SvChain *chain, const char *address, guint64 first, guint64 last, GArray **unreadable,
                              GError **error)
{
  return chain->engine->account_commitments (chain, address, first, last, unreadable, error);
}

GPtrArray *
sv_chain_slots (SvChain *chain, GError **error)
{
  return chain->engine->slots (chain, error);
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

gboolean
sv_chain_find_owner (SvChain *chain, char **owner, GError **error)
{
  *owner = NULL;
  if (!chain->engine->owner (chain, owner, error))
    return FALSE;
  if (*owner && is_zero_key (*owner))
    g_clear_pointer (owner, g_free);
  return TRUE;
}

char *
sv_chain_owner (SvChain *chain, GError **error)
{
  char *owner;
  if (!sv_chain_find_owner (chain, &owner, error))
    return NULL;
  if (!owner)
    g_set_error (
        error, SV_ERROR, SV_ERROR_VERIFY,
        "subnet %u of %s has no owner (or the zero key, which is nobody): check SCOREVISION_NETUID, or name accounts in "
        "SCOREVISION_MANIFEST_SIGNERS instead of chain:owner",
        chain->id.netuid, chain->url);
  return owner;
}

char **
sv_chain_permits (SvChain *chain, guint64 block, GError **error)
{
  return chain->engine->permits (chain, block, error);
}

SvPreparedExtrinsic *
sv_chain_prepare_commitment (SvChain *chain, const SvKeypair *keypair, const char *text, SvPrepareFlags flags, GError **error)
{
  return chain->engine->prepare_commitment (chain, keypair, text, flags, error);
}

gboolean
sv_chain_earliest_commitment (SvChain *chain, const char *address, gsize length, guint64 *block, GError **error)
{
  return chain->engine->earliest_commitment (chain, address, length, block, error);
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
