/* Reading statements on signers (docs/protocol.md section 2, "Rotation"). Normally each reading asks for one object that is not
 * there. Where a mirror has it, its statements are read one by one until they end; each mirror's are judged by themselves, on
 * top of those that count already, which nobody can take back. What no trusted account vouches for yet is kept per mirror as
 * its tail, in memory only, so that a mirror that shows hundreds of them is not read anew each time. A history is read up to
 * its limits, which whoever has stolen a key cannot raise. All mirrors are read at the same time, and have one deadline
 * together: so a slow one holds up neither another one's history nor the index for longer than that. */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "distribution/reader_state.h"
#include "distribution/signers_memory.h"

/* For all mirrors' histories, after the first answers; the rest is read the next time. Who goes on from an index that he has
 * keeps what he has read of histories without end, and should soon know of a newer index. */
#define PATIENCE_US (25 * G_USEC_PER_SEC)
#define POLL_PATIENCE_US (5 * G_USEC_PER_SEC)
#define SILENCE_US (5 * G_USEC_PER_SEC) /* after which nobody is waited for any more */

void
sv_statements_forget_tails (SvReader *reader)
{
  for (guint i = 0; i < sv_mirrors_count (reader->mirrors); i++)
    g_clear_pointer (&reader->tails[i], g_ptr_array_unref);
}

/* Statements up to the last with effect count; what is remembered after that binds nobody. */
static guint
count_pinned (const SvReader *reader)
{
  return (guint)sv_signers_fold_last_effective (sv_signers_fold (reader->signers));
}

static SvMirrorQuestion
question_for (guint64 number, SvFetchMode mode, char **key)
{
  *key = sv_signers_key (number);
  return (SvMirrorQuestion){ .key = *key,
                             .options = { .max_size = SV_SIGNERS_MAX_SIZE, .bypass_caches = mode == SV_FETCH_BYPASS_CACHES } };
}

SvMirrorQuestion
sv_statements_question (const SvReader *reader, SvFetchMode mode, char **key)
{
  return question_for ((guint64)count_pinned (reader) + 1, mode, key);
}

/* ── one mirror's ── */

/* (transfer container) the statements that count, and the mirror's after them. */
static GPtrArray *
with_tail (const SvReader *reader, const GPtrArray *tail)
{
  GPtrArray *all = g_ptr_array_new ();
  guint n_pinned = count_pinned (reader);
  for (guint i = 0; i < n_pinned; i++)
    g_ptr_array_add (all, sv_signers_statements (reader->signers)->pdata[i]);
  for (guint i = 0; tail != NULL && i < tail->len; i++)
    g_ptr_array_add (all, tail->pdata[i]);
  return all;
}

GPtrArray *
sv_statements_shown (const SvReader *reader, guint mirror)
{
  return with_tail (reader, reader->tails[mirror]);
}

const SvSignersStatement *
sv_statements_last (const SvReader *reader, guint mirror)
{
  g_autoptr (GPtrArray) all = sv_statements_shown (reader, mirror);
  return all->len > 0 ? all->pdata[all->len - 1] : NULL;
}

/* One mirror while it is read. */
typedef struct
{
  SvReader *reader;
  guint mirror;
  SvFetchMode mode;    /* of the question that it is asked */
  gboolean is_waiting; /* for its answer */
  GPtrArray *tail;     /* the reader's for this mirror */
  SvSignersFold *fold; /* of what counts, and the tail */
  const SvSignersStatement *last;
  gsize size; /* bytes of all of its history */
} Walk;

static void
walk_clear (Walk *walk)
{
  g_clear_pointer (&walk->fold, sv_signers_fold_free);
}

/* All of them. */
typedef struct
{
  SvReader *reader;
  SvFetchMode mode;
  SvMirrorTalk *talk;
  GArray *walks; /* of Walk, one per mirror */
} Reading;

