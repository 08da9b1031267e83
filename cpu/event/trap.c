/* TRAP2 and TRAP4 (PoP chapter 10, "Trap"): the dispatchable-unit control table says whether
 * traps are enabled and where the trap control block is; that says where to save and where to go
 * on. Block and save area are in the home address space and accessed with the PSW key.
 * Everything that can fail comes before the save area is stored, and that before registers. */
#include "cpu/event/trap.h"

#include "cpu/access.h"
#include "cpu/event/trace.h"
#include "mem/dat.h"

#define CR2_DUCT 0x7fffffc0u
#define DUCT_TRAP 44
#define DUCT_TRAP_BLOCK 0x7ffffff8u
#define DUCT_TRAP_ENABLED 1u
#define BLOCK_BYTES 24
#define BLOCK_PSW_CONTROL 0x00040000u /* 16-byte PSW, allowed in the 64-bit mode */
#define BLOCK_GR_CONTROL 0x00020000u  /* 64-bit general registers */
#define SAVE_BYTES_MAX (32 + 16 * 8)
#define FLAG_EXECUTED 0x80000000u
#define FLAG_TRAP4 0x40000000u
#define ESA_PSW_BIT12 0x0008000000000000ull
#define ADDR31 0x7fffffffu

/* The word of the DUCT about traps; they must be enabled. */
static int duct_word(struct cpu *c, u32 *word)
{
    u8 bytes[4];
    u64 real = (c->cr[2] & CR2_DUCT) + DUCT_TRAP;
    unsigned as = (c->psw.mask & PSW_AS) >> PSW_AS_SHIFT;
    if (!(c->psw.mask & PSW_DAT) || (as != AS_PRIMARY && as != AS_AR))
        return PGM_SPECIAL_OPERATION;
    if (!storage_read(c->st, dat_real_to_abs(real, c->prefix), bytes, sizeof bytes))
        return PGM_ADDRESSING;
    *word = be32_load(bytes);
    return *word & DUCT_TRAP_ENABLED ? 0 : PGM_SPECIAL_OPERATION;
}

/* The PSW of bytes 16-31, in the format the control block asks for. */
static void save_psw(const struct cpu *c, const struct trap *t, bool wide, u8 *p)
{
    u64 mask = psw_mask(c);
    if (wide) {
        be64_store(p, mask);
        be64_store(p + 8, t->next);
        return;
    }
    be64_store(p, mask | ESA_PSW_BIT12 | (t->next & ADDR31));
    be64_store(p + 8, 0);
}

/* Fill the save area; its length. */
static unsigned save_area(const struct cpu *c, const struct trap *t, u32 control, u8 *p)
{
    memset(p, 0, 32);
    be32_store(p, (u32)t->ilc << 16 | (t->executed ? FLAG_EXECUTED : 0) |
                      (t->trap4 ? FLAG_TRAP4 : 0));
    be32_store(p + 8, (u32)t->operand & ADDR31);
    be32_store(p + 12, c->ar[15]);
    save_psw(c, t, control & BLOCK_PSW_CONTROL, p + 16);
    unsigned width = control & BLOCK_GR_CONTROL ? 8 : 4;
    for (unsigned i = 0; i < 16; i++) {
        if (width == 8)
            be64_store(p + 32 + 8 * i, c->gr[i]);
        else
            be32_store(p + 32 + 4 * i, (u32)c->gr[i]);
    }
    return 32 + 16 * width;
}

/* Addresses have 31 bits in any addressing mode: a page at a time, so that none is wrapped. */
static u64 page_part(u64 at, u64 len)
{
    u64 room = FRAME_BYTES - (at & (FRAME_BYTES - 1));
    return len < room ? len : room;
}

static int home_fetch(struct cpu *c, struct tlb_space *home, u64 at, u8 *p, u64 len)
{
    u64 here = page_part(at, len);
    TRY(access_fetch_space(c, home, at, p, here));
    return access_fetch_space(c, home, (at + here) & ADDR31, p + here, len - here);
}

static int home_probe(struct cpu *c, struct tlb_space *home, u64 at, u64 len)
{
    u64 here = page_part(at, len);
    TRY(cpu_translate(c, home, at, TLB_STORE));
    return len > here ? cpu_translate(c, home, (at + here) & ADDR31, TLB_STORE) : 0;
}

static int home_put(struct cpu *c, struct tlb_space *home, u64 at, const u8 *p, u64 len)
{
    u64 here = page_part(at, len);
    TRY(access_put_space(c, home, at, p, here));
    return access_put_space(c, home, (at + here) & ADDR31, p + here, len - here);
}

int trap_take(struct cpu *c, const struct trap *t)
{
    u8 block[BLOCK_BYTES], area[SAVE_BYTES_MAX];
    u32 word;
    TRY(duct_word(c, &word));
    struct tlb_space *home = cpu_space_of(c, c->cr[13], c->access_key);
    u64 block_at = word & DUCT_TRAP_BLOCK;
    TRY(home_fetch(c, home, block_at, block, sizeof block));
    u32 control = be32_load(block);
    u64 save_at = be32_load(block + 12) & DUCT_TRAP_BLOCK;
    u64 target = be32_load(block + 20) & ADDR31;
    if (!(control & BLOCK_PSW_CONTROL) && (c->psw.mask & PSW_EA))
        return PGM_SPECIAL_OPERATION;
    unsigned len = save_area(c, t, control, area);
    TRY(home_probe(c, home, save_at, len));
    TRY(trace_branch(c, PSW_BA, target));
    TRY(home_put(c, home, save_at, area, len));
    if (c->psw.mask & PSW_EA)
        c->gr[15] = block_at;
    else
        c->gr[15] = (c->gr[15] & ~0xffffffffull) | block_at;
    c->psw.mask = (c->psw.mask & ~(PSW_EA | PSW_AS)) | PSW_BA;
    cpu_mode_changed(c);
    c->psw.addr = target;
    return CPU_TAKEN;
}
