/* IUCV between two programs, one instruction at a time: buffers and masks, paths and who may have
 * them, messages of each kind, what goes wrong in storage, limits; and what a reset ends.
 * Run alone: tests/run unit/hyp_iucv_test */
#include "tests/lib/iucv_machine.h"

/* --- the instruction -------------------------------------------------------------------------- */

START_TEST(query_tells_limits)
{
    struct vm *a = guest("ALICE", &anybody);
    *gr_of(a, 1) = *gr_of(a, 0) = ~0ull;
    ck_assert_uint_eq(iucv(a, 0), 0);
    ck_assert_uint_eq(*gr_of(a, 0) & 0xffffffff, 40);
    ck_assert_uint_eq(*gr_of(a, 1) & 0xffffffff, 64);
}
END_TEST

START_TEST(operands)
{
    struct vm *a = guest("ALICE", &anybody);
    ck_assert_uint_eq(iucv(a, SET_MASK), PGM(OPERATION)); /* no buffer */
    ck_assert_uint_eq(iucv(a, CONNECT), PGM(OPERATION));
    ck_assert_uint_eq(iucv(a, TEST_MESSAGE), PGM(OPERATION));
    ck_assert_uint_eq(iucv(a, RETRIEVE), PGM(OPERATION));
    declare(a);
    ck_assert_uint_eq(iucv(a, 18), PGM(SPECIFICATION));
    ck_assert_uint_eq(iucv(a, 0x80000004), PGM(SPECIFICATION));
    ck_assert_uint_eq(iucv_at(a, SET_MASK, PARM_AT + 4), PGM(SPECIFICATION));
    ck_assert_uint_eq(iucv_at(a, SET_MASK, STORAGE_BYTES), PGM(ADDRESSING));
    ck_assert_uint_eq(iucv_at(a, SET_MASK, STORAGE_BYTES - 32), PGM(ADDRESSING));
    storage_key_set(vm_storage(a), PARM_AT, 0x30);
    key_of_programs = 0x20;
    ck_assert_uint_eq(iucv(a, SET_MASK), PGM(PROTECTION));
    key_of_programs = 0x30;
    ck_assert_uint_eq(iucv(a, SET_MASK), 0);
    ck_assert_uint_eq(iucv(a, DECLARE), RC(19));
    ck_assert_uint_eq(iucv(a, RETRIEVE), 0);
    ck_assert_uint_eq(iucv(a, RETRIEVE), PGM(OPERATION));
    p32(12, STORAGE_BYTES - 36);
    ck_assert_uint_eq(iucv(a, DECLARE), PGM(ADDRESSING));
    key_of_programs = 0;
}
END_TEST

/* --- paths ------------------------------------------------------------------------------------ */

START_TEST(connect_accept_sever)
{
    pair(&anybody, &anybody);
    u16 a = connect_to(alice, "BOB", 0, 7);
    ck_assert_uint_eq(a, 0);
    ck_assert_uint_eq(interrupted(bob), 1);
    ck_assert_mem_eq(irq + 8, "\xc1\xd3\xc9\xc3\xc5\x40\x40\x40", 8); /* ALICE */
    ck_assert_mem_eq(irq + 16, "user data of it!", 16);
    ck_assert_uint_eq(be16_load(irq + 4), 7);
    u16 b = be16_load(irq);
    ck_assert(!comes(alice)); /* not before it is accepted */
    send_to(a, ONE_WAY, 0, 0);
    ck_assert_uint_eq(iucv(alice, SEND), RC(1));
    accept_path(b, 0);
    ck_assert_uint_eq(interrupted(alice), 2);
    ck_assert_uint_eq(be16_load(irq), a);
    path_parm(b, "now it ends, bob");
    ck_assert_uint_eq(iucv(bob, SEVER), 0);
    ck_assert_uint_eq(iucv(bob, SEVER), RC(1));
    ck_assert_uint_eq(interrupted(alice), 3);
    ck_assert_mem_eq(irq + 16, "now it ends, bob", 16);
    send_to(a, ONE_WAY, 0, 0);
    ck_assert_uint_eq(iucv(alice, SEND), RC(1));
    path_parm(a, NULL);
    ck_assert_uint_eq(iucv(alice, SEVER), 0);
    ck_assert_uint_eq(connect_to(alice, "BOB", 0, 0), a); /* the number is free */
}
END_TEST

