/* Address limits. Every address is brought into one form, 16 bytes with IPv4 mapped into IPv6, so that one comparison of prefix
 * bits serves proxies and buckets alike. Buckets lie in shards of bounded size; a full shard drops the buckets that have filled
 * up again, which is the same as never having met them, and when none has, it drops all: a limit forgotten for a moment is
 * better than memory without bound. */
#include "api/address_limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/error.h"
#include "base/identifiers.h"

#define N_SHARDS 16
#define SHARD_MAX 8192
#define V4_PREFIX 96 /* bits before a mapped IPv4 address */

typedef struct
{
  guint8 bytes[16];
} Address;

typedef struct
{
  Address address;
  guint bits;
} Block;

typedef struct
{
  double tokens;
  gint64 filled_us;
} Bucket;

typedef struct
{
  GMutex lock;
  GHashTable *buckets; /* address text -> Bucket */
} Shard;

struct SvAddressLimit
{
  double per_second;
  double burst;
  GArray *proxies; /* of Block */
  Shard shards[N_SHARDS];
};

/* ── addresses ── */

static gboolean
parse_address (const char *text, Address *address)
{
  struct in_addr v4;
  if (inet_pton (AF_INET, text, &v4) != 1)
    return inet_pton (AF_INET6, text, address->bytes) == 1;
  memset (address->bytes, 0, 10);
  memset (address->bytes + 10, 0xff, 2);
  memcpy (address->bytes + 12, &v4, 4);
  return TRUE;
}

static gboolean
is_v4 (const Address *address)
{
  static const guint8 prefix[12] = { [10] = 0xff, [11] = 0xff };
  return memcmp (address->bytes, prefix, sizeof prefix) == 0;
}

static gboolean
lies_in (const Address *address, const Block *block)
{
  guint whole = block->bits / 8, rest = block->bits % 8;
  if (memcmp (address->bytes, block->address.bytes, whole) != 0)
    return FALSE;
  return rest == 0 || (address->bytes[whole] ^ block->address.bytes[whole]) >> (8 - rest) == 0;
}

static gboolean
is_loopback (const Address *address)
{
  static const Address v6 = { { [15] = 1 } };
  return (is_v4 (address) && address->bytes[12] == 127) || memcmp (address, &v6, sizeof v6) == 0;
}

/* The text under which an address is counted: IPv6 by its /64, which one customer has. */
static char *
format_address (Address address)
{
  char text[INET6_ADDRSTRLEN];
  if (is_v4 (&address))
  {
    inet_ntop (AF_INET, address.bytes + 12, text, sizeof text);
    return g_strdup (text);
  }
  if (!is_loopback (&address))
    memset (address.bytes + 8, 0, 8);
  inet_ntop (AF_INET6, address.bytes, text, sizeof text);
  return g_strdup (text);
}

static gboolean
parse_block (const char *text, Block *block, GError **error)
{
  guint64 bits;
  g_auto (GStrv) halves = g_strsplit (text, "/", 3);
  guint n = g_strv_length (halves);
  gboolean ok = (n == 1 || n == 2) && parse_address (halves[0], &block->address);
  guint offset = ok && strchr (halves[0], ':') == NULL ? V4_PREFIX : 0;
  block->bits = 128;
  if (ok && n == 2)
  {
    ok = sv_integer_parse (halves[1], &bits) && bits <= 128 - offset;
    block->bits = ok ? offset + (guint)bits : 0;
  }
  if (!ok)
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "SCOREVISION_TRUSTED_PROXIES: \"%s\" is not an address or block; write 10.0.0.7 or 10.0.0.0/8", text);
  return ok;
}

/* ── the limit ── */

