/* DIAGNOSE X'68' and special messages: what AUTHORIZE takes, each message by an interruption of its
 * own with its header and text, in order; none that is not for the program; what waits relocates.
 * Run alone: tests/run unit/hyp_vmcf_test */
#include <stdlib.h>

#include "io/ebcdic.h"
#include "tests/lib/diag_machine.h"

#define BUFFER_AT 0x4000
#define BUFFER_BYTES 256
#define OUT_AT 0x5000
#define WAIT_PSW_AT 0x4a0
#define ENABLED_WAIT 0x0102000180000000ull
#define HANDLER_AT 0x500

static void parm(u16 function, u8 flags, u32 at, u32 room)
{
    u8 p[40] = {flags};
    be16_store(p + 2, function);
    be32_store(p + 16, at);
    be32_store(p + 20, room);
    put(DATA_AT, p, sizeof p);
}

/* What the function says, run by itself. */
static u32 rc(u16 function, u8 flags, u32 at, u32 room)
{
    load(0x68);
    parm(function, flags, at, room);
    *gr(RX) = DATA_AT;
    ck_assert_uint_eq(run(), 0);
    return (u32)*gr(RY);
}

/* AUTHORIZE, then wait for `n` interruptions, whose buffers are copied to OUT_AT one behind the
 * other. */
static void program(unsigned n)
{
    static const u8 code[] = {0x83, RX << 4 | RY,
                              0,    0x68, /* DIAG */
                              0xeb, 0,
                              0x04, 0x88,
                              0,    0x2f, /* LCTLG 0,0,488 */
                              0xb2, 0xb2,
                              0x04, 0xa0};                        /* LPSWE 4a0 */
    static const u8 handler[] = {0xd2, 0xff, 0x80, 0,    0xa0, 0, /* MVC 0(256,8),0(10) */
                                 0x41, 0x80, 0x81, 0,             /* LA 8,256(8) */
                                 0x46, 0x90, 0x05, 0x20,          /* BCT 9,520 */
                                 0xb2, 0xb2, 0x04, 0x80};         /* LPSWE 480 */
    static const u8 again[] = {0xb2, 0xb2, 0x04, 0xa0};
    u8 cr0[8], wait[16] = {0}, new[16];
    load(0x68);
    be64_store(cr0, 0xe1);
    be64_store(wait, ENABLED_WAIT);
    be64_store(new, 0x0000000180000000ull);
    be64_store(new + 8, HANDLER_AT);
    put(CODE_AT, code, sizeof code);
    put(0x488, cr0, sizeof cr0);
    put(WAIT_PSW_AT, wait, sizeof wait);
    put(0x1b0, new, sizeof new);
    put(HANDLER_AT, handler, sizeof handler);
    put(0x520, again, sizeof again);
    parm(0, 0, BUFFER_AT, BUFFER_BYTES);
    *gr(RX) = DATA_AT;
    *gr(8) = OUT_AT;
    *gr(9) = n;
    *gr(10) = BUFFER_AT;
}

static void run_until(enum vm_state state)
{
    for (unsigned i = 0; i < TURNS_MAX && vm_state(vm) != state; i++) {
        vm_host_run(host);
        run_notes();
    }
    ck_assert_int_eq(vm_state(vm), state);
}

/* The n-th interruption's header and text. */
static void came(unsigned n, const char *user, const char *text)
{
    const u8 *p = got(OUT_AT + n * 256);
    char utf8[512];
    ck_assert_uint_eq(be32_load(p), 4); /* no status, SENDX */
    ck_assert_uint_ne(be32_load(p + 4), n ? be32_load(p - 256 + 4) : 0);
    utf8[ebcdic_to_utf8(EBCDIC_037, p + 8, 8, utf8)] = 0;
    ck_assert_str_eq(utf8, "SYSTEM  ");
    ck_assert_uint_eq(be32_load(p + 16), BUFFER_AT + 40);
    ck_assert_uint_eq(be32_load(p + 20), strlen(text));
    utf8[ebcdic_to_utf8(EBCDIC_037, p + 32, 8, utf8)] = 0;
    ck_assert_str_eq(utf8, user);
    utf8[ebcdic_to_utf8(EBCDIC_037, p + 40, strlen(text), utf8)] = 0;
    ck_assert_str_eq(utf8, text);
}

START_TEST(what_authorize_takes)
{
    ck_assert_uint_eq(diag(0x68, DATA_AT + 4, 0, 0, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x68, STORAGE_BYTES, 0, 0, 0), PGM(ADDRESSING));
    ck_assert_uint_eq(rc(0, 0, BUFFER_AT, 40), 0);
    ck_assert_uint_eq(rc(0, 0, BUFFER_AT + 4, 40), 1);
    ck_assert_uint_eq(rc(0, 0, BUFFER_AT, 39), 1);
    ck_assert_uint_eq(rc(0, 0, STORAGE_BYTES - 32, 40), 1);
    ck_assert_uint_eq(rc(0, 0, 0xfffffff8, 0xffffffff), 1);
    ck_assert_uint_eq(rc(4, 0, BUFFER_AT, 40), 2); /* SENDX */
    ck_assert_uint_eq(rc(99, 0, BUFFER_AT, 40), 2);
    ck_assert_uint_eq(rc(1, 0, 0, 0), 4); /* the IPL has ended it */
    ck_assert_uint_eq(rc(8, 0, 0, 0), 4);
    ck_assert_uint_eq(smsg_on, 0);
    ck_assert_uint_eq(rc(0, 0x20, BUFFER_AT, 40), 0);
    ck_assert_uint_eq(smsg_on, 1); /* SET SMSG ON */
}
END_TEST

