/* Each asker has a ring of slots in order of time: what he was admitted in the window. A slot is a number of requests of one
 * bucket at one millisecond; where the limit is high, of a 4,096th part of the window, counted by its last one: so that an
 * asker's ring is bounded whatever the limit is, and never more than the limit is admitted, in whatever window one looks at.
 * Time never goes back inside an asker; a last request that lies far ahead comes from a clock that has been set back since, and
 * what was counted by it is forgotten, else it would count for ever.
 *
 * Askers of whom nothing counts any more are forgotten, once per remembered time; their nonces go by themselves. */
#include "state/request_memory.h"

#include <string.h>

#include "base/text_hash.h"
#include "state/nonce_memory.h"
#include "state/rate.h"

#define EXACT_LIMIT 4096 /* up to which each millisecond is counted apart */
#define SLOT_COUNT_MAX 0xffff

typedef struct
{
  guint64 time_ms : 42;
  guint64 bucket : 6;
  guint64 count : 16;
} Slot;

typedef struct
{
  char *client_id;
  gint64 seen_ms; /* refused requests too (state/rate.h) */
  guint64 count;
} Bucket;

typedef struct
{
  Slot *slots;       /* a ring */
  guint n_allocated; /* a power of two, or 0 */
  guint first;
  guint n_slots;
  guint64 count;  /* requests in the slots */
  gint64 last_ms; /* of the last one that was admitted */
  gint64 seen_ms;
  Bucket *buckets;
  guint n_buckets;
} Asker;

struct SvRequestMemory
{
  guint64 window_ms;
  guint64 remember_ms;
  SvNonceMemory *nonces;
  GHashTable *askers; /* account -> Asker */
  gint64 swept_ms;
};

static void
clear_asker (Asker *asker)
{
  for (guint i = 0; i < asker->n_buckets; i++)
    g_free (asker->buckets[i].client_id);
  g_free (asker->buckets);
  g_free (asker->slots);
  *asker = (Asker){ 0 };
}

static void
free_asker (gpointer asker)
{
  clear_asker (asker);
  g_free (asker);
}

SvRequestMemory *
sv_request_memory_new (const SvAdmissionRules *rules)
{
  SvRequestMemory *memory = g_new0 (SvRequestMemory, 1);
  memory->window_ms = rules->window_ms;
  memory->remember_ms = rules->remember_ms;
  memory->nonces = sv_nonce_memory_new (rules->remember_ms);
  memory->askers = g_hash_table_new_full (sv_text_hash, g_str_equal, g_free, free_asker);
  return memory;
}

void
sv_request_memory_free (SvRequestMemory *memory)
{
  if (memory == NULL)
    return;
  sv_nonce_memory_free (memory->nonces);
  g_hash_table_unref (memory->askers);
  g_free (memory);
}

/* ── nonces ── */

typedef struct
{
  guint64 query;
  guint64 x;
  gboolean has_x;
} Keys;

static Keys
keys_of (const SvRequestMemory *memory, const SvRequest *request)
{
  guint64 owner = sv_nonce_memory_key (memory->nonces, 0, 'a', request->asker);
  Keys keys = { .query = sv_nonce_memory_key (memory->nonces, owner, 'q', request->nonce), .has_x = request->x_nonce != NULL };
  if (keys.has_x)
    keys.x = sv_nonce_memory_key (memory->nonces, owner, 'x', request->x_nonce);
  return keys;
}

static gboolean
has_any (const SvRequestMemory *memory, const Keys *keys)
{
  return sv_nonce_memory_contains (memory->nonces, keys->query) ||
         (keys->has_x && sv_nonce_memory_contains (memory->nonces, keys->x));
}

static void
add_all (SvRequestMemory *memory, const Keys *keys)
{
  sv_nonce_memory_add (memory->nonces, keys->query);
  if (keys->has_x)
    sv_nonce_memory_add (memory->nonces, keys->x);
}

/* ── an asker's slots ── */

static Slot *
slot_at (const Asker *asker, guint i)
{
  return &asker->slots[(asker->first + i) & (asker->n_allocated - 1)];
}

static void
double_ring (Asker *asker)
{
  guint n_allocated = MAX (2 * asker->n_allocated, 4);
  Slot *slots = g_new (Slot, n_allocated);
  for (guint i = 0; i < asker->n_slots; i++)
    slots[i] = *slot_at (asker, i);
  g_free (asker->slots);
  asker->slots = slots;
  asker->n_allocated = n_allocated;
  asker->first = 0;
}

static guint64
slot_width (const SvRequestMemory *memory, guint limit)
{
  return limit > EXACT_LIMIT ? MAX (memory->window_ms / EXACT_LIMIT, 1) : 1;
}

