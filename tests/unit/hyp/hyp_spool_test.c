/* The spool: files on disk survive a new start, damage is told and harms nothing else, a
 * full disk changes nothing, a kill at any step leaves whole files; what moves with a reader
 * comes out as it went in. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hyp/spool/spool_device.h"
#include "hyp/spool/spool_internal.h"
#include "mem/base/log.h"
#include "tests/unit/io/io_fixture.h"

#define USERID "LINUX1"

static struct spool *spool;
static char folder[64];
static enum spool_start start_as = SPOOL_WARM;
static struct machine machine;
static struct reader *rdr;

static void open_spool(void)
{
    struct cause cause;
    ck_assert_msg(spool_create(folder, start_as, 0, &spool, &cause) == ST_OK, "%s", cause.text);
}

static void again(void)
{
    spool_destroy(spool);
    open_spool();
}

static void begin(void)
{
    strcpy(folder, "/tmp/spool.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    open_spool();
    machine_init(&machine);
    rdr = reader_create(machine.css, 0x000c, false, NULL);
}

static void each_file(void (*fn)(const char *path))
{
    char path[400];
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            fn(path);
    }
    closedir(dir);
}

static void remove_file(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
}

static unsigned files_seen;

static void count_file(const char *path)
{
    (void)path;
    files_seen++;
}

static unsigned files_on_disk(void)
{
    files_seen = 0;
    each_file(count_file);
    return files_seen;
}

static void end(void)
{
    spool_destroy(spool);
    machine_fini(&machine);
    each_file(remove_file);
    rmdir(folder);
}

static int add(const char *owner, const char *name, enum spool_queue queue,
               struct spool_file **file)
{
    struct spool_desc desc;
    struct spool_data data;
    struct cause cause;
    spool_desc_init(&desc, owner, queue);
    snprintf(desc.name, sizeof desc.name, "%s", name);
    spool_data_init(&data);
    ck_assert(spool_data_add_cards(&data, name, strlen(name)));
    int rc = spool_add(spool, &desc, &data, file, &cause);
    spool_data_fini(&data);
    return rc;
}

static struct spool_file *added(const char *name)
{
    struct spool_file *file;
    ck_assert_int_eq(add(USERID, name, SPOOL_RDR, &file), ST_OK);
    return file;
}

/* Names of the owner's files in their order. */
static const char *names(const char *owner)
{
    static char text[256];
    text[0] = 0;
    for (struct spool_file *f = NULL; (f = spool_next(spool, f));)
        if (!strcmp(spool_desc(f)->owner, owner))
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s ",
                     spool_desc(f)->name);
    return text;
}

START_TEST(files_survive)
{
    struct spool_file *a = added("A"), *b = added("B"), *c = added("C");
    struct spool_desc d = *spool_desc(b);
    struct spool_data data;
    struct cause cause;
    u16 id = d.id;
    d.hold = d.keep = true;
    d.class_ = 'K';
    d.copies = 7;
    strcpy(d.tag, "to whom");
    ck_assert_int_eq(spool_change(spool, b, &d, &cause), ST_OK);
    ck_assert_int_eq(spool_order(spool, c, &cause), ST_OK);
    ck_assert_int_eq(spool_transfer(spool, a, "LINUX2", SPOOL_PUN, &cause), ST_OK);
    ck_assert_str_eq(names(USERID), "C B ");
    again();
    ck_assert_str_eq(names(USERID), "C B ");
    ck_assert_str_eq(names("LINUX2"), "A ");
    ck_assert_uint_eq(spool_count(spool, "LINUX2", SPOOL_PUN), 1);
    b = spool_find(spool, USERID, id);
    ck_assert_ptr_nonnull(b);
    ck_assert(spool_desc(b)->hold && spool_desc(b)->keep && spool_desc(b)->class_ == 'K');
    ck_assert_uint_eq(spool_desc(b)->copies, 7);
    ck_assert_str_eq(spool_desc(b)->tag, "to whom");
    ck_assert_int_eq(spool_load(spool, b, &data, &cause), ST_OK);
    ck_assert_uint_eq(data.records, 1);
    spool_data_fini(&data);
    ck_assert(spool_purge(spool, b));
    again();
    ck_assert_str_eq(names(USERID), "C ");
    ck_assert_uint_eq(files_on_disk(), 4);
}
END_TEST

