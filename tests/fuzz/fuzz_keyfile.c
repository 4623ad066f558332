/* Key files and secrets that people wrote down: whatever is read can sign, and its phrase gives the same account. An input that
 * begins with "{" is a file's content, any other a secret; of both schemes. Encrypted files stay out: each would cost seconds.
 */
#include <string.h>

#include "keys/keyfile.h"
#include "keys/secret_uri.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

#define MAX_TEXT 2048

static void
check_key (const SvKeypair *keypair, const GError *error)
{
  g_assert_true ((keypair == NULL) == (error != NULL));
  if (keypair == NULL)
    return;
  g_autofree char *signature = sv_keypair_sign (keypair, "message", 7);
  g_assert_true (sv_signature_verify (sv_keypair_address (keypair), "message", 7, signature, SV_SIGNATURE_DOCUMENT));
  if (sv_keypair_phrase (keypair) == NULL)
    return;
  g_autoptr (SvKeypair) again = sv_keypair_from_uri ("phrase", sv_keypair_phrase (keypair), sv_keypair_scheme (keypair), NULL);
  g_assert_nonnull (again);
  g_assert_cmpstr (sv_keypair_address (again), ==, sv_keypair_address (keypair));
}

static void
read_secret (const char *text, SvScheme scheme)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvKeypair) keypair = sv_keypair_from_uri ("fuzz", text, scheme, &error);
  check_key (keypair, error);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  if (size == 0 || size > MAX_TEXT)
    return 0;
  if (data[0] == '{')
  {
    g_autoptr (GError) error = NULL;
    g_autoptr (SvKeypair) keypair = sv_keyfile_parse ("fuzz", data, size, &error);
    check_key (keypair, error);
    return 0;
  }
  g_autofree char *text = g_strndup ((const char *)data, size);
  read_secret (text, SV_SCHEME_SR25519);
  read_secret (text, SV_SCHEME_ED25519);
  return 0;
}
