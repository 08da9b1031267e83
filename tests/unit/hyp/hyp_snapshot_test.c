/* Snapshot files: what is written comes back, stored and compressed, at once and when it is needed;
 * any byte that is another and any end that is too early is refused with the file and the offset;
 * so are rows that do not fit together though their checksums are right. docs/snapshots.md. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hyp/snapshot/snapshot_file.h"
#include "hyp/snapshot/snapshot_save.h"
#include "tests/lib/snapshot_exec.h"

#define BYTES (7ull << 20) /* the last chunk is half of one */
#define STATE "state of a machine"

static struct storage *st;
static char path[64];

static void page(u64 frame, u8 v)
{
    u8 bytes[FRAME_BYTES];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (u8)(v + (i % 64 ? 0 : frame * 3 + i / 64));
    ck_assert(storage_write(st, frame << FRAME_SHIFT, bytes, sizeof bytes));
}

static void noise(u64 frame)
{
    u64 words[FRAME_BYTES / 8], v = frame + 1;
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        words[i] = v = v * 0x9e3779b97f4a7c15ull + (v >> 29);
    ck_assert(storage_write(st, frame << FRAME_SHIFT, words, sizeof words));
}

static void setup(void)
{
    snprintf(path, sizeof path, "/tmp/endicott.snapshot.%ld", (long)getpid());
    ck_assert_int_eq(storage_create(&st, BYTES, NULL), ST_OK);
    page(0, 1);
    page(2, 5);
    page(3, 9);
    page(512, 7);
    noise(513);
    noise(BYTES / FRAME_BYTES - 1);
    ck_assert(storage_write(st, 1024ull << FRAME_SHIFT, "", 1)); /* touched, and zero */
}

static void teardown(void)
{
    storage_destroy(st);
    unlink(path);
}

static void head_rows(struct codec_out *out)
{
    codec_out_init(out);
    codec_put_bytes(out, SNAPSHOT_ROW_USER, "LINUX1", 6);
    codec_put_bytes(out, SNAPSHOT_ROW_MEMBER, "MEMBERA", 7);
    codec_put_u64(out, SNAPSHOT_ROW_WHEN, 1234567890123ull);
    codec_put_u64(out, SNAPSHOT_ROW_STORAGE, BYTES);
    codec_put_u32(out, SNAPSHOT_ROW_CPUS, 2);
    codec_put_bytes(out, SNAPSHOT_ROW_GUEST, "guest", 5);
    codec_put_bytes(out, SNAPSHOT_ROW_STATE, STATE, strlen(STATE));
}

static void save(bool compress)
{
    struct codec_out head;
    struct snapshot_writer *w;
    struct cause cause = {0};
    u64 frames;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    head_rows(&head);
    ck_assert_int_eq(snapshot_writer_create(st, &head, compress, &w, &cause), ST_OK);
    ck_assert_int_eq(snapshot_write(w, fd), 0);
    ck_assert_uint_eq(snapshot_written(w, &frames), (u64)lseek(fd, 0, SEEK_END));
    ck_assert_uint_eq(frames, 6);
    snapshot_writer_destroy(w);
    codec_out_fini(&head);
    close(fd);
}

static struct snapshot *open_it(void)
{
    struct snapshot *s;
    struct cause cause = {0};
    ck_assert_msg(snapshot_open(path, &s, &cause) == ST_OK, "%s", cause.text);
    return s;
}

