/* Per asker and per bucket: the times of what was admitted, ascending, so that the number in the window is the distance of two
 * places found by halving. Nonces are kept as 128-bit keyed hashes, whose key is this memory's own: nobody outside can make two
 * that collide. A row is in a list from old to new; with an asker's last row the asker is forgotten.
 *
 * Time never goes back inside an asker: a request is dated to his last one at least. Only where that lies further ahead than
 * nonces are remembered was a clock wrong: then what lies ahead is dropped. Others notice it in the log by a row that is older
 * than the last one, and drop the same. */
#include "state/request_log.h"

#include <sodium.h>
#include <string.h>

#include "state/rate.h"

/* ── ascending times ── */

typedef struct
{
  gint64 *times;
  guint first, end; /* those in use */
  guint size;
} Times;

static void
times_add (Times *list, gint64 time_ms)
{
  guint n = list->end - list->first;
  if (list->end == list->size)
  {
    if (n > list->size / 2 || list->size == 0)
      list->times = g_renew (gint64, list->times, list->size = MAX (2 * list->size, 8));
    memmove (list->times, list->times + list->first, n * sizeof *list->times);
    list->first = 0;
    list->end = n;
  }
  list->times[list->end++] = time_ms;
}

/* The first place after @time_ms. */
static guint
times_after (const Times *list, gint64 time_ms)
{
  guint low = list->first, high = list->end;
  while (low < high)
  {
    guint middle = low + (high - low) / 2;
    if (list->times[middle] > time_ms)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

static SvRateCount
times_count (const Times *list, gint64 cutoff_ms)
{
  guint first = times_after (list, cutoff_ms);
  return first < list->end ? (SvRateCount){ list->end - first, list->times[first] } : (SvRateCount){ 0, 0 };
}

/* ── what is remembered ── */

typedef struct
{
  gint64 seen_ms; /* refused requests count, too */
  Times admitted;
} Bucket;

typedef struct
{
  char *account;
  guint n_rows;   /* that are remembered */
  gint64 last_ms; /* of the last one admitted */
  Times admitted;
  GHashTable *buckets; /* name -> Bucket */
} Asker;

typedef struct
{
  guint64 half[2];
} Key;

typedef struct Row
{
  struct Row *next;
  gint64 seq;
  gint64 time_ms;
  Asker *asker;
  gboolean has_nonce;
  gboolean has_x_nonce;
  Key nonce;
  Key x_nonce;
} Row;

struct SvRequestLog
{
  guint8 hash_key[crypto_generichash_KEYBYTES];
  gint64 last;
  Row *oldest;
  Row *newest;
  GHashTable *askers; /* account -> Asker */
  GHashTable *nonces; /* the set of keys, each inside its row */
};

static guint
hash_of_key (gconstpointer data)
{
  return (guint)((const Key *)data)->half[0];
}

static gboolean
is_same_key (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Key)) == 0;
}

static void
free_bucket (gpointer data)
{
  Bucket *bucket = data;
  g_free (bucket->admitted.times);
  g_free (bucket);
}

static void
free_asker (gpointer data)
{
  Asker *asker = data;
  g_hash_table_unref (asker->buckets);
  g_free (asker->admitted.times);
  g_free (asker->account);
  g_free (asker);
}

SvRequestLog *
sv_request_log_new (void)
{
  SvRequestLog *memory = g_new0 (SvRequestLog, 1);
  randombytes_buf (memory->hash_key, sizeof memory->hash_key);
  memory->askers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_asker);
  memory->nonces = g_hash_table_new (hash_of_key, is_same_key);
  return memory;
}

void
sv_request_log_free (SvRequestLog *memory)
{
  if (memory == NULL)
    return;
  for (Row *row = memory->oldest; row != NULL;)
  {
    Row *next = row->next;
    g_free (row);
    row = next;
  }
  g_hash_table_unref (memory->nonces);
  g_hash_table_unref (memory->askers);
  g_free (memory);
}

gint64
sv_request_log_last (const SvRequestLog *memory)
{
  return memory->last;
}

void
sv_request_log_skip_to (SvRequestLog *memory, gint64 seq)
{
  memory->last = MAX (memory->last, seq);
}

/* @kind keeps the two kinds of nonces apart. */
static Key
key_of (const SvRequestLog *memory, const char *asker, char kind, const char *nonce)
{
  Key key;
  crypto_generichash_state hash;
  crypto_generichash_init (&hash, memory->hash_key, sizeof memory->hash_key, sizeof key);
  crypto_generichash_update (&hash, (const guint8 *)asker, strlen (asker) + 1);
  crypto_generichash_update (&hash, (const guint8 *)&kind, 1);
  crypto_generichash_update (&hash, (const guint8 *)nonce, strlen (nonce));
  crypto_generichash_final (&hash, (guint8 *)&key, sizeof key);
  return key;
}

