#include "protocol/object_keys.h"

#include "base/hash.h"

char *
sv_manifest_key (const char *hash)
{
  return g_strdup_printf ("scorevision/manifests/%s.json", sv_hash_hex (hash));
}

char *
sv_manifest_key_prefixed (const char *hash)
{
  return g_strdup_printf ("scorevision/manifests/%s.json", hash);
}

char *
sv_archive_key (const char *hash)
{
  return g_strdup_printf ("scorevision/archive/%s.json", sv_hash_hex (hash));
}

char *
sv_signers_key (guint64 number)
{
  return g_strdup_printf (SV_SIGNERS_PREFIX "%" G_GUINT64_FORMAT ".json", number);
}

char *
sv_issued_key (const char *window_id, guint64 first, guint64 last)
{
  return g_strdup_printf (SV_ISSUED_PREFIX "%s/%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT ".jsonl", window_id, first, last);
}

char *
sv_issued_signpost_key (const char *window_id, guint64 first)
{
  return g_strdup_printf (SV_ISSUED_PREFIX "%s/%" G_GUINT64_FORMAT ".json", window_id, first);
}
