/* A small world for the server's tests: a ledger, a store with published windows, a state with clips, keys, and a real server
 * on a free port, spoken to over a plain socket. Blocks are made on demand only.
 *
 * Windows: "old" is over, "now" is active, "next" is upcoming. The miner is bound in all three. */
#pragma once

#include "api/server.h"
#include "chain/ledger.h"
#include "protocol/challenge.h"
#include "state/state.h"

typedef struct
{
  char *directory;
  SvConfig *config;
  SvChain *chain;
  SvKeypair *operator_key;
  SvKeypair *miner;
  SvKeypair *rival; /* another miner */
  SvKeypair *validator;
  SvKeypair *stranger;
  SvServerLimits limits;
  SvServer *server;
  char *clip_hash; /* registered, and in the store */
  char *old_manifest;
  char *now_manifest;
  char *next_manifest;
  guint64 old_expiry;
  char *old_proof;
  char *next_proof;
  char *proof;           /* Serve@1, Empty@1, Lost@1 in "now" */
  char *withdrawn_proof; /* Gone@1 */
  char *replaced_proof;  /* Moved@1, before it was replaced */
  char *rival_proof;     /* the rival's own, Serve@1 */
} World;

/* Builds all but the server. @block_time_ms 0: instant seal. */
void world_set_up (World *world, guint64 block_time_ms);
void world_tear_down (World *world);

/* Publishes the windows and binds the miners. */
void world_populate (World *world);
/* Starts the server, after populating where that is not done yet, and waits until it is ready. */
void world_start (World *world);
void world_start_server (World *world); /* that alone */
void world_stop (World *world);
void world_await_ready (World *world);
/* Waits until the body of /readyz has @part in it. */
void world_await (World *world, const char *part);

/* Publishes a window; supersedes where it has a live entry. Returns: (transfer full) the manifest's hash. */
char *world_publish (World *world, const char *window_id, guint64 start, guint64 expiry, const char *beta);
/* Submits a text and waits. Returns: (transfer full) its proof. */
char *world_commit (World *world, const SvKeypair *keypair, const char *text);
void world_advance (World *world, guint64 n);
guint64 world_head (World *world);
SvState *world_open_state (World *world);

typedef struct
{
  guint status;
  char *head; /* status line and headers */
  char *body;
  gsize length;
  json_t *json; /* of the body, or NULL */
} Answer;

void answer_clear (Answer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

/* (transfer full) the header's value, or NULL. */
char *answer_header (const Answer *answer, const char *name);
const char *answer_string (const Answer *answer, const char *key);
guint64 answer_integer (const Answer *answer, const char *key);

/* A connection to the server; -1 when refused. */
int world_connect (World *world);
/* Sends the text as it is, reads until the server closes. */
Answer world_send (World *world, const char *text);
/* METHOD TARGET with these header lines ("A: b\r\n…"; NULL: none). */
Answer world_request (World *world, const char *method, const char *target, const char *headers);
Answer world_get (World *world, const char *target);
/* world_request(), and asserts the status. */
void world_expect_status (World *world, const char *method, const char *target, const char *headers, guint status);

/* A v3 request; what is NULL takes the valid default, "-" leaves the part out. */
typedef struct
{
  const SvKeypair *asker;  /* the miner */
  const SvKeypair *signer; /* the asker */
  const char *miner;       /* left out */
  const char *element;     /* Serve@1 */
  const char *manifest;    /* now_manifest */
  const char *proof;       /* proof */
  const char *nonce;       /* the present time */
  const char *netuid;      /* 44 */
  const char *slug;        /* left out */
  const char *client;      /* left out */
  const char *x_nonce;     /* left out */
  gboolean signs_x;        /* X-Signature over the X-Nonce */
  gboolean spoils_x;       /* … and makes it wrong */
  const char *bind_to;     /* base that a bound X-Nonce is made for, with its signature */
  const char *query;       /* appended */
  const char *headers;     /* appended */
  gboolean is_legacy;      /* the v2 path, and its parts only */
} Ask;

Answer world_ask (World *world, const Ask *ask);
/* Asserts status and, unless NULL, `error` and `reason`. */
void assert_answer (const Answer *answer, guint status, const char *error, const char *reason);
/* world_ask() and assert_answer(). */
void world_expect (World *world, const Ask *ask, guint status, const char *error, const char *reason);

/* A fresh nonce: the time in nanoseconds, never the same twice. Returns: (transfer full). */
char *fresh_nonce (void);
