/* Three members over real loopback TCP and one PDR file: join, bulk transfer, strangers, loss.
 * Waits for events only; a watchdog timer ends a hanging test. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <signal.h>
#include <sys/wait.h>

#include "ssi/ssi_uv.h"
#include "ssi/ssi_wire.h"

#define BULK_BYTES (200u << 20)
#define PIECE_BYTES (256u << 10)
#define WATCHDOG_MS 30000

struct node {
    struct ssi_uv *uv;
    struct ssi *ssi;
    int join_status, leave_status;
    bool joined_done, leave_done, closed, told_down, got_all;
    unsigned peers, lost;
    u64 received, sent;
    u32 next;
    char text[8192];
    char veto[64];
    struct cause cause;
};

static uv_loop_t loop;
static char folder[64];
static u8 piece[PIECE_BYTES];

static void note(void *ctx, const char *text)
{
    struct node *node = ctx;
    size_t n = strlen(node->text);
    snprintf(node->text + n, sizeof node->text - n, "%s\n", text);
    if (getenv("SSI_TEST_VERBOSE"))
        fprintf(stderr, "%s\n", text);
}

static void svc_export(void *ctx, struct codec_out *out)
{
    struct node *node = ctx;
    codec_put_bytes(out, 1, ssi_member_name(node->ssi), strlen(ssi_member_name(node->ssi)));
}

static int svc_check(void *ctx, const char *member, const void *data, size_t len,
                     struct cause *cause)
{
    struct node *node = ctx;
    struct codec_in in;
    struct codec_row row;
    codec_in_init(&in, data, len);
    ck_assert(codec_next(&in, &row));
    ck_assert(row.len == strlen(member) && memcmp(row.p, member, row.len) == 0);
    if (node->veto[0])
        return cause_set(cause, ST_REFUSED, "%s", node->veto);
    return ST_OK;
}

static void svc_joined(void *ctx, const char *member)
{
    (void)member;
    ((struct node *)ctx)->peers++;
}

static void svc_left(void *ctx, const char *member, enum ssi_left how)
{
    struct node *node = ctx;
    (void)member;
    node->peers -= how != SSI_LEFT_DOWN;
    node->lost += how == SSI_LEFT_LOST;
    node->told_down |= how == SSI_LEFT_DOWN;
}

static void svc_receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct node *node = ctx;
    (void)from;
    ck_assert_uint_eq(type, 7);
    ck_assert_uint_eq(be32_load(data), node->next++);
    node->received += len;
    node->got_all = node->received == BULK_BYTES;
}

static void pump(struct node *node)
{
    while (node->sent < BULK_BYTES && ssi_backlog(node->ssi, "B") < SSI_BACKLOG_HIGH_BYTES) {
        be32_store(piece, (u32)(node->sent / PIECE_BYTES));
        ck_assert_int_eq(ssi_send(node->ssi, "B", 9, 7, piece, PIECE_BYTES), ST_OK);
        node->sent += PIECE_BYTES;
    }
}

static void svc_writable(void *ctx, const char *member)
{
    ck_assert_str_eq(member, "B");
    pump(ctx);
}

static const struct ssi_service service = {.id = 9,
                                           .name = "TEST",
                                           .export_join = svc_export,
                                           .check_join = svc_check,
                                           .member_joined = svc_joined,
                                           .member_left = svc_left,
                                           .receive = svc_receive,
                                           .writable = svc_writable};

static void joined(void *ctx, int status, const struct cause *cause)
{
    struct node *node = ctx;
    node->join_status = status;
    node->joined_done = true;
    node->cause = *cause;
}

static void left(void *ctx, int status, const struct cause *cause)
{
    struct node *node = ctx;
    (void)cause;
    node->leave_status = status;
    node->leave_done = true;
}

static void was_closed(void *ctx)
{
    ((struct node *)ctx)->closed = true;
}

static void node_open_in(struct node *node, unsigned slot, const char *cluster)
{
    struct ssi_config config;
    struct cause cause;
    memset(node, 0, sizeof *node);
    ssi_config_init(&config);
    strcpy(config.cluster, cluster);
    for (unsigned i = 0; i < 3; i++)
        config.slots[i][0] = (char)('A' + i);
    config.slot = slot;
    strcpy(config.member, config.slots[slot]);
    config.heartbeat_ms = 100;
    config.silence_ms = 5000;
    config.pdr_beat_ms = 100;
    snprintf(config.pdr_path, sizeof config.pdr_path, "%s/pdr", folder);
    node->uv = ssi_uv_open(&loop, &config, note, node, &cause);
    ck_assert_msg(node->uv != NULL, "%s", cause.text);
    node->ssi = ssi_uv_ssi(node->uv);
    ck_assert_int_eq(ssi_register_service(node->ssi, &service, node), ST_OK);
}

static void node_open(struct node *node, unsigned slot)
{
    node_open_in(node, slot, "TESTSSI");
}

/* Sanitizer builds get more time, as for everything under Check. */
static int watchdog_ms(void)
{
    const char *factor = getenv("CK_TIMEOUT_MULTIPLIER");
    return WATCHDOG_MS * (factor ? atoi(factor) : 1);
}

