/* SET and TERMINAL: options of a session; SECUSER and OBSERVER. */
#include <stddef.h>
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

static const struct {
    const char *name;
    u32 bit;
} switches[] = {
    {"MSG", CP_SET_MSG},   {"WNG", CP_SET_WNG},         {"EMSG", CP_SET_EMSG},
    {"ACNT", CP_SET_ACNT}, {"RUN", CP_SET_RUN},         {"IMSG", CP_SET_IMSG},
    {"SMSG", CP_SET_SMSG}, {"LINEDIT", CP_SET_LINEDIT}, {"CONCEAL", CP_SET_CONCEAL},
};

/* SET name {ON | OFF}; MSG, WNG, SMSG: IUCV, too */
int cp_set_switch(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    u32 bit = 0;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    for (size_t i = 0; i < ARRAY_LEN(switches); i++)
        if (!strcmp(req->command, switches[i].name))
            bit = switches[i].bit;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    u32 iucv = bit == CP_SET_MSG    ? CP_SET_MSG_IUCV
               : bit == CP_SET_WNG  ? CP_SET_WNG_IUCV
               : bit == CP_SET_SMSG ? CP_SET_SMSG_IUCV
                                    : 0;
    u32 half = iucv                    ? !strcmp(word, "IUCV") ? iucv : 0
               : bit != CP_SET_EMSG    ? 0
               : !strcmp(word, "TEXT") ? CP_SET_EMSG_TEXT
               : !strcmp(word, "CODE") ? CP_SET_EMSG_CODE
                                       : 0;
    bool off = !strcmp(word, "OFF");
    if (!half && !off && strcmp(word, "ON") != 0)
        return cp_fail(req, MSG_CSE003E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (bit == CP_SET_EMSG)
        user->settings &= ~(u32)(CP_SET_EMSG_TEXT | CP_SET_EMSG_CODE);
    user->settings &= ~iucv;
    user->settings = off ? user->settings & ~bit : user->settings | bit | half;
    return 0;
}

/* OFF, RESET, * or a user id, into `viewer`; what it is for classes A and C. */
static int viewer_operand(struct cp_request *req, const char *word, const char *initial,
                          char viewer[DIR_NAME_BYTES])
{
    bool off = !strcmp(word, "OFF"), own = !strcmp(word, "*");
    if (!strcmp(word, "RESET")) {
        strcpy(viewer, initial);
        return 0;
    }
    word = own ? req->userid : word;
    if (!cp_userid_ok(word) || (!off && !directory_find(req->cp->directory, word)))
        return cp_fail(req, MSG_AUT053E, word);
    strcpy(viewer, off ? "" : word);
    return 0;
}

/* SET {SECUSER | OBSERVER} [userid] {userid | * | OFF | RESET}; a class G user may give up being
 * the one of another. */
int cp_set_observer(struct cp_request *req, void *ctx)
{
    const char *first = cp_operand(req), *second = cp_operand(req);
    struct cp_user *user = cp_request_user(req);
    bool secuser = req->command[0] == 'S';
    (void)ctx;
    if (!first || (!cp_userid_ok(first) && strcmp(first, "*")))
        return cp_fail(req, MSG_CMD026E);
    if (second) {
        bool others = req->classes & (CP_CLASS('A') | CP_CLASS('C'));
        if (strcmp(first, "*"))
            user = cp_user_find(req->cp, first);
        bool its = user && !strcmp(secuser ? user->secuser : user->observer, req->userid) &&
                   !strcmp(second, "OFF");
        if (!others && !its && strcmp(first, req->userid) && strcmp(first, "*"))
            return cp_fail(req, MSG_CSE003E, first);
    }
    if (!user)
        return cp_fail(req, MSG_CMD045E, second ? first : "User");
    int rc = cp_no_more(req);
    return rc ? rc
              : viewer_operand(req, second ? second : first,
                               secuser ? user->entry->console_secuser
                                       : user->entry->console_observer,
                               secuser ? user->secuser : user->observer);
}

/* --- TERMINAL ---------------------------------------------------------------------------- */

/* An option that takes a value: `at` is its place in struct cp_terminal. */
struct terminal_option {
    const char *name;
    int (*take)(struct cp_request *req, struct cp_terminal *t, size_t at);
    size_t at;
};

static int terminal_more(struct cp_request *req, struct cp_terminal *t, size_t at)
{
    const char *a = cp_operand(req), *b;
    u64 n, m;
    (void)at;
    if (!a || !scan_number(a, 0, 255, &n))
        return cp_fail(req, MSG_CMD002E, a ? a : "MORE");
    b = cp_operand_peek(req);
    m = t->more_warn_s;
    if (b && scan_number(b, 0, 255, &m))
        cp_operand(req);
    t->more_s = (unsigned)n;
    t->more_warn_s = (unsigned)m;
    return 0;
}

static int terminal_character(struct cp_request *req, struct cp_terminal *t, size_t at)
{
    const char *word = cp_operand(req);
    char *out = (char *)t + at;
    if (word && !strcmp(word, "OFF"))
        *out = 0;
    else if (word && !word[1] && !(*word >= 'A' && *word <= 'Z'))
        *out = *word;
    else if (word && ((u8)*word & 0xfe) == 0xc2 && !word[2]) /* ISO 8859-1 in UTF-8 */
        *out = (char)(((u8)*word & 3) << 6 | (word[1] & 0x3f));
    else
        return cp_fail(req, MSG_CMD002E, word ? word : "TERMINAL");
    return 0;
}

static int terminal_switch(struct cp_request *req, struct cp_terminal *t, size_t at)
{
    const char *word = cp_operand(req);
    if (!word || (strcmp(word, "ON") && strcmp(word, "OFF")))
        return cp_fail(req, MSG_CMD002E, word ? word : "TERMINAL");
    *(bool *)((char *)t + at) = word[1] == 'N';
    return 0;
}

static int terminal_linesize(struct cp_request *req, struct cp_terminal *t, size_t at)
{
    const char *word = cp_operand(req);
    u64 n = 0;
    (void)at;
    if (!word || (strcmp(word, "OFF") && !scan_number(word, 1, 255, &n)))
        return cp_fail(req, MSG_CMD002E, word ? word : "LINESIZE");
    t->linesize = (unsigned)n;
    return 0;
}

static int terminal_autocr(struct cp_request *req, struct cp_terminal *t, size_t at)
{
    int rc = terminal_switch(req, t, at);
    if (!rc)
        t->no_autocr = !t->no_autocr;
    return rc;
}

/* The device changes at once: nothing of it is left when a later operand is wrong. */
static int terminal_conmode(struct cp_request *req, struct cp_terminal *t, size_t at)
{
    struct cp_user *user = cp_own_machine(req);
    const struct vm_ops *ops = req->cp->ports.vm;
    struct cause cause = {0};
    const char *word = cp_operand(req);
    (void)t, (void)at;
    if (!word || (strcmp(word, "3215") && strcmp(word, "3270")))
        return cp_fail(req, MSG_CMD002E, word ? word : "CONMODE");
    if (!user->entry->has_console)
        return cp_fail(req, MSG_QVD040E, "CONS");
    if (ops->conmode(user->vm, word[2] == '7', &cause))
        return cp_fail(req, MSG_CMD002E, word);
    return 0;
}

static int terminal_breakin(struct cp_request *req, struct cp_terminal *t, size_t at)
{
    const char *word = cp_operand(req);
    bool guest = word && cp_abbrev(word, "GUESTctl");
    (void)at;
    if (!guest && (!word || !cp_abbrev(word, "IMMed")))
        return cp_fail(req, MSG_CMD002E, word ? word : "BREAKIN");
    t->breakin_guest = guest;
    return 0;
}

/* BRKKEY {PA1 | PFnn | NONE} */
static int terminal_brkkey(struct cp_request *req, struct cp_terminal *t, size_t at)
{
    const char *word = cp_operand(req);
    u64 key;
    (void)at;
    if (word && !strcmp(word, "PA1"))
        t->break_pf = 0;
    else if (word && !strcmp(word, "NONE"))
        t->break_pf = -1;
    else if (word && !strncmp(word, "PF", 2) && scan_number(word + 2, 1, CP_PF_KEYS, &key))
        t->break_pf = (int)key;
    else
        return cp_fail(req, MSG_CMD002E, word ? word : "BRKKEY");
    return 0;
}

/* Options of terminals that are not here: typewriters, graphics that no code page has. What they
 * are set to all the time is taken. */
static const struct fixed_option {
    const char *name, *value;
} fixed_options[] = {{"APL", "OFF"}, {"TEXT", "OFF"},  {"HIlight", "OFF"}, {"ATTN", "OFF"},
                     {"MODE", "VM"}, {"PROMPT", "VM"}, {"SCRNsave", "ON"}, {"SYS3270", "OFF"}};

static int terminal_fixed(struct cp_request *req, const struct fixed_option *o)
{
    const char *word = cp_operand(req);
    static const char *const values[] = {"ON", "OFF", "VM", "CP", "TTY", "TEST"};
    for (size_t i = 0; word && i < ARRAY_LEN(values); i++)
        if (!strcmp(word, values[i]))
            return strcmp(word, o->value) ? cp_fail(req, MSG_TEA006E, o->name, word) : 0;
    return cp_fail(req, MSG_CMD002E, word ? word : o->name);
}

#define AT(member) offsetof(struct cp_terminal, member)
static const struct terminal_option terminal_options[] = {
    {"MORE", terminal_more, 0},
    {"HOLD", terminal_switch, AT(hold)},
    {"TIMEStamp", terminal_switch, AT(timestamp)},
    {"TABchar", terminal_character, AT(tabchar)},
    {"LINENd", terminal_character, AT(linend)},
    {"LINEDel", terminal_character, AT(linedel)},
    {"CHardel", terminal_character, AT(chardel)},
    {"EScape", terminal_character, AT(escape)},
    {"LINESize", terminal_linesize, 0},
    {"AUTOCR", terminal_autocr, AT(no_autocr)},
    {"CONMODE", terminal_conmode, 0},
    {"BREAKIn", terminal_breakin, 0},
    {"BRKkey", terminal_brkkey, 0},
};
#undef AT

const char *cp_terminal_option_name(unsigned i)
{
    return i < ARRAY_LEN(terminal_options) ? terminal_options[i].name : NULL;
}

static int terminal_option(struct cp_request *req, struct cp_terminal *t, const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(terminal_options); i++)
        if (cp_abbrev(word, terminal_options[i].name))
            return terminal_options[i].take(req, t, terminal_options[i].at);
    for (size_t i = 0; i < ARRAY_LEN(fixed_options); i++)
        if (cp_abbrev(word, fixed_options[i].name))
            return terminal_fixed(req, &fixed_options[i]);
    return cp_fail(req, MSG_CMD003E, word);
}

