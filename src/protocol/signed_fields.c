/* One small check per field; see the header for what is left to the opening of the document. */
#include "protocol/signed_fields.h"

#include "base/rfc3339.h"
#include "keys/signed_document.h"

static const char *const field_names[] = { SV_SIGNED_FIELD_NAMES, NULL };

static void
check_type (const SvScope *scope, const char *type)
{
  const char *found = sv_scope_string (scope, "type", SV_REQUIRED);
  if (found != NULL && g_strcmp0 (found, type) != 0)
    sv_scope_fault (scope, "type", "is \"%s\", not \"%s\"", found, type);
}

static void
check_chain (const SvScope *scope)
{
  SvChainId chain;
  g_auto (SvScope) child = { 0 };
  if (sv_scope_object (scope, "chain", SV_REQUIRED, &child) && !sv_chain_id_from_json (child.json, &chain))
    sv_scope_fault (scope, "chain", "is not {\"genesis\": \"0x…\", \"netuid\": N} with 64 lower-case hex digits");
}

static void
check_signer (const SvScope *scope)
{
  const char *text = sv_scope_string (scope, "signed_by", SV_REQUIRED);
  g_autofree char *address = text != NULL ? sv_account_normalize (text) : NULL;
  if (text != NULL && address == NULL)
    sv_scope_fault (scope, "signed_by", "\"%s\" is not an account", text);
}

static void
check_time (const SvScope *scope)
{
  gint64 when;
  const char *text = sv_scope_string (scope, "signed_at", SV_REQUIRED);
  if (text != NULL && !sv_time_parse (text, &when))
    sv_scope_fault (scope, "signed_at", "\"%s\" is not a UTC time like 2025-10-23T00:00:00Z", text);
}

static void
check_signature (const SvScope *scope)
{
  guint8 signature[SV_SIGNATURE_SIZE];
  SvScheme scheme;
  const char *text = sv_scope_string (scope, "signature", SV_REQUIRED);
  if (text != NULL && !sv_signature_parse (text, SV_SIGNATURE_DOCUMENT, signature, &scheme))
    sv_scope_fault (scope, "signature", "is not a signature: \"ed25519:\" or \"sr25519:\" and 128 lower-case hex digits");
}

void
sv_signed_fields_check (const SvScope *scope, const char *type)
{
  check_type (scope, type);
  check_chain (scope);
  check_signer (scope);
  check_time (scope);
  check_signature (scope);
}

void
sv_signed_fields_refuse (const SvScope *scope)
{
  for (gsize i = 0; field_names[i] != NULL; i++)
    if (json_object_get (scope->json, field_names[i]) != NULL)
      sv_scope_fault (scope, field_names[i], "is filled in by publishing; remove it");
}
