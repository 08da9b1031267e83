/* Spans of a file in a sorted array; searched by halving, taken by best fit. */
#include "io/image/spans.h"

#include <stdlib.h>

#define ROOM_FIRST 64u

void spans_fini(struct spans *s)
{
    free(s->span);
    *s = (struct spans){0};
}

/** Index of the first span behind `at`. */
static u32 behind(const struct spans *s, u64 at)
{
    u32 low = 0, high = s->count;
    while (low < high) {
        u32 mid = (low + high) / 2;
        if (s->span[mid].at > at)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static void drop(struct spans *s, u32 i)
{
    s->count--;
    memmove(&s->span[i], &s->span[i + 1], (s->count - i) * sizeof s->span[0]);
}

static bool insert(struct spans *s, u32 i, u64 at, u64 len)
{
    if (s->count == s->room) {
        u32 room = s->room ? s->room * 2 : ROOM_FIRST;
        struct span *more = realloc(s->span, room * sizeof *more);
        if (!more)
            return false;
        s->span = more;
        s->room = room;
    }
    memmove(&s->span[i + 1], &s->span[i], (s->count - i) * sizeof s->span[0]);
    s->span[i] = (struct span){at, len};
    s->count++;
    return true;
}

bool spans_add(struct spans *s, u64 at, u64 len)
{
    u32 i = behind(s, at);
    struct span *before = i ? &s->span[i - 1] : NULL;
    struct span *after = i < s->count ? &s->span[i] : NULL;
    if (!len)
        return true;
    if ((before && before->at + before->len > at) || (after && at + len > after->at))
        return false;
    bool joins_after = after && at + len == after->at;
    if (before && before->at + before->len == at) {
        before->len += len;
        if (joins_after) {
            before->len += after->len;
            drop(s, i);
        }
    } else if (joins_after) {
        after->at = at;
        after->len += len;
    } else if (!insert(s, i, at, len)) {
        return false;
    }
    s->total += len;
    return true;
}

/** The smallest span with `len` bytes, or these and at least `rest_min` more; s->count: none. */
static u32 best_fit(const struct spans *s, u64 len, u64 rest_min)
{
    u32 best = s->count;
    for (u32 i = 0; i < s->count; i++) {
        u64 has = s->span[i].len;
        if ((has == len || has >= len + rest_min) &&
            (best == s->count || has < s->span[best].len))
            best = i;
    }
    return best;
}

static u64 take_from(struct spans *s, u32 i, u64 len)
{
    struct span *b = &s->span[i];
    u64 at = b->at;
    b->at += len;
    b->len -= len;
    s->total -= len;
    if (!b->len)
        drop(s, i);
    return at;
}

bool spans_take(struct spans *s, u64 *len, u64 rest_min, u64 *at)
{
    u32 best = best_fit(s, *len, 0);
    if (best == s->count)
        return false;
    if (s->span[best].len - *len < rest_min)
        *len = s->span[best].len;
    *at = take_from(s, best, *len);
    return true;
}

bool spans_take_exactly(struct spans *s, u64 len, u64 rest_min, u64 *at)
{
    u32 best = best_fit(s, len, rest_min);
    if (best == s->count)
        return false;
    *at = take_from(s, best, len);
    return true;
}

void spans_drop_short(struct spans *s, u64 min)
{
    for (u32 i = s->count; i-- > 0;) {
        if (s->span[i].len >= min)
            continue;
        s->total -= s->span[i].len;
        drop(s, i);
    }
}

u64 spans_cut(struct spans *s, u64 end)
{
    if (!s->count)
        return end;
    struct span last = s->span[s->count - 1];
    if (last.at + last.len != end)
        return end;
    s->count--;
    s->total -= last.len;
    return last.at;
}

u64 spans_largest(const struct spans *s)
{
    u64 largest = 0;
    for (u32 i = 0; i < s->count; i++)
        if (s->span[i].len > largest)
            largest = s->span[i].len;
    return largest;
}
