/* Inside the Subtensor chain: which runtime is in force in which block's state, and its metadata. */
#pragma once

#include "chain/subtensor/metadata.h"
#include "chain/subtensor/nodes.h"

typedef struct
{
  char *name; /* "node-subtensor" */
  guint32 spec_version;
  guint32 transaction_version;
  SvMetadata *metadata;
} SvRuntime;

typedef struct
{
  GPtrArray *known; /* (element-type SvRuntime) by ascending spec version; they live as long as this */
  GArray *spans;    /* what is known of final blocks, ascending */
  char *cache_path; /* the newest metadata on disk, so that a command need not fetch them */
} SvRuntimes;

void sv_runtimes_init (SvRuntimes *runtimes, const SvConfig *config);
void sv_runtimes_clear (SvRuntimes *runtimes);

/* The runtime that an answer to state_getRuntimeVersion at block @hash names; its metadata is fetched when it is new. Returns:
 * (transfer none). */
SvRuntime *sv_runtimes_of_version (SvRuntimes *runtimes, SvNodes *nodes, const json_t *version, const char *hash,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Notes what the state of final block @number holds. */
void sv_runtimes_note (SvRuntimes *runtimes, guint64 number, SvRuntime *runtime);

/* The runtime in the state of final block @number, by which the next block is executed. Where that state is gone on every
 * endpoint, what is known of later blocks holds for it as long as no header between says that the runtime changed; otherwise
 * NULL with *@is_gone. Returns: (transfer none). */
SvRuntime *sv_runtimes_at (SvRuntimes *runtimes, SvNodes *nodes, guint64 number, gboolean *is_gone,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Learns all that can be known of the states of the final blocks @from … @to with as few questions as possible. */
gboolean sv_runtimes_cover (SvRuntimes *runtimes, SvNodes *nodes, guint64 from, guint64 to,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
