/* The frame of the metadata, and the parts that everything in it is made of. */
#include <string.h>

#include "base/error.h"
#include "chain/subtensor/metadata_model.h"

#define MAGIC "meta"
#define OLDEST_VERSION 14
#define NEWEST_VERSION 16
#define MIN_BLOCK 4096
#define MAX_BLOCK (64 * 1024)

/* Large arrays have a block of their own, so that at most a quarter of a common block stays unused. */
gpointer
sv_metadata_allocate (SvMetadata *metadata, gsize n, gsize size)
{
  gsize wanted = (n * size + 7) & ~(gsize)7;
  gsize block_size = CLAMP (metadata->n_types * sizeof (SvType), MIN_BLOCK, MAX_BLOCK);
  if (wanted == 0)
    return NULL;
  if (wanted > metadata->free_size)
  {
    gboolean is_common = wanted < block_size / 4;
    guint8 *block = g_malloc0 (is_common ? block_size : wanted);
    g_ptr_array_add (metadata->blocks, block);
    if (!is_common)
      return block;
    metadata->free_space = block;
    metadata->free_size = block_size;
  }
  gpointer memory = metadata->free_space;
  metadata->free_space += wanted;
  metadata->free_size -= wanted;
  return memory;
}

/* The same bytes in the metadata's own, changeable copy. */
static char *
own (const SvMetadataReader *reader, const guint8 *bytes)
{
  return (char *)reader->metadata->bytes + (bytes - reader->scale.data);
}

/* The bytes of a text, or NULL with a fault. */
static char *
take_text (SvMetadataReader *reader, gsize *length)
{
  const guint8 *bytes = sv_scale_bytes (&reader->scale, length);
  if (bytes == NULL)
    return NULL;
  if (g_utf8_validate_len ((const char *)bytes, *length, NULL))
    return own (reader, bytes);
  sv_scale_fail (&reader->scale, "a text is not UTF-8, or has a NUL in it");
  return NULL;
}

const char *
sv_metadata_read_text (SvMetadataReader *reader)
{
  gsize length;
  char *text = take_text (reader, &length);
  if (text == NULL)
    return "";
  text--;
  memmove (text, text + 1, length);
  text[length] = '\0';
  return text;
}

void
sv_metadata_skip_text (SvMetadataReader *reader)
{
  gsize length;
  take_text (reader, &length);
}

/* A line without the space around it. */
static const char *
strip (const char *line, gsize *length)
{
  while (*length > 0 && g_ascii_isspace (line[*length - 1]))
    --*length;
  while (*length > 0 && g_ascii_isspace (*line))
  {
    ++line;
    --*length;
  }
  return line;
}

/* Each line has a length of at least one byte before it, which becomes the space between two lines or the NUL at the end; so
 * what is written never gets ahead of what is read. */
const char *
sv_metadata_read_docs (SvMetadataReader *reader)
{
  gsize n_lines = sv_scale_length (&reader->scale, 1);
  if (n_lines == 0)
    return "";
  char *docs = own (reader, reader->scale.data + reader->scale.offset);
  char *end = docs;
  for (gsize i = 0; i < n_lines; i++)
  {
    gsize length;
    const char *line = take_text (reader, &length);
    if (line == NULL)
      return "";
    line = strip (line, &length);
    if (length == 0)
      continue;
    if (end > docs)
      *end++ = ' ';
    memmove (end, line, length);
    end += length;
  }
  *end = '\0';
  return docs;
}

void
sv_metadata_skip_docs (SvMetadataReader *reader)
{
  gsize n_lines = sv_scale_length (&reader->scale, 1);
  for (gsize i = 0; i < n_lines && reader->scale.fault == NULL; i++)
    sv_metadata_skip_text (reader);
}

guint32
sv_metadata_read_type_id (SvMetadataReader *reader)
{
  guint64 id = sv_scale_compact (&reader->scale);
  if (id < reader->metadata->n_types)
    return (guint32)id;
  sv_scale_fail (&reader->scale, "a type id has no type");
  return 0;
}

static gboolean
read_frame (SvMetadataReader *reader, GError **error)
{
  const guint8 *magic = sv_scale_take (&reader->scale, sizeof MAGIC - 1);
  SvMetadata *metadata = reader->metadata;
  if (magic == NULL || memcmp (magic, MAGIC, sizeof MAGIC - 1) != 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "runtime metadata does not begin with \"" MAGIC "\"");
    return FALSE;
  }
  metadata->version = sv_scale_u8 (&reader->scale);
  if (metadata->version >= OLDEST_VERSION && metadata->version <= NEWEST_VERSION)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
               "runtime metadata is of version %u; this program reads versions %d to %d: a newer one is needed where the "
               "chain's is newer",
               metadata->version, OLDEST_VERSION, NEWEST_VERSION);
  return FALSE;
}

static gboolean
read_content (SvMetadataReader *reader, GError **error)
{
  if (!read_frame (reader, error))
    return FALSE;
  sv_metadata_read_types (reader);
  sv_metadata_read_pallets (reader);
  sv_metadata_read_extrinsic (reader);
  sv_metadata_skip_rest (reader);
  return sv_scale_finish (&reader->scale, "runtime metadata", error);
}

SvMetadata *
sv_metadata_parse (const void *data, gsize length, GError **error)
{
  if (length > SV_METADATA_MAX_SIZE)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
                 "runtime metadata has %" G_GSIZE_FORMAT " bytes, more than the %d that any runtime's has", length,
                 SV_METADATA_MAX_SIZE);
    return NULL;
  }
  g_autoptr (SvMetadata) metadata = g_new0 (SvMetadata, 1);
  g_atomic_ref_count_init (&metadata->references);
  metadata->blocks = g_ptr_array_new_with_free_func (g_free);
  metadata->bytes = g_memdup2 (data, length);
  SvMetadataReader reader = { .scale = sv_scale_reader (metadata->bytes, length), .metadata = metadata };
  gboolean is_read = read_content (&reader, error);
  g_free (reader.parameters);
  return is_read ? g_steal_pointer (&metadata) : NULL;
}
