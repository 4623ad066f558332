/* One thread tries, for an attempt at a node that does not answer takes up to a minute, in which those who ask for the chain
 * have other work: followers of another instance's readings above all. What it has opened waits for the first who asks; for
 * further ones it is opened anew on their threads, as a chain serves one thread. Where that fails the thread tries on.
 *
 * The log has a line when the chain is missed, when the reason becomes another, and when it answers; never one for each
 * attempt. */
#include "api/chain_opener.h"

#include <string.h>

#include "base/error.h"
#include "base/http_client.h"
#include "base/log.h"
#include "chain/ledger.h"
#include "distribution/reader_memory.h"

struct SvChainOpener
{
  const SvConfig *config;
  SvChainOpening opening;
  GThread *thread;
  GMutex lock; /* of what follows */
  GCond changed;
  SvChain *spare; /* opened, and not asked for yet */
  GError *fault;  /* of the last attempt */
  gboolean is_tried;
  gint is_closing;   /* written atomically, too: it ends the attempt under way */
  gboolean is_known; /* @id */
  SvChainId id;
  GError *told; /* the fault that the log has */
};

/* ── what is told ── */

static gboolean
is_away (const GError *fault)
{
  return g_error_matches (fault, SV_ERROR, SV_ERROR_UNREACHABLE);
}

/* What an endpoint that is away does to each attempt differs from one to the next. */
static gboolean
is_same_fault (const GError *a, const GError *b)
{
  if (a == NULL || b == NULL)
    return a == b;
  return (is_away (a) && is_away (b)) || strcmp (a->message, b->message) == 0;
}

static void
tell (SvChainOpener *opener)
{
  if (is_same_fault (opener->fault, opener->told) || (is_away (opener->fault) && sv_http_is_given_up ()))
    return;
  if (opener->fault == NULL)
    sv_log ("info", "chain", "reason", "answers now", NULL);
  else if (is_away (opener->fault))
    sv_log (
        "warning", "chain", "reason", opener->fault->message, "meaning",
        "this server goes on without it, and takes it up when it answers; until then challenges are handed out only by what "
        "another instance shares",
        NULL);
  else
    sv_log ("error", "chain", "reason", opener->fault->message, "meaning",
            "nothing is answered by it; this server tries on until the endpoint is right, or the setting is corrected", NULL);
  g_clear_error (&opener->told);
  opener->told = opener->fault != NULL ? g_error_copy (opener->fault) : NULL;
}

/* ── opening ── */

/* A chain is known before it answers where it is pinned, or this home has seen it before. */
static gboolean
check_identity (SvChainOpener *opener, const SvChain *chain, GError **error)
{
  const SvChainId *id = sv_chain_id (chain);
  if (!sv_memory_check_genesis (opener->config, id, error))
    return FALSE;
  g_mutex_lock (&opener->lock);
  gboolean is_same = !opener->is_known || sv_chain_id_equal (&opener->id, id);
  if (!is_same)
    g_set_error (
        error, SV_ERROR, SV_ERROR_VERIFY,
        "%s is another chain than before: its genesis is %s, and was %s; correct BITTENSOR_SUBTENSOR_ENDPOINT, or start "
        "the server again where that is right",
        sv_chain_url (chain), id->genesis, opener->id.genesis);
  else if (!opener->is_known)
    opener->id = *id;
  opener->is_known = TRUE;
  g_mutex_unlock (&opener->lock);
  return is_same;
}

static SvChain *
open_checked (SvChainOpener *opener, GError **error)
{
  g_autoptr (SvChain) chain = opener->opening.open (opener->config, error);
  return chain != NULL && check_identity (opener, chain, error) ? g_steal_pointer (&chain) : NULL;
}

/* Takes @fault; under the lock. */
static void
note (SvChainOpener *opener, GError *fault)
{
  g_clear_error (&opener->fault);
  opener->fault = fault;
  opener->is_tried = TRUE;
  g_cond_broadcast (&opener->changed);
}

/* Under the lock. */
static void
pause_after (SvChainOpener *opener, guint n_failed)
{
  guint64 ms = (guint64)opener->opening.first_pause_ms << MIN (n_failed - 1, 16);
  gint64 end = g_get_monotonic_time () + (gint64)MIN (ms, opener->opening.longest_pause_ms) * 1000;
  while (!opener->is_closing && g_cond_wait_until (&opener->changed, &opener->lock, end))
    ;
}

static gpointer
run (gpointer data)
{
  SvChainOpener *opener = data;
  guint n_failed = 0;
  sv_http_give_up_with (&opener->is_closing);
  g_mutex_lock (&opener->lock);
  while (!opener->is_closing)
  {
    if (opener->is_tried && opener->fault == NULL)
    {
      n_failed = 0;
      g_cond_wait (&opener->changed, &opener->lock);
      continue;
    }
    GError *fault = NULL;
    g_mutex_unlock (&opener->lock);
    SvChain *chain = open_checked (opener, &fault);
    g_mutex_lock (&opener->lock);
    gboolean is_first = !opener->is_tried;
    g_clear_pointer (&opener->spare, sv_chain_free);
    opener->spare = chain;
    note (opener, fault);
    if (!is_first) /* whoever started this tells of the first outcome */
      tell (opener);
    if (fault != NULL)
      pause_after (opener, ++n_failed);
  }
  g_mutex_unlock (&opener->lock);
  return NULL;
}