/* Every byte of the description, and of the records' file, damaged: the file is left alone,
 * the other is there. */
static char damaged[400];

static void pick(const char *path)
{
    if (strstr(path, damaged))
        snprintf(damaged, sizeof damaged, "%s", path);
}

static u8 flip(long at)
{
    u8 byte;
    int fd = open(damaged, O_RDWR);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
    return byte;
}

START_TEST(damage_harms_nothing_else)
{
    struct stat st;
    struct spool_file *bad = added("BAD");
    added("GOOD");
    snprintf(damaged, sizeof damaged, "%08llx.meta", (unsigned long long)bad->serial);
    each_file(pick);
    ck_assert_int_eq(stat(damaged, &st), 0);
    for (long at = 0; at < st.st_size; at += 5) {
        flip(at);
        again();
        ck_assert_str_eq(names(USERID), "GOOD ");
        flip(at);
    }
    again();
    ck_assert_str_eq(names(USERID), "BAD GOOD ");
    ck_assert_int_eq(truncate(damaged, st.st_size / 2), 0);
    again();
    ck_assert_str_eq(names(USERID), "GOOD ");
    ck_assert_uint_eq(files_on_disk(), 4); /* somebody may want to look at it */
}
END_TEST

START_TEST(damaged_records)
{
    struct spool_file *bad = added("BAD");
    snprintf(damaged, sizeof damaged, "%08llx.data", (unsigned long long)bad->serial);
    each_file(pick);
    flip(15); /* how many records the page has */
    again();
    ck_assert_str_eq(names(USERID), "");
    ck_assert_int_eq(truncate(damaged, 0), 0);
    again();
    ck_assert_str_eq(names(USERID), "");
    unlink(damaged);
    again();
    ck_assert_str_eq(names(USERID), "");
    added("NEXT"); /* its name is not taken again */
    again();
    ck_assert_str_eq(names(USERID), "NEXT ");
}
END_TEST

