/* The PostgreSQL engine: its table, and opening by URL. Nothing is connected to yet then, so a wrong URL and a missing libpq
 * are told at once, and a database that is not there by the first call that needs it. Each subject of state.h is in a file of
 * its own. */
#include "state/postgres_state.h"

#include <string.h>

#include "base/error.h"

static void
postgres_close (SvState *base)
{
  SvPostgresState *state = (SvPostgresState *)base;
  sv_postgres_disconnect (state);
  g_hash_table_unref (state->statements);
  g_hash_table_unref (state->leads);
  g_clear_error (&state->fault);
  g_free (state->conninfo);
  g_free (state->base.url);
  g_free (state);
}

/* libpq would find that out, and quote it, by the first connection only. What stands where a port is expected may be the rest
 * of a password. */
static gboolean
has_good_ports (const PQconninfoOption *options)
{
  for (; options->keyword != NULL; options++)
  {
    if (strcmp (options->keyword, "port") != 0 || options->val == NULL)
      continue;
    g_auto (GStrv) ports = g_strsplit (options->val, ",", -1);
    for (char **port = ports; *port != NULL; port++)
      if (**port != '\0' && !g_ascii_string_to_unsigned (*port, 10, 1, 65535, NULL, NULL))
        return FALSE;
  }
  return TRUE;
}

/* libpq quotes what it does not understand, which may be a password; where there is none, its words are the best. */
static gboolean
check_url (const char *url, const char *shown, GError **error)
{
  if (sv_config_url_is_ambiguous (url))
  {
    g_set_error (
        error, SV_ERROR, SV_ERROR_USAGE,
        "SCOREVISION_DATABASE: %s: user or password has an @, /, ? or # as it is, so that nobody can say where the host "
        "begins; expected is postgresql://USER@HOST:PORT/DATABASE, in which you write @ as %%40, / as %%2F, ? as %%3F and # as "
        "%%23",
        shown);
    return FALSE;
  }
  char *message = NULL;
  PQconninfoOption *options = sv_pq ()->conninfoParse (url, &message);
  gboolean ok = options != NULL && has_good_ports (options);
  g_autofree char *reason = message != NULL && strcmp (url, shown) == 0 ? g_strchomp (g_strdup (message)) : NULL;
  if (!ok)
    g_set_error (
        error, SV_ERROR, SV_ERROR_USAGE,
        "SCOREVISION_DATABASE: %s is no URL of a PostgreSQL database%s%s; expected is "
        "postgresql://USER@HOST:PORT/DATABASE, in which / : ? # @ and %% of a password are written %%2F %%3A %%3F %%23 "
        "%%40 %%25",
        shown, reason != NULL ? ": " : "", reason != NULL ? reason : "");
  sv_pq ()->conninfoFree (options);
  sv_pq ()->freemem (message);
  return ok;
}

static SvState *
postgres_open (const char *url, const SvConfig *config, GError **error)
{
  g_autofree char *shown = sv_config_mask (url);
  if (!sv_pq_load (error) || !check_url (url, shown, error))
    return NULL;
  sv_postgres_warn_of_open_network (url, shown);
  SvPostgresState *state = g_new0 (SvPostgresState, 1);
  state->base.engine = &sv_postgres_state_engine;
  state->base.url = g_steal_pointer (&shown);
  state->conninfo = g_strdup (url);
  state->statements = g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, g_free);
  state->leads = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return &state->base;
}

const SvStateEngine sv_postgres_state_engine = {
  .scheme = "postgresql:",
  .open = postgres_open,
  .close = postgres_close,
  .put_clip = sv_postgres_put_clip,
  .remove_clip = sv_postgres_remove_clip,
  .list_clips = sv_postgres_list_clips,
  .clips_version = sv_postgres_clips_version,
  .put_ground_truth = sv_postgres_put_ground_truth,
  .ground_truth = sv_postgres_ground_truth,
  .draw_keys = sv_postgres_draw_keys,
  .find_draw_key = sv_postgres_find_draw_key,
  .secret = sv_postgres_secret,
  .admit = sv_postgres_admit,
  .try_admission = sv_postgres_try_admission,
  .recent_nonces = sv_postgres_recent_nonces,
  .list_issued = sv_postgres_list_issued,
  .close_window = sv_postgres_close_window,
  .raise_ids = sv_postgres_raise_ids,
  .find_task = sv_postgres_find_task,
  .complete_task = sv_postgres_complete_task,
  .lead = sv_postgres_lead,
  .checkpoint = sv_postgres_checkpoint,
  .append_commitments = sv_postgres_append_commitments,
  .list_commitments = sv_postgres_list_commitments,
  .forget_chain = sv_postgres_forget_chain,
  .share_chain = sv_postgres_share_chain,
  .shared_chain = sv_postgres_shared_chain,
  .wish_chain = sv_postgres_wish_chain,
};
