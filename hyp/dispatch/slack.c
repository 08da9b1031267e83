/* Slack of machines that idle. A kernel that ticks needs no tick when it does nothing else: woken
 * late it does what it missed at once. So a machine that has been woken by nothing but its timers,
 * and each time went back to wait soon and without a program in problem state, is woken late.
 * Guarantees: [I1] never early, never later than slack_for says, which is 1/SLACK_PART of the time
 * since the machine did something else; so a program's timer of T is at most T / SLACK_PART late;
 * [I2] all wake at the multiples of their slack, of which each is half another: machines that idle
 * are woken together. */
#include "hyp/dispatch/slack.h"

u64 slack_for(u64 quiet_ns, u64 max_ns)
{
    u64 slack = max_ns;
    while (slack >= SLACK_NS_MIN && slack > quiet_ns / SLACK_PART)
        slack /= 2;
    return slack >= SLACK_NS_MIN ? slack : 0;
}

u64 slack_until(u64 due_ns, u64 slack_ns)
{
    if (!slack_ns || due_ns > ~0ull - slack_ns)
        return due_ns;
    u64 at = (due_ns + slack_ns) / slack_ns * slack_ns;
    return at > due_ns ? at : due_ns;
}
