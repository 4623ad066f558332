/* Whether a store keeps what it promises (docs/protocol.md sections 3 to 5), and bringing back what it does not: every object
 * is held against its name, the index against memory, chain and manifests, and what the public sees against the store.
 *
 * Reading changes nothing. A repair writes verified content only, and removes nothing but what a probe left behind; one that
 * was killed is completed by running it again. */
#pragma once

#include "distribution/reader.h"
#include "operator/store_object.h"

typedef enum
{
  SV_REMEDY_NONE,
  SV_REMEDY_CONTENT, /* the same bytes, from wherever they still are */
  SV_REMEDY_INDEX,   /* the newest index that is known */
  SV_REMEDY_REMOVE,  /* nobody needs it */
} SvStoreRemedy;

typedef struct
{
  SvStoreKind kind;
  char *key; /* or, of the public side, a URL */
  char *what;
  char *advice;
  SvStoreRemedy remedy;
  char *hash;              /* of SV_REMEDY_CONTENT */
  gboolean is_unreachable; /* it could not be read at all */
  char *repaired_from;     /* NULL: it was not repaired */
} SvStoreFault;

typedef struct
{
  guint64 objects;
  guint64 bytes;
  guint64 faults;
  guint64 repaired;
} SvStoreTally;

typedef struct
{
  SvStoreTally tallies[SV_STORE_N_KINDS];
  GPtrArray *faults; /* of SvStoreFault, in the order found, up to a limit */
  guint64 untold;    /* at least so many faults more */
  GPtrArray *notes;  /* of char: what is no fault and worth knowing */
  guint64 orphans;   /* manifests and archives that no index names */
  guint64 sequence;  /* of the index; 0 where there is none */
} SvStoreReport;

typedef struct
{
  gboolean without_clips;  /* a copy that was made without them: what is not there is not missed */
  guint probe_patience_ms; /* how long a probe's object has to lie there before it counts as left behind */
  guint max_kept;          /* 0: SV_STORE_MAX_KEPT */
  /* Called before each object; may be NULL. */
  void (*progress) (guint64 objects, guint64 bytes, const char *key, gpointer data);
  gpointer data;
} SvStoreCheckOptions;

#define SV_PROBE_PATIENCE_MS 60000

typedef struct SvStoreCheck SvStoreCheck;

/* All borrowed. @chain may be NULL: then owner, anchor and revocations are not asked for. Returns: (transfer full). */
SvStoreCheck *sv_store_check_new (const SvConfig *config, SvChain *chain, SvObjectStore *store,
                                  const SvStoreCheckOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_store_check_free (SvStoreCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvStoreCheck, sv_store_check_free)

/* Looks at everything, once. SV_ERROR_NOT_FOUND when there is nothing in the store, SV_ERROR_UNREACHABLE when it cannot be
 * read; what is wrong in it is in the report. */
gboolean sv_store_check_run (SvStoreCheck *check, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How many of the faults a repair would try. */
guint sv_store_check_n_remedies (const SvStoreCheck *check);

/* Repairs what can be, and looks again at what depends on it. What could not be repaired says why in its `advice`. */
gboolean sv_store_check_repair (SvStoreCheck *check, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) */
const SvStoreReport *sv_store_check_report (const SvStoreCheck *check);

/* Faults that are not repaired, also untold ones; *@n_unreachable of them only could not be read. */
guint sv_store_report_left (const SvStoreReport *report, guint *n_unreachable);
