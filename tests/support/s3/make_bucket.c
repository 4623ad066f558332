/* usage: make_bucket NAME      on the server of the settings, for tests: scorevision/… is readable for everybody, the rest is
 * not */
#include <stdio.h>

#include "base/error.h"
#include "s3_gateway.h"

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvConfig) config = sv_config_load (&error);
  if (argc == 2 && config != NULL && s3_bucket_make (config, argv[1], &error))
    return 0;
  fprintf (stderr, "make_bucket: %s\n", error != NULL ? error->message : "the name of a bucket is expected");
  return error != NULL ? sv_error_exit_status (error) : 2;
}