static void watchdog_cb(uv_timer_t *timer)
{
    (void)timer;
    ck_abort_msg("nothing happened for %d ms", watchdog_ms());
}

#define RUN_UNTIL(cond)                                                                        \
    do {                                                                                       \
        uv_timer_t watchdog_;                                                                  \
        uv_timer_init(&loop, &watchdog_);                                                      \
        uv_timer_start(&watchdog_, watchdog_cb, (u64)watchdog_ms(), 0);                        \
        while (!(cond))                                                                        \
            uv_run(&loop, UV_RUN_ONCE);                                                        \
        uv_close((uv_handle_t *)&watchdog_, NULL);                                             \
        uv_run(&loop, UV_RUN_NOWAIT);                                                          \
    } while (0)

static void node_join(struct node *node)
{
    ssi_join(node->ssi, joined, node);
    RUN_UNTIL(node->joined_done);
    ck_assert_msg(node->join_status == ST_OK, "%s", node->cause.text);
}

static void node_close(struct node *node)
{
    ssi_uv_close(node->uv, was_closed, node);
    RUN_UNTIL(node->closed);
}

static void setup(void)
{
    strcpy(folder, "/tmp/ssi_uv_test.XXXXXX");
    ck_assert(mkdtemp(folder) != NULL);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
}

static void teardown(void)
{
    char path[80];
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    snprintf(path, sizeof path, "%s/pdr", folder);
    unlink(path);
    rmdir(folder);
}

START_TEST(three_members_join_transfer_and_leave)
{
    struct node n[3];
    for (unsigned i = 0; i < 3; i++) {
        node_open(&n[i], i);
        ssi_join(n[i].ssi, joined, &n[i]); /* all at once: they take turns */
    }
    RUN_UNTIL(n[0].peers == 2 && n[1].peers == 2 && n[2].peers == 2);
    u64 start = uv_hrtime();
    pump(&n[0]);
    RUN_UNTIL(n[1].got_all);
    double s = (double)(uv_hrtime() - start) / 1e9;
    fprintf(stderr, "200 MiB in %.3f s, %.2f GB/s\n", s, BULK_BYTES / s / 1e9);
    ck_assert_uint_eq(n[0].lost + n[1].lost + n[2].lost, 0);
    RUN_UNTIL(ssi_mode(n[0].ssi) == SSI_MODE_STABLE);
    ssi_leave(n[1].ssi, left, &n[1]);
    RUN_UNTIL(n[1].leave_done && n[0].peers == 1 && n[2].peers == 1);
    ck_assert_int_eq(n[1].leave_status, ST_OK);
    RUN_UNTIL(ssi_mode(n[0].ssi) == SSI_MODE_STABLE && ssi_mode(n[2].ssi) == SSI_MODE_STABLE);
    ck_assert_int_eq(ssi_member_state(n[0].ssi, "B"), SSI_DOWN);
    for (unsigned i = 0; i < 3; i++)
        node_close(&n[i]);
}
END_TEST

/* [S2] A member that ends without leaving on this host is buried, and its claims with it. */
START_TEST(a_crashed_member_is_buried)
{
    struct node a, b;
    u64 generation, other;
    struct cause cause;
    node_open(&a, 0);
    node_open(&b, 1);
    node_join(&a);
    node_join(&b);
    RUN_UNTIL(a.peers == 1 && b.peers == 1);
    ck_assert_int_eq(ssi_claim(b.ssi, 1, "LINUX1", &generation, &cause), ST_OK);
    ck_assert_int_eq(ssi_claim(a.ssi, 1, "LINUX1", &other, &cause), ST_EXIST);
    ck_assert_str_eq(cause.text, "B");
    node_close(&b); /* no ssi_leave */
    RUN_UNTIL(a.told_down);
    ck_assert_int_eq(ssi_mode(a.ssi), SSI_MODE_STABLE);
    ck_assert_ptr_nonnull(strstr(a.text, "HCPPLM1703W"));
    ck_assert_int_eq(ssi_claim(a.ssi, 1, "LINUX1", &other, &cause), ST_OK);
    ck_assert_uint_gt(other, generation);
    node_close(&a);
}
END_TEST

