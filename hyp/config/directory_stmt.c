/* Statements of a directory entry but for those about disks; the table is directory_stmt.def. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/loaddev.h"
#include "hyp/net/vswitch.h"
#include "hyp/config/directory_internal.h"
#include "hyp/cpu_type.h"
#include "hyp/password.h"

static int bad(struct dir_parse *p, unsigned i, const char *expected)
{
    return scan_bad(p->s, i, p->cause, "%s", expected);
}

static int take_classes(struct dir_parse *p, unsigned i)
{
    const char *w = scan_word(p->s, i);
    u32 classes = 0;
    for (const char *c = w; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            classes |= CP_CLASS(*c);
        else if (*c >= '1' && *c <= '6')
            classes |= 1u << (26 + *c - '1');
        else
            return bad(p, i, "privilege classes A-Z, 1-6");
    }
    if (!classes)
        return bad(p, i, "privilege classes A-Z, 1-6");
    p->entry->classes = classes;
    return ST_OK;
}

static int take_storage(struct dir_parse *p, unsigned i, u64 *out)
{
    if (!scan_size(scan_word(p->s, i), 0, out) || *out > DIR_STORAGE_BYTES_MAX)
        return bad(p, i, "a storage size (512M, 2G)");
    return ST_OK;
}

/* The word is never shown. */
static int password_ok(struct dir_parse *p, unsigned i)
{
    const char *w = scan_word(p->s, i), *want = NULL;
    char raw[DIR_PASSWORD_BYTES];
    if (*w == '$' && strlen(w) > 8) {
        if (!scan_written(p->s, i, 0, raw, sizeof raw) || !directory_hash_ok(raw))
            want = "a hashed password that crypt(3) knows, found another one";
    } else if (strlen(w) > 8) {
        want = "a password of 1-8 characters, found a longer one";
    }
    return !want ? ST_OK
                 : cause_set(p->cause, ST_CONFIG, "%s:%u:%u: expected %s", p->s->name,
                             p->s->tok[i].line, p->s->tok[i].col, want);
}

static int take_password(struct dir_parse *p, unsigned i)
{
    static const struct {
        const char *word;
        enum dir_logon how;
    } special[] = {{"NOPASS", DIR_LOGON_NOPASS},
                   {"AUTOONLY", DIR_LOGON_AUTOONLY},
                   {"LBYONLY", DIR_LOGON_LBYONLY},
                   {"NOLOG", DIR_LOGON_NOLOG}};
    const char *w = scan_word(p->s, i);
    if (!*w)
        return bad(p, i, "a password, NOPASS, AUTOONLY, LBYONLY or NOLOG");
    int status = password_ok(p, i);
    if (status)
        return status;
    snprintf(p->entry->password, sizeof p->entry->password, "%s", w);
    if (*w == '$') /* hashes know small letters */
        scan_written(p->s, i, 0, p->entry->password, sizeof p->entry->password);
    p->entry->logon = DIR_LOGON_PASSWORD;
    for (size_t k = 0; k < ARRAY_LEN(special); k++) {
        if (strcmp(w, special[k].word))
            continue;
        p->entry->logon = special[k].how;
        p->entry->password[0] = 0;
    }
    return ST_OK;
}

/* ON, OFF, a character, or its EBCDIC code as two digits, which is kept as it is known here: ON. */
static int edit_character(struct dir_parse *p, unsigned i, char *out)
{
    const char *w = scan_word(p->s, i);
    u64 code;
    *out = DIR_EDIT_DEFAULT;
    if (!strcmp(w, "OFF"))
        *out = 0;
    else if (!w[1])
        *out = *w;
    else if (strcmp(w, "ON") && (w[2] || !scan_hex(w, 0xff, &code)))
        return bad(p, i, "ON, OFF, a character or its code");
    return ST_OK;
}

