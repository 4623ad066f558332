/* The trie is never built: its keys are known from the number of extrinsics alone, so once they are in order each node is a
 * stretch of them that shares its first nibbles, and is encoded from its children's encodings. A key has at most eight nibbles,
 * and so the nodes are at most that deep, whatever the extrinsics hold. The lowest two bits of a compact integer's first byte
 * tell its length, so no key begins with another one: values lie in leaves only.
 *
 *   leaf    kind and number of nibbles ‖ nibbles ‖ value, or its hash
 *   branch  kind and number of nibbles ‖ nibbles ‖ which of the 16 children there are ‖ children
 *
 * A child is its encoding where that is shorter than a hash, else the hash of it; the root is hashed always. */
#include "chain/subtensor/extrinsics_root.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "chain/subtensor/scale.h"

#define HASH_SIZE SV_BLAKE2B_256_SIZE
#define MAX_KEY_SIZE 4
#define MAX_NIBBLES (2 * MAX_KEY_SIZE)
#define MAX_EXTRINSICS (1u << 30) /* from there on a compact integer has more than four bytes */

/* The upper bits of a node's first byte; the lower ones have room for any number of nibbles here. */
#define EMPTY 0x00
#define LEAF 0x40
#define LEAF_WITH_HASH 0x20
#define BRANCH 0x80

#define FORMAT_MASK 0x3f /* of an extrinsic's first byte; the other bits tell whether it is signed */

typedef struct
{
  guint8 bytes[MAX_KEY_SIZE]; /* zeros after its end */
  guint n_nibbles;
  guint index;
} Key;

typedef struct
{
  const GPtrArray *extrinsics;
  SvTrieLayout layout;
} Trie;

/* ── keys ── */

static int
compare_keys (const void *a, const void *b)
{
  return memcmp (((const Key *)a)->bytes, ((const Key *)b)->bytes, MAX_KEY_SIZE);
}

/* In the order of their nibbles, which is not that of the indices. */
static Key *
make_keys (guint n)
{
  Key *keys = g_new0 (Key, MAX (n, 1)); /* qsort() takes no NULL */
  g_autoptr (GByteArray) encoded = g_byte_array_new ();
  for (guint i = 0; i < n; i++)
  {
    g_byte_array_set_size (encoded, 0);
    sv_scale_put_compact (encoded, i);
    memcpy (keys[i].bytes, encoded->data, encoded->len);
    keys[i].n_nibbles = 2 * encoded->len;
    keys[i].index = i;
  }
  qsort (keys, n, sizeof *keys, compare_keys);
  return keys;
}

static guint8
nibble_at (const Key *key, guint at)
{
  return at % 2 == 0 ? key->bytes[at / 2] >> 4 : key->bytes[at / 2] & 0x0f;
}

/* Where two keys begin to differ. */
static guint
common_nibbles (const Key *a, const Key *b)
{
  guint at = 0;
  while (at < MAX_NIBBLES && nibble_at (a, at) == nibble_at (b, at))
    at++;
  return at;
}

/* How many of the @n keys have the same nibble at @at as the first. */
static guint
count_same (const Key *keys, guint n, guint at)
{
  guint count = 1;
  while (count < n && nibble_at (&keys[count], at) == nibble_at (keys, at))
    count++;
  return count;
}

/* ── nodes ── */

/* Kind, number, and the nibbles from @from to before @to, two to a byte; an odd one comes first, alone. */
static void
put_nibbles (GByteArray *out, guint8 kind, const Key *key, guint from, guint to)
{
  sv_scale_put_u8 (out, (guint8)(kind | (to - from)));
  if ((to - from) % 2 != 0)
    sv_scale_put_u8 (out, nibble_at (key, from++));
  for (; from < to; from += 2)
    sv_scale_put_u8 (out, (guint8)(nibble_at (key, from) << 4 | nibble_at (key, from + 1)));
}

static void
put_leaf (const Trie *trie, const Key *key, guint depth, GByteArray *out)
{
  gsize length;
  guint8 hash[HASH_SIZE];
  const void *value = g_bytes_get_data (trie->extrinsics->pdata[key->index], &length);
  gboolean is_hashed = trie->layout == SV_TRIE_V1 && length > HASH_SIZE;
  put_nibbles (out, is_hashed ? LEAF_WITH_HASH : LEAF, key, depth, key->n_nibbles);
  if (!is_hashed)
  {
    sv_scale_put_bytes (out, value, length);
    return;
  }
  sv_blake2b_256 (value, length, hash);
  sv_scale_put_raw (out, hash, sizeof hash);
}

static void put_node (const Trie *trie, const Key *keys, guint n, guint depth, GByteArray *out);

