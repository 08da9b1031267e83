/* A link's streams: control passes a full backlog of data, a peer that does not read costs bounded
 * memory, the link is lost and healed as a whole; versions of the wire are agreed, or refused by
 * name. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ssi/ssi_internal.h"
#include "tests/lib/ssi_nodes.h"

#define BEATS 10

static u8 big[SSI_PAYLOAD_BYTES_MAX];

static bool streams_go(const struct node *node)
{
    for (unsigned i = 0; i < SSI_LINKS_MAX; i++)
        if (node->ssi->links[i] && node->ssi->links[i]->paused)
            return false;
    return true;
}

static void pair_join(struct node *a, struct node *b)
{
    node_join(a);
    node_join(b);
    RUN_UNTIL(a->peers == 1 && b->peers == 1 && streams_go(a) && streams_go(b));
}

static void pair_open(struct node *a, struct node *b)
{
    node_open(a, 0);
    node_open(b, 1);
    pair_join(a, b);
}

static struct ssi_link *link_to(struct node *node, unsigned slot)
{
    struct ssi_link *link = node->ssi->members[slot].link;
    ck_assert_ptr_nonnull(link);
    return link;
}

static void streams_read(struct node *node, unsigned slot, bool reads)
{
    struct ssi_link *link = link_to(node, slot);
    for (unsigned i = 0; i < link->n_streams; i++)
        node->ssi->ports->pause(node->ssi->ports->ctx, link->streams[i]->conn, !reads);
}

/* Data until no more is taken; the number of messages. */
static unsigned fill(struct node *node)
{
    unsigned n = 0;
    int rc;
    do {
        be32_store(big, n);
        rc = ssi_send(node->ssi, "B", NODE_SERVICE, NODE_TYPE, big, sizeof big);
        n += rc == ST_OK;
    } while (rc == ST_OK);
    ck_assert_int_eq(rc, ST_BUSY);
    ck_assert_uint_le(ssi_backlog(node->ssi, "B", NODE_SERVICE), SSI_BACKLOG_LIMIT_BYTES);
    return n;
}

/* B reads no data, and 64 MB of it wait: heartbeats and control messages come as before. */
START_TEST(heartbeats_pass_a_full_backlog)
{
    struct node a, b;
    unsigned beats = 0, steps = 0;
    pair_open(&a, &b);
    streams_read(&b, 0, false);
    unsigned n = fill(&a);
    ck_assert_uint_gt(ssi_backlog(a.ssi, "B", NODE_SERVICE), SSI_BACKLOG_LIMIT_BYTES / 2);
    ck_assert_uint_eq(ssi_backlog(a.ssi, "B", NODE_CONTROL), 0);
    u64 seen = b.ssi->members[0].rx_beat_ms, longest = 0;
    while (beats < BEATS) {
        u64 before = seen;
        ck_assert_int_eq(ssi_send(a.ssi, "B", NODE_CONTROL, 1, "x", 1), ST_OK);
        RUN_UNTIL(b.controls == steps + 1);
        steps++;
        seen = b.ssi->members[0].rx_beat_ms; /* A's clock, which is ours */
        beats += seen != before;
        longest = seen != before && seen - before > longest ? seen - before : longest;
    }
    fprintf(stderr, "%u messages of 1 MiB wait; %u heartbeats, the longest gap %llu ms\n", n,
            beats, (unsigned long long)longest);
    ck_assert_uint_eq(a.lost + b.lost, 0);
    ck_assert_uint_eq(b.received, 0);
    streams_read(&b, 0, true);
    RUN_UNTIL(b.received == (u64)n * sizeof big); /* all of it, in order */
    ck_assert_uint_eq(a.lost + b.lost, 0);
    node_close(&b);
    node_close(&a);
}
END_TEST

/* Bytes stay with the sender until they are told to have gone: then they are spoilt. */
#define KEPT_MAX 40
static u8 *kept_bytes[KEPT_MAX];
static unsigned kept_back;

