#include "state_fixture.h"

#include "scratch.h"

static PostgresServer *server; /* one for the program, started by the first case that needs it */
static char *server_folder;
static guint n_databases;

typedef struct
{
  const char *name;
  char *(*url) (StateFixture *fixture, char **missing);
} Engine;

static char *
sqlite_url (StateFixture *fixture, char **missing)
{
  return g_strdup_printf ("sqlite:%s/deep/state.sqlite", fixture->folder);
}

static char *
postgres_url (StateFixture *fixture, char **missing)
{
  if (server_folder == NULL)
    server_folder = scratch_new ();
  if (server == NULL)
    server = postgres_server_start (server_folder, missing);
  if (server == NULL)
    return NULL;
  fixture->server = server;
  fixture->database = g_strdup_printf ("case%u", n_databases++);
  return postgres_server_database (server, fixture->database);
}

static const Engine engines[] = {
  { "sqlite", sqlite_url },
  { "postgres", postgres_url },
};

typedef struct
{
  const Engine *engine;
  StatePromise run;
} Case;

SvState *
open_state (const char *url)
{
  GError *error = NULL;
  g_autoptr (SvConfig) config = sv_config_new ();
  sv_config_set (config, "SCOREVISION_DATABASE", url);
  SvState *state = sv_state_open (config, &error);
  g_assert_no_error (error);
  return state;
}

static void
run_case (gconstpointer data)
{
  const Case *test = data;
  StateFixture fixture = { .folder = scratch_new () };
  g_autofree char *missing = NULL;
  fixture.url = test->engine->url (&fixture, &missing);
  if (fixture.url == NULL)
    g_test_skip (missing);
  else
  {
    fixture.state = open_state (fixture.url);
    test->run (&fixture);
    sv_state_free (fixture.state);
  }
  g_free (fixture.database);
  g_free (fixture.url);
  scratch_remove (fixture.folder);
}

int
state_promises_run (void)
{
  int status = g_test_run ();
  g_clear_pointer (&server, postgres_server_free);
  if (server_folder != NULL)
    scratch_remove (server_folder);
  return status;
}

void
state_promise_add (const char *name, StatePromise run)
{
  for (gsize i = 0; i < G_N_ELEMENTS (engines); i++)
  {
    Case *test = g_new (Case, 1);
    *test = (Case){ &engines[i], run };
    g_autofree char *path = g_strdup_printf ("/state/%s/%s", engines[i].name, name);
    g_test_add_data_func_full (path, test, run_case, g_free);
  }
}
