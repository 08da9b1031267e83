/* Three members in one process, their spool folders side by side, and what of a guest's spool
 * travels when it is relocated: for tests of the spool that members share. The world is that of the
 * test that includes this; begin and end are its fixture. */
#ifndef ENDICOTT_TESTS_UNIT_HYP_HYP_SPOOL_MEMBERS_H
#define ENDICOTT_TESTS_UNIT_HYP_HYP_SPOOL_MEMBERS_H

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

static inline enum spool_reach reach(void *ctx, const char *member)
{
    const struct member *here = ctx;
    unsigned i = (unsigned)(member[0] - 'A');
    return i < MEMBERS && here->lost[i] ? SPOOL_LOST : SPOOL_REACHED;
}

static inline bool per_member(void *ctx, const char *userid)
{
    (void)ctx;
    return !strcmp(userid, "OPERATOR");
}

static inline void changed(void *ctx, const char *member, u64 serial)
{
    for (unsigned i = 0; i < MEMBERS && !deaf; i++)
        if (&m[i] != ctx && m[i].spool)
            spool_notice(m[i].spool, member, serial);
}

static inline void sent(void *ctx, const char *member, u64 serial, enum spool_queue from,
                        u16 was)
{
    (void)ctx;
    (void)from;
    for (unsigned i = 0; i < MEMBERS; i++)
        if (m[i].spool && m[i].rdr && spool_by_serial(m[i].spool, member, serial))
            last_sent = i + 1 + 10u * was;
}

static inline void start_member(unsigned i, enum spool_start how)
{
    struct cause cause;
    ck_assert_msg(spool_create(m[i].folder, how, i + 1, &m[i].spool, &cause) == ST_OK, "%s",
                  cause.text);
    m[i].cluster = (struct spool_cluster){&m[i], reach, per_member, changed, sent};
    spool_set_cluster(m[i].spool, &m[i].cluster);
}

static inline void news(void *arg)
{
    ((struct member *)arg)->news++;
}

static inline void logon(unsigned i)
{
    m[i].rdr = reader_create(m[i].machine.css, 0x000c, false, NULL);
    reader_set_news(m[i].rdr, news, &m[i]);
    ck_assert_int_eq(spool_reader_attach(m[i].spool, USERID, 0x000c, m[i].rdr, NULL), ST_OK);
}

static inline void deliver(unsigned i)
{
    spool_deliver(m[i].spool, USERID);
}

static inline void logoff(unsigned i, bool moved)
{
    spool_readers_end(m[i].spool, USERID, moved);
    ck_assert_int_eq(css_detach(m[i].machine.css, 0x000c, false, NULL), ST_OK);
    m[i].rdr = NULL;
}

static inline void begin(void)
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

static inline void end(void)
{
    char command[64];
    for (unsigned i = 0; i < MEMBERS; i++) {
        spool_destroy(m[i].spool);
        machine_fini(&m[i].machine);
    }
    snprintf(command, sizeof command, "rm -r %s", root);
    ck_assert_int_eq(system(command), 0);
}

static inline struct spool_file *add(unsigned i, const char *owner, const char *name)
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
static inline const char *seen(unsigned i)
{
    static char text[256];
    text[0] = 0;
    for (struct spool_file *f = NULL; (f = spool_next(m[i].spool, f));)
        if (!strcmp(spool_desc(f)->owner, USERID))
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s ",
                     spool_desc(f)->name, spool_desc(f)->hold ? "+" : "");
    return text;
}

static inline struct spool_file *get(unsigned i, const char *name)
{
    struct spool_file *f = NULL;
    while ((f = spool_next(m[i].spool, f)) && strcmp(spool_desc(f)->name, name))
        ;
    ck_assert_msg(f != NULL, "%s is not seen by %c", name, 'A' + (int)i);
    return f;
}

static inline unsigned on_disk(void)
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

static inline int hold(unsigned i, const char *name, bool on, struct cause *cause)
{
    struct spool_file *f = get(i, name);
    struct spool_desc d = *spool_desc(f);
    d.hold = on;
    return spool_change(m[i].spool, f, &d, cause);
}

/* Device end of the reader since it was asked last. */
static inline bool attention(unsigned i)
{
    struct irb irb;
    u32 schid = css_find_devno(m[i].machine.css, 0x000c);
    bool came = false;
    while (tsch(&m[i].machine, schid, &irb) == 0)
        came |= irb.ds & 0x04;
    return came;
}

static inline enum reader_page read_page(unsigned i)
{
    u8 page[SPOOL_PAGE_BYTES];
    u32 number;
    enum reader_page rc = reader_next_page(m[i].rdr, page, &number);
    spool_sync(m[i].spool, USERID); /* as the loop does when it gets the news */
    return rc;
}

static inline void finish(unsigned i, enum reader_close how)
{
    reader_close(m[i].rdr, how);
    spool_sync(m[i].spool, USERID);
}

struct stream {
    struct codec_out css, spool;
};

static inline void save(unsigned i, struct stream *s)
{
    struct cause cause;
    spool_sync(m[i].spool, USERID);
    codec_out_init(&s->css);
    codec_out_init(&s->spool);
    ck_assert_msg(css_save(m[i].machine.css, CSS_TAG, &s->css, &cause) == ST_OK, "%s",
                  cause.text);
    spool_save(m[i].spool, USERID, &s->spool);
}

static inline bool restore(unsigned i, const struct stream *s)
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

static inline void stream_free(struct stream *s)
{
    codec_out_fini(&s->css);
    codec_out_fini(&s->spool);
}

/* Member B may not purge it. */
static inline bool untouchable(const char *name)
{
    return !spool_purge(m[1].spool, get(1, name));
}

#endif
