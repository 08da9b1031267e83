/* VMDUMP of real machines: what is in the file, that the machine stands still while it is written,
 * what ends a dump.
 * Run alone: tests/run unit/hyp_vmdump_test */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/segment/segment.h"
#include "io/css_internal.h"
#include "io/ebcdic.h"
#include "tests/lib/diag_machine.h"

#define HEAD 4096
#define SEGMENT_AT 0x10000000ull

static char folder[64], path[96];
static int ends, last_status;

static void done(void *ctx, int status, const struct cause *cause)
{
    (void)ctx, (void)cause;
    ends++;
    last_status = status;
}

static void setup_dump(void)
{
    strcpy(folder, "/tmp/hyp_vmdump.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/dump", folder);
    ends = 0;
    setup();
    load(0x44);
}

static void teardown_dump(void)
{
    unlink(path);
    if (vm)
        teardown();
    ck_assert_int_eq(rmdir(folder), 0);
}

static int dump(const struct vm_dump *how)
{
    struct cause cause = {0};
    struct vm_dump what = *how;
    what.path = path;
    what.text = "a text";
    return vm_host_ops()->dump(vm, &what, done, NULL, &cause);
}

static void written(void)
{
    while (!ends)
        run_notes();
    ck_assert_int_eq(last_status, ST_OK);
}

static u8 *file(size_t *len)
{
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    *len = (size_t)lseek(fd, 0, SEEK_END);
    u8 *data = malloc(*len);
    ck_assert_int_eq(pread(fd, data, *len, 0), (ssize_t)*len);
    close(fd);
    return data;
}

START_TEST(whole_storage)
{
    size_t len;
    put(0x123456, "marked", 6);
    *gr(6) = 0x454e4449434f5454;
    ck_assert_int_eq(dump(&(struct vm_dump){0}), ST_OK);
    written();
    u8 *data = file(&len);
    ck_assert_uint_eq(len, HEAD + STORAGE_BYTES + 16);
    ck_assert_uint_eq(be64_load(data), 0xa8190173618f23fdull);
    ck_assert_str_eq((char *)data + 0x200, "a text");
    ck_assert_int_eq(memcmp(data + HEAD + 0x123456, "marked", 6), 0);
    ck_assert_uint_eq(be64_load(data + HEAD + 0x1280 + 8 * 6), 0x454e4449434f5454);
    ck_assert_int_eq(memcmp(data + HEAD + STORAGE_BYTES, "DUMP_END", 8), 0);
    ck_assert_uint_eq(be64_load(got(0x1280 + 8 * 6)), 0); /* the machine itself is as it was */
    free(data);
}
END_TEST

#define RECORD(n) (data + 4096u * ((n)-1))

static const u8 *ebcdic(const char *text)
{
    static u8 out[8];
    ebcdic_pad(text, 8, out);
    return out;
}

/* As pages of a spool file: the records, CPUs, and the pages that are not zeros, by the maps. */
START_TEST(spool_pages)
{
    size_t len;
    unsigned found = 0;
    put(0x123456, "marked", 6);
    storage_key_set(vm_storage(vm), 0x123000, 0x70);
    *gr(6) = 0x454e4449434f5454;
    ck_assert_int_eq(dump(&(struct vm_dump){.spool = true, .bytes_max = 1 << 20}), ST_OK);
    written();
    u8 *data = file(&len);
    ck_assert_uint_eq(len % 4096, 0);
    ck_assert_mem_eq(RECORD(1) + 56, ebcdic("VMDUMP"), 8);
    ck_assert_mem_eq(RECORD(2), ebcdic("HCPDFMBK"), 8);
    ck_assert_uint_eq(be32_load(RECORD(2) + 8), 3);
    ck_assert_uint_eq(be32_load(RECORD(2) + 16), 8);
    ck_assert_uint_eq(RECORD(3)[187], 2);
    ck_assert_uint_eq(be64_load(RECORD(3) + 16 + 8 * 6), 0x454e4449434f5454);
    ck_assert_uint_eq(be16_load(RECORD(3) + 912), 0); /* CPUs but for the base */
    ck_assert_mem_eq(RECORD(8), ebcdic("HCPDALBK"), 8);
    ck_assert_mem_eq(RECORD(9), ebcdic("HCPASIBK"), 8);
    ck_assert_uint_eq(be64_load(RECORD(9) + 72), STORAGE_BYTES);
    ck_assert_uint_eq(RECORD(10)[0], 0x80); /* one record of the map */
    const u8 *map = RECORD(11), *page = RECORD(12);
    for (unsigned i = 0; i < 4096; i++) {
        if (!(map[i] & 1))
            continue;
        if (i == 0x123) {
            ck_assert_uint_eq(map[i] & 0xf0, 0x70);
            ck_assert_mem_eq(page + 0x456, "marked", 6);
            found++;
        }
        ck_assert_uint_le(page + 4096 - data, len);
        ck_assert_uint_eq(memcmp(page, got((u64)i << 12), 4096), 0);
        page += 4096;
    }
    ck_assert_uint_eq(found, 1);
    ck_assert_ptr_eq(page, data + len);
    free(data);
}
END_TEST

