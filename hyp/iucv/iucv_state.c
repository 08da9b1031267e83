/* State of IUCV for relocation and snapshots, by iucv_state.def. Paths to *MSG move with all that
 * waits on them. Paths to other machines do not: eligibility says so; in a snapshot they are paths
 * that the other end has severed, which their program is told. */
#include "hyp/iucv/iucv_internal.h"

#include <stdlib.h>

#include "hyp/iucv/iucv_service.h"

#define STATE_VERSION 1
#define WORD_BYTES 8

enum row {
#define R(row, tag, what) ROW_##row,
#define W(row, word, largest)
#include "hyp/iucv/iucv_state.def"
#undef R
#undef W
    ROWS
};

/* Words of a row by name: CPU_addr. */
#define R(row, tag, what) row##_WORDS_END, row##_BASE = row##_WORDS_END,
#define W(row, word, largest) row##_##word,
enum word {
#include "hyp/iucv/iucv_state.def"
    WORDS
};
#undef R
#undef W

#define R(row, tag, what) 0,
#define W(row, word, largest) largest,
static const u64 largest_of[WORDS] = {
#include "hyp/iucv/iucv_state.def"
};
#undef R
#undef W

static const struct {
    u16 tag;
    unsigned base;
} rows[ROWS] = {
#define R(row, tag, what) [ROW_##row] = {tag, row##_BASE},
#define W(row, word, largest)
#include "hyp/iucv/iucv_state.def"
#undef R
#undef W
};

#define WORDS_MAX 8
/** A row: words by enum word, less its base and one. */
struct words {
    enum row row;
    u64 v[WORDS_MAX];
    const u8 *rest;
    size_t rest_len;
};
#define AT(w, name) ((w)->v[(name)-rows[(w)->row].base - 1])

static unsigned count_of(enum row row)
{
    return (row + 1 < ROWS ? rows[row + 1].base : WORDS) - rows[row].base - 1;
}

static void put(struct codec_out *out, const struct words *w)
{
    u8 row[WORDS_MAX * WORD_BYTES + IUCV_SERVICE_BYTES_MAX];
    unsigned n = count_of(w->row);
    for (unsigned i = 0; i < n; i++)
        be64_store(row + (size_t)i * WORD_BYTES, w->v[i]);
    if (w->rest_len)
        memcpy(row + (size_t)n * WORD_BYTES, w->rest, w->rest_len);
    codec_put_bytes(out, rows[w->row].tag, row, (size_t)n * WORD_BYTES + w->rest_len);
}

static bool get(const struct codec_row *row, struct words *w)
{
    unsigned i = 0;
    while (i < ROWS && rows[i].tag != row->tag)
        i++;
    if (i == ROWS)
        return false;
    *w = (struct words){.row = (enum row)i};
    unsigned n = count_of(w->row);
    if (row->len < (size_t)n * WORD_BYTES)
        return false;
    for (unsigned k = 0; k < n; k++) {
        w->v[k] = be64_load(row->p + (size_t)k * WORD_BYTES);
        if (w->v[k] > largest_of[rows[i].base + 1 + k])
            return false;
    }
    w->rest = row->p + (size_t)n * WORD_BYTES;
    w->rest_len = row->len - (size_t)n * WORD_BYTES;
    return true;
}

/* --- saving ----------------------------------------------------------------------------------- */

static void put_item(struct codec_out *out, u16 path, const u8 data[IUCV_BYTES])
{
    struct words w = {.row = ROW_ITEM, .rest = data, .rest_len = IUCV_BYTES};
    AT(&w, ITEM_path) = path;
    put(out, &w);
}

static bool moves(const struct iucv_path *path)
{
    return path->kind == IUCV_TO_MESSAGES;
}

/* Its program has not been told of it yet: the number is not taken. */
static bool unknown(const struct iucv *u, const struct iucv_path *path)
{
    const struct iucv_item *item = u->first;
    while (item && (item->path != path || item->data[AT_TYPE] != IUCV_CONNECT_PENDING))
        item = item->next;
    return item;
}

static void put_path(struct codec_out *out, const struct iucv *u, const struct iucv_path *path)
{
    struct words w = {.row = ROW_PATH};
    if (unknown(u, path))
        return;
    AT(&w, PATH_id) = path->id;
    AT(&w, PATH_state) = moves(path) ? path->state : IUCV_CUT;
    AT(&w, PATH_kind) = moves(path) ? path->kind : IUCV_TO_GUEST;
    AT(&w, PATH_limit) = path->limit;
    AT(&w, PATH_takes) = path->takes_data;
    AT(&w, PATH_quiesced) = path->quiesced;
    AT(&w, PATH_priority) = path->priority;
    put(out, &w);
}

static void put_messages(struct codec_out *out, const struct iucv_path *path)
{
    for (const struct iucv_message *m = path->in; moves(path) && m; m = m->in_next) {
        struct words w = {.row = ROW_MESSAGE, .rest = m->bytes, .rest_len = m->length};
        AT(&w, MESSAGE_path) = path->id;
        AT(&w, MESSAGE_id) = m->id;
        AT(&w, MESSAGE_cls) = m->target_class;
        AT(&w, MESSAGE_got) = m->got;
        put(out, &w);
    }
}

static void put_items(struct codec_out *out, const struct iucv *u)
{
    u8 cut[IUCV_BYTES] = {[AT_TYPE] = IUCV_SEVERED};
    for (const struct iucv_item *item = u->first; item; item = item->next)
        if (moves(item->path) || item->data[AT_TYPE] == IUCV_SEVERED)
            if (!unknown(u, item->path))
                put_item(out, item->path->id, item->data);
    for (unsigned i = 0; i < u->path_max; i++) {
        const struct iucv_path *path = u->path[i];
        if (!path || moves(path) || path->state == IUCV_CUT || unknown(u, path))
            continue;
        be16_store(cut + AT_PATH, path->id);
        put_item(out, path->id, cut);
    }
}

