/* Copying one store to another (docs/protocol.md section 3): what is named before what names it, each object verified on its
 * way, the index last. Whatever moment it is interrupted at, the copy names nothing that it lacks, and the same call goes on.
 */
#pragma once

#include "distribution/reader.h"
#include "operator/store_object.h"

typedef struct
{
  gboolean with_private; /* challenge clips, too */
  gboolean verify;       /* what is there already is read and verified, not only measured */
  /* Called before each object; may be NULL. */
  void (*progress) (guint64 objects, guint64 bytes, const char *key, gpointer data);
  gpointer data;
} SvMirrorOptions;

typedef enum
{
  SV_MIRRORED_NO_INDEX, /* the source has none */
  SV_MIRRORED_WRITTEN,
  SV_MIRRORED_SAME,      /* it was there already */
  SV_MIRRORED_HELD_BACK, /* something that it names could not be copied */
} SvMirroredIndex;

typedef struct
{
  char *key;
  char *what;
  gboolean is_unreachable; /* it could not be read at all */
} SvMirrorFault;

typedef struct
{
  guint64 copied; /* of objects, the index too, as a check of the store counts them */
  guint64 copied_bytes;
  guint64 present;
  guint64 n_private;  /* clips that were not asked for */
  guint64 n_others;   /* names that are nobody's */
  gboolean is_listed; /* FALSE: the source cannot be listed, so only what its index names was copied */
  SvMirroredIndex index;
  guint64 sequence;  /* of the source's index; 0 where there is none */
  GPtrArray *faults; /* of SvMirrorFault: what was not copied */
} SvMirrorReport;

/* How many of the faults are only that something could not be read. */
guint sv_mirror_report_n_unreachable (const SvMirrorReport *report);

void sv_mirror_report_free (SvMirrorReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvMirrorReport, sv_mirror_report_free)

/* All borrowed; @chain may be NULL. The source's index must be one that a reader takes (SV_ERROR_VERIFY); a newer index of the
 * target, or one of somebody else, is SV_ERROR_POLICY, and then nothing is copied. SV_ERROR_NOT_FOUND for an empty source.
 * Returns: (transfer full). */
SvMirrorReport *sv_store_mirror (const SvConfig *config, SvChain *chain, SvObjectStore *from, SvObjectStore *to,
                                 const SvMirrorOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
