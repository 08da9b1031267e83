/* Host files behind unit record devices: what is punched and printed goes to one, in ASCII
 * or EBCDIC, with the printer's carriage control as text, ASA or machine code; card decks
 * come from one. */
#ifndef ENDICOTT_IO_UNITREC_UNITREC_FILE_H
#define ENDICOTT_IO_UNITREC_UNITREC_FILE_H

#include "io/unitrec/spool_data.h"
#include "mem/base/status.h"

struct unitrec_file;

enum unitrec_carriage {
    UNITREC_CARDS,   /* a punch: no carriage control */
    UNITREC_TEXT,    /* line feeds, form feeds, carriage returns for overprinting */
    UNITREC_ASA,     /* the first character moves the form before its line is printed */
    UNITREC_MACHINE, /* the first byte is the command code, EBCDIC only */
};

struct unitrec_format {
    enum unitrec_carriage carriage;
    bool ebcdic; /* records of fixed length; else UTF-8 lines without trailing blanks */
    bool append; /* behind what is in the file; else it is written anew */
};

int unitrec_file_open(const char *path, const struct unitrec_format *format,
                      struct unitrec_file **out, struct cause *cause);
void unitrec_file_close(struct unitrec_file *file);
/** A unitrec_sink whose `arg` is a struct unitrec_file. All of a record is written or
 *  nothing; trouble is logged once, until a record goes through again. */
int unitrec_file_sink(void *arg, u16 devno, u8 command, const u8 *bytes, size_t len);

/** A deck from a file: card images as they are or, `ascii`, a card for each line. ST_INVAL
 *  with the line that has more than 80 characters, or when there is nothing in it. */
int unitrec_deck_load(const char *path, bool ascii, struct spool_data *out,
                      struct cause *cause);

#endif
