/* A small HTTP server on loopback, inside the test process: serves a folder with ETags as a public bucket does, and misbehaves
 * where a path asks for it:
 *   /status/{n}      answers with that status
 *   /busy/{n}        answers with 429 n times, or with 503 and Retry-After where n is negative, and then as it should
 *   /etag/{name}     "weak", "bare" or "none": the ETag W/"x", x, or none
 *   /redirect        leads to itself
 *   /ignore-etag     has ETag "same" and always answers 200 */
#pragma once

#include <glib.h>

typedef struct FolderServer FolderServer;

FolderServer *folder_server_new (const char *folder);
void folder_server_free (FolderServer *server);

/* (transfer none) "http://127.0.0.1:PORT". */
const char *folder_server_url (const FolderServer *server);

/* The Cache-Control of the last request, "" for none. Returns: (transfer full). */
char *folder_server_last_cache_control (FolderServer *server);

/* From now on @path ("/…") is answered with 429; NULL: none is. */
void folder_server_refuse (FolderServer *server, const char *path);

/* The status of the last answer. */
guint folder_server_last_status (FolderServer *server);