START_TEST(who_may_connect)
{
    struct vm_config none = {0}, named = {0}, allow = {0};
    strcpy(named.iucv[0].name, "BOB");
    named.iucv[0].limit = 3;
    named.iucvs = 1;
    strcpy(allow.iucv[0].name, "ALLOW");
    allow.iucvs = 1;
    struct vm *a = guest("ALICE", &none), *b = guest("BOB", &none);
    struct vm *c = guest("CAROL", &named), *d = guest("DAVE", &allow);
    ck_assert_uint_eq((declare(a), connect_rc(a, "BOB")), RC(12));
    declare(b), declare(c), declare(d);
    ck_assert_uint_eq(connect_rc(a, "BOB"), RC(15));
    ck_assert_uint_eq(connect_rc(a, "NOBODY"), RC(11));
    ck_assert_uint_eq(connect_rc(a, "*NONE"), RC(16));
    ck_assert_uint_eq(connect_rc(a, "ALICE"), 0);
    ck_assert_uint_eq(connect_rc(a, "DAVE"), 0);
    ck_assert_uint_eq(connect_rc(c, "BOB"), 0);
    ck_assert_uint_eq(be16_load(parm + 4), 3);
    ck_assert_uint_eq(connect_rc(c, "ALICE"), RC(15));
    ck_assert_uint_eq(connect_rc(a, "*MSG"), 0);
}
END_TEST

START_TEST(paths_run_out)
{
    struct vm_config few = anybody;
    few.maxconn = 2;
    struct vm *a = guest("ALICE", &few), *b = guest("BOB", &anybody);
    declare(a), declare(b);
    ck_assert_uint_eq(connect_rc(b, "ALICE"), 0);
    ck_assert_uint_eq(connect_rc(b, "ALICE"), 0);
    ck_assert_uint_eq(connect_rc(b, "ALICE"), RC(14));
    ck_assert_uint_eq(connect_rc(a, "BOB"), RC(13));
    ck_assert_uint_eq(connect_rc(a, "*MSG"), RC(13));
    memset(parm, 0, sizeof parm);
    parm[2] = ALL;
    ck_assert_uint_eq(iucv(a, SEVER), 0);
    ck_assert_uint_eq(connect_rc(a, "BOB"), 0);
}
END_TEST

START_TEST(given_up_before_it_was_accepted)
{
    pair(&anybody, &anybody);
    u16 a = connect_to(alice, "BOB", 0, 0);
    ck_assert_uint_eq(interrupted(bob), 1);
    u16 b = be16_load(irq);
    path_parm(a, NULL);
    ck_assert_uint_eq(iucv(alice, SEVER), 0);
    path_parm(b, NULL);
    ck_assert_uint_eq(iucv(bob, ACCEPT), RC(20));
    ck_assert_uint_eq(interrupted(bob), 3);
    ck_assert_uint_eq(iucv(bob, SEVER), 0);
    ck_assert_uint_eq(iucv(bob, ACCEPT), RC(1));
}
END_TEST

START_TEST(quiesce_and_resume)
{
    connected(0);
    path_parm(bobs, NULL);
    ck_assert_uint_eq(iucv(bob, QUIESCE), 0);
    ck_assert_uint_eq(interrupted(alice), 4);
    send_to(alices, ONE_WAY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), RC(2));
    path_parm(bobs, NULL);
    ck_assert_uint_eq(iucv(bob, RESUME), 0);
    ck_assert_uint_eq(interrupted(alice), 5);
    send_to(alices, ONE_WAY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    path_parm(99, NULL);
    ck_assert_uint_eq(iucv(bob, QUIESCE), RC(1));
}
END_TEST

/* --- messages --------------------------------------------------------------------------------- */

