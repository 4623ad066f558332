/* Inside the Subtensor chain: hashes and headers of stretches of blocks. */
#pragma once

#include "chain/subtensor/header.h"
#include "chain/subtensor/nodes.h"

/* Hashes of the blocks @first … @last on the node's best chain, fewer where the chain ends. Returns: (transfer full)
 * (element-type char*). */
GPtrArray *sv_hashes_read (SvNodes *nodes, guint64 first, guint64 last, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets the second endpoint, if there is one that answers, confirm the first @n of @hashes, which are those of final blocks from
 * @first on: another hash there is SV_ERROR_VERIFY. */
gboolean sv_hashes_confirm (SvNodes *nodes, guint64 first, const GPtrArray *hashes, guint n,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Headers of the blocks @first … @last, each hashed here and linked to the one before; SV_ERROR_VERIFY for one that is not
 * what it is said to be, SV_ERROR_UNREACHABLE where there is none. Returns: (transfer full) (element-type SvHeader). */
GPtrArray *sv_headers_read (SvNodes *nodes, guint64 first, guint64 last, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads a header that was asked for by @hash and given by @endpoint; what hashes otherwise is SV_ERROR_VERIFY. The genesis is
 * known by its hash alone, which is compared with what is pinned; a forked test chain's need not be that of its header. */
gboolean sv_header_check (const SvNodes *nodes, const char *endpoint, const json_t *json, const char *hash, SvHeader *header,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SV_ERROR_UNREACHABLE: the chain was reorganised while a stretch of it was read. */
void sv_set_reorganised (const SvNodes *nodes, guint64 number, GError **error);
