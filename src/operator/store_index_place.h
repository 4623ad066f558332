/* What stands in the place of a store's index before another one is put there, by a copy or by a repair. Nothing is put over
 * what could not be read, and nothing over what may be somebody's signed index: of a version of tomorrow, say. */
#pragma once

#include "operator/store_object.h"
#include "protocol/manifest_index.h"

typedef struct
{
  GBytes *bytes;  /* NULL: there is none */
  char *etag;     /* of @bytes, never NULL with them */
  SvIndex *index; /* NULL: none that is signed rightly by anybody */
} SvIndexPlace;

void sv_index_place_clear (SvIndexPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvIndexPlace, sv_index_place_clear)

/* SV_ERROR_POLICY where what is there may be a signed document and is no index that this version reads; the store's own errors
 * where it cannot be told what is there. @place is empty or filled in, to be cleared either way. */
gboolean sv_index_place_read (SvObjectStore *store, SvIndexPlace *place, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts an index where still stands what was read: SV_ERROR_CONFLICT where something else does. Borrows from @place. */
SvPutOptions sv_index_place_put_options (const SvIndexPlace *place);