/* (transfer none) the slot that one more request of the bucket is counted in, or NULL. Buckets take turns, so a slot of the
 * same time may have others behind it. */
static Slot *
open_slot (const Asker *asker, guint bucket, gint64 now_ms, guint64 width)
{
  for (guint i = asker->n_slots; i-- > 0;)
  {
    Slot *slot = slot_at (asker, i);
    if (slot->time_ms / width != (guint64)now_ms / width)
      return NULL;
    if (slot->bucket == bucket)
      return slot->count < SLOT_COUNT_MAX ? slot : NULL;
  }
  return NULL;
}

static void
count_request (Asker *asker, guint bucket, gint64 now_ms, guint64 width)
{
  Slot *slot = open_slot (asker, bucket, now_ms, width);
  if (slot == NULL)
  {
    if (asker->n_slots == asker->n_allocated)
      double_ring (asker);
    slot = slot_at (asker, asker->n_slots++);
    *slot = (Slot){ .bucket = bucket };
  }
  slot->time_ms = (guint64)now_ms & ((G_GUINT64_CONSTANT (1) << 42) - 1);
  slot->count++;
  asker->count++;
  asker->buckets[bucket].count++;
  asker->last_ms = now_ms;
}

static void
uncount_old (Asker *asker, gint64 cutoff_ms)
{
  while (asker->n_slots > 0 && (gint64)slot_at (asker, 0)->time_ms <= cutoff_ms)
  {
    const Slot *slot = slot_at (asker, 0);
    asker->count -= slot->count;
    asker->buckets[slot->bucket].count -= slot->count;
    asker->first = (asker->first + 1) & (asker->n_allocated - 1);
    asker->n_slots--;
  }
}

static gint64
oldest_in_bucket (const Asker *asker, guint bucket)
{
  for (guint i = 0; i < asker->n_slots; i++)
    if (slot_at (asker, i)->bucket == bucket)
      return (gint64)slot_at (asker, i)->time_ms;
  return 0;
}

/* ── an asker's buckets ── */

/* A client id that is not active yet opens a bucket of its own while there are fewer than 16 active, else it goes into the
 * shared one. */
static const char *
choose_name (const Asker *asker, const char *client_id, gint64 cutoff_ms)
{
  guint n_own = 0;
  for (guint i = 0; i < asker->n_buckets; i++)
  {
    const Bucket *bucket = &asker->buckets[i];
    if (bucket->seen_ms <= cutoff_ms)
      continue;
    if (strcmp (bucket->client_id, client_id) == 0)
      return client_id;
    n_own += strcmp (bucket->client_id, SV_RATE_SHARED_BUCKET) != 0;
  }
  return n_own < SV_RATE_BUCKETS_MAX ? client_id : SV_RATE_SHARED_BUCKET;
}

/* The bucket of that name, made where there is none, in the place of one that is over. There are at most 16 active ones and the
 * shared one; what is coarsely counted may hold one back that is not active, so there may be a few more. */
static guint
bucket_named (Asker *asker, const char *name, gint64 cutoff_ms)
{
  guint chosen = asker->n_buckets;
  for (guint i = asker->n_buckets; i-- > 0;)
  {
    const Bucket *bucket = &asker->buckets[i];
    if (strcmp (bucket->client_id, name) == 0)
      return i;
    if (bucket->seen_ms <= cutoff_ms && bucket->count == 0)
      chosen = i;
  }
  if (chosen == asker->n_buckets)
    asker->buckets = g_renew (Bucket, asker->buckets, ++asker->n_buckets);
  else
    g_free (asker->buckets[chosen].client_id);
  asker->buckets[chosen] = (Bucket){ .client_id = g_strdup (name) };
  return chosen;
}

static guint
n_active_buckets (const Asker *asker, gint64 cutoff_ms)
{
  guint n = 0;
  for (guint i = 0; i < asker->n_buckets; i++)
    n += asker->buckets[i].seen_ms > cutoff_ms;
  return n;
}

/* ── one request ── */

void
sv_request_memory_pass_time (SvRequestMemory *memory, gint64 now_ms)
{
  sv_nonce_memory_pass_time (memory->nonces, now_ms);
  gint64 remember_ms = (gint64)memory->remember_ms;
  if (ABS (now_ms - memory->swept_ms) < remember_ms)
    return;
  memory->swept_ms = now_ms;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, memory->askers);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (ABS (now_ms - ((Asker *)value)->seen_ms) > remember_ms)
      g_hash_table_iter_remove (&iter);
}

static Asker *
find_asker (SvRequestMemory *memory, const SvRequest *request)
{
  Asker *asker = g_hash_table_lookup (memory->askers, request->asker);
  if (asker == NULL)
  {
    asker = g_new0 (Asker, 1);
    g_hash_table_insert (memory->askers, g_strdup (request->asker), asker);
  }
  else if (asker->last_ms > request->now_ms + (gint64)memory->remember_ms)
    clear_asker (asker);
  return asker;
}

