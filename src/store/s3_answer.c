/* A document is walked once; at the end of each element a visitor is told the way to it ("ListBucketResult/Contents/Key") and
 * the text in it. Names and attributes that nobody asked for are passed over, since servers add their own. */
#include "store/s3_answer.h"

#include <string.h>

#include "base/error.h"
#include "base/identifiers.h"

#define MAX_DEPTH 8
#define MAX_TEXT 8192
#define MAX_PATH 256
#define MAX_ENTRIES 10000 /* ten times what a page has */

typedef gboolean (*Visit) (const char *path, const char *text, gpointer data, GError **error);

typedef struct
{
  GString *path;
  GString *text; /* of the innermost element */
  guint depth;
  Visit visit;
  gpointer data;
} Walk;

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "%s", why);
  return FALSE;
}

static void
on_start (GMarkupParseContext *context, const char *name, const char **attributes, const char **values, gpointer data,
          GError **error)
{
  Walk *walk = data;
  if (++walk->depth > MAX_DEPTH || walk->path->len + strlen (name) > MAX_PATH)
  {
    refuse (error, "elements are nested too deep, or their names are too long");
    return;
  }
  g_string_append_printf (walk->path, "%s%s", walk->path->len > 0 ? "/" : "", name);
  g_string_truncate (walk->text, 0);
}

static void
on_text (GMarkupParseContext *context, const char *text, gsize length, gpointer data, GError **error)
{
  Walk *walk = data;
  if (walk->text->len + length > MAX_TEXT)
    refuse (error, "a text in it is too long");
  else
    g_string_append_len (walk->text, text, (gssize)length);
}

static void
on_end (GMarkupParseContext *context, const char *name, gpointer data, GError **error)
{
  Walk *walk = data;
  if (!walk->visit (walk->path->str, walk->text->str, walk->data, error))
    return;
  gsize leaf = strlen (name);
  g_string_truncate (walk->path, walk->path->len > leaf ? walk->path->len - leaf - 1 : 0);
  g_string_truncate (walk->text, 0);
  walk->depth--;
}

static gboolean
walk_document (const char *data, gsize length, Visit visit, gpointer visitor, GError **error)
{
  static const GMarkupParser parser = { .start_element = on_start, .end_element = on_end, .text = on_text };
  if (length == 0) /* GBytes has no address for it */
    return refuse (error, "it is empty");
  Walk walk = { g_string_new (NULL), g_string_new (NULL), 0, visit, visitor };
  GMarkupParseContext *context = g_markup_parse_context_new (&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, &walk, NULL);
  g_autoptr (GError) local = NULL;
  gboolean ok = g_markup_parse_context_parse (context, data, (gssize)length, &local) &&
                g_markup_parse_context_end_parse (context, &local);
  g_markup_parse_context_free (context);
  g_string_free (walk.path, TRUE);
  g_string_free (walk.text, TRUE);
  if (!ok && local->domain == SV_ERROR)
    g_propagate_error (error, g_steal_pointer (&local));
  else if (!ok)
    refuse (error, "it is no whole XML document");
  return ok;
}

/* ---- errors ---- */

void
sv_s3_fault_clear (SvS3Fault *fault)
{
  g_clear_pointer (&fault->code, g_free);
  g_clear_pointer (&fault->message, g_free);
  g_clear_pointer (&fault->region, g_free);
}

static gboolean
visit_fault (const char *path, const char *text, gpointer data, GError **error)
{
  SvS3Fault *fault = data;
  char **const targets[] = { &fault->code, &fault->message, &fault->region };
  static const char *const paths[] = { "Error/Code", "Error/Message", "Error/Region" };
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    if (strcmp (path, paths[i]) == 0 && *targets[i] == NULL && *text != '\0')
      *targets[i] = sv_text_printable (text);
  return TRUE;
}

gboolean
sv_s3_read_fault (const char *data, gsize length, SvS3Fault *fault)
{
  memset (fault, 0, sizeof *fault);
  if (walk_document (data, length, visit_fault, fault, NULL) && fault->code != NULL)
    return TRUE;
  sv_s3_fault_clear (fault);
  return FALSE;
}

/* ---- listings ---- */

static void
entry_clear (gpointer data)
{
  g_free (((SvS3Entry *)data)->key);
}

void
sv_s3_page_clear (SvS3Page *page)
{
  g_clear_pointer (&page->entries, g_array_unref);
  g_clear_pointer (&page->continuation, g_free);
}

