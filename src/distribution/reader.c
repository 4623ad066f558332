/* The index reader: every mirror's index is opened with all checks of a signed document, the highest is taken, and then held
 * against what this home remembers and what stands on the chain. Memory and anchor are read before the mirrors are asked, so
 * that an index published meanwhile can never look like an old one; what still looks old is asked for once more past all
 * caches before it is refused. */
#include "distribution/reader.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
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
  if (store != NULL && (g_str_has_prefix (store, "file:") || g_str_has_prefix (store, "s3:")))
    return sv_mirrors_new (config, (const char *const[]){ store, NULL });
  g_autoptr (SvObjectStore) other = store != NULL ? sv_object_store_open (store, config, error) : NULL;
  if (store != NULL && other == NULL)
    return NULL;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "it is not known where to read manifests: set R2_PUBLIC_URL to the operator's public address, or "
               "SCOREVISION_STORE to the operator's store (file:PATH or s3://BUCKET)");
  return NULL;
}

static SvReader *
new_reader (const SvConfig *config, SvChain *chain, const SvReaderOptions *options, SvMirrors *mirrors, GError **error)
{
  g_autoptr (SvReader) reader = g_new0 (SvReader, 1);
  reader->config = config;
  reader->chain = chain;
  reader->mirrors = mirrors;
  reader->options = options != NULL ? *options : (SvReaderOptions){ 0 };
  reader->etags = g_new0 (char *, sv_mirrors_count (mirrors));
  reader->tails = g_new0 (GPtrArray *, sv_mirrors_count (mirrors));
  reader->unread = g_new0 (GError *, sv_mirrors_count (mirrors));
  if (!sv_memory_chain_id (config, chain, &reader->id, error))
    return NULL;
  if (chain != NULL && !sv_memory_check_genesis (config, &reader->id, error))
    return NULL;
  reader->signers = sv_reader_load_signers (reader, error);
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
  sv_statements_forget_tails (reader);
  g_free (reader->tails);
  for (guint i = 0; i < sv_mirrors_count (reader->mirrors); i++)
    g_clear_error (&reader->unread[i]);
  g_free (reader->unread);
  g_free (reader->statements_fault);
  g_strfreev (reader->assumed_revoked);
  g_clear_pointer (&reader->mirrors, sv_mirrors_free);
  g_clear_pointer (&reader->memory, sv_memory_free);
  g_clear_pointer (&reader->signers, sv_signers_free);
  g_clear_pointer (&reader->anchor, sv_anchor_free);
  g_free (reader->last_hash);
  g_free (reader->last_signer);
  g_free (reader->last_refusal);
  g_free (reader);
}

const SvChainId *
sv_reader_chain_id (const SvReader *reader)
{
  return &reader->id;
}

/* ── age ── */

#define FAR_AHEAD 1000000 /* more changes than an operator makes while a mirror falls behind */

static gboolean
check_memory (SvReader *reader, guint64 sequence, const char *hash, GError **error)
{
  guint64 highest;
  const char *known;
  if (!sv_memory_highest (reader->memory, sv_reader_honours, reader, &highest, &known) || sequence > highest)
    return TRUE;
  if (sequence < highest)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "rollback: %s shows the index of sequence %" G_GUINT64_FORMAT ", and %" G_GUINT64_FORMAT
                 " was seen here before; an old index is being shown, it is refused: %s",
                 sv_mirrors_name (reader->mirrors), sequence, highest,
                 highest - sequence > FAR_AHEAD ? "that is a fast-forward if the operator's key was stolen: ask him, and if "
                                                  "so, trust his new account and put !OLD-ACCOUNT into "
                                                  "SCOREVISION_MANIFEST_SIGNERS"
                                                : sv_mirrors_remedy (reader->mirrors));
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
               " is anchored on the chain; newer manifests are being held back: %s",
               sv_mirrors_name (reader->mirrors), sequence, reader->anchor->sequence, sv_mirrors_remedy (reader->mirrors));
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

/* Mirrors mostly have the same bytes, which are opened once. */
static gboolean
consider_bytes (SvReader *reader, Finding *finding, SvMirrorAnswer *answer, GError **error)
{
  answer->hash = sv_hash_gbytes (answer->object->bytes);
  if (finding->index != NULL && strcmp (finding->index->document->hash, answer->hash) == 0)
    return TRUE;
  SvIndex *index = sv_index_open (answer->object->bytes, &reader->id, sv_reader_trusts, reader, error);
  if (index != NULL)
    consider_index (finding, index);
  else
  {
    sv_statements_excuse (reader, answer->mirror, answer->object->bytes, error);
    g_prefix_error (error, "%s: ", answer->url);
  }
  return index != NULL;
}

