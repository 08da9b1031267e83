/* The process of one member: CP, its virtual machines, its place in the cluster, its control
 * socket, on one libuv loop. `endicott start` runs it, in the background or not. */
#ifndef ENDICOTT_CLI_MEMBER_H
#define ENDICOTT_CLI_MEMBER_H

#include <stdbool.h>

#include "hyp/spool/spool.h"

struct member_options {
    const char *dir;    /* cluster folder, absolute */
    const char *member; /* upper case */
    bool repair;
    enum spool_start spool_start;
    long while_pid; /* end when this process does; 0 = none */
    int report_fd;  /* "0\n" when ready, "STATUS text\n" when it fails before; -1 = none */
};

/** Run until it has shut down. Returns an exit status (cli.h). Errors go to the log. */
int member_run(const struct member_options *options);

#endif
