/* An S3 server that fails as a test wants: it keeps objects and conditions as a real one does, unless told otherwise, or says
 * word by word what it is told. And a store on it whose waiting takes no time. */
#pragma once

#include "../base/tiny_server.h"
#include "store/s3_request.h"

typedef struct
{
  TinyServer *server;
  char *home;
  SvConfig *config;
  SvObjectStore *store;

  /* what the server does wrong */
  guint n_lost_answers;     /* of the next puts: carried out, and the connection closed */
  guint n_lost_requests;    /* of the next puts: not carried out, and the connection closed */
  const char *intruder;     /* what somebody else puts under the same key when a request is lost */
  guint n_lost_completions; /* of uploads in parts: carried out, and the connection closed */
  gboolean ignores_absent, ignores_match, wants_bare, knows_no_conditions;
  gboolean keeps_connections;
  guint n_puts_until_removed; /* the object of that put is gone right after it; 0: of none */
  guint n_puts_until_unknown; /* that put is answered as by a server that knows no conditions; 0: none */
  const char *const *script;  /* NULL-terminated: what is answered first, whatever is asked; "" closes the connection */

  /* what it has seen */
  GPtrArray *requests; /* "PUT /bucket/key?query" */
  GHashTable *objects; /* path -> what is stored there */
  guint n_versions;

  /* the store's clock */
  gint64 now_ms;
  gint64 longest_sleep_ms;
  guint n_sleeps;
} S3World;

S3World *s3_world_new (void);
void s3_world_free (S3World *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (S3World, s3_world_free)

/* The same server, opened anew with the world's settings. */
SvObjectStore *s3_world_open (S3World *world, GError **error);

/* The content of a key on the server, or NULL. */
const char *s3_world_content (S3World *world, const char *key);

/* How many requests began so: "PUT /bucket/private/probe/". */
guint s3_world_n_requests (S3World *world, const char *beginning);

/* A whole HTTP answer. @headers may be NULL, else ends in "\r\n". Returns: (transfer full). */
char *s3_answer_text (guint status, const char *headers, const char *body);

/* An <Error> with this code. */
char *s3_error_text (guint status, const char *code);
