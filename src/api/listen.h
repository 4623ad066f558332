/* The listening socket. */
#pragma once

#include <glib.h>

/* Binds and listens on "host:port", "[::1]:port" or ":port" (every address). Port 0 takes a free one. *@url receives
 * "http://host:port" with the port that was bound. Returns a non-blocking descriptor; -1 with SV_ERROR_USAGE for a malformed
 * setting, SV_ERROR_CONFLICT for an address in use. */
int sv_listen (const char *setting, char **url, guint *port, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether @setting has that form. SV_ERROR_USAGE. */
gboolean sv_listen_check (const char *setting, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the two cannot be listened on at once by different sockets: the same port, and one of them is every address. */
gboolean sv_listen_overlaps (const char *setting, const char *other);
