/* Finished relocations in a file, so that they outlive the member. The file is a head and records,
 * one behind the other, each with its length and hash; one is added with a single write when a
 * relocation ends. With KEEP_RECORDS_MAX of them the last LGR_HISTORY_MAX become a new file, which
 * takes the name of the old one. Guarantees: whatever a crash leaves, the records in front of it
 * are read; what is damaged behind them is cut off, a record that is damaged alone left out; what
 * cannot be written keeps no relocation from ending. Numbers of a record are arrays, to whose end
 * new ones may be added: older and newer programs read each other's files. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mem/base/log.h"

#define MAGIC "ENDLGRH1"
#define MAGIC_BYTES 8
#define HEAD_BYTES 12 /* of a record: length(4), hash of what follows(8) */
#define RECORD_BYTES_MAX 16000u
#define KEEP_RECORDS_MAX (2 * LGR_HISTORY_MAX)
#define PATH_BYTES 1200
#define VALUES_MAX 40

enum {
    ROW_ENDED = 1, /* nanoseconds since 1970 */
    ROW_VIEW,
    ROW_PASS,
    ROW_FIT,
    ROW_STAMP, /* nanoseconds(8), name */
    ROW_USER,
    ROW_FROM,
    ROW_TO,
    ROW_BY,
    ROW_TEXT,
};

struct lgr_keep {
    char path[PATH_BYTES];
    unsigned records;
    u64 bytes;    /* of the file, as far as it is good */
    bool trouble; /* it was told that it cannot be written */
};

static const char *const stamps[] = {
#define AT(id, what, json) json,
#include "lgr/lgr_stamps.def"
#undef AT
};

static u64 wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

/* ---- a record ---- */

static void put_values(struct codec_out *out, u16 row, const u64 *values, unsigned n)
{
    codec_put_array(out, row, values, 8, n);
}

static void put_view(struct codec_out *out, const struct lgr_view *from)
{
    const u64 values[] = {
#define VIEW(field) (u64) from->field,
#include "lgr/lgr_keep.def"
    };
    put_values(out, ROW_VIEW, values, ARRAY_LEN(values));
}

static void put_pass(struct codec_out *out, const struct lgr_pass *from)
{
    const u64 values[] = {
#define PASS(field) (u64) from->field,
#include "lgr/lgr_keep.def"
    };
    put_values(out, ROW_PASS, values, ARRAY_LEN(values));
}

static void put_fit(struct codec_out *out, const struct lgr_fit *from)
{
    const u64 values[] = {
#define FIT(field) (u64) from->field,
#include "lgr/lgr_keep.def"
    };
    put_values(out, ROW_FIT, values, ARRAY_LEN(values));
}

static void put_text(struct codec_out *out, u16 row, const char *text)
{
    codec_put_bytes(out, row, text, strlen(text));
}

static void put_stamp(struct codec_out *out, const char *name, u64 ns)
{
    u8 row[8 + 32];
    size_t n = strlen(name);
    be64_store(row, ns);
    memcpy(row + 8, name, n);
    codec_put_bytes(out, ROW_STAMP, row, 8 + n);
}

static void put_record(struct codec_out *out, const struct lgr_view *v, u64 ended_ns)
{
    codec_put_u64(out, ROW_ENDED, ended_ns);
    put_view(out, v);
    put_text(out, ROW_USER, v->user);
    put_text(out, ROW_FROM, v->from);
    put_text(out, ROW_TO, v->to);
    put_text(out, ROW_BY, v->by);
    put_text(out, ROW_TEXT, v->text);
    for (unsigned i = 0; i < v->pass_count; i++)
        put_pass(out, &v->passes[i]);
    for (unsigned i = 0; i < v->fit_count && i < LGR_FITS_MAX; i++)
        put_fit(out, &v->fit[i]);
    for (unsigned i = 0; i < LGR_STAMPS; i++)
        if (v->at_ns[i])
            put_stamp(out, stamps[i], v->at_ns[i]);
}

/* Values that the row lacks are 0, those it has more are not looked at. */
static bool get_values(const struct codec_row *row, u64 values[VALUES_MAX])
{
    memset(values, 0, VALUES_MAX * sizeof *values);
    if (row->len % 8)
        return false;
    for (u32 i = 0; i < row->len / 8 && i < VALUES_MAX; i++)
        values[i] = be64_load(row->p + 8 * i);
    return true;
}

static bool get_view(const struct codec_row *row, struct lgr_view *to)
{
    u64 values[VALUES_MAX];
    unsigned i = 0;
    if (!get_values(row, values))
        return false;
#define VIEW(field) to->field = (__typeof__(to->field))values[i++];
#include "lgr/lgr_keep.def"
    return to->code < LGR_ACTIVE;
}

