/* Signature Version 4 as S3 wants it: the path is percent-encoded once and not normalised ("//" and ".." stay), the query is
 * sorted by encoded name and value, and the payload's hash is part of what is signed.
 *
 * libcurl can sign too (CURLOPT_AWS_SIGV4), but the version in Debian 12 sends no x-amz-content-sha256 and signs queries
 * wrongly, and it has no presigned URLs. */
#include "store/s3_signature.h"

#include <sodium.h>
#include <string.h>

#include "base/hash.h"
#include "base/http_client.h"
#include "base/sha256.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define MAC_SIZE SV_SHA256_SIZE

typedef struct
{
  char *name;
  char *value;
} Pair;

static void
pair_clear (gpointer data)
{
  Pair *pair = data;
  g_free (pair->name);
  g_free (pair->value);
}

/* Takes both. */
static void
add_pair (GArray *pairs, char *name, char *value)
{
  Pair pair = { name, value };
  g_array_append_val (pairs, pair);
}

/* By name first: "a" comes before "a-b", though "a=" comes after "a-b=". */
static int
pair_compare (gconstpointer a, gconstpointer b)
{
  const Pair *left = a, *right = b;
  int order = strcmp (left->name, right->name);
  return order != 0 ? order : strcmp (left->value, right->value);
}

static GArray *
pairs_new (void)
{
  GArray *pairs = g_array_new (FALSE, FALSE, sizeof (Pair));
  g_array_set_clear_func (pairs, pair_clear);
  return pairs;
}

static char *
join_pairs (GArray *pairs, const char *between, const char *after)
{
  GString *joined = g_string_new (NULL);
  g_array_sort (pairs, pair_compare);
  for (guint i = 0; i < pairs->len; i++)
  {
    const Pair *pair = &g_array_index (pairs, Pair, i);
    g_string_append (joined, i > 0 && *after == '\0' ? "&" : "");
    g_string_append_printf (joined, "%s%s%s%s", pair->name, between, pair->value, after);
  }
  return g_string_free (joined, FALSE);
}

/* ---- path and query ---- */

static char *
encode_path (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (char **part = parts; *part != NULL; part++)
  {
    char *encoded = sv_url_escape (*part);
    g_free (*part);
    *part = encoded;
  }
  return g_strjoinv ("/", parts);
}

static GArray *
encode_query (const SvS3Message *message)
{
  GArray *pairs = pairs_new ();
  for (gsize i = 0; i < message->n_query; i++)
    add_pair (pairs, sv_url_escape (message->query[i].name), sv_url_escape (message->query[i].value));
  return pairs;
}

static char *
join_target (const char *path, const char *query)
{
  g_autofree char *encoded = encode_path (path);
  return *query != '\0' ? g_strconcat (encoded, "?", query, NULL) : g_steal_pointer (&encoded);
}

char *
sv_s3_target (const SvS3Message *message)
{
  g_autoptr (GArray) pairs = encode_query (message);
  g_autofree char *query = join_pairs (pairs, "=", "");
  return join_target (message->path, query);
}

char *
sv_s3_date (gint64 time_ms)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (time_ms / 1000);
  return g_date_time_format (time, "%Y%m%dT%H%M%SZ");
}

/* ---- headers ---- */

/* Without spaces around, and one where there were several. */
static char *
fold_spaces (const char *value)
{
  GString *folded = g_string_new (NULL);
  for (const char *p = value; *p != '\0'; p++)
    if (!g_ascii_isspace (*p))
      g_string_append_c (folded, *p);
    else if (folded->len > 0 && folded->str[folded->len - 1] != ' ')
      g_string_append_c (folded, ' ');
  return g_strchomp (g_string_free (folded, FALSE));
}

static GArray *
fold_headers (const SvS3Message *message)
{
  GArray *pairs = pairs_new ();
  for (gsize i = 0; i < message->n_headers; i++)
    add_pair (pairs, g_ascii_strdown (message->headers[i].name, -1), fold_spaces (message->headers[i].value));
  add_pair (pairs, g_strdup ("host"), g_strdup (message->host));
  return pairs;
}

/* Of sorted pairs. */
static char *
join_names (const GArray *pairs)
{
  GString *names = g_string_new (NULL);
  for (guint i = 0; i < pairs->len; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ";" : "", g_array_index (pairs, Pair, i).name);
  return g_string_free (names, FALSE);
}

/* ---- the signature ---- */

static void
mac (const guint8 *key, gsize key_length, const char *text, guint8 out[MAC_SIZE])
{
  SvHmacSha256 state;
  sv_hmac_sha256_init (&state, key, key_length);
  sv_hmac_sha256_update (&state, text, strlen (text));
  sv_hmac_sha256_final (&state, out);
  sodium_memzero (&state, sizeof state);
}

static char *
scope_of (const SvS3Signer *signer, const char *date)
{
  return g_strdup_printf ("%.8s/%s/s3/aws4_request", date, signer->region);
}

/* Under the lock. */
static void
make_day_key (SvS3Signer *signer, const char *day)
{
  guint8 *key = signer->day_key;
  mac (signer->key, signer->key_length, day, key);
  mac (key, MAC_SIZE, signer->region, key);
  mac (key, MAC_SIZE, "s3", key);
  mac (key, MAC_SIZE, "aws4_request", key);
  g_strlcpy (signer->day, day, sizeof signer->day);
}

