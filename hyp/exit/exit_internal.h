/* Inside hyp/exit: runs, and the program that one of them has started. Internal to it and its
 * tests. */
#ifndef ENDICOTT_HYP_EXIT_EXIT_INTERNAL_H
#define ENDICOTT_HYP_EXIT_EXIT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "hyp/config.h"
#include "hyp/exit/exit.h"

#define EXIT_FOLDER_BYTES (CONFIG_PATH_BYTES + 16)

struct exits {
    struct exit_ports ports;
    char folder[EXIT_FOLDER_BYTES];
    unsigned limit_ms; /* EXIT_SECONDS_MAX; tests make it shorter */
    struct exit_info point[EXIT_POINTS];
    struct exit_run *runs;
};

/** Created by exits_run, freed on the loop by the note that its thread has posted, also when the
 *  exits are gone by then. The thread has it from the start to that post, and looks at nothing
 *  else; `stop` is the loop's to set. */
struct exit_run {
    struct exit_run *next;
    struct exits *exits; /* NULL: they are gone */
    enum exit_point point;
    struct exit_ports ports;
    char folder[EXIT_FOLDER_BYTES];
    unsigned limit_ms;
    char name[EXIT_ENTRIES_MAX][EXIT_NAME_BYTES];
    unsigned count;
    char facts[EXIT_FACTS_MAX][EXIT_FACT_BYTES];
    unsigned fact_count;
    void (*done)(void *arg, const struct exit_result *result); /* NULL: forgotten */
    void *arg;
    pthread_t thread;
    atomic_bool stop;
    struct exit_result result;
};

/** The thread: all entry points. */
void exit_run_programs(struct exit_run *run);

#endif
