/* Requests to mount, which a host makes by LOAD DISPLAY: 17 bytes, how to show, and two texts of
 * eight characters. A text for the operator that begins with M names the volume wanted, as z/OS
 * writes it (Mvolser); bit 7 of the first byte asks the loader for its next one. A request waits
 * until the drive is empty, and is forgotten when another comes. */
#include "io/ebcdic.h"
#include "io/tape/tape_internal.h"
#include "io/tape/tape_loader.h"
#include "mem/base/log.h"

#define TEXT_BYTES 8u
#define ORDER_BYTES (1 + 2 * TEXT_BYTES)
#define FUNCTION 0xe0
#define FUNCTION_UNTIL_LOADED 0x40     /* the first text, until a volume is loaded */
#define FUNCTION_UNLOAD_THEN_LOAD 0xe0 /* the first until unloaded, the second until loaded */
#define INDEX_LOAD 0x01

enum tape_want { WANT_NOTHING, WANT_NEXT, WANT_NAMED };

static int load(struct tape *tape, struct cause *cause)
{
    if (tape->s.want == WANT_NEXT)
        return tape_loader_next(tape->loader, cause);
    return tape_loader_named(tape->loader, (const char *)tape->s.want_volume, cause);
}

void tape_mount_wanted(struct tape *tape)
{
    struct cause cause = {0};
    if (!tape->loader || tape->file || tape->s.want == WANT_NOTHING)
        return;
    if (load(tape, &cause) == ST_OK) {
        tape->file = tape_file_ref(tape_loader_volume(tape->loader));
        tape->ready = true;
    } else {
        log_operator('E', "tape %04X: %s", tape->devno, cause.text);
    }
    tape->s.want = WANT_NOTHING;
}

/* The volume that a text asks for; false: it asks for none. */
static bool text_volume(const u8 *text, u8 out[TAPE_VOLUME_CHARS + 1])
{
    char chars[4 * TEXT_BYTES];
    size_t n = ebcdic_to_utf8(EBCDIC_037, text, TEXT_BYTES, chars);
    if (n != TEXT_BYTES || chars[0] != 'M')
        return false;
    memset(out, 0, TAPE_VOLUME_CHARS + 1);
    for (unsigned i = 0; i < TAPE_VOLUME_CHARS && chars[1 + i] != ' '; i++)
        out[i] = (u8)chars[1 + i];
    return out[0] != 0;
}

void tape_display(struct tape *tape, const u8 *order, size_t len)
{
    u8 volume[TAPE_VOLUME_CHARS + 1];
    if (len < ORDER_BYTES)
        return;
    u8 function = order[0] & FUNCTION;
    const u8 *text = order + 1 + (function == FUNCTION_UNLOAD_THEN_LOAD ? TEXT_BYTES : 0);
    bool mount = function == FUNCTION_UNLOAD_THEN_LOAD || function == FUNCTION_UNTIL_LOADED;
    if (mount && text_volume(text, volume)) {
        memcpy(tape->s.want_volume, volume, sizeof volume);
        tape->s.want = WANT_NAMED;
    } else if (order[0] & INDEX_LOAD) {
        tape->s.want = WANT_NEXT;
    }
    tape_mount_wanted(tape);
}
