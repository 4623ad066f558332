/* The seam to libmicrohttpd: its callbacks make exchanges out of requests, and send replies. */
#pragma once

#include <microhttpd.h>

#include "api/service.h"

/* MHD_OPTION_URI_LOG_CALLBACK: begins an exchange; @service is an SvService. */
void *sv_exchange_on_target (void *service, const char *target, struct MHD_Connection *connection);

/* The access handler; @service is an SvService. */
enum MHD_Result sv_exchange_on_access (void *service, struct MHD_Connection *connection, const char *url, const char *method,
                                       const char *version, const char *upload_data, size_t *upload_size, void **exchange);

/* MHD_OPTION_NOTIFY_COMPLETED. */
void sv_exchange_on_completed (void *service, struct MHD_Connection *connection, void **exchange,
                               enum MHD_RequestTerminationCode code);
