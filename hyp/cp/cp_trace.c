/* TRACE and QUERY TRACE: traps of a virtual machine, of which there is one set, INITIAL. What a
 * CPU does is found in hyp/trace.c; here it is asked for, shown, and followed by its command.
 * Source: z/VM "CP Commands and Utilities Reference", TRACE, QUERY TRACE; the layout of a trap in
 * QUERY TRACE and the answer to TRACE END are from memory. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/isa.h"
#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

#define TRACE_CMD_BYTES 128
#define TRACE_SKIP_MAX 99999
#define TRACE_SET "INITIAL"

/* Located by: user->trace. Created by the first TRACE, destroyed by TRACE END and with the
 * session. */
struct cp_trace {
    struct vm_trap trap[VM_TRAPS_MAX];
    struct trap_words {
        char ident[DIR_NAME_BYTES];
        char cmd[TRACE_CMD_BYTES]; /* "" = none */
    } words[VM_TRAPS_MAX];
    unsigned count, last_id;
    bool counting;
};

static const struct trap_name {
    const char *name, *shown;
    enum vm_trap_kind kind;
} trap_names[] = {
    {"Instruction", "INSTR", VM_TRAP_INSN},
    {"BRanch", "BRANCH", VM_TRAP_BRANCH},
    {"STore", "STORE", VM_TRAP_STORE},
    {"SVC", "SVC", VM_TRAP_SVC},
    {"PROGram", "PROG", VM_TRAP_PROG},
    {"EXTernal", "EXT", VM_TRAP_EXT},
    {"I/O", "I/O", VM_TRAP_IO},
};

static const struct vm_ops *ops(const struct cp_user *user)
{
    return user->cp->ports.vm;
}

static bool of_interruptions(enum vm_trap_kind kind)
{
    return kind >= VM_TRAP_SVC;
}

/* --- operands ------------------------------------------------------------------------------ */

/* hex, hex-hex, hex.len */
static bool range_word(const char *word, u64 most, u64 *first, u64 *last)
{
    char a[20];
    size_t n = word ? strcspn(word, "-.") : 0;
    if (!n || n >= sizeof a)
        return false;
    snprintf(a, sizeof a, "%.*s", (int)n, word);
    if (!scan_hex(a, most, first))
        return false;
    *last = *first;
    if (word[n] && !scan_hex(word + n + 1, most, last))
        return false;
    if (word[n] == '.')
        *last = *last ? *first + *last - 1 : 0;
    return *last >= *first && *last <= most;
}

static int range_operand(struct cp_request *req, u64 *first, u64 *last)
{
    const char *word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    return range_word(word, ~0ull, first, last) ? 0 : cp_fail(req, MSG_CMD002E, word);
}

/* The kind of trap, with a code or device number behind it when that may be. */
static int kind_operand(struct cp_request *req, const char *word, struct vm_trap *t)
{
    size_t i = 0;
    t->last = t->into_last = ~0ull;
    while (i < ARRAY_LEN(trap_names) && !cp_abbrev(word, trap_names[i].name))
        i++;
    if (i == ARRAY_LEN(trap_names) &&
        (strlen(word) >= VM_MNEMONIC_BYTES || !isa_is_mnemonic(word)))
        return cp_fail(req, MSG_CMD002E, word);
    if (i == ARRAY_LEN(trap_names))
        snprintf(t->mnemonic, sizeof t->mnemonic, "%s", word);
    t->kind = i < ARRAY_LEN(trap_names) ? trap_names[i].kind : VM_TRAP_INSN;
    if (of_interruptions(t->kind)) {
        word = cp_operand_peek(req);
        t->last = 0xffff;
        if (word && range_word(word, 0xffff, &t->first, &t->last))
            cp_operand(req);
    }
    return 0;
}

