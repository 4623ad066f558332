/* Configuration: each setting has one slot with a value per layer (file, environment, flag), and the highest layer that is not
 * empty wins. An empty value counts as not given, because container systems pass unset variables as empty ones.
 *
 * Below the layers lies the default. A few defaults follow other settings ("derived": the embedded engines live under
 * SCOREVISION_HOME, R2_BUCKET alone names the store); they are computed anew after every change, so that sv_config_get() can
 * hand out borrowed strings.
 *
 * sv.conf is read here and not with GKeyFile, because messages and `sv config show` name the line that a value came from, and
 * because a key given twice is a mistake that must be seen. */
#include "base/config.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/identifiers.h"

#define MAX_FILE_SIZE (1024 * 1024)
#define MASK "****"

typedef enum
{
  LAYER_FILE,
  LAYER_ENVIRONMENT,
  LAYER_FLAG,
  N_LAYERS,
} Layer;

typedef struct
{
  const SvSetting *setting;
  char *values[N_LAYERS];
  char *file_origin; /* "/etc/scorevision/sv.conf:12" */
  guint file_line;
  char *derived; /* replaces the table's fallback */
  char *derived_origin;
} Slot;

struct SvConfig
{
  Slot *slots;
  gsize n_slots;
  char *file;        /* the sv.conf that was read, or NULL */
  GPtrArray *faults; /* of SvConfigFault */
};

static void
fault_free (gpointer data)
{
  SvConfigFault *fault = data;
  g_free (fault->name);
  g_free (fault->origin);
  g_free (fault->message);
  g_free (fault);
}

/* @name may be NULL. Takes @message. */
static void
add_fault (SvConfig *config, const char *name, const char *origin, char *message)
{
  SvConfigFault *fault = g_new0 (SvConfigFault, 1);
  fault->name = g_strdup (name);
  fault->origin = g_strdup (origin);
  fault->message = message;
  g_ptr_array_add (config->faults, fault);
}

static Slot *
find_slot (const SvConfig *config, const char *name)
{
  for (gsize i = 0; i < config->n_slots; i++)
    if (strcmp (config->slots[i].setting->name, name) == 0)
      return &config->slots[i];
  return NULL;
}

/* A name that is not in the table is a mistake in the program, not of its user. */
static Slot *
known_slot (const SvConfig *config, const char *name)
{
  Slot *slot = find_slot (config, name);
  if (slot == NULL)
    g_error ("no such setting: %s", name);
  return slot;
}

/* The highest layer with a value, or -1. */
static int
top_layer (const Slot *slot)
{
  for (int layer = N_LAYERS - 1; layer >= 0; layer--)
    if (slot->values[layer] != NULL)
      return layer;
  return -1;
}

const char *
sv_config_get (const SvConfig *config, const char *name)
{
  const Slot *slot = known_slot (config, name);
  int layer = top_layer (slot);
  if (layer >= 0)
    return slot->values[layer];
  return slot->derived != NULL ? slot->derived : slot->setting->fallback;
}

const char *
sv_config_origin (const SvConfig *config, const char *name)
{
  const Slot *slot = known_slot (config, name);
  int layer = top_layer (slot);
  if (layer == LAYER_FLAG)
    return "flag";
  if (layer == LAYER_ENVIRONMENT)
    return "environment";
  if (layer == LAYER_FILE)
    return slot->file_origin;
  if (slot->derived_origin != NULL)
    return slot->derived_origin;
  return sv_config_get (config, name) != NULL ? "default" : "unset";
}

char *
sv_config_get_shown (const SvConfig *config, const char *name)
{
  const char *value = sv_config_get (config, name);
  if (value == NULL || known_slot (config, name)->setting->is_secret)
    return g_strdup (value != NULL ? MASK : NULL);
  return sv_config_mask (value);
}

/* Sets the default of @name to @value (taken), which comes from @source unless that is NULL. */
static void
derive (SvConfig *config, const char *name, char *value, const char *source)
{
  Slot *slot = known_slot (config, name);
  g_free (slot->derived);
  g_free (slot->derived_origin);
  slot->derived = value;
  slot->derived_origin =
      value != NULL && source != NULL ? g_strdup_printf ("%s (%s)", sv_config_origin (config, source), source) : NULL;
}

