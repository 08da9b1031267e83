/* The PDR as a file: file systems that have no locks, are stale or fail; files that are deleted,
 * replaced, truncated or no files. What the host would answer is put in the place of fcntl, pread
 * and pwrite, which the linker takes from here. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ssi/ssi_formssi.h"
#include "ssi/ssi_uv.h"

static int lock_errno, read_errno, write_errno;

int fcntl(int fd, int cmd, ...)
{
    va_list args;
    va_start(args, cmd);
    void *arg = va_arg(args, void *);
    va_end(args);
    if (cmd == F_OFD_SETLK && lock_errno && ((struct flock *)arg)->l_type != F_UNLCK) {
        errno = lock_errno;
        return -1;
    }
    return (int)syscall(SYS_fcntl, fd, cmd, arg);
}

ssize_t pread(int fd, void *data, size_t len, off_t at)
{
    if (read_errno) {
        errno = read_errno;
        return -1;
    }
    return syscall(SYS_pread64, fd, data, len, at);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (write_errno) {
        errno = write_errno;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, len, at);
}

static unsigned syncs;

int fdatasync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

static char folder[] = "/tmp/ssi_uv_file.XXXXXX";
static char path[SSI_PATH_BYTES];
static uv_loop_t loop;
static struct ssi_uv *uv;
static bool ended, closed;
static int status;
static struct cause why;

static void done(void *ctx, int rc, const struct cause *cause)
{
    (void)ctx;
    status = rc;
    why = *cause;
    ended = true;
}

static void on_closed(void *ctx)
{
    (void)ctx;
    closed = true;
}

static void quiet(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

static int join(void)
{
    struct ssi_config config;
    struct cause cause;
    ssi_config_init(&config);
    strcpy(config.cluster, "FILES");
    strcpy(config.member, "M0");
    strcpy(config.slots[0], "M0");
    strcpy(config.pdr_path, path);
    config.join_ms = 1000;
    uv = ssi_uv_open(&loop, &config, quiet, NULL, &cause);
    ck_assert_ptr_nonnull(uv);
    ended = false;
    ssi_join(ssi_uv_ssi(uv), done, NULL);
    while (!ended)
        uv_run(&loop, UV_RUN_ONCE);
    return status;
}

static void end_member(void)
{
    lock_errno = read_errno = write_errno = 0;
    closed = false;
    ssi_uv_close(uv, on_closed, NULL);
    while (!closed)
        uv_run(&loop, UV_RUN_ONCE);
    uv = NULL;
}

static void setup(void)
{
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.pdr", folder);
    uv_loop_init(&loop);
}

static void teardown(void)
{
    if (uv)
        end_member();
    uv_loop_close(&loop);
    unlink(path);
    rmdir(folder);
}

static int read_at(void *ctx, u64 offset, void *data, size_t len, struct cause *cause)
{
    ssize_t n = pread(*(int *)ctx, data, len, (off_t)offset);
    (void)cause;
    ck_assert_int_ge(n, 0);
    memset((u8 *)data + n, 0, len - (size_t)n);
    return ST_OK;
}

static void refused(int rc, const char *text)
{
    ck_assert_int_eq(join(), rc);
    ck_assert_msg(strstr(why.text, text), "%s", why.text);
    end_member();
}

/* NFS 3 without lockd; a file system without locks; a file handle that has become stale. */
START_TEST(a_file_system_without_locks_is_refused)
{
    lock_errno = ENOLCK;
    refused(ST_IO, "the PDR needs a file system with locks that all hosts honour");
    lock_errno = EOPNOTSUPP;
    refused(ST_IO, "the PDR needs a file system with locks that all hosts honour");
    lock_errno = ESTALE;
    refused(ST_IO, "Stale file handle");
    lock_errno = EIO;
    refused(ST_IO, "Input/output error");
}
END_TEST

static int claim(const char *name)
{
    u64 generation;
    return ssi_claim(ssi_uv_ssi(uv), 1, name, &generation, &why);
}