int dir_user_operands(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    u64 priority;
    if (!scan_name(scan_word(p->s, 1), e->userid, 8))
        return bad(p, 1, "a user id of 1-8 characters");
    if (take_password(p, 2))
        return ST_CONFIG;
    if (p->s->count > 3 && take_storage(p, 3, &e->storage_bytes))
        return ST_CONFIG;
    e->storage_max_bytes = e->storage_bytes;
    if (p->s->count > 4 && take_storage(p, 4, &e->storage_max_bytes))
        return ST_CONFIG;
    if (e->storage_bytes > e->storage_max_bytes)
        return bad(p, 4, "a maximum of at least the initial storage");
    if (p->s->count > 5 && take_classes(p, 5))
        return ST_CONFIG;
    if (p->s->count > 6 && !scan_number(scan_word(p->s, 6), 0, 99, &priority))
        return bad(p, 6, "a priority from 0 to 99");
    for (unsigned i = 0; i < DIR_EDIT_CHARACTERS && 7 + i < p->s->count; i++)
        if (edit_character(p, 7 + i, &e->edit[i]))
            return ST_CONFIG;
    return scan_end(p->s, 11, p->cause);
}

int dir_st_machine(struct dir_parse *p)
{
    static const struct {
        const char *word;
        enum dir_machine machine;
    } modes[] = {{"ESA", DIR_MACH_ESA}, {"XA", DIR_MACH_XA}, {"Z", DIR_MACH_Z}};
    u64 n = 1;
    size_t k = 0;
    while (k < ARRAY_LEN(modes) && strcmp(scan_word(p->s, 1), modes[k].word))
        k++;
    if (k == ARRAY_LEN(modes))
        return bad(p, 1, "ESA, XA or Z");
    if (p->s->count > 2 && !scan_number(scan_word(p->s, 2), 1, DIR_CPUS_MAX, &n))
        return scan_bad(p->s, 2, p->cause, "a number of CPUs from 1 to %d", DIR_CPUS_MAX);
    p->entry->machine = modes[k].machine;
    p->entry->cpus_max = (unsigned)n;
    return scan_end(p->s, 3, p->cause);
}

static int cpu_operands(struct dir_parse *p, struct dir_cpu *cpu)
{
    u64 serial;
    for (unsigned i = 2; i < p->s->count; i++) {
        const char *w = scan_word(p->s, i);
        if (!strcmp(w, "BASE")) {
            cpu->base = true;
        } else if (!strcmp(w, "CPUID")) {
            if (!scan_hex(scan_word(p->s, ++i), 0xffffff, &serial))
                return bad(p, i, "a serial number of 6 hexadecimal digits");
            cpu->has_cpuid = true;
            cpu->cpuid = (u32)serial;
        } else if (!strcmp(w, "TYPE")) {
            if (!cpu_type_find(scan_word(p->s, ++i), &cpu->type))
                return bad(p, i, CPU_TYPE_NAMES);
        } else if (!strcmp(w, "DEDICATE")) {
            cpu->dedication = DIR_DEDICATED;
        } else if (!strcmp(w, "NODEDICATE")) {
            cpu->dedication = DIR_NEVER_DEDICATED;
        } else {
            return bad(p, i, "BASE, CPUID, DEDICATE, NODEDICATE or TYPE");
        }
    }
    return ST_OK;
}

enum dir_dedication directory_dedication(const struct dir_entry *entry, u8 cpu)
{
    for (unsigned i = 0; i < entry->cpu_count; i++)
        if (entry->cpus[i].addr == cpu && entry->cpus[i].dedication)
            return entry->cpus[i].dedication;
    return entry->options & DIR_OPT_NODEDICATE ? DIR_NEVER_DEDICATED
           : entry->options & DIR_OPT_DEDICATE ? DIR_DEDICATED
                                               : DIR_DEDICATION_NONE;
}

bool directory_cpuid(const struct dir_entry *entry, u32 *cpuid)
{
    const struct dir_cpu *base = &entry->cpus[0];
    for (unsigned i = 0; i < entry->cpu_count; i++)
        if (entry->cpus[i].base)
            base = &entry->cpus[i];
    *cpuid = base->cpuid;
    return base->has_cpuid;
}

/* Where the CPU of a statement goes: behind the others, or in place of the profile's; NULL: the
 * entry itself has it already. */
static struct dir_cpu *cpu_place(struct dir_parse *p, u8 addr)
{
    struct dir_entry *e = p->entry;
    for (unsigned i = 0; i < e->cpu_count; i++)
        if (e->cpus[i].addr == addr)
            return p->cpus_profile >> addr & 1 ? &e->cpus[i] : NULL;
    return &e->cpus[e->cpu_count++];
}

/* CPU addr [BASE] [CPUID nnnnnn] [{DEDICATE | NODEDICATE}] [TYPE type]; the entry's own come before
 * those of its profile, as its BASE does. */
