/* The reader's memory on disk; reader_memory.h tells what lies where. Processes of one home meet here: each change takes the
 * lock, reads the file again, merges (sequences only rise, revocations only grow) and renames the new file into place. A
 * process that dies in between leaves the old file. Indexes are written before reader.json, so that the remembered bytes are
 * never older than the remembered sequence. */
#include "distribution/reader_memory.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/schema.h"
#include "distribution/memory_file.h"
#include "distribution/owner_revocations.h"

#define MEMORY_VERSION 1

struct SvMemory
{
  SvChainId chain;
  char *path;       /* of reader.json */
  char *index_path; /* of index.json */
  char *lock_path;
  GHashTable *signers; /* bare address -> SvRememberedIndex */
  SvOwnerRevocations *revocations;
  char *owner;
  char *active;
  guint64 finalized;
};

static void
remembered_index_free (gpointer data)
{
  SvRememberedIndex *remembered = data;
  g_free (remembered->hash);
  g_free (remembered);
}

/* ── values ── */

static void
memory_clear (SvMemory *memory)
{
  g_hash_table_remove_all (memory->signers);
  g_clear_pointer (&memory->revocations, sv_owner_revocations_free);
  memory->revocations = sv_owner_revocations_new ();
  g_clear_pointer (&memory->owner, g_free);
  g_clear_pointer (&memory->active, g_free);
  memory->finalized = 0;
}

static void
set_signer (SvMemory *memory, const char *address, guint64 sequence, const char *hash)
{
  SvRememberedIndex *remembered = g_new0 (SvRememberedIndex, 1);
  remembered->sequence = sequence;
  remembered->hash = g_strdup (hash);
  g_hash_table_replace (memory->signers, g_strdup (address), remembered);
}

/* ── reading ── */

static void
read_signer (SvMemory *memory, const SvScope *signers, const char *address)
{
  g_auto (SvScope) scope = { 0 };
  if (!sv_scope_object (signers, address, SV_REQUIRED, &scope))
    return;
  guint64 sequence = 0;
  gboolean has_sequence = sv_scope_integer (&scope, "sequence", SV_REQUIRED, &sequence);
  const char *hash = sv_scope_string (&scope, "hash", SV_REQUIRED);
  g_autofree char *account = sv_account_normalize (address);
  if (account == NULL)
    sv_scope_fault (signers, address, "not an account");
  else if (hash != NULL && !sv_hash_is_valid (hash))
    sv_scope_fault (&scope, "hash", "not a hash");
  else if (has_sequence && hash != NULL)
    set_signer (memory, account, sequence, hash);
}

static void
read_signers (SvMemory *memory, const SvScope *top)
{
  g_auto (SvScope) signers = { 0 };
  if (!sv_scope_object (top, "signers", SV_REQUIRED, &signers))
    return;
  const char *address;
  json_t *value;
  json_object_foreach ((json_t *)signers.json, address, value) read_signer (memory, &signers, address);
}

static void
read_the_rest (SvMemory *memory, const SvScope *top)
{
  const char *owner = sv_scope_string (top, "owner", SV_OPTIONAL);
  if (owner != NULL && (memory->owner = sv_account_normalize (owner)) == NULL)
    sv_scope_fault (top, "owner", "not an account");
  const char *active = sv_scope_string (top, "active", SV_OPTIONAL);
  if (active != NULL && !sv_hash_is_valid (active))
    sv_scope_fault (top, "active", "not a hash");
  else
    memory->active = g_strdup (active);
  (void)sv_scope_integer (top, "finalized", SV_OPTIONAL, &memory->finalized);
}

static void
read_values (SvMemory *memory, const json_t *json, SvFaults *faults)
{
  g_auto (SvScope) top = { 0 };
  if (!sv_scope_init (&top, json, "", faults))
    return;
  guint64 version = 0;
  if (sv_scope_integer (&top, "version", SV_REQUIRED, &version) && version != MEMORY_VERSION)
    sv_scope_fault (&top, "version", "written by another version of this program (%" G_GUINT64_FORMAT ")", version);
  SvChainId chain;
  if (!sv_chain_id_from_json (json_object_get (json, "chain"), &chain) || !sv_chain_id_equal (&chain, &memory->chain))
    sv_scope_fault (&top, "chain", "not the chain that this folder is for");
  read_signers (memory, &top);
  sv_owner_revocations_read (memory->revocations, &top);
  read_the_rest (memory, &top);
}

