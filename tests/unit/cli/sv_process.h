/* Runs the built sv ($SV) as a person would, in a home of its own. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct
{
  int status;
  char *out;
  char *err;
} Result;

void result_clear (Result *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Result, result_clear)

/* `sv` with the words of @format, in the directory @home, which is also its HOME; @settings are further "NAME=VALUE"s of its
 * environment, NULL-terminated, or NULL. */
Result run_sv (const char *home, const char *const *settings, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Runs it, expects this exit status, and returns what it printed (transfer full). */
char *expect_out (Result result, int status);
/* Expects this exit status and @message on standard error; clears the result. */
void expect_failure (Result result, int status, const char *message);
/* Expects success and one JSON document (transfer full). */
json_t *expect_json (Result result);

/* Removes a directory and all in it. */
void remove_tree (const char *path);
