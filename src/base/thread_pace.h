/*
 * How the scheduler treats this thread and those that it starts from here on: a wish, without a report where it can't
 * be granted.
 */
#ifndef COT_BASE_THREAD_PACE_H
#define COT_BASE_THREAD_PACE_H

/* Gets a processor soon after it wakes, from threads of a usual pace too, and gives it back soon: slices of 0.1 ms
 * (Linux 6.12 and newer). For those who answer. */
void cot_thread_be_prompt(void);

/* Has a smaller share than others of its process while they want the processor. For those who work. */
void cot_thread_be_patient(void);

#endif
