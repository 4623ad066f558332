/* What the files of the copying share; nobody else includes this. */
#pragma once

#include "operator/store_index_place.h"
#include "operator/store_mirror.h"

typedef struct
{
  const SvConfig *config;
  SvObjectStore *from;
  SvObjectStore *to;
  const SvMirrorOptions *options;
  SvReader *reader;
  SvSpool *spool;
  SvIndex *index;     /* the source's, or NULL */
  gboolean has_index; /* the target has that very index already */
  SvIndexPlace there; /* the target's index, which may be replaced */
  GHashTable *done;   /* keys that the index has led to */
  GHashTable *faulty; /* keys that a fault was told of; borrowed from the report */
  GArray *statements; /* numbers that were listed */
  GHashTable *issued; /* windows whose issue logs were listed */
  guint unreachable_in_a_row;
  GError *failure;       /* while listing */
  gboolean is_held_back; /* something that readers of the index need is missing */
  SvMirrorReport *report;
} SvMirror;

/* store_mirror_stores.c: SV_ERROR_USAGE where one lies within the other or is no folder, SV_ERROR_POLICY where the target is
 * not written. */
gboolean sv_mirror_check_stores (const SvMirror *mirror, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* store_mirror_index.c */

/* Reads the source's index, where it has one, with every check of a reader. */
gboolean sv_mirror_read_source_index (SvMirror *mirror, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Decides what becomes of the target's index, before anything is copied. */
gboolean sv_mirror_judge_target_index (SvMirror *mirror, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The last step: writes the index, unless it is there already or something that it names is not. */
gboolean sv_mirror_write_index (SvMirror *mirror, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* store_mirror_statements.c: those that were listed; of a source that cannot be listed all up to the first that it has not. */
gboolean sv_mirror_copy_statements (SvMirror *mirror, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* store_mirror.c */

/* What cannot be had is left out and told; FALSE where it is the source itself that cannot be read. Takes @failure. */
gboolean sv_mirror_leave_out (SvMirror *mirror, const char *key, GError *failure, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Tells of an object that was not copied, once. */
void sv_mirror_add_fault (SvMirror *mirror, const char *key, const char *what, gboolean is_unreachable);
void sv_mirror_tell_progress (const SvMirror *mirror, const char *key);