/* Lets the bytes go, so that those of several mirrors are not in memory at once. */
static void
consider_answer (SvReader *reader, Finding *finding, SvMirrorAnswer *answer)
{
  GError *error = g_steal_pointer (&answer->error);
  gboolean is_refused = error != NULL;
  finding->still_last = finding->still_last || answer->unchanged;
  if (answer->object != NULL)
  {
    is_refused = !consider_bytes (reader, finding, answer, &error);
    g_bytes_unref (answer->object->bytes);
    answer->object->bytes = g_bytes_new_static ("", 0);
  }
  if (!is_refused)
    return;
  if (reader->assumed_revoked == NULL) /* who asks what would be refused needs no advice against it */
    sv_mirrors_advise (reader->mirrors, error);
  sv_keep_telling_error (&finding->error, error);
}

/* The index is asked for before the statement, so that whoever signed the index has been introduced by what is read after it.
 */
static gboolean
ask_mirrors (SvReader *reader, SvFetchMode mode, gboolean only_changes, Finding *finding, GError **error)
{
  g_autofree char *key = NULL;
  SvGetOptions options = { .max_size = SV_INDEX_MAX_SIZE, .bypass_caches = mode == SV_FETCH_BYPASS_CACHES };
  const char *const *etags = only_changes ? (const char *const *)reader->etags : NULL;
  const SvMirrorQuestion questions[] = { { SV_INDEX_KEY, options, etags }, sv_statements_question (reader, mode, &key) };
  finding->answers = sv_mirrors_ask_all (reader->mirrors, questions, G_N_ELEMENTS (questions));
  if (!sv_statements_take (reader, mode, finding->answers, 1, error))
    return FALSE;
  for (guint i = 0; i < finding->answers->len; i++)
  {
    SvMirrorAnswer *answer = finding->answers->pdata[i];
    if (answer->question == 0)
      consider_answer (reader, finding, answer);
  }
  if (finding->index == NULL && !finding->still_last && finding->error == NULL)
    g_set_error (&finding->error, SV_ERROR, SV_ERROR_UNREACHABLE, "none of %s answered within %d s",
                 sv_mirrors_name (reader->mirrors), SV_MIRRORS_PATIENCE_MS / 1000);
  return TRUE;
}

/* ── accepting ── */

