/* What the spool commands share: selecting files, telling of them. */
#ifndef ENDICOTT_HYP_CP_CP_SPOOL_H
#define ENDICOTT_HYP_CP_CP_SPOOL_H

#include "hyp/cp/cp_internal.h"
#include "hyp/spool/spool_device.h"

#define CP_SPOOL_IDS_MAX 32

/** [* | userid | SYSTEM] {RDR | PRT | PUN | ALL} {ALL | spoolid ... | CLASS c | FORM f |
 *  DEST d} */
struct cp_spool_select {
    char owner[DIR_NAME_BYTES]; /* "" = of everybody (class D) */
    bool queues[SPOOL_QUEUES];
    u16 ids[CP_SPOOL_IDS_MAX];
    unsigned id_count;
    char class_;
    char form[SPOOL_WORD_BYTES], dest[SPOOL_WORD_BYTES];
    bool all_queues;
    bool any; /* something was said of which files */
};

struct spool *cp_spool(struct cp *cp);
/** Whose and which queues. 0, or the number of the message. */
int cp_spool_owner(struct cp_request *req, struct cp_spool_select *sel);
/** Which files; stops before the first word that is not about that. */
int cp_spool_which(struct cp_request *req, struct cp_spool_select *sel);
/** The message that the file with this spool id does not exist; its number. */
int cp_missing_file(struct cp_request *req, unsigned id);
bool cp_spool_selected(const struct cp_spool_select *sel, const struct spool_desc *desc);
/** "RDR", "Reader", "PRT" ...; false: none. */
bool cp_spool_queue(const char *word, enum spool_queue *queue);
/** A word of 1 to 8 characters into `out`, or the number of a message about it. */
int cp_spool_word(struct cp_request *req, char out[SPOOL_WORD_BYTES]);
int cp_spool_class(struct cp_request *req, bool any_ok, char *out);
int cp_spool_copies(struct cp_request *req, u32 *out);
/** NAME fn [ft], the rest of the line, as typed. */
int cp_spool_name(struct cp_request *req, char name[SPOOL_NAME_BYTES],
                  char type[SPOOL_WORD_BYTES]);
/** A user of the directory; "*" is who asks. */
int cp_spool_user(struct cp_request *req, char out[DIR_NAME_BYTES]);
/** "RDR FILE 0004 SENT FROM LINUX1   PUN WAS 0004 RECS 0003 CPY  001 A NOHOLD NOKEEP", to who
 *  issued the command and to the file's owner. */
void cp_spool_sent(struct cp_request *req, const struct spool_desc *desc,
                   enum spool_queue from_queue, u16 was);
/** Its owner is told that it has come, if it is logged on here. */
void cp_spool_arrived(struct cp *cp, const struct spool_desc *desc, enum spool_queue from_queue,
                      u16 was);
/** The answer to a failure of the spool. */
int cp_spool_failed(struct cp_request *req, const struct cause *cause);
/** The line of QUERY UR for a real printer or punch; false: it is none. */
bool cp_unit_row(struct cp_request *req, u16 devno);
/** Lines of QUERY VIRTUAL about a console: where it is, and how it is spooled. */
void cp_console_rows(struct cp_request *req, struct cp_user *user, u16 vdev);
/** Lines of QUERY VIRTUAL for a spooled device; `tail` is its subchannel. */
void cp_spool_device_rows(struct cp_request *req, struct spool_device *dev, enum vm_unit unit,
                          const char *tail);
/** "FILES: 0003 RDR,   NO PRT,   NO PUN" */
const char *cp_spool_files_text(struct cp *cp, const char *userid, char out[64]);

#endif
