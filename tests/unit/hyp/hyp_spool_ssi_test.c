/* The shared spool on real SSI links: two members over loopback TCP on one loop. What one does the
 * other sees, and hears of a file that was sent; messages that make no sense do nothing; a link
 * that is lost closes the other's files to changes, one that heals or a member that leaves opens
 * them; a folder that lies elsewhere is told. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/spool/spool_internal.h"
#include "hyp/spool/spool_ssi.h"
#include "ssi/ssi_uv.h"
#include "tests/lib/uv_until.h"

#define USERID "LINUX1"
#define HOSTILE_ROUNDS 3000u

struct node {
    struct ssi_uv *uv;
    struct ssi *ssi;
    struct spool *spool;
    struct spool_ssi *service;
    bool joined, closed, left;
    unsigned arrived, unseen;
    u16 was;
};

static uv_loop_t loop;
static char folder[64];
static struct node a, b;

#define RUN_UNTIL(cond) UV_UNTIL(&loop, uv_run(&loop, UV_RUN_ONCE), cond)

static void note(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

static bool per_member(void *ctx, const char *userid)
{
    (void)ctx;
    return !strcmp(userid, "OPERATOR");
}

static void arrived(void *ctx, const struct spool_desc *desc, enum spool_queue from, u16 was)
{
    struct node *node = ctx;
    ck_assert_str_eq(desc->owner, USERID);
    ck_assert_int_eq(from, SPOOL_PUN);
    node->arrived++;
    node->was = was;
}

static void unseen(void *ctx, const char *member)
{
    (void)member;
    ((struct node *)ctx)->unseen++;
}

static void joined(void *ctx, int status, const struct cause *cause)
{
    ck_assert_msg(status == ST_OK, "%s", cause->text);
    ((struct node *)ctx)->joined = true;
}

static void has_left(void *ctx, int status, const struct cause *cause)
{
    (void)status;
    (void)cause;
    ((struct node *)ctx)->left = true;
}

static void was_closed(void *ctx)
{
    ((struct node *)ctx)->closed = true;
}

static void node_open(struct node *node, unsigned slot, const char *root)
{
    struct ssi_config config;
    struct cause cause;
    char path[128];
    memset(node, 0, sizeof *node);
    ssi_config_init(&config);
    strcpy(config.cluster, "TESTSSI");
    for (unsigned i = 0; i < 2; i++)
        config.slots[i][0] = (char)('A' + i);
    config.slot = slot;
    strcpy(config.member, config.slots[slot]);
    snprintf(config.pdr_path, sizeof config.pdr_path, "%s/pdr", folder);
    snprintf(path, sizeof path, "%s/%s", folder, root);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%s/%s", folder, root, config.member);
    ck_assert_msg(spool_create(path, SPOOL_WARM, slot + 1, &node->spool, &cause) == ST_OK, "%s",
                  cause.text);
    node->uv = ssi_uv_open(&loop, &config, note, node, &cause);
    ck_assert_msg(node->uv != NULL, "%s", cause.text);
    node->ssi = ssi_uv_ssi(node->uv);
    const struct spool_ssi_ports ports = {node, per_member, arrived, unseen};
    node->service = spool_ssi_create(node->ssi, node->spool, &ports, &cause);
    ck_assert_msg(node->service != NULL, "%s", cause.text);
    ssi_join(node->ssi, joined, node);
    RUN_UNTIL(node->joined);
}

static void node_close(struct node *node)
{
    ssi_uv_close(node->uv, was_closed, node);
    while (!node->closed)
        uv_run(&loop, UV_RUN_ONCE);
    spool_ssi_destroy(node->service);
    spool_destroy(node->spool);
}

static bool linked(const struct node *node, const char *member)
{
    char names[SSI_SLOTS_MAX][SSI_NAME_BYTES];
    unsigned n = ssi_members(node->ssi, names);
    return n == 1 && !strcmp(names[0], member);
}

static void both(const char *root_of_b)
{
    strcpy(folder, "/tmp/spool_ssi.XXXXXX");
    ck_assert(mkdtemp(folder) != NULL);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    node_open(&a, 0, "spool");
    node_open(&b, 1, root_of_b);
    RUN_UNTIL(linked(&a, "B") && linked(&b, "A"));
}

static void setup(void)
{
    both("spool");
}

static void setup_apart(void)
{
    both("elsewhere");
}

static void teardown(void)
{
    char command[96];
    node_close(&a);
    node_close(&b);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static struct spool_file *add(struct node *node)
{
    struct spool_desc desc;
    struct spool_data data;
    struct spool_file *f;
    struct cause cause;
    spool_desc_init(&desc, USERID, SPOOL_RDR);
    spool_data_init(&data);
    ck_assert(spool_data_add_cards(&data, "card", 4));
    int rc = spool_add(node->spool, &desc, &data, &f, &cause);
    ck_assert_msg(rc == ST_OK, "%s", cause.text);
    return f;
}

static unsigned count(const struct node *node)
{
    return spool_count(node->spool, USERID, SPOOL_RDR);
}

static int set_hold(struct node *node, bool hold, struct cause *cause)
{
    struct spool_file *f = spool_next(node->spool, NULL);
    struct spool_desc d = *spool_desc(f);
    d.hold = hold;
    return spool_change(node->spool, f, &d, cause);
}

START_TEST(told)
{
    struct cause cause;
    struct spool_file *f = add(&b);
    RUN_UNTIL(count(&a) == 1);
    spool_sent(b.spool, USERID, spool_desc(f)->id, SPOOL_PUN, 17);
    RUN_UNTIL(a.arrived == 1);
    ck_assert_uint_eq(a.was, 17);
    ck_assert_uint_eq(b.arrived, 0);
    ck_assert_int_eq(set_hold(&a, true, &cause), ST_OK);
    RUN_UNTIL(spool_desc(spool_next(b.spool, NULL))->hold);
    ck_assert(spool_purge(a.spool, spool_next(a.spool, NULL)));
    RUN_UNTIL(count(&b) == 0);
    ck_assert_uint_eq(a.unseen + b.unseen, 0);
}
END_TEST

START_TEST(hostile)
{
    u8 bytes[64];
    struct codec_out out;
    struct spool_file *f = add(&b);
    RUN_UNTIL(count(&a) == 1);
    static const char *const names[] = {"", "A", "B", "..", "../A", "NOWHERE", "TOOLONGANAME"};
    srand(8);
    for (unsigned i = 0; i < HOSTILE_ROUNDS; i++) {
        u16 type = (u16)(rand() % 5);
        if (i % 2) { /* a message as it should be, but for what it says */
            const char *name = names[(unsigned)rand() % ARRAY_LEN(names)];
            codec_out_init(&out);
            codec_put_bytes(&out, CODEC_MANDATORY | 1, name, strlen(name));
            codec_put_u64(&out, CODEC_MANDATORY | 2, (u64)rand() << (rand() % 40));
            codec_put_u8(&out, CODEC_MANDATORY | 3, (u8)rand());
            ck_assert_int_eq(ssi_send(b.ssi, "A", SPOOL_SSI_SERVICE, type, out.data, out.len),
                             ST_OK);
            codec_out_fini(&out);
            continue;
        }
        for (unsigned k = 0; k < sizeof bytes; k++)
            bytes[k] = (u8)rand();
        ck_assert_int_eq(
            ssi_send(b.ssi, "A", SPOOL_SSI_SERVICE, type, bytes, (size_t)rand() % sizeof bytes),
            ST_OK);
    }
    spool_sent(b.spool, USERID, spool_desc(f)->id, SPOOL_PUN, 1); /* behind all of them */
    RUN_UNTIL(a.was == 1);
    ck_assert_uint_eq(a.arrived, 1);
    ck_assert_uint_eq(count(&a), 1);
    ck_assert_uint_eq(a.spool->homes, 2);
}
END_TEST

