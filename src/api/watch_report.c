/* How watchers tell what they meet: each fault once, when it begins or changes, and when it is over. That the database is away
 * all of them meet; its keeper is the one who tells that. What is given up because the program stops is no fault. */
#include "api/watching.h"

#include "base/error.h"
#include "base/http_client.h"
#include "base/log.h"

#define KEEPER_LOOKS_US (10 * G_USEC_PER_SEC) /* what he has not met by then, such as a full disk, he does not meet */

void
sv_watch_report (const char *what, const GError *error, char **last)
{
  const char *message = error != NULL ? error->message : NULL;
  if (g_strcmp0 (message, *last) == 0 || (g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE) && sv_http_is_given_up ()))
    return;
  if (message != NULL)
    sv_log ("warning", what, "reason", message, NULL);
  else
    sv_log ("info", what, "reason", "works again", NULL);
  g_free (*last);
  *last = g_strdup (message);
}

gboolean
sv_watch_is_told_by_keeper (SvBoard *board, const GError *error, gint64 *since_us)
{
  gint64 now_us = g_get_monotonic_time ();
  if (!sv_state_error_is_away (error))
  {
    *since_us = 0;
    return FALSE;
  }
  if (*since_us == 0 || sv_board_state_is_away (board))
    *since_us = now_us;
  return now_us - *since_us < KEEPER_LOOKS_US;
}

void
sv_watch_report_state (SvBoard *board, const char *what, const GError *error, SvWatchTold *told)
{
  if (!sv_watch_is_told_by_keeper (board, error, &told->since_us))
    sv_watch_report (what, error, &told->fault);
}

void
sv_watch_told_clear (SvWatchTold *told)
{
  g_clear_pointer (&told->fault, g_free);
}
