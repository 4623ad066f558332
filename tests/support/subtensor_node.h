/* A Subtensor node with a real runtime, in a process of its own that ends with this one (tests/support/subtensor/node.mjs tells
 * what it answers). */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct SubtensorNode SubtensorNode;

/* NULL where there can be none here; *@reason (transfer full) then says why. */
SubtensorNode *subtensor_node_start (char **reason);
void subtensor_node_stop (SubtensorNode *node);

/* (transfer none) "http://127.0.0.1:PORT". */
const char *subtensor_node_endpoint (const SubtensorNode *node);

/* One JSON-RPC call, which must succeed. @params (an array, or NULL for none) is taken. Returns: (transfer full). */
json_t *subtensor_node_call (SubtensorNode *node, const char *method, json_t *params);

/* The same for calls whose result does not matter; @format and what follows as for json_pack(). */
void subtensor_node_do (SubtensorNode *node, const char *method, const char *format, ...);
