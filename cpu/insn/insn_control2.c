/* Control instructions, second part (PoP chapters 4, 10 and 14): rows in isa_control2.def.
 * What belongs to the channel subsystem or to CP ends in an interception, with its operands
 * decoded and everything checked that the CPU has to check. */
#include "cpu/insn/control.h"
#include "cpu/event/trace.h"
#include "cpu/event/trap.h"

#define STSI_LEVEL_VM 3u
#define STSI_TOPOLOGY 15u

/* ---- timing ---- */

/* B205 STCK, STORE CLOCK */
INSN(stck)
{
    return timing_store_clock(c, ea_b(c, d), d->b2, false);
}

/* B27C STCKF, STORE CLOCK FAST */
INSN(stckf)
{
    return timing_store_clock(c, ea_b(c, d), d->b2, true);
}

/* B278 STCKE, STORE CLOCK EXTENDED */
INSN(stcke)
{
    return timing_store_clock_extended(c, ea_b(c, d), d->b2);
}

/* B204 SCK, SET CLOCK */
INSN(sck)
{
    return timing_set_clock(c, ea_b(c, d), d->b2);
}

/* 0107 SCKPF, SET CLOCK PROGRAMMABLE FIELD */
INSN(sckpf)
{
    UNUSED_D;
    return timing_set_programmable(c);
}

/* B206 SCKC, SET CLOCK COMPARATOR */
INSN(sckc)
{
    return timing_set_comparator(c, ea_b(c, d), d->b2);
}

/* B207 STCKC, STORE CLOCK COMPARATOR */
INSN(stckc)
{
    return timing_store_comparator(c, ea_b(c, d), d->b2);
}

/* B208 SPT, SET CPU TIMER */
INSN(spt)
{
    return timing_set_timer(c, ea_b(c, d), d->b2);
}

/* B209 STPT, STORE CPU TIMER */
INSN(stpt)
{
    return timing_store_timer(c, ea_b(c, d), d->b2);
}

/* 0104 PTFF, PERFORM TIMING FACILITY FUNCTION */
INSN(ptff)
{
    UNUSED_D;
    return timing_perform_function(c);
}

/* C81 ECTG, EXTRACT CPU TIME */
INSN(ectg)
{
    return timing_extract_cpu_time(c, d);
}

/* ---- attributes, signalling, tracing ---- */

/* One attribute of a cache: line size, total size, associativity; ~0 when there is none. */
static u64 cache_attribute(unsigned attribute, unsigned level)
{
    static const u64 size_bytes[3] = {128 << 10, 3 << 20, 24 << 20};
    if (level > 2)
        return ~0ull;
    switch (attribute) {
    case 1: return 256;
    case 2: return size_bytes[level];
    case 3: return level == 0 ? 8 : 12;
    default: return ~0ull;
    }
}

/* EB4C ECAG, EXTRACT CPU ATTRIBUTE */
INSN(ecag)
{
    u64 ea = ea_b(c, d);
    unsigned attribute = ea >> 4 & 15, level = ea >> 1 & 7;
    /* level 1 private and split, level 2 private, level 3 shared */
    c->gr[d->r1] = attribute == 0 ? 0x04070b0000000000ull : cache_attribute(attribute, level);
    return 0;
}

/* AE SIGP, SIGNAL PROCESSOR */
INSN(sigp)
{
    return sigp_execute(c, d);
}

/* TRACE and TRACG: bit 0 of the operand word says no; 4 or 8 bytes of each register. */
static int trace_if_asked(struct cpu *c, const struct dinsn *d, unsigned width)
{
    u64 ea = ea_b(c, d);
    u32 operand;
    if (!(c->cr[12] & CR12_EXPLICIT_TRACE))
        return 0;
    if (ea & 3)
        return PGM_SPECIFICATION;
    TRY(load_u32(c, ea, d->b2, &operand));
    return operand >> 31 ? 0 : trace_explicit(c, d->r1, d->r3, operand, width);
}

/* 99 TRACE */
INSN(trace)
{
    return trace_if_asked(c, d, 4);
}

/* EB0F TRACG */
INSN(tracg)
{
    return trace_if_asked(c, d, 8);
}

static int trap(struct cpu *c, const struct dinsn *d, unsigned len, u64 operand)
{
    struct trap t = {.trap4 = len == 4,
                     .executed = c->ex_active,
                     .ilc = c->ex_active ? c->ilc : (u8)len,
                     .operand = operand,
                     .next = insn_next_ia(c, d, len) & c->amask};
    return trap_take(c, &t);
}

/* 01FF TRAP2 */
INSN(trap2)
{
    return trap(c, d, 2, 0);
}

/* B2FF TRAP4 */
INSN(trap4)
{
    return trap(c, d, 4, ea_b(c, d));
}

/* ---- interceptions ---- */

/* Hand the instruction over; the PSW will point behind it. */
static int intercept(struct cpu *c, const struct dinsn *d, enum cpu_icpt_kind kind, u16 op,
                     u64 ea)
{
    unsigned length = op >> 8 < 0x40 ? 2 : 4;
    c->icpt = (struct cpu_icpt){
        .kind = kind, .op = op, .r1 = d->r1, .r2 = d->r2, .r3 = d->r3, .ar = d->b2, .ea = ea};
    /* under EXECUTE it is the EXECUTE that would be done again */
    c->again_addr = c->ex_active ? c->ex_next - length : insn_ia(c, d);
    c->again_cc = c->cc;
    return CPU_ICPT;
}

