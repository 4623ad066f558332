/* Accounts are printed whole, since they are copied from here into commands. With its reason beside it such a row would be
 * wider than a terminal, so that stands below. */
#include "cli/signers_print.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/table.h"

#define BLOCK "%" G_GUINT64_FORMAT

static char *
shorten (const char *account)
{
  gsize length = strlen (account);
  return length > 12 ? g_strdup_printf ("%.8s…%s", account, account + length - 4) : g_strdup (account);
}

/* "retired by statement 2 of 5FHneW46…94ty": no longer than an account, below which it stands. The whole account is in a row of
 * its own. */
static char *
describe_reason (const SvSigner *signer)
{
  g_autofree char *by = signer->by != NULL ? shorten (signer->by) : NULL;
  switch (signer->why)
  {
  case SV_WHY_SETTING:
    return g_strdup ("named by SCOREVISION_MANIFEST_SIGNERS");
  case SV_WHY_OWNER:
    return g_strdup ("the subnet's owner");
  case SV_WHY_ADDED:
    return g_strdup_printf ("added by statement " BLOCK " of %s", signer->statement, by);
  case SV_WHY_RETIRED:
    return g_strdup_printf ("retired by statement " BLOCK " of %s", signer->statement, by);
  case SV_WHY_REVOKED_BY_OWNER:
    return g_strdup ("revoked by the subnet's owner");
  case SV_WHY_REVOKED_BY_SETTING:
    return g_strdup ("revoked by SCOREVISION_MANIFEST_SIGNERS");
  default:
    return g_strdup ("");
  }
}

static gboolean
has_block (const SvSigner *signer)
{
  return signer->why == SV_WHY_ADDED || signer->why == SV_WHY_RETIRED;
}

static gboolean
signed_index (const SvSigner *signer, const SvIndex *index)
{
  return index != NULL && strcmp (index->document->signed_by, signer->account) == 0;
}

static json_t *
signer_to_json (const SvSigner *signer, const SvIndex *index)
{
  static const char *const reasons[] = {
    NULL, "setting", "owner", "added", "retired", "revoked_by_owner", "revoked_by_setting"
  };
  json_t *json = json_object ();
  json_object_set_new (json, "account", json_string (signer->account));
  json_object_set_new (json, "state", json_string (sv_signer_state_name (signer->state)));
  json_object_set_new (json, "reason", sv_json_string_or_null (reasons[signer->why]));
  json_object_set_new (json, "statement", has_block (signer) ? sv_json_integer (signer->statement) : json_null ());
  json_object_set_new (json, "by", sv_json_string_or_null (signer->by));
  json_object_set_new (json, "from_block", has_block (signer) ? sv_json_integer (signer->from_block) : json_null ());
  json_object_set_new (json, "until", signer->has_until ? sv_json_integer (signer->until) : json_null ());
  json_object_set_new (json, "signed_index", json_boolean (signed_index (signer, index)));
  return json;
}

void
sv_signers_print_json (const SvSigners *signers, GPtrArray *list, const SvIndex *index, const GError *fault)
{
  json_t *accounts = json_array ();
  for (guint i = 0; i < list->len; i++)
    json_array_append_new (accounts, signer_to_json (list->pdata[i], index));
  json_t *json = json_object ();
  json_object_set_new (json, "block", sv_json_integer (sv_signers_block (signers)));
  json_object_set_new (json, "statements", sv_json_integer (sv_signers_fold_last_effective (sv_signers_fold (signers))));
  json_object_set_new (json, "signers", accounts);
  json_object_set_new (json, "index_sequence", index != NULL ? sv_json_integer (index->sequence) : json_null ());
  json_object_set_new (json, "index_signed_by", sv_json_string_or_null (index != NULL ? index->document->signed_by : NULL));
  json_object_set_new (json, "index_fault", sv_json_string_or_null (fault != NULL ? fault->message : NULL));
  sv_print_json (json);
}

static void
add_block (SvTable *table, gboolean has_one, guint64 block)
{
  if (has_one)
    sv_table_printf (table, BLOCK, block);
  else
    sv_table_add (table, "");
}

static void
add_row (SvTable *table, const SvSigner *signer, const SvIndex *index)
{
  static const SvStyle styles[] = { [SV_SIGNER_UNKNOWN] = SV_STYLE_DIM,
                                    [SV_SIGNER_TRUSTED] = SV_STYLE_GREEN,
                                    [SV_SIGNER_COMING] = SV_STYLE_PLAIN,
                                    [SV_SIGNER_RETIRED] = SV_STYLE_YELLOW,
                                    [SV_SIGNER_REVOKED] = SV_STYLE_RED };
  SvStyle style = styles[signer->state];
  g_autofree char *reason = describe_reason (signer);
  sv_table_add (table, signer->account);
  sv_table_printf (table, "%s%s", sv_signer_state_name (signer->state), signed_index (signer, index) ? " *" : "");
  add_block (table, has_block (signer), signer->from_block);
  add_block (table, signer->has_until, signer->until);
  sv_table_style_row (table, style);
  if (*reason == '\0')
    return;
  sv_table_printf (table, "  %s", reason);
  sv_table_add (table, "");
  sv_table_add (table, "");
  sv_table_add (table, "");
  sv_table_style_row (table, style);
}

void
sv_signers_print (const SvSigners *signers, GPtrArray *list, const SvIndex *index, const GError *fault, gboolean use_color)
{
  static const char *const headers[] = { "ACCOUNT", "STATE", "FROM", "UNTIL", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT, SV_COLUMN_LEFT, SV_COLUMN_RIGHT, SV_COLUMN_RIGHT };
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  for (guint i = 0; i < list->len; i++)
    add_row (table, list->pdata[i], index);
  printf ("at block " BLOCK ", " BLOCK " statement%s\n\n", sv_signers_block (signers),
          sv_signers_fold_last_effective (sv_signers_fold (signers)),
          sv_signers_fold_last_effective (sv_signers_fold (signers)) == 1 ? "" : "s");
  sv_table_print (table, use_color);
  if (index != NULL)
    printf ("\n* signed the index, sequence " BLOCK "\n", index->sequence);
  else
  {
    g_autofree char *shown = sv_printable (fault->message);
    printf ("\nno index: %s\n", shown);
  }
}
