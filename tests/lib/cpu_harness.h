/* For unit tests of the CPU: a configuration of storage and CPUs, run instruction by instruction.
 * The program new PSW points at HARNESS_PGM, which tells a program interruption from completion. */
#ifndef ENDICOTT_TESTS_LIB_CPU_HARNESS_H
#define ENDICOTT_TESTS_LIB_CPU_HARNESS_H

#include "cpu/cpu.h"
#include "cpu/cpu_internal.h"

#define HARNESS_CODE 0x10000u /* where harness_insn puts its instruction */
#define HARNESS_DATA 0x20000u /* nothing is there */
#define HARNESS_PGM 0x1e000u
#define HARNESS_SVC 0x1e100u
#define HARNESS_STORAGE (4u << 20)
#define HARNESS_PSW64 (PSW_EA | PSW_BA)
#define HARNESS_PSW31 PSW_BA

struct cpu_harness {
    struct storage *st;
    struct cpu_set *set;
    struct cpu *cpu; /* CPU 0, operating, 64-bit mode, supervisor state, AFP on */
    u64 now_tod;
};

/** Create with `count` CPUs of `model`; aborts when that fails. */
void harness_init(struct cpu_harness *h, const char *model, unsigned count);
void harness_fini(struct cpu_harness *h);
/** Registers, PSW and the lowcore's new PSWs as after harness_init; storage stays. */
void harness_reset(struct cpu_harness *h);
/** Put bytes written in hexadecimal ("1a12 5810a000") at an absolute address; their number. */
unsigned harness_put(struct cpu_harness *h, u64 abs, const char *hex);
/** Execute one instruction, or as many as `hex` holds, from HARNESS_CODE. Returns 0 or the
 *  program-interruption code; the PSW is left as execution left it (the old one, when 0). */
int harness_insn(struct cpu_harness *h, const char *hex);
int harness_insns(struct cpu_harness *h, const char *hex, unsigned count);
u64 harness_psw_addr(struct cpu_harness *h);
unsigned harness_cc(struct cpu_harness *h);
u64 harness_load(struct cpu_harness *h, u64 abs, unsigned len);
void harness_store(struct cpu_harness *h, u64 abs, unsigned len, u64 v);
/** Program old PSW and ILC of the last program interruption. */
u64 harness_old_addr(struct cpu_harness *h);
unsigned harness_old_ilc(struct cpu_harness *h);

#endif
