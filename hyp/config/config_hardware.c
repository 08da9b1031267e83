/* hardware/MEMBER.cnf: the machine of one member; Hercules statements where Hercules has them.
 * Ours: SSIPORT host:port. Refused: statements whose absence would change what guests see. */
#include "hyp/config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_internal.h"
#include "hyp/config/config_scan.h"
#include "hyp/cpu_type.h"
#include "io/net/uplink.h"

struct hw_parse {
    struct config_hardware *hw;
    struct scan *s;
    struct cause *cause;
    bool model_seen, main_seen;
};

static int one_operand(struct hw_parse *p)
{
    return p->s->count > 2 ? scan_end(p->s, 2, p->cause) : ST_OK;
}

static int hw_serial(struct hw_parse *p)
{
    u64 v;
    if (!scan_hex(scan_word(p->s, 1), 0xffffff, &v))
        return scan_bad(p->s, 1, p->cause, "a serial number of 1-6 hexadecimal digits");
    p->hw->cpu_serial = (u32)v;
    return one_operand(p);
}

static int hw_model(struct hw_parse *p)
{
    p->hw->model = cpu_model_find(scan_word(p->s, 1));
    if (!p->hw->model)
        return scan_bad(p->s, 1, p->cause, "a machine type or one of %s", cpu_model_names());
    p->model_seen = true;
    return one_operand(p);
}

/* ENGINES [n*]type[,[n*]type]...: of the processors in their order; the others are CPs. */
static int hw_engines(struct hw_parse *p)
{
    char list[128], *rest = list;
    unsigned n = 0;
    snprintf(list, sizeof list, "%s", scan_word(p->s, 1));
    for (const char *item; (item = strsep(&rest, ","));) {
        const char *star = strchr(item, '*');
        u64 times = 1;
        u8 type;
        char count[4] = "1";
        if (star)
            snprintf(count, sizeof count, "%.*s", (int)(star - item), item);
        if (!scan_number(count, 1, CONFIG_CPUS_MAX, &times) ||
            !cpu_type_find(star ? star + 1 : item, &type) || n + times > CONFIG_CPUS_MAX)
            return scan_bad(p->s, 1, p->cause, "types of processors: [n*]type,... (%s)",
                            CPU_TYPE_NAMES);
        while (times--)
            p->hw->cpu_type[n++] = type;
    }
    return one_operand(p);
}

static int hw_numcpu(struct hw_parse *p)
{
    u64 v;
    if (!scan_number(scan_word(p->s, 1), 1, CONFIG_CPUS_MAX, &v))
        return scan_bad(p->s, 1, p->cause, "a number of CPUs from 1 to %d", CONFIG_CPUS_MAX);
    p->hw->cpus = (unsigned)v;
    return one_operand(p);
}

static int hw_mainsize(struct hw_parse *p)
{
    u64 v;
    if (!scan_size(scan_word(p->s, 1), 1 << 20, &v) || v < (1 << 20) || v > (16ull << 40))
        return scan_bad(p->s, 1, p->cause, "a storage size (a number of MB, or 4096M, 4G)");
    p->hw->main_bytes = v;
    p->main_seen = true;
    return one_operand(p);
}

static bool host_ok(const char *host, bool any)
{
    u8 addr[16];
    char six[CONFIG_HOST_BYTES];
    size_t n = strlen(host);
    if (!any)
        return !strcmp(host, "127.0.0.1") || !strcmp(host, "[::1]");
    if (host[0] != '[' || host[n - 1] != ']')
        return inet_pton(AF_INET, host, addr) == 1;
    snprintf(six, sizeof six, "%.*s", (int)n - 2, host + 1);
    return inet_pton(AF_INET6, six, addr) == 1;
}

/* CNSLPORT port (0: none) or address:port (0: any free one). Without a certificate passwords
 * travel in clear, so that no address but this host's own is taken. */
static int hw_cnslport(struct hw_parse *p)
{
    const char *word = scan_word(p->s, 1), *colon = strrchr(word, ':');
    char host[CONFIG_HOST_BYTES] = "";
    u64 v;
    if (colon && (size_t)(colon - word) < sizeof host)
        memcpy(host, word, (size_t)(colon - word));
    if ((colon && (!*host || !host_ok(host, p->hw->console_cert[0]))) ||
        !scan_number(colon ? colon + 1 : word, 0, 65535, &v))
        return scan_bad(
            p->s, 1, p->cause,
            "a TCP port up to 65535 (0: none), 127.0.0.1:port or [::1]:port (0: any "
            "free one); other addresses behind CNSLCERT only");
    memcpy(p->hw->console_host, host, sizeof host);
    p->hw->console_on = colon || v;
    p->hw->console_port = (u16)v;
    return one_operand(p);
}

