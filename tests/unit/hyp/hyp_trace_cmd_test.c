/* TRACE and QUERY TRACE as commands: operands, what the machine is asked, what is shown and
 * issued at a trap, what is refused. Run alone: tests/run unit/hyp_trace_cmd_test */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/cp_move.h"
#include "tests/lib/cp_world.h"

static struct vm *machine;

static void setup(void)
{
    cp_world_users = "";
    cp_world_setup();
    on(0, "", "LOGON GUEST PASS");
    machine = cp_user_vm(cp_user_find(cps[0], "GUEST"));
}

static const char *guest(const char *command)
{
    return on(0, "GUEST", command);
}

START_TEST(traps)
{
    ck_assert_str_eq(guest("TRACE I R 0-FF"), "");
    ck_assert_str_eq(guest("TRACE BRANCH INTO 5000.100 RUN"), "");
    ck_assert_str_eq(guest("TR ST INTO 1000 RANGE 200-300 SKIP 1 PASS 2 STEP 3 STOP 4"), "");
    ck_assert_str_eq(guest("TRACE PROG 1-4 NOTERM"), "");
    ck_assert_str_eq(guest("TRACE LPSWE IDENT L CMD display psw"), "");
    const struct vm_trap *t = machine->trap;
    ck_assert_uint_eq(machine->traps, 5);
    ck_assert(t[0].kind == VM_TRAP_INSN && t[0].first == 0 && t[0].last == 0xff && !t[0].run);
    ck_assert(t[1].kind == VM_TRAP_BRANCH && t[1].into_first == 0x5000 &&
              t[1].into_last == 0x50ff && t[1].last == ~0ull && t[1].run);
    ck_assert(t[2].kind == VM_TRAP_STORE && t[2].into_last == 0x1000 && t[2].last == 0x300);
    ck_assert(t[2].skip == 1 && t[2].pass == 2 && t[2].step == 3 && t[2].stop == 4);
    ck_assert(t[3].kind == VM_TRAP_PROG && t[3].first == 1 && t[3].last == 4 && t[3].silent);
    ck_assert_str_eq(t[4].mnemonic, "LPSWE");
    ck_assert_str_eq(guest("QUERY TRACE"),
                     "NAME INITIAL  (ACTIVE)|"
                     "  1        INSTR    PSWA 00000000-000000FF|"
                     "           TERM NOPRINT NORUN SIM|"
                     "           SKIP 00000 PASS 00000 STOP 00000 STEP 00000|"
                     "           CMD  NONE|"
                     "  2        BRANCH   PSWA 00000000-END INTO 00005000-000050FF|"
                     "           TERM NOPRINT RUN SIM|"
                     "           SKIP 00000 PASS 00000 STOP 00000 STEP 00000|"
                     "           CMD  NONE|"
                     "  3        STORE    PSWA 00000200-00000300 INTO 00001000-00001000|"
                     "           TERM NOPRINT NORUN SIM|"
                     "           SKIP 00001 PASS 00002 STOP 00004 STEP 00003|"
                     "           CMD  NONE|"
                     "  4        PROG     0001-0004|"
                     "           NOTERM NOPRINT NORUN SIM|"
                     "           SKIP 00000 PASS 00000 STOP 00000 STEP 00000|"
                     "           CMD  NONE|"
                     "  L        LPSWE    PSWA 00000000-END|"
                     "           TERM NOPRINT NORUN SIM|"
                     "           SKIP 00000 PASS 00000 STOP 00000 STEP 00000|"
                     "           CMD  display psw");
    ck_assert_str_eq(guest("TRACE DELETE 2 4"), "");
    ck_assert_uint_eq(machine->traps, 3);
    ck_assert_uint_eq(machine->trap[1].id, 3);
    ck_assert_str_eq(guest("QUERY TRACE SETS"), "SETS:  INITIAL");
    ck_assert_str_eq(guest("TRACE END"), "Trace ended");
    ck_assert_uint_eq(machine->traps, 0);
    ck_assert_str_eq(guest("QUERY TRACE SETS"), "No trace sets defined");
    ck_assert_str_eq(guest("TRACE END ALL"), "No trace sets defined");
}
END_TEST