static void comes_back(bool compress)
{
    const struct snapshot_feed to = {0};
    struct storage *back;
    struct cause cause = {0};
    save(compress);
    struct snapshot *s = open_it();
    const struct snapshot_info *info = snapshot_info(s);
    ck_assert_str_eq(info->user, "LINUX1");
    ck_assert_str_eq(info->member, "MEMBERA");
    ck_assert_uint_eq(info->when_ns, 1234567890123ull);
    ck_assert_uint_eq(info->cpus, 2);
    ck_assert_mem_eq(info->state, STATE, strlen(STATE));
    ck_assert_uint_eq(info->frames, 6);
    ck_assert_uint_eq(info->chunks, 4);
    ck_assert(info->compressed == compress);
    ck_assert_int_eq(snapshot_verify(s, &cause), ST_OK);
    ck_assert_int_eq(storage_create(&back, BYTES, NULL), ST_OK);
    ck_assert_int_eq(snapshot_feed(s, back, &to, &cause), ST_OK);
    unlink(path); /* it stays open */
    for (u64 f = 0; f < st->frames; f++) {
        u8 a[FRAME_BYTES], b[FRAME_BYTES];
        ck_assert(storage_frame_touched(back, f) == storage_frame_touched(st, f));
        ck_assert(storage_read(st, f << FRAME_SHIFT, a, sizeof a));
        ck_assert(storage_read(back, f << FRAME_SHIFT, b, sizeof b));
        ck_assert_mem_eq(a, b, sizeof a);
    }
    ck_assert_int_eq(storage_source_state(back), STORAGE_WHOLE);
    storage_destroy(back);
}

START_TEST(stored)
{
    comes_back(false);
}
END_TEST

START_TEST(compressed)
{
    if (snapshot_can_compress())
        comes_back(true);
}
END_TEST

/* ---- spoilt files ---- */

static u8 *contents(size_t *len)
{
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    *len = (size_t)ftell(file);
    rewind(file);
    u8 *p = malloc(*len);
    ck_assert_uint_eq(fread(p, 1, *len, file), *len);
    fclose(file);
    return p;
}

static void put(const u8 *p, size_t len)
{
    FILE *file = fopen(path, "we");
    ck_assert(file && fwrite(p, 1, len, file) == len && fclose(file) == 0);
}

static void is_refused(const char *what, size_t at)
{
    struct snapshot *s;
    struct cause cause = {0};
    int rc = snapshot_open(path, &s, &cause);
    if (rc == ST_OK) {
        rc = snapshot_verify(s, &cause);
        snapshot_close(s);
    }
    ck_assert_msg(rc == ST_PROTO && strstr(cause.text, path) && strstr(cause.text, ": offset "),
                  "%s at %zu: %d %s", what, at, rc, cause.text);
}

static void spoil(bool compress)
{
    size_t len;
    snprintf(path, sizeof path, "/proc/self/fd/%d", memfd_create("snapshot", MFD_CLOEXEC));
    save(compress);
    u8 *good = contents(&len);
    for (size_t i = 0; i < len; i++) { /* any byte, any bit of it now and then */
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        u8 bad = good[i] ^ (u8)(1u << i % 8);
        ck_assert(pwrite(fd, &bad, 1, (off_t)i) == 1);
        is_refused("a byte is another", i);
        ck_assert(pwrite(fd, good + i, 1, (off_t)i) == 1);
        close(fd);
    }
    size_t head_at = (size_t)be64_load(good + SNAPSHOT_AT_HEAD);
    for (size_t i = 0; i < len; i += i < SNAPSHOT_PROLOGUE_BYTES || i >= head_at ? 1 : 512) {
        put(good, i);
        is_refused("the file ends", i);
    }
    put(good, len);
    ck_assert(truncate(path, (off_t)len + 1) == 0);
    is_refused("the file goes on", len);
    put(good, len);
    snapshot_close(open_it());
    free(good);
}

START_TEST(spoilt_stored)
{
    spoil(false);
}
END_TEST

START_TEST(spoilt_compressed)
{
    if (snapshot_can_compress())
        spoil(true);
}
END_TEST

/* ---- files with right checksums ---- */

static void refused_rows(struct codec_out *head, const u8 *data, size_t data_len,
                         const char *why)
{
    struct snapshot *s = NULL;
    struct cause cause = {0};
    size_t len;
    u8 *p = snapshot_sealed(head->data, head->len, data, data_len, &len);
    put(p, len);
    int rc = snapshot_open(path, &s, &cause);
    ck_assert_msg(rc == ST_PROTO && strstr(cause.text, path) && strstr(cause.text, why),
                  "expected %s: %s", why, cause.text);
    free(p);
    codec_out_fini(head);
}

