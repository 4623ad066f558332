/* Block headers as RPC gives them: read, and hashed again, because a node's word for a hash is not needed. */
#pragma once

#include <jansson.h>

#include "chain/chain.h"

typedef struct
{
  guint64 number;
  char hash[SV_BLOCK_HASH_TEXT]; /* BLAKE2b-256 of the encoded header, computed here */
  char parent[SV_BLOCK_HASH_TEXT];
  guint8 extrinsics_root[32]; /* what it commits to (chain/subtensor/extrinsics_root.h) */
  gboolean changes_runtime;   /* its digest says that the runtime's code or environment was updated in this block */
} SvHeader;

/* Reads {"parentHash","number","stateRoot","extrinsicsRoot","digest":{"logs":[…]}}. SV_ERROR_MALFORMED for anything else. */
gboolean sv_header_from_json (const json_t *json, SvHeader *header, GError **error) G_GNUC_WARN_UNUSED_RESULT;
