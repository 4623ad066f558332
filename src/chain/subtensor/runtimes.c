/* Runtimes. A block is executed by the runtime in its parent's state, and only that runtime's metadata reads its extrinsics,
 * its events and its state. Spec versions only grow, so what holds at two blocks holds between them: a few spans of block
 * numbers say it all, and a long stretch costs two questions.
 *
 * A node that has dropped old states cannot be asked about them. It still has the headers, and these tell (by a digest item)
 * where a runtime changed; so a span is carried backwards over headers without one. */
#include "chain/subtensor/runtimes.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "chain/subtensor/headers.h"
#include "chain/subtensor/scale.h"

#define CACHE_HEADER 4 /* spec version, little-endian, before the metadata */
#define CACHE_LIFE_S                                                                                                           \
  (24 * 60 * 60) /* what a node once said of a runtime is asked again, lest a lie last as long as the runtime */

typedef struct
{
  guint64 from, to;
  SvRuntime *runtime;
  gboolean is_bounded; /* block @from changed the runtime: the state before it had another one */
} Span;

static void
runtime_free (gpointer data)
{
  SvRuntime *runtime = data;
  g_clear_pointer (&runtime->metadata, sv_metadata_unref);
  g_free (runtime->name);
  g_free (runtime);
}

void
sv_runtimes_init (SvRuntimes *runtimes, const SvConfig *config)
{
  runtimes->known = g_ptr_array_new_with_free_func (runtime_free);
  runtimes->spans = g_array_new (FALSE, TRUE, sizeof (Span));
  const char *fallback = sv_config_get (config, "BITTENSOR_SUBTENSOR_FALLBACK");
  g_autofree char *endpoints =
      g_strconcat (sv_config_get (config, "BITTENSOR_SUBTENSOR_ENDPOINT"), "\n", fallback ? fallback : "", NULL);
  g_autofree char *hash = sv_hash_bytes (endpoints, strlen (endpoints));
  g_autofree char *leaf = g_strdup_printf ("cache/metadata-%.16s.scale", sv_hash_hex (hash));
  runtimes->cache_path = sv_config_home_path (config, leaf);
}

void
sv_runtimes_clear (SvRuntimes *runtimes)
{
  g_clear_pointer (&runtimes->known, g_ptr_array_unref);
  g_clear_pointer (&runtimes->spans, g_array_unref);
  g_clear_pointer (&runtimes->cache_path, g_free);
}

/* ── metadata ── */

static gboolean
is_fresh (const char *path)
{
  GStatBuf status;
  gint64 age = g_stat (path, &status) == 0 ? g_get_real_time () / G_USEC_PER_SEC - status.st_mtime : -1;
  return age >= 0 && age < CACHE_LIFE_S;
}

static SvMetadata *
read_cached (const SvRuntimes *runtimes, const SvNodes *nodes, guint32 spec_version)
{
  gboolean may_read = is_fresh (runtimes->cache_path);
  g_autoptr (GBytes) bytes = may_read ? sv_file_read (runtimes->cache_path, SV_METADATA_MAX_SIZE, NULL) : NULL;
  gsize length = 0;
  const guint8 *data = bytes ? g_bytes_get_data (bytes, &length) : NULL;
  gsize header = CACHE_HEADER + strlen (nodes->genesis);
  if (length < header || memcmp (data + CACHE_HEADER, nodes->genesis, strlen (nodes->genesis)) != 0)
    return NULL;
  guint32 cached = (guint32)data[0] | (guint32)data[1] << 8 | (guint32)data[2] << 16 | (guint32)data[3] << 24;
  return cached == spec_version ? sv_metadata_parse (data + header, length - header, NULL) : NULL;
}

/* What cannot be kept is fetched again next time. */
static void
write_cache (const SvRuntimes *runtimes, const SvNodes *nodes, guint32 spec_version, GBytes *metadata)
{
  g_autoptr (GByteArray) content = g_byte_array_new ();
  sv_scale_put_u32 (content, spec_version);
  sv_scale_put_raw (content, nodes->genesis, strlen (nodes->genesis));
  sv_scale_put_raw (content, g_bytes_get_data (metadata, NULL), g_bytes_get_size (metadata));
  g_autoptr (GError) ignored = NULL;
  (void)!sv_file_write (runtimes->cache_path, content->data, content->len, 0600, &ignored);
}

