/* Long moves of bytes inside host storage. The C library moves them by REP MOVSB. That is the
 * fastest way on Intel's processors, and a slow one on AMD's when the destination is a few bytes
 * behind the source modulo 4096: vectors there. */
#include "mem/base/copy.h"

#define VECTORS_MIN 1024u      /* shorter ones the C library moves by vectors itself */
#define VECTORS_MAX (1u << 20) /* longer ones may better pass by the host's caches */

#if defined(__x86_64__)

typedef u8 vec __attribute__((vector_size(32), aligned(1), may_alias));

/* From left to right, four vectors loaded before they are stored, the last one before all: right
 * unless the destination begins inside the source, behind its first byte. */
__attribute__((target("avx2"))) static void move_vectors(u8 *dst, const u8 *src, size_t len)
{
    size_t at = 0, end = len - sizeof(vec);
    vec last = *(const vec *)(src + end);
    for (; at + 4 * sizeof(vec) <= end; at += 4 * sizeof(vec)) {
        const vec *s = (const vec *)(src + at);
        vec *d = (vec *)(dst + at), a = s[0], b = s[1], c = s[2], e = s[3];
        d[0] = a;
        d[1] = b;
        d[2] = c;
        d[3] = e;
    }
    for (; at < end; at += sizeof(vec))
        *(vec *)(dst + at) = *(const vec *)(src + at);
    *(vec *)(dst + end) = last;
}

bool copy_has_vectors(void)
{
    return __builtin_cpu_supports("avx2");
}

static bool vectors_pay(void)
{
    return copy_has_vectors() && !__builtin_cpu_is("intel");
}

#else

bool copy_has_vectors(void)
{
    return false;
}

static bool vectors_pay(void)
{
    return false;
}

static void move_vectors(u8 *dst, const u8 *src, size_t len)
{
    memmove(dst, src, len);
}

#endif

void copy_bytes_by(bool vectors, u8 *dst, const u8 *src, size_t len)
{
    bool behind = (uintptr_t)dst - (uintptr_t)src < len;
    if (len < VECTORS_MIN || len > VECTORS_MAX || behind || !vectors)
        memmove(dst, src, len);
    else
        move_vectors(dst, src, len);
}

void copy_bytes(u8 *dst, const u8 *src, size_t len)
{
    copy_bytes_by(vectors_pay(), dst, src, len);
}
