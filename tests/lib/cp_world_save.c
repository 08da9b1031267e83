/* Dumps and segments of the fake machines: they are under way until the test ends them, or done at
 * once. */
#include "tests/lib/cp_world_save.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/cp_world.h"

struct cp_world_dump last_dump;

int fake_dump(struct vm *vm, const struct vm_dump *what, vm_done *done, void *ctx,
              struct cause *cause)
{
    (void)vm;
    if (last_dump.done)
        return cause_set(cause, ST_BUSY, "a dump of it is being made");
    last_dump.what = *what;
    snprintf(last_dump.path, sizeof last_dump.path, "%s", what->path);
    snprintf(last_dump.text, sizeof last_dump.text, "%s", what->text);
    last_dump.done = done;
    last_dump.ctx = ctx;
    return ST_OK;
}

void cp_world_dumped(int status)
{
    struct cause cause = {0};
    vm_done *done = last_dump.done;
    last_dump.done = NULL;
    if (done)
        done(last_dump.ctx, status,
             (cause_set(&cause, status, status ? "it was ended" : ""), &cause));
}

void fake_still_stop(struct vm *vm)
{
    (void)vm;
    cp_world_dumped(ST_REFUSED);
    cp_world_saved(ST_REFUSED);
}

/* Segments: what is defined and saved, without pages. */
static struct vm_segment segments[8];

static struct vm_segment *segment_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(segments); i++)
        if (!strcmp(segments[i].name, name))
            return &segments[i];
    return NULL;
}

int fake_segment_define(void *host, const struct vm_segment *what, struct cause *cause)
{
    struct vm_segment *seg = segment_of(what->name);
    (void)host;
    if (!what->ranges)
        return cause_set(cause, ST_INVAL, "no page ranges");
    *(seg ? seg : segment_of("")) = *what;
    return ST_OK;
}

struct cp_world_save last_save;

int fake_segment_save(struct vm *vm, const char *name, bool system, vm_done *done, void *ctx,
                      struct cause *cause)
{
    struct vm_segment *seg = segment_of(name);
    (void)vm;
    if (!seg || seg->system != system)
        return cause_set(cause, ST_NOENT, "%s is not defined", name);
    if (last_save.done)
        return cause_set(cause, ST_BUSY, "a segment is being saved out of it");
    last_save.done = done;
    last_save.ctx = ctx;
    last_save.seg = seg;
    if (!last_save.later)
        cp_world_saved(ST_OK);
    return ST_OK;
}

void cp_world_saved(int status)
{
    struct cause cause = {0};
    vm_done *done = last_save.done;
    last_save.done = NULL;
    if (!done)
        return;
    last_save.seg->saved |= status == ST_OK;
    cause_set(&cause, status, status ? "it was ended" : "");
    done(last_save.ctx, status, &cause);
}

bool fake_segment_find(void *host, const char *name, struct vm_segment *out)
{
    const struct vm_segment *seg = segment_of(name);
    (void)host;
    if (seg)
        *out = *seg;
    return seg;
}

bool fake_segment_defined(void *host, const char *name, struct vm_segment *out)
{
    return fake_segment_find(host, name, out) && !out->saved;
}

bool fake_segment_forget(void *host, const char *name)
{
    struct vm_segment *seg = segment_of(name);
    (void)host;
    if (seg)
        *seg = (struct vm_segment){0};
    return seg;
}

bool fake_segment_row(void *host, unsigned i, struct vm_segment *out, unsigned *users)
{
    (void)host;
    *users = 0;
    for (size_t k = 0; k < ARRAY_LEN(segments); k++)
        if (*segments[k].name && i-- == 0) {
            *out = segments[k];
            return true;
        }
    return false;
}

void fake_saves_forget(void)
{
    memset(segments, 0, sizeof segments);
    memset(&last_dump, 0, sizeof last_dump);
    memset(&last_save, 0, sizeof last_save);
}
