/* Health, readiness and metrics. Alive: the process answers. Ready: it would not answer 503 for reasons of its own;
 * reasons that all instances share are warnings, as nothing is won by taking all of them out. */
#include "api/front.h"
#include "api/process_metrics.h"
#include "api/service.h"
#include "base/rfc3339.h"

#define STATE_MAX_AGE_MS 30000
#define INDEX_OLD_MS 60000

SvReply *
sv_handle_healthz (SvExchange *exchange)
{
  json_t *body = json_object ();
  json_object_set_new (body, "status", json_string ("ok"));
  return sv_reply_json (200, "ok", body);
}

static const char *
find_fault (const SvService *service, const SvSnapshot *snapshot, gint64 now_ms)
{
  if (g_atomic_int_get (&service->is_draining) && !g_atomic_int_get (&service->is_replaced))
    return "the server is stopping";
  const char *state_fault = sv_state_keeper_fault (service->keeper);
  if (state_fault != NULL)
    return state_fault;
  const char *log_fault = sv_issue_log_fault (service->issue_log);
  if (log_fault != NULL)
    return log_fault;
  if (snapshot->catalog == NULL && sv_board_chain_contact (service->board) == SV_CHAIN_ANSWERS)
    return "the manifest index has not been read yet, see this server's log";
  if (snapshot->catalog == NULL)
    return sv_board_chain_fault (service->board, snapshot, now_ms);
  if (snapshot->catalog->n_unfenced > 0)
    return "the published issue log of a window cannot be looked at in the store, so nothing of it is handed out";
  if (snapshot->clips == NULL || now_ms - sv_board_state_seen_ms (service->board) > STATE_MAX_AGE_MS)
    return "the state cannot be read";
  return sv_board_chain_fault (service->board, snapshot, now_ms);
}

const char *
sv_service_fault (const SvService *service)
{
  g_autoptr (SvSnapshot) snapshot = sv_board_get (service->board);
  return find_fault (service, snapshot, sv_clock_ms ());
}

/* What keeps challenges from being handed out, here and on every other instance. */
static json_t *
list_warnings (const SvService *service, const SvIndex *index)
{
  SvBoardAges ages;
  SvClipGaps gaps = sv_board_clip_gaps (service->board);
  json_t *warnings = json_array ();
  if (gaps.n_missing > 0)
    json_array_append_new (warnings, json_sprintf ("%u clips of the windows in force are not registered, or not in the store: "
                                                   "nobody gets a challenge with them",
                                                   gaps.n_missing));
  if (gaps.n_clipless > 0)
    json_array_append_new (warnings, json_sprintf ("%u elements of the windows in force have no clips: nobody gets a challenge "
                                                   "for them",
                                                   gaps.n_clipless));
  sv_board_ages (service->board, sv_clock_ms (), &ages);
  if (ages.index_ms > INDEX_OLD_MS && index->sequence > 0)
    json_array_append_new (warnings, json_sprintf ("the manifest index could not be read for %" G_GINT64_FORMAT
                                                   " s: the one that was verified last is served",
                                                   ages.index_ms / 1000));
  if (sv_board_chain_contact (service->board) == SV_CHAIN_AWAY)
    json_array_append_new (warnings, json_string ("the endpoint of the chain has not answered since this server was started: "
                                                  "it answers by what another instance reads, while there is one"));
  return warnings;
}

SvReply *
sv_handle_readyz (SvExchange *exchange)
{
  const SvService *service = exchange->service;
  g_autoptr (SvSnapshot) snapshot = sv_board_get (service->board);
  const char *fault = find_fault (service, snapshot, sv_clock_ms ());
  if (fault != NULL)
    return sv_reply_error (503, "not_ready", "Not ready: %s", fault);
  json_t *body = json_object ();
  json_object_set_new (body, "status", json_string ("ready"));
  json_object_set_new (body, "block", sv_json_integer (sv_bindings_head (snapshot->bindings)->best.number));
  json_object_set_new (body, "index_sequence", sv_json_integer (snapshot->catalog->index->sequence));
  json_object_set_new (body, "warnings", list_warnings (service, snapshot->catalog->index));
  return sv_reply_json (200, "ready", body);
}

