/* XOR runs: the words of a frame that have changed. A run: skip(2) words that are the same,
 * count(2) words that are not, then these XORed with what was there. */
#include "lgr/lgr_encode.h"

#define WORDS (FRAME_BYTES / 8)
#define RUN_HEAD 4u

static inline u64 word(const u8 *p, unsigned i)
{
    u64 v;
    memcpy(&v, p + 8 * (size_t)i, sizeof v);
    return v;
}

/* The first word from i on that differs; four at a time. */
static unsigned next_changed(const u8 *a, const u8 *b, unsigned i)
{
    for (; i % 4 && i < WORDS; i++)
        if (word(a, i) != word(b, i))
            return i;
    for (; i < WORDS; i += 4)
        if ((word(a, i) ^ word(b, i)) | (word(a, i + 1) ^ word(b, i + 1)) |
            (word(a, i + 2) ^ word(b, i + 2)) | (word(a, i + 3) ^ word(b, i + 3)))
            break;
    while (i < WORDS && word(a, i) == word(b, i))
        i++;
    return i;
}

/* The first word from i on that is the same. */
static unsigned run_end(const u8 *a, const u8 *b, unsigned i)
{
    while (i < WORDS && word(a, i) != word(b, i))
        i++;
    return i;
}

size_t lgr_delta_encode(const u8 *now, const u8 *base, u8 *out, size_t room)
{
    size_t len = 0;
    unsigned at = 0;
    for (unsigned i = next_changed(now, base, 0); i < WORDS;) {
        unsigned end = run_end(now, base, i), count = end - i;
        if (len + RUN_HEAD + 8 * (size_t)count > room)
            return 0;
        be16_store(out + len, (u16)(i - at));
        be16_store(out + len + 2, (u16)count);
        len += RUN_HEAD;
        for (; i < end; i++, len += 8) {
            u64 x = word(now, i) ^ word(base, i);
            memcpy(out + len, &x, sizeof x);
        }
        at = end;
        i = next_changed(now, base, end);
    }
    return len;
}

bool lgr_delta_apply(u8 *frame, const u8 *p, size_t len)
{
    unsigned at = 0;
    if (!len)
        return false;
    while (len) {
        if (len < RUN_HEAD)
            return false;
        unsigned skip = be16_load(p), count = be16_load(p + 2);
        p += RUN_HEAD;
        len -= RUN_HEAD;
        if (!count || count > WORDS || skip > WORDS - count || at > WORDS - count - skip ||
            len < 8 * (size_t)count)
            return false;
        at += skip;
        for (; count; count--, at++, p += 8, len -= 8) {
            u64 x = word(frame, at) ^ word(p, 0);
            memcpy(frame + 8 * (size_t)at, &x, sizeof x);
        }
    }
    return true;
}
