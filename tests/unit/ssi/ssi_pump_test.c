/* Two pumps over a pair of sockets, with one TLS session between them: order, bounded memory when
 * nobody reads, what was kept, and every way to an end. Waits for what pumps tell only. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "cli/cluster/keys.h"
#include "mem/base/bytes.h"
#include "ssi/ssi_uv_pump.h"

#define LIMIT_MS 300000 /* for hangs */
#define PIECE_BYTES (256u << 10)
#define PIECES 40
#define HELD_BYTES_MAX (8u << 20) /* of rings, sockets and what TLS has made, both ways */

static struct {
    uv_loop_t loop;
    uv_async_t async;
    uv_timer_t watchdog;
    char folder[64];
    struct ssi_tls *tls;
    struct ssi_tls_conn *conn[2];
    int fd[2];
    struct ssi_pump *pump[2];
    bool reads[2];
    u64 received[2]; /* bytes, which count up as u32 */
    unsigned given_back;
    bool late;
} t;

static u8 *bytes; /* PIECES pieces that go on counting */

static void on_note(uv_async_t *async)
{
    (void)async;
    for (unsigned i = 0; i < 2; i++) {
        const u8 *p;
        if (!t.pump[i])
            continue;
        ssi_pump_sent(t.pump[i]);
        size_t len = t.reads[i] ? ssi_pump_received(t.pump[i], &p) : 0;
        if (!len)
            continue;
        ck_assert_int_eq(memcmp(p, bytes + t.received[i], len), 0);
        t.received[i] += len;
        ssi_pump_consumed(t.pump[i], len);
    }
}

static void note(void *arg)
{
    uv_async_send(arg);
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    t.late = true;
}

#define UNTIL(cond)                                                                            \
    do {                                                                                       \
        while (!(cond)) {                                                                      \
            ck_assert(!t.late);                                                                \
            uv_run(&t.loop, UV_RUN_ONCE);                                                      \
        }                                                                                      \
    } while (0)

static void given_back(void *arg)
{
    (void)arg;
    t.given_back++;
}

/* All of what one side has to say goes to the other. */
static void carry(struct ssi_tls_conn *from, struct ssi_tls_conn *to)
{
    const u8 *p;
    size_t len = ssi_tls_output(from, &p);
    if (len)
        ssi_tls_receive(to, p, len);
    ck_assert_int_ne(ssi_tls_step(to), TLS_FAILED);
    ssi_tls_output_done(from);
}

static void keys_make(void)
{
    struct cause cause;
    const struct keys_request r = {.dir = t.folder, .cluster = "TESTSSI", .days = 2};
    strcpy(t.folder, "/tmp/ssi_pump.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(t.folder));
    ck_assert_int_eq(keys_authority(&r, &cause), ST_OK);
    ck_assert_int_eq(keys_member(&r, "A", &cause), ST_OK);
    ck_assert_int_eq(ssi_tls_open(t.folder, "TESTSSI", "A", &t.tls, &cause), ST_OK);
}

static void setup(void)
{
    memset(&t, 0, sizeof t);
    bytes = malloc((size_t)PIECES * PIECE_BYTES);
    for (size_t i = 0; i < (size_t)PIECES * PIECE_BYTES; i += 4)
        be32_store(bytes + i, (u32)i / 4 * 2654435761u);
    uv_loop_init(&t.loop);
    uv_async_init(&t.loop, &t.async, on_note);
    uv_timer_init(&t.loop, &t.watchdog);
    uv_timer_start(&t.watchdog, on_watchdog, LIMIT_MS, 0);
    keys_make();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, t.fd), 0);
    for (unsigned i = 0; i < 2; i++)
        t.conn[i] = ssi_tls_begin(t.tls, i == 0);
    while (ssi_tls_step(t.conn[0]) != TLS_READY || ssi_tls_step(t.conn[1]) != TLS_READY) {
        carry(t.conn[1], t.conn[0]);
        carry(t.conn[0], t.conn[1]);
    }
    t.reads[0] = t.reads[1] = true;
}

static void pumps_start(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        t.pump[i] = ssi_pump_start(t.fd[i], t.conn[i], note, &t.async);
        ck_assert_ptr_nonnull(t.pump[i]);
    }
}

static bool over(unsigned i)
{
    int error;
    return ssi_pump_ended(t.pump[i], &error);
}

static void pump_stop(unsigned i)
{
    if (!t.pump[i])
        return;
    ssi_pump_end(t.pump[i], false);
    UNTIL(over(i));
    ssi_pump_free(t.pump[i]);
    t.pump[i] = NULL;
}

