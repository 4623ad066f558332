/* Each mirror is asked on a thread of its own, which is lent the mirror's store and gives it back with its answer over a queue.
 * Who does not wait for an answer any more just lets go of the queue: the last holder, then the thread, frees answer and
 * store, and the mirror opens a new store when it is asked again. A mirror that is alone is asked without a thread. */
#include "distribution/mirrors.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"

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
  guint last_right;     /* number of the mirror that had the last content-addressed object */
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

SvMirrors *
sv_mirrors_new (const SvConfig *config, const char *const *urls)
{
  SvMirrors *mirrors = g_new0 (SvMirrors, 1);
  mirrors->config = config;
  mirrors->mirrors = g_ptr_array_new_with_free_func (mirror_free);
  for (const char *const *url = urls; *url != NULL; url++)
    add_mirror (mirrors, *url, NULL);
  mirrors->name = g_strjoinv (", ", (char **)urls);
  return mirrors;
}

SvMirrors *
sv_mirrors_new_for_store (SvObjectStore *store)
{
  SvMirrors *mirrors = g_new0 (SvMirrors, 1);
  mirrors->mirrors = g_ptr_array_new_with_free_func (mirror_free);
  mirrors->name = g_strdup (sv_object_store_url (store));
  mirrors->is_borrowed = TRUE;
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
  g_free (mirrors);
}

const char *
sv_mirrors_name (const SvMirrors *mirrors)
{
  return mirrors->name;
}

guint
sv_mirrors_count (const SvMirrors *mirrors)
{
  return mirrors->mirrors->len;
}

/* ── one question ── */

typedef struct
{
  guint mirror;
  char *url;
  SvObjectStore *store;
  char *key;
  char *etag;
  SvGetOptions options;
  GAsyncQueue *answers; /* NULL when asked without a thread */
} Question;

static void
answer_free (gpointer data)
{
  SvMirrorAnswer *answer = data;
  g_clear_pointer (&answer->object, sv_object_free);
  g_clear_pointer (&answer->store, sv_object_store_free);
  g_clear_error (&answer->error);
  g_free (answer->hash);
  g_free (answer->url);
  g_free (answer);
}

static SvMirrorAnswer *
answer_question (Question *question)
{
  SvMirrorAnswer *answer = g_new0 (SvMirrorAnswer, 1);
  answer->mirror = question->mirror;
  answer->url = g_strdup (question->url);
  question->options.known_etag = question->etag;
  answer->object = sv_object_store_get (question->store, question->key, &question->options, &answer->unchanged, &answer->error);
  answer->store = g_steal_pointer (&question->store);
  return answer;
}

static void
question_free (Question *question)
{
  g_clear_pointer (&question->answers, g_async_queue_unref);
  g_free (question->url);
  g_free (question->key);
  g_free (question->etag);
  g_free (question);
}

static gpointer
question_thread (gpointer data)
{
  Question *question = data;
  g_async_queue_push (question->answers, answer_question (question));
  question_free (question);
  return NULL;
}

/* Takes the mirror's store out of it, opening one where there is none. */
static Question *
make_question (SvMirrors *mirrors, guint number, const char *key, const SvGetOptions *options, const char *etag, GError **error)
{
  Mirror *mirror = mirrors->mirrors->pdata[number];
  if (mirror->store == NULL)
    mirror->store = sv_object_store_open (mirror->url, mirrors->config, error);
  if (mirror->store == NULL)
    return NULL;
  Question *question = g_new0 (Question, 1);
  question->mirror = number;
  question->url = g_strdup (mirror->url);
  question->store = g_steal_pointer (&mirror->store);
  question->key = g_strdup (key);
  question->etag = g_strdup (etag);
  question->options = *options;
  return question;
}

static SvMirrorAnswer *
failed_answer (SvMirrors *mirrors, guint number, GError *error)
{
  SvMirrorAnswer *answer = g_new0 (SvMirrorAnswer, 1);
  answer->mirror = number;
  answer->url = g_strdup (((Mirror *)mirrors->mirrors->pdata[number])->url);
  answer->error = error;
  return answer;
}

/* The answer comes over @answers. */
static void
ask_on_thread (SvMirrors *mirrors, guint number, const char *key, const SvGetOptions *options, const char *etag,
               GAsyncQueue *answers)
{
  GError *error = NULL;
  Question *question = make_question (mirrors, number, key, options, etag, &error);
  if (question == NULL)
  {
    g_async_queue_push (answers, failed_answer (mirrors, number, error));
    return;
  }
  question->answers = g_async_queue_ref (answers);
  g_thread_unref (g_thread_new ("mirror", question_thread, question));
}

