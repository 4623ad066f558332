/* libpq's functions, loaded with the first database of PostgreSQL that is opened: `sv_pq ()->ntuples (rows)` is PQntuples. For
 * the files of the PostgreSQL engine only. */
#pragma once

#include <glib.h>
#include <libpq-fe.h>

#define SV_PQ_FUNCTIONS(f)                                                                                                     \
  f (conninfoParse) f (conninfoFree) f (freemem) f (connectdbParams) f (finish) f (status) f (serverVersion) f (errorMessage)  \
      f (socket) f (setnonblocking) f (setNoticeReceiver) f (enterPipelineMode) f (sendPrepare) f (sendQueryPrepared)          \
          f (pipelineSync) f (flush) f (consumeInput) f (isBusy) f (getResult) f (resultStatus) f (resultErrorField)           \
              f (ntuples) f (cmdTuples) f (getvalue) f (getisnull) f (clear)

typedef struct
{
#define SV_PQ_MEMBER(name) typeof (&PQ##name) name;
  SV_PQ_FUNCTIONS (SV_PQ_MEMBER)
#undef SV_PQ_MEMBER
} SvPq;

/* Called before the first sv_pq(). SV_ERROR_FAILED says what to install. Any thread. */
gboolean sv_pq_load (GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) any thread; never NULL. */
const SvPq *sv_pq (void);

static inline void
sv_pq_clear (PGresult *result)
{
  sv_pq ()->clear (result);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PGresult, sv_pq_clear)
