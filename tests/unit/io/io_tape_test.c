/* Tape volumes and drives: the files' layout, movement, damage, the commands and sense that Linux's
 * tape_34xx relies on, relocation in the middle of a volume. */
#include "tests/unit/io/io_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/ebcdic.h"
#include "io/tape/tape.h"

#define CMD_WRITE 0x01
#define CMD_READ 0x02
#define CMD_SENSE 0x04
#define CMD_REWIND 0x07
#define CMD_READ_PREVIOUS 0x0a
#define CMD_READ_BACKWARD 0x0c
#define CMD_UNLOAD 0x0f
#define CMD_MARK 0x1f
#define CMD_BLOCK_ID 0x22
#define CMD_BACK_BLOCK 0x27
#define CMD_BACK_FILE 0x2f
#define CMD_FORWARD_BLOCK 0x37
#define CMD_FORWARD_FILE 0x3f
#define CMD_LOCATE 0x4f
#define CMD_SUBSYSTEM_DATA 0x3e
#define CMD_CHARACTERISTICS 0x64
#define CMD_SUBSYSTEM_FUNCTION 0x77
#define CMD_ERASE 0x97
#define CMD_DISPLAY 0x9f
#define CMD_MEDIUM_SENSE 0xc2
#define CMD_WRITE_IMMEDIATE 0xc3
#define PROGRAM 0x1000u
#define DATA 0x10000u

static struct machine m;
static char path[] = "/tmp/io_tape_XXXXXX";
static struct tape_file *file;
static struct tape *tape;
static u32 id;
static struct cause cause;
static u8 buf[TAPE_BLOCK_BYTES_MAX];
static struct irb irb;
static enum tape_type type;
static u64 capacity;
static char folder[64];

static void open_volume(unsigned flags)
{
    ck_assert_msg(tape_file_open(path, flags, &file, &cause) == ST_OK, "%s", cause.text);
}

static void put_bytes(const void *p, size_t len)
{
    FILE *f = fopen(path, "w");
    ck_assert_uint_eq(fwrite(p, 1, len, f), len);
    fclose(f);
}

static void setup(void)
{
    strcpy(path, "/tmp/io_tape_XXXXXX");
    close(mkstemp(path));
    machine_init(&m);
    file = NULL;
    type = TAPE_3490;
    capacity = 0;
}

static void teardown(void)
{
    machine_fini(&m);
    unlink(path);
}

/* ---- files ---- */

START_TEST(the_layout_is_awstape)
{
    u8 raw[64];
    open_volume(0);
    ck_assert_int_eq(tape_file_write(file, (const u8 *)"abc", 3, &cause), ST_OK);
    ck_assert_int_eq(tape_file_mark(file, &cause), ST_OK);
    ck_assert_int_eq(tape_file_write(file, (const u8 *)"de", 2, &cause), ST_OK);
    tape_file_close(file);
    static const u8 want[] = {3, 0,    0, 0, 0xa0, 0, 'a', 'b',  'c', 0,   0,  3,
                              0, 0x40, 0, 2, 0,    0, 0,   0xa0, 0,   'd', 'e'};
    FILE *f = fopen(path, "r");
    ck_assert_uint_eq(fread(raw, 1, sizeof raw, f), sizeof want);
    fclose(f);
    ck_assert_mem_eq(raw, want, sizeof want);
}
END_TEST

START_TEST(movement_both_ways)
{
    u32 len;
    open_volume(0);
    ck_assert_int_eq(tape_file_back(file, &cause), TAPE_EDGE);
    ck_assert_int_eq(tape_file_read(file, buf, &len, &cause), TAPE_EDGE);
    for (u32 i = 1; i <= 5; i++) {
        memset(buf, (int)i, 1000 * i);
        ck_assert_int_eq(tape_file_write(file, buf, 1000 * i, &cause), ST_OK);
        if (i == 3)
            ck_assert_int_eq(tape_file_mark(file, &cause), ST_OK);
    }
    ck_assert_uint_eq(tape_file_block(file), 6);
    static const enum tape_item backward[] = {TAPE_BLOCK, TAPE_BLOCK, TAPE_MARK,
                                              TAPE_BLOCK, TAPE_BLOCK, TAPE_BLOCK};
    for (unsigned i = 0; i < 6; i++)
        ck_assert_int_eq(tape_file_back(file, &cause), backward[i]);
    ck_assert_int_eq(tape_file_back(file, &cause), TAPE_EDGE);
    ck_assert_int_eq(tape_file_locate(file, 4, &cause), TAPE_BLOCK);
    ck_assert_int_eq(tape_file_read(file, buf, &len, &cause), TAPE_BLOCK);
    ck_assert_uint_eq(len, 4000);
    ck_assert_uint_eq(buf[3999], 4);
    ck_assert_int_eq(tape_file_locate(file, 7, &cause), TAPE_EDGE);
    ck_assert_int_eq(tape_file_locate(file, 1, &cause), TAPE_BLOCK);
    ck_assert_int_eq(tape_file_write(file, buf, 10, &cause),
                     ST_OK); /* what lay behind is gone */
    ck_assert_int_eq(tape_file_forward(file, &cause), TAPE_EDGE);
    ck_assert_int_eq(tape_file_write(file, buf, TAPE_BLOCK_BYTES_MAX + 1, &cause), ST_IO);
    tape_file_close(file);
}
END_TEST

