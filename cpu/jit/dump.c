/* Guest and host code of a region as text, for people and for tests/lib/jit_text.py, which puts
 * objdump's text in the place of the host bytes. */
#include "cpu/insn/insn_general.h"
#include "cpu/jit/emit_internal.h"

#define HOST_BYTES_A_LINE 32u

static void guest_insn(FILE *out, const struct jit_cx *x, const struct jit_insn *i)
{
    u8 text[6] = {0};
    char line[96];
    u64 at = x->pages[i->page].addr + i->slot * 2u;
    memcpy(text, x->c->st->base + x->pages[i->page].page->abs + i->slot * 2u, i->len);
    isa_disassemble(text, at, line, sizeof line);
    fprintf(out, "  %012llx  ", (unsigned long long)at);
    for (unsigned k = 0; k < sizeof text; k++)
        if (k < i->len)
            fprintf(out, "%02x", text[k]);
        else
            fputs("  ", out);
    fprintf(out, "  %s%s\n", line, i->lo ? "" : "\t(body)");
}

static void guest_block(FILE *out, const struct jit_cx *x, unsigned k)
{
    const struct jit_block *b = &x->block[k];
    fprintf(out, " block %u", k);
    if (b->fall >= 0)
        fprintf(out, ", falls to %d", b->fall);
    if (b->taken >= 0)
        fprintf(out, ", branches to %d", b->taken);
    fputs(k == x->entry_block ? " (entry)\n" : "\n", out);
    for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++)
        guest_insn(out, x, &x->insn[i]);
}

static void residents(FILE *out, const struct jit_cx *x)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    bool used[ZONES_MAX] = {false};
    for (unsigned k = 0; k < x->blocks; k++)
        used[x->block[k].zone] = true;
    for (unsigned n = 0; n < x->zone_count; n++) {
        const struct jit_zone *z = &x->zones[n];
        if (!used[n])
            continue;
        fprintf(out, n ? " registers of the loop at block %d:" : " registers:", z->head);
        for (unsigned g = 0; g < 16; g++)
            if (z->host[g] != HOST_NONE)
                fprintf(out, " %%r%u=%s%s", g, names[z->host[g]],
                        z->low_class >> g & 1 ? " (low half)" : "");
        fputc('\n', out);
    }
}

/* Addresses that the host code of this region contains. */
static void pointers(FILE *out, const struct jit_cx *x)
{
    fprintf(out, "legend slots %lx\n", (unsigned long)(uintptr_t)x->page->slot);
    fprintf(out, "legend sites %lx %zu\n", (unsigned long)(uintptr_t)x->jit->sites,
            sizeof x->jit->sites);
    fprintf(out, "legend function leave_page %lx\n",
            (unsigned long)(uintptr_t)x->jit->leave_page);
    static const char *const common[COMMON_COUNT] = {[COMMON_MOVE] = "move",
                                                     [COMMON_COMPARE] = "compare",
                                                     [COMMON_FILL] = "fill",
                                                     [COMMON_AND] = "and",
                                                     [COMMON_OR] = "or",
                                                     [COMMON_XOR] = "xor",
                                                     [COMMON_PIECES] = "pieces",
                                                     [COMMON_FP_STORE] = "fp_store",
                                                     [COMMON_FP_LOAD] = "fp_load",
                                                     [COMMON_LOAD] = "load",
                                                     [COMMON_LOAD_RELATIVE] = "load_relative",
                                                     [COMMON_BODY] = "body",
                                                     [COMMON_ANCHOR_FILL] = "anchor_fill",
                                                     [COMMON_ANCHOR_LOOK] = "anchor_look"};
    for (unsigned k = 0; k < COMMON_COUNT; k++)
        fprintf(out, "legend function common_%s %lx\n", common[k],
                (unsigned long)(uintptr_t)x->jit->common[k]);
    fprintf(out, "legend function fp_cc_wide %lx\nlegend function fp_cc_narrow %lx\n",
            (unsigned long)(uintptr_t)fp_cc_wide, (unsigned long)(uintptr_t)fp_cc_narrow);
    for (unsigned i = 0; i < x->insns; i++)
        fprintf(out, "legend function insn_%s %lx\n", x->insn[i].row->mnemonic,
                (unsigned long)(uintptr_t)x->insn[i].row->body);
}

static void host_code(FILE *out, const char *name, const u8 *code, size_t bytes)
{
    for (size_t at = 0; at < bytes; at++) {
        if (at % HOST_BYTES_A_LINE == 0)
            fprintf(out, "%s %s %p ", at ? "\n" : "", name, (const void *)(code + at));
        fprintf(out, "%02x", code[at]);
    }
    if (bytes)
        fputc('\n', out);
}

void jit_dump(FILE *out, const struct jit_cx *x, const struct jit_region *r)
{
    u64 at = x->c->ia_page + 2ull * x->entry_slot;
    fprintf(out,
            "region at %012llx: %u instructions in %u blocks, %u + %u bytes of host code\n",
            (unsigned long long)at, x->insns, x->blocks, r->bytes, r->cold_bytes);
    residents(out, x);
    pointers(out, x);
    for (unsigned k = 0; k < x->blocks; k++)
        guest_block(out, x, k);
    host_code(out, "host", (const u8 *)(uintptr_t)r->code, r->bytes);
    host_code(out, "rare", r->cold, r->cold_bytes);
    fputc('\n', out);
}

/* ---- what numbers in host code mean ---- */

#define FIELD(member)                                                                          \
    {                                                                                          \
#member, offsetof(struct cpu, member), sizeof(((struct cpu *)0)->member)               \
    }

void jit_dump_legend(FILE *out)
{
    static const struct {
        const char *name;
        size_t at, bytes;
    } fields[] = {
        FIELD(gr),       FIELD(psw.mask),   FIELD(psw.addr),  FIELD(amask),
        FIELD(space),    FIELD(ispace),     FIELD(code_base), FIELD(ia_page),
        FIELD(scratch),  FIELD(storage),    FIELD(bear_slot), FIELD(cc),
        FIELD(jit_mode), FIELD(fpc),        FIELD(vr),        FIELD(cr),
        FIELD(ar),       FIELD(bear),       FIELD(heat),      FIELD(jit_broken),
        FIELD(n),        FIELD(jit_anchor), FIELD(jit_kept),  FIELD(jit_reverse),
    };
    static const struct {
        const char *name;
        uintptr_t at;
    } functions[] = {
#define FUNCTION(name) {#name, (uintptr_t)(name)}
        FUNCTION(access_load_slow), FUNCTION(general_load_rel_slow),
        FUNCTION(cpu_branch_slow),  FUNCTION(jit_body_result),
        FUNCTION(jit_broken),       FUNCTION(jit_hot_go),
        FUNCTION(jit_stop),         FUNCTION(jit_interpret),
        FUNCTION(jit_window_fill),  FUNCTION(jit_anchor_fill),
    };
    fprintf(out, "legend bias %d\n", CPU_BIAS);
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
        fprintf(out, "legend field %s %zu %zu\n", fields[i].name, fields[i].at,
                fields[i].bytes);
    for (unsigned i = 0; i < ARRAY_LEN(functions); i++)
        fprintf(out, "legend function %s %lx\n", functions[i].name,
                (unsigned long)functions[i].at);
    fputc('\n', out);
}
