/* libFuzzer's entry to the readers of USER DIRECT, SYSTEM CONFIG and hardware files: any text is taken, or
 * refused with a place; a check that collects finds errors exactly where the plain reading fails; a
 * statement put behind an entry is read as its. The first byte says which. `make fuzz-config`. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_internal.h"
#include "hyp/config/directory_edit.h"
#include "mem/base/ergo.h"
#include "tests/fuzz/budget.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void has_place(const struct cause *cause)
{
    unsigned line, col;
    POST(sscanf(cause->text, "f:%u:%u: ", &line, &col) == 2 && line && col);
}

static void all_have_places(const struct faults *faults)
{
    for (unsigned i = 0; i < faults->count; i++)
        POST(faults->all[i].line && faults->all[i].col && faults->all[i].text[0]);
}

/* ACCOUNT behind the statements of a USER is the last word on it. */
static void append(const char *text, const struct dir_entry *e)
{
    struct dir_span span;
    struct directory *dir;
    struct cause cause;
    POST(dir_text_entry(text, e->userid, &span));
    size_t end = span.to;
    while (end && strchr(" \t\r\n\v\f", text[end - 1]))
        end--;
    if (e->kind != DIR_USER || (end && text[end - 1] == ','))
        return; /* a SUBCONFIG comes behind it; the last statement goes on */
    span.from = span.to;
    char *more = dir_text_replace(text, span, " ACCOUNT FUZZ\n");
    if (!more)
        return;
    POST(strlen(more) <= strlen(text) + 15);
    POST(directory_parse("f", more, "MEMBERA", &dir, &cause) == ST_OK);
    POST(!strcmp(directory_find(dir, e->userid)->account, "FUZZ"));
    directory_free(dir);
    free(more);
}

static void use_directory(const char *text)
{
    const struct dir_check_for whom = {.member = "MEMBERA"};
    struct faults one = {0}, all = {0};
    struct directory *dir;
    struct cause cause = {0};
    int status = directory_parse("f", text, "MEMBERA", &dir, &cause);
    directory_check("f", text, &whom, 1, &one);
    directory_check("f", text, NULL, 0, &all);
    POST((status == ST_OK) == (one.of_kind[FAULT_ERROR] == 0));
    if (status)
        has_place(&cause);
    for (unsigned i = 0; !status && i < directory_count(dir) && i < 3; i++)
        append(text, directory_at(dir, i));
    all_have_places(&one);
    all_have_places(&all);
    faults_free(&one);
    faults_free(&all);
    directory_free(dir);
}

static void use_system(const char *text)
{
    static struct system_config config;
    struct faults faults = {0};
    struct cause cause = {0};
    memset(&config, 0, sizeof config);
    strcpy(config.member, "MEMBERA");
    int status = config_read_system(&config, "f", text, NULL, &cause);
    if (status)
        has_place(&cause);
    memset(&config, 0, sizeof config);
    strcpy(config.member, "MEMBERA");
    int broken = config_read_system(&config, "f", text, &faults, &cause);
    POST((status == ST_OK) == (!broken && faults.of_kind[FAULT_ERROR] == 0));
    all_have_places(&faults);
    faults_free(&faults);
}

static void use_hardware(const char *text)
{
    static struct config_hardware hw;
    struct faults faults = {0};
    struct cause cause = {0};
    memset(&hw, 0, sizeof hw);
    int status = config_read_hardware(&hw, "f", text, NULL, &cause);
    free(hw.devices);
    if (status)
        has_place(&cause);
    memset(&hw, 0, sizeof hw);
    int broken = config_read_hardware(&hw, "f", text, &faults, &cause);
    free(hw.devices);
    POST((status == ST_OK) == (!broken && faults.of_kind[FAULT_ERROR] == 0));
    all_have_places(&faults);
    faults_free(&faults);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static void (*const use[])(const char *text) = {use_directory, use_directory, use_system,
                                                    use_hardware};
    if (!size || memchr(data, 0, size))
        return -1;
    char *text = strndup((const char *)data + 1, size - 1);
    if (text)
        use[data[0] % ARRAY_LEN(use)](text);
    free(text);
    budget_count();
    return 0;
}
