/* Cases: a key is prepared when it has signed twice, not before, and for its scheme alone, also where a whole subnet's accounts
 * sign in turn; never more than the capacity; keys in use outlast a flood of others that come twice, those not in use make
 * room; what can be no key is not kept; many threads with more keys than there is room for; sv_signature_verify_by_key()
 * answers the same before and after a key is prepared. */
#include "keys/key_memory.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "crafted_signature.h"

#define CAPACITY 4
#define N_THREADS 4

typedef struct
{
  guint8 bytes[SV_PUBLIC_KEY_SIZE];
} Key;

static Key
draw_key (void)
{
  Key key;
  crypto_core_ed25519_random (key.bytes);
  return key;
}

static gboolean
is_prepared (SvKeyMemory *memory, const Key *key)
{
  g_autoptr (SvPreparedKey) found = sv_key_memory_find (memory, SV_SCHEME_ED25519, key->bytes);
  g_assert_true (found == NULL || sv_prepared_key_is (found, SV_SCHEME_ED25519, key->bytes));
  return found != NULL;
}

static void
sign_times (SvKeyMemory *memory, const Key *key, guint n)
{
  for (guint i = 0; i < n; i++)
    sv_key_memory_accepted (memory, SV_SCHEME_ED25519, key->bytes);
}

static void
test_prepared_when_it_comes_again (void)
{
  g_autoptr (SvKeyMemory) memory = sv_key_memory_new (CAPACITY);
  Key key = draw_key (), other = draw_key ();
  g_assert_false (is_prepared (memory, &key));
  sign_times (memory, &key, 1);
  g_assert_false (is_prepared (memory, &key));
  sign_times (memory, &key, 1);
  g_assert_true (is_prepared (memory, &key));
  sign_times (memory, &key, 1);
  g_assert_true (is_prepared (memory, &key));
  g_assert_false (is_prepared (memory, &other));
}

static void
test_schemes_apart (void)
{
  g_autoptr (SvKeyMemory) memory = sv_key_memory_new (CAPACITY);
  Key key;
  do
    crypto_core_ristretto255_random (key.bytes);
  while (crypto_core_ed25519_is_valid_point (key.bytes) != 1);
  for (guint i = 0; i < 2; i++)
    sv_key_memory_accepted (memory, SV_SCHEME_SR25519, key.bytes);
  g_assert_false (is_prepared (memory, &key));
  sign_times (memory, &key, 2);
  g_assert_true (is_prepared (memory, &key));
  g_autoptr (SvPreparedKey) found = sv_key_memory_find (memory, SV_SCHEME_SR25519, key.bytes);
  g_assert_true (found != NULL && sv_prepared_key_is (found, SV_SCHEME_SR25519, key.bytes));
}

/* Nobody signs twice before all others have signed once. */
static void
test_many_that_sign_in_turn (void)
{
  enum
  {
    N_ACCOUNTS = 256,
  };
  g_autoptr (SvKeyMemory) memory = sv_key_memory_new (2 * N_ACCOUNTS);
  g_autofree Key *keys = g_new (Key, N_ACCOUNTS);
  for (guint i = 0; i < N_ACCOUNTS; i++)
    keys[i] = draw_key ();
  for (guint round = 0; round < 2; round++)
    for (guint i = 0; i < N_ACCOUNTS; i++)
      sign_times (memory, &keys[i], 1);
  for (guint i = 0; i < N_ACCOUNTS; i++)
    g_assert_true (is_prepared (memory, &keys[i]));
}

static void
test_capacity (void)
{
  g_autoptr (SvKeyMemory) memory = sv_key_memory_new (CAPACITY);
  Key keys[10 * CAPACITY];
  guint n_prepared = 0;
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
  {
    keys[i] = draw_key ();
    sign_times (memory, &keys[i], 2);
  }
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    n_prepared += is_prepared (memory, &keys[i]);
  g_assert_cmpuint (n_prepared, ==, CAPACITY);
  g_assert_true (is_prepared (memory, &keys[G_N_ELEMENTS (keys) - 1])); /* nobody used the others */
}

