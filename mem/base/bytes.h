/* Bytes and bits: big-endian accessors for guest and wire layouts, and integer shorthands.
 * Guest layouts are byte arrays; nothing here assumes alignment or host byte order. */
#ifndef ENDICOTT_MEM_BASE_BYTES_H
#define ENDICOTT_MEM_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned __int128 u128;
typedef __int128 s128;

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BE16(v) __builtin_bswap16(v)
#define BE32(v) __builtin_bswap32(v)
#define BE64(v) __builtin_bswap64(v)
#else
#define BE16(v) (v)
#define BE32(v) (v)
#define BE64(v) (v)
#endif

/** Load a big-endian integer from unaligned bytes. */
static inline u16 be16_load(const void *p)
{
    u16 v;
    memcpy(&v, p, sizeof v);
    return BE16(v);
}

static inline u32 be32_load(const void *p)
{
    u32 v;
    memcpy(&v, p, sizeof v);
    return BE32(v);
}

static inline u64 be64_load(const void *p)
{
    u64 v;
    memcpy(&v, p, sizeof v);
    return BE64(v);
}

/** Store an integer as big-endian, unaligned bytes. */
static inline void be16_store(void *p, u16 v)
{
    v = BE16(v);
    memcpy(p, &v, sizeof v);
}

static inline void be32_store(void *p, u32 v)
{
    v = BE32(v);
    memcpy(p, &v, sizeof v);
}

static inline void be64_store(void *p, u64 v)
{
    v = BE64(v);
    memcpy(p, &v, sizeof v);
}

#endif
