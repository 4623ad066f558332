/* The chute client, against chutes that answer right and wrong.
 *
 * address - template, slug and endpoint; a template without {slug}; a slug that would lead the API key elsewhere
 * request - POST with url, frames null and meta; the key as a bearer token
 * answer  - predictions and telemetry are taken; telemetry that is too big or no object is left
 *         - every rule: frames, ids, boxes, numbers (NaN, 1e400, strings), success, duplicates, nesting, cut short, not UTF-8
 * faults  - 429, 5xx and broken connections are tried four times in all, other statuses once
 *         - a redirect, an endless answer, an answer that expands, one that drips: each ends within its limit
 *         - loopback is called only where it is our own setting
 */
#include "protocol/predictions.h"
#include "runner/chute.h"

#include <string.h>

#include "refusal.h"
#include "tiny_server.h"

#define SLUG "lynx"
#define FRAMES 3
#define GOOD_BOX "{\"x1\":0,\"y1\":1.5,\"x2\":2,\"y2\":3,\"cls_id\":0,\"conf\":0.5}"
#define GOOD                                                                                                                   \
  "{\"success\":true,\"predictions\":{\"frames\":[{\"frame_id\":2,\"boxes\":[" GOOD_BOX "]}]},\"telemetry\":{\"t\":1}}"

typedef struct
{
  const char *const *answers; /* one per request; the last one repeats; NULL closes the connection */
  guint n_answers;
  guint n_asked;
} Chute;

static gboolean
play (TinyServer *server, int fd, const char *request, gpointer data)
{
  Chute *chute = data;
  const char *text = chute->answers[MIN (chute->n_asked, chute->n_answers - 1)];
  chute->n_asked++;
  if (text != NULL)
    tiny_send_text (fd, text);
  return FALSE;
}

static char *
http (guint status, const char *body)
{
  return g_strdup_printf ("HTTP/1.1 %u x\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status, strlen (body), body);
}

static gboolean
call_server (TinyServer *server, const SvConfig *extra, SvPrediction *prediction, GError **error)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  g_autofree char *origin = tiny_server_url (server, "");
  g_autofree char *template = tiny_server_url (server, "/{slug}/");
  const char *own_origins[] = { origin, NULL };
  g_autoptr (json_t) meta = json_pack ("{s:f}", "fps", 25.0);
  SvChuteCall call = {
    .slug = SLUG, .clip_url = "http://127.0.0.1/clip", .meta = meta, .max_frames = FRAMES, .timeout_ms = 400, .backoff_ms = 1
  };
  sv_config_set (config, "CHUTES_MINER_BASE_URL_TEMPLATE", template);
  if (extra != NULL)
    sv_config_set (config, "CHUTES_API_KEY", sv_config_get (extra, "CHUTES_API_KEY"));
  return sv_call_miner_model_on_chutes (client, config, own_origins, &call, prediction, error);
}

/* Calls a chute that gives @answers in turn; *@n_asked is how often it was asked. */
static gboolean
call_with (const char *const *answers, guint n_answers, guint *n_asked, SvPrediction *prediction, GError **error)
{
  Chute chute = { .answers = answers, .n_answers = n_answers };
  TinyServer *server = tiny_server_new (play, &chute);
  gboolean done = call_server (server, NULL, prediction, error);
  tiny_server_free (server);
  *n_asked = chute.n_asked;
  return done;
}

static gboolean
call_body (const char *body, SvPrediction *prediction, GError **error)
{
  guint n_asked;
  g_autofree char *text = http (200, body);
  const char *answers[] = { text };
  return call_with (answers, 1, &n_asked, prediction, error);
}

/* ── address and request ── */

static void
the_address_is_made_of_template_slug_and_endpoint (void)
{
  static const struct
  {
    const char *template, *endpoint, *url;
  } cases[] = { { "https://{slug}.chutes.ai", "predict", "https://lynx.chutes.ai/predict" },
                { "http://127.0.0.1:1/{slug}//", "v1/predict", "http://127.0.0.1:1/lynx/v1/predict" } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (SvConfig) config = sv_config_new ();
    sv_config_set (config, "CHUTES_MINER_BASE_URL_TEMPLATE", cases[i].template);
    sv_config_set (config, "CHUTES_MINER_PREDICT_ENDPOINT", cases[i].endpoint);
    g_autofree char *url = sv_chute_url (config, SLUG, NULL);
    g_assert_cmpstr (url, ==, cases[i].url);
  }
  g_autoptr (SvConfig) config = sv_config_new ();
  sv_config_set (config, "CHUTES_MINER_BASE_URL_TEMPLATE", "https://chutes.ai");
  assert_fails_saying (sv_chute_url (config, SLUG, refusal), SV_ERROR_USAGE, "{slug}");
}