START_TEST(rows_that_do_not_fit)
{
    struct codec_out head;
    head_rows(&head);
    refused_rows(&head, NULL, 0, "the head is incomplete");
    head_rows(&head);
    codec_put_bytes(&head, CODEC_MANDATORY | 77, "x", 1);
    refused_rows(&head, NULL, 0, "row X'804D' of the head is mandatory");
    head_rows(&head);
    codec_put_bytes(&head, SNAPSHOT_ROW_STATE, "twice", 5);
    refused_rows(&head, NULL, 0, "row X'8008' of the head is not acceptable");
    head_rows(&head);
    codec_put_bytes(&head, 77, "x", 1); /* one that may be unknown */
    codec_put_bytes(&head, SNAPSHOT_ROW_CHUNKS, "", 0);
    refused_rows(&head, (const u8 *)"what is it", 10, "row X'8009'"); /* of no chunk */
    head_rows(&head);
    head.len--;
    refused_rows(&head, NULL, 0, "a row of the head is cut");
}
END_TEST

/* One chunk: `number`, packing, frames in it from the first on, `bytes` of data. */
static void chunk_put(struct codec_out *out, u32 number, u8 packing, u64 has, u32 bytes)
{
    u8 row[SNAPSHOT_CHUNK_ROW_BYTES] = {0};
    head_rows(out);
    be32_store(row, number);
    be32_store(row + 4, bytes);
    row[8] = packing;
    be64_store(row + 20, has);
    be64_store(row + 84, has);
    codec_put_bytes(out, SNAPSHOT_ROW_CHUNKS, row, sizeof row);
}

START_TEST(chunks_that_do_not_fit)
{
    static const u8 data[2 * FRAME_BYTES];
    const struct {
        u32 number;
        u8 packing;
        u64 has;
        u32 bytes, there;
    } bad[] = {
        {4, SNAPSHOT_STORED, 1ull << 63, FRAME_BYTES, FRAME_BYTES},     /* behind storage */
        {3, SNAPSHOT_STORED, 1, FRAME_BYTES, 0},                        /* bytes are missing */
        {0, SNAPSHOT_STORED, 1ull << 63, FRAME_BYTES, FRAME_BYTES + 1}, /* bytes of nobody */
        {0, SNAPSHOT_STORED, 1ull << 63, 2 * FRAME_BYTES, sizeof data}, /* two for one */
        {0, SNAPSHOT_EMPTY, 1ull << 63, 0, 0},                          /* contents and none */
        {0, SNAPSHOT_EMPTY, 0, 0, 0},                                   /* why is it there? */
        {0, SNAPSHOT_LZ4, 1ull << 63, FRAME_BYTES, FRAME_BYTES},        /* not smaller */
        {0, SNAPSHOT_LZ4 + 1, 1ull << 63, FRAME_BYTES, FRAME_BYTES},    /* what is it? */
        {~0u, SNAPSHOT_STORED, 1ull << 63, FRAME_BYTES, FRAME_BYTES},   /* far behind storage */
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct codec_out head;
        chunk_put(&head, bad[i].number, bad[i].packing, bad[i].has, bad[i].bytes);
        refused_rows(&head, data, bad[i].there, "row X'8009'");
    }
}
END_TEST

