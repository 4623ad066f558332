/* Archives of the index (docs/protocol.md section 4): where its entries go once they are long expired. The signed index vouches
 * for the newest archive by its hash, and each for the one before it. An archive is read as an SvIndex that has neither
 * document nor chain nor sequence, so that whatever can be asked of an index can be asked of it; its `archive` is the one
 * before it. Pure. */
#pragma once

#include "protocol/manifest_index.h"

#define SV_ARCHIVE_AFTER 50400    /* blocks past expiry_block */
#define SV_ARCHIVE_SMALL 256      /* entries: two neighbours with fewer are made one */
#define SV_ARCHIVE_MAX_STEPS 1024 /* from the index to the oldest archive; of two neighbours one at least is half full */

void sv_archive_check (const json_t *json, SvFaults *faults);

/* Opens an archive: size, hash of the bytes, JSON, that they are canonical, schema. Returns: (transfer full). */
SvIndex *sv_archive_open (GBytes *bytes, const char *hash, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the entry expired SV_ARCHIVE_AFTER blocks before @block. */
gboolean sv_index_entry_is_archivable (const SvIndexEntry *entry, guint64 block);

/* Whether entries (live or superseded) expired SV_ARCHIVE_AFTER blocks before @block. */
gboolean sv_index_has_archivable (const SvIndex *index, guint64 block);

/* Takes these entries out of @index and returns the bytes of their archive; NULL without an error when there are none. @newest
 * is the archive that the index has named so far, opened; where both together have fewer than SV_ARCHIVE_SMALL entries it is
 * taken in, and the archive before it is named. NULL when there is none, or it cannot be had: then it is just named. The caller
 * stores the bytes; @index->archive is their hash already. Returns: (transfer full). */
GBytes *sv_index_take_archivable (SvIndex *index, guint64 block, const SvIndex *newest,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Moves all entries of @archive to @history, and frees it. */
void sv_archive_append (SvIndex *history, SvIndex *archive);
