/* What systemd wants to hear of a service of Type=notify. Without $NOTIFY_SOCKET nothing is done. */
#pragma once

/* @state: lines such as "READY=1\nSTATUS=…". What cannot be told is logged: systemd then takes the service for one that does
 * not start. */
void sv_tell_service_manager (const char *state);