START_TEST(one_way)
{
    connected(0);
    text_at(alice, OUT_AT, "Hello, Bob");
    send_to(alices, ONE_WAY, OUT_AT, 10);
    p32(8, 77), p32(20, 88), p32(24, 99);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    u32 id = be32_load(parm + 4);
    ck_assert_uint_eq(interrupted(bob), 9);
    ck_assert_uint_eq(be16_load(irq), bobs);
    ck_assert_uint_eq(irq[2], ONE_WAY);
    ck_assert_uint_eq(be32_load(irq + 4), id);
    ck_assert_uint_eq(be32_load(irq + 8), 77);
    ck_assert_uint_eq(be32_load(irq + 16), 10);
    ck_assert(!comes(alice));
    receive_parm(bobs, id, 77, IN_AT, 64);
    ck_assert_uint_eq(iucv(bob, RECEIVE), 0);
    ck_assert_mem_eq(of(bob, IN_AT), "Hello, Bob\0", 11);
    ck_assert_uint_eq(be32_load(parm + 12), IN_AT + 10);
    ck_assert_uint_eq(be32_load(parm + 16), 54); /* room that is left */
    ck_assert_uint_eq(iucv(bob, RECEIVE), RC2);
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be16_load(irq), alices);
    ck_assert_uint_eq(be32_load(irq + 4), id);
    ck_assert_uint_eq(be32_load(irq + 8), 0); /* audit */
    ck_assert_uint_eq(be32_load(irq + 20), 88);
    ck_assert_uint_eq(be32_load(irq + 24), 99);
}
END_TEST

START_TEST(in_pieces)
{
    connected(0);
    text_at(alice, OUT_AT, "0123456789");
    send_to(alices, ONE_WAY, OUT_AT, 10);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    memset(parm, 0, sizeof parm); /* the first that waits */
    p32(12, IN_AT), p32(16, 4);
    ck_assert_uint_eq(iucv(bob, RECEIVE), RC(5));
    ck_assert_uint_eq(be32_load(parm + 16), 6);
    ck_assert_mem_eq(of(bob, IN_AT), "0123\0", 5);
    ck_assert(!comes(bob)); /* it is known */
    ck_assert(!comes(alice));
    u32 id = be32_load(parm + 4);
    receive_parm(bobs, id, 0, IN_AT + 4, 6);
    ck_assert_uint_eq(iucv(bob, RECEIVE), 0);
    ck_assert_mem_eq(of(bob, IN_AT), "0123456789", 10);
    ck_assert_uint_eq(interrupted(alice), 7);
}
END_TEST

START_TEST(two_way)
{
    connected(0);
    text_at(alice, OUT_AT, "question");
    send_to(alices, 0, OUT_AT, 8);
    p32(28, ANSWER_AT), p32(32, 32);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    u32 id = be32_load(parm + 4);
    ck_assert_uint_eq(interrupted(bob), 9);
    ck_assert_uint_eq(irq[2], 0);
    ck_assert_uint_eq(be32_load(irq + 32), 32);
    receive_parm(bobs, id, 0, IN_AT, 8);
    ck_assert_uint_eq(iucv(bob, RECEIVE), 0);
    ck_assert_uint_eq(be32_load(parm + 32), 32);
    ck_assert(!comes(alice));
    text_at(bob, OUT_AT, "the answer");
    reply_parm(bobs, id, 1, OUT_AT, 10);
    ck_assert_uint_eq(iucv(bob, REPLY), RC(8)); /* class */
    reply_parm(bobs, id, 0, OUT_AT, 10);
    ck_assert_uint_eq(iucv(bob, REPLY), 0);
    ck_assert_uint_eq(be32_load(parm + 32), 0);
    ck_assert_uint_eq(iucv(bob, REPLY), RC2);
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be32_load(irq + 32), 22);
    ck_assert_mem_eq(of(alice, ANSWER_AT), "the answer\0", 11);
}
END_TEST

START_TEST(reply_too_long)
{
    connected(0);
    send_to(alices, 0, OUT_AT, 0);
    p32(28, ANSWER_AT), p32(32, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    u32 id = be32_load(parm + 4);
    text_at(bob, OUT_AT, "the answer");
    reply_parm(bobs, id, 0, OUT_AT, 10);
    ck_assert_uint_eq(iucv(bob, REPLY), RC(5));
    ck_assert_uint_eq(be32_load(parm + 32), 6);
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be16_load(irq + 8), 0x8000);
    ck_assert_mem_eq(of(alice, ANSWER_AT), "the \0", 5);
}
END_TEST

