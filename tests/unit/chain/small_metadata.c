#include "small_metadata.h"

#include "metadata_fixture.h"
#include "small_types.h"

typedef struct
{
  const char *name;
  guint32 type;
} Field;

typedef struct
{
  const char *name;
  guint8 index;
  Field fields[2];
  guint n_fields;
  const char *docs;
} Variant;

typedef struct
{
  GByteArray *out;
  guint32 n;
} Registry;

/* Types come in the order of the enum, each with its index as id; a definition and put_no_docs() are to follow. */
static void
begin_type (Registry *types, guint32 id, const char *path, SvTypeKind kind)
{
  g_assert_cmpuint (id, ==, types->n);
  types->n++;
  fixture_put_type (types->out, id, path, kind);
}

static void
put_no_docs (GByteArray *out)
{
  fixture_put_docs (out, NULL);
}

static void
put_fields (GByteArray *out, const Field *fields, guint n)
{
  sv_scale_put_compact (out, n);
  for (guint i = 0; i < n; i++)
  {
    sv_scale_put_u8 (out, fields[i].name != NULL);
    if (fields[i].name != NULL)
      fixture_put_text (out, fields[i].name);
    sv_scale_put_compact (out, fields[i].type);
    sv_scale_put_u8 (out, 0); /* the type's name in the source */
    put_no_docs (out);
  }
}

static void
add_composite (Registry *types, guint32 id, const char *path, const Field *fields, guint n)
{
  begin_type (types, id, path, SV_TYPE_COMPOSITE);
  put_fields (types->out, fields, n);
  put_no_docs (types->out);
}

static void
put_variant (GByteArray *out, const Variant *variant)
{
  fixture_put_text (out, variant->name);
  put_fields (out, variant->fields, variant->n_fields);
  sv_scale_put_u8 (out, variant->index);
  fixture_put_docs (out, variant->docs);
}

static void
add_variants (Registry *types, guint32 id, const char *path, const Variant *variants, guint n)
{
  begin_type (types, id, path, SV_TYPE_VARIANT);
  sv_scale_put_compact (types->out, n);
  for (guint i = 0; i < n; i++)
    put_variant (types->out, &variants[i]);
  put_no_docs (types->out);
}

static void
add_sequence (Registry *types, guint32 id, guint32 item)
{
  begin_type (types, id, "", SV_TYPE_SEQUENCE);
  sv_scale_put_compact (types->out, item);
  put_no_docs (types->out);
}

static void
add_bytes (Registry *types, guint32 id, guint32 length)
{
  begin_type (types, id, "", SV_TYPE_ARRAY);
  sv_scale_put_u32 (types->out, length);
  sv_scale_put_compact (types->out, U8);
  put_no_docs (types->out);
}

static void
add_primitive (Registry *types, guint32 id, guint8 primitive)
{
  begin_type (types, id, "", SV_TYPE_PRIMITIVE);
  sv_scale_put_u8 (types->out, primitive);
  put_no_docs (types->out);
}

static void
add_compact (Registry *types, guint32 id, guint32 item)
{
  begin_type (types, id, "", SV_TYPE_COMPACT);
  sv_scale_put_compact (types->out, item);
  put_no_docs (types->out);
}

static void
add_pair (Registry *types, guint32 id, guint32 first, guint32 second)
{
  begin_type (types, id, "", SV_TYPE_TUPLE);
  sv_scale_put_compact (types->out, 2);
  sv_scale_put_compact (types->out, first);
  sv_scale_put_compact (types->out, second);
  put_no_docs (types->out);
}

#define COMPOSITE(id, path, ...)                                                                                               \
  add_composite (types, id, path, (const Field[]){ __VA_ARGS__ }, G_N_ELEMENTS (((const Field[]){ __VA_ARGS__ })))
#define VARIANTS(id, path, ...)                                                                                                \
  add_variants (types, id, path, (const Variant[]){ __VA_ARGS__ }, G_N_ELEMENTS (((const Variant[]){ __VA_ARGS__ })))

/* ── types ── */

