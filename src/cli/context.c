/* What every command shares: engines opened on first use, questions, JSON on standard output. */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/identifiers.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"

SvChain *
sv_context_chain (SvContext *context, GError **error)
{
  if (context->chain == NULL)
    context->chain = sv_chain_open (context->config, error);
  return context->chain;
}

SvObjectStore *
sv_context_store (SvContext *context, GError **error)
{
  if (context->store != NULL)
    return context->store;
  const char *url = sv_config_get (context->config, "SCOREVISION_STORE");
  if (url == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "no store is configured; set SCOREVISION_STORE or give --store file:PATH");
    return NULL;
  }
  context->store = sv_object_store_open (url, context->config, error);
  return context->store;
}

SvObjectStore *
sv_context_writable_store (SvContext *context, GError **error)
{
  SvObjectStore *store = sv_context_store (context, error);
  return store != NULL && sv_object_store_check_writable (store, error) ? store : NULL;
}

static SvReader *
open_reader (SvContext *context, SvChain *chain, GError **error)
{
  SvReaderOptions options = { .accept_owner = context->accept_owner };
  if (context->reader == NULL)
    context->reader = sv_reader_new (context->config, chain, &options, error);
  return context->reader;
}

SvReader *
sv_context_reader (SvContext *context, GError **error)
{
  SvChain *chain = sv_context_chain (context, error);
  return chain != NULL ? open_reader (context, chain, error) : NULL;
}

gboolean
sv_context_chain_if_reachable (SvContext *context, SvChain **chain, GError **error)
{
  GError *failure = NULL;
  *chain = sv_context_chain (context, &failure);
  if (failure != NULL && !g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, failure);
    return FALSE;
  }
  if (failure != NULL)
    sv_log ("warning", "the chain is not asked for its owner, revocations and anchor", "reason", failure->message, NULL);
  g_clear_error (&failure);
  return TRUE;
}

SvReader *
sv_context_reader_alone (SvContext *context, GError **error)
{
  SvChain *chain;
  return sv_context_chain_if_reachable (context, &chain, error) ? open_reader (context, chain, error) : NULL;
}

gboolean
sv_context_can_ask (void)
{
  return isatty (STDIN_FILENO) && isatty (STDERR_FILENO);
}

gboolean
sv_context_confirm (SvContext *context, const char *question, GError **error)
{
  if (context->yes)
    return TRUE;
  if (!sv_context_can_ask ())
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s: confirm with --yes where there is no terminal to ask on", question);
    return FALSE;
  }
  fprintf (stderr, "%s? [y/N] ", question);
  char answer[16] = "";
  if (fgets (answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY, "nothing was done: not confirmed");
  return FALSE;
}

gboolean
sv_parse_integer_option (const char *name, const char *text, guint64 *value, GError **error)
{
  if (text == NULL || sv_integer_parse (text, value))
    return TRUE;
  g_autofree char *shown = sv_text_printable (text);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s %s: not a whole number from 0 to 9007199254740991", name, shown);
  return FALSE;
}

gboolean
sv_set_log_format (const SvConfig *config, GError **error)
{
  const char *format = sv_config_get (config, "SCOREVISION_LOG");
  if (g_strcmp0 (format, "json") == 0)
    sv_log_set_format (SV_LOG_JSON);
  else if (format != NULL && strcmp (format, "logfmt") != 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "SCOREVISION_LOG is `%s` (%s); it must be logfmt or json", format,
                 sv_config_origin (config, "SCOREVISION_LOG"));
    return FALSE;
  }
  return TRUE;
}

static gboolean json_was_printed;

void
sv_print_json (json_t *document)
{
  g_autofree char *text = sv_json_pretty (document);
  fputs (text, stdout);
  json_decref (document);
  json_was_printed = TRUE;
}

gboolean
sv_json_was_printed (void)
{
  return json_was_printed;
}

gboolean
sv_check_arguments (int argc, int min, int max, const char *usage, GError **error)
{
  if (argc >= min && argc <= max)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s; usage: %s", argc < min ? "an argument is missing" : "too many arguments",
               usage);
  return FALSE;
}