static Asker *
get_asker (SvRequestLog *memory, const char *account)
{
  Asker *asker = g_hash_table_lookup (memory->askers, account);
  if (asker != NULL)
    return asker;
  asker = g_new0 (Asker, 1);
  asker->account = g_strdup (account);
  asker->buckets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_bucket);
  g_hash_table_insert (memory->askers, asker->account, asker);
  return asker;
}

static Bucket *
get_bucket (Asker *asker, const char *name)
{
  Bucket *bucket = g_hash_table_lookup (asker->buckets, name);
  if (bucket != NULL)
    return bucket;
  bucket = g_new0 (Bucket, 1);
  g_hash_table_insert (asker->buckets, g_strdup (name), bucket);
  return bucket;
}

static gboolean
lies_ahead (gpointer name, gpointer data, gpointer now_ms)
{
  Bucket *bucket = data;
  bucket->admitted.end = times_after (&bucket->admitted, *(gint64 *)now_ms);
  return bucket->seen_ms > *(gint64 *)now_ms;
}

static void
drop_what_lies_ahead (Asker *asker, gint64 now_ms)
{
  asker->admitted.end = times_after (&asker->admitted, now_ms);
  asker->last_ms = asker->admitted.end > asker->admitted.first ? asker->admitted.times[asker->admitted.end - 1] : 0;
  g_hash_table_foreach_remove (asker->buckets, lies_ahead, &now_ms);
}

/* ── taking in a row ── */

static void
append_row (SvRequestLog *memory, Row *row)
{
  if (memory->newest != NULL)
    memory->newest->next = row;
  else
    memory->oldest = row;
  memory->newest = row;
}

void
sv_request_log_add (SvRequestLog *memory, const SvRequestRow *added)
{
  Row *row = g_new0 (Row, 1);
  Asker *asker = get_asker (memory, added->asker);
  *row = (Row){ .seq = added->seq, .time_ms = added->time_ms, .asker = asker };
  if (added->time_ms < asker->last_ms)
    drop_what_lies_ahead (asker, added->time_ms);
  Bucket *bucket = get_bucket (asker, added->bucket);
  bucket->seen_ms = MAX (bucket->seen_ms, added->time_ms);
  row->has_nonce = added->nonce != NULL;
  row->has_x_nonce = row->has_nonce && added->x_nonce != NULL;
  if (row->has_nonce)
  {
    row->nonce = key_of (memory, added->asker, 'n', added->nonce);
    g_hash_table_replace (memory->nonces, &row->nonce, &row->nonce);
    times_add (&asker->admitted, added->time_ms);
    times_add (&bucket->admitted, added->time_ms);
    asker->last_ms = added->time_ms;
  }
  if (row->has_x_nonce)
  {
    row->x_nonce = key_of (memory, added->asker, 'x', added->x_nonce);
    g_hash_table_replace (memory->nonces, &row->x_nonce, &row->x_nonce);
  }
  asker->n_rows++;
  append_row (memory, row);
  memory->last = added->seq;
}

/* ── judging ── */

static gboolean
is_replay (const SvRequestLog *memory, const SvAdmission *admission)
{
  Key nonce = key_of (memory, admission->asker, 'n', admission->nonce);
  if (g_hash_table_contains (memory->nonces, &nonce))
    return TRUE;
  if (admission->x_nonce == NULL)
    return FALSE;
  Key x_nonce = key_of (memory, admission->asker, 'x', admission->x_nonce);
  return g_hash_table_contains (memory->nonces, &x_nonce);
}

typedef struct
{
  const char *name;
  guint n_active;      /* buckets, this one included */
  gboolean is_opening; /* it was not active */
} Choice;

/* A client id that is not active yet opens a bucket of its own while there are fewer than 16, else it goes into the shared
 * one. */
static Choice
choose_bucket (const Asker *asker, const char *client_id, gint64 cutoff_ms)
{
  GHashTableIter iter;
  gpointer name, data;
  guint n_own = 0;
  gboolean is_active = FALSE, is_shared_active = FALSE;
  g_hash_table_iter_init (&iter, asker->buckets);
  while (g_hash_table_iter_next (&iter, &name, &data))
  {
    if (((const Bucket *)data)->seen_ms <= cutoff_ms)
      continue;
    gboolean is_shared = g_str_equal (name, SV_RATE_SHARED_BUCKET);
    n_own += !is_shared;
    is_shared_active |= is_shared;
    is_active |= g_str_equal (name, client_id);
  }
  gboolean goes_shared = !is_active && n_own >= SV_RATE_BUCKETS_MAX;
  gboolean is_opening = goes_shared ? !is_shared_active : !is_active;
  return (Choice){ goes_shared ? SV_RATE_SHARED_BUCKET : client_id, n_own + is_shared_active + is_opening, is_opening };
}