gboolean
sv_memory_reload (SvMemory *memory, GError **error)
{
  memory_clear (memory);
  GError *local = NULL;
  g_autoptr (json_t) json = sv_memory_file_read (memory->path, &local);
  if (local != NULL)
  {
    g_propagate_error (error, local);
    return FALSE;
  }
  if (json == NULL)
    return TRUE;
  g_autoptr (SvFaults) faults = sv_faults_new ();
  read_values (memory, json, faults);
  g_autoptr (GError) fault = NULL;
  if (sv_faults_check (faults, "memory", &fault))
    return TRUE;
  sv_memory_file_set_damaged (memory->path, fault->message, error);
  return FALSE;
}

SvMemory *
sv_memory_open (const SvConfig *config, const SvChainId *chain, GError **error)
{
  g_autofree char *leaf = g_strdup_printf ("memory/%s-%u", chain->genesis + 2, chain->netuid);
  g_autofree char *folder = sv_config_home_path (config, leaf);
  g_autoptr (SvMemory) memory = g_new0 (SvMemory, 1);
  memory->chain = *chain;
  memory->path = g_build_filename (folder, "reader.json", NULL);
  memory->index_path = g_build_filename (folder, "index.json", NULL);
  memory->lock_path = g_build_filename (folder, "lock", NULL);
  memory->signers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, remembered_index_free);
  return sv_memory_reload (memory, error) ? g_steal_pointer (&memory) : NULL;
}

void
sv_memory_free (SvMemory *memory)
{
  if (memory == NULL)
    return;
  g_free (memory->path);
  g_free (memory->index_path);
  g_free (memory->lock_path);
  g_hash_table_unref (memory->signers);
  sv_owner_revocations_free (memory->revocations);
  g_free (memory->owner);
  g_free (memory->active);
  g_free (memory);
}

/* ── writing ── */

static json_t *
memory_to_json (const SvMemory *memory)
{
  json_t *json = json_object ();
  json_object_set_new (json, "version", sv_json_integer (MEMORY_VERSION));
  json_object_set_new (json, "chain", sv_chain_id_to_json (&memory->chain));
  json_object_set_new (json, "owner", sv_json_string_or_null (memory->owner));
  json_object_set_new (json, "active", sv_json_string_or_null (memory->active));
  json_object_set_new (json, "finalized", sv_json_integer (memory->finalized));
  sv_owner_revocations_write (memory->revocations, json);
  json_t *signers = json_object ();
  GHashTableIter iter;
  gpointer address, value;
  g_hash_table_iter_init (&iter, memory->signers);
  while (g_hash_table_iter_next (&iter, &address, &value))
  {
    const SvRememberedIndex *remembered = value;
    json_t *signer = json_object ();
    json_object_set_new (signer, "sequence", sv_json_integer (remembered->sequence));
    json_object_set_new (signer, "hash", json_string (remembered->hash));
    json_object_set_new (signers, address, signer);
  }
  json_object_set_new (json, "signers", signers);
  return json;
}

static gboolean
write_memory (const SvMemory *memory, GError **error)
{
  g_autoptr (json_t) json = memory_to_json (memory);
  return sv_memory_file_write (memory->path, json, error);
}

/* Merges one change into what is on disk now. @edit returns TRUE when there is something to write. */
typedef gboolean (*MemoryEdit) (SvMemory *memory, gconstpointer data, GError **error);

static gboolean
change_memory (SvMemory *memory, MemoryEdit edit, gconstpointer data, GError **error)
{
  int lock = sv_memory_file_lock (memory->lock_path, error);
  if (lock < 0)
    return FALSE;
  GError *local = NULL;
  gboolean done = sv_memory_reload (memory, &local);
  if (done && edit (memory, data, &local))
    done = write_memory (memory, &local);
  close (lock);
  if (local == NULL)
    return done;
  g_propagate_error (error, local);
  return FALSE;
}

