/* Networks over members on real SSI links: two members over loopback TCP on one loop. Frames arrive
 * in order; while others' messages fill the link they take turns, and never have more of it than
 * IVL_IN_FLIGHT_BYTES ahead of what is sent behind them. */
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/net/ivl_ssi.h"
#include "ssi/ssi_uv.h"
#include "tests/lib/uv_until.h"

#define BULK_BYTES (64u << 20)
#define PIECE_BYTES (256u << 10)
#define FRAME_BYTES_HERE 1400u
#define FLOOD_FRAMES 20000u

struct node {
    struct ssi_uv *uv;
    struct ssi *ssi;
    struct ivl_ssi *net;
    struct ivl *ivl;
    struct lan *lan;
    struct lan_port *port;
    bool joined, closed, news;
    unsigned peers, got;
    u32 last; /* number of the last frame */
    u64 sent, received;
    unsigned controls;
};

static uv_loop_t loop;
static char folder[64];
static u8 piece[PIECE_BYTES];
static struct node a, b;
static const u8 mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};

static void turn(void)
{
    struct node *const both[] = {&a, &b};
    for (unsigned i = 0; i < 2; i++)
        if (both[i]->news) {
            both[i]->news = false;
            ivls_poll(ivl_ssi_ivls(both[i]->net));
        }
    uv_run(&loop, UV_RUN_ONCE);
}

#define RUN_UNTIL(cond) UV_UNTIL(&loop, turn(), cond)

static void note(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

static void svc_joined(void *ctx, const char *member)
{
    (void)member;
    ((struct node *)ctx)->peers++;
}

static void svc_receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct node *node = ctx;
    (void)from;
    (void)data;
    node->received += type == 1 ? len : 0;
    node->controls += type == 2;
}

/* As a relocation: as much as the backlog lets it. */
static void pump(struct node *node)
{
    while (node->sent < BULK_BYTES && ssi_backlog(node->ssi, "B", 9) < SSI_BACKLOG_HIGH_BYTES) {
        ck_assert_int_eq(ssi_send(node->ssi, "B", 9, 1, piece, PIECE_BYTES), ST_OK);
        node->sent += PIECE_BYTES;
    }
}

static void svc_writable(void *ctx, const char *member)
{
    (void)member;
    pump(ctx);
}

static const struct ssi_service service = {.id = 9,
                                           .name = "TEST",
                                           .bulk = true, /* on the stream of LAN */
                                           .member_joined = svc_joined,
                                           .receive = svc_receive,
                                           .writable = svc_writable};

static bool deliver(void *arg, const u8 *frame, size_t len)
{
    struct node *node = arg;
    ck_assert_uint_eq(len, FRAME_BYTES_HERE);
    u32 number = be32_load(frame + 14);
    ck_assert_uint_gt(number, node->last); /* in order; some may have been dropped */
    node->last = number;
    node->got++;
    return true;
}

static const struct lan_port_ops ops = {.deliver = deliver};

static void wakeup(void *ctx)
{
    ((struct node *)ctx)->news = true;
}

static void joined(void *ctx, int status, const struct cause *cause)
{
    ck_assert_msg(status == ST_OK, "%s", cause->text);
    ((struct node *)ctx)->joined = true;
}

static void was_closed(void *ctx)
{
    ((struct node *)ctx)->closed = true;
}

static void node_open(struct node *node, unsigned slot)
{
    struct ssi_config config;
    struct cause cause;
    memset(node, 0, sizeof *node);
    ssi_config_init(&config);
    strcpy(config.cluster, "TESTSSI");
    for (unsigned i = 0; i < 2; i++)
        config.slots[i][0] = (char)('A' + i);
    config.slot = slot;
    strcpy(config.member, config.slots[slot]);
    snprintf(config.pdr_path, sizeof config.pdr_path, "%s/pdr", folder);
    node->uv = ssi_uv_open(&loop, &config, note, node, &cause);
    ck_assert_msg(node->uv != NULL, "%s", cause.text);
    node->ssi = ssi_uv_ssi(node->uv);
    ck_assert_int_eq(ssi_register_service(node->ssi, &service, node), ST_OK);
    node->net = ivl_ssi_create(node->ssi, wakeup, node, &cause);
    ck_assert_ptr_nonnull(node->net);
    node->lan = lan_create();
    node->ivl = ivl_add(ivl_ssi_ivls(node->net), "VSW1", 0, node->lan);
    node->port = lan_port_add(node->lan, LAN_STATION, &ops, node);
    ck_assert_int_eq(lan_mac_add(node->port, mac[slot]), ST_OK);
    ssi_join(node->ssi, joined, node);
    RUN_UNTIL(node->joined);
}

