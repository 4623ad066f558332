/* A real PostgreSQL in processes of its own that end with this one (tests/support/postgres/server), and databases on it. */
#pragma once

#include <glib.h>

typedef struct PostgresServer PostgresServer;

/* NULL where there can be none here; *@reason (transfer full) then says why. @folder is the server's. */
PostgresServer *postgres_server_start (const char *folder, char **reason);
void postgres_server_free (PostgresServer *server);

/* "postgresql://…/NAME" of a database that is made, empty. Returns: (transfer full). */
char *postgres_server_database (PostgresServer *server, const char *name);

/* At once, as a crash would end it; and again. */
void postgres_server_stop (PostgresServer *server);
void postgres_server_restart (PostgresServer *server);

/* What psql prints for a statement of the superuser's in the database @name, on one line. Returns: (transfer full). */
char *postgres_server_sql (PostgresServer *server, const char *name, const char *statement);

guint postgres_server_port (const PostgresServer *server);
