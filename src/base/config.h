/* Configuration (docs/protocol.md section 10): flags over environment over sv.conf (INI; $SCOREVISION_CONFIG,
 * ~/.config/scorevision/sv.conf, /etc/scorevision/sv.conf, the first that exists). One table names every setting; what is not
 * in it does not exist: an unknown key of the file, or an unknown SCOREVISION_ variable, is an error with the nearest known
 * name. */
#pragma once

#include <glib.h>

typedef struct
{
  const char *name;     /* environment variable, and key in sv.conf */
  const char *flag;     /* "store" for --store; NULL where there is no flag (secrets have none) */
  const char *fallback; /* default, or NULL; "~/" is expanded by the user */
  gboolean is_secret;   /* masked in every output */
  const char *group;    /* heading in `sv config show`: "chain", "store", … */
  const char *summary;  /* one line for people */
} SvSetting;

/* All settings, in the order of docs/protocol.md section 10. */
const SvSetting *sv_settings (gsize *n_settings);

typedef struct SvConfig SvConfig;

/* Reads environment and file. SV_ERROR_USAGE names all that is wrong in them. Returns: (transfer full). */
SvConfig *sv_config_load (GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Something in environment or file that cannot be read as a setting. */
typedef struct
{
  char *name;    /* as it stands there, printable; NULL: it is not about one setting */
  char *origin;  /* "environment", "/etc/scorevision/sv.conf:12", or the file alone */
  char *message; /* for people; begins with the place where there is one */
} SvConfigFault;

/* The same, whatever is wrong: what is right is in it, and the rest in sv_config_faults(). Returns: (transfer full). */
SvConfig *sv_config_read (void);

/* Reads environment and file again; what flags have set in @config stays so. The environment of a running process does not
 * change, so what changes is the file; one that was there and is gone is a fault. Returns: (transfer full). */
SvConfig *sv_config_read_again (const SvConfig *config);

/* (transfer none) (element-type SvConfigFault), in the order found. */
const GPtrArray *sv_config_faults (const SvConfig *config);

/* SV_ERROR_USAGE where there are faults: all of them, one a line. */
gboolean sv_config_check (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For another thread. Returns: (transfer full). */
SvConfig *sv_config_copy (const SvConfig *config);

/* A configuration with nothing but defaults; for tests. */
SvConfig *sv_config_new (void);

void sv_config_free (SvConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvConfig, sv_config_free)

/* Sets a value as if by a command line flag. @name must be in the table. */
void sv_config_set (SvConfig *config, const char *name, const char *value);

/* (transfer none) the effective value: flag, environment, file, default; NULL when there is none. An empty value is none. */
const char *sv_config_get (const SvConfig *config, const char *name);

/* The value as it may be shown: a secret is "****", and see sv_config_mask(). Returns: (transfer full) or NULL. */
char *sv_config_get_shown (const SvConfig *config, const char *name);

/* A value with what is secret inside URLs as "****": passwords, and parameters named password, apikey, token or the like. For
 * messages that quote a setting. Returns: (transfer full). */
char *sv_config_mask (const char *value);

/* TRUE for a postgresql: URL whose password has an "@", or "/", "?" or "#", as it is: where it ends can only be guessed. */
gboolean sv_config_url_is_ambiguous (const char *url);

/* Where the value comes from: "flag", "environment", "/etc/scorevision/sv.conf:12", "default" or "unset"; a value taken from
 * another setting names that in brackets: "environment (R2_BUCKET)". */
const char *sv_config_origin (const SvConfig *config, const char *name);

/* TRUE for "1", "true" and "True", as the user's client reads it. */
gboolean sv_config_get_boolean (const SvConfig *config, const char *name);

/* An unsigned number of the setting; SV_ERROR_USAGE naming the setting and its origin for anything else. */
gboolean sv_config_get_integer (const SvConfig *config, const char *name, guint64 min, guint64 max, guint64 *value,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The comma list of the setting, trimmed, without empty items; never NULL. Returns: (transfer full). */
char **sv_config_get_list (const SvConfig *config, const char *name);

/* $SCOREVISION_HOME, expanded, with @leaf appended unless NULL. Returns: (transfer full). */
char *sv_config_home_path (const SvConfig *config, const char *leaf);

/* (transfer none) of @candidates (NULL-terminated) the one nearest to @word by edit distance, or NULL when none is near. Also
 * used for mistyped commands. */
const char *sv_nearest_word (const char *word, const char *const *candidates);
