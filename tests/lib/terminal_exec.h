/* Arbitrary bytes as a terminal and a guest: a telnet connection to a 3270 display. What
 * tests/fuzz/terminal_exec does with one input, and unit/cli_fuzz with noise. Deterministic. */
#ifndef ENDICOTT_TESTS_LIB_TERMINAL_EXEC_H
#define ENDICOTT_TESTS_LIB_TERMINAL_EXEC_H

#include "mem/base/bytes.h"

/** `data` is read as pieces, each behind a byte that says what it is and how long: bytes from the
 *  terminal, a command or structured fields of the guest, a read, a redraw. Aborts on a screen
 *  that is none any more; sanitizers see to the rest. */
void terminal_exec_run(const u8 *data, size_t size);

#endif
