/* Captures: the blocks of the file, which frames are in it and where they were, readers that are
 * slow or go, a disk that is full. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/net/capture.h"
#include "tests/unit/io/io_threads.h"

#define SMALL_BYTES 61u
#define FILE_BYTES_MAX (8u << 20)

struct station {
    struct lan_port *port;
    bool full;
};

static struct lan *lan;
static struct station one, two;
static struct capture *capture;
static char path[64];
static _Atomic unsigned ended;
static u8 bytes[FILE_BYTES_MAX];
static const u8 mac1[6] = {2, 0, 0, 0, 0, 1}, mac2[6] = {2, 0, 0, 0, 0, 2},
                all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const struct capture_filter everything;

static bool deliver(void *arg, const u8 *frame, size_t len)
{
    (void)frame;
    (void)len;
    return !((struct station *)arg)->full;
}

static const struct lan_port_ops ops = {.deliver = deliver};

static void on_end(void *ctx)
{
    (void)ctx;
    ended++;
}

static const struct capture_events events = {NULL, on_end};

static void setup(void)
{
    lan = lan_create();
    one.port = lan_port_add(lan, LAN_STATION, &ops, &one);
    two.port = lan_port_add(lan, LAN_STATION, &ops, &two);
    lan_port_label(one.port, "LINUX1.0600");
    lan_port_label(two.port, "LINUX2.0600");
    lan_mac_add(one.port, mac1);
    lan_mac_add(two.port, mac2);
    ended = 0;
    capture = NULL;
    strcpy(path, "/tmp/capture-XXXXXX");
    close(mkstemp(path));
}

static void teardown(void)
{
    capture_close(capture);
    lan_port_remove(one.port);
    lan_port_remove(two.port);
    lan_destroy(lan);
    unlink(path);
}

static void sends(struct station *from, const u8 *to, u8 mark)
{
    u8 frame[SMALL_BYTES] = {0};
    memcpy(frame, to, 6);
    memcpy(frame + 6, from == &one ? mac1 : mac2, 6);
    frame[20] = mark;
    lan_send(from->port, frame, sizeof frame);
}

static void begin(const struct capture_filter *filter)
{
    struct cause cause;
    ck_assert_int_eq(capture_open_file(lan, filter, path, &events, &capture, &cause), ST_OK);
}

/* --- reading ---------------------------------------------------------------------------------- */

static u32 word(const u8 *at)
{
    u32 v;
    memcpy(&v, at, 4);
    return v;
}

static unsigned half(const u8 *at)
{
    u16 v;
    memcpy(&v, at, 2);
    return v;
}

/* What one option has; NULL: it is not there. */
static const u8 *option(const u8 *at, const u8 *end, unsigned code)
{
    while (at + 4 <= end && half(at) && half(at) != code)
        at += 4 + ((half(at + 2) + 3) & ~3u);
    return at + 4 <= end && half(at) == code ? at + 4 : NULL;
}

/* A packet as "interface direction mark"; `!` behind it when it was dropped, "?n" when n are
 * missing before it. Interfaces as their names. */
static void tell_packet(const u8 *b, u32 len, char *out)
{
    const u8 *end = b + len - 4, *options = b + 28 + ((word(b + 20) + 3) & ~3u);
    const u8 *flags = option(options, end, 2), *missed = option(options, end, 4);
    ck_assert_uint_eq(word(b + 20), word(b + 24));
    ck_assert_ptr_nonnull(flags);
    ck_assert_uint_eq(word(flags) >> 2, b[28] == 0xff ? 3 : 1);
    sprintf(out, "%u%c%u%s ", word(b + 8), (word(flags) & 3) == 1 ? '<' : '>', b[28 + 20],
            option(options, end, 1) ? "!" : "");
    if (missed)
        sprintf(out + strlen(out), "?%llu ", *(const unsigned long long *)(const void *)missed);
}

static char told[4096];

/* All blocks, of which each must be whole. */
static const char *tell(size_t len)
{
    size_t at = 0;
    told[0] = 0;
    ck_assert_uint_eq(word(bytes), 0x0a0d0d0a);
    ck_assert_uint_eq(word(bytes + 8), 0x1a2b3c4d);
    while (at < len) {
        const u8 *b = bytes + at;
        u32 n = word(b + 4);
        ck_assert(len - at >= 12 && n % 4 == 0 && n <= len - at && word(b + n - 4) == n);
        if (word(b) == 1) {
            const u8 *name = option(b + 16, b + n - 4, 2), *unit = option(b + 16, b + n - 4, 9);
            ck_assert(name && unit && *unit == 9 && half(b + 8) == 1);
            sprintf(told + strlen(told), "%.*s ", (int)half(name - 2), (const char *)name);
        }
        if (word(b) == 6 && strlen(told) < sizeof told - 64)
            tell_packet(b, n, told + strlen(told));
        at += n;
    }
    return told;
}

static const char *file(void)
{
    capture_close(capture);
    capture = NULL;
    FILE *f = fopen(path, "rb");
    size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return tell(len);
}

/* --- what is in it ---------------------------------------------------------------------------- */

START_TEST(each_frame_once)
{
    begin(&everything);
    sends(&one, mac2, 1);
    sends(&two, mac1, 2);
    sends(&one, all, 3);
    two.full = true;
    sends(&one, mac2, 4);
    two.full = false;
    ck_assert_str_eq(file(), "LINUX1.0600 0<1 LINUX2.0600 1<2 0<3 0<4 1>4! ");
}
END_TEST

