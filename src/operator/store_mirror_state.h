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

/* Reads the source's index, where it has one, with every check of a reader. */
gboolean sv_mirror_read_source_index (SvMirror *mirror, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Decides what becomes of the target's index, before anything is copied. */
gboolean sv_mirror_judge_target_index (SvMirror *mirror, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The last step: writes the index, unless it is there already or something that it names is not. */
gboolean sv_mirror_write_index (SvMirror *mirror, GError **error) G_GNUC_WARN_UNUSED_RESULT;
