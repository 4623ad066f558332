/* Extrinsics of a Substrate chain, version 4: `set_commitment` made, signed, and found in blocks. What a runtime wants in an
 * extrinsic (extensions, their order, call indexes) comes from its metadata. */
#pragma once

#include "chain/subtensor/metadata.h"
#include "keys/keypair.h"

/* What a signature is over besides the call. */
typedef struct
{
  guint32 spec_version;
  guint32 transaction_version;
  guint8 genesis_hash[32];
  guint64 nonce;
  guint64 era_period;  /* a power of two from 4 to 65536; 0: immortal */
  guint64 era_block;   /* number of the block the era begins at: any, but for periods over 4096 a multiple of period / 4096 */
  guint8 era_hash[32]; /* of that block; not used for an immortal extrinsic */
} SvExtrinsicContext;

/* The SCALE-encoded call Commitments.set_commitment(netuid, info) of a text cut into fields. SV_ERROR_POLICY with both numbers
 * of bytes for a text that is too long, SV_ERROR_NOT_FOUND where the runtime has no such call. Returns: (transfer full). */
GBytes *sv_commitment_call (const SvMetadata *metadata, guint16 netuid, const char *text,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Longest text that fits: MaxFields times the largest plain field of the runtime's Data, but at most SV_COMMITMENT_MAX_TEXT. 0
 * where the runtime has none. */
gsize sv_commitment_max_text (const SvMetadata *metadata);

/* The bytes that are signed: call, extensions, additional data; BLAKE2b-256 of them where they are more than 256. An extension
 * that carries data and is not one of those known here is SV_ERROR_UNREACHABLE naming it (a newer version is needed). Returns:
 * (transfer full). */
GBytes *sv_extrinsic_payload (const SvMetadata *metadata, const SvExtrinsicContext *context, GBytes *call,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The signed extrinsic, with its length before it, as author_submitExtrinsic takes it. Returns: (transfer full). */
GBytes *sv_extrinsic_sign (const SvMetadata *metadata, const SvExtrinsicContext *context, GBytes *call,
                           const SvKeypair *keypair, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* BLAKE2b-256 of the encoded extrinsic (with its length), "0x" + 64 digits. */
void sv_extrinsic_hash (const void *data, gsize length, char hash[67]);

/* A top-level Commitments.set_commitment signed by an account. */
typedef struct
{
  guint8 signer[SV_PUBLIC_KEY_SIZE];
  guint16 netuid;
  char *text;           /* of its plain fields, joined; NULL for another field among them, NUL, or bytes that are no UTF-8 */
  guint64 reveal_round; /* of a time-locked field; 0: it has none */
} SvCommitmentCall;

void sv_commitment_call_clear (SvCommitmentCall *call);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvCommitmentCall, sv_commitment_call_clear)

/* Looks whether an extrinsic of a block (with its length) is one. *@is_one is FALSE for every other (unsigned, another call, a
 * version other than 4 …). SV_ERROR_MALFORMED for what should be one and cannot be read, and for what cannot be read so far
 * that this is known: a chain lets no such extrinsic into a block, so the metadata is not the block's, or the node lies. */
gboolean sv_extrinsic_read_commitment (const SvMetadata *metadata, const void *data, gsize length, gboolean *is_one,
                                       SvCommitmentCall *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The value of the storage map Commitments.CommitmentOf. */
typedef struct
{
  guint64 block;
  char *text;           /* as in SvCommitmentCall */
  guint64 reveal_round; /* likewise */
} SvRegistration;

void sv_registration_clear (SvRegistration *registration);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvRegistration, sv_registration_clear)

gboolean sv_registration_decode (const SvMetadata *metadata, const void *data, gsize length, SvRegistration *registration,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
