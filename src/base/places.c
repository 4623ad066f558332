/* Where each node of an authored document stands, and how a fault is shown there. */
#include <stdlib.h>
#include <string.h>

#include "base/authored_reader.h"
#include "base/error.h"
#include "base/identifiers.h"

struct SvPlace
{
  guint line;
  guint column;
  char *key;           /* NULL for the root and for items of an array */
  GPtrArray *children; /* of SvPlace; NULL when there are none */
};

struct SvPlaces
{
  char *name;
  SvPlace *root;
};

void
sv_place_free (SvPlace *place)
{
  if (place == NULL)
    return;
  g_clear_pointer (&place->children, g_ptr_array_unref);
  g_free (place->key);
  g_free (place);
}

static void
free_child (gpointer child)
{
  sv_place_free (child);
}

SvPlace *
sv_place_new (SvPlace *parent, const char *key, guint line, guint column)
{
  SvPlace *place = g_new0 (SvPlace, 1);

  place->line = line;
  place->column = column;
  place->key = g_strdup (key);
  if (parent == NULL)
    return place;
  if (parent->children == NULL)
    parent->children = g_ptr_array_new_with_free_func (free_child);
  g_ptr_array_add (parent->children, place);
  return place;
}

SvPlaces *
sv_places_new (const char *name, SvPlace *root)
{
  SvPlaces *places = g_new0 (SvPlaces, 1);

  places->name = g_strdup (name);
  places->root = root;
  return places;
}

void
sv_places_free (SvPlaces *places)
{
  if (places == NULL)
    return;
  g_free (places->name);
  sv_place_free (places->root);
  g_free (places);
}

/* Undoes RFC 6901's escapes. Returns: (transfer full). */
static char *
unescape_part (const char *part)
{
  GString *out = g_string_new (NULL);

  for (; *part != '\0'; part++)
  {
    if (part[0] == '~' && (part[1] == '0' || part[1] == '1'))
      g_string_append_c (out, *++part == '0' ? '~' : '/');
    else
      g_string_append_c (out, *part);
  }
  return g_string_free (out, FALSE);
}

/* The parts of a pointer, unescaped; none for "". Returns: (transfer full). */
static char **
split_pointer (const char *pointer)
{
  char **parts = *pointer == '/' ? g_strsplit (pointer + 1, "/", -1) : g_new0 (char *, 1);

  for (gsize i = 0; parts[i] != NULL; i++)
  {
    char *part = unescape_part (parts[i]);
    g_free (parts[i]);
    parts[i] = part;
  }
  return parts;
}

static const SvPlace *
find_child (const SvPlace *place, const char *part)
{
  guint64 index;

  if (place->children == NULL)
    return NULL;
  for (guint i = 0; i < place->children->len; i++)
  {
    const SvPlace *child = place->children->pdata[i];
    if (child->key != NULL && strcmp (child->key, part) == 0)
      return child;
  }
  if (!sv_integer_parse (part, &index) || index >= place->children->len)
    return NULL;
  place = place->children->pdata[index];
  return place->key == NULL ? place : NULL;
}

void
sv_places_find (const SvPlaces *places, const char *pointer, guint *line, guint *column)
{
  g_auto (GStrv) parts = split_pointer (pointer);
  const SvPlace *place = places->root;
  const SvPlace *child = place;

  for (gsize i = 0; parts[i] != NULL && child != NULL; i++)
  {
    child = find_child (place, parts[i]);
    if (child != NULL)
      place = child;
  }
  *line = place->line;
  *column = place->column;
}

static gboolean
is_index (const char *part)
{
  guint64 unused;

  return sv_integer_parse (part, &unused);
}

static gboolean
is_plain_key (const char *part)
{
  return *part != '\0' && part[strspn (part, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-")] == '\0';
}

char *
sv_pointer_to_path (const char *pointer)
{
  g_auto (GStrv) parts = split_pointer (pointer);
  GString *out = g_string_new (NULL);

  for (gsize i = 0; parts[i] != NULL; i++)
  {
    if (is_index (parts[i]))
      g_string_append_printf (out, "[%s]", parts[i]);
    else if (is_plain_key (parts[i]))
      g_string_append_printf (out, "%s%s", i > 0 ? "." : "", parts[i]);
    else
    {
      g_autofree char *key = sv_text_printable (parts[i]);
      g_string_append_printf (out, "[\"%s\"]", key);
    }
  }
  return g_string_free (out, FALSE);
}

char *
sv_places_describe (const SvPlaces *places, const SvFault *fault)
{
  g_autofree char *path = sv_pointer_to_path (fault->pointer);
  guint line;
  guint column;

  sv_places_find (places, fault->pointer, &line, &column);
  return g_strdup_printf ("%s:%u:%u: %s%s%s", places->name, line, column, path, *path != '\0' ? ": " : "", fault->message);
}