static void
write_snapshot (const SvService *service, GString *out)
{
  g_autoptr (SvSnapshot) snapshot = sv_board_get (service->board);
  if (snapshot->catalog != NULL)
    sv_metrics_write_sample (out, "sv_index_sequence", "gauge", "Sequence of the manifest index served.",
                             (double)snapshot->catalog->index->sequence);
  if (snapshot->clips != NULL)
    sv_metrics_write_sample (out, "sv_clips", "gauge", "Clips registered.", snapshot->clips->list->len);
  sv_metrics_write_sample (out, "sv_clips_lost", "gauge", "Clips registered that the store is known not to have.",
                           snapshot->lost != NULL ? g_hash_table_size (snapshot->lost) : 0);
  SvClipGaps gaps = sv_board_clip_gaps (service->board);
  sv_metrics_write_sample (out, "sv_clips_missing", "gauge",
                           "Clips of the windows in force that are not registered, or that the store is known not to have.",
                           gaps.n_missing);
  sv_metrics_write_sample (out, "sv_elements_without_clips", "gauge", "Elements of the windows in force that have no clips.",
                           gaps.n_clipless);
  sv_metrics_write_sample (out, "sv_known_miners", "gauge", "Accounts with a commitment for an unexpired window.",
                           sv_snapshot_count_known (snapshot));
  if (snapshot->bindings == NULL)
    return;
  const SvHead *head = sv_bindings_head (snapshot->bindings);
  sv_metrics_write_sample (out, "sv_chain_head_block", "gauge", "Best block that answers are given at.",
                           (double)head->best.number);
  sv_metrics_write_sample (out, "sv_chain_finalized_block", "gauge", "Finalized block.", (double)head->finalized.number);
  sv_metrics_write_sample (out, "sv_chain_unfinalized_blocks", "gauge", "Blocks by which finality is behind the best block.",
                           (double)head->best.number - (double)head->finalized.number);
  sv_metrics_write_sample (out, "sv_chain_unreadable_blocks", "gauge",
                           "Blocks of the open windows that no endpoint has the content of any more.",
                           sv_bindings_count_unreadable (snapshot->bindings));
  sv_metrics_write_sample (out, "sv_chain_head_age_seconds", "gauge", "Age of the best block.",
                           (double)sv_board_head_age_ms (service->board, snapshot, sv_clock_ms ()) / 1000);
}

static void
write_ages (const SvService *service, GString *out)
{
  static const char name[] = "sv_snapshot_age_seconds";
  SvBoardAges ages;
  sv_board_ages (service->board, sv_clock_ms (), &ages);
  sv_metrics_write_family (out, name, "gauge",
                           "Since it was read without a fault, or since the start where it never was, by what is read.");
  sv_metrics_write_value (out, name, (double)ages.index_ms / 1000, "of", "manifest_index", NULL);
  sv_metrics_write_value (out, name, (double)ages.clips_ms / 1000, "of", "clips", NULL);
  sv_metrics_write_value (out, name, (double)ages.store_ms / 1000, "of", "clips_in_store", NULL);
  sv_metrics_write_value (out, name, (double)ages.chain_ms / 1000, "of", "bindings", NULL);
}

static void
write_readiness (const SvService *service, GString *out)
{
  g_autoptr (SvSnapshot) snapshot = sv_board_get (service->board);
  sv_metrics_write_sample (out, "sv_ready", "gauge", "1 where /readyz answers 200.",
                           find_fault (service, snapshot, sv_clock_ms ()) == NULL);
}

static void
write_database (const SvService *service, GString *out)
{
  SvStateConnections connections = sv_state_connections ();
  sv_metrics_write_sample (out, "sv_database_up", "gauge", "1 where the database could be asked when it was asked last.",
                           sv_state_keeper_fault (service->keeper) == NULL);
  sv_metrics_write_sample (out, "sv_database_connections_made_total", "counter",
                           "Connections made to a database server, again ones among them; a file has none.",
                           (double)connections.n_made);
  sv_metrics_write_sample (out, "sv_database_connections_failed_total", "counter", "Attempts to connect that failed.",
                           (double)connections.n_failed);
  sv_metrics_write_sample (out, "sv_chain_leads", "gauge",
                           "1 where this instance reads the chain for all that share its database.",
                           sv_board_leads (service->board));
}

static void
write_issue_log (const SvService *service, GString *out)
{
  const SvIssueLogCounts *counts = sv_issue_log_counts (service->issue_log);
  sv_metrics_write_family (out, "sv_issue_log_batch_entries", "histogram",
                           "Requests written to the issue log by one transaction.");
  sv_metrics_write_histogram (out, "sv_issue_log_batch_entries", &counts->batches, &sv_scale_sizes, NULL, NULL);
  sv_metrics_write_family (out, "sv_issue_log_write_duration_seconds", "histogram",
                           "How long a transaction of the issue log took.");
  sv_metrics_write_histogram (out, "sv_issue_log_write_duration_seconds", &counts->durations, &sv_scale_times, NULL, NULL);
  sv_metrics_write_sample (out, "sv_issue_log_failed_total", "counter", "Requests that could not be written.",
                           (double)counts->n_failed);
  sv_metrics_write_sample (out, "sv_issue_log_waiting", "gauge", "Requests that wait to be written.",
                           sv_issue_log_waiting (service->issue_log));
  sv_issue_publisher_write_metrics (service->issue_publisher, out);
}

SvReply *
sv_handle_metrics (SvExchange *exchange)
{
  const SvService *service = exchange->service;
  g_autoptr (GString) out = g_string_new (NULL);
  sv_metrics_write_sample (out, "sv_requests_in_hand", "gauge", "API requests being handled.",
                           g_atomic_int_get (&service->n_working));
  sv_metrics_write_sample (out, "sv_requests_in_flight", "gauge", "Requests whose answer is not sent to its end.",
                           g_atomic_int_get (&service->n_in_flight));
  sv_metrics_write_sample (out, "sv_nonces_remembered", "gauge", "Nonces remembered in memory.",
                           sv_admission_size (service->admission));
  write_readiness (service, out);
  write_snapshot (service, out);
  write_ages (service, out);
  write_database (service, out);
  write_issue_log (service, out);
  sv_metrics_write (service->metrics, out);
  sv_front_write_metrics (service->front, out);
  sv_process_metrics_write (out);
  return sv_reply_text (200, "ok", "text/plain; version=0.0.4; charset=utf-8", out->str);
}
