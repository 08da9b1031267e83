/* Images behind a network block device server: while it is away every request fails and says so;
 * when it is back they go on, with what was written before, though the server has lost what it
 * had not flushed. One that takes several connections gets them. Servers: nbdkit, qemu-nbd. */
#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/image/image_internal.h"
#include "io/image/unflushed.h"

#define BLOCKS 1000u

static char dir[64], uri[200];
static struct cause cause;

static void shell(const char *form)
{
    char command[900];
    ck_assert_uint_lt(snprintf(command, sizeof command, form, dir, dir, dir), sizeof command);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static const char *const servers[] = {
    "nbdkit -U %s/socket -P %s/pid file %s/blocks",
    "qemu-nbd -f raw -t -e 4 --fork -k %s/socket --pid-file %s/pid %s/blocks",
    "nbdkit -U %s/socket -P %s/pid --filter=cache file %s/blocks", /* what is flushed only */
};
#define SERVERS (sizeof servers / sizeof *servers)

static void serve(void)
{
    shell("nbdkit -U %s/socket -P %s/pid file %s/blocks");
}

static void end_server(void)
{
    shell(
        "kill -9 $(cat %s/pid) && while kill -0 $(cat %s/pid) 2>/dev/null; do sleep 0.01; done; "
        "cd %s");
    shell("rm -f %s/socket %s/pid %s/none");
}

static void setup(void)
{
    snprintf(dir, sizeof dir, "%s", "/tmp/io_nbd_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(uri, sizeof uri, "nbd+unix:///?socket=%s/socket", dir);
    shell("head -c 512000 /dev/zero >%s/blocks");
}

static void teardown(void)
{
    shell("[ ! -e %s/pid ] || kill -9 $(cat %s/pid); rm -rf %s");
}

static int move(struct image *img, bool write, u64 block, u8 byte)
{
    u8 buf[IMAGE_BLOCK_BYTES];
    memset(buf, byte, sizeof buf);
    if (write)
        return image_write_blocks(img, block, 1, buf, &cause);
    int rc = image_read_blocks(img, block, 1, buf, &cause);
    for (u32 i = 0; rc == ST_OK && i < sizeof buf; i++)
        ck_assert_uint_eq(buf[i], byte);
    return rc;
}

START_TEST(a_server_goes_and_comes)
{
    struct image *img;
    serve();
    ck_assert_msg(image_open(uri, 0, &img, &cause) == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(image_geometry(img)->blocks, BLOCKS);
    ck_assert_int_eq(move(img, true, 7, 0x17), ST_OK);
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    end_server();
    ck_assert_int_eq(move(img, true, 7, 0x18), ST_IO);
    ck_assert_int_eq(move(img, false, 7, 0), ST_IO);
    ck_assert_int_eq(image_sync(img, &cause), ST_LOST); /* not there: nothing is lost yet */
    ck_assert_ptr_nonnull(strstr(cause.text, "socket"));
    serve();
    ck_assert_int_eq(move(img, false, 7, 0x17), ST_OK);
    ck_assert_int_eq(move(img, true, 999, 0x19), ST_OK);
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    image_unref(img);
    end_server();
    shell("[ $(tail -c 512 %s/blocks | tr -d '\\031' | wc -c) = 0 ]");
}
END_TEST

START_TEST(nothing_to_connect_to)
{
    struct image *img = NULL;
    ck_assert_int_eq(image_open(uri, 0, &img, &cause), ST_CONFIG);
    ck_assert_ptr_null(img);
    ck_assert_int_eq(image_open("nbd://127.0.0.1:1/x", IMAGE_READ_ONLY, &img, &cause),
                     ST_CONFIG);
}
END_TEST

/* --- TLS ---------- */

#define PSK_SERVER "nbdkit --tls=require --tls-psk=%s/psk -U %s/socket -P %s/pid memory 500K"
static const char authority[] =
    "cd %s && mkdir $NAME && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
    "-nodes -days 2 -subj /CN=$NAME -addext basicConstraints=critical,CA:TRUE "
    "-keyout $NAME/key -out $NAME/ca-cert.pem 2>/dev/null; : %s %s";
static const char certificate[] = /* of localhost, by the authority NAME */
    "cd %s && mkdir server && cp $NAME/ca-cert.pem server && openssl req -newkey ec -pkeyopt "
    "ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server/server-key.pem "
    "-out request 2>/dev/null && openssl x509 -req -in request -CA $NAME/ca-cert.pem "
    "-CAkey $NAME/key -CAcreateserial -days 2 -out server/server-cert.pem 2>/dev/null; : %s %s";

/* The address `form` with the test's folder, twice: refused, for that reason. */
static void refused(const char *form, const char *why)
{
    char address[300];
    struct image *img = NULL;
    snprintf(address, sizeof address, form, dir, dir);
    ck_assert_int_eq(image_open(address, 0, &img, &cause), ST_CONFIG);
    ck_assert_msg(strstr(cause.text, why) && strstr(cause.text, address), "%s", cause.text);
}

static void taken(const char *form)
{
    char address[300];
    struct image *img;
    snprintf(address, sizeof address, form, dir, dir);
    ck_assert_msg(image_open(address, 0, &img, &cause) == ST_OK, "%s", cause.text);
    ck_assert_int_eq(move(img, true, 7, 0x17), ST_OK);
    ck_assert_int_eq(move(img, false, 7, 0x17), ST_OK);
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    image_unref(img);
}

START_TEST(in_TLS_with_a_shared_key)
{
    shell("printf 'disks:00112233445566778899aabbccddeeff' >%s/psk; "
          "printf 'disks:ff112233445566778899aabbccddeeff' >%s/wrong; : %s");
    shell(PSK_SERVER);
    refused("nbd+unix:///?socket=%s/socket", "TLS");
    refused("nbds+unix://disks@/?socket=%s/socket&tls-psk-file=%s/wrong", "");
    refused("nbds+unix://nobody@/?socket=%s/socket&tls-psk-file=%s/psk", "nobody");
    taken("nbds+unix://disks@/?socket=%s/socket&tls-psk-file=%s/psk");
    end_server();
    serve();
    refused("nbds+unix://disks@/?socket=%s/socket&tls-psk-file=%s/psk", "TLS");
    end_server();
}
END_TEST

/* A server of TCP on loopback, with a port that nobody else has: which one. */
static unsigned serve_tcp(void)
{
    for (unsigned tries = 0; tries < 20; tries++) {
        struct sockaddr_in at = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof at;
        char command[300];
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, len), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
        close(fd);
        snprintf(
            command, sizeof command,
            "cd %s && nbdkit --tls=require --tls-certificates=$PWD/server -i 127.0.0.1 -p %u "
            "-P $PWD/pid memory 500K",
            dir, ntohs(at.sin_port));
        if (system(command) == 0) /* else somebody was faster */
            return ntohs(at.sin_port);
    }
    ck_abort_msg("no port for nbdkit");
}

/* libnbd looks at who the server is where the address has a host. */
START_TEST(in_TLS_with_certificates)
{
    char form[120];
    setenv("NAME", "stranger", true);
    shell(authority);
    setenv("NAME", "client", true);
    shell(authority);
    shell(certificate);
    unsigned port = serve_tcp();
    snprintf(form, sizeof form, "nbds://localhost:%u/?tls-certificates=%%s/stranger", port);
    refused(form, "certificate");
    snprintf(form, sizeof form, "nbds://127.0.0.1:%u/?tls-certificates=%%s/client", port);
    refused(form, "certificate"); /* of localhost, not of this address */
    snprintf(form, sizeof form, "nbds://localhost:%u/?tls-certificates=%%s/client", port);
    taken(form);
    end_server();
}
END_TEST

/* --- several connections ---------- */

/* A read of block 1 is answered when block 2 has been read. */
#define MEETING                                                                                \
    "thread_model='echo parallel' get_size='echo 512000' pread='"                              \
    "[ $4 != 1024 ] || touch $tmpdir/two; "                                                    \
    "[ $4 != 512 ] || touch %s/one; "                                                          \
    "[ $4 != 512 ] || while [ ! -e $tmpdir/two ]; do sleep 0.01; done; "                       \
    "head -c $3 /dev/zero'"

static void *read_block(void *arg)
{
    struct cause mine;
    u8 buf[IMAGE_BLOCK_BYTES];
    int rc = image_read_blocks(arg, 1, 1, buf, &mine);
    return rc ? arg : NULL;
}

/* Only with both requests under way does the first one end. */
START_TEST(two_at_the_same_time)
{
    struct image *img;
    pthread_t thread;
    void *failed;
    char path[80];
    u8 buf[IMAGE_BLOCK_BYTES];
    shell("nbdkit -U %s/socket -P %s/pid eval can_multi_conn='exit 0' " MEETING);
    ck_assert_msg(image_open(uri, IMAGE_READ_ONLY, &img, &cause) == ST_OK, "%s", cause.text);
    ck_assert_int_eq(pthread_create(&thread, NULL, read_block, img), 0);
    snprintf(path, sizeof path, "%s/one", dir);
    while (access(path, F_OK)) /* the server has it */
        usleep(1000);
    ck_assert_int_eq(image_read_blocks(img, 2, 1, buf, &cause), ST_OK);
    pthread_join(thread, &failed);
    ck_assert_ptr_null(failed);
    image_unref(img);
    end_server();
}
END_TEST

#define WRITERS 6u
#define ROUNDS 40u

struct writer {
    struct image *img;
    unsigned n;
    struct cause cause;
    int rc;
};

static void *write_blocks(void *arg)
{
    struct writer *w = arg;
    u8 buf[IMAGE_BLOCK_BYTES];
    for (unsigned i = 0; i < ROUNDS * 2 && !w->rc; i++) { /* each block twice */
        memset(buf, (int)(w->n * 16 + i % 16 + (i >= ROUNDS)), sizeof buf);
        w->rc = image_write_blocks(w->img, (i % ROUNDS) * WRITERS + w->n, 1, buf, &w->cause);
        if (i % 16 == w->n && !w->rc)
            w->rc = image_sync(w->img, &w->cause);
    }
    return NULL;
}

static void writers(const char *server)
{
    struct image *img;
    pthread_t thread[WRITERS];
    struct writer w[WRITERS];
    shell(server);
    ck_assert_msg(image_open(uri, 0, &img, &cause) == ST_OK, "%s", cause.text);
    for (unsigned i = 0; i < WRITERS; i++) {
        w[i] = (struct writer){.img = img, .n = i};
        ck_assert_int_eq(pthread_create(&thread[i], NULL, write_blocks, &w[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(thread[i], NULL);
        ck_assert_msg(w[i].rc == ST_OK, "%s", w[i].cause.text);
    }
    for (unsigned k = 0; k < WRITERS * ROUNDS; k++) {
        unsigned i = k / WRITERS + ROUNDS;
        ck_assert_int_eq(move(img, false, k, (u8)(k % WRITERS * 16 + i % 16 + 1)), ST_OK);
    }
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    image_unref(img);
    end_server();
}

/* The second writes of each block are what is there, with as many connections as are wanted, with
 * one, and when the server says that it takes several and then takes two only. */
START_TEST(writers_side_by_side)
{
    writers("nbdkit -U %s/socket -P %s/pid file %s/blocks");
    writers("nbdkit -U %s/socket -P %s/pid --filter=multi-conn file %s/blocks "
            "multi-conn-mode=disable");
    writers("nbdkit -U %s/socket -P %s/pid --filter=limit file %s/blocks limit=2");
    writers(servers[1]);
}
END_TEST

/* --- what a server loses ---------- */

/* The server's host crashes, and its disk has what it had when it was copied. */
static void crash(void)
{
    end_server();
    shell("cp %s/copy %s/blocks; cd %s");
}

/* What was answered is there when the server has lost it, the newest of each block; what was
 * flushed is the server's to keep, and what failed is not written after all. */
START_TEST(lost_writes_are_written_again)
{
    struct image *img;
    shell(servers[_i]);
    ck_assert_msg(image_open(uri, 0, &img, &cause) == ST_OK, "%s", cause.text);
    ck_assert_int_eq(move(img, true, 7, 1), ST_OK);
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    shell("cp %s/blocks %s/copy; cd %s");
    ck_assert_int_eq(move(img, true, 7, 2), ST_OK);
    for (u8 byte = 3; byte < 6; byte++)
        ck_assert_int_eq(move(img, true, 8, byte), ST_OK);
    ck_assert_int_eq(move(img, true, 999, 6), ST_OK);
    crash();
    ck_assert_int_eq(move(img, true, 10, 7), ST_IO);
    ck_assert_int_eq(image_sync(img, &cause), ST_LOST);
    shell(servers[_i]);
    ck_assert_int_eq(move(img, false, 7, 2), ST_OK);
    ck_assert_int_eq(move(img, false, 8, 5), ST_OK);
    ck_assert_int_eq(move(img, false, 999, 6), ST_OK);
    ck_assert_int_eq(move(img, false, 10, 0), ST_OK);
    crash(); /* again, before anybody asked for a flush */
    shell(servers[_i]);
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    end_server();
    shell("[ $(tail -c 512 %s/blocks | tr -d '\\006' | wc -c) = 0 ]");
    shell("cp %s/copy %s/blocks; cd %s");
    shell(servers[_i]);
    ck_assert_int_eq(move(img, false, 7, 1), ST_OK); /* of a disk that loses what it flushed */
    image_unref(img);
    end_server();
}
END_TEST

static atomic_uint rounds_done;

/* Each block again and again, until the server took it. */
static void *write_on(void *arg)
{
    struct writer *w = arg;
    u8 buf[IMAGE_BLOCK_BYTES];
    for (unsigned i = 0; i < ROUNDS * 4; i++) {
        memset(buf, (int)(i + w->n), sizeof buf);
        while (image_write_blocks(w->img, i % 10 * WRITERS + w->n, 1, buf, &w->cause))
            usleep(1000);
        atomic_fetch_add(&rounds_done, 1);
        if (i % 50 == w->n)
            (void)image_sync(w->img, &w->cause);
    }
    return NULL;
}

/* A server that keeps what is flushed and loses the rest goes away in the middle of writes on
 * several connections: what was answered is there. */
START_TEST(goes_in_the_middle_of_writes)
{
    struct image *img;
    pthread_t thread[WRITERS];
    struct writer w[WRITERS];
    atomic_store(&rounds_done, 0);
    shell(servers[SERVERS - 1]);
    ck_assert_msg(image_open(uri, 0, &img, &cause) == ST_OK, "%s", cause.text);
    for (unsigned i = 0; i < WRITERS; i++) {
        w[i] = (struct writer){.img = img, .n = i};
        ck_assert_int_eq(pthread_create(&thread[i], NULL, write_on, &w[i]), 0);
    }
    for (unsigned kill = 1; kill < 6; kill++) {
        while (atomic_load(&rounds_done) < kill * ROUNDS * 4)
            usleep(1000);
        end_server();
        shell(servers[SERVERS - 1]);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(thread[i], NULL);
    for (unsigned k = 0; k < WRITERS * 10; k++) {
        unsigned i = ROUNDS * 4 - 10 + k / WRITERS;
        ck_assert_int_eq(move(img, false, k, (u8)(i + k % WRITERS)), ST_OK);
    }
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    image_unref(img);
    end_server();
}
END_TEST

/* What is kept has a limit: then the writer has it flushed. A flush that failed stays failed. */
START_TEST(the_limit_is_a_flush)
{
    struct image *img;
    u32 blocks = 2048, writes = UNFLUSHED_BYTES_MAX / (blocks * IMAGE_BLOCK_BYTES) + 1;
    u8 *buf = calloc(blocks, IMAGE_BLOCK_BYTES);
    char path[80];
    shell("nbdkit -U %s/socket -P %s/pid eval get_size='echo 102400000' can_write='exit 0' "
          "can_flush='exit 0' pread='head -c $3 /dev/zero' pwrite='cat >/dev/null' "
          "flush='f=%s/flushed; [ ! -e $f ] || { echo EIO >&2; exit 1; }; touch $f'");
    snprintf(path, sizeof path, "%s/flushed", dir);
    ck_assert_msg(image_open(uri, 0, &img, &cause) == ST_OK, "%s", cause.text);
    for (u32 i = 0; i < writes; i++) {
        ck_assert_int_ne(access(path, F_OK), 0);
        ck_assert_int_eq(image_write_blocks(img, (u64)i * blocks, blocks, buf, &cause), ST_OK);
    }
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(image_write_blocks(img, 0, blocks, buf, &cause), ST_OK);
    ck_assert_int_eq(image_sync(img, &cause), ST_IO);
    ck_assert_int_eq(image_write_blocks(img, 0, blocks, buf, &cause), ST_IO); /* it is lost */
    free(buf);
    ck_assert(!image_unref(img));
    end_server();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("nbd");
    TCase *tc = tcase_create("nbd");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_server_goes_and_comes);
    tcase_add_test(tc, nothing_to_connect_to);
    tcase_add_test(tc, in_TLS_with_a_shared_key);
    tcase_add_test(tc, in_TLS_with_certificates);
    tcase_add_test(tc, two_at_the_same_time);
    tcase_add_test(tc, writers_side_by_side);
    tcase_add_loop_test(tc, lost_writes_are_written_again, 0, SERVERS);
    tcase_add_test(tc, goes_in_the_middle_of_writes);
    tcase_add_test(tc, the_limit_is_a_flush);
    tcase_set_timeout(tc, 30); /* a limit for hangs, not a measure */
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