START_TEST(data_in_the_parameter_list)
{
    connected(DATA);
    send_to(alices, ONE_WAY | DATA, 0, 0);
    memcpy(parm + 12, "8 bytes!", 8);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    ck_assert_uint_eq(interrupted(bob), 9);
    ck_assert_uint_eq(irq[2], ONE_WAY | DATA);
    ck_assert_mem_eq(irq + 12, "8 bytes!", 8);
    ck_assert_uint_eq(interrupted(alice), 7); /* it has been received with that */
    memset(parm, 0, sizeof parm);
    ck_assert_uint_eq(iucv(bob, RECEIVE), RC2);
    send_to(alices, DATA, 0, 0);
    memcpy(parm + 12, "12345678", 8);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    u32 id = be32_load(parm + 4);
    memset(parm, 0, sizeof parm);
    ck_assert_uint_eq(iucv(bob, RECEIVE), 0);
    ck_assert_mem_eq(parm + 12, "12345678", 8);
    ck_assert_uint_eq(parm[2], DATA);
    reply_parm(bobs, id, 0, 0, 0);
    parm[2] = DATA;
    memcpy(parm + 12, "87654321", 8);
    ck_assert_uint_eq(iucv(bob, REPLY), 0);
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(irq[2], DATA);
    ck_assert_mem_eq(irq + 12, "87654321", 8);
}
END_TEST

START_TEST(data_that_is_not_taken)
{
    connected(0);
    send_to(alices, ONE_WAY | DATA, 0, 0);
    ck_assert_uint_eq(iucv(alice, SEND), RC(21));
    send_to(alices, 0, OUT_AT, 1);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    reply_parm(bobs, be32_load(parm + 4), 0, 0, 0);
    parm[2] = DATA;
    ck_assert_uint_eq(iucv(bob, REPLY), RC(21));
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be16_load(irq + 8), 0x0200);
}
END_TEST

START_TEST(address_lists)
{
    u8 list[32] = {0};
    connected(0);
    text_at(alice, OUT_AT, "abcdefgh");
    be32_store(list, OUT_AT + 4), be32_store(list + 4, 3);
    be32_store(list + 8, OUT_AT), be32_store(list + 12, 0);
    be32_store(list + 16, OUT_AT), be32_store(list + 20, 4);
    storage_write(vm_storage(alice), LIST_AT, list, sizeof list);
    send_to(alices, ONE_WAY | LIST, LIST_AT, 7);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    be32_store(list, IN_AT), be32_store(list + 4, 2);
    be32_store(list + 8, IN_AT + 16), be32_store(list + 12, 5);
    storage_write(vm_storage(bob), LIST_AT, list, sizeof list);
    memset(parm, 0, sizeof parm);
    parm[2] = LIST;
    p32(12, LIST_AT), p32(16, 7);
    ck_assert_uint_eq(iucv(bob, RECEIVE), 0);
    ck_assert_mem_eq(of(bob, IN_AT), "ef\0", 3);
    ck_assert_mem_eq(of(bob, IN_AT + 16), "gabcd", 5);
    be32_store(list + 12, 0); /* it never ends */
    for (u32 at = 0; at < 0x10000; at += 16)
        storage_write(vm_storage(alice), LIST_AT + at, list + 8, 8),
            storage_write(vm_storage(alice), LIST_AT + at + 8, list + 8, 8);
    send_to(alices, ONE_WAY | LIST, LIST_AT, 7);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    memset(parm, 0, sizeof parm);
    p32(12, IN_AT), p32(16, 7);
    ck_assert_uint_eq(iucv(bob, RECEIVE), RC(7));
}
END_TEST

START_TEST(bad_storage)
{
    connected(0);
    send_to(alices, ONE_WAY, STORAGE_BYTES - 4, 8); /* found when it is received */
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    memset(parm, 0, sizeof parm);
    p32(12, IN_AT), p32(16, 8);
    ck_assert_uint_eq(iucv(bob, RECEIVE), RC(7));
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be16_load(irq + 8), 0x2000);
    storage_key_set(vm_storage(alice), OUT_AT, 0x58); /* fetch protected */
    key_of_programs = 0x40;
    send_to(alices, ONE_WAY, OUT_AT, 8);
    storage_key_set(vm_storage(alice), PARM_AT, 0x40);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    key_of_programs = 0;
    memset(parm, 0, sizeof parm);
    p32(12, IN_AT), p32(16, 8);
    ck_assert_uint_eq(iucv(bob, RECEIVE), RC(6));
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be16_load(irq + 8), 0x4000);
    send_to(alices, 0, OUT_AT, 8);
    p32(28, STORAGE_BYTES), p32(32, 1);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    u32 id = be32_load(parm + 4);
    receive_parm(bobs, id, 0, STORAGE_BYTES - 7, 8);
    ck_assert_uint_eq(iucv(bob, RECEIVE), PGM(ADDRESSING));
    receive_parm(bobs, id, 0, IN_AT, 0x80000000);
    ck_assert_uint_eq(iucv(bob, RECEIVE), RC(10));
    receive_parm(bobs, id, 0, IN_AT, 8); /* it is there still */
    ck_assert_uint_eq(iucv(bob, RECEIVE), 0);
    reply_parm(bobs, id, 0, STORAGE_BYTES, 1);
    ck_assert_uint_eq(iucv(bob, REPLY), PGM(ADDRESSING));
    reply_parm(bobs, id, 0, OUT_AT, 1);
    ck_assert_uint_eq(iucv(bob, REPLY), RC(7));
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be16_load(irq + 8), 0x0800);
}
END_TEST

