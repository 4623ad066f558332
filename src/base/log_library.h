/* What libraries say in their own way, as lines of the log. */
#pragma once

/* Warnings of GLib, and what is printed before an assertion ends the program, become one event each. For a program whose
 * standard error is a log; before it has threads. */
void sv_log_take_library_messages (void);
