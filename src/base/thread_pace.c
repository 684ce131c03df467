#include "base/thread_pace.h"

#include <linux/sched.h>
#include <linux/sched/types.h> /* not beside <sched.h>, which has types of the same names */
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATIENT_NICE = 10, PROMPT_SLICE_NS = 100000 };

/* Slice 0: the system's own. Where somebody chose another policy for the process, that stays. */
static void set(int more_nice, uint64_t slice_ns)
{
    struct sched_attr wish = {0};
    if (syscall(SYS_sched_getattr, 0, &wish, sizeof wish, 0U) != 0 || wish.sched_policy != SCHED_NORMAL)
        return;
    wish.sched_nice += more_nice;
    wish.sched_runtime = slice_ns;
    (void)syscall(SYS_sched_setattr, 0, &wish, 0U);
}

void cot_thread_be_prompt(void)
{
    set(0, PROMPT_SLICE_NS);
}

void cot_thread_be_patient(void)
{
    set(PATIENT_NICE, 0);
}
