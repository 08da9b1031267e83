/* Spool files: PURGE, CHANGE, ORDER, TRANSFER, QUERY RDR/PRT/PUN/FILES. Files belong to a
 * user id; class G works on its own, class D on everybody's. */
#include "hyp/cp/cp_spool.h"

#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"

struct spool *cp_spool(struct cp *cp)
{
    return cp->ports.vm->spool(cp->ports.vm_host);
}

int cp_spool_failed(struct cp_request *req, const struct cause *cause)
{
    if (cause->status == ST_LIMIT && strstr(cause->text, " spool files"))
        return cp_fail(req, MSG_CSP439E, cause->text);
    return cp_fail(req, MSG_CSP437E, cause->text);
}

/* ---- operands ---- */

bool cp_spool_queue(const char *word, enum spool_queue *queue)
{
    static const struct {
        const char *name;
        enum spool_queue queue;
    } names[] = {{"Reader", SPOOL_RDR}, {"RDR", SPOOL_RDR},   {"Printer", SPOOL_PRT},
                 {"PRT", SPOOL_PRT},    {"PUnch", SPOOL_PUN}, {"PCH", SPOOL_PUN}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (cp_abbrev(word, names[i].name)) {
            *queue = names[i].queue;
            return true;
        }
    return false;
}

int cp_spool_word(struct cp_request *req, char out[SPOOL_WORD_BYTES])
{
    const char *word = cp_operand(req);
    if (!word || strlen(word) >= SPOOL_WORD_BYTES)
        return cp_fail(req, MSG_CSP002E, word ? word : req->command);
    strcpy(out, word);
    return 0;
}

int cp_spool_class(struct cp_request *req, bool any_ok, char *out)
{
    const char *word = cp_operand(req);
    bool good = word && strlen(word) == 1 &&
                ((*word >= 'A' && *word <= 'Z') || (*word >= '0' && *word <= '9') ||
                 (*word == '*' && any_ok));
    if (!good)
        return cp_fail(req, MSG_CSP028E);
    *out = *word;
    return 0;
}

int cp_spool_copies(struct cp_request *req, u32 *out)
{
    const char *word = cp_operand(req);
    u64 n;
    if (!word || !scan_number(word, 1, 255, &n))
        return cp_fail(req, MSG_CSP030E);
    *out = (u32)n;
    return 0;
}

static bool printable(const char *text)
{
    for (; *text; text++)
        if (*text < 0x21 || *text > 0x7e)
            return false;
    return true;
}

int cp_spool_name(struct cp_request *req, char name[SPOOL_NAME_BYTES],
                  char type[SPOOL_WORD_BYTES])
{
    char words[3][64] = {"", "", ""};
    int n = sscanf(cp_operand_rest(req), "%63s %63s %63s", words[0], words[1], words[2]);
    bool data_set = n == 1 && strlen(words[0]) >= SPOOL_WORD_BYTES;
    if (n < 1 || n > 2 || !printable(words[0]) || !printable(words[1]) ||
        strlen(words[0]) >= (data_set ? SPOOL_NAME_BYTES : SPOOL_WORD_BYTES) ||
        strlen(words[1]) >= SPOOL_WORD_BYTES)
        return cp_fail(req, MSG_CSP029E);
    strcpy(name, words[0]);
    strcpy(type, words[1]);
    while (cp_operand(req))
        ;
    return 0;
}

int cp_spool_user(struct cp_request *req, char out[DIR_NAME_BYTES])
{
    const char *word = cp_operand(req);
    const struct dir_entry *entry = NULL;
    if (word && !strcmp(word, "*"))
        word = req->userid;
    if (!cp_userid_ok(word))
        return cp_fail(req, MSG_LGA020E);
    if (!(entry = directory_find(req->cp->directory, word)))
        return cp_fail(req, MSG_CSP053E, word);
    strcpy(out, entry->userid);
    return 0;
}

/* ---- which files ---- */

static bool class_d(const struct cp_request *req)
{
    return req->classes & CP_CLASS('D');
}

static int set_owner(struct cp_request *req, const char *word, struct cp_spool_select *sel)
{
    if (!strcmp(word, "SYSTEM") && class_d(req)) {
        sel->owner[0] = 0;
        return 0;
    }
    const char *userid = strcmp(word, "*") ? word : req->userid;
    if (!cp_userid_ok(userid) || !directory_find(req->cp->directory, userid) ||
        (strcmp(userid, req->userid) && !class_d(req)))
        return cp_fail(req, MSG_CMD003E, word);
    strcpy(sel->owner, userid);
    return 0;
}

int cp_spool_owner(struct cp_request *req, struct cp_spool_select *sel)
{
    enum spool_queue queue;
    const char *word = cp_operand(req);
    int rc = 0;
    *sel = (struct cp_spool_select){.class_ = 0};
    strcpy(sel->owner, req->userid);
    if (word && (!strcmp(word, "USERID") || !strcmp(word, "U")))
        word = cp_operand(req);
    if (word && strcmp(word, "ALL") && !cp_spool_queue(word, &queue)) {
        if ((rc = set_owner(req, word, sel)))
            return rc;
        word = cp_operand(req);
    }
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    bool all = !strcmp(word, "ALL");
    if (!all && !cp_spool_queue(word, &queue))
        return cp_fail(req, MSG_CMD002E, word);
    for (int q = 0; q < SPOOL_QUEUES; q++)
        sel->queues[q] = all || q == (int)queue;
    sel->all_queues = all;
    return 0;
}

static int which_id(struct cp_request *req, struct cp_spool_select *sel, u64 id)
{
    if (sel->id_count == CP_SPOOL_IDS_MAX)
        return cp_fail(req, MSG_CMD026E);
    sel->ids[sel->id_count++] = (u16)id;
    return 0;
}

int cp_spool_which(struct cp_request *req, struct cp_spool_select *sel)
{
    const char *word;
    int rc = 0;
    u64 id;
    while (!rc && (word = cp_operand_peek(req))) {
        if (scan_number(word, 1, SPOOL_ID_MAX, &id)) {
            cp_operand(req);
            rc = which_id(req, sel, id);
        } else if (sel->id_count) {
            break; /* then come options */
        } else if (!strcmp(word, "ALL") && !sel->any) {
            cp_operand(req);
            sel->any = true;
            break;
        } else if (cp_abbrev(word, "CLass") && !sel->class_) {
            cp_operand(req);
            rc = cp_spool_class(req, false, &sel->class_);
        } else if (!strcmp(word, "FORM") && !*sel->form) {
            cp_operand(req);
            rc = cp_spool_word(req, sel->form);
        } else if (!strcmp(word, "DEST") && !*sel->dest) {
            cp_operand(req);
            rc = cp_spool_word(req, sel->dest);
        } else {
            break;
        }
        sel->any = true;
    }
    if (!rc && !sel->any && !sel->all_queues) /* PURGE ALL says enough */
        rc = cp_fail(req, MSG_CSP027E);
    return rc;
}

bool cp_spool_selected(const struct cp_spool_select *sel, const struct spool_desc *d)
{
    bool wanted = !sel->id_count;
    for (unsigned i = 0; i < sel->id_count; i++)
        wanted |= sel->ids[i] == d->id;
    return wanted && sel->queues[d->queue] && (!*sel->owner || !strcmp(sel->owner, d->owner)) &&
           (!sel->class_ || sel->class_ == d->class_) &&
           (!*sel->form || !strcmp(sel->form, d->form)) &&
           (!*sel->dest || !strcmp(sel->dest, d->dest));
}

/* Take note of what other members have done and readers have read: of the owner, or of all. */
static void look(struct cp *cp, const struct cp_spool_select *sel)
{
    spool_look(cp_spool(cp));
    if (*sel->owner) {
        spool_sync_again(cp_spool(cp), sel->owner);
        return;
    }
    for (struct cp_user *u = cp_user_next(cp, NULL); u; u = cp_user_next(cp, u))
        spool_sync(cp_spool(cp), u->userid);
}

static int count_text(struct cp_request *req, int count, const char *done)
{
    if (count > 0)
        cp_line(req, "%07d FILE%s %s", count, count == 1 ? "" : "S", done);
    else
        cp_line(req, "NO FILES %s", done);
    return 0;
}

int cp_missing_file(struct cp_request *req, unsigned id)
{
    char text[8];
    snprintf(text, sizeof text, "%04u", id & 0xffff);
    return cp_fail(req, MSG_CSU042E, text);
}

/* An id that was named and is not there. */
static int missing_id(struct cp_request *req, const struct cp_spool_select *sel)
{
    for (unsigned i = 0; i < sel->id_count; i++) {
        const struct spool_file *f = NULL;
        bool there = false;
        while ((f = spool_next(cp_spool(req->cp), f)))
            there |= spool_desc(f)->id == sel->ids[i] && cp_spool_selected(sel, spool_desc(f));
        if (!there)
            return cp_missing_file(req, sel->ids[i]);
    }
    return 0;
}

/* Owner, queue and files of a command; what it says is checked. */
static int select_files(struct cp_request *req, struct cp_spool_select *sel)
{
    int rc = cp_spool_owner(req, sel);
    if (!rc)
        rc = cp_spool_which(req, sel);
    if (!rc)
        look(req->cp, sel);
    return rc;
}

/* ---- commands ---- */

/* PURGE [* | userid | SYSTEM] {RDR | PRT | PUN | ALL} {ALL | spoolid ... | CLASS c ...} */
int cp_cmd_purge(struct cp_request *req, void *ctx)
{
    struct cp_spool_select sel;
    struct spool *spool = cp_spool(req->cp);
    const char *what = cp_operand_peek(req);
    (void)ctx;
    if (what && !strcmp(what, "NSS") && req->classes & CP_CLASS('E')) {
        cp_operand(req);
        return cp_purge_nss(req);
    }
    struct cause cause;
    int count = 0, rc = select_files(req, &sel);
    if (!rc)
        rc = cp_no_more(req);
    if (!rc)
        rc = missing_id(req, &sel);
    if (rc)
        return rc;
    for (struct spool_file *f = spool_next(spool, NULL), *next; f; f = next) {
        next = spool_next(spool, f);
        rc = cp_spool_selected(&sel, spool_desc(f)) ? spool_remove(spool, f, &cause) : ST_EXIST;
        if (rc != ST_OK && rc != ST_EXIST && rc != ST_BUSY)
            return cp_spool_failed(req, &cause);
        count += rc == ST_OK;
    }
    return count_text(req, count, "PURGED");
}

/* One option of CHANGE into `d`. */
static int change_option(struct cp_request *req, struct spool_desc *d)
{
    const char *word = cp_operand(req);
    if (cp_abbrev(word, "KEep") || cp_abbrev(word, "NOKeep"))
        return d->keep = word[0] == 'K', 0;
    if (cp_abbrev(word, "HOld") || cp_abbrev(word, "NOHold"))
        return d->hold = word[0] == 'H', 0;
    if (class_d(req) && (cp_abbrev(word, "SYShold") || cp_abbrev(word, "NOSYShold")))
        return d->system_hold = word[0] == 'S', 0;
    if (cp_abbrev(word, "CLass"))
        return cp_spool_class(req, false, &d->class_);
    if (cp_abbrev(word, "COpy"))
        return cp_spool_copies(req, &d->copies);
    if (!strcmp(word, "FORM"))
        return cp_spool_word(req, d->form);
    if (!strcmp(word, "DEST"))
        return cp_spool_word(req, d->dest);
    if (cp_abbrev(word, "DIst"))
        return cp_spool_word(req, d->dist);
    if (cp_abbrev(word, "NAme"))
        return cp_spool_name(req, d->name, d->type);
    return cp_fail(req, MSG_CMD002E, word);
}

static int change_file(struct cp_request *req, struct spool_file *f, struct cause *cause)
{
    struct spool_desc d = *spool_desc(f);
    size_t at = req->at;
    int rc = 0;
    while (!rc && cp_operand_peek(req))
        rc = change_option(req, &d);
    req->at = at; /* the same for the next file */
    if (!rc && d.system_hold && d.queue == SPOOL_RDR)
        return cp_fail(req, MSG_CSP437E, "files of readers have no system hold");
    if (!rc && spool_change(cp_spool(req->cp), f, &d, cause))
        rc = cp_spool_failed(req, cause);
    return rc;
}

/* HOLD and FREE {userid | * | SYSTEM} [PRT | PUN | ALL]: system hold of what waits to be put out */
static int system_hold(struct cp_request *req, bool on)
{
    struct cp_spool_select sel = {.queues = {[SPOOL_PRT] = true, [SPOOL_PUN] = true}};
    struct spool *spool = cp_spool(req->cp);
    const char *word = cp_operand(req);
    enum spool_queue queue;
    struct cause cause;
    int count = 0, rc = word ? set_owner(req, word, &sel) : cp_fail(req, MSG_LGA020E);
    if (!rc && (word = cp_operand(req)) && strcmp(word, "ALL")) {
        if (!cp_spool_queue(word, &queue) || queue == SPOOL_RDR)
            return cp_fail(req, MSG_CMD003E, word);
        sel.queues[queue == SPOOL_PRT ? SPOOL_PUN : SPOOL_PRT] = false;
    }
    if (rc || (rc = cp_no_more(req)))
        return rc;
    look(req->cp, &sel);
    for (struct spool_file *f = NULL; (f = spool_next(spool, f));) {
        struct spool_desc d = *spool_desc(f);
        if (!cp_spool_selected(&sel, &d) || d.system_hold == on)
            continue;
        d.system_hold = on;
        if (spool_change(spool, f, &d, &cause))
            return cp_spool_failed(req, &cause);
        count++;
    }
    return count_text(req, count, on ? "HELD" : "FREED");
}

int cp_cmd_hold(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return system_hold(req, true);
}

int cp_cmd_free(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return system_hold(req, false);
}

/* CHANGE [* | userid] {RDR | PRT | PUN} {ALL | spoolid ... | CLASS c} option ... */
int cp_cmd_change(struct cp_request *req, void *ctx)
{
    struct cp_spool_select sel;
    struct spool *spool = cp_spool(req->cp);
    struct spool_desc scratch = {.id = 0};
    struct cause cause;
    int count = 0, rc = select_files(req, &sel);
    (void)ctx;
    if (rc || (rc = missing_id(req, &sel)))
        return rc;
    if (!cp_operand_peek(req))
        return cp_fail(req, MSG_CMD026E);
    size_t at = req->at;
    while (!rc && cp_operand_peek(req)) /* before the first file is touched */
        rc = change_option(req, &scratch);
    req->at = at;
    for (struct spool_file *f = NULL; !rc && (f = spool_next(spool, f));) {
        if (!cp_spool_selected(&sel, spool_desc(f)))
            continue;
        rc = change_file(req, f, &cause);
        count++;
    }
    return rc ? rc : count_text(req, count, "CHANGED");
}

/* ORDER [* | userid] {RDR | PRT | PUN} {spoolid ... | CLASS c ...}: to the front, in this
 * order */
int cp_cmd_order(struct cp_request *req, void *ctx)
{
    struct cp_spool_select sel;
    struct spool *spool = cp_spool(req->cp);
    struct spool_file *list[CP_SPOOL_IDS_MAX];
    struct cause cause;
    unsigned count = 0;
    int rc = select_files(req, &sel);
    (void)ctx;
    if (!rc)
        rc = cp_no_more(req);
    if (!rc)
        rc = missing_id(req, &sel);
    if (rc)
        return rc;
    for (unsigned i = 0; i < sel.id_count; i++)
        list[count++] = spool_find(spool, sel.owner, sel.ids[i]);
    for (struct spool_file *f = NULL; !sel.id_count && (f = spool_next(spool, f));)
        if (cp_spool_selected(&sel, spool_desc(f)) && count < CP_SPOOL_IDS_MAX)
            list[count++] = f;
    for (unsigned i = count; i--;)
        if (spool_order(spool, list[i], &cause))
            return cp_spool_failed(req, &cause);
    return count_text(req, (int)count, "ORDERED");
}

/* ---- files that go somewhere ---- */

static void records_text(u64 n, char out[24])
{
    const char *unit = n <= 9999 ? "" : n <= 999999 ? "K" : "M";
    u64 count = n <= 9999 ? n : n <= 999999 ? n / 1000 : n / 1000000;
    snprintf(out, 24, "%0*llu%s", *unit ? 3 : 4, (unsigned long long)count, unit);
}

static void sent_text(const struct spool_desc *d, enum spool_queue here, u16 id,
                      const char *direction, const char *other, enum spool_queue there,
                      const char *verb, u16 other_id, char out[128])
{
    char records[24];
    records_text(d->records, records);
    snprintf(out, 128, "%s FILE %04u SENT %-4s %-8s %s %-3s %04u RECS %s CPY  %03u %c %s %s",
             spool_queue_name(here), id, direction, other, spool_queue_name(there), verb,
             other_id, records, d->copies, d->class_, d->hold ? "HOLD" : "NOHOLD",
             d->keep ? "KEEP" : "NOKEEP");
}

void cp_spool_arrived(struct cp *cp, const struct spool_desc *d, enum spool_queue from_queue,
                      u16 was)
{
    char text[128];
    struct cp_user *owner = cp_user_find(cp, d->owner);
    if (!owner || !(owner->settings & CP_SET_IMSG))
        return;
    sent_text(d, d->queue, d->id, "FROM", d->origin, from_queue, "WAS", was, text);
    console_write_line(owner->console, text);
}

void cp_spool_sent(struct cp_request *req, const struct spool_desc *d,
                   enum spool_queue from_queue, u16 was)
{
    char text[128];
    if (!cp_user_find(req->cp, d->owner))
        spool_sent(cp_spool(req->cp), d->owner, d->id, from_queue, was);
    sent_text(d, d->queue, d->id, "FROM", d->origin, from_queue, "WAS", was, text);
    if (!strcmp(d->owner, req->userid)) {
        cp_line_text(req, text);
        return;
    }
    cp_spool_arrived(req->cp, d, from_queue, was);
    sent_text(d, from_queue, was, "TO", d->owner, d->queue, "AS", d->id, text);
    cp_line_text(req, text);
}

static int transfer_files(struct cp_request *req, const struct cp_spool_select *sel,
                          const char *origin, const char *to, const enum spool_queue *queue)
{
    struct spool *spool = cp_spool(req->cp);
    struct cause cause;
    int count = 0;
    for (struct spool_file *f = spool_next(spool, NULL), *next; f; f = next) {
        struct spool_desc before = *spool_desc(f);
        next = spool_next(spool, f);
        if (!cp_spool_selected(sel, &before) || (*origin && strcmp(origin, before.origin)) ||
            (!strcmp(to, before.owner) && *queue == before.queue))
            continue;
        int rc = spool_transfer(spool, f, to, *queue, &cause);
        if (rc == ST_BUSY)
            continue;
        if (rc)
            return cp_spool_failed(req, &cause);
        cp_spool_sent(req, spool_desc(f), before.queue, before.id);
        count++;
    }
    return count_text(req, count, "TRANSFERRED");
}

/* TRANSFER [* | userid] {RDR | PRT | PUN} {ALL | spoolid ...} {TO userid | FROM userid}
 * [queue] */
int cp_cmd_transfer(struct cp_request *req, void *ctx)
{
    struct cp_spool_select sel;
    enum spool_queue queue = SPOOL_RDR;
    char user[DIR_NAME_BYTES];
    const char *word;
    int rc = cp_spool_owner(req, &sel);
    (void)ctx;
    if (!rc)
        rc = cp_spool_which(req, &sel);
    if (rc)
        return rc;
    word = cp_operand(req);
    bool from = word && !strcmp(word, "FROM");
    if (word && !from && strcmp(word, "TO"))
        return cp_fail(req, MSG_CMD003E, word);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if ((rc = cp_spool_user(req, user)))
        return rc;
    if ((word = cp_operand_peek(req)) && cp_spool_queue(word, &queue))
        cp_operand(req);
    if ((rc = cp_no_more(req)))
        return rc;
    if (from) { /* what I have sent comes back */
        strcpy(sel.owner, user);
        look(req->cp, &sel);
        return transfer_files(req, &sel, req->userid, req->userid, &queue);
    }
    look(req->cp, &sel);
    rc = missing_id(req, &sel);
    return rc ? rc : transfer_files(req, &sel, "", user, &queue);
}

/* ---- QUERY ---- */

const char *cp_spool_files_text(struct cp *cp, const char *userid, char out[64])
{
    size_t n = (size_t)snprintf(out, 64, "FILES:");
    for (int q = 0; q < SPOOL_QUEUES; q++) {
        unsigned count = spool_count(cp_spool(cp), userid, (enum spool_queue)q);
        char text[16] = "  NO";
        if (count)
            snprintf(text, sizeof text, "%04u", count);
        n += (size_t)snprintf(out + n, 64 - n, " %s %s%s", text,
                              spool_queue_name((enum spool_queue)q),
                              q + 1 < SPOOL_QUEUES ? "," : "");
    }
    return out;
}

int cp_query_files(struct cp_request *req, void *ctx)
{
    char text[64];
    (void)ctx;
    spool_look(cp_spool(req->cp));
    spool_sync(cp_spool(req->cp), req->userid);
    cp_line_text(req, cp_spool_files_text(req->cp, req->userid, text));
    return cp_no_more(req);
}

struct query_form {
    bool all;
    enum vm_dateformat date;
};

/* Who holds it, as QUERY tells it. */
static const char *hold_text(const struct spool_desc *f)
{
    if (f->system_hold)
        return f->hold ? "USYS" : "SYS";
    return f->hold ? "USER" : "NONE";
}

static void file_line(struct cp_request *req, const struct spool_desc *f,
                      const struct query_form *form, bool by_owner)
{
    char date[CP_TIME_TEXT_BYTES], clock[CP_TIME_TEXT_BYTES], head[64];
    cp_date_text(form->date, f->created_ns, date);
    snprintf(head, sizeof head, "%-8s %04u %c %s %08llu %03u %-4s",
             by_owner ? f->owner : f->origin, f->id, f->class_, f->device,
             (unsigned long long)f->records, f->copies, hold_text(f));
    if (!form->all) {
        cp_line(req, "%s %-8s %-8s %-8s %-4s %s", head, f->form, f->form, f->dest,
                f->keep ? "ON" : "OFF", "OFF");
        return;
    }
    if (form->date == VM_DATE_SHORT)
        date[5] = 0; /* without the year */
    cp_line(req, "%s %s %.8s %-9s %-8s %s", head, date, cp_clock_text(f->created_ns, clock),
            f->name, f->type, f->dist);
}

static void heading(struct cp_request *req, const struct query_form *form, bool by_owner)
{
    const char *date = form->date != VM_DATE_SHORT ? "DATE      " : "DATE ";
    const char *who = by_owner ? "OWNERID " : "ORIGINID";
    if (form->all)
        cp_line(req, "%s FILE CLASS RECORDS  CPY HOLD %s TIME     NAME      TYPE     DIST", who,
                date);
    else
        cp_line(req, "%s FILE CLASS RECORDS  CPY HOLD USERFORM OPERFORM DEST     KEEP MSG",
                who);
}

static int query_options(struct cp_request *req, struct cp_spool_select *sel,
                         struct query_form *form)
{
    const char *word;
    u64 id;
    int rc = 0;
    while (!rc && (word = cp_operand(req))) {
        if (scan_number(word, 1, SPOOL_ID_MAX, &id) && !sel->id_count)
            rc = which_id(req, sel, id);
        else if (!strcmp(word, "ALL"))
            form->all = true;
        else if (cp_dateformat_word(req, word, &form->date))
            continue;
        else if (cp_abbrev(word, "CLass"))
            rc = cp_spool_class(req, false, &sel->class_);
        else if (!strcmp(word, "FORM"))
            rc = cp_spool_word(req, sel->form);
        else if (!strcmp(word, "DEST"))
            rc = cp_spool_word(req, sel->dest);
        else if (strcmp(word, "USERID") && strcmp(word, "U"))
            rc = set_owner(req, word, sel);
    }
    return rc;
}

/* QUERY {RDR | PRT | PUN} [* | userid | SYSTEM] [spoolid] [CLASS c] [ALL] [SHORTDATE ...] */
static int query_queue(struct cp_request *req, enum spool_queue queue)
{
    struct cp_spool_select sel = {.class_ = 0};
    struct query_form form = {.date = cp_request_dateformat(req)};
    unsigned shown = 0;
    strcpy(sel.owner, req->userid);
    int rc = query_options(req, &sel, &form);
    if (rc)
        return rc;
    sel.queues[queue] = true;
    look(req->cp, &sel);
    for (struct spool_file *f = NULL; (f = spool_next(cp_spool(req->cp), f));) {
        if (!cp_spool_selected(&sel, spool_desc(f)))
            continue;
        if (!shown++)
            heading(req, &form, !*sel.owner);
        file_line(req, spool_desc(f), &form, !*sel.owner);
    }
    if (!shown)
        cp_line(req, "NO %s FILES", spool_queue_name(queue));
    return 0;
}

int cp_query_reader(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return query_queue(req, SPOOL_RDR);
}

int cp_query_printer(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return query_queue(req, SPOOL_PRT);
}

int cp_query_punch(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return query_queue(req, SPOOL_PUN);
}
