/* YAML by libfyaml's events, from which value and places are built together on a stack of open containers. The events come
 * before libfyaml composes anything, so that aliases, anchors, tags and deep nesting are refused when they are met and cannot
 * cost memory. Plain scalars follow the core schema of YAML 1.2; numbers obey the rules that hold for JSON. */
#include <libfyaml.h>
#include <math.h>
#include <string.h>

#include "base/authored_reader.h"
#include "base/error.h"
#include "base/json_scan.h"

typedef struct
{
  json_t *container; /* (transfer none), owned by its parent or as root */
  SvPlace *place;    /* (transfer none), likewise */
  char *key;         /* of the value that comes next; NULL while a key is expected, and in arrays */
} Frame;

typedef struct
{
  const char *name;
  GError **error;
  struct fy_parser *parser;
  Frame frames[SV_JSON_MAX_DEPTH];
  guint depth;
  json_t *root;
  SvPlace *root_place;
  guint n_documents;
  guint line; /* of the event at hand */
  guint column;
} Reader;

#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"

/* libfyaml counts from 0, and marks the first character behind a quotation mark, "&" or "*". What is not written has no mark
 * and keeps the place before. */
static void
note_mark (Reader *reader, const struct fy_mark *mark, gboolean has_sigil)
{
  if (mark == NULL)
    return;
  reader->line = (guint)mark->line + 1;
  reader->column = (guint)mark->column + (has_sigil && mark->column > 0 ? 0 : 1);
}

