/* DIAGNOSE codes that tell something in one go: timers, the console, names of CPU types; and those
 * that are answered as by a CP whose directory does not allow them.
 * Source: z/VM CP Programming Services; Linux arch/s390 as the user of X'0C', X'8C', X'DC' and
 * X'224', and for the parameter list of X'DC'; the VM/370 System Programmer's Guide for X'3C' and
 * X'4C', the VM/SP System Programmer's Guide (SC19-6203) for the flags of X'8C'. What follows the
 * first 32 bytes of X'270', and return code 5 of X'DC', are from memory. */
#include <stdio.h>
#include <time.h>

#include "hyp/cpu_type.h"
#include "hyp/diag/diag.h"
#include "io/ebcdic.h"

bool diag_refused(struct vcpu *v, const struct cpu_icpt *k)
{
    (void)k;
    return diag_pgm(v, PGM_SPECIFICATION_CODE);
}

bool diag_fetch(struct vcpu *v, u64 real, void *out, size_t len)
{
    for (size_t done = 0; done < len;) {
        size_t n = FRAME_BYTES - ((real + done) & (FRAME_BYTES - 1));
        n = n < len - done ? n : len - done;
        if (!storage_read(v->vm->st, cpu_real_to_abs(v->cpu, real + done), (u8 *)out + done, n))
            return false;
        done += n;
    }
    return true;
}

bool diag_store(struct vcpu *v, u64 real, const void *in, size_t len)
{
    size_t first = FRAME_BYTES - (real & (FRAME_BYTES - 1));
    first = first < len ? first : len;
    for (size_t done = 0, n = first; done < len; done += n, n = FRAME_BYTES) {
        n = n < len - done ? n : len - done;
        u64 abs = cpu_real_to_abs(v->cpu, real + done);
        if (!storage_holds(v->vm->st, abs, n) || !storage_storable(v->vm->st, abs, n))
            return false;
    }
    for (size_t done = 0, n = first; done < len; done += n, n = FRAME_BYTES) {
        n = n < len - done ? n : len - done;
        storage_write(v->vm->st, cpu_real_to_abs(v->cpu, real + done), (const u8 *)in + done,
                      n);
    }
    return true;
}

/* ---- X'0C', X'270': timers ---- */

#define TOD_PER_S 4096000000ull
#define TOD_EPOCH_TO_1970_S 2208988800ll
#define TEXT_BYTES 64

void diag_clock(struct vcpu *v, struct tm *out)
{
    u64 tod = host_tod(v->vm) + cpu_get_epoch(v->vm->cpus);
    time_t unix_s = (time_t)(tod / TOD_PER_S) - TOD_EPOCH_TO_1970_S;
    gmtime_r(&unix_s, out);
}

/* Date, time, virtual and total processor time in microseconds. */
void diag_timer(struct vcpu *v, u8 out[DIAG_TIMER_BYTES])
{
    char text[TEXT_BYTES];
    struct tm tm;
    diag_clock(v, &tm);
    strftime(text, sizeof text, "%m/%d/%y%H:%M:%S", &tm);
    ebcdic_pad(text, 16, out);
    be64_store(out + 16, atomic_load(&v->virt_ns) / 1000);
    be64_store(out + 24, atomic_load(&v->total_ns) / 1000);
}

bool diag_0c(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 out[DIAG_TIMER_BYTES];
    u64 at = cpu_gr(v->cpu)[k->r1];
    if (at % 8)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    diag_timer(v, out);
    return diag_store(v, at, out, sizeof out) ? diag_cc(v, 0)
                                              : diag_pgm(v, PGM_ADDRESSING_CODE);
}

#define EXTENDED_BYTES 64
#define AT_FULL_DATE 32 /* mm/dd/yyyy */
#define AT_ISO_DATE 42  /* yyyy-mm-dd */
#define AT_FORMAT 52
#define FORMAT_SHORT 1 /* how dates of this user are shown: mm/dd/yy; 2: full, 3: ISO */
#define DATE_BYTES 10

static bool operands_270(struct vcpu *v, const struct cpu_icpt *k)
{
    return cpu_gr(v->cpu)[k->r1] % 8 == 0 && (u32)cpu_gr(v->cpu)[k->r3] >= DIAG_TIMER_BYTES;
}

static void answer_270(struct vcpu *v, const struct cpu_icpt *k)
{
    const struct vm_host_events *events = &v->vm->host->events;
    u8 out[EXTENDED_BYTES] = {0};
    char text[TEXT_BYTES];
    struct vm_settings settings = {VM_EMSG_ON, VM_DATE_SHORT};
    struct tm tm;
    u32 len = (u32)cpu_gr(v->cpu)[k->r3];
    if (events->settings)
        events->settings(events->ctx, v->vm, &settings);
    diag_timer(v, out);
    diag_clock(v, &tm);
    strftime(text, sizeof text, "%m/%d/%Y", &tm);
    ebcdic_pad(text, DATE_BYTES, out + AT_FULL_DATE);
    strftime(text, sizeof text, "%Y-%m-%d", &tm);
    ebcdic_pad(text, DATE_BYTES, out + AT_ISO_DATE);
    out[AT_FORMAT] = (u8)(FORMAT_SHORT + settings.dateformat);
    len = len < sizeof out ? len : sizeof out;
    if (!operands_270(v, k)) /* changed while the CPU waited */
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
    else if (diag_store(v, cpu_gr(v->cpu)[k->r1], out, len))
        cpu_finish_cc(v->cpu, 0);
    else
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
}

