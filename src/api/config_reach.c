/* Whether what a server needs answers: chain, store, database, wallet, manifests. Engines have their own patience, and a check
 * that waits for all of them one by one would be no use before a start; so each is asked by a thread of its own. */
#include "api/config_check.h"

#include "api/manifests_check.h"
#include "base/error.h"
#include "chain/chain.h"
#include "keys/keypair.h"
#include "keys/passphrase.h"
#include "protocol/object_keys.h"
#include "state/state.h"
#include "store/object_store.h"

/* What a thread is asked and what it finds. It may outlive who asks, so it has what it needs. */
typedef struct
{
  gatomicrefcount references;
  GMutex lock;
  GCond changed;
  SvConfig *config; /* of this question alone: engines are opened by it */
  char *(*ask) (const SvConfig *config, GPtrArray *more, GError **error);
  gboolean is_answered;
  char *found;
  GPtrArray *more; /* of SvCheckResult, what it means for other settings */
  GError *error;
} Question;

static void
question_unref (Question *question)
{
  if (!g_atomic_ref_count_dec (&question->references))
    return;
  sv_config_free (question->config);
  g_free (question->found);
  g_ptr_array_unref (question->more);
  g_clear_error (&question->error);
  g_mutex_clear (&question->lock);
  g_cond_clear (&question->changed);
  g_free (question);
}

static gpointer
ask (gpointer data)
{
  Question *question = data;
  GError *error = NULL;
  char *found = question->ask (question->config, question->more, &error);
  g_mutex_lock (&question->lock);
  question->found = found;
  question->error = error;
  question->is_answered = TRUE;
  g_cond_signal (&question->changed);
  g_mutex_unlock (&question->lock);
  question_unref (question);
  return NULL;
}

static char *
ask_chain (const SvConfig *config, GPtrArray *more, GError **error)
{
  SvHead head;
  g_autoptr (SvChain) chain = sv_chain_open (config, error);
  if (chain == NULL || !sv_chain_head (chain, &head, error))
    return NULL;
  return g_strdup_printf ("block %" G_GUINT64_FORMAT ", finalized %" G_GUINT64_FORMAT, head.best.number, head.finalized.number);
}

/* That nothing was published yet is no fault. */
static char *
ask_store (const SvConfig *config, GPtrArray *more, GError **error)
{
  guint64 size;
  GError *failure = NULL;
  g_autoptr (SvObjectStore) store = sv_object_store_open (sv_config_get (config, "SCOREVISION_STORE"), config, error);
  if (store == NULL)
    return NULL;
  if (sv_object_store_head (store, SV_INDEX_KEY, &size, &failure))
    return g_strdup_printf ("an index of %" G_GUINT64_FORMAT " bytes", size);
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_error_free (failure);
    return g_strdup ("no index yet: nothing was published");
  }
  g_propagate_error (error, failure);
  return NULL;
}

static char *
ask_database (const SvConfig *config, GPtrArray *more, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvState) state = sv_state_open (config, &failure);
  g_autoptr (GPtrArray) clips = state != NULL ? sv_state_list_clips (state, &failure) : NULL;
  if (clips != NULL)
    return g_strdup_printf ("%u clip%s registered", clips->len, clips->len == 1 ? "" : "s");
  if (state != NULL && sv_state_is_refused (state))
    failure->code = SV_ERROR_USAGE; /* it would not let us in tomorrow either */
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

/* As the server does it; challenges are handed out without a key, so one that cannot be had is a warning. */
static char *
ask_wallet (const SvConfig *config, GPtrArray *more, GError **error)
{
  g_autoptr (GError) failure = NULL;
  sv_passphrase_never_ask ();
  g_autoptr (SvKeypair) keypair = sv_wallet_load (config, &failure);
  if (keypair != NULL)
    return g_strdup (sv_keypair_address (keypair));
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "the issue log will not be published, so nobody can check shards against what was issued, nor audit draws; "
               "challenges are handed out all the same: %s",
               failure->message);
  return NULL;
}

/* The store and the chain are asked by others, which say what is wrong with them. */
static char *
ask_manifests (const SvConfig *config, GPtrArray *more, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *issuers = NULL;
  g_autofree char *clips = NULL;
  char *found = sv_manifests_check (config, &issuers, &clips, &failure);
  if (issuers != NULL)
    sv_check_results_set (more, "BITTENSOR_WALLET_HOT", SV_CHECK_WARNING, 0, issuers);
  if (clips != NULL)
    sv_check_results_set (more, "SCOREVISION_DATABASE", SV_CHECK_WARNING, 0, clips);
  if (failure != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "no manifest can be served as things are: %s", failure->message);
  return found;
}

static const struct
{
  const char *setting;
  char *(*ask) (const SvConfig *config, GPtrArray *more, GError **error);
} questions[] = {
  { "BITTENSOR_SUBTENSOR_ENDPOINT", ask_chain },     { "SCOREVISION_STORE", ask_store },
  { "SCOREVISION_DATABASE", ask_database },          { "BITTENSOR_WALLET_HOT", ask_wallet },
  { "SCOREVISION_MANIFEST_SIGNERS", ask_manifests }, /* after those whose findings it adds to */
};

static Question *
question_new (const SvConfig *config, char *(*how) (const SvConfig *config, GPtrArray *more, GError **error))
{
  Question *question = g_new0 (Question, 1);
  g_atomic_ref_count_init (&question->references);
  g_atomic_ref_count_inc (&question->references);
  g_mutex_init (&question->lock);
  g_cond_init (&question->changed);
  question->config = sv_config_copy (config);
  question->ask = how;
  question->more = sv_check_results_new ();
  g_thread_unref (g_thread_new ("check", ask, question));
  return question;
}

/* Nobody is told of less than of what is there already. */
static void
take_more (const GPtrArray *more, GPtrArray *results)
{
  for (guint i = 0; i < more->len; i++)
  {
    const SvCheckResult *result = more->pdata[i];
    const SvCheckResult *known = sv_check_results_find (results, result->setting);
    if (known == NULL || known->outcome == SV_CHECK_OK)
      sv_check_results_set (results, result->setting, result->outcome, result->exit_status, result->message);
  }
}

static void
take_answer (Question *question, const char *setting, gint64 end_us, GPtrArray *results)
{
  g_mutex_lock (&question->lock);
  while (!question->is_answered && g_cond_wait_until (&question->changed, &question->lock, end_us))
    ;
  if (question->is_answered)
  {
    sv_check_results_judge (results, setting, question->error, question->found);
    take_more (question->more, results);
  }
  else
    sv_check_results_set (results, setting, SV_CHECK_WARNING, 0, "does not answer yet: it is slow, or away");
  g_mutex_unlock (&question->lock);
  question_unref (question);
}

/* What has been found wrong in its form is not asked. */
static gboolean
is_wrong (const GPtrArray *results, const char *setting)
{
  const SvCheckResult *result = sv_check_results_find (results, setting);
  return result != NULL && result->outcome == SV_CHECK_WRONG;
}

void
sv_config_check_reach (const SvConfig *config, guint timeout_ms, GPtrArray *results)
{
  gint64 end_us = g_get_monotonic_time () + (gint64)timeout_ms * 1000;
  Question *asked[G_N_ELEMENTS (questions)] = { NULL };
  for (gsize i = 0; i < G_N_ELEMENTS (questions); i++)
    if (!is_wrong (results, questions[i].setting))
      asked[i] = question_new (config, questions[i].ask);
  for (gsize i = 0; i < G_N_ELEMENTS (questions); i++)
    if (asked[i] != NULL)
      take_answer (asked[i], questions[i].setting, end_us, results);
}
