/* The extrinsics root of a block: the root of the base-16 Merkle-Patricia trie with BLAKE2b-256 that maps the index of each
 * extrinsic, as a SCALE compact integer, to the encoded extrinsic. A header holds it, so a body that lacks an extrinsic, or has
 * one more or another, is not that header's. */
#pragma once

#include <glib.h>

typedef enum
{
  SV_TRIE_V0, /* values lie in their leaves */
  SV_TRIE_V1, /* of a value of more than 32 bytes only the hash lies in the leaf */
} SvTrieLayout;

/* @extrinsics (element-type GBytes), fewer than 2^30, each whole as RPC gives it, with its length before it. The time is that
 * of hashing them and of sorting their indices. */
void sv_extrinsics_root (const GPtrArray *extrinsics, SvTrieLayout layout, guint8 root[32]);

/* Whether @root, from the block's header, commits to exactly this list of extrinsics: as a root in one of the layouts, or as
 * the hash of the list's bytes that a node for development writes there. */
gboolean sv_extrinsics_root_matches (const GPtrArray *extrinsics, const guint8 root[32]);
