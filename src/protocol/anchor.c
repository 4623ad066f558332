/* Anchor and revocation texts. Anybody may put any text on a chain, so reading is to the letter: a text has exactly one of the
 * two forms, or says nothing. A `sv1 revoke` without accounts would revoke nothing and is refused. */
#include "protocol/anchor.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "keys/ss58.h"
#include "protocol/commitment.h"

#include <string.h>

#define ANCHOR_START "sv1 manifest "
#define REVOKE_LINE "sv1 revoke"

void
sv_anchor_free (SvAnchor *anchor)
{
  if (anchor == NULL)
    return;
  g_free (anchor->hash);
  g_strfreev (anchor->revoked);
  g_free (anchor);
}

/* "sv1 manifest HASH SEQUENCE" */
static gboolean
parse_anchor_line (const char *line, SvAnchor *anchor, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line + strlen (ANCHOR_START), " ", 3);
  if (g_strv_length (words) != 2)
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "anchor: line 1 is not \"sv1 manifest HASH SEQUENCE\"");
  else if (!sv_hash_is_valid (words[0]))
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "anchor: line 1: the second word after \"sv1\" is not a hash");
  else if (!sv_integer_parse (words[1], &anchor->sequence))
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "anchor: line 1: the sequence is not an integer from 0 to 2^53-1");
  else
  {
    anchor->hash = g_strdup (words[0]);
    return TRUE;
  }
  return FALSE;
}

static gboolean
parse_first_line (const char *line, SvAnchor *anchor, GError **error)
{
  if (g_str_has_prefix (line, ANCHOR_START))
    return parse_anchor_line (line, anchor, error);
  if (strcmp (line, REVOKE_LINE) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "anchor: line 1 is neither \"sv1 manifest HASH SEQUENCE\" nor \"%s\"",
               REVOKE_LINE);
  return FALSE;
}

/* Accounts stand bare on the chain, so an "ss58:" before one is another form. */
static gboolean
check_revoked (char **accounts, GError **error)
{
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  for (guint i = 0; accounts[i] != NULL; i++)
    if (!sv_ss58_decode (accounts[i], public_key))
    {
      g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "anchor: line %u is not an account", i + 2);
      return FALSE;
    }
  return TRUE;
}

SvAnchor *
sv_anchor_parse (const char *text, GError **error)
{
  if (strnlen (text, SV_COMMITMENT_MAX_TEXT + 1) > SV_COMMITMENT_MAX_TEXT)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "anchor: longer than %d bytes", SV_COMMITMENT_MAX_TEXT);
    return NULL;
  }
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (SvAnchor) anchor = g_new0 (SvAnchor, 1);
  if (!parse_first_line (lines[0] != NULL ? lines[0] : "", anchor, error))
    return NULL;
  anchor->revoked = g_strdupv (lines + 1);
  if (anchor->hash == NULL && anchor->revoked[0] == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "anchor: \"%s\" names no account", REVOKE_LINE);
    return NULL;
  }
  return check_revoked (anchor->revoked, error) ? g_steal_pointer (&anchor) : NULL;
}

char *
sv_anchor_format (const char *hash, guint64 sequence, const char *const *revoked)
{
  g_autoptr (GString) text = g_string_new (NULL);
  if (hash != NULL)
    g_string_append_printf (text, ANCHOR_START "%s %" G_GUINT64_FORMAT, hash, sequence);
  else
    g_string_append (text, REVOKE_LINE);
  for (gsize i = 0; revoked != NULL && revoked[i] != NULL; i++)
    g_string_append_printf (text, "\n%s", revoked[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