int dir_st_cpu(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    struct dir_cpu *place;
    u64 addr;
    if (!scan_hex(scan_word(p->s, 1), DIR_CPUS_MAX - 1, &addr))
        return scan_bad(p->s, 1, p->cause, "a CPU address from 0 to %X", DIR_CPUS_MAX - 1);
    if (!p->cpus_own)
        e->cpu_count = 0;
    p->cpus_own = true;
    struct dir_cpu cpu = {.addr = (u8)addr};
    int status = cpu_operands(p, &cpu);
    for (unsigned i = 0; i < e->cpu_count && cpu.base && !status; i++) {
        if (e->cpus[i].base && !(p->cpus_profile >> e->cpus[i].addr & 1))
            status = bad(p, 1, "one BASE CPU");
        e->cpus[i].base = false;
    }
    if (status)
        return status;
    if (!(place = cpu_place(p, (u8)addr)))
        return bad(p, 1, "each CPU once");
    *place = cpu;
    p->cpus_profile &= ~(1ull << addr);
    return ST_OK;
}

static int ipl_parm(struct dir_parse *p, unsigned i)
{
    const char *rest = scan_rest(p->s, i);
    if (!*rest)
        return bad(p, i, "parameter text");
    if (strlen(rest) >= DIR_PARM_BYTES)
        return scan_bad(p->s, i, p->cause, "at most %d characters of PARM", DIR_PARM_BYTES - 1);
    strcpy(p->entry->ipl.parm, rest);
    return ST_OK;
}

/* IPL {vdev | name} [LOADPARM text] [PARM text to the end] */
int dir_st_ipl(struct dir_parse *p)
{
    struct dir_ipl *ipl = &p->entry->ipl;
    u64 vdev;
    memset(ipl, 0, sizeof *ipl);
    if (scan_hex(scan_word(p->s, 1), 0xffff, &vdev) && strlen(scan_word(p->s, 1)) <= 4)
        ipl->vdev = (u16)vdev;
    else if (scan_name(scan_word(p->s, 1), ipl->name, 8))
        ipl->is_name = true;
    else
        return bad(p, 1, "a virtual device number or the name of a saved system");
    ipl->present = true;
    ipl->at = dir_place_of(p);
    for (unsigned i = 2; i < p->s->count; i += 2) {
        const char *w = scan_word(p->s, i);
        if (scan_abbrev(w, "PARM"))
            return ipl_parm(p, i + 1);
        if (!scan_abbrev(w, "LOADparm"))
            return bad(p, i, "LOADPARM or PARM");
        const char *text = scan_word(p->s, i + 1);
        if (!*text || strlen(text) > 8)
            return bad(p, i + 1, "a load parameter of 1-8 characters");
        strcpy(ipl->loadparm, text);
    }
    return ST_OK;
}

static int take_vdev(struct dir_parse *p, unsigned i, u16 *out)
{
    u64 v;
    if (strlen(scan_word(p->s, i)) > 4 || !scan_hex(scan_word(p->s, i), 0xffff, &v))
        return bad(p, i, "a virtual device number");
    *out = (u16)v;
    return ST_OK;
}

