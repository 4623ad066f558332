/* Each mirror is asked on a thread of its own, which is lent the mirror's store and gives it back with its last answer over a
 * queue. Who does not wait for an answer any more just lets go of the queue: the last holder, then the thread, frees answer and
 * store, and the mirror opens a new store when it is asked again. A mirror that is alone is asked without a thread. */
#include "distribution/mirrors.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/http_client.h"

#define NEXT_MIRROR_AFTER_US G_USEC_PER_SEC

typedef struct
{
  char *url;
  SvObjectStore *store; /* NULL while lent, or not opened yet */
} Mirror;

struct SvMirrors
{
  const SvConfig *config;
  GPtrArray *mirrors;
  char *name;
  gboolean is_borrowed; /* the store belongs to the caller */
  gboolean is_own;      /* sv_mirrors_are_own() */
  char *remedy;
  guint last_right; /* number of the mirror that had the last content-addressed object */
};

/* ── mirrors ── */

static void
mirror_free (gpointer data)
{
  Mirror *mirror = data;
  g_clear_pointer (&mirror->store, sv_object_store_free);
  g_free (mirror->url);
  g_free (mirror);
}

static void
add_mirror (SvMirrors *mirrors, const char *url, SvObjectStore *store)
{
  Mirror *mirror = g_new0 (Mirror, 1);
  mirror->url = g_strdup (url);
  mirror->store = store;
  g_ptr_array_add (mirrors->mirrors, mirror);
}

static void
set_remedy (SvMirrors *mirrors, gboolean is_ours)
{
  mirrors->is_own = is_ours && (g_str_has_prefix (mirrors->name, "file:") || g_str_has_prefix (mirrors->name, "s3:"));
  mirrors->remedy = mirrors->is_own ? g_strdup_printf ("try `sv store check --repair --store %s`", mirrors->name)
                                    : g_strdup ("try again, read from another mirror (R2_PUBLIC_URL), or ask the operator");
}

SvMirrors *
sv_mirrors_new (const SvConfig *config, const char *const *urls)
{
  SvMirrors *mirrors = g_new0 (SvMirrors, 1);
  mirrors->config = config;
  mirrors->mirrors = g_ptr_array_new_with_free_func (mirror_free);
  for (const char *const *url = urls; *url != NULL; url++)
    add_mirror (mirrors, *url, NULL);
  mirrors->name = g_strjoinv (", ", (char **)urls);
  set_remedy (mirrors, g_strcmp0 (mirrors->name, sv_config_get (config, "SCOREVISION_STORE")) == 0);
  return mirrors;
}

SvMirrors *
sv_mirrors_new_for_store (SvObjectStore *store)
{
  SvMirrors *mirrors = g_new0 (SvMirrors, 1);
  mirrors->mirrors = g_ptr_array_new_with_free_func (mirror_free);
  mirrors->name = g_strdup (sv_object_store_url (store));
  mirrors->is_borrowed = TRUE;
  set_remedy (mirrors, TRUE);
  add_mirror (mirrors, mirrors->name, store);
  return mirrors;
}

void
sv_mirrors_free (SvMirrors *mirrors)
{
  if (mirrors == NULL)
    return;
  if (mirrors->is_borrowed)
    ((Mirror *)mirrors->mirrors->pdata[0])->store = NULL;
  g_ptr_array_unref (mirrors->mirrors);
  g_free (mirrors->name);
  g_free (mirrors->remedy);
  g_free (mirrors);
}

const char *
sv_mirrors_name (const SvMirrors *mirrors)
{
  return mirrors->name;
}

gboolean
sv_mirrors_are_own (const SvMirrors *mirrors)
{
  return mirrors->is_own;
}

const char *
sv_mirrors_remedy (const SvMirrors *mirrors)
{
  return mirrors->remedy;
}

guint
sv_mirrors_count (const SvMirrors *mirrors)
{
  return mirrors->mirrors->len;
}

/* ── questions to one mirror ── */

typedef struct
{
  char *key;
  char *etag;
  SvGetOptions options;
} Item;

typedef struct
{
  guint mirror;
  char *url;
  SvObjectStore *store;
  GArray *items;        /* of Item */
  GError *silence;      /* it has let a question wait for long, so that it is not asked the others; or NULL */
  GAsyncQueue *answers; /* NULL when asked without a thread */
} Inquiry;

