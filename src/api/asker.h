/* Who asks: signatures, permission, admission; the same for v3 and v2 (docs/protocol.md section 7, 401 and 409). */
#pragma once

#include "api/service.h"

/* On the validator list. */
gboolean sv_asker_is_validator (const SvService *service, const char *asker);
/* On the list, or with a commitment for an unexpired window. */
gboolean sv_asker_is_known (const SvService *service, const SvSnapshot *snapshot, const char *asker);

/* 400 for a part given twice or malformed; NULL when @request is filled and its form is right. */
SvReply *sv_asker_read (SvExchange *exchange, gboolean legacy, SvChallengeRequest *request);

/* 401 `bad_signature` or `stale_nonce`; NULL when all is well. @legacy looks at the query signature only. */
SvReply *sv_asker_verify (const SvService *service, const SvChallengeRequest *request, gboolean legacy, gint64 now_ms);

/* 401 `replayed_nonce`, then 401 with @refusal (unless NULL), then 409; NULL when the request is admitted and remembered.
 * With @is_counted FALSE nothing is looked up or remembered: only @refusal is judged. */
SvReply *sv_asker_admit (SvService *service, const SvAdmissionRequest *request, const char *refusal, gboolean is_counted);

/* 400 `invalid_request`, with the @field that is at fault. */
SvReply *sv_reply_invalid (const char *field, const char *message);
SvReply *sv_reply_unauthorized (const char *reason);
SvReply *sv_reply_rate_limited (guint retry_after_s);
SvReply *sv_reply_overloaded (const char *message);
SvReply *sv_reply_chain_unavailable (const char *why);

/* What the issue log is to write for @request, as copies. Returns: (transfer full). */
SvIssueEntry *sv_issue_entry_new (const SvAdmissionRequest *request);

/* The same without copies, for an exchange that is suspended until it has the entry back. */
void sv_issue_entry_borrow (SvIssueEntry *entry, const SvAdmissionRequest *request);

/* The answer for an entry that was not admitted in the end (another instance was first, or the state fails); NULL when it
 * was, and where its window was closed: what to say of that, who asked for it knows. */
SvReply *sv_issue_entry_fault (const SvIssueEntry *entry);
