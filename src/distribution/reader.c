/* The index reader: every mirror's index is opened with all checks of a signed document, the highest is taken, and then held
 * against what this home remembers and what stands on the chain. Memory and anchor are read before the mirrors are asked, so
 * that an index published meanwhile can never look like an old one; what still looks old is asked for once more past all
 * caches before it is refused. */
#include "distribution/reader.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "distribution/reader_state.h"

/* ── opening ── */

static SvMirrors *
open_mirrors (const SvConfig *config, GError **error)
{
  static const char *const settings[] = { "R2_PUBLIC_URL", "R2_BUCKET_PUBLIC_URL" };
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
  {
    g_auto (GStrv) urls = sv_config_get_list (config, settings[i]);
    if (urls[0] != NULL)
      return sv_mirrors_new (config, (const char *const *)urls);
  }
  const char *store = sv_config_get (config, "SCOREVISION_STORE");
  if (store != NULL && g_str_has_prefix (store, "file:"))
    return sv_mirrors_new (config, (const char *const[]){ store, NULL });
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "it is not known where to read manifests: set R2_PUBLIC_URL to the operator's public address, or "
               "SCOREVISION_STORE to a store on this machine (file:PATH)");
  return NULL;
}

static SvReader *
new_reader (const SvConfig *config, SvChain *chain, const SvReaderOptions *options, SvMirrors *mirrors, GError **error)
{
  g_autoptr (SvReader) reader = g_new0 (SvReader, 1);
  reader->config = config;
  reader->chain = chain;
  reader->mirrors = mirrors;
  reader->accept_owner = options != NULL && options->accept_owner;
  reader->etags = g_new0 (char *, sv_mirrors_count (mirrors));
  if (!sv_memory_chain_id (config, chain, &reader->id, error))
    return NULL;
  if (chain != NULL && !sv_memory_check_genesis (config, &reader->id, error))
    return NULL;
  reader->signers = sv_signers_load (config, chain, reader->accept_owner, error);
  if (reader->signers == NULL)
    return NULL;
  reader->memory = sv_memory_open (config, &reader->id, error);
  return reader->memory != NULL ? g_steal_pointer (&reader) : NULL;
}

SvReader *
sv_reader_new (const SvConfig *config, SvChain *chain, const SvReaderOptions *options, GError **error)
{
  SvMirrors *mirrors = open_mirrors (config, error);
  return mirrors != NULL ? new_reader (config, chain, options, mirrors, error) : NULL;
}

SvReader *
sv_reader_new_for_store (const SvConfig *config, SvChain *chain, const SvReaderOptions *options, SvObjectStore *store,
                         GError **error)
{
  return new_reader (config, chain, options, sv_mirrors_new_for_store (store), error);
}

static void
forget_etags (SvReader *reader)
{
  for (guint i = 0; i < sv_mirrors_count (reader->mirrors); i++)
    g_clear_pointer (&reader->etags[i], g_free);
}

void
sv_reader_free (SvReader *reader)
{
  if (reader == NULL)
    return;
  forget_etags (reader);
  g_free (reader->etags);
  g_clear_pointer (&reader->mirrors, sv_mirrors_free);
  g_clear_pointer (&reader->memory, sv_memory_free);
  g_clear_pointer (&reader->signers, sv_signers_free);
  g_clear_pointer (&reader->anchor, sv_anchor_free);
  g_free (reader->last_hash);
  g_free (reader->last_signer);
  g_free (reader);
}

const char *const *
sv_reader_revoked (const SvReader *reader)
{
  return sv_memory_revoked (reader->memory);
}

/* ── trust ── */

static gboolean
reload_trust (SvReader *reader, guint64 finalized, GError **error)
{
  g_autoptr (SvSigners) signers = sv_signers_load (reader->config, reader->chain, reader->accept_owner, error);
  if (signers == NULL)
    return FALSE;
  g_autoptr (SvAnchor) anchor = NULL;
  if (!sv_chain_greatest_anchor (reader->chain, sv_signers_anchorers (signers), finalized, &anchor, error))
    return FALSE;
  sv_signers_free (reader->signers);
  reader->signers = g_steal_pointer (&signers);
  g_clear_pointer (&reader->anchor, sv_anchor_free);
  reader->anchor = g_steal_pointer (&anchor);
  reader->has_anchor = TRUE;
  reader->trust_block = finalized;
  return TRUE;
}

