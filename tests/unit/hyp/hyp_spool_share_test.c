/* The spool of a cluster: three members in one process, their folders side by side. A file is seen,
 * read and changed from each of them; while one reads it nobody else touches it; what was not told
 * is seen all the same; members that are lost or down, ended at any moment or moved away from leave
 * each file there once. */
#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hyp/spool/spool_device.h"
#include "hyp/spool/spool_internal.h"
#include "tests/unit/io/io_fixture.h"

#define USERID "LINUX1"
#define MEMBERS 3
#define CSS_TAG 9

struct member {
    char folder[80];
    struct spool *spool;
    struct spool_cluster cluster;
    struct machine machine;
    struct reader *rdr; /* of USERID, when it is logged on here */
    unsigned news;
    bool lost[MEMBERS]; /* as it sees them */
};

static char root[32];
static struct member m[MEMBERS];
static bool deaf; /* nothing that is told arrives */
static unsigned last_sent;

static enum spool_reach reach(void *ctx, const char *member)
{
    const struct member *here = ctx;
    unsigned i = (unsigned)(member[0] - 'A');
    return i < MEMBERS && here->lost[i] ? SPOOL_LOST : SPOOL_REACHED;
}

static bool per_member(void *ctx, const char *userid)
{
    (void)ctx;
    return !strcmp(userid, "OPERATOR");
}

static void changed(void *ctx, const char *member, u64 serial)
{
    for (unsigned i = 0; i < MEMBERS && !deaf; i++)
        if (&m[i] != ctx && m[i].spool)
            spool_notice(m[i].spool, member, serial);
}

static void sent(void *ctx, const char *member, u64 serial, enum spool_queue from, u16 was)
{
    (void)ctx;
    (void)from;
    for (unsigned i = 0; i < MEMBERS; i++)
        if (m[i].spool && m[i].rdr && spool_by_serial(m[i].spool, member, serial))
            last_sent = i + 1 + 10u * was;
}

static void start_member(unsigned i, enum spool_start how)
{
    struct cause cause;
    ck_assert_msg(spool_create(m[i].folder, how, i + 1, &m[i].spool, &cause) == ST_OK, "%s",
                  cause.text);
    m[i].cluster = (struct spool_cluster){&m[i], reach, per_member, changed, sent};
    spool_set_cluster(m[i].spool, &m[i].cluster);
}

static void news(void *arg)
{
    ((struct member *)arg)->news++;
}

static void logon(unsigned i)
{
    m[i].rdr = reader_create(m[i].machine.css, 0x000c, false, NULL);
    reader_set_news(m[i].rdr, news, &m[i]);
    ck_assert_int_eq(spool_reader_attach(m[i].spool, USERID, 0x000c, m[i].rdr, NULL), ST_OK);
}

static void deliver(unsigned i)
{
    spool_deliver(m[i].spool, USERID);
}

static void logoff(unsigned i, bool moved)
{
    spool_readers_end(m[i].spool, USERID, moved);
    ck_assert_int_eq(css_detach(m[i].machine.css, 0x000c, false, NULL), ST_OK);
    m[i].rdr = NULL;
}

static void begin(void)
{
    strcpy(root, "/tmp/spool.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    memset(m, 0, sizeof m);
    deaf = false;
    for (unsigned i = 0; i < MEMBERS; i++) {
        snprintf(m[i].folder, sizeof m[i].folder, "%s/%c", root, (char)('A' + i));
        machine_init(&m[i].machine);
    }
    for (unsigned i = 0; i < MEMBERS; i++)
        start_member(i, SPOOL_WARM);
    for (unsigned i = 0; i < MEMBERS; i++)
        spool_look_anew(m[i].spool); /* the others have come */
}

static void end(void)
{
    char command[64];
    for (unsigned i = 0; i < MEMBERS; i++) {
        spool_destroy(m[i].spool);
        machine_fini(&m[i].machine);
    }
    snprintf(command, sizeof command, "rm -r %s", root);
    ck_assert_int_eq(system(command), 0);
}

static struct spool_file *add(unsigned i, const char *owner, const char *name)
{
    struct spool_desc desc;
    struct spool_data data;
    struct spool_file *f;
    struct cause cause;
    spool_desc_init(&desc, owner, SPOOL_RDR);
    strcpy(desc.name, name);
    spool_data_init(&data);
    ck_assert(spool_data_add_cards(&data, name, strlen(name)));
    int rc = spool_add(m[i].spool, &desc, &data, &f, &cause);
    ck_assert_msg(rc == ST_OK, "%s", cause.text);
    return f;
}

/* USERID's files as a member sees them, in their order; `+` behind what is held. */
static const char *seen(unsigned i)
{
    static char text[256];
    text[0] = 0;
    for (struct spool_file *f = NULL; (f = spool_next(m[i].spool, f));)
        if (!strcmp(spool_desc(f)->owner, USERID))
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s ",
                     spool_desc(f)->name, spool_desc(f)->hold ? "+" : "");
    return text;
}

