/* DISPLAY and STORE: registers, PSW, prefix and storage of one's own virtual CPUs.
 * Storage forms: hexloc guest view (virtual), Rhexloc real; ranges loc-loc and loc.count; T, the
 * translation, is always shown. The line about keys is from memory. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

#define DISPLAY_BYTES_MAX (64u << 10)
#define KEY_BLOCK 4096ull
#define KEY_BLOCKS_MAX (1u << 20)

struct look {
    struct cp_request *req;
    struct cp_user *user;
    u8 cpu;
};

static const struct vm_ops *ops(const struct look *l)
{
    return l->req->cp->ports.vm;
}

/* "CPU nn" in front, else the base CPU. */
static int take_cpu(struct look *l)
{
    struct vm_cpu_info info;
    u64 addr;
    const char *word = cp_operand_peek(l->req);
    l->cpu = ops(l)->cpu_info(l->user->vm, 0, &info) ? info.addr : 0;
    if (cp_request_cpu(l->req) >= 0)
        l->cpu = (u8)cp_request_cpu(l->req);
    if (!word || strcmp(word, "CPU"))
        return 0;
    cp_operand(l->req);
    word = cp_operand(l->req);
    if (!word || !scan_hex(word, VM_CPUS_MAX - 1, &addr))
        return cp_fail(l->req, MSG_CMD002E, word ? word : "CPU");
    for (unsigned i = 0; ops(l)->cpu_info(l->user->vm, i, &info); i++)
        if (info.addr == addr)
            l->cpu = info.addr;
    return l->cpu == addr ? 0 : cp_fail(l->req, MSG_DIS163E, word);
}

static const struct {
    const char *letters, *label;
    enum vm_reg kind;
    bool wide;
} reg_kinds[] = {
    {"G", "GPR", VM_REG_GR, true},  {"GG", "GPR", VM_REG_GR, true},
    {"X", "ECR", VM_REG_CR, true},  {"XG", "ECR", VM_REG_CR, true},
    {"AR", "AR", VM_REG_AR, false}, {"A", "AR", VM_REG_AR, false},
    {"Y", "FPR", VM_REG_FPR, true}, {"F", "FPR", VM_REG_FPR, true},
};

/* Row of "G", "G3", "GG0-5", "XF" ...: registers are hexadecimal or decimal below 10; -1 = no
 * register operand. */
static int reg_operand(const char *word, u64 *first, u64 *last)
{
    for (size_t i = ARRAY_LEN(reg_kinds); i-- > 0;) {
        size_t n = strlen(reg_kinds[i].letters);
        char a[8];
        if (strncmp(word, reg_kinds[i].letters, n))
            continue;
        *first = 0;
        *last = 15;
        if (!word[n])
            return (int)i;
        size_t len = strcspn(word + n, "-");
        if (len > 2)
            continue;
        memcpy(a, word + n, len);
        a[len] = 0;
        bool good = len == 2 ? scan_number(a, 10, 15, first) : scan_hex(a, 15, first);
        *last = *first;
        const char *to = word + n + len;
        if (good && *to++)
            good = strlen(to) == 2 ? scan_number(to, 10, 15, last) : scan_hex(to, 15, last);
        if (good && *last >= *first)
            return (int)i;
    }
    return -1;
}

static int show_registers(struct look *l, int kind, u64 first, u64 last)
{
    char line[128];
    bool wide = reg_kinds[kind].wide;
    unsigned per_line = wide ? 2 : 4;
    for (u64 n = first; n <= last;) {
        int at = snprintf(line, sizeof line, "%-3s %2llu =", reg_kinds[kind].label,
                          (unsigned long long)n);
        for (unsigned k = 0; k < per_line && n <= last; k++, n++) {
            u64 v = 0;
            if (ops(l)->reg_get(l->user->vm, l->cpu, reg_kinds[kind].kind, (unsigned)n, &v))
                return cp_fail(l->req, MSG_DIS163E, "of this register");
            at += snprintf(line + at, sizeof line - (size_t)at, wide ? "  %016llX" : "  %08llX",
                           (unsigned long long)v);
        }
        cp_line_text(l->req, line);
    }
    return 0;
}

static int show_psw(struct look *l)
{
    u64 mask, addr;
    if (ops(l)->psw_get(l->user->vm, l->cpu, &mask, &addr))
        return cp_fail(l->req, MSG_DIS163E, "of this PSW");
    cp_line(l->req, "PSW = %08llX %08llX %08llX %08llX", (unsigned long long)(mask >> 32),
            (unsigned long long)(mask & 0xffffffff), (unsigned long long)(addr >> 32),
            (unsigned long long)(addr & 0xffffffff));
    return 0;
}

struct range {
    enum vm_space space;
    u64 first, last;
};

