/* Where the hotkey lies: btcli's directory layout, named by three settings. */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "keys/keypair.h"

/* The names become parts of a path. */
static gboolean
check_name (const SvConfig *config, const char *setting, GError **error)
{
  const char *name = sv_config_get (config, setting);
  if (strchr (name, '/') == NULL && strcmp (name, ".") != 0 && strcmp (name, "..") != 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s (%s): \"%s\" is not a name: it may not be a path", setting,
               sv_config_origin (config, setting), name);
  return FALSE;
}

gboolean
sv_wallet_check_names (const SvConfig *config, GError **error)
{
  return check_name (config, "BITTENSOR_WALLET_COLD", error) && check_name (config, "BITTENSOR_WALLET_HOT", error);
}

char *
sv_wallet_hotkey_path (const SvConfig *config)
{
  g_autofree char *wallets = sv_path_expand (sv_config_get (config, "BITTENSOR_WALLET_PATH"));
  return g_build_filename (wallets, sv_config_get (config, "BITTENSOR_WALLET_COLD"), "hotkeys",
                           sv_config_get (config, "BITTENSOR_WALLET_HOT"), NULL);
}

SvKeypair *
sv_wallet_load (const SvConfig *config, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!sv_wallet_check_names (config, error))
    return NULL;
  g_autofree char *path = sv_wallet_hotkey_path (config);
  g_autoptr (SvKeypair) keypair = sv_keyfile_read (path, &local);
  if (keypair != NULL)
    return g_steal_pointer (&keypair);
  if (!g_error_matches (local, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
               "%s: there is no such hotkey; make it with `sv key new --wallet %s --hotkey %s`", path,
               sv_config_get (config, "BITTENSOR_WALLET_COLD"), sv_config_get (config, "BITTENSOR_WALLET_HOT"));
  return NULL;
}