/* Rx: where, Ry: how many bytes of it. */
bool diag_270(struct vcpu *v, const struct cpu_icpt *k)
{
    return operands_270(v, k) ? diag_on_loop(v, k, answer_270)
                              : diag_pgm(v, PGM_SPECIFICATION_CODE);
}

/* ---- X'8C': the console ---- */

#define DISPLAY_BYTES 6
#define DISPLAY_14BIT 0x01 /* it has more positions than 12-bit addresses reach */
#define POSITIONS_12BIT 4096

/* Rx: where, Rx+1: device number, Ry: how many bytes. Flags, partitions, width, height. */
bool diag_8c(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 out[DISPLAY_BYTES] = {0};
    unsigned rows, cols;
    const u64 *gr = cpu_gr(v->cpu);
    u32 len = (u32)gr[k->r3];
    struct con3270 *display = NULL;
    if (k->r1 == 15 || len < DISPLAY_BYTES)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    if ((u32)gr[k->r1 + 1] <= 0xffff)
        display = vm_display(v->vm, (u16)gr[k->r1 + 1]);
    if (!display)
        return diag_cc(v, 3);
    con3270_size(display, &rows, &cols);
    out[0] = rows * cols > POSITIONS_12BIT ? DISPLAY_14BIT : 0;
    be16_store(out + 2, (u16)cols);
    be16_store(out + 4, (u16)rows);
    return diag_store(v, gr[k->r1] & 0x7fffffff, out, sizeof out)
               ? diag_cc(v, 0)
               : diag_pgm(v, PGM_ADDRESSING_CODE);
}

/* ---- X'224': names of CPU types ---- */

#define NAME_BYTES 16
#define NAMES_ROW 1 /* the first row says how many there are */

bool diag_224(struct vcpu *v, const struct cpu_icpt *k)
{
    static const struct {
        const char *name;
        u8 code;
    } types[] = {
#define T(name, code) {name, code},
#include "hyp/cpu_type.def"
#undef T
    };
    u8 page[FRAME_BYTES] = {0};
    u64 at = cpu_gr(v->cpu)[k->r3];
    if (at % FRAME_BYTES || (u32)cpu_gr(v->cpu)[k->r1])
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        page[0] = page[0] > types[i].code ? page[0] : types[i].code;
        ebcdic_pad(types[i].name, NAME_BYTES,
                   page + (size_t)(types[i].code + NAMES_ROW) * NAME_BYTES);
    }
    return diag_store(v, at, page, sizeof page) ? diag_cc(v, 0)
                                                : diag_pgm(v, PGM_ADDRESSING_CODE);
}

/* ---- not for this guest ---- */

/* No volume is one with a directory. */
bool diag_3c(struct vcpu *v, const struct cpu_icpt *k)
{
    (void)k;
    return diag_cc(v, 2);
}

/* The directory entry has no OPTION ACCT. */
bool diag_4c(struct vcpu *v, const struct cpu_icpt *k)
{
    (void)k;
    return diag_cc(v, 1);
}

/* Linux's struct appldata_parameter_list. */
#define MONITOR_LIST_BYTES 32
#define MONITOR_START 0x80
#define MONITOR_STOP 0x81
#define MONITOR_CONFIGURATION 0x83
#define MONITOR_ID_BYTES 16
#define NOT_AUTHORIZED 5

static bool readable(struct vcpu *v, u64 real, u32 len)
{
    u8 byte;
    return diag_fetch(v, real, &byte, 1) && (!len || diag_fetch(v, real + len - 1, &byte, 1));
}

/* What is started is forgotten: nobody takes samples. */
bool diag_dc(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 list[MONITOR_LIST_BYTES];
    if (!v->vm->config.applmon) {
        diag_gr32(v, k->r3, NOT_AUTHORIZED);
        return diag_cc(v, 0);
    }
    if (!diag_fetch(v, cpu_gr(v->cpu)[k->r1], list, sizeof list))
        return diag_pgm(v, PGM_ADDRESSING_CODE);
    u8 function = list[2];
    if (be16_load(list) != 0xdc || function < MONITOR_START || function > MONITOR_CONFIGURATION)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    if (!readable(v, be64_load(list + 16), MONITOR_ID_BYTES) ||
        (function != MONITOR_STOP && !readable(v, be64_load(list + 24), be16_load(list + 10))))
        return diag_pgm(v, PGM_ADDRESSING_CODE);
    diag_gr32(v, k->r3, 0);
    return diag_cc(v, 0);
}