static struct spool_file *get(unsigned i, const char *name)
{
    struct spool_file *f = NULL;
    while ((f = spool_next(m[i].spool, f)) && strcmp(spool_desc(f)->name, name))
        ;
    ck_assert_msg(f != NULL, "%s is not seen by %c", name, 'A' + (int)i);
    return f;
}

static unsigned on_disk(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < MEMBERS; i++) {
        DIR *dir = opendir(m[i].folder);
        for (struct dirent *e; (e = readdir(dir));)
            n += e->d_name[0] != '.';
        closedir(dir);
    }
    return n;
}

static int hold(unsigned i, const char *name, bool on, struct cause *cause)
{
    struct spool_file *f = get(i, name);
    struct spool_desc d = *spool_desc(f);
    d.hold = on;
    return spool_change(m[i].spool, f, &d, cause);
}

/* Device end of the reader since it was asked last. */
static bool attention(unsigned i)
{
    struct irb irb;
    u32 schid = css_find_devno(m[i].machine.css, 0x000c);
    bool came = false;
    while (tsch(&m[i].machine, schid, &irb) == 0)
        came |= irb.ds & 0x04;
    return came;
}

static enum reader_page read_page(unsigned i)
{
    u8 page[SPOOL_PAGE_BYTES];
    u32 number;
    enum reader_page rc = reader_next_page(m[i].rdr, page, &number);
    spool_sync(m[i].spool, USERID); /* as the loop does when it gets the news */
    return rc;
}

static void finish(unsigned i, enum reader_close how)
{
    reader_close(m[i].rdr, how);
    spool_sync(m[i].spool, USERID);
}

/* No two members give the same id, whatever they know of one another. */
START_TEST(ids)
{
    deaf = true;
    for (unsigned i = 0; i < 3 * MEMBERS; i++) {
        struct spool_file *f = add(i % MEMBERS, USERID, "X");
        ck_assert_uint_eq(spool_desc(f)->id % SPOOL_SLOTS, i % MEMBERS + 1);
    }
    spool_look(m[0].spool);
    for (struct spool_file *f = NULL; (f = spool_next(m[0].spool, f));)
        ck_assert_ptr_eq(spool_find(m[0].spool, USERID, spool_desc(f)->id), f);
    struct cause cause;
    struct spool_file *f = add(0, "LINUX2", "Y");
    spool_look(m[1].spool);
    f = get(1, "Y");
    ck_assert_int_eq(spool_transfer(m[1].spool, f, USERID, SPOOL_RDR, &cause), ST_OK);
    ck_assert_uint_eq(spool_desc(f)->id % SPOOL_SLOTS, 2);
    ck_assert_ptr_eq(spool_find(m[1].spool, USERID, spool_desc(f)->id), f);
}
END_TEST

START_TEST(seen_and_changed_everywhere)
{
    struct cause cause;
    deaf = _i; /* told, or seen at the next look */
    add(0, USERID, "ONE");
    add(1, USERID, "TWO");
    add(2, USERID, "THREE");
    for (unsigned i = 0; i < MEMBERS; i++) {
        spool_look(m[i].spool);
        ck_assert_str_eq(seen(i), "ONE TWO THREE ");
        ck_assert_uint_eq(spool_count(m[i].spool, USERID, SPOOL_RDR), 3);
    }
    ck_assert_int_eq(hold(1, "ONE", true, &cause), ST_OK);
    ck_assert_int_eq(spool_order(m[0].spool, get(0, "THREE"), &cause), ST_OK);
    for (unsigned i = 0; i < MEMBERS; i++) {
        spool_look(m[i].spool);
        ck_assert_str_eq(seen(i), "THREE ONE+ TWO ");
    }
    ck_assert_int_eq(spool_transfer(m[2].spool, get(2, "TWO"), "LINUX2", SPOOL_PUN, &cause),
                     ST_OK);
    ck_assert(spool_purge(m[1].spool, get(1, "ONE")));
    for (unsigned i = 0; i < MEMBERS; i++) {
        spool_look(m[i].spool);
        ck_assert_str_eq(seen(i), "THREE ");
        ck_assert_uint_eq(spool_count(m[i].spool, "LINUX2", SPOOL_PUN), 1);
    }
    ck_assert_uint_eq(on_disk(), 4);
    for (unsigned i = 0; i < MEMBERS; i++) { /* and after a new start of all */
        spool_destroy(m[i].spool);
        m[i].spool = NULL;
    }
    for (unsigned i = 0; i < MEMBERS; i++)
        start_member(i, SPOOL_WARM);
    for (unsigned i = 0; i < MEMBERS; i++)
        ck_assert_str_eq(seen(i), "THREE ");
}
END_TEST