static void
reading_clear (Reading *reading)
{
  g_clear_pointer (&reading->walks, g_array_unref);
  g_clear_pointer (&reading->talk, sv_mirror_talk_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reading, reading_clear)

static void
reading_init (Reading *reading)
{
  guint n_mirrors = sv_mirrors_count (reading->reader->mirrors);
  reading->talk = sv_mirror_talk_new (reading->reader->mirrors);
  reading->walks = g_array_new (FALSE, TRUE, sizeof (Walk));
  g_array_set_clear_func (reading->walks, (GDestroyNotify)walk_clear);
  g_array_set_size (reading->walks, n_mirrors);
}

static void
walk_begin (Walk *walk)
{
  GPtrArray **tail = &walk->reader->tails[walk->mirror];
  if (*tail == NULL)
    *tail = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_signers_statement_free);
  walk->tail = *tail;
  g_autoptr (GPtrArray) all = with_tail (walk->reader, walk->tail);
  walk->fold = sv_signers_fold_all (sv_signers_roots (walk->reader->signers), all);
  walk->last = all->len > 0 ? all->pdata[all->len - 1] : NULL;
  for (guint i = 0; i < all->len; i++)
    walk->size += g_bytes_get_size (((const SvSignersStatement *)all->pdata[i])->document->bytes);
}

static guint64
next_number (const Walk *walk)
{
  return walk->last != NULL ? walk->last->number + 1 : 1;
}

/* A trusted account that signs a statement after another history than the one that counts here has signed, or vouched for, two.
 * After statements that nobody vouches for it tells of nothing but a mirror that has put them there. */
static gboolean
check_no_fork (const Walk *walk, const SvSignersStatement *statement, const char *url, GError **error)
{
  guint64 number = next_number (walk);
  if (statement->number != number || sv_signers_fold_last_effective (walk->fold) + 1 != number ||
      !sv_signers_fold_may_sign (walk->fold, statement->document->signed_by))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "equivocation: %s shows a statement on signers with the number %" G_GUINT64_FORMAT
               " (%s) by the trusted account %s after another history (%s) than is known here (%s); use neither before the "
               "operator has explained it",
               url, statement->number, statement->document->hash, statement->document->signed_by,
               statement->previous != NULL ? statement->previous : "none",
               walk->last != NULL ? walk->last->document->hash : "none");
  return FALSE;
}

static gboolean
has_room (const Walk *walk, const SvSignersStatement *statement, GError **error)
{
  gsize size = walk->size + g_bytes_get_size (statement->document->bytes);
  if (statement->number <= SV_SIGNERS_MAX_STATEMENTS && size <= SV_SIGNERS_HISTORY_MAX_SIZE)
    return TRUE;
  g_set_error (
      error, SV_ERROR, SV_ERROR_VERIFY,
      "the statements on signers up to this one are %" G_GUINT64_FORMAT " and %" G_GSIZE_FORMAT
      " bytes; no more than %d and %d bytes are read: the operator has to remove those that are not his from the store",
      statement->number, size, SV_SIGNERS_MAX_STATEMENTS, SV_SIGNERS_HISTORY_MAX_SIZE);
  return FALSE;
}

/* Adds the statement in @bytes to the tail. FALSE where it is not the next one; @fork is set where that is an equivocation. */
static gboolean
take_bytes (Walk *walk, GBytes *bytes, const char *url, GError **fault, GError **fork)
{
  g_autoptr (SvSignersStatement) statement = sv_signers_statement_open (bytes, &walk->reader->id, fault);
  if (statement == NULL)
    return FALSE;
  if (!sv_signers_statement_follows (statement, walk->last, fault))
    return check_no_fork (walk, statement, url, fork) && FALSE;
  if (!has_room (walk, statement, fault))
    return FALSE;
  walk->size += g_bytes_get_size (bytes);
  (void)sv_signers_fold_add (walk->fold, statement);
  walk->last = statement;
  g_ptr_array_add (walk->tail, g_steal_pointer (&statement));
  return TRUE;
}

/* Told of once: who polls would say it every few seconds. */
static void
report_fault (Walk *walk, const SvMirrorAnswer *answer, const GError *fault)
{
  SvReader *reader = walk->reader;
  g_autofree char *text = g_strdup_printf ("%s: %s", answer->url, fault->message);
  if (g_strcmp0 (text, reader->statements_fault) == 0)
    return;
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, next_number (walk));
  sv_log ("warning", "statement on signers left out", "n", number, "reason", text, NULL);
  g_free (reader->statements_fault);
  reader->statements_fault = g_steal_pointer (&text);
}

/* A statement that a mirror does not give keeps nobody from the index: this mirror has no further one. */
static GError *
copy_fault (const SvMirrorAnswer *answer)
{
  gboolean is_telling = g_error_matches (answer->error, SV_ERROR, SV_ERROR_VERIFY) ||
                        g_error_matches (answer->error, SV_ERROR, SV_ERROR_MALFORMED);
  return is_telling ? g_error_copy (answer->error) : NULL;
}

