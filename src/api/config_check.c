/* The form of settings. Each is checked by the very functions that the server starts with, so both are always of one opinion.
 */
#include "api/config_check.h"

#include <string.h>

#include "api/address_limit.h"
#include "api/admission.h"
#include "api/clip_link.h"
#include "api/issue_publisher.h"
#include "api/listen.h"
#include "base/error.h"
#include "base/http_client.h"
#include "bindings/validators.h"
#include "chain/chain.h"
#include "distribution/signers.h"
#include "keys/keypair.h"
#include "state/state.h"
#include "store/object_store.h"

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
  GPtrArray *results = sv_check_results_new ();
  add_faults_of_reading (config, results);
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++)
  {
    g_autoptr (GError) error = NULL;
    if (forms[i].check != NULL)
      (void)(forms[i].check (config, &error));
    sv_check_results_judge (results, forms[i].setting, error, NULL);
  }
  return results;
}
