/* Anchor and revocation texts (docs/protocol.md section 5): the forms that are read, those that say nothing, and that what is
 * written reads back. */
#include "sample.h"

#include "base/error.h"
#include "protocol/anchor.h"

static void
anchor_is_read (void)
{
  GError *error = NULL;
  g_autoptr (SvAnchor) anchor = sv_anchor_parse ("sv1 manifest " HASH_A " 9007199254740991", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (anchor->hash, ==, HASH_A);
  g_assert_cmpuint (anchor->sequence, ==, SV_JSON_MAX_INTEGER);
  g_assert_null (anchor->revoked[0]);
}

static void
revoked_accounts_follow_line_by_line (void)
{
  GError *error = NULL;
  g_autoptr (SvAnchor) both = sv_anchor_parse ("sv1 manifest " HASH_A " 1\n" ALICE "\n" BOB, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (both->hash, ==, HASH_A);
  g_assert_cmpstr (both->revoked[0], ==, ALICE);
  g_assert_cmpstr (both->revoked[1], ==, BOB);
  g_assert_null (both->revoked[2]);
  g_autoptr (SvAnchor) bare = sv_anchor_parse ("sv1 revoke\n" BOB, &error);
  g_assert_no_error (error);
  g_assert_null (bare->hash);
  g_assert_cmpstr (bare->revoked[0], ==, BOB);
  g_assert_null (bare->revoked[1]);
}

static void
other_texts_are_refused (void)
{
  static const char *const texts[] = {
    "",
    "sv1",
    "sv1 revoke",
    "sv1 revoke\n",
    "sv1 revoke \n" ALICE,
    "sv1 revoke\n" ALICE "\n",
    "sv1 revoke\n\n" ALICE,
    "sv1 revoke\n" ALICE "\r\n" BOB,
    "sv1 revoke\nss58:" ALICE,
    "sv1 revoke\n5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQX",
    "sv1 revoked\n" ALICE,
    "SV1 revoke\n" ALICE,
    " sv1 revoke\n" ALICE,
    "sv1 manifest",
    "sv1 manifest " HASH_A,
    "sv1 manifest " HASH_A " ",
    "sv1 manifest " HASH_A " 1 ",
    "sv1 manifest " HASH_A " 1\n",
    "sv1 manifest " HASH_A "  1",
    "sv1  manifest " HASH_A " 1",
    "sv1 manifest " HEX_A " 1",
    "sv1 manifest " HASH_A " 01",
    "sv1 manifest " HASH_A " +1",
    "sv1 manifest " HASH_A " 9007199254740992",
    "sv1 manifest " HASH_A " 1 2",
    "sv1 commit 2025-10-23 45",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
  {
    g_autoptr (GError) error = NULL;
    g_test_message ("%s", texts[i]);
    g_assert_null (sv_anchor_parse (texts[i], &error));
    g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  }
}

static void
endless_text_is_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new ("sv1 revoke");
  while (text->len < 64 * 1024)
    g_string_append (text, "\n" ALICE);
  g_assert_null (sv_anchor_parse (text->str, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
}

static void
written_texts_have_the_exact_form (void)
{
  static const char *const revoked[] = { ALICE, BOB, NULL };
  g_autofree char *anchor = sv_anchor_format (HASH_A, 12, NULL);
  g_autofree char *both = sv_anchor_format (HASH_A, 12, revoked);
  g_autofree char *revocation = sv_anchor_format (NULL, 0, revoked);
  g_assert_cmpstr (anchor, ==, "sv1 manifest " HASH_A " 12");
  g_assert_cmpstr (both, ==, "sv1 manifest " HASH_A " 12\n" ALICE "\n" BOB);
  g_assert_cmpstr (revocation, ==, "sv1 revoke\n" ALICE "\n" BOB);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/anchor/anchor-is-read", anchor_is_read);
  g_test_add_func ("/anchor/revoked-accounts-follow-line-by-line", revoked_accounts_follow_line_by_line);
  g_test_add_func ("/anchor/other-texts-are-refused", other_texts_are_refused);
  g_test_add_func ("/anchor/endless-text-is-refused", endless_text_is_refused);
  g_test_add_func ("/anchor/written-texts-have-the-exact-form", written_texts_have_the_exact_form);
  return g_test_run ();
}