static void kept_gone(void *arg)
{
    u8 **bytes = arg;
    ck_assert_ptr_nonnull(*bytes);
    memset(*bytes, 0xee, sizeof big);
    free(*bytes);
    *bytes = NULL;
    kept_back++;
}

/* Over stream 1; the number of those that were kept. */
static unsigned send_kept(struct node *node)
{
    unsigned n = 0;
    for (u32 i = 0; i < KEPT_MAX; i++) {
        bool kept;
        const struct ssi_sent sent = {kept_gone, &kept_bytes[i]};
        kept_bytes[i] = calloc(1, sizeof big);
        be32_store(kept_bytes[i], i);
        const struct ssi_iov iov[2] = {{kept_bytes[i], 4}, {kept_bytes[i] + 4, sizeof big - 4}};
        ck_assert_int_eq(
            ssi_stream_send(node->ssi, "B", NODE_SERVICE, 1, NODE_TYPE, iov, 2, &sent, &kept),
            ST_OK);
        n += kept;
        if (!kept)
            free(kept_bytes[i]);
    }
    return n;
}

START_TEST(kept_bytes_come_back_when_they_have_gone)
{
    struct node a, b;
    pair_open(&a, &b);
    streams_read(&b, 0, false);
    ck_assert_uint_eq(ssi_streams(a.ssi, "B"), 2);
    unsigned n = send_kept(&a);
    ck_assert_uint_gt(n, 4);
    ck_assert_uint_eq(kept_back, 0);
    ck_assert_uint_gt(ssi_stream_backlog(a.ssi, "B", NODE_SERVICE, 1), 4 * sizeof big);
    ck_assert_uint_eq(ssi_stream_backlog(a.ssi, "B", NODE_SERVICE, 0), 0);
    streams_read(&b, 0, true);
    RUN_UNTIL(b.received == (u64)KEPT_MAX * sizeof big);
    RUN_UNTIL(kept_back == n);
    streams_read(&b, 0, false);
    n += send_kept(&a);
    node_close(&b); /* the link is lost: they come back, too */
    RUN_UNTIL(kept_back == n);
    bool kept;
    ck_assert_int_eq(
        ssi_stream_send(a.ssi, "B", NODE_SERVICE, 1, NODE_TYPE, NULL, 0, NULL, &kept), ST_LOST);
    ck_assert(!kept && !ssi_streams(a.ssi, "B"));
    node_close(&a);
}
END_TEST

static void member_of_its_own(void)
{
    struct node b;
    uv_loop_init(&node_loop); /* a new one: the parent's is not ours */
    node_open(&b, 1);
    node_join_begin(&b);
    for (;;)
        uv_run(&node_loop, UV_RUN_ONCE);
}

/* The process of B is stopped: what waits for it is bounded, and goes with the link. */
START_TEST(a_stopped_member_costs_bounded_memory)
{
    struct node a;
    struct ssi_config config;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        member_of_its_own();
    node_config(&config, 0);
    config.silence_ms = 1500;
    node_open_with(&a, &config);
    node_join(&a);
    RUN_UNTIL(a.peers == 1);
    kill(child, SIGSTOP);
    fill(&a);
    RUN_UNTIL(a.lost == 1);
    ck_assert_int_eq(ssi_mode(a.ssi), SSI_MODE_SAFE);
    ck_assert_uint_eq(ssi_backlog(a.ssi, "B", NODE_SERVICE), 0);
    ck_assert_int_eq(ssi_send(a.ssi, "B", NODE_SERVICE, NODE_TYPE, big, 4), ST_LOST);
    kill(child, SIGCONT);
    RUN_UNTIL(a.peers == 1); /* healed */
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    RUN_UNTIL(a.told_down);
    node_close(&a);
}
END_TEST