static void limit(rlim_t bytes)
{
    struct rlimit r;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static unsigned records_of(const struct spool_file *file)
{
    return (unsigned)spool_desc(file)->records;
}

/* A file that cannot be stored stays open; what was punched before and after is in it when
 * there is room. */
START_TEST(full_disk)
{
    struct spool_device *dev = spool_device_create(spool, USERID, SPOOL_DEV_PUN, 0xd, 'A');
    struct spool_file *file, *old = added("OLD");
    struct spool_desc d = *spool_desc(old);
    struct cause cause;
    u16 was, id;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(spool_device_sink(dev, 0xd, 0x41, (const u8 *)"\xc1", 1), ST_OK);
    limit(40);
    ck_assert_int_eq(spool_device_close(dev, NULL, &file, &was, &cause), ST_LIMIT);
    ck_assert_ptr_null(file);
    strcpy(d.name, "NEW");
    ck_assert_int_eq(spool_change(spool, old, &d, &cause), ST_LIMIT);
    ck_assert_str_eq(spool_desc(old)->name, "OLD");
    ck_assert_int_eq(spool_transfer(spool, old, "LINUX2", SPOOL_RDR, &cause), ST_LIMIT);
    ck_assert_str_eq(names(USERID), "OLD ");
    limit(RLIM_INFINITY);
    ck_assert_uint_eq(files_on_disk(), 3); /* the open one has no description */
    ck_assert(spool_device_open(dev, &id) && id == was);
    spool_device_sink(dev, 0xd, 0x41, (const u8 *)"\xc2", 1);
    ck_assert_int_eq(spool_device_close(dev, NULL, &file, &was, &cause), ST_OK);
    ck_assert_uint_eq(records_of(file), 2);
    ck_assert_uint_eq(spool_desc(file)->id, id);
    ck_assert_int_eq(spool_device_close(dev, NULL, &file, &was, &cause), ST_OK);
    ck_assert_ptr_null(file); /* nothing has come since */
}
END_TEST

static const char *news; /* what the operator has heard */

static void hear(void *ctx, char severity, const char *text)
{
    static char heard[400];
    (void)ctx;
    snprintf(heard, sizeof heard, "%c %s", severity, text);
    news = heard;
}

static struct spool_device *punch(void)
{
    struct spool_device *dev = spool_device_create(spool, USERID, SPOOL_DEV_PUN, 0xd, 'A');
    ck_assert_ptr_nonnull(dev);
    return dev;
}

/* A full card, so that 42 of them fill a page. */
static int punched(struct spool_device *dev, unsigned n)
{
    u8 card[CARD_BYTES];
    memset(card, 0x81, sizeof card);
    be32_store(card, n);
    return spool_device_sink(dev, 0xd, 0x41, card, sizeof card);
}

static void check_cards(const struct spool_file *file, unsigned count)
{
    struct spool_data data;
    struct spool_place place = {0};
    struct spool_record r;
    struct cause cause;
    ck_assert_uint_eq(records_of(file), count);
    ck_assert_msg(spool_load(spool, file, &data, &cause) == ST_OK, "%s", cause.text);
    for (unsigned i = 0; i < count; i++) {
        ck_assert(spool_data_next(&data, &place, &r));
        ck_assert_uint_eq(r.len, CARD_BYTES);
        ck_assert_uint_eq(be32_load(r.bytes), i);
    }
    ck_assert(!spool_data_next(&data, &place, &r));
    spool_data_fini(&data);
}

/* The disk becomes full at every byte of a page and a half: the record there is refused and
 * told once; when there is room all go on, and the file has each that was taken once. */
START_TEST(full_disk_while_punching)
{
    signal(SIGXFSZ, SIG_IGN);
    log_set_operator(hear, NULL);
    for (rlim_t room = 0; room < 6200; room += 97) {
        struct spool_device *dev = punch();
        struct spool_file *file;
        struct cause cause;
        unsigned n = 0;
        u16 was;
        news = "";
        limit(room);
        while (punched(dev, n) == ST_OK)
            n++;
        ck_assert_uint_lt(n, 70);
        ck_assert_msg(!strncmp(news, "E spool file of LINUX1 000D: ", 29), "%s", news);
        news = "";
        ck_assert_int_eq(punched(dev, n), ST_IO); /* an equipment check */
        ck_assert_str_eq(news, "");
        limit(RLIM_INFINITY);
        for (; n < 90; n++)
            ck_assert_int_eq(punched(dev, n), ST_OK);
        ck_assert_str_eq(news, "I spool file of LINUX1 000D: goes on");
        ck_assert_int_eq(spool_device_close(dev, NULL, &file, &was, &cause), ST_OK);
        check_cards(file, 90);
        ck_assert(spool_purge(spool, file));
        spool_device_remove(spool, USERID, 0xd);
        ck_assert_uint_eq(files_on_disk(), 0);
    }
    log_set_operator(NULL, NULL);
}
END_TEST

/* What is being punched when a process is killed has every card that was taken, and is a file
 * in hold status after the next start; so is one whose last page the host has torn. */
START_TEST(open_files_survive)
{
    for (unsigned round = 0; round < 20; round++) {
        int fds[2];
        u8 byte;
        unsigned told = 0;
        ck_assert_int_eq(pipe(fds), 0);
        spool_destroy(spool);
        pid_t child = fork();
        if (!child) {
            open_spool();
            struct spool_device *dev = punch();
            for (unsigned i = 0; punched(dev, i) == ST_OK && write(fds[1], "+", 1) == 1; i++)
                ;
            _exit(1);
        }
        close(fds[1]);
        while (told < 1 + round * 13 && read(fds[0], &byte, 1) == 1)
            told++;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(fds[0], &byte, 1) == 1)
            told++;
        close(fds[0]);
        open_spool();
        struct spool_file *file = spool_next(spool, NULL);
        ck_assert_ptr_nonnull(file);
        const struct spool_desc *d = spool_desc(file);
        ck_assert(d->queue == SPOOL_PUN && d->hold && d->id && !strcmp(d->device, "PUN"));
        ck_assert_uint_ge(records_of(file), told);
        ck_assert_uint_le(records_of(file), told + 1); /* taken, and not told yet */
        check_cards(file, records_of(file));
        ck_assert_uint_eq(files_on_disk(), 2);
        ck_assert(spool_purge(spool, file));
        ck_assert_uint_eq(files_on_disk(), 0);
    }
}
END_TEST