START_TEST(compressed_blocks_are_het)
{
    u32 len;
    bool compressed;
    struct stat sb;
    open_volume(TAPE_COMPRESS);
    for (u32 i = 0; i < 60000; i++)
        buf[i] = (u8)(i / 100);
    ck_assert_int_eq(tape_file_write(file, buf, 60000, &cause), ST_OK);
    ck_assert_int_eq(tape_file_write(file, (const u8 *)"x", 1, &cause), ST_OK); /* would grow */
    tape_file_close(file);
    ck_assert_int_eq(stat(path, &sb), 0);
    ck_assert_int_lt(sb.st_size, 6000);
    open_volume(TAPE_READ_ONLY);
    memset(buf, 0, sizeof buf);
    ck_assert_int_eq(tape_file_read(file, buf, &len, &cause), TAPE_BLOCK);
    ck_assert_uint_eq(len, 60000);
    ck_assert_uint_lt(tape_file_stored(file, &compressed), 6000);
    ck_assert(compressed);
    for (u32 i = 0; i < 60000; i++)
        ck_assert_uint_eq(buf[i], (u8)(i / 100));
    ck_assert_int_eq(tape_file_read(file, buf, &len, &cause), TAPE_BLOCK);
    ck_assert_uint_eq(len, 1);
    ck_assert_uint_eq(tape_file_stored(file, &compressed), 1);
    ck_assert(!compressed);
    tape_file_close(file);
}
END_TEST

/* Blocks in several pieces, as other programs write them. */
START_TEST(pieces_make_a_block)
{
    u32 len;
    static const u8 raw[] = {2,   0, 0, 0, 0x80, 0,    'a', 'b', 1, 0, 2, 0, 0x00, 0,
                             'c', 1, 0, 1, 0,    0x20, 0,   'd', 0, 0, 1, 0, 0x40, 0};
    put_bytes(raw, sizeof raw);
    open_volume(0);
    ck_assert_int_eq(tape_file_read(file, buf, &len, &cause), TAPE_BLOCK);
    ck_assert_uint_eq(len, 4);
    ck_assert_mem_eq(buf, "abcd", 4);
    ck_assert_int_eq(tape_file_forward(file, &cause), TAPE_MARK);
    ck_assert_int_eq(tape_file_back(file, &cause), TAPE_MARK);
    ck_assert_int_eq(tape_file_back(file, &cause), TAPE_BLOCK);
    ck_assert_uint_eq(tape_file_block(file), 0);
    tape_file_close(file);
}
END_TEST