/* Two change a file and neither has heard of the other: the second is told, and loses nothing. */
START_TEST(changed_meanwhile)
{
    struct cause cause;
    add(0, USERID, "ONE");
    deaf = true;
    ck_assert_int_eq(hold(1, "ONE", true, &cause), ST_OK);
    ck_assert_int_eq(hold(2, "ONE", false, &cause), ST_BUSY);
    ck_assert_msg(strstr(cause.text, "has just been changed") != NULL, "%s", cause.text);
    ck_assert(!spool_purge(m[0].spool, get(0, "ONE")));
    spool_look(m[2].spool);
    ck_assert_str_eq(seen(2), "ONE+ ");
    ck_assert(spool_purge(m[2].spool, get(2, "ONE")));
    ck_assert(!spool_purge(m[0].spool, get(0, "ONE")));
    spool_look(m[0].spool);
    ck_assert_str_eq(seen(0), "");
    ck_assert_uint_eq(on_disk(), 0);
}
END_TEST

/* A reader on one member reads what was punched on another. */
START_TEST(read_elsewhere)
{
    struct cause cause;
    struct spool_data data;
    logon(1);
    deliver(1);
    enable(&m[1].machine, css_find_devno(m[1].machine.css, 0x000c), 3);
    attention(1);
    struct spool_file *f = add(0, USERID, "ONE");
    ck_assert(attention(1));
    spool_sent(m[0].spool, USERID, spool_desc(f)->id, SPOOL_PUN, 7);
    ck_assert_uint_eq(last_sent, 72);
    ck_assert_int_eq(read_page(1), READER_PAGE_OK);
    ck_assert(spool_desc(get(1, "ONE"))->open);
    for (unsigned i = 0; i < MEMBERS; i += 2) { /* not from elsewhere, while it is open */
        ck_assert(!spool_purge(m[i].spool, get(i, "ONE")));
        ck_assert_int_eq(hold(i, "ONE", true, &cause), ST_BUSY);
        ck_assert_msg(strstr(cause.text, "is being read on another member") != NULL, "%s",
                      cause.text);
        ck_assert_int_eq(spool_transfer(m[i].spool, get(i, "ONE"), "LINUX2", SPOOL_RDR, &cause),
                         ST_BUSY);
        ck_assert_int_eq(spool_order(m[i].spool, get(i, "ONE"), &cause), ST_BUSY);
        ck_assert_int_eq(spool_load(m[i].spool, get(i, "ONE"), &data, &cause), ST_OK);
        spool_data_fini(&data);
    }
    ck_assert(!spool_purge(m[1].spool, get(1, "ONE")));
    finish(1, READER_CLOSE_RESET);
    ck_assert_int_eq(hold(2, "ONE", true, &cause), ST_OK); /* it is closed */
    ck_assert_int_eq(read_page(1), READER_PAGE_NO_FILE);   /* and held, everywhere */
    ck_assert_int_eq(hold(0, "ONE", false, &cause), ST_OK);
    ck_assert_int_eq(read_page(1), READER_PAGE_OK);
    ck_assert_int_eq(read_page(1), READER_PAGE_END);
    finish(1, READER_CLOSE_HOLD);
    for (unsigned i = 0; i < MEMBERS; i++)
        ck_assert_str_eq(seen(i), "ONE+ ");
    ck_assert_int_eq(hold(2, "ONE", false, &cause), ST_OK);
    ck_assert_int_eq(read_page(1), READER_PAGE_OK);
    finish(1, READER_CLOSE_GONE);
    for (unsigned i = 0; i < MEMBERS; i++)
        ck_assert_str_eq(seen(i), "");
    ck_assert_uint_eq(on_disk(), 0);
    ck_assert_ptr_null(m[1].spool->holds);
    logoff(1, false);
}
END_TEST

