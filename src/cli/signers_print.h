/* What `sv manifest signers` shows: who may sign, since when and why, and who signed the present index. */
#pragma once

#include "distribution/reader.h"

/* @list (element-type SvSigner) is of @signers. Without an @index @fault says why. */
void sv_signers_print (const SvSigners *signers, GPtrArray *list, const SvIndex *index, const GError *fault,
                       gboolean use_color);
void sv_signers_print_json (const SvSigners *signers, GPtrArray *list, const SvIndex *index, const GError *fault);