START_TEST(damage_is_named)
{
    static const struct {
        u8 raw[16];
        size_t len;
        const char *told;
    } cases[] = {
        {{1, 0, 0, 0, 0xa0}, 5, "byte 0: a header is cut off"},
        {{9, 0, 0, 0, 0xa0, 0, 'a'}, 7, "byte 0: a block is cut off"},
        {{1, 0, 5, 0, 0xa0, 0, 'a'}, 7, "byte 0: the length of the piece before it is wrong"},
        {{1, 0, 0, 0, 0x40, 0, 'a'}, 7, "byte 0: a tape mark with data"},
        {{0, 0, 0, 0, 0xa0, 0}, 6, "byte 0: a piece without data"},
        {{1, 0, 0, 0, 0x20, 0, 'a'}, 7, "byte 0: a block without its beginning"},
        {{1, 0, 0, 0, 0x80, 0, 'a', 0, 0, 1, 0, 0x40, 0},
         13,
         "byte 7: a block without its end"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        put_bytes(cases[i].raw, cases[i].len);
        ck_assert_int_eq(tape_file_open(path, 0, &file, &cause), ST_CONFIG);
        ck_assert_msg(strstr(cause.text, cases[i].told) && strstr(cause.text, path), "%zu: %s",
                      i, cause.text);
    }
    static const u8 packed[] = {3, 0, 0, 0, 0xa1, 0, 'b', 'a', 'd'};
    u32 len;
    put_bytes(packed, sizeof packed);
    open_volume(0);
    ck_assert_int_eq(tape_file_read(file, buf, &len, &cause), TAPE_DAMAGE);
    ck_assert_ptr_nonnull(strstr(cause.text, "compressed data is damaged"));
    ck_assert_uint_eq(tape_file_block(file), 1); /* where it ends is known */
    ck_assert_int_eq(tape_file_read_back(file, buf, &len, &cause), TAPE_DAMAGE);
    ck_assert_uint_eq(tape_file_block(file), 0);
    struct tape_file *second;
    ck_assert_int_eq(tape_file_open(path, 0, &second, &cause), ST_BUSY);
    tape_file_close(file);
}
END_TEST

/* ---- drives ---- */

static struct tape *drive_in(struct machine *where, const char *name, unsigned flags)
{
    struct tape_loader *loader;
    ck_assert_msg(tape_loader_open(name, flags, capacity, &loader, &cause) == ST_OK, "%s",
                  cause.text);
    struct tape *made = tape_create(where->css, 0x0480, type, loader, false, &cause);
    ck_assert_ptr_nonnull(made);
    file = tape_loader_volume(loader);
    tape_loader_close(loader); /* the drive holds it */
    return made;
}

static void drive(unsigned flags)
{
    tape = drive_in(&m, path, flags);
    id = css_find_devno(m.css, 0x0480);
    enable(&m, id, 3);
}

/* One command on the data area; returns the unit status. */
static u8 command(u8 code, u16 count)
{
    ccw1(&m, PROGRAM, code, CCW_SLI, count, DATA);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ss, 0);
    return irb.ds;
}

static u8 *data(void)
{
    return storage_host(m.storage, DATA, 65536);
}

/* One command by data chaining, 65,535 bytes a CCW; backward from `addr` down. */
static void chained(u8 code, u32 len, u32 addr, bool backward)
{
    for (u32 at = PROGRAM, n; len; at += 8, len -= n) {
        n = len < 65535 ? len : 65535;
        ccw1(&m, at, code, n < len ? CCW_CD : 0, (u16)n, addr);
        addr = backward ? addr - n : addr + n;
    }
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
}

static void write_numbered(u8 number, u16 len)
{
    memset(data(), number, len);
    ck_assert_uint_eq(command(CMD_WRITE, len), DS_NORMAL);
}

static u32 block_id(void)
{
    ck_assert_uint_eq(command(CMD_BLOCK_ID, 8), DS_NORMAL);
    return be32_load(data());
}

/* CP's REWIND: the next command is at the beginning. */
START_TEST(rewound_by_cp)
{
    drive(0);
    write_numbered(1, 80);
    write_numbered(2, 80);
    ck_assert_ptr_eq(tape_find(m.css, 0x0480), tape);
    ck_assert_ptr_null(tape_find(m.css, 0x0481));
    ck_assert_int_eq(tape_rewind(tape, &cause), ST_OK);
    ck_assert_uint_eq(block_id(), 0);
    ck_assert_uint_eq(command(CMD_READ, 100), DS_NORMAL);
    ck_assert_uint_eq(data()[79], 1);
    ck_assert_uint_eq(command(CMD_UNLOAD, 1), DS_NORMAL);
    ck_assert_int_eq(tape_rewind(tape, &cause), ST_REFUSED);
}
END_TEST