/* *@goes_on where the mirror may have a further one. */
static gboolean
take_answer (Walk *walk, const SvMirrorAnswer *answer, gboolean *goes_on, GError **error)
{
  GError *fork = NULL;
  g_autoptr (GError) fault = copy_fault (answer);
  *goes_on = FALSE;
  if (answer->object != NULL)
    *goes_on = take_bytes (walk, answer->object->bytes, answer->url, &fault, &fork);
  if (fork != NULL)
  {
    g_propagate_error (error, fork);
    return FALSE;
  }
  if (fault != NULL)
    report_fault (walk, answer, fault);
  return TRUE;
}

/* Takes note of whether what the mirror has could be read to its end. */
static void
note_unread (SvReader *reader, guint mirror, const GError *failure)
{
  g_clear_error (&reader->unread[mirror]);
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE))
    reader->unread[mirror] = g_error_copy (failure);
}

static void
note_silence (SvReader *reader, guint mirror)
{
  g_clear_error (&reader->unread[mirror]);
  g_set_error (&reader->unread[mirror], SV_ERROR, SV_ERROR_UNREACHABLE, "no answer within %d s", SV_MIRRORS_PATIENCE_MS / 1000);
}

static gboolean
is_first_of_tail (const GPtrArray *tail, const SvMirrorAnswer *answer)
{
  return tail != NULL && tail->len > 0 && answer->object != NULL &&
         g_bytes_equal (((const SvSignersStatement *)tail->pdata[0])->document->bytes, answer->object->bytes);
}

static void
ask_next (Reading *reading, Walk *walk, SvFetchMode mode)
{
  g_autofree char *key = NULL;
  const SvMirrorQuestion question = question_for (next_number (walk), mode, &key);
  walk->mode = mode;
  walk->is_waiting = TRUE;
  sv_mirror_talk_ask (reading->talk, walk->mirror, &question);
}

/* A statement never changes, so caches may give it; what they say of the end may be old. */
static gboolean
take_next (Reading *reading, const SvMirrorAnswer *answer, GError **error)
{
  Walk *walk = &g_array_index (reading->walks, Walk, answer->mirror);
  gboolean goes_on;
  walk->is_waiting = FALSE;
  note_unread (reading->reader, walk->mirror, answer->error);
  if (!take_answer (walk, answer, &goes_on, error))
    return FALSE;
  if (goes_on)
    ask_next (reading, walk, SV_FETCH_NORMAL);
  else if (reading->mode == SV_FETCH_BYPASS_CACHES && walk->mode == SV_FETCH_NORMAL)
    ask_next (reading, walk, SV_FETCH_BYPASS_CACHES);
  return TRUE;
}

static gboolean
read_on (Reading *reading, GError **error)
{
  gboolean is_poll = reading->mode == SV_FETCH_NORMAL && reading->reader->last_hash != NULL;
  gint64 deadline = g_get_monotonic_time () + (is_poll ? POLL_PATIENCE_US : PATIENCE_US);
  for (;;)
  {
    gint64 silence = g_get_monotonic_time () + SILENCE_US;
    g_autoptr (SvMirrorAnswer) answer = sv_mirror_talk_next (reading->talk, MIN (deadline, silence));
    if (answer == NULL)
      break;
    if (!take_next (reading, answer, error))
      return FALSE;
  }
  for (guint i = 0; i < reading->walks->len; i++)
    if (g_array_index (reading->walks, Walk, i).is_waiting)
      note_silence (reading->reader, i);
  return TRUE;
}

/* Takes the mirror's first answer. What it had before stays as long as it shows the first of that, or nothing can be told. */
static gboolean
begin_mirror (Reading *reading, const SvMirrorAnswer *answer, GError **error)
{
  SvReader *reader = reading->reader;
  GPtrArray **tail = &reader->tails[answer->mirror];
  gboolean is_known = is_first_of_tail (*tail, answer);
  gboolean is_absent = g_error_matches (answer->error, SV_ERROR, SV_ERROR_NOT_FOUND);
  note_unread (reader, answer->mirror, answer->error);
  if (is_absent || (answer->object != NULL && !is_known))
    g_clear_pointer (tail, g_ptr_array_unref);
  if (is_absent)
    return TRUE;
  Walk *walk = &g_array_index (reading->walks, Walk, answer->mirror);
  walk->reader = reader;
  walk->mirror = answer->mirror;
  walk_begin (walk);
  gboolean goes_on = is_known;
  if (!is_known && !take_answer (walk, answer, &goes_on, error))
    return FALSE;
  if (goes_on)
    ask_next (reading, walk, SV_FETCH_NORMAL);
  return TRUE;
}