/* What has gone from under a reader that was not told is not read. */
START_TEST(gone_before_it_is_read)
{
    logon(1);
    deliver(1);
    add(0, USERID, "ONE");
    add(0, USERID, "TWO");
    ck_assert_uint_eq(reader_files(m[1].rdr), 2);
    deaf = true;
    ck_assert(spool_purge(m[0].spool, get(0, "ONE")));
    m[1].news = 0;
    ck_assert_int_eq(read_page(1), READER_PAGE_OK);
    ck_assert_uint_ge(m[1].news, 1);
    ck_assert_str_eq(
        spool_desc(spool_by_number(m[1].spool, USERID, reader_current(m[1].rdr)))->name, "TWO");
    spool_look(m[1].spool);
    ck_assert_str_eq(seen(1), "TWO ");
    ck_assert_uint_eq(reader_files(m[1].rdr), 1);
    finish(1, READER_CLOSE_GONE);
    ck_assert_uint_eq(on_disk(), 0);
    logoff(1, false);
}
END_TEST

/* Logged off on one member and on at another. */
START_TEST(logged_on_elsewhere)
{
    add(0, USERID, "ONE");
    logon(0);
    deliver(0);
    ck_assert_int_eq(read_page(0), READER_PAGE_OK);
    logoff(0, false);
    logon(2);
    deliver(2);
    ck_assert_uint_eq(reader_files(m[2].rdr), 1);
    ck_assert_int_eq(read_page(2), READER_PAGE_OK);
    ck_assert(!spool_purge(m[0].spool, get(0, "ONE")));
    logoff(2, false);
    ck_assert(spool_purge(m[0].spool, get(0, "ONE")));
    ck_assert_uint_eq(on_disk(), 0);
}
END_TEST

/* A member that cannot be reached: its files are shown, and neither read nor changed. When it is
 * there again, or is down, they are. */
START_TEST(lost)
{
    struct cause cause;
    add(0, USERID, "ONE");
    logon(1);
    deliver(1);
    enable(&m[1].machine, css_find_devno(m[1].machine.css, 0x000c), 3);
    add(1, USERID, "OWN");
    m[1].lost[0] = true;
    spool_reach_changed(m[1].spool);
    ck_assert_str_eq(seen(1), "ONE OWN ");
    ck_assert_uint_eq(reader_files(m[1].rdr), 1);
    ck_assert_int_eq(hold(1, "ONE", true, &cause), ST_REFUSED);
    ck_assert_msg(strstr(cause.text, "A's, which cannot be reached") != NULL, "%s", cause.text);
    ck_assert_int_eq(spool_remove(m[1].spool, get(1, "ONE"), &cause), ST_REFUSED);
    ck_assert_int_eq(hold(1, "OWN", true, &cause), ST_OK);
    ck_assert_int_eq(read_page(1), READER_PAGE_NO_FILE);
    attention(1);
    m[1].lost[0] = false;
    spool_reach_changed(m[1].spool);
    ck_assert(attention(1));
    ck_assert_int_eq(read_page(1), READER_PAGE_OK);
    m[1].lost[0] = true; /* what is open is read to its end */
    spool_reach_changed(m[1].spool);
    finish(1, READER_CLOSE_GONE);
    ck_assert_str_eq(seen(0), "OWN+ ");
    logoff(1, false);
}
END_TEST

/* A member is down while another reads its file, and starts again. */
START_TEST(down)
{
    enum spool_start how = (enum spool_start)_i;
    bool purges = how == SPOOL_COLD || how == SPOOL_CLEAN;
    add(0, USERID, "ONE");
    add(0, USERID, "TWO");
    add(1, USERID, "OTHER");
    spool_destroy(m[0].spool);
    m[0].spool = NULL;
    ck_assert_str_eq(seen(1), "ONE TWO OTHER ");
    logon(1);
    deliver(1);
    ck_assert_int_eq(read_page(1), READER_PAGE_OK);
    start_member(0, how);
    spool_look_anew(m[1].spool);
    ck_assert_str_eq(seen(0), purges ? "ONE OTHER " : "ONE TWO OTHER ");
    ck_assert_str_eq(seen(1), purges ? "ONE OTHER " : "ONE TWO OTHER ");
    ck_assert(!spool_purge(m[0].spool, get(0, "ONE")));
    finish(1, READER_CLOSE_GONE);
    ck_assert_str_eq(seen(0), purges ? "OTHER " : "TWO OTHER ");
    ck_assert_uint_eq(on_disk(), purges ? 2 : 4);
    logoff(1, false);
}
END_TEST

