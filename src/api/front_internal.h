/* What the files of the front share: front.c (all together), worker.c (one thread's loop), connection.c (one client). */
#pragma once

#include "api/exchange.h"
#include "api/front.h"

typedef struct SvWorker SvWorker;
typedef struct SvConnection SvConnection;

/* How far the front's end has come; each includes those before it. */
typedef enum
{
  SV_FRONT_OPEN,
  SV_FRONT_QUIET,  /* nobody is let in */
  SV_FRONT_CLOSED, /* who is idle is sent away */
} SvFrontStage;

/* What a worker counts, for /metrics. */
typedef enum
{
  SV_FRONT_ACCEPTED,
  SV_FRONT_REFUSED_ADDRESS, /* one address has too many */
  SV_FRONT_PAUSED_FULL,     /* no more are accepted for a while: there are as many as may be */
  SV_FRONT_PAUSED_MEANS,    /* the same: the system has no more files or memory */
  SV_FRONT_CUT_DISPLACED,   /* made room for another */
  SV_FRONT_CUT_IDLE,
  SV_FRONT_CUT_HEAD,
  SV_FRONT_CUT_BODY,
  SV_FRONT_CUT_SENDING,
  SV_FRONT_BUSY_US,
  SV_N_FRONT_COUNTS,
} SvFrontCount;

/* A connection is in the list of its state. All but WORKING have a deadline, and each list is in the order of deadlines. */
typedef enum
{
  SV_CONNECTION_IDLE,    /* no byte of a request is here */
  SV_CONNECTION_HEAD,    /* its head is not complete */
  SV_CONNECTION_BODY,    /* its body is not complete */
  SV_CONNECTION_WORKING, /* its handler is suspended */
  SV_CONNECTION_SENDING, /* the client has not taken all of the answer */
  SV_CONNECTION_LINGERING,
  SV_CONNECTION_CLOSED,
} SvConnectionState;

#define SV_N_LISTS SV_CONNECTION_CLOSED

struct SvConnection
{
  SvConnection *previous; /* in the list of its state */
  SvConnection *next;
  SvConnection *next_in_inbox;
  gint64 deadline_us;
  SvWorker *worker;
  SvWorker *home; /* where its requests are handled; files are sent by another */
  SvExchange *exchange;
  int fd;
  int file_fd; /* -1, or of what is left to send */
  guint64 file_offset;
  guint64 file_left;
  char *input; /* what was read and not used yet; NULL mostly */
  guint32 input_at;
  guint32 input_end;
  guint32 input_size;
  guint32 body_received;
  char *output; /* what the client has not taken yet; NULL mostly */
  gsize output_at;
  gsize output_end;
  GBytes *shared; /* the body that follows @output, from @shared_at on; NULL mostly */
  gsize shared_at;
  guint64 window_sent; /* bytes since the deadline was set; of a body that is received, too */
  SvAddress peer;
  guint8 state;          /* SvConnectionState */
  guint is_readable : 1; /* more may be had: sockets are edge-triggered */
  guint is_writable : 1;
  guint has_ended : 1;     /* the client will send nothing more */
  guint is_partial : 1;    /* what is in @input is no whole head */
  guint is_keep_alive : 1; /* after the present answer */
  guint is_old : 1;        /* HTTP/1.0 */
  guint is_ready : 1;      /* in the worker's list of those to go on with */
  guint is_arriving : 1;   /* comes through the inbox to be taken up, not to be resumed */
  char client[SV_ADDRESS_TEXT_MAX];
};

typedef struct
{
  SvConnection *first;
  SvConnection *last;
} SvConnectionList;

#define SV_READ_SIZE 65536

