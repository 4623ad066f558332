/* Admission in memory. Askers lie in 64 shards by hash of their account, each with its lock, so that workers seldom meet.
 *
 * An asker has one list of admitted requests in order of time. Its tail, the last `window_ms`, counts for the rate; all of it
 * is remembered against replays. Both ends are cut as requests come, and the rate limit itself bounds the list. Inside the
 * asker's limit each client id seen in the window has a bucket with an equal share of it; the buckets' number is bounded.
 * Known askers are bounded by the chain; strangers, whom only v2 without a validator list admits, by a fixed number. */
#include "api/admission.h"

#include <string.h>

#include "base/error.h"
#include "base/identifiers.h"
#include "state/rate.h"

#define N_SHARDS 64
#define SHARED_BUCKET SV_RATE_BUCKETS_MAX
#define N_BUCKETS (SHARED_BUCKET + 1)

typedef struct
{
  gint64 time_ms;
  char *nonce;   /* "q" + query nonce */
  char *x_nonce; /* "x" + X-Nonce, or NULL */
  guint bucket;
} Entry;

typedef struct
{
  char *client_id; /* NULL: free, or the shared one */
  gint64 seen_ms;  /* refused requests too (state/rate.h) */
  guint64 count;
} Bucket;

typedef struct
{
  GQueue entries;       /* of Entry, oldest first */
  GList *first_counted; /* the oldest that lies in the rate window, or NULL */
  guint64 n_counted;
  GHashTable *nonces; /* borrowed from the entries */
  Bucket buckets[N_BUCKETS];
  gboolean is_stranger;
} Asker;

typedef struct
{
  GMutex lock;
  GHashTable *askers; /* account -> Asker */
  guint n_strangers;
  gint64 swept_ms;
} Shard;

struct SvAdmissionMemory
{
  SvAdmissionRules rules;
  guint max_strangers; /* per shard */
  Shard shards[N_SHARDS];
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  g_free (entry->nonce);
  g_free (entry->x_nonce);
  g_free (entry);
}

static void
asker_free (gpointer data)
{
  Asker *asker = data;
  g_hash_table_unref (asker->nonces);
  g_queue_clear_full (&asker->entries, entry_free);
  for (guint i = 0; i < N_BUCKETS; i++)
    g_free (asker->buckets[i].client_id);
  g_free (asker);
}

SvAdmissionMemory *
sv_admission_new (const SvAdmissionRules *rules, guint max_strangers)
{
  SvAdmissionMemory *memory = g_new0 (SvAdmissionMemory, 1);
  memory->rules = *rules;
  memory->max_strangers = MAX (max_strangers / N_SHARDS, 1);
  for (guint i = 0; i < N_SHARDS; i++)
  {
    g_mutex_init (&memory->shards[i].lock);
    memory->shards[i].askers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, asker_free);
  }
  return memory;
}

void
sv_admission_free (SvAdmissionMemory *memory)
{
  if (memory == NULL)
    return;
  for (guint i = 0; i < N_SHARDS; i++)
  {
    g_mutex_clear (&memory->shards[i].lock);
    g_hash_table_unref (memory->shards[i].askers);
  }
  g_free (memory);
}

static Shard *
lock_shard (SvAdmissionMemory *memory, const char *asker)
{
  Shard *shard = &memory->shards[g_str_hash (asker) % N_SHARDS];
  g_mutex_lock (&shard->lock);
  return shard;
}

/* ── time passes ── */

static void
uncount_first (Asker *asker)
{
  asker->buckets[((Entry *)asker->first_counted->data)->bucket].count--;
  asker->n_counted--;
  asker->first_counted = asker->first_counted->next;
}

static void
forget_old (const SvAdmissionRules *rules, Asker *asker, gint64 now_ms)
{
  gint64 counted_from = now_ms - (gint64)rules->window_ms;
  gint64 remembered_from = now_ms - (gint64)rules->remember_ms;
  while (asker->first_counted != NULL && ((Entry *)asker->first_counted->data)->time_ms <= counted_from)
    uncount_first (asker);
  for (Entry *entry; (entry = g_queue_peek_head (&asker->entries)) != NULL && entry->time_ms < remembered_from;)
  {
    if (asker->first_counted == asker->entries.head)
      uncount_first (asker);
    g_hash_table_remove (asker->nonces, entry->nonce);
    if (entry->x_nonce != NULL)
      g_hash_table_remove (asker->nonces, entry->x_nonce);
    entry_free (g_queue_pop_head (&asker->entries));
  }
}

