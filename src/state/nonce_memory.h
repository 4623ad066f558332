/* A set of nonces that forgets by time, and of each keeps nothing but a hash: what replays need, in eight bytes a nonce, and up
 * to a quarter more. */
#pragma once

#include <glib.h>

typedef struct SvNonceMemory SvNonceMemory;

/* A nonce is remembered for @remember_ms (8 at least, a year at most) by the times that are passed in, and some three eighths
 * longer at most. A gap between two of these times counts as an eighth at most, since it may be a clock that will be set back;
 * so after a long silence nonces are kept longer. */
SvNonceMemory *sv_nonce_memory_new (guint64 remember_ms);
void sv_nonce_memory_free (SvNonceMemory *memory);

/* After a small step back time stands still until the clock has caught up; after a long one it goes on from the new time. */
void sv_nonce_memory_pass_time (SvNonceMemory *memory, gint64 now_ms);

/* The key of @text among those of @owner and @kind ("query", "X"). Secret: nobody outside can aim for equal ones. */
guint64 sv_nonce_memory_key (const SvNonceMemory *memory, guint64 owner, char kind, const char *text);

gboolean sv_nonce_memory_contains (const SvNonceMemory *memory, guint64 key);
void sv_nonce_memory_add (SvNonceMemory *memory, guint64 key);

/* How many are held. */
guint sv_nonce_memory_size (const SvNonceMemory *memory);
