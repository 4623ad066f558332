/* Cases: origins as written by people and as compared by us; what is not a URL of ours; what messages show; escaping; kinds of
 * addresses, with the first and last of each network. */
#include <glib.h>
#include <string.h>

#include "base/error.h"
#include "base/http_address.h"
#include "base/http_client.h"
#include "base/url.h"

static void
test_origins (void)
{
  static const char *const cases[][2] = {
    { "HTTPS://Example.org:443/x?y", "https://example.org" },
    { "https://example.org", "https://example.org" },
    { "http://example.org:80/", "http://example.org" },
    { "http://example.org:443/", "http://example.org:443" },
    { "http://127.0.0.1:8080/a", "http://127.0.0.1:8080" },
    { "http://[::1]:8080/a", "http://[::1]:8080" },
    { "https://xn--bcher-kva.example/", "https://xn--bcher-kva.example" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (GError) error = NULL;
    g_autofree char *origin = sv_url_origin (cases[i][0], &error);
    g_assert_no_error (error);
    g_assert_cmpstr (origin, ==, cases[i][1]);
  }
}

static void
test_what_is_no_url_of_ours (void)
{
  static const char *const cases[] = { "",
                                       "example.org",
                                       "/path",
                                       "//example.org/",
                                       "ftp://example.org/",
                                       "file:///etc/passwd",
                                       "https://",
                                       "https://user@example.org/",
                                       "https://user:secret@example.org/",
                                       "https://exa mple.org/",
                                       "https://example.org:0x50/",
                                       "https://example.org:99999/",
                                       "https://b\xc3\xbc.example/",
                                       "https://example.org/\x01" };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (GError) error = NULL;
    g_test_message ("%s", cases[i]);
    g_assert_null (sv_url_origin (cases[i], &error));
    g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
    g_assert_null (strstr (error->message, "secret"));
  }
}

static void
test_messages_show_no_query (void)
{
  g_auto (SvUrl) url = { 0 };
  g_assert_true (sv_url_parse ("https://Example.org/clips/1?token=secret#f", &url, NULL));
  g_assert_cmpstr (url.shown, ==, "https://example.org/clips/1");
  g_assert_cmpstr (url.authority, ==, "example.org:443");
  g_assert_cmpstr (url.text, ==, "https://Example.org/clips/1?token=secret");
}

static void
test_long_paths_are_shown_in_part (void)
{
  g_autofree char *path = g_strnfill (5000, 'a');
  g_autofree char *text = g_strconcat ("https://example.org/", path, NULL);
  g_auto (SvUrl) url = { 0 };
  g_assert_true (sv_url_parse (text, &url, NULL));
  g_assert_cmpuint (strlen (url.shown), <=, 257);
  g_assert_true (g_str_has_suffix (url.shown, "..."));
}

static void
test_references_are_resolved (void)
{
  g_auto (SvUrl) base = { 0 };
  g_auto (SvUrl) url = { 0 };
  g_assert_true (sv_url_parse ("https://example.org/a/b?c", &base, NULL));
  g_assert_true (sv_url_resolve (&base, "../d", &url, NULL));
  g_assert_cmpstr (url.text, ==, "https://example.org/d");
}

static void
test_escaping (void)
{
  g_autofree char *escaped = sv_url_escape ("AZaz09-._~ /?&=%\xc3\xa9");
  g_assert_cmpstr (escaped, ==, "AZaz09-._~%20%2F%3F%26%3D%25%C3%A9");
}

static void
assert_kind (const char *address, SvAddressKind expected)
{
  SvAddressKind kind;
  g_test_message ("%s", address);
  g_assert_true (sv_address_kind_of_text (address, &kind));
  g_assert_cmpint (kind, ==, expected);
}

static void
test_public_addresses (void)
{
  static const char *const cases[] = { "1.1.1.1",          "9.255.255.255",   "11.0.0.0",       "100.63.255.255",
                                       "100.128.0.0",      "169.253.0.1",     "172.15.255.255", "172.32.0.0",
                                       "192.167.255.255",  "192.169.0.0",     "198.17.255.255", "198.20.0.0",
                                       "223.255.255.255",  "2606:4700::1111", "2a00::1",        "::ffff:8.8.8.8",
                                       "64:ff9b::808:808", "2002:808:808::1" };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_kind (cases[i], SV_ADDRESS_PUBLIC);
}

static void
test_loopback_addresses (void)
{
  static const char *const cases[] = { "127.0.0.1", "127.255.255.255", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1" };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_kind (cases[i], SV_ADDRESS_LOOPBACK);
}

static void
test_private_addresses (void)
{
  static const char *const cases[] = {
    "0.0.0.1",         "10.0.0.0",       "10.255.255.255",  "100.64.0.0",      "100.127.255.255", "169.254.169.254",
    "172.16.0.0",      "172.31.255.255", "192.0.0.1",       "192.0.2.1",       "192.88.99.1",     "192.168.0.0",
    "192.168.255.255", "198.18.0.0",     "198.19.255.255",  "198.51.100.1",    "203.0.113.1",     "224.0.0.1",
    "239.255.255.255", "240.0.0.1",      "255.255.255.255", "fe80::1",         "fec0::1",         "fc00::1",
    "fdff::1",         "ff02::1",        "::7f00:1",        "::ffff:10.0.0.1", "64:ff9b::a00:1",  "64:ff9b::7f00:1",
    "64:ff9b:1::1",    "100::1",         "2001::1",         "2001:1ff::1",     "2001:db8::1",     "2002:a00:1::1",
    "2002:7f00:1::",   "3fff::1",        "4000::1",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_kind (cases[i], SV_ADDRESS_PRIVATE);
}

static void
test_what_is_no_ip_address_is_private (void)
{
  struct sockaddr local = { .sa_family = AF_UNIX };
  SvAddressKind kind;
  g_assert_cmpint (sv_address_kind (&local), ==, SV_ADDRESS_PRIVATE);
  g_assert_false (sv_address_kind_of_text ("example.org", &kind));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/url/origins", test_origins);
  g_test_add_func ("/url/what-is-no-url-of-ours", test_what_is_no_url_of_ours);
  g_test_add_func ("/url/messages-show-no-query", test_messages_show_no_query);
  g_test_add_func ("/url/long-paths-are-shown-in-part", test_long_paths_are_shown_in_part);
  g_test_add_func ("/url/references-are-resolved", test_references_are_resolved);
  g_test_add_func ("/url/escaping", test_escaping);
  g_test_add_func ("/address/public", test_public_addresses);
  g_test_add_func ("/address/loopback", test_loopback_addresses);
  g_test_add_func ("/address/private", test_private_addresses);
  g_test_add_func ("/address/what-is-no-ip-address-is-private", test_what_is_no_ip_address_is_private);
  return g_test_run ();
}
