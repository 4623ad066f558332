/* Listing, page by page. A page is read whole before its keys are visited, so memory is bounded by a page; keys must ascend
 * within a page and from page to page, which also means that a server cannot lead us in a circle. */
#include <string.h>

#include "base/error.h"
#include "store/s3_request.h"

#define MAX_PAGE_BYTES (16 * 1024 * 1024)
#define MAX_EMPTY_PAGES 20

typedef struct
{
  SvS3Store *store;
  const char *prefix; /* ends in "/", or is empty */
  SvVisitKey visit;
  gpointer data;
  char *last; /* the last key that was seen, ours or not */
  guint n_empty;
  gboolean is_stopped;
} Listing;

static gboolean
fetch_page (Listing *listing, const char *continuation, SvS3Page *page, GError **error)
{
  g_autofree char *max_keys = g_strdup_printf ("%u", listing->store->page_size);
  SvS3Pair query[] = {
    { "list-type", "2" },
    { "encoding-type", "url" },
    { "max-keys", max_keys },
    { "prefix", listing->prefix },
    { "continuation-token", continuation },
  };
  SvS3Request request = { .method = "GET", .query = query, .max_bytes = MAX_PAGE_BYTES, .answers_in_xml = TRUE };
  request.n_query = G_N_ELEMENTS (query) - (continuation == NULL ? 1 : 0);
  g_auto (SvS3Answer) answer = { 0 };
  if (!sv_s3_perform (listing->store, &request, &answer, error))
    return FALSE;
  if (!sv_s3_is_success (&answer))
  {
    sv_s3_set_error (listing->store, &request, &answer, error);
    return FALSE;
  }
  gsize length;
  const char *data = g_bytes_get_data (answer.http->body, &length);
  g_autoptr (GError) foreign = NULL;
  if (sv_s3_read_page (data, length, page, &foreign))
    return TRUE;
  sv_s3_set_foreign_error (listing->store, foreign->message, error);
  return FALSE;
}

static gboolean
check_key (Listing *listing, const char *key, GError **error)
{
  gboolean is_ascending = listing->last == NULL || strcmp (listing->last, key) < 0;
  if (is_ascending && g_str_has_prefix (key, listing->prefix))
    return TRUE;
  sv_s3_set_foreign_error (
      listing->store, is_ascending ? "it lists keys that were not asked for" : "its keys are not in ascending order", error);
  return FALSE;
}

static gboolean
visit_page (Listing *listing, const SvS3Page *page, GError **error)
{
  for (guint i = 0; i < page->entries->len && !listing->is_stopped; i++)
  {
    const SvS3Entry *entry = &g_array_index (page->entries, SvS3Entry, i);
    if (!check_key (listing, entry->key, error))
      return FALSE;
    g_free (listing->last);
    listing->last = g_strdup (entry->key);
    if (sv_object_key_is_valid (entry->key))
      listing->is_stopped = !listing->visit (entry->key, entry->size, listing->data);
  }
  listing->n_empty = page->entries->len > 0 ? 0 : listing->n_empty + 1;
  if (listing->n_empty < MAX_EMPTY_PAGES)
    return TRUE;
  sv_s3_set_foreign_error (listing->store, "it lists empty pages without end", error);
  return FALSE;
}

static gboolean
list_pages (Listing *listing, GError **error)
{
  g_autofree char *continuation = NULL;
  do
  {
    g_auto (SvS3Page) page = { 0 };
    if (!fetch_page (listing, continuation, &page, error) || !visit_page (listing, &page, error))
      return FALSE;
    g_free (continuation);
    continuation = g_steal_pointer (&page.continuation);
  } while (continuation != NULL && !listing->is_stopped);
  return TRUE;
}

gboolean
sv_s3_store_list (SvObjectStore *store, const char *prefix, SvVisitKey visit, gpointer data, GError **error)
{
  g_autofree char *folder = *prefix == '\0' ? g_strdup ("") : g_strconcat (prefix, "/", NULL);
  Listing listing = { .store = (SvS3Store *)store, .prefix = folder, .visit = visit, .data = data };
  gboolean ok = list_pages (&listing, error);
  g_free (listing.last);
  return ok;
}
