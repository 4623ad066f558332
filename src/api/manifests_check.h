/* Whether what a server would serve fits what it has: its hotkey among the issuers, the clips registered. */
#pragma once

#include "base/config.h"

/* Reads index and manifests as a server does. *@issuers and *@clips (transfer full): what follows from windows whose issuers do
 * not name the configured hotkey, and from clips that are not registered; NULL where nothing does, or hotkey or database cannot
 * be had. Returns: (transfer full) what was found; errors of the chain and of sv_fetch_index(), except that an index which was
 * not published yet is none. */
char *sv_manifests_check (const SvConfig *config, char **issuers, char **clips, GError **error) G_GNUC_WARN_UNUSED_RESULT;
