/* What one client address may have: a bucket of requests (IPv6: per /64), ahead of every signature check, and a number of
 * connections; and whose address counts when trusted proxies stand in front (SCOREVISION_TRUSTED_PROXIES). Loopback is never
 * limited, nor are the connections of a trusted proxy. Any thread may call it. */
#pragma once

#include <glib.h>
#include <sys/socket.h>

typedef struct SvAddressLimit SvAddressLimit;

#define SV_ADDRESS_TEXT_MAX 64 /* with the NUL */

/* An address in one form for both families; IPv4 is mapped into IPv6. */
typedef struct
{
  guint8 bytes[16];
} SvAddress;

/* @per_second tokens flow in, up to @burst. @trusted_proxies: addresses or CIDR blocks, NULL-terminated; SV_ERROR_USAGE for
 * anything else. Returns: (transfer full). */
SvAddressLimit *sv_address_limit_new (guint per_second, guint burst, const char *const *trusted_proxies,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_address_limit_free (SvAddressLimit *limit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvAddressLimit, sv_address_limit_free)

/* FALSE for what is no IP address; *@address is zero then. */
gboolean sv_address_read (const struct sockaddr *peer, SvAddress *address);

/* The text under which an address is counted and logged: IPv6 by its /64, which one customer has. */
void sv_address_format (const SvAddress *address, char text[SV_ADDRESS_TEXT_MAX]);

/* Whether what the peer forwards is believed. */
gboolean sv_address_limit_trusts (const SvAddressLimit *limit, const SvAddress *peer);

/* Counts one more connection of this peer; FALSE, and not counted, when it has @max. */
gboolean sv_address_limit_connect (SvAddressLimit *limit, const SvAddress *peer, guint max);
/* One that was counted has ended. */
void sv_address_limit_disconnect (SvAddressLimit *limit, const SvAddress *peer);

/* The client's address as text: the peer's or, where the peer is a trusted proxy, the last one in @forwarded_for (may be NULL)
 * that is not; a port behind an address ("192.0.2.7:4711", "[2001:db8::1]:4711") is no matter. FALSE where a trusted proxy does
 * not say it in such words: then the text stands for all of whom that proxy says nothing, and they share one limit. */
gboolean sv_address_limit_client (const SvAddressLimit *limit, const SvAddress *peer, const char *forwarded_for,
                                  char text[SV_ADDRESS_TEXT_MAX]);

/* TRUE while @address, from sv_address_limit_client(), may go on. */
gboolean sv_address_limit_take (SvAddressLimit *limit, const char *address, gint64 now_us);
