/* Whom this home trusts: the setting's accounts and the subnet's owner where it says `chain:owner`, less those revoked by
 * `!ACCOUNT` in the setting or by the owner on the chain, and what statements on signers make of them. Statements are folded
 * anew from the first whenever something changes, so a revocation needs no step of its own. Revocations are read at the
 * finalized head and remembered for good, so they hold also while the chain cannot be reached. The owner that was first seen is
 * remembered: another one has to be accepted by a person, because whoever owns the subnet can revoke here, where the setting
 * says so even sign; and a node that lies about this one value must not get that. */
#include "distribution/signers.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "distribution/chain_anchor.h"
#include "distribution/reader_memory.h"
#include "distribution/signers_memory.h"

#define SETTING "SCOREVISION_MANIFEST_SIGNERS"

/* A finalized block is remembered this much later than the last, or when an account's state has changed since. */
#define REMEMBER_EVERY_BLOCKS 100

struct SvSigners
{
  SvSignerRoots *roots;
  char *chain_owner;    /* if accepted; or NULL where the chain has none or was not asked */
  char *other_owner;    /* whom the chain names and nobody has accepted, or NULL */
  char *accepted_owner; /* or NULL */
  char *memory_path;
  GPtrArray *statements; /* of SvSignersStatement */
  guint64 block;
  SvSignersFold *fold;
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

/* *@is_accepted is FALSE where another owner was accepted before: an error only where the setting trusts the owner. */
static gboolean
accept_owner (SvMemory *memory, const char *owner, const Setting *setting, gboolean may_change, gboolean *is_accepted,
              GError **error)
{
  if (!sv_memory_remember_owner (memory, owner, may_change, error))
    return FALSE;
  const char *known = sv_memory_owner (memory);
  *is_accepted = strcmp (known, owner) == 0;
  if (*is_accepted || !setting->wants_owner)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "the owner of the subnet has changed from %s to %s; if that is right, accept it once with `sv manifest list "
               "--accept-owner`",
               known, owner);
  return FALSE;
}

/* Remembers what the owner has revoked up to the finalized block. */
static gboolean
read_revocations (SvChain *chain, const char *owner, guint64 finalized, SvMemory *memory, GError **error)
{
  g_autoptr (SvAnchor) anchor = NULL;
  g_autoptr (GError) local = NULL;
  if (!sv_chain_read_anchor (chain, owner, finalized, &anchor, &local))
  {
    sv_log ("warning", "revocations not read", "reason", local->message, NULL);
    return TRUE;
  }
  return anchor == NULL || sv_memory_remember_revoked (memory, owner, (const char *const *)anchor->revoked, error);
}

/* ── folding ── */

static char **
dup_list (const GPtrArray *accounts)
{
  char **list = g_new0 (char *, accounts->len + 1);
  for (guint i = 0; i < accounts->len; i++)
    list[i] = g_strdup (accounts->pdata[i]);
  return list;
}

static SvSignerRoots *
make_roots (const Setting *setting, const char *owner, const SvMemory *memory)
{
  SvSignerRoots *roots = g_new0 (SvSignerRoots, 1);
  roots->accounts = dup_list (setting->accounts);
  roots->owner = setting->wants_owner ? g_strdup (owner) : NULL;
  roots->revoked_by_owner = g_strdupv ((char **)sv_memory_revoked (memory));
  roots->revoked_by_setting = dup_list (setting->revoked);
  return roots;
}

static gboolean
has_account (GPtrArray *accounts, const char *address)
{
  return g_ptr_array_find_with_equal_func (accounts, address, g_str_equal, NULL);
}

