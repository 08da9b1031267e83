/* The machine of the matrix: 1 MiB, tables that map a few places of a 64-bit address space to it,
 * and the run of one instruction with all that can be seen before and after. */
#include "tests/lib/matrix.h"

#include "cpu/jit/jit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLES 0x80000u
#define TABLE_BYTES 0x4000u
#define PAGE_TABLE_BYTES 0x800u
#define LEVEL_PAGE (-1)
#define LEVEL_REGION1 3
#define ENTRY_INVALID 0x20u
#define ENTRY_FRAME 0x400u /* a segment or region is one frame (absolute address 0) */
#define PTE_INVALID 0x400u
#define EXECUTIONS_MAX 4096
#define THREADED_BUDGET_INSNS 64 /* more than what the run loop executes one by one */
#define COMPLAINTS_SHOWN 60
#define LISTED_FIRST 72u /* in a parameter list: an address, and the next so far behind it */
#define LISTED_BYTES 32u
#define LISTED_MAX 3u
#define LISTED_PLACE (MX_PLAIN(3) + 0x800u) /* of operands that a row does not name */
#define LC_INTERRUPTS 0x80u                 /* where interruptions store */
#define LC_INTERRUPTS_END 0x200u
#define LC_PGM_ILC 0x8d
#define LC_PGM_CODE 0x8e
#define LC_DATA_CODE 0x93
#define LC_ACCESS_ID 0xa0
#define LC_TEID 0xa8
#define LC_PGM_OLD 0x150
#define LC_SVC_OLD 0x140
#define LC_SVC_NEW 0x1c0
#define LC_PGM_NEW 0x1d0

/* ---- the machine ---- */

static u64 port_tod(void *ctx)
{
    struct matrix *m = ctx;
    return m->tod;
}

static void port_wake(void *ctx, unsigned cpu_address)
{
    (void)ctx;
    (void)cpu_address;
}

static bool port_take_io(void *ctx, u8 isc_mask, struct cpu_io_interruption *out)
{
    (void)ctx;
    (void)isc_mask;
    (void)out;
    return false;
}

static bool port_take_service(void *ctx, struct cpu_service *out)
{
    (void)ctx;
    (void)out;
    return false;
}

static const struct cpu_ports ports = {port_tod, port_wake, port_take_io, port_take_service,
                                       NULL};

u64 mx_get(struct matrix *m, u64 abs)
{
    return be64_load(m->st->base + abs);
}

void mx_set(struct matrix *m, u64 abs, u64 v)
{
    be64_store(m->st->base + abs, v);
}

/* ---- tables ---- */

static unsigned index_of(u64 va, int level)
{
    return level == LEVEL_PAGE ? va >> 12 & 0xff : va >> (20 + 11 * level) & 0x7ff;
}

/* A new table of entries that are invalid, of the level below `level`. */
static u64 table_new(struct matrix *m, int level)
{
    unsigned bytes = level == LEVEL_PAGE ? PAGE_TABLE_BYTES : TABLE_BYTES;
    u64 invalid = level == LEVEL_PAGE ? PTE_INVALID : ENTRY_INVALID;
    u64 at = (m->tables_end + bytes - 1) & ~(u64)(bytes - 1);
    m->tables_end = at + bytes;
    if (m->tables_end > MX_STORAGE)
        abort();
    for (u64 i = 0; i < bytes; i += 8)
        mx_set(m, at + i, invalid);
    return at;
}

u64 mx_entry(struct matrix *m, u64 va, int level)
{
    u64 table = TABLES;
    for (int at = LEVEL_REGION1;; at--) {
        u64 entry = table + 8 * index_of(va, at);
        if (at == level)
            return entry;
        u64 v = mx_get(m, entry);
        if (v & ENTRY_INVALID) {
            v = table_new(m, at - 1) | (at > 0 ? (u64)at << 2 | 3 : 0);
            mx_set(m, entry, v);
        }
        table = v & ~0x7ffull;
    }
}

static void map(struct matrix *m, u64 va, u64 frame)
{
    mx_set(m, mx_entry(m, va, LEVEL_PAGE), frame);
}

