/* Program-event recording: successful branching, instruction fetching and its nullification,
 * storage alteration, store using real address, storage-key alteration, zero-address detection
 * (PoP chapter 4, "Program-Event Recording").
 * While the PSW and CR9 ask for events the run loop executes one instruction at a time through
 * per_step. Spaces selected then are `watched`: no store translation is entered, so each store
 * takes the slow path and per_stored sees it. Without PER nothing of this costs anything.
 * Guarantees: [P1] events of an instruction are reported by the program interruption it causes,
 * or by one of their own behind it, before anything else happens to the CPU. [P2] A store that
 * did not happen because the instruction was nullified or suppressed is not reported.
 * The rules of storage-key alteration are from memory, those of zero-address detection from that
 * and from what Hercules does. */
#include "cpu/event/per.h"

#include "cpu/access.h"
#include "cpu/insn/control.h"
#include "cpu/insn/insn.h"
#include "cpu/event/observe.h"
#include "cpu/event/trace.h"

#define CR9_BRANCH CR_BIT(32)
#define CR9_FETCH CR_BIT(33)
#define CR9_STORE CR_BIT(34)
#define CR9_KEY CR_BIT(35)
#define CR9_STORE_REAL CR_BIT(36)
#define CR9_ZERO CR_BIT(37)
#define CR9_NULLIFY CR_BIT(39)
#define CR9_BRANCH_ADDRESS CR_BIT(40)
#define CR9_STORE_SPACE CR_BIT(42)
#define ASCE_STORE_EVENT 0x80u

/* Assigned storage. */
#define LC_PER_CODE 0x96
#define LC_PER_ADDRESS 0x98
#define LC_PER_ACCESS_ID 0xa1

#define ATMID_VALID 0x40u

void per_select(struct cpu *c)
{
    u8 watch = 0;
    if (c->psw.mask & PSW_PER) {
        u64 later = (has_facility(c, FAC_PERSKA) ? CR9_KEY : 0) |
                    (has_facility(c, FAC_PERZAD) ? CR9_ZERO : 0);
        if (c->cr[9] & (CR9_BRANCH | CR9_FETCH | CR9_STORE | later))
            watch |= WATCH_PER;
        if (c->cr[9] & CR9_STORE)
            watch |= WATCH_STORES;
        if (c->cr[9] & CR9_ZERO & later)
            watch |= WATCH_ZERO;
    }
    if (c->cr[12] & CR12_BRANCH_TRACE)
        watch |= WATCH_BRANCH_TRACE;
    if (c->observe)
        watch |= WATCH_OBSERVED;
    if (c->observe & CPU_SEEN_STORE)
        watch |= WATCH_STORES;
    c->watch = watch;
}

static bool in_area(const struct cpu *c, u64 first, u64 last)
{
    u64 start = c->cr[10], end = c->cr[11];
    if (start <= end)
        return first <= end && last >= start;
    return first <= end || last >= start;
}

/* ---- recognising events ---- */

/* Addressing and translation mode: PSW bits 31, 32, 5, 16 and 17. */
static u8 translation_mode(const struct cpu *c)
{
    u64 m = c->psw.mask;
    unsigned as = (unsigned)(m >> PSW_AS_SHIFT) & 3;
    return (u8)((m & PSW_EA ? 0x80 : 0) | ATMID_VALID | (m & PSW_BA ? 0x20 : 0) |
                (m & PSW_DAT ? 0x10 : 0) | as << 2);
}

/* Fetching of an instruction, or of the target of an EXECUTE, at `ia`. */
static int fetched(struct cpu *c, u64 ia)
{
    if (!(c->watch & WATCH_PER) || !(c->cr[9] & CR9_FETCH) || !in_area(c, ia, ia))
        return 0;
    c->per.code |= PER_FETCH;
    if (!(c->cr[9] & CR9_NULLIFY))
        return 0;
    c->per.code |= PER_NULLIFY;
    return PGM_PER;
}

void per_branched(struct cpu *c, u64 target)
{
    if (!(c->watch & WATCH_PER) || !(c->cr[9] & CR9_BRANCH))
        return;
    if (!(c->cr[9] & CR9_BRANCH_ADDRESS) || in_area(c, target, target))
        c->per.code |= PER_BRANCH;
}

/* The space and access register of the access that the event is about. */
static void space_note(struct cpu *c, const struct tlb_space *sp, unsigned b)
{
    c->per.access_id = cpu_ar_mode(c) ? b & 15 : 0;
    c->per.space_id = sp->dat ? (u8)access_space_id(c, sp) : 0;
}

void per_stored(struct cpu *c, const struct tlb_space *sp, unsigned b, u64 ea, u64 len,
                bool certain)
{
    u64 last = (ea + len - 1) & c->amask;
    observe_store(c, ea, len);
    if (!(c->watch & WATCH_PER) || !(c->cr[9] & CR9_STORE))
        return;
    if (sp->dat && (c->cr[9] & CR9_STORE_SPACE) && !(sp->asce & ASCE_STORE_EVENT))
        return;
    if (last >= ea ? !in_area(c, ea, last) : !in_area(c, ea, c->amask) && !in_area(c, 0, last))
        return;
    if (certain)
        c->per.code |= PER_STORE;
    else
        c->per.maybe |= PER_STORE;
    space_note(c, sp, b);
}