START_TEST(torn_open_file)
{
    char path[128];
    const u8 zeros[100] = {0};
    struct spool_device *dev = punch();
    for (unsigned i = 0; i < 60; i++)
        ck_assert_int_eq(punched(dev, i), ST_OK);
    snprintf(path, sizeof path, "%s/%08llx.open.PUN.%s", folder, 1ull, USERID);
    int fd = open(path, O_RDWR);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, zeros, sizeof zeros, SPOOL_PAGE_BYTES + 100), 100);
    close(fd);
    snprintf(damaged, sizeof damaged, "%s.kept", folder);
    ck_assert_int_eq(rename(path, damaged), 0); /* as if it had been killed */
    ck_assert_int_eq(open(path, O_RDWR), -1);
    spool_device_purge(dev);
    spool_destroy(spool);
    ck_assert_int_eq(rename(damaged, path), 0);
    open_spool();
    ck_assert_uint_eq(records_of(spool_next(spool, NULL)), 42);
    check_cards(spool_next(spool, NULL), 42);
}
END_TEST

/* What each start leaves of a good file, a damaged one, and one that was open. */
START_TEST(starts)
{
    static const struct {
        enum spool_start start;
        unsigned files, on_disk;
    } rows[] = {
        {SPOOL_WARM, 2, 6}, {SPOOL_FORCE, 2, 4}, {SPOOL_COLD, 0, 1}, {SPOOL_CLEAN, 0, 0}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char path[128], other[128];
        struct spool_file *bad = added("BAD"), *good = added("GOOD");
        u64 serial = spool->last_serial + 1;
        const struct spool_desc before = *spool_desc(good);
        bool cold = rows[i].start >= SPOOL_COLD;
        snprintf(other, sizeof other, "%s/notes", folder);
        if (cold)
            close(open(other, O_CREAT | O_WRONLY, 0600)); /* not of a spool file */
        snprintf(damaged, sizeof damaged, "%s/%08llx.meta", folder,
                 (unsigned long long)bad->serial);
        flip(20);
        snprintf(path, sizeof path, "%s/%08llx.open.PRT.LINUX2", folder,
                 (unsigned long long)serial);
        struct spool_data data;
        spool_data_init(&data);
        spool_data_add_cards(&data, "open", 4);
        int fd = open(path, O_CREAT | O_WRONLY, 0600);
        ck_assert_int_eq(write(fd, data.page, spool_data_bytes(&data)),
                         (ssize_t)spool_data_bytes(&data));
        close(fd);
        spool_data_fini(&data);
        start_as = rows[i].start;
        again();
        start_as = SPOOL_WARM;
        unsigned files = 0;
        for (struct spool_file *f = NULL; (f = spool_next(spool, f));)
            files++;
        ck_assert_uint_eq(files, rows[i].files);
        ck_assert_uint_eq(files_on_disk(), rows[i].on_disk);
        ck_assert_uint_ge(spool->last_serial, serial); /* no number is used again */
        if (!cold) {
            ck_assert_str_eq(names(USERID), "GOOD ");
            ck_assert_ptr_nonnull(spool_find(spool, USERID, before.id));
            ck_assert_uint_eq(spool_count(spool, "LINUX2", SPOOL_PRT), 1);
        }
        spool_destroy(spool);
        each_file(remove_file);
        open_spool();
    }
    enum spool_start start;
    ck_assert(spool_start_find("Cold", &start) && start == SPOOL_COLD);
    ck_assert(!spool_start_find("COLDER", &start));
}
END_TEST

