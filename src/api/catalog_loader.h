/* From an index to what is served of it: its manifests, read, verified and with their draw keys, behind the fence of the
 * published issue logs. Belongs to the manifest watcher; one thread. */
#pragma once

#include "api/board.h"
#include "distribution/reader.h"
#include "state/state.h"

typedef struct SvCatalogLoader SvCatalogLoader;

/* Opens the store. @board and @state are borrowed. Returns: (transfer full). */
SvCatalogLoader *sv_catalog_loader_new (const SvConfig *config, SvBoard *board, SvState *state,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_catalog_loader_free (SvCatalogLoader *loader);

/* What a catalog is made of besides its index; all borrowed. */
typedef struct
{
  SvReader *reader;
  guint64 block;         /* the best one: windows that are over by then are left out */
  const SvCatalog *last; /* or NULL; what was verified for it is taken as it is */
  const GError *away;    /* why the index could not be read, and comes from this home's memory; else NULL */
} SvCatalogSource;

/* Takes @index. Returns: (transfer full), with what can be had of it; the rest is told of in the log, once each. */
SvCatalog *sv_catalog_load (SvCatalogLoader *loader, const SvCatalogSource *source, SvIndex *index);

/* Of the catalog that was loaded last: manifests that could not be had, and whether some far ahead were left for later. */
guint sv_catalog_loader_missing (const SvCatalogLoader *loader);
gboolean sv_catalog_loader_has_more (const SvCatalogLoader *loader);