static int number_operand(struct cp_request *req, unsigned *out)
{
    const char *word = cp_operand(req);
    u64 n;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!scan_number(word, 0, TRACE_SKIP_MAX, &n))
        return cp_fail(req, MSG_CMD002E, word);
    *out = (unsigned)n;
    return 0;
}

/* Where: RANGE and PSWA of the instruction, INTO of what it branches or stores to. */
static int place_option(struct cp_request *req, const char *word, struct vm_trap *t,
                        bool *known)
{
    bool range = cp_abbrev(word, "Range") || cp_abbrev(word, "PSWA");
    bool into = cp_abbrev(word, "INTO");
    *known = range || into;
    if (!*known)
        return 0;
    if (of_interruptions(t->kind) || (into && t->kind == VM_TRAP_INSN))
        return cp_fail(req, MSG_CMD013E, word);
    return range ? range_operand(req, &t->first, &t->last)
                 : range_operand(req, &t->into_first, &t->into_last);
}

static int ident_option(struct cp_request *req, struct trap_words *w)
{
    const char *word = cp_operand(req);
    if (!word || !cp_userid_ok(word))
        return word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
    strcpy(w->ident, word);
    return 0;
}

static int cmd_option(struct cp_request *req, struct trap_words *w)
{
    const char *rest = cp_operand_rest(req);
    if (!*rest || strlen(rest) >= sizeof w->cmd)
        return cp_fail(req, MSG_CMD026E);
    strcpy(w->cmd, rest);
    req->at = req->len;
    return 0;
}

static int trap_option(struct cp_request *req, const char *word, struct vm_trap *t,
                       struct trap_words *w)
{
    bool known;
    int rc = place_option(req, word, t, &known);
    if (known)
        return rc;
    if (!strcmp(word, "RUN") || !strcmp(word, "NORUN"))
        return t->run = word[0] == 'R', 0;
    if (cp_abbrev(word, "TERMinal") || cp_abbrev(word, "NOTERMinal"))
        return t->silent = word[0] == 'N', 0;
    if (cp_abbrev(word, "PRinter") || !strcmp(word, "BOTH"))
        return cp_fail(req, MSG_CMD099E, word);
    if (cp_abbrev(word, "NOPRinter") || !strcmp(word, "SIM"))
        return 0;
    if (!strcmp(word, "SKIP"))
        return number_operand(req, &t->skip);
    if (!strcmp(word, "PASS"))
        return number_operand(req, &t->pass);
    if (!strcmp(word, "STEP"))
        return number_operand(req, &t->step);
    if (!strcmp(word, "STOP"))
        return number_operand(req, &t->stop);
    if (cp_abbrev(word, "IDENT"))
        return ident_option(req, w);
    if (!strcmp(word, "CMD"))
        return cmd_option(req, w);
    return cp_fail(req, MSG_CMD003E, word);
}

/* --- traps --------------------------------------------------------------------------------- */

static int put_traps(struct cp_user *user)
{
    struct cp_trace *t = user->trace;
    return ops(user)->trace(user->vm, t ? t->trap : NULL, t ? t->count : 0);
}

static int find_trap(const struct cp_trace *t, const char *ident)
{
    for (unsigned i = 0; t && i < t->count; i++)
        if (!strcmp(t->words[i].ident, ident))
            return (int)i;
    return -1;
}

static int add_trap(struct cp_request *req, struct cp_user *user, const struct vm_trap *trap,
                    const struct trap_words *words)
{
    if (!user->trace && !(user->trace = calloc(1, sizeof *user->trace)))
        return cp_fail(req, MSG_CMD052E, "no memory");
    struct cp_trace *t = user->trace;
    if (t->count == VM_TRAPS_MAX)
        return cp_fail(req, MSG_CMD052E, "there are as many trace traps as can be");
    unsigned i = t->count;
    t->trap[i] = *trap;
    t->words[i] = *words;
    t->trap[i].id = ++t->last_id;
    if (!*words->ident)
        snprintf(t->words[i].ident, sizeof t->words[i].ident, "%u", t->last_id % 10000000);
    if (find_trap(t, t->words[i].ident) >= 0)
        return cp_fail(req, MSG_CMD002E, t->words[i].ident);
    t->count++;
    if (put_traps(user) == ST_OK)
        return 0;
    t->count--;
    return cp_fail(req, MSG_CMD052E, "no memory");
}

