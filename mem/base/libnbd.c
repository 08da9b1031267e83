/* Loading libnbd. */
#include "mem/base/libnbd.h"

#include <dlfcn.h>
#include <string.h>

bool libnbd_named(const char *path)
{
    return strncmp(path, "nbd://", 6) == 0 || strncmp(path, "nbd+unix://", 11) == 0;
}

int libnbd_load(struct libnbd *lib, struct cause *cause)
{
    void *nbd = dlopen("libnbd.so.0", RTLD_NOW | RTLD_NODELETE);
    if (!nbd)
        return cause_set(cause, ST_CONFIG, "%s", dlerror());
#define LOAD(type, name, arguments)                                                            \
    if (!(lib->name = (type(*) arguments)dlsym(nbd, #name)))                                   \
        return cause_set(cause, ST_CONFIG, "%s", dlerror());
    LIBNBD_FUNCTIONS(LOAD)
#undef LOAD
    return ST_OK;
}
