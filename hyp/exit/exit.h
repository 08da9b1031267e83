/* CP exits: at some points CP asks programs of the installation whether it may go on. An entry
 * point NAME is the host program exits/NAME of the cluster's folder. Which ones are called, and
 * whether they are, say ASSOCIATE EXIT, ENABLE and DISABLE EXITS. docs/exits.md.
 * Source: z/VM "CP Commands and Utilities Reference", ASSOCIATE EXIT, DISASSOCIATE. */
#ifndef ENDICOTT_HYP_EXIT_EXIT_H
#define ENDICOTT_HYP_EXIT_EXIT_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

#define EXIT_ENTRIES_MAX 8
#define EXIT_NAME_BYTES 9
#define EXIT_TEXT_BYTES 120
#define EXIT_FACTS_MAX 24
#define EXIT_FACT_BYTES 64
#define EXIT_SECONDS_MAX 10 /* all entry points of an exit together */
#define EXIT_STATUS_MAX 125 /* above, and by a signal: it has not worked */

enum exit_point {
#define X(id, number, what) EXIT_##id,
#include "hyp/exit/exit.def"
#undef X
    EXIT_POINTS
};

/** What the surroundings have to give; as in struct cp_ports. */
struct exit_ports {
    void *ctx;
    void (*post)(void *ctx, void (*fn)(void *arg), void *arg);
};

struct exits;
struct exit_run;

/** `folder` is where the programs are; copied. NULL: no memory. */
struct exits *exits_create(const char *folder, const struct exit_ports *ports);
/** Programs that run are killed, nobody is told. NULL is nothing. */
void exits_destroy(struct exits *x);

/** By number; EXIT_POINTS: there is no such exit here. */
enum exit_point exit_find(u64 number);
u16 exit_number(enum exit_point point);
const char *exit_what(enum exit_point point);

enum exit_where { EXIT_ONLY_ENTRIES, EXIT_REPLACE, EXIT_FOLLOWING, EXIT_PRECEDING };
/** Entry points in the order in which they are called. ST_EXIST: it has some, and `where` is
 *  EXIT_ONLY_ENTRIES; ST_LIMIT. */
int exits_associate(struct exits *x, enum exit_point point, enum exit_where where,
                    const char names[][EXIT_NAME_BYTES], unsigned count);
/** None any more; enabled or disabled it stays as it was. */
void exits_disassociate(struct exits *x, enum exit_point point);
void exits_enable(struct exits *x, enum exit_point point, bool enabled);
/** Can the program be executed now? ST_OK, or why not. */
int exits_program(const struct exits *x, const char *name, struct cause *cause);

struct exit_info {
    bool enabled;
    unsigned count;
    char name[EXIT_ENTRIES_MAX][EXIT_NAME_BYTES];
    u64 calls, rejected, failed; /* of the exit, since the member began */
    unsigned running;
};
void exits_info(const struct exits *x, enum exit_point point, struct exit_info *out);
/** It is enabled and has entry points. */
bool exits_active(const struct exits *x, enum exit_point point);

enum exit_verdict { EXIT_GO_ON, EXIT_REJECTED, EXIT_FAILED };
struct exit_result {
    enum exit_verdict verdict;
    char text[EXIT_TEXT_BYTES]; /* "NAME: why", printable ASCII; "" when it may go on */
};

/** Call the entry points one after the other, until one does not say "go on" (exit status 0).
 *  `facts` ("EXIT_USER=LINUX1") are their environment, beside the member's; copied. `done` is
 *  called once, on the loop, never from inside; not after exits_forget or exits_destroy. NULL: no
 *  memory, no thread. Loop thread, as all functions here. */
struct exit_run *exits_run(struct exits *x, enum exit_point point,
                           const char facts[][EXIT_FACT_BYTES], unsigned count,
                           void (*done)(void *arg, const struct exit_result *result),
                           void *arg);
/** Nobody wants to know any more: what runs is killed. */
void exits_forget(struct exit_run *run);

struct cp;
/** Those of a member; NULL: no memory. */
struct exits *cp_exits(struct cp *cp);

#endif
