/* Nodes for tests of the libuv ports; see the header. */
#include "tests/lib/ssi_nodes.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

uv_loop_t node_loop;
char node_folder[64];
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
    ck_assert_uint_eq(type, NODE_TYPE);
    ck_assert_uint_eq(be32_load(data), node->next++);
    node->received += len;
    node->got_all = node->received == BULK_BYTES;
}

void node_pump(struct node *node)
{
    node->pumping = true;
    while (node->sent < BULK_BYTES &&
           ssi_backlog(node->ssi, "B", NODE_SERVICE) < SSI_BACKLOG_HIGH_BYTES) {
        be32_store(piece, (u32)(node->sent / PIECE_BYTES));
        ck_assert_int_eq(ssi_send(node->ssi, "B", NODE_SERVICE, NODE_TYPE, piece, PIECE_BYTES),
                         ST_OK);
        node->sent += PIECE_BYTES;
    }
}

static void svc_writable(void *ctx, const char *member)
{
    ck_assert_str_eq(member, "B");
    if (((struct node *)ctx)->pumping)
        node_pump(ctx);
}

static const struct ssi_service service = {.id = NODE_SERVICE,
                                           .name = "TEST",
                                           .bulk = true,
                                           .export_join = svc_export,
                                           .check_join = svc_check,
                                           .member_joined = svc_joined,
                                           .member_left = svc_left,
                                           .receive = svc_receive,
                                           .writable = svc_writable};

static void control_receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    (void)from;
    (void)type;
    (void)data;
    (void)len;
    ((struct node *)ctx)->controls++;
}

static const struct ssi_service control = {
    .id = NODE_CONTROL, .name = "CONTROL", .receive = control_receive};

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

void node_config(struct ssi_config *config, unsigned slot)
{
    ssi_config_init(config);
    strcpy(config->cluster, "TESTSSI");
    for (unsigned i = 0; i < 3; i++)
        config->slots[i][0] = (char)('A' + i);
    config->slot = slot;
    strcpy(config->member, config->slots[slot]);
    config->heartbeat_ms = 100;
    config->silence_ms = 30000; /* nothing here waits for it */
    config->pdr_beat_ms = 100;
    snprintf(config->pdr_path, sizeof config->pdr_path, "%s/pdr", node_folder);
}

void node_open_with(struct node *node, const struct ssi_config *config)
{
    struct cause cause;
    memset(node, 0, sizeof *node);
    node->uv = ssi_uv_open(&node_loop, config, note, node, &cause);
    ck_assert_msg(node->uv != NULL, "%s", cause.text);
    node->ssi = ssi_uv_ssi(node->uv);
    ck_assert_int_eq(ssi_register_service(node->ssi, &service, node), ST_OK);
    ck_assert_int_eq(ssi_register_service(node->ssi, &control, node), ST_OK);
}

void node_open(struct node *node, unsigned slot)
{
    struct ssi_config config;
    node_config(&config, slot);
    node_open_with(node, &config);
}

/* Sanitizer builds get more time, as for everything under Check. */
void node_join_begin(struct node *node)
{
    ssi_join(node->ssi, joined, node);
}

void node_leave(struct node *node)
{
    ssi_leave(node->ssi, left, node);
}

void node_join(struct node *node)
{
    node_join_begin(node);
    RUN_UNTIL(node->joined_done);
    ck_assert_msg(node->join_status == ST_OK, "%s", node->cause.text);
}

void node_close(struct node *node)
{
    ssi_uv_close(node->uv, was_closed, node);
    RUN_UNTIL(node->closed);
}

void nodes_setup(void)
{
    strcpy(node_folder, "/tmp/ssi_uv_test.XXXXXX");
    ck_assert(mkdtemp(node_folder) != NULL);
    ck_assert_int_eq(uv_loop_init(&node_loop), 0);
}

static int gone(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void nodes_teardown(void)
{
    ck_assert_int_eq(uv_loop_close(&node_loop), 0);
    nftw(node_folder, gone, 8, FTW_DEPTH | FTW_PHYS);
}

static void stranger_closed(uv_handle_t *handle)
{
    ((struct stranger *)handle)->ended = true;
}

static void stranger_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct stranger *s = (struct stranger *)handle;
    static char sink[1024];
    bool room = s->answered < sizeof s->answer;
    (void)size;
    *buf = room ? uv_buf_init((char *)s->answer + s->answered,
                              (unsigned)(sizeof s->answer - s->answered))
                : uv_buf_init(sink, sizeof sink);
}

static void stranger_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct stranger *s = (struct stranger *)stream;
    if (n < 0)
        uv_close((uv_handle_t *)stream, stranger_closed);
    else if (buf->len <= sizeof s->answer - s->answered)
        s->answered += (size_t)n;
}

static void stranger_up(uv_connect_t *req, int status)
{
    struct stranger *s = (struct stranger *)req->handle;
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)s->bytes, (unsigned)s->len);
    ck_assert_int_eq(status, 0);
    s->up = true;
    uv_read_start((uv_stream_t *)&s->tcp, stranger_alloc, stranger_read);
    if (s->len)
        uv_write(&s->write, (uv_stream_t *)&s->tcp, &buf, 1, NULL);
}

void stranger_call(struct stranger *s, struct node *node)
{
    struct ssi_view view;
    struct sockaddr_in sa;
    ssi_query(node->ssi, &view);
    uv_ip4_addr("127.0.0.1", atoi(strrchr(view.listen, ':') + 1), &sa);
    uv_tcp_init(&node_loop, &s->tcp);
    uv_tcp_connect(&s->connect, &s->tcp, (struct sockaddr *)&sa, stranger_up);
}
