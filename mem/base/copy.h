/* Long moves of bytes inside host storage. */
#ifndef ENDICOTT_MEM_BASE_COPY_H
#define ENDICOTT_MEM_BASE_COPY_H

#include <stddef.h>

#include "mem/base/bytes.h"

/** What memmove does, at one speed whatever the operands' distance is: the C library's `rep movsb`
 *  is thirteen times slower on Zen 4 when the destination is a few bytes behind the source modulo
 *  4096, which a guest's copies are as often as any. Intel's processors have no such distance, and
 *  nothing faster. Any thread. */
void copy_bytes(u8 *dst, const u8 *src, size_t len);
/** The same by vectors, which only hosts that have them can (copy_has_vectors), or without. */
void copy_bytes_by(bool vectors, u8 *dst, const u8 *src, size_t len);
bool copy_has_vectors(void);

#endif