u64 mx_boundary(enum mx_boundary b)
{
    static const u64 at[MX_BOUNDARIES] = {
        [MX_AT_PAGE] = 0x512000,
        [MX_AT_SEGMENT] = 0x800000,
        [MX_AT_REGION3] = 1ull << 31,
        [MX_AT_REGION2] = 1ull << 42,
        [MX_AT_REGION1] = 1ull << 53,
        [MX_AT_LOW] = 0x1000,
        [MX_AT_TOP24] = 1ull << 24,
        [MX_AT_TOP31] = 1ull << 31,
        [MX_AT_TOP64] = 0,
        [MX_AT_EDAT1] = 0xa00000 + MX_HIGH_FRAME,
        [MX_AT_EDAT2] = (3ull << 31) + MX_HIGH_FRAME,
        [MX_AT_EDAT1_END] = 0xb00000,
        [MX_AT_REAL] = 0x3b000,
        [MX_AT_END] = MX_STORAGE,
    };
    return at[b];
}

/* Access-register translation of MX_ALET comes to the same tables. */
static void lists_make(struct matrix *m)
{
    u64 list, aste;
    m->lists = (m->tables_end + 0xfff) & ~0xfffull;
    m->tables_end = m->lists + FRAME_BYTES;
    if (m->tables_end > MX_LAST_FRAME) /* the last frame is for MX_AT_END */
        abort();
    list = m->lists + 0x80;
    aste = m->lists + 0x200;
    mx_set(m, m->lists + 0x10, list << 32); /* 8 entries; the first word of the pair */
    for (u64 at = list; at < aste; at += 16)
        mx_set(m, at, 0x80000000ull << 32);
    mx_set(m, MX_ALE(m), 0);
    mx_set(m, MX_ALE(m) + 8, aste << 32); /* ASTE sequence number 0 */
    mx_set(m, aste + 8, m->asce);
}

static void tables_make(struct matrix *m)
{
    m->tables_end = TABLES;
    table_new(m, LEVEL_REGION1);
    for (unsigned b = 0; b < MX_MAPPED; b++) {
        map(m, (mx_boundary(b) - 1) & ~0xfffull, MX_LOW_FRAME);
        map(m, mx_boundary(b), MX_HIGH_FRAME);
    }
    map(m, 0, MX_HIGH_FRAME); /* where addresses wrap to */
    map(m, 0x1000, MX_LOW_FRAME);
    for (u64 va = MX_CODE; va < MX_CODE + 0x10000; va += 0x1000)
        map(m, va, va);
    for (unsigned i = 0; i < MX_OPERANDS; i++)
        for (u64 at = 0; at < 0x3000; at += 0x1000)
            map(m, MX_PLAIN(i) + at, 0x20000 + 0x4000 * i + at);
    mx_set(m, mx_entry(m, mx_boundary(MX_AT_EDAT1), 0), ENTRY_FRAME);
    map(m, mx_boundary(MX_AT_EDAT1_END), MX_HIGH_FRAME);
    mx_set(m, mx_entry(m, mx_boundary(MX_AT_EDAT2), 1), ENTRY_FRAME | 1 << 2);
    m->asce = TABLES | 3 << 2 | 3;
    lists_make(m);
    u64 segments = mx_entry(m, MX_CODE, 0) & ~(u64)(TABLE_BYTES - 1);
    m->asce_short = segments | 3;
}

/* What storage has before each case. */
static void fresh_fill(u8 fresh[MX_AREA])
{
    for (u64 at = 0; at < MX_AREA; at += 8)
        be64_store(fresh + at, at * 0x0001000100010001ull ^ 0x5a5a000000005a5aull);
    memset(fresh, 0, 0x1000);
    be64_store(fresh + LC_PGM_NEW, PSW_EA | PSW_BA | PSW_WAIT);
    be64_store(fresh + LC_PGM_NEW + 8, MX_HANDLER);
    be64_store(fresh + LC_SVC_NEW, PSW_EA | PSW_BA | PSW_WAIT);
    be64_store(fresh + LC_SVC_NEW + 8, MX_SVC_HANDLER);
}

