/* The form of a request to the Challenge API and the freshness of its nonce.
 *
 * A request is judged part by part, in the order of the tables below; the first part that is missing or malformed is named.
 * Every part has a bound on its length through its syntax, so what has passed may be logged, quoted and used as a key. Form
 * only: whether a well-formed signature verifies is asked later, and answered with another status. */
#include "protocol/challenge.h"

#include "base/hash.h"
#include "base/identifiers.h"

#include <stddef.h>
#include <string.h>

#define NONCE_DIGITS 19
#define NS_PER_MS G_GUINT64_CONSTANT (1000000)
#define X_NONCE_MIN 8
#define X_NONCE_MAX 64

static gboolean
is_account (const char *text)
{
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  return sv_ss58_decode (text, public_key);
}

static gboolean
decode_account (const char *text, gpointer public_key)
{
  return sv_ss58_decode (text, public_key);
}

static gboolean
decode_signature (const char *text, gpointer data)
{
  SvSignature *signature = data;
  return sv_signature_parse (text, SV_SIGNATURE_REQUEST, signature->bytes, &signature->scheme);
}

static gboolean
is_query_nonce (const char *text)
{
  return strnlen (text, NONCE_DIGITS + 1) == NONCE_DIGITS && strspn (text, "0123456789") == NONCE_DIGITS;
}

