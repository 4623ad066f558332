/* Transaction extensions: what each puts into an extrinsic, and what each adds to what is signed. */
#pragma once

#include "chain/subtensor/extrinsic.h"

/* Appends, in the runtime's order, what stands in the extrinsic to @extra and what is signed besides to @additional. Errors as
 * of sv_extrinsic_payload(). */
gboolean sv_extensions_put (const SvMetadata *metadata, const SvExtrinsicContext *context, GByteArray *extra,
                            GByteArray *additional, GError **error) G_GNUC_WARN_UNUSED_RESULT;
