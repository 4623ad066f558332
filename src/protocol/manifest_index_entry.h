/* One entry of the index as a value: between the files of the index, not for other rooms. Pure. */
#pragma once

#include "protocol/manifest_index.h"

void sv_index_entry_free (SvIndexEntry *entry);

/* @json has passed sv_index_check(). Returns: (transfer full). */
SvIndexEntry *sv_index_entry_read (const json_t *json);

/* The live entry that @manifest has once it is added to an index. Returns: (transfer full). */
SvIndexEntry *sv_index_entry_new (const SvManifest *manifest, guint64 active_from, guint64 added_sequence, gint64 now);

/* Adds the entries of a JSON array that has passed sv_index_check() or sv_archive_check(), and takes them out of it: the parsed
 * form of a long index is some seven times as large as its bytes. */
void sv_index_entries_take (GPtrArray *entries, json_t *array);

/* (element-type SvIndexEntry) as a JSON array. Returns: (transfer full). */
json_t *sv_index_entries_to_json (const GPtrArray *entries);
