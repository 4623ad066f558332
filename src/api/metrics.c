/* Each thread counts into a part of its own (a shard; threads beyond their number share), so that no two processors write the
 * same line of memory; reading adds the shards up.
 *
 * Kinds of answers are found by the addresses of their static strings in a table that is only ever added to. An address that is
 * new is looked up by its text under a lock, since equal literals of two files may lie in two places; that happens once each.
 */
#include "api/metrics.h"

#include <string.h>

#include "base/log.h"

#define N_SHARDS 32
#define MAX_KINDS 256 /* the server has some sixty; what is beyond is counted as the first */
#define N_PLACES 1024 /* a power of two */
#define N_SCHEMES 2

typedef struct
{
  SvHistogram answers[MAX_KINDS];
  SvHistogram steps[SV_N_STEPS];
  _Atomic guint64 signatures[N_SCHEMES][2];
  _Atomic gint64 waiting[SV_N_WAITS];
} __attribute__ ((aligned (64))) Shard;

typedef struct
{
  const char *_Atomic endpoint; /* written last; NULL: the place is free */
  const char *outcome;
  guint status;
  guint kind;
} Place;

struct SvMetrics
{
  Shard *_Atomic shards[N_SHARDS];
  SvAnswerKind kinds[MAX_KINDS];
  _Atomic guint n_kinds;
  Place places[N_PLACES];
  guint n_places;
  GMutex lock; /* of what is added to kinds, places and shards */
  _Atomic gint is_pending;
};

SvMetrics *
sv_metrics_new (void)
{
  SvMetrics *metrics = g_new0 (SvMetrics, 1);
  g_mutex_init (&metrics->lock);
  metrics->kinds[0] = (SvAnswerKind){ .endpoint = "other", .outcome = "other" };
  metrics->n_kinds = 1;
  return metrics;
}

void
sv_metrics_free (SvMetrics *metrics)
{
  if (metrics == NULL)
    return;
  for (guint i = 0; i < N_SHARDS; i++)
    g_aligned_free (metrics->shards[i]);
  g_mutex_clear (&metrics->lock);
  g_free (metrics);
}

/* ── counting ── */

static Shard *
add_shard (SvMetrics *metrics, guint at)
{
  g_mutex_lock (&metrics->lock);
  Shard *shard = metrics->shards[at];
  if (shard == NULL)
  {
    shard = g_aligned_alloc0 (1, sizeof *shard, _Alignof(Shard));
    atomic_store_explicit (&metrics->shards[at], shard, memory_order_release);
  }
  g_mutex_unlock (&metrics->lock);
  return shard;
}

static Shard *
own_shard (SvMetrics *metrics)
{
  static _Atomic guint n_threads;
  static _Thread_local guint number; /* from 1 */
  if (number == 0)
    number = atomic_fetch_add (&n_threads, 1) % N_SHARDS + 1;
  Shard *shard = atomic_load_explicit (&metrics->shards[number - 1], memory_order_acquire);
  return shard != NULL ? shard : add_shard (metrics, number - 1);
}

/* The place of a kind, or the free one where it would be. */
static Place *
find_place (SvMetrics *metrics, const char *endpoint, guint status, const char *outcome)
{
  gsize hash = ((gsize)endpoint >> 3) * 31 + ((gsize)outcome >> 2) * 17 + status;
  for (;; hash++)
  {
    Place *place = &metrics->places[(hash ^ hash >> 10) % N_PLACES];
    const char *there = atomic_load_explicit (&place->endpoint, memory_order_acquire);
    if (there == NULL || (there == endpoint && place->outcome == outcome && place->status == status))
      return place;
  }
}

static guint
find_kind (SvMetrics *metrics, const char *endpoint, guint status, const char *outcome)
{
  guint n = metrics->n_kinds;
  for (guint i = 1; i < n; i++)
  {
    const SvAnswerKind *kind = &metrics->kinds[i];
    if (kind->status == status && strcmp (kind->endpoint, endpoint) == 0 && strcmp (kind->outcome, outcome) == 0)
      return i;
  }
  if (n == MAX_KINDS)
    return 0;
  metrics->kinds[n] = (SvAnswerKind){ .endpoint = endpoint, .outcome = outcome, .status = status };
  atomic_store_explicit (&metrics->n_kinds, n + 1, memory_order_release);
  return n;
}

