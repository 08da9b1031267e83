/* Captures of virtual switches: SET VSWITCH name CAPTURE, and `endicott capture`. The form is ours;
 * files are made in one folder of the member's, so that no command writes anywhere else. */
#include "hyp/net/net_capture.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/config/config_scan.h"
#include "hyp/net/net_change.h"

#define FILE_NAME_MAX 64u

void cp_set_capture_folder(struct cp *cp, const char *path)
{
    snprintf(cp->capture_folder, sizeof cp->capture_folder, "%s", path);
}

/* --- what is captured ------------------------------------------------------------------------ */

static bool read_mac(const char *text, u8 mac[MAC_BYTES])
{
    int n = 0;
    return sscanf(text, "%2hhx%*1[-:]%2hhx%*1[-:]%2hhx%*1[-:]%2hhx%*1[-:]%2hhx%*1[-:]%2hhx%n",
                  mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5, &n) == MAC_BYTES &&
           n == 17 && !text[n];
}

static bool read_port(struct cp *cp, const struct vswitch *sw, const char *text,
                      struct capture_filter *out)
{
    u64 n;
    if (!scan_number(text, 1, VSWITCH_PORT_MAX, &n))
        return false;
    for (const struct cp_user *user = cp->users; user; user = user->next)
        for (const struct cp_nic *nic = user->nics; nic; nic = nic->next)
            if (nic->sw == sw && nic->port == n) {
                snprintf(out->label, sizeof out->label, "%.8s.%04X", user->userid, nic->vdev);
                return true;
            }
    return false;
}

bool net_capture_filter(struct cp *cp, const struct vswitch *sw, const char *what,
                        const char *value, struct capture_filter *out)
{
    if (!strcmp(what, "PORT"))
        return read_port(cp, sw, value, out);
    if (!strcmp(what, "MAC"))
        return out->has_mac = read_mac(value, out->mac);
    if (strcmp(what, "USERID") != 0 || !cp_userid_ok(value))
        return false;
    snprintf(out->label, sizeof out->label, "%.8s.", value);
    return true;
}

/* --- captures -------------------------------------------------------------------------------- */

static struct vswitch_capture *place(struct vswitch *sw)
{
    for (unsigned i = 0; i < VSWITCH_CAPTURES_MAX; i++)
        if (!sw->capture[i].capture)
            return &sw->capture[i];
    return NULL;
}

int net_capture_to(struct cp *cp, struct vswitch *sw, const struct capture_filter *filter,
                   int fd, const char *where, struct cause *cause)
{
    const struct capture_events events = {cp, cp_net_news};
    struct vswitch_capture *c = place(sw);
    if (c)
        return capture_open(sw->lan, filter, fd, where, &events, &c->capture, cause);
    close(fd);
    return cause_set(cause, ST_LIMIT, "%u captures of a switch are possible",
                     VSWITCH_CAPTURES_MAX);
}

static int to_file(struct cp *cp, struct vswitch *sw, const struct capture_filter *filter,
                   const char *name, struct cause *cause)
{
    char path[sizeof cp->capture_folder + FILE_NAME_MAX + 2];
    const struct capture_events events = {cp, cp_net_news};
    struct vswitch_capture *c = place(sw);
    if (!c)
        return cause_set(cause, ST_LIMIT, "%u captures of a switch are possible",
                         VSWITCH_CAPTURES_MAX);
    if (!cp->capture_folder[0] || (mkdir(cp->capture_folder, 0700) && errno != EEXIST))
        return cause_set(cause, ST_IO, "%s: no folder for captures", cp->capture_folder);
    snprintf(path, sizeof path, "%s/%s", cp->capture_folder, name);
    c->file = true;
    return capture_open_file(sw->lan, filter, path, &events, &c->capture, cause);
}

static void end(struct vswitch_capture *c)
{
    capture_close(c->capture);
    *c = (struct vswitch_capture){0};
}

