/* The linkage stack: stacking, finding, unstacking.
 * Guarantees: every place to be stored into has been seen to be accessible before the first byte
 * is stored, and CR15 changes last; addresses are of 64 bits in every addressing mode.
 * Source: PoP chapter 5, "Stacking Process", "Unstacking Process". */
#include "cpu/linkage/linkage.h"

#include "cpu/linkage/asn.h"
#include "cpu/insn/control.h"

#define ENTRY_MASK                                                                             \
    0xfffffffffffffff8ull /* of CR15 and of the addresses in header and trailer */
#define ADDRESS_VALID 1u
#define TEID_HOME 3u

/* Entry descriptor: the last 8 bytes of every entry. */
#define DESCRIPTOR_BYTES 8u
#define D_TYPE 0 /* unstack-suppression bit, entry type */
#define D_SECTION 1
#define D_FREE 2 /* remaining free space of the section */
#define D_NEXT 4 /* size of the next entry */
#define SUPPRESSED 0x80u
#define TYPE_MASK 0x7fu

/* ---- the home space, with key 0 and 64-bit addresses ---- */

static int home_failed(struct cpu *c, int rc, u64 amask)
{
    c->amask = amask;
    if (rc)
        c->teid |= TEID_HOME;
    return rc;
}

static int stack_fetch(struct cpu *c, u64 at, void *dst, unsigned len)
{
    u64 amask = c->amask;
    c->amask = ~0ull;
    int rc = access_fetch_space(c, cpu_space_of(c, c->cr[13], 0), at, dst, len);
    return home_failed(c, rc, amask);
}

static int stack_put(struct cpu *c, u64 at, const void *src, unsigned len)
{
    u64 amask = c->amask;
    c->amask = ~0ull;
    int rc = access_put_space(c, cpu_space_of(c, c->cr[13], 0), at, src, len);
    return home_failed(c, rc, amask);
}

static int stack_probe(struct cpu *c, u64 at, unsigned len)
{
    u64 amask = c->amask;
    c->amask = ~0ull;
    int rc = access_probe_space(c, cpu_space_of(c, c->cr[13], 0), at, len, TLB_STORE);
    return home_failed(c, rc, amask);
}

/* ---- stacking ---- */

void linkage_image(const struct cpu *c, u8 image[LINKAGE_BYTES], u64 mode, u64 addr)
{
    memset(image, 0, LINKAGE_BYTES);
    for (unsigned i = 0; i < 16; i++) {
        be64_store(image + LINKAGE_GR + 8 * i, c->gr[i]);
        be32_store(image + LINKAGE_AR + 4 * i, c->ar[i]);
    }
    be32_store(image + LINKAGE_PKM, (u32)c->cr[3]);
    be16_store(image + LINKAGE_EAX, (u16)(c->cr[8] >> 16));
    be16_store(image + LINKAGE_PASN, primary_asn(c));
    be64_store(image + LINKAGE_PSW_MASK, (psw_mask(c) & ~(PSW_EA | PSW_BA)) | mode);
    be64_store(image + LINKAGE_PSW_ADDR, addr);
    if (asn_reuse(c)) {
        be32_store(image + LINKAGE_SASTEIN, (u32)(c->cr[3] >> 32));
        be32_store(image + LINKAGE_PASTEIN, (u32)(c->cr[4] >> 32));
    }
}

/* The section is full: go on behind the header of the next one, whose descriptor is fetched. */
static int section_next(struct cpu *c, u64 *at, u8 descriptor[DESCRIPTOR_BYTES])
{
    unsigned left = be16_load(descriptor + D_FREE);
    u8 trailer[8];
    if (left & 7)
        return PGM_STACK_SPECIFICATION;
    TRY(stack_fetch(c, *at + DESCRIPTOR_BYTES + left, trailer, sizeof trailer));
    u64 forward = be64_load(trailer);
    if (!(forward & ADDRESS_VALID))
        return PGM_STACK_FULL;
    *at = forward & ENTRY_MASK;
    TRY(stack_fetch(c, *at, descriptor, DESCRIPTOR_BYTES));
    return be16_load(descriptor + D_FREE) < LINKAGE_BYTES ? PGM_STACK_SPECIFICATION : 0;
}

