/* The spool of a cluster when a member is killed: while it changes, reads or writes a file, and
 * on either side of a relocation. Each file is there once afterwards, and whole. */
#include "tests/unit/hyp/hyp_spool_members.h"

#define ROUNDS 12

/* Member B, in a process of its own, changes, moves and purges files of A until it is killed. */
static void work(int told)
{
    struct cause cause;
    for (unsigned i = 0; i < MEMBERS;
         i++) /* parent's locks and readers are not this process's */
        m[i].spool = NULL;
    start_member(1, SPOOL_WARM);
    for (unsigned round = 0;; round++) {
        struct spool_file *f = spool_next(m[1].spool, NULL);
        struct spool_desc d = *spool_desc(f);
        d.copies = round % 200 + 1;
        d.hold = round % 2;
        if (spool_change(m[1].spool, f, &d, &cause) ||
            spool_transfer(m[1].spool, f, round % 2 ? USERID : "LINUX2", SPOOL_RDR, &cause) ||
            spool_order(m[1].spool, f, &cause) || write(told, "+", 1) != 1)
            _exit(1);
    }
}

START_TEST(killed_while_changing)
{
    struct cause cause;
    char byte;
    add(0, USERID, "ONE");
    add(0, USERID, "TWO");
    spool_destroy(m[1].spool);
    m[1].spool = NULL;
    for (unsigned round = 0; round < ROUNDS; round++) {
        int fds[2];
        ck_assert_int_eq(pipe(fds), 0);
        pid_t child = fork();
        if (!child)
            work(fds[1]);
        close(fds[1]);
        for (unsigned i = 0; i < round % 5 + 1; i++)
            ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        close(fds[0]);
        for (unsigned i = 0; i < MEMBERS; i += 2) {
            unsigned n = 0;
            spool_look(m[i].spool);
            for (struct spool_file *f = NULL; (f = spool_next(m[i].spool, f)); n++) {
                struct spool_desc d = *spool_desc(f);
                ck_assert_uint_eq(d.records, 1);
                ck_assert_int_eq(spool_change(m[i].spool, f, &d, &cause), ST_OK);
            }
            ck_assert_uint_eq(n, 2);
        }
    }
    spool_destroy(m[0].spool);
    start_member(0, SPOOL_WARM);
    ck_assert_uint_eq(on_disk(), 4); /* nothing half-written is left */
}
END_TEST