/* An asker at the moment of one request of his. */
typedef struct
{
  Asker *asker;
  gint64 now_ms;
  gint64 cutoff_ms; /* what was at or before this time has left the window */
  guint bucket;
} Moment;

/* Notes that the client was seen. */
static Moment
arrive (SvRequestMemory *memory, const SvRequest *request)
{
  Asker *asker = find_asker (memory, request);
  gint64 now_ms = MAX (request->now_ms, asker->last_ms);
  Moment moment = { .asker = asker, .now_ms = now_ms, .cutoff_ms = now_ms - (gint64)memory->window_ms };
  uncount_old (asker, moment.cutoff_ms);
  moment.bucket = bucket_named (asker, choose_name (asker, request->client_id, moment.cutoff_ms), moment.cutoff_ms);
  asker->buckets[moment.bucket].seen_ms = now_ms;
  asker->seen_ms = now_ms;
  return moment;
}

static guint
seconds_to_wait (const SvRequestMemory *memory, guint limit, const Moment *moment)
{
  const Asker *asker = moment->asker;
  SvAdmissionRules rules = { .limit = limit, .window_ms = memory->window_ms, .remember_ms = memory->remember_ms };
  guint n_buckets = n_active_buckets (asker, moment->cutoff_ms);
  SvRateCount all = { asker->count, 0 }, own = { asker->buckets[moment->bucket].count, 0 };
  if (sv_rate_retry_after (&rules, moment->now_ms, &all, &own, n_buckets) == 0)
    return 0;
  all.oldest_ms = asker->n_slots > 0 ? (gint64)slot_at (asker, 0)->time_ms : 0;
  own.oldest_ms = oldest_in_bucket (asker, moment->bucket);
  return sv_rate_retry_after (&rules, moment->now_ms, &all, &own, n_buckets);
}

gboolean
sv_request_memory_is_replay (const SvRequestMemory *memory, const SvRequest *request)
{
  Keys keys = keys_of (memory, request);
  return has_any (memory, &keys);
}

SvAdmissionOutcome
sv_request_memory_judge (SvRequestMemory *memory, guint limit, const SvRequest *request, guint *retry_after_s)
{
  *retry_after_s = 0;
  sv_request_memory_pass_time (memory, request->now_ms);
  Keys keys = keys_of (memory, request);
  if (has_any (memory, &keys))
    return SV_REPLAYED_NONCE;
  Moment moment = arrive (memory, request);
  *retry_after_s = seconds_to_wait (memory, limit, &moment);
  if (*retry_after_s > 0)
    return SV_RATE_LIMITED;
  add_all (memory, &keys);
  count_request (moment.asker, moment.bucket, moment.now_ms, slot_width (memory, limit));
  return SV_ADMITTED;
}

gboolean
sv_request_memory_judge_logged (SvRequestMemory *memory, guint limit, gboolean is_window_closed, SvAdmission *admission,
                                SvRequest *logged)
{
  *logged = (SvRequest){ .asker = admission->asker,
                         .nonce = admission->nonce,
                         .x_nonce = admission->x_nonce,
                         .client_id = admission->client_id,
                         .now_ms = admission->now_ms };
  admission->retry_after_s = 0;
  if (is_window_closed)
  {
    admission->outcome = sv_request_memory_is_replay (memory, logged) ? SV_REPLAYED_NONCE : SV_WINDOW_CLOSED;
    return FALSE;
  }
  admission->outcome = sv_request_memory_judge (memory, limit, logged, &admission->retry_after_s);
  if (admission->outcome == SV_RATE_LIMITED)
    logged->nonce = logged->x_nonce = NULL;
  return admission->outcome != SV_REPLAYED_NONCE;
}

void
sv_request_memory_recall (SvRequestMemory *memory, guint limit, const SvRequest *request)
{
  sv_request_memory_pass_time (memory, request->now_ms);
  if (request->nonce == NULL)
  {
    arrive (memory, request);
    return;
  }
  Keys keys = keys_of (memory, request);
  add_all (memory, &keys);
  Moment moment = arrive (memory, request);
  count_request (moment.asker, moment.bucket, moment.now_ms, slot_width (memory, limit));
}

gboolean
sv_request_memory_knows (const SvRequestMemory *memory, const char *asker)
{
  return g_hash_table_contains (memory->askers, asker);
}

guint
sv_request_memory_askers (const SvRequestMemory *memory)
{
  return g_hash_table_size (memory->askers);
}

guint
sv_request_memory_nonces (const SvRequestMemory *memory)
{
  return sv_nonce_memory_size (memory->nonces);
}