static void
add_plain_types (Registry *types)
{
  add_primitive (types, U8, SV_PRIMITIVE_U8);
  add_primitive (types, U16, SV_PRIMITIVE_U16);
  add_primitive (types, U32, SV_PRIMITIVE_U32);
  add_primitive (types, U64, SV_PRIMITIVE_U64);
  begin_type (types, EMPTY, "", SV_TYPE_TUPLE);
  sv_scale_put_compact (types->out, 0);
  put_no_docs (types->out);
  add_composite (types, UNIT, "frame_system::extensions::Check", NULL, 0);
  add_sequence (types, BYTES, U8);
  add_bytes (types, BYTES_4, 4);
  add_bytes (types, BYTES_32, 32);
  add_bytes (types, BYTES_64, 64);
  COMPOSITE (ACCOUNT, "sp_core::crypto::AccountId32", { NULL, BYTES_32 });
  COMPOSITE (NETUID, "subtensor_runtime_common::NetUid", { NULL, U16 });
}

/* Data: None, Raw0 … Raw128, four hashes, TimelockEncrypted, ResetBondsFlag and, where wanted, BigRaw. */
static void
add_data (Registry *types, const SmallRuntime *runtime)
{
  static const char *const hashes[] = { "BlakeTwo256", "Sha256", "Keccak256", "ShaThree256" };
  static const Variant others[] = {
    { "TimelockEncrypted", SMALL_TIMELOCK, { { "encrypted", BYTES }, { "reveal_round", U64 } }, 2, NULL },
    { "ResetBondsFlag", 135, { { NULL, 0 } }, 0, NULL },
    { "BigRaw", SMALL_BIG_RAW, { { NULL, BYTES } }, 1, NULL },
  };
  guint n_others = runtime->has_big_raw ? 3 : 2;
  begin_type (types, DATA, "pallet_commitments::types::Data", SV_TYPE_VARIANT);
  sv_scale_put_compact (types->out, 1 + 129 + 4 + n_others);
  put_variant (types->out, &(const Variant){ .name = "None", .index = 0 });
  for (guint8 i = 0; i <= 128; i++)
  {
    g_autofree char *name = g_strdup_printf ("Raw%u", i);
    put_variant (types->out, &(const Variant){ name, (guint8)(i + 1), { { NULL, RAW_0 + i } }, 1, NULL });
  }
  for (guint8 i = 0; i < 4; i++)
    put_variant (types->out, &(const Variant){ hashes[i], (guint8)(130 + i), { { NULL, BYTES_32 } }, 1, NULL });
  for (guint i = 0; i < n_others; i++)
    put_variant (types->out, &others[i]);
  put_no_docs (types->out);
}

static void
add_commitment_types (Registry *types, const SmallRuntime *runtime)
{
  Field netuid = { "netuid", NETUID }, info = { "info", INFO };
  add_data (types, runtime);
  add_sequence (types, DATA_LIST, DATA);
  COMPOSITE (BOUNDED_DATA, "bounded_collections::bounded_vec::BoundedVec", { NULL, DATA_LIST });
  COMPOSITE (INFO, "pallet_commitments::types::CommitmentInfo", { "fields", BOUNDED_DATA });
  COMPOSITE (REGISTRATION, "pallet_commitments::types::Registration", { "deposit", U64 }, { "block", U32 }, { "info", INFO });
  VARIANTS (
      COMMITMENTS_CALL, "pallet_commitments::pallet::Call",
      { "set_commitment", 0, { runtime->swaps_arguments ? info : netuid, runtime->swaps_arguments ? netuid : info }, 2, NULL });
  VARIANTS (COMMITMENTS_ERROR, "pallet_commitments::pallet::Error",
            { "AccountNotAllowedCommit", SMALL_ERROR_ACCOUNT, .docs = "Account is not allowed to make commitments" },
            { "SpaceLimitExceeded", SMALL_ERROR_SPACE }, { "CommitmentSetRateLimitExceeded", SMALL_ERROR_RATE },
            { "TooManyFieldsInCommitmentInfo", SMALL_ERROR_FIELDS },
            { "UnexpectedUnreserveLeftover", SMALL_ERROR_UNEXPLAINED });
}

static void
add_extrinsic_types (Registry *types, const SmallRuntime *runtime)
{
  VARIANTS (SYSTEM_CALL, "frame_system::pallet::Call", { "remark", 0, { { "remark", BYTES } }, 1, NULL });
  VARIANTS (UTILITY_CALL, "pallet_utility::pallet::Call", { "batch", 0, { { "calls", CALLS } }, 1, NULL });
  VARIANTS (CALL, "small_runtime::RuntimeCall", { "System", SMALL_SYSTEM, { { NULL, SYSTEM_CALL } }, 1, NULL },
            { "Utility", SMALL_UTILITY, { { NULL, UTILITY_CALL } }, 1, NULL },
            { "Commitments", small_commitments_index (runtime), { { NULL, COMMITMENTS_CALL } }, 1, NULL });
  add_sequence (types, CALLS, CALL);
  VARIANTS (ADDRESS, "sp_runtime::multiaddress::MultiAddress", { "Id", 0, { { NULL, ACCOUNT } }, 1, NULL },
            { "Raw", 2, { { NULL, BYTES } }, 1, NULL }, { "Address32", 3, { { NULL, BYTES_32 } }, 1, NULL });
  COMPOSITE (SIGNATURE_64, "sp_core::ed25519::Signature", { NULL, BYTES_64 });
  VARIANTS (SIGNATURE, "sp_runtime::MultiSignature", { "Ed25519", 0, { { NULL, SIGNATURE_64 } }, 1, NULL },
            { "Sr25519", 1, { { NULL, BYTES_64 } }, 1, NULL });
}