void mx_create(struct matrix *m)
{
    memset(m, 0, sizeof *m);
    m->tod = 0xd000000000000000ull;
    fresh_fill(m->fresh);
    if (storage_create(&m->st, MX_STORAGE, NULL) != ST_OK ||
        cpu_set_create(&m->set, m->st, cpu_model_find("max"), 1, &ports, m, NULL) != ST_OK)
        abort();
    m->cpu = cpu_set_get(m->set, 0);
    if (getenv("ENDICOTT_ENGINE") && strcmp(getenv("ENDICOTT_ENGINE"), "jit") == 0)
        m->engine = CPU_ENGINE_JIT_FIRST;
    if (cpu_set_engine(m->set, m->engine, NULL) != ST_OK)
        abort();
    tables_make(m);
    m->owner = mx_owner_create(m);
}

void mx_destroy(struct matrix *m)
{
    mx_owner_destroy(m->owner);
    cpu_set_destroy(m->set);
    storage_destroy(m->st);
}

/* ---- before ---- */

u64 mx_frame(struct matrix *m, u64 mask, u64 va)
{
    if (!(mask & PSW_DAT))
        return va & ~0xfffull;
    for (int level = 1; level >= 0; level--)
        if (mx_get(m, mx_entry(m, va, level)) & ENTRY_FRAME)
            return va & ((1ull << (20 + 11 * level)) - 0x1000);
    return mx_get(m, mx_entry(m, va, LEVEL_PAGE)) & ~0xfffull;
}

u64 mx_operand_abs(struct matrix *m, const struct mx_case *k, unsigned i, u64 at)
{
    u64 va = (k->ea[i] + at) & mx_amask(k);
    if (strchr("FSK", k->row->operand[i].access))
        return va;
    return mx_frame(m, k->mask, va) + (va & 0xfff);
}

/* Where storage ends, bytes of an operand may be outside. */
static void operand_byte_put(struct matrix *m, const struct mx_case *k, unsigned i, u64 at,
                             u8 byte)
{
    u64 abs = mx_operand_abs(m, k, i, at);
    if (abs < MX_STORAGE)
        m->st->base[abs] = byte;
}

/* Where addresses of operands 4, 6 and 8 of PERFORM LOCKED OPERATION stand, behind their ALETs. */
static void list_put(struct matrix *m, const struct mx_case *k, unsigned list)
{
    u64 place = k->mask & PSW_DAT
                    ? LISTED_PLACE
                    : mx_frame(m, PSW_DAT, LISTED_PLACE) + LISTED_PLACE % FRAME_BYTES;
    for (unsigned i = 0; i < LISTED_MAX; i++) {
        u64 at = LISTED_FIRST + i * LISTED_BYTES, ea = place + 64 * i;
        u32 alet = 0;
        for (unsigned n = 0; n < k->row->operand_count; n++)
            if (k->row->operand[n].where == 'P' && k->row->operand[n].number == at) {
                ea = k->ea[n];
                alet = k->alet[n];
            }
        for (unsigned byte = 0; byte < 8; byte++)
            operand_byte_put(m, k, list, at + byte, (u8)(ea >> (56 - 8 * byte)));
        for (unsigned byte = 0; byte < 4; byte++)
            operand_byte_put(m, k, list, at - 4 + byte, (u8)(alet >> (24 - 8 * byte)));
    }
}

static void content_put(struct matrix *m, const struct mx_case *k)
{
    for (unsigned i = 0; i < k->row->operand_count; i++) {
        const struct mx_operand *o = &k->row->operand[i];
        unsigned len = o->access == 'v' || o->access == 'K' ? 0 : mx_length_of(k, i);
        len = o->list ? LISTED_FIRST + LISTED_MAX * LISTED_BYTES : len;
        for (unsigned at = 0; at < len; at++)
            operand_byte_put(m, k, i, at, o->content[at % o->content_len]);
        if (o->list)
            list_put(m, k, i);
    }
}

/* Is this case executed as translated code? Not if it may go on elsewhere than behind itself. */
static bool translated(const struct matrix *m, const struct mx_case *k)
{
    static const char *const elsewhere = " svc lpsw lpswe lpswey pr pc pt pti rp bakr bsa bsg ";
    char word[16];
    snprintf(word, sizeof word, " %s ", k->row->mnemonic);
    return m->engine != CPU_ENGINE_INTERP && !(k->row->flags & (IF_BRANCH | IF_ICPT)) &&
           !strstr(elsewhere, word);
}

