/* Whom a reader trusts, and which anchor there is, as of the chain's finalized head, this home's memory and the statements that
 * the mirrors have shown. */
#include "base/error.h"
#include "base/log.h"
#include "distribution/reader_state.h"

SvSigners *
sv_reader_load_signers (const SvReader *reader, GError **error)
{
  g_autoptr (SvSigners) signers = sv_signers_load (reader->config, reader->chain, reader->options.accept_owner, error);
  if (signers != NULL)
    sv_signers_warn_of_owner (signers, reader->signers);
  if (signers == NULL || (!reader->options.trust_nobody && !sv_signers_check_some_left (signers, error)))
    return NULL;
  return g_steal_pointer (&signers);
}

static gboolean
reload_trust (SvReader *reader, guint64 finalized, GError **error)
{
  g_autoptr (SvSigners) signers = sv_reader_load_signers (reader, error);
  if (signers == NULL)
    return FALSE;
  if (reader->assumed_revoked != NULL)
    sv_signers_add_revoked (signers, (const char *const *)reader->assumed_revoked);
  g_autoptr (SvAnchor) anchor = NULL;
  if (!sv_chain_greatest_anchor (reader->chain, sv_signers_anchorers (signers), finalized, &anchor, error))
    return FALSE;
  sv_signers_free (reader->signers);
  reader->signers = g_steal_pointer (&signers);
  g_clear_pointer (&reader->anchor, sv_anchor_free);
  reader->anchor = g_steal_pointer (&anchor);
  reader->has_anchor = TRUE;
  reader->has_new_statements = FALSE;
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
  if (done && (!reader->has_anchor || reader->has_new_statements || head.finalized.number != reader->trust_block))
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

void
sv_reader_set_chain (SvReader *reader, SvChain *chain)
{
  g_assert (sv_chain_id_equal (&reader->id, sv_chain_id (chain)));
  reader->chain = chain;
}

gboolean
sv_reader_trusts (const char *address, gpointer data)
{
  SvReader *reader = data;
  return sv_signers_trust (address, reader->signers);
}

gboolean
sv_reader_honours (const char *address, gpointer data)
{
  SvReader *reader = data;
  return sv_signers_honour (address, reader->signers);
}

const SvSigners *
sv_reader_signers (const SvReader *reader)
{
  return reader->signers;
}

void
sv_reader_assume_revoked (SvReader *reader, const char *const *accounts)
{
  g_strfreev (reader->assumed_revoked);
  reader->assumed_revoked = g_strdupv ((char **)accounts);
  sv_signers_add_revoked (reader->signers, accounts);
}

gboolean
sv_reader_refresh (SvReader *reader, GError **error)
{
  gboolean has_trust = sv_reader_refresh_trust (reader, error);
  if (!sv_memory_reload (reader->memory, has_trust ? error : NULL))
    return FALSE;
  sv_signers_add_revoked (reader->signers, sv_memory_revoked (reader->memory));
  return has_trust;
}

gboolean
sv_reader_update_signers (SvReader *reader, SvFetchMode mode, GError **error)
{
  g_autofree char *key = NULL;
  if (!sv_reader_refresh (reader, error))
    return FALSE;
  const SvMirrorQuestion question = sv_statements_question (reader, mode, &key);
  g_autoptr (GPtrArray) answers = sv_mirrors_ask_all (reader->mirrors, &question, 1);
  return sv_statements_take (reader, mode, answers, 0, error);
}

const char *const *
sv_reader_revoked (const SvReader *reader)
{
  return sv_memory_revoked (reader->memory);
}
