/* Fencing: for every pair of members of different models a guest of the domain of both executes an
 * instruction of each generation and asks for facilities, identification and system information,
 * before and after it goes from one to the other with the codec of relocations. It finds the same
 * machine on both: what they have in common. FORCE ARCHITECTURE takes away what the destination has
 * not; a running guest can be fenced. Run alone: tests/run unit/hyp_fence_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/vm_internal.h"
#include "io/ebcdic.h"
#include "tests/lib/ipled_machine.h"

#define STORAGE_BYTES (1u << 20)
#define PROGRAM 0x1000u /* where it begins */
#define RESULTS 0x800u  /* a program-interruption code for each instruction */
#define STFLE_AT 0x900u
#define STIDP_AT 0x980u
#define STFL_AT 200u
#define SYSIB_AT 0x4000u
#define SCCB_AT 0x6000u
#define COPY_BYTES 0x10000u
#define TURNS_MAX 1000

static const char *const models[] = {"z900",  "z990",  "z9",  "z10", "z10bc", "z196", "z114",
                                     "zEC12", "zBC12", "z13", "z14", "z15",   "z16"};

/* Instructions that a facility brought; none of them ends in an interruption where it is there. */
static const struct probe {
    enum facility facility;
    u8 len, code[6];
} probes[] = {
    {FAC_N3, 4, {0xb9, 0x04, 0x00, 0x12}},                /* LGR 1,2 */
    {FAC_ETF3, 4, {0xb9, 0xbe, 0x00, 0x22}},              /* SRSTU 2,2: an empty string */
    {FAC_STFLE, 4, {0xb2, 0xb0, 0x09, 0x00}},             /* STFLE 900 */
    {FAC_EI, 6, {0xc0, 0x11, 0x00, 0x00, 0x00, 0x05}},    /* LGFI 1,5 */
    {FAC_STCKF, 4, {0xb2, 0x7c, 0x07, 0xf8}},             /* STCKF 7F8 */
    {FAC_ECPUT, 6, {0xc8, 0x31, 0x07, 0xf8, 0x07, 0xf8}}, /* ECTG 7F8,7F8,3 */
    {FAC_GIE, 6, {0xeb, 0x01, 0x07, 0xf8, 0x00, 0x7a}},   /* AGSI 7F8,1 */
    {FAC_SETPROG, 4, {0xb2, 0x80, 0x07, 0xf8}},           /* LPP 7F8 */
    {FAC_Z196, 4, {0xb9, 0xf8, 0x30, 0x12}},              /* ARK 1,2,3 */
    {FAC_Z196, 4, {0xb9, 0xe1, 0x00, 0x12}},              /* POPCNT 1,2 */
    {FAC_RRB, 4, {0xb9, 0xae, 0x00, 0x12}},               /* RRBM 1,2 */
    {FAC_ZEC12, 4, {0xb2, 0xfa, 0x00, 0x11}},             /* NIAI 1,1 */
    {FAC_ZEC12, 4, {0xb2, 0xe8, 0x10, 0x12}},             /* PPA 1,2,1 */
    {FAC_LSOC2, 6, {0xe3, 0x10, 0x07, 0xf8, 0x00, 0x3a}}, /* LLZRGF 1,7F8 */
    {FAC_MIE2, 4, {0xb9, 0xed, 0x30, 0x12}},              /* MSGRKC 1,2,3 */
    {FAC_IRBM, 4, {0xb9, 0xac, 0x00, 0x12}},              /* IRBM 1,2 */
    {FAC_MIE3, 4, {0xb9, 0x74, 0x30, 0x12}},              /* NNRK 1,2,3 */
    {FAC_BEARE, 4, {0xb2, 0x01, 0x07, 0xf8}},             /* STBEAR 7F8 */
};

#define PROBES ARRAY_LEN(probes)

static struct vm_host *host[2];
static struct vm *vm;

/* --- the guest's program ---------------------------------------------------------------------- */

static u8 program[1024];
static size_t program_len;

static void emit(const u8 *code, size_t len)
{
    ck_assert_uint_lt(program_len + len, sizeof program);
    memcpy(program + program_len, code, len);
    program_len += len;
}

#define EMIT(...) emit((const u8[]){__VA_ARGS__}, sizeof(const u8[]){__VA_ARGS__})

/* A program interruption goes to X'700', which stores its code at RESULTS + register 9, and goes on
 * behind the instruction, at register 10. */