/* One stream is cut: the link is lost as a whole and heals as a whole, with a number of its own. */
START_TEST(with_a_stream_the_link_is_lost)
{
    struct node a, b;
    pair_open(&a, &b);
    for (unsigned i = 0; i < 2; i++) {
        struct ssi_link *link = link_to(&b, 0);
        ck_assert_uint_eq(link->n_streams, 2);
        u64 number = link->number;
        ck_assert_uint_eq(number, link_to(&a, 1)->number);
        b.ssi->ports->close(b.ssi->ports->ctx, link->streams[i]->conn, false);
        RUN_UNTIL(a.lost == i + 1 && b.lost == i + 1);
        RUN_UNTIL(a.peers == 1 && b.peers == 1);
        ck_assert_uint_ne(link_to(&a, 1)->number, number);
    }
    node_pump(&a);
    RUN_UNTIL(b.got_all);
    node_close(&b);
    node_close(&a);
}
END_TEST

static void join_of_versions(unsigned a_max, unsigned b_max, unsigned version)
{
    struct node a, b;
    struct ssi_config config;
    node_config(&config, 0);
    config.wire_max = a_max;
    node_open_with(&a, &config);
    node_config(&config, 1);
    config.wire_max = b_max;
    node_open_with(&b, &config);
    pair_join(&a, &b);
    ck_assert_uint_eq(link_to(&a, 1)->version, version);
    ck_assert_uint_eq(link_to(&b, 0)->version, version);
    ck_assert_uint_eq(link_to(&a, 1)->n_streams, version == 1 ? 0 : 2);
    node_pump(&a);
    RUN_UNTIL(b.got_all);
    node_close(&b);
    node_close(&a);
}

START_TEST(members_of_two_versions_speak_the_older)
{
    join_of_versions(0, 1, 1);
    join_of_versions(1, 0, 1);
    join_of_versions(0, 2, 2);
    join_of_versions(0, 0, SSI_WIRE_VERSION_MAX);
}
END_TEST

static void join_of_streams(unsigned a_streams, unsigned b_streams, unsigned streams)
{
    struct node a, b;
    struct ssi_config config;
    node_config(&config, 0);
    config.streams = a_streams;
    node_open_with(&a, &config);
    node_config(&config, 1);
    config.streams = b_streams;
    node_open_with(&b, &config);
    pair_join(&a, &b);
    ck_assert_uint_eq(link_to(&a, 1)->n_streams, streams);
    ck_assert_uint_eq(link_to(&b, 0)->n_streams, streams);
    node_pump(&a);
    RUN_UNTIL(b.got_all);
    node_close(&b);
    node_close(&a);
}

START_TEST(as_many_streams_as_both_want)
{
    join_of_streams(0, 2, 0);
    join_of_streams(1, 4, 1);
    join_of_streams(SSI_STREAMS_MAX, SSI_STREAMS_MAX, SSI_STREAMS_MAX);
}
END_TEST

/* HELLO of B as it stands in the PDR, with one thing changed by the caller. */
static void say_hello(struct node *a, struct wire_hello *hello, struct stranger *s)
{
    static u8 bytes[SSI_WIRE_HEADER_BYTES + SSI_HELLO_BYTES_MAX];
    struct codec_out out;
    strcpy(hello->cluster, "TESTSSI");
    strcpy(hello->member, "B");
    hello->slot = 1;
    hello->digest = a->ssi->digest;
    codec_out_init(&out);
    ssi_hello_encode(&out, hello);
    struct wire_frame frame = {
        .version = SSI_WIRE_BASE, .type = WIRE_HELLO, .length = (u32)out.len};
    ssi_wire_header(bytes, &frame);
    memcpy(bytes + SSI_WIRE_HEADER_BYTES, out.data, out.len);
    *s = (struct stranger){.bytes = bytes, .len = SSI_WIRE_HEADER_BYTES + out.len};
    codec_out_fini(&out);
    stranger_call(s, a);
    RUN_UNTIL(s->ended);
}

static unsigned reason_of(const struct stranger *s)
{
    ck_assert_uint_ge(s->answered, SSI_WIRE_HEADER_BYTES + 2u);
    ck_assert_uint_eq(be16_load(s->answer + 6), WIRE_REFUSE);
    return be16_load(s->answer + SSI_WIRE_HEADER_BYTES);
}