/* Askers of whom nothing is remembered go, once per remembered time. */
static void
sweep (SvAdmissionMemory *memory, Shard *shard, gint64 now_ms)
{
  if (now_ms - shard->swept_ms < (gint64)memory->rules.remember_ms)
    return;
  shard->swept_ms = now_ms;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, shard->askers);
  while (g_hash_table_iter_next (&iter, NULL, &value))
  {
    Asker *asker = value;
    forget_old (&memory->rules, asker, now_ms);
    if (asker->entries.length > 0)
      continue;
    shard->n_strangers -= asker->is_stranger ? 1 : 0;
    g_hash_table_iter_remove (&iter);
  }
}

/* ── one request ── */

static gboolean
has_nonce (const Asker *asker, const SvAdmissionRequest *request)
{
  g_autofree char *nonce = g_strconcat ("q", request->nonce, NULL);
  if (g_hash_table_contains (asker->nonces, nonce))
    return TRUE;
  if (request->x_nonce == NULL)
    return FALSE;
  g_autofree char *x_nonce = g_strconcat ("x", request->x_nonce, NULL);
  return g_hash_table_contains (asker->nonces, x_nonce);
}

/* The bucket of a client id: its own while it is active or there is room for one more, else the shared one. */
static guint
choose_bucket (Asker *asker, const char *client_id, gint64 cutoff_ms)
{
  guint chosen = SHARED_BUCKET;
  for (guint i = SHARED_BUCKET; i-- > 0;)
  {
    Bucket *bucket = &asker->buckets[i];
    if (bucket->client_id != NULL && bucket->seen_ms <= cutoff_ms)
      g_clear_pointer (&bucket->client_id, g_free);
    if (bucket->client_id == NULL)
      chosen = MIN (chosen, i);
  }
  for (guint i = 0; i < SHARED_BUCKET; i++)
    if (g_strcmp0 (asker->buckets[i].client_id, client_id) == 0)
      return i;
  if (chosen != SHARED_BUCKET)
    asker->buckets[chosen].client_id = g_strdup (client_id);
  return chosen;
}

static gint64
oldest_in_bucket (const Asker *asker, guint bucket)
{
  for (GList *link = asker->first_counted; link != NULL; link = link->next)
    if (((Entry *)link->data)->bucket == bucket)
      return ((Entry *)link->data)->time_ms;
  return 0;
}

/* Seconds until one more request is admitted; 0 for now. */
static guint
seconds_to_wait (const SvAdmissionRules *rules, Asker *asker, guint chosen, gint64 now_ms)
{
  guint n_active = 0;
  gint64 cutoff_ms = now_ms - (gint64)rules->window_ms;
  asker->buckets[chosen].seen_ms = now_ms;
  for (guint i = 0; i < N_BUCKETS; i++)
    n_active += asker->buckets[i].seen_ms > cutoff_ms && (i == SHARED_BUCKET || asker->buckets[i].client_id != NULL) ? 1 : 0;
  SvRateCount all = { asker->n_counted, 0 }, own = { asker->buckets[chosen].count, 0 };
  if (sv_rate_retry_after (rules, now_ms, &all, &own, n_active) == 0)
    return 0;
  all.oldest_ms = ((Entry *)asker->first_counted->data)->time_ms;
  own.oldest_ms = oldest_in_bucket (asker, chosen);
  return sv_rate_retry_after (rules, now_ms, &all, &own, n_active);
}

static void
add_entry (Asker *asker, const SvAdmissionRequest *request, guint bucket, gint64 now_ms)
{
  Entry *entry = g_new0 (Entry, 1);
  entry->time_ms = now_ms;
  entry->nonce = g_strconcat ("q", request->nonce, NULL);
  entry->x_nonce = request->x_nonce != NULL ? g_strconcat ("x", request->x_nonce, NULL) : NULL;
  entry->bucket = bucket;
  g_hash_table_add (asker->nonces, entry->nonce);
  if (entry->x_nonce != NULL)
    g_hash_table_add (asker->nonces, entry->x_nonce);
  g_queue_push_tail (&asker->entries, entry);
  if (asker->first_counted == NULL)
    asker->first_counted = asker->entries.tail;
  asker->n_counted++;
  asker->buckets[bucket].count++;
  asker->buckets[bucket].seen_ms = MAX (asker->buckets[bucket].seen_ms, entry->time_ms);
}

static Asker *
find_asker (SvAdmissionMemory *memory, Shard *shard, const SvAdmissionRequest *request)
{
  sweep (memory, shard, request->time_ms);
  Asker *asker = g_hash_table_lookup (shard->askers, request->asker);
  if (asker != NULL)
    return asker;
  if (request->is_stranger && shard->n_strangers >= memory->max_strangers)
    return NULL;
  asker = g_new0 (Asker, 1);
  g_queue_init (&asker->entries);
  asker->nonces = g_hash_table_new (g_str_hash, g_str_equal);
  asker->is_stranger = request->is_stranger;
  shard->n_strangers += request->is_stranger ? 1 : 0;
  g_hash_table_insert (shard->askers, g_strdup (request->asker), asker);
  return asker;
}

