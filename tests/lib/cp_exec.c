/* Bytes as command lines: see member_world.h. */
#include <stdlib.h>
#include <string.h>

#include "mem/base/ergo.h"
#include "tests/lib/member_world.h"

#define COMMANDS_MAX 32

struct issued {
    struct cp_response resp;
    unsigned ended;
};

static void ended(struct cp_response *resp, void *ctx)
{
    struct issued *i = ctx;
    i->ended++;
    POST(resp == &i->resp);
    for (unsigned k = 0; k < resp->line_count; k++)
        POST(resp->lines[k] && !strchr(resp->lines[k], '\n'));
}

/* By the user that the first byte says, with the classes of its directory entry or with all. */
static void issue(struct member *m, struct issued *i, const u8 *line, size_t len)
{
    char text[CP_COMMAND_BYTES_MAX + 64];
    size_t n = len - 1 < sizeof text - 1 ? len - 1 : sizeof text - 1;
    memcpy(text, line + 1, n);
    text[n] = 0;
    cp_response_init(&i->resp);
    i->resp.done_cb = ended;
    i->resp.done_ctx = i;
    const char *user = member_world_user(line[0]);
    enum cp_status status = line[0] & 0x80
                                ? cp_command_as(m->cp, user, CP_CLASS_ANY, text, &i->resp)
                                : cp_command(m->cp, user, text, &i->resp);
    POST(i->ended == (status == CP_DONE));
}

void cp_exec_run(const u8 *data, size_t size)
{
    static struct issued issued[COMMANDS_MAX];
    struct member *m = member_world_create();
    const u8 *end = data + size;
    unsigned count = 0;
    memset(issued, 0, sizeof issued);
    while (data < end && count < COMMANDS_MAX) {
        const u8 *nl = memchr(data, '\n', (size_t)(end - data));
        size_t len = (size_t)((nl ? nl : end) - data);
        if (len > 1 && !memchr(data + 1, 0, len - 1))
            issue(m, &issued[count++], data, len);
        member_world_turn(m);
        data += len + 1;
    }
    member_world_destroy(m);
    for (unsigned i = 0; i < count; i++) {
        POST(issued[i].ended == 1);
        cp_response_fini(&issued[i].resp);
    }
}