/* More than a spool file has. */
START_TEST(spool_pages_too_many)
{
    put(0x123456, "marked", 6);
    ck_assert_int_eq(dump(&(struct vm_dump){.spool = true, .bytes_max = 11 * 4096}), ST_OK);
    while (!ends)
        run_notes();
    ck_assert_int_eq(last_status, ST_IO);
    ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(ranges)
{
    size_t len;
    put(0x100010, "one", 3);
    put(0x101010, "two", 3);
    put(0x102010, "three", 5);
    ck_assert_int_eq(dump(&(struct vm_dump){
                         .ranges = 2, .range = {{0x100000, 0x100fff}, {0x102000, 0x102fff}}}),
                     ST_OK);
    written();
    u8 *data = file(&len);
    ck_assert_uint_eq(len, HEAD + STORAGE_BYTES + 16);
    ck_assert_int_eq(memcmp(data + HEAD + 0x100010, "one", 3), 0);
    ck_assert_uint_eq(data[HEAD + 0x101010], 0);
    ck_assert_int_eq(memcmp(data + HEAD + 0x102010, "three", 5), 0);
    free(data);
}
END_TEST

/* DSS: what is behind storage. */
START_TEST(segments)
{
    size_t len;
    struct cause cause = {0};
    struct vm_segment seg = {.name = "SEG", .ranges = 1};
    segments_destroy(host->segments);
    host->segments = segments_create(folder);
    seg.range[0].start = SEGMENT_AT;
    seg.range[0].end = SEGMENT_AT + 2 * FRAME_BYTES - 1;
    seg.range[0].type = SEG_EW;
    ck_assert_int_eq(segment_define(host->segments, &seg, &cause), ST_OK);
    ck_assert_int_eq(segment_save(host->segments, "SEG", vm_storage(vm), NULL, &cause), ST_OK);
    ck_assert_int_eq(vm_segment_load(vm, "SEG", false, &cause), ST_OK);
    put(SEGMENT_AT + FRAME_BYTES, "marked", 6);
    ck_assert_int_eq(dump(&(struct vm_dump){.segments = true}), ST_OK);
    written();
    u8 *data = file(&len);
    ck_assert_uint_eq(len, HEAD + SEGMENT_AT + 2 * FRAME_BYTES + 16);
    ck_assert_uint_eq(be64_load(data + 0x18), SEGMENT_AT + 2 * FRAME_BYTES);
    ck_assert_int_eq(memcmp(data + HEAD + SEGMENT_AT + FRAME_BYTES, "marked", 6), 0);
    free(data);
    segment_forget(host->segments, "SEG");
}
END_TEST

START_TEST(stands_still)
{
    ck_assert_int_eq(dump(&(struct vm_dump){0}), ST_OK);
    ck_assert(vm_held(vm));
    ck_assert(vm->css->quiesced);
    ck_assert_int_eq(dump(&(struct vm_dump){0}), ST_BUSY);
    ck_assert(!vm_quiesce(vm));
    written();
    ck_assert(!vm_held(vm));
    ck_assert(!vm->css->quiesced);
    ck_assert_int_eq(dump(&(struct vm_dump){0}), ST_EXIST);
    ck_assert(!vm_held(vm));
    ck_assert(vm_quiesce(vm));
    unlink(path);
    ck_assert_int_eq(dump(&(struct vm_dump){0}), ST_BUSY);
    vm_unquiesce(vm);
}
END_TEST

static struct image *blocks_image(const char *name)
{
    char file_name[96];
    struct image *img;
    struct cause cause;
    const struct image_create what = {.format = IMAGE_FBA_RAW, .blocks = 1000};
    snprintf(file_name, sizeof file_name, "%s/%s", folder, name);
    ck_assert_int_eq(image_create(file_name, &what, &cause), ST_OK);
    ck_assert_int_eq(image_open(file_name, 0, &img, &cause), ST_OK);
    unlink(file_name);
    return img;
}

/* FLASHCOPY's copy: the machine stands still; what it has asked for is there at the end. */
START_TEST(disk_copied)
{
    u8 block[IMAGE_BLOCK_BYTES] = "copied", back[IMAGE_BLOCK_BYTES];
    struct cause cause = {0};
    struct vm_copy what = {.from = blocks_image("from"),
                           .to = blocks_image("to"),
                           .part = {.from = 100, .to = 200, .count = 300}};
    ck_assert_int_eq(image_write_blocks(what.from, 399, 1, block, &cause), ST_OK);
    ck_assert_int_eq(vm_host_ops()->disk_copy(vm, &what, done, NULL, &cause), ST_OK);
    ck_assert(vm_held(vm));
    ck_assert_int_eq(vm_host_ops()->disk_copy(vm, &what, done, NULL, &cause), ST_BUSY);
    written();
    ck_assert(!vm_held(vm));
    ck_assert_int_eq(image_read_blocks(what.to, 499, 1, back, &cause), ST_OK);
    ck_assert_mem_eq(back, block, sizeof back);
    what.part.to = 701;
    ck_assert_int_eq(vm_host_ops()->disk_copy(vm, &what, done, NULL, &cause), ST_OK);
    for (ends = 0; !ends;)
        run_notes();
    ck_assert_int_eq(last_status, ST_INVAL); /* behind its end */
    image_unref(what.from);
    image_unref(what.to);
}
END_TEST

static void expect_ended(void)
{
    ck_assert_int_eq(ends, 1);
    ck_assert_int_eq(last_status, ST_REFUSED);
    ck_assert_int_eq(access(path, F_OK), -1);
    run_notes(); /* of the thread */
    ck_assert_int_eq(ends, 1);
}

START_TEST(ended_by_reset)
{
    ck_assert_int_eq(dump(&(struct vm_dump){0}), ST_OK);
    vm_system_reset(vm, true);
    expect_ended();
    ck_assert(!vm_held(vm));
    ck_assert(!vm->css->quiesced);
}
END_TEST

/* CPHX waits for nobody: the end comes as a note. A dump that is whole by then is kept. */
START_TEST(ended_by_command)
{
    ck_assert_int_eq(dump(&(struct vm_dump){0}), ST_OK);
    vm_host_ops()->still_stop(vm);
    ck_assert_int_eq(ends, 0);
    ck_assert_ptr_nonnull(vm->still);
    while (!ends)
        run_notes();
    ck_assert(last_status == ST_REFUSED || last_status == ST_OK);
    ck_assert_int_eq(access(path, F_OK) == 0, last_status == ST_OK);
    ck_assert_ptr_null(vm->still);
    vm_host_ops()->still_stop(vm);
    ck_assert_int_eq(ends, 1);
}
END_TEST

START_TEST(ended_by_the_machines_end)
{
    ck_assert_int_eq(dump(&(struct vm_dump){0}), ST_OK);
    vm_destroy(vm);
    vm = NULL;
    expect_ended();
    vm_host_destroy(host);
}
END_TEST

START_TEST(no_folder)
{
    strcpy(path + strlen(folder), "/none/dump");
    ck_assert_int_eq(dump(&(struct vm_dump){0}), ST_IO);
    ck_assert(!vm_held(vm));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_vmdump");
    TCase *tc = tcase_create("dumps");
    tcase_add_checked_fixture(tc, setup_dump, teardown_dump);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, whole_storage);
    tcase_add_test(tc, spool_pages);
    tcase_add_test(tc, spool_pages_too_many);
    tcase_add_test(tc, ranges);
    tcase_add_test(tc, segments);
    tcase_add_test(tc, stands_still);
    tcase_add_test(tc, disk_copied);
    tcase_add_test(tc, ended_by_reset);
    tcase_add_test(tc, ended_by_command);
    tcase_add_test(tc, ended_by_the_machines_end);
    tcase_add_test(tc, no_folder);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