START_TEST(what_send_refuses)
{
    connected(0);
    send_to(99, ONE_WAY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), RC(1));
    send_to(0xffff, ONE_WAY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), RC(1));
    send_to(alices, ONE_WAY | PRIORITY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), RC(4));
    send_to(alices, ONE_WAY, OUT_AT, 0x80000000);
    ck_assert_uint_eq(iucv(alice, SEND), RC(10));
    send_to(alices, 0, OUT_AT, 4);
    p32(32, 0x80000000);
    ck_assert_uint_eq(iucv(alice, SEND), RC(10));
    for (unsigned i = 0; i < 10; i++) { /* the limit, when nobody says another */
        send_to(alices, ONE_WAY, OUT_AT, 4);
        ck_assert_uint_eq(iucv(alice, SEND), 0);
    }
    ck_assert_uint_eq(iucv(alice, SEND), RC(3));
    memset(parm, 0, sizeof parm);
    p32(12, IN_AT), p32(16, 8);
    ck_assert_uint_eq(iucv(bob, RECEIVE), 0);
    send_to(alices, ONE_WAY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), RC(3)); /* its completion waits */
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
}
END_TEST

START_TEST(priority)
{
    struct vm_config some = anybody;
    some.iucv[0].priority = true;
    pair(&some, &anybody);
    alices = connect_to(alice, "BOB", PRIORITY, 0);
    ck_assert_uint_eq(parm[2], PRIORITY);
    ck_assert_uint_eq(interrupted(bob), 1);
    bobs = be16_load(irq);
    accept_path(bobs, PRIORITY);
    ck_assert_uint_eq(interrupted(alice), 2);
    ck_assert_uint_eq(irq[2], PRIORITY);
    send_to(alices, ONE_WAY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    send_to(alices, ONE_WAY | PRIORITY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    ck_assert_uint_eq(interrupted(bob), 8); /* first */
    ck_assert_uint_eq(interrupted(bob), 9);
    for (unsigned i = 0; i < 2; i++) {
        memset(parm, 0, sizeof parm);
        p32(12, IN_AT), p32(16, 8);
        ck_assert_uint_eq(iucv(bob, RECEIVE), 0);
    }
    ck_assert_uint_eq(interrupted(alice), 6);
    ck_assert_uint_eq(interrupted(alice), 7);
}
END_TEST

START_TEST(reject_and_purge)
{
    connected(0);
    send_to(alices, 0, OUT_AT, 4);
    p32(20, 5), p32(24, 6);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    u32 id = be32_load(parm + 4);
    receive_parm(bobs, id, 9, 0, 0);
    ck_assert_uint_eq(iucv(bob, REJECT), RC(8));
    parm[2] = BY_MESSAGE;
    ck_assert_uint_eq(iucv(bob, REJECT), PGM(SPECIFICATION));
    receive_parm(99, id, 0, 0, 0);
    ck_assert_uint_eq(iucv(bob, REJECT), RC(1));
    receive_parm(bobs, id, 0, 0, 0);
    ck_assert_uint_eq(iucv(bob, REJECT), 0);
    ck_assert(!comes(bob)); /* it is gone */
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be16_load(irq + 8), 0x0400);
    send_to(alices, 0, OUT_AT, 4);
    p32(20, 5), p32(24, 6);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    id = be32_load(parm + 4);
    receive_parm(alices, id, 0, 0, 0);
    parm[2] = 0;
    ck_assert_uint_eq(iucv(alice, PURGE), PGM(SPECIFICATION));
    parm[2] = BY_PATH;
    p32(24, 0);
    ck_assert_uint_eq(iucv(alice, PURGE), 0);
    ck_assert_uint_eq(be32_load(parm + 4), id);
    ck_assert_uint_eq(be32_load(parm + 24), 6);
    parm[2] = BY_PATH;
    ck_assert_uint_eq(iucv(alice, PURGE), RC2);
    ck_assert(!comes(bob));
    ck_assert(!comes(alice));
}
END_TEST

START_TEST(without_interruptions)
{
    connected(0);
    set_mask(alice, SET_MASK, 0);
    set_mask(bob, SET_MASK, 0);
    memset(parm, 0, sizeof parm);
    ck_assert_uint_eq(iucv(bob, DESCRIBE), RC2);
    ck_assert_uint_eq(iucv(alice, TEST_COMPLETION), RC2);
    send_to(alices, ONE_WAY, OUT_AT, 4);
    p32(8, 0x77), p32(20, 0x88);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    u32 id = be32_load(parm + 4);
    ck_assert(!comes(bob));
    ck_assert_uint_eq(iucv(bob, TEST_MESSAGE), 1);
    memset(parm, 0, sizeof parm);
    ck_assert_uint_eq(iucv(bob, DESCRIBE), 0);
    ck_assert_uint_eq(be32_load(parm + 4), id);
    ck_assert_uint_eq(be32_load(parm + 16), 4);
    ck_assert_uint_eq(parm[2], ONE_WAY | BY_PATH | BY_MESSAGE | BY_CLASS);
    p32(12, IN_AT);
    ck_assert_uint_eq(iucv(bob, RECEIVE), 0); /* as DESCRIBE has it */
    ck_assert_uint_eq(iucv(alice, TEST_MESSAGE), 2);
    memset(parm, 0, sizeof parm);
    parm[2] = BY_CLASS;
    p32(20, 0x89);
    ck_assert_uint_eq(iucv(alice, TEST_COMPLETION), RC2);
    p32(20, 0x88);
    ck_assert_uint_eq(iucv(alice, TEST_COMPLETION), 0);
    ck_assert_uint_eq(be32_load(parm + 4), id);
    send_to(alices, ONE_WAY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    memset(parm, 0, sizeof parm);
    ck_assert_uint_eq(iucv(bob, REJECT), 0);
    memset(parm, 0, sizeof parm);
    ck_assert_uint_eq(iucv(alice, TEST_COMPLETION), 3);
    ck_assert_uint_eq(be16_load(parm + 8), 0x0400);
    ck_assert(!comes(alice));
}
END_TEST

/* TEST MESSAGE waits by being executed again: it can be stopped, and ends when a message comes. */
START_TEST(waits_for_a_message)
{
    connected(0);
    set_mask(bob, SET_MASK, 0);
    go(bob, SUPERVISOR, CODE_AT);
    *gr_of(bob, 0) = TEST_MESSAGE;
    for (unsigned i = 0; i < 50; i++) {
        vm_host_run(host);
        ck_assert_uint_eq(note_count, 0);
        ck_assert_int_eq(vm_state(bob), VM_RUNNING);
    }
    ck_assert(vm_quiesce(bob));
    vm_unquiesce(bob);
    send_to(alices, ONE_WAY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    turns(bob, VM_DISABLED_WAIT);
    ck_assert_uint_eq(*gr_of(bob, 14) >> 28 & 3, 1);
}
END_TEST

START_TEST(masks)
{
    pair(&anybody, &anybody);
    set_mask(bob, SET_CONTROL, 0x78);
    u16 a = connect_to(alice, "BOB", 0, 0);
    ck_assert(!comes(bob));
    set_mask(bob, SET_CONTROL, 0x80);
    ck_assert_uint_eq(interrupted(bob), 1);
    set_mask(bob, SET_MASK, 0xf0);
    path_parm(a, NULL);
    ck_assert_uint_eq(iucv(alice, SEVER), 0);
    set_mask(bob, SET_CONTROL, 0x20);
    ck_assert(!comes(bob));
    set_mask(bob, SET_MASK, 0x08);
    ck_assert_uint_eq(interrupted(bob), 3);
}
END_TEST

START_TEST(severed_with_messages)
{
    connected(0);
    send_to(alices, 0, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    send_to(bobs, 0, OUT_AT, 4);
    ck_assert_uint_eq(iucv(bob, SEND), 0);
    path_parm(bobs, NULL);
    ck_assert_uint_eq(iucv(bob, SEVER), 0);
    ck_assert_uint_eq(interrupted(alice), 7); /* hers, which bob has not received */
    ck_assert_uint_eq(be16_load(irq + 8), 0x0008);
    ck_assert_uint_eq(interrupted(alice), 3);
    memset(parm, 0, sizeof parm);
    ck_assert_uint_eq(iucv(alice, RECEIVE), RC2);
    ck_assert(!comes(bob));
    ck_assert(!comes(alice));
}
END_TEST

START_TEST(a_reset_severs)
{
    connected(0);
    send_to(alices, ONE_WAY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    vm_system_reset(bob, false);
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(interrupted(alice), 3);
    ck_assert_ptr_null(bob->iucv);
    ck_assert_uint_eq(connect_rc(alice, "BOB"), RC(12));
    path_parm(alices, NULL);
    ck_assert_uint_eq(iucv(alice, SEVER), 0);
    ck_assert_uint_eq(iucv(alice, RETRIEVE), 0);
    ck_assert_ptr_null(alice->iucv);
}
END_TEST

START_TEST(with_itself)
{
    struct vm_config none = {0};
    struct vm *a = alice = bob = guest("ALICE", &none);
    declare(a);
    alices = connect_to(a, "ALICE", 0, 0);
    ck_assert_uint_eq(interrupted(a), 1);
    bobs = be16_load(irq);
    ck_assert_uint_ne(alices, bobs);
    accept_path(bobs, 0);
    ck_assert_uint_eq(interrupted(a), 2);
    text_at(a, OUT_AT, "to myself");
    send_to(alices, ONE_WAY, OUT_AT, 9);
    ck_assert_uint_eq(iucv(a, SEND), 0);
    ck_assert_uint_eq(interrupted(a), 9);
    receive_parm(bobs, be32_load(irq + 4), 0, IN_AT, 9);
    ck_assert_uint_eq(iucv(a, RECEIVE), 0);
    ck_assert_mem_eq(of(a, IN_AT), "to myself", 9);
    ck_assert_uint_eq(interrupted(a), 7);
    memset(parm, 0, sizeof parm);
    parm[2] = ALL;
    ck_assert_uint_eq(iucv(a, SEVER), 0);
    ck_assert(!comes(a));
}
END_TEST

/* A sender that never takes its completions cannot have more than so many. */
START_TEST(a_flood)
{
    struct vm_config much = anybody;
    much.maxconn = 65535;
    pair(&much, &much);
    alices = connect_to(alice, "BOB", 0, 65535);
    ck_assert_uint_eq(interrupted(bob), 1);
    bobs = be16_load(irq);
    accept_path(bobs, 0);
    ck_assert_uint_eq(interrupted(alice), 2);
    send_to(alices, ONE_WAY, OUT_AT, 0);
    ck_assert_uint_eq(iucv_until(alice, SEND), RC(3));
    ck_assert_uint_eq(*gr_of(alice, 3), IUCV_OUTSTANDING_MAX + 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_iucv");
    TCase *tc = tcase_create("iucv");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, begin, end);
    tcase_add_test(tc, query_tells_limits);
    tcase_add_test(tc, operands);
    tcase_add_test(tc, connect_accept_sever);
    tcase_add_test(tc, who_may_connect);
    tcase_add_test(tc, paths_run_out);
    tcase_add_test(tc, given_up_before_it_was_accepted);
    tcase_add_test(tc, quiesce_and_resume);
    tcase_add_test(tc, one_way);
    tcase_add_test(tc, in_pieces);
    tcase_add_test(tc, two_way);
    tcase_add_test(tc, reply_too_long);
    tcase_add_test(tc, data_in_the_parameter_list);
    tcase_add_test(tc, data_that_is_not_taken);
    tcase_add_test(tc, address_lists);
    tcase_add_test(tc, bad_storage);
    tcase_add_test(tc, what_send_refuses);
    tcase_add_test(tc, priority);
    tcase_add_test(tc, reject_and_purge);
    tcase_add_test(tc, without_interruptions);
    tcase_add_test(tc, waits_for_a_message);
    tcase_add_test(tc, masks);
    tcase_add_test(tc, severed_with_messages);
    tcase_add_test(tc, a_reset_severs);
    tcase_add_test(tc, with_itself);
    tcase_add_test(tc, a_flood);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