void
sv_mirror_answer_free (SvMirrorAnswer *answer)
{
  if (answer == NULL)
    return;
  g_clear_pointer (&answer->object, sv_object_free);
  g_clear_pointer (&answer->store, sv_object_store_free);
  g_clear_error (&answer->error);
  g_free (answer->hash);
  g_free (answer->url);
  g_free (answer);
}

static void
answer_free (gpointer answer)
{
  sv_mirror_answer_free (answer);
}

/* The store goes back with the last answer. */
static SvMirrorAnswer *
answer_item (Inquiry *inquiry, guint number)
{
  Item *item = &g_array_index (inquiry->items, Item, number);
  SvMirrorAnswer *answer = g_new0 (SvMirrorAnswer, 1);
  answer->mirror = inquiry->mirror;
  answer->question = number;
  answer->url = g_strdup (inquiry->url);
  item->options.known_etag = item->etag;
  gint64 began_us = g_get_monotonic_time ();
  if (inquiry->silence != NULL)
    answer->error = g_error_copy (inquiry->silence);
  else
    answer->object = sv_object_store_get (inquiry->store, item->key, &item->options, &answer->unchanged, &answer->error);
  if (inquiry->silence == NULL && g_error_matches (answer->error, SV_ERROR, SV_ERROR_UNREACHABLE) &&
      g_get_monotonic_time () - began_us > SV_MIRRORS_PATIENCE_MS * 1000)
    inquiry->silence = g_error_copy (answer->error);
  if (number + 1 == inquiry->items->len)
    answer->store = g_steal_pointer (&inquiry->store);
  return answer;
}

static void
item_clear (gpointer data)
{
  Item *item = data;
  g_free (item->key);
  g_free (item->etag);
}

static void
inquiry_free (Inquiry *inquiry)
{
  g_clear_pointer (&inquiry->answers, g_async_queue_unref);
  g_array_unref (inquiry->items);
  g_clear_error (&inquiry->silence);
  g_free (inquiry->url);
  g_free (inquiry);
}

static gpointer
inquiry_thread (gpointer data)
{
  Inquiry *inquiry = data;
  for (guint i = 0; i < inquiry->items->len; i++)
    g_async_queue_push (inquiry->answers, answer_item (inquiry, i));
  inquiry_free (inquiry);
  return NULL;
}

/* Takes the mirror's store out of it, opening one where there is none. */
static Inquiry *
make_inquiry (SvMirrors *mirrors, guint number, const SvMirrorQuestion *questions, guint n_questions, GError **error)
{
  Mirror *mirror = mirrors->mirrors->pdata[number];
  if (mirror->store == NULL)
    mirror->store = sv_object_store_open (mirror->url, mirrors->config, error);
  if (mirror->store == NULL)
    return NULL;
  Inquiry *inquiry = g_new0 (Inquiry, 1);
  inquiry->mirror = number;
  inquiry->url = g_strdup (mirror->url);
  inquiry->store = g_steal_pointer (&mirror->store);
  inquiry->items = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (inquiry->items, item_clear);
  for (guint i = 0; i < n_questions; i++)
  {
    const char *etag = questions[i].etags != NULL ? questions[i].etags[number] : NULL;
    Item item = { g_strdup (questions[i].key), g_strdup (etag), questions[i].options };
    item.options.is_raced = mirrors->mirrors->len > 1;
    g_array_append_val (inquiry->items, item);
  }
  return inquiry;
}

static SvMirrorAnswer *
failed_answer (SvMirrors *mirrors, guint number, guint question, const GError *error)
{
  SvMirrorAnswer *answer = g_new0 (SvMirrorAnswer, 1);
  answer->mirror = number;
  answer->question = question;
  answer->url = g_strdup (((Mirror *)mirrors->mirrors->pdata[number])->url);
  answer->error = g_error_copy (error);
  return answer;
}

/* The answers come over @answers. */
static void
ask_on_thread (SvMirrors *mirrors, guint number, const SvMirrorQuestion *questions, guint n_questions, GAsyncQueue *answers)
{
  g_autoptr (GError) error = NULL;
  Inquiry *inquiry = make_inquiry (mirrors, number, questions, n_questions, &error);
  for (guint i = 0; inquiry == NULL && i < n_questions; i++)
    g_async_queue_push (answers, failed_answer (mirrors, number, i, error));
  if (inquiry == NULL)
    return;
  inquiry->answers = g_async_queue_ref (answers);
  g_thread_unref (g_thread_new ("mirror", inquiry_thread, inquiry));
}

