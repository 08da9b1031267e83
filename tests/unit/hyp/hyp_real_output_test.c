/* Real printers and punches: which files they take, what is on the host's file, in a folder and
 * one behind the other, a full disk, KEEP, copies, FLUSH, BACKSPACE, the program that runs behind
 * each. Run alone: tests/run unit/hyp_real_output_test */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/spool/real_output.h"
#include "mem/base/log.h"

static char dir[64];
static struct spool *spool;
static struct config_device device;
static struct real_output *out;

static void begin(void)
{
    struct cause cause;
    strcpy(dir, "/tmp/real_output.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(spool_create(NULL, SPOOL_WARM, 0, &spool, &cause), ST_OK);
    device = (struct config_device){.devno = 0xe, .type = 0x1403, .carriage = UNITREC_TEXT};
    strcpy(device.file, "list");
}

static void open_device(void)
{
    out = real_output_create(spool, dir, &device);
    ck_assert_ptr_nonnull(out);
    real_output_start(out, NULL, NULL);
}

static void end(void)
{
    char command[128];
    real_output_destroy(out);
    spool_destroy(spool);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* Lines of EBCDIC digits and blanks; `/` begins another page. */
static struct spool_file *file(const char *name, enum spool_queue queue, const char *text)
{
    struct spool_desc desc;
    struct spool_data data;
    struct spool_file *f;
    struct cause cause;
    spool_desc_init(&desc, "LINUX1", queue);
    snprintf(desc.name, sizeof desc.name, "%s", name);
    spool_data_init(&data);
    for (; *text; text++) {
        u8 digit = (u8)(0xf0 + (*text & 15));
        ck_assert(*text == '/' ? spool_data_add(&data, 0x8b, NULL, 0)
                               : spool_data_add(&data, 0x09, &digit, 1));
    }
    ck_assert_msg(spool_add(spool, &desc, &data, &f, &cause) == ST_OK, "%s", cause.text);
    return f;
}

static void change(struct spool_file *f, void (*how)(struct spool_desc *d))
{
    struct spool_desc d = *spool_desc(f);
    how(&d);
    ck_assert_int_eq(spool_change(spool, f, &d, NULL), ST_OK);
}

static void run(void)
{
    enum real_output_next next;
    while ((next = real_output_step(out)) != REAL_OUTPUT_IDLE)
        if (next == REAL_OUTPUT_WAIT)
            usleep(1000); /* for a program: it ends, or the test's limit comes */
}

static const char *content(const char *name)
{
    static char text[4096];
    char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

static void hold(struct spool_desc *d)
{
    d->hold = true;
}

static void release(struct spool_desc *d)
{
    d->hold = false;
}

static void system_hold(struct spool_desc *d)
{
    d->system_hold = true;
}

static void system_free(struct spool_desc *d)
{
    d->system_hold = false;
}

static void class_q(struct spool_desc *d)
{
    d->class_ = 'Q';
}

static void plain(struct spool_desc *d)
{
    strcpy(d->form, "PLAIN");
}

static void keep_twice(struct spool_desc *d)
{
    d->keep = true;
    d->copies = 2;
}

/* Files of its classes and form that nobody holds, in their order, each from a new page on. */
START_TEST(takes_what_it_is_to)
{
    struct spool_file *held = file("HELD", SPOOL_PRT, "1"), *q = file("Q", SPOOL_PRT, "2");
    struct spool_file *form = file("FORM", SPOOL_PRT, "3");
    file("PUNCH", SPOOL_PUN, "4");
    file("READER", SPOOL_RDR, "5");
    change(held, hold);
    change(q, class_q);
    change(form, plain);
    strcpy(device.classes, "AB");
    open_device();
    file("ONE", SPOOL_PRT, "67");
    file("TWO", SPOOL_PRT, "8");
    run();
    ck_assert_str_eq(content("list"), "6\n7\n\f8\n");
    ck_assert_uint_eq(spool_count(spool, "LINUX1", SPOOL_PRT), 3);
    change(held, release);
    run();
    real_output_drain(out);
    real_output_start(out, "*", NULL);
    run();
    ck_assert_str_eq(content("list"), "6\n7\n\f8\n\f1\n\f2\n");
    real_output_drain(out);
    file("LATE", SPOOL_PRT, "9");
    run();
    ck_assert_uint_eq(spool_count(spool, "LINUX1", SPOOL_PRT), 2);
    real_output_start(out, NULL, "PLAIN");
    run();
    ck_assert_str_eq(content("list"), "6\n7\n\f8\n\f1\n\f2\n\f3\n");
    ck_assert_uint_eq(spool_count(spool, "LINUX1", SPOOL_PUN), 1);
    ck_assert_uint_eq(spool_count(spool, "LINUX1", SPOOL_RDR), 1);
}
END_TEST

/* A file in system hold stays, what comes behind it is put out; so does one that its owner holds,
 * too, until both have let it go. */
START_TEST(system_hold_keeps_it)
{
    struct spool_file *f = file("HELD", SPOOL_PRT, "1");
    change(f, system_hold);
    open_device();
    file("NEXT", SPOOL_PRT, "2");
    run();
    ck_assert_str_eq(content("list"), "2\n");
    change(f, hold);
    change(f, system_free);
    run();
    ck_assert_str_eq(content("list"), "2\n");
    change(f, system_hold);
    change(f, release);
    run();
    ck_assert_str_eq(content("list"), "2\n");
    change(f, system_free);
    run();
    ck_assert_str_eq(content("list"), "2\n\f1\n");
    ck_assert_uint_eq(spool_count(spool, "LINUX1", SPOOL_PRT), 0);
}
END_TEST

/* In a folder each has a file of its own, whose name no guest can choose freely. */
START_TEST(a_folder)
{
    char path[128];
    struct stat st;
    strcpy(device.file, "lists/");
    snprintf(path, sizeof path, "%s/lists", dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    open_device();
    struct spool_file *f = file("../../x y", SPOOL_PRT, "1");
    u16 id = spool_desc(f)->id;
    change(f, keep_twice);
    run();
    char name[64], second[80];
    snprintf(name, sizeof name, "lists/LINUX1-%04u-.._.._x_y", id);
    snprintf(second, sizeof second, "%s-2", name);
    ck_assert_ptr_nonnull(content(name));
    ck_assert_str_eq(content(name), "1\n\f1\n");
    ck_assert(spool_desc(f)->hold && spool_desc(f)->keep && !spool_desc(f)->open);
    change(f, release);
    run();
    ck_assert_str_eq(content(second), "1\n\f1\n");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert(spool_purge(spool, f));
}
END_TEST

START_TEST(a_punch)
{
    device = (struct config_device){.devno = 0xd, .type = 0x3525, .carriage = UNITREC_CARDS};
    strcpy(device.file, "deck");
    open_device();
    file("CARDS", SPOOL_PUN, "123");
    file("LIST", SPOOL_PRT, "4");
    run();
    ck_assert_str_eq(content("deck"), "1\n2\n3\n");
    ck_assert_uint_eq(spool_count(spool, "LINUX1", SPOOL_PRT), 1);
}
END_TEST

static void limit(rlim_t bytes)
{
    struct rlimit r;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* A full disk: the file waits, is not to be purged, and goes on where it was; FLUSH and BACKSPACE
 * work on it. */
START_TEST(full_disk)
{
    struct real_output_info info;
    signal(SIGXFSZ, SIG_IGN);
    open_device();
    struct spool_file *f = file("LONG", SPOOL_PRT, "1/2/3/4/5");
    limit(5);
    while (real_output_step(out) != REAL_OUTPUT_WAIT)
        ;
    ck_assert_int_eq(real_output_step(out), REAL_OUTPUT_WAIT);
    real_output_info(out, &info);
    ck_assert(info.trouble && info.file == spool_desc(f) && info.started);
    ck_assert(!spool_purge(spool, f));
    limit(RLIM_INFINITY);
    run();
    ck_assert_str_eq(content("list"), "1\n\f2\n\f3\n\f4\n\f5\n");
    file("AGAIN", SPOOL_PRT, "6/7/8");
    limit(20);
    while (real_output_step(out) != REAL_OUTPUT_WAIT)
        ;
    ck_assert(real_output_backspace(out, 1));
    limit(RLIM_INFINITY);
    run();
    ck_assert_str_eq(content("list"), "1\n\f2\n\f3\n\f4\n\f5\n\f6\n\f7\n\f6\n\f7\n\f8\n");
    f = file("HELD", SPOOL_PRT, "9");
    limit(30);
    while (real_output_step(out) != REAL_OUTPUT_WAIT)
        ;
    ck_assert(real_output_flush(out, true));
    ck_assert(spool_desc(f)->hold && !spool_desc(f)->open);
    ck_assert(!real_output_flush(out, true) && !real_output_backspace(out, 1));
    change(f, release);
    while (real_output_step(out) != REAL_OUTPUT_WAIT)
        ;
    ck_assert(real_output_flush(out, false));
    ck_assert_uint_eq(spool_count(spool, "LINUX1", SPOOL_PRT), 0);
    limit(RLIM_INFINITY);
}
END_TEST

static unsigned told;

static void hear(void *ctx, char severity, const char *text)
{
    (void)ctx;
    told += severity == 'E' && strstr(text, "ended with status 3") != NULL;
}

/* The program has the file's path, and what is known of it; the next file waits for its end. */
START_TEST(a_program)
{
    char path[128];
    strcpy(device.program, "after");
    snprintf(path, sizeof path, "%s/after", dir);
    FILE *f = fopen(path, "w");
    fprintf(f,
            "#!/bin/sh\ncd %s\necho $SPOOL_OWNER $SPOOL_NAME $SPOOL_FORM $(wc -l <$1) >>told\n",
            dir);
    fprintf(f, "[ $SPOOL_NAME = FIRST ] || exit 3\n");
    fclose(f);
    ck_assert_int_eq(chmod(path, 0700), 0);
    log_set_operator(hear, NULL);
    open_device();
    file("FIRST", SPOOL_PRT, "12");
    file("SECOND", SPOOL_PRT, "3");
    run();
    log_set_operator(NULL, NULL);
    ck_assert_str_eq(content("told"), "LINUX1 FIRST STANDARD 2\nLINUX1 SECOND STANDARD 3\n");
    ck_assert_uint_eq(told, 1);
}
END_TEST

/* What ends in the middle of a file leaves it in the spool, and nothing half in a folder. */
START_TEST(ends_in_the_middle)
{
    char path[128], command[160];
    strcpy(device.file, "lists/");
    snprintf(path, sizeof path, "%s/lists", dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    signal(SIGXFSZ, SIG_IGN);
    open_device();
    struct spool_file *f = file("F", SPOOL_PRT, "12345");
    limit(5);
    while (real_output_step(out) != REAL_OUTPUT_WAIT)
        ;
    real_output_destroy(out);
    limit(RLIM_INFINITY);
    snprintf(command, sizeof command, "[ -z \"$(ls -A %s)\" ]", path);
    ck_assert_int_eq(system(command), 0);
    ck_assert(!spool_desc(f)->open);
    open_device();
    run();
    ck_assert_uint_eq(spool_count(spool, "LINUX1", SPOOL_PRT), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_real_output");
    TCase *tc = tcase_create("real_output");
    tcase_add_checked_fixture(tc, begin, end);
    tcase_set_timeout(tc, 120); /* a limit for hangs, not a measure */
    tcase_add_test(tc, takes_what_it_is_to);
    tcase_add_test(tc, system_hold_keeps_it);
    tcase_add_test(tc, a_folder);
    tcase_add_test(tc, a_punch);
    tcase_add_test(tc, full_disk);
    tcase_add_test(tc, a_program);
    tcase_add_test(tc, ends_in_the_middle);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