/* ── indexes ── */

/* (transfer none) the account with the highest sequence of those that @is_trusted, or NULL. */
static const char *
find_highest (const SvMemory *memory, SvTrustFunc is_trusted, gpointer data, const SvRememberedIndex **highest)
{
  const char *account = NULL;
  GHashTableIter iter;
  gpointer address, value;
  g_hash_table_iter_init (&iter, memory->signers);
  while (g_hash_table_iter_next (&iter, &address, &value))
  {
    const SvRememberedIndex *remembered = value;
    if (!is_trusted (address, data) || (account != NULL && remembered->sequence <= (*highest)->sequence))
      continue;
    *highest = remembered;
    account = address;
  }
  return account;
}

gboolean
sv_memory_highest (const SvMemory *memory, SvTrustFunc is_trusted, gpointer data, guint64 *sequence, const char **hash)
{
  const SvRememberedIndex *highest = NULL;
  if (find_highest (memory, is_trusted, data, &highest) == NULL)
    return FALSE;
  *sequence = highest->sequence;
  *hash = highest->hash;
  return TRUE;
}

typedef struct
{
  const SvIndex *index;
  SvTrustFunc is_trusted;
  gpointer trust_data;
} IndexEdit;

/* TRUE when @index is what the memory of its signer holds already, or older (another process was quicker). */
static gboolean
knows_index (const SvMemory *memory, const SvIndex *index)
{
  const SvRememberedIndex *known = g_hash_table_lookup (memory->signers, index->document->signed_by);
  return known != NULL && known->sequence >= index->sequence &&
         (known->sequence > index->sequence || strcmp (known->hash, index->document->hash) == 0);
}

static gboolean
contradicts_memory (const SvMemory *memory, const SvIndex *index, GError **error)
{
  const SvRememberedIndex *known = g_hash_table_lookup (memory->signers, index->document->signed_by);
  if (known == NULL || known->sequence != index->sequence || strcmp (known->hash, index->document->hash) == 0)
    return FALSE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "equivocation: %s has signed two different indexes with sequence %" G_GUINT64_FORMAT " (%s and %s); do not use "
               "either before the operator has explained it",
               index->document->signed_by, index->sequence, known->hash, index->document->hash);
  return TRUE;
}

/* "…/index-{account}.json" */
static char *
path_of_signer (const SvMemory *memory, const char *account)
{
  g_autofree char *folder = g_path_get_dirname (memory->path);
  return g_strdup_printf ("%s/index-%s.json", folder, account);
}

static gboolean
write_index (const char *path, const SvIndex *index, GError **error)
{
  GBytes *bytes = index->document->bytes;
  return sv_file_write (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), SV_MEMORY_FILE_MODE, error);
}

static gboolean
edit_index (SvMemory *memory, gconstpointer data, GError **error)
{
  const IndexEdit *edit = data;
  const SvIndex *index = edit->index;
  if (contradicts_memory (memory, index, error) || knows_index (memory, index))
    return FALSE;
  guint64 highest = 0;
  const char *hash;
  gboolean is_newest =
      !sv_memory_highest (memory, edit->is_trusted, edit->trust_data, &highest, &hash) || index->sequence >= highest;
  g_autofree char *signer_path = path_of_signer (memory, index->document->signed_by);
  if (!write_index (signer_path, index, error) || (is_newest && !write_index (memory->index_path, index, error)))
    return FALSE;
  set_signer (memory, index->document->signed_by, index->sequence, index->document->hash);
  return TRUE;
}

gboolean
sv_memory_remember_index (SvMemory *memory, const SvIndex *index, SvTrustFunc is_trusted, gpointer data, GError **error)
{
  if (knows_index (memory, index))
    return TRUE;
  IndexEdit edit = { index, is_trusted, data };
  return change_memory (memory, edit_index, &edit, error);
}

