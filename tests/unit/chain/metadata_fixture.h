/* Small runtime metadata to test with, in each version: written here, part by part. */
#pragma once

#include "chain/subtensor/metadata.h"
#include "chain/subtensor/scale.h"

/* The bytes that @hex spells, without 0x. Returns: (transfer full). */
GByteArray *fixture_bytes (const char *hex);

/* The types by their ids; the primitives come first, as SvPrimitive numbers them. */
enum
{
  TYPE_UNIT = SV_PRIMITIVE_I256 + 1,
  TYPE_BYTES,      /* Vec<u8> */
  TYPE_BYTES_4,    /* [u8; 4] */
  TYPE_BYTES_32,   /* [u8; 32] */
  TYPE_ACCOUNT,    /* sp_core::crypto::AccountId32 (TYPE_BYTES_32) */
  TYPE_WRAPPED,    /* a structure around a u64, without a name for it */
  TYPE_COMPACT_U8, /* Compact<…> of each */
  TYPE_COMPACT_U32,
  TYPE_COMPACT_U128,
  TYPE_COMPACT_WRAPPED,
  TYPE_COMPACT_UNIT,
  TYPE_COMPACT_BYTES, /* senseless, and has no values */
  TYPE_PAIR,          /* (u16, TYPE_ACCOUNT) */
  TYPE_OPTION,        /* Option<u32> */
  TYPE_BOOLS,         /* Vec<bool> */
  TYPE_RECORD,        /* { block: u64, permits: TYPE_BOOLS, limit: TYPE_OPTION } */
  TYPE_LSB0,          /* bitvec::order::Lsb0 */
  TYPE_MSB0,
  TYPE_BITS,       /* BitVec<u8, Lsb0> */
  TYPE_BITS_MSB0,  /* BitVec<u16, Msb0> */
  TYPE_BITS_ODD,   /* a bit sequence of a store that is no integer */
  TYPE_UNITS,      /* Vec<()> */
  TYPE_MANY_UNITS, /* [(); 4000000000] */
  TYPE_TREE,       /* enum { Leaf, Node (TYPE_TREES) } */
  TYPE_TREES,      /* Vec<TYPE_TREE> */
  TYPE_CHAIN,      /* enum { Link (TYPE_CHAIN) }, which has no values */
  TYPE_U16S,       /* Vec<u16> */
  TYPE_CALL,       /* enum { set_commitment = 3 { netuid: u16, info: Vec<u8> }, forget = 7 } */
  TYPE_ERROR,      /* enum { NotRegistered = 0, TooLong = 4 } */
  TYPE_ADDRESS,    /* enum { Id = 0 (TYPE_ACCOUNT) } */
  TYPE_SIGNATURE,  /* enum { Ed25519 = 0 ([u8; 4]) } */
  TYPE_EXTRINSIC,  /* with the parts as its type parameters */
  TYPE_NUMBERS,    /* (u16, u32, u64), the key of a map */
  TYPE_MATRIX,     /* [TYPE_U16S; 2] */
  N_FIXTURE_TYPES,
};

/* Returns: (transfer full) metadata of version 14, 15 or 16. */
GByteArray *metadata_fixture_bytes (guint version);
SvMetadata *metadata_fixture_new (guint version);

/* Parts, for metadata that is made to be wrong. */
void fixture_put_text (GByteArray *out, const char *text);
/* "meta" and the version. */
GByteArray *fixture_start (guint version);
/* Id, path ("a::b" or "") and no parameters; a definition and fixture_put_docs() are to follow. */
void fixture_put_type (GByteArray *out, guint32 id, const char *path, SvTypeKind kind);
/* One line, or none for NULL. */
void fixture_put_docs (GByteArray *out, const char *line);