START_TEST(lost_and_back)
{
    struct cause cause;
    add(&b);
    RUN_UNTIL(count(&a) == 1);
    ck_assert_int_eq(ssi_link_deactivate(a.ssi, "B", &cause), ST_OK);
    RUN_UNTIL(ssi_member_state(a.ssi, "B") == SSI_UNKNOWN);
    ck_assert_int_eq(set_hold(&a, true, &cause), ST_REFUSED);
    ck_assert_msg(strstr(cause.text, "B's, which cannot be reached") != NULL, "%s", cause.text);
    ck_assert_int_eq(set_hold(&b, true, &cause), ST_OK); /* its own */
    ck_assert_int_eq(ssi_link_activate(a.ssi, "B", &cause), ST_OK);
    RUN_UNTIL(linked(&a, "B") && linked(&b, "A"));
    ck_assert(spool_desc(spool_next(a.spool, NULL))->hold); /* not told, and seen */
    ck_assert_int_eq(set_hold(&a, false, &cause), ST_OK);
    ssi_leave(b.ssi, has_left, &b);
    RUN_UNTIL(b.left && ssi_member_state(a.ssi, "B") == SSI_DOWN);
    ck_assert_int_eq(set_hold(&a, true, &cause), ST_OK);
    ck_assert_int_eq(set_hold(&b, false, &cause), ST_BUSY); /* it knows another version */
}
END_TEST

START_TEST(apart)
{
    ck_assert_uint_eq(a.unseen, 1);
    ck_assert_uint_eq(b.unseen, 1);
    add(&a);
    add(&b);
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_int_eq(ssi_send(b.ssi, "A", SPOOL_SSI_SERVICE, 3, NULL, 0), ST_OK);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    ck_assert_uint_eq(count(&a), 1);
    ck_assert_uint_eq(count(&b), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_spool_ssi");
    TCase *tc = tcase_create("beside"), *other = tcase_create("apart");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_checked_fixture(other, setup_apart, teardown);
    tcase_set_timeout(tc, 120); /* a limit for hangs, not a measure */
    tcase_set_timeout(other, 120);
    tcase_add_test(tc, told);
    tcase_add_test(tc, hostile);
    tcase_add_test(tc, lost_and_back);
    tcase_add_test(other, apart);
    suite_add_tcase(suite, tc);
    suite_add_tcase(suite, other);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