static void
test_keys_in_use_outlast_a_flood (void)
{
  g_autoptr (SvKeyMemory) memory = sv_key_memory_new (CAPACITY);
  Key used[CAPACITY - 1], idle = draw_key (), last = { { 0 } };
  for (guint i = 0; i < G_N_ELEMENTS (used); i++)
  {
    used[i] = draw_key ();
    sign_times (memory, &used[i], 2);
  }
  sign_times (memory, &idle, 2);
  for (guint flood = 0; flood < 100; flood++)
  {
    for (guint i = 0; i < G_N_ELEMENTS (used); i++)
      g_assert_true (is_prepared (memory, &used[i]));
    for (guint i = 0; i < CAPACITY - 1; i++) /* less than one for each place */
    {
      last = draw_key ();
      sign_times (memory, &last, 2);
    }
  }
  g_assert_false (is_prepared (memory, &idle));
  for (guint i = 0; i < G_N_ELEMENTS (used); i++)
    g_assert_true (is_prepared (memory, &used[i]));
  sign_times (memory, &last, 2 * CAPACITY); /* the used ones are looked at in turn, and then no more in use */
  g_assert_true (is_prepared (memory, &last));
}

static void
test_what_can_be_no_key (void)
{
  g_autoptr (SvKeyMemory) memory = sv_key_memory_new (CAPACITY);
  Key zero = { { 0 } };
  sign_times (memory, &zero, 3);
  g_assert_false (is_prepared (memory, &zero));
}

/* ---- threads ---- */

#define N_SIGNED (3 * CAPACITY)
#define N_ROUNDS 300

typedef struct
{
  SvKeyMemory *memory;
  guint8 public_key[N_SIGNED][SV_PUBLIC_KEY_SIZE];
  SvSignature signature[N_SIGNED];
  guint n_wrong; /* atomic */
} Signed;

static void
draw_signed (Signed *all)
{
  for (guint i = 0; i < N_SIGNED; i++)
  {
    SvCraft craft = { .scheme = i % 2 ? SV_SCHEME_SR25519 : SV_SCHEME_ED25519, .message = "message", .length = 7 };
    crypto_core_ed25519_scalar_random (craft.a);
    crypto_core_ed25519_scalar_random (craft.r);
    sv_craft_signature (&craft, all->public_key[i], all->signature[i].bytes);
    all->signature[i].scheme = craft.scheme;
  }
}

static gpointer
verify_in_turn (gpointer data)
{
  Signed *all = data;
  for (guint n = 0; n < N_ROUNDS; n++)
  {
    guint i = randombytes_uniform (N_SIGNED);
    const SvSignature *signature = &all->signature[i];
    g_autoptr (SvPreparedKey) key = sv_key_memory_find (all->memory, signature->scheme, all->public_key[i]);
    if (key == NULL)
      sv_key_memory_accepted (all->memory, signature->scheme, all->public_key[i]);
    else if (!sv_prepared_key_verify (key, "message", 7, signature->bytes) ||
             sv_prepared_key_verify (key, "massage", 7, signature->bytes))
      g_atomic_int_inc (&all->n_wrong);
  }
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (SvKeyMemory) memory = sv_key_memory_new (CAPACITY);
  g_autofree Signed *all = g_new0 (Signed, 1);
  GThread *threads[N_THREADS];
  all->memory = memory;
  draw_signed (all);
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("verifier", verify_in_turn, all);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (all->n_wrong, ==, 0);
}

static void
test_same_answers_before_and_after (void)
{
  g_autofree Signed *all = g_new0 (Signed, 1);
  draw_signed (all);
  for (guint i = 0; i < N_SIGNED; i++)
    for (guint n = 0; n < 5; n++)
    {
      SvSignature forged = all->signature[i];
      forged.bytes[n] ^= 1;
      g_assert_true (sv_signature_verify_by_key (all->public_key[i], "message", 7, &all->signature[i]));
      g_assert_false (sv_signature_verify_by_key (all->public_key[i], "massage", 7, &all->signature[i]));
      g_assert_false (sv_signature_verify_by_key (all->public_key[i], "message", 7, &forged));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (sodium_init () < 0)
    return 1;
  g_test_add_func ("/key-memory/prepared-when-it-comes-again", test_prepared_when_it_comes_again);
  g_test_add_func ("/key-memory/schemes-apart", test_schemes_apart);
  g_test_add_func ("/key-memory/many-that-sign-in-turn", test_many_that_sign_in_turn);
  g_test_add_func ("/key-memory/capacity", test_capacity);
  g_test_add_func ("/key-memory/keys-in-use-outlast-a-flood", test_keys_in_use_outlast_a_flood);
  g_test_add_func ("/key-memory/what-can-be-no-key", test_what_can_be_no_key);
  g_test_add_func ("/key-memory/threads", test_threads);
  g_test_add_func ("/key-memory/same-answers-before-and-after", test_same_answers_before_and_after);
  return g_test_run ();
}