/* A member goes on when its file system fails, gives no claims meanwhile, and heals. */
START_TEST(a_file_system_that_fails_for_a_while_costs_claims_only)
{
    static const int errors[] = {EIO, ESTALE, ENOSPC, EDQUOT};
    ck_assert_int_eq(join(), ST_OK);
    ck_assert_int_eq(claim("FIRST"), ST_OK);
    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++) {
        char name[8];
        snprintf(name, sizeof name, "N%u", i);
        int *which = (int *[]){&lock_errno, &read_errno, &write_errno}[i % 3];
        *which = errors[i];
        ck_assert_int_eq(claim(name), ST_IO);
        ck_assert_msg(strstr(why.text, strerror(errors[i])), "%s", why.text);
        ck_assert_int_eq(ssi_member_state(ssi_uv_ssi(uv), "M0"), SSI_JOINED);
        *which = 0;
        ck_assert_int_eq(claim(name), ST_OK);
    }
    ck_assert_int_eq(claim("FIRST"), ST_EXIST);
}
END_TEST

/* Whoever finds another file under the name would not meet us: no claims of ours from then on. */
START_TEST(a_file_deleted_or_replaced_gives_no_claims)
{
    ck_assert_int_eq(join(), ST_OK);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(claim("A"), ST_IO);
    ck_assert_msg(strstr(why.text, "deleted or replaced"), "%s", why.text);
    ck_assert_int_eq(formssi_create(path, "FILES", false, 0, &why), ST_OK);
    ck_assert_int_eq(claim("A"), ST_IO);
    ck_assert_msg(strstr(why.text, "deleted or replaced"), "%s", why.text);
}
END_TEST

START_TEST(a_truncated_file_is_refused_whoever_reads_it)
{
    ck_assert_int_eq(join(), ST_OK);
    ck_assert_int_eq(claim("A"), ST_OK);
    ck_assert_int_eq(truncate(path, (off_t)PDR_BLOCK_AT(0)), 0);
    ck_assert_int_eq(claim("B"), ST_IO);
    end_member();
    ck_assert_int_eq(truncate(path, (off_t)PDR_BLOCK_AT(0)), 0);
    refused(ST_IO, "truncated");
    ck_assert_int_eq(truncate(path, 5000), 0);
    refused(ST_IO, "cut off");
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    refused(ST_CONFIG, "no regular file");
}
END_TEST

/* [P4] Members of one host end with it, so what they change need not be on stable storage; a member
 * of another host, even one that is leaving, may act on it. */
START_TEST(changes_wait_for_the_disk_when_another_host_is_there)
{
    const struct pdr_claim name = {.kind = 1, .name = "OTHER", .owner = 1, .generation = 99};
    struct ssi_pdr pdr = {0};
    u8 block[PDR_BLOCK_BYTES];
    u64 generation;
    ck_assert_int_eq(join(), ST_OK);
    syncs = 0;
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_int_eq(ssi_claim(ssi_uv_ssi(uv), 1, "A", &generation, &why), ST_OK);
        ck_assert_int_eq(ssi_release(ssi_uv_ssi(uv), 1, "A", generation), ST_OK);
    }
    ck_assert_uint_eq(syncs, 0);
    ck_assert_int_eq(ssi_claim(ssi_uv_ssi(uv), 1, "A", &generation, &why), ST_OK);
    int fd = open(path, O_RDWR);
    struct pdr_file file = {&fd, read_at};
    ck_assert_int_eq(ssi_pdr_follow(&pdr, &file, &why), ST_OK);
    u64 before = pdr.id++; /* a system of another host that is Joined, as it would write it */
    pdr.seq++;
    pdr.rows[1] = pdr.rows[0];
    pdr.rows[1].host_id ^= 1;
    ck_assert_int_eq(ssi_claim_put(&pdr, &name), ST_OK);
    size_t len = ssi_pdr_block_encode(&pdr, before, block);
    ck_assert_int_eq(pwrite(fd, block, len, (off_t)PDR_BLOCK_AT(pdr.seq)), (ssize_t)len);
    ck_assert_int_eq(ssi_release(ssi_uv_ssi(uv), 1, "A", generation), ST_OK);
    ck_assert_uint_eq(syncs, 1);
    close(fd);
    ssi_pdr_fini(&pdr);
}
END_TEST