struct SvWorker
{
  SvFront *front;
  GThread *thread;
  int epoll_fd;
  int event_fd;
  SvConnectionList lists[SV_N_LISTS];
  SvConnection *inbox; /* atomic: those that other threads have put there, the last first */
  gint is_sleeping;    /* atomic: the event is to be written after putting something into the inbox */
  gint n_connections;  /* atomic */
  gint64 now_us;
  gint64 awake_us;        /* since when it has not slept */
  gint64 log_since_us;    /* when a round ended with lines in an empty log; G_MAXINT64: it is empty */
  gint64 told_us;         /* when it told what was left out of the log */
  gint64 listen_again_us; /* 0: it listens, or never will */
  gboolean is_listening;
  SvFrontStage stage; /* the front's, as far as it is done here; changed under the front's lock */
  GPtrArray *ready;   /* connections to go on with in the next round */
  GPtrArray *dead;    /* to be freed when no event of this round can name them */
  GPtrArray *spare;   /* exchanges */
  SvRequestHead head;
  char *buffer; /* SV_READ_SIZE */
  GString *out;
  GString *log;
  /* written by this thread, read by any: */
  _Atomic guint64 counts[SV_N_FRONT_COUNTS];
  _Atomic gint n_in_state[SV_N_LISTS];
};

struct SvFront
{
  SvService *service;
  SvFrontLimits limits;
  int listen_fd;
  guint n_workers;    /* of requests; one more sends files */
  SvWorker *workers;  /* n_workers + 1 */
  gint n_connections; /* atomic */
  gint n_files;       /* atomic: connections with a file to send */
  gint stage;         /* atomic: an SvFrontStage */
  gint is_stopping;   /* atomic */
  GMutex lock;
  GCond reached; /* a worker has come to another stage */
};

/* ── connection.c ── */

/* Goes on with a connection as far as it can be gone on with now. FALSE: it is not this worker's any more, and not to be
 * touched. */
gboolean sv_connection_advance (SvConnection *connection);
/* Its exchange was resumed. */
void sv_connection_resume (SvConnection *connection);
/* Its deadline has passed. */
void sv_connection_expire (SvConnection *connection);
void sv_connection_close (SvConnection *connection);

/* The exchange is over. */
void sv_connection_end_exchange (SvConnection *connection);
/* Nothing more is answered here. */
void sv_connection_end (SvConnection *connection);

/* ── connection_send.c ── */

/* Answers the exchange; takes @reply. */
void sv_connection_respond (SvConnection *connection, SvReply *reply);
/* With what is left of an answer. FALSE: nothing can be sent now, or the connection is closed. */
gboolean sv_connection_go_on_sending (SvConnection *connection);
/* What was left to send of a file is not sent any more, or nothing is. */
void sv_connection_close_file (SvConnection *connection);
/* Bytes sent; 0 when the client takes none now; -1 when it is gone. */
gssize sv_connection_send_some (SvConnection *connection, const char *bytes, gsize length, int flags);

/* ── worker.c ── */

void sv_worker_count (SvWorker *worker, SvFrontCount count, guint64 n);
gpointer sv_worker_run (gpointer worker);
/* Cuts off its connections; in its own thread, or when that has ended. */
void sv_worker_close_all (SvWorker *worker);
/* Puts a connection into the inbox of @worker; any thread. */
void sv_worker_post (SvWorker *worker, SvConnection *connection);
void sv_worker_wake (SvWorker *worker);
void sv_connection_set_state (SvConnection *connection, SvConnectionState state);
/* Microseconds that a connection may stay in its state, 0 for as long as it takes. */
gint64 sv_connection_time_for (const SvConnection *connection);
/* Begins to listen to a connection that has come to @worker. */
void sv_worker_take_up (SvWorker *worker, SvConnection *connection);
/* Gives it to another worker, which goes on with it. */
void sv_worker_hand_over (SvConnection *connection, SvWorker *to);
SvExchange *sv_worker_take_exchange (SvWorker *worker);
void sv_worker_return_exchange (SvWorker *worker, SvExchange *exchange);
/* Writes the log's lines; without @all what fills a portion. */
void sv_worker_flush_log (SvWorker *worker, gboolean all);

/* ── accepting.c ── */

/* Whether new connections are told to @worker. Where they are not, it listens again after a while, if nothing else is said. */
void sv_worker_listen (SvWorker *worker, gboolean should);
/* Takes up the connections that wait. */
void sv_worker_accept (SvWorker *worker);
