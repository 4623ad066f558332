/* Rules of the document. An account may stand in a statement once: in `add` and in `retire` at the same time it would be up to
 * the reader what comes first. A statement without any change is refused, since it could only use up a number. */
#include "protocol/signers_statement.h"

#include "base/error.h"
#include "base/hash.h"
#include "protocol/element_check.h"
#include "protocol/signed_fields.h"

static void
change_free (gpointer data)
{
  SvSignerChange *change = data;
  g_free (change->account);
  g_free (change);
}

void
sv_signers_statement_free (SvSignersStatement *statement)
{
  if (statement == NULL)
    return;
  g_clear_pointer (&statement->document, sv_signed_document_free);
  g_clear_pointer (&statement->add, g_ptr_array_unref);
  g_clear_pointer (&statement->retire, g_ptr_array_unref);
  g_free (statement->previous);
  g_free (statement);
}

/* ── rules ── */

static void
check_account (const SvScope *change, GHashTable *accounts)
{
  const char *text = sv_scope_string (change, "account", SV_REQUIRED);
  char *account = text != NULL ? sv_account_normalize (text) : NULL;
  if (text != NULL && account == NULL)
    sv_scope_fault (change, "account", "\"%s\" is not an account", text);
  else if (account != NULL && !g_hash_table_add (accounts, account))
    sv_scope_fault (change, "account", "stands in this statement twice");
}

static void
check_changes (const SvScope *top, const char *key, GHashTable *accounts)
{
  static const char *const fields[] = { "account", "from_block", NULL };
  const json_t *changes = sv_scope_array (top, key, SV_REQUIRED, 0, SV_SIGNERS_MAX_CHANGES);
  g_autofree char *at = sv_pointer_key (top->pointer, key);
  for (gsize i = 0; i < json_array_size (changes); i++)
  {
    g_autofree char *pointer = sv_pointer_index (at, i);
    g_auto (SvScope) change = { 0 };
    guint64 block;
    if (!sv_scope_init (&change, json_array_get (changes, i), pointer, top->faults))
      continue;
    check_account (&change, accounts);
    (void)sv_scope_integer (&change, "from_block", SV_REQUIRED, &block);
    sv_scope_warn_unknown (&change, fields);
  }
}

static void
check_place (const SvScope *top)
{
  guint64 number;
  if (!sv_scope_integer (top, "n", SV_REQUIRED, &number))
    return;
  if (number == 0)
    sv_scope_fault (top, "n", "is 0; the first statement has 1");
  else if (number > 1)
    sv_content_check_hash (top, "previous", SV_REQUIRED, SV_CONTENT_STORED);
  else if (!json_is_null (json_object_get (top->json, "previous")))
    sv_scope_fault (top, "previous", "must be null in the first statement");
}

void
sv_signers_statement_check (const json_t *json, SvFaults *faults)
{
  static const char *const fields[] = { SV_SIGNED_FIELD_NAMES, "n", "previous", "add", "retire", NULL };
  g_auto (SvScope) top = { 0 };
  if (!sv_scope_init (&top, json, "", faults))
    return;
  sv_signed_fields_check (&top, "signers");
  check_place (&top);
  g_autoptr (GHashTable) accounts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  check_changes (&top, "add", accounts);
  check_changes (&top, "retire", accounts);
  if (json_array_size (json_object_get (json, "add")) == 0 && json_array_size (json_object_get (json, "retire")) == 0)
    sv_scope_fault (&top, NULL, "adds and retires nobody");
  sv_scope_warn_unknown (&top, fields);
}

/* ── reading ── */

/* @json has passed the rules. */
static GPtrArray *
read_changes (const json_t *json, const char *key)
{
  GPtrArray *changes = g_ptr_array_new_with_free_func (change_free);
  const json_t *array = json_object_get (json, key);
  for (gsize i = 0; i < json_array_size (array); i++)
  {
    const json_t *item = json_array_get (array, i);
    SvSignerChange *change = g_new0 (SvSignerChange, 1);
    change->account = sv_account_normalize (json_string_value (json_object_get (item, "account")));
    change->from_block = (guint64)json_number_value (json_object_get (item, "from_block"));
    g_ptr_array_add (changes, change);
  }
  return changes;
}

/* Takes @document, and lets its parsed form go: what a store can show of it is bounded by its bytes. */
static SvSignersStatement *
read_statement (SvSignedDocument *document)
{
  SvSignersStatement *statement = g_new0 (SvSignersStatement, 1);
  statement->document = document;
  statement->number = (guint64)json_number_value (json_object_get (document->json, "n"));
  statement->previous = g_strdup (json_string_value (json_object_get (document->json, "previous")));
  statement->add = read_changes (document->json, "add");
  statement->retire = read_changes (document->json, "retire");
  g_clear_pointer (&document->json, json_decref);
  return statement;
}

SvSignersStatement *
sv_signers_statement_open (GBytes *bytes, const SvChainId *chain, GError **error)
{
  const SvDocumentRules rules = {
    .type = "signers", .chain = chain, .max_size = SV_SIGNERS_MAX_SIZE, .check_schema = sv_signers_statement_check
  };
  SvSignedDocument *document = sv_signed_document_open ("statement on signers", bytes, &rules, error);
  return document != NULL ? read_statement (document) : NULL;
}

gboolean
sv_signers_statement_follows (const SvSignersStatement *statement, const SvSignersStatement *last, GError **error)
{
  guint64 number = last != NULL ? last->number + 1 : 1;
  const char *previous = last != NULL ? last->document->hash : NULL;
  if (statement->number != number)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "statement on signers: /n: is %" G_GUINT64_FORMAT " where %" G_GUINT64_FORMAT " belongs", statement->number,
                 number);
  else if (g_strcmp0 (statement->previous, previous) != 0)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "statement on signers %" G_GUINT64_FORMAT ": /previous: is %s; the statement before it is %s", number,
                 statement->previous, previous);
  else
    return TRUE;
  return FALSE;
}

/* ── signing ── */

static json_t *
make_content (const SvSignersStatement *last, gboolean is_addition, const SvSignerChange *change)
{
  json_t *item = json_object ();
  g_autofree char *account = sv_account_document_form (change->account);
  json_object_set_new (item, "account", json_string (account));
  json_object_set_new (item, "from_block", sv_json_integer (change->from_block));
  json_t *add = json_array (), *retire = json_array ();
  json_array_append_new (is_addition ? add : retire, item);
  json_t *content = json_object ();
  json_object_set_new (content, "n", sv_json_integer (last != NULL ? last->number + 1 : 1));
  json_object_set_new (content, "previous", sv_json_string_or_null (last != NULL ? last->document->hash : NULL));
  json_object_set_new (content, "add", add);
  json_object_set_new (content, "retire", retire);
  return content;
}

SvSignersStatement *
sv_signers_statement_sign (const SvSignersStatement *last, gboolean is_addition, const SvSignerChange *change,
                           const SvChainId *chain, const SvKeypair *keypair, gint64 signed_at, GError **error)
{
  g_autoptr (json_t) content = make_content (last, is_addition, change);
  SvSignedDocument *document = sv_signed_document_create (content, "signers", chain, keypair, signed_at, error);
  return document != NULL ? read_statement (document) : NULL;
}
