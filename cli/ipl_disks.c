/* Disks of `endicott ipl`: options read, images opened and closed. */
#include "cli/ipl_disks.h"

#include <stdlib.h>

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
    unsigned flags = 0;
    for (;;) {
        if (ends_with(path, ",ro"))
            flags |= IMAGE_READ_ONLY;
        else if (ends_with(path, ",sync"))
            flags |= IMAGE_SYNC;
        else
            return flags;
    }
}

static int disk_open(const char *option, struct vm_config *vc, struct cause *cause)
{
    char devno[8] = "", path[PATH_BYTES];
    const char *eq = strchr(option, '=');
    struct vm_disk *disk = &vc->disk[vc->disks];
    if (eq && (size_t)(eq - option) < sizeof devno)
        memcpy(devno, option, (size_t)(eq - option));
    if (!eq || !eq[1] || strlen(eq + 1) >= sizeof path || !ipl_devno(devno, &disk->devno))
        return cause_set(cause, ST_INVAL, "%s: not DEVNO=FILE[,ro][,sync]", option);
    for (unsigned i = 0; i < vc->disks; i++)
        if (vc->disk[i].devno == disk->devno)
            return cause_set(cause, ST_INVAL, "%s: device %04X is there already", option,
                             disk->devno);
    strcpy(path, eq + 1);
    unsigned flags = flags_of(path);
    int rc = image_open(path, flags, &disk->image, cause);
    if (rc == ST_OK)
        vc->disks++;
    return rc;
}

int ipl_disks_open(const char *const *option, struct vm_config *vc, struct cause *cause)
{
    int rc = ST_OK;
    for (; rc == ST_OK && *option; option++)
        rc = vc->disks == VM_DISKS_MAX ? cause_set(cause, ST_INVAL, "%s: %u disks are possible",
                                                   *option, VM_DISKS_MAX)
                                       : disk_open(*option, vc, cause);
    if (rc)
        ipl_disks_close(vc);
    return rc;
}

void ipl_disks_close(struct vm_config *vc)
{
    while (vc->disks)
        image_unref(vc->disk[--vc->disks].image);
}
