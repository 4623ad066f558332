/* What of a setting may be shown. A value can be a list of URLs. */
#include "base/config.h"

#include <string.h>

#define MASK "****"

/* The password of "user:PASSWORD@host…", which ends at the last "@" before the path; (out) its length. NULL: there is none. */
static const char *
find_password (const char *authority, gsize *length)
{
  const char *at = g_strrstr_len (authority, (gssize)strcspn (authority, "/?#"), "@");
  const char *colon = at != NULL ? memchr (authority, ':', (gsize)(at - authority)) : NULL;
  if (colon == NULL)
    return NULL;
  *length = (gsize)(at - colon - 1);
  return colon + 1;
}

/* "host:5432,[::1]:5432", as no password begins. */
static gboolean
are_hosts (const char *authority, gsize length)
{
  g_autofree char *text = g_strndup (authority, length);
  g_auto (GStrv) hosts = g_strsplit (text, ",", -1);
  for (char **host = hosts; *host != NULL; host++)
  {
    const char *bracket = **host == '[' ? strchr (*host, ']') : NULL;
    const char *colon = strchr (bracket != NULL ? bracket : *host, ':');
    if (colon != NULL && colon[1 + strspn (colon + 1, "0123456789")] != '\0')
      return FALSE;
  }
  return TRUE;
}

/* "host:5432/db?user=me@there": the "@" is in the value of a parameter. */
static gboolean
is_in_parameter (const char *authority, const char *at)
{
  const char *query = strchr (authority, '?');
  return query != NULL && query < at && memchr (query, '=', (gsize)(at - query)) != NULL &&
         are_hosts (authority, strcspn (authority, "/?#"));
}

gboolean
sv_config_url_is_ambiguous (const char *url)
{
  const char *scheme = strstr (url, "://");
  if (scheme == NULL || !g_str_has_prefix (url, "postgres"))
    return FALSE;
  const char *authority = scheme + 3;
  const char *at = strchr (authority, '@');
  gsize length = strcspn (authority, "/?#");
  if (at == NULL)
    return FALSE;
  if (at >= authority + length) /* behind what would be the host, if it were not a password with one of these in it */
    return !is_in_parameter (authority, at);
  const char *second = strchr (at + 1, '@');
  return second != NULL && second < at + strcspn (at, "?");
}

/* Of each URL. One in which nobody can say where the password ends shows nothing but its scheme. */
static char *
mask_user_information (const char *value)
{
  if (sv_config_url_is_ambiguous (value))
    return g_strdup_printf ("%.*s" MASK, (int)(strstr (value, "://") + 3 - value), value);
  GString *masked = g_string_new (NULL);
  const char *rest = value;
  for (const char *scheme; (scheme = strstr (rest, "://")) != NULL;)
  {
    gsize length = 0;
    const char *authority = scheme + 3;
    const char *password = find_password (authority, &length);
    const char *end = password != NULL ? password : authority;
    g_string_append_len (masked, rest, end - rest);
    g_string_append (masked, password != NULL ? MASK : "");
    rest = end + length;
  }
  g_string_append (masked, rest);
  return g_string_free (masked, FALSE);
}

/* The parameter's name, which ends at @equals, says that its value is a secret: password, apikey, access_token, … */
static gboolean
names_secret (const char *start, const char *equals)
{
  static const char *const words[] = { "pass", "key", "token", "secret", "auth" };
  const char *name = equals;
  while (name > start && strchr ("?& ;,", name[-1]) == NULL)
    name--;
  g_autofree char *lower = g_ascii_strdown (name, equals - name);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (strstr (lower, words[i]) != NULL)
      return TRUE;
  return FALSE;
}

/* Parameters of a URL, and those of the form "host=… password=…". */
static char *
mask_parameters (const char *value)
{
  GString *masked = g_string_new (NULL);
  for (const char *rest = value; *rest != '\0';)
  {
    const char *equals = strchr (rest, '=');
    gsize length = equals != NULL ? (gsize)(equals + 1 - rest) : strlen (rest);
    g_string_append_len (masked, rest, (gssize)length);
    rest += length;
    if (equals == NULL || !names_secret (value, equals))
      continue;
    g_string_append (masked, MASK);
    rest += strcspn (rest, "& ");
  }
  return g_string_free (masked, FALSE);
}

char *
sv_config_mask (const char *value)
{
  g_autofree char *masked = mask_user_information (value);
  return mask_parameters (masked);
}
