/*
 * The store of a running server, lent to a command: the file has one process at a time, so the server closes it while
 * the command runs, and takes up what has changed when it ends. Readers are served from memory meanwhile, calls wait.
 *
 * Over a socket in the data directory (server.sock, for its owner alone). Borrowed for as long as the connection lasts,
 * so that a command that dies gives back, too. One borrower at a time; the others wait.
 */
#ifndef COT_ENGINE_LEND_H
#define COT_ENGINE_LEND_H

#include "coterie/err.h"
#include "engine/service.h"

struct cot_lender;

/* The server's side: lends from now on. */
cot_code cot_lender_open(struct cot_service *service, const char *data_dir, struct cot_lender **ret_lender,
                         struct cot_err *err) COT_MUST_CHECK;
/* Waits until what is lent is back. NULL is fine. */
void cot_lender_close(struct cot_lender *lender);

/* The command's side: waits until the store is free. ret_loan is for _return; -1 where no server runs there. */
cot_code cot_lend_borrow(const char *data_dir, int *ret_loan, struct cot_err *err) COT_MUST_CHECK;
/* Waits until the server has taken up what has changed: whoever asks it next sees that. */
void cot_lend_return(int loan);

#endif