static guint
add_place (SvMetrics *metrics, const char *endpoint, guint status, const char *outcome)
{
  g_mutex_lock (&metrics->lock);
  Place *place = find_place (metrics, endpoint, status, outcome); /* it may be there by now */
  guint kind = place->kind;
  if (place->endpoint == NULL)
    kind = find_kind (metrics, endpoint, status, outcome);
  if (place->endpoint == NULL && metrics->n_places < N_PLACES / 2)
  {
    place->kind = kind;
    place->outcome = outcome;
    place->status = status;
    atomic_store_explicit (&place->endpoint, endpoint, memory_order_release);
    metrics->n_places++;
  }
  g_mutex_unlock (&metrics->lock);
  return kind;
}

static guint64
not_negative (gint64 duration_us)
{
  return (guint64)MAX (duration_us, 0);
}

SvAnswerKind *
sv_metrics_count (SvMetrics *metrics, const char *endpoint, guint status, const char *outcome, gint64 duration_us)
{
  const Place *place = find_place (metrics, endpoint, status, outcome);
  gboolean is_there = atomic_load_explicit (&place->endpoint, memory_order_acquire) != NULL;
  guint kind = is_there ? place->kind : add_place (metrics, endpoint, status, outcome);
  sv_histogram_add (&own_shard (metrics)->answers[kind], &sv_scale_times, not_negative (duration_us));
  return &metrics->kinds[kind];
}

void
sv_metrics_count_step (SvMetrics *metrics, SvStep step, gint64 duration_us)
{
  sv_histogram_add (&own_shard (metrics)->steps[step], &sv_scale_times, not_negative (duration_us));
}

void
sv_metrics_count_signature (SvMetrics *metrics, SvScheme scheme, gboolean is_valid)
{
  atomic_fetch_add_explicit (&own_shard (metrics)->signatures[scheme][is_valid ? 1 : 0], 1, memory_order_relaxed);
}

void
sv_metrics_count_waiting (SvMetrics *metrics, SvWait wait, gint change)
{
  atomic_fetch_add_explicit (&own_shard (metrics)->waiting[wait], change, memory_order_relaxed);
}

/* ── reading ── */

/* All shards as one. Returns: (transfer full), for g_free(). */
static Shard *
add_up (const SvMetrics *metrics)
{
  Shard *all = g_aligned_alloc0 (1, sizeof *all, _Alignof(Shard));
  for (guint at = 0; at < N_SHARDS; at++)
  {
    const Shard *shard = atomic_load_explicit (&metrics->shards[at], memory_order_acquire);
    if (shard == NULL)
      continue;
    for (guint i = 0; i < metrics->n_kinds; i++)
      sv_histogram_merge (&all->answers[i], &shard->answers[i]);
    for (guint i = 0; i < SV_N_STEPS; i++)
      sv_histogram_merge (&all->steps[i], &shard->steps[i]);
    for (guint i = 0; i < N_SCHEMES * 2; i++)
      all->signatures[i / 2][i % 2] += atomic_load_explicit (&shard->signatures[i / 2][i % 2], memory_order_relaxed);
    for (guint i = 0; i < SV_N_WAITS; i++)
      all->waiting[i] += atomic_load_explicit (&shard->waiting[i], memory_order_relaxed);
  }
  return all;
}

static void
write_answers (const SvMetrics *metrics, const Shard *all, GString *out)
{
  guint n_kinds = metrics->n_kinds;
  sv_metrics_write_family (out, "sv_requests_total", "counter", "Answers by endpoint, outcome and status.");
  for (guint i = 0; i < n_kinds; i++)
  {
    const SvAnswerKind *kind = &metrics->kinds[i];
    guint64 n = sv_histogram_count (&all->answers[i]);
    char status[16];
    g_snprintf (status, sizeof status, "%u", kind->status);
    if (n > 0)
      sv_metrics_write_value (out, "sv_requests_total", (double)n, "endpoint", kind->endpoint, "outcome", kind->outcome,
                              "status", status, NULL);
  }
}

static gboolean
is_first_of_endpoint (const SvMetrics *metrics, guint i)
{
  for (guint j = 0; j < i; j++)
    if (strcmp (metrics->kinds[j].endpoint, metrics->kinds[i].endpoint) == 0)
      return FALSE;
  return TRUE;
}

