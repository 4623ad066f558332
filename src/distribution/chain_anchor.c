/* Anchors are read from the accounts' slots at one block, so no history of the chain is needed. */
#include "distribution/chain_anchor.h"

gboolean
sv_chain_read_anchor (SvChain *chain, const char *address, guint64 block, SvAnchor **anchor, GError **error)
{
  g_autofree char *text = NULL;
  *anchor = NULL;
  if (!sv_chain_anchor_text (chain, address, block, &text, error))
    return FALSE;
  if (text != NULL)
    *anchor = sv_anchor_parse (text, NULL);
  return TRUE;
}

gboolean
sv_chain_greatest_anchor (SvChain *chain, const char *const *accounts, guint64 block, SvAnchor **anchor, GError **error)
{
  g_autoptr (SvAnchor) greatest = NULL;
  *anchor = NULL;
  for (; *accounts != NULL; accounts++)
  {
    g_autoptr (SvAnchor) candidate = NULL;
    if (!sv_chain_read_anchor (chain, *accounts, block, &candidate, error))
      return FALSE;
    if (candidate == NULL || candidate->hash == NULL || (greatest != NULL && candidate->sequence <= greatest->sequence))
      continue;
    g_clear_pointer (&greatest, sv_anchor_free);
    greatest = g_steal_pointer (&candidate);
  }
  *anchor = g_steal_pointer (&greatest);
  return TRUE;
}
