/* A statement vouches for all before it, so they stay for good: readers who are new have to read them. Whoever stole a key can
 * sign many at once. On top of those nothing is signed: once the key is revoked they give way to others with their numbers. */
#include "operator/signers_room.h"

#include "base/error.h"

typedef struct
{
  guint n;
  gsize size; /* bytes */
} Load;

static gsize
size_of (const SvSignersStatement *statement)
{
  return g_bytes_get_size (statement->document->bytes);
}

static gboolean
is_too_much (const Load *load)
{
  return load->n > SV_SIGNERS_MAX_FRUITLESS || load->size > SV_SIGNERS_MAX_FRUITLESS_SIZE;
}

static gboolean
check_limits (const GPtrArray *history, const SvSignersStatement *next, GError **error)
{
  gsize size = size_of (next);
  for (guint i = 0; i < history->len; i++)
    size += size_of (history->pdata[i]);
  if (history->len < SV_SIGNERS_MAX_STATEMENTS && size <= SV_SIGNERS_HISTORY_MAX_SIZE)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "there is no room for another statement on signers: no reader takes more than %d of them, and %d bytes; if a "
               "stolen key has signed many of them, revoke it (`sv manifest signers revoke`), else have each reader name the "
               "new signers in SCOREVISION_MANIFEST_SIGNERS",
               SV_SIGNERS_MAX_STATEMENTS, SV_SIGNERS_HISTORY_MAX_SIZE);
  return FALSE;
}

/* What comes after the last one with effect can still be removed. */
static gboolean
check_tail (const SvSigners *signers, const GPtrArray *history, GError **error)
{
  g_autoptr (SvSignersFold) fold = sv_signers_fold_all (sv_signers_roots (signers), history);
  guint last = (guint)sv_signers_fold_last_effective (fold);
  Load load = { 0 };
  for (guint i = last; i < history->len; i++)
    load = (Load){ load.n + 1, load.size + size_of (history->pdata[i]) };
  if (!is_too_much (&load))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "the store holds %u statements on signers (%" G_GSIZE_FORMAT " bytes) that nobody trusted has signed; on top of "
               "them all readers would have to read them for good: remove them from the store (scorevision/signers/%u.json and "
               "all with higher numbers), and run this again",
               load.n, load.size, last + 1);
  return FALSE;
}

static SvSignerRoots *
roots_without (const SvSigners *signers, const char *account)
{
  SvSignerRoots *roots = sv_signer_roots_copy (sv_signers_roots (signers));
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_strv_builder_addv (builder, (const char **)roots->revoked_by_setting);
  g_strv_builder_add (builder, account);
  g_strfreev (roots->revoked_by_setting);
  roots->revoked_by_setting = g_strv_builder_end (builder);
  return roots;
}

/* Where @next's signer is gone with the account, @next vouches for nothing. */
static gboolean
check_without (const SvSigners *signers, const GPtrArray *history, const SvSignersStatement *next, const char *account,
               GError **error)
{
  g_autoptr (SvSignerRoots) roots = roots_without (signers, account);
  g_autoptr (SvSignersFold) fold = sv_signers_fold_new (roots), now = sv_signers_fold_new (sv_signers_roots (signers));
  Load load = { 0 };
  for (guint i = 0; i < history->len; i++)
  {
    gboolean stays = sv_signers_fold_add (fold, history->pdata[i]);
    if (sv_signers_fold_add (now, history->pdata[i]) && !stays)
      load = (Load){ load.n + 1, load.size + size_of (history->pdata[i]) };
  }
  if (!is_too_much (&load) || !sv_signers_fold_may_sign (fold, next->document->signed_by))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "%u of the %u statements on signers (%" G_GSIZE_FORMAT " bytes) are by %s, or by accounts that it has added; if "
               "its key is stolen, revoke it first (`sv manifest signers revoke %s`), since on top of them readers would have "
               "to read them for good; if it is not, sign this with its wallet",
               load.n, history->len, load.size, account, account);
  return FALSE;
}

static gboolean
is_revoked (const SvSigners *signers, const char *account)
{
  return sv_signers_fold_state (sv_signers_fold (signers), account, 0) == SV_SIGNER_REVOKED;
}

/* Where the whole history is small, so is each part of it. */
static gboolean
check_each_signer (const SvSigners *signers, const GPtrArray *history, const SvSignersStatement *next, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  Load all = { 0 };
  for (guint i = 0; i < history->len; i++)
    all = (Load){ all.n + 1, all.size + size_of (history->pdata[i]) };
  for (guint i = 0; is_too_much (&all) && i < history->len; i++)
  {
    const char *signer = ((const SvSignersStatement *)history->pdata[i])->document->signed_by;
    if (g_hash_table_add (seen, (char *)signer) && !is_revoked (signers, signer) &&
        !check_without (signers, history, next, signer, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_places (const SvSigners *signers, const GPtrArray *history, const SvSignersStatement *next, GError **error)
{
  g_autoptr (SvSignersFold) fold = sv_signers_fold_all (sv_signers_roots (signers), history);
  (void)sv_signers_fold_add (fold, next);
  for (guint i = 0; i < next->add->len; i++)
  {
    const SvSignerChange *change = next->add->pdata[i];
    if (sv_signers_fold_may_sign (fold, change->account))
      continue;
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "%d accounts are signers already at block %" G_GUINT64_FORMAT
                 ", and %s would be one more; retire one from that "
                 "block on, or an earlier one, first",
                 SV_SIGNERS_MAX_TRUSTED, change->from_block, change->account);
    return FALSE;
  }
  return TRUE;
}

gboolean
sv_signers_check_room (const SvSigners *signers, const GPtrArray *history, const SvSignersStatement *next, GError **error)
{
  return check_tail (signers, history, error) && check_each_signer (signers, history, next, error) &&
         check_limits (history, next, error) && check_places (signers, history, next, error);
}
