/* Each account has a list of changes, in the order of the statements. For the right to sign statements the last one decides,
 * whatever its block; for manifests and indexes at a block the last one of those that count at it. Where there is none, the
 * setting decides. A revoked account has no rights, so its statements never have effect, and whoever was named by them alone
 * was never named at all.
 *
 * An account holds a place against an addition from block F unless it retires, as far as is said yet, from F or earlier. So of
 * those trusted at any block the one added last found all others' places held, and no order of additions and retirements makes
 * more of them than there are places. */
#include "protocol/signers_fold.h"

#include <string.h>

typedef struct
{
  guint64 statement;
  guint64 from_block;
  gboolean is_addition;
  char *by;
} Change;

typedef struct
{
  char *account;
  gboolean is_root;   /* the setting names it, as an account or as the owner */
  gboolean is_member; /* it is a root, or was added */
  GPtrArray *changes;
} Account;

struct SvSignersFold
{
  SvSignerRoots *roots;
  GPtrArray *accounts; /* of Account, in the order in which they were named */
  GHashTable *by_name; /* address -> Account */
  GPtrArray *members;  /* those of them (transfer none) that ever held a place */
  guint64 last_effective;
};

/* ── values ── */

SvSignerRoots *
sv_signer_roots_copy (const SvSignerRoots *roots)
{
  SvSignerRoots *copy = g_new0 (SvSignerRoots, 1);
  copy->accounts = g_strdupv (roots->accounts);
  copy->owner = g_strdup (roots->owner);
  copy->revoked_by_owner = g_strdupv (roots->revoked_by_owner);
  copy->revoked_by_setting = g_strdupv (roots->revoked_by_setting);
  return copy;
}

void
sv_signer_roots_free (SvSignerRoots *roots)
{
  if (roots == NULL)
    return;
  g_strfreev (roots->accounts);
  g_free (roots->owner);
  g_strfreev (roots->revoked_by_owner);
  g_strfreev (roots->revoked_by_setting);
  g_free (roots);
}

void
sv_signer_free (SvSigner *signer)
{
  if (signer == NULL)
    return;
  g_free (signer->account);
  g_free (signer->by);
  g_free (signer);
}

const char *
sv_signer_state_name (SvSignerState state)
{
  static const char *const names[] = { "unknown", "trusted", "coming", "retired", "revoked" };
  return names[state];
}

static void
change_free (gpointer data)
{
  Change *change = data;
  g_free (change->by);
  g_free (change);
}

static void
account_free (gpointer data)
{
  Account *account = data;
  g_free (account->account);
  g_ptr_array_unref (account->changes);
  g_free (account);
}

static Account *
get_account (SvSignersFold *fold, const char *name)
{
  Account *account = g_hash_table_lookup (fold->by_name, name);
  if (account != NULL)
    return account;
  account = g_new0 (Account, 1);
  account->account = g_strdup (name);
  account->changes = g_ptr_array_new_with_free_func (change_free);
  g_ptr_array_add (fold->accounts, account);
  g_hash_table_insert (fold->by_name, account->account, account);
  return account;
}

static void
make_member (SvSignersFold *fold, Account *account)
{
  if (!account->is_member)
    g_ptr_array_add (fold->members, account);
  account->is_member = TRUE;
}

static void
add_root (SvSignersFold *fold, const char *name)
{
  Account *account = get_account (fold, name);
  account->is_root = TRUE;
  make_member (fold, account);
}

SvSignersFold *
sv_signers_fold_new (const SvSignerRoots *roots)
{
  SvSignersFold *fold = g_new0 (SvSignersFold, 1);
  fold->roots = sv_signer_roots_copy (roots);
  fold->accounts = g_ptr_array_new_with_free_func (account_free);
  fold->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  fold->members = g_ptr_array_new ();
  for (char **account = roots->accounts; account != NULL && *account != NULL; account++)
    add_root (fold, *account);
  if (roots->owner != NULL)
    add_root (fold, roots->owner);
  return fold;
}

SvSignersFold *
sv_signers_fold_all (const SvSignerRoots *roots, const GPtrArray *statements)
{
  SvSignersFold *fold = sv_signers_fold_new (roots);
  for (guint i = 0; i < statements->len; i++)
    (void)sv_signers_fold_add (fold, statements->pdata[i]);
  return fold;
}