static void
fold_anew (SvSigners *signers)
{
  g_clear_pointer (&signers->fold, sv_signers_fold_free);
  signers->fold = sv_signers_fold_all (signers->roots, signers->statements);
  g_ptr_array_set_size (signers->accounts, 0);
  g_ptr_array_set_size (signers->anchorers, 0);
  g_autoptr (GPtrArray) list = sv_signers_fold_list (signers->fold, signers->block);
  for (guint i = 0; i < list->len; i++)
  {
    const SvSigner *signer = list->pdata[i];
    if (signer->state != SV_SIGNER_TRUSTED)
      continue;
    g_ptr_array_add (signers->accounts, g_strdup (signer->account));
    g_ptr_array_add (signers->anchorers, g_strdup (signer->account));
  }
  const char *owner = signers->chain_owner;
  if (owner != NULL && !has_account (signers->anchorers, owner) &&
      sv_signers_fold_state (signers->fold, owner, signers->block) != SV_SIGNER_REVOKED)
    g_ptr_array_add (signers->anchorers, g_strdup (owner));
  g_ptr_array_add (signers->anchorers, NULL);
  g_ptr_array_add (signers->accounts, NULL);
}

/* Writing at each block would wear the disk out for nothing. */
static gboolean
remember_block (const SvSigners *signers, SvMemory *memory, GError **error)
{
  guint64 known = sv_memory_finalized (memory);
  if (signers->block <= known || (known > 0 && signers->block - known < REMEMBER_EVERY_BLOCKS &&
                                  !sv_signers_fold_changes_between (signers->fold, known, signers->block)))
    return TRUE;
  return sv_memory_remember_finalized (memory, signers->block, error);
}

/* Takes @roots and @statements. */
static SvSigners *
make_signers (SvSignerRoots *roots, const char *owner, GPtrArray *statements, guint64 block)
{
  SvSigners *signers = g_new0 (SvSigners, 1);
  signers->roots = roots;
  signers->chain_owner = g_strdup (owner);
  signers->statements = statements;
  signers->block = block;
  signers->accounts = g_ptr_array_new_with_free_func (g_free);
  signers->anchorers = g_ptr_array_new_with_free_func (g_free);
  fold_anew (signers);
  return signers;
}

/* The finalized block, 0 where no chain tells it. */
static guint64
read_finalized (SvChain *chain)
{
  SvHead head;
  g_autoptr (GError) error = NULL;
  if (chain == NULL)
    return 0;
  if (sv_chain_head (chain, &head, &error))
    return head.finalized.number;
  sv_log ("warning", "finalized block not read", "reason", error->message, NULL);
  return 0;
}

/* What the chain says is written down before it is folded. */
static gboolean
read_chain (SvChain *chain, const char *owner, guint64 finalized, const Setting *setting, SvMemory *memory, gboolean may_change,
            gboolean *is_accepted, GError **error)
{
  *is_accepted = FALSE;
  if (owner == NULL)
    return TRUE;
  if (!accept_owner (memory, owner, setting, may_change, is_accepted, error))
    return FALSE;
  return finalized == 0 || !*is_accepted || read_revocations (chain, owner, finalized, memory, error);
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
  guint64 finalized = memory != NULL ? read_finalized (chain) : 0;
  gboolean is_accepted;
  if (memory == NULL || !read_chain (chain, owner, finalized, &setting, memory, may_change, &is_accepted, error))
    return NULL;
  GPtrArray *statements = sv_signers_memory_read (config, &id, error);
  if (statements == NULL)
    return NULL;
  guint64 block = finalized > 0 ? finalized : sv_memory_finalized (memory);
  g_autoptr (SvSigners) signers =
      make_signers (make_roots (&setting, owner, memory), is_accepted ? owner : NULL, statements, block);
  signers->other_owner = is_accepted ? NULL : g_steal_pointer (&owner);
  signers->accepted_owner = g_strdup (sv_memory_owner (memory));
  signers->memory_path = g_strdup (sv_memory_path (memory));
  return remember_block (signers, memory, error) ? g_steal_pointer (&signers) : NULL;
}

