/* Disks and tapes of `endicott ipl`: options read, images and volumes opened and closed. */
#include "cli/ipl/ipl_disks.h"

#include <stdlib.h>

#include "hyp/directory.h"
#include "io/image/image.h"

#define PATH_BYTES 4096

bool ipl_devno(const char *text, u16 *devno)
{
    char *end;
    size_t len = strspn(text, "0123456789abcdefABCDEF");
    unsigned long n = strtoul(text, &end, 16);
    *devno = (u16)n;
    return len >= 1 && len <= 4 && !text[len];
}

/** Cut `suffix` off the end of `path`. */
static bool ends_with(char *path, const char *suffix)
{
    size_t n = strlen(path), k = strlen(suffix);
    if (n <= k || strcmp(path + n - k, suffix) != 0)
        return false;
    path[n - k] = 0;
    return true;
}

static unsigned flags_of(char *path)
{
    unsigned flags = IMAGE_LIVE;
    for (;;) {
        if (ends_with(path, ",ro"))
            flags |= IMAGE_READ_ONLY;
        else if (ends_with(path, ",sync"))
            flags |= IMAGE_SYNC;
        else
            return flags;
    }
}

bool ipl_devno_taken(const struct vm_config *vc, u16 devno)
{
    for (unsigned i = 0; i < vc->disks; i++)
        if (vc->disk[i].devno == devno)
            return true;
    for (unsigned i = 0; i < vc->tapes; i++)
        if (vc->tape[i].devno == devno)
            return true;
    for (unsigned i = 0; i < vc->aliases; i++)
        if (vc->alias[i].devno == devno)
            return true;
    for (unsigned i = 0; i < vc->nets; i++)
        if (devno >= vc->net[i].config.devno && devno < vc->net[i].config.devno + 3)
            return true;
    for (unsigned i = 0; i < vc->ctcas; i++)
        if (vc->ctca[i].devno == devno)
            return true;
    return false;
}

/** DEVNO=REST; path gets REST, or "" when there is no equals sign. */
static int option_split(const char *option, const struct vm_config *vc, const char *form,
                        u16 *devno, char path[PATH_BYTES], struct cause *cause)
{
    char number[8] = "";
    size_t len = strcspn(option, "=");
    const char *rest = option[len] ? option + len + 1 : "";
    if (len < sizeof number)
        memcpy(number, option, len);
    if (strlen(rest) >= PATH_BYTES || !ipl_devno(number, devno))
        return cause_set(cause, ST_INVAL, "%s: not %s", option, form);
    if (ipl_devno_taken(vc, *devno))
        return cause_set(cause, ST_INVAL, "%s: device %04X is there already", option, *devno);
    strcpy(path, rest);
    return ST_OK;
}

static int disk_open(const char *option, struct vm_config *vc, struct cause *cause)
{
    static const char form[] = "DEVNO=FILE[,ro][,sync]";
    char path[PATH_BYTES];
    struct vm_disk *disk = &vc->disk[vc->disks];
    if (vc->disks == VM_DISKS_MAX)
        return cause_set(cause, ST_INVAL, "%s: %u disks are possible", option, VM_DISKS_MAX);
    int rc = option_split(option, vc, form, &disk->devno, path, cause);
    if (rc)
        return rc;
    unsigned flags = flags_of(path);
    if (!path[0])
        return cause_set(cause, ST_INVAL, "%s: not %s", option, form);
    rc = image_open(path, flags, &disk->image, cause);
    if (rc == ST_OK)
        vc->disks++;
    return rc;
}

int ipl_disks_open(const char *const *option, struct vm_config *vc, struct cause *cause)
{
    int rc = ST_OK;
    for (; rc == ST_OK && *option; option++)
        rc = disk_open(*option, vc, cause);
    if (rc)
        ipl_disks_close(vc);
    return rc;
}

int ipl_aliases_read(const char *const *option, struct vm_config *vc, struct cause *cause)
{
    static const char form[] = "DEVNO[=BASE]";
    int rc = ST_OK;
    for (; rc == ST_OK && *option; option++) {
        char base[PATH_BYTES];
        struct vm_alias *alias = &vc->alias[vc->aliases];
        if (vc->aliases == VM_ALIASES_MAX)
            return cause_set(cause, ST_INVAL, "%s: %u aliases are possible", *option,
                             VM_ALIASES_MAX);
        rc = option_split(*option, vc, form, &alias->devno, base, cause);
        alias->base = 0;
        if (rc == ST_OK && base[0] && !ipl_devno(base, &alias->base))
            rc = cause_set(cause, ST_INVAL, "%s: not %s", *option, form);
        if (rc == ST_OK)
            vc->aliases++;
    }
    return rc;
}

void ipl_disks_close(struct vm_config *vc)
{
    while (vc->disks) {
        struct image *img = vc->disk[--vc->disks].image;
        image_tidy(img);
        image_unref(img);
    }
}

/* ---- tapes ---- */

#define TAPE_FORM "DEVNO[=FILE|FOLDER[,ro][,size=N][,3480|,3490|,3590]]"

struct tape_options {
    unsigned flags;
    u64 capacity;
    enum tape_type type;
};

/* The option that ends the path, taken off it; false: there is none. */
static bool tape_option_taken(char *path, struct tape_options *k)
{
    char *comma = strrchr(path, ',');
    if (!comma)
        return false;
    if (strcmp(comma, ",ro") == 0)
        k->flags |= TAPE_READ_ONLY;
    else if (!tape_type_named(comma + 1, &k->type) &&
             (strncmp(comma, ",size=", 6) != 0 ||
              (k->capacity = directory_storage_size(comma + 6)) == 0))
        return false;
    *comma = 0;
    return true;
}

static int tape_open(const char *option, struct vm_config *vc, struct cause *cause)
{
    char path[PATH_BYTES];
    struct vm_tape *tape = &vc->tape[vc->tapes];
    if (vc->tapes == VM_TAPES_MAX)
        return cause_set(cause, ST_INVAL, "%s: %u tapes are possible", option, VM_TAPES_MAX);
    int rc = option_split(option, vc, TAPE_FORM, &tape->devno, path, cause);
    if (rc)
        return rc;
    struct tape_options k = {.type = TAPE_3490};
    while (tape_option_taken(path, &k))
        ;
    tape->type = k.type;
    tape->loader = NULL;
    if (path[0])
        rc = tape_loader_open(path, k.flags, k.capacity, &tape->loader, cause);
    if (rc == ST_OK)
        vc->tapes++;
    return rc;
}

int ipl_tapes_open(const char *const *option, struct vm_config *vc, struct cause *cause)
{
    int rc = ST_OK;
    for (; rc == ST_OK && *option; option++)
        rc = tape_open(*option, vc, cause);
    if (rc)
        ipl_tapes_close(vc);
    return rc;
}

void ipl_tapes_close(struct vm_config *vc)
{
    while (vc->tapes)
        tape_loader_close(vc->tape[--vc->tapes].loader);
}