START_TEST(write_and_read_back)
{
    drive(0);
    write_numbered(1, 80);
    write_numbered(2, 32768);
    ck_assert_uint_eq(command(CMD_MARK, 1), DS_NORMAL);
    write_numbered(3, 10);
    ck_assert_uint_eq(block_id(), 4);
    ck_assert_uint_eq(command(CMD_REWIND, 1), DS_NORMAL);
    memset(data(), 0, 100);
    ck_assert_uint_eq(command(CMD_READ, 100), DS_NORMAL);
    ck_assert_uint_eq(irb.count, 20); /* the block had 80 bytes */
    ck_assert_uint_eq(data()[79], 1);
    ck_assert_uint_eq(data()[80], 0);
    ck_assert_uint_eq(command(CMD_READ, 65535), DS_NORMAL);
    ck_assert_uint_eq(irb.count, 65535 - 32768);
    ck_assert_uint_eq(command(CMD_READ, 100), DS_NORMAL | DS_UNIT_EXCEPTION); /* the mark */
    ck_assert_uint_eq(command(CMD_BACK_BLOCK, 1), DS_NORMAL | DS_UNIT_EXCEPTION);
    ck_assert_uint_eq(command(CMD_BACK_BLOCK, 1), DS_NORMAL);
    ck_assert_uint_eq(block_id(), 1);
    ck_assert_uint_eq(command(CMD_FORWARD_FILE, 1), DS_NORMAL);
    ck_assert_uint_eq(block_id(), 3);
    ck_assert_uint_eq(command(CMD_FORWARD_BLOCK, 1), DS_NORMAL);
    ck_assert_uint_eq(command(CMD_BACK_FILE, 1), DS_NORMAL);
    ck_assert_uint_eq(block_id(), 2);
    be32_store(data(), 0x01800003); /* segment and format are not the block's number */
    ck_assert_uint_eq(command(CMD_LOCATE, 4), DS_NORMAL);
    ck_assert_uint_eq(block_id(), 3);
    ck_assert_uint_eq(command(CMD_ERASE, 1), DS_NORMAL);
    ck_assert_uint_eq(command(CMD_READ, 10), DS_NORMAL | DS_UNIT_CHECK);
    ck_assert_uint_eq(irb.raw[32], 0x08);     /* concurrent sense: data check */
    ck_assert_uint_eq(irb.raw[32 + 3], 0x31); /* tape void */
}
END_TEST

/* Data chaining makes blocks longer than a count can say: up to 256 KiB, in several pieces in the
 * file. Read with data chaining both ways they are whole, in their order. */
START_TEST(blocks_over_65535_bytes)
{
    static const struct {
        u32 len;
        u8 flags[5]; /* of the pieces */
    } blocks[] = {{65535, {0xa0}},
                  {65536, {0x80, 0x20}},
                  {131071, {0x80, 0, 0x20}},
                  {TAPE_BLOCK_BYTES_MAX, {0x80, 0, 0, 0, 0x20}}};
    u32 out = 0x100000, in = 0x200000;
    u8 *p = storage_host(m.storage, out, TAPE_BLOCK_BYTES_MAX + 1);
    for (u32 i = 0; i <= TAPE_BLOCK_BYTES_MAX; i++)
        p[i] = (u8)(i * 7 + i / 251);
    drive(0);
    for (unsigned b = 0; b < ARRAY_LEN(blocks); b++) {
        u32 len = blocks[b].len;
        chained(CMD_WRITE, len, out, false);
        ck_assert_uint_eq(irb.ds, DS_NORMAL);
        ck_assert_uint_eq(block_id(), b + 1);
        memset(storage_host(m.storage, in, len), 0, len);
        chained(CMD_READ_BACKWARD, len, in + len - 1, true);
        ck_assert_uint_eq(irb.ds, DS_NORMAL);
        ck_assert_mem_eq(storage_host(m.storage, in, len), p, len);
        memset(storage_host(m.storage, in, len), 0, len);
        chained(CMD_READ, len, in, false);
        ck_assert_uint_eq(irb.ds, DS_NORMAL);
        ck_assert_mem_eq(storage_host(m.storage, in, len), p, len);
    }
    chained(CMD_WRITE, TAPE_BLOCK_BYTES_MAX + 1, out, false);
    ck_assert_uint_eq(irb.ds, DS_NORMAL | DS_UNIT_CHECK);
    ck_assert_uint_eq(block_id(), ARRAY_LEN(blocks));
    FILE *f = fopen(path, "r");
    for (unsigned b = 0; b < ARRAY_LEN(blocks); b++) {
        u32 rest = blocks[b].len;
        for (unsigned k = 0; rest; k++) {
            u8 header[6];
            ck_assert_uint_eq(fread(header, 1, 6, f), 6);
            u32 n = header[0] | (u32)header[1] << 8;
            ck_assert_uint_eq(n, rest < 65535 ? rest : 65535);
            ck_assert_uint_eq(header[4], blocks[b].flags[k]);
            rest -= n;
            ck_assert_int_eq(fseek(f, (long)n, SEEK_CUR), 0);
        }
    }
    fclose(f);
}
END_TEST