void cp_trace_end(struct cp_user *user)
{
    free(user->trace);
    user->trace = NULL;
}

/* TRACE END [ALL | CURRENT | INITIAL] */
static int trace_end(struct cp_request *req, struct cp_user *user)
{
    const char *word = cp_operand(req);
    if (word && strcmp(word, "ALL") && strcmp(word, "CURRENT") && strcmp(word, TRACE_SET))
        return cp_fail(req, MSG_CMD002E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (!user->trace)
        return cp_line(req, "No trace sets defined"), 0;
    ops(user)->trace_count(user->vm, false);
    cp_trace_end(user);
    put_traps(user);
    cp_line(req, "Trace ended");
    return 0;
}

/* TRACE DELETE ident ... */
static int trace_delete(struct cp_request *req, struct cp_user *user)
{
    const char *word = cp_operand(req);
    struct cp_trace *t = user->trace;
    int rc = word ? 0 : cp_fail(req, MSG_CMD026E);
    for (; word && !rc; word = cp_operand(req)) {
        int i = find_trap(t, word);
        if (i < 0) {
            rc = cp_fail(req, MSG_CMD002E, word);
            break;
        }
        t->count--;
        memmove(&t->trap[i], &t->trap[i + 1], (t->count - (unsigned)i) * sizeof t->trap[0]);
        memmove(&t->words[i], &t->words[i + 1], (t->count - (unsigned)i) * sizeof t->words[0]);
    }
    put_traps(user);
    return rc;
}

/* TRACE COUNT: matches are counted, not told, until it is said again */
static int trace_count(struct cp_request *req, struct cp_user *user)
{
    struct cp_trace *t = user->trace;
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (!t)
        return cp_line(req, "No trace sets defined"), 0;
    u64 count = ops(user)->trace_count(user->vm, !t->counting);
    if (t->counting)
        cp_line(req, "TRACE COUNT IS %08llu", (unsigned long long)count);
    t->counting = !t->counting;
    return 0;
}

/* TRACE {kind | mnemonic} [option ...] | END | DELETE ident | COUNT */
int cp_cmd_trace(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    struct vm_trap trap = {0};
    struct trap_words words = {{0}, {0}};
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(word, "END"))
        return trace_end(req, user);
    if (cp_abbrev(word, "DELete"))
        return trace_delete(req, user);
    if (!strcmp(word, "COUNT"))
        return trace_count(req, user);
    int rc = kind_operand(req, word, &trap);
    while (!rc && (word = cp_operand(req)))
        rc = trap_option(req, word, &trap, &words);
    return rc ? rc : add_trap(req, user, &trap, &words);
}

/* --- QUERY TRACE --------------------------------------------------------------------------- */

static const char *place(u64 first, u64 last, char out[40])
{
    if (last == ~0ull && !first)
        return "00000000-END";
    snprintf(out, 40, "%08llX-%08llX", (unsigned long long)first, (unsigned long long)last);
    return out;
}