/* The newest version of the metadata that the runtime has and we can read, from "Metadata_metadata_versions". */
static guint
choose_version (SvNodes *nodes, const char *hash)
{
  g_autoptr (json_t) answer =
      sv_nodes_call (nodes, "state_call", sv_params ("Metadata_metadata_versions", "0x", hash, NULL), NULL);
  g_autoptr (GBytes) bytes = answer ? sv_answer_bytes ("Metadata_metadata_versions", answer, NULL) : NULL;
  if (!bytes)
    return 0;
  SvScaleReader reader = sv_scale_reader (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  guint newest = 0;
  for (gsize n = sv_scale_length (&reader, 4); n > 0 && !reader.fault; n--)
  {
    guint32 version = sv_scale_u32 (&reader);
    if (version >= 14 && version <= 16 && version > newest)
      newest = version;
  }
  return reader.fault ? 0 : newest;
}

/* "Metadata_metadata_at_version" gives an optional byte vector with the metadata in it. */
static GBytes *
unwrap (const json_t *answer, GError **error)
{
  g_autoptr (GBytes) bytes = sv_answer_bytes ("Metadata_metadata_at_version", answer, error);
  if (!bytes)
    return NULL;
  SvScaleReader reader = sv_scale_reader (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  gsize length = 0;
  if (!sv_scale_bool (&reader))
    sv_scale_fail (&reader, "the runtime gives no metadata of a version that it names");
  const guint8 *data = sv_scale_bytes (&reader, &length);
  if (!sv_scale_finish (&reader, "Metadata_metadata_at_version", error))
    return NULL;
  return g_bytes_new (data, length);
}

/* Metadata tell where everything lies, so two endpoints that agree about values agree about nothing if one of them made up the
 * metadata. The second one, if there is one that answers, has to say the same; *@is_confirmed tells whether it did. */
static gboolean
confirm_metadata (SvNodes *nodes, const char *method, const json_t *params, const json_t *ours, gboolean *is_confirmed,
                  GError **error)
{
  guint other;
  *is_confirmed = FALSE;
  if (!sv_nodes_other (nodes, &other))
    return TRUE;
  SvRpcCall call = { .method = method, .params = json_deep_copy (params) };
  gboolean answered = sv_nodes_ask (nodes, other, &call, 1, NULL) && !call.error;
  *is_confirmed = answered && json_equal (call.result, ours);
  sv_rpc_call_clear (&call);
  if (!answered || *is_confirmed)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "the chain endpoints do not agree: %s and %s have different metadata for the same runtime; find out which of "
               "them is right, and configure no other",
               sv_nodes_shown (nodes), sv_rpc_endpoint (nodes->all[other].rpc));
  return FALSE;
}

static GBytes *
fetch_metadata (SvNodes *nodes, const char *hash, gboolean *is_confirmed, GError **error)
{
  guint version = choose_version (nodes, hash);
  const char *method = version > 0 ? "state_call" : "state_getMetadata";
  g_autofree char *argument = g_strdup_printf ("0x%02x000000", version);
  g_autoptr (json_t) params =
      version > 0 ? sv_params ("Metadata_metadata_at_version", argument, hash, NULL) : sv_params (hash, NULL);
  g_autoptr (json_t) answer = sv_nodes_call (nodes, method, json_deep_copy (params), error);
  if (!answer || !confirm_metadata (nodes, method, params, answer, is_confirmed, error))
    return NULL;
  return version > 0 ? unwrap (answer, error) : sv_answer_bytes ("state_getMetadata", answer, error);
}

static SvMetadata *
load_metadata (const SvRuntimes *runtimes, SvNodes *nodes, guint32 spec_version, const char *hash, GError **error)
{
  SvMetadata *metadata = read_cached (runtimes, nodes, spec_version);
  if (metadata)
    return metadata;
  gboolean is_confirmed;
  g_autoptr (GBytes) bytes = fetch_metadata (nodes, hash, &is_confirmed, error);
  if (!bytes)
    return NULL;
  metadata = sv_metadata_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), error);
  if (!metadata)
  {
    g_prefix_error (error, "%s: the metadata of runtime %u cannot be read: ", sv_nodes_shown (nodes), spec_version);
    return NULL;
  }
  const SvRuntime *newest = runtimes->known->len > 0 ? runtimes->known->pdata[runtimes->known->len - 1] : NULL;
  if ((!newest || newest->spec_version < spec_version) && (is_confirmed || nodes->n == 1))
    write_cache (runtimes, nodes, spec_version, bytes);
  return metadata;
}