void cp_terminal_apply(struct cp_user *user)
{
    console_set_form(user->console, user->terminal.linesize, user->terminal.timestamp);
    user->cp->ports.vm->autocr(user->vm, !user->terminal.no_autocr);
}

/* TERMINAL option value ...: all or nothing */
int cp_cmd_terminal(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word;
    int rc = 0;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!cp_operand_peek(req))
        return cp_fail(req, MSG_CMD026E);
    struct cp_terminal t = user->terminal;
    while (!rc && (word = cp_operand(req)))
        rc = terminal_option(req, &t, word);
    if (!rc) {
        user->terminal = t;
        cp_terminal_apply(user);
    }
    return rc;
}

static const char *shown(char c, char out[4])
{
    if ((u8)c < 0x80)
        snprintf(out, 4, "%c", c);
    else
        snprintf(out, 4, "%c%c", 0xc0 | (u8)c >> 6, 0x80 | (c & 0x3f));
    return c ? out : "OFF";
}

/* QUERY TERMINAL */
int cp_query_terminal(struct cp_request *req, void *ctx)
{
    struct cp_user *u = cp_own_machine(req);
    char a[4], b[4], c[4], d[4], e[4], size[12] = "OFF", key[8] = "PA1  ";
    (void)ctx;
    if (cp_no_more(req))
        return msg_number(MSG_CMD003E);
    if (!u)
        return msg_number(MSG_CMD045E);
    const struct cp_terminal *t = &u->terminal;
    cp_line(req, "LINEND %s , LINEDEL %s , CHARDEL %s , ESCAPE %s , TABCHAR %s",
            shown(t->linend, a), shown(t->linedel, b), shown(t->chardel, c),
            shown(t->escape, d), shown(t->tabchar, e));
    if (t->linesize)
        snprintf(size, sizeof size, "%03u", t->linesize);
    cp_line(req, "LINESIZE %s, ATTN OFF, APL OFF, TEXT OFF, MODE VM, HILIGHT OFF", size);
    if (t->break_pf)
        snprintf(key, sizeof key, t->break_pf < 0 ? "NONE " : "PF%02d ", t->break_pf);
    cp_line(req, "CONMODE %s, BREAKIN %s , BRKKEY %s, SCRNSAVE ON",
            req->cp->ports.vm->conmode_display(u->vm) ? "3270" : "3215",
            t->breakin_guest ? "GUESTCTL" : "IMMED", key);
    cp_line(req, "AUTOCR %s , MORE %03u %03u, HOLD %s, TIMESTAMP %s, SYS3270 OFF",
            t->no_autocr ? "OFF" : "ON", t->more_s, t->more_warn_s, t->hold ? "ON" : "OFF",
            t->timestamp ? "ON " : "OFF");
    return 0;
}
