/* While the store is listed it is only counted what each window has; who may sign it is known once the index is. */
#include "operator/store_issued.h"

#include <string.h>

#include "base/error.h"

typedef struct
{
  SvStoreCheck *check;
  const char *window_id;
  char *file;      /* the last one that was seen */
  guint64 n_files; /* that the signposts lead to */
} Walk;

void
sv_store_note_issued (SvStoreCheck *check, const SvStoreName *name)
{
  guint64 *n_files = g_hash_table_lookup (check->issued, name->window_id);
  if (n_files == NULL && g_hash_table_size (check->issued) >= check->options.max_kept)
    return;
  if (n_files == NULL)
  {
    n_files = g_new0 (guint64, 1);
    g_hash_table_insert (check->issued, g_strdup (name->window_id), n_files);
  }
  *n_files += name->last > 0;
}

/* Files come one after the other, line by line. */
static void
note_file (Walk *walk, const char *file)
{
  if (g_strcmp0 (walk->file, file) == 0 || !g_str_has_suffix (file, ".jsonl"))
    return;
  walk->n_files++;
  g_free (walk->file);
  walk->file = g_strdup (file);
}

static gboolean
take_line (const SvIssuedLine *line, const char *file, gpointer data, GError **error)
{
  note_file (data, file);
  return TRUE;
}

static void
take_fault (const char *file, const GError *fault, gpointer data)
{
  Walk *walk = data;
  const char *url = sv_object_store_url (walk->check->store);
  const char *key = g_str_has_prefix (file, url) ? file + strlen (url) + 1 : file;
  gboolean is_absent = g_error_matches (fault, SV_ERROR, SV_ERROR_NOT_FOUND);
  if (!is_absent)
    note_file (walk, file);
  SvStoreFault *told = sv_store_add_fault (
      walk->check, SV_STORE_ISSUED, key, is_absent ? "missing: its signpost leads there" : fault->message,
      is_absent ? "the server that publishes the log (`sv serve` with an issuer's hotkey and this store) writes it anew"
                : "bring it back from a mirror or a backup: challenges that only it has cannot be checked");
  told->is_unreachable = g_error_matches (fault, SV_ERROR, SV_ERROR_UNREACHABLE);
}

static gboolean
check_window (SvStoreCheck *check, const SvIndexEntry *entry, guint64 n_listed, GError **error)
{
  static const SvIssuedVisitor visitor = { .line = take_line, .fault = take_fault };
  Walk walk = { .check = check, .window_id = entry->window_id };
  g_autoptr (GError) failure = NULL;
  g_autofree char *folder = g_strconcat (SV_ISSUED_PREFIX, entry->window_id, NULL);
  g_autoptr (SvManifest) manifest = sv_fetch_entry_manifest (check->reader, entry, &failure);
  if (manifest == NULL)
  {
    g_autofree char *what = g_strdup_printf ("whose log it is cannot be told: %s", failure->message);
    sv_store_add_fault (check, SV_STORE_ISSUED, folder, what, SV_ADVICE_REPAIR);
    return TRUE;
  }
  gboolean done = sv_read_issued_log (check->reader, manifest, &visitor, &walk, error);
  g_free (walk.file);
  if (!done || walk.n_files >= n_listed)
    return done;
  g_autofree char *what = g_strdup_printf (
      "%" G_GUINT64_FORMAT " of its files are not found by readers, since no signpost leads to them", n_listed - walk.n_files);
  sv_store_add_fault (check, SV_STORE_ISSUED, folder, what,
                      "bring the signposts ({first}.json) back from a mirror or a backup; where nothing is lacking, remove the "
                      "files that are too many by hand");
  return TRUE;
}

/* (transfer none) the live entry of a window: also of one that is long over, for which *@history is read. */
static const SvIndexEntry *
find_entry (SvStoreCheck *check, const char *window_id, SvIndex **history)
{
  g_autoptr (GError) ignored = NULL; /* what is wrong with an archive is told where archives are checked */
  const SvIndexEntry *entry = sv_index_find_live (check->index, window_id);
  if (entry == NULL && *history == NULL)
    *history = sv_fetch_history (check->reader, check->index, &ignored);
  return entry == NULL && *history != NULL ? sv_index_find_live (*history, window_id) : entry;
}

gboolean
sv_store_check_issued (SvStoreCheck *check, GError **error)
{
  g_autoptr (SvIndex) history = NULL;
  GHashTableIter iter;
  gpointer window_id, n_listed;
  g_hash_table_iter_init (&iter, check->issued);
  while (check->index != NULL && g_hash_table_iter_next (&iter, &window_id, &n_listed))
  {
    const SvIndexEntry *entry = find_entry (check, window_id, &history);
    g_autofree char *folder = g_strconcat (SV_ISSUED_PREFIX, window_id, NULL);
    if (entry == NULL)
      sv_store_add_fault (check, SV_STORE_ISSUED, folder, "neither the index nor its archives have this window",
                          "see whose it is; nobody can check it");
    else if (!check_window (check, entry, *(guint64 *)n_listed, error))
      return FALSE;
  }
  return TRUE;
}
