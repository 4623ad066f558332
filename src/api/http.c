/* Taking requests apart. The target is decoded here, from the bytes as they came: so a repeated parameter, a broken escape or
 * an encoded NUL is seen and refused, where a library would pick one reading of it and a proxy in front of us another. */
#include "api/http.h"

#include <string.h>

#include "base/words.h"

static void
clear_pair (gpointer item)
{
  SvPair *pair = item;
  g_free (pair->name);
  g_free (pair->value);
}

GArray *
sv_pairs_new (void)
{
  GArray *pairs = g_array_new (FALSE, FALSE, sizeof (SvPair));
  g_array_set_clear_func (pairs, clear_pair);
  return pairs;
}

void
sv_pairs_add (GArray *pairs, const char *name, const char *value)
{
  SvPair pair = { g_strdup (name), g_strdup (value), strlen (name) };
  g_array_append_val (pairs, pair);
}

GArray *
sv_pairs_new_borrowing (void)
{
  return g_array_new (FALSE, FALSE, sizeof (SvPair));
}

void
sv_pairs_borrow (GArray *pairs, char *name, char *value)
{
  SvPair pair = { name, value, strlen (name) };
  g_array_append_val (pairs, pair);
}

static gboolean
has_name (const SvPair *pair, const char *name, gsize length, gboolean any_case)
{
  return pair->name_length == length &&
         (memcmp (pair->name, name, length) == 0 || (any_case && g_ascii_strncasecmp (pair->name, name, length) == 0));
}

static guint
find_pairs (const GArray *pairs, const char *name, gsize length, gboolean any_case, const char **first)
{
  guint n = 0;
  for (guint i = 0; i < pairs->len; i++)
  {
    const SvPair *pair = &g_array_index (pairs, SvPair, i);
    if (!has_name (pair, name, length, any_case))
      continue;
    if (n++ == 0)
      *first = pair->value;
  }
  return n;
}

const char *
sv_pairs_find (const GArray *pairs, const char *name, gboolean any_case)
{
  const char *value = NULL;
  find_pairs (pairs, name, strlen (name), any_case, &value);
  return value;
}

char *
sv_pairs_join (const GArray *pairs, const char *name)
{
  GString *list = NULL;
  for (guint i = 0; i < pairs->len; i++)
  {
    const SvPair *pair = &g_array_index (pairs, SvPair, i);
    if (g_ascii_strcasecmp (pair->name, name) != 0)
      continue;
    if (list == NULL)
      list = g_string_new (pair->value);
    else
      g_string_append_printf (list, ",%s", pair->value);
  }
  return list != NULL ? g_string_free (list, FALSE) : NULL;
}

void
sv_target_free (SvTarget *target)
{
  if (target == NULL)
    return;
  g_clear_pointer (&target->parameters, g_array_unref);
  g_free (target->text);
  g_free (target);
}

/* Percent escapes, and in the query "+" for a space: what is decoded is never longer, so it takes the place of what was there,
 * with a NUL over the byte after it; whole words with nothing of that in them stay as they are. FALSE for a broken escape or
 * what would decode to a control character. */
static gboolean
decode (char *text, gsize length, gboolean is_query)
{
  gsize n = sv_words_in_range (text, length, '+' + 1, '~');
  for (gsize i = n; i < length; i++)
  {
    guint8 byte = (guint8)text[i];
    if (byte == '%')
    {
      if (i + 2 >= length || !g_ascii_isxdigit (text[i + 1]) || !g_ascii_isxdigit (text[i + 2]))
        return FALSE;
      byte = (guint8)(g_ascii_xdigit_value (text[i + 1]) << 4 | g_ascii_xdigit_value (text[i + 2]));
      i += 2;
    }
    else if (byte == '+' && is_query)
      byte = ' ';
    if (byte < 0x20 || byte == 0x7f)
      return FALSE;
    text[n++] = (char)byte;
  }
  text[n] = '\0';
  return TRUE;
}

