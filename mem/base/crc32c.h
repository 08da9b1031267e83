/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): finds every error of up to 32 bits in a row. */
#ifndef ENDICOTT_MEM_BASE_CRC32C_H
#define ENDICOTT_MEM_BASE_CRC32C_H

#include <stddef.h>

#include "mem/base/bytes.h"

/** Of `len` bytes behind those whose sum is `crc`, 0 before the first. Any thread. */
u32 crc32c(u32 crc, const void *p, size_t len);
/** The same without the host's instruction for it. */
u32 crc32c_plain(u32 crc, const void *p, size_t len);

#endif
