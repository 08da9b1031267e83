/* The instruction matrix, access exceptions: every storage operand of every instruction, wholly in
 * a page that cannot be accessed, crossing into it and out of it, for each reason there is and at
 * each boundary, wraparound included. What is checked: code, ILC, old PSW by nullification or
 * suppression, TEID and access identification; nothing has changed (of interruptible
 * instructions: what the registers say has been done, and no more); and when the page is there,
 * execution goes on to the end it would have come to. Sources: chapter 3, "Protection", "Dynamic
 * Address Translation"; chapter 5, "Interruptions and Execution"; chapter 6. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/matrix.h"

#define OUTSIDE 0x40000000u
#define ENTRY_KEY_VALID 0x10000u /* access-control bits of a large frame count */
#define PGM_ALEN 0x29u
#define TEID_FETCH 0x800u
#define TEID_STORE 0x400u

/* How a page is made inaccessible. */
enum how {
    ENTRY,    /* bits of the table entry of `level` */
    FRAME,    /* its frame lies outside storage */
    KEY,      /* bits: storage key, under access key MX_KEY */
    LOW,      /* low-address protection */
    TOO_LONG, /* an ASCE with segment tables only */
    LIST,     /* bits of the access-list entry of the space */
    RATION,   /* it can be, but no frame can be stored into yet: see run_rationed */
};

/* Where operands lie and which. */
enum place {
    WHOLE = 1, /* the first byte is at the boundary: what is beyond fails as a whole */
    REAL = 2,  /* DAT is off */
    EDAT = 4,  /* in frames of a segment or region */
    LOWER = 8, /* the page below the boundary is the bad one */
    UPPER = 16,
};

