/* One directory for all members: what each has at a join and after changes; members with one
 * folder, and with folders of their own; who was away; changes made apart from one another; damaged
 * and hostile messages.
 * Run alone: tests/run unit/hyp_directory_ssi_test */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/cp/cp_directory.h"
#include "tests/lib/cp_world.h"

static char folder[512], path[2][560];

static const char base[] = "IDENTITY OPERATOR OPER 32M 64M ABCDEFG\n CONSOLE 9 3215\n"
                           "USER LINUX1 SECRET 512M 2G G\n CONSOLE 9 3215\n";

static void write_file(int member, const char *text)
{
    FILE *f = fopen(path[member], "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static bool file_has(int member, const char *part)
{
    char text[4096];
    FILE *f = fopen(path[member], "r");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return strstr(text, part) != NULL;
}

/* `apart`: each has a folder of its own, with the same text. */
static void files(bool apart)
{
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "%s/%d", folder, apart ? i : 0);
        mkdir(path[i], 0700);
        strcat(path[i], "/user.direct");
        write_file(i, base);
    }
    for (int i = 0; i < 2; i++)
        cp_set_directory_file(cps[i], path[i]);
}

static void setup(void)
{
    const char *tmp = getenv("TEST_TMP");
    snprintf(folder, sizeof folder, "%s/endicott-dirssi-XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    on(1, "", "LOGON OPERATOR OPER");
}

static void teardown(void)
{
    char command[600];
    cp_world_teardown();
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static void well(int member, const char *command)
{
    const char *text = on(member, "OPERATOR", command);
    ck_assert_msg(resp.rc == 0, "%s: %s", command, text);
}

static u64 generation(int member)
{
    return cps[member]->online.versions.now.generation;
}

/* The storage that LINUX1 has in the directory that is online at a member, in MiB. */
static unsigned storage(int member)
{
    return (unsigned)(directory_find(cp_directory(cps[member]), "LINUX1")->storage_bytes >> 20);
}

/* As at a join or a link that heals: both export, both vote, both are told. */
static int join(struct cause *cause)
{
    int status = ST_OK;
    for (int i = 0; i < 2 && !status; i++) {
        struct codec_out out;
        codec_out_init(&out);
        cp_directory_export(cps[i], &out);
        ck_assert(!out.failed);
        status =
            cp_directory_check(cps[1 - i], i ? "MEMBERB" : "MEMBERA", out.data, out.len, cause);
        codec_out_fini(&out);
    }
    link_up = !status;
    for (int i = 0; i < 2 && !status; i++)
        cp_directory_joined(cps[i], i ? "MEMBERA" : "MEMBERB");
    return status;
}

static void joins(void)
{
    struct cause cause = {0};
    ck_assert_msg(join(&cause) == ST_OK, "%s", cause.text);
}

static void refused(const char *why)
{
    struct cause cause = {0};
    ck_assert_int_eq(join(&cause), ST_REFUSED);
    ck_assert_msg(strstr(cause.text, why) != NULL, "%s", cause.text);
}

/* The process ends and begins: what it had online is in its file, or gone. */
static void starts(int member)
{
    cps[member]->online.versions = (struct dir_versions){0};
    cp_remote_lost(cps[member], member ? "MEMBERA" : "MEMBERB");
    cp_set_directory_file(cps[member], path[member]);
}

/* A change on any member is online on all, at once. */
START_TEST(a_change_reaches_all)
{
    files(_i);
    well(0, "DIRM FOR LINUX1 STORAGE 1G");
    ck_assert_uint_eq(storage(0), 1024);
    ck_assert_uint_eq(storage(1), 1024);
    ck_assert_uint_eq(generation(1), 1);
    ck_assert(console_has(1, "OPERATOR", "HCPDRM606I Generation 1 .*MEMBERA"));
    well(1, "DIRM FOR LINUX1 STORAGE 256M"); /* with folders apart, by A, which has the file */
    ck_assert_uint_eq(storage(0), 256);
    ck_assert_uint_eq(storage(1), 256);
    ck_assert_uint_eq(generation(0), 2);
    ck_assert_uint_eq(generation(1), 2);
    ck_assert(file_has(0, "256M"));
    ck_assert(file_has(1, _i ? "512M" : "256M"));
    ck_assert_ptr_nonnull(strstr(on(1, "OPERATOR", "DIRM HISTORY"), "STORAGE 256M #2"));
}
END_TEST

/* By hand and DIRECT. */
START_TEST(edited_and_put_online)
{
    files(_i);
    write_file(0, "USER LINUX1 X 64M\nIDENTITY OPERATOR OPER 32M 64M ABCDEFG\n");
    ck_assert_uint_eq(storage(0), 512);
    well(0, "DIRMAINT DIRECT");
    ck_assert_uint_eq(storage(0), 64);
    ck_assert_uint_eq(storage(1), 64);
    ck_assert_uint_eq(generation(1), 1);
    struct cause cause = {0};
    struct dir_file f; /* an editor under the lock: whoever looks tells the others */
    ck_assert_int_eq(dir_file_open(path[0], &f, &cause), ST_OK);
    ck_assert_int_eq(dir_file_replace(&f, base, "editor", "x", &cause), ST_OK);
    dir_file_close(&f);
    on(0, "OPERATOR", "XAUTOLOG NOBODY");
    ck_assert_uint_eq(storage(0), 512);
    ck_assert_uint_eq(storage(1), 512);
}
END_TEST

/* Away between two changes: it has them when it comes back, before anybody logs on. */
START_TEST(who_was_away_catches_up)
{
    files(_i);
    joins();
    well(0, "DIRM FOR LINUX1 STORAGE 1G");
    link_up = false;
    well(0, "DIRM FOR LINUX1 STORAGE 2G");
    well(0, "DIRM FOR LINUX1 MAXSTORAGE 4G");
    ck_assert_uint_eq(storage(1), 1024);
    joins();
    ck_assert_uint_eq(storage(1), 2048);
    ck_assert_uint_eq(generation(1), 3);
    well(1, "DIRM FOR LINUX1 STORAGE 128M");
    ck_assert_uint_eq(storage(0), 128);
}
END_TEST

/* The other way round: who is joined is behind who comes. */
START_TEST(who_comes_is_ahead)
{
    files(true);
    link_up = false;
    well(1, "DIRM FOR LINUX1 STORAGE 1G");
    joins();
    ck_assert_uint_eq(storage(0), 1024);
    well(0, "DIRM FOR LINUX1 STORAGE 64M");
    ck_assert(file_has(1, "64M"));
    ck_assert_uint_eq(storage(1), 64);
}
END_TEST

/* [G1] Changed on both sides: nobody's is overwritten, and the two do not join. */
START_TEST(changed_apart)
{
    files(true);
    joins();
    well(0, "DIRM FOR LINUX1 STORAGE 1G");
    link_up = false;
    for (int i = 0; i < _i; i++)
        well(0, "DIRM FOR LINUX1 STORAGE 2G");
    write_file(1, "USER LINUX1 SECRET 16M\nIDENTITY OPERATOR OPER 32M 64M ABCDEFG\n");
    cps[1]->online.from[0] = 0; /* as after a start of its own */
    struct cause cause = {0};
    ck_assert_int_eq(cp_directory_load(cps[1], &cause), ST_OK);
    well(1, "DIRMAINT DIRECT");
    refused("DIRMAINT DIRECT");
    refused("nor one that was");
    ck_assert_uint_eq(storage(1), 16);
    ck_assert(file_has(0, _i ? "2G" : "1G"));
    write_file(1, base); /* mended */
    cp_set_directory_file(cps[1], path[1]);
    unlink(strcat(path[1], ".history"));
    path[1][strlen(path[1]) - 8] = 0;
    cps[1]->online.versions.now.generation = 0;
    cp_set_directory_file(cps[1], path[1]);
    cps[1]->online.versions.now.generation = 0;
    joins();
    ck_assert_uint_eq(storage(1), _i ? 2048 : 1024);
}
END_TEST

/* [G4] A file that was edited and is not online: who joins with it takes what is online, whether
 * or not that was ever changed; who is joined with one keeps it, and gives it to who joins. */
START_TEST(edited_and_not_online)
{
    static const char edited[] =
        "USER LINUX1 SECRET 16M\nIDENTITY OPERATOR OPER 32M 64M ABCDEFG\n";
    files(true);
    link_up = false;
    if (_i & 1)
        well(0, "DIRM FOR LINUX1 STORAGE 1G");
    int hand = _i >> 1; /* whose file it is; MEMBERB joins */
    write_file(hand, edited);
    starts(hand);
    ck_assert_uint_eq(storage(hand), 16);
    unsigned running = storage(0);
    cluster_mode[1] = "Isolated";
    struct cause cause = {0};
    int status = join(&cause);
    cluster_mode[1] = "Stable";
    ck_assert_msg(status == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(storage(0), running);
    ck_assert_uint_eq(storage(1), running);
    ck_assert(!cp_directory_behind(cps[1]));
    ck_assert(file_has(hand, "16M"));
    if (hand)
        ck_assert(console_has(1, "OPERATOR", "HCPDRM608W user.direct of MEMBERB .*MEMBERA"));
    well(1, "DIRECTXA"); /* by MEMBERA, which has the file of what is online */
    ck_assert_uint_eq(storage(1), running);
    ck_assert_uint_eq(generation(0), generation(1));
}
END_TEST

/* While a member cannot be seen nothing is changed; looking is no change. */
START_TEST(safe_mode_refuses)
{
    files(false);
    cluster_mode[0] = "Safe";
    on(0, "OPERATOR", "DIRM FOR LINUX1 STORAGE 1G");
    ck_assert_int_eq(resp.rc, 600);
    on(0, "OPERATOR", "DIRMAINT DIRECT");
    ck_assert_int_eq(resp.rc, 600);
    ck_assert_ptr_nonnull(strstr(resp.messages[0].text, "Safe mode"));
    well(0, "DIRM FOR LINUX1 REVIEW");
    ck_assert(file_has(0, "512M"));
    ck_assert_uint_eq(generation(0), 0);
    cluster_mode[0] = "Stable";
    well(0, "DIRM FOR LINUX1 STORAGE 1G");
}
END_TEST

static struct codec_out have_of(int member)
{
    struct codec_out out;
    codec_out_init(&out);
    cp_directory_export(cps[member], &out);
    return out;
}

/* [G2] Known, and not yet here: nobody logs on; the member that had it is lost: they do. */
START_TEST(nobody_logs_on_behind)
{
    files(true);
    link_up = false;
    well(0, "DIRM FOR LINUX1 STORAGE 1G");
    struct codec_out have = have_of(0);
    link_up = link_deaf = true; /* what it asks for does not come */
    cp_remote_receive(cps[1], "MEMBERA", CP_DIRECTORY_TYPES, have.data, have.len);
    codec_out_fini(&have);
    REFUSED(on(1, "", "LOGON LINUX1 SECRET"), 92, "HCPLGA092E");
    REFUSED(on(1, "OPERATOR", "XAUTOLOG LINUX1"), 59, "HCPAUT059E");
    cp_remote_lost(cps[1], "MEMBERA");
    link_deaf = false;
    well(1, "XAUTOLOG LINUX1");
    ck_assert_uint_eq(storage(1), 512);
    joins();
    ck_assert_uint_eq(storage(1), 1024);
}
END_TEST

/* [G3] A text that is not what was told is not online; nor is anything of bytes that are noise. */
START_TEST(damaged_messages)
{
    files(true);
    link_up = false;
    well(0, "DIRM FOR LINUX1 STORAGE 1G");
    struct codec_out have = have_of(0);
    link_up = link_deaf = true;
    cp_remote_receive(cps[1], "MEMBERA", CP_DIRECTORY_TYPES, have.data, have.len);
    const struct dir_version *v = &cps[0]->online.versions.now;
    struct codec_out out;
    codec_out_init(&out);
    codec_put_u64(&out, CODEC_MANDATORY | 1, v->generation);
    codec_put_u64(&out, CODEC_MANDATORY | 2, v->digest);
    codec_put_u32(&out, CODEC_MANDATORY | 4, 9);
    codec_put_u32(&out, CODEC_MANDATORY | 5, 0);
    codec_put_bytes(&out, CODEC_MANDATORY | 6, "USER A B\n", 9);
    cp_remote_receive(cps[1], "MEMBERA", CP_DIRECTORY_TYPES + 2, out.data, out.len);
    ck_assert(console_has(1, "OPERATOR", "HCPDRM607E .*damaged"));
    ck_assert_uint_eq(storage(1), 512);
    cp_remote_receive(cps[1], "MEMBERA", CP_DIRECTORY_TYPES + 2, out.data, out.len); /* again */
    u32 noise = 1;
    for (unsigned i = 0; i < 20000; i++) {
        u8 bytes[600];
        const struct codec_out *from = i % 2 ? &have : &out;
        size_t n = from->len < sizeof bytes ? from->len : sizeof bytes;
        memcpy(bytes, from->data, n);
        noise = noise * 1103515245u + 12345;
        bytes[(noise >> 8) % n] ^= (u8)(1u << (noise >> 28 & 7));
        if (i % 7 == 0)
            n = (noise >> 4) % n;
        cp_remote_receive(cps[1], "MEMBERA", (u16)(CP_DIRECTORY_TYPES + (noise >> 20) % 4),
                          bytes, n);
    }
    ck_assert_uint_eq(storage(1), 512);
    codec_out_fini(&have);
    codec_out_fini(&out);
    cp_remote_lost(cps[1], "MEMBERA");
    link_deaf = false;
    joins();
    ck_assert_uint_eq(storage(1), 1024);
}
END_TEST

/* More than one message's worth. */
START_TEST(large_directory)
{
    static char text[3u << 20];
    size_t n = (size_t)sprintf(text, "%s", base);
    for (unsigned i = 0; i < 20000; i++)
        n += (size_t)sprintf(text + n, "USER U%05u NOLOG 16M\n CONSOLE 9 3215\n", i);
    files(true);
    write_file(0, text);
    well(0, "DIRMAINT DIRECT");
    ck_assert_uint_eq(directory_count(cp_directory(cps[1])), 20002);
    ck_assert_str_eq(cps[1]->online.text, text);
}
END_TEST

/* Many changes. */
START_TEST(long_away)
{
    files(true);
    joins();
    link_up = false;
    for (unsigned i = 0; i < 40; i++)
        well(0, i % 2 ? "DIRM FOR LINUX1 STORAGE 1G" : "DIRM FOR LINUX1 STORAGE 2G");
    joins();
    ck_assert_uint_eq(generation(1), 40);
    ck_assert_uint_eq(storage(1), 1024);
}
END_TEST

/* --- any order of changes, losses and starts --- */

#define STEPS 120

static unsigned parent[STEPS + 2]; /* of version n, which gives LINUX1 n + 16 MiB */

static unsigned online(int member)
{
    return storage(member) == 512 ? 0 : storage(member) - 16;
}

static bool descends(unsigned from, unsigned version)
{
    while (version != from && version)
        version = parent[version];
    return version == from;
}

/* Afterwards both have what was made from what both had, or it was made apart. */
static void meet(bool apart)
{
    unsigned had[2] = {online(0), online(1)};
    struct cause cause = {0};
    int status = join(&cause);
    if (status) {
        ck_assert_int_eq(status, ST_REFUSED);
        ck_assert_msg(apart && !descends(had[0], had[1]) && !descends(had[1], had[0]),
                      "%u and %u do not join: %s", had[0], had[1], cause.text);
        return;
    }
    ck_assert_uint_eq(online(0), online(1));
    for (int i = 0; i < 2; i++)
        ck_assert_msg(descends(had[i], online(i)), "%u is lost, %u is there", had[i],
                      online(i));
    ck_assert(!cp_directory_behind(cps[0]) && !cp_directory_behind(cps[1]));
}

START_TEST(any_order)
{
    const bool apart = _i % 2;
    u32 seed = (u32)_i * 2654435761u + 1;
    unsigned made = 0, refusals = 0;
    files(apart);
    joins();
    for (unsigned step = 0; step < STEPS && refusals < 20; step++) {
        seed = seed * 1103515245u + 12345;
        int member = (int)(seed >> 16 & 1);
        switch (seed >> 18 & 7) {
        case 0:
            link_up = false;
            for (int i = 0; i < 2; i++)
                cp_remote_lost(cps[i], i ? "MEMBERA" : "MEMBERB");
            break;
        case 1:
            link_up = false;
            starts(member);
            break;
        case 2:
        case 3:
            meet(apart);
            refusals += !link_up;
            break;
        default: {
            char command[64];
            snprintf(command, sizeof command, "DIRM FOR LINUX1 STORAGE %uM", made + 1 + 16);
            const unsigned base_of = online(member), before = online(1 - member);
            on(member, "OPERATOR", command);
            if (resp.rc)
                break; /* a satellite without its main */
            made++;
            ck_assert_uint_eq(online(member), made);
            parent[made] = apart ? base_of : made - 1; /* one file: of what is in it */
            ck_assert_uint_eq(online(1 - member), link_up ? made : before);
        }
        }
    }
    ck_assert_uint_gt(made, 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_directory_ssi");
    TCase *tc = tcase_create("directory");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_change_reaches_all, 0, 2);
    tcase_add_loop_test(tc, edited_and_put_online, 0, 2);
    tcase_add_loop_test(tc, who_was_away_catches_up, 0, 2);
    tcase_add_test(tc, who_comes_is_ahead);
    tcase_add_loop_test(tc, changed_apart, 0, 2);
    tcase_add_loop_test(tc, edited_and_not_online, 0, 4);
    tcase_add_test(tc, safe_mode_refuses);
    tcase_add_test(tc, nobody_logs_on_behind);
    tcase_add_test(tc, damaged_messages);
    tcase_add_test(tc, large_directory);
    tcase_add_test(tc, long_away);
    tcase_add_loop_test(tc, any_order, 0, 6);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
