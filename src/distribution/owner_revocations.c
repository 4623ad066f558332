/* By owner, so that a person who finds that one was made up by a node can take out his list and no other. */
#include "distribution/owner_revocations.h"

#include "keys/ss58.h"

#define UNKNOWN_OWNER "" /* of those that stand in `revoked` */

struct SvOwnerRevocations
{
  GHashTable *by_owner; /* bare address -> GPtrArray of bare addresses, NULL-terminated */
  GPtrArray *accounts;  /* all of them, NULL-terminated */
};

static GPtrArray *
new_list (void)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (list, NULL);
  return list;
}

static gboolean
list_has (const GPtrArray *list, const char *account)
{
  return g_strv_contains ((const char *const *)list->pdata, account);
}

static gboolean
list_add (GPtrArray *list, const char *account)
{
  if (list_has (list, account))
    return FALSE;
  g_ptr_array_insert (list, (gint)list->len - 1, g_strdup (account));
  return TRUE;
}

SvOwnerRevocations *
sv_owner_revocations_new (void)
{
  SvOwnerRevocations *revocations = g_new0 (SvOwnerRevocations, 1);
  revocations->by_owner = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  revocations->accounts = new_list ();
  return revocations;
}

void
sv_owner_revocations_free (SvOwnerRevocations *revocations)
{
  if (revocations == NULL)
    return;
  g_hash_table_unref (revocations->by_owner);
  g_ptr_array_unref (revocations->accounts);
  g_free (revocations);
}

gboolean
sv_owner_revocations_has (const SvOwnerRevocations *revocations, const char *owner, const char *account)
{
  const GPtrArray *list = g_hash_table_lookup (revocations->by_owner, owner);
  return list != NULL && list_has (list, account);
}

gboolean
sv_owner_revocations_add (SvOwnerRevocations *revocations, const char *owner, const char *account)
{
  GPtrArray *list = g_hash_table_lookup (revocations->by_owner, owner);
  if (list == NULL)
  {
    list = new_list ();
    g_hash_table_insert (revocations->by_owner, g_strdup (owner), list);
  }
  (void)list_add (revocations->accounts, account);
  return list_add (list, account);
}

const char *const *
sv_owner_revocations_accounts (const SvOwnerRevocations *revocations)
{
  return (const char *const *)revocations->accounts->pdata;
}

/* ── as JSON ── */

static void
read_list (SvOwnerRevocations *revocations, const SvScope *scope, const char *key, const char *owner)
{
  const json_t *list = sv_scope_array (scope, key, SV_REQUIRED, 0, G_MAXUINT16);
  for (gsize i = 0; i < json_array_size (list); i++)
  {
    const char *text = json_string_value (json_array_get (list, i));
    g_autofree char *account = text != NULL ? sv_account_normalize (text) : NULL;
    if (account == NULL)
      sv_scope_fault (scope, key, "item %" G_GSIZE_FORMAT " is not an account", i);
    else
      (void)sv_owner_revocations_add (revocations, owner, account);
  }
}

void
sv_owner_revocations_read (SvOwnerRevocations *revocations, const SvScope *top)
{
  g_auto (SvScope) owners = { 0 };
  read_list (revocations, top, "revoked", UNKNOWN_OWNER);
  if (!sv_scope_object (top, "revoked_by", SV_OPTIONAL, &owners))
    return;
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)owners.json, key, value)
  {
    g_autofree char *owner = sv_account_normalize (key);
    if (owner == NULL)
      sv_scope_fault (&owners, key, "not an account");
    else
      read_list (revocations, &owners, key, owner);
  }
}

static json_t *
list_to_json (const GPtrArray *list)
{
  json_t *json = json_array ();
  for (guint i = 0; list != NULL && list->pdata[i] != NULL; i++)
    json_array_append_new (json, json_string (list->pdata[i]));
  return json;
}

void
sv_owner_revocations_write (const SvOwnerRevocations *revocations, json_t *json)
{
  json_t *owners = json_object ();
  GHashTableIter iter;
  gpointer owner, list;
  g_hash_table_iter_init (&iter, revocations->by_owner);
  while (g_hash_table_iter_next (&iter, &owner, &list))
    if (*(const char *)owner != '\0')
      json_object_set_new (owners, owner, list_to_json (list));
  json_object_set_new (json, "revoked_by", owners);
  json_object_set_new (json, "revoked", list_to_json (g_hash_table_lookup (revocations->by_owner, UNKNOWN_OWNER)));
}
