/* What the handlers of the Challenge API share, and one request on its way through them. */
#pragma once

#include "api/address_limit.h"
#include "api/admission.h"
#include "api/board.h"
#include "api/clip_link.h"
#include "api/http.h"
#include "api/issue_log.h"
#include "api/issue_publisher.h"
#include "api/metrics.h"
#include "api/reply.h"
#include "api/state_keeper.h"
#include "api/task_desk.h"
#include "api/watcher.h"
#include "bindings/validators.h"
#include "store/object_store.h"

typedef struct SvCommitmentDesk SvCommitmentDesk;

typedef struct
{
  guint netuid;
  char **bases;   /* public base URLs without trailing slash; clip links begin with the first */
  char **origins; /* scheme://host[:port] of the bases, for the bound nonce */
  SvBoard *board;
  SvWatcher *manifests;
  SvWatcher *chain;
  SvWatcher *clips;
  SvValidators *validators; /* NULL: no list is configured */
  SvAdmissionMemory *admission;
  SvIssueLog *issue_log;
  SvIssuePublisher *issue_publisher;
  SvTaskDesk *tasks;
  SvCommitmentDesk *commitments;
  SvStateKeeper *keeper;
  SvAddressLimit *addresses;        /* requests to the API */
  SvAddressLimit *public_addresses; /* all others: files, health, and what there is not */
  SvAddressLimit *costly_addresses; /* besides, those that cost many times as much as one of the others */
  SvMetrics *metrics;
  struct SvFront *front;      /* set when it is made */
  const SvObjectStore *store; /* used for local paths only, which any thread may ask for */
  guint8 *clip_key;           /* in sodium_malloc memory; set once the keeper is ready */
  SvClipLinks *clip_links;
  guint max_working; /* API requests in hand, beyond which new ones are answered 503 */
  gint n_working;    /* atomic: handlers that have not replied yet */
  gint is_draining;  /* atomic: no new connections, answers end theirs */
  gint is_replaced;  /* atomic: another server of this process goes on, so draining is nobody's concern */
  gint is_closing;   /* atomic: new API requests are refused */
  gint n_in_flight;  /* atomic: requests whose answer is not sent to its end */
  GMutex flight_lock;
  GCond flight_changed; /* n_in_flight or n_working went down while the server was draining */
} SvService;

typedef struct SvRoute SvRoute;
struct SvConnection;

#define SV_REQUEST_ID_MAX 64
#define SV_TASK_ID_MAX 40 /* a UUID, or a number */

typedef struct
{
  SvService *service;
  struct SvConnection *connection;
  const SvRoute *route;
  char id[SV_REQUEST_ID_MAX + 1]; /* of the request, in logs and X-Request-Id */
  const char *method;             /* in capitals, as it came; "-" where there is none */
  SvTarget *target;               /* NULL where it could not be read */
  GArray *headers;                /* of SvPair: those that a handler may ask for */
  char *body;                     /* of a route that takes one, with a NUL after it; else NULL */
  gsize body_length;
  const char *client; /* address, as limited and logged */
  const char *asker;  /* for the log, borrowed from the target; NULL until known */
  const char *miner;  /* likewise what was handed out: of a challenge, … */
  const char *element;
  guint64 challenge_id;      /* … 0 where none was; … */
  char task[SV_TASK_ID_MAX]; /* … of a task that the request is about; "" */
  gint64 arrived_us;         /* its first byte */
  gint64 began_us;           /* its headers were taken apart */
  gint64 step_us;            /* the step before is over; 0: steps of this request are not counted */
  SvWait waits_for;
  guint stage;   /* where a handler goes on after it was suspended; 0 at first */
  gpointer work; /* the handler's own */
  GDestroyNotify free_work;
  gpointer kept;       /* a handler's memory for its next request, or NULL; g_free() frees it */
  gboolean is_begun;   /* counted in n_in_flight */
  gboolean is_working; /* counted in n_working */
  gboolean is_suspended;
  /* where all of that lies: */
  SvTarget own_target;
  char *text; /* the request's head, decoded in place */
  gsize text_size;
  char client_text[SV_ADDRESS_TEXT_MAX]; /* where a proxy forwarded it */
} SvExchange;

/* Handles a request. NULL: the exchange was suspended, and the handler is called again when it is resumed. */
typedef SvReply *(*SvHandler) (SvExchange *exchange);

struct SvRoute
{
  const char *name; /* in metrics and logs */
  const char *path; /* ends in "/": all below it */
  gboolean allows_head;
  gboolean is_limited; /* under the overload rules */
  SvHandler handle;
  const char *method; /* "GET" or "POST" */
  gsize max_body;     /* bytes; 0: none is taken */
  gboolean is_costly;
};

/* (transfer none) the route of a path, or NULL. A path that is a route by itself is one only in its plain spelling, without
 * percent escapes: so a proxy that keeps /metrics from the world keeps it in all spellings. */
const SvRoute *sv_route_find (const char *path, gboolean is_plain);

/* (transfer none) why challenges cannot be handed out, in words; NULL where they can. */
const char *sv_service_fault (const SvService *service);

/* Notes for the log which task the request is about. */
void sv_exchange_note_task (SvExchange *exchange, guint64 id);

/* Said in a handler that returns NULL, before the request is handed to another thread. */
void sv_exchange_suspend (SvExchange *exchange);
/* The same, and /metrics tells what such requests wait for. */
void sv_exchange_wait (SvExchange *exchange, SvWait wait);
/* Goes on with it, once for each suspension; any thread. @exchange is a gpointer so that this can be a callback. */
void sv_exchange_resume (gpointer exchange);

/* The steps of a request whose time is counted: it begins to be; one is over now, or was at @end_us. */
void sv_exchange_begin_steps (SvExchange *exchange);
void sv_exchange_end_step (SvExchange *exchange, SvStep step);
void sv_exchange_end_step_at (SvExchange *exchange, SvStep step, gint64 end_us);

SvReply *sv_handle_challenge_v3 (SvExchange *exchange);
SvReply *sv_handle_tasks_v2 (SvExchange *exchange);
SvReply *sv_handle_task_next (SvExchange *exchange);
SvReply *sv_handle_task_complete (SvExchange *exchange);
SvReply *sv_handle_task_ground_truth (SvExchange *exchange);
SvReply *sv_handle_commitments (SvExchange *exchange);
SvReply *sv_handle_public_tree (SvExchange *exchange);
SvReply *sv_handle_clip (SvExchange *exchange);
SvReply *sv_handle_healthz (SvExchange *exchange);
SvReply *sv_handle_readyz (SvExchange *exchange);
SvReply *sv_handle_metrics (SvExchange *exchange);
SvReply *sv_handle_openapi (SvExchange *exchange);