static const struct fault {
    const char *name;
    enum how how;
    unsigned pgm;
    int level;
    u64 bits;
    enum mx_boundary at;
    u64 amode;        /* PSW bits */
    const char *for_; /* accesses: s store, f fetch, x execute */
    unsigned teid;
    unsigned place;
} faults[] = {
    {"page", ENTRY, 0x11, -1, 0x400, MX_AT_PAGE, PSW_EA | PSW_BA, "fsx", 0, 0},
    {"page, 31-bit", ENTRY, 0x11, -1, 0x400, MX_AT_PAGE, PSW_BA, "fsx", 0, 0},
    {"page, 24-bit", ENTRY, 0x11, -1, 0x400, MX_AT_PAGE, 0, "fsx", 0, 0},
    {"page at 2^24", ENTRY, 0x11, -1, 0x400, MX_AT_TOP24, 0, "fsx", 0, 0},
    {"page at 2^31", ENTRY, 0x11, -1, 0x400, MX_AT_TOP31, PSW_BA, "fsx", 0, 0},
    {"page at 2^64", ENTRY, 0x11, -1, 0x400, MX_AT_TOP64, PSW_EA | PSW_BA, "fsx", 0, 0},
    {"segment", ENTRY, 0x10, 0, 0x20, MX_AT_SEGMENT, PSW_EA | PSW_BA, "fsx", 0, 0},
    {"region third", ENTRY, 0x3b, 1, 0x20, MX_AT_REGION3, PSW_EA | PSW_BA, "fsx", 0, 0},
    {"region second", ENTRY, 0x3a, 2, 0x20, MX_AT_REGION2, PSW_EA | PSW_BA, "fsx", 0, 0},
    {"region first", ENTRY, 0x39, 3, 0x20, MX_AT_REGION1, PSW_EA | PSW_BA, "fsx", 0, 0},
    {"ASCE type", TOO_LONG, 0x38, 0, 0, MX_AT_REGION3, PSW_EA | PSW_BA, "fsx", 0, 0},
    {"translation specification", ENTRY, 0x12, -1, 0x800, MX_AT_PAGE, PSW_EA | PSW_BA, "fsx", 0,
     0},
    {"addressing", FRAME, 0x05, -1, 0, MX_AT_PAGE, PSW_EA | PSW_BA, "fsx", 0, 0},
    {"page protection", ENTRY, 0x04, -1, 0x200, MX_AT_PAGE, PSW_EA | PSW_BA, "s", 4, 0},
    {"segment protection", ENTRY, 0x04, 0, 0x200, MX_AT_SEGMENT, PSW_EA | PSW_BA, "s", 4, 0},
    {"region protection", ENTRY, 0x04, 1, 0x200, MX_AT_REGION3, PSW_EA | PSW_BA, "s", 4, 0},
    {"key, store", KEY, 0x04, 0, 0x40, MX_AT_PAGE, PSW_EA | PSW_BA, "s", 8, 0},
    {"key, fetch", KEY, 0x04, 0, 0x48, MX_AT_PAGE, PSW_EA | PSW_BA, "fsx", 8, 0},
    {"low address", LOW, 0x04, 0, 0, MX_AT_LOW, PSW_EA | PSW_BA, "s", 0x80, 0},
    {"execution protection", ENTRY, 0x04, -1, 0x100, MX_AT_PAGE, PSW_EA | PSW_BA, "x", 0x84, 0},
    {"addressing, DAT off", FRAME, 0x05, -1, 0, MX_AT_END, PSW_EA | PSW_BA, "fsx", 0, REAL},
    {"key, store, DAT off", KEY, 0x04, 0, 0x40, MX_AT_REAL, PSW_EA | PSW_BA, "s", 8, REAL},
    {"key, fetch, DAT off", KEY, 0x04, 0, 0x48, MX_AT_REAL, PSW_BA, "fsx", 8, REAL},
    {"low address, DAT off", LOW, 0x04, 0, 0, MX_AT_LOW, PSW_EA | PSW_BA, "s", 0x80, REAL},
    {"segment frame", ENTRY, 0x10, 0, 0x20, MX_AT_EDAT1, PSW_EA | PSW_BA, "fsx", 0,
     EDAT | WHOLE},
    {"segment frame, protection", ENTRY, 0x04, 0, 0x200, MX_AT_EDAT1, PSW_EA | PSW_BA, "s", 4,
     EDAT | WHOLE},
    {"segment frame, execution protection", ENTRY, 0x04, 0, 0x100, MX_AT_EDAT1, PSW_EA | PSW_BA,
     "x", 0x84, EDAT | WHOLE},
    {"segment frame, addressing", FRAME, 0x05, 0, 0x400, MX_AT_EDAT1, PSW_EA | PSW_BA, "fsx", 0,
     EDAT | WHOLE},
    {"segment frame, key, store", KEY, 0x04, 0, 0x40, MX_AT_EDAT1, PSW_EA | PSW_BA, "s", 8,
     EDAT | WHOLE},
    {"segment frame, its key, store", ENTRY, 0x04, 0, 0x14000, MX_AT_EDAT1, PSW_EA | PSW_BA,
     "s", 8, EDAT | WHOLE},
    {"segment frame, its key, fetch", ENTRY, 0x04, 0, 0x14800, MX_AT_EDAT1, PSW_EA | PSW_BA,
     "fsx", 8, EDAT | WHOLE},
    {"end of a segment frame", ENTRY, 0x10, 0, 0x20, MX_AT_EDAT1_END, PSW_EA | PSW_BA, "fsx", 0,
     EDAT | LOWER},
    {"end of a segment frame, protection", ENTRY, 0x04, 0, 0x200, MX_AT_EDAT1_END,
     PSW_EA | PSW_BA, "s", 4, EDAT | LOWER},
    {"end of a segment frame, execution protection", ENTRY, 0x04, 0, 0x100, MX_AT_EDAT1_END,
     PSW_EA | PSW_BA, "x", 0x84, EDAT | LOWER},
    {"end of a segment frame, addressing", FRAME, 0x05, 0, 0x400, MX_AT_EDAT1_END,
     PSW_EA | PSW_BA, "fsx", 0, EDAT | LOWER},
    {"end of a segment frame, key, store", KEY, 0x04, 0, 0x40, MX_AT_EDAT1_END, PSW_EA | PSW_BA,
     "s", 8, EDAT | LOWER},
    {"end of a segment frame, its key, fetch", ENTRY, 0x04, 0, 0x14800, MX_AT_EDAT1_END,
     PSW_EA | PSW_BA, "fsx", 8, EDAT | LOWER},
    {"segment behind a segment frame", ENTRY, 0x10, 0, 0x20, MX_AT_EDAT1_END, PSW_EA | PSW_BA,
     "fsx", 0, EDAT | UPPER},
    {"page behind a segment frame", ENTRY, 0x11, -1, 0x400, MX_AT_EDAT1_END, PSW_EA | PSW_BA,
     "fsx", 0, EDAT | UPPER},
    {"page behind a segment frame, protection", ENTRY, 0x04, -1, 0x200, MX_AT_EDAT1_END,
     PSW_EA | PSW_BA, "s", 4, EDAT | UPPER},
    {"region frame", ENTRY, 0x3b, 1, 0x20, MX_AT_EDAT2, PSW_EA | PSW_BA, "fsx", 0,
     EDAT | WHOLE},
    {"region frame, protection", ENTRY, 0x04, 1, 0x200, MX_AT_EDAT2, PSW_EA | PSW_BA, "s", 4,
     EDAT | WHOLE},
    {"region frame, execution protection", ENTRY, 0x04, 1, 0x100, MX_AT_EDAT2, PSW_EA | PSW_BA,
     "x", 0x84, EDAT | WHOLE},
    {"region frame, addressing", FRAME, 0x05, 1, 0x404, MX_AT_EDAT2, PSW_EA | PSW_BA, "fsx", 0,
     EDAT | WHOLE},
    {"region frame, its key, fetch", ENTRY, 0x04, 1, 0x14800, MX_AT_EDAT2, PSW_EA | PSW_BA,
     "fsx", 8, EDAT | WHOLE},
};