START_TEST(no_version_in_common_names_both)
{
    struct node a;
    struct stranger s;
    struct wire_hello hello = {.purpose = PURPOSE_JOIN, .version_min = 5, .version_max = 6};
    node_open(&a, 0);
    node_join(&a);
    say_hello(&a, &hello, &s);
    ck_assert_uint_eq(reason_of(&s), REASON_VERSION);
    const char *both =
        "no version of the SSI protocol is spoken by both (TESTSSI.B: 5 to 6 there, "
        "1 to 3 here)";
    ck_assert_msg(strstr(a.text, both) != NULL, "%s", a.text);
    both = "(TESTSSI.B: 5 to 6 there, 1 to 3 here)";
    ck_assert_ptr_nonnull(memmem(s.answer, s.answered, both, strlen(both)));
    node_close(&a);
}
END_TEST

/* A connection that says to be a stream: of a link that there is not, and of one that has all. */
START_TEST(a_stream_of_no_link_is_refused)
{
    struct node a, b;
    struct stranger s;
    struct wire_hello hello = {
        .purpose = PURPOSE_STREAM, .version_min = 1, .version_max = 2, .link = 4711};
    pair_open(&a, &b);
    say_hello(&a, &hello, &s);
    ck_assert_uint_eq(reason_of(&s), REASON_STALE);
    hello.incarnation = b.ssi->incarnation;
    hello.expected = a.ssi->incarnation;
    hello.link = link_to(&a, 1)->number;
    hello.stream = 1;
    say_hello(&a, &hello, &s);
    ck_assert_uint_eq(reason_of(&s), REASON_STALE);
    hello.stream = 200;
    say_hello(&a, &hello, &s);
    ck_assert_uint_eq(reason_of(&s), REASON_STALE);
    ck_assert_uint_eq(a.lost + b.lost, 0);
    ck_assert_int_eq(ssi_mode(a.ssi), SSI_MODE_STABLE);
    node_close(&b);
    node_close(&a);
}
END_TEST

/* Strangers who say nothing: some are let in, and each costs a small buffer until its deadline. */
START_TEST(silent_strangers_cost_little)
{
    struct node a;
    static struct stranger s[3 * SSI_STRANGERS_MAX];
    unsigned ended = 0, links = 0;
    node_open(&a, 0);
    node_join(&a);
    for (unsigned i = 0; i < ARRAY_LEN(s); i++)
        stranger_call(&s[i], &a);
    for (unsigned i = 0; i < ARRAY_LEN(s); i++)
        RUN_UNTIL(s[i].up);
    while (ended < ARRAY_LEN(s) - SSI_STRANGERS_MAX) {
        uv_run(&node_loop, UV_RUN_ONCE);
        ended = 0;
        for (unsigned i = 0; i < ARRAY_LEN(s); i++)
            ended += s[i].ended;
    }
    for (unsigned i = 0; i < SSI_LINKS_MAX; i++) {
        const struct ssi_link *link = a.ssi->links[i];
        links += link != NULL;
        ck_assert(!link || link->rx_room == SSI_RX_STRANGER_BYTES);
    }
    ck_assert_uint_le(links, SSI_STRANGERS_MAX);
    for (unsigned i = 0; i < ARRAY_LEN(s); i++)
        RUN_UNTIL(s[i].ended); /* the deadline of a handshake */
    node_close(&a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_stream");
    TCase *tc = tcase_create("loopback");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, nodes_setup, nodes_teardown);
    tcase_add_test(tc, heartbeats_pass_a_full_backlog);
    tcase_add_test(tc, kept_bytes_come_back_when_they_have_gone);
    tcase_add_test(tc, a_stopped_member_costs_bounded_memory);
    tcase_add_test(tc, with_a_stream_the_link_is_lost);
    tcase_add_test(tc, members_of_two_versions_speak_the_older);
    tcase_add_test(tc, as_many_streams_as_both_want);
    tcase_add_test(tc, no_version_in_common_names_both);
    tcase_add_test(tc, a_stream_of_no_link_is_refused);
    tcase_add_test(tc, silent_strangers_cost_little);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
