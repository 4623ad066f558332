/* Answers one line for each line of standard input, its fields parted by tabs:
 *   key SCHEME URI                            public key and address
 *   private HEX PUBLIC-KEY|-                  public key and address
 *   sign SCHEME SEED MESSAGE                  a signature
 *   verify ADDRESS SIGNATURE MESSAGE          yes, or no
 * Seeds, keys and messages are hex. What fails is answered with "error CODE MESSAGE". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "keys/secret_uri.h"

static SvScheme
scheme_of (const char *name)
{
  return strcmp (name, "sr25519") == 0 ? SV_SCHEME_SR25519 : SV_SCHEME_ED25519;
}

static void
read_hex (const char *text, guint8 *out, gsize length)
{
  if (!sv_hex_decode (text, TRUE, out, length))
    exit (2);
}

/* Takes @keypair. */
static void
print_key (SvKeypair *keypair, const GError *error)
{
  if (keypair == NULL)
  {
    printf ("error %d %s\n", error->code, error->message);
    return;
  }
  g_autofree char *hex = sv_hex_encode (sv_keypair_public_key (keypair), SV_PUBLIC_KEY_SIZE);
  printf ("%s %s\n", hex, sv_keypair_address (keypair));
  sv_keypair_free (keypair);
}

static void
answer_key (char **fields)
{
  g_autoptr (GError) error = NULL;
  SvKeypair *keypair = sv_keypair_from_uri ("uri", fields[2], scheme_of (fields[1]), &error);
  print_key (keypair, error);
}

static void
answer_private (char **fields)
{
  g_autoptr (GError) error = NULL;
  guint8 key[SV_SR25519_SECRET_SIZE], public_key[SV_PUBLIC_KEY_SIZE];
  gboolean is_known = strcmp (fields[2], "-") != 0;
  read_hex (fields[1], key, sizeof key);
  if (is_known)
    read_hex (fields[2], public_key, sizeof public_key);
  SvKeypair *keypair = sv_keypair_from_private_key ("key", key, is_known ? public_key : NULL, &error);
  print_key (keypair, error);
}

static void
answer_sign (char **fields)
{
  guint8 seed[32];
  gsize length = strlen (fields[3]) / 2;
  g_autofree guint8 *message = g_malloc (length + 1);
  read_hex (fields[2], seed, sizeof seed);
  read_hex (fields[3], message, length);
  g_autoptr (SvKeypair) keypair = sv_keypair_from_seed (seed, scheme_of (fields[1]));
  g_autofree char *signature = sv_keypair_sign (keypair, message, length);
  printf ("%s\n", signature);
}

static void
answer_verify (char **fields)
{
  gsize length = strlen (fields[3]) / 2;
  g_autofree guint8 *message = g_malloc (length + 1);
  read_hex (fields[3], message, length);
  puts (sv_signature_verify (fields[1], message, length, fields[2], SV_SIGNATURE_REQUEST) ? "yes" : "no");
}

static const struct
{
  const char *name;
  guint n_fields;
  void (*answer) (char **fields);
} questions[] = {
  { "key", 3, answer_key },
  { "private", 3, answer_private },
  { "sign", 4, answer_sign },
  { "verify", 4, answer_verify },
};

int
main (void)
{
  g_autofree char *line = NULL;
  size_t size = 0;
  for (gssize length; (length = getline (&line, &size, stdin)) > 0;)
  {
    line[length - 1] = '\0';
    g_auto (GStrv) fields = g_strsplit (line, "\t", -1);
    gboolean known = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS (questions) && !known; i++)
    {
      known = strcmp (fields[0], questions[i].name) == 0 && g_strv_length (fields) == questions[i].n_fields;
      if (known)
        questions[i].answer (fields);
    }
    if (!known)
      return 2;
  }
  return 0;
}