/* Base zero, or base and index together zero; the index alone counts when there is no base. */
static bool made_from_zero(const struct cpu *c, unsigned b)
{
    unsigned x = c->per.index;
    u64 base = c->gr[b] & c->amask;
    if (b == 16)
        return x != 16 && !(c->gr[x] & c->amask);
    return !base || (x != 16 && !((base + c->gr[x]) & c->amask));
}

void per_addressed(struct cpu *c, const struct tlb_space *sp, unsigned b)
{
    if (!(c->watch & WATCH_ZERO) || !made_from_zero(c, b))
        return;
    if (!((c->per.code | c->per.maybe) & PER_STORE))
        space_note(c, sp, b);
    c->per.maybe |= PER_ZERO;
}

void per_key_set(struct cpu *c, u64 abs)
{
    if ((c->watch & WATCH_PER) && (c->cr[9] & CR9_KEY) && has_facility(c, FAC_PERSKA) &&
        in_area(c, abs, abs + FRAME_BYTES - 1))
        c->per.code |= PER_KEY;
}

int per_put_unwatched(struct cpu *c, struct tlb_space *sp, u64 ea, const void *src, u64 len)
{
    u8 code = c->per.code;
    int rc = access_put_space(c, sp, ea, src, len);
    c->per.code = code;
    return rc;
}

int per_put_real(struct cpu *c, struct tlb_space *sp, u64 real, const void *src, u64 len)
{
    int rc = per_put_unwatched(c, sp, real, src, len);
    u64 masks = CR9_STORE | CR9_STORE_REAL;
    if (rc == 0 && (c->watch & WATCH_PER) && (c->cr[9] & masks) == masks)
        c->per.code |= PER_STORE | PER_STORE_REAL;
    return rc;
}

/* ---- one instruction ---- */

/* The index register of the instruction `text`, 16 when it has none. */
static u8 index_of(const u8 *text)
{
    const struct isa_entry *e = isa_find(text);
    unsigned x = text[1] & 15;
    if (!e || x == 0)
        return 16;
    switch (e->format) {
    case FMT_RX:
    case FMT_RX_M:
    case FMT_RXE:
    case FMT_RXF:
    case FMT_RXY:
    case FMT_RXY_M: return (u8)x;
    default: return 16;
    }
}

int per_execute_target(struct cpu *c, u64 ia, const u8 *text)
{
    c->per.index = index_of(text);
    TRY(fetched(c, ia));
    return c->watch & WATCH_BRANCH_TRACE ? trace_branch_insn(c, text) : 0;
}

static int step_begin(struct cpu *c, const u8 *insn)
{
    c->per = (struct per_events){
        .address = c->psw.addr, .mode = translation_mode(c), .index = index_of(insn)};
    int rc = fetched(c, c->psw.addr);
    if (rc == 0 && (c->watch & WATCH_BRANCH_TRACE))
        rc = trace_branch_insn(c, insn);
    if (rc) {
        c->ilc = (u8)isa_length(insn[0]);
        c->psw.addr = (c->psw.addr + c->ilc) & c->amask;
    }
    return rc;
}

int per_step(struct cpu *c, const struct dinsn *d, const u8 *insn)
{
    u8 length = (u8)isa_length(insn[0]);
    if (c->watch & WATCH_OBSERVED)
        observe_begin(c, insn);
    TRY(step_begin(c, insn));
    int rc = cpu_run_slot(c, d);
    if (rc > 0)
        return rc;
    if (c->bear_slot)
        per_branched(c, c->psw.addr);
    if (c->observed.executing && rc != CPU_AGAIN)
        observe_end(c, c->bear_slot || rc == CPU_PSW_LOADED);
    c->per.code |= c->per.maybe;
    if (!c->per.code || rc == CPU_ICPT)
        return rc;
    c->ilc = length;
    return PGM_PER;
}

/* ---- reporting ---- */

unsigned per_take(struct cpu *c, u8 *lc, unsigned code, bool completed)
{
    struct per_events *e = &c->per;
    if (completed)
        e->code |= e->maybe;
    if (!e->code)
        return code;
    if (e->code & PER_STORE)
        e->code &= (u8)~PER_ZERO; /* the alteration alone is told */
    bool space = (e->code & (PER_STORE | PER_STORE_REAL)) == PER_STORE || (e->code & PER_ZERO);
    lc[LC_PER_CODE] = e->code;
    lc[LC_PER_CODE + 1] = (u8)(e->mode | (space ? e->space_id : 0));
    be64_store(lc + LC_PER_ADDRESS, e->address);
    lc[LC_PER_ACCESS_ID] = space ? e->access_id : 0;
    e->code = e->maybe = 0;
    return code | PGM_PER;
}

void per_forget(struct cpu *c)
{
    c->per.code = c->per.maybe = 0;
}

void per_finish(struct cpu *c)
{
    if (unlikely(c->per.code))
        cpu_program_interruption(c, PGM_PER);
}
