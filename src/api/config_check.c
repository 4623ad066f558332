/* Form is checked by the very functions that the server starts with, so both are always of one opinion. Reaching runs on
 * threads of its own, since an engine has its own patience: a check that waits for all of them one by one would be no use
 * before a start. */
#include "api/config_check.h"

#include <string.h>

#include "api/address_limit.h"
#include "api/admission.h"
#include "api/clip_link.h"
#include "api/issue_publisher.h"
#include "api/listen.h"
#include "api/manifests_check.h"
#include "base/error.h"
#include "base/http_client.h"
#include "bindings/validators.h"
#include "chain/chain.h"
#include "distribution/signers.h"
#include "keys/keypair.h"
#include "keys/passphrase.h"
#include "protocol/object_keys.h"
#include "state/state.h"
#include "store/object_store.h"

void
sv_check_result_free (SvCheckResult *result)
{
  g_free (result->setting);
  g_free (result->origin);
  g_free (result->message);
  g_free (result);
}

const char *
sv_check_result_origin (const SvCheckResult *result, const SvConfig *config)
{
  return result->origin != NULL ? result->origin : sv_config_origin (config, result->setting);
}

static void
free_result (gpointer result)
{
  sv_check_result_free (result);
}

/* (transfer none) or NULL. */
static SvCheckResult *
find (const GPtrArray *results, const char *setting)
{
  for (guint i = 0; i < results->len; i++)
  {
    SvCheckResult *result = results->pdata[i];
    if (result->origin == NULL && strcmp (result->setting, setting) == 0)
      return result;
  }
  return NULL;
}

/* One for each setting: what is found later is said in place of what was right before. */
static void
add (GPtrArray *results, const char *setting, SvCheckOutcome outcome, int exit_status, const char *message)
{
  SvCheckResult *result = find (results, setting);
  if (result == NULL)
  {
    result = g_new0 (SvCheckResult, 1);
    result->setting = g_strdup (setting);
    g_ptr_array_add (results, result);
  }
  g_free (result->message);
  result->message = g_strdup (message);
  result->outcome = outcome;
  result->exit_status = exit_status;
}

/* @error NULL: it is as it should be, and @found says what that is. What is only away is a warning. */
static void
judge (GPtrArray *results, const char *setting, const GError *error, const char *found)
{
  if (error == NULL)
    add (results, setting, SV_CHECK_OK, 0, found);
  else if (g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE))
    add (results, setting, SV_CHECK_WARNING, 0, error->message);
  else
    add (results, setting, SV_CHECK_WRONG, sv_error_exit_status (error), error->message);
}

/* ── form ── */

/* A line that is no setting, an unknown name, a file that cannot be read. */
static void
add_faults_of_reading (const SvConfig *config, GPtrArray *results)
{
  const GPtrArray *faults = sv_config_faults (config);
  for (guint i = 0; i < faults->len; i++)
  {
    const SvConfigFault *fault = faults->pdata[i];
    SvCheckResult *result = g_new0 (SvCheckResult, 1);
    result->setting = g_strdup (fault->name != NULL ? fault->name : "SCOREVISION_CONFIG");
    result->origin = g_strdup (fault->origin);
    result->outcome = SV_CHECK_WRONG;
    result->message = g_strdup (fault->message);
    result->exit_status = 2;
    g_ptr_array_add (results, result);
  }
}

typedef gboolean (*CheckForm) (const SvConfig *config, GError **error);

static gboolean
check_netuid (const SvConfig *config, GError **error)
{
  guint64 unused;
  return sv_config_get_integer (config, "SCOREVISION_NETUID", 0, 65535, &unused, error);
}

static gboolean
check_max_lag (const SvConfig *config, GError **error)
{
  guint64 unused;
  return sv_config_get_integer (config, "SCOREVISION_CHAIN_MAX_LAG", 1, 31536000, &unused, error);
}

static gboolean
check_issue_interval (const SvConfig *config, GError **error)
{
  guint64 unused;
  return sv_config_get_integer (config, "SCOREVISION_ISSUE_INTERVAL", 1, SV_ISSUE_INTERVAL_MAX_S, &unused, error);
}

static gboolean
check_rate_limit (const SvConfig *config, GError **error)
{
  SvAdmissionRules unused;
  return sv_admission_rules_parse ("SCOREVISION_RATE_LIMIT", sv_config_get (config, "SCOREVISION_RATE_LIMIT"), &unused, error);
}

static gboolean
check_listen (const SvConfig *config, GError **error)
{
  return sv_listen_check (sv_config_get (config, "SCOREVISION_LISTEN"), error);
}

