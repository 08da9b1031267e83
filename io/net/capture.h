/* A capture: frames of a network in memory to a file or a socket, as pcapng. Each frame once, on
 * the port that sent it, and where a port had no room for it; or, of chosen ports, all that they
 * send and get. Who sends never waits: what the writer cannot follow is missing, and counted. */
#ifndef ENDICOTT_IO_NET_CAPTURE_H
#define ENDICOTT_IO_NET_CAPTURE_H

#include "io/net/lan.h"

#define CAPTURE_QUEUE_FRAMES 4096u
#define CAPTURE_QUEUE_BYTES (8u << 20)
#define CAPTURE_PORTS_MAX 4096u /* that one capture tells apart */
#define CAPTURE_WORDS_MAX 320

struct capture;

/** What is taken; all zero: everything. */
struct capture_filter {
    char label[LAN_LABEL_BYTES]; /* of a port; "LINUX1." all of that user. "": any */
    bool has_mac;
    u8 mac[MAC_BYTES]; /* of sender or receiver */
};

/** Who is told that it has ended by itself; on its thread, no lock held. */
struct capture_events {
    void *ctx;
    void (*ended)(void *ctx);
};

/** Capture `lan`, which outlives it, to `fd`, which becomes its own, also on failure; `where` is
 *  what that is in words. ST_NOMEM with cause. */
int capture_open(struct lan *lan, const struct capture_filter *filter, int fd,
                 const char *where, const struct capture_events *events, struct capture **out,
                 struct cause *cause);
/** The same to a file, which is made or emptied. ST_IO, ST_PERM. */
int capture_open_file(struct lan *lan, const struct capture_filter *filter, const char *path,
                      const struct capture_events *events, struct capture **out,
                      struct cause *cause);
/** What is queued is written, as far as that goes at once; its thread has ended then. */
void capture_close(struct capture *c);
/** Has it ended by itself, and why? "": the reader has gone. Any thread. */
bool capture_has_ended(struct capture *c, char why[CAPTURE_WORDS_MAX]);
/** "to vsw1.pcapng, 12 frames, 0 missed". */
void capture_words(struct capture *c, char out[CAPTURE_WORDS_MAX]);

#endif
