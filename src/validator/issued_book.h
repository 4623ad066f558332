/* What was read of published issue logs, in a temporary database on disk: memory does not grow with the number of records. It
 * takes verified lines in any order and of any number of copies, and notices when two of them contradict each other, which only
 * their signer can bring about. */
#pragma once

#include "protocol/issued.h"

typedef struct SvIssuedBook SvIssuedBook;

/* The database has no name, so nothing is left behind. Returns: (transfer full). */
SvIssuedBook *sv_issued_book_new (GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_issued_book_free (SvIssuedBook *book);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvIssuedBook, sv_issued_book_free)

/* Adds a line. *@contradicted (transfer full): the file of another line of the window that says something else, else NULL; then
 * nothing of @line is added. */
gboolean sv_issued_book_add (SvIssuedBook *book, const SvIssuedLine *line, const char *file, char **contradicted,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* *@is_covered: a line covers the id. *@record (transfer full): what it has under it, NULL where it has none. */
gboolean sv_issued_book_find (SvIssuedBook *book, const char *window_id, guint64 challenge_id, gboolean *is_covered,
                              SvIssueRecord **record, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  guint64 n_records;
  guint64 last_id; /* of these; 0 where there is none */
  guint64 gap;     /* the first id that no line covers; 0 where there is none: the log is whole */
  gboolean is_closed;
  guint64 closing_last_id; /* of the closing line */
  GPtrArray *keys;         /* (element-type SvIssuedKey) */
} SvIssuedSummary;

void sv_issued_summary_clear (SvIssuedSummary *summary);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvIssuedSummary, sv_issued_summary_clear)

gboolean sv_issued_book_sum (SvIssuedBook *book, const char *window_id, SvIssuedSummary *summary,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Every record of the window by ascending id, until @visit returns FALSE. */
typedef gboolean (*SvVisitIssued) (const SvIssueRecord *record, gpointer data);
gboolean sv_issued_book_visit (SvIssuedBook *book, const char *window_id, SvVisitIssued visit, gpointer data,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