/* Two processes do not have the same folder. */
START_TEST(one_at_a_time)
{
    struct spool *second;
    struct cause cause;
    ck_assert_int_eq(spool_create(folder, SPOOL_CLEAN, 0, &second, &cause), ST_BUSY);
    added("A");
    ck_assert_uint_eq(files_on_disk(), 2);
}
END_TEST

/* A process that spools, changes and purges is killed at random: every file that it was told
 * is closed is there, whole, and no other one is damaged. */
START_TEST(killed_at_any_moment)
{
    enum { ROUNDS = 25 };
    unsigned before = 0, lost = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        int fds[2];
        u8 byte;
        ck_assert_int_eq(pipe(fds), 0);
        spool_destroy(spool);
        pid_t child = fork();
        if (!child) {
            open_spool();
            for (unsigned i = 0;; i++) {
                struct spool_file *f;
                if (add(USERID, i % 2 ? "ODD" : "EVEN", SPOOL_RDR, &f) != ST_OK)
                    _exit(1);
                struct spool_desc d = *spool_desc(f);
                d.copies = 2;
                if (spool_change(spool, f, &d, NULL) != ST_OK || write(fds[1], "+", 1) != 1)
                    _exit(1);
            }
        }
        close(fds[1]);
        unsigned told = 0, want = round % 7 + 1;
        while (told < want && read(fds[0], &byte, 1) == 1)
            told++;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(fds[0], &byte, 1) == 1)
            told++;
        close(fds[0]);
        open_spool();
        unsigned now = spool_count(spool, USERID, SPOOL_RDR);
        lost += now < before + told;
        ck_assert_uint_le(now, before + told + 1); /* one may be on disk and not be told */
        before = now;
        for (struct spool_file *f = NULL; (f = spool_next(spool, f));)
            ck_assert_uint_eq(records_of(f), 1);
        ck_assert_uint_eq(files_on_disk(), 2 * now);
    }
    ck_assert_uint_eq(lost, 0);
}
END_TEST

/* --- the reader ---------- */

static void attach(void)
{
    ck_assert_int_eq(spool_reader_attach(spool, USERID, 0x000c, rdr, NULL), ST_OK);
    spool_deliver(spool, USERID);
}

START_TEST(the_reader_has_what_the_spool_has)
{
    struct reader_file info;
    struct cause cause;
    u8 page[SPOOL_PAGE_BYTES];
    u32 number;
    struct spool_file *a = added("A"), *b;
    attach();
    b = added("B");
    ck_assert_uint_eq(reader_files(rdr), 2);
    ck_assert_int_eq(spool_order(spool, b, &cause), ST_OK);
    ck_assert(reader_next_page(rdr, page, &number) == READER_PAGE_OK && number == b->number);
    spool_sync(spool, USERID);
    ck_assert(spool_desc(b)->open && !spool_purge(spool, b));
    ck_assert_int_eq(spool_transfer(spool, b, "LINUX2", SPOOL_RDR, &cause), ST_BUSY);
    reader_close(rdr, READER_CLOSE_GONE); /* the guest has read it */
    spool_sync(spool, USERID);
    ck_assert_str_eq(names(USERID), "A ");
    ck_assert_uint_eq(files_on_disk(), 2);
    struct spool_desc d = *spool_desc(a);
    d.hold = true;
    d.class_ = 'Q';
    ck_assert_int_eq(spool_change(spool, a, &d, &cause), ST_OK);
    ck_assert(reader_file_info(rdr, 0, &info) && info.held && info.class_ == 'Q');
    ck_assert(spool_purge(spool, a));
    ck_assert_uint_eq(reader_files(rdr), 0);
    added("C");
    spool_readers_end(spool, USERID, false); /* logoff */
    ck_assert_str_eq(names(USERID), "C ");
    attach();
    spool_readers_end(spool, USERID, true); /* it has moved away */
    ck_assert_str_eq(names(USERID), "");
    ck_assert_uint_eq(files_on_disk(), 0);
}
END_TEST

