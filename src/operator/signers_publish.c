/* A statement is signed on top of the last one in the store, whoever signed that, and put there only if its number is free. Who
 * loses the race does it anew on top of the winner's. Before somebody is retired the index is signed again by who stays, so
 * that readers are at no time without one. */
#include "operator/signers_publish.h"

#include <string.h>

#include "base/error.h"
#include "base/rfc3339.h"
#include "operator/signers_room.h"

#define MAX_ATTEMPTS 200
#define MAX_ATTEMPTS_AT_ONE 10 /* at one number: what lies there is then no statement */

typedef struct
{
  SvPublisher *publisher;
  const SvSignerRequest *request;
  SvSignerPublication *publication;
  const SvSigners *signers; /* as of the last try */
  guint64 last_number;
  guint n_conflicts; /* at that number */
} Change;

void
sv_signer_publication_free (SvSignerPublication *publication)
{
  if (publication == NULL)
    return;
  g_free (publication->hash);
  g_free (publication->index_fault);
  g_free (publication);
}

static const char *
wallet_of (const Change *change)
{
  return sv_keypair_address (sv_publisher_keypair (change->publisher));
}

static SvSignerState
state_at (const Change *change, guint64 block)
{
  return sv_signers_fold_state (sv_signers_fold (change->signers), change->request->account, block);
}

/* ── what may be said ── */

static gboolean
check_right (const Change *change, GError **error)
{
  if (sv_signers_fold_may_sign (sv_signers_fold (change->signers), wallet_of (change)))
    return TRUE;
  g_set_error (
      error, SV_ERROR, SV_ERROR_POLICY,
      "a statement has retired the wallet's hotkey %s, so it cannot make another; use a wallet that stays (`sv manifest "
      "signers` lists them)",
      wallet_of (change));
  return FALSE;
}

static gboolean
check_account (const Change *change, GError **error)
{
  const char *account = change->request->account;
  SvSignerState state = state_at (change, change->publication->from_block);
  if (change->request->is_addition && state == SV_SIGNER_REVOKED)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY, "%s is revoked, for good; add another account", account);
  else if (!change->request->is_addition && state == SV_SIGNER_UNKNOWN)
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "%s is no signer; `sv manifest signers` lists those there are", account);
  else
    return TRUE;
  return FALSE;
}

static gboolean
is_done (const Change *change)
{
  SvSignerState state = state_at (change, change->publication->from_block);
  gboolean may_sign = sv_signers_fold_may_sign (sv_signers_fold (change->signers), change->request->account);
  if (change->request->is_addition)
    return state == SV_SIGNER_TRUSTED && may_sign;
  return !may_sign && (state == SV_SIGNER_RETIRED || state == SV_SIGNER_REVOKED);
}

/* With @statement somebody must stay, from the block on at which it counts. */
static gboolean
check_somebody_stays (const Change *change, const SvSignersStatement *statement, GError **error)
{
  guint64 block = MAX (change->publication->from_block, sv_signers_block (change->signers));
  g_autoptr (SvSignersFold) fold =
      sv_signers_fold_all (sv_signers_roots (change->signers), sv_signers_statements (change->signers));
  (void)sv_signers_fold_add (fold, statement);
  g_autoptr (GPtrArray) list = sv_signers_fold_list (fold, block);
  for (guint i = 0; i < list->len; i++)
  {
    const SvSigner *signer = list->pdata[i];
    if (signer->state == SV_SIGNER_TRUSTED && sv_signers_fold_may_sign (fold, signer->account))
      return TRUE;
  }
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "without %s no account would be trusted at block %" G_GUINT64_FORMAT
               "; add its successor first (`sv manifest signers add`)",
               change->request->account, block);
  return FALSE;
}

/* ── the index ── */

/* By him who is retired, or by one who was before. */
static gboolean
needs_signer (const Change *change, const SvIndex *index)
{
  if (index->document == NULL)
    return FALSE;
  const char *signer = index->document->signed_by;
  return strcmp (signer, change->request->account) == 0 || !sv_reader_trusts (signer, sv_publisher_reader (change->publisher));
}

static gboolean
sign_again (SvIndex *index, gboolean *changed, gpointer data, GError **error)
{
  const Change *change = data;
  if (!needs_signer (change, index))
    return TRUE;
  index->sequence++;
  g_free (index->updated_at);
  index->updated_at = sv_time_format (sv_clock_ms ());
  *changed = TRUE;
  return TRUE;
}

/* A refused index is no reason not to retire somebody; only it is not signed again. Where that is all that was to be done,
 * nothing was. Takes @fault. */
static gboolean
note_fault (Change *change, GError *fault, GError **error)
{
  if (g_error_matches (fault, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, fault);
    return FALSE;
  }
  if (change->publication->was_there)
  {
    g_propagate_prefixed_error (
        error, fault, "%s is retired, or revoked, already, and the index cannot be signed again: ", change->request->account);
    return FALSE;
  }
  change->publication->index_fault = g_strdup (fault->message);
  g_error_free (fault);
  return TRUE;
}

/* Nobody can have signed the index for readers by the time at which the wallet's own signature counts no more. */
static gboolean
check_notice (const Change *change, GError **error)
{
  SvHead head;
  if (change->publication->was_there)
    return TRUE;
  if (!sv_chain_head (sv_publisher_chain (change->publisher), &head, error))
    return FALSE;
  guint64 earliest = head.best.number + SV_RETIRE_NOTICE;
  if (change->publication->from_block >= earliest)
    return TRUE;
  g_set_error (
      error, SV_ERROR, SV_ERROR_POLICY,
      "the wallet's hotkey %s has signed the present index, and retired from block %" G_GUINT64_FORMAT
      " on it would leave readers without one; run this with the wallet of another signer, which signs the index again "
      "(`sv manifest signers retire %s --hotkey OTHER`), or give --from-block %" G_GUINT64_FORMAT
      " or later, and have another signer publish before that",
      wallet_of (change), change->publication->from_block, wallet_of (change), earliest);
  return FALSE;
}

