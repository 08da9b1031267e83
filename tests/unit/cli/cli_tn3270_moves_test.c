/* A terminal whose user goes from its home to another member and back, with Enter pressed on the
 * way: its keyboard is unlocked by the screen that answers the key, not by one before it, and is
 * unlocked in the end. Two members in one process over loopback TCP. Rule: docs/tn3270.md ("A user
 * that is relocated"). Run alone: tests/run unit/cli_tn3270_moves_test */
#include <stdio.h>
#include <stdlib.h>

#include "cli/tn3270/tn3270_internal.h"
#include "hyp/cp_move.h"
#include "tests/lib/member_move.h"
#include "tests/lib/ssi_nodes.h"

#define USER "LINUX1"
#define ORDER_SF 0x1d

/* A member of the cluster, with its terminals. */
struct place {
    struct node node;
    bool left;
    struct member *m;
};

static struct place here, there;
static struct tn_conn *c; /* the terminal, at home: what its telnet sends is looked at */

/* ---- the terminal ---- */

/* What a terminal knows of its keyboard and its input area. */
static bool locked, line_typed;
static unsigned unlocked_early;
static u8 sent[65536];
static size_t sent_len;

/* Does the record make the input area anew? */
static bool draws_input(const u8 *record, size_t len)
{
    struct tn_out at;
    tn_out_begin(&at, c->size, TN_WRITE, 0);
    size_t head = at.len;
    tn_out_at(&at, tn_screen_input(c->size) - 1);
    for (size_t i = 2; i + 5 <= len; i++)
        if (!memcmp(record + i, at.bytes + head, 3) && record[i + 3] == ORDER_SF)
            return true;
    return false;
}

static void record_came(const u8 *record, size_t len)
{
    bool erases = record[0] == 0xf5;
    line_typed &= !erases && !draws_input(record, len);
    if (!(record[1] & TN_RESTORE))
        return;
    unlocked_early += line_typed;
    locked = false;
}

/* Telnet's bytes: records end with IAC EOR. */
static void on_send(void *ctx, const u8 *bytes, size_t len)
{
    (void)ctx;
    ck_assert_uint_le(sent_len + len, sizeof sent);
    memcpy(sent + sent_len, bytes, len);
    sent_len += len;
    for (size_t i = 0; i + 1 < sent_len; i++) {
        if (sent[i] != 255 || sent[i + 1] != 239)
            continue;
        record_came(sent, i);
        sent_len -= i + 2;
        memmove(sent, sent + i + 2, sent_len);
        i = (size_t)-1;
    }
}

static void press(u8 aid, const char *text)
{
    struct tn_out key;
    tn_out_begin(&key, c->size, TN_WRITE, 0);
    tn_out_at(&key, tn_screen_input(c->size));
    tn_out_at(&key, tn_screen_input(c->size));
    tn_out_text(&key, text);
    key.bytes[2] = aid; /* the first order's place: AID and cursor, then the field */
    locked = true;
    line_typed = aid == TN_AID_ENTER;
    if (!tn_away_key(c, key.bytes + 2, key.len - 2))
        tn_conn_key(c, key.bytes + 2, key.len - 2);
}

/* ---- two members ---- */

static void place_open(struct place *p, unsigned slot, const char *system)
{
    struct cause cause = {0};
    node_open(&p->node, slot);
    p->m = member_world_create();
    const struct tn3270_config config = {.loop = &node_loop, .system = system, .member = p->m};
    p->m->tn3270 = tn3270_create(&config, &cause);
    ck_assert_msg(p->m->tn3270 && tn3270_away_open(p->m->tn3270, p->node.ssi, &cause) == ST_OK,
                  "%s", cause.text);
    node_join(&p->node);
}

static void place_close(struct place *p)
{
    struct tn3270 *s = p->m->tn3270;
    tn3270_destroy(s);
    uv_run(&node_loop, UV_RUN_NOWAIT);
    if (!p->left)
        node_close(&p->node);
    p->m->tn3270 = NULL;
    member_world_destroy(p->m);
}

static void command(struct member *m, const char *userid, const char *text)
{
    struct cp_response resp;
    cp_response_init(&resp);
    cp_command_as(m->cp, userid, CP_CLASS_ANY, text, &resp);
    ck_assert_msg(!resp.rc, "%s", resp.line_count ? resp.lines[0] : text);
    cp_response_fini(&resp);
}

/* A terminal of `here` without a connection. */
static void terminal_create(void)
{
    static const struct telnet_ports ports = {.send = on_send};
    c = tn_conn_standin(here.m->tn3270);
    ck_assert_ptr_nonnull(c);
    c->away.standin = false;
    here.m->tn3270->conn_count++;
    uv_tcp_init(&node_loop, &c->tcp);
    c->tcp.data = c;
    c->handles = 2;
    c->size = (struct tn_size){24, 80};
    telnet_begin(&c->telnet, &ports);
    sent_len = 0;
}

