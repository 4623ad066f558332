#include "chain/subtensor/account_memory.h"

#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

#define MAX_SIZE (8 * 1024 * 1024)
#define MAX_BLOCKS 200000 /* kept: a month, far more than any open window reaches back */

void
sv_account_memory_clear (SvAccountMemory *memory)
{
  g_clear_pointer (&memory->path, g_free);
  g_clear_pointer (&memory->extrinsics, g_ptr_array_unref);
}

static char *
file_name (const char *folder, const SvChainId *chain, const char *address)
{
  g_autofree char *about = g_strdup_printf ("%s %u %s", chain->genesis, chain->netuid, address);
  g_autofree char *hash = sv_hash_bytes (about, strlen (about));
  return g_strdup_printf ("%s/account-%.16s.json", folder, sv_hash_hex (hash));
}

/* ── reading ── */

static gboolean
read_number (const json_t *json, const char *key, guint64 *number)
{
  const json_t *value = json_object_get (json, key);
  double real = json_is_number (value) ? json_number_value (value) : -1;
  *number = real >= 0 && real <= (double)SV_JSON_MAX_INTEGER ? (guint64)real : 0;
  return (double)*number == real;
}

static SvExtrinsic *
read_extrinsic (const json_t *json, const char *address)
{
  const char *hash = json_string_value (json_object_get (json, "hash"));
  const char *text = json_string_value (json_object_get (json, "text"));
  guint64 block, index;
  if (!hash || !text || strlen (hash) != SV_BLOCK_HASH_TEXT - 1 || !read_number (json, "block", &block) ||
      !read_number (json, "index", &index) || index > G_MAXUINT)
    return NULL;
  SvExtrinsic *extrinsic = g_new0 (SvExtrinsic, 1);
  extrinsic->block = block;
  extrinsic->index = (guint)index;
  g_strlcpy (extrinsic->hash, hash, sizeof extrinsic->hash);
  extrinsic->signer = g_strdup (address);
  extrinsic->text = g_strdup (text);
  extrinsic->succeeded = TRUE;
  return extrinsic;
}

static gboolean
read_extrinsics (SvAccountMemory *memory, const json_t *list, const char *address)
{
  guint64 last = memory->from;
  gsize i;
  const json_t *item;
  json_array_foreach (list, i, item)
  {
    SvExtrinsic *extrinsic = read_extrinsic (item, address);
    if (!extrinsic)
      return FALSE;
    g_ptr_array_add (memory->extrinsics, extrinsic);
    if (extrinsic->block < last || extrinsic->block > memory->to)
      return FALSE;
    last = extrinsic->block;
  }
  return json_is_array (list);
}

void
sv_account_memory_load (SvAccountMemory *memory, const char *folder, const SvChainId *chain, const char *address)
{
  *memory = (SvAccountMemory){ .path = file_name (folder, chain, address),
                               .extrinsics = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free) };
  g_autoptr (GBytes) bytes = sv_file_read (memory->path, MAX_SIZE, NULL);
  g_autoptr (json_t) json =
      bytes ? sv_json_parse (memory->path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), MAX_SIZE, NULL) : NULL;
  SvChainId id;
  memory->is_there = sv_chain_id_from_json (json_object_get (json, "chain"), &id) && sv_chain_id_equal (&id, chain) &&
                     g_strcmp0 (json_string_value (json_object_get (json, "account")), address) == 0 &&
                     read_number (json, "from", &memory->from) && read_number (json, "to", &memory->to) &&
                     read_extrinsics (memory, json_object_get (json, "extrinsics"), address);
  memory->has_mark = memory->is_there && read_number (json, "mark", &memory->mark);
  if (!memory->is_there)
    g_ptr_array_set_size (memory->extrinsics, 0);
}

/* ── writing ── */

static json_t *
to_json (const GPtrArray *found, guint64 from, guint64 to)
{
  json_t *list = json_array ();
  for (guint i = 0; i < found->len; i++)
  {
    const SvExtrinsic *extrinsic = found->pdata[i];
    if (extrinsic->block >= from && extrinsic->block <= to)
      json_array_append_new (list,
                             json_pack ("{s:o,s:o,s:s,s:s}", "block", sv_json_integer (extrinsic->block), "index",
                                        sv_json_integer (extrinsic->index), "hash", extrinsic->hash, "text", extrinsic->text));
  }
  return list;
}

void
sv_account_memory_save (const SvAccountMemory *memory, const SvChainId *chain, const char *address, const GPtrArray *found)
{
  guint64 to = memory->to, from = MAX (memory->from, to - MIN (to, MAX_BLOCKS));
  g_autoptr (json_t) json =
      json_pack ("{s:o,s:s,s:o,s:o,s:o}", "chain", sv_chain_id_to_json (chain), "account", address, "from",
                 sv_json_integer (from), "to", sv_json_integer (to), "extrinsics", to_json (found, from, to));
  if (memory->has_mark)
    json_object_set_new (json, "mark", sv_json_integer (memory->mark));
  g_autofree char *text = sv_json_canonical_string (json);
  g_autoptr (GError) ignored = NULL;
  (void)!sv_file_write (memory->path, text, strlen (text), 0600, &ignored);
}
