/* What is remembered of requests. The rules themselves are promises of every engine (tests/contract/test_admission.c).
 *
 *  1. nonces are found by owner, kind and text; none is forgotten before its time, and none stays three eighths longer, nor
 *     comes back when the numbers of generations begin anew, however few nonces come
 *  2. a clock that goes back, a little or far, or ahead twice and back, loses none that is younger than the remembered time
 *  3. many nonces take ten bytes each, and when they are over their memory is given back while others come, in each generation
 *     and in step with its time
 *  4. what its busiest moment took, no group of nonces keeps: at a steady rate the memory does not grow
 *  5. a high limit: never more than it in any window, and all of it in each
 *  6. a memory into which everything was recalled judges as the one that has judged it
 *  7. a nonce that was admitted anew elsewhere, where it was over already, is remembered from then on
 */
#include <malloc.h>

#include "state/nonce_memory.h"
#include "state/request_memory.h"

#define REMEMBER_MS 120000

static guint64
key_of (SvNonceMemory *memory, guint i)
{
  g_autofree char *text = g_strdup_printf ("%u", i);
  return sv_nonce_memory_key (memory, 7, 'q', text);
}

static void
test_nonces (void)
{
  SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
  g_autofree char *longer = g_strnfill (1000, 'x');
  const guint64 keys[] = { sv_nonce_memory_key (memory, 1, 'q', "a"), sv_nonce_memory_key (memory, 2, 'q', "a"),
                           sv_nonce_memory_key (memory, 1, 'x', "a"), sv_nonce_memory_key (memory, 1, 'q', "b"),
                           sv_nonce_memory_key (memory, 1, 'q', ""),  sv_nonce_memory_key (memory, 1, 'q', longer) };
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
  {
    for (guint j = i; j < G_N_ELEMENTS (keys); j++)
      g_assert_false (sv_nonce_memory_contains (memory, keys[j]));
    sv_nonce_memory_add (memory, keys[i]);
    g_assert_true (sv_nonce_memory_contains (memory, keys[i]));
  }
  sv_nonce_memory_free (memory);
}

static void
test_forgetting (void)
{
  SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
  for (guint second = 0; second < 2000; second++)
  {
    sv_nonce_memory_pass_time (memory, 1000 * (gint64)second);
    sv_nonce_memory_add (memory, key_of (memory, second));
    for (guint age = 0; age <= MIN (second, 120); age++)
      g_assert_true (sv_nonce_memory_contains (memory, key_of (memory, second - age)));
    for (guint age = 166; age <= second; age++)
      g_assert_false (sv_nonce_memory_contains (memory, key_of (memory, second - age)));
  }
  sv_nonce_memory_free (memory);
}

/* Some two nonces in a generation, or one after pauses that are a generation each, for 600 of them. */
static void
test_few (gconstpointer data)
{
  gint64 step_ms = GPOINTER_TO_INT (data);
  SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
  for (guint i = 0; i < 1200; i++)
  {
    sv_nonce_memory_pass_time (memory, step_ms * i);
    for (guint age = 12 * 2; age <= i; age++)
      g_assert_false (sv_nonce_memory_contains (memory, key_of (memory, i - age)));
    sv_nonce_memory_add (memory, key_of (memory, i));
  }
  g_assert_cmpuint (sv_nonce_memory_size (memory), <, 400);
  sv_nonce_memory_free (memory);
}

static void
test_clock (void)
{
  SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
  const gint64 year_ms = G_GINT64_CONSTANT (365) * 86400 * 1000;
  sv_nonce_memory_pass_time (memory, year_ms);
  sv_nonce_memory_add (memory, key_of (memory, 1));
  sv_nonce_memory_pass_time (memory, year_ms - 60000);
  g_assert_true (sv_nonce_memory_contains (memory, key_of (memory, 1)));
  sv_nonce_memory_pass_time (memory, 1000);
  sv_nonce_memory_add (memory, key_of (memory, 2));
  sv_nonce_memory_pass_time (memory, 100000);
  g_assert_true (sv_nonce_memory_contains (memory, key_of (memory, 1)));
  g_assert_true (sv_nonce_memory_contains (memory, key_of (memory, 2)));
  for (gint64 now_ms = 110000; now_ms < 2 * REMEMBER_MS + 60000; now_ms += 1000)
    sv_nonce_memory_pass_time (memory, now_ms);
  g_assert_false (sv_nonce_memory_contains (memory, key_of (memory, 1)));
  g_assert_false (sv_nonce_memory_contains (memory, key_of (memory, 2)));
  sv_nonce_memory_free (memory);
}

