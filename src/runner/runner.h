/* The runner (docs/protocol.md section 8): fetches a challenge, calls the miner's chute on it, scores, and writes a signed
 * shard. SCOREVISION_USE_CHALLENGE_V3 chooses the endpoint. */
#pragma once

#include "distribution/reader.h"
#include "keys/keypair.h"
#include "protocol/shard.h"

typedef struct
{
  const char *const *miners; /* bare addresses; NULL-terminated, may be empty */
  const char *element;       /* or NULL: the next in rotation */
  const char *slug;          /* or NULL */
  /* Told what happens, for progress on a terminal; may be NULL. */
  void (*on_step) (const char *text, gpointer data);
  gpointer data;
  /* TRUE when the runner shall end; asked while waiting. May be NULL. */
  gboolean (*is_cancelled) (void);
} SvRunnerOptions;

typedef struct
{
  SvShard *shard; /* as signed, opened again */
  char *key;      /* where it lies in the results store */
  char *store;
} SvRun;

void sv_run_free (SvRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvRun, sv_run_free)

typedef struct SvRunner SvRunner;

/* Opens what a run needs. @chain and @reader are borrowed; both may be NULL for the legacy endpoint. Returns: (transfer full).
 */
SvRunner *sv_runner_new (const SvConfig *config, SvChain *chain, SvReader *reader, const SvRunnerOptions *options,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_runner_free (SvRunner *runner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvRunner, sv_runner_free)

/* One challenge, from asking to the stored shard. A chute or evaluator that fails gives a shard with `error`; an error here
 * means that there is no shard. Returns: (transfer full). */
SvRun *sv_runner_once (SvRunner *runner, GError **error) G_GNUC_WARN_UNUSED_RESULT;
