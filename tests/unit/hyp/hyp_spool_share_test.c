/* The spool of a cluster: three members in one process, their folders side by side. A file is seen,
 * read and changed from each of them; while one reads it nobody else touches it; what was not told
 * is seen all the same; members that are lost or down, or moved away from leave
 * each file there once. */
#include "tests/unit/hyp/hyp_spool_members.h"

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

/* Pages of what waits in the reader do not travel: who takes them finds them on the shared disk,
 * the same, or does not take the machine. */
START_TEST(pages_stay_on_the_disk)
{
    enum { MANY = 200 * CARD_BYTES };
    static char text[MANY + 1];
    struct stream s;
    struct spool_data data, there;
    struct cause cause;
    struct reader_file info;
    char path[128];
    memset(text, 'x', MANY);
    struct spool_file *f = add(1, USERID, "BIG");
    ck_assert(spool_purge(m[1].spool, f));
    struct spool_desc desc;
    spool_desc_init(&desc, USERID, SPOOL_RDR);
    strcpy(desc.name, "BIG");
    spool_data_init(&data);
    ck_assert(spool_data_add_cards(&data, text, MANY));
    ck_assert_int_eq(spool_add(m[1].spool, &desc, &data, &f, &cause), ST_OK);
    spool_data_fini(&data);
    logon(0);
    deliver(0);
    save(0, &s);
    ck_assert_msg(s.css.len < SPOOL_PAGE_BYTES, "%zu bytes", s.css.len);
    logon(2);
    ck_assert(restore(2, &s));
    ck_assert(!reader_awaits(m[2].rdr, 0));
    ck_assert(reader_file_info(m[2].rdr, 0, &info) && info.records == 200);
    ck_assert(reader_file_pages(m[2].rdr, info.number, &there));
    ck_assert_int_eq(spool_load(m[1].spool, get(1, "BIG"), &data, &cause), ST_OK);
    ck_assert_uint_eq(spool_data_bytes(&data), spool_data_bytes(&there));
    ck_assert_mem_eq(data.page, there.page, spool_data_bytes(&data));
    spool_data_fini(&data);
    spool_data_fini(&there);
    logoff(2, true);
    snprintf(path, sizeof path, "%s/%08llx.data", m[1].folder, (unsigned long long)f->serial);
    ck_assert_int_eq(truncate(path, SPOOL_PAGE_BYTES), 0);
    logon(2);
    ck_assert(!restore(2, &s));
    ck_assert(reader_awaits(m[2].rdr, 0));
    logoff(2, true);
    stream_free(&s);
    logoff(0, false);
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

/* --- a file that is open while its user moves --- */

#define CARDS_MAX 300u
#define PUNCH_CARD 0x41

static struct spool_device *punch(unsigned i)
{
    return spool_device_create(m[i].spool, USERID, SPOOL_DEV_PUN, 0x000d, 'A');
}

static unsigned cards; /* that have been punched, each with its number */

static void card(struct spool_device *dev)
{
    u8 bytes[CARD_BYTES];
    memset(bytes, 0x40, sizeof bytes);
    be32_store(bytes, 0xc1000000u + cards++);
    bytes[4] = 0xc1; /* what is blank at the end is not kept */
    ck_assert_int_eq(spool_device_sink(dev, 0x000d, PUNCH_CARD, bytes, sizeof bytes), ST_OK);
}

/* Its machine stands still at `from` and has been made at `to`. */
static struct spool_device *comes(unsigned from, unsigned to)
{
    struct codec_out out;
    struct codec_in in;
    struct cause cause;
    struct spool_device *dev = punch(to);
    codec_out_init(&out);
    spool_devices_moving(m[from].spool, USERID, true);
    ck_assert_int_eq(spool_devices_save(m[from].spool, USERID, &out, &cause), ST_OK);
    codec_in_init(&in, out.data, out.len);
    ck_assert(spool_devices_restore(m[to].spool, USERID, &in));
    codec_out_fini(&out);
    return dev;
}

static struct spool_device *moves(unsigned from, unsigned to)
{
    struct spool_device *dev = comes(from, to);
    spool_devices_end(m[from].spool, USERID, true);
    spool_devices_arrived(m[to].spool, USERID);
    return dev;
}

/* Each card is there once, in its order. */
static void all_there(unsigned i, struct spool_file *file)
{
    struct spool_data data;
    struct spool_place place = {0};
    struct spool_record record;
    struct cause cause;
    unsigned n = 0;
    ck_assert_int_eq(spool_load(m[i].spool, file, &data, &cause), ST_OK);
    while (spool_data_next(&data, &place, &record))
        ck_assert_uint_eq(be32_load(record.bytes), 0xc1000000u + n++);
    ck_assert_uint_eq(n, cards);
    ck_assert_uint_eq(spool_desc(file)->records, cards);
    spool_data_fini(&data);
}

static struct spool_file *closed(struct spool_device *dev)
{
    struct spool_file *file;
    struct cause cause;
    u16 was;
    ck_assert_msg(spool_device_close(dev, NULL, &file, &was, &cause) == ST_OK, "%s",
                  cause.text);
    ck_assert_ptr_nonnull(file);
    return file;
}

/* Round about, with a card, or with several pages of them, in between: [O1]. */
START_TEST(open_files_go_along)
{
    static const unsigned some[] = {1, 44, 45, 100};
    struct spool_device *dev = punch(0);
    u16 id, then;
    cards = 0;
    for (unsigned leg = 0; leg < 2 * MEMBERS; leg++) {
        for (unsigned k = 0; k < some[_i]; k++)
            card(dev);
        ck_assert(spool_device_open(dev, &id));
        dev = moves(leg % MEMBERS, (leg + 1) % MEMBERS);
        ck_assert(spool_device_open(dev, &then));
        ck_assert_uint_eq(then, id);
        ck_assert_uint_eq(on_disk(), 1);
    }
    card(dev);
    all_there(0, closed(dev));
    ck_assert_uint_eq(on_disk(), 2);
    spool_devices_end(m[0].spool, USERID, false);
}
END_TEST

/* While it is between members nobody closes or purges it; it stays when its user stays. */
START_TEST(open_files_stay)
{
    struct spool_device *dev = punch(0);
    struct spool_file *file;
    struct cause cause;
    u16 id;
    cards = 0;
    for (unsigned k = 0; k < 50; k++)
        card(dev);
    comes(0, 1);
    ck_assert_int_eq(spool_device_close(dev, NULL, &file, &id, &cause), ST_BUSY);
    spool_device_purge(dev);
    spool_devices_end(m[1].spool, USERID, true); /* it gives up */
    ck_assert_uint_eq(on_disk(), 1);
    spool_devices_moving(m[0].spool, USERID, false);
    card(dev);
    all_there(0, closed(dev));
    card(dev); /* the next file; its user logs off while it is between members */
    comes(0, 1);
    spool_devices_end(m[1].spool, USERID, true);
    spool_devices_moving(m[0].spool, USERID, false);
    spool_devices_end(m[0].spool, USERID, false);
    ck_assert_uint_eq(on_disk(), 4);
}
END_TEST

/* The old member ends behind the hand-over and starts again before the new one has taken the file:
 * it is closed there, in hold, and there once. */
START_TEST(open_files_outlive_members)
{
    struct spool_device *dev = punch(0);
    struct spool_file *f = NULL;
    u16 id;
    cards = 0;
    for (unsigned k = 0; k < 90; k++)
        card(dev);
    dev = comes(0, 1);
    spool_devices_end(m[0].spool, USERID, true);
    spool_destroy(m[0].spool);
    start_member(0, SPOOL_WARM);
    spool_look_anew(m[0].spool);
    spool_devices_arrived(m[1].spool, USERID);
    ck_assert(!spool_device_open(dev, &id));
    f = spool_next(m[0].spool, NULL);
    ck_assert(f && spool_desc(f)->hold);
    all_there(0, f);
    ck_assert_ptr_null(spool_next(m[0].spool, f));
    cards = 0; /* and the other way round: the new one ends when it has it */
    card(dev);
    dev = moves(1, 2);
    card(dev);
    spool_devices_moving(m[2].spool, USERID, true);
    spool_devices_end(m[2].spool, USERID, true); /* as a kill leaves it */
    spool_destroy(m[2].spool);
    start_member(2, SPOOL_WARM);
    spool_look_anew(m[2].spool);
    f = NULL;
    while ((f = spool_next(m[2].spool, f)) && spool_desc(f)->records != 2)
        ;
    ck_assert(f && spool_desc(f)->hold);
    all_there(2, f);
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
    tcase_add_test(tc, pages_stay_on_the_disk);
    tcase_add_loop_test(tc, relocated_meanwhile, 0, 2);
    tcase_add_test(tc, put_out);
    tcase_add_test(tc, passed_over);
    tcase_add_test(tc, as_many_as_ids);
    tcase_add_loop_test(tc, open_files_go_along, 0, 4);
    tcase_add_test(tc, open_files_stay);
    tcase_add_test(tc, open_files_outlive_members);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
