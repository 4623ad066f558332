/* What a `file:` store publishes: its public tree under /scorevision/, and clips by expiring link. Nothing below private/ has a
 * path here; a clip is reached through its token only. */
#include <errno.h>
#include <string.h>

#include "api/asker.h"
#include "api/clip_link.h"
#include "api/front.h"
#include "api/service.h"
#include "api/static_file.h"
#include "base/rfc3339.h"
#include "protocol/object_keys.h"

#define CLIP_CACHE_CONTROL "private, max-age=900"

static SvReply *
reply_not_found (void)
{
  return sv_reply_error (404, "not_found", "There is nothing here");
}

static SvReply *
reply_file (const SvExchange *exchange, const char *key, const char *content_type, const char *cache_control)
{
  g_autofree char *path = sv_object_store_local_path (exchange->service->store, key);
  SvFileRequest request = { .content_type = content_type,
                            .cache_control = cache_control,
                            .if_none_match = sv_pairs_find (exchange->headers, "If-None-Match", TRUE),
                            .if_range = sv_pairs_find (exchange->headers, "If-Range", TRUE),
                            .range = sv_pairs_find (exchange->headers, "Range", TRUE) };
  errno = 0;
  g_autoptr (SvReply) reply = path != NULL ? sv_static_file_reply (path, &request) : NULL;
  if (reply == NULL && (errno == EMFILE || errno == ENFILE))
    return sv_reply_overloaded ("This server has no files left to open just now; try again later");
  if (reply != NULL && reply->size > SV_FILE_INLINE && !sv_front_has_room_for_file (exchange->service->front))
    return sv_reply_overloaded ("Too many files are being sent just now; try again later");
  return reply != NULL ? g_steal_pointer (&reply) : reply_not_found ();
}

static const char *
content_type_of (const char *key)
{
  if (g_str_has_suffix (key, ".json"))
    return "application/json";
  return g_str_has_suffix (key, ".jsonl") ? "application/x-ndjson" : "application/octet-stream";
}

SvReply *
sv_handle_public_tree (SvExchange *exchange)
{
  const char *key = exchange->target->path + 1; /* the path is the key: "scorevision/…" */
  if (!sv_object_key_is_valid (key) || strstr (key, "/.") != NULL)
    return reply_not_found ();
  gboolean is_statement = g_str_has_prefix (key, SV_SIGNERS_PREFIX);
  gboolean is_by_content = strcmp (key, SV_INDEX_KEY) != 0 && !is_statement;
  SvReply *reply = reply_file (exchange, key, content_type_of (key), is_by_content ? SV_CACHE_IMMUTABLE : SV_CACHE_INDEX);
  /* With each index readers ask for the next statement, which mostly is not there; so do auditors for the next signpost. */
  if ((is_statement || g_str_has_prefix (key, SV_ISSUED_PREFIX)) && reply->status == 404)
    sv_reply_set (reply, "Cache-Control", SV_CACHE_INDEX);
  return reply;
}

SvReply *
sv_handle_clip (SvExchange *exchange)
{
  static const char *const names[] = { "expires", "token", NULL };
  const GArray *parameters = exchange->target->parameters;
  const char *hex = exchange->target->path + strlen ("/clips/");
  SvClipLinkVerdict verdict = SV_CLIP_LINK_INVALID;
  const char *fault = sv_state_keeper_fault (exchange->service->keeper);
  if (fault != NULL && !sv_state_keeper_is_ready (exchange->service->keeper)) /* the key of the links is not there yet */
    return sv_reply_overloaded (fault);
  if (sv_parameters_repeated (parameters, names) == NULL)
    verdict = sv_clip_link_check (exchange->service->clip_key, hex, sv_pairs_find (parameters, "expires", FALSE),
                                  sv_pairs_find (parameters, "token", FALSE), sv_clock_ms ());
  if (verdict == SV_CLIP_LINK_EXPIRED)
    return sv_reply_error (403, "clip_link_expired", "This link has expired; each challenge comes with a fresh one");
  if (verdict != SV_CLIP_LINK_VALID)
    return sv_reply_error (403, "clip_link_invalid", "This is not a clip link of this server");
  g_autofree char *key = g_strconcat ("private/clips/", hex, NULL);
  return reply_file (exchange, key, NULL, CLIP_CACHE_CONTROL);
}
