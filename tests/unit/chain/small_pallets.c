#include <string.h>

#include "metadata_fixture.h"
#include "small_types.h"

guint8
small_commitments_index (const SmallRuntime *runtime)
{
  return runtime->commitments_index != 0 ? runtime->commitments_index : SMALL_COMMITMENTS;
}

void
small_put_optional_type (GByteArray *out, gboolean is_there, guint32 type)
{
  sv_scale_put_u8 (out, is_there);
  if (is_there)
    sv_scale_put_compact (out, type);
}

/* ── parts of a pallet ── */

/* A plain value that is @n_bytes of zero where it is absent. */
static void
put_value (GByteArray *out, const char *name, guint32 value, guint n_bytes)
{
  static const guint8 zeros[8];
  fixture_put_text (out, name);
  sv_scale_put_u8 (out, 1); /* it has a default */
  sv_scale_put_u8 (out, 0); /* plain */
  sv_scale_put_compact (out, value);
  sv_scale_put_bytes (out, zeros, n_bytes);
  fixture_put_docs (out, NULL);
}

/* A map; @n_default bytes of zero are its default, or with none it has none. */
static void
put_map (GByteArray *out, const char *name, const SvHasher *hashers, guint n_hashers, guint32 key, guint32 value,
         guint n_default)
{
  static const guint8 zeros[32];
  fixture_put_text (out, name);
  sv_scale_put_u8 (out, n_default > 0);
  sv_scale_put_u8 (out, 1);
  sv_scale_put_compact (out, n_hashers);
  for (guint i = 0; i < n_hashers; i++)
    sv_scale_put_u8 (out, (guint8)hashers[i]);
  sv_scale_put_compact (out, key);
  sv_scale_put_compact (out, value);
  sv_scale_put_bytes (out, zeros, n_default);
  fixture_put_docs (out, NULL);
}

static void
put_by_netuid (GByteArray *out, const char *name, guint32 value, guint n_default)
{
  static const SvHasher hashers[] = { SV_HASHER_IDENTITY };
  put_map (out, name, hashers, G_N_ELEMENTS (hashers), NETUID, value, n_default);
}

static void
put_by_hotkey (GByteArray *out, const char *name, SvHasher hasher, guint32 value)
{
  const SvHasher hashers[] = { SV_HASHER_IDENTITY, hasher };
  put_map (out, name, hashers, G_N_ELEMENTS (hashers), NETUID_HOTKEY, value, 0);
}

static void
put_constant (GByteArray *out, const char *name, guint32 type, const void *bytes, gsize length)
{
  fixture_put_text (out, name);
  sv_scale_put_compact (out, type);
  sv_scale_put_bytes (out, bytes, length);
  fixture_put_docs (out, NULL);
}

static void
begin_pallet (GByteArray *out, const char *name, guint n_entries)
{
  fixture_put_text (out, name);
  sv_scale_put_u8 (out, n_entries > 0);
  if (n_entries == 0)
    return;
  fixture_put_text (out, name);
  sv_scale_put_compact (out, n_entries);
}

/* Of a pallet without calls, events and errors. @duration is its constant, or NULL. */
static void
end_silent_pallet (GByteArray *out, const char *duration, guint64 ms, guint8 index)
{
  guint64 bytes = GUINT64_TO_LE (ms);
  small_put_optional_type (out, FALSE, 0);
  small_put_optional_type (out, FALSE, 0);
  sv_scale_put_compact (out, duration != NULL ? 1 : 0);
  if (duration != NULL)
    put_constant (out, duration, U64, &bytes, sizeof bytes);
  small_put_optional_type (out, FALSE, 0);
  sv_scale_put_u8 (out, index);
}

/* ── pallets ── */

static void
put_system (GByteArray *out)
{
  begin_pallet (out, "System", 1);
  put_value (out, "Events", RECORDS, 1);
  small_put_optional_type (out, TRUE, SYSTEM_CALL);
  small_put_optional_type (out, TRUE, SYSTEM_EVENT);
  sv_scale_put_compact (out, 0);
  small_put_optional_type (out, FALSE, 0);
  sv_scale_put_u8 (out, SMALL_SYSTEM);
}

static void
put_timestamp (GByteArray *out, const SmallRuntime *runtime)
{
  begin_pallet (out, "Timestamp", 1);
  put_value (out, "Now", U64, 8);
  end_silent_pallet (out, runtime->has_no_period ? NULL : "MinimumPeriod", 150, SMALL_TIMESTAMP);
}

