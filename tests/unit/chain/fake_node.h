/* A node that answers JSON-RPC as a test wants: each request takes the next step of a script, and the last step stays. */
#pragma once

#include "tiny_server.h"

typedef enum
{
  NODE_ECHO,     /* each call's result is its first parameter */
  NODE_REVERSED, /* the same, last call first */
  NODE_HALF,     /* the first half of the calls only */
  NODE_ODD,      /* calls with an odd parameter get the step's body as their error */
  NODE_SILENT,   /* nothing, until the client goes */
  NODE_STALLED,  /* half of an answer, and then nothing until the client goes */
  NODE_CUT,      /* half of an answer, and the end of the connection */
  NODE_ENDLESS,  /* an answer without end */
} NodeManner;

typedef struct
{
  NodeManner manner;
  guint max_calls;  /* how many calls a request may hold; 0 is any number. Others get status and body as they are */
  const char *http; /* status line and headers; NULL for an ordinary 200. Without max_calls, for all requests */
  const char *body; /* "{0}" is the id of the first call, "{1}" of the second. NULL where `manner` makes it */
} NodeStep;

typedef struct
{
  const NodeStep *steps;
  gsize n_steps;
  gsize at;
  GArray *sizes; /* (guint) calls in each request */
  TinyServer *server;
  char *url; /* "ws://127.0.0.1:PORT" */
} FakeNode;

void fake_node_start (FakeNode *node, const NodeStep *steps, gsize n_steps);
/* After the client is gone. */
void fake_node_stop (FakeNode *node);
