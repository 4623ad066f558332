/* The validator list. A fixed list is a set of accounts that never changes; `chain:permit` is read again for each block asked
 * about, under a lock that lets the many who only ask pass side by side. */
#include "bindings/validators.h"

#include <string.h>

#include "base/error.h"
#include "base/text_hash.h"
#include "keys/ss58.h"

#define SETTING "SCOREVISION_VALIDATORS"
#define BY_PERMIT "chain:permit"

struct SvValidators
{
  gboolean by_permit;
  GRWLock lock;
  GHashTable *addresses; /* under @lock: set of bare addresses */
  gboolean is_read;      /* under @lock, for permits */
  guint64 block;         /* under @lock: that they were read at */
};

static GHashTable *
new_set (void)
{
  return g_hash_table_new_full (sv_text_hash, g_str_equal, g_free, NULL);
}

static GHashTable *
parse_accounts (const SvConfig *config, char **items, GError **error)
{
  g_autoptr (GHashTable) addresses = new_set ();
  for (char **item = items; *item; item++)
  {
    char *address = sv_account_normalize (*item);
    if (!address)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                   SETTING " (%s): '%s' is no account; it takes a comma list of accounts, or " BY_PERMIT " alone",
                   sv_config_origin (config, SETTING), *item);
      return NULL;
    }
    g_hash_table_add (addresses, address);
  }
  return g_steal_pointer (&addresses);
}

SvValidators *
sv_validators_new (const SvConfig *config, GError **error)
{
  g_auto (GStrv) items = sv_config_get_list (config, SETTING);
  if (!items[0])
    return NULL;
  gboolean by_permit = !items[1] && strcmp (items[0], BY_PERMIT) == 0;
  GHashTable *addresses = by_permit ? new_set () : parse_accounts (config, items, error);
  if (!addresses)
    return NULL;
  SvValidators *validators = g_new0 (SvValidators, 1);
  validators->by_permit = by_permit;
  validators->addresses = addresses;
  g_rw_lock_init (&validators->lock);
  return validators;
}

void
sv_validators_free (SvValidators *validators)
{
  if (!validators)
    return;
  g_hash_table_unref (validators->addresses);
  g_rw_lock_clear (&validators->lock);
  g_free (validators);
}

static gboolean
was_read_at (SvValidators *validators, guint64 block)
{
  g_rw_lock_reader_lock (&validators->lock);
  gboolean yes = validators->is_read && validators->block == block;
  g_rw_lock_reader_unlock (&validators->lock);
  return yes;
}

void
sv_validators_set (SvValidators *validators, char *const *permits, guint64 block)
{
  if (!validators->by_permit)
    return;
  GHashTable *fresh = new_set ();
  for (char *const *permit = permits; *permit; permit++)
    g_hash_table_add (fresh, g_strdup (*permit));
  g_rw_lock_writer_lock (&validators->lock);
  GHashTable *old = validators->addresses;
  validators->addresses = fresh;
  validators->is_read = TRUE;
  validators->block = block;
  g_rw_lock_writer_unlock (&validators->lock);
  g_hash_table_unref (old);
}

char **
sv_validators_permits (SvValidators *validators, guint64 *block)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  GHashTableIter iter;
  gpointer address;
  g_rw_lock_reader_lock (&validators->lock);
  gboolean has_permits = validators->by_permit && validators->is_read;
  *block = validators->block;
  g_hash_table_iter_init (&iter, validators->addresses);
  while (g_hash_table_iter_next (&iter, &address, NULL))
    g_strv_builder_add (builder, address);
  g_rw_lock_reader_unlock (&validators->lock);
  return has_permits ? g_strv_builder_end (builder) : NULL;
}

gboolean
sv_validators_refresh (SvValidators *validators, SvChain *chain, guint64 block, GError **error)
{
  if (!validators->by_permit || was_read_at (validators, block))
    return TRUE;
  g_auto (GStrv) permits = sv_chain_permits (chain, block, error);
  if (!permits)
    return FALSE;
  sv_validators_set (validators, permits, block);
  return TRUE;
}

gboolean
sv_validators_are_read (SvValidators *validators)
{
  g_rw_lock_reader_lock (&validators->lock);
  gboolean yes = !validators->by_permit || validators->is_read;
  g_rw_lock_reader_unlock (&validators->lock);
  return yes;
}

gboolean
sv_validators_contain (SvValidators *validators, const char *address)
{
  g_rw_lock_reader_lock (&validators->lock);
  gboolean yes = g_hash_table_contains (validators->addresses, address);
  g_rw_lock_reader_unlock (&validators->lock);
  return yes;
}
