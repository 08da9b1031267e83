/* Digests of what a directory says, entry by entry: members compare them when one joins, without
 * telling what is in them. Comments, empty lines and the blanks in front of statements do not
 * count, nor where a statement is continued; the order of statements does. FNV-1a: it is to find
 * mistakes, not to keep secrets. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/directory_internal.h"

#define FNV_BASIS 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

static u64 mix(u64 h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (u8)*text) * FNV_PRIME;
    return (h ^ 0xff) * FNV_PRIME;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct dir_digest *)a)->name, ((const struct dir_digest *)b)->name);
}

static struct dir_digest *begin(struct directory *dir, const struct scan *s)
{
    if ((dir->digest_count & (dir->digest_count + 1)) == 0 || !dir->digests) {
        size_t room = 2 * (size_t)dir->digest_count + 2; /* grow at 0, 1, 3, 7 ... */
        struct dir_digest *more = realloc(dir->digests, room * sizeof *more);
        if (!more)
            return NULL;
        dir->digests = more;
    }
    struct dir_digest *d = &dir->digests[dir->digest_count++];
    *d = (struct dir_digest){.digest = FNV_BASIS};
    snprintf(d->name, sizeof d->name, "%s%.8s",
             scan_abbrev(scan_word(s, 0), "PROFile") ? "PROFILE " : "", scan_word(s, 1));
    return d;
}

int dir_digest(struct directory *dir, struct scan *s, struct cause *cause)
{
    struct dir_digest *d = NULL;
    int status;
    while ((status = scan_next(s, cause)) > 0) {
        if (dir_begins_block(scan_word(s, 0)) && !(d = begin(dir, s)))
            return cause_set(cause, ST_NOMEM, "%s: out of memory", s->name);
        if (d)
            d->digest = mix(d->digest, s->raw);
    }
    if (dir->digest_count)
        qsort(dir->digests, dir->digest_count, sizeof dir->digests[0], by_name);
    return status;
}

const struct dir_digest *directory_digest_at(const struct directory *dir, unsigned i)
{
    return i < dir->digest_count ? &dir->digests[i] : NULL;
}
