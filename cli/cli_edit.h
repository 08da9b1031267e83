/* Line editing at the operator's console, by libedit where it was found at build time.
 * One line editor for the process: it owns the terminal. */
#ifndef ENDICOTT_CLI_CLI_EDIT_H
#define ENDICOTT_CLI_CLI_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#define EDIT_WORD_BYTES 32

/** Take the terminal; `line` gets each line (NULL: end of input). `guest`: lines are a guest's,
 *  CP's behind #CP alone. False: no editing here. */
bool edit_begin(bool guest, void (*line)(void *ctx, const char *text), void *ctx);
/** The n-th word, from 0, that what stands from `start` to the end of `line` may become. False:
 *  no more. */
bool edit_word(const char *line, size_t start, bool guest, unsigned n,
               char out[EDIT_WORD_BYTES]);
/** Standard input is readable. */
void edit_read(void);
/** Take the line being edited off the screen, and put it back, around output. */
void edit_hide(void);
void edit_show(void);
void edit_end(void);

#endif
