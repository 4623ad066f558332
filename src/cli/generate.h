/* Manual pages and shell completion, made from the command tables and the table of settings when the program is built. */
#pragma once

#include "cli/command.h"

/* Prints one of: "man" (the page of the program), "man:GROUP", "conf" (the page of sv.conf), "bash", "zsh", "fish". Returns:
 * the exit status; 2 for anything else. */
int sv_generate (const char *what);

/* What the generators share. Visits every group once, in the order of help. */
typedef void (*SvVisitGroup) (const char *group, gpointer data);
void sv_visit_groups (SvVisitGroup visit, gpointer data);

/* Visits the commands of a group. */
typedef void (*SvVisitCommand) (const SvCommand *command, gpointer data);
void sv_visit_commands (const char *group, SvVisitCommand visit, gpointer data);

/* (transfer none) the group's command without a name, or NULL. */
const SvCommand *sv_group_alone (const char *group);

/* What the group's commands do, in a line. Returns: (transfer full). */
char *sv_group_summary (const char *group);

void sv_manual_print_program (void);
void sv_manual_print_group (const char *group);
void sv_manual_print_settings (void);
void sv_completion_print_bash (void);
void sv_completion_print_zsh (void);
void sv_completion_print_fish (void);