gboolean
sv_reader_refresh_trust (SvReader *reader, GError **error)
{
  if (reader->chain == NULL)
    return TRUE;
  SvHead head;
  GError *local = NULL;
  gboolean done = sv_chain_head (reader->chain, &head, &local);
  if (done && (!reader->has_anchor || head.finalized.number != reader->trust_block))
    done = reload_trust (reader, head.finalized.number, &local);
  if (done)
    return TRUE;
  if (g_error_matches (local, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    sv_log ("warning", "anchor not read", "reason", local->message, NULL);
    g_error_free (local);
    return TRUE;
  }
  g_propagate_error (error, local);
  return FALSE;
}

/* The list may be older than the memory: once all its accounts are revoked there is none to replace it. */
gboolean
sv_reader_trusts (const char *address, gpointer data)
{
  SvReader *reader = data;
  return sv_signers_trust (address, reader->signers) && !g_strv_contains (sv_memory_revoked (reader->memory), address);
}

/* ── age ── */

static gboolean
check_memory (SvReader *reader, guint64 sequence, const char *hash, GError **error)
{
  guint64 highest;
  const char *known;
  if (!sv_memory_highest (reader->memory, sv_reader_trusts, reader, &highest, &known) || sequence > highest)
    return TRUE;
  if (sequence < highest)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "rollback: %s shows the index of sequence %" G_GUINT64_FORMAT ", and %" G_GUINT64_FORMAT
                 " was seen here before; an old index is being shown, it is refused",
                 sv_mirrors_name (reader->mirrors), sequence, highest);
  else if (strcmp (hash, known) != 0)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "equivocation: %s shows another index of sequence %" G_GUINT64_FORMAT
                 " (%s) than was seen here before (%s); the operator has to explain it",
                 sv_mirrors_name (reader->mirrors), sequence, hash, known);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_anchor (SvReader *reader, guint64 sequence, GError **error)
{
  if (reader->anchor == NULL || sequence >= reader->anchor->sequence)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "freeze: %s shows the index of sequence %" G_GUINT64_FORMAT ", and %" G_GUINT64_FORMAT
               " is anchored on the chain; newer manifests are being held back",
               sv_mirrors_name (reader->mirrors), sequence, reader->anchor->sequence);
  return FALSE;
}

static gboolean
check_age (SvReader *reader, guint64 sequence, const char *hash, GError **error)
{
  return check_memory (reader, sequence, hash, error) && check_anchor (reader, sequence, error);
}

/* ── the highest of the mirrors ── */

/* What the mirrors said: the highest index that verifies, and which mirrors had it. */
typedef struct
{
  SvIndex *index;
  gboolean still_last;   /* a mirror still has the index of the last fetch */
  GError *error;         /* the most telling one */
  GPtrArray *answers;    /* of SvMirrorAnswer */
  gboolean is_equivocal; /* two mirrors have different indexes of that sequence */
} Finding;