static void
give_store_back (SvMirrors *mirrors, SvMirrorAnswer *answer)
{
  Mirror *mirror = mirrors->mirrors->pdata[answer->mirror];
  if (mirror->store == NULL)
    mirror->store = g_steal_pointer (&answer->store);
}

/* (transfer full) the answers of the mirror that is alone. */
static GPtrArray *
ask_here (SvMirrors *mirrors, const SvMirrorQuestion *questions, guint n_questions)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *answers = g_ptr_array_new_with_free_func (answer_free);
  Inquiry *inquiry = make_inquiry (mirrors, 0, questions, n_questions, &error);
  for (guint i = 0; i < n_questions; i++)
  {
    SvMirrorAnswer *answer = inquiry != NULL ? answer_item (inquiry, i) : failed_answer (mirrors, 0, i, error);
    give_store_back (mirrors, answer);
    g_ptr_array_add (answers, answer);
  }
  if (inquiry != NULL)
    inquiry_free (inquiry);
  return answers;
}

/* ── all of them ── */

static void
collect_answers (SvMirrors *mirrors, GAsyncQueue *queue, guint n_expected, GPtrArray *answers)
{
  gint64 deadline = g_get_monotonic_time () + SV_MIRRORS_PATIENCE_MS * 1000;
  while (answers->len < n_expected)
  {
    gint64 left = deadline - g_get_monotonic_time ();
    SvMirrorAnswer *answer = left > 0 ? g_async_queue_timeout_pop (queue, (guint64)left) : NULL;
    if (answer == NULL)
      return;
    give_store_back (mirrors, answer);
    g_ptr_array_add (answers, answer);
  }
}

GPtrArray *
sv_mirrors_ask_all (SvMirrors *mirrors, const SvMirrorQuestion *questions, guint n_questions)
{
  if (mirrors->mirrors->len == 1)
    return ask_here (mirrors, questions, n_questions);
  GPtrArray *answers = g_ptr_array_new_with_free_func (answer_free);
  g_autoptr (GAsyncQueue) queue = g_async_queue_new_full (answer_free);
  for (guint i = 0; i < mirrors->mirrors->len; i++)
    ask_on_thread (mirrors, i, questions, n_questions, queue);
  collect_answers (mirrors, queue, mirrors->mirrors->len * n_questions, answers);
  return answers;
}

SvMirrorAnswer *
sv_mirrors_ask_one (SvMirrors *mirrors, guint number, const SvMirrorQuestion *question)
{
  g_autoptr (GPtrArray) answers = NULL;
  if (mirrors->mirrors->len == 1)
    answers = ask_here (mirrors, question, 1);
  else
  {
    g_autoptr (GAsyncQueue) queue = g_async_queue_new_full (answer_free);
    answers = g_ptr_array_new_with_free_func (answer_free);
    ask_on_thread (mirrors, number, question, 1, queue);
    collect_answers (mirrors, queue, 1, answers);
  }
  return answers->len > 0 ? g_ptr_array_steal_index (answers, 0) : NULL;
}

/* ── each at its own pace ── */

struct SvMirrorTalk
{
  SvMirrors *mirrors;
  GAsyncQueue *answers;
  guint n_open; /* questions without an answer */
};

SvMirrorTalk *
sv_mirror_talk_new (SvMirrors *mirrors)
{
  SvMirrorTalk *talk = g_new0 (SvMirrorTalk, 1);
  talk->mirrors = mirrors;
  talk->answers = g_async_queue_new_full (answer_free);
  return talk;
}

void
sv_mirror_talk_free (SvMirrorTalk *talk)
{
  g_async_queue_unref (talk->answers);
  g_free (talk);
}

void
sv_mirror_talk_ask (SvMirrorTalk *talk, guint mirror, const SvMirrorQuestion *question)
{
  talk->n_open++;
  if (talk->mirrors->mirrors->len > 1)
  {
    ask_on_thread (talk->mirrors, mirror, question, 1, talk->answers);
    return;
  }
  g_autoptr (GPtrArray) answers = ask_here (talk->mirrors, question, 1);
  g_async_queue_push (talk->answers, g_ptr_array_steal_index (answers, 0));
}

