/* assert_fails (call (…, refusal), SV_ERROR_X): the call returns nothing and its error has that code. */
#pragma once

#include "base/error.h"

#define assert_fails(call, wanted)                                                                                             \
  do                                                                                                                           \
  {                                                                                                                            \
    g_autoptr (GError) refusal_ = NULL;                                                                                        \
    GError **refusal = &refusal_;                                                                                              \
    g_assert_false ((call));                                                                                                   \
    g_assert_error (refusal_, SV_ERROR, wanted);                                                                               \
  } while (0)

/* The same, and the message has @part in it. */
#define assert_fails_saying(call, wanted, part)                                                                                \
  do                                                                                                                           \
  {                                                                                                                            \
    g_autoptr (GError) refusal_ = NULL;                                                                                        \
    GError **refusal = &refusal_;                                                                                              \
    g_assert_false ((call));                                                                                                   \
    g_assert_error (refusal_, SV_ERROR, wanted);                                                                               \
    if (strstr (refusal_->message, part) == NULL)                                                                              \
      g_error ("expected \"%s\" in \"%s\"", part, refusal_->message);                                                          \
  } while (0)