static void
put_child (const Trie *trie, const Key *keys, guint n, guint depth, GByteArray *out)
{
  guint8 hash[HASH_SIZE];
  g_autoptr (GByteArray) node = g_byte_array_new ();
  put_node (trie, keys, n, depth, node);
  if (node->len < HASH_SIZE)
  {
    sv_scale_put_bytes (out, node->data, node->len);
    return;
  }
  sv_blake2b_256 (node->data, node->len, hash);
  sv_scale_put_bytes (out, hash, sizeof hash);
}

static void
put_branch (const Trie *trie, const Key *keys, guint n, guint depth, GByteArray *out)
{
  guint16 children = 0;
  guint fork = common_nibbles (&keys[0], &keys[n - 1]); /* what the first and the last share, those between share too */
  for (guint i = 0; i < n; i++)
    children |= (guint16)(1u << nibble_at (&keys[i], fork));
  put_nibbles (out, BRANCH, keys, depth, fork);
  sv_scale_put_u16 (out, children);
  for (guint i = 0, count; i < n; i += count)
  {
    count = count_same (&keys[i], n - i, fork);
    put_child (trie, &keys[i], count, fork + 1, out);
  }
}

/* The node of keys that share their first @depth nibbles. */
static void
put_node (const Trie *trie, const Key *keys, guint n, guint depth, GByteArray *out)
{
  if (n == 0)
    sv_scale_put_u8 (out, EMPTY);
  else if (n == 1)
    put_leaf (trie, keys, depth, out);
  else
    put_branch (trie, keys, n, depth, out);
}

/* ── the root ── */

void
sv_extrinsics_root (const GPtrArray *extrinsics, SvTrieLayout layout, guint8 root[32])
{
  Trie trie = { extrinsics, layout };
  g_assert (extrinsics->len < MAX_EXTRINSICS);
  g_autofree Key *keys = make_keys (extrinsics->len);
  g_autoptr (GByteArray) node = g_byte_array_new ();
  put_node (&trie, keys, extrinsics->len, 0, node);
  sv_blake2b_256 (node->data, node->len, root);
}

/* Each extrinsic says how long it is, so one way only leads from their bytes in a row back to the list. And each begins with
 * its format, 4 or 5 below two bits for its kind, so a row is never the encoding of a trie's root, which a real header has the
 * hash of. Read as a row, that of five or more extrinsics says 32 bytes and has one of 0x03, 0x07, 0x0f … 0xff next, the first
 * half of its map of children; that of two to four has a length that is not in its shortest form; and that of one, which no
 * chain with a clock makes, says more bytes than it has unless it is of many thousands. */
static gboolean
is_of_a_row (GBytes *extrinsic)
{
  SvScaleReader reader = sv_scale_reader (g_bytes_get_data (extrinsic, NULL), g_bytes_get_size (extrinsic));
  guint64 length = sv_scale_compact (&reader);
  gboolean is_whole = reader.fault == NULL && length == sv_scale_left (&reader);
  guint8 format = sv_scale_u8 (&reader) & FORMAT_MASK;
  return is_whole && reader.fault == NULL && (format == 4 || format == 5);
}

/* What Chopsticks, a node for development, writes in place of a root: BLAKE2b-256 of all extrinsics in a row. */
static gboolean
matches_in_a_row (const GPtrArray *extrinsics, const guint8 root[32])
{
  guint8 computed[HASH_SIZE];
  g_autoptr (GByteArray) row = g_byte_array_new ();
  for (guint i = 0; i < extrinsics->len; i++)
  {
    GBytes *extrinsic = extrinsics->pdata[i];
    if (!is_of_a_row (extrinsic))
      return FALSE;
    g_byte_array_append (row, g_bytes_get_data (extrinsic, NULL), (guint)g_bytes_get_size (extrinsic));
  }
  sv_blake2b_256 (row->data, row->len, computed);
  return memcmp (computed, root, sizeof computed) == 0;
}

/* Which layout holds, the runtime that made the block tells: V1 from system version 2 on, V0 before. Asking is not needed.
 * Both layouts tell a leaf with a hash from one with a value, so equal roots mean equal lists even across the layouts, and
 * no row is a root; none of them lets a node give another list than the header's. What comes first is what chains have today.
 */
gboolean
sv_extrinsics_root_matches (const GPtrArray *extrinsics, const guint8 root[32])
{
  guint8 computed[HASH_SIZE];
  for (SvTrieLayout layout = SV_TRIE_V0; layout <= SV_TRIE_V1; layout++)
  {
    sv_extrinsics_root (extrinsics, layout, computed);
    if (memcmp (computed, root, sizeof computed) == 0)
      return TRUE;
  }
  return matches_in_a_row (extrinsics, root);
}