/* --- FORMSSI --- */

START_TEST(formssi_replaces_nothing_unasked_and_nothing_in_use)
{
    struct formssi_view view;
    ck_assert_int_eq(formssi_look(path, &view, &why), ST_NOENT);
    ck_assert_int_eq(formssi_create(path, "FILES", false, 1000, &why), ST_OK);
    ck_assert_int_eq(formssi_create(path, "OTHER", false, 1000, &why), ST_EXIST);
    ck_assert_msg(strstr(why.text, "the PDR of SSI cluster FILES"), "%s", why.text);
    ck_assert_int_eq(join(), ST_OK); /* a member takes it as it is */
    ck_assert_int_eq(claim("A"), ST_OK);
    ck_assert_int_eq(ssi_share_set(ssi_uv_ssi(uv), 2, "D", 1, 0, &why), ST_OK);
    ck_assert_int_eq(formssi_look(path, &view, &why), ST_OK);
    ck_assert_str_eq(view.cluster, "FILES");
    ck_assert_uint_eq(view.version, PDR_VERSION);
    ck_assert_int_eq(view.slots[0].state, SSI_JOINED);
    ck_assert_int_eq(view.slots[0].pid, getpid());
    ck_assert_uint_eq(view.slots[0].claims, 1);
    ck_assert_uint_eq(view.slots[0].shares, 1);
    ck_assert_uint_gt(view.slots[0].beat_ms, 0);
    ck_assert_int_eq(view.lock_pid, 0);
    ck_assert(view.consistent);
    ck_assert_int_eq(formssi_create(path, "OTHER", true, 0, &why), ST_BUSY);
    ck_assert_msg(strstr(why.text, "slot 1 runs"), "%s", why.text);
    end_member();
    ck_assert_int_eq(formssi_create(path, "OTHER", true, 60000, &why), ST_BUSY);
    ck_assert_msg(strstr(why.text, "heartbeat"), "%s", why.text);
    ck_assert_int_eq(formssi_create(path, "OTHER", true, 0, &why), ST_OK);
    ck_assert_int_eq(formssi_look(path, &view, &why), ST_OK);
    ck_assert_str_eq(view.cluster, "OTHER");
    ck_assert_str_eq(view.slots[0].name, "");
    refused(ST_CONFIG, "is the PDR of SSI cluster OTHER");
}
END_TEST

START_TEST(formssi_names_who_holds_the_lock)
{
    struct formssi_view view;
    ck_assert_int_eq(formssi_create(path, "FILES", false, 1000, &why), ST_OK);
    int fd = open(path, O_RDWR);
    struct flock fl = {.l_type = F_WRLCK, .l_start = PDR_LOCK_RECORD_AT, .l_len = 1};
    ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &fl), 0);
    ck_assert_int_eq(formssi_look(path, &view, &why), ST_OK);
    ck_assert_int_eq(view.lock_pid, getpid());
    ck_assert(!view.consistent);
    ck_assert_int_eq(formssi_create(path, "FILES", true, 0, &why), ST_BUSY);
    close(fd);
    ck_assert_int_eq(formssi_look(path, &view, &why), ST_OK);
    ck_assert_int_eq(view.lock_pid, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_uv_file");
    TCase *tc = tcase_create("files");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_file_system_without_locks_is_refused);
    tcase_add_test(tc, a_file_system_that_fails_for_a_while_costs_claims_only);
    tcase_add_test(tc, a_file_deleted_or_replaced_gives_no_claims);
    tcase_add_test(tc, a_truncated_file_is_refused_whoever_reads_it);
    tcase_add_test(tc, what_is_no_regular_file_is_refused);
    tcase_add_test(tc, changes_wait_for_the_disk_when_another_host_is_there);
    tcase_add_test(tc, formssi_replaces_nothing_unasked_and_nothing_in_use);
    tcase_add_test(tc, formssi_names_who_holds_the_lock);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
