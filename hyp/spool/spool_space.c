/* Spool space (spool_space.h). */
#include "hyp/spool/spool_space.h"

#include "mem/base/log.h"

void spool_space_init(struct spool_space *s)
{
    *s = (struct spool_space){0};
    lock_init(&s->lock, LOCK_SPACE);
}

void spool_space_fini(struct spool_space *s)
{
    lock_fini(&s->lock);
}

static u32 room_of(const struct spool_volume *v)
{
    return v->drained || v->used >= v->pages ? 0 : v->pages - v->used;
}

static void sums_locked(const struct spool_space *s, u64 *total, u64 *used, u64 *room)
{
    *total = *used = *room = 0;
    for (unsigned i = 1; i <= SPOOL_SLOTS_MAX; i++) {
        *total += s->volume[i].pages;
        *used += s->volume[i].used;
        *room += room_of(&s->volume[i]);
    }
}

/** Add to the file's part on a volume. False: it is on too many. */
static bool part_add(struct spool_space *s, struct spool_pages *of, unsigned slot, u32 count)
{
    unsigned i = 0;
    while (i < of->parts && of->part[i].slot != slot)
        i++;
    if (i == SPOOL_PARTS_MAX)
        return false;
    if (i == of->parts) {
        of->parts++;
        of->part[i].slot = (u8)slot;
        of->part[i].pages = 0;
    }
    of->part[i].pages += count;
    s->volume[slot].used += count;
    return true;
}

/** The volume to take of: where the file is, if there is room, else the next in turn; 0: none. */
static unsigned slot_locked(const struct spool_space *s, const struct spool_pages *of)
{
    for (unsigned i = of->parts; i; i--)
        if (of->part[i - 1].slot && room_of(&s->volume[of->part[i - 1].slot]))
            return of->part[i - 1].slot;
    for (unsigned i = 1; i <= SPOOL_SLOTS_MAX && of->parts < SPOOL_PARTS_MAX; i++) {
        unsigned slot = (s->last + i - 1) % SPOOL_SLOTS_MAX + 1;
        if (room_of(&s->volume[slot]))
            return slot;
    }
    return 0;
}

/** How many could not be placed. */
static u32 place_locked(struct spool_space *s, struct spool_pages *of, u32 count)
{
    while (count) {
        unsigned slot = slot_locked(s, of);
        u32 room = slot ? room_of(&s->volume[slot]) : 0, n = count < room ? count : room;
        if (!slot || !part_add(s, of, slot, n))
            break;
        s->last = slot;
        count -= n;
    }
    return count;
}

static void back_locked(struct spool_space *s, struct spool_pages *to,
                        const struct spool_pages *was)
{
    for (unsigned i = 0; i < to->parts; i++)
        s->volume[to->part[i].slot].used -=
            to->part[i].pages - (i < was->parts ? was->part[i].pages : 0);
    *to = *was;
}

/** What the operator is to hear: 'E' full, 'I' nearly, 0 nothing new. */
static char news_locked(struct spool_space *s, bool refused)
{
    u64 total, used, room;
    sums_locked(s, &total, &used, &room);
    bool nearly = total && used * 100 >= total * SPOOL_NEARLY_FULL;
    char news = refused && !s->full_told ? 'E' : nearly && !s->nearly_told ? 'I' : 0;
    s->full_told = refused;
    s->nearly_told = nearly;
    return news;
}

static void tell(char news)
{
    if (news == 'E')
        log_operator('E', "Spool space is full");
    else if (news)
        log_operator('I', "Spool space is %u per cent full", SPOOL_NEARLY_FULL);
}

bool spool_space_take(struct spool_space *s, struct spool_pages *of, u32 count)
{
    u64 total, used, room;
    bool taken = true;
    lock_take(&s->lock);
    const struct spool_pages was = *of;
    sums_locked(s, &total, &used, &room);
    if (!total) {
        (void)part_add(s, of, 0, count);
    } else if (room < count || place_locked(s, of, count)) {
        back_locked(s, of, &was);
        taken = false;
    }
    char news = news_locked(s, !taken);
    lock_drop(&s->lock);
    tell(news);
    return taken;
}

void spool_space_have(struct spool_space *s, struct spool_pages *of, u32 count)
{
    lock_take(&s->lock);
    u32 rest = place_locked(s, of, count);
    if (rest)
        (void)part_add(s, of, 0, rest);
    lock_drop(&s->lock);
}

void spool_space_settle(struct spool_space *s, struct spool_pages *of)
{
    lock_take(&s->lock);
    for (unsigned i = 0; i < of->parts; i++)
        if (!of->part[i].slot) {
            u32 rest = place_locked(s, of, of->part[i].pages);
            s->volume[0].used -= of->part[i].pages - rest;
            of->part[i].pages = rest;
        }
    lock_drop(&s->lock);
}

void spool_space_give(struct spool_space *s, struct spool_pages *of)
{
    static const struct spool_pages none;
    lock_take(&s->lock);
    back_locked(s, of, &none);
    (void)news_locked(s, false);
    lock_drop(&s->lock);
}

void spool_space_set(struct spool_space *s, unsigned slot, u32 pages, bool drained)
{
    lock_take(&s->lock);
    s->volume[slot].pages = pages;
    s->volume[slot].drained = drained;
    lock_drop(&s->lock);
}

void spool_space_get(struct spool_space *s, unsigned slot, struct spool_volume *out)
{
    lock_take(&s->lock);
    *out = s->volume[slot];
    lock_drop(&s->lock);
}