/* CNSLCERT file: certificate and private key for TLS, in the cluster's folder. */
static int hw_cnslcert(struct hw_parse *p)
{
    const char *word = scan_rest(p->s, 1);
    if (one_operand(p))
        return ST_CONFIG;
    if (!*word || strlen(word) >= sizeof p->hw->console_cert)
        return scan_bad(p->s, 1, p->cause, "a PEM file");
    strcpy(p->hw->console_cert, word);
    return ST_OK;
}

/* SSIPORT host:port [host]; an IPv6 address in brackets. The second host is the one that others are
 * told, when it is not the one listened on. */
static int hw_ssiport(struct hw_parse *p)
{
    char text[CONFIG_HOST_BYTES + 16] = "", *word = text;
    scan_written(p->s, 1, 0, text, sizeof text);
    const char *colon = strrchr(word, ':');
    size_t n = colon ? (size_t)(colon - word) : 0;
    bool bracket = n > 2 && word[0] == '[' && word[n - 1] == ']';
    u64 port;
    if (bracket)
        word++, n -= 2;
    if (!n || n >= CONFIG_HOST_BYTES || !scan_number(colon + 1, 0, 65535, &port))
        return scan_bad(p->s, 1, p->cause, "host:port (port 0: any free one)");
    p->hw->ssi_published[0] = 0;
    if (p->s->count > 2 &&
        !scan_written(p->s, 2, 0, p->hw->ssi_published, sizeof p->hw->ssi_published))
        return scan_bad(p->s, 2, p->cause, "a host of at most %d characters",
                        CONFIG_HOST_BYTES - 1);
    if (p->s->count > 3)
        return scan_end(p->s, 3, p->cause);
    memcpy(p->hw->ssi_host, word, n);
    p->hw->ssi_host[n] = 0;
    p->hw->ssi_port = (u16)port;
    return ST_OK;
}

/* Statements of Hercules that say nothing a member of ours does not know already. */
static int hw_ignore(struct hw_parse *p)
{
    (void)p;
    return ST_OK;
}

static const struct {
    const char *name;
    int (*parse)(struct hw_parse *p);
} hw_statements[] = {
    {"CPUSERIAL", hw_serial},  {"CPUMODEL", hw_model},      {"NUMCPU", hw_numcpu},
    {"MAINSIZE", hw_mainsize}, {"CNSLPORT", hw_cnslport},   {"SSIPORT", hw_ssiport},
    {"CNSLCERT", hw_cnslcert}, {"ARCHLVL", hw_ignore},      {"ARCHMODE", hw_ignore},
    {"OSTAILOR", hw_ignore},   {"PANRATE", hw_ignore},      {"PANTITLE", hw_ignore},
    {"MAXCPU", hw_ignore},     {"MANUFACTURER", hw_ignore}, {"PLANT", hw_ignore},
    {"LPARNAME", hw_ignore},   {"ENGINES", hw_engines},
};

static bool device_range(const char *word, u64 *first, u64 *last)
{
    char a[CONFIG_NAME_BYTES];
    const char *dash = strchr(word, '-');
    size_t n = dash ? (size_t)(dash - word) : strlen(word);
    if (n < 3 || n > 4)
        return false;
    memcpy(a, word, n);
    a[n] = 0;
    if (!scan_hex(a, 0xffff, first))
        return false;
    *last = *first;
    if (!dash)
        return true;
    return strlen(dash + 1) >= 3 && scan_hex(dash + 1, 0xffff, last) && *last >= *first;
}

#define DEVICE_TYPES "3390, 9336, 3480, 3490, 3590, 3270, 1403, 3211, 3525 or OSA"

static bool device_type(const char *word, u16 *type)
{
    static const struct {
        const char *word;
        u16 type;
    } types[] = {{"3390", 0x3390},  {"9336", 0x9336}, {"3480", 0x3480},   {"3490", 0x3490},
                 {"3490E", 0x3490}, {"3590", 0x3590}, {"3270", 0x3270},   {"1403", 0x1403},
                 {"3211", 0x3211},  {"3525", 0x3525}, {"OSA", CONFIG_OSA}};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (!strcmp(word, types[i].word))
            return *type = types[i].type, true;
    return false;
}

static bool is_disk(const struct config_device *d)
{
    return d->type == 0x3390 || d->type == 0x9336;
}

/* A file of the device is named in word i, from its character `skip` on. */
static void file_at(const struct hw_parse *p, unsigned i, unsigned skip,
                    struct config_device *d)
{
    if (d->files < CONFIG_FILES_MAX)
        d->file_col[d->files++] = (u16)(p->s->tok[i].col + skip);
}

