/* Several stores that should hold the same objects, read as one (docs/protocol.md section 4). */
#pragma once

#include "store/object_store.h"

typedef struct SvMirrors SvMirrors;

/* Opens lazily. @urls has at least one. Returns: (transfer full). */
SvMirrors *sv_mirrors_new (const SvConfig *config, const char *const *urls);

/* One store that is open already, (transfer none). Returns: (transfer full). */
SvMirrors *sv_mirrors_new_for_store (SvObjectStore *store);
void sv_mirrors_free (SvMirrors *mirrors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvMirrors, sv_mirrors_free)

/* "https://a, https://b", for messages. */
const char *sv_mirrors_name (const SvMirrors *mirrors);

/* What is asked of every mirror. */
typedef struct
{
  const char *key;
  SvGetOptions options;
  const char *const *etags; /* one per mirror, each may be NULL; or NULL */
} SvMirrorQuestion;

typedef struct
{
  guint mirror;   /* number of the one that answered */
  guint question; /* number of the question */
  char *url;
  SvObject *object;   /* or NULL */
  char *hash;         /* for the asker to keep the hash of the bytes in */
  gboolean unchanged; /* the mirror still has the object with the ETag asked about */
  GError *error;      /* when neither */
  SvObjectStore *store;
} SvMirrorAnswer;

/* Asks all mirrors at once, each one question after the other, and returns what they said within SV_MIRRORS_PATIENCE_MS; one
 * that is alone is given the time that its store allows. Returns: (transfer full) (element-type SvMirrorAnswer), in the order
 * of their coming, empty when none answered in time. */
#define SV_MIRRORS_PATIENCE_MS 5000
GPtrArray *sv_mirrors_ask_all (SvMirrors *mirrors, const SvMirrorQuestion *questions, guint n_questions);

/* Questions to several mirrors, each at its own pace: who has answered can be asked again while others are waited for. One
 * question to a mirror at a time. Mirrors are not to be asked otherwise meanwhile. */
typedef struct SvMirrorTalk SvMirrorTalk;
SvMirrorTalk *sv_mirror_talk_new (SvMirrors *mirrors);
void sv_mirror_talk_free (SvMirrorTalk *talk);
void sv_mirror_talk_ask (SvMirrorTalk *talk, guint mirror, const SvMirrorQuestion *question);

/* The next answer of whichever mirror, NULL where no question is open, or none is answered by @deadline (monotonic, µs). A
 * mirror that is alone has answered when it was asked. Returns: (transfer full). */
SvMirrorAnswer *sv_mirror_talk_next (SvMirrorTalk *talk, gint64 deadline);

/* One question to one mirror, with the same patience. Returns: (transfer full), or NULL when it did not answer in time. */
SvMirrorAnswer *sv_mirrors_ask_one (SvMirrors *mirrors, guint mirror, const SvMirrorQuestion *question);
void sv_mirror_answer_free (SvMirrorAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvMirrorAnswer, sv_mirror_answer_free)

/* A content-addressed object: the first answer with the right hash wins. The mirrors are asked one after the other, beginning
 * with the one that was right the last time, the next when one fails or is silent for a second. The error is the most telling
 * one: a wrong answer before no answer before absence. Returns: (transfer full). */
GBytes *sv_mirrors_get_by_hash (SvMirrors *mirrors, const char *key, const char *hash, gsize max_size,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

guint sv_mirrors_count (const SvMirrors *mirrors);

/* Whether what is read is a store of one's own: the only one, and either open already or SCOREVISION_STORE, by `file:` or
 * `s3:`. Then there is nobody to ask, and it has to be mended. */
gboolean sv_mirrors_are_own (const SvMirrors *mirrors);

/* (transfer none) what the reader can do where something is old, or gone: "try …", the end of a message. */
const char *sv_mirrors_remedy (const SvMirrors *mirrors);

/* Adds to the message of an error of verification or format, which tells of a mirror that is broken or hostile, or of one that
 * cannot be reached, what its reader can do. Who has opened the store himself is told nothing: he says it. */
void sv_mirrors_advise (const SvMirrors *mirrors, GError *error);

/* Of two errors the more telling one is kept in @kept; @error is taken. */
void sv_keep_telling_error (GError **kept, GError *error);