void
sv_signers_fold_free (SvSignersFold *fold)
{
  if (fold == NULL)
    return;
  sv_signer_roots_free (fold->roots);
  g_hash_table_unref (fold->by_name);
  g_ptr_array_unref (fold->members);
  g_ptr_array_unref (fold->accounts);
  g_free (fold);
}

static gboolean
has (char **accounts, const char *account)
{
  return accounts != NULL && g_strv_contains ((const char *const *)accounts, account);
}

static gboolean
is_revoked (const SvSignersFold *fold, const char *account)
{
  return has (fold->roots->revoked_by_owner, account) || has (fold->roots->revoked_by_setting, account);
}

/* ── statements ── */

/* The last change that counts at @block, or NULL. */
static const Change *
deciding_change (const Account *account, guint64 block)
{
  for (guint i = account->changes->len; i > 0; i--)
  {
    const Change *change = account->changes->pdata[i - 1];
    if (change->from_block <= block)
      return change;
  }
  return NULL;
}

gboolean
sv_signers_fold_may_sign (const SvSignersFold *fold, const char *name)
{
  const Account *account = g_hash_table_lookup (fold->by_name, name);
  if (account == NULL || is_revoked (fold, name))
    return FALSE;
  const Change *last = deciding_change (account, G_MAXUINT64);
  return last != NULL ? last->is_addition : account->is_root;
}

static gboolean
holds_place (const SvSignersFold *fold, const Account *account, guint64 block)
{
  const Change *last = deciding_change (account, G_MAXUINT64);
  gboolean has_left = last != NULL && !last->is_addition && last->from_block <= block;
  return !has_left && !is_revoked (fold, account->account);
}

static gboolean
has_place_for (const SvSignersFold *fold, const SvSignerChange *addition)
{
  guint n_held = 0;
  for (guint i = 0; i < fold->members->len && n_held < SV_SIGNERS_MAX_TRUSTED; i++)
  {
    const Account *account = fold->members->pdata[i];
    if (strcmp (account->account, addition->account) != 0)
      n_held += holds_place (fold, account, addition->from_block);
  }
  return n_held < SV_SIGNERS_MAX_TRUSTED;
}

static void
add_change (SvSignersFold *fold, const SvSignersStatement *statement, const SvSignerChange *item, gboolean is_addition)
{
  Account *account = get_account (fold, item->account);
  Change *change = g_new0 (Change, 1);
  change->statement = statement->number;
  change->from_block = item->from_block;
  change->is_addition = is_addition;
  change->by = g_strdup (statement->document->signed_by);
  g_ptr_array_add (account->changes, change);
  if (is_addition)
    make_member (fold, account);
}

static void
add_changes (SvSignersFold *fold, const SvSignersStatement *statement, const GPtrArray *changes, gboolean is_addition)
{
  for (guint i = 0; i < changes->len; i++)
    if (!is_addition || has_place_for (fold, changes->pdata[i]))
      add_change (fold, statement, changes->pdata[i], is_addition);
}

gboolean
sv_signers_fold_add (SvSignersFold *fold, const SvSignersStatement *statement)
{
  if (!sv_signers_fold_may_sign (fold, statement->document->signed_by))
    return FALSE;
  add_changes (fold, statement, statement->retire, FALSE);
  add_changes (fold, statement, statement->add, TRUE);
  fold->last_effective = statement->number;
  return TRUE;
}

guint64
sv_signers_fold_last_effective (const SvSignersFold *fold)
{
  return fold->last_effective;
}

/* ── at a block ── */

static SvSignerState
state_of (const SvSignersFold *fold, const Account *account, guint64 block)
{
  if (is_revoked (fold, account->account))
    return SV_SIGNER_REVOKED;
  const Change *change = deciding_change (account, block);
  if (change != NULL)
    return change->is_addition ? SV_SIGNER_TRUSTED : SV_SIGNER_RETIRED;
  if (account->is_root)
    return SV_SIGNER_TRUSTED;
  for (guint i = 0; i < account->changes->len; i++)
    if (((const Change *)account->changes->pdata[i])->is_addition)
      return SV_SIGNER_COMING;
  return SV_SIGNER_UNKNOWN;
}