START_TEST(queries)
{
    ck_assert_str_eq(guest("QUERY TRACE"), "No trace sets defined");
    ck_assert_str_eq(guest("QUERY TRACE RETURNS"), "No trace calls active");
    guest("TRACE SVC 5");
    ck_assert_str_eq(guest("Q TR SETS"), "SETS:  INITIAL");
    ck_assert_str_eq(guest("TRACE COUNT"), "");
    ck_assert(machine->counting);
    ck_assert_ptr_nonnull(
        strstr(guest("QUERY TRACE ALL"), "TRACE COUNT IS ACTIVE|NAME INITIAL"));
    ck_assert_str_eq(guest("TRACE COUNT"), "TRACE COUNT IS 00000042");
    REFUSED(guest("QUERY TRACE MOON"), 3, "HCPCQV003E Invalid option - MOON");
}
END_TEST

START_TEST(refused)
{
    REFUSED(guest("TRACE"), 26, "HCPCMD026E");
    REFUSED(guest("TRACE NONSENSE"), 2, "HCPCMD002E Invalid operand - NONSENSE");
    REFUSED(guest("TRACE I RANGE"), 26, "HCPCMD026E");
    REFUSED(guest("TRACE I RANGE 100-50"), 2, "HCPCMD002E Invalid operand - 100-50");
    REFUSED(guest("TRACE I RANGE 100.0"), 2, "HCPCMD002E");
    REFUSED(guest("TRACE I INTO 100"), 13, "HCPCMD013E Conflicting option - INTO");
    REFUSED(guest("TRACE SVC RANGE 100"), 13, "HCPCMD013E Conflicting option - RANGE");
    REFUSED(guest("TRACE I SKIP X"), 2, "HCPCMD002E Invalid operand - X");
    REFUSED(guest("TRACE I SIDEWAYS"), 3, "HCPCMD003E Invalid option - SIDEWAYS");
    REFUSED(guest("TRACE I PRINTER"), 99, "HCPCMD099E");
    REFUSED(guest("TRACE I CMD"), 26, "HCPCMD026E");
    REFUSED(guest("TRACE DELETE 1"), 2, "HCPCMD002E");
    REFUSED(guest("TRACE END MOON"), 2, "HCPCMD002E");
    guest("TRACE I IDENT A");
    REFUSED(guest("TRACE I IDENT A"), 2, "HCPCMD002E Invalid operand - A");
    for (unsigned i = 1; i < VM_TRAPS_MAX; i++)
        guest("TRACE I");
    ck_assert_int_eq(resp.rc, 0);
    REFUSED(guest("TRACE I"), 52, "HCPCMD052E");
    ck_assert_uint_eq(machine->traps, VM_TRAPS_MAX);
}
END_TEST

START_TEST(a_trap_is_shown)
{
    struct vm_traced what = {.traps = 2, .show = 1, .stopped = true};
    strcpy(what.insn, " -> 00000400  LHI     A7380001   CC 0");
    guest("TRACE I");
    guest("TRACE I CMD Q USERID");
    guest("IPL C");
    ck_assert(!cp_user_cp_read(cp_user_find(cps[0], "GUEST")));
    cp_vm_traced(cps[0], "GUEST", &what);
    ck_assert(console_has(0, "GUEST", "^ -> 00000400  LHI     A7380001   CC 0$"));
    ck_assert(console_has(0, "GUEST", "^GUEST    AT MEMBERA$"));
    ck_assert(cp_user_cp_read(cp_user_find(cps[0], "GUEST")));
    machine->cpu_count = 2;
    what.cpu = 1;
    cp_vm_traced(cps[0], "GUEST", &what);
    ck_assert(console_has(0, "GUEST", "^01:  -> 00000400"));
    cp_vm_traced(cps[0], "NOBODY", &what); /* has logged off meanwhile */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_trace_cmd");
    TCase *tc = tcase_create("commands");
    tcase_add_checked_fixture(tc, setup, cp_world_teardown);
    tcase_add_test(tc, traps);
    tcase_add_test(tc, queries);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, a_trap_is_shown);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
