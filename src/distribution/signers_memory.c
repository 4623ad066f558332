/* Under the reader's lock: read, compare, write the whole file. What was remembered and has no effect any more (its signers
 * were revoked since) binds nobody, and gives way to a history that somebody trusted vouches for. */
#include "distribution/signers_memory.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "distribution/memory_file.h"

#define MAX_FILE_SIZE (SV_SIGNERS_HISTORY_MAX_SIZE + SV_SIGNERS_MAX_STATEMENTS) /* with the line feeds */

static char *
memory_path (const SvConfig *config, const SvChainId *chain, const char *leaf)
{
  g_autofree char *path = g_strdup_printf ("memory/%s-%u/%s", chain->genesis + 2, chain->netuid, leaf);
  return sv_config_home_path (config, path);
}

static GPtrArray *
new_list (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)sv_signers_statement_free);
}

/* ── reading ── */

static gboolean
read_line (const char *line, gsize length, const SvChainId *chain, GPtrArray *list, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (line, length);
  g_autoptr (SvSignersStatement) statement = sv_signers_statement_open (bytes, chain, error);
  const SvSignersStatement *last = list->len > 0 ? list->pdata[list->len - 1] : NULL;
  if (statement == NULL || !sv_signers_statement_follows (statement, last, error))
    return FALSE;
  g_ptr_array_add (list, g_steal_pointer (&statement));
  return TRUE;
}

/* Each line ends with a line feed; canonical JSON has none inside. */
static gboolean
read_lines (GBytes *bytes, const SvChainId *chain, GPtrArray *list, GError **error)
{
  gsize length;
  const char *at = g_bytes_get_data (bytes, &length);
  const char *end = at + length;
  while (at < end)
  {
    const char *feed = memchr (at, '\n', (gsize)(end - at));
    gsize line = (gsize)((feed != NULL ? feed : end) - at);
    if (!read_line (at, line, chain, list, error))
      return FALSE;
    at += line + 1;
  }
  return TRUE;
}

GPtrArray *
sv_signers_memory_read (const SvConfig *config, const SvChainId *chain, GError **error)
{
  g_autofree char *path = memory_path (config, chain, "signers.jsonl");
  g_autoptr (GPtrArray) list = new_list ();
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = sv_file_read (path, MAX_FILE_SIZE, &local);
  if (bytes == NULL && g_error_matches (local, SV_ERROR, SV_ERROR_NOT_FOUND))
    return g_steal_pointer (&list);
  if (bytes == NULL && !g_error_matches (local, SV_ERROR, SV_ERROR_MALFORMED))
  {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  if (bytes != NULL && read_lines (bytes, chain, list, &local))
    return g_steal_pointer (&list);
  sv_memory_file_set_damaged (path, local->message, error);
  return NULL;
}

/* ── agreeing ── */

static guint
count_effective (const SvSignerRoots *roots, const GPtrArray *statements)
{
  g_autoptr (SvSignersFold) fold = sv_signers_fold_all (roots, statements);
  return (guint)sv_signers_fold_last_effective (fold);
}

static const char *
hash_at (const GPtrArray *statements, guint i)
{
  return ((const SvSignersStatement *)statements->pdata[i])->document->hash;
}

gboolean
sv_signers_check_agree (const SvSignerRoots *roots, const GPtrArray *statements, const GPtrArray *others, const char *where,
                        GError **error)
{
  guint n = MIN (count_effective (roots, statements), count_effective (roots, others));
  for (guint i = 0; i < n; i++)
    if (strcmp (hash_at (statements, i), hash_at (others, i)) != 0)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                   "equivocation: there are two statements on signers with the number %u that trusted accounts vouch for, %s, "
                   "and from %s %s; use neither before the operator has explained it",
                   i + 1, hash_at (statements, i), where, hash_at (others, i));
      return FALSE;
    }
  return TRUE;
}

/* ── writing ── */

static gboolean
write_list (const char *path, const GPtrArray *statements, GError **error)
{
  g_autoptr (GByteArray) text = g_byte_array_new ();
  for (guint i = 0; i < statements->len; i++)
  {
    gsize length;
    const guint8 *data = g_bytes_get_data (((const SvSignersStatement *)statements->pdata[i])->document->bytes, &length);
    g_byte_array_append (text, data, (guint)length);
    g_byte_array_append (text, (const guint8 *)"\n", 1);
  }
  return sv_file_write (path, text->data, text->len, SV_MEMORY_FILE_MODE, error);
}

/* Also where nothing is gained a known list is kept: what has no effect now may have it again, once an account is not
 * `!ACCOUNT` in the setting any more. */
static gboolean
merge_list (const SvConfig *config, const SvChainId *chain, const SvSignerRoots *roots, const GPtrArray *statements,
            GError **error)
{
  g_autofree char *path = memory_path (config, chain, "signers.jsonl");
  g_autoptr (GPtrArray) known = sv_signers_memory_read (config, chain, error);
  if (known == NULL || !sv_signers_check_agree (roots, known, statements, "the store", error))
    return FALSE;
  return count_effective (roots, known) >= count_effective (roots, statements) || write_list (path, statements, error);
}

gboolean
sv_signers_memory_write (const SvConfig *config, const SvChainId *chain, const SvSignerRoots *roots,
                         const GPtrArray *statements, GError **error)
{
  g_autofree char *lock_path = memory_path (config, chain, "lock");
  int lock = sv_memory_file_lock (lock_path, error);
  if (lock < 0)
    return FALSE;
  gboolean done = merge_list (config, chain, roots, statements, error);
  close (lock);
  return done;
}