static void
give_store_back (SvMirrors *mirrors, SvMirrorAnswer *answer)
{
  Mirror *mirror = mirrors->mirrors->pdata[answer->mirror];
  if (mirror->store == NULL)
    mirror->store = g_steal_pointer (&answer->store);
}

static SvMirrorAnswer *
ask_here (SvMirrors *mirrors, const char *key, const SvGetOptions *options, const char *etag)
{
  GError *error = NULL;
  Question *question = make_question (mirrors, 0, key, options, etag, &error);
  if (question == NULL)
    return failed_answer (mirrors, 0, error);
  SvMirrorAnswer *answer = answer_question (question);
  give_store_back (mirrors, answer);
  question_free (question);
  return answer;
}

/* ── all of them ── */

static void
collect_answers (SvMirrors *mirrors, GAsyncQueue *queue, GPtrArray *answers)
{
  gint64 deadline = g_get_monotonic_time () + SV_MIRRORS_PATIENCE_MS * 1000;
  while (answers->len < mirrors->mirrors->len)
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
sv_mirrors_ask_all (SvMirrors *mirrors, const char *key, const SvGetOptions *options, const char *const *etags)
{
  GPtrArray *answers = g_ptr_array_new_with_free_func (answer_free);
  if (mirrors->mirrors->len == 1)
  {
    g_ptr_array_add (answers, ask_here (mirrors, key, options, etags != NULL ? etags[0] : NULL));
    return answers;
  }
  g_autoptr (GAsyncQueue) queue = g_async_queue_new_full (answer_free);
  for (guint i = 0; i < mirrors->mirrors->len; i++)
    ask_on_thread (mirrors, i, key, options, etags != NULL ? etags[i] : NULL, queue);
  collect_answers (mirrors, queue, answers);
  return answers;
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
sv_advise_other_mirror (GError *error)
{
  if (!g_error_matches (error, SV_ERROR, SV_ERROR_VERIFY) && !g_error_matches (error, SV_ERROR, SV_ERROR_MALFORMED))
    return;
  g_autofree char *message = error->message;
  error->message =
      g_strconcat (message, "; nothing of it is used: read from another mirror (R2_PUBLIC_URL), or ask the operator", NULL);
}

/* The answer's bytes if they are right, else NULL and its error in @kept. */
static GBytes *
judge_answer (SvMirrorAnswer *answer, const char *key, const char *hash, GError **kept)
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
  sv_advise_other_mirror (error);
  sv_keep_telling_error (kept, error);
  return NULL;
}

static GBytes *
race_mirrors (SvMirrors *mirrors, const char *key, const char *hash, const SvGetOptions *options, GError **kept)
{
  g_autoptr (GAsyncQueue) queue = g_async_queue_new_full (answer_free);
  guint asked = 0, answered = 0, total = mirrors->mirrors->len, first = mirrors->last_right;
  GBytes *bytes = NULL;
  while (bytes == NULL && answered < total)
  {
    if (asked < total)
      ask_on_thread (mirrors, (first + asked++) % total, key, options, NULL, queue);
    SvMirrorAnswer *answer =
        asked < total ? g_async_queue_timeout_pop (queue, NEXT_MIRROR_AFTER_US) : g_async_queue_pop (queue);
    if (answer == NULL)
      continue;
    answered++;
    give_store_back (mirrors, answer);
    bytes = judge_answer (answer, key, hash, kept);
    if (bytes != NULL)
      mirrors->last_right = answer->mirror;
    answer_free (answer);
  }
  return bytes;
}

GBytes *
sv_mirrors_get_by_hash (SvMirrors *mirrors, const char *key, const char *hash, gsize max_size, GError **error)
{
  SvGetOptions options = { .max_size = max_size };
  GError *kept = NULL;
  GBytes *bytes;
  if (mirrors->mirrors->len == 1)
  {
    SvMirrorAnswer *answer = ask_here (mirrors, key, &options, NULL);
    bytes = judge_answer (answer, key, hash, &kept);
    answer_free (answer);
  }
  else
    bytes = race_mirrors (mirrors, key, hash, &options, &kept);
  if (bytes != NULL)
    g_clear_error (&kept);
  else
    g_propagate_error (error, kept);
  return bytes;
}