static const u8 handler[] = {0x48, 0x80, 0x00, 0x8e, /* LH 8,8E */
                             0x42, 0x89, 0x08, 0x00, /* STC 8,800(9) */
                             0x07, 0xfa};            /* BR 10 */

static void program_make(void)
{
    program_len = 0;
    EMIT(0xeb, 0x00, 0x05, 0x00, 0x00, 0x2f); /* LCTLG 0,0,500: service signals */
    for (size_t i = 0; i < PROBES; i++) {
        EMIT(0xa7, 0x98, 0x00, (u8)i); /* LHI 9,i */
        EMIT(0x92, 0x00, 0x08, (u8)i); /* MVI 800+i,0 */
        EMIT(0xa7, 0x08, 0x00, 0x03);  /* LHI 0,3: words of STFLE; end of SRSTU */
        EMIT(0xa7, 0x29, 0x00, 0x00);  /* LGHI 2,0 */
        EMIT(0xa7, 0x39, 0x00, 0x00);  /* LGHI 3,0 */
        EMIT(0xc0, 0xa0, 0, 0, 0, (u8)(3 + probes[i].len / 2)); /* LARL 10,behind */
        emit(probes[i].code, probes[i].len);
    }
    EMIT(0xb2, 0xb1, 0x00, 0x00); /* STFL */
    EMIT(0xb2, 0x02, 0x09, 0x80); /* STIDP 980 */
    EMIT(0x58, 0x00, 0x06, 0x00); /* L 0,600: 1.1.1 */
    EMIT(0x58, 0x10, 0x06, 0x04); /* L 1,604 */
    EMIT(0xa7, 0x88, 0x40, 0x00); /* LHI 8,4000 */
    EMIT(0xb2, 0x7d, 0x80, 0x00); /* STSI 0(8) */
    EMIT(0x58, 0x30, 0x06, 0x08); /* L 3,608: READ SCP INFO */
    EMIT(0xa7, 0x49, 0x60, 0x00); /* LGHI 4,6000 */
    EMIT(0xb2, 0x20, 0x00, 0x34); /* SERVC 3,4 */
    EMIT(0xb2, 0xb2, 0x05, 0x10); /* LPSWE 510: wait for the service signal, then disabled */
}

static const u8 cr0[8] = {0, 0, 0, 0, 0, 0, 0x02, 0};
static const u8 wait_psw[16] = {0x01, 0x02, 0, 1, 0x80}, end_psw[16] = {0, 0x02, 0, 1, 0x80};
static const u8 pgm_psw[16] = {0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x07, 0x00};
static const u8 words[12] = {0x10, 0, 0, 1, 0, 0, 0, 1, 0x00, 0x02, 0x00, 0x01};
static const u8 sccb_head[8] = {0x10, 0x00};

static void storage_make(struct vm *to)
{
    static const u8 ipl_psw[8] = {0x00, 0x08, 0, 0, 0x80, 0, 0x10, 0x00};
    const struct ipled_piece pieces[] = {{0, ipl_psw, 8},
                                         {0x1d0, pgm_psw, sizeof pgm_psw},
                                         {0x1b0, end_psw, sizeof end_psw},
                                         {0x500, cr0, sizeof cr0},
                                         {0x510, wait_psw, sizeof wait_psw},
                                         {0x600, words, sizeof words},
                                         {0x700, handler, sizeof handler},
                                         {PROGRAM, program, program_len},
                                         {SCCB_AT, sccb_head, sizeof sccb_head},
                                         {0, NULL, 0}};
    ipled_pieces(to, pieces);
}

/* --- members and guests ------------------------------------------------------------------- */

static void no_post(void *ctx, void (*fn)(void *), void *arg)
{
    ipled_at_once(ctx, fn, arg);
}

static struct vm_host *member(const char *model)
{
    static const struct vm_host_events events;
    const struct vm_host_ports ports = {NULL, no_post};
    struct cause cause = {0};
    const struct vm_host_config hc = {.deterministic = true,
                                      .model = cpu_model_find(model),
                                      .cpu_serial = (u32)cpu_model_find(model)->machine_type};
    struct vm_host *h = vm_host_create(&hc, &ports, &events, &cause);
    ck_assert_msg(h, "%s", cause.text);
    return h;
}

static struct vm *guest(struct vm_host *h, enum cpu_engine engine)
{
    struct cause cause = {0};
    struct vm *to = NULL;
    const struct vm_config vc = {.name = "GUEST",
                                 .personality = VM_UNDER_CP,
                                 .storage_bytes = STORAGE_BYTES,
                                 .cpus = 1,
                                 .engine = engine,
                                 .model = h->config.model};
    ck_assert_msg(vm_create(h, &vc, &to, &cause) == ST_OK, "%s", cause.text);
    return to;
}

