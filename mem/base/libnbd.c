/* Loading libnbd. */
#include "mem/base/libnbd.h"

#include <dlfcn.h>
#include <string.h>

bool libnbd_named(const char *path)
{
    static const char *const schemes[] = {"nbd://", "nbd+unix://", "nbds://", "nbds+unix://"};
    for (unsigned i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncmp(path, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
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

struct nbd_handle *libnbd_handle(const struct libnbd *lib)
{
    struct nbd_handle *h = lib->nbd_create();
    if (!h || lib->nbd_set_uri_allow_local_file(h, true) == 0)
        return h;
    lib->nbd_close(h);
    return NULL;
}
