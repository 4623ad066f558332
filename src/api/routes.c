/* The table of what the server answers. openapi.json describes the same paths; a test compares the two. */
#include <string.h>

#include "api/service.h"

static const SvRoute routes[] = {
  { "challenge_v3", "/api/challenge/v3", FALSE, TRUE, sv_handle_challenge_v3, "GET", 0, FALSE },
  { "tasks_v2", "/api/tasks/next/v2", FALSE, TRUE, sv_handle_tasks_v2, "GET", 0, FALSE },
  { "tasks_next", "/api/tasks/next", FALSE, TRUE, sv_handle_task_next, "GET", 0, FALSE },
  { "tasks_complete", "/api/tasks/complete", FALSE, TRUE, sv_handle_task_complete, "POST", 16384, FALSE },
  { "tasks_ground_truth", "/api/tasks/", FALSE, TRUE, sv_handle_task_ground_truth, "GET", 0, FALSE },
  { "commitments", "/api/commitments", FALSE, TRUE, sv_handle_commitments, "GET", 0, TRUE },
  { "public_tree", "/scorevision/", TRUE, FALSE, sv_handle_public_tree, "GET", 0, FALSE },
  { "clips", "/clips/", TRUE, FALSE, sv_handle_clip, "GET", 0, FALSE },
  { "healthz", "/healthz", TRUE, FALSE, sv_handle_healthz, "GET", 0, FALSE },
  { "readyz", "/readyz", TRUE, FALSE, sv_handle_readyz, "GET", 0, FALSE },
  { "metrics", "/metrics", TRUE, FALSE, sv_handle_metrics, "GET", 0, TRUE },
  { "openapi", "/openapi.json", TRUE, FALSE, sv_handle_openapi, "GET", 0, TRUE },
};

static gboolean
matches (const SvRoute *route, const char *path)
{
  gsize length = strlen (route->path);
  return strncmp (path, route->path, length) == 0 && (route->path[length - 1] == '/' || path[length] == '\0');
}

const SvRoute *
sv_route_find (const char *path, gboolean is_plain)
{
  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    if (matches (&routes[i], path))
      return is_plain || g_str_has_suffix (routes[i].path, "/") ? &routes[i] : NULL;
  return NULL;
}
