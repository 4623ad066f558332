/* Publishing in a small world. */
#pragma once

#include "operator/publish.h"
#include "world.h"

static inline SvPublication *
try_publish (SvPublisher *publisher, const json_t *authored, gboolean supersede, gboolean dry_run, GError **error)
{
  SvPublishOptions options = { .supersede = supersede, .overlap = SV_DEFAULT_OVERLAP, .dry_run = dry_run };
  return sv_publish_manifest (publisher, authored, &options, error);
}

static inline SvPublication *
publish (SvPublisher *publisher, const json_t *authored, gboolean supersede)
{
  GError *error = NULL;
  SvPublication *publication = try_publish (publisher, authored, supersede, FALSE, &error);
  g_assert_no_error (error);
  return publication;
}

static inline void
remove_start (json_t *authored)
{
  json_object_del (authored, "start_block");
}