START_TEST(all_of_one_port)
{
    begin(&(struct capture_filter){.label = "LINUX2.0600"});
    sends(&one, mac2, 1);
    sends(&two, mac1, 2);
    sends(&one, all, 3);
    ck_assert_str_eq(file(), "LINUX2.0600 0>1 0<2 0>3 ");
}
END_TEST

START_TEST(all_of_one_user)
{
    lan_port_label(two.port, "LINUX11.0600");
    begin(&(struct capture_filter){.label = "LINUX1."});
    sends(&one, mac2, 1);
    sends(&two, mac1, 2);
    ck_assert_str_eq(file(), "LINUX1.0600 0<1 0>2 ");
}
END_TEST

START_TEST(what_an_address_sends_and_gets)
{
    struct capture_filter filter = {.has_mac = true};
    memcpy(filter.mac, mac2, MAC_BYTES);
    begin(&filter);
    sends(&one, mac2, 1);
    sends(&two, mac1, 2);
    sends(&one, all, 3);
    sends(&two, all, 4);
    ck_assert_str_eq(file(), "LINUX1.0600 0<1 LINUX2.0600 1<2 1<4 ");
}
END_TEST

START_TEST(two_at_once)
{
    struct capture *other;
    struct cause cause;
    begin(&everything);
    ck_assert_int_eq(capture_open_file(lan, &everything, "/dev/null", NULL, &other, &cause),
                     ST_OK);
    sends(&one, mac2, 1);
    capture_close(other);
    sends(&one, mac2, 2);
    ck_assert_str_eq(file(), "LINUX1.0600 0<1 0<2 ");
}
END_TEST

START_TEST(the_largest_frame)
{
    static u8 frame[LAN_FRAME_MAX];
    memcpy(frame, mac2, 6);
    memcpy(frame + 6, mac1, 6);
    begin(&everything);
    for (unsigned i = 0; i < 20; i++)
        lan_send(one.port, frame, sizeof frame);
    file();
    ck_assert_uint_eq(strlen(told), strlen("LINUX1.0600 ") + 20 * strlen("0<0 "));
}
END_TEST

/* --- readers ---------------------------------------------------------------------------------- */

START_TEST(a_full_disk_ends_it)
{
    struct cause cause;
    char why[CAPTURE_WORDS_MAX] = "";
    ck_assert_int_eq(
        capture_open_file(lan, &everything, "/dev/full", &events, &capture, &cause), ST_OK);
    UNTIL(ended == 1);
    ck_assert(capture_has_ended(capture, why));
    ck_assert_str_eq(why, "No space left on device");
    sends(&one, mac2, 1); /* goes its way */
}
END_TEST

START_TEST(no_such_place)
{
    struct cause cause;
    ck_assert_int_eq(capture_open_file(lan, &everything, "/nowhere/x", NULL, &capture, &cause),
                     ST_IO);
    ck_assert_str_eq(cause.text, "/nowhere/x: No such file or directory");
}
END_TEST

static int socket_capture(void)
{
    struct cause cause;
    int fd[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    fcntl(fd[0], F_SETFL, O_NONBLOCK);
    ck_assert_int_eq(
        capture_open(lan, &everything, fd[0], "a socket", &events, &capture, &cause), ST_OK);
    return fd[1];
}

START_TEST(a_reader_that_goes_ends_it)
{
    char why[CAPTURE_WORDS_MAX] = "x";
    close(socket_capture()); /* without any frame */
    UNTIL(ended == 1);
    ck_assert(capture_has_ended(capture, why));
    ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(a_reader_that_is_slow_misses_some)
{
    static u8 frame[1400];
    char words[CAPTURE_WORDS_MAX];
    unsigned long long written, missed;
    int fd = socket_capture();
    memcpy(frame, mac2, 6);
    memcpy(frame + 6, mac1, 6);
    for (unsigned i = 0; i < 20000; i++)
        lan_send(one.port, frame, sizeof frame);
    size_t len = 0;
    for (unsigned last = 0; !last;) { /* read all there is, then one frame more */
        ssize_t n = recv(fd, bytes + len % (FILE_BYTES_MAX / 2), 65536, MSG_DONTWAIT);
        if (n > 0) {
            len += (size_t)n;
            continue;
        }
        capture_words(capture, words);
        ck_assert_int_eq(
            sscanf(words, "to a socket, %llu frames, %llu missed", &written, &missed), 2);
        last = written + missed == 20000;
        poll(NULL, 0, LOOK_MS);
    }
    ck_assert_uint_gt(missed, 5000);
    ck_assert_uint_eq(ended, 0);
    capture_close(capture); /* with a reader that does not read any more */
    capture = NULL;
    close(fd);
}
END_TEST

START_TEST(the_end_does_not_wait_for_a_reader)
{
    static u8 frame[1400];
    int fd = socket_capture();
    for (unsigned i = 0; i < 5000; i++) {
        memcpy(frame, mac2, 6);
        lan_send(one.port, frame, sizeof frame);
    }
    capture_close(capture);
    capture = NULL;
    close(fd);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_capture");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, each_frame_once);
    tcase_add_test(tc, all_of_one_port);
    tcase_add_test(tc, all_of_one_user);
    tcase_add_test(tc, what_an_address_sends_and_gets);
    tcase_add_test(tc, two_at_once);
    tcase_add_test(tc, the_largest_frame);
    tcase_add_test(tc, a_full_disk_ends_it);
    tcase_add_test(tc, no_such_place);
    tcase_add_test(tc, a_reader_that_goes_ends_it);
    tcase_add_test(tc, a_reader_that_is_slow_misses_some);
    tcase_add_test(tc, the_end_does_not_wait_for_a_reader);
    return run_suite(suite);
}