/* CONSOLE vdev {3215 | 3270} [class [userid [OBSERVER]]] */
int dir_st_console(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    char userid[DIR_NAME_BYTES] = "";
    if (take_vdev(p, 1, &e->console_vdev))
        return ST_CONFIG;
    bool display = !strcmp(scan_word(p->s, 2), "3270");
    if (!display && strcmp(scan_word(p->s, 2), "3215") && strcmp(scan_word(p->s, 2), "3210"))
        return bad(p, 2, "3215 or 3270");
    e->console_devtype = display ? 0x3270 : 0x3215;
    struct dir_place at = dir_place_of(p);
    if (e->has_console && e->console_at.line > e->line && at.line > e->console_at.line)
        e->console_again = at;
    e->has_console = true;
    e->console_at = at;
    e->console_secuser[0] = e->console_observer[0] = 0; /* of a profile's CONSOLE */
    strcpy(e->console_class, "T");
    if (p->s->count > 3) {
        if (strlen(scan_word(p->s, 3)) != 1 ||
            !strpbrk(scan_word(p->s, 3), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
            return bad(p, 3, "a spool class");
        strcpy(e->console_class, scan_word(p->s, 3));
    }
    if (p->s->count > 4 && !scan_name(scan_word(p->s, 4), userid, 8))
        return bad(p, 4, "the user id of a secondary user");
    if (p->s->count > 5 && strcmp(scan_word(p->s, 5), "OBSERVER"))
        return bad(p, 5, "OBSERVER");
    strcpy(p->s->count > 5 ? e->console_observer : e->console_secuser, userid);
    return scan_end(p->s, 6, p->cause);
}

static const struct {
    const char *type;
    u16 number;
    enum dir_spool_kind kind;
} spool_types[] = {
    {"2501", 0x2501, DIR_SPOOL_READER},  {"3505", 0x3505, DIR_SPOOL_READER},
    {"3525", 0x3525, DIR_SPOOL_PUNCH},   {"1403", 0x1403, DIR_SPOOL_PRINTER},
    {"1443", 0x1443, DIR_SPOOL_PRINTER}, {"3203", 0x3203, DIR_SPOOL_PRINTER},
    {"3211", 0x3211, DIR_SPOOL_PRINTER}, {"3262", 0x3262, DIR_SPOOL_PRINTER},
    {"4245", 0x4245, DIR_SPOOL_PRINTER}, {"4248", 0x4248, DIR_SPOOL_PRINTER},
};

/* Device type at word 2, READER or PUNCH behind 2540. Words taken, or 0. */
static unsigned spool_type(struct dir_parse *p, struct dir_spool *sp)
{
    const char *w = scan_word(p->s, 2), *what = scan_word(p->s, 3);
    if (!strcmp(w, "2540")) {
        bool reader = scan_abbrev(what, "READER") || !strcmp(what, "RDR");
        if (!reader && !scan_abbrev(what, "PUNCH") && strcmp(what, "PCH")) {
            bad(p, 3, "READER or PUNCH");
            return 0;
        }
        sp->devtype = 0x2540;
        sp->kind = reader ? DIR_SPOOL_READER : DIR_SPOOL_PUNCH;
        return 2;
    }
    for (size_t k = 0; k < ARRAY_LEN(spool_types); k++) {
        if (strcmp(w, spool_types[k].type))
            continue;
        sp->devtype = spool_types[k].number;
        sp->kind = spool_types[k].kind;
        return 1;
    }
    bad(p, 2, "a unit record device type (2540, 3505, 3525, 1403 ...)");
    return 0;
}

/* SPOOL vdev devtype [classes] */
int dir_st_spool(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    struct dir_spool sp = {.at = dir_place_of(p)};
    unsigned k = 0;
    if (take_vdev(p, 1, &sp.vdev))
        return ST_CONFIG;
    unsigned n = spool_type(p, &sp);
    if (!n)
        return ST_CONFIG;
    const char *classes = scan_word(p->s, 2 + n);
    if (strlen(classes) > 8 ||
        strspn(classes, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*") != strlen(classes))
        return bad(p, 2 + n, "1-8 spool classes or *");
    strcpy(sp.classes, *classes ? classes : sp.kind == DIR_SPOOL_READER ? "*" : "A");
    while (k < e->spool_count && e->spools[k].vdev != sp.vdev)
        k++;
    if (k == DIR_SPOOLS_MAX)
        return scan_bad(p->s, 1, p->cause, "at most %d SPOOL statements", DIR_SPOOLS_MAX);
    e->spools[k] = sp;
    if (k == e->spool_count)
        e->spool_count++;
    return scan_end(p->s, 3 + n, p->cause);
}

/* SHARE {RELATIVE n | ABSOLUTE n%} [[RELATIVE | ABSOLUTE] max [LIMITSOFT | LIMITHARD] | NOLIMIT] */
int dir_st_share(struct dir_parse *p)
{
    const char *words[SHARE_WORDS_MAX];
    unsigned n = 0, wrong;
    for (unsigned i = 1; i < p->s->count && n < SHARE_WORDS_MAX; i++)
        words[n++] = scan_word(p->s, i);
    const char *expected = share_parse(words, n, &p->entry->share, &wrong);
    return expected ? bad(p, 1 + wrong, expected) : ST_OK;
}

int dir_st_account(struct dir_parse *p)
{
    if (!*scan_word(p->s, 1) || strlen(scan_word(p->s, 1)) > 8)
        return bad(p, 1, "an account number of 1-8 characters");
    strcpy(p->entry->account, scan_word(p->s, 1));
    for (unsigned i = 2; i < p->s->count && i < 9; i++)
        if (strlen(scan_word(p->s, i)) > 8)
            return bad(p, i, "an account number of 1-8 characters");
    return scan_end(p->s, 9, p->cause);
}

int dir_st_dateformat(struct dir_parse *p)
{
    static const char *const words[] = {"SHORTdate", "FULLdate", "ISOdate"};
    const char *word = scan_word(p->s, 1);
    int status = dir_st_kept(p);
    if (status)
        return status;
    p->entry->has_dateformat = false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (scan_abbrev(word, words[i])) {
            p->entry->has_dateformat = true;
            p->entry->dateformat = (enum vm_dateformat)i;
        }
    return ST_OK;
}

/* One operand and what belongs to it, from word `at` on; where the next one begins in *next. */
static int take_loaddev(struct dir_parse *p, struct loaddev *l, unsigned at, unsigned *next)
{
    enum loaddev_operand operand = loaddev_operand(scan_word(p->s, at));
    const char *word = scan_word(p->s, at + 1);
    u64 n;
    *next = at + 2;
    if (operand == LOADDEV_SCPDATA) {
        bool hex = !strcmp(word, "HEX");
        *next = p->s->count;
        return loaddev_scpdata(l, scan_rest(p->s, at + (hex ? 2 : 1)), hex)
                   ? ST_OK
                   : bad(p, at + 1, "a text, in quotes or not, or HEX and digits");
    }
    if (operand == LOADDEV_BOOTPROG) {
        if (!scan_number(word, 0, LOADDEV_BOOTPROG_MAX, &n))
            return bad(p, at + 1, "a number from 0 to 30");
        l->bootprog = (unsigned)n;
        return ST_OK;
    }
    if (operand == LOADDEV_NONE)
        return ST_OK; /* DEVICE vdev */
    unsigned taken = loaddev_number(word, scan_word(p->s, at + 2), loaddev_field(l, operand));
    *next = at + 1 + taken;
    return taken ? ST_OK : bad(p, at + 1, "one or two words of 8 hexadecimal digits");
}

int dir_st_loaddev(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    int status = dir_st_kept(p);
    if (!status && !e->loaddev && !(e->loaddev = calloc(1, sizeof *e->loaddev)))
        return cause_set(p->cause, ST_NOMEM, "%s: out of memory", p->s->name);
    for (unsigned at = 1; !status && at < p->s->count;)
        status = take_loaddev(p, e->loaddev, at, &at);
    return status;
}

/* --- NICDEF ----------------------------------------------------------------------------------- */

static int nic_port(struct dir_parse *p, struct dir_nic *nic, unsigned at)
{
    u64 n;
    if (!scan_number(scan_word(p->s, at), 1, VSWITCH_PORT_MAX, &n))
        return bad(p, at, "a port number from 1 to 2048");
    nic->port = (u16)n;
    return ST_OK;
}

/* PORTTYPE, VLAN, PROMISCUOUS at word `at`; *next is the one behind it, or as it was: something
 * else. */
static int nic_option(struct dir_parse *p, struct dir_nic *nic, unsigned *next)
{
    const char *words[SCAN_TOKENS_MAX];
    struct port_option option = {0};
    unsigned wrong;
    for (unsigned i = 0; i < p->s->count; i++)
        words[i] = scan_word(p->s, i);
    if (nic->option)
        option = *nic->option;
    int taken = port_option_take(&option, words, p->s->count, *next, &wrong);
    if (taken < 0)
        return bad(p, wrong, "VLANs from 1 to 4094, or what the operand is");
    if (!taken)
        return ST_OK;
    if (!nic->option && !(nic->option = malloc(sizeof option)))
        return cause_set(p->cause, ST_NOMEM, "%s: out of memory", p->s->name);
    *nic->option = option;
    *next += (unsigned)taken;
    return ST_OK;
}

static int nic_type(struct dir_nic *nic, const char *word)
{
    nic->hipersockets = scan_abbrev(word, "HIPERsockets");
    nic->other = !nic->hipersockets && strcmp(word, "QDIO") != 0;
    return ST_OK;
}

static int nic_lan(struct dir_nic *nic, const char *owner, const char *name)
{
    snprintf(nic->owner, sizeof nic->owner, "%s", owner);
    snprintf(nic->lan, sizeof nic->lan, "%s", name);
    return ST_OK;
}

/* An operand that has values; *next goes behind it. */
static int nic_operand(struct dir_parse *p, struct dir_nic *nic, unsigned *next)
{
    const char *word = scan_word(p->s, *next), *value = scan_word(p->s, *next + 1);
    unsigned at = *next;
    u64 n;
    int status = nic_option(p, nic, next);
    if (status || *next > at)
        return status;
    *next = at + 2;
    if (!strcmp(word, "TYPE"))
        return nic_type(nic, value);
    if (scan_abbrev(word, "PORTNUMber"))
        return nic_port(p, nic, at + 1);
    if (!strcmp(word, "LAN")) {
        *next = at + 3;
        return nic_lan(nic, value, scan_word(p->s, at + 2));
    }
    if (!strcmp(word, "MACID")) {
        if (strlen(value) > 6 || !scan_hex(value, 0xffffff, &n))
            return bad(p, at + 1, "six hexadecimal digits");
        nic->has_macid = true;
        nic->macid = (u32)n;
    }
    return ST_OK;
}

/* NICDEF vdev [TYPE type] [LAN owner name] [MACID hex] ...; several of one vdev are one. */
int dir_st_nicdef(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    struct dir_nic *nic = NULL;
    u64 n;
    int status = dir_st_kept(p);
    if (status)
        return status;
    if (!scan_hex(scan_word(p->s, 1), 0xfffd, &n) || !n)
        return bad(p, 1, "a device number from 0001 to FFFD");
    for (unsigned i = 0; i < e->nic_count; i++)
        if (e->nics[i].vdev == n)
            nic = &e->nics[i];
    if (!nic && e->nic_count == DIR_NICS_MAX)
        return bad(p, 0, "at most 16 adapters");
    if (!nic) {
        nic = &e->nics[e->nic_count++];
        nic->at = dir_place_of(p);
    }
    nic->vdev = (u16)n;
    for (unsigned at = 2; !status && at < p->s->count;)
        status = nic_operand(p, nic, &at);
    return status;
}

int dir_st_class(struct dir_parse *p)
{
    int status = take_classes(p, 1);
    return status ? status : scan_end(p->s, 2, p->cause);
}

int dir_st_command(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    const char *text = scan_rest(p->s, 1);
    if (!*text || strlen(text) >= DIR_COMMAND_BYTES)
        return scan_bad(p->s, 1, p->cause, "a CP command of at most %d characters",
                        DIR_COMMAND_BYTES - 1);
    if (e->command_count == DIR_COMMANDS_MAX)
        return scan_bad(p->s, 0, p->cause, "at most %d COMMAND statements", DIR_COMMANDS_MAX);
    e->commands[e->command_count] = strdup(text);
    if (!e->commands[e->command_count])
        return cause_set(p->cause, ST_NOMEM, "%s: out of memory", p->s->name);
    e->command_count++;
    return ST_OK;
}

/* kind: "user id" */
static int take_names(struct dir_parse *p, const char *kind, char (*to)[DIR_NAME_BYTES],
                      struct dir_place *at, unsigned *count)
{
    if (p->s->count < 2)
        return scan_bad(p->s, 1, p->cause, "a %s", kind);
    for (unsigned i = 1; i < p->s->count; i++) {
        if (*count == DIR_NAMES_MAX)
            return scan_bad(p->s, i, p->cause, "at most %d %ss", DIR_NAMES_MAX, kind);
        if (!scan_name(scan_word(p->s, i), to[*count], 8))
            return scan_bad(p->s, i, p->cause, "a %s of 1-8 characters", kind);
        at[*count] = (struct dir_place){p->s->tok[i].line, p->s->tok[i].col};
        ++*count;
    }
    return ST_OK;
}

int dir_st_xautolog(struct dir_parse *p)
{
    return take_names(p, "user id", p->entry->xautolog, p->entry->xautolog_at,
                      &p->entry->xautolog_count);
}

int dir_st_logonby(struct dir_parse *p)
{
    return take_names(p, "user id", p->entry->logonby, p->entry->logonby_at,
                      &p->entry->logonby_count);
}

int dir_st_namesave(struct dir_parse *p)
{
    return take_names(p, "name", p->entry->namesave, p->entry->namesave_at,
                      &p->entry->namesave_count);
}

/* IUCV {ALLOW | ANY | name ...} [PRIORITY] [MSGLIMIT number] */
int dir_st_iucv(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    const char *name = scan_word(p->s, 1);
    char word[DIR_NAME_BYTES];
    u64 n;
    int status = dir_st_kept(p);
    if (status)
        return status;
    if (strlen(name) > 8 || !scan_name(name + (*name == '*'), word, 8))
        return bad(p, 1, "ALLOW, ANY, a user id or the name of a service");
    if (e->iucv_count == DIR_IUCV_MAX)
        return bad(p, 0, "at most 32 IUCV statements");
    struct dir_iucv *row = &e->iucv[e->iucv_count++];
    strcpy(row->name, name);
    for (unsigned i = 2; i < p->s->count; i++) {
        if (!strcmp(scan_word(p->s, i), "PRIORITY"))
            row->priority = true;
        if (strcmp(scan_word(p->s, i), "MSGLIMIT") != 0)
            continue;
        if (!scan_number(scan_word(p->s, i + 1), 1, 65535, &n))
            return bad(p, i + 1, "a number from 1 to 65535");
        row->limit = (u16)n;
    }
    return ST_OK;
}

/* VMRELOCATE {ON | OFF} [DOMAIN name] */
int dir_st_vmrelocate(struct dir_parse *p)
{
    const char *w = scan_word(p->s, 1);
    unsigned i = 2;
    if (!strcmp(w, "ON") || !strcmp(w, "OFF"))
        p->entry->relocate = w[1] == 'N';
    else if (!strcmp(w, "DOMAIN"))
        i = 1;
    else
        return bad(p, 1, "ON, OFF or DOMAIN");
    if (p->s->count <= i)
        return ST_OK;
    if (strcmp(scan_word(p->s, i), "DOMAIN"))
        return bad(p, i, "DOMAIN");
    if (!scan_name(scan_word(p->s, i + 1), p->entry->domain, 8))
        return bad(p, i + 1, "a domain name of 1-8 characters");
    p->entry->domain_at = (struct dir_place){p->s->tok[i + 1].line, p->s->tok[i + 1].col};
    return scan_end(p->s, i + 2, p->cause);
}

int dir_st_storage(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    int status = take_storage(p, 1, &e->storage_bytes);
    if (!status && e->storage_max_bytes < e->storage_bytes)
        e->storage_max_bytes = e->storage_bytes;
    return status ? status : scan_end(p->s, 2, p->cause);
}

int dir_st_maxstorage(struct dir_parse *p)
{
    int status = take_storage(p, 1, &p->entry->storage_max_bytes);
    if (!status && p->entry->storage_max_bytes < p->entry->storage_bytes)
        status = bad(p, 1, "at least the initial storage");
    return status ? status : scan_end(p->s, 2, p->cause);
}

int dir_st_include(struct dir_parse *p)
{
    if (!scan_name(scan_word(p->s, 1), p->include, 8))
        return bad(p, 1, "the name of a PROFILE");
    return scan_end(p->s, 2, p->cause);
}

/* BUILD ON {member | *} USING SUBCONFIG name */
int dir_st_build(struct dir_parse *p)
{
    const char *member = scan_word(p->s, 2);
    char name[DIR_NAME_BYTES];
    if (p->entry->kind != DIR_IDENTITY)
        return bad(p, 0, "BUILD in an IDENTITY only");
    if (strcmp(scan_word(p->s, 1), "ON"))
        return bad(p, 1, "ON");
    if (strcmp(member, "*") && !scan_name(member, name, 8))
        return bad(p, 2, "a member name or *");
    if (strcmp(scan_word(p->s, 3), "USING"))
        return bad(p, 3, "USING");
    if (strcmp(scan_word(p->s, 4), "SUBCONFIG"))
        return bad(p, 4, "SUBCONFIG");
    if (!scan_name(scan_word(p->s, 5), name, 8))
        return bad(p, 5, "the name of a SUBCONFIG");
    if (p->entry->build_count == DIR_BUILDS_MAX)
        return scan_bad(p->s, 0, p->cause, "at most %d BUILD statements", DIR_BUILDS_MAX);
    bool wild = !strcmp(member, "*");
    struct dir_build *b = &p->entry->builds[p->entry->build_count++];
    strcpy(b->member, member);
    strcpy(b->subconfig, name);
    b->at = dir_place_of(p);
    if (!strcmp(member, p->member) || (wild && !p->entry->subconfig[0])) {
        strcpy(p->entry->subconfig, name);
    }
    strcpy(p->build, name);
    p->build_at = 5;
    return scan_end(p->s, 6, p->cause);
}
