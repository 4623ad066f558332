/* Carrying SQLite's log over into the file. By default whoever commits does that at times, and all who wait for him wait for
 * the pages of a thousand commits and for two more fsyncs. So for admissions a thread with a connection of its own does it,
 * beside the commits. SQLite begins its log anew only when all of it has been carried over, which under steady load a thread
 * beside it may never find: once the log is long, the commit carries over what little is left and that is it.
 *
 * A failure here loses nothing and is not told: the log stays, and where the disk is the reason, the next commit says so. */
#include "base/thread_priority.h"
#include "state/sqlite_state.h"

#define PAGES 1000     /* of the log, after which they are carried over */
#define PAGES_MAX 8000 /* of the log, at which a commit does it: 32 MiB */
#define BUSY_TIMEOUT_MS 10000

struct SvSqliteCheckpointer
{
  sqlite3 *db;
  int told; /* length of the log, in pages, when the thread was last woken */
  GThread *thread;
  GMutex lock;
  GCond wake;
  gboolean is_due;
  gboolean is_closing;
};

static gpointer
run (gpointer data)
{
  SvSqliteCheckpointer *checkpointer = data;
  sv_thread_give_way ("the database's checkpoints", SV_SHARE_QUARTER);
  for (;;)
  {
    g_mutex_lock (&checkpointer->lock);
    while (!checkpointer->is_due && !checkpointer->is_closing)
      g_cond_wait (&checkpointer->wake, &checkpointer->lock);
    gboolean is_closing = checkpointer->is_closing;
    checkpointer->is_due = FALSE;
    g_mutex_unlock (&checkpointer->lock);
    if (is_closing)
      return NULL;
    sqlite3_wal_checkpoint_v2 (checkpointer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  }
}

static void
wake (SvSqliteCheckpointer *checkpointer)
{
  g_mutex_lock (&checkpointer->lock);
  checkpointer->is_due = TRUE;
  g_cond_signal (&checkpointer->wake);
  g_mutex_unlock (&checkpointer->lock);
}

/* SQLite calls it after each commit of the state's own connection. */
static int
after_commit (void *data, sqlite3 *db, const char *name, int n_pages)
{
  SvSqliteCheckpointer *checkpointer = data;
  if (n_pages < checkpointer->told) /* it has begun anew */
    checkpointer->told = 0;
  if (n_pages - checkpointer->told >= PAGES)
  {
    checkpointer->told = n_pages;
    wake (checkpointer);
  }
  if (n_pages >= PAGES_MAX)
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
