/* The genesis first seen at an endpoint (trust on first use): what is published for one chain must not be taken for another's
 * because an endpoint suddenly answers for a different chain. */
#include "distribution/reader_memory.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "distribution/memory_file.h"

static gboolean
genesis_changed (const char *path, const char *endpoint, const char *known, const char *now, GError **error)
{
  g_autofree char *shown = sv_config_mask (endpoint);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "%s is another chain than before: its genesis was %s and is %s now. If it was made anew on purpose, set "
               "SCOREVISION_GENESIS=%s or remove its line from %s",
               shown, known, now, now, path);
  return FALSE;
}

static gboolean
write_first_genesis (const char *path, const char *endpoint, const SvChainId *chain, GError **error)
{
  GError *local = NULL;
  g_autoptr (json_t) json = sv_memory_file_read (path, &local);
  if (local != NULL)
  {
    g_propagate_error (error, local);
    return FALSE;
  }
  if (json == NULL)
    json = json_object ();
  if (json_object_get (json, endpoint) != NULL)
    return TRUE; /* another process was quicker; the next reading compares */
  json_object_set_new (json, endpoint, json_string (chain->genesis));
  return sv_memory_file_write (path, json, error);
}

static gboolean
remember_genesis (const SvConfig *config, const char *path, const char *endpoint, const SvChainId *chain, GError **error)
{
  g_autofree char *lock_path = sv_config_home_path (config, "memory/lock");
  int lock = sv_memory_file_lock (lock_path, error);
  if (lock < 0)
    return FALSE;
  gboolean done = write_first_genesis (path, endpoint, chain, error);
  close (lock);
  return done;
}

/* (transfer full) the genesis known for the endpoint, or NULL with or without an error. */
static char *
known_genesis (const char *path, const char *endpoint, GError **error)
{
  g_autoptr (json_t) json = sv_memory_file_read (path, error);
  return json != NULL ? g_strdup (json_string_value (json_object_get (json, endpoint))) : NULL;
}

gboolean
sv_memory_check_genesis (const SvConfig *config, const SvChainId *chain, GError **error)
{
  const char *endpoint = sv_config_get (config, "BITTENSOR_SUBTENSOR_ENDPOINT");
  if (endpoint == NULL || sv_config_get (config, "SCOREVISION_GENESIS") != NULL)
    return TRUE;
  g_autofree char *path = sv_config_home_path (config, "memory/genesis.json");
  GError *local = NULL;
  g_autofree char *known = known_genesis (path, endpoint, &local);
  if (local != NULL)
  {
    g_propagate_error (error, local);
    return FALSE;
  }
  if (known == NULL)
    return remember_genesis (config, path, endpoint, chain, error);
  return strcmp (known, chain->genesis) == 0 ? TRUE : genesis_changed (path, endpoint, known, chain->genesis, error);
}

/* The genesis that documents must name while no chain can be asked. */
static char *
offline_genesis (const SvConfig *config, GError **error)
{
  const char *pinned = sv_config_get (config, "SCOREVISION_GENESIS");
  if (pinned != NULL)
    return g_ascii_strdown (pinned, -1);
  const char *endpoint = sv_config_get (config, "BITTENSOR_SUBTENSOR_ENDPOINT");
  g_autofree char *path = sv_config_home_path (config, "memory/genesis.json");
  return endpoint != NULL ? known_genesis (path, endpoint, error) : NULL;
}

gboolean
sv_memory_chain_id (const SvConfig *config, const SvChain *chain, SvChainId *id, GError **error)
{
  if (chain != NULL)
  {
    *id = *sv_chain_id (chain);
    return TRUE;
  }
  guint64 netuid = 0;
  if (!sv_config_get_integer (config, "SCOREVISION_NETUID", 0, G_MAXUINT16, &netuid, error))
    return FALSE;
  GError *local = NULL;
  g_autofree char *genesis = offline_genesis (config, &local);
  if (genesis == NULL && local == NULL)
    g_set_error (&local, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "no chain can be reached and none was seen before, so it is not known which chain manifests must be for; set "
                 "SCOREVISION_GENESIS or BITTENSOR_SUBTENSOR_ENDPOINT");
  if (local != NULL)
  {
    g_propagate_error (error, local);
    return FALSE;
  }
  id->netuid = (guint)netuid;
  g_strlcpy (id->genesis, genesis, sizeof id->genesis);
  return TRUE;
}