/* The files of an IDENTITY are for its instance on the member where they were made. */
START_TEST(instances)
{
    add(0, "OPERATOR", "ONE");
    add(1, "OPERATOR", "TWO");
    for (unsigned i = 0; i < MEMBERS; i++)
        ck_assert_uint_eq(spool_count(m[i].spool, "OPERATOR", SPOOL_RDR), i < 2);
    ck_assert_str_eq(spool_desc(spool_next(m[1].spool, NULL))->name, "TWO");
}
END_TEST

/* Pages count for the member in whose folder they are. */
START_TEST(space)
{
    for (unsigned i = 0; i < MEMBERS; i++)
        spool_volume_set(m[i].spool, 3, 10, false);
    add(0, USERID, "ONE");
    ck_assert_uint_eq(spool_volume_used(m[0].spool, 3), 1);
    ck_assert_uint_eq(spool_volume_used(m[1].spool, 3), 0);
    ck_assert(spool_purge(m[1].spool, get(1, "ONE")));
    ck_assert_uint_eq(spool_volume_used(m[0].spool, 3), 0);
}
END_TEST

/* ---- relocation ---- */

struct stream {
    struct codec_out css, spool;
};

static void save(unsigned i, struct stream *s)
{
    struct cause cause;
    spool_sync(m[i].spool, USERID);
    codec_out_init(&s->css);
    codec_out_init(&s->spool);
    ck_assert_msg(css_save(m[i].machine.css, CSS_TAG, &s->css, &cause) == ST_OK, "%s",
                  cause.text);
    spool_save(m[i].spool, USERID, &s->spool);
}

static bool restore(unsigned i, const struct stream *s)
{
    struct codec_in in, block;
    struct codec_row row;
    struct cause cause;
    codec_in_init(&in, s->css.data, s->css.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &block));
    ck_assert_msg(css_restore(m[i].machine.css, &block, &cause) == ST_OK, "%s", cause.text);
    codec_in_init(&in, s->spool.data, s->spool.len);
    return spool_restore(m[i].spool, USERID, &in);
}

static void stream_free(struct stream *s)
{
    codec_out_fini(&s->css);
    codec_out_fini(&s->spool);
}

static bool untouchable(const char *name)
{
    return !spool_purge(m[1].spool, get(1, name));
}

/* From A to C, with a file of B's open and one of A's that waits. */
START_TEST(relocated)
{
    struct stream s;
    bool given_up = _i;
    add(1, USERID, "ONE");
    add(0, USERID, "TWO");
    logon(0);
    deliver(0);
    ck_assert_int_eq(read_page(0), READER_PAGE_OK);
    logon(2);
    save(0, &s);
    ck_assert(untouchable("ONE"));
    ck_assert(restore(2, &s));
    ck_assert(untouchable("ONE"));
    stream_free(&s);
    if (given_up) {
        logoff(2, true); /* the destination never ran */
        ck_assert(untouchable("ONE"));
        ck_assert_str_eq(seen(1), "ONE TWO ");
        ck_assert_int_eq(read_page(0), READER_PAGE_END);
        finish(0, READER_CLOSE_GONE);
        ck_assert_str_eq(seen(2), "TWO ");
        logoff(0, false);
        ck_assert_uint_eq(on_disk(), 2);
        return;
    }
    add(1, USERID, "LATE"); /* behind the state that was sent */
    logoff(0, true);
    ck_assert(untouchable("ONE"));
    deliver(2);
    ck_assert_uint_eq(reader_files(m[2].rdr), 3);
    ck_assert_int_eq(read_page(2), READER_PAGE_END);
    ck_assert(untouchable("ONE"));
    finish(2, READER_CLOSE_GONE);
    for (unsigned i = 0; i < MEMBERS; i++)
        ck_assert_str_eq(seen(i), "TWO LATE ");
    ck_assert_int_eq(read_page(2), READER_PAGE_OK);
    finish(2, READER_CLOSE_GONE);
    ck_assert_uint_eq(on_disk(), 2);
    logoff(2, false);
}
END_TEST

