/* The key is SipHash-2-4 under a secret that is random for each memory. Its lowest 16 bits choose one of 65,536 groups, the
 * others are kept there, with the generation in which the nonce came. A generation is an eighth of the remembered time, so
 * forgetting needs no list and no time per nonce. Nonces come in order of time, so those of a group that are over stand at its
 * beginning. A new nonce cleans up its own group, and in each generation every group is to be cleaned up once, in step with its
 * time: each lies somewhere else in memory, and all at once take a busy server a tenth of its processor for half a second.
 * Where time passes in long steps, the beginnings of generations do it, so often that the number of a generation never comes
 * again while a nonce of it is kept.
 * A group that is cleaned up gives back what it has to spare beyond a quarter: each has its busy moments, and if all held what
 * their busiest took, the memory would grow for an hour at a steady rate.
 *
 * 20,000 requests a second with one nonce or two make 4.8 million in two minutes and three quarters: 73 in a group, which a
 * look-up walks through in ten cache lines, and some 49 MB. Two different nonces have equal keys with a probability of 2^-64,
 * so a fresh nonce is taken for a used one once in 10^12 requests even then; a used one is never taken for a fresh one. */
#include "state/nonce_memory.h"

#include <sodium.h>
#include <string.h>

#define N_GROUPS 65536
#define N_GENERATIONS 8
#define N_JUMPS 2 /* of the clock that shorten nothing, each by a generation at most */
#define GENERATION_BITS 8
#define SWEPT_AT_ONCE 64                 /* groups at most that are cleaned up when time goes on */
#define SWEPT_WITH_TIME (N_GROUPS / 128) /* groups that a generation cleans up when it begins */

G_STATIC_ASSERT (crypto_shorthash_BYTES == sizeof (guint64));

/* A key whose lowest bits, which the group tells, have given way to the generation. */
typedef guint64 Kept;

typedef struct
{
  guint32 n;
  guint32 n_allocated;
  Kept kept[];
} Group;

struct SvNonceMemory
{
  guint8 secret[crypto_shorthash_KEYBYTES];
  gint64 generation_ms; /* how long one lasts */
  gint64 began_ms;      /* when the present one began */
  guint8 generation;    /* its number, modulo 256 */
  guint swept;          /* the group to be cleaned up next */
  guint to_sweep;       /* how many have to be in this generation */
  guint size;
  Group **groups; /* NULL while there are no nonces */
};

SvNonceMemory *
sv_nonce_memory_new (guint64 remember_ms)
{
  SvNonceMemory *memory = g_new0 (SvNonceMemory, 1);
  randombytes_buf (memory->secret, sizeof memory->secret);
  memory->generation_ms = (gint64)MAX ((remember_ms + N_GENERATIONS - 1) / N_GENERATIONS, 1);
  return memory;
}

static void
forget_all (SvNonceMemory *memory)
{
  for (guint i = 0; memory->groups != NULL && i < N_GROUPS; i++)
    g_free (memory->groups[i]);
  g_clear_pointer (&memory->groups, g_free);
  memory->size = 0;
}

void
sv_nonce_memory_free (SvNonceMemory *memory)
{
  if (memory == NULL)
    return;
  forget_all (memory);
  sodium_memzero (memory->secret, sizeof memory->secret);
  g_free (memory);
}

static gboolean
is_over (const SvNonceMemory *memory, Kept kept)
{
  return (guint8)(memory->generation - (guint8)kept) > N_GENERATIONS + N_JUMPS;
}

static Group *
resize (Group *group, guint n_allocated)
{
  guint n = group != NULL ? group->n : 0;
  group = g_realloc (group, sizeof (Group) + n_allocated * sizeof (Kept));
  group->n = n;
  group->n_allocated = n_allocated;
  return group;
}