static bool get_pass(const struct codec_row *row, struct lgr_view *v)
{
    u64 values[VALUES_MAX];
    unsigned i = 0;
    if (v->pass_count == LGR_PASSES_MAX || !get_values(row, values))
        return false;
    struct lgr_pass *to = &v->passes[v->pass_count++];
#define PASS(field) to->field = (__typeof__(to->field))values[i++];
#include "lgr/lgr_keep.def"
    return true;
}

static bool get_fit(const struct codec_row *row, struct lgr_fit *to)
{
    u64 values[VALUES_MAX];
    unsigned i = 0;
    if (!get_values(row, values))
        return false;
#define FIT(field) to->field = (__typeof__(to->field))values[i++];
#include "lgr/lgr_keep.def"
    return true;
}

/* Printable ASCII, as everywhere. */
/* A step that this program does not know any more is not shown. */
static bool get_stamp(const struct codec_row *row, struct lgr_view *v)
{
    for (unsigned i = 0; row->len > 8 && i < LGR_STAMPS; i++)
        if (strlen(stamps[i]) == row->len - 8 && !memcmp(stamps[i], row->p + 8, row->len - 8))
            v->at_ns[i] = be64_load(row->p);
    return row->len > 8;
}

static bool get_row(const struct codec_row *row, struct lgr_view *v, u64 *ended_ns,
                    unsigned *fits)
{
    switch (row->tag) {
    case ROW_ENDED: return codec_get_u64(row, ended_ns);
    case ROW_VIEW: return get_view(row, v);
    case ROW_PASS: return get_pass(row, v);
    case ROW_FIT: return *fits < LGR_FITS_MAX && get_fit(row, &v->fit[(*fits)++]);
    case ROW_STAMP: return get_stamp(row, v);
    case ROW_USER: return codec_get_printable(row, v->user, sizeof v->user);
    case ROW_FROM: return codec_get_printable(row, v->from, sizeof v->from);
    case ROW_TO: return codec_get_printable(row, v->to, sizeof v->to);
    case ROW_BY: return codec_get_printable(row, v->by, sizeof v->by);
    case ROW_TEXT: return codec_get_printable(row, v->text, sizeof v->text);
    default: return true;
    }
}

/* When it began is told by the clock of now, maybe as a time before that was 0. */
static bool get_record(struct lgr *lgr, const u8 *p, size_t len, struct lgr_view *v)
{
    struct codec_in in;
    struct codec_row row;
    u64 ended_ns = 0;
    unsigned fits = 0;
    *v = (struct lgr_view){.code = LGR_ACTIVE};
    codec_in_init(&in, p, len);
    while (codec_next(&in, &row))
        if (!get_row(&row, v, &ended_ns, &fits))
            return false;
    v->status = v->code == LGR_COMPLETED ? "Completed" : "Failed";
    v->start_ns = lgr_now(lgr) - (wall_ns() - ended_ns) - v->elapsed_ns;
    return !in.failed && v->code != LGR_ACTIVE && v->user[0] &&
           v->fit_count >= fits; /* more checks were made than are kept */
}

/* ---- the file ---- */

static void trouble(struct lgr_keep *k, const char *what)
{
    if (!k->trouble)
        log_operator('E', "%s: %s: %s; relocations are not kept", k->path, what,
                     strerror(errno));
    k->trouble = true;
}

/* A record with its head, behind what is in `out`. */
static bool frame_record(struct codec_out *record, u8 **bytes, size_t *len)
{
    if (record->failed || record->len > RECORD_BYTES_MAX)
        return false;
    u8 *more = realloc(*bytes, *len + HEAD_BYTES + record->len);
    if (!more)
        return false;
    *bytes = more;
    more += *len;
    be32_store(more, (u32)record->len);
    be64_store(more + 4, lgr_bytes_hash(record->data, record->len));
    memcpy(more + HEAD_BYTES, record->data, record->len);
    *len += HEAD_BYTES + record->len;
    return true;
}

static bool add_record(const struct lgr_view *v, u64 ended_ns, u8 **bytes, size_t *len)
{
    struct codec_out out;
    codec_out_init(&out);
    put_record(&out, v, ended_ns);
    bool good = frame_record(&out, bytes, len);
    codec_out_fini(&out);
    return good;
}

static bool write_at(int fd, const u8 *bytes, size_t len, u64 at)
{
    ssize_t n = pwrite(fd, bytes, len, (off_t)at);
    if (n >= 0 && (size_t)n < len)
        errno = ENOSPC;
    return n >= 0 && (size_t)n == len;
}