static void check_is(u8 byte0, u8 erpa)
{
    ck_assert_uint_eq(irb.ds, DS_NORMAL | DS_UNIT_CHECK);
    ck_assert_uint_eq(irb.raw[32], byte0);
    ck_assert_uint_eq(irb.raw[32 + 3], erpa);
}

START_TEST(checks_and_sense)
{
    open_volume(0);
    ck_assert_int_eq(tape_file_write(file, (const u8 *)"ab", 2, &cause), ST_OK);
    tape_file_close(file);
    drive(TAPE_READ_ONLY);
    command(CMD_BACK_BLOCK, 1);
    check_is(0, 0x39);
    ck_assert_uint_eq(irb.raw[33], 0x4a); /* on line, load point, protected */
    command(CMD_WRITE, 1);
    check_is(0x80, 0x30);
    command(CMD_MEDIUM_SENSE, 1); /* of the 3590 only */
    check_is(0x80, 0x27);
    be32_store(data(), 9);
    command(CMD_LOCATE, 4);
    check_is(0x08, 0x44);
    ck_assert_uint_eq(command(CMD_SENSE, 32), DS_NORMAL);
    ck_assert_uint_eq(data()[0], 0);
    ck_assert_uint_eq(data()[1], 0x42); /* behind the block: no load point */
    ck_assert_uint_eq(command(CMD_UNLOAD, 1), DS_NORMAL);
    ck_assert(!tape_loaded(tape));
    ck_assert_uint_eq(command(CMD_SENSE, 32), DS_NORMAL);
    ck_assert_uint_eq(data()[0], 0x40);
    command(CMD_READ, 1);
    check_is(0x40, 0x43);
    open_volume(0); /* the file is free again */
    ck_assert_int_eq(tape_load(tape, file, &cause), ST_OK);
    ck_assert_int_eq(tape_load(tape, file, &cause), ST_BUSY);
    tape_file_close(file);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x85); /* the guest is told */
    ck_assert_uint_eq(command(CMD_READ, 2), DS_NORMAL);
}
END_TEST

/* The channel stores from the named address down: the block is there in its order. */
START_TEST(backward)
{
    drive(0);
    write_numbered(1, 80);
    ck_assert_uint_eq(command(CMD_MARK, 1), DS_NORMAL);
    memset(data(), 2, 300);
    data()[0] = 7;
    ck_assert_uint_eq(command(CMD_WRITE, 300), DS_NORMAL);
    memset(data(), 0, 1000);
    ccw1(&m, PROGRAM, CMD_READ_BACKWARD, CCW_SLI, 400, DATA + 500);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    ck_assert_uint_eq(irb.count, 100);
    ck_assert_uint_eq(data()[500], 2);
    ck_assert_uint_eq(data()[501], 0);
    ck_assert_uint_eq(data()[201], 7);
    ck_assert_uint_eq(data()[200], 0);
    ck_assert_uint_eq(block_id(), 2);
    ck_assert_uint_eq(command(CMD_READ_BACKWARD, 1), DS_NORMAL | DS_UNIT_EXCEPTION);
    ck_assert_uint_eq(block_id(), 1);
    memset(data(), 0, 100);
    ccw1(&m, PROGRAM, CMD_READ_BACKWARD, CCW_SLI | CCW_SKIP, 80, DATA + 79);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    ck_assert_uint_eq(data()[0], 0);
    ck_assert_uint_eq(block_id(), 0);
    command(CMD_READ_BACKWARD, 80);
    check_is(0, 0x39);
    command(CMD_READ_PREVIOUS, 80); /* a 3590's */
    check_is(0x80, 0x27);
    ck_assert_uint_eq(command(CMD_READ, 80), DS_NORMAL);
    ck_assert_uint_eq(data()[79], 1);
}
END_TEST

static void reason_is(u8 byte0, u16 reason, u8 message)
{
    ck_assert_uint_eq(irb.ds, DS_NORMAL | DS_UNIT_CHECK);
    ck_assert_uint_eq(irb.raw[32], byte0);
    ck_assert_uint_eq(be16_load(irb.raw + 32 + 4), reason);
    ck_assert_uint_eq(irb.raw[32 + 6], message);
}