void
sv_signers_free (SvSigners *signers)
{
  if (signers == NULL)
    return;
  sv_signer_roots_free (signers->roots);
  g_free (signers->chain_owner);
  g_free (signers->other_owner);
  g_free (signers->accepted_owner);
  g_free (signers->memory_path);
  g_ptr_array_unref (signers->statements);
  sv_signers_fold_free (signers->fold);
  g_ptr_array_unref (signers->accounts);
  g_ptr_array_unref (signers->anchorers);
  g_free (signers);
}

/* ── asking and changing ── */

void
sv_signers_warn_of_owner (const SvSigners *signers, const SvSigners *before)
{
  if (signers->other_owner == NULL || (before != NULL && g_strcmp0 (before->other_owner, signers->other_owner) == 0))
    return;
  sv_log ("warning", "the owner of the subnet is another, whose revocations and anchors do not count", "accepted",
          signers->accepted_owner, "now", signers->other_owner, "if_that_is_right",
          "accept it once with `sv manifest list --accept-owner`", NULL);
}

static gboolean
is_left (const SvSigners *signers, const char *account)
{
  return account != NULL && sv_signers_fold_state (signers->fold, account, signers->block) != SV_SIGNER_REVOKED;
}

gboolean
sv_signers_check_some_left (const SvSigners *signers, GError **error)
{
  gboolean is_by_chain = FALSE;
  for (char **account = signers->roots->accounts; *account != NULL; account++)
  {
    if (is_left (signers, *account))
      return TRUE;
    is_by_chain |= g_strv_contains ((const char *const *)signers->roots->revoked_by_owner, *account);
  }
  if (is_left (signers, signers->roots->owner))
    return TRUE;
  g_autofree char *lie =
      is_by_chain ? g_strdup_printf ("; if a node has lied to this home about who owns the subnet (%s was accepted), take what "
                                     "is wrong out of `revoked_by` and `revoked` in %s, and name a node of somebody else in "
                                     "BITTENSOR_SUBTENSOR_FALLBACK",
                                     signers->accepted_owner != NULL ? signers->accepted_owner : "nobody", signers->memory_path)
                  : g_strdup ("");
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "every account that " SETTING " names is revoked: ask the operator for the new one, and name it there%s", lie);
  return FALSE;
}

gboolean
sv_signers_trust (const char *address, gpointer data)
{
  const SvSigners *signers = data;
  return sv_signers_fold_state (signers->fold, address, signers->block) == SV_SIGNER_TRUSTED;
}

gboolean
sv_signers_honour (const char *address, gpointer data)
{
  const SvSigners *signers = data;
  SvSignerState state = sv_signers_fold_state (signers->fold, address, signers->block);
  return state == SV_SIGNER_TRUSTED || state == SV_SIGNER_RETIRED;
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

const SvSignersFold *
sv_signers_fold (const SvSigners *signers)
{
  return signers->fold;
}

const SvSignerRoots *
sv_signers_roots (const SvSigners *signers)
{
  return signers->roots;
}

const GPtrArray *
sv_signers_statements (const SvSigners *signers)
{
  return signers->statements;
}

guint64
sv_signers_block (const SvSigners *signers)
{
  return signers->block;
}

void
sv_signers_set_statements (SvSigners *signers, GPtrArray *statements)
{
  g_ptr_array_unref (signers->statements);
  signers->statements = statements;
  fold_anew (signers);
}

void
sv_signers_add_revoked (SvSigners *signers, const char *const *accounts)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gboolean has_more = FALSE;
  for (char **known = signers->roots->revoked_by_owner; *known != NULL; known++)
    g_strv_builder_add (builder, *known);
  for (; *accounts != NULL; accounts++)
    if (!g_strv_contains ((const char *const *)signers->roots->revoked_by_owner, *accounts))
    {
      g_strv_builder_add (builder, *accounts);
      has_more = TRUE;
    }
  if (!has_more)
    return;
  g_strfreev (signers->roots->revoked_by_owner);
  signers->roots->revoked_by_owner = g_strv_builder_end (builder);
  fold_anew (signers);
}
