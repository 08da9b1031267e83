/* Arbitrary bytes as a terminal and a guest. Half of the inputs begin behind a good negotiation. */
#include "tests/lib/terminal_exec.h"

#include <stdlib.h>

#include "cli/tn3270/tn3270_stream.h"
#include "cli/tn3270/tn3270_telnet.h"
#include "io/screen3270.h"
#include "mem/base/ergo.h"

#define OUT_BYTES 65536

struct exec {
    struct screen screen;
    struct telnet telnet;
    bool ready, refused;
    struct tn_size size;
    u8 out[OUT_BYTES];
};

static void on_send(void *ctx, const u8 *bytes, size_t len)
{
    struct exec *x = ctx;
    memcpy(x->out, bytes, len < OUT_BYTES ? len : OUT_BYTES); /* all of it can be read */
}

static void on_ready(void *ctx, struct tn_size size)
{
    struct exec *x = ctx;
    ERGO(!x->ready && screen_size_ok(size.rows, size.cols));
    x->ready = true;
    x->size = size;
    x->screen.s.alt_rows = (u16)size.rows;
    x->screen.s.alt_cols = (u16)size.cols;
}

static void on_record(void *ctx, const u8 *bytes, size_t len)
{
    struct exec *x = ctx;
    struct tn_in in;
    char text[512];
    ERGO(x->ready && !x->refused && len);
    screen_key(&x->screen, bytes, len);
    if (tn_in_parse(bytes, len, x->size, &in))
        for (unsigned i = 0; i < in.count; i++)
            tn_in_text(&in, in.fields[i].cell, text, sizeof text);
}

static void on_attention(void *ctx)
{
    (void)ctx;
}

static u8 on_device(void *ctx, char lu[TELNET_LU_BYTES])
{
    (void)ctx;
    return strlen(lu) % 2 ? 3 : 0;
}

static void on_refuse(void *ctx, const char *why)
{
    struct exec *x = ctx;
    ERGO(*why && !x->refused);
    x->refused = true;
}

static bool write_screen(void *ctx, u8 command, const u8 *data, size_t len)
{
    struct exec *x = ctx;
    return screen_write(&x->screen, command, data, len);
}

static void guest(struct exec *x, unsigned what, const u8 *data, size_t len)
{
    static const u8 writes[] = {SCREEN_WRITE, SCREEN_ERASE_WRITE, SCREEN_ERASE_WRITE_ALTERNATE,
                                SCREEN_ERASE_UNPROTECTED};
    static const u8 reads[] = {SCREEN_READ_BUFFER, SCREEN_READ_MODIFIED,
                               SCREEN_READ_MODIFIED_ALL};
    struct screen_out out = {x->out, sizeof x->out, 0};
    if (what < 4) {
        screen_write(&x->screen, writes[what], data, len);
    } else if (what == 4) {
        screen_structured_fields(&x->screen, data, len, write_screen, x);
    } else if (what == 5) {
        screen_read(&x->screen, reads[len % 3], x->screen.s.address, &out);
        screen_was_read(&x->screen);
        x->screen.s.reply_bytes = 0;
    } else {
        screen_redraw(&x->screen, len & 1, 24, len & 2 ? 80 : 132, &out);
        telnet_send_record(&x->telnet, x->out, out.len < OUT_BYTES ? out.len : OUT_BYTES);
    }
    ERGO(screen_valid(&x->screen));
}

static void negotiated(struct exec *x)
{
    static const u8 classic[] = "\xff\xfc\x28\xff\xfb\x18\xff\xfa\x18\0IBM-3278-4-E\xff\xf0"
                                "\xff\xfb\x19\xff\xfd\x19\xff\xfb\0\xff\xfd";
    telnet_feed(&x->telnet, classic,
                sizeof classic); /* the NUL at the end is the last option */
    ERGO(x->ready);
}

void terminal_exec_run(const u8 *data, size_t size)
{
    struct exec *x = calloc(1, sizeof *x);
    const struct telnet_ports ports = {x,         on_send,  on_ready, on_record, on_attention,
                                       on_device, on_refuse};
    if (!x)
        return;
    screen_reset(&x->screen, SCREEN_DEFAULT_ROWS, SCREEN_DEFAULT_COLS);
    telnet_begin(&x->telnet, &ports);
    if (size && data[0] & 1)
        negotiated(x);
    for (size_t at = 1; at + 2 <= size;) {
        unsigned what = data[at] & 7;
        size_t len = (size_t)(data[at] >> 3) * 8 + (data[at + 1] & 7), left = size - at - 2;
        const u8 *piece = data + at + 2;
        len = len < left ? len : left;
        if (what == 7)
            telnet_feed(&x->telnet, piece, len);
        else
            guest(x, what, piece, len);
        ERGO(screen_valid(&x->screen));
        at += 2 + len;
    }
    free(x);
}
