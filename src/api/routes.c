/* The table of what the server answers. openapi.json describes the same paths; a test compares the two. */
#include <string.h>

#include "api/service.h"

static const SvRoute routes[] = {
  { "challenge_v3", "/api/challenge/v3", "GET", FALSE, TRUE, 0, sv_handle_challenge_v3 },
  { "tasks_v2", "/api/tasks/next/v2", "GET", FALSE, TRUE, 0, sv_handle_tasks_v2 },
  { "tasks_next", "/api/tasks/next", "GET", FALSE, TRUE, 0, sv_handle_task_next },
  { "tasks_complete", "/api/tasks/complete", "POST", FALSE, TRUE, 16384, sv_handle_task_complete },
  { "tasks_ground_truth", "/api/tasks/", "GET", FALSE, TRUE, 0, sv_handle_task_ground_truth },
  { "commitments", "/api/commitments", "GET", FALSE, TRUE, 0, sv_handle_commitments },
  { "public_tree", "/scorevision/", "GET", TRUE, FALSE, 0, sv_handle_public_tree },
  { "clips", "/clips/", "GET", TRUE, FALSE, 0, sv_handle_clip },
  { "healthz", "/healthz", "GET", TRUE, FALSE, 0, sv_handle_healthz },
  { "readyz", "/readyz", "GET", TRUE, FALSE, 0, sv_handle_readyz },
  { "metrics", "/metrics", "GET", TRUE, FALSE, 0, sv_handle_metrics },
  { "openapi", "/openapi.json", "GET", TRUE, FALSE, 0, sv_handle_openapi },
};

static gboolean
matches (const SvRoute *route, const char *path)
{
  gsize length = strlen (route->path);
  return strncmp (path, route->path, length) == 0 && (route->path[length - 1] == '/' || path[length] == '\0');
}

const SvRoute *
sv_route_find (const char *path)
{
  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    if (matches (&routes[i], path))
      return &routes[i];
  return NULL;
}