static void trap_rows(struct cp_request *req, const struct vm_trap *t,
                      const struct trap_words *w)
{
    char at[40], into[40], extra[64] = "";
    const char *name = *t->mnemonic ? t->mnemonic : "";
    for (size_t i = 0; !*name && i < ARRAY_LEN(trap_names); i++)
        if (trap_names[i].kind == t->kind)
            name = trap_names[i].shown;
    if (of_interruptions(t->kind))
        snprintf(at, sizeof at, "%04llX-%04llX", (unsigned long long)t->first,
                 (unsigned long long)t->last);
    else if (t->kind != VM_TRAP_INSN)
        snprintf(extra, sizeof extra, " INTO %s", place(t->into_first, t->into_last, into));
    cp_line(req, "  %-8s %-8s %s%s%s", w->ident, name, of_interruptions(t->kind) ? "" : "PSWA ",
            of_interruptions(t->kind) ? at : place(t->first, t->last, at), extra);
    cp_line(req, "           %s NOPRINT %s SIM", t->silent ? "NOTERM" : "TERM",
            t->run ? "RUN" : "NORUN");
    cp_line(req, "           SKIP %05u PASS %05u STOP %05u STEP %05u", t->skip, t->pass,
            t->stop, t->step);
    cp_line(req, "           CMD  %.60s", *w->cmd ? w->cmd : "NONE");
}

/* QUERY TRACE [ACTIVE | ALL | INITIAL | RETURNS | SETS] */
int cp_query_trace(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    bool sets = word && !strcmp(word, "SETS"), returns = word && cp_abbrev(word, "RETurns");
    if (word && !sets && !returns && strcmp(word, "ALL") && !cp_abbrev(word, "ACTive") &&
        strcmp(word, TRACE_SET))
        return cp_fail(req, MSG_CQV003E, word);
    int rc = cp_no_more(req);
    const struct cp_trace *t = user->trace;
    if (rc)
        return rc;
    if (returns || !t)
        return cp_line(req, returns ? "No trace calls active" : "No trace sets defined"), 0;
    if (t->counting)
        cp_line(req, "TRACE COUNT IS ACTIVE");
    if (sets)
        return cp_line(req, "SETS:  %s", TRACE_SET), 0;
    cp_line(req, "NAME %-8s (ACTIVE)", TRACE_SET);
    for (unsigned i = 0; i < t->count; i++)
        trap_rows(req, &t->trap[i], &t->words[i]);
    return 0;
}

/* --- relocation ---------------------------------------------------------------------------- */

enum {
    ROW_TRAP = CODEC_MANDATORY | 1, /* numbers, 4 and 8 bytes: below */
    ROW_MNEMONIC = CODEC_MANDATORY | 2,
    ROW_IDENT = CODEC_MANDATORY | 3,
    ROW_CMD = CODEC_MANDATORY | 4,
};
#define TRAP_VERSION 1
#define SET_NUMBERS 2u /* in the first block: the last id, is it counted */
#define TRAP_NUMBERS 12u

/* A trap is a block of rows; the set's own numbers stand in front of them. */
static void trap_save(const struct vm_trap *t, const struct trap_words *w, u16 tag,
                      struct codec_out *out)
{
    const u64 v[TRAP_NUMBERS] = {t->kind,       t->id,        t->first, t->last,
                                 t->into_first, t->into_last, t->run,   t->silent,
                                 t->skip,       t->pass,      t->step,  t->stop};
    codec_begin(out, tag, TRAP_VERSION);
    codec_put_array(out, ROW_TRAP, v, 8, TRAP_NUMBERS);
    codec_put_bytes(out, ROW_MNEMONIC, t->mnemonic, strlen(t->mnemonic));
    codec_put_bytes(out, ROW_IDENT, w->ident, strlen(w->ident));
    codec_put_bytes(out, ROW_CMD, w->cmd, strlen(w->cmd));
    codec_end(out);
}

void cp_trace_save(const struct cp_user *user, u16 set, u16 trap, struct codec_out *out)
{
    const struct cp_trace *t = user->trace;
    if (!t)
        return;
    const u64 v[SET_NUMBERS] = {t->last_id, t->counting};
    codec_put_array(out, set, v, 8, SET_NUMBERS);
    for (unsigned i = 0; i < t->count; i++)
        trap_save(&t->trap[i], &t->words[i], trap, out);
}