gboolean
sv_admission_is_replay (SvAdmissionMemory *memory, const SvAdmissionRequest *request)
{
  Shard *shard = lock_shard (memory, request->asker);
  const Asker *asker = g_hash_table_lookup (shard->askers, request->asker);
  gboolean is_replay = asker != NULL && has_nonce (asker, request);
  g_mutex_unlock (&shard->lock);
  return is_replay;
}

static const char *
client_of (const SvAdmissionRequest *request)
{
  return request->client_id != NULL ? request->client_id : "";
}

/* Inside an asker time never goes back, whatever the clock does. */
static gint64
asker_time (const Asker *asker, gint64 now_ms)
{
  const Entry *last = asker->entries.tail != NULL ? asker->entries.tail->data : NULL;
  return last != NULL ? MAX (now_ms, last->time_ms) : now_ms;
}

static SvAdmissionVerdict
judge (const SvAdmissionRules *rules, Asker *asker, const SvAdmissionRequest *request, guint *retry_after_s)
{
  gint64 now_ms = asker_time (asker, request->time_ms);
  forget_old (rules, asker, now_ms);
  if (has_nonce (asker, request))
    return SV_ADMISSION_REPLAYED;
  guint bucket = choose_bucket (asker, client_of (request), now_ms - (gint64)rules->window_ms);
  *retry_after_s = seconds_to_wait (rules, asker, bucket, now_ms);
  if (*retry_after_s > 0)
    return SV_ADMISSION_LIMITED;
  add_entry (asker, request, bucket, now_ms);
  return SV_ADMISSION_OK;
}

SvAdmissionVerdict
sv_admission_admit (SvAdmissionMemory *memory, const SvAdmissionRequest *request, guint *retry_after_s)
{
  SvAdmissionVerdict verdict = SV_ADMISSION_FULL;
  Shard *shard = lock_shard (memory, request->asker);
  Asker *asker = find_asker (memory, shard, request);
  if (asker != NULL)
    verdict = judge (&memory->rules, asker, request, retry_after_s);
  g_mutex_unlock (&shard->lock);
  return verdict;
}

void
sv_admission_remember (SvAdmissionMemory *memory, const SvAdmissionRequest *request)
{
  Shard *shard = lock_shard (memory, request->asker);
  Asker *asker = find_asker (memory, shard, request);
  if (asker != NULL && !has_nonce (asker, request))
  {
    gint64 now_ms = asker_time (asker, request->time_ms);
    add_entry (asker, request, choose_bucket (asker, client_of (request), now_ms - (gint64)memory->rules.window_ms), now_ms);
  }
  g_mutex_unlock (&shard->lock);
}

guint
sv_admission_size (SvAdmissionMemory *memory)
{
  guint n = 0;
  for (guint i = 0; i < N_SHARDS; i++)
  {
    Shard *shard = &memory->shards[i];
    GHashTableIter iter;
    gpointer value;
    g_mutex_lock (&shard->lock);
    g_hash_table_iter_init (&iter, shard->askers);
    while (g_hash_table_iter_next (&iter, NULL, &value))
      n += ((Asker *)value)->entries.length;
    g_mutex_unlock (&shard->lock);
  }
  return n;
}

/* ── the setting ── */

static gboolean
parse_period (const char *text, guint64 *ms)
{
  static const struct
  {
    char unit;
    guint64 ms;
  } units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 } };
  gsize length = strlen (text);
  for (gsize i = 0; length > 1 && i < G_N_ELEMENTS (units); i++)
  {
    g_autofree char *digits = g_strndup (text, length - 1);
    guint64 n;
    if (text[length - 1] != units[i].unit || !sv_integer_parse (digits, &n))
      continue;
    *ms = n * units[i].ms;
    return n >= 1 && n <= 86400 && *ms <= 86400000;
  }
  return FALSE;
}

gboolean
sv_admission_rules_parse (const char *setting, const char *text, SvAdmissionRules *rules, GError **error)
{
  guint64 limit, window_ms;
  g_auto (GStrv) halves = g_strsplit (text, "/", 3);
  if (g_strv_length (halves) != 2 || !sv_integer_parse (halves[0], &limit) || limit < 1 || limit > 1000000000 ||
      !parse_period (halves[1], &window_ms))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "%s: \"%s\" is not a rate; write requests per time, such as 60/60s or 1000/1h", setting, text);
    return FALSE;
  }
  rules->limit = (guint)limit;
  rules->window_ms = window_ms;
  rules->remember_ms = MAX (window_ms, 2 * SV_NONCE_WINDOW_MS);
  return TRUE;
}