START_TEST(the_3590)
{
    type = TAPE_3590;
    drive(0);
    ck_assert_uint_eq(command(0xe4, 7), DS_NORMAL);
    ck_assert_mem_eq(data(), "\xff\x35\x90\x50\x35\x90\x10", 7);
    ck_assert_uint_eq(command(CMD_CHARACTERISTICS, 64), DS_NORMAL);
    ck_assert_mem_eq(data(), "\x35\x90\x50\x35\x90\x10", 6);
    ck_assert_uint_eq(data()[31], 0); /* no encryption */
    ck_assert_uint_eq(command(CMD_MEDIUM_SENSE, 128), DS_NORMAL);
    ck_assert_uint_eq(data()[0], 0x80);
    command(CMD_READ, 1);
    reason_is(0x08, 0x3020, 0x34);
    command(CMD_BACK_BLOCK, 1);
    reason_is(0, 0x3010, 0x31);
    command(CMD_SUBSYSTEM_DATA, 8); /* not prepared */
    reason_is(0x80, 0x2010, 0x20);
    ck_assert_uint_eq(irb.raw[32 + 7], 0x41);
    memset(data(), 0, 12);
    data()[0] = 0x18;
    data()[6] = 0x03;
    ccw1(&m, PROGRAM, CMD_SUBSYSTEM_FUNCTION, CCW_CC, 12, DATA);
    ccw1(&m, PROGRAM + 8, CMD_SUBSYSTEM_DATA, CCW_SLI, 4000, DATA + 12);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    ck_assert_uint_eq(be16_load(data() + 12), 8); /* no message */
    memset(data(), 5, 90);
    ccw1(&m, PROGRAM, CMD_WRITE_IMMEDIATE, CCW_CC | CCW_SLI, 1, DATA);
    ccw1(&m, PROGRAM + 8, CMD_WRITE, 0, 90, DATA);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    memset(data(), 0, 90);
    ck_assert_uint_eq(command(CMD_READ_PREVIOUS, 90), DS_NORMAL); /* in ascending order */
    ck_assert_uint_eq(data()[0], 5);
    ck_assert_uint_eq(data()[89], 5);
    ck_assert_uint_eq(block_id(), 0);
    be32_store(data(), 0x00400000); /* all 32 bits are the number */
    command(CMD_LOCATE, 4);
    reason_is(0x08, 0x3021, 0x35);
    ck_assert_uint_eq(command(CMD_UNLOAD, 1), DS_NORMAL);
    command(CMD_READ, 1);
    reason_is(0x40, 0x4010, 0x40);
    ck_assert_uint_eq(command(CMD_BLOCK_ID, 8), DS_NORMAL); /* without a volume too */
    ck_assert_uint_eq(command(CMD_MEDIUM_SENSE, 128), DS_NORMAL);
    ck_assert_uint_eq(data()[0], 0x40);
    ck_assert_uint_eq(command(CMD_SENSE, 32), DS_NORMAL);
    ck_assert_uint_eq(data()[0], 0x40);
    ck_assert_uint_eq(data()[7], 0x40);
}
END_TEST

/* A damaged block: Linux reads it the other way round, which fails as well, and may go on behind
 * it. */
START_TEST(read_opposite)
{
    static const u8 raw[] = {3, 0, 0, 0, 0xa1, 0, 'b', 'a', 'd', 1, 0, 3, 0, 0xa0, 0, 'x'};
    put_bytes(raw, sizeof raw);
    type = TAPE_3590;
    drive(0);
    command(CMD_READ, 100);
    reason_is(0x08, 0x5010, 0x53);
    ck_assert_uint_eq(irb.raw[32 + 3], 0x26);
    command(CMD_READ_PREVIOUS, 100);
    reason_is(0x08, 0x5010, 0x53);
    ck_assert_uint_eq(block_id(), 0);
    ck_assert_uint_eq(command(CMD_FORWARD_BLOCK, 1), DS_NORMAL);
    ck_assert_uint_eq(command(CMD_READ, 1), DS_NORMAL);
    ck_assert_uint_eq(data()[0], 'x');
}
END_TEST