/* [R | H | HR | L | V][T]hexloc[-hexloc | .count | -END] */
static bool storage_operand(const char *word, struct range *r)
{
    char a[24];
    r->space = VM_SPACE_VIRT;
    for (; *word && strchr("RHLVT", *word); word++)
        if (*word == 'R' || *word == 'H')
            r->space = *word == 'R' ? VM_SPACE_REAL : VM_SPACE_ABS;
    size_t n = strcspn(word, "-.:");
    u64 count = 0;
    if (!n || n > 16)
        return false;
    memcpy(a, word, n);
    a[n] = 0;
    if (!scan_hex(a, UINT64_MAX, &r->first))
        return false;
    r->last = r->first;
    if (word[n] == '.') {
        if (!scan_hex(word + n + 1, UINT64_MAX, &count) || !count)
            return false;
        r->last = r->first + count - 1;
    } else if (word[n] && !scan_hex(word + n + 1, UINT64_MAX, &r->last)) {
        return false;
    }
    return r->last >= r->first;
}

static char printable(u8 ebcdic)
{
    static const char table[] = /* X'40' to X'FF' of code page 1047 */
        " ...........<(+|&.........!$*);^-/.........,%_>?.........`:#@'=\""
        ".abcdefghi.......jklmnopqr.......~stuvwxyz...[...............].."
        "{ABCDEFGHI......}JKLMNOPQR......\\.STUVWXYZ......0123456789......";
    return ebcdic < 0x40 ? '.' : table[ebcdic - 0x40];
}

static int show_storage(struct look *l, const char *word, const struct range *r)
{
    static const char letters[] = {
        [VM_SPACE_REAL] = 'R', [VM_SPACE_ABS] = 'A', [VM_SPACE_VIRT] = 'V'};
    u64 from = r->first & ~15ull;
    if (r->last - r->first >= DISPLAY_BYTES_MAX)
        return cp_fail(l->req, MSG_CMD002E, word);
    for (u64 at = from; at <= r->last; at += 16) {
        u8 b[16];
        char text[17] = "";
        if (ops(l)->storage_get(l->user->vm, l->cpu, r->space, at, b, 16))
            return cp_fail(l->req, MSG_DIS160E, word);
        for (int i = 0; i < 16; i++)
            text[i] = printable(b[i]);
        cp_line(l->req, "%c%0*llX  %08X %08X %08X %08X  *%s*", letters[r->space],
                at >> 32 ? 16 : 8, (unsigned long long)at, be32_load(b), be32_load(b + 4),
                be32_load(b + 8), be32_load(b + 12), text);
        if (at > UINT64_MAX - 16)
            break;
    }
    return 0;
}

/* Kloc-loc: blocks with the same key in one line. */
static int show_keys(struct look *l, const char *word, const struct range *r)
{
    u8 key = 0, next = 0;
    u64 from = r->first & ~(KEY_BLOCK - 1);
    if (r->last - from >= KEY_BLOCK * KEY_BLOCKS_MAX)
        return cp_fail(l->req, MSG_CMD002E, word);
    for (u64 at = from, end; at <= r->last; at = end) {
        if (ops(l)->storage_key(l->user->vm, l->cpu, at, &key))
            return cp_fail(l->req, MSG_DIS160E, word);
        for (end = at + KEY_BLOCK; end <= r->last; end += KEY_BLOCK)
            if (ops(l)->storage_key(l->user->vm, l->cpu, end, &next) || next != key)
                break;
        cp_line(l->req, "R%08llX TO %08llX  KEY = %02X", (unsigned long long)at,
                (unsigned long long)(end - 1), key);
    }
    return 0;
}

static int display_one(struct look *l, const char *word)
{
    u64 first, last, prefix;
    struct range r;
    if (*word == 'K' && storage_operand(word + 1, &r))
        return show_keys(l, word, &r);
    if (cp_abbrev(word, "Psw") || !strcmp(word, "PSWG"))
        return show_psw(l);
    if (cp_abbrev(word, "PREFix")) {
        if (ops(l)->prefix_get(l->user->vm, l->cpu, &prefix))
            return cp_fail(l->req, MSG_DIS163E, "of this prefix");
        cp_line(l->req, "PREFIX = %08llX", (unsigned long long)prefix);
        return 0;
    }
    int kind = reg_operand(word, &first, &last);
    /* A0, F8 alone are storage addresses; AR and Y name those registers without doubt. */
    if (kind >= 0 && (strlen(word) == 1 || !storage_operand(word, &r)))
        return show_registers(l, kind, first, last);
    if (storage_operand(word, &r))
        return show_storage(l, word, &r);
    return cp_fail(l->req, MSG_DIS004E, word);
}

/* DISPLAY [CPU nn] operand ... */
int cp_cmd_display(struct cp_request *req, void *ctx)
{
    struct look l = {.req = req, .user = cp_own_machine(req)};
    const char *word;
    (void)ctx;
    if (!l.user)
        return msg_number(MSG_CMD045E);
    int rc = take_cpu(&l);
    if (rc)
        return rc;
    if (!cp_operand_peek(req))
        return cp_fail(req, MSG_CMD026E);
    while (!rc && (word = cp_operand(req)))
        rc = display_one(&l, word);
    return rc;
}