/* ── all mirrors' ── */

/* The longest of the mirrors' histories, cut after its last statement with effect; NULL where none goes beyond what counts.
 * They may differ only in what nobody trusted vouches for. */
static gboolean
find_longest (const SvReader *reader, GPtrArray **longest, GError **error)
{
  const SvSignerRoots *roots = sv_signers_roots (reader->signers);
  *longest = NULL;
  for (guint i = 0; i < sv_mirrors_count (reader->mirrors); i++)
  {
    if (reader->tails[i] == NULL || reader->tails[i]->len == 0)
      continue;
    g_autoptr (GPtrArray) history = with_tail (reader, reader->tails[i]);
    g_autoptr (SvSignersFold) fold = sv_signers_fold_all (roots, history);
    g_ptr_array_set_size (history, (gint)sv_signers_fold_last_effective (fold));
    if (history->len <= count_pinned (reader))
      continue;
    if (*longest != NULL && !sv_signers_check_agree (roots, *longest, history, "another mirror", error))
    {
      g_clear_pointer (longest, g_ptr_array_unref);
      return FALSE;
    }
    if (*longest != NULL && history->len <= (*longest)->len)
      continue;
    g_clear_pointer (longest, g_ptr_array_unref);
    *longest = g_steal_pointer (&history);
  }
  return TRUE;
}

/* Counts from here on, whatever the chain does; anchors of those who were added are read with the trust. */
static gboolean
remember (SvReader *reader, const GPtrArray *statements, GError **error)
{
  if (!sv_signers_memory_write (reader->config, &reader->id, sv_signers_roots (reader->signers), statements, error))
    return FALSE;
  GPtrArray *remembered = sv_signers_memory_read (reader->config, &reader->id, error);
  if (remembered == NULL)
    return FALSE;
  sv_signers_set_statements (reader->signers, remembered);
  sv_statements_forget_tails (reader);
  reader->has_new_statements = TRUE;
  return sv_reader_refresh_trust (reader, error);
}

static gboolean
read_mirrors (SvReader *reader, SvFetchMode mode, const GPtrArray *answers, guint question, GError **error)
{
  g_auto (Reading) reading = { .reader = reader, .mode = mode };
  reading_init (&reading);
  for (guint i = 0; i < answers->len; i++)
  {
    const SvMirrorAnswer *answer = answers->pdata[i];
    if (answer->question == question && !begin_mirror (&reading, answer, error))
      return FALSE;
  }
  return read_on (&reading, error);
}

gboolean
sv_statements_take (SvReader *reader, SvFetchMode mode, const GPtrArray *answers, guint question, GError **error)
{
  if (mode == SV_FETCH_BYPASS_CACHES)
    sv_statements_forget_tails (reader);
  for (guint i = 0; i < sv_mirrors_count (reader->mirrors); i++)
    note_silence (reader, i);
  g_autoptr (GPtrArray) longest = NULL;
  if (!read_mirrors (reader, mode, answers, question, error) || !find_longest (reader, &longest, error) ||
      (longest != NULL && !remember (reader, longest, error)))
    return FALSE;
  reader->has_statements = TRUE;
  return TRUE;
}

void
sv_statements_excuse (SvReader *reader, guint mirror, GBytes *index, GError **error)
{
  const GError *unread = reader->unread[mirror];
  if (unread == NULL || !g_error_matches (*error, SV_ERROR, SV_ERROR_VERIFY))
    return;
  g_autoptr (SvIndex) unjudged = sv_index_open (index, &reader->id, NULL, NULL, NULL);
  if (unjudged == NULL || sv_reader_trusts (unjudged->document->signed_by, reader))
    return;
  g_clear_error (error);
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "the index is signed by %s, whom a statement on signers may have added that could not be read: %s",
               unjudged->document->signed_by, unread->message);
}