SvSignerState
sv_signers_fold_state (const SvSignersFold *fold, const char *name, guint64 block)
{
  const Account *account = g_hash_table_lookup (fold->by_name, name);
  if (account != NULL)
    return state_of (fold, account, block);
  return is_revoked (fold, name) ? SV_SIGNER_REVOKED : SV_SIGNER_UNKNOWN;
}

gboolean
sv_signers_fold_changes_between (const SvSignersFold *fold, guint64 after, guint64 upto)
{
  for (guint i = 0; i < fold->accounts->len; i++)
    if (state_of (fold, fold->accounts->pdata[i], after) != state_of (fold, fold->accounts->pdata[i], upto))
      return TRUE;
  return FALSE;
}

/* ── the list ── */

static void
set_change (SvSigner *signer, const Change *change)
{
  signer->why = change->is_addition ? SV_WHY_ADDED : SV_WHY_RETIRED;
  signer->statement = change->statement;
  signer->by = g_strdup (change->by);
  signer->from_block = change->from_block;
}

/* What will decide first, of what does not count yet at @block; with @only_retirements of the retirements. From the last one
 * backwards a change decides at its own block where that is lower than all blocks after it, so the lowest comes last. */
static const Change *
next_change (const Account *account, guint64 block, gboolean only_retirements)
{
  const Change *next = NULL;
  guint64 lowest = G_MAXUINT64;
  for (guint i = account->changes->len; i > 0 && lowest > block; i--)
  {
    const Change *change = account->changes->pdata[i - 1];
    if (change->from_block >= lowest)
      continue;
    lowest = change->from_block;
    if (lowest > block && (!only_retirements || !change->is_addition))
      next = change;
  }
  return next;
}

static void
set_until (const Account *account, guint64 block, SvSigner *signer)
{
  const Change *retirement = next_change (account, block, TRUE);
  signer->has_until = retirement != NULL;
  signer->until = retirement != NULL ? retirement->from_block : 0;
}

static void
set_reason (const SvSignersFold *fold, const Account *account, guint64 block, SvSigner *signer)
{
  const Change *change = deciding_change (account, block);
  if (signer->state == SV_SIGNER_REVOKED)
    signer->why = has (fold->roots->revoked_by_owner, account->account) ? SV_WHY_REVOKED_BY_OWNER : SV_WHY_REVOKED_BY_SETTING;
  else if (change == NULL && account->is_root)
    signer->why = has (fold->roots->accounts, account->account) ? SV_WHY_SETTING : SV_WHY_OWNER;
  else if (change != NULL || (change = next_change (account, block, FALSE)) != NULL)
    set_change (signer, change);
  if (signer->state == SV_SIGNER_TRUSTED)
    set_until (account, block, signer);
}

static void
add_revoked (const SvSignersFold *fold, char **accounts, int why, GHashTable *seen, GPtrArray *list)
{
  for (; accounts != NULL && *accounts != NULL; accounts++)
  {
    if (g_hash_table_contains (fold->by_name, *accounts) || !g_hash_table_add (seen, *accounts))
      continue;
    SvSigner *signer = g_new0 (SvSigner, 1);
    signer->account = g_strdup (*accounts);
    signer->state = SV_SIGNER_REVOKED;
    signer->why = why;
    g_ptr_array_add (list, signer);
  }
}

GPtrArray *
sv_signers_fold_list (const SvSignersFold *fold, guint64 block)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_signer_free);
  for (guint i = 0; i < fold->accounts->len; i++)
  {
    const Account *account = fold->accounts->pdata[i];
    SvSigner *signer = g_new0 (SvSigner, 1);
    signer->account = g_strdup (account->account);
    signer->state = state_of (fold, account, block);
    set_reason (fold, account, block, signer);
    g_ptr_array_add (list, signer);
  }
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  add_revoked (fold, fold->roots->revoked_by_owner, SV_WHY_REVOKED_BY_OWNER, seen, list);
  add_revoked (fold, fold->roots->revoked_by_setting, SV_WHY_REVOKED_BY_SETTING, seen, list);
  return list;
}
