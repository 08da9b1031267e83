/* Unit record devices of `endicott ipl`: options read, files opened and closed. A second
 * --reader of the same device is the deck behind the first. */
#include "cli/ipl/ipl_unitrec.h"

#include <stdlib.h>

#include "cli/ipl/ipl_disks.h"

#define PATH_BYTES 4096

struct row_form {
    enum vm_unitrec_kind kind;
    const char *form;
};

/** Words behind the file name. */
struct words {
    unsigned seen; /* bit i: word_row[i] */
    enum unitrec_carriage carriage;
};

#define FOR(kind) (1u << (kind))
#define WORD_ASCII (1u << 0)
#define WORD_EBCDIC (1u << 1)
#define WORD_APPEND (1u << 2)
#define WORDS_CARRIAGE (7u << 3)
#define WORD_3211 (1u << 6)

static const struct {
    const char *word;
    unsigned kinds;
    enum unitrec_carriage carriage;
} word_row[] = {
    {"ascii", FOR(VM_READER) | FOR(VM_PUNCH) | FOR(VM_PRINTER), UNITREC_CARDS},
    {"ebcdic", FOR(VM_READER) | FOR(VM_PUNCH) | FOR(VM_PRINTER), UNITREC_CARDS},
    {"append", FOR(VM_PUNCH) | FOR(VM_PRINTER), UNITREC_CARDS},
    {"text", FOR(VM_PRINTER), UNITREC_TEXT},
    {"asa", FOR(VM_PRINTER), UNITREC_ASA},
    {"machine", FOR(VM_PRINTER), UNITREC_MACHINE},
    {"3211", FOR(VM_PRINTER), UNITREC_CARDS},
};

/** Take the words off the end of the path; false: one that this device does not have. */
static bool take_words(enum vm_unitrec_kind kind, char *path, struct words *w)
{
    char *comma;
    while ((comma = strrchr(path, ','))) {
        unsigned i = 0;
        while (i < ARRAY_LEN(word_row) && strcmp(comma + 1, word_row[i].word))
            i++;
        if (i == ARRAY_LEN(word_row))
            break; /* the name has a comma */
        if (!(word_row[i].kinds & FOR(kind)))
            return false;
        if (1u << i & WORDS_CARRIAGE)
            w->carriage = word_row[i].carriage;
        w->seen |= 1u << i;
        *comma = 0;
    }
    return path[0] != 0;
}

static int words_check(const char *option, const struct words *w, struct cause *cause)
{
    unsigned carriage = w->seen & WORDS_CARRIAGE;
    if ((w->seen & WORD_ASCII) && (w->seen & WORD_EBCDIC))
        return cause_set(cause, ST_INVAL, "%s: ascii or ebcdic, not both", option);
    if (carriage & (carriage - 1))
        return cause_set(cause, ST_INVAL, "%s: one carriage control, not several", option);
    if (w->carriage == UNITREC_TEXT && (w->seen & WORD_EBCDIC))
        return cause_set(cause, ST_INVAL, "%s: text is in ASCII; asa or machine can be EBCDIC",
                         option);
    if (w->carriage == UNITREC_MACHINE && (w->seen & WORD_ASCII))
        return cause_set(cause, ST_INVAL, "%s: machine code is in EBCDIC", option);
    return ST_OK;
}

/** A reader may have several decks; anything else has its number for itself. */
static bool taken(const struct vm_config *vc, u16 devno, enum vm_unitrec_kind kind)
{
    for (unsigned i = 0; i < vc->unitrecs; i++)
        if (vc->unitrec[i].devno == devno &&
            (kind != VM_READER || vc->unitrec[i].kind != VM_READER))
            return true;
    return false;
}

static int row_open(const char *option, const struct row_form *form, struct vm_config *vc,
                    struct cause *cause)
{
    char number[8] = "", path[PATH_BYTES];
    size_t len = strcspn(option, "=");
    struct words w = {.carriage = form->kind == VM_PRINTER ? UNITREC_TEXT : UNITREC_CARDS};
    struct vm_unitrec *row = &vc->unitrec[vc->unitrecs];
    if (vc->unitrecs == VM_UNITREC_MAX)
        return cause_set(cause, ST_INVAL, "%s: %u unit record files are possible", option,
                         VM_UNITREC_MAX);
    *row = (struct vm_unitrec){.kind = form->kind};
    if (len < sizeof number)
        memcpy(number, option, len);
    if (!option[len] || strlen(option + len + 1) >= sizeof path ||
        !ipl_devno(number, &row->devno))
        return cause_set(cause, ST_INVAL, "%s: not %s", option, form->form);
    strcpy(path, option + len + 1);
    if (!take_words(form->kind, path, &w))
        return cause_set(cause, ST_INVAL, "%s: not %s", option, form->form);
    if (taken(vc, row->devno, form->kind))
        return cause_set(cause, ST_INVAL, "%s: device %04X is there already", option,
                         row->devno);
    row->printer = w.seen & WORD_3211 ? PRINTER_3211 : PRINTER_1403;
    int rc = words_check(option, &w, cause);
    const struct unitrec_format format = {.carriage = w.carriage,
                                          .ebcdic = (w.seen & WORD_EBCDIC) ||
                                                    w.carriage == UNITREC_MACHINE,
                                          .append = (w.seen & WORD_APPEND) != 0};
    if (rc == ST_OK && form->kind == VM_READER)
        rc = unitrec_deck_load(path, w.seen & WORD_ASCII, &row->deck, cause);
    else if (rc == ST_OK)
        rc = unitrec_file_open(path, &format, &row->file, cause);
    if (rc == ST_OK)
        vc->unitrecs++;
    return rc;
}

int ipl_unitrec_open(const struct ipl_unitrec *o, struct vm_config *vc, struct cause *cause)
{
    const struct {
        const char *const *option;
        struct row_form form;
    } lists[] = {
        {o->reader, {VM_READER, "DEVNO=FILE[,ascii|ebcdic]"}},
        {o->punch, {VM_PUNCH, "DEVNO=FILE[,ascii|ebcdic][,append]"}},
        {o->printer,
         {VM_PRINTER, "DEVNO=FILE[,text|asa|machine][,ascii|ebcdic][,append][,3211]"}},
    };
    int rc = ST_OK;
    for (unsigned i = 0; i < ARRAY_LEN(lists); i++)
        for (const char *const *option = lists[i].option; rc == ST_OK && *option; option++)
            rc = row_open(*option, &lists[i].form, vc, cause);
    if (rc)
        ipl_unitrec_close(vc);
    return rc;
}

void ipl_unitrec_close(struct vm_config *vc)
{
    while (vc->unitrecs) {
        struct vm_unitrec *row = &vc->unitrec[--vc->unitrecs];
        spool_data_fini(&row->deck);
        unitrec_file_close(row->file);
    }
}