static int device_option(struct hw_parse *p, unsigned i, struct config_device *d)
{
    const char *w = scan_word(p->s, i);
    char shadow[CONFIG_PATH_BYTES];
    size_t len = strlen(d->file);
    if (!strcmp(w, "RO"))
        return d->read_only = true, ST_OK;
    if (!strcmp(w, "SYNC") && is_disk(d))
        return d->sync = true, ST_OK;
    if (!strncmp(w, "SF=", 3) && is_disk(d) &&
        scan_written(p->s, i, 3, shadow, sizeof shadow) &&
        len + strlen(shadow) + 9 < sizeof d->file) {
        strcat(strcat(d->file, ",shadow="), shadow);
        file_at(p, i, 3, d);
        return ST_OK;
    }
    if (!strncmp(w, "MIRROR=", 7) && is_disk(d) && !strstr(d->file, ",mirror=") &&
        scan_written(p->s, i, 7, shadow, sizeof shadow) &&
        len + strlen(shadow) + 9 < sizeof d->file) {
        strcat(strcat(d->file, ",mirror="), shadow);
        file_at(p, i, 7, d);
        return ST_OK;
    }
    if (!strncmp(w, "SIZE=", 5) && !is_disk(d) && scan_size(w + 5, 0, &d->volume_bytes))
        return ST_OK;
    if (!strncmp(w, "VOLID=", 6) && is_disk(d) && scan_name(w + 6, d->volid, 6))
        return ST_OK;
    return scan_bad(p->s, i, p->cause, "%s",
                    is_disk(d) ? "RO, SYNC, SF=file, MIRROR=file or VOLID=label"
                               : "RO or SIZE=bytes");
}

