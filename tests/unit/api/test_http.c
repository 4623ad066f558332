/* What requests are taken apart by.
 *
 * target: path, parameters, escapes, limits, each byte at each place     our parts: found by name, header names in any case,
 * repetition clip links: the link made is valid; each part changed, a link too old, one from too far ahead; one for each clip
 * and second ranges: each form, what is ignored, what cannot be satisfied addresses: IPv4, IPv6 by /64, loopback, trusted
 * proxies; buckets empty and fill; connections */
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "api/address_limit.h"
#include "api/clip_link.h"
#include "api/http.h"
#include "api/static_file.h"
#include "base/error.h"
#include "base/hash.h"

/* ── target ── */

static void
test_target_is_decoded (void)
{
  const char *reason;
  g_autoptr (SvTarget) target = sv_target_parse ("/a%2Fb/c?x=1&y=a%20b+c&&z&=e&x=%3d", &reason);
  g_assert_cmpstr (target->path, ==, "/a/b/c");
  g_assert_cmpuint (target->parameters->len, ==, 5);
  g_assert_cmpstr (sv_pairs_find (target->parameters, "y", FALSE), ==, "a b c");
  g_assert_cmpstr (sv_pairs_find (target->parameters, "z", FALSE), ==, "");
  g_assert_cmpstr (sv_pairs_find (target->parameters, "x", FALSE), ==, "1");
  g_assert_null (sv_pairs_find (target->parameters, "X", FALSE));
}