static void
the_domain_is_never_the_slug (void)
{
  static const char *const bad[] = { "https://{slug}", "https://{slug}/x", "https://chutes.ai{slug}", "https://{slug}:8443",
                                     "https://{slug}.chutes.{slug}/{slug}" };
  g_autoptr (SvConfig) config = sv_config_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
  {
    sv_config_set (config, "CHUTES_MINER_BASE_URL_TEMPLATE", bad[i]);
    assert_fails_saying (sv_chute_url (config, SLUG, refusal), SV_ERROR_USAGE, "domain after {slug}");
  }
}

static void
a_slug_cannot_lead_elsewhere (void)
{
  static const char *const slugs[] = { "evil.example/", "evil.example#", "evil@host", "../x",  "a b", "",   "Lynx",
                                       "lynx\n",        "l\xc3\xbfnx",   "-lynx",     "lynx-", "api", "www" };
  g_autoptr (SvConfig) config = sv_config_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (slugs); i++)
    assert_fails_saying (sv_chute_url (config, slugs[i], refusal), SV_ERROR_USAGE, "is not a chute slug");
}

static void
the_request_is_what_chutes_expect (void)
{
  g_autofree char *text = http (200, GOOD);
  const char *answers[] = { text };
  Chute chute = { .answers = answers, .n_answers = 1 };
  g_autoptr (TinyServer) server = tiny_server_new (play, &chute);
  g_autoptr (SvConfig) secrets = sv_config_new ();
  g_auto (SvPrediction) prediction = { 0 };
  sv_config_set (secrets, "CHUTES_API_KEY", "s3cret");
  g_assert_true (call_server (server, secrets, &prediction, NULL));
  g_autofree char *request = tiny_server_last_request (server);
  g_assert_true (g_str_has_prefix (request, "POST /lynx/predict HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request, "Authorization: Bearer s3cret\r\n"));
  g_assert_nonnull (strstr (request, "Content-Type: application/json\r\n"));
  g_assert_true (
      g_str_has_suffix (request, "\r\n\r\n{\"frames\":null,\"meta\":{\"fps\":25},\"url\":\"http://127.0.0.1/clip\"}"));
}

/* ── answers ── */

static void
predictions_and_telemetry_are_taken (void)
{
  g_auto (SvPrediction) prediction = { 0 };
  g_assert_true (call_body (GOOD, &prediction, NULL));
  g_assert_cmpuint (json_array_size (json_object_get (prediction.predictions, "frames")), ==, 1);
  g_assert_cmpfloat (json_number_value (json_object_get (prediction.telemetry, "t")), ==, 1);
  g_assert_cmpfloat (prediction.latency_ms, >, 0);
}

static void
telemetry_that_breaks_its_rule_is_left (void)
{
  g_autofree char *long_text = g_strnfill (17000, 'x');
  g_autofree char *big =
      g_strdup_printf ("{\"success\":true,\"predictions\":{\"frames\":[]},\"telemetry\":{\"t\":\"%s\"}}", long_text);
  const char *const bodies[] = { big, "{\"success\":true,\"predictions\":{\"frames\":[]},\"telemetry\":[1]}",
                                 "{\"success\":true,\"predictions\":{\"frames\":[]}}" };
  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++)
  {
    g_auto (SvPrediction) prediction = { 0 };
    g_assert_true (call_body (bodies[i], &prediction, NULL));
    g_assert_cmpuint (json_object_size (prediction.telemetry), ==, 0);
  }
}

#define WITH_FRAMES(frames) "{\"success\":true,\"predictions\":{\"frames\":" frames "}}"
#define WITH_BOX(box) WITH_FRAMES ("[{\"frame_id\":0,\"boxes\":[" box "]}]")

static char *
too_many_boxes (void)
{
  g_autoptr (GString) boxes = g_string_new (GOOD_BOX);
  for (guint i = 0; i < SV_PREDICTIONS_MAX_BOXES; i++)
    g_string_append (boxes, "," GOOD_BOX);
  return g_strdup_printf (WITH_BOX ("%s"), boxes->str);
}

static char *
nested (void)
{
  g_autofree char *open = g_strnfill (100000, '[');
  return g_strdup_printf ("{\"success\":true,\"predictions\":%s", open);
}

static void
every_rule_of_the_answer_is_checked (void)
{
  g_autofree char *boxes = too_many_boxes (), *deep = nested ();
  const struct
  {
    const char *body;
    int code;
    const char *part;
  } cases[] = {
    { "{\"success\":false,\"error\":\"out of\\nmemory\"}", SV_ERROR_FAILED, "out of\\u000amemory" },
    { "{\"success\":false,\"error\":{}}", SV_ERROR_FAILED, "no reason given" },
    { "{\"predictions\":{\"frames\":[]}}", SV_ERROR_FAILED, "failed" },
    { "{\"success\":\"true\",\"predictions\":{\"frames\":[]}}", SV_ERROR_FAILED, "failed" },
    { "[]", SV_ERROR_FAILED, "failed" },
    { "{\"success\":true}", SV_ERROR_MALFORMED, "/predictions" },
    { "{\"success\":true,\"predictions\":[]}", SV_ERROR_MALFORMED, "/predictions" },
    { "{\"success\":true,\"predictions\":{}}", SV_ERROR_MALFORMED, "/predictions/frames" },
    { WITH_FRAMES ("[{\"frame_id\":0,\"boxes\":[]},{\"frame_id\":1,\"boxes\":[]},{\"frame_id\":2,\"boxes\":[]},"
                   "{\"frame_id\":0,\"boxes\":[]}]"),
      SV_ERROR_MALFORMED, "/predictions/frames" },
    { WITH_FRAMES ("[{\"frame_id\":3,\"boxes\":[]}]"), SV_ERROR_MALFORMED, "no frame 3" },
    { WITH_FRAMES ("[{\"frame_id\":0,\"boxes\":[]},{\"frame_id\":0,\"boxes\":[]}]"), SV_ERROR_MALFORMED, "there twice" },
    { WITH_FRAMES ("[{\"frame_id\":-1,\"boxes\":[]}]"), SV_ERROR_MALFORMED, "/frame_id" },
    { WITH_FRAMES ("[{\"frame_id\":0.5,\"boxes\":[]}]"), SV_ERROR_MALFORMED, "/frame_id" },
    { WITH_FRAMES ("[{\"boxes\":[]}]"), SV_ERROR_MALFORMED, "/frame_id" },
    { WITH_FRAMES ("[{\"frame_id\":0}]"), SV_ERROR_MALFORMED, "/boxes" },
    { WITH_FRAMES ("[7]"), SV_ERROR_MALFORMED, "/predictions/frames/0" },
    { boxes, SV_ERROR_MALFORMED, "/boxes" },
    { WITH_BOX ("7"), SV_ERROR_MALFORMED, "/boxes/0" },
    { WITH_BOX ("{\"x1\":0,\"y1\":1,\"x2\":2,\"y2\":3,\"cls_id\":0}"), SV_ERROR_MALFORMED, "/conf" },
    { WITH_BOX ("{\"x1\":\"0\",\"y1\":1,\"x2\":2,\"y2\":3,\"cls_id\":0,\"conf\":1}"), SV_ERROR_MALFORMED, "/x1" },
    { WITH_BOX ("{\"x1\":1e10,\"y1\":1,\"x2\":2,\"y2\":3,\"cls_id\":0,\"conf\":1}"), SV_ERROR_MALFORMED, "/x1" },
    { WITH_BOX ("{\"x1\":NaN,\"y1\":1,\"x2\":2,\"y2\":3,\"cls_id\":0,\"conf\":1}"), SV_ERROR_MALFORMED, "" },
    { WITH_BOX ("{\"x1\":1e400,\"y1\":1,\"x2\":2,\"y2\":3,\"cls_id\":0,\"conf\":1}"), SV_ERROR_MALFORMED, "" },
    { WITH_BOX ("{\"x1\":9007199254740993,\"y1\":1,\"x2\":2,\"y2\":3,\"cls_id\":0,\"conf\":1}"), SV_ERROR_MALFORMED, "" },
    { "{\"success\":true,\"success\":true,\"predictions\":{\"frames\":[]}}", SV_ERROR_MALFORMED, "" },
    { "{\"success\":true,\"predictions\":{\"frames\":[", SV_ERROR_MALFORMED, "" },
    { "{\"success\":true,\"model\":\"\xff\",\"predictions\":{\"frames\":[]}}", SV_ERROR_MALFORMED, "" },
    { "", SV_ERROR_MALFORMED, "" },
    { deep, SV_ERROR_MALFORMED, "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_auto (SvPrediction) prediction = { 0 };
    assert_fails_saying (call_body (cases[i].body, &prediction, refusal), cases[i].code, cases[i].part);
    g_assert_null (prediction.predictions);
  }
}

/* ── faults ── */

static void
what_may_pass_is_tried_four_times (void)
{
  guint n_asked;
  g_autofree char *good = http (200, GOOD), *busy = http (429, ""), *broken = http (500, "oops"), *gone = http (404, "");
  const char *after_three[] = { busy, broken, NULL, good }, *always[] = { broken }, *never[] = { NULL }, *once[] = { gone };
  g_auto (SvPrediction) prediction = { 0 };
  g_assert_true (call_with (after_three, 4, &n_asked, &prediction, NULL));
  g_assert_cmpuint (n_asked, ==, 4);
  assert_fails_saying (call_with (always, 1, &n_asked, &prediction, refusal), SV_ERROR_UNREACHABLE, "status 500");
  g_assert_cmpuint (n_asked, ==, SV_CHUTE_TRIES);
  assert_fails (call_with (never, 1, &n_asked, &prediction, refusal), SV_ERROR_UNREACHABLE);
  g_assert_cmpuint (n_asked, >=, SV_CHUTE_TRIES);
  assert_fails_saying (call_with (once, 1, &n_asked, &prediction, refusal), SV_ERROR_UNREACHABLE, "status 404");
  g_assert_cmpuint (n_asked, ==, 1);
}

static void
a_redirect_is_not_followed (void)
{
  static const char *const answers[] = { "HTTP/1.1 307 x\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n" };
  guint n_asked;
  g_auto (SvPrediction) prediction = { 0 };
  g_autoptr (GError) error = NULL;
  g_assert_false (call_with (answers, 1, &n_asked, &prediction, &error));
  g_assert_nonnull (error);
  g_assert_cmpuint (n_asked, ==, 1);
}

static gboolean
stream_without_end (TinyServer *server, int fd, const char *request, gpointer data)
{
  g_autofree char *piece = g_strnfill (65536, ' ');
  tiny_send_text (fd, "HTTP/1.1 200 x\r\nConnection: close\r\n\r\n");
  while (tiny_send (fd, piece, 65536))
    ;
  return FALSE;
}

/* One byte at a time, until the client has had enough. */
static gboolean
drip (TinyServer *server, int fd, const char *request, gpointer data)
{
  tiny_send_text (fd, "HTTP/1.1 200 x\r\nContent-Length: 1000000\r\n\r\n{");
  while (tiny_is_connected (fd, 20) && tiny_send_text (fd, " "))
    ;
  return FALSE;
}

static gboolean
say_nothing (TinyServer *server, int fd, const char *request, gpointer data)
{
  while (tiny_is_connected (fd, 1000))
    ;
  return FALSE;
}

static void
answers_without_end_are_ended (void)
{
  static const TinyAnswer plays[] = { stream_without_end, drip, say_nothing };
  for (gsize i = 0; i < G_N_ELEMENTS (plays); i++)
  {
    g_autoptr (TinyServer) server = tiny_server_new (plays[i], NULL);
    g_auto (SvPrediction) prediction = { 0 };
    g_autoptr (GError) error = NULL;
    g_assert_false (call_server (server, NULL, &prediction, &error));
    g_assert_nonnull (error);
    /* What has used up its time is not repeated. */
    g_assert_cmpuint (tiny_server_n_requests (server), ==, 1);
  }
}

static void
loopback_is_called_only_by_our_own_setting (void)
{
  Chute chute = { .answers = (const char *const[]){ NULL }, .n_answers = 1 };
  g_autoptr (TinyServer) server = tiny_server_new (play, &chute);
  g_autoptr (SvConfig) config = sv_config_new ();
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  g_autofree char *template = tiny_server_url (server, "/{slug}");
  const char *own_origins[] = { "http://127.0.0.1:1", NULL };
  SvChuteCall call = { .slug = SLUG, .clip_url = "x", .meta = NULL, .max_frames = 1, .backoff_ms = 1 };
  g_auto (SvPrediction) prediction = { 0 };
  sv_config_set (config, "CHUTES_MINER_BASE_URL_TEMPLATE", template);
  assert_fails (sv_call_miner_model_on_chutes (client, config, own_origins, &call, &prediction, refusal), SV_ERROR_POLICY);
  g_assert_cmpuint (tiny_server_n_connections (server), ==, 0);
}

#define ADD(name) g_test_add_func ("/chute/" #name, name)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (the_address_is_made_of_template_slug_and_endpoint);
  ADD (the_domain_is_never_the_slug);
  ADD (a_slug_cannot_lead_elsewhere);
  ADD (the_request_is_what_chutes_expect);
  ADD (predictions_and_telemetry_are_taken);
  ADD (telemetry_that_breaks_its_rule_is_left);
  ADD (every_rule_of_the_answer_is_checked);
  ADD (what_may_pass_is_tried_four_times);
  ADD (a_redirect_is_not_followed);
  ADD (answers_without_end_are_ended);
  ADD (loopback_is_called_only_by_our_own_setting);
  return g_test_run ();
}
