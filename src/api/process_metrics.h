/* What Prometheus' clients tell of a process, under the names that they agree on, and which build it is. */
#pragma once

#include <glib.h>

void sv_process_metrics_write (GString *out);
