/* Whom this home trusts: the setting's accounts and the subnet's owner where it says `chain:owner`, less those revoked by
 * `!ACCOUNT` in the setting or by the owner on the chain. Revocations are read at the finalized head and remembered for good,
 * so they hold also while the chain cannot be reached. The owner that was first seen is remembered: another one has to be
 * accepted by a person, because whoever owns the subnet could then sign manifests here. */
#include "distribution/signers.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "distribution/chain_anchor.h"
#include "distribution/reader_memory.h"

#define SETTING "SCOREVISION_MANIFEST_SIGNERS"

struct SvSigners
{
  GPtrArray *accounts;  /* bare addresses, NULL-terminated */
  GPtrArray *anchorers; /* those, and the owner where the chain has one */
};

/* What the setting says. */
typedef struct
{
  GPtrArray *accounts; /* bare addresses, as listed */
  GPtrArray *revoked;
  gboolean wants_owner;
} Setting;

static void
setting_clear (Setting *setting)
{
  g_clear_pointer (&setting->accounts, g_ptr_array_unref);
  g_clear_pointer (&setting->revoked, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Setting, setting_clear)

static gboolean
parse_item (Setting *setting, const char *item, const char *origin, GError **error)
{
  if (strcmp (item, "chain:owner") == 0)
  {
    setting->wants_owner = TRUE;
    return TRUE;
  }
  gboolean is_revoked = item[0] == '!';
  char *account = sv_account_normalize (is_revoked ? item + 1 : item);
  if (account == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 SETTING " (%s): `%s` is neither an account, nor `!ACCOUNT` for a revoked one, nor `chain:owner`", origin,
                 item);
    return FALSE;
  }
  g_ptr_array_add (is_revoked ? setting->revoked : setting->accounts, account);
  return TRUE;
}

static gboolean
parse_setting (const SvConfig *config, Setting *setting, GError **error)
{
  setting->accounts = g_ptr_array_new_with_free_func (g_free);
  setting->revoked = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) items = sv_config_get_list (config, SETTING);
  for (char **item = items; *item != NULL; item++)
    if (!parse_item (setting, *item, sv_config_origin (config, SETTING), error))
      return FALSE;
  if (setting->accounts->len > 0 || setting->wants_owner)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "no signer of manifests is trusted: set " SETTING " to the operator's account (ask the operator; on his machine "
               "`sv key show` prints it), or to chain:owner to trust the owner of the subnet");
  return FALSE;
}

/* ── the owner ── */

/* *@owner is NULL where the chain has none or cannot be asked and the setting does not need it. */
static gboolean
read_owner (SvChain *chain, gboolean is_needed, char **owner, GError **error)
{
  *owner = NULL;
  if (chain == NULL && is_needed)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 SETTING " names chain:owner, and no chain can be asked who that is; set BITTENSOR_SUBTENSOR_ENDPOINT");
    return FALSE;
  }
  if (chain == NULL)
    return TRUE;
  g_autoptr (GError) local = NULL;
  if (is_needed && (*owner = sv_chain_owner (chain, &local)) == NULL)
  {
    g_propagate_prefixed_error (error, g_steal_pointer (&local), SETTING " names chain:owner: ");
    return FALSE;
  }
  if (is_needed || sv_chain_find_owner (chain, owner, &local))
    return TRUE;
  if (!g_error_matches (local, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  sv_log ("warning", "revocations not read", "reason", local->message, NULL);
  return TRUE;
}

static gboolean
accept_owner (SvMemory *memory, const char *owner, gboolean may_change, GError **error)
{
  const char *known = sv_memory_owner (memory);
  if (known != NULL && strcmp (known, owner) != 0 && !may_change)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "the owner of the subnet has changed from %s to %s; if that is right, accept it once with `sv manifest list "
                 "--accept-owner`",
                 known, owner);
    return FALSE;
  }
  return sv_memory_remember_owner (memory, owner, error);
}

/* Remembers what the owner has revoked up to the finalized head. */
static gboolean
read_revocations (SvChain *chain, const char *owner, SvMemory *memory, GError **error)
{
  SvHead head;
  g_autoptr (SvAnchor) anchor = NULL;
  g_autoptr (GError) local = NULL;
  if (!sv_chain_head (chain, &head, &local) || !sv_chain_read_anchor (chain, owner, head.finalized.number, &anchor, &local))
  {
    sv_log ("warning", "revocations not read", "reason", local->message, NULL);
    return TRUE;
  }
  return anchor == NULL || sv_memory_remember_revoked (memory, (const char *const *)anchor->revoked, error);
}

/* ── the list ── */

static gboolean
has_account (GPtrArray *accounts, const char *address)
{
  return g_ptr_array_find_with_equal_func (accounts, address, g_str_equal, NULL);
}

static void
add_unless_revoked (GPtrArray *accounts, const char *address, const Setting *setting, const SvMemory *memory)
{
  if (!has_account (setting->revoked, address) && !g_strv_contains (sv_memory_revoked (memory), address) &&
      !has_account (accounts, address))
    g_ptr_array_add (accounts, g_strdup (address));
}

static SvSigners *
make_signers (const Setting *setting, const char *owner, const SvMemory *memory, GError **error)
{
  g_autoptr (SvSigners) signers = g_new0 (SvSigners, 1);
  signers->accounts = g_ptr_array_new_with_free_func (g_free);
  signers->anchorers = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < setting->accounts->len; i++)
    add_unless_revoked (signers->accounts, setting->accounts->pdata[i], setting, memory);
  if (owner != NULL && setting->wants_owner)
    add_unless_revoked (signers->accounts, owner, setting, memory);
  if (signers->accounts->len == 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "every account that " SETTING " names is revoked; ask the operator for the new one");
    return NULL;
  }
  for (guint i = 0; i < signers->accounts->len; i++)
    g_ptr_array_add (signers->anchorers, g_strdup (signers->accounts->pdata[i]));
  if (owner != NULL)
    add_unless_revoked (signers->anchorers, owner, setting, memory);
  g_ptr_array_add (signers->anchorers, NULL);
  g_ptr_array_add (signers->accounts, NULL);
  return g_steal_pointer (&signers);
}

SvSigners *
sv_signers_load (const SvConfig *config, SvChain *chain, gboolean may_change, GError **error)
{
  g_auto (Setting) setting = { 0 };
  SvChainId id;
  g_autofree char *owner = NULL;
  if (!parse_setting (config, &setting, error) || !read_owner (chain, setting.wants_owner, &owner, error) ||
      !sv_memory_chain_id (config, chain, &id, error))
    return NULL;
  g_autoptr (SvMemory) memory = sv_memory_open (config, &id, error);
  if (memory == NULL)
    return NULL;
  if (owner != NULL && setting.wants_owner && !accept_owner (memory, owner, may_change, error))
    return NULL;
  if (owner != NULL && !read_revocations (chain, owner, memory, error))
    return NULL;
  return make_signers (&setting, owner, memory, error);
}

void
sv_signers_free (SvSigners *signers)
{
  if (signers == NULL)
    return;
  g_ptr_array_unref (signers->accounts);
  g_ptr_array_unref (signers->anchorers);
  g_free (signers);
}

gboolean
sv_signers_trust (const char *address, gpointer data)
{
  SvSigners *signers = data;
  return g_strv_contains (sv_signers_accounts (signers), address);
}

const char *const *
sv_signers_accounts (const SvSigners *signers)
{
  return (const char *const *)signers->accounts->pdata;
}

const char *const *
sv_signers_anchorers (const SvSigners *signers)
{
  return (const char *const *)signers->anchorers->pdata;
}
