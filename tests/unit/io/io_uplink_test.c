/* Uplinks of a network in memory: what is wrong with their specifications; two networks joined by
 * sockets of each kind; peers that go, come back, send rubbish, send too much, or do not read. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/net/uplink.h"
#include "tests/unit/io/io_threads.h"

#define SMALL_BYTES 60u

struct side {
    struct lan *lan;
    struct uplink *up;
    struct lan_port *port;
    _Atomic unsigned got, changes;
    _Atomic u8 last;
    u8 mac[6];
};

static struct side a, b;
static char folder[64];

static bool deliver(void *arg, const u8 *frame, size_t len)
{
    struct side *s = arg;
    s->last = len > 14 ? frame[14] : 0;
    s->got++;
    return true;
}

static const struct lan_port_ops ops = {.deliver = deliver};

static void changed(void *ctx)
{
    ((struct side *)ctx)->changes++;
}

static void side_make(struct side *s, u8 number)
{
    *s = (struct side){.mac = {2, 0, 0, 0, 0, number}};
    s->lan = lan_create();
    s->port = lan_port_add(s->lan, LAN_STATION, &ops, s);
    ck_assert_int_eq(lan_mac_add(s->port, s->mac), ST_OK);
}

static void setup(void)
{
    strcpy(folder, "/tmp/uplink-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    side_make(&a, 1);
    side_make(&b, 2);
}

static void side_end(struct side *s)
{
    uplink_close(s->up);
    lan_port_remove(s->port);
    lan_destroy(s->lan);
}

static void teardown(void)
{
    side_end(&a);
    side_end(&b);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing is left there */
}

static void opens(struct side *s, const char *spec)
{
    struct cause cause = {0};
    const struct uplink_events events = {s, changed};
    ck_assert_msg(uplink_open(s->lan, spec, &events, &s->up, &cause) == ST_OK, "%s",
                  cause.text);
}

static const char *path(const char *name)
{
    static char out[4][128];
    static unsigned i;
    snprintf(out[++i % 4], sizeof out[0], "%s/%s", folder, name);
    return out[i % 4];
}