static void code_put(struct matrix *m, const struct mx_case *k)
{
    static const u8 ex[4] = {0x44, 0x00, 0x70, 0x00}; /* EX 0,0(7); GR 7 is MX_CODE */
    static const u8 svc[2] = {0x0a, 0x00};
    u8 insn[6];
    mx_encode(k, insn);
    storage_write(m->st, k->ia, insn, sizeof insn);
    if (translated(m, k))
        storage_write(m->st, (k->execute ? MX_EXECUTE : k->ia) + mx_length(k), svc, sizeof svc);
    if (k->execute == 1) {
        storage_write(m->st, MX_EXECUTE, ex, sizeof ex);
    } else if (k->execute == 2) {
        u8 bytes[6] = {0xc6, 0x00};
        be32_store(bytes + 2, (u32)((s64)(k->ia - MX_EXECUTE) / 2));
        storage_write(m->st, MX_EXECUTE, bytes, sizeof bytes);
    }
}

void mx_storage_get(struct matrix *m, u8 *seen)
{
    memcpy(seen, m->st->base, MX_AREA);
    memcpy(seen + MX_AREA, m->st->base + MX_LAST_FRAME, FRAME_BYTES);
}

static void storage_back(struct matrix *m, const u8 *seen)
{
    memcpy(m->st->base, seen, MX_AREA);
    memcpy(m->st->base + MX_LAST_FRAME, seen + MX_AREA, FRAME_BYTES);
}

static void registers_put(struct matrix *m, const struct mx_case *k)
{
    struct cpu *c = m->cpu;
    memcpy(c->gr, k->gr, sizeof k->gr);
    memcpy(c->cr, k->cr, sizeof k->cr);
    memcpy(c->ar, k->ar, sizeof k->ar);
    for (unsigned i = 0; i < 16; i++)
        *cpu_fpr(c, i) = k->fpr[i];
    c->fpc = k->fpc;
    atomic_store(&m->set->clock.last, 0); /* TRACE finds the same time in each run */
    cpu_registers_changed(c);
    cpu_psw_set(c, k->mask, k->execute ? MX_EXECUTE : k->ia);
}

void mx_apply(struct matrix *m, const struct mx_case *k)
{
    cpu_set_reset(m->set, true);
    memcpy(m->st->base, m->fresh, MX_AREA);
    content_put(m, k);
    code_put(m, k);
    mx_storage_get(m, m->before);
    for (u64 at = 0; at < MX_AREA; at += FRAME_BYTES)
        storage_key_set(m->st, at, k->key);
    storage_key_set(m->st, MX_LAST_FRAME, k->key);
    cpu_purge_tlb(m->cpu);
    registers_put(m, k);
    cpu_start(m->cpu);
}

void mx_apply_again(struct matrix *m, const struct mx_case *k)
{
    storage_back(m, m->before);
    registers_put(m, k);
}

/* ---- after ---- */

static void capture_interruption(struct matrix *m, struct mx_state *s)
{
    const u8 *lc = m->st->base;
    s->pgm = be16_load(lc + LC_PGM_CODE);
    s->ilc = lc[LC_PGM_ILC];
    s->access_id = lc[LC_ACCESS_ID];
    s->dxc = lc[LC_DATA_CODE];
    s->teid = be64_load(lc + LC_TEID);
    s->mask = be64_load(lc + LC_PGM_OLD);
    s->addr = be64_load(lc + LC_PGM_OLD + 8);
}

void mx_capture(struct matrix *m, struct mx_state *s)
{
    struct cpu *c = m->cpu;
    memset(s, 0, sizeof *s);
    memcpy(s->gr, c->gr, sizeof s->gr);
    memcpy(s->cr, c->cr, sizeof s->cr);
    memcpy(s->ar, c->ar, sizeof s->ar);
    for (unsigned i = 0; i < 16; i++)
        s->fpr[i] = *cpu_fpr(c, i);
    s->fpc = c->fpc;
    s->prefix = c->prefix;
    s->todpr = c->todpr;
    s->ckc = c->ckc;
    cpu_psw_get(c, &s->mask, &s->addr);
    if (s->addr == MX_HANDLER)
        capture_interruption(m, s);
}

