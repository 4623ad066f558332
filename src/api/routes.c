/* The table of what the server answers. openapi.json describes the same paths; a test compares the two. */
#include <string.h>

#include "api/service.h"

static const SvRoute routes[] = {
  { "challenge_v3", "/api/challenge/v3", FALSE, TRUE, sv_handle_challenge_v3 },
  { "tasks_v2", "/api/tasks/next/v2", FALSE, TRUE, sv_handle_tasks_v2 },
  { "commitments", "/api/commitments", FALSE, TRUE, sv_handle_commitments },
  { "public_tree", "/scorevision/", TRUE, FALSE, sv_handle_public_tree },
  { "clips", "/clips/", TRUE, FALSE, sv_handle_clip },
  { "healthz", "/healthz", TRUE, FALSE, sv_handle_healthz },
  { "readyz", "/readyz", TRUE, FALSE, sv_handle_readyz },
  { "metrics", "/metrics", TRUE, FALSE, sv_handle_metrics },
  { "openapi", "/openapi.json", TRUE, FALSE, sv_handle_openapi },
};

const SvRoute *
sv_route_find (const char *path)
{
  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    if (g_str_has_suffix (routes[i].path, "/") ? g_str_has_prefix (path, routes[i].path) : strcmp (path, routes[i].path) == 0)
      return &routes[i];
  return NULL;
}