/* --- STORE ------------------------------------------------------------------------------- */

static int store_registers(struct look *l, int kind, u64 n)
{
    const char *word;
    u64 v;
    if (!cp_operand_peek(l->req))
        return cp_fail(l->req, MSG_CMD026E);
    for (; (word = cp_operand(l->req)); n++) {
        if (n > 15)
            return cp_fail(l->req, MSG_CMD003E, word);
        if (!scan_hex(word, reg_kinds[kind].wide ? UINT64_MAX : UINT32_MAX, &v))
            return cp_fail(l->req, MSG_DIS004E, word);
        if (ops(l)->reg_put(l->user->vm, l->cpu, reg_kinds[kind].kind, (unsigned)n, v))
            return cp_fail(l->req, MSG_DIS163E, "of this register");
    }
    return 0;
}

/* STORE PSW mask-high mask-low addr-high addr-low, or fewer words of the right end */
static int store_psw(struct look *l)
{
    u64 word[4], mask, addr;
    unsigned n = 0;
    const char *text;
    while ((text = cp_operand(l->req))) {
        if (n == 4 || !scan_hex(text, UINT32_MAX, &word[n++]))
            return cp_fail(l->req, MSG_DIS004E, text);
    }
    if (!n)
        return cp_fail(l->req, MSG_CMD026E);
    if (ops(l)->psw_get(l->user->vm, l->cpu, &mask, &addr))
        return cp_fail(l->req, MSG_DIS163E, "of this PSW");
    u64 old[4] = {mask >> 32, mask & UINT32_MAX, addr >> 32, addr & UINT32_MAX};
    for (unsigned i = 0; i < n; i++)
        old[4 - n + i] = word[i];
    if (ops(l)->psw_put(l->user->vm, l->cpu, old[0] << 32 | old[1], old[2] << 32 | old[3]))
        return cp_fail(l->req, MSG_DIS163E, "of this PSW");
    return 0;
}

/* Fullwords for hexloc; with S in front bytes, two digits each. */
static int store_storage(struct look *l, const char *where, const struct range *r, bool bytes)
{
    u8 data[512];
    size_t len = 0;
    const char *word;
    u64 v;
    while ((word = cp_operand(l->req))) {
        size_t digits = strlen(word);
        if (len + 256 > sizeof data)
            return cp_fail(l->req, MSG_CMD002E, word);
        if (!bytes) {
            if (digits > 8 || !scan_hex(word, UINT32_MAX, &v))
                return cp_fail(l->req, MSG_DIS004E, word);
            be32_store(data + len, (u32)v);
            len += 4;
            continue;
        }
        if (digits % 2 || digits > 512 || strspn(word, "0123456789ABCDEF") != digits)
            return cp_fail(l->req, MSG_DIS004E, word);
        for (size_t i = 0; i < digits; i += 2) {
            char pair[3] = {word[i], word[i + 1], 0};
            scan_hex(pair, 255, &v);
            data[len++] = (u8)v;
        }
    }
    if (!len)
        return cp_fail(l->req, MSG_CMD026E);
    u64 at = bytes ? r->first : r->first & ~3ull;
    if (ops(l)->storage_put(l->user->vm, l->cpu, r->space, at, data, len))
        return cp_fail(l->req, MSG_DIS160E, where);
    return 0;
}

static int store_status(struct look *l)
{
    int rc = cp_no_more(l->req);
    if (rc == 0 && ops(l)->store_status(l->user->vm, l->cpu))
        rc = cp_fail(l->req, MSG_DIS163E, "of this status");
    return rc;
}

/* STORE [CPU nn] {Gn | Xn | ARn | Yn | PSW | [S][R]hexloc} data ...; STORE STATUS */
int cp_cmd_store(struct cp_request *req, void *ctx)
{
    struct look l = {.req = req, .user = cp_own_machine(req)};
    struct range r;
    u64 first, last;
    (void)ctx;
    if (!l.user)
        return msg_number(MSG_CMD045E);
    int rc = take_cpu(&l);
    const char *word = rc ? NULL : cp_operand(req);
    if (rc || !word)
        return rc ? rc : cp_fail(req, MSG_CMD026E);
    int kind = reg_operand(word, &first, &last);
    bool bytes = *word == 'S';
    if (cp_abbrev(word, "STATUS"))
        rc = store_status(&l);
    else if (!strcmp(word, "PSW"))
        rc = store_psw(&l);
    else if (kind >= 0 && first == last && !storage_operand(word, &r))
        rc = store_registers(&l, kind, first);
    else if (storage_operand(word + bytes, &r))
        rc = store_storage(&l, word, &r, bytes);
    else
        rc = cp_fail(req, MSG_DIS004E, word);
    if (!rc)
        cp_line(req, "STORE COMPLETE");
    return rc;
}