/* ── its life ── */

/* A ledger is a file of this machine: what is wrong with it does not pass. */
static gboolean
passes_by_waiting (const SvChainOpener *opener, const GError *fault)
{
  g_autofree char *ledger = sv_ledger_path (sv_config_get (opener->config, "BITTENSOR_SUBTENSOR_ENDPOINT"), NULL);
  return is_away (fault) && ledger == NULL;
}

/* FALSE where the first attempt has failed for good. */
static gboolean
await_first (SvChainOpener *opener, GError **error)
{
  guint patience_ms = opener->opening.patience_ms;
  gint64 end = g_get_monotonic_time () + (gint64)patience_ms * 1000;
  g_mutex_lock (&opener->lock);
  while (!opener->is_tried && g_cond_wait_until (&opener->changed, &opener->lock, end))
    ;
  if (!opener->is_tried)
  {
    g_autofree char *shown = sv_config_get_shown (opener->config, "BITTENSOR_SUBTENSOR_ENDPOINT");
    note (opener, g_error_new (SV_ERROR, SV_ERROR_UNREACHABLE,
                               "%s: no answer within %u s; check BITTENSOR_SUBTENSOR_ENDPOINT, or set "
                               "BITTENSOR_SUBTENSOR_FALLBACK to a second endpoint",
                               shown, patience_ms / 1000));
  }
  gboolean goes_on = opener->fault == NULL || passes_by_waiting (opener, opener->fault);
  if (goes_on)
    tell (opener);
  else
    g_propagate_error (error, g_error_copy (opener->fault));
  g_mutex_unlock (&opener->lock);
  return goes_on;
}

SvChainOpener *
sv_chain_opener_new (const SvConfig *config, const SvChainOpening *opening, GError **error)
{
  static const SvChainOpening defaults = SV_CHAIN_OPENING_DEFAULT;
  g_autoptr (SvChainOpener) opener = g_new0 (SvChainOpener, 1);
  g_mutex_init (&opener->lock);
  g_cond_init (&opener->changed);
  opener->config = config;
  opener->opening = opening != NULL ? *opening : defaults;
  opener->is_known = sv_memory_chain_id (config, NULL, &opener->id, NULL);
  opener->thread = g_thread_new ("chain-opener", run, opener);
  return await_first (opener, error) ? g_steal_pointer (&opener) : NULL;
}

void
sv_chain_opener_free (SvChainOpener *opener)
{
  if (opener == NULL)
    return;
  g_mutex_lock (&opener->lock);
  g_atomic_int_set (&opener->is_closing, TRUE);
  g_cond_broadcast (&opener->changed);
  g_mutex_unlock (&opener->lock);
  g_thread_join (opener->thread);
  g_clear_pointer (&opener->spare, sv_chain_free);
  g_clear_error (&opener->fault);
  g_clear_error (&opener->told);
  g_cond_clear (&opener->changed);
  g_mutex_clear (&opener->lock);
  g_free (opener);
}

/* ── asking ── */

SvChain *
sv_chain_opener_open (SvChainOpener *opener, GError **error)
{
  g_mutex_lock (&opener->lock);
  SvChain *chain = g_steal_pointer (&opener->spare);
  GError *fault = opener->fault != NULL ? g_error_copy (opener->fault) : NULL;
  g_mutex_unlock (&opener->lock);
  if (chain != NULL)
    return chain;
  if (fault == NULL && (chain = open_checked (opener, &fault)) != NULL)
    return chain;
  g_mutex_lock (&opener->lock);
  if (opener->fault == NULL)
  {
    note (opener, g_error_copy (fault));
    tell (opener);
  }
  g_mutex_unlock (&opener->lock);
  g_propagate_error (error, fault);
  return NULL;
}

SvChainContact
sv_chain_opener_contact (SvChainOpener *opener)
{
  g_mutex_lock (&opener->lock);
  SvChainContact contact = opener->fault == NULL                                        ? SV_CHAIN_ANSWERS
                           : g_error_matches (opener->fault, SV_ERROR, SV_ERROR_VERIFY) ? SV_CHAIN_REFUSED
                                                                                        : SV_CHAIN_AWAY;
  g_mutex_unlock (&opener->lock);
  return contact;
}

gboolean
sv_chain_opener_id (SvChainOpener *opener, SvChainId *id)
{
  g_mutex_lock (&opener->lock);
  gboolean is_known = opener->is_known;
  *id = opener->id;
  g_mutex_unlock (&opener->lock);
  return is_known;
}
