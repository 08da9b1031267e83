/* Interceptions of I/O, SERVICE CALL and the like: fetch operands, ask the layer they belong to,
 * store results, set the condition code. Runs on the processor thread.
 * Rule: storage operands are checked before anything is consumed (PoP, "Access Exceptions"). */
#include "hyp/iucv/iucv.h"
#include "hyp/vm_internal.h"
#include "mem/base/ergo.h"

#define GR1 1
#define PGM_OPERATION_CODE 0x01
#define PGM_SPECIFICATION_CODE 0x06
#define PGM_OPERAND_CODE 0x15

enum io_op {
    OP_CSCH = 0xb230,
    OP_HSCH = 0xb231,
    OP_MSCH = 0xb232,
    OP_SSCH = 0xb233,
    OP_STSCH = 0xb234,
    OP_TSCH = 0xb235,
    OP_TPI = 0xb236,
    OP_SAL = 0xb237,
    OP_RSCH = 0xb238,
    OP_STCRW = 0xb239,
    OP_STCPS = 0xb23a,
    OP_RCHP = 0xb23b,
    OP_SIGA = 0xb274,
    OP_SCHM = 0xb23c,
    OP_CHSC = 0xb25f,
    OP_XSCH = 0xb276,
};

static void finish(struct vcpu *v, int rc)
{
    if (rc < 0)
        cpu_finish_pgm(v->cpu, (unsigned)-rc);
    else
        cpu_finish_cc(v->cpu, (unsigned)rc);
}

/* Operand checks that come before fetching: word alignment, and the identification word. */
static bool bad_operand(struct vcpu *v, const struct cpu_icpt *k, bool needs_schid,
                        unsigned align)
{
    if (align > 1 && k->ea % align) {
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
        return true;
    }
    if (needs_schid && !css_schid_valid(v->vm->css, (u32)cpu_gr(v->cpu)[GR1])) {
        cpu_finish_pgm(v->cpu, PGM_OPERAND_CODE);
        return true;
    }
    return false;
}

static void icpt_with_input(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 block[SCHIB_BYTES] = {0};
    u32 schid = (u32)cpu_gr(v->cpu)[GR1];
    bool ssch = k->op == OP_SSCH;
    if (bad_operand(v, k, true, 4))
        return;
    int rc =
        cpu_read_logical(v->cpu, k->ea, k->ar, block, ssch ? ORB_SHORT_BYTES : SCHIB_BYTES);
    if (!rc && ssch && css_orb_extended(block))
        rc = cpu_read_logical(v->cpu, k->ea, k->ar, block, ORB_BYTES);
    if (rc)
        cpu_finish_pgm(v->cpu, (unsigned)rc);
    else
        finish(v, ssch ? attempt_ssch(v, schid, block) : css_msch(v->vm->css, schid, block));
}

/* TSCH and STSCH: the area must be known to be storable before status is taken. */
static void icpt_with_output(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 block[IRB_BYTES];
    u32 schid = (u32)cpu_gr(v->cpu)[GR1];
    size_t len = k->op == OP_TSCH ? IRB_BYTES : SCHIB_BYTES;
    if (bad_operand(v, k, true, 4))
        return;
    int rc = cpu_probe_logical(v->cpu, k->ea, k->ar, len);
    if (rc) {
        cpu_finish_pgm(v->cpu, (unsigned)rc);
        return;
    }
    int cc = k->op == OP_TSCH ? css_tsch(v->vm->css, schid, block, &len)
                              : css_stsch(v->vm->css, schid, block);
    if (cc == 0 || (cc == 1 && k->op == OP_TSCH))
        rc = cpu_write_logical(v->cpu, k->ea, k->ar, block, len);
    ERGO(rc == 0);
    finish(v, cc);
}

static void icpt_tpi(struct vcpu *v, const struct cpu_icpt *k)
{
    struct io_interruption found;
    u8 words[12];
    bool lowcore = k->ea == 0;
    size_t len = lowcore ? 12 : 8;
    if (bad_operand(v, k, false, 4))
        return;
    int rc = lowcore ? 0 : cpu_probe_logical(v->cpu, k->ea, k->ar, len);
    if (rc) {
        cpu_finish_pgm(v->cpu, (unsigned)rc);
        return;
    }
    int cc = css_tpi(v->vm->css, (u8)(cpu_cr(v->cpu)[6] >> 24), &found);
    if (cc == 1) {
        be32_store(words, found.schid);
        be32_store(words + 4, found.parm);
        be32_store(words + 8, found.int_word);
        if (lowcore)
            storage_write(v->vm->st, cpu_real_to_abs(v->cpu, 184), words, len);
        else
            cpu_write_logical(v->cpu, k->ea, k->ar, words, len);
    }
    finish(v, cc);
}