/* ── runtimes by version ── */

static SvRuntime *
find_known (const SvRuntimes *runtimes, guint32 spec_version, guint *place)
{
  for (*place = 0; *place < runtimes->known->len; (*place)++)
  {
    SvRuntime *runtime = runtimes->known->pdata[*place];
    if (runtime->spec_version >= spec_version)
      return runtime->spec_version == spec_version ? runtime : NULL;
  }
  return NULL;
}

static gboolean
read_version (const json_t *version, const char *key, guint32 *number)
{
  const json_t *value = json_object_get (version, key);
  double real = json_is_number (value) ? json_number_value (value) : -1;
  if (real < 0 || real > G_MAXUINT32)
    return FALSE;
  *number = (guint32)real;
  return TRUE;
}

SvRuntime *
sv_runtimes_of_version (SvRuntimes *runtimes, SvNodes *nodes, const json_t *version, const char *hash, GError **error)
{
  guint32 spec_version, transaction_version;
  guint place;
  if (!read_version (version, "specVersion", &spec_version) ||
      !read_version (version, "transactionVersion", &transaction_version))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: its answer to state_getRuntimeVersion has no version",
                 sv_nodes_shown (nodes));
    return NULL;
  }
  SvRuntime *runtime = find_known (runtimes, spec_version, &place);
  if (runtime)
    return runtime;
  SvMetadata *metadata = load_metadata (runtimes, nodes, spec_version, hash, error);
  if (!metadata)
    return NULL;
  if (runtimes->known->len > 0)
  {
    g_autofree char *text = g_strdup_printf ("%u", spec_version);
    sv_log ("info", "the chain has another runtime", "spec_version", text, NULL);
  }
  runtime = g_new0 (SvRuntime, 1);
  const char *name = json_string_value (json_object_get (version, "specName"));
  runtime->name = sv_text_printable (name ? name : "?");
  runtime->spec_version = spec_version;
  runtime->transaction_version = transaction_version;
  runtime->metadata = metadata;
  g_ptr_array_insert (runtimes->known, (gint)place, runtime);
  return runtime;
}

/* ── spans ── */

static Span *
span_at (const SvRuntimes *runtimes, guint i)
{
  return &g_array_index (runtimes->spans, Span, i);
}

/* The first span that does not end before @number. */
static guint
find_span (const SvRuntimes *runtimes, guint64 number)
{
  guint i = 0;
  while (i < runtimes->spans->len && span_at (runtimes, i)->to < number)
    i++;
  return i;
}

static void
join_with_next (SvRuntimes *runtimes, guint i)
{
  Span *span = span_at (runtimes, i);
  if (i + 1 >= runtimes->spans->len || span_at (runtimes, i + 1)->runtime != span->runtime)
    return;
  span->to = span_at (runtimes, i + 1)->to;
  g_array_remove_index (runtimes->spans, i + 1);
}

void
sv_runtimes_note (SvRuntimes *runtimes, guint64 number, SvRuntime *runtime)
{
  guint i = find_span (runtimes, number);
  if (i < runtimes->spans->len && span_at (runtimes, i)->from <= number)
    return;
  Span span = { .from = number, .to = number, .runtime = runtime };
  g_array_insert_val (runtimes->spans, i, span);
  join_with_next (runtimes, i);
  if (i > 0)
    join_with_next (runtimes, i - 1);
}

