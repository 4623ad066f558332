/* A handle of its own asks the state once a second for something small. So each request is refused at once where nothing could
 * be recorded, and is taken again a second after the database is back, without anybody's doing. */
#include "api/state_keeper.h"

#include "api/watcher.h"
#include "api/watching.h"
#include "base/error.h"
#include "base/log.h"
#include "base/rfc3339.h"

#define LOOK_MS 1000

struct SvStateKeeper
{
  SvBoard *board; /* borrowed */
  SvState *state;
  SvAdmissionRules rules;
  SvAdmissionMemory *memory; /* borrowed */
  guint8 *clip_key;          /* borrowed */
  SvWatcher *watcher;
  char *told;
  gint is_ready;   /* atomic */
  gint is_missing; /* atomic: it could not be asked when it was asked last */
};

static void
remember (const char *asker, const char *nonce, const char *x_nonce, const char *client_id, gint64 time_ms, gpointer data)
{
  SvAdmissionRequest request = {
    .asker = asker, .nonce = nonce, .x_nonce = x_nonce, .client_id = client_id, .time_ms = time_ms
  };
  sv_admission_remember (data, &request);
}

/* What was remembered by an attempt that failed half-way is remembered once more by the next, which changes nothing. */
static gboolean
prepare (SvStateKeeper *keeper, GError **error)
{
  gint64 since_ms = sv_clock_ms () - (gint64)keeper->rules.remember_ms;
  if (!sv_state_secret (keeper->state, "clip-token", keeper->clip_key, error) ||
      !sv_state_recent_nonces (keeper->state, since_ms, remember, keeper->memory, error))
    return FALSE;
  g_atomic_int_set (&keeper->is_ready, 1);
  return TRUE;
}

static gboolean
look (SvStateKeeper *keeper, GError **error)
{
  guint64 version;
  gboolean ok =
      g_atomic_int_get (&keeper->is_ready) ? sv_state_clips_version (keeper->state, &version, error) : prepare (keeper, error);
  g_atomic_int_set (&keeper->is_missing, !ok);
  sv_board_set_state_away (keeper->board, !ok);
  return ok;
}

static void
step (gboolean is_demanded, gpointer data)
{
  SvStateKeeper *keeper = data;
  g_autoptr (GError) error = NULL;
  look (keeper, &error);
  sv_watch_report ("database", error, &keeper->told);
}

/* A server whose database is not there yet starts all the same; one that is set up wrongly does not. */
static gboolean
look_first (SvStateKeeper *keeper, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (look (keeper, &failure))
    return TRUE;
  if (!g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  sv_watch_report ("database", failure, &keeper->told);
  return TRUE;
}

SvStateKeeper *
sv_state_keeper_new (const SvConfig *config, SvBoard *board, const SvAdmissionRules *rules, SvAdmissionMemory *memory,
                     guint8 *clip_key, GError **error)
{
  g_autoptr (SvStateKeeper) keeper = g_new0 (SvStateKeeper, 1);
  keeper->board = board;
  keeper->rules = *rules;
  keeper->memory = memory;
  keeper->clip_key = clip_key;
  keeper->state = sv_state_open (config, error);
  if (keeper->state == NULL || !look_first (keeper, error))
    return NULL;
  keeper->watcher = sv_watcher_new ("state", LOOK_MS, LOOK_MS, step, keeper);
  return g_steal_pointer (&keeper);
}

void
sv_state_keeper_free (SvStateKeeper *keeper)
{
  if (keeper == NULL)
    return;
  g_clear_pointer (&keeper->watcher, sv_watcher_free);
  g_clear_pointer (&keeper->state, sv_state_free);
  g_free (keeper->told);
  g_free (keeper);
}

const char *
sv_state_keeper_fault (SvStateKeeper *keeper)
{
  if (keeper == NULL)
    return NULL;
  if (!g_atomic_int_get (&keeper->is_ready))
    return "The database of this server has not been reached yet; try again later";
  if (g_atomic_int_get (&keeper->is_missing))
    return "The database of this server cannot be reached just now; try again later";
  return NULL;
}

gboolean
sv_state_keeper_is_ready (SvStateKeeper *keeper)
{
  return g_atomic_int_get (&keeper->is_ready);
}