SvMirrorAnswer *
sv_mirror_talk_next (SvMirrorTalk *talk, gint64 deadline)
{
  gint64 left = deadline - g_get_monotonic_time ();
  if (talk->n_open == 0 || left <= 0)
    return NULL;
  SvMirrorAnswer *answer = g_async_queue_timeout_pop (talk->answers, (guint64)left);
  if (answer == NULL)
    return NULL;
  talk->n_open--;
  give_store_back (talk->mirrors, answer);
  return answer;
}

/* ── the first right one ── */

static guint
telling_rank (const GError *error)
{
  if (g_error_matches (error, SV_ERROR, SV_ERROR_NOT_FOUND))
    return 0;
  return g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE) ? 1 : 2;
}

void
sv_keep_telling_error (GError **kept, GError *error)
{
  if (*kept != NULL && telling_rank (*kept) >= telling_rank (error))
  {
    g_error_free (error);
    return;
  }
  g_clear_error (kept);
  *kept = error;
}

void
sv_mirrors_advise (const SvMirrors *mirrors, GError *error)
{
  gboolean is_away = g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  gboolean is_wrong =
      g_error_matches (error, SV_ERROR, SV_ERROR_VERIFY) || g_error_matches (error, SV_ERROR, SV_ERROR_MALFORMED);
  if (mirrors->is_borrowed || (!is_wrong && (!is_away || mirrors->is_own)))
    return;
  g_autofree char *message = error->message;
  if (is_away)
    error->message = g_strconcat (message, "; check the network, and R2_PUBLIC_URL", NULL);
  else if (mirrors->is_own)
    error->message =
        g_strdup_printf ("%s; nothing of it is used: `sv store check --store %s` tells more", message, mirrors->name);
  else
    error->message =
        g_strconcat (message, "; nothing of it is used: read from another mirror (R2_PUBLIC_URL), or ask the operator", NULL);
}

/* The answer's bytes if they are right, else NULL and its error in @kept. */
static GBytes *
judge_answer (const SvMirrors *mirrors, SvMirrorAnswer *answer, const char *key, const char *hash, GError **kept)
{
  GError *error = g_steal_pointer (&answer->error);
  if (answer->object != NULL)
  {
    g_autofree char *found = sv_hash_gbytes (answer->object->bytes);
    if (strcmp (found, hash) == 0)
      return g_bytes_ref (answer->object->bytes);
    g_set_error (&error, SV_ERROR, SV_ERROR_VERIFY, "wrong bytes: %s/%s does not hash to its name, its content is %s",
                 answer->url, key, found);
  }
  sv_mirrors_advise (mirrors, error);
  sv_keep_telling_error (kept, error);
  return NULL;
}

static GBytes *
race_mirrors (SvMirrors *mirrors, const SvMirrorQuestion *question, const char *hash, GError **kept)
{
  g_autoptr (GAsyncQueue) queue = g_async_queue_new_full (answer_free);
  guint asked = 0, answered = 0, total = mirrors->mirrors->len, first = mirrors->last_right;
  GBytes *bytes = NULL;
  while (bytes == NULL && answered < total)
  {
    if (asked < total)
      ask_on_thread (mirrors, (first + asked++) % total, question, 1, queue);
    SvMirrorAnswer *answer = g_async_queue_timeout_pop (queue, NEXT_MIRROR_AFTER_US);
    if (answer == NULL && sv_http_is_given_up ())
      break;
    if (answer == NULL)
      continue;
    answered++;
    give_store_back (mirrors, answer);
    bytes = judge_answer (mirrors, answer, question->key, hash, kept);
    if (bytes != NULL)
      mirrors->last_right = answer->mirror;
    answer_free (answer);
  }
  if (bytes == NULL && *kept == NULL)
    g_set_error (kept, SV_ERROR, SV_ERROR_UNREACHABLE, "%s: given up, because this server is being stopped", mirrors->name);
  return bytes;
}

GBytes *
sv_mirrors_get_by_hash (SvMirrors *mirrors, const char *key, const char *hash, gsize max_size, GError **error)
{
  const SvMirrorQuestion question = { .key = key, .options = { .max_size = max_size } };
  GError *kept = NULL;
  GBytes *bytes;
  if (mirrors->mirrors->len == 1)
  {
    g_autoptr (GPtrArray) answers = ask_here (mirrors, &question, 1);
    bytes = judge_answer (mirrors, answers->pdata[0], key, hash, &kept);
  }
  else
    bytes = race_mirrors (mirrors, &question, hash, &kept);
  if (bytes != NULL)
    g_clear_error (&kept);
  else
    g_propagate_error (error, kept);
  return bytes;
}