static gboolean
add_parameter (GArray *parameters, char *text, gsize length)
{
  char *equals = memchr (text, '=', length);
  gsize name_length = equals != NULL ? (gsize)(equals - text) : length;
  char *value = equals != NULL ? equals + 1 : text + length;
  if (!decode (value, length - name_length - (equals != NULL ? 1 : 0), TRUE) || !decode (text, name_length, TRUE))
    return FALSE;
  sv_pairs_borrow (parameters, text, value);
  return TRUE;
}

static const char *
parse_query (GArray *parameters, char *query, gsize length)
{
  for (char *part = query, *end = query + length; part != NULL;)
  {
    char *next = memchr (part, '&', (gsize)(end - part));
    gsize n = (gsize)((next != NULL ? next : end) - part);
    if (n > 0 && parameters->len == SV_PARAMETERS_MAX)
      return "there are more than " G_STRINGIFY (SV_PARAMETERS_MAX) " parameters";
    if (n > 0 && !add_parameter (parameters, part, n))
      return "the query has a broken percent escape or a control character";
    part = next != NULL ? next + 1 : NULL;
  }
  return NULL;
}

const char *
sv_target_decode (SvTarget *target, char *text, gsize length)
{
  if (length > SV_TARGET_MAX)
    return "the request's target is longer than " G_STRINGIFY (SV_TARGET_MAX) " bytes";
  if (length == 0 || text[0] != '/')
    return "the request's target must begin with /";
  char *question = memchr (text, '?', length);
  gsize path_length = question != NULL ? (gsize)(question - text) : length;
  const char *reason = question != NULL ? parse_query (target->parameters, question + 1, length - path_length - 1) : NULL;
  if (!decode (text, path_length, FALSE))
    reason = "the path has a broken percent escape or a control character";
  target->path = text;
  return reason;
}

SvTarget *
sv_target_parse (const char *raw, const char **reason)
{
  g_autoptr (SvTarget) target = g_new0 (SvTarget, 1);
  gsize length = strnlen (raw, SV_TARGET_MAX + 1);
  target->parameters = sv_pairs_new_borrowing ();
  target->text = g_strndup (raw, length);
  *reason = sv_target_decode (target, target->text, length);
  return *reason == NULL ? g_steal_pointer (&target) : NULL;
}

/* ── our own parameters and headers ── */

typedef struct
{
  const char *name;
  gsize length;
  gboolean is_header;
  gsize offset;
} Part;

#define PART(name, is_header, field)                                                                                           \
  {                                                                                                                            \
    name, sizeof name - 1, is_header, G_STRUCT_OFFSET (SvChallengeRequest, field)                                              \
  }

static const Part parts[] = {
  PART ("validator_hotkey", FALSE, validator_hotkey),
  PART ("signature", FALSE, signature),
  PART ("nonce", FALSE, nonce),
  PART ("netuid", FALSE, netuid),
  PART ("element_id", FALSE, element_id),
  PART ("miner_hotkey", FALSE, miner_hotkey),
  PART ("chute_slug", FALSE, chute_slug),
  PART ("X-Manifest-Hash", TRUE, manifest_hash),
  PART ("X-Commitment-Proof", TRUE, commitment_proof),
  PART ("X-Client-Id", TRUE, client_id),
  PART ("X-Nonce", TRUE, x_nonce),
  PART ("X-Signature", TRUE, x_signature),
};

const char *
sv_challenge_request_read (const GArray *parameters, const GArray *headers, SvChallengeRequest *request)
{
  memset (request, 0, sizeof *request);
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
  {
    const char *value = NULL;
    guint n =
        find_pairs (parts[i].is_header ? headers : parameters, parts[i].name, parts[i].length, parts[i].is_header, &value);
    if (n > 1)
      return parts[i].name;
    G_STRUCT_MEMBER (const char *, request, parts[i].offset) = value;
  }
  return NULL;
}

const char *
sv_parameters_repeated (const GArray *parameters, const char *const *names)
{
  for (; *names != NULL; names++)
  {
    const char *value = NULL;
    if (find_pairs (parameters, *names, strlen (*names), FALSE, &value) > 1)
      return *names;
  }
  return NULL;
}
