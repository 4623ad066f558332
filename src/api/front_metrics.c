/* What the front tells of its connections and its threads. Each worker counts what it does itself, so nothing is shared but
 * with whoever reads. */
#include "api/front_internal.h"

/* What people call the states; NULL is no list. */
static const char *const states[SV_N_LISTS] = {
  [SV_CONNECTION_IDLE] = "idle",       [SV_CONNECTION_HEAD] = "reading_head", [SV_CONNECTION_BODY] = "reading_body",
  [SV_CONNECTION_WORKING] = "working", [SV_CONNECTION_SENDING] = "writing",   [SV_CONNECTION_LINGERING] = "closing",
};

static guint64
add_up (const SvFront *front, SvFrontCount count)
{
  guint64 n = 0;
  for (guint i = 0; i <= front->n_workers; i++)
    n += atomic_load_explicit (&front->workers[i].counts[count], memory_order_relaxed);
  return n;
}

static void
write_states (const SvFront *front, GString *out)
{
  sv_metrics_write_family (out, "sv_connections", "gauge", "Open connections by what they are at.");
  for (guint state = 0; state < SV_N_LISTS; state++)
  {
    gint n = 0;
    for (guint i = 0; i <= front->n_workers; i++)
      n += atomic_load_explicit (&front->workers[i].n_in_state[state], memory_order_relaxed);
    sv_metrics_write_value (out, "sv_connections", n, "state", states[state], NULL);
  }
  sv_metrics_write_sample (out, "sv_connections_max", "gauge", "Connections that may be open.", front->limits.max_connections);
}

static void
write_counts (const SvFront *front, GString *out)
{
  static const struct
  {
    SvFrontCount count;
    const char *reason;
  } refused[] = { { SV_FRONT_REFUSED_ADDRESS, "address_limit" },
                  { SV_FRONT_PAUSED_FULL, "full" },
                  { SV_FRONT_PAUSED_MEANS, "no_files" } },
    cut[] = { { SV_FRONT_CUT_DISPLACED, "displaced" },
              { SV_FRONT_CUT_IDLE, "idle_timeout" },
              { SV_FRONT_CUT_HEAD, "head_timeout" },
              { SV_FRONT_CUT_BODY, "body_timeout" },
              { SV_FRONT_CUT_SENDING, "send_timeout" } };
  sv_metrics_write_sample (out, "sv_connections_accepted_total", "counter", "Connections let in.",
                           (double)add_up (front, SV_FRONT_ACCEPTED));
  sv_metrics_write_family (out, "sv_connections_refused_total", "counter",
                           "Connections not let in (address_limit), and times that accepting paused (full, no_files).");
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    sv_metrics_write_value (out, "sv_connections_refused_total", (double)add_up (front, refused[i].count), "reason",
                            refused[i].reason, NULL);
  sv_metrics_write_family (out, "sv_connections_cut_total", "counter", "Connections that the server has ended, by reason.");
  for (gsize i = 0; i < G_N_ELEMENTS (cut); i++)
    sv_metrics_write_value (out, "sv_connections_cut_total", (double)add_up (front, cut[i].count), "reason", cut[i].reason,
                            NULL);
}

static void
write_workers (const SvFront *front, GString *out)
{
  sv_metrics_write_family (out, "sv_worker_busy_seconds_total", "counter",
                           "Time in which a thread of the HTTP front did not wait for something to do.");
  for (guint i = 0; i <= front->n_workers; i++)
  {
    char name[16];
    g_snprintf (name, sizeof name, i < front->n_workers ? "%u" : "files", i);
    sv_metrics_write_value (out, "sv_worker_busy_seconds_total",
                            (double)atomic_load_explicit (&front->workers[i].counts[SV_FRONT_BUSY_US], memory_order_relaxed) /
                                1e6,
                            "worker", name, NULL);
  }
}

void
sv_front_write_metrics (const SvFront *front, GString *out)
{
  write_states (front, out);
  write_counts (front, out);
  write_workers (front, out);
}
