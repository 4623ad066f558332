/* A token bucket per client address (IPv6: per /64), ahead of every signature check; and whose address counts when trusted
 * proxies stand in front (SCOREVISION_TRUSTED_PROXIES). Loopback is never limited. Any thread may call it. */
#pragma once

#include <glib.h>
#include <sys/socket.h>

typedef struct SvAddressLimit SvAddressLimit;

/* @per_second tokens flow in, up to @burst. @trusted_proxies: addresses or CIDR blocks, NULL-terminated; SV_ERROR_USAGE for
 * anything else. Returns: (transfer full). */
SvAddressLimit *sv_address_limit_new (guint per_second, guint burst, const char *const *trusted_proxies,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_address_limit_free (SvAddressLimit *limit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvAddressLimit, sv_address_limit_free)

/* The client's address as text: the peer's or, where the peer is a trusted proxy, the last one in @forwarded_for (may be NULL)
 * that is not. Returns: (transfer full). */
char *sv_address_limit_client (const SvAddressLimit *limit, const struct sockaddr *peer, const char *forwarded_for);

/* TRUE while @address, from sv_address_limit_client(), may go on. */
gboolean sv_address_limit_take (SvAddressLimit *limit, const char *address, gint64 now_us);
