/* The thread that writes the lists of commitments. */
#pragma once

#include "api/service.h"

SvCommitmentDesk *sv_commitment_desk_new (void);
/* When no request waits any more. */
void sv_commitment_desk_free (SvCommitmentDesk *desk);
