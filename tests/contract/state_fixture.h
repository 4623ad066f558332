/* An empty state of each engine. An engine enters the contract by a row in state_fixture.c: the URL of an empty database. */
#pragma once

#include "postgres_server.h"
#include "state/state.h"

typedef struct
{
  char *folder;
  char *url;
  SvState *state;
  PostgresServer *server; /* borrowed; NULL: the engine has none */
  char *database;         /* its name there */
} StateFixture;

typedef void (*StatePromise) (StateFixture *fixture);

/* Adds one test per engine. */
void state_promise_add (const char *name, StatePromise run);

/* Runs them all; what main() returns. */
int state_promises_run (void);

/* Another handle on the same state. */
SvState *open_state (const char *url);

#define must(call)                                                                                                             \
  do                                                                                                                           \
  {                                                                                                                            \
    GError *error = NULL;                                                                                                      \
    gboolean ok_ = (call);                                                                                                     \
    g_assert_no_error (error);                                                                                                 \
    g_assert_true (ok_);                                                                                                       \
  } while (0)
