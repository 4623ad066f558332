/* What `sv store` prints, for people and as JSON. */
#pragma once

#include "cli/command.h"
#include "operator/store_check.h"
#include "operator/store_mirror.h"

void sv_print_store_report (const SvContext *context, const SvObjectStore *store, const SvStoreReport *report);
void sv_print_mirror_report (const SvContext *context, const SvObjectStore *from, const SvObjectStore *to,
                             const SvMirrorReport *report);

/* One line on the terminal that is drawn over and over; not in a file. @context is an SvContext. */
void sv_draw_progress (guint64 objects, guint64 bytes, const char *key, gpointer context);
void sv_clear_progress (const SvContext *context);