static gboolean
is_made_of (const char *text, const char *punctuation, gsize min, gsize max)
{
  gsize length = strnlen (text, max + 1);

  if (length < min || length > max)
    return FALSE;
  for (gsize i = 0; i < length; i++)
  {
    if (!g_ascii_isalnum (text[i]) && strchr (punctuation, text[i]) == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_x_nonce (const char *text)
{
  return is_made_of (text, "-", X_NONCE_MIN, X_NONCE_MAX);
}

static gboolean
is_client_id (const char *text)
{
  return is_made_of (text, "._-", 1, SV_CLIENT_ID_MAX);
}

static gboolean
is_manifest_hash (const char *text)
{
  char hash[SV_HASH_TEXT_SIZE];
  return sv_hash_normalize_into (text, hash);
}

/* One part of the request: its name, where it lies, whether it must be there, its syntax and that in words. What is decoded for
 * its syntax is kept where it is needed again. */
typedef struct
{
  const char *name;
  gsize offset;
  gboolean required;
  gboolean (*is_valid) (const char *text);
  const char *form;
  gboolean (*decode) (const char *text, gpointer decoded); /* instead of is_valid */
  gsize decoded;
} Part;

#define PART(field) offsetof (SvChallengeRequest, field)
static const char account_form[] = "an SS58 address (network prefix 42) without \"ss58:\"";
static const char signature_form[] = "128 lower-case hex digits, optionally after ed25519:, sr25519: or 0x";

static const Part legacy_parts[] = {
  { "validator_hotkey", PART (validator_hotkey), TRUE, NULL, account_form, decode_account, PART (asker_key) },
  { "signature", PART (signature), TRUE, NULL, signature_form, decode_signature, PART (asker_signature) },
  { "nonce", PART (nonce), TRUE, is_query_nonce, "nanoseconds since 1970, 19 digits" },
};

static const Part v3_parts[] = {
  { "element_id", PART (element_id), TRUE, sv_element_id_is_valid, "an element id" },
  { "miner_hotkey", PART (miner_hotkey), FALSE, is_account, account_form },
  { "chute_slug", PART (chute_slug), FALSE, sv_chute_slug_is_valid, "a chute slug" },
  { "X-Manifest-Hash", PART (manifest_hash), TRUE, is_manifest_hash, "sha256: and 64 lower-case hex digits" },
  { "X-Client-Id", PART (client_id), FALSE, is_client_id, "1 to 64 of the characters A-Z a-z 0-9 . _ -" },
  { "X-Nonce", PART (x_nonce), FALSE, is_x_nonce, "8 to 64 of the characters A-Z a-z 0-9 -" },
  { "X-Signature", PART (x_signature), FALSE, NULL, signature_form, decode_signature, PART (asker_x_signature) },
};

static gboolean
has_syntax (SvChallengeRequest *request, const Part *part, const char *text)
{
  return part->decode != NULL ? part->decode (text, G_STRUCT_MEMBER_P (request, part->decoded)) : part->is_valid (text);
}

static const char *
first_bad_part (SvChallengeRequest *request, const Part *parts, gsize n_parts, char **reason)
{
  for (gsize i = 0; i < n_parts; i++)
  {
    const char *text = G_STRUCT_MEMBER (const char *, request, parts[i].offset);
    if (text == NULL && !parts[i].required)
      continue;
    if (text != NULL && has_syntax (request, &parts[i], text))
      continue;
    *reason = g_strdup_printf ("%s is %s; it must be %s", parts[i].name, text == NULL ? "missing" : "malformed", parts[i].form);
    return parts[i].name;
  }
  return NULL;
}

static const char *
check_netuid (const SvChallengeRequest *request, guint netuid, char **reason)
{
  guint64 given;

  if (request->netuid == NULL)
    *reason = g_strdup_printf ("netuid is missing; it must be %u", netuid);
  else if (!sv_integer_parse (request->netuid, &given))
    *reason = g_strdup_printf ("netuid is malformed; it must be %u", netuid);
  else if (given != netuid)
    *reason = g_strdup_printf ("netuid is %" G_GUINT64_FORMAT "; this server serves netuid %u", given, netuid);
  else
    return NULL;
  return "netuid";
}

static const char *
check_signature_has_nonce (const SvChallengeRequest *request, char **reason)
{
  if (request->x_signature == NULL || request->x_nonce != NULL)
    return NULL;
  *reason = g_strdup ("X-Nonce is missing; X-Signature is over {manifest_hash}:{X-Nonce}");
  return "X-Nonce";
}

const char *
sv_challenge_check_form (SvChallengeRequest *request, guint netuid, gboolean legacy, char **reason)
{
  *reason = NULL;
  const char *field = first_bad_part (request, legacy_parts, G_N_ELEMENTS (legacy_parts), reason);
  if (field == NULL)
    field = check_netuid (request, netuid, reason);
  if (field == NULL && !legacy)
    field = first_bad_part (request, v3_parts, G_N_ELEMENTS (v3_parts), reason);
  if (field == NULL && !legacy)
    field = check_signature_has_nonce (request, reason);
  return field;
}

gboolean
sv_nonce_is_fresh (const char *nonce, gint64 now_ms)
{
  guint64 ns = 0;

  if (!is_query_nonce (nonce))
    return FALSE;
  for (gsize i = 0; i < NONCE_DIGITS; i++) /* so many fit */
    ns = ns * 10 + (guint64)(nonce[i] - '0');
  gint64 at_ms = (gint64)(ns / NS_PER_MS);
  return ABS (at_ms - now_ms) <= SV_NONCE_WINDOW_MS;
}

G_STATIC_ASSERT (SV_CHALLENGE_SIGNED_TEXT_SIZE > SV_HASH_TEXT_SIZE + 1 + X_NONCE_MAX);

gsize
sv_challenge_signed_text_into (const char *manifest_hash, const char *x_nonce, char text[SV_CHALLENGE_SIGNED_TEXT_SIZE])
{
  gsize of_hash = strlen (manifest_hash), of_nonce = strlen (x_nonce);
  g_assert (of_hash < SV_HASH_TEXT_SIZE && of_nonce <= X_NONCE_MAX);
  memcpy (text, manifest_hash, of_hash + 1);
  text[of_hash] = ':';
  memcpy (text + of_hash + 1, x_nonce, of_nonce + 1);
  return of_hash + 1 + of_nonce;
}

char *
sv_challenge_signed_text (const char *manifest_hash, const char *x_nonce)
{
  return g_strdup_printf ("%s:%s", manifest_hash, x_nonce);
}