static bool classes_take(const char *w, char out[CONFIG_CLASSES_BYTES])
{
    if (!*w || strlen(w) >= CONFIG_CLASSES_BYTES)
        return false;
    for (const char *p = w; *p; p++)
        if (!((*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9')) || strchr(p + 1, *p))
            return false;
    strcpy(out, w);
    return true;
}

/* TEXT | ASA | MACHINE, EBCDIC, CLASS=letters, FORM=name, PROGRAM=file; what Hercules says of a
 * file in ASCII that is continued is so here. */
static int output_option(struct hw_parse *p, unsigned i, struct config_device *d)
{
    static const struct {
        const char *word;
        enum unitrec_carriage carriage;
    } carriages[] = {
        {"TEXT", UNITREC_TEXT}, {"ASA", UNITREC_ASA}, {"MACHINE", UNITREC_MACHINE}};
    const char *w = scan_word(p->s, i);
    for (size_t k = 0; k < ARRAY_LEN(carriages) && d->type != 0x3525; k++)
        if (!strcmp(w, carriages[k].word))
            return d->carriage = carriages[k].carriage, ST_OK;
    if (!strcmp(w, "ASCII") || !strcmp(w, "NOCLEAR"))
        return ST_OK;
    if (!strcmp(w, "EBCDIC"))
        return d->ebcdic = true, ST_OK;
    if (!strncmp(w, "CLASS=", 6) && classes_take(w + 6, d->classes))
        return ST_OK;
    if (!strncmp(w, "FORM=", 5) && scan_name(w + 5, d->form, 8))
        return ST_OK;
    if (!strncmp(w, "PROGRAM=", 8) && scan_written(p->s, i, 8, d->program, sizeof d->program))
        return ST_OK;
    return scan_bad(p->s, i, p->cause, "%sEBCDIC, CLASS=letters, FORM=name or PROGRAM=file",
                    d->type == 0x3525 ? "" : "TEXT, ASA, MACHINE, ");
}

/* OSA uplink: one of those of uplink.def, as behind UPLINK of a virtual switch. */
static int osa_operands(struct hw_parse *p, struct config_device *d)
{
    struct cause why;
    if (!scan_written(p->s, 2, 0, d->file, sizeof d->file) || !d->file[0])
        return scan_bad(p->s, 2, p->cause, "an uplink");
    if (uplink_check(d->file, &why))
        return scan_bad(p->s, 2, p->cause, "an uplink (%s)", why.text);
    return p->s->count > 3 ? scan_end(p->s, 3, p->cause) : ST_OK;
}

/* What follows the device number. */
static int device_operands(struct hw_parse *p, struct config_device *d)
{
    if (!*scan_word(p->s, 1))
        return scan_bad(p->s, 1, p->cause, "a device type");
    if (!device_type(scan_word(p->s, 1), &d->type))
        return scan_bad(p->s, 1, p->cause, "device type " DEVICE_TYPES);
    if (d->type == 0x3270)
        return scan_end(p->s, 2, p->cause);
    if (d->type == CONFIG_OSA)
        return osa_operands(p, d);
    if (strcmp(scan_word(p->s, 2), "*") && p->s->count > 2 &&
        !scan_written(p->s, 2, 0, d->file, sizeof d->file))
        return scan_bad(p->s, 2, p->cause, "a shorter file name");
    if (is_disk(d) && !d->file[0])
        return scan_bad(p->s, 2, p->cause, "the file of the disk");
    if (config_is_output(d) && !d->file[0])
        return scan_bad(p->s, 2, p->cause, "a file, or a folder with / at its end");
    file_at(p, 2, 0, d);
    d->carriage = d->type == 0x3525 ? UNITREC_CARDS : UNITREC_TEXT;
    int status = ST_OK;
    for (unsigned i = 3; i < p->s->count && !status; i++)
        status = (config_is_output(d) ? output_option : device_option)(p, i, d);
    d->ebcdic |= d->carriage == UNITREC_MACHINE;
    return status;
}

static int add_device(struct hw_parse *p, const struct config_device *what, u16 devno)
{
    struct config_hardware *hw = p->hw;
    for (unsigned i = 0; i < hw->device_count; i++)
        if (hw->devices[i].devno == devno)
            return scan_bad(p->s, 0, p->cause, "a device number that is not defined yet (%04X)",
                            devno);
    if (hw->device_count == CONFIG_DEVICES_MAX)
        return scan_bad(p->s, 0, p->cause, "at most %d devices", CONFIG_DEVICES_MAX);
    struct config_device *d = realloc(hw->devices, (hw->device_count + 1) * sizeof *d);
    if (!d)
        return cause_set(p->cause, ST_NOMEM, "%s: out of memory", p->s->name);
    hw->devices = d;
    d += hw->device_count++;
    *d = *what;
    d->devno = devno;
    return ST_OK;
}

static int hw_line(struct hw_parse *p)
{
    const char *word = scan_word(p->s, 0);
    u64 first, last;
    for (size_t i = 0; i < ARRAY_LEN(hw_statements); i++)
        if (!strcmp(word, hw_statements[i].name))
            return hw_statements[i].parse(p);
    if (!device_range(word, &first, &last))
        return scan_bad(p->s, 0, p->cause, "a hardware statement or a device number");
    struct config_device what = {.line = p->s->tok[0].line};
    int status = device_operands(p, &what);
    bool osa = what.type == CONFIG_OSA;
    if (osa && last == first)
        last = first + CONFIG_OSA_DEVICES - 1;
    if (!status && osa && (last - first != CONFIG_OSA_DEVICES - 1 || last > 0xffff))
        status = scan_bad(p->s, 0, p->cause, "the first of an OSA's three device numbers");
    if (!status && last > first && what.file[0] && !osa)
        status = scan_bad(p->s, 2, p->cause, "one device number for a file");
    for (u64 d = first; d <= last && !status; d++)
        status = add_device(p, &what, (u16)d);
    return status;
}

static int must_have(struct hw_parse *p, bool seen, const char *what, struct faults *faults)
{
    if (seen)
        return ST_OK;
    int status = scan_bad(p->s, 0, p->cause, "a %s statement", what);
    if (!faults)
        return status;
    faults_add_cause(faults, p->s->name, p->cause);
    return ST_OK;
}

int config_read_hardware(struct config_hardware *hw, const char *name, const char *text,
                         struct faults *faults, struct cause *cause)
{
    struct scan *s = malloc(sizeof *s);
    if (!s)
        return cause_set(cause, ST_NOMEM, "%s: out of memory", name);
    scan_init(s, name, text, SCAN_STAR_COMMENTS | SCAN_HASH_COMMENTS);
    struct hw_parse p = {.hw = hw, .s = s, .cause = cause};
    hw->cpus = 1;
    hw->cpu_serial = 1;
    int status;
    while ((status = scan_next(s, cause)) > 0) {
        status = hw_line(&p);
        if (status == ST_CONFIG && faults)
            faults_add_cause(faults, name, cause);
        else if (status)
            break;
    }
    if (!status)
        status = must_have(&p, p.model_seen, "CPUMODEL", faults);
    if (!status)
        status = must_have(&p, p.main_seen, "MAINSIZE", faults);
    free(s);
    return status;
}

int config_parse_hardware(struct config_hardware *hw, const char *name, const char *text,
                          struct cause *cause)
{
    return config_read_hardware(hw, name, text, NULL, cause);
}
