/* Kinds of addresses, after the special-purpose registries of IANA. IPv4 lists what is not public; IPv6 lists what is, because
 * only 2000::/3 is handed out. Forms of IPv6 that carry an IPv4 address to its destination (mapped, NAT64, 6to4) are judged by
 * that address, so that they are no way around. */
#include "base/http_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

typedef struct
{
  guint8 prefix[16];
  guint bits;
} Network;

static const Network loopback4[] = {
  { { 127 }, 8 }, { { 0 }, 32 }, /* connecting to 0.0.0.0 reaches this machine */
};

static const Network not_public4[] = {
  { { 0 }, 8 },         { { 10 }, 8 },         { { 100, 64 }, 10 },      { { 169, 254 }, 16 },
  { { 172, 16 }, 12 },  { { 192, 0, 0 }, 24 }, { { 192, 0, 2 }, 24 },    { { 192, 88, 99 }, 24 },
  { { 192, 168 }, 16 }, { { 198, 18 }, 15 },   { { 198, 51, 100 }, 24 }, { { 203, 0, 113 }, 24 },
  { { 224 }, 4 },       { { 240 }, 4 },
};

/* Inside 2000::/3, but not for the public. */
static const Network not_public6[] = {
  { { 0x20, 0x01, 0x00 }, 23 },       /* protocol assignments: Teredo, benchmarking, ORCHID */
  { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
  { { 0x3f, 0xff, 0x00 }, 20 },       /* documentation */
};

static const Network global6 = { { 0x20 }, 3 };
static const Network mapped6 = { { [10] = 0xff, [11] = 0xff }, 96 };
static const Network nat64 = { { 0x00, 0x64, 0xff, 0x9b }, 96 };
static const Network six_to_four = { { 0x20, 0x02 }, 16 };

static gboolean
in_network (const guint8 *address, const Network *network)
{
  guint whole = network->bits / 8, rest = network->bits % 8;
  if (memcmp (address, network->prefix, whole) != 0)
    return FALSE;
  return rest == 0 || ((address[whole] ^ network->prefix[whole]) >> (8 - rest)) == 0;
}

static gboolean
in_any (const guint8 *address, const Network *networks, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (in_network (address, &networks[i]))
      return TRUE;
  return FALSE;
}

static SvAddressKind
kind4 (const guint8 address[4])
{
  if (in_any (address, loopback4, G_N_ELEMENTS (loopback4)))
    return SV_ADDRESS_LOOPBACK;
  return in_any (address, not_public4, G_N_ELEMENTS (not_public4)) ? SV_ADDRESS_PRIVATE : SV_ADDRESS_PUBLIC;
}

static SvAddressKind
kind6 (const guint8 address[16])
{
  if (memcmp (address, &in6addr_loopback, 16) == 0 || memcmp (address, &in6addr_any, 16) == 0)
    return SV_ADDRESS_LOOPBACK;
  if (in_network (address, &mapped6))
    return kind4 (address + 12);
  if (in_network (address, &nat64))
    return kind4 (address + 12) == SV_ADDRESS_PUBLIC ? SV_ADDRESS_PUBLIC : SV_ADDRESS_PRIVATE;
  if (in_network (address, &six_to_four))
    return kind4 (address + 2) == SV_ADDRESS_PUBLIC ? SV_ADDRESS_PUBLIC : SV_ADDRESS_PRIVATE;
  if (!in_network (address, &global6) || in_any (address, not_public6, G_N_ELEMENTS (not_public6)))
    return SV_ADDRESS_PRIVATE;
  return SV_ADDRESS_PUBLIC;
}

SvAddressKind
sv_address_kind (const struct sockaddr *address)
{
  if (address->sa_family == AF_INET)
  {
    struct sockaddr_in in4;
    memcpy (&in4, address, sizeof in4);
    return kind4 ((const guint8 *)&in4.sin_addr);
  }
  if (address->sa_family == AF_INET6)
  {
    struct sockaddr_in6 in6;
    memcpy (&in6, address, sizeof in6);
    return kind6 (in6.sin6_addr.s6_addr);
  }
  return SV_ADDRESS_PRIVATE;
}

gboolean
sv_address_kind_of_text (const char *text, SvAddressKind *kind)
{
  guint8 bytes[16];
  if (inet_pton (AF_INET, text, bytes) == 1)
    *kind = kind4 (bytes);
  else if (inet_pton (AF_INET6, text, bytes) == 1)
    *kind = kind6 (bytes);
  else
    return FALSE;
  return TRUE;
}

void
sv_address_text (const struct sockaddr *address, char text[SV_ADDRESS_TEXT_SIZE])
{
  text[0] = '\0';
  if (address->sa_family == AF_INET)
  {
    struct sockaddr_in in4;
    memcpy (&in4, address, sizeof in4);
    inet_ntop (AF_INET, &in4.sin_addr, text, SV_ADDRESS_TEXT_SIZE);
  }
  else if (address->sa_family == AF_INET6)
  {
    struct sockaddr_in6 in6;
    memcpy (&in6, address, sizeof in6);
    inet_ntop (AF_INET6, &in6.sin6_addr, text, SV_ADDRESS_TEXT_SIZE);
  }
}