/* Version 14 names the parts of an extrinsic by the parameters of its type. */
static void
add_extrinsic (Registry *types, const SmallRuntime *runtime)
{
  const Field parameters[] = {
    { "Address", runtime->has_bare_address ? ACCOUNT : ADDRESS },
    { "Call", CALL },
    { "Signature", SIGNATURE },
    { "Extra", EMPTY },
  };
  g_assert_cmpuint (types->n, ==, EXTRINSIC);
  types->n++;
  sv_scale_put_compact (types->out, EXTRINSIC);
  sv_scale_put_compact (types->out, 1);
  fixture_put_text (types->out, "UncheckedExtrinsic");
  sv_scale_put_compact (types->out, G_N_ELEMENTS (parameters));
  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++)
  {
    fixture_put_text (types->out, parameters[i].name);
    small_put_optional_type (types->out, TRUE, parameters[i].type);
  }
  sv_scale_put_u8 (types->out, 0); /* a composite, whose content is bytes */
  put_fields (types->out, &(const Field){ NULL, BYTES }, 1);
  put_no_docs (types->out);
}

static void
add_era (Registry *types)
{
  begin_type (types, ERA, "sp_runtime::generic::era::Era", SV_TYPE_VARIANT);
  sv_scale_put_compact (types->out, 256);
  put_variant (types->out, &(const Variant){ .name = "Immortal", .index = 0 });
  for (guint i = 1; i < 256; i++)
  {
    g_autofree char *name = g_strdup_printf ("Mortal%u", i);
    put_variant (types->out, &(const Variant){ name, (guint8)i, { { NULL, U8 } }, 1, NULL });
  }
  put_no_docs (types->out);
}

static void
add_extension_types (Registry *types)
{
  add_era (types);
  COMPOSITE (CHECK_MORTALITY, "frame_system::extensions::check_mortality::CheckMortality", { NULL, ERA });
  add_compact (types, COMPACT_U32, U32);
  COMPOSITE (CHECK_NONCE, "frame_system::extensions::check_nonce::CheckNonce", { NULL, COMPACT_U32 });
  add_compact (types, COMPACT_U64, U64);
  COMPOSITE (CHARGE, "pallet_transaction_payment::ChargeTransactionPayment", { NULL, COMPACT_U64 });
  VARIANTS (MODE, "frame_metadata_hash_extension::Mode", { .name = "Disabled", .index = 0 }, { .name = "Enabled", .index = 1 });
  COMPOSITE (CHECK_METADATA_HASH, "frame_metadata_hash_extension::CheckMetadataHash", { "mode", MODE });
  VARIANTS (OPTION_HASH, "Option", { .name = "None", .index = 0 }, { "Some", 1, { { NULL, BYTES_32 } }, 1, NULL });
}

