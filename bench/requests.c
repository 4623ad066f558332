/* The nonces of a run count up from the present, a nanosecond a request: unique over all rounds, and fresh for a minute. */
#include "requests.h"

#include <string.h>

#include "base/http_client.h"
#include "base/rfc3339.h"
#include "protocol/challenge.h"
#include "rounds.h"

static char *
sign (const BenchAsker *asker, const char *text)
{
  return sv_keypair_sign (asker->keypair, text, strlen (text));
}

/* The two headers of the second signature. */
static char *
sign_again (const BenchQuestion *question, const BenchAsker *asker, const char *nonce)
{
  const char *address = sv_keypair_address (asker->keypair);
  g_autofree char *origin = g_strconcat ("http://", question->authority, NULL);
  g_autofree char *x_nonce =
      sv_bound_nonce (origin, question->netuid, address, nonce, question->element_id, address, "", asker->proof);
  g_autofree char *text = sv_challenge_signed_text (question->manifest_hash, x_nonce);
  g_autofree char *signature = sign (asker, text);
  return g_strdup_printf ("X-Nonce: %s\r\nX-Signature: %s\r\n", x_nonce, signature);
}

static char *
make_request (const BenchQuestion *question, const BenchAsker *asker, guint64 nonce_ns, gboolean signs_twice)
{
  g_autofree char *nonce = g_strdup_printf ("%" G_GUINT64_FORMAT, nonce_ns);
  g_autofree char *signature = sign (asker, nonce);
  g_autofree char *more = signs_twice ? sign_again (question, asker, nonce) : g_strdup ("");
  g_autofree char *element = sv_url_escape (question->element_id);
  return g_strdup_printf ("GET /api/challenge/v3?validator_hotkey=%s&signature=%s&nonce=%s&netuid=%u&element_id=%s HTTP/1.1\r\n"
                          "Host: %s\r\nX-Manifest-Hash: %s\r\nX-Commitment-Proof: %s\r\n%s\r\n",
                          sv_keypair_address (asker->keypair), strchr (signature, ':') + 1, nonce, question->netuid, element,
                          question->authority, question->manifest_hash, asker->proof, more);
}

static guint64 last_ns;

static GPtrArray *
begin_requests (void)
{
  last_ns = MAX (last_ns, (guint64)sv_clock_ms () * 1000000);
  return g_ptr_array_new_with_free_func (g_free);
}

GPtrArray *
bench_sign_requests (const BenchQuestion *question, guint n, gboolean signs_twice)
{
  GPtrArray *requests = begin_requests ();
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (requests,
                     make_request (question, question->askers->pdata[i % question->askers->len], ++last_ns, signs_twice));
  return requests;
}

static char *
make_task_request (const BenchQuestion *question, const BenchAsker *asker, guint64 nonce_ns)
{
  g_autofree char *nonce = g_strdup_printf ("%" G_GUINT64_FORMAT, nonce_ns);
  g_autofree char *signature = sign (asker, nonce);
  return g_strdup_printf ("GET /api/tasks/next/v2?validator_hotkey=%s&signature=%s&nonce=%s&netuid=%u HTTP/1.1\r\n"
                          "Host: %s\r\n\r\n",
                          sv_keypair_address (asker->keypair), strchr (signature, ':') + 1, nonce, question->netuid,
                          question->authority);
}

/* Well formed, and not his. */
static char *
make_wrong_request (const BenchQuestion *question, const BenchAsker *asker, guint64 nonce_ns)
{
  char *request = make_request (question, asker, nonce_ns, FALSE);
  char *digit = strstr (request, "signature=") + strlen ("signature=");
  *digit = *digit == '0' ? '1' : '0';
  return request;
}

GPtrArray *
bench_sign_mixed (const BenchQuestion *question, guint n)
{
  GPtrArray *requests = begin_requests ();
  for (guint i = 0; i < n; i++)
  {
    const BenchAsker *asker = question->askers->pdata[i % question->askers->len];
    char *request;
    if (i % BENCH_MIXED == 5)
      request = make_task_request (question, asker, ++last_ns);
    else if (i % BENCH_MIXED == 10)
      request = make_wrong_request (question, asker, ++last_ns);
    else if (i % BENCH_MIXED == 15)
      request = g_strdup (requests->pdata[i - 1]);
    else
      request = make_request (question, asker, ++last_ns, i % 2 == 1);
    g_ptr_array_add (requests, request);
  }
  return requests;
}

GPtrArray *
bench_read_askers (const SvConfig *config, char **words)
{
  GPtrArray *askers = g_ptr_array_new ();
  for (; *words != NULL; words++)
  {
    g_auto (GStrv) parts = g_strsplit (*words, "=", 2);
    if (g_strv_length (parts) != 2)
      bench_fail ("\"%s\" is not HOTKEY=PROOF", *words);
    g_autoptr (GError) error = NULL;
    g_autofree char *path =
        g_build_filename (sv_config_get (config, "BITTENSOR_WALLET_PATH"), "default", "hotkeys", parts[0], NULL);
    BenchAsker *asker = g_new0 (BenchAsker, 1);
    asker->keypair = sv_keyfile_read (path, &error);
    if (asker->keypair == NULL)
      bench_fail ("%s", error->message);
    asker->proof = g_strdup (parts[1]);
    g_ptr_array_add (askers, asker);
  }
  return askers;
}
