/* Completion at consoles: which words of CP's table fit where.
 * Run alone: tests/run unit/cli_edit_test */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli_edit.h"
#include "mem/base/bytes.h"

/* All completions of the last word, joined by blanks. */
static const char *completed(const char *line, bool guest)
{
    static char all[4096];
    char word[EDIT_WORD_BYTES];
    const char *blank = strrchr(line, ' ');
    all[0] = 0;
    for (unsigned n = 0;
         edit_word(line, blank ? (size_t)(blank + 1 - line) : 0, guest, n, word); n++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", n ? " " : "", word);
    return all;
}

START_TEST(words)
{
    static const struct {
        const char *line, *all;
        bool guest;
    } rows[] = {{"XAUT", "XAUTOLOG", false},
                {"xaut", "xautolog", false},
                {"query cpl", "cplevel", false},
                {"Q CPL", "CPLEVEL", false},
                {"CP SET SEC", "SECUSER", false},
                {"#cp q cpl", "cplevel", true},
                {"#CP XAUT", "XAUTOLOG", true},
                {"xaut", "", true}, /* for the guest */
                {"cp xaut", "", true},
                {"FORCE X", "", false}, /* an operand that is no word of the table */
                {"QUERY CPLEVEL X", "", false},
                {"SET PF", "", false}, /* nn is no word */
                {"FROB", "", false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ck_assert_msg(!strcmp(completed(rows[i].line, rows[i].guest), rows[i].all), "%s: %s",
                      rows[i].line, completed(rows[i].line, rows[i].guest));
    ck_assert_ptr_nonnull(strstr(completed("", false), "DISPLAY"));
    ck_assert_ptr_null(strstr(completed("", false), "CPLEVEL"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cli_edit");
    TCase *t = tcase_create("all");
    tcase_add_test(t, words);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