static gboolean
is_quoted (struct fy_token *scalar)
{
  enum fy_scalar_style style = scalar != NULL ? fy_token_scalar_style (scalar) : FYSS_PLAIN;

  return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

static void
note_event (Reader *reader, struct fy_event *event)
{
  gboolean has_sigil = event->type == FYET_ALIAS || (event->type == FYET_SCALAR && is_quoted (event->scalar.value));

  note_mark (reader, fy_event_start_mark (event), has_sigil);
}

static gboolean
fail (Reader *reader, const char *reason)
{
  return sv_authored_fail (reader->error, reader->name, reader->line, reader->column, "%s", reason);
}

static gboolean
is_one_of (const char *text, const char *a, const char *b, const char *c)
{
  return strcmp (text, a) == 0 || strcmp (text, b) == 0 || strcmp (text, c) == 0;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static gboolean
is_decimal (const char *text)
{
  const char *p = text + (*text == '-' || *text == '+');
  gsize whole = strspn (p, DIGITS);
  gsize fraction = 0;

  p += whole;
  if (*p == '.')
  {
    fraction = strspn (p + 1, DIGITS);
    p += 1 + fraction;
  }
  if (whole + fraction == 0)
    return FALSE;
  if (*p == 'e' || *p == 'E')
  {
    p += 1 + (p[1] == '-' || p[1] == '+');
    if (!g_ascii_isdigit (*p))
      return FALSE;
    p += strspn (p, DIGITS);
  }
  return *p == '\0';
}

/* 0x… and 0o…; 0 when @text is neither. */
static guint
base_of (const char *text)
{
  const char *digits = text + 2;

  if (text[0] != '0' || text[1] == '\0' || *digits == '\0')
    return 0;
  if (text[1] == 'x')
    return digits[strspn (digits, HEX_DIGITS)] == '\0' ? 16 : 0;
  return text[1] == 'o' && digits[strspn (digits, "01234567")] == '\0' ? 8 : 0;
}

static gboolean
is_infinite_or_nan (const char *text)
{
  const char *unsigned_text = text + (*text == '-' || *text == '+');

  return is_one_of (unsigned_text, ".inf", ".Inf", ".INF") || is_one_of (text, ".nan", ".NaN", ".NAN");
}

static json_t *
decimal_value (Reader *reader, const char *text)
{
  const char *digits = text + (*text == '-' || *text == '+');
  double number = g_ascii_strtod (text, NULL);
  const char *problem = NULL;

  if (digits[strspn (digits, DIGITS)] == '\0')
  {
    digits += strspn (digits, "0");
    problem = sv_integer_literal_problem (digits, strlen (digits));
  }
  else if (!isfinite (number))
    problem = "the number is too large";
  if (problem == NULL)
    return json_real (number);
  fail (reader, problem);
  return NULL;
}

static json_t *
based_value (Reader *reader, const char *text, guint base)
{
  guint64 number = g_ascii_strtoull (text + 2, NULL, base);

  if (number <= SV_JSON_MAX_INTEGER)
    return sv_json_integer (number);
  fail (reader, "the integer is not exact as a double; write it as a string");
  return NULL;
}

/* The core schema. Returns: (transfer full). */
static json_t *
plain_value (Reader *reader, const char *text)
{
  if (*text == '\0' || strcmp (text, "~") == 0 || is_one_of (text, "null", "Null", "NULL"))
    return json_null ();
  if (is_one_of (text, "true", "True", "TRUE"))
    return json_true ();
  if (is_one_of (text, "false", "False", "FALSE"))
    return json_false ();
  if (is_decimal (text))
    return decimal_value (reader, text);
  if (base_of (text) != 0)
    return based_value (reader, text, base_of (text));
  if (!is_infinite_or_nan (text))
    return json_string (text);
  fail (reader, "a number must be finite");
  return NULL;
}

/* Returns: (transfer full) the value at hand as a place below the innermost open container, or as the root's. */
static SvPlace *
add_place (Reader *reader)
{
  Frame *frame = reader->depth > 0 ? &reader->frames[reader->depth - 1] : NULL;

  if (frame != NULL)
    return sv_place_new (frame->place, frame->key, reader->line, reader->column);
  reader->root_place = sv_place_new (NULL, NULL, reader->line, reader->column);
  return reader->root_place;
}

/* Takes @value. Puts it into the innermost open container, or makes it the root. Returns: (transfer none) its place. */
static SvPlace *
add_value (Reader *reader, json_t *value)
{
  Frame *frame = reader->depth > 0 ? &reader->frames[reader->depth - 1] : NULL;
  SvPlace *place = add_place (reader);

  if (frame == NULL)
    reader->root = value;
  else if (json_is_array (frame->container))
    json_array_append_new (frame->container, value);
  else
  {
    json_object_set_new (frame->container, frame->key, value);
    g_clear_pointer (&frame->key, g_free);
  }
  return place;
}

static gboolean
expects_key (const Reader *reader)
{
  const Frame *frame = reader->depth > 0 ? &reader->frames[reader->depth - 1] : NULL;

  return frame != NULL && json_is_object (frame->container) && frame->key == NULL;
}

static gboolean
open_container (Reader *reader, json_t *container)
{
  SvPlace *place;

  if (expects_key (reader))
  {
    json_decref (container);
    return fail (reader, "a key must be a string");
  }
  if (reader->depth == SV_JSON_MAX_DEPTH)
  {
    json_decref (container);
    return fail (reader, "nesting is deeper than " G_STRINGIFY (SV_JSON_MAX_DEPTH));
  }
  place = add_value (reader, container);
  reader->frames[reader->depth++] = (Frame){ container, place, NULL };
  return TRUE;
}

static gboolean
take_key (Reader *reader, const char *text, gsize length, gboolean is_plain)
{
  Frame *frame = &reader->frames[reader->depth - 1];

  if (length == 0 && is_plain)
    return fail (reader, "a key is missing before the colon");
  if (strlen (text) != length)
    return fail (reader, "a key must not hold a NUL character");
  if (is_plain && strcmp (text, "<<") == 0)
    return fail (reader, "merge keys are not allowed; write the fields out");
  if (json_object_get (frame->container, text) != NULL)
    return sv_authored_fail (reader->error, reader->name, reader->line, reader->column, "the key \"%s\" is there twice", text);
  frame->key = g_strdup (text);
  return TRUE;
}

/* libfyaml 0.7.12 misreads quotes that follow on each other in single quotes: of 'a''''b' it tells a quote too many, and to
 * make up for that fy_token_get_text() cuts the end off (and loses a buffer). The length it counts is right, so the pieces that
 * it tells are held against that. Returns: (transfer full) NULL where they do not agree. */
static char *
read_scalar (struct fy_token *token, gsize *length)
{
  GString *text = g_string_new (NULL);
  struct fy_token_iter *iter = token != NULL ? fy_token_iter_create (token) : NULL;
  const struct fy_iter_chunk *chunk = NULL;
  int fault = token != NULL && iter == NULL;

  while (iter != NULL && (chunk = fy_token_iter_chunk_next (iter, chunk, &fault)) != NULL)
    g_string_append_len (text, chunk->str, (gssize)chunk->len);
  if (iter != NULL)
    fy_token_iter_destroy (iter);
  *length = text->len;
  gboolean is_right = fault == 0 && (token == NULL || fy_token_get_text_length (token) == text->len);
  return g_string_free (text, !is_right);
}

static gboolean
take_scalar (Reader *reader, struct fy_token *token)
{
  gboolean is_plain = token == NULL || fy_token_scalar_style (token) == FYSS_PLAIN;
  gsize length;
  g_autofree char *text = read_scalar (token, &length);
  json_t *value;

  if (text == NULL)
    return fail (reader, "a text that cannot be read; put one with several quotes in a row into double quotes");
  if (expects_key (reader))
    return take_key (reader, text, length, is_plain);
  value = is_plain ? plain_value (reader, text) : json_stringn (text, length);
  if (value == NULL)
    return is_plain ? FALSE : fail (reader, "an escape that is half a surrogate pair; write the character itself");
  add_value (reader, value);
  return TRUE;
}

static gboolean
take_node (Reader *reader, struct fy_event *event)
{
  struct fy_token *anchor = fy_event_get_anchor_token (event);
  struct fy_token *tag = fy_event_get_tag_token (event);

  if (anchor != NULL)
  {
    note_mark (reader, fy_token_start_mark (anchor), TRUE);
    return fail (reader, "anchors are not allowed; write the value out");
  }
  if (tag != NULL)
  {
    note_mark (reader, fy_token_start_mark (tag), FALSE);
    return fail (reader, "tags are not allowed; quote the value to make it a string");
  }
  if (event->type == FYET_SCALAR)
    return take_scalar (reader, event->scalar.value);
  return open_container (reader, event->type == FYET_MAPPING_START ? json_object () : json_array ());
}

static gboolean
take_document_start (Reader *reader, struct fy_document_state *state)
{
  const struct fy_version *version = fy_document_state_version (state);

  if (reader->n_documents++ > 0)
    return fail (reader, "a second document begins; only one is allowed in a file");
  if (version->major != 1 || version->minor != 2)
    return fail (reader, "only YAML 1.2 is read");
  if (fy_document_state_tags_explicit (state))
    return fail (reader, "tags are not allowed");
  return TRUE;
}

static gboolean
take_event (Reader *reader, struct fy_event *event)
{
  switch (event->type)
  {
  case FYET_DOCUMENT_START:
    return take_document_start (reader, event->document_start.document_state);
  case FYET_ALIAS:
    return fail (reader, "aliases are not allowed; write the value out");
  case FYET_SCALAR:
  case FYET_MAPPING_START:
  case FYET_SEQUENCE_START:
    return take_node (reader, event);
  case FYET_MAPPING_END:
  case FYET_SEQUENCE_END:
    reader->depth--;
    return TRUE;
  default:
    return TRUE;
  }
}

/* libfyaml's own complaint. */
static gboolean
fail_syntax (Reader *reader, struct fy_diag *diag)
{
  void *iter = NULL;
  const struct fy_diag_error *problem = fy_diag_errors_iterate (diag, &iter);

  if (problem == NULL)
    return fail (reader, "not YAML, or empty");
  return sv_authored_fail (reader->error, reader->name, (guint)MAX (problem->line, 1), (guint)MAX (problem->column, 1), "%s",
                           problem->msg);
}

static gboolean
read_events (Reader *reader, struct fy_diag *diag)
{
  gboolean is_ended = FALSE;
  gboolean is_fine = TRUE;

  while (is_fine && !is_ended)
  {
    struct fy_event *event = fy_parser_parse (reader->parser);

    if (event == NULL)
      return fail_syntax (reader, diag);
    note_event (reader, event);
    is_ended = event->type == FYET_STREAM_END;
    is_fine = take_event (reader, event);
    fy_parser_event_free (reader->parser, event);
  }
  if (is_fine && reader->root == NULL)
    return sv_authored_fail (reader->error, reader->name, 1, 1, "it is empty");
  return is_fine;
}

static gboolean
read_text (Reader *reader, const char *text, gsize length)
{
  const struct fy_diag_cfg diag_config = { .level = FYET_ERROR, .module_mask = ~0u };
  struct fy_diag *diag = fy_diag_create (&diag_config);
  const struct fy_parse_cfg config = {
    .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
    .diag = diag,
  };
  gboolean is_read;

  fy_diag_set_collect_errors (diag, true);
  reader->parser = fy_parser_create (&config);
  is_read = fy_parser_set_string (reader->parser, text, length) == 0 ? read_events (reader, diag) : fail (reader, "not YAML");
  fy_parser_destroy (reader->parser);
  fy_diag_destroy (diag);
  return is_read;
}

json_t *
sv_authored_yaml_parse (const char *name, const char *text, gsize length, SvPlace **place, GError **error)
{
  Reader reader = { .name = name, .error = error, .line = 1, .column = 1 };
  gboolean is_read = read_text (&reader, text, length);

  for (guint i = 0; i < SV_JSON_MAX_DEPTH; i++)
    g_free (reader.frames[i].key);
  if (is_read)
  {
    *place = reader.root_place;
    return reader.root;
  }
  json_decref (reader.root);
  sv_place_free (reader.root_place);
  return NULL;
}