static void
add_event_types (Registry *types, const SmallRuntime *runtime)
{
  VARIANTS (TOKEN_ERROR, "sp_runtime::TokenError", { .name = "FundsUnavailable", .index = 0 },
            { .name = "Frozen", .index = 5 });
  COMPOSITE (MODULE_ERROR, "sp_runtime::ModuleError", { "index", U8 }, { "error", BYTES_4 });
  VARIANTS (DISPATCH_ERROR, "sp_runtime::DispatchError", { .name = "Other", .index = 0 }, { .name = "BadOrigin", .index = 2 },
            { "Module", 3, { { NULL, MODULE_ERROR } }, 1, NULL }, { "Token", 7, { { NULL, TOKEN_ERROR } }, 1, NULL });
  COMPOSITE (DISPATCH_INFO, "frame_system::DispatchEventInfo", { "weight", COMPACT_U64 }, { "class", U8 });
  VARIANTS (SYSTEM_EVENT, "frame_system::pallet::Event",
            { "ExtrinsicSuccess", 0, { { "dispatch_info", DISPATCH_INFO } }, 1, NULL },
            { "ExtrinsicFailed", 1, { { "dispatch_error", DISPATCH_ERROR }, { "dispatch_info", DISPATCH_INFO } }, 2, NULL },
            { "NewAccount", 3, { { "account", ACCOUNT } }, 1, NULL });
  VARIANTS (COMMITMENTS_EVENT, "pallet_commitments::pallet::Event",
            { "Commitment", 0, { { "netuid", NETUID }, { "who", ACCOUNT } }, 2, NULL });
  VARIANTS (EVENT, "small_runtime::RuntimeEvent", { "System", SMALL_SYSTEM, { { NULL, SYSTEM_EVENT } }, 1, NULL },
            { "Commitments", small_commitments_index (runtime), { { NULL, COMMITMENTS_EVENT } }, 1, NULL });
  VARIANTS (PHASE, "frame_system::Phase", { "ApplyExtrinsic", 0, { { NULL, U32 } }, 1, NULL },
            { .name = "Finalization", .index = 1 }, { .name = "Initialization", .index = 2 });
  add_sequence (types, HASHES, BYTES_32);
  COMPOSITE (RECORD, "frame_system::EventRecord", { "phase", PHASE }, { "event", EVENT }, { "topics", HASHES });
  add_sequence (types, RECORDS, RECORD);
}

static void
add_state_types (Registry *types)
{
  add_primitive (types, BOOL, SV_PRIMITIVE_BOOL);
  add_sequence (types, BOOLS, BOOL);
  COMPOSITE (USAGE, "pallet_commitments::types::UsageTracker", { "last_epoch", U64 }, { "used_space", U64 });
  add_pair (types, NETUID_HOTKEY, NETUID, ACCOUNT);
  add_pair (types, NETUID_UID, NETUID, U16);
}

static void
put_types (GByteArray *out, const SmallRuntime *runtime)
{
  Registry registry = { out, 0 };
  sv_scale_put_compact (out, RAW_0 + 129);
  add_plain_types (&registry);
  add_commitment_types (&registry, runtime);
  add_extrinsic_types (&registry, runtime);
  add_extrinsic (&registry, runtime);
  add_extension_types (&registry);
  add_event_types (&registry, runtime);
  add_state_types (&registry);
  for (guint32 i = 0; i <= 128; i++)
    add_bytes (&registry, RAW_0 + i, i);
}

/* ── extensions ── */

static void
put_extension (GByteArray *out, const char *identifier, guint32 type, guint32 additional)
{
  fixture_put_text (out, identifier);
  sv_scale_put_compact (out, type);
  sv_scale_put_compact (out, additional);
}

static void
put_extensions (GByteArray *out, const SmallRuntime *runtime)
{
  sv_scale_put_compact (out, 9 + (runtime->extension != NULL ? 1 : 0));
  if (runtime->extension != NULL)
    put_extension (out, runtime->extension, runtime->extension_has_data ? U32 : UNIT,
                   runtime->extension_adds_data ? U32 : EMPTY);
  put_extension (out, "CheckNonZeroSender", UNIT, EMPTY);
  put_extension (out, "CheckSpecVersion", UNIT, U32);
  put_extension (out, "CheckTxVersion", UNIT, U32);
  put_extension (out, "CheckGenesis", UNIT, BYTES_32);
  put_extension (out, "CheckMortality", CHECK_MORTALITY, BYTES_32);
  put_extension (out, "CheckNonce", CHECK_NONCE, EMPTY);
  put_extension (out, "CheckWeight", UNIT, EMPTY);
  put_extension (out, "ChargeTransactionPayment", CHARGE, EMPTY);
  put_extension (out, "CheckMetadataHash", CHECK_METADATA_HASH, OPTION_HASH);
}

GBytes *
small_metadata_bytes (const SmallRuntime *runtime)
{
  g_autoptr (GByteArray) out = fixture_start (14);
  put_types (out, runtime);
  small_put_pallets (out, runtime);
  sv_scale_put_compact (out, EXTRINSIC);
  sv_scale_put_u8 (out, runtime->takes_version_5 ? 5 : 4);
  put_extensions (out, runtime);
  sv_scale_put_compact (out, EMPTY); /* the runtime itself */
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

SvMetadata *
small_metadata_new (const SmallRuntime *runtime)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = small_metadata_bytes (runtime);
  SvMetadata *metadata = sv_metadata_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &error);
  g_assert_no_error (error);
  return metadata;
}