/* Where a request comes meanwhile, what is fresh by the right clock is remembered to its end. */
static void
test_clock_that_jumps (void)
{
  SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
  const gint64 hour_ms = 3600000, start_ms = 1000 * hour_ms;
  sv_nonce_memory_pass_time (memory, start_ms);
  sv_nonce_memory_add (memory, key_of (memory, 1));
  for (guint i = 0; i < 2; i++)
  {
    for (gint64 s = 0; s < 5; s++)
      sv_nonce_memory_pass_time (memory, start_ms + hour_ms + 1000 * s);
    sv_nonce_memory_pass_time (memory, start_ms + 5000);
  }
  for (gint64 now_ms = start_ms + 5000; now_ms < start_ms + REMEMBER_MS; now_ms += 1000)
  {
    sv_nonce_memory_pass_time (memory, now_ms);
    g_assert_true (sv_nonce_memory_contains (memory, key_of (memory, 1)));
  }
  sv_nonce_memory_free (memory);
}

/* Two jumps ahead and back over both, whatever their length and whenever in a generation, and then as long as a nonce is to be
 * remembered. */
static void
test_jumps_and_back (void)
{
  const gint64 start_ms = G_GINT64_CONSTANT (1000) * 3600000;
  for (guint i = 0; i < 40; i++)
    for (gint64 phase_ms = 0; phase_ms < REMEMBER_MS / 8; phase_ms += 1250)
    {
      SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
      gint64 jump_ms = 7000 * (gint64)i;
      sv_nonce_memory_pass_time (memory, start_ms - phase_ms);
      sv_nonce_memory_pass_time (memory, start_ms);
      sv_nonce_memory_add (memory, key_of (memory, 1));
      sv_nonce_memory_pass_time (memory, start_ms + jump_ms);
      sv_nonce_memory_pass_time (memory, start_ms + 2 * jump_ms);
      for (gint64 now_ms = start_ms; now_ms < start_ms + REMEMBER_MS; now_ms += 500)
      {
        sv_nonce_memory_pass_time (memory, now_ms);
        g_assert_true (sv_nonce_memory_contains (memory, key_of (memory, 1)));
      }
      sv_nonce_memory_free (memory);
    }
}

/* Many come at once, then nobody for longer than the remembered time, and so on. */
static void
test_pauses (void)
{
  SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
  for (guint i = 0; i < 100; i++)
  {
    sv_nonce_memory_pass_time (memory, (gint64)i * 2 * REMEMBER_MS);
    sv_nonce_memory_add (memory, key_of (memory, i));
    g_assert_true (i < 11 || !sv_nonce_memory_contains (memory, key_of (memory, i - 11)));
  }
  sv_nonce_memory_free (memory);
}

/* Where a sanitizer's allocator stands in for the system's, it knows. */
size_t __sanitizer_get_current_allocated_bytes (void) __attribute__ ((weak));

static gsize
allocated (void)
{
  if (__sanitizer_get_current_allocated_bytes != NULL)
    return __sanitizer_get_current_allocated_bytes ();
  struct mallinfo2 info = mallinfo2 ();
  return info.uordblks + info.hblkhd;
}

static void
test_size (void)
{
  const guint n = 2000000;
  gsize before = allocated ();
  SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
  for (guint i = 0; i < n; i++)
  {
    sv_nonce_memory_pass_time (memory, (gint64)i * REMEMBER_MS / n);
    sv_nonce_memory_add (memory, key_of (memory, i));
  }
  g_assert_cmpuint (sv_nonce_memory_size (memory), ==, n);
  gsize full = allocated () - before;
  g_assert_cmpuint (full, >, 7 * n);
  g_assert_cmpuint (full, <, 10 * n);
  for (guint i = 0; i < 45000; i++)
  {
    sv_nonce_memory_pass_time (memory, REMEMBER_MS + (gint64)i * REMEMBER_MS / 16000);
    sv_nonce_memory_add (memory, key_of (memory, n + i));
  }
  g_assert_cmpuint (sv_nonce_memory_size (memory), <, 40000);
  sv_nonce_memory_free (memory);
}

static void
add_to_group (SvNonceMemory *memory, guint group, guint n)
{
  static guint64 serial;
  for (guint i = 0; i < n; i++)
    sv_nonce_memory_add (memory, ++serial << 16 | group);
}