static void
finding_clear (Finding *finding)
{
  g_clear_pointer (&finding->index, sv_index_free);
  g_clear_error (&finding->error);
  g_clear_pointer (&finding->answers, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Finding, finding_clear)

static void
consider_index (Finding *finding, SvIndex *index)
{
  if (finding->index != NULL && index->sequence == finding->index->sequence &&
      strcmp (index->document->hash, finding->index->document->hash) != 0)
    finding->is_equivocal = TRUE;
  if (finding->index != NULL && index->sequence <= finding->index->sequence)
  {
    sv_index_free (index);
    return;
  }
  g_clear_pointer (&finding->index, sv_index_free);
  finding->index = index;
  finding->is_equivocal = FALSE;
}

static void
consider_answer (SvReader *reader, Finding *finding, SvMirrorAnswer *answer)
{
  if (answer->unchanged)
  {
    finding->still_last = TRUE;
    return;
  }
  GError *error = NULL;
  SvIndex *index = NULL;
  if (answer->object == NULL)
    error = g_steal_pointer (&answer->error);
  else if ((index = sv_index_open (answer->object->bytes, &reader->id, sv_reader_trusts, reader, &error)) == NULL)
    g_prefix_error (&error, "%s: ", answer->url);
  if (index != NULL)
    consider_index (finding, index);
  else
    sv_keep_telling_error (&finding->error, error);
}

static void
ask_mirrors (SvReader *reader, SvFetchMode mode, gboolean only_changes, Finding *finding)
{
  SvGetOptions options = { .max_size = SV_INDEX_MAX_SIZE, .bypass_caches = mode == SV_FETCH_BYPASS_CACHES };
  finding->answers =
      sv_mirrors_ask_all (reader->mirrors, SV_INDEX_KEY, &options, only_changes ? (const char *const *)reader->etags : NULL);
  for (guint i = 0; i < finding->answers->len; i++)
    consider_answer (reader, finding, finding->answers->pdata[i]);
  if (finding->index == NULL && !finding->still_last && finding->error == NULL)
    g_set_error (&finding->error, SV_ERROR, SV_ERROR_UNREACHABLE, "none of %s answered within %d s",
                 sv_mirrors_name (reader->mirrors), SV_MIRRORS_PATIENCE_MS / 1000);
}

/* ── accepting ── */

static void
keep_etags (SvReader *reader, Finding *finding)
{
  forget_etags (reader);
  for (guint i = 0; i < finding->answers->len; i++)
  {
    SvMirrorAnswer *answer = finding->answers->pdata[i];
    if (answer->object != NULL && g_bytes_equal (answer->object->bytes, finding->index->document->bytes))
      reader->etags[answer->mirror] = g_strdup (answer->object->etag);
  }
}

static void
keep_last (SvReader *reader, const SvIndex *index)
{
  g_free (reader->last_hash);
  g_free (reader->last_signer);
  reader->last_hash = g_strdup (index->document->hash);
  reader->last_signer = g_strdup (index->document->signed_by);
  reader->last_sequence = index->sequence;
}

static gboolean
accept_index (SvReader *reader, Finding *finding, GError **error)
{
  const SvIndex *index = finding->index;
  if (finding->is_equivocal)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "equivocation: the mirrors %s show different indexes of sequence %" G_GUINT64_FORMAT
                 "; the operator has to explain it",
                 sv_mirrors_name (reader->mirrors), index->sequence);
    return FALSE;
  }
  if (!check_age (reader, index->sequence, index->document->hash, error) ||
      !sv_memory_remember_index (reader->memory, index, sv_reader_trusts, reader, error))
    return FALSE;
  keep_etags (reader, finding);
  keep_last (reader, index);
  return TRUE;
}

/* No mirror has anything newer than the last fetch: that index must still be good enough. */
static gboolean
check_last (SvReader *reader, GError **error)
{
  if (sv_reader_trusts (reader->last_signer, reader))
    return check_age (reader, reader->last_sequence, reader->last_hash, error);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "index: its signer %s is not trusted any more", reader->last_signer);
  return FALSE;
}

static gboolean
is_nothing_new (const SvReader *reader, const Finding *finding)
{
  if (finding->index == NULL)
    return finding->still_last;
  if (finding->still_last && finding->index->sequence < reader->last_sequence)
    return TRUE;
  return g_strcmp0 (finding->index->document->hash, reader->last_hash) == 0;
}

