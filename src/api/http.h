/* What a request is made of: its target and the headers that we read, taken apart within bounds. Knows nothing of sockets, so
 * a fuzzer and the unit tests can call it. docs/protocol.md section 7. */
#pragma once

#include "api/request_head.h"
#include "protocol/challenge.h"

#define SV_PARAMETERS_MAX 64

typedef struct
{
  char *name;
  char *value;
  gsize name_length;
} SvPair;

/* An array of SvPair that owns its strings. */
GArray *sv_pairs_new (void);
void sv_pairs_add (GArray *pairs, const char *name, const char *value);

/* One that does not: its strings lie in a request's text. */
GArray *sv_pairs_new_borrowing (void);
void sv_pairs_borrow (GArray *pairs, char *name, char *value);

/* (transfer none) the first value of @name; NULL when absent. @any_case for header names. */
const char *sv_pairs_find (const GArray *pairs, const char *name, gboolean any_case);

/* (transfer full) all values of a header in their order as one comma list, which is what HTTP takes its repetition for; NULL
 * when absent. */
char *sv_pairs_join (const GArray *pairs, const char *name);

typedef struct
{
  char *path;         /* decoded, begins with "/" */
  GArray *parameters; /* of SvPair, decoded; borrowing */
  char *text;         /* where both lie, when the target owns it */
} SvTarget;

void sv_target_free (SvTarget *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvTarget, sv_target_free)

/* Takes "/path?name=value&…" apart. NULL with a static @reason for a target that is too long, has too many parameters, a
 * broken percent escape, or an encoded NUL or control character. Returns: (transfer full). */
SvTarget *sv_target_parse (const char *raw, const char **reason) G_GNUC_WARN_UNUSED_RESULT;

/* The same in place: decodes @text, of @length bytes and with room for a NUL after them, and makes @target, whose array is
 * there and empty, point into it. Returns NULL, or the reason. */
const char *sv_target_decode (SvTarget *target, char *text, gsize length) G_GNUC_WARN_UNUSED_RESULT;

/* Fills @request from the parameters and headers, whose strings it borrows. Returns the name of a part that was given twice,
 * NULL when none was. */
const char *sv_challenge_request_read (const GArray *parameters, const GArray *headers,
                                       SvChallengeRequest *request) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) which of @names (NULL-terminated) is given twice in @parameters; NULL when none is. */
const char *sv_parameters_repeated (const GArray *parameters, const char *const *names) G_GNUC_WARN_UNUSED_RESULT;