/* The same with a process of its own, whose kernel takes everything away at once. */
START_TEST(a_killed_process_is_buried)
{
    struct node a, b;
    u64 generation;
    struct cause cause;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        uv_loop_init(&loop); /* a new one: the parent's is not ours */
        node_open(&b, 1);
        ssi_join(b.ssi, joined, &b);
        RUN_UNTIL(b.peers == 1);
        if (ssi_claim(b.ssi, 1, "LINUX1", &generation, &cause) != ST_OK)
            _exit(1);
        ssi_send(b.ssi, "A", 9, 7, "\0\0\0", 4);
        for (;;)
            uv_run(&loop, UV_RUN_ONCE);
    }
    node_open(&a, 0);
    node_join(&a);
    RUN_UNTIL(a.received == 4);
    ck_assert_int_eq(ssi_claim(a.ssi, 1, "LINUX1", &generation, &cause), ST_EXIST);
    kill(child, SIGKILL);
    u64 start = uv_hrtime();
    RUN_UNTIL(a.told_down);
    fprintf(stderr, "buried after %.1f ms\n", (double)(uv_hrtime() - start) / 1e6);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_eq(ssi_claim(a.ssi, 1, "LINUX1", &generation, &cause), ST_OK);
    node_close(&a);
}
END_TEST

START_TEST(a_second_instance_is_refused)
{
    struct node a, again;
    node_open(&a, 0);
    node_join(&a);
    node_open(&again, 0);
    ssi_join(again.ssi, joined, &again);
    RUN_UNTIL(again.joined_done);
    ck_assert_int_eq(again.join_status, ST_EXIST);
    ck_assert_int_eq(ssi_member_state(a.ssi, "A"), SSI_JOINED);
    node_close(&again);
    node_close(&a);
}
END_TEST

START_TEST(the_pdr_of_another_cluster_is_refused)
{
    struct node a, b;
    node_open(&a, 0);
    node_join(&a);
    node_open_in(&b, 1, "OTHERSSI");
    ssi_join(b.ssi, joined, &b);
    RUN_UNTIL(b.joined_done);
    ck_assert_int_eq(b.join_status, ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(b.cause.text, "TESTSSI"));
    ck_assert_int_eq(ssi_mode(a.ssi), SSI_MODE_STABLE);
    node_close(&b);
    node_close(&a);
}
END_TEST

START_TEST(a_veto_refuses_the_join_with_its_reason)
{
    struct node a, b;
    node_open(&a, 0);
    node_join(&a);
    strcpy(a.veto, "LINUX7 is logged on twice");
    node_open(&b, 1);
    ssi_join(b.ssi, joined, &b);
    RUN_UNTIL(b.joined_done && ssi_mode(a.ssi) == SSI_MODE_STABLE);
    ck_assert_int_eq(b.join_status, ST_REFUSED);
    ck_assert_ptr_nonnull(strstr(b.cause.text, "LINUX7"));
    ck_assert_ptr_nonnull(strstr(a.text, "HCPPLM1715W"));
    ck_assert_int_eq(ssi_member_state(a.ssi, "B"), SSI_DOWN);
    node_close(&b);
    node_close(&a);
}
END_TEST

/* --- strangers on the port --- */
struct stranger {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    const void *bytes;
    size_t len;
    bool ended;
};

static void stranger_closed(uv_handle_t *handle)
{
    ((struct stranger *)handle)->ended = true;
}

static void stranger_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    static char sink[1024];
    (void)handle;
    (void)size;
    *buf = uv_buf_init(sink, sizeof sink);
}

static void stranger_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    if (n < 0)
        uv_close((uv_handle_t *)stream, stranger_closed);
}

static void stranger_up(uv_connect_t *req, int status)
{
    struct stranger *s = (struct stranger *)req->handle;
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)s->bytes, (unsigned)s->len);
    ck_assert_int_eq(status, 0);
    uv_read_start((uv_stream_t *)&s->tcp, stranger_alloc, stranger_read);
    uv_write(&s->write, (uv_stream_t *)&s->tcp, &buf, 1, NULL);
}