/* A member that is killed while it reads another's file leaves it as it was. */
START_TEST(killed_while_reading)
{
    int fds[2];
    char byte;
    add(0, USERID, "ONE");
    spool_destroy(m[1].spool);
    m[1].spool = NULL;
    ck_assert_int_eq(pipe(fds), 0);
    pid_t child = fork();
    if (!child) {
        m[0].spool = m[2].spool = NULL;
        start_member(1, SPOOL_WARM);
        logon(1);
        deliver(1);
        if (read_page(1) != READER_PAGE_OK || write(fds[1], "+", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    ck_assert(!spool_purge(m[0].spool, get(0, "ONE")));
    ck_assert(!spool_purge(m[2].spool, get(2, "ONE")));
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    logon(2);
    deliver(2);
    ck_assert_int_eq(read_page(2), READER_PAGE_OK);
    finish(2, READER_CLOSE_GONE);
    ck_assert_uint_eq(on_disk(), 0);
    logoff(2, false);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

/* A member that is killed while a device writes: nobody sees the file until it is there again, when
 * it is held, everywhere. */
START_TEST(killed_while_writing)
{
    const u8 card[80] = {0xc1};
    int fds[2];
    char byte;
    spool_destroy(m[0].spool);
    m[0].spool = NULL;
    ck_assert_int_eq(pipe(fds), 0);
    pid_t child = fork();
    if (!child) {
        m[1].spool = m[2].spool = NULL;
        start_member(0, SPOOL_WARM);
        struct spool_device *dev =
            spool_device_create(m[0].spool, USERID, SPOOL_DEV_PUN, 0x000d, 'A');
        for (unsigned i = 0; i < 100; i++)
            if (spool_device_sink(dev, 0x000d, 0x41, card, sizeof card) != ST_OK)
                _exit(1);
        if (write(fds[1], "+", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    spool_look(m[1].spool);
    ck_assert_str_eq(seen(1), "");
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    spool_look_anew(m[1].spool);
    ck_assert_str_eq(seen(1), "");
    start_member(0, SPOOL_WARM);
    spool_look(m[1].spool);
    const struct spool_desc *d = spool_desc(spool_next(m[1].spool, NULL));
    ck_assert(d->hold && d->queue == SPOOL_PUN && d->records == 100);
    ck_assert_uint_eq(d->id % SPOOL_SLOTS, 1);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

static void pass(int fd, const void *bytes, size_t len)
{
    if (write(fd, bytes, len) != (ssize_t)len)
        _exit(1);
}

static void collect(int fd, struct codec_out *out)
{
    static u8 bytes[1 << 16];
    size_t len;
    ck_assert_int_eq(read(fd, &len, sizeof len), sizeof len);
    ck_assert_uint_le(len, sizeof bytes);
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, bytes + at, len - at);
        ck_assert_int_gt(n, 0);
        at += (size_t)n;
    }
    codec_out_init(out);
    ck_assert_ptr_nonnull(out->data = malloc(len));
    memcpy(out->data, bytes, len);
    out->len = len;
}

/* A machine on A has a file of B's open and moves to C. A is killed before C has taken its state,
 * or behind that; C reads on and the file is there once, and C's from the moment it came. */
START_TEST(source_killed)
{
    struct stream s;
    int fds[2];
    add(1, USERID, "ONE");
    spool_destroy(m[0].spool);
    m[0].spool = NULL;
    ck_assert_int_eq(pipe(fds), 0);
    pid_t child = fork();
    if (!child) {
        m[1].spool = m[2].spool = NULL;
        start_member(0, SPOOL_WARM);
        logon(0);
        deliver(0);
        read_page(0);
        save(0, &s);
        pass(fds[1], &s.css.len, sizeof s.css.len);
        pass(fds[1], s.css.data, s.css.len);
        pass(fds[1], &s.spool.len, sizeof s.spool.len);
        pass(fds[1], s.spool.data, s.spool.len);
        for (;;)
            pause();
    }
    collect(fds[0], &s.css);
    collect(fds[0], &s.spool);
    ck_assert(untouchable("ONE"));
    logon(2);
    if (!_i) {
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
    }
    ck_assert(restore(2, &s));
    ck_assert(untouchable("ONE"));
    if (_i) {
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
    }
    ck_assert(untouchable("ONE"));
    deliver(2);
    ck_assert_int_eq(read_page(2), READER_PAGE_END);
    finish(2, READER_CLOSE_GONE);
    ck_assert_str_eq(seen(1), "");
    ck_assert_uint_eq(on_disk(), 0);
    logoff(2, false);
    stream_free(&s);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

/* C is killed when it has taken the state: the machine goes on on A, with its file. */
START_TEST(destination_killed)
{
    struct stream s;
    int fds[2];
    char byte;
    add(1, USERID, "ONE");
    logon(0);
    deliver(0);
    ck_assert_int_eq(read_page(0), READER_PAGE_OK);
    save(0, &s);
    spool_destroy(m[2].spool);
    m[2].spool = NULL;
    ck_assert_int_eq(pipe(fds), 0);
    pid_t child = fork();
    if (!child) {
        m[0].spool = m[1].spool = NULL;
        start_member(2, SPOOL_WARM);
        logon(2);
        if (!restore(2, &s) || write(fds[1], "+", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    ck_assert(untouchable("ONE"));
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert(untouchable("ONE"));
    ck_assert_int_eq(read_page(0), READER_PAGE_END);
    finish(0, READER_CLOSE_GONE);
    ck_assert_uint_eq(on_disk(), 0);
    logoff(0, false);
    stream_free(&s);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_spool_kill");
    TCase *tc = tcase_create("kill");
    tcase_add_checked_fixture(tc, begin, end);
    tcase_set_timeout(tc, 120); /* a limit for hangs, not a measure */
    tcase_add_test(tc, killed_while_changing);
    tcase_add_test(tc, killed_while_reading);
    tcase_add_test(tc, killed_while_writing);
    tcase_add_loop_test(tc, source_killed, 0, 2);
    tcase_add_test(tc, destination_killed);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