/* What is purged while the machine moves is not there when it has come; what does not fit is
 * refused, and no file suffers. */
START_TEST(relocated_meanwhile)
{
    struct stream s;
    add(1, USERID, "ONE");
    add(0, USERID, "TWO");
    logon(0);
    deliver(0);
    save(0, &s);
    deaf = _i;
    ck_assert(spool_purge(m[1].spool, get(1, "ONE")));
    logon(2);
    ck_assert(restore(2, &s));
    ck_assert_uint_eq(reader_files(m[2].rdr), 1);
    logoff(2, true);
    for (size_t i = 0; i < s.spool.len; i++) {
        s.spool.data[i] ^= 0x81;
        logon(2);
        restore(2, &s);
        logoff(2, true);
        s.spool.data[i] ^= 0x81;
    }
    for (size_t len = 1; len < s.spool.len; len += 3) {
        struct codec_in in;
        codec_in_init(&in, s.spool.data, len);
        ck_assert(!spool_restore(m[2].spool, USERID, &in));
    }
    spool_look(m[1].spool);
    ck_assert_str_eq(seen(1), "TWO ");
    ck_assert_uint_eq(on_disk(), 2);
    stream_free(&s);
    logoff(0, false);
}
END_TEST

/* ---- kills ---- */

#define ROUNDS 12

/* Member B, in a process of its own, changes, moves and purges files of A until it is killed. */
static void work(int told)
{
    struct cause cause;
    for (unsigned i = 0; i < MEMBERS;
         i++) /* parent's locks and readers are not this process's */
        m[i].spool = NULL;
    start_member(1, SPOOL_WARM);
    for (unsigned round = 0;; round++) {
        struct spool_file *f = spool_next(m[1].spool, NULL);
        struct spool_desc d = *spool_desc(f);
        d.copies = round % 200 + 1;
        d.hold = round % 2;
        if (spool_change(m[1].spool, f, &d, &cause) ||
            spool_transfer(m[1].spool, f, round % 2 ? USERID : "LINUX2", SPOOL_RDR, &cause) ||
            spool_order(m[1].spool, f, &cause) || write(told, "+", 1) != 1)
            _exit(1);
    }
}

START_TEST(killed_while_changing)
{
    struct cause cause;
    char byte;
    add(0, USERID, "ONE");
    add(0, USERID, "TWO");
    spool_destroy(m[1].spool);
    m[1].spool = NULL;
    for (unsigned round = 0; round < ROUNDS; round++) {
        int fds[2];
        ck_assert_int_eq(pipe(fds), 0);
        pid_t child = fork();
        if (!child)
            work(fds[1]);
        close(fds[1]);
        for (unsigned i = 0; i < round % 5 + 1; i++)
            ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        close(fds[0]);
        for (unsigned i = 0; i < MEMBERS; i += 2) {
            unsigned n = 0;
            spool_look(m[i].spool);
            for (struct spool_file *f = NULL; (f = spool_next(m[i].spool, f)); n++) {
                struct spool_desc d = *spool_desc(f);
                ck_assert_uint_eq(d.records, 1);
                ck_assert_int_eq(spool_change(m[i].spool, f, &d, &cause), ST_OK);
            }
            ck_assert_uint_eq(n, 2);
        }
    }
    spool_destroy(m[0].spool);
    start_member(0, SPOOL_WARM);
    ck_assert_uint_eq(on_disk(), 4); /* nothing half-written is left */
}
END_TEST

