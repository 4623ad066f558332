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
  SvAddress address;
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
  GHashTable *buckets;     /* address text -> Bucket */
  GHashTable *connections; /* SvAddress -> their number */
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
parse_address (const char *text, SvAddress *address)
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
is_v4 (const SvAddress *address)
{
  static const guint8 prefix[12] = { [10] = 0xff, [11] = 0xff };
  return memcmp (address->bytes, prefix, sizeof prefix) == 0;
}

static gboolean
lies_in (const SvAddress *address, const Block *block)
{
  guint whole = block->bits / 8, rest = block->bits % 8;
  if (memcmp (address->bytes, block->address.bytes, whole) != 0)
    return FALSE;
  return rest == 0 || (address->bytes[whole] ^ block->address.bytes[whole]) >> (8 - rest) == 0;
}

static gboolean
is_loopback (const SvAddress *address)
{
  static const SvAddress v6 = { { [15] = 1 } };
  return (is_v4 (address) && address->bytes[12] == 127) || memcmp (address, &v6, sizeof v6) == 0;
}

/* What it is counted by. */
static SvAddress
customer_of (SvAddress address)
{
  if (!is_v4 (&address) && !is_loopback (&address))
    memset (address.bytes + 8, 0, 8);
  return address;
}

void
sv_address_format (const SvAddress *address, char text[SV_ADDRESS_TEXT_MAX])
{
  SvAddress customer = customer_of (*address);
  if (is_v4 (&customer))
    inet_ntop (AF_INET, customer.bytes + 12, text, SV_ADDRESS_TEXT_MAX);
  else
    inet_ntop (AF_INET6, customer.bytes, text, SV_ADDRESS_TEXT_MAX);
}

gboolean
sv_address_read (const struct sockaddr *peer, SvAddress *address)
{
  memset (address, 0, sizeof *address);
  if (peer != NULL && peer->sa_family == AF_INET6)
  {
    memcpy (address->bytes, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, sizeof address->bytes);
    return TRUE;
  }
  if (peer == NULL || peer->sa_family != AF_INET)
    return FALSE;
  memset (address->bytes + 10, 0xff, 2);
  memcpy (address->bytes + 12, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, 4);
  return TRUE;
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

static guint
hash_address (gconstpointer key)
{
  const SvAddress *address = key;
  guint hash = 5381;
  for (guint i = 0; i < sizeof address->bytes; i++)
    hash = hash * 33 + address->bytes[i];
  return hash;
}

static gboolean
equal_addresses (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (SvAddress)) == 0;
}

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
    limit->shards[i].connections = g_hash_table_new_full (hash_address, equal_addresses, g_free, NULL);
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
    g_hash_table_unref (limit->shards[i].connections);
  }
  g_array_unref (limit->proxies);
  g_free (limit);
}

static gboolean
is_trusted (const SvAddressLimit *limit, const SvAddress *address)
{
  for (guint i = 0; i < limit->proxies->len; i++)
    if (lies_in (address, &g_array_index (limit->proxies, Block, i)))
      return TRUE;
  return FALSE;
}

/* An address as proxies write it, some of them with a port. Changes @text. */
static gboolean
parse_hop (char *text, SvAddress *address)
{
  char *end = text[0] == '[' ? strchr (text, ']') : NULL, *colon = strchr (text, ':');
  if (end != NULL)
  {
    *end = '\0';
    return (end[1] == '\0' || end[1] == ':') && strchr (text + 1, ':') != NULL && parse_address (text + 1, address);
  }
  if (colon != NULL && strchr (colon + 1, ':') == NULL)
    *colon = '\0';
  return parse_address (text, address);
}

gboolean
sv_address_limit_client (const SvAddressLimit *limit, const SvAddress *peer, const char *forwarded_for,
                         char text[SV_ADDRESS_TEXT_MAX])
{
  SvAddress address = *peer, before;
  gboolean is_known = TRUE;
  /* Each proxy appends the address that it saw: from the right, all are believed up to the first that is not ours. */
  g_auto (GStrv) hops = g_strsplit (forwarded_for != NULL ? forwarded_for : "", ",", -1);
  guint n = g_strv_length (hops);
  for (guint i = n; i > 0 && is_known && is_trusted (limit, &address); i--)
  {
    is_known = parse_hop (g_strstrip (hops[i - 1]), &before);
    address = is_known ? before : address;
  }
  is_known = is_known && (n > 0 || !is_trusted (limit, peer));
  char proxy[INET6_ADDRSTRLEN + 1];
  sv_address_format (&address, text);
  if (is_known)
    return TRUE;
  g_strlcpy (proxy, text, sizeof proxy);
  g_snprintf (text, SV_ADDRESS_TEXT_MAX, "unknown behind %s", proxy);
  return FALSE;
}

gboolean
sv_address_limit_trusts (const SvAddressLimit *limit, const SvAddress *peer)
{
  return is_trusted (limit, peer);
}

/* ── connections ── */

static gboolean
is_counted (const SvAddressLimit *limit, const SvAddress *peer)
{
  return !is_loopback (peer) && !is_trusted (limit, peer);
}

gboolean
sv_address_limit_connect (SvAddressLimit *limit, const SvAddress *peer, guint max)
{
  SvAddress customer = customer_of (*peer);
  if (!is_counted (limit, peer))
    return TRUE;
  Shard *shard = &limit->shards[hash_address (&customer) % N_SHARDS];
  g_mutex_lock (&shard->lock);
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (shard->connections, &customer));
  if (n < max)
    g_hash_table_replace (shard->connections, g_memdup2 (&customer, sizeof customer), GUINT_TO_POINTER (n + 1));
  g_mutex_unlock (&shard->lock);
  return n < max;
}

void
sv_address_limit_disconnect (SvAddressLimit *limit, const SvAddress *peer)
{
  SvAddress customer = customer_of (*peer);
  if (!is_counted (limit, peer))
    return;
  Shard *shard = &limit->shards[hash_address (&customer) % N_SHARDS];
  g_mutex_lock (&shard->lock);
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (shard->connections, &customer));
  if (n > 1)
    g_hash_table_replace (shard->connections, g_memdup2 (&customer, sizeof customer), GUINT_TO_POINTER (n - 1));
  else
    g_hash_table_remove (shard->connections, &customer);
  g_mutex_unlock (&shard->lock);
}

/* ── requests ── */

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
  SvAddress address;
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