static const char *spec(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *spec(const char *fmt, ...)
{
    static char out[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(out, sizeof out, fmt, ap);
    va_end(ap);
    return out;
}

static void frame_to(u8 frame[SMALL_BYTES], const struct side *from, const struct side *to,
                     u8 mark)
{
    memset(frame, 0, SMALL_BYTES);
    memcpy(frame, to->mac, 6);
    memcpy(frame + 6, from->mac, 6);
    frame[14] = mark;
}

static void sends(struct side *from, const struct side *to, u8 mark)
{
    u8 frame[SMALL_BYTES];
    frame_to(frame, from, to, mark);
    lan_send(from->port, frame, sizeof frame);
}

static void both_ways(void)
{
    unsigned na = a.got, nb = b.got;
    UNTIL(uplink_is_up(a.up) && uplink_is_up(b.up));
    sends(&a, &b, 7);
    UNTIL(b.got > nb && b.last == 7);
    sends(&b, &a, 8);
    UNTIL(a.got > na && a.last == 8);
}

/* A port of loopback that is free, and most likely stays so for the next moment. */
static unsigned free_port(int type)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, type, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    close(fd);
    return ntohs(in.sin_port);
}

static void words_are(struct side *s, const char *start)
{
    char words[UPLINK_WORDS_MAX];
    uplink_words(s->up, words);
    ck_assert_msg(!strncmp(words, start, strlen(start)), "%s, not %s", words, start);
}

/* --- specifications -------------------------------------------------------------------------- */

START_TEST(what_is_wrong_is_said)
{
    static const struct {
        const char *spec;
        int status;
        const char *text;
    } bad[] = {
        {"warp", ST_INVAL, "warp: not slirp, tap, vde, socket or none"},
        {"slirp:x", ST_INVAL, "slirp:x: not slirp[,OPTION...]"},
        {"none,x", ST_INVAL, "none,x: none takes no options"},
        {"tap", ST_INVAL, "tap: not tap:NAME or tap:fd=N"},
        {"tap:averylongnameofadevice", ST_INVAL, "tap:averylongnameofadevice: not tap:NAME"},
        {"tap:nowhere7", ST_NOENT, "tap:nowhere7: there is no such device"},
        {"tap:fd=x", ST_INVAL, "tap:fd=x: not the number of a descriptor"},
        {"tap:fd=999", ST_INVAL, "tap:fd=999: no tap device: Bad file descriptor"},
        {"socket", ST_INVAL, "socket: one of listen="},
        {"socket,listen=1,connect=2", ST_INVAL, "socket: one of listen="},
        {"socket,listen=1,listen=2", ST_INVAL, "listen=2: the second of its kind"},
        {"socket,listen=host:", ST_INVAL, "host:: not [HOST:]PORT or unix:PATH"},
        {"socket,listen=70000", ST_INVAL, "70000: not [HOST:]PORT or unix:PATH"},
        {"socket,listen=unix:", ST_INVAL, "unix:: a path"},
        {"socket,connect=1,reconnect=0", ST_INVAL, "reconnect=0: 1 to 3600 seconds"},
        {"socket,listen=1,reconnect=1", ST_INVAL, "socket: reconnect= is for connect="},
        {"socket,dgram=1", ST_INVAL, "socket: dgram= needs local="},
        {"socket,dgram=1,local=unix:x", ST_INVAL, "socket: dgram= and local= are not"},
        {"socket,mcast=127.0.0.1:1", ST_INVAL, "mcast=127.0.0.1:1: not a multicast"},
        {"socket,connect=1,local=1", ST_INVAL, "socket: local= is for"},
        {"socket,what=1", ST_INVAL, "what=1: socket knows listen="},
        {"socket,listen=unix:/nowhere/at/all", ST_IO, "unix:/nowhere/at/all: No such file"},
#ifdef HAVE_VDEPLUG
        {"vde", ST_INVAL, "vde: not vde:URI"},
#if !defined __SANITIZE_THREAD__ &&                                                            \
    !defined __SANITIZE_ADDRESS__ /* it loads modules as they cannot */
        {"vde:vde:///nowhere/at/all", ST_NOENT, "vde:vde:///nowhere/at/all: "},
#endif
#endif
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct cause cause = {0};
        struct uplink *up;
        int rc = uplink_open(a.lan, bad[i].spec, NULL, &up, &cause);
        ck_assert_msg(rc == bad[i].status, "%s: %d, %s", bad[i].spec, rc, cause.text);
        ck_assert_msg(!strncmp(cause.text, bad[i].text, strlen(bad[i].text)), "%s: %s",
                      bad[i].spec, cause.text);
    }
}
END_TEST

START_TEST(an_address_in_use)
{
    struct cause cause = {0};
    struct uplink *up;
    char text[256];
    snprintf(text, sizeof text, "socket,listen=unix:%s", path("s"));
    opens(&a, text);
    ck_assert_int_eq(uplink_open(b.lan, text, NULL, &up, &cause), ST_BUSY);
}
END_TEST

START_TEST(none_is_nobody)
{
    opens(&a, "none");
    words_are(&a, "no connection with the outside");
    ck_assert(uplink_is_up(a.up));
    sends(&a, &b, 1);
}
END_TEST

#ifdef HAVE_SLIRP
static u16 sum(const u8 *p, size_t len, u32 begin)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        begin += be16_load(p + i);
    while (begin >> 16)
        begin = (begin & 0xffff) + (begin >> 16);
    return (u16)~begin;
}