static gboolean
read_once (SvReader *reader, SvFetchMode mode, gboolean only_changes, SvIndex **index, GError **error)
{
  gboolean has_trust = sv_reader_refresh_trust (reader, error);
  if (!sv_memory_reload (reader->memory, has_trust ? error : NULL) || !has_trust)
    return FALSE;
  g_auto (Finding) finding = { 0 };
  ask_mirrors (reader, mode, only_changes, &finding);
  if (only_changes && is_nothing_new (reader, &finding))
    return check_last (reader, error);
  if (finding.index == NULL)
  {
    g_propagate_error (error, g_steal_pointer (&finding.error));
    return FALSE;
  }
  if (!accept_index (reader, &finding, error))
    return FALSE;
  *index = g_steal_pointer (&finding.index);
  return TRUE;
}

static void
explain_absence (const SvReader *reader, GError **error)
{
  guint64 sequence;
  const char *hash;
  if (sv_memory_highest (reader->memory, sv_reader_trusts, (gpointer)reader, &sequence, &hash))
    g_prefix_error (error, "the index is gone, of which sequence %" G_GUINT64_FORMAT " was seen here before: ", sequence);
  else
    g_prefix_error (
        error, "nothing has been published here yet (the operator does it with `sv manifest publish`; what he has published "
               "elsewhere is read where R2_PUBLIC_URL or SCOREVISION_STORE says): ");
}

static gboolean
read_index (SvReader *reader, SvFetchMode mode, gboolean only_changes, SvIndex **index, GError **error)
{
  *index = NULL;
  GError *local = NULL;
  gboolean done = read_once (reader, mode, only_changes, index, &local);
  if (!done && mode == SV_FETCH_NORMAL && g_error_matches (local, SV_ERROR, SV_ERROR_VERIFY))
  {
    g_clear_error (&local);
    done = read_once (reader, SV_FETCH_BYPASS_CACHES, FALSE, index, &local);
  }
  if (done)
    return TRUE;
  if (g_error_matches (local, SV_ERROR, SV_ERROR_NOT_FOUND))
    explain_absence (reader, &local);
  g_propagate_error (error, local);
  return FALSE;
}

SvIndex *
sv_fetch_index (SvReader *reader, SvFetchMode mode, GError **error)
{
  SvIndex *index;
  return read_index (reader, mode, FALSE, &index, error) ? index : NULL;
}

gboolean
sv_poll_index (SvReader *reader, SvFetchMode mode, SvIndex **index, GError **error)
{
  return read_index (reader, mode, reader->last_hash != NULL, index, error);
}

SvIndex *
sv_remembered_index (SvReader *reader, GError **error)
{
  g_autoptr (GBytes) bytes = sv_memory_last_index (reader->memory, error);
  return bytes != NULL ? sv_index_open (bytes, &reader->id, sv_reader_trusts, reader, error) : NULL;
}

/* ── for a publisher ── */

/* A store without an index is a new one, unless something was published before. */
static gboolean
check_never_published (SvReader *reader, GError **error)
{
  guint64 sequence = 0;
  const char *hash;
  const char *where = NULL;
  if (sv_memory_highest (reader->memory, sv_reader_trusts, reader, &sequence, &hash))
    where = "was seen by this home";
  else if (reader->anchor != NULL)
  {
    sequence = reader->anchor->sequence;
    where = "is anchored on the chain";
  }
  if (where == NULL)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "%s has no index, but the index of sequence %" G_GUINT64_FORMAT
               " %s: the store was emptied or is another one; bring scorevision/index.json back before publishing",
               sv_mirrors_name (reader->mirrors), sequence, where);
  return FALSE;
}

gboolean
sv_fetch_index_for_update (SvReader *reader, SvIndex **index, char **etag, GError **error)
{
  *etag = NULL;
  GError *local = NULL;
  *index = sv_fetch_index (reader, SV_FETCH_BYPASS_CACHES, &local);
  if (*index != NULL)
  {
    *etag = g_strdup (reader->etags[0]);
    return TRUE;
  }
  if (g_error_matches (local, SV_ERROR, SV_ERROR_NOT_FOUND) && sv_mirrors_count (reader->mirrors) == 1)
  {
    g_error_free (local);
    if (!check_never_published (reader, error))
      return FALSE;
    *index = sv_index_new (&reader->id);
    return TRUE;
  }
  g_propagate_error (error, local);
  return FALSE;
}
