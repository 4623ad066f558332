/* The commitments pallet's limits, looked at before an extrinsic is signed: one that breaks them is included all the same and
 * fails, which costs time and tells less. Which limits there are the runtime's metadata say. */
#include "chain/subtensor/limits.h"

#include <string.h>

#include "base/error.h"
#include "chain/subtensor/scale.h"
#include "chain/subtensor/state.h"
#include "chain/subtensor/value.h"

#define LEAST_SPACE 100   /* bytes that the pallet counts for a shorter commitment */
#define DEFAULT_TEMPO 360 /* blocks of an epoch, where the chain does not say */

/* ── values ── */

/* A value at the best head as JSON; NULL where it is absent, and an entry's default does not count as a value. */
static gboolean
read_value (SvSubtensor *subtensor, const char *pallet, const char *entry, const char *address, json_t **value, GError **error)
{
  const SvMetadata *metadata = subtensor->runtimes_of_head.of_best->metadata;
  const SvStorageEntry *storage = sv_metadata_storage (metadata, pallet, entry, error);
  g_autoptr (GBytes) account = address ? sv_state_account (address, error) : NULL, bytes = NULL;
  g_autofree char *key = NULL;
  *value = NULL;
  if (!storage || (address && !account))
    return FALSE;
  key = storage->n_keys == 0 ? sv_state_key (metadata, pallet, entry, error)
                             : sv_state_netuid_key (subtensor, metadata, pallet, entry, account, error);
  if (!key || !sv_state_read (subtensor, key, &subtensor->head.best, &bytes, NULL, error))
    return FALSE;
  if (!bytes && storage->is_optional)
    return TRUE;
  SvScaleReader reader = bytes ? sv_scale_reader (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes))
                               : sv_scale_reader (storage->default_bytes, storage->default_length);
  g_autofree char *what = g_strconcat (pallet, ".", entry, NULL);
  *value = sv_value_decode (metadata, storage->value_type, &reader);
  return sv_scale_finish (&reader, what, error);
}

static gboolean
has_entry (const SvSubtensor *subtensor, const char *pallet, const char *entry)
{
  return sv_metadata_storage (subtensor->runtimes_of_head.of_best->metadata, pallet, entry, NULL) != NULL;
}

static guint64
number_of (const json_t *value)
{
  const json_t *inner = json_is_object (value) || json_is_array (value) ? NULL : value;
  return json_is_number (inner)   ? (guint64)json_number_value (inner)
         : json_is_string (inner) ? g_ascii_strtoull (json_string_value (inner), NULL, 10)
                                  : 0;
}

/* ── registration ── */

gboolean
sv_limits_check_registered (SvSubtensor *subtensor, const char *address, GError **error)
{
  g_autoptr (json_t) uid = NULL;
  if (!read_value (subtensor, "SubtensorModule", "Uids", address, &uid, error))
    return FALSE;
  if (uid)
    return TRUE;
  guint netuid = subtensor->base.id.netuid;
  g_set_error (
      error, SV_ERROR, SV_ERROR_POLICY,
      "hotkey %s is not registered on subnet %u of %s, which takes commitments of registered hotkeys only; register it "
      "with `btcli subnet register --netuid %u`, or name the hotkey that is with --hotkey",
      address, netuid, subtensor->base.url, netuid);
  return FALSE;
}

/* ── the slot ── */

gboolean
sv_limits_check_slot (SvSubtensor *subtensor, const char *address, GError **error)
{
  g_auto (SvRegistration) registration = { 0 };
  gboolean found;
  if (!sv_state_registration (subtensor, address, &found, &registration, error))
    return FALSE;
  if (!found || registration.reveal_round == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "hotkey %s has a time-locked commitment on the chain, by another program, which will be revealed in drand round "
               "%" G_GUINT64_FORMAT " and which this one would erase; wait until then, or replace it with --replace-commitment",
               address, registration.reveal_round);
  return FALSE;
}

/* ── rate and space ── */

