/* The 3270 displays of `endicott ipl` and the server that shows them. */
#include "cli/ipl/ipl_terminals.h"

#include <ctype.h>
#include <stdio.h>

static const char prefix[] = "tn3270:";

bool ipl_terminals_wanted(const char *console)
{
    return console && !strncmp(console, prefix, sizeof prefix - 1) &&
           tn3270_address_ok(console + sizeof prefix - 1);
}

static bool lu_ok(const char *lu)
{
    size_t n = strlen(lu);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((u8)lu[i]) && !strchr("$#@", lu[i]))
            return false;
    return n > 0 && n < TN3270_LU_BYTES;
}

/* DEVNO or DEVNO=LU; the LU name is the device number unless given. */
static bool one(const char *text, struct tn3270_display *out)
{
    unsigned devno;
    int used = 0;
    char lu[TN3270_LU_BYTES + 1];
    if (sscanf(text, "%4x%n", &devno, &used) != 1 || !isxdigit((u8)*text))
        return false;
    snprintf(lu, sizeof lu, "%04X", devno);
    if (text[used] == '=')
        snprintf(lu, sizeof lu, "%s", text + used + 1);
    else if (text[used])
        return false;
    if (!devno || !lu_ok(lu))
        return false;
    out->devno = (u16)devno;
    memcpy(out->lu, lu, sizeof out->lu);
    return true;
}

bool ipl_terminals_parse(const char *text, struct ipl_terminals *t)
{
    struct tn3270_display found[VM_DISPLAYS_MAX];
    unsigned count = 0;
    while (*text) {
        char word[32];
        size_t n = strcspn(text, ",");
        if (!n || n >= sizeof word || count == VM_DISPLAYS_MAX)
            return false;
        snprintf(word, sizeof word, "%.*s", (int)n, text);
        if (!one(word, &found[count]))
            return false;
        for (unsigned i = 0; i < count; i++)
            if (found[i].devno == found[count].devno ||
                !strcasecmp(found[i].lu, found[count].lu))
                return false;
        count++;
        text += n + (text[n] == ',');
    }
    if (t) {
        memcpy(t->displays, found, count * sizeof *found);
        t->count = count;
    }
    return count > 0;
}

void ipl_terminals_init(struct ipl_terminals *t, const char *console, const char *displays,
                        const char *pem, struct vm_config *vc)
{
    char standard[8];
    if (!ipl_terminals_wanted(console))
        return;
    snprintf(standard, sizeof standard, "%04X", IPL_DISPLAY_DEVNO);
    t->pem = pem;
    t->address = console + sizeof prefix - 1;
    ipl_terminals_parse(displays ? displays : standard, t);
    for (unsigned i = 0; i < t->count; i++)
        vc->display_vdev[i] = t->displays[i].devno;
}

int ipl_terminals_open(struct ipl_terminals *t, uv_loop_t *loop, struct post_uv *post,
                       struct vm **vm, struct cause *cause)
{
    const struct tn3270_config config = {.loop = loop,
                                         .system = "IPL",
                                         .address = t->address,
                                         .pem = t->pem,
                                         .vm = vm,
                                         .displays = t->displays,
                                         .display_count = t->count};
    t->post = post;
    t->server = tn3270_create(&config, cause);
    return t->server ? ST_OK : cause->status;
}

static void deliver(void *arg)
{
    struct ipl_terminals *t = arg;
    atomic_store(&t->news, false);
    tn3270_recheck(t->server);
}

void ipl_terminals_news(struct ipl_terminals *t)
{
    if (t->post && !atomic_exchange(&t->news, true))
        post_uv(t->post, deliver, t);
}

void ipl_terminals_close(struct ipl_terminals *t)
{
    tn3270_destroy(t->server);
    t->server = NULL;
}
