/* Cases: whoever has loaded a key leaves no core dump and cannot be traced; of a key that was read from a file and freed
 * nothing is left anywhere in the program's memory, neither as text nor as bytes. */
#include "keys/secret.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/hash.h"
#include "keys/keypair.h"

#define MASK 0x55 /* the test's own copy of the secret must not look like it */
#define SEED_DIGITS 64
#define N_SOUGHT 32 /* the last digits: the allocator overwrites the beginning of a freed block */
#define MAX_FILE 4096

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef HAS_ADDRESS_SANITIZER
#define HAS_ADDRESS_SANITIZER 0
#endif

static char *path;

typedef struct
{
  guint8 masked[N_SOUGHT];
  gsize length;
} Secret;

static gboolean
is_at (const Secret *secret, const guint8 *memory)
{
  for (gsize i = 0; i < secret->length; i++)
    if ((memory[i] ^ MASK) != secret->masked[i])
      return FALSE;
  return TRUE;
}

static guint
count_in_region (const Secret *secret, const guint8 *start, const guint8 *end)
{
  guint n = 0;
  for (const guint8 *at = start; at + secret->length <= end; at++)
    n += is_at (secret, at) ? 1 : 0;
  return n;
}

/* How often the secret is in the memory that this program can read and write. */
static guint
count_in_memory (const Secret *secret)
{
  guint n = 0;
  char line[512], mode[5];
  unsigned long start, end;
  FILE *maps = fopen ("/proc/self/maps", "r");
  g_assert_nonnull (maps);
  while (fgets (line, sizeof line, maps) != NULL)
    if (sscanf (line, "%lx-%lx %4s", &start, &end, mode) == 3 && strncmp (mode, "rw", 2) == 0)
      n += count_in_region (secret, (const guint8 *)start, (const guint8 *)end);
  fclose (maps);
  return n;
}

/* What stands behind @field in the file, masked, as text or as bytes; the plain text is wiped again. */
static void
read_masked (const char *field, gboolean as_bytes, Secret *secret)
{
  guint8 *text = sodium_malloc (MAX_FILE);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gssize n = read (fd, text, MAX_FILE - 1);
  close (fd);
  g_assert_cmpint (n, >, 0);
  text[n] = '\0';
  g_autofree char *start = g_strdup_printf ("\"%s\": \"0x", field);
  char *digits = strstr ((char *)text, start);
  g_assert_nonnull (digits);
  digits += strlen (start);
  digits[SEED_DIGITS] = '\0';
  digits += SEED_DIGITS - N_SOUGHT;
  secret->length = as_bytes ? N_SOUGHT / 2 : N_SOUGHT;
  if (as_bytes)
    g_assert_true (sv_hex_decode (digits, FALSE, (guint8 *)digits, N_SOUGHT / 2));
  for (gsize i = 0; i < secret->length; i++)
    secret->masked[i] = (guint8)digits[i] ^ MASK;
  sodium_free (text);
}

static void
write_key (SvScheme scheme)
{
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (scheme);
  g_unlink (path);
  g_assert_true (sv_keyfile_create (path, keypair, NULL));
}

static void
load_sign_and_free (gboolean looking, const Secret *secret)
{
  g_autoptr (SvKeypair) keypair = sv_keyfile_read (path, NULL);
  g_assert_nonnull (keypair);
  g_autofree char *signature = sv_keypair_sign (keypair, "message", 7);
  g_assert_nonnull (signature);
  if (looking) /* that the search would find it */
    g_assert_cmpuint (count_in_memory (secret), >=, 1);
}

static void
test_no_core_dump (void)
{
  struct rlimit limit;
  write_key (SV_SCHEME_ED25519);
  g_assert_cmpint (getrlimit (RLIMIT_CORE, &limit), ==, 0);
  g_assert_cmpuint (limit.rlim_cur, ==, 0);
  g_assert_cmpint (prctl (PR_GET_DUMPABLE), ==, 0);
}

static void
assert_nothing_is_left (SvScheme scheme, const char *field)
{
  Secret text, bytes;
  write_key (scheme);
  read_masked (field, FALSE, &text);
  read_masked (field, TRUE, &bytes);
  load_sign_and_free (TRUE, &bytes);
  g_assert_cmpuint (count_in_memory (&text), ==, 0);
  g_assert_cmpuint (count_in_memory (&bytes), ==, 0);
}

static void
test_nothing_is_left_in_memory (void)
{
  if (HAS_ADDRESS_SANITIZER)
  {
    g_test_skip ("the sanitizer's own memory is too large to look through");
    return;
  }
  assert_nothing_is_left (SV_SCHEME_ED25519, "secretSeed");
  assert_nothing_is_left (SV_SCHEME_SR25519, "secretSeed");
  assert_nothing_is_left (SV_SCHEME_SR25519, "privateKey");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autofree char *directory = g_dir_make_tmp ("sv-secret-XXXXXX", NULL);
  path = g_build_filename (directory, "key", NULL);
  g_test_add_func ("/secret/no-core-dump", test_no_core_dump);
  g_test_add_func ("/secret/nothing-is-left-in-memory", test_nothing_is_left_in_memory);
  int status = g_test_run ();
  g_unlink (path);
  g_rmdir (directory);
  g_free (path);
  return status;
}
