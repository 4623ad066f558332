/* The command line: one table of commands, from which dispatch and help are made. A command file exports an array of SvCommand
 * ended by a NULL group; tables.c lists the arrays. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "base/config.h"
#include "chain/chain.h"
#include "distribution/reader.h"
#include "store/object_store.h"

/* What every command gets. Engines are opened on first use and closed at the end. */
typedef struct
{
  SvConfig *config;
  gboolean as_json;     /* --json: one document on standard output, nothing else there */
  gboolean use_color;   /* standard output is a terminal, and NO_COLOR is not set */
  gboolean is_terminal; /* standard error is one: progress may be drawn */
  gboolean yes;         /* --yes: no questions */
  SvChain *chain;
  SvObjectStore *store;
  SvReader *reader;
  gboolean accept_owner;
} SvContext;

typedef struct
{
  const char *group;           /* "manifest"; NULL ends a table */
  const char *name;            /* "publish"; NULL for a group that is itself a command ("serve") */
  const char *usage;           /* "FILE [--supersede]" */
  const char *summary;         /* one line, without a full stop */
  const char *details;         /* paragraphs for --help, or NULL */
  const char *example;         /* lines of commands */
  const GOptionEntry *options; /* or NULL */
  /* Positional arguments are argv[0 … argc-1]. Returns the exit status when @error stays unset. */
  int (*run) (SvContext *context, int argc, char **argv, GError **error);
  gboolean is_judge; /* of the configuration: it is run also where that has faults, and tells them itself */
} SvCommand;

/* Opened engines, (transfer none); NULL with an error that names the setting. */
SvChain *sv_context_chain (SvContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;
SvObjectStore *sv_context_store (SvContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT; /* SCOREVISION_STORE */
SvObjectStore *sv_context_writable_store (SvContext *context,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT; /* or SV_ERROR_POLICY */
SvReader *sv_context_reader (SvContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for commands that can do without a chain: *@chain is NULL, with a warning, while none can be reached. */
gboolean sv_context_chain_if_reachable (SvContext *context, SvChain **chain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The reader for commands that only read documents: also while no chain can be reached, when context->chain stays NULL, with a
 * warning. */
SvReader *sv_context_reader_alone (SvContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether there is a terminal to ask on. */
gboolean sv_context_can_ask (void);

/* Asks a yes/no question on the terminal; --yes answers it; without a terminal SV_ERROR_USAGE saying that --yes is needed. */
gboolean sv_context_confirm (SvContext *context, const char *question, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The number given to option @name; *@value keeps its default where it was not given (@text is NULL). SV_ERROR_USAGE. */
gboolean sv_parse_integer_option (const char *name, const char *text, guint64 *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Applies SCOREVISION_LOG; SV_ERROR_USAGE. */
gboolean sv_set_log_format (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Prints one JSON document to standard output, pretty, and takes it. */
void sv_print_json (json_t *document);

/* TRUE after sv_print_json(): a command that fails after that prints no second document. */
gboolean sv_json_was_printed (void);

/* SV_ERROR_USAGE unless @min <= argc <= @max. @usage is the command's. */
gboolean sv_check_arguments (int argc, int min, int max, const char *usage, GError **error) G_GNUC_WARN_UNUSED_RESULT;