/* All that came in one generation are over at once, and are let go of in step with the time of another. */
static void
test_spread (void)
{
  const guint n = 200000;
  const gint64 generation_ms = REMEMBER_MS / 8, over_ms = 11 * generation_ms;
  SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
  sv_nonce_memory_pass_time (memory, REMEMBER_MS); /* so long after nothing is a jump */
  for (guint i = 0; i < n; i++)
    sv_nonce_memory_add (memory, key_of (memory, i));
  for (gint64 ms = generation_ms; ms < over_ms; ms += generation_ms)
    sv_nonce_memory_pass_time (memory, REMEMBER_MS + ms);
  g_assert_cmpuint (sv_nonce_memory_size (memory), ==, n);
  for (gint64 ms = 0; ms < generation_ms; ms++)
  {
    sv_nonce_memory_pass_time (memory, REMEMBER_MS + over_ms + ms);
    gint64 left = n - n * ms / generation_ms, held = sv_nonce_memory_size (memory);
    g_assert_cmpint (ABS (held - left), <, n / 50);
  }
  g_assert_cmpuint (sv_nonce_memory_size (memory), <, n / 1000);
  sv_nonce_memory_free (memory);
}

/* Where half of a generation has passed at once, some hundred steps catch up, none of which takes long. */
static void
test_catching_up (void)
{
  const guint n = 200000;
  const gint64 generation_ms = REMEMBER_MS / 8, over_ms = REMEMBER_MS + 11 * generation_ms;
  SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
  sv_nonce_memory_pass_time (memory, REMEMBER_MS);
  for (guint i = 0; i < n; i++)
    sv_nonce_memory_add (memory, key_of (memory, i));
  for (gint64 ms = REMEMBER_MS; ms <= over_ms; ms += generation_ms)
    sv_nonce_memory_pass_time (memory, ms);
  guint before = sv_nonce_memory_size (memory);
  for (guint i = 0; i < 520; i++)
  {
    sv_nonce_memory_pass_time (memory, over_ms + generation_ms / 2);
    guint held = sv_nonce_memory_size (memory);
    g_assert_cmpuint (before - held, <, n / 500);
    before = held;
  }
  g_assert_cmpuint (before, <, n * 11 / 20);
  sv_nonce_memory_free (memory);
}

/* Each of 4,096 groups is busy in one generation of 64, and has little in the others. */
static void
test_busy_moments (void)
{
  const guint n_groups = 4096, n_generations = 64;
  gsize before = allocated (), early = 0;
  SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
  for (guint i = 0; i < n_generations; i++)
  {
    sv_nonce_memory_pass_time (memory, (gint64)i * REMEMBER_MS / 8);
    for (guint j = 0; j < n_groups; j++)
      add_to_group (memory, j, j % n_generations == i ? 100 : 2);
    if (i == 15)
      early = allocated () - before;
  }
  g_assert_cmpuint (early, >, 0);
  g_assert_cmpuint (allocated () - before, <, early + early / 4);
  sv_nonce_memory_free (memory);
}

/* All in one group, of more generations than have numbers. */
static void
test_each_generation (void)
{
  SvNonceMemory *memory = sv_nonce_memory_new (REMEMBER_MS);
  for (guint i = 0; i < 1000; i++)
  {
    sv_nonce_memory_pass_time (memory, (gint64)i * REMEMBER_MS / 8);
    sv_nonce_memory_add (memory, (guint64)i << 32);
    g_assert_cmpuint (sv_nonce_memory_size (memory), <=, 12);
    g_assert_true (i < 8 || sv_nonce_memory_contains (memory, (guint64)(i - 8) << 32));
  }
  sv_nonce_memory_free (memory);
}

static SvAdmissionOutcome
judge (SvRequestMemory *memory, guint limit, gint64 now_ms)
{
  static guint serial;
  guint retry_after_s;
  g_autofree char *nonce = g_strdup_printf ("%u", serial++);
  SvRequest request = { .asker = "5A", .nonce = nonce, .client_id = "", .now_ms = now_ms };
  return sv_request_memory_judge (memory, limit, &request, &retry_after_s);
}

/* Up to sixty requests a millisecond, in slots of two; of each window that ends with an admitted one no more than the limit
 * were admitted. */