void net_captures_poll(struct cp *cp, struct vswitch *sw)
{
    for (unsigned i = 0; i < VSWITCH_CAPTURES_MAX; i++) {
        struct vswitch_capture *c = &sw->capture[i];
        char why[CAPTURE_WORDS_MAX], words[CAPTURE_WORDS_MAX], line[MSG_LINE_BYTES];
        if (!c->capture || !capture_has_ended(c->capture, why))
            continue;
        capture_words(c->capture, words);
        msg_format(line, sizeof line, MSG_SWU2834E, sw->name, words, why);
        if (*why) /* else its reader has gone, as it wanted */
            cp_operator_tell(cp, "%s", line);
        end(c);
    }
}

/* --- SET VSWITCH name CAPTURE {file [PORT n | USERID userid | MAC address] | OFF} ------------ */

/* As CP's words have one case, so have the names. */
static bool file_name(const char *word, char out[FILE_NAME_MAX + 1])
{
    size_t len = strlen(word);
    if (len > FILE_NAME_MAX || *word == '.')
        return false;
    for (size_t i = 0; i <= len; i++) {
        if (word[i] && !isalnum((unsigned char)word[i]) && !strchr("._-", word[i]))
            return false;
        out[i] = (char)tolower((unsigned char)word[i]);
    }
    return true;
}

static int off(struct cp_request *req, struct vswitch *sw)
{
    char words[CAPTURE_WORDS_MAX];
    for (unsigned i = 0; i < VSWITCH_CAPTURES_MAX; i++) {
        if (!sw->capture[i].capture || !sw->capture[i].file)
            continue;
        capture_words(sw->capture[i].capture, words);
        cp_line(req, "Capture %s has ended", words);
        end(&sw->capture[i]);
    }
    cp_line(req, "Command complete");
    return 0;
}

int net_set_capture(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw)
{
    struct capture_filter filter = {0};
    struct cause cause;
    char name[FILE_NAME_MAX + 1], text[NET_NAME_TEXT_BYTES];
    const char *word = cp_net_next(w), *what, *value;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(word, "OFF") && w->at == w->n)
        return off(req, sw);
    if (!file_name(word, name))
        return cp_fail(req, MSG_CMD003E, word);
    while ((what = cp_net_next(w))) {
        value = cp_net_next(w);
        if (!value || !net_capture_filter(req->cp, sw, what, value, &filter))
            return cp_fail(req, MSG_CMD003E, value ? value : what);
    }
    if (to_file(req->cp, sw, &filter, name, &cause))
        return cp_fail(req, MSG_SWU2781E, vswitch_text(sw, text), cause.text);
    cp_line(req, "Capture of VSWITCH SYSTEM %s to %s/%s", sw->name, req->cp->capture_folder,
            name);
    return 0;
}

void net_capture_rows(struct cp_request *req, const struct vswitch *sw)
{
    char words[CAPTURE_WORDS_MAX];
    for (unsigned i = 0; i < VSWITCH_CAPTURES_MAX; i++)
        if (sw->capture[i].capture) {
            capture_words(sw->capture[i].capture, words);
            cp_line(req, "  Capture: %s", words);
        }
}

int cp_capture(struct cp *cp, const struct cp_capture *what, int fd, struct cause *cause)
{
    struct capture_filter filter = {0};
    const char *const name[] = {"PORT", "USERID", "MAC"};
    const char *const value[] = {what->port, what->userid, what->mac};
    struct vswitches *all = cp_nets(cp);
    struct vswitch *sw = all ? vswitch_find(all, NET_SYSTEM, what->vswitch) : NULL;
    int rc = sw ? ST_OK
                : cause_set(cause, ST_NOENT, "VSWITCH SYSTEM %s does not exist", what->vswitch);
    for (size_t i = 0; i < ARRAY_LEN(name) && rc == ST_OK; i++)
        if (value[i] && !net_capture_filter(cp, sw, name[i], value[i], &filter))
            rc = cause_set(cause, ST_INVAL, "%s %s: there is none", name[i], value[i]);
    if (rc == ST_OK)
        return net_capture_to(cp, sw, &filter, fd, "a reader", cause);
    close(fd);
    return rc;
}
