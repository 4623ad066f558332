/* The shared picture as JSON. It is written and read by programs of one version or the next, so what is not understood is an
 * error and not guessed at. */
#include "state/shared_chain.h"

#include "base/error.h"
#include "base/json.h"

SvSharedChain *
sv_shared_chain_new (void)
{
  SvSharedChain *shared = g_new0 (SvSharedChain, 1);
  shared->open = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_stored_commitment_free);
  shared->unreadable = g_array_new (FALSE, FALSE, sizeof (guint64));
  return shared;
}

void
sv_shared_chain_free (SvSharedChain *shared)
{
  if (shared == NULL)
    return;
  g_clear_pointer (&shared->final, g_ptr_array_unref);
  g_clear_pointer (&shared->open, g_ptr_array_unref);
  g_clear_pointer (&shared->unreadable, g_array_unref);
  g_strfreev (shared->permits);
  g_free (shared);
}

/* ── writing ── */

static json_t *
block_to_json (const SvSharedBlock *block)
{
  return json_pack ("{s:I,s:s,s:I}", "number", (json_int_t)block->number, "hash", block->hash, "time_ms",
                    (json_int_t)block->time_ms);
}

static json_t *
open_to_json (const GPtrArray *open)
{
  json_t *list = json_array ();
  for (guint i = 0; i < open->len; i++)
  {
    const SvStoredCommitment *one = open->pdata[i];
    json_array_append_new (list, json_pack ("[I,i,s,s,s,b]", (json_int_t)one->block, (int)one->index, one->hash, one->signer,
                                            one->text, one->succeeded));
  }
  return list;
}

char *
sv_shared_chain_to_text (const SvSharedChain *shared)
{
  json_t *unreadable = json_array (), *permits = shared->permits != NULL ? json_array () : json_null ();
  for (guint i = 0; i < shared->unreadable->len; i++)
    json_array_append_new (unreadable, json_integer ((json_int_t)g_array_index (shared->unreadable, guint64, i)));
  for (char **permit = shared->permits; permit != NULL && *permit != NULL; permit++)
    json_array_append_new (permits, json_string (*permit));
  g_autoptr (json_t) json =
      json_pack ("{s:I,s:o,s:o,s:I,s:o,s:o,s:o,s:I}", "content", (json_int_t)shared->content, "best",
                 block_to_json (&shared->best), "finalized", block_to_json (&shared->finalized), "from_block",
                 (json_int_t)shared->from_block, "open", open_to_json (shared->open), "unreadable", unreadable, "permits",
                 permits, "permits_block", (json_int_t)shared->permits_block);
  char *dumped = json_dumps (json, JSON_COMPACT | JSON_SORT_KEYS);
  char *text = g_strdup (dumped);
  free (dumped);
  return text;
}

/* ── reading ── */

static gboolean
read_block (json_t *json, SvSharedBlock *block)
{
  json_int_t number, time_ms;
  const char *hash;
  if (json_unpack (json, "{s:I,s:s,s:I}", "number", &number, "hash", &hash, "time_ms", &time_ms) != 0)
    return FALSE;
  *block = (SvSharedBlock){ .number = (guint64)number, .time_ms = time_ms };
  return g_strlcpy (block->hash, hash, sizeof block->hash) < sizeof block->hash;
}

static gboolean
read_open (json_t *list, GPtrArray *open)
{
  for (gsize i = 0; i < json_array_size (list); i++)
  {
    json_int_t block;
    int index, succeeded;
    const char *hash, *signer, *text;
    if (json_unpack (json_array_get (list, i), "[I,i,s,s,s,b]", &block, &index, &hash, &signer, &text, &succeeded) != 0)
      return FALSE;
    SvStoredCommitment *one = g_new0 (SvStoredCommitment, 1);
    one->block = (guint64)block;
    one->index = (guint)index;
    one->succeeded = succeeded != 0;
    one->signer = g_strdup (signer);
    one->text = g_strdup (text);
    g_strlcpy (one->hash, hash, sizeof one->hash);
    g_ptr_array_add (open, one);
  }
  return json_is_array (list);
}

static gboolean
read_unreadable (json_t *list, GArray *unreadable)
{
  for (gsize i = 0; i < json_array_size (list); i++)
  {
    guint64 block = (guint64)json_integer_value (json_array_get (list, i));
    g_array_append_val (unreadable, block);
  }
  return json_is_array (list);
}

static char **
read_permits (json_t *list)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (gsize i = 0; i < json_array_size (list); i++)
    g_strv_builder_add (builder, json_string_value (json_array_get (list, i)));
  return json_is_array (list) ? g_strv_builder_end (builder) : NULL;
}

static gboolean
read_all (json_t *json, SvSharedChain *shared)
{
  json_int_t content, from_block, permits_block;
  json_t *best, *finalized, *open, *unreadable, *permits;
  if (json_unpack (json, "{s:I,s:o,s:o,s:I,s:o,s:o,s:o,s:I}", "content", &content, "best", &best, "finalized", &finalized,
                   "from_block", &from_block, "open", &open, "unreadable", &unreadable, "permits", &permits, "permits_block",
                   &permits_block) != 0)
    return FALSE;
  shared->content = (guint64)content;
  shared->from_block = (guint64)from_block;
  shared->permits_block = (guint64)permits_block;
  shared->permits = read_permits (permits);
  return read_block (best, &shared->best) && read_block (finalized, &shared->finalized) && read_open (open, shared->open) &&
         read_unreadable (unreadable, shared->unreadable);
}

SvSharedChain *
sv_shared_chain_from_text (const char *text, GError **error)
{
  g_autoptr (SvSharedChain) shared = sv_shared_chain_new ();
  g_autoptr (json_t) json = json_loads (text, 0, NULL);
  if (json != NULL && read_all (json, shared))
    return g_steal_pointer (&shared);
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "the database holds a picture of the chain that is not understood; do all instances run the same version?");
  return NULL;
}
