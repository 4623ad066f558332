/* A node of a chain model: JSON-RPC by HTTP, as a Substrate node speaks it, with the shortcomings and the lies that a test
 * wants. */
#pragma once

#include "chain_model.h"
#include "tiny_server.h"

typedef struct ModelNode ModelNode;

struct ModelNode
{
  ChainModel *model;
  TinyServer *server;
  char *url;
  gboolean is_down;
  guint64 best, final;             /* as far as it has come, at most */
  guint64 state_from, bodies_from; /* below, the state or the body is gone */
  const char *failing;             /* calls of this method are answered with the error: */
  int code;
  const char *words;
  guint64 nonce;              /* that system_accountNextIndex tells */
  const char *versions;       /* what Metadata_metadata_versions gives ("0x…"); NULL: the runtime has no such function */
  gboolean keeps_what_it_got; /* submitted extrinsics come into the next block */
  GPtrArray *asked;           /* of char*: the methods of all calls */
  GPtrArray *submitted;       /* of char*: in hex */
  /* Sees each call before it is answered, and what is answered, which it may replace. */
  void (*before) (ModelNode *node, const char *method, const json_t *params);
  void (*meddle) (ModelNode *node, const char *method, const json_t *params, json_t **result);
  gpointer data; /* the test's own */
  guint n;       /* likewise */
};

void model_node_start (ModelNode *node, ChainModel *model);
/* After the client is gone. */
void model_node_stop (ModelNode *node);

/* How often a method was asked for since the last model_node_forget(); NULL: any. */
guint model_node_count (const ModelNode *node, const char *method);
void model_node_forget (ModelNode *node);
/* And in how many requests, since the node was started. */
guint model_node_n_requests (const ModelNode *node);