/* 83 DIAG, DIAGNOSE */
INSN(diag)
{
    return intercept(c, d, ICPT_DIAG, 0x8300, ea_b(c, d) & 0xffff);
}

/* B220 SERVC, SERVICE CALL */
INSN(servc)
{
    return intercept(c, d, ICPT_SERVC, 0xb220, 0);
}

/* B9A2 PTF, PERFORM TOPOLOGY FUNCTION */
INSN(ptf)
{
    return topology_perform(c, d->r1);
}

/* B27D STSI, STORE SYSTEM INFORMATION: what needs no data is settled here */
INSN(stsi)
{
    unsigned function = gr32(c, 0) >> 28;
    u64 ea = ea_b(c, d);
    bool topology = function == STSI_TOPOLOGY && has_facility(c, FAC_TOPO);
    if (function > STSI_LEVEL_VM && !topology) {
        c->cc = 3;
        return 0;
    }
    if ((gr32(c, 0) & 0x0fffff00u) || (gr32(c, 1) & 0xffff0000u))
        return PGM_SPECIFICATION;
    if (function && ea & (FRAME_BYTES - 1))
        return PGM_SPECIFICATION;
    return intercept(c, d, ICPT_STSI, 0xb27d, ea);
}

/* B256 STHYI, STORE HYPERVISOR INFORMATION */
INSN(sthyi)
{
    return intercept(c, d, ICPT_STHYI, 0xb256, 0);
}

/* B2F0 IUCV */
INSN(iucv)
{
    return intercept(c, d, ICPT_IUCV, 0xb2f0, ea_b(c, d));
}

/* An I/O instruction with a storage operand, aligned on `align` bytes. */
static int intercept_io(struct cpu *c, const struct dinsn *d, u16 op, unsigned align)
{
    u64 ea = ea_b(c, d);
    return ea & (align - 1) ? PGM_SPECIFICATION : intercept(c, d, ICPT_IO, op, ea);
}

/* B230 CSCH, CLEAR SUBCHANNEL */
INSN(csch)
{
    return intercept(c, d, ICPT_IO, 0xb230, 0);
}

/* B231 HSCH, HALT SUBCHANNEL */
INSN(hsch)
{
    return intercept(c, d, ICPT_IO, 0xb231, 0);
}

/* B232 MSCH, MODIFY SUBCHANNEL */
INSN(msch)
{
    return intercept_io(c, d, 0xb232, 4);
}

/* B233 SSCH, START SUBCHANNEL */
INSN(ssch)
{
    return intercept_io(c, d, 0xb233, 4);
}

/* B234 STSCH, STORE SUBCHANNEL */
INSN(stsch)
{
    return intercept_io(c, d, 0xb234, 4);
}

/* B235 TSCH, TEST SUBCHANNEL */
INSN(tsch)
{
    return intercept_io(c, d, 0xb235, 4);
}

/* B236 TPI, TEST PENDING INTERRUPTION */
INSN(tpi)
{
    return intercept_io(c, d, 0xb236, 4);
}

/* B237 SAL, SET ADDRESS LIMIT */
INSN(sal)
{
    return intercept(c, d, ICPT_IO, 0xb237, 0);
}

/* B238 RSCH, RESUME SUBCHANNEL */
INSN(rsch)
{
    return intercept(c, d, ICPT_IO, 0xb238, 0);
}

/* B239 STCRW, STORE CHANNEL REPORT WORD */
INSN(stcrw)
{
    return intercept_io(c, d, 0xb239, 4);
}

/* B23A STCPS, STORE CHANNEL PATH STATUS */
INSN(stcps)
{
    return intercept_io(c, d, 0xb23a, 32);
}

/* B23B RCHP, RESET CHANNEL PATH */
INSN(rchp)
{
    return intercept(c, d, ICPT_IO, 0xb23b, 0);
}

/* B23C SCHM, SET CHANNEL MONITOR */
INSN(schm)
{
    return intercept(c, d, ICPT_IO, 0xb23c, 0);
}

/* B276 XSCH, CANCEL SUBCHANNEL */
INSN(xsch)
{
    return intercept(c, d, ICPT_IO, 0xb276, 0);
}

/* B25F CHSC, CHANNEL SUBSYSTEM CALL: the block's address is in R1 */
INSN(chsc)
{
    u64 block = reg_addr(c, d->r1);
    return block & (FRAME_BYTES - 1) ? PGM_SPECIFICATION
                                     : intercept(c, d, ICPT_IO, 0xb25f, block);
}

/* B274 SIGA, SIGNAL ADAPTER */
INSN(siga)
{
    return intercept(c, d, ICPT_IO, 0xb274, ea_b(c, d));
}

#define CHAPTER_DEF "cpu/isa/isa_control2.def"
#define CHAPTER_NAME isa_control2
#include "cpu/insn/insn_chapter.h"