static gboolean
keep_index_signed (Change *change, GError **error)
{
  GError *fault = NULL;
  gboolean retires_himself = strcmp (wallet_of (change), change->request->account) == 0;
  if (!retires_himself)
    sv_publisher_allow_retired (change->publisher);
  g_autoptr (SvIndex) index = sv_publisher_read_index (change->publisher, &fault);
  if (index == NULL)
    return note_fault (change, fault, error);
  if (!needs_signer (change, index))
    return TRUE;
  change->publication->owns_index = retires_himself;
  if (retires_himself)
    return check_notice (change, error);
  change->publication->resigned = index->sequence + 1;
  if (change->request->dry_run)
    return TRUE;
  g_autoptr (SvIndex) again = sv_publisher_update_index (change->publisher, sign_again, change, error);
  if (again != NULL)
    change->publication->resigned = again->sequence;
  return again != NULL;
}

/* ── the statement ── */

static SvSignersStatement *
sign_statement (const Change *change, GError **error)
{
  const SvSignerChange item = { (char *)change->request->account, change->publication->from_block };
  return sv_signers_statement_sign (sv_publisher_last_statement (change->publisher), change->request->is_addition, &item,
                                    sv_chain_id (sv_publisher_chain (change->publisher)),
                                    sv_publisher_keypair (change->publisher), sv_clock_ms (), error);
}

static gboolean
check_room (const Change *change, const SvSignersStatement *statement, GError **error)
{
  g_autoptr (GPtrArray) history = sv_publisher_statements (change->publisher);
  return sv_signers_check_room (change->signers, history, statement, error);
}

/* *@done stays FALSE where the number was taken meanwhile. */
static gboolean
put_statement (Change *change, const SvSignersStatement *statement, gboolean *done, GError **error)
{
  GError *local = NULL;
  *done = sv_publisher_put_statement (change->publisher, statement, &local);
  if (*done)
    return TRUE;
  change->n_conflicts = change->last_number == statement->number ? change->n_conflicts + 1 : 1;
  change->last_number = statement->number;
  if (!g_error_matches (local, SV_ERROR, SV_ERROR_CONFLICT))
  {
    g_propagate_error (error, local);
    return FALSE;
  }
  if (change->n_conflicts < MAX_ATTEMPTS_AT_ONE)
  {
    g_error_free (local);
    return TRUE;
  }
  g_propagate_prefixed_error (error, local,
                              "what lies in the store as statement on signers %" G_GUINT64_FORMAT
                              " is none that follows the one before it, and no reader takes it; remove it from there: ",
                              statement->number);
  return FALSE;
}

/* One try. */
static gboolean
try_change (Change *change, gboolean *done, GError **error)
{
  const SvSignerRequest *request = change->request;
  SvReader *reader = sv_publisher_reader (change->publisher);
  *done = FALSE;
  if (!sv_reader_update_signers (reader, SV_FETCH_BYPASS_CACHES, error))
    return FALSE;
  change->signers = sv_reader_signers (reader);
  change->publication->from_block = request->has_from_block ? request->from_block : sv_signers_block (change->signers);
  if (!check_account (change, error))
    return FALSE;
  change->publication->was_there = *done = is_done (change);
  if (*done)
    return TRUE;
  g_autoptr (SvSignersStatement) statement = check_right (change, error) ? sign_statement (change, error) : NULL;
  if (statement == NULL || (!request->is_addition && !check_somebody_stays (change, statement, error)) ||
      !check_room (change, statement, error))
    return FALSE;
  change->publication->number = statement->number;
  g_free (change->publication->hash);
  change->publication->hash = g_strdup (statement->document->hash);
  *done = request->dry_run;
  return request->dry_run || put_statement (change, statement, done, error);
}

static gboolean
make_statement (Change *change, GError **error)
{
  gboolean done = FALSE;
  for (guint attempt = 0; attempt < MAX_ATTEMPTS; attempt++)
  {
    if (!try_change (change, &done, error))
      return FALSE;
    if (done)
      return change->request->dry_run ||
             sv_reader_update_signers (sv_publisher_reader (change->publisher), SV_FETCH_BYPASS_CACHES, error);
    sv_publisher_pause (attempt);
  }
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
               "others made statements on signers %d times in a row while this one was being made; run the command again",
               MAX_ATTEMPTS);
  return FALSE;
}

/* Whether the account can be retired at all is looked at before the index is signed again. */
static gboolean
retire (Change *change, GError **error)
{
  SvSignerRequest preview = *change->request;
  const SvSignerRequest *request = change->request;
  gboolean done;
  preview.dry_run = TRUE;
  change->request = &preview;
  gboolean is_possible = try_change (change, &done, error);
  change->request = request;
  return is_possible && keep_index_signed (change, error) && make_statement (change, error);
}

SvSignerPublication *
sv_publish_signer (SvPublisher *publisher, const SvSignerRequest *request, GError **error)
{
  g_autoptr (SvSignerPublication) publication = g_new0 (SvSignerPublication, 1);
  Change change = { .publisher = publisher, .request = request, .publication = publication };
  gboolean done = request->is_addition ? make_statement (&change, error) : retire (&change, error);
  return done ? g_steal_pointer (&publication) : NULL;
}
