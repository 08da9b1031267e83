/* Unflushed writes (unflushed.h): pieces in buckets by place. A piece lies in one chunk of the
 * export; no two have a byte in common. */
#include "io/image/unflushed.h"

#include <stdlib.h>

#define CHUNK_BYTES 65536u
#define UNANSWERED UINT64_MAX

struct unflushed_piece {
    struct unflushed_piece *next;
    u64 at, number;
    u64 answer; /* the how manyth; UNANSWERED: none yet */
    u32 len;
    u8 bytes[];
};

static struct unflushed_piece **bucket(struct unflushed *u, u64 at)
{
    return &u->bucket[at / CHUNK_BYTES % UNFLUSHED_BUCKETS];
}

static struct unflushed_piece *make(u64 at, const u8 *buf, u32 len)
{
    struct unflushed_piece *p = malloc(sizeof *p + len);
    if (!p)
        return NULL;
    p->at = at;
    p->len = len;
    memcpy(p->bytes, buf, len);
    return p;
}

static void insert(struct unflushed *u, struct unflushed_piece *p)
{
    struct unflushed_piece **head = bucket(u, p->at);
    p->next = *head;
    *head = p;
    u->bytes += p->len;
}

static void take_out(struct unflushed *u, struct unflushed_piece **at)
{
    struct unflushed_piece *p = *at;
    *at = p->next;
    u->bytes -= p->len;
    free(p);
}

/** What there is of the bytes from `from` to `to`, of one chunk, is not the newest any more. False:
 *  no memory, and nothing has changed. */
static bool cut(struct unflushed *u, u64 from, u64 to)
{
    for (struct unflushed_piece **at = bucket(u, from), *p; (p = *at) != NULL;) {
        u64 end = p->at + p->len;
        if (p->at >= to || end <= from) {
            at = &p->next;
        } else if (p->at < from && end > to) { /* two are left; the only one in the way */
            struct unflushed_piece *tail = make(to, p->bytes + (to - p->at), (u32)(end - to));
            if (!tail)
                return false;
            tail->number = p->number;
            tail->answer = p->answer;
            u->bytes -= end - from;
            p->len = (u32)(from - p->at);
            insert(u, tail);
            return true;
        } else if (p->at < from) {
            u->bytes -= end - from;
            p->len = (u32)(from - p->at);
            at = &p->next;
        } else if (end > to) {
            u->bytes -= to - p->at;
            memmove(p->bytes, p->bytes + (to - p->at), end - to);
            p->len = (u32)(end - to);
            p->at = to;
            at = &p->next;
        } else {
            take_out(u, at);
        }
    }
    return true;
}

static bool put_piece(struct unflushed *u, u64 at, const u8 *buf, u32 len)
{
    struct unflushed_piece *p = make(at, buf, len);
    if (!p || !cut(u, at, at + len)) {
        free(p);
        return false;
    }
    p->number = u->writes;
    p->answer = UNANSWERED;
    insert(u, p);
    return true;
}

/** How many of the bytes from `at` on are in its chunk. */
static u32 in_chunk(u64 at, u32 len)
{
    u32 room = CHUNK_BYTES - (u32)(at % CHUNK_BYTES);
    return len < room ? len : room;
}

u64 unflushed_put(struct unflushed *u, u64 at, const u8 *buf, u32 len)
{
    u->writes++;
    for (u32 done = 0, n; done < len; done += n) {
        n = in_chunk(at + done, len - done);
        if (put_piece(u, at + done, buf + done, n))
            continue;
        unflushed_answered(u, at, done, u->writes, false);
        return 0;
    }
    return u->writes;
}

void unflushed_answered(struct unflushed *u, u64 at, u32 len, u64 number, bool good)
{
    u->answered += good;
    for (u32 done = 0; done < len; done += in_chunk(at + done, len - done))
        for (struct unflushed_piece **p = bucket(u, at + done); *p;) {
            if ((*p)->number == number && !good) {
                take_out(u, p);
                continue;
            }
            if ((*p)->number == number)
                (*p)->answer = u->answered;
            p = &(*p)->next;
        }
}

void unflushed_done(struct unflushed *u, u64 mark)
{
    for (u32 i = 0; i < UNFLUSHED_BUCKETS; i++)
        for (struct unflushed_piece **p = &u->bucket[i]; *p;)
            if ((*p)->answer <= mark)
                take_out(u, p);
            else
                p = &(*p)->next;
}

int unflushed_each(const struct unflushed *u,
                   int (*fn)(void *arg, u64 at, const u8 *buf, u32 len), void *arg)
{
    int rc = 0;
    for (u32 i = 0; i < UNFLUSHED_BUCKETS && rc == 0; i++)
        for (const struct unflushed_piece *p = u->bucket[i]; p && rc == 0; p = p->next)
            rc = fn(arg, p->at, p->bytes, p->len);
    return rc;
}

void unflushed_free(struct unflushed *u)
{
    for (u32 i = 0; i < UNFLUSHED_BUCKETS; i++)
        while (u->bucket[i])
            take_out(u, &u->bucket[i]);
}
