/* What the files of the check share; nobody else includes this. */
#pragma once

#include "operator/store_check.h"

#define SV_ADVICE_REPAIR "`sv store check --repair` tries to bring it back"

/* What is known of an object whose name is asked for: a manifest, an archive, a statement. */
typedef enum
{
  SV_OBJECT_UNKNOWN,
  SV_OBJECT_SOUND,
  SV_OBJECT_ABSENT,
  SV_OBJECT_DAMAGED,
  SV_OBJECT_UNREADABLE,
} SvObjectState;

struct SvStoreCheck
{
  const SvConfig *config;
  SvChain *chain;
  SvObjectStore *store;
  SvObjectStore *listing; /* the same place once more, since objects are read while it is listed */
  SvStoreCheckOptions options;
  SvReader *reader; /* NULL where whom to trust cannot be told */
  SvSpool *spool;
  SvIndex *index;           /* verified, or NULL */
  GHashTable *states;       /* key -> SvObjectState */
  GHashTable *by_key;       /* key -> SvStoreFault, borrowed */
  SvStoreFault *untold;     /* the last one that is not kept */
  GHashTable *named;        /* hashes that the index names, of manifests and archives */
  GHashTable *wanted_clips; /* hashes of clips that manifests of open windows name -> their windows */
  GArray *statements;       /* numbers found */
  GHashTable *issued;       /* window id -> guint64: files of its issue log that are listed */
  GPtrArray *probes;        /* keys */
  GPtrArray *others;        /* some of the keys that are nobody's */
  GPtrArray *seen_outside;  /* notes on the public side */
  gint64 probes_at_us;      /* when they were seen */
  char *clip_key;           /* one of the clips, for the public side */
  guint64 clip_size;
  guint64 objects;
  guint64 bytes;
  guint unreachable_in_a_row;
  gboolean is_listing;
  GError *failure; /* while listing */
  SvStoreReport report;
};

/* The first fault of a key counts; @advice may be NULL. Returns: (transfer none) a fault to be completed, which is kept up to
 * the limit, and else only counted. */
SvStoreFault *sv_store_add_fault (SvStoreCheck *check, SvStoreKind kind, const char *key, const char *what, const char *advice);

/* What is known of an object, reading it where that is not known yet; what is damaged or unreadable becomes a fault, what is
 * absent is for the caller to judge. FALSE when the store cannot be read any more. */
gboolean sv_store_look_at (SvStoreCheck *check, const char *key, SvObjectState *state, GError **error);

/* Whether more lies here than what runners write. */
gboolean sv_store_is_operators (const SvStoreCheck *check);

/* Holds the index against what it names, and statements against each other: anew after each repair. */
gboolean sv_store_check_index (SvStoreCheck *check, GError **error);
gboolean sv_store_check_named (SvStoreCheck *check, GError **error);
gboolean sv_store_check_statements (SvStoreCheck *check, GError **error);

/* Remembers the clips of a live manifest, unless its window is over. */
void sv_store_note_clips (SvStoreCheck *check, const SvIndexEntry *entry, const SvManifest *manifest);

/* Whether the clips that were noted are there. FALSE when that cannot be told. */
gboolean sv_store_check_clips (SvStoreCheck *check, GError **error);

/* What readers see where R2_PUBLIC_URL says. */
void sv_store_check_public (SvStoreCheck *check);

/* Writes the report's notes anew, from all that is known. */
void sv_store_write_notes (SvStoreCheck *check);

/* (transfer full) the public addresses, maybe none. */
char **sv_store_public_urls (const SvConfig *config);