typedef struct
{
  SvS3Page *page;
  SvS3Entry entry; /* the one being read */
  gboolean has_size;
  gboolean is_listing;
  gboolean is_truncated;
  gboolean is_encoded;
} Listing;

static gboolean
add_entry (Listing *listing, GError **error)
{
  GArray *entries = listing->page->entries;
  if (listing->entry.key == NULL || !listing->has_size)
    return refuse (error, "an object in it has no key or no size");
  if (entries->len >= MAX_ENTRIES)
    return refuse (error, "there are too many objects in it");
  g_array_append_val (entries, listing->entry);
  listing->entry = (SvS3Entry){ 0 };
  listing->has_size = FALSE;
  return TRUE;
}

static gboolean
visit_listing (const char *path, const char *text, gpointer data, GError **error)
{
  Listing *listing = data;
  if (strcmp (path, "ListBucketResult") == 0)
    listing->is_listing = TRUE;
  if (!g_str_has_prefix (path, "ListBucketResult/"))
    return TRUE;
  const char *name = path + strlen ("ListBucketResult/");
  if (strcmp (name, "IsTruncated") == 0)
    listing->is_truncated = strcmp (text, "true") == 0;
  else if (strcmp (name, "EncodingType") == 0)
    listing->is_encoded = strcmp (text, "url") == 0;
  else if (strcmp (name, "NextContinuationToken") == 0)
  {
    g_free (listing->page->continuation);
    listing->page->continuation = g_strdup (text);
  }
  else if (strcmp (name, "Contents/Key") == 0)
  {
    g_free (listing->entry.key);
    listing->entry.key = g_strdup (text);
  }
  else if (strcmp (name, "Contents/Size") == 0)
    return (listing->has_size = sv_integer_parse (text, &listing->entry.size)) ||
           refuse (error, "the size of an object is no number");
  else if (strcmp (name, "Contents") == 0)
    return add_entry (listing, error);
  return TRUE;
}

/* A key with a NUL in it stays encoded: it cannot be one of ours. */
static void
decode_keys (GArray *entries)
{
  for (guint i = 0; i < entries->len; i++)
  {
    SvS3Entry *entry = &g_array_index (entries, SvS3Entry, i);
    char *decoded = g_uri_unescape_string (entry->key, NULL);
    if (decoded == NULL)
      continue;
    g_free (entry->key);
    entry->key = decoded;
  }
}

static gboolean
check_page (const Listing *listing, GError **error)
{
  const SvS3Page *page = listing->page;
  if (!listing->is_listing)
    return refuse (error, "it is no list of objects");
  if (listing->is_truncated && (page->continuation == NULL || *page->continuation == '\0'))
    return refuse (error, "it is not complete and does not say how to go on");
  return TRUE;
}

gboolean
sv_s3_read_page (const char *data, gsize length, SvS3Page *page, GError **error)
{
  memset (page, 0, sizeof *page);
  page->entries = g_array_new (FALSE, TRUE, sizeof (SvS3Entry));
  g_array_set_clear_func (page->entries, entry_clear);
  Listing listing = { .page = page };
  gboolean ok = walk_document (data, length, visit_listing, &listing, error);
  g_free (listing.entry.key);
  if (ok && listing.is_encoded)
    decode_keys (page->entries);
  ok = ok && check_page (&listing, error);
  if (ok && !listing.is_truncated)
    g_clear_pointer (&page->continuation, g_free);
  if (!ok)
    sv_s3_page_clear (page);
  return ok;
}

/* ---- uploads ---- */

static gboolean
visit_upload (const char *path, const char *text, gpointer data, GError **error)
{
  char **id = data;
  if (strcmp (path, "InitiateMultipartUploadResult/UploadId") == 0 && *id == NULL && *text != '\0')
    *id = g_strdup (text);
  return TRUE;
}

char *
sv_s3_read_upload_id (const char *data, gsize length, GError **error)
{
  g_autofree char *id = NULL;
  if (!walk_document (data, length, visit_upload, &id, error))
    return NULL;
  if (id == NULL)
    refuse (error, "it names no upload");
  return g_steal_pointer (&id);
}

static gboolean
visit_completion (const char *path, const char *text, gpointer data, GError **error)
{
  gboolean *is_complete = data;
  *is_complete = *is_complete || strcmp (path, "CompleteMultipartUploadResult") == 0;
  return TRUE;
}

gboolean
sv_s3_is_completion (const char *data, gsize length)
{
  gboolean is_complete = FALSE;
  return walk_document (data, length, visit_completion, &is_complete, NULL) && is_complete;
}