static void node_close(struct node *node)
{
    ivl_remove(node->ivl);
    lan_port_remove(node->port);
    lan_destroy(node->lan);
    ssi_uv_close(node->uv, was_closed, node);
    while (!node->closed)
        uv_run(&loop, UV_RUN_ONCE);
    ivl_ssi_destroy(node->net);
}

static unsigned members(struct node *node)
{
    struct ivl_info info;
    ivl_info(node->ivl, &info);
    return info.members;
}

static void setup(void)
{
    strcpy(folder, "/tmp/ivl_ssi_test.XXXXXX");
    ck_assert(mkdtemp(folder) != NULL);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    node_open(&a, 0);
    node_open(&b, 1);
    RUN_UNTIL(a.peers == 1 && b.peers == 1 && members(&a) == 1 && members(&b) == 1);
    RUN_UNTIL(!a.news && !b.news);
}

static void teardown(void)
{
    char path[80];
    node_close(&a);
    node_close(&b);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    snprintf(path, sizeof path, "%s/pdr", folder);
    unlink(path);
    rmdir(folder);
}

static u32 frames_sent;

static void sends(unsigned n)
{
    u8 frame[FRAME_BYTES_HERE] = {0};
    memcpy(frame, mac[1], 6);
    memcpy(frame + 6, mac[0], 6);
    while (n--) {
        be32_store(frame + 14, ++frames_sent);
        lan_send(a.port, frame, sizeof frame);
    }
}

START_TEST(frames_arrive)
{
    frames_sent = 0;
    sends(100);
    RUN_UNTIL(b.got == 100);
    sends(500);
    RUN_UNTIL(b.got == 600);
}
END_TEST

/* Frames flood a link; a message behind them waits for no more than may be in flight. */
START_TEST(messages_do_not_wait_for_frames)
{
    struct ivl_info info;
    frames_sent = 0;
    while (frames_sent < FLOOD_FRAMES) {
        sends(200);
        ivls_poll(ivl_ssi_ivls(a.net));
        ck_assert_uint_le(ssi_backlog(a.ssi, "B", IVL_SSI_SERVICE), IVL_IN_FLIGHT_BYTES);
        if (frames_sent % 4000 == 0)
            ck_assert_int_eq(ssi_send(a.ssi, "B", 9, 2, "x", 1), ST_OK);
    }
    RUN_UNTIL(b.controls == FLOOD_FRAMES / 4000);
    ivl_info(a.ivl, &info);
    ck_assert_uint_eq(info.sent + info.dropped, FLOOD_FRAMES);
    ck_assert_uint_gt(info.dropped, 0);
    RUN_UNTIL(b.got == info.sent); /* nothing is stuck */
}
END_TEST

/* A relocation fills the link: frames go on beside it. */
START_TEST(frames_take_turns_with_bulk)
{
    struct ivl_info info;
    frames_sent = 0;
    pump(&a);
    while (b.received < BULK_BYTES) {
        sends(1);
        turn();
    }
    ck_assert_uint_gt(b.got, 10);
    ivl_info(a.ivl, &info);
    RUN_UNTIL(b.got == info.sent);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_ivl_ssi");
    TCase *tc = tcase_create("hyp_ivl_ssi");
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, frames_arrive);
    tcase_add_test(tc, messages_do_not_wait_for_frames);
    tcase_add_test(tc, frames_take_turns_with_bulk);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