void iucv_save(struct vm *vm, u16 tag, struct codec_out *out)
{
    const struct iucv *u = vm->iucv;
    struct words last = {.row = ROW_LAST};
    if (!u)
        return;
    codec_begin(out, tag, STATE_VERSION);
    lock_take(&vm->host->lock);
    for (unsigned i = 0; i < VM_CPUS_MAX; i++) {
        struct words w = {.row = ROW_CPU};
        AT(&w, CPU_addr) = i;
        AT(&w, CPU_mask) = u->cpu[i].mask;
        AT(&w, CPU_control) = u->cpu[i].control;
        AT(&w, CPU_at) = u->cpu[i].at;
        if (u->cpu[i].declared)
            put(out, &w);
    }
    for (unsigned i = 0; i < u->path_max; i++)
        if (u->path[i])
            put_path(out, u, u->path[i]);
    for (unsigned i = 0; i < u->path_max; i++)
        if (u->path[i])
            put_messages(out, u->path[i]);
    put_items(out, u);
    lock_drop(&vm->host->lock);
    AT(&last, LAST_id) = u->last_message;
    put(out, &last);
    codec_end(out);
}

bool iucv_stays(const struct vm *vm, unsigned i, const char **other)
{
    const struct iucv *u = vm->iucv;
    for (unsigned n = 0; u && n < u->path_max; n++)
        if (u->path[n] && !moves(u->path[n]) && u->path[n]->state != IUCV_CUT && !i--) {
            *other = u->path[n]->other;
            return true;
        }
    return false;
}

/* --- restoring -------------------------------------------------------------------------------- */

static bool take_cpu(struct iucv *u, const struct words *w)
{
    u64 addr = AT(w, CPU_addr);
    if (w->rest_len || addr >= cpu_set_count(u->vm->cpus) || u->cpu[addr].declared)
        return false;
    lock_take(&u->vm->host->lock);
    u->cpu[addr] = (struct iucv_cpu){true, (u8)AT(w, CPU_mask), (u8)AT(w, CPU_control),
                                     (u32)AT(w, CPU_at)};
    lock_drop(&u->vm->host->lock);
    u->declared++;
    return true;
}

static bool take_path(struct iucv *u, const struct words *w)
{
    u16 id = (u16)AT(w, PATH_id);
    enum iucv_kind kind = (enum iucv_kind)AT(w, PATH_kind);
    enum iucv_state state = (enum iucv_state)AT(w, PATH_state);
    if (w->rest_len || id >= u->path_max || u->path[id] ||
        state != (kind == IUCV_TO_MESSAGES ? IUCV_OPEN : IUCV_CUT))
        return false;
    struct iucv_path *path =
        iucv_path_create_at(u, id, kind == IUCV_TO_MESSAGES ? "*MSG" : "", kind);
    if (!path)
        return false;
    path->state = state;
    path->limit = (u16)AT(w, PATH_limit);
    path->takes_data = AT(w, PATH_takes);
    path->quiesced = AT(w, PATH_quiesced);
    path->priority = AT(w, PATH_priority);
    return true;
}

/* Its interruption has a row of its own, if it waits. */
static bool take_message(struct iucv *u, const struct words *w)
{
    struct iucv_path *path = iucv_path_find(u, (u16)AT(w, MESSAGE_path));
    u32 id = (u32)AT(w, MESSAGE_id);
    if (!path || !moves(path) || w->rest_len > IUCV_SERVICE_BYTES_MAX ||
        AT(w, MESSAGE_got) > w->rest_len)
        return false;
    return iucv_message_queue(path, id, (u32)AT(w, MESSAGE_cls), w->rest, (u32)w->rest_len,
                              (u32)AT(w, MESSAGE_got)) &&
           iucv_item_drop_pending(path, id);
}

static bool take_item(struct iucv *u, const struct words *w)
{
    struct iucv_path *path = iucv_path_find(u, (u16)AT(w, ITEM_path));
    if (!path || w->rest_len != IUCV_BYTES || be16_load(w->rest + AT_PATH) != path->id ||
        w->rest[AT_TYPE] < IUCV_CONNECT_PENDING || w->rest[AT_TYPE] > IUCV_PENDING)
        return false;
    struct iucv_item *item = iucv_item_make(path, (enum iucv_type)w->rest[AT_TYPE]);
    if (!item)
        return false;
    memcpy(item->data, w->rest, IUCV_BYTES);
    iucv_item_queue(item);
    return true;
}

bool iucv_restore(struct vm *vm, struct codec_in *block)
{
    struct codec_row row;
    struct words w;
    struct iucv *u = vm->iucv ? NULL : iucv_create(vm);
    while (u && codec_next(block, &row)) {
        bool good = get(&row, &w);
        if (!good && !(row.tag & CODEC_MANDATORY))
            continue;
        if (good && w.row == ROW_LAST)
            u->last_message = (u32)AT(&w, LAST_id);
        else if (good)
            good = w.row == ROW_CPU       ? take_cpu(u, &w)
                   : w.row == ROW_PATH    ? take_path(u, &w)
                   : w.row == ROW_MESSAGE ? take_message(u, &w)
                                          : take_item(u, &w);
        if (!good)
            return false;
    }
    return u && !block->failed && u->declared;
}