/* In the access-register mode, of the space that MX_ALET designates. */
static const struct fault list_faults[] = {
    {"fetch-only access-list entry", LIST, 0x04, 0, 0x02000000, MX_AT_PAGE, PSW_EA | PSW_BA,
     "s", 0xc, WHOLE},
    {"invalid access-list entry", LIST, 0x29, 0, 0x80000000, MX_AT_PAGE, PSW_EA | PSW_BA, "fs",
     0, WHOLE},
    {"page, by access list", ENTRY, 0x11, -1, 0x400, MX_AT_PAGE, PSW_EA | PSW_BA, "fsx", 0, 0},
};

static const struct fault rationed[] = {
    {"rationed", RATION, 0, -1, 0, MX_AT_PAGE, PSW_EA | PSW_BA, "fsx", 0, 0},
    {"rationed at 2^31", RATION, 0, -1, 0, MX_AT_TOP31, PSW_BA, "fsx", 0, 0},
    {"rationed, DAT off", RATION, 0, -1, 0, MX_AT_REAL, PSW_EA | PSW_BA, "fsx", 0, REAL},
};

/* One operand of one case in one position before one fault. */
struct trial {
    const struct fault *f;
    unsigned operand;
    unsigned before;  /* bytes of the operand below the boundary */
    bool high;        /* the page above it is the bad one */
    unsigned as;      /* address-space control */
    unsigned execute; /* as in struct mx_case */
    bool list;        /* by access-list entry */
    bool warm;        /* with the translations of an execution before, but the bad page's */
    struct mx_case k;
    struct mx_state begin, fault, whole, resumed;
    u64 saved_entry;
};

static struct matrix m;
static unsigned waits;

static void create(void)
{
    mx_create(&m);
}

static void destroy(void)
{
    mx_destroy(&m);
}

static const struct mx_operand *operand_of(const struct trial *t)
{
    return &t->k.row->operand[t->operand];
}

static void complain(const struct trial *t, const char *what, const char *more)
{
    mx_complain(&m, t->k.row,
                "operand %u, %s, %u bytes before the boundary, %s page, AS %u%s%s: %s %s",
                t->operand + 1, t->f->name, t->before, t->high ? "upper" : "lower", t->as,
                t->execute ? ", under EXECUTE" : "", t->warm ? ", warm" : "", what, more);
}

static void complain_code(const struct trial *t, const char *what, unsigned pgm)
{
    char text[32];
    snprintf(text, sizeof text, "%x", pgm);
    complain(t, what, text);
}

/* The access register that an operand goes by, 16: none. */
static unsigned access_register(const struct trial *t)
{
    if (operand_of(t)->where == 'P')
        return (unsigned)mx_field_get(&t->k, "r3");
    return mx_address_register(&t->k, t->operand);
}

