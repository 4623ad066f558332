/* Inside the small runtime's metadata: the ids of its types, and its pallets. */
#pragma once

#include "small_metadata.h"

enum
{
  U8,
  U16,
  U32,
  U64,
  EMPTY,
  UNIT, /* a structure without fields */
  BYTES,
  BYTES_4,
  BYTES_32,
  BYTES_64,
  ACCOUNT,
  NETUID,
  DATA,
  DATA_LIST,
  BOUNDED_DATA,
  INFO,
  REGISTRATION,
  COMMITMENTS_CALL,
  COMMITMENTS_ERROR,
  SYSTEM_CALL,
  UTILITY_CALL,
  CALL,
  CALLS,
  ADDRESS,
  SIGNATURE_64,
  SIGNATURE,
  EXTRINSIC,
  ERA,
  CHECK_MORTALITY,
  COMPACT_U32,
  CHECK_NONCE,
  COMPACT_U64,
  CHARGE,
  MODE,
  CHECK_METADATA_HASH,
  OPTION_HASH,
  TOKEN_ERROR,
  MODULE_ERROR,
  DISPATCH_ERROR,
  DISPATCH_INFO,
  SYSTEM_EVENT,
  COMMITMENTS_EVENT,
  EVENT,
  PHASE,
  HASHES,
  RECORD,
  RECORDS,
  BOOL,
  BOOLS,
  USAGE,         /* of the space for commitments */
  NETUID_HOTKEY, /* keys of maps */
  NETUID_UID,
  RAW_0, /* and 128 more */
};

guint8 small_commitments_index (const SmallRuntime *runtime);
void small_put_optional_type (GByteArray *out, gboolean is_there, guint32 type);
/* The pallets, with their number before them. */
void small_put_pallets (GByteArray *out, const SmallRuntime *runtime);
