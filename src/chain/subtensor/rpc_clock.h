/* Another clock for an SvRpc, so that tests of waiting do not wait. */
#pragma once

#include "chain/subtensor/rpc.h"

typedef struct
{
  gint64 (*now_ms) (gpointer data);
  void (*sleep_ms) (gpointer data, gint64 ms);
  double (*jitter) (gpointer data); /* in [0, 1) */
  gpointer data;
} SvRpcClock;

void sv_rpc_set_clock (SvRpc *rpc, const SvRpcClock *clock);