static void
test_high_limit (void)
{
  const guint limit = 5000, window_ms = 8192;
  SvAdmissionRules rules = { .limit = limit, .window_ms = window_ms, .remember_ms = REMEMBER_MS };
  g_autoptr (SvRequestMemory) memory = sv_request_memory_new (&rules);
  g_autoptr (GArray) admitted = g_array_new (FALSE, FALSE, sizeof (gint64));
  guint oldest = 0;
  for (gint64 now_ms = 1000; now_ms < 1000 + 3 * (gint64)window_ms; now_ms++)
    for (gint n = g_test_rand_int_range (0, 61); n > 0; n--)
    {
      if (judge (memory, limit, now_ms) != SV_ADMITTED)
        continue;
      g_array_append_val (admitted, now_ms);
      while (g_array_index (admitted, gint64, oldest) <= now_ms - window_ms)
        oldest++;
      g_assert_cmpuint (admitted->len - oldest, <=, limit);
    }
  g_assert_cmpuint (admitted->len, >, 3 * limit * 99 / 100);
}

static void
test_recalling (void)
{
  SvAdmissionRules rules = { .limit = 30, .window_ms = 1000, .remember_ms = 2000 };
  g_autoptr (SvRequestMemory) memory = sv_request_memory_new (&rules);
  g_autoptr (SvRequestMemory) other = sv_request_memory_new (&rules);
  guint n_refused = 0;
  gint64 now_ms = 100000;
  for (guint i = 0; i < 3000; i++)
  {
    char nonce[16], client_id[16], asker[4];
    guint retry, other_retry;
    now_ms += g_test_rand_int_range (0, 40);
    g_snprintf (nonce, sizeof nonce, "%d", g_test_rand_int_range (0, 5000));
    g_snprintf (client_id, sizeof client_id, "c%d", g_test_rand_int_range (0, 20));
    g_snprintf (asker, sizeof asker, "%d", g_test_rand_int_range (0, 2));
    SvRequest request = { .asker = asker, .nonce = nonce, .client_id = client_id, .now_ms = now_ms };
    SvAdmissionOutcome outcome = sv_request_memory_judge (memory, rules.limit, &request, &retry);
    sv_request_memory_pass_time (other, now_ms); /* on which depends how much longer than it has to be a nonce is kept */
    n_refused += outcome == SV_RATE_LIMITED;
    if (i % 2 == 0)
    {
      g_assert_cmpint (sv_request_memory_judge (other, rules.limit, &request, &other_retry), ==, outcome);
      g_assert_cmpuint (retry, ==, other_retry);
      continue;
    }
    if (outcome == SV_RATE_LIMITED)
      request.nonce = NULL;
    if (outcome != SV_REPLAYED_NONCE)
      sv_request_memory_recall (other, rules.limit, &request);
  }
  g_assert_cmpuint (n_refused, >, 100);
}

static void
test_recalled_anew (void)
{
  SvAdmissionRules rules = { .limit = 1, .window_ms = 1000, .remember_ms = REMEMBER_MS };
  g_autoptr (SvRequestMemory) memory = sv_request_memory_new (&rules);
  SvRequest request = { .asker = "5A", .nonce = "n", .client_id = "", .now_ms = 1000 };
  sv_request_memory_recall (memory, rules.limit, &request);
  request.now_ms += REMEMBER_MS + 1;
  g_assert_true (sv_request_memory_is_replay (memory, &request));
  sv_request_memory_recall (memory, rules.limit, &request);
  g_assert_cmpint (judge (memory, rules.limit, request.now_ms + 999), ==, SV_RATE_LIMITED);
  request.now_ms += REMEMBER_MS;
  sv_request_memory_pass_time (memory, request.now_ms);
  g_assert_true (sv_request_memory_is_replay (memory, &request));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/request-memory/nonces", test_nonces);
  g_test_add_func ("/request-memory/forgetting", test_forgetting);
  g_test_add_data_func ("/request-memory/few", GINT_TO_POINTER (REMEMBER_MS / 16), test_few);
  g_test_add_data_func ("/request-memory/few after pauses", GINT_TO_POINTER (2 * REMEMBER_MS), test_few);
  g_test_add_func ("/request-memory/clock", test_clock);
  g_test_add_func ("/request-memory/a clock that jumps", test_clock_that_jumps);
  g_test_add_func ("/request-memory/jumps and back", test_jumps_and_back);
  g_test_add_func ("/request-memory/pauses", test_pauses);
  g_test_add_func ("/request-memory/size", test_size);
  g_test_add_func ("/request-memory/spread", test_spread);
  g_test_add_func ("/request-memory/catching up", test_catching_up);
  g_test_add_func ("/request-memory/busy moments", test_busy_moments);
  g_test_add_func ("/request-memory/each generation", test_each_generation);
  g_test_add_func ("/request-memory/a high limit", test_high_limit);
  g_test_add_func ("/request-memory/recalling", test_recalling);
  g_test_add_func ("/request-memory/recalled anew", test_recalled_anew);
  return g_test_run ();
}
