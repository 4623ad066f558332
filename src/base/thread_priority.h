/* Which of the threads that want the same processor has it first. */
#pragma once

#include <glib.h>

/* What a thread that gives way has of a processor that one which answers wants all of. */
typedef enum
{
  SV_SHARE_QUARTER = 5, /* what is added to the niceness */
  SV_SHARE_TENTH = 10,
} SvThreadShare;

/* Gives the calling thread, once, a lower priority than those that answer have, which is that of the process; @what says in the
 * log whose work does not give way where the system refuses. */
void sv_thread_give_way (const char *what, SvThreadShare share);

/* Lets go of the processor, in the midst of work that nobody waits for, for @times as long as the thread has had it since it
 * last did, a tenth of a second at most: so others have it for that share of the time however they are asked, and the work
 * does not come in bursts that would fill it. 0: for a moment, in which whoever waits for the processor has it. */
void sv_thread_pause (guint times);

/* How long the calling thread wants the processor at a time, 100 to 100,000 microseconds; its share stays what it is. Who wants
 * it for a shorter time than the one that has it gets it as soon as he is woken (Linux 6.12; before, and where the system
 * refuses, nothing changes). Threads that it makes later want the same. */
void sv_thread_set_slice (guint us);