static char *
below_home (const SvConfig *config, const char *scheme, const char *leaf)
{
  return g_strdup_printf ("%s:%s/%s", scheme, sv_config_get (config, "SCOREVISION_HOME"), leaf);
}

static void
derive_defaults (SvConfig *config)
{
  const char *bucket = sv_config_get (config, "R2_BUCKET");
  derive (config, "BITTENSOR_SUBTENSOR_ENDPOINT", below_home (config, "ledger", "ledger.sqlite"), NULL);
  derive (config, "SCOREVISION_DATABASE", below_home (config, "sqlite", "state.sqlite"), NULL);
  if (bucket != NULL)
    derive (config, "SCOREVISION_STORE", g_strconcat ("s3://", bucket, NULL), "R2_BUCKET");
  else
    derive (config, "SCOREVISION_STORE", below_home (config, "file", "store"), NULL);

  const char *store = sv_config_get (config, "SCOREVISION_STORE");
  gboolean is_file = g_str_has_prefix (store, "file:");
  derive (config, "SCOREVISION_RESULTS_STORE", is_file ? g_strdup (store) : NULL, NULL);
  derive (config, "R2_PUBLIC_URL", g_strdup (sv_config_get (config, "R2_BUCKET_PUBLIC_URL")), "R2_BUCKET_PUBLIC_URL");
  derive (config, "SCOREVISION_API", g_strconcat ("http://", sv_config_get (config, "SCOREVISION_LISTEN"), NULL), NULL);
  derive (config, "SCOREVISION_CONFIG", g_strdup (config->file), NULL);
}

static void
set_layer (Slot *slot, Layer layer, const char *value)
{
  g_free (slot->values[layer]);
  slot->values[layer] = value != NULL && *value != '\0' ? g_strdup (value) : NULL;
}

void
sv_config_set (SvConfig *config, const char *name, const char *value)
{
  set_layer (known_slot (config, name), LAYER_FLAG, value);
  derive_defaults (config);
}

SvConfig *
sv_config_new (void)
{
  SvConfig *config = g_new0 (SvConfig, 1);
  const SvSetting *settings = sv_settings (&config->n_slots);
  config->faults = g_ptr_array_new_with_free_func (fault_free);
  config->slots = g_new0 (Slot, config->n_slots);
  for (gsize i = 0; i < config->n_slots; i++)
    config->slots[i].setting = &settings[i];
  derive_defaults (config);
  return config;
}

void
sv_config_free (SvConfig *config)
{
  if (config == NULL)
    return;
  for (gsize i = 0; i < config->n_slots; i++)
  {
    Slot *slot = &config->slots[i];
    for (int layer = 0; layer < N_LAYERS; layer++)
      g_free (slot->values[layer]);
    g_free (slot->file_origin);
    g_free (slot->derived);
    g_free (slot->derived_origin);
  }
  g_ptr_array_unref (config->faults);
  g_free (config->slots);
  g_free (config->file);
  g_free (config);
}

#define PREFIX "SCOREVISION_"

/* What nearly all names begin with says nothing of what was meant. */
static const char *
after_prefix (const char *name)
{
  return g_str_has_prefix (name, PREFIX) ? name + strlen (PREFIX) : name;
}

/* "; did you mean X?", or where none is near what to look at. */
static char *
suggestion (const SvConfig *config, const char *name)
{
  gboolean has_prefix = g_str_has_prefix (name, PREFIX);
  g_autofree const char **names = g_new0 (const char *, config->n_slots + 1);
  for (gsize i = 0, n = 0; i < config->n_slots; i++)
    if (!has_prefix || g_str_has_prefix (config->slots[i].setting->name, PREFIX))
      names[n++] = has_prefix ? after_prefix (config->slots[i].setting->name) : config->slots[i].setting->name;
  const char *nearest = sv_nearest_word (has_prefix ? after_prefix (name) : name, names);
  return nearest != NULL ? g_strdup_printf ("; did you mean %s%s?", has_prefix ? PREFIX : "", nearest)
                         : g_strdup ("; `sv config show` lists all");
}

/* ---- the environment ---- */