bool cp_trace_take_set(struct cp_user *user, const struct codec_row *row)
{
    u64 v[SET_NUMBERS];
    if (user->trace || !codec_get_array(row, v, 8, SET_NUMBERS) || v[0] > UINT_MAX || v[1] > 1)
        return false;
    struct cp_trace *t = calloc(1, sizeof *t);
    if (!t)
        return false;
    t->last_id = (unsigned)v[0];
    t->counting = v[1];
    user->trace = t;
    return true;
}

static bool take_numbers(struct vm_trap *t, const struct codec_row *row)
{
    u64 v[TRAP_NUMBERS];
    if (!codec_get_array(row, v, 8, TRAP_NUMBERS) || v[0] > VM_TRAP_IO || v[1] > UINT_MAX ||
        v[6] > 1 || v[7] > 1)
        return false;
    for (unsigned i = 8; i < TRAP_NUMBERS; i++)
        if (v[i] > TRACE_SKIP_MAX)
            return false;
    *t = (struct vm_trap){.kind = (enum vm_trap_kind)v[0],
                          .id = (unsigned)v[1],
                          .first = v[2],
                          .last = v[3],
                          .into_first = v[4],
                          .into_last = v[5],
                          .run = v[6],
                          .silent = v[7],
                          .skip = (unsigned)v[8],
                          .pass = (unsigned)v[9],
                          .step = (unsigned)v[10],
                          .stop = (unsigned)v[11]};
    return true;
}

static bool trap_row_take(struct vm_trap *t, struct trap_words *w, const struct codec_row *row)
{
    switch (row->tag) {
    case ROW_TRAP: return take_numbers(t, row);
    case ROW_MNEMONIC:
        return codec_get_text(row, t->mnemonic, sizeof t->mnemonic) &&
               (!*t->mnemonic || isa_is_mnemonic(t->mnemonic));
    case ROW_IDENT:
        return codec_get_text(row, w->ident, sizeof w->ident) && cp_userid_ok(w->ident);
    case ROW_CMD: return codec_get_text(row, w->cmd, sizeof w->cmd);
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

bool cp_trace_take_trap(struct cp_user *user, const struct codec_row *row)
{
    struct cp_trace *t = user->trace;
    struct vm_trap trap = {.id = 0};
    struct trap_words words = {"", ""};
    struct codec_in block;
    struct codec_row inner;
    if (!t || t->count == VM_TRAPS_MAX || !codec_open(row, &block) ||
        block.version != TRAP_VERSION)
        return false;
    while (codec_next(&block, &inner))
        if (!trap_row_take(&trap, &words, &inner))
            return false;
    if (block.failed || !trap.id || trap.id > t->last_id || find_trap(t, words.ident) >= 0)
        return false;
    for (unsigned i = 0; i < t->count; i++)
        if (t->trap[i].id == trap.id)
            return false;
    t->trap[t->count] = trap;
    t->words[t->count++] = words;
    return put_traps(user) == ST_OK;
}

/* --- a trap -------------------------------------------------------------------------------- */

static void show(struct cp_user *user, const struct vm_traced *what, const char *text)
{
    struct vm_info info = {0};
    ops(user)->info(user->vm, &info);
    if (info.cpu_count > 1)
        cp_user_tell(user, "%02X: %s", what->cpu, text);
    else
        cp_user_tell(user, "%s", text);
}

void cp_vm_traced(struct cp *cp, const char *userid, const struct vm_traced *what)
{
    struct cp_user *user = cp_user_find(cp, userid);
    char cmd[TRACE_CMD_BYTES] = "";
    if (!user || !user->trace)
        return;
    if (what->show & 1)
        show(user, what, what->insn);
    if (what->show & 2)
        show(user, what, what->interruption);
    if (what->stopped)
        user->cp_read = true;
    for (unsigned i = 0; i < user->trace->count && !*cmd; i++)
        if (what->traps & 1u << i)
            snprintf(cmd, sizeof cmd, "%s", user->trace->words[i].cmd);
    if (*cmd)
        cp_console_command(cp, userid, cmd);
}