static void
mac_by_day (SvS3Signer *signer, const char *date, const char *text, guint8 out[MAC_SIZE])
{
  char day[sizeof signer->day];
  g_strlcpy (day, date, sizeof day);
  g_mutex_lock (&signer->lock);
  if (strcmp (day, signer->day) != 0)
    make_day_key (signer, day);
  mac (signer->day_key, MAC_SIZE, text, out);
  g_mutex_unlock (&signer->lock);
}

static char *
sign (SvS3Signer *signer, const char *date, const char *canonical_request)
{
  guint8 digest[SV_SHA256_SIZE];
  sv_sha256 (canonical_request, strlen (canonical_request), digest);
  g_autofree char *hash = sv_hex_encode (digest, sizeof digest);
  g_autofree char *scope = scope_of (signer, date);
  g_autofree char *text = g_strdup_printf (ALGORITHM "\n%s\n%s\n%s", date, scope, hash);
  mac_by_day (signer, date, text, digest);
  return sv_hex_encode (digest, sizeof digest);
}

static char *
canonical_request (const SvS3Message *message, const char *query, const char *headers, const char *names)
{
  g_autofree char *path = encode_path (message->path);
  return g_strdup_printf ("%s\n%s\n%s\n%s\n%s\n%s", message->method, path, query, headers, names, message->payload_hash);
}

char *
sv_s3_authorization (SvS3Signer *signer, const SvS3Message *message)
{
  g_autofree char *date = sv_s3_date (message->time_ms);
  g_autoptr (GArray) parameters = encode_query (message);
  g_autofree char *query = join_pairs (parameters, "=", "");
  g_autoptr (GArray) pairs = fold_headers (message);
  add_pair (pairs, g_strdup ("x-amz-content-sha256"), g_strdup (message->payload_hash));
  add_pair (pairs, g_strdup ("x-amz-date"), g_strdup (date));
  g_autofree char *headers = join_pairs (pairs, ":", "\n");
  g_autofree char *names = join_names (pairs);
  g_autofree char *request = canonical_request (message, query, headers, names);
  g_autofree char *signature = sign (signer, date, request);
  g_autofree char *scope = scope_of (signer, date);
  return g_strdup_printf (ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s", signer->access_key_id, scope, names,
                          signature);
}

static void
add_parameter (GArray *parameters, const char *name, const char *value)
{
  add_pair (parameters, g_strdup (name), sv_url_escape (value));
}

char *
sv_s3_presigned_target (SvS3Signer *signer, const SvS3Message *message, guint seconds)
{
  g_autofree char *date = sv_s3_date (message->time_ms);
  g_autofree char *scope = scope_of (signer, date);
  g_autofree char *credential = g_strconcat (signer->access_key_id, "/", scope, NULL);
  g_autofree char *expires = g_strdup_printf ("%u", seconds);
  g_autoptr (GArray) pairs = fold_headers (message);
  g_autofree char *headers = join_pairs (pairs, ":", "\n");
  g_autofree char *names = join_names (pairs);
  g_autoptr (GArray) parameters = encode_query (message);
  add_parameter (parameters, "X-Amz-Algorithm", ALGORITHM);
  add_parameter (parameters, "X-Amz-Credential", credential);
  add_parameter (parameters, "X-Amz-Date", date);
  add_parameter (parameters, "X-Amz-Expires", expires);
  add_parameter (parameters, "X-Amz-SignedHeaders", names);
  g_autofree char *query = join_pairs (parameters, "=", "");
  g_autofree char *request = canonical_request (message, query, headers, names);
  g_autofree char *signature = sign (signer, date, request);
  g_autofree char *signed_query = g_strconcat (query, "&X-Amz-Signature=", signature, NULL);
  return join_target (message->path, signed_query);
}

/* ---- the signer ---- */

SvS3Signer *
sv_s3_signer_new (const char *access_key_id, const char *secret, const char *region)
{
  SvS3Signer *signer = g_new0 (SvS3Signer, 1);
  if (sodium_init () < 0)
    g_error ("libsodium does not start: no source of randomness");
  signer->access_key_id = g_strdup (access_key_id);
  signer->region = g_strdup (region);
  signer->key_length = 4 + strlen (secret);
  signer->key = sodium_malloc (signer->key_length);
  signer->day_key = sodium_malloc (MAC_SIZE);
  g_mutex_init (&signer->lock);
  if (signer->key == NULL || signer->day_key == NULL)
    g_error ("no guarded memory for the secret access key");
  memcpy (signer->key, "AWS4", 4);
  memcpy (signer->key + 4, secret, signer->key_length - 4);
  sodium_mprotect_readonly (signer->key);
  return signer;
}

void
sv_s3_signer_free (SvS3Signer *signer)
{
  if (signer == NULL)
    return;
  sodium_free (signer->key);
  sodium_free (signer->day_key);
  g_mutex_clear (&signer->lock);
  g_free (signer->access_key_id);
  g_free (signer->region);
  g_free (signer);
}