static gboolean
is_inactive (gpointer name, gpointer bucket, gpointer cutoff_ms)
{
  return ((const Bucket *)bucket)->seen_ms <= *(gint64 *)cutoff_ms;
}

static guint
seconds_to_wait (Asker *asker, const SvAdmissionRules *rules, gint64 now_ms, const Choice *choice)
{
  gint64 cutoff_ms = now_ms - (gint64)rules->window_ms;
  if (choice->is_opening)
    g_hash_table_foreach_remove (asker->buckets, is_inactive, &cutoff_ms);
  SvRateCount all = times_count (&asker->admitted, cutoff_ms);
  SvRateCount own = times_count (&get_bucket (asker, choice->name)->admitted, cutoff_ms);
  return sv_rate_retry_after (rules, now_ms, &all, &own, choice->n_active);
}

gboolean
sv_request_log_judge (SvRequestLog *memory, const SvAdmissionRules *rules, gboolean is_window_closed, SvAdmission *admission,
                      SvRequestRow *row)
{
  admission->retry_after_s = 0;
  admission->outcome = SV_REPLAYED_NONCE;
  if (is_replay (memory, admission))
    return FALSE;
  admission->outcome = SV_WINDOW_CLOSED;
  if (is_window_closed)
    return FALSE;
  Asker *asker = get_asker (memory, admission->asker);
  if (asker->last_ms > admission->now_ms + (gint64)rules->remember_ms)
    drop_what_lies_ahead (asker, admission->now_ms);
  gint64 now_ms = MAX (admission->now_ms, asker->last_ms);
  Choice choice = choose_bucket (asker, admission->client_id, now_ms - (gint64)rules->window_ms);
  admission->retry_after_s = seconds_to_wait (asker, rules, now_ms, &choice);
  admission->outcome = admission->retry_after_s > 0 ? SV_RATE_LIMITED : SV_ADMITTED;
  if (admission->outcome == SV_RATE_LIMITED && get_bucket (asker, choice.name)->seen_ms >= now_ms)
    return FALSE; /* it tells nothing new */
  *row = (SvRequestRow){ .seq = memory->last + 1,
                         .asker = admission->asker,
                         .nonce = admission->outcome == SV_ADMITTED ? admission->nonce : NULL,
                         .x_nonce = admission->outcome == SV_ADMITTED ? admission->x_nonce : NULL,
                         .bucket = choice.name,
                         .time_ms = now_ms };
  sv_request_log_add (memory, row);
  return TRUE;
}

/* ── forgetting ── */

static void
forget_key (SvRequestLog *memory, Key *key)
{
  gpointer kept;
  if (g_hash_table_lookup_extended (memory->nonces, key, &kept, NULL) && kept == key) /* else a later row has it, too */
    g_hash_table_remove (memory->nonces, key);
}

static void
trim (Times *list, gint64 time_ms)
{
  while (list->first < list->end && list->times[list->first] <= time_ms)
    list->first++;
}

static void
forget_oldest (SvRequestLog *memory, gint64 before_ms)
{
  Row *row = memory->oldest;
  Asker *asker = row->asker;
  memory->oldest = row->next;
  if (row->next == NULL)
    memory->newest = NULL;
  if (row->has_nonce)
    forget_key (memory, &row->nonce);
  if (row->has_x_nonce)
    forget_key (memory, &row->x_nonce);
  g_free (row);
  if (--asker->n_rows == 0)
  {
    g_hash_table_remove (memory->askers, asker->account);
    return;
  }
  GHashTableIter iter;
  gpointer bucket;
  trim (&asker->admitted, before_ms);
  g_hash_table_iter_init (&iter, asker->buckets);
  while (g_hash_table_iter_next (&iter, NULL, &bucket))
    trim (&((Bucket *)bucket)->admitted, before_ms);
}

/* A time far ahead comes from a clock that has been set back since; it would be remembered for ever. */
static gboolean
is_old (const Row *row, const SvAdmissionRules *rules, gint64 now_ms)
{
  return row->time_ms < now_ms - (gint64)rules->remember_ms || row->time_ms > now_ms + (gint64)rules->remember_ms;
}

gboolean
sv_request_log_forget_old (SvRequestLog *memory, const SvAdmissionRules *rules, gint64 now_ms, guint n, gint64 *first,
                           gint64 *last)
{
  guint n_forgotten = 0;
  gint64 before_ms = now_ms - (gint64)rules->remember_ms - 1;
  for (; n_forgotten < n && memory->oldest != NULL && is_old (memory->oldest, rules, now_ms); n_forgotten++)
  {
    *last = memory->oldest->seq;
    if (n_forgotten == 0)
      *first = *last;
    forget_oldest (memory, before_ms);
  }
  return n_forgotten > 0;
}