static void
put_subtensor (GByteArray *out, const SmallRuntime *runtime)
{
  static const SvHasher two_numbers[] = { SV_HASHER_IDENTITY, SV_HASHER_IDENTITY };
  begin_pallet (out, "SubtensorModule", runtime->has_no_epochs ? 4 : 7);
  put_by_hotkey (out, "Uids", SV_HASHER_BLAKE2_128_CONCAT, U16);
  put_map (out, "Keys", two_numbers, G_N_ELEMENTS (two_numbers), NETUID_UID, ACCOUNT, 32);
  put_by_netuid (out, "ValidatorPermit", BOOLS, 1);
  put_by_netuid (out, "SubnetOwnerHotkey", ACCOUNT, 32);
  if (!runtime->has_no_epochs)
  {
    put_by_netuid (out, "SubnetEpochIndex", U64, 8);
    put_by_netuid (out, "Tempo", U16, 2);
    put_by_netuid (out, "LastEpochBlock", U64, 8);
  }
  end_silent_pallet (out, NULL, 0, SMALL_SUBTENSOR);
}

static void
put_aura (GByteArray *out)
{
  begin_pallet (out, "Aura", 0);
  end_silent_pallet (out, "SlotDuration", 400, SMALL_AURA);
}

static void
put_utility (GByteArray *out)
{
  begin_pallet (out, "Utility", 0);
  small_put_optional_type (out, TRUE, UTILITY_CALL);
  small_put_optional_type (out, FALSE, 0);
  sv_scale_put_compact (out, 0);
  small_put_optional_type (out, FALSE, 0);
  sv_scale_put_u8 (out, SMALL_UTILITY);
}

/* Its default is a number of its own, as Subtensor's is. */
static void
put_max_space (GByteArray *out)
{
  guint32 most = GUINT32_TO_LE (SMALL_MAX_SPACE);
  fixture_put_text (out, "MaxSpace");
  sv_scale_put_u8 (out, 1);
  sv_scale_put_u8 (out, 0);
  sv_scale_put_compact (out, U32);
  sv_scale_put_bytes (out, &most, sizeof most);
  fixture_put_docs (out, NULL);
}

static void
put_commitments_storage (GByteArray *out, const SmallRuntime *runtime)
{
  begin_pallet (out, "Commitments", 1 + (runtime->has_no_marks ? 0 : 1) + (runtime->has_space_limit ? 2 : 0));
  if (runtime->has_one_slot)
    put_by_netuid (out, "CommitmentOf", REGISTRATION, 0);
  else
    put_by_hotkey (out, "CommitmentOf", SV_HASHER_TWOX_64_CONCAT, REGISTRATION);
  if (!runtime->has_no_marks)
    put_by_hotkey (out, "LastCommitment", SV_HASHER_TWOX_64_CONCAT, U32);
  if (!runtime->has_space_limit)
    return;
  put_by_hotkey (out, "UsedSpaceOf", SV_HASHER_TWOX_64_CONCAT, USAGE);
  put_max_space (out);
}

static void
put_commitments (GByteArray *out, const SmallRuntime *runtime)
{
  guint32 max_fields = GUINT32_TO_LE (MAX (runtime->max_fields, 1)), rate = GUINT32_TO_LE (runtime->rate_limit);
  put_commitments_storage (out, runtime);
  small_put_optional_type (out, TRUE, COMMITMENTS_CALL);
  small_put_optional_type (out, TRUE, COMMITMENTS_EVENT);
  sv_scale_put_compact (out, rate != 0 ? 2 : 1);
  put_constant (out, "MaxFields", U32, &max_fields, sizeof max_fields);
  if (rate != 0)
    put_constant (out, "RateLimit", U32, &rate, sizeof rate);
  small_put_optional_type (out, TRUE, COMMITMENTS_ERROR);
  sv_scale_put_u8 (out, small_commitments_index (runtime));
}

void
small_put_pallets (GByteArray *out, const SmallRuntime *runtime)
{
  sv_scale_put_compact (out, 4 + (runtime->has_slots ? 1 : 0) + (runtime->has_no_commitments ? 0 : 1));
  put_system (out);
  put_timestamp (out, runtime);
  put_subtensor (out, runtime);
  if (runtime->has_slots)
    put_aura (out);
  put_utility (out);
  if (!runtime->has_no_commitments)
    put_commitments (out, runtime);
}