static void
test_bad_targets_are_refused (void)
{
  const char *bad[] = { "", "x", "*", "http://h/", "/%", "/%2", "/%zz", "/a%00b", "/a%0Ab", "/?a=%", "/?%7f=1", "/?a=\x01" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
  {
    const char *reason = NULL;
    g_assert_null (sv_target_parse (bad[i], &reason));
    g_assert_nonnull (reason);
  }
}

#define LENGTH 19 /* two words and a rest */

/* @text as it is decoded, NULL for what is refused; @text has no "&" nor "=", and an escape in it is broken. */
static char *
decoded (const char *text, gboolean is_query)
{
  for (const char *p = text; *p != '\0'; p++)
    if (*p == '%' || (guint8)*p < 0x20 || *p == 0x7f)
      return NULL;
  return is_query ? g_strdelimit (g_strdup (text), "+", ' ') : g_strdup (text);
}

static void
assert_decoded (const char *text)
{
  const char *reason;
  g_autofree char *raw = g_strconcat ("/", text, "?", text, "=", text, NULL);
  g_autoptr (SvTarget) target = sv_target_parse (raw, &reason);
  g_autofree char *in_path = decoded (text, FALSE);
  g_autofree char *in_query = decoded (text, TRUE);
  g_assert_cmpint (target != NULL, ==, in_path != NULL);
  if (target == NULL)
    return;
  g_assert_cmpstr (target->path + 1, ==, in_path);
  g_assert_cmpstr (sv_pairs_find (target->parameters, in_query, FALSE), ==, in_query);
}

static void
test_each_byte_at_each_place (void)
{
  for (gsize at = 0; at < LENGTH; at++)
    for (guint byte = 1; byte < 256; byte++)
    {
      g_autofree char *text = g_strnfill (LENGTH, 'z');
      text[at] = (char)byte;
      if (byte != '&' && byte != '=' && byte != '?')
        assert_decoded (text);
    }
}

static char *
repeat (const char *head, const char *part, guint n)
{
  GString *text = g_string_new (head);
  for (guint i = 0; i < n; i++)
    g_string_append (text, part);
  return g_string_free (text, FALSE);
}

static void
test_targets_are_bounded (void)
{
  const char *reason;
  g_autofree char *long_enough = repeat ("/", "a", SV_TARGET_MAX - 1);
  g_autofree char *too_long = repeat ("/", "a", SV_TARGET_MAX);
  g_autofree char *enough = repeat ("/?", "a=1&", SV_PARAMETERS_MAX);
  g_autofree char *too_many = repeat ("/?", "a=1&", SV_PARAMETERS_MAX + 1);
  g_autoptr (SvTarget) longest = sv_target_parse (long_enough, &reason);
  g_autoptr (SvTarget) fullest = sv_target_parse (enough, &reason);
  g_assert_nonnull (longest);
  g_assert_nonnull (fullest);
  g_assert_null (sv_target_parse (too_long, &reason));
  g_assert_null (sv_target_parse (too_many, &reason));
}

static void
test_our_parts_are_found (void)
{
  SvChallengeRequest request;
  g_autoptr (GArray) parameters = sv_pairs_new ();
  g_autoptr (GArray) headers = sv_pairs_new ();
  sv_pairs_add (parameters, "nonce", "1");
  sv_pairs_add (parameters, "other", "1");
  sv_pairs_add (parameters, "other", "2");
  sv_pairs_add (parameters, "X-Nonce", "not a parameter");
  sv_pairs_add (headers, "x-manifest-HASH", "h");
  g_assert_null (sv_challenge_request_read (parameters, headers, &request));
  g_assert_cmpstr (request.nonce, ==, "1");
  g_assert_cmpstr (request.manifest_hash, ==, "h");
  g_assert_null (request.x_nonce);
  sv_pairs_add (headers, "X-Manifest-Hash", "h");
  g_assert_cmpstr (sv_challenge_request_read (parameters, headers, &request), ==, "X-Manifest-Hash");
  sv_pairs_add (parameters, "nonce", "1");
  g_assert_cmpstr (sv_challenge_request_read (parameters, headers, &request), ==, "nonce");
}

/* ── clip links ── */

#define NOW_MS 1761177600000

static SvClipLinkVerdict
check (const char *url, const char *hex, const char *expires, const char *token, gint64 now_ms)
{
  const char *reason;
  static const guint8 key[SV_CLIP_LINK_KEY_SIZE] = { 7 };
  g_autoptr (SvTarget) target = sv_target_parse (url + strlen ("http://base"), &reason);
  return sv_clip_link_check (key, hex != NULL ? hex : target->path + strlen ("/clips/"),
                             expires != NULL ? expires : sv_pairs_find (target->parameters, "expires", FALSE),
                             token != NULL ? token : sv_pairs_find (target->parameters, "token", FALSE), now_ms);
}

static void
test_clip_links (void)
{
  static const guint8 key[SV_CLIP_LINK_KEY_SIZE] = { 7 };
  static const guint8 other_key[SV_CLIP_LINK_KEY_SIZE] = { 8 };
  g_autofree char *hash = sv_hash_bytes ("clip", 4);
  g_autofree char *other = sv_hash_bytes ("other", 5);
  g_autofree char *url = sv_clip_link_make ("http://base", key, hash, NOW_MS);
  g_autofree char *foreign = sv_clip_link_make ("http://base", other_key, hash, NOW_MS);
  const gint64 life_ms = SV_CLIP_LINK_SECONDS * 1000;
  g_assert_cmpint (life_ms, <=, 15 * 60 * 1000);
  g_assert_cmpint (check (url, NULL, NULL, NULL, NOW_MS), ==, SV_CLIP_LINK_VALID);
  g_assert_cmpint (check (url, NULL, NULL, NULL, NOW_MS + life_ms - 1), ==, SV_CLIP_LINK_VALID);
  g_assert_cmpint (check (url, NULL, NULL, NULL, NOW_MS + life_ms), ==, SV_CLIP_LINK_EXPIRED);
  g_assert_cmpint (check (url, NULL, NULL, NULL, NOW_MS - life_ms), ==, SV_CLIP_LINK_INVALID);
  g_assert_cmpint (check (url, sv_hash_hex (other), NULL, NULL, NOW_MS), ==, SV_CLIP_LINK_INVALID);
  g_assert_cmpint (check (url, "../../x", NULL, NULL, NOW_MS), ==, SV_CLIP_LINK_INVALID);
  g_assert_cmpint (check (url, NULL, "1761178400", NULL, NOW_MS), ==, SV_CLIP_LINK_INVALID);
  g_assert_cmpint (check (url, NULL, "soon", NULL, NOW_MS), ==, SV_CLIP_LINK_INVALID);
  g_assert_cmpint (check (url, NULL, NULL, "00", NOW_MS), ==, SV_CLIP_LINK_INVALID);
  g_assert_cmpint (check (foreign, NULL, NULL, NULL, NOW_MS), ==, SV_CLIP_LINK_INVALID);
  g_assert_cmpint (sv_clip_link_check (key, sv_hash_hex (hash), NULL, NULL, NOW_MS), ==, SV_CLIP_LINK_INVALID);
}

static void
test_clip_links_are_made_once_a_second (void)
{
  static const guint8 key[SV_CLIP_LINK_KEY_SIZE] = { 7 };
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = sv_hash_bytes ("clip", 4);
  g_autofree char *other_hash = sv_hash_bytes ("other", 5);
  g_autoptr (SvConfig) config = sv_config_load (&error);
  g_assert_no_error (error);
  g_autoptr (SvObjectStore) store = sv_object_store_open ("file:/nowhere/needed", config, &error);
  g_assert_no_error (error);
  g_autoptr (SvClipLinks) links = sv_clip_links_new (store, "http://base", key);
  g_autofree char *url = sv_clip_links_url (links, hash, NOW_MS);
  g_autofree char *again = sv_clip_links_url (links, hash, NOW_MS + 999);
  g_autofree char *other = sv_clip_links_url (links, other_hash, NOW_MS + 999);
  g_autofree char *later = sv_clip_links_url (links, hash, NOW_MS + 1000);
  g_autofree char *earlier = sv_clip_links_url (links, hash, NOW_MS);
  g_assert_cmpint (check (url, NULL, NULL, NULL, NOW_MS), ==, SV_CLIP_LINK_VALID);
  g_assert_cmpint (check (other, NULL, NULL, NULL, NOW_MS), ==, SV_CLIP_LINK_VALID);
  g_assert_cmpint (check (later, NULL, NULL, NULL, NOW_MS + SV_CLIP_LINK_SECONDS * 1000), ==, SV_CLIP_LINK_VALID);
  g_assert_cmpstr (again, ==, url);
  g_assert_cmpstr (other, !=, url);
  g_assert_cmpstr (later, !=, url);
  g_assert_cmpstr (earlier, ==, url);
}

/* ── ranges ── */

static void
assert_range (const char *text, guint64 size, guint64 first, guint64 last)
{
  gboolean satisfiable;
  guint64 from, to;
  g_assert_true (sv_range_parse (text, size, &satisfiable, &from, &to));
  g_assert_true (satisfiable);
  g_assert_cmpuint (from, ==, first);
  g_assert_cmpuint (to, ==, last);
}

static void
test_ranges (void)
{
  gboolean satisfiable;
  guint64 from, to;
  const char *ignored[] = { "",
                            "bytes",
                            "bytes=",
                            "bytes=-",
                            "lines=1-2",
                            "bytes=2-1",
                            "bytes=0-1,3-4",
                            "bytes=a-b",
                            "bytes=1-2-3",
                            "bytes=-1-2",
                            "bytes=18446744073709551616-" };
  const char *outside[] = { "bytes=10-", "bytes=10-20", "bytes=-0" };
  assert_range ("bytes=0-0", 10, 0, 0);
  assert_range ("bytes=3-", 10, 3, 9);
  assert_range ("bytes=3-99", 10, 3, 9);
  assert_range ("bytes=-4", 10, 6, 9);
  assert_range ("bytes=-40", 10, 0, 9);
  for (guint i = 0; i < G_N_ELEMENTS (ignored); i++)
    g_assert_false (sv_range_parse (ignored[i], 10, &satisfiable, &from, &to));
  for (guint i = 0; i < G_N_ELEMENTS (outside); i++)
  {
    g_assert_true (sv_range_parse (outside[i], 10, &satisfiable, &from, &to));
    g_assert_false (satisfiable);
  }
  g_assert_true (sv_range_parse ("bytes=0-", 0, &satisfiable, &from, &to));
  g_assert_false (satisfiable);
}

/* ── addresses ── */

static SvAddress
address_of (const char *text)
{
  SvAddress address;
  struct sockaddr_in v4 = { .sin_family = AF_INET };
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
  gboolean is_v4 = inet_pton (AF_INET, text, &v4.sin_addr) == 1;
  g_assert_true (is_v4 || inet_pton (AF_INET6, text, &v6.sin6_addr) == 1);
  g_assert_true (sv_address_read (is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6, &address));
  return address;
}

static void
assert_client (const SvAddressLimit *limit, const char *peer, const char *forwarded_for, const char *expected)
{
  char client[SV_ADDRESS_TEXT_MAX];
  SvAddress address = address_of (peer);
  sv_address_limit_client (limit, &address, forwarded_for, client);
  g_assert_cmpstr (client, ==, expected);
}

static void
test_whose_address_counts (void)
{
  const char *const proxies[] = { "10.0.0.0/8", "2001:db8::1", NULL };
  g_autoptr (SvAddressLimit) limit = sv_address_limit_new (10, 10, proxies, NULL);
  assert_client (limit, "192.0.2.7", NULL, "192.0.2.7");
  assert_client (limit, "::ffff:192.0.2.7", NULL, "192.0.2.7");
  assert_client (limit, "2001:db8:1:2:3:4:5:6", NULL, "2001:db8:1:2::");
  assert_client (limit, "192.0.2.7", "198.51.100.1", "192.0.2.7"); /* not a proxy of ours */
  assert_client (limit, "10.1.2.3", "198.51.100.1", "198.51.100.1");
  assert_client (limit, "10.1.2.3", "203.0.113.9, 198.51.100.1, 10.9.9.9", "198.51.100.1");
  assert_client (limit, "2001:db8::1", "2001:db8:7:7::1", "2001:db8:7:7::");
  assert_client (limit, "10.1.2.3", "10.9.9.9", "10.9.9.9");
}

static void
test_a_proxy_may_write_ports (void)
{
  const char *const proxies[] = { "10.0.0.0/8", NULL };
  g_autoptr (SvAddressLimit) limit = sv_address_limit_new (10, 10, proxies, NULL);
  assert_client (limit, "10.1.2.3", "198.51.100.1:4711", "198.51.100.1");
  assert_client (limit, "10.1.2.3", "[2001:db8:7:7::1]:4711", "2001:db8:7:7::");
  assert_client (limit, "10.1.2.3", "[2001:db8:7:7::1]", "2001:db8:7:7::");
  assert_client (limit, "10.1.2.3", "198.51.100.1:1, 10.9.9.9:2", "198.51.100.1");
}

/* They share a limit, even where the proxy's own address would have none. */
static void
test_whom_a_proxy_does_not_name_is_limited (void)
{
  const char *const proxies[] = { "127.0.0.1", "2001:db8:1111:2222:3333:4444:5555:6666", NULL };
  const char *unreadable[] = { "nonsense",     "unknown",          "",     " ",      "198.51.100.1,",
                               "fe80::1%eth0", "[198.51.100.1]:4", "[::1", "[::1]x", "1.2.3" };
  g_autoptr (SvAddressLimit) limit = sv_address_limit_new (10, 3, proxies, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (unreadable); i++)
    assert_client (limit, "127.0.0.1", unreadable[i], "unknown behind 127.0.0.1");
  assert_client (limit, "127.0.0.1", NULL, "unknown behind 127.0.0.1");
  assert_client (limit, "2001:db8:1111:2222:3333:4444:5555:6666", NULL, "unknown behind 2001:db8:1111:2222::");
  for (guint i = 0; i < 3; i++)
    g_assert_true (sv_address_limit_take (limit, "unknown behind 127.0.0.1", 1000000));
  g_assert_false (sv_address_limit_take (limit, "unknown behind 127.0.0.1", 1000000));
}

/* Some proxies append to the client's header line, others add a line of their own below it. */
static void
test_repeated_lines_are_one_list (void)
{
  const char *const proxies[] = { "10.0.0.0/8", NULL };
  g_autoptr (SvAddressLimit) limit = sv_address_limit_new (10, 10, proxies, NULL);
  g_autoptr (GArray) headers = sv_pairs_new ();
  g_assert_null (sv_pairs_join (headers, "X-Forwarded-For"));
  sv_pairs_add (headers, "X-Forwarded-For", "127.0.0.1");
  sv_pairs_add (headers, "X-Other", "203.0.113.9");
  sv_pairs_add (headers, "x-forwarded-for", "198.51.100.1, 10.9.9.9");
  g_autofree char *list = sv_pairs_join (headers, "X-Forwarded-For");
  g_assert_cmpstr (list, ==, "127.0.0.1,198.51.100.1, 10.9.9.9");
  assert_client (limit, "10.1.2.3", list, "198.51.100.1");
}

static void
test_an_address_has_its_tokens (void)
{
  const char *const none[] = { NULL };
  g_autoptr (SvAddressLimit) limit = sv_address_limit_new (10, 3, none, NULL);
  for (guint i = 0; i < 3; i++)
    g_assert_true (sv_address_limit_take (limit, "192.0.2.7", 1000000));
  g_assert_false (sv_address_limit_take (limit, "192.0.2.7", 1000000));
  g_assert_true (sv_address_limit_take (limit, "192.0.2.8", 1000000));
  g_assert_false (sv_address_limit_take (limit, "192.0.2.7", 1050000));
  g_assert_true (sv_address_limit_take (limit, "192.0.2.7", 1150000));
  g_assert_true (sv_address_limit_take (limit, "192.0.2.7", 90000000));
  for (guint i = 0; i < 100; i++)
    g_assert_true (sv_address_limit_take (limit, "127.0.0.1", 1) && sv_address_limit_take (limit, "::1", 1));
}

static gboolean
connects (SvAddressLimit *limit, const char *peer)
{
  SvAddress address = address_of (peer);
  return sv_address_limit_connect (limit, &address, 2);
}

static void
disconnect (SvAddressLimit *limit, const char *peer)
{
  SvAddress address = address_of (peer);
  sv_address_limit_disconnect (limit, &address);
}

static void
test_an_address_has_so_many_connections (void)
{
  const char *const proxies[] = { "10.0.0.0/8", NULL };
  const char *const exempt[] = { "127.0.0.1", "::1", "10.1.2.3" };
  g_autoptr (SvAddressLimit) limit = sv_address_limit_new (10, 3, proxies, NULL);
  g_assert_true (connects (limit, "192.0.2.7") && connects (limit, "::ffff:192.0.2.7"));
  g_assert_false (connects (limit, "192.0.2.7"));
  g_assert_true (connects (limit, "192.0.2.8"));
  g_assert_true (connects (limit, "2001:db8::1") && connects (limit, "2001:db8::ffff:2"));
  g_assert_false (connects (limit, "2001:db8::3"));
  g_assert_true (connects (limit, "2001:db8:0:1::3"));
  disconnect (limit, "192.0.2.7");
  g_assert_true (connects (limit, "192.0.2.7"));
  g_assert_false (connects (limit, "192.0.2.7"));
  for (guint i = 0; i < 3 * G_N_ELEMENTS (exempt); i++)
    g_assert_true (connects (limit, exempt[i % G_N_ELEMENTS (exempt)]));
}

static void
test_bad_proxies_are_refused (void)
{
  const char *bad[] = { "proxy.example", "10.0.0.0/33", "::1/129", "10.0.0.0/x", "10.0.0.0/8/8", "" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
  {
    g_autoptr (GError) error = NULL;
    const char *const proxies[] = { bad[i], NULL };
    g_assert_null (sv_address_limit_new (10, 10, proxies, &error));
    g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/api/http/" #test, test)
  ADD (test_target_is_decoded);
  ADD (test_each_byte_at_each_place);
  ADD (test_bad_targets_are_refused);
  ADD (test_targets_are_bounded);
  ADD (test_our_parts_are_found);
  ADD (test_clip_links);
  ADD (test_clip_links_are_made_once_a_second);
  ADD (test_ranges);
  ADD (test_whose_address_counts);
  ADD (test_a_proxy_may_write_ports);
  ADD (test_whom_a_proxy_does_not_name_is_limited);
  ADD (test_repeated_lines_are_one_list);
  ADD (test_an_address_has_its_tokens);
  ADD (test_an_address_has_so_many_connections);
  ADD (test_bad_proxies_are_refused);
  return g_test_run ();
}