static void run(struct vm_host *h)
{
    for (unsigned turns = 0; vm_host_run(h); turns++)
        ck_assert_uint_lt(turns, TURNS_MAX);
    u64 mask, addr;
    vm_host_ops()->psw_get(vm, 0, &mask, &addr);
    ck_assert_msg(mask >> 49 & 1 && !addr, "the guest is at %llX", (unsigned long long)addr);
}

static void begin_again(struct vm_host *h)
{
    static const u8 zeros[FACILITY_BYTES];
    storage_write(vm_storage(vm), STFLE_AT, zeros, sizeof zeros);
    storage_write(vm_storage(vm), SCCB_AT, sccb_head, sizeof sccb_head);
    vm_host_ops()->psw_put(vm, 0, 0x0000000180000000ull, PROGRAM);
    ck_assert_int_eq(vm_begin(vm, -1), ST_OK);
    run(h);
}

/* To the other member, which gives it `arch`; as guest_arrive does. */
static int go(const struct arch *arch, struct cause *cause)
{
    struct vm *to = guest(host[1], vm->config.engine);
    struct codec_out out;
    struct codec_in in;
    vm_set_arch_firm(to, arch);
    ck_assert(vm_quiesce(vm) && vm_quiesce(to));
    codec_out_init(&out);
    ck_assert_int_eq(vm_save(vm, &out, cause), ST_OK);
    for (u64 abs = 0; abs < COPY_BYTES; abs += FRAME_BYTES)
        storage_write(vm_storage(to), abs, storage_host(vm_storage(vm), abs, FRAME_BYTES),
                      FRAME_BYTES);
    codec_in_init(&in, out.data, out.len);
    int rc = vm_restore(to, &in, cause);
    codec_out_fini(&out);
    vm_unquiesce(vm);
    vm_destroy(vm);
    vm = to;
    vm_unquiesce(vm);
    return rc;
}

static void members(const char *a, const char *b)
{
    host[0] = member(a);
    host[1] = member(b);
    program_make();
}

static void end(void)
{
    vm_destroy(vm);
    vm_host_destroy(host[0]);
    vm_host_destroy(host[1]);
}

/* --- what it found ------------------------------------------------------------------------- */

static void stored(u64 at, void *to, size_t len)
{
    storage_read(vm_storage(vm), at, to, len);
}

static void is_text(u64 at, const char *want, size_t len)
{
    u8 got[16], ebcdic[16];
    stored(at, got, len);
    ebcdic_pad(want, len, ebcdic);
    ck_assert_msg(!memcmp(got, ebcdic, len), "SYSIB: not %s", want);
}

/* It is a machine of `arch`, with the serial number of the first member. */
static void found(const char *where, const struct arch *arch)
{
    u8 list[FACILITY_BYTES], stfl[4], id[8], sccb[128];
    char type[5];
    for (size_t i = 0; i < PROBES; i++) {
        u8 code;
        stored(RESULTS + i, &code, 1);
        ck_assert_msg(code == !facility_has(arch->facilities, probes[i].facility),
                      "%s: %02X%02X ended with interruption %u", where, probes[i].code[0],
                      probes[i].code[1], code);
    }
    stored(STFL_AT, stfl, sizeof stfl);
    ck_assert_mem_eq(stfl, arch->facilities, sizeof stfl);
    stored(STFLE_AT, list, sizeof list);
    if (facility_has(arch->facilities, FAC_STFLE))
        ck_assert_mem_eq(list, arch->facilities, FACILITY_OWN / 8);
    stored(STIDP_AT, id, sizeof id);
    ck_assert_uint_eq(be16_load(id + 4), arch->model->machine_type);
    ck_assert_uint_eq(be32_load(id) & 0xffffff, host[0]->config.cpu_serial);
    snprintf(type, sizeof type, "%04X", arch->model->machine_type);
    is_text(SYSIB_AT + 48, type, 4);
    is_text(SYSIB_AT + 64, arch->model->capacity, 16);
    is_text(SYSIB_AT + 100, arch->model->model, 16);
    stored(SCCB_AT, sccb, sizeof sccb);
    ck_assert_uint_eq(be16_load(sccb + 6), 0x10);
    ck_assert_uint_eq(sccb[85], arch->model->generation >= GEN_Z10 ? 2 : 0);
}

