/* A hash of texts for tables in memory that each request looks into: g_str_hash() takes a byte at a time, and accounts and
 * hashes are long. It is no secret and of this process only, so it is never stored. */
#pragma once

#include <glib.h>

/* A GHashFunc, to go with g_str_equal(). */
guint sv_text_hash (gconstpointer text);
