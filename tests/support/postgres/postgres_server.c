#include "postgres_server.h"

#include <gio/gio.h>
#include <string.h>

#define MISSING 3 /* what the script exits with where its programs are not installed */

struct PostgresServer
{
  GSubprocess *process;
  GOutputStream *input;
  GDataInputStream *output;
  char *url;
};

static char *
read_line (PostgresServer *server)
{
  return g_data_input_stream_read_line_utf8 (server->output, NULL, NULL, NULL);
}

PostgresServer *
postgres_server_start (const char *folder, char **reason)
{
  g_autoptr (GError) error = NULL;
  PostgresServer *server = g_new0 (PostgresServer, 1);
  server->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                                      SV_SOURCE_ROOT "/tests/support/postgres/server", folder, NULL);
  g_assert_no_error (error);
  server->input = g_subprocess_get_stdin_pipe (server->process);
  server->output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (server->process));
  server->url = read_line (server);
  if (server->url != NULL)
    return server;
  g_subprocess_wait (server->process, NULL, NULL);
  gboolean is_missing =
      g_subprocess_get_if_exited (server->process) && g_subprocess_get_exit_status (server->process) == MISSING;
  postgres_server_free (server);
  if (!is_missing)
    g_error ("the PostgreSQL server did not start");
  *reason = g_strdup ("PostgreSQL is not installed here (scripts/install-deps)");
  return NULL;
}

/* The script ends when its standard input does. */
void
postgres_server_free (PostgresServer *server)
{
  if (server == NULL)
    return;
  g_output_stream_close (server->input, NULL, NULL);
  g_subprocess_wait (server->process, NULL, NULL);
  g_clear_object (&server->output);
  g_clear_object (&server->process);
  g_free (server->url);
  g_free (server);
}

static char *
tell (PostgresServer *server, const char *command)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line = g_strconcat (command, "\n", NULL);
  g_output_stream_write_all (server->input, line, strlen (line), NULL, NULL, &error);
  g_assert_no_error (error);
  char *answer = read_line (server);
  g_assert_nonnull (answer);
  return answer;
}

void
postgres_server_stop (PostgresServer *server)
{
  g_autofree char *answer = tell (server, "stop");
  g_assert_cmpstr (answer, ==, "stopped");
}

void
postgres_server_restart (PostgresServer *server)
{
  g_autofree char *answer = tell (server, "start");
  g_assert_cmpstr (answer, ==, "started");
}

char *
postgres_server_sql (PostgresServer *server, const char *name, const char *statement)
{
  g_autofree char *command = g_strdup_printf ("sql %s %s", name, statement);
  return g_strchomp (tell (server, command));
}

char *
postgres_server_database (PostgresServer *server, const char *name)
{
  g_autofree char *statement = g_strdup_printf ("CREATE DATABASE %s OWNER sv", name);
  g_autofree char *answer = postgres_server_sql (server, "postgres", statement);
  g_assert_cmpstr (answer, ==, "");
  return g_strconcat (server->url, name, NULL);
}

guint
postgres_server_port (const PostgresServer *server)
{
  return (guint)g_ascii_strtoull (strrchr (server->url, ':') + 1, NULL, 10);
}