static void teardown(void)
{
    char command[128];
    pump_stop(0);
    pump_stop(1);
    for (unsigned i = 0; i < 2; i++) {
        ssi_tls_end(t.conn[i]);
        close(t.fd[i]);
    }
    ssi_tls_close(t.tls);
    uv_close((uv_handle_t *)&t.async, NULL);
    uv_close((uv_handle_t *)&t.watchdog, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    uv_loop_close(&t.loop);
    snprintf(command, sizeof command, "rm -r %s", t.folder);
    ck_assert_int_eq(system(command), 0);
    free(bytes);
}

/* Piece i of the stream: its first bytes as a head of its own, the rest kept or copied. */
static void piece_send(unsigned from, unsigned i, bool keep)
{
    const u8 *p = bytes + (size_t)i * PIECE_BYTES;
    const struct ssi_iov iov[3] = {{p, 24}, {p + 24, 1000}, {p + 1024, PIECE_BYTES - 1024}};
    const struct ssi_sent sent = {given_back, NULL};
    ck_assert_int_eq(ssi_pump_send(t.pump[from], iov, 3, keep ? &sent : NULL), keep);
}

START_TEST(all_arrives_in_order_and_is_given_back_once)
{
    pumps_start(2);
    for (unsigned i = 0; i < PIECES; i++) {
        piece_send(0, i, i % 3 != 0);
        piece_send(1, i, false);
    }
    UNTIL(t.received[1] == (u64)PIECES * PIECE_BYTES && t.received[0] == t.received[1]);
    UNTIL(t.given_back == PIECES - (PIECES + 2) / 3);
    ck_assert_uint_eq(ssi_pump_backlog(t.pump[0]) + ssi_pump_backlog(t.pump[1]), 0);
}
END_TEST

/* Questions and answers of few bytes, which the loop sends itself when it can. */
START_TEST(little_messages_keep_their_order)
{
    pumps_start(2);
    for (u64 at = 0; at < 4000; at += 8) {
        const struct ssi_iov iov = {bytes + at, 8};
        ssi_pump_send(t.pump[0], &iov, 1, NULL);
        if (at % 64 == 0)
            UNTIL(t.received[1] == at + 8);
    }
    UNTIL(t.received[1] == 4000);
}
END_TEST

START_TEST(who_does_not_read_makes_the_other_side_wait)
{
    pumps_start(2);
    t.reads[1] = false;
    for (unsigned i = 0; i < PIECES; i++)
        piece_send(0, i, true);
    const u8 *p;
    size_t held = 0, before = 1, backlog;
    while (held != before) { /* until nothing moves in a round */
        before = held;
        uv_run(&t.loop, UV_RUN_NOWAIT);
        usleep(1000);
        held = ssi_pump_received(t.pump[1], &p);
        backlog = ssi_pump_backlog(t.pump[0]);
        ck_assert_uint_le((size_t)PIECES * PIECE_BYTES - backlog, HELD_BYTES_MAX);
    }
    ck_assert_uint_gt(ssi_pump_backlog(t.pump[0]), 0);
    t.reads[1] = true;
    uv_async_send(&t.async);
    UNTIL(t.received[1] == (u64)PIECES * PIECE_BYTES && t.given_back == PIECES);
}
END_TEST

START_TEST(a_pause_holds_what_comes)
{
    pumps_start(2);
    ssi_pump_pause(t.pump[1], true);
    piece_send(0, 0, false); /* maybe it has looked at the socket before */
    ssi_pump_pause(t.pump[1], false);
    piece_send(0, 1, false);
    UNTIL(t.received[1] == 2 * PIECE_BYTES);
}
END_TEST

START_TEST(what_is_queued_goes_before_the_end)
{
    int error;
    pumps_start(2);
    for (unsigned i = 0; i < PIECES; i++)
        piece_send(0, i, true);
    ssi_pump_end(t.pump[0], true);
    UNTIL(ssi_pump_ended(t.pump[0], &error));
    ck_assert_int_eq(error, 0);
    shutdown(t.fd[0], SHUT_WR);
    UNTIL(ssi_pump_ended(t.pump[1], &error));
    UNTIL(t.received[1] == (u64)PIECES * PIECE_BYTES);
    ck_assert_int_eq(error, PUMP_EOF);
    ck_assert_uint_eq(t.given_back, PIECES);
}
END_TEST

/* The connection is lost, or the member ends: what was kept is given back, whatever had gone. */
START_TEST(a_loss_gives_back_what_was_kept)
{
    pumps_start(2);
    t.reads[1] = false;
    for (unsigned i = 0; i < PIECES; i++)
        piece_send(0, i, true);
    if (_i)
        shutdown(t.fd[1], SHUT_RDWR);
    else
        ssi_pump_end(t.pump[0], false);
    UNTIL(over(0));
    ssi_pump_free(t.pump[0]);
    t.pump[0] = NULL;
    ck_assert_uint_eq(t.given_back, PIECES);
}
END_TEST

/* One bit of what is on its way: nothing of that record comes through. */
START_TEST(a_spoilt_record_ends_it)
{
    int error;
    const u8 *p;
    u8 spoilt[PIECE_BYTES];
    pumps_start(1);
    ck_assert(ssi_tls_write(t.conn[1], bytes, 1000));
    size_t len = ssi_tls_output(t.conn[1], &p);
    memcpy(spoilt, p, len);
    spoilt[len - 1 - (unsigned)_i * 500] ^= 1;
    ck_assert_int_eq(write(t.fd[1], spoilt, len), len);
    UNTIL(ssi_pump_ended(t.pump[0], &error));
    ck_assert_int_eq(error, PUMP_REFUSED);
    ck_assert(ssi_tls_failed(t.conn[0]));
    ck_assert_uint_eq(t.received[0], 0);
    ck_assert_int_gt(read(t.fd[1], spoilt, sizeof spoilt), 0); /* the alert */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_pump");
    TCase *tc = tcase_create("pump");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, all_arrives_in_order_and_is_given_back_once);
    tcase_add_test(tc, little_messages_keep_their_order);
    tcase_add_test(tc, who_does_not_read_makes_the_other_side_wait);
    tcase_add_test(tc, a_pause_holds_what_comes);
    tcase_add_test(tc, what_is_queued_goes_before_the_end);
    tcase_add_loop_test(tc, a_loss_gives_back_what_was_kept, 0, 2);
    tcase_add_loop_test(tc, a_spoilt_record_ends_it, 0, 2);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
