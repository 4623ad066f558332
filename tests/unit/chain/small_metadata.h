/* Metadata (version 14) of a small runtime with what commitments need, made with the SCALE writer: pallets System (0) with
 * remark, Utility (11) with batch, Commitments (18) with set_commitment (0) and errors, Timestamp, SubtensorModule. Arguments,
 * events, extensions and storage have the types that Subtensor gives them. */
#pragma once

#include "chain/subtensor/metadata.h"

/* All zero is a runtime of one field, with Raws up to 128 bytes. */
typedef struct
{
  gboolean has_big_raw;
  guint32 max_fields;           /* 0: one */
  gboolean swaps_arguments;     /* set_commitment(info, netuid) */
  gboolean has_bare_address;    /* AccountId32 in place of MultiAddress */
  gboolean takes_version_5;     /* and no other */
  gboolean has_no_commitments;  /* nor the pallet */
  const char *extension;        /* one more, in front */
  gboolean extension_has_data;  /* a u32 in the extrinsic */
  gboolean extension_adds_data; /* a u32 in what is signed */
  guint8 commitments_index;     /* of the pallet; 0: SMALL_COMMITMENTS */
  guint32 rate_limit;           /* blocks from one commitment to the next; 0: the runtime has no such limit */
  gboolean has_space_limit;     /* UsedSpaceOf and MaxSpace */
  gboolean has_no_epochs;       /* nor anything that tells when the next one begins */
  gboolean has_one_slot;        /* CommitmentOf has the netuid as its only key */
  gboolean has_no_marks;        /* LastCommitment */
  gboolean has_slots;           /* Aura.SlotDuration, of 400 ms */
  gboolean has_no_period;       /* Timestamp.MinimumPeriod, of 150 ms */
} SmallRuntime;

/* Returns: (transfer full). */
GBytes *small_metadata_bytes (const SmallRuntime *runtime);
SvMetadata *small_metadata_new (const SmallRuntime *runtime);

/* Where the runtime has what. */
#define SMALL_SYSTEM 0
#define SMALL_TIMESTAMP 2
#define SMALL_SUBTENSOR 7
#define SMALL_AURA 8
#define SMALL_UTILITY 11
#define SMALL_COMMITMENTS 18
#define SMALL_MAX_SPACE 3100 /* bytes an epoch, unless the state says otherwise */
#define SMALL_BIG_RAW 136
#define SMALL_TIMELOCK 134
#define SMALL_ERROR_SPACE 3
#define SMALL_ERROR_ACCOUNT 1
#define SMALL_ERROR_FIELDS 0
#define SMALL_ERROR_RATE 2
#define SMALL_ERROR_UNEXPLAINED 4