static void
clean_up (SvNonceMemory *memory, guint number)
{
  Group *group = memory->groups[number];
  if (group == NULL || !is_over (memory, group->kept[0]))
    return;
  guint n = 0;
  for (guint i = 0; i < group->n; i++)
    if (!is_over (memory, group->kept[i]))
      group->kept[n++] = group->kept[i];
  memory->size -= group->n - n;
  group->n = n;
  if (n == 0)
    g_clear_pointer (&memory->groups[number], g_free);
  else if (n < group->n_allocated - group->n_allocated / 4)
    memory->groups[number] = resize (group, n);
}

static void
sweep (SvNonceMemory *memory, guint n)
{
  for (; n > 0 && memory->groups != NULL && memory->to_sweep > 0; n--, memory->to_sweep--)
  {
    clean_up (memory, memory->swept);
    memory->swept = (memory->swept + 1) % N_GROUPS;
  }
}

/* What is due of this generation's when @passed_ms of it have passed, or as much as goes at once. */
static void
sweep_due (SvNonceMemory *memory, gint64 passed_ms)
{
  guint due = (guint)(N_GROUPS * passed_ms / memory->generation_ms), swept = N_GROUPS - memory->to_sweep;
  if (due > swept)
    sweep (memory, MIN (due - swept, SWEPT_AT_ONCE));
}

/* A clock that goes back a little is waited for; after a long way back the present generation goes on by the new time. A way
 * ahead may be a clock that will go back: whether it was one, or nobody came for so long, a single generation is over. So each
 * such jump shortens what is remembered by a generation at most. */
void
sv_nonce_memory_pass_time (SvNonceMemory *memory, gint64 now_ms)
{
  gint64 passed_ms = now_ms - memory->began_ms;
  if (passed_ms >= 0 && passed_ms < memory->generation_ms)
  {
    sweep_due (memory, passed_ms);
    return;
  }
  if (passed_ms < 0 && -passed_ms <= N_GENERATIONS * memory->generation_ms)
    return;
  memory->began_ms = now_ms;
  memory->to_sweep = N_GROUPS;
  if (passed_ms < 0)
    return;
  memory->generation++;
  sweep (memory, (guint)MIN (passed_ms / memory->generation_ms, N_GENERATIONS) * SWEPT_WITH_TIME);
}

guint64
sv_nonce_memory_key (const SvNonceMemory *memory, guint64 owner, char kind, const char *text)
{
  guint8 buffer[128];
  guint64 key;
  gsize length = strlen (text) + 1, size = sizeof owner + 1 + length; /* with its NUL */
  g_autofree guint8 *longer = size > sizeof buffer ? g_malloc (size) : NULL;
  guint8 *message = longer != NULL ? longer : buffer;
  memcpy (message, &owner, sizeof owner);
  message[sizeof owner] = (guint8)kind;
  memcpy (message + sizeof owner + 1, text, length);
  crypto_shorthash ((guint8 *)&key, message, size, memory->secret);
  return key;
}

gboolean
sv_nonce_memory_contains (const SvNonceMemory *memory, guint64 key)
{
  const Group *group = memory->groups != NULL ? memory->groups[key % N_GROUPS] : NULL;
  for (guint i = 0; group != NULL && i < group->n; i++)
    if ((group->kept[i] ^ key) >> GENERATION_BITS == 0 && !is_over (memory, group->kept[i]))
      return TRUE;
  return FALSE;
}

void
sv_nonce_memory_add (SvNonceMemory *memory, guint64 key)
{
  guint number = key % N_GROUPS;
  if (memory->groups == NULL)
    memory->groups = g_new0 (Group *, N_GROUPS);
  clean_up (memory, number);
  Group *group = memory->groups[number];
  guint n = group != NULL ? group->n : 0;
  if (group == NULL || n == group->n_allocated)
    group = memory->groups[number] = resize (group, n + MAX (n / 8, 4));
  group->kept[group->n++] = key >> GENERATION_BITS << GENERATION_BITS | memory->generation;
  memory->size++;
}

guint
sv_nonce_memory_size (const SvNonceMemory *memory)
{
  return memory->size;
}
