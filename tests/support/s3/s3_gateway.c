#include "s3_gateway.h"

#include <gio/gio.h>

#define MISSING 3 /* what the script exits with where its programs are not installed */

struct S3Gateway
{
  GSubprocess *process;
  GDataInputStream *output;
  char **words; /* endpoint, access key, secret */
};

S3Gateway *
s3_gateway_start (const char *folder, char **reason)
{
  g_autoptr (GError) error = NULL;
  S3Gateway *gateway = g_new0 (S3Gateway, 1);
  gateway->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                                       SV_SOURCE_ROOT "/tests/support/s3/gateway", folder, NULL);
  g_assert_no_error (error);
  gateway->output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (gateway->process));
  g_autofree char *line = g_data_input_stream_read_line_utf8 (gateway->output, NULL, NULL, NULL);
  gateway->words = g_strsplit (line != NULL ? line : "", " ", 3);
  if (g_strv_length (gateway->words) == 3)
    return gateway;
  g_subprocess_wait (gateway->process, NULL, NULL);
  gboolean is_missing =
      g_subprocess_get_if_exited (gateway->process) && g_subprocess_get_exit_status (gateway->process) == MISSING;
  s3_gateway_stop (gateway);
  if (!is_missing)
    g_error ("the S3 server did not start");
  *reason = g_strdup ("no S3 server: Ceph is not installed here (scripts/install-deps)");
  return NULL;
}

/* The script ends when its standard input does. */
void
s3_gateway_stop (S3Gateway *gateway)
{
  if (gateway == NULL)
    return;
  g_output_stream_close (g_subprocess_get_stdin_pipe (gateway->process), NULL, NULL);
  g_subprocess_wait (gateway->process, NULL, NULL);
  g_clear_object (&gateway->output);
  g_clear_object (&gateway->process);
  g_strfreev (gateway->words);
  g_free (gateway);
}

const char *
s3_gateway_endpoint (const S3Gateway *gateway)
{
  return gateway->words[0];
}

void
s3_gateway_configure (const S3Gateway *gateway, SvConfig *config)
{
  sv_config_set (config, "S3_ENDPOINT", gateway->words[0]);
  sv_config_set (config, "R2_WRITE_ACCESS_KEY_ID", gateway->words[1]);
  sv_config_set (config, "R2_WRITE_SECRET_ACCESS_KEY", gateway->words[2]);
}
