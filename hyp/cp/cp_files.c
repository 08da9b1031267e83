/* CP's files: CPLISTFILE, CPTYPE, QUERY CPDISKS. CP has one disk, the cluster's folder, as file
 * mode A; of what is there these commands see what this member has been started with. The directory
 * is listed and not shown: it has passwords.
 * Source: z/VM "CP Commands and Utilities Reference"; shapes and numbers are from memory or
 * ours. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#include "hyp/cp/cp_internal.h"

#define FILES 3u
#define LINE_BYTES 256

struct cp_file {
    const char *name, *type, *path;
    bool secret;
};

/* The i-th file; `path` "": this member has none. */
static struct cp_file file_at(const struct cp *cp, unsigned i)
{
    const struct system_config *k = cp->config;
    const struct cp_file files[FILES] = {
        {"SYSTEM", "CONFIG", k->path, false},
        {k->member, "CNF", k->hardware.path, false},
        {"USER", "DIRECT", cp->directory_path, true},
    };
    return files[i];
}

static bool fits(const struct cp_file *f, const char *const pattern[3])
{
    return *f->path && !fnmatch(pattern[0], f->name, FNM_NOESCAPE) &&
           !fnmatch(pattern[1], f->type, FNM_NOESCAPE) &&
           (!strcmp(pattern[2], "A") || !fnmatch(pattern[2], "A1", FNM_NOESCAPE));
}

/* [fn [ft [fm]]]; each that is not there stays as it is */
static int patterns(struct cp_request *req, const char *pattern[3])
{
    for (unsigned i = 0; i < 3 && cp_operand_peek(req); i++)
        pattern[i] = cp_operand(req);
    return cp_no_more(req);
}

static int not_found(struct cp_request *req, const char *const pattern[3])
{
    return cp_fail(req, MSG_CPF6706E, pattern[0], pattern[1], pattern[2]);
}

/* CPLISTFILE [fn [ft [fm]]], with * for any characters */
int cp_cmd_cplistfile(struct cp_request *req, void *ctx)
{
    const char *pattern[3] = {"*", "*", "*"};
    unsigned n = 0;
    int rc = patterns(req, pattern);
    (void)ctx;
    for (unsigned i = 0; !rc && i < FILES; i++) {
        struct cp_file f = file_at(req->cp, i);
        if (fits(&f, pattern))
            cp_line(req, "%-8s %-8s A1", f.name, f.type), n++;
    }
    return rc || n ? rc : not_found(req, pattern);
}

static int type_file(struct cp_request *req, const struct cp_file *f)
{
    char line[LINE_BYTES];
    FILE *in = fopen(f->path, "re");
    if (!in)
        return cp_fail(req, MSG_CPF601E, f->name, f->type, strerror(errno));
    while (fgets(line, sizeof line, in)) { /* a longer one goes on in the next line */
        line[strcspn(line, "\r\n")] = 0;
        cp_line_text(req, line);
    }
    fclose(in);
    return 0;
}

/* CPTYPE fn ft [fm] */
int cp_cmd_cptype(struct cp_request *req, void *ctx)
{
    const char *pattern[3] = {NULL, NULL, "*"};
    int rc = patterns(req, pattern);
    (void)ctx;
    if (rc || !pattern[1])
        return rc ? rc : cp_fail(req, MSG_CMD026E);
    for (unsigned i = 0; i < FILES; i++) {
        struct cp_file f = file_at(req->cp, i);
        if (!fits(&f, pattern))
            continue;
        if (f.secret)
            return cp_fail(req, MSG_CPF600E, f.name, f.type);
        return type_file(req, &f);
    }
    return not_found(req, pattern);
}

/* QUERY CPDISKS: in place of the extents of a minidisk, where the folder is. */
int cp_query_cpdisks(struct cp_request *req, void *ctx)
{
    int rc = cp_no_more(req);
    (void)ctx;
    if (rc)
        return rc;
    cp_line(req, "Label  Userid   Vdev Mode Stat Vol-ID Rdev Type   StartLoc     EndLoc");
    cp_line(req, "------ -------- ---- A    R/O  ------ ---- FOLDER %s", req->cp->config->dir);
    return 0;
}