SvAddressLimit *
sv_address_limit_new (guint per_second, guint burst, const char *const *trusted_proxies, GError **error)
{
  g_autoptr (GArray) proxies = g_array_new (FALSE, FALSE, sizeof (Block));
  for (; *trusted_proxies != NULL; trusted_proxies++)
  {
    Block block;
    if (!parse_block (*trusted_proxies, &block, error))
      return NULL;
    g_array_append_val (proxies, block);
  }
  SvAddressLimit *limit = g_new0 (SvAddressLimit, 1);
  limit->per_second = per_second;
  limit->burst = burst;
  limit->proxies = g_steal_pointer (&proxies);
  for (guint i = 0; i < N_SHARDS; i++)
  {
    g_mutex_init (&limit->shards[i].lock);
    limit->shards[i].buckets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  }
  return limit;
}

void
sv_address_limit_free (SvAddressLimit *limit)
{
  if (limit == NULL)
    return;
  for (guint i = 0; i < N_SHARDS; i++)
  {
    g_mutex_clear (&limit->shards[i].lock);
    g_hash_table_unref (limit->shards[i].buckets);
  }
  g_array_unref (limit->proxies);
  g_free (limit);
}

static gboolean
is_trusted (const SvAddressLimit *limit, const Address *address)
{
  for (guint i = 0; i < limit->proxies->len; i++)
    if (lies_in (address, &g_array_index (limit->proxies, Block, i)))
      return TRUE;
  return FALSE;
}

static gboolean
read_peer (const struct sockaddr *peer, Address *address)
{
  if (peer != NULL && peer->sa_family == AF_INET6)
  {
    memcpy (address->bytes, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, sizeof address->bytes);
    return TRUE;
  }
  if (peer == NULL || peer->sa_family != AF_INET)
    return FALSE;
  char text[INET_ADDRSTRLEN];
  inet_ntop (AF_INET, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, text, sizeof text);
  return parse_address (text, address);
}

char *
sv_address_limit_client (const SvAddressLimit *limit, const struct sockaddr *peer, const char *forwarded_for)
{
  Address address, before;
  if (!read_peer (peer, &address))
    return g_strdup ("unknown");
  if (forwarded_for == NULL || !is_trusted (limit, &address))
    return format_address (address);

  /* Each proxy appends the address that it saw: from the right, all are believed up to the first that is not ours. */
  g_auto (GStrv) hops = g_strsplit (forwarded_for, ",", -1);
  for (guint i = g_strv_length (hops); i > 0 && is_trusted (limit, &address); i--)
  {
    if (!parse_address (g_strstrip (hops[i - 1]), &before))
      break;
    address = before;
  }
  return format_address (address);
}

static gboolean
has_filled_up (gpointer key, gpointer value, gpointer data)
{
  const Bucket *bucket = value;
  const gint64 *full_before = data;
  return bucket->filled_us < *full_before;
}

static void
make_room (SvAddressLimit *limit, Shard *shard, gint64 now_us)
{
  gint64 full_before = now_us - (gint64)(limit->burst / limit->per_second * 1e6);
  if (g_hash_table_size (shard->buckets) < SHARD_MAX)
    return;
  if (g_hash_table_foreach_remove (shard->buckets, has_filled_up, &full_before) == 0)
    g_hash_table_remove_all (shard->buckets);
}

gboolean
sv_address_limit_take (SvAddressLimit *limit, const char *text, gint64 now_us)
{
  Address address;
  if (parse_address (text, &address) && is_loopback (&address))
    return TRUE;
  Shard *shard = &limit->shards[g_str_hash (text) % N_SHARDS];
  g_mutex_lock (&shard->lock);
  Bucket *bucket = g_hash_table_lookup (shard->buckets, text);
  if (bucket == NULL)
  {
    make_room (limit, shard, now_us);
    bucket = g_new (Bucket, 1);
    *bucket = (Bucket){ limit->burst, now_us };
    g_hash_table_insert (shard->buckets, g_strdup (text), bucket);
  }
  double gained = (double)MAX (now_us - bucket->filled_us, 0) / 1e6 * limit->per_second;
  bucket->tokens = MIN (limit->burst, bucket->tokens + gained);
  bucket->filled_us = now_us;
  gboolean ok = bucket->tokens >= 1;
  bucket->tokens -= ok ? 1 : 0;
  g_mutex_unlock (&shard->lock);
  return ok;
}