/* The test-suite finds its data by this variable, which is no setting. */
static gboolean
is_ours_but_no_setting (const char *name)
{
  return strcmp (name, "SCOREVISION_SHARED") == 0;
}

static void
check_environment_name (SvConfig *config, const char *name)
{
  if (!g_str_has_prefix (name, PREFIX) || find_slot (config, name) != NULL || is_ours_but_no_setting (name))
    return;
  g_autofree char *hint = suggestion (config, name);
  g_autofree char *shown = sv_text_printable (name);
  add_fault (config, shown, "environment", g_strdup_printf ("environment: unknown setting %s%s", shown, hint));
}

static void
read_environment (SvConfig *config)
{
  g_auto (GStrv) names = g_listenv ();
  for (char **name = names; *name != NULL; name++)
    check_environment_name (config, *name);

  for (gsize i = 0; i < config->n_slots; i++)
  {
    const char *name = config->slots[i].setting->name;
    const char *value = g_getenv (name);
    if (value != NULL && !g_utf8_validate (value, -1, NULL))
      add_fault (config, name, "environment", g_strdup_printf ("environment: the value of %s is not valid UTF-8", name));
    else
      set_layer (&config->slots[i], LAYER_ENVIRONMENT, value);
  }
}

/* ---- sv.conf ---- */

static void
set_from_file (SvConfig *config, const char *origin, guint line, const char *name, const char *value)
{
  Slot *slot = find_slot (config, name);
  if (slot == NULL)
  {
    g_autofree char *hint = suggestion (config, name);
    g_autofree char *shown = sv_text_printable (name);
    add_fault (config, shown, origin, g_strdup_printf ("%s: unknown setting %s%s", origin, shown, hint));
  }
  else if (strcmp (name, "SCOREVISION_CONFIG") == 0)
    add_fault (config, name, origin,
               g_strdup_printf ("%s: %s names this file, and is set in the environment only", origin, name));
  else if (slot->file_line != 0)
    add_fault (config, name, origin, g_strdup_printf ("%s: %s is already set in line %u", origin, name, slot->file_line));
  else
  {
    slot->file_line = line;
    slot->file_origin = g_strdup (origin);
    set_layer (slot, LAYER_FILE, value);
  }
}

static void
read_line (SvConfig *config, const char *path, guint line, char *text)
{
  g_strstrip (text);
  if (*text == '\0' || *text == '#' || *text == ';')
    return;
  if (*text == '[' && g_str_has_suffix (text, "]"))
    return; /* headings are for people */
  g_autofree char *origin = g_strdup_printf ("%s:%u", path, line);
  char *equals = strchr (text, '=');
  if (equals == NULL || equals == text)
  {
    add_fault (config, NULL, origin, g_strdup_printf ("%s: expected `KEY = value`, a [heading] or a # comment", origin));
    return;
  }
  *equals = '\0';
  set_from_file (config, origin, line, g_strstrip (text), g_strstrip (equals + 1));
}

/* Who says that this file is to be read, and what to do where it cannot be. */
static const char *
config_source (const SvConfig *config)
{
  return sv_config_get (config, "SCOREVISION_CONFIG") != NULL ? "SCOREVISION_CONFIG" : "the configuration file";
}

static const char *
config_remedy (const SvConfig *config)
{
  return sv_config_get (config, "SCOREVISION_CONFIG") != NULL ? "name a file that can be read, or none"
                                                              : "let this user read it, or name another in SCOREVISION_CONFIG";
}

static void
read_file (SvConfig *config, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = sv_file_read (path, MAX_FILE_SIZE, &error);
  gsize length = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;
  if (bytes == NULL)
    add_fault (config, NULL, path,
               g_strdup_printf ("%s: %s; %s", config_source (config), error->message, config_remedy (config)));
  else if (length > 0 && !g_utf8_validate (data, (gssize)length, NULL))
    add_fault (config, NULL, path, g_strdup_printf ("%s: not valid UTF-8", path));
  else
  {
    g_autofree char *text = g_strndup (length > 0 ? data : "", length);
    g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
      read_line (config, path, i + 1, lines[i]);
    config->file = g_strdup (path);
  }
}