/* The history is all of a new file. */
static bool write_anew(struct lgr *lgr)
{
    struct lgr_keep *k = lgr->keep;
    char part[PATH_BYTES + 8];
    u8 *bytes = malloc(MAGIC_BYTES);
    size_t len = MAGIC_BYTES;
    u64 wall = wall_ns(), now = lgr_now(lgr);
    bool good = bytes;
    if (bytes)
        memcpy(bytes, MAGIC, MAGIC_BYTES);
    for (unsigned i = lgr->history_count; good && i; i--) {
        const struct lgr_view *v =
            &lgr->history[(lgr->history_next + LGR_HISTORY_MAX - i) % LGR_HISTORY_MAX];
        good = add_record(v, wall - (now - v->start_ns - v->elapsed_ns), &bytes, &len);
    }
    snprintf(part, sizeof part, "%s.part", k->path);
    int fd = good ? open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    good = fd >= 0 && write_at(fd, bytes, len, 0);
    if (fd >= 0)
        close(fd);
    good = good && rename(part, k->path) == 0;
    if (good) {
        k->records = lgr->history_count;
        k->bytes = len;
    }
    free(bytes);
    return good;
}

static bool append(struct lgr_keep *k, const struct lgr_view *v)
{
    u8 *bytes = NULL;
    size_t len = 0;
    int fd = open(k->path, O_WRONLY | O_CLOEXEC);
    bool good =
        fd >= 0 && add_record(v, wall_ns(), &bytes, &len) && write_at(fd, bytes, len, k->bytes);
    if (fd >= 0)
        close(fd);
    k->bytes += good ? len : 0;
    k->records += good;
    free(bytes);
    return good;
}

void lgr_keep_add(struct lgr *lgr, const struct lgr_view *v)
{
    struct lgr_keep *k = lgr->keep;
    if (!k)
        return;
    bool anew = k->records >= KEEP_RECORDS_MAX || !k->bytes;
    if (anew ? write_anew(lgr) : append(k, v))
        k->trouble = false;
    else
        trouble(k, "it cannot be written");
}

/* The records of a file; the next one goes where the last of them ends. */
static void take_records(struct lgr *lgr, const u8 *bytes, size_t len)
{
    struct lgr_keep *k = lgr->keep;
    size_t at = MAGIC_BYTES;
    unsigned damaged = 0;
    while (len - at >= HEAD_BYTES) {
        u32 n = be32_load(bytes + at);
        struct lgr_view v;
        if (n > RECORD_BYTES_MAX || n > len - at - HEAD_BYTES)
            break;
        const u8 *p = bytes + at + HEAD_BYTES;
        bool whole = be64_load(bytes + at + 4) == lgr_bytes_hash(p, n);
        if (whole && get_record(lgr, p, n, &v))
            lgr_history_add(lgr, &v);
        else
            damaged++;
        at += HEAD_BYTES + n;
        k->records++;
    }
    k->bytes = at;
    if (damaged || at != len)
        log_line("%s: %u records and %zu bytes at the end are damaged", k->path, damaged,
                 len - at);
    if (at != len && truncate(k->path, (off_t)at))
        trouble(k, "it cannot be cut off");
}

/* NULL with errno; *len 0: there is none. */
static u8 *read_file(const char *path, size_t *len)
{
    struct stat st;
    u8 *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && (u64)st.st_size <= LGR_KEEP_BYTES_MAX)
        bytes = malloc((size_t)st.st_size + 1);
    else
        errno = EFBIG;
    ssize_t n = bytes ? read(fd, bytes, (size_t)st.st_size) : -1;
    close(fd);
    if (n >= 0) {
        *len = (size_t)n;
        return bytes;
    }
    free(bytes);
    return NULL;
}

int lgr_keep_history(struct lgr *lgr, const char *path, struct cause *cause)
{
    size_t len = 0;
    u8 *bytes = read_file(path, &len);
    if (!bytes && errno != ENOENT)
        return cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    if (bytes && len >= MAGIC_BYTES && memcmp(bytes, MAGIC, MAGIC_BYTES)) {
        free(bytes);
        return cause_set(cause, ST_PROTO, "%s: it is no history of relocations", path);
    }
    lgr->keep = calloc(1, sizeof *lgr->keep);
    if (lgr->keep) {
        snprintf(lgr->keep->path, sizeof lgr->keep->path, "%s", path);
        if (len >= MAGIC_BYTES)
            take_records(lgr, bytes, len);
    }
    free(bytes);
    return lgr->keep ? ST_OK : cause_set(cause, ST_NOMEM, "no memory");
}

void lgr_keep_close(struct lgr *lgr)
{
    free(lgr->keep);
    lgr->keep = NULL;
}
