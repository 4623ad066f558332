/* Statements on signers in a copy. They are copied in their order, up to the first that is not right: what comes after it
 * nobody could use. */
#include <string.h>

#include "base/error.h"
#include "operator/store_mirror_state.h"

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;
  return x < y ? -1 : x > y;
}

/* A statement has its number for a name, so another one under that number is another history. */
static gboolean
put_statement (SvMirror *mirror, const char *key, GBytes *bytes, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) there = sv_store_get (mirror->to, key, NULL, SV_SIGNERS_MAX_SIZE, &failure);
  mirror->report->present += there != NULL && g_bytes_equal (there, bytes);
  if (there != NULL && g_bytes_equal (there, bytes))
    return TRUE;
  if (there != NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                 "%s in %s is another statement than in %s: the two stores have different histories; see which of them is the "
                 "operator's before anything is copied",
                 key, sv_object_store_url (mirror->to), sv_object_store_url (mirror->from));
    return FALSE;
  }
  if (!g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  SvPutOptions options = sv_store_put_options (SV_STORE_SIGNERS);
  options.condition = SV_PUT_IF_ABSENT;
  g_autofree char *etag = sv_object_store_put (mirror->to, key, bytes, &options, error);
  mirror->report->copied += etag != NULL;
  mirror->report->copied_bytes += etag != NULL ? g_bytes_get_size (bytes) : 0;
  return etag != NULL;
}

/* *@hash is that of the statement before, and becomes this one's; NULL afterwards where this is the end. */
static gboolean
copy_statement (SvMirror *mirror, guint64 number, char **hash, GError **error)
{
  GError *failure = NULL;
  g_autofree char *key = sv_signers_key (number);
  g_autofree char *before = g_steal_pointer (hash);
  sv_mirror_tell_progress (mirror, key);
  g_autoptr (SvSignersStatement) statement =
      sv_store_get_statement (mirror->from, sv_reader_chain_id (mirror->reader), number, &failure);
  if (!mirror->report->is_listed && g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_error_free (failure);
    return TRUE;
  }
  if (statement != NULL && number > 1 && strcmp (statement->previous, before) != 0)
    g_set_error (&failure, SV_ERROR, SV_ERROR_VERIFY, "does not follow the statement before it");
  if (failure != NULL)
  {
    mirror->is_held_back = TRUE;
    return sv_mirror_leave_out (mirror, key, failure, error);
  }
  if (!put_statement (mirror, key, statement->document->bytes, error))
    return FALSE;
  *hash = g_strdup (statement->document->hash);
  return TRUE;
}

/* A source that cannot be listed can make up as many as it likes. */
gboolean
sv_mirror_copy_statements (SvMirror *mirror, GError **error)
{
  g_autofree char *hash = g_strdup ("");
  guint64 last = mirror->report->is_listed ? 0 : SV_SIGNERS_MAX_STATEMENTS;
  g_array_sort (mirror->statements, compare_numbers);
  if (mirror->statements->len > 0)
    last = g_array_index (mirror->statements, guint64, mirror->statements->len - 1);
  for (guint64 n = 1; hash != NULL && n <= last; n++)
    if (!copy_statement (mirror, n, &hash, error))
      return FALSE;
  return TRUE;
}
