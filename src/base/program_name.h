/* What this program is called. Messages and help are written for the name `sv`; where it was installed under another one
 * (Debian has `sv` of runit), commands in them are shown with that one, so that what is shown can be typed. */
#pragma once

#include <glib.h>

/* Once, before there are threads. @name is borrowed; @groups (NULL-terminated) are the words that may follow it in a command.
 */
void sv_program_set_name (const char *name, const char *const *groups);

/* (transfer none) "sv" unless set. */
const char *sv_program_name (void);

/* @text with this program's name in the commands that it shows: "run `sv chain status`". Returns: (transfer full). */
char *sv_program_text (const char *text);
