#include "state_fixture.h"

#include "scratch.h"

typedef struct
{
  const char *name;
  char *(*url) (const char *folder);
} Engine;

static char *
sqlite_url (const char *folder)
{
  return g_strdup_printf ("sqlite:%s/deep/state.sqlite", folder);
}

static const Engine engines[] = {
  { "sqlite", sqlite_url },
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
  fixture.url = test->engine->url (fixture.folder);
  fixture.state = open_state (fixture.url);
  test->run (&fixture);
  sv_state_free (fixture.state);
  g_free (fixture.url);
  scratch_remove (fixture.folder);
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