/* A member that is killed while it reads another's file leaves it as it was. */
START_TEST(killed_while_reading)
{
    int fds[2];
    char byte;
    add(0, USERID, "ONE");
    spool_destroy(m[1].spool);
    m[1].spool = NULL;
    ck_assert_int_eq(pipe(fds), 0);
    pid_t child = fork();
    if (!child) {
        m[0].spool = m[2].spool = NULL;
        start_member(1, SPOOL_WARM);
        logon(1);
        deliver(1);
        if (read_page(1) != READER_PAGE_OK || write(fds[1], "+", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    ck_assert(!spool_purge(m[0].spool, get(0, "ONE")));
    ck_assert(!spool_purge(m[2].spool, get(2, "ONE")));
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    logon(2);
    deliver(2);
    ck_assert_int_eq(read_page(2), READER_PAGE_OK);
    finish(2, READER_CLOSE_GONE);
    ck_assert_uint_eq(on_disk(), 0);
    logoff(2, false);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

/* A member that is killed while a device writes: nobody sees the file until it is there again, when
 * it is held, everywhere. */
START_TEST(killed_while_writing)
{
    const u8 card[80] = {0xc1};
    int fds[2];
    char byte;
    spool_destroy(m[0].spool);
    m[0].spool = NULL;
    ck_assert_int_eq(pipe(fds), 0);
    pid_t child = fork();
    if (!child) {
        m[1].spool = m[2].spool = NULL;
        start_member(0, SPOOL_WARM);
        struct spool_device *dev =
            spool_device_create(m[0].spool, USERID, SPOOL_DEV_PUN, 0x000d, 'A');
        for (unsigned i = 0; i < 100; i++)
            if (spool_device_sink(dev, 0x000d, 0x41, card, sizeof card) != ST_OK)
                _exit(1);
        if (write(fds[1], "+", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    spool_look(m[1].spool);
    ck_assert_str_eq(seen(1), "");
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    spool_look_anew(m[1].spool);
    ck_assert_str_eq(seen(1), "");
    start_member(0, SPOOL_WARM);
    spool_look(m[1].spool);
    const struct spool_desc *d = spool_desc(spool_next(m[1].spool, NULL));
    ck_assert(d->hold && d->queue == SPOOL_PUN && d->records == 100);
    ck_assert_uint_eq(d->id % SPOOL_SLOTS, 1);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

static void pass(int fd, const void *bytes, size_t len)
{
    if (write(fd, bytes, len) != (ssize_t)len)
        _exit(1);
}

static void collect(int fd, struct codec_out *out)
{
    static u8 bytes[1 << 16];
    size_t len;
    ck_assert_int_eq(read(fd, &len, sizeof len), sizeof len);
    ck_assert_uint_le(len, sizeof bytes);
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, bytes + at, len - at);
        ck_assert_int_gt(n, 0);
        at += (size_t)n;
    }
    codec_out_init(out);
    ck_assert_ptr_nonnull(out->data = malloc(len));
    memcpy(out->data, bytes, len);
    out->len = len;
}

/* A machine on A has a file of B's open and moves to C. A is killed before C has taken its state,
 * or behind that; C reads on and the file is there once, and C's from the moment it came. */
START_TEST(source_killed)
{
    struct stream s;
    int fds[2];
    add(1, USERID, "ONE");
    spool_destroy(m[0].spool);
    m[0].spool = NULL;
    ck_assert_int_eq(pipe(fds), 0);
    pid_t child = fork();
    if (!child) {
        m[1].spool = m[2].spool = NULL;
        start_member(0, SPOOL_WARM);
        logon(0);
        deliver(0);
        read_page(0);
        save(0, &s);
        pass(fds[1], &s.css.len, sizeof s.css.len);
        pass(fds[1], s.css.data, s.css.len);
        pass(fds[1], &s.spool.len, sizeof s.spool.len);
        pass(fds[1], s.spool.data, s.spool.len);
        for (;;)
            pause();
    }
    collect(fds[0], &s.css);
    collect(fds[0], &s.spool);
    ck_assert(untouchable("ONE"));
    logon(2);
    if (!_i) {
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
    }
    ck_assert(restore(2, &s));
    ck_assert(untouchable("ONE"));
    if (_i) {
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
    }
    ck_assert(untouchable("ONE"));
    deliver(2);
    ck_assert_int_eq(read_page(2), READER_PAGE_END);
    finish(2, READER_CLOSE_GONE);
    ck_assert_str_eq(seen(1), "");
    ck_assert_uint_eq(on_disk(), 0);
    logoff(2, false);
    stream_free(&s);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

/* C is killed when it has taken the state: the machine goes on on A, with its file. */
START_TEST(destination_killed)
{
    struct stream s;
    int fds[2];
    char byte;
    add(1, USERID, "ONE");
    logon(0);
    deliver(0);
    ck_assert_int_eq(read_page(0), READER_PAGE_OK);
    save(0, &s);
    spool_destroy(m[2].spool);
    m[2].spool = NULL;
    ck_assert_int_eq(pipe(fds), 0);
    pid_t child = fork();
    if (!child) {
        m[0].spool = m[1].spool = NULL;
        start_member(2, SPOOL_WARM);
        logon(2);
        if (!restore(2, &s) || write(fds[1], "+", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    ck_assert(untouchable("ONE"));
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert(untouchable("ONE"));
    ck_assert_int_eq(read_page(0), READER_PAGE_END);
    finish(0, READER_CLOSE_GONE);
    ck_assert_uint_eq(on_disk(), 0);
    logoff(0, false);
    stream_free(&s);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

/* What a real printer puts out is nobody else's meanwhile; what it may put out is its member's. */
START_TEST(put_out)
{
    struct spool_file *f = add(0, USERID, "ONE");
    struct cause cause;
    ck_assert(spool_is_own(f) && !spool_is_own(get(1, "ONE")));
    ck_assert_int_eq(spool_transfer(m[0].spool, f, USERID, SPOOL_PRT, &cause), ST_OK);
    ck_assert(spool_open(m[0].spool, f));
    ck_assert(!spool_open(m[1].spool, get(1, "ONE")));
    ck_assert(!spool_purge(m[1].spool, get(1, "ONE")) && !spool_purge(m[0].spool, f));
    spool_close(m[0].spool, f);
    ck_assert(spool_purge(m[1].spool, get(1, "ONE")));
    ck_assert_str_eq(seen(0), "");
}
END_TEST

/* A file that somebody changes for long is passed over, and shows device end when that is done. */
START_TEST(passed_over)
{
    struct spool_change change;
    struct cause cause;
    add(0, USERID, "ONE");
    logon(1);
    deliver(1);
    enable(&m[1].machine, css_find_devno(m[1].machine.css, 0x000c), 3);
    ck_assert_int_eq(spool_change_begin(m[0].spool, get(0, "ONE"), &change, &cause), ST_OK);
    ck_assert_int_eq(read_page(1), READER_PAGE_NO_FILE);
    spool_change_end(&change);
    attention(1);
    ck_assert_int_eq(hold(0, "ONE", false, &cause), ST_OK);
    ck_assert(attention(1));
    ck_assert_int_eq(read_page(1), READER_PAGE_OK);
    logoff(1, false);
}
END_TEST

/* The ids of a slot are enough for its files; those of others do not count. */
START_TEST(as_many_as_ids)
{
    struct spool *s;
    struct spool_desc desc;
    struct spool_data data;
    struct cause cause;
    unsigned n = 0;
    int rc;
    ck_assert_int_eq(spool_create(NULL, SPOOL_WARM, 3, &s, &cause), ST_OK);
    do {
        spool_desc_init(&desc, USERID, SPOOL_RDR);
        spool_data_init(&data);
        ck_assert(spool_data_add_cards(&data, "x", 1));
        rc = spool_add(s, &desc, &data, NULL, &cause);
        spool_data_fini(&data);
    } while (!rc && ++n);
    ck_assert_int_eq(rc, ST_LIMIT);
    ck_assert_uint_eq(n, SPOOL_FILES_OF_SLOT_MAX);
    for (struct spool_file *f = NULL; (f = spool_next(s, f));)
        ck_assert_uint_eq(spool_desc(f)->id % SPOOL_SLOTS, 3);
    spool_destroy(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_spool_share");
    TCase *tc = tcase_create("share");
    tcase_add_checked_fixture(tc, begin, end);
    tcase_set_timeout(tc, 120); /* a limit for hangs, not a measure */
    tcase_add_test(tc, ids);
    tcase_add_loop_test(tc, seen_and_changed_everywhere, 0, 2);
    tcase_add_test(tc, changed_meanwhile);
    tcase_add_test(tc, read_elsewhere);
    tcase_add_test(tc, gone_before_it_is_read);
    tcase_add_test(tc, logged_on_elsewhere);
    tcase_add_test(tc, lost);
    tcase_add_loop_test(tc, down, SPOOL_WARM, SPOOL_CLEAN + 1);
    tcase_add_test(tc, instances);
    tcase_add_test(tc, space);
    tcase_add_loop_test(tc, relocated, 0, 2);
    tcase_add_loop_test(tc, relocated_meanwhile, 0, 2);
    tcase_add_test(tc, killed_while_changing);
    tcase_add_test(tc, killed_while_reading);
    tcase_add_test(tc, killed_while_writing);
    tcase_add_loop_test(tc, source_killed, 0, 2);
    tcase_add_test(tc, destination_killed);
    tcase_add_test(tc, put_out);
    tcase_add_test(tc, passed_over);
    tcase_add_test(tc, as_many_as_ids);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