START_TEST(garbage_on_the_port_disturbs_nothing)
{
    struct node a, b;
    struct ssi_view view;
    struct sockaddr_in sa;
    node_open(&a, 0);
    node_open(&b, 1);
    node_join(&a);
    node_join(&b);
    ssi_query(a.ssi, &view);
    uv_ip4_addr("127.0.0.1", atoi(strchr(view.listen, ':') + 1), &sa);
    for (unsigned i = 0; i < 40; i++) {
        struct stranger s = {.bytes = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", .len = 27};
        uv_tcp_init(&loop, &s.tcp);
        uv_tcp_connect(&s.connect, &s.tcp, (struct sockaddr *)&sa, stranger_up);
        RUN_UNTIL(s.ended);
    }
    unsigned complaints = 0;
    for (const char *p = a.text; (p = strstr(p, "HCPPLM1706W")) != NULL; p++)
        complaints++;
    ck_assert_uint_ge(complaints, 1);
    ck_assert_uint_le(complaints, 10); /* rate-limited */
    ck_assert_int_eq(ssi_mode(a.ssi), SSI_MODE_STABLE);
    ck_assert_uint_eq(a.lost + b.lost, 0);
    node_close(&b);
    node_close(&a);
}
END_TEST

/* A well-formed HELLO with one lie in it. */
static void lie(struct node *node, const struct wire_hello *hello, const char *expect)
{
    struct ssi_view view;
    struct sockaddr_in sa;
    struct codec_out out;
    u8 bytes[SSI_WIRE_HEADER_BYTES + SSI_HELLO_BYTES_MAX];
    codec_out_init(&out);
    ssi_hello_encode(&out, hello);
    struct wire_frame frame = {
        .version = SSI_WIRE_VERSION, .type = WIRE_HELLO, .length = (u32)out.len};
    ssi_wire_header(bytes, &frame);
    memcpy(bytes + SSI_WIRE_HEADER_BYTES, out.data, out.len);
    struct stranger s = {.bytes = bytes, .len = SSI_WIRE_HEADER_BYTES + out.len};
    codec_out_fini(&out);
    ssi_query(node->ssi, &view);
    uv_ip4_addr("127.0.0.1", atoi(strchr(view.listen, ':') + 1), &sa);
    node->text[0] = 0;
    uv_tcp_init(&loop, &s.tcp);
    uv_tcp_connect(&s.connect, &s.tcp, (struct sockaddr *)&sa, stranger_up);
    RUN_UNTIL(s.ended);
    ck_assert_msg(strstr(node->text, "HCPPLM1705W") && strstr(node->text, expect), "%s",
                  node->text);
}

START_TEST(a_peer_with_a_wrong_identity_is_refused)
{
    struct node a, b;
    struct wire_hello hello = {.cluster = "WRONGSSI", .member = "B", .slot = 1, .purpose = 1};
    node_open(&a, 0);
    node_open(&b, 1);
    node_join(&a);
    node_join(&b);
    lie(&a, &hello, "(WRONGSSI.B)");
    strcpy(hello.cluster, "TESTSSI");
    lie(&a, &hello, "SSI statement differs");
    hello.slot = 2;
    lie(&a, &hello, "not in that slot");
    ck_assert_int_eq(ssi_mode(a.ssi), SSI_MODE_STABLE);
    ck_assert_uint_eq(a.lost + b.lost, 0);
    node_close(&b);
    node_close(&a);
}
END_TEST

START_TEST(a_full_disk_under_the_pdr_refuses_the_join)
{
    struct node a;
    struct ssi_config config;
    struct cause cause;
    memset(&a, 0, sizeof a);
    ssi_config_init(&config);
    strcpy(config.cluster, "TESTSSI");
    strcpy(config.slots[0], "A");
    strcpy(config.member, "A");
    strcpy(config.pdr_path, "/dev/full");
    a.uv = ssi_uv_open(&loop, &config, note, &a, &cause);
    a.ssi = ssi_uv_ssi(a.uv);
    ssi_join(a.ssi, joined, &a);
    RUN_UNTIL(a.joined_done);
    ck_assert_int_ne(a.join_status, ST_OK);
    ck_assert_ptr_nonnull(strstr(a.text, "HCPPLM1707E"));
    node_close(&a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_uv");
    TCase *tc = tcase_create("loopback");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, three_members_join_transfer_and_leave);
    tcase_add_test(tc, a_crashed_member_is_buried);
    tcase_add_test(tc, a_killed_process_is_buried);
    tcase_add_test(tc, a_second_instance_is_refused);
    tcase_add_test(tc, the_pdr_of_another_cluster_is_refused);
    tcase_add_test(tc, a_veto_refuses_the_join_with_its_reason);
    tcase_add_test(tc, garbage_on_the_port_disturbs_nothing);
    tcase_add_test(tc, a_peer_with_a_wrong_identity_is_refused);
    tcase_add_test(tc, a_full_disk_under_the_pdr_refuses_the_join);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
