/* Metadata (version 14) of a small runtime with what commitments need, made with the SCALE writer: pallets System (0) with
 * remark, Utility (11) with batch, Commitments (18) with set_commitment (0), errors and CommitmentOf. Arguments, events and
 * extensions have the types that Subtensor gives them. */
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
} SmallRuntime;

/* Returns: (transfer full). */
GBytes *small_metadata_bytes (const SmallRuntime *runtime);
SvMetadata *small_metadata_new (const SmallRuntime *runtime);

/* Where the runtime has what. */
#define SMALL_SYSTEM 0
#define SMALL_UTILITY 11
#define SMALL_COMMITMENTS 18
#define SMALL_BIG_RAW 136
#define SMALL_TIMELOCK 134
#define SMALL_ERROR_SPACE 3
#define SMALL_ERROR_ACCOUNT 1
