/* Prepared keys, and of keys that have signed once a mark each.
 *
 * Anybody can make keys, and sign by them. So a key is prepared when it has signed twice, not before: preparing costs as much
 * as 1.6 verifications, so a flood of keys that come twice costs four fifths as much again as their signatures would anyway,
 * and one of keys that come once nothing. The marks lie in rows, in each of which the newest overwrites the oldest. So keys
 * that sign in turn all find their marks again, up to some 500 of them (with one mark to a row, two keys that met in it and
 * signed in turn would overwrite each other's for ever); a flood of more can delay a key's preparation, and then its signatures
 * cost what they did.
 *
 * When all places are taken, a new key looks at one of them, in turn (the algorithm CLOCK, a step at a time). Where the key in
 * it was used since the last look, the place stays its own, and the new one is not prepared this time. So a key is lost only if
 * it signs nothing while others, not prepared, sign as many times as there are places. Whoever signs by many keys, several
 * times as much as all the others together, takes their places all the same; these then cost what they did.
 *
 * Keys are looked up by a keyed hash (SipHash), so nobody can choose which marks and keys meet. The lock is held for a look,
 * never while a key is prepared or a signature verified. One memory for all threads: a key is prepared once for all of them,
 * and what the keys take does not grow with the processors. */
#include "keys/key_memory.h"

#include <sodium.h>
#include <string.h>

#define N_ROWS 32
#define MARKS_PER_ROW 32

/* Tags of keys that have signed once, 0 where there is none. */
typedef struct
{
  guint64 tag[MARKS_PER_ROW];
  guint next; /* to be overwritten */
} Row;

typedef struct
{
  guint64 tag;
  SvPreparedKey *key;
  gboolean was_used; /* since the hand was here */
} Place;

struct _SvKeyMemory
{
  GMutex lock;
  GHashTable *by_tag; /* of places */
  Place *places;
  guint capacity, n, hand;
  guint8 hash_key[crypto_shorthash_KEYBYTES];
  Row rows[N_ROWS];
};

SvKeyMemory *
sv_key_memory_new (guint capacity)
{
  SvKeyMemory *memory = g_new0 (SvKeyMemory, 1);
  g_mutex_init (&memory->lock);
  memory->by_tag = g_hash_table_new (g_int64_hash, g_int64_equal);
  memory->places = g_new0 (Place, capacity);
  memory->capacity = capacity;
  crypto_shorthash_keygen (memory->hash_key);
  return memory;
}

void
sv_key_memory_free (SvKeyMemory *memory)
{
  for (guint i = 0; i < memory->n; i++)
    sv_prepared_key_unref (memory->places[i].key);
  g_hash_table_unref (memory->by_tag);
  g_free (memory->places);
  g_mutex_clear (&memory->lock);
  g_free (memory);
}

static guint64
tag_of (const SvKeyMemory *memory, SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  guint8 hashed[1 + SV_PUBLIC_KEY_SIZE] = { (guint8)scheme };
  guint64 tag;
  G_STATIC_ASSERT (sizeof tag == crypto_shorthash_BYTES);
  memcpy (hashed + 1, public_key, SV_PUBLIC_KEY_SIZE);
  crypto_shorthash ((guint8 *)&tag, hashed, sizeof hashed, memory->hash_key);
  return tag;
}

SvPreparedKey *
sv_key_memory_find (SvKeyMemory *memory, SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  guint64 tag = tag_of (memory, scheme, public_key);
  SvPreparedKey *key = NULL;
  g_mutex_lock (&memory->lock);
  Place *place = g_hash_table_lookup (memory->by_tag, &tag);
  if (place != NULL && sv_prepared_key_is (place->key, scheme, public_key))
  {
    place->was_used = TRUE;
    key = sv_prepared_key_ref (place->key);
  }
  g_mutex_unlock (&memory->lock);
  return key;
}

/* The place for a new key, or NULL where the one whose turn it is was used. */
static Place *
free_place (SvKeyMemory *memory)
{
  if (memory->n < memory->capacity)
    return &memory->places[memory->n];
  Place *place = &memory->places[memory->hand];
  if (!place->was_used)
    return place;
  place->was_used = FALSE;
  memory->hand = (memory->hand + 1) % memory->capacity;
  return NULL;
}

/* Returns: (nullable) the key's mark. Where there is none it is made. */
static guint64 *
find_or_make_mark (SvKeyMemory *memory, guint64 tag)
{
  Row *row = &memory->rows[tag % N_ROWS];
  for (guint i = 0; i < MARKS_PER_ROW; i++)
    if (row->tag[i] == tag)
      return &row->tag[i];
  row->tag[row->next] = tag;
  row->next = (row->next + 1) % MARKS_PER_ROW;
  return NULL;
}

/* TRUE for a key that is to be prepared now. */
static gboolean
comes_again (SvKeyMemory *memory, guint64 tag)
{
  if (g_hash_table_contains (memory->by_tag, &tag))
    return FALSE;
  guint64 *mark = find_or_make_mark (memory, tag);
  if (mark == NULL || free_place (memory) == NULL)
    return FALSE;
  *mark = 0;
  return TRUE;
}

/* Takes @key, which another thread may have prepared meanwhile, or whose place another may have taken. Returns: (transfer full)
 * (nullable) the key that is not kept. */
static SvPreparedKey *
keep (SvKeyMemory *memory, guint64 tag, SvPreparedKey *key)
{
  Place *place = g_hash_table_contains (memory->by_tag, &tag) ? NULL : free_place (memory);
  if (place == NULL)
    return key;
  SvPreparedKey *former = place->key;
  if (former != NULL)
  {
    g_hash_table_remove (memory->by_tag, &place->tag);
    memory->hand = (memory->hand + 1) % memory->capacity;
  }
  else
    memory->n++;
  *place = (Place){ .tag = tag, .key = key };
  g_hash_table_insert (memory->by_tag, &place->tag, place);
  return former;
}

void
sv_key_memory_accepted (SvKeyMemory *memory, SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  guint64 tag = tag_of (memory, scheme, public_key);
  g_mutex_lock (&memory->lock);
  gboolean is_due = comes_again (memory, tag);
  g_mutex_unlock (&memory->lock);
  SvPreparedKey *key = is_due ? sv_prepared_key_new (scheme, public_key) : NULL;
  if (key == NULL)
    return;
  g_mutex_lock (&memory->lock);
  SvPreparedKey *unwanted = keep (memory, tag, key);
  g_mutex_unlock (&memory->lock);
  if (unwanted != NULL)
    sv_prepared_key_unref (unwanted);
}