static void read_card(void)
{
    struct irb irb;
    u32 schid = css_find_devno(machine.css, 0x000c);
    ccw1(&machine, 0x1000, 0x02, CCW_SLI, 80, 0x2000);
    while (tsch(&machine, schid, &irb) == 0)
        ;
    ck_assert_int_eq(start(&machine, schid, ORB_F, 0x1000), 0);
    ck_assert_int_eq(tsch(&machine, schid, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
}

/* LOGOFF in the middle of a file keeps it; behind the last card it has been read. */
START_TEST(logoff_while_reading)
{
    char cards[160] = "two cards";
    added("ONE CARD");
    attach();
    enable(&machine, css_find_devno(machine.css, 0x000c), 3);
    read_card();
    spool_readers_end(spool, USERID, false);
    ck_assert_str_eq(names(USERID), "");
    struct spool_desc desc;
    struct spool_data data;
    spool_desc_init(&desc, USERID, SPOOL_RDR);
    strcpy(desc.name, "TWO");
    spool_data_init(&data);
    spool_data_add_cards(&data, cards, sizeof cards);
    ck_assert_int_eq(spool_add(spool, &desc, &data, NULL, NULL), ST_OK);
    attach();
    read_card();
    spool_readers_end(spool, USERID, false);
    ck_assert_str_eq(names(USERID), "TWO ");
}
END_TEST

/* Two readers of one user have one queue; the first goes, and the files stay with the second. */
START_TEST(a_second_reader)
{
    u8 page[SPOOL_PAGE_BYTES];
    u32 number;
    struct reader *other = reader_create_beside(machine.css, 0x001c, rdr, false, NULL);
    struct spool_file *a = added("A"), *b, *c;
    attach();
    ck_assert_int_eq(spool_reader_attach(spool, USERID, 0x001c, other, NULL), ST_OK);
    b = added("B");
    c = added("C");
    ck_assert_uint_eq(reader_files(other), 3);
    ck_assert_ptr_eq(spool_reader(spool, USERID, 0x000c), rdr);
    ck_assert_ptr_eq(spool_reader(spool, USERID, 0x001c), other);
    ck_assert_ptr_null(spool_reader(spool, USERID, 0x002c));
    ck_assert(reader_next_page(other, page, &number) == READER_PAGE_OK && number == a->number);
    ck_assert(reader_next_page(rdr, page, &number) == READER_PAGE_OK && number == b->number);
    spool_sync(spool, USERID);
    ck_assert(spool_desc(a)->open && spool_desc(b)->open && !spool_desc(c)->open);
    ck_assert(!spool_purge(spool, a) && !spool_purge(spool, b));
    spool_reader_detach(spool, USERID, 0x000c); /* DETACH 00C: it is as it was */
    ck_assert_int_eq(css_detach(machine.css, 0x000c, false, NULL), ST_OK);
    ck_assert_str_eq(names(USERID), "A B C ");
    ck_assert(spool_desc(a)->open && spool_purge(spool, c));
    reader_close(other, READER_CLOSE_GONE);
    spool_sync(spool, USERID);
    ck_assert_str_eq(names(USERID), "B ");
    ck_assert(b->number);
    spool_readers_end(spool, USERID, false);
    ck_assert(!b->number && !spool_reader(spool, USERID, 0));
}
END_TEST

/* --- descriptions of another member ---------- */

static bool take(const u8 *bytes, size_t len)
{
    struct codec_in in;
    codec_in_init(&in, bytes, len);
    return spool_restore(spool, USERID, &in);
}

START_TEST(descriptions_move)
{
    struct codec_out out;
    struct spool_file *a = added("MOVED");
    u16 id = spool_desc(a)->id;
    struct spool_desc d = *spool_desc(a);
    d.hold = true;
    ck_assert_int_eq(spool_change(spool, a, &d, NULL), ST_OK);
    attach();
    codec_out_init(&out);
    spool_save(spool, USERID, &out);
    ck_assert(!take(out.data, out.len)); /* it is here already */
    for (size_t len = 1; len < out.len; len += 3)
        ck_assert(!take(out.data, len));
    /* The destination: the reader has its files, another file waits under the same id. */
    a->number = 0;
    spool_purge(spool, a);
    ck_assert(spool->readers->reader == rdr);
    spool->readers->ready = false;
    spool->last_id = (u16)(id - 1);
    struct spool_file *waits = added("WAITS");
    ck_assert_uint_eq(spool_desc(waits)->id, id);
    ck_assert(take(out.data, out.len));
    a = spool_find(spool, USERID, id);
    ck_assert_str_eq(spool_desc(a)->name, "MOVED");
    ck_assert(spool_desc(a)->hold && a->number);
    ck_assert_uint_ne(spool_desc(waits)->id, id);
    ck_assert_uint_eq(files_on_disk(), 4);
    for (size_t i = 0; i < out.len; i++) { /* nothing hostile is taken for more than it is */
        out.data[i] ^= 0x81;
        take(out.data, out.len);
        out.data[i] ^= 0x81;
    }
    codec_out_fini(&out);
}
END_TEST

/* Pages of volumes are a limit: a device writes no further, its file can be closed, and goes on
 * when there is room; what was there before a start is counted, wherever it finds room. */
START_TEST(spool_space)
{
    struct spool_device *dev = spool_device_create(spool, USERID, SPOOL_DEV_PUN, 0x000d, 'A');
    struct spool_file *f;
    struct cause cause;
    u16 was;
    u8 card[80];
    unsigned taken = 0;
    memset(card, 0xc1, sizeof card);
    log_set_operator(hear, NULL);
    spool_volume_set(spool, 7, 2, false);
    spool_volume_set(spool, 3, 1, true); /* drained */
    while (spool_device_sink(dev, 0xd, 0x41, card, sizeof card) == ST_OK)
        taken++;
    ck_assert_uint_gt(taken, 40); /* two pages of cards */
    ck_assert_uint_lt(taken, 100);
    ck_assert_uint_eq(spool_volume_used(spool, 7), 2);
    ck_assert_uint_eq(spool_volume_used(spool, 3), 0);
    ck_assert_ptr_nonnull(strstr(news, "spool space is full"));
    ck_assert_int_eq(spool_device_close(dev, NULL, &f, &was, &cause), ST_OK);
    ck_assert_uint_eq(spool_desc(f)->records, taken);
    ck_assert_uint_eq(spool_volume_used(spool, 7), 2);
    ck_assert_int_eq(spool_device_sink(dev, 0xd, 0x41, card, sizeof card), ST_IO);
    spool_volume_set(spool, 3, 1, false); /* START: one more page */
    ck_assert_int_eq(spool_device_sink(dev, 0xd, 0x41, card, sizeof card), ST_OK);
    ck_assert_uint_eq(spool_volume_used(spool, 3), 1);
    spool_device_purge(dev);
    ck_assert_uint_eq(spool_volume_used(spool, 3), 0);
    again(); /* two pages are there, and no volume is known yet */
    ck_assert_uint_eq(spool_volume_used(spool, 0), 2);
    spool_volume_set(spool, 3, 1, false);
    spool_volumes_settle(spool);
    ck_assert_uint_eq(spool_volume_used(spool, 3), 1);
    ck_assert_uint_eq(spool_volume_used(spool, 0), 1);
    ck_assert(spool_purge(spool, spool_next(spool, NULL)));
    ck_assert_uint_eq(spool_volume_used(spool, 3), 0);
    ck_assert_uint_eq(spool_volume_used(spool, 0), 0);
}
END_TEST

START_TEST(device_options_move)
{
    struct codec_out out;
    struct codec_in in;
    struct spool_device *dev = spool_device_create(spool, USERID, SPOOL_DEV_PRT, 0xe, 'A');
    struct spool_options *o = spool_device_options(dev), want;
    o->class_ = 'X';
    o->cont = o->msg = true;
    o->copies = 3;
    strcpy(o->to, "LINUX2");
    o->to_queue = SPOOL_RDR;
    strcpy(o->tag, "a tag");
    want = *o;
    codec_out_init(&out);
    ck_assert_int_eq(spool_devices_save(spool, USERID, &out, NULL), ST_OK);
    spool_devices_end(spool, USERID, true);
    dev = spool_device_create(spool, USERID, SPOOL_DEV_PRT, 0xe, 'A');
    for (size_t len = 0; len < out.len; len += 2) {
        codec_in_init(&in, out.data, len);
        ck_assert(!spool_devices_restore(spool, USERID, &in) || !len);
    }
    codec_in_init(&in, out.data, out.len);
    ck_assert(spool_devices_restore(spool, USERID, &in));
    o = spool_device_options(dev);
    ck_assert(o->class_ == 'X' && o->cont && o->msg && !o->hold && o->copies == 3);
    ck_assert_str_eq(o->to, want.to);
    ck_assert_str_eq(o->tag, want.tag);
    ck_assert(o->to_queue == SPOOL_RDR);
    codec_out_fini(&out);
}
END_TEST

/* A dump: pages as they were written, from a file beside the spool's; of a size that cannot be, or
 * not there, it leaves nothing. */
START_TEST(dumps)
{
    u8 pages[3 * SPOOL_PAGE_BYTES], got[SPOOL_PAGE_BYTES];
    struct spool_temporary t;
    struct spool_desc desc;
    struct spool_file *file;
    struct cause cause = {0};
    u32 number;
    memset(pages, 0x5a, sizeof pages);
    ck_assert_int_eq(spool_reader_attach(spool, USERID, 0xc, rdr, &cause), ST_OK);
    spool_deliver(spool, USERID);
    spool_desc_init(&desc, USERID, SPOOL_RDR);
    strcpy(desc.device, SPOOL_DEVICE_DUMP);
    spool_temporary(spool, &t);
    ck_assert_int_eq(spool_add_dump(spool, &desc, &t, &file, &cause), ST_IO);
    FILE *f = fopen(t.path, "w");
    ck_assert_uint_eq(fwrite(pages, sizeof pages, 1, f), 1);
    fclose(f);
    ck_assert_msg(spool_add_dump(spool, &desc, &t, &file, &cause) == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(spool_desc(file)->records, 3);
    ck_assert(!spool_desc(file)->hold);
    ck_assert_uint_eq(files_on_disk(), 2);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(reader_next_page(rdr, got, &number), READER_PAGE_OK);
        ck_assert_mem_eq(got, pages, sizeof got);
    }
    ck_assert_int_eq(reader_next_page(rdr, got, &number), READER_PAGE_END);
    reader_close(rdr, READER_CLOSE_AGAIN);
    again();
    file = spool_next(spool, NULL);
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(spool_desc(file)->records, 3);
    ck_assert(spool_purge(spool, file));
    spool_temporary(spool, &t); /* the member ends in the middle */
    fclose(fopen(t.path, "w"));
    again();
    ck_assert_uint_eq(files_on_disk(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_spool");
    TCase *tc = tcase_create("spool");
    tcase_add_checked_fixture(tc, begin, end);
    tcase_set_timeout(tc, 120); /* a limit for hangs, not a measure */
    tcase_add_test(tc, dumps);
    tcase_add_test(tc, files_survive);
    tcase_add_test(tc, damage_harms_nothing_else);
    tcase_add_test(tc, damaged_records);
    tcase_add_test(tc, full_disk);
    tcase_add_test(tc, full_disk_while_punching);
    tcase_add_test(tc, open_files_survive);
    tcase_add_test(tc, torn_open_file);
    tcase_add_test(tc, starts);
    tcase_add_test(tc, one_at_a_time);
    tcase_add_test(tc, killed_at_any_moment);
    tcase_add_test(tc, the_reader_has_what_the_spool_has);
    tcase_add_test(tc, logoff_while_reading);
    tcase_add_test(tc, a_second_reader);
    tcase_add_test(tc, descriptions_move);
    tcase_add_test(tc, device_options_move);
    tcase_add_test(tc, spool_space);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
