/* Names of objects: each kind, and what only looks like one; sizes as people read them. */
#include "operator/store_object.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ACCOUNT "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"

static const struct
{
  const char *key;
  SvStoreKind kind;
  const char *hash;
} names[] = {
  { "scorevision/index.json", SV_STORE_INDEX, "" },
  { "scorevision/manifests/" HEX ".json", SV_STORE_MANIFEST, "sha256:" HEX },
  { "scorevision/manifests/sha256:" HEX ".json", SV_STORE_MANIFEST, "sha256:" HEX },
  { "scorevision/archive/" HEX ".json", SV_STORE_ARCHIVE, "sha256:" HEX },
  { "scorevision/signers/12.json", SV_STORE_SIGNERS, "" },
  { "scorevision/issued/2025-10-23/1-17.jsonl", SV_STORE_ISSUED, "" },
  { "scorevision/issued/2025-10-23/18.json", SV_STORE_ISSUED, "" },
  { "scorevision/shards/2025-10-23/" ACCOUNT "/17-" HEX ".jsonl", SV_STORE_SHARD, "sha256:" HEX },
  { "scorevision/shards/_legacy/" ACCOUNT "/17-" HEX ".jsonl", SV_STORE_SHARD, "sha256:" HEX },
  { "private/clips/" HEX, SV_STORE_CLIP, "sha256:" HEX },
  { "private/probe/abc", SV_STORE_PROBE, "" },

  { "scorevision/index.json.bak", SV_STORE_OTHER, "" },
  { "scorevision/manifests/" HEX, SV_STORE_OTHER, "" },
  { "scorevision/manifests/" HEX "0.json", SV_STORE_OTHER, "" },
  { "scorevision/manifests/sha256:sha256:" HEX ".json", SV_STORE_OTHER, "" },
  { "scorevision/manifests/abc.json", SV_STORE_OTHER, "" },
  { "scorevision/manifests/" HEX ".json/x", SV_STORE_OTHER, "" },
  { "scorevision/archive/sha256:" HEX ".json", SV_STORE_OTHER, "" },
  { "scorevision/signers/0.json", SV_STORE_OTHER, "" },
  { "scorevision/signers/01.json", SV_STORE_OTHER, "" },
  { "scorevision/signers/.json", SV_STORE_OTHER, "" },
  { "scorevision/issued/2025-10-23/1.jsonl", SV_STORE_OTHER, "" },
  { "scorevision/issued/2025-10-23/1-2.json", SV_STORE_OTHER, "" },
  { "scorevision/issued/2025-10-23/2-1.jsonl", SV_STORE_OTHER, "" },
  { "scorevision/issued/2025-10-23/0.json", SV_STORE_OTHER, "" },
  { "scorevision/issued/2025-10-23/x/1-2.jsonl", SV_STORE_OTHER, "" },
  { "scorevision/shards/2025-10-23/" ACCOUNT "/17" HEX ".jsonl", SV_STORE_OTHER, "" },
  { "scorevision/shards/2025-10-23/nobody/17-" HEX ".jsonl", SV_STORE_OTHER, "" },
  { "scorevision/shards/_other/" ACCOUNT "/17-" HEX ".jsonl", SV_STORE_OTHER, "" },
  { "private/clips/" HEX ".mp4", SV_STORE_OTHER, "" },
  { "private/clips/0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF", SV_STORE_OTHER, "" },
  { "clips/" HEX, SV_STORE_OTHER, "" },
};

static void
test_names (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
  {
    SvStoreName name = sv_store_name_read (names[i].key);
    if (name.kind != names[i].kind)
      g_error ("%s: expected %s, got %s", names[i].key, sv_store_kind_name (names[i].kind), sv_store_kind_name (name.kind));
    g_assert_cmpstr (name.hash, ==, names[i].hash);
  }
  g_assert_cmpuint (sv_store_name_read ("scorevision/signers/12.json").number, ==, 12);
}

/* What makes a key is what is read out of it. */
static void
test_keys (void)
{
  char *keys[] = { sv_manifest_key ("sha256:" HEX), sv_manifest_key_prefixed ("sha256:" HEX), sv_archive_key ("sha256:" HEX) };
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
  {
    g_assert_cmpstr (sv_store_name_read (keys[i]).hash, ==, "sha256:" HEX);
    g_free (keys[i]);
  }
  g_autofree char *statement = sv_signers_key (G_GUINT64_CONSTANT (9007199254740991));
  g_assert_cmpuint (sv_store_name_read (statement).number, ==, G_GUINT64_CONSTANT (9007199254740991));
}

/* What is replaced, or comes next, under its name is not kept by caches as what is named by its content is. */
static void
test_cache_headers (void)
{
  g_assert_cmpstr (sv_store_put_options (SV_STORE_INDEX).cache_control, ==, SV_CACHE_INDEX);
  g_assert_cmpstr (sv_store_put_options (SV_STORE_SIGNERS).cache_control, ==, SV_CACHE_INDEX);
  g_assert_cmpstr (sv_store_put_options (SV_STORE_MANIFEST).cache_control, ==, SV_CACHE_IMMUTABLE);
  g_assert_cmpstr (sv_store_put_options (SV_STORE_ARCHIVE).cache_control, ==, SV_CACHE_IMMUTABLE);
}

static void
test_sizes (void)
{
  static const struct
  {
    guint64 bytes;
    const char *shown;
  } sizes[] = { { 0, "0 B" },
                { 999, "999 B" },
                { 1000, "1.0 kB" },
                { 999940, "999.9 kB" },
                { 999960, "1.0 MB" },
                { G_GUINT64_CONSTANT (2147483648), "2.1 GB" },
                { G_GUINT64_CONSTANT (5000000000000000), "5000.0 TB" } };
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
  {
    g_autofree char *shown = sv_bytes_shown (sizes[i].bytes);
    g_assert_cmpstr (shown, ==, sizes[i].shown);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store-object/names", test_names);
  g_test_add_func ("/store-object/keys", test_keys);
  g_test_add_func ("/store-object/cache-headers", test_cache_headers);
  g_test_add_func ("/store-object/sizes", test_sizes);
  return g_test_run ();
}
