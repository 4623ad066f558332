/* What kind of network address a socket would connect to. */
#pragma once

#include <glib.h>
#include <sys/socket.h>

typedef enum
{
  SV_ADDRESS_PUBLIC,   /* reachable from everywhere: global unicast */
  SV_ADDRESS_LOOPBACK, /* this machine */
  SV_ADDRESS_PRIVATE,  /* everything else: private, link-local, shared, reserved, multicast, not IP */
} SvAddressKind;

SvAddressKind sv_address_kind (const struct sockaddr *address);

/* FALSE when @text is not a numeric address. */
gboolean sv_address_kind_of_text (const char *text, SvAddressKind *kind) G_GNUC_WARN_UNUSED_RESULT;

#define SV_ADDRESS_TEXT_SIZE 46 /* INET6_ADDRSTRLEN */

/* The numeric form; "" for what is no IP address. */
void sv_address_text (const struct sockaddr *address, char text[SV_ADDRESS_TEXT_SIZE]);
