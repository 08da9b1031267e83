/* Bytes as a guest's DIAGNOSE X'08': registers, lengths, command text, and what CP answers. */
#ifndef ENDICOTT_TESTS_LIB_DIAG8_EXEC_H
#define ENDICOTT_TESTS_LIB_DIAG8_EXEC_H

#include "mem/base/bytes.h"

/** flags(1), registers(1), length(3), room(2), lines of an answer(1), their length(1), command.
 *  Aborts when the CPU does not go on, or something is stored outside the response buffer. */
void diag8_exec_run(const u8 *data, size_t size);

#endif