int linkage_push(struct cpu *c, u8 image[LINKAGE_BYTES], u8 type)
{
    u64 current = c->cr[15] & ENTRY_MASK, before = current;
    u8 d[DESCRIPTOR_BYTES], back[8], size[2], *mine = image + LINKAGE_DESCRIPTOR;
    TRY(stack_fetch(c, current, d, sizeof d));
    if (be16_load(d + D_FREE) < LINKAGE_BYTES)
        TRY(section_next(c, &before, d));
    u64 entry = before + DESCRIPTOR_BYTES;
    mine[D_TYPE] = type;
    mine[D_SECTION] = d[D_SECTION];
    be16_store(mine + D_FREE, (u16)(be16_load(d + D_FREE) - LINKAGE_BYTES));
    be16_store(size, LINKAGE_BYTES);
    be64_store(back, current | ADDRESS_VALID);
    TRY(stack_probe(c, before + D_NEXT, sizeof size));
    if (before != current)
        TRY(stack_probe(c, before - sizeof back, sizeof back));
    TRY(stack_put(c, entry, image, LINKAGE_BYTES));
    if (before != current)
        TRY(stack_put(c, before - sizeof back, back, sizeof back));
    TRY(stack_put(c, before + D_NEXT, size, sizeof size));
    c->cr[15] = entry + LINKAGE_DESCRIPTOR;
    return 0;
}

/* ---- finding and unstacking ---- */

/* From a header entry back to the last entry of the section before. */
static int section_before(struct cpu *c, u64 *at, u8 descriptor[DESCRIPTOR_BYTES],
                          bool returning)
{
    u8 back[8];
    if (returning && (descriptor[D_TYPE] & SUPPRESSED))
        return PGM_STACK_OPERATION;
    TRY(stack_fetch(c, *at - sizeof back, back, sizeof back));
    u64 backward = be64_load(back);
    if (!(backward & ADDRESS_VALID))
        return PGM_STACK_EMPTY;
    *at = backward & ENTRY_MASK;
    TRY(stack_fetch(c, *at, descriptor, DESCRIPTOR_BYTES));
    return (descriptor[D_TYPE] & TYPE_MASK) == LINKAGE_HEADER ? PGM_STACK_SPECIFICATION : 0;
}

int linkage_mode(const struct cpu *c, bool returning)
{
    unsigned as = (c->psw.mask & PSW_AS) >> PSW_AS_SHIFT;
    bool right = (c->psw.mask & PSW_DAT) && as != AS_SECONDARY && !(returning && as == AS_HOME);
    return right ? 0 : PGM_SPECIAL_OPERATION;
}

int linkage_current(struct cpu *c, bool returning, struct linkage_entry *out)
{
    u64 at = c->cr[15] & ENTRY_MASK;
    u8 d[DESCRIPTOR_BYTES];
    TRY(stack_fetch(c, at, d, sizeof d));
    if ((d[D_TYPE] & TYPE_MASK) == LINKAGE_HEADER)
        TRY(section_before(c, &at, d, returning));
    out->type = d[D_TYPE] & TYPE_MASK;
    out->at = at - LINKAGE_DESCRIPTOR;
    if (out->type != LINKAGE_BRANCH && out->type != LINKAGE_CALLED)
        return PGM_STACK_TYPE;
    return returning && (d[D_TYPE] & SUPPRESSED) ? PGM_STACK_OPERATION : 0;
}

int linkage_fetch(struct cpu *c, const struct linkage_entry *e, unsigned at, void *dst,
                  unsigned len)
{
    return stack_fetch(c, e->at + at, dst, len);
}

int linkage_store(struct cpu *c, const struct linkage_entry *e, unsigned at, const void *src,
                  unsigned len)
{
    return stack_put(c, e->at + at, src, len);
}

int linkage_pop_check(struct cpu *c, const struct linkage_entry *e)
{
    return stack_probe(c, e->at - DESCRIPTOR_BYTES + D_NEXT, 2);
}

int linkage_pop(struct cpu *c, const struct linkage_entry *e)
{
    static const u8 none[2] = {0, 0};
    TRY(stack_put(c, e->at - DESCRIPTOR_BYTES + D_NEXT, none, sizeof none));
    c->cr[15] = e->at - DESCRIPTOR_BYTES;
    return 0;
}
