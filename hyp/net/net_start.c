/* The networks of system.config, and what the operator hears of uplinks. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>

#include "hyp/net/net_capture.h"
#include "mem/base/ergo.h"

void cp_net_tell_uplink(struct cp *cp, const struct vswitch *sw)
{
    const struct vswitch_outside *o = &sw->outside;
    char line[MSG_LINE_BYTES], words[UPLINK_WORDS_MAX];
    if (sw->guest_lan)
        return;
    bool wants = sw->uplink || (!sw->disconnected && (o->rdevs || *o->nic_user));
    msg_format(line, sizeof line, wants && !sw->uplink_up ? MSG_SWU2832E : MSG_SWU2830I,
               sw->name, vswitch_uplink_words(sw, words));
    cp_operator_tell(cp, "%s", line);
}

/* Of the switches of this name on the members another one's uplink is used now. */
static void tell_in_use(struct cp *cp, struct vswitch *sw)
{
    char line[MSG_LINE_BYTES];
    struct ivl_info info;
    if (!sw->ivl)
        return;
    ivl_info(sw->ivl, &info);
    unsigned in_use = info.in_use < CONFIG_SLOTS_MAX ? info.in_use + 1 : 0;
    if (in_use == sw->in_use)
        return;
    sw->in_use = in_use;
    msg_format(line, sizeof line, MSG_SWU2835I, sw->name,
               in_use ? cp->config->slots[in_use - 1].member : "no member");
    cp_operator_tell(cp, "%s", line);
}

void cp_net_poll(struct cp *cp)
{
    struct vswitch *sw = cp->nets ? vswitch_next(cp->nets, NULL) : NULL;
    for (; sw; sw = vswitch_next(cp->nets, sw)) {
        net_captures_poll(cp, sw);
        tell_in_use(cp, sw);
        if (!vswitch_uplink_stale(sw))
            continue;
        vswitch_uplink_changed(sw);
        cp_net_tell_uplink(cp, sw);
    }
    if (cp->ivls)
        ivls_poll(ivl_ssi_ivls(cp->ivls));
}

/* Is the last line a warning? */
static bool warned(const struct cp_response *resp)
{
    unsigned n = resp->message_count;
    return n && resp->messages[n - 1].id[strlen(resp->messages[n - 1].id) - 1] == 'W';
}

void cp_net_start(struct cp *cp)
{
    for (unsigned i = 0; i < cp->config->network_count; i++) {
        struct cp_response resp;
        cp_response_init(&resp);
        enum cp_status status = cp_command_as(cp, cp->config->features.operator_userid,
                                              CP_CLASS_ANY, cp->config->networks[i], &resp);
        ERGO(status == CP_DONE); /* a system that has not joined is not In-flux */
        if (resp.rc || warned(&resp))
            cp_operator_tell(cp, "%s: %s", cp->config->networks[i],
                             resp.line_count ? resp.lines[resp.line_count - 1] : "refused");
        cp_response_fini(&resp);
    }
    struct vswitch *sw = cp->nets ? vswitch_next(cp->nets, NULL) : NULL;
    for (; sw; sw = vswitch_next(cp->nets, sw))
        cp_net_tell_uplink(cp, sw);
}