/* Carries the span above @number down to it, header by header; *@reached is FALSE where a runtime changed on the way. */
static gboolean
carry_down (SvNodes *nodes, Span *span, guint64 number, gboolean *reached, GError **error)
{
  while (!span->is_bounded && span->from > number)
  {
    g_autoptr (GPtrArray) headers = NULL; /* of the blocks first … span->from, whose parents' states are asked for */
    guint64 batch = MAX (sv_nodes_batch_size (nodes), 1);
    guint64 first = span->from - MIN (span->from - number, batch) + 1;
    headers = sv_headers_read (nodes, first, span->from, error);
    if (!headers)
      return FALSE;
    for (guint i = headers->len; i > 0 && !span->is_bounded; i--)
    {
      const SvHeader *header = headers->pdata[i - 1];
      span->is_bounded = header->changes_runtime;
      span->from = header->changes_runtime ? header->number : header->number - 1;
    }
  }
  *reached = span->from <= number;
  return TRUE;
}

static SvRuntime *
ask_state (SvRuntimes *runtimes, SvNodes *nodes, guint64 number, gboolean *is_gone, GError **error)
{
  SvRuntime *runtime = NULL;
  g_autoptr (GPtrArray) hashes = sv_hashes_read (nodes, number, number, error);
  if (!hashes)
    return NULL;
  if (hashes->len == 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "%s has no block %" G_GUINT64_FORMAT, sv_nodes_shown (nodes), number);
    return NULL;
  }
  SvRpcCall call = { .method = "state_getRuntimeVersion", .params = sv_params (hashes->pdata[0], NULL) };
  if (sv_nodes_perform_archive (nodes, &call, 1, error))
  {
    *is_gone = sv_rpc_is_pruned (call.error);
    if (!call.error)
      runtime = sv_runtimes_of_version (runtimes, nodes, call.result, hashes->pdata[0], error);
    else if (!*is_gone)
      g_propagate_error (error, g_steal_pointer (&call.error));
  }
  sv_rpc_call_clear (&call);
  return runtime;
}

SvRuntime *
sv_runtimes_at (SvRuntimes *runtimes, SvNodes *nodes, guint64 number, gboolean *is_gone, GError **error)
{
  guint i = find_span (runtimes, number);
  *is_gone = FALSE;
  if (i < runtimes->spans->len && span_at (runtimes, i)->from <= number)
    return span_at (runtimes, i)->runtime;
  SvRuntime *runtime = ask_state (runtimes, nodes, number, is_gone, error);
  if (runtime)
    sv_runtimes_note (runtimes, number, runtime);
  if (runtime || !*is_gone || i >= runtimes->spans->len)
    return runtime;
  gboolean reached;
  if (!carry_down (nodes, span_at (runtimes, i), number, &reached, error))
  {
    *is_gone = FALSE;
    return NULL;
  }
  *is_gone = !reached;
  return reached ? span_at (runtimes, i)->runtime : NULL;
}

/* Two ends with one runtime are joined by being noted. Where they differ, the change lies between them. */
gboolean
sv_runtimes_cover (SvRuntimes *runtimes, SvNodes *nodes, guint64 from, guint64 to, GError **error)
{
  while (from < to)
  {
    gboolean low_is_gone, high_is_gone;
    GError *failure = NULL;
    SvRuntime *high = sv_runtimes_at (runtimes, nodes, to, &high_is_gone, &failure);
    SvRuntime *low = high || high_is_gone ? sv_runtimes_at (runtimes, nodes, from, &low_is_gone, &failure) : NULL;
    if (failure)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
    if (!high || low == high)
      return TRUE;
    if (!low) /* the span of @high was carried down as far as it goes */
      return TRUE;
    if (to - from == 1)
      return TRUE;
    guint64 middle = from + (to - from) / 2;
    if (!sv_runtimes_cover (runtimes, nodes, middle, to, error))
      return FALSE;
    to = middle;
  }
  return TRUE;
}
