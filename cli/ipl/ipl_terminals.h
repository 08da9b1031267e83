/* The 3270 displays of `endicott ipl`: --console tn3270:[ADDRESS:]PORT, --display DEVNO[=LU],... */
#ifndef ENDICOTT_CLI_IPL_TERMINALS_H
#define ENDICOTT_CLI_IPL_TERMINALS_H

#include <stdatomic.h>

#include "cli/post_uv.h"
#include "cli/tn3270/tn3270.h"
#include "hyp/vm.h"

#define IPL_DISPLAY_DEVNO 0x0009

struct ipl_terminals {
    const char *address, *pem;
    struct tn3270_display displays[VM_DISPLAYS_MAX];
    unsigned count; /* 0: no terminals */
    struct tn3270 *server;
    struct post_uv *post;
    atomic_bool news; /* a note is posted and not delivered */
};

/** Does --console ask for terminals, with an address to listen on? */
bool ipl_terminals_wanted(const char *console);
/** Displays as text; `t` may be NULL (check only). */
bool ipl_terminals_parse(const char *text, struct ipl_terminals *t);
/** From checked options; the machine to be made gets its displays. */
void ipl_terminals_init(struct ipl_terminals *t, const char *console, const char *displays,
                        const char *pem, struct vm_config *vc);
int ipl_terminals_open(struct ipl_terminals *t, uv_loop_t *loop, struct post_uv *post,
                       struct vm **vm, struct cause *cause);
/** A guest wrote to a display. Any thread. */
void ipl_terminals_news(struct ipl_terminals *t);
void ipl_terminals_close(struct ipl_terminals *t);

#endif
