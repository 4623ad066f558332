#include "protocol/fields.h"

#include <string.h>

#include "base/hash.h"
#include "base/identifiers.h"
#include "keys/ss58.h"
#include "protocol/proof.h"

#define LABEL_MAX 128

static gboolean
is_proof (const char *text)
{
  SvProof unused;
  return sv_proof_parse (text, &unused);
}

static gboolean
is_integer (const char *text)
{
  guint64 unused;
  return sv_integer_parse (text, &unused);
}

static gboolean
is_label (const char *text)
{
  gsize length = strnlen (text, LABEL_MAX + 1);
  for (gsize i = 0; i < length; i++)
    if (g_ascii_iscntrl (text[i]))
      return FALSE;
  return length >= 1 && length <= LABEL_MAX;
}

const SvForm sv_form_window_id = { sv_window_id_is_valid, "a window id" };
const SvForm sv_form_element_id = { sv_element_id_is_valid, "an element id" };
const SvForm sv_form_hf_revision = { sv_hf_revision_is_valid, "a revision" };
const SvForm sv_form_chute_slug = { sv_chute_slug_is_valid, "a chute slug" };
const SvForm sv_form_chute_id = { sv_chute_id_is_valid, "a chute id" };
const SvForm sv_form_hash = { sv_hash_is_valid, "sha256: and 64 lower-case hex digits" };
const SvForm sv_form_proof = { is_proof, "a commitment proof: a block, ':', 0x and 64 lower-case hex digits" };
const SvForm sv_form_challenge_id = { is_integer, "an integer as a decimal string" };
const SvForm sv_form_label = { is_label, "a label of 1 to 128 bytes without control characters" };

char *
sv_field_text (const SvScope *scope, const char *key, SvPresence presence, const SvForm *form)
{
  const char *text = sv_scope_string (scope, key, presence);
  if (text == NULL || form->is_valid (text))
    return g_strdup (text);
  sv_scope_fault (scope, key, "is not %s", form->name);
  return NULL;
}

char *
sv_field_account (const SvScope *scope, const char *key)
{
  const char *text = sv_scope_string (scope, key, SV_REQUIRED);
  char *address = text != NULL ? sv_account_normalize (text) : NULL;
  if (text != NULL && address == NULL)
    sv_scope_fault (scope, key, "is not an account");
  return address;
}
