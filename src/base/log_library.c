/* A log that is read by programs has no line of another form in it, least of all the last one before an abort. */
#include "base/log_library.h"

#include "base/log.h"

static const char *
find_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_strcmp0 (fields[i].key, key) == 0 && fields[i].length < 0)
      return fields[i].value;
  return NULL;
}

static GLogWriterOutput
take_message (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  const char *name = "warning";
  if ((level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO)) != 0)
    return G_LOG_WRITER_HANDLED;
  if ((level & G_LOG_LEVEL_MESSAGE) != 0)
    name = "info";
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0)
    name = "error";
  sv_log (name, "library", "domain", find_field (fields, n_fields, "GLIB_DOMAIN"), "reason",
          find_field (fields, n_fields, "MESSAGE"), NULL);
  return G_LOG_WRITER_HANDLED;
}

static void
take_print (const char *text)
{
  g_autofree char *line = g_strstrip (g_strdup (text));
  sv_log ("error", "library", "reason", line, NULL);
}

void
sv_log_take_library_messages (void)
{
  g_log_set_writer_func (take_message, NULL, NULL);
  g_set_printerr_handler (take_print);
}