/* A volume that ends: an early warning while a mark and labels still fit, then no more. */
static void fill_volume(void)
{
    for (u8 i = 0; i < 7; i++)
        write_numbered(i, 9994);
    memset(data(), 7, 9994);
    ck_assert_uint_eq(command(CMD_WRITE, 9994), DS_NORMAL | DS_UNIT_EXCEPTION);
    ck_assert_uint_eq(command(CMD_MARK, 1), DS_NORMAL | DS_UNIT_EXCEPTION);
    command(CMD_WRITE, 9994);
    ck_assert_uint_eq(irb.ds, DS_NORMAL | DS_UNIT_CHECK);
}

START_TEST(the_end_of_a_volume)
{
    capacity = 80016;
    drive(0);
    fill_volume();
    check_is(0x10, 0x38);
    ck_assert_uint_eq(block_id(), 9); /* nothing was lost */
    ck_assert_uint_eq(command(CMD_BACK_BLOCK, 1), DS_NORMAL | DS_UNIT_EXCEPTION);
    ck_assert_uint_eq(command(CMD_BACK_BLOCK, 1), DS_NORMAL);
    ck_assert_uint_eq(command(CMD_READ, 9994), DS_NORMAL); /* reading knows no warning */
    ck_assert_uint_eq(data()[0], 7);
    ck_assert_uint_eq(command(CMD_REWIND, 1), DS_NORMAL);
    write_numbered(1, 9994); /* the rest is gone and there is room again */
}
END_TEST

START_TEST(the_end_of_a_3590)
{
    type = TAPE_3590;
    capacity = 80016;
    drive(0);
    fill_volume();
    reason_is(0x10, 0x3012, 0x33);
}
END_TEST

/* ---- libraries ---- */

static void library_volume(const char *name, const char *text)
{
    char full[128];
    snprintf(full, sizeof full, "%s/%s", folder, name);
    ck_assert_int_eq(tape_file_create(full, &cause), ST_OK);
    ck_assert_int_eq(tape_file_open(full, 0, &file, &cause), ST_OK);
    ck_assert_int_eq(tape_file_write(file, (const u8 *)text, (u32)strlen(text), &cause), ST_OK);
    tape_file_close(file);
}

static void library_remove(void)
{
    char line[128];
    snprintf(line, sizeof line, "rm -r %s", folder);
    ck_assert_int_eq(system(line), 0);
}

/* In EBCDIC, with blanks. */
static void display(u8 control, const char *first, const char *second)
{
    u8 *order = data();
    memset(order, 0x40, 17);
    order[0] = control;
    ebcdic_pad(first, 8, order + 1);
    ebcdic_pad(second, 8, order + 9);
    ck_assert_uint_eq(command(CMD_DISPLAY, 17), DS_NORMAL);
}

static void volume_is(const char *text)
{
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x85); /* not ready to ready */
    ck_assert_uint_eq(command(CMD_READ, (u16)strlen(text)), DS_NORMAL);
    ck_assert_mem_eq(data(), text, strlen(text));
}

