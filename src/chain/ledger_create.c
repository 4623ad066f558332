/* Making a ledger. The file is built under a temporary name beside its place and then linked there: link(2) fails where a file
 * is, so two makers cannot both succeed, and a crash leaves either a whole ledger or none.
 *
 * What it holds: `ledger` is one row of values that never change, but for `branch`, the salt that goes into the hashes of new
 * blocks and is drawn anew by a reorganisation; `block`, whose parent is the row before; `extrinsic`, as included; `pool`, as
 * waiting, in order of arrival. Nonces are unique per signer over the whole ledger, whatever the subnet. */
#include "chain/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/rfc3339.h"
#include "chain/ledger_file.h"
#include "chain/ledger_schema.h"

static const char schema[] = "PRAGMA journal_mode = WAL;"
                             "PRAGMA synchronous = FULL;"
                             "BEGIN;"
                             "CREATE TABLE ledger (id INTEGER PRIMARY KEY CHECK (id = 1), genesis TEXT NOT NULL, owner TEXT,"
                             "  block_time_ms INTEGER NOT NULL CHECK (block_time_ms >= 0),"
                             "  finality INTEGER NOT NULL CHECK (finality >= 0), branch TEXT NOT NULL) STRICT;"
                             "CREATE TABLE permit (position INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE) STRICT;"
                             "CREATE TABLE block (number INTEGER PRIMARY KEY, hash TEXT NOT NULL, time_ms INTEGER NOT NULL)"
                             " STRICT;"
                             "CREATE TABLE extrinsic (block INTEGER NOT NULL, position INTEGER NOT NULL,"
                             "  hash TEXT NOT NULL UNIQUE, netuid INTEGER NOT NULL, signer TEXT NOT NULL,"
                             "  nonce INTEGER NOT NULL, text TEXT NOT NULL, bytes BLOB NOT NULL,"
                             "  PRIMARY KEY (block, position), UNIQUE (signer, nonce)) STRICT;"
                             "CREATE INDEX extrinsic_by_signer ON extrinsic (netuid, signer, block, position);"
                             "CREATE TABLE pool (arrival INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE,"
                             "  netuid INTEGER NOT NULL, signer TEXT NOT NULL, nonce INTEGER NOT NULL, text TEXT NOT NULL,"
                             "  bytes BLOB NOT NULL, UNIQUE (signer, nonce)) STRICT;"
                             "PRAGMA application_id = " G_STRINGIFY (
                                 SV_LEDGER_APPLICATION_ID) ";"
                                                           "PRAGMA user_version = " G_STRINGIFY (SV_LEDGER_VERSION) ";";

static void
draw_hash (char hash[SV_BLOCK_HASH_TEXT])
{
  guint8 digest[32];
  randombytes_buf (digest, sizeof digest);
  g_autofree char *hex = sv_hex_encode (digest, sizeof digest);
  g_snprintf (hash, SV_BLOCK_HASH_TEXT, "0x%s", hex);
}

static gboolean
insert_parameters (SvLedger *ledger, const SvLedgerParameters *parameters, const char *genesis, GError **error)
{
  char branch[SV_BLOCK_HASH_TEXT];
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (ledger, "INSERT INTO ledger VALUES (1, ?, ?, ?, ?, ?)", error);
  if (!statement)
    return FALSE;
  draw_hash (branch);
  sqlite3_bind_text (statement, 1, genesis, -1, SQLITE_STATIC);
  sqlite3_bind_text (statement, 2, parameters->owner, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 3, (gint64)parameters->block_time_ms);
  sqlite3_bind_int64 (statement, 4, (gint64)parameters->finality);
  sqlite3_bind_text (statement, 5, branch, -1, SQLITE_STATIC);
  return sv_ledger_run (ledger, statement, error);
}

static gboolean
insert_permits (SvLedger *ledger, const char *const *permits, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (ledger, "INSERT OR IGNORE INTO permit (address) VALUES (?)", error);
  if (!statement)
    return FALSE;
  for (; permits && *permits; permits++)
  {
    sqlite3_bind_text (statement, 1, *permits, -1, SQLITE_STATIC);
    if (!sv_ledger_run (ledger, statement, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
insert_genesis (SvLedger *ledger, const char *genesis, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (ledger, "INSERT INTO block VALUES (0, ?, ?)", error);
  if (!statement)
    return FALSE;
  sqlite3_bind_text (statement, 1, genesis, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 2, sv_clock_ms ());
  return sv_ledger_run (ledger, statement, error);
}

/* Everything that goes into a new file; closing it in between folds the write-ahead log back, so that the file alone is whole.
 */
static gboolean
fill (const char *path, const SvLedgerParameters *parameters, GError **error)
{
  char genesis[SV_BLOCK_HASH_TEXT];
  SvLedger ledger = { .path = (char *)path };
  draw_hash (genesis);
  gboolean done =
      sqlite3_open_v2 (path, &ledger.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
      sqlite3_exec (ledger.db, schema, NULL, NULL, NULL) == SQLITE_OK;
  if (!done)
    sv_ledger_fail (&ledger, error);
  done = done && insert_parameters (&ledger, parameters, genesis, error) &&
         insert_permits (&ledger, parameters->permits, error) && insert_genesis (&ledger, genesis, error);
  if (done && sqlite3_exec (ledger.db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
    done = sv_ledger_fail (&ledger, error);
  sqlite3_close (ledger.db);
  return done;
}

static void
remove_temporary (const char *temporary)
{
  static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
  {
    g_autofree char *path = g_strconcat (temporary, suffixes[i], NULL);
    unlink (path);
  }
}

static gboolean
sync_directory (const char *directory)
{
  int fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean done = fd >= 0 && fsync (fd) == 0;
  if (fd >= 0)
    close (fd);
  return done;
}

static gboolean
refuse_to_replace (const char *path, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
               "%s exists already: a ledger is never overwritten; look at it with `sv chain status`, or move it away", path);
  return FALSE;
}

static gboolean
put_in_place (const char *temporary, const char *directory, const char *path, GError **error)
{
  if (link (temporary, path) == 0 && sync_directory (directory))
    return TRUE;
  if (errno == EEXIST)
    return refuse_to_replace (path, error);
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "cannot make %s: %s", path, g_strerror (errno));
  return FALSE;
}

gboolean
sv_ledger_create (const char *path, const SvLedgerParameters *parameters, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return refuse_to_replace (path, error);
  if (!sv_directory_make (directory, 0755, error))
    return FALSE;
  g_autofree char *temporary = g_strdup_printf ("%s.new-%d-%08x", path, (int)getpid (), g_random_int ());
  gboolean done = fill (temporary, parameters, error) && put_in_place (temporary, directory, path, error);
  remove_temporary (temporary);
  return done;
}