/* NULL without an error where the file is absent. */
static GBytes *
read_index (const char *path, GError **error)
{
  GError *local = NULL;
  GBytes *bytes = sv_file_read (path, SV_INDEX_MAX_SIZE, &local);
  if (bytes == NULL && !g_error_matches (local, SV_ERROR, SV_ERROR_NOT_FOUND))
    g_propagate_error (error, local);
  else
    g_clear_error (&local);
  return bytes;
}

GBytes *
sv_memory_last_index (const SvMemory *memory, GError **error)
{
  return read_index (memory->index_path, error);
}

GBytes *
sv_memory_last_index_of (const SvMemory *memory, SvTrustFunc is_trusted, gpointer data, GError **error)
{
  const SvRememberedIndex *highest = NULL;
  const char *account = find_highest (memory, is_trusted, data, &highest);
  g_autofree char *path = account != NULL ? path_of_signer (memory, account) : NULL;
  return path != NULL ? read_index (path, error) : NULL;
}

/* ── the rest ── */

const char *
sv_memory_path (const SvMemory *memory)
{
  return memory->path;
}

const char *
sv_memory_active (const SvMemory *memory)
{
  return memory->active;
}

static gboolean
edit_active (SvMemory *memory, gconstpointer data, GError **error)
{
  if (g_strcmp0 (memory->active, data) == 0)
    return FALSE;
  g_free (memory->active);
  memory->active = g_strdup (data);
  return TRUE;
}

gboolean
sv_memory_remember_active (SvMemory *memory, const char *hash, GError **error)
{
  return g_strcmp0 (memory->active, hash) == 0 || change_memory (memory, edit_active, hash, error);
}

const char *const *
sv_memory_revoked (const SvMemory *memory)
{
  return sv_owner_revocations_accounts (memory->revocations);
}

typedef struct
{
  const char *owner;
  const char *const *accounts;
} RevokedEdit;

static gboolean
edit_revoked (SvMemory *memory, gconstpointer data, GError **error)
{
  const RevokedEdit *edit = data;
  gboolean changed = FALSE;
  for (const char *const *account = edit->accounts; *account != NULL; account++)
    changed = sv_owner_revocations_add (memory->revocations, edit->owner, *account) || changed;
  return changed;
}

gboolean
sv_memory_remember_revoked (SvMemory *memory, const char *owner, const char *const *accounts, GError **error)
{
  const RevokedEdit edit = { owner, accounts };
  gboolean all_known = TRUE;
  for (const char *const *account = accounts; *account != NULL; account++)
    all_known = all_known && sv_owner_revocations_has (memory->revocations, owner, *account);
  return all_known || change_memory (memory, edit_revoked, &edit, error);
}

const char *
sv_memory_owner (const SvMemory *memory)
{
  return memory->owner;
}

typedef struct
{
  const char *address;
  gboolean may_change;
} OwnerEdit;

static gboolean
edit_owner (SvMemory *memory, gconstpointer data, GError **error)
{
  const OwnerEdit *edit = data;
  if (memory->owner != NULL && (!edit->may_change || strcmp (memory->owner, edit->address) == 0))
    return FALSE;
  g_free (memory->owner);
  memory->owner = g_strdup (edit->address);
  return TRUE;
}

gboolean
sv_memory_remember_owner (SvMemory *memory, const char *address, gboolean may_change, GError **error)
{
  const OwnerEdit edit = { address, may_change };
  gboolean is_settled = memory->owner != NULL && (!may_change || strcmp (memory->owner, address) == 0);
  return is_settled || change_memory (memory, edit_owner, &edit, error);
}

guint64
sv_memory_finalized (const SvMemory *memory)
{
  return memory->finalized;
}

static gboolean
edit_finalized (SvMemory *memory, gconstpointer data, GError **error)
{
  const guint64 *block = data;
  gboolean is_higher = *block > memory->finalized;
  memory->finalized = MAX (memory->finalized, *block);
  return is_higher;
}

gboolean
sv_memory_remember_finalized (SvMemory *memory, guint64 block, GError **error)
{
  return block <= memory->finalized || change_memory (memory, edit_finalized, &block, error);
}