static bool accessed(const struct mx_operand *o)
{
    return strchr("fsux", o->access) != NULL;
}

/* ---- fault and repair ---- */

static u64 bad_address(const struct trial *t)
{
    u64 at = mx_boundary(t->f->at);
    if (t->f->how == LIST || t->f->place & WHOLE)
        return at;
    return (t->high ? at : at - 0x1000) & mx_amask(&t->k);
}

static u64 bad_frame(const struct trial *t)
{
    return mx_frame(&m, t->k.mask, bad_address(t));
}

/* What a fault changes in storage; where there is nothing to change, the same is put there. */
static u64 bad_entry(const struct trial *t)
{
    if (t->f->how == LIST || t->f->place & REAL)
        return MX_ALE(&m);
    return mx_entry(&m, bad_address(t), t->f->level);
}

/* A frame beyond the end of storage, of the size of the fault's level. */
static u64 outside(const struct trial *t)
{
    return t->f->level == 1 ? 1ull << 31 : OUTSIDE;
}

static void break_page(struct trial *t)
{
    struct cpu *c = m.cpu;
    u64 entry = bad_entry(t);
    t->saved_entry = mx_get(&m, entry);
    switch (t->f->how) {
    case ENTRY: mx_set(&m, entry, t->saved_entry | t->f->bits); break;
    case LIST: mx_set(&m, entry, t->saved_entry | t->f->bits << 32); break;
    case FRAME:
        if (!(t->f->place & REAL)) /* else it does already */
            mx_set(&m, entry, outside(t) | t->f->bits);
        break;
    case KEY: storage_key_set(m.st, bad_frame(t), (u8)t->f->bits); break;
    case LOW: c->cr[0] |= CR0_LAP; break;
    case TOO_LONG: c->cr[1] = m.asce_short, c->cr[7] ^= m.asce ^ m.asce_short; break;
    case RATION: break;
    }
    cpu_registers_changed(c);
    if (t->warm)
        cpu_purge_page(c, bad_address(t));
    else
        cpu_purge_tlb(c);
}

static void repair_page(struct trial *t)
{
    struct cpu *c = m.cpu;
    mx_set(&m, bad_entry(t), t->saved_entry);
    if (t->f->how == KEY)
        storage_key_set(m.st, bad_frame(t), MX_KEY);
    memcpy(c->cr, t->begin.cr, sizeof c->cr);
    cpu_registers_changed(c);
    cpu_purge_tlb(c);
}

/* ---- what is expected ---- */

static bool nullifies(unsigned pgm)
{
    switch (pgm) {
#define ENDING_N true
#define ENDING_S false
#define ENDING_C false
#define PGM(id, code, ending, title)                                                           \
    case code:                                                                                 \
        return ENDING_##ending;
#include "cpu/pgm.def"
#undef PGM
    default: return false;
    }
}

static void check_psw(const struct trial *t)
{
    u64 at = t->k.execute ? MX_EXECUTE : t->k.ia;
    unsigned length = mx_length(&t->k);
    if (t->fault.ilc != length)
        complain(t, "wrong ILC", "");
    if (t->fault.addr != (nullifies(t->f->pgm) ? at : at + length))
        complain(t, "old PSW does not point", nullifies(t->f->pgm) ? "at it" : "behind it");
    if (t->fault.mask != t->begin.mask && !operand_of(t)->interruptible)
        complain(t, "old PSW: the mask has changed", "");
}

/* Fetch or store: of an operand for both either may be said. */
static bool access_told(const struct trial *t, u64 teid)
{
    unsigned kind = teid & (TEID_FETCH | TEID_STORE);
    switch (operand_of(t)->access) {
    case 's': return kind == TEID_STORE;
    case 'u': return kind == TEID_STORE || kind == TEID_FETCH;
    default: return kind == TEID_FETCH;
    }
}

/* Bits 62-63 of the TEID. */
static unsigned space_told(const struct trial *t)
{
    const struct mx_operand *o = operand_of(t);
    if (o->secondary)
        return AS_SECONDARY;
    if (o->where == 'I' || o->access == 'x') /* where instructions are */
        return t->as == AS_HOME ? AS_HOME : AS_PRIMARY;
    return t->as;
}