START_TEST(a_folder_is_a_library)
{
    struct tape_file *other;
    char full[128];
    strcpy(folder, "/tmp/io_tape_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    library_volume("VOL003.het", "third");
    library_volume("VOL001.aws", "first");
    library_volume("vol002.aws", "second");
    library_volume("VOL004", "fourth");
    tape = drive_in(&m, folder, 0);
    id = css_find_devno(m.css, 0x0480);
    enable(&m, id, 3);
    ck_assert_uint_eq(command(CMD_READ, 5), DS_NORMAL);
    ck_assert_mem_eq(data(), "first", 5);

    display(0xe1, "        ", "        "); /* the next one, when this one goes */
    ck_assert_uint_eq(command(CMD_BLOCK_ID, 8), DS_NORMAL);
    ck_assert_uint_eq(be32_load(data()), 1);
    ck_assert_uint_eq(command(CMD_UNLOAD, 1), DS_NORMAL);
    volume_is("third"); /* upper case comes before lower case */
    ck_assert_uint_eq(command(CMD_UNLOAD, 1), DS_NORMAL);
    ck_assert(!tape_loaded(tape)); /* nothing was asked for */

    display(0x40, "MVOL002S", ""); /* at once, whatever the case of the file's name */
    volume_is("second");
    display(0xe0, "DVOL002 ", "MVOL001 ");
    ck_assert_uint_eq(command(CMD_UNLOAD, 1), DS_NORMAL);
    volume_is("first");

    snprintf(full, sizeof full, "%s/VOL004", folder); /* somebody else has it */
    ck_assert_int_eq(tape_file_open(full, 0, &other, &cause), ST_OK);
    display(0xe0, "DVOL001 ", "MVOL004 ");
    ck_assert_uint_eq(command(CMD_UNLOAD, 1), DS_NORMAL);
    ck_assert(!tape_loaded(tape));
    display(0x40, "MNOSUCH ", "");
    display(0x40, "HELLO   ", "");
    ck_assert(!tape_loaded(tape));
    tape_file_close(other);
    display(0x40, "MVOL004 ", "");
    volume_is("fourth");
    library_remove();
}
END_TEST

/* A request that waits for the drive to be empty moves with the machine. */
START_TEST(a_request_to_mount_moves)
{
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    strcpy(folder, "/tmp/io_tape_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    library_volume("A00001.aws", "one");
    library_volume("A00002.aws", "two");
    struct tape_loader *loader;
    ck_assert_int_eq(tape_loader_open(folder, 0, 0, &loader, &cause), ST_OK);
    ck_assert_ptr_nonnull(tape_create(m.css, 0x0480, type, loader, false, &cause));
    id = css_find_devno(m.css, 0x0480);
    enable(&m, id, 3);
    display(0xe0, "DA00001 ", "MA00002 ");
    css_quiesce(m.css);
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 7, &out, NULL), ST_OK);
    css_detach(m.css, 0x0480, false,
               NULL); /* the old drive goes, its volume stays where it is */
    ck_assert_ptr_nonnull(tape_create(m.css, 0x0480, type, loader, false, &cause));
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_msg(css_restore(m.css, &in, &cause) == ST_OK, "%s", cause.text);
    css_resume(m.css);
    ck_assert_uint_eq(command(CMD_UNLOAD, 1), DS_NORMAL);
    volume_is("two");
    codec_out_fini(&out);
    tape_loader_close(loader);
    library_remove();
}
END_TEST

START_TEST(a_full_disk_is_an_equipment_check)
{
    struct rlimit limit, none = {RLIM_INFINITY, RLIM_INFINITY};
    drive(0);
    write_numbered(1, 500);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &none), 0);
    limit = (struct rlimit){1000, none.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    command(CMD_WRITE, 2000);
    check_is(0x10, 0x2c);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    ck_assert_uint_eq(block_id(), 1);
    write_numbered(2, 2000); /* it goes on where it stood */
    ck_assert_uint_eq(command(CMD_REWIND, 1), DS_NORMAL);
    ck_assert_uint_eq(command(CMD_READ, 500), DS_NORMAL);
    ck_assert_uint_eq(command(CMD_READ, 2000), DS_NORMAL);
    ck_assert_uint_eq(irb.count, 0);
    ck_assert_uint_eq(data()[1999], 2);
}
END_TEST

START_TEST(the_place_on_the_volume_moves)
{
    struct machine there;
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    drive(0);
    for (u8 i = 0; i < 4; i++)
        write_numbered(i, 100);
    ck_assert_uint_eq(command(CMD_BACK_BLOCK, 1), DS_NORMAL);
    css_quiesce(m.css);
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 7, &out, NULL), ST_OK);
    css_detach(m.css, 0x0480, false, NULL);
    machine_init(&there);
    css_quiesce(there.css);
    drive_in(&there, path, 0);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_msg(css_restore(there.css, &in, &cause) == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(tape_file_block(file), 3);
    codec_out_fini(&out);
    machine_fini(&there);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_tape");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_layout_is_awstape);
    tcase_add_test(tc, movement_both_ways);
    tcase_add_test(tc, compressed_blocks_are_het);
    tcase_add_test(tc, pieces_make_a_block);
    tcase_add_test(tc, damage_is_named);
    tcase_add_test(tc, rewound_by_cp);
    tcase_add_test(tc, write_and_read_back);
    tcase_add_test(tc, checks_and_sense);
    tcase_add_test(tc, blocks_over_65535_bytes);
    tcase_add_test(tc, a_full_disk_is_an_equipment_check);
    tcase_add_test(tc, the_place_on_the_volume_moves);
    tcase_add_test(tc, backward);
    tcase_add_test(tc, the_3590);
    tcase_add_test(tc, read_opposite);
    tcase_add_test(tc, the_end_of_a_volume);
    tcase_add_test(tc, the_end_of_a_3590);
    tcase_add_test(tc, a_folder_is_a_library);
    tcase_add_test(tc, a_request_to_mount_moves);
    return run_suite(suite);
}