static void
keep_etags (SvReader *reader, Finding *finding)
{
  forget_etags (reader);
  for (guint i = 0; i < finding->answers->len; i++)
  {
    SvMirrorAnswer *answer = finding->answers->pdata[i];
    if (answer->question == 0 && answer->object != NULL && strcmp (answer->hash, finding->index->document->hash) == 0)
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
      !sv_memory_remember_index (reader->memory, index, sv_reader_honours, reader, error))
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

/* Somebody has published, and it is not there. Who has never read it there has more likely mistaken the address. */
static void
explain_withheld (const SvReader *reader, guint64 sequence, gboolean was_seen, GError *error)
{
  const char *where = was_seen ? "was seen here before" : "is anchored on the chain";
  const char *name = sv_mirrors_name (reader->mirrors);
  g_autofree char *message = error->message;
  error->code = SV_ERROR_VERIFY;
  if (sv_mirrors_are_own (reader->mirrors))
    error->message = g_strdup_printf ("freeze: the index is gone, of which sequence %" G_GUINT64_FORMAT
                                      " %s; see that %s is the right store (SCOREVISION_STORE), or %s: %s",
                                      sequence, where, name, sv_mirrors_remedy (reader->mirrors), message);
  else if (was_seen)
    error->message = g_strdup_printf ("freeze: the index is gone, of which sequence %" G_GUINT64_FORMAT
                                      " %s; %s to bring scorevision/index.json back: %s",
                                      sequence, where, sv_mirrors_remedy (reader->mirrors), message);
  else
    error->message = g_strdup_printf (
        "there is no scorevision/index.json at %s: check R2_PUBLIC_URL, which must not end in /scorevision; if it "
        "is right this is a freeze: the index is gone, of which sequence %" G_GUINT64_FORMAT " %s; %s: %s",
        name, sequence, where, sv_mirrors_remedy (reader->mirrors), message);
}

/* No mirror has an index. Before the first publication that is as it should be; afterwards it is being withheld. */
static void
explain_absence (SvReader *reader, GError **error)
{
  guint64 sequence = 0;
  const char *hash;
  if (sv_memory_highest (reader->memory, sv_reader_honours, reader, &sequence, &hash))
    explain_withheld (reader, sequence, TRUE, *error);
  else if (reader->anchor != NULL)
    explain_withheld (reader, reader->anchor->sequence, FALSE, *error);
  else
    g_prefix_error (
        error, "nothing has been published here yet (the operator does it with `sv manifest publish`; what he has published "
               "elsewhere is read where R2_PUBLIC_URL or SCOREVISION_STORE says): ");
}

/* A mirror that is refused does not count where another one is right, but somebody should look after it. */
static void
tell_of_refusal (SvReader *reader, const GError *refusal)
{
  gboolean is_telling =
      g_error_matches (refusal, SV_ERROR, SV_ERROR_VERIFY) || g_error_matches (refusal, SV_ERROR, SV_ERROR_MALFORMED);
  if (!is_telling || g_strcmp0 (refusal->message, reader->last_refusal) == 0)
    return;
  sv_log ("warning", "a mirror is refused", "reason", refusal->message, NULL);
  g_free (reader->last_refusal);
  reader->last_refusal = g_strdup (refusal->message);
}

static gboolean
read_once (SvReader *reader, SvFetchMode mode, gboolean only_changes, SvIndex **index, GError **error)
{
  g_auto (Finding) finding = { 0 };
  if (!sv_reader_refresh (reader, error) || !ask_mirrors (reader, mode, only_changes, &finding, error))
    return FALSE;
  if (finding.index != NULL || finding.still_last)
    tell_of_refusal (reader, finding.error);
  if (only_changes && is_nothing_new (reader, &finding))
    return check_last (reader, error);
  if (finding.index == NULL)
  {
    if (g_error_matches (finding.error, SV_ERROR, SV_ERROR_NOT_FOUND))
      explain_absence (reader, &finding.error);
    g_propagate_error (error, g_steal_pointer (&finding.error));
    return FALSE;
  }
  if (!accept_index (reader, &finding, error))
    return FALSE;
  *index = g_steal_pointer (&finding.index);
  return TRUE;
}

/* What was @refused is read again past all caches. When nothing is to be had then, the refusal stands: who shows an old index
 * must not come off better by not answering the second time. */
static gboolean
read_past_caches (SvReader *reader, const GError *refused, SvIndex **index, GError **error)
{
  GError *local = NULL;
  if (read_once (reader, SV_FETCH_BYPASS_CACHES, FALSE, index, &local))
    return TRUE;
  if (!g_error_matches (local, SV_ERROR, SV_ERROR_VERIFY))
  {
    g_prefix_error (&local, "%s; asked again past all caches: ", refused->message);
    local->code = refused->code;
  }
  g_propagate_error (error, local);
  return FALSE;
}

static gboolean
read_index (SvReader *reader, SvFetchMode mode, gboolean only_changes, SvIndex **index, GError **error)
{
  *index = NULL;
  GError *local = NULL;
  gboolean done = read_once (reader, mode, only_changes, index, &local);
  if (!done && mode == SV_FETCH_NORMAL && g_error_matches (local, SV_ERROR, SV_ERROR_VERIFY))
  {
    g_autoptr (GError) refused = g_steal_pointer (&local);
    done = read_past_caches (reader, refused, index, &local);
  }
  if (done)
    return TRUE;
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

/* Where the last one (@bytes) is by somebody who was revoked since, the last one of those who count. */
static SvIndex *
open_remembered (SvReader *reader, GBytes *bytes, GError **error)
{
  g_autoptr (GError) refusal = NULL;
  SvIndex *index = sv_index_open (bytes, &reader->id, sv_reader_honours, reader, &refusal);
  if (index != NULL)
    return index;
  g_autoptr (GBytes) other = sv_memory_last_index_of (reader->memory, sv_reader_honours, reader, NULL);
  index = other != NULL ? sv_index_open (other, &reader->id, sv_reader_honours, reader, NULL) : NULL;
  if (index == NULL)
    g_propagate_error (error, g_steal_pointer (&refusal));
  return index;
}

SvIndex *
sv_remembered_index (SvReader *reader, GError **error)
{
  g_autoptr (GBytes) bytes = sv_memory_last_index (reader->memory, error);
  g_autoptr (SvIndex) index = bytes != NULL ? open_remembered (reader, bytes, error) : NULL;
  guint64 highest;
  const char *hash;
  if (index == NULL || !sv_memory_highest (reader->memory, sv_reader_honours, reader, &highest, &hash) ||
      index->sequence >= highest)
    return g_steal_pointer (&index);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "rollback: the index remembered in this home has sequence %" G_GUINT64_FORMAT ", and %" G_GUINT64_FORMAT
               " was seen: its file was replaced by an older one and is not used; the next index that is published replaces it",
               index->sequence, highest);
  return NULL;
}

/* ── for a publisher ── */

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
    *index = sv_index_new (&reader->id);
    return TRUE;
  }
  g_propagate_error (error, local);
  return FALSE;
}