static void check_identification(const struct trial *t)
{
    unsigned pgm = t->f->pgm, r = access_register(t);
    if (pgm == PGM_ADDRESSING || pgm == PGM_TRANSLATION_SPEC || mx_excused(t->k.row, "teid"))
        return;
    unsigned as = space_told(t);
    if (pgm == PGM_ALEN) {
        if (t->fault.access_id != r)
            complain(t, "exception access identification", "");
        return;
    }
    u64 expected = bad_address(t) | t->f->teid | as;
    if ((t->fault.teid & ~(u64)(TEID_FETCH | TEID_STORE)) != expected)
        complain(t, "wrong TEID", "");
    else if (!access_told(t, t->fault.teid))
        complain(t, "TEID: fetch or store", "");
    if (t->fault.access_id != (as == AS_AR ? r : 0))
        complain(t, "exception access identification", "");
}

/* Registers of an interruptible instruction: address gone up by what length went down, and not
 * beyond the bad page. */
static void check_progress(const struct trial *t)
{
    const struct mx_operand *o = operand_of(t);
    unsigned r = mx_address_register(&t->k, t->operand);
    if (o->where != 'R' || mx_says(t->k.row, "no length"))
        return;
    u64 mask = mx_amask(&t->k);
    u64 done = (t->fault.gr[r] - t->begin.gr[r]) & mask;
    u64 good = t->high ? t->before : 0;
    if (o->backward) {
        done = -done & mask;
        good = t->high ? 0 : mx_length_of(&t->k, t->operand) - t->before;
    }
    if (done > good)
        complain(t, "the address has gone into the bad page", "");
    if (mx_says(t->k.row, "lengths") &&
        done != ((t->begin.gr[r + 1] - t->fault.gr[r + 1]) & 0xffffff))
        complain(t, "address and length do not go together", "");
}

static bool interruptible(const struct trial *t)
{
    for (unsigned i = 0; i < t->k.row->operand_count; i++)
        if (t->k.row->operand[i].interruptible)
            return true;
    return false;
}

static void check_unchanged(const struct trial *t)
{
    char text[64];
    struct mx_state now = t->fault;
    memcpy(now.cr, t->begin.cr, sizeof now.cr);
    if (interruptible(t)) {
        check_progress(t);
        return;
    }
    if (*mx_registers_differ(&t->begin, &now, text))
        complain(t, "registers have changed:", text);
    if (mx_storage_differs(&m, m.before))
        complain(t, "storage has changed", "");
}

/* The page is there now: what the whole comes to must be what it comes to without the fault. */
static void check_resumed(struct trial *t, const u8 *whole)
{
    char text[64];
    cpu_psw_set(m.cpu, t->fault.mask, t->k.execute ? MX_EXECUTE : t->k.ia);
    mx_run(&m, &t->k, &t->resumed);
    if (t->resumed.pgm || t->resumed.addr != t->whole.addr || t->resumed.mask != t->whole.mask)
        complain(t, "resumed: another PSW, condition code or interruption", "");
    else if (*mx_registers_differ(&t->whole, &t->resumed, text))
        complain(t, "resumed: registers", text);
    else if (mx_storage_differs(&m, whole))
        complain(t, "resumed: other storage", "");
}

/* Is this fault one for this operand? If not it is fetched as if all were well. */
static bool concerns(const struct fault *f, const struct mx_operand *o)
{
    const char kinds[] = {o->access == 'u' ? 's' : o->access, 0};
    return strpbrk(f->for_, kinds) != NULL;
}

/* ---- one trial ---- */

/* DAT off: operands at the real addresses that their virtual ones were translated to. */
static void place_real(struct mx_case *k)
{
    for (unsigned i = 0; i < k->row->operand_count; i++)
        if (accessed(&k->row->operand[i]))
            k->ea[i] = mx_frame(&m, k->mask, k->ea[i]) + (k->ea[i] & 0xfff);
    k->mask &= ~PSW_DAT;
}