/* --- tests --------------------------------------------------------------------------------- */

static void domain_of(const char *a, const char *b, struct arch *out)
{
    struct arch other;
    arch_of(cpu_model_find(a), CP_LEVEL, out);
    arch_of(cpu_model_find(b), CP_LEVEL, &other);
    arch_common(out, &other);
}

START_TEST(same_machine_on_both)
{
    const char *a = models[_i];
    for (size_t k = 0; k < ARRAY_LEN(models); k++) {
        struct arch domain;
        struct cause cause = {0};
        char where[64];
        members(a, models[k]);
        domain_of(a, models[k], &domain);
        vm = guest(host[0], CPU_ENGINE_INTERP);
        vm_set_arch(vm, &domain);
        storage_make(vm);
        run(host[0]);
        snprintf(where, sizeof where, "domain of %s and %s, on the first", a, models[k]);
        found(where, &domain);
        ck_assert_msg(go(&domain, &cause) == ST_OK, "%s: %s", where, cause.text);
        begin_again(host[1]);
        snprintf(where, sizeof where, "domain of %s and %s, on the second", a, models[k]);
        found(where, &domain);
        ck_assert(arch_same(vm_arch(vm), &domain));
        end();
    }
}
END_TEST

/* A guest that has all of its member; where it goes by FORCE ARCHITECTURE it loses what is not
 * there, and without that it is not taken. */
START_TEST(forced)
{
    struct arch has, left;
    struct cause cause = {0};
    members("zEC12", "z10");
    domain_of("zEC12", "z10", &left);
    vm = guest(host[0], CPU_ENGINE_INTERP);
    has = *vm_arch(vm);
    storage_make(vm);
    run(host[0]);
    found("zEC12", &has);
    ck_assert_msg(go(&left, &cause) == ST_OK, "%s", cause.text);
    begin_again(host[1]);
    found("forced to the z10", &left);
    end();
}
END_TEST

/* State that is restored into a machine that was not told what it has (a snapshot). */
START_TEST(restored_without_being_told)
{
    struct codec_out out;
    struct codec_in in;
    struct cause cause = {0};
    members(_i ? "z10" : "z196", _i ? "z196" : "z10");
    vm = guest(host[0], CPU_ENGINE_INTERP);
    storage_make(vm);
    run(host[0]);
    struct arch has = *vm_arch(vm);
    struct vm *to = guest(host[1], CPU_ENGINE_INTERP);
    ck_assert(vm_quiesce(vm) && vm_quiesce(to));
    codec_out_init(&out);
    ck_assert_int_eq(vm_save(vm, &out, &cause), ST_OK);
    codec_in_init(&in, out.data, out.len);
    int rc = vm_restore(to, &in, &cause);
    codec_out_fini(&out);
    if (_i) {
        ck_assert_msg(rc == ST_OK, "%s", cause.text);
        ck_assert(arch_same(vm_arch(to), &has));
    } else {
        ck_assert_int_eq(rc, ST_PROTO);
        ck_assert_str_eq(cause.text, "GUEST has what this member has not: facilities 13-14, "
                                     "36-37, 45, 47, 52, 66, 75");
    }
    vm_destroy(to);
    end();
}
END_TEST

/* What was decoded and translated by another list is given up, both ways. */
START_TEST(fenced_while_it_is_there)
{
    static const enum cpu_engine engines[] = {CPU_ENGINE_INTERP, CPU_ENGINE_JIT_FIRST};
    struct arch all, few;
    if (engines[_i] != CPU_ENGINE_INTERP && cpu_engine_default() == CPU_ENGINE_INTERP)
        return;
    members("z16", "z900");
    domain_of("z16", "z900", &few);
    vm = guest(host[0], engines[_i]);
    all = *vm_arch(vm);
    storage_make(vm);
    run(host[0]);
    found("z16", &all);
    for (int times = 0; times < 3; times++) {
        const struct arch *arch = times & 1 ? &all : &few;
        vm_set_arch(vm, arch);
        begin_again(host[0]);
        found("fenced", arch);
    }
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_fence");
    TCase *tc = tcase_create("fences");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, same_machine_on_both, 0, (int)ARRAY_LEN(models));
    tcase_add_test(tc, forced);
    tcase_add_loop_test(tc, restored_without_being_told, 0, 2);
    tcase_add_loop_test(tc, fenced_while_it_is_there, 0, 2);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