START_TEST(each_in_its_turn)
{
    program(3);
    ck_assert_int_eq(vmcf_send(vm, "OPERATOR", "early"), VMCF_NOT_AUTHORIZED);
    run_until(VM_ENABLED_WAIT);
    ck_assert_int_eq(vmcf_send(vm, "OPERATOR", "First one"), VMCF_SENT);
    ck_assert_int_eq(vmcf_send(vm, "LINUX1", "2"), VMCF_SENT);
    ck_assert_int_eq(vmcf_send(vm, "OP", "the third"), VMCF_SENT);
    run_until(VM_DISABLED_WAIT);
    came(0, "OPERATOR", "First one");
    came(1, "LINUX1  ", "2");
    came(2, "OP      ", "the third");
    ck_assert_uint_eq(vm->vmcf.count, 0);
}
END_TEST

START_TEST(what_is_not_taken)
{
    char text[BUFFER_BYTES] = "";
    memset(text, 'x', BUFFER_BYTES - 40);
    program(1);
    run_until(VM_ENABLED_WAIT);
    text[BUFFER_BYTES - 40] = 'y';
    ck_assert_int_eq(vmcf_send(vm, "OPERATOR", text), VMCF_TOO_LARGE);
    text[BUFFER_BYTES - 40] = 0;
    vmcf_quiesce(vm, true);
    ck_assert_int_eq(vmcf_send(vm, "OPERATOR", text), VMCF_QUIESCED);
    vmcf_quiesce(vm, false);
    for (unsigned i = 0; i < VMCF_MESSAGES_MAX; i++)
        ck_assert_int_eq(vmcf_send(vm, "OPERATOR", text), VMCF_SENT);
    ck_assert_int_eq(vmcf_send(vm, "OPERATOR", text), VMCF_TOO_MANY);
    run_until(VM_DISABLED_WAIT);
    came(0, "OPERATOR", text);
    ck_assert_uint_eq(vm->vmcf.count, VMCF_MESSAGES_MAX - 1);
    ck_assert_uint_eq(rc(1, 0, 0, 0), 4);
    ck_assert_uint_eq(vm->vmcf.count, 0); /* by the reset */
}
END_TEST

/* Who has ended its authorization gets no interruption of what waited. */
START_TEST(nothing_behind_unauthorize)
{
    program(1);
    run_until(VM_ENABLED_WAIT);
    ck_assert_int_eq(vmcf_send(vm, "OPERATOR", "one"), VMCF_SENT);
    vmcf_end(vm);
    for (unsigned i = 0; i < 1000; i++)
        vm_host_run(host);
    ck_assert_int_eq(vm_state(vm), VM_ENABLED_WAIT);
    ck_assert_uint_eq(be32_load(got(BUFFER_AT)), 0);
}
END_TEST

START_TEST(what_waits_relocates)
{
    struct codec_out out;
    struct codec_in in;
    struct cause cause = {0};
    program(2);
    run_until(VM_ENABLED_WAIT);
    vm_stop(vm, -1);
    ck_assert_int_eq(vmcf_send(vm, "OPERATOR", "one"), VMCF_SENT);
    ck_assert_int_eq(vmcf_send(vm, "LINUX1", "two"), VMCF_SENT);
    u8 *storage = malloc(STORAGE_BYTES);
    ck_assert(storage_read(vm_storage(vm), 0, storage, STORAGE_BYTES));
    codec_out_init(&out);
    ck_assert(vm_quiesce(vm));
    ck_assert_int_eq(vmcf_send(vm, "LINUX1", "three"), VMCF_QUIESCED);
    ck_assert_int_eq(vm_save(vm, &out, &cause), ST_OK);
    vm_unquiesce(vm);
    teardown();
    setup();
    put(0, storage, STORAGE_BYTES);
    codec_in_init(&in, out.data, out.len);
    vm_hold(vm);
    ck_assert_msg(vm_restore(vm, &in, &cause) == ST_OK, "%s", cause.text);
    vm_release(vm);
    ck_assert_uint_eq(vm->vmcf.count, 2);
    vm_begin(vm, -1);
    run_until(VM_DISABLED_WAIT);
    came(0, "OPERATOR", "one");
    came(1, "LINUX1  ", "two");
    codec_out_fini(&out);
    free(storage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_vmcf");
    TCase *tc = tcase_create("vmcf");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_authorize_takes);
    tcase_add_test(tc, each_in_its_turn);
    tcase_add_test(tc, what_is_not_taken);
    tcase_add_test(tc, nothing_behind_unauthorize);
    tcase_add_test(tc, what_waits_relocates);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