static void
write_times (const SvMetrics *metrics, const Shard *all, GString *out)
{
  static const char name[] = "sv_request_duration_seconds";
  guint n_kinds = metrics->n_kinds;
  sv_metrics_write_family (out, name, "histogram", "From a request's headers to its answer, by endpoint.");
  for (guint i = 0; i < n_kinds; i++)
  {
    SvHistogram times = { 0 };
    const char *endpoint = metrics->kinds[i].endpoint;
    if (!is_first_of_endpoint (metrics, i))
      continue;
    for (guint j = i; j < n_kinds; j++)
      if (strcmp (metrics->kinds[j].endpoint, endpoint) == 0)
        sv_histogram_merge (&times, &all->answers[j]);
    if (sv_histogram_count (&times) > 0)
      sv_metrics_write_histogram (out, name, &times, &sv_scale_times, "endpoint", endpoint);
  }
}

static void
write_steps (const Shard *all, GString *out)
{
  static const char name[] = "sv_challenge_step_duration_seconds";
  static const char *const names[SV_N_STEPS] = {
    "head", "signatures", "admission", "judging", "index_wait", "chain_wait", "log_wait", "durable", "sent",
  };
  sv_metrics_write_family (out, name, "histogram", "What the time of GET /api/challenge/v3 is spent on, by step.");
  for (guint i = 0; i < SV_N_STEPS; i++)
    sv_metrics_write_histogram (out, name, &all->steps[i], &sv_scale_times, "step", names[i]);
}

static void
write_signatures (const Shard *all, GString *out)
{
  static const char name[] = "sv_signature_checks_total";
  static const SvScheme schemes[N_SCHEMES] = { SV_SCHEME_ED25519, SV_SCHEME_SR25519 };
  sv_metrics_write_family (out, name, "counter", "Signatures of requests that were checked, by scheme and result.");
  for (guint i = 0; i < N_SCHEMES; i++)
    for (guint valid = 0; valid < 2; valid++)
      sv_metrics_write_value (out, name, (double)all->signatures[schemes[i]][valid], "scheme", sv_scheme_name (schemes[i]),
                              "result", valid ? "valid" : "invalid", NULL);
}

static void
write_waiting (const Shard *all, GString *out)
{
  static const char name[] = "sv_requests_suspended";
  static const char *const names[SV_N_WAITS] = { NULL, "index", "chain", "state" };
  sv_metrics_write_family (out, name, "gauge", "Requests that wait for the index, the chain or the state.");
  for (guint i = 1; i < SV_N_WAITS; i++)
    sv_metrics_write_value (out, name, (double)all->waiting[i], "for", names[i], NULL);
}

void
sv_metrics_write (SvMetrics *metrics, GString *out)
{
  Shard *all = add_up (metrics);
  write_answers (metrics, all, out);
  write_times (metrics, all, out);
  write_steps (all, out);
  write_signatures (all, out);
  write_waiting (all, out);
  g_aligned_free (all);
}

/* ── the log ── */

void
sv_metrics_note_left_out (SvMetrics *metrics)
{
  if (metrics->is_pending == 0)
    metrics->is_pending = 1;
}

gboolean
sv_metrics_is_pending (const SvMetrics *metrics)
{
  return atomic_load_explicit (&metrics->is_pending, memory_order_relaxed) != 0;
}

void
sv_metrics_tell_left_out (SvMetrics *metrics, gint64 now_us, GString *log)
{
  guint n_kinds = metrics->n_kinds;
  gboolean has_more = FALSE;
  metrics->is_pending = 0; /* first: whoever leaves one out now sets it again */
  for (guint i = 0; i < n_kinds; i++)
  {
    SvAnswerKind *kind = &metrics->kinds[i];
    char n[16], status[16];
    guint left_out = sv_log_limit_drain (&kind->log_limit, now_us);
    has_more |= sv_log_limit_left_out (&kind->log_limit) > 0;
    if (left_out == 0)
      continue;
    g_snprintf (n, sizeof n, "%u", left_out);
    g_snprintf (status, sizeof status, "%u", kind->status);
    sv_log_append (log, "info", "requests left out", "endpoint", kind->endpoint, "status", status, "outcome", kind->outcome,
                   "left_out", n, NULL);
  }
  if (has_more)
    metrics->is_pending = 1;
}
