/* What the readers of JSON and of authored YAML share; for base/ only. */
#pragma once

#include <glib.h>

/* NULL when a double holds the integer with these decimal digits (no sign), else what is wrong with it. */
const char *sv_integer_literal_problem (const char *digits, gsize length);
