/* Line editing at the operator's console, by libedit where it was found at build time.
 * One line editor for the process: it owns the terminal. */
#ifndef ENDICOTT_CLI_CLI_EDIT_H
#define ENDICOTT_CLI_CLI_EDIT_H

#include <stdbool.h>

/** Take the terminal; `line` gets each line (NULL: end of input). False: no editing here. */
bool edit_begin(void (*line)(void *ctx, const char *text), void *ctx);
/** Standard input is readable. */
void edit_read(void);
/** Take the line being edited off the screen, and put it back, around output. */
void edit_hide(void);
void edit_show(void);
void edit_end(void);

#endif