/* ---- translated code ---- */

static void registers_back(struct matrix *m, const struct mx_state *s)
{
    struct cpu *c = m->cpu;
    memcpy(c->gr, s->gr, sizeof s->gr);
    memcpy(c->cr, s->cr, sizeof s->cr);
    memcpy(c->ar, s->ar, sizeof s->ar);
    for (unsigned i = 0; i < 16; i++)
        *cpu_fpr(c, i) = s->fpr[i];
    c->fpc = s->fpc;
    c->prefix = s->prefix;
    c->todpr = s->todpr;
    c->ckc = s->ckc;
    cpu_registers_changed(c);
    cpu_psw_set(c, s->mask, s->addr);
}

static enum cpu_exit run_to_wait(struct matrix *m)
{
    unsigned times = 0;
    enum cpu_exit why;
    do
        why = cpu_run(m->cpu, THREADED_BUDGET_INSNS);
    while (why == CPU_EXIT_BUDGET && ++times < EXECUTIONS_MAX);
    return why;
}

/* Translation begins where a branch has led often enough, and takes only what has been executed
 * before: so once for that, then all as before and every place hot. A SUPERVISOR CALL stands
 * behind the instruction. */
static void run_translated(struct matrix *m, struct mx_state *s)
{
    static u8 area[MX_SEEN];
    struct mx_state begin;
    mx_capture(m, &begin);
    mx_storage_get(m, area);
    run_to_wait(m);
    storage_back(m, area);
    registers_back(m, &begin);
    memset(m->cpu->heat, 1, JIT_HEAT_ENTRIES);
    enum cpu_exit why = run_to_wait(m);
    struct code_page *page = code_page_get(m->cpu, begin.addr & ~0xfffull);
    if (!jit_is_code(m->cpu, page->slot[(begin.addr & 0xfff) >> 1].run))
        m->not_translated++;
    m->runs++;
    mx_capture(m, s);
    s->rationed = why == CPU_EXIT_RATIONED;
    if (s->addr == MX_SVC_HANDLER) {
        s->mask = mx_get(m, LC_SVC_OLD);
        s->addr = mx_get(m, LC_SVC_OLD + 8) - 2;
    }
}

static bool accesses_storage(const struct mx_row *row)
{
    for (unsigned i = 0; i < row->operand_count; i++)
        if (strchr("fsu", row->operand[i].access))
            return true;
    return false;
}

void mx_run(struct matrix *m, const struct mx_case *k, struct mx_state *s)
{
    if (translated(m, k)) {
        run_translated(m, s);
        return;
    }
    u64 mask, addr, begin = k->execute ? MX_EXECUTE : k->ia;
    enum cpu_exit why;
    unsigned times = 0;
    do {
        why = cpu_run(m->cpu, 1);
        cpu_psw_get(m->cpu, &mask, &addr);
    } while (why == CPU_EXIT_BUDGET && addr == begin && ++times < EXECUTIONS_MAX);
    if (why == CPU_EXIT_INTERCEPT && accesses_storage(k->row))
        mx_owner_carry_out(m->owner);
    mx_capture(m, s);
    s->intercepted = why == CPU_EXIT_INTERCEPT;
    s->rationed = why == CPU_EXIT_RATIONED;
}

bool mx_do(struct matrix *m, struct mx_case *k, struct mx_state *s)
{
    if (!mx_link(k))
        return false;
    mx_apply(m, k);
    mx_run(m, k, s);
    return true;
}

/* ---- comparing ---- */

bool mx_storage_differs(struct matrix *m, const u8 *was)
{
    const u8 *is = m->st->base;
    return memcmp(is, was, LC_INTERRUPTS) != 0 ||
           memcmp(is + LC_INTERRUPTS_END, was + LC_INTERRUPTS_END,
                  MX_AREA - LC_INTERRUPTS_END) != 0 ||
           memcmp(is + MX_LAST_FRAME, was + MX_AREA, FRAME_BYTES) != 0;
}

