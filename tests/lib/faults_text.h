/* What a check has found, as one line: severity, place and words of each fault. */
#ifndef ENDICOTT_TESTS_LIB_FAULTS_TEXT_H
#define ENDICOTT_TESTS_LIB_FAULTS_TEXT_H

#include <stdio.h>

#include "hyp/config/fault.h"

/** Writes them, sorted by their place, and frees them. */
static inline const char *faults_text(struct faults *faults, char *text, size_t size)
{
    size_t n = 0;
    text[0] = 0;
    faults_sort(faults);
    for (unsigned i = 0; i < faults->count && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%c %u:%u: %s|",
                              fault_kind_name(faults->all[i].kind)[0], faults->all[i].line,
                              faults->all[i].col, faults->all[i].text);
    faults_free(faults);
    return text;
}

#endif