/* Returns: (transfer full) the file to read, or NULL where there is none. */
static char *
find_file (const SvConfig *config)
{
  const char *named = sv_config_get (config, "SCOREVISION_CONFIG");
  if (named != NULL)
    return sv_path_expand (named);
  static const char *const candidates[] = { "~/.config/scorevision/sv.conf", "/etc/scorevision/sv.conf" };
  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++)
  {
    g_autofree char *path = sv_path_expand (candidates[i]);
    if (g_file_test (path, G_FILE_TEST_EXISTS))
      return g_steal_pointer (&path);
  }
  return NULL;
}

SvConfig *
sv_config_read (void)
{
  SvConfig *config = sv_config_new ();
  read_environment (config);
  g_autofree char *path = find_file (config);
  if (path != NULL)
    read_file (config, path);
  derive_defaults (config);
  return config;
}

const GPtrArray *
sv_config_faults (const SvConfig *config)
{
  return config->faults;
}

gboolean
sv_config_check (const SvConfig *config, GError **error)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new ();
  for (guint i = 0; i < config->faults->len; i++)
    g_ptr_array_add (lines, ((const SvConfigFault *)config->faults->pdata[i])->message);
  if (lines->len == 0)
    return TRUE;
  g_ptr_array_add (lines, NULL);
  g_autofree char *text = g_strjoinv ("\n", (char **)lines->pdata);
  g_set_error_literal (error, SV_ERROR, SV_ERROR_USAGE, text);
  return FALSE;
}

SvConfig *
sv_config_load (GError **error)
{
  g_autoptr (SvConfig) config = sv_config_read ();
  return sv_config_check (config, error) ? g_steal_pointer (&config) : NULL;
}

SvConfig *
sv_config_copy (const SvConfig *config)
{
  SvConfig *copy = sv_config_new ();
  copy->file = g_strdup (config->file);
  for (gsize i = 0; i < config->n_slots; i++)
  {
    for (int layer = 0; layer < N_LAYERS; layer++)
      set_layer (&copy->slots[i], layer, config->slots[i].values[layer]);
    copy->slots[i].file_origin = g_strdup (config->slots[i].file_origin);
    copy->slots[i].file_line = config->slots[i].file_line;
  }
  derive_defaults (copy);
  return copy;
}

SvConfig *
sv_config_read_again (const SvConfig *config)
{
  SvConfig *again = sv_config_read ();
  if (config->file != NULL && again->file == NULL && again->faults->len == 0)
    add_fault (again, NULL, config->file,
               g_strdup_printf ("%s is not there any more; bring it back, empty if need be", config->file));
  for (gsize i = 0; i < config->n_slots; i++)
    set_layer (&again->slots[i], LAYER_FLAG, config->slots[i].values[LAYER_FLAG]);
  derive_defaults (again);
  return again;
}

/* ---- values ---- */

gboolean
sv_config_get_boolean (const SvConfig *config, const char *name)
{
  const char *value = sv_config_get (config, name);
  return g_strcmp0 (value, "1") == 0 || g_strcmp0 (value, "true") == 0 || g_strcmp0 (value, "True") == 0;
}

gboolean
sv_config_get_integer (const SvConfig *config, const char *name, guint64 min, guint64 max, guint64 *value, GError **error)
{
  const char *text = sv_config_get (config, name);
  if (text != NULL && sv_integer_parse (text, value) && *value >= min && *value <= max)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "%s (%s): expected a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ", not \"%s\"", name,
               sv_config_origin (config, name), min, max, text != NULL ? text : "");
  return FALSE;
}

char **
sv_config_get_list (const SvConfig *config, const char *name)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *value = sv_config_get (config, name);
  g_auto (GStrv) parts = g_strsplit (value != NULL ? value : "", ",", -1);
  for (char **part = parts; *part != NULL; part++)
    if (*g_strstrip (*part) != '\0')
      g_strv_builder_add (builder, *part);
  return g_strv_builder_end (builder);
}

char *
sv_config_home_path (const SvConfig *config, const char *leaf)
{
  g_autofree char *home = sv_path_expand (sv_config_get (config, "SCOREVISION_HOME"));
  return leaf != NULL ? g_build_filename (home, leaf, NULL) : g_steal_pointer (&home);
}
