/* Snapshot files of any contents under checksums that are right, for the fuzzer and for unit tests:
 * what a reader does with a file that damage has not made. */
#ifndef ENDICOTT_TESTS_LIB_SNAPSHOT_EXEC_H
#define ENDICOTT_TESTS_LIB_SNAPSHOT_EXEC_H

#include "mem/base/bytes.h"

/** A file of these rows and of the bytes of chunks, with all checksums right. Freed by the
 *  caller. */
u8 *snapshot_sealed(const u8 *head, size_t head_len, const u8 *data, size_t data_len,
                    size_t *len);
/** Length of the head (2), the head, data: is read and restored, or refused with a message that
 *  names the file. Returns whether it was taken. */
bool snapshot_exec(const u8 *input, size_t size, const char *path);

#endif
