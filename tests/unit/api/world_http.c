/* The world's HTTP: requests are written as text, so that tests can send what no client library would. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rfc3339.h"
#include "world.h"

/* ── speaking HTTP ── */

void
answer_clear (Answer *answer)
{
  g_clear_pointer (&answer->head, g_free);
  g_clear_pointer (&answer->body, g_free);
  g_clear_pointer (&answer->json, json_decref);
}

char *
answer_header (const Answer *answer, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (answer->head, "\r\n", -1);
  gsize length = strlen (name);
  for (char **line = lines; *line != NULL; line++)
    if (g_ascii_strncasecmp (*line, name, length) == 0 && (*line)[length] == ':')
      return g_strdup (g_strstrip (*line + length + 1));
  return NULL;
}

const char *
answer_string (const Answer *answer, const char *key)
{
  return json_string_value (json_object_get (answer->json, key));
}

guint64
answer_integer (const Answer *answer, const char *key)
{
  const json_t *value = json_object_get (answer->json, key);
  g_assert_true (json_is_number (value));
  return (guint64)json_number_value (value);
}

int
world_connect (World *world)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((guint16)sv_server_port (world->server)) };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect (fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  close (fd);
  return -1;
}

static GByteArray *
read_all (int fd)
{
  GByteArray *bytes = g_byte_array_new ();
  guint8 chunk[65536];
  for (gssize n; (n = recv (fd, chunk, sizeof chunk, 0)) > 0;)
    g_byte_array_append (bytes, chunk, (guint)n);
  g_byte_array_append (bytes, (const guint8 *)"", 1);
  return bytes;
}

Answer
world_send (World *world, const char *text)
{
  Answer answer = { 0 };
  int fd = world_connect (world);
  g_assert_cmpint (fd, >=, 0);
  for (gsize sent = 0, length = strlen (text); sent < length;)
  {
    gssize n = send (fd, text + sent, length - sent, MSG_NOSIGNAL);
    if (n <= 0)
      break;
    sent += (gsize)n;
  }
  g_autoptr (GByteArray) bytes = read_all (fd);
  close (fd);
  const char *end = g_strstr_len ((const char *)bytes->data, bytes->len, "\r\n\r\n");
  if (end == NULL)
    return answer;
  gsize head_length = (gsize)(end - (const char *)bytes->data);
  answer.head = g_strndup ((const char *)bytes->data, head_length);
  answer.length = bytes->len - 1 - head_length - 4;
  answer.body = g_memdup2 (end + 4, answer.length + 1);
  answer.status = (guint)atoi (answer.head + strlen ("HTTP/1.1 "));
  answer.json = json_loadb (answer.body, answer.length, JSON_DECODE_INT_AS_REAL, NULL);
  return answer;
}

Answer
world_request (World *world, const char *method, const char *target, const char *headers)
{
  g_autofree char *text = g_strdup_printf ("%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s\r\n", method, target,
                                           headers != NULL ? headers : "");
  return world_send (world, text);
}

Answer
world_get (World *world, const char *target)
{
  return world_request (world, "GET", target, NULL);
}

/* ── asking ── */

char *
fresh_nonce (void)
{
  static gint counter;
  return g_strdup_printf ("%" G_GINT64_FORMAT "%06d", sv_clock_ms (), g_atomic_int_add (&counter, 1) % 1000000);
}

static void
append_part (GString *out, const char *format, const char *value)
{
  if (value == NULL || strcmp (value, "-") == 0)
    return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  g_string_append_printf (out, format, value);
#pragma GCC diagnostic pop
}

static const char *
or_default (const char *value, const char *fallback)
{
  return value != NULL ? value : fallback;
}

static char *
sign_text (const SvKeypair *keypair, const char *text)
{
  return sv_keypair_sign (keypair, text, strlen (text));
}

static void
append_x_parts (World *world, const Ask *ask, const char *nonce, GString *headers)
{
  const SvKeypair *asker = ask->asker != NULL ? ask->asker : world->miner;
  const char *proof = or_default (ask->proof, world->proof);
  g_autofree char *bound =
      ask->bind_to != NULL
          ? sv_bound_nonce (ask->bind_to, 44, sv_keypair_address (asker), nonce, or_default (ask->element, "Serve@1"),
                            or_default (ask->miner, sv_keypair_address (asker)), or_default (ask->slug, ""),
                            strcmp (proof, "-") == 0 ? "" : proof)
          : NULL;
  const char *x_nonce = bound != NULL ? bound : ask->x_nonce;
  append_part (headers, "X-Nonce: %s\r\n", x_nonce);
  if (x_nonce == NULL || !(ask->signs_x || bound != NULL))
    return;
  g_autofree char *text = sv_challenge_signed_text (or_default (ask->manifest, world->now_manifest), x_nonce);
  g_autofree char *signature = sign_text (ask->spoils_x ? world->stranger : asker, text);
  append_part (headers, "X-Signature: %s\r\n", signature);
}

Answer
world_ask (World *world, const Ask *ask)
{
  const SvKeypair *asker = ask->asker != NULL ? ask->asker : world->miner;
  g_autofree char *own_nonce = fresh_nonce ();
  const char *nonce = or_default (ask->nonce, own_nonce);
  g_autofree char *signature = sign_text (ask->signer != NULL ? ask->signer : asker, nonce);
  g_autoptr (GString) target = g_string_new (ask->is_legacy ? "/api/tasks/next/v2?" : "/api/challenge/v3?");
  g_autoptr (GString) headers = g_string_new (NULL);
  g_string_append_printf (target, "validator_hotkey=%s&signature=%s", sv_keypair_address (asker), signature);
  append_part (target, "&nonce=%s", nonce);
  append_part (target, "&netuid=%s", or_default (ask->netuid, "44"));
  append_part (target, "%s", ask->query);
  append_part (headers, "%s", ask->headers);
  if (!ask->is_legacy)
  {
    append_part (target, "&element_id=%s", or_default (ask->element, "Serve@1"));
    append_part (target, "&miner_hotkey=%s", ask->miner);
    append_part (target, "&chute_slug=%s", ask->slug);
    append_part (headers, "X-Manifest-Hash: %s\r\n", or_default (ask->manifest, world->now_manifest));
    append_part (headers, "X-Commitment-Proof: %s\r\n", or_default (ask->proof, world->proof));
    append_part (headers, "X-Client-Id: %s\r\n", ask->client);
    append_x_parts (world, ask, nonce, headers);
  }
  return world_request (world, "GET", target->str, headers->str);
}

void
assert_answer (const Answer *answer, guint status, const char *error, const char *reason)
{
  if (answer->status != status || (error != NULL && g_strcmp0 (answer_string (answer, "error"), error) != 0) ||
      (reason != NULL && g_strcmp0 (answer_string (answer, "reason"), reason) != 0))
    g_error ("expected %u %s %s, got %u %s", status, error != NULL ? error : "", reason != NULL ? reason : "", answer->status,
             answer->body != NULL ? answer->body : "(nothing)");
}

void
world_expect (World *world, const Ask *ask, guint status, const char *error, const char *reason)
{
  g_auto (Answer) answer = world_ask (world, ask);
  assert_answer (&answer, status, error, reason);
}

void
world_expect_status (World *world, const char *method, const char *target, const char *headers, guint status)
{
  g_auto (Answer) answer = world_request (world, method, target, headers);
  if (answer.status != status)
    g_error ("%s %.60s: expected %u, got %u %s", method, target, status, answer.status, answer.body);
}
