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

u8 link_mode_has(enum link_mode mode, bool write)
{
    static const u8 keeps[] = {[LINK_KEEPS_NOTHING] = 0,
                               [LINK_KEEPS_STABLE] = LINK_HAS_STABLE,
                               [LINK_KEEPS_EXCLUSIVE] = LINK_HAS_EXCLUSIVE};
    return (write ? LINK_HAS_WRITE : LINK_HAS_READ) | keeps[modes[mode].keeps];
}

u8 link_mode_refuses(enum link_mode mode, enum link_access access)
{
    static const u8 first[] = {
        [WISH_READ] = LINK_HAS_WRITE,
        [WISH_READ_ANY] = 0,
        [WISH_READ_ALONE] = LINK_HAS_READ | LINK_HAS_WRITE,
        [WISH_WRITE_ALONE] = LINK_HAS_READ | LINK_HAS_WRITE,
        [WISH_WRITE_ONE] = LINK_HAS_WRITE | LINK_HAS_STABLE,
        [WISH_WRITE_ANY] = LINK_HAS_STABLE,
    };
    bool wish =
        link_mode_writes(mode) == (access == LINK_WRITE); /* else what it gets instead */
    return LINK_HAS_EXCLUSIVE | (wish ? first[modes[mode].first] : 0);
}

enum link_access link_mode_decide(enum link_mode mode, u8 has)
{
    enum link_access first = link_mode_writes(mode) ? LINK_WRITE : LINK_READ;
    if (has & LINK_HAS_EXCLUSIVE)
        return LINK_NONE;
    return has & link_mode_refuses(mode, first) ? modes[mode].otherwise : first;
}

enum link_access link_mode_read_only(enum link_mode mode)
{
    return link_mode_writes(mode) ? modes[mode].otherwise : LINK_READ;
}