/* Who has 10.0.2.2? */
static void asks(void)
{
    static const u8 arp[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
    u8 frame[SMALL_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    memcpy(frame + 6, a.mac, 6);
    memcpy(frame + 12, arp, sizeof arp);
    memcpy(frame + 22, a.mac, 6);
    be32_store(frame + 28, 0x0a00020f);
    be32_store(frame + 38, 0x0a000202);
    lan_send(a.port, frame, sizeof frame);
}

/* A TCP segment of a connection, from 10.0.2.15 to 10.0.2.`to`. */
static void segment(const u8 *mac, u8 to)
{
    u8 frame[SMALL_BYTES] = {0}, *ip = frame + 14, *tcp = ip + 20;
    memcpy(frame, mac, 6);
    memcpy(frame + 6, a.mac, 6);
    be16_store(frame + 12, 0x0800);
    ip[0] = 0x45;
    be16_store(ip + 2, 40);
    ip[8] = 64;
    ip[9] = 6;
    be32_store(ip + 12, 0x0a00020f);
    be32_store(ip + 16, 0x0a000200u + to);
    be16_store(ip + 10, sum(ip, 20, 0));
    be16_store(tcp, 1000);
    be16_store(tcp + 2, 2000);
    be32_store(tcp + 4, 7);
    tcp[12] = 0x50;
    tcp[13] = 0x10;
    be16_store(tcp + 16, sum(tcp, 20, 6 + 20 + (u32)(u16)~sum(ip + 12, 8, 0)));
    lan_send(a.port, frame, sizeof frame);
}

START_TEST(slirp_minds_its_own_business)
{
    static const u8 gateway[6] = {0x52, 0x55, 10, 0, 2, 2};
    opens(&a, "slirp");
    asks();
    UNTIL(a.got == 1);
    segment(b.mac, 20); /* a guest that nobody has at the moment: not refused */
    asks();
    UNTIL(a.got == 2);
    segment(gateway, 20); /* sent through it: refused */
    UNTIL(a.got == 3);
}
END_TEST
#endif

/* --- two networks ---------------------------------------------------------------------------- */

START_TEST(a_stream_by_tcp)
{
    unsigned port = free_port(SOCK_STREAM);
    opens(&b, spec("socket,connect=%u", port)); /* nobody is there yet */
    ck_assert(!uplink_is_up(b.up));
    words_are(&b, spec("socket to %u, not connected", port));
    sends(&b, &a, 1); /* dropped */
    opens(&a, spec("socket,listen=127.0.0.1:%u", port));
    words_are(&a, spec("socket listening at 127.0.0.1:%u, ", port));
    both_ways();
    words_are(&a, spec("socket listening at 127.0.0.1:%u, connected with 127.0.0.1:", port));
    ck_assert_uint_eq(a.changes, 1);
}
END_TEST

START_TEST(a_stream_by_a_path_and_again)
{
    opens(&a, spec("socket,listen=unix:%s", path("s")));
    opens(&b, spec("socket,connect=unix:%s", path("s")));
    both_ways();
    uplink_close(b.up);
    b.up = NULL;
    UNTIL(!uplink_is_up(a.up));
    ck_assert_uint_eq(a.changes, 2); /* there, gone */
    opens(&b, spec("socket,connect=unix:%s", path("s")));
    both_ways();
    uplink_close(a.up); /* the server goes: the client comes back by itself */
    a.up = NULL;
    UNTIL(!uplink_is_up(b.up));
    opens(&a, spec("socket,listen=unix:%s", path("s")));
    both_ways();
}
END_TEST

START_TEST(a_path_that_was_left)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(un.sun_path, path("s"));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    close(fd);
    opens(&a, spec("socket,listen=unix:%s", path("s")));
}
END_TEST

START_TEST(datagrams)
{
    unsigned pa = free_port(SOCK_DGRAM), pb = free_port(SOCK_DGRAM);
    opens(&a, spec("socket,local=%u,dgram=127.0.0.1:%u", pa, pb));
    sends(&a, &b, 1); /* nobody is there */
    opens(&b, spec("socket,local=%u,dgram=127.0.0.1:%u", pb, pa));
    both_ways();
    words_are(&a, spec("socket, datagrams from %u to 127.0.0.1:%u", pa, pb));
}
END_TEST

START_TEST(datagrams_by_paths)
{
    opens(&a, spec("socket,local=unix:%s,dgram=unix:%s", path("a"), path("b")));
    sends(&a, &b, 1);
    opens(&b, spec("socket,local=unix:%s,dgram=unix:%s", path("b"), path("a")));
    both_ways();
}
END_TEST

START_TEST(a_group_gives_nothing_back)
{
    static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    u8 frame[SMALL_BYTES];
    unsigned port = free_port(SOCK_DGRAM);
    opens(&a, spec("socket,mcast=239.255.7.7:%u,local=127.0.0.1", port));
    opens(&b, spec("socket,mcast=239.255.7.7:%u,local=127.0.0.1", port));
    both_ways();
    frame_to(frame, &a, &b, 9);
    memcpy(frame, all, 6);
    unsigned na = a.got, nb = b.got;
    lan_send(a.port, frame, sizeof frame);
    UNTIL(b.got == nb + 1);
    sends(&b, &a, 1); /* comes behind what a would have had of its own */
    UNTIL(a.got == na + 1);
    ck_assert_uint_eq(a.last, 1);
}
END_TEST

/* --- peers that are no friends ---------------------------------------------------------------- */

static int peer(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(un.sun_path, path("s"));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
    return fd;
}

START_TEST(rubbish_ends_the_connection)
{
    u8 frame[4 + SMALL_BYTES] = {0, 0, 0, SMALL_BYTES};
    static const u8 rubbish[] = {0xff, 0xff, 0xff, 0xff};
    char c;
    opens(&a, spec("socket,listen=unix:%s", path("s")));
    int fd = peer();
    frame_to(frame + 4, &b, &a, 5);
    for (size_t i = 0; i < sizeof frame; i++) /* byte by byte */
        ck_assert_int_eq(write(fd, frame + i, 1), 1);
    UNTIL(a.got == 1);
    frame[3] = 3; /* too short for a frame: dropped, no more */
    ck_assert_int_eq(write(fd, frame, 7), 7);
    frame[3] = SMALL_BYTES;
    ck_assert_int_eq(write(fd, frame, sizeof frame), sizeof frame);
    UNTIL(a.got == 2);
    ck_assert_int_eq(write(fd, rubbish, sizeof rubbish), sizeof rubbish);
    ck_assert_int_eq(read(fd, &c, 1), 0);
    UNTIL(!uplink_is_up(a.up));
    close(fd);
    fd = peer(); /* the next one is welcome */
    ck_assert_int_eq(write(fd, frame, sizeof frame), sizeof frame);
    UNTIL(a.got == 3);
    close(fd);
}
END_TEST

START_TEST(who_does_not_read_gets_no_more)
{
    struct lan_counts counts;
    u8 frame[4000];
    opens(&a, spec("socket,listen=unix:%s", path("s")));
    int fd = peer();
    UNTIL(uplink_is_up(a.up));
    memset(frame, 0, sizeof frame);
    frame_to(frame, &a, &b, 1);
    for (unsigned i = 0; i < 5000; i++)
        lan_send(a.port, frame, sizeof frame);
    lan_port_counts(uplink_port(a.up), &counts);
    ck_assert_uint_eq(counts.received + counts.dropped, 5000);
    ck_assert_uint_gt(counts.dropped, 5000 - 2000); /* two queues, and what the host takes */
    u64 whole = 0;
    for (u8 head[4]; whole < counts.received; whole++) { /* what was taken comes, whole */
        ck_assert_int_eq(recv(fd, head, 4, MSG_WAITALL), 4);
        ck_assert_uint_eq(be32_load(head), sizeof frame);
        ck_assert_int_eq(recv(fd, frame, sizeof frame, MSG_WAITALL), sizeof frame);
        ck_assert_mem_eq(frame, b.mac, 6);
    }
    close(fd);
}
END_TEST

START_TEST(a_flood_is_taken_and_ends)
{
    static u8 frame[4 + SMALL_BYTES];
    opens(&a, spec("socket,listen=unix:%s", path("s")));
    int fd = peer();
    be32_store(frame, SMALL_BYTES);
    frame_to(frame + 4, &b, &a, 1);
    for (unsigned i = 0; i < 50000; i++)
        ck_assert_int_eq(write(fd, frame, sizeof frame), sizeof frame);
    UNTIL(a.got == 50000);
    uplink_close(a.up); /* with the peer still there */
    a.up = NULL;
    close(fd);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_uplink");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, what_is_wrong_is_said);
    tcase_add_test(tc, an_address_in_use);
    tcase_add_test(tc, none_is_nobody);
#ifdef HAVE_SLIRP
    tcase_add_test(tc, slirp_minds_its_own_business);
#endif
    tcase_add_test(tc, a_stream_by_tcp);
    tcase_add_test(tc, a_stream_by_a_path_and_again);
    tcase_add_test(tc, a_path_that_was_left);
    tcase_add_test(tc, datagrams);
    tcase_add_test(tc, datagrams_by_paths);
    tcase_add_test(tc, a_group_gives_nothing_back);
    tcase_add_test(tc, rubbish_ends_the_connection);
    tcase_add_test(tc, who_does_not_read_gets_no_more);
    tcase_add_test(tc, a_flood_is_taken_and_ends);
    return run_suite(suite);
}
