/* Reader spool files: a list in order of arrival, descriptions for QUERY RDR.
 * Bytes stay here only while nobody is logged on to read them. */
#include "hyp/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SPOOL_ID_MAX 9999
#define SPOOL_FILES_PER_USER_MAX 9900

struct spool_item {
    struct spool_item *next;
    char userid[VM_NAME_BYTES];
    struct vm_spool_file desc;
    u8 *bytes; /* NULL: in the virtual reader */
    size_t len;
};

struct spool {
    struct spool_item *first, **last;
    u16 next_id;
};

struct spool *spool_create(void)
{
    struct spool *spool = calloc(1, sizeof *spool);
    if (spool)
        spool->last = &spool->first;
    return spool;
}

static void item_free(struct spool_item *item)
{
    free(item->bytes);
    free(item);
}

static void item_unlink(struct spool *spool, struct spool_item **at)
{
    struct spool_item *item = *at;
    *at = item->next;
    if (!*at)
        spool->last = at;
    item_free(item);
}

void spool_destroy(struct spool *spool)
{
    if (!spool)
        return;
    while (spool->first)
        item_unlink(spool, &spool->first);
    free(spool);
}

static u64 wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (u64)t.tv_sec * 1000000000ull + (u64)t.tv_nsec;
}

static struct spool_item *item_new(struct spool *spool, const char *userid, const char *origin,
                                   const char *name, const char *type, size_t len)
{
    struct spool_item *item = calloc(1, sizeof *item);
    if (!item)
        return NULL;
    spool->next_id = (u16)(spool->next_id % SPOOL_ID_MAX + 1);
    snprintf(item->userid, sizeof item->userid, "%s", userid);
    item->desc = (struct vm_spool_file){.id = spool->next_id,
                                        .class_ = 'A',
                                        .device = "PUN",
                                        .records = (len + 79) / 80,
                                        .copies = 1,
                                        .created_ns = wall_ns()};
    snprintf(item->desc.origin, sizeof item->desc.origin, "%s", origin);
    snprintf(item->desc.name, sizeof item->desc.name, "%s", name);
    snprintf(item->desc.type, sizeof item->desc.type, "%s", type);
    snprintf(item->desc.dist, sizeof item->desc.dist, "%s", userid);
    item->len = len;
    return item;
}

int spool_add(struct spool *spool, const char *userid, struct vm *vm, const char *origin,
              const char *name, const char *type, const void *bytes, size_t len, u16 *id,
              struct cause *cause)
{
    if (spool_count(spool, userid) >= SPOOL_FILES_PER_USER_MAX)
        return cause_set(cause, ST_LIMIT, "%s has %d spool files", userid,
                         SPOOL_FILES_PER_USER_MAX);
    struct spool_item *item = item_new(spool, userid, origin, name, type, len);
    int rc = item ? ST_OK : ST_NOMEM;
    if (item && vm) {
        rc = vm_reader_add(vm, name, type, bytes, len, NULL, cause);
    } else if (item) {
        item->bytes = malloc(len ? len : 1);
        if (item->bytes)
            memcpy(item->bytes, bytes, len);
        else
            rc = ST_NOMEM;
    }
    if (rc) {
        if (item)
            item_free(item);
        return rc == ST_NOMEM ? cause_set(cause, rc, "no memory for a spool file") : rc;
    }
    *spool->last = item;
    spool->last = &item->next;
    if (id)
        *id = item->desc.id;
    return ST_OK;
}

int spool_deliver(struct spool *spool, const char *userid, struct vm *vm, struct cause *cause)
{
    for (struct spool_item *i = spool->first; i; i = i->next) {
        if (!i->bytes || strcmp(i->userid, userid) != 0)
            continue;
        int rc = vm_reader_add(vm, i->desc.name, i->desc.type, i->bytes, i->len, NULL, cause);
        if (rc)
            return rc;
        free(i->bytes);
        i->bytes = NULL;
    }
    return ST_OK;
}

void spool_sync(struct spool *spool, const char *userid, unsigned files_left)
{
    unsigned have = 0;
    for (struct spool_item *i = spool->first; i; i = i->next)
        have += !i->bytes && strcmp(i->userid, userid) == 0;
    for (struct spool_item **at = &spool->first; *at && have > files_left;) {
        if (!(*at)->bytes && strcmp((*at)->userid, userid) == 0) {
            item_unlink(spool, at);
            have--;
        } else {
            at = &(*at)->next;
        }
    }
}

unsigned spool_count(struct spool *spool, const char *userid)
{
    unsigned n = 0;
    for (struct spool_item *i = spool->first; i; i = i->next)
        n += strcmp(i->userid, userid) == 0;
    return n;
}

bool spool_file(struct spool *spool, const char *userid, unsigned k, struct vm_spool_file *out)
{
    for (struct spool_item *i = spool->first; i; i = i->next)
        if (strcmp(i->userid, userid) == 0 && k-- == 0) {
            *out = i->desc;
            return true;
        }
    return false;
}

int spool_purge(struct spool *spool, const char *userid, u16 id, struct vm *vm)
{
    int n = 0;
    for (struct spool_item **at = &spool->first; *at;) {
        bool mine = strcmp((*at)->userid, userid) == 0 && (!id || (*at)->desc.id == id);
        if (mine && ((*at)->bytes || !id)) {
            item_unlink(spool, at);
            n++;
        } else {
            at = &(*at)->next;
        }
    }
    if (vm && !id)
        vm_reader_purge(vm);
    return n;
}
