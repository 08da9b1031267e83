/* Members over loopback TCP and one PDR file in one process, for tests of the libuv ports: nodes, a
 * service that counts what comes, strangers on the port. Waits for events only; a watchdog ends a
 * test that hangs. */
#ifndef ENDICOTT_TESTS_LIB_SSI_NODES_H
#define ENDICOTT_TESTS_LIB_SSI_NODES_H

#include <check.h>

#include "ssi/ssi_uv.h"
#include "ssi/ssi_wire.h"
#include "tests/lib/uv_until.h"

#define BULK_BYTES (200u << 20)
#define PIECE_BYTES (256u << 10)
#define NODE_SERVICE 9 /* bulk */
#define NODE_CONTROL 8 /* its messages are counted only */
#define NODE_TYPE 7    /* of its messages: a number, counted up, and anything */

struct node {
    struct ssi_uv *uv;
    struct ssi *ssi;
    int join_status, leave_status;
    bool joined_done, leave_done, closed, told_down, got_all, pumping;
    unsigned peers, lost, controls;
    u64 received, sent;
    u32 next;
    char text[8192];
    char veto[64];
    struct cause cause;
};

/** One of a test at a time. */
extern uv_loop_t node_loop;
extern char node_folder[64];

/** Folder and loop; the folder is removed. */
void nodes_setup(void);
void nodes_teardown(void);

/** Cluster TESTSSI of A, B and C in slots 0 to 2, with short times. */
void node_config(struct ssi_config *config, unsigned slot);
/** A node that has not joined. */
void node_open_with(struct node *node, const struct ssi_config *config);
void node_open(struct node *node, unsigned slot);
/** Start to join. */
void node_join_begin(struct node *node);
/** Join, which must come about. */
void node_join(struct node *node);
void node_leave(struct node *node);
void node_close(struct node *node);
/** Send BULK_BYTES to B in pieces, as long as there is room; goes on by itself. */
void node_pump(struct node *node);

/** Run the loop until `cond`. */
#define RUN_UNTIL(cond) UV_UNTIL(&node_loop, uv_run(&node_loop, UV_RUN_ONCE), cond)

/** Somebody who connects, says `bytes`, and reads until the end. */
struct stranger {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    const void *bytes;
    size_t len;
    bool up, ended;
    u8 answer[1024];
    size_t answered;
};

/** Connect to the port of `node`. */
void stranger_call(struct stranger *s, struct node *node);

#endif