/* Older runtimes: so many blocks from one commitment to the next. */
static gboolean
earliest_by_rate (SvSubtensor *subtensor, const char *address, guint64 *block, GError **error)
{
  SvConstant limit;
  SvMark kind;
  guint64 last;
  if (!sv_metadata_constant (subtensor->runtimes_of_head.of_best->metadata, "Commitments", "RateLimit", &limit, NULL))
    return TRUE;
  SvScaleReader reader = sv_scale_reader (limit.bytes, limit.length);
  guint64 blocks = limit.length == 8 ? sv_scale_u64 (&reader) : sv_scale_u32 (&reader);
  if (!sv_scale_finish (&reader, "Commitments.RateLimit", error) ||
      !sv_state_last_commitment (subtensor, address, subtensor->head.best.number, &kind, &last, error))
    return FALSE;
  if (kind == SV_MARK_AT)
    *block = MAX (*block, last + blocks);
  return TRUE;
}

/* The block that the subnet's next epoch begins at, as far as can be told. */
static gboolean
next_epoch (SvSubtensor *subtensor, guint64 *block, GError **error)
{
  const char *entry = has_entry (subtensor, "SubtensorModule", "LastEpochBlock") ? "LastEpochBlock" : "LastMechansimStepBlock";
  g_autoptr (json_t) last = NULL, tempo = NULL;
  guint64 after_best = subtensor->head.best.number + 1;
  *block = after_best + DEFAULT_TEMPO;
  if (!has_entry (subtensor, "SubtensorModule", entry) || !has_entry (subtensor, "SubtensorModule", "Tempo"))
    return TRUE;
  if (!read_value (subtensor, "SubtensorModule", entry, NULL, &last, error) ||
      !read_value (subtensor, "SubtensorModule", "Tempo", NULL, &tempo, error))
    return FALSE;
  *block = MAX (after_best, number_of (last) + number_of (tempo) + 1);
  return TRUE;
}

/* TRUE when what the account has used counts for the present epoch. */
static gboolean
is_of_this_epoch (SvSubtensor *subtensor, const json_t *usage, gboolean *yes, GError **error)
{
  g_autoptr (json_t) epoch = NULL;
  *yes = TRUE;
  if (!has_entry (subtensor, "SubtensorModule", "SubnetEpochIndex"))
    return TRUE; /* it is not known how this runtime counts: rather wait for nothing than fail on the chain */
  if (!read_value (subtensor, "SubtensorModule", "SubnetEpochIndex", NULL, &epoch, error))
    return FALSE;
  *yes = number_of (json_object_get (usage, "last_epoch")) == number_of (epoch);
  return TRUE;
}

/* Newer runtimes: so many bytes an epoch. */
static gboolean
earliest_by_space (SvSubtensor *subtensor, const char *address, gsize length, guint64 *block, GError **error)
{
  g_autoptr (json_t) usage = NULL, space = NULL;
  gboolean counts;
  if (!has_entry (subtensor, "Commitments", "UsedSpaceOf") || !has_entry (subtensor, "Commitments", "MaxSpace"))
    return TRUE;
  if (!read_value (subtensor, "Commitments", "UsedSpaceOf", address, &usage, error) ||
      !read_value (subtensor, "Commitments", "MaxSpace", NULL, &space, error))
    return FALSE;
  guint64 needed = MAX (length, LEAST_SPACE), most = number_of (space);
  if (needed > most)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "the text needs %" G_GUINT64_FORMAT " bytes on the chain, which gives a hotkey %" G_GUINT64_FORMAT
                 " an epoch: commit fewer elements",
                 needed, most);
    return FALSE;
  }
  if (!usage || !is_of_this_epoch (subtensor, usage, &counts, error))
    return usage == NULL;
  if (!counts || number_of (json_object_get (usage, "used_space")) + needed <= most)
    return TRUE;
  return next_epoch (subtensor, block, error);
}

gboolean
sv_limits_earliest (SvSubtensor *subtensor, const char *address, gsize length, guint64 *block, GError **error)
{
  *block = subtensor->head.best.number + 1;
  return earliest_by_rate (subtensor, address, block, error) && earliest_by_space (subtensor, address, length, block, error);
}