static bool registers_64(const char *name, const u64 *a, const u64 *b, char *text)
{
    for (unsigned i = 0; i < 16; i++)
        if (a[i] != b[i]) {
            snprintf(text, 64, "%s%u %llx, %llx", name, i, (unsigned long long)a[i],
                     (unsigned long long)b[i]);
            return true;
        }
    return false;
}

const char *mx_registers_differ(const struct mx_state *a, const struct mx_state *b, char *text)
{
    *text = 0;
    if (registers_64("gr", a->gr, b->gr, text) || registers_64("fpr", a->fpr, b->fpr, text) ||
        registers_64("cr", a->cr, b->cr, text))
        return text;
    if (memcmp(a->ar, b->ar, sizeof a->ar))
        snprintf(text, 64, "access registers");
    else if (a->fpc != b->fpc)
        snprintf(text, 64, "fpc %x, %x", a->fpc, b->fpc);
    else if (a->prefix != b->prefix || a->todpr != b->todpr || a->ckc != b->ckc)
        snprintf(text, 64, "prefix, TOD programmable register or clock comparator");
    return text;
}

static bool moved_equal(const struct mx_case *a, u64 va, const struct mx_case *b, u64 vb)
{
    u64 difference = vb - va, mask = mx_amask(b);
    for (unsigned i = 0; i < a->row->operand_count; i++)
        if (((difference ^ (b->ea[i] - a->ea[i])) & mask) == 0)
            return true;
    return difference == 0;
}

const char *mx_moved_differ(const struct mx_case *a, const struct mx_state *sa,
                            const struct mx_case *b, const struct mx_state *sb, char *text)
{
    *text = 0;
    for (unsigned i = 0; i < 16 && !*text; i++) {
        u64 va = sa->gr[i], vb = sb->gr[i];
        bool base = a->gr[i] == va && b->gr[i] == vb;
        if (!base && !moved_equal(a, va, b, vb))
            snprintf(text, 64, "gr%u %llx, %llx", i, (unsigned long long)va,
                     (unsigned long long)vb);
    }
    if (!*text)
        registers_64("fpr", sa->fpr, sb->fpr, text);
    return text;
}

void mx_complain(struct matrix *m, const struct mx_row *row, const char *format, ...)
{
    va_list ap;
    if (m->complaints++ >= COMPLAINTS_SHOWN)
        return;
    fprintf(stderr, "%s: ", row->mnemonic);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

/* ---- what several tests do ---- */

bool mx_present(struct matrix *m, const struct mx_row *row)
{
    return cpu_model_offers(cpu_set_model(m->set), row->facility);
}

bool mx_next(struct matrix *m, unsigned *i, struct mx_row *row)
{
    while (*i < mx_row_count()) {
        mx_row_get((*i)++, row);
        if (mx_present(m, row))
            return true;
    }
    return false;
}

void mx_refused(struct matrix *m, struct mx_case *k, unsigned pgm, const char *when)
{
    struct mx_state begin, s;
    char text[64];
    if (!mx_link(k))
        return;
    mx_apply(m, k);
    mx_capture(m, &begin);
    mx_run(m, k, &s);
    u64 behind = (k->execute ? MX_EXECUTE : k->ia) + mx_length(k);
    if (s.pgm != pgm)
        mx_complain(m, k->row, "%s: program interruption %x, not %x", when, s.pgm, pgm);
    else if (s.ilc != mx_length(k) || s.addr != behind)
        mx_complain(m, k->row, "%s: ILC %u, old PSW %llx", when, s.ilc,
                    (unsigned long long)s.addr);
    else if (s.mask != begin.mask)
        mx_complain(m, k->row, "%s: old PSW mask %llx", when, (unsigned long long)s.mask);
    else if (mx_storage_differs(m, m->before))
        mx_complain(m, k->row, "%s: storage changed", when);
    s.fpc &= pgm == PGM_DATA ? ~0xff00u : ~0u; /* the DXC goes there as well */
    if (*mx_registers_differ(&begin, &s, text))
        mx_complain(m, k->row, "%s: %s", when, text);
}
