/* Carrying SQLite's log over into the file. By default whoever commits does that at times, and all who wait for him wait for
 * the pages of a thousand commits and for two more fsyncs. So for admissions a thread with a connection of its own does it,
 * beside the commits.
 *
 * SQLite begins its log anew only when all of it has been carried over, which under steady load a thread beside the commits
 * never finds: there is always one that came meanwhile. So the thread carries over what there is until only a few pages are
 * left, and leaves those to the next commit, which is what keeps the log short. A short log is written over and over in
 * place, and a disk does that sooner than it makes a file longer.
 *
 * A failure here loses nothing and is not told: the log stays, and where the disk is the reason, the next commit says so. */
#include "base/thread_priority.h"
#include "state/sqlite_state.h"

#define PAGES 500      /* of the log, after which they are carried over: 2 MiB */
#define REST_MAX 128   /* that a commit carries over: half a megabyte */
#define ROUNDS_MAX 8   /* of the thread in a row; where that is not enough, it is woken again */
#define PAGES_MAX 8000 /* of the log, at which a commit does it whatever is left: 32 MiB */
#define BUSY_TIMEOUT_MS 10000

struct SvSqliteCheckpointer
{
  sqlite3 *db;
  GThread *thread;
  GMutex lock; /* of what follows */
  GCond wake;
  int length;       /* of the log, in pages, after the last commit */
  int told;         /* its length when the thread was last woken */
  int carried;      /* pages of it that the thread has carried over */
  guint n_logs;     /* how often it has begun anew: what the thread has found of an older one counts for nothing */
  gboolean is_near; /* so little is left that the next commit is to carry it over */
  gboolean is_due;
  gboolean is_closing;
};

/* ── the thread ── */

/* Under the lock. FALSE when it is over. */
static gboolean
await_turn (SvSqliteCheckpointer *checkpointer)
{
  while (!checkpointer->is_due && !checkpointer->is_closing)
    g_cond_wait (&checkpointer->wake, &checkpointer->lock);
  checkpointer->is_due = FALSE;
  return !checkpointer->is_closing;
}

/* Under the lock, which it lets go of meanwhile. TRUE while more is left than a commit should have to do. */
static gboolean
carry_over (SvSqliteCheckpointer *checkpointer)
{
  int length, carried;
  guint n_logs = checkpointer->n_logs;
  g_mutex_unlock (&checkpointer->lock);
  int code = sqlite3_wal_checkpoint_v2 (checkpointer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &length, &carried);
  g_mutex_lock (&checkpointer->lock);
  if (code != SQLITE_OK || n_logs != checkpointer->n_logs || carried == checkpointer->carried)
    return FALSE; /* the last of these: somebody still reads what is older, or all has been carried over */
  checkpointer->carried = carried;
  checkpointer->is_near = checkpointer->length - carried <= REST_MAX;
  return !checkpointer->is_near;
}

static gpointer
run (gpointer data)
{
  SvSqliteCheckpointer *checkpointer = data;
  sv_thread_give_way ("the database's checkpoints", SV_SHARE_QUARTER);
  g_mutex_lock (&checkpointer->lock);
  while (await_turn (checkpointer))
    for (guint i = 0; i < ROUNDS_MAX && carry_over (checkpointer); i++)
      ;
  g_mutex_unlock (&checkpointer->lock);
  return NULL;
}

/* ── the commits ── */

/* TRUE when this commit has to carry over what is left. */
static gboolean
note_commit (SvSqliteCheckpointer *checkpointer, int length)
{
  g_mutex_lock (&checkpointer->lock);
  if (length < checkpointer->length)
  {
    checkpointer->told = checkpointer->carried = 0;
    checkpointer->is_near = FALSE;
    checkpointer->n_logs++;
  }
  checkpointer->length = length;
  if (length - checkpointer->told >= PAGES)
  {
    checkpointer->told = length;
    checkpointer->is_due = TRUE;
    g_cond_signal (&checkpointer->wake);
  }
  gboolean is_turn = checkpointer->is_near || length >= PAGES_MAX;
  checkpointer->is_near = FALSE;
  g_mutex_unlock (&checkpointer->lock);
  return is_turn;
}

/* SQLite calls it after each commit of the state's own connection. */
static int
after_commit (void *data, sqlite3 *db, const char *name, int length)
{
  if (note_commit (data, length))
    sqlite3_wal_checkpoint_v2 (db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  return SQLITE_OK;
}

/* A connection knows of the log only when it has read something. */
static sqlite3 *
open_connection (const char *path)
{
  sqlite3 *db;
  if (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
      sqlite3_busy_timeout (db, BUSY_TIMEOUT_MS) == SQLITE_OK &&
      sqlite3_exec (db, "PRAGMA synchronous = FULL; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) == SQLITE_OK)
    return db;
  sqlite3_close (db);
  return NULL;
}

void
sv_sqlite_checkpointer_start (SvSqliteState *state)
{
  sqlite3 *db = state->checkpointer == NULL ? open_connection (state->path) : NULL;
  if (db == NULL)
    return;
  SvSqliteCheckpointer *checkpointer = g_new0 (SvSqliteCheckpointer, 1);
  checkpointer->db = db;
  g_mutex_init (&checkpointer->lock);
  g_cond_init (&checkpointer->wake);
  checkpointer->thread = g_thread_new ("checkpoint", run, checkpointer);
  state->checkpointer = checkpointer;
  sqlite3_wal_hook (state->db, after_commit, checkpointer);
}

void
sv_sqlite_checkpointer_stop (SvSqliteState *state)
{
  SvSqliteCheckpointer *checkpointer = g_steal_pointer (&state->checkpointer);
  if (checkpointer == NULL)
    return;
  sqlite3_wal_hook (state->db, NULL, NULL);
  g_mutex_lock (&checkpointer->lock);
  checkpointer->is_closing = TRUE;
  g_cond_signal (&checkpointer->wake);
  g_mutex_unlock (&checkpointer->lock);
  g_thread_join (checkpointer->thread);
  sqlite3_close (checkpointer->db);
  g_cond_clear (&checkpointer->wake);
  g_mutex_clear (&checkpointer->lock);
  g_free (checkpointer);
}