static bool prepare(struct trial *t, const struct mx_row *row)
{
    mx_case_init(&m, &t->k, row);
    t->k.mask = (t->k.mask & ~(PSW_EA | PSW_BA)) | t->f->amode | (u64)t->as << PSW_AS_SHIFT;
    t->k.cr[0] |= CR0_EDAT | CR0_IEP;
    t->k.execute = t->execute;
    if (t->list)
        t->k.cr[2] = m.lists;
    if (t->f->place & REAL)
        place_real(&t->k);
    if (t->f->how == KEY || (t->f->bits & ENTRY_KEY_VALID && t->f->how == ENTRY))
        t->k.mask |= (u64)MX_KEY >> 4 << PSW_KEY_SHIFT;
    t->k.ea[t->operand] = (mx_boundary(t->f->at) - t->before) & mx_amask(&t->k);
    unsigned r = access_register(t);
    if (t->as == AS_AR && (r == 16 || r == 0 || (t->list && operand_of(t)->secondary)))
        return false;
    if (t->as == AS_AR) /* the secondary space, or that of the list: all have the same tables */
        *(operand_of(t)->where == 'P' ? &t->k.alet[t->operand] : &t->k.ar[r]) =
            t->list ? MX_ALET : 1;
    return mx_link(&t->k);
}

/* Where an operand lies makes no difference to what is done with it. */
static void check_place(const struct trial *t)
{
    struct mx_case plain = t->k;
    struct mx_state s;
    char text[64];
    u8 bytes[MX_OPERANDS][4096];
    const struct mx_row *row = t->k.row;
    if (t->warm || t->f->how == RATION || mx_excused(row, "place") || mx_excused(row, "same"))
        return;
    for (unsigned i = 0; i < row->operand_count; i++)
        for (unsigned at = 0; accessed(&row->operand[i]) && at < mx_length_of(&t->k, i); at++)
            bytes[i][at] = m.st->base[mx_operand_abs(&m, &t->k, i, at)];
    plain.ea[t->operand] =
        MX_PLAIN(t->operand) + 0x1000 - (row->operand[t->operand].align & 0x1000);
    if (t->f->place & REAL)
        plain.ea[t->operand] = mx_frame(&m, PSW_DAT, plain.ea[t->operand]);
    mx_do(&m, &plain, &s);
    for (unsigned i = 0; i < row->operand_count; i++)
        for (unsigned at = 0; accessed(&row->operand[i]) && at < mx_length_of(&t->k, i); at++)
            if (bytes[i][at] != m.st->base[mx_operand_abs(&m, &plain, i, at)])
                return complain(t, "another place, other bytes", "");
    if (s.mask != t->whole.mask)
        complain(t, "another place, another PSW", "");
    else if (*mx_moved_differ(&plain, &s, &t->k, &t->whole, text))
        complain(t, "another place,", text);
}

/* Is there the same without the fault? */
static bool repairable(const struct fault *f)
{
    return f->how != FRAME || !(f->place & REAL);
}

static bool run_whole(struct trial *t, u8 *whole)
{
    mx_apply(&m, &t->k);
    mx_run(&m, &t->k, &t->whole);
    mx_storage_get(&m, whole);
    if (t->whole.pgm) {
        complain_code(t, "interrupted without a fault:", t->whole.pgm);
        return false;
    }
    check_place(t);
    return true;
}

/* The instruction is to be executed from here. */
static void begins(struct trial *t)
{
    if (t->warm)
        mx_apply_again(&m, &t->k);
    else
        mx_apply(&m, &t->k);
    mx_capture(&m, &t->begin);
}

static void run_trial(struct trial *t, const struct mx_row *row)
{
    static u8 whole[MX_SEEN];
    if (!prepare(t, row))
        return;
    if (repairable(t->f) && !run_whole(t, whole))
        return;
    begins(t);
    break_page(t);
    mx_run(&m, &t->k, &t->fault);
    unsigned expected = concerns(t->f, operand_of(t)) ? t->f->pgm : 0;
    if (t->fault.pgm != expected) {
        complain_code(t, "program interruption", t->fault.pgm);
        repair_page(t);
        return;
    }
    if (expected) {
        check_psw(t);
        check_identification(t);
        check_unchanged(t);
    }
    repair_page(t);
    if (expected && repairable(t->f) && !mx_excused(row, "same"))
        check_resumed(t, whole);
}

/* ---- stores that are rationed ---- */