/* What LZ4 makes of any bytes is found out, and the rest of storage is there. */
START_TEST(chunk_that_does_not_unpack)
{
    static const u8 data[100] = {0xff};
    struct codec_out head;
    size_t len;
    chunk_put(&head, 1, SNAPSHOT_LZ4, 3ull << 62, sizeof data);
    u8 *p = snapshot_sealed(head.data, head.len, data, sizeof data, &len), word[8];
    put(p, len);
    free(p);
    codec_out_fini(&head);
    is_refused("it does not unpack", 0);
    struct storage *back;
    const struct snapshot_feed to = {0};
    ck_assert_int_eq(storage_create(&back, BYTES, NULL), ST_OK);
    ck_assert_int_eq(snapshot_feed(open_it(), back, &to, NULL), ST_OK);
    ck_assert(!storage_read(back, STORAGE_CHUNK_BYTES, word, sizeof word));
    ck_assert(storage_read(back, 0, word, sizeof word));
    ck_assert_int_eq(storage_source_state(back), STORAGE_LOST);
    storage_destroy(back);
}
END_TEST

/* ---- the host ---- */

START_TEST(no_such_file)
{
    struct snapshot *s;
    struct cause cause = {0};
    ck_assert_int_eq(snapshot_open("/nowhere/x", &s, &cause), ST_NOENT);
    ck_assert_str_eq(cause.text, "/nowhere/x: No such file or directory");
    ck_assert_int_eq(snapshot_open("/tmp", &s, &cause), ST_PROTO);
    ck_assert_str_eq(cause.text, "/tmp: it is not a regular file");
    ck_assert(!snapshot_is("/nowhere/x"));
}
END_TEST

/* A file that is changed while storage comes from it: nobody gets what is not right. */
START_TEST(changed_meanwhile)
{
    const struct snapshot_feed to = {0};
    struct storage *back;
    u8 word[8];
    save(false);
    ck_assert_int_eq(storage_create(&back, BYTES, NULL), ST_OK);
    ck_assert_int_eq(snapshot_feed(open_it(), back, &to, NULL), ST_OK);
    ck_assert(storage_read(back, 0, word, sizeof word));
    ck_assert(truncate(path, SNAPSHOT_PROLOGUE_BYTES + 3 * FRAME_BYTES + 5) == 0);
    ck_assert(!storage_read(back, 512ull << FRAME_SHIFT, word, sizeof word));
    ck_assert(storage_read(back, 2ull << FRAME_SHIFT, word, sizeof word));
    storage_destroy(back);
}
END_TEST

/* A member that was killed when the file had its name, and the other one still: what is saved next
 * must not be written into it. */
START_TEST(killed_between_two_names)
{
    char part[80];
    struct snapshot_saving *next;
    struct cause cause = {0};
    save(false);
    snprintf(part, sizeof part, "%s.part", path);
    ck_assert_int_eq(link(path, part), 0);
    ck_assert_msg(snapshot_saving_create(path, true, &next, &cause) == ST_OK, "%s", cause.text);
    snapshot_saving_destroy(next); /* it comes to nothing */
    ck_assert_int_ne(access(part, F_OK), 0);
    struct snapshot *s = open_it();
    ck_assert_int_eq(snapshot_verify(s, &cause), ST_OK);
    snapshot_close(s);
}
END_TEST

START_TEST(no_room)
{
    struct codec_out head;
    struct snapshot_writer *w;
    const struct rlimit little = {5000, RLIM_INFINITY};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    head_rows(&head);
    ck_assert_int_eq(snapshot_writer_create(st, &head, false, &w, NULL), ST_OK);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    ck_assert_int_eq(snapshot_write(w, fd), EFBIG);
    snapshot_writer_destroy(w);
    codec_out_fini(&head);
    close(fd);
    ck_assert(!snapshot_is(path)); /* without its prologue */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("snapshots");
    TCase *tc = tcase_create("files");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, stored);
    tcase_add_test(tc, compressed);
    tcase_add_test(tc, spoilt_stored);
    tcase_add_test(tc, spoilt_compressed);
    tcase_add_test(tc, rows_that_do_not_fit);
    tcase_add_test(tc, chunks_that_do_not_fit);
    tcase_add_test(tc, chunk_that_does_not_unpack);
    tcase_add_test(tc, no_such_file);
    tcase_add_test(tc, changed_meanwhile);
    tcase_add_test(tc, no_room);
    tcase_add_test(tc, killed_between_two_names);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