static void setup(void)
{
    nodes_setup();
    place_open(&here, 0, "A");
    place_open(&there, 1, "B");
    command(there.m, "OPERATOR", "FORCE " USER);
    member_world_turn(there.m);
    terminal_create();
    command(here.m, USER, "LOGON " USER " SECRET");
    tn_console_begin(c, cp_user_find(here.m->cp, USER));
    ck_assert(c->mode == TN_CONSOLE && !locked);
}

static void teardown(void)
{
    place_close(&here);
    place_close(&there);
    nodes_teardown();
}

static void moves(struct place *from, struct place *to)
{
    member_move(from->m, to->m, USER);
}

static struct tn_conn *stand_in(void)
{
    struct tn_conn *s = there.m->tn3270->conns;
    while (s && (!s->away.standin || s->closing))
        s = s->next;
    return s;
}

/* All keys have been carried out, and what came of them is shown. */
static void settle(void)
{
    RUN_UNTIL(!c->away.keys && !locked);
    ck_assert_uint_eq(unlocked_early, 0);
    ck_assert(!line_typed);
}

static void goes_and_is_attached(void)
{
    moves(&here, &there);
    u64 screens = c->away.out;
    RUN_UNTIL(c->away.out > screens); /* the other member's name on it */
}

START_TEST(pressed_while_it_goes)
{
    moves(&here, &there);
    press(TN_AID_ENTER, "ECHO one");
    ck_assert(c->mode == TN_AWAY && c->away.keys);
    settle();
    ck_assert(c->mode == TN_AWAY);
}
END_TEST

/* Reset, and another line: the first one's answer leaves the keyboard locked. */
START_TEST(two_keys_wait)
{
    moves(&here, &there);
    press(TN_AID_ENTER, "ECHO one");
    press(TN_AID_ENTER, "ECHO two");
    u64 last = c->away.typed;
    while (locked) {
        u64 screens = c->away.out;
        RUN_UNTIL(c->away.out > screens);
    }
    ck_assert_uint_eq(stand_in()->away.done, last);
    settle();
}
END_TEST

/* ATTN locks no keyboard, and nothing that waits for it does. */
START_TEST(attention_waits)
{
    moves(&here, &there);
    ck_assert(tn_away_key(c, NULL, 0));
    ck_assert(!tn_away_key_waits(c));
    press(TN_AID_ENTER, "ECHO one");
    ck_assert(tn_away_key(c, NULL, 0));
    settle();
}
END_TEST

/* The user is home again before the key got to where it was. */
START_TEST(pressed_before_it_is_back)
{
    goes_and_is_attached();
    press(TN_AID_ENTER, "ECHO one");
    press(TN_AID_ENTER, "ECHO two");
    ck_assert_ptr_nonnull(c->away.keys);
    moves(&there, &here);
    ck_assert(c->mode == TN_CONSOLE);
    settle();
}
END_TEST

/* A key's answer was on its way when the user went on: it is drawn again. */
START_TEST(an_answer_is_lost)
{
    moves(&here, &there);
    c->away.out--;
    locked = line_typed = true;
    settle();
    moves(&there, &here);
    ck_assert(!locked);
}
END_TEST

/* The key that was being carried out when the user's state was saved (VMRELOCATE of oneself). */
START_TEST(frozen_by_its_own_key)
{
    struct cp_user *user = cp_user_find(here.m->cp, USER);
    struct tn_in in = {.aid = TN_AID_ENTER};
    locked = line_typed = true;
    cp_user_freeze(user);
    tn_console_key(c, &in);
    ck_assert(locked);
    if (_i)
        cp_user_thaw(user);
    else
        moves(&here, &there);
    settle();
}
END_TEST

START_TEST(stays_after_all)
{
    struct cp_user *user = cp_user_find(here.m->cp, USER);
    cp_user_freeze(user);
    press(TN_AID_ENTER, "ECHO one");
    ck_assert(locked && c->away.keys);
    cp_user_thaw(user);
    settle();
}
END_TEST

/* The user ends, its member leaves, or is lost, before the key is carried out. */
START_TEST(nobody_answers)
{
    moves(&here, &there);
    press(TN_AID_ENTER, "ECHO one");
    if (_i == 0)
        command(there.m, "OPERATOR", "FORCE " USER);
    if (_i == 1) {
        node_leave(&there.node);
        RUN_UNTIL(there.node.leave_done);
    }
    if (_i == 2) {
        node_close(&there.node);
        there.left = true;
    }
    settle();
    ck_assert(c->mode == TN_LOGO);
}
END_TEST

