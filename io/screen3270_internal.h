/* What the parts of the 3270 presentation space share. */
#ifndef ENDICOTT_IO_SCREEN3270_INTERNAL_H
#define ENDICOTT_IO_SCREEN3270_INTERNAL_H

#include "io/screen3270.h"

enum screen_order {
    ORDER_PT = 0x05,
    ORDER_GE = 0x08,
    ORDER_SBA = 0x11,
    ORDER_EUA = 0x12,
    ORDER_IC = 0x13,
    ORDER_SF = 0x1d,
    ORDER_SA = 0x28,
    ORDER_SFE = 0x29,
    ORDER_MF = 0x2c,
    ORDER_RA = 0x3c,
};

/** Types of extended attributes. */
enum screen_attribute_type {
    XA_HIGHLIGHT = 0x41,
    XA_COLOR = 0x42,
    XA_CHARSET = 0x43,
    XA_BACKGROUND = 0x45,
    XA_TRANSPARENCY = 0x46,
    XA_FIELD = 0xc0,
    XA_VALIDATION = 0xc1,
    XA_OUTLINING = 0xc2,
};

#define CHARSET_GRAPHIC_ESCAPE 0xf1

static inline unsigned screen_cells(const struct screen *s)
{
    return (unsigned)s->s.rows * s->s.cols;
}

/** Where the field that `at` belongs to begins; -1: the screen is not formatted. */
int screen_field_of(const struct screen *s, unsigned at);
/** Does the key send nothing but itself? */
bool screen_short_read(u8 aid);

#endif