static gboolean
check_bases (const SvConfig *config, GError **error)
{
  g_auto (GStrv) bases = sv_config_get_list (config, "SCOREVISION_API");
  gboolean is_default = g_strcmp0 (sv_config_origin (config, "SCOREVISION_API"), "default") == 0;
  for (char **base = bases; *base != NULL && !is_default; base++)
  {
    g_autofree char *origin = sv_url_origin (*base, error);
    if (origin == NULL)
    {
      g_prefix_error (error, "SCOREVISION_API: ");
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check_proxies (const SvConfig *config, GError **error)
{
  g_auto (GStrv) proxies = sv_config_get_list (config, "SCOREVISION_TRUSTED_PROXIES");
  g_autoptr (SvAddressLimit) limit = sv_address_limit_new (1, 1, (const char *const *)proxies, error);
  return limit != NULL;
}

static gboolean
check_validators (const SvConfig *config, GError **error)
{
  g_autoptr (GError) failure = NULL;
  sv_validators_free (sv_validators_new (config, &failure)); /* NULL without an error: no list */
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Without a chain, as it is its form that is asked for: `chain:owner` then cannot be read, and is well formed. */
static gboolean
check_signers (const SvConfig *config, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvSigners) signers = sv_signers_load (config, NULL, FALSE, &failure);
  if (signers != NULL || g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
check_log (const SvConfig *config, GError **error)
{
  const char *format = sv_config_get (config, "SCOREVISION_LOG");
  if (format == NULL || strcmp (format, "logfmt") == 0 || strcmp (format, "json") == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "SCOREVISION_LOG is `%s` (%s); it must be logfmt or json", format,
               sv_config_origin (config, "SCOREVISION_LOG"));
  return FALSE;
}

static gboolean
check_store (const SvConfig *config, GError **error)
{
  const char *url = sv_config_get (config, "SCOREVISION_STORE");
  g_autoptr (SvObjectStore) store = sv_object_store_open (url, config, error);
  if (store == NULL)
    return FALSE;
  if (sv_object_store_check_writable (store, NULL))
    return sv_clip_url_check (store, error);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "SCOREVISION_STORE: clips are handed out from a file: or s3: store, and %s is neither; set it to file:PATH or "
               "s3://BUCKET",
               sv_object_store_url (store));
  return FALSE;
}

/* Opened is only what connects later: a file would be made. */
static gboolean
check_database (const SvConfig *config, GError **error)
{
  if (g_str_has_prefix (sv_config_get (config, "SCOREVISION_DATABASE"), "sqlite:"))
    return TRUE;
  g_autoptr (SvState) state = sv_state_open (config, error);
  return state != NULL;
}

gboolean
sv_config_check_public_urls (const SvConfig *config, GError **error)
{
  g_auto (GStrv) urls = sv_config_get_list (config, "R2_PUBLIC_URL");
  for (char **url = urls; *url != NULL; url++)
  {
    g_autoptr (SvObjectStore) store = sv_object_store_open (*url, config, error);
    if (store == NULL)
    {
      g_prefix_error (error, "R2_PUBLIC_URL: ");
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check_wallet (const SvConfig *config, GError **error)
{
  return sv_wallet_check_names (config, error);
}

/* Without a function: any value is well formed, or another setting's check has it in view. */
static const struct
{
  const char *setting;
  CheckForm check;
} forms[] = {
  { "BITTENSOR_SUBTENSOR_ENDPOINT", sv_chain_check_endpoint },
  { "BITTENSOR_SUBTENSOR_FALLBACK", NULL },
  { "SCOREVISION_GENESIS", sv_chain_check_pin },
  { "SCOREVISION_STORE", check_store },
  { "S3_ENDPOINT", NULL },
  { "R2_ACCOUNT_ID", NULL },
  { "S3_REGION", NULL },
  { "R2_WRITE_ACCESS_KEY_ID", NULL },
  { "R2_WRITE_SECRET_ACCESS_KEY", NULL },
  { "R2_BUCKET", NULL },
  { "R2_PUBLIC_URL", sv_config_check_public_urls },
  { "R2_BUCKET_PUBLIC_URL", NULL },
  { "SCOREVISION_DATABASE", check_database },
  { "SCOREVISION_MANIFEST_SIGNERS", check_signers },
  { "SCOREVISION_VALIDATORS", check_validators },
  { "SCOREVISION_API", check_bases },
  { "SCOREVISION_LISTEN", check_listen },
  { "SCOREVISION_TRUSTED_PROXIES", check_proxies },
  { "SCOREVISION_LOG", check_log },
  { "SCOREVISION_RATE_LIMIT", check_rate_limit },
  { "SCOREVISION_ISSUE_INTERVAL", check_issue_interval },
  { "SCOREVISION_CHAIN_MAX_LAG", check_max_lag },
  { "BITTENSOR_WALLET_PATH", NULL },
  { "BITTENSOR_WALLET_COLD", NULL },
  { "BITTENSOR_WALLET_HOT", check_wallet },
  { "SCOREVISION_HOME", NULL },
  { "SCOREVISION_NETUID", check_netuid },
  { "SCOREVISION_CONFIG", NULL },
};

GPtrArray *
sv_config_check_form (const SvConfig *config)
{
  GPtrArray *results = g_ptr_array_new_with_free_func (free_result);
  add_faults_of_reading (config, results);
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++)
  {
    g_autoptr (GError) error = NULL;
    if (forms[i].check != NULL)
      (void)(forms[i].check (config, &error));
    judge (results, forms[i].setting, error, NULL);
  }
  return results;
}

/* ── reaching ── */

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
    add (more, "BITTENSOR_WALLET_HOT", SV_CHECK_WARNING, 0, issuers);
  if (clips != NULL)
    add (more, "SCOREVISION_DATABASE", SV_CHECK_WARNING, 0, clips);
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
  question->more = g_ptr_array_new_with_free_func (free_result);
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
    const SvCheckResult *known = find (results, result->setting);
    if (known == NULL || known->outcome == SV_CHECK_OK)
      add (results, result->setting, result->outcome, result->exit_status, result->message);
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
    judge (results, setting, question->error, question->found);
    take_more (question->more, results);
  }
  else
    add (results, setting, SV_CHECK_WARNING, 0, "does not answer yet: it is slow, or away");
  g_mutex_unlock (&question->lock);
  question_unref (question);
}

/* What has been found wrong in its form is not asked. */
static gboolean
is_wrong (const GPtrArray *results, const char *setting)
{
  const SvCheckResult *result = find (results, setting);
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

int
sv_check_results_status (const GPtrArray *results)
{
  for (guint i = 0; i < results->len; i++)
  {
    const SvCheckResult *result = results->pdata[i];
    if (result->outcome == SV_CHECK_WRONG)
      return result->exit_status;
  }
  return 0;
}