/* ---- a link that takes nothing for a while ---- */

/* As much as a link takes is on its way from one place to the other, as long as `crammed` says. */
static struct place *crammed;

static void cram(uv_prepare_t *prepare)
{
    static const u8 bytes[PIECE_BYTES];
    (void)prepare;
    for (size_t n = sizeof bytes; crammed && n; n /= 2)
        while (ssi_send(crammed->node.ssi, crammed == &here ? "B" : "A", NODE_CONTROL,
                        NODE_TYPE, bytes, n) == ST_OK)
            continue;
}

/* Until something of the terminals has had to wait there; then the link is as ever. */
static void crammed_until_it_waits(struct place *p)
{
    uv_prepare_t prepare;
    uv_prepare_init(&node_loop, &prepare);
    uv_prepare_start(&prepare, cram);
    RUN_UNTIL(p->m->tn3270->unsent);
    crammed = NULL;
    uv_close((uv_handle_t *)&prepare, NULL);
    RUN_UNTIL(!p->m->tn3270->unsent);
}

START_TEST(home_cannot_send_a_key)
{
    goes_and_is_attached();
    crammed = &here;
    cram(NULL);
    press(TN_AID_ENTER, "ECHO one");
    press(TN_AID_ENTER, "ECHO two");
    crammed_until_it_waits(&here);
    settle();
    ck_assert_uint_eq(stand_in()->away.done, 2);
    ck_assert_uint_eq(stand_in()->typed.count, 2);
}
END_TEST

START_TEST(home_cannot_answer)
{
    moves(&here, &there);
    press(TN_AID_ENTER, "ECHO one");
    crammed = &here;
    cram(NULL);
    crammed_until_it_waits(&here);
    settle();
    ck_assert_uint_eq(stand_in()->typed.count, 1);
}
END_TEST

/* Screens, DONE, and (1) the word that the user's end is no more. */
START_TEST(the_users_end_cannot_send)
{
    goes_and_is_attached();
    press(TN_AID_ENTER, "ECHO one");
    crammed = &there;
    cram(NULL);
    if (_i)
        command(there.m, "OPERATOR", "FORCE " USER);
    crammed_until_it_waits(&there);
    settle();
    ck_assert(c->mode == (_i ? TN_LOGO : TN_AWAY));
}
END_TEST

/* The link that had too much is lost: nothing waits for it any more. */
START_TEST(what_waits_is_lost)
{
    goes_and_is_attached();
    crammed = &here;
    cram(NULL);
    press(TN_AID_ENTER, "ECHO one");
    ck_assert_ptr_nonnull(here.m->tn3270->unsent);
    crammed = NULL;
    node_close(&there.node);
    there.left = true;
    settle();
    ck_assert(c->mode == TN_LOGO && !here.m->tn3270->unsent);
}
END_TEST

/* No link, and nobody has said yet that it is lost. */
START_TEST(home_has_no_link)
{
    struct ssi *ssi = here.m->tn3270->ssi;
    goes_and_is_attached();
    here.m->tn3270->ssi = NULL;
    press(TN_AID_ENTER, "ECHO one");
    ck_assert(!locked && c->mode == TN_LOGO);
    here.m->tn3270->ssi = ssi;
}
END_TEST

/* The user's end is told; what it draws from then on nobody sees. */
START_TEST(hangs_up)
{
    moves(&here, &there);
    press(TN_AID_ENTER, "ECHO one");
    tn_conn_close(c);
    RUN_UNTIL(!stand_in());
    ck_assert_ptr_nonnull(cp_user_find(there.m->cp, USER));
}
END_TEST

/* Test Request, and bytes that are no key. */
START_TEST(no_key)
{
    if (_i)
        goes_and_is_attached();
    press(0xf0, "");
    settle();
    press(0x00, "");
    settle();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_tn3270_moves");
    TCase *t = tcase_create("keyboard");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, pressed_while_it_goes);
    tcase_add_test(t, two_keys_wait);
    tcase_add_test(t, attention_waits);
    tcase_add_test(t, pressed_before_it_is_back);
    tcase_add_test(t, an_answer_is_lost);
    tcase_add_loop_test(t, frozen_by_its_own_key, 0, 2);
    tcase_add_test(t, stays_after_all);
    tcase_add_loop_test(t, nobody_answers, 0, 3);
    tcase_add_test(t, home_cannot_send_a_key);
    tcase_add_test(t, home_cannot_answer);
    tcase_add_loop_test(t, the_users_end_cannot_send, 0, 2);
    tcase_add_test(t, what_waits_is_lost);
    tcase_add_test(t, home_has_no_link);
    tcase_add_test(t, hangs_up);
    tcase_add_loop_test(t, no_key, 0, 2);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