static void icpt_stcrw(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 crw[CRW_BYTES];
    if (bad_operand(v, k, false, 4))
        return;
    int rc = cpu_probe_logical(v->cpu, k->ea, k->ar, sizeof crw);
    if (rc) {
        cpu_finish_pgm(v->cpu, (unsigned)rc);
        return;
    }
    int cc = css_stcrw(v->vm->css, crw);
    cpu_write_logical(v->cpu, k->ea, k->ar, crw, sizeof crw);
    finish(v, cc);
}

static void icpt_stcps(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 status[32];
    if (bad_operand(v, k, false, 32))
        return;
    int cc = css_stcps(v->vm->css, status);
    int rc = cpu_write_logical(v->cpu, k->ea, k->ar, status, sizeof status);
    finish(v, rc ? -rc : cc);
}

static void icpt_chsc(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 page[CHSC_BYTES];
    if (bad_operand(v, k, false, sizeof page))
        return;
    int rc = cpu_read_logical(v->cpu, k->ea, k->r1, page, sizeof page);
    if (!rc)
        rc = cpu_probe_logical(v->cpu, k->ea, k->r1, sizeof page);
    if (rc) {
        cpu_finish_pgm(v->cpu, (unsigned)rc);
        return;
    }
    int cc = css_chsc(v->vm->css, page);
    if (cc >= 0)
        cpu_write_logical(v->cpu, k->ea, k->r1, page, sizeof page);
    finish(v, cc);
}

static void icpt_simple(struct vcpu *v, const struct cpu_icpt *k)
{
    struct css *css = v->vm->css;
    u64 gr1 = cpu_gr(v->cpu)[GR1];
    bool by_schid =
        k->op == OP_CSCH || k->op == OP_HSCH || k->op == OP_RSCH || k->op == OP_XSCH;
    if (bad_operand(v, k, by_schid, 1))
        return;
    switch (k->op) {
    case OP_CSCH: finish(v, css_csch(css, (u32)gr1)); break;
    case OP_HSCH: finish(v, css_hsch(css, (u32)gr1)); break;
    case OP_RSCH: finish(v, css_rsch(css, (u32)gr1)); break;
    case OP_XSCH: finish(v, css_xsch(css, (u32)gr1)); break;
    case OP_RCHP: finish(v, css_rchp(css, gr1)); break;
    case OP_SAL: finish(v, css_sal(css, gr1)); break;
    case OP_SCHM: finish(v, css_schm(css, gr1, cpu_gr(v->cpu)[2])); break;
    default: cpu_finish_pgm(v->cpu, PGM_OPERATION_CODE); break;
    }
}

/* The second operand is not used, but for its bits. */
static void icpt_siga(struct vcpu *v)
{
    const u64 *gr = cpu_gr(v->cpu);
    finish(v, css_siga(v->vm->css, (u32)gr[0], (u32)gr[GR1], (u32)gr[2], (u32)gr[3]));
}

static void icpt_io(struct vcpu *v, const struct cpu_icpt *k)
{
    switch (k->op) {
    case OP_SSCH:
    case OP_MSCH: icpt_with_input(v, k); break;
    case OP_TSCH:
    case OP_STSCH: icpt_with_output(v, k); break;
    case OP_TPI: icpt_tpi(v, k); break;
    case OP_STCRW: icpt_stcrw(v, k); break;
    case OP_STCPS: icpt_stcps(v, k); break;
    case OP_CHSC: icpt_chsc(v, k); break;
    case OP_SIGA: icpt_siga(v); break;
    default: icpt_simple(v, k); break;
    }
}

static void icpt_servc(struct vcpu *v, const struct cpu_icpt *k)
{
    u64 *gr = cpu_gr(v->cpu);
    u64 sccb = cpu_real_to_abs(v->cpu, gr[k->r2] & 0x7fffffffu);
    finish(v, sclp_service_call(v->vm->sclp, (u32)gr[k->r1], sccb));
}

bool icpt_handle(struct vcpu *v)
{
    const struct cpu_icpt *k = cpu_intercept(v->cpu);
    switch (k->kind) {
    case ICPT_IO: icpt_io(v, k); return true;
    case ICPT_SERVC: icpt_servc(v, k); return true;
    case ICPT_STSI: icpt_stsi(v, k); return true;
    case ICPT_DIAG: return icpt_diag(v, k);
    case ICPT_IUCV: return icpt_iucv(v, k);
    case ICPT_STHYI: cpu_finish_pgm(v->cpu, PGM_OPERATION_CODE); return true;
    }
    return true;
}
