/* The life of an exchange, as the connections see it: begun with a request's head, handled, recorded, ended. */
#pragma once

#include "api/service.h"

/* Where a request came from. */
typedef struct
{
  struct SvConnection *connection; /* which sv_exchange_resume() goes on with */
  const SvAddress *peer;
  const char *client; /* the peer's address as text; borrowed as long as the exchange lives */
  gint64 arrived_us;  /* monotonic: its first byte */
} SvOrigin;

/* Exchanges are used again and again: their arrays and texts keep their memory. */
SvExchange *sv_exchange_new (SvService *service);
void sv_exchange_free (SvExchange *exchange);

/* Takes a request whose head is complete; its bytes are copied. Returns: (transfer full) the answer where none is to be had by
 * handling it; NULL: sv_exchange_handle() is to be called, when the body is there (@body_length bytes, which the caller reads
 * into @body). */
SvReply *sv_exchange_begin (SvExchange *exchange, const SvOrigin *origin, const char *bytes, const SvRequestHead *head);

/* The same for a head that was refused, or that did not come to its end in time. Returns: (transfer full) the answer. */
SvReply *sv_exchange_refuse (SvExchange *exchange, const SvOrigin *origin, guint status, const char *fault);

/* Returns: (transfer full) the answer; NULL: the exchange was suspended, and this is called again when it is resumed. */
SvReply *sv_exchange_handle (SvExchange *exchange);

/* What is answered: counts it, and appends a line to @log, but for what comes too often. The handler's part is over. */
void sv_exchange_record (SvExchange *exchange, const SvReply *reply, GString *log);

/* The answer's last byte is the system's. */
void sv_exchange_sent (SvExchange *exchange);

/* The answer is sent to its end, or cannot be. */
void sv_exchange_end (SvExchange *exchange);