/* No frame has been stored into in this epoch, and there are no tokens. */
static void ration(void)
{
    static u64 set[MX_STORAGE / FRAME_BYTES / 64];
    ck_assert_uint_ge(sizeof set, storage_bitmap_bytes(m.st));
    storage_epoch(m.st, set);
    cpu_request_flush_stores(m.cpu);
    storage_ration_start(m.st, 0);
}

/* It waits: the PSW is at it, and it has done nothing, or what its registers say. */
static void check_waits(struct trial *t)
{
    u64 tokens = (u64)atomic_load(&m.st->ration.tokens);
    if (tokens)
        complain(t, "waits though there is a token", "");
    if (t->fault.addr != (t->k.execute ? MX_EXECUTE : t->k.ia) || t->fault.pgm)
        complain(t, "waits elsewhere than at itself", "");
    if (t->fault.mask != t->begin.mask && !interruptible(t))
        complain(t, "waits, and the PSW mask has changed", "");
    t->high = true; /* no page is worse than another */
    t->before = mx_length_of(&t->k, t->operand);
    check_unchanged(t);
}

/* All frames are clean; it gets one token after the other until it can go on. */
static void run_rationed(struct trial *t, const struct mx_row *row)
{
    static u8 whole[MX_SEEN];
    char text[64];
    if (mx_excused(row, "same") || !prepare(t, row) || !run_whole(t, whole))
        return;
    begins(t);
    ration();
    struct trial waiting = *t;
    for (unsigned n = 0; n <= STORAGE_RATION_LEAST; n++) {
        mx_run(&m, &t->k, &waiting.fault);
        if (!waiting.fault.rationed)
            break;
        check_waits(&waiting);
        storage_ration_add(m.st, 1);
        waits++;
    }
    storage_ration_stop(m.st);
    t->resumed = waiting.fault;
    if (t->resumed.pgm || t->resumed.addr != t->whole.addr || t->resumed.mask != t->whole.mask)
        complain(t, "has waited: another PSW, condition code or interruption", "");
    else if (*mx_registers_differ(&t->whole, &t->resumed, text))
        complain(t, "has waited: registers", text);
    else if (mx_storage_differs(&m, whole))
        complain(t, "has waited: other storage", "");
}

/* ---- all of them ---- */

/* Bytes below the boundary that are worth a trial. */
static unsigned positions(const struct trial *t, unsigned length, unsigned *at)
{
    const struct mx_operand *o = operand_of(t);
    const unsigned wanted[] = {0, 1, length / 2, length - 1, length};
    unsigned n = 0, step = o->access == 'x'                  ? 2
                           : o->where == 'I' && o->align < 2 ? 2
                                                             : o->align;
    for (unsigned i = 0; i < ARRAY_LEN(wanted); i++) {
        unsigned p = wanted[i];
        if (p % step || (n && at[n - 1] >= p) || (p && (o->table || t->f->place & WHOLE)))
            continue;
        if (t->high ? p < length : p > 0)
            at[n++] = p;
    }
    return n;
}

/* Is what follows the boundary at address zero? */
static bool wraps(const struct fault *f)
{
    return f->at == MX_AT_TOP24 || f->at == MX_AT_TOP31 || f->at == MX_AT_TOP64;
}

/* Lower pages whose region or segment tables are those of the code stay as they are. */
static bool possible(const struct fault *f, bool high)
{
    if (f->place & WHOLE || (f->place & REAL && f->how == FRAME))
        return high;
    if (f->place & (LOWER | UPPER))
        return high == !!(f->place & UPPER);
    return high || (f->how != LOW && f->how != TOO_LONG && f->level <= 0);
}

static bool testable(const struct mx_row *row)
{
    return mx_present(&m, row) && !strstr(row->setup, "P=") && !mx_excused(row, "access");
}

static void try_positions(struct trial *t, const struct mx_row *row)
{
    unsigned at[8];
    mx_case_init(&m, &t->k, row);
    unsigned n = positions(t, mx_length_of(&t->k, t->operand), at);
    for (unsigned i = 0; i < n; i++) {
        t->before = at[i];
        if (t->f->how == RATION)
            run_rationed(t, row);
        else
            run_trial(t, row);
    }
}

