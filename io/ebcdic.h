/* EBCDIC code pages 037 (z/VM consoles) and 500 (SCLP line mode in an LPAR) <-> UTF-8.
 * Pure functions; any thread. */
#ifndef ENDICOTT_IO_EBCDIC_H
#define ENDICOTT_IO_EBCDIC_H

#include "mem/base/bytes.h"

enum ebcdic_page { EBCDIC_037, EBCDIC_500 };

/** `len` EBCDIC bytes to UTF-8; `out` has room for 2 * len. Returns the bytes written. */
size_t ebcdic_to_utf8(enum ebcdic_page page, const u8 *in, size_t len, char *out);
/** UTF-8 to EBCDIC, at most `room` characters; what the page lacks becomes SUB (X'3F'). */
size_t ebcdic_from_utf8(enum ebcdic_page page, const char *in, size_t len, u8 *out,
                        size_t room);
/** A NUL-terminated ASCII name into a blank-padded field of `width` bytes, code page 037. */
size_t ebcdic_pad(const char *in, size_t width, u8 *out);

/** Characters of UTF-8 text. */
size_t ebcdic_count_utf8(const char *utf8, size_t len);
/** Is all of it UTF-8 (and so no EBCDIC, whose letters and digits one after another are none)? */
bool ebcdic_is_utf8(const char *text, size_t len);

#endif
