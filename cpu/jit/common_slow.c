/* Common code behind stubs (enum jit_common): calls of C functions that keep the host registers a
 * region has guest registers in, so that each stub need not load them again, and the ways out when
 * the call does not end well. It is called with the stack as in a region.
 * [Q1] The C functions change no general register but those the instruction writes; they may change
 * every copy of a floating-point register. */
#include "cpu/insn/insn_general.h"
#include "cpu/jit/emit_internal.h"

#define ADDRESS(f) ((const void *)(uintptr_t)(f))
#define WORD_BYTES 8

/* Pushed in this order; the last makes the stack as C wants it. */
static const u8 kept[] = {RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11, RBX};
enum { KEPT_RCX = 1, KEPT_RDX = 2 };

static void keep(struct x64 *a)
{
    for (unsigned k = 0; k < ARRAY_LEN(kept); k++)
        x64_push(a, kept[k]);
}

static void give_back(struct x64 *a)
{
    for (unsigned k = ARRAY_LEN(kept); k-- > 0;)
        x64_pop(a, kept[k]);
}

static struct x64_mem kept_at(unsigned k)
{
    return x64_at(RSP, (s32)(ARRAY_LEN(kept) - 1 - k) * WORD_BYTES);
}

/* Out of the region: rsi = slot, rdx = what is left of the budget, rdi = CPU, and the stack as it
 * was there. r8 = bytes of the instruction. RCX is left. */
static void leave(struct x64 *a, const void *to)
{
    x64_rm(a, true, A_MOV, RSI, kept_at(KEPT_RCX));
    x64_rm(a, false, A_MOV, R8, kept_at(KEPT_RDX));
    x64_rr(a, false, A_MOV, RDI, R8);
    x64_shift_i(a, false, S_SHR, R8, STUB_HALFWORDS_SHIFT - 1);
    x64_gi(a, false, G_AND, R8, 6);
    x64_shift_i(a, false, S_SHR, RDI, STUB_DONE_SHIFT);
    x64_rr(a, true, A_MOV, RDX, H_N);
    x64_rr(a, true, A_SUB, RDX, RDI);
    cpu_pointer(a);
    x64_rm(a, true, A_LEA, RSP, x64_at(RSP, (s32)(ARRAY_LEN(kept) + 1) * WORD_BYTES));
    x64_jmp_to(a, to);
}

/* eax = what a C function returned: is it not 0, the instruction ends with it. */
static void leave_if_result(struct x64 *a)
{
    x64_rr(a, false, A_TEST, RAX, RAX);
    u8 *well = x64_jcc(a, CC_E);
    x64_rr(a, false, A_MOV, RCX, RAX);
    leave(a, ADDRESS(jit_body_result));
    x64_patch(a, well, a->at);
}

/* rax = operand at the logical address in rax. */
static void common_load(struct x64 *a, bool relative)
{
    keep(a);
    x64_rr(a, true, A_MOV, RSI, RAX);
    cpu_pointer(a);
    x64_rr8(a, A_MOVZX8, RCX, RDX); /* size */
    if (relative) {
        x64_rr(a, false, A_MOV, RDX, RCX);
    } else {
        x64_shift_i(a, false, S_SHR, RDX, STUB_BASE_SHIFT);
        x64_gi(a, false, G_AND, RDX, 31);
    }
    x64_call_to(a, relative ? ADDRESS(general_load_rel_slow) : ADDRESS(access_load_slow));
    leave_if_result(a);
    give_back(a);
    x64_rm(a, true, A_MOV, RAX, CPU_AT(scratch));
    x64_ret(a);
}

/* The body in rax executes the instruction. */
static void common_body(struct x64 *a)
{
    keep(a);
    x64_rr(a, true, A_MOV, RSI, RCX);
    cpu_pointer(a);
    x64_rr(a, false, 0xff, 2, RAX); /* call */
    leave_if_result(a);
    x64_cmp8_mem(a, CPU_AT(jit_broken), 0);
    u8 *whole = x64_jcc(a, CC_E);
    x64_rm(a, true, A_MOV, RCX, kept_at(KEPT_RCX)); /* the next slot */
    x64_rm(a, false, A_MOV, RDX, kept_at(KEPT_RDX));
    x64_shift_i(a, false, S_SHR, RDX, STUB_HALFWORDS_SHIFT);
    x64_gi(a, false, G_AND, RDX, 3);
    _Static_assert(sizeof(struct dinsn) == 16, "shifted");
    x64_shift_i(a, false, S_SHL, RDX, 4);
    x64_rr(a, true, A_ADD, RCX, RDX);
    x64_rm(a, true, A_MOV_STORE, RCX, kept_at(KEPT_RCX));
    leave(a, ADDRESS(jit_broken));
    x64_patch(a, whole, a->at);
    give_back(a);
    x64_ret(a);
}

static void common_anchor_look(struct x64 *a)
{
    emit_common_anchor_look(a);
    keep(a);
    cpu_pointer(a);
    x64_rr(a, true, A_MOV, RSI, RAX);
    x64_rr(a, true, A_MOV, R8, H_N);
    x64_call_to(a, ADDRESS(jit_anchor_look));
    x64_rr(a, false, A_TEST, RAX, RAX);
    give_back(a);
    x64_ret(a);
}

/* What jit_anchor_look did not find; when it cannot be had the interpreter goes on. */
static void common_anchor_fill(struct x64 *a)
{
    keep(a);
    cpu_pointer(a);
    x64_call_to(a, ADDRESS(jit_anchor_fill));
    x64_rr(a, false, A_TEST, RAX, RAX);
    u8 *well = x64_jcc(a, CC_NE);
    leave(a, ADDRESS(jit_interpret));
    x64_patch(a, well, a->at);
    give_back(a);
    x64_ret(a);
}

void emit_common_slow(struct x64 *a, enum jit_common kind)
{
    switch (kind) {
    case COMMON_BODY: common_body(a); break;
    case COMMON_ANCHOR_FILL: common_anchor_fill(a); break;
    case COMMON_ANCHOR_LOOK: common_anchor_look(a); break;
    default: common_load(a, kind == COMMON_LOAD_RELATIVE);
    }
}