/* Every row, operand and position with what `like` says. */
static void try_all(const struct trial *like)
{
    for (unsigned i = 0; i < mx_row_count(); i++) {
        struct mx_row row;
        mx_row_get(i, &row);
        if ((like->as && mx_excused(&row, "spaces")) ||
            (like->f->place & REAL && mx_excused(&row, "dat")) ||
            (wraps(like->f) && mx_excused(&row, "top")) ||
            (like->execute && mx_excused(&row, "target")))
            continue;
        for (unsigned o = 0; testable(&row) && o < row.operand_count; o++)
            for (unsigned high = 0; high < 2; high++) {
                struct trial t = *like;
                t.operand = o;
                t.high = high;
                t.k.row = &row;
                if (accessed(&row.operand[o]) && possible(like->f, high))
                    try_positions(&t, &row);
            }
    }
    ck_assert_uint_eq(m.complaints, 0);
}

START_TEST(test_faults)
{
    struct trial t = {.f = &faults[_i]};
    try_all(&t);
}
END_TEST

/* The good page is in the TLB already: accesses that begin on the fast path. */
START_TEST(test_warm)
{
    struct trial t = {.f = &faults[_i], .warm = true};
    if (t.f->how == ENTRY && t.f->level == -1)
        try_all(&t);
}
END_TEST

/* Access-register, secondary-space and home-space mode: TEID bits 62-63 and the exception access
 * identification say so. */
START_TEST(test_spaces)
{
    struct trial t = {.f = &faults[0], .as = (unsigned)_i};
    try_all(&t);
}
END_TEST

/* Access-list-controlled protection, and what access-register translation may end in. */
START_TEST(test_list)
{
    struct trial t = {.f = &list_faults[_i], .as = AS_AR, .list = true};
    try_all(&t);
}
END_TEST

/* ILC and old PSW are those of the EXECUTE. */
START_TEST(test_under_execute)
{
    struct trial t = {.f = &faults[_i & 1 ? 16 : 0], .execute = (unsigned)_i / 2 + 1};
    try_all(&t);
}
END_TEST

/* Stores without a token: the instruction waits before it has done anything, or at its point of
 * progress, then does what it does without waiting. */
#define RATIONED_TRIALS 5
START_TEST(test_rationed)
{
    static const struct trial like[RATIONED_TRIALS] = {{.f = &rationed[0]},
                                                       {.f = &rationed[0], .warm = true},
                                                       {.f = &rationed[0], .execute = 1},
                                                       {.f = &rationed[1]},
                                                       {.f = &rationed[2]}};
    try_all(&like[_i]);
    ck_assert_uint_gt(waits, 1500);
}
END_TEST

/* Operands at real addresses: DAT does not matter, the end of storage and keys do. */
START_TEST(test_real)
{
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);)
        for (unsigned o = 0; o < row.operand_count; o++) {
            struct mx_case k;
            char access = row.operand[o].access;
            if (!strchr("FSK", access) || mx_excused(&row, "real"))
                continue;
            mx_case_init(&m, &k, &row);
            k.ea[o] = OUTSIDE;
            mx_refused(&m, &k, PGM_ADDRESSING, "beyond the end of storage");
            if (access != 'S')
                continue;
            mx_case_init(&m, &k, &row);
            k.mask |= 4ull << PSW_KEY_SHIFT;
            mx_refused(&m, &k, PGM_PROTECTION, "another key");
        }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_matrix_access");
    TCase *tc = tcase_create("access");
    tcase_add_checked_fixture(tc, create, destroy);
    tcase_add_loop_test(tc, test_faults, 0, ARRAY_LEN(faults));
    tcase_add_loop_test(tc, test_warm, 0, ARRAY_LEN(faults));
    tcase_add_loop_test(tc, test_spaces, AS_AR, AS_HOME + 1);
    tcase_add_loop_test(tc, test_list, 0, ARRAY_LEN(list_faults));
    tcase_add_loop_test(tc, test_under_execute, 0, 4);
    tcase_add_test(tc, test_real);
    suite_add_tcase(suite, tc);
    tc = tcase_create("rationed");
    tcase_add_checked_fixture(tc, create, destroy);
    tcase_add_loop_test(tc, test_rationed, 0, RATIONED_TRIALS);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
