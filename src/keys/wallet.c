/* Where the hotkey lies: btcli's directory layout, named by three settings. */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "keys/keypair.h"

#define MAX_NAMED 20 /* hotkeys that are suggested */

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

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* The entries of @folder in order, as "miner, operator"; NULL where there is none. */
static char *
list_names (const char *folder)
{
  g_autoptr (GDir) names = g_dir_open (folder, 0, NULL);
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_free);
  for (const char *name; names != NULL && (name = g_dir_read_name (names)) != NULL && list->len < MAX_NAMED;)
    g_ptr_array_add (list, sv_text_printable (name));
  if (list->len == 0)
    return NULL;
  g_ptr_array_sort (list, compare_names);
  g_ptr_array_add (list, NULL);
  return g_strjoinv (", ", (char **)list->pdata);
}

/* "; choose one that is there with --hotkey (miner, operator)", or with --wallet where it is the wallet that has none; "" where
 * there are none at all. */
static char *
describe_others (const char *path)
{
  g_autofree char *hotkeys_folder = g_path_get_dirname (path);
  g_autofree char *wallet_folder = g_path_get_dirname (hotkeys_folder);
  g_autofree char *wallets_folder = g_path_get_dirname (wallet_folder);
  g_autofree char *hotkeys = list_names (hotkeys_folder);
  g_autofree char *wallets = hotkeys == NULL ? list_names (wallets_folder) : NULL;
  if (hotkeys == NULL && wallets == NULL)
    return g_strdup ("");
  return g_strdup_printf ("; choose one that is there with %s (%s)", hotkeys != NULL ? "--hotkey" : "--wallet",
                          hotkeys != NULL ? hotkeys : wallets);
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
  g_autofree char *others = describe_others (path);
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
               "%s: there is no such hotkey%s%s make it with `sv key new --wallet %s --hotkey %s` (or sv key import)", path,
               others, *others != '\0' ? ", or" : ";", sv_config_get (config, "BITTENSOR_WALLET_COLD"),
               sv_config_get (config, "BITTENSOR_WALLET_HOT"));
  return NULL;
}
