/* Element catalog: what the current and the upcoming windows want, for miners (the user's `element_catalog`). */
#pragma once

#include "distribution/reader.h"

typedef enum
{
  SV_SCOPE_CURRENT,
  SV_SCOPE_UPCOMING,
  SV_SCOPE_ALL_UPCOMING,
} SvWindowScope;

typedef struct
{
  SvManifest *manifest;
  SvWindowState state;
  guint64 start_block; /* the window's: from here on bindings are frozen, whichever of its manifests is live */
  guint64 expiry_block;
  guint64 block;       /* the head that this was computed at */
  guint64 blocks_left; /* until expiry for an active window, until start for an upcoming one */
  guint64 ms_left;     /* the same in time; 0 where the chain has no block time */
} SvWindowSummary;

void sv_window_summary_free (SvWindowSummary *summary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvWindowSummary, sv_window_summary_free)

/* Windows in the scope at @block, nearest first; empty when there are none. Returns: (transfer full) (element-type
 * SvWindowSummary). */
GPtrArray *sv_list_elements (SvReader *reader, SvChain *chain, SvWindowScope scope, guint64 block,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One window of the index by its id. SV_ERROR_NOT_FOUND naming the windows there are. Returns: (transfer full). */
SvWindowSummary *sv_summarize_window (SvReader *reader, SvChain *chain, const char *window_id, guint64 block,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The JSON that `sv miner elements --json` shows. Returns: (transfer full). */
json_t *sv_window_summary_to_json (const SvWindowSummary *summary);
