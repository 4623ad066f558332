/* Where documents lie in an operator's store (docs/protocol.md section 3). */
#pragma once

#include <glib.h>

#define SV_INDEX_KEY "scorevision/index.json"
#define SV_SIGNERS_PREFIX "scorevision/signers/"
#define SV_ISSUED_PREFIX "scorevision/issued/"

/* Each by the stored form of a hash, "sha256:{hex}". All return (transfer full). A manifest has two names, "…/{hex}.json" and
 * "…/sha256:{hex}.json", the one that the user's client asks for. */
char *sv_manifest_key (const char *hash);
char *sv_manifest_key_prefixed (const char *hash);
char *sv_archive_key (const char *hash);

/* Of statement @number on signers. Returns: (transfer full). */
char *sv_signers_key (guint64 number);

/* Of the issue log of a window: the file with the records from @first to @last, and the signpost that tells where the file that
 * begins with @first ends. Both return (transfer full). */
char *sv_issued_key (const char *window_id, guint64 first, guint64 last);
char *sv_issued_signpost_key (const char *window_id, guint64 first);
