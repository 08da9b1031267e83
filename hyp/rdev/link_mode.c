/* What each mode of a link gets (link_mode.def). */
#include "hyp/rdev/link_mode.h"

enum wish {
    WISH_READ,
    WISH_READ_ANY,
    WISH_READ_ALONE,
    WISH_WRITE_ALONE,
    WISH_WRITE_ONE,
    WISH_WRITE_ANY
};

static const struct {
    const char *name;
    enum wish first;
    enum link_access otherwise;
    enum link_keeps keeps;
} modes[] = {
#define MODE(name, first, otherwise, keeps, help)                                              \
    {#name, WISH_##first, LINK_##otherwise, LINK_KEEPS_##keeps},
#include "hyp/rdev/link_mode.def"
#undef MODE
};

bool link_mode_find(const char *name, enum link_mode *mode)
{
    for (unsigned i = 0; i < LINK_MODES; i++)
        if (!strcmp(name, modes[i].name))
            return *mode = (enum link_mode)i, true;
    return false;
}

const char *link_mode_name(enum link_mode mode)
{
    return modes[mode].name;
}

bool link_mode_writes(enum link_mode mode)
{
    return modes[mode].first >= WISH_WRITE_ALONE;
}

char link_mode_letter(enum link_mode mode)
{
    const char *name = modes[mode].name;
    return modes[mode].keeps ? name[1] : name[0];
}

enum link_keeps link_mode_keeps(enum link_mode mode)
{
    return modes[mode].keeps;
}

enum link_access link_mode_decide(enum link_mode mode, bool readers, bool writers,
                                  enum link_keeps kept)
{
    bool granted = true;
    if (kept == LINK_KEEPS_EXCLUSIVE)
        return LINK_NONE;
    switch (modes[mode].first) {
    case WISH_READ: granted = !writers; break;
    case WISH_READ_ALONE:
    case WISH_WRITE_ALONE: granted = !writers && !readers; break;
    case WISH_WRITE_ONE: granted = !writers && !kept; break;
    case WISH_WRITE_ANY: granted = !kept; break;
    case WISH_READ_ANY: break;
    }
    if (!granted)
        return modes[mode].otherwise;
    return link_mode_writes(mode) ? LINK_WRITE : LINK_READ;
}

enum link_access link_mode_read_only(enum link_mode mode)
{
    return link_mode_writes(mode) ? modes[mode].otherwise : LINK_READ;
}
