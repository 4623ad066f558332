/* What admission remembers of requests: nonces, and each asker's requests in the sliding window (docs/protocol.md section 7).
 * The rules are here once, for the API, which judges in memory before anything is written, and for the engine, whose rows on
 * disk are read into one of these. One thread at a time. */
#pragma once

#include "state/state.h"

typedef struct SvRequestMemory SvRequestMemory;

/* One request. Strings are borrowed. */
typedef struct
{
  const char *asker;
  const char *nonce;     /* NULL, in sv_request_memory_recall() only: it was refused */
  const char *x_nonce;   /* or NULL */
  const char *client_id; /* "" for none */
  gint64 now_ms;
} SvRequest;

/* Remembers for as long as @rules say; their limit is told anew for each request. */
SvRequestMemory *sv_request_memory_new (const SvAdmissionRules *rules);
void sv_request_memory_free (SvRequestMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvRequestMemory, sv_request_memory_free)

/* Forgets what is over. Judging and recalling do so, too. */
void sv_request_memory_pass_time (SvRequestMemory *memory, gint64 now_ms);

/* TRUE when a nonce of the request was admitted before. Changes nothing. */
gboolean sv_request_memory_is_replay (const SvRequestMemory *memory, const SvRequest *request);

/* Judges one request: a replay changes nothing, a refused one is remembered as seen, an admitted one is remembered. (out)
 * @retry_after_s: 0 unless it is rate limited. */
SvAdmissionOutcome sv_request_memory_judge (SvRequestMemory *memory, guint limit, const SvRequest *request,
                                            guint *retry_after_s);

/* Judges one request of a batch that is written to a log of requests, as each engine does it, and fills in its outcome and
 * retry_after_s: a nonce that was used is told first; then a record whose window is closed uses nothing up; then the rate
 * counts. TRUE: *@logged (strings of @admission's) is to be written, without nonces where it was refused. */
gboolean sv_request_memory_judge_logged (SvRequestMemory *memory, guint limit, gboolean is_window_closed,
                                         SvAdmission *admission, SvRequest *logged);

/* Remembers what was judged elsewhere or before; requests have to come in the order in which they were judged, each once. A
 * nonce that is remembered here still may have been over, and admitted anew, where it was judged. */
void sv_request_memory_recall (SvRequestMemory *memory, guint limit, const SvRequest *request);

gboolean sv_request_memory_knows (const SvRequestMemory *memory, const char *asker);

/* Askers, and nonces of theirs, that are remembered. */
guint sv_request_memory_askers (const SvRequestMemory *memory);
guint sv_request_memory_nonces (const SvRequestMemory *memory);
